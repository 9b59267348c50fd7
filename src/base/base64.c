/* SPDX-License-Identifier: MIT */
/*
 * Bytes as base64: three of them as four characters, "=" for what the last group lacks. For credentials,
 * the digests of keys, and bodies that are no text.
 */
#include "base/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void ga__base64_encode(ga__buffer *out, const void *data, size_t size)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i += 3) {
        unsigned left = size - i < 3 ? (unsigned)(size - i) : 3;
        unsigned group = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);

        for (unsigned digit = 0; digit < 4; digit++)
            ga__buffer_add_char(out, digit <= left ? alphabet[group >> (18 - 6 * digit) & 63] : '=');
    }
}

/* The size without padding, of which there may be as much as fills the last group. */
static size_t size_of_digits(ga__slice text)
{
    size_t size = text.size;

    for (int i = 0; i < 2 && size > 0 && text.size % 4 == 0 && text.data[size - 1] == '='; i++)
        size--;
    return size;
}

bool ga__base64_decode(ga__buffer *out, ga__slice text)
{
    size_t size = size_of_digits(text);
    uint32_t group = 0;

    for (size_t i = 0; i < size; i++) {
        const char *digit = text.data[i] ? strchr(alphabet, text.data[i]) : NULL;

        if (!digit)
            return false;
        group = group << 6 | (uint32_t)(digit - alphabet);
        if (i % 4 > 0)
            ga__buffer_add_char(out, (char)(group >> (6 - 2 * (i % 4))));
    }
    return size % 4 != 1 && !out->failed;
}
