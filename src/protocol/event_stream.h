/* SPDX-License-Identifier: MIT */
/*
 * Server-sent events (HTML Standard, 9.2.6), without I/O: bytes in, events out. A line may end in CR, LF or
 * both, pieces may be cut anywhere, and what stands before the stream's end without an empty line behind it
 * is no event.
 */
#ifndef GA__EVENT_STREAM_H
#define GA__EVENT_STREAM_H

#include "base/buffer.h"
#include "base/slice.h"

typedef struct ga__event_stream {
    ga__buffer line; /* as far as it has come */
    ga__buffer data; /* of the event that is being read: each line's with an LF */
    ga__buffer type;
    ga__buffer id;       /* the last one that was given; it stays from event to event */
    ga__buffer next_id;  /* what becomes the id at the next empty line: what is torn off has no id either */
    ga__buffer tellable; /* the last id that a header can carry: one may have control characters in it */
    double retry;        /* seconds that the server asked for; negative: none */
    size_t limit;        /* bytes of a line, and of an event's data */
    bool after_cr;       /* an LF that comes now belongs to the line before */
    bool started;        /* a byte order mark is looked for before */
    bool id_given;       /* there is a next_id */
    bool dispatched;     /* data and type are those of an event that was told */
} ga__event_stream;

void ga__event_stream_init(ga__event_stream *stream, size_t limit);
void ga__event_stream_free(ga__event_stream *stream);
/* A connection was made anew: what was begun is forgotten; the last id and the retry time stay. */
void ga__event_stream_restart(ga__event_stream *stream);

/* Takes bytes until an event is complete; then `data` (without the last LF), `type` ("" where none was given:
 * it is "message") and `id` are its. *consumed: the bytes taken, all of them where there is no event.
 * @return 1 with an event, 0 without; GA_ETOOLARGE, GA_ENOMEM */
int ga__event_stream_feed(ga__event_stream *stream, const char *bytes, size_t size, size_t *consumed);

#endif
