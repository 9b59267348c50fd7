/* SPDX-License-Identifier: MIT */
/*
 * Receiving one HTTP/1.1 response (RFC 9112), sans I/O: bytes in, events out. One struct serves one exchange;
 * it is small and holds no buffer. The order of calls:
 *
 *     ga__http1_response_init(&response, limits, GA__HTTP1_TO_HEAD ...);
 *     do ga__http1_response_head(...)  until it says GA__HTTP1_DONE     (heads of 1xx are GA__HTTP1_INTERIM)
 *     do ga__http1_response_body(...)  until it says GA__HTTP1_DONE
 *     ga__http1_response_reusable(&response, bytes left over)
 *     ga__http1_response_free(&response);
 *
 * and ga__http1_response_eof where the connection ends meanwhile.
 */
#ifndef GA__HTTP1_RESPONSE_H
#define GA__HTTP1_RESPONSE_H

#include "protocol/http1_message.h"

/* What was asked, as far as the answer's framing depends on it. */
enum {
    GA__HTTP1_TO_HEAD = 1,    /* the method was HEAD */
    GA__HTTP1_TO_CONNECT = 2, /* the method was CONNECT */
    GA__HTTP1_TO_UPGRADE = 4  /* the request had Upgrade, so that 101 is a possible answer */
};

typedef struct ga__http1_response {
    const ga__http1_limits *limits;
    const char *problem; /* after a failure: what exactly is wrong, a static string */
    ga__head_scan scan;
    uint16_t status;
    uint8_t minor; /* of the version: 0 or 1 */
    uint8_t asked; /* GA__HTTP1_TO_... */
    bool head_done;
    bool keep_alive;  /* what version, Connection and framing say; see ga__http1_response_reusable */
    bool has_length;  /* Content-Length is there, also where the response has no body (HEAD, 304) */
    uint64_t length;  /* its value */
    uint32_t phrase;  /* offset of the reason phrase in the head, where it is NUL-terminated; may be empty */
    uint32_t interim; /* 1xx heads so far */
    uint32_t interim_bytes; /* their bytes */
    ga__body body;
} ga__http1_response;

/* `limits` NULL: ga__http1_defaults; otherwise it must outlive the response. Allocates nothing. */
void ga__http1_response_init(ga__http1_response *response, const ga__http1_limits *limits, unsigned asked);
void ga__http1_response_free(ga__http1_response *response);

/* Reads a head. `data` are all bytes received since the last head's end, contiguous; while the head is
 * incomplete nothing is consumed or changed, and the caller comes again with the same bytes and more behind
 * them, at whatever address. When it is complete, the head's bytes are rewritten in place (NULs after names,
 * values and the reason phrase), and `table` refers to them: pack its headers before `data` is used for
 * something else. `table` may be one that serves many responses; its content counts only right after
 * GA__HTTP1_DONE or _INTERIM.
 * @return GA__HTTP1_MORE: *consumed is 0
 *         GA__HTTP1_INTERIM: `status` tells which; call again with what follows the *consumed bytes
 *         GA__HTTP1_DONE: what follows the *consumed bytes is the body's
 *         GA_EPROTOCOL, GA_EHEADTOOBIG, GA_ENOMEM */
int ga__http1_response_head(ga__http1_response *response, ga__headers_table *table, char *data, size_t size,
                            size_t *consumed);

/* Reads the body: hands out the next slice of content in `data`, and consumes it with the framing around it.
 * Call it until *consumed reaches size or it says DONE; with size 0, too, to learn that a body is empty by
 * its framing. With GA__BODY_TUNNEL it says DONE and consumes nothing.
 * @return GA__HTTP1_MORE
 *         GA__HTTP1_DONE: what is not consumed is no part of this response
 *         GA_EPROTOCOL, GA_EHEADTOOBIG (trailers), GA_ENOMEM */
int ga__http1_response_body(ga__http1_response *response, const char *data, size_t size, size_t *consumed,
                            const char **out, size_t *out_size);

/* The connection ended in order (FIN, close_notify); no byte is left that was not given to _head or _body. A
 * reset is the caller's to report, always as a failure.
 * @return GA__HTTP1_DONE: that ends the body, or follows a complete one
 *         GA_EDISCONNECTED: before the end of the head
 *         GA_ETRUNCATED: within the body */
int ga__http1_response_eof(ga__http1_response *response);

/* Whether the connection can take another request: the body is complete, the server keeps the connection, and
 * `surplus` bytes received beyond the body are none. */
bool ga__http1_response_reusable(const ga__http1_response *response, size_t surplus);

/* The trailer fields after DONE; NULL where there were none. Live until _free. */
const ga__headers *ga__http1_response_trailers(const ga__http1_response *response);

/* The seconds of "Keep-Alive: timeout=N" that the server allows an idle connection; -1 where it does
 * not say. */
int ga__http1_keep_alive_timeout(const ga__headers *headers);

#endif
