/* SPDX-License-Identifier: MIT */
/*
 * The journal and its output: in step after an end at any byte, whatever form the output has; and what it
 * refuses.
 */
#include "check.h"

#include "base/buffer.h"
#include "bulk/journal.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROWS = 6 };

static const ga__record like = {.stage = "", .message = ""};

static ga__journal_options options_for(const char *path, ga__journal_mode mode)
{
    static const ga_pair job[] = {{"--url", "http://h/{n}"}, {"--id", "n"}, {NULL, NULL}};

    return (ga__journal_options){.output = path,
                                 .form = ga__output_form_of(path),
                                 .mode = mode,
                                 .like = &like,
                                 .job = job,
                                 .with_body = true};
}

static ga__journal *open_with(const ga__journal_options *options, ga__keys *keys)
{
    char *problem;
    int code;
    ga__journal *journal = ga__journal_open(options, keys, &code, &problem);

    if (!journal)
        fail_msg("%s", problem);
    assert_int_equal(code, 0);
    return journal;
}

static ga__key key_of(uint64_t n)
{
    ga__slice part = {(const char *)&n, sizeof n};
    ga__key key;

    assert_true(ga__key_of(&key, 0, &part, 1));
    return key;
}

static ga__record record_of(uint64_t n, bool ok)
{
    return (ga__record){.n = n,
                        .ok = ok,
                        .status = ok ? 200 : 404,
                        .url = {"http://h/", 9},
                        .attempts = 1,
                        .at = 1000 + (int64_t)n,
                        .wait_ms = 1,
                        .ttfb_ms = 2,
                        .total_ms = 3.5,
                        .bytes = 10,
                        .body_form = GA__BODY_JSON,
                        .body = {"{\"a\": 1}", 8},
                        .kind = ok ? GA__KIND_OK : GA__KIND_HTTP,
                        .stage = "response",
                        .message = ok ? "" : "no, \"never\""};
}

static void add_row(ga__journal *journal, uint64_t n, bool ok)
{
    ga__record record = record_of(n, ok);
    char line[64], *problem;
    int size = snprintf(line, sizeof line, "{\"url\":\"http://h/%llu\"}", (unsigned long long)n);
    ga__entry entry = {.key = key_of(n), .record = &record, .count = 1, .row = {line, ok ? 0 : (size_t)size}};

    assert_int_equal(ga__journal_add(journal, &entry, &problem), 0);
}

static void flush(ga__journal *journal)
{
    char *problem;

    assert_int_equal(ga__journal_flush(journal, &problem), 0);
}

static void close_journal(ga__journal *journal, uint64_t total)
{
    char *problem;

    assert_int_equal(ga__journal_close(journal, total, &problem), 0);
}

/* How many of the rows are done. Each that is not has no value. */
static int count_done(const ga__keys *keys)
{
    int count = 0;

    for (uint64_t n = 1; n <= ROWS; n++) {
        ga__key key = key_of(n);
        const uint32_t *value = ga__keys_find(keys, &key);

        count += value && *value & GA__ROW_DONE;
    }
    return count;
}

static int count_lines(const char *path)
{
    char *text = check_read_file(path);
    int lines = 0;

    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    assert_true(!*text || text[strlen(text) - 1] == '\n');
    free(text);
    return lines;
}

static void copy_file(const char *from, const char *to)
{
    char *command = ga_format("cp '%s' '%s'", from, to);

    assert_int_equal(system(command), 0);
    free(command);
}

/* An output with its journal, of which all but the sync is done; as a killed process leaves them. */
static void make_killed_job(const char *path, int synced_rows)
{
    ga__journal_options options = options_for(path, GA__JOURNAL_FRESH);
    ga__keys *keys = ga__keys_new();
    ga__journal *journal = open_with(&options, keys);
    char *problem, *copy = ga_format("%s.copy", path), *database = ga_format("%s.journal", path),
                   *database_copy = ga_format("%s.journal", copy);
    int fd;

    for (uint64_t n = 1; n <= ROWS; n++) {
        add_row(journal, n, n % 3 != 0);
        if (n % 2 == 0)
            flush(journal);
        if ((int)n == synced_rows) {
            flush(journal);
            assert_int_equal(ga__journal_sync_end(journal, ga__journal_sync_begin(journal, &fd), &problem),
                             0);
        }
    }
    copy_file(path, copy);
    char *wal = ga_format("%s-wal", database), *wal_copy = ga_format("%s-wal", database_copy);

    copy_file(database, database_copy);
    copy_file(wal, wal_copy);
    close_journal(journal, 0);
    assert_int_equal(rename(copy, path), 0);
    assert_int_equal(rename(database_copy, database), 0);
    assert_int_equal(rename(wal_copy, wal), 0);
    ga__keys_free(keys);
    free(copy);
    free(database);
    free(database_copy);
    free(wal);
    free(wal_copy);
}

/* Goes on with the job, and ends it. @return how many rows had been done */
static int go_on(const char *path)
{
    ga__journal_options options = options_for(path, GA__JOURNAL_RESUME);
    ga__keys *keys = ga__keys_new();
    ga__journal *journal = open_with(&options, keys);
    int done = count_done(keys), head = options.form == GA__OUTPUT_CSV;

    assert_int_equal(count_lines(path), done + head);
    for (uint64_t n = 1; n <= ROWS; n++) {
        ga__key key = key_of(n);

        if (!ga__keys_find(keys, &key))
            add_row(journal, n, true);
    }
    close_journal(journal, ROWS);
    assert_int_equal(count_lines(path), ROWS + head);
    ga__keys_free(keys);
    return done;
}

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

/* What opening says. */
static void check_refused(const ga__journal_options *options, int expected, const char *said)
{
    ga__keys *keys = ga__keys_new();
    char *problem = NULL;
    int code;

    assert_null(ga__journal_open(options, keys, &code, &problem));
    assert_int_equal(code, expected);
    assert_non_null(problem);
    if (!strstr(problem, said))
        fail_msg("%s", problem);
    free(problem);
    ga__keys_free(keys);
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
    flush(journal);
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
    flush(journal);
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
    flush(journal);
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
        cmocka_unit_test(what_is_there_is_not_overwritten),
        cmocka_unit_test(a_job_that_never_began_is_in_nobodys_way),
        cmocka_unit_test(another_job_is_not_mixed_in),
        cmocka_unit_test(two_runs_at_once_are_one_too_many),
        cmocka_unit_test(a_report_is_in_no_jobs_way),
        cmocka_unit_test(an_output_that_was_replaced_is_opened_again),
        cmocka_unit_test(a_damaged_journal_is_told),
        cmocka_unit_test(what_failed_leaves_the_output_to_be_tried_again),
        cmocka_unit_test(a_rewritten_output_has_its_name_on_disk_before_the_journal_goes_by_it),
        cmocka_unit_test(rows_that_were_begun_are_known),
        cmocka_unit_test(pages_go_on_where_they_were),
        cmocka_unit_test(a_report_is_read_while_the_job_is_running),
        cmocka_unit_test(a_database_has_columns_with_types),
        cmocka_unit_test(a_full_disk_is_told_and_what_was_written_stays_whole),
        cmocka_unit_test(a_full_disk_is_told_where_what_failed_is_taken_out),
    };

    return cmocka_run_group_tests(tests, check_make_directory, check_remove_directory);
}
