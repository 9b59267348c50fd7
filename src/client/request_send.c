/* SPDX-License-Identifier: MIT */
/*
 * Sending a request over HTTP/1.1. One whose body is in memory and small costs one send. A body that has a
 * source (client/body.h) is taken and sent piece by piece, in chunks where its size is not known; whatever
 * its size, it needs one buffer. Called by client/exchange.c.
 *
 * What does not fit into what the system buffers takes time, and the server may answer before it has read all
 * of it: while such a request is being sent, a second task watches for the answer, and ends the sending when
 * it has come.
 */
#include "client/call.h"

#include <stdio.h>
#include <stdlib.h>

/* What is sent without looking for an answer meanwhile; and a piece of a body that has a source. */
enum { SMALL_REQUEST = 16 << 10, PIECE = 64 << 10 };

static ga__stream *stream_of(const ga__call *call)
{
    return &call->connection->stream;
}

/* What a failed step failed by. */
typedef struct culprit {
    ga__timeout timeout; /* where it is GA_ETIMEDOUT */
    bool source;         /* the body's source, not the connection */
} culprit;

/* Sends the parts. @return 0 or a failure, recorded */
static int send_parts(ga__call *call, const struct iovec *parts, int count, culprit *by)
{
    if (GA_UNLIKELY(!call->connection)) /* the answer has it, and a callback went on in spite of that */
        return ga__fail(GA_ECANCELED, "the answer came before the body was sent");
    ga__stream *stream = stream_of(call);
    uint64_t idle = ga__deadline(0, call->timeouts.seconds[GA__TIMEOUT_WRITE]), before = stream->bytes_sent;
    int code = ga__stream_send(stream, parts, count, call->timeouts.end.at, idle);

    call->progress.bytes_sent += stream->bytes_sent - before;
    if (call->progress.bytes_sent > 0)
        ga__progress_note_sent(&call->progress);
    if (GA_UNLIKELY(code < 0)) {
        by->timeout = code == GA_ETIMEDOUT && ga_error()->timeout ? GA__TIMEOUT_WRITE : call->timeouts.end.by;
        by->source = false;
    }
    return code;
}

/* Head and body where both are in memory. `with_head`: it was not sent yet. */
static int send_memory(ga__call *call, bool with_head, culprit *by)
{
    struct iovec parts[2];
    int count = 0;

    if (with_head)
        parts[count++] = (struct iovec){call->head.data, call->head.size};
    if (call->body_size > 0)
        parts[count++] = (struct iovec){(void *)(uintptr_t)call->body, (size_t)call->body_size};
    return send_parts(call, parts, count, by);
}

/* --- bodies with a source ------------------------------------------------------------------------- */

static int send_piece(ga__call *call, const struct iovec *head, const char *piece, size_t size, culprit *by)
{
    bool chunked = call->source->size < 0;
    char line[sizeof "ffffffffffffffff\r\n"];
    struct iovec parts[4];
    int count = 0;

    if (head->iov_len > 0)
        parts[count++] = *head;
    if (chunked)
        parts[count++] = (struct iovec){line, (size_t)snprintf(line, sizeof line, "%zx\r\n", size)};
    if (size > 0)
        parts[count++] = (struct iovec){(void *)(uintptr_t)piece, size};
    if (chunked)
        parts[count++] = (struct iovec){(void *)(uintptr_t) "\r\n", 2};
    return send_parts(call, parts, count, by);
}

/* Takes pieces and sends them. The head goes with the first, unless a callback may be long in giving it. */
static int send_pieces(ga__call *call, char *piece, bool with_head, culprit *by)
{
    struct iovec head = {call->head.data, with_head ? call->head.size : 0};
    ssize_t size;
    int code = 0;

    if (with_head && call->source->calls) {
        code = send_parts(call, &head, 1, by);
        head.iov_len = 0;
    }
    do {
        if (code < 0)
            return code;
        size = ga__body_source_read(call->source, piece, PIECE);
        if (size < 0) {
            by->source = true;
            return (int)size;
        }
        code = size > 0 || call->source->size < 0 || head.iov_len > 0
                   ? send_piece(call, &head, piece, (size_t)size, by)
                   : 0;
        head.iov_len = 0;
    } while (size > 0);
    return code;
}

static int send_source(ga__call *call, bool with_head, culprit *by)
{
    char *piece = malloc(PIECE);

    if (!piece)
        return ga__fail(GA_ENOMEM, "no memory to send the body");
    int code = send_pieces(call, piece, with_head, by);

    free(piece);
    return code;
}

static int send_all(ga__call *call, bool with_head, culprit *by)
{
    return call->source ? send_source(call, with_head, by) : send_memory(call, with_head, by);
}

/* --- watching for an answer meanwhile ------------------------------------------------------------- */

static int send_failed(const ga__call *call, int code, const culprit *by)
{
    if (!by->source && (code == GA_ETIMEDOUT || code == GA_ECANCELED))
        return ga__progress_wait_failed(&call->progress, code, by->timeout,
                                        call->timeouts.seconds[by->timeout]);
    return ga__progress_failed(&call->progress, code);
}

/* What the watching task and the sending one share. */
typedef struct watch {
    ga__call *call;
    ga_scope *sending;
    int code; /* of ga__call_receive_now, once it is not 0 */
} watch;

/* Receives the answer's head, if it comes while the body is being sent; then the sending ends. */
static int watch_for_answer(void *arg)
{
    watch *self = arg;
    ga__call *call = self->call;

    while (self->code == 0 && ga__stream_wait_readable(stream_of(call), GA__NEVER) == 0)
        self->code = ga__call_receive_now(call);
    if (self->code == 0)
        return 0; /* the body is sent */
    ga_scope_cancel(self->sending);
    return self->code < 0 ? self->code : 0;
}

/* Seconds until the end of the total or the attempt, which bound callbacks too. */
static double seconds_left(const ga__call *call)
{
    if (!call->source || !call->source->calls)
        return GA_FOREVER;
    return ga__seconds_until(call->timeouts.end.at);
}

/* Sends while another task watches. @return as ga__call_send */
static GA_NOINLINE int send_watched(ga__call *call, bool with_head, culprit *by)
{
    ga_group group;
    ga_scope sending;
    watch self = {.call = call, .sending = &sending};

    ga_group_open(&group, GA_COLLECT);
    ga_scope_open(&sending, seconds_left(call));
    ga_task *watcher = ga_spawn(&group, watch_for_answer, &self);
    int code = watcher ? send_all(call, with_head, by) : GA_ENOMEM;
    int closed = ga_scope_close(&sending);

    ga_group_cancel(&group);
    ga_gather(&group); /* what the watcher has received by now counts */
    if (self.code < 0)
        ga__error_copy(ga__current(), watcher);
    if (watcher)
        ga_task_error(watcher); /* it is read now */
    ga_group_close(&group);
    if (self.code != 0)
        return self.code;
    if (code < 0 && closed < 0) { /* whatever a callback made of it */
        by->source = false;
        code = closed;
    }
    return code < 0 ? send_failed(call, code, by) : 0;
}

/* --- waiting to be wanted ------------------------------------------------------------------------- */

/* Waits, a while, for 100 (Continue). @return 0 when the body is to be sent, 1 when the answer came before;
 * a failure, recorded */
static int await_continue(ga__call *call)
{
    uint64_t end = ga__deadline(ga__now_exact(), GA__EXPECT_PATIENCE);
    ga__wait last = call->timeouts.end;
    bool bounded = last.at < end;
    int code = 0;

    if (bounded)
        end = last.at;
    while (code == 0) {
        int received = ga__call_receive_now(call);

        if (received != 0 || call->wanted)
            return received;
        code = ga__fd_wait(&stream_of(call)->fd, GA__READABLE, end, "100 (Continue)");
    }
    if (code == GA_ETIMEDOUT && !bounded)
        return 0;
    return ga__progress_wait_failed(&call->progress, code, last.by, call->timeouts.seconds[last.by]);
}

/* Sends the head, and has the body wait. @return as await_continue */
static GA_NOINLINE int send_expectation(ga__call *call, culprit *by)
{
    struct iovec head = {call->head.data, call->head.size};
    int code = send_parts(call, &head, 1, by);

    return code < 0 ? send_failed(call, code, by) : await_continue(call);
}

/* --- the request ---------------------------------------------------------------------------------- */

/* The server closed the connection while the request was being sent: maybe it said why before.
 * @return 1 when it did; else `code`, with its error as it is */
static int last_words(ga__call *call, int code)
{
    int received = call->progress.bytes_sent > 0 ? ga__call_receive_now(call) : 0;

    return received == 0 ? code : received;
}

/* Whether it is sent at once, as far as this side goes. */
static bool is_small(const ga__call *call)
{
    return call->body_size <= SMALL_REQUEST && call->head.size + call->body_size <= SMALL_REQUEST &&
           (!call->source || (call->source->size >= 0 && !call->source->calls));
}

int ga__call_send(ga__call *call)
{
    bool with_head = !call->expect;
    culprit by = {.timeout = call->timeouts.end.by};
    int code = 0;

    ga__progress_enter(&call->progress, GA_PHASE_WRITE);
    call->sending = true;
    if (GA_UNLIKELY(call->expect))
        code = send_expectation(call, &by);
    if (code == 0 && is_small(call)) {
        code = send_all(call, with_head, &by);
        if (GA_UNLIKELY(code < 0))
            send_failed(call, code, &by);
    } else if (code == 0) {
        code = send_watched(call, with_head, &by);
    }
    if (!by.source && (code == GA_ERESET || code == GA_ETLS))
        code = last_words(call, code);
    call->sending = false;
    return code;
}
