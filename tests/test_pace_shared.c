/* SPDX-License-Identifier: MIT */
/* A pace for several sessions, of one loop and of several threads, and what is told of it. */
#include "pace_server.h"

/* --- one pace for several sessions ---------------------------------------------------------------- */

TIMED_CASE(sessions_share_a_pace)
{
    ga_auto(ga_pace) pace = ga_pace_new(.rate_per_host = 10, .limit_requests = 3);
    ga_auto(ga_session) first = ga_session_new(.pace = pace);
    ga_auto(ga_session) second = ga_session_new(.pace = pace);
    pace_server *self = calloc(1, sizeof *self);
    caller callers[20];
    peer_server peer;
    ga_group group;

    assert_non_null(self);
    assert_ptr_equal(ga_session_pace(first), pace);
    *self = (pace_server){.limit = MOST, .window = 1e6, .latency = 0.5};
    pace_start(&peer, peers, self);
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
    pace_server *self = calloc(1, sizeof *self);
    abroad other = {.pace = pace, .calls = 2};
    peer_server peer;
    ga_group group;

    assert_non_null(self);
    *self = (pace_server){.limit = MOST, .window = 1e6, .latency = 0.005, .refuse_next = 1};
    pace_start(&peer, peers, self);
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
    pace_server *self = calloc(1, sizeof *self);
    abroad others[2] = {{.pace = pace, .calls = 5}, {.pace = pace, .calls = 5}};
    peer_server peer;
    ga_group group;

    assert_non_null(self);
    *self = (pace_server){.limit = 20, .window = 1, .latency = 0.005, .tells = true};
    pace_start(&peer, peers, self);
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
    pace_server *self = calloc(1, sizeof *self);
    peer_server peer;
    ga_pace_state state;
    ga_group group;
    caller callers[6];

    assert_non_null(self);
    *self = (pace_server){.limit = MOST, .window = 60, .asks = true, .latency = 0.1};
    ga_pace_status(pace, &state);
    assert_string_equal(state.host, "");
    assert_string_equal(state.why, "");
    pace_start(&peer, peers, self);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_share_a_pace),
        cmocka_unit_test(sessions_of_two_threads_share_a_pace),
        cmocka_unit_test(what_is_granted_is_not_overdrawn_by_two_threads),
        cmocka_unit_test(options_of_a_pace_are_judged),
        cmocka_unit_test(the_status_says_who_waits_and_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
