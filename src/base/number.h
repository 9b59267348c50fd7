/* SPDX-License-Identifier: MIT */
/*
 * The one way to parse numbers: strict, of a known length, without locale, errno, or a NUL at the end.
 * The whole text is the number, or there is no number: no blanks, no sign unless said, no 0x, no overflow
 * that wraps.
 */
#ifndef GA__NUMBER_H
#define GA__NUMBER_H

#include <gather/base.h>
#include <stdbool.h>

/* 1*DIGIT that fits. False (and *value as it was) for anything else. */
bool ga__parse_decimal(const char *text, size_t size, uint64_t *value);

/* 1*HEXDIG of either case that fits. False (and *value as it was) for anything else. */
bool ga__parse_hex(const char *text, size_t size, uint64_t *value);

/* [+-] digits [. digits] [e [+-] digits], at least one digit before or after the point, "." whatever the
 * locale. False (and *value as it was) for anything else, among it "inf", "nan", hexadecimal, what does not
 * fit a finite double, and texts over 100 bytes. */
bool ga__parse_double(const char *text, size_t size, double *value);

#endif
