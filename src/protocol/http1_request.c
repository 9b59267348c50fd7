/* SPDX-License-Identifier: MIT */
/*
 * The request side of HTTP/1.1, for servers: request line, the rules on Host, and framing (RFC 9112 sections
 * 3 and 6.3). Each failure says which status answers it. Called by the embedded API and by the tests'
 * scripted peers.
 */
#include "protocol/http1_request.h"

#include "base/ascii.h"
#include "protocol/token.h"
#include <gather/error.h>
#include <string.h>

void ga__http1_request_init(ga__http1_request *request, const ga__http1_limits *limits)
{
    *request = (ga__http1_request){
        .limits = limits ? limits : &ga__http1_defaults,
        .scan = {.skip_empty = true},
    };
}

void ga__http1_request_free(ga__http1_request *request)
{
    ga__body_free(&request->body);
}

static int refuse(ga__http1_request *request, uint16_t status, const char *problem)
{
    request->status = status;
    request->problem = problem;
    return status == 414 || status == 431 ? GA_EHEADTOOBIG : GA_EPROTOCOL;
}

/* What is no request at all (a TLS hello, say) fails at its first byte. */
static int check_start(ga__http1_request *request, const char *data, size_t size)
{
    if (!size || data[0] == '\r' || data[0] == '\n' || ga__token_lower[(unsigned char)data[0]])
        return GA_OK;
    return refuse(request, 400, "it does not begin with a method");
}

static int read_version(ga__http1_request *request, const char *text, size_t size)
{
    static const char form[] = "HTTP/1.1";
    bool is_version = size == strlen(form) && memcmp(text, form, strlen("HTTP/")) == 0 &&
                      ga__ascii_is_digit(text[5]) && text[6] == '.' && ga__ascii_is_digit(text[7]);

    if (!is_version)
        return refuse(request, 400, "no HTTP version stands behind a single space after the target");
    if (text[5] != '1' || text[7] > '1')
        return refuse(request, 505, "the HTTP version is neither 1.0 nor 1.1");
    request->minor = text[7] == '1';
    return GA_OK;
}

/* method SP target SP version, for which `data` has a whole head; `next` is where the fields begin. */
static int read_request_line(ga__http1_request *request, char *data, uint32_t size, uint32_t *next)
{
    uint32_t begin = request->scan.start;
    int64_t line = ga__line_end(data, begin, size, request->limits->head.strict, next, &request->problem);

    if (line < 0)
        return refuse(request, 400, request->problem);
    uint32_t end = (uint32_t)line;
    uint32_t method_end = begin + (uint32_t)ga__span_token(data + begin, end - begin);

    if (method_end == begin || method_end == end || data[method_end] != ' ')
        return refuse(request, 400, "the request line has no method and a space behind it");
    uint32_t target = method_end + 1;
    const char *space = memchr(data + target, ' ', end - target);
    uint32_t target_end = space ? (uint32_t)(space - data) : end;

    if (target_end == target || target_end == end)
        return refuse(request, 400, "the request line has no target and a space behind it");
    if (!ga__all_of(data + target, target_end - target, GA__CHAR_TARGET))
        return refuse(request, 400, "the target has a character that is not allowed");
    int code = read_version(request, data + target_end + 1, end - target_end - 1);

    if (code)
        return code;
    data[method_end] = '\0';
    data[target_end] = '\0';
    request->method = begin;
    request->target = target;
    request->target_size = target_end - target;
    return GA_OK;
}

static int check_host(ga__http1_request *request, const ga__headers *headers)
{
    const ga__field *host = ga__headers_next(headers, GA__FIELD_HOST, NULL);

    if (!host)
        return request->minor ? refuse(request, 400, "there is no Host") : GA_OK;
    if (ga__headers_next(headers, GA__FIELD_HOST, host))
        return refuse(request, 400, "Host is given twice");
    if (!ga__all_of(ga__field_value(headers, host), host->value_size, GA__CHAR_HOST))
        return refuse(request, 400, "Host has a character that is not allowed");
    return GA_OK;
}

static int read_framing(ga__http1_request *request, const ga__headers *headers)
{
    ga__framing framing;
    int code = ga__framing_read(&framing, headers, &request->problem);

    if (code)
        return refuse(request, 400, request->problem);
    if (framing.chunked && framing.has_length)
        return refuse(request, 400, "Content-Length and Transfer-Encoding are both there");
    if (framing.chunked && !request->minor)
        return refuse(request, 400, "Transfer-Encoding is in an HTTP/1.0 request");
    request->keep_alive = !framing.close && (request->minor || framing.keep_alive);
    if (framing.chunked)
        ga__body_init(&request->body, GA__BODY_CHUNKED, 0);
    else if (framing.has_length)
        ga__body_init(&request->body, GA__BODY_LENGTH, framing.length);
    else
        ga__body_init(&request->body, GA__BODY_NONE, 0);
    return GA_OK;
}

static void read_expect(ga__http1_request *request, const ga__headers *headers)
{
    const ga__field *expect = ga__headers_next(headers, GA__FIELD_EXPECT, NULL);

    request->expects_continue =
        expect && request->minor &&
        ga__list_has(ga__field_value(headers, expect), expect->value_size, "100-continue");
}

static int read_fields(ga__http1_request *request, ga__headers_table *table, char *data, uint32_t from,
                       uint32_t size)
{
    int code = ga__headers_parse(table, data, from, size, &request->limits->head, &request->problem);

    if (code == GA_ENOMEM)
        return code;
    if (code)
        return refuse(request, code == GA_EHEADTOOBIG ? 431 : 400, request->problem);
    code = check_host(request, &table->headers);
    if (!code)
        code = read_framing(request, &table->headers);
    if (!code)
        read_expect(request, &table->headers);
    return code;
}

int ga__http1_request_head(ga__http1_request *request, ga__headers_table *table, char *data, size_t size,
                           size_t *consumed)
{
    uint32_t fields;

    *consumed = 0;
    int code = check_start(request, data, size);

    if (code)
        return code;
    int64_t end = ga__head_find_end(&request->scan, data, size, &request->limits->head, &request->problem);

    if (end < 0)
        return refuse(request, request->scan.first_done ? 431 : 414, request->problem);
    if (!end)
        return GA__HTTP1_MORE;
    code = read_request_line(request, data, (uint32_t)end, &fields);
    if (!code)
        code = read_fields(request, table, data, fields, (uint32_t)end);
    if (code)
        return code;
    request->head_done = true;
    *consumed = (size_t)end;
    return GA__HTTP1_DONE;
}

int ga__http1_request_body(ga__http1_request *request, const char *data, size_t size, size_t *consumed,
                           const char **out, size_t *out_size)
{
    int code = ga__body_decode(&request->body, request->limits, data, size, consumed, out, out_size,
                               &request->problem);

    if (code < 0 && code != GA_ENOMEM)
        request->status = 400;
    return code;
}

int ga__http1_request_eof(ga__http1_request *request)
{
    if (request->body.done && request->head_done)
        return GA__HTTP1_DONE;
    request->problem = request->head_done      ? "the connection ended within the request's body"
                       : request->scan.scanned ? "the connection ended within the request head"
                                               : "the connection ended before any byte of a request";
    return request->head_done ? GA_ETRUNCATED : GA_EDISCONNECTED;
}
