/* SPDX-License-Identifier: MIT */
/* Parts of a body: what a Content-Range says, and which validators allow parts to be put together. */
#include "check.h"

#include "protocol/content_range.h"
#include "protocol/http1_fields.h"
#include "protocol/validator.h"
#include <gather/error.h>
#include <string.h>

static void a_content_range_is_of_one_form(void **state)
{
    static const struct {
        const char *text;
        uint64_t first, last, complete;
    } cases[] = {
        {"bytes 0-0/1", 0, 0, 1},
        {"bytes 5-9/10", 5, 9, 10},
        {"bytes 5-7/10", 5, 7, 10},
        {"bytes 5-9/*", 5, 9, 0},
        {"BYTES 5-9/10", 5, 9, 10},
        {" \tbytes 5-9/10\t ", 5, 9, 10},
        {"bytes 007-0009/010", 7, 9, 10},
        {"bytes 0-18446744073709551614/18446744073709551615", 0, UINT64_MAX - 1, UINT64_MAX},
        {"bytes 18446744073709551615-18446744073709551615/*", UINT64_MAX, UINT64_MAX, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga__content_range range;

        if (!ga__content_range_parse(&range, ga__slice_of(cases[i].text)))
            fail_msg("\"%s\" is refused", cases[i].text);
        if (range.first != cases[i].first || range.last != cases[i].last ||
            range.complete != cases[i].complete)
            fail_msg("\"%s\" is read wrongly", cases[i].text);
    }
}

static void what_is_no_content_range_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        "bytes",
        "bytes ",
        "bytes */10",
        "bytes */*",
        "bytes */",
        "bytes 5-9",
        "bytes 5-9/",
        "bytes 5-/10",
        "bytes -9/10",
        "bytes -/10",
        "bytes 5/10",
        "bytes 9-5/10",
        "bytes 5-10/10",
        "bytes 5-9/9",
        "bytes 0-0/0",
        "bytes 5-9/10/11",
        "bytes 5-9-10/11",
        "bytes 5-9/10, 0-1/10",
        "bytes 5-9/10,bytes 0-1/10",
        "bytes=5-9/10",
        "bytes  5-9/10",
        "bytes\t5-9/10",
        "bytes 5 - 9 / 10",
        "bytes 5-9/ 10",
        "bytes 5-9/**",
        "bytes +5-9/10",
        "bytes 5-+9/10",
        "bytes 0x5-9/10",
        "bytes 5-9/1e1",
        "bytes --9/10",
        "bytes 5--9/10",
        "items 5-9/10",
        "byte 5-9/10",
        "5-9/10",
        "bytes 5-9/18446744073709551616",
        "bytes 18446744073709551616-18446744073709551617/*",
        "bytes 5-18446744073709551616/*",
        "bytes 5-99999999999999999999999999999999/99999999999999999999999999999999",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga__content_range range = {1, 2, 3};

        if (ga__content_range_parse(&range, ga__slice_of(cases[i])))
            fail_msg("\"%s\" is taken", cases[i]);
        assert_true(range.first == 1 && range.last == 2 && range.complete == 3);
    }
    assert_false(ga__content_range_parse(&(ga__content_range){0}, (ga__slice){NULL, 0}));
    assert_false(ga__content_range_parse(&(ga__content_range){0}, (ga__slice){"bytes 5\0-9/10", 13}));
}

/* Every beginning of a value, and every value with one byte changed, is read without harm, and what is taken
 * is consistent. */
static void no_byte_makes_a_range_that_cannot_be(void **state)
{
    static const char value[] = "bytes 120-499/500";
    char text[sizeof value];

    (void)state;
    for (size_t at = 0; at < sizeof value - 1; at++) {
        ga__content_range cut;

        if (ga__content_range_parse(&cut, (ga__slice){value, at}))
            fail_msg("%zu bytes of it are taken", at);
        for (int byte = 0; byte < 256; byte++) {
            ga__content_range range;

            memcpy(text, value, sizeof value);
            text[at] = (char)byte;
            if (ga__content_range_parse(&range, (ga__slice){text, sizeof value - 1}))
                assert_true(range.first <= range.last && (!range.complete || range.last < range.complete));
        }
    }
}

static void only_a_strong_validator_joins_parts(void **state)
{
#define DATE "Date: Sun, 22 Nov 2026 11:04:42 GMT\r\n"
    static const struct {
        const char *lines, *wanted;
    } cases[] = {
        {"ETag: \"abc\"\r\n", "\"abc\""},
        {"ETag: \"\"\r\n", "\"\""},
        {"etag:  \"a/b=\xff\" \r\n", "\"a/b=\xff\""},
        {"ETag: \"abc\"\r\nLast-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\n" DATE, "\"abc\""},
        {"ETag: W/\"abc\"\r\n", ""},
        {"ETag: abc\r\n", ""},
        {"ETag: \"\r\n", ""},
        {"ETag:\r\n", ""},
        {"ETag: \"a\"b\"\r\n", ""},
        {"ETag: \"a b\"\r\n", ""},
        {"ETag: \"a\", \"b\"\r\n", ""},
        {"ETag: \"a\"\r\nETag: \"a\"\r\n", ""},
        {"ETag: W/\"abc\"\r\nLast-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\n" DATE, ""},
        {"Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\n" DATE, "Sun, 22 Nov 2026 10:00:00 GMT"},
        {"Last-Modified: Sun, 22 Nov 2026 11:03:42 GMT\r\n" DATE, "Sun, 22 Nov 2026 11:03:42 GMT"},
        {"Last-Modified: Sun, 22 Nov 2026 11:03:43 GMT\r\n" DATE, ""},
        {"Last-Modified: Sun, 22 Nov 2026 11:04:42 GMT\r\n" DATE, ""},
        {"Last-Modified: Sun, 22 Nov 2026 12:04:42 GMT\r\n" DATE, ""},
        {"Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\n", ""},
        {"Last-Modified: yesterday\r\n" DATE, ""},
        {"Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\nDate: now\r\n", ""},
        {"Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\nLast-Modified: Sun, 22 Nov 2026 10:00:00 "
         "GMT\r\n" DATE,
         ""},
        {DATE, ""},
    };
#undef DATE
    static const ga__headers_limits limits = {.max_size = 65536, .max_line = 16384, .max_fields = 100};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga__headers_table table;
        const char *problem;
        char lines[400];

        snprintf(lines, sizeof lines, "%s\r\n", cases[i].lines);
        ga__headers_table_init(&table);
        assert_int_equal(ga__headers_parse(&table, lines, 0, (uint32_t)strlen(lines), &limits, &problem), 0);
        ga__slice found = ga__strong_validator(&table.headers);

        if (!ga__slice_equal(found, ga__slice_of(cases[i].wanted)))
            fail_msg("\"%s\": \"%.*s\"", cases[i].lines, (int)found.size, found.data);
        ga__headers_table_free(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_content_range_is_of_one_form),
        cmocka_unit_test(what_is_no_content_range_is_refused),
        cmocka_unit_test(no_byte_makes_a_range_that_cannot_be),
        cmocka_unit_test(only_a_strong_validator_joins_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
