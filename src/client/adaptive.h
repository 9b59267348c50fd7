/* SPDX-License-Identifier: MIT */
/*
 * How many requests a host takes at once, found out by trying: the limit grows while answers come as quickly
 * as the best did, shrinks in the measure in which they come later (a queue is building up there), and
 * shrinks at once when the host pushes back. Without a loop or a clock: times are the caller's, in seconds.
 */
#ifndef GA__ADAPTIVE_H
#define GA__ADAPTIVE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct ga__adaptive {
    double limit, most;
    double best,
        next_best; /* the shortest latency of the last period and this one, and of this one; 0: none yet */
    double period_ends;
    double
        sum; /* of the latencies of this round, a round being as many answers as the limit allows at once */
    double count;
    size_t busiest; /* the most requests at once in this round */
} ga__adaptive;

/* Between 1 and `most` requests at once. */
void ga__adaptive_init(ga__adaptive *adaptive, size_t most);

/* How many requests may be there at once, before their answers' heads. */
static inline size_t ga__adaptive_limit(const ga__adaptive *adaptive)
{
    return (size_t)adaptive->limit;
}

/* An answer came after `latency` seconds, and so many, `busy`, were there at once then. */
void ga__adaptive_answered(ga__adaptive *adaptive, double latency, size_t busy, double now);

/* The host pushed back: 429 or 503. */
void ga__adaptive_pushed_back(ga__adaptive *adaptive);

#endif
