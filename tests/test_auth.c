/* SPDX-License-Identifier: MIT */
/* Credentials of sessions and requests: which go where, which are refused, and Digest's conversation. */
#include "peer.h"

#include <stdlib.h>
#include <string.h>

#define BASIC_U_P "\r\nAuthorization: Basic dTpw\r\n" /* u:p */

CASE(a_session_says_who_it_is)
{
    ga_auto(ga_session) basic = ga_session_new(.user = "u", .password = "p");
    ga_auto(ga_session) bearer = ga_session_new(.bearer = "t0k/en==");
    ga_auto(ga_session) utf8 = ga_session_new(.user = "\xc3\xa9");
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    ga_response_free(ga_get(basic, peer_url(&peer, "/")));
    assert_contains(peer.last.data, BASIC_U_P);
    ga_response_free(ga_get(bearer, peer_url(&peer, "/")));
    assert_contains(peer.last.data, "\r\nAuthorization: Bearer t0k/en==\r\n");
    ga_response_free(ga_get(utf8, peer_url(&peer, "/")));
    assert_contains(peer.last.data, "\r\nAuthorization: Basic w6k6\r\n");
    peer_stop(&peer);
}

CASE(a_request_says_it_otherwise)
{
    ga_auto(ga_session) session = ga_session_new(.bearer = "session");
    char url[128];
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .user = "u", .password = "p"));
    assert_contains(peer.last.data, BASIC_U_P);
    assert_lacks(peer.last.data, "session");
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .bearer = "other"));
    assert_contains(peer.last.data, "\r\nAuthorization: Bearer other\r\n");
    assert_lacks(peer.last.data, "session");
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .user = "u", .digest = 1));
    assert_lacks(peer.last.data, "Authorization");
    ga_response_free(
        ga_get(session, peer_url(&peer, "/"), .user = "u", .headers = GA_PAIRS({"authorization", "hand"})));
    assert_contains(peer.last.data, "\r\nauthorization: hand\r\n");
    assert_lacks(peer.last.data, "Authorization");
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .headers = GA_PAIRS({"Authorization", NULL})));
    assert_lacks(peer.last.data, "Authorization");
    snprintf(url, sizeof url, "http://x:y@127.0.0.1:%u/", (unsigned)ga__address_port(&peer.listener.address));
    ga_response_free(ga_get(session, url, .user = "u", .password = "p"));
    assert_contains(peer.last.data, BASIC_U_P);
    ga_response_free(ga_get(session, url));
    assert_contains(peer.last.data, "\r\nAuthorization: Basic eDp5\r\n");
    peer_stop(&peer);
}

static void expect_refused(ga_session *session, int code)
{
    assert_null(session);
    assert_int_equal(ga_error()->code, code);
    assert_lacks(ga_error_message(), "s3cret");
}

CASE(what_cannot_be_carried_is_refused)
{
    ga_auto(ga_session) session = ga_session_new(.limit = 1);
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    expect_refused(ga_session_new(.user = "a:s3cret", .password = "p"), GA_EHEADER);
    expect_refused(ga_session_new(.user = "a\n", .password = "s3cret"), GA_EHEADER);
    expect_refused(ga_session_new(.user = "a", .password = "s3cret\r\nX: y"), GA_EHEADER);
    expect_refused(ga_session_new(.password = "s3cret"), GA_EUSAGE);
    expect_refused(ga_session_new(.bearer = "s3cret\n"), GA_EHEADER);
    expect_refused(ga_session_new(.bearer = "s3cret token"), GA_EHEADER);
    expect_refused(ga_session_new(.bearer = ""), GA_EHEADER);
    expect_refused(ga_session_new(.bearer = "s3cret", .user = "a"), GA_EUSAGE);
    expect_refused(ga_session_new(.bearer = "s3cret", .headers = GA_PAIRS({"authorization", "x"})),
                   GA_EUSAGE);
    expect_refused(ga_session_new(.digest = 1), GA_EUSAGE);
    static const struct {
        const char *user, *password, *bearer;
        int code;
    } rows[] = {
        {"a:s3cret", NULL, NULL, GA_EHEADER}, {"a", "s3cret\r\n", NULL, GA_EHEADER},
        {NULL, "s3cret", NULL, GA_EUSAGE},    {NULL, NULL, "s3cret\x7f", GA_EHEADER},
        {"a", "s3cret", "s3cret", GA_EUSAGE}, {NULL, NULL, "s3cret\xc3\xa9", GA_EHEADER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_null(ga_get(session, peer_url(&peer, "/"), .user = rows[i].user, .password = rows[i].password,
                           .bearer = rows[i].bearer));
        assert_int_equal(ga_error()->code, rows[i].code);
        assert_lacks(ga_error_message(), "s3cret");
    }
    assert_null(ga_get(session, peer_url(&peer, "/"), .digest = 1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_int_equal(peer.connections, 0);
    peer_stop(&peer);
}

/* From "/" redirects to where peer->data says; all else is there. */
static bool say_redirect(peer_visit *visit)
{
    char head[512];
    bool there = !strstr(visit->request.data, " / HTTP");
    int size = snprintf(head, sizeof head,
                        "HTTP/1.1 %s\r\nLocation: %s\r\n"
                        "Content-Length: 0\r\n\r\n",
                        there ? "200 OK" : "307 T", (const char *)visit->peer->data);

    return peer_say(visit, head, (size_t)size);
}

static const peer_step redirecting[] = {PEER_TAKE(NULL), PEER_CALL(say_redirect), PEER_AGAIN};
static const peer_step *const redirects[] = {redirecting, NULL};

CASE(credentials_stay_with_their_origin)
{
    ga_auto(ga_session) session = ga_session_new(.user = "u", .password = "p");
    ga_auto(ga_session) bearer = ga_session_new(.bearer = "token");
    char elsewhere[128], with_userinfo[128];
    peer_server peer, other;

    peer_start(&peer, peers, redirects);
    peer_start(&other, peers, peer_always_empty);
    peer.data = "/same";
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_contains(peer.last.data, "GET /same ");
    assert_contains(peer.last.data, BASIC_U_P);
    ga_response_free(ga_get(bearer, peer_url(&peer, "/"), .user = "u", .password = "p"));
    assert_contains(peer.last.data, "GET /same ");
    assert_contains(peer.last.data, BASIC_U_P);
    unsigned port = ga__address_port(&other.listener.address);

    snprintf(elsewhere, sizeof elsewhere, "http://127.0.0.1:%u/", port);
    peer.data = elsewhere;
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_lacks(other.last.data, "Authorization");
    ga_response_free(ga_get(bearer, peer_url(&peer, "/"), .user = "u", .password = "p"));
    assert_lacks(other.last.data, "Authorization");
    ga_response_free(ga_get(bearer, peer_url(&peer, "/"), .bearer = "own"));
    assert_lacks(other.last.data, "Authorization");
    snprintf(with_userinfo, sizeof with_userinfo, "http://x:y@127.0.0.1:%u/", port);
    peer.data = with_userinfo;
    ga_response_free(ga_get(bearer, peer_url(&peer, "/"), .user = "u", .password = "p"));
    assert_contains(other.last.data, "\r\nAuthorization: Basic eDp5\r\n");
    assert_int_equal(other.requests, 4);
    peer_stop(&peer);
    peer_stop(&other);
}

/* --- Digest ----------------------------------------------------------------------------------------- */

#define ASK(rest)                                                                                  \
    PEER_SAY("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"b\"\r\n"                \
             "WWW-Authenticate: Digest realm=\"r\", qop=\"auth\", algorithm=SHA-256, " rest "\r\n" \
             "Content-Length: 4\r\n\r\nno!\n")

CASE(a_challenge_is_answered_and_remembered)
{
    static const peer_step asking[] = {PEER_TAKE("POST /a"),
                                       ASK("nonce=\"one\""),
                                       PEER_TAKE("POST /a"),
                                       PEER_OK("0", ""),
                                       PEER_TAKE("GET /b"),
                                       PEER_OK("0", ""),
                                       PEER_TAKE("GET /c"),
                                       ASK("nonce=\"two\", stale=true"),
                                       PEER_TAKE("GET /c"),
                                       PEER_OK("0", ""),
                                       PEER_CLOSE};
    static const peer_step *const scripts[] = {asking, NULL};
    ga_auto(ga_session) session = ga_session_new(.user = "u", .password = "s3cret", .digest = 1);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) first = ga_post(session, peer_url(&peer, "/a"), .text = "body");
    assert_int_equal(ga_status(first), 200);
    assert_contains(peer.last.data, "\r\nAuthorization: Digest username=\"u\", realm=\"r\", nonce=\"one\", "
                                    "uri=\"/a\", algorithm=SHA-256, response=\"");
    assert_contains(peer.last.data, "qop=auth, nc=00000001, cnonce=\"");
    assert_contains(peer.last.data, "\r\n\r\nbody");
    assert_lacks(peer.last.data, "s3cret");
    ga_auto(ga_response) second = ga_get(session, peer_url(&peer, "/b"));
    assert_int_equal(ga_status(second), 200);
    assert_contains(peer.last.data, "nonce=\"one\", uri=\"/b\"");
    assert_contains(peer.last.data, "nc=00000002");
    ga_auto(ga_response) third = ga_get(session, peer_url(&peer, "/c"));
    assert_int_equal(ga_status(third), 200);
    assert_contains(peer.last.data, "nonce=\"two\", uri=\"/c\"");
    assert_contains(peer.last.data, "nc=00000001");
    assert_int_equal(peer.connections, 1);
    peer_stop(&peer);
}

CASE(a_refusal_is_the_callers)
{
    static const peer_step refusing[] = {PEER_TAKE(NULL), ASK("nonce=\"n\""), PEER_AGAIN};
    static const peer_step *const scripts[] = {refusing, NULL};
    static const peer_step ever_stale[] = {PEER_TAKE(NULL), ASK("nonce=\"n\", stale=true"), PEER_AGAIN};
    static const peer_step *const stale_scripts[] = {ever_stale, NULL};
    ga_auto(ga_session) session = ga_session_new(.raise_for_status = 1);
    peer_server peer, stale;

    peer_start(&peer, peers, scripts);
    peer_start(&stale, peers, stale_scripts);
    assert_null(ga_get(session, peer_url(&peer, "/"), .user = "u", .password = "s3cret", .digest = 1));
    assert_int_equal(ga_error()->code, GA_ESTATUS);
    assert_int_equal(ga_error()->status, 401);
    assert_lacks(ga_error_message(), "s3cret");
    assert_int_equal(peer.requests, 2);
    assert_null(ga_get(session, peer_url(&peer, "/"), .user = "u", .password = "s3cret"));
    assert_int_equal(peer.requests, 3);
    assert_null(ga_get(session, peer_url(&stale, "/"), .user = "u", .digest = 1));
    assert_int_equal(stale.requests, 3);
    peer_stop(&peer);
    peer_stop(&stale);
}

#define BUSY PEER_SAY("HTTP/1.1 503 S\r\nContent-Length: 0\r\n\r\n")
/* Is busy twice; each time its nonce has aged when the request comes again. */
#define AGEING(stale)                                                                   \
    {                                                                                   \
        PEER_TAKE(NULL), ASK("nonce=\"one\""), PEER_TAKE(NULL), BUSY, PEER_TAKE(NULL),  \
            ASK("nonce=\"two\"" stale), PEER_TAKE(NULL), BUSY, PEER_TAKE(NULL),         \
            ASK("nonce=\"three\"" stale), PEER_TAKE(NULL), PEER_OK("0", ""), PEER_CLOSE \
    }

TIMED_CASE(each_retry_may_be_challenged_again)
{
    static const peer_step late[] = AGEING(", stale=true"), anew[] = AGEING("");
    static const peer_step *const scripts[] = {late, anew, NULL}; /* for a connection each */
    peer_server peer;

    peer_start(&peer, peers, scripts);
    for (size_t i = 1; i <= 2; i++) {
        ga_auto(ga_session) session = ga_session_new(.user = "u", .password = "p", .digest = 1, .retries = 2);
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

        assert_int_equal(ga_status(response), 200);
        assert_int_equal(ga_attempts(response), 3);
        assert_contains(peer.last.data, "nonce=\"three\"");
        assert_int_equal(peer.requests, 6 * i);
        assert_int_equal(peer.connections, i);
    }
    peer_stop(&peer);
}

CASE(a_url_may_have_digests_credentials)
{
    static const peer_step asking[] = {PEER_TAKE(NULL), ASK("nonce=\"n\""), PEER_TAKE(NULL), PEER_OK("0", ""),
                                       PEER_AGAIN};
    static const peer_step *const scripts[] = {asking, NULL};
    ga_auto(ga_session) session = ga_session_new(.limit = 1);
    char url[128];
    peer_server peer;

    peer_start(&peer, peers, scripts);
    snprintf(url, sizeof url, "http://m%%65:p@127.0.0.1:%u/",
             (unsigned)ga__address_port(&peer.listener.address));
    ga_auto(ga_response) response = ga_get(session, url, .digest = 1);
    assert_int_equal(ga_status(response), 200);
    assert_contains(peer.last.data, "Digest username=\"me\"");
    snprintf(url, sizeof url, "http://m%%3ae:p@127.0.0.1:%u/",
             (unsigned)ga__address_port(&peer.listener.address));
    assert_null(ga_get(session, url, .digest = 1));
    assert_int_equal(ga_error()->code, GA_EHEADER);
    peer_stop(&peer);
}

static ssize_t read_four(void *arg, void *buffer, size_t size)
{
    size_t *read = arg, count = size < 4 - *read ? size : 4 - *read;

    memcpy(buffer, &"four"[*read], count);
    *read += count;
    return (ssize_t)count;
}

static int rewind_four(void *arg)
{
    *(size_t *)arg = 0;
    return 0;
}

CASE(a_body_is_sent_again_where_it_can_be)
{
    static const peer_step asking[] = {PEER_TAKE(NULL), ASK("nonce=\"n\""), PEER_TAKE(NULL), PEER_OK("0", ""),
                                       PEER_AGAIN};
    static const peer_step *const scripts[] = {asking, NULL};
    static const peer_step integrity[] = {
        PEER_TAKE(NULL),
        PEER_SAY("HTTP/1.1 401 U\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"\r\n"
                 "Content-Length: 0\r\n\r\n"),
        PEER_AGAIN};
    static const peer_step *const integrity_scripts[] = {integrity, NULL};
    ga_auto(ga_session) session = ga_session_new(.user = "u", .password = "p", .digest = 1);
    size_t read = 0;
    ga_body_source again = {.read = read_four, .rewind = rewind_four, .arg = &read, .size = 4};
    ga_body_source once = {.read = read_four, .arg = &read, .size = 4};
    peer_server peer, other, strict;

    peer_start(&peer, peers, scripts);
    peer_start(&other, peers, scripts);
    peer_start(&strict, peers, integrity_scripts);
    ga_auto(ga_response) response = ga_post(session, peer_url(&peer, "/"), .body_source = &again);
    assert_int_equal(ga_status(response), 200);
    assert_contains(peer.last.data, "\r\n\r\nfour");
    read = 0;
    assert_null(ga_post(session, peer_url(&other, "/"), .body_source = &once));
    assert_int_equal(ga_error()->code, GA_ENOTREPLAYABLE);
    assert_int_equal(other.requests, 1);
    read = 0; /* what is read while it is sent cannot be part of the answer */
    ga_auto(ga_response) asked = ga_post(session, peer_url(&strict, "/"), .body_source = &again);
    assert_int_equal(ga_status(asked), 401);
    assert_int_equal(strict.requests, 1);
    peer_stop(&peer);
    peer_stop(&other);
    peer_stop(&strict);
}

CASE(no_other_origin_is_answered)
{
    static const peer_step asking[] = {PEER_TAKE(NULL), ASK("nonce=\"n\""), PEER_AGAIN};
    static const peer_step *const scripts[] = {asking, NULL};
    ga_auto(ga_session) session = ga_session_new(.user = "u", .password = "p", .digest = 1);
    char elsewhere[128];
    peer_server peer, other;

    peer_start(&peer, peers, redirects);
    peer_start(&other, peers, scripts);
    snprintf(elsewhere, sizeof elsewhere, "http://127.0.0.1:%u/",
             (unsigned)ga__address_port(&other.listener.address));
    peer.data = elsewhere;
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    assert_int_equal(ga_status(response), 401);
    assert_lacks(other.last.data, "Authorization");
    assert_int_equal(other.requests, 1);
    ga_auto(ga_response) own = ga_get(session, peer_url(&peer, "/"), .user = "x", .digest = 1);
    assert_int_equal(ga_status(own), 401);
    assert_int_equal(other.requests, 2);
    peer_stop(&peer);
    peer_stop(&other);
}

/* --- .netrc ----------------------------------------------------------------------------------------- */

CASE(netrc_is_read_where_the_environment_is_trusted)
{
    ga_autofree char *directory = check_mkdtemp();
    ga_autofree char *path = ga_format("%s/.netrc", directory);
    char elsewhere[128];
    peer_server peer, other;

    peer_start(&peer, peers, redirects);
    peer_start(&other, peers, peer_always_empty);
    unsigned port = ga__address_port(&other.listener.address);

    check_write_file(path, "machine 127.0.0.1 login u password p\ndefault login d password e\n");
    setenv("NETRC", path, 1);
    ga_session *trusting = ga_session_new(.trust_env = 1), *other_session = ga_session_new(.limit = 1);
    ga_session *own = ga_session_new(.trust_env = 1, .bearer = "own");

    unsetenv("NETRC");
    snprintf(elsewhere, sizeof elsewhere, "http://127.0.0.1:%u/", port);
    ga_response_free(ga_get(trusting, elsewhere));
    assert_contains(other.last.data, BASIC_U_P);
    ga_response_free(ga_get(trusting, elsewhere, .bearer = "mine"));
    assert_contains(other.last.data, "Bearer mine\r\n");
    ga_response_free(ga_get(trusting, elsewhere, .headers = GA_PAIRS({"Authorization", NULL})));
    assert_lacks(other.last.data, "Authorization");
    ga_response_free(ga_get(own, elsewhere));
    assert_contains(other.last.data, "Bearer own\r\n");
    ga_response_free(ga_get(other_session, elsewhere));
    assert_lacks(other.last.data, "Authorization");
    snprintf(elsewhere, sizeof elsewhere, "http://localhost:%u/", port);
    ga_response_free(ga_get(trusting, elsewhere));
    assert_contains(other.last.data, "Basic ZDpl\r\n"); /* d:e */
    peer.data = elsewhere;
    ga_response_free(ga_get(trusting, peer_url(&peer, "/")));
    assert_lacks(other.last.data, "Authorization");
    assert_int_equal(other.requests, 7);
    ga_session_free(trusting);
    ga_session_free(other_session);
    ga_session_free(own);
    peer_stop(&peer);
    peer_stop(&other);
    check_rmdir(directory);
}

CASE(a_broken_netrc_is_told)
{
    ga_autofree char *directory = check_mkdtemp();
    ga_autofree char *path = ga_format("%s/.netrc", directory);

    check_write_file(path, "machine a.com login u\npasword s3cret\n");
    setenv("NETRC", path, 1);
    expect_refused(ga_session_new(.trust_env = 1), GA_EUSAGE);
    assert_contains(ga_error_message(), ".netrc:2");
    setenv("NETRC", "/nonexistent/netrc", 1);
    ga_session_free(ga_session_new(.trust_env = 1));
    setenv("NETRC", directory, 1);
    expect_refused(ga_session_new(.trust_env = 1), GA_ESYSTEM);
    unsetenv("NETRC");
    setenv("HOME", directory, 1);
    expect_refused(ga_session_new(.trust_env = 1), GA_EUSAGE);
    check_rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_says_who_it_is),
        cmocka_unit_test(a_request_says_it_otherwise),
        cmocka_unit_test(what_cannot_be_carried_is_refused),
        cmocka_unit_test(credentials_stay_with_their_origin),
        cmocka_unit_test(a_challenge_is_answered_and_remembered),
        cmocka_unit_test(a_refusal_is_the_callers),
        cmocka_unit_test(each_retry_may_be_challenged_again),
        cmocka_unit_test(a_url_may_have_digests_credentials),
        cmocka_unit_test(a_body_is_sent_again_where_it_can_be),
        cmocka_unit_test(no_other_origin_is_answered),
        cmocka_unit_test(netrc_is_read_where_the_environment_is_trusted),
        cmocka_unit_test(a_broken_netrc_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
