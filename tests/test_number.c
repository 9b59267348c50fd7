/* SPDX-License-Identifier: MIT */
/* Numbers: what is one, what is none, and that nothing wraps. */
#include "base/ascii.h"
#include "base/number.h"
#include "check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

static void decimal_takes_digits_that_fit(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } rows[] = {
        {"0", 0},
        {"7", 7},
        {"007", 7},
        {"000000000000000000000000000000042", 42},
        {"8080", 8080},
        {"9223372036854775808", (uint64_t)1 << 63},
        {"18446744073709551615", UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t value = 1;

        assert_true(ga__parse_decimal(rows[i].text, strlen(rows[i].text), &value));
        assert_int_equal(value, rows[i].value);
    }
}

static void decimal_refuses_anything_else(void **state)
{
    static const char *const rows[] = {"",
                                       "+5",
                                       "-1",
                                       " 5",
                                       "5 ",
                                       "5s",
                                       "0x10",
                                       "5 5",
                                       ",5",
                                       "1e3",
                                       "1.",
                                       "1_0",
                                       "\t1",
                                       "1\n",
                                       "½",
                                       "٣",
                                       "a",
                                       "18446744073709551616",
                                       "99999999999999999999",
                                       "100000000000000000000000000000000"};
    uint64_t value = 42;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ga__parse_decimal(rows[i], strlen(rows[i]), &value))
            fail_msg("\"%s\" was taken for %ju", rows[i], (uintmax_t)value);
    assert_false(ga__parse_decimal("1\0002", 3, &value));
    assert_false(ga__parse_decimal(NULL, 0, &value));
    assert_int_equal(value, 42);
}

static void only_the_given_bytes_are_read(void **state)
{
    uint64_t value;
    double real;

    (void)state;
    assert_true(ga__parse_decimal("123456", 3, &value));
    assert_int_equal(value, 123);
    assert_true(ga__parse_hex("ff;q", 2, &value));
    assert_int_equal(value, 255);
    assert_true(ga__parse_double("1.5e300", 3, &real));
    assert_true(real == 1.5);
}

static void hexadecimal_takes_both_cases_and_16_digits(void **state)
{
    static const char *const bad[] = {"", "0x1", "g", "-1", "+1", " 1", "1 ", "1_0", "10000000000000000"};
    uint64_t value = 0;

    (void)state;
    assert_true(ga__parse_hex("0", 1, &value));
    assert_int_equal(value, 0);
    assert_true(ga__parse_hex("1aF", 3, &value));
    assert_int_equal(value, 0x1af);
    assert_true(ga__parse_hex("ffffFFFFffffFFFF", 16, &value));
    assert_int_equal(value, UINT64_MAX);
    assert_true(ga__parse_hex("0000000000000000000f", 20, &value));
    assert_int_equal(value, 15);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ga__parse_hex(bad[i], strlen(bad[i]), &value));
    assert_int_equal(value, 15);
}

static void other_bases_have_their_digits(void **state)
{
    uint64_t value = 0;

    (void)state;
    assert_true(ga__parse_unsigned("0777", 4, 8, &value));
    assert_int_equal(value, 0777);
    assert_false(ga__parse_unsigned("8", 1, 8, &value));
    assert_true(ga__parse_unsigned("101", 3, 2, &value));
    assert_int_equal(value, 5);
    assert_false(ga__parse_unsigned("2", 1, 2, &value));
}

static void double_takes_decimal_forms(void **state)
{
    static const struct {
        const char *text;
        double value;
    } rows[] = {
        {"0", 0},
        {"5", 5},
        {"1.5", 1.5},
        {".25", .25},
        {"2.", 2},
        {"-3.5", -3.5},
        {"+1", 1},
        {"1e3", 1000},
        {"1.25E-2", 0.0125},
        {"1e+2", 100},
        {"0.1", 0.1},
        {"007.50", 7.5},
        {"1e-999", 0},
        {"4.9e-324", 4.9e-324},
        {"1.7976931348623157e308", DBL_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double value = NAN;

        if (!ga__parse_double(rows[i].text, strlen(rows[i].text), &value) || value != rows[i].value)
            fail_msg("\"%s\" was taken for %g", rows[i].text, value);
    }
}

static void double_refuses_anything_else(void **state)
{
    static const char *const rows[] = {"",    ".",     "-",    "+.",    "e5",     "1e",      "1e+",
                                       "1,5", " 1",    "1 ",   "--1",   "inf",    "nan",     "-inf",
                                       "0x1", "1e309", "1.5s", "1.2.3", "NaN(1)", "infinity"};
    char longest[102];
    double value = 42;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ga__parse_double(rows[i], strlen(rows[i]), &value))
            fail_msg("\"%s\" was taken for %g", rows[i], value);
    memset(longest, '0', sizeof longest);
    assert_false(ga__parse_double(longest, 101, &value));
    assert_true(value == 42);
    assert_true(ga__parse_double(longest, 100, &value));
    assert_true(value == 0);
}

static void decimal_is_written_as_printf_does(void **state)
{
    static const uint64_t rows[] = {0, 1, 9, 10, 80, 65535, 1000000, (uint64_t)1 << 63, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char written[GA__DECIMAL_MAX + 1];
        char expected[GA__DECIMAL_MAX + 1];

        *ga__put_decimal(written, rows[i]) = '\0';
        snprintf(expected, sizeof expected, "%ju", (uintmax_t)rows[i]);
        assert_string_equal(written, expected);
    }
}

static void case_is_ascii_only(void **state)
{
    (void)state;
    assert_true(ga__ascii_is(GA__SLICE("Content-TYPE"), "content-type"));
    assert_false(ga__ascii_is(GA__SLICE("Content-Typ"), "content-type"));
    /* Those that differ by the bit of case but are no letters. */
    assert_false(ga__ascii_is(GA__SLICE("@"), "`"));
    assert_false(ga__ascii_is(GA__SLICE("["), "{"));
    assert_false(ga__ascii_is(GA__SLICE("\xc4"), "\xe4"));
    assert_int_equal(ga__ascii_hex('F'), 15);
    assert_int_equal(ga__ascii_hex('a'), 10);
    assert_int_equal(ga__ascii_hex('g'), -1);
    assert_int_equal(ga__ascii_hex('@'), -1);
    assert_true(ga__ascii_is_control('\x7f'));
    assert_false(ga__ascii_is_control('\x80'));
    assert_false(ga__ascii_is_alpha('\xe1'));
    assert_int_equal(ga__ascii_upper('z'), 'Z');
    assert_int_equal(ga__ascii_upper('{'), '{');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimal_takes_digits_that_fit),
        cmocka_unit_test(decimal_refuses_anything_else),
        cmocka_unit_test(only_the_given_bytes_are_read),
        cmocka_unit_test(hexadecimal_takes_both_cases_and_16_digits),
        cmocka_unit_test(other_bases_have_their_digits),
        cmocka_unit_test(double_takes_decimal_forms),
        cmocka_unit_test(double_refuses_anything_else),
        cmocka_unit_test(decimal_is_written_as_printf_does),
        cmocka_unit_test(case_is_ascii_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
