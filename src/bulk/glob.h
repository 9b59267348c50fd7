/* SPDX-License-Identifier: MIT */
/*
 * URLs by the dozen, as curl writes them: `[1-200]`, `[001-100:10]`, `[a-z]`, `{one,two}`. They are counted
 * out one by one: a million of them takes no more memory than one. Brackets of an IPv6 address are none of
 * this.
 */
#ifndef GA__GLOB_H
#define GA__GLOB_H

#include "base/buffer.h"
#include <stdbool.h>

typedef struct ga__glob ga__glob;

/* `plain`: brackets and braces are the URL's own. @return the glob, the caller's to free; NULL with
 * `problem`, the caller's to free, NULL without memory */
ga__glob *ga__glob_parse(const char *text, bool plain, char **problem);
void ga__glob_free(ga__glob *glob);

/* How many URLs it is; UINT64_MAX for more than that. */
uint64_t ga__glob_count(const ga__glob *glob);
/* Writes the next URL; the last bracket counts fastest. False past the last. */
bool ga__glob_next(ga__glob *glob, ga__buffer *url);

#endif
