/* SPDX-License-Identifier: MIT */
/*
 * Writing the journal and the output. The order of things is all: see journal.h. Called by the job, under its
 * lock.
 */
#include "bulk/journal_database.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum { VERSION = 1, PATIENCE_MS = 5000 };

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
        const char *end;
        ga__output_form form;
    } forms[] = {{".csv", GA__OUTPUT_CSV},
                 {".tsv", GA__OUTPUT_TSV},
                 {".db", GA__OUTPUT_DB},
                 {".sqlite", GA__OUTPUT_DB},
                 {".sqlite3", GA__OUTPUT_DB}};
    size_t size = strlen(path);

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t end = strlen(forms[i].end);

        if (size > end && strcasecmp(path + size - end, forms[i].end) == 0)
            return forms[i].form;
    }
    return GA__OUTPUT_JSONL;
}

/* --- what went wrong ------------------------------------------------------------------------------ */

int ga__journal_say(int code, char **problem, const char *format, ...)
{
    ga__buffer text = GA__BUFFER_INIT;
    va_list arguments;

    va_start(arguments, format);
    ga__buffer_vprintf(&text, format, arguments);
    va_end(arguments);
    *problem = ga__buffer_take(&text);
    return code;
}

int ga__journal_failed(const ga__journal *journal, const char *what, char **problem)
{
    int error = sqlite3_errcode(journal->db) & 0xff;

    if (error == SQLITE_CORRUPT || error == SQLITE_NOTADB)
        return ga__journal_say(
            4, problem,
            "the journal %s is damaged (%s); what is in the output is whole. Move both away, or "
            "begin anew with --fresh",
            journal->database, sqlite3_errmsg(journal->db));
    return ga__journal_say(4, problem, "cannot %s %s: %s", what, journal->database,
                           sqlite3_errmsg(journal->db));
}

int ga__journal_cannot(const char *what, const char *path, char **problem)
{
    return ga__journal_say(4, problem, "cannot %s %s: %s", what, path, strerror(errno));
}

/* --- SQL ------------------------------------------------------------------------------------------ */

int ga__journal_run(const ga__journal *journal, const char *sql, char **problem)
{
    return sqlite3_exec(journal->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : ga__journal_failed(journal, "write", problem);
}

int ga__journal_prepare(const ga__journal *journal, const char *sql, sqlite3_stmt **statement, char **problem)
{
    if (sqlite3_prepare_v3(journal->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) == SQLITE_OK)
        return 0;
    *statement = NULL;
    return ga__journal_failed(journal, "read", problem);
}

uint64_t ga__journal_get(const ga__journal *journal, const char *name)
{
    sqlite3_stmt *statement = NULL;
    uint64_t value = 0;

    if (sqlite3_prepare_v2(journal->db, "SELECT value FROM gather_job WHERE name=?", -1, &statement, NULL) ==
            SQLITE_OK &&
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static int finish(const ga__journal *journal, sqlite3_stmt *statement, char **problem)
{
    int code = sqlite3_step(statement) == SQLITE_DONE ? 0 : ga__journal_failed(journal, "write", problem);

    sqlite3_finalize(statement);
    return code;
}

int ga__journal_set(const ga__journal *journal, const char *name, uint64_t value, char **problem)
{
    sqlite3_stmt *statement;
    int code =
        ga__journal_prepare(journal, "INSERT OR REPLACE INTO gather_job VALUES(?,?)", &statement, problem);

    if (code != 0)
        return code;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)value);
    return finish(journal, statement, problem);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
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
    return finish(journal, statement, problem);
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
        code = ga__journal_say(
            2, problem,
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
        code = ga__journal_set(journal, "began_at", now_ms(), problem);
    for (const ga_pair *each = options->job; code == 0 && each && each->name; each++)
        if (each->value)
            code = keep_option(journal, each, problem);
    return code == 0 ? ga__journal_run(journal, "COMMIT", problem) : code;
}

static int compare_job(const ga__journal *journal, const ga__journal_options *options, char **problem)
{
    int code = 0;

    if (ga__journal_get(journal, "version") != VERSION)
        return ga__journal_say(2, problem,
                               "%s was written by another version of gather; begin anew with --fresh",
                               journal->database);
    for (const ga_pair *each = options->job; code == 0 && each && each->name; each++)
        code = compare_option(journal, each, problem);
    return code;
}

/* --- keys ----------------------------------------------------------------------------------------- */

/* Calls `note` for each row of a query whose first column is a key. */
static int each_key(const ga__journal *journal, const char *sql, ga__keys *keys, char **problem)
{
    sqlite3_stmt *statement;
    int code = ga__journal_prepare(journal, sql, &statement, problem), step;

    if (code != 0)
        return code;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        const void *bytes = sqlite3_column_blob(statement, 0);
        ga__key key;

        if (!bytes || sqlite3_column_bytes(statement, 0) != GA__KEY_SIZE)
            continue;
        memcpy(key.bytes, bytes, sizeof key.bytes);
        uint32_t *value = ga__keys_at(keys, &key);

        if (!value) {
            step = SQLITE_NOMEM;
            break;
        }
        *value |= (uint32_t)sqlite3_column_int64(statement, 1);
    }
    if (step == SQLITE_NOMEM)
        *problem = NULL;
    code = step == SQLITE_DONE ? 0 : step == SQLITE_NOMEM ? 4 : ga__journal_failed(journal, "read", problem);
    sqlite3_finalize(statement);
    return code;
}

static int load_keys(const ga__journal *journal, ga__keys *keys, char **problem)
{
    int code = each_key(journal, "SELECT key, 2 FROM gather_begun", keys, problem);

    return code == 0 ? each_key(journal, "SELECT key, last | (content << 3) FROM gather_done", keys, problem)
                     : code;
}

/* --- opening -------------------------------------------------------------------------------------- */

static int open_output(ga__journal *journal, const ga__journal_options *options, char **problem)
{
    int flags = O_RDWR | O_CREAT | O_CLOEXEC;

    journal->fd = open(journal->output, flags, 0666);
    if (journal->fd < 0)
        return ga__journal_cannot("write", journal->output, problem);
    if (flock(journal->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return ga__journal_say(2, problem, "another gather is writing to %s: wait for it, or stop it",
                               journal->output);
    if (options->mode == GA__JOURNAL_FRESH && ftruncate(journal->fd, 0) < 0 && errno != EINVAL)
        return ga__journal_cannot("empty", journal->output, problem);
    return 0;
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
    int code =
        ga__journal_prepare(journal, "INSERT INTO gather_done VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
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
    return ga__journal_say(
        2, problem, "%s is there already, without a journal: choose another output, or --fresh to replace it",
        journal->output);
}

/* A job that is there, where none was expected. */
static int refuse_existing(ga__journal *journal, char **problem)
{
    ga__journal_summary summary;

    ga__journal_summarize(journal, &summary);
    if (summary.total > 0)
        return ga__journal_say(
            2, problem,
            "%s is finished, %llu rows: --resume adds rows that are new, --retry-failed tries those "
            "that failed again, --fresh replaces it",
            journal->output, (unsigned long long)summary.done);
    return ga__journal_say(2, problem,
                           "%s: %llu rows are done, and the job has not ended; use --resume or --fresh",
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

/* Takes up the job that is there, or begins one. */
static int take_up(ga__journal *journal, const ga__journal_options *options, bool was_empty, ga__keys *keys,
                   char **problem)
{
    bool known = ga__journal_get(journal, "version") > 0;
    int code = 0;

    if (known && options->mode == GA__JOURNAL_NEW && !has_entries(journal)) { /* it never began */
        code = ga__journal_run(journal, "DELETE FROM gather_job", problem);
        if (code == 0 && journal->form != GA__OUTPUT_DB && ftruncate(journal->fd, 0) < 0)
            code = ga__journal_cannot("empty", journal->output, problem);
        known = false;
        was_empty = true;
    }
    if (code != 0)
        return code;
    if (options->mode == GA__JOURNAL_NEW && known)
        return refuse_existing(journal, problem);
    if (!known && !was_empty)
        return refuse_foreign(journal, problem);
    if (known) {
        code = compare_job(journal, options, problem);
        if (code == 0)
            code = ga__journal_mend(journal, problem);
        if (code == 0 && options->retry_failed)
            code = ga__journal_drop_failed(journal, options->retry_unknown, problem);
        if (code == 0)
            code = load_keys(journal, keys, problem);
    } else {
        code = begin_job(journal, options, problem);
    }
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
    char *sql = ga_format(
        "DROP TABLE IF EXISTS %s; DROP TABLE IF EXISTS gather_job; DROP TABLE IF EXISTS gather_done;"
        "DROP TABLE IF EXISTS gather_failed; DROP TABLE IF EXISTS gather_begun; %s",
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
    return code == 0 ? take_up(journal, options, was_empty, keys, problem) : code;
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
    int code, fd;

    *problem = NULL;
    if (!journal)
        return 0;
    code = ga__journal_flush(journal, problem);
    if (code == 0 && journal->add && total > 0)
        code = ga__journal_set(journal, "total", total, problem);
    if (code == 0 && journal->add && journal->sync != GA__SYNC_NONE) {
        uint64_t mark = ga__journal_sync_begin(journal, &fd);

        if (fd >= 0 && fdatasync(fd) < 0 && errno != EINVAL)
            code = ga__journal_cannot("write", journal->output, problem);
        else
            code = ga__journal_sync_end(journal, mark, problem);
    }
    journal_free(journal);
    return code;
}

/* --- the group ------------------------------------------------------------------------------------ */

static int refuse_more(const ga__journal *journal, char **problem)
{
    return ga__journal_say(4, problem, "%s could not be written before; nothing is added to it any more",
                           journal->output ? journal->output : "standard output");
}

static int open_group(ga__journal *journal, char **problem)
{
    if (journal->broken)
        return refuse_more(journal, problem);
    if (journal->grouped || !journal->db)
        return 0;
    int code = ga__journal_run(journal, "BEGIN", problem);

    journal->grouped = code == 0;
    return code;
}

static int step(const ga__journal *journal, sqlite3_stmt *statement, char **problem)
{
    int result = sqlite3_step(statement), code = 0;

    if (result != SQLITE_DONE)
        code = ga__journal_failed(journal, "write", problem);
    sqlite3_reset(statement);
    return code;
}

static sqlite3_int64 microseconds(double ms)
{
    return ms < 0 ? -1 : (sqlite3_int64)(ms * 1000);
}

static void bind_slice(sqlite3_stmt *statement, int at, ga__slice text)
{
    if (text.size > 0)
        sqlite3_bind_text64(statement, at, text.data, text.size, SQLITE_STATIC, SQLITE_UTF8);
    else
        sqlite3_bind_null(statement, at);
}

/* The entry of the record that was appended last, or added as a row of the table. */
static int add_entry(ga__journal *journal, const ga__entry *entry, uint64_t end, ga__slice bytes,
                     char **problem)
{
    const ga__record *record = entry->record;
    const sqlite3_int64 numbers[] = {
        entry->content,
        entry->next.size == 0 ? GA__ROW_DONE : 0,
        (sqlite3_int64)end,
        (sqlite3_int64)bytes.size,
        (sqlite3_int64)crc32_z(0, (const unsigned char *)bytes.data, bytes.size),
        (sqlite3_int64)record->n,
        record->page,
        record->ok,
        record->status,
        record->kind,
        record->attempts,
        record->at,
        microseconds(record->wait_ms),
        microseconds(record->ttfb_ms),
        microseconds(record->total_ms),
        (sqlite3_int64)record->bytes,
    };
    enum { COUNT = sizeof numbers / sizeof *numbers };

    sqlite3_bind_blob(journal->add, 1, entry->key.bytes, GA__KEY_SIZE, SQLITE_STATIC);
    for (int i = 0; i < COUNT; i++)
        sqlite3_bind_int64(journal->add, i + 2, numbers[i]);
    bind_slice(journal->add, COUNT + 2, entry->next);
    return step(journal, journal->add, problem);
}

static int add_failure(ga__journal *journal, const ga__entry *entry, char **problem)
{
    sqlite3_bind_int64(journal->add_failed, 1, sqlite3_last_insert_rowid(journal->db));
    bind_slice(journal->add_failed, 2, entry->record->id);
    bind_slice(journal->add_failed, 3, ga__slice_of(entry->record->message));
    bind_slice(journal->add_failed, 4, entry->row);
    return step(journal, journal->add_failed, problem);
}

static void append_record(ga__journal *journal, const ga__record *record)
{
    if (journal->form == GA__OUTPUT_JSONL)
        ga__record_append_json(&journal->pending, record);
    else
        ga__record_append_csv(&journal->pending, record, journal->with_body,
                              journal->form == GA__OUTPUT_CSV ? ',' : '\t');
}

/* Adds the records of an entry. @return where the last ends, and how much they are, in bytes or rows of the
 * table */
static int add_records(ga__journal *journal, const ga__entry *entry, uint64_t *end, ga__slice *bytes,
                       char **problem)
{
    size_t before = journal->pending.size;
    int code = 0;

    for (size_t i = 0; code == 0 && i < entry->count; i++) {
        if (journal->form == GA__OUTPUT_DB)
            code = ga__journal_add_result(journal, &entry->record[i], problem);
        else
            append_record(journal, &entry->record[i]);
    }
    if (journal->pending.failed) {
        *problem = NULL;
        code = 4;
    }
    if (code != 0)
        return code;
    *bytes = (ga__slice){journal->pending.data ? journal->pending.data + before : "",
                         journal->pending.size - before};
    *end = journal->form == GA__OUTPUT_DB ? (uint64_t)sqlite3_last_insert_rowid(journal->db)
                                          : journal->written + journal->pending.size;
    return 0;
}

int ga__journal_add(ga__journal *journal, const ga__entry *entry, char **problem)
{
    uint64_t end;
    ga__slice bytes;
    int code = open_group(journal, problem);

    if (code == 0)
        code = add_records(journal, entry, &end, &bytes, problem);
    if (code == 0 && journal->db)
        code = add_entry(journal, entry, end, bytes, problem);
    if (code == 0 && journal->db && !entry->record->ok)
        code = add_failure(journal, entry, problem);
    journal->broken |= code != 0;
    return code;
}

int ga__journal_add_raw(ga__journal *journal, ga__slice bytes)
{
    if (bytes.size > 0)
        ga__buffer_append(&journal->pending, bytes.data, bytes.size);
    return journal->pending.failed ? 4 : 0;
}

int ga__journal_begin(ga__journal *journal, const ga__key *key, char **problem)
{
    int code = open_group(journal, problem);

    if (code != 0 || !journal->db)
        return code;
    sqlite3_bind_blob(journal->add_begun, 1, key->bytes, GA__KEY_SIZE, SQLITE_STATIC);
    code = step(journal, journal->add_begun, problem);
    journal->broken |= code != 0; /* what failed may have taken the whole group back */
    return code;
}

int ga__journal_unbegin(ga__journal *journal, const ga__key *key, char **problem)
{
    sqlite3_stmt *statement;
    int code = open_group(journal, problem);

    if (code == 0)
        code = ga__journal_prepare(journal, "DELETE FROM gather_begun WHERE key=?", &statement, problem);
    if (code != 0)
        return code;
    sqlite3_bind_blob(statement, 1, key->bytes, GA__KEY_SIZE, SQLITE_STATIC);
    code = finish(journal, statement, problem);
    journal->broken |= code != 0;
    return code;
}

/* Writes the records. Where that fails in the middle the output is as long as it was, or the next run cuts
 * it. */
static int write_pending(ga__journal *journal, char **problem)
{
    const char *at = journal->pending.data, *end = at + journal->pending.size;

    while (at < end) {
        ssize_t count = journal->output
                            ? pwrite(journal->fd, at, (size_t)(end - at),
                                     (off_t)(journal->written + (uint64_t)(at - journal->pending.data)))
                            : write(journal->fd, at, (size_t)(end - at));

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return ga__journal_cannot("write", journal->output ? journal->output : "standard output",
                                      problem);
        at += count;
    }
    journal->written += journal->pending.size;
    ga__buffer_clear(&journal->pending);
    return 0;
}

static int flush_group(ga__journal *journal, char **problem)
{
    int code = journal->grouped ? ga__journal_run(journal, "COMMIT", problem) : 0;

    journal->grouped = false;
    if (code == 0 && journal->pending.size > 0)
        code = write_pending(journal, problem);
    if (code == 0 && journal->sync == GA__SYNC_EACH && journal->output && journal->form != GA__OUTPUT_DB &&
        fdatasync(journal->fd) < 0 && errno != EINVAL)
        code = ga__journal_cannot("write", journal->output, problem);
    return code;
}

int ga__journal_flush(ga__journal *journal, char **problem)
{
    *problem = NULL;
    if (journal->broken)
        return refuse_more(journal, problem);
    int code = flush_group(journal, problem);

    journal->broken = code != 0;
    return code;
}

bool ga__journal_may_block(const ga__journal *journal)
{
    struct stat about;

    return !journal->output && !(fstat(journal->fd, &about) == 0 && S_ISREG(about.st_mode));
}

void ga__journal_take(ga__journal *journal, ga__buffer *pending)
{
    *pending = journal->pending;
    journal->pending = GA__BUFFER_INIT;
}

int ga__journal_write_out(const ga__buffer *pending, char **problem)
{
    *problem = NULL;
    for (size_t at = 0; at < pending->size;) {
        ssize_t count = write(STDOUT_FILENO, pending->data + at, pending->size - at);

        if (count < 0 && errno == EAGAIN)
            poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, -1);
        else if (count < 0 && errno != EINTR)
            return ga__journal_cannot("write", "standard output", problem);
        at += count > 0 ? (size_t)count : 0;
    }
    return 0;
}

/* --- onto the disk -------------------------------------------------------------------------------- */

uint64_t ga__journal_sync_begin(const ga__journal *journal, int *fd)
{
    *fd = journal->output && journal->form != GA__OUTPUT_DB ? journal->fd : -1;
    return journal->written;
}

int ga__journal_sync_end(ga__journal *journal, uint64_t mark, char **problem)
{
    *problem = NULL;
    if (!journal->db)
        return 0;
    int code = ga__journal_flush(journal, problem);

    if (code == 0)
        code = ga__journal_run(journal, "PRAGMA synchronous=FULL; BEGIN", problem);
    if (code == 0)
        code = ga__journal_set(journal, "synced", mark, problem);
    if (code == 0)
        code = ga__journal_set(journal, "changed_at", now_ms(), problem);
    if (code == 0)
        code = ga__journal_run(journal, "COMMIT", problem);
    if (code == 0 && journal->sync != GA__SYNC_EACH)
        code = ga__journal_run(journal, "PRAGMA synchronous=NORMAL", problem);
    return code;
}

bool ga__journal_page(ga__journal *journal, const ga__key *key, char **next, uint32_t *page)
{
    sqlite3_stmt *statement = NULL;
    char *problem = NULL;
    bool found = false;

    *next = NULL;
    if (!journal->db ||
        ga__journal_prepare(journal,
                            "SELECT next, page FROM gather_done WHERE key=? ORDER BY rowid DESC LIMIT 1",
                            &statement, &problem) != 0) {
        free(problem);
        return false;
    }
    sqlite3_bind_blob(statement, 1, key->bytes, GA__KEY_SIZE, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_bytes(statement, 0) > 0) {
        *next = strdup((const char *)sqlite3_column_text(statement, 0));
        *page = (uint32_t)sqlite3_column_int64(statement, 1);
        found = *next != NULL;
    }
    sqlite3_finalize(statement);
    return found;
}
