/* SPDX-License-Identifier: MIT */
/*
 * Numbers as a person reads them: "61,240", "1.20 s", "12m 40s", "8.1 MB". Whatever the locale says.
 */
#ifndef GA__FIGURES_H
#define GA__FIGURES_H

#include "cli/terminal.h"

/* The percentiles that are told of durations: p50, p90, p99. */
typedef struct ga__percentile {
    const char *name;
    double share;
} ga__percentile;

enum { GA__PERCENTILES = 3 };

extern const ga__percentile ga__percentiles[GA__PERCENTILES];

/* 61,240 */
void ga__append_count(ga__buffer *out, uint64_t count);
/* A part of a line: the count, and what is counted (" failed"). */
void ga__put_count(ga__lines *lines, ga__style style, uint64_t count, const char *what);
/* The same, where there are any. */
void ga__put_some(ga__lines *lines, ga__style style, uint64_t count, const char *what);
/* A number with three digits that mean something: 0.05, 4.98, 49.8, 1,204. */
void ga__append_number(ga__buffer *out, double number);
/* How long a call took, given in ms: 0.42 ms, 182 ms, 1.20 s, 2m 03s. */
void ga__append_ms(ga__buffer *out, double ms);
/* How long a job takes, given in seconds: 4.20 ms, 0.42 s, 3 s, 42 s, 12m 40s, 1h 02m, 3d 04h. */
void ga__append_duration(ga__buffer *out, double seconds);
/* 812 B, 8.12 kB, 81.2 MB. */
void ga__append_bytes(ga__buffer *out, uint64_t bytes);
/* A share from 0 to 1: 61.2 %. It is 100 % and 0 % only where it is that. */
void ga__append_share(ga__buffer *out, double share);
/* A time in UTC, given in ms since 1970, as strftime has it in this format. Nothing of 0. */
void ga__append_time(ga__buffer *out, int64_t ms, const char *format);
#define GA__DATE_AND_TIME "%Y-%m-%d %H:%M:%S"

#endif
