/* SPDX-License-Identifier: MIT */
/*
 * JSON as text: it is checked, walked, copied and written, and never made into a tree. So numbers stay as
 * they were written, however long, names keep their order, and depth costs no stack.
 *
 * All but ga__json_check expect a text that it has accepted.
 */
#ifndef GA__JSON_H
#define GA__JSON_H

#include "base/buffer.h"
#include "base/slice.h"
#include <stdbool.h>

typedef enum ga__json_kind {
    GA__JSON_NONE, /* an empty text */
    GA__JSON_OBJECT,
    GA__JSON_ARRAY,
    GA__JSON_STRING,
    GA__JSON_NUMBER,
    GA__JSON_TRUE,
    GA__JSON_FALSE,
    GA__JSON_NULL
} ga__json_kind;

/* Where a text stops being JSON, and why. */
typedef struct ga__json_problem {
    size_t at; /* bytes from the text's beginning */
    const char *what;
} ga__json_problem;

/* Whether the text is one JSON value (RFC 8259) with nothing but blanks around it, in UTF-8, nested at most
 * 512 deep. */
bool ga__json_check(ga__slice text, ga__json_problem *problem);

/* Of a value, blanks before it skipped. */
ga__json_kind ga__json_kind_of(ga__slice value);
static inline bool ga__json_is(ga__slice value, ga__json_kind kind)
{
    return ga__json_kind_of(value) == kind;
}

/* A walk over the members of an object, or the elements of an array. */
typedef struct ga__json_walk {
    const char *at, *end;
} ga__json_walk;

/* `value` is an object or an array; what is neither has no members. */
void ga__json_walk_begin(ga__json_walk *walk, ga__slice value);
/* The next member's name, as it is written, with its quotes, and value, without blanks around it.
 * @return false at the end */
bool ga__json_next_member(ga__json_walk *walk, ga__slice *name, ga__slice *value);
bool ga__json_next_element(ga__json_walk *walk, ga__slice *value);

/* The object's member of that name; the last one where there are several. False where there is none, or
 * `object` is none. */
bool ga__json_member(ga__slice object, ga__slice name, ga__slice *value);

/* Whether a string, with its quotes, says these bytes. */
bool ga__json_string_is(ga__slice string, ga__slice bytes);
/* Appends what a string, given with its quotes, says, as UTF-8; a lone surrogate becomes U+FFFD. */
void ga__json_append_unquoted(ga__buffer *out, ga__slice string);
/* Appends the bytes as a string with quotes; what is not UTF-8 becomes U+FFFD. */
void ga__json_append_quoted(ga__buffer *out, ga__slice bytes);
/* The same without the quotes around it. */
void ga__json_append_escaped(ga__buffer *out, ga__slice bytes);
/* Appends `,"name":`, without the comma for an object's first member. The name is written as it is. */
void ga__json_append_name(ga__buffer *out, const char *name);
/* Appends the value without blanks between its parts: on one line, whatever it was. */
void ga__json_append_compact(ga__buffer *out, ga__slice value);
/* Appends a number of milliseconds or seconds with three digits behind the point, without zeros at its end.
 */
void ga__json_append_decimal(ga__buffer *out, double number);

#endif
