/* SPDX-License-Identifier: MIT */
/* A histogram of durations, drawn in lines of text: its bounds are round and a constant factor apart. */
#ifndef GA__HISTOGRAM_H
#define GA__HISTOGRAM_H

#include "bulk/stats.h"
#include "cli/terminal.h"

/* Appends a line for each step, with its lower bound, a bar, how many there are and their share: in about 20
 * lines of the terminal's width. Nothing where there are no durations. */
void ga__histogram_append(ga__buffer *out, const ga__durations *durations, const ga__terminal *terminal);

#endif
