/* SPDX-License-Identifier: MIT */
/*
 * Counting what a job does. A histogram has 32 buckets for each doubling from 0.01 ms on, 33 doublings: the
 * last bucket ends after a day and is where all that takes longer is counted.
 */
#include "bulk/stats.h"

#include <math.h>

enum { PER_DOUBLING = 32 };

static const double least_ms = 0.01;

_Static_assert(GA__STATS_BUCKETS == PER_DOUBLING * 33, "33 doublings of 0.01 ms are a day");

double ga__durations_bucket(size_t index)
{
    return index == 0 ? 0 : least_ms * exp2((double)index / PER_DOUBLING);
}

static size_t bucket_of(double ms)
{
    double place = ms > least_ms ? floor(log2(ms / least_ms) * PER_DOUBLING) : 0;

    return place < GA__STATS_BUCKETS ? (size_t)place : GA__STATS_BUCKETS - 1;
}

void ga__durations_add(ga__durations *durations, double ms)
{
    if (!(ms >= 0))
        return;
    if (durations->count == 0 || ms < durations->least)
        durations->least = ms;
    if (ms > durations->most)
        durations->most = ms;
    durations->count++;
    durations->sum += ms;
    durations->buckets[bucket_of(ms)]++;
}

void ga__durations_join(ga__durations *sum, const ga__durations *other)
{
    if (other->count == 0)
        return;
    if (sum->count == 0 || other->least < sum->least)
        sum->least = other->least;
    if (other->most > sum->most)
        sum->most = other->most;
    sum->count += other->count;
    sum->sum += other->sum;
    for (size_t i = 0; i < GA__STATS_BUCKETS; i++)
        sum->buckets[i] += other->buckets[i];
}

double ga__durations_at(const ga__durations *durations, double share)
{
    double wanted = share * (double)durations->count, before = 0;

    if (durations->count == 0)
        return 0;
    for (size_t i = 0; i < GA__STATS_BUCKETS; i++) {
        before += durations->buckets[i];
        if (before < wanted || durations->buckets[i] == 0)
            continue;
        double middle = (ga__durations_bucket(i) + ga__durations_bucket(i + 1)) / 2;

        return fmin(fmax(middle, durations->least), durations->most);
    }
    return durations->most;
}

void ga__stats_add(ga__stats *stats, const ga__record *record)
{
    if (record->page <= 1)
        stats->rows++;
    else
        stats->pages++;
    stats->ok += record->ok && record->page <= 1;
    stats->kinds[record->kind < GA__KINDS ? record->kind : 0]++;
    stats->statuses[record->status >= 0 && record->status < GA__STATS_STATUSES ? record->status : 0]++;
    stats->retries += record->attempts > 1 ? (uint64_t)record->attempts - 1 : 0;
    stats->bytes += record->bytes;
    if (record->at > 0 && (stats->first_at == 0 || record->at < stats->first_at))
        stats->first_at = record->at;
    if (record->at > stats->last_at)
        stats->last_at = record->at;
    ga__durations_add(&stats->wait, record->wait_ms);
    ga__durations_add(&stats->service, record->total_ms);
}

/* A row has one failure at most, which may be that of any of its pages. */
uint64_t ga__stats_failed(const ga__stats *stats)
{
    uint64_t failed = 0;

    for (size_t i = GA__KIND_OK + 1; i < GA__KINDS; i++)
        failed += stats->kinds[i];
    return failed;
}

/* A row that failed at a later page has a first page that is ok. */
uint64_t ga__stats_good(const ga__stats *stats)
{
    uint64_t failed = ga__stats_failed(stats);

    return stats->rows > failed ? stats->rows - failed : 0;
}

void ga__stats_join(ga__stats *sum, const ga__stats *other)
{
    sum->rows += other->rows;
    sum->ok += other->ok;
    sum->skipped += other->skipped;
    sum->pages += other->pages;
    sum->retries += other->retries;
    sum->bytes += other->bytes;
    for (size_t i = 0; i < GA__KINDS; i++)
        sum->kinds[i] += other->kinds[i];
    for (size_t i = 0; i < GA__STATS_STATUSES; i++)
        sum->statuses[i] += other->statuses[i];
    if (other->first_at > 0 && (sum->first_at == 0 || other->first_at < sum->first_at))
        sum->first_at = other->first_at;
    if (other->last_at > sum->last_at)
        sum->last_at = other->last_at;
    ga__durations_join(&sum->wait, &other->wait);
    ga__durations_join(&sum->service, &other->service);
}
