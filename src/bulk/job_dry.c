/* SPDX-License-Identifier: MIT */
/*
 * A dry run: the first requests as they would be sent, and how long the job takes at its pace. The session
 * makes each request whole, and a function answers it in the network's place.
 */
#include "bulk/job_parts.h"

#include <gather/mock.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct dry_run {
    ga__job *job;
    FILE *out;
    int wanted, shown;
    uint64_t rows, bad;
    double cost; /* tokens of all rows */
    char *problem;
} dry_run;

/* In the network's place. */
static int show(void *arg, ga_call *call)
{
    const dry_run *self = arg;
    char *text = ga_call_text(call, 0);

    if (!text)
        return ga_error()->code;
    fprintf(self->out, "%s\n", text);
    free(text);
    return 0;
}

static void show_row(dry_run *self, ga_session *session, const ga__row *row)
{
    char key[GA__IDEMPOTENCY_KEY_SIZE];
    ga_request_options options;

    self->shown++;
    fprintf(self->out, "# row %llu%s%s%s%.*s\n", (unsigned long long)row->n, row->file ? ", " : "",
            row->file ? row->file : "", row->id.size > 0 ? ", id " : "", (int)row->id.size,
            row->id.data ? row->id.data : "");
    if (row->problem) {
        fprintf(self->out, "# cannot be called: %s\n\n", row->problem);
        return;
    }
    ga__row_request(self->job, row, true, row->url, key, &options);
    options.cost = 0; /* nothing is spent */
    ga_response *response = ga_request_with(session, row->method, &options);

    if (!response)
        fprintf(self->out, "# cannot be called: %s\n\n", ga_error_message());
    ga_response_free(response);
}

static void show_rows(dry_run *self, ga_session *session)
{
    for (;;) {
        ga__pulled next = {.job = self->job};

        ga__job_pull(&next);
        self->problem = next.problem;
        if (next.code <= 0 || next.verdict == GA__VERDICT_NO_MEMORY)
            return;
        self->rows++;
        self->bad += next.row.problem != NULL;
        self->cost += next.row.cost;
        if (self->shown < self->wanted)
            show_row(self, session, &next.row);
        ga__row_free(&next.row);
    }
}

static int run(void *arg)
{
    dry_run *self = arg;
    ga_session *session = ga__job_new_session(self->job, show, self);

    if (session)
        show_rows(self, session);
    else
        self->problem = strdup(ga_error_message());
    ga_session_free(session);
    return 0;
}

static double seconds_for(const ga__rate *rate, double units)
{
    return rate->count > 0 ? units * rate->seconds / rate->count : 0;
}

/* The limits of a host count as if all rows went to one. */
static void tell_estimate(const dry_run *self)
{
    const ga__job_options *options = &self->job->options;
    double rows = (double)self->rows;
    double seconds = fmax(seconds_for(&options->rate, rows), seconds_for(&options->tokens, self->cost));
    unsigned long long whole = (unsigned long long)ceil(fmin(seconds, 1e15));

    fprintf(self->out, "# %llu rows", (unsigned long long)self->rows);
    if (self->bad > 0)
        fprintf(self->out, ", %llu of which cannot be called", (unsigned long long)self->bad);
    if (whole > 0)
        fprintf(self->out, "; at least %llu h %02llu min %02llu s at this pace", whole / 3600,
                whole / 60 % 60, whole % 60);
    fputs("; nothing was sent\n", self->out);
}

int ga__job_dry_run(ga__job *job, FILE *out, int count, char **problem)
{
    dry_run self = {.job = job, .out = out, .wanted = count};

    ga_pace_free(job->pace); /* nothing is sent, so nothing waits */
    job->pace = NULL;
    job->plan->redacted = true;
    ga_run(run, &self);
    *problem = self.problem;
    if (self.problem)
        return 2;
    tell_estimate(&self);
    return 0;
}
