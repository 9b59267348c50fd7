/* SPDX-License-Identifier: MIT */
/* --log-json: a line of JSON for each event of a call, and for each record. */
#include "bulk/job_parts.h"

#include "base/clock.h"
#include "bulk/json.h"
#include <gather/trace.h>
#include <string.h>

static void begin_line(ga__buffer *line, const char *event)
{
    ga__buffer_add(line, "{\"at\":\"");
    ga__record_append_time(line, ga__wall_ms());
    ga__buffer_printf(line, "\",\"event\":\"%s\"", event);
}

static void add_text(ga__buffer *line, const char *name, ga__slice text)
{
    ga__buffer_printf(line, ",\"%s\":", name);
    ga__json_append_quoted(line, text);
}

/* One write a line: threads may write at once. */
static void write_line(const ga__job *job, ga__buffer *line)
{
    ga__buffer_add(line, "}\n");
    if (!line->failed)
        fwrite(line->data, 1, line->size, job->log);
    ga__buffer_free(line);
}

/* A URL whose template holds a secret is told up to its path. */
static ga__slice shown_url(const ga__job *job, const char *url)
{
    const ga__template *template = job->plan->url;
    const char *host = strstr(url, "://");

    if (!template || !ga__template_is_secret(template))
        return ga__slice_of(url);
    return (ga__slice){url, host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0};
}

/* It may have the URL in it. */
static void add_message(ga__buffer *line, const ga__job *job, const char *message)
{
    ga__buffer hidden = GA__BUFFER_INIT;

    ga__template_hide(job->plan->url, message, &hidden);
    line->failed |= hidden.failed;
    add_text(line, "message", (ga__slice){hidden.data, hidden.size});
    ga__buffer_free(&hidden);
}

void ga__job_log_event(void *arg, const ga_trace_event *event)
{
    static const char *const names[] = {[GA_TRACE_REDIRECT] = "redirect",
                                        [GA_TRACE_RETRY] = "retry",
                                        [GA_TRACE_ANSWER] = "answer",
                                        [GA_TRACE_FAILURE] = "failure"};
    ga__buffer line = GA__BUFFER_INIT;

    if ((size_t)event->kind >= sizeof names / sizeof *names || !names[event->kind])
        return;
    begin_line(&line, names[event->kind]);
    add_text(&line, "method", ga__slice_of(event->method ? event->method : ""));
    add_text(&line, "url", shown_url(arg, event->url));
    ga__buffer_printf(&line, ",\"attempt\":%d", event->attempt);
    if (event->status > 0)
        ga__buffer_printf(&line, ",\"status\":%d", event->status);
    if (event->kind == GA_TRACE_FAILURE) {
        add_text(&line, "code", ga__slice_of(ga_code_name(event->code)));
        add_message(&line, arg, event->message);
    }
    write_line(arg, &line);
}

void ga__job_log_record(ga__job *job, const ga__record *record)
{
    ga__buffer line = GA__BUFFER_INIT;

    if (!job->log)
        return;
    begin_line(&line, "record");
    ga__buffer_printf(&line, ",\"n\":%llu,\"ok\":%s,\"status\":%d,\"attempts\":%d",
                      (unsigned long long)record->n, record->ok ? "true" : "false", record->status,
                      record->attempts);
    if (record->id.size > 0) {
        ga__buffer_add(&line, ",\"id\":");
        ga__json_append_compact(&line, record->id);
    }
    if (!record->ok) {
        add_text(&line, "kind", ga__slice_of(ga__kind_name(record->kind)));
        add_text(&line, "message", ga__slice_of(record->message));
    }
    write_line(job, &line);
}
