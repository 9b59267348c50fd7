/* SPDX-License-Identifier: MIT */
/* Who may start at a host, step by step: requests that enter, are answered and end without a connection, on
 * the virtual clock; and what a body that is freed, or that broke off, gives back. */
#include "pace_server.h"

#include "client/pace.h"
#include "client/session.h"
#include "task/loop.h"

static const ga__advice silent = {.retry_after = -1, .limit = -1, .remaining = -1, .reset = -1};

typedef struct visitor {
    ga_session *session;
    const char *url;
    double cost;
    double patience; /* seconds; 0: without end */
    double entered;  /* when; or when it was sent away */
    int code;
    ga__pace_stay stay;
} visitor;

static void enter(visitor *self)
{
    ga__url url;
    const char *reason;
    uint64_t until = 0;

    assert_int_equal(ga__url_parse(&url, self->url, strlen(self->url), NULL, &reason), 0);
    const ga__pace_wish wish = {
        .url = &url,
        .cost = self->cost,
        .deadline = GA__NEVER,
        .latest = self->patience > 0 ? ga__deadline(ga__now_exact(), self->patience) : GA__NEVER,
    };

    self->code = ga__pace_enter(self->session->door, &wish, &self->stay, &until);
    self->entered = ga_now();
    ga__url_free(&url);
}

static int enter_and_leave(void *arg)
{
    visitor *self = arg;

    enter(self);
    ga__pace_leave(&self->stay, false);
    return 0;
}

/* Its answer comes, and its request ends. */
static void answer(visitor *self, int status, ga__advice advice)
{
    ga__pace_answered(&self->stay, status, &advice, -1);
    ga__pace_done(&self->stay);
    ga__pace_end(&self->stay);
}

static void refuse(visitor *self, double retry_after)
{
    ga__advice advice = silent;

    advice.retry_after = retry_after;
    answer(self, 429, advice);
}

/* As many hosts as that are visited once. */
static void visit_others(ga_session *session, int count)
{
    for (int i = 0; i < count; i++) {
        char url[64];
        visitor self = {.session = session, .url = url};

        snprintf(url, sizeof url, "http://other-%d.example/", i);
        enter_and_leave(&self);
    }
}

/* --- a hold --------------------------------------------------------------------------------------- */

TIMED_CASE(a_hold_is_as_long_as_the_server_says)
{
    ga_auto(ga_session) session = ga_session_new(.obey_rate_limits = 1);
    visitor self = {.session = session, .url = "http://a.example/"};

    for (int i = 0; i < 8; i++) {
        enter(&self);
        double refused = ga_now();

        refuse(&self, 1);
        enter(&self);
        assert_true(self.entered - refused >= 1 && self.entered - refused < 1.3);
        ga__pace_leave(&self.stay, false);
    }
    for (int i = 0; i < 8; i++) { /* it names no time: 0.5 s, doubled each time, up to 60 */
        enter(&self);
        refuse(&self, -1);
    }
    double refused = ga_now();

    enter(&self);
    assert_true(self.entered - refused >= 60 && self.entered - refused < 73);
    ga__pace_leave(&self.stay, false);
}

TIMED_CASE(those_held_come_at_times_of_their_own)
{
    for (int count = 2; count <= 4; count++) {
        ga_auto(ga_session) session = ga_session_new(.obey_rate_limits = 1);
        visitor first = {.session = session, .url = "http://a.example/"}, held[4];
        ga_group group;

        enter(&first);
        refuse(&first, 30);
        double refused = ga_now();

        ga_group_open(&group, GA_COLLECT);
        for (int i = 0; i < count; i++) {
            held[i] = (visitor){.session = session, .url = first.url};
            ga_spawn(&group, enter_and_leave, &held[i]);
        }
        ga_gather(&group);
        ga_group_close(&group);
        for (int i = 0; i < count; i++) {
            assert_true(held[i].entered > refused + 30 && held[i].entered < refused + 37);
            assert_true(i == 0 || held[i].entered > held[i - 1].entered);
        }
    }
}

/* It comes to itself late: the host may be forgotten by then. */
TIMED_CASE(who_was_sent_away_needs_the_host_no_more)
{
    ga_auto(ga_session) session = ga_session_new(.obey_rate_limits = 1, .limit_requests_per_host = 2);
    visitor inside[2], self = {.session = session, .url = "http://a.example/", .patience = 0.5};
    ga_group group;

    for (int i = 0; i < 2; i++) {
        inside[i] = (visitor){.session = session, .url = self.url};
        enter(&inside[i]);
    }
    ga_group_open(&group, GA_COLLECT);
    ga_spawn(&group, enter_and_leave, &self);
    ga_sleep(0.1); /* it waits for the limit */
    for (int i = 0; i < 2; i++)
        refuse(&inside[i], 1);
    GA__OF(ga__list_first(&session->pace->hosts), ga__pace_host, used)->cool_until = ga__now_exact();
    visit_others(session, 1100);
    ga_gather(&group);
    ga_group_close(&group);
    assert_int_equal(self.code, GA_ERATELIMITED);
}

TIMED_CASE(hosts_at_rest_are_forgotten_behind_others)
{
    ga_auto(ga_session) session = ga_session_new(.obey_rate_limits = 1);

    for (int i = 0; i < 8; i++) {
        char url[64];
        visitor self = {.session = session, .url = url};

        snprintf(url, sizeof url, "http://closed-%d.example/", i);
        enter(&self);
        refuse(&self, 86400);
    }
    visit_others(session, 3000);
    assert_in_range(session->pace->table.count, 8, 1100);
}

/* --- rates and grants ----------------------------------------------------------------------------- */

TIMED_CASE(a_rate_rises_between_pushbacks_and_while_a_line_waits)
{
    ga_auto(ga_session) session = ga_session_new(.rate_per_host = 10);
    visitor self = {.session = session, .url = "http://a.example/"}, many[40];
    double began = ga_now();

    while (ga_now() - began < 9 * 3600) {
        enter(&self);
        answer(&self, 503, silent);
    }
    double ended = ga_now();

    enter(&self);
    assert_true(self.entered - ended < 80); /* the longest cool-down, and its jitter */
    ga__pace_leave(&self.stay, false);
    ga_sleep(3600);
    began = ga_now();
    for (int i = 0; i < 40; i++) {
        many[i] = (visitor){.session = session, .url = self.url};
        enter(&many[i]);
    }
    assert_true(fabs(ga_now() - began - 3.9) < 0.1);
    for (int i = 0; i < 40; i++)
        ga__pace_leave(&many[i].stay, false);
}

TIMED_CASE(a_cost_that_is_known_afterwards_counts_from_the_first_request_on)
{
    ga_auto(ga_session) session = ga_session_new(.tokens_per_host = 1, .adapt = -1);
    visitor self = {.session = session, .url = "http://a.example/"};

    enter(&self);
    ga__pace_answered(&self.stay, 200, &silent, -1);
    ga__pace_set_cost(&self.stay, 50);
    ga__pace_done(&self.stay);
    ga__pace_end(&self.stay);
    double owed = ga_now();

    self.cost = 1;
    enter(&self);
    assert_true(fabs(self.entered - owed - 50) < 0.1);
    ga__pace_leave(&self.stay, false);
}

TIMED_CASE(what_was_sent_and_not_answered_uses_up_a_grant)
{
    ga_auto(ga_session) session = ga_session_new(.obey_rate_limits = 1);
    visitor self = {.session = session, .url = "http://a.example/"};
    ga__advice one_left = {.retry_after = -1, .limit = 10, .remaining = 1, .reset = 60};

    enter(&self);
    answer(&self, 200, one_left);
    double told = ga_now();

    enter(&self);
    ga__pace_leave(&self.stay, true); /* it was not sent */
    enter(&self);
    ga__pace_leave(&self.stay, false);
    assert_true(self.entered - told < 0.1);
    enter(&self);
    ga__pace_leave(&self.stay, false);
    assert_true(self.entered - told >= 60);
}

/* --- what is given back --------------------------------------------------------------------------- */

static int free_response(void *arg)
{
    ga_response_free(arg);
    return 0;
}

static int call_within_seconds(void *arg)
{
    caller *self = arg;
    ga_auto(ga_response) response = ga_get(self->session, self->url, .timeout = 5);

    self->good = ga_status(response) == 200;
    return 0;
}

FILE_CASE(a_response_freed_outside_of_loops_lets_the_next_start)
{
    ga_auto(ga_pace) pace = ga_pace_new(.limit_requests = 1, .until_freed = 1);
    ga_auto(ga_session) session = ga_session_new(.pace = pace);
    caller second = {.session = session};
    peer_server peer;
    ga_group group;

    peer_start(&peer, peers, peer_always_empty);
    snprintf(second.url, sizeof second.url, "%s", peer_url(&peer, "/"));
    ga_response *first = ga_get(session, second.url);

    assert_non_null(ga_body(first, NULL));
    ga_group_open(&group, GA_COLLECT);
    ga_spawn(&group, call_within_seconds, &second);
    ga_sleep(0.05);
    ga_to_thread(free_response, first);
    ga_gather(&group);
    ga_group_close(&group);
    assert_int_equal(second.good, 1);
    peer_stop(&peer);
}

TIMED_CASE(a_body_that_broke_off_leaves_its_place_to_the_rest)
{
    static const peer_step cut[] = {
        PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 10\r\n\r\nhello"),
        PEER_CLOSE};
    static const peer_step rest[] = {PEER_TAKE(NULL),
                                     PEER_SAY("HTTP/1.1 206 x\r\nETag: \"a\"\r\nContent-Range: bytes "
                                              "5-9/10\r\nContent-Length: 5\r\n\r\nworld"),
                                     PEER_HOLD};
    static const peer_step *const scripts[] = {cut, rest, NULL};
    ga_auto(ga_pace) pace = ga_pace_new(.limit_requests = 1, .until_freed = 1);
    ga_auto(ga_session) session = ga_session_new(.pace = pace, .resume = 3, .total_timeout = 100);
    ga_pace_state state;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_response *response = ga_get(session, peer_url(&peer, "/"));

    assert_string_equal(ga_body(response, NULL), "helloworld");
    ga_response_free(response);
    ga_pace_status(pace, &state);
    assert_int_equal(state.under_way, 0);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hold_is_as_long_as_the_server_says),
        cmocka_unit_test(those_held_come_at_times_of_their_own),
        cmocka_unit_test(who_was_sent_away_needs_the_host_no_more),
        cmocka_unit_test(hosts_at_rest_are_forgotten_behind_others),
        cmocka_unit_test(a_rate_rises_between_pushbacks_and_while_a_line_waits),
        cmocka_unit_test(a_cost_that_is_known_afterwards_counts_from_the_first_request_on),
        cmocka_unit_test(what_was_sent_and_not_answered_uses_up_a_grant),
        cmocka_unit_test(a_response_freed_outside_of_loops_lets_the_next_start),
        cmocka_unit_test(a_body_that_broke_off_leaves_its_place_to_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
