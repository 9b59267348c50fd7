/* SPDX-License-Identifier: MIT */
/*
 * Bad answers over HTTP/1.1, through the whole client: what a call says of each, whole, byte by byte and cut
 * at every position, on a fresh connection and on a kept one; and that a connection serves again only where
 * nothing is in doubt.
 */
#include "http1_feed.h"
#include "http1_rows.h"
#include "peer.h"

#define WHOLE SIZE_MAX
#define BYTE_BY_BYTE 0

/* What the peer says to whoever asks for /row, and how. */
typedef struct talk {
    const struct http1_row *row;
    size_t cut;  /* a pause comes there; or WHOLE, BYTE_BY_BYTE */
    bool ends;   /* the connection, behind it */
    size_t told; /* how often it has been said, or the client has gone */
} talk;

static bool say_cut(peer_visit *visit, const char *bytes, size_t size, size_t cut)
{
    for (size_t at = 0; at < size;) {
        size_t piece = cut == BYTE_BY_BYTE ? 1 : at < cut && cut < size ? cut - at : size - at;

        if (!peer_say(visit, bytes + at, piece) || ga_sleep(1e-5) < 0)
            return false;
        at += piece;
    }
    return true;
}

static bool tell(peer_visit *visit)
{
    static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext";
    talk *self = visit->peer->data;

    if (strstr(visit->request.data, " /next "))
        return peer_say(visit, good, sizeof good - 1);
    bool said = say_cut(visit, self->row->input, self->row->size, self->cut);

    self->told++;
    return said && !self->ends;
}

static const peer_step telling[] = {PEER_TAKE(NULL), PEER_CALL(tell), PEER_AGAIN};
static const peer_step *const always_telling[] = {telling, NULL};

static void expect_next(ga_session *session, peer_server *peer, const char *name)
{
    ga_auto(ga_response) response = ga_get(session, peer_url(peer, "/next"));
    ga_autofree char *text = ga_text(response);

    if (!text || strcmp(text, "next") != 0)
        fail_msg("behind \"%s\": %s", name, text ? text : ga_error_message());
}

/* A part of what the client says where the row fails. */
static const char *said_of(const struct http1_row *row)
{
    if (row->code == GA_EDISCONNECTED)
        return row->size == 0 ? "closed the connection without an answer" : "within the head of its answer";
    if (row->code == GA_ETRUNCATED)
        return "the body ended early: the server closed the connection after";
    return row->problem ? row->problem : "";
}

static void judge_failure(const struct http1_row *row, const talk *how, const ga_response *response,
                          const ga__buffer *body, int code)
{
    const ga_error_detail *error = ga_error();

    if (code != row->code || error->code != code || !strstr(error->message, said_of(row)))
        fail_msg("%s (cut at %zu): %s instead of %s with \"%s\": %s", row->name, how->cut, ga_code_name(code),
                 ga_code_name(row->code), said_of(row), error->message);
    if (row->body &&
        (body->size != strlen(row->body) || memcmp(body->data ? body->data : "", row->body, body->size) != 0))
        fail_msg("%s (cut at %zu): %zu bytes of the body were given", row->name, how->cut, body->size);
    if (code != GA_EREDIRECT)
        assert_int_equal(error->phase, response ? GA_PHASE_READ : GA_PHASE_FIRST_BYTE);
    assert_int_equal(error->sent, row->size > 0 ? GA_SENT_ANSWERED : GA_SENT_MAYBE);
    assert_true(response || error->bytes_received <= row->size);
    assert_non_null(error->url);
}

static void judge_answer(const struct http1_row *row, const talk *how, const ga_response *response,
                         const ga__buffer *body, int code)
{
    if (code < 0)
        fail_msg("%s (cut at %zu): %s", row->name, how->cut, ga_error_message());
    if (ga_status(response) != row->status)
        fail_msg("%s (cut at %zu): status %d, not %d", row->name, how->cut, ga_status(response), row->status);
    if (row->body &&
        (body->size != strlen(row->body) || memcmp(body->data ? body->data : "", row->body, body->size) != 0))
        fail_msg("%s (cut at %zu): body \"%s\"", row->name, how->cut, body->data);
}

/* Asks for the row and reads its body. */
static void call_row(ga_session *session, peer_server *peer, const talk *how)
{
    const struct http1_row *row = how->row;
    const char *method = row->asked & GA__HTTP1_TO_HEAD ? "HEAD" : "GET";
    ga_auto(ga_response) response = ga_request(session, method, peer_url(peer, "/row"));
    ga__buffer body = GA__BUFFER_INIT;
    char piece[7];
    ssize_t count;

    while ((count = ga_read(response, piece, sizeof piece)) > 0)
        ga__buffer_append(&body, piece, (size_t)count);
    if (row->code < 0)
        judge_failure(row, how, response, &body, (int)count);
    else
        judge_answer(row, how, response, &body, (int)count);
    ga__buffer_free(&body);
}

/* One way of saying it; with `reused`, on a connection that has served before. */
static void check_talk(peer_server *peer, talk *how, const ga_session_options *options, bool reused)
{
    const struct http1_row *row = how->row;
    ga_session *session = ga_session_new_with(options);
    bool kept =
        row->code == GA_EREDIRECT || (row->code == GA__HTTP1_DONE && row->keep_alive && row->surplus == 0);
    bool repeated =
        reused && row->size == 0; /* a kept connection that closes without a word may have been stale */

    assert_non_null(session);
    if (reused)
        expect_next(session, peer, "nothing");
    how->told = 0;
    call_row(session, peer, how);
    peer_await(&how->told, repeated ? 2 : 1);
    assert_int_equal(ga_sleep(0.001), 0);
    if (stats_of(session).in_use + stats_of(session).waiting > 0 || stats_of(session).idle != kept)
        fail_msg("%s (cut at %zu): %zu connections idle and %zu in use afterwards", row->name, how->cut,
                 stats_of(session).idle, stats_of(session).in_use);
    peer_await(&peer->open, kept);
    expect_next(session, peer, row->name);
    assert_int_equal(stats_of(session).opened, 1 + repeated + !kept);
    ga_session_free(session);
    peer_await(&peer->open, 0);
}

static void check_row(peer_server *peer, const struct http1_row *row, const ga_session_options *options,
                      const ga__http1_limits *limits)
{
    feed_result fed = feed_response(row->input, row->size, row->asked, limits, FEED_WHOLE);
    talk how = {.row = row, .ends = fed.by_end};

    feed_free(&fed);
    if (row->asked & ~(unsigned)GA__HTTP1_TO_HEAD)
        return; /* tunnels are test_proxy's */
    peer->data = &how;
    how.cut = WHOLE;
    check_talk(peer, &how, options, false);
    check_talk(peer, &how, options, true);
    for (how.cut = BYTE_BY_BYTE; how.cut < row->size; how.cut++)
        check_talk(peer, &how, options, false);
}

static const ga_session_options usual = {.size_ = sizeof usual, .max_body = -1};

static void check_rows(ga_group *peers, const struct http1_row *rows, size_t count,
                       const ga_session_options *options, const ga__http1_limits *limits)
{
    peer_server peer;

    peer_start(&peer, peers, always_telling);
    for (size_t i = 0; i < count; i++)
        check_row(&peer, &rows[i], options, limits);
    peer_stop(&peer);
}

#define ROWS_CASE(name, rows)                                                   \
    TIMED_CASE(name)                                                            \
    {                                                                           \
        check_rows(peers, (rows), sizeof(rows) / sizeof *(rows), &usual, NULL); \
    }

ROWS_CASE(status_lines, status_line_rows)
ROWS_CASE(header_lines, header_line_rows)
ROWS_CASE(the_end_of_the_connection, connection_end_rows)
ROWS_CASE(content_length, content_length_rows)
ROWS_CASE(transfer_encoding, transfer_encoding_rows)
ROWS_CASE(chunks, chunk_rows)
ROWS_CASE(trailers, trailer_rows)
ROWS_CASE(keep_alive, keep_alive_rows)
ROWS_CASE(interim_answers, interim_rows)
ROWS_CASE(answers_without_a_body, bodyless_rows)

TIMED_CASE(lone_symbols_anywhere)
{
    peer_server peer;

    peer_start(&peer, peers, always_telling);
    for (size_t place = 0; place < LONE_PLACES; place++) {
        for (size_t symbol = 0; symbol < LONE_SYMBOLS; symbol++) {
            ga__buffer input = lone_input(place, symbol);
            feed_result fed = feed_response(input.data, input.size, 0, NULL, FEED_WHOLE);
            struct http1_row row = {.name = lone_places[place].before,
                                    .input = input.data,
                                    .size = input.size,
                                    .code = fed.code,
                                    .body = fed.code < 0 ? NULL : fed.body.data,
                                    .status = fed.status,
                                    .keep_alive = fed.keep_alive,
                                    .surplus = fed.surplus};

            assert_int_equal(fed.code > 0, lone_places[place].outcome[symbol] == 'o');
            check_row(&peer, &row, &usual, NULL);
            feed_free(&fed);
            ga__buffer_free(&input);
        }
    }
    peer_stop(&peer);
}

/* --- limits, which are options -------------------------------------------------------------------- */

TIMED_CASE(heads_beyond_the_limits)
{
    static const ga_session_options options = {
        .size_ = sizeof options, .max_head = 100, .max_field = 40, .max_fields = 4, .max_interim = 3};
    ga__http1_limits limits = ga__http1_defaults;

    limits.head = (ga__headers_limits){.max_size = 100, .max_line = 40, .max_fields = 4};
    limits.max_interim = 3;
    check_rows(peers, head_limit_rows, sizeof head_limit_rows / sizeof *head_limit_rows, &options, &limits);
}

TIMED_CASE(trailers_and_extensions_beyond_the_limits)
{
    static const struct http1_row rows[] = {
        KEEPS("trailers of 20", CHUNKED "0\r\na: b\r\nc: 3456789\r\n\r\n", 200, ""),
        FAILS("trailers of 21", CHUNKED "0\r\na: b\r\nc: 34567890\r\n\r\n", GA_EHEADTOOBIG, ""),
        KEEPS("20 bytes of extensions", CHUNKED "1;2345\r\na\r\n1;2345\r\nb\r\n0;234567890123\r\n\r\n", 200,
              "ab"),
        IS_BAD("21 bytes of extensions", CHUNKED "1;2345\r\na\r\n1;2345\r\nb\r\n0;2345678901234\r\n\r\n",
               "extensions"),
    };
    static const ga_session_options options = {.size_ = sizeof options, .max_trailers = 20};
    ga__http1_limits limits = ga__http1_defaults;

    limits.chunked.trailers.max_size = limits.chunked.max_extensions = 20;
    check_rows(peers, rows, sizeof rows / sizeof *rows, &options, &limits);
}

/* --- fields that the client acts upon -------------------------------------------------------------- */

TIMED_CASE(fields_that_say_nothing_are_passed_over)
{
#define WITH(lines) OK_LINE lines "Content-Length: 2\r\n\r\nhi"
    static const struct http1_row rows[] = {
        KEEPS("Retry-After", WITH("Retry-After: soon\r\n"), 200, "hi"),
        KEEPS("Retry-After below zero", WITH("Retry-After: -1\r\n"), 200, "hi"),
        KEEPS("Date", WITH("Date: yesterday\r\n"), 200, "hi"),
        KEEPS("Content-Range", WITH("Content-Range: bytes */-\r\n"), 200, "hi"),
        KEEPS("Keep-Alive", WITH("Keep-Alive: timeout=soon, max=\r\n"), 200, "hi"),
        KEEPS("Content-Type", WITH("Content-Type: ;;charset=\"\r\n"), 200, "hi"),
        KEEPS("a charset that nobody knows", WITH("Content-Type: text/plain; charset=x-none\r\n"), 200, "hi"),
        KEEPS("a coding that nobody knows", WITH("Content-Encoding: x-none\r\n"), 200, "hi"),
        KEEPS("gzip of nothing", OK_LINE "Content-Encoding: gzip\r\n" EMPTY, 200, ""),
        KEEPS("Set-Cookie",
              WITH("Set-Cookie: ;;=;\r\nSet-Cookie: \r\nSet-Cookie: a=b; Max-Age=x; Expires=y\r\n"), 200,
              "hi"),
        KEEPS("Link", WITH("Link: <<>;;rel=\r\n"), 200, "hi"),
        KEEPS("Strict-Transport-Security", WITH("Strict-Transport-Security: max-age=\"\r\n"), 200, "hi"),
        KEEPS("RateLimit", WITH("RateLimit: \"x\";r=-1;t=\r\nX-RateLimit-Remaining: -5\r\n"), 200, "hi"),
        KEEPS("WWW-Authenticate",
              "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\r\nContent-Length: 2\r\n\r\nhi", 401, "hi"),
        KEEPS("Location where it counts for nothing", WITH("Location: javascript:x\r\n"), 200, "hi"),
    };
    static const ga_session_options options = {
        .size_ = sizeof options, .hsts = 1, .retries = 1, .obey_rate_limits = 1};

    check_rows(peers, rows, sizeof rows / sizeof *rows, &options, NULL);
}

TIMED_CASE(locations_that_lead_nowhere)
{
#define MOVED(location) "HTTP/1.1 302 Found\r\nLocation: " location "\r\n" EMPTY
#define NOWHERE(location) FAILS(location, MOVED(location), GA_EREDIRECT, "redirect (302) to \"")
    static const struct http1_row rows[] = {
        NOWHERE("http://"),
        NOWHERE("http:///"),
        NOWHERE("//"),
        NOWHERE("http://h:0/"),
        NOWHERE("http://h:99999/"),
        NOWHERE("http://[::1/"),
        NOWHERE("http://a b/"),
        NOWHERE("javascript:alert(1)"),
        NOWHERE("file:///etc/passwd"),
        NOWHERE("data:text/html,x"),
        NOWHERE("ftp://h/"),
        NOWHERE("/a\tb"),
        FAILS("two that differ", MOVED("/a\r\nLocation: /b"), GA_EREDIRECT, "redirect (302)"),
        IS_BAD("a carriage return", MOVED("/a\rb"), "carriage return"),
        IS_BAD("a NUL", MOVED("/a\0b"), "NUL"),
    };

    check_rows(peers, rows, sizeof rows / sizeof *rows, &usual, NULL);
}

TIMED_CASE(cookies_for_other_domains_are_not_kept)
{
    static const struct http1_row row = KEEPS(
        "cookies",
        OK_LINE
        "Set-Cookie: a=1; Domain=other.example.org\r\nSet-Cookie: b=1; Domain=org\r\n"
        "Set-Cookie: c=1; Domain=deep.www.example.org\r\nSet-Cookie: d=1; Domain=example.org.evil.net\r\n"
        "Set-Cookie: e=1; Domain=ample.org\r\nSet-Cookie: __Host-f=1; Path=/\r\n"
        "Set-Cookie: __Secure-g=1\r\nSet-Cookie: h=1; Secure\r\nSet-Cookie: i=1; Domain=127.0.0.1\r\n"
        "Set-Cookie: good=1; Domain=example.org; Path=/\r\n" EMPTY,
        200, "");
    talk how = {.row = &row, .cut = WHOLE};
    ga_auto(ga_session) session = ga_session_new(.resolve = GA_PAIRS({"www.example.org", "127.0.0.1"}));
    char url[64];
    ga_cookie cookie;
    peer_server peer;

    peer_start(&peer, peers, always_telling);
    peer.data = &how;
    snprintf(url, sizeof url, "http://www.example.org:%u/row",
             (unsigned)ga__address_port(&peer.listener.address));
    ga_response_free(ga_get(session, url));
    assert_int_equal(ga_cookie_jar_count(ga_session_cookies(session)), 1);
    assert_true(ga_cookie_jar_at(ga_session_cookies(session), 0, &cookie));
    assert_string_equal(cookie.name, "good");
    peer_stop(&peer);
}

/* --- answers without an end ------------------------------------------------------------------------ */

/* What a server says again and again, as fast as it can or so many seconds apart, and what ends it. */
typedef struct endless {
    const char *what, *start, *again;
    double every;
    int code;
    const char *said; /* a part of the message */
    double after;     /* seconds; 0: at once */
    ga_session_options options;
} endless;

static bool say_without_end(peer_visit *visit)
{
    enum { AT_ONCE = 100 };
    const endless *self = visit->peer->data;
    ga__buffer block = GA__BUFFER_INIT;

    for (int i = 0; i < (self->every > 0 ? 1 : AT_ONCE); i++)
        ga__buffer_add(&block, self->again);
    bool said = peer_say(visit, self->start, strlen(self->start));

    while (said && block.size > 0)
        said = peer_say(visit, block.data, block.size) && ga_sleep(self->every) == 0;
    ga__buffer_free(&block);
    return said; /* silence follows */
}

#define OPTIONS(...)                                     \
    {                                                    \
        .size_ = sizeof(ga_session_options), __VA_ARGS__ \
    }
static const endless floods[] = {
    {"fields", OK_LINE, "a: b\r\n", 0, GA_EHEADTOOBIG, "", 0, OPTIONS(.limit = 5)},
    {"a field", OK_LINE "a: ", "bbbbbbbbbbbbbbbbbbbb", 0, GA_EHEADTOOBIG, "line", 0, OPTIONS(.limit = 5)},
    {"a folded field", OK_LINE "a: b\r\n", " b\r\n", 0, GA_EHEADTOOBIG, "", 0, OPTIONS(.limit = 5)},
    {"a name", OK_LINE, "aaaaaaaaaaaaaaaaaaaa", 0, GA_EHEADTOOBIG, "line", 0, OPTIONS(.limit = 5)},
    {"a reason", "HTTP/1.1 200 ", "OK OK OK OK OK OK", 0, GA_EHEADTOOBIG, "line", 0, OPTIONS(.limit = 5)},
    {"interim answers", "", "HTTP/1.1 103 Early Hints\r\n\r\n", 0, GA_EHEADTOOBIG, "interim", 0,
     OPTIONS(.limit = 5)},
    {"digits of a chunk's size", CHUNKED, "0000000000", 0, GA_EPROTOCOL, "too large", 0, OPTIONS(.limit = 5)},
    {"an extension", CHUNKED "1;", "aaaaaaaaaaaaaaaaaaaa", 0, GA_EPROTOCOL, "chunk-size line", 0,
     OPTIONS(.limit = 5)},
    {"extensions", CHUNKED, "1;aaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n", 0, GA_EPROTOCOL, "extensions", 0,
     OPTIONS(.limit = 5)},
    {"trailers", CHUNKED "0\r\n", "a: b\r\n", 0, GA_EHEADTOOBIG, "", 0, OPTIONS(.limit = 5)},
    {"chunks", CHUNKED, "1\r\nx\r\n", 0, GA_ETOOLARGE, "max_body", 0, OPTIONS(.max_body = 10000)},
    {"a body", OK_LINE "\r\n", "xxxxxxxxxxxxxxxxxxxx", 0, GA_ETOOLARGE, "max_body", 0,
     OPTIONS(.max_body = 100000)},
};
static const endless dribbles[] = {
    {"silence", "", "", 0, GA_ETIMEDOUT, "the first_byte timeout", 7, OPTIONS(.first_byte_timeout = 7)},
    {"silence in a head", "HTTP/1.1 2", "", 0, GA_ETIMEDOUT, "the read timeout", 7,
     OPTIONS(.read_timeout = 7)},
    {"silence in a body", OK_LINE "Content-Length: 5\r\n\r\nx", "", 0, GA_ETIMEDOUT, "the read timeout", 7,
     OPTIONS(.read_timeout = 7)},
    {"silence in a chunk's size", CHUNKED "5", "", 0, GA_ETIMEDOUT, "the read timeout", 7,
     OPTIONS(.read_timeout = 7)},
    {"silence in trailers", CHUNKED "0\r\na: b", "", 0, GA_ETIMEDOUT, "the read timeout", 7,
     OPTIONS(.read_timeout = 7)},
    {"a status line", "HTTP/1.1 200 ", "K", 10, GA_ETIMEDOUT, "the total timeout", 45,
     OPTIONS(.total_timeout = 45, .read_timeout = 20)},
    {"fields", OK_LINE, "a: b\r\n", 10, GA_ETIMEDOUT, "the total timeout", 45,
     OPTIONS(.total_timeout = 45, .read_timeout = 20)},
    {"interim answers", "", "HTTP/1.1 102 Processing\r\n\r\n", 10, GA_ETIMEDOUT, "the total timeout", 45,
     OPTIONS(.total_timeout = 45, .read_timeout = 20)},
    {"a body", OK_LINE "Content-Length: 1000\r\n\r\n", "x", 10, GA_ETIMEDOUT, "the total timeout", 45,
     OPTIONS(.total_timeout = 45, .read_timeout = 20)},
    {"a body until the end", OK_LINE "\r\n", "x", 10, GA_ETIMEDOUT, "the total timeout", 45,
     OPTIONS(.total_timeout = 45, .read_timeout = 20)},
    {"an extension", CHUNKED "1;", "x", 10, GA_ETIMEDOUT, "the total timeout", 45,
     OPTIONS(.total_timeout = 45, .read_timeout = 20)},
    {"trailers", CHUNKED "0\r\n", "a: b\r\n", 10, GA_ETIMEDOUT, "the total timeout", 45,
     OPTIONS(.total_timeout = 45, .read_timeout = 20)},
    {"by default", OK_LINE, "a: b\r\n", 10, GA_ETIMEDOUT, "the total timeout", 300, OPTIONS(.limit = 5)},
};

static const peer_step endless_script[] = {PEER_TAKE(NULL), PEER_CALL(say_without_end), PEER_HOLD};
static const peer_step *const always_endless[] = {endless_script, NULL};

static void check_endless(ga_group *peers, const endless *all, size_t count)
{
    peer_server peer;

    peer_start(&peer, peers, always_endless);
    for (size_t i = 0; i < count; i++) {
        const endless *one = &all[i];
        ga_session *session = ga_session_new_with(&one->options);
        double began = ga_now();

        assert_non_null(session);
        peer.data = (void *)(uintptr_t)one;
        ga_response *response = ga_get(session, peer_url(&peer, "/"));

        if (ga_body(response, NULL) || ga_error()->code != one->code ||
            !strstr(ga_error_message(), one->said))
            fail_msg("%s: %s", one->what, ga_error_message());
        if (ga_now() - began < one->after - 0.001 || ga_now() - began > one->after + 1)
            fail_msg("%s: after %g seconds", one->what, ga_now() - began);
        if (ga_error()->bytes_received > 400000)
            fail_msg("%s: after %llu bytes", one->what, (unsigned long long)ga_error()->bytes_received);
        ga_response_free(response);
        assert_int_equal(stats_of(session).idle + stats_of(session).in_use, 0);
        ga_session_free(session);
    }
    peer_stop(&peer);
}

TIMED_CASE(answers_without_an_end_are_left)
{
    check_endless(peers, floods, sizeof floods / sizeof *floods);
}

TIMED_CASE(answers_that_dribble_are_bounded_by_timeouts)
{
    check_endless(peers, dribbles, sizeof dribbles / sizeof *dribbles);
}

TIMED_CASE(a_line_without_an_end_is_left_at_max_line)
{
    static const endless one = {.start = OK_LINE "\r\n", .again = "xxxxxxxxxxxxxxxxxxxx"};
    ga_auto(ga_session) session = ga_session_new(.max_line = 5000);
    const char *line;
    peer_server peer;

    peer_start(&peer, peers, always_endless);
    peer.data = (void *)(uintptr_t)&one;
    ga_response *response = ga_get(session, peer_url(&peer, "/"));

    assert_int_equal(ga_read_line(response, &line, NULL), GA_ETOOLARGE);
    assert_non_null(strstr(ga_error_message(), "the 5000 bytes that max_line allows"));
    ga_response_free(response);
    assert_int_equal(stats_of(session).idle + stats_of(session).in_use, 0);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_lines),
        cmocka_unit_test(header_lines),
        cmocka_unit_test(the_end_of_the_connection),
        cmocka_unit_test(content_length),
        cmocka_unit_test(transfer_encoding),
        cmocka_unit_test(chunks),
        cmocka_unit_test(trailers),
        cmocka_unit_test(keep_alive),
        cmocka_unit_test(interim_answers),
        cmocka_unit_test(answers_without_a_body),
        cmocka_unit_test(lone_symbols_anywhere),
        cmocka_unit_test(heads_beyond_the_limits),
        cmocka_unit_test(trailers_and_extensions_beyond_the_limits),
        cmocka_unit_test(fields_that_say_nothing_are_passed_over),
        cmocka_unit_test(locations_that_lead_nowhere),
        cmocka_unit_test(cookies_for_other_domains_are_not_kept),
        cmocka_unit_test(answers_without_an_end_are_left),
        cmocka_unit_test(answers_that_dribble_are_bounded_by_timeouts),
        cmocka_unit_test(a_line_without_an_end_is_left_at_max_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
