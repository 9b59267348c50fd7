/* SPDX-License-Identifier: MIT */
/*
 * The character classes of HTTP (RFC 9110 section 5.6) and what is read with them: tokens, lists.
 * Nothing here allocates or depends on the locale.
 */
#ifndef GA__TOKEN_H
#define GA__TOKEN_H

#include "base/slice.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The lower-case form of a byte that may stand in a token (RFC 9110 section 5.6.2); 0 for all others. */
extern const unsigned char ga__token_lower[256];

/* What a byte may be part of, as bits. */
enum {
    GA__CHAR_VALUE = 1,  /* a field value: HTAB, SP, visible characters, 0x80 and above (section 5.5) */
    GA__CHAR_TARGET = 2, /* a request target: visible ASCII; space, controls and 0x80 and above are not */
    GA__CHAR_HOST =
        4 /* a Host: as a target, without what cannot stand in a host or port, such as "/", "@", "," */
};
extern const unsigned char ga__char_class[256];

/* A blank as HTTP means it (OWS). */
static inline bool ga__is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What is left without the blanks around it. */
static inline ga__slice ga__trim_blanks(ga__slice text)
{
    return ga__slice_trim(text, " \t");
}

/* How many bytes at the beginning are token characters. */
static inline size_t ga__span_token(const char *text, size_t size)
{
    size_t at = 0;

    while (at < size && ga__token_lower[(unsigned char)text[at]])
        at++;
    return at;
}

#ifdef __SSE2__
/* Bit n: byte n is a control character other than HTAB. */
static inline unsigned ga__controls16(const char *text)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    __m128i below_space = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    __m128i delete = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, below_space), delete));
}

/* Bit n: byte n is a line feed. */
static inline unsigned ga__line_feeds16(const char *text)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);

    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')));
}
#endif

/* How many bytes at the beginning may stand in a field value. */
static inline size_t ga__span_value(const char *text, size_t size)
{
    size_t at = 0;

#ifdef __SSE2__
    for (; size - at >= 16; at += 16) {
        unsigned controls = ga__controls16(text + at);

        if (controls)
            return at + (size_t)__builtin_ctz(controls);
    }
#endif
    while (at < size && ga__char_class[(unsigned char)text[at]] & GA__CHAR_VALUE)
        at++;
    return at;
}

/* Whether every byte is of the class, GA__CHAR_.... */
static inline bool ga__all_of(const char *text, size_t size, unsigned char_class)
{
    unsigned common = char_class;

    for (size_t at = 0; at < size; at++)
        common &= ga__char_class[(unsigned char)text[at]];
    return common != 0;
}

/* Whether the bytes are one token: at least one byte, token characters only. */
bool ga__is_token(const char *text, size_t size);

/* The next element of a comma-separated list (RFC 9110 section 5.6.1), blanks around it cut off. `*at` is
 * where to read on, 0 at first. False at the list's end. An empty element is handed out as such, with *size
 * 0; commas within a quoted string do not separate. */
bool ga__list_next(const char *text, size_t text_size, size_t *at, const char **element, size_t *size);

/* Whether a comma-separated list has the element, which is compared without regard to case. */
bool ga__list_has(const char *text, size_t size, const char *element);

#endif
