/* SPDX-License-Identifier: MIT */
/*
 * What a job has done so far, in numbers: for its progress, its summary and its report. A histogram keeps
 * durations to within 3 % from 0.01 ms to a day, in a fixed size.
 */
#ifndef GA__STATS_H
#define GA__STATS_H

#include "bulk/record.h"

enum { GA__STATS_BUCKETS = 1056, GA__STATS_STATUSES = 1000 };

typedef struct ga__durations {
    uint64_t count;
    double sum, least, most; /* ms */
    uint32_t buckets[GA__STATS_BUCKETS];
} ga__durations;

/* A negative one is none. */
void ga__durations_add(ga__durations *durations, double ms);
void ga__durations_join(ga__durations *sum, const ga__durations *other);
/* The duration below which this share (0.99) of them is; 0 where there are none. */
double ga__durations_at(const ga__durations *durations, double share);
/* Where a bucket begins, in ms; that of GA__STATS_BUCKETS is where the last ends. */
double ga__durations_bucket(size_t index);

typedef struct ga__stats {
    uint64_t rows; /* records written, by this run or read from a journal */
    uint64_t ok;
    uint64_t skipped; /* done before this run */
    uint64_t pages;   /* records of pages beyond the first of their rows */
    uint64_t kinds[GA__KINDS];
    uint64_t statuses[GA__STATS_STATUSES]; /* by status */
    uint64_t retries;                      /* attempts after the first */
    uint64_t bytes;                        /* of bodies */
    int64_t first_at, last_at;             /* ms since 1970, of first attempts; 0: none yet */
    ga__durations wait, service;           /* in line for the pace; from sending to the end */
} ga__stats;

void ga__stats_add(ga__stats *stats, const ga__record *record);
/* Records of a failure: one for each row that failed. And rows that did not. */
uint64_t ga__stats_failed(const ga__stats *stats);
uint64_t ga__stats_good(const ga__stats *stats);
void ga__stats_join(ga__stats *sum, const ga__stats *other);

#endif
