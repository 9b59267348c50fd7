/* SPDX-License-Identifier: MIT */
/*
 * UTF-8: what it is and is not. Overlong forms, surrogates and what is above U+10FFFF are not.
 */
#ifndef GA__UTF8_H
#define GA__UTF8_H

#include "base/buffer.h"
#include "base/slice.h"

#define GA__UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* The text behind the mark of byte order that it may begin with. */
static inline ga__slice ga__utf8_behind_mark(ga__slice text)
{
    if (text.size >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
        ga__slice_take(&text, 3);
    return text;
}

bool ga__utf8_valid(const char *bytes, size_t size);

/* Whether U+0080 to U+009F stands here, two bytes: they control terminals as those below U+0020 do. */
static inline bool ga__utf8_is_c1(const char *at, const char *end)
{
    return *at == '\xC2' && end - at > 1 && (unsigned char)at[1] >= 0x80 && (unsigned char)at[1] < 0xA0;
}

/* Whether all bytes are below 0x80. */
bool ga__ascii_only(const char *bytes, size_t size);

/* Appends the bytes, with one U+FFFD for each longest beginning of a sequence that does not go on as it
 * should, as browsers have it (Unicode 15, 3.9, "maximal subpart"). */
void ga__utf8_append_repaired(ga__buffer *out, const char *bytes, size_t size);

/* Appends a text of others for a terminal: on one line, what controls it made "?". */
void ga__utf8_append_clean(ga__buffer *out, ga__slice text);

/* A code point, which is not a surrogate. @return how many bytes it is */
size_t ga__utf8_encode(char bytes[4], uint32_t code_point);
/* Appends it. */
void ga__utf8_append(ga__buffer *out, uint32_t code_point);

#endif
