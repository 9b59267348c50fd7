/* SPDX-License-Identifier: MIT */
/*
 * One exchange: a request out, a response head in, on a connection that is open. The usual one costs one send
 * and one receive; the head is parsed where it was received, in a buffer that the loop lends. Called by
 * client/request.c.
 *
 * A body that does not fit into what the system buffers takes time, and the server may answer before it has
 * read all of it: while such a body is being sent, a second task watches for the answer, and ends the sending
 * when it has come.
 */
#include "client/call.h"
#include "client/http2_exchange.h"
#include "client/response.h"

#include <stdlib.h>
#include <string.h>

/* What is sent without looking for an answer meanwhile. */
enum { SMALL_REQUEST = 16 << 10 };

static ga__stream *stream_of(const ga__call *call)
{
    return &call->connection->stream;
}

/* --- receiving ------------------------------------------------------------------------------------ */

static int broken_head(const ga__call *call, int code)
{
    if (code == GA_ENOMEM)
        return ga__progress_fail(&call->progress, code, "no memory for the response");
    return ga__progress_fail(&call->progress, code, "the answer is not valid HTTP/1.1: %s",
                             call->http.problem ? call->http.problem : "unknown");
}

/* The connection ended before the head was whole. */
static int no_head(const ga__call *call)
{
    if (call->progress.bytes_received == 0)
        return ga__progress_fail(&call->progress, GA_EDISCONNECTED,
                                 "the server (%s) closed the connection without an answer",
                                 stream_of(call)->peer);
    return ga__progress_fail(
        &call->progress, GA_EDISCONNECTED,
        "the server (%s) closed the connection within the head of its answer, after %llu bytes",
        stream_of(call)->peer, (unsigned long long)call->progress.bytes_received);
}

/* Parses what has come of the head, interim ones included. @return 1 when it is complete, and call->response
 * made; 0 when more is to come; a failure, recorded */
static int parse(ga__call *call, char *data, size_t size)
{
    for (;;) {
        size_t consumed;
        int code = ga__http1_response_head(&call->http, &call->session->table, data, size, &consumed);

        if (code < 0)
            return broken_head(call, code);
        data += consumed;
        size -= consumed;
        if (code == GA__HTTP1_DONE) {
            call->response = ga__response_new(call, data, size);
            return call->response ? 1 : broken_head(call, GA_ENOMEM);
        }
        if (code == GA__HTTP1_MORE)
            break;
    }
    ga__buffer_clear(&call->partial);
    ga__buffer_append(&call->partial, data, size);
    return call->partial.failed ? broken_head(call, GA_ENOMEM) : 0;
}

/* Receives what is there, and parses it behind what came before. Does not suspend. @return as parse */
static int receive_now(ga__call *call)
{
    char *lent = ga__loop_lend();
    size_t before = call->partial.size;

    if (!lent)
        return broken_head(call, GA_ENOMEM);
    if (before >= GA__LENT_SIZE) { /* the limits on heads are below that */
        call->http.problem = "its head is too long";
        return broken_head(call, GA_EHEADTOOBIG);
    }
    ssize_t count = ga__stream_recv_now(stream_of(call), lent + before, GA__LENT_SIZE - before);

    if (count == GA_EAGAIN)
        return 0;
    if (count == 0)
        return no_head(call);
    if (count < 0)
        return ga__progress_failed(&call->progress, (int)count);
    call->progress.sent = GA_SENT_ANSWERED;
    call->progress.bytes_received += (uint64_t)count;
    if (before > 0)
        memcpy(lent, call->partial.data, before);
    return parse(call, lent, before + (size_t)count);
}

static int receive_head(ga__call *call)
{
    ga__wait wait = ga__timeouts_wait(&call->timeouts, GA__TIMEOUT_FIRST_BYTE);
    uint64_t received = 0;

    call->progress.phase = GA_PHASE_FIRST_BYTE;
    for (;;) {
        if (call->progress.bytes_received > received) {
            received = call->progress.bytes_received;
            wait = ga__timeouts_wait(&call->timeouts, GA__TIMEOUT_READ);
        }
        int code = ga__stream_wait_readable(stream_of(call), wait.at);

        if (code < 0)
            return ga__progress_wait_failed(&call->progress, code, wait.by, call->timeouts.seconds[wait.by]);
        code = receive_now(call);
        if (code != 0)
            return code;
    }
}

/* --- sending -------------------------------------------------------------------------------------- */

/* Sends head and body. @return 0 or a failure, which the stream recorded; *by: where it is GA_ETIMEDOUT,
 * which */
static int send_all(ga__call *call, ga__timeout *by)
{
    ga__stream *stream = stream_of(call);
    struct iovec parts[2] = {
        {call->head.data, call->head.size},
        {(void *)(uintptr_t)call->body, call->body_size},
    };
    uint64_t idle = ga__deadline(0, call->timeouts.seconds[GA__TIMEOUT_WRITE]), before = stream->bytes_sent;
    int code = ga__stream_send(stream, parts, call->body_size > 0 ? 2 : 1, call->timeouts.total_at, idle);

    call->progress.bytes_sent = stream->bytes_sent - before;
    if (call->progress.bytes_sent > 0 && call->progress.sent == GA_SENT_NO)
        call->progress.sent = GA_SENT_MAYBE;
    *by = code == GA_ETIMEDOUT && ga_error()->timeout ? GA__TIMEOUT_WRITE : GA__TIMEOUT_TOTAL;
    return code;
}

static int send_failed(const ga__call *call, int code, ga__timeout by)
{
    if (code == GA_ETIMEDOUT || code == GA_ECANCELED)
        return ga__progress_wait_failed(&call->progress, code, by, call->timeouts.seconds[by]);
    return ga__progress_failed(&call->progress, code);
}

/* What the watching task and the sending one share. */
typedef struct watch {
    ga__call *call;
    ga_scope *sending;
    int code; /* of receive_now, once it is not 0 */
} watch;

/* Receives the answer's head, if it comes while the body is being sent; then the sending ends. */
static int watch_for_answer(void *arg)
{
    watch *self = arg;
    ga__call *call = self->call;

    while (self->code == 0 && ga__stream_wait_readable(stream_of(call), GA__NEVER) == 0)
        self->code = receive_now(call);
    if (self->code == 0)
        return 0; /* the body is sent */
    ga_scope_cancel(self->sending);
    return self->code < 0 ? self->code : 0;
}

/* Sends while another task watches. @return 0 when all is sent; 1 when the answer came before; a failure,
 * recorded */
static int send_watched(ga__call *call)
{
    ga_group group;
    ga_scope sending;
    watch self = {.call = call, .sending = &sending};
    ga__timeout by = GA__TIMEOUT_TOTAL;

    ga_group_open(&group, GA_COLLECT);
    ga_scope_open(&sending, GA_FOREVER);
    ga_task *watcher = ga_spawn(&group, watch_for_answer, &self);
    int code = watcher ? send_all(call, &by) : GA_ENOMEM;

    ga_scope_close(&sending);
    ga_group_cancel(&group);
    ga_gather(&group); /* what the watcher has received by now counts */
    if (self.code < 0)
        ga__error_copy(ga__current(), watcher);
    if (watcher)
        ga_task_error(watcher); /* it is read now */
    ga_group_close(&group);
    if (self.code != 0)
        return self.code;
    return code < 0 ? send_failed(call, code, by) : 0;
}

/* The server closed the connection while the request was being sent: maybe it said why before.
 * @return 1 when it did; else `code`, with its error as it is */
static int last_words(ga__call *call, int code)
{
    int received = call->progress.bytes_sent > 0 ? receive_now(call) : 0;

    return received == 0 ? code : received;
}

static int send_request(ga__call *call)
{
    ga__timeout by;
    int code;

    call->progress.phase = GA_PHASE_WRITE;
    call->sending = true;
    if (call->head.size + call->body_size <= SMALL_REQUEST) {
        code = send_all(call, &by);
        if (GA_UNLIKELY(code < 0))
            send_failed(call, code, by);
    } else {
        code = send_watched(call);
    }
    if (code == GA_ERESET || code == GA_ETLS)
        code = last_words(call, code);
    call->sending = false;
    return code;
}

/* --- the exchange --------------------------------------------------------------------------------- */

int ga__call_exchange(ga__call *call)
{
    ga__progress *progress = &call->progress;

    progress->reused = call->connection->served;
    progress->sent = call->sent_before;
    progress->bytes_sent = progress->bytes_received = 0;
    call->response = NULL;
    if (call->connection->http2)
        return ga__http2_call_exchange(call);
    call->partial = GA__BUFFER_INIT;
    ga__http1_response_init(&call->http, &call->session->limits,
                            strcmp(call->method, "HEAD") == 0 ? GA__HTTP1_TO_HEAD : 0);
    int code = send_request(call);

    if (code == 0) {
        ga__call_release_head(call);
        code = receive_head(call);
    }
    ga__buffer_free(&call->partial);
    if (code < 0) {
        ga__http1_response_free(&call->http);
        return code;
    }
    ga__response_settle(call->response);
    return 0;
}
