/* SPDX-License-Identifier: MIT */
/*
 * Python's repr() of a string. Called where a reason phrase goes into ga_raise_for_status' message, so the
 * text is of the server's choosing: nothing that it holds reaches a terminal unescaped.
 */
#include "client/repr.h"

#include "base/slice.h"
#include "base/utf8.h"

/* What Python's str.isprintable denies: controls, separators but the blank, formats, surrogates, private use
 * and unassigned planes; in ranges, without the few that lie singly among letters. */
static bool is_printable(uint32_t c)
{
    static const uint32_t hidden[][2] = {
        {0x00, 0x1f},     {0x7f, 0xa0},     {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},
        {0x6dd, 0x6dd},   {0x70f, 0x70f},   {0x1680, 0x1680},   {0x180e, 0x180e},   {0x2000, 0x200f},
        {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000},   {0xd800, 0xf8ff},   {0xfeff, 0xfeff},
        {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0x1d173, 0x1d17a}, {0xe0000, 0xe00ff}, {0xe01f0, 0x10ffff},
    };

    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (c >= hidden[i][0] && c <= hidden[i][1])
            return false;
    return true;
}

/* The size of the sequence that begins with this byte; 0 where none does. */
static size_t sequence_size(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* The character at `text`; *size is 0 where it is not UTF-8. */
static uint32_t decode(const char *text, size_t left, size_t *size)
{
    const unsigned char *bytes = (const unsigned char *)text;

    *size = sequence_size(bytes[0]);
    if (*size == 0 || *size > left || !ga__utf8_valid(text, *size)) {
        *size = 0;
        return 0;
    }
    uint32_t c = *size == 1 ? bytes[0] : bytes[0] & (0x7fu >> *size);

    for (size_t i = 1; i < *size; i++)
        c = c << 6 | (bytes[i] & 0x3f);
    return c;
}

static void add_escaped(ga__buffer *out, uint32_t c)
{
    if (c == '\n')
        ga__buffer_add(out, "\\n");
    else if (c == '\r')
        ga__buffer_add(out, "\\r");
    else if (c == '\t')
        ga__buffer_add(out, "\\t");
    else
        ga__buffer_printf(out, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
}

void ga__repr(ga__buffer *out, const char *text)
{
    char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';
    size_t left = strlen(text), size;

    ga__buffer_add_char(out, quote);
    for (; left > 0; text += size, left -= size) {
        uint32_t c = decode(text, left, &size);

        if (size == 0) {
            ga__buffer_printf(out, "\\udc%02x", (unsigned char)*text);
            size = 1;
        } else if (c == (uint32_t)quote || c == '\\') {
            ga__buffer_add_char(out, '\\');
            ga__buffer_add_char(out, (char)c);
        } else if (!is_printable(c)) {
            add_escaped(out, c);
        } else {
            ga__buffer_append(out, text, size);
        }
    }
    ga__buffer_add_char(out, quote);
}
