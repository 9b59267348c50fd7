/* SPDX-License-Identifier: MIT */
/* The statuses that a row takes for success. Used by --expect and by rows that say it themselves. */
#include "bulk/expect.h"

#include "base/ascii.h"
#include "base/number.h"
#include <string.h>

enum { LEAST = 100, MOST = 999 };

static void add(ga__expect *expect, uint64_t from, uint64_t to)
{
    for (uint64_t code = from; code <= to; code++)
        expect->codes[code / 64] |= (uint64_t)1 << (code % 64);
}

static bool is_class(ga__slice part)
{
    return part.size == 3 && part.data[0] >= '1' && part.data[0] <= '9' &&
           ga__ascii_lower(part.data[1]) == 'x' && ga__ascii_lower(part.data[2]) == 'x';
}

/* One of what stands between commas. */
static bool add_part(ga__expect *expect, ga__slice part)
{
    const char *dash = part.size > 0 ? memchr(part.data, '-', part.size) : NULL;
    ga__slice first = {part.data, dash ? (size_t)(dash - part.data) : part.size};
    ga__slice last = dash ? (ga__slice){dash + 1, part.size - first.size - 1} : first;
    uint64_t from, to;

    if (is_class(part)) {
        from = (uint64_t)(part.data[0] - '0') * 100;
        to = from + 99;
    } else if (!ga__parse_decimal(first.data, first.size, &from) ||
               !ga__parse_decimal(last.data, last.size, &to)) {
        return false;
    }
    if (from < LEAST || to > MOST || from > to)
        return false;
    add(expect, from, to);
    return true;
}

bool ga__expect_parse(ga__expect *expect, ga__slice text)
{
    *expect = (ga__expect){.given = true};
    for (;;) {
        const char *comma = text.size > 0 ? memchr(text.data, ',', text.size) : NULL;
        size_t size = comma ? (size_t)(comma - text.data) : text.size;

        if (!add_part(expect, ga__slice_trim(ga__slice_take(&text, size), " ")))
            return false;
        if (!comma)
            return true;
        ga__slice_take(&text, 1);
    }
}

bool ga__expect_has(const ga__expect *expect, int status)
{
    if (!expect->given)
        return status >= 200 && status < 300;
    return status >= 0 && status <= MOST && (expect->codes[status / 64] >> (status % 64) & 1);
}
