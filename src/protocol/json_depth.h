/* SPDX-License-Identifier: MIT */
/*
 * How deep JSON nests, told before it is parsed: jansson parses and frees by recursion, some 320 bytes of
 * stack a level, and a task's stack is small.
 */
#ifndef GA__JSON_DEPTH_H
#define GA__JSON_DEPTH_H

#include "base/slice.h"
#include <stdbool.h>

/* Levels that a task's stack bears, with room for what is called before and after. */
enum { GA__JSON_DEEPEST = 100 };

/* Whether the text, taken as JSON, nests deeper than that. What is not JSON may be judged either way. */
bool ga__json_too_deep(ga__slice text);

#endif
