/* SPDX-License-Identifier: MIT */
/*
 * The rate limiter, after the generic cell rate algorithm: a bucket of `burst` units that fills at the rate
 * is kept as the one time `full_at` at which it would be full. To start, a cost c needs the time at which the
 * bucket holds c units; it moves full_at back by what c units cost.
 *
 * Invariant: while tasks wait, the timer is armed for the time at which the first in line may start. Only a
 * start is paid for, so one who is cancelled in line leaves nothing to give back.
 */
#include "task/loop.h"
#include <gather/sync.h>
#include <math.h>

/* A timer fires a little late, and a task runs a little later. Up to so many ns of that are not charged, so
 * that a high rate is reached, too: the units that came due meanwhile start together. */
static const double LATENESS = 1e6;

/* No time lies beyond, so that sums stay within 64 bits. */
static const double FARTHEST = 9e18;

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

static double interval_of(double rate)
{
    return rate > 0 ? 1e9 / rate : 0;
}

/* When what this cost needs is there: the cost, a whole burst at most, and the end of a pause. */
static uint64_t start_of(const ga_limiter *limiter, double cost)
{
    double spare = limiter->burst_ - fmin(cost, limiter->burst_);

    return later(limiter->resume_at_, before(limiter->full_at_, spare * limiter->interval_));
}

/* Takes the cost out of the bucket, as of `from` at the earliest. */
static void pay(ga_limiter *limiter, double cost, uint64_t from)
{
    limiter->full_at_ = after(later(limiter->full_at_, from), cost * limiter->interval_);
}

static const ga_task *first_in_line(const ga_limiter *limiter)
{
    ga__link *link = ga__list_first(&limiter->waiters_);

    return link ? GA__OF(link, ga_task, queue) : NULL;
}

static double cost_of(const ga_task *waiter)
{
    return *(const double *)waiter->exchange;
}

/* Lets start who may by now, and arms the timer for the next. */
static void serve(ga_limiter *limiter, uint64_t now)
{
    const ga_task *first;

    while ((first = first_in_line(limiter))) {
        uint64_t start = start_of(limiter, cost_of(first));

        if (start > now) {
            ga__timer_arm(&limiter->timer_, start);
            return;
        }
        pay(limiter, cost_of(first), before(now, LATENESS));
        ga__wake_first(&limiter->waiters_, 0);
    }
    ga__timer_disarm(&limiter->timer_);
}

static void turn_came(ga_timer_ *timer)
{
    serve(GA__OF(timer, ga_limiter, timer_), ga__now());
}

void ga_limiter_init(ga_limiter *limiter, double rate, double burst)
{
    *limiter = (ga_limiter){.interval_ = interval_of(rate), .burst_ = burst > 1 ? burst : 1};
    limiter->timer_.fire = turn_came;
    ga__list_init(&limiter->waiters_);
}

/* The bucket holds one unit, as at the beginning and after a pause. */
static uint64_t full_after_one(const ga_limiter *limiter, uint64_t now)
{
    return after(now, (limiter->burst_ - 1) * limiter->interval_);
}

static void begin(ga_limiter *limiter, uint64_t now)
{
    if (limiter->begun_)
        return;
    limiter->begun_ = 1;
    limiter->full_at_ = full_after_one(limiter, now);
}

static bool is_unlimited(const ga_limiter *limiter)
{
    return !(limiter->interval_ > 0) && !limiter->resume_at_ && ga__list_empty(&limiter->waiters_);
}

/* 0 where the cost was paid; GA_EAGAIN where it has to wait. */
static int start_now(ga_limiter *limiter, double cost)
{
    if (is_unlimited(limiter))
        return 0;
    uint64_t now = ga__now_exact();

    begin(limiter, now);
    if (!ga__list_empty(&limiter->waiters_) || start_of(limiter, cost) > now)
        return GA_EAGAIN;
    /* After a time without any, time counts from now; one who is only late takes the next place of the row.
     */
    pay(limiter, cost, limiter->full_at_ < before(now, LATENESS) ? now : 0);
    return 0;
}

static bool is_possible(double cost)
{
    return cost >= 0 && isfinite(cost);
}

static int refuse_cost(const char *call, double cost)
{
    return ga__fail(GA_EUSAGE, "%s: a cost of %g is not possible", call, cost);
}

/* Only a loop has a time. */
static int refuse_outside(const char *call)
{
    return ga__fail(GA_ENOTASK, "%s: no loop runs on this thread, so there is no time", call);
}

int ga_limiter_try(ga_limiter *limiter, double cost)
{
    if (!is_possible(cost))
        return refuse_cost("ga_limiter_try", cost);
    if (!ga__loop_here)
        return refuse_outside("ga_limiter_try");
    return start_now(limiter, cost);
}

int ga_limiter_wait(ga_limiter *limiter, double cost)
{
    int code = ga__checkpoint();

    if (code < 0)
        return code;
    if (!is_possible(cost))
        return refuse_cost("ga_limiter_wait", cost);
    if (start_now(limiter, cost) == 0)
        return 0;
    ga__current()->exchange = &cost;
    if (ga__list_empty(&limiter->waiters_))
        ga__timer_arm(&limiter->timer_, start_of(limiter, cost));
    code = ga__park(&limiter->waiters_, GA__NEVER, 0, "its turn within a rate");
    if (GA_LIKELY(code == 0))
        return 0;
    serve(limiter, ga__now()); /* another may be first now, and cost less */
    return ga__fail(code, "cancelled while waiting for its turn within a rate");
}

int ga_limiter_pause(ga_limiter *limiter, double seconds)
{
    if (!ga__loop_here)
        return refuse_outside("ga_limiter_pause");
    uint64_t now = ga__now_exact();

    begin(limiter, now);
    if (seconds > 0) {
        limiter->resume_at_ = later(limiter->resume_at_, after(now, seconds * 1e9));
        limiter->full_at_ = later(limiter->full_at_, full_after_one(limiter, limiter->resume_at_));
    }
    serve(limiter, now);
    return 0;
}

int ga_limiter_set_rate(ga_limiter *limiter, double rate)
{
    if (!ga__loop_here)
        return refuse_outside("ga_limiter_set_rate");
    uint64_t now = ga__now_exact();
    uint64_t from = later(now, limiter->resume_at_);
    double old_interval = limiter->interval_;

    begin(limiter, now);
    limiter->interval_ = interval_of(rate);
    /* The bucket keeps the units that it holds; the end of a pause stays where it is. */
    if (!(old_interval > 0))
        limiter->full_at_ = full_after_one(limiter, from);
    else if (limiter->full_at_ > from)
        limiter->full_at_ =
            after(from, (double)(limiter->full_at_ - from) / old_interval * limiter->interval_);
    serve(limiter, now);
    return 0;
}
