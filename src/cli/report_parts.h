/* SPDX-License-Identifier: MIT */
/*
 * What a report is made of, gathered from a journal; and its form as a page.
 */
#ifndef GA__REPORT_PARTS_H
#define GA__REPORT_PARTS_H

#include "bulk/journal.h"
#include "bulk/stats.h"
#include "cli/timeline.h"

enum { GA__REPORT_FAILURES = 50 };

typedef struct ga__report_failure {
    uint64_t n;
    uint32_t page;
    int status, attempts;
    ga__kind kind;
    int64_t at;
    char *id, *message; /* NULL: none, or no memory */
} ga__report_failure;

/* It is large: for the heap. */
typedef struct ga__report {
    char *output;
    ga__journal_summary summary;
    bool running; /* the job is at work now */
    int64_t ended_at;
    ga__stats stats;
    ga__timeline timeline;
    ga__report_failure failures[GA__REPORT_FAILURES]; /* the first ones */
    size_t failure_count;
} ga__report;

/* "finished", "running", "not finished" */
const char *ga__report_state(const ga__report *report);
/* In which the records were made. */
double ga__report_seconds(const ga__report *report);

/* Appends the page. It needs neither network nor scripts, and forbids both. */
void ga__report_page(ga__buffer *out, const ga__report *report);

#endif
