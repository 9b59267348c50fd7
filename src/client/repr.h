/* SPDX-License-Identifier: MIT */
/*
 * Text as Python's repr() shows a string: for messages that equal aiohttp's.
 */
#ifndef GA__REPR_H
#define GA__REPR_H

#include "base/buffer.h"

/* Appends the text in quotes: single ones, or double ones where it has single and no double ones.
 * Backslashes, control characters and what cannot be printed are escaped; bytes that are not UTF-8 are shown
 * as the surrogates that Python's "surrogateescape" makes of them. */
void ga__repr(ga__buffer *out, const char *text);

#endif
