/* SPDX-License-Identifier: MIT */
/*
 * The attempts of a call: between client/request.c, which makes them, and the rules (client/retry.c) and the
 * hosts (client/pace.c), which say whether and when. It is a block of its own beside the call, so that calls
 * which ask for none of this pay one test.
 */
#include "client/attempts.h"

#include "base/ascii.h"
#include "client/response.h"
#include "protocol/retry_after.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { UUID_SIZE = 36 };

typedef struct ga__attempts {
    ga__retry_policy policy;
    ga__pace_stay stay;
    uint64_t begun_at; /* the call */
    uint64_t sent_at;  /* the present attempt; 0: not yet */
    int done;          /* retries */
    const char *key;   /* the Idempotency-Key that the call makes, or NULL */
    char made_key[UUID_SIZE + 1];
} ga__attempts;

/* Times of header fields count from this one. */
static double wall_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* --- the beginning -------------------------------------------------------------------------------- */

/* RFC 9562, 5.4. False where the system has no randomness. */
static bool make_uuid(char text[UUID_SIZE + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];
    size_t at = 0;

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        text[at++] = digits[bytes[i] >> 4];
        text[at++] = digits[bytes[i] & 15];
    }
    text[at] = '\0';
    return true;
}

/* Chooses the call's Idempotency-Key; one among the caller's headers stands for itself. */
static int choose_key(ga__call *call)
{
    ga__attempts *attempts = call->attempts;
    const char *given = call->options->idempotency_key;

    if (ga__names_header(call->options->headers, "Idempotency-Key"))
        return 0;
    if (!given && (!call->session->keyed || call->idempotent))
        return 0;
    if (given && *given)
        attempts->key = given;
    else if (make_uuid(attempts->made_key))
        attempts->key = attempts->made_key;
    else
        return ga__progress_fail(&call->progress, GA_ESYSTEM, "no randomness for an Idempotency-Key");
    call->idempotent = true;
    return 0;
}

int ga__attempts_begin(ga__call *call)
{
    ga__attempts *attempts = calloc(1, sizeof *attempts);

    if (!attempts)
        return ga__progress_fail(&call->progress, GA_ENOMEM, "no memory for the request");
    call->attempts = attempts;
    attempts->begun_at = ga__now();
    ga__retry_budget_earn(&call->session->budget);
    if (!(call->options->cost >= 0) || isinf(call->options->cost))
        return ga__progress_fail(&call->progress, GA_EUSAGE, "a cost of %g is not possible",
                                 call->options->cost);
    int code = ga__retry_policy_of_call(&attempts->policy, &call->session->retry, call->options);

    return code < 0 ? ga__progress_failed(&call->progress, code) : choose_key(call);
}

const char *ga__attempts_key(const ga__call *call)
{
    return call->attempts ? call->attempts->key : NULL;
}

void ga__attempts_end(ga__call *call)
{
    ga__pace_leave(&call->attempts->stay, false);
    free(call->attempts);
}

/* --- before an attempt ---------------------------------------------------------------------------- */

/* The host is to be left alone for so many seconds, which is too long. */
static int refuse_wait(ga__call *call, double seconds)
{
    time_t when = (time_t)ceil(wall_time() + seconds);
    struct tm parts;
    char at[32];

    strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &parts));
    ga__progress_fail(
        &call->progress, GA_ERATELIMITED,
        "the host has pushed back and is left alone for another %.0f s, which is longer than %s; come "
        "back at %s",
        ceil(seconds), seconds > call->attempts->policy.max_wait ? "max_wait" : "the call may take", at);
    ga__error_edit()->retry_after = seconds;
    return GA_ERATELIMITED;
}

static int wait_failed(const ga__call *call, int code)
{
    return ga__progress_wait_failed(&call->progress, code, GA__TIMEOUT_TOTAL,
                                    call->timeouts.seconds[GA__TIMEOUT_TOTAL]);
}

static GA_NOINLINE int refuse_cost(const ga__call *call)
{
    return ga__progress_fail(&call->progress, GA_ETOOCOSTLY,
                             "a cost of %g is more than one request may have, which is %g (max_cost)",
                             call->options->cost, call->session->pace->max_cost);
}

int ga__attempts_enter(ga__call *call)
{
    ga__attempts *attempts = call->attempts;
    uint64_t total_at = call->timeouts.total_at, until = 0;
    uint64_t latest = ga__deadline(ga__now(), attempts->policy.max_wait);
    ga__pace_wish wish = {
        .url = &call->url,
        .cost = call->options->cost,
        .deadline = total_at,
        .latest = latest < total_at ? latest : total_at,
    };

    ga__progress_enter(&call->progress, GA_PHASE_PACE);
    attempts->sent_at = 0;
    int code = ga__pace_enter(call->session->door, &wish, &attempts->stay, &until);

    switch (code) {
    case 0:
        return 0;
    case GA_ENOMEM:
        return ga__progress_fail(&call->progress, code, "no memory for a host");
    case GA_ERATELIMITED:
        return refuse_wait(call, ga__seconds_until(until));
    case GA_ETOOCOSTLY:
        return refuse_cost(call);
    default:
        return wait_failed(call, code);
    }
}

bool ga__attempts_held(const ga__call *call)
{
    return ga__pace_is_cooling(&call->attempts->stay);
}

void ga__attempts_sent(ga__call *call)
{
    call->attempts->sent_at = ga__now_exact();
}

/* --- after an attempt ----------------------------------------------------------------------------- */

/* Whether the server has certainly not acted on the request. */
static bool is_unsent(const ga__call *call)
{
    return call->refused || (call->progress.bytes_sent == 0 && call->progress.bytes_received == 0);
}

/* Leaves the host, telling it of the answer, with which the stay goes on. */
static void leave_host(ga__call *call, ga__advice *advice)
{
    ga__attempts *attempts = call->attempts;
    ga_response *response = call->response;

    *advice = (ga__advice){-1, -1, -1, -1};
    if (!response) {
        ga__pace_leave(&attempts->stay, is_unsent(call));
        return;
    }
    ga__advice_read(advice, &response->headers, wall_time());
    ga__pace_answered(&attempts->stay, response->http.status, advice,
                      attempts->sent_at ? (double)(ga__now_exact() - attempts->sent_at) * 1e-9 : -1);
    response->stay = attempts->stay;
    attempts->stay.host = NULL;
    if (!response->session) /* its body is here already */
        ga__pace_done(&response->stay);
}

static bool is_allowed(const ga__call *call, int code, const ga__advice *advice)
{
    const ga__progress *progress = &call->progress;
    ga__retry_case ended = {
        .code = code,
        .status = call->response ? call->response->http.status : 0,
        .unsent = is_unsent(call),
        .idempotent = call->idempotent,
        .asked = advice->retry_after >= 0,
        .local = progress->phase <= GA_PHASE_POOL || progress->phase == GA_PHASE_PACE,
    };

    return call->attempts->done < call->attempts->policy.retries && !call->withdrawn &&
           ga__call_replayable(call) && ga__retry_allowed(&ended);
}

/* How long to wait before the next attempt: what the server asks or more. */
static double choose_wait(const ga__call *call, double asked)
{
    ga_pace *pace = call->session->pace;
    double backoff =
        ga__pace_draw(pace) * ga__backoff_ceiling(&call->session->backoff, (unsigned)call->attempts->done);

    return fmax(backoff, asked * (1 + 0.2 * ga__pace_draw(pace)));
}

static int sleep_for(ga__call *call, double seconds)
{
    ga__progress_enter(&call->progress, GA_PHASE_PACE);
    ga__pace_retrying(call->session->pace, 1);
    int code = ga__park(NULL, ga__deadline(ga__now(), seconds), 0, "before another attempt");

    ga__pace_retrying(call->session->pace, -1);
    return code == GA_ETIMEDOUT ? 0 : wait_failed(call, code);
}

static void drop_answer(ga__call *call)
{
    ga_response_free(call->response);
    call->response = NULL;
}

/* Waits, and makes the call ready for the next attempt. */
static int go_on(ga__call *call, double seconds)
{
    int status = call->response ? call->response->http.status : 0;

    call->attempts->done++;
    drop_answer(call);
    ga__timeouts_end_attempt(&call->timeouts);
    int code = ga__call_ask_before_retry(call, status, seconds);

    if (code == 0)
        code = sleep_for(call, seconds);
    if (code == 0)
        code = ga__call_write_head(call);
    return code < 0 ? code : 1;
}

/* What the present attempt has shown of the request's way stays true when the next fails before it is sent.
 */
static void keep_evidence(ga__call *call)
{
    ga__progress *progress = &call->progress;

    if (call->response && ga__retry_is_refusal(call->response->http.status))
        progress->sent = ga__sent_of_both(call->sent_before, GA_SENT_REFUSED);
    call->sent_before = progress->sent;
}

static int try_again(ga__call *call, int code, double asked)
{
    const ga__attempts *attempts = call->attempts;

    keep_evidence(call);
    if (asked > attempts->policy.max_wait) {
        if (call->response)
            call->progress.status = call->response->http.status;
        drop_answer(call);
        return refuse_wait(call, asked);
    }
    double wait = choose_wait(call, asked);
    double spent = (double)(ga__now() - attempts->begun_at) * 1e-9;

    if (ga__deadline(ga__now(), wait) >= call->timeouts.total_at || spent + wait > attempts->policy.max_time)
        return code;
    if (asked < 0 && !ga__retry_budget_spend(&call->session->budget))
        return code;
    return go_on(call, wait);
}

int ga__attempts_judge(ga__call *call, int code)
{
    ga__advice advice;

    leave_host(call, &advice);
    if (call->held) { /* nothing was sent */
        call->held = false;
        ga__timeouts_pause_attempt(&call->timeouts);
        code = ga__call_write_head(call);
        return code < 0 ? code : 1;
    }
    return is_allowed(call, code, &advice) ? try_again(call, code, ga__pace_asked(&advice)) : code;
}
