/* SPDX-License-Identifier: MIT */
/* Responses: what can be asked of them, and their bodies: whole, in pieces, broken, too large. */
#include "peer.h"

#include "client/repr.h"
#include "task/loop.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A server that says this after each request, on one connection. */
#define SERVES(name, text)                                                                  \
    static const peer_step name##_script[] = {PEER_TAKE(NULL), PEER_SAY(text), PEER_AGAIN}; \
    static const peer_step *const name[] = {name##_script, NULL}

/* --- the head ------------------------------------------------------------------------------------- */

CASE(the_head_can_be_asked)
{
    SERVES(
        answers,
        "HTTP/1.1 418 I'm a teapot\r\nX-One: 1\r\nContent-Length: 3\r\nx-one:   two  \r\nEmpty:\r\n\r\nabc");
    ga_auto(ga_session) session = ga_session_new();
    ga_pair header;
    peer_server peer;

    peer_start(&peer, peers, answers);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/pot"));
    assert_int_equal(ga_status(response), 418);
    assert_string_equal(ga_reason(response), "I'm a teapot");
    assert_string_equal(ga_url(response), peer_url(&peer, "/pot"));
    assert_string_equal(ga_http_version(response), "1.1");
    assert_int_equal(ga_redirects(response), 0);
    assert_string_equal(ga_header(response, "X-ONE"), "1");
    assert_string_equal(ga_header(response, "empty"), "");
    assert_null(ga_header(response, "X-Two"));
    assert_true(ga_header_at(response, 2, &header));
    assert_string_equal(header.name, "x-one");
    assert_string_equal(header.value, "two");
    assert_true(ga_header_at(response, 3, &header));
    assert_false(ga_header_at(response, 4, &header));
    peer_stop(&peer);
}

CASE(links_lead_to_absolute_urls)
{
    SERVES(answers, "HTTP/1.1 200 OK\r\nLink: <?page=2>; rel=next\r\nContent-Length: 0\r\n"
                    "link: <../top#x>; rel=\"up first\", <http://h:port/>; rel=bad\r\n\r\n");
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, answers);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/a/b/list?page=1"));
    ga_autofree char *next = ga_link(response, "NEXT");
    ga_autofree char *first = ga_link(response, "first");
    assert_string_equal(next, peer_url(&peer, "/a/b/list?page=2"));
    assert_string_equal(first, peer_url(&peer, "/a/top#x"));
    ga_error_clear();
    assert_null(ga_link(response, "last"));
    assert_null(ga_link(response, "bad"));
    assert_null(ga_link(NULL, "next"));
    assert_int_equal(ga_error()->code, 0);
    peer_stop(&peer);
}

CASE(nothing_can_be_asked_of_no_response)
{
    char byte;
    ga_pair header;
    size_t size = 7;

    ga_fail(GA_EDNS, "what happened before");
    assert_int_equal(ga_status(NULL), 0);
    assert_string_equal(ga_reason(NULL), "");
    assert_string_equal(ga_url(NULL), "");
    assert_string_equal(ga_http_version(NULL), "");
    assert_int_equal(ga_redirects(NULL), 0);
    assert_null(ga_header(NULL, "X"));
    assert_false(ga_header_at(NULL, 0, &header));
    assert_null(ga_text(NULL));
    assert_null(ga_json(NULL));
    assert_null(ga_body(NULL, &size));
    assert_int_equal(size, 0);
    assert_int_equal(ga_read(NULL, &byte, 1), GA_EDNS);
    assert_int_equal(ga_raise_for_status(NULL), GA_EDNS);
    assert_null(ga_get(NULL, "http://x/"));
    ga_response_free(NULL);
    assert_string_equal(ga_error_message(), "what happened before");
    ga_error_clear();
    assert_true(ga_raise_for_status(NULL) < 0);
}

CASE(a_bad_status_is_worded_as_aiohttp_words_it)
{
    SERVES(answers, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}");
    SERVES(quoted, "HTTP/1.1 503 It's \"down\" \\ \xc3\xa9 \xff\r\nContent-Length: 0\r\n\r\n");
    SERVES(fine, "HTTP/1.1 399 Odd\r\nContent-Length: 0\r\n\r\n");
    ga_auto(ga_session) session = ga_session_new();
    ga_auto(ga_session) strict = ga_session_new(.raise_for_status = 1);
    char expected[256];
    peer_server peer, other, third;

    peer_start(&peer, peers, answers);
    peer_start(&other, peers, quoted);
    peer_start(&third, peers, fine);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/non-existent-url"));
    assert_int_equal(ga_raise_for_status(response), GA_ESTATUS);
    snprintf(expected, sizeof expected, "404, message='Not Found', url=URL('%s')",
             peer_url(&peer, "/non-existent-url"));
    assert_string_equal(ga_error_message(), expected);
    assert_int_equal(ga_error()->status, 404);
    assert_string_equal(ga_error()->url, peer_url(&peer, "/non-existent-url"));
    assert_int_equal(ga_error()->sent, GA_SENT_ANSWERED);
    assert_null(ga_get(strict, peer_url(&other, "/")));
    assert_int_equal(ga_error()->code, GA_ESTATUS);
    snprintf(expected, sizeof expected, "503, message='It\\'s \"down\" \\\\ \xc3\xa9 \\udcff', url=URL('%s')",
             peer_url(&other, "/"));
    assert_string_equal(ga_error_message(), expected);
    assert_int_equal(stats_of(strict).in_use, 0);
    ga_auto(ga_response) odd = ga_get(strict, peer_url(&third, "/"));
    assert_int_equal(ga_raise_for_status(odd), 0);
    peer_stop(&peer);
    peer_stop(&other);
    peer_stop(&third);
}

/* The right column is what Python 3.11 prints for repr(bytes.decode("utf-8", "surrogateescape")). */
static void repr_is_pythons(void **state)
{
    static const struct {
        const char *text, *repr;
    } cases[] = {
        {"", "''"},
        {"Not Found", "'Not Found'"},
        {"It's", "\"It's\""},
        {"\"", "'\"'"},
        {"It's \"x\"", "'It\\'s \"x\"'"},
        {"\\", "'\\\\'"},
        {"a\tb\nc\rd", "'a\\tb\\nc\\rd'"},
        {"\x1b[31m\x7f", "'\\x1b[31m\\x7f'"},
        {"\xc2\x85\xc2\xa0\xc2\xad\xc2\xa1", "'\\x85\\xa0\\xad\xc2\xa1'"},
        {"\xe2\x80\xa8\xe2\x80\x94", "'\\u2028\xe2\x80\x94'"},
        {"\xef\xbb\xbf", "'\\ufeff'"},
        {"\xf0\x9f\x98\x80\xf3\xa0\x80\x81", "'\xf0\x9f\x98\x80\\U000e0001'"},
        {"\xff\xc3", "'\\udcff\\udcc3'"},
        {"\xed\xa0\x80", "'\\udced\\udca0\\udc80'"},
        {"\xc0\x80", "'\\udcc0\\udc80'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga__buffer out = GA__BUFFER_INIT;

        ga__repr(&out, cases[i].text);
        assert_string_equal(out.data, cases[i].repr);
        ga__buffer_free(&out);
    }
}

/* --- whole bodies --------------------------------------------------------------------------------- */

CASE(every_framing_gives_the_same_body)
{
    static const peer_step length[] = {PEER_TAKE(NULL), PEER_OK("11", "hello world"), PEER_HOLD};
    static const peer_step chunked[] = {
        PEER_TAKE(NULL),
        PEER_SAY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6;x=y\r\nhello "
                 "\r\n5\r\nworld\r\n0\r\nT: 1\r\n\r\n"),
        PEER_HOLD};
    static const peer_step until_close[] = {PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\n\r\nhello world"),
                                            PEER_CLOSE};
    static const peer_step dripped[] = {
        PEER_TAKE(NULL), PEER_DRIP("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", 0), PEER_HOLD};
    static const peer_step dripped_chunks[] = {
        PEER_TAKE(NULL),
        PEER_DRIP(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n", 0),
        PEER_HOLD};
    static const peer_step dripped_close[] = {PEER_TAKE(NULL),
                                              PEER_DRIP("HTTP/1.1 200 OK\r\n\r\nhello world", 0), PEER_CLOSE};
    static const struct {
        const peer_step *script;
        size_t idle; /* afterwards */
    } cases[] = {{length, 1},  {chunked, 1},        {until_close, 0},
                 {dripped, 1}, {dripped_chunks, 1}, {dripped_close, 0}};

    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const peer_step *const scripts[] = {cases[i / 2].script, NULL};
        ga_auto(ga_session) session = ga_session_new();
        char pieces[32] = "";
        size_t size, read = 0;
        ssize_t count;
        ga_group group;
        peer_server peer;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, scripts);
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
        if (i % 2) {
            while ((count = ga_read(response, pieces + read, 3)) > 0)
                read += (size_t)count;
            assert_int_equal(count, 0);
            assert_int_equal(ga_read(response, pieces, 3), 0);
            assert_string_equal(pieces, "hello world");
        } else {
            const char *body = ga_body(response, &size);

            assert_int_equal(size, 11);
            assert_string_equal(body, "hello world");
            ga_autofree char *text = ga_text(response);
            assert_string_equal(text, "hello world"); /* as often as one likes */
        }
        assert_int_equal(stats_of(session).in_use, 0);
        assert_int_equal(stats_of(session).idle, cases[i / 2].idle);
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

CASE(large_bodies_arrive_whole)
{
    enum { SIZE = 5 << 20 };
    static const peer_step length[] = {PEER_TAKE(NULL),
                                       PEER_SAY("HTTP/1.1 200 OK\r\nContent-Length: 5242880\r\n\r\n"),
                                       PEER_FILL(SIZE), PEER_AGAIN};
    static const peer_step close[] = {PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\n\r\n"), PEER_FILL(SIZE),
                                      PEER_CLOSE};
    static const peer_step chunked[] = {
        PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n500000\r\n"),
        PEER_FILL(SIZE), PEER_SAY("\r\n0\r\n\r\n"), PEER_AGAIN};
    const peer_step *const kinds[] = {length, close, chunked};

    for (size_t i = 0; i < 3; i++) {
        const peer_step *const scripts[] = {kinds[i], NULL};
        ga_auto(ga_session) session = ga_session_new();
        size_t size;
        ga_group group;
        peer_server peer;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, scripts);
        for (int n = 0; n < 2; n++) {
            ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
            const char *body = ga_body(response, &size);

            assert_non_null(body);
            assert_int_equal(size, SIZE);
            assert_int_equal(strspn(body, "x"), SIZE);
        }
        assert_int_equal(peer.connections, i == 1 ? 2 : 1);
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

CASE(what_nobody_reads_stays_at_the_server)
{
    enum { SIZE = 100 << 20 };
    static const peer_step endless[] = {PEER_TAKE(NULL),
                                        PEER_SAY("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n"),
                                        PEER_FILL(SIZE), PEER_HOLD};
    static const peer_step *const scripts[] = {endless, NULL};
    ga_auto(ga_session) session = ga_session_new();
    static char buffer[65536];
    size_t read = 0;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    while (read < 1 << 20) {
        ssize_t count = ga_read(response, buffer, sizeof buffer);

        assert_true(count > 0);
        read += (size_t)count;
        assert_int_equal(ga_sleep(0.001), 0);
    }
    ga_response_free(response); /* with most of it unread: the connection cannot be kept */
    response = NULL;
    assert_int_equal(stats_of(session).in_use + stats_of(session).idle, 0);
    peer_stop(&peer);
}

CASE(a_response_freed_with_its_body_here_keeps_the_connection)
{
    static const peer_step later[] = {PEER_TAKE(NULL),
                                      PEER_SAY("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n"), PEER_WAIT,
                                      PEER_FILL(20000), PEER_AGAIN};
    static const peer_step *const scripts[] = {later, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    assert_int_equal(stats_of(session).in_use, 1);
    ga_event_set(&peer.go);
    assert_int_equal(ga_sleep(0.05), 0);
    ga_response_free(response);
    response = NULL;
    assert_int_equal(stats_of(session).idle, 1);
    peer_stop(&peer);
}

/* --- broken bodies -------------------------------------------------------------------------------- */

CASE(bodies_that_end_early_or_break_the_syntax_fail)
{
    static const peer_step short_length[] = {PEER_TAKE(NULL), PEER_OK("10", "12345"), PEER_CLOSE};
    static const peer_step short_chunk[] = {
        PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"),
        PEER_CLOSE};
    static const peer_step bad_chunk[] = {
        PEER_TAKE(NULL),
        PEER_SAY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\nzz\r\n"), PEER_HOLD};
    static const struct {
        const peer_step *script;
        int code;
        const char *message;
    } cases[] = {
        {short_length, GA_ETRUNCATED, "after 5 of 10 bytes"},
        {short_chunk, GA_ETRUNCATED, "after 5 bytes"},
        {bad_chunk, GA_EPROTOCOL, "not valid HTTP"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const peer_step *const scripts[] = {cases[i].script, cases[i].script, NULL};
        ga_auto(ga_session) session = ga_session_new();
        char piece[16] = "";
        ga_group group;
        peer_server peer;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, scripts);
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/x"));
        assert_int_equal(ga_status(response), 200); /* the head was fine */
        for (int n = 0; n < 2; n++) {
            assert_null(ga_text(response));
            assert_int_equal(ga_error()->code, cases[i].code);
            assert_int_equal(ga_error()->phase, GA_PHASE_READ);
            assert_int_equal(ga_error()->status, 200);
            assert_string_equal(ga_error()->url, peer_url(&peer, "/x"));
            assert_contains(ga_error_message(), cases[i].message);
        }
        ga_auto(ga_response) other = ga_get(session, peer_url(&peer, "/x"));
        assert_int_equal(ga_read(other, piece, sizeof piece), 5); /* what came before can be read */
        assert_string_equal(piece, "12345");
        assert_int_equal(ga_read(other, piece, sizeof piece), cases[i].code);
        assert_int_equal(ga_read(other, piece, sizeof piece), cases[i].code);
        assert_int_equal(stats_of(session).in_use + stats_of(session).idle, 0);
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

CASE(a_reset_within_the_body_is_a_failure_for_every_framing)
{
    static const peer_step length[] = {PEER_GLIMPSE, PEER_OK("10", "12345"), PEER_PAUSE(0.01), PEER_CLOSE};
    static const peer_step until_close[] = {PEER_GLIMPSE, PEER_SAY("HTTP/1.1 200 OK\r\n\r\n12345"),
                                            PEER_PAUSE(0.01), PEER_CLOSE};
    static const peer_step *const kinds[] = {length, until_close};

    for (size_t i = 0; i < 2; i++) {
        const peer_step *const scripts[] = {kinds[i], NULL};
        ga_auto(ga_session) session = ga_session_new();
        ga_group group;
        peer_server peer;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, scripts);
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
        assert_null(ga_text(response));
        assert_int_equal(ga_error()->code, GA_ERESET);
        assert_null(ga_text(response));
        assert_int_equal(ga_error()->code, GA_ERESET);
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

CASE(bodies_larger_than_allowed_are_refused)
{
    static const peer_step length[] = {PEER_TAKE(NULL), PEER_OK("11", "hello world"), PEER_AGAIN};
    static const peer_step huge[] = {PEER_TAKE(NULL), PEER_OK("9223372036854775807", "hello world"),
                                     PEER_HOLD};
    static const peer_step chunked[] = {
        PEER_TAKE(NULL),
        PEER_SAY(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n"),
        PEER_HOLD};
    static const peer_step endless[] = {PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\n\r\n"),
                                        PEER_FILL(1 << 20), PEER_HOLD};
    static const peer_step *const kinds[] = {length, huge, chunked, endless};

    for (size_t i = 0; i < 4; i++) {
        const peer_step *const scripts[] = {kinds[i], NULL};
        ga_auto(ga_session) session = ga_session_new(.max_body = i == 1 ? 0 : 10);
        char piece[4];
        ga_group group;
        peer_server peer;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, scripts);
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
        assert_null(ga_text(response));
        assert_int_equal(ga_error()->code, GA_ETOOLARGE);
        assert_contains(ga_error_message(), "max_body");
        assert_true(ga_read(response, piece, sizeof piece) > 0);
        if (i == 0) {
            ga_auto(ga_response) allowed = ga_get(session, peer_url(&peer, "/"), .max_body = -1);
            assert_non_null(ga_body(allowed, NULL));
            ga_auto(ga_response) just = ga_get(session, peer_url(&peer, "/"), .max_body = 11);
            assert_non_null(ga_body(just, NULL));
        }
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

CASE(bodies_that_may_not_be_there_are_not_waited_for)
{
    static const peer_step script[] = {
        PEER_TAKE("HEAD"), PEER_SAY("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
        PEER_TAKE("GET"),  PEER_SAY("HTTP/1.1 204 No Content\r\n\r\n"),
        PEER_TAKE("GET"),  PEER_SAY("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
        PEER_AGAIN};
    static const peer_step *const scripts[] = {script, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, scripts);
    for (int i = 0; i < 3; i++) {
        ga_auto(ga_response) response = ga_request(session, i == 0 ? "HEAD" : "GET", peer_url(&peer, "/"));
        ga_autofree char *text = ga_text(response);

        assert_string_equal(text, "");
    }
    assert_int_equal(peer.connections, 1);
    peer_stop(&peer);
}

/* --- text and JSON -------------------------------------------------------------------------------- */

CASE(text_is_utf8_whatever_came)
{
    SERVES(latin, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Length: "
                  "4\r\n\r\nh\xe9!\xff");
    SERVES(broken, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\na\xff"
                   "b");
    SERVES(marked, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xef\xbb\xbfz");
    ga_auto(ga_session) session = ga_session_new();
    peer_server one, two, three;

    peer_start(&one, peers, latin);
    peer_start(&two, peers, broken);
    peer_start(&three, peers, marked);
    ga_auto(ga_response) first = ga_get(session, peer_url(&one, "/"));
    ga_autofree char *a = ga_text(first);
    assert_string_equal(a, "h\xc3\xa9!\xc3\xbf");
    ga_auto(ga_response) second = ga_get(session, peer_url(&two, "/"));
    ga_autofree char *b = ga_text(second);
    assert_string_equal(b, "a\xef\xbf\xbd"
                           "b");
    assert_null(ga_text_with_fallback(second, "windows-0"));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_contains(ga_error_message(), "windows-0");
    ga_autofree char *other = ga_text_with_fallback(second, "Latin1");
    assert_string_equal(other, "a\xc3\xbf"
                               "b");
    assert_null(ga_text_with_fallback(NULL, "latin1"));
    ga_auto(ga_response) third = ga_get(session, peer_url(&three, "/"));
    ga_autofree char *c = ga_text(third);
    assert_string_equal(c, "z");
    peer_stop(&one);
    peer_stop(&two);
    peer_stop(&three);
}

CASE(json_is_read_and_what_is_none_is_placed)
{
    SERVES(good, "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{\"id\": 7, \"x\": []}");
    SERVES(bad, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\":\n 1,");
    SERVES(none, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    ga_auto(ga_session) session = ga_session_new();
    peer_server one, two, three;

    peer_start(&one, peers, good);
    peer_start(&two, peers, bad);
    peer_start(&three, peers, none);
    ga_auto(ga_response) first = ga_get(session, peer_url(&one, "/"));
    json_t *json = ga_json(first);
    assert_int_equal(json_integer_value(json_object_get(json, "id")), 7);
    json_decref(json);
    ga_auto(ga_response) second = ga_get(session, peer_url(&two, "/"));
    assert_null(ga_json(second));
    assert_int_equal(ga_error()->code, GA_EJSON);
    assert_int_equal(ga_error()->phase, GA_PHASE_DECODE);
    assert_contains(ga_error_message(), "line 2");
    ga_auto(ga_response) third = ga_get(session, peer_url(&three, "/"));
    assert_null(ga_json(third));
    assert_int_equal(ga_error()->code, GA_EJSON);
    peer_stop(&one);
    peer_stop(&two);
    peer_stop(&three);
}

CASE(json_must_say_so_where_that_is_asked_for)
{
    static const struct {
        const char *type;
        bool json;
    } rows[] = {
        {"application/json", true},
        {"Application/JSON; charset=utf-8", true},
        {"application/problem+json", true},
        {"application/vnd.api+json;profile=\"x\"", true},
        {"text/json", true},
        {"text/html; charset=utf-8", false},
        {"text/plain", false},
        {"application/jsonx", false},
        {"application/+json", false},
        {"text/x+json", false},
        {"json", false},
        {"application/octet-stream", false},
        {"\xff\"/json", false},
        {"", false},
        {NULL, false},
    };
    ga_auto(ga_session) strict = ga_session_new(.check_content_type = 1);
    ga_auto(ga_session) lax = ga_session_new();

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga_autofree char *answer = ga_format("HTTP/1.1 200 OK\r\n%s%s%sContent-Length: 4\r\n\r\ntrue",
                                             rows[i].type ? "Content-Type: " : "",
                                             rows[i].type ? rows[i].type : "", rows[i].type ? "\r\n" : "");
        const peer_step script[] = {
            PEER_TAKE(NULL), {.kind = PEER_SAY_, .text = answer, .size = strlen(answer)}, PEER_AGAIN};
        const peer_step *const scripts[] = {script, NULL};
        peer_server peer;
        ga_group group;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, scripts);
        for (int way = 0; way < 4; way++) {
            ga_auto(ga_response) response = ga_get(way < 2 ? strict : lax, peer_url(&peer, "/"),
                                                   .check_content_type = way == 1 ? -1 : way == 3);
            bool checked = way == 0 || way == 3;
            json_t *json = ga_json(response);

            assert_int_equal(json != NULL, rows[i].json || !checked);
            json_decref(json);
            if (json)
                continue;
            assert_int_equal(ga_error()->code, GA_ECONTENTTYPE);
            assert_contains(ga_error_message(),
                            !rows[i].type || !*rows[i].type ? "missing" : "Content-Type is ");
            ga_autofree char *text = ga_text(response); /* it is there all the same */
            assert_string_equal(text, "true");
        }
        peer_stop(&peer);
        ga_group_close(&group);
    }
    assert_null(ga_json(ga_get(strict, "gopher://x")));
    assert_int_equal(ga_error()->code, GA_ESCHEME);
}

#define TEN(x) x x x x x x x x x x

/* jansson recurses: what nests too deep would overflow a task's stack. */
CASE(json_that_nests_too_deep_is_refused)
{
    SERVES(at_limit, "HTTP/1.1 200 OK\r\nContent-Length: 201\r\n\r\n" TEN(TEN("[")) "1" TEN(TEN("]")));
    SERVES(above, "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" TEN(TEN("[")) "{");
    SERVES(quoted, "HTTP/1.1 200 OK\r\nContent-Length: 206\r\n\r\n\"\\\"" TEN(TEN("[{")) "\\\"\"");
    ga_auto(ga_session) session = ga_session_new();
    peer_server one, two, three;

    peer_start(&one, peers, at_limit);
    peer_start(&two, peers, above);
    peer_start(&three, peers, quoted);
    ga_auto(ga_response) first = ga_get(session, peer_url(&one, "/"));
    json_t *json = ga_json(first);
    assert_int_equal(json_array_size(json), 1);
    json_decref(json);
    ga_auto(ga_response) second = ga_get(session, peer_url(&two, "/"));
    assert_null(ga_json(second));
    assert_int_equal(ga_error()->code, GA_EJSON);
    assert_contains(ga_error_message(), "deeper than 100 levels");
    ga_auto(ga_response) third = ga_get(session, peer_url(&three, "/"));
    json = ga_json(third); /* brackets in a string nest nothing */
    assert_int_equal(json_string_length(json), 202);
    json_decref(json);
    peer_stop(&one);
    peer_stop(&two);
    peer_stop(&three);
}

CASE(reading_into_no_room_is_a_mistake)
{
    SERVES(answers, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    ga_auto(ga_session) session = ga_session_new();
    char byte;
    size_t size;
    peer_server peer;

    peer_start(&peer, peers, answers);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    assert_int_equal(ga_read(response, &byte, 0), GA_EUSAGE);
    assert_int_equal(ga_read(response, &byte, 1), 1);
    const char *rest = ga_body(response, &size); /* what was read in pieces is gone */
    assert_int_equal(size, 2);
    assert_string_equal(rest, "bc");
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_can_be_asked),
        cmocka_unit_test(links_lead_to_absolute_urls),
        cmocka_unit_test(nothing_can_be_asked_of_no_response),
        cmocka_unit_test(a_bad_status_is_worded_as_aiohttp_words_it),
        cmocka_unit_test(repr_is_pythons),
        cmocka_unit_test(every_framing_gives_the_same_body),
        cmocka_unit_test(large_bodies_arrive_whole),
        cmocka_unit_test(what_nobody_reads_stays_at_the_server),
        cmocka_unit_test(a_response_freed_with_its_body_here_keeps_the_connection),
        cmocka_unit_test(bodies_that_end_early_or_break_the_syntax_fail),
        cmocka_unit_test(a_reset_within_the_body_is_a_failure_for_every_framing),
        cmocka_unit_test(bodies_larger_than_allowed_are_refused),
        cmocka_unit_test(bodies_that_may_not_be_there_are_not_waited_for),
        cmocka_unit_test(text_is_utf8_whatever_came),
        cmocka_unit_test(json_is_read_and_what_is_none_is_placed),
        cmocka_unit_test(json_must_say_so_where_that_is_asked_for),
        cmocka_unit_test(json_that_nests_too_deep_is_refused),
        cmocka_unit_test(reading_into_no_room_is_a_mistake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
