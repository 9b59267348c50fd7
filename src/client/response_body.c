/* SPDX-License-Identifier: MIT */
/*
 * Reading a response's body: on demand, so that what nobody reads stays at the server, and into its
 * destination, so that nothing is copied twice. The destination is the caller's buffer (ga_read) or the
 * body's own room (ga_body and what stands on it); chunked content is decoded in place there. A body with
 * content codings takes another way, through client/content.c.
 */
#include "client/response.h"

#include "base/ascii.h"
#include "client/content.h"
#include "client/http2_exchange.h"
#include "client/repr.h"
#include "client/resume.h"
#include "protocol/charset.h"
#include "protocol/json_depth.h"
#include "protocol/media_type.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_ROOM = 16 << 10, /* for a body of unknown length */
    DIRECT_ROOM =
        1 << 20 /* of a body of known length, what is allocated before the server has shown any of it */
};

/* --- decoding ------------------------------------------------------------------------------------- */

size_t ga__response_decode(ga_response *response, const char *in, size_t size, char *out)
{
    size_t made = 0;

    for (;;) {
        size_t consumed, slice_size;
        const char *slice;
        int code = ga__http1_response_body(&response->http, in, size, &consumed, &slice, &slice_size);

        if (code < 0) {
            response->failed = code;
            return made;
        }
        if (slice_size > 0 && slice != out + made)
            memmove(out + made, slice, slice_size);
        made += slice_size;
        in += consumed;
        size -= consumed;
        if (code == GA__HTTP1_DONE) {
            response->done = true;
            response->surplus = size;
            return made;
        }
        if (size == 0)
            return made;
    }
}

/* --- receiving ------------------------------------------------------------------------------------ */

/* Says why there is no more of the body; every read after the failure says it again. */
int ga__response_failed(const ga_response *response)
{
    unsigned long long received = (unsigned long long)response->http.body.received;

    switch (response->failed) {
    case GA_ETRUNCATED:
        if (response->http.body.kind == GA__BODY_LENGTH)
            return ga__progress_fail(
                &response->progress, GA_ETRUNCATED,
                "the body ended early: the server closed the connection after %llu of %llu bytes", received,
                (unsigned long long)response->http.length);
        return ga__progress_fail(
            &response->progress, GA_ETRUNCATED,
            "the body ended early: the server closed the connection after %llu bytes, without the "
            "body's end",
            received);
    case GA_ENOMEM:
        return ga__progress_fail(&response->progress, GA_ENOMEM, "no memory for the body");
    case GA_EDECODE:
        return ga__content_failed(response);
    case GA_EPROTOCOL:
    case GA_EHEADTOOBIG:
        return ga__progress_fail(&response->progress, response->failed,
                                 "the body is not valid HTTP/1.1, after %llu bytes: %s", received,
                                 response->http.problem ? response->http.problem : "unknown");
    default:
        return ga__progress_fail(&response->progress, response->failed,
                                 "the connection broke after %llu bytes of the body", received);
    }
}

/* The connection ended. @return 0 where that is the body's end */
static int at_end(ga_response *response)
{
    bool clean = response->http.body.kind != GA__BODY_CLOSE || response->http2 ||
                 !response->connection->stream.truncated;
    int code = ga__http1_response_eof(&response->http);

    if (code == GA__HTTP1_DONE && clean) {
        response->done = true;
        response->unusable = true;
        ga__response_settle(response);
        return 0;
    }
    response->failed = GA_ETRUNCATED;
    ga__response_settle(response);
    return ga__response_failed(response);
}

/* The wait ended without anything having come; the response stays as it is. */
static int wait_failed(const ga_response *response, int code, ga__timeout by)
{
    return ga__progress_wait_failed(&response->progress, code, by, response->timeouts.seconds[by]);
}

/* The most that one call of the system's may bring: what lies behind a body of known length stays where it
 * is. */
static size_t most(const ga_response *response, size_t size)
{
    const ga__body *body = &response->http.body;

    return body->kind == GA__BODY_LENGTH && body->remaining < size ? (size_t)body->remaining : size;
}

/* Takes what is there, at most `size` bytes. @return bytes of content; GA_EAGAIN when nothing is there, or
 * only what frames it; 0 at the end; a failure, recorded */
static ssize_t receive_now(ga_response *response, char *out, size_t size)
{
    if (!out && !(out = ga__loop_lend()))
        return ga__progress_fail(&response->progress, GA_ENOMEM, "no memory for the body");
    ssize_t count = response->http2
                        ? ga__http2_recv_now(response, out, size)
                        : ga__stream_recv_now(&response->connection->stream, out, most(response, size));

    if (count == GA_EAGAIN)
        return GA_EAGAIN;
    if (count == 0)
        return at_end(response);
    if (count < 0) {
        response->failed = (int)count;
        ga__progress_failed(&response->progress, (int)count);
        ga__response_settle(response);
        return count;
    }
    response->progress.bytes_received += (uint64_t)count;
    size_t made = ga__response_decode(response, out, (size_t)count, out);

    ga__response_settle(response);
    if (made > 0)
        return (ssize_t)made;
    if (response->failed)
        return ga__response_failed(response);
    return response->done ? 0 : GA_EAGAIN;
}

ssize_t ga__response_receive_own(ga_response *response, char *out, size_t size)
{
    if (response->failed)
        return ga__response_failed(response);
    if (response->done)
        return 0;
    ga__wait wait = ga__timeouts_wait(&response->timeouts, GA__TIMEOUT_READ);

    for (;;) {
        uint64_t before = response->progress.bytes_received;
        int code = response->http2 ? ga__http2_wait_readable(response, wait.at)
                                   : ga__stream_wait_readable(&response->connection->stream, wait.at);

        if (code < 0)
            return wait_failed(response, code, wait.by);
        ssize_t count = receive_now(response, out, size);

        if (count != GA_EAGAIN)
            return count;
        if (response->progress.bytes_received > before)
            wait = ga__timeouts_wait(&response->timeouts, GA__TIMEOUT_READ);
    }
}

ssize_t ga__response_receive(ga_response *response, char *out, size_t size)
{
    if (GA_UNLIKELY(response->resume != NULL))
        return ga__resume_receive(response, out, size);
    return ga__response_receive_own(response, out, size);
}

void ga__response_drain(ga_response *response)
{
    char *lent = ga__loop_lend();

    if (!lent || response->done || response->http2)
        return;
    /* Nobody asked for this: a connection that turns out broken is no failure of whoever frees a response. */
    ga__error_aside error = ga__error_set_aside();
    ssize_t count = ga__stream_recv_now(&response->connection->stream, lent, GA__LENT_SIZE);

    if (count > 0)
        ga__response_decode(response, lent, (size_t)count, lent);
    ga__error_restore(error);
}

/* --- the whole body ------------------------------------------------------------------------------- */

static int too_large(const ga_response *response)
{
    if (response->http.body.kind == GA__BODY_LENGTH)
        return ga__progress_fail(
            &response->progress, GA_ETOOLARGE,
            "the body has %llu bytes, more than the %lld that max_body allows; read it with ga_read, "
            "or allow more",
            (unsigned long long)response->http.length, (long long)response->max_body);
    return ga__progress_fail(
        &response->progress, GA_ETOOLARGE,
        "the body is larger than the %lld bytes that max_body allows; read it with ga_read, or allow "
        "more",
        (long long)response->max_body);
}

int ga__response_grow(ga_response *response, size_t capacity)
{
    char *body = realloc(response->owned ? response->body : NULL, capacity + 1);

    if (!body)
        return ga__progress_fail(&response->progress, GA_ENOMEM, "no memory for the body");
    if (!response->owned)
        memcpy(body, response->body, response->size);
    response->body = body;
    response->capacity = capacity;
    response->owned = true;
    return 0;
}

/* Makes room for the next piece. A body of known length gets all of its room at once, so that it never moves,
 * but for a large one only after the first part of it has come. */
static int make_room(ga_response *response)
{
    const ga__body *body = &response->http.body;
    size_t wanted = response->capacity < FIRST_ROOM ? FIRST_ROOM : response->capacity * 2;

    if (response->size < response->capacity)
        return 0;
    if (body->kind == GA__BODY_LENGTH) {
        size_t whole = response->size + (size_t)body->remaining;

        wanted = whole <= DIRECT_ROOM || response->size >= DIRECT_ROOM / 4 ? whole : DIRECT_ROOM / 2;
    }
    return ga__response_grow(response, wanted);
}

/* Begins a call that suspends. */
static int enter(const ga_response *response)
{
    int code = ga__checkpoint();

    if (GA_LIKELY(code == 0))
        return 0;
    return code == GA_ECANCELED ? wait_failed(response, code, GA__TIMEOUT_TOTAL)
                                : ga__progress_failed(&response->progress, code);
}

/* Reads the body to its end. */
static int read_all(ga_response *response)
{
    const ga__body *body = &response->http.body;

    if (body->kind == GA__BODY_LENGTH && response->http.length > (uint64_t)response->max_body)
        return too_large(response);
    while (!response->done) {
        int code = make_room(response);

        if (code < 0)
            return code;
        ssize_t count = ga__response_receive(response, response->body + response->size,
                                             response->capacity - response->size);

        if (count < 0)
            return (int)count;
        response->size += (size_t)count;
        response->body[response->size] = '\0';
        if (body->received > (uint64_t)response->max_body)
            return too_large(response);
    }
    return body->received > (uint64_t)response->max_body ? too_large(response) : 0;
}

const void *ga_body(ga_response *response, size_t *size)
{
    if (size)
        *size = 0;
    if (!response || enter(response) < 0)
        return NULL;
    if (GA_UNLIKELY(response->codings.count > 0) ? ga__content_read_all(response) < 0
                                                 : read_all(response) < 0)
        return NULL;
    if (size)
        *size = response->size - response->taken;
    return response->body + response->taken;
}

/* --- pieces --------------------------------------------------------------------------------------- */

ssize_t ga_read(ga_response *response, void *buffer, size_t size)
{
    if (!response)
        return ga_error()->code < 0 ? ga_error()->code : GA_EUSAGE;
    int code = enter(response);

    if (code < 0)
        return code;
    if (size == 0)
        return ga__progress_fail(&response->progress, GA_EUSAGE, "ga_read: the buffer has no room");
    if (GA_UNLIKELY(response->codings.count > 0))
        return ga__content_read(response, buffer, size);
    size_t here = response->size - response->taken;

    if (here > 0) {
        here = here < size ? here : size;
        memcpy(buffer, response->body + response->taken, here);
        response->taken += here;
        return (ssize_t)here;
    }
    response->size = response->taken = 0;
    return ga__response_receive(response, buffer, size);
}

/* --- text and JSON -------------------------------------------------------------------------------- */

static ga__slice content_type(const ga_response *response)
{
    const char *value = ga__headers_known(&response->headers, GA__FIELD_CONTENT_TYPE);

    return value ? ga__slice_of(value) : (ga__slice){"", 0};
}

static void no_memory_for_text(const ga_response *response)
{
    ga__progress_fail(&response->progress, GA_ENOMEM, "no memory for the body's text");
    ga__error_edit()->phase = GA_PHASE_DECODE;
}

/* The whole body as UTF-8: the body itself where it is that, else what was decoded from it. `fallback` is the
 * encoding of one that names none. False where there is none, recorded. */
static bool read_text(ga_response *response, const char *fallback, ga__slice *text, ga__buffer *decoded)
{
    text->data = ga_body(response, &text->size);
    if (!text->data)
        return false;
    ga__slice type = content_type(response);

    if (ga__charset_is_utf8(type, fallback, text->data, text->size))
        return true;
    ga__charset_decode(decoded, type, fallback, text->data, text->size);
    *text = (ga__slice){decoded->data ? decoded->data : "", decoded->size};
    if (!decoded->failed)
        return true;
    ga__buffer_free(decoded);
    no_memory_for_text(response);
    return false;
}

static char *text_of(ga_response *response, const char *fallback)
{
    ga__buffer decoded = GA__BUFFER_INIT;
    ga__slice text;

    if (!read_text(response, fallback, &text, &decoded))
        return NULL;
    if (!decoded.data) /* it is to be a copy in any case */
        ga__buffer_append(&decoded, text.data, text.size);
    char *result = ga__buffer_take(&decoded);

    if (!result)
        no_memory_for_text(response);
    return result;
}

char *ga_text(ga_response *response)
{
    return text_of(response, GA__CHARSET_UTF8);
}

char *ga_text_with_fallback(ga_response *response, const char *charset)
{
    const char *fallback = charset ? ga__charset_find(ga__slice_of(charset)) : NULL;

    if (fallback || !response)
        return text_of(response, fallback);
    ga__progress_fail(&response->progress, GA_EUSAGE,
                      "ga_text_with_fallback: \"%.64s\" is no charset that is known; \"windows-1252\" is one",
                      charset ? charset : "");
    return NULL;
}

/* Whether the head says that the body is JSON; else that is recorded. */
static GA_NOINLINE bool says_json(const ga_response *response)
{
    ga__slice type = content_type(response);
    ga__media_type media;
    ga__buffer shown = GA__BUFFER_INIT;

    ga__media_type_parse(&media, type.data, type.size);
    if (ga__media_type_is_json(&media) || ga__media_type_is(&media, "text", "json"))
        return true;
    if (type.size > 0)
        ga__repr(&shown, type.data);
    ga__progress_fail(&response->progress, GA_ECONTENTTYPE,
                      "JSON is expected and Content-Type is %.200s (status %d): ga_text gives the body as it "
                      "is, and .check_content_type = -1 reads it as JSON all the same",
                      shown.data      ? shown.data
                      : type.size > 0 ? "another"
                                      : "missing",
                      response->http.status);
    ga__buffer_free(&shown);
    return false;
}

json_t *ga_json(ga_response *response)
{
    ga__buffer decoded = GA__BUFFER_INIT;
    json_t *json = NULL;
    json_error_t error;
    ga__slice text;

    if (response && GA_UNLIKELY(response->checks_type) && !says_json(response))
        return NULL;
    if (!read_text(response, GA__CHARSET_UTF8, &text, &decoded))
        return NULL;
    if (ga__json_too_deep(text)) {
        ga__progress_fail(
            &response->progress, GA_EJSON,
            "the body's JSON nests deeper than %d levels, too deep for a task's stack: parse ga_body() "
            "in a ga_to_thread",
            GA__JSON_DEEPEST);
        goto out;
    }
    json = json_loadb(text.data, text.size, JSON_DECODE_ANY, &error);
    if (!json && json_error_code(&error) == json_error_out_of_memory)
        ga__progress_fail(&response->progress, GA_ENOMEM, "no memory for the JSON value");
    else if (!json)
        ga__progress_fail(&response->progress, GA_EJSON, "the body is not JSON: line %d, column %d: %s",
                          error.line, error.column, error.text);
out:
    if (!json)
        ga__error_edit()->phase = GA_PHASE_DECODE;
    ga__buffer_free(&decoded);
    return json;
}
