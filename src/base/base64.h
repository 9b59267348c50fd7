/* SPDX-License-Identifier: MIT */
/*
 * Base64 (RFC 4648, 4), with padding.
 */
#ifndef GA__BASE64_H
#define GA__BASE64_H

#include "base/buffer.h"

void ga__base64_encode(ga__buffer *out, const void *bytes, size_t size);

#endif
