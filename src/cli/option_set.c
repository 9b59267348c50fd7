/* SPDX-License-Identifier: MIT */
/*
 * Giving an option its value, wherever that came from: its text is read as the option's kind has it, and put
 * where the table says. What is not a value is answered with what one looks like.
 */
#include "cli/options.h"

#include "base/ascii.h"
#include "base/buffer.h"
#include "base/number.h"
#include "base/problem.h"
#include "cli/value.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void *at(ga__options *options, const ga__option *option)
{
    return (char *)options + option->place;
}

static unsigned char *given(ga__options *options, const ga__option *option)
{
    return &options->given[option - ga__option_table];
}

static bool no_memory(char **problem)
{
    *problem = NULL;
    return false;
}

/* --- problems ------------------------------------------------------------------------------------- */

/* What an option's value looks like, and what came instead. A secret is not repeated. */
static bool expected(const ga__option *option, const char *value, char **problem)
{
    ga__buffer text = GA__BUFFER_INIT;

    if (option->choices) {
        ga__slice rest = ga__slice_of(option->choices);

        for (const char *between = ""; rest.size > 0;
             between = memchr(rest.data, '|', rest.size) ? ", " : " or ") {
            ga__slice choice = ga__slice_take_to(&rest, '|');

            ga__buffer_printf(&text, "%s%.*s", between, (int)choice.size, choice.data);
        }
        ga__buffer_add(&text, " is expected");
    } else if (option->kind == GA__OPTION_INT || option->kind == GA__OPTION_UINT32 ||
               option->kind == GA__OPTION_UINT64) {
        ga__buffer_printf(&text, "a number from %.0f to %.0f is expected", option->least, option->most);
    } else {
        ga__buffer_printf(&text, "%s is expected, such as %s", option->argument, option->example);
    }
    if (option->kind != GA__OPTION_SECRET && option->kind != GA__OPTION_USER)
        ga__buffer_printf(&text, ", not \"%s\"", value);
    *problem = ga__buffer_take(&text);
    return false;
}

/* --- numbers -------------------------------------------------------------------------------------- */

static bool set_whole(ga__options *options, const ga__option *option, ga__slice text)
{
    uint64_t number;

    if (!ga__parse_decimal(text.data, text.size, &number) || (double)number < option->least ||
        (double)number > option->most)
        return false;
    if (option->kind == GA__OPTION_INT)
        *(int *)at(options, option) = (int)number;
    else if (option->kind == GA__OPTION_UINT32)
        *(uint32_t *)at(options, option) = (uint32_t)number;
    else
        *(uint64_t *)at(options, option) = number;
    return true;
}

static bool set_size(ga__options *options, const ga__option *option, ga__slice text)
{
    int64_t bytes;

    if (!ga__value_size(text, &bytes) || (double)bytes < option->least || (double)bytes > option->most)
        return false;
    *(int64_t *)at(options, option) = bytes;
    return true;
}

static bool set_duration(ga__options *options, const ga__option *option, ga__slice text)
{
    double seconds;

    if (!ga__value_duration(text, &seconds) || seconds < option->least || seconds > option->most)
        return false;
    *(double *)at(options, option) = seconds;
    return true;
}

static bool set_choice(ga__options *options, const ga__option *option, ga__slice text)
{
    int place = ga__value_choice(text, option->choices);

    if (place >= 0)
        memcpy(at(options, option), &place, sizeof place);
    return place >= 0;
}

/* @return false where the text is no value */
static bool set_number(ga__options *options, const ga__option *option, ga__slice text)
{
    switch (option->kind) {
    case GA__OPTION_SIZE:
        return set_size(options, option, text);
    case GA__OPTION_DURATION:
        return set_duration(options, option, text);
    case GA__OPTION_RATE:
    case GA__OPTION_RATE_PER:
        return ga__value_rate(text, option->kind == GA__OPTION_RATE, at(options, option));
    case GA__OPTION_SHARE:
        return ga__value_share(text, &options->job.max_errors, &options->job.max_errors_share);
    case GA__OPTION_SHARD:
        return ga__value_shard(text, &options->job.shard, &options->job.shards);
    case GA__OPTION_CHOICE:
        return set_choice(options, option, text);
    default:
        return set_whole(options, option, text);
    }
}

/* --- texts ---------------------------------------------------------------------------------------- */

char *ga__options_own(ga__options *options, char *text)
{
    char **owned = text ? reallocarray(options->owned, options->owned_count + 1, sizeof *owned) : NULL;

    if (!owned) {
        free(text);
        return NULL;
    }
    options->owned = owned;
    return owned[options->owned_count++] = text;
}

/* Adds to an array that ends with NULL. @return how many it has now; 0 without memory */
static size_t append(void *place, const char *text)
{
    const char **list;
    size_t count = 0;

    memcpy(&list, place, sizeof list);
    while (list && list[count])
        count++;
    list = reallocarray(list, count + 2, sizeof *list);
    if (!list)
        return 0;
    list[count] = text;
    list[count + 1] = NULL;
    memcpy(place, &list, sizeof list);
    return count + 1;
}

static bool append_columns(ga__options *options, const ga__option *option, const char *value, char **problem)
{
    ga__slice rest = ga__slice_of(value);

    while (rest.size > 0) {
        ga__slice column = ga__slice_take_to(&rest, ',');
        char *text = NULL;

        if (column.size == 0)
            return expected(option, value, problem);
        text = ga__options_own(options, strndup(column.data, column.size));
        if (!text || !append(at(options, option), text))
            return no_memory(problem);
    }
    return true;
}

/* --- headers -------------------------------------------------------------------------------------- */

/* Of "Name: value", "Name:", and as curl has it "Name;", which is an empty one; 0 of anything else. */
static size_t name_size(const char *header)
{
    size_t size = strcspn(header, ":; \t\r\n\v\f");

    return header[size] == ':' || (header[size] == ';' && !header[size + 1]) ? size : 0;
}

/* Whether a later place has a header of this name. */
static bool header_is_given(const ga__options *options, const char *header, ga__option_place place)
{
    ga__slice name = {header, name_size(header)};

    for (size_t i = 0; options->job.headers && options->job.headers[i]; i++) {
        const char *other = options->job.headers[i];

        if (options->header_places[i] > place && ga__ascii_equal(name, (ga__slice){other, name_size(other)}))
            return true;
    }
    return false;
}

static bool append_header(ga__options *options, const ga__option *option, ga__option_place place,
                          const char *header, char **problem)
{
    if (name_size(header) == 0)
        return ga__say(false, problem,
                       "\"Name: value\" is expected, such as \"Accept: application/json\"; there is no "
                       "name before a colon in what was given"); /* it may be a secret */
    if (header_is_given(options, header, place))
        return true;
    size_t count = append(at(options, option), header);
    unsigned char *places = count ? realloc(options->header_places, count) : NULL;

    if (!places)
        return no_memory(problem);
    places[count - 1] = (unsigned char)place;
    options->header_places = places;
    return true;
}

static bool append_header_file(ga__options *options, const ga__option *option, ga__option_place place,
                               const char *path, char **problem)
{
    char *line = ga__options_read_file(options, path, NULL, problem);
    bool good = line != NULL;

    while (good && line) {
        char *next = strchr(line, '\n');

        if (next)
            *next++ = '\0';
        line[strcspn(line, "\r")] = '\0';
        line += strspn(line, " \t");
        good = !*line || *line == '#' || append_header(options, option, place, line, problem);
        line = next;
    }
    return good;
}

/* --- bodies --------------------------------------------------------------------------------------- */

/* As curl has it for -d: without line ends and NUL. */
static void take_line_ends_out(char *text, size_t size)
{
    size_t kept = 0;

    for (size_t i = 0; i < size; i++)
        if (text[i] != '\r' && text[i] != '\n' && text[i] != '\0')
            text[kept++] = text[i];
    text[kept] = '\0';
}

static bool add_body(ga__options *options, const ga__option *option, const char *value, char **problem)
{
    const char **place = at(options, option);
    bool is_data = option->kind == GA__OPTION_DATA;
    size_t size = 0;

    if (*value == '@') {
        char *text = ga__options_read_file(options, value + 1, is_data ? &size : NULL, problem);

        if (!text)
            return false;
        if (is_data)
            take_line_ends_out(text, size);
        value = text;
    }
    if (*place)
        value = ga__options_own(options, ga_format("%s%s%s", *place, is_data ? "&" : "", value));
    *place = value;
    return value || no_memory(problem);
}

/* --- all kinds ------------------------------------------------------------------------------------ */

/* A copy; what is in the list of processes is overwritten. */
static bool set_secret(ga__options *options, const ga__option *option, ga__option_place place, char *value,
                       char **problem)
{
    char *copy = ga__options_own(options, strdup(value));

    if (!copy)
        return no_memory(problem);
    if (place == GA__PLACE_ARGUMENTS)
        memset(value, 'x', strlen(value));
    *(const char **)at(options, option) = copy;
    return true;
}

static bool set_value(ga__options *options, const ga__option *option, ga__option_place place, char *value,
                      char **problem)
{
    if (!*value && !option->may_be_empty)
        return expected(option, value, problem);
    switch (option->kind) {
    case GA__OPTION_TEXT:
    case GA__OPTION_FILE:
        *(const char **)at(options, option) = value;
        return true;
    case GA__OPTION_SECRET:
    case GA__OPTION_USER:
        return set_secret(options, option, place, value, problem);
    case GA__OPTION_PAIRS:
        if (*value == '=' || !strchr(value, '='))
            return expected(option, value, problem);
        return append(at(options, option), value) || no_memory(problem);
    case GA__OPTION_TEXTS:
        return append(at(options, option), value) || no_memory(problem);
    case GA__OPTION_COLUMNS:
        return append_columns(options, option, value, problem);
    case GA__OPTION_HEADER:
        return *value == '@' ? append_header_file(options, option, place, value + 1, problem)
                             : append_header(options, option, place, value, problem);
    case GA__OPTION_DATA:
    case GA__OPTION_JSON:
        return add_body(options, option, value, problem);
    default:
        return set_number(options, option, ga__slice_of(value)) || expected(option, value, problem);
    }
}

static void set_switch(ga__options *options, const ga__option *option, bool on)
{
    if (option->kind == GA__OPTION_SET) {
        int *choice = at(options, option);

        if (on || *choice == (int)option->least) /* of several; another's is left */
            *choice = on ? (int)option->least : 0;
    } else {
        *(bool *)at(options, option) = on == (option->kind == GA__OPTION_FLAG);
    }
}

/* Whether a later place has this option, or another of the same thing. */
static bool is_given_later(const ga__options *options, const ga__option *option, ga__option_place place)
{
    for (size_t i = 0; i < ga__option_count; i++)
        if (options->given[i] > place && ga__option_table[i].place == option->place)
            return true;
    return false;
}

bool ga__options_set(ga__options *options, const ga__option *option, ga__option_place place, bool on,
                     char *value, char **problem)
{
    if (option->kind != GA__OPTION_HEADER && is_given_later(options, option, place))
        return true;
    if (!value)
        set_switch(options, option, on);
    else if (!set_value(options, option, place, value, problem))
        return false;
    if (*given(options, option) < place)
        *given(options, option) = (unsigned char)place;
    return true;
}

bool ga__options_set_text(ga__options *options, const ga__option *option, ga__option_place place, char *value,
                          char **problem)
{
    bool on = true;

    if (ga__option_is_switch(option)) {
        if (value && !ga__value_switch(ga__slice_of(value), &on))
            return ga__say(false, problem, "true or false is expected, not \"%s\"", value);
        value = NULL;
    } else if (!value) {
        return ga__say(false, problem, "a value is expected: %s, such as %s", option->argument,
                       option->example);
    }
    return ga__options_set(options, option, place, on, value, problem);
}
