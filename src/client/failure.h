/* SPDX-License-Identifier: MIT */
/*
 * How far a call got, and what is said about it when it fails. A message begins with what was tried, the
 * method and the URL without userinfo; the rest of the error's detail is filled in from here.
 */
#ifndef GA__FAILURE_H
#define GA__FAILURE_H

#include "client/timeouts.h"
#include "task/loop.h"
#include <gather/error.h>
#include <stdbool.h>

typedef struct ga__progress {
    const char *method;
    const char *url; /* without userinfo; NULL while it is not known */
    ga_phase phase;
    ga_sent sent;
    int attempt;
    int status;
    bool reused;
    uint64_t bytes_sent, bytes_received; /* by this attempt */
    struct ga__observer *observer;       /* the session's; NULL for the most part */
    uint64_t began, entered;             /* the call, and its phase; the loop's time */
    uint64_t spent[GA_PHASE_PACE + 1];   /* in each phase before, ns */
} ga__progress;

/* The call goes on to the phase. Its time is the loop's, so it costs no look at the clock. */
void ga__observe_phase(const ga__progress *progress, uint64_t spent);
static inline void ga__progress_enter(ga__progress *progress, ga_phase phase)
{
    uint64_t now = ga__now(), spent = now - progress->entered;

    if (GA_UNLIKELY(progress->observer != NULL))
        ga__observe_phase(progress, spent);
    progress->spent[progress->phase] += spent;
    progress->entered = now;
    progress->phase = phase;
}

/* Some of the request has gone out by this attempt. */
static inline void ga__progress_note_sent(ga__progress *progress)
{
    if (progress->sent == GA_SENT_NO || progress->sent == GA_SENT_REFUSED)
        progress->sent = GA_SENT_MAYBE;
}

/* What is known of a call of which one attempt ended like this, and one like that. */
ga_sent ga__sent_of_both(ga_sent one, ga_sent other);

/* Records a failure of the call. @return code */
int ga__progress_fail(const ga__progress *progress, int code, const char *format, ...) GA_PRINTF(3, 4);

/* The same for one that was recorded already, by a room above: its message and sub-codes are kept.
 * @return code */
int ga__progress_failed(const ga__progress *progress, int code);

/* The same for a wait that ended with GA_ETIMEDOUT or GA_ECANCELED, nothing recorded. @return code */
int ga__progress_wait_failed(const ga__progress *progress, int code, ga__timeout by, double seconds);

/* Adds what is known of the call to the error that was just recorded. */
void ga__progress_fill(const ga__progress *progress);

#endif
