/* SPDX-License-Identifier: MIT */
/*
 * Base64 (RFC 4648, 4), with padding.
 */
#ifndef GA__BASE64_H
#define GA__BASE64_H

#include "base/buffer.h"
#include "base/slice.h"
#include <stdbool.h>

void ga__base64_encode(ga__buffer *out, const void *bytes, size_t size);

/* Appends what the text says. False, with a part of it appended, for what is no base64; the padding may be
 * left out. */
bool ga__base64_decode(ga__buffer *out, ga__slice text);

#endif
