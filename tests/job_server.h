/* SPDX-License-Identifier: MIT */
/*
 * A scripted server for whole jobs, on a loop and a thread of its own, and what the tests of jobs share. The
 * server's answer depends on the path alone; "/ok/1" is answered with 200 and {"path":"/ok/1"}.
 *
 *     char *rows = write_rows("\"/ok/%d\"\n", 300), *output = check_path("all.jsonl");
 *
 *     free(job_run(job_to(output), rows, 0));
 *     assert_int_equal(job_requests, 300);
 *     check_records(output, 300);
 */
#ifndef JOB_SERVER_H
#define JOB_SERVER_H

#include "check.h"

#include "bulk/job.h"
#include <stdatomic.h>

/* A group's set-up and tear-down: the shared directory of check.h, and the server. */
int job_set_up(void **state);
int job_tear_down(void **state);

extern char job_base[128];      /* the server's URL, "http://127.0.0.1:PORT" */
extern atomic_int job_requests; /* that it got since the last run began */

/* Writes rows of that form, with %d for their numbers from 1, and gives the name of their file, the caller's
 * to free. */
char *write_rows(const char *form, int count);

/* The default options, with this output, which is begun anew. */
ga__job_options job_to(char *output);

/* Runs a job on the rows of a file; it must end with the expected exit status. With `watch`, that is called
 * ten times a second. @return why the job ended early, the caller's to free; or NULL */
char *job_run(ga__job_options options, const char *rows, int expected);
char *job_run_watched(ga__job_options options, const char *rows, int expected,
                      void (*watch)(void *arg, ga__job *job));

/* How often the part is in the text. */
int count_of(const char *text, const char *part);

/* The output has so many records, one for each row. */
void check_records(const char *output, int count);

#endif
