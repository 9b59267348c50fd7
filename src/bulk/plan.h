/* SPDX-License-Identifier: MIT */
/*
 * What a job's options mean for each row: templates and paths, parsed and checked once. It is not changed
 * afterwards, so all threads share it.
 */
#ifndef GA__PLAN_H
#define GA__PLAN_H

#include "bulk/job.h"
#include "bulk/path.h"
#include "bulk/row.h"
#include "bulk/template.h"

/* What the name of a body's file ends in until it is whole; no whole one has such a name. */
#define GA__PART ".part"

/* A header or a part of a form. */
typedef struct ga__plan_field {
    char *name;
    ga__template *value; /* NULL: the header is taken away */
    bool fixed;          /* it is the same for all rows, and the session's */
    bool shown;          /* it is made of columns, without secrets: a failed row has what was made */
    bool file;           /* a part: the value is a file's path */
} ga__plan_field;

typedef struct ga__plan_path {
    char *name;     /* of what is extracted, or the column's */
    ga__path *path; /* NULL: a column or member of that name */
} ga__plan_path;

typedef struct ga__plan {
    const ga__job_options *options;
    ga__template *url, *data, *json, *output; /* NULL: not given */
    char *output_index;                       /* where records go when bodies go to files */
    ga__plan_field *headers, *parts;
    size_t header_count, part_count;
    ga__plan_path id; /* name NULL: not given */
    ga__plan_path *keep, *extract;
    size_t keep_count, extract_count;
    ga__path *next, *items; /* `next` is NULL where it is a Link */
    bool next_is_link;
    char *next_parameter; /* "cursor" of --next cursor=.next: what the body says is put into it; or NULL */
    ga__expect expect;
    char *user, *password;
    bool redacted;   /* secrets are filled in as their names: for a dry run */
    ga__record like; /* with the names of what is kept and extracted */
} ga__plan;

/* @return the plan, the caller's to free; NULL with `problem`, the caller's to free (NULL without memory) */
ga__plan *ga__plan_new(const ga__job_options *options, char **problem);
void ga__plan_free(ga__plan *plan);

/* Whether the input has the columns that the templates name, where they are known. */
bool ga__plan_check_columns(const ga__plan *plan, const ga__slice *columns, size_t count, char **problem);

/* Makes the request of a row; `row->problem` says where it is none. `row` is all zero at first; to be freed.
 * False without memory. */
bool ga__plan_build(const ga__plan *plan, const ga__raw_row *raw, ga__row *row);

/* Whether a second call does no harm. */
bool ga__plan_is_idempotent(const ga__plan *plan, const ga__row *row);

/* Where the records go with this output: there, or beside the files that it is a template of. The caller's to
 * free; NULL without memory. */
char *ga__plan_index(const char *output);

#endif
