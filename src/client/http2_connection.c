/* SPDX-License-Identifier: MIT */
/*
 * The driving of an HTTP/2 connection. No task belongs to it: the poller's event reads what is there, into
 * the loop's buffer, and wakes the tasks whose streams have changed; a flush at the end of the turn sends all
 * frames that have gathered in as few writes as they fit into. Called by the pool and by
 * client/http2_exchange.c.
 *
 * Invariant: while something can be sent and was not, a flush is deferred, or the system said that it takes
 * no more and an event will come. A connection that is lost has told all its streams.
 */
#include "client/http2_connection.h"

#include "client/pool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much is read before other connections have their turn, in loop's buffers. */
enum { MOST_READS = 8 };

/* How long the server may take to answer a PING. */
static const double PATIENCE = 15;
static const uint64_t SECOND = 1000000000;

static ga__stream *stream_of(const ga__http2_connection *self)
{
    return &self->connection->stream;
}

/* --- the end -------------------------------------------------------------------------------------- */

/* Gives the connection up: nothing can be sent or received on it any more. */
static void lose(ga__http2_connection *self, int code, const char *problem)
{
    if (self->lost)
        return;
    self->lost = code;
    uint32_t error = ga__http2_goaway_error(self->http2);

    if (error)
        snprintf(self->problem, sizeof self->problem, "%s; it said before: %s", problem,
                 ga__http2_error_name(error));
    else
        snprintf(self->problem, sizeof self->problem, "%s", problem);
    ga__timer_disarm(&self->ping);
    ga__unlink(&self->flush.link);
    ga__buffer_free(&self->unsent);
    ga__stream_abort(stream_of(self));
    ga__http2_lose(self->http2);
}

/* The stream has recorded why. */
static void lose_as_recorded(ga__http2_connection *self, int code)
{
    self->os_error = ga_error()->os_error;
    lose(self, code, ga_error_message());
}

/* The end that the server made. Where it had broken the rules before, that is the reason: it is found when
 * the answer to it is made. */
static void lose_at_end(ga__http2_connection *self, char *lent)
{
    const char *broken;
    char problem[160];

    ga__http2_produce(self->http2, lent, GA__LENT_SIZE);
    int code = ga__http2_failed(self->http2, &broken);

    snprintf(problem, sizeof problem, "the server (%s) closed the connection%s", stream_of(self)->peer,
             stream_of(self)->bytes_received == 0 ? "; does it speak HTTP/2?" : "");
    lose(self, code < 0 ? code : GA_EDISCONNECTED, code < 0 ? broken : problem);
}

/* --- sending -------------------------------------------------------------------------------------- */

/* Sends what the system takes. @return 0, GA_EAGAIN, or a failure, recorded */
static int send_some(ga__http2_connection *self, const char *bytes, size_t size, size_t *sent)
{
    ssize_t count = ga__stream_send_now(stream_of(self), bytes, size);

    *sent = count > 0 ? (size_t)count : 0;
    if (count < 0)
        return (int)count;
    return *sent < size ? GA_EAGAIN : 0;
}

static int send_unsent(ga__http2_connection *self)
{
    size_t sent;
    int code = send_some(self, self->unsent.data, self->unsent.size, &sent);

    ga__buffer_consume(&self->unsent, sent);
    if (self->unsent.size == 0)
        ga__buffer_free(&self->unsent);
    return code;
}

/* Makes frames and sends them, until there are none, or the system takes no more. @return as send_some */
static int send_frames(ga__http2_connection *self)
{
    char *lent = ga__loop_lend();
    int code = self->unsent.size > 0 ? send_unsent(self) : 0;

    if (!lent)
        return ga__fail(GA_ENOMEM, "no memory to send");
    while (code == 0) {
        size_t sent, size = ga__http2_produce(self->http2, lent, GA__LENT_SIZE);

        if (size == 0)
            return 0;
        code = send_some(self, lent, size, &sent);
        if (code == GA_EAGAIN)
            ga__buffer_append(&self->unsent, lent + sent, size - sent);
        if (self->unsent.failed)
            return ga__fail(GA_ENOMEM, "no memory to send");
    }
    return code;
}

void ga__http2_connection_send(ga__http2_connection *self)
{
    if (!self->lost && ga__http2_wants_to_send(self->http2))
        ga__loop_defer(&self->flush);
}

/* --- receiving ------------------------------------------------------------------------------------ */

static void heard(ga__http2_connection *self)
{
    uint64_t now = ga__now();

    self->heard_at = now;
    self->asked_at = 0;
    if (now - self->second < SECOND)
        return;
    self->second = now;
    ga__http2_calm(self->http2);
}

static void receive(ga__http2_connection *self)
{
    for (int i = 0; i < MOST_READS && !self->lost; i++) {
        char *lent = ga__loop_lend();
        ssize_t count = lent ? ga__stream_recv_now(stream_of(self), lent, GA__LENT_SIZE)
                             : ga__fail(GA_ENOMEM, "no memory to receive");

        if (count == GA_EAGAIN)
            return;
        if (count == 0) {
            lose_at_end(self, lent);
        } else if (count < 0) {
            lose_as_recorded(self, (int)count);
        } else {
            heard(self);
            if (ga__http2_receive(self->http2, lent, (size_t)count) < 0)
                return; /* what is still to be said about it goes out first */
        }
    }
    if (!self->lost)
        ga__loop_defer(&self->flush); /* there may be more */
}

/* --- events --------------------------------------------------------------------------------------- */

/* Wakes the tasks of streams that changed, and tells the pool what the connection can now carry; it may be
 * gone afterwards. */
static void tell(ga__http2_connection *self)
{
    for (ga__http2_stream *stream; (stream = ga__http2_next_changed(self->http2));)
        ga__wake_all(&GA__OF(stream, ga__http2_exchange, stream)->waiting, 0);
    ga__pool_shared_changed(self->connection);
}

static void flush(ga__http2_connection *self)
{
    const char *problem;
    int code = send_frames(self);

    if (code < 0 && code != GA_EAGAIN) {
        receive(self); /* it may have said why */
        if (!self->lost)
            lose_as_recorded(self, code);
    }
    code = ga__http2_failed(self->http2, &problem);
    if (code < 0)
        lose(self, code, problem);
}

static void on_flush(ga__deferred *deferred)
{
    ga__http2_connection *self = GA__OF(deferred, ga__http2_connection, flush);
    ga__stream *stream = stream_of(self);

    if (stream->fd.ready & GA__READABLE)
        receive(self);
    if (!self->lost)
        flush(self);
    tell(self);
}

static void on_event(ga__fd *fd, unsigned events)
{
    ga__http2_connection *self = GA__OF(fd, ga__connection, stream.fd)->http2;

    (void)events;
    receive(self);
    if (!self->lost && (self->unsent.size > 0 || ga__http2_wants_to_send(self->http2)))
        ga__loop_defer(&self->flush);
    const char *problem;

    if (!self->lost && ga__http2_failed(self->http2, &problem))
        ga__loop_defer(&self->flush);
    tell(self);
}

static void on_ping(ga_timer_ *timer)
{
    ga__http2_connection *self = GA__OF(timer, ga__http2_connection, ping);
    uint64_t now = ga__now(), due = ga__deadline(self->heard_at, self->ping_every);
    char problem[128];

    if (self->connection->lent == 0)
        return;
    uint64_t end = ga__deadline(self->asked_at, PATIENCE);

    if (self->asked_at && now > end + SECOND / 10)
        self->asked_at = now; /* the loop was held, or the process stopped: the answer may lie there unread */
    else if (self->asked_at && now >= end) {
        snprintf(problem, sizeof problem, "the server (%s) did not answer a PING within %g s",
                 stream_of(self)->peer, PATIENCE);
        lose(self, GA_EDISCONNECTED, problem);
        tell(self);
        return;
    }
    if (!self->asked_at && now >= due) {
        ga__http2_ping(self->http2);
        ga__http2_connection_send(self);
        self->asked_at = now;
    }
    ga__timer_arm(timer, self->asked_at ? ga__deadline(self->asked_at, PATIENCE) : due);
}

/* --- the pool's and the exchanges' ---------------------------------------------------------------- */

int ga__http2_connection_start(ga__connection *connection, const ga_session *session)
{
    ga__http2_limits limits = {
        .max_head = session->limits.head.max_size,
        .max_field = session->limits.head.max_line,
        .max_fields = session->limits.head.max_fields,
        .max_interim = session->limits.max_interim,
        .window = session->http2_window,
    };
    ga__http2_connection *self = calloc(1, sizeof *self);

    if (self)
        self->http2 = ga__http2_new(&limits);
    if (!self || !self->http2) {
        free(self);
        return ga__fail(GA_ENOMEM, "no memory for an HTTP/2 connection");
    }
    self->connection = connection;
    self->flush.run = on_flush;
    self->ping.fire = on_ping;
    self->ping_every = session->http2_ping;
    self->heard_at = self->second = ga__now();
    connection->http2 = self;
    connection->stream.fd.on_event = on_event;
    connection->stream.fd.ready |= GA__READABLE; /* the server may have spoken first */
    ga__loop_defer(&self->flush);
    return 0;
}

/* Whoever lets the connection go may have an error to tell: that the server is gone, too, is none. */
static void say_goodbye(ga__http2_connection *self)
{
    ga__error_aside error = ga__error_set_aside();

    ga__http2_say_goodbye(self->http2);
    send_frames(self);
    ga__error_restore(error);
}

void ga__http2_connection_free(ga__http2_connection *self)
{
    if (!self->lost)
        say_goodbye(self);
    ga__timer_disarm(&self->ping);
    ga__unlink(&self->flush.link);
    ga__buffer_free(&self->unsent);
    ga__http2_free(self->http2);
    free(self);
}

size_t ga__http2_connection_room(const ga__http2_connection *self)
{
    return !self->lost && ga__http2_accepts(self->http2) ? ga__http2_most_streams(self->http2) : 0;
}

void ga__http2_connection_look(ga__http2_connection *self)
{
    stream_of(self)->fd.ready |= GA__READABLE;
    receive(self);
    ga__http2_connection_send(self);
}
