/* SPDX-License-Identifier: MIT */
/*
 * What a job remembers beside its output, so that it can be ended at any instant and go on: which rows are
 * done and where their records stand, which were begun and may have reached the server, and what the job was
 * asked to do. It is a SQLite database, OUT.journal; where the output is a SQLite database itself, it is in
 * there. Output to standard output has none.
 *
 * Records are written in groups. A group's entries are committed first, each with the place and the checksum
 * of its record in the output; then its records are written in one piece. So whatever instant the process
 * ends at, an entry whose record is not whole in the output can be told from one whose record is:
 * ga__journal_open takes entries of the first kind out again, and cuts the output behind the last whole
 * record.
 *
 * For one thread at a time: a job has a lock. What returns a code returns 0, or 4 where something cannot be
 * written, with `problem`, the caller's to free, NULL without memory.
 */
#ifndef GA__JOURNAL_H
#define GA__JOURNAL_H

#include "bulk/keys.h"
#include "bulk/record.h"

typedef struct ga__journal ga__journal;

typedef enum ga__sync {
    GA__SYNC_BATCH, /* all is on disk once ga__journal_sync_end has run */
    GA__SYNC_EACH,  /* each group is on disk when its flush returns */
    GA__SYNC_NONE   /* whenever the system does it */
} ga__sync;

typedef enum ga__output_form {
    GA__OUTPUT_JSONL,
    GA__OUTPUT_CSV,
    GA__OUTPUT_TSV,
    GA__OUTPUT_DB
} ga__output_form;

/* By the end of the name: .csv, .tsv, .db, .sqlite and .sqlite3; else JSON Lines. */
ga__output_form ga__output_form_of(const char *path);

/* How an output that is there already is to be taken. */
typedef enum ga__journal_mode {
    GA__JOURNAL_NEW,    /* there must be none */
    GA__JOURNAL_RESUME, /* go on with it; begin where there is none */
    GA__JOURNAL_FRESH,  /* throw it away */
    GA__JOURNAL_READ    /* for reports: nothing is changed, also while a job is running */
} ga__journal_mode;

typedef struct ga__journal_options {
    const char *output; /* the path; NULL: standard output, and no journal */
    ga__output_form form;
    const char *table; /* of a database; NULL: "results" */
    ga__journal_mode mode;
    ga__sync sync;
    bool retry_failed;  /* with RESUME: rows that failed count as not done, and their records leave the output
                         */
    bool retry_unknown; /* with retry_failed: those whose outcome is unknown too */
    bool with_body;     /* CSV and databases have a column for it */
    bool with_files;    /* records name files beside the output, which are to be on disk before them */
    bool paged;
    const ga__record *like; /* a record with the names of what is kept and extracted */
    const ga_pair *job; /* what the job is asked to do, by option: {"--url", template}; ends with a NULL name.
                           A job that goes on must be asked for the same */
    double rate;        /* requests per second that it is held to, for reports; 0: none */
} ga__journal_options;

/* Values of the keys: bits, and behind them what tells one content of an id from another. */
enum {
    GA__ROW_DONE = 1,  /* its last record is in the output */
    GA__ROW_BEGUN = 2, /* it may have reached the server */
    GA__ROW_SEEN = 4,  /* for the job: this run has come to it */
    GA__ROW_CONTENT_SHIFT = 3
};

/* Opens or makes the journal and the output, mends the end of the output, and puts the rows into `keys` (NULL
 * with READ).
 * @return NULL with `problem`; *code is 2 where it is the caller's to decide (unfinished, another job,
 * another run at work; the problem says what to do), 4 where something cannot be read or written */
ga__journal *ga__journal_open(const ga__journal_options *options, ga__keys *keys, int *code, char **problem);

/* Flushes and closes. `total`: the rows of the job, where all of them are done; else 0. NULL is fine. */
int ga__journal_close(ga__journal *journal, uint64_t total, char **problem);

/* One row's entry. */
typedef struct ga__entry {
    ga__key key;
    uint32_t content;         /* below 2^29; 0 where the key is of the content */
    const ga__record *record; /* the first of `count`, which are written and counted as one */
    size_t count;
    ga__slice row;  /* of a failure: the row as an input line, which `gather failed` gives back */
    ga__slice next; /* of a page: where the next begins; empty with the last, which makes the row done */
} ga__entry;

/* Adds a record and its entry to the group. Nothing of it is needed afterwards. */
int ga__journal_add(ga__journal *journal, const ga__entry *entry, char **problem);
/* Adds bytes that are no record: to standard output only. */
int ga__journal_add_raw(ga__journal *journal, ga__slice bytes);
/* Notes in the group that a row which is not idempotent is about to be sent; and that it was not after all.
 */
int ga__journal_begin(ga__journal *journal, const ga__key *key, char **problem);
int ga__journal_unbegin(ga__journal *journal, const ga__key *key, char **problem);
/* Writes the group: it survives the process then, and with GA__SYNC_EACH the machine. */
int ga__journal_flush(ga__journal *journal, char **problem);
/* Whether a flush may have to wait for a reader. Then, instead, what was added is taken out of the journal,
 * and written on a thread, without a lock on the journal. */
bool ga__journal_may_block(const ga__journal *journal);
void ga__journal_take(ga__journal *journal, ga__buffer *pending);
int ga__journal_write_out(const ga__buffer *pending, char **problem);

/* What was flushed so far, and the files that it names, are on disk once these have run, one after another;
 * the second needs no lock, and takes as long as the disk does. */
uint64_t ga__journal_sync_begin(const ga__journal *journal);
int ga__journal_sync_output(const ga__journal *journal, char **problem);
int ga__journal_sync_end(ga__journal *journal, uint64_t mark, char **problem);

/* Where a paged row goes on: its last page's number and what `next` said; false where it begins. The string
 * is the caller's to free. */
bool ga__journal_page(ga__journal *journal, const ga__key *key, char **next, uint32_t *page);

/* --- for reports ---------------------------------------------------------------------------------- */

typedef struct ga__journal_summary {
    uint64_t done, failed;        /* rows */
    uint64_t total;               /* rows that the job has in all, once it has finished; else 0 */
    int64_t began_at, changed_at; /* ms since 1970 */
    double rate;                  /* requests per second that it is held to; 0: none */
} ga__journal_summary;

void ga__journal_summarize(ga__journal *journal, ga__journal_summary *summary);
/* How many rows failed: what `failed` says, without counting the others. */
uint64_t ga__journal_count_failed(const ga__journal *journal);
/* When the job began, in ms since 1970: what `began_at` says, without counting rows. */
int64_t ga__journal_began_at(const ga__journal *journal);

/* What the journal holds of each record, in the order of writing: n, page, ok, status, attempts, at, the
 * times, bytes and kind; of a failure also id and message. Ends where `each` returns false. */
int ga__journal_each(ga__journal *journal, bool (*each)(void *arg, const ga__record *record), void *arg,
                     char **problem);
/* The rows that failed, as input lines. */
int ga__journal_each_failed(ga__journal *journal, bool (*each)(void *arg, ga__slice row), void *arg,
                            char **problem);

#endif
