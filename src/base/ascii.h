/* SPDX-License-Identifier: MIT */
/*
 * ASCII's character classes and comparison without regard to case. Protocols are ASCII whatever the
 * locale says, so <ctype.h> and strcasecmp are not used on what comes from the network.
 */
#ifndef GA__ASCII_H
#define GA__ASCII_H

#include "base/slice.h"

static inline bool ga__ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline char ga__ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline char ga__ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

static inline bool ga__ascii_is_alpha(char c)
{
    return ga__ascii_lower(c) >= 'a' && ga__ascii_lower(c) <= 'z';
}

/* The C0 controls and DEL. */
static inline bool ga__ascii_is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static inline bool ga__ascii_has_control(ga__slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (ga__ascii_is_control(text.data[i]))
            return true;
    return false;
}

/* The value of a hexadecimal digit of either case, or -1. */
static inline int ga__ascii_hex(char c)
{
    if (ga__ascii_is_digit(c))
        return c - '0';
    c = ga__ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether both hold the same bytes but for the case of ASCII letters. */
static inline bool ga__ascii_equal(ga__slice a, ga__slice b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (a.data[i] != b.data[i] && ga__ascii_lower(a.data[i]) != ga__ascii_lower(b.data[i]))
            return false;
    return true;
}

/* The same, with a string: `ga__ascii_is(name, "content-type")`. */
static inline bool ga__ascii_is(ga__slice text, const char *string)
{
    return ga__ascii_equal(text, ga__slice_of(string));
}

/* Whether a file's name, which is more than that, ends in ".csv", say, of either case. */
static inline bool ga__ascii_has_extension(ga__slice name, const char *extension)
{
    size_t size = strlen(extension);

    return name.size > size && ga__ascii_is((ga__slice){name.data + name.size - size, size}, extension);
}

#endif
