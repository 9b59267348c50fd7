/* SPDX-License-Identifier: MIT */
/*
 * How a job went, in words: the end of a run, and a report.
 */
#ifndef GA__SUMMARY_H
#define GA__SUMMARY_H

#include "bulk/stats.h"
#include "cli/terminal.h"

typedef struct ga__summary {
    const ga__stats *stats;
    uint64_t total;     /* rows of the job; 0: not known */
    double seconds;     /* in which the records were made */
    const char *output; /* NULL: standard output */
    bool all;           /* each status, not only the most frequent ones */
} ga__summary;

/* Appends it in lines of the terminal's width. */
void ga__summary_append(ga__buffer *out, const ga__summary *summary, const ga__terminal *terminal);

/* Counts by name, most frequent first: "http: 120  timeout: 90". */
typedef struct ga__tally {
    size_t index; /* the kind, or the status */
    uint64_t count;
} ga__tally;

/* The most frequent of the counts that are not 0, at most `most`, in `tallies`. @return how many there are */
size_t ga__tally_most(ga__tally *tallies, size_t most, const uint64_t *counts, size_t size);
/* "http: 120"; a text that lasts until the buffer is changed. */
const char *ga__tally_kind(ga__buffer *text, const ga__tally *tally);
const char *ga__tally_status(ga__buffer *text, const ga__tally *tally);

#endif
