/* SPDX-License-Identifier: MIT */
/*
 * The arithmetic of rates. Called by task/limiter.c and client/pace.c.
 */
#include "task/bucket.h"

/* Up to so many ns of being late are not charged: the units that came due meanwhile start together. */
static const double LATENESS = 1e6;

/* No time lies beyond, so that sums stay within 64 bits. */
static const double FARTHEST = 9e18;

/* What more than so many ns would bring is not saved up, and no unit takes longer: 127 years. */
static const double MOST_SAVED = 4e18;

static uint64_t after(uint64_t time, double ns)
{
    return (double)time + ns < FARTHEST ? time + (uint64_t)ns : (uint64_t)FARTHEST;
}

static uint64_t before(uint64_t time, double ns)
{
    return ns < (double)time ? time - (uint64_t)ns : 0;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* fmin is a call into a library that has nothing else to do in a request. */
static double at_most(double value, double most)
{
    return value < most ? value : most;
}

static double interval_of(double rate)
{
    return rate > 0 ? at_most(1e9 / rate, MOST_SAVED) : 0;
}

/* How long it takes to become full from so many units. */
static double time_to_fill(const ga__bucket *bucket, double units)
{
    return at_most((bucket->burst_ - at_most(units, bucket->burst_)) * bucket->interval_, MOST_SAVED);
}

/* When it is full if it holds so many units at a time. */
static uint64_t full_after(const ga__bucket *bucket, double units, uint64_t time)
{
    return after(time, time_to_fill(bucket, units));
}

void ga__bucket_init(ga__bucket *bucket, double rate, double burst)
{
    *bucket = (ga__bucket){.interval_ = interval_of(rate), .burst_ = burst > 1 ? burst : 1};
}

void ga__bucket_begin(ga__bucket *bucket, double units, uint64_t now)
{
    if (bucket->begun_)
        return;
    bucket->begun_ = 1;
    bucket->full_at_ = full_after(bucket, units, now);
}

uint64_t ga__bucket_start(const ga__bucket *bucket, double cost)
{
    return later(bucket->resume_at_, before(bucket->full_at_, time_to_fill(bucket, cost)));
}

void ga__bucket_pay(ga__bucket *bucket, double cost, uint64_t now, bool waited)
{
    uint64_t from = before(now, LATENESS);

    /* After a time without any, time counts from now; one who is only late takes the next place of the row.
     */
    if (!waited)
        from = bucket->full_at_ < from ? now : 0;
    bucket->full_at_ = after(later(bucket->full_at_, from), cost * bucket->interval_);
}

void ga__bucket_charge(ga__bucket *bucket, double units, uint64_t now)
{
    if (units < 0)
        bucket->full_at_ = before(bucket->full_at_, -units * bucket->interval_);
    else
        bucket->full_at_ = after(later(bucket->full_at_, now), units * bucket->interval_);
}

void ga__bucket_pause(ga__bucket *bucket, uint64_t until)
{
    bucket->resume_at_ = later(bucket->resume_at_, until);
    bucket->full_at_ = later(bucket->full_at_, full_after(bucket, 1, bucket->resume_at_));
}

void ga__bucket_set_rate(ga__bucket *bucket, double rate, uint64_t now)
{
    uint64_t from = later(now, bucket->resume_at_);
    double old_interval = bucket->interval_;

    bucket->interval_ = interval_of(rate);
    if (!(old_interval > 0))
        bucket->full_at_ = full_after(bucket, 1, from);
    else if (bucket->full_at_ > from)
        bucket->full_at_ = after(from, (double)(bucket->full_at_ - from) / old_interval * bucket->interval_);
}
