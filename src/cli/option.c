/* SPDX-License-Identifier: MIT */
/* Looking options up, and finding the one that was meant. */
#include "cli/option.h"

#include "base/ascii.h"

const char *ga__option_group_name(ga__option_group group)
{
    static const char *const names[GA__GROUPS] = {"Request", "Pace", "Failures", "Output", "Paging", "Run"};

    return names[group];
}

bool ga__option_is_switch(const ga__option *option)
{
    return !ga__option_itself(option)->argument;
}

bool ga__option_is_list(const ga__option *option)
{
    return option->kind == GA__OPTION_TEXTS || option->kind == GA__OPTION_PAIRS ||
           option->kind == GA__OPTION_COLUMNS || option->kind == GA__OPTION_HEADER;
}

static const ga__option *find(ga__slice name)
{
    for (size_t i = 0; i < ga__option_count; i++)
        if (ga__slice_equal(ga__slice_of(ga__option_table[i].name), name))
            return &ga__option_table[i];
    return NULL;
}

const ga__option *ga__option_itself(const ga__option *option)
{
    return option && option->kind == GA__OPTION_ALIAS ? find(ga__slice_of(option->of)) : option;
}

const ga__option *ga__option_named(ga__slice name)
{
    return ga__option_itself(find(name));
}

const ga__option *ga__option_lettered(char letter)
{
    for (size_t i = 0; letter && i < ga__option_count; i++)
        if (ga__option_table[i].letter == letter)
            return ga__option_itself(&ga__option_table[i]);
    return NULL;
}

/* --- the nearest ---------------------------------------------------------------------------------- */

enum { LONGEST_NAME = 32 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* How many letters are to be put in, taken out, changed or swapped with the next (Damerau and Levenshtein,
 * each pair swapped at most once). Neither text is longer than LONGEST_NAME. */
static unsigned distance(ga__slice a, ga__slice b)
{
    unsigned rows[3][LONGEST_NAME + 1] = {{0}};
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];

    for (size_t j = 0; j <= b.size; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= a.size; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b.size; j++) {
            char c = ga__ascii_lower(a.data[i - 1]), d = ga__ascii_lower(b.data[j - 1]);

            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (c != d));
            if (i > 1 && j > 1 && c == ga__ascii_lower(b.data[j - 2]) && d == ga__ascii_lower(a.data[i - 2]))
                now[j] = least(now[j], before[j - 2] + 1);
        }
        unsigned *free_row = before;

        before = last;
        last = now;
        now = free_row;
    }
    return last[b.size];
}

/* A beginning of the name is near, however much is missing; else it goes by letters. */
static unsigned far(ga__slice given, ga__slice name)
{
    if (given.size >= 3 && name.size > given.size && memcmp(name.data, given.data, given.size) == 0)
        return 1;
    return distance(given, name);
}

const ga__option *ga__option_nearest(ga__slice name)
{
    const ga__option *nearest = NULL;
    unsigned best = name.size < 4 ? 1 : (unsigned)(name.size + 2) / 3;

    if (name.size == 0 || name.size > LONGEST_NAME)
        return NULL;
    for (size_t i = 0; i < ga__option_count; i++) {
        unsigned distant = far(name, ga__slice_of(ga__option_table[i].name));

        if (distant < best + !nearest) {
            nearest = &ga__option_table[i];
            best = distant;
        }
    }
    return nearest;
}
