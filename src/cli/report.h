/* SPDX-License-Identifier: MIT */
/*
 * `gather report OUT`: how a job went, or goes, as its journal has it. Memory does not grow with the journal.
 */
#ifndef GA__REPORT_H
#define GA__REPORT_H

#include "bulk/journal.h"
#include <stdio.h>

/* Prints the report on the job with the output `output` to `to`, at its terminal's width (80 columns where it
 * is none); where `html` is not NULL, writes it as a page to that file instead.
 * @return the exit status: 0; 2 there is no such job; 4 it cannot be read or written; with `problem`, the
 * caller's to free, NULL without memory */
int ga__report_run(const char *output, const char *html, FILE *to, char **problem);

/* Opens the journal of the job with this output, to read it. Where there is none, it says what to look for
 * instead of which file could not be opened.
 * @return NULL with `problem` and the exit status, as above */
ga__journal *ga__report_journal(const char *output, int *code, char **problem);

#endif
