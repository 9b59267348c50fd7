/* SPDX-License-Identifier: MIT */
/*
 * The journal of a job: what opening it refuses, what is written to it in groups, and what is read from it.
 */
#include "journal_check.h"

#include "base/buffer.h"
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

static void what_is_there_is_not_overwritten(void **state)
{
    char *path = check_path("there.jsonl"), *foreign = check_path("foreign.jsonl"),
         *table = check_path("there.db");
    ga__journal_options options = options_for(path, GA__JOURNAL_NEW);

    (void)state;
    make_killed_job(path, 4);
    check_refused(&options, 2, "6 rows are done, and the job has not ended; use --resume or --fresh");
    assert_int_equal(go_on(path), ROWS);
    check_refused(&options, 2, "is finished, 6 rows: --resume adds");
    check_write_file(foreign, "mine\n");
    options = options_for(foreign, GA__JOURNAL_NEW);
    check_refused(&options, 2, "is there already");
    options.mode = GA__JOURNAL_RESUME;
    check_refused(&options, 2, "is there already");
    char *text = check_read_file(foreign);

    assert_string_equal(text, "mine\n");
    free(text);
    for (int i = 0; i < 2; i++) {
        ga__keys *keys = ga__keys_new();

        options = options_for(i == 0 ? path : table, GA__JOURNAL_FRESH);
        close_journal(open_with(&options, keys), 0);
        assert_int_equal(ga__keys_count(keys), 0);
        assert_true(i > 0 || count_lines(path) == 0);
        ga__keys_free(keys);
    }
    free(path);
    free(foreign);
    free(table);
}

static void a_job_that_never_began_is_in_nobodys_way(void **state)
{
    static const char *const names[] = {"never.csv", "never.db"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *path = check_path(names[i]);
        ga__journal_options options = options_for(path, GA__JOURNAL_NEW);

        for (int times = 0; times < 2; times++) {
            ga__keys *keys = ga__keys_new();
            ga__journal *journal = open_with(&options, keys);

            if (times == 1)
                add_row(journal, 1, true);
            close_journal(journal, 0);
            ga__keys_free(keys);
        }
        check_refused(&options, 2, "1 rows are done, and the job has not ended");
        if (i == 0)
            assert_int_equal(count_lines(path), 2);
        free(path);
    }
}

static void another_job_is_not_mixed_in(void **state)
{
    static const ga_pair other[] = {{"--url", "http://other/{n}"}, {"--id", "n"}, {NULL, NULL}};
    static const ga_pair more[] = {
        {"--url", "http://h/{n}"}, {"--id", "n"}, {"--method", "PUT"}, {NULL, NULL}};
    char *path = check_path("other.jsonl");
    ga__journal_options options = options_for(path, GA__JOURNAL_RESUME);

    (void)state;
    make_killed_job(path, 4);
    options.job = other;
    check_refused(&options, 2, "begun with --url 'http://h/{n}', and --url is now 'http://other/{n}'");
    options.job = more;
    check_refused(&options, 2, "begun with --method '', and --method is now 'PUT'");
    assert_int_equal(go_on(path), ROWS);
    free(path);
}

static void two_runs_at_once_are_one_too_many(void **state)
{
    static const char *const names[] = {"two.jsonl", "two.db"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *path = check_path(names[i]);
        ga__journal_options options = options_for(path, GA__JOURNAL_RESUME);
        ga__keys *keys = ga__keys_new();
        ga__journal *journal = open_with(&options, keys);

        check_refused(&options, 2, "another gather is writing to");
        options.mode = GA__JOURNAL_FRESH;
        check_refused(&options, 2, "another gather is writing to");
        add_row(journal, 1, true);
        close_journal(journal, 1);
        ga__keys_free(keys);
        free(path);
    }
}

/* Who holds the output locked for a while. */
typedef struct holder {
    const char *path, *replacement; /* which takes the output's place before it is let go; or NULL */
    int fd;
} holder;

static void *hold_for_a_while(void *arg)
{
    const holder *self = arg;

    usleep(20000);
    if (self->replacement)
        rename(self->replacement, self->path);
    close(self->fd);
    return NULL;
}

static void check_waits_for(const char *path, const char *replacement, int lock)
{
    holder other = {path, replacement, open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0666)};
    ga__journal_options options = options_for(path, GA__JOURNAL_RESUME);
    ga__keys *keys = ga__keys_new();
    pthread_t thread;

    assert_int_equal(flock(other.fd, lock), 0);
    assert_int_equal(pthread_create(&thread, NULL, hold_for_a_while, &other), 0);
    ga__journal *journal = open_with(&options, keys);

    pthread_join(thread, NULL);
    add_row(journal, 1, true);
    close_journal(journal, 1);
    assert_int_equal(count_lines(path), 1);
    ga__keys_free(keys);
}

/* A report asks whether a job is running by trying for its lock. */
static void a_report_is_in_no_jobs_way(void **state)
{
    char *path = check_path("reported.jsonl");

    (void)state;
    check_waits_for(path, NULL, LOCK_SH);
    free(path);
}

/* Another run may put a new file into the output's place between its opening and its lock. */
static void an_output_that_was_replaced_is_opened_again(void **state)
{
    char *path = check_path("replaced.jsonl"), *replacement = check_path("replacement");

    (void)state;
    check_write_file(replacement, "");
    check_waits_for(path, replacement, LOCK_EX);
    assert_int_equal(access(replacement, F_OK), -1);
    free(path);
    free(replacement);
}

static void a_damaged_journal_is_told(void **state)
{
    char *path = check_path("damaged.jsonl"), *database = check_path("damaged.jsonl.journal");
    ga__journal_options options = options_for(path, GA__JOURNAL_RESUME);

    (void)state;
    check_write_file(path, "{}\n");
    check_write_file(
        database,
        "this is no database, but it is long enough to be looked at as if it were one ..............");
    check_refused(&options, 4, "is damaged");
    options.mode = GA__JOURNAL_READ;
    free(path);
    free(database);
    path = check_path("nowhere/x.jsonl");
    options = options_for(path, GA__JOURNAL_NEW);
    check_refused(&options, 4, "No such file or directory");
    options.mode = GA__JOURNAL_READ;
    check_refused(&options, 4, "cannot read the journal");
    free(path);
}

static void rows_that_were_begun_are_known(void **state)
{
    char *path = check_path("begun.jsonl"), *problem;
    ga__journal_options options = options_for(path, GA__JOURNAL_NEW);
    ga__keys *keys = ga__keys_new();
    ga__journal *journal = open_with(&options, keys);
    ga__key first = key_of(1), second = key_of(2);

    (void)state;
    assert_int_equal(ga__journal_begin(journal, &first, &problem), 0);
    assert_int_equal(ga__journal_begin(journal, &second, &problem), 0);
    flush_journal(journal);
    add_row(journal, 1, true);
    close_journal(journal, 0);
    ga__keys_free(keys);
    keys = ga__keys_new();
    options.mode = GA__JOURNAL_RESUME;
    journal = open_with(&options, keys);
    assert_int_equal(*ga__keys_find(keys, &first), GA__ROW_DONE | GA__ROW_BEGUN);
    assert_int_equal(*ga__keys_find(keys, &second), GA__ROW_BEGUN);
    close_journal(journal, 0);
    ga__keys_free(keys);
    free(path);
}

static void pages_go_on_where_they_were(void **state)
{
    char *path = check_path("pages.jsonl"), *problem, *next;
    ga__journal_options options = options_for(path, GA__JOURNAL_NEW);
    ga__keys *keys = ga__keys_new();
    ga__record record = record_of(1, true);
    ga__entry entry = {.key = key_of(1), .record = &record, .count = 1, .next = {"http://h/?page=3", 16}};
    uint32_t page;

    (void)state;
    options.paged = true;
    ga__journal *journal = open_with(&options, keys);

    assert_false(ga__journal_page(journal, &entry.key, &next, &page));
    record.page = 2;
    assert_int_equal(ga__journal_add(journal, &entry, &problem), 0);
    close_journal(journal, 0);
    options.mode = GA__JOURNAL_RESUME;
    journal = open_with(&options, keys);
    assert_int_equal(*ga__keys_find(keys, &entry.key), 0);
    assert_true(ga__journal_page(journal, &entry.key, &next, &page));
    assert_string_equal(next, "http://h/?page=3");
    assert_int_equal(page, 2);
    free(next);
    entry.next.size = 0;
    assert_int_equal(ga__journal_add(journal, &entry, &problem), 0);
    assert_false(ga__journal_page(journal, &entry.key, &next, &page));
    close_journal(journal, 1);
    ga__keys_free(keys);
    free(path);
}

typedef struct told {
    int rows, failed;
    ga__buffer text;
} told;

static bool tell(void *arg, const ga__record *record)
{
    told *self = arg;

    self->rows++;
    self->failed += !record->ok;
    assert_true(record->total_ms == 3.5 && record->bytes == 10 && record->at == 1000 + (int64_t)record->n);
    assert_int_equal(record->kind, record->ok ? GA__KIND_OK : GA__KIND_HTTP);
    assert_string_equal(record->message, record->ok ? "" : "no, \"never\"");
    return true;
}

static bool tell_row(void *arg, ga__slice row)
{
    told *self = arg;

    ga__buffer_append(&self->text, row.data, row.size);
    return true;
}

static void a_report_is_read_while_the_job_is_running(void **state)
{
    char *path = check_path("report.jsonl"), *problem;
    ga__journal_options options = options_for(path, GA__JOURNAL_NEW),
                        reading = options_for(path, GA__JOURNAL_READ);
    ga__keys *keys = ga__keys_new();
    ga__journal *journal = open_with(&options, keys), *reader;
    ga__journal_summary summary;
    told heard = {.text = GA__BUFFER_INIT};

    (void)state;
    for (uint64_t n = ROWS; n > 0; n--)
        add_row(journal, n, n != 3 && n != 5);
    flush_journal(journal);
    reader = open_with(&reading, NULL);
    ga__journal_summarize(reader, &summary);
    assert_int_equal(summary.done, ROWS);
    assert_int_equal(summary.failed, 2);
    assert_int_equal(summary.total, 0);
    assert_true(summary.began_at > 1000000000000);
    assert_int_equal(ga__journal_each(reader, tell, &heard, &problem), 0);
    assert_int_equal(heard.rows, ROWS);
    assert_int_equal(heard.failed, 2);
    assert_int_equal(ga__journal_each_failed(reader, tell_row, &heard, &problem), 0);
    assert_string_equal(heard.text.data, "{\"url\":\"http://h/3\"}{\"url\":\"http://h/5\"}");
    close_journal(reader, 0);
    close_journal(journal, ROWS);
    reader = open_with(&reading, NULL);
    ga__journal_summarize(reader, &summary);
    assert_int_equal(summary.total, ROWS);
    close_journal(reader, 0);
    ga__buffer_free(&heard.text);
    ga__keys_free(keys);
    free(path);
}

static void a_database_has_columns_with_types(void **state)
{
    static const ga__record_value extracts[] = {{"la\"t", {"52.5", 4}},
                                                {"name", {"\"x\\ny\"", 6}},
                                                {"big", {"12345678901234567890", 20}},
                                                {"list", {"[1, 2]", 6}}};
    char *path = check_path("types.db"), *problem;
    ga__journal_options options = options_for(path, GA__JOURNAL_NEW);
    ga__record record = record_of(7, true);
    ga__keys *keys = ga__keys_new();
    sqlite3_stmt *statement;
    sqlite3 *db;

    (void)state;
    record.extract = extracts;
    record.extract_count = 4;
    options.like = &record;
    options.table = "my items";
    ga__journal *journal = open_with(&options, keys);
    ga__entry entry = {.key = key_of(7), .record = &record, .count = 1};

    assert_int_equal(ga__journal_add(journal, &entry, &problem), 0);
    close_journal(journal, 1);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT n, ok, \"la\"\"t\", name, big, list, body, at FROM \"my items\"", -1,
                           &statement, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(statement, 0), 7);
    assert_int_equal(sqlite3_column_int(statement, 1), 1);
    assert_int_equal(sqlite3_column_type(statement, 2), SQLITE_FLOAT);
    assert_string_equal((const char *)sqlite3_column_text(statement, 3), "x\ny");
    assert_string_equal((const char *)sqlite3_column_text(statement, 4), "12345678901234567890");
    assert_string_equal((const char *)sqlite3_column_text(statement, 5), "[1,2]");
    assert_string_equal((const char *)sqlite3_column_text(statement, 6), "{\"a\": 1}");
    assert_string_equal((const char *)sqlite3_column_text(statement, 7), "1970-01-01T00:00:01.007Z");
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    ga__keys_free(keys);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_not_overwritten),
        cmocka_unit_test(a_job_that_never_began_is_in_nobodys_way),
        cmocka_unit_test(another_job_is_not_mixed_in),
        cmocka_unit_test(two_runs_at_once_are_one_too_many),
        cmocka_unit_test(a_report_is_in_no_jobs_way),
        cmocka_unit_test(an_output_that_was_replaced_is_opened_again),
        cmocka_unit_test(a_damaged_journal_is_told),
        cmocka_unit_test(rows_that_were_begun_are_known),
        cmocka_unit_test(pages_go_on_where_they_were),
        cmocka_unit_test(a_report_is_read_while_the_job_is_running),
        cmocka_unit_test(a_database_has_columns_with_types),
    };

    return cmocka_run_group_tests(tests, check_make_directory, check_remove_directory);
}
