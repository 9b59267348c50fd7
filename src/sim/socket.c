/* SPDX-License-Identifier: MIT */
/*
 * Simulated sockets: their table, opening and closing, and the addresses they are bound to. A socket exists
 * from open (or from the moment a connect reaches its listener) until its owner closes it; what then still
 * travels to it finds nobody.
 */
#include "sim/network.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

ga__sim_socket *ga__sim_find(ga__sim *sim, int number)
{
    size_t place = (size_t)number - GA__SIM_FIRST;

    return number >= GA__SIM_FIRST && place < sim->socket_count ? sim->sockets[place] : NULL;
}

ga__sim_socket *ga__sim_behind(ga__sim *sim, const ga__fd *fd)
{
    return ga__sim_find(sim, fd->fd);
}

ga__sim_socket *ga__sim_socket_new(ga__sim *sim, int family)
{
    ga__sim_socket *socket = ga__sim_resize(NULL, 1, sizeof *socket);

    if (sim->socket_count == sim->socket_capacity) {
        sim->socket_capacity = sim->socket_capacity ? sim->socket_capacity * 2 : 16;
        sim->sockets = ga__sim_resize(sim->sockets, sim->socket_capacity, sizeof(ga__sim_socket *));
    }
    *socket = (ga__sim_socket){.number = GA__SIM_FIRST + (int)sim->socket_count, .family = family};
    ga__list_init(&socket->backlog);
    sim->sockets[sim->socket_count++] = socket;
    return socket;
}

void ga__sim_socket_free(ga__sim *sim, ga__sim_socket *socket)
{
    ga__unlink(&socket->in_backlog);
    ga__unlink(&socket->listening);
    sim->counters.in_flight -= socket->incoming.size;
    sim->sockets[socket->number - GA__SIM_FIRST] = NULL;
    ga__buffer_free(&socket->incoming);
    free(socket);
}

void ga__sim_tell(ga__sim_socket *socket, unsigned events)
{
    if (socket->fd)
        ga__fd_event(socket->fd, events);
}

void ga__sim_tell_all(ga__sim_socket *socket)
{
    unsigned events = 0;

    if (socket->delivered > 0)
        events |= GA__READABLE;
    if (socket->state == GA__SIM_JOINED && !socket->starved)
        events |= GA__WRITABLE;
    if (socket->ended || socket->state == GA__SIM_BROKEN)
        events |= GA__READABLE | GA__WRITABLE | GA__HANGUP;
    if (events)
        ga__sim_tell(socket, events);
}

bool ga__sim_descriptor_left(const ga__sim *sim)
{
    return sim->options.descriptor_limit == 0 || sim->counters.open < sim->options.descriptor_limit;
}

void ga__sim_own(ga__sim *sim, ga__sim_socket *socket, ga__fd *fd)
{
    socket->fd = fd;
    fd->fd = socket->number;
    fd->ready = 0; /* as with epoll: what is ready comes as an event */
    sim->counters.open++;
}

int ga__sim_open(ga__poller *poller, ga__fd *fd, int family, int type)
{
    ga__sim *sim = ga__sim_of(poller);

    if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
        return -EAFNOSUPPORT;
    if ((type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_STREAM)
        return -EPROTONOSUPPORT;
    if (!ga__sim_descriptor_left(sim))
        return -EMFILE;
    ga__sim_socket *socket = ga__sim_socket_new(sim, family);

    ga__sim_own(sim, socket, fd);
    ga__sim_note(sim, "open", socket->number, 0, (uint64_t)family);
    return 0;
}

/* Those who wait to be accepted are turned away. */
static void drop_backlog(ga__sim *sim, ga__sim_socket *listener)
{
    ga__link *link;

    while ((link = ga__list_pop_front(&listener->backlog)) != NULL) {
        ga__sim_socket *waiting = GA__OF(link, ga__sim_socket, in_backlog);

        ga__sim_finish(sim, waiting, true);
        ga__sim_socket_free(sim, waiting);
    }
}

void ga__sim_close(ga__poller *poller, ga__fd *fd)
{
    ga__sim *sim = ga__sim_of(poller);
    ga__sim_socket *socket = ga__sim_behind(sim, fd);

    if (!socket)
        return;
    ga__sim_note(sim, "close", socket->number, socket->peer, socket->delivered);
    drop_backlog(sim, socket);
    if (socket->state == GA__SIM_JOINED || socket->state == GA__SIM_CONNECTING)
        ga__sim_finish(sim, socket, socket->delivered > 0); /* as Linux does: unread bytes make it a reset */
    sim->counters.open--;
    ga__sim_socket_free(sim, socket);
    fd->fd = -1;
    fd->ready = 0;
}

int ga__sim_move(ga__poller *poller, ga__fd *from, ga__fd *to)
{
    ga__sim *sim = ga__sim_of(poller);
    ga__sim_socket *socket = ga__sim_behind(sim, from);

    if (!socket)
        return -EBADF;
    socket->fd = to;
    to->fd = from->fd;
    to->ready = from->ready;
    from->fd = -1;
    from->ready = 0;
    ga__sim_push(sim, sim->now, GA__SIM_READY, socket->number, 0, 0); /* as epoll reports once more */
    return 0;
}

/* The address's port, in network order; NULL for unix. */
static in_port_t *port_of(struct sockaddr_storage *storage)
{
    if (storage->ss_family == AF_INET)
        return &((struct sockaddr_in *)(void *)storage)->sin_port;
    if (storage->ss_family == AF_INET6)
        return &((struct sockaddr_in6 *)(void *)storage)->sin6_port;
    return NULL;
}

static bool is_any(const struct sockaddr_storage *storage)
{
    if (storage->ss_family == AF_INET)
        return ((const struct sockaddr_in *)(const void *)storage)->sin_addr.s_addr == htonl(INADDR_ANY);
    return storage->ss_family == AF_INET6 &&
           IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)(const void *)storage)->sin6_addr);
}

static bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    if (a->ss_family == AF_INET)
        return ((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)(const void *)b)->sin_addr.s_addr;
    return memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
                  &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

bool ga__sim_address_equal(const ga__sim_address *a, const ga__sim_address *b, bool any)
{
    struct sockaddr_storage left = a->storage, right = b->storage;

    if (a->size == 0 || b->size == 0 || left.ss_family != right.ss_family)
        return false;
    if (left.ss_family == AF_UNIX)
        return strcmp(((struct sockaddr_un *)(void *)&left)->sun_path,
                      ((struct sockaddr_un *)(void *)&right)->sun_path) == 0;
    return *port_of(&left) == *port_of(&right) && ((any && is_any(&left)) || same_host(&left, &right));
}

bool ga__sim_address_set(ga__sim_address *address, int family, const struct sockaddr *value, socklen_t size)
{
    socklen_t least = family == AF_INET    ? sizeof(struct sockaddr_in)
                      : family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                           : offsetof(struct sockaddr_un, sun_path) + 1;

    if (size < least || size > sizeof address->storage || value->sa_family != family)
        return false;
    *address = (ga__sim_address){.size = size};
    memcpy(&address->storage, value, size);
    return true;
}

void ga__sim_clear_port(ga__sim_address *address)
{
    in_port_t *port = port_of(&address->storage);

    if (port)
        *port = 0;
}

void ga__sim_assign_port(ga__sim *sim, ga__sim_address *address)
{
    in_port_t *port = port_of(&address->storage);

    if (!port || *port)
        return;
    /* The range of ephemeral ports, round and round; nobody opens so many at once. */
    *port = htons((uint16_t)(32768 + sim->next_port));
    sim->next_port = (uint16_t)((sim->next_port + 1) % 28000);
}

ga__sim_socket *ga__sim_listener_at(ga__sim *sim, const ga__sim_address *address)
{
    ga__sim_socket *found = NULL;

    for (ga__link *link = sim->listeners.next; link != &sim->listeners; link = link->next) {
        ga__sim_socket *socket = GA__OF(link, ga__sim_socket, listening);

        if (ga__sim_address_equal(&socket->local, address, false))
            return socket;
        if (ga__sim_address_equal(&socket->local, address, true))
            found = socket;
    }
    return found;
}

int ga__sim_bind(ga__poller *poller, ga__fd *fd, const struct sockaddr *address, socklen_t size)
{
    ga__sim *sim = ga__sim_of(poller);
    ga__sim_socket *socket = ga__sim_behind(sim, fd);
    ga__sim_address local;

    if (!socket)
        return -EBADF;
    if (socket->local.size > 0 || !ga__sim_address_set(&local, socket->family, address, size))
        return -EINVAL;
    ga__sim_assign_port(sim, &local);
    const ga__sim_socket *other = ga__sim_listener_at(sim, &local);

    if (other && ga__sim_address_equal(&other->local, &local, false))
        return -EADDRINUSE;
    socket->local = local;
    return 0;
}

int ga__sim_listen(ga__poller *poller, ga__fd *fd, int backlog)
{
    ga__sim *sim = ga__sim_of(poller);
    ga__sim_socket *socket = ga__sim_behind(sim, fd);

    if (!socket)
        return -EBADF;
    if (socket->state != GA__SIM_OPEN || socket->local.size == 0)
        return -EINVAL;
    socket->state = GA__SIM_LISTENING;
    ga__list_push_back(&sim->listeners, &socket->listening);
    socket->backlog_limit = backlog > 1 ? (size_t)backlog : 1;
    ga__sim_note(sim, "listen", socket->number, 0, socket->backlog_limit);
    return 0;
}

int ga__sim_local_address(ga__poller *poller, ga__fd *fd, struct sockaddr_storage *address)
{
    ga__sim_socket *socket = ga__sim_behind(ga__sim_of(poller), fd);

    if (!socket)
        return -EBADF;
    *address = socket->local.storage;
    address->ss_family = (sa_family_t)socket->family;
    return 0;
}
