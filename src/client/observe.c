/* SPDX-License-Identifier: MIT */
/*
 * The observer: counts, calls the user's hook, and prints where GATHER_TRACE asks for it. Requests and
 * responses tell it of what they come to; it never suspends.
 */
#include "client/observe.h"

#include "task/loop.h"
#include <stdio.h>
#include <string.h>

static const double FIRST_BUCKET = 0.0001;

ga__observer *ga__observer_new(const ga_session_options *options, bool *failed)
{
    const char *asked = getenv("GATHER_TRACE");
    bool prints = asked && *asked && strcmp(asked, "0") != 0;

    *failed = false;
    if (!prints && !options->trace && !options->metrics)
        return NULL;
    ga__observer *observer = calloc(1, sizeof *observer);

    if (!observer) {
        *failed = true;
        ga__fail(GA_ENOMEM, "no memory for a session");
        return NULL;
    }
    observer->hook = options->trace;
    observer->arg = options->trace_arg;
    observer->prints = prints;
    return observer;
}

/* --- counting ------------------------------------------------------------------------------------- */

static void count(ga_histogram *histogram, double seconds)
{
    double bound = FIRST_BUCKET;

    histogram->count++;
    histogram->sum += seconds;
    for (size_t i = 0; i < GA_HISTOGRAM_BUCKETS; i++, bound *= 2)
        if (seconds <= bound) {
            histogram->buckets[i]++;
            return;
        }
}

static void count_event(ga_metrics *metrics, const ga_trace_event *event)
{
    int class = event->status / 100;

    switch (event->kind) {
    case GA_TRACE_PHASE:
        count(&metrics->phases[event->phase], event->seconds);
        break;
    case GA_TRACE_REDIRECT:
        metrics->redirects++;
        break;
    case GA_TRACE_RETRY:
        metrics->retries++;
        break;
    case GA_TRACE_ANSWER:
        metrics->calls++;
        metrics->answered++;
        metrics->statuses[class >= 1 && class <= 5 ? class : 0]++;
        metrics->bytes_sent += event->bytes_sent;
        count(&metrics->first_answer, event->seconds);
        break;
    case GA_TRACE_END:
        metrics->bytes_received += event->bytes_received;
        break;
    case GA_TRACE_FAILURE:
        metrics->calls++;
        metrics->failed++;
        metrics->bytes_sent += event->bytes_sent;
        metrics->bytes_received += event->bytes_received;
        break;
    }
}

/* --- telling -------------------------------------------------------------------------------------- */

static void print(const ga_trace_event *event)
{
    fprintf(stderr, "gather: %.6f %s %s: ", ga_now(), event->method, event->url);
    switch (event->kind) {
    case GA_TRACE_PHASE:
        fprintf(stderr, "%s took %.3f ms\n", ga_phase_name(event->phase), event->seconds * 1e3);
        break;
    case GA_TRACE_REDIRECT:
        fprintf(stderr, "redirected here\n");
        break;
    case GA_TRACE_RETRY:
        fprintf(stderr, "attempt %d\n", event->attempt);
        break;
    case GA_TRACE_ANSWER:
        fprintf(stderr, "%d after %.3f ms, on a %s connection\n", event->status, event->seconds * 1e3,
                event->reused ? "kept" : "new");
        break;
    case GA_TRACE_END:
        fprintf(stderr, "ended after %.3f ms, %llu bytes received\n", event->seconds * 1e3,
                (unsigned long long)event->bytes_received);
        break;
    case GA_TRACE_FAILURE:
        fprintf(stderr, "failed after %.3f ms: %s (%s)\n", event->seconds * 1e3, event->message,
                ga_code_name(event->code));
        break;
    }
}

static void tell(ga__observer *observer, const ga_trace_event *event)
{
    count_event(&observer->metrics, event);
    if (observer->prints)
        print(event);
    if (observer->hook)
        observer->hook(observer->arg, event);
}

static ga_trace_event event_of(const ga__progress *progress, ga_trace_kind kind, uint64_t spent)
{
    return (ga_trace_event){
        .kind = kind,
        .method = progress->method,
        .url = progress->url ? progress->url : "",
        .phase = progress->phase,
        .seconds = (double)spent * 1e-9,
        .attempt = progress->attempt,
        .status = progress->status,
        .reused = progress->reused,
        .message = "",
        .bytes_sent = progress->bytes_sent,
        .bytes_received = progress->bytes_received,
    };
}

void ga__observe_phase(const ga__progress *progress, uint64_t spent)
{
    ga_trace_event event = event_of(progress, GA_TRACE_PHASE, spent);

    if (progress->phase != GA_PHASE_NONE && progress->phase != GA_PHASE_PREPARE)
        tell(progress->observer, &event);
}

void ga__observe(const ga__progress *progress, ga_trace_kind kind)
{
    ga_trace_event event = event_of(progress, kind, ga__now() - progress->began);

    if (kind == GA_TRACE_FAILURE) {
        event.code = ga_error()->code;
        event.message = ga_error_message();
    }
    tell(progress->observer, &event);
}
