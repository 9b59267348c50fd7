/* SPDX-License-Identifier: MIT */
/*
 * One exchange: a request out, a response head in, on a connection that is open. The usual one costs one send
 * and one receive; the head is parsed where it was received, in a buffer that the loop lends. Called by
 * client/request.c. The sending is in client/request_send.c.
 */
#include "client/attempts.h"
#include "client/http2_exchange.h"
#include "client/response.h"

#include <stdlib.h>
#include <string.h>

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

int ga__call_take_head(ga__call *call, char *data, size_t size)
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
        call->wanted |= call->http.status == 100;
    }
    ga__buffer_clear(&call->partial);
    ga__buffer_append(&call->partial, data, size);
    return call->partial.failed ? broken_head(call, GA_ENOMEM) : 0;
}

/* Parses what is there behind what came before. */
int ga__call_receive_now(ga__call *call)
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
    return ga__call_take_head(call, lent, before + (size_t)count);
}

static int receive_head(ga__call *call)
{
    ga__wait wait = ga__timeouts_wait(&call->timeouts, GA__TIMEOUT_FIRST_BYTE);
    /* What came before the request's end and is gone, 100 (Continue) for one, is not the answer's. */
    uint64_t received = call->partial.size > 0 ? 0 : call->progress.bytes_received;

    ga__progress_enter(&call->progress, GA_PHASE_FIRST_BYTE);
    for (;;) {
        if (call->progress.bytes_received > received) {
            received = call->progress.bytes_received;
            wait = ga__timeouts_wait(&call->timeouts, GA__TIMEOUT_READ);
        }
        int code = ga__stream_wait_readable(stream_of(call), wait.at);

        if (code < 0)
            return ga__progress_wait_failed(&call->progress, code, wait.by, call->timeouts.seconds[wait.by]);
        code = ga__call_receive_now(call);
        if (code != 0)
            return code;
    }
}

void ga__call_expect_head(ga__call *call)
{
    call->partial = GA__BUFFER_INIT;
    ga__http1_response_init(&call->http, &call->session->limits,
                            strcmp(call->method, "HEAD") == 0 ? GA__HTTP1_TO_HEAD : 0);
    call->wanted = false;
}

void ga__call_end_head(ga__call *call, int code)
{
    ga__buffer_free(&call->partial);
    if (code < 0)
        ga__http1_response_free(&call->http);
    else
        ga__response_settle(call->response);
}

/* --- what the caller is asked ------------------------------------------------------------------------- */

/* The caller's function has ended the call. */
static int withdraw(ga__call *call, int code, const char *name)
{
    call->withdrawn = true;
    if (ga_error()->code != code)
        return ga__progress_fail(&call->progress, code, "%s ended the call with %d", name, code);
    return ga__progress_failed(&call->progress, code);
}

int ga__call_ask_before_retry(ga__call *call, int status, double wait)
{
    const ga_request_options *options = call->options;
    const ga_retry retry = {call->progress.attempt, status, call->progress.sent, wait};
    int code = options->before_retry ? options->before_retry(options->before_retry_arg, &retry) : 0;

    return code < 0 ? withdraw(call, code, "before_retry") : 0;
}

int ga__call_ask_caller(ga__call *call)
{
    const ga_request_options *options = call->options;
    ga__wait end = call->timeouts.end;
    ga_scope scope;

    ga__progress_enter(&call->progress, GA_PHASE_PREPARE);
    ga_scope_open(&scope, ga__seconds_until(end.at));
    int code = options->before_send(options->before_send_arg, call->progress.attempt);
    int closed = ga_scope_close(&scope);

    if (code >= 0)
        return 0;
    if (closed != GA_ETIMEDOUT)
        return withdraw(call, code, "before_send");
    call->withdrawn = true;
    return ga__progress_wait_failed(&call->progress, closed, end.by, call->timeouts.seconds[end.by]);
}

/* Has the caller know that the request goes out. That may take its time, and a server close a kept connection
 * meanwhile. @return 0; GA_EDISCONNECTED; what before_send failed with; recorded */
static GA_NOINLINE int announce(ga__call *call)
{
    int code = ga__call_ask_caller(call);

    if (code < 0)
        return code;
    if (call->attempts)
        ga__attempts_sent(call);
    if (call->connection->http2 || !call->connection->served)
        return 0;
    return ga__connection_is_good(call->connection, ga__call_goes_once(call)) ? 0 : no_head(call);
}

/* --- the exchange --------------------------------------------------------------------------------- */

int ga__call_exchange(ga__call *call)
{
    ga__progress *progress = &call->progress;

    progress->reused = call->connection->served;
    progress->sent = call->sent_before;
    ga__observe_sent(progress);
    progress->bytes_received = 0;
    call->response = NULL;
    if (GA_UNLIKELY(call->options->before_send != NULL)) {
        int code = announce(call);

        if (code < 0)
            return code;
    }
    if (call->connection->http2)
        return ga__http2_call_exchange(call);
    ga__call_expect_head(call);
    int code = ga__call_send(call);

    if (code == 0) {
        ga__call_release_head(call);
        code = receive_head(call);
    }
    ga__call_end_head(call, code);
    return code < 0 ? code : 0;
}
