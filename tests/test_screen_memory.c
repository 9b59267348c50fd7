/* SPDX-License-Identifier: MIT */
/* The screen and the reports with each allocation failing in turn: less is shown, and nothing breaks. */
#include "check.h"
#include "failmalloc.h"

#include "bulk/job.h"
#include "bulk/job_metrics.h"
#include "cli/report.h"
#include "cli/screen.h"
#include <stdlib.h>
#include <string.h>

static ga__job_status status;
static FILE *nowhere;

static int begin(void **state)
{
    (void)state;
    setenv("LC_ALL", "C.UTF-8", 1);
    status.total = 1000;
    status.rate = 50;
    status.kept = true;
    strcpy(status.pause, "api.example cools down, 42 s");
    for (int i = 0; i < 100; i++)
        ga__stats_add(&status.stats, &(ga__record){.ok = i % 10 != 0,
                                                   .kind = i % 10 ? GA__KIND_OK : GA__KIND_HTTP,
                                                   .status = i % 10 ? 200 : 503,
                                                   .attempts = 2,
                                                   .at = 1,
                                                   .wait_ms = 1,
                                                   .total_ms = 100 + i});
    nowhere = fopen("/dev/null", "w");
    return nowhere ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    fclose(nowhere);
    return 0;
}

static void show(ga__screen_mode mode)
{
    static const ga__job_options job = {.output = "a file.jsonl"};
    ga__screen *screen = ga__screen_new(
        &(ga__screen_options){.mode = mode, .err = nowhere, .job = &job, .columns = 60, .rows = 20});

    for (int i = 1; i < 4; i++) {
        status.seconds = i * 31;
        ga__screen_draw(screen, &status);
        ga__screen_say(screen, "row %d", i);
        ga__screen_tell(screen, &status);
    }
    ga__screen_end(screen, &status, 3, "the end");
}

static void the_screen_shows_less(void **state)
{
    static const ga__screen_mode modes[] = {GA__SCREEN_AUTO, GA__SCREEN_PLAIN, GA__SCREEN_JSON};

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        for (int n = 1; failmalloc_again(n); n++) {
            show(modes[i]);
            failmalloc_stop();
        }
}

static void metrics_are_whole_or_failed(void **state)
{
    (void)state;
    for (int n = 1; failmalloc_again(n); n++) {
        ga__buffer out = GA__BUFFER_INIT;

        ga__job_metrics_append(&out, &status);
        assert_true(out.failed == failmalloc_stop());
        ga__buffer_free(&out);
    }
}

static char *make_journal(const char *directory)
{
    static const ga__record like = {.stage = "", .message = ""};
    static const ga_pair job[] = {{NULL, NULL}};
    char *output = ga_format("%s/out.jsonl", directory), *problem;
    ga__keys *keys = ga__keys_new();
    int code;
    const ga__journal_options options = {
        .output = output, .mode = GA__JOURNAL_NEW, .like = &like, .job = job};
    ga__journal *journal = ga__journal_open(&options, keys, &code, &problem);

    assert_non_null(journal);
    for (uint64_t n = 1; n <= 20; n++) {
        ga__record record = {.n = n,
                             .id = {"\"a<b\"", 5},
                             .ok = n % 2,
                             .kind = n % 2 ? GA__KIND_OK : GA__KIND_DNS,
                             .attempts = 1,
                             .at = 1000 + (int64_t)n * 1000,
                             .wait_ms = 1,
                             .total_ms = 10,
                             .stage = "",
                             .message = n % 2 ? "" : "<no such host>"};
        ga__entry entry = {.record = &record, .row = {"{}", 2}};
        ga__slice part = {(const char *)&n, sizeof n};

        assert_true(ga__key_of(&entry.key, 0, &part, 1));
        assert_int_equal(ga__journal_add(journal, &entry, &problem), 0);
    }
    assert_int_equal(ga__journal_close(journal, 20, &problem), 0);
    ga__keys_free(keys);
    return output;
}

static void a_report_says_that_it_could_not_be_made(void **state)
{
    char *directory = check_mkdtemp(), *output = make_journal(directory);
    static const char *const forms[] = {NULL, "-"};
    int done = 0;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (int n = 1; failmalloc_again(n); n++) {
            char *problem = NULL;
            int code = ga__report_run(output, forms[i], nowhere, &problem);

            if (!failmalloc_stop())
                assert_int_equal(code, 0);
            assert_true(code == 0 || code == 4);
            done += code == 0;
            free(problem);
        }
    assert_in_range(done, 2, 1000);
    check_rmdir(directory);
    free(directory);
    free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_screen_shows_less),
        cmocka_unit_test(metrics_are_whole_or_failed),
        cmocka_unit_test(a_report_says_that_it_could_not_be_made),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
