/* SPDX-License-Identifier: MIT */
/*
 * Where something is in a JSON value, as jq says it, a strict subset: `.a.b`, `.a[0]`, `.a["x y"]`, `.[-1]`,
 * and `.items[]`, which is each element. `.` is the whole.
 */
#ifndef GA__PATH_H
#define GA__PATH_H

#include "base/slice.h"
#include <stdbool.h>

typedef struct ga__path ga__path;

/* @return the path, the caller's to free; NULL with `problem` written (a string, the caller's to free): what
 * is wrong, and where; `*problem` is NULL where there is no memory */
ga__path *ga__path_parse(const char *text, char **problem);
void ga__path_free(ga__path *path);

/* Whether it may lead to several values. */
bool ga__path_is_many(const ga__path *path);

/* The value that the path leads to in a JSON text, the first where there are several. False where there is
 * none. */
bool ga__path_first(const ga__path *path, ga__slice json, ga__slice *value);

/* Calls `found` for each value that the path leads to, until it returns false. */
void ga__path_each(const ga__path *path, ga__slice json, bool (*found)(void *arg, ga__slice value),
                   void *arg);

#endif
