/* SPDX-License-Identifier: MIT */
#ifndef GA__FAILED_H
#define GA__FAILED_H

#include <stdio.h>

/* `gather failed OUT`: prints the rows of that job that failed, as JSON Lines that gather takes as its input.
 * @return the exit status: 0; 2 there is no such job; 4 it cannot be read or written; with `problem`, the
 * caller's to free, NULL without memory */
int ga__failed_run(const char *out, FILE *to, char **problem);

#endif
