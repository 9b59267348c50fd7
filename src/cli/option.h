/* SPDX-License-Identifier: MIT */
/*
 * The options of the command: one table, from which they are parsed, read from the configuration and the
 * environment, told by --help, described in the manual page and completed in shells.
 */
#ifndef GA__OPTION_H
#define GA__OPTION_H

#include "base/slice.h"
#include <stdbool.h>

/* What a value is, and so what its place in ga__options is: */
typedef enum ga__option_kind {
    GA__OPTION_FLAG,     /* a bool; --no-NAME takes it back */
    GA__OPTION_OFF,      /* a bool that the option makes false, and --no-NAME true */
    GA__OPTION_SET,      /* an int that becomes `least` */
    GA__OPTION_TEXT,     /* a string */
    GA__OPTION_FILE,     /* the same, a path */
    GA__OPTION_SECRET,   /* the same, never shown */
    GA__OPTION_USER,     /* the same, "name:password" */
    GA__OPTION_TEXTS,    /* an array of strings, one each time */
    GA__OPTION_PAIRS,    /* the same, "NAME=VALUE" */
    GA__OPTION_COLUMNS,  /* the same, several with commas */
    GA__OPTION_HEADER,   /* the same, "Name: value", or "@file" with one a line */
    GA__OPTION_DATA,     /* a string, or "@file"; several are joined by "&" */
    GA__OPTION_JSON,     /* the same, joined by nothing */
    GA__OPTION_INT,      /* an int */
    GA__OPTION_UINT32,   /* a uint32_t */
    GA__OPTION_UINT64,   /* a uint64_t */
    GA__OPTION_SIZE,     /* an int64_t, in bytes */
    GA__OPTION_DURATION, /* a double, in seconds */
    GA__OPTION_RATE,     /* a ga__rate; bare numbers are per second */
    GA__OPTION_RATE_PER, /* the same; the unit must be said */
    GA__OPTION_SHARE,    /* job.max_errors */
    GA__OPTION_SHARD,    /* job.shard */
    GA__OPTION_CHOICE,   /* an int, the place in `choices` */
    GA__OPTION_ACTION,   /* the command is to do something else; options.c knows what */
    GA__OPTION_ALIAS     /* another name, of the option `of` */
} ga__option_kind;

typedef enum ga__option_group {
    GA__GROUP_REQUEST,
    GA__GROUP_PACE,
    GA__GROUP_FAILURE,
    GA__GROUP_OUTPUT,
    GA__GROUP_PAGING,
    GA__GROUP_RUN,
    GA__GROUPS
} ga__option_group;

typedef struct ga__option {
    const char *name;     /* without its dashes; of an alias "" where it is a letter only */
    char letter;          /* or 0 */
    const char *argument; /* what help calls the value; NULL: it takes none */
    ga__option_kind kind;
    ga__option_group group;
    bool rare;           /* not on the one screen of --help */
    bool may_be_empty;   /* an empty text is a value */
    size_t place;        /* in ga__options */
    double least, most;  /* of numbers */
    const char *choices; /* "auto|plain" */
    const char *of;      /* of an alias: the option's name */
    const char *example; /* a value that is right */
    const char *help;    /* a line: what it does (its default) */
    const char *text;    /* what else there is to say, for the manual; or NULL. `code` is in backquotes */
} ga__option;

enum { GA__OPTIONS_MOST = 128 };

extern const ga__option ga__option_table[];
extern const size_t ga__option_count;

const char *ga__option_group_name(ga__option_group group);

/* The option itself, where it is an alias of one. */
const ga__option *ga__option_itself(const ga__option *option);
/* NULL where there is none of that name, or letter. Aliases are looked through. */
const ga__option *ga__option_named(ga__slice name);
const ga__option *ga__option_lettered(char letter);
/* The option, alias or not, whose name looks most like this; NULL where none is near. */
const ga__option *ga__option_nearest(ga__slice name);

/* Whether it is a switch, and takes no value. */
bool ga__option_is_switch(const ga__option *option);
/* Whether its place is an array of strings, which is to be freed. */
bool ga__option_is_list(const ga__option *option);

#endif
