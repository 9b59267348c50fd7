/* SPDX-License-Identifier: MIT */
/*
 * A body's text as UTF-8. What it is encoded in is said by its byte order mark, else by the charset of its
 * Content-Type, else by the caller's `fallback`, a name that ga__charset_find gave (WHATWG Encoding,
 * "decode"). Invalid bytes become U+FFFD; nothing fails but memory.
 */
#ifndef GA__CHARSET_H
#define GA__CHARSET_H

#include "base/buffer.h"
#include "base/slice.h"

/* Whether the text is UTF-8 already, so that the body can be handed over as it stands.
 * `content_type` is the header's value, empty where there is none. */
bool ga__charset_is_utf8(ga__slice content_type, const char *fallback, const char *body, size_t size);

/* Appends the body as UTF-8, without a byte order mark. A charset that is not known is none. Check
 * out->failed. The first use of a charset other than UTF-8, UTF-16 and Latin-1 may load a table from disk
 * (iconv). */
void ga__charset_decode(ga__buffer *out, ga__slice content_type, const char *fallback, const char *body,
                        size_t size);

/* The fallback of who has no other. */
#define GA__CHARSET_UTF8 "UTF-8"

/* The name by which iconv knows the encoding that a label stands for (WHATWG Encoding, 4.2, blanks around it
 * and case do not matter): "UTF-8" for UTF-8, "windows-1252" for Latin-1 and ASCII as well. NULL for a label
 * that is not in the standard's list, so that nothing else from the network reaches iconv. */
const char *ga__charset_find(ga__slice label);

#endif
