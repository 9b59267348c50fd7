/* SPDX-License-Identifier: MIT */
/* Counts by name, for the screen and the reports. */
#include "cli/tally.h"

#include "cli/figures.h"
#include <string.h>

size_t ga__tally_most(ga__tally *tallies, size_t most, const uint64_t *counts, size_t size)
{
    size_t found = 0;

    for (size_t i = 0; i < size; i++) {
        size_t place = found;

        if (counts[i] == 0)
            continue;
        while (place > 0 && tallies[place - 1].count < counts[i])
            place--;
        if (place == most)
            continue;
        if (found < most)
            found++;
        memmove(tallies + place + 1, tallies + place, (found - 1 - place) * sizeof *tallies);
        tallies[place] = (ga__tally){i, counts[i]};
    }
    return found;
}

size_t ga__tally_failures(ga__tally *tallies, size_t most, const ga__stats *stats)
{
    uint64_t counts[GA__KINDS];

    memcpy(counts, stats->kinds, sizeof counts);
    counts[GA__KIND_OK] = 0;
    return ga__tally_most(tallies, most, counts, GA__KINDS);
}

void ga__append_status(ga__buffer *out, size_t status)
{
    if (status > 0)
        ga__buffer_printf(out, "%zu", status);
    else
        ga__buffer_add(out, "no answer");
}

static const char *finish_tally(ga__buffer *text, uint64_t count)
{
    ga__buffer_add(text, ": ");
    ga__append_count(text, count);
    return text->failed ? "" : text->data;
}

const char *ga__tally_kind(ga__buffer *text, const ga__tally *tally)
{
    ga__buffer_clear(text);
    ga__buffer_add(text, ga__kind_name((ga__kind)tally->index));
    return finish_tally(text, tally->count);
}

const char *ga__tally_status(ga__buffer *text, const ga__tally *tally)
{
    ga__buffer_clear(text);
    ga__append_status(text, tally->index);
    return finish_tally(text, tally->count);
}
