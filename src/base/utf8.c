/* SPDX-License-Identifier: MIT */
/*
 * Checking and repairing UTF-8. Most text is ASCII for the most part, so runs of it are passed eight bytes at
 * a time.
 */
#include "base/utf8.h"

#include "base/ascii.h"
#include <string.h>

/* How many bytes at the beginning are ASCII; may stop short of the run's end by less than eight. */
static size_t ascii_run(const char *bytes, size_t size)
{
    size_t at = 0;

    for (uint64_t word; size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        if (word & 0x8080808080808080)
            break;
    }
    return at;
}

/* The length of the sequence at the beginning of the bytes, of which there is one at least. Where it is not
 * valid: how many bytes one replacement character stands for. */
static size_t sequence(const char *bytes, size_t size, bool *valid)
{
    const unsigned char *at = (const unsigned char *)bytes;
    unsigned char lead = at[0];
    unsigned char low = 0x80; /* the bounds of the second byte, then of the others */
    unsigned char high = 0xBF;
    size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

    *valid = lead < 0x80 || (lead >= 0xC2 && lead <= 0xF4);
    if (!*valid)
        return 1;
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F;
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;

    for (size_t i = 1; i < length; i++) {
        if (i == size || at[i] < low || at[i] > high) {
            *valid = false;
            return i;
        }
        low = 0x80;
        high = 0xBF;
    }
    return length;
}

/* How many bytes at the beginning are valid. */
static size_t valid_run(const char *bytes, size_t size)
{
    size_t at = 0;
    bool valid = true;

    while (at < size) {
        at += ascii_run(bytes + at, size - at);
        /* To the end of the word where the run stopped, so that the fast loop is not entered for each
         * character. */
        for (size_t stop = at + 8; at < size && at < stop;) {
            size_t length = sequence(bytes + at, size - at, &valid);

            if (!valid)
                return at;
            at += length;
        }
    }
    return at;
}

bool ga__utf8_valid(const char *bytes, size_t size)
{
    return valid_run(bytes, size) == size;
}

bool ga__ascii_only(const char *bytes, size_t size)
{
    for (size_t at = ascii_run(bytes, size); at < size; at++)
        if ((unsigned char)bytes[at] >= 0x80)
            return false;
    return true;
}

void ga__utf8_append_repaired(ga__buffer *out, const char *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t run = valid_run(bytes + at, size - at);
        bool valid;

        ga__buffer_append(out, bytes + at, run);
        at += run;
        if (at < size) {
            at += sequence(bytes + at, size - at, &valid);
            ga__buffer_add(out, GA__UTF8_REPLACEMENT);
        }
    }
}

void ga__utf8_append_clean(ga__buffer *out, ga__slice text)
{
    const char *end = text.size > 0 ? text.data + text.size : text.data;

    for (const char *at = text.data; at < end; at++) {
        bool c1 = ga__utf8_is_c1(at, end);

        ga__buffer_add_char(out, ga__ascii_is_control(*at) || c1 ? '?' : *at);
        at += c1;
    }
}

size_t ga__utf8_encode(char bytes[4], uint32_t code_point)
{
    size_t size = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};

    for (size_t i = size - 1; i > 0; i--, code_point >>= 6)
        bytes[i] = (char)(0x80 | (code_point & 0x3F));
    bytes[0] = (char)(lead[size] | code_point);
    return size;
}

void ga__utf8_append(ga__buffer *out, uint32_t code_point)
{
    char bytes[4];
    size_t size = ga__utf8_encode(bytes, code_point);

    ga__buffer_append(out, bytes, size);
}
