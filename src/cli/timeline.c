/* SPDX-License-Identifier: MIT */
/*
 * Slices of time, for the plots of a report. A journal is read once, from its beginning, and how long the job
 * takes is not known by then: so slices are joined in pairs whenever they are too few.
 */
#include "cli/timeline.h"

#include <string.h>

static const double first_width = 10; /* ms */

static void join(ga__timeline_slice *sum, const ga__timeline_slice *other)
{
    sum->rows += other->rows;
    sum->failed += other->failed;
    sum->retries += other->retries;
    ga__durations_join(&sum->service, &other->service);
}

static void double_width(ga__timeline *timeline)
{
    enum { HALF = GA__TIMELINE_SLICES / 2 };

    for (size_t i = 0; i < HALF; i++) {
        if (i > 0)
            timeline->slices[i] = timeline->slices[2 * i];
        join(&timeline->slices[i], &timeline->slices[2 * i + 1]);
    }
    memset(timeline->slices + HALF, 0, HALF * sizeof *timeline->slices);
    timeline->count = (timeline->count + 1) / 2;
    timeline->width *= 2;
}

void ga__timeline_add(ga__timeline *timeline, const ga__record *record)
{
    int64_t at = record->at < timeline->latest ? record->at : timeline->latest;

    if (record->at <= 0) /* it was never begun */
        return;
    if (timeline->width == 0)
        timeline->width = first_width;
    double passed = at > timeline->began ? (double)(at - timeline->began) : 0;

    while (passed >= timeline->width * GA__TIMELINE_SLICES)
        double_width(timeline);
    size_t place = (size_t)(passed / timeline->width);
    ga__timeline_slice *slice = &timeline->slices[place];

    if (place >= timeline->count)
        timeline->count = place + 1;
    slice->rows += record->page <= 1;
    slice->failed += !record->ok;
    slice->retries += record->attempts > 1 ? (uint64_t)record->attempts - 1 : 0;
    ga__durations_add(&slice->service, record->total_ms);
}

void ga__timeline_settle(ga__timeline *timeline)
{
    enum { ROWS_ENOUGH = 200, SLICES_FEW = 12 };
    uint64_t rows = 0;

    for (size_t i = 0; i < timeline->count; i++)
        rows += timeline->slices[i].rows;
    while (timeline->count > SLICES_FEW && rows < timeline->count * ROWS_ENOUGH)
        double_width(timeline);
}
