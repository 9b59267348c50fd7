/* SPDX-License-Identifier: MIT */
/*
 * What can be asked of a session's counters, and of a response's times.
 */
#include "base/buffer.h"
#include "client/observe.h"
#include "client/response.h"
#include <stdio.h>
#include <string.h>

void ga_response_timings(const ga_response *response, ga_timings *timings)
{
    *timings = (ga_timings){0};
    if (!response)
        return;
    const ga__progress *progress = &response->progress;
    uint64_t now = response->ended_at ? response->ended_at : ga__loop_here ? ga__now() : progress->entered;

    for (size_t i = 0; i < GA_PHASES; i++)
        timings->phases[i] = (double)progress->spent[i] * 1e-9;
    timings->phases[progress->phase] += (double)(now - progress->entered) * 1e-9;
    timings->total = (double)(now - progress->began) * 1e-9;
}

void ga_session_metrics(const ga_session *session, ga_metrics *metrics)
{
    *metrics = (ga_metrics){0};
    if (!session)
        return;
    if (session->observer)
        *metrics = session->observer->metrics;
    ga_session_pool(session, &metrics->pool);
}

static void add_counter(ga__buffer *out, const char *name, const char *help, uint64_t value)
{
    ga__buffer_printf(out,
                      "# HELP gather_%s_total %s\n# TYPE gather_%s_total counter\ngather_%s_total %llu\n",
                      name, help, name, name, (unsigned long long)value);
}

static void add_gauge(ga__buffer *out, const char *state, size_t value)
{
    ga__buffer_printf(out, "gather_connections{state=\"%s\"} %zu\n", state, value);
}

/* `label` is empty, or ends with a comma. */
static void add_histogram(ga__buffer *out, const char *name, const char *label, const ga_histogram *histogram)
{
    uint64_t below = 0;
    double bound = 0.0001;
    size_t size = strlen(label);

    for (size_t i = 0; i < GA_HISTOGRAM_BUCKETS; i++, bound *= 2) {
        below += histogram->buckets[i];
        ga__buffer_printf(out, "%s_bucket{%sle=\"%g\"} %llu\n", name, label, bound,
                          (unsigned long long)below);
    }
    ga__buffer_printf(out, "%s_bucket{%sle=\"+Inf\"} %llu\n", name, label,
                      (unsigned long long)histogram->count);
    const char *open = size ? "{" : "", *close = size ? "}" : "";
    int length = size ? (int)size - 1 : 0;

    ga__buffer_printf(out, "%s_sum%s%.*s%s %.9g\n", name, open, length, label, close, histogram->sum);
    ga__buffer_printf(out, "%s_count%s%.*s%s %llu\n", name, open, length, label, close,
                      (unsigned long long)histogram->count);
}

static void add_histograms(ga__buffer *out, const ga_metrics *metrics)
{
    ga__buffer_add(out, "# HELP gather_phase_seconds How long a phase of a call took.\n"
                        "# TYPE gather_phase_seconds histogram\n");
    for (size_t i = GA_PHASE_POOL; i < GA_PHASES; i++) {
        if (i == GA_PHASE_DECODE)
            continue; /* it takes place within reading */
        char label[32];

        snprintf(label, sizeof label, "phase=\"%s\",", ga_phase_name((ga_phase)i));
        add_histogram(out, "gather_phase_seconds", label, &metrics->phases[i]);
    }
    ga__buffer_add(out, "# HELP gather_answer_seconds From the call to the response's head.\n"
                        "# TYPE gather_answer_seconds histogram\n");
    add_histogram(out, "gather_answer_seconds", "", &metrics->first_answer);
}

char *ga_session_prometheus(const ga_session *session)
{
    static const char *const classes[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
    ga__buffer out = GA__BUFFER_INIT;
    ga_metrics metrics;

    if (!session)
        return NULL;
    ga_session_metrics(session, &metrics);
    add_counter(&out, "calls", "Calls that came to an end or an answer.", metrics.calls);
    add_counter(&out, "failures", "Calls without a response.", metrics.failed);
    add_counter(&out, "redirects", "Redirects followed.", metrics.redirects);
    add_counter(&out, "retries", "Requests sent once more.", metrics.retries);
    add_counter(&out, "sent_bytes", "Bytes sent.", metrics.bytes_sent);
    add_counter(&out, "received_bytes", "Bytes received.", metrics.bytes_received);
    ga__buffer_add(
        &out,
        "# HELP gather_answers_total Answers by class of status.\n# TYPE gather_answers_total counter\n");
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        ga__buffer_printf(&out, "gather_answers_total{class=\"%s\"} %llu\n", classes[i],
                          (unsigned long long)metrics.statuses[i]);
    ga__buffer_add(&out, "# HELP gather_connections Connections, and calls in line for one.\n# TYPE "
                         "gather_connections gauge\n");
    add_gauge(&out, "idle", metrics.pool.idle);
    add_gauge(&out, "in_use", metrics.pool.in_use);
    add_gauge(&out, "waiting", metrics.pool.waiting);
    add_counter(&out, "connections_opened", "Connections opened.", metrics.pool.opened);
    add_counter(&out, "connections_reused", "Requests that an open connection served.", metrics.pool.reused);
    add_histograms(&out, &metrics);
    char *text = ga__buffer_take(&out);

    if (!text)
        ga__fail(GA_ENOMEM, "no memory for the metrics");
    return text;
}
