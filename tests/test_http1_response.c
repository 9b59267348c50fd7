/* SPDX-License-Identifier: MIT */
/*
 * Receiving responses: every good and bad form, fed whole, byte by byte and cut at every position, always
 * with the same outcome.
 */
#include "check.h"
#include "http1_feed.h"
#include "http1_rows.h"

static void check_result(const struct http1_row *row, const feed_result *result)
{
    if (result->code != row->code)
        fail_msg("%s: code %d (%s), not %d", row->name, result->code,
                 result->problem ? result->problem : "no problem", row->code);
    if (row->code < 0 && (!result->problem || (row->problem && !strstr(result->problem, row->problem))))
        fail_msg("%s: \"%s\" does not say \"%s\"", row->name, result->problem, row->problem);
    if (row->body && (result->body.size != strlen(row->body) ||
                      memcmp(result->body.data ? result->body.data : "", row->body, result->body.size) != 0))
        fail_msg("%s: body \"%s\", not \"%s\"", row->name, result->body.data, row->body);
    if (row->code < 0)
        return;
    if (result->status != row->status)
        fail_msg("%s: status %d, not %d", row->name, result->status, row->status);
    if (result->keep_alive != row->keep_alive)
        fail_msg("%s: keep alive %d, not %d", row->name, result->keep_alive, row->keep_alive);
    if (result->surplus != row->surplus)
        fail_msg("%s: %zu bytes of surplus, not %zu", row->name, result->surplus, row->surplus);
}

/* Feeds a row with every cut, and compares each result with that of the whole. */
static void check_row(const struct http1_row *row, const ga__http1_limits *limits)
{
    feed_result whole = feed_response(row->input, row->size, row->asked, limits, FEED_WHOLE);

    check_result(row, &whole);
    for (size_t cut = 0; cut < row->size; cut++) {
        feed_result other = feed_response(row->input, row->size, row->asked, limits,
                                          cut ? FEED_CUTS(cut, SIZE_MAX) : FEED_BYTES);

        if (other.transcript.size != whole.transcript.size ||
            memcmp(other.transcript.data, whole.transcript.data, whole.transcript.size) != 0)
            fail_msg("%s: cut at %zu (0: everywhere) gives\n%s\nbut whole\n%s", row->name, cut,
                     other.transcript.data, whole.transcript.data);
        feed_free(&other);
    }
    feed_free(&whole);
}

static void check_rows(const struct http1_row *rows, size_t count, const ga__http1_limits *limits)
{
    for (size_t i = 0; i < count; i++)
        check_row(&rows[i], limits);
}

#define CHECK_ROWS(rows, limits) check_rows(rows, sizeof rows / sizeof rows[0], limits)

static void status_lines(void **state)
{
    (void)state;
    CHECK_ROWS(status_line_rows, NULL);
}

static void header_lines(void **state)
{
    static const struct http1_row strict_rows[] = {
        KEEPS("CR LF", OK_LINE "a: b\r\n" EMPTY, 200, ""),
        IS_BAD("bare LF behind the status line", "HTTP/1.1 200 OK\na: b\r\n" EMPTY, "line feed"),
        IS_BAD("bare LF behind a field", OK_LINE "a: b\n" EMPTY, "line feed"),
        IS_BAD("bare LF as the empty line", OK_LINE "a: b\r\n\n", "line feed"),
        IS_BAD("folded", OK_LINE "a: b\r\n c\r\n" EMPTY, "folded"),
    };
    ga__http1_limits strict = ga__http1_defaults;

    (void)state;
    strict.head.strict = true;
    CHECK_ROWS(header_line_rows, NULL);
    CHECK_ROWS(strict_rows, &strict);
}

static void the_end_of_the_connection(void **state)
{
    (void)state;
    CHECK_ROWS(connection_end_rows, NULL);
}

static void content_length(void **state)
{
    (void)state;
    CHECK_ROWS(content_length_rows, NULL);
}

static void transfer_encoding(void **state)
{
    static const struct http1_row lenient_rows[] = {
        CLOSES("Transfer-Encoding wins, and the connection closes", BOTH, 200, "hi"),
    };
    ga__http1_limits lenient = ga__http1_defaults;

    (void)state;
    lenient.transfer_over_length = true;
    CHECK_ROWS(transfer_encoding_rows, NULL);
    CHECK_ROWS(lenient_rows, &lenient);
}

static void chunks(void **state)
{
    (void)state;
    CHECK_ROWS(chunk_rows, NULL);
}

static void trailers(void **state)
{
    (void)state;
    CHECK_ROWS(trailer_rows, NULL);
}

static void trailers_are_kept_apart_and_without_what_must_not_be_there(void **state)
{
    static const char input[] = OK_LINE
        "Transfer-Encoding: chunked\r\nDigest: old\r\n\r\n0\r\n"
        "Digest: new\r\nContent-Length: 7\r\nTransfer-Encoding: gzip\r\nHost: evil\r\nSet-Cookie: a=b\r\n"
        "Authorization: x\r\nContent-Encoding: gzip\r\nLocation: /evil\r\nServer-Timing: db;dur=53\r\n\r\n";
    feed_result result = feed_response(input, sizeof input - 1, 0, NULL, FEED_WHOLE);

    (void)state;
    assert_string_equal(result.transcript.data,
                        "1.1 200 [OK]\nTransfer-Encoding: chunked\nDigest: old\nbody: \n"
                        "Digest: new\nServer-Timing: db;dur=53\n1, no problem, keep alive 1, surplus 0\n");
    feed_free(&result);
}

static void keep_alive(void **state)
{
    (void)state;
    CHECK_ROWS(keep_alive_rows, NULL);
}

static void interim_responses(void **state)
{
    (void)state;
    CHECK_ROWS(interim_rows, NULL);
}

static void responses_without_a_body(void **state)
{
    (void)state;
    CHECK_ROWS(bodyless_rows, NULL);
}

/* Small limits, so that what goes beyond them can be cut everywhere. */
static void limits_hold_wherever_the_cuts_are(void **state)
{
    static const ga__http1_limits small = {
        .head = {.max_size = 100, .max_line = 40, .max_fields = 4},
        .chunked = {.max_line = 18,
                    .max_extensions = 10,
                    .trailers = {.max_size = 20, .max_line = 12, .max_fields = 2}},
        .max_interim = 3,
    };

    (void)state;
    CHECK_ROWS(head_limit_rows, &small);
    CHECK_ROWS(chunk_limit_rows, &small);
}

static void symbols_where_none_belong(void **state)
{
    (void)state;
    for (size_t place = 0; place < LONE_PLACES; place++) {
        for (size_t symbol = 0; symbol < LONE_SYMBOLS; symbol++) {
            ga__buffer input = lone_input(place, symbol);
            feed_result whole = feed_response(input.data, input.size, 0, NULL, FEED_WHOLE);
            bool good = lone_places[place].outcome[symbol] == 'o';

            if ((whole.code == GA__HTTP1_DONE) != good)
                fail_msg("0x%02x behind \"%s\": %s", (unsigned)lone_symbols[symbol],
                         lone_places[place].before, good ? whole.problem : "accepted");
            const struct http1_row row = {.name = "lone symbol",
                                          .input = input.data,
                                          .size = input.size,
                                          .code = whole.code,
                                          .status = whole.status,
                                          .keep_alive = whole.keep_alive,
                                          .surplus = whole.surplus};

            check_row(&row, NULL);
            feed_free(&whole);
            ga__buffer_free(&input);
        }
    }
}

static void gives_fields_reason_and_length(void **state)
{
    static const char input[] =
        "HTTP/1.1 404 Not \xe9  Found \r\nServer:nginx\r\nX-Fold: a\r\n \t \r\n\tb  \r\n c\t\r\n"
        "X-Empty:\r\nCONTENT-LENGTH:  5 \r\n\r\nhello";
    feed_result result = feed_response(input, sizeof input - 1, 0, NULL, FEED_WHOLE);

    (void)state;
    assert_string_equal(result.transcript.data,
                        "1.1 404 [Not \xe9  Found ]\nServer: nginx\nX-Fold: a b c\nX-Empty: \n"
                        "CONTENT-LENGTH: 5\nbody: hello\n1, no problem, keep alive 1, surplus 0\n");
    feed_free(&result);
}

static void a_reason_may_be_missing(void **state)
{
    static const char *const lines[] = {"HTTP/1.1 200\r\n", "HTTP/1.1 200 \r\n", "HTTP/1.1 200\n"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ga__buffer input = GA__BUFFER_INIT;

        ga__buffer_add(&input, lines[i]);
        ga__buffer_add(&input, "\r\n");
        feed_result result = feed_response(input.data, input.size, 0, NULL, FEED_WHOLE);

        assert_string_equal(result.transcript.data,
                            "1.1 200 []\nbody: \n1, no problem, keep alive 0, surplus 0\n");
        feed_free(&result);
        ga__buffer_free(&input);
    }
}

static void tells_the_length_of_what_has_no_body(void **state)
{
    char input[] = "HTTP/1.1 200 OK\r\nContent-Length: 1234567890123\r\n\r\n";
    ga__http1_response response;
    ga__headers_table table;
    size_t consumed;

    (void)state;
    ga__headers_table_init(&table);
    ga__http1_response_init(&response, NULL, GA__HTTP1_TO_HEAD);
    assert_int_equal(ga__http1_response_head(&response, &table, input, sizeof input - 1, &consumed),
                     GA__HTTP1_DONE);
    assert_true(response.has_length);
    assert_int_equal(response.length, 1234567890123);
    assert_int_equal(response.body.kind, GA__BODY_NONE);
    ga__http1_response_free(&response);
    ga__headers_table_free(&table);
}

static void the_keep_alive_timeout(void **state)
{
    static const struct {
        const char *line;
        int seconds;
    } rows[] = {
        {"Keep-Alive: timeout=5\r\n", 5},
        {"Keep-Alive: max=100, Timeout=65\r\n", 65},
        {"Keep-Alive: timeout=99999999999\r\n", INT32_MAX},
        {"Keep-Alive: timeout=-1\r\n", -1},
        {"Keep-Alive: longtimeout=1, timeout=7\r\n", 7},
        {"Keep-Alive: timeout=\r\n", -1},
        {"Keep-Alive: timeout\r\n", -1},
        {"Keep-Alive: max=100\r\n", -1},
        {"Keep-Alive:\r\n", -1},
        {"", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ga__buffer input = GA__BUFFER_INIT;
        ga__http1_response response;
        ga__headers_table table;
        size_t consumed;

        ga__buffer_printf(&input, "HTTP/1.1 200 OK\r\n%s\r\n", rows[i].line);
        ga__headers_table_init(&table);
        ga__http1_response_init(&response, NULL, 0);
        assert_int_equal(ga__http1_response_head(&response, &table, input.data, input.size, &consumed),
                         GA__HTTP1_DONE);
        assert_int_equal(ga__http1_keep_alive_timeout(&table.headers), rows[i].seconds);
        ga__headers_table_free(&table);
        ga__buffer_free(&input);
    }
}

/* 60 KB in one head, a byte more each time, in place: linear, or this takes minutes. */
static void a_large_head_byte_by_byte_is_linear(void **state)
{
    ga__buffer input = GA__BUFFER_INIT;
    ga__http1_response response;
    ga__headers_table table;
    size_t consumed, size = 0;
    int code = GA__HTTP1_MORE;

    (void)state;
    ga__buffer_add(&input, OK_LINE);
    for (int i = 0; i < 200; i++)
        ga__buffer_printf(&input, "X-Number-%d: %0280d\r\n", i, i);
    ga__buffer_add(&input, "\r\n");
    ga__headers_table_init(&table);
    for (int again = 0; again < 10; again++) {
        char *copy = feed_block(input.size);

        memcpy(copy, input.data, input.size);
        ga__http1_response_init(&response, NULL, 0);
        for (size = 0, code = GA__HTTP1_MORE; code == GA__HTTP1_MORE && size < input.size;)
            code = ga__http1_response_head(&response, &table, copy, ++size, &consumed);
        assert_int_equal(code, GA__HTTP1_DONE);
        assert_int_equal(size, input.size);
        assert_int_equal(table.headers.count, 200);
        assert_string_equal(ga__headers_get(&table.headers, "x-number-199") + 277, "199");
        free(copy);
    }
    ga__headers_table_free(&table);
    ga__buffer_free(&input);
}

/* A million chunks of one byte need no memory and time in proportion. */
static void many_small_chunks_are_linear(void **state)
{
    enum { CHUNKS = 1000000 };
    static const char chunk[] = "1\r\nx\r\n";
    ga__chunked chunked;
    size_t content = 0;

    (void)state;
    ga__chunked_init(&chunked);
    for (int i = 0; i < CHUNKS; i++) {
        size_t at = 0;

        while (at < sizeof chunk - 1) {
            size_t consumed, out_size;
            const char *out;

            assert_int_equal(ga__chunked_decode(&chunked, &ga__http1_defaults.chunked, chunk + at,
                                                sizeof chunk - 1 - at, &consumed, &out, &out_size),
                             GA__HTTP1_MORE);
            at += consumed;
            content += out_size;
        }
    }
    assert_int_equal(content, CHUNKS);
    ga__chunked_free(&chunked);
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
        cmocka_unit_test(trailers_are_kept_apart_and_without_what_must_not_be_there),
        cmocka_unit_test(keep_alive),
        cmocka_unit_test(interim_responses),
        cmocka_unit_test(responses_without_a_body),
        cmocka_unit_test(limits_hold_wherever_the_cuts_are),
        cmocka_unit_test(symbols_where_none_belong),
        cmocka_unit_test(gives_fields_reason_and_length),
        cmocka_unit_test(a_reason_may_be_missing),
        cmocka_unit_test(tells_the_length_of_what_has_no_body),
        cmocka_unit_test(the_keep_alive_timeout),
        cmocka_unit_test(a_large_head_byte_by_byte_is_linear),
        cmocka_unit_test(many_small_chunks_are_linear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
