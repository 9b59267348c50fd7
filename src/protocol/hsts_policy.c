/* SPDX-License-Identifier: MIT */
/*
 * Reading Strict-Transport-Security: directives with semicolons between, in any order and case, each once.
 * Directives that are not known are passed over. Called by client/hsts.c.
 */
#include "protocol/hsts_policy.h"

#include "base/ascii.h"
#include "base/number.h"
#include "protocol/token.h"

enum { LONGEST = 10 * 365 * 24 * 60 * 60 };

/* Takes "= value" where it is there; the value is a token or what stands in a quoted string, whose escapes
 * stay: no directive that is known has any. */
static bool take_value(ga__slice *rest, ga__slice *value)
{
    *value = (ga__slice){"", 0};
    *rest = ga__trim_blanks(*rest);
    if (rest->size == 0 || rest->data[0] != '=')
        return true;
    ga__slice_take(rest, 1);
    *rest = ga__trim_blanks(*rest);
    if (rest->size > 0 && rest->data[0] == '"') {
        ga__slice_take(rest, 1);
        size_t end = 0;

        while (end < rest->size && rest->data[end] != '"')
            end += rest->data[end] == '\\' ? 2 : 1;
        if (end >= rest->size)
            return false;
        *value = ga__slice_take(rest, end);
        ga__slice_take(rest, 1);
        return true;
    }
    *value = ga__slice_take(rest, ga__span_token(rest->data, rest->size));
    return value->size > 0;
}

static bool read_max_age(ga__slice value, int64_t *max_age)
{
    uint64_t seconds = LONGEST;

    for (size_t i = 0; i < value.size; i++)
        if (!ga__ascii_is_digit(value.data[i]))
            return false;
    ga__parse_decimal(value.data, value.size, &seconds); /* what does not fit a number is long, too */
    *max_age = seconds < LONGEST ? (int64_t)seconds : LONGEST;
    return value.size > 0;
}

bool ga__hsts_policy_parse(ga__hsts_policy *policy, ga__slice field)
{
    bool has_age = false;

    *policy = (ga__hsts_policy){0};
    for (;;) {
        field = ga__trim_blanks(field);
        ga__slice value, name = ga__slice_take(&field, ga__span_token(field.data, field.size));

        if (!take_value(&field, &value) || (name.size == 0 && value.size > 0))
            return false;
        if (ga__ascii_is(name, "max-age")) {
            if (has_age || !read_max_age(value, &policy->max_age))
                return false;
            has_age = true;
        } else if (ga__ascii_is(name, "includesubdomains")) {
            if (policy->below)
                return false;
            policy->below = true;
        }
        field = ga__trim_blanks(field);
        if (field.size == 0)
            return has_age;
        if (field.data[0] != ';')
            return false;
        ga__slice_take(&field, 1);
    }
}
