/* SPDX-License-Identifier: MIT */
/*
 * Bringing a journal and its output into step when a job goes on. Called by ga__journal_open, before anything
 * is added.
 *
 * Up to the mark that was synced last, entries and records are known to agree. Behind it each record is held
 * against its entry: the first that is not there whole, and all behind it, are taken out of both.
 */
#include "bulk/journal_database.h"

#include "base/file.h"
#include "base/problem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { PIECE = 256 << 10 };

/* --- the end of the output ------------------------------------------------------------------------ */

static bool read_whole(int fd, char *bytes, size_t size, uint64_t at)
{
    while (size > 0) {
        ssize_t count = pread(fd, bytes, size, (off_t)at);

        if (count < 0 && errno == EINTR)
            continue;
        if (count == 0) /* it is shorter than it was */
            errno = EIO;
        if (count <= 0)
            return false;
        bytes += count;
        size -= (size_t)count;
        at += (uint64_t)count;
    }
    return true;
}

/* Whether the record is in the output as its entry says. */
static bool is_whole(const ga__journal *journal, uint64_t end, uint64_t size, uint64_t crc)
{
    char *bytes = end >= size ? malloc(size + 1) : NULL;
    bool whole = bytes && read_whole(journal->fd, bytes, size, end - size) &&
                 crc32_z(0, (const unsigned char *)bytes, size) == crc;

    free(bytes);
    return whole;
}

/* Where the last whole record ends, and the last entry whose record is whole. Entries stand in the order of
 * their records: those that were synced are passed over from the end. */
static int find_last_whole(const ga__journal *journal, uint64_t synced, uint64_t *end, sqlite3_int64 *last,
                           char **problem)
{
    sqlite3_stmt *statement;
    int code = ga__journal_prepare(
        journal,
        "SELECT rowid, end, size, crc FROM gather_done WHERE rowid > coalesce((SELECT rowid FROM gather_done"
        " WHERE end <= ? ORDER BY rowid DESC LIMIT 1), 0) ORDER BY rowid",
        &statement, problem);

    if (code != 0)
        return code;
    *last = INT64_MAX;
    *end = synced;
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)synced);
    while (ga__journal_next(journal, statement, &code, problem)) {
        uint64_t at = (uint64_t)sqlite3_column_int64(statement, 1);

        if (!is_whole(journal, at, (uint64_t)sqlite3_column_int64(statement, 2),
                      (uint64_t)sqlite3_column_int64(statement, 3))) {
            *last = sqlite3_column_int64(statement, 0) - 1;
            break;
        }
        *end = at;
    }
    sqlite3_finalize(statement);
    return code;
}

static int drop_entries_behind(const ga__journal *journal, sqlite3_int64 last, char **problem)
{
    char sql[160];

    if (last == INT64_MAX)
        return 0;
    snprintf(sql, sizeof sql,
             "BEGIN; DELETE FROM gather_failed WHERE done > %lld; DELETE FROM gather_done WHERE rowid > "
             "%lld; COMMIT",
             (long long)last, (long long)last);
    return ga__journal_run(journal, sql, problem);
}

/* The head of a CSV file counts as synced: where it is torn nothing else is there. */
static int mend_end(ga__journal *journal, char **problem)
{
    uint64_t synced = ga__journal_get(journal, "synced"), end = 0;
    sqlite3_int64 last = 0;
    struct stat about;

    if (fstat(journal->fd, &about) < 0)
        return ga__journal_cannot("read", journal->output, problem);
    if ((uint64_t)about.st_size < synced)
        return ga__say(
            2, problem,
            "%s is shorter than its journal says: it has been changed, so what it lacks is not known. "
            "Put it back, or begin anew with --fresh",
            journal->output);
    int code = find_last_whole(journal, synced, &end, &last, problem);

    if (code == 0)
        code = drop_entries_behind(journal, last, problem);
    if (code == 0 && ftruncate(journal->fd, (off_t)end) < 0)
        code = ga__journal_cannot("cut", journal->output, problem);
    journal->written = end;
    return code;
}

/* --- taking out what failed ----------------------------------------------------------------------- */

static char *rewrite_path(const ga__journal *journal)
{
    return ga_format("%s.rewrite", journal->output);
}

/* The output that was written anew, whole, takes the place of the old one, with its lock. */
static int replace_output(ga__journal *journal, const char *path, int fd, char **problem)
{
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 || rename(path, journal->output) < 0)
        return ga__journal_cannot("replace", journal->output, problem);
    close(journal->fd);
    journal->fd = fd;
    return 0;
}

/* The output's name is on disk. A directory that may not be read is not asked, nor one that has no such
 * thing.
 */
static bool sync_directory(const ga__journal *journal)
{
    const char *slash = strrchr(journal->output, '/');
    char *path = slash ? strndup(journal->output, (size_t)(slash - journal->output) + 1) : strdup(".");
    int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool good = fd >= 0 ? fsync(fd) == 0 || errno == EINVAL : errno == EACCES;

    if (fd >= 0)
        close(fd);
    free(path);
    return good;
}

/* Where it is no longer there it has taken the place already. */
static int finish_rewrite(ga__journal *journal, char **problem)
{
    char *path = rewrite_path(journal);
    int code = path ? 0 : 4, fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (fd >= 0) {
        code = replace_output(journal, path, fd, problem);
        if (code != 0)
            close(fd);
    }
    free(path);
    if (code == 0 && !sync_directory(journal))
        code = ga__journal_cannot("write", journal->output, problem);
    return code == 0 ? ga__journal_set(journal, "rewriting", 0, problem) : code;
}

int ga__journal_mend(ga__journal *journal, char **problem)
{
    int code = 0;

    if (journal->form == GA__OUTPUT_DB)
        return 0;
    if (ga__journal_get(journal, "rewriting") > 0)
        code = finish_rewrite(journal, problem);
    return code == 0 ? mend_end(journal, problem) : code;
}

/* Copies bytes of the output to the end of another file. */
static bool copy_bytes(int from, uint64_t at, uint64_t size, int to)
{
    char *piece = malloc(PIECE);
    bool good = piece != NULL;

    while (good && size > 0) {
        size_t count = size < PIECE ? (size_t)size : PIECE;

        good = read_whole(from, piece, count, at) && ga__write_all(to, (ga__slice){piece, count});
        at += count;
        size -= count;
    }
    free(piece);
    return good;
}

/* Copies the head and the records that stay, and gives each entry its new place. */
static int copy_kept(ga__journal *journal, int to, char **problem)
{
    sqlite3_stmt *each, *move = NULL;
    uint64_t from = 0, end = 0, written = 0;
    int code = ga__journal_prepare(
        journal, "SELECT entry, end, size, leaves FROM gather_leaving ORDER BY entry", &each, problem);

    if (code == 0)
        code = ga__journal_prepare(journal, "UPDATE gather_done SET end=? WHERE rowid=?", &move, problem);
    while (ga__journal_next(journal, each, &code, problem)) {
        bool leaves = sqlite3_column_int(each, 3);

        end = (uint64_t)sqlite3_column_int64(each, 1);
        uint64_t begin = end - (uint64_t)sqlite3_column_int64(each, 2), upto = leaves ? begin : end;

        if (!copy_bytes(journal->fd, from, upto - from, to))
            code = ga__journal_cannot("rewrite", journal->output, problem);
        written += upto - from;
        from = end;
        sqlite3_bind_int64(move, 1, (sqlite3_int64)written);
        sqlite3_bind_int64(move, 2, sqlite3_column_int64(each, 0));
        if (code == 0 && !leaves)
            code = ga__journal_step(journal, move, problem);
    }
    if (code == 0 && !copy_bytes(journal->fd, from, journal->written - from, to))
        code = ga__journal_cannot("rewrite", journal->output, problem);
    sqlite3_finalize(each);
    sqlite3_finalize(move);
    return code == 0 ? ga__journal_set(journal, "synced", written + journal->written - from, problem) : code;
}

/* Writes the output anew beside the old one; when the entries are committed it takes its place. */
static int rewrite_output(ga__journal *journal, char **problem)
{
    char *path = rewrite_path(journal);
    int fd = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1, code = 0;

    if (fd < 0) {
        code = ga__journal_cannot("write", path ? path : journal->output, problem);
        free(path);
        return code;
    }
    code = copy_kept(journal, fd, problem);
    if (code == 0 && fsync(fd) < 0)
        code = ga__journal_cannot("write", path, problem);
    if (code == 0)
        code = ga__journal_set(journal, "rewriting", 1, problem);
    close(fd);
    free(path);
    return code;
}

int ga__journal_drop_failed(ga__journal *journal, bool unknown, char **problem)
{
    bool database = journal->form == GA__OUTPUT_DB;
    char *sql = ga_format(
        "CREATE TEMP TABLE gather_leaving AS SELECT rowid AS entry, end, size, ok=0 AND (%d OR kind<>%d)"
        " AS leaves FROM gather_done",
        unknown, GA__KIND_UNKNOWN_OUTCOME);
    char *results = ga_format("DELETE FROM %s WHERE rowid IN (SELECT end FROM gather_leaving WHERE leaves)",
                              journal->table);
    int code = sql && results ? ga__journal_run(journal, sql, problem) : 4;

    if (code == 0)
        code = ga__journal_run(journal, "PRAGMA synchronous=FULL; BEGIN IMMEDIATE", problem);
    if (code == 0)
        code = database ? ga__journal_run(journal, results, problem) : rewrite_output(journal, problem);
    if (code == 0)
        code = ga__journal_run(
            journal,
            "DELETE FROM gather_begun WHERE key IN (SELECT key FROM gather_done JOIN gather_leaving"
            " ON entry = gather_done.rowid WHERE leaves);"
            "DELETE FROM gather_failed WHERE done IN (SELECT entry FROM gather_leaving WHERE leaves);"
            "DELETE FROM gather_done WHERE rowid IN (SELECT entry FROM gather_leaving WHERE leaves);"
            "DROP TABLE gather_leaving; COMMIT",
            problem);
    if (code == 0 && journal->sync != GA__SYNC_EACH)
        code = ga__journal_run(journal, "PRAGMA synchronous=NORMAL", problem);
    if (code == 0 && !database)
        code = ga__journal_mend(journal, problem);
    free(sql);
    free(results);
    return code;
}
