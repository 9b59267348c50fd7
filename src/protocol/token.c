/* SPDX-License-Identifier: MIT */
/*
 * Character classes as tables, and reading lists. Used all over HTTP/1.1, where the loops over single bytes
 * are.
 */
#include "protocol/token.h"

#include "base/ascii.h"

/* A row per 16 characters; 0x80 and above are in no token. */
/* clang-format off */
const unsigned char ga__token_lower[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, '!', 0, '#', '$', '%', '&', '\'', 0, 0, '*', '+', 0, '-', '.', 0,
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 0, 0, 0, 0, 0, 0,
    0, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0, 0, 0, '^', '_',
    '`', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0, '|', 0, '~', 0,
};

/* A row per 32 characters. */
const unsigned char ga__char_class[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    1, 7, 3, 3, 7, 7, 7, 7, 7, 7, 7, 7, 3, 7, 7, 3, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 3, 7, 3, 3,
    3, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 3, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
};
/* clang-format on */

bool ga__is_token(const char *text, size_t size)
{
    return size > 0 && ga__span_token(text, size) == size;
}

/* Where the list element that begins at `at` ends: at a comma outside quotes, or at the end. */
static size_t element_end(const char *text, size_t size, size_t at)
{
    bool quoted = false;

    if (at < size && !memchr(text + at, ',', size - at)) /* as in nearly all lists that are received */
        return size;
    for (; at < size; at++) {
        if (text[at] == '"')
            quoted = !quoted;
        else if (text[at] == '\\' && quoted && at + 1 < size)
            at++;
        else if (text[at] == ',' && !quoted)
            break;
    }
    return at;
}

bool ga__list_next(const char *text, size_t text_size, size_t *at, const char **element, size_t *size)
{
    if (*at > text_size)
        return false;
    size_t end = element_end(text, text_size, *at);
    ga__slice found = ga__trim_blanks((ga__slice){text + *at, end - *at});

    *at = end + 1;
    *element = found.data;
    *size = found.size;
    return true;
}

bool ga__list_has(const char *text, size_t size, const char *element)
{
    ga__slice found;
    size_t at = 0;

    while (ga__list_next(text, size, &at, &found.data, &found.size))
        if (ga__ascii_is(found, element))
            return true;
    return false;
}
