/* SPDX-License-Identifier: MIT */
/*
 * How far a call got, and what is said about it when it fails. A message begins with what was tried, the
 * method and the URL without userinfo; the rest of the error's detail is filled in from here.
 */
#ifndef GA__FAILURE_H
#define GA__FAILURE_H

#include "client/timeouts.h"
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
} ga__progress;

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
