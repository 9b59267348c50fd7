/* SPDX-License-Identifier: MIT */
/*
 * What requests and responses of HTTP/1.1 share when they are received: the limits, the fields that govern
 * framing (RFC 9112 section 6), and the body.
 */
#ifndef GA__HTTP1_MESSAGE_H
#define GA__HTTP1_MESSAGE_H

#include "protocol/http1_chunked.h"
#include "protocol/http1_fields.h"

/* What a step of reading a message says; failures are negative, GA_E.... */
enum {
    GA__HTTP1_MORE = 0,    /* not complete; more input is needed */
    GA__HTTP1_DONE = 1,    /* the head, or the body, is complete */
    GA__HTTP1_INTERIM = 2, /* a 1xx head is complete; another head follows */
};

typedef struct ga__http1_limits {
    ga__headers_limits head;
    ga__chunked_limits chunked;
    uint32_t max_interim; /* 1xx heads before the final one; their bytes together are under head.max_size */
    bool transfer_over_length; /* Content-Length beside Transfer-Encoding: read by the latter and do not reuse
                                  the connection, where the default is to fail */
} ga__http1_limits;

/* Heads of 64 KiB with 256 fields and 16 KiB a line; 16 KiB of chunk extensions; trailers of 16 KiB and 64
 * fields; 32 interim responses. A bare LF as line end and folded lines are accepted in heads. */
extern const ga__http1_limits ga__http1_defaults;

typedef enum ga__body_kind {
    GA__BODY_NONE,
    GA__BODY_LENGTH,
    GA__BODY_CHUNKED,
    GA__BODY_CLOSE, /* until the connection ends */
    GA__BODY_TUNNEL /* what follows is another protocol: after CONNECT or 101 */
} ga__body_kind;

typedef struct ga__body {
    ga__body_kind kind;
    bool done;
    uint64_t received;  /* bytes of content handed out */
    uint64_t remaining; /* with GA__BODY_LENGTH: bytes still to come */
    ga__chunked chunked;
} ga__body;

/* What the fields say about framing and the connection's fate. */
typedef struct ga__framing {
    bool has_length;
    bool chunked;    /* Transfer-Encoding is there, and is "chunked" */
    bool close;      /* Connection: close */
    bool keep_alive; /* Connection: keep-alive */
    uint64_t length;
} ga__framing;

/* Reads them, and judges the syntax of each; what they may be together is the caller's to judge.
 * @return GA_OK, or GA_EPROTOCOL with *problem */
int ga__framing_read(ga__framing *framing, const ga__headers *headers, const char **problem);

/* The body of a message whose head was read: first ga__body_init, which allocates nothing; then
 * ga__body_decode as ga__http1_response_body says, with *problem where it fails. */
void ga__body_init(ga__body *body, ga__body_kind kind, uint64_t length);
void ga__body_free(ga__body *body);
int ga__body_decode(ga__body *body, const ga__http1_limits *limits, const char *data, size_t size,
                    size_t *consumed, const char **out, size_t *out_size, const char **problem);

#endif
