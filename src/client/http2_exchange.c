/* SPDX-License-Identifier: MIT */
/*
 * The life of one stream: the request is submitted, and goes out at the end of the turn; the task waits until
 * the response's head is there; the body is read from what the connection has put into the stream. A call
 * that gives up resets its stream and leaves the connection to the others. Called by client/exchange.c and
 * client/response_body.c.
 */
#include "client/http2_exchange.h"

#include "base/number.h"
#include <stdlib.h>
#include <string.h>

/* How often a request is sent again that the server has certainly not acted on. */
enum { MOST_REFUSALS = 3 };

static void arm_ping(ga__http2_connection *on)
{
    if (ga__timer_armed(&on->ping) || on->lost)
        return;
    on->heard_at = ga__now();
    ga__timer_arm(&on->ping, ga__deadline(on->heard_at, on->ping_every));
}

static void free_exchange(ga__http2_exchange *exchange, bool complete)
{
    ga__http2_leave(&exchange->stream, complete);
    ga__http2_connection_send(exchange->on);
    free(exchange->piece);
    free(exchange);
}

/* --- failures ------------------------------------------------------------------------------------- */

static int connection_lost(const ga__call *call, const ga__http2_exchange *exchange)
{
    const ga__http2_connection *on = exchange->on;
    const char *problem;
    int code = on->lost ? on->lost : ga__http2_failed(on->http2, &problem);

    if (code == 0) /* it takes no new streams, and was about to be replaced */
        return ga__progress_fail(&call->progress, GA_EDISCONNECTED,
                                 "the server ends the HTTP/2 connection (GOAWAY, %s)",
                                 ga__http2_error_name(ga__http2_goaway_error(on->http2)));
    ga__progress_fail(&call->progress, code,
                      code == GA_EPROTOCOL ? "the server breaks the rules of HTTP/2: %s" : "%s",
                      on->lost ? on->problem : problem);
    ga__error_edit()->os_error = on->os_error;
    return code;
}

/* Says why the stream came to nothing. */
static int stream_failed(const ga__call *call, const ga__http2_exchange *exchange)
{
    const ga__progress *progress = &call->progress;
    const ga__http2_stream *stream = &exchange->stream;
    const char *name = ga__http2_error_name(stream->error);
    uint32_t goaway = ga__http2_goaway_error(exchange->on->http2);

    if (stream->refused && goaway)
        return ga__progress_fail(
            progress, GA_ERESET,
            "the server refuses to act on the request, and ends the HTTP/2 connection (GOAWAY, %s)",
            ga__http2_error_name(goaway));
    if (stream->refused)
        return ga__progress_fail(progress, GA_ERESET,
                                 "the server refuses to act on the request (%s), and did so %d times before",
                                 name, MOST_REFUSALS);
    if (stream->failed == GA_ERESET)
        return ga__progress_fail(progress, GA_ERESET, "the server reset the stream: %s%s", name,
                                 stream->error == GA__HTTP2_WANTS_HTTP1 ? "; pass .http = 11" : "");
    return ga__progress_fail(progress, stream->failed, "the answer is not valid HTTP/2: %s", stream->problem);
}

/* Whether the server wants the request over HTTP/1.1, and has not acted on it therefore (RFC 9113, 7), and
 * the session may speak that: then the origin is spoken to so from now on. */
static bool falls_back(ga__call *call, const ga__http2_exchange *exchange)
{
    const ga__http2_stream *stream = &exchange->stream;
    bool by_stream = stream->reset && stream->error == GA__HTTP2_WANTS_HTTP1;
    bool by_connection = ga__http2_goaway_error(exchange->on->http2) == GA__HTTP2_WANTS_HTTP1 &&
                         (stream->refused || !stream->sent);

    if (stream->head_done || (!by_stream && !by_connection) || !call->url.secure ||
        call->tls->http != GA__HTTP_AUTO || call->refusals >= MOST_REFUSALS)
        return false;
    call->refusals++;
    ga__pool_require_http1(call->connection);
    return true;
}

/* Whether the request goes out once more: always where the server has certainly not acted on it; else as over
 * HTTP/1.1, where a connection that was kept broke without an answer. */
static bool goes_again(ga__call *call, const ga__http2_exchange *exchange)
{
    const ga__http2_stream *stream = &exchange->stream;
    bool refused = call->refused = stream->refused || !stream->sent;
    if (refused && call->progress.bytes_sent > 0)
        call->progress.sent = ga__sent_of_both(call->sent_before, GA_SENT_REFUSED);
    bool calm = ga__http2_goaway_error(exchange->on->http2) == 0;

    if (falls_back(call, exchange))
        return true;
    if (call->refusals >= MOST_REFUSALS || (stream->failed && !stream->refused))
        return false;
    call->refusals++;
    if (refused)
        return calm;
    if (call->refusals > 1)
        return false;
    return call->connection->served && call->progress.bytes_received == 0 && call->idempotent &&
           exchange->on->lost != GA_EPROTOCOL;
}

/* --- the head ------------------------------------------------------------------------------------- */

void ga__http2_note_progress(ga__call *call, const ga__http2_stream *stream)
{
    ga__progress *progress = &call->progress;

    progress->bytes_sent = stream->bytes_sent;
    progress->bytes_received = stream->bytes_received;
    if (stream->bytes_received > 0)
        progress->sent = GA_SENT_ANSWERED;
    else if (stream->sent)
        ga__progress_note_sent(progress);
}

/* Which timeout the call is under. */
static ga__timeout present_wait(ga__call *call, const ga__http2_stream *stream)
{
    bool sending = stream->out_size > 0 || !stream->out_last;

    ga__progress_enter(&call->progress, sending ? GA_PHASE_WRITE : GA_PHASE_FIRST_BYTE);
    if (sending)
        return GA__TIMEOUT_WRITE;
    return stream->bytes_received > 0 ? GA__TIMEOUT_READ : GA__TIMEOUT_FIRST_BYTE;
}

/* Whether the head is there, and the body broke off behind it: that is an answer, as over HTTP/1.1, of which
 * the caller may read what came, and have the rest. It does not depend on how much is read in one turn. */
static bool broke_off(const ga__http2_exchange *exchange)
{
    const ga__http2_stream *stream = &exchange->stream;

    return stream->head_done && stream->closed &&
           (stream->failed ? stream->failed == GA_ERESET : exchange->on->lost != GA_EPROTOCOL);
}

/* Waits until the request is sent and the head is there, or the whole answer. @return 0, or a failure,
 * recorded */
static int await_head(ga__call *call, ga__http2_exchange *exchange)
{
    const ga__http2_stream *stream = &exchange->stream;
    ga__timeout which = GA__TIMEOUT_COUNT;
    ga__wait wait = {0};
    uint64_t moved = 0;

    for (;;) {
        bool complete = stream->head_done && stream->ended;

        ga__http2_note_progress(call, stream);
        if (!ga__http2_request_sent(stream) && ga__http2_is_full(stream)) {
            /* It may take no more of the body before it has said all, as HTTP/1.1 does it at the head. */
            ga__http2_withhold(&exchange->stream);
            exchange->withheld = true;
        }
        bool sent = ga__http2_request_sent(stream) || exchange->withheld;

        if (complete || (sent && (broke_off(exchange) || (stream->head_done && !stream->closed))))
            return 0;
        if (stream->failed || stream->closed)
            break;
        ga__timeout now = present_wait(call, stream);

        if (now != which || moved != stream->bytes_sent + stream->bytes_received)
            wait = ga__timeouts_wait(&call->timeouts, now);
        which = now;
        moved = stream->bytes_sent + stream->bytes_received;
        int code = ga__park(&exchange->waiting, wait.at, GA__EXTERNAL, "the answer");

        if (code < 0) {
            ga__http2_note_progress(call, stream);
            return ga__progress_wait_failed(&call->progress, code, wait.by, call->timeouts.seconds[wait.by]);
        }
    }
    call->again = goes_again(call, exchange);
    return stream->failed ? stream_failed(call, exchange) : connection_lost(call, exchange);
}

/* --- the response --------------------------------------------------------------------------------- */

static bool has_no_body(const ga__call *call, int status)
{
    return strcmp(call->method, "HEAD") == 0 || status == 204 || status == 304;
}

/* Notes in call->http what a head of HTTP/1.1 would have said. */
static void describe(ga__call *call, const ga__http2_stream *stream)
{
    ga__http1_response *http = &call->http;
    const char *length = ga__headers_known(&call->session->table.headers, GA__FIELD_CONTENT_LENGTH);

    ga__http1_response_init(http, &call->session->limits, 0);
    http->status = stream->status;
    http->minor = 1;
    http->head_done = http->keep_alive = true;
    http->has_length = length && ga__parse_decimal(length, strlen(length), &http->length);
    if (has_no_body(call, stream->status))
        ga__body_init(&http->body, GA__BODY_NONE, 0);
    else if (http->has_length)
        ga__body_init(&http->body, GA__BODY_LENGTH, http->length);
    else
        ga__body_init(&http->body, GA__BODY_CLOSE, 0);
}

static int make_response(ga__call *call, ga__http2_exchange *exchange)
{
    ga__http2_stream *stream = &exchange->stream;

    if (ga__http2_fields(stream, &call->session->table) < 0)
        return ga__progress_fail(&call->progress, GA_ENOMEM, "no memory for the response");
    describe(call, stream);
    const char *rest = stream->body.data ? stream->body.data + stream->taken : "";

    call->response = ga__response_new(call, rest, ga__http2_unread(stream));
    if (!call->response)
        return ga__progress_fail(&call->progress, GA_ENOMEM, "no memory for the response");
    ga__http2_taken(stream, ga__http2_unread(stream));
    ga__http2_connection_send(exchange->on);
    if (stream->ended && !call->response->done && !call->response->failed) {
        if (ga__http1_response_eof(&call->response->http) == GA__HTTP1_DONE)
            call->response->done = true;
        else
            call->response->failed = GA_ETRUNCATED;
    }
    ga__response_settle(call->response);
    return 0;
}

static int submit(ga__call *call, ga__http2_exchange *exchange)
{
    ga__slice head = {call->head.data, call->head.size};
    ga__http2_connection *on = exchange->on;
    bool has_body = call->body_size > 0 || (call->source && call->source->size < 0);
    int code = on->lost ? GA_EPROTOCOL
                        : ga__http2_submit(on->http2, &exchange->stream, head, call->url.secure, has_body);

    if (code == GA_ENOMEM)
        return ga__progress_fail(&call->progress, code, "no memory for the request");
    if (code < 0) {
        call->again = goes_again(call, exchange);
        return connection_lost(call, exchange);
    }
    if (has_body && !call->source && !call->expect)
        ga__http2_write(&exchange->stream, call->body, (size_t)call->body_size, true);
    arm_ping(on);
    ga__http2_connection_send(on);
    return 0;
}

int ga__http2_call_exchange(ga__call *call)
{
    ga__http2_exchange *exchange = calloc(1, sizeof *exchange);

    if (!exchange)
        return ga__progress_fail(&call->progress, GA_ENOMEM, "no memory for the request");
    exchange->on = call->connection->http2;
    ga__list_init(&exchange->waiting);
    call->http2 = exchange;
    int code = submit(call, exchange);

    ga__call_release_head(call);
    if (code == 0 && GA_UNLIKELY(call->source || call->expect))
        code = ga__http2_send_body(call, exchange);
    if (code == 0)
        code = await_head(call, exchange);
    if (code == 0)
        code = make_response(call, exchange);
    if (code < 0) {
        call->http2 = NULL;
        free_exchange(exchange, false);
    }
    return code;
}

/* --- the body ------------------------------------------------------------------------------------- */

ssize_t ga__http2_recv_now(ga_response *response, char *out, size_t size)
{
    ga__http2_exchange *exchange = response->http2;
    ga__http2_stream *stream = &exchange->stream;
    size_t count = ga__http2_read(stream, out, size);

    if (count > 0) {
        ga__http2_connection_send(exchange->on);
        return (ssize_t)count;
    }
    if (stream->ended)
        return 0;
    if (stream->failed == GA_ERESET)
        return ga__fail(GA_ERESET, "the server reset the stream within the body: %s",
                        ga__http2_error_name(stream->error));
    if (stream->failed)
        return ga__fail(stream->failed, "the body is not valid HTTP/2: %s", stream->problem);
    if (!stream->closed)
        return GA_EAGAIN;
    int code = exchange->on->lost;

    return ga__fail(code == GA_EDISCONNECTED ? GA_ETRUNCATED : code, "the body ended early: %s",
                    exchange->on->problem);
}

int ga__http2_wait_readable(ga_response *response, uint64_t deadline)
{
    ga__http2_exchange *exchange = response->http2;
    const ga__http2_stream *stream = &exchange->stream;
    int code = ga__checkpoint();

    if (code < 0 || ga__http2_unread(stream) > 0 || stream->ended || stream->closed || stream->failed)
        return code;
    return ga__park(&exchange->waiting, deadline, GA__EXTERNAL, "the body");
}

void ga__http2_release(ga_response *response)
{
    ga__http2_exchange *exchange = response->http2;

    response->http2 = NULL;
    free_exchange(exchange, response->done);
}
