/* SPDX-License-Identifier: MIT */
/*
 * The timeouts of a call. No timer runs for the total: every wait of a call ends at the total's end at the
 * latest, so a request that does not wait costs none. Called by sessions and requests.
 */
#include "client/timeouts.h"

#include "task/loop.h"

static const double default_total = 300;

static const char *const names[GA__TIMEOUT_COUNT] = {
    [GA__TIMEOUT_TOTAL] = "total",           [GA__TIMEOUT_POOL] = "pool", [GA__TIMEOUT_DNS] = "dns",
    [GA__TIMEOUT_CONNECT] = "connect",       [GA__TIMEOUT_TLS] = "tls",   [GA__TIMEOUT_WRITE] = "write",
    [GA__TIMEOUT_FIRST_BYTE] = "first_byte", [GA__TIMEOUT_READ] = "read",
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
        timeouts->seconds[which] = seconds;
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
    };
    int code = 0;

    timeouts->total_at = GA__NEVER;
    timeouts->total_after_pool = options->total_after_pool > 0;
    for (ga__timeout which = 0; which < GA__TIMEOUT_COUNT && code == 0; which++) {
        timeouts->seconds[which] = which == GA__TIMEOUT_TOTAL ? default_total : GA_FOREVER;
        code = set(timeouts, which, wanted[which]);
    }
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
    if (options->total_after_pool)
        timeouts->total_after_pool = options->total_after_pool > 0;
    return code;
}

static bool names_phases(const ga_request_options *options)
{
    return options->pool_timeout != 0 || options->dns_timeout != 0 || options->connect_timeout != 0 ||
           options->tls_timeout != 0 || options->write_timeout != 0 || options->total_after_pool != 0;
}

void ga__timeouts_begin_total(ga__timeouts *timeouts)
{
    timeouts->total_after_pool = false;
    timeouts->total_at = ga__deadline(ga__now(), timeouts->seconds[GA__TIMEOUT_TOTAL]);
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
        ga__timeouts_begin_total(timeouts);
    return code;
}

ga__wait ga__timeouts_wait(const ga__timeouts *timeouts, ga__timeout which)
{
    ga__wait wait = {timeouts->total_at, GA__TIMEOUT_TOTAL};
    double seconds = timeouts->seconds[which];

    if (which != GA__TIMEOUT_TOTAL && seconds < GA_FOREVER) {
        uint64_t at = ga__deadline(ga__now(), seconds);

        if (at < wait.at)
            wait = (ga__wait){at, which};
    }
    return wait;
}
