/* SPDX-License-Identifier: MIT */
/* The pace of a session's requests: rates per host, the cool-down that all share, what RateLimit fields
 * grant, and how many go at once. On the virtual clock, against servers that count. */
#include "http2_peer.h"

#include "client/session.h"
#include "sim/sim.h"
#include "task/loop.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4000 };

static int inside_all, most_inside_all; /* over all servers */

/* A server with a fixed window: `limit` requests each `window` seconds, and 429 for more. */
typedef struct bucket {
    int limit;
    double window;
    bool tells; /* sends RateLimit fields with each answer */
    bool asks;  /* sends Retry-After with a 429 */
    double latency;
    double began; /* of the present window */
    int used;     /* in it */
    double arrivals[MOST];
    int arrived, refused;
    int refuse_next; /* so many are refused, whatever the window says */
    int inside, most_inside;
} bucket;

static bool answer(peer_visit *visit)
{
    bucket *self = visit->peer->data;
    double now = ga_now();
    char text[512];

    assert_in_range(self->arrived, 0, MOST - 1);
    self->arrivals[self->arrived++] = now;
    if (now >= self->began + self->window) {
        self->began = now - fmod(now - self->began, self->window);
        self->used = 0;
    }
    bool refused = self->used >= self->limit || self->refuse_next > 0;
    double left = self->began + self->window - now;

    self->refuse_next -= self->refuse_next > 0;
    self->used += !refused;
    self->refused += refused;
    int size = snprintf(text, sizeof text, "HTTP/1.1 %s x\r\nContent-Length: 0\r\n", refused ? "429" : "200");

    if (self->tells)
        size += snprintf(text + size, sizeof text - (size_t)size,
                         "RateLimit-Limit: %d\r\nRateLimit-Remaining: %d\r\nRateLimit-Reset: %.0f\r\n",
                         self->limit, self->limit - self->used, ceil(left));
    if (self->asks && refused)
        size += snprintf(text + size, sizeof text - (size_t)size, "Retry-After: %.0f\r\n", ceil(left));
    size += snprintf(text + size, sizeof text - (size_t)size, "\r\n");
    self->inside++;
    if (self->inside > self->most_inside)
        self->most_inside = self->inside;
    if (++inside_all > most_inside_all)
        most_inside_all = inside_all;
    ga_sleep(self->latency);
    self->inside--;
    inside_all--;
    return peer_say(visit, text, (size_t)size);
}

static const peer_step serves[] = {PEER_TAKE(NULL), PEER_CALL(answer), PEER_AGAIN};
static const peer_step *const always_serves[] = {serves, NULL};

static void start(peer_server *peer, ga_group *group, bucket *self)
{
    peer_start(peer, group, always_serves);
    peer->data = self;
    self->began = ga_now();
}

/* The most arrivals within any so many seconds. */
static int most_within(const bucket *self, double seconds)
{
    int most = 0;

    for (int first = 0, last = 0; last < self->arrived; last++) {
        while (self->arrivals[last] - self->arrivals[first] >= seconds)
            first++;
        if (last - first + 1 > most)
            most = last - first + 1;
    }
    return most;
}

typedef struct caller {
    ga_session *session;
    char url[128];
    int calls, good, limited;
} caller;

static int call_repeatedly(void *arg)
{
    caller *self = arg;

    while (self->calls-- > 0) {
        ga_auto(ga_response) response = ga_get(self->session, self->url);

        self->good += ga_status(response) == 200;
        self->limited += !response && ga_error()->code == GA_ERATELIMITED;
    }
    return 0;
}

/* So many tasks make so many calls each. @return how many were answered with 200 */
static int call_at_once(ga_session *session, peer_server *peer, int tasks, int calls)
{
    caller *callers = calloc((size_t)tasks, sizeof *callers);
    ga_group group;
    int good = 0;

    assert_non_null(callers);
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < tasks; i++) {
        callers[i] = (caller){.session = session, .calls = calls};
        snprintf(callers[i].url, sizeof callers[i].url, "%s", peer_url(peer, "/"));
        ga_spawn(&group, call_repeatedly, &callers[i]);
    }
    ga_gather(&group);
    ga_group_close(&group);
    for (int i = 0; i < tasks; i++)
        good += callers[i].good;
    free(callers);
    return good;
}

typedef struct place {
    ga_session *session;
    char url[128];
    int *order;
    int answered;
} place;

static int call_once(void *arg)
{
    place *self = arg;

    ga_response_free(ga_get(self->session, self->url));
    self->answered = ++*self->order;
    return 0;
}

/* --- rates ---------------------------------------------------------------------------------------- */

TIMED_CASE(each_host_has_a_rate_of_its_own)
{
    ga_auto(ga_session) session = ga_session_new(.rate_per_host = 10, .burst_per_host = 2);
    bucket *first = calloc(2, sizeof *first), *second = first + 1;
    peer_server peer, other;
    ga_group both;

    assert_non_null(first);
    first->limit = second->limit = MOST;
    first->window = second->window = 1e6;
    start(&peer, peers, first);
    start(&other, peers, second);
    double began = ga_now();

    ga_group_open(&both, GA_COLLECT);
    caller one = {.session = session, .calls = 41}, two = {.session = session, .calls = 41};

    snprintf(one.url, sizeof one.url, "%s", peer_url(&peer, "/"));
    snprintf(two.url, sizeof two.url, "%s", peer_url(&other, "/"));
    ga_spawn(&both, call_repeatedly, &one);
    ga_spawn(&both, call_repeatedly, &two);
    ga_gather(&both);
    ga_group_close(&both);
    assert_int_equal(one.good + two.good, 82);
    assert_true(fabs(ga_now() - began - 4) < 0.1); /* together they are twice as fast */
    assert_in_range(most_within(first, 1), 10, 12);
    peer_stop(&peer);
    peer_stop(&other);
    free(first);
}

TIMED_CASE(the_rate_falls_with_a_pushback_and_rises_again)
{
    ga_auto(ga_session) session = ga_session_new(.rate_per_host = 10);
    bucket *self = calloc(1, sizeof *self);
    peer_server peer;

    assert_non_null(self);
    self->limit = MOST;
    self->window = 1e6;
    self->refuse_next = 1;
    start(&peer, peers, self);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    ga_sleep(1);
    double began = ga_now();

    call_at_once(session, &peer, 1, 71);
    assert_true(fabs(ga_now() - began - 10) < 0.5); /* 7 a second */
    ga_sleep(40);
    began = ga_now();
    call_at_once(session, &peer, 1, 1); /* its answer lets the rate rise */
    call_at_once(session, &peer, 1, 80);
    assert_true(fabs(ga_now() - began - 10) < 1.4); /* 8 by now: two steps of 5 % */
    ga_sleep(200);
    call_at_once(session, &peer, 1, 1);
    began = ga_now();
    call_at_once(session, &peer, 1, 100);
    assert_true(fabs(ga_now() - began - 10) < 0.3); /* and never more than 10 */
    peer_stop(&peer);
    free(self);
}

TIMED_CASE(a_rate_stays_where_adapting_is_off)
{
    ga_auto(ga_session) session = ga_session_new(.rate_per_host = 10, .adapt = -1, .obey_rate_limits = -1);
    bucket *self = calloc(1, sizeof *self);
    peer_server peer;

    assert_non_null(self);
    self->limit = MOST;
    self->window = 1e6;
    self->refuse_next = 1;
    start(&peer, peers, self);
    double began = ga_now();

    assert_int_equal(call_at_once(session, &peer, 1, 101), 100);
    assert_true(fabs(ga_now() - began - 10) < 0.1);
    peer_stop(&peer);
    free(self);
}

/* --- cool-down ------------------------------------------------------------------------------------ */

TIMED_CASE(a_pushback_cools_the_host_down_for_all_and_no_other_host)
{
    ga_auto(ga_session) session = ga_session_new(.retries = 3, .obey_rate_limits = -1, .limit = 2);
    bucket *self = calloc(2, sizeof *self), *calm = self + 1;
    peer_server peer, other;

    assert_non_null(self);
    *self = (bucket){.limit = 5, .window = 30, .asks = true, .latency = 0.01};
    *calm = (bucket){.limit = MOST, .window = 1e6};
    start(&peer, peers, self);
    start(&other, peers, calm);
    double began = ga_now();

    assert_int_equal(call_at_once(session, &peer, 8, 1), 8);
    /* With two connections, two at most were under way when the first was refused; those in line for one did
     * not go out. */
    assert_in_range(self->refused, 1, 2);
    for (int i = 0; i < self->arrived; i++) {
        double at = self->arrivals[i] - began;

        assert_true(at < 0.2 || (at >= 30 && at < 37)); /* never less, 20 % more at most */
    }
    self->used = self->limit;
    self->began = ga_now();
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .retries = -1));
    began = ga_now();
    ga_response_free(ga_get(session, peer_url(&other, "/")));
    assert_true(ga_now() - began < 0.1);
    peer_stop(&peer);
    peer_stop(&other);
    free(self);
}

TIMED_CASE(those_who_waited_for_its_end_come_spread_and_in_order)
{
    ga_auto(ga_session) session = ga_session_new(.retries = 1, .limit_requests_per_host = 50);
    bucket *self = calloc(1, sizeof *self);
    place places[40];
    peer_server peer;
    ga_group group;
    int order = 0, early = 0;

    assert_non_null(self);
    *self = (bucket){.limit = 1, .window = 30, .asks = true};
    start(&peer, peers, self);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .retries = -1)); /* is refused */
    self->limit = MOST;
    double began = ga_now();

    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 40; i++) {
        places[i] = (place){.session = session, .order = &order};
        snprintf(places[i].url, sizeof places[i].url, "%s", peer_url(&peer, "/"));
        ga_spawn(&group, call_once, &places[i]);
    }
    ga_gather(&group);
    ga_group_close(&group);
    assert_int_equal(self->arrived, 42);
    for (int i = 2; i < 42; i++) {
        assert_true(self->arrivals[i] - began >= 29.9 && self->arrivals[i] - began < 36.1);
        early += self->arrivals[i] - began < 33;
    }
    assert_in_range(early, 8, 32); /* each waits from 0 to 6 s more, one as likely as the other */
    for (int i = 1; i < 40; i++)
        assert_true(places[i].answered > places[i - 1].answered);
    /* Who comes afterwards waits for nothing. */
    ga_sleep(100);
    began = ga_now();
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_true(ga_now() - began < 0.1);
    peer_stop(&peer);
    free(self);
}

TIMED_CASE(no_burst_makes_up_for_a_pause)
{
    ga_auto(ga_session) session = ga_session_new(.rate_per_host = 10, .burst_per_host = 20, .adapt = -1);
    bucket *self = calloc(1, sizeof *self);
    peer_server peer;

    assert_non_null(self);
    *self = (bucket){.limit = MOST, .window = 60, .asks = true, .refuse_next = 1};
    start(&peer, peers, self);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    call_at_once(session, &peer, 40, 1);
    assert_int_equal(self->arrived, 41);
    assert_in_range(most_within(self, 1), 4, 12);
    ga_sleep(60); /* an idle time of its own choice is none */
    self->arrived = 0;
    call_at_once(session, &peer, 40, 1);
    assert_in_range(most_within(self, 1), 28, 31);
    peer_stop(&peer);
    free(self);
}

TIMED_CASE(those_in_line_learn_at_once_that_it_is_too_long)
{
    ga_auto(ga_session) session = ga_session_new(.rate_per_host = 100, .max_wait = 5, .limit_per_host = 1);
    static const peer_step script[] = {
        PEER_TAKE(NULL), PEER_PAUSE(1),
        PEER_SAY("HTTP/1.1 429 x\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n"), PEER_AGAIN};
    static const peer_step *const scripts[] = {script, NULL};
    caller callers[5];
    peer_server peer;
    ga_group group;
    int limited = 0;

    peer_start(&peer, peers, scripts);
    double began = ga_now();

    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 5; i++) {
        callers[i] = (caller){.session = session, .calls = 2};
        snprintf(callers[i].url, sizeof callers[i].url, "%s", peer_url(&peer, "/"));
        ga_spawn(&group, call_repeatedly, &callers[i]);
    }
    ga_gather(&group);
    ga_group_close(&group);
    for (int i = 0; i < 5; i++)
        limited += callers[i].limited;
    assert_int_equal(limited, 9); /* all but the one that was refused itself, and is not to be tried again */
    assert_int_equal(peer.requests, 1);
    assert_true(ga_now() - began < 1.1);
    peer_stop(&peer);
}

/* --- RateLimit fields ----------------------------------------------------------------------------- */

TIMED_CASE(what_is_granted_is_not_overdrawn)
{
    bucket *self = calloc(1, sizeof *self);

    assert_non_null(self);
    for (int tasks = 1; tasks <= 64; tasks *= 4) {
        ga_auto(ga_session) session = ga_session_new(.obey_rate_limits = 1, .total_timeout = 10000);
        peer_server peer;
        ga_group group;

        *self = (bucket){.limit = 20, .window = 10, .tells = true, .latency = 0.05};
        ga_group_open(&group, GA_COLLECT);
        start(&peer, &group, self);
        ga_response_free(ga_get(session, peer_url(&peer, "/"))); /* the first answer tells */
        double began = ga_now();

        assert_int_equal(call_at_once(session, &peer, tasks, 256 / tasks), 256);
        assert_int_equal(self->refused, 0);
        /* 13 windows, and after each up to 20 % of what was waited, and up to a second since resets are whole
         */
        assert_true(ga_now() - began > 120 && ga_now() - began < 13 * 13.5);
        peer_stop(&peer);
        ga_group_close(&group);
    }
    free(self);
}

TIMED_CASE(fields_that_are_not_sent_any_more_hold_nobody)
{
    static const peer_step script[] = {PEER_TAKE(NULL),
                                       PEER_SAY("HTTP/1.1 200 x\r\nX-RateLimit-Remaining: "
                                                "0\r\nX-RateLimit-Reset: 5\r\nContent-Length: 0\r\n\r\n"),
                                       PEER_TAKE(NULL),
                                       PEER_OK("0", ""),
                                       PEER_TAKE(NULL),
                                       PEER_OK("0", ""),
                                       PEER_TAKE(NULL),
                                       PEER_OK("0", ""),
                                       PEER_HOLD};
    static const peer_step *const scripts[] = {script, NULL};
    ga_auto(ga_session) session = ga_session_new(.obey_rate_limits = 1);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    double began = ga_now();

    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_null(ga_get(session, peer_url(&peer, "/"), .timeout = 2));
    assert_int_equal(ga_error()->code, GA_ERATELIMITED); /* at once, and not after 2 s in vain */
    assert_true(ga_now() - began < 0.1);
    assert_int_equal(call_at_once(session, &peer, 1, 3), 3);
    assert_true(ga_now() - began >= 5 && ga_now() - began < 6.1);
    peer_stop(&peer);
}

/* --- any server, any pace ------------------------------------------------------------------------- */

/* A server that enforces a limit, and clients of many kinds: no window sees more requests than the client's
 * rate allows, and all calls are answered in the end. */
static int keep_the_pace(void *arg)
{
    (void)arg;
    ga__poller *poller = ga__loop_here->poller;
    bucket *self = calloc(1, sizeof *self);
    int rate = 1 + (int)(ga__sim_random(poller) % 40), burst = 1 + (int)(ga__sim_random(poller) % 10);
    int tasks = 1 + (int)(ga__sim_random(poller) % 30);
    bool per_host = ga__sim_random(poller) % 2;
    int limit = (int)(ga__sim_random(poller) % 8);
    peer_server peer;
    ga_group group;

    assert_non_null(self);
    *self = (bucket){
        .limit = 1 + (int)(ga__sim_random(poller) % 50),
        .window = 1 + (double)(ga__sim_random(poller) % 10),
        .tells = ga__sim_random(poller) % 2,
        .asks = ga__sim_random(poller) % 2,
        .latency = (double)(ga__sim_random(poller) % 200) * 1e-3,
    };
    ga_session *session =
        ga_session_new(.rate = per_host ? 0 : rate, .burst = burst, .rate_per_host = per_host ? rate : 0,
                       .burst_per_host = burst, .retries = 1000, .retry_budget = -1,
                       .total_timeout = GA_FOREVER, .adaptive_limit = rate % 3 == 0,
                       .limit_requests = limit % 2 ? limit : 0,
                       .limit_requests_per_host = limit % 2 ? 0 : limit);

    ga_group_open(&group, GA_COLLECT);
    start(&peer, &group, self);
    int good = call_at_once(session, &peer, tasks, 6);
    int allowed = rate + burst;
    int code = 0;

    if (good != tasks * 6)
        code = ga_fail(GA_EUSAGE, "%d of %d calls were answered", good, tasks * 6);
    else if (most_within(self, 1) > allowed)
        code = ga_fail(GA_EUSAGE, "%d requests within a second, %d allowed", most_within(self, 1), allowed);
    else if (limit > 0 && self->most_inside > limit)
        code = ga_fail(GA_EUSAGE, "%d requests at once, %d allowed", self->most_inside, limit);
    ga_session_free(session);
    peer_stop(&peer);
    ga_group_close(&group);
    free(self);
    return code;
}

static void no_stretch_of_time_sees_more_than_the_rate_and_the_burst(void **state)
{
    static const ga__sim_options calm = {.seed = 0};

    (void)state;
    assert_int_equal(ga__sim_run_seeds(1, CHECK_SANITIZED ? 100 : 400, &calm, keep_the_pace, NULL), 0);
}

typedef struct impatient {
    ga_session *session;
    char url[128];
    double timeout, cost;
} impatient;

static int call_with_timeout(void *arg)
{
    impatient *self = arg;

    ga_response_free(ga_get(self->session, self->url, .timeout = self->timeout, .cost = self->cost));
    return 0;
}

/* Calls that time out and are cancelled at any moment leave nothing behind, and hold up nobody. */
static int give_up(void *arg)
{
    (void)arg;
    ga__poller *poller = ga__loop_here->poller;
    bucket *self = calloc(1, sizeof *self);
    int tasks = 2 + (int)(ga__sim_random(poller) % 30);
    impatient *calls = calloc((size_t)tasks, sizeof *calls);
    bool shared = ga__sim_random(poller) % 2;
    peer_server peer;
    ga_group group, callers;
    ga_pace_state state;

    assert_non_null(self);
    assert_non_null(calls);
    *self = (bucket){
        .limit = 1 + (int)(ga__sim_random(poller) % 10),
        .window = 1 + (double)(ga__sim_random(poller) % 5),
        .tells = ga__sim_random(poller) % 2,
        .asks = ga__sim_random(poller) % 2,
        .latency = (double)(ga__sim_random(poller) % 500) * 1e-3,
    };
    ga_pace *pace = ga_pace_new(.rate_per_host = 20, .tokens_per_host = 100, .limit_requests = 3, .rate = 30);
    ga_session *session = shared ? ga_session_new(.pace = pace, .retries = 5)
                                 : ga_session_new(.retries = 5, .rate_per_host = 20, .tokens_per_host = 100,
                                                  .limit_requests = 3);

    ga_group_open(&group, GA_COLLECT);
    start(&peer, &group, self);
    ga_group_open(&callers, GA_COLLECT);
    for (int i = 0; i < tasks; i++) {
        calls[i] = (impatient){.session = session,
                               .timeout = 0.001 * (double)(1 + ga__sim_random(poller) % 8000),
                               .cost = (double)(ga__sim_random(poller) % 100)};
        snprintf(calls[i].url, sizeof calls[i].url, "%s", peer_url(&peer, "/"));
        ga_spawn(&callers, call_with_timeout, &calls[i]);
    }
    ga_sleep((double)(ga__sim_random(poller) % 6000) * 1e-3);
    ga_group_cancel(&callers);
    ga_gather(&callers);
    ga_group_close(&callers);
    ga_pace_status(ga_session_pace(session), &state);
    int code = 0;

    if (state.waiting + state.retrying + state.under_way > 0)
        code = ga_fail(GA_EUSAGE, "%zu wait, %zu retry, %zu are under way", state.waiting, state.retrying,
                       state.under_way);
    ga_auto(ga_response) last = ga_get(session, peer_url(&peer, "/"), .cost = 1);

    if (code == 0 && ga_status(last) != 200 && ga_status(last) != 429)
        code = ga_fail(GA_EUSAGE, "the last call: %s", ga_error_message());
    ga_response_free(last);
    last = NULL;
    ga_session_free(session);
    ga_pace_free(pace);
    peer_stop(&peer);
    ga_group_close(&group);
    free(calls);
    free(self);
    return code;
}

static void who_gives_up_leaves_nothing_behind(void **state)
{
    static const ga__sim_options calm = {.seed = 0};

    (void)state;
    assert_int_equal(ga__sim_run_seeds(1, CHECK_SANITIZED ? 100 : 400, &calm, give_up, NULL), 0);
}

/* --- concurrency ---------------------------------------------------------------------------------- */

TIMED_CASE(concurrency_begins_low_and_grows_to_the_limit)
{
    ga_auto(ga_session) session = ga_session_new(.adaptive_limit = 1, .limit_per_host = 16);
    bucket *self = calloc(1, sizeof *self);
    peer_server peer;

    assert_non_null(self);
    *self = (bucket){.limit = MOST, .window = 1e6, .latency = 0.1};
    start(&peer, peers, self);
    assert_int_equal(call_at_once(session, &peer, 40, 1), 40);
    assert_in_range(self->most_inside, 5, 15);
    assert_int_equal(call_at_once(session, &peer, 40, 20), 800);
    assert_int_equal(self->most_inside, 16);
    self->refuse_next = 1;
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    self->most_inside = 0;
    ga_sleep(1);
    call_at_once(session, &peer, 11, 1);
    assert_int_equal(self->most_inside, 11); /* 30 % less */
    peer_stop(&peer);
    free(self);
}

/* --- requests under way --------------------------------------------------------------------------- */

TIMED_CASE(no_more_requests_are_under_way_than_the_limit)
{
    static const struct {
        int limit, per_host, most, most_of_one;
    } cases[] = {{5, 0, 5, 3}, {0, 3, 6, 3}, {4, 3, 4, 2}, {1, 0, 1, 1}}; /* hosts take turns */
    bucket *first = calloc(2, sizeof *first), *second = first + 1;

    (void)peers;
    assert_non_null(first);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga_auto(ga_session) session =
            ga_session_new(.limit_requests = cases[i].limit, .limit_requests_per_host = cases[i].per_host);
        caller callers[40];
        peer_server peer, other;
        ga_group group, calls;

        most_inside_all = 0;
        *first = *second = (bucket){.limit = MOST, .window = 1e6, .latency = 0.1};
        ga_group_open(&group, GA_COLLECT);
        start(&peer, &group, first);
        start(&other, &group, second);
        ga_group_open(&calls, GA_COLLECT);
        for (int k = 0; k < 40; k++) {
            callers[k] = (caller){.session = session, .calls = 5};
            snprintf(callers[k].url, sizeof callers[k].url, "%s", peer_url(k % 2 ? &other : &peer, "/"));
            ga_spawn(&calls, call_repeatedly, &callers[k]);
        }
        ga_gather(&calls);
        ga_group_close(&calls);
        assert_int_equal(first->arrived + second->arrived, 200);
        assert_int_equal(first->refused + second->refused, 0);
        assert_int_equal(first->most_inside, cases[i].most_of_one);
        assert_int_equal(second->most_inside, cases[i].most_of_one);
        assert_int_equal(most_inside_all, cases[i].most);
        peer_stop(&peer);
        peer_stop(&other);
        ga_group_close(&group);
    }
    free(first);
}

TIMED_CASE(who_comes_first_is_under_way_first)
{
    ga_auto(ga_session) session = ga_session_new(.limit_requests = 1);
    bucket *self = calloc(1, sizeof *self);
    place places[10];
    peer_server peer;
    ga_group group;
    int order = 0;

    assert_non_null(self);
    *self = (bucket){.limit = MOST, .window = 1e6, .latency = 0.1};
    start(&peer, peers, self);
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 10; i++) {
        places[i] = (place){.session = session, .order = &order};
        snprintf(places[i].url, sizeof places[i].url, "%s", peer_url(&peer, "/"));
        ga_spawn(&group, call_once, &places[i]);
    }
    ga_gather(&group);
    ga_group_close(&group);
    for (int i = 0; i < 10; i++)
        assert_int_equal(places[i].answered, i + 1);
    peer_stop(&peer);
    free(self);
}

TIMED_CASE(a_redirect_needs_no_second_place)
{
    static const peer_step leads_on[] = {
        PEER_TAKE("GET /a"), PEER_SAY("HTTP/1.1 302 x\r\nLocation: /b\r\nContent-Length: 4\r\n\r\nthere"),
        PEER_CLOSE};
    static const peer_step there[] = {PEER_TAKE("GET /b"), PEER_OK("2", "ok"), PEER_AGAIN};
    static const peer_step *const scripts[] = {leads_on, there, NULL};
    ga_auto(ga_session) session = ga_session_new(.limit_requests = 1, .limit_requests_per_host = 1);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/a"), .timeout = 5);

    assert_int_equal(ga_status(response), 200);
    peer_stop(&peer);
}

TIMED_CASE(streams_count_like_connections)
{
    static const peer_step script[] = {PEER_CALL(http2_serve), PEER_CLOSE};
    static const peer_step *const scripts[] = {script, NULL};
    ga_auto(ga_session) session = ga_session_new(.http = 2, .limit_requests_per_host = 3);
    http2_habits habits = {.requests = 0};
    caller callers[20];
    peer_server peer;
    ga_group group;

    peer_start(&peer, peers, scripts);
    peer.data = &habits;
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 20; i++) {
        callers[i] = (caller){.session = session, .calls = 5};
        snprintf(callers[i].url, sizeof callers[i].url, "%s", peer_url(&peer, "/ok"));
        ga_spawn(&group, call_repeatedly, &callers[i]);
    }
    ga_gather(&group);
    ga_group_close(&group);
    for (int i = 0; i < 20; i++)
        assert_int_equal(callers[i].good, 5);
    assert_int_equal(habits.requests, 100);
    assert_in_range(habits.most_at_once, 2, 3);
    peer_stop(&peer);
}

TIMED_CASE(a_body_that_is_not_read_keeps_its_place)
{
    static const peer_step large[] = {PEER_TAKE(NULL),
                                      PEER_SAY("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"),
                                      PEER_FILL(1000000), PEER_AGAIN};
    static const peer_step *const scripts[] = {large, NULL};
    ga_auto(ga_session) session = ga_session_new(.limit_requests = 1);
    peer_server peer;
    ga_pace_state state;

    peer_start(&peer, peers, scripts);
    ga_response *first = ga_get(session, peer_url(&peer, "/"));

    assert_int_equal(ga_status(first), 200);
    ga_pace_status(ga_session_pace(session), &state);
    assert_int_equal(state.under_way, 1);
    assert_null(ga_get(session, peer_url(&peer, "/"), .timeout = 3));
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    assert_int_equal(ga_error()->phase, GA_PHASE_PACE);
    assert_non_null(ga_body(first, NULL));
    ga_pace_status(ga_session_pace(session), &state);
    assert_int_equal(state.under_way, 0); /* with its end it is done, though it is not freed */
    ga_auto(ga_response) second = ga_get(session, peer_url(&peer, "/"));

    assert_int_equal(ga_status(second), 200);
    ga_response_free(first);
    peer_stop(&peer);
}

TIMED_CASE(who_waits_before_another_attempt_is_not_under_way)
{
    static const peer_step busy[] = {PEER_TAKE("GET /busy"),
                                     PEER_SAY("HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n"), PEER_CLOSE};
    static const peer_step good[] = {PEER_TAKE(NULL), PEER_OK("0", ""), PEER_AGAIN};
    static const peer_step *const scripts[] = {busy, good, NULL};
    ga_auto(ga_session) session =
        ga_session_new(.limit_requests = 1, .retries = 1, .retry_base = 100, .retry_cap = 100);
    place self = {.session = session, .order = &(int){0}};
    peer_server peer;
    ga_group group;
    ga_pace_state state;

    peer_start(&peer, peers, scripts);
    snprintf(self.url, sizeof self.url, "%s", peer_url(&peer, "/busy"));
    ga_group_open(&group, GA_COLLECT);
    ga_spawn(&group, call_once, &self);
    ga_sleep(0.05);
    ga_pace_status(ga_session_pace(session), &state);
    assert_int_equal(state.retrying, 1);
    assert_int_equal(state.under_way, 0);
    double began = ga_now();
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

    assert_int_equal(ga_status(response), 200);
    assert_true(ga_now() - began < 0.1);
    ga_gather(&group);
    ga_group_close(&group);
    peer_stop(&peer);
}

/* --- tokens --------------------------------------------------------------------------------------- */

static int refuse_to_send(void *arg, int attempt)
{
    (void)arg, (void)attempt;
    return GA_ECLOSED;
}

static void call_for(ga_session *session, peer_server *peer, double cost)
{
    ga_auto(ga_response) response = ga_get(session, peer_url(peer, "/"), .cost = cost);

    assert_int_equal(ga_status(response), 200);
}

TIMED_CASE(a_request_takes_as_many_tokens_as_it_costs)
{
    ga_auto(ga_session) session = ga_session_new(.tokens_per_host = 100);
    bucket *self = calloc(1, sizeof *self);
    peer_server peer;

    assert_non_null(self);
    *self = (bucket){.limit = MOST, .window = 1e6};
    start(&peer, peers, self);
    double began = ga_now();

    call_for(session, &peer, 500); /* the first may start */
    call_for(session, &peer, 0);   /* and what costs nothing */
    assert_true(ga_now() - began < 0.1);
    call_for(session, &peer, 100);
    assert_true(fabs(ga_now() - began - 5) < 0.1);
    call_for(session, &peer, 1);
    assert_true(fabs(ga_now() - began - 6) < 0.1);
    assert_null(ga_get(session, peer_url(&peer, "/"), .cost = 6001));
    assert_int_equal(ga_error()->code, GA_ETOOCOSTLY);
    assert_int_equal(ga_error()->sent, GA_SENT_NO);
    assert_non_null(strstr(ga_error_message(), "6000"));
    assert_null(ga_get(session, peer_url(&peer, "/"), .cost = -1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_int_equal(self->arrived, 4);
    ga_auto(ga_session) each = ga_session_new(.tokens_per_host = 200000 / 60.0);
    ga_auto(ga_session) strict = ga_session_new(.tokens_per_host = 100, .max_cost = 50);

    call_for(each, &peer, 200000);
    call_for(strict, &peer, 50);
    assert_null(ga_get(strict, peer_url(&peer, "/"), .cost = 51));
    assert_int_equal(ga_error()->code, GA_ETOOCOSTLY);
    peer_stop(&peer);
    free(self);
}

TIMED_CASE(what_was_estimated_wrongly_is_put_right)
{
    ga_auto(ga_session) session = ga_session_new(.tokens_per_host = 100, .burst_tokens = 50);
    bucket *self = calloc(1, sizeof *self);
    peer_server peer;

    assert_non_null(self);
    *self = (bucket){.limit = MOST, .window = 1e6};
    start(&peer, peers, self);
    double began = ga_now();
    ga_response *response = ga_get(session, peer_url(&peer, "/"), .cost = 1000);

    assert_int_equal(ga_response_set_cost(response, 250), 0); /* 10 s become 2.5 */
    assert_int_equal(ga_response_set_cost(response, NAN), GA_EUSAGE);
    ga_response_free(response);
    call_for(session, &peer, 50);
    assert_true(fabs(ga_now() - began - 2.5) < 0.1);
    response = ga_get(session, peer_url(&peer, "/"));
    assert_int_equal(ga_response_set_cost(response, 700), 0);
    assert_int_equal(ga_response_set_cost(response, 300), 0); /* the last word counts */
    ga_response_free(response);
    call_for(session, &peer, 50);
    assert_true(fabs(ga_now() - began - 6) < 0.1);
    /* What was not sent has cost nothing. */
    assert_null(ga_get(session, peer_url(&peer, "/"), .cost = 5000, .before_send = refuse_to_send));
    call_for(session, &peer, 50);
    assert_true(fabs(ga_now() - began - 6.5) < 0.1);
    peer_stop(&peer);
    free(self);
}

/* What started, with its cost, at a host with a rate of tokens. */
typedef struct spender {
    ga_session *session;
    char url[128];
    double cost;
    struct {
        double at, cost;
    } * spent;
    size_t *count;
} spender;

static int note_spending(void *arg, int attempt)
{
    spender *self = arg;

    (void)attempt;
    self->spent[*self->count].at = ga_now();
    self->spent[(*self->count)++].cost = self->cost;
    return 0;
}

static int spend(void *arg)
{
    spender *self = arg;

    ga_response_free(ga_get(self->session, self->url, .cost = self->cost, .before_send = note_spending,
                            .before_send_arg = self));
    return 0;
}

/* No stretch of time sees more tokens than the rate and the burst, or the one request that costs more. */
static int keep_the_tokens(void *arg)
{
    (void)arg;
    ga__poller *poller = ga__loop_here->poller;
    bucket *self = calloc(1, sizeof *self);
    int tasks = 5 + (int)(ga__sim_random(poller) % 40);
    spender *spenders = calloc((size_t)tasks, sizeof *spenders);
    double rate = 1 + (double)(ga__sim_random(poller) % 1000), burst = (double)(ga__sim_random(poller) % 500);
    double largest = burst > 1 ? burst : 1;
    size_t count = 0;
    int code = 0;
    peer_server peer;
    ga_group group, callers;

    assert_non_null(self);
    assert_non_null(spenders);
    *self = (bucket){.limit = MOST, .window = 1e6};
    ga_session *session =
        ga_session_new(.tokens_per_host = rate, .burst_tokens = burst, .total_timeout = GA_FOREVER);

    spenders->spent = calloc((size_t)tasks, sizeof *spenders->spent);
    assert_non_null(spenders->spent);
    ga_group_open(&group, GA_COLLECT);
    start(&peer, &group, self);
    ga_group_open(&callers, GA_COLLECT);
    for (int i = 0; i < tasks; i++) {
        spenders[i] = (spender){.session = session,
                                .spent = spenders->spent,
                                .count = &count,
                                .cost = 1 + fmod((double)ga__sim_random(poller), rate * 3)};
        snprintf(spenders[i].url, sizeof spenders[i].url, "%s", peer_url(&peer, "/"));
        largest = fmax(largest, spenders[i].cost);
        ga_spawn(&callers, spend, &spenders[i]);
        if (ga__sim_random(poller) % 4 == 0)
            ga_sleep((double)(ga__sim_random(poller) % 3000) * 1e-3);
    }
    ga_gather(&callers);
    ga_group_close(&callers);
    if (count != (size_t)tasks)
        code = ga_fail(GA_EUSAGE, "%zu of %d calls were made", count, tasks);
    for (size_t first = 0; first < count && code == 0; first++) {
        double sum = 0;

        for (size_t last = first; last < count; last++) {
            double time = spenders->spent[last].at - spenders->spent[first].at;

            sum += spenders->spent[last].cost;
            if (sum > rate * (time + 0.002) + largest + spenders->spent[last].cost)
                code = ga_fail(GA_EUSAGE, "%g tokens within %g s", sum, time);
        }
    }
    ga_session_free(session);
    peer_stop(&peer);
    ga_group_close(&group);
    free(spenders->spent);
    free(spenders);
    free(self);
    return code;
}

static void no_stretch_of_time_sees_more_tokens_than_the_rate(void **state)
{
    static const ga__sim_options calm = {.seed = 0};

    (void)state;
    assert_int_equal(ga__sim_run_seeds(1, CHECK_SANITIZED ? 50 : 200, &calm, keep_the_tokens, NULL), 0);
}

/* --- one pace for several sessions ---------------------------------------------------------------- */

TIMED_CASE(sessions_share_a_pace)
{
    ga_auto(ga_pace) pace = ga_pace_new(.rate_per_host = 10, .limit_requests = 3);
    ga_auto(ga_session) first = ga_session_new(.pace = pace);
    ga_auto(ga_session) second = ga_session_new(.pace = pace);
    bucket *self = calloc(1, sizeof *self);
    caller callers[20];
    peer_server peer;
    ga_group group;

    assert_non_null(self);
    assert_ptr_equal(ga_session_pace(first), pace);
    *self = (bucket){.limit = MOST, .window = 1e6, .latency = 0.5};
    start(&peer, peers, self);
    double began = ga_now();

    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 20; i++) {
        callers[i] = (caller){.session = i % 2 ? first : second, .calls = 3};
        snprintf(callers[i].url, sizeof callers[i].url, "%s", peer_url(&peer, "/"));
        ga_spawn(&group, call_repeatedly, &callers[i]);
    }
    ga_gather(&group);
    ga_group_close(&group);
    assert_int_equal(self->arrived, 60);
    assert_int_equal(self->most_inside, 3);
    assert_true(fabs(ga_now() - began - 10) < 0.6); /* 6 a second */
    assert_in_range(most_within(self, 1), 6, 11);
    /* A pushback to one of them cools the host down for the other. */
    self->refuse_next = 1;
    self->latency = 0;
    ga_response_free(ga_get(first, peer_url(&peer, "/")));
    began = ga_now();
    ga_response_free(ga_get(second, peer_url(&peer, "/")));
    assert_true(ga_now() - began >= 0.5 && ga_now() - began < 0.7);
    peer_stop(&peer);
    free(self);
}

/* Another thread's loop, which makes its calls in a session of its own. */
typedef struct abroad {
    ga_pace *pace;
    char url[128];
    int calls; /* of each of five tasks */
    int good;
} abroad;

static int call_abroad(void *arg)
{
    abroad *self = arg;
    ga_auto(ga_session) session = ga_session_new(.pace = self->pace, .retries = 2);
    caller callers[5];
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 5; i++) {
        callers[i] = (caller){.session = session, .calls = self->calls};
        snprintf(callers[i].url, sizeof callers[i].url, "%s", self->url);
        ga_spawn(&group, call_repeatedly, &callers[i]);
    }
    ga_gather(&group);
    ga_group_close(&group);
    for (int i = 0; i < 5; i++)
        self->good += callers[i].good;
    return 0;
}

static int run_abroad(void *arg)
{
    return ga_run(call_abroad, arg);
}

static int go_abroad(void *arg)
{
    return ga_to_thread(run_abroad, arg);
}

/* The server is in this loop, and one session; the other is in another thread's. */
static void threads_body(ga_group *peers)
{
    ga_auto(ga_pace) pace =
        ga_pace_new(.rate_per_host = 50, .limit_requests = 1, .retry_base = 0.3, .adapt = -1);
    ga_auto(ga_session) session = ga_session_new(.pace = pace, .retries = 2, .retry_base = 0.01);
    bucket *self = calloc(1, sizeof *self);
    abroad other = {.pace = pace, .calls = 2};
    peer_server peer;
    ga_group group;

    assert_non_null(self);
    *self = (bucket){.limit = MOST, .window = 1e6, .latency = 0.005, .refuse_next = 1};
    start(&peer, peers, self);
    snprintf(other.url, sizeof other.url, "%s", peer_url(&peer, "/"));
    ga_auto(ga_response) first = ga_get(session, peer_url(&peer, "/"), .retries = -1);

    assert_int_equal(ga_status(first), 429);
    ga_group_open(&group, GA_COLLECT);
    assert_non_null(ga_spawn(&group, go_abroad, &other));
    assert_int_equal(call_at_once(session, &peer, 5, 2), 10);
    ga_gather(&group);
    ga_group_close(&group);
    assert_int_equal(other.good, 10);
    assert_int_equal(self->arrived, 21);
    assert_int_equal(self->most_inside, 1);
    for (int i = 1; i < self->arrived; i++) /* both loops' calls waited for the cool-down's end, and then */
        assert_true(self->arrivals[i] - self->arrivals[0] > 0.3 + (i - 1) / 50.0 - 0.002);
    peer_stop(&peer);
    free(self);
}

/* A server that says what is left, and two threads that ask it: nothing is refused. */
static void windows_body(ga_group *peers)
{
    ga_auto(ga_pace) pace = ga_pace_new(.limit_requests = 8);
    ga_auto(ga_session) session = ga_session_new(.pace = pace);
    bucket *self = calloc(1, sizeof *self);
    abroad others[2] = {{.pace = pace, .calls = 5}, {.pace = pace, .calls = 5}};
    peer_server peer;
    ga_group group;

    assert_non_null(self);
    *self = (bucket){.limit = 20, .window = 1, .latency = 0.005, .tells = true};
    start(&peer, peers, self);
    ga_response_free(ga_get(session, peer_url(&peer, "/"))); /* the first answer tells */
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 2; i++) {
        snprintf(others[i].url, sizeof others[i].url, "%s", peer_url(&peer, "/"));
        assert_non_null(ga_spawn(&group, go_abroad, &others[i]));
    }
    ga_gather(&group);
    ga_group_close(&group);
    assert_int_equal(others[0].good + others[1].good, 50);
    assert_int_equal(self->arrived, 51);
    assert_int_equal(self->refused, 0);
    assert_in_range(self->most_inside, 2, 8);
    peer_stop(&peer);
    free(self);
}

/* On the real loop, where there are threads. */
static int run_body(void *arg)
{
    void (**body)(ga_group *) = arg;
    ga_group peers;

    ga_group_open(&peers, GA_COLLECT);
    (*body)(&peers);
    ga_group_close(&peers);
    return 0;
}

static void sessions_of_two_threads_share_a_pace(void **state)
{
    void (*body)(ga_group *) = threads_body;

    (void)state;
    assert_int_equal(ga_run(run_body, &body), 0);
}

static void what_is_granted_is_not_overdrawn_by_two_threads(void **state)
{
    void (*body)(ga_group *) = windows_body;

    (void)state;
    assert_int_equal(ga_run(run_body, &body), 0);
}

TIMED_CASE(options_of_a_pace_are_judged)
{
    ga_auto(ga_pace) pace = ga_pace_new(.rate = 10, .retry_base = 1);

    assert_non_null(pace);
    assert_null(ga_session_new(.pace = pace, .rate = 5));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_session_new(.pace = pace, .max_wait = 5));
    assert_null(ga_session_new(.pace = pace, .limit_requests = 5));
    assert_null(ga_session_new(.limit_requests = -1));
    ga_auto(ga_session) session = ga_session_new(.rate = 10);

    assert_null(ga_session_new(.pace = ga_session_pace(session)));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_pace_new(.rate = -1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_pace_new(.rate_per_host = NAN));
    assert_null(ga_pace_new(.tokens_per_host = INFINITY));
    assert_null(ga_pace_new(.burst = -1));
    assert_null(ga_pace_new(.limit_requests_per_host = -1));
    assert_null(ga_pace_new(.max_wait = -1));
    assert_null(ga_session_pace(NULL));
    ga_pace_free(NULL);
    (void)peers;
}

TIMED_CASE(the_status_says_who_waits_and_why)
{
    ga_auto(ga_pace) pace = ga_pace_new(.rate_per_host = 1, .tokens_per_host = 10, .limit_requests = 100);
    ga_auto(ga_session) session = ga_session_new(.pace = pace);
    bucket *self = calloc(1, sizeof *self);
    peer_server peer;
    ga_pace_state state;
    ga_group group;
    caller callers[6];

    assert_non_null(self);
    *self = (bucket){.limit = MOST, .window = 60, .asks = true, .latency = 0.1};
    ga_pace_status(pace, &state);
    assert_string_equal(state.host, "");
    assert_string_equal(state.why, "");
    start(&peer, peers, self);
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 6; i++) {
        callers[i] = (caller){.session = session, .calls = 1};
        snprintf(callers[i].url, sizeof callers[i].url, "%s", peer_url(&peer, "/"));
        ga_spawn(&group, call_repeatedly, &callers[i]);
    }
    ga_sleep(0.05);
    ga_pace_status(pace, &state);
    assert_int_equal(state.waiting, 5);
    assert_int_equal(state.in_line, 5);
    assert_int_equal(state.under_way, 1);
    assert_string_equal(state.why, "rate");
    assert_string_equal(state.host, peer_url(&peer, "") + strlen("http://"));
    assert_true(fabs(state.rate - 1) < 1e-9);
    assert_true(!(state.cool_down > 0));
    self->refuse_next = 1;
    ga_sleep(2);
    ga_pace_status(pace, &state);
    assert_string_equal(state.why, "cool-down");
    assert_int_equal(state.in_line, 4);
    assert_true(state.cool_down > 50 && state.cool_down < 60);
    assert_true(fabs(state.rate - 0.7) < 1e-9);
    ga_group_cancel(&group);
    ga_gather(&group);
    ga_group_close(&group);
    ga_pace_status(pace, &state);
    assert_int_equal(state.waiting + state.under_way, 0);
    assert_string_equal(state.why, "");
    assert_true(state.cool_down > 50);
    peer_stop(&peer);
    free(self);
}

/* --- what is kept --------------------------------------------------------------------------------- */

TIMED_CASE(hosts_at_rest_are_forgotten)
{
    ga_auto(ga_session) session = ga_session_new(.rate_per_host = 1000);
    const char *reason;
    char text[64];

    (void)peers;
    for (int i = 0; i < 5000; i++) {
        ga__pace_stay stay = {0};
        uint64_t until;
        ga__url url;

        snprintf(text, sizeof text, "http://host-%d.example/", i);
        assert_int_equal(ga__url_parse(&url, text, strlen(text), NULL, &reason), 0);
        ga__pace_wish wish = {.url = &url, .deadline = GA__NEVER, .latest = GA__NEVER};

        assert_int_equal(ga__pace_enter(session->door, &wish, &stay, &until), 0);
        assert_ptr_equal(ga__pace_find(session->pace, &url), stay.host);
        ga__pace_leave(&stay, false);
        ga__url_free(&url);
        if (i % 100 == 0)
            ga_sleep(0.01);
    }
    assert_in_range(session->pace->table.count, 1, 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_host_has_a_rate_of_its_own),
        cmocka_unit_test(the_rate_falls_with_a_pushback_and_rises_again),
        cmocka_unit_test(a_rate_stays_where_adapting_is_off),
        cmocka_unit_test(a_pushback_cools_the_host_down_for_all_and_no_other_host),
        cmocka_unit_test(those_who_waited_for_its_end_come_spread_and_in_order),
        cmocka_unit_test(no_burst_makes_up_for_a_pause),
        cmocka_unit_test(those_in_line_learn_at_once_that_it_is_too_long),
        cmocka_unit_test(what_is_granted_is_not_overdrawn),
        cmocka_unit_test(fields_that_are_not_sent_any_more_hold_nobody),
        cmocka_unit_test(no_stretch_of_time_sees_more_than_the_rate_and_the_burst),
        cmocka_unit_test(who_gives_up_leaves_nothing_behind),
        cmocka_unit_test(concurrency_begins_low_and_grows_to_the_limit),
        cmocka_unit_test(no_more_requests_are_under_way_than_the_limit),
        cmocka_unit_test(who_comes_first_is_under_way_first),
        cmocka_unit_test(a_redirect_needs_no_second_place),
        cmocka_unit_test(streams_count_like_connections),
        cmocka_unit_test(a_body_that_is_not_read_keeps_its_place),
        cmocka_unit_test(who_waits_before_another_attempt_is_not_under_way),
        cmocka_unit_test(a_request_takes_as_many_tokens_as_it_costs),
        cmocka_unit_test(what_was_estimated_wrongly_is_put_right),
        cmocka_unit_test(no_stretch_of_time_sees_more_tokens_than_the_rate),
        cmocka_unit_test(sessions_share_a_pace),
        cmocka_unit_test(sessions_of_two_threads_share_a_pace),
        cmocka_unit_test(what_is_granted_is_not_overdrawn_by_two_threads),
        cmocka_unit_test(options_of_a_pace_are_judged),
        cmocka_unit_test(the_status_says_who_waits_and_why),
        cmocka_unit_test(hosts_at_rest_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
