/* SPDX-License-Identifier: MIT */
/*
 * Writing the journal and the output, in groups and onto the disk. The order of things is all: see
 * journal.h. Called by the job, under its lock.
 */
#include "bulk/journal_database.h"

#include "base/clock.h"
#include "base/problem.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* --- what went wrong ------------------------------------------------------------------------------ */

int ga__journal_failed(const ga__journal *journal, const char *what, char **problem)
{
    int error = sqlite3_errcode(journal->db) & 0xff;

    if (error == SQLITE_CORRUPT || error == SQLITE_NOTADB)
        return ga__say(4, problem,
                       "the journal %s is damaged (%s); what is in the output is whole. Move both away, or "
                       "begin anew with --fresh",
                       journal->database, sqlite3_errmsg(journal->db));
    return ga__say(4, problem, "cannot %s %s: %s", what, journal->database, sqlite3_errmsg(journal->db));
}

int ga__journal_cannot(const char *what, const char *path, char **problem)
{
    return ga__say(4, problem, "cannot %s %s: %s", what, path, strerror(errno));
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

bool ga__journal_next(const ga__journal *journal, sqlite3_stmt *statement, int *code, char **problem)
{
    int result = *code == 0 ? sqlite3_step(statement) : SQLITE_DONE;

    if (result != SQLITE_ROW && result != SQLITE_DONE)
        *code = ga__journal_failed(journal, "read", problem);
    return result == SQLITE_ROW;
}

int ga__journal_finish(const ga__journal *journal, sqlite3_stmt *statement, char **problem)
{
    int code = sqlite3_step(statement) == SQLITE_DONE ? 0 : ga__journal_failed(journal, "write", problem);

    sqlite3_finalize(statement);
    return code;
}

int ga__journal_step(const ga__journal *journal, sqlite3_stmt *statement, char **problem)
{
    int code = sqlite3_step(statement) == SQLITE_DONE ? 0 : ga__journal_failed(journal, "write", problem);

    sqlite3_reset(statement);
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
    return ga__journal_finish(journal, statement, problem);
}

/* --- the group ------------------------------------------------------------------------------------ */

static int refuse_more(const ga__journal *journal, char **problem)
{
    return ga__say(4, problem, "%s could not be written before; nothing is added to it any more",
                   journal->output ? journal->output : "standard output");
}

static int open_group(ga__journal *journal, char **problem)
{
    if (journal->broken)
        return refuse_more(journal, problem);
    if (journal->grouped || !journal->db)
        return 0;
    int code = ga__journal_step(journal, journal->begin, problem);

    journal->grouped = code == 0;
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
    return ga__journal_step(journal, journal->add, problem);
}

static int add_failure(ga__journal *journal, const ga__entry *entry, char **problem)
{
    sqlite3_bind_int64(journal->add_failed, 1, sqlite3_last_insert_rowid(journal->db));
    bind_slice(journal->add_failed, 2, entry->record->id);
    bind_slice(journal->add_failed, 3, ga__slice_of(entry->record->message));
    bind_slice(journal->add_failed, 4, entry->row);
    return ga__journal_step(journal, journal->add_failed, problem);
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
    code = ga__journal_step(journal, journal->add_begun, problem);
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
    code = ga__journal_finish(journal, statement, problem);
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
    bool at_once = journal->sync == GA__SYNC_EACH;
    int code =
        at_once && journal->with_files && journal->grouped ? ga__journal_sync_output(journal, problem) : 0;

    if (code == 0 && journal->grouped)
        code = ga__journal_step(journal, journal->commit, problem);
    journal->grouped = false;
    if (code == 0 && journal->pending.size > 0)
        code = write_pending(journal, problem);
    return code == 0 && at_once ? ga__journal_sync_output(journal, problem) : code;
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

uint64_t ga__journal_sync_begin(const ga__journal *journal)
{
    return journal->written;
}

/* A file and its name are synced alone only at the cost of two waits for each; all of them at once cost one.
 */
int ga__journal_sync_output(const ga__journal *journal, char **problem)
{
    *problem = NULL;
    if (!journal->output || journal->form == GA__OUTPUT_DB)
        return 0;
    int result = journal->with_files ? syncfs(journal->fd) : fdatasync(journal->fd);

    return result < 0 && errno != EINVAL ? ga__journal_cannot("write", journal->output, problem) : 0;
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
        code = ga__journal_set(journal, "changed_at", (uint64_t)ga__wall_ms(), problem);
    if (code == 0)
        code = ga__journal_run(journal, "COMMIT", problem);
    if (code == 0 && journal->sync != GA__SYNC_EACH)
        code = ga__journal_run(journal, "PRAGMA synchronous=NORMAL", problem);
    return code;
}
