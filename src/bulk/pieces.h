/* SPDX-License-Identifier: MIT */
/*
 * A file that is read in pieces: what was read and not yet taken lies in one run of bytes, which grows by
 * doubling where a row needs it.
 */
#ifndef GA__PIECES_H
#define GA__PIECES_H

#include "base/slice.h"
#include <stdatomic.h>
#include <stdbool.h>

typedef struct ga__pieces {
    int fd;      /* -1: not open */
    int stop_fd; /* becomes readable when reading is to end */
    char *data;
    size_t begin, end, capacity; /* what is there lies from begin to end */
    bool ended;                  /* nothing comes behind it */
    _Atomic uint64_t taken;      /* bytes, for the progress */
    uint64_t line;               /* of the first byte that is there, from 1 */
} ga__pieces;

/* Begins with a descriptor, which is the pieces' from now on. */
void ga__pieces_begin(ga__pieces *pieces, int fd, int stop_fd);
/* Closes it, and frees the memory. */
void ga__pieces_end(ga__pieces *pieces);

static inline ga__slice ga__pieces_there(const ga__pieces *pieces)
{
    return (ga__slice){pieces->data ? pieces->data + pieces->begin : "", pieces->end - pieces->begin};
}

/* Reads more. @return 1; 0 at the end, `ended` is set then; -1 with errno; -2: it was stopped. */
int ga__pieces_read(ga__pieces *pieces);

/* Takes the first bytes off, which hold so many lines. */
void ga__pieces_take(ga__pieces *pieces, size_t size, uint64_t lines);

/* The next line, without its end; it is taken. It lasts until the next read.
 * @return 1; 0 at the end; 2: it is longer than `most`, `line` is its beginning, and all of it was skipped;
 * -1, -2 as above */
int ga__pieces_line(ga__pieces *pieces, size_t most, ga__slice *line);

#endif
