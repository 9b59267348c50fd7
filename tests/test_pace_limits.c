/* SPDX-License-Identifier: MIT */
/* How many requests are under way at once, and what they cost: limits that are given, and not found out. */
#include "http2_peer.h"
#include "pace_server.h"

#include "sim/sim.h"
#include "task/loop.h"

/* --- requests under way --------------------------------------------------------------------------- */

TIMED_CASE(no_more_requests_are_under_way_than_the_limit)
{
    static const struct {
        int limit, per_host, most, most_of_one;
    } cases[] = {{5, 0, 5, 3}, {0, 3, 6, 3}, {4, 3, 4, 2}, {1, 0, 1, 1}}; /* hosts take turns */
    pace_server *first = calloc(2, sizeof *first), *second = first + 1;

    (void)peers;
    assert_non_null(first);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga_auto(ga_session) session =
            ga_session_new(.limit_requests = cases[i].limit, .limit_requests_per_host = cases[i].per_host);
        caller callers[40];
        peer_server peer, other;
        ga_group group, calls;

        most_inside_all = 0;
        *first = *second = (pace_server){.limit = MOST, .window = 1e6, .latency = 0.1};
        ga_group_open(&group, GA_COLLECT);
        pace_start(&peer, &group, first);
        pace_start(&other, &group, second);
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
    pace_server *self = calloc(1, sizeof *self);
    place places[10];
    peer_server peer;
    ga_group group;
    int order = 0;

    assert_non_null(self);
    *self = (pace_server){.limit = MOST, .window = 1e6, .latency = 0.1};
    pace_start(&peer, peers, self);
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

TIMED_CASE(an_answer_keeps_its_place_until_it_is_freed_where_that_is_asked_for)
{
    static const peer_step script[] = {PEER_TAKE("GET /"), PEER_OK("2", "ok"), PEER_AGAIN};
    static const peer_step *const scripts[] = {script, NULL};
    ga_auto(ga_pace) pace = ga_pace_new(.limit_requests = 1, .until_freed = 1);
    ga_auto(ga_session) session = ga_session_new(.pace = pace);
    peer_server peer;
    ga_pace_state state;

    peer_start(&peer, peers, scripts);
    ga_response *first = ga_get(session, peer_url(&peer, "/"));

    assert_non_null(ga_body(first, NULL));
    ga_pace_status(pace, &state);
    assert_int_equal(state.under_way, 1);
    assert_null(ga_get(session, peer_url(&peer, "/"), .timeout = 3));
    assert_int_equal(ga_error()->phase, GA_PHASE_PACE);
    ga_response_free(first);
    ga_pace_status(pace, &state);
    assert_int_equal(state.under_way, 0);
    ga_auto(ga_response) second = ga_get(session, peer_url(&peer, "/"));

    assert_int_equal(ga_status(second), 200);
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
    pace_server *self = calloc(1, sizeof *self);
    peer_server peer;

    assert_non_null(self);
    *self = (pace_server){.limit = MOST, .window = 1e6};
    pace_start(&peer, peers, self);
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
    pace_server *self = calloc(1, sizeof *self);
    peer_server peer;

    assert_non_null(self);
    *self = (pace_server){.limit = MOST, .window = 1e6};
    pace_start(&peer, peers, self);
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
    pace_server *self = calloc(1, sizeof *self);
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
    *self = (pace_server){.limit = MOST, .window = 1e6};
    ga_session *session =
        ga_session_new(.tokens_per_host = rate, .burst_tokens = burst, .total_timeout = GA_FOREVER);

    spenders->spent = calloc((size_t)tasks, sizeof *spenders->spent);
    assert_non_null(spenders->spent);
    ga_group_open(&group, GA_COLLECT);
    pace_start(&peer, &group, self);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_requests_are_under_way_than_the_limit),
        cmocka_unit_test(who_comes_first_is_under_way_first),
        cmocka_unit_test(a_redirect_needs_no_second_place),
        cmocka_unit_test(an_answer_keeps_its_place_until_it_is_freed_where_that_is_asked_for),
        cmocka_unit_test(streams_count_like_connections),
        cmocka_unit_test(a_body_that_is_not_read_keeps_its_place),
        cmocka_unit_test(who_waits_before_another_attempt_is_not_under_way),
        cmocka_unit_test(a_request_takes_as_many_tokens_as_it_costs),
        cmocka_unit_test(what_was_estimated_wrongly_is_put_right),
        cmocka_unit_test(no_stretch_of_time_sees_more_tokens_than_the_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
