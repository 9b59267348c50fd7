/* SPDX-License-Identifier: MIT */
/*
 * What a session notes and tells of its calls. A session that is not watched has no observer, and its calls
 * pass by here with one test.
 */
#ifndef GA__OBSERVE_H
#define GA__OBSERVE_H

#include "client/failure.h"
#include <gather/trace.h>

typedef struct ga__observer {
    void (*hook)(void *arg, const ga_trace_event *event); /* or NULL */
    void *arg;
    bool prints;        /* GATHER_TRACE is set */
    ga_metrics metrics; /* all but pool */
} ga__observer;

/* An observer where the options or the environment ask for one; else NULL, as without memory (recorded,
 * *failed is set). */
ga__observer *ga__observer_new(const ga_session_options *options, bool *failed);

/* The call, or its response, has come to the event. Only where progress->observer is there. */
void ga__observe(const ga__progress *progress, ga_trace_kind kind);

/* Counts what an exchange has sent that is not the call's last; the next counts anew. */
static inline void ga__observe_sent(ga__progress *progress)
{
    if (GA_UNLIKELY(progress->observer != NULL))
        progress->observer->metrics.bytes_sent += progress->bytes_sent;
    progress->bytes_sent = 0;
}

#endif
