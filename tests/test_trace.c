/* SPDX-License-Identifier: MIT */
/* What is told of calls: their phases, their times, and the session's counters; on the virtual clock. */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char told[4096];

static void note(void *arg, const ga_trace_event *event)
{
    static const char *const kinds[] = {"?", "phase", "redirect", "retry", "answer", "end", "failure"};
    size_t size = strlen(told);

    assert_string_equal(arg, "mine");
    assert_string_equal(event->method, "GET");
    assert_true(event->seconds >= 0);
    if (event->kind == GA_TRACE_PHASE)
        snprintf(told + size, sizeof told - size, "%s ", ga_phase_name(event->phase));
    else if (event->kind == GA_TRACE_FAILURE)
        snprintf(told + size, sizeof told - size, "%s:%s ", kinds[event->kind], ga_code_name(event->code));
    else
        snprintf(told + size, sizeof told - size, "%s:%d:%d ", kinds[event->kind], event->status,
                 event->attempt);
}

static const peer_step slow[] = {
    PEER_TAKE(NULL), PEER_PAUSE(2),  PEER_SAY("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"),
    PEER_PAUSE(3),   PEER_SAY("cd"), PEER_AGAIN};

TIMED_CASE(a_calls_phases_are_told_in_order)
{
    static const peer_step *const scripts[] = {slow, NULL};
    peer_server peer;
    ga_timings timings;

    told[0] = '\0';
    peer_start(&peer, peers, scripts);
    ga_session *session = ga_session_new(.trace = note, .trace_arg = "mine");
    ga_response *response = ga_get(session, peer_url(&peer, "/"));
    ga_autofree char *text = ga_text(response);

    assert_string_equal(text, "abcd");
    ga_sleep(10); /* which is not the call's */
    ga_response_timings(response, &timings);
    assert_true(timings.phases[GA_PHASE_FIRST_BYTE] >= 2 && timings.phases[GA_PHASE_FIRST_BYTE] < 2.5);
    assert_true(timings.phases[GA_PHASE_READ] >= 3 && timings.phases[GA_PHASE_READ] < 3.5);
    assert_true(timings.total >= 5 && timings.total < 5.5);
    assert_true(timings.phases[GA_PHASE_TLS] == 0);
    ga_response_free(response);
    assert_string_equal(told, "pool connect write first_byte answer:200:1 read end:200:1 ");

    told[0] = '\0';
    response = ga_get(session, peer_url(&peer, "/again"));
    ga_response_free(response); /* on the kept connection */
    assert_string_equal(told, "pool write first_byte answer:200:1 read end:200:1 ");
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(redirects_retries_and_failures_are_told)
{
    static const peer_step script[] = {
        PEER_TAKE("GET /a"), PEER_SAY("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"),
        PEER_TAKE("GET /b"), PEER_CLOSE};
    static const peer_step again[] = {
        PEER_TAKE("GET /b"), PEER_SAY("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), PEER_CLOSE};
    static const peer_step *const scripts[] = {script, again, NULL};
    peer_server peer;
    ga_metrics metrics;

    told[0] = '\0';
    peer_start(&peer, peers, scripts);
    ga_auto(ga_session) session = ga_session_new(.trace = note, .trace_arg = "mine", .metrics = 1);
    ga_response *response = ga_get(session, peer_url(&peer, "/a"));

    assert_int_equal(ga_status(response), 404);
    ga_response_free(response);
    assert_non_null(strstr(told, "redirect:"));
    assert_non_null(strstr(told, "retry:0:2 "));
    assert_non_null(strstr(told, "answer:404:2 "));
    peer_stop(&peer);

    told[0] = '\0';
    assert_null(ga_get(session, "ftp://nowhere/"));
    assert_string_equal(told, "failure:GA_ESCHEME ");
    ga_session_metrics(session, &metrics);
    assert_int_equal(metrics.calls, 2);
    assert_int_equal(metrics.answered, 1);
    assert_int_equal(metrics.failed, 1);
    assert_int_equal(metrics.redirects, 1);
    assert_int_equal(metrics.retries, 1);
    assert_int_equal(metrics.statuses[4], 1);
    assert_int_equal(metrics.statuses[2], 0);
    assert_true(metrics.bytes_sent > 0 && metrics.bytes_received > 0);
    assert_int_equal(metrics.first_answer.count, 1);
    assert_int_equal(metrics.pool.opened, 2);
}

/* Adds up what has come. */
static bool count_request(peer_visit *visit)
{
    *(size_t *)visit->peer->data += visit->request.size;
    return true;
}

/* Redirects, and the request for the rest of a body, are sent as the first request is. */
CASE(what_is_sent_on_the_way_is_counted_too)
{
    static const peer_step moved[] = {
        PEER_TAKE("POST / "),
        PEER_CALL(count_request),
        PEER_SAY("HTTP/1.1 307 x\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"),
        PEER_TAKE("POST /there "),
        PEER_CALL(count_request),
        PEER_OK("0", ""),
        PEER_TAKE("GET "),
        PEER_CALL(count_request),
        PEER_SAY("HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 4\r\n\r\nab"),
        PEER_CLOSE};
    static const peer_step rest[] = {
        PEER_TAKE("GET "), PEER_CALL(count_request),
        PEER_SAY(
            "HTTP/1.1 206 x\r\nETag: \"a\"\r\nContent-Range: bytes 2-3/4\r\nContent-Length: 2\r\n\r\ncd"),
        PEER_HOLD};
    static const peer_step *const scripts[] = {moved, rest, NULL};
    ga_auto(ga_session) session = ga_session_new(.metrics = 1, .resume = 1, .retry_base = 1e-3);
    ga_metrics metrics;
    peer_server peer;
    size_t sent = 0;

    peer_start(&peer, peers, scripts);
    peer.data = &sent;
    ga_auto(ga_response) posted = ga_post(session, peer_url(&peer, "/"), .text = "a body");

    assert_int_equal(ga_status(posted), 200);
    assert_int_equal(ga_redirects(posted), 1);
    ga_session_metrics(session, &metrics);
    assert_int_equal(metrics.bytes_sent, sent);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    ga_autofree char *text = ga_text(response);

    assert_string_equal(text, "abcd");
    assert_int_equal(peer.requests, 4);
    ga_session_metrics(session, &metrics);
    assert_int_equal(metrics.bytes_sent, sent);
    peer_stop(&peer);
}

TIMED_CASE(metrics_are_written_for_prometheus)
{
    static const peer_step *const scripts[] = {slow, NULL};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_session) session = ga_session_new(.metrics = 1);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    ga_autofree char *text = ga_session_prometheus(session);

    assert_non_null(strstr(text, "# TYPE gather_calls_total counter\ngather_calls_total 1\n"));
    assert_non_null(strstr(text, "gather_answers_total{class=\"2xx\"} 1\n"));
    assert_non_null(strstr(text, "gather_connections{state=\"idle\"} 0\n"));
    assert_non_null(strstr(text, "gather_phase_seconds_bucket{phase=\"first_byte\",le=\"1.6384\"} 0\n"));
    assert_non_null(strstr(text, "gather_phase_seconds_bucket{phase=\"first_byte\",le=\"3.2768\"} 1\n"));
    assert_non_null(strstr(text, "gather_phase_seconds_bucket{phase=\"first_byte\",le=\"+Inf\"} 1\n"));
    assert_non_null(strstr(text, "gather_phase_seconds_count{phase=\"first_byte\"} 1\n"));
    assert_non_null(strstr(text, "gather_answer_seconds_count 1\n"));
    peer_stop(&peer);
}

CASE(a_session_that_is_not_watched_counts_nothing)
{
    static const peer_step script[] = {PEER_TAKE(NULL), PEER_OK("2", "ok"), PEER_AGAIN};
    static const peer_step *const scripts[] = {script, NULL};
    peer_server peer;
    ga_metrics metrics;
    ga_timings timings;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_session) session = ga_session_new();
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    ga_session_metrics(session, &metrics);
    assert_int_equal(metrics.calls, 0);
    assert_int_equal(metrics.pool.opened, 1);
    ga_session_metrics(NULL, &metrics);
    ga_response_timings(NULL, &timings);
    assert_true(timings.total == 0);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_calls_phases_are_told_in_order),
        cmocka_unit_test(redirects_retries_and_failures_are_told),
        cmocka_unit_test(what_is_sent_on_the_way_is_counted_too),
        cmocka_unit_test(metrics_are_written_for_prometheus),
        cmocka_unit_test(a_session_that_is_not_watched_counts_nothing),
    };

    unsetenv("GATHER_TRACE");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
