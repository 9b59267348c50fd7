/* SPDX-License-Identifier: MIT */
/*
 * What a person sees of a job while it runs, and when it has ended; all of it on standard error, since
 * standard output carries data only.
 *
 * On a terminal a region of a few lines is drawn anew up to ten times a second. Between two drawings the
 * cursor stands, shown, at the region's beginning. So whatever comes in between, a resize, ^C, ^Z, the end of
 * the process, nothing has to be undone: what is written next stands above the region, or clears it.
 */
#ifndef GA__SCREEN_H
#define GA__SCREEN_H

#include <gather/base.h>
#include <stdbool.h>
#include <stdio.h>

struct ga__job_options;
struct ga__job_status;

typedef struct ga__screen ga__screen;

/* How progress is shown. In the order in which the option --progress names them. */
typedef enum ga__screen_mode {
    GA__SCREEN_AUTO,  /* a live region on a terminal that is not "dumb", else as PLAIN */
    GA__SCREEN_PLAIN, /* a line every 30 s */
    GA__SCREEN_JSON,  /* a line of JSON every 10 s, and one at the end */
    GA__SCREEN_NONE   /* only the summary */
} ga__screen_mode;

typedef struct ga__screen_options {
    ga__screen_mode mode;
    bool quiet;                        /* neither progress nor summary: only why a job ended early */
    bool verbose;                      /* the summary tells more */
    FILE *err;                         /* where to; NULL: standard error */
    const struct ga__job_options *job; /* borrowed: where the output goes, what was asked for; or NULL */
    int columns, rows; /* 0: what the terminal says at each drawing; else a live region of that
                          size, for tests */
} ga__screen_options;

/* @return the screen, for ga__screen_end to free; NULL without memory. All that follows takes NULL. */
ga__screen *ga__screen_new(const ga__screen_options *options);

/* How often it is to be drawn, in seconds: a region ten times a second; else as often as what the job does
 * each time is worth it, since nobody looks. */
double ga__screen_each(const ga__screen *screen);

/* Called that often while the job runs. From a task: it does not suspend. The clock is the status' own. */
void ga__screen_draw(ga__screen *screen, const struct ga__job_status *status);

/* One line about the job as it stands, at once and whatever the mode: somebody sent SIGUSR1. */
void ga__screen_tell(ga__screen *screen, const struct ga__job_status *status);

/* A line for a person, above the region. Its LF is added. */
void ga__screen_say(ga__screen *screen, const char *format, ...) GA_PRINTF(2, 3);

/* Takes the live region away, says how it went, and frees the screen. `code` is the exit status; `reason`
 * why the job ended before its input did, or NULL. */
void ga__screen_end(ga__screen *screen, const struct ga__job_status *status, int code, const char *reason);

/* Leaves the terminal as it was found, from a signal's handler that is about to end the process. */
void ga__screen_abandon(void);

#endif
