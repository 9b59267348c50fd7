/* SPDX-License-Identifier: MIT */
/*
 * The response side of HTTP/1.1: status line, interim responses, which framing holds (RFC 9112 section 6.3),
 * and whether the connection survives. The head is judged only when it is whole, but for its first bytes:
 * what is not HTTP at all fails at once, rather than at a timeout. Called by client/exchange.c and
 * client/tunnel.c.
 */
#include "protocol/http1_response.h"

#include "base/ascii.h"
#include "base/number.h"
#include "protocol/token.h"
#include <gather/error.h>
#include <limits.h>
#include <string.h>

enum { STATUS_AT = 9, PHRASE_AT = 12 }; /* in "HTTP/1.1 200 OK" */

void ga__http1_response_init(ga__http1_response *response, const ga__http1_limits *limits, unsigned asked)
{
    *response = (ga__http1_response){
        .limits = limits ? limits : &ga__http1_defaults,
        .asked = (uint8_t)asked,
    };
}

void ga__http1_response_free(ga__http1_response *response)
{
    ga__body_free(&response->body);
}

static int refuse(ga__http1_response *response, int code, const char *problem)
{
    response->problem = problem;
    return code;
}

/* What is wrong with byte `at` of the status line, up to the one behind the status code; NULL where nothing
 * is. */
static const char *status_line_problem(const char *data, size_t at)
{
    static const char start[] = "HTTP/1.";
    char c = data[at];

    if (at < strlen("HTTP/"))
        return c == start[at] ? NULL : "it does not begin with \"HTTP/\"";
    if (at < strlen(start))
        return c == start[at] ? NULL : "the HTTP version is neither 1.0 nor 1.1";
    if (at == strlen(start))
        return c == '0' || c == '1' ? NULL : "the HTTP version is neither 1.0 nor 1.1";
    if (at == strlen(start) + 1)
        return c == ' ' ? NULL : "no single space follows the HTTP version";
    if (at == STATUS_AT)
        return c >= '1' && c <= '9' ? NULL : "the status code is not a number from 100 to 999";
    if (at < PHRASE_AT)
        return ga__ascii_is_digit(c) ? NULL : "the status code is not a number from 100 to 999";
    return c == ' ' || c == '\r' || c == '\n' ? NULL : "the status code is not a number from 100 to 999";
}

/* What nearly all heads begin with; where it is something else, it is found out what is wrong with it. */
static bool begins_as_usual(const char *data, size_t size)
{
    return size > PHRASE_AT && memcmp(data, "HTTP/1.1 ", STATUS_AT) == 0 && data[STATUS_AT] >= '1' &&
           data[STATUS_AT] <= '9' && ga__ascii_is_digit(data[STATUS_AT + 1]) &&
           ga__ascii_is_digit(data[STATUS_AT + 2]) && data[PHRASE_AT] == ' ';
}

static int check_start(ga__http1_response *response, const char *data, size_t size)
{
    if (GA_LIKELY(begins_as_usual(data, size)))
        return GA_OK;
    for (size_t at = 0; at < size && at <= PHRASE_AT; at++) {
        const char *problem = status_line_problem(data, at);

        if (problem)
            return refuse(response, GA_EPROTOCOL, problem);
    }
    return GA_OK;
}

/* Takes the status line of a whole head; `next` is where the fields begin. Its first 13 bytes were checked.
 */
static int read_status_line(ga__http1_response *response, char *data, uint32_t size, uint32_t *next)
{
    int64_t end =
        ga__line_end(data, PHRASE_AT, size, response->limits->head.strict, next, &response->problem);

    if (end < 0)
        return (int)end;
    data[end] = '\0';
    response->phrase = PHRASE_AT < end ? PHRASE_AT + 1 : PHRASE_AT;
    response->minor = data[STATUS_AT - 2] == '1';
    response->status = (uint16_t)((data[STATUS_AT] - '0') * 100 + (data[STATUS_AT + 1] - '0') * 10 +
                                  (data[STATUS_AT + 2] - '0'));
    return GA_OK;
}

/* A response that cannot have a body, whatever its fields say. */
static bool is_bodiless(const ga__http1_response *response)
{
    return response->asked & GA__HTTP1_TO_HEAD || response->status == 204 || response->status == 304;
}

static bool is_tunnel(const ga__http1_response *response)
{
    return response->status == 101 ||
           (response->asked & GA__HTTP1_TO_CONNECT && response->status >= 200 && response->status < 300);
}

static int choose_body(ga__http1_response *response, const ga__framing *framing)
{
    if (framing->chunked && !response->minor)
        return refuse(response, GA_EPROTOCOL, "Transfer-Encoding is in an HTTP/1.0 response");
    if (framing->chunked && framing->has_length) {
        if (!response->limits->transfer_over_length)
            return refuse(response, GA_EPROTOCOL, "Content-Length and Transfer-Encoding are both there");
        response->keep_alive = false;
    }
    if (framing->chunked) {
        ga__body_init(&response->body, GA__BODY_CHUNKED, 0);
    } else if (framing->has_length) {
        ga__body_init(&response->body, GA__BODY_LENGTH, framing->length);
    } else {
        ga__body_init(&response->body, GA__BODY_CLOSE, 0);
        response->keep_alive = false;
    }
    return GA_OK;
}

static int read_framing(ga__http1_response *response, const ga__headers *headers)
{
    ga__framing framing;
    int code = ga__framing_read(&framing, headers, &response->problem);

    if (code && !is_tunnel(response)) /* which has no body, whatever its fields say (RFC 9110, 9.3.6) */
        return code;
    response->has_length = framing.has_length;
    response->length = framing.length;
    response->keep_alive = !framing.close && (response->minor || framing.keep_alive);
    if (is_tunnel(response)) {
        ga__body_init(&response->body, GA__BODY_TUNNEL, 0);
        response->keep_alive = false;
        return GA_OK;
    }
    if (is_bodiless(response)) {
        ga__body_init(&response->body, GA__BODY_NONE, 0);
        return GA_OK;
    }
    return choose_body(response, &framing);
}

/* A 1xx head is whole: it is skipped, within limits. */
static int skip_interim(ga__http1_response *response, uint32_t size)
{
    response->interim++;
    response->interim_bytes += size;
    response->scan = (ga__head_scan){0};
    if (response->interim > response->limits->max_interim)
        return refuse(response, GA_EHEADTOOBIG, "there are more interim responses than allowed");
    if (response->interim_bytes > response->limits->head.max_size)
        return refuse(response, GA_EHEADTOOBIG, "the interim responses are larger than allowed");
    return GA__HTTP1_INTERIM;
}

static int read_head(ga__http1_response *response, ga__headers_table *table, char *data, uint32_t size)
{
    uint32_t fields;
    int code = read_status_line(response, data, size, &fields);

    if (!code)
        code = ga__headers_parse(table, data, fields, size, &response->limits->head, &response->problem);
    if (code)
        return code;
    if (response->status == 101 && !(response->asked & GA__HTTP1_TO_UPGRADE))
        return refuse(response, GA_EPROTOCOL, "101 Switching Protocols came without being asked for");
    if (response->status < 200 && response->status != 101)
        return skip_interim(response, size);
    code = read_framing(response, &table->headers);
    response->head_done = !code;
    return code ? code : GA__HTTP1_DONE;
}

int ga__http1_response_head(ga__http1_response *response, ga__headers_table *table, char *data, size_t size,
                            size_t *consumed)
{
    *consumed = 0;
    int code = check_start(response, data, size);

    if (code)
        return code;
    int64_t end = ga__head_find_end(&response->scan, data, size, &response->limits->head, &response->problem);

    if (end <= 0)
        return (int)end;
    code = read_head(response, table, data, (uint32_t)end);
    if (code >= 0)
        *consumed = (size_t)end;
    return code;
}

int ga__http1_response_body(ga__http1_response *response, const char *data, size_t size, size_t *consumed,
                            const char **out, size_t *out_size)
{
    return ga__body_decode(&response->body, response->limits, data, size, consumed, out, out_size,
                           &response->problem);
}

int ga__http1_response_eof(ga__http1_response *response)
{
    if (!response->head_done) {
        if (response->scan.scanned)
            return refuse(response, GA_EDISCONNECTED, "the connection ended within the response head");
        if (response->interim)
            return refuse(response, GA_EDISCONNECTED,
                          "the connection ended after an interim response, before the final one");
        return refuse(response, GA_EDISCONNECTED, "the connection ended before any byte of the response");
    }
    if (response->body.kind == GA__BODY_CLOSE)
        response->body.done = true;
    if (response->body.done)
        return GA__HTTP1_DONE;
    return refuse(response, GA_ETRUNCATED,
                  response->body.kind == GA__BODY_CHUNKED
                      ? "the connection ended before the last chunk"
                      : "the connection ended before Content-Length bytes of the body");
}

bool ga__http1_response_reusable(const ga__http1_response *response, size_t surplus)
{
    return response->head_done && response->body.done && response->keep_alive && !surplus;
}

const ga__headers *ga__http1_response_trailers(const ga__http1_response *response)
{
    return ga__chunked_trailers(&response->body.chunked);
}

int ga__http1_keep_alive_timeout(const ga__headers *headers)
{
    static const ga__slice name = {"timeout=", 8};
    const ga__field *field = ga__headers_next(headers, GA__FIELD_KEEP_ALIVE, NULL);
    ga__slice text;
    size_t at = 0;

    if (!field)
        return -1;
    while (ga__list_next(ga__field_value(headers, field), field->value_size, &at, &text.data, &text.size)) {
        uint64_t seconds;

        if (text.size < name.size || !ga__ascii_equal((ga__slice){text.data, name.size}, name))
            continue;
        if (!ga__parse_decimal(text.data + name.size, text.size - name.size, &seconds))
            return -1;
        return seconds < INT_MAX ? (int)seconds : INT_MAX;
    }
    return -1;
}
