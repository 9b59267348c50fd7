/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the journal share: a job of ROWS rows, whose key is their number, and its output.
 *
 *     ga__journal_options options = options_for(path, GA__JOURNAL_NEW);
 *     ga__keys *keys = ga__keys_new();
 *     ga__journal *journal = open_with(&options, keys);
 *
 *     add_row(journal, 1, true);
 *     close_journal(journal, 0);
 *     ga__keys_free(keys);
 */
#ifndef JOURNAL_CHECK_H
#define JOURNAL_CHECK_H

#include "check.h"

#include "bulk/journal.h"

enum { ROWS = 6 };

/* Of the job, with an output of the form that its name says. */
ga__journal_options options_for(const char *path, ga__journal_mode mode);

/* Opens it; the test fails where it cannot. */
ga__journal *open_with(const ga__journal_options *options, ga__keys *keys);
/* Opening fails with this code, and says this. */
void check_refused(const ga__journal_options *options, int expected, const char *said);

void flush_journal(ga__journal *journal);
/* `total`: the rows of a job that has ended; 0: it has not. */
void close_journal(ga__journal *journal, uint64_t total);

ga__key key_of(uint64_t n);
ga__record record_of(uint64_t n, bool ok);
/* Adds its record, and where that is a failure the row itself. */
void add_row(ga__journal *journal, uint64_t n, bool ok);

/* How many of the rows are done. */
int count_done(const ga__keys *keys);

/* The lines of a file, which must end with one. */
int count_lines(const char *path);

/* An output with its journal, of which all but the sync is done; as a killed process leaves them. Rows 3 and
 * 6 failed. */
void make_killed_job(const char *path, int synced_rows);

/* Goes on with the job, and ends it. @return how many rows had been done */
int go_on(const char *path);

#endif
