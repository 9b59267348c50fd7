/* SPDX-License-Identifier: MIT */
/*
 * A row that is being made: what the files share that make a request of a row of the input. What returns a
 * bool returns false where the row has got a problem, or there is no memory.
 */
#ifndef GA__ROW_BUILDER_H
#define GA__ROW_BUILDER_H

#include "bulk/plan.h"

/* What is being made, and from what. */
typedef struct ga__row_builder {
    const ga__plan *plan;
    const ga__raw_row *raw;
    ga__row *row;
    bool is_request; /* the row is a request record: its members are known ones */
    int bodies;      /* how many it has said */
    bool has_cost;   /* it has said one, which may be none */
    bool settled;    /* all that it asks for is known, and what it is known by with it */
    bool failed;     /* no memory */
} ga__row_builder;

/* --- plan_row.c --- */
/* The row cannot be called, and why. @return false */
bool ga__row_refuse(ga__row_builder *self, const char *format, ...) GA_PRINTF(2, 3);
/* @return false */
bool ga__row_no_memory(ga__row_builder *self);
/* Moves the buffer's bytes into the row. */
ga__slice ga__row_settle(ga__row_builder *self, ga__buffer *text);
/* A JSON value as a text: a string is what it says, null nothing. */
ga__slice ga__row_text_of(ga__row_builder *self, ga__slice json);

/* --- row_request.c --- */
/* The row is a request record. */
bool ga__row_take_request(ga__row_builder *self);
/* A JSON string, without NUL; `name` is what it is called in a problem. */
bool ga__row_take_string(ga__row_builder *self, const char *name, ga__slice value, const char **string);
/* An id: a JSON string or number; null is none. */
bool ga__row_take_id(ga__row_builder *self, ga__slice value);
/* The content type of a body, where the row does not say another: before it or behind it. */
void ga__row_use_type(ga__row_builder *self, const char *type);
/* A body: a JSON string is the text that it says, null none, anything else JSON. */
bool ga__row_take_body(ga__row_builder *self, ga__slice value);

#endif
