/* SPDX-License-Identifier: MIT */
/* A job's numbers in Prometheus' text format: each line is of its grammar, and the numbers are the job's. */
#include "check.h"

#include "base/number.h"
#include "bulk/job_metrics.h"
#include <stdlib.h>
#include <string.h>

static ga__job_status status;

static char *metrics(void)
{
    ga__buffer out = GA__BUFFER_INIT;

    ga__job_metrics_append(&out, &status);
    char *text = ga__buffer_take(&out);

    assert_non_null(text);
    return text;
}

static int begin(void **state)
{
    (void)state;
    memset(&status, 0, sizeof status);
    status.total = 10;
    status.rate = 8.5;
    status.in_flight = 2;
    status.seconds = 1.5;
    status.stats.rows = 4;
    status.stats.skipped = 3;
    status.stats.kinds[GA__KIND_OK] = 3;
    status.stats.kinds[GA__KIND_TIMEOUT] = 1;
    status.stats.statuses[200] = 3;
    status.stats.statuses[0] = 1;
    status.stats.retries = 5;
    status.stats.bytes = 123456789012;
    ga__durations_add(&status.stats.service, 0.1);
    ga__durations_add(&status.stats.service, 100);
    ga__durations_add(&status.stats.service, 100);
    ga__durations_add(&status.stats.service, 3600000);
    return 0;
}

static void expect_line(const char *text, const char *line)
{
    const char *at = strstr(text, line);

    while (at && ((at > text && at[-1] != '\n') || at[strlen(line)] != '\n'))
        at = strstr(at + 1, line);
    if (!at)
        fail_msg("there is no line %s in\n%s", line, text);
}

static void the_numbers_are_the_jobs(void **state)
{
    char *text = metrics();

    (void)state;
    expect_line(text, "gather_job_rows_total 4");
    expect_line(text, "gather_job_input_rows 10");
    expect_line(text, "gather_job_skipped_rows 3");
    expect_line(text, "gather_job_records_total{kind=\"ok\"} 3");
    expect_line(text, "gather_job_records_total{kind=\"timeout\"} 1");
    expect_line(text, "gather_job_records_total{kind=\"dns\"} 0");
    expect_line(text, "gather_job_responses_total{status=\"200\"} 3");
    expect_line(text, "gather_job_retries_total 5");
    expect_line(text, "gather_job_received_bytes_total 123456789012");
    expect_line(text, "gather_job_rate_limit 8.5");
    expect_line(text, "gather_job_in_flight 2");
    free(text);
}

/* Nothing is told where nothing is known: a limit of 0 would read as one. */
static void what_is_not_known_is_left_out(void **state)
{
    (void)state;
    status.rate = 0;
    status.total = 0;
    char *text = metrics();

    assert_null(strstr(text, "gather_job_rate_limit"));
    assert_null(strstr(text, "input_rows"));
    assert_null(strstr(text, "status=\"0\""));
    free(text);
}

static void buckets_count_all_that_is_below(void **state)
{
    char *text = metrics();

    (void)state;
    expect_line(text, "gather_job_service_seconds_bucket{le=\"0.00032\"} 1");
    expect_line(text, "gather_job_service_seconds_bucket{le=\"0.08192\"} 1");
    expect_line(text, "gather_job_service_seconds_bucket{le=\"0.16384\"} 3");
    expect_line(text, "gather_job_service_seconds_bucket{le=\"671.08864\"} 3");
    expect_line(text, "gather_job_service_seconds_bucket{le=\"+Inf\"} 4");
    expect_line(text, "gather_job_service_seconds_sum 3600.2001");
    expect_line(text, "gather_job_service_seconds_count 4");
    expect_line(text, "gather_job_wait_seconds_count 0");
    free(text);
}

/* NAME VALUE or NAME{LABEL="..."} VALUE, below the one HELP and TYPE of its family. */
static void check_sample(ga__slice line, ga__slice family)
{
    double value;
    ga__slice name = ga__slice_take_to(&line, ' ');

    assert_true(family.size > 0 && name.size >= family.size &&
                memcmp(name.data, family.data, family.size) == 0);
    assert_true(ga__parse_double(line.data, line.size, &value));
}

static void every_line_belongs_to_a_family_that_is_told_once(void **state)
{
    char *text = metrics();
    ga__slice rest = ga__slice_of(text), family = {0};
    size_t families = 0, samples = 0;

    (void)state;
    assert_int_equal(rest.data[rest.size - 1], '\n');
    while (rest.size > 0) {
        ga__slice line = ga__slice_take_to(&rest, '\n');

        if (line.size > 7 && memcmp(line.data, "# HELP ", 7) == 0) {
            ga__slice_take(&line, 7);
            family = ga__slice_take_to(&line, ' ');
            char *help = ga_format("# HELP %.*s ", (int)family.size, family.data);

            assert_null(strstr(rest.data, help));
            free(help);
            line = ga__slice_take_to(&rest, '\n');
            assert_memory_equal(line.data, "# TYPE ", 7);
            assert_memory_equal(line.data + 7, family.data, family.size);
            families++;
        } else {
            check_sample(line, family);
            samples++;
        }
    }
    assert_true(families > 12);
    assert_true(samples > families);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_numbers_are_the_jobs, begin),
        cmocka_unit_test_setup(what_is_not_known_is_left_out, begin),
        cmocka_unit_test_setup(buckets_count_all_that_is_below, begin),
        cmocka_unit_test_setup(every_line_belongs_to_a_family_that_is_told_once, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
