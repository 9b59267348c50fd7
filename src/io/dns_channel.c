/* SPDX-License-Identifier: MIT */
/*
 * c-ares on a loop. c-ares says which sockets it wants to hear of; each is watched here through a descriptor
 * of its own until c-ares closes it, which it does when no question is open. After every call into c-ares
 * the timer is set anew, for its next time-out. Called by dns.c alone.
 */
#include "io/dns_channel.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { TIMEOUT_MS = 2000, TRIES = 3 };

/* c-ares counts in ms and rounds down; a timer that comes before its time would only come again. */
static const uint64_t LATER = 1000000;

/* A socket of c-ares' that is watched. */
typedef struct socket_watch {
    ga__fd fd;
    ga__link link;
    ga__dns_channel *channel;
    ares_socket_t socket;
} socket_watch;

/* --- watching ------------------------------------------------------------------------------------- */

static void set_timer(ga__dns_channel *channel)
{
    struct timeval time;

    if (!channel->ares || !ares_timeout(channel->ares, NULL, &time)) {
        ga__timer_disarm(&channel->timer);
        return;
    }
    uint64_t wait = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;

    ga__timer_arm(&channel->timer, ga__now_exact() + wait + LATER);
}

static void on_timer(ga_timer_ *timer)
{
    ga__dns_channel *channel = GA__OF(timer, ga__dns_channel, timer);

    ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(channel);
}

static void on_event(ga__fd *fd, unsigned events)
{
    socket_watch *watch = GA__OF(fd, socket_watch, fd);
    ga__dns_channel *channel = watch->channel;
    ares_socket_t socket = watch->socket;

    /* The watch may be gone from here on. */
    ares_process_fd(channel->ares, events & GA__READABLE ? socket : ARES_SOCKET_BAD,
                    events & GA__WRITABLE ? socket : ARES_SOCKET_BAD);
    set_timer(channel);
}

static socket_watch *find_watch(const ga__dns_channel *channel, ares_socket_t socket)
{
    for (ga__link *link = channel->sockets.next; link != &channel->sockets; link = link->next)
        if (GA__OF(link, socket_watch, link)->socket == socket)
            return GA__OF(link, socket_watch, link);
    return NULL;
}

static void forget(ga__poller *poller, socket_watch *watch)
{
    poller->ops->forget(poller, &watch->fd);
    ga__unlink(&watch->link);
    free(watch);
}

/* What c-ares wants to hear of this socket from now on. A socket that cannot be watched is one that does not
 * answer: c-ares' time-out ends the question. */
static void on_socket(void *channel_pointer, ares_socket_t socket, int readable, int writable)
{
    ga__dns_channel *channel = channel_pointer;
    ga__poller *poller = channel->loop->poller;
    socket_watch *watch = find_watch(channel, socket);
    unsigned events = (readable ? GA__READABLE : 0u) | (writable ? GA__WRITABLE : 0u);

    if (watch && events)
        poller->ops->forget(poller, &watch->fd);
    else if (watch)
        forget(poller, watch);
    if (!events)
        return;
    if (!watch) {
        watch = calloc(1, sizeof *watch);
        if (!watch)
            return;
        *watch = (socket_watch){.channel = channel, .socket = socket};
        ga__fd_init(&watch->fd);
        watch->fd.on_event = on_event;
        ga__list_push_back(&channel->sockets, &watch->link);
    }
    if (poller->ops->watch(poller, &watch->fd, socket, events) < 0)
        forget(poller, watch);
}

/* --- the calls that c-ares makes ------------------------------------------------------------------ */

static ares_socket_t open_socket(int family, int type, int protocol, void *channel_pointer)
{
    ga__dns_channel *channel = channel_pointer;
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

    channel->os_error = fd < 0 ? errno : 0;
    return fd;
}

static int close_socket(ares_socket_t socket, void *channel)
{
    (void)channel;
    return close(socket);
}

static int connect_socket(ares_socket_t socket, const struct sockaddr *address, ares_socklen_t size,
                          void *channel)
{
    (void)channel;
    return connect(socket, address, size);
}

/* Takes note of failures that servers answer: c-ares goes on to the next server and forgets them. */
static ares_ssize_t receive(ares_socket_t socket, void *buffer, size_t size, int flags, struct sockaddr *from,
                            ares_socklen_t *from_size, void *channel_pointer)
{
    static const int failures[] = {[2] = ARES_ESERVFAIL, [4] = ARES_ENOTIMP, [5] = ARES_EREFUSED};
    ga__dns_channel *channel = channel_pointer;
    ssize_t count = recvfrom(socket, buffer, size, flags, from, from_size);

    if (count < 12)
        return count;
    unsigned rcode = ((const unsigned char *)buffer)[3] & 0x0f;

    if (rcode < sizeof failures / sizeof *failures && failures[rcode]) {
        channel->refused = failures[rcode];
        channel->refused_at = ga__now_exact();
    }
    return count;
}

static ares_ssize_t send_parts(ares_socket_t socket, const struct iovec *parts, int count, void *channel)
{
    const struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)count};

    (void)channel;
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

int ga__dns_channel_answered(ga__dns_channel *channel, int status, uint64_t asked)
{
    channel->asked--;
    if (status != ARES_ECONNREFUSED)
        return status;
    if (channel->os_error == EMFILE || channel->os_error == ENFILE)
        return ARES_EFILE;
    return channel->refused && channel->refused_at >= asked ? channel->refused : status;
}

/* --- opening and asking --------------------------------------------------------------------------- */

static void init_library(void)
{
    ares_library_init(ARES_LIB_INIT_ALL);
}

/* Whether c-ares will be able to read the configuration: where it is not, it would take 127.0.0.1 for the
 * name server, now and later. */
static bool has_descriptor(void)
{
    int fd = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno != EMFILE && errno != ENFILE;
    close(fd);
    return true;
}

int ga__dns_channel_open(ga__dns_channel *channel, ga__loop *loop, const ga__dns_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char lookups[] = "b"; /* the hosts file is read by hosts.c */
    struct ares_options settings = {
        .flags = options->no_search ? ARES_FLAG_NOSEARCH : 0,
        .timeout = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS,
        .tries = options->tries > 0 ? options->tries : TRIES,
        .lookups = lookups,
        .sock_state_cb = on_socket,
        .sock_state_cb_data = channel,
    };
    static const struct ares_socket_functions calls = {
        .asocket = open_socket,
        .aclose = close_socket,
        .aconnect = connect_socket,
        .arecvfrom = receive,
        .asendv = send_parts,
    };
    int code;

    pthread_once(&once, init_library);
    *channel = (ga__dns_channel){.loop = loop, .timer.fire = on_timer};
    ga__list_init(&channel->sockets);
    if (!options->servers && !has_descriptor())
        return ARES_EFILE;
    code = ares_init_options(&channel->ares, &settings,
                             ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                                 ARES_OPT_SOCK_STATE_CB);
    if (code == ARES_SUCCESS)
        ares_set_socket_functions(channel->ares, &calls, channel);
    if (code == ARES_SUCCESS && options->servers)
        code = ares_set_servers_ports_csv(channel->ares, options->servers);
    if (code != ARES_SUCCESS)
        ga__dns_channel_close(channel);
    return code;
}

void ga__dns_channel_close(ga__dns_channel *channel)
{
    ares_channel ares = channel->ares;

    if (!ares)
        return;
    ga__timer_disarm(&channel->timer);
    channel->ares = NULL;
    ares_destroy(ares);
}

void ga__dns_channel_ask(ga__dns_channel *channel, const char *name, int family,
                         ares_addrinfo_callback answer, void *arg)
{
    /* As the server ordered them: it may spread its load so. */
    const struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT, .ai_family = family};

    channel->asked++;
    ares_getaddrinfo(channel->ares, name, NULL, &hints, answer, arg);
    set_timer(channel);
}
