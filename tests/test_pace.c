/* SPDX-License-Identifier: MIT */
/* The pace of a session's requests: rates per host, the cool-down that all share, what RateLimit fields
 * grant, and how many a host turns out to take at once. On the virtual clock, against servers that count. */
#include "pace_server.h"

#include "client/session.h"
#include "sim/sim.h"
#include "task/loop.h"

/* --- rates ---------------------------------------------------------------------------------------- */

TIMED_CASE(each_host_has_a_rate_of_its_own)
{
    ga_auto(ga_session) session = ga_session_new(.rate_per_host = 10, .burst_per_host = 2);
    pace_server *first = calloc(2, sizeof *first), *second = first + 1;
    peer_server peer, other;
    ga_group both;

    assert_non_null(first);
    first->limit = second->limit = MOST;
    first->window = second->window = 1e6;
    pace_start(&peer, peers, first);
    pace_start(&other, peers, second);
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
    pace_server *self = calloc(1, sizeof *self);
    peer_server peer;

    assert_non_null(self);
    self->limit = MOST;
    self->window = 1e6;
    self->refuse_next = 1;
    pace_start(&peer, peers, self);
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
    pace_server *self = calloc(1, sizeof *self);
    peer_server peer;

    assert_non_null(self);
    self->limit = MOST;
    self->window = 1e6;
    self->refuse_next = 1;
    pace_start(&peer, peers, self);
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
    pace_server *self = calloc(2, sizeof *self), *calm = self + 1;
    peer_server peer, other;

    assert_non_null(self);
    *self = (pace_server){.limit = 5, .window = 30, .asks = true, .latency = 0.01};
    *calm = (pace_server){.limit = MOST, .window = 1e6};
    pace_start(&peer, peers, self);
    pace_start(&other, peers, calm);
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
    pace_server *self = calloc(1, sizeof *self);
    place places[40];
    peer_server peer;
    ga_group group;
    int order = 0, early = 0;

    assert_non_null(self);
    *self = (pace_server){.limit = 1, .window = 30, .asks = true};
    pace_start(&peer, peers, self);
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
    pace_server *self = calloc(1, sizeof *self);
    peer_server peer;

    assert_non_null(self);
    *self = (pace_server){.limit = MOST, .window = 60, .asks = true, .refuse_next = 1};
    pace_start(&peer, peers, self);
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
    pace_server *self = calloc(1, sizeof *self);

    assert_non_null(self);
    for (int tasks = 1; tasks <= 64; tasks *= 4) {
        ga_auto(ga_session) session = ga_session_new(.obey_rate_limits = 1, .total_timeout = 10000);
        peer_server peer;
        ga_group group;

        *self = (pace_server){.limit = 20, .window = 10, .tells = true, .latency = 0.05};
        ga_group_open(&group, GA_COLLECT);
        pace_start(&peer, &group, self);
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
    pace_server *self = calloc(1, sizeof *self);
    int rate = 1 + (int)(ga__sim_random(poller) % 40), burst = 1 + (int)(ga__sim_random(poller) % 10);
    int tasks = 1 + (int)(ga__sim_random(poller) % 30);
    bool per_host = ga__sim_random(poller) % 2;
    int limit = (int)(ga__sim_random(poller) % 8);
    peer_server peer;
    ga_group group;

    assert_non_null(self);
    *self = (pace_server){
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
    pace_start(&peer, &group, self);
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
    pace_server *self = calloc(1, sizeof *self);
    int tasks = 2 + (int)(ga__sim_random(poller) % 30);
    impatient *calls = calloc((size_t)tasks, sizeof *calls);
    bool shared = ga__sim_random(poller) % 2;
    peer_server peer;
    ga_group group, callers;
    ga_pace_state state;

    assert_non_null(self);
    assert_non_null(calls);
    *self = (pace_server){
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
    pace_start(&peer, &group, self);
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
    pace_server *self = calloc(1, sizeof *self);
    peer_server peer;

    assert_non_null(self);
    *self = (pace_server){.limit = MOST, .window = 1e6, .latency = 0.1};
    pace_start(&peer, peers, self);
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
        cmocka_unit_test(hosts_at_rest_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
