/* SPDX-License-Identifier: MIT */
/* The options in the manual page. */
#include "cli/option_text.h"

#include "base/ascii.h"
#include <string.h>

/* A text as man(7) has it: what its roff would read as a command is not, and `code` is bold. */
static void append_roff(ga__buffer *out, const char *text)
{
    bool bold = false;

    for (const char *at = text; *at; at++) {
        if (*at == '`') {
            ga__buffer_add(out, bold ? "\\fR" : "\\fB");
            bold = !bold;
        } else if (*at == '\\') {
            ga__buffer_add(out, "\\e");
        } else if (*at == '-') {
            ga__buffer_add(out, "\\-");
        } else if ((*at == '.' || *at == '\'') && (at == text || at[-1] == '\n')) {
            ga__buffer_printf(out, "\\&%c", *at);
        } else {
            ga__buffer_add_char(out, *at);
        }
    }
}

static void append_name(ga__buffer *out, const char *dashes, const char *name)
{
    ga__buffer_add(out, "\\fB");
    append_roff(out, dashes);
    append_roff(out, name);
    ga__buffer_add(out, "\\fR");
}

/* ".TP" and the names: the letters first, the option's own and those of its aliases. */
static void append_names(ga__buffer *out, const ga__option *option)
{
    const char *between = "";

    ga__buffer_add(out, ".TP\n");
    for (size_t i = 0; i < ga__option_count; i++) {
        const ga__option *other = &ga__option_table[i];

        if (!other->letter || ga__option_itself(other) != option)
            continue;
        ga__buffer_add(out, between);
        append_name(out, "-", (char[]){other->letter, '\0'});
        between = ", ";
    }
    for (size_t i = 0; i < ga__option_count; i++) {
        if (ga__option_itself(&ga__option_table[i]) != option)
            continue;
        ga__buffer_add(out, between);
        append_name(out, "--", ga__option_table[i].name);
        between = ", ";
    }
    if (option->argument) {
        ga__buffer_add(out, " \\fI");
        append_roff(out, option->argument);
        ga__buffer_add(out, "\\fR");
    }
    ga__buffer_add_char(out, '\n');
}

/* The line of the help as a sentence, and what else there is. */
static void append_text(ga__buffer *out, const ga__option *option)
{
    size_t size = strlen(option->help);

    append_roff(out, (char[]){ga__ascii_upper(*option->help), '\0'});
    append_roff(out, option->help + 1);
    if (size > 0 && !strchr(".?", option->help[size - 1]))
        ga__buffer_add_char(out, '.');
    ga__buffer_add_char(out, '\n');
    if (option->text) {
        append_roff(out, option->text);
        ga__buffer_add_char(out, '\n');
    }
}

void ga__append_manual(ga__buffer *out)
{
    for (ga__option_group group = 0; group < GA__GROUPS; group++) {
        ga__buffer_printf(out, ".SS %s\n", ga__option_group_name(group));
        for (size_t i = 0; i < ga__option_count; i++) {
            const ga__option *option = &ga__option_table[i];

            if (option->group != group || option->kind == GA__OPTION_ALIAS)
                continue;
            append_names(out, option);
            append_text(out, option);
        }
    }
}
