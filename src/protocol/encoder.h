/* SPDX-License-Identifier: MIT */
/*
 * Applying a content coding to a whole body, for requests.
 */
#ifndef GA__ENCODER_H
#define GA__ENCODER_H

#include "base/buffer.h"
#include "protocol/coding.h"

/* Appends the coded content, each library at the level that it takes for a good middle. Check out->failed: no
 * memory. Costs time in proportion to the size, some 20 ms a MiB. */
void ga__encode(ga__buffer *out, ga__coding coding, const void *content, size_t size);

#endif
