/* SPDX-License-Identifier: MIT */
/*
 * Takes queries and forms apart as browsers put them together: "+" is a blank, %XX a byte. A pair without
 * "=" has the value "". Called by the routes.
 */
#include "todo_api/query.h"

#include "base/number.h"
#include "protocol/percent.h"

query_reader query_of(ga__slice text)
{
    return (query_reader){.rest = text};
}

/* Cuts off what stands before the first `separator`, and the separator. */
static ga__slice cut(ga__slice *rest, char separator)
{
    const char *end = rest->size ? memchr(rest->data, separator, rest->size) : NULL;
    ga__slice first = {rest->data, end ? (size_t)(end - rest->data) : rest->size};
    size_t used = first.size + (end != NULL);

    *rest = (ga__slice){rest->data + used, rest->size - used};
    return first;
}

static bool decode(ga__buffer *out, ga__slice text)
{
    ga__buffer_clear(out);
    for (;;) {
        size_t size = text.size;
        ga__slice part = cut(&text, '+');

        ga__percent_decode(out, part.data, part.size);
        if (part.size == size)
            break;
        ga__buffer_add_char(out, ' ');
    }
    ga__buffer_add(out, "");
    return !out->failed && ga__buffer_reserve(out, 0);
}

bool query_next(query_reader *pairs)
{
    while (pairs->rest.size) {
        ga__slice value = cut(&pairs->rest, '&');

        if (!value.size)
            continue;
        ga__slice name = cut(&value, '=');

        return decode(&pairs->name, name) && decode(&pairs->value, value);
    }
    return false;
}

void query_free(query_reader *pairs)
{
    ga__buffer_free(&pairs->name);
    ga__buffer_free(&pairs->value);
}

bool query_find(ga__slice text, const char *name, ga__buffer *value)
{
    query_reader pairs = query_of(text);
    bool found = false;

    while (!found && query_next(&pairs)) {
        found = strcmp(pairs.name.data, name) == 0;
        if (found)
            ga__buffer_append(value, pairs.value.data, pairs.value.size);
    }
    query_free(&pairs);
    return found;
}

uint64_t query_number(ga__slice text, const char *name, uint64_t otherwise)
{
    ga__buffer value = GA__BUFFER_INIT;
    uint64_t number = otherwise;

    if (query_find(text, name, &value) && value.data)
        ga__parse_decimal(value.data, value.size, &number);
    ga__buffer_free(&value);
    return number;
}
