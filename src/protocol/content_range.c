/* SPDX-License-Identifier: MIT */
/*
 * Reading Content-Range, strictly: what is not exactly of the form could make a client put bytes where they
 * do not belong. Called by client/resume.c.
 */
#include "protocol/content_range.h"

#include "base/ascii.h"
#include "base/number.h"
#include "protocol/token.h"

/* Takes what stands before the separator off the text, and the separator. False where there is none. */
static bool take_until(ga__slice *text, char separator, ga__slice *part)
{
    const char *end = text->size > 0 ? memchr(text->data, separator, text->size) : NULL;

    if (!end)
        return false;
    *part = ga__slice_take(text, (size_t)(end - text->data));
    ga__slice_take(text, 1);
    return true;
}

static bool is_number(ga__slice text, uint64_t *number)
{
    return ga__parse_decimal(text.data, text.size, number);
}

bool ga__content_range_parse(ga__content_range *range, ga__slice text)
{
    ga__content_range found = {0};
    ga__slice rest = ga__trim_blanks(text), unit, first, last;

    if (!take_until(&rest, ' ', &unit) || !ga__ascii_is(unit, "bytes") || !take_until(&rest, '-', &first) ||
        !take_until(&rest, '/', &last))
        return false;
    if (!is_number(first, &found.first) || !is_number(last, &found.last) || found.first > found.last)
        return false;
    bool told = !ga__slice_equal(rest, GA__SLICE("*"));

    if (told && (!is_number(rest, &found.complete) || found.complete <= found.last))
        return false;
    *range = found;
    return true;
}
