/* SPDX-License-Identifier: MIT */
/*
 * Sending a body over HTTP/2 that has a source, or waits until it is wanted. Of a source a piece is taken as
 * soon as the one before went out, so the server's windows hold up the source, and one piece is all that is
 * kept. Where the server answers whole, or gives the stream up, the rest is not taken. Called by
 * client/http2_exchange.c.
 */
#include "client/http2_exchange.h"

#include <stdlib.h>

enum { PIECE = 64 << 10 };

/* What the task that sends and the one that watches share. */
typedef struct upload {
    ga__call *call;
    ga__http2_exchange *exchange;
    ga_scope *sending;
    bool by_source; /* the failure is the body's source's */
} upload;

/* Whether more of the request would serve nobody: an answer that fills its window is read before the server
 * can go on. */
static bool is_over(const ga__http2_stream *stream)
{
    return stream->closed || stream->failed || (stream->head_done && stream->ended) ||
           ga__http2_is_full(stream);
}

/* Waits until the piece before went out. @return 0 or a failure, recorded */
static int await_room(const upload *self)
{
    const ga__http2_stream *stream = &self->exchange->stream;
    ga__wait wait = ga__timeouts_wait(&self->call->timeouts, GA__TIMEOUT_WRITE);
    uint64_t moved = stream->bytes_sent;
    int code = 0;

    while (code == 0 && stream->out_size > 0 && !is_over(stream)) {
        if (moved != stream->bytes_sent)
            wait = ga__timeouts_wait(&self->call->timeouts, GA__TIMEOUT_WRITE);
        moved = stream->bytes_sent;
        code = ga__park(&self->exchange->waiting, wait.at, GA__EXTERNAL, "the server to take data");
    }
    ga__http2_note_progress(self->call, stream);
    if (code < 0 && !is_over(stream))
        return ga__progress_wait_failed(&self->call->progress, code, wait.by,
                                        self->call->timeouts.seconds[wait.by]);
    return 0;
}

/* Takes pieces and gives them to the stream, until the last is given. @return 0 or a failure, recorded */
static int send_pieces(upload *self)
{
    ga__body_source *source = self->call->source;
    ga__http2_stream *stream = &self->exchange->stream;
    uint64_t given = 0;

    for (bool last = false; !last;) {
        int code = await_room(self);

        if (code < 0 || is_over(stream))
            return code;
        ssize_t size = ga__body_source_read(source, self->exchange->piece, PIECE);

        if (size < 0) {
            self->by_source = true;
            return (int)size;
        }
        if (is_over(stream))
            return 0;
        given += (uint64_t)size;
        last = size == 0 || (source->size >= 0 && given == (uint64_t)source->size);
        ga__http2_write(stream, self->exchange->piece, (size_t)size, last);
        ga__http2_connection_send(self->exchange->on);
    }
    return 0;
}

/* Ends the sending when the stream has come to its end: a callback may be waiting for something else. */
static int watch_stream(void *arg)
{
    upload *self = arg;

    while (!is_over(&self->exchange->stream))
        if (ga__park(&self->exchange->waiting, GA__NEVER, GA__EXTERNAL, "the answer") < 0)
            return 0;
    ga_scope_cancel(self->sending);
    return 0;
}

static int send_watched(upload *self)
{
    ga__wait end = self->call->timeouts.end;
    ga_group group;
    ga_scope sending;

    self->sending = &sending;
    ga_group_open(&group, GA_COLLECT);
    ga_scope_open(&sending, ga__seconds_until(end.at));
    int code = ga_spawn(&group, watch_stream, self) ? send_pieces(self) : GA_ENOMEM;
    int closed = ga_scope_close(&sending);

    ga_group_cancel(&group);
    ga_group_close(&group);
    ga__http2_note_progress(self->call, &self->exchange->stream);
    if (code < 0 && is_over(&self->exchange->stream))
        return 0; /* which says more */
    if (code < 0 && closed < 0) {
        self->by_source = false;
        return ga__progress_wait_failed(&self->call->progress, closed, end.by,
                                        self->call->timeouts.seconds[end.by]);
    }
    return code;
}

static int send_source(ga__call *call, ga__http2_exchange *exchange)
{
    upload self = {.call = call, .exchange = exchange};

    exchange->piece = malloc(PIECE);
    if (!exchange->piece)
        return ga__progress_fail(&call->progress, GA_ENOMEM, "no memory to send the body");
    int code = call->source->calls ? send_watched(&self) : send_pieces(&self);

    ga__http2_note_progress(call, &exchange->stream);
    if (code < 0 && self.by_source)
        ga__progress_failed(&call->progress, code);
    return code;
}

/* --- waiting to be wanted ------------------------------------------------------------------------- */

/* Waits, a while, for 100 (Continue). @return 0 when the body is to be sent, or exchange->withheld is set; a
 * failure, recorded */
static int await_continue(ga__call *call, ga__http2_exchange *exchange)
{
    const ga__http2_stream *stream = &exchange->stream;
    uint64_t end = ga__deadline(ga__now_exact(), GA__EXPECT_PATIENCE);
    ga__wait last = call->timeouts.end;
    bool bounded = last.at < end;
    int code = 0;

    if (bounded)
        end = last.at;
    while (code == 0 && !stream->wanted && !stream->head_done && !is_over(stream))
        code = ga__park(&exchange->waiting, end, GA__EXTERNAL, "100 (Continue)");
    exchange->withheld = stream->head_done || is_over(stream);
    ga__http2_note_progress(call, stream);
    if (code == 0 || exchange->withheld || (code == GA_ETIMEDOUT && !bounded))
        return 0;
    return ga__progress_wait_failed(&call->progress, code, last.by, call->timeouts.seconds[last.by]);
}

int ga__http2_send_body(ga__call *call, ga__http2_exchange *exchange)
{
    int code = 0;

    ga__progress_enter(&call->progress, GA_PHASE_WRITE);
    if (call->expect)
        code = await_continue(call, exchange);
    if (code < 0 || exchange->withheld)
        return code;
    if (call->source)
        return send_source(call, exchange);
    ga__http2_write(&exchange->stream, call->body, (size_t)call->body_size, true);
    ga__http2_connection_send(exchange->on);
    return 0;
}
