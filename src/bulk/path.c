/* SPDX-License-Identifier: MIT */
/*
 * Paths: parsed once, then followed in the text of each body. A path has at most 32 steps, so that following
 * it can recurse.
 */
#include "bulk/path.h"

#include "base/ascii.h"
#include "base/buffer.h"
#include "base/number.h"
#include "base/problem.h"
#include "bulk/json.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 32 };

typedef enum step_kind { STEP_MEMBER, STEP_INDEX, STEP_EACH } step_kind;

typedef struct step {
    step_kind kind;
    int64_t index;     /* negative: from the end */
    size_t name, size; /* in path->names */
} step;

struct ga__path {
    ga__buffer names;
    size_t count;
    bool many;
    step steps[MOST_STEPS];
};

/* --- parsing -------------------------------------------------------------------------------------- */

typedef struct reader {
    const char *text, *at;
    char **problem;
} reader;

static bool wrong(reader *read, const char *what)
{
    return ga__say(false, read->problem, "the path \"%s\", at \"%s\": %s", read->text, read->at, what);
}

static step *add_step(reader *read, ga__path *path, step_kind kind)
{
    if (path->count == MOST_STEPS) {
        wrong(read, "it has more than 32 steps");
        return NULL;
    }
    step *added = &path->steps[path->count++];

    *added = (step){.kind = kind, .name = path->names.size};
    path->many |= kind == STEP_EACH;
    return added;
}

static bool is_name_char(char c)
{
    return ga__ascii_is_alpha(c) || ga__ascii_is_digit(c) || c == '_' || c == '-' || c == '$';
}

static bool read_name(reader *read, ga__path *path)
{
    const char *from = read->at;
    step *added = add_step(read, path, STEP_MEMBER);

    if (!added)
        return false;
    while (is_name_char(*read->at))
        read->at++;
    added->size = (size_t)(read->at - from);
    ga__buffer_append(&path->names, from, added->size);
    return true;
}

/* A name in quotes, with JSON's escapes. */
static bool read_quoted(reader *read, ga__path *path)
{
    const char *end = read->at + 1;
    step *added = add_step(read, path, STEP_MEMBER);

    if (!added)
        return false;
    while (*end && *end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
    ga__slice string = {read->at, (size_t)(end - read->at) + (*end == '"')};

    if (!*end || !ga__json_check(string, NULL))
        return wrong(read, "a name in double quotes is expected");
    ga__json_append_unquoted(&path->names, string);
    added->size = path->names.size - added->name;
    read->at = end + 1;
    return true;
}

static bool read_index(reader *read, ga__path *path)
{
    bool negative = *read->at == '-';
    const char *digits = read->at + negative;
    size_t size = strspn(digits, "0123456789");
    uint64_t index;
    step *added;

    if (!ga__parse_decimal(digits, size, &index) || index > INT32_MAX)
        return wrong(read, "a number, a name in double quotes, or ] is expected");
    added = add_step(read, path, STEP_INDEX);
    if (!added)
        return false;
    added->index = negative ? -(int64_t)index : (int64_t)index;
    read->at = digits + size;
    return true;
}

/* At "[". */
static bool read_bracket(reader *read, ga__path *path)
{
    bool read_inside;

    read->at++;
    if (*read->at == ']')
        read_inside = add_step(read, path, STEP_EACH) != NULL;
    else
        read_inside = *read->at == '"' ? read_quoted(read, path) : read_index(read, path);
    if (!read_inside)
        return false;
    if (*read->at != ']')
        return wrong(read, "] is expected");
    read->at++;
    return true;
}

static bool read_step(reader *read, ga__path *path)
{
    bool first = read->at == read->text;

    if (*read->at == '[' && !first)
        return read_bracket(read, path);
    if (*read->at != '.')
        return wrong(read, first ? "a path begins with \".\"" : "\".\" or \"[\" is expected");
    read->at++;
    if (*read->at == '[')
        return read_bracket(read, path);
    if (*read->at == '"')
        return read_quoted(read, path);
    if (is_name_char(*read->at))
        return read_name(read, path);
    return (first && !*read->at) || wrong(read, "a name is expected");
}

ga__path *ga__path_parse(const char *text, char **problem)
{
    ga__path *path = calloc(1, sizeof *path);
    reader read = {text, text, problem};

    *problem = NULL;
    if (!path)
        return NULL;
    bool good;

    do
        good = read_step(&read, path);
    while (good && *read.at);
    if (good && !path->names.failed)
        return path;
    ga__path_free(path);
    return NULL;
}

void ga__path_free(ga__path *path)
{
    if (path)
        ga__buffer_free(&path->names);
    free(path);
}

bool ga__path_is_many(const ga__path *path)
{
    return path->many;
}

/* --- following ------------------------------------------------------------------------------------ */

static int64_t element_count(ga__slice array)
{
    ga__json_walk walk;
    ga__slice value;
    int64_t count = 0;

    ga__json_walk_begin(&walk, array);
    while (ga__json_next_element(&walk, &value))
        count++;
    return count;
}

static bool element_at(ga__slice array, int64_t index, ga__slice *value)
{
    ga__json_walk walk;
    ga__slice each;

    if (!ga__json_is(array, GA__JSON_ARRAY))
        return false;
    if (index < 0)
        index += element_count(array);
    ga__json_walk_begin(&walk, array);
    while (index >= 0 && ga__json_next_element(&walk, &each)) {
        if (index-- > 0)
            continue;
        *value = each;
        return true;
    }
    return false;
}

typedef struct follower {
    const ga__path *path;
    bool (*found)(void *arg, ga__slice value);
    void *arg;
} follower;

/* @return false to stop */
static bool follow(const follower *self, size_t from, ga__slice value)
{
    for (size_t i = from; i < self->path->count; i++) {
        const step *each = &self->path->steps[i];
        ga__json_walk walk;
        ga__slice name = {self->path->names.data ? self->path->names.data + each->name : "", each->size};

        if (each->kind == STEP_MEMBER && !ga__json_member(value, name, &value))
            return true;
        if (each->kind == STEP_INDEX && !element_at(value, each->index, &value))
            return true;
        if (each->kind != STEP_EACH)
            continue;
        bool object = ga__json_is(value, GA__JSON_OBJECT);
        ga__slice element;

        ga__json_walk_begin(&walk, value);
        while (object ? ga__json_next_member(&walk, &name, &element) : ga__json_next_element(&walk, &element))
            if (!follow(self, i + 1, element))
                return false;
        return true;
    }
    return self->found(self->arg, value);
}

void ga__path_each(const ga__path *path, ga__slice json, bool (*found)(void *arg, ga__slice value), void *arg)
{
    const follower self = {path, found, arg};

    follow(&self, 0, json);
}

typedef struct first {
    ga__slice value;
    bool is_there;
} first;

static bool take_first(void *arg, ga__slice value)
{
    *(first *)arg = (first){value, true};
    return false;
}

bool ga__path_first(const ga__path *path, ga__slice json, ga__slice *value)
{
    first found = {.is_there = false};

    ga__path_each(path, json, take_first, &found);
    if (found.is_there)
        *value = found.value;
    return found.is_there;
}
