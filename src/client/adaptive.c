/* SPDX-License-Identifier: MIT */
/*
 * Adaptive concurrency. Once a round the limit is multiplied with the gradient, the best latency by the
 * present one, and given sqrt(limit) more to try; so it settles where a small queue stands at the host.
 * Called by the files of client/pace.h.
 */
#include "client/adaptive.h"

#include <math.h>

static const double first_limit = 4;
static const double tolerance = 1.5;    /* latency may be so many times the best before the limit shrinks */
static const double most_at_once = 0.5; /* a round takes no more than that off */
static const double on_pushback = 0.7;
static const double period = 30; /* seconds: the best latency is of the last one or two of them */

void ga__adaptive_init(ga__adaptive *adaptive, size_t most)
{
    *adaptive = (ga__adaptive){.most = most > 0 ? (double)most : 1};
    adaptive->limit = fmin(first_limit, adaptive->most);
}

static void note_best(ga__adaptive *adaptive, double latency, double now)
{
    if (now >= adaptive->period_ends) {
        /* After a rest, what was best before it says nothing. */
        adaptive->best = now < adaptive->period_ends + period ? adaptive->next_best : 0;
        adaptive->next_best = latency;
        adaptive->period_ends = now + period;
    }
    adaptive->next_best = fmin(adaptive->next_best, latency);
    adaptive->best = adaptive->best > 0 ? fmin(adaptive->best, latency) : adaptive->next_best;
}

static void begin_round(ga__adaptive *adaptive)
{
    adaptive->sum = adaptive->count = 0;
    adaptive->busiest = 0;
}

void ga__adaptive_answered(ga__adaptive *adaptive, double latency, size_t busy, double now)
{
    note_best(adaptive, fmax(latency, 1e-6), now);
    adaptive->sum += latency;
    adaptive->count++;
    if (busy > adaptive->busiest)
        adaptive->busiest = busy;
    if (adaptive->count < floor(adaptive->limit))
        return;
    double gradient = fmin(1, tolerance * adaptive->best / fmax(adaptive->sum / adaptive->count, 1e-6));
    double next = adaptive->limit * fmax(gradient, most_at_once) + sqrt(adaptive->limit);

    /* What is not made use of is not known to be good. */
    if (next < adaptive->limit || (double)adaptive->busiest * 2 >= adaptive->limit)
        adaptive->limit = fmax(1, fmin(next, adaptive->most));
    begin_round(adaptive);
}

void ga__adaptive_pushed_back(ga__adaptive *adaptive)
{
    adaptive->limit = fmax(1, adaptive->limit * on_pushback);
    begin_round(adaptive);
}
