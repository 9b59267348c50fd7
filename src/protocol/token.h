/* SPDX-License-Identifier: MIT */
/*
 * The character classes of HTTP (RFC 9110 section 5.6) and what is read with them: tokens, lists, numbers.
 * Nothing here allocates or depends on the locale.
 */
#ifndef GA__TOKEN_H
#define GA__TOKEN_H

#include <gather/base.h>
#include <stdbool.h>

/* The lower-case form of a byte that may stand in a token (RFC 9110 section 5.6.2); 0 for every other byte.
 */
extern const unsigned char ga__token_lower[256];

/* What a byte may be part of. */
enum {
    GA__CHAR_VALUE = 1, /* a field value: HTAB, SP, visible characters, 0x80 and above (section 5.5) */
    GA__CHAR_TARGET = 2 /* a request target: visible ASCII; space, controls and 0x80 and above are not */
};
extern const unsigned char ga__char_class[256];

static inline bool ga__is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The value of a hexadecimal digit, or -1. */
int ga__hex_digit(char c);

/* Whether the bytes are one token: at least one byte, token characters only. */
bool ga__is_token(const char *text, size_t size);

/* Whether two names are the same but for the case of ASCII letters. */
bool ga__same_name(const char *a, size_t a_size, const char *b, size_t b_size);

/* Reads 1*DIGIT, nothing before or after. False where there is anything else, or the number is above
 * INT64_MAX; *number is then unchanged. */
bool ga__parse_digits(const char *text, size_t size, uint64_t *number);

/* The next element of a comma-separated list (RFC 9110 section 5.6.1), blanks around it cut off. `*at` is
 * where to read on, 0 at first. False at the list's end. An empty element is handed out as such, with *size
 * 0; commas within a quoted string do not separate. */
bool ga__list_next(const char *text, size_t text_size, size_t *at, const char **element, size_t *size);

/* Whether a comma-separated list has the element, which is compared without regard to case. */
bool ga__list_has(const char *text, size_t size, const char *element);

#endif
