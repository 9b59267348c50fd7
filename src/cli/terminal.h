/* SPDX-License-Identifier: MIT */
/*
 * What the terminal behind a stream can do and how large it is; and text laid out in lines of its width.
 */
#ifndef GA__TERMINAL_H
#define GA__TERMINAL_H

#include "base/buffer.h"
#include <stdio.h>

typedef struct ga__terminal {
    bool live;    /* the cursor can be moved: a terminal, and TERM is not "dumb" */
    bool colours; /* live, and there is no NO_COLOR (no-color.org) */
    bool utf8;    /* by LC_ALL, LC_CTYPE, LANG */
    int columns, rows;
} ga__terminal;

/* What is not a terminal has 80 columns and 24 rows. */
void ga__terminal_look(ga__terminal *terminal, FILE *stream);
/* Asks for the size anew: it may change at any time. */
void ga__terminal_measure(ga__terminal *terminal, FILE *stream);
/* Whether drawing makes sense now: this process is in the foreground, and the terminal takes what is written
 * without waiting, which it does not after ^S. */
bool ga__terminal_ready(FILE *stream);

/* How many columns a text takes that has one for each code point. */
size_t ga__text_columns(const char *text, size_t size);

typedef enum ga__style { GA__PLAIN, GA__GOOD, GA__BAD, GA__CAUTION, GA__FAINT } ga__style;

/* Lines that are filled with parts, two blanks between them. A part that does not fit goes on the next line;
 * one that is longer than a line is cut. */
typedef struct ga__lines {
    ga__buffer *out;
    size_t width;
    size_t indent; /* of lines that a part began because it did not fit */
    bool colours;
    const char *end; /* of each line: "\n" */
    size_t column;   /* columns filled */
    bool parted;     /* a part stands on the line: the next keeps its distance */
    ga__buffer part; /* that is being made; to be freed by who uses it */
} ga__lines;

void ga__lines_part(ga__lines *lines, ga__style style, const char *text);
/* Puts the part that was made, unless it is empty, and begins another. */
void ga__lines_put(ga__lines *lines, ga__style style);
/* A text that goes on beyond its line at a blank. */
void ga__lines_text(ga__lines *lines, ga__style style, const char *text);
/* Ends a line that was begun. */
void ga__lines_break(ga__lines *lines);

/* A bar of so many columns, filled to a share from 0 to 1. With `track` the rest is drawn, too. */
void ga__append_bar(ga__buffer *out, size_t columns, double share, bool utf8, bool track);

#endif
