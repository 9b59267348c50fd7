/* SPDX-License-Identifier: MIT */
/*
 * A bulk job: the rows of an input, a call each (or a call a page), a record each. Of the library it uses
 * what its public headers offer, and nothing else.
 *
 * ga__job_new says all that can be said before the first call; ga__job_run runs the job, on as many loops as
 * it has threads: all of them take rows from one input, keep to one pace, and write to one journal.
 */
#ifndef GA__JOB_H
#define GA__JOB_H

#include "bulk/journal.h"
#include "bulk/stats.h"
#include <gather/base.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct ga__job ga__job;

/* A rate as it was written: `count` each `seconds`; count 0: none. */
typedef struct ga__rate {
    double count, seconds;
} ga__rate;

/* What to do. Strings and arrays are borrowed as long as the job is there; arrays end with NULL. Whoever
 * makes one begins with ga__job_defaults. */
typedef struct ga__job_options {
    /* the input */
    const char *const *inputs; /* URLs, files, "-" */
    bool no_globs;
    uint64_t limit;         /* rows; 0: all */
    uint32_t shard, shards; /* the rows whose key falls to this part, from 1, of so many; 0: all */

    /* the request; texts are templates (bulk/template.h) */
    const char *method; /* NULL: GET, or POST with a body */
    const char *url_template, *base_url;
    const char *const *headers; /* "Name: value"; "Name:" takes a default away */
    const char *data;           /* a form as a body */
    const char *json;           /* a JSON body */
    const char *const *form;    /* multipart: "name=value", "name=@file" */
    const char *user;           /* "name:password" */
    const char *user_agent;
    const char *id;          /* a column, or a path into a JSON row */
    const char *const *keep; /* columns, or members */

    /* how servers are reached */
    const char *proxy, *no_proxy, *unix_socket, *ca_file, *ca_path, *cert_file, *key_file, *local_address;
    const char *const *connect_to,
        *const *resolve; /* as curl's: "HOST1:PORT1:HOST2:PORT2", "HOST:PORT:ADDRESS" */
    bool insecure, follow, no_compressed;
    int max_redirects;
    int http; /* 0, 11, 2 */

    /* the pace */
    int concurrency, per_host, burst;
    ga__rate rate, rate_per_host, tokens;
    bool no_adapt;

    /* failures; times in seconds */
    int retries;
    double retry_max_time, connect_timeout, max_time, max_wait;
    int64_t max_body;
    const char *expect;
    bool idempotent, idempotency_keys;
    double max_errors; /* a number of rows; or, with max_errors_share, a share (0.5) of the last 100. 0: no
                          bound */
    bool max_errors_share;

    /* the output */
    const char *output; /* NULL: standard output; a file; or, with a column in braces, a template of files */
    bool raw, ordered, with_headers, no_body;
    const char *const *extract; /* "NAME=PATH" */
    const char *failed_out, *table;

    /* paging */
    const char *next, *items; /* "link", or a path; a path */
    uint32_t max_pages;       /* 0: all */

    /* the run */
    bool resume, retry_failed, fresh;
    ga__sync sync;
    double max_duration; /* 0: none */
    int threads;
    bool trace;
    const char *log;     /* a file for a line of JSON for each event; NULL: none */
    const char *metrics; /* a file that has the numbers in Prometheus' format, written anew every 10 s and at
                            the end */
} ga__job_options;

/* 20 at once, burst 1, 4 retries, 10 s to connect, 60 s in all, 16 MiB of a body, 900 s of a wait that a
 * server asks for, half of the last 100 rows, 10 redirects (where they are followed), one thread. */
extern const ga__job_options ga__job_defaults;

/* What the job is doing now. It is large: not for a task's stack. */
typedef struct ga__job_status {
    ga__stats stats;       /* of this run, all loops together; stats.skipped were done before */
    uint64_t total;        /* rows of the input; 0: not known yet */
    double input_progress; /* of the files' bytes, from 0 to 1, while the total is not known; negative: nor is
                              that */
    uint64_t in_flight;    /* calls under way */
    uint64_t waiting;      /* calls that wait for the pace */
    double seconds;        /* since this run began */
    double rate;           /* requests per second that the pace lets through now; 0: no limit */
    char pause[160];       /* what the pace waits for, for a person: "api.example cools down for 42 s"; "" */
    bool stopping;         /* no new rows are begun */
    bool kept;             /* there is a journal to go on from */
} ga__job_status;

/* Checks all that can be checked, and opens input, journal and output.
 * @return the job, to be run once and freed; NULL with `problem`, the caller's to free (NULL without memory),
 * and the exit status, 2 or 4, in *code */
ga__job *ga__job_new(const ga__job_options *options, int *code, char **problem);
/* The same for a dry run: neither journal nor output is touched. */
ga__job *ga__job_new_dry(const ga__job_options *options, int *code, char **problem);
void ga__job_free(ga__job *job);

/* Prints the first `count` requests as they would be sent, secrets by their names, and how long the job takes
 * at its pace. Sends nothing. @return the exit status, with `problem` as above */
int ga__job_dry_run(ga__job *job, FILE *out, int count, char **problem);

/* Runs the job to its end, on loops that it makes. Each so many seconds it looks whether it is to stop and
 * what is to be written, and calls `watch`, unless that is NULL, on the calling thread, from a task; it may
 * not suspend.
 * @return the exit status: 0 all rows ok; 1 some failed; 2 the input is wrong; 3 stopped, but to be gone on
 * with; 4 output or journal cannot be written. `reason`: why it ended before the input did and what to do,
 * for a person, the caller's to free; or NULL */
int ga__job_run(ga__job *job, double each, void (*watch)(void *arg, ga__job *job), void *arg, char **reason);

/* From `watch`, and after the run. */
void ga__job_look(ga__job *job, ga__job_status *status);

/* From a signal's handler: the first begins no new rows and gives those in flight 30 s; the second ends them
 * at once. */
void ga__job_stop(ga__job *job);

#endif
