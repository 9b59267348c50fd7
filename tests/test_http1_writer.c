/* SPDX-License-Identifier: MIT */
/* Writing heads: what is written, byte for byte, and that nothing which breaks the syntax is. */
#include "check.h"

#include "protocol/http1_writer.h"

#include <gather/error.h>
#include <string.h>

/* A request with one field and a body, and what is to come of it: the bytes, or the problem. */
struct row {
    const char *method, *target, *host;
    ga_pair fields[3];
    ga__body_kind kind;
    uint64_t length;
    const char *bytes;
    const char *problem;
};

static void check_row(const struct row *row)
{
    ga__buffer buffer = GA__BUFFER_INIT;
    ga__http1_writer writer;
    ga__slice host = row->host ? ga__slice_of(row->host) : (ga__slice){NULL, 0};

    ga__buffer_add(&buffer, "before");
    ga__http1_write_request(&writer, &buffer, row->method, ga__slice_of(row->target), host);
    for (int i = 0; i < 3 && row->fields[i].name; i++)
        ga__http1_write_field(&writer, row->fields[i].name, row->fields[i].value);
    int code = ga__http1_write_end(&writer, row->kind, row->length);

    if (row->bytes) {
        if (code)
            fail_msg("%s %s: %s", row->method, row->target, writer.problem);
        assert_memory_equal(buffer.data, "before", 6);
        assert_string_equal(buffer.data + 6, row->bytes);
    } else {
        if (code != GA_EHEADER || !strstr(writer.problem, row->problem))
            fail_msg("%s %s, %s: %d, \"%s\" does not say \"%s\"", row->method, row->target,
                     row->fields[0].name, code, writer.problem, row->problem);
        assert_string_equal(buffer.data, "before");
    }
    ga__buffer_free(&buffer);
}

#define CHECK_ROWS(rows)                                         \
    for (size_t i_ = 0; i_ < sizeof rows / sizeof rows[0]; i_++) \
    check_row(&rows[i_])

#define GOOD(method, target, host, bytes)                                   \
    {                                                                       \
        method, target, host, {{NULL, NULL}}, GA__BODY_NONE, 0, bytes, NULL \
    }
#define BAD(method, target, host, problem)                                    \
    {                                                                         \
        method, target, host, {{NULL, NULL}}, GA__BODY_NONE, 0, NULL, problem \
    }

static void request_lines(void **state)
{
    static const struct row rows[] = {
        GOOD("GET", "/", "a", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        GOOD("M-SEARCH", "*", "[::1]:80", "M-SEARCH * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
        GOOD("GET", "/", "", "GET / HTTP/1.1\r\nHost: \r\n\r\n"),
        BAD("", "/", "a", "method"),
        BAD("G T", "/", "a", "method"),
        BAD("GET\r\nX: y", "/", "a", "method"),
        BAD("G\xc3\x89T", "/", "a", "method"),
        BAD("GET", "", "a", "target"),
        BAD("GET", "/a b", "a", "target"),
        BAD("GET", "/ HTTP/1.1\r\nX: y\r\n\r\n", "a", "target"),
        BAD("GET", "/\r", "a", "target"),
        BAD("GET", "/\n", "a", "target"),
        BAD("GET", "/\t", "a", "target"),
        BAD("GET", "/\x01", "a", "target"),
        BAD("GET", "/\x7f", "a", "target"),
        BAD("GET", "/\xc3\xa9", "a", "target"),
        BAD("GET", "/", "a\r\nX: y", "host"),
        BAD("GET", "/", "a b", "host"),
        BAD("GET", "/", "a/b", "host"),
        BAD("GET", "/", "user@a", "host"),
        BAD("GET", "/", NULL, "no Host"),
    };

    (void)state;
    CHECK_ROWS(rows);
}

#define WITH(kind, length, bytes, ...)                            \
    {                                                             \
        "PUT", "/", "a", {__VA_ARGS__}, kind, length, bytes, NULL \
    }
#define REFUSED(kind, length, problem, ...)                         \
    {                                                               \
        "PUT", "/", "a", {__VA_ARGS__}, kind, length, NULL, problem \
    }
#define START "PUT / HTTP/1.1\r\nHost: a\r\n"

static void fields(void **state)
{
    static const struct row rows[] = {
        WITH(GA__BODY_NONE, 0, START "a: b\r\na: c\r\n\r\n", {"a", "b"}, {"a", "c"}),
        WITH(GA__BODY_NONE, 0, START "a: \r\nb: c d\r\n\r\n", {"a", ""}, {"b", "\t c d  "}),
        WITH(GA__BODY_NONE, 0, START "a: b\tc\xc3\xa9\r\n\r\n", {"a", "b\tc\xc3\xa9"}),
        REFUSED(GA__BODY_NONE, 0, "empty", {"", "b"}),
        REFUSED(GA__BODY_NONE, 0, "header name", {"a b", "c"}),
        REFUSED(GA__BODY_NONE, 0, "header name", {"a:", "c"}),
        REFUSED(GA__BODY_NONE, 0, "header name", {"a\r\nb", "c"}),
        REFUSED(GA__BODY_NONE, 0, "header name", {"\xc3\xa9", "c"}),
        REFUSED(GA__BODY_NONE, 0, "line feed", {"a", "b\nc: d"}),
        REFUSED(GA__BODY_NONE, 0, "carriage return", {"a", "b\r\nc: d"}),
        REFUSED(GA__BODY_NONE, 0, "line feed", {"a", "b\n"}),
        REFUSED(GA__BODY_NONE, 0, "carriage return", {"a", "0123456789012345678901234567890123456789\r"}),
        REFUSED(GA__BODY_NONE, 0, "control", {"a", "b\x1b[0m"}),
        REFUSED(GA__BODY_NONE, 0, "control", {"a", "b\x7f"}),
        REFUSED(GA__BODY_NONE, 0, "line feed", {"a", "good"}, {"b", "bad\n"}, {"c", "good"}),
        REFUSED(GA__BODY_NONE, 0, "Host is given twice", {"hOST", "b"}),
        {"PUT", "/", NULL, {{"Host", "b"}}, GA__BODY_NONE, 0, "PUT / HTTP/1.1\r\nHost: b\r\n\r\n", NULL},
        {"PUT", "/", NULL, {{"Host", "b"}, {"host", "b"}}, GA__BODY_NONE, 0, NULL, "Host is given twice"},
        {"PUT", "/", NULL, {{"Host", "a,b"}}, GA__BODY_NONE, 0, NULL, "host"},
        {"PUT", "/", NULL, {{"Host", "a b"}}, GA__BODY_NONE, 0, NULL, "host"},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void framing(void **state)
{
    static const struct row rows[] = {
        WITH(GA__BODY_LENGTH, 0, START "Content-Length: 0\r\n\r\n", {NULL, NULL}),
        WITH(GA__BODY_LENGTH, INT64_MAX, START "Content-Length: 9223372036854775807\r\n\r\n", {NULL, NULL}),
        WITH(GA__BODY_CHUNKED, 0, START "Transfer-Encoding: chunked\r\n\r\n", {NULL, NULL}),
        WITH(GA__BODY_LENGTH, 5, START "Content-Length: 5\r\n\r\n", {"content-length", " 5"}),
        WITH(GA__BODY_NONE, 0, START "Content-Length: 0\r\n\r\n", {"Content-Length", "0"}),
        WITH(GA__BODY_CHUNKED, 0, START "Transfer-Encoding: chunked\r\n\r\n",
             {"transfer-encoding", "Chunked"}),
        REFUSED(GA__BODY_LENGTH, 5, "not the body's length", {"Content-Length", "6"}),
        REFUSED(GA__BODY_NONE, 0, "no body", {"Content-Length", "6"}),
        REFUSED(GA__BODY_CHUNKED, 0, "not known", {"Content-Length", "6"}),
        REFUSED(GA__BODY_LENGTH, 5, "twice", {"Content-Length", "5"}, {"content-length", "5"}),
        REFUSED(GA__BODY_LENGTH, 5, "not a number", {"Content-Length", "+5"}),
        REFUSED(GA__BODY_LENGTH, 5, "not a number", {"Content-Length", "5, 5"}),
        REFUSED(GA__BODY_LENGTH, 5, "is known", {"Transfer-Encoding", "chunked"}),
        REFUSED(GA__BODY_NONE, 0, "is known", {"Transfer-Encoding", "chunked"}),
        REFUSED(GA__BODY_CHUNKED, 0, "not \"chunked\"", {"Transfer-Encoding", "gzip, chunked"}),
        REFUSED(GA__BODY_CHUNKED, 0, "twice", {"Transfer-Encoding", "chunked"},
                {"Transfer-Encoding", "chunked"}),
        REFUSED(GA__BODY_CHUNKED, 0, "both", {"Transfer-Encoding", "chunked"}, {"Content-Length", "5"}),
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void tells_which_field_is_at_fault(void **state)
{
    ga__buffer buffer = GA__BUFFER_INIT;
    ga__http1_writer writer;

    (void)state;
    ga__http1_write_request(&writer, &buffer, "GET", GA__SLICE("/"), GA__SLICE("a"));
    ga__http1_write_field(&writer, "Good", "x");
    assert_null(writer.culprit);
    ga__http1_write_field(&writer, "X-Bad", "x\ny");
    ga__http1_write_field(&writer, "X-Worse", "x\ry");
    ga__http1_write_lines(&writer, "A: b\r\n", 6, 0);
    assert_int_equal(writer.culprit_size, strlen("X-Bad"));
    assert_memory_equal(writer.culprit, "X-Bad", strlen("X-Bad"));
    assert_int_equal(ga__http1_write_end(&writer, GA__BODY_NONE, 0), GA_EHEADER);
    assert_string_equal(writer.problem, "a header value has a line feed");
    ga__buffer_free(&buffer);
}

static void a_nul_in_a_sized_value_is_refused(void **state)
{
    ga__buffer buffer = GA__BUFFER_INIT;
    ga__http1_writer writer;

    (void)state;
    ga__http1_write_request(&writer, &buffer, "GET", GA__SLICE("/"), GA__SLICE("a"));
    ga__http1_write_field_sized(&writer, "name", 2, "value", 3);
    ga__http1_write_field_sized(&writer, "name", 4, "a\0b", 3);
    assert_int_equal(ga__http1_write_end(&writer, GA__BODY_NONE, 0), GA_EHEADER);
    assert_string_equal(writer.problem, "a header value has a NUL");
    ga__buffer_free(&buffer);
}

static void lines_made_before_count_as_passed(void **state)
{
    static const char lines[] = "Host: a\r\nUser-Agent: gather\r\n";
    ga__buffer buffer = GA__BUFFER_INIT;
    ga__http1_writer writer;

    (void)state;
    ga__http1_write_request(&writer, &buffer, "GET", GA__SLICE("/"), (ga__slice){NULL, 0});
    ga__http1_write_lines(&writer, lines, sizeof lines - 1, UINT64_C(1) << GA__FIELD_HOST);
    assert_int_equal(ga__http1_write_end(&writer, GA__BODY_NONE, 0), GA_OK);
    assert_string_equal(buffer.data, "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: gather\r\n\r\n");

    ga__http1_write_request(&writer, &buffer, "GET", GA__SLICE("/"), (ga__slice){NULL, 0});
    ga__http1_write_lines(&writer, lines, sizeof lines - 1, UINT64_C(1) << GA__FIELD_HOST);
    ga__http1_write_field(&writer, "Host", "b");
    assert_int_equal(ga__http1_write_end(&writer, GA__BODY_NONE, 0), GA_EHEADER);
    ga__buffer_free(&buffer);
}

static void checks_a_field_alone(void **state)
{
    const char *problem;

    (void)state;
    assert_int_equal(ga__http1_check_field("X-Name", "value", &problem), GA_OK);
    assert_null(problem);
    assert_int_equal(ga__http1_check_field("X Name", "value", &problem), GA_EHEADER);
    assert_string_equal(problem, "a header name has a character that is not allowed");
    assert_int_equal(ga__http1_check_field("X-Name", "a\r\nb", &problem), GA_EHEADER);
    assert_string_equal(problem, "a header value has a carriage return");
}

static void responses(void **state)
{
    ga__buffer buffer = GA__BUFFER_INIT;
    ga__http1_writer writer;

    (void)state;
    ga__http1_write_response(&writer, &buffer, 200, "OK");
    ga__http1_write_field(&writer, "Content-Type", "text/plain");
    assert_int_equal(ga__http1_write_end(&writer, GA__BODY_LENGTH, 7), GA_OK);
    ga__http1_write_response(&writer, &buffer, 304, "");
    ga__http1_write_field(&writer, "Content-Length", "7");
    assert_int_equal(ga__http1_write_end(&writer, GA__BODY_NONE, 0), GA_OK);
    assert_string_equal(buffer.data,
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\n"
                        "HTTP/1.1 304 \r\nContent-Length: 7\r\n\r\n");
    ga__buffer_clear(&buffer);

    ga__http1_write_response(&writer, &buffer, 100, "Continue");
    assert_int_equal(ga__http1_write_end(&writer, GA__BODY_NONE, 0), GA_OK);
    ga__http1_write_response(&writer, &buffer, 999, "Odd");
    assert_int_equal(ga__http1_write_end(&writer, GA__BODY_NONE, 0), GA_OK);
    assert_string_equal(buffer.data, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 999 Odd\r\n\r\n");
    ga__buffer_clear(&buffer);

    ga__http1_write_response(&writer, &buffer, 99, "OK");
    assert_int_equal(ga__http1_write_end(&writer, GA__BODY_NONE, 0), GA_EHEADER);
    ga__http1_write_response(&writer, &buffer, 1000, "OK");
    assert_int_equal(ga__http1_write_end(&writer, GA__BODY_NONE, 0), GA_EHEADER);
    ga__http1_write_response(&writer, &buffer, 200, "O\r\nK: v");
    assert_int_equal(ga__http1_write_end(&writer, GA__BODY_NONE, 0), GA_EHEADER);
    assert_string_equal(buffer.data, "");
    ga__buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_lines),
        cmocka_unit_test(fields),
        cmocka_unit_test(framing),
        cmocka_unit_test(tells_which_field_is_at_fault),
        cmocka_unit_test(a_nul_in_a_sized_value_is_refused),
        cmocka_unit_test(lines_made_before_count_as_passed),
        cmocka_unit_test(checks_a_field_alone),
        cmocka_unit_test(responses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
