/* SPDX-License-Identifier: MIT */
/*
 * How simulated connections come about. A connect asks (an event that travels to the address), the listener's
 * half is made when the question arrives, and the answer travels back: TCP's handshake. Unix sockets
 * connect at once, as Linux's do.
 */
#include "sim/network.h"

#include <errno.h>
#include <netinet/in.h>

/* A listener whose line is full drops the question; the asker asks again after this long, as TCP does. */
#define ASK_AGAIN_NS UINT64_C(1000000000)

void ga__sim_set_route(ga__poller *poller, const struct sockaddr *address, socklen_t size,
                       ga__sim_route route, double seconds)
{
    ga__sim *sim = ga__sim_of(poller);
    ga__sim_way way = {.route = route, .delay = (uint64_t)(seconds * 1e9)};

    if (!ga__sim_address_set(&way.address, address->sa_family, address, size))
        return;
    for (size_t i = 0; i < sim->way_count; i++) {
        if (ga__sim_address_equal(&sim->ways[i].address, &way.address, false)) {
            sim->ways[i] = way;
            return;
        }
    }
    sim->ways = ga__sim_resize(sim->ways, sim->way_count + 1, sizeof *sim->ways);
    sim->ways[sim->way_count++] = way;
}

static ga__sim_way way_to(const ga__sim *sim, const ga__sim_address *address)
{
    for (size_t i = 0; i < sim->way_count; i++)
        if (ga__sim_address_equal(&sim->ways[i].address, address, false))
            return sim->ways[i];
    return (ga__sim_way){.route = GA__SIM_NORMAL};
}

/* Makes the listener's half of the connection, which waits in its line. */
static void join(ga__sim *sim, ga__sim_socket *listener, ga__sim_socket *client)
{
    ga__sim_socket *server = ga__sim_socket_new(sim, client->family);

    server->state = GA__SIM_JOINED;
    server->local = client->wanted;
    server->peer = client->number;
    client->peer = server->number;
    ga__sim_draw_fate(sim, server);
    ga__sim_draw_fate(sim, client);
    ga__list_push_back(&listener->backlog, &server->in_backlog);
    listener->backlog_count++;
    sim->counters.connections++;
    ga__sim_note(sim, "join", server->number, client->number, listener->backlog_count);
    ga__sim_tell(listener, GA__READABLE);
}

/* Unix: at once. */
static int connect_unix(ga__sim *sim, ga__sim_socket *client)
{
    ga__sim_socket *listener = ga__sim_listener_at(sim, &client->wanted);

    if (!listener || ga__random_chance(&sim->network, sim->options.refuse)) {
        sim->counters.refused++;
        return listener ? -ECONNREFUSED : -ENOENT;
    }
    if (listener->backlog_count >= listener->backlog_limit)
        return -EAGAIN;
    join(sim, listener, client);
    client->state = GA__SIM_JOINED;
    ga__sim_push(sim, sim->now, GA__SIM_READY, client->number, 0, 0);
    return 0;
}

static void ask(ga__sim *sim, ga__sim_socket *client, uint64_t extra)
{
    if (ga__random_chance(&sim->network, sim->options.silence)) {
        sim->counters.faults++;
        ga__sim_note(sim, "silence", client->number, 0, 0);
        return;
    }
    ga__sim_push(sim, ga__sim_travel(sim) + extra, GA__SIM_ASK, client->number, client->number, 0);
}

int ga__sim_connect(ga__poller *poller, ga__fd *fd, const struct sockaddr *address, socklen_t size)
{
    ga__sim *sim = ga__sim_of(poller);
    ga__sim_socket *client = ga__sim_behind(sim, fd);

    if (!client)
        return -EBADF;
    if (client->state != GA__SIM_OPEN)
        return client->state == GA__SIM_CONNECTING ? -EALREADY : -EISCONN;
    if (!ga__sim_address_set(&client->wanted, client->family, address, size))
        return -EAFNOSUPPORT;
    fd->ready = 0;
    ga__sim_note(sim, "connect", client->number, 0, 0);
    if (client->family == AF_UNIX)
        return connect_unix(sim, client);

    ga__sim_way way = way_to(sim, &client->wanted);

    if (way.route == GA__SIM_UNREACHABLE) {
        sim->counters.refused++;
        return -ENETUNREACH;
    }
    if (client->local.size == 0) {
        ga__sim_address_set(&client->local, client->family, address, size);
        ga__sim_clear_port(&client->local);
        ga__sim_assign_port(sim, &client->local);
    }
    client->state = GA__SIM_CONNECTING;
    if (way.route != GA__SIM_SILENT)
        ask(sim, client, way.delay);
    return -EINPROGRESS;
}

void ga__sim_on_ask(ga__sim *sim, const ga__sim_event *event)
{
    ga__sim_socket *client = ga__sim_find(sim, event->from);

    if (!client || client->state != GA__SIM_CONNECTING)
        return;
    ga__sim_socket *listener = ga__sim_listener_at(sim, &client->wanted);
    bool refused = !listener || way_to(sim, &client->wanted).route == GA__SIM_REFUSING;

    if (!refused && ga__random_chance(&sim->network, sim->options.refuse)) {
        refused = true;
        sim->counters.faults++;
    }
    if (refused) {
        ga__sim_push(sim, ga__sim_travel(sim), GA__SIM_REFUSED, client->number, 0, ECONNREFUSED);
        return;
    }
    if (listener->backlog_count >= listener->backlog_limit) {
        ga__sim_push(sim, sim->now + ASK_AGAIN_NS, GA__SIM_ASK, client->number, client->number, 0);
        return;
    }
    join(sim, listener, client);
    ga__sim_socket *server = ga__sim_find(sim, client->peer);

    if (!server) /* on_event closed the listener */
        return;
    server->last_arrival = ga__sim_travel(sim);
    ga__sim_push(sim, server->last_arrival, GA__SIM_CONNECTED, client->number, server->number, 0);
}

void ga__sim_on_answer(ga__sim *sim, const ga__sim_event *event)
{
    ga__sim_socket *client = ga__sim_find(sim, event->to);

    if (!client || client->state != GA__SIM_CONNECTING)
        return;
    if (event->kind == GA__SIM_CONNECTED) {
        client->state = GA__SIM_JOINED;
        ga__sim_tell(client, GA__WRITABLE);
        return;
    }
    client->state = GA__SIM_BROKEN;
    client->error = (int)event->value;
    sim->counters.refused++;
    ga__sim_tell(client, GA__READABLE | GA__WRITABLE | GA__HANGUP);
}

int ga__sim_connect_result(ga__poller *poller, ga__fd *fd)
{
    ga__sim_socket *client = ga__sim_behind(ga__sim_of(poller), fd);

    if (!client)
        return -EBADF;
    if (client->state == GA__SIM_CONNECTING)
        return -EINPROGRESS;
    int error = client->error;

    client->error = 0;
    return -error;
}

int ga__sim_accept(ga__poller *poller, ga__fd *listener_fd, ga__fd *accepted)
{
    ga__sim *sim = ga__sim_of(poller);
    ga__sim_socket *listener = ga__sim_behind(sim, listener_fd);

    if (!listener)
        return -EBADF;
    if (listener->state != GA__SIM_LISTENING)
        return -EINVAL;
    ga__link *link = ga__list_first(&listener->backlog);

    if (!link)
        return -EAGAIN;
    if (!ga__sim_descriptor_left(sim))
        return -EMFILE;
    if (ga__sim_hold_back(sim, listener, GA__READABLE))
        return -EAGAIN;
    ga__sim_socket *server = GA__OF(link, ga__sim_socket, in_backlog);

    ga__unlink(link);
    listener->backlog_count--;
    ga__sim_own(sim, server, accepted);
    ga__sim_push(sim, sim->now, GA__SIM_READY, server->number, 0, 0);
    ga__sim_note(sim, "accept", server->number, server->peer, 0);
    return 0;
}
