/* SPDX-License-Identifier: MIT */
/* Bodies in many encodings, and in none, come out as UTF-8. */
#include "base/utf8.h"
#include "check.h"
#include "protocol/charset.h"

#include <stdio.h>

#define FFFD GA__UTF8_REPLACEMENT

/* Decodes; the caller frees. */
static char *decode(const char *content_type, const char *body, size_t size)
{
    ga__buffer out = GA__BUFFER_INIT;

    ga__charset_decode(&out, ga__slice_of(content_type), GA__CHARSET_UTF8, body, size);
    assert_false(out.failed);
    assert_true(ga__utf8_valid(out.data ? out.data : "", out.size));
    return ga__buffer_take(&out);
}

static void check_decoded(const char *charset, const char *body, size_t size, const char *expected)
{
    char content_type[80];

    snprintf(content_type, sizeof content_type, "text/plain%s%s", *charset ? "; charset=" : "", charset);
    char *text = decode(content_type, body, size);

    if (strcmp(text, expected) != 0)
        fail_msg("%s: %s, not %s", charset, text, expected);
    free(text);
}

static void each_charset_is_decoded(void **state)
{
    static const struct {
        const char *charset;
        const char *body;
        const char *text;
    } rows[] = {
        {"", "gr\xc3\xbc\xc3\x9f", "grüß"},
        {"utf-8", "gr\xc3\xbc\xc3\x9f", "grüß"},
        {"\"UTF-8\"", "gr\xc3\xbc\xc3\x9f", "grüß"},
        {"utf8", "\xe2\x82\xac", "€"},
        {"iso-8859-1", "gr\xfc\xdf", "grüß"},
        {"ISO-8859-1", "\x80\x92\x9f\x81\x8d", "€’Ÿ\xc2\x81\xc2\x8d"}, /* as windows-1252 */
        {"latin1", "\xa0\xff", "\xc2\xa0ÿ"},
        {"us-ascii", "caf\xe9", "café"},
        {"windows-1252", "\x93x\x94", "“x”"},
        {"iso-8859-15", "\xa4", "€"},
        {"iso-8859-2", "\xb1\xea", "ąę"},
        {"iso-8859-9", "\xfd\xfe", "ış"},
        {"windows-1251", "\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"},
        {"koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"},
        {"KOI8-U", "\xa4", "є"},
        {"ibm866", "\x8f\xe0\xa8", "При"},
        {"iso-8859-7", "\xe1\xe2", "αβ"},
        {"windows-1255", "\xe0\xe1", "אב"},
        {"iso-8859-8-i", "\xe0\xe1", "אב"},
        {"iso-8859-6", "\xc7\xc8", "اب"},
        {"tis-620", "\xa1\xa2", "กข"},
        {"macintosh", "\x8a", "ä"},
        {"x-mac-cyrillic", "\x80", "А"},
        {"shift_jis", "\x93\xfa\x96\x7b", "日本"},
        {"Shift-JIS", "\x93\xfa\x96\x7b", "日本"},
        {"euc-jp", "\xc6\xfc\xcb\xdc", "日本"},
        {"iso-2022-jp", "\x1b$BF|K\\\x1b(B!", "日本!"},
        {"gb2312", "\xc8\xd5\xb1\xbe", "日本"},
        {"gbk", "\xc8\xd5\xb1\xbe", "日本"},
        {"gb18030", "\x95\x32\x82\x36", "\xf0\xa0\x80\x80"},
        {"big5", "\xa4\xe9\xa5\xbb", "日本"},
        {"euc-kr", "\xc7\xd1\xb1\xdb", "한글"},
        {"ks_c_5601-1987", "\xc7\xd1", "한"},
        {"x-no-such-charset", "gr\xc3\xbc\xc3\x9f\xff", "grüß" FFFD},
        {"utf-7", "+ADw-", "+ADw-"}, /* never */
        {"../../etc/x", "a", "a"},
        {"UTF-8//TRANSLIT", "\xff", FFFD},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_decoded(rows[i].charset, rows[i].body, strlen(rows[i].body), rows[i].text);
}

static void utf16_is_decoded_with_and_without_mark(void **state)
{
    (void)state;
    check_decoded("utf-16", "a\0\xac\x20", 4, "a€");
    check_decoded("utf-16le", "a\0\x3d\xd8\x00\xde", 6, "a😀");
    check_decoded("utf-16be", "\0a\xd8\x3d\xde\x00", 6, "a😀");
    check_decoded("utf-16le", "a\0\x00\xde", 4, "a" FFFD); /* half a pair */
    check_decoded("utf-16le",
                  "a\0\x3d\xd8"
                  "b\0",
                  6, "a" FFFD "b");
    check_decoded("utf-16le", "a\0b", 3, "a" FFFD); /* half a unit */
    check_decoded("utf-16le", "a\0\x3d\xd8", 4, "a" FFFD);
    check_decoded("utf-16le", "", 0, "");
}

static void a_byte_order_mark_decides_and_is_dropped(void **state)
{
    (void)state;
    check_decoded("",
                  "\xef\xbb\xbf"
                  "a\xc3\xbc",
                  6, "aü");
    check_decoded("iso-8859-1",
                  "\xef\xbb\xbf"
                  "a\xc3\xbc",
                  6, "aü");
    check_decoded("utf-8",
                  "\xff\xfe"
                  "a\0",
                  4, "a");
    check_decoded("", "\xfe\xff\0a", 4, "a");
    check_decoded("utf-16be",
                  "\xff\xfe"
                  "a\0",
                  4, "a");
    check_decoded("", "\xef\xbb\xbf\xef\xbb\xbf", 6, "\xef\xbb\xbf"); /* the second is text */
    check_decoded("", "\xef\xbb\xbf", 3, "");
    check_decoded("", "\xef\xbb", 2, FFFD);
}

static void what_iconv_cannot_read_is_replaced(void **state)
{
    (void)state;
    check_decoded("shift_jis", "a\x93", 2, "a" FFFD); /* cut off */
    check_decoded("euc-jp",
                  "\xff"
                  "a\xc6\xfc",
                  4, FFFD "a日");
    check_decoded("iso-8859-6",
                  "a\xa1"
                  "b",
                  3, "a" FFFD "b");
    check_decoded("iso-2022-jp", "\x1b$BF", 4, FFFD);
    check_decoded("iso-2022-jp",
                  "\x1b$B\xff"
                  "F|",
                  6, FFFD "日");                                 /* the shift stays */
    check_decoded("windows-1255", "\xe0\xd9z", 3, "א" FFFD "z"); /* iconv held the letter back */
    check_decoded("windows-1258",
                  "b\x9a"
                  "a\xcc",
                  4, "b" FFFD "à");
}

static void the_content_type_may_be_broken(void **state)
{
    static const char *const types[] = {"",    "garbage", "text/html; charset=", "text/html; charset=\"",
                                        ";;;", "\xff\xfe"};

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char *text = decode(types[i], "\xc3\xbc\xff", 3);

        assert_string_equal(text, "ü" FFFD);
        free(text);
    }
}

/* The Unicode standard's examples of "maximal subparts", and every boundary of the table 3-7. */
static void invalid_utf8_is_replaced_as_browsers_do(void **state)
{
    static const struct {
        const char *bytes;
        const char *text;
    } rows[] = {
        {"\x80", FFFD},
        {"\xbf\xbf", FFFD FFFD},
        {"\xc0\x80", FFFD FFFD},
        {"\xc1\xbf", FFFD FFFD},
        {"\xc2", FFFD},
        {"\xc2"
         "a",
         FFFD "a"},
        {"\xc2\xc2\x80", FFFD "\xc2\x80"},
        {"\xe0\x80\x80", FFFD FFFD FFFD},
        {"\xe0\x9f\xbf", FFFD FFFD FFFD},
        {"\xe0\xa0\x80", "\xe0\xa0\x80"},
        {"\xe1\x80", FFFD},
        {"\xe1\x80"
         "a",
         FFFD "a"},
        {"\xed\x9f\xbf", "\xed\x9f\xbf"},
        {"\xed\xa0\x80", FFFD FFFD FFFD}, /* a surrogate */
        {"\xed\xbf\xbf", FFFD FFFD FFFD},
        {"\xee\x80\x80", "\xee\x80\x80"},
        {"\xef\xbf\xbf", "\xef\xbf\xbf"},
        {"\xf0\x80\x80\x80", FFFD FFFD FFFD FFFD},
        {"\xf0\x8f\xbf\xbf", FFFD FFFD FFFD FFFD},
        {"\xf0\x90\x80\x80", "\xf0\x90\x80\x80"},
        {"\xf0\x90\x80", FFFD},
        {"\xf0\x90\x80"
         "a",
         FFFD "a"},
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
        {"\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD},
        {"\xf5\x80\x80\x80", FFFD FFFD FFFD FFFD},
        {"a\xf1\x80\x80\xe1\x80\xc2"
         "b\x80"
         "c\x80\xbf"
         "d",
         "a" FFFD FFFD FFFD "b" FFFD "c" FFFD FFFD "d"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_decoded("utf-8", rows[i].bytes, strlen(rows[i].bytes), rows[i].text);
}

/* A bad byte at each place around the words that the fast path reads. */
static void validity_does_not_depend_on_alignment(void **state)
{
    char text[64];

    (void)state;
    for (size_t size = 0; size < sizeof text; size++) {
        memset(text, 'a', sizeof text);
        assert_true(ga__utf8_valid(text, size));
        assert_true(ga__ascii_only(text, size));
        for (size_t at = 0; at < size; at++) {
            text[at] = (char)0xc3;
            assert_false(ga__utf8_valid(text, size));
            assert_false(ga__ascii_only(text, size));
            if (at + 1 < size) {
                text[at + 1] = (char)0xbc;
                assert_true(ga__utf8_valid(text, size));
                text[at + 1] = 'a';
            }
            text[at] = 'a';
        }
    }
}

static void every_code_point_is_written_and_read(void **state)
{
    (void)state;
    for (uint32_t point = 0; point <= 0x10FFFF; point += point < 0x3000 ? 1 : 97) {
        ga__buffer out = GA__BUFFER_INIT;
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;

        ga__utf8_append(&out, point);
        assert_int_equal(ga__utf8_valid(out.data, out.size), !surrogate);
        assert_int_equal(out.size, point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4);
        ga__buffer_free(&out);
    }
}

static void text_that_is_utf8_is_known_as_such(void **state)
{
    static const struct {
        const char *content_type;
        const char *body;
        bool is;
    } rows[] = {
        {"application/json", "{\"a\": \"ü\"}", true},
        {"text/plain; charset=utf-8", "ü", true},
        {"text/plain; charset=unknown", "ü", true},
        {"", "", true},
        {"text/plain", "\xfc", false},
        {"text/plain; charset=utf-8",
         "\xef\xbb\xbf"
         "a",
         false},
        {"text/plain; charset=iso-8859-1", "plain", true},
        {"text/plain; charset=iso-8859-1", "ü", false},
        {"text/plain; charset=shift_jis", "plain", false},
        {"text/plain; charset=utf-16", "plain!", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is = ga__charset_is_utf8(ga__slice_of(rows[i].content_type), GA__CHARSET_UTF8, rows[i].body,
                                      strlen(rows[i].body));

        if (is != rows[i].is)
            fail_msg("%s: %s", rows[i].content_type, rows[i].body);
        if (is) {
            char *text = decode(rows[i].content_type, rows[i].body, strlen(rows[i].body));

            assert_string_equal(text, rows[i].body);
            free(text);
        }
    }
}

static void the_fallback_is_for_what_says_nothing(void **state)
{
    static const struct {
        const char *content_type;
        const char *fallback;
        const char *body;
        const char *text;
    } rows[] = {
        {"", "windows-1252", "gr\xfc\xdf", "grüß"},
        {"text/plain", "windows-1252", "gr\xfc\xdf", "grüß"},
        {"text/plain; charset=x-none", "windows-1252", "gr\xfc\xdf", "grüß"},
        {"text/plain; charset=utf-8", "windows-1252", "gr\xc3\xbc", "grü"},
        {"text/plain; charset=koi8-r", "windows-1252", "\xf0", "П"},
        {"text/plain", "windows-1252", "\xef\xbb\xbfgr\xc3\xbc", "grü"},
        {"text/plain", "Shift_JIS", "\x93\xfa\x96\x7b", "日本"},
        {"text/plain", "UTF-8", "\xfc", FFFD},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *fallback = ga__charset_find(ga__slice_of(rows[i].fallback));
        ga__buffer out = GA__BUFFER_INIT;

        ga__charset_decode(&out, ga__slice_of(rows[i].content_type), fallback, rows[i].body,
                           strlen(rows[i].body));
        assert_string_equal(out.data, rows[i].text);
        ga__buffer_free(&out);
    }
    assert_false(ga__charset_is_utf8(GA__SLICE("text/plain"), "windows-1252", "\xc3\xbc", 2));
    assert_true(ga__charset_is_utf8(GA__SLICE("text/plain"), "windows-1252", "u", 1));
}

static void labels_are_those_of_the_standard(void **state)
{
    (void)state;
    assert_string_equal(ga__charset_find(GA__SLICE(" UTF8\t")), "UTF-8");
    assert_string_equal(ga__charset_find(GA__SLICE("l1")), "windows-1252");
    assert_string_equal(ga__charset_find(GA__SLICE("Ks_C_5601-1987")), "CP949");
    assert_null(ga__charset_find(GA__SLICE("")));
    assert_null(ga__charset_find(GA__SLICE(" ")));
    assert_null(ga__charset_find(GA__SLICE("utf")));
    assert_null(ga__charset_find(GA__SLICE("utf-8 utf8"))); /* how the table has them */
    assert_null(ga__charset_find(GA__SLICE("utf-7")));
    assert_null(ga__charset_find(GA__SLICE("iso-2022-cn")));
    assert_null(ga__charset_find(GA__SLICE("utf-8\0")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_charset_is_decoded),
        cmocka_unit_test(utf16_is_decoded_with_and_without_mark),
        cmocka_unit_test(a_byte_order_mark_decides_and_is_dropped),
        cmocka_unit_test(what_iconv_cannot_read_is_replaced),
        cmocka_unit_test(the_content_type_may_be_broken),
        cmocka_unit_test(invalid_utf8_is_replaced_as_browsers_do),
        cmocka_unit_test(validity_does_not_depend_on_alignment),
        cmocka_unit_test(every_code_point_is_written_and_read),
        cmocka_unit_test(text_that_is_utf8_is_known_as_such),
        cmocka_unit_test(the_fallback_is_for_what_says_nothing),
        cmocka_unit_test(labels_are_those_of_the_standard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
