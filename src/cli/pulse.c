/* SPDX-License-Identifier: MIT */
/*
 * The pulse of a job: the last minute in beats of a second, and what follows from it. A job's rate changes
 * with the servers' moods, so what lies longer back does not count.
 */
#include "cli/pulse.h"

#include <math.h>

uint64_t ga__status_done(const ga__job_status *status)
{
    return status->stats.rows + status->stats.skipped;
}

double ga__status_share(const ga__job_status *status)
{
    if (status->total > 0)
        return fmin((double)ga__status_done(status) / (double)status->total, 1);
    return status->input_progress >= 0 ? fmin(status->input_progress, 1) : -1;
}

void ga__pulse_take(ga__pulse *pulse, const ga__job_status *status)
{
    const ga__stats *stats = &status->stats;
    const ga__beat *last = &pulse->beats[(pulse->count + GA__PULSE_BEATS - 1) % GA__PULSE_BEATS];

    pulse->now = (ga__beat){
        .seconds = status->seconds,
        .rows = (double)stats->rows,
        .requests = (double)(stats->rows + stats->pages + stats->retries),
        .input = status->total == 0 ? status->input_progress : -1,
    };
    if (pulse->count == 0 || status->seconds >= last->seconds + 1)
        pulse->beats[pulse->count++ % GA__PULSE_BEATS] = pulse->now;
}

/* The beat that long ago; the first where there was none yet. */
static const ga__beat *beat_before(const ga__pulse *pulse, double seconds)
{
    size_t kept = pulse->count < GA__PULSE_BEATS ? pulse->count : GA__PULSE_BEATS;

    for (size_t i = pulse->count - kept; i < pulse->count; i++)
        if (pulse->beats[i % GA__PULSE_BEATS].seconds >= pulse->now.seconds - seconds)
            return &pulse->beats[i % GA__PULSE_BEATS];
    return &pulse->now;
}

double ga__pulse_rate(const ga__pulse *pulse)
{
    const ga__beat *then = beat_before(pulse, 10.5);
    double passed = pulse->now.seconds - then->seconds;

    return passed > 0 ? fmax(pulse->now.requests - then->requests, 0) / passed : 0;
}

double ga__pulse_left(const ga__pulse *pulse, const ga__job_status *status)
{
    const ga__beat *then = beat_before(pulse, 60.5);
    double passed = pulse->now.seconds - then->seconds;
    double rows = passed > 0 ? (pulse->now.rows - then->rows) / passed : 0;

    if (status->total == 0) {
        double read = passed > 0 && then->input >= 0 ? (pulse->now.input - then->input) / passed : 0;

        return pulse->now.input >= 0 && read > 0 ? (1 - pulse->now.input) / read : -1;
    }
    uint64_t done = ga__status_done(status);
    double left = done < status->total ? (double)(status->total - done) : 0;

    if (rows > 0)
        return left / rows;
    return left == 0 ? 0 : status->rate > 0 ? left / status->rate : -1;
}
