/* SPDX-License-Identifier: MIT */
/*
 * Whole jobs against a scripted server: a file for each body, the files beside the output, standard output,
 * and dry runs, which have none.
 */
#include "job_server.h"

#include "bulk/job_parts.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void bodies_failures_numbers_and_events_go_to_files(void **state)
{
    char *rows = check_path("rows.jsonl"), *output = check_path("d/{id}.json"),
         *failed = check_path("failed.jsonl"), *log = check_path("log"), *metrics = check_path("metrics"),
         *body = check_path("d/a.json");
    ga__job_options options = job_to(output);

    (void)state;
    check_write_file(rows, "{\"id\":\"a\",\"url\":\"/ok/1\"}\n{\"id\":\"b\",\"url\":\"/missing\"}\n");
    options.failed_out = failed;
    options.log = log;
    options.metrics = metrics;
    free(job_run(options, rows, 1));
    char *text = check_read_file(body);

    assert_string_equal(text, "{\"path\":\"/ok/1\"}");
    free(text);
    text = check_read_file(failed);
    assert_string_equal(text, "{\"id\":\"b\",\"method\":\"GET\",\"url\":\"/missing\"}\n");
    free(text);
    text = check_read_file(log);
    assert_int_equal(count_of(text, "\"event\":\"record\""), 2);
    free(text);
    text = check_read_file(metrics);
    assert_contains(text, "gather_job_rows_total 2");
    free(text);
    free(rows);
    free(output);
    free(failed);
    free(log);
    free(metrics);
    free(body);
}

/* A directory is where the body of one row would go: that is no fault of the others. */
static void a_row_whose_file_cannot_have_its_name_fails_alone(void **state)
{
    char *rows = check_path("rows.jsonl"), *output = check_path("n/{c}/{id}"),
         *index = check_path("n/index.jsonl"), *taken = check_path("n/c/taken"), *file = check_path("n/file");

    (void)state;
    check_write_file(rows, "{\"id\":\"taken\",\"c\":\"c\"}\n{\"id\":\"in-file\",\"c\":\"file\"}\n"
                           "{\"id\":\"good\",\"c\":\"c\"}\n");
    for (int looks = 0; looks < 2; looks++) {
        ga__job_options options = job_to(output);

        options.url_template = "/ok/1";
        options.extract = looks ? (const char *const[]){".path", NULL} : NULL;
        options.fresh = true;
        assert_int_equal(ga__body_file_make_directories(taken), 0);
        assert_true(mkdir(taken, 0777) == 0 || errno == EEXIST);
        check_write_file(file, "");
        free(job_run(options, rows, 1));
        char *text = check_read_file(index);

        assert_int_equal(count_of(text, "\"ok\":true"), 1);
        assert_int_equal(count_of(text, "\"kind\":\"input\",\"stage\":\"input\""), 2);
        assert_contains(text, "n/c/taken cannot be written: Is a directory");
        assert_contains(text, "n/file/in-file cannot be written: Not a directory");
        free(text);
    }
    free(rows);
    free(output);
    free(index);
    free(taken);
    free(file);
}

/* A file that is not whole yet has the name of no other row's. */
static void the_file_of_one_row_is_not_written_as_that_of_another(void **state)
{
    char *rows = check_path("rows.jsonl"), *output = check_path("p/{id}"),
         *index = check_path("p/index.jsonl"), *body = check_path("p/x"), *part = check_path("p/x.part");

    (void)state;
    check_write_file(rows, "{\"id\":\"x.part\",\"url\":\"/ok/1\"}\n{\"id\":\"x\",\"url\":\"/ok/2\"}\n");
    free(job_run(job_to(output), rows, 1));
    char *text = check_read_file(body);

    assert_string_equal(text, "{\"path\":\"/ok/2\"}");
    free(text);
    text = check_read_file(index);
    assert_int_equal(count_of(text, "\"ok\":true"), 1);
    assert_contains(text, "the name of its body's file ends in .part");
    free(text);
    assert_int_equal(access(part, F_OK), -1);
    free(rows);
    free(output);
    free(index);
    free(body);
    free(part);
}

/* --- no file -------------------------------------------------------------------------------------- */

/* Runs a job whose output is this process's standard output, which goes to a file meanwhile. */
static char *run_to_stdout(ga__job_options options, const char *rows, int expected)
{
    char *path = check_path("stdout");
    FILE *file = fopen(path, "w");
    int kept = dup(STDOUT_FILENO);

    fflush(stdout);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    free(job_run(options, rows, expected));
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    close(kept);
    fclose(file);
    char *text = check_read_file(path);

    free(path);
    return text;
}

static void raw_bodies_and_failures_of_later_pages_on_standard_output(void **state)
{
    ga__job_options options = ga__job_defaults;
    char *rows = write_rows("\"/late/%d\"\n", 4);

    (void)state;
    options.raw = true;
    char *text = run_to_stdout(options, rows, 0);

    assert_string_equal(text, "{\"path\":\"/late/1\"}{\"path\":\"/late/2\"}{\"path\":\"/late/3\"}"
                              "{\"path\":\"/late/4\"}");
    free(text);
    check_write_file(rows, "\"/then-missing\"\n");
    options = ga__job_defaults;
    options.next = "link";
    free(run_to_stdout(options, rows, 1));
    free(rows);
}

static void a_dry_run_sends_nothing_and_shows_no_secret(void **state)
{
    const char *const headers[] = {"Authorization: Bearer hush", NULL};
    char *rows = write_rows("\"/ok/%d\"\n", 5), *shown = check_path("shown"), *problem = NULL;
    const char *const inputs[] = {rows, NULL};
    ga__job_options options = ga__job_defaults;
    FILE *out = fopen(shown, "w");
    int code = 0;

    (void)state;
    options.inputs = inputs;
    options.headers = headers;
    options.base_url = job_base;
    job_requests = 0;
    ga__job *job = ga__job_new_dry(&options, &code, &problem);

    assert_non_null(job);
    assert_int_equal(ga__job_dry_run(job, out, 2, &problem), 0);
    ga__job_free(job);
    fclose(out);
    char *text = check_read_file(shown);

    assert_int_equal(job_requests, 0);
    assert_contains(text, "GET /ok/2");
    assert_lacks(text, "/ok/3");
    assert_contains(text, "# 5 rows");
    assert_lacks(text, "hush");
    free(text);
    free(rows);
    free(shown);
}

/* What a row says is shown, never obeyed. */
static void a_dry_run_sends_nothing_to_the_terminal(void **state)
{
    char *rows = check_path("rows.csv"), *shown = check_path("shown"), *problem = NULL;
    const char *const inputs[] = {rows, NULL};
    ga__job_options options = ga__job_defaults;
    FILE *out = fopen(shown, "w");
    int code = 0;

    (void)state;
    check_write_file(rows, "url,a\n/x,\x1b[2J\n/y,\xC2\x9b[2J\n/z,ok\n");
    options.inputs = inputs;
    options.headers = (const char *const[]){"X-A: {a}", NULL};
    options.id = "a";
    options.base_url = job_base;
    ga__job *job = ga__job_new_dry(&options, &code, &problem);

    assert_non_null(job);
    assert_int_equal(ga__job_dry_run(job, out, 3, &problem), 0);
    ga__job_free(job);
    fclose(out);
    char *text = check_read_file(shown);

    assert_contains(text, "# row 2, ");
    assert_contains(text, "has a control character");
    assert_lacks(text, "\x1b");
    assert_lacks(text, "\xC2\x9b");
    free(text);
    free(rows);
    free(shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_failures_numbers_and_events_go_to_files),
        cmocka_unit_test(a_row_whose_file_cannot_have_its_name_fails_alone),
        cmocka_unit_test(the_file_of_one_row_is_not_written_as_that_of_another),
        cmocka_unit_test(raw_bodies_and_failures_of_later_pages_on_standard_output),
        cmocka_unit_test(a_dry_run_sends_nothing_and_shows_no_secret),
        cmocka_unit_test(a_dry_run_sends_nothing_to_the_terminal),
    };

    return cmocka_run_group_tests(tests, job_set_up, job_tear_down);
}
