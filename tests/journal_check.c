/* SPDX-License-Identifier: MIT */
/*
 * Journals of a few rows, open, closed, and as a killed process leaves them. Whatever goes wrong here fails
 * the test that asked for it.
 */
#include "journal_check.h"

#include <stdlib.h>
#include <string.h>

static const ga__record like = {.stage = "", .message = ""};

ga__journal_options options_for(const char *path, ga__journal_mode mode)
{
    static const ga_pair job[] = {{"--url", "http://h/{n}"}, {"--id", "n"}, {NULL, NULL}};

    return (ga__journal_options){.output = path,
                                 .form = ga__output_form_of(path),
                                 .mode = mode,
                                 .like = &like,
                                 .job = job,
                                 .with_body = true};
}

ga__journal *open_with(const ga__journal_options *options, ga__keys *keys)
{
    char *problem;
    int code;
    ga__journal *journal = ga__journal_open(options, keys, &code, &problem);

    if (!journal)
        fail_msg("%s", problem);
    assert_int_equal(code, 0);
    return journal;
}

void check_refused(const ga__journal_options *options, int expected, const char *said)
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

void flush_journal(ga__journal *journal)
{
    char *problem;

    assert_int_equal(ga__journal_flush(journal, &problem), 0);
}

void close_journal(ga__journal *journal, uint64_t total)
{
    char *problem;

    assert_int_equal(ga__journal_close(journal, total, &problem), 0);
}

ga__key key_of(uint64_t n)
{
    ga__slice part = {(const char *)&n, sizeof n};
    ga__key key;

    assert_true(ga__key_of(&key, 0, &part, 1));
    return key;
}

ga__record record_of(uint64_t n, bool ok)
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

void add_row(ga__journal *journal, uint64_t n, bool ok)
{
    ga__record record = record_of(n, ok);
    char line[64], *problem;
    int size = snprintf(line, sizeof line, "{\"url\":\"http://h/%llu\"}", (unsigned long long)n);
    ga__entry entry = {.key = key_of(n), .record = &record, .count = 1, .row = {line, ok ? 0 : (size_t)size}};

    assert_int_equal(ga__journal_add(journal, &entry, &problem), 0);
}

int count_done(const ga__keys *keys)
{
    int count = 0;

    for (uint64_t n = 1; n <= ROWS; n++) {
        ga__key key = key_of(n);
        const uint32_t *value = ga__keys_find(keys, &key);

        count += value && *value & GA__ROW_DONE;
    }
    return count;
}

int count_lines(const char *path)
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

void make_killed_job(const char *path, int synced_rows)
{
    ga__journal_options options = options_for(path, GA__JOURNAL_FRESH);
    ga__keys *keys = ga__keys_new();
    ga__journal *journal = open_with(&options, keys);
    char *problem, *copy = ga_format("%s.copy", path), *database = ga_format("%s.journal", path),
                   *database_copy = ga_format("%s.journal", copy);

    for (uint64_t n = 1; n <= ROWS; n++) {
        add_row(journal, n, n % 3 != 0);
        if (n % 2 == 0)
            flush_journal(journal);
        if ((int)n == synced_rows) {
            flush_journal(journal);
            assert_int_equal(ga__journal_sync_end(journal, ga__journal_sync_begin(journal), &problem), 0);
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

int go_on(const char *path)
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
