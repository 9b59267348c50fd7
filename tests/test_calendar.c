/* SPDX-License-Identifier: MIT */
/* The calendar: as the C library counts, and no day that it does not have. */
#include "base/calendar.h"
#include "check.h"

#include <time.h>

static void seconds_are_those_of_the_library(void **state)
{
    (void)state;
    for (int year = 1; year < 10000; year += year < 1890 || year > 2110 ? 37 : 1) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= 28; day += 27) {
                ga__date date = {year, month, day, 23, 59, 58};
                struct tm same = {.tm_year = year - 1900,
                                  .tm_mon = month - 1,
                                  .tm_mday = day,
                                  .tm_hour = 23,
                                  .tm_min = 59,
                                  .tm_sec = 58};

                assert_true(ga__date_exists(&date, 60));
                assert_true(ga__date_seconds(&date) == timegm(&same));
            }
        }
    }
}

static void what_is_no_date_is_told(void **state)
{
    static const struct {
        ga__date date;
        bool exists;
    } rows[] = {
        {{2026, 11, 22, 0, 0, 0}, true},    {{2024, 2, 29, 0, 0, 0}, true},  {{2023, 2, 29, 0, 0, 0}, false},
        {{1900, 2, 29, 0, 0, 0}, false},    {{2000, 2, 29, 0, 0, 0}, true},  {{2026, 4, 31, 0, 0, 0}, false},
        {{2026, 12, 31, 23, 59, 59}, true}, {{2026, 0, 1, 0, 0, 0}, false},  {{2026, 13, 1, 0, 0, 0}, false},
        {{2026, 1, 0, 0, 0, 0}, false},     {{2026, 1, 32, 0, 0, 0}, false}, {{0, 1, 1, 0, 0, 0}, false},
        {{2026, 1, 1, 24, 0, 0}, false},    {{2026, 1, 1, 0, 60, 0}, false}, {{2026, 1, 1, 0, 0, 60}, false},
        {{-1, -1, -1, -1, -1, -1}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ga__date_exists(&rows[i].date, 60) != rows[i].exists)
            fail_msg("row %zu", i);
    assert_true(ga__date_exists(&(ga__date){2016, 12, 31, 23, 59, 60}, 61)); /* a leap second */
    assert_false(ga__date_exists(&(ga__date){2016, 12, 31, 23, 59, 61}, 61));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_are_those_of_the_library),
        cmocka_unit_test(what_is_no_date_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
