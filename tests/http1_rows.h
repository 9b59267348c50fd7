/* SPDX-License-Identifier: MIT */
/*
 * Responses of HTTP/1.1, good and bad, and what is to come of each: for the parser (test_http1_response), and
 * for the client around it (test_bad_input_http1).
 */
#ifndef HTTP1_ROWS_H
#define HTTP1_ROWS_H

#include "base/buffer.h"
#include "protocol/http1_response.h"
#include <gather/error.h>

/* A response, and what is to come of it. */
struct http1_row {
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

static const struct http1_row status_line_rows[] = {
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
    IS_BAD("many digits", "HTTP/1.1111111111111111111111111111111111111111111111111111111 200 OK\r\n" EMPTY,
           "version"),
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

static const struct http1_row header_line_rows[] = {
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
    IS_BAD("NUL far behind in the value", OK_LINE "a: 0123456789012345678901234567890123456789\0\r\n" EMPTY,
           "NUL"),
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

static const struct http1_row connection_end_rows[] = {
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
    {"no byte of the body", BYTES(OK_LINE "Content-Length: 5\r\n\r\n"), GA_ETRUNCATED, "Content-Length", "",
     200, false, 0, 0},
    {"a part of the body", BYTES(OK_LINE "Content-Length: 5\r\n\r\nhell"), GA_ETRUNCATED, "Content-Length",
     "hell", 200, false, 0, 0},
    {"no chunk", BYTES(CHUNKED), GA_ETRUNCATED, "chunk", "", 200, false, 0, 0},
    {"within a size", BYTES(CHUNKED "5"), GA_ETRUNCATED, "chunk", "", 200, false, 0, 0},
    {"within a chunk", BYTES(CHUNKED "5\r\nhel"), GA_ETRUNCATED, "chunk", "hel", 200, false, 0, 0},
    {"behind a chunk", BYTES(CHUNKED "5\r\nhello\r\n"), GA_ETRUNCATED, "chunk", "hello", 200, false, 0, 0},
    {"within the last chunk", BYTES(CHUNKED "5\r\nhello\r\n0"), GA_ETRUNCATED, "chunk", "hello", 200, false,
     0, 0},
    {"behind the last chunk", BYTES(CHUNKED "5\r\nhello\r\n0\r\n"), GA_ETRUNCATED, "chunk", "hello", 200,
     false, 0, 0},
    {"within the final CR LF", BYTES(CHUNKED "5\r\nhello\r\n0\r\n\r"), GA_ETRUNCATED, "chunk", "hello", 200,
     false, 0, 0},
    {"within the trailers", BYTES(CHUNKED "5\r\nhello\r\n0\r\na: b\r\n"), GA_ETRUNCATED, "chunk", "hello",
     200, false, 0, 0},
    CLOSES("ends a body without framing", OK_LINE "\r\nhello", 200, "hello"),
    CLOSES("ends an empty body without framing", OK_LINE "\r\n", 200, ""),
};

#define LENGTH(value) OK_LINE "Content-Length:" value "\r\n\r\nhello"
static const struct http1_row content_length_rows[] = {
    KEEPS("a number", LENGTH("5"), 200, "hello"),
    KEEPS("blanks around", LENGTH(" \t5 \t"), 200, "hello"),
    KEEPS("zeros in front", LENGTH(" 0000000000000000000000005"), 200, "hello"),
    KEEPS("any case", OK_LINE "CONTENT-lEngth: 5\r\n\r\nhello", 200, "hello"),
    KEEPS("the same twice in a list", LENGTH(" 5, 5"), 200, "hello"),
    KEEPS("the same in two lines", OK_LINE "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200,
          "hello"),
    LEAVES("bytes behind it", 0, LENGTH(" 3"), 200, "hel", 2),
    LEAVES("another response behind it", 0, OK_LINE EMPTY OK_LINE EMPTY, 200, "", sizeof OK_LINE EMPTY - 1),
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
    IS_BAD("different in two lines", OK_LINE "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "twice"),
    IS_BAD("one good and one bad", OK_LINE "Content-Length: 5\r\nContent-Length: x\r\n\r\nhello",
           "not a number"),
    IS_BAD("bad also where there is no body", "HTTP/1.1 304 Not Modified\r\nContent-Length: x\r\n\r\n",
           "not a number"),
    FAILS("2^63 - 1", LENGTH(" 9223372036854775807"), GA_ETRUNCATED, "Content-Length"),
};

#define CODING(value) OK_LINE "Transfer-Encoding:" value "\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
#define BOTH OK_LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
static const struct http1_row transfer_encoding_rows[] = {
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
    IS_BAD("chunked in two lines", OK_LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
           "twice"),
    IS_BAD("identity behind chunked, in two lines",
           OK_LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", "twice"),
    IS_BAD("xchunked", CODING(" xchunked"), "not \"chunked\""),
    IS_BAD("chunkedx", CODING(" chunkedx"), "not \"chunked\""),
    IS_BAD("\"chunked\"", CODING(" \"chunked\""), "not \"chunked\""),
    IS_BAD("chunked;a=b", CODING(" chunked;a=b"), "not \"chunked\""),
    IS_BAD("a vertical tab behind it", CODING(" chunked\v"), "control"),
    IS_BAD("a comma in front", CODING(" , chunked"), "not \"chunked\""),
};

static const struct http1_row chunk_rows[] = {
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

#define TRAILED(trailers) CHUNKED "2\r\nhi\r\n0\r\n" trailers "\r\n"
static const struct http1_row trailer_rows[] = {
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

static const struct http1_row keep_alive_rows[] = {
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

static const struct http1_row interim_rows[] = {
    KEEPS("100", "HTTP/1.1 100 Continue\r\n\r\n" OK_LINE EMPTY, 200, ""),
    KEEPS("100, 102 and 103",
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
          "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK_LINE "Content-Length: 2\r\n\r\nhi",
          200, "hi"),
    KEEPS("framing in one counts for nothing",
          "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n" OK_LINE EMPTY, 200, ""),
    KEEPS("in answer to HEAD", "HTTP/1.1 100 Continue\r\n\r\n" OK_LINE EMPTY, 200, ""),
    IS_BAD("a bad one", "HTTP/1.1 100 Continue\r\na\r\n\r\n" OK_LINE EMPTY, "colon"),
    IS_BAD("garbage behind one", "HTTP/1.1 100 Continue\r\n\r\ngarbage\r\n", "HTTP/"),
    IS_BAD("101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "101"),
    TUNNELS("101 that was asked for", GA__HTTP1_TO_UPGRADE,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nother", 101, 5),
};

#define LONG "Content-Length: 5\r\n\r\n"
static const struct http1_row bodyless_rows[] = {
    KEEPS("204", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
    KEEPS("204 with a length", "HTTP/1.1 204 No Content\r\n" LONG, 204, ""),
    KEEPS("204 with chunked and gzip",
          "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n", 204, ""),
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
    TUNNELS("2xx to CONNECT", GA__HTTP1_TO_CONNECT, "HTTP/1.1 200 Connection established\r\n\r\n", 200, 0),
    TUNNELS("2xx to CONNECT with framing", GA__HTTP1_TO_CONNECT,
            "HTTP/1.1 299 Yes\r\nTransfer-Encoding: chunked\r\n" LONG "\x16\x03", 299, 2),
    TUNNELS("2xx to CONNECT with framing in doubt", GA__HTTP1_TO_CONNECT,
            OK_LINE "Content-Length: 1\r\nContent-Length: 2\r\n\r\n\x16", 200, 1),
    TUNNELS("2xx to CONNECT with another coding", GA__HTTP1_TO_CONNECT,
            OK_LINE "Transfer-Encoding: identity\r\n\r\n", 200, 0),
    TUNNELS("200 to CONNECT, and bytes behind it", GA__HTTP1_TO_CONNECT, OK_LINE "\r\n\x16\x03\x01", 200, 3),
    KEEPS_ASKED("300 to CONNECT has a body", GA__HTTP1_TO_CONNECT,
                "HTTP/1.1 300 Multiple Choices\r\n" LONG "hello", 300, "hello"),
    KEEPS_ASKED("another answer to CONNECT has a body", GA__HTTP1_TO_CONNECT,
                "HTTP/1.1 407 Proxy Authentication Required\r\n" LONG "hello", 407, "hello"),
    {"framing in doubt in another answer to CONNECT",
     BYTES("HTTP/1.1 407 No\r\nTransfer-Encoding: chunked\r\n" LONG "hello"), GA_EPROTOCOL, "both", NULL, 0,
     false, 0, GA__HTTP1_TO_CONNECT},
    {"NUL in the answer to CONNECT", BYTES("HTTP/1.1 200 Yes\r\na: \0\r\n\r\n"), GA_EPROTOCOL, "NUL", NULL, 0,
     false, 0, GA__HTTP1_TO_CONNECT},
};

#define INTERIM "HTTP/1.1 100 Go\r\n\r\n"
/* With limits of 100 bytes of a head, 40 of a line, 4 fields, and 3 interim responses. */
static const struct http1_row head_limit_rows[] = {
    KEEPS("a line of 40", OK_LINE "a: 3456789012345678901234567890123456789\r\n" EMPTY, 200, ""),
    FAILS("a line of 41", OK_LINE "a: 34567890123456789012345678901234567890\r\n" EMPTY, GA_EHEADTOOBIG,
          "line"),
    FAILS("a line of 41 with LF", OK_LINE "a: 34567890123456789012345678901234567890\n" EMPTY, GA_EHEADTOOBIG,
          "line"),
    FAILS("a line without an end", OK_LINE "a: 34567890123456789012345678901234567890123456789",
          GA_EHEADTOOBIG, "line"),
    FAILS("a long status line", "HTTP/1.1 200 456789012345678901234567890123456789\r\n" EMPTY, GA_EHEADTOOBIG,
          "line"),
    FAILS("a line that is long only when unfolded",
          OK_LINE "a: 345678901234567890\r\n 12345678901234567890123\r\n" EMPTY, GA_EHEADTOOBIG, "line"),
    KEEPS("4 fields", OK_LINE "a:b\r\nc:d\r\ne:f\r\n" EMPTY, 200, ""),
    FAILS("5 fields", OK_LINE "a:b\r\nc:d\r\ne:f\r\ng:h\r\n" EMPTY, GA_EHEADTOOBIG, "fields"),
    KEEPS("a head of 100", OK_LINE "a: 3456789012345678901234567890123456\r\nb: 345678901234567890\r\n" EMPTY,
          200, ""),
    FAILS("a head of 101",
          OK_LINE "a: 3456789012345678901234567890123456\r\nb: 3456789012345678901\r\n" EMPTY, GA_EHEADTOOBIG,
          "head"),
    FAILS("a head without an end",
          OK_LINE "a: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\n"
                  "a: b\r\na: b\r\na: b\r\na: b\r\na: b\r\na: b\r\n",
          GA_EHEADTOOBIG, "head"),
    KEEPS("3 interim responses", INTERIM INTERIM INTERIM OK_LINE EMPTY, 200, ""),
    FAILS("4 interim responses", INTERIM INTERIM INTERIM INTERIM OK_LINE EMPTY, GA_EHEADTOOBIG, "interim"),
    KEEPS("interim responses of 100",
          "HTTP/1.1 100 Go\r\na: 345678901234567\r\n\r\n"
          "HTTP/1.1 100 Go\r\na: 3456789012345678901234567890123456789\r\n\r\n" OK_LINE EMPTY,
          200, ""),
    FAILS("interim responses of 101",
          "HTTP/1.1 100 Go\r\na: 3456789012345678\r\n\r\n"
          "HTTP/1.1 100 Go\r\na: 3456789012345678901234567890123456789\r\n\r\n" OK_LINE EMPTY,
          GA_EHEADTOOBIG, "interim"),
};

/* With limits of 18 bytes of a chunk-size line, 10 of extensions, 20 of trailers, 12 of a trailer line, and 2
 * trailers. */
static const struct http1_row chunk_limit_rows[] = {
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

/* A symbol where none belongs. A row is a place, a letter what comes of each symbol there: o a response, - a
 * failure. */
enum { LONE_SYMBOLS = 6 };

static const char lone_symbols[LONE_SYMBOLS] = {'\n', '\r', '\t', ' ', '\0', ':'};
static const struct {
    const char *before, *after, *outcome;
} lone_places[] = {
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

enum { LONE_PLACES = sizeof lone_places / sizeof *lone_places };

/* The response with the symbol at the place; the caller frees it. */
static inline ga__buffer lone_input(size_t place, size_t symbol)
{
    ga__buffer input = GA__BUFFER_INIT;

    ga__buffer_add(&input, lone_places[place].before);
    ga__buffer_add_char(&input, lone_symbols[symbol]);
    ga__buffer_add(&input, lone_places[place].after);
    ga__buffer_add(&input, "Content-Length: 4\r\n\r\nbody");
    return input;
}

#endif
