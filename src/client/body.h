/* SPDX-License-Identifier: MIT */
/*
 * A request's body that is not in memory as a whole: taken piece by piece, by whoever sends it, from files,
 * callbacks, and the text between them. It is a row of segments; most have one, multipart has two for each of
 * its parts. It holds no buffer, and a descriptor only while its file is being sent.
 */
#ifndef GA__BODY_H
#define GA__BODY_H

#include "base/buffer.h"
#include "client/failure.h"
#include <gather/session.h>

typedef struct ga__body_segment {
    enum { GA__SEGMENT_TEXT, GA__SEGMENT_BYTES, GA__SEGMENT_FILE, GA__SEGMENT_CALLBACK } kind;
    int64_t size; /* -1: it ends when the callback says so */
    union {
        size_t at;                    /* of TEXT, in the source's text */
        const char *bytes;            /* the caller's */
        const char *path;             /* the caller's */
        const ga_body_source *source; /* the caller's */
    } from;
} ga__body_segment;

typedef struct ga__body_source {
    int64_t size;         /* of the whole body; -1: only its end tells */
    bool replayable;      /* it can be sent again after it was begun */
    bool begun;           /* something was taken from it */
    bool failed;          /* ... and the last time in vain: no connection's fault */
    bool calls;           /* a callback of the caller's is among it: it may take any time, and do anything */
    ga__buffer type;      /* Content-Type; empty where the kind of body has none of its own */
    ga__buffer text;      /* what stands around the parts of multipart */
    ga__buffer segments_; /* ga__body_segment, one after the other */
    size_t present;       /* the segment from which is taken */
    int64_t taken;        /* bytes of it */
    int fd;               /* of it, or -1 */
} ga__body_source;

/* The body that the options give by .multipart, .body_file or .body_source; what they point to must last as
 * long. Does not suspend.
 * @return NULL with GA_EUSAGE, GA_EHEADER, GA_ESYSTEM (a file that is not there), GA_ENOMEM; recorded */
ga__body_source *ga__body_source_new(const ga_request_options *options);

/* Takes the next piece, at most `size` bytes (above 0) into `buffer`, which must not be the loop's. Suspends
 * where a callback does, and where a file is not in the system's memory. A body of known size gives exactly
 * that many bytes, or fails.
 * @return the number of bytes; 0 at the end; recorded: what a callback failed with, GA_ESYSTEM (the file
 *         cannot be read, or has changed its size), GA_EUSAGE (a callback gave less than it said), GA_EFDS */
ssize_t ga__body_source_read(ga__body_source *source, void *buffer, size_t size);

/* Goes back to the beginning. Suspends where the callback does.
 * @return 0; GA_ENOTREPLAYABLE, or what the callback failed with; recorded */
int ga__body_source_rewind(ga__body_source *source);

/* Whether ga__body_source_rewind has a chance. NULL is a body in memory. */
static inline bool ga__body_source_can_rewind(const ga__body_source *source)
{
    return !source || !source->begun || source->replayable;
}

/* NULL is fine. */
void ga__body_source_free(ga__body_source *source);

/* --- for body_parts.c ----------------------------------------------------------------------------- */

/* Adds a segment, and its size to the whole. @return 0, or GA_EUSAGE, GA_ENOMEM; recorded */
int ga__body_source_add(ga__body_source *source, ga__body_segment segment);

/* The segment of a file: looks how large it is. @return as above, and GA_ESYSTEM */
int ga__body_source_add_file(ga__body_source *source, const char *path);

int ga__body_source_add_callback(ga__body_source *source, const ga_body_source *callback);

/* The parts of multipart, with the text around them, and the type. @return as above, and GA_EHEADER */
int ga__body_source_add_parts(ga__body_source *source, const ga_part *parts, const char *type);

#endif
