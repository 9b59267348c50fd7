/* SPDX-License-Identifier: MIT */
/*
 * The client over HTTP/2 by prior knowledge, against peers in the same program: how calls share connections,
 * and how long these live.
 */
#include "http2_peer.h"

#include <math.h>

CASE(calls_one_after_another_share_the_connection)
{
    peer_server peer;
    http2_habits habits = {0};
    ga_session *session = http2_begin(&peer, peers, &habits);

    for (int i = 0; i < 5; i++)
        http2_assert_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    assert_int_equal(habits.resets, 0);
    assert_pool_at_rest(session, 1);
    ga_session_free(session);
    peer_await(&peer.open, 0);
    assert_int_equal(habits.goodbyes, 1);
    peer_stop(&peer);
}

static int call_ok(void *arg)
{
    http2_caller *self = arg;

    http2_assert_ok(self->session, self->url);
    self->done++;
    return 0;
}

static void call_at_once(http2_caller *self, int count)
{
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < count; i++)
        assert_non_null(ga_spawn(&group, call_ok, self));
    ga_gather(&group);
    ga_group_close(&group);
    assert_int_equal(self->done, count);
}

CASE(calls_at_once_are_streams_of_one_connection)
{
    peer_server peer;
    http2_habits habits = {0};

    http2_start(&peer, peers, &habits);
    http2_caller self = {.session = ga_session_new(.http = 2)};

    snprintf(self.url, sizeof self.url, "%s", peer_url(&peer, "/ok"));
    call_at_once(&self, 60);
    assert_int_equal(stats_of(self.session).opened, 1);
    assert_true(habits.most_at_once > 20);
    assert_pool_at_rest(self.session, 1);
    ga_session_free(self.session);
    peer_stop(&peer);
}

CASE(a_thousand_calls_take_as_many_connections_as_the_streams_need)
{
    peer_server peer;
    http2_habits habits = {.most_streams = 100};

    http2_start(&peer, peers, &habits);
    http2_caller self = {.session = ga_session_new(.http = 2)};

    snprintf(self.url, sizeof self.url, "%s", peer_url(&peer, "/ok"));
    call_at_once(&self, 1000);
    assert_true(stats_of(self.session).opened <= 10);
    assert_true(habits.most_at_once <= 100);
    assert_pool_at_rest(self.session, stats_of(self.session).opened);
    ga_session_free(self.session);
    peer_stop(&peer);
}

CASE(who_finds_no_stream_waits_in_line)
{
    peer_server peer;
    http2_habits habits = {.most_streams = 4};

    http2_start(&peer, peers, &habits);
    http2_caller self = {.session = ga_session_new(.http = 2, .limit_per_host = 2)};

    snprintf(self.url, sizeof self.url, "%s", peer_url(&peer, "/ok"));
    http2_assert_ok(self.session, self.url); /* the limit is known from here on */
    call_at_once(&self, 50);
    assert_int_equal(stats_of(self.session).opened, 2);
    assert_true(habits.most_at_once <= 4);
    assert_pool_at_rest(self.session, 2);
    ga_session_free(self.session);
    peer_stop(&peer);
}

CASE(a_connection_takes_so_many_requests)
{
    peer_server peer;
    http2_habits habits = {0};

    http2_start(&peer, peers, &habits);
    http2_caller self = {.session = ga_session_new(.http = 2, .max_connection_requests = 4)};

    snprintf(self.url, sizeof self.url, "%s", peer_url(&peer, "/ok"));
    for (int i = 0; i < 5; i++)
        http2_assert_ok(self.session, self.url);
    assert_int_equal(stats_of(self.session).opened, 2);
    call_at_once(&self, 15); /* 3, and three times 4 */
    assert_int_equal(stats_of(self.session).opened, 5);
    assert_int_equal(habits.requests, 20); /* none was sent in vain */
    assert_true(habits.most_at_once <= 4);
    assert_pool_at_rest(self.session, 0);
    peer_await(&peer.open, 0);
    assert_int_equal(habits.goodbyes, 5);
    assert_int_equal(habits.resets, 0);
    ga_session_free(self.session);
    peer_stop(&peer);
}

TIMED_CASE(a_connection_over_its_age_finishes_what_it_has)
{
    peer_server peer;
    http2_habits habits = {0};

    http2_start(&peer, peers, &habits);
    ga_session *session = ga_session_new(.http = 2, .max_connection_age = 10, .keepalive = 60);
    ga_response *large = ga_get(session, peer_url(&peer, "/large"));

    assert_int_equal(ga_sleep(9), 0);
    http2_assert_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    assert_int_equal(ga_sleep(2), 0);
    http2_assert_ok(session, peer_url(&peer, "/ok")); /* on another connection, */
    assert_int_equal(stats_of(session).opened, 2);
    assert_pool(session, 1, 1, 0);
    size_t size;

    assert_non_null(ga_body(large, &size)); /* ... while this one goes on to its end */
    assert_int_equal(size, 3000000);
    ga_response_free(large);
    assert_pool_at_rest(session, 1);
    peer_await(&peer.open, 1);
    assert_int_equal(habits.goodbyes, 1);
    assert_int_equal(ga_sleep(10), 0);
    assert_pool_at_rest(session, 0); /* that idled */
    peer_await(&peer.open, 0);
    assert_int_equal(habits.goodbyes, 2);
    ga_session_free(session);
    peer_stop(&peer);
}

TIMED_CASE(idle_connections_end_after_their_time)
{
    peer_server peer;

    http2_start(&peer, peers, NULL);
    ga_session *session = ga_session_new(.http = 2, .keepalive = 5);

    http2_assert_ok(session, peer_url(&peer, "/ok"));
    ga_sleep(4);
    assert_pool_at_rest(session, 1);
    ga_sleep(2);
    assert_pool_at_rest(session, 0);
    peer_await(&peer.open, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(a_goodbye_that_nobody_hears_is_no_failure)
{
    static const peer_step answers[] = {PEER_TAKE("PRI * HTTP/2.0"),
                                        PEER_SAY("\0\0\0\4\0\0\0\0\0"
                                                 "\0\0\1\1\4\0\0\0\1\x88"
                                                 "\0\0\4\0\1\0\0\0\1xxxx"),
                                        PEER_WAIT, PEER_ABORT};
    static const peer_step *const scripts[] = {answers, NULL};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_session *session = ga_session_new(.http = 2);

    http2_assert_ok(session, peer_url(&peer, "/"));
    assert_pool_at_rest(session, 1);
    assert_int_equal(ga_sleep(0.01), 0); /* what the client says of the frames arrives; nobody reads it */
    ga_event_set(&peer.go);
    assert_int_equal(ga_yield(), 0); /* the peer is gone, and the loop has not heard of it */
    ga_fail(GA_EUSAGE, "what the caller is about to read");
    ga_session_free(session);
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    peer_stop(&peer);
}

/* --- options -------------------------------------------------------------------------------------- */

CASE(options_are_judged)
{
    assert_null(ga_session_new(.http = 3));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_session_new(.http2_window = 100));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_session_new(.http2_ping = (double)NAN));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
}

CASE(without_prior_knowledge_plain_http_is_http1)
{
    static const peer_step steps[] = {PEER_TAKE("GET / HTTP/1.1\r\n"), PEER_OK("2", "ok"), PEER_AGAIN};
    static const peer_step *const scripts[] = {steps, NULL};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    for (int http = 0; http <= 11; http += 11) {
        ga_session *session = ga_session_new(.http = http);
        ga_response *response = ga_get(session, peer_url(&peer, "/"));

        assert_string_equal(ga_http_version(response), "1.1");
        ga_response_free(response);
        ga_session_free(session);
    }
    peer_stop(&peer);
}

static void expect_bytes(ga_response *response, size_t size)
{
    ga_autofree char *text = ga_text(response);

    if (!text)
        fail_msg("%s", ga_error_message());
    assert_int_equal(text ? strlen(text) : 0, size);
    ga_response_free(response);
}

CASE(cookies_and_credentials_go_over_it_too)
{
    ga_auto(ga_session) session = ga_session_new(.http = 2, .user = "u", .password = "p");
    peer_server peer;

    http2_start(&peer, peers, NULL);
    expect_bytes(ga_get(session, peer_url(&peer, "/cookies")), strlen("Basic dTpw"));
    assert_int_equal(ga_cookie_jar_count(ga_session_cookies(session)), 1);
    expect_bytes(ga_get(session, peer_url(&peer, "/cookies")), strlen("Basic dTpw") + strlen("name=value"));
    expect_bytes(ga_get(session, peer_url(&peer, "/cookies"), .bearer = "t"),
                 strlen("Bearer t") + strlen("name=value"));
    peer_stop(&peer);
}

CASE(a_head_may_be_longer_than_64_KiB)
{
    static char value[30001];
    peer_server peer;
    http2_habits habits = {0};
    ga_session *session = http2_begin(&peer, peers, &habits);

    memset(value, 'v', sizeof value - 1);
    ga_auto(ga_response) response = ga_get(
        session, peer_url(&peer, "/ok"),
        .headers = GA_PAIRS({"X-One", value}, {"X-Two", value}, {"X-Three", value}, {"X-Four", value}));

    if (!response)
        fail_msg("%s", ga_error_message());
    assert_int_equal(ga_status(response), 200);
    assert_int_equal(ga_attempts(response), 1);
    ga_response_free(response);
    response = NULL;
    http2_assert_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_may_be_longer_than_64_KiB),
        cmocka_unit_test(calls_one_after_another_share_the_connection),
        cmocka_unit_test(calls_at_once_are_streams_of_one_connection),
        cmocka_unit_test(a_thousand_calls_take_as_many_connections_as_the_streams_need),
        cmocka_unit_test(who_finds_no_stream_waits_in_line),
        cmocka_unit_test(a_connection_takes_so_many_requests),
        cmocka_unit_test(a_connection_over_its_age_finishes_what_it_has),
        cmocka_unit_test(a_goodbye_that_nobody_hears_is_no_failure),
        cmocka_unit_test(idle_connections_end_after_their_time),
        cmocka_unit_test(options_are_judged),
        cmocka_unit_test(without_prior_knowledge_plain_http_is_http1),
        cmocka_unit_test(cookies_and_credentials_go_over_it_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
