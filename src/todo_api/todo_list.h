/* SPDX-License-Identifier: MIT */
/*
 * The collection that the API serves: 200 todos of 10 users, always the same. It is made once and never
 * changes, since the API answers changes as if it made them and forgets them, as jsonplaceholder does.
 */
#ifndef TODO_API_TODO_LIST_H
#define TODO_API_TODO_LIST_H

#include "base/slice.h"

#include <jansson.h>

enum { TODO_COUNT = 200, TODO_PER_USER = 20 };

typedef struct todo_list {
    json_t *all;                /* an array */
    char *text[TODO_COUNT + 1]; /* JSON: [n] of todo n, [0] of all */
    size_t size[TODO_COUNT + 1];
} todo_list;

/* @return 0, GA_ENOMEM */
int todo_list_make(todo_list *todos);
void todo_list_free(todo_list *todos);

/* Todo `id` as JSON, all of them for 0; {NULL} where there is none. */
ga__slice todo_list_text(const todo_list *todos, uint64_t id);

/* Todo `id`, borrowed; NULL where there is none. */
json_t *todo_list_get(const todo_list *todos, uint64_t id);

/* The todos that a query asks for, as an array, the caller's to json_decref; NULL when there is no memory.
 *
 * An attribute's name picks those with this value, repeated those with any of these values; _start with _end
 * or _limit cuts a slice out of what was picked, and *total then says how many there were before; it is -1
 * otherwise. Unknown names are ignored. */
json_t *todo_list_select(const todo_list *todos, ga__slice query, int *total);

/* The JSON text of a value as the API prints it, indented by two; NULL when there is no memory. The caller's
 * to free. */
char *todo_list_print(const json_t *value);

#endif
