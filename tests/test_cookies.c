/* SPDX-License-Identifier: MIT */
/* Cookies of a session: set by answers of any kind, sent with each hop that they belong to. */
#include "peer.h"

#include <string.h>

#define EMPTY "Content-Length: 0\r\n\r\n"

static const peer_step setting[] = {
    PEER_TAKE(NULL),
    PEER_SAY("HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=\"2\"; Path=/deep\r\n"
             "Set-Cookie: evil=1; Domain=example.com\r\nSet-Cookie: s=1; Secure\r\nSet-Cookie: c=3; "
             "Max-Age=60\r\n" EMPTY),
    PEER_TAKE(NULL),
    PEER_SAY("HTTP/1.1 404 Not Found\r\nSet-Cookie: c=; Max-Age=0\r\nSet-Cookie: d=4\r\n" EMPTY),
    PEER_TAKE(NULL),
    PEER_OK("0", ""),
    PEER_TAKE(NULL),
    PEER_OK("0", ""),
    PEER_CLOSE};
static const peer_step *const settings[] = {setting, NULL};

CASE(answers_set_what_later_requests_send)
{
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, settings);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_lacks(peer.last.data, "Cookie");
    assert_int_equal(ga_cookie_jar_count(ga_session_cookies(session)), 3);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_contains(peer.last.data, "\r\nCookie: a=1; c=3\r\n");
    ga_response_free(ga_get(session, peer_url(&peer, "/deep/x")));
    assert_contains(peer.last.data, "\r\nCookie: b=\"2\"; a=1; d=4\r\n");
    ga_cookie_jar_clear(ga_session_cookies(session));
    ga_response_free(ga_get(session, peer_url(&peer, "/deep/x")));
    assert_lacks(peer.last.data, "Cookie");
    peer_stop(&peer);
}

CASE(a_session_can_do_without)
{
    ga_auto(ga_session) session = ga_session_new(.no_cookies = 1);
    peer_server peer;

    peer_start(&peer, peers, settings);
    assert_null(ga_session_cookies(session));
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_lacks(peer.last.data, "Cookie");
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .cookies = GA_PAIRS({"own", "1"})));
    assert_contains(peer.last.data, "\r\nCookie: own=1\r\n");
    peer_stop(&peer);
}

CASE(sessions_share_a_jar_that_outlives_them)
{
    ga_auto(ga_cookie_jar) jar = ga_cookie_jar_new();
    ga_session *one = ga_session_new(.cookies = jar), *two = ga_session_new(.cookies = jar);
    peer_server peer;

    peer_start(&peer, peers, settings);
    ga_response_free(ga_get(one, peer_url(&peer, "/")));
    ga_session_free(one);
    ga_response_free(ga_get(two, peer_url(&peer, "/")));
    ga_session_free(two);
    assert_contains(peer.last.data, "\r\nCookie: a=1; c=3\r\n");
    assert_int_equal(ga_cookie_jar_count(jar), 3);
    assert_null(ga_session_new(.cookies = jar, .no_cookies = 1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    peer_stop(&peer);
}

CASE(a_request_has_cookies_of_its_own)
{
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    assert_int_equal(ga_cookie_jar_set(ga_session_cookies(session), peer_url(&peer, "/"), "a=jar"), 0);
    assert_int_equal(ga_cookie_jar_set(ga_session_cookies(session), peer_url(&peer, "/"), "b=jar"), 0);
    ga_response_free(
        ga_get(session, peer_url(&peer, "/"), .cookies = GA_PAIRS({"b", "own \"q\""}, {"c", ""})));
    assert_contains(peer.last.data, "\r\nCookie: b=own \"q\"; c=; a=jar\r\n");
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .headers = GA_PAIRS({"cookie", "by=hand"})));
    assert_contains(peer.last.data, "\r\ncookie: by=hand\r\n");
    assert_lacks(peer.last.data, "jar");
    peer_stop(&peer);
}

CASE(nothing_that_ends_a_cookie_goes_out)
{
    static const ga_pair rows[][2] = {
        {{"a", "b\r\nX: y"}, {NULL, NULL}}, {{"a", "b; c=d"}, {NULL, NULL}}, {{"a", "\x7f"}, {NULL, NULL}},
        {{"a=b", "c"}, {NULL, NULL}},       {{"", "c"}, {NULL, NULL}},       {{"a\n", "c"}, {NULL, NULL}},
        {{"a;b", "c"}, {NULL, NULL}},       {{"a", "b\tc"}, {NULL, NULL}},
    };
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_null(ga_get(session, peer_url(&peer, "/"), .cookies = rows[i]));
        assert_int_equal(ga_error()->code, GA_EHEADER);
        assert_int_equal(ga_error()->sent, GA_SENT_NO);
    }
    assert_int_equal(peer.connections, 0);
    peer_stop(&peer);
}

/* From "/" redirects to where peer->data says; all else is there. */
static bool say_redirect(peer_visit *visit)
{
    char head[512];
    bool there = !strstr(visit->request.data, " / HTTP");
    int size =
        snprintf(head, sizeof head, "HTTP/1.1 %s\r\nLocation: %s\r\nSet-Cookie: hop=1; Path=/\r\n" EMPTY,
                 there ? "200 OK" : "302 Found", (const char *)visit->peer->data);

    return peer_say(visit, head, (size_t)size);
}

static const peer_step redirecting[] = {PEER_TAKE(NULL), PEER_CALL(say_redirect), PEER_AGAIN};
static const peer_step *const redirects[] = {redirecting, NULL};

CASE(each_hop_has_its_own_cookies)
{
    ga_auto(ga_session) session = ga_session_new();
    char elsewhere[128];
    peer_server peer, other;

    peer_start(&peer, peers, redirects);
    peer_start(&other, peers, peer_always_empty);
    ga_cookie_jar_set(ga_session_cookies(session), peer_url(&peer, "/"), "deep=1; Path=/deep");
    peer.data = "/deep/x";
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .cookies = GA_PAIRS({"own", "1"})));
    assert_contains(peer.last.data, "GET /deep/x ");
    assert_contains(peer.last.data, "\r\nCookie: own=1; deep=1; hop=1\r\n");
    /* To another origin goes what the jar has for it, and not what was given for this one. */
    snprintf(elsewhere, sizeof elsewhere, "http://localhost:%u/",
             (unsigned)ga__address_port(&other.listener.address));
    ga_cookie_jar_set(ga_session_cookies(session), elsewhere, "other=1");
    peer.data = elsewhere;
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .cookies = GA_PAIRS({"own", "1"})));
    assert_contains(other.last.data, "\r\nCookie: other=1\r\n");
    ga_cookie_jar_clear(ga_session_cookies(session));
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .headers = GA_PAIRS({"Cookie", "by=hand"})));
    assert_lacks(other.last.data, "hand");
    assert_int_equal(other.requests, 2);
    peer_stop(&peer);
    peer_stop(&other);
}

static bool say_many(peer_visit *visit)
{
    ga__buffer head = GA__BUFFER_INIT;

    ga__buffer_add(&head, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 60; i++)
        ga__buffer_printf(&head, "Set-Cookie: c%d=1\r\n", i);
    ga__buffer_add(&head, EMPTY);
    bool said = peer_say(visit, head.data, head.size);

    ga__buffer_free(&head);
    return said;
}

CASE(an_answer_sets_fifty_at_most)
{
    static const peer_step many[] = {PEER_TAKE(NULL), PEER_CALL(say_many), PEER_AGAIN};
    static const peer_step *const scripts[] = {many, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_int_equal(ga_cookie_jar_count(ga_session_cookies(session)), 50);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_set_what_later_requests_send),
        cmocka_unit_test(a_session_can_do_without),
        cmocka_unit_test(sessions_share_a_jar_that_outlives_them),
        cmocka_unit_test(a_request_has_cookies_of_its_own),
        cmocka_unit_test(nothing_that_ends_a_cookie_goes_out),
        cmocka_unit_test(each_hop_has_its_own_cookies),
        cmocka_unit_test(an_answer_sets_fifty_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
