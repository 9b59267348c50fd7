/* SPDX-License-Identifier: MIT */
/*
 * The chunked transfer coding, received (RFC 9112 section 7.1). Data is handed out as slices of the input;
 * only the trailer section is kept, in an allocation that exists where there is one.
 */
#ifndef GA__HTTP1_CHUNKED_H
#define GA__HTTP1_CHUNKED_H

#include "protocol/http1_fields.h"

typedef struct ga__chunked_limits {
    uint32_t max_line;       /* bytes of a chunk-size line, its end included */
    uint32_t max_extensions; /* bytes of chunk extensions in one body, all chunks together */
    ga__headers_limits trailers;
} ga__chunked_limits;

struct ga__trailers; /* private */

typedef struct ga__chunked {
    uint64_t remaining;  /* bytes of the current chunk still to come */
    const char *problem; /* what is wrong, a static string; NULL while nothing is */
    struct ga__trailers *trailers;
    uint32_t line;       /* bytes of the current line so far */
    uint32_t extensions; /* bytes of extensions so far */
    uint8_t state;
    uint8_t digits; /* of the current chunk size */
} ga__chunked;

void ga__chunked_init(ga__chunked *chunked);
void ga__chunked_free(ga__chunked *chunked);

/* Decodes from `data`: consumes framing up to and with the next piece of content, or all of it.
 * *consumed says how much of the input was used, *out and *out_size are the content (a slice of `data`; size
 * 0 where there was none).
 * @return 0: the body goes on
 *         1: it is complete; what is not consumed is not the body's
 *         GA_EPROTOCOL, GA_EHEADTOOBIG (trailers), GA_ENOMEM: see `problem` */
int ga__chunked_decode(ga__chunked *chunked, const ga__chunked_limits *limits, const char *data, size_t size,
                       size_t *consumed, const char **out, size_t *out_size);

/* The trailer fields of a complete body, without those that may not be there (RFC 9110 section 6.5.1); NULL
 * where it had none. Lives until ga__chunked_free. */
const ga__headers *ga__chunked_trailers(const ga__chunked *chunked);

/* The most bytes that ga__chunked_prefix writes. */
#define GA__CHUNK_PREFIX_MAX 18

/* Writes what stands before a chunk of `size` bytes, "1f4\r\n"; after the chunk comes "\r\n", and the body
 * ends with "0\r\n\r\n". Not for size 0.
 * @return the bytes written */
size_t ga__chunked_prefix(char *out, uint64_t size);

#endif
