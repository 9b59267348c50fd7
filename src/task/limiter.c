/* SPDX-License-Identifier: MIT */
/*
 * The rate limiter: a bucket (task/bucket.h), and those in line for what it holds.
 *
 * Invariant: while tasks wait, the timer is armed for the time at which the first in line may start. Only a
 * start is paid for, so one who is cancelled in line leaves nothing to give back.
 */
#include "task/bucket.h"
#include "task/loop.h"
#include <gather/sync.h>
#include <math.h>

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
        uint64_t start = ga__bucket_start(&limiter->bucket_, cost_of(first));

        if (start > now) {
            ga__timer_arm(&limiter->timer_, start);
            return;
        }
        ga__bucket_pay(&limiter->bucket_, cost_of(first), now, true);
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
    *limiter = (ga_limiter){.timer_.fire = turn_came};
    ga__bucket_init(&limiter->bucket_, rate, burst);
    ga__list_init(&limiter->waiters_);
}

/* Its first use finds one unit. */
static void begin(ga_limiter *limiter, uint64_t now)
{
    ga__bucket_begin(&limiter->bucket_, 1, now);
}

static bool is_unlimited(const ga_limiter *limiter)
{
    return ga__bucket_unlimited(&limiter->bucket_) && ga__list_empty(&limiter->waiters_);
}

/* 0 where the cost was paid; GA_EAGAIN where it has to wait. */
static int start_now(ga_limiter *limiter, double cost)
{
    if (is_unlimited(limiter))
        return 0;
    uint64_t now = ga__now_exact();

    begin(limiter, now);
    if (!ga__list_empty(&limiter->waiters_) || ga__bucket_start(&limiter->bucket_, cost) > now)
        return GA_EAGAIN;
    ga__bucket_pay(&limiter->bucket_, cost, now, false);
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
        ga__timer_arm(&limiter->timer_, ga__bucket_start(&limiter->bucket_, cost));
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
    if (seconds > 0)
        ga__bucket_pause(&limiter->bucket_, ga__deadline(now, seconds));
    serve(limiter, now);
    return 0;
}

int ga_limiter_set_rate(ga_limiter *limiter, double rate)
{
    if (!ga__loop_here)
        return refuse_outside("ga_limiter_set_rate");
    uint64_t now = ga__now_exact();

    begin(limiter, now);
    ga__bucket_set_rate(&limiter->bucket_, rate, now);
    serve(limiter, now);
    return 0;
}
