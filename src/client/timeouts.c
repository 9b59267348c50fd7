/* SPDX-License-Identifier: MIT */
/*
 * The timeouts of a call. No timer runs for the total, nor for an attempt: every wait of a call ends with
 * them at the latest, so a request that does not wait costs none. Called by sessions and requests.
 */
#include "client/timeouts.h"

#include "task/loop.h"
#include <math.h>

static const float default_total = 300;

static const char *const names[GA__TIMEOUT_COUNT] = {
    [GA__TIMEOUT_TOTAL] = "total",           [GA__TIMEOUT_POOL] = "pool", [GA__TIMEOUT_DNS] = "dns",
    [GA__TIMEOUT_CONNECT] = "connect",       [GA__TIMEOUT_TLS] = "tls",   [GA__TIMEOUT_WRITE] = "write",
    [GA__TIMEOUT_FIRST_BYTE] = "first_byte", [GA__TIMEOUT_READ] = "read", [GA__TIMEOUT_ATTEMPT] = "attempt",
};

const char *ga__timeout_name(ga__timeout which)
{
    return names[which];
}

/* Takes the option, where it is set. */
static int set(ga__timeouts *timeouts, ga__timeout which, double seconds)
{
    if (!(seconds >= 0))
        return ga__fail(
            GA_EUSAGE,
            "the %s timeout is %g: seconds above 0 are expected, 0 for the default, GA_FOREVER for none",
            names[which], seconds);
    if (seconds > 0)
        timeouts->seconds[which] = seconds < GA_FOREVER ? (float)seconds : INFINITY;
    return 0;
}

int ga__timeouts_of_session(ga__timeouts *timeouts, const ga_session_options *options)
{
    const double wanted[GA__TIMEOUT_COUNT] = {
        [GA__TIMEOUT_TOTAL] = options->total_timeout,
        [GA__TIMEOUT_POOL] = options->pool_timeout,
        [GA__TIMEOUT_DNS] = options->dns_timeout,
        [GA__TIMEOUT_CONNECT] = options->connect_timeout,
        [GA__TIMEOUT_TLS] = options->tls_timeout,
        [GA__TIMEOUT_WRITE] = options->write_timeout,
        [GA__TIMEOUT_FIRST_BYTE] = options->first_byte_timeout,
        [GA__TIMEOUT_READ] = options->read_timeout,
        [GA__TIMEOUT_ATTEMPT] = options->attempt_timeout,
    };
    int code = 0;

    *timeouts = (ga__timeouts){.total_at = GA__NEVER, .end = {GA__NEVER, GA__TIMEOUT_TOTAL}};
    timeouts->total_after_pool = options->total_after_pool > 0;
    for (ga__timeout which = 0; which < GA__TIMEOUT_COUNT && code == 0; which++) {
        timeouts->seconds[which] = which == GA__TIMEOUT_TOTAL ? default_total : INFINITY;
        code = set(timeouts, which, wanted[which]);
    }
    ga__timeouts_end_attempt(timeouts);
    return code;
}

/* What is rare in a call. */
static GA_NOINLINE int set_phases(ga__timeouts *timeouts, const ga_request_options *options)
{
    int code = set(timeouts, GA__TIMEOUT_POOL, options->pool_timeout);

    if (code == 0)
        code = set(timeouts, GA__TIMEOUT_DNS, options->dns_timeout);
    if (code == 0)
        code = set(timeouts, GA__TIMEOUT_CONNECT, options->connect_timeout);
    if (code == 0)
        code = set(timeouts, GA__TIMEOUT_TLS, options->tls_timeout);
    if (code == 0)
        code = set(timeouts, GA__TIMEOUT_WRITE, options->write_timeout);
    if (code == 0)
        code = set(timeouts, GA__TIMEOUT_ATTEMPT, options->attempt_timeout);
    if (options->total_after_pool)
        timeouts->total_after_pool = options->total_after_pool > 0;
    ga__timeouts_end_attempt(timeouts);
    return code;
}

static bool names_phases(const ga_request_options *options)
{
    return options->pool_timeout != 0 || options->dns_timeout != 0 || options->connect_timeout != 0 ||
           options->tls_timeout != 0 || options->write_timeout != 0 || options->total_after_pool != 0 ||
           options->attempt_timeout != 0;
}

static void begin_total(ga__timeouts *timeouts)
{
    timeouts->total_after_pool = false;
    timeouts->total_at = timeouts->end.at = ga__deadline(ga__now(), timeouts->seconds[GA__TIMEOUT_TOTAL]);
}

void ga__timeouts_leave_lines(ga__timeouts *timeouts)
{
    if (timeouts->total_after_pool)
        begin_total(timeouts);
    uint64_t attempt_at = ga__deadline(ga__now(), timeouts->attempt_left);

    if (attempt_at < timeouts->total_at)
        timeouts->end = (ga__wait){attempt_at, GA__TIMEOUT_ATTEMPT};
    timeouts->after_pool = false;
}

/* What the call does next is under the total alone, until it leaves the lines. */
static void enter_lines(ga__timeouts *timeouts, float attempt_left)
{
    timeouts->attempt_left = attempt_left;
    timeouts->end = (ga__wait){timeouts->total_at, GA__TIMEOUT_TOTAL};
    timeouts->after_pool = timeouts->total_after_pool || attempt_left < INFINITY;
}

void ga__timeouts_pause_attempt(ga__timeouts *timeouts)
{
    bool runs = timeouts->end.by == GA__TIMEOUT_ATTEMPT;

    enter_lines(timeouts, runs ? (float)ga__seconds_until(timeouts->end.at) : timeouts->attempt_left);
}

void ga__timeouts_end_attempt(ga__timeouts *timeouts)
{
    enter_lines(timeouts, timeouts->seconds[GA__TIMEOUT_ATTEMPT]);
}

int ga__timeouts_of_call(ga__timeouts *timeouts, const ga__timeouts *session,
                         const ga_request_options *options)
{
    *timeouts = *session;
    int code = set(timeouts, GA__TIMEOUT_TOTAL, options->timeout);

    if (code == 0)
        code = set(timeouts, GA__TIMEOUT_FIRST_BYTE, options->first_byte_timeout);
    if (code == 0)
        code = set(timeouts, GA__TIMEOUT_READ, options->read_timeout);
    if (code == 0 && GA_UNLIKELY(names_phases(options)))
        code = set_phases(timeouts, options);
    if (code == 0 && GA_LIKELY(!timeouts->total_after_pool))
        begin_total(timeouts);
    return code;
}

ga__wait ga__timeouts_wait(const ga__timeouts *timeouts, ga__timeout which)
{
    ga__wait wait = timeouts->end;
    float seconds = timeouts->seconds[which];

    if (which != GA__TIMEOUT_TOTAL && seconds < INFINITY) {
        uint64_t at = ga__deadline(ga__now(), seconds);

        if (at < wait.at)
            wait = (ga__wait){at, which};
    }
    return wait;
}

double ga__seconds_until(uint64_t time)
{
    uint64_t now = ga__now();

    if (time == GA__NEVER)
        return GA_FOREVER;
    return time > now ? (double)(time - now) * 1e-9 : 0;
}
