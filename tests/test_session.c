/* SPDX-License-Identifier: MIT */
/* Sessions: their options, what they refuse, their rate, and their end. */
#include "peer.h"

#include "sim/sim.h"
#include "task/loop.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

CASE(wrong_options_are_refused_by_name)
{
    assert_null(ga_session_new(.base_url = "nonsense"));
    assert_int_equal(ga_error()->code, GA_EURL);
    assert_null(ga_session_new(.base_url = "ftp://x/"));
    assert_int_equal(ga_error()->code, GA_EURL);
    assert_null(ga_session_new(.headers = GA_PAIRS({"X-Good", "1"}, {"X-Bad", "a\r\nb"})));
    assert_int_equal(ga_error()->code, GA_EHEADER);
    assert_contains(ga_error_message(), "X-Bad");
    assert_null(ga_session_new(.headers = GA_PAIRS({"host", "x"})));
    assert_int_equal(ga_error()->code, GA_EHEADER);
    assert_null(ga_session_new(.user_agent = "a\nb"));
    assert_int_equal(ga_error()->code, GA_EHEADER);
    assert_contains(ga_error_message(), "User-Agent");
    assert_null(ga_session_new(.total_timeout = -1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_contains(ga_error_message(), "total");
    assert_null(ga_session_new(.read_timeout = NAN));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_session_new(.keepalive = NAN));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_session_new(.rate = -1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_session_new(.burst = -1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_session_new(.unix_socket = ""));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_session_new(.key_file = "/x"));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_session_new(.tls_version_min = 11));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_session_new(.ca_file = "/nonexistent/ca.pem"));
    assert_int_equal(ga_error()->code, GA_ETLS);
    assert_contains(ga_error_message(), "/nonexistent/ca.pem");
}

CASE(an_options_struct_of_another_version_is_understood)
{
    struct {
        ga_session_options now;
        char later[64];
    } longer = {.now = {.size_ = sizeof longer, .limit = 7}};
    ga_session_options shorter = {.size_ = offsetof(ga_session_options, rate), .limit = 7, .rate = -5};
    ga_session *session = ga_session_new_with(&longer.now);

    assert_non_null(session);
    ga_session_free(session);
    session = ga_session_new_with(&shorter); /* the rate is not looked at */
    assert_non_null(session);
    ga_session_free(session);
}

CASE(a_default_header_without_a_value_is_left_out)
{
    static const peer_step fine[] = {PEER_TAKE(NULL), PEER_OK("0", ""), PEER_AGAIN};
    static const peer_step *const scripts[] = {fine, NULL};
    ga_auto(ga_session) session =
        ga_session_new(.headers = GA_PAIRS({"user-agent", NULL}, {"Accept", NULL}, {"Accept-Encoding", NULL},
                                           {"X-Empty", ""}));
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    const char *behind_host = strchr(strstr(peer.last.data, "Host: "), '\n') + 1;

    assert_string_equal(behind_host, "X-Empty: \r\n\r\n");
    peer_stop(&peer);
}

CASE(a_unix_socket_serves_any_host)
{
    char path[64];
    ga__address address;
    peer_server peer;

    snprintf(path, sizeof path, "/tmp/gather-test-%d.sock", (int)getpid());
    assert_true(ga__address_unix(&address, path));
    peer_start_at(&peer, peers, peer_always_empty, &address);
    ga_auto(ga_session) session = ga_session_new(.unix_socket = path);
    ga_auto(ga_response) response = ga_get(session, "http://docker.example/containers/json");

    assert_int_equal(ga_status(response), 200);
    assert_contains(peer.last.data, "GET /containers/json HTTP/1.1\r\nHost: docker.example\r\n");
    ga_response_free(ga_get(session, "http://docker.example/again"));
    assert_int_equal(peer.connections, 1);
    ga_response_free(ga_get(session, "http://other.example/"));
    assert_int_equal(peer.connections, 2); /* one origin's connections are not another's */
    peer_stop(&peer);
}

TIMED_CASE(the_rate_is_kept_and_waiting_for_it_ends_with_the_total)
{
    ga_auto(ga_session) session = ga_session_new(.rate = 10, .burst = 1);
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    double began = ga_now();

    for (int i = 0; i < 21; i++)
        ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_int_equal(peer.requests, 21);
    assert_true(ga_now() - began > 1.99 && ga_now() - began < 2.2);
    assert_null(ga_get(session, peer_url(&peer, "/"), .timeout = 0.05));
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, "total");
    assert_int_equal(peer.requests, 21);
    peer_stop(&peer);
}

/* --- the end -------------------------------------------------------------------------------------- */

static int get(ga_session *session, const char *url)
{
    ga_auto(ga_response) response = ga_get(session, url);

    return response ? 0 : ga_error()->code;
}
GA_TASK(int, get, ga_session *, const char *);

CASE(freeing_a_session_in_use_is_reported_and_harmless)
{
    static const peer_step half[] = {PEER_TAKE(NULL), PEER_OK("5", "he"), PEER_WAIT, PEER_SAY("llo"),
                                     PEER_HOLD};
    static const peer_step *const scripts[] = {half, NULL};
    ga_session *session = ga_session_new(.limit = 1);
    ga_group calls;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    ga_group_open(&calls, GA_COLLECT);
    get_task *in_line = get_start(&calls, session, peer_url(&peer, "/"));

    assert_int_equal(ga_yield(), 0);
    ga_error_clear();
    ga_session_free(session);
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_int_equal(ga_task_join(in_line->task), GA_ECLOSED);
    ga_group_close(&calls);
    ga_event_set(&peer.go);
    ga_autofree char *text = ga_text(response); /* it can still be read */
    assert_string_equal(text, "hello");
    peer_await(&peer.open, 0); /* and its connection was closed */
    peer_stop(&peer);
}

/* What sessions and responses do when their loop has ended: they say so. */
static ga_session *left_session;
static ga_response *left_response;

static int leave_things_behind(void *arg)
{
    static const peer_step half[] = {PEER_TAKE(NULL), PEER_OK("5", "he"), PEER_HOLD};
    static const peer_step *const scripts[] = {half, NULL};
    ga_group group;
    peer_server peer;

    (void)arg;
    ga_group_open(&group, GA_COLLECT);
    peer_start(&peer, &group, scripts);
    left_session = ga_session_new();
    left_response = ga_get(left_session, peer_url(&peer, "/"));
    assert_non_null(left_response);
    peer_stop(&peer);
    return 0;
}

static int use_what_was_left(void *arg)
{
    (void)arg;
    assert_null(ga_get(left_session, "http://127.0.0.1:1/"));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    ga_response_free(left_response);
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    ga_session_free(left_session);
    return 0;
}

static void what_a_loop_left_behind_is_refused(void **state)
{
    (void)state;
    if (CHECK_SANITIZED)
        skip(); /* it leaks, by its nature */
    ga__run_on(ga__sim_new(NULL), NULL, 0, leave_things_behind, NULL);
    assert_non_null(left_response);
    assert_int_equal(ga_run(use_what_was_left, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_options_are_refused_by_name),
        cmocka_unit_test(an_options_struct_of_another_version_is_understood),
        cmocka_unit_test(a_default_header_without_a_value_is_left_out),
        cmocka_unit_test(a_unix_socket_serves_any_host),
        cmocka_unit_test(the_rate_is_kept_and_waiting_for_it_ends_with_the_total),
        cmocka_unit_test(freeing_a_session_in_use_is_reported_and_harmless),
        cmocka_unit_test(what_a_loop_left_behind_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
