/* SPDX-License-Identifier: MIT */
/* The help of the command: its options in their groups, a line each, in 80 columns. */
#include "cli/option_text.h"

#include <string.h>

enum { HELP_COLUMN = 30, WIDTH = 78 };

void ga__append_usage(ga__buffer *out)
{
    ga__buffer_add(out, "usage: gather [options] INPUT...   make the calls of a list: one record each\n"
                        "       gather report OUT           how a job went, or goes\n"
                        "       gather failed OUT           its rows that failed, as an input\n"
                        "INPUT: a URL, also with [1-200] and {a,b}; rows.jsonl, .csv, .tsv or .txt; or -\n");
}

/* "  -c, --concurrency N" */
static void append_names(ga__buffer *out, const ga__option *option)
{
    if (option->letter)
        ga__buffer_printf(out, "  -%c, --%s", option->letter, option->name);
    else
        ga__buffer_printf(out, "      --%s", option->name);
    if (option->argument)
        ga__buffer_printf(out, " %s", option->argument);
}

static void append_option(ga__buffer *out, const ga__option *option)
{
    size_t begin = out->size;

    append_names(out, option);
    do
        ga__buffer_add_char(out, ' ');
    while (!out->failed && out->size - begin < HELP_COLUMN);
    ga__buffer_add(out, option->help);
    ga__buffer_add_char(out, '\n');
}

void ga__append_help(ga__buffer *out, bool all)
{
    ga__append_usage(out);
    for (ga__option_group group = 0; group < GA__GROUPS; group++) {
        ga__buffer_printf(out, "%s\n", ga__option_group_name(group));
        for (size_t i = 0; i < ga__option_count; i++) {
            const ga__option *option = &ga__option_table[i];

            if (option->group == group && option->kind != GA__OPTION_ALIAS && (all || !option->rare))
                append_option(out, option);
        }
    }
    ga__buffer_add(out, all ? "`gather --help rate` tells more of one, `man gather` of all.\n"
                            : "`gather --help all` tells the rest, `gather --help rate` more of --rate.\n");
}

/* --- one option ----------------------------------------------------------------------------------- */

/* A text in lines of WIDTH at most. */
static void append_wrapped(ga__buffer *out, const char *text)
{
    while (*text) {
        size_t size = strlen(text), line = size;

        if (size > WIDTH)
            for (line = WIDTH; line > 0 && text[line] != ' '; line--)
                ;
        if (line == 0)
            line = size;
        ga__buffer_append(out, text, line);
        ga__buffer_add_char(out, '\n');
        text += line;
        text += *text == ' ';
    }
}

void ga__append_help_of(ga__buffer *out, const ga__option *option)
{
    append_option(out, option);
    if (option->text) {
        ga__buffer_add_char(out, '\n');
        append_wrapped(out, option->text);
    }
    if (option->example) {
        bool plain = !option->example[strcspn(option->example, " ${}[]\"'\\&")];

        ga__buffer_printf(out, "\n    gather --%s %s%s%s ...\n", option->name, plain ? "" : "'",
                          option->example, plain ? "" : "'");
    }
}
