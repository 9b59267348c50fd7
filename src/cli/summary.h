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

#endif
