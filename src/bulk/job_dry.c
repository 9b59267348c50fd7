/* SPDX-License-Identifier: MIT */
/*
 * A dry run: the first requests as they would be sent, and how long the job takes at its pace. The session
 * makes each request whole, and a function answers it in the network's place.
 */
#include "bulk/job_parts.h"

#include "base/utf8.h"
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
    int code;    /* the exit status */
    char *problem;
} dry_run;

/* The run ends with that; NULL is for want of memory. */
static void end_run(dry_run *self, int code, char *problem)
{
    self->code = code;
    self->problem = problem;
}

/* What a row says, which may be anything, keeps its lines and tabs, and does nothing to a terminal. */
static void print_clean(dry_run *self, const char *text)
{
    ga__buffer clean = GA__BUFFER_INIT;

    while (*text) {
        size_t size = strcspn(text, "\n\t");

        ga__utf8_append_clean(&clean, (ga__slice){text, size});
        ga__buffer_append(&clean, text + size, text[size] != '\0');
        text += size + (text[size] != '\0');
    }
    if (clean.failed)
        end_run(self, 4, NULL);
    fputs(clean.data ? clean.data : "", self->out);
    ga__buffer_free(&clean);
}

/* In the network's place. */
static int show(void *arg, ga_call *call)
{
    dry_run *self = arg;
    char *text = ga_call_text(call, 0);

    if (!text)
        return ga_error()->code;
    print_clean(self, text);
    fputs("\n", self->out);
    free(text);
    return 0;
}

static void print_head(dry_run *self, const ga__row *row)
{
    ga__buffer head = GA__BUFFER_INIT;

    ga__buffer_printf(&head, "# row %llu%s%s", (unsigned long long)row->n, row->file ? ", " : "",
                      row->file ? row->file : "");
    if (row->id.size > 0)
        ga__buffer_printf(&head, ", id %s", row->id.data);
    print_clean(self, head.data ? head.data : "");
    fputs("\n", self->out);
    if (head.failed)
        end_run(self, 4, NULL);
    ga__buffer_free(&head);
}

static void print_refusal(dry_run *self, const char *why)
{
    fputs("# cannot be called: ", self->out);
    print_clean(self, why);
    fputs("\n\n", self->out);
}

static void show_row(dry_run *self, ga_session *session, const ga__row *row)
{
    char key[GA__IDEMPOTENCY_KEY_SIZE];
    ga_request_options options;

    self->shown++;
    print_head(self, row);
    if (row->problem) {
        print_refusal(self, row->problem);
        return;
    }
    ga__row_request(self->job, row, true, row->url, key, &options);
    options.cost = 0; /* nothing is spent */
    ga_response *response = ga_request_with(session, row->method, &options);

    if (!response && ga_error()->code == GA_ENOMEM)
        end_run(self, 4, NULL);
    else if (!response)
        print_refusal(self, ga_error_message());
    ga_response_free(response);
}

static void show_rows(dry_run *self, ga_session *session)
{
    while (self->code == 0) {
        ga__pulled next = {.job = self->job};

        ga__job_pull(&next);
        if (next.code < 0)
            end_run(self, 2, next.problem);
        else if (next.code > 0 && next.verdict == GA__VERDICT_NO_MEMORY)
            end_run(self, 4, NULL);
        if (next.code <= 0 || self->code != 0) {
            ga__row_free(&next.row);
            return;
        }
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
        end_run(self, 2, strdup(ga_error_message()));
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
    if (ga_run(run, &self) < 0)
        end_run(&self, 4, strdup(ga_error_message()));
    *problem = self.problem;
    if (self.code == 0)
        tell_estimate(&self);
    return self.code;
}
