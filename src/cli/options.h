/* SPDX-License-Identifier: MIT */
/*
 * What the command is asked for: by its arguments; for what they do not say, by a file of configuration; and
 * for what neither does, by the environment.
 */
#ifndef GA__OPTIONS_H
#define GA__OPTIONS_H

#include "bulk/job.h"
#include "cli/option.h"
#include "cli/screen.h"

typedef enum ga__command {
    GA__COMMAND_RUN,
    GA__COMMAND_REPORT,
    GA__COMMAND_FAILED,
    GA__COMMAND_HELP,
    GA__COMMAND_VERSION,
    GA__COMMAND_COMPLETION,
    GA__COMMAND_USAGE /* nothing was asked for */
} ga__command;

/* Where an option was given: a later place goes before an earlier one. */
typedef enum ga__option_place {
    GA__PLACE_NONE,
    GA__PLACE_ENVIRONMENT,
    GA__PLACE_CONFIG,
    GA__PLACE_ARGUMENTS
} ga__option_place;

typedef struct ga__options {
    ga__job_options job;
    ga__command command;
    const char *out;   /* of report and failed: the job's output */
    const char *html;  /* of report; or NULL */
    const char *topic; /* of help: "all", an option's name; or NULL */
    int shell;         /* of completion: its place among the choices */
    const char *config;
    const char *bearer, *cookie; /* they become headers */
    bool dry_run, quiet, verbose;
    int progress; /* a ga__screen_mode */

    /* for those that read them: */
    unsigned char given[GA__OPTIONS_MOST]; /* for each of the table, a ga__option_place */
    unsigned char *header_places;          /* for each of job.headers */
    size_t input_count;
    char **owned; /* texts that were made */
    size_t owned_count;
    const char *input_user; /* whose value is standard input, which can be read but once */
} ga__options;

/* Reads it all. Texts of `argv` are borrowed, but for passwords, which are copied and overwritten there.
 * @return whether it makes sense; if not, `problem` says what is wrong and what to do, and is the caller's to
 * free, NULL without memory. Either way ga__options_free is to be called. */
bool ga__options_read(ga__options *options, int argc, char **argv, char **problem);
void ga__options_free(ga__options *options);

/* --- for the parts ------------------------------------------------------------------------------- */

/* Gives an option its value, NULL for a switch, unless a later place has. `on`: of a switch.
 * @return false with `problem`, which begins with what was expected */
bool ga__options_set(ga__options *options, const ga__option *option, ga__option_place place, bool on,
                     char *value, char **problem);
/* The same with the value of a name in a file or a variable: "true" or "no" for a switch. */
bool ga__options_set_text(ga__options *options, const ga__option *option, ga__option_place place, char *value,
                          char **problem);
bool ga__options_read_config(ga__options *options, char **problem);
bool ga__options_read_environment(ga__options *options, char **problem);
/* What cannot be together, and what is of no use alone. */
bool ga__options_agree(ga__options *options, char **problem);

/* The place where an option was given; GA__PLACE_NONE also for a switch that is off. */
ga__option_place ga__options_given(const ga__options *options, const char *name);
/* Makes a text the options'. @return it; NULL without memory, or where it is NULL */
char *ga__options_own(ga__options *options, char *text);
/* A file, "-" being standard input, as a string that is the options'; NULL with `problem`. Without `size` it
 * may have no NUL. */
char *ga__options_read_file(ga__options *options, const char *path, size_t *size, char **problem);

#endif
