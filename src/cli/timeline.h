/* SPDX-License-Identifier: MIT */
/*
 * What a job did when, in slices of time, as many however long it took: where the last is full, each takes
 * twice the time.
 */
#ifndef GA__TIMELINE_H
#define GA__TIMELINE_H

#include "bulk/stats.h"

enum { GA__TIMELINE_SLICES = 120 };

/* Of the records whose first attempt began in it. */
typedef struct ga__timeline_slice {
    uint64_t rows, failed, retries;
    ga__durations service;
} ga__timeline_slice;

/* It is large: for the heap. All zeros but the first two is one without records. */
typedef struct ga__timeline {
    int64_t began, latest; /* ms since 1970; what is said to be outside of them, after a clock jumped, counts
                              as the nearest */
    double width;          /* of a slice, in ms */
    size_t count;          /* slices in use */
    ga__timeline_slice slices[GA__TIMELINE_SLICES];
} ga__timeline;

void ga__timeline_add(ga__timeline *timeline, const ga__record *record);
/* When all are added: joins slices until there is enough in them to speak of a rate and of percentiles. */
void ga__timeline_settle(ga__timeline *timeline);

#endif
