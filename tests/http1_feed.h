/* SPDX-License-Identifier: MIT */
/*
 * Feeds a message to the HTTP/1.1 parser in pieces, as a connection would, and writes down all that it said
 * as a text, so that two ways of cutting the same bytes can be compared. Every piece lies in a block of
 * exactly its size, at a new address, so that a sanitizer sees each byte too many. For tests and fuzz
 * targets.
 */
#ifndef HTTP1_FEED_H
#define HTTP1_FEED_H

#include "base/buffer.h"
#include "protocol/http1_request.h"
#include "protocol/http1_response.h"

#include <gather/error.h>
#include <stdio.h>
#include <string.h>

/* The sizes of the pieces; the last one again and again. */
typedef struct feed_cuts {
    const size_t *sizes; /* each at least 1 */
    size_t count;
} feed_cuts;

#define FEED_CUTS(...) \
    ((feed_cuts){(const size_t[]){__VA_ARGS__}, sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t)})
#define FEED_WHOLE FEED_CUTS(SIZE_MAX)
#define FEED_BYTES FEED_CUTS(1)

typedef struct feed_result {
    int code; /* GA__HTTP1_DONE, or the failure */
    const char *problem;
    int status;      /* of the last head, or the status to answer a bad request with */
    bool keep_alive; /* response: reusable, if no surplus follows */
    size_t surplus;  /* bytes behind the message */
    bool by_end;     /* only the connection's end ended it */
    ga__buffer body;
    ga__buffer transcript; /* all of the above, and the fields and trailers */
} feed_result;

/* A response or a request. */
typedef struct feed_message {
    bool is_request;
    ga__http1_response response;
    ga__http1_request request;
} feed_message;

static inline void feed_free(feed_result *result)
{
    ga__buffer_free(&result->body);
    ga__buffer_free(&result->transcript);
}

static inline char *feed_block(size_t size)
{
    char *block = malloc(size ? size : 1);

    if (!block)
        abort();
    return block;
}

static inline void feed_note_fields(feed_result *result, const ga__headers *headers)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        const ga__field *field = &headers->fields[i];
        const char *name = ga__field_name(headers, field), *value = ga__field_value(headers, field);

        if (strlen(name) != field->name_size || strlen(value) != field->value_size)
            abort();
        ga__buffer_printf(&result->transcript, "%s: %s\n", name, value);
    }
}

static inline void feed_note_head(feed_message *message, feed_result *result, const ga__headers *headers)
{
    if (message->is_request)
        ga__buffer_printf(&result->transcript, "%s %s 1.%d%s\n", headers->bytes + message->request.method,
                          headers->bytes + message->request.target, message->request.minor,
                          message->request.expects_continue ? " expects 100" : "");
    else
        ga__buffer_printf(&result->transcript, "1.%d %d [%s]\n", message->response.minor,
                          message->response.status, headers->bytes + message->response.phrase);
    feed_note_fields(result, headers);
}

/* Reads heads from *data, a block that is replaced by what is left of it. */
static inline int feed_head(feed_message *message, feed_result *result, char **data, size_t *size)
{
    ga__headers_table table;
    size_t consumed = 0;

    ga__headers_table_init(&table);
    int code = message->is_request
                   ? ga__http1_request_head(&message->request, &table, *data, *size, &consumed)
                   : ga__http1_response_head(&message->response, &table, *data, *size, &consumed);

    if (code > 0) {
        /* What is kept of a head is the packed copy: it must do without the original. */
        void *block = feed_block(ga__headers_pack_size(&table.headers));
        ga__headers copy;

        ga__headers_pack(&table.headers, block, &copy);
        char *rest = feed_block(*size - consumed);

        memcpy(rest, *data + consumed, *size - consumed);
        free(*data);
        *data = rest;
        *size -= consumed;
        feed_note_head(message, result, &copy);
        free(block);
    }
    ga__headers_table_free(&table);
    return code;
}

static inline int feed_body(feed_message *message, feed_result *result, const char *data, size_t *size)
{
    size_t at = 0;
    int code;

    do {
        size_t consumed, out_size;
        const char *out;

        code = message->is_request ? ga__http1_request_body(&message->request, data + at, *size - at,
                                                            &consumed, &out, &out_size)
                                   : ga__http1_response_body(&message->response, data + at, *size - at,
                                                             &consumed, &out, &out_size);
        if (out_size)
            ga__buffer_append(&result->body, out, out_size);
        if (code == GA__HTTP1_MORE && !consumed && at < *size)
            abort(); /* no progress */
        at += consumed;
    } while (code == GA__HTTP1_MORE && at < *size);
    *size -= at;
    return code;
}

/* Takes in one more piece: *data holds what is not consumed. */
static inline int feed_step(feed_message *message, feed_result *result, char **data, size_t *size)
{
    bool *head_done = message->is_request ? &message->request.head_done : &message->response.head_done;
    int code = GA__HTTP1_DONE;

    while (!*head_done) {
        code = feed_head(message, result, data, size);
        if (code != GA__HTTP1_INTERIM && code != GA__HTTP1_DONE)
            return code;
    }
    return feed_body(message, result, *data, size);
}

static inline void feed_note_end(feed_message *message, feed_result *result)
{
    const ga__headers *trailers;

    if (message->is_request) {
        result->problem = message->request.problem;
        result->status = message->request.status;
        result->keep_alive = message->request.keep_alive;
        trailers = ga__chunked_trailers(&message->request.body.chunked);
    } else {
        result->problem = message->response.problem;
        result->status = message->response.status;
        result->keep_alive = ga__http1_response_reusable(&message->response, 0);
        trailers = ga__http1_response_trailers(&message->response);
    }
    const ga__body *body = message->is_request ? &message->request.body : &message->response.body;

    if (body->received != result->body.size)
        abort();
    ga__buffer_add(&result->transcript, "body: ");
    ga__buffer_append(&result->transcript, result->body.data, result->body.size);
    ga__buffer_add(&result->transcript, "\n");
    if (trailers)
        feed_note_fields(result, trailers);
    ga__buffer_printf(&result->transcript, "%d, %s, keep alive %d, surplus %zu\n", result->code,
                      result->code < 0 ? result->problem : "no problem", result->keep_alive, result->surplus);
    if (result->transcript.failed || result->body.failed)
        abort();
}

static inline feed_result feed(feed_message *message, const char *input, size_t size, feed_cuts cuts)
{
    feed_result result = {.code = GA__HTTP1_MORE};
    char *data = feed_block(0);
    size_t kept = 0, at = 0;

    for (size_t i = 0; at < size && result.code == GA__HTTP1_MORE; i++) {
        size_t piece = cuts.sizes[i < cuts.count ? i : cuts.count - 1];

        piece = piece < size - at ? piece : size - at;
        char *longer = feed_block(kept + piece);

        memcpy(longer, data, kept);
        memcpy(longer + kept, input + at, piece);
        free(data);
        data = longer;
        kept += piece;
        at += piece;
        result.code = feed_step(message, &result, &data, &kept);
        if (result.code == GA__HTTP1_MORE &&
            (message->is_request ? message->request.head_done : message->response.head_done))
            kept = 0;
    }
    result.by_end = result.code == GA__HTTP1_MORE;
    if (result.by_end)
        result.code = message->is_request ? ga__http1_request_eof(&message->request)
                                          : ga__http1_response_eof(&message->response);
    result.surplus = result.code == GA__HTTP1_DONE ? kept + (size - at) : 0;
    feed_note_end(message, &result);
    free(data);
    return result;
}

/* `limits` NULL: the default ones; `asked`: GA__HTTP1_TO_.... The result is the caller's to free. */
static inline feed_result feed_response(const char *input, size_t size, unsigned asked,
                                        const ga__http1_limits *limits, feed_cuts cuts)
{
    feed_message message = {.is_request = false};

    ga__http1_response_init(&message.response, limits, asked);
    feed_result result = feed(&message, input, size, cuts);

    ga__http1_response_free(&message.response);
    return result;
}

static inline feed_result feed_request(const char *input, size_t size, const ga__http1_limits *limits,
                                       feed_cuts cuts)
{
    feed_message message = {.is_request = true};

    ga__http1_request_init(&message.request, limits);
    feed_result result = feed(&message, input, size, cuts);

    ga__http1_request_free(&message.request);
    return result;
}

#endif
