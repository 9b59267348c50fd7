/* SPDX-License-Identifier: MIT */
/*
 * A pace: its options, its end, and what is said of it. Made for a session by client/session.c, or by a user
 * for many. Who waits is in pace_line.c, what answers say in pace_answer.c, hosts in pace_host.c.
 */
#include "client/pace.h"

#include "task/loop.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { DEFAULT_MOST = 100 };

/* --- options -------------------------------------------------------------------------------------- */

static void seed(ga_pace *pace)
{
    pace->random = ga__loop_here ? ga__loop_here->random : 0;
    if (!pace->random && getrandom(&pace->random, sizeof pace->random, 0) < 0)
        pace->random = (uint64_t)time(NULL);
    pace->random |= 1;
}

/* xorshift64*. */
double ga__pace_draw_locked(ga_pace *pace)
{
    uint64_t x = pace->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    pace->random = x;
    return (double)((x * 0x2545f4914f6cdd1dU) >> 11) * 0x1p-53;
}

double ga__pace_draw(ga_pace *pace)
{
    pthread_mutex_lock(&pace->mutex);
    double drawn = ga__pace_draw_locked(pace);

    pthread_mutex_unlock(&pace->mutex);
    return drawn;
}

static int check_rate(double rate, const char *name)
{
    if (rate >= 0 && !isinf(rate))
        return 0;
    return ga__fail(GA_EUSAGE, "%s is %g: a number per second is expected, 0 for no limit", name, rate);
}

static int check_units(double units, const char *name)
{
    if (units >= 0 && !isinf(units))
        return 0;
    return ga__fail(GA_EUSAGE, "%s is %g: a number of units is expected", name, units);
}

static int check_count(int count, const char *name)
{
    if (count >= 0)
        return 0;
    return ga__fail(GA_EUSAGE, "%s is %d: a number of requests is expected", name, count);
}

static int check(const ga_pace_options *options)
{
    int code = check_rate(options->rate, "rate");

    if (code == 0)
        code = check_rate(options->rate_per_host, "rate_per_host");
    if (code == 0)
        code = check_rate(options->tokens_per_host, "tokens_per_host");
    if (code == 0)
        code = check_units(options->burst_tokens, "burst_tokens");
    if (code == 0)
        code = check_units(options->max_cost, "max_cost");
    if (code == 0)
        code = check_count(options->burst, "burst");
    if (code == 0)
        code = check_count(options->burst_per_host, "burst_per_host");
    if (code == 0)
        code = check_count(options->limit_requests, "limit_requests");
    if (code == 0)
        code = check_count(options->limit_requests_per_host, "limit_requests_per_host");
    return code;
}

static size_t limit_of(int option)
{
    return option > 0 ? (size_t)option : SIZE_MAX;
}

static void configure(ga_pace *pace, const ga_pace_options *options, const ga__pace_habits *habits)
{
    bool rated = options->rate > 0 || options->rate_per_host > 0 || options->tokens_per_host > 0;

    pace->shared = habits->shared;
    pace->rate = options->rate;
    pace->rate_per_host = options->rate_per_host;
    pace->burst_per_host = fmax(options->burst_per_host, 1);
    pace->tokens = options->tokens_per_host;
    pace->burst_tokens = fmax(options->burst_tokens, 1);
    pace->max_cost = fmax(pace->burst_tokens, pace->tokens * 60 * (1 + 1e-9)); /* 200000 / 60.0 * 60 */
    if (options->max_cost > 0)
        pace->max_cost = options->max_cost;
    pace->limit = limit_of(options->limit_requests);
    pace->limit_per_host = limit_of(options->limit_requests_per_host);
    pace->until_freed = options->until_freed;
    pace->adapt = rated && options->adapt >= 0;
    pace->obey = options->obey_rate_limits >= 0;
    pace->adaptive = options->adaptive_limit > 0;
    pace->cools = habits->cools || pace->adapt || pace->obey || pace->adaptive;
    pace->asks = rated || pace->cools || options->limit_requests > 0 || options->limit_requests_per_host > 0;
    pace->most = habits->most;
    ga__bucket_init(&pace->requests, options->rate, options->burst);
}

static int set_waits(ga_pace *pace, const ga_pace_options *options)
{
    ga_session_options session = {
        .max_wait = options->max_wait,
        .retry_base = options->retry_base,
        .retry_cap = options->retry_cap,
    };
    ga__retry_policy policy;
    int code = ga__retry_policy_of_session(&policy, &session);

    if (code == 0)
        code = ga__backoff_of_session(&pace->backoff, &session);
    pace->max_wait = policy.max_wait;
    return code;
}

ga_pace *ga__pace_make(const ga_pace_options *options, const ga__pace_habits *habits)
{
    if (check(options) < 0)
        return NULL;
    ga_pace *pace = calloc(1, sizeof *pace);

    if (!pace) {
        ga__fail(GA_ENOMEM, "no memory for a pace");
        return NULL;
    }
    pthread_mutex_init(&pace->mutex, NULL);
    pace->references = 1;
    ga__list_init(&pace->hosts);
    ga__list_init(&pace->turns);
    configure(pace, options, habits);
    seed(pace);
    if (set_waits(pace, options) == 0)
        return pace;
    ga_pace_free(pace);
    return NULL;
}

ga_pace *ga_pace_new_with(const ga_pace_options *options)
{
    ga_pace_options given = {0}; /* an older program's struct is shorter: what it lacks is left out */

    memcpy(&given, options, options->size_ < sizeof given ? options->size_ : sizeof given);
    int most = given.limit_requests_per_host > 0 ? given.limit_requests_per_host
               : given.limit_requests > 0        ? given.limit_requests
                                                 : DEFAULT_MOST;

    return ga__pace_make(&given, &(ga__pace_habits){.shared = true, .cools = true, .most = (size_t)most});
}

/* --- the end -------------------------------------------------------------------------------------- */

void ga__pace_unlock_and_drop(ga_pace *pace)
{
    bool last = --pace->references == 0;

    pthread_mutex_unlock(&pace->mutex);
    if (!last)
        return;
    ga__pace_forget_all(pace);
    pthread_mutex_destroy(&pace->mutex);
    free(pace);
}

void ga_pace_free(ga_pace *pace)
{
    if (!pace)
        return;
    pthread_mutex_lock(&pace->mutex);
    ga__pace_unlock_and_drop(pace);
}

/* --- what is going on ----------------------------------------------------------------------------- */

void ga__pace_retrying(ga_pace *pace, int change)
{
    pthread_mutex_lock(&pace->mutex);
    pace->retrying += (size_t)change;
    pthread_mutex_unlock(&pace->mutex);
}

uint64_t ga__pace_now(void)
{
    struct timespec now;

    if (ga__loop_here)
        return ga__now_exact();
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Until when the server may not be asked; 0: it may be asked now. */
static uint64_t closed_until(const ga__pace_host *host, uint64_t now)
{
    uint64_t until = host->held_since > 0 ? host->held_until : 0;

    if (host->cool_until > until)
        until = host->cool_until;
    return until > now ? until : 0;
}

/* The host that is worth telling of. */
static const ga__pace_host *choose_host(const ga_pace *pace, uint64_t now)
{
    const ga__pace_host *chosen = NULL;

    for (const ga__link *link = pace->hosts.next; link != &pace->hosts; link = link->next) {
        const ga__pace_host *host = GA__OF((ga__link *)(uintptr_t)link, ga__pace_host, used);
        size_t in_line = chosen ? chosen->in_line : 0;
        uint64_t until = chosen ? closed_until(chosen, now) : 0;

        if (host->in_line > in_line || (host->in_line == in_line && closed_until(host, now) > until))
            chosen = host;
    }
    return chosen;
}

static const char *why(const ga__pace_host *host)
{
    if (host->in_line == 0)
        return "";
    if (ga__linked(&host->turn)) /* the host itself would let the first in */
        return host->pace->under_way >= host->pace->limit ? "limit" : "rate";
    return host->why;
}

static void describe(const ga__pace_host *host, ga_pace_state *state, uint64_t now)
{
    uint64_t until = closed_until(host, now);
    int size = host->name_size < 256 ? (int)host->name_size : 255;
    bool ipv6 = strchr(host->name, ':') != NULL;
    int end = snprintf(state->host, sizeof state->host, ipv6 ? "[%.*s]" : "%.*s", size, host->name);

    if (host->port != (host->secure ? 443 : 80))
        snprintf(state->host + end, sizeof state->host - (size_t)end, ":%u", host->port);
    state->in_line = host->in_line;
    state->why = why(host);
    state->cool_down = until > 0 ? (double)(until - now) * 1e-9 : 0;
    state->rate = ga__pace_rate_of(host);
}

void ga_pace_status(ga_pace *pace, ga_pace_state *state)
{
    *state = (ga_pace_state){.why = ""};
    if (!pace)
        return;
    uint64_t now = ga__pace_now();

    pthread_mutex_lock(&pace->mutex);
    const ga__pace_host *host = choose_host(pace, now);

    state->waiting = pace->waiting;
    state->retrying = pace->retrying;
    state->under_way = pace->under_way;
    if (host)
        describe(host, state, now);
    pthread_mutex_unlock(&pace->mutex);
}
