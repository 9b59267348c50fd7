/* SPDX-License-Identifier: MIT */
/*
 * Connecting. Addresses are tried in turn on the caller's own stream; only when one has not answered for
 * 250 ms does a race begin (Happy Eyeballs, RFC 8305), in which several sockets are pending beside each other
 * and one task waits for all: their events wake it through on_event. So one address that answers, the case
 * that counts, costs a connect and one wait.
 *
 * Whatever happens, every socket but the winner's is closed when ga__connect returns.
 */
#include "io/connect.h"

#include "base/buffer.h"
#include "io/descriptors.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

enum { MOST_ADDRESSES = 64, LANES = 8 };

static const uint64_t HEAD_START =
    250000000; /* ns before the next address is tried beside the pending ones */
static const uint64_t UNIX_PATIENCE =
    10000000; /* ns until a unix socket whose line was full is tried again */

typedef struct race race;

/* Kinds of failure; where addresses fail differently the later one here is told. */
typedef enum kind { UNREACHABLE, REFUSED, OTHER, NO_DESCRIPTORS } kind;

/* A socket that is pending in a race. */
typedef struct lane {
    ga__stream stream;
    race *race;
    const ga__address *address;
    size_t attempt; /* its place in the report */
    bool pending;
} lane;

/* One call of ga__connect. */
struct race {
    ga__stream *stream;
    const ga__connect_options *options;
    int interface; /* its index; 0: any */
    const ga__address *order[MOST_ADDRESSES];
    size_t count, next; /* addresses, and those that were started */
    uint64_t deadline;
    uint64_t began;
    ga__connect_report report;
    kind worst;       /* the failure that the caller is told, */
    int os_error;     /* ... and its errno */
    ga__list waiting; /* the task, while it waits for any lane */
    const ga__address *winner;
};

static ga__poller *poller(void)
{
    return ga__loop_here->poller;
}

/* --- the order of addresses ----------------------------------------------------------------------- */

static bool is_wanted(const race *self, const ga__address *address)
{
    return !self->options->local || ga__address_family(self->options->local) == ga__address_family(address);
}

/* The next address, from *at on, that is (or is not) of the first one's family. */
static const ga__address *next_of(const race *self, const ga__address *all, size_t count, size_t *at,
                                  bool first)
{
    while (*at < count) {
        const ga__address *address = &all[(*at)++];

        if (is_wanted(self, address) && (ga__address_family(address) == ga__address_family(&all[0])) == first)
            return address;
    }
    return NULL;
}

/* Families take turns (RFC 8305, 4); within one the caller's order stays. */
static void interleave(race *self, const ga__address *all, size_t count)
{
    size_t at[2] = {0, 0};

    for (;;) {
        const ga__address *first = next_of(self, all, count, &at[0], true);
        const ga__address *second = next_of(self, all, count, &at[1], false);

        if (!first && !second)
            return;
        if (first && self->count < MOST_ADDRESSES)
            self->order[self->count++] = first;
        if (second && self->count < MOST_ADDRESSES)
            self->order[self->count++] = second;
    }
}

/* --- the report ----------------------------------------------------------------------------------- */

static uint32_t ms_since(const race *self, uint32_t earlier)
{
    return (uint32_t)((ga__now_exact() - self->began) / 1000000) - earlier;
}

static size_t report_start(race *self, const ga__address *address)
{
    size_t place = self->report.count++;

    if (place < GA__CONNECT_REPORT)
        self->report.attempts[place] = (ga__connect_attempt){
            .address = address, .os_error = EINPROGRESS, .started_ms = ms_since(self, 0)};
    return place;
}

static void report_end(race *self, size_t place, int error)
{
    if (place >= GA__CONNECT_REPORT)
        return;
    ga__connect_attempt *attempt = &self->report.attempts[place];

    attempt->os_error = error;
    attempt->took_ms = ms_since(self, attempt->started_ms);
}

static kind kind_of(const ga__address *address, int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
        return NO_DESCRIPTORS;
    case ECONNREFUSED:
        return REFUSED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case ETIMEDOUT:
    case EAFNOSUPPORT:
        return UNREACHABLE;
    case EADDRNOTAVAIL: /* under IPv4 no local port is free; under IPv6 this machine has no such address */
        return ga__address_family(address) == AF_INET6 ? UNREACHABLE : OTHER;
    default:
        return OTHER;
    }
}

static void note_failure(race *self, const ga__address *address, size_t place, int error)
{
    kind seen = kind_of(address, error);

    report_end(self, place, error);
    if (seen >= self->worst) {
        self->worst = seen;
        self->os_error = error;
    }
}

static void connected(race *self, const ga__address *address, size_t place)
{
    report_end(self, place, 0);
    self->winner = address;
}

/* --- failing -------------------------------------------------------------------------------------- */

static const char *hint_for(const race *self, int error)
{
    switch (error) {
    case EPERM:
        return self->interface ? " (to choose an interface may need CAP_NET_RAW)" : "";
    case EADDRNOTAVAIL:
        return " (no free local port, or the local address is not this machine's)";
    case EMFILE:
    case ENFILE:
        return " (raise the limit of descriptors: ulimit -n)";
    case EINPROGRESS:
        return "no answer";
    default:
        return "";
    }
}

static void add_attempt(const race *self, ga__buffer *text, size_t place)
{
    const ga__connect_attempt *attempt = &self->report.attempts[place];
    char address[sizeof(struct sockaddr_un)];

    ga__buffer_printf(text, "%s%s: %s%s", place ? "; " : "",
                      ga__address_text(attempt->address, address, sizeof address),
                      attempt->os_error == EINPROGRESS ? "" : strerror(attempt->os_error),
                      hint_for(self, attempt->os_error));
}

/* Records the failure with all that was tried: "cannot connect: 127.0.0.1:1: Connection refused; [::1]:1: no
 * answer" */
static int fail(const race *self, int code, const char *what)
{
    ga__buffer text = GA__BUFFER_INIT;
    size_t listed = self->report.count < GA__CONNECT_REPORT ? self->report.count : GA__CONNECT_REPORT;

    ga__buffer_add(&text, what);
    for (size_t i = 0; i < listed; i++) {
        ga__buffer_add(&text, i ? "" : ": ");
        add_attempt(self, &text, i);
    }
    if (listed < self->report.count)
        ga__buffer_printf(&text, "; and %zu more", self->report.count - listed);
    ga__fail(code, "%s", text.failed ? what : text.data);
    ga__error_edit()->os_error = self->os_error;
    ga__buffer_free(&text);
    return code;
}

static int all_failed(const race *self)
{
    static const int codes[] = {[UNREACHABLE] = GA_EUNREACHABLE,
                                [REFUSED] = GA_EREFUSED,
                                [OTHER] = GA_ECONNECT,
                                [NO_DESCRIPTORS] = GA_EFDS};

    char what[32 + IF_NAMESIZE] = "cannot connect";

    if (self->interface)
        snprintf(what, sizeof what, "cannot connect through interface %s", self->options->interface);
    return fail(self, codes[self->worst], what);
}

/* What ended a wait, GA_ETIMEDOUT or GA_ECANCELED. */
static int given_up(const race *self, int code)
{
    return fail(self, code, code == GA_ETIMEDOUT ? "connecting took too long" : "cancelled while connecting");
}

/* --- one attempt ---------------------------------------------------------------------------------- */

static void keep_alive(ga__stream *stream, int seconds)
{
    poller()->ops->set_option(poller(), &stream->fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    poller()->ops->set_option(poller(), &stream->fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
    poller()->ops->set_option(poller(), &stream->fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds);
}

static int prepare(const race *self, ga__stream *stream, const ga__address *address)
{
    const ga__connect_options *options = self->options;
    int code = ga__stream_open(stream, ga__address_family(address));

    if (code < 0)
        return code;
    if (ga__address_family(address) != AF_UNIX && !options->nagle)
        poller()->ops->set_option(poller(), &stream->fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (ga__address_family(address) != AF_UNIX && options->keepalive > 0)
        keep_alive(stream, options->keepalive);
    if (ga__address_family(address) != AF_UNIX && self->interface)
        code =
            poller()->ops->set_option(poller(), &stream->fd, SOL_SOCKET, SO_BINDTOIFINDEX, self->interface);
    if (code == 0 && options->local)
        code = poller()->ops->bind(poller(), &stream->fd, &options->local->as.any, options->local->size);
    return code;
}

/* Begins to connect. @return 0, -EINPROGRESS, or why it failed; the stream is closed then */
static int start(const race *self, ga__stream *stream, const ga__address *address)
{
    int code = prepare(self, stream, address);

    if (code == 0)
        code = poller()->ops->connect(poller(), &stream->fd, &address->as.any, address->size);
    if (code == 0)
        stream->fd.ready |= GA__WRITABLE;
    else if (code != -EINPROGRESS)
        ga__stream_abort(stream);
    return code;
}

/* How a pending attempt ended, once its descriptor is writable. @return 0, or why; the stream is closed then
 */
static int finish(ga__stream *stream)
{
    int code = poller()->ops->connect_result(poller(), &stream->fd);

    if (code < 0)
        ga__stream_abort(stream);
    return code;
}

/* --- the race ------------------------------------------------------------------------------------- */

static void lane_event(ga__fd *fd, unsigned events)
{
    lane *self = GA__OF(fd, lane, stream.fd);

    (void)events;
    ga__wake_first(&self->race->waiting, 0);
}

static lane *free_lane(lane *lanes)
{
    for (size_t i = 0; i < LANES; i++)
        if (!lanes[i].pending)
            return &lanes[i];
    return NULL;
}

static bool any_pending(const lane *lanes)
{
    for (size_t i = 0; i < LANES; i++)
        if (lanes[i].pending)
            return true;
    return false;
}

/* Starts the next address in a lane. @return 0: it is connected; -EINPROGRESS; or why it failed */
static int start_lane(race *self, lane *to)
{
    to->address = self->order[self->next++];
    to->attempt = report_start(self, to->address);
    int code = start(self, &to->stream, to->address);

    to->pending = code == 0 || code == -EINPROGRESS;
    if (!to->pending)
        note_failure(self, to->address, to->attempt, -code);
    return code;
}

/* The lane that has connected, the earliest where there are several; those that failed are closed. */
static lane *settle(race *self, lane *lanes, bool *failed)
{
    lane *winner = NULL;

    *failed = false;
    for (size_t i = 0; i < LANES; i++) {
        lane *each = &lanes[i];

        if (!each->pending || !(each->stream.fd.ready & GA__WRITABLE))
            continue;
        int code = finish(&each->stream);

        if (code < 0) {
            each->pending = false;
            *failed = true;
            note_failure(self, each->address, each->attempt, -code);
        } else if (!winner || each->attempt < winner->attempt) {
            winner = each;
        }
    }
    return winner;
}

/* Starts what is due, and waits for what is pending. @return 0: *winner has connected; or why none will */
static int run_race(race *self, lane *lanes, lane **winner)
{
    uint64_t next_start = ga__now_exact();

    for (;;) {
        bool failed;

        *winner = settle(self, lanes, &failed);
        if (*winner)
            return 0;
        lane *idle = self->next < self->count ? free_lane(lanes) : NULL;
        uint64_t now = ga__now_exact();

        if (idle && (failed || now >= next_start || !any_pending(lanes))) {
            int code = start_lane(self, idle);

            next_start = code == -EINPROGRESS ? now + HEAD_START : now;
            continue;
        }
        if (!any_pending(lanes))
            return all_failed(self);
        bool until_start = idle && next_start < self->deadline;
        int code = ga__park(&self->waiting, until_start ? next_start : self->deadline, GA__EXTERNAL,
                            "the first of several connections");

        if (code && !(code == GA_ETIMEDOUT && until_start))
            return given_up(self, code);
    }
}

/* Moves a lane's socket from one stream to another. @return 0, or GA_ECONNECT */
static int adopt(race *self, const lane *of, ga__stream *from, ga__stream *to)
{
    int code = ga__stream_move(from, to);

    if (code == 0)
        return 0;
    note_failure(self, of->address, of->attempt, -code);
    return all_failed(self);
}

/* Goes on with the attempt that is pending on the caller's stream, and others beside it. Only here are there
 * lanes: they would weigh on each connection's stack otherwise. */
static GA_NOINLINE int race_on(race *self, const ga__address *address, size_t attempt)
{
    lane lanes[LANES];
    lane *winner = NULL;

    for (size_t i = 0; i < LANES; i++) {
        ga__stream_init(&lanes[i].stream);
        lanes[i].stream.fd.on_event = lane_event;
        lanes[i].race = self;
        lanes[i].pending = false;
    }
    lanes[0].address = address;
    lanes[0].attempt = attempt;
    lanes[0].pending = true;
    int code = adopt(self, &lanes[0], self->stream, &lanes[0].stream);

    if (!code)
        code = run_race(self, lanes, &winner);
    if (!code)
        code = adopt(self, winner, &winner->stream, self->stream);
    if (!code)
        connected(self, winner->address, winner->attempt);
    for (size_t i = 0; i < LANES; i++)
        ga__stream_abort(&lanes[i].stream);
    return code;
}

/* --- in turn -------------------------------------------------------------------------------------- */

/* Begins to connect on the caller's stream; where a unix socket's line is full, again and again, since no
 * event tells when it is not.
 * @param error as start() returns, without the sign
 * @return 0, GA_ETIMEDOUT, GA_ECANCELED */
static int start_patiently(const race *self, const ga__address *address, int *error)
{
    for (;;) {
        *error = -start(self, self->stream, address);
        if (*error != EAGAIN || ga__address_family(address) != AF_UNIX)
            return 0;
        uint64_t again = ga__now_exact() + UNIX_PATIENCE;
        int code = ga__park(NULL, again < self->deadline ? again : self->deadline, GA__EXTERNAL,
                            "room in a unix socket's line");

        if (code != GA_ETIMEDOUT || again >= self->deadline)
            return code;
    }
}

/* Waits for the attempt on the caller's stream: to its end where no other address is left, else for its head
 * start.
 * @return 0: it ended; GA_ETIMEDOUT, GA_ECANCELED; GA_EAGAIN: it is pending still, and others are due */
static int wait_for_stream(const race *self)
{
    uint64_t until = self->deadline;

    if (self->next < self->count && ga__now() + HEAD_START < until)
        until = ga__now() + HEAD_START;
    int code = ga__fd_wait(&self->stream->fd, GA__WRITABLE, until, "a connection to be made");

    return code == GA_ETIMEDOUT && until < self->deadline ? GA_EAGAIN : code;
}

static int connect_in_turn(race *self)
{
    while (self->next < self->count) {
        const ga__address *address = self->order[self->next++];
        size_t attempt = report_start(self, address);
        int error;
        int code = start_patiently(self, address, &error);

        if (code == 0 && error == EINPROGRESS) {
            code = wait_for_stream(self);
            if (code == GA_EAGAIN)
                return race_on(self, address, attempt);
            if (code == 0)
                error = -finish(self->stream);
        }
        if (code)
            return given_up(self, code);
        if (error == 0) {
            connected(self, address, attempt);
            return 0;
        }
        note_failure(self, address, attempt, error);
    }
    return all_failed(self);
}

/* Looks for the interface of the options anew for each connection: its index is another one once it was taken
 * away and came back. @return 0, GA_ECONNECT, GA_EFDS */
static GA_NOINLINE int find_interface(race *self)
{
    const char *name = self->options->interface;

    self->interface = (int)if_nametoindex(name);
    if (self->interface > 0)
        return 0;
    int error = errno;
    bool no_descriptor = error == EMFILE || error == ENFILE; /* it asks by a socket */

    ga__fail(no_descriptor ? GA_EFDS : GA_ECONNECT, "cannot connect through interface %s: %s%s", name,
             strerror(error), hint_for(self, error));
    ga__error_edit()->os_error = error;
    return no_descriptor ? GA_EFDS : GA_ECONNECT;
}

/* The race lies on the heap: a page of stack is all that a task that waits should hold. */
int ga__connect(ga__stream *stream, const ga__address *addresses, size_t count,
                const ga__connect_options *options, uint64_t deadline, ga__connect_report *report)
{
    static const ga__connect_options none = {0};
    int code = ga__checkpoint();

    if (code)
        return code;
    race *self = calloc(1, sizeof *self);

    if (!self)
        return ga__fail(GA_ENOMEM, "no memory to connect");
    self->stream = stream;
    self->options = options ? options : &none;
    self->deadline = deadline;
    ga__list_init(&self->waiting);
    self->began = ga__now_exact();
    interleave(self, addresses, count);
    if (GA_UNLIKELY(self->options->interface))
        code = find_interface(self);
    if (code == 0)
        code = self->count ? connect_in_turn(self) : ga__fail(GA_EUSAGE, "no address to connect to");
    if (code)
        ga__stream_abort(stream);
    else
        ga__address_text(self->winner, stream->peer, sizeof stream->peer);
    if (report)
        *report = self->report;
    free(self);
    return code;
}
