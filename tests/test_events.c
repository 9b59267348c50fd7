/* SPDX-License-Identifier: MIT */
/* Lines and server-sent events through the client, and a source of events that reconnects. */
#include "peer.h"

#include "task/loop.h"
#include <stdlib.h>
#include <string.h>

#define STREAM \
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n"

TIMED_CASE(lines_come_as_they_arrive)
{
    static const peer_step script[] = {PEER_TAKE(NULL),
                                       PEER_SAY("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
                                       PEER_DRIP("{\"a\": 1}\r\n\n\n{\"b\": 2}\nlast", 0.1), PEER_CLOSE};
    static const peer_step *const scripts[] = {script, NULL};
    static const char *const expected[] = {"{\"a\": 1}", "", "", "{\"b\": 2}", "last"};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;
    const char *line;
    size_t size;

    peer_start(&peer, peers, scripts);
    double start = ga_now();
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(ga_read_line(response, &line, &size), 1);
        assert_string_equal(line, expected[i]);
        assert_int_equal(size, strlen(expected[i]));
        if (i == 0)
            assert_true(ga_now() - start < 1.5); /* before the rest is there */
    }
    assert_int_equal(ga_read_line(response, &line, NULL), 0);
    assert_int_equal(ga_read_line(response, &line, NULL), 0);
    peer_stop(&peer);
}

CASE(a_line_is_bounded)
{
    static const peer_step script[] = {PEER_TAKE(NULL),
                                       PEER_SAY("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
                                       PEER_FILL(2 << 20), PEER_CLOSE};
    static const peer_step *const scripts[] = {script, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;
    const char *line;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    assert_int_equal(ga_read_line(response, &line, NULL), GA_ETOOLARGE);
    assert_int_equal(ga_read_line(NULL, &line, NULL), GA_ETOOLARGE); /* the error before */
    peer_stop(&peer);
}

/* Who gives up waiting for a line's end, and reads on later, gets all of the line. */
TIMED_CASE(a_line_that_was_not_waited_for_is_whole_later)
{
    static const peer_step script[] = {PEER_TAKE(NULL),
                                       PEER_SAY("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhel"),
                                       PEER_PAUSE(3), PEER_SAY("lo\nworld\n"), PEER_CLOSE};
    static const peer_step *const scripts[] = {script, NULL};
    ga_auto(ga_session) session = ga_session_new(.read_timeout = 2);
    peer_server peer;
    const char *line;
    ga_scope scope;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    ga_scope_open(&scope, 0.5);
    assert_int_equal(ga_read_line(response, &line, NULL), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    assert_int_equal(ga_read_line(response, &line, NULL), GA_ETIMEDOUT);
    assert_int_equal(ga_read_line(response, &line, NULL), 1);
    assert_string_equal(line, "hello");
    assert_int_equal(ga_read_line(response, &line, NULL), 1);
    assert_string_equal(line, "world");
    assert_int_equal(ga_read_line(response, &line, NULL), 0);
    peer_stop(&peer);
}

/* The limit is one of lines, without their ends. */
CASE(a_line_may_be_as_long_as_the_limit)
{
    static const peer_step script[] = {
        PEER_TAKE(NULL),
        PEER_SAY("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n12345678\n12345678\r\n123456789\n12345678\r"),
        PEER_CLOSE};
    static const peer_step *const scripts[] = {script, NULL};
    ga_auto(ga_session) session = ga_session_new(.max_line = 8);
    peer_server peer;
    const char *line;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    assert_int_equal(ga_read_line(response, &line, NULL), 1);
    assert_string_equal(line, "12345678");
    assert_int_equal(ga_read_line(response, &line, NULL), 1);
    assert_string_equal(line, "12345678");
    assert_int_equal(ga_read_line(response, &line, NULL), GA_ETOOLARGE);
    assert_int_equal(ga_read_line(response, &line, NULL), 1); /* what is behind it */
    assert_string_equal(line, "12345678");
    peer_stop(&peer);
}

CASE(events_come_as_they_arrive)
{
    static const peer_step script[] = {
        PEER_TAKE("POST /v1"), PEER_SAY(STREAM),
        PEER_DRIP(
            "data: {\"delta\": \"Hel\"}\n\nevent: done\nid: 2\ndata: [DONE]\ndata: really\n\ndata: torn",
            0.01),
        PEER_CLOSE};
    static const peer_step *const scripts[] = {script, NULL};
    ga_auto(ga_session) session = ga_session_new();
    ga_event_message message;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_post(session, peer_url(&peer, "/v1"), .json_text = "{}");
    assert_int_equal(ga_read_event(response, &message), 1);
    assert_string_equal(message.type, "message");
    assert_string_equal(message.data, "{\"delta\": \"Hel\"}");
    assert_string_equal(message.id, "");
    assert_true(message.retry < 0);
    assert_int_equal(ga_read_event(response, &message), 1);
    assert_string_equal(message.type, "done");
    assert_string_equal(message.data, "[DONE]\nreally");
    assert_int_equal(message.data_size, 13);
    assert_string_equal(message.id, "2");
    assert_int_equal(ga_read_event(response, &message), 0); /* what is torn is no event */
    peer_stop(&peer);
}

/* --- a source ------------------------------------------------------------------------------------- */

TIMED_CASE(a_source_reconnects_where_it_was)
{
    static const peer_step first[] = {PEER_TAKE("GET /feed HTTP/1.1\r\n"),
                                      PEER_SAY(STREAM "retry: 500\nid: 41\ndata: one\n\n"), PEER_CLOSE};
    static const peer_step broken[] = {PEER_TAKE(NULL), PEER_CLOSE};
    static const peer_step second[] = {PEER_TAKE(NULL), PEER_SAY(STREAM "data: two\n\n"), PEER_CLOSE};
    static const peer_step last[] = {PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 204 No Content\r\n\r\n"),
                                     PEER_CLOSE};
    static const peer_step *const scripts[] = {first, broken, second, last, NULL};
    ga_auto(ga_session) session = ga_session_new();
    ga_event_message message;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_event_source) source = ga_event_source_new(session, peer_url(&peer, "/feed"));
    double start = ga_now();

    assert_int_equal(ga_event_source_next(source, &message), 1);
    assert_string_equal(message.data, "one");
    assert_int_equal(ga_event_source_next(source, &message), 1);
    assert_string_equal(message.data, "two");
    double passed = ga_now() - start; /* half a second, and twice that after the broken attempt */
    assert_true(passed >= 1.5 && passed < 2.5);
    assert_int_equal(peer.connections, 3);
    assert_int_equal(ga_event_source_next(source, &message), 0);
    assert_int_equal(ga_event_source_next(source, &message), 0);
    assert_int_equal(peer.connections, 4);
    peer_stop(&peer);
}

static bool has_last_event_id(struct peer_visit *visit)
{
    static const char seen[] = STREAM "data: seen\n\n", missing[] = STREAM "data: missing\n\n";
    const char *request = visit->request.data;
    bool told = strstr(request, "Last-Event-ID: 41\r\n") && strstr(request, "X-Mine: 1\r\n") &&
                strstr(request, "Accept: text/event-stream\r\n");

    return told ? peer_say(visit, seen, sizeof seen - 1) : peer_say(visit, missing, sizeof missing - 1);
}

TIMED_CASE(a_source_does_not_call_again_and_again_where_it_is_asked_to_wait_0)
{
    static const peer_step brief[] = {PEER_TAKE(NULL), PEER_SAY(STREAM "retry: 0\ndata: x\n\n"), PEER_CLOSE};
    static const peer_step *const scripts[] = {brief, NULL};
    ga_auto(ga_session) session = ga_session_new();
    ga_event_message message;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_event_source) source = ga_event_source_new(session, peer_url(&peer, "/"));
    double start = ga_now();

    for (int i = 0; i < 11; i++)
        assert_int_equal(ga_event_source_next(source, &message), 1);
    assert_true(ga_now() - start >= 1);
    peer_stop(&peer);
}

/* Reads so many events of the first connection, which then fails with the code, where that is not 0; the
 * second must be told of the id 41. */
static void reconnect(ga_group *peers, const peer_step *first, int events, int code)
{
    static const peer_step second[] = {PEER_TAKE(NULL), PEER_CALL(has_last_event_id), PEER_CLOSE};
    const peer_step *const scripts[] = {first, second, NULL};
    ga_auto(ga_session) session = ga_session_new();
    ga_event_message message;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_event_source) source =
        ga_event_source_new(session, peer_url(&peer, "/"), .headers = GA_PAIRS({"X-Mine", "1"}));

    for (int i = 0; i < events; i++)
        assert_int_equal(ga_event_source_next(source, &message), 1);
    if (code < 0)
        assert_int_equal(ga_event_source_next(source, &message), code);
    if (ga_event_source_next(source, &message) != 1)
        fail_msg("%s", ga_error_message());
    assert_string_equal(message.data, "seen");
    peer_stop(&peer);
}

CASE(a_source_tells_the_last_id)
{
    static const peer_step first[] = {
        PEER_TAKE("GET "), PEER_SAY(STREAM "retry: 0\nid: 41\ndata: one\n\nid: 42\ndata: torn"), PEER_CLOSE};

    reconnect(peers, first, 1, 0);
}

/* Nor is the server's mistake told as if the caller had given a header. */
CASE(an_id_that_no_header_can_carry_is_not_told)
{
    static const peer_step first[] = {
        PEER_TAKE("GET "), PEER_SAY(STREAM "retry: 0\nid: 41\ndata: one\n\nid: a\x01z\ndata: two\n\n"),
        PEER_CLOSE};

    reconnect(peers, first, 2, 0);
}

/* Says which ids it was told. */
static bool tell_ids(peer_visit *visit)
{
    const char *request = visit->request.data, *const name = "\r\nLast-Event-ID: ";
    char text[200] = STREAM "retry: 0\nid: 41\ndata:";

    for (const char *at = request; (at = strstr(at, name)); at += strlen(name))
        strncat(strcat(text, " "), at + strlen(name), strcspn(at + strlen(name), "\r"));
    strcat(text, "\n\n");
    return peer_say(visit, text, strlen(text));
}

/* The caller may know an id, from the program's last run for one. The server's goes instead of it. */
CASE(a_source_begins_at_the_callers_id)
{
    static const peer_step script[] = {PEER_TAKE("GET "), PEER_CALL(tell_ids), PEER_CLOSE};
    static const peer_step *const scripts[] = {script, NULL};
    ga_auto(ga_session) session = ga_session_new();
    ga_event_message message;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_event_source) source = ga_event_source_new(
        session, peer_url(&peer, "/"), .headers = GA_PAIRS({"Last-Event-ID", "40"}, {"X-Mine", "1"}));
    assert_int_equal(ga_event_source_next(source, &message), 1);
    assert_string_equal(message.data, "40");
    assert_int_equal(ga_event_source_next(source, &message), 1);
    assert_string_equal(message.data, "41");
    assert_contains(peer.last.data, "X-Mine: 1\r\n");
    peer_stop(&peer);
}

/* A wait that was cancelled has no consequences: the connection stays, and with it what was sent meanwhile.
 */
TIMED_CASE(a_source_that_was_not_waited_for_goes_on)
{
    static const peer_step slow[] = {PEER_TAKE(NULL), PEER_SAY(STREAM "id: 41\ndata: one\n\ndata: t"),
                                     PEER_PAUSE(1), PEER_SAY("wo\n\n"), PEER_HOLD};
    static const peer_step *const scripts[] = {slow, NULL};
    ga_auto(ga_session) session = ga_session_new();
    ga_event_message message;
    peer_server peer;
    ga_scope scope;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_event_source) source = ga_event_source_new(session, peer_url(&peer, "/"));
    assert_int_equal(ga_event_source_next(source, &message), 1);
    ga_scope_open(&scope, 0.5);
    assert_int_equal(ga_event_source_next(source, &message), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    assert_int_equal(ga_event_source_next(source, &message), 1);
    assert_string_equal(message.data, "two");
    assert_string_equal(message.id, "41");
    assert_int_equal(peer.connections, 1);
    peer_stop(&peer);
}

/* Nor is it forgotten where a stream is given up for another reason than its end. */
CASE(a_source_that_failed_tells_the_last_id)
{
    static const peer_step first[] = {PEER_TAKE(NULL), PEER_SAY(STREAM "id: 41\ndata: one\n\n"),
                                      PEER_FILL(2 << 20), PEER_HOLD};

    reconnect(peers, first, 1, GA_ETOOLARGE);
}

CASE(a_source_fails_where_no_attempt_would_help)
{
    static const peer_step refused[] = {
        PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"), PEER_CLOSE};
    static const peer_step other[] = {
        PEER_TAKE(NULL),
        PEER_SAY("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"),
        PEER_CLOSE};
    static const peer_step *const scripts[] = {refused, other, NULL};
    ga_auto(ga_session) session = ga_session_new();
    ga_event_message message;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_event_source) source = ga_event_source_new(session, peer_url(&peer, "/"));
    assert_int_equal(ga_event_source_next(source, &message), GA_ESTATUS);
    ga_error_clear();
    assert_int_equal(ga_event_source_next(source, &message), GA_ECONTENTTYPE);
    assert_string_equal(ga_error()->url, peer_url(&peer, "/"));
    assert_non_null(strstr(ga_error_message(), "its Content-Type is application/json"));
    ga_scope scope;

    ga_scope_open(&scope, 0);
    assert_int_equal(ga_event_source_next(source, &message), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_as_they_arrive),
        cmocka_unit_test(a_line_is_bounded),
        cmocka_unit_test(a_line_that_was_not_waited_for_is_whole_later),
        cmocka_unit_test(a_line_may_be_as_long_as_the_limit),
        cmocka_unit_test(events_come_as_they_arrive),
        cmocka_unit_test(a_source_reconnects_where_it_was),
        cmocka_unit_test(a_source_does_not_call_again_and_again_where_it_is_asked_to_wait_0),
        cmocka_unit_test(a_source_tells_the_last_id),
        cmocka_unit_test(an_id_that_no_header_can_carry_is_not_told),
        cmocka_unit_test(a_source_begins_at_the_callers_id),
        cmocka_unit_test(a_source_that_was_not_waited_for_goes_on),
        cmocka_unit_test(a_source_that_failed_tells_the_last_id),
        cmocka_unit_test(a_source_fails_where_no_attempt_would_help),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
