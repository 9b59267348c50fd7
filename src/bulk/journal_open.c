/* SPDX-License-Identifier: MIT */
/*
 * Opening a journal and its output, and closing them: a job that is there is taken up where it is the same
 * job, or else refused with what to do about it; where there is none one is begun. The output is locked as
 * long as the journal is open. Called by the job, and by reports, which change nothing.
 */
#include "bulk/journal_database.h"

#include "base/ascii.h"
#include "base/clock.h"
#include "base/problem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION = 1, PATIENCE_MS = 5000, LOCK_TRIES = 20, LOCK_PAUSE_US = 10000 };

/* `end`: where the record ends in the output, or its row of the table. Times are in microseconds. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS gather_job(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS gather_done(key BLOB, content INT, last INT, end INT, size INT, crc INT, n "
    "INT,"
    " page INT, ok INT, status INT, kind INT, attempts INT, at INT, wait INT, ttfb INT, total INT, bytes "
    "INT, next TEXT);"
    "CREATE TABLE IF NOT EXISTS gather_failed(done INTEGER PRIMARY KEY, id TEXT, message TEXT, row TEXT);"
    "CREATE TABLE IF NOT EXISTS gather_begun(key BLOB PRIMARY KEY) WITHOUT ROWID;";

ga__output_form ga__output_form_of(const char *path)
{
    static const struct {
        const char *extension;
        ga__output_form form;
    } forms[] = {{".csv", GA__OUTPUT_CSV},
                 {".tsv", GA__OUTPUT_TSV},
                 {".db", GA__OUTPUT_DB},
                 {".sqlite", GA__OUTPUT_DB},
                 {".sqlite3", GA__OUTPUT_DB}};

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (ga__ascii_has_extension(ga__slice_of(path), forms[i].extension))
            return forms[i].form;
    return GA__OUTPUT_JSONL;
}

/* --- what the job is asked to do ------------------------------------------------------------------ */

static int keep_option(const ga__journal *journal, const ga_pair *option, char **problem)
{
    sqlite3_stmt *statement;
    int code = ga__journal_prepare(journal, "INSERT INTO gather_job VALUES(?,?)", &statement, problem);

    if (code != 0)
        return code;
    sqlite3_bind_text(statement, 1, option->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, option->value, -1, SQLITE_STATIC);
    return ga__journal_finish(journal, statement, problem);
}

/* Whether the option is what it was when the job began. */
static int compare_option(const ga__journal *journal, const ga_pair *option, char **problem)
{
    sqlite3_stmt *statement;
    int code = ga__journal_prepare(journal, "SELECT value FROM gather_job WHERE name=?", &statement, problem);

    if (code != 0)
        return code;
    sqlite3_bind_text(statement, 1, option->name, -1, SQLITE_STATIC);
    int step = sqlite3_step(statement);
    const char *before = step == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;

    if (step != SQLITE_ROW && step != SQLITE_DONE)
        code = ga__journal_failed(journal, "read", problem);
    else if (strcmp(before ? before : "", option->value ? option->value : "") != 0)
        code = ga__say(2, problem,
                       "%s was begun with %s '%s', and %s is now '%s': the records in it would not fit. Use "
                       "what it was begun with, another output, or --fresh",
                       journal->output, option->name, before ? before : "", option->name,
                       option->value ? option->value : "");
    sqlite3_finalize(statement);
    return code;
}

static int begin_job(const ga__journal *journal, const ga__journal_options *options, char **problem)
{
    int code = ga__journal_run(journal, "BEGIN IMMEDIATE", problem);

    if (code == 0)
        code = ga__journal_set(journal, "version", VERSION, problem);
    if (code == 0)
        code = ga__journal_set(journal, "began_at", (uint64_t)ga__wall_ms(), problem);
    for (const ga_pair *each = options->job; code == 0 && each && each->name; each++)
        if (each->value)
            code = keep_option(journal, each, problem);
    return code == 0 ? ga__journal_run(journal, "COMMIT", problem) : code;
}

static int compare_job(const ga__journal *journal, const ga__journal_options *options, char **problem)
{
    int code = 0;

    if (ga__journal_get(journal, "version") != VERSION)
        return ga__say(2, problem, "%s was written by another version of gather; begin anew with --fresh",
                       journal->database);
    for (const ga_pair *each = options->job; code == 0 && each && each->name; each++)
        code = compare_option(journal, each, problem);
    return code;
}

/* --- keys ----------------------------------------------------------------------------------------- */

/* Keys on their way into the set: its memory is asked for while the ones after them are read. */
enum { KEYS_AT_ONCE = 32 };

typedef struct key_batch {
    ga__key keys[KEYS_AT_ONCE];
    uint32_t values[KEYS_AT_ONCE];
    size_t count;
} key_batch;

static void take_key(key_batch *batch, sqlite3_stmt *statement, const ga__keys *keys)
{
    const void *bytes = sqlite3_column_blob(statement, 0);
    ga__key *key = &batch->keys[batch->count];

    if (!bytes || sqlite3_column_bytes(statement, 0) != GA__KEY_SIZE)
        return;
    memcpy(key->bytes, bytes, sizeof key->bytes);
    batch->values[batch->count++] = (uint32_t)sqlite3_column_int(statement, 1) |
                                    (uint32_t)sqlite3_column_int(statement, 2) << GA__ROW_CONTENT_SHIFT;
    ga__keys_fetch(keys, key);
}

/* @return 0, or 4 without memory */
static int put_keys(key_batch *batch, ga__keys *keys)
{
    for (size_t i = 0; i < batch->count; i++) {
        uint32_t *value = ga__keys_at(keys, &batch->keys[i]);

        if (!value)
            return 4;
        *value |= batch->values[i];
    }
    batch->count = 0;
    return 0;
}

/* Puts the keys of a query into the set, each with the bits of its second column and the content of its
 * third. */
static int add_keys(const ga__journal *journal, const char *sql, ga__keys *keys, char **problem)
{
    key_batch batch = {.count = 0};
    sqlite3_stmt *statement;
    int code = ga__journal_prepare(journal, sql, &statement, problem);

    while (ga__journal_next(journal, statement, &code, problem)) {
        take_key(&batch, statement, keys);
        if (batch.count == KEYS_AT_ONCE)
            code = put_keys(&batch, keys);
    }
    sqlite3_finalize(statement);
    return code == 0 ? put_keys(&batch, keys) : code;
}

_Static_assert(GA__ROW_DONE == 1 && GA__ROW_BEGUN == 2,
               "what the queries give is what the keys' values have");

/* `paged`: a row may have any number of entries. */
static int load_keys(const ga__journal *journal, bool paged, ga__keys *keys, char **problem)
{
    if (!paged)
        ga__keys_reserve(keys, ga__journal_count(journal, "SELECT max(rowid) FROM gather_done"));
    int code = add_keys(journal, "SELECT key, 2, 0 FROM gather_begun", keys, problem);

    return code == 0 ? add_keys(journal, "SELECT key, last, content FROM gather_done", keys, problem) : code;
}

/* --- opening -------------------------------------------------------------------------------------- */

/* Whether the output's name leads to what is open. A database's does: nothing takes its place. */
static bool is_named(const ga__journal *journal)
{
    struct stat open, named;

    return journal->form == GA__OUTPUT_DB ||
           (fstat(journal->fd, &open) == 0 && stat(journal->output, &named) == 0 &&
            open.st_dev == named.st_dev && open.st_ino == named.st_ino);
}

/* Opens and locks it. A report has the lock for an instant, so it is tried for several times; and a run that
 * was at work may have put a new file in the place of that which was opened. The file of a database is not
 * closed meanwhile: that would take SQLite's locks away. */
static int lock_output(ga__journal *journal, char **problem)
{
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        if (journal->fd < 0)
            journal->fd = open(journal->output, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (journal->fd < 0)
            return ga__journal_cannot("write", journal->output, problem);
        if (flock(journal->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
            usleep(LOCK_PAUSE_US);
            continue;
        }
        if (is_named(journal))
            return 0;
        close(journal->fd);
        journal->fd = -1;
    }
    return ga__say(2, problem, "another gather is writing to %s: wait for it, or stop it", journal->output);
}

static int open_output(ga__journal *journal, const ga__journal_options *options, char **problem)
{
    int code = lock_output(journal, problem);

    if (code == 0 && options->mode == GA__JOURNAL_FRESH && ftruncate(journal->fd, 0) < 0 && errno != EINVAL)
        code = ga__journal_cannot("empty", journal->output, problem);
    return code;
}

/* Throws away what SQLite keeps at that path. */
static int remove_database(const ga__journal *journal, char **problem)
{
    static const char *const ends[] = {"-wal", "-shm", ""};

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char *path = ga_format("%s%s", journal->database, ends[i]);
        bool gone = path && (unlink(path) == 0 || errno == ENOENT);

        free(path);
        if (!gone)
            return ga__journal_cannot("remove", journal->database, problem);
    }
    return 0;
}

static int open_database(ga__journal *journal, const ga__journal_options *options, char **problem)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE |
                (options->mode == GA__JOURNAL_READ ? 0 : SQLITE_OPEN_CREATE);
    int code = 0;

    if (options->mode == GA__JOURNAL_FRESH && journal->form != GA__OUTPUT_DB)
        code = remove_database(journal, problem);
    if (code != 0)
        return code;
    if (sqlite3_open_v2(journal->database, &journal->db, flags, NULL) != SQLITE_OK)
        return ga__journal_failed(journal, "open", problem);
    sqlite3_busy_timeout(journal->db, PATIENCE_MS);
    if (options->mode == GA__JOURNAL_READ)
        return 0;
    code = ga__journal_run(journal, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=4000", problem);
    if (code == 0)
        code = ga__journal_run(journal,
                               journal->sync == GA__SYNC_EACH   ? "PRAGMA synchronous=FULL"
                               : journal->sync == GA__SYNC_NONE ? "PRAGMA synchronous=OFF"
                                                                : "PRAGMA synchronous=NORMAL",
                               problem);
    return code == 0 ? ga__journal_run(journal, schema, problem) : code;
}

static int prepare_all(ga__journal *journal, const ga__journal_options *options, char **problem)
{
    int code = ga__journal_prepare(journal, "BEGIN", &journal->begin, problem);

    if (code == 0)
        code = ga__journal_prepare(journal, "COMMIT", &journal->commit, problem);
    if (code == 0)
        code = ga__journal_prepare(journal,
                                   "INSERT INTO gather_done VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                                   &journal->add, problem);
    if (code == 0)
        code = ga__journal_prepare(journal, "INSERT INTO gather_failed VALUES(?,?,?,?)", &journal->add_failed,
                                   problem);
    if (code == 0)
        code = ga__journal_prepare(journal, "INSERT OR IGNORE INTO gather_begun VALUES(?)",
                                   &journal->add_begun, problem);
    if (code == 0 && options->paged)
        code =
            ga__journal_run(journal, "CREATE INDEX IF NOT EXISTS gather_pages ON gather_done(key)", problem);
    return code == 0 && journal->form == GA__OUTPUT_DB
               ? ga__journal_open_results(journal, options->like, problem)
               : code;
}

/* An output that no job of ours has written. */
static int refuse_foreign(const ga__journal *journal, char **problem)
{
    return ga__say(2, problem,
                   "%s is there already, without a journal: choose another output, or --fresh to replace it",
                   journal->output);
}

/* A job that is there, where none was expected. */
static int refuse_existing(ga__journal *journal, char **problem)
{
    ga__journal_summary summary;

    ga__journal_summarize(journal, &summary);
    if (summary.total > 0)
        return ga__say(
            2, problem,
            "%s is finished, %llu rows: --resume adds rows that are new, --retry-failed tries those "
            "that failed again, --fresh replaces it",
            journal->output, (unsigned long long)summary.done);
    return ga__say(2, problem, "%s: %llu rows are done, and the job has not ended; use --resume or --fresh",
                   journal->output, (unsigned long long)summary.done);
}

static int write_head(ga__journal *journal, const ga__journal_options *options, char **problem)
{
    if (journal->form != GA__OUTPUT_CSV && journal->form != GA__OUTPUT_TSV)
        return 0;
    ga__record_append_csv_head(&journal->pending, options->like, journal->with_body,
                               journal->form == GA__OUTPUT_CSV ? ',' : '\t');
    return ga__journal_flush(journal, problem);
}

static bool is_empty(int fd)
{
    struct stat about;

    return fstat(fd, &about) == 0 && about.st_size == 0;
}

static uint64_t to_millionths(double rate)
{
    return rate > 0 && rate < 1e12 ? (uint64_t)(rate * 1e6) : 0;
}

/* Whether anything was called. */
static bool has_entries(const ga__journal *journal)
{
    sqlite3_stmt *statement = NULL;
    bool has =
        sqlite3_prepare_v2(journal->db,
                           "SELECT EXISTS (SELECT 1 FROM gather_done) OR EXISTS (SELECT 1 FROM gather_begun)",
                           -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW || sqlite3_column_int(statement, 0);

    sqlite3_finalize(statement);
    return has;
}

/* A job that never began is as none. */
static int forget_job(const ga__journal *journal, char **problem)
{
    int code = ga__journal_run(journal, "DELETE FROM gather_job", problem);

    if (code == 0 && journal->form != GA__OUTPUT_DB && ftruncate(journal->fd, 0) < 0)
        code = ga__journal_cannot("empty", journal->output, problem);
    return code;
}

/* Goes on with the job that is there. */
static int take_up(ga__journal *journal, const ga__journal_options *options, ga__keys *keys, char **problem)
{
    int code = compare_job(journal, options, problem);

    if (code == 0)
        code = ga__journal_mend(journal, problem);
    if (code == 0 && options->retry_failed)
        code = ga__journal_drop_failed(journal, options->retry_unknown, problem);
    return code == 0 ? load_keys(journal, options->paged, keys, problem) : code;
}

/* Takes up the job that is there, or begins one. */
static int open_job(ga__journal *journal, const ga__journal_options *options, bool was_empty, ga__keys *keys,
                    char **problem)
{
    bool known = ga__journal_get(journal, "version") > 0;
    int code = 0;

    if (known && options->mode == GA__JOURNAL_NEW && !has_entries(journal)) {
        code = forget_job(journal, problem);
        known = false;
        was_empty = true;
    }
    if (code != 0)
        return code;
    if (known && options->mode == GA__JOURNAL_NEW)
        return refuse_existing(journal, problem);
    if (!known && !was_empty)
        return refuse_foreign(journal, problem);
    code = known ? take_up(journal, options, keys, problem) : begin_job(journal, options, problem);
    if (code == 0)
        code = prepare_all(journal, options, problem);
    if (code == 0 && journal->written == 0)
        code = write_head(journal, options, problem);
    if (code == 0) /* of this run: it may be asked to go slower than the last */
        code = ga__journal_set(journal, "rate", to_millionths(options->rate), problem);
    return code == 0 ? ga__journal_set(journal, "total", 0, problem) : code;
}

/* A database that another job's tables are in: --fresh empties what is ours. */
static int drop_tables(const ga__journal *journal, char **problem)
{
    char *sql = ga_format("BEGIN IMMEDIATE; DROP TABLE IF EXISTS %s; DROP TABLE IF EXISTS gather_job; DROP "
                          "TABLE IF EXISTS gather_done;"
                          "DROP TABLE IF EXISTS gather_failed; DROP TABLE IF EXISTS gather_begun; %s COMMIT",
                          journal->table, schema);
    int code = sql ? ga__journal_run(journal, sql, problem) : 4;

    free(sql);
    return code;
}

static int open_all(ga__journal *journal, const ga__journal_options *options, ga__keys *keys, char **problem)
{
    bool database = journal->form == GA__OUTPUT_DB, read = options->mode == GA__JOURNAL_READ;
    int code = 0;

    if (read && access(journal->database, F_OK) < 0)
        return ga__journal_cannot("read the journal", journal->database, problem);
    if (!read && !database)
        code = open_output(journal, options, problem);
    bool was_empty = code == 0 && (read || database || is_empty(journal->fd));

    if (code == 0 && !was_empty && options->mode != GA__JOURNAL_FRESH && access(journal->database, F_OK) < 0)
        return refuse_foreign(journal, problem);
    if (code == 0)
        code = open_database(journal, options, problem);
    if (code != 0 || read)
        return code;
    if (database) { /* the lock is on the database, which is there by now; SQLite's own are of another kind */
        ga__journal_options keep = *options;

        keep.mode = GA__JOURNAL_RESUME;
        code = open_output(journal, &keep, problem);
        if (code == 0 && options->mode == GA__JOURNAL_FRESH)
            code = drop_tables(journal, problem);
    }
    return code == 0 ? open_job(journal, options, was_empty, keys, problem) : code;
}

static char *quoted_name(const char *table)
{
    char *quoted = sqlite3_mprintf("\"%w\"", table ? table : "results");
    char *copy = quoted ? strdup(quoted) : NULL;

    sqlite3_free(quoted);
    return copy;
}

static void journal_free(ga__journal *journal)
{
    sqlite3_finalize(journal->begin);
    sqlite3_finalize(journal->commit);
    sqlite3_finalize(journal->add);
    sqlite3_finalize(journal->add_failed);
    sqlite3_finalize(journal->add_begun);
    sqlite3_finalize(journal->add_result);
    sqlite3_close(journal->db);
    if (journal->fd > STDOUT_FILENO)
        close(journal->fd);
    ga__buffer_free(&journal->pending);
    free(journal->output);
    free(journal->database);
    free(journal->table);
    free(journal);
}

ga__journal *ga__journal_open(const ga__journal_options *options, ga__keys *keys, int *code, char **problem)
{
    ga__journal *journal = calloc(1, sizeof *journal);

    *problem = NULL;
    *code = 4;
    if (!journal)
        return NULL;
    journal->form = options->form;
    journal->sync = options->sync;
    journal->with_body = options->with_body;
    journal->with_files = options->with_files;
    journal->fd = STDOUT_FILENO;
    if (!options->output) {
        *code = write_head(journal, options, problem);
    } else {
        journal->fd = -1;
        journal->output = strdup(options->output);
        journal->database = journal->form == GA__OUTPUT_DB ? strdup(options->output)
                                                           : ga_format("%s.journal", options->output);
        journal->table = quoted_name(options->table);
        if (journal->output && journal->database && journal->table)
            *code = open_all(journal, options, keys, problem);
    }
    if (*code == 0)
        return journal;
    journal_free(journal);
    return NULL;
}

int ga__journal_close(ga__journal *journal, uint64_t total, char **problem)
{
    *problem = NULL;
    if (!journal)
        return 0;
    int code = ga__journal_flush(journal, problem);

    if (code == 0 && journal->add && total > 0)
        code = ga__journal_set(journal, "total", total, problem);
    if (code == 0 && journal->add && journal->sync != GA__SYNC_NONE) {
        uint64_t mark = ga__journal_sync_begin(journal);

        code = ga__journal_sync_output(journal, problem);
        if (code == 0)
            code = ga__journal_sync_end(journal, mark, problem);
    }
    journal_free(journal);
    return code;
}
