/* SPDX-License-Identifier: MIT */
/*
 * Reading Link fields, after RFC 8288, appendix B.2, from left to right without a copy. Called for ga_link
 * (client/response_link.c).
 */
#include "protocol/link.h"

#include "base/ascii.h"
#include "protocol/token.h"

static void skip_blanks(ga__slice *rest)
{
    while (rest->size > 0 && ga__is_blank(rest->data[0]))
        ga__slice_take(rest, 1);
}

static bool take_char(ga__slice *rest, char c)
{
    skip_blanks(rest);
    if (rest->size == 0 || rest->data[0] != c)
        return false;
    ga__slice_take(rest, 1);
    return true;
}

/* What stands before `end`, which is taken as well. False where there is no such. */
static bool take_until(ga__slice *rest, char end, ga__slice *taken)
{
    for (size_t i = 0; i < rest->size; i++) {
        if (rest->data[i] == end) {
            *taken = ga__slice_take(rest, i);
            ga__slice_take(rest, 1);
            return true;
        }
        if (end == '"' && rest->data[i] == '\\')
            i++;
    }
    return false;
}

/* A parameter's value, a token or quoted; escapes stay, since no relation has any. */
static bool take_value(ga__slice *rest, ga__slice *value)
{
    if (take_char(rest, '"'))
        return take_until(rest, '"', value);
    *value = ga__slice_take(rest, ga__span_token(rest->data, rest->size));
    return value->size > 0;
}

/* Whether a list separated by blanks has the relation. */
static bool has_relation(ga__slice list, const char *relation)
{
    while (list.size > 0) {
        size_t size = 0;

        skip_blanks(&list);
        while (size < list.size && !ga__is_blank(list.data[size]))
            size++;
        if (size > 0 && ga__ascii_is(ga__slice_take(&list, size), relation))
            return true;
    }
    return false;
}

typedef struct parameters {
    ga__slice relation; /* the first one: later ones do not count */
    bool has_relation, has_anchor;
} parameters;

/* Reads a link's parameters. False where the syntax ends. */
static bool take_parameters(ga__slice *rest, parameters *found)
{
    *found = (parameters){0};
    while (take_char(rest, ';')) {
        skip_blanks(rest);
        ga__slice name = ga__slice_take(rest, ga__span_token(rest->data, rest->size)), value = {0};

        if (take_char(rest, '=') && !take_value(rest, &value))
            return false;
        if (ga__ascii_is(name, "anchor"))
            found->has_anchor = true;
        if (ga__ascii_is(name, "rel") && !found->has_relation) {
            found->has_relation = true;
            found->relation = value;
        }
    }
    return true;
}

bool ga__link_header_find(ga__slice value, const char *relation, ga__slice *target)
{
    for (;;) {
        parameters found;

        while (take_char(&value, ','))
            ;
        if (!take_char(&value, '<') || !take_until(&value, '>', target) || !take_parameters(&value, &found))
            return false;
        skip_blanks(&value);
        if (value.size > 0 && value.data[0] != ',')
            return false;
        if (!found.has_anchor && has_relation(found.relation, relation))
            return true;
    }
}
