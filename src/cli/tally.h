/* SPDX-License-Identifier: MIT */
/*
 * Counts by name, most frequent first: "http: 120  timeout: 90".
 */
#ifndef GA__TALLY_H
#define GA__TALLY_H

#include "bulk/stats.h"

typedef struct ga__tally {
    size_t index; /* the kind, or the status */
    uint64_t count;
} ga__tally;

/* The most frequent of the counts that are not 0, at most `most`, in `tallies`. @return how many there are */
size_t ga__tally_most(ga__tally *tallies, size_t most, const uint64_t *counts, size_t size);
/* The same of the kinds of failure. */
size_t ga__tally_failures(ga__tally *tallies, size_t most, const ga__stats *stats);

/* "http: 120", "404: 7"; a text that lasts until the buffer is changed. */
const char *ga__tally_kind(ga__buffer *text, const ga__tally *tally);
const char *ga__tally_status(ga__buffer *text, const ga__tally *tally);

/* "404"; of 0 "no answer". */
void ga__append_status(ga__buffer *out, size_t status);

#endif
