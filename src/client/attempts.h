/* SPDX-License-Identifier: MIT */
/*
 * The attempts of one call, where it may make more than one or has to wait for its turn: its session or it
 * itself asks for retries, a rate, or one of the other things in client/pace.h. A call that asks for none of
 * them has no ga__attempts.
 */
#ifndef GA__ATTEMPTS_H
#define GA__ATTEMPTS_H

#include "client/call.h"

/* Whether the call has attempts. */
static inline bool ga__attempts_needed(const ga__call *call)
{
    const ga_request_options *options = call->options;

    return call->session->resilient || options->retries > 0 || options->idempotency_key;
}

/* Makes call->attempts. To be called before the request's head is written.
 * @return 0, GA_EUSAGE, GA_ENOMEM; recorded */
int ga__attempts_begin(ga__call *call);

/* The Idempotency-Key that the call makes; NULL: none. */
const char *ga__attempts_key(const ga__call *call);

/* Waits until the next attempt may be made: for the host's turn, its rate and the session's. Suspends.
 * @return 0 or a failure, recorded */
int ga__attempts_enter(ga__call *call);

/* Whether the call, which has a connection by now, should give it back and enter anew, since its host began
 * to cool down meanwhile. */
bool ga__attempts_held(const ga__call *call);

/* The request goes out now. */
void ga__attempts_sent(ga__call *call);

/* Judges how the attempt ended: `code`, or call->response. Where there is to be another, waits for it, and
 * writes the head again. Suspends.
 * @return 1: try again; else `code`, the answer or error as it is; a failure while waiting, recorded */
int ga__attempts_judge(ga__call *call, int code);

/* The call has ended. */
void ga__attempts_end(ga__call *call);

#endif
