/* SPDX-License-Identifier: MIT */
/*
 * A borrowed run of bytes, not ended by a NUL: a part of a URL, a header's value.
 */
#ifndef GA__SLICE_H
#define GA__SLICE_H

#include <gather/base.h>
#include <stdbool.h>
#include <string.h>

typedef struct ga__slice {
    const char *data; /* never NULL where size > 0 */
    size_t size;
} ga__slice;

/* The slice of a string literal. */
#define GA__SLICE(literal) ((ga__slice){"" literal, sizeof(literal) - 1})

static inline ga__slice ga__slice_of(const char *string)
{
    return (ga__slice){string, strlen(string)};
}

static inline bool ga__slice_equal(ga__slice a, ga__slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Takes the first `count` bytes off the slice, which has as many. */
static inline ga__slice ga__slice_take(ga__slice *slice, size_t count)
{
    ga__slice taken = {slice->data, count};

    slice->data += count;
    slice->size -= count;
    return taken;
}

/* Takes what stands before the next `end`, and `end` with it; all where there is none. */
static inline ga__slice ga__slice_take_to(ga__slice *slice, char end)
{
    const char *at = slice->size > 0 ? memchr(slice->data, end, slice->size) : NULL;
    ga__slice taken = ga__slice_take(slice, at ? (size_t)(at - slice->data) : slice->size);

    if (at)
        ga__slice_take(slice, 1);
    return taken;
}

/* Whether the set, a string, has the character; none has NUL. */
static inline bool ga__is_one_of(char c, const char *set)
{
    while (*set && *set != c)
        set++;
    return *set;
}

/* What is left without the characters of the set around it. */
static inline ga__slice ga__slice_trim(ga__slice text, const char *set)
{
    while (text.size > 0 && ga__is_one_of(text.data[0], set))
        ga__slice_take(&text, 1);
    while (text.size > 0 && ga__is_one_of(text.data[text.size - 1], set))
        text.size--;
    return text;
}

#endif
