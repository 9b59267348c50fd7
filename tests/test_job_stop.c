/* SPDX-License-Identifier: MIT */
/*
 * Whole jobs against a scripted server: how they are stopped, by somebody or by their limits, and gone on
 * with; and when their records are written, which is what they go on from.
 */
#include "job_server.h"

#include "bulk/job_parts.h"
#include "bulk/journal_database.h"
#include <stdlib.h>

static int stop_after; /* requests; 0: it is not stopped */
static bool stop_at_once;

/* Of the last run. */
static int commits;          /* of the journal */
static double written_after; /* seconds, until the first record was in the output; 0: not while it ran */

static int count_commit(void *arg)
{
    (void)arg;
    commits++;
    return 0;
}

static void watch(void *arg, ga__job *job)
{
    (void)arg;
    if (job->kept)
        sqlite3_commit_hook(job->journal->db, count_commit, NULL);
    if (job->kept && written_after == 0 && job->journal->written > 0)
        written_after = check_now() - job->began_at;
    if (stop_after > 0 && job_requests >= stop_after) {
        ga__job_stop(job);
        if (stop_at_once)
            ga__job_stop(job);
        stop_after = 0; /* a second time would end what is under way */
    }
}

/* As job_run, watched. */
static char *run(ga__job_options options, const char *rows, int expected)
{
    commits = 0;
    written_after = 0;
    return job_run_watched(options, rows, expected, watch);
}

/* --- stopping, and going on ----------------------------------------------------------------------- */

/* Rows in line are stopped before those under way end: their turns must not be waited for. */
static void a_stopped_job_keeps_its_answers_and_goes_on(void **state)
{
    char *rows = write_rows("\"/late/%d\"\n", 200), *output = check_path("stopped.jsonl");
    ga__job_options options = job_to(output);

    (void)state;
    options.concurrency = 3;
    options.rate = (ga__rate){200, 1};
    for (int ordered = 0; ordered <= 1; ordered++) {
        options.ordered = ordered;
        options.fresh = true;
        options.resume = false;
        stop_after = 20;
        double began = check_now();
        char *reason = run(options, rows, 3);

        assert_true(check_now() - began < 20);
        assert_contains(reason ? reason : "", "it was stopped");
        int before = job_requests;
        char *text = check_read_file(output);

        assert_int_equal(count_of(text, "\n"), before);
        free(text);
        free(reason);
        options.fresh = false;
        options.resume = true;
        options.rate.count = 0;
        free(run(options, rows, 0));
        assert_int_equal(job_requests, 200 - before);
        check_records(output, 200);
        options.rate.count = 200;
    }
    free(rows);
    free(output);
}

/* One row, whose job is stopped when so many requests have come, and then gone on with. @return its record */
static char *stop_and_resume(const char *row, int after, bool at_once, int expected)
{
    char *rows = check_path("one.jsonl"), *output = check_path("one-out.jsonl");
    ga__job_options options = job_to(output);

    check_write_file(rows, row);
    options.follow = true;
    stop_after = after;
    stop_at_once = at_once;
    double began = check_now();

    free(run(options, rows, 3));
    assert_true(check_now() - began < 4);
    stop_at_once = false;
    options.fresh = false;
    options.resume = true;
    options.retries = 0;
    free(run(options, rows, expected));
    char *text = check_read_file(output);

    assert_int_equal(count_of(text, "\n"), 1);
    free(rows);
    free(output);
    return text;
}

static void what_only_waits_is_let_go_and_called_again(void **state)
{
    static const char *const rows[] = {"{\"url\":\"/closed\"}", "{\"url\":\"/closed\",\"method\":\"POST\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = stop_and_resume(rows[i], 1, false, 1);

        assert_int_equal(job_requests, 1);
        assert_contains(text, "\"status\":429");
        free(text);
    }
}

static void what_may_have_been_acted_upon_is_not_called_again(void **state)
{
    static const struct {
        const char *row;
        int requests;
    } cases[] = {
        {"{\"url\":\"/hang\",\"method\":\"POST\"}", 1},
        {"{\"url\":\"/made\",\"method\":\"POST\"}", 2}, /* what it made is being asked for */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = stop_and_resume(cases[i].row, cases[i].requests, true, 1);

        assert_int_equal(job_requests, 0);
        assert_contains(text, "\"kind\":\"unknown_outcome\"");
        free(text);
    }
}

static void a_limit_and_too_many_failures_end_the_job(void **state)
{
    char *rows = write_rows("\"/missing/%d\"\n", 400), *output = check_path("limit.jsonl"), *reason;
    ga__job_options options = job_to(output);

    (void)state;
    options.limit = 5;
    free(run(options, rows, 1));
    check_records(output, 5);
    options = job_to(output);
    options.concurrency = 1;
    reason = run(options, rows, 3);
    assert_contains(reason ? reason : "", "of the last 100 rows failed");
    free(reason);
    options.max_errors_share = false;
    options.max_errors = 7;
    reason = run(options, rows, 3);
    assert_contains(reason ? reason : "", "--max-errors allows 7");
    assert_true(job_requests < 20);
    free(reason);
    free(rows);
    rows = write_rows("\"/refused/%d\"\n", 400);
    reason = run(job_to(output), rows, 3);
    assert_contains(reason ? reason : "", "Is the API key right?");
    free(reason);
    free(rows);
    rows = write_rows("\"/ok/%d\"\n", 400);
    options = job_to(output);
    options.rate = (ga__rate){20, 1};
    options.max_duration = 0.3;
    reason = run(options, rows, 3);
    assert_contains(reason ? reason : "", "--max-duration");
    free(reason);
    free(rows);
    free(output);
}

/* --- when records are written --------------------------------------------------------------------- */

/* A slow job would spend more on writing each record by itself than on all else. */
static void records_that_nobody_waits_for_are_written_together(void **state)
{
    char *rows = write_rows("\"/ok/%d\"\n", 100), *output = check_path("together.jsonl");
    ga__job_options options = job_to(output);

    (void)state;
    options.rate = (ga__rate){100, 1};
    free(run(options, rows, 0));
    check_records(output, 100);
    assert_in_range(commits, 3, 25);
    free(rows);
    free(output);
}

/* Else each of them would take a tenth of a second. */
static void records_that_somebody_waits_for_are_written_at_once(void **state)
{
    char *rows = write_rows("\"/ok/%d\"\n", 150), *output = check_path("at_once.jsonl");
    double began = check_now();

    (void)state;
    for (int ordered = 0; ordered <= 1; ordered++) {
        ga__job_options options = job_to(output);

        options.concurrency = ordered ? 20 : 1;
        options.ordered = ordered;
        free(run(options, rows, 0));
        check_records(output, 150);
    }
    ga__job_options options = job_to(output);

    options.per_host = 1;
    free(run(options, rows, 0));
    assert_true(check_now() - began < 15);
    free(rows);
    free(output);
}

/* No other comes meanwhile that it could be written with. */
static void records_are_there_while_another_call_hangs(void **state)
{
    char *rows = check_path("rows.jsonl"), *output = check_path("while.jsonl");
    ga__job_options options = job_to(output);

    (void)state;
    check_write_file(rows, "\"/ok/1\"\n\"/hang\"\n");
    options.max_time = 3;
    options.retries = 0;
    free(run(options, rows, 1));
    check_records(output, 2);
    assert_true(written_after > 0 && written_after < 1.5);
    free(rows);
    free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stopped_job_keeps_its_answers_and_goes_on),
        cmocka_unit_test(what_only_waits_is_let_go_and_called_again),
        cmocka_unit_test(what_may_have_been_acted_upon_is_not_called_again),
        cmocka_unit_test(a_limit_and_too_many_failures_end_the_job),
        cmocka_unit_test(records_that_nobody_waits_for_are_written_together),
        cmocka_unit_test(records_that_somebody_waits_for_are_written_at_once),
        cmocka_unit_test(records_are_there_while_another_call_hangs),
    };

    return cmocka_run_group_tests(tests, job_set_up, job_tear_down);
}
