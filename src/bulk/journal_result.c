/* SPDX-License-Identifier: MIT */
/*
 * The table of results, where the output is a SQLite database: a column for each member of a record, and for
 * what is kept and extracted. Numbers are numbers there, and what was not asked for has no column.
 */
#include "bulk/journal_database.h"

#include "base/number.h"
#include "base/problem.h"
#include "bulk/json.h"
#include <stdlib.h>
#include <string.h>

static const char fixed[] =
    "id, n INTEGER, page INTEGER, ok INTEGER, status INTEGER, url TEXT, attempts INTEGER, at TEXT,"
    " wait_ms REAL, ttfb_ms REAL, total_ms REAL, error TEXT, message TEXT, meta TEXT";
enum { FIXED = 14 };

static void append_columns(ga__buffer *sql, const ga__record_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *name = sqlite3_mprintf(", \"%w\"", values[i].name);

        if (name)
            ga__buffer_add(sql, name);
        else
            sql->failed = true;
        sqlite3_free(name);
    }
}

static int make_table(const ga__journal *journal, const ga__record *like, char **problem)
{
    ga__buffer sql = GA__BUFFER_INIT;

    ga__buffer_printf(&sql, "CREATE TABLE IF NOT EXISTS %s(%s", journal->table, fixed);
    append_columns(&sql, like->keep, like->keep_count);
    append_columns(&sql, like->extract, like->extract_count);
    if (journal->with_body)
        ga__buffer_add(&sql, ", body");
    ga__buffer_add(&sql, ")");
    int code = sql.failed ? 4 : ga__journal_run(journal, sql.data, problem);

    ga__buffer_free(&sql);
    if (code != 0 && strstr(sqlite3_errmsg(journal->db), "duplicate column name")) {
        free(*problem);
        code = ga__say(2, problem,
                       "%s cannot have two columns of one name (%s): --extract NAME=PATH names one otherwise",
                       journal->output, sqlite3_errmsg(journal->db));
    }
    return code;
}

int ga__journal_open_results(ga__journal *journal, const ga__record *like, char **problem)
{
    ga__buffer sql = GA__BUFFER_INIT;
    size_t count = FIXED + like->keep_count + like->extract_count + journal->with_body;
    int code = make_table(journal, like, problem);

    if (code != 0)
        return code;
    ga__buffer_printf(&sql, "INSERT INTO %s VALUES(?", journal->table);
    for (size_t i = 1; i < count; i++)
        ga__buffer_add(&sql, ",?");
    ga__buffer_add(&sql, ")");
    code = sql.failed ? 4 : ga__journal_prepare(journal, sql.data, &journal->add_result, problem);
    ga__buffer_free(&sql);
    return code;
}

/* --- a row ---------------------------------------------------------------------------------------- */

static void bind_text(sqlite3_stmt *statement, int at, ga__slice text)
{
    if (text.data)
        sqlite3_bind_text64(statement, at, text.data, text.size, SQLITE_TRANSIENT, SQLITE_UTF8);
    else
        sqlite3_bind_null(statement, at);
}

/* A number that is one to SQLite too; what is longer stays a text. */
static void bind_number(sqlite3_stmt *statement, int at, ga__slice value)
{
    bool negative = value.size > 0 && *value.data == '-';
    uint64_t whole;
    double number;

    if (ga__parse_decimal(value.data + negative, value.size - negative, &whole) && whole <= INT64_MAX)
        sqlite3_bind_int64(statement, at, negative ? -(sqlite3_int64)whole : (sqlite3_int64)whole);
    else if (value.size < 18 && ga__parse_double(value.data, value.size, &number))
        sqlite3_bind_double(statement, at, number);
    else
        bind_text(statement, at, value);
}

static void bind_json(sqlite3_stmt *statement, int at, ga__slice value)
{
    ga__buffer text = GA__BUFFER_INIT;

    switch (ga__json_kind_of(value)) {
    case GA__JSON_NONE:
    case GA__JSON_NULL:
        sqlite3_bind_null(statement, at);
        return;
    case GA__JSON_NUMBER:
        bind_number(statement, at, value);
        return;
    case GA__JSON_TRUE:
    case GA__JSON_FALSE:
        sqlite3_bind_int(statement, at, ga__json_is(value, GA__JSON_TRUE));
        return;
    case GA__JSON_STRING:
        ga__json_append_unquoted(&text, value);
        break;
    default:
        ga__json_append_compact(&text, value);
    }
    bind_text(statement, at, (ga__slice){text.data ? text.data : "", text.size});
    ga__buffer_free(&text);
}

static void bind_ms(sqlite3_stmt *statement, int at, double ms)
{
    if (ms >= 0)
        sqlite3_bind_double(statement, at, ms);
    else
        sqlite3_bind_null(statement, at);
}

static void bind_count(sqlite3_stmt *statement, int at, uint64_t count)
{
    if (count > 0)
        sqlite3_bind_int64(statement, at, (sqlite3_int64)count);
    else
        sqlite3_bind_null(statement, at);
}

static void bind_fixed(sqlite3_stmt *statement, const ga__record *record)
{
    ga__buffer at = GA__BUFFER_INIT;

    ga__record_append_time(&at, record->at);
    bind_json(statement, 1, record->id);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)record->n);
    bind_count(statement, 3, record->page);
    sqlite3_bind_int(statement, 4, record->ok);
    bind_count(statement, 5, record->status > 0 ? (uint64_t)record->status : 0);
    bind_text(statement, 6, record->url);
    sqlite3_bind_int(statement, 7, record->attempts);
    bind_text(statement, 8, record->at > 0 ? (ga__slice){at.data, at.size} : (ga__slice){NULL, 0});
    bind_ms(statement, 9, record->wait_ms);
    bind_ms(statement, 10, record->ttfb_ms);
    bind_ms(statement, 11, record->total_ms);
    bind_text(statement, 12, record->ok ? (ga__slice){NULL, 0} : ga__slice_of(ga__kind_name(record->kind)));
    bind_text(statement, 13, record->ok ? (ga__slice){NULL, 0} : ga__slice_of(record->message));
    bind_json(statement, 14, record->meta);
    ga__buffer_free(&at);
}

static void bind_body(sqlite3_stmt *statement, int at, const ga__record *record)
{
    if (record->body_form == GA__BODY_NONE)
        sqlite3_bind_null(statement, at);
    else if (record->body_form == GA__BODY_BINARY)
        sqlite3_bind_blob64(statement, at, record->body.data, record->body.size, SQLITE_STATIC);
    else
        bind_text(statement, at, record->body);
}

int ga__journal_add_result(ga__journal *journal, const ga__record *record, char **problem)
{
    sqlite3_stmt *statement = journal->add_result;
    int at = FIXED;

    bind_fixed(statement, record);
    for (size_t i = 0; i < record->keep_count; i++)
        bind_json(statement, ++at, record->keep[i].json);
    for (size_t i = 0; i < record->extract_count; i++)
        bind_json(statement, ++at, record->extract[i].json);
    if (journal->with_body)
        bind_body(statement, ++at, record);
    return ga__journal_step(journal, statement, problem);
}
