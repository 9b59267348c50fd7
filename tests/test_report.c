/* SPDX-License-Identifier: MIT */
/*
 * `gather report`: the text and the page of a journal, whatever is in it.
 */
#include "check.h"

#include "bulk/journal.h"
#include "cli/histogram.h"
#include "cli/report.h"
#include "cli/timeline.h"
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *output;
static ga__keys *keys;

static int begin(void **state)
{
    (void)state;
    setenv("LC_ALL", "C.UTF-8", 1);
    check_make_directory(state);
    output = check_path("out.jsonl");
    keys = ga__keys_new();
    return output && keys ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    check_remove_directory(state);
    free(output);
    ga__keys_free(keys);
    return 0;
}

/* --- a journal ------------------------------------------------------------------------------------ */

static ga__journal *open_journal(double rate)
{
    static const ga__record like = {.stage = "", .message = ""};
    static const ga_pair job[] = {{"--url", "http://h/{n}"}, {NULL, NULL}};
    const ga__journal_options options = {.output = output,
                                         .form = ga__output_form_of(output),
                                         .mode = GA__JOURNAL_FRESH,
                                         .like = &like,
                                         .job = job,
                                         .rate = rate};
    char *problem;
    int code;
    ga__journal *journal = ga__journal_open(&options, keys, &code, &problem);

    if (!journal)
        fail_msg("%s", problem);
    return journal;
}

static void add(ga__journal *journal, ga__record record)
{
    char *problem = NULL;
    ga__entry entry = {.record = &record, .row = {"{}", record.ok ? 0 : 2}};
    ga__slice part = {(const char *)&record.n, sizeof record.n};

    assert_true(ga__key_of(&entry.key, 0, &part, 1));
    if (ga__journal_add(journal, &entry, &problem) != 0)
        fail_msg("%s", problem);
}

static int64_t began_at(ga__journal *journal)
{
    ga__journal_summary summary;

    ga__journal_summarize(journal, &summary);
    return summary.began_at;
}

/* Row `n` of a job that begins ten rows a second: each tenth fails. */
static ga__record record_of(uint64_t n, int64_t began)
{
    bool ok = n % 10 != 0;

    return (ga__record){.n = n,
                        .ok = ok,
                        .status = ok ? 200 : 503,
                        .url = {"http://h/", 9},
                        .attempts = ok ? 1 : 5,
                        .at = began + (int64_t)n * 100,
                        .wait_ms = 2,
                        .ttfb_ms = 90,
                        .total_ms = ok ? 100 : 900,
                        .bytes = 1000,
                        .kind = ok ? GA__KIND_OK : GA__KIND_HTTP,
                        .stage = ok ? "" : "response",
                        .message = ok ? "" : "503 Service Unavailable"};
}

static void close_journal(ga__journal *journal, uint64_t total)
{
    char *problem;

    assert_int_equal(ga__journal_close(journal, total, &problem), 0);
}

/* The journal says that it was begun then. */
static void backdate(int64_t began)
{
    char *path = ga_format("%s.journal", output);
    char *sql = ga_format("UPDATE gather_job SET value=%lld WHERE name='began_at'", (long long)began);
    sqlite3 *database;

    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
    free(sql);
    free(path);
}

static void make_job(uint64_t rows, uint64_t total)
{
    ga__journal *journal = open_journal(12.5);
    int64_t began = began_at(journal) - 1000 * 1000;

    for (uint64_t n = 1; n <= rows; n++)
        add(journal, record_of(n, began));
    close_journal(journal, total);
    backdate(began);
}

/* --- the report ----------------------------------------------------------------------------------- */

static char *report(const char *html, int wanted)
{
    char *text = NULL, *problem = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    assert_non_null(to);
    int code = ga__report_run(output, html, to, &problem);

    fclose(to);
    if (code != wanted)
        fail_msg("%d: %s", code, problem ? problem : "");
    if (code == 0)
        return text;
    free(text);
    assert_non_null(problem);
    return problem;
}

static void expect_in(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("there is no %s in\n%s", part, text);
}

static void a_finished_job_is_summed_up_with_a_histogram(void **state)
{
    (void)state;
    make_job(100, 100);
    char *text = report(NULL, 0);

    expect_in(text, "/out.jsonl: finished\nbegan 20");
    expect_in(text, "100 rows:  90 ok  10 failed\n"
                    "  failed   http: 10\n"
                    "  status   200: 90  503: 10\n"
                    "  service  p50 101 ms    p90 101 ms    p99 897 ms    most 900 ms\n"
                    "  queue    p50 2.00 ms   p90 2.00 ms   p99 2.00 ms   most 2.00 ms\n"
                    "  traffic  40 retries  100 kB received\n");
    expect_in(text, "   100 ms  ████████████████████████████████████████████████████████  90   90.0 %\n");
    expect_in(text, "   820 ms  ██████▏");
    free(text);
}

static void a_job_that_is_not_finished_says_so(void **state)
{
    (void)state;
    make_job(20, 0);
    char *text = report(NULL, 0);

    expect_in(text, "/out.jsonl: not finished\n");
    free(text);
}

static void a_job_at_work_is_reported_as_far_as_it_is(void **state)
{
    (void)state;
    ga__journal *journal = open_journal(0);
    char *problem;

    add(journal, record_of(1, began_at(journal)));
    assert_int_equal(ga__journal_flush(journal, &problem), 0);
    char *text = report(NULL, 0);

    expect_in(text, "/out.jsonl: running\n");
    expect_in(text, "1 row:  1 ok  0 failed\n");
    free(text);
    close_journal(journal, 0);
}

static void a_job_without_records_has_a_report(void **state)
{
    (void)state;
    make_job(0, 0);
    char *text = report(NULL, 0);

    expect_in(text, "0 rows:  0 ok  0 failed\n");
    free(text);
    text = report("-", 0);
    expect_in(text, "</html>");
    assert_null(strstr(text, "<svg"));
    free(text);
}

/* Nothing has been heard of it since it began. */
static void a_job_that_has_just_begun_was_last_seen_then(void **state)
{
    (void)state;
    ga__journal *journal = open_journal(0);
    char *text = report(NULL, 0);

    assert_lacks(text, "1970");
    free(text);
    text = report("-", 0);
    expect_in(text, ", last 20");
    free(text);
    close_journal(journal, 0);
}

static void where_there_is_no_journal_it_says_what_to_name(void **state)
{
    (void)state;
    char *problem = report(NULL, 2);

    expect_in(problem, "there is no job with the output ");
    free(problem);
    check_write_file(output, "{}\n");
    problem = report(NULL, 2);
    expect_in(problem, "/out.jsonl has no journal: there is no ");
    free(problem);
}

/* A template of files has its journal beside them. */
static void a_job_is_found_by_what_names_it(void **state)
{
    (void)state;
    free(output);
    output = check_path("index.jsonl");
    make_job(10, 10);
    static const char *const names[] = {"/{id}.json", "", "/", "/index.jsonl.journal", "/x-{id}/{n}"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        free(output);
        output = ga_format("%s%s", check_directory, names[i]);
        char *text = report(NULL, 0);

        expect_in(text, "/index.jsonl: finished\n");
        free(text);
    }
}

static void a_damaged_journal_is_told(void **state)
{
    (void)state;
    char *path = ga_format("%s.journal", output);

    check_write_file(output, "{}\n");
    check_write_file(path,
                     "this is no database, though it is long enough to be looked at as one by SQLite, which "
                     "wants a hundred bytes of a head before it says anything about what it was given\n");
    char *problem = report(NULL, 4);

    expect_in(problem, path);
    free(problem);
    free(path);
}

/* --- the page ------------------------------------------------------------------------------------- */

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;

    for (; (text = strstr(text, part)); text++)
        count++;
    return count;
}

/* What is opened is closed, and there is nothing that a browser would load or run. */
static void check_page(const char *page)
{
    static const char *const names[] = {"html",  "title", "style", "main", "section", "div",
                                        "svg",   "text",  "bdi",   "h1",   "h2",      "b",
                                        "table", "p",     "code",  "i",    "span"};
    static const char *const never[] = {
        "<script", "<img", "<link", "<iframe", "href=", "src=", "url(", "@import", "onload=", "javascript:"};

    assert_memory_equal(page, "<!doctype html>\n", 16);
    expect_in(page, "content=\"default-src 'none'; style-src 'unsafe-inline'\"");
    expect_in(page, "prefers-color-scheme:dark");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *plain = ga_format("<%s>", names[i]), *more = ga_format("<%s ", names[i]);
        char *close = ga_format("</%s>", names[i]);

        if (count_of(page, plain) + count_of(page, more) != count_of(page, close))
            fail_msg("a <%s> is not closed", names[i]);
        free(plain);
        free(more);
        free(close);
    }
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (strstr(page, never[i]))
            fail_msg("there is a %s", never[i]);
    assert_null(strstr(page, "nan"));
    assert_null(strstr(page, "inf\""));
}

static void the_page_has_its_plots_and_needs_nothing(void **state)
{
    (void)state;
    make_job(1000, 1000);
    char *path = check_path("page.html"), *none = report(path, 0);
    char *page = check_read_file(path);

    assert_string_equal(none, "");
    check_page(page);
    assert_int_equal(count_of(page, "<svg"), 5); /* latency, rate, trouble, service, wait */
    expect_in(page, "<title>");
    expect_in(page, "<b>1,000</b><span>rows</span>");
    expect_in(page, "class=\"across limit\"");
    expect_in(page, "class=\"line p99\" d=\"M");
    expect_in(page, "<span>http</span>");
    expect_in(page, "the first 50 of 100; ");
    assert_int_equal(count_of(page, "<tr>"), 51);
    free(page);
    free(none);
    free(path);
}

/* 50 failures with as long an id and message as there may be, all of characters that are escaped. */
static void hostile_text_is_text(void **state)
{
    (void)state;
    enum { LONG = 5000 };
    char *quotes = malloc(LONG + 1);
    ga__journal *journal = open_journal(0);

    assert_non_null(quotes);
    memset(quotes, '"', LONG);
    quotes[LONG] = 0;
    for (uint64_t n = 1; n <= 60; n++) {
        ga__record record = record_of(n * 10, began_at(journal) - 100000);

        record.message = quotes;
        record.id = (ga__slice){quotes, LONG};
        if (n == 1)
            record.message =
                "</bdi></table><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;\x01\xFF";
        if (n == 2)
            record.id = ga__slice_of("\"</bdi><script>\\u003cscript\\u003e\\u0000\"");
        add(journal, record);
    }
    close_journal(journal, 60);
    free(quotes);
    char *page = report("-", 0);

    expect_in(page, "&lt;/bdi&gt;&lt;/table&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x "
                    "onerror=&#39;alert(2)&#39;&gt;&amp;amp;\xEF\xBF\xBD\xEF\xBF\xBD</bdi>");
    expect_in(page, "<bdi>&lt;/bdi&gt;&lt;script&gt;&lt;script&gt;");
    expect_in(page, "content=\"default-src 'none'; style-src 'unsafe-inline'\"");
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<img"));
    assert_in_range(strlen(page), 10000, 500000);
    free(page);
}

/* Clocks jump, and a journal may say anything. */
static void times_that_cannot_be_are_put_right(void **state)
{
    (void)state;
    ga__journal *journal = open_journal(1e9);
    static const int64_t times[] = {0, -5, 1, INT64_MAX / 2, INT64_MIN};

    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        ga__record record = record_of(i + 1, 0);

        record.at = times[i];
        record.total_ms = i == 2 ? 0 : 1e12;
        add(journal, record);
    }
    close_journal(journal, 5);
    char *page = report("-", 0);

    check_page(page);
    free(page);
    free(report(NULL, 0));
}

static void a_page_that_cannot_be_written_is_told(void **state)
{
    (void)state;
    make_job(1, 1);
    char *problem = report("/no such directory/page.html", 4);

    assert_string_equal(problem, "cannot write /no such directory/page.html: No such file or directory");
    free(problem);
    if (access("/dev/full", W_OK) == 0) {
        problem = report("/dev/full", 4);
        expect_in(problem, "cannot write /dev/full: ");
        free(problem);
    }
}

/* --- parts ---------------------------------------------------------------------------------------- */

static void a_histogram_fits_and_counts_everything(void **state)
{
    static ga__durations durations;
    static const int widths[] = {2, 20, 30, 40, 80, 200};

    (void)state;
    srand(1);
    for (int i = 0; i < 100000; i++)
        ga__durations_add(&durations, (rand() % 1000 + 1) * (i % 100 ? 1 : 50));
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        ga__terminal terminal = {.columns = widths[i], .rows = 24, .utf8 = true};
        ga__buffer out = GA__BUFFER_INIT;
        double shares = 0;

        ga__histogram_append(&out, &durations, &terminal);
        ga__slice rest = {out.data, out.size};

        assert_in_range(count_of(out.data, "\n"), 5, 24);
        while (rest.size > 0) {
            ga__slice line = ga__slice_take_to(&rest, '\n');
            size_t columns = ga__text_columns(line.data, line.size);

            assert_in_range(columns, 1, widths[i] > 34 ? (size_t)widths[i] : 34);
            shares += strtod(line.data + line.size - 8, NULL);
        }
        assert_in_range((int)shares, 98, 102);
        ga__buffer_free(&out);
    }
}

static void a_histogram_of_one_has_a_line(void **state)
{
    static ga__durations durations;
    ga__terminal terminal = {.columns = 40};
    ga__buffer out = GA__BUFFER_INIT;

    (void)state;
    ga__histogram_append(&out, &durations, &terminal);
    assert_int_equal(out.size, 0);
    ga__durations_add(&durations, 0);
    ga__histogram_append(&out, &durations, &terminal);
    assert_string_equal(out.data, "  0.01 ms  #################  1    100 %\n");
    ga__buffer_free(&out);
}

static void slices_are_joined_and_nothing_is_lost(void **state)
{
    ga__timeline *timeline = calloc(1, sizeof *timeline);
    uint64_t rows = 0, failed = 0, retries = 0, last = 0;

    (void)state;
    assert_non_null(timeline);
    timeline->latest = INT64_MAX;
    for (uint64_t n = 1; n <= 10000; n++) {
        ga__record record = record_of(n, 1000);

        timeline->began = 1000;
        ga__timeline_add(timeline, &record);
    }
    for (size_t i = 0; i < timeline->count; i++) {
        rows += timeline->slices[i].rows;
        failed += timeline->slices[i].failed;
        retries += timeline->slices[i].retries;
        last = timeline->slices[i].service.count > 0 ? i : last;
        assert_int_equal(timeline->slices[i].rows, timeline->slices[i].service.count);
    }
    assert_int_equal(rows, 10000);
    assert_int_equal(failed, 1000);
    assert_int_equal(retries, 4000);
    assert_int_equal(last, timeline->count - 1);
    assert_in_range(timeline->count, GA__TIMELINE_SLICES / 2, GA__TIMELINE_SLICES);
    assert_true(timeline->width * (double)timeline->count >= 1000000);
    /* ten rows a second, all the time; then so many that it can be told */
    for (int settled = 0; settled < 2; settled++) {
        double wanted = timeline->width / 100;

        assert_in_range(timeline->slices[1].rows, (uint64_t)wanted - 1, (uint64_t)wanted + 1);
        ga__timeline_settle(timeline);
    }
    assert_in_range(timeline->slices[1].rows, 200, 500);
    free(timeline);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(a_finished_job_is_summed_up_with_a_histogram),
        CASE(a_job_that_is_not_finished_says_so),
        CASE(a_job_at_work_is_reported_as_far_as_it_is),
        CASE(a_job_without_records_has_a_report),
        CASE(a_job_that_has_just_begun_was_last_seen_then),
        CASE(where_there_is_no_journal_it_says_what_to_name),
        CASE(a_job_is_found_by_what_names_it),
        CASE(a_damaged_journal_is_told),
        CASE(the_page_has_its_plots_and_needs_nothing),
        CASE(hostile_text_is_text),
        CASE(times_that_cannot_be_are_put_right),
        CASE(a_page_that_cannot_be_written_is_told),
        cmocka_unit_test(a_histogram_fits_and_counts_everything),
        cmocka_unit_test(a_histogram_of_one_has_a_line),
        cmocka_unit_test(slices_are_joined_and_nothing_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
