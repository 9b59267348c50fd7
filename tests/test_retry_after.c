/* SPDX-License-Identifier: MIT */
/* When a server wants to be asked again: every form of every field, and what is none. */
#include "check.h"

#include "protocol/http1_fields.h"
#include "protocol/http_date.h"
#include "protocol/retry_after.h"
#include <math.h>
#include <string.h>

/* Sun, 22 Nov 2026 11:04:42 GMT */
#define NOW 1795345482.0

typedef struct value_case {
    const char *value;
    double expected;
} value_case;

static void check_values(const value_case *cases, size_t count, double (*read)(ga__slice value, double now))
{
    for (size_t i = 0; i < count; i++) {
        double found = read(ga__slice_of(cases[i].value), NOW);

        if (!(fabs(found - cases[i].expected) < 1e-6))
            fail_msg("\"%s\": %g instead of %g", cases[i].value, found, cases[i].expected);
    }
}

static double read_ms(ga__slice value, double now)
{
    (void)now;
    return ga__retry_after_ms(value);
}

static void retry_after_is_digits_or_one_of_three_dates(void **state)
{
    static const value_case cases[] = {
        {"0", 0},
        {"120", 120},
        {" 120\t", 120},
        {"0007", 7},
        {"21600", 21600},
        {"21601", 21601},
        {"86400", 86400},
        {"2592001", 2592000},
        {"99999999999999999999999999", 2592000},
        {"Sun, 22 Nov 2026 11:05:42 GMT", 60},
        {"Sunday, 22-Nov-26 11:05:42 GMT", 60},
        {"Sun Nov 22 11:05:42 2026", 60},
        {"Tue Dec  1 11:04:42 2026", 777600},
        {"Sun, 22 Nov 2026 11:04:42 GMT", 0},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 0},
        {"Fri, 31 Dec 9999 23:59:60 GMT", 2592000},
        {"", -1},
        {" ", -1},
        {"-1", -1},
        {"+5", -1},
        {"1.5", -1},
        {"1e3", -1},
        {"0x10", -1},
        {"5s", -1},
        {"5 5", -1},
        {"soon", -1},
        {"inf", -1},
        {"Sun, 22 Nov 2026 11:05:42", -1},
        {"Sun, 22 Nov 2026 11:05:42 UTC", -1},
        {"sun, 22 nov 2026 11:05:42 gmt", -1},
        {"Sun, 31 Nov 2026 11:05:42 GMT", -1},
        {"Sun, 29 Feb 2026 11:05:42 GMT", -1},
        {"Sun, 22 Nov 2026 24:05:42 GMT", -1},
        {"Sun, 22 Nov 2026 11:60:42 GMT", -1},
        {"Sun, 22 Nov 2026 11:05:42 GMT, 5", -1},
        {"2026-11-22T11:05:42Z", -1},
    };

    (void)state;
    check_values(cases, sizeof cases / sizeof *cases, ga__retry_after);
}

static void retry_after_ms_is_milliseconds(void **state)
{
    static const value_case cases[] = {
        {"1500", 1.5}, {"0", 0}, {" 20 ", 0.02}, {"12.5", 0.0125}, {"99999999999", 2592000},
        {"-5", -1},    {"", -1}, {"5ms", -1},    {"1.2.3", -1},    {"nan", -1},
    };

    (void)state;
    check_values(cases, sizeof cases / sizeof *cases, read_ms);
}

static void a_reset_is_a_delta_a_time_a_date_or_a_duration(void **state)
{
    static const value_case cases[] = {
        {"30", 30},
        {"0", 0},
        {"0.5", 0.5},
        {"100000", 100000},
        {"1795345502", 20}, /* epoch, s */
        {"1795345502.25", 20.25},
        {"1795345480", 0},
        {"1795345502500", 20.5}, /* epoch, ms */
        {"1795345480000", 0},
        {"179534550250000000", -1},
        {"Sun, 22 Nov 2026 11:05:42 GMT", 60},
        {"2026-11-22T11:05:42Z", 60},
        {"2026-11-22t11:05:42.500z", 60.5},
        {"2026-11-22T12:05:42+01:00", 60},
        {"2026-11-22T10:05:42-01:00", 60},
        {"2026-11-22T11:05:42", -1},
        {"2026-11-22T11:05:42.Z", -1},
        {"2026-11-22T11:05:42+25:00", -1},
        {"2026-13-22T11:05:42Z", -1},
        {"6m0s", 360},
        {"12ms", 0.012},
        {"1s", 1},
        {"1h2m3.5s", 3723.5},
        {"8.64s", 8.64},
        {"250us", 0.00025},
        {"250\xc2\xb5s", 0.00025},
        {"10ns", 1e-8},
        {"400h", 1440000},
        {"800h", 2592000},
        {"s", -1},
        {"5x", -1},
        {"5m3", -1},
        {"-6m", -1},
        {"", -1},
        {"never", -1},
    };

    (void)state;
    check_values(cases, sizeof cases / sizeof *cases, ga__ratelimit_reset);
}

static void a_year_of_two_digits_is_within_fifty_years(void **state)
{
    double then;

    (void)state;
    assert_true(ga__http_date(GA__SLICE("Monday, 01-Jan-70 00:00:00 GMT"), NOW, &then));
    assert_true(then > NOW); /* 2070 */
    assert_true(ga__http_date(GA__SLICE("Monday, 01-Jan-77 00:00:00 GMT"), NOW, &then));
    assert_true(fabs(then - 220924800) < 1); /* 1977 */
    assert_true(ga__http_date(GA__SLICE("Thursday, 01-Jan-70 00:00:00 GMT"), 0, &then));
    assert_true(fabs(then) < 1);
    assert_true(ga__http_date(GA__SLICE("Thu, 29 Feb 2024 00:00:00 GMT"), 0, &then));
    assert_true(fabs(then - 1709164800) < 1);
}

/* --- whole answers -------------------------------------------------------------------------------- */

static ga__advice advice_of(const char *lines)
{
    static const ga__headers_limits limits = {65536, 8192, 100, false};
    const char *problem = NULL;
    ga__headers_table table;
    ga__advice advice;
    char bytes[2048];

    snprintf(bytes, sizeof bytes, "%s\r\n", lines);
    ga__headers_table_init(&table);
    assert_int_equal(ga__headers_parse(&table, bytes, 0, (uint32_t)strlen(bytes), &limits, &problem), 0);
    ga__advice_read(&advice, &table.headers, NOW);
    ga__headers_table_free(&table);
    return advice;
}

static void an_answers_fields_come_together(void **state)
{
    static const struct {
        const char *lines;
        double retry_after, limit, remaining, reset;
    } cases[] = {
        {"Server: x\r\n", -1, -1, -1, -1},
        {"Retry-After: 3\r\n", 3, -1, -1, -1},
        {"Retry-After: 3\r\nretry-after: 5\r\n", 5, -1, -1, -1},
        {"Retry-After: 1\r\nretry-after-ms: 1200\r\n", 1.2, -1, -1, -1},
        {"Retry-After: junk\r\nretry-after-ms: 1200\r\n", 1.2, -1, -1, -1},
        /* the server's clock is 100 s ahead, and its dates are meant by it */
        {"Date: Sun, 22 Nov 2026 11:06:22 GMT\r\nRetry-After: Sun, 22 Nov 2026 11:06:32 GMT\r\n", 10, -1, -1,
         -1},
        {"Date: never\r\nRetry-After: Sun, 22 Nov 2026 11:04:52 GMT\r\n", 10, -1, -1, -1},
        {"RateLimit-Limit: 100\r\nRateLimit-Remaining: 40\r\nRateLimit-Reset: 50\r\n", -1, 100, 40, 50},
        {"RateLimit-Limit: 100, 100;w=60\r\nRateLimit-Remaining: 0\r\nRateLimit-Reset: 7\r\n", -1, 100, 0, 7},
        {"X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1795345502\r\n", -1, 60, 0,
         20},
        {"x-rate-limit-limit: 60\r\nx-rate-limit-remaining: 1\r\nx-rate-limit-reset: 1795345502\r\n", -1, 60,
         1, 20},
        {"X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset-After: 1.25\r\n", -1, -1, 0, 1.25},
        {"RateLimit: limit=100, remaining=50, reset=30\r\n", -1, 100, 50, 30},
        {"RateLimit: \"default\";r=50;t=30\r\n", -1, -1, 50, 30},
        {"RateLimit-Policy: \"default\";q=100;w=60\r\nRateLimit: \"default\";r=50;t=30\r\n", -1, 100, 50, 30},
        {"RateLimit-Policy: \"burst\";q=100;w=60, \"day\";q=1000;w=86400\r\n"
         "RateLimit: \"burst\";r=50;t=30, \"day\";r=0;t=4000\r\n",
         -1, 1000, 0, 4000},
        {"RateLimit: \"a;b=1,\\\"c\";r=5;t=3\r\n", -1, -1, 5, 3},
        {"x-ratelimit-limit-requests: 60\r\nx-ratelimit-limit-tokens: 150000\r\n"
         "x-ratelimit-remaining-requests: 59\r\nx-ratelimit-remaining-tokens: 0\r\n"
         "x-ratelimit-reset-requests: 1s\r\nx-ratelimit-reset-tokens: 6m0s\r\n",
         -1, 150000, 0, 360},
        {"acme-ratelimit-requests-limit: 50\r\nacme-ratelimit-requests-remaining: 0\r\n"
         "acme-ratelimit-requests-reset: 2026-11-22T11:05:42Z\r\n",
         -1, 50, 0, 60},
        /* nonsense */
        {"RateLimit-Remaining: -1\r\nRateLimit-Reset: never\r\nRateLimit-Limit:\r\n", -1, -1, -1, -1},
        {"RateLimit: ;;;,,,=\";r=\r\nRateLimit-Policy: \"\r\n", -1, -1, -1, -1},
        {"X-RateLimit-Resource: core\r\nX-RateLimit-Used: 5\r\nX-RateLimit: \r\n", -1, -1, -1, -1},
        {"X-RateLimits-Remaining: 0\r\nX-RateLimit-Remainings: 0\r\n", -1, -1, -1, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga__advice advice = advice_of(cases[i].lines);

        if (fabs(advice.retry_after - cases[i].retry_after) > 1e-6 ||
            fabs(advice.limit - cases[i].limit) > 1e-6 ||
            fabs(advice.remaining - cases[i].remaining) > 1e-6 || fabs(advice.reset - cases[i].reset) > 1e-6)
            fail_msg("%s: %g %g %g %g instead of %g %g %g %g", cases[i].lines, advice.retry_after,
                     advice.limit, advice.remaining, advice.reset, cases[i].retry_after, cases[i].limit,
                     cases[i].remaining, cases[i].reset);
    }
}

static void more_windows_than_anyone_has_are_ignored(void **state)
{
    char lines[1024] = "";
    size_t size = 0;

    (void)state;
    for (int i = 0; i < 20; i++)
        size += (size_t)snprintf(lines + size, sizeof lines - size, "X-RateLimit-Remaining-%c: %d\r\n",
                                 'a' + i, 100 - i);
    assert_true(fabs(advice_of(lines).remaining - 93) < 1e-6); /* the least of the first eight */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry_after_is_digits_or_one_of_three_dates),
        cmocka_unit_test(retry_after_ms_is_milliseconds),
        cmocka_unit_test(a_reset_is_a_delta_a_time_a_date_or_a_duration),
        cmocka_unit_test(a_year_of_two_digits_is_within_fifty_years),
        cmocka_unit_test(an_answers_fields_come_together),
        cmocka_unit_test(more_windows_than_anyone_has_are_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
