/* SPDX-License-Identifier: MIT */
/*
 * Content codings (RFC 9110 section 8.4): their names, and which of them a message says its content has.
 */
#ifndef GA__CODING_H
#define GA__CODING_H

#include "base/slice.h"
#include "protocol/headers.h"

typedef enum ga__coding {
    GA__CODING_GZIP,
    GA__CODING_DEFLATE,
    GA__CODING_BROTLI,
    GA__CODING_ZSTD,
    GA__CODING_COUNT
} ga__coding;

/* What a client that decodes all of them says in Accept-Encoding. */
#define GA__CODINGS_ACCEPTED "gzip, deflate, br, zstd"

/* The codings of one content, in the order in which they were applied. */
enum { GA__CODINGS_MOST = 5 };
typedef struct ga__codings {
    uint8_t count;
    bool too_many; /* more than GA__CODINGS_MOST: the content is not to be decoded, nor taken as it is */
    uint8_t coding[GA__CODINGS_MOST];
} ga__codings;

/* "gzip", and of the other ones. */
const char *ga__coding_name(ga__coding coding);

/* Finds a coding by its name, in whatever case; "x-gzip" is gzip. False for any other. */
bool ga__coding_find(ga__slice name, ga__coding *coding);

/* Reads the Content-Encoding fields. Where one coding is not known, none is named: the content is then for
 * the caller as it came. "identity" is no coding. */
void ga__codings_read(ga__codings *codings, const ga__headers *headers);

#endif
