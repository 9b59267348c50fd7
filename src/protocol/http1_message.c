/* SPDX-License-Identifier: MIT */
/*
 * Framing, as requests and responses share it: reading the fields that it hangs on, and taking the body apart
 * by it. Called by http1_response.c and http1_request.c.
 */
#include "protocol/http1_message.h"

#include "base/ascii.h"
#include "base/number.h"
#include "protocol/token.h"
#include <gather/error.h>
#include <string.h>

const ga__http1_limits ga__http1_defaults = {
    .head = {.max_size = 64 * 1024, .max_line = 16 * 1024, .max_fields = 256},
    .chunked = {.max_line = 16 * 1024,
                .max_extensions = 16 * 1024,
                .trailers = {.max_size = 16 * 1024, .max_line = 16 * 1024, .max_fields = 64}},
    .max_interim = 32,
};

static const char *length_problem(const char *text, size_t size)
{
    if (!size)
        return "Content-Length is empty";
    for (size_t i = 0; i < size; i++)
        if (!ga__ascii_is_digit(text[i]))
            return "Content-Length is not a number";
    return "Content-Length is above 2^63-1";
}

/* One value, or the same value several times (RFC 9112 section 6.3), which is compared as text: "030" and
 * "30" are different things to some. */
static int read_length(ga__framing *framing, const ga__headers *headers, const char **problem)
{
    const char *first = NULL, *text;
    size_t first_size = 0, size, at;

    for (const ga__field *field = NULL;
         (field = ga__headers_next(headers, GA__FIELD_CONTENT_LENGTH, field)) != NULL;) {
        const char *value = ga__field_value(headers, field);

        for (at = 0; ga__list_next(value, field->value_size, &at, &text, &size);) {
            if (!ga__parse_decimal(text, size, &framing->length) || framing->length > INT64_MAX) {
                *problem = length_problem(text, size);
                return GA_EPROTOCOL;
            }
            if (first && (size != first_size || memcmp(text, first, size) != 0)) {
                *problem = "Content-Length is given twice with different values";
                return GA_EPROTOCOL;
            }
            first = text;
            first_size = size;
        }
    }
    framing->has_length = true;
    return GA_OK;
}

/* Only "chunked", once: no other coding was asked for (no TE is sent), and one that is not last leaves the
 * end of the body unknown. */
static int read_transfer(ga__framing *framing, const ga__headers *headers, const char **problem)
{
    const ga__field *field = ga__headers_next(headers, GA__FIELD_TRANSFER_ENCODING, NULL);
    const char *value = ga__field_value(headers, field);

    if (!ga__ascii_is((ga__slice){value, field->value_size}, "chunked")) {
        *problem = "Transfer-Encoding is not \"chunked\"";
        return GA_EPROTOCOL;
    }
    if (ga__headers_next(headers, GA__FIELD_TRANSFER_ENCODING, field)) {
        *problem = "Transfer-Encoding is given twice";
        return GA_EPROTOCOL;
    }
    framing->chunked = true;
    return GA_OK;
}

static void read_connection(ga__framing *framing, const ga__headers *headers)
{
    for (const ga__field *field = NULL;
         (field = ga__headers_next(headers, GA__FIELD_CONNECTION, field)) != NULL;) {
        const char *value = ga__field_value(headers, field);
        ga__slice option;
        size_t at = 0;

        while (ga__list_next(value, field->value_size, &at, &option.data, &option.size)) {
            framing->close |= ga__ascii_equal(option, GA__SLICE("close"));
            framing->keep_alive |= ga__ascii_equal(option, GA__SLICE("keep-alive"));
        }
    }
}

int ga__framing_read(ga__framing *framing, const ga__headers *headers, const char **problem)
{
    int code = GA_OK;

    *framing = (ga__framing){0};
    if (ga__headers_has(headers, GA__FIELD_CONNECTION))
        read_connection(framing, headers);
    if (ga__headers_has(headers, GA__FIELD_CONTENT_LENGTH))
        code = read_length(framing, headers, problem);
    if (!code && ga__headers_has(headers, GA__FIELD_TRANSFER_ENCODING))
        code = read_transfer(framing, headers, problem);
    return code;
}

void ga__body_init(ga__body *body, ga__body_kind kind, uint64_t length)
{
    *body = (ga__body){.kind = kind, .remaining = length};
    body->done = kind == GA__BODY_NONE || kind == GA__BODY_TUNNEL || (kind == GA__BODY_LENGTH && !length);
    ga__chunked_init(&body->chunked);
}

void ga__body_free(ga__body *body)
{
    ga__chunked_free(&body->chunked);
}

int ga__body_decode(ga__body *body, const ga__http1_limits *limits, const char *data, size_t size,
                    size_t *consumed, const char **out, size_t *out_size, const char **problem)
{
    int code = GA__HTTP1_MORE;

    *consumed = 0;
    *out = data;
    *out_size = 0;
    if (body->done)
        return GA__HTTP1_DONE;
    if (body->kind == GA__BODY_CHUNKED) {
        code = ga__chunked_decode(&body->chunked, &limits->chunked, data, size, consumed, out, out_size);
        *problem = body->chunked.problem;
    } else {
        bool bounded = body->kind == GA__BODY_LENGTH && body->remaining < size;

        *consumed = *out_size = bounded ? (size_t)body->remaining : size;
        body->remaining -= body->kind == GA__BODY_LENGTH ? *out_size : 0;
        code = body->kind == GA__BODY_LENGTH && !body->remaining ? GA__HTTP1_DONE : GA__HTTP1_MORE;
    }
    body->received += *out_size;
    body->done = code == GA__HTTP1_DONE;
    return code;
}
