/* SPDX-License-Identifier: MIT */
/*
 * The one way to parse numbers, and to write them where printf is too slow. Parsing is strict, of a known
 * length, without locale, errno, or a NUL at the end. The whole text is the number, or there is no number: no
 * blanks, no sign unless said, no 0x, no overflow that wraps.
 */
#ifndef GA__NUMBER_H
#define GA__NUMBER_H

#include <gather/base.h>
#include <stdbool.h>

/* One or more digits of a base from 2 to 16, hexadecimal ones of either case. False (and *value as it was)
 * for anything else, among it what does not fit. */
bool ga__parse_unsigned(const char *text, size_t size, unsigned base, uint64_t *value);

static inline bool ga__parse_decimal(const char *text, size_t size, uint64_t *value)
{
    return ga__parse_unsigned(text, size, 10, value);
}

static inline bool ga__parse_hex(const char *text, size_t size, uint64_t *value)
{
    return ga__parse_unsigned(text, size, 16, value);
}

/* [+-] digits [. digits] [e [+-] digits], at least one digit before or after the point, "." whatever the
 * locale. False (and *value as it was) for anything else, among it "inf", "nan", hexadecimal, what does not
 * fit a finite double, and texts over 100 bytes. */
bool ga__parse_double(const char *text, size_t size, double *value);

enum { GA__DECIMAL_MAX = 20 }; /* the digits of the largest number */

/* Writes the number in decimal, without a NUL. @return the end of what was written */
char *ga__put_decimal(char *at, uint64_t value);

#endif
