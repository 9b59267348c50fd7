/* SPDX-License-Identifier: MIT */
/*
 * What went wrong, told by whoever found it to whoever can do something about it, in words for a person.
 */
#ifndef GA__PROBLEM_H
#define GA__PROBLEM_H

#include <gather/base.h>

/* Makes *problem the text, the caller's to free; NULL without memory. @return `result`, which is what the
 * caller returns: false, or a code */
int ga__say(int result, char **problem, const char *format, ...) GA_PRINTF(3, 4);

#endif
