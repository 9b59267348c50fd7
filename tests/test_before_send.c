/* SPDX-License-Identifier: MIT */
/* .before_send: it is asked when all waiting is over and before each first byte, may take its time, and may
 * say no. */
#include "calls.h"
#include "http2_peer.h"

#include <string.h>

static const peer_step fine[] = {PEER_TAKE(NULL), PEER_OK("2", "ok"), PEER_AGAIN};
static const peer_step *const always_fine[] = {fine, NULL};

/* What the callback was asked, and what it does. */
typedef struct clerk {
    const peer_server *peer;
    int asked, last_attempt;
    size_t connections, requests; /* that the peer had seen when it was asked last */
    double sleeps;
    int answers, from; /* the code from the so-manieth time on */
    bool says;         /* records a message of its own */
} clerk;

static int ask(void *arg, int attempt)
{
    clerk *self = arg;

    self->asked++;
    self->last_attempt = attempt;
    self->connections = self->peer->connections;
    self->requests = self->peer->requests;
    if (self->sleeps > 0 && ga_sleep(self->sleeps) < 0)
        return GA_ECANCELED;
    if (self->asked < self->from || self->answers == 0)
        return 0;
    return self->says ? ga_fail(self->answers, "the journal is full") : self->answers;
}

#define ASKED(clerk) .before_send = ask, .before_send_arg = (clerk)

CASE(it_is_asked_when_connected_and_before_the_first_byte)
{
    ga_auto(ga_session) session = ga_session_new(.limit = 1);
    clerk self = {.sleeps = 0.05};
    peer_server peer;

    peer_start(&peer, peers, always_fine);
    self.peer = &peer;
    ga_auto(ga_response) response = ga_post(session, peer_url(&peer, "/"), .text = "x", ASKED(&self));

    assert_int_equal(ga_status(response), 200);
    assert_int_equal(self.asked, 1);
    assert_int_equal(self.last_attempt, 1);
    assert_int_equal(self.requests, 0);
    ga_auto(ga_response) second = ga_get(session, peer_url(&peer, "/"), ASKED(&self));

    assert_int_equal(ga_status(second), 200);
    assert_int_equal(self.connections, 1);
    assert_int_equal(self.requests, 1);
    assert_int_equal(self.asked, 2);
    assert_int_equal(peer.connections, 1);
    peer_stop(&peer);
}

CASE(it_is_asked_again_for_each_attempt_and_each_redirect)
{
    static const peer_step busy[] = {
        PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 503 x\r\nContent-Length: 0\r\nRetry-After: 0\r\n\r\n"),
        PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 302 x\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"),
        PEER_TAKE(NULL), PEER_OK("0", ""),
        PEER_AGAIN};
    static const peer_step *const scripts[] = {busy, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 2, .retry_base = 0.001);
    clerk self = {.asked = 0};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    self.peer = &peer;
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/a"), ASKED(&self));

    assert_int_equal(ga_status(response), 200);
    assert_int_equal(self.asked, 3);
    assert_int_equal(self.last_attempt, 2);
    peer_stop(&peer);
}

CASE(a_no_ends_the_call_and_nothing_is_sent)
{
    for (int version = 11; version >= 2; version -= 9) {
        ga_auto(ga_session) session = ga_session_new(.http = version, .retries = 3, .limit = 1);
        http2_habits habits = {.requests = 0};
        clerk self = {.answers = GA_ESYSTEM, .says = true}, silent = {.answers = GA_EDISCONNECTED};
        peer_server peer;
        ga_group group;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, version == 2 ? http2_scripts : always_fine);
        self.peer = silent.peer = &peer;
        peer.data = &habits;
        assert_null(ga_post(session, peer_url(&peer, "/ok"), .text = "x", ASKED(&self)));
        assert_int_equal(ga_error()->code, GA_ESYSTEM);
        assert_non_null(strstr(ga_error_message(), "POST http://127.0.0.1"));
        assert_non_null(strstr(ga_error_message(), "the journal is full"));
        assert_int_equal(ga_error()->sent, GA_SENT_NO);
        assert_int_equal(self.asked, 1);
        ga_error_clear();
        /* A code that a connection could have had is not taken for one's. */
        assert_null(ga_get(session, peer_url(&peer, "/ok"), ASKED(&silent)));
        assert_int_equal(ga_error()->code, GA_EDISCONNECTED);
        assert_non_null(strstr(ga_error_message(), "before_send"));
        assert_int_equal(silent.asked, 1);
        assert_int_equal(peer.requests + (size_t)habits.requests, 0);
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/ok"));

        assert_int_equal(ga_status(response), 200);
        assert_int_equal(peer.connections, 1); /* the connection was given back whole */
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

static bool close_after_a_moment(peer_visit *visit)
{
    ga_sleep(0.05);
    (void)visit;
    return false;
}

/* A connection that was opened for a call which then did not use it is a kept one as any other: the server
 * may end it when the next request is on its way. */
CASE(a_connection_that_was_given_back_unused_may_be_stale)
{
    static const peer_step closes[] = {PEER_TAKE(NULL), PEER_CLOSE};
    static const peer_step *const scripts[] = {closes, peer_empty, NULL};
    ga_auto(ga_session) session = ga_session_new();
    clerk self = {.answers = GA_ESYSTEM, .says = true};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    self.peer = &peer;
    assert_null(ga_get(session, peer_url(&peer, "/"), ASKED(&self)));
    assert_pool(session, 1, 0, 0);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

    if (!response)
        fail_msg("%s", ga_error_message());
    assert_int_equal(ga_status(response), 200);
    assert_int_equal(peer.connections, 2);
    peer_stop(&peer);
}

/* A kept connection that dies while the callback takes its time: nothing was sent on it, so even a POST goes
 * out on a fresh one. */
CASE(a_connection_that_dies_meanwhile_is_replaced)
{
    static const peer_step closes[] = {PEER_TAKE(NULL), PEER_OK("0", ""), PEER_CALL(close_after_a_moment)};
    static const peer_step *const scripts[] = {closes, fine, NULL};
    ga_auto(ga_session) session = ga_session_new();
    clerk self = {.sleeps = 0.2};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    self.peer = &peer;
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    ga_auto(ga_response) response = ga_post(session, peer_url(&peer, "/"), .text = "x", ASKED(&self));

    assert_int_equal(ga_status(response), 200);
    assert_int_equal(self.asked, 2);
    assert_int_equal(self.last_attempt, 2);
    assert_int_equal(peer.requests, 2);
    assert_int_equal(peer.connections, 2);
    peer_stop(&peer);
}

static bool serve_a_moment(peer_visit *visit)
{
    ga_scope scope;

    ga_scope_open(&scope, 0.1);
    http2_serve(visit);
    ga_scope_close(&scope);
    return false;
}

CASE(a_shared_connection_that_dies_meanwhile_is_replaced)
{
    static const peer_step breaks[] = {PEER_CALL(serve_a_moment), PEER_CLOSE};
    static const peer_step *const scripts[] = {breaks, http2_script, NULL};
    ga_auto(ga_session) session = ga_session_new(.http = 2);
    clerk self = {.sleeps = 0.3};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    self.peer = &peer;
    ga_response_free(ga_get(session, peer_url(&peer, "/ok")));
    ga_auto(ga_response) response = ga_post(session, peer_url(&peer, "/ok"), .text = "x", ASKED(&self));

    assert_int_equal(ga_status(response), 200);
    assert_int_equal(self.asked, 2);
    assert_int_equal(peer.connections, 2);
    peer_stop(&peer);
}

/* A hundred requests on one connection: a send and a recv each for the request and its answer, at both ends.
 */
static void call_often(const char *method, ga_group *peers, double sleeps)
{
    ga_auto(ga_session) session = ga_session_new();
    clerk self = {.sleeps = sleeps};
    peer_server peer;

    peer_start(&peer, peers, always_fine);
    self.peer = &peer;
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    count_calls();
    for (int i = 0; i < 100; i++) {
        ga_auto(ga_response) response = ga_request(session, method, peer_url(&peer, "/"), ASKED(&self));

        assert_int_equal(ga_status(response), 200);
    }
    assert_int_equal(calls.sends, 200);
    assert_int_equal(calls.recvs, 200);
    assert_int_equal(peer.connections, 1);
    peer_stop(&peer);
}

CASE(a_kept_connection_is_not_read_before_a_request)
{
    call_often("GET", peers, 0);
}

CASE(nor_after_the_callback_has_waited)
{
    call_often("GET", peers, 0.002);
}

/* On the virtual clock, on which no task holds up the poller. */
TIMED_CASE(nor_before_one_that_goes_out_once)
{
    call_often("POST", peers, 0);
}

TIMED_CASE(the_total_timeout_bounds_it)
{
    ga_auto(ga_session) session = ga_session_new(.retries = 2);
    clerk self = {.sleeps = 100};
    peer_server peer;

    peer_start(&peer, peers, always_fine);
    self.peer = &peer;
    double began = ga_now();

    assert_null(ga_get(session, peer_url(&peer, "/"), .timeout = 2, ASKED(&self)));
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, "total");
    assert_int_equal(ga_error()->sent, GA_SENT_NO);
    assert_true(ga_now() - began < 2.1);
    assert_int_equal(self.asked, 1);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_asked_when_connected_and_before_the_first_byte),
        cmocka_unit_test(it_is_asked_again_for_each_attempt_and_each_redirect),
        cmocka_unit_test(a_no_ends_the_call_and_nothing_is_sent),
        cmocka_unit_test(a_connection_that_was_given_back_unused_may_be_stale),
        cmocka_unit_test(a_connection_that_dies_meanwhile_is_replaced),
        cmocka_unit_test(a_shared_connection_that_dies_meanwhile_is_replaced),
        cmocka_unit_test(a_kept_connection_is_not_read_before_a_request),
        cmocka_unit_test(nor_after_the_callback_has_waited),
        cmocka_unit_test(nor_before_one_that_goes_out_once),
        cmocka_unit_test(the_total_timeout_bounds_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
