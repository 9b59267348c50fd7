/* SPDX-License-Identifier: MIT */
/*
 * The rules of retries. Nothing here waits or sends: client/attempts.c does, for the calls of a session.
 */
#include "client/retry.h"

#include "task/loop.h"
#include <math.h>

static const double default_base = 0.5, default_cap = 60, default_share = 0.2;

/* A session begins with so many retries, and saves up no more than so many. */
static const double budget_reserve = 10, budget_most = 100;

/* Takes an option in seconds, where it is set. */
static int set_seconds(double *place, double option, const char *name)
{
    if (!(option >= 0))
        return ga__fail(GA_EUSAGE, "%s is %g: seconds above 0 are expected, 0 for the default", name, option);
    if (option > 0)
        *place = option;
    return 0;
}

int ga__retry_policy_of_session(ga__retry_policy *policy, const ga_session_options *options)
{
    *policy = (ga__retry_policy){options->retries > 0 ? options->retries : 0, GA_FOREVER, GA_FOREVER};
    int code = set_seconds(&policy->max_time, options->retry_max_time, "retry_max_time");

    return code < 0 ? code : set_seconds(&policy->max_wait, options->max_wait, "max_wait");
}

int ga__retry_policy_of_call(ga__retry_policy *policy, const ga__retry_policy *session,
                             const ga_request_options *options)
{
    *policy = *session;
    if (options->retries != 0)
        policy->retries = options->retries > 0 ? options->retries : 0;
    int code = set_seconds(&policy->max_time, options->retry_max_time, "retry_max_time");

    return code < 0 ? code : set_seconds(&policy->max_wait, options->max_wait, "max_wait");
}

/* RFC 9110, 15.5.9, 15.5.14, 15.6; RFC 6585, 4; 522 and 524 are those of a well-known proxy. */
static bool status_allows(const ga__retry_case *ended)
{
    switch (ended->status) {
    case 429:
    case 503:
        return true;
    case 413:
        return ended->asked;
    case 408:
    case 500:
    case 502:
    case 504:
    case 522:
    case 524:
        return ended->idempotent;
    default:
        return false;
    }
}

bool ga__retry_is_refusal(int status)
{
    return status == 429 || status == 503 || status == 413;
}

bool ga__retry_is_passing(int code)
{
    switch (code) {
    case GA_EDNS:
    case GA_EREFUSED:
    case GA_EUNREACHABLE:
    case GA_ECONNECT:
    case GA_ETLS:
    case GA_EDISCONNECTED:
    case GA_ERESET:
    case GA_ETIMEDOUT: /* of a phase or an attempt: the total leaves no time for another attempt */
        return true;
    default: /* a certificate does not become better, nor does what breaks the protocol */
        return false;
    }
}

bool ga__retry_allowed(const ga__retry_case *ended)
{
    if (ended->code == 0)
        return status_allows(ended);
    return ga__retry_is_passing(ended->code) && !ended->local && (ended->unsent || ended->idempotent);
}

/* --- backoff -------------------------------------------------------------------------------------- */

int ga__backoff_of_session(ga__backoff *backoff, const ga_session_options *options)
{
    *backoff = (ga__backoff){default_base, default_cap};
    int code = set_seconds(&backoff->base, options->retry_base, "retry_base");

    return code < 0 ? code : set_seconds(&backoff->cap, options->retry_cap, "retry_cap");
}

double ga__backoff_ceiling(const ga__backoff *backoff, unsigned done)
{
    return fmin(ldexp(backoff->base, done < 60 ? (int)done : 60), backoff->cap);
}

/* --- the budget ----------------------------------------------------------------------------------- */

void ga__retry_budget_init(ga__retry_budget *budget, double share)
{
    *budget = (ga__retry_budget){share < 0 || share > 0 ? share : default_share, budget_reserve};
}

void ga__retry_budget_earn(ga__retry_budget *budget)
{
    if (budget->share > 0)
        budget->balance = fmin(budget->balance + budget->share, budget_most);
}

bool ga__retry_budget_spend(ga__retry_budget *budget)
{
    if (budget->share < 0)
        return true;
    if (budget->balance < 1)
        return false;
    budget->balance -= 1;
    return true;
}
