/* SPDX-License-Identifier: MIT */
/*
 * Bytes as base64: three of them as four characters, "=" for what the last group lacks. For credentials and
 * the digests of keys.
 */
#include "base/base64.h"

void ga__base64_encode(ga__buffer *out, const void *data, size_t size)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i += 3) {
        unsigned left = size - i < 3 ? (unsigned)(size - i) : 3;
        unsigned group = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);

        for (unsigned digit = 0; digit < 4; digit++)
            ga__buffer_add_char(out, digit <= left ? alphabet[group >> (18 - 6 * digit) & 63] : '=');
    }
}
