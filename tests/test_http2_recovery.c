/* SPDX-License-Identifier: MIT */
/*
 * What becomes of calls that an HTTP/2 server turns away: sent again over HTTP/1.1 where it wants that, or
 * after a while where the session has retries; and bodies that wait until they are wanted. Times are those of
 * the virtual clock.
 */
#include "http2_peer.h"

#include "certificates.h"
#include "client/session.h"

/* The answer's text is this, over that version of HTTP. */
static void expect_text(ga_response *response, const char *text, const char *version)
{
    ga_autofree char *got = ga_text(response);

    if (!got)
        fail_msg("%s", ga_error_message());
    assert_string_equal(got, text);
    assert_string_equal(ga_http_version(response), version);
}

/* --- HTTP/1.1 where the server wants it ----------------------------------------------------------- */

static const peer_step http1[] = {PEER_TAKE(NULL), PEER_OK("3", "one"), PEER_AGAIN};
static const peer_step *const http2_first[] = {http2_script, http1, NULL};

static void start_tls(peer_server *peer, ga_group *peers, http2_habits *habits)
{
    peer_start(peer, peers, http2_first);
    peer->tls = ga__tls_config_server(localhost.certificate, localhost.key, "h2,http/1.1");
    assert_non_null(peer->tls);
    peer->data = habits;
}

/* A stream, or the whole connection. */
CASE(a_server_that_wants_http1_is_asked_so_from_then_on)
{
    static const char *const paths[] = {"/http1", "/http1-at-all"};

    for (size_t i = 0; i < 2; i++) {
        ga_group group;
        http2_habits habits = {0};
        peer_server peer;
        ga_session *session = ga_session_new(.insecure = 1, .max_connection_requests = 2);

        ga_group_open(&group, GA_COLLECT);
        start_tls(&peer, &group, &habits);
        ga_auto(ga_response) first = ga_get(session, peer_url(&peer, "/ok"));
        expect_text(first, "xxxx", "2");
        ga_auto(ga_response) response = ga_post(session, peer_url(&peer, paths[i]), .text = "sent twice");
        expect_text(response, "one", "1.1");
        assert_int_equal(ga_attempts(response), 2);
        assert_non_null(strstr(peer.last.data, "sent twice"));
        assert_int_equal(habits.requests, 2);
        for (int n = 0; n < 4; n++) { /* some on the same connection, and some when there is none */
            ga_auto(ga_response) next = ga_get(session, peer_url(&peer, "/ok"));
            expect_text(next, "one", "1.1");
            assert_int_equal(ga_attempts(next), 1);
        }
        assert_int_equal(peer.connections, 4);
        assert_int_equal(habits.requests, 2);
        assert_int_equal(stats_of(session).in_use, 0);
        ga_session_free(session);
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

typedef struct caller {
    ga_session *session;
    const char *url;
} caller;

static int call_once(void *arg)
{
    const caller *self = arg;
    ga_auto(ga_response) response = ga_post(self->session, self->url, .text = "x");

    expect_text(response, "one", "1.1");
    return 0;
}

CASE(calls_at_once_fall_back_together)
{
    enum { CALLS = 20 };
    http2_habits habits = {0};
    peer_server peer;
    ga_group calls;
    ga_session *session = ga_session_new(.insecure = 1, .limit = 5);

    start_tls(&peer, peers, &habits);
    ga_autofree char *url = strdup(peer_url(&peer, "/http1"));
    caller self = {session, url};

    ga_group_open(&calls, GA_COLLECT);
    for (int i = 0; i < CALLS; i++)
        assert_non_null(ga_spawn(&calls, call_once, &self));
    assert_int_equal(ga_gather(&calls), 0);
    ga_group_close(&calls);
    assert_true(habits.requests <= CALLS);
    assert_true(peer.connections <= 6);
    peer_await(&peer.open, stats_of(session).idle); /* that of HTTP/2 is closed */
    assert_int_equal(habits.goodbyes, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(http2_only_does_not_fall_back)
{
    http2_habits habits = {0};
    peer_server peer;
    ga_session *session = ga_session_new(.insecure = 1, .http = 2);

    start_tls(&peer, peers, &habits);
    assert_failed(ga_get(session, peer_url(&peer, "/http1")), GA_ERESET,
                  "HTTP_1_1_REQUIRED; pass .http = 11");
    assert_int_equal(habits.requests, 1);
    assert_int_equal(peer.connections, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

static ssize_t give_once(void *arg, void *buffer, size_t size)
{
    bool *given = arg;

    (void)size;
    if (*given)
        return 0;
    *given = true;
    memcpy(buffer, "once", 4);
    return 4;
}

CASE(a_body_that_was_consumed_does_not_fall_back)
{
    bool given = false;
    const ga_body_source source = {.read = give_once, .arg = &given};
    http2_habits habits = {0};
    peer_server peer;
    ga_session *session = ga_session_new(.insecure = 1);

    start_tls(&peer, peers, &habits);
    assert_failed(ga_post(session, peer_url(&peer, "/http1"), .body_source = &source), GA_ENOTREPLAYABLE, "");
    assert_int_equal(peer.connections, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

/* --- retries -------------------------------------------------------------------------------------- */

TIMED_CASE(who_is_busy_is_asked_again_when_it_says)
{
    static const char *const statuses[] = {"503", "429"};

    for (size_t i = 0; i < 2; i++) {
        ga_group group;
        http2_habits habits = {.busy = statuses[i], .busy_count = 2, .retry_after = "3"};
        peer_server peer;
        ga_session *session = ga_session_new(.http = 2, .retries = 3);

        ga_group_open(&group, GA_COLLECT);
        http2_start(&peer, &group, &habits);
        double began = ga_now();
        ga_auto(ga_response) response = ga_post(session, peer_url(&peer, "/busy"), .text = "x");

        expect_text(response, "xxxx", "2");
        assert_int_equal(ga_attempts(response), 3);
        assert_true(ga_now() - began >= 6 && ga_now() - began < 9);
        assert_int_equal(stats_of(session).opened, 1);
        habits.busy_count = 1;
        habits.retry_after = "1000";
        assert_failed(ga_get(session, peer_url(&peer, "/busy"), .max_wait = 60), GA_ERATELIMITED, "1000 s");
        assert_true(ga_error()->retry_after > 990);
        assert_int_equal(stats_of(session).in_use, 0);
        ga_session_free(session);
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

/* What was certainly not acted on goes out again whatever its method: at once, and then by the policy. */
TIMED_CASE(what_is_refused_is_tried_again_whatever_its_method)
{
    static const char *const paths[] = {"/refuse-some", "/leave-some"};

    for (size_t i = 0; i < 2; i++) {
        ga_group group;
        http2_habits habits = {.refusing = 6, .leaving = 6};
        peer_server peer;
        ga_session *session = ga_session_new(.http = 2, .retries = 1, .retry_base = 5);

        ga_group_open(&group, GA_COLLECT);
        http2_start(&peer, &group, &habits);
        double began = ga_now();
        ga_auto(ga_response) response = ga_post(session, peer_url(&peer, paths[i]), .text = "x");

        expect_text(response, "xxxx", "2");
        assert_int_equal(ga_attempts(response), 7); /* 4, and 3 more after a wait */
        assert_int_equal(habits.requests, 7);
        assert_true(ga_now() - began < 5.1);
        assert_int_equal(stats_of(session).opened, i == 0 ? 1 : 7);
        habits.refusing = habits.leaving = 8;
        assert_failed(ga_post(session, peer_url(&peer, paths[i]), .text = "x"), GA_ERESET, "REFUSED_STREAM");
        assert_int_equal(habits.requests, 15); /* and no more */
        assert_int_equal(stats_of(session).in_use, 0);
        ga_session_free(session);
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

TIMED_CASE(a_broken_stream_is_tried_again_where_that_does_no_harm)
{
    http2_habits habits = {0};
    peer_server peer;
    ga_session *session = ga_session_new(.http = 2, .retries = 2);

    http2_start(&peer, peers, &habits);
    assert_failed(ga_post(session, peer_url(&peer, "/break"), .text = "x"), GA_ERESET, "INTERNAL_ERROR");
    assert_int_equal(habits.requests, 1);
    assert_failed(ga_get(session, peer_url(&peer, "/break")), GA_ERESET, "INTERNAL_ERROR");
    assert_int_equal(habits.requests, 4);
    assert_failed(ga_post(session, peer_url(&peer, "/break"), .text = "x", .idempotency_key = ""), GA_ERESET,
                  "");
    assert_int_equal(habits.requests, 7);
    assert_int_equal(stats_of(session).opened, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

/* --- Expect: 100-continue ------------------------------------------------------------------------- */

TIMED_CASE(a_body_waits_until_it_is_wanted)
{
    bool given = false;
    const ga_body_source source = {.read = give_once, .arg = &given};
    http2_habits habits = {0};
    peer_server peer;
    ga_session *session = ga_session_new(.http = 2);

    http2_start(&peer, peers, &habits);
    double began = ga_now();
    ga_auto(ga_response) wanted =
        ga_post(session, peer_url(&peer, "/wanted"), .text = "four", .expect_continue = 1);

    expect_text(wanted, "xxxx", "2");
    ga_auto(ga_response) streamed =
        ga_post(session, peer_url(&peer, "/wanted"), .body_source = &source, .expect_continue = 1);
    expect_text(streamed, "xxxx", "2");
    assert_int_equal(habits.expectations, 2);
    assert_int_equal(habits.body, 8);
    assert_true(ga_now() - began < 0.5); /* the server says so at once, */
    began = ga_now();
    ga_auto(ga_response) late =
        ga_post(session, peer_url(&peer, "/size"), .text = "four", .expect_continue = 1);

    expect_text(late, "xxxx", "2");
    assert_true(ga_now() - began > 0.99 && ga_now() - began < 1.1); /* ... or not at all */
    assert_null(
        ga_post(session, peer_url(&peer, "/size"), .text = "a", .expect_continue = 1, .timeout = 0.5));
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, "total");
    ga_auto(ga_response) none = ga_post(session, peer_url(&peer, "/size"), .text = "", .expect_continue = 1);

    expect_text(none, "", "2");
    assert_int_equal(habits.expectations, 4); /* what is not there is not waited for */
    assert_int_equal(stats_of(session).opened, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(a_body_that_is_not_wanted_is_not_sent)
{
    bool given = false;
    const ga_body_source source = {.read = give_once, .arg = &given};
    http2_habits habits = {0};
    peer_server peer;
    ga_session *session = ga_session_new(.http = 2);

    http2_start(&peer, peers, &habits);
    ga_auto(ga_response) refused =
        ga_post(session, peer_url(&peer, "/early"), .text = "four", .expect_continue = 1);

    assert_int_equal(ga_status(refused), 413);
    expect_text(refused, "xxx", "2");
    ga_auto(ga_response) streamed =
        ga_post(session, peer_url(&peer, "/early"), .body_source = &source, .expect_continue = 1);
    assert_int_equal(ga_status(streamed), 413);
    expect_text(streamed, "xxx", "2");
    assert_false(given);
    ga_auto(ga_response) next = ga_get(session, peer_url(&peer, "/ok"));
    expect_text(next, "xxxx", "2");
    assert_int_equal(habits.body, 0);
    assert_int_equal(habits.resets, 2);
    assert_int_equal(stats_of(session).opened, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_wants_http1_is_asked_so_from_then_on),
        cmocka_unit_test(calls_at_once_fall_back_together),
        cmocka_unit_test(http2_only_does_not_fall_back),
        cmocka_unit_test(a_body_that_was_consumed_does_not_fall_back),
        cmocka_unit_test(who_is_busy_is_asked_again_when_it_says),
        cmocka_unit_test(what_is_refused_is_tried_again_whatever_its_method),
        cmocka_unit_test(a_broken_stream_is_tried_again_where_that_does_no_harm),
        cmocka_unit_test(a_body_waits_until_it_is_wanted),
        cmocka_unit_test(a_body_that_is_not_wanted_is_not_sent),
    };

    return cmocka_run_group_tests(tests, make_certificates, free_certificates);
}
