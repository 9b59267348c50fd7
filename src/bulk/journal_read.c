/* SPDX-License-Identifier: MIT */
/*
 * What a journal tells of its job: for `gather report` and `gather failed`, also while the job is running,
 * and for a job that goes on with a row's pages.
 */
#include "bulk/journal_database.h"

#include <stdlib.h>
#include <string.h>

uint64_t ga__journal_count(const ga__journal *journal, const char *sql)
{
    sqlite3_stmt *statement;
    char *problem = NULL;
    uint64_t rows = 0;

    if (ga__journal_prepare(journal, sql, &statement, &problem) == 0 && sqlite3_step(statement) == SQLITE_ROW)
        rows = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    free(problem);
    return rows;
}

int64_t ga__journal_began_at(const ga__journal *journal)
{
    return (int64_t)ga__journal_get(journal, "began_at");
}

/* From the few that failed, so that of the many only their number is looked at. */
uint64_t ga__journal_count_failed(const ga__journal *journal)
{
    return ga__journal_count(journal, "SELECT count(*) FROM gather_failed CROSS JOIN gather_done"
                                      " ON gather_done.rowid = gather_failed.done WHERE last");
}

void ga__journal_summarize(ga__journal *journal, ga__journal_summary *summary)
{
    *summary = (ga__journal_summary){
        .done = ga__journal_count(journal, "SELECT count(*) FROM gather_done WHERE last"),
        .failed = ga__journal_count_failed(journal),
        .total = ga__journal_get(journal, "total"),
        .began_at = ga__journal_began_at(journal),
        .changed_at = (int64_t)ga__journal_get(journal, "changed_at"),
        .rate = (double)ga__journal_get(journal, "rate") / 1e6,
    };
}

static ga__slice text_at(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    return (ga__slice){text ? text : "", text ? (size_t)sqlite3_column_bytes(statement, column) : 0};
}

static double ms_at(sqlite3_stmt *statement, int column)
{
    sqlite3_int64 microseconds = sqlite3_column_int64(statement, column);

    return microseconds < 0 ? -1 : (double)microseconds / 1000;
}

static ga__record record_at(sqlite3_stmt *statement)
{
    int kind = sqlite3_column_int(statement, 4);
    const char *message = (const char *)sqlite3_column_text(statement, 12);

    return (ga__record){
        .n = (uint64_t)sqlite3_column_int64(statement, 0),
        .page = (uint32_t)sqlite3_column_int64(statement, 1),
        .ok = sqlite3_column_int(statement, 2),
        .status = sqlite3_column_int(statement, 3),
        .kind = kind >= 0 && kind < GA__KINDS ? (ga__kind)kind : GA__KIND_OK,
        .attempts = sqlite3_column_int(statement, 5),
        .at = sqlite3_column_int64(statement, 6),
        .wait_ms = ms_at(statement, 7),
        .ttfb_ms = ms_at(statement, 8),
        .total_ms = ms_at(statement, 9),
        .bytes = (uint64_t)sqlite3_column_int64(statement, 10),
        .id = text_at(statement, 11),
        .message = message ? message : "",
        .stage = "",
    };
}

int ga__journal_each(ga__journal *journal, bool (*each)(void *arg, const ga__record *record), void *arg,
                     char **problem)
{
    sqlite3_stmt *statement;
    int code = ga__journal_prepare(
        journal,
        "SELECT n, page, ok, status, kind, attempts, at, wait, ttfb, total, bytes, id, message"
        " FROM gather_done LEFT JOIN gather_failed ON gather_failed.done = gather_done.rowid"
        " ORDER BY gather_done.rowid",
        &statement, problem);

    while (ga__journal_next(journal, statement, &code, problem)) {
        ga__record record = record_at(statement);

        if (!each(arg, &record))
            break;
    }
    sqlite3_finalize(statement);
    return code;
}

int ga__journal_each_failed(ga__journal *journal, bool (*each)(void *arg, ga__slice row), void *arg,
                            char **problem)
{
    sqlite3_stmt *statement;
    int code = ga__journal_prepare(
        journal,
        "SELECT row FROM gather_failed JOIN gather_done ON gather_failed.done = gather_done.rowid"
        " WHERE row IS NOT NULL ORDER BY n, page",
        &statement, problem);

    while (ga__journal_next(journal, statement, &code, problem))
        if (!each(arg, text_at(statement, 0)))
            break;
    sqlite3_finalize(statement);
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
