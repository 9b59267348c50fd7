/* SPDX-License-Identifier: MIT */
/* Dates of cookies: the forms that servers write, those that they write wrongly, and what is no date. */
#include "check.h"

#include "protocol/cookie_date.h"

enum { NONE = -1 };

static const struct {
    const char *text;
    int64_t seconds;
} rows[] = {
    /* the three forms of HTTP */
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    /* what servers write besides */
    {"Wed, 09-Jun-2021 10:18:14 GMT", 1623233894},
    {"06 nov 1994 8:49:37", 784111777},
    {"1994 08:49:37 06 NOVember", 784111777},
    {"8:49:37/6/Nov/94", 784111777},
    {"Sun;06;Nov;1994;08:49:37;+0200", 784111777},
    {"06 Nov 1994 08:49:37.123", 784111777},
    {"06th Nov 1994 08:49:37pm", 784111777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Wed, 31 Dec 1969 23:59:59 GMT", NONE},
    {"01 Jan 69 00:00:00", 3124224000},
    {"01 Jan 70 00:00:00", 0},
    {"01 Jan 99 00:00:00", 915148800},
    {"01 Jan 00 00:00:00", 946684800},
    {"01 Jan 2038 03:14:08", 2145928448},
    {"31 Dec 9999 23:59:59", 253402300799},
    {"29 Feb 2000 00:00:00", 951782400},
    {"29 Feb 2024 12:00:00", 1709208000},
    {"1 Jan 1601 00:00:00", -11644473600},
    /* the first of each kind counts */
    {"06 Nov Dec 1994 1995 08:49:37 09:00:00", 784111777},
};

static const char *const refused[] = {
    "",
    "0",
    "never",
    "Sun, 06 Nov 1994",
    "08:49:37 GMT",
    "Nov 1994 08:49:37",
    "06 1994 08:49:37",
    "06 Nov 08:49:37",
    "00 Nov 1994 08:49:37",
    "32 Nov 1994 08:49:37",
    "31 Nov 1994 08:49:37",
    "29 Feb 1900 00:00:00",
    "29 Feb 2023 00:00:00",
    "06 Nov 1600 08:49:37",
    "06 Nov 100 08:49:37",
    "06 Nov 1994 24:00:00",
    "06 Nov 1994 08:60:37",
    "06 Nov 1994 08:49:60",
    "06 Nov 1994 08:49",
    "06 Nov 1994 08.49.37",
    "06 Nov 1994 008:49:37",
    "06 No 1994 08:49:37",
    "006 Nov 19940 08:49:37",
    "-06-Nov-10000-08:49:37",
};

static void dates_are_read_as_servers_write_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t seconds = 12345;
        bool is_date = ga__cookie_date(ga__slice_of(rows[i].text), &seconds);

        if (!is_date || seconds != rows[i].seconds)
            fail_msg("%s: %lld", rows[i].text, is_date ? (long long)seconds : 12345LL);
    }
}

static void what_is_no_date_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        int64_t seconds = 12345;

        if (ga__cookie_date(ga__slice_of(refused[i]), &seconds))
            fail_msg("%s: %lld", refused[i], (long long)seconds);
        assert_int_equal(seconds, 12345);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_read_as_servers_write_them),
        cmocka_unit_test(what_is_no_date_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
