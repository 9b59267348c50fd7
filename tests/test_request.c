/* SPDX-License-Identifier: MIT */
/* One request's life: what is sent, what is refused, repeated, redirected, timed out and cancelled. */
#include "peer.h"

#include "io/dns.h"
#include "sim/sim.h"
#include "task/loop.h"
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* --- failures ------------------------------------------------------------------------------------- */

CASE(a_refused_connection_says_all_that_is_known)
{
    ga_auto(ga_session) session = ga_session_new();
    char url[64];
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    snprintf(url, sizeof url, "%s", peer_url(&peer, "/x"));
    peer_stop(&peer);
    assert_null(ga_get(session, url));
    const ga_error_detail *error = ga_error();

    assert_int_equal(error->code, GA_EREFUSED);
    assert_int_equal(error->phase, GA_PHASE_CONNECT);
    assert_int_equal(error->sent, GA_SENT_NO);
    assert_int_equal(error->attempt, 1);
    assert_int_equal(error->reused, 0);
    assert_string_equal(error->url, url);
    assert_int_equal(strncmp(error->message, "GET http://127.0.0.1:", 21), 0);
    assert_contains(error->message, "efused");
    assert_pool_at_rest(session, 0);
}

static const peer_step no_answer[] = {PEER_TAKE(NULL), PEER_CLOSE};
static const peer_step half_a_head[] = {PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\nX: "), PEER_CLOSE};
static const peer_step reset[] = {PEER_GLIMPSE, PEER_CLOSE};
static const peer_step garbage[] = {PEER_TAKE(NULL), PEER_SAY("SSH-2.0-OpenSSH_9.2p1\r\n\r\n"), PEER_HOLD};
static const peer_step switching[] = {
    PEER_TAKE(NULL),
    PEER_SAY("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), PEER_HOLD};
static const peer_step endless_head[] = {PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\nX: "),
                                         PEER_FILL(300000), PEER_HOLD};
CASE(bad_answers_have_their_codes)
{
    static const struct {
        const peer_step *script;
        int code;
        const char *message;
        ga_sent sent;
    } cases[] = {
        {no_answer, GA_EDISCONNECTED, "without an answer", GA_SENT_MAYBE},
        {half_a_head, GA_EDISCONNECTED, "within the head", GA_SENT_ANSWERED},
        {reset, GA_ERESET, "reset", GA_SENT_MAYBE},
        {garbage, GA_EPROTOCOL, "not valid HTTP", GA_SENT_ANSWERED},
        {switching, GA_EPROTOCOL, "not valid HTTP", GA_SENT_ANSWERED},
        {endless_head, GA_EHEADTOOBIG, "", GA_SENT_ANSWERED},
    };
    ga_auto(ga_session) session = ga_session_new();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const peer_step *const scripts[] = {cases[i].script, NULL};
        peer_server peer;

        ga_group group;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, scripts);
        assert_null(ga_get(session, peer_url(&peer, "/")));
        const ga_error_detail *error = ga_error();

        if (error->code != cases[i].code)
            fail_msg("case %zu: %s", i, error->message);
        assert_contains(error->message, cases[i].message);
        assert_int_equal(error->phase, GA_PHASE_FIRST_BYTE);
        assert_int_equal(error->sent, cases[i].sent);
        assert_int_equal(error->attempt, 1);
        assert_true(error->bytes_sent > 0);
        assert_int_equal(error->bytes_received > 0, cases[i].sent == GA_SENT_ANSWERED);
        assert_int_equal(peer.connections, 1); /* never repeated on a fresh connection */
        assert_pool_at_rest(session, 0);
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

CASE(interim_answers_are_skipped_but_not_for_ever)
{
    static const peer_step hints[] = {
        PEER_TAKE(NULL),
        PEER_SAY("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                 "HTTP/1.1 204 No Content\r\n\r\n"),
        PEER_AGAIN};
    static const peer_step flood[] = {PEER_TAKE(NULL),
#define TEN_HINTS                                                                                      \
    "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" \
    "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" \
    "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"
                                      PEER_SAY(TEN_HINTS TEN_HINTS TEN_HINTS TEN_HINTS TEN_HINTS), PEER_HOLD};
    static const peer_step *const scripts[] = {hints, NULL};
    static const peer_step *const flooding[] = {flood, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer, other;

    peer_start(&peer, peers, scripts);
    peer_start(&other, peers, flooding);
    for (int i = 0; i < 3; i++) {
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
        assert_int_equal(ga_status(response), 204);
        assert_null(ga_header(response, "Link"));
    }
    assert_int_equal(peer.connections, 1);
    assert_null(ga_get(session, peer_url(&other, "/")));
    assert_true(ga_error()->code == GA_EPROTOCOL || ga_error()->code == GA_EHEADTOOBIG);
    assert_pool_at_rest(session, 1);
    peer_stop(&peer);
    peer_stop(&other);
}

/* --- stale connections ---------------------------------------------------------------------------- */

/* One answer, and then the connection breaks at the next request in the way of the second step. */
static const peer_step kept_then_closed[] = {PEER_TAKE(NULL), PEER_OK("0", ""), PEER_TAKE(NULL), PEER_CLOSE};
static const peer_step kept_then_reset[] = {PEER_TAKE(NULL), PEER_OK("0", ""), PEER_GLIMPSE, PEER_CLOSE};
static const peer_step kept_then_begun[] = {PEER_TAKE(NULL), PEER_OK("0", ""), PEER_TAKE(NULL),
                                            PEER_SAY("HTTP/1.1 2"), PEER_CLOSE};

CASE(a_stale_connection_is_replaced_where_that_is_safe)
{
    static const struct {
        const peer_step *first, *then;
        const char *method;
        const char *key; /* an Idempotency-Key */
        int idempotent;
        int code; /* 0: the request succeeds */
        size_t connections;
        int attempt;
    } cases[] = {
        {kept_then_closed, peer_empty, "GET", NULL, 0, 0, 2, 0},
        {kept_then_closed, peer_empty, "HEAD", NULL, 0, 0, 2, 0},
        {kept_then_closed, peer_empty, "OPTIONS", NULL, 0, 0, 2, 0},
        {kept_then_closed, peer_empty, "TRACE", NULL, 0, 0, 2, 0},
        {kept_then_closed, peer_empty, "PUT", NULL, 0, 0, 2, 0},
        {kept_then_closed, peer_empty, "DELETE", NULL, 0, 0, 2, 0},
        {kept_then_closed, peer_empty, "QUERY", NULL, 0, 0, 2, 0},
        {kept_then_reset, peer_empty, "GET", NULL, 0, 0, 2, 0},
        {kept_then_closed, peer_empty, "POST", NULL, 0, GA_EDISCONNECTED, 1, 1},
        {kept_then_reset, peer_empty, "PATCH", NULL, 0, GA_ERESET, 1, 1},
        {kept_then_closed, peer_empty, "POST", NULL, 1, 0, 2, 0},
        {kept_then_closed, peer_empty, "POST", "k1", 0, 0, 2, 0},
        {kept_then_begun, peer_empty, "GET", NULL, 0, GA_EDISCONNECTED, 1, 1},
        {kept_then_closed, no_answer, "GET", NULL, 0, GA_EDISCONNECTED, 2, 2}, /* once only */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const peer_step *const scripts[] = {cases[i].first, cases[i].then, NULL};
        ga_auto(ga_session) session = ga_session_new();
        peer_server peer;
        ga_group group;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, scripts);
        ga_auto(ga_response) first = ga_get(session, peer_url(&peer, "/"));
        assert_int_equal(ga_status(first), 200);
        assert_pool_at_rest(session, 1);
        ga_auto(ga_response) second = ga_request(session, cases[i].method, peer_url(&peer, "/second"),
                                                 .idempotent = cases[i].idempotent, .text = "b",
                                                 .headers = GA_PAIRS({"Idempotency-Key", cases[i].key}));
        if ((second == NULL) != (cases[i].code < 0))
            fail_msg("case %zu: %s", i, ga_error_message());
        if (!second) {
            assert_int_equal(ga_error()->code, cases[i].code);
            assert_int_equal(ga_error()->attempt, cases[i].attempt);
            assert_int_equal(ga_error()->reused, cases[i].connections == 1);
        } else {
            assert_contains(peer.last.data, "/second");
            assert_contains(peer.last.data, "\r\n\r\nb");
        }
        assert_int_equal(peer.connections, cases[i].connections);
        assert_pool_at_rest(session, cases[i].code == 0);
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

/* --- early answers -------------------------------------------------------------------------------- */

CASE(an_answer_that_comes_before_the_body_is_sent_ends_the_sending)
{
    static const peer_step refuses[] = {
        PEER_GLIMPSE, PEER_SAY("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig"), PEER_WAIT,
        PEER_CLOSE};
    static const peer_step says_and_resets[] = {
        PEER_GLIMPSE, PEER_SAY("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig"), PEER_CLOSE};
    static const peer_step continues[] = {PEER_GLIMPSE,     PEER_SAY("HTTP/1.1 100 Continue\r\n\r\n"),
                                          PEER_PAUSE(0.01), PEER_TAKE(NULL),
                                          PEER_OK("0", ""), PEER_AGAIN};
    static const peer_step *const scripts[] = {refuses, says_and_resets, continues, NULL};
    enum { SIZE = 20 << 20 };
    ga_auto(ga_session) session = ga_session_new();
    ga_autofree char *body = calloc(1, SIZE);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    for (int i = 0; i < 2; i++) {
        ga_auto(ga_response) response =
            ga_post(session, peer_url(&peer, "/"), .body = body, .body_size = SIZE);
        assert_int_equal(ga_status(response), 413);
        ga_autofree char *text = ga_text(response);
        assert_string_equal(text, "big");
        assert_pool_at_rest(session, 0);
    }
    ga_event_set(&peer.go);
    assert_int_equal(peer.requests, 0);
    peer_stop(&peer);
}

CASE(a_large_body_arrives_whole_also_where_the_server_says_continue)
{
    static const peer_step continues[] = {PEER_SAY("HTTP/1.1 100 Continue\r\n\r\n"), PEER_TAKE("POST"),
                                          PEER_OK("0", ""), PEER_AGAIN};
    static const peer_step *const scripts[] = {continues, NULL};
    enum { SIZE = 3 << 20 };
    ga_auto(ga_session) session = ga_session_new();
    ga_autofree char *body = malloc(SIZE);
    peer_server peer;

    for (size_t i = 0; i < SIZE; i++)
        body[i] = (char)('a' + i % 23);
    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_post(session, peer_url(&peer, "/"), .body = body, .body_size = SIZE,
                                            .headers = GA_PAIRS({"Expect", "100-continue"}));
    assert_int_equal(ga_status(response), 200);
    assert_true(peer.last.size > SIZE);
    assert_memory_equal(peer.last.data + peer.last.size - SIZE, body, SIZE);
    peer_stop(&peer);
}

/* --- redirects ------------------------------------------------------------------------------------ */

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

CASE(freeing_a_response_leaves_the_error_as_it_is)
{
    static const peer_step breaks[] = {
        PEER_GLIMPSE, PEER_SAY("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), PEER_WAIT, PEER_ABORT};
    static const peer_step *const scripts[] = {breaks, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_response *response = ga_get(session, peer_url(&peer, "/"));

    assert_int_equal(ga_status(response), 200);
    ga_event_set(&peer.go);
    assert_int_equal(ga_sleep(0.01), 0);
    ga_fail(GA_EUSAGE, "what the caller is about to read");
    ga_response_free(response);
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_pool_at_rest(session, 0);
    peer_stop(&peer);
}

/* Gives pieces, and does not care what comes of its waiting. */
static ssize_t give_on_and_on(void *arg, void *buffer, size_t size)
{
    int *left = arg;

    assert_true(size > 10);
    memset(buffer, 'b', 10);
    ga_error_clear();
    if (ga_sleep(0.01) < 0)
        ga_error_clear();
    return (*left)-- > 0 ? 10 : 0;
}

CASE(a_function_that_goes_on_after_the_answer_is_not_sent)
{
    static const peer_step early[] = {PEER_GLIMPSE, PEER_OK("2", "no"), PEER_HOLD};
    static const peer_step *const scripts[] = {early, NULL};
    int left = 20;
    ga_body_source source = {.read = give_on_and_on, .arg = &left};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_post(session, peer_url(&peer, "/"), .body_source = &source);
    ga_autofree char *text = ga_text(response);

    assert_string_equal(text, "no");
    assert_true(left > 10);
    assert_pool_at_rest(session, 0);
    peer_stop(&peer);
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

/* --- timeouts ------------------------------------------------------------------------------------- */

static void assert_timed_out(const char *which, ga_phase phase, double began, double seconds)
{
    const ga_error_detail *error = ga_error();

    assert_int_equal(error->code, GA_ETIMEDOUT);
    assert_non_null(error->timeout);
    assert_string_equal(error->timeout, which);
    assert_int_equal(error->phase, phase);
    assert_contains(error->message, which);
    if (ga_now() - began < seconds - 0.001 || ga_now() - began > seconds + 0.1)
        fail_msg("the %s timeout came after %g s", which, ga_now() - began);
}

TIMED_CASE(each_timeout_names_itself)
{
    static const peer_step silent[] = {PEER_TAKE(NULL), PEER_HOLD};
    static const peer_step stalls[] = {PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\n"), PEER_HOLD};
    static const peer_step drips[] = {
        PEER_TAKE(NULL), PEER_DRIP("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 0.3), PEER_HOLD};
    static const peer_step body_stalls[] = {PEER_TAKE(NULL), PEER_OK("5", "he"), PEER_HOLD};
    static const peer_step deaf[] = {PEER_WAIT, PEER_CLOSE};
    static const peer_step *const scripts[] = {silent,      stalls,      drips, silent,
                                               body_stalls, body_stalls, deaf,  NULL};
    ga_auto(ga_session) session =
        ga_session_new(.first_byte_timeout = 1, .read_timeout = 2, .total_timeout = 5, .write_timeout = 0.5);
    ga_autofree char *large = calloc(1, 1 << 20);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    double began = ga_now();

    assert_null(ga_get(session, peer_url(&peer, "/")));
    assert_timed_out("first_byte", GA_PHASE_FIRST_BYTE, began, 1);
    assert_int_equal(ga_error()->sent, GA_SENT_MAYBE);
    began = ga_now();
    assert_null(ga_get(session, peer_url(&peer, "/")));
    assert_timed_out("read", GA_PHASE_FIRST_BYTE, began, 2);
    assert_int_equal(ga_error()->sent, GA_SENT_ANSWERED);
    began = ga_now(); /* each piece comes in time, but all of them do not */
    assert_null(ga_get(session, peer_url(&peer, "/")));
    assert_timed_out("total", GA_PHASE_FIRST_BYTE, began, 5);
    began = ga_now();
    assert_null(ga_get(session, peer_url(&peer, "/"), .timeout = 0.25));
    assert_timed_out("total", GA_PHASE_FIRST_BYTE, began, 0.25);

    began = ga_now();
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    assert_int_equal(ga_status(response), 200);
    assert_null(ga_text(response));
    assert_timed_out("read", GA_PHASE_READ, began, 2);
    ga_auto(ga_response) other = ga_get(session, peer_url(&peer, "/"), .timeout = 1);
    assert_int_equal(ga_sleep(0.6), 0);
    began = ga_now() - 0.6;
    assert_null(ga_body(other, NULL));
    assert_timed_out("total", GA_PHASE_READ, began, 1); /* it began with the call */

    began = ga_now();
    assert_null(ga_post(session, peer_url(&peer, "/"), .body = large, .body_size = 1 << 20));
    assert_timed_out("write", GA_PHASE_WRITE, began, 0.5);
    ga_response_free(response);
    ga_response_free(other);
    response = other = NULL;
    assert_pool_at_rest(session, 0);
    peer_stop(&peer);
}

TIMED_CASE(waiting_in_line_and_connecting_have_their_timeouts)
{
    static const peer_step silent[] = {PEER_TAKE(NULL), PEER_HOLD};
    static const peer_step *const scripts[] = {silent, NULL};
    ga_auto(ga_session) session = ga_session_new(.limit = 1, .pool_timeout = 0.5, .connect_timeout = 2);
    ga__address address;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga__address_ip(&address, "10.1.2.3", 80);
    ga__sim_set_route(ga__loop_here->poller, &address.as.any, address.size, GA__SIM_SILENT, 0);
    double began = ga_now();

    assert_null(ga_get(session, "http://10.1.2.3/"));
    assert_timed_out("connect", GA_PHASE_CONNECT, began, 2);
    assert_contains(ga_error_message(), "10.1.2.3:80");
    assert_int_equal(ga_error()->sent, GA_SENT_NO);
    assert_pool_at_rest(session, 0);
    assert_null(ga_get(session, "http://10.1.2.3/", .timeout = 0.1));
    assert_string_equal(ga_error()->timeout, "total");
    peer_stop(&peer);
}

/* A name server that never answers, and callers that ask it. */
static int ask_a_silent_name_server(void *arg)
{
    ga__dns_options options = {.servers = arg, .hosts = "/dev/null", .no_search = true};
    ga_auto(ga_session) session = ga_session_new(.dns_timeout = 0.1);
    ga_scope scope;

    assert_int_equal(ga__dns_configure(ga__loop_here, &options), 0);
    double began = ga_now();

    assert_null(ga_get(session, "http://slow.example/"));
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, "dns");
    assert_int_equal(ga_error()->phase, GA_PHASE_DNS);
    assert_contains(ga_error_message(), "slow.example");
    assert_true(ga_now() - began >= 0.1 && ga_now() - began < 5);
    ga_scope_open(&scope, 0.05);
    assert_null(ga_get(session, "http://slow.example/"));
    assert_int_equal(ga_error()->code, GA_ECANCELED);
    assert_int_equal(ga_error()->phase, GA_PHASE_DNS);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    assert_pool_at_rest(session, 0);
    return 0;
}

static void a_name_that_is_not_resolved_in_time_says_so(void **state)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char server[64];

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(server, sizeof server, "127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    assert_int_equal(ga_run(ask_a_silent_name_server, server), 0);
    close(fd);
}

TIMED_CASE(a_name_that_does_not_exist_says_so)
{
    ga_auto(ga_session) session = ga_session_new();

    assert_null(ga_get(session, "http://no.such.name.example/"));
    assert_int_equal(ga_error()->code, GA_EDNS);
    assert_int_equal(ga_error()->phase, GA_PHASE_DNS);
    assert_int_not_equal(ga_error()->dns_error, 0);
    assert_string_equal(ga_error()->url, "http://no.such.name.example/");
    assert_pool_at_rest(session, 0);
}

/* --- cancellation --------------------------------------------------------------------------------- */

/* What a cancelled call gets up to, and where it is when it is cancelled. */
TIMED_CASE(cancelled_in_any_phase_a_call_leaves_nothing)
{
    static const peer_step silent[] = {PEER_TAKE(NULL), PEER_HOLD};
    static const peer_step half[] = {PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 O"), PEER_HOLD};
    static const peer_step body[] = {PEER_TAKE(NULL), PEER_OK("10", "half."), PEER_HOLD};
    static const peer_step deaf[] = {PEER_WAIT, PEER_CLOSE};
    static const struct {
        const peer_step *script;
        const char *url; /* instead of the peer's */
        ga_phase phase;
        size_t body;
    } cases[] = {
        {silent, "http://10.1.2.3/", GA_PHASE_CONNECT, 0},
        {silent, NULL, GA_PHASE_FIRST_BYTE, 0},
        {half, NULL, GA_PHASE_FIRST_BYTE, 0},
        {deaf, NULL, GA_PHASE_WRITE, 1 << 20},
        {body, NULL, GA_PHASE_READ, 0},
    };
    ga_auto(ga_session) session = ga_session_new(.limit = 1);
    ga_autofree char *large = calloc(1, 1 << 20);
    ga__address address;

    ga__address_ip(&address, "10.1.2.3", 80);
    ga__sim_set_route(ga__loop_here->poller, &address.as.any, address.size, GA__SIM_SILENT, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const peer_step *const scripts[] = {cases[i].script, peer_empty, NULL};
        ga_group group;
        ga_scope scope;
        peer_server peer;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, scripts);
        ga_scope_open(&scope, 0.5);
        ga_response *response = ga_post(session, cases[i].url ? cases[i].url : peer_url(&peer, "/"),
                                        .body = large, .body_size = cases[i].body);
        char *text = ga_text(response);

        assert_null(text);
        assert_int_equal(ga_error()->code, GA_ECANCELED);
        assert_int_equal(ga_error()->phase, cases[i].phase);
        assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
        assert_string_equal(ga_error()->timeout, "scope");
        ga_response_free(response);
        assert_pool_at_rest(session, 0);
        if (!cases[i].url) {
            response = ga_get(session, peer_url(&peer, "/")); /* the only place is free */
            assert_int_equal(ga_status(response), 200);
            ga_response_free(response);
            assert_pool_at_rest(session, 1);
        }
        peer_stop(&peer);
        ga_group_close(&group);
        assert_int_equal(ga_sleep(20), 0);
        assert_pool_at_rest(session, 0);
    }
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
        cmocka_unit_test(a_refused_connection_says_all_that_is_known),
        cmocka_unit_test(bad_answers_have_their_codes),
        cmocka_unit_test(interim_answers_are_skipped_but_not_for_ever),
        cmocka_unit_test(a_stale_connection_is_replaced_where_that_is_safe),
        cmocka_unit_test(an_answer_that_comes_before_the_body_is_sent_ends_the_sending),
        cmocka_unit_test(a_large_body_arrives_whole_also_where_the_server_says_continue),
        cmocka_unit_test(redirects_are_followed_on_the_same_connection),
        cmocka_unit_test(a_redirect_has_no_params_and_what_its_answer_says_is_skipped),
        cmocka_unit_test(credentials_do_not_leave_the_origin),
        cmocka_unit_test(redirects_tell_where_they_come_from_on_demand),
        cmocka_unit_test(a_redirect_to_what_no_request_can_carry_is_the_redirects_failure),
        cmocka_unit_test(freeing_a_response_leaves_the_error_as_it_is),
        cmocka_unit_test(a_function_that_goes_on_after_the_answer_is_not_sent),
        cmocka_unit_test(redirects_end_at_their_limit),
        cmocka_unit_test(each_timeout_names_itself),
        cmocka_unit_test(waiting_in_line_and_connecting_have_their_timeouts),
        cmocka_unit_test(a_name_that_is_not_resolved_in_time_says_so),
        cmocka_unit_test(a_name_that_does_not_exist_says_so),
        cmocka_unit_test(cancelled_in_any_phase_a_call_leaves_nothing),
        cmocka_unit_test(calls_outside_a_task_say_so),
        cmocka_unit_test(ten_thousand_calls_one_after_the_other),
        cmocka_unit_test(a_thousand_calls_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
