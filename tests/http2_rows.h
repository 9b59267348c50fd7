/* SPDX-License-Identifier: MIT */
/*
 * Bad answers in HTTP/2's frames, and what is to come of each: for the framing alone (test_http2), and for
 * the client around it (test_bad_input_http2).
 */
#ifndef HTTP2_ROWS_H
#define HTTP2_ROWS_H

#include "base/buffer.h"
#include <gather/error.h>
#include <nghttp2/nghttp2.h>
#include <stdbool.h>

typedef struct http2_frame {
    bool there;
    unsigned type, flags;
    uint32_t id; /* 1: the request's stream, whatever its number */
    const char *payload;
    size_t size;
} http2_frame;

typedef struct http2_row {
    const char *what;
    int code;
    bool alone; /* it ends its stream, and not the connection */
    bool first; /* comes instead of SETTINGS */
    bool late;  /* what is bad follows on an answer that is whole, which may have been taken by then */
    const char *problem; /* a part of what is said */
    http2_frame frames[6];
} http2_row;

#define FRAME(type, flags, id, payload)                     \
    {                                                       \
        true, type, flags, id, payload, sizeof(payload) - 1 \
    }
#define HEAD(payload) FRAME(NGHTTP2_HEADERS, 4, 1, payload)
#define LAST_HEAD(payload) FRAME(NGHTTP2_HEADERS, 5, 1, payload)
#define PART(payload) FRAME(NGHTTP2_DATA, 0, 1, payload)
#define LAST_PART(payload) FRAME(NGHTTP2_DATA, 1, 1, payload)

#define ENDS_ALL(name, ...)                                                            \
    {                                                                                  \
        .what = (name), .code = GA_EPROTOCOL, .problem = "", .frames = { __VA_ARGS__ } \
    }
#define ENDS_ALL_FIRST(name, ...)                                                                     \
    {                                                                                                 \
        .what = (name), .code = GA_EPROTOCOL, .first = true, .problem = "", .frames = { __VA_ARGS__ } \
    }
#define FAILS_ALONE(name, ...)                                                                        \
    {                                                                                                 \
        .what = (name), .code = GA_EPROTOCOL, .alone = true, .problem = "", .frames = { __VA_ARGS__ } \
    }
#define FAILS_LATE(name, ...)                                                                         \
    {                                                                                                 \
        .what = (name), .code = GA_EPROTOCOL, .alone = true, .late = true, .problem = "", .frames = { \
            __VA_ARGS__                                                                               \
        }                                                                                             \
    }

/* HPACK: ":status: 200"; a literal field, not indexed, with a new name; Content-Length of one digit. */
#define OK "\210"
#define FIELD(name_size, name, value_size, value) "\0" name_size name value_size value
#define LENGTH(digit) "\17\15\1" digit

static const http2_row http2_rows[] = {
    ENDS_ALL_FIRST("no SETTINGS first", FRAME(NGHTTP2_PING, 0, 0, "12345678")),
    ENDS_ALL_FIRST("noise", FRAME('x', 'x', 0x78787878, "xxxxxxxxxx")),
    ENDS_ALL_FIRST("the answer before SETTINGS", LAST_HEAD(OK)),
    ENDS_ALL_FIRST("the ACK of SETTINGS before SETTINGS", FRAME(NGHTTP2_SETTINGS, 1, 0, "")),
    ENDS_ALL("SETTINGS on a stream", FRAME(NGHTTP2_SETTINGS, 0, 1, "")),
    ENDS_ALL("SETTINGS of five bytes", FRAME(NGHTTP2_SETTINGS, 0, 0, "\0\1\0\0\0")),
    ENDS_ALL("an ACK with a payload", FRAME(NGHTTP2_SETTINGS, 1, 0, "\0\1\0\0\0\0")),
    ENDS_ALL("an ACK that nobody waits for", FRAME(NGHTTP2_SETTINGS, 1, 0, ""),
             FRAME(NGHTTP2_SETTINGS, 1, 0, "")),
    ENDS_ALL("a window over 2^31-1", FRAME(NGHTTP2_SETTINGS, 0, 0, "\0\4\377\377\377\377")),
    ENDS_ALL("a frame size below 16384", FRAME(NGHTTP2_SETTINGS, 0, 0, "\0\5\0\0\0\1")),
    ENDS_ALL("a frame size over 2^24-1", FRAME(NGHTTP2_SETTINGS, 0, 0, "\0\5\1\0\0\0")),
    ENDS_ALL("a server that allows push", FRAME(NGHTTP2_SETTINGS, 0, 0, "\0\2\0\0\0\1")),
    ENDS_ALL("DATA before the head", LAST_PART("x")),
    ENDS_ALL("DATA on stream 0", FRAME(NGHTTP2_DATA, 0, 0, "x")),
    ENDS_ALL("DATA on a stream that nobody opened", FRAME(NGHTTP2_DATA, 0, 7, "x")),
    ENDS_ALL("padding longer than the frame", FRAME(NGHTTP2_DATA, 8, 1, "\10x")),
    ENDS_ALL("padding of HEADERS longer than the frame", FRAME(NGHTTP2_HEADERS, 12, 1, "\10" OK)),
    ENDS_ALL("HEADERS on stream 0", FRAME(NGHTTP2_HEADERS, 4, 0, OK)),
    ENDS_ALL("HEADERS on a stream of the server's", FRAME(NGHTTP2_HEADERS, 4, 2, OK)),
    ENDS_ALL("HEADERS on a stream that nobody opened", FRAME(NGHTTP2_HEADERS, 4, 9, OK)),
    ENDS_ALL("an index that HPACK does not have", HEAD("\377\377\377\3")),
    ENDS_ALL("the index 0", HEAD("\200")),
    ENDS_ALL("an integer without an end", HEAD("\377\377\377\377\377\377\377\377")),
    ENDS_ALL("a name longer than the block", HEAD(OK "\0\177x")),
    ENDS_ALL("Huffman padding that is none", HEAD(OK "\0\201\0\1x")),
    ENDS_ALL("a table larger than allowed", HEAD("\77\377\377\177" OK)),
    ENDS_ALL("CONTINUATION without HEADERS", FRAME(NGHTTP2_CONTINUATION, 4, 1, OK)),
    ENDS_ALL("another frame where CONTINUATION belongs", FRAME(NGHTTP2_HEADERS, 0, 1, OK),
             FRAME(NGHTTP2_PING, 0, 0, "12345678")),
    ENDS_ALL("CONTINUATION of another stream", FRAME(NGHTTP2_HEADERS, 0, 1, OK),
             FRAME(NGHTTP2_CONTINUATION, 4, 7, OK)),
    ENDS_ALL("PUSH_PROMISE, which was refused", FRAME(NGHTTP2_PUSH_PROMISE, 4, 1, "\0\0\0\2\202")),
    ENDS_ALL("RST_STREAM on stream 0", FRAME(NGHTTP2_RST_STREAM, 0, 0, "\0\0\0\0")),
    ENDS_ALL("RST_STREAM of a stream that was not opened", FRAME(NGHTTP2_RST_STREAM, 0, 9, "\0\0\0\0")),
    ENDS_ALL("RST_STREAM of three bytes", FRAME(NGHTTP2_RST_STREAM, 0, 1, "\0\0\0")),
    ENDS_ALL("PRIORITY of four bytes", FRAME(NGHTTP2_PRIORITY, 0, 1, "\0\0\0\0")),
    ENDS_ALL("PING of seven bytes", FRAME(NGHTTP2_PING, 0, 0, "1234567")),
    ENDS_ALL("PING on a stream", FRAME(NGHTTP2_PING, 0, 1, "12345678")),
    ENDS_ALL("GOAWAY of seven bytes", FRAME(NGHTTP2_GOAWAY, 0, 0, "1234567")),
    ENDS_ALL("GOAWAY on a stream", FRAME(NGHTTP2_GOAWAY, 0, 1, "12345678")),
    ENDS_ALL("GOAWAY that names a stream of the server's", FRAME(NGHTTP2_GOAWAY, 0, 0, "\0\0\0\2\0\0\0\0")),
    ENDS_ALL("GOAWAYs that allow more and more", FRAME(NGHTTP2_GOAWAY, 0, 0, "\0\0\0\11\0\0\0\0"),
             FRAME(NGHTTP2_GOAWAY, 0, 0, "\0\0\0\13\0\0\0\0")),
    ENDS_ALL("WINDOW_UPDATE of three bytes", FRAME(NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0")),
    ENDS_ALL("WINDOW_UPDATE of 0", FRAME(NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\0")),
    ENDS_ALL("WINDOW_UPDATE over the top", FRAME(NGHTTP2_WINDOW_UPDATE, 0, 0, "\177\377\377\377")),
    ENDS_ALL("WINDOW_UPDATE of a stream that nobody opened", FRAME(NGHTTP2_WINDOW_UPDATE, 0, 9, "\0\0\0\1")),

    FAILS_ALONE("no status", LAST_HEAD(FIELD("\3", "x-a", "\1", "1"))),
    FAILS_ALONE("two statuses", LAST_HEAD(OK OK)),
    FAILS_ALONE("a status behind a field", LAST_HEAD(FIELD("\3", "x-a", "\1", "1") OK)),
    FAILS_ALONE("a status of two digits", LAST_HEAD(FIELD("\7", ":status", "\2", "20"))),
    FAILS_ALONE("a status of four digits", LAST_HEAD(FIELD("\7", ":status", "\4", "2000"))),
    FAILS_ALONE("a status with letters", LAST_HEAD(FIELD("\7", ":status", "\3", "2OO"))),
    FAILS_ALONE("a status below 100", LAST_HEAD(FIELD("\7", ":status", "\3", "099"))),
    FAILS_ALONE("an empty status", LAST_HEAD(FIELD("\7", ":status", "\0", ""))),
    FAILS_ALONE("a pseudo-field of a request", LAST_HEAD(OK "\202")),
    FAILS_ALONE("a pseudo-field that is not known", LAST_HEAD(OK FIELD("\2", ":x", "\1", "1"))),
    FAILS_ALONE("capitals in a name", LAST_HEAD(OK FIELD("\3", "X-a", "\1", "1"))),
    FAILS_ALONE("a blank in a name", LAST_HEAD(OK FIELD("\3", "x a", "\1", "1"))),
    FAILS_ALONE("a colon in a name", LAST_HEAD(OK FIELD("\3", "x:a", "\1", "1"))),
    FAILS_ALONE("a name beyond ASCII", LAST_HEAD(OK FIELD("\3", "x\303\251", "\1", "1"))),
    FAILS_ALONE("a NUL in a name", LAST_HEAD(OK FIELD("\3", "x\0a", "\1", "1"))),
    FAILS_ALONE("an empty name", LAST_HEAD(OK FIELD("\0", "", "\1", "1"))),
    FAILS_ALONE("a line feed in a value", LAST_HEAD(OK FIELD("\3", "x-a", "\3", "a\nb"))),
    FAILS_ALONE("a NUL in a value", LAST_HEAD(OK FIELD("\3", "x-a", "\3", "a\0b"))),
    FAILS_ALONE("a carriage return in a value", LAST_HEAD(OK FIELD("\3", "x-a", "\3", "a\rb"))),
    FAILS_ALONE("a control character in a value", LAST_HEAD(OK FIELD("\3", "x-a", "\3", "a\1b"))),
    FAILS_ALONE("DEL in a value", LAST_HEAD(OK FIELD("\3", "x-a", "\3", "a\177b"))),
    FAILS_ALONE("Connection", LAST_HEAD(OK FIELD("\12", "connection", "\5", "close"))),
    FAILS_ALONE("Keep-Alive", LAST_HEAD(OK FIELD("\12", "keep-alive", "\1", "1"))),
    FAILS_ALONE("Proxy-Connection", LAST_HEAD(OK FIELD("\20", "proxy-connection", "\1", "x"))),
    FAILS_ALONE("Upgrade", LAST_HEAD(OK FIELD("\7", "upgrade", "\3", "h2c"))),
    FAILS_ALONE("Transfer-Encoding", LAST_HEAD(OK FIELD("\21", "transfer-encoding", "\7", "chunked"))),
    FAILS_ALONE("two lengths", HEAD(OK LENGTH("1") LENGTH("2")), LAST_PART("x")),
    FAILS_ALONE("a length with a sign", HEAD(OK "\17\15\2+1"), LAST_PART("x")),
    FAILS_ALONE("an empty length", HEAD(OK "\17\15\0"), LAST_PART("")),
    FAILS_ALONE("a length over 2^63-1",
                HEAD(OK "\17\15\23"
                        "9223372036854775808"),
                LAST_PART("x")),
    FAILS_LATE("a body longer than its length", HEAD(OK LENGTH("1")), LAST_PART("xy")),
    FAILS_LATE("a body longer than its length, in parts", HEAD(OK LENGTH("1")), PART("x"), LAST_PART("y")),
    FAILS_ALONE("a body shorter than its length", HEAD(OK LENGTH("3")), LAST_PART("xy")),
    FAILS_ALONE("no body, but a length", LAST_HEAD(OK LENGTH("3"))),
    FAILS_LATE("204 with a body", HEAD("\211"), LAST_PART("x")),
    FAILS_LATE("304 with a body", HEAD("\213"), LAST_PART("x")),
    FAILS_ALONE("101", HEAD(FIELD("\7", ":status", "\3", "101")), LAST_PART("")),
    FAILS_ALONE("an interim head at the end", LAST_HEAD(FIELD("\7", ":status", "\3", "103"))),
    FAILS_ALONE("DATA behind an interim head", HEAD(FIELD("\7", ":status", "\3", "103")), LAST_PART("x")),
    FAILS_ALONE("trailers that do not end the stream", HEAD(OK), PART("x"),
                HEAD(FIELD("\3", "x-a", "\1", "1"))),
    FAILS_ALONE("trailers with a status", HEAD(OK), PART("x"), LAST_HEAD(OK)),
    FAILS_ALONE("trailers with capitals", HEAD(OK), PART("x"), LAST_HEAD(FIELD("\3", "X-a", "\1", "1"))),
    FAILS_ALONE("trailers before the body's length", HEAD(OK LENGTH("3")), PART("x"),
                LAST_HEAD(FIELD("\3", "x-a", "\1", "1"))),
};

/* One frame again and again. */
typedef struct http2_flood {
    const char *what;
    http2_frame frame;
} http2_flood;

static const http2_flood http2_floods[] = {
    {"PING", FRAME(NGHTTP2_PING, 0, 0, "12345678")},
    {"answers to PING", FRAME(NGHTTP2_PING, 1, 0, "12345678")},
    {"SETTINGS", FRAME(NGHTTP2_SETTINGS, 0, 0, "")},
    {"empty DATA", FRAME(NGHTTP2_DATA, 0, 1, "")},
    {"DATA of padding", FRAME(NGHTTP2_DATA, 8, 1, "\3\0\0\0")},
    {"PRIORITY", FRAME(NGHTTP2_PRIORITY, 0, 1, "\0\0\0\3\20")},
    {"WINDOW_UPDATE", FRAME(NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\1")},
    {"GOAWAY", FRAME(NGHTTP2_GOAWAY, 0, 0, "\0\0\0\1\0\0\0\0")},
    {"frames that nobody knows", FRAME('x', 0, 0, "x")},
    {"ALTSVC", FRAME(10, 0, 0, "\0\1xy")},
};

enum {
    HTTP2_ROWS = sizeof http2_rows / sizeof *http2_rows,
    HTTP2_FLOODS = sizeof http2_floods / sizeof *http2_floods
};

/* Adds a frame, with stream `id` for that of the request. */
static inline void http2_add_frame(ga__buffer *out, const http2_frame *frame, uint32_t id)
{
    uint32_t to = frame->id == 1 ? id : frame->id;
    const char head[9] = {(char)(frame->size >> 16), (char)(frame->size >> 8), (char)frame->size,
                          (char)frame->type,         (char)frame->flags,       (char)(to >> 24),
                          (char)(to >> 16),          (char)(to >> 8),          (char)to};

    ga__buffer_append(out, head, sizeof head);
    ga__buffer_append(out, frame->payload, frame->size);
}

static inline void http2_add_settings(ga__buffer *out)
{
    static const http2_frame settings = FRAME(NGHTTP2_SETTINGS, 0, 0, ""),
                             ack = FRAME(NGHTTP2_SETTINGS, 1, 0, "");

    http2_add_frame(out, &settings, 0);
    http2_add_frame(out, &ack, 0);
}

/* All that the row's server says to the request on stream `id`; with `begun`, it has said SETTINGS before. */
static inline void http2_add_row(ga__buffer *out, const http2_row *row, uint32_t id, bool begun)
{
    if (!begun && !row->first)
        http2_add_settings(out);
    for (size_t i = 0; i < sizeof row->frames / sizeof *row->frames && row->frames[i].there; i++)
        http2_add_frame(out, &row->frames[i], id);
}

#endif
