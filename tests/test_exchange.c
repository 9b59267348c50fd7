/* SPDX-License-Identifier: MIT */
/*
 * One exchange that does not go by the book: connections that are refused, stale or broken off, answers that
 * are not valid, that come before the request is sent, and in several parts.
 */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    static const peer_step *const scripts[] = {refuses, says_and_resets, NULL};
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

/* --- its end -------------------------------------------------------------------------------------- */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_connection_says_all_that_is_known),
        cmocka_unit_test(bad_answers_have_their_codes),
        cmocka_unit_test(interim_answers_are_skipped_but_not_for_ever),
        cmocka_unit_test(a_stale_connection_is_replaced_where_that_is_safe),
        cmocka_unit_test(an_answer_that_comes_before_the_body_is_sent_ends_the_sending),
        cmocka_unit_test(a_large_body_arrives_whole_also_where_the_server_says_continue),
        cmocka_unit_test(freeing_a_response_leaves_the_error_as_it_is),
        cmocka_unit_test(a_function_that_goes_on_after_the_answer_is_not_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
