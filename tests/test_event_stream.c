/* SPDX-License-Identifier: MIT */
/* Event streams, without I/O: each fed whole, byte by byte, and cut at every position. */
#include "check.h"

#include "protocol/event_stream.h"
#include <gather/error.h>
#include <stdlib.h>
#include <string.h>

typedef struct row {
    const char *stream;
    size_t size;        /* 0: its length */
    const char *events; /* "type|data|id" each, with LF for what is between them and \x1 for an LF in data */
} row;

static const row rows[] = {
    {"data: a\n\n", 0, "|a|\n"},
    {"data: a\r\n\r\ndata: b\r\rdata: c\n\n", 0, "|a|\n|b|\n|c|\n"},
    {"data: YHOO\ndata: +2\ndata: 10\n\n", 0,
     "|YHOO\x01+2\x01"
     "10|\n"},
    {": a comment\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n", 0,
     "|first event|1\n|second event|\n"},
    {"data\n\ndata\ndata\n\ndata:", 0, "||\n|\x01|\n"},
    {"data:test\n\ndata: test\n\n", 0, "|test|\n|test|\n"},
    {"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\ndata: x\n\n", 0,
     "add|73857293|\nremove|2153|\n|x|\n"},
    {"event: lost\n\ndata: x\n\n", 0, "|x|\n"},
    {"\xEF\xBB\xBF"
     "data: marked\n\n\xEF\xBB\xBF"
     "data: not a field\n\n",
     0, "|marked|\n"},
    {"id: 7\ndata: x\n\nid: a\0b\ndata: y\n\n", 32, "|x|7\n|y|7\n"},
    {"event: add\0x\ndata: x\n\nevent:\0\ndata: y\n\n", 39, "add\xEF\xBF\xBDx|x|\n\xEF\xBF\xBD|y|\n"},
    {"unknown: z\ndata : no\ndata: yes\nretry\n\n", 0, "|yes|\n"},
    {"\n\n\r\n\n", 0, ""},
    {"data: a: b\n\n", 0, "|a: b|\n"},
};

/* Feeds the pieces, and writes the events as the rows have them. */
static char *feed(const char *bytes, size_t size, size_t first, size_t step)
{
    ga__event_stream stream;
    ga__buffer out = GA__BUFFER_INIT;

    ga__event_stream_init(&stream, 1000);
    for (size_t at = 0, piece = first; at < size; piece = step) {
        size_t length = piece && piece < size - at ? piece : size - at, consumed;
        char *copy = malloc(length); /* of just that size, for AddressSanitizer */

        memcpy(copy, bytes + at, length);
        int code = ga__event_stream_feed(&stream, copy, length, &consumed);

        free(copy);
        assert_true(code >= 0 && consumed <= length);
        if (code == 0)
            assert_int_equal(consumed, length);
        at += consumed;
        if (code == 0)
            continue;
        for (size_t i = 0; i < stream.data.size; i++)
            if (stream.data.data[i] == '\n')
                stream.data.data[i] = '\x01';
        ga__buffer_printf(&out, "%s|%s|%s\n", stream.type.data ? stream.type.data : "", stream.data.data,
                          stream.id.data ? stream.id.data : "");
    }
    ga__event_stream_free(&stream);
    return ga__buffer_take(&out);
}

static void events_are_the_same_however_they_come(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t size = rows[i].size ? rows[i].size : strlen(rows[i].stream);

        for (size_t cut = 0; cut <= size; cut++) {
            char *whole = feed(rows[i].stream, size, cut, 0);
            char *bytes = feed(rows[i].stream, size, cut ? cut : 1, 1);

            assert_string_equal(whole, rows[i].events);
            assert_string_equal(bytes, rows[i].events);
            free(whole);
            free(bytes);
        }
    }
}

static double retry_after(const char *text)
{
    ga__event_stream stream;
    size_t consumed;

    ga__event_stream_init(&stream, 100);
    ga__event_stream_feed(&stream, text, strlen(text), &consumed);
    ga__event_stream_free(&stream);
    return stream.retry;
}

static void retry_takes_digits_only(void **state)
{
    (void)state;
    assert_true(retry_after("retry: 1500\n\n") == 1.5);
    assert_true(retry_after("retry: 0\n\n") == 0);
    assert_true(retry_after("retry: 10s\n\n") < 0);
    assert_true(retry_after("retry: -1\n\n") < 0);
    assert_true(retry_after("retry: 99999999999999999999\n\n") < 0);
    assert_true(retry_after("data: x\n\n") < 0);
}

static void an_event_that_is_torn_off_has_no_id(void **state)
{
    static const char *const pieces[] = {"id: 1\ndata: a\n\n", "id: 2\n", "data: torn\n", "\n", "id\n", "\n"};
    static const char *const ids[] = {"1", "1", "1", "2", "2", ""};
    ga__event_stream stream;
    size_t consumed;

    (void)state;
    ga__event_stream_init(&stream, 100);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        assert_true(ga__event_stream_feed(&stream, pieces[i], strlen(pieces[i]), &consumed) >= 0);
        assert_string_equal(stream.id.data, ids[i]);
    }
    ga__event_stream_feed(&stream, "id: 3\n", 6, &consumed);
    ga__event_stream_restart(&stream);
    assert_int_equal(ga__event_stream_feed(&stream, "data: new\n\n", 11, &consumed), 1);
    assert_string_equal(stream.id.data, "");
    ga__event_stream_free(&stream);
}

static void a_line_and_an_event_are_bounded(void **state)
{
    ga__event_stream stream;
    size_t consumed;
    int code = 0;

    (void)state;
    ga__event_stream_init(&stream, 100);
    for (int i = 0; i < 200 && code == 0; i++)
        code = ga__event_stream_feed(&stream, "x", 1, &consumed);
    assert_int_equal(code, GA_ETOOLARGE);
    ga__event_stream_restart(&stream);
    code = 0;
    for (int i = 0; i < 200 && code == 0; i++)
        code = ga__event_stream_feed(&stream, "data:xyz\n", 9, &consumed);
    assert_int_equal(code, GA_ETOOLARGE);
    ga__event_stream_free(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_the_same_however_they_come),
        cmocka_unit_test(retry_takes_digits_only),
        cmocka_unit_test(an_event_that_is_torn_off_has_no_id),
        cmocka_unit_test(a_line_and_an_event_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
