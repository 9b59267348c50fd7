/* SPDX-License-Identifier: MIT */
/*
 * Seeing what calls do: how long each phase of a call took, a hook that is told of every phase, and counters
 * of a session. GATHER_TRACE=1 in the environment prints a line per event to stderr, of every session.
 */
#ifndef GATHER_TRACE_H
#define GATHER_TRACE_H

#include <gather/base.h>
#include <gather/error.h>
#include <gather/session.h>

GA_BEGIN_DECLS

enum { GA_PHASES = GA_PHASE_PACE + 1, GA_HISTOGRAM_BUCKETS = 20 };

/** Where the time of a call went, in seconds, summed over redirects and repetitions; 0 for a phase that there
 * was not. */
typedef struct ga_timings {
    double phases[GA_PHASES]; /**< by ga_phase: `timings.phases[GA_PHASE_CONNECT]` */
    double total;             /**< from the call to now, or to the body's end */
} ga_timings;

/** All zero for NULL. */
GA_API void ga_response_timings(const ga_response *response, ga_timings *timings);

typedef enum ga_trace_kind {
    GA_TRACE_PHASE = 1, /**< a phase ended; `phase` and `seconds` say which, and how long it took */
    GA_TRACE_REDIRECT,  /**< a redirect is followed, to `url` */
    GA_TRACE_RETRY,     /**< the request is sent once more; `attempt` is the one that begins */
    GA_TRACE_ANSWER,    /**< the response's head is there; `seconds` since the call began */
    GA_TRACE_END,       /**< the response was freed; `seconds` since the call began */
    GA_TRACE_FAILURE    /**< the call failed; `code` and `message` say how */
} ga_trace_kind;

/** What happened. Strings last until the hook returns. */
typedef struct ga_trace_event {
    ga_trace_kind kind;
    const char *method;
    const char *url; /**< without userinfo; "" while it is not known */
    ga_phase phase;
    double seconds;
    int attempt;
    int status; /**< of the answer; 0 before it */
    int reused; /**< whether the connection had served before */
    int code;
    const char *message; /**< "" unless it failed */
    uint64_t bytes_sent, bytes_received;
} ga_trace_event;

/** A counter of durations. Bucket i counts those of at most 0.0001 * 2^i seconds that are in no bucket
 * before; `count` also has those that are longer than the last. */
typedef struct ga_histogram {
    uint64_t count;
    double sum; /**< seconds */
    uint64_t buckets[GA_HISTOGRAM_BUCKETS];
} ga_histogram;

/** What a session has done since it was made, with the option .metrics. */
typedef struct ga_metrics {
    uint64_t calls;       /**< begun */
    uint64_t answered;    /**< that had a response */
    uint64_t failed;      /**< that had none */
    uint64_t redirects;   /**< followed */
    uint64_t retries;     /**< requests sent once more */
    uint64_t statuses[6]; /**< answers by the status' first digit; [0] for others */
    uint64_t bytes_sent, bytes_received;
    ga_histogram phases[GA_PHASES]; /**< how long they took */
    ga_histogram first_answer;      /**< from the call to the response's head */
    ga_pool_stats pool;             /**< at this moment */
} ga_metrics;

/** A snapshot of the session's counters; all zero but `pool` without the option. */
GA_API void ga_session_metrics(const ga_session *session, ga_metrics *metrics);

/** The same as Prometheus' text format (version 0.0.4), the caller's to free; NULL with GA_ENOMEM. */
GA_API char *ga_session_prometheus(const ga_session *session);

GA_END_DECLS

#endif
