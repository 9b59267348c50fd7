/* SPDX-License-Identifier: MIT */
/* Redirects followed by the client: what goes along, what stays behind, and where they end. */
#include "peer.h"

#include <stdio.h>
#include <string.h>

#define REDIRECT(status, location) \
    PEER_SAY("HTTP/1.1 " status " Moved\r\nContent-Length: 4\r\nLocation: " location "\r\n\r\ngone")

CASE(redirects_are_followed_on_the_same_connection)
{
    static const peer_step chain[] = {PEER_TAKE("POST /a "),
                                      REDIRECT("307", "/b?x=1"),
                                      PEER_TAKE("POST /b?x=1 "),
                                      REDIRECT("302", "c#frag"),
                                      PEER_TAKE("GET /c "),
                                      PEER_OK("2", "ok"),
                                      PEER_AGAIN};
    static const peer_step *const scripts[] = {chain, NULL};
    ga_auto(ga_session) session = ga_session_new();
    const char *url;
    int status;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_post(session, peer_url(&peer, "/a"), .text = "body",
                                            .headers = GA_PAIRS({"X-Kept", "1"}, {"Content-Language", "en"}));
    ga_autofree char *text = ga_text(response);
    assert_string_equal(text, "ok");
    assert_int_equal(ga_redirects(response), 2);
    assert_string_equal(ga_url(response), peer_url(&peer, "/c#frag"));
    assert_true(ga_redirect_at(response, 0, &url, &status));
    assert_int_equal(status, 307);
    assert_string_equal(url, peer_url(&peer, "/a"));
    assert_true(ga_redirect_at(response, 1, &url, &status));
    assert_int_equal(status, 302);
    assert_string_equal(url, peer_url(&peer, "/b?x=1"));
    assert_true(ga_redirect_at(response, 1, NULL, NULL));
    assert_false(ga_redirect_at(response, 2, &url, &status));
    assert_false(ga_redirect_at(NULL, 0, &url, &status));
    assert_contains(peer.last.data, "X-Kept: 1");
    assert_null(strstr(peer.last.data, "Content-"));
    assert_int_equal(peer.connections, 1);
    assert_pool_at_rest(session, 1);
    peer_stop(&peer);
}

CASE(a_redirect_has_no_params_and_what_its_answer_says_is_skipped)
{
    static const peer_step little[] = {
        PEER_TAKE("GET /a?x=1&q=2 "),
        PEER_SAY("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 5\r\n\r\nmoved"),
        PEER_TAKE("GET /b HTTP"),
        PEER_SAY("HTTP/1.1 302 Found\r\nLocation: /c\r\nTransfer-Encoding: "
                 "chunked\r\n\r\n5\r\nmoved\r\n0\r\n\r\n"),
        PEER_TAKE("GET /c HTTP"),
        PEER_SAY("HTTP/1.1 302 Found\r\nLocation: /d\r\nContent-Length: 9000000\r\n\r\n"),
        PEER_FILL(100000),
        PEER_HOLD};
    static const peer_step rest[] = {PEER_TAKE("GET /d HTTP"), PEER_OK("2", "ok"), PEER_AGAIN};
    static const peer_step *const scripts[] = {little, rest, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response =
        ga_get(session, peer_url(&peer, "/a?x=1"), .params = GA_PAIRS({"q", "2"}));
    ga_autofree char *text = ga_text(response);

    assert_string_equal(text, "ok");
    assert_int_equal(ga_redirects(response), 3);
    assert_int_equal(peer.connections, 2); /* what is too much to skip costs the connection, */
    assert_pool_at_rest(session, 1);       /* and no time */
    peer_stop(&peer);
}

CASE(credentials_do_not_leave_the_origin)
{
    static const peer_step target[] = {PEER_TAKE("GET /there "), PEER_OK("0", ""), PEER_AGAIN};
    static const peer_step *const targets[] = {target, NULL};
    ga_auto(ga_session) session =
        ga_session_new(.headers = GA_PAIRS({"Authorization", "Bearer s"}, {"X-S", "1"}));
    char answer[256];
    peer_server peer, other;

    peer_start(&other, peers, targets);
    snprintf(answer, sizeof answer, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n",
             peer_url(&other, "/there"));
    const peer_step sends_away[] = {
        PEER_TAKE("GET /"), {.kind = PEER_SAY_, .text = answer, .size = strlen(answer)}, PEER_AGAIN};
    const peer_step *const scripts[] = {sends_away, NULL};

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response =
        ga_get(session, peer_url(&peer, "/"),
               .headers = GA_PAIRS({"Cookie", "c=1"}, {"X-R", "1"}, {"Host", "mine"}));
    assert_int_equal(ga_status(response), 200);
    assert_contains(peer.last.data, "Authorization: Bearer s");
    assert_contains(peer.last.data, "Cookie: c=1");
    assert_contains(peer.last.data, "Host: mine");
    assert_contains(other.last.data, "X-S: 1");
    assert_contains(other.last.data, "X-R: 1");
    assert_null(strstr(other.last.data, "Authorization"));
    assert_null(strstr(other.last.data, "Cookie"));
    assert_null(strstr(other.last.data, "mine"));
    assert_pool_at_rest(session, 2);
    peer_stop(&peer);
    peer_stop(&other);
}

CASE(redirects_tell_where_they_come_from_on_demand)
{
    static const peer_step chain[] = {PEER_TAKE("GET /a?x "), REDIRECT("302", "/b"), PEER_TAKE("GET /b "),
                                      PEER_OK("0", ""), PEER_AGAIN};
    static const peer_step *const scripts[] = {chain, NULL};
    ga_auto(ga_session) session = ga_session_new();
    ga_auto(ga_session) telling = ga_session_new(.referer = 1);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_autofree char *url = ga_format("http://user:secret@%s", peer_url(&peer, "/a?x#part") + 7);
    ga_autofree char *told = ga_format("\r\nReferer: %s\r\n", peer_url(&peer, "/a?x"));

    ga_response_free(ga_get(session, url));
    assert_null(strstr(peer.last.data, "Referer"));
    ga_response_free(ga_get(telling, url));
    assert_contains(peer.last.data, told);
    ga_response_free(ga_get(session, url, .referer = 1));
    assert_contains(peer.last.data, told);
    ga_response_free(ga_get(telling, url, .referer = -1));
    assert_null(strstr(peer.last.data, "Referer"));
    ga_response_free(ga_get(telling, url, .headers = GA_PAIRS({"referer", "http://mine/"})));
    assert_contains(peer.last.data, "\r\nreferer: http://mine/\r\n");
    assert_null(strstr(peer.last.data, told));
    assert_int_equal(peer.requests, 10);
    peer_stop(&peer);
}

CASE(a_redirect_to_what_no_request_can_carry_is_the_redirects_failure)
{
    static const peer_step host[] = {PEER_TAKE(NULL), REDIRECT("302", "//a\"b.example/"), PEER_AGAIN};
    static const peer_step user[] = {PEER_TAKE(NULL), REDIRECT("302", "http://a%3Ab:c@127.0.0.1/"),
                                     PEER_AGAIN};
    static const peer_step *const hosts[] = {host, NULL};
    static const peer_step *const users[] = {user, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer, second;

    peer_start(&peer, peers, hosts);
    peer_start(&second, peers, users);
    assert_null(ga_get(session, peer_url(&peer, "/")));
    assert_int_equal(ga_error()->code, GA_EREDIRECT);
    assert_contains(ga_error_message(), "a redirect led there");
    assert_null(ga_get(session, peer_url(&second, "/")));
    assert_int_equal(ga_error()->code, GA_EREDIRECT);
    assert_contains(ga_error_message(), "Authorization, from the URL");
    peer_stop(&peer);
    peer_stop(&second);
}

CASE(redirects_end_at_their_limit)
{
    static const peer_step loop[] = {PEER_TAKE("GET /"), REDIRECT("301", "/"), PEER_AGAIN};
    static const peer_step elsewhere[] = {PEER_TAKE(NULL), REDIRECT("301", "ftp://x/"), PEER_AGAIN};
    static const peer_step nowhere[] = {
        PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), PEER_AGAIN};
    static const peer_step *const loops[] = {loop, NULL};
    static const peer_step *const bad[] = {elsewhere, NULL};
    static const peer_step *const missing[] = {nowhere, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer, second, third;

    peer_start(&peer, peers, loops);
    assert_null(ga_get(session, peer_url(&peer, "/")));
    assert_int_equal(ga_error()->code, GA_EREDIRECT);
    assert_int_equal(ga_error()->status, 301);
    assert_contains(ga_error_message(), "redirect (301) to \"/\": too many redirects");
    assert_int_equal(peer.requests, 11); /* exactly 10 were followed */
    assert_null(ga_get(session, peer_url(&peer, "/"), .max_redirects = 2));
    assert_int_equal(peer.requests, 14);
    ga_auto(ga_response) as_is = ga_get(session, peer_url(&peer, "/"), .max_redirects = -1);
    assert_int_equal(ga_status(as_is), 301);
    peer_start(&second, peers, bad);
    assert_null(ga_get(session, peer_url(&second, "/")));
    assert_int_equal(ga_error()->code, GA_EREDIRECT);
    peer_start(&third, peers, missing);
    ga_auto(ga_response) found = ga_get(session, peer_url(&third, "/"));
    assert_int_equal(ga_status(found), 302);
    peer_stop(&peer);
    peer_stop(&second);
    peer_stop(&third);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redirects_are_followed_on_the_same_connection),
        cmocka_unit_test(a_redirect_has_no_params_and_what_its_answer_says_is_skipped),
        cmocka_unit_test(credentials_do_not_leave_the_origin),
        cmocka_unit_test(redirects_tell_where_they_come_from_on_demand),
        cmocka_unit_test(a_redirect_to_what_no_request_can_carry_is_the_redirects_failure),
        cmocka_unit_test(redirects_end_at_their_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
