/* SPDX-License-Identifier: MIT */
/*
 * The rows of a job, one after the other, from URLs and files as they were named on the command line. It
 * holds one row and a piece of one file at a time, however long the list is.
 *
 * A file's form is known by the end of its name: .jsonl, .ndjson and .json have a JSON value a line, .csv and
 * .tsv columns, all others a URL a line, where what begins with "#" is a comment. Standard input is JSON
 * Lines where it begins with "{" or a quote; else, where there is a template for URLs, CSV, or TSV where its
 * first line has a tab; else it is URLs. The first record of CSV names the columns. Blank lines are no rows.
 */
#ifndef GA__INPUT_H
#define GA__INPUT_H

#include "base/slice.h"
#include <stdbool.h>

typedef struct ga__input ga__input;

typedef enum ga__row_form {
    GA__ROW_URL,  /* text is a URL, or a path on the base URL */
    GA__ROW_JSON, /* text is an object or a string */
    GA__ROW_CSV,  /* names and fields */
    GA__ROW_BAD   /* problem says why; text is its beginning */
} ga__row_form;

/* A row as it stands in the input. What it points to lasts until the next is read. */
typedef struct ga__raw_row {
    uint64_t n;       /* its number among all rows, from 1 */
    const char *file; /* "-" for standard input; NULL: it was named as a URL */
    uint64_t line;    /* where it begins in the file, from 1 */
    ga__row_form form;
    ga__slice text;
    const ga__slice *names, *fields; /* as many as `count` */
    size_t count;
    const char *problem;
} ga__raw_row;

typedef struct ga__input_options {
    const char *const *names; /* URLs, which have "://", files, "-" */
    size_t count;
    bool no_globs;     /* brackets and braces are the URLs' own */
    bool has_base;     /* what is no file and begins with "/" is a URL on a base */
    bool has_template; /* rows are not URLs but fill one in */
} ga__input_options;

/* Opens the inputs. Each is looked at: that it can be read, is a text, that CSV has a head.
 * @return the input, the caller's to free; NULL with `problem`, the caller's to free (NULL without memory) */
ga__input *ga__input_open(const ga__input_options *options, char **problem);
void ga__input_free(ga__input *input);

/* The columns of the first file that has columns, NULL where none has. They last as long as the input. */
const ga__slice *ga__input_columns(const ga__input *input, size_t *count);

/* How many rows there are, where that is known without reading them (URLs only), else 0. */
uint64_t ga__input_count(const ga__input *input);
/* How much of the files has been read, from 0 to 1; negative where that is not known. */
double ga__input_progress(const ga__input *input);

/* Whether reading may have to wait for somebody: a pipe, a terminal. Then ga__input_next belongs on a thread.
 */
bool ga__input_may_block(const ga__input *input);

/* Reads the next row. For one thread at a time.
 * @return 1; 0 at the end, and after ga__input_stop; -1 with `problem`: a file can no longer be read */
int ga__input_next(ga__input *input, ga__raw_row *row, char **problem);

/* From any thread, and from a signal's handler: there are no further rows, and a read that waits returns. */
void ga__input_stop(ga__input *input);

#endif
