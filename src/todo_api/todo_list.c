/* SPDX-License-Identifier: MIT */
/*
 * The todos and what can be asked of them. The first ones are those that the tutorial prints; the others
 * have titles drawn from a list of words, the same ones at each start. The JSON text of each, and of all, is
 * made once. Called by the routes.
 */
#include "todo_api/todo_list.h"

#include "todo_api/query.h"

#include <gather/error.h>
#include <stdio.h>

static const struct {
    const char *title;
    bool completed;
} known[] = {
    {"delectus aut autem", false},
    {"quis ut nam facilis et officia qui", false},
    {"fugiat veniam minus", false},
    {"et porro tempora", true},
};

static const char *const words[] = {
    "ab",       "accusamus", "adipisci", "aliquam", "animi",   "aperiam", "architecto", "aut",      "autem",
    "beatae",   "commodi",   "corporis", "culpa",   "debitis", "dicta",   "dolor",      "ducimus",  "eaque",
    "eius",     "enim",      "est",      "et",      "eveniet", "ex",      "facere",     "fuga",     "harum",
    "hic",      "id",        "illo",     "in",      "ipsa",    "iste",    "itaque",     "iure",     "labore",
    "laborum",  "libero",    "magnam",   "maiores", "minima",  "modi",    "mollitia",   "natus",    "nemo",
    "nihil",    "nisi",      "nobis",    "non",     "odio",    "omnis",   "optio",      "pariatur", "placeat",
    "porro",    "quae",      "quam",     "quasi",   "qui",     "quia",    "quod",       "ratione",  "rem",
    "repellat", "rerum",     "saepe",    "sed",     "sequi",   "sint",    "sit",        "sunt",     "tempora",
    "totam",    "ullam",     "unde",     "ut",      "vel",     "velit",   "vero",       "voluptas",
};

enum { WORD_COUNT = sizeof words / sizeof *words, KNOWN_COUNT = sizeof known / sizeof *known };

/* A fixed sequence of numbers below `limit` (a linear congruential generator), so that each start makes the
 * same todos. */
static unsigned draw(uint64_t *state, unsigned limit)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((*state >> 33) % limit);
}

static void make_title(char *title, size_t size, uint64_t *state)
{
    unsigned count = 3 + draw(state, 6);
    size_t used = 0;

    for (unsigned i = 0; i < count && used < size; i++)
        used +=
            (size_t)snprintf(title + used, size - used, "%s%s", i ? " " : "", words[draw(state, WORD_COUNT)]);
}

static json_t *make_todo(int id, uint64_t *state)
{
    char made[128];
    const char *title = made;
    bool completed = false;

    make_title(made, sizeof made, state);
    completed = draw(state, 20) < 9;
    if (id <= KNOWN_COUNT) {
        title = known[id - 1].title;
        completed = known[id - 1].completed;
    }
    return json_pack("{s:i, s:i, s:s, s:b}", "userId", (id - 1) / TODO_PER_USER + 1, "id", id, "title", title,
                     "completed", completed);
}

char *todo_list_print(const json_t *value)
{
    return json_dumps(value, JSON_INDENT(2));
}

static int print_each(todo_list *todos)
{
    for (int id = 0; id <= TODO_COUNT; id++) {
        todos->text[id] = todo_list_print(id ? todo_list_get(todos, (uint64_t)id) : todos->all);
        if (!todos->text[id])
            return GA_ENOMEM;
        todos->size[id] = strlen(todos->text[id]);
    }
    return GA_OK;
}

int todo_list_make(todo_list *todos)
{
    uint64_t state = 1;
    int code = GA_OK;

    *todos = (todo_list){.all = json_array()};
    for (int id = 1; id <= TODO_COUNT && code == GA_OK; id++)
        if (json_array_append_new(todos->all, make_todo(id, &state)) < 0)
            code = GA_ENOMEM;
    if (code == GA_OK)
        code = print_each(todos);
    if (code < 0)
        todo_list_free(todos);
    return code;
}

void todo_list_free(todo_list *todos)
{
    json_decref(todos->all);
    for (int i = 0; i <= TODO_COUNT; i++)
        free(todos->text[i]);
    *todos = (todo_list){0};
}

ga__slice todo_list_text(const todo_list *todos, uint64_t id)
{
    if (id > TODO_COUNT)
        return (ga__slice){0};
    return (ga__slice){todos->text[id], todos->size[id]};
}

json_t *todo_list_get(const todo_list *todos, uint64_t id)
{
    return id ? json_array_get(todos->all, (size_t)(id - 1)) : NULL;
}

/* Whether an attribute, written as text, is the one asked for. */
static bool attribute_is(const json_t *attribute, const char *text)
{
    char number[24];

    if (json_is_integer(attribute)) {
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(attribute));
        return strcmp(number, text) == 0;
    }
    if (json_is_boolean(attribute))
        return strcmp(json_is_true(attribute) ? "true" : "false", text) == 0;
    return strcmp(json_string_value(attribute), text) == 0;
}

/* For each todo, bit n: its attribute n has one of the values wanted. @return the attributes of which a value
 * is wanted. */
static unsigned match(const todo_list *todos, ga__slice asked, unsigned char matched[TODO_COUNT])
{
    static const char *const attributes[] = {"userId", "id", "title", "completed"};
    enum { ATTRIBUTE_COUNT = sizeof attributes / sizeof *attributes };
    query_reader pairs = query_of(asked);
    unsigned wanted = 0;

    while (query_next(&pairs)) {
        unsigned n = 0;

        while (n < ATTRIBUTE_COUNT && strcmp(pairs.name.data, attributes[n]) != 0)
            n++;
        if (n == ATTRIBUTE_COUNT)
            continue;
        wanted |= 1u << n;
        for (size_t i = 0; i < TODO_COUNT; i++)
            if (attribute_is(json_object_get(json_array_get(todos->all, i), attributes[n]), pairs.value.data))
                matched[i] |= (unsigned char)(1u << n);
    }
    query_free(&pairs);
    return wanted;
}

json_t *todo_list_select(const todo_list *todos, ga__slice asked, int *total)
{
    unsigned char matched[TODO_COUNT] = {0};
    unsigned wanted = match(todos, asked, matched);
    uint64_t limit = query_number(asked, "_limit", UINT64_MAX);
    uint64_t end = query_number(asked, "_end", UINT64_MAX);
    bool sliced = limit != UINT64_MAX || end != UINT64_MAX;
    uint64_t start = sliced ? query_number(asked, "_start", 0) : 0;
    json_t *picked = json_array();
    uint64_t count = 0;

    if (end == UINT64_MAX && limit < UINT64_MAX - start)
        end = start + limit;
    for (size_t i = 0; picked && i < TODO_COUNT; i++) {
        if (matched[i] != wanted)
            continue;
        if (count >= start && count < end && json_array_append(picked, json_array_get(todos->all, i)) < 0) {
            json_decref(picked);
            picked = NULL;
        }
        count++;
    }
    *total = sliced ? (int)count : -1;
    return picked;
}
