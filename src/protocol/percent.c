/* SPDX-License-Identifier: MIT */
/*
 * Percent-encoding, after section 1.3 of the WHATWG URL standard. One table says for each byte in which
 * sets it is encoded; the URL parser, query parameters and form bodies all go through it.
 */
#include "protocol/percent.h"
#include "base/ascii.h"

enum {
    FRAGMENT = GA__PERCENT_FRAGMENT,
    QUERY = GA__PERCENT_QUERY,
    PATH = GA__PERCENT_PATH,
    USERINFO = GA__PERCENT_USERINFO,
    PARAMETER = GA__PERCENT_PARAMETER,
    PLUS = GA__PERCENT_PARAMETER | GA__PERCENT_FORM, /* the sets in which a blank is "+" */
    FORM = GA__PERCENT_FORM | GA__PERCENT_UNRESERVED,
    TEXT = PARAMETER | FORM, /* the sets for plain text */
    ALL = FRAGMENT | QUERY | PATH | USERINFO | TEXT
};

/* The sets in which a visible ASCII character is encoded; what is not listed stays in all of them. An
 * apostrophe in a parameter is encoded, which yarl does not do, since the standard's query set has it: the
 * URL is then the same when it is parsed again. */
static const unsigned char encoded_in[128] = {
    ['!'] = FORM,
    ['"'] = ALL,
    ['#'] = ALL & ~FRAGMENT,
    ['$'] = FORM,
    ['%'] = TEXT,
    ['&'] = TEXT,
    ['\''] = QUERY | TEXT,
    ['('] = FORM,
    [')'] = FORM,
    ['*'] = FORM,
    ['+'] = TEXT,
    [','] = FORM,
    ['/'] = USERINFO | FORM,
    [':'] = USERINFO | FORM,
    [';'] = USERINFO | TEXT,
    ['<'] = ALL,
    ['='] = USERINFO | TEXT,
    ['>'] = ALL,
    ['?'] = PATH | USERINFO | FORM,
    ['@'] = USERINFO | FORM,
    ['['] = USERINFO | TEXT,
    ['\\'] = USERINFO | TEXT,
    [']'] = USERINFO | TEXT,
    ['^'] = PATH | USERINFO | TEXT,
    ['`'] = FRAGMENT | PATH | USERINFO | TEXT,
    ['{'] = PATH | USERINFO | TEXT,
    ['|'] = USERINFO | TEXT,
    ['}'] = PATH | USERINFO | TEXT,
};

static bool is_encoded(char c, ga__percent_set set)
{
    unsigned char byte = (unsigned char)c;

    return byte <= ' ' || byte >= 0x7f || (encoded_in[byte] & set);
}

static bool is_plus(char c, ga__percent_set set)
{
    return c == ' ' && (set & PLUS);
}

size_t ga__percent_encoded_size(const char *bytes, size_t size, ga__percent_set set)
{
    size_t sum = size;

    for (size_t i = 0; i < size; i++)
        if (is_encoded(bytes[i], set) && !is_plus(bytes[i], set))
            sum += 2;
    return sum;
}

char *ga__percent_encode(char *out, const char *bytes, size_t size, ga__percent_set set)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < size; i++) {
        if (!is_encoded(bytes[i], set)) {
            *out++ = bytes[i];
        } else if (is_plus(bytes[i], set)) {
            *out++ = '+';
        } else {
            *out++ = '%';
            *out++ = hex[(unsigned char)bytes[i] >> 4];
            *out++ = hex[bytes[i] & 15];
        }
    }
    return out;
}

void ga__percent_append(ga__buffer *out, ga__slice text, ga__percent_set set)
{
    size_t size = ga__percent_encoded_size(text.data, text.size, set);
    char *at = ga__buffer_reserve(out, size);

    if (!at)
        return;
    *ga__percent_encode(at, text.data, text.size, set) = '\0';
    out->size += size;
}

void ga__percent_decode(ga__buffer *out, const char *bytes, size_t size)
{
    char *at = ga__buffer_reserve(out, size);

    if (!at)
        return;
    for (size_t i = 0; i < size; i++) {
        int high = bytes[i] == '%' && size - i > 2 ? ga__ascii_hex(bytes[i + 1]) : -1;
        int low = high >= 0 ? ga__ascii_hex(bytes[i + 2]) : -1;

        if (low >= 0) {
            *at++ = (char)(high << 4 | low);
            i += 2;
        } else {
            *at++ = bytes[i];
        }
    }
    *at = '\0';
    out->size = (size_t)(at - out->data);
}

void ga__percent_encode_pairs(ga__buffer *out, const ga_pair *pairs, ga__percent_set set)
{
    const char *separator = "";

    for (; pairs->name; pairs++) {
        if (!pairs->value)
            continue;
        ga__buffer_add(out, separator);
        ga__percent_append(out, ga__slice_of(pairs->name), set);
        ga__buffer_add_char(out, '=');
        ga__percent_append(out, ga__slice_of(pairs->value), set);
        separator = "&";
    }
}
