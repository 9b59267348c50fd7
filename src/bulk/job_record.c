/* SPDX-License-Identifier: MIT */
/* From a call and its answer to the record's members. */
#include "bulk/job_parts.h"

#include "base/ascii.h"
#include "base/number.h"
#include "base/utf8.h"
#include "bulk/json.h"
#include "protocol/media_type.h"
#include <gather/trace.h>
#include <stdio.h>
#include <string.h>

ga__record ga__record_begin(const ga__row_call *call)
{
    const ga__row *row = &call->row;
    const ga__plan *plan = call->lane->job->plan;

    return (ga__record){
        .id = row->id,
        .n = row->n,
        .method = ga__slice_of(row->method ? row->method : ""),
        .url = ga__slice_of(ga__row_shown_url(row)),
        .at = call->first_sent_ms,
        .wait_ms = -1,
        .ttfb_ms = -1,
        .total_ms = -1,
        .keep = row->keep ? row->keep : plan->like.keep, /* the names, with nothing */
        .keep_count = plan->keep_count,
        .meta = row->meta,
        .stage = "",
        .message = "",
    };
}

void ga__record_tell_times(ga__record *record, const ga__row_call *call, const ga_response *response)
{
    double now = ga__job_now(), sent = call->sent_at > 0 ? call->sent_at : now;
    ga_timings timings;

    record->at = call->first_sent_ms;
    record->wait_ms = (sent - call->called_at) * 1000;
    if (call->sent_at > 0)
        record->total_ms = (now - call->sent_at) * 1000;
    if (!response)
        return;
    ga_response_timings(response, &timings);
    record->wait_ms = (timings.phases[GA_PHASE_PACE] + timings.phases[GA_PHASE_POOL]) * 1000;
    record->ttfb_ms = (call->answered_at - sent) * 1000;
}

const char *ga__record_hide(ga__row_call *call, const char *text)
{
    ga__buffer hidden = GA__BUFFER_INIT;

    ga__template_hide(call->lane->job->plan->url, text, &hidden);
    const char *copy =
        hidden.size > 0 ? ga__arena_copy(&call->row.arena, (ga__slice){hidden.data, hidden.size}) : "";

    ga__buffer_free(&hidden);
    return copy ? copy : "";
}

void ga__record_tell_failure(ga__record *record, ga__row_call *call)
{
    const ga_error_detail *error = ga_error();

    record->ok = false;
    record->kind = ga__kind_of_error(error);
    record->stage = error->phase == GA_PHASE_NONE ? "" : ga_phase_name(error->phase);
    record->message = ga__record_hide(call, error->message);
    record->body_form = GA__BODY_NONE;
    if (record->attempts == 0)
        record->attempts = error->attempt;
    if (record->status == 0)
        record->status = error->status;
    record->retryable = ga__kind_is_retryable(record->kind, record->status) &&
                        (call->idempotent || ga__is_undone(error->sent));
    if (record->kind == GA__KIND_INPUT)
        ga__record_tell_place(record, &call->row);
}

void ga__record_tell_place(ga__record *record, const ga__row *row)
{
    record->stage = "input";
    record->file = row->file;
    record->line = row->line;
}

/* --- an answer ------------------------------------------------------------------------------------ */

void ga__record_tell_status(ga__record *record, ga__row_call *call, const ga_response *response)
{
    const char *location = ga_header(response, "Location");
    int status = record->status;
    bool redirect = status >= 300 && status < 400 && location;

    record->ok = false;
    record->stage = "response";
    if (call->row.expect->given)
        record->kind = GA__KIND_EXPECT;
    else if (status == 429)
        record->kind = GA__KIND_RATE_LIMITED;
    else
        record->kind = redirect ? GA__KIND_REDIRECT : GA__KIND_HTTP;
    record->retryable =
        ga__kind_is_retryable(GA__KIND_HTTP, status) && (call->idempotent || status == 429 || status == 503);
    char *message =
        redirect ? ga_format("status %d %s, to %s; -L follows it", status, ga_reason(response), location)
                 : ga_format("status %d %s", status, ga_reason(response));

    record->message = message ? ga__arena_copy(&call->row.arena, ga__slice_of(message)) : NULL;
    free(message);
    record->message = record->message ? ga__record_hide(call, record->message) : "";
}

static bool has_charset(const ga_response *response)
{
    const char *type = ga_header(response, "Content-Type");
    ga__media_type media;
    char charset[64];

    return type && ga__media_type_parse(&media, type, strlen(type)) &&
           (ga__ascii_is(media.type, "text") ||
            ga__media_type_parameter(&media, "charset", charset, sizeof charset));
}

void ga__record_tell_body(ga__record *record, ga_response *response, ga__slice body, char **text)
{
    record->body = body = ga__utf8_behind_mark(body);
    record->body_form = GA__BODY_BINARY;
    if (body.size == 0) {
        record->body_form = GA__BODY_NONE;
    } else if (ga__json_check(body, NULL)) {
        record->body_form = GA__BODY_JSON;
    } else if (ga__utf8_valid(body.data, body.size)) {
        record->body_form = GA__BODY_TEXT;
    } else if (has_charset(response) && (*text = ga_text(response))) {
        record->body_form = GA__BODY_TEXT;
        record->body = ga__slice_of(*text);
    }
}

void ga__record_tell_headers(ga__record *record, ga__row_call *call, const ga_response *response)
{
    ga_pair header, *headers;
    size_t count = 0;

    while (ga_header_at(response, count, &header))
        count++;
    headers = ga__arena_take(&call->row.arena, (count + 1) * sizeof *headers);
    if (!headers)
        return;
    for (size_t i = 0; i < count; i++)
        ga_header_at(response, i, &headers[i]);
    headers[count] = (ga_pair){NULL, NULL};
    record->headers = headers;
}

/* --- what is extracted ---------------------------------------------------------------------------- */

typedef struct collected {
    ga__buffer text;
    bool any;
} collected;

static bool collect(void *arg, ga__slice value)
{
    collected *self = arg;

    ga__buffer_add_char(&self->text, self->any ? ',' : '[');
    ga__buffer_append(&self->text, value.data, value.size);
    self->any = true;
    return true;
}

/* What a path leads to: its value, or, where it may lead to several, an array of them. */
static ga__slice extract(ga__arena *arena, const ga__path *path, ga__slice body)
{
    collected found = {.text = GA__BUFFER_INIT};
    ga__slice value = {NULL, 0};

    if (!ga__path_is_many(path)) {
        ga__path_first(path, body, &value);
        return value;
    }
    ga__path_each(path, body, collect, &found);
    ga__buffer_add(&found.text, found.any ? "]" : "[]");
    value.data =
        found.text.failed ? NULL : ga__arena_copy(arena, (ga__slice){found.text.data, found.text.size});
    value.size = value.data ? found.text.size : 0;
    ga__buffer_free(&found.text);
    return value;
}

void ga__record_extract(ga__record *record, ga__row_call *call)
{
    const ga__plan *plan = call->lane->job->plan;
    ga__record_value *values;

    record->extract = plan->like.extract; /* the names, with nothing */
    record->extract_count = plan->extract_count;
    if (plan->extract_count == 0 || record->body_form != GA__BODY_JSON)
        return;
    values = ga__arena_take(&call->row.arena, plan->extract_count * sizeof *values);
    if (!values)
        return;
    for (size_t i = 0; i < plan->extract_count; i++)
        values[i] =
            (ga__record_value){.name = plan->extract[i].name,
                               .json = extract(&call->row.arena, plan->extract[i].path, record->body)};
    record->extract = values;
}
