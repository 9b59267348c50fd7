/* SPDX-License-Identifier: MIT */
/*
 * A row as a request: what is to be called for it, what it is known by, and what its record takes over. Made
 * from the row as it stands in the input and the job's plan.
 */
#ifndef GA__ROW_H
#define GA__ROW_H

#include "bulk/expect.h"
#include "bulk/input.h"
#include "bulk/keys.h"
#include "bulk/record.h"
#include <gather/session.h>

/* Memory that lasts as long as the row. */
typedef struct ga__arena {
    struct ga__arena_piece *pieces;
} ga__arena;

/* NULL without memory. */
void *ga__arena_take(ga__arena *arena, size_t size);
/* A copy with a NUL behind it; NULL likewise. */
char *ga__arena_copy(ga__arena *arena, ga__slice text);
void ga__arena_free(ga__arena *arena);

/* The types that follow from a body's form. */
#define GA__TYPE_JSON "application/json"
#define GA__TYPE_TEXT "text/plain; charset=utf-8"
#define GA__TYPE_BYTES "application/octet-stream"
#define GA__TYPE_FORM "application/x-www-form-urlencoded"

/* Who says what type the body has. */
typedef enum ga__type_by {
    GA__TYPE_BY_BODY,  /* nobody: it follows from its form */
    GA__TYPE_BY_ROW,   /* its member content_type */
    GA__TYPE_BY_HEADER /* a header of the row or the job, which may say that it has none */
} ga__type_by;

typedef struct ga__row {
    ga__arena arena;
    uint64_t n;
    const char *file; /* of the input; NULL: it was named as a URL */
    uint64_t line;
    const char *problem; /* it cannot be called; NULL: it can */

    const char *method, *url;
    const ga_pair *headers; /* the row's, then those of the job that are not the session's; NULL: none */
    size_t own_headers;     /* how many are the row's */
    size_t shown_headers;   /* how many behind them are made of its columns, without secrets */
    ga__slice body;         /* data is NULL where there is none in memory */
    const char *shown_url;  /* with secrets by their names; NULL: it has none */
    ga__slice shown_body;   /* likewise */
    const char *content_type, *body_file;
    ga__type_by type_by;
    const ga_part *parts, *shown_parts; /* likewise */
    const ga__expect *expect;           /* its own, or the job's */
    double cost;                        /* tokens; 0: none */
    ga__slice own_expect, own_cost;     /* JSON, as the row says them, or empty */

    ga__slice id;   /* JSON, or empty */
    ga__slice meta; /* JSON, or empty */
    ga__record_value *keep;
    size_t keep_count;
    const char *body_out; /* the file that its answer's body goes to, or NULL */

    ga__key key;
    uint32_t content; /* with an id: what tells what it asks for from what it asked for before */
} ga__row;

void ga__row_free(ga__row *row);

/* The URL and the body as they may be kept and shown: with secrets by their names. */
const char *ga__row_shown_url(const ga__row *row);
ga__slice ga__row_shown_body(const ga__row *row);

/* Appends the row as a line of input that asks for the same, but for the job's headers that name no column or
 * hold a secret: what `gather failed` gives. Nothing where there is no request. */
void ga__row_append_input(ga__buffer *out, const ga__row *row);

#endif
