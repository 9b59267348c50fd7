/* SPDX-License-Identifier: MIT */
/*
 * Whether a call that failed is tried once more, and after how long: the rules, without a loop or a clock.
 *
 * What decides is evidence. What was certainly not sent goes out again; so does what the server refused for
 * now (429, 503). What the server may have acted upon goes out again only where a repetition does no harm. A
 * budget keeps retries to a share of the calls, so that they cannot become the storm that keeps a server
 * down.
 */
#ifndef GA__RETRY_H
#define GA__RETRY_H

#include <gather/session.h>
#include <stdbool.h>

typedef struct ga__retry_policy {
    int retries;     /* attempts after the first; 0: none */
    double max_time; /* seconds from the call's beginning in which a retry may begin */
    double max_wait; /* the longest wait that a server may ask for */
} ga__retry_policy;

/* The session's, with the defaults filled in. @return 0, or GA_EUSAGE, recorded */
int ga__retry_policy_of_session(ga__retry_policy *policy, const ga_session_options *options);
/* A call's: the session's but for what the request has itself. @return as above */
int ga__retry_policy_of_call(ga__retry_policy *policy, const ga__retry_policy *session,
                             const ga_request_options *options);

/* How an attempt ended. */
typedef struct ga__retry_case {
    int code;    /* of its failure; 0: there is an answer */
    int status;  /* of the answer */
    bool unsent; /* certainly no byte of the request reached the server, or it says that it did not act on it
                  */
    bool idempotent; /* a repetition does no harm */
    bool asked;      /* the answer says how long to wait */
    bool local;      /* it failed before anything was asked of the network */
} ga__retry_case;

/* Whether the status says that the server has not acted on the request, and may do so later. */
bool ga__retry_is_refusal(int status);

/* Whether a failure before the answer's head may be over when it is tried again, by its code alone. */
bool ga__retry_is_passing(int code);

/* Whether such an end is one to try again after. */
bool ga__retry_allowed(const ga__retry_case *ended);

/* Waits that double: between 0 and `base` x 2^done seconds, `cap` at most. */
typedef struct ga__backoff {
    double base, cap; /* seconds */
} ga__backoff;

/* @return 0, or GA_EUSAGE, recorded */
int ga__backoff_of_session(ga__backoff *backoff, const ga_session_options *options);
/* The longest wait after so many attempts that failed before. */
double ga__backoff_ceiling(const ga__backoff *backoff, unsigned done);

/* What a session may spend on retries: each call brings in a share of one. */
typedef struct ga__retry_budget {
    double share; /* negative: no bound */
    double balance;
} ga__retry_budget;

/* `share` as in the options: 0 is the default, negative no bound. */
void ga__retry_budget_init(ga__retry_budget *budget, double share);
void ga__retry_budget_earn(ga__retry_budget *budget);
/* False where there is nothing to spend. */
bool ga__retry_budget_spend(ga__retry_budget *budget);

#endif
