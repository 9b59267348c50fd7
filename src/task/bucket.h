/* SPDX-License-Identifier: MIT */
/*
 * A bucket of units that fills at a rate, after the generic cell rate algorithm: a bucket of `burst` units is
 * kept as the one time `full_at` at which it would be full. To start, a cost c needs the time at which the
 * bucket holds c units; it moves full_at back by what c units cost. Without a loop or a clock: times are the
 * caller's, in ns. The limiter is made of one, and so is the pace of requests.
 */
#ifndef GA__BUCKET_H
#define GA__BUCKET_H

#include <gather/sync.h>
#include <stdbool.h>

typedef struct ga_bucket_ ga__bucket;

/* `rate` in units per second, 0 or less: no limit; `burst` at least 1. It holds nothing until its time
 * begins. */
void ga__bucket_init(ga__bucket *bucket, double rate, double burst);

/* Its time begins, with so many units in it, a whole burst at most. Does nothing where it has begun. */
void ga__bucket_begin(ga__bucket *bucket, double units, uint64_t now);

/* Whether it lets everything through at once. */
static inline bool ga__bucket_unlimited(const ga__bucket *bucket)
{
    return !(bucket->interval_ > 0) && !bucket->resume_at_;
}

/* When what this cost needs is there: the cost, a whole burst at most, and the end of a pause. */
uint64_t ga__bucket_start(const ga__bucket *bucket, double cost);

/* Takes the cost out. One who comes just in time is not charged for having been late by a millisecond or
 * less: a timer fires a little late and a task runs a little later, and a high rate is to be reached, too.
 * `waited`: he was in line. */
void ga__bucket_pay(ga__bucket *bucket, double cost, uint64_t now, bool waited);

/* Takes out so many units more, though they may not be there; negative: gives them back. */
void ga__bucket_charge(ga__bucket *bucket, double units, uint64_t now);

/* Lets nothing through until then, and afterwards one unit, not a whole burst. */
void ga__bucket_pause(ga__bucket *bucket, uint64_t until);

/* The bucket keeps the units that it holds; the end of a pause stays where it is. It has begun. */
void ga__bucket_set_rate(ga__bucket *bucket, double rate, uint64_t now);

#endif
