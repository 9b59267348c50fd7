/* SPDX-License-Identifier: MIT */
/* Rows as requests, and as lines of input, with each allocation failing in turn: a row is whole or not there,
 * and never blamed for the memory. */
#include "check.h"
#include "failmalloc.h"

#include "bulk/plan.h"
#include <stdlib.h>
#include <string.h>

static const char record[] =
    "{\"id\":\"a\",\"method\":\"PUT\",\"url\":\"/x\",\"headers\":{\"X-A\":\"1\",\"X-B\":null},"
    "\"body\":{\"k\":1},\"expect\":[200,409],\"cost\":3,\"meta\":{\"m\":1}}";

static void check_row(const ga__job_options *options, const char *text)
{
    const ga__raw_row raw = {.n = 1, .line = 1, .form = GA__ROW_JSON, .text = ga__slice_of(text)};
    char *problem = NULL;
    ga__plan *plan = ga__plan_new(options, &problem);

    if (!plan)
        fail_msg("%s", problem);
    for (int n = 1; failmalloc_again(n); n++) {
        ga__row row = {.n = 0};
        bool good = ga__plan_build(plan, &raw, &row), failed = failmalloc_stop();

        assert_true(good || failed);
        if (good && row.problem)
            fail_msg("%s, where allocation %d failed: %s", text, n, row.problem);
        ga__row_free(&row);
    }
    ga__plan_free(plan);
}

static void request_records(void **state)
{
    ga__job_options options = ga__job_defaults;

    (void)state;
    options.keep = (const char *const[]){"meta", NULL};
    options.headers = (const char *const[]){"X-Of: {id}", NULL};
    check_row(&options, record);
    check_row(&options, "{\"id\":1,\"method\":\"POST\",\"url\":\"/x\",\"body_base64\":\"AP8=\"}");
    check_row(&options, "{\"\\u0069d\":1,\"\\u0075rl\":\"/x\",\"bod\\u0079\":7}");
    check_row(&options, "{\"id\":1,\"url\":\"/"
                        "x\",\"form\":[{\"name\":\"a\",\"value\":\"b\"},{\"name\":\"f\",\"file\":\"x\"}]}");
    check_row(&options, "{\"id\":1,\"method\":\"POST\",\"url\":\"/x\",\"body\":\"text\",\"expect\":\"2xx\"}");
}

static void templates(void **state)
{
    static const char row[] = "{\"id\":\"a\",\"k\":\"v\"}";
    ga__job_options options = ga__job_defaults;

    (void)state;
    options.url_template = "/x/{id}?k={k}";
    options.output = "bodies/{id}";
    options.json = "{\"k\":\"{k}\"}";
    check_row(&options, row);
    options.json = NULL;
    options.form = (const char *const[]){"k={k}", NULL};
    check_row(&options, row);
}

static void a_line_of_input_is_whole_or_not_there(void **state)
{
    const ga__raw_row raw = {.n = 1, .form = GA__ROW_JSON, .text = ga__slice_of(record)};
    char *problem = NULL;
    ga__plan *plan = ga__plan_new(&ga__job_defaults, &problem);
    ga__row row = {.n = 0};

    (void)state;
    assert_non_null(plan);
    assert_true(ga__plan_build(plan, &raw, &row));
    for (int n = 1; failmalloc_again(n); n++) {
        ga__buffer line = GA__BUFFER_INIT;

        ga__row_append_input(&line, &row);
        if (failmalloc_stop())
            assert_true(line.failed);
        else
            assert_string_equal(line.data, record);
        ga__buffer_free(&line);
    }
    ga__row_free(&row);
    ga__plan_free(plan);
}

/* What a dry run prints, the caller's to free; NULL where it says that it could not. */
static char *dry_run(void)
{
    static const char *const inputs[] = {"http://h/[1-4]", NULL};
    ga__job_options options = ga__job_defaults;
    char *problem = NULL, *text = NULL;
    size_t size;
    int code;

    options.inputs = inputs;
    options.headers = (const char *const[]){"X-A: {url}", NULL};
    ga__job *job = ga__job_new_dry(&options, &code, &problem);
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    if (job)
        code = ga__job_dry_run(job, out, 2, &problem);
    ga__job_free(job);
    fclose(out);
    free(problem);
    if (code == 0)
        return text;
    free(text);
    return NULL;
}

static void a_dry_run_is_whole_or_says_that_it_is_not(void **state)
{
    char *whole = dry_run();

    (void)state;
    assert_contains(whole, "# 4 rows; nothing was sent");
    for (int n = 1; failmalloc_again(n); n++) {
        char *text = dry_run();
        bool failed = failmalloc_stop();

        assert_true(text || failed);
        if (text)
            assert_string_equal(text, whole);
        free(text);
    }
    free(whole);
}

/* Runs a job of rows that are not called, with an output and what failed beside it. @return its exit status
 */
static int run_job(const char *rows, const char *output, const char *failed)
{
    const char *const inputs[] = {rows, NULL};
    ga__job_options options = ga__job_defaults;
    char *problem = NULL;
    int code;

    options.inputs = inputs;
    options.headers = (const char *const[]){"X-A: {a}", NULL};
    options.output = output;
    options.failed_out = failed;
    options.fresh = true;
    ga__job *job = ga__job_new(&options, &code, &problem);

    if (job)
        code = ga__job_run(job, 0.1, NULL, NULL, &problem);
    ga__job_free(job);
    free(problem);
    return code;
}

/* A job that has come to its end has the record of each row, and the line of each that failed. */
static void a_job_is_whole_or_says_that_it_is_not(void **state)
{
    static const char text[] = "{\"id\":1,\"url\":\"http://h/1\"}\n{\"id\":2,\"url\":\"http://h/2\"}\n";
    char *directory = check_mkdtemp(), *rows = ga_format("%s/rows.jsonl", directory),
         *output = ga_format("%s/out.jsonl", directory), *failed = ga_format("%s/failed.jsonl", directory);

    (void)state;
    check_write_file(rows, text);
    for (int n = 1; failmalloc_again(n); n++) {
        int code = run_job(rows, output, failed);

        if (!failmalloc_stop())
            assert_int_equal(code, 1);
        if (code != 1)
            continue;
        char *lines = check_read_file(failed), *records = check_read_file(output);

        assert_string_equal(lines, text);
        assert_contains(records, "\"id\":1,");
        assert_contains(records, "\"id\":2,");
        free(lines);
        free(records);
    }
    free(rows);
    free(output);
    free(failed);
    check_rmdir(directory);
    free(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_records),
        cmocka_unit_test(templates),
        cmocka_unit_test(a_dry_run_is_whole_or_says_that_it_is_not),
        cmocka_unit_test(a_job_is_whole_or_says_that_it_is_not),
        cmocka_unit_test(a_line_of_input_is_whole_or_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
