/* SPDX-License-Identifier: MIT */
/*
 * A text with places for a row's columns: `{col}` is encoded for where it stands, `{+col}` is put in as it
 * is, `{{col}}` is the text `{col}`, and `${env:NAME}` is the environment's, a secret.
 */
#ifndef GA__TEMPLATE_H
#define GA__TEMPLATE_H

#include "base/buffer.h"
#include "base/slice.h"
#include <stdbool.h>

/* Where the text stands: how columns are encoded, and what else is a brace's. */
typedef enum ga__template_use {
    GA__TEMPLATE_URL,    /* percent-encoded; any other brace is an error */
    GA__TEMPLATE_JSON,   /* as in a JSON string; braces that name no column are JSON's own */
    GA__TEMPLATE_HEADER, /* as it is; a value with CR, LF, NUL or another control is refused */
    GA__TEMPLATE_FORM,   /* percent-encoded as a form's value; other braces stay */
    GA__TEMPLATE_LOGIN,  /* a name and a password: braces are theirs, only ${env:NAME} is filled in */
    GA__TEMPLATE_FILE    /* a file's name: "/" and what a file cannot be called become "_", a dot at the
                            beginning too */
} ga__template_use;

typedef struct ga__template ga__template;

/* Gives a column's value, as text. @return false where there is none of that name */
typedef bool ga__template_column(void *arg, ga__slice name, ga__slice *value);

/* @return the template, the caller's to free; NULL with `problem` (a string, the caller's to free): what is
 * wrong, and where, among it a variable that the environment has not; `*problem` is NULL without memory */
ga__template *ga__template_parse(const char *text, ga__template_use use, char **problem);
void ga__template_free(ga__template *template);

/* The columns that it names, one after the other; false past the last. */
bool ga__template_column_at(const ga__template *template, size_t index, ga__slice *name);
/* Whether it holds a secret. */
bool ga__template_is_secret(const ga__template *template);

/* Appends the text with the columns filled in. `redacted`: secrets are shown as their names.
 * @return false with `problem` as above where a column is missing or its value cannot stand there */
bool ga__template_fill(const ga__template *template, ga__template_column *column, void *arg, bool redacted,
                       ga__buffer *out, char **problem);

/* Appends a text in which each secret of the template (NULL: none) stands as its name, where it is there as
 * it is or percent-encoded. */
void ga__template_hide(const ga__template *template, const char *text, ga__buffer *out);
/* Appends such a text with the secrets as they are. */
void ga__template_reveal(const ga__template *template, const char *text, ga__buffer *out);

#endif
