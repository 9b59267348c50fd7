/* SPDX-License-Identifier: MIT */
/*
 * Receiving requests: every good and bad form, fed whole, byte by byte and cut at every position, always with
 * the same outcome; and what the writer makes is read back as it was meant.
 */
#include "check.h"
#include "http1_feed.h"
#include "protocol/http1_writer.h"

struct row {
    const char *name;
    const char *input;
    size_t size;
    int code;
    int status;          /* with a failure: what to answer */
    const char *problem; /* with a failure: a part of what is said */
    const char *body;
    bool keep_alive;
    size_t surplus;
};

#define BYTES(literal) literal, sizeof(literal) - 1
#define IS_BAD(name, input, status, problem)                              \
    {                                                                     \
        name, BYTES(input), GA_EPROTOCOL, status, problem, NULL, false, 0 \
    }
#define TOO_BIG(name, input, status)                                               \
    {                                                                              \
        name, BYTES(input), GA_EHEADTOOBIG, status, "than allowed", NULL, false, 0 \
    }
#define ENDS(name, input, code)                              \
    {                                                        \
        name, BYTES(input), code, 0, "ended", NULL, false, 0 \
    }
#define READS(name, input, body)                                   \
    {                                                              \
        name, BYTES(input), GA__HTTP1_DONE, 0, NULL, body, true, 0 \
    }
#define CLOSES(name, input, body)                                   \
    {                                                               \
        name, BYTES(input), GA__HTTP1_DONE, 0, NULL, body, false, 0 \
    }
#define LEAVES(name, input, body, surplus)                               \
    {                                                                    \
        name, BYTES(input), GA__HTTP1_DONE, 0, NULL, body, true, surplus \
    }

#define HOST "Host: a\r\n"
#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n" HOST

static void check_result(const struct row *row, const feed_result *result)
{
    if (result->code != row->code)
        fail_msg("%s: code %d (%s), not %d", row->name, result->code,
                 result->problem ? result->problem : "no problem", row->code);
    if (row->code < 0) {
        if (!result->problem || !strstr(result->problem, row->problem) || result->status != row->status)
            fail_msg("%s: %d \"%s\", not %d \"%s\"", row->name, result->status, result->problem, row->status,
                     row->problem);
        return;
    }
    if (result->body.size != strlen(row->body) ||
        memcmp(result->body.data ? result->body.data : "", row->body, result->body.size) != 0)
        fail_msg("%s: body \"%s\", not \"%s\"", row->name, result->body.data, row->body);
    if (result->keep_alive != row->keep_alive || result->surplus != row->surplus)
        fail_msg("%s: keep alive %d, surplus %zu", row->name, result->keep_alive, result->surplus);
}

static void check_row(const struct row *row, const ga__http1_limits *limits)
{
    feed_result whole = feed_request(row->input, row->size, limits, FEED_WHOLE);

    check_result(row, &whole);
    for (size_t cut = 0; cut < row->size; cut++) {
        feed_result other =
            feed_request(row->input, row->size, limits, cut ? FEED_CUTS(cut, SIZE_MAX) : FEED_BYTES);

        if (other.transcript.size != whole.transcript.size ||
            memcmp(other.transcript.data, whole.transcript.data, whole.transcript.size) != 0)
            fail_msg("%s: cut at %zu (0: everywhere) gives\n%s\nbut whole\n%s", row->name, cut,
                     other.transcript.data, whole.transcript.data);
        feed_free(&other);
    }
    feed_free(&whole);
}

#define CHECK_ROWS(rows, limits)                                 \
    for (size_t i_ = 0; i_ < sizeof rows / sizeof rows[0]; i_++) \
    check_row(&rows[i_], limits)

static void request_lines(void **state)
{
    static const struct row rows[] = {
        READS("the usual", GET HOST "\r\n", ""),
        READS("a query", "GET /a?b=c&d=%20#e HTTP/1.1\r\n" HOST "\r\n", ""),
        READS("absolute form", "GET http://a/b HTTP/1.1\r\n" HOST "\r\n", ""),
        READS("authority form", "CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n", ""),
        READS("asterisk form", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", ""),
        READS("another method", "M-SEARCH * HTTP/1.1\r\n" HOST "\r\n", ""),
        READS("bare LF", "GET / HTTP/1.1\nHost: a\n\n", ""),
        READS("an empty line before it", "\r\n" GET HOST "\r\n", ""),
        READS("an empty line of LF before it", "\n" GET HOST "\r\n", ""),
        IS_BAD("two empty lines before it", "\r\n\r\n" GET HOST "\r\n", 400, "method"),
        IS_BAD("a lone CR before it", "\r" GET HOST "\r\n", 400, "carriage return"),
        IS_BAD("a TLS hello", "\x16\x03\x01\x02", 400, "method"),
        IS_BAD("a space before it", " " GET HOST "\r\n", 400, "method"),
        IS_BAD("an empty line and a space before it", "\r\n " GET HOST "\r\n", 400, "method"),
        IS_BAD("no method", "/ HTTP/1.1\r\n" HOST "\r\n", 400, "method"),
        IS_BAD("a method not a token", "G(T / HTTP/1.1\r\n" HOST "\r\n", 400, "method"),
        IS_BAD("one word", "GET\r\n" HOST "\r\n", 400, "method"),
        IS_BAD("no target", "GET  HTTP/1.1\r\n" HOST "\r\n", 400, "has no target"),
        IS_BAD("HTTP/0.9", "GET /\r\n\r\n", 400, "has no target"),
        IS_BAD("a tab", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", 400, "method"),
        IS_BAD("two spaces before the target", "GET  / HTTP/1.1\r\n" HOST "\r\n", 400, "has no target"),
        IS_BAD("two spaces behind the target", "GET /  HTTP/1.1\r\n" HOST "\r\n", 400, "version"),
        IS_BAD("a space in the target", "GET /a b HTTP/1.1\r\n" HOST "\r\n", 400, "version"),
        IS_BAD("a space behind the version", "GET / HTTP/1.1 \r\n" HOST "\r\n", 400, "version"),
        IS_BAD("a target beyond ASCII", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", 400, "the target has"),
        IS_BAD("a control character in the target", "GET /\x01 HTTP/1.1\r\n" HOST "\r\n", 400, "control"),
        IS_BAD("NUL in the target", "GET /\0 HTTP/1.1\r\n" HOST "\r\n", 400, "NUL"),
        IS_BAD("DEL in the target", "GET /\x7f HTTP/1.1\r\n" HOST "\r\n", 400, "control"),
        IS_BAD("a lone CR", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400, "carriage return"),
        IS_BAD("another protocol", "GET / HTCPCP/1.0\r\n" HOST "\r\n", 400, "version"),
        IS_BAD("HTTP in lower case", "GET / http/1.1\r\n" HOST "\r\n", 400, "version"),
        IS_BAD("1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", 505, "version"),
        IS_BAD("2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version"),
        IS_BAD("1.10", "GET / HTTP/1.10\r\n" HOST "\r\n", 400, "version"),
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void hosts(void **state)
{
    static const struct row rows[] = {
        READS("a port", GET "Host: a:80\r\n\r\n", ""),
        READS("an IPv6 address", GET "Host: [::1]:80\r\n\r\n", ""),
        READS("an empty one", GET "Host:\r\n\r\n", ""),
        CLOSES("none in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", ""),
        IS_BAD("none", GET "\r\n", 400, "no Host"),
        IS_BAD("two", GET HOST HOST "\r\n", 400, "twice"),
        IS_BAD("two in HTTP/1.0", "GET / HTTP/1.0\r\n" HOST HOST "\r\n", 400, "twice"),
        IS_BAD("a list", GET "Host: a, b\r\n\r\n", 400, "Host has"),
        IS_BAD("two words", GET "Host: a b\r\n\r\n", 400, "Host has"),
        IS_BAD("a path", GET "Host: a/b\r\n\r\n", 400, "Host has"),
        IS_BAD("userinfo", GET "Host: a@b\r\n\r\n", 400, "Host has"),
        IS_BAD("beyond ASCII", GET "Host: \xc3\xa9\r\n\r\n", 400, "Host has"),
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void framing(void **state)
{
    static const struct row rows[] = {
        READS("no body", POST "\r\n", ""),
        READS("a length", POST "Content-Length: 5\r\n\r\nhello", "hello"),
        READS("chunked", POST "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\na: b\r\n\r\n", "hi"),
        READS("a body with GET", GET HOST "Content-Length: 2\r\n\r\nhi", "hi"),
        LEAVES("the next request behind it", POST "Content-Length: 2\r\n\r\nhi" GET, "hi", sizeof GET - 1),
        CLOSES("close", POST "Connection: close\r\nContent-Length: 2\r\n\r\nhi", "hi"),
        READS("keep-alive in HTTP/1.0", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", ""),
        IS_BAD("both", POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "both"),
        IS_BAD("chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
               "HTTP/1.0"),
        IS_BAD("another coding", POST "Transfer-Encoding: gzip\r\n\r\n", 400, "not \"chunked\""),
        IS_BAD("a coding behind chunked", POST "Transfer-Encoding: chunked, gzip\r\n\r\n", 400,
               "not \"chunked\""),
        IS_BAD("a coding twice", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
               "twice"),
        IS_BAD("different lengths", POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, "twice"),
        IS_BAD("a bad length", POST "Content-Length: +5\r\n\r\n", 400, "not a number"),
        IS_BAD("a blank before a colon", POST "Content-Length : 5\r\n\r\n", 400, "blank"),
        IS_BAD("a bad chunk size", POST "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, "hexadecimal"),
        ENDS("nothing", "", GA_EDISCONNECTED),
        ENDS("a part of the head", GET "Ho", GA_EDISCONNECTED),
        ENDS("a part of the body", POST "Content-Length: 5\r\n\r\nhell", GA_ETRUNCATED),
        ENDS("no last chunk", POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", GA_ETRUNCATED),
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void limits_name_the_status(void **state)
{
    static const struct row rows[] = {
        READS("a line of 30", "GET /6789012345678901 HTTP/1.1\r\n" HOST "\r\n", ""),
        TOO_BIG("a request line of 31", "GET /67890123456789012 HTTP/1.1\r\n" HOST "\r\n", 414),
        TOO_BIG("a request line without an end", "GET /6789012345678901234567890123456789", 414),
        TOO_BIG("a field line of 31", GET "a: 4567890123456789012345678901\r\n" HOST "\r\n", 431),
        TOO_BIG("3 fields", GET HOST "a: b\r\na: b\r\n\r\n", 431),
        TOO_BIG("a large head", GET HOST "a: 456789012345678901234\r\nb: 45678901234\r\n\r\n", 431),
    };
    static const ga__http1_limits small = {
        .head = {.max_size = 60, .max_line = 30, .max_fields = 2},
    };

    (void)state;
    CHECK_ROWS(rows, &small);
}

static void a_whole_request_survives_the_end(void **state)
{
    char input[] = GET HOST "\r\n";
    ga__http1_request request;
    ga__headers_table table;
    size_t consumed;

    (void)state;
    ga__headers_table_init(&table);
    ga__http1_request_init(&request, NULL);
    assert_int_equal(ga__http1_request_head(&request, &table, input, sizeof input - 1, &consumed),
                     GA__HTTP1_DONE);
    assert_int_equal(ga__http1_request_eof(&request), GA__HTTP1_DONE);
    ga__http1_request_free(&request);
    ga__headers_table_free(&table);
}

static void gives_its_parts(void **state)
{
    static const char input[] = "\r\nPUT /a/b?c HTTP/1.1\r\nHost: x:1\r\nExpect: 100-Continue\r\nA:\tb \r\n"
                                "Content-Length: 2\r\n\r\nhi";
    feed_result result = feed_request(input, sizeof input - 1, NULL, FEED_BYTES);

    (void)state;
    assert_string_equal(
        result.transcript.data,
        "PUT /a/b?c 1.1 expects 100\nHost: x:1\nExpect: 100-Continue\nA: b\nContent-Length: 2\n"
        "body: hi\n1, no problem, keep alive 1, surplus 0\n");
    feed_free(&result);
}

static void reads_what_the_writer_writes(void **state)
{
    ga__buffer buffer = GA__BUFFER_INIT;
    ga__http1_writer writer;

    (void)state;
    ga__http1_write_request(&writer, &buffer, "POST", GA__SLICE("/todos?userId=1"),
                            GA__SLICE("example.com:8080"));
    ga__http1_write_field(&writer, "Accept", " application/json\t");
    ga__http1_write_field(&writer, "X-Empty", "");
    assert_int_equal(ga__http1_write_end(&writer, GA__BODY_LENGTH, 2), GA_OK);
    ga__buffer_add(&buffer, "{}");
    feed_result result = feed_request(buffer.data, buffer.size, NULL, FEED_BYTES);

    assert_string_equal(
        result.transcript.data,
        "POST /todos?userId=1 1.1\nHost: example.com:8080\nAccept: application/json\nX-Empty: \n"
        "Content-Length: 2\nbody: {}\n1, no problem, keep alive 1, surplus 0\n");
    feed_free(&result);
    ga__buffer_free(&buffer);
}

static void reads_the_chunks_that_are_written(void **state)
{
    static const size_t sizes[] = {1, 9, 10, 15, 16, 255, 256, 4095, 4096, 65535, 65536};
    ga__buffer buffer = GA__BUFFER_INIT;
    ga__http1_writer writer;
    size_t total = 0;

    (void)state;
    ga__http1_write_request(&writer, &buffer, "POST", GA__SLICE("/"), GA__SLICE("a"));
    assert_int_equal(ga__http1_write_end(&writer, GA__BODY_CHUNKED, 0), GA_OK);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char prefix[GA__CHUNK_PREFIX_MAX];

        ga__buffer_append(&buffer, prefix, ga__chunked_prefix(prefix, sizes[i]));
        for (size_t n = 0; n < sizes[i]; n++)
            ga__buffer_add_char(&buffer, '0');
        ga__buffer_add(&buffer, "\r\n");
        total += sizes[i];
    }
    ga__buffer_add(&buffer, "0\r\n\r\n");
    feed_result result = feed_request(buffer.data, buffer.size, NULL, FEED_CUTS(1000));

    assert_int_equal(result.code, GA__HTTP1_DONE);
    assert_int_equal(result.body.size, total);
    assert_int_equal(result.surplus, 0);
    feed_free(&result);
    ga__buffer_free(&buffer);
}

static void chunk_prefixes(void **state)
{
    char prefix[GA__CHUNK_PREFIX_MAX];

    (void)state;
    assert_int_equal(ga__chunked_prefix(prefix, 500), 5);
    assert_memory_equal(prefix, "1f4\r\n", 5);
    assert_int_equal(ga__chunked_prefix(prefix, UINT64_MAX), GA__CHUNK_PREFIX_MAX);
    assert_memory_equal(prefix, "ffffffffffffffff\r\n", GA__CHUNK_PREFIX_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_lines),
        cmocka_unit_test(hosts),
        cmocka_unit_test(framing),
        cmocka_unit_test(limits_name_the_status),
        cmocka_unit_test(a_whole_request_survives_the_end),
        cmocka_unit_test(gives_its_parts),
        cmocka_unit_test(reads_what_the_writer_writes),
        cmocka_unit_test(reads_the_chunks_that_are_written),
        cmocka_unit_test(chunk_prefixes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
