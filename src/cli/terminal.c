/* SPDX-License-Identifier: MIT */
/*
 * Terminals. Of what they can do only a few sequences of ECMA-48 are used, which all that are not "dumb" have
 * had for decades; so no database of terminals is asked. What is not understood without colours is not drawn
 * with them.
 */
#include "cli/terminal.h"

#include "base/ascii.h"
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool speaks_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);

        if (!value || !*value)
            continue;
        const char *codeset = strchr(value, '.');

        return codeset && (strncasecmp(codeset, ".utf-8", 6) == 0 || strncasecmp(codeset, ".utf8", 5) == 0);
    }
    return false;
}

void ga__terminal_measure(ga__terminal *terminal, FILE *stream)
{
    struct winsize size;
    int fd = fileno(stream);

    terminal->columns = 80;
    terminal->rows = 24;
    if (fd < 0 || ioctl(fd, TIOCGWINSZ, &size) < 0)
        return;
    if (size.ws_col > 0)
        terminal->columns = size.ws_col;
    if (size.ws_row > 0)
        terminal->rows = size.ws_row;
}

void ga__terminal_look(ga__terminal *terminal, FILE *stream)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    int fd = fileno(stream);

    terminal->live = fd >= 0 && isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
    terminal->colours = terminal->live && !(no_colour && *no_colour);
    terminal->utf8 = speaks_utf8();
    ga__terminal_measure(terminal, stream);
}

bool ga__terminal_ready(FILE *stream)
{
    struct pollfd entry = {.fd = fileno(stream), .events = POLLOUT};

    if (entry.fd < 0)
        return true;
    pid_t group = tcgetpgrp(entry.fd);

    return (group < 0 || group == getpgrp()) && poll(&entry, 1, 0) == 1 && (entry.revents & POLLOUT);
}

/* --- lines ---------------------------------------------------------------------------------------- */

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

size_t ga__text_columns(const char *text, size_t size)
{
    size_t columns = 0;

    for (size_t i = 0; i < size; i++)
        columns += !continues(text[i]);
    return columns;
}

/* How many bytes of the text fit into so many columns. */
static size_t fitting(const char *text, size_t size, size_t columns)
{
    size_t at = 0;

    for (size_t taken = 0; at < size; at++)
        if (!continues(text[at]) && taken++ == columns)
            break;
    return at;
}

static void add_styled(const ga__lines *lines, ga__style style, const char *text, size_t size)
{
    static const char *const begins[] = {"", "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[2m"};
    bool coloured = lines->colours && style != GA__PLAIN;

    if (coloured)
        ga__buffer_add(lines->out, begins[style]);
    ga__buffer_append(lines->out, text, size);
    if (coloured)
        ga__buffer_add(lines->out, "\x1b[0m");
}

static void add_blanks(ga__lines *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ga__buffer_add_char(lines->out, ' ');
    lines->column += count;
}

void ga__lines_break(ga__lines *lines)
{
    if (lines->column > 0)
        ga__buffer_add(lines->out, lines->end);
    lines->column = 0;
    lines->parted = false;
}

static void add_part(ga__lines *lines, ga__style style, const char *text, size_t size, size_t blanks)
{
    size_t columns = ga__text_columns(text, size);

    if (size == 0)
        return;
    if (lines->parted && lines->column + blanks + columns > lines->width) {
        ga__lines_break(lines);
        add_blanks(lines, lines->indent);
    } else if (lines->parted) {
        add_blanks(lines, blanks);
    }
    size_t room = lines->width > lines->column ? lines->width - lines->column : 0;

    if (columns > room) {
        size = fitting(text, size, room);
        columns = room;
    }
    add_styled(lines, style, text, size);
    lines->column += columns;
    lines->parted = true;
}

void ga__lines_part(ga__lines *lines, ga__style style, const char *text)
{
    add_part(lines, style, text, strlen(text), 2);
}

void ga__lines_put(ga__lines *lines, ga__style style)
{
    if (!lines->part.failed && lines->part.size > 0)
        ga__lines_part(lines, style, lines->part.data);
    ga__buffer_clear(&lines->part);
}

void ga__lines_text(ga__lines *lines, ga__style style, const char *text)
{
    ga__slice rest = ga__slice_of(text);

    for (size_t blanks = 2; rest.size > 0; blanks = 1) {
        ga__slice word = ga__slice_take_to(&rest, ' ');

        add_part(lines, style, word.data, word.size, blanks);
    }
}

void ga__append_bar(ga__buffer *out, size_t columns, double share, bool utf8, bool track)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    double filled = fmin(fmax(share, 0), 1) * (double)columns;
    size_t whole = (size_t)filled, part = utf8 ? (size_t)((filled - (double)whole) * 8) : 0;
    size_t used = whole + (part > 0);

    for (size_t i = 0; i < whole; i++)
        ga__buffer_add(out, utf8 ? "█" : "#");
    ga__buffer_add(out, eighths[part]);
    for (; track && used < columns; used++)
        ga__buffer_add(out, utf8 ? "░" : ".");
}
