/* SPDX-License-Identifier: MIT */
/*
 * The journal's insides, shared by the files that open it, write it, mend it and read it.
 */
#ifndef GA__JOURNAL_DATABASE_H
#define GA__JOURNAL_DATABASE_H

#include "bulk/journal.h"

#include <sqlite3.h>

struct ga__journal {
    ga__output_form form;
    ga__sync sync;
    bool with_body, with_files;
    char *output;   /* path; NULL: standard output */
    char *database; /* path; NULL: there is none */
    char *table;    /* of the output; quoted */
    int fd;         /* the output, locked; -1: none (READ) */
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *add, *add_failed, *add_begun, *add_result;
    ga__buffer pending; /* records that are to be written */
    uint64_t written;   /* bytes of the output that are */
    bool grouped;       /* a transaction is open */
    bool broken; /* writing failed: nothing more is written, lest what follows does not fit what is there */
};

/* `problem` with SQLite's last message. @return 4 */
int ga__journal_failed(const ga__journal *journal, const char *what, char **problem);
/* The same with errno's. */
int ga__journal_cannot(const char *what, const char *path, char **problem);

/* Runs statements. @return 0 or 4 */
int ga__journal_run(const ga__journal *journal, const char *sql, char **problem);
/* Prepares one; *statement is NULL on failure. */
int ga__journal_prepare(const ga__journal *journal, const char *sql, sqlite3_stmt **statement,
                        char **problem);
/* The statement's next row. @return false at its end, and where *code is not 0, or becomes that: it cannot be
 * read */
bool ga__journal_next(const ga__journal *journal, sqlite3_stmt *statement, int *code, char **problem);
/* Runs it to its end, and makes it ready to be run again. @return 0 or 4 */
int ga__journal_step(const ga__journal *journal, sqlite3_stmt *statement, char **problem);
/* The same, and frees it. */
int ga__journal_finish(const ga__journal *journal, sqlite3_stmt *statement, char **problem);

/* What a query counts; 0 where it fails. */
uint64_t ga__journal_count(const ga__journal *journal, const char *sql);

/* A value that the journal keeps by name. `get` gives 0 where there is none. */
uint64_t ga__journal_get(const ga__journal *journal, const char *name);
int ga__journal_set(const ga__journal *journal, const char *name, uint64_t value, char **problem);

/* --- journal_mend.c --- */
/* Brings journal and output into step, after whatever end the last run had: see journal.h. */
int ga__journal_mend(ga__journal *journal, char **problem);
/* Takes what failed out of journal and output. */
int ga__journal_drop_failed(ga__journal *journal, bool unknown, char **problem);

/* --- journal_result.c --- */
/* The table of an output that is a database: makes it, and prepares what adds to it. */
int ga__journal_open_results(ga__journal *journal, const ga__record *like, char **problem);
int ga__journal_add_result(ga__journal *journal, const ga__record *record, char **problem);

#endif
