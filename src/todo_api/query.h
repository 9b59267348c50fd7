/* SPDX-License-Identifier: MIT */
/*
 * The pairs of a query or of a form's body, "name=value&name=value", decoded one after the other:
 *
 *     query_reader pairs = query_of(text);
 *     while (query_next(&pairs))
 *         ... pairs.name.data, pairs.value.data ...
 *     query_free(&pairs);
 */
#ifndef TODO_API_QUERY_H
#define TODO_API_QUERY_H

#include "base/buffer.h"
#include "base/slice.h"

typedef struct query_reader {
    ga__slice rest;
    ga__buffer name, value; /* decoded, valid until the next step; data is never NULL then */
} query_reader;

/* Reads the pairs of `text`, which is borrowed. */
query_reader query_of(ga__slice text);
/* The next pair; false past the last, or when there is no memory. */
bool query_next(query_reader *pairs);
void query_free(query_reader *pairs);

/* Appends the value of the first pair of that name; false where there is none. */
bool query_find(ga__slice text, const char *name, ga__buffer *value);

/* The number that the first pair of that name gives; `otherwise` where there is none, or it is no number. */
uint64_t query_number(ga__slice text, const char *name, uint64_t otherwise);

#endif
