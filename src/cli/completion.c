/* SPDX-License-Identifier: MIT */
/*
 * What shells complete: the options, the choices of those that have some, files for those that take one, and
 * for what is no option the two commands and files.
 */
#include "cli/option_text.h"

#include <string.h>

static bool takes_file(const ga__option *option)
{
    return option->kind == GA__OPTION_FILE || option->kind == GA__OPTION_HEADER ||
           option->kind == GA__OPTION_DATA || option->kind == GA__OPTION_JSON;
}

/* The choices, with blanks between. */
static void append_choices(ga__buffer *out, const char *choices)
{
    for (; *choices; choices++)
        ga__buffer_add_char(out, *choices == '|' ? ' ' : *choices);
}

/* Calls for each option and each alias, with the option itself. */
static void each(ga__buffer *out,
                 void (*append)(ga__buffer *, const ga__option *named, const ga__option *itself))
{
    for (size_t i = 0; i < ga__option_count; i++)
        append(out, &ga__option_table[i], ga__option_itself(&ga__option_table[i]));
}

/* --- bash ----------------------------------------------------------------------------------------- */

/* "--sync|-x) " before what completes the value. */
static void append_bash_value(ga__buffer *out, const ga__option *named, const ga__option *itself)
{
    if (!itself->argument)
        return;
    ga__buffer_printf(out, "    --%s", named->name);
    if (named->letter)
        ga__buffer_printf(out, "|-%c", named->letter);
    ga__buffer_add(out, ")\n");
    if (itself->choices) {
        ga__buffer_add(out, "        COMPREPLY=($(compgen -W '");
        append_choices(out, itself->choices);
        ga__buffer_add(out, "' -- \"$word\")) ;;\n");
    } else if (takes_file(itself)) {
        ga__buffer_add(out, "        compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\")) ;;\n");
    } else {
        ga__buffer_add(out, "        ;;\n");
    }
}

static void append_bash_name(ga__buffer *out, const ga__option *named, const ga__option *itself)
{
    (void)itself;
    ga__buffer_printf(out, " --%s", named->name);
}

static void append_bash(ga__buffer *out)
{
    ga__buffer_add(out, "# bash completion of gather; made from its table of options\n"
                        "_gather()\n"
                        "{\n"
                        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
                        "    COMPREPLY=()\n"
                        "    case $before in\n");
    each(out, append_bash_value);
    ga__buffer_add(out, "    *)\n"
                        "        if [[ $word == -* ]]; then\n"
                        "            COMPREPLY=($(compgen -W '");
    each(out, append_bash_name);
    ga__buffer_add(
        out,
        "' -- \"$word\"))\n"
        "        else\n"
        "            compopt -o filenames\n"
        "            COMPREPLY=($(compgen -f -- \"$word\"))\n"
        "            [[ $COMP_CWORD -eq 1 ]] && COMPREPLY+=($(compgen -W 'report failed' -- \"$word\"))\n"
        "        fi ;;\n"
        "    esac\n"
        "}\n"
        "complete -F _gather gather\n");
}

/* --- zsh ------------------------------------------------------------------------------------------ */

/* A text between single quotes, with what _arguments minds escaped. */
static void append_zsh_text(ga__buffer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            ga__buffer_add(out, "'\\'");
        if (strchr("[]:\\", *text))
            ga__buffer_add_char(out, '\\');
        ga__buffer_add_char(out, *text);
    }
}

static void append_zsh_spec(ga__buffer *out, const char *name, const ga__option *option)
{
    ga__buffer_printf(out, "  '*%s%s[", name, !option->argument ? "" : name[1] == '-' ? "=" : "+");
    append_zsh_text(out, option->help);
    ga__buffer_add_char(out, ']');
    if (option->argument) {
        ga__buffer_add_char(out, ':');
        append_zsh_text(out, option->argument);
        ga__buffer_add_char(out, ':');
        if (option->choices) {
            ga__buffer_add_char(out, '(');
            append_choices(out, option->choices);
            ga__buffer_add_char(out, ')');
        } else if (takes_file(option)) {
            ga__buffer_add(out, "_files");
        }
    }
    ga__buffer_add(out, "' \\\n");
}

static void append_zsh_option(ga__buffer *out, const ga__option *named, const ga__option *itself)
{
    char name[40] = "--";

    if (named->letter)
        append_zsh_spec(out, (char[]){'-', named->letter, '\0'}, itself);
    strncat(name, named->name, sizeof name - 3);
    append_zsh_spec(out, name, itself);
}

static void append_zsh(ga__buffer *out)
{
    ga__buffer_add(out, "#compdef gather\n"
                        "# zsh completion of gather; made from its table of options\n"
                        "_gather_first() {\n"
                        "  _alternative 'commands:command:(report failed)' 'files:input:_files'\n"
                        "}\n"
                        "_arguments -s -S \\\n");
    each(out, append_zsh_option);
    ga__buffer_add(out, "  '1:input:_gather_first' \\\n"
                        "  '*:input:_files'\n");
}

/* --- fish ----------------------------------------------------------------------------------------- */

static void append_fish_text(ga__buffer *out, const char *text)
{
    ga__buffer_add_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            ga__buffer_add_char(out, '\\');
        ga__buffer_add_char(out, *text);
    }
    ga__buffer_add_char(out, '\'');
}

static void append_fish_option(ga__buffer *out, const ga__option *named, const ga__option *itself)
{
    ga__buffer_add(out, "complete -c gather");
    if (named->letter)
        ga__buffer_printf(out, " -s %c", named->letter);
    ga__buffer_printf(out, " -l %s", named->name);
    if (itself->choices) {
        ga__buffer_add(out, " -x -a '");
        append_choices(out, itself->choices);
        ga__buffer_add_char(out, '\'');
    } else if (itself->argument) {
        ga__buffer_add(out, takes_file(itself) ? " -r -F" : " -x");
    }
    ga__buffer_add(out, " -d ");
    append_fish_text(out, itself->help);
    ga__buffer_add_char(out, '\n');
}

static void append_fish(ga__buffer *out)
{
    ga__buffer_add(out, "# fish completion of gather; made from its table of options\n"
                        "complete -c gather -n __fish_is_first_token -a 'report failed'\n");
    each(out, append_fish_option);
}

void ga__append_completion(ga__buffer *out, int shell)
{
    static void (*const shells[])(ga__buffer *) = {append_bash, append_zsh, append_fish};

    shells[shell](out);
}
