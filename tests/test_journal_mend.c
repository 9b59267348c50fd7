/* SPDX-License-Identifier: MIT */
/*
 * The end of an output is mended: in step with its journal after an end at any byte, a kill or a full disk,
 * whatever form the output has; and what failed is taken out, to be tried again.
 */
#include "journal_check.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void check_cut_anywhere(const char *name)
{
    char *path = check_path(name);
    int previous = 0;
    struct stat about;

    make_killed_job(path, 2);
    assert_int_equal(stat(path, &about), 0);
    off_t size = about.st_size;

    for (off_t cut = size / 2; cut <= size; cut += check_slowed() ? 37 : 5) {
        make_killed_job(path, 2);
        assert_int_equal(truncate(path, cut), 0);
        int done = go_on(path);

        assert_true(done >= previous && done >= 2);
        previous = done;
    }
    make_killed_job(path, 2);
    assert_int_equal(go_on(path), ROWS);
    free(path);
}

static void an_end_at_any_byte_costs_no_record_and_doubles_none(void **state)
{
    (void)state;
    check_cut_anywhere("cut.jsonl");
    check_cut_anywhere("cut.csv");
}

static void what_was_changed_behind_the_last_sync_is_cut_off(void **state)
{
    char *path = check_path("changed.jsonl");
    FILE *file;

    (void)state;
    make_killed_job(path, 4);
    file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, -20, SEEK_END); /* in the last record: zeros, as a disk leaves that lost power */
    fwrite("\0\0\0\0", 4, 1, file);
    fclose(file);
    assert_int_equal(go_on(path), ROWS - 1);
    make_killed_job(path, 4);
    file = fopen(path, "a");
    assert_non_null(file);
    fputs("{\"id\":\"of nobody", file); /* records that the journal knows nothing of */
    fclose(file);
    assert_int_equal(go_on(path), ROWS);
    free(path);
}

static void an_output_that_lost_what_was_synced_is_refused(void **state)
{
    char *path = check_path("short.jsonl");
    ga__journal_options options = options_for(path, GA__JOURNAL_RESUME);

    (void)state;
    make_killed_job(path, 4);
    assert_int_equal(truncate(path, 10), 0);
    check_refused(&options, 2, "shorter than its journal says");
    free(path);
}

/* A record that was written in part, since the disk was full, is cut off by the next run. */
static void a_full_disk_is_told_and_what_was_written_stays_whole(void **state)
{
    char *path = check_path("full.jsonl"), *problem = NULL;
    ga__journal_options options = options_for(path, GA__JOURNAL_NEW);
    ga__keys *keys = ga__keys_new();
    ga__journal *journal = open_with(&options, keys);
    struct rlimit before, least;
    struct stat about;

    (void)state;
    add_row(journal, 1, true);
    flush_journal(journal);
    for (uint64_t n = 2; n <= 400; n++) /* more than the journal's own file takes meanwhile */
        add_row(journal, n, true);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    least = before;
    least.rlim_cur = 60000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &least), 0);
    int code = ga__journal_flush(journal, &problem);

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(code, 4);
    assert_non_null(strstr(problem, "cannot write"));
    free(problem);
    ga__journal_close(journal, 0, &problem);
    free(problem);
    ga__keys_free(keys);
    keys = ga__keys_new();
    options.mode = GA__JOURNAL_RESUME;
    journal = open_with(&options, keys);
    assert_true(count_done(keys) >= 1);
    assert_int_equal(count_lines(path), ga__keys_count(keys));
    close_journal(journal, 0);
    ga__keys_free(keys);
    free(path);
}

/* --- what failed ---------------------------------------------------------------------------------- */

static void what_failed_leaves_the_output_to_be_tried_again(void **state)
{
    static const char *const names[] = {"failed.jsonl", "failed.csv", "failed.db"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char *path = check_path(names[i]);
        ga__journal_options options = options_for(path, GA__JOURNAL_NEW);
        ga__keys *keys = ga__keys_new();
        ga__journal *journal = open_with(&options, keys);

        for (uint64_t n = 1; n <= ROWS; n++)
            add_row(journal, n, n != 1 && n != 4);
        close_journal(journal, ROWS);
        ga__keys_free(keys);
        keys = ga__keys_new();
        options.mode = GA__JOURNAL_RESUME;
        options.retry_failed = true;
        journal = open_with(&options, keys);
        assert_int_equal(count_done(keys), ROWS - 2);
        add_row(journal, 4, true);
        add_row(journal, 1, false);
        close_journal(journal, ROWS);
        ga__keys_free(keys);
        keys = ga__keys_new();
        options.retry_failed = false;
        journal = open_with(&options, keys);
        assert_int_equal(count_done(keys), ROWS);
        close_journal(journal, ROWS);
        if (i < 2)
            assert_int_equal(count_lines(path), ROWS + (i == 1));
        ga__keys_free(keys);
        free(path);
    }
}

/* In the place of the C library's: what it is called with, while a rewritten output takes its place. */
static const char *watched; /* the output, or NULL */
static int directories_synced;

int fsync(int fd)
{
    struct stat about;
    sqlite3_stmt *statement;
    sqlite3 *db;

    if (!watched || fstat(fd, &about) < 0 || !S_ISDIR(about.st_mode))
        return (int)syscall(SYS_fsync, fd);
    char *rewrite = ga_format("%s.rewrite", watched), *database = ga_format("%s.journal", watched);

    directories_synced++;
    assert_int_equal(access(rewrite, F_OK), -1);
    assert_int_equal(sqlite3_open_v2(database, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT value FROM gather_job WHERE name='rewriting'", -1, &statement, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(statement, 0), 1);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    free(rewrite);
    free(database);
    return (int)syscall(SYS_fsync, fd);
}

/* After power loss the journal must not go by an output whose new name the disk has not. */
static void a_rewritten_output_has_its_name_on_disk_before_the_journal_goes_by_it(void **state)
{
    char *path = check_path("named.jsonl");
    ga__journal_options options = options_for(path, GA__JOURNAL_NEW);
    ga__keys *keys = ga__keys_new();
    ga__journal *journal = open_with(&options, keys);

    (void)state;
    add_row(journal, 1, false);
    close_journal(journal, 1);
    options.mode = GA__JOURNAL_RESUME;
    options.retry_failed = true;
    watched = path;
    journal = open_with(&options, keys);
    watched = NULL;
    assert_int_equal(directories_synced, 1);
    close_journal(journal, 0);
    ga__keys_free(keys);
    free(path);
}

/* An output that cannot be written anew stays as it is. */
static void a_full_disk_is_told_where_what_failed_is_taken_out(void **state)
{
    enum { LARGE = 300000, LIMIT = 1000000 };
    char *path = check_path("rewritten.jsonl"), *problem = NULL, *body = malloc(LARGE);
    ga__journal_options options = options_for(path, GA__JOURNAL_NEW);
    ga__keys *keys = ga__keys_new();
    ga__journal *journal = open_with(&options, keys);
    struct rlimit before, least;
    int code;

    (void)state;
    memset(body, '1', LARGE);
    for (uint64_t n = 1; n <= ROWS; n++) {
        ga__record record = record_of(n, n > 1);
        ga__entry entry = {.key = key_of(n), .record = &record, .count = 1};

        record.body = (ga__slice){body, LARGE};
        assert_int_equal(ga__journal_add(journal, &entry, &problem), 0);
    }
    close_journal(journal, ROWS);
    options.mode = GA__JOURNAL_RESUME;
    options.retry_failed = true;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    least = before;
    least.rlim_cur = LIMIT;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &least), 0);
    errno = 0;
    assert_null(ga__journal_open(&options, keys, &code, &problem));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(code, 4);
    assert_non_null(problem);
    if (!strstr(problem, "rewritten.jsonl: File too large"))
        fail_msg("%s", problem);
    free(problem);
    assert_int_equal(count_lines(path), ROWS);
    ga__keys_free(keys);
    keys = ga__keys_new();
    journal = open_with(&options, keys);
    assert_int_equal(count_done(keys), ROWS - 1);
    close_journal(journal, 0);
    assert_int_equal(count_lines(path), ROWS - 1);
    ga__keys_free(keys);
    free(path);
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_at_any_byte_costs_no_record_and_doubles_none),
        cmocka_unit_test(what_was_changed_behind_the_last_sync_is_cut_off),
        cmocka_unit_test(an_output_that_lost_what_was_synced_is_refused),
        cmocka_unit_test(a_full_disk_is_told_and_what_was_written_stays_whole),
        cmocka_unit_test(what_failed_leaves_the_output_to_be_tried_again),
        cmocka_unit_test(a_rewritten_output_has_its_name_on_disk_before_the_journal_goes_by_it),
        cmocka_unit_test(a_full_disk_is_told_where_what_failed_is_taken_out),
    };

    return cmocka_run_group_tests(tests, check_make_directory, check_remove_directory);
}
