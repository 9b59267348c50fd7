/* SPDX-License-Identifier: MIT */
/*
 * From a body's bytes to UTF-8. The invariant: what comes out is valid UTF-8, whatever came in. UTF-8 and
 * Latin-1, which is nearly everything, are done here; the rest by iconv. Called by ga_text and ga_json.
 */
#include "protocol/charset.h"
#include "base/utf8.h"
#include "protocol/media_type.h"

#include <errno.h>
#include <iconv.h>

static const char utf8[] = GA__CHARSET_UTF8;
static const char latin1[] = "windows-1252";

/* The size of the byte order mark, and the encoding it stands for; 0 where there is none. */
static size_t find_mark(const char *body, size_t size, const char **encoding)
{
    if (size >= 3 && memcmp(body, "\xEF\xBB\xBF", 3) == 0) {
        *encoding = utf8;
        return 3;
    }
    if (size >= 2 && memcmp(body, "\xFE\xFF", 2) == 0) {
        *encoding = "UTF-16BE";
        return 2;
    }
    if (size >= 2 && memcmp(body, "\xFF\xFE", 2) == 0) {
        *encoding = "UTF-16LE";
        return 2;
    }
    return 0;
}

/* What the Content-Type says; NULL where it says nothing that is known. */
static const char *named_encoding(ga__slice content_type)
{
    ga__media_type media;
    char label[64];

    return ga__media_type_parse(&media, content_type.data, content_type.size) &&
                   ga__media_type_parameter(&media, "charset", label, sizeof label)
               ? ga__charset_find(ga__slice_of(label))
               : NULL;
}

/* Latin-1 is windows-1252 on the web (WHATWG Encoding, index windows-1252). */
static void decode_latin1(ga__buffer *out, const char *body, size_t size)
{
    static const uint16_t from_0x80[32] = {0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                           0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
                                           0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                           0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

    for (size_t at = 0; at < size;) {
        size_t run = at;

        while (run < size && (unsigned char)body[run] < 0x80)
            run++;
        ga__buffer_append(out, body + at, run - at);
        for (at = run; at < size && (unsigned char)body[at] >= 0x80; at++) {
            unsigned char byte = (unsigned char)body[at];

            ga__utf8_append(out, byte < 0xA0 ? from_0x80[byte - 0x80] : byte);
        }
    }
}

/* Runs iconv once over as much as it takes. @return 0, or the errno with which it stopped */
static int convert_some(iconv_t converter, ga__buffer *out, char **in, size_t *left)
{
    size_t room = *left + 64; /* for a shift sequence or a character, when nothing is left */
    char *at = ga__buffer_reserve(out, room);
    size_t room_left = room;
    /* Without input it writes what it holds back. */
    size_t result = at ? iconv(converter, *left ? in : NULL, left, &at, &room_left) : 0;

    if (!at)
        return ENOMEM;
    out->size += room - room_left;
    out->data[out->size] = '\0';
    return result == (size_t)-1 ? errno : 0;
}

/* `composes`: iconv holds letters back, since a mark may follow; they go before what cannot be read. */
static void convert(iconv_t converter, ga__buffer *out, const char *body, size_t size, size_t unit,
                    bool composes)
{
    char *in = (char *)(uintptr_t)body; /* iconv does not write to it */
    size_t left = size, none = 0;
    int stopped = 0;

    while (left > 0 && !out->failed) {
        stopped = convert_some(converter, out, &in, &left);
        if (stopped != 0 && stopped != E2BIG) {
            /* EILSEQ is something that is no character, EINVAL a character that the body's end cuts off. */
            size_t skipped = stopped == EINVAL || left < unit ? left : unit;

            if (composes)
                convert_some(converter, out, &in, &none);
            ga__buffer_add(out, GA__UTF8_REPLACEMENT);
            in += skipped;
            left -= skipped;
        }
    }
    if (!out->failed)
        convert_some(converter, out, &in, &left);
}

void ga__charset_decode(ga__buffer *out, ga__slice content_type, const char *fallback, const char *body,
                        size_t size)
{
    const char *encoding = NULL;
    size_t mark = find_mark(body, size, &encoding);
    iconv_t converter;

    if (mark == 0 && !(encoding = named_encoding(content_type)))
        encoding = fallback;
    body += mark;
    size -= mark;
    if (strcmp(encoding, latin1) == 0) {
        decode_latin1(out, body, size);
        return;
    }
    converter = strcmp(encoding, utf8) == 0 ? (iconv_t)-1 : iconv_open(utf8, encoding);
    if (converter == (iconv_t)-1) {
        ga__utf8_append_repaired(out, body, size);
        return;
    }
    convert(converter, out, body, size, strncmp(encoding, "UTF-16", 6) == 0 ? 2 : 1,
            strcmp(encoding, "CP1255") == 0 || strcmp(encoding, "CP1258") == 0);
    iconv_close(converter);
}

bool ga__charset_is_utf8(ga__slice content_type, const char *fallback, const char *body, size_t size)
{
    const char *encoding = NULL;

    if (find_mark(body, size, &encoding))
        return false;
    if (!(encoding = named_encoding(content_type)))
        encoding = fallback;
    if (strcmp(encoding, utf8) == 0)
        return ga__utf8_valid(body, size);
    return strcmp(encoding, latin1) == 0 && ga__ascii_only(body, size);
}
