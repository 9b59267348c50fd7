/* SPDX-License-Identifier: MIT */
/*
 * A job's numbers in Prometheus' text format, as the job writes them every few seconds. What counts only up
 * within a run is a counter; it begins anew with the next run, which Prometheus sees.
 */
#include "bulk/job_metrics.h"

/* Of a histogram: from 0.32 ms to 11 minutes, by doublings, each of them 32 buckets of ours. */
enum { PER_BOUND = 32, FIRST_BOUND = 5, LAST_BOUND = 26 };

static void add_head(ga__buffer *out, const char *name, const char *type, const char *help)
{
    ga__buffer_printf(out, "# HELP gather_job_%s %s\n# TYPE gather_job_%s %s\n", name, help, name, type);
}

static void add_counter(ga__buffer *out, const char *name, const char *help, uint64_t value)
{
    add_head(out, name, "counter", help);
    ga__buffer_printf(out, "gather_job_%s %llu\n", name, (unsigned long long)value);
}

static void add_gauge(ga__buffer *out, const char *name, const char *help, double value)
{
    add_head(out, name, "gauge", help);
    ga__buffer_printf(out, "gather_job_%s %.15g\n", name, value);
}

/* Every kind, also those that did not occur: a rate of failures is then there from the first one on. */
static void add_outcomes(ga__buffer *out, const ga__stats *stats)
{
    add_head(out, "records_total", "counter", "Records written, by kind: ok, or of failure.");
    for (size_t i = 0; i < GA__KINDS; i++)
        ga__buffer_printf(out, "gather_job_records_total{kind=\"%s\"} %llu\n", ga__kind_name((ga__kind)i),
                          (unsigned long long)stats->kinds[i]);
    add_head(out, "responses_total", "counter", "Records written, by the status of the last answer.");
    for (size_t i = 1; i < GA__STATS_STATUSES; i++)
        if (stats->statuses[i] > 0)
            ga__buffer_printf(out, "gather_job_responses_total{status=\"%zu\"} %llu\n", i,
                              (unsigned long long)stats->statuses[i]);
}

static void add_histogram(ga__buffer *out, const char *name, const char *help, const ga__durations *durations)
{
    uint64_t below = 0;
    size_t bucket = 0;

    add_head(out, name, "histogram", help);
    for (size_t bound = FIRST_BOUND; bound <= LAST_BOUND; bound++) {
        for (; bucket < bound * PER_BOUND; bucket++)
            below += durations->buckets[bucket];
        ga__buffer_printf(out, "gather_job_%s_bucket{le=\"%.9g\"} %llu\n", name,
                          ga__durations_bucket(bucket) / 1000, (unsigned long long)below);
    }
    ga__buffer_printf(out, "gather_job_%s_bucket{le=\"+Inf\"} %llu\n", name,
                      (unsigned long long)durations->count);
    ga__buffer_printf(out, "gather_job_%s_sum %.9g\ngather_job_%s_count %llu\n", name, durations->sum / 1000,
                      name, (unsigned long long)durations->count);
}

void ga__job_metrics_append(ga__buffer *out, const ga__job_status *status)
{
    const ga__stats *stats = &status->stats;

    add_counter(out, "rows_total", "Rows that this run has come to the end of.", stats->rows);
    add_counter(out, "pages_total", "Pages beyond the first of their rows.", stats->pages);
    add_outcomes(out, stats);
    add_counter(out, "retries_total", "Attempts after the first.", stats->retries);
    add_counter(out, "received_bytes_total", "Bytes of bodies.", stats->bytes);
    add_gauge(out, "skipped_rows", "Rows that were done before this run.", (double)stats->skipped);
    if (status->total > 0)
        add_gauge(out, "input_rows", "Rows of the input.", (double)status->total);
    add_gauge(out, "in_flight", "Calls under way.", (double)status->in_flight);
    add_gauge(out, "waiting", "Calls that wait for the pace.", (double)status->waiting);
    if (status->rate > 0)
        add_gauge(out, "rate_limit", "Requests per second that the pace lets through.", status->rate);
    add_gauge(out, "paused", "Whether the pace waits for a server.", status->pause[0] != 0);
    add_gauge(out, "stopping", "Whether no new rows are begun.", status->stopping);
    add_gauge(out, "run_seconds", "Since this run began.", status->seconds);
    add_histogram(out, "wait_seconds", "In line for the pace, of last attempts.", &stats->wait);
    add_histogram(out, "service_seconds", "From sending to the end, of last attempts.", &stats->service);
}
