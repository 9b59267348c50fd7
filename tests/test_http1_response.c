/* SPDX-License-Identifier: MIT */
/*
 * Receiving responses: every good and bad form, fed whole, byte by byte and cut at every position, always
 * with the same outcome.
 */
#include "check.h"
#include "http1_feed.h"

/* A response, and what is to come of it. */
struct row {
    const char *name;
    const char *input;
    size_t size;
    int code;            /* GA__HTTP1_DONE, or the failure */
    const char *problem; /* with a failure: a part of what is said; NULL: anything */
    const char *body;    /* without a failure; with one: what is handed out before it, NULL: anything */
    int status;
    bool keep_alive;
    size_t surplus;
    unsigned asked;
};

#define BYTES(literal) literal, sizeof(literal) - 1

#define FAILS(name, input, code, problem)                       \
    {                                                           \
        name, BYTES(input), code, problem, NULL, 0, false, 0, 0 \
    }
#define IS_BAD(name, input, problem) FAILS(name, input, GA_EPROTOCOL, problem)
#define CLOSES(name, input, status, body)                                   \
    {                                                                       \
        name, BYTES(input), GA__HTTP1_DONE, NULL, body, status, false, 0, 0 \
    }
#define KEEPS(name, input, status, body)                                   \
    {                                                                      \
        name, BYTES(input), GA__HTTP1_DONE, NULL, body, status, true, 0, 0 \
    }
#define KEEPS_ASKED(name, asked, input, status, body)                          \
    {                                                                          \
        name, BYTES(input), GA__HTTP1_DONE, NULL, body, status, true, 0, asked \
    }
#define LEAVES(name, asked, input, status, body, surplus)                            \
    {                                                                                \
        name, BYTES(input), GA__HTTP1_DONE, NULL, body, status, true, surplus, asked \
    }
#define TUNNELS(name, asked, input, status, surplus)                                \
    {                                                                               \
        name, BYTES(input), GA__HTTP1_DONE, NULL, "", status, false, surplus, asked \
    }

#define OK_LINE "HTTP/1.1 200 OK\r\n"
#define EMPTY "Content-Length: 0\r\n\r\n"
#define CHUNKED OK_LINE "Transfer-Encoding: chunked\r\n\r\n"

static void check_result(const struct row *row, const feed_result *result)
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
static void check_row(const struct row *row, const ga__http1_limits *limits)
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

static void check_rows(const struct row *rows, size_t count, const ga__http1_limits *limits)
{
    for (size_t i = 0; i < count; i++)
        check_row(&rows[i], limits);
}

#define CHECK_ROWS(rows, limits) check_rows(rows, sizeof rows / sizeof rows[0], limits)

static void status_lines(void **state)
{
    static const struct row rows[] = {
        KEEPS("the usual", OK_LINE EMPTY, 200, ""),
        KEEPS("no reason", "HTTP/1.1 200 \r\n" EMPTY, 200, ""),
        KEEPS("no reason and no space", "HTTP/1.1 200\r\n" EMPTY, 200, ""),
        KEEPS("reason beyond ASCII",
              "HTTP/1.1 200 C\xc3\xa7"
              "a va \xe9\r\n" EMPTY,
              200, ""),
        KEEPS("reason with a tab", "HTTP/1.1 200 O\tK\r\n" EMPTY, 200, ""),
        KEEPS("reason that begins with a space", "HTTP/1.1 200  OK\r\n" EMPTY, 200, ""),
        KEEPS("status 999", "HTTP/1.1 999 Odd\r\n" EMPTY, 999, ""),
        KEEPS("status 600", "HTTP/1.1 600 Odd\r\n" EMPTY, 600, ""),
        IS_BAD("HTTP/0.9", "<html>hello</html>\r\n", "HTTP/"),
        IS_BAD("SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "HTTP/"),
        IS_BAD("a TLS alert", "\x15\x03\x03\x00\x02\x02\x28", "HTTP/"),
        IS_BAD("leading space", " " OK_LINE EMPTY, "HTTP/"),
        IS_BAD("leading empty line", "\r\n" OK_LINE EMPTY, "HTTP/"),
        IS_BAD("lower case", "http/1.1 200 OK\r\n" EMPTY, "HTTP/"),
        IS_BAD("ICY", "ICY 200 OK\r\n\r\n", "HTTP/"),
        IS_BAD("another protocol", "HTTPS/1.1 200 OK\r\n\r\n", "HTTP/"),
        IS_BAD("a space within", "HTTP /1.1 200 OK\r\n\r\n", "HTTP/"),
        IS_BAD("1.2", "HTTP/1.2 200 OK\r\n" EMPTY, "version"),
        IS_BAD("2.0", "HTTP/2.0 200 OK\r\n" EMPTY, "version"),
        IS_BAD("2", "HTTP/2 200 OK\r\n" EMPTY, "version"),
        IS_BAD("3.7", "HTTP/3.7 200 OK\r\n" EMPTY, "version"),
        IS_BAD("0.9 by name", "HTTP/0.9 200 OK\r\n" EMPTY, "version"),
        IS_BAD("01.1", "HTTP/01.1 200 OK\r\n" EMPTY, "version"),
        IS_BAD("1.01", "HTTP/1.01 200 OK\r\n" EMPTY, "version"),
        IS_BAD("11.1", "HTTP/11.1 200 OK\r\n" EMPTY, "version"),
        IS_BAD("1,1", "HTTP/1,1 200 OK\r\n" EMPTY, "version"),
        IS_BAD("1.1.1", "HTTP/1.1.1 200 OK\r\n" EMPTY, "version"),
        IS_BAD("many digits",
               "HTTP/1.1111111111111111111111111111111111111111111111111111111 200 OK\r\n" EMPTY, "version"),
        IS_BAD("no version", "HTTP/ 200 OK\r\n" EMPTY, "version"),
        IS_BAD("nothing behind the version", "HTTP/1.1\r\n\r\n", "space"),
        IS_BAD("two spaces", "HTTP/1.1  200 OK\r\n" EMPTY, "status"),
        IS_BAD("a tab", "HTTP/1.1\t200 OK\r\n" EMPTY, "space"),
        IS_BAD("a tab behind the status", "HTTP/1.1 200\tOK\r\n" EMPTY, "status"),
        IS_BAD("status of 2 digits", "HTTP/1.1 20 OK\r\n" EMPTY, "status"),
        IS_BAD("status of 4 digits", "HTTP/1.1 2000 OK\r\n" EMPTY, "status"),
        IS_BAD("status 099", "HTTP/1.1 099 OK\r\n" EMPTY, "status"),
        IS_BAD("status 000", "HTTP/1.1 000 OK\r\n" EMPTY, "status"),
        IS_BAD("status below zero", "HTTP/1.1 -20 OK\r\n" EMPTY, "status"),
        IS_BAD("status with a sign", "HTTP/1.1 +20 OK\r\n" EMPTY, "status"),
        IS_BAD("status of letters", "HTTP/1.1 2xx OK\r\n" EMPTY, "status"),
        IS_BAD("status glued to the reason", "HTTP/1.1 200OK\r\n" EMPTY, "status"),
        IS_BAD("status of digits beyond ASCII", "HTTP/1.1 \xd9\xa2\xd9\xa0\xd9\xa0 OK\r\n" EMPTY, "status"),
        IS_BAD("no status", "HTTP/1.1 OK\r\n" EMPTY, "status"),
        IS_BAD("NUL in the reason", "HTTP/1.1 200 O\0K\r\n" EMPTY, "NUL"),
        IS_BAD("control character in the reason", "HTTP/1.1 200 O\x1bK\r\n" EMPTY, "control"),
        IS_BAD("DEL in the reason", "HTTP/1.1 200 O\x7fK\r\n" EMPTY, "control"),
        IS_BAD("lone CR in the reason", "HTTP/1.1 200 O\rK\r\n" EMPTY, "carriage return"),
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void header_lines(void **state)
{
    static const struct row rows[] = {
        KEEPS("no blank behind the colon", OK_LINE "a:b\r\n" EMPTY, 200, ""),
        KEEPS("empty value", OK_LINE "a:\r\n" EMPTY, 200, ""),
        KEEPS("value of blanks", OK_LINE "a: \t \r\n" EMPTY, 200, ""),
        KEEPS("colons in the value", OK_LINE "a:::\r\n" EMPTY, 200, ""),
        KEEPS("value beyond ASCII", OK_LINE "a: \xe2\x82\xac\xff\r\n" EMPTY, 200, ""),
        KEEPS("all characters of a token", OK_LINE "!#$%&'*+-.^_`|~09azAZ: x\r\n" EMPTY, 200, ""),
        KEEPS("bare LF", "HTTP/1.1 200 OK\na: b\nContent-Length: 2\n\nhi", 200, "hi"),
        KEEPS("folded", OK_LINE "a: b\r\n c\r\n\td\r\n" EMPTY, 200, ""),
        KEEPS("folded with a bare LF", OK_LINE "a: b\n c\r\n" EMPTY, 200, ""),
        KEEPS("a folded length", OK_LINE "Content-Length:\r\n 2\r\n\r\nhi", 200, "hi"),
        IS_BAD("a length folded in two", OK_LINE "Content-Length: 1\r\n 2\r\n\r\nhi", "not a number"),
        IS_BAD("the first line folded", OK_LINE " a: b\r\n" EMPTY, "folded"),
        IS_BAD("no colon", OK_LINE "abc\r\n" EMPTY, "colon"),
        IS_BAD("no colon in the last line", OK_LINE "a: b\r\nabc\r\n\r\n", "colon"),
        IS_BAD("no name", OK_LINE ": b\r\n" EMPTY, "no name"),
        IS_BAD("space before the colon", OK_LINE "a : b\r\n" EMPTY, "blank"),
        IS_BAD("tab before the colon", OK_LINE "a\t: b\r\n" EMPTY, "blank"),
        IS_BAD("space in the name", OK_LINE "a b: c\r\n" EMPTY, "blank"),
        IS_BAD("name not a token", OK_LINE "a(b): c\r\n" EMPTY, "header name"),
        IS_BAD("name with a slash", OK_LINE "a/b: c\r\n" EMPTY, "header name"),
        IS_BAD("UTF-8 in the name", OK_LINE "caf\xc3\xa9: c\r\n" EMPTY, "header name"),
        IS_BAD("NUL in the name", OK_LINE "a\0b: c\r\n" EMPTY, "header name"),
        IS_BAD("NUL in the value", OK_LINE "a: b\0c\r\n" EMPTY, "NUL"),
        IS_BAD("NUL far behind in the value",
               OK_LINE "a: 0123456789012345678901234567890123456789\0\r\n" EMPTY, "NUL"),
        IS_BAD("vertical tab in the value", OK_LINE "a: b\vc\r\n" EMPTY, "control"),
        IS_BAD("DEL in the value", OK_LINE "a: b\x7f\r\n" EMPTY, "control"),
        IS_BAD("DEL among the first 16 of the value",
               OK_LINE "a: bc\x7f"
                       "0123456789012345678901234\r\n" EMPTY,
               "control"),
        IS_BAD("lone CR in the value", OK_LINE "a: b\rc\r\n" EMPTY, "carriage return"),
        IS_BAD("lone CR in the name", OK_LINE "a\rb: c\r\n" EMPTY, "no colon"),
        IS_BAD("lone CR at the line's beginning", OK_LINE "\ra: c\r\n" EMPTY, "carriage return"),
        IS_BAD("two CR at the line's end", OK_LINE "a: c\r\r\n" EMPTY, "carriage return"),
        IS_BAD("CR LF smuggled into Location", OK_LINE "Location: /a\rSet-Cookie: b\r\n" EMPTY,
               "carriage return"),
        IS_BAD("a control character in a folded line", OK_LINE "a: b\r\n c\x01\r\n" EMPTY, "control"),
    };
    static const struct row strict_rows[] = {
        KEEPS("CR LF", OK_LINE "a: b\r\n" EMPTY, 200, ""),
        IS_BAD("bare LF behind the status line", "HTTP/1.1 200 OK\na: b\r\n" EMPTY, "line feed"),
        IS_BAD("bare LF behind a field", OK_LINE "a: b\n" EMPTY, "line feed"),
        IS_BAD("bare LF as the empty line", OK_LINE "a: b\r\n\n", "line feed"),
        IS_BAD("folded", OK_LINE "a: b\r\n c\r\n" EMPTY, "folded"),
    };
    ga__http1_limits strict = ga__http1_defaults;

    (void)state;
    strict.head.strict = true;
    CHECK_ROWS(rows, NULL);
    CHECK_ROWS(strict_rows, &strict);
}

static void the_end_of_the_connection(void **state)
{
    static const struct row rows[] = {
        FAILS("at once", "", GA_EDISCONNECTED, "before any byte"),
        FAILS("within the version", "HTTP/1", GA_EDISCONNECTED, "within the response head"),
        FAILS("within the status line", "HTTP/1.1 200 O", GA_EDISCONNECTED, "within the response head"),
        FAILS("behind the status line", OK_LINE, GA_EDISCONNECTED, "within the response head"),
        FAILS("within a field", OK_LINE "Content-Le", GA_EDISCONNECTED, "within the response head"),
        FAILS("before the empty line", OK_LINE "Content-Length: 0\r\n", GA_EDISCONNECTED,
              "within the response head"),
        FAILS("within the empty line", OK_LINE "Content-Length: 0\r\n\r", GA_EDISCONNECTED,
              "within the response head"),
        FAILS("behind an interim response", "HTTP/1.1 100 Continue\r\n\r\n", GA_EDISCONNECTED, "interim"),
        FAILS("within the head behind an interim response", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 2",
              GA_EDISCONNECTED, "within"),
        {"no byte of the body", BYTES(OK_LINE "Content-Length: 5\r\n\r\n"), GA_ETRUNCATED, "Content-Length",
         "", 200, false, 0, 0},
        {"a part of the body", BYTES(OK_LINE "Content-Length: 5\r\n\r\nhell"), GA_ETRUNCATED,
         "Content-Length", "hell", 200, false, 0, 0},
        {"no chunk", BYTES(CHUNKED), GA_ETRUNCATED, "chunk", "", 200, false, 0, 0},
        {"within a size", BYTES(CHUNKED "5"), GA_ETRUNCATED, "chunk", "", 200, false, 0, 0},
        {"within a chunk", BYTES(CHUNKED "5\r\nhel"), GA_ETRUNCATED, "chunk", "hel", 200, false, 0, 0},
        {"behind a chunk", BYTES(CHUNKED "5\r\nhello\r\n"), GA_ETRUNCATED, "chunk", "hello", 200, false, 0,
         0},
        {"within the last chunk", BYTES(CHUNKED "5\r\nhello\r\n0"), GA_ETRUNCATED, "chunk", "hello", 200,
         false, 0, 0},
        {"behind the last chunk", BYTES(CHUNKED "5\r\nhello\r\n0\r\n"), GA_ETRUNCATED, "chunk", "hello", 200,
         false, 0, 0},
        {"within the final CR LF", BYTES(CHUNKED "5\r\nhello\r\n0\r\n\r"), GA_ETRUNCATED, "chunk", "hello",
         200, false, 0, 0},
        {"within the trailers", BYTES(CHUNKED "5\r\nhello\r\n0\r\na: b\r\n"), GA_ETRUNCATED, "chunk", "hello",
         200, false, 0, 0},
        CLOSES("ends a body without framing", OK_LINE "\r\nhello", 200, "hello"),
        CLOSES("ends an empty body without framing", OK_LINE "\r\n", 200, ""),
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void content_length(void **state)
{
#define LENGTH(value) OK_LINE "Content-Length:" value "\r\n\r\nhello"
    static const struct row rows[] = {
        KEEPS("a number", LENGTH("5"), 200, "hello"),
        KEEPS("blanks around", LENGTH(" \t5 \t"), 200, "hello"),
        KEEPS("zeros in front", LENGTH(" 0000000000000000000000005"), 200, "hello"),
        KEEPS("any case", OK_LINE "CONTENT-lEngth: 5\r\n\r\nhello", 200, "hello"),
        KEEPS("the same twice in a list", LENGTH(" 5, 5"), 200, "hello"),
        KEEPS("the same in two lines", OK_LINE "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200,
              "hello"),
        LEAVES("bytes behind it", 0, LENGTH(" 3"), 200, "hel", 2),
        LEAVES("another response behind it", 0, OK_LINE EMPTY OK_LINE EMPTY, 200, "",
               sizeof OK_LINE EMPTY - 1),
        IS_BAD("+5", LENGTH(" +5"), "not a number"),
        IS_BAD("-1", LENGTH(" -1"), "not a number"),
        IS_BAD("0x10", LENGTH(" 0x10"), "not a number"),
        IS_BAD("5s", LENGTH(" 5s"), "not a number"),
        IS_BAD("5 5", LENGTH(" 5 5"), "not a number"),
        IS_BAD("5;5", LENGTH(" 5;5"), "not a number"),
        IS_BAD("5.0", LENGTH(" 5.0"), "not a number"),
        IS_BAD("1e3", LENGTH(" 1e3"), "not a number"),
        IS_BAD("a quoted number", LENGTH(" \"5\""), "not a number"),
        IS_BAD("digits beyond ASCII", LENGTH(" \xd9\xa5"), "not a number"),
        IS_BAD("none", LENGTH(""), "empty"),
        IS_BAD("blanks only", LENGTH("  "), "empty"),
        IS_BAD("an empty list element first", LENGTH(" ,5"), "empty"),
        IS_BAD("an empty list element last", LENGTH(" 5,"), "empty"),
        IS_BAD("an empty list element within", LENGTH(" 5,,5"), "empty"),
        IS_BAD("2^63", LENGTH(" 9223372036854775808"), "2^63"),
        IS_BAD("2^64", LENGTH(" 18446744073709551616"), "2^63"),
        IS_BAD("2^64 + 5", LENGTH(" 18446744073709551621"), "2^63"),
        IS_BAD("very large", LENGTH(" 99999999999999999999999999999999999999999999999999999"), "2^63"),
        IS_BAD("different in a list", LENGTH(" 5, 6"), "twice"),
        IS_BAD("different by zeros", LENGTH(" 05, 5"), "twice"),
        IS_BAD("different in two lines", OK_LINE "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
               "twice"),
        IS_BAD("one good and one bad", OK_LINE "Content-Length: 5\r\nContent-Length: x\r\n\r\nhello",
               "not a number"),
        IS_BAD("bad also where there is no body", "HTTP/1.1 304 Not Modified\r\nContent-Length: x\r\n\r\n",
               "not a number"),
        FAILS("2^63 - 1", LENGTH(" 9223372036854775807"), GA_ETRUNCATED, "Content-Length"),
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void transfer_encoding(void **state)
{
#define CODING(value) OK_LINE "Transfer-Encoding:" value "\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
#define BOTH OK_LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    static const struct row rows[] = {
        KEEPS("chunked", CODING(" chunked"), 200, "hi"),
        KEEPS("any case", CODING(" ChunKed "), 200, "hi"),
        IS_BAD("beside a length", BOTH, "both"),
        IS_BAD("before a length", OK_LINE "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "both"),
        IS_BAD("in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.0"),
        IS_BAD("none", CODING(""), "not \"chunked\""),
        IS_BAD("identity", CODING(" identity"), "not \"chunked\""),
        IS_BAD("gzip", CODING(" gzip"), "not \"chunked\""),
        IS_BAD("gzip, chunked", CODING(" gzip, chunked"), "not \"chunked\""),
        IS_BAD("chunked, gzip", CODING(" chunked, gzip"), "not \"chunked\""),
        IS_BAD("chunked, identity", CODING(" chunked, identity"), "not \"chunked\""),
        IS_BAD("chunked, chunked", CODING(" chunked, chunked"), "not \"chunked\""),
        IS_BAD("chunked in two lines",
               OK_LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "twice"),
        IS_BAD("identity behind chunked, in two lines",
               OK_LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", "twice"),
        IS_BAD("xchunked", CODING(" xchunked"), "not \"chunked\""),
        IS_BAD("chunkedx", CODING(" chunkedx"), "not \"chunked\""),
        IS_BAD("\"chunked\"", CODING(" \"chunked\""), "not \"chunked\""),
        IS_BAD("chunked;a=b", CODING(" chunked;a=b"), "not \"chunked\""),
        IS_BAD("a vertical tab behind it", CODING(" chunked\v"), "control"),
        IS_BAD("a comma in front", CODING(" , chunked"), "not \"chunked\""),
    };
    static const struct row lenient_rows[] = {
        CLOSES("Transfer-Encoding wins, and the connection closes", BOTH, 200, "hi"),
    };
    ga__http1_limits lenient = ga__http1_defaults;

    (void)state;
    lenient.transfer_over_length = true;
    CHECK_ROWS(rows, NULL);
    CHECK_ROWS(lenient_rows, &lenient);
}

static void chunks(void **state)
{
    static const struct row rows[] = {
        KEEPS("none", CHUNKED "0\r\n\r\n", 200, ""),
        KEEPS("several", CHUNKED "1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", 200, "abcdef"),
        KEEPS("sizes of either case", CHUNKED "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n", 200,
              "01234567890123456789a"),
        KEEPS("zeros in front", CHUNKED "0000000000000002\r\nhi\r\n0000\r\n\r\n", 200, "hi"),
        KEEPS("line ends as content", CHUNKED "4\r\n\r\n\r\n\r\n0\r\n\r\n", 200, "\r\n\r\n"),
        KEEPS("extensions", CHUNKED "2;a=b;c=\"d;\\\"e\"\r\nhi\r\n0;x\r\n\r\n", 200, "hi"),
        KEEPS("an empty extension", CHUNKED "2;\r\nhi\r\n0\r\n\r\n", 200, "hi"),
        KEEPS("blanks around an extension", CHUNKED "2 \t; a = b \r\nhi\r\n0\r\n\r\n", 200, "hi"),
        KEEPS("blanks behind the size", CHUNKED "2  \r\nhi\r\n0 \r\n\r\n", 200, "hi"),
        LEAVES("bytes behind it", 0, CHUNKED "2\r\nhi\r\n0\r\n\r\nHTTP/1.1", 200, "hi", 8),
        IS_BAD("no size", CHUNKED "\r\nhi\r\n0\r\n\r\n", "hexadecimal"),
        IS_BAD("an extension without a size", CHUNKED ";a\r\nhi\r\n0\r\n\r\n", "hexadecimal"),
        IS_BAD("not hexadecimal", CHUNKED "g\r\nhi\r\n0\r\n\r\n", "hexadecimal"),
        IS_BAD("not hexadecimal behind digits", CHUNKED "2g\r\nhi\r\n0\r\n\r\n", "hexadecimal"),
        IS_BAD("0x", CHUNKED "0x2\r\nhi\r\n0\r\n\r\n", "hexadecimal"),
        IS_BAD("+", CHUNKED "+2\r\nhi\r\n0\r\n\r\n", "hexadecimal"),
        IS_BAD("-", CHUNKED "-2\r\nhi\r\n0\r\n\r\n", "hexadecimal"),
        IS_BAD("a space in front", CHUNKED " 2\r\nhi\r\n0\r\n\r\n", "hexadecimal"),
        IS_BAD("a space within", CHUNKED "0 2\r\nhi\r\n0\r\n\r\n", "hexadecimal"),
        IS_BAD("an underscore", CHUNKED "0_2\r\nhi\r\n0\r\n\r\n", "hexadecimal"),
        IS_BAD("a NUL", CHUNKED "2\0\r\nhi\r\n0\r\n\r\n", "hexadecimal"),
        IS_BAD("17 digits", CHUNKED "00000000000000002\r\nhi\r\n0\r\n\r\n", "too large"),
        IS_BAD("2^64", CHUNKED "10000000000000000\r\nhi\r\n0\r\n\r\n", "too large"),
        IS_BAD("2^63", CHUNKED "8000000000000000\r\nhi\r\n0\r\n\r\n", "too large"),
        IS_BAD("2^64 - 1", CHUNKED "ffffffffffffffff\r\nhi\r\n0\r\n\r\n", "too large"),
        FAILS("2^63 - 1", CHUNKED "7fffffffffffffff\r\nhi", GA_ETRUNCATED, "chunk"),
        IS_BAD("LF behind the size", CHUNKED "2\nhi\r\n0\r\n\r\n", "line feed"),
        IS_BAD("LF behind a blank", CHUNKED "2 \nhi\r\n0\r\n\r\n", "line feed"),
        IS_BAD("LF in an extension", CHUNKED "2;a\nb\r\nhi\r\n0\r\n\r\n", "line feed"),
        IS_BAD("CR in an extension", CHUNKED "2;a\rb\r\nhi\r\n0\r\n\r\n", "carriage return"),
        IS_BAD("CR CR LF behind the size", CHUNKED "2\r\r\nhi\r\n0\r\n\r\n", "carriage return"),
        IS_BAD("a control character in an extension", CHUNKED "2;a\x01\r\nhi\r\n0\r\n\r\n", "control"),
        IS_BAD("a NUL in an extension", CHUNKED "2;a\0\r\nhi\r\n0\r\n\r\n", "control"),
        IS_BAD("no line end behind the data", CHUNKED "2\r\nhi0\r\n\r\n", "where its size says"),
        IS_BAD("LF behind the data", CHUNKED "2\r\nhi\n0\r\n\r\n", "where its size says"),
        IS_BAD("more data than said", CHUNKED "2\r\nhii\r\n0\r\n\r\n", "where its size says"),
        IS_BAD("less data than said", CHUNKED "3\r\nhi\r\n0\r\n\r\n", "where its size says"),
        IS_BAD("CR alone behind the data", CHUNKED "2\r\nhi\rx0\r\n\r\n", "where its size says"),
        IS_BAD("LF behind the last size", CHUNKED "2\r\nhi\r\n0\n\r\n", "line feed"),
        IS_BAD("CR alone as the end", CHUNKED "2\r\nhi\r\n0\r\n\rx", "carriage return"),
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void trailers(void **state)
{
#define TRAILED(trailers) CHUNKED "2\r\nhi\r\n0\r\n" trailers "\r\n"
    static const struct row rows[] = {
        KEEPS("one", TRAILED("a: b\r\n"), 200, "hi"),
        KEEPS("folded, with a bare LF", TRAILED("a: b\n c\r\n"), 200, "hi"),
        LEAVES("bytes behind them", 0, TRAILED("a: b\r\n") "more", 200, "hi", 4),
        IS_BAD("no colon", TRAILED("a\r\n"), "colon"),
        IS_BAD("a blank before the colon", TRAILED("a : b\r\n"), "blank"),
        IS_BAD("the first folded", TRAILED(" a: b\r\n"), "folded"),
        IS_BAD("NUL", TRAILED("a: b\0c\r\n"), "NUL"),
        IS_BAD("lone CR", TRAILED("a: b\rc\r\n"), "carriage return"),
        IS_BAD("a control character", TRAILED("a: b\x02\r\n"), "control"),
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
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
    static const struct row rows[] = {
        KEEPS("HTTP/1.1", OK_LINE EMPTY, 200, ""),
        CLOSES("HTTP/1.1 with close", OK_LINE "Connection: close\r\n" EMPTY, 200, ""),
        CLOSES("close in any case", OK_LINE "connection: CLOSE\r\n" EMPTY, 200, ""),
        CLOSES("close in a list", OK_LINE "Connection: x, close , y\r\n" EMPTY, 200, ""),
        CLOSES("close in a second line", OK_LINE "Connection: keep-alive\r\nConnection: close\r\n" EMPTY, 200,
               ""),
        KEEPS("a name that only begins so", OK_LINE "Connection: closed\r\n" EMPTY, 200, ""),
        CLOSES("HTTP/1.0", "HTTP/1.0 200 OK\r\n" EMPTY, 200, ""),
        KEEPS("HTTP/1.0 with keep-alive", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" EMPTY, 200, ""),
        CLOSES("HTTP/1.0 with both", "HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\n" EMPTY, 200, ""),
        CLOSES("no framing", OK_LINE "Connection: keep-alive\r\n\r\n", 200, ""),
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void interim_responses(void **state)
{
    static const struct row rows[] = {
        KEEPS("100", "HTTP/1.1 100 Continue\r\n\r\n" OK_LINE EMPTY, 200, ""),
        KEEPS("100, 102 and 103",
              "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
              "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK_LINE "Content-Length: 2\r\n\r\nhi",
              200, "hi"),
        KEEPS("framing in one counts for nothing",
              "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n" OK_LINE EMPTY, 200,
              ""),
        KEEPS("in answer to HEAD", "HTTP/1.1 100 Continue\r\n\r\n" OK_LINE EMPTY, 200, ""),
        IS_BAD("a bad one", "HTTP/1.1 100 Continue\r\na\r\n\r\n" OK_LINE EMPTY, "colon"),
        IS_BAD("garbage behind one", "HTTP/1.1 100 Continue\r\n\r\ngarbage\r\n", "HTTP/"),
        IS_BAD("101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "101"),
        TUNNELS("101 that was asked for", GA__HTTP1_TO_UPGRADE,
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nother", 101, 5),
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void responses_without_a_body(void **state)
{
#define LONG "Content-Length: 5\r\n\r\n"
    static const struct row rows[] = {
        KEEPS("204", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        KEEPS("204 with a length", "HTTP/1.1 204 No Content\r\n" LONG, 204, ""),
        KEEPS("204 with chunked and gzip",
              "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n", 204,
              ""),
        KEEPS("304 with a length", "HTTP/1.1 304 Not Modified\r\n" LONG, 304, ""),
        KEEPS("304 with both", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n" LONG, 304, ""),
        CLOSES("304 with close", "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n", 304, ""),
        LEAVES("304 with a body", 0, "HTTP/1.1 304 Not Modified\r\n" LONG "hello", 304, "", 5),
        LEAVES("204 with a body", 0, "HTTP/1.1 204 No Content\r\n" LONG "hello", 204, "", 5),
        KEEPS_ASKED("HEAD with a length", GA__HTTP1_TO_HEAD, OK_LINE LONG, 200, ""),
        KEEPS_ASKED("HEAD with chunked", GA__HTTP1_TO_HEAD, CHUNKED, 200, ""),
        KEEPS_ASKED("HEAD without framing", GA__HTTP1_TO_HEAD, OK_LINE "\r\n", 200, ""),
        LEAVES("HEAD with a body", GA__HTTP1_TO_HEAD, OK_LINE LONG "hello", 200, "", 5),
        KEEPS("205 is read by its framing", "HTTP/1.1 205 Reset Content\r\n" LONG "hello", 205, "hello"),
        TUNNELS("2xx to CONNECT", GA__HTTP1_TO_CONNECT, "HTTP/1.1 200 Connection established\r\n\r\n", 200,
                0),
        TUNNELS("2xx to CONNECT with framing", GA__HTTP1_TO_CONNECT,
                "HTTP/1.1 299 Yes\r\nTransfer-Encoding: chunked\r\n" LONG "\x16\x03", 299, 2),
        TUNNELS("200 to CONNECT, and bytes behind it", GA__HTTP1_TO_CONNECT, OK_LINE "\r\n\x16\x03\x01", 200,
                3),
        KEEPS_ASKED("300 to CONNECT has a body", GA__HTTP1_TO_CONNECT,
                    "HTTP/1.1 300 Multiple Choices\r\n" LONG "hello", 300, "hello"),
        KEEPS_ASKED("another answer to CONNECT has a body", GA__HTTP1_TO_CONNECT,
                    "HTTP/1.1 407 Proxy Authentication Required\r\n" LONG "hello", 407, "hello"),
        {"framing in doubt in another answer to CONNECT",
         BYTES("HTTP/1.1 407 No\r\nTransfer-Encoding: chunked\r\n" LONG "hello"), GA_EPROTOCOL, "both", NULL,
         0, false, 0, GA__HTTP1_TO_CONNECT},
        {"NUL in the answer to CONNECT", BYTES("HTTP/1.1 200 Yes\r\na: \0\r\n\r\n"), GA_EPROTOCOL, "NUL",
         NULL, 0, false, 0, GA__HTTP1_TO_CONNECT},
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
}

/* Small limits, so that what goes beyond them can be cut everywhere. */
static void limits_hold_wherever_the_cuts_are(void **state)
{
#define INTERIM "HTTP/1.1 100 Go\r\n\r\n"
    static const struct row rows[] = {
        KEEPS("a line of 40", OK_LINE "a: 3456789012345678901234567890123456789\r\n" EMPTY, 200, ""),
        FAILS("a line of 41", OK_LINE "a: 34567890123456789012345678901234567890\r\n" EMPTY, GA_EHEADTOOBIG,
              "line"),
        FAILS("a line of 41 with LF", OK_LINE "a: 34567890123456789012345678901234567890\n" EMPTY,
              GA_EHEADTOOBIG, "line"),
        FAILS("a line without an end", OK_LINE "a: 34567890123456789012345678901234567890123456789",
              GA_EHEADTOOBIG, "line"),
        FAILS("a long status line", "HTTP/1.1 200 456789012345678901234567890123456789\r\n" EMPTY,
              GA_EHEADTOOBIG, "line"),
        FAILS("a line that is long only when unfolded",
              OK_LINE "a: 345678901234567890\r\n 12345678901234567890123\r\n" EMPTY, GA_EHEADTOOBIG, "line"),
        KEEPS("4 fields", OK_LINE "a:b\r\nc:d\r\ne:f\r\n" EMPTY, 200, ""),
        FAILS("5 fields", OK_LINE "a:b\r\nc:d\r\ne:f\r\ng:h\r\n" EMPTY, GA_EHEADTOOBIG, "fields"),
        KEEPS("a head of 100",
              OK_LINE "a: 3456789012345678901234567890123456\r\nb: 345678901234567890\r\n" EMPTY, 200, ""),
        FAILS("a head of 101",
              OK_LINE "a: 3456789012345678901234567890123456\r\nb: 3456789012345678901\r\n" EMPTY,
              GA_EHEADTOOBIG, "head"),
        FAILS("a head without an end",
              OK_LINE
              "a: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\n"
              "a: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\n",
              GA_EHEADTOOBIG, "head"),
        KEEPS("3 interim responses", INTERIM INTERIM INTERIM OK_LINE EMPTY, 200, ""),
        FAILS("4 interim responses", INTERIM INTERIM INTERIM INTERIM OK_LINE EMPTY, GA_EHEADTOOBIG,
              "interim"),
        KEEPS("interim responses of 100",
              "HTTP/1.1 100 Go\r\na: 345678901234567\r\n\r\n"
              "HTTP/1.1 100 Go\r\na: 3456789012345678901234567890123456789\r\n\r\n" OK_LINE EMPTY,
              200, ""),
        FAILS("interim responses of 101",
              "HTTP/1.1 100 Go\r\na: 3456789012345678\r\n\r\n"
              "HTTP/1.1 100 Go\r\na: 3456789012345678901234567890123456789\r\n\r\n" OK_LINE EMPTY,
              GA_EHEADTOOBIG, "interim"),
        KEEPS("10 bytes of extensions", CHUNKED "1;2345\r\na\r\n1;2345\r\nb\r\n0;23\r\n\r\n", 200, "ab"),
        IS_BAD("11 bytes of extensions", CHUNKED "1;2345\r\na\r\n1;2345\r\nb\r\n0;234\r\n\r\n", "extensions"),
        IS_BAD("11 blanks", CHUNKED "1            \r\na\r\n0\r\n\r\n", "extensions"),
        KEEPS("a chunk-size line of 18", CHUNKED "0000000000000001\r\na\r\n0\r\n\r\n", 200, "a"),
        IS_BAD("a chunk-size line of 19", CHUNKED "0000000000000001;\r\na\r\n0\r\n\r\n", "chunk-size line"),
        IS_BAD("a long chunk-size line", CHUNKED "0000000000000001;89\r\na\r\n0\r\n\r\n", "chunk-size line"),
        KEEPS("trailers of 20", CHUNKED "0\r\na: b\r\nc: 3456789\r\n\r\n", 200, ""),
        FAILS("trailers of 21", CHUNKED "0\r\na: b\r\nc: 34567890\r\n\r\n", GA_EHEADTOOBIG, ""),
        FAILS("a trailer line of 13", CHUNKED "0\r\na: 3456789012\r\n\r\n", GA_EHEADTOOBIG, "line"),
        FAILS("3 trailers", CHUNKED "0\r\na: b\r\nc:d\r\ne:f\r\n\r\n", GA_EHEADTOOBIG, "fields"),
    };
    static const ga__http1_limits small = {
        .head = {.max_size = 100, .max_line = 40, .max_fields = 4},
        .chunked = {.max_line = 18,
                    .max_extensions = 10,
                    .trailers = {.max_size = 20, .max_line = 12, .max_fields = 2}},
        .max_interim = 3,
    };

    (void)state;
    CHECK_ROWS(rows, &small);
}

/* A symbol where none belongs. A row is a place, a letter what comes of each symbol there: o a response, - a
 * failure. */
static void lone_symbols(void **state)
{
    static const char symbols[] = {'\n', '\r', '\t', ' ', '\0', ':'};
    static const struct {
        const char *before, *after, *outcome;
    } places[] = {
        {"", "HTTP/1.1 200 OK\r\nName: value\r\n", "------"},
        {"HT", "TP/1.1 200 OK\r\nName: value\r\n", "------"},
        {"HTTP", "/1.1 200 OK\r\nName: value\r\n", "------"},
        {"HTTP/", "1.1 200 OK\r\nName: value\r\n", "------"},
        {"HTTP/1", ".1 200 OK\r\nName: value\r\n", "------"},
        {"HTTP/1.", "1 200 OK\r\nName: value\r\n", "------"},
        {"HTTP/1.1", " 200 OK\r\nName: value\r\n", "------"},
        {"HTTP/1.1 ", "200 OK\r\nName: value\r\n", "------"},
        {"HTTP/1.1 2", "00 OK\r\nName: value\r\n", "------"},
        {"HTTP/1.1 200", " OK\r\nName: value\r\n", "---o--"},
        {"HTTP/1.1 200 ", "OK\r\nName: value\r\n", "--oo-o"},
        {"HTTP/1.1 200 O", "K\r\nName: value\r\n", "--oo-o"},
        {"HTTP/1.1 200 OK", "\r\nName: value\r\n", "o-oo-o"},
        {"HTTP/1.1 200 OK\r", "\nName: value\r\n", "o-----"},
        {"HTTP/1.1 200 OK\r\n", "Name: value\r\n", "o-----"},
        {"HTTP/1.1 200 OK\r\nNa", "me: value\r\n", "-----o"},
        {"HTTP/1.1 200 OK\r\nName", ": value\r\n", "-----o"},
        {"HTTP/1.1 200 OK\r\nName:", " value\r\n", "o-oo-o"},
        {"HTTP/1.1 200 OK\r\nName: ", "value\r\n", "--oo-o"},
        {"HTTP/1.1 200 OK\r\nName: va", "lue\r\n", "--oo-o"},
        {"HTTP/1.1 200 OK\r\nName: value", "\r\n", "o-oo-o"},
        {"HTTP/1.1 200 OK\r\nName: value\r", "\n", "o-----"},
        {"HTTP/1.1 200 OK\r\nName: value\r\n", "", "o-oo--"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (size_t s = 0; s < sizeof symbols; s++) {
            ga__buffer input = GA__BUFFER_INIT;

            ga__buffer_add(&input, places[i].before);
            ga__buffer_add_char(&input, symbols[s]);
            ga__buffer_add(&input, places[i].after);
            ga__buffer_add(&input, "Content-Length: 4\r\n\r\nbody");
            feed_result whole = feed_response(input.data, input.size, 0, NULL, FEED_WHOLE);
            bool good = places[i].outcome[s] == 'o';

            if ((whole.code == GA__HTTP1_DONE) != good)
                fail_msg("0x%02x behind \"%s\": %s", (unsigned)symbols[s], places[i].before,
                         good ? whole.problem : "accepted");
            const struct row row = {"lone symbol", input.data,   input.size,       whole.code,    NULL,
                                    NULL,          whole.status, whole.keep_alive, whole.surplus, 0};

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
        cmocka_unit_test(lone_symbols),
        cmocka_unit_test(gives_fields_reason_and_length),
        cmocka_unit_test(a_reason_may_be_missing),
        cmocka_unit_test(tells_the_length_of_what_has_no_body),
        cmocka_unit_test(the_keep_alive_timeout),
        cmocka_unit_test(a_large_head_byte_by_byte_is_linear),
        cmocka_unit_test(many_small_chunks_are_linear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
