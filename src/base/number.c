/* SPDX-License-Identifier: MIT */
/*
 * Parsing numbers. Everything that reads a number from a header, a URL, an option or a file calls this, so
 * that "+5", " 5", "0x5", "5s" and numbers too large to hold are refused in one place.
 */
#include "base/number.h"
#include "base/ascii.h"

#include <locale.h>
#include <math.h>

bool ga__parse_unsigned(const char *text, size_t size, unsigned base, uint64_t *value)
{
    uint64_t sum = 0;

    if (size == 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        unsigned digit = (unsigned)ga__ascii_hex(text[i]); /* -1 is beyond every base */

        if (digit >= base || __builtin_mul_overflow(sum, base, &sum) ||
            __builtin_add_overflow(sum, digit, &sum))
            return false;
    }
    *value = sum;
    return true;
}

/* How many digits stand at the text's beginning. */
static size_t count_digits(const char *text, const char *end)
{
    const char *at = text;

    while (at < end && ga__ascii_is_digit(*at))
        at++;
    return (size_t)(at - text);
}

static const char *skip_sign(const char *at, const char *end)
{
    return at < end && (*at == '+' || *at == '-') ? at + 1 : at;
}

/* Whether the text is of the grammar in the header. strtod takes more: blanks, infinities, hexadecimal. */
static bool is_double(const char *text, size_t size)
{
    const char *end = text + size;
    const char *at = skip_sign(text, end);
    size_t whole = count_digits(at, end);
    size_t part = 0;

    at += whole;
    if (at < end && *at == '.') {
        at++;
        part = count_digits(at, end);
        at += part;
    }
    if (whole + part == 0)
        return false;
    if (at < end && ga__ascii_lower(*at) == 'e') {
        at = skip_sign(at + 1, end);
        size_t exponent = count_digits(at, end);

        if (exponent == 0)
            return false;
        at += exponent;
    }
    return at == end;
}

bool ga__parse_double(const char *text, size_t size, double *value)
{
    char copy[101];

    if (size >= sizeof copy || !is_double(text, size))
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';

    /* A point is a point in every locale here. The "C" locale costs no memory and is never freed. */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double parsed = strtod_l(copy, NULL, c_locale);

    if (!isfinite(parsed))
        return false;
    *value = parsed;
    return true;
}

char *ga__put_decimal(char *at, uint64_t value)
{
    char digits[GA__DECIMAL_MAX];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (count)
        *at++ = digits[--count];
    return at;
}
