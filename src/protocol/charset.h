/* SPDX-License-Identifier: MIT */
/*
 * A body's text as UTF-8. What it is encoded in is said by its byte order mark, else by the charset of its
 * Content-Type, else it is UTF-8 (WHATWG Encoding, "decode"). Invalid bytes become U+FFFD; nothing fails but
 * memory.
 */
#ifndef GA__CHARSET_H
#define GA__CHARSET_H

#include "base/buffer.h"
#include "base/slice.h"

/* Whether the bytes are UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool ga__utf8_valid(const char *bytes, size_t size);

/* Whether the text is UTF-8 already, so that the body can be handed over as it stands.
 * `content_type` is the header's value, empty where there is none. */
bool ga__charset_is_utf8(ga__slice content_type, const char *body, size_t size);

/* Appends the body as UTF-8, without a byte order mark. A charset that is not known is taken for UTF-8. Check
 * out->failed. The first use of a charset other than UTF-8, UTF-16 and Latin-1 may load a table from disk
 * (iconv). */
void ga__charset_decode(ga__buffer *out, ga__slice content_type, const char *body, size_t size);

#endif
