/* SPDX-License-Identifier: MIT */
/*
 * How fast a job goes, and when it will be done.
 */
#ifndef GA__PULSE_H
#define GA__PULSE_H

#include "bulk/job.h"

enum { GA__PULSE_BEATS = 62 };

typedef struct ga__beat {
    double seconds;  /* of the run */
    double rows;     /* done by this run */
    double requests; /* attempts and pages, too */
    double input;    /* the share read; negative: not known */
} ga__beat;

/* The last minute, a beat each second. All zeros is a pulse before the first. */
typedef struct ga__pulse {
    ga__beat beats[GA__PULSE_BEATS];
    size_t count; /* beats taken so far */
    ga__beat now;
} ga__pulse;

void ga__pulse_take(ga__pulse *pulse, const ga__job_status *status);
/* Requests ended per second, in the last ten. */
double ga__pulse_rate(const ga__pulse *pulse);
/* Seconds to the job's end at the rate of the last minute; where nothing was done in it, at the rate that the
 * pace allows. Negative: not known. */
double ga__pulse_left(const ga__pulse *pulse, const ga__job_status *status);

/* Rows that are done, by this run and before it. */
uint64_t ga__status_done(const ga__job_status *status);
/* How much of the job is done, from 0 to 1; negative: not known. */
double ga__status_share(const ga__job_status *status);

#endif
