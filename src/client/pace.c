/* SPDX-License-Identifier: MIT */
/*
 * The pace of a session's requests, host by host. Called by client/attempts.c, and by no call of a session
 * that asks for none of this.
 *
 * Invariant: while tasks are in a host's line, either its timer is armed for the time at which the first may
 * enter, or somebody is inside, whose leaving lets the first in.
 *
 * What a server grants is counted so that it is never overdrawn: an answer says how many requests were left
 * when it was made, and any request inside may or may not have been among those counted; it is taken as not.
 * An answer counts as newer than another where its request was sent after the other had come.
 */
#include "client/pace.h"

#include "task/loop.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    MOST_REMEMBERED = 1024, /* hosts beyond that are forgotten once they are at rest */
    LOOKED_AT = 8           /* of them at a time */
};

static const double on_pushback = 0.7;  /* the rate is multiplied with */
static const double recovers_by = 0.05; /* of the configured rate */
static const double recovers_each = 20; /* seconds */
static const double jitter = 0.2;       /* of a wait, on top of it */

/* --- options -------------------------------------------------------------------------------------- */

static void seed(ga__pace *pace)
{
    pace->random = ga__loop_here->random;
    if (!pace->random && getrandom(&pace->random, sizeof pace->random, 0) < 0)
        pace->random = ga__now();
    pace->random |= 1;
}

/* xorshift64*. */
double ga__pace_draw(ga__pace *pace)
{
    uint64_t x = pace->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    pace->random = x;
    return (double)((x * 0x2545f4914f6cdd1dU) >> 11) * 0x1p-53;
}

static bool switched(int option, bool when_left_out)
{
    return option == 0 ? when_left_out : option > 0;
}

int ga__pace_init(ga__pace *pace, const ga_session_options *options)
{
    bool rated = options->rate > 0 || options->rate_per_host > 0;

    ga__list_init(&pace->hosts);
    if (!(options->rate_per_host >= 0) || isinf(options->rate_per_host))
        return ga__fail(GA_EUSAGE, "rate_per_host is %g: requests per second are expected, 0 for no limit",
                        options->rate_per_host);
    if (options->burst_per_host < 0)
        return ga__fail(GA_EUSAGE, "burst_per_host is %d: a number of requests is expected",
                        options->burst_per_host);
    pace->rate = options->rate_per_host;
    pace->burst = options->burst_per_host > 0 ? options->burst_per_host : 1;
    pace->base_rate = options->rate_per_host > 0 ? options->rate_per_host : options->rate;
    pace->adapt = switched(options->adapt, rated) && rated;
    pace->obey = switched(options->obey_rate_limits, rated || options->retries > 0);
    pace->adaptive = options->adaptive_limit > 0;
    pace->cools = options->retries > 0 || pace->adapt || pace->obey || pace->adaptive;
    pace->most = options->limit_per_host > 0 ? (size_t)options->limit_per_host
                 : options->limit > 0        ? (size_t)options->limit
                                             : 100;
    seed(pace);
    return ga__backoff_of_session(&pace->backoff, options);
}

/* --- hosts ---------------------------------------------------------------------------------------- */

static uint64_t hash_of(const ga__url *url)
{
    uint64_t hash = GA__HASH_BASIS ^ url->port ^ (uint64_t)url->secure << 16;

    return ga__hash_fold(ga__hash(hash, (ga__slice){ga__url_host(url), ga__url_host_size(url)}));
}

static bool is_host_of(const ga__pace_host *host, const ga__url *url, uint64_t hash)
{
    return host->link.hash == hash && host->port == url->port && host->secure == url->secure &&
           host->name_size == ga__url_host_size(url) &&
           memcmp(host->name, ga__url_host(url), host->name_size) == 0;
}

static void forget(ga__pace_host *host)
{
    ga__hash_table_remove(&host->pace->table, &host->link);
    ga__unlink(&host->used);
    ga__timer_disarm(&host->timer);
    free(host);
}

/* Whether all that is known of the host is what is known of a new one. */
static bool is_at_rest(const ga__pace_host *host)
{
    uint64_t now = ga__now();

    return host->inside == 0 && host->in_line == 0 && host->cool_until <= now &&
           (!host->counted || host->window_until <= now) && host->limiter.full_at_ <= now;
}

static void forget_some(ga__pace *pace)
{
    ga__link *link = ga__list_first(&pace->hosts);

    for (int i = 0; i < LOOKED_AT && pace->table.count > MOST_REMEMBERED && link != &pace->hosts; i++) {
        ga__pace_host *host = GA__OF(link, ga__pace_host, used);

        link = link->next;
        if (is_at_rest(host))
            forget(host);
    }
}

void ga__pace_free(ga__pace *pace)
{
    for (ga__link *link; pace->hosts.next && (link = ga__list_first(&pace->hosts));)
        forget(GA__OF(link, ga__pace_host, used));
    ga__hash_table_free(&pace->table);
}

static void turn_came(ga_timer_ *timer);

static ga__pace_host *host_new(ga__pace *pace, const ga__url *url)
{
    size_t size = ga__url_host_size(url);
    ga__pace_host *host = malloc(sizeof *host + size + 1);

    if (!host)
        return NULL;
    *host = (ga__pace_host){
        .pace = pace,
        .port = url->port,
        .secure = url->secure,
        .name_size = size,
        .rate = pace->rate,
        .window_limit = -1,
        .window_until = GA__NEVER,
    };
    host->timer.fire = turn_came;
    ga__list_init(&host->line);
    ga_limiter_init(&host->limiter, pace->rate, pace->burst);
    ga__adaptive_init(&host->adaptive, pace->most);
    memcpy(host->name, ga__url_host(url), size);
    host->name[size] = '\0';
    return host;
}

static ga__pace_host *add_host(ga__pace *pace, const ga__url *url, uint64_t hash)
{
    ga__pace_host *host = ga__hash_table_reserve(&pace->table) ? host_new(pace, url) : NULL;

    if (!host)
        return NULL;
    ga__hash_table_add(&pace->table, &host->link, hash);
    ga__list_push_back(&pace->hosts, &host->used);
    forget_some(pace);
    return host;
}

ga__pace_host *ga__pace_find(ga__pace *pace, const ga__url *url)
{
    uint64_t hash = hash_of(url);

    for (ga__hash_link *link = ga__hash_chain(&pace->table, hash); link; link = link->next) {
        ga__pace_host *host = GA__OF(link, ga__pace_host, link);

        if (is_host_of(host, url, hash)) {
            ga__unlink(&host->used);
            ga__list_push_back(&pace->hosts, &host->used);
            return host;
        }
    }
    return add_host(pace, url, hash);
}

/* --- who may enter -------------------------------------------------------------------------------- */

/* A task in line. */
typedef struct waiter {
    uint64_t latest;
    uint64_t until; /* when to come back, where it was sent away */
    bool held;      /* until a time, with others */
    ga__pace_stay *stay;
} waiter;

static waiter *waiter_of(const ga__link *link)
{
    return GA__OF((ga__link *)(uintptr_t)link, ga_task, queue)->exchange;
}

/* The window has ended: the next grants what this one did, or one request, to ask how many. */
static void begin_window(ga__pace_host *host)
{
    host->granted = host->window_limit > 0 ? host->window_limit : (double)host->inside + 1;
    host->window_until = GA__NEVER;
    host->counted_at = ++host->sequence;
}

/* When the next may enter: `now` or before, a time, or GA__NEVER where somebody has to leave first. */
static uint64_t opens_at(ga__pace_host *host, uint64_t now)
{
    if (host->cool_until > now)
        return host->cool_until;
    if (host->counted && host->window_until <= now)
        begin_window(host);
    if (host->counted && host->granted < (double)host->inside + 1) {
        if (host->inside > 0 || host->window_until < GA__NEVER)
            return host->window_until;
        host->counted = false; /* nobody is left who could learn how many */
    }
    if (host->pace->adaptive && host->inside >= ga__adaptive_limit(&host->adaptive))
        return GA__NEVER;
    return now;
}

static void enter(ga__pace_host *host, ga__pace_stay *stay)
{
    host->inside++;
    *stay = (ga__pace_stay){host, ++host->sequence};
}

/* The line waits until that time. Those for whom it is too long leave it. */
static void hold_until(ga__pace_host *host, uint64_t until)
{
    ga__timer_arm(&host->timer, until);
    if (until <= host->told)
        return;
    host->told = until;
    for (ga__link *link = host->line.next, *next; link != &host->line; link = next) {
        waiter *each = waiter_of(link);

        next = link->next;
        each->held = true;
        if (each->latest >= until)
            continue;
        each->until = until;
        ga__wake(GA__OF(link, ga_task, queue), GA_ERATELIMITED);
    }
}

/* Lets in who may enter by now. */
static void serve(ga__pace_host *host)
{
    uint64_t now = ga__now(), opens;

    while (!ga__list_empty(&host->line)) {
        opens = opens_at(host, now);
        if (opens > now) {
            if (opens < GA__NEVER)
                hold_until(host, opens);
            else
                ga__timer_disarm(&host->timer);
            return;
        }
        enter(host, waiter_of(ga__list_first(&host->line))->stay);
        ga__wake_first(&host->line, 0);
    }
    ga__timer_disarm(&host->timer);
}

static void turn_came(ga_timer_ *timer)
{
    serve(GA__OF(timer, ga__pace_host, timer));
}

/* Those whom a cool-down held do not come back all at once: each waits a little more. */
static int spread(ga__pace_host *host, uint64_t waited, uint64_t deadline)
{
    double more = (double)waited * 1e-9 * jitter * ga__pace_draw(host->pace);
    uint64_t until = ga__deadline(ga__now(), more);
    int code = ga__park(NULL, until < deadline ? until : deadline, 0, "the end of a host's cool-down");

    return code == GA_ETIMEDOUT && until < deadline ? 0 : code;
}

/* Stands in line. */
static int wait_in_line(ga__pace_host *host, ga__pace_stay *stay, uint64_t deadline, uint64_t latest,
                        uint64_t *until)
{
    uint64_t begun = ga__now(), opens = opens_at(host, begun);
    waiter self = {.latest = latest, .stay = stay, .held = opens > begun && opens < GA__NEVER};

    ga__current()->exchange = &self;
    host->in_line++;
    if (self.held)
        hold_until(host, opens);
    int code = ga__park(&host->line, deadline, 0, "its turn at a host");

    host->in_line--;
    *until = self.until;
    if (code == 0 && self.held)
        code = spread(host, ga__now() - begun, deadline);
    if (code < 0)
        ga__pace_leave(stay);
    return code;
}

int ga__pace_enter(ga__pace_host *host, ga__pace_stay *stay, uint64_t deadline, uint64_t latest,
                   uint64_t *until)
{
    uint64_t now = ga__now(), opens = opens_at(host, now);

    if (opens <= now && ga__list_empty(&host->line)) {
        enter(host, stay);
        return 0;
    }
    if (opens < GA__NEVER && opens > latest) {
        *until = opens;
        return GA_ERATELIMITED;
    }
    return wait_in_line(host, stay, deadline, latest, until);
}

bool ga__pace_is_cooling(const ga__pace_stay *stay)
{
    return stay->host && stay->host->cool_until > ga__now();
}

/* --- what answers say ----------------------------------------------------------------------------- */

static void set_rate(ga__pace_host *host, double rate)
{
    host->rate = rate;
    host->rated_at = ga__now();
    /* Where only the session has a rate, the host needs none of its own at full speed. */
    ga_limiter_set_rate(&host->limiter, host->pace->rate > 0 || rate < host->pace->base_rate ? rate : 0);
}

/* The rate, which was lowered, rises again. */
static void recover(ga__pace_host *host)
{
    double full = host->pace->base_rate;

    if (!(host->rate > 0) || host->rate >= full)
        return;
    double steps = floor((double)(ga__now() - host->rated_at) * 1e-9 / recovers_each);

    if (steps >= 1)
        set_rate(host, fmin(full, host->rate + steps * recovers_by * full));
}

double ga__pace_asked(const ga__advice *advice)
{
    /* Where requests are left, it was something else that was refused. */
    double reset = advice->remaining < 1 ? advice->reset : -1;

    return advice->retry_after > reset ? advice->retry_after : reset;
}

/* The host pushed back. Requests that were sent before the last pushback came tell nothing new but how long
 * to wait. */
static void cool_down(ga__pace_host *host, const ga__pace_stay *stay, const ga__advice *advice)
{
    ga__pace *pace = host->pace;
    double wait = ga__pace_asked(advice);

    if (stay->entered > host->cooled_at) {
        wait = fmax(wait, ga__backoff_ceiling(&pace->backoff, host->strikes++));
        host->cooled_at = ++host->sequence;
        if (pace->adapt)
            set_rate(host, (host->rate > 0 ? host->rate : pace->base_rate) * on_pushback);
        if (pace->adaptive)
            ga__adaptive_pushed_back(&host->adaptive);
    }
    uint64_t until = ga__deadline(ga__now(), fmax(wait, 0));

    if (until <= host->cool_until)
        return;
    host->cool_until = until;
    ga_limiter_pause(&host->limiter, wait);
}

/* Notes what the answer says to be left. */
static void count_granted(ga__pace_host *host, const ga__pace_stay *stay, const ga__advice *advice)
{
    bool newer = !host->counted || stay->entered > host->counted_at;

    if (advice->remaining < 0) {
        host->counted &= !newer || host->window_until < GA__NEVER;
        return;
    }
    if (advice->limit >= 0)
        host->window_limit = advice->limit;
    if (newer || advice->remaining < host->granted)
        host->granted = advice->remaining;
    if (newer || host->window_until == GA__NEVER)
        host->window_until = advice->reset >= 0 ? ga__deadline(ga__now(), advice->reset) : GA__NEVER;
    host->counted = true;
    host->counted_at = ++host->sequence;
}

void ga__pace_leave(ga__pace_stay *stay)
{
    ga__pace_host *host = stay->host;

    if (!host)
        return;
    stay->host = NULL;
    host->inside--;
    serve(host);
}

void ga__pace_answered(ga__pace_stay *stay, int status, const ga__advice *advice, double latency)
{
    ga__pace_host *host = stay->host;

    if (!host)
        return;
    ga__pace *pace = host->pace;
    bool pushback = status == 429 || status == 503;

    if (pace->obey)
        count_granted(host, stay, advice);
    if (pushback && pace->cools)
        cool_down(host, stay, advice);
    if (!pushback && stay->entered > host->cooled_at)
        host->strikes = 0;
    if (!pushback && pace->adaptive && latency >= 0)
        ga__adaptive_answered(&host->adaptive, latency, host->inside, (double)ga__now() * 1e-9);
    if (pace->adapt)
        recover(host);
    ga__pace_leave(stay);
}
