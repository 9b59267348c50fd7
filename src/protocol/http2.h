/* SPDX-License-Identifier: MIT */
/*
 * The client's side of an HTTP/2 connection (RFC 9113), sans I/O, on nghttp2: bytes in, streams that changed
 * out; requests in, bytes out. nghttp2's callbacks end here.
 *
 *     ga__http2_receive(http2, data, size);            what the server sent
 *     while ((stream = ga__http2_next_changed(http2))) its owner looks at what is new in it
 *     ga__http2_produce(http2, out, size);             what is to be sent, many frames at once
 *
 * A stream carries one exchange. Its owner embeds it, submits it, and leaves it in the end; the windows of
 * flow control are opened again as the owner reads, so what nobody reads stays at the server.
 */
#ifndef GA__HTTP2_H
#define GA__HTTP2_H

#include "base/buffer.h"
#include "base/list.h"
#include "base/slice.h"
#include "protocol/headers.h"

typedef struct ga__http2 ga__http2;

typedef struct ga__http2_limits {
    uint32_t max_head;    /* bytes of a response's head, 32 more for each field (RFC 9113, 6.5.2) */
    uint32_t max_field;   /* bytes of one field, name and value */
    uint32_t max_fields;  /* of a response's head */
    uint32_t max_interim; /* heads of 1xx before the final one */
    uint32_t window;      /* bytes of a body that the server may send before they are read */
} ga__http2_limits;

typedef struct ga__http2_stream {
    ga__http2 *http2; /* NULL: not submitted, or left */
    ga__link in_http2, in_changed;
    int32_t id;
    /* the request */
    const char *out; /* what is still to be sent of the body: the owner's */
    size_t out_size;
    bool out_last; /* nothing follows it */
    bool deferred; /* nghttp2 waits for more of it */
    bool sent;     /* the head went out */
    /* the response */
    bool interim;        /* the head that is being received is one of 1xx */
    bool wanted;         /* one of them was 100 (Continue): the body is wanted */
    bool head_done;      /* the final head has come, */
    bool ended;          /* ... and the body's end, */
    bool closed;         /* ... or nothing more will come */
    bool reset;          /* the server reset it */
    bool refused;        /* the server has certainly not acted on it */
    int failed;          /* GA_EPROTOCOL, GA_EHEADTOOBIG, GA_ERESET, GA_ENOMEM; 0 */
    uint32_t error;      /* HTTP/2's error code, where it was reset */
    const char *problem; /* what exactly is wrong with the response, a static string, or NULL */
    uint16_t status;
    uint32_t interims;
    uint32_t fields;
    uint32_t head_size; /* as limits->max_head counts it */
    ga__buffer head;    /* an empty string, then names and values, each ended by a NUL */
    ga__buffer body;
    size_t taken; /* bytes of body that were read */
    uint64_t bytes_sent, bytes_received;
} ga__http2_stream;

/* A connection that was just opened; the preface is the first that it produces. NULL without memory. */
ga__http2 *ga__http2_new(const ga__http2_limits *limits);
/* All streams must have been left. */
void ga__http2_free(ga__http2 *http2);

/* Takes what the server sent. Afterwards there may be changed streams, and bytes to be sent.
 * @return 0; GA_EPROTOCOL, GA_ENOMEM: the connection is done for once what it still produces is sent */
int ga__http2_receive(ga__http2 *http2, const char *data, size_t size);

enum { GA__HTTP2_LEAST_ROOM = 20 << 10 };

/* Writes frames that are to be sent, while there is room for GA__HTTP2_LEAST_ROOM. Streams may change.
 * @return their bytes; 0: nothing is to be sent, or ga__http2_failed tells more */
size_t ga__http2_produce(ga__http2 *http2, char *out, size_t size);
bool ga__http2_wants_to_send(const ga__http2 *http2);

/* Whether the connection is done for: GA_EPROTOCOL, GA_ENOMEM, with *problem; else 0. */
int ga__http2_failed(const ga__http2 *http2, const char **problem);

/* The next stream in which something is new; NULL where there is none. */
ga__http2_stream *ga__http2_next_changed(ga__http2 *http2);

/* Whether the server takes further streams on this connection: it said no GOAWAY. */
bool ga__http2_accepts(const ga__http2 *http2);
/* How many streams the server allows at once; 100 until it has said so. */
uint32_t ga__http2_most_streams(const ga__http2 *http2);
/* The error code of the server's GOAWAY; 0. */
uint32_t ga__http2_goaway_error(const ga__http2 *http2);

/* Sends a request. `head` is its head as protocol/http1_writer made it: what belongs to HTTP/1.1 alone is
 * left out. With `has_body`, ga__http2_write follows.
 * @return 0, GA_ENOMEM, GA_EPROTOCOL (the connection takes no further stream) */
int ga__http2_submit(ga__http2 *http2, ga__http2_stream *stream, ga__slice head, bool secure, bool has_body);

/* The next part of the body, when the one before is sent (out_size 0, and a change). It is the caller's, and
 * is to stay until then. */
void ga__http2_write(ga__http2_stream *stream, const char *bytes, size_t size, bool last);

/* What is left of the body is not sent, nor looked at any more. */
void ga__http2_withhold(ga__http2_stream *stream);

/* Whether the server has answered, and can say no more before some of that is read. */
bool ga__http2_is_full(const ga__http2_stream *stream);

/* Whether the whole request was handed out. */
static inline bool ga__http2_request_sent(const ga__http2_stream *stream)
{
    return stream->sent && stream->out_last && stream->out_size == 0;
}

/* Puts the fields of the response's head into the table, which points to the stream's memory then.
 * @return 0, GA_ENOMEM */
int ga__http2_fields(const ga__http2_stream *stream, ga__headers_table *table);

/* Takes bytes of the body that have come, and lets the server send as many more. */
size_t ga__http2_read(ga__http2_stream *stream, char *out, size_t size);
void ga__http2_taken(ga__http2_stream *stream, size_t size); /* ... that the owner has read in place */
static inline size_t ga__http2_unread(const ga__http2_stream *stream)
{
    return stream->body.size - stream->taken;
}

/* The owner needs the stream no more: its memory is freed, and it is reset where it was not at its end. With
 * `complete`, all of the body has come, and the server is left the time to say that this was its end. */
void ga__http2_leave(ga__http2_stream *stream, bool complete);

/* The connection is lost: all streams that are not at their end are closed, and changed. */
void ga__http2_lose(ga__http2 *http2);

/* Asks the server for a sign of life, which any bytes from it are. */
void ga__http2_ping(ga__http2 *http2);
/* Says that no more will come: for a connection that is closed in order. */
void ga__http2_say_goodbye(ga__http2 *http2);
/* A second went by: what the server may send without any use is counted anew. */
void ga__http2_calm(ga__http2 *http2);

enum { GA__HTTP2_WANTS_HTTP1 = 0xd }; /* the error code HTTP_1_1_REQUIRED */

/* "REFUSED_STREAM" for 7. */
const char *ga__http2_error_name(uint32_t error);

#endif
