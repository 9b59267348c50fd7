/* SPDX-License-Identifier: MIT */
/*
 * How far a job is, in three forms: a region of a terminal, a line for a person or a log, a JSON object.
 */
#ifndef GA__CLI_PROGRESS_H
#define GA__CLI_PROGRESS_H

#include "cli/pulse.h"
#include "cli/terminal.h"

/* Appends the region: at most as many lines as the terminal has rows but one, each below its width, with what
 * is left of an older line cleared. The cursor ends where it began, at the beginning of the first. */
void ga__progress_region(ga__buffer *out, const ga__job_status *status, const ga__pulse *pulse,
                         const ga__terminal *terminal);
/* Appends one line, without its LF. */
void ga__progress_line(ga__buffer *out, const ga__job_status *status, const ga__pulse *pulse);
/* Appends the object's members, without the braces: "seconds":20.1,"done":61240,... */
void ga__progress_json(ga__buffer *out, const ga__job_status *status, const ga__pulse *pulse);

#endif
