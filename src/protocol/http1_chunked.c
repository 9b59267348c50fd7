/* SPDX-License-Identifier: MIT */
/*
 * The chunked coding as a state machine that can stop after any byte. Framing is read byte by byte and never
 * with a bare LF, since a proxy may disagree about where such a line ends; content goes through as slices.
 * Called by http1_message.c for the body of a response or request.
 */
#include "protocol/http1_chunked.h"

#include "base/ascii.h"
#include "base/buffer.h"
#include "protocol/token.h"
#include <gather/error.h>
#include <string.h>

enum state {
    SIZE,           /* in the chunk size */
    SIZE_BLANK,     /* in blanks behind it */
    EXTENSION,      /* behind a semicolon */
    SIZE_LF,        /* behind the CR of the chunk-size line */
    DATA,           /* in the content */
    DATA_CR,        /* behind the content */
    DATA_LF,        /* behind the CR behind the content */
    TRAILERS_BEGIN, /* behind the last chunk's line */
    TRAILERS_EMPTY, /* behind the CR of an empty trailer section */
    TRAILERS,       /* collecting the trailer section */
    COMPLETE
};

/* A size of 16 hexadecimal digits is a 64-bit number; more could only be zeros in front. */
enum { MOST_DIGITS = 16 };

/* Framing, routing, authentication, and what says how to read the content: RFC 9110 section 6.5.1. */
#define BIT(id) (UINT64_C(1) << GA__FIELD_##id)
#define FORBIDDEN                                                                                           \
    (BIT(AGE) | BIT(AUTHORIZATION) | BIT(CACHE_CONTROL) | BIT(CONNECTION) | BIT(CONTENT_ENCODING) |         \
     BIT(CONTENT_LENGTH) | BIT(CONTENT_RANGE) | BIT(CONTENT_TYPE) | BIT(COOKIE) | BIT(DATE) | BIT(EXPECT) | \
     BIT(HOST) | BIT(KEEP_ALIVE) | BIT(LOCATION) | BIT(PROXY_AUTHENTICATE) | BIT(PROXY_AUTHORIZATION) |     \
     BIT(RETRY_AFTER) | BIT(SET_COOKIE) | BIT(TE) | BIT(TRAILER) | BIT(TRANSFER_ENCODING) | BIT(UPGRADE) |  \
     BIT(VARY) | BIT(WWW_AUTHENTICATE))

struct ga__trailers {
    ga__buffer bytes;
    ga__head_scan scan;
    ga__headers_table table;
};

void ga__chunked_init(ga__chunked *chunked)
{
    *chunked = (ga__chunked){.state = SIZE};
}

void ga__chunked_free(ga__chunked *chunked)
{
    struct ga__trailers *trailers = chunked->trailers;

    if (!trailers)
        return;
    chunked->trailers = NULL;
    ga__headers_table_free(&trailers->table);
    ga__buffer_free(&trailers->bytes);
    free(trailers);
}

const ga__headers *ga__chunked_trailers(const ga__chunked *chunked)
{
    if (!chunked->trailers || chunked->state != COMPLETE || !chunked->trailers->table.headers.count)
        return NULL;
    return &chunked->trailers->table.headers;
}

static int refuse(ga__chunked *chunked, int code, const char *problem)
{
    chunked->problem = problem;
    return code;
}

/* The size is read: what may follow it. */
static int after_size(ga__chunked *chunked, char c)
{
    if (!chunked->digits)
        return refuse(chunked, GA_EPROTOCOL, "a chunk size is not a hexadecimal number");
    if (c == '\r')
        chunked->state = SIZE_LF;
    else if (c == ';')
        chunked->state = EXTENSION;
    else if (ga__is_blank(c))
        chunked->state = SIZE_BLANK;
    else if (c == '\n')
        return refuse(chunked, GA_EPROTOCOL, "a chunk-size line ends with a line feed alone");
    else
        return refuse(chunked, GA_EPROTOCOL, "a chunk size is not a hexadecimal number");
    return GA_OK;
}

static int size_byte(ga__chunked *chunked, char c)
{
    int digit = ga__ascii_hex(c);

    if (digit < 0)
        return after_size(chunked, c);
    if (chunked->digits == MOST_DIGITS || chunked->remaining > INT64_MAX >> 4)
        return refuse(chunked, GA_EPROTOCOL, "a chunk size is too large");
    chunked->digits++;
    chunked->remaining = chunked->remaining << 4 | (unsigned)digit;
    return GA_OK;
}

static int extension_byte(ga__chunked *chunked, char c)
{
    if (c == '\r')
        chunked->state = SIZE_LF;
    else if (c == '\n')
        return refuse(chunked, GA_EPROTOCOL, "a chunk-size line ends with a line feed alone");
    else if (!(ga__char_class[(unsigned char)c] & GA__CHAR_VALUE))
        return refuse(chunked, GA_EPROTOCOL, "a control character is in a chunk extension");
    return GA_OK;
}

static int size_line_end(ga__chunked *chunked, char c)
{
    if (c != '\n')
        return refuse(chunked, GA_EPROTOCOL, "a carriage return stands without a line feed");
    chunked->line = 0;
    chunked->digits = 0;
    chunked->state = chunked->remaining ? DATA : TRAILERS_BEGIN;
    return GA_OK;
}

/* A byte of a chunk-size line. */
static int line_byte(ga__chunked *chunked, const ga__chunked_limits *limits, char c)
{
    bool in_extension = chunked->state == SIZE_BLANK || chunked->state == EXTENSION;

    if (++chunked->line > limits->max_line)
        return refuse(chunked, GA_EPROTOCOL, "a chunk-size line is longer than allowed");
    if (c != '\r' && in_extension && ++chunked->extensions > limits->max_extensions)
        return refuse(chunked, GA_EPROTOCOL, "there are more bytes of chunk extensions than allowed");
    switch (chunked->state) {
    case SIZE:
        return size_byte(chunked, c);
    case SIZE_BLANK:
        return after_size(chunked, c);
    case EXTENSION:
        return extension_byte(chunked, c);
    default:
        return size_line_end(chunked, c);
    }
}

/* A byte between a chunk's content and the next chunk's size. */
static int data_end_byte(ga__chunked *chunked, char c)
{
    if (c != (chunked->state == DATA_CR ? '\r' : '\n'))
        return refuse(chunked, GA_EPROTOCOL, "a chunk's data does not end where its size says");
    chunked->state = chunked->state == DATA_CR ? DATA_LF : SIZE;
    return GA_OK;
}

static int trailers_begin(ga__chunked *chunked)
{
    chunked->trailers = malloc(sizeof *chunked->trailers);
    if (!chunked->trailers)
        return refuse(chunked, GA_ENOMEM, "there is no memory for the trailer fields");
    chunked->trailers->bytes = GA__BUFFER_INIT;
    chunked->trailers->scan = (ga__head_scan){0};
    ga__headers_table_init(&chunked->trailers->table);
    chunked->state = TRAILERS;
    return GA_OK;
}

/* Collects the trailer section until it is whole, then parses it. */
static int trailers_collect(ga__chunked *chunked, const ga__headers_limits *limits, const char *data,
                            size_t size, size_t *consumed)
{
    struct ga__trailers *trailers = chunked->trailers;
    size_t before = trailers->bytes.size;
    size_t room = limits->max_size - before;

    ga__buffer_append(&trailers->bytes, data, size < room ? size : room);
    if (trailers->bytes.failed)
        return refuse(chunked, GA_ENOMEM, "there is no memory for the trailer fields");
    int64_t end = ga__head_find_end(&trailers->scan, trailers->bytes.data, trailers->bytes.size, limits,
                                    &chunked->problem);

    if (end <= 0) {
        *consumed = size;
        return (int)end;
    }
    *consumed = (size_t)end - before;
    int code = ga__headers_parse(&trailers->table, trailers->bytes.data, 0, (uint32_t)end, limits,
                                 &chunked->problem);

    if (code)
        return code;
    ga__headers_table_drop(&trailers->table, FORBIDDEN);
    chunked->state = COMPLETE;
    return GA_OK;
}

/* Takes in framing at the beginning of `data`, as far as the same function handles it. */
static int framing(ga__chunked *chunked, const ga__chunked_limits *limits, const char *data, size_t size,
                   size_t *used)
{
    *used = 1;
    switch (chunked->state) {
    case DATA_CR:
    case DATA_LF:
        return data_end_byte(chunked, *data);
    case TRAILERS_BEGIN:
        if (*data == '\r') {
            chunked->state = TRAILERS_EMPTY;
            return GA_OK;
        }
        *used = 0;
        return trailers_begin(chunked);
    case TRAILERS_EMPTY:
        if (*data != '\n')
            return refuse(chunked, GA_EPROTOCOL, "a carriage return stands without a line feed");
        chunked->state = COMPLETE;
        return GA_OK;
    case TRAILERS:
        return trailers_collect(chunked, &limits->trailers, data, size, used);
    default:
        return line_byte(chunked, limits, *data);
    }
}

int ga__chunked_decode(ga__chunked *chunked, const ga__chunked_limits *limits, const char *data, size_t size,
                       size_t *consumed, const char **out, size_t *out_size)
{
    size_t at = 0;
    int code = GA_OK;

    *out = data;
    *out_size = 0;
    while (!code && at < size && chunked->state != DATA && chunked->state != COMPLETE) {
        size_t used;

        code = framing(chunked, limits, data + at, size - at, &used);
        at += used;
    }
    if (!code && chunked->state == DATA && at < size) {
        size_t piece = size - at < chunked->remaining ? size - at : (size_t)chunked->remaining;

        *out = data + at;
        *out_size = piece;
        at += piece;
        chunked->remaining -= piece;
        if (!chunked->remaining)
            chunked->state = DATA_CR;
    }
    *consumed = at;
    return code ? code : chunked->state == COMPLETE;
}

size_t ga__chunked_prefix(char *out, uint64_t size)
{
    int digits = (64 - __builtin_clzll(size | 1) + 3) / 4;

    for (int i = 0; i < digits; i++)
        out[i] = "0123456789abcdef"[size >> (4 * (digits - 1 - i)) & 15];
    out[digits] = '\r';
    out[digits + 1] = '\n';
    return (size_t)digits + 2;
}
