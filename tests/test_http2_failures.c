/* SPDX-License-Identifier: MIT */
/*
 * What becomes of calls over HTTP/2 when the server refuses, leaves, breaks off, breaks the rules or says
 * nothing, and when the caller gives up.
 */
#include "http2_peer.h"

#include "client/http2_connection.h"
#include "client/session.h"
#include "task/loop.h"

/* --- what the server refuses or ends -------------------------------------------------------------- */

CASE(a_refused_stream_is_tried_three_times_more)
{
    peer_server peer;
    http2_habits habits = {0};
    ga_session *session = http2_begin(&peer, peers, &habits);

    assert_failed(ga_post(session, peer_url(&peer, "/refuse"), .text = "x"), GA_ERESET, "REFUSED_STREAM");
    assert_int_equal(habits.requests, 4);
    assert_int_equal(ga_error()->attempt, 4);
    assert_int_equal(ga_error()->sent, GA_SENT_REFUSED);
    http2_assert_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    assert_pool_at_rest(session, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(what_a_goaway_leaves_out_goes_to_another_connection)
{
    peer_server peer;
    http2_habits habits = {0};
    ga_session *session = http2_begin(&peer, peers, &habits);

    http2_assert_ok(session, peer_url(&peer, "/ok"));
    assert_failed(ga_post(session, peer_url(&peer, "/goaway"), .text = "x"), GA_ERESET, "REFUSED_STREAM");
    assert_int_equal(stats_of(session).opened, 4); /* each ended by the request that it was opened for */
    assert_int_equal(habits.requests, 5);
    assert_pool_at_rest(session, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(who_is_to_be_calm_is_not_asked_again)
{
    peer_server peer;
    http2_habits habits = {0};
    ga_session *session = http2_begin(&peer, peers, &habits);

    http2_assert_ok(session, peer_url(&peer, "/ok"));
    assert_failed(ga_get(session, peer_url(&peer, "/calm")), GA_ERESET, "GOAWAY, ENHANCE_YOUR_CALM");
    assert_null(strstr(ga_error_message(), "times before")); /* it was the first */
    assert_int_equal(ga_error()->attempt, 1);
    assert_int_equal(habits.requests, 2);
    assert_pool_at_rest(session, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(a_connection_that_said_goaway_ends_with_its_last_call)
{
    peer_server peer;
    ga_session *session = http2_begin(&peer, peers, NULL);

    http2_assert_ok(session, peer_url(&peer, "/last"));
    assert_pool_at_rest(session, 0);
    http2_assert_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 2);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(a_broken_stream_leaves_the_connection)
{
    peer_server peer;
    ga_session *session = http2_begin(&peer, peers, NULL);

    assert_failed(ga_get(session, peer_url(&peer, "/break")), GA_ERESET, "INTERNAL_ERROR");
    http2_assert_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(a_connection_that_closes_without_an_answer_is_told)
{
    peer_server peer;
    http2_habits habits = {0};
    ga_session *session = http2_begin(&peer, peers, &habits);

    assert_failed(ga_get(session, peer_url(&peer, "/close")), GA_EDISCONNECTED, "closed the connection");
    assert_int_equal(habits.requests, 1); /* it was fresh: no second attempt */
    assert_pool_at_rest(session, 0);
    http2_assert_ok(session, peer_url(&peer, "/ok"));
    assert_failed(ga_get(session, peer_url(&peer, "/close")), GA_EDISCONNECTED, "closed the connection");
    assert_int_equal(habits.requests, 4); /* it was kept: once more, on a fresh one */
    http2_assert_ok(session, peer_url(&peer, "/ok"));
    assert_failed(ga_post(session, peer_url(&peer, "/close"), .text = "x"), GA_EDISCONNECTED, "closed");
    assert_int_equal(habits.requests, 6); /* a POST may have been acted on */
    assert_pool_at_rest(session, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

/* However many of them are read in one turn. */
CASE(an_answer_that_ends_within_its_body_is_an_answer)
{
    peer_server peer;
    size_t size;
    ga_session *session = http2_begin(&peer, peers, NULL);

    for (int i = 0; i < 4; i++) {
        char piece[10];

        if (i % 2)
            http2_assert_ok(session, peer_url(&peer, "/ok")); /* on a connection that was kept, too */
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/torn"));

        if (!response)
            fail_msg("%s", ga_error_message());
        assert_int_equal(ga_status(response), 200);
        assert_int_equal(ga_attempts(response), 1);
        if (i < 2) {
            assert_int_equal(ga_read(response, piece, sizeof piece), 3);
            assert_int_equal(ga_read(response, piece, sizeof piece), GA_ETRUNCATED);
        } else {
            assert_null(ga_body(response, &size));
            assert_int_equal(ga_error()->code, GA_ETRUNCATED);
        }
    }
    assert_pool_at_rest(session, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(an_idle_connection_that_the_server_closed_is_not_used)
{
    static const peer_step *const scripts[] = {http2_script, http2_script, NULL};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_session *session = ga_session_new(.http = 2);
    ga_group group;

    http2_assert_ok(session, peer_url(&peer, "/ok"));
    ga_group_open(&group, GA_COLLECT);
    ga_response *stuck = ga_get(session, peer_url(&peer, "/stuck"));

    assert_non_null(stuck);
    assert_null(ga_get(session, peer_url(&peer, "/close")));
    char *text = ga_text(stuck);

    assert_null(text);
    assert_int_equal(ga_error()->code, GA_ETRUNCATED);
    ga_response_free(stuck);
    ga_group_close(&group);
    assert_pool_at_rest(session, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

/* --- time ----------------------------------------------------------------------------------------- */

TIMED_CASE(a_call_that_gives_up_resets_its_stream_alone)
{
    peer_server peer;
    http2_habits habits = {0};
    ga_session *session = http2_begin(&peer, peers, &habits);
    ga_response *stuck = ga_get(session, peer_url(&peer, "/stuck"), .read_timeout = 3);
    double start = ga_now();

    assert_failed(ga_get(session, peer_url(&peer, "/stall"), .first_byte_timeout = 2), GA_ETIMEDOUT,
                  "first_byte");
    assert_true(ga_now() - start > 1.9 && ga_now() - start < 2.1);
    assert_failed(ga_get(session, peer_url(&peer, "/stall"), .timeout = 1), GA_ETIMEDOUT, "total");
    assert_int_equal(ga_error()->sent, GA_SENT_MAYBE);
    char *text = ga_text(stuck);

    assert_null(text);
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, "read");
    ga_response_free(stuck);
    http2_assert_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(habits.resets, 3);
    assert_int_equal(habits.reset, NGHTTP2_CANCEL);
    assert_int_equal(stats_of(session).opened, 1);
    assert_pool_at_rest(session, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

TIMED_CASE(a_dead_connection_is_found_by_ping)
{
    peer_server peer;
    http2_habits habits = {0};

    http2_start(&peer, peers, &habits);
    ga_session *session = ga_session_new(.http = 2, .http2_ping = 10);

    http2_assert_ok(session, peer_url(&peer, "/ok"));
    double start = ga_now();

    assert_failed(ga_get(session, peer_url(&peer, "/stall"), .timeout = 100), GA_ETIMEDOUT, "total");
    assert_true(ga_now() - start > 99); /* PINGs were answered all the time */
    habits.deaf = true;
    start = ga_now();
    assert_failed(ga_post(session, peer_url(&peer, "/stall"), .text = "x"), GA_EDISCONNECTED, "PING");
    assert_true(ga_now() - start < 26);
    assert_pool_at_rest(session, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

/* --- cancellation --------------------------------------------------------------------------------- */

static int read_stuck(void *arg)
{
    http2_caller *self = arg;
    ga_auto(ga_response) response = ga_get(self->session, self->url);
    ga_autofree char *text = ga_text(response);

    self->done += !text && ga_error()->code == GA_ECANCELED;
    return text ? 0 : ga_error()->code;
}

/* Cancels calls after so many turns of the loop: while they connect, are in line, wait for the head, or for
 * the body. */
CASE(cancelled_at_any_moment_calls_leave_nothing_behind)
{
    static const char *const paths[] = {"/stall", "/stuck", "/ok", "/large"};
    peer_server peer;
    http2_habits habits = {.most_streams = 3};

    http2_start(&peer, peers, &habits);
    for (int turns = 0; turns < 30; turns++) {
        ga_session *session =
            ga_session_new(.http = 2, .limit_per_host = 1, .max_connection_requests = turns % 3 * 2);
        http2_caller self = {.session = session};
        ga_group group;

        snprintf(self.url, sizeof self.url, "%s", peer_url(&peer, paths[turns % 4]));
        ga_group_open(&group, GA_COLLECT);
        for (int i = 0; i < 8; i++)
            ga_spawn(&group, read_stuck, &self);
        for (int i = 0; i < turns; i++)
            ga_sleep(turns < 15 ? 0 : 0.0003);
        ga_group_cancel(&group);
        ga_group_close(&group);
        ga_pool_stats stats = stats_of(session);

        assert_int_equal(stats.in_use, 0);
        assert_int_equal(stats.waiting, 0);
        if (stats.idle > 0)
            http2_assert_ok(session, peer_url(&peer, "/ok"));
        ga_session_free(session);
    }
    peer_await(&peer.open, 0);
    peer_stop(&peer);
}

/* --- exact bytes ---------------------------------------------------------------------------------- */

#define SETTINGS_FRAME "\0\0\0\4\0\0\0\0\0"

static bool take_something(peer_visit *visit)
{
    char bytes[4096];

    return ga__stream_recv(&visit->stream, bytes, sizeof bytes, GA__NEVER) > 0;
}

CASE(what_the_server_breaks_is_named)
{
    static const peer_step plain[] = {PEER_CALL(take_something), PEER_SAY("HTTP/1.1 400 Bad Request\r\n\r\n"),
                                      PEER_HOLD, PEER_CLOSE};
    static const peer_step noise[] = {PEER_CALL(take_something), PEER_SAY("SSH-2.0-OpenSSH_9.2\r\nxxxxxxx"),
                                      PEER_HOLD, PEER_CLOSE};
    static const peer_step push[] = {PEER_CALL(take_something), PEER_SAY("\0\0\4\4\0\0\0\0\0xxxx"), PEER_HOLD,
                                     PEER_CLOSE};
    static const peer_step closing[] = {PEER_CALL(take_something), PEER_CLOSE};
    static const peer_step nameless[] = {PEER_CALL(take_something),
                                         PEER_SAY(SETTINGS_FRAME "\0\0\7\1\5\0\0\0\1\0\3x-a\1"
                                                                 "1"),
                                         PEER_HOLD, PEER_CLOSE};
    static const struct {
        const peer_step *script;
        int code;
        const char *text;
    } cases[] = {
        {plain, GA_EPROTOCOL, "the server speaks HTTP/1.1"},
        {noise, GA_EPROTOCOL, "the server breaks the rules of HTTP/2"},
        {push, GA_EPROTOCOL, "the server breaks the rules of HTTP/2"},
        {closing, GA_EDISCONNECTED, "closed the connection"},
        {nameless, GA_EPROTOCOL, "the answer is not valid HTTP/2"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const peer_step *const scripts[] = {cases[i].script, NULL};
        ga_group group;
        peer_server peer;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, scripts);
        ga_session *session = ga_session_new(.http = 2);

        assert_failed(ga_get(session, peer_url(&peer, "/")), cases[i].code, cases[i].text);
        assert_int_equal(peer.connections, 1);
        ga_session_free(session);
        peer_stop(&peer);
    }
}

static bool flood(peer_visit *visit)
{
    static const char ping[] = "\0\0\10\6\0\0\0\0\0"
                               "12345678";

    while (peer_say(visit, ping, sizeof ping - 1))
        ;
    return false;
}

CASE(a_flood_of_pings_ends_the_connection)
{
    static const peer_step steps[] = {PEER_CALL(take_something), PEER_SAY(SETTINGS_FRAME), PEER_CALL(flood),
                                      PEER_CLOSE};
    static const peer_step *const scripts[] = {steps, NULL};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_session *session = ga_session_new(.http = 2);

    assert_null(ga_get(session, peer_url(&peer, "/"), .timeout = 20));
    assert_int_equal(ga_error()->code, GA_EPROTOCOL);
    assert_pool_at_rest(session, 0);
    ga_session_free(session);
    peer_await(&peer.open, 0);
    peer_stop(&peer);
}

/* The one that the session's calls share. */
static ga__http2_connection *shared_of(const ga_session *session)
{
    const ga__hash_table *origins = &session->pool.origins;

    for (size_t i = 0; i < origins->chain_count; i++)
        for (ga__hash_link *link = origins->chains[i]; link; link = link->next) {
            ga__link *first = ga__list_first(&GA__OF(link, ga__origin, link)->shared);

            if (first)
                return GA__OF(first, ga__connection, in_origin)->http2;
        }
    return NULL;
}

static int stall(void *arg)
{
    http2_caller *self = arg;

    assert_failed(ga_get(self->session, self->url, .timeout = 10), GA_ETIMEDOUT, "the total timeout");
    return 0;
}

/* As where a task has held the loop for a minute, or the process was stopped. */
TIMED_CASE(a_loop_that_was_held_has_not_heard_the_answer_to_a_ping_yet)
{
    peer_server peer;
    ga_group group;

    http2_start(&peer, peers, NULL);
    http2_caller self = {.session = ga_session_new(.http = 2, .http2_ping = 100)};
    snprintf(self.url, sizeof self.url, "%s", peer_url(&peer, "/stall"));
    ga_group_open(&group, GA_COLLECT);
    ga_sleep(60); /* so that there is a past */
    assert_non_null(ga_spawn(&group, stall, &self));
    ga_sleep(1);
    ga__http2_connection *shared = shared_of(self.session);

    assert_non_null(shared);
    shared->asked_at = ga__now() - UINT64_C(20000000000);
    ga__timer_arm(&shared->ping, ga__now());
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    ga_session_free(self.session);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_that_was_held_has_not_heard_the_answer_to_a_ping_yet),
        cmocka_unit_test(a_refused_stream_is_tried_three_times_more),
        cmocka_unit_test(what_a_goaway_leaves_out_goes_to_another_connection),
        cmocka_unit_test(who_is_to_be_calm_is_not_asked_again),
        cmocka_unit_test(a_connection_that_said_goaway_ends_with_its_last_call),
        cmocka_unit_test(a_broken_stream_leaves_the_connection),
        cmocka_unit_test(a_connection_that_closes_without_an_answer_is_told),
        cmocka_unit_test(an_answer_that_ends_within_its_body_is_an_answer),
        cmocka_unit_test(an_idle_connection_that_the_server_closed_is_not_used),
        cmocka_unit_test(a_call_that_gives_up_resets_its_stream_alone),
        cmocka_unit_test(a_dead_connection_is_found_by_ping),
        cmocka_unit_test(cancelled_at_any_moment_calls_leave_nothing_behind),
        cmocka_unit_test(what_the_server_breaks_is_named),
        cmocka_unit_test(a_flood_of_pings_ends_the_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
