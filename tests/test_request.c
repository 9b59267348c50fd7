/* SPDX-License-Identifier: MIT */
/* What a request sends, and what is refused before anything is sent. */
#include "peer.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void assert_sent(const peer_server *peer, const char *expected)
{
    assert_string_equal(peer->last.data, expected);
}

/* --- what is sent --------------------------------------------------------------------------------- */

CASE(a_get_is_exactly_this)
{
    ga_auto(ga_session) session = ga_session_new();
    char expected[256];
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    ga_auto(ga_response) response =
        ga_get(session, peer_url(&peer, "/todos/1?x=y#part"), .params = GA_PAIRS({"q", "a b"}));
    assert_int_equal(ga_status(response), 200);
    snprintf(expected, sizeof expected,
             "GET /todos/1?x=y&q=a+b HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: gather/" GA__VERSION
             "\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\r\n",
             (unsigned)ga__address_port(&peer.listener.address));
    assert_sent(&peer, expected);
    peer_stop(&peer);
}

CASE(bodies_have_their_type_and_length)
{
    ga_auto(ga_session) session = ga_session_new(.headers = GA_PAIRS({"Content-Type", "x/session"}));
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    ga_response_free(ga_post(session, peer_url(&peer, "/"), .json_text = "{\"a\":1}"));
    assert_contains(peer.last.data,
                    "\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}");
    assert_null(strstr(peer.last.data, "x/session"));
    ga_response_free(ga_put(session, peer_url(&peer, "/"), .text = "h\xc3\xa9"));
    assert_contains(peer.last.data,
                    "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\r\nh\xc3\xa9");
    ga_response_free(ga_patch(session, peer_url(&peer, "/"), .body = "\0\1", .body_size = 2));
    assert_contains(peer.last.data,
                    "\r\nContent-Type: application/octet-stream\r\nContent-Length: 2\r\n\r\n");
    json_t *json = json_pack("{s:[i,b]}", "a", 1, 1);

    ga_response_free(
        ga_post(session, peer_url(&peer, "/"), .json = json, .content_type = "application/x+json"));
    assert_contains(peer.last.data,
                    "\r\nContent-Type: application/x+json\r\nContent-Length: 14\r\n\r\n{\"a\":[1,true]}");
    json_decref(json);
    ga_response_free(
        ga_post(session, peer_url(&peer, "/"), .text = "t", .headers = GA_PAIRS({"content-type", "a/b"})));
    assert_contains(peer.last.data, "\r\ncontent-type: a/b\r\nContent-Length: 1\r\n\r\nt");
    assert_null(strstr(peer.last.data, "Content-Type"));
    ga_response_free(ga_post(session, peer_url(&peer, "/")));
    assert_contains(peer.last.data, "\r\nContent-Length: 0\r\n\r\n");
    ga_response_free(ga_delete(session, peer_url(&peer, "/")));
    assert_null(strstr(peer.last.data, "Content-Length"));
    assert_int_equal(peer.connections, 1);
    peer_stop(&peer);
}

CASE(headers_of_the_request_replace_the_sessions)
{
    ga_auto(ga_session) session =
        ga_session_new(.headers = GA_PAIRS({"X-One", "1"}, {"X-Two", "2"}), .user_agent = "me");
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_contains(peer.last.data, "\r\nUser-Agent: me\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, "
                                    "br, zstd\r\nX-One: 1\r\nX-Two: 2\r\n\r\n");
    ga_response_free(ga_get(session, peer_url(&peer, "/"),
                            .headers = GA_PAIRS({"x-one", "uno"}, {"Accept", "text/html"}, {"X-Two", NULL})));
    assert_contains(peer.last.data, "\r\nUser-Agent: me\r\nAccept-Encoding: gzip, deflate, br, "
                                    "zstd\r\nx-one: uno\r\nAccept: text/html\r\n\r\n");
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .headers = GA_PAIRS({"Host", "other.example"})));
    assert_contains(peer.last.data, "\r\nHost: other.example\r\n");
    assert_null(strstr(peer.last.data, "127.0.0.1"));
    peer_stop(&peer);
}

CASE(userinfo_becomes_basic_and_is_never_shown)
{
    ga_auto(ga_session) session = ga_session_new(.headers = GA_PAIRS({"Authorization", "Bearer s"}));
    char url[128];
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    unsigned port = ga__address_port(&peer.listener.address);

    snprintf(url, sizeof url, "http://us%%65r:p%%40ss@127.0.0.1:%u/", port);
    ga_auto(ga_response) response = ga_get(session, url);
    assert_contains(peer.last.data, "\r\nAuthorization: Basic dXNlcjpwQHNz\r\n");
    assert_null(strstr(peer.last.data, "Bearer"));
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
    assert_string_equal(ga_url(response), url);
    ga_response_free(ga_get(session, url));
    assert_contains(peer.last.data, "\r\nAuthorization: Bearer s\r\n");
    assert_null(ga_get(session, "http://user:secret@127.0.0.1:1/"));
    assert_null(strstr(ga_error_message(), "secret"));
    assert_null(strstr(ga_error()->url, "secret"));
    assert_null(ga_get(session, "http://user:sec/ret@127.0.0.1:1/"));
    assert_null(strstr(ga_error_message(), "sec"));
    assert_null(ga_get(session, "http://us%3Aer:x@127.0.0.1:1/"));
    assert_int_equal(ga_error()->code, GA_EHEADER);
    assert_contains(ga_error_message(), "Authorization");
    peer_stop(&peer);
}

CASE(relative_urls_stand_on_the_base)
{
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    ga_auto(ga_session) session = ga_session_new(.base_url = peer_url(&peer, "/api/v1/"));

    ga_response_free(ga_get(session, "todos/1"));
    assert_contains(peer.last.data, "GET /api/v1/todos/1 HTTP/1.1\r\n");
    ga_response_free(ga_get(session, "/root"));
    assert_contains(peer.last.data, "GET /root HTTP/1.1\r\n");
    ga_response_free(ga_request(session, "REPORT", "?a=b"));
    assert_contains(peer.last.data, "REPORT /api/v1/?a=b HTTP/1.1\r\n");
    peer_stop(&peer);
}

/* --- what is refused ------------------------------------------------------------------------------ */

CASE(what_would_break_the_syntax_is_refused_before_anything_is_sent)
{
    static const struct {
        ga_pair header;
        const char *method;
        const char *named;
    } cases[] = {
        {{"X-A", "a\r\nX-B: b"}, "GET", "X-A"},
        {{"X-A", "a\nb"}, "GET", "X-A"},
        {{"X-A", "\x01"}, "GET", "X-A"},
        {{"X A", "a"}, "GET", "X A"},
        {{"X-A\r\n", "a"}, "GET", "X-A??"},
        {{"", "a"}, "GET", "name"},
        {{"X-A", "a"}, "GE T", "method"},
        {{"X-A", "a"}, "GET\r\n", "method"},
        {{"X-A", "a"}, "", "method"},
        {{"Content-Length", "5"}, "GET", "Content-Length"},
        {{"Transfer-Encoding", "chunked"}, "GET", "Transfer-Encoding"},
    };
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(ga_request(session, cases[i].method, peer_url(&peer, "/"),
                               .headers = GA_PAIRS({cases[i].header.name, cases[i].header.value})));
        assert_int_equal(ga_error()->code, GA_EHEADER);
        assert_int_equal(ga_error()->phase, GA_PHASE_PREPARE);
        assert_int_equal(ga_error()->sent, GA_SENT_NO);
        assert_contains(ga_error_message(), cases[i].named);
        assert_null(strpbrk(ga_error_message(), "\r\n"));
    }
    assert_null(ga_get(session, peer_url(&peer, "/"), .content_type = "a\nb"));
    assert_int_equal(ga_error()->code, GA_EHEADER);
    assert_int_equal(peer.connections, 0);
    assert_pool_at_rest(session, 0);
    peer_stop(&peer);
}

CASE(wrong_urls_and_options_are_refused)
{
    ga_auto(ga_session) session = ga_session_new();

    assert_null(ga_get(session, "/relative"));
    assert_int_equal(ga_error()->code, GA_EURL);
    assert_null(ga_get(session, NULL));
    assert_int_equal(ga_error()->code, GA_EURL);
    assert_null(ga_get(session, "http://"));
    assert_int_equal(ga_error()->code, GA_EURL);
    assert_null(ga_get(session, "http://x/\r\nEvil: 1"));
    assert_int_equal(ga_error()->code, GA_EURL);
    assert_null(ga_get(session, ""));
    assert_contains(ga_error_message(), "\"\": ");
    assert_null(ga_get(session, "file:///etc/passwd"));
    assert_int_equal(ga_error()->code, GA_ESCHEME);
    assert_null(ga_get(session, "http://x/", .text = "a", .json_text = "b"));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_get(session, "http://x/", .body_size = 1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_get(session, "http://x/", .timeout = -1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_request(session, "CONNECT", "http://x/"));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_request_with(session, NULL, &(ga_request_options){.url = "http://x/"}));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_pool_at_rest(session, 0);
}

static void calls_outside_a_task_say_so(void **state)
{
    (void)state;
    ga_error_clear();
    assert_null(ga_session_new());
    assert_int_equal(ga_error()->code, GA_ENOTASK);
    assert_null(ga_get(NULL, "http://x/"));
    assert_int_equal(ga_error()->code, GA_ENOTASK);
    assert_null(ga_text(NULL));
    ga_session_free(NULL);
    ga_response_free(NULL);
}

/* --- many ----------------------------------------------------------------------------------------- */

CASE(ten_thousand_calls_one_after_the_other)
{
    static const peer_step hello[] = {PEER_TAKE("GET /"), PEER_OK("5", "hello"), PEER_AGAIN};
    static const peer_step *const scripts[] = {hello, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, scripts);
    for (int i = 0; i < 10000; i++) {
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
        size_t size;
        const void *body = ga_body(response, &size);

        assert_non_null(body);
        assert_int_equal(size, 5);
        assert_memory_equal(body, "hello", 6);
    }
    assert_int_equal(peer.connections, 1);
    assert_int_equal(peer.requests, 10000);
    assert_pool_at_rest(session, 1);
    peer_stop(&peer);
}

static int get_hello(ga_session *session, peer_server *peer)
{
    char url[128];

    snprintf(url, sizeof url, "%s", peer_url(peer, "/"));
    ga_auto(ga_response) response = ga_get(session, url);
    ga_autofree char *text = ga_text(response);

    return text && strcmp(text, "hello") == 0 ? 0 : -1;
}
GA_TASK(int, get_hello, ga_session *, peer_server *);

CASE(a_thousand_calls_at_once)
{
    static const peer_step hello[] = {PEER_TAKE("GET /"), PEER_PAUSE(0.001), PEER_OK("5", "hello"),
                                      PEER_AGAIN};
    static const peer_step *const scripts[] = {hello, NULL};
    ga_auto(ga_session) session = ga_session_new();
    ga_group calls;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_group_open(&calls, GA_COLLECT);
    for (int i = 0; i < 1000; i++)
        assert_non_null(get_hello_start(&calls, session, &peer));
    assert_int_equal(ga_gather(&calls), 0);
    ga_group_close(&calls);
    assert_int_equal(peer.connections, 100);
    assert_int_equal(peer.requests, 1000);
    assert_pool_at_rest(session, 100);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_is_exactly_this),
        cmocka_unit_test(bodies_have_their_type_and_length),
        cmocka_unit_test(headers_of_the_request_replace_the_sessions),
        cmocka_unit_test(userinfo_becomes_basic_and_is_never_shown),
        cmocka_unit_test(relative_urls_stand_on_the_base),
        cmocka_unit_test(what_would_break_the_syntax_is_refused_before_anything_is_sent),
        cmocka_unit_test(wrong_urls_and_options_are_refused),
        cmocka_unit_test(calls_outside_a_task_say_so),
        cmocka_unit_test(ten_thousand_calls_one_after_the_other),
        cmocka_unit_test(a_thousand_calls_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
