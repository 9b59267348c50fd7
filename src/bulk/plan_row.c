/* SPDX-License-Identifier: MIT */
/*
 * A row of the input as a request. What a row says is hostile: it fills columns, encoded for where they
 * stand, or is a request record with members that are known (row_request.c); everything else makes it an
 * `input` failure, told in row->problem.
 */
#include "bulk/row_builder.h"

#include "base/ascii.h"
#include "base/number.h"
#include "base/utf8.h"
#include "bulk/json.h"
#include "protocol/token.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool ga__row_refuse(ga__row_builder *self, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = ga__vformat(format, arguments);

    va_end(arguments);
    self->row->problem = text ? ga__arena_copy(&self->row->arena, ga__slice_of(text)) : NULL;
    self->failed |= !self->row->problem;
    free(text);
    return false;
}

bool ga__row_no_memory(ga__row_builder *self)
{
    self->failed = true;
    return false;
}

static char *copy(ga__row_builder *self, ga__slice text)
{
    char *copied = ga__arena_copy(&self->row->arena, text);

    self->failed |= !copied;
    return copied;
}

ga__slice ga__row_settle(ga__row_builder *self, ga__buffer *text)
{
    char *copied = text->failed ? NULL : copy(self, (ga__slice){text->data ? text->data : "", text->size});
    ga__slice settled = {copied, copied ? text->size : 0};

    self->failed |= !copied;
    ga__buffer_free(text);
    return settled;
}

/* --- columns -------------------------------------------------------------------------------------- */

/* The JSON value of a column, member, or path. */
static bool find_value(ga__row_builder *self, const ga__plan_path *wanted, ga__slice *value)
{
    const ga__raw_row *raw = self->raw;

    if (raw->form != GA__ROW_JSON)
        return false;
    return wanted->path ? ga__path_first(wanted->path, raw->text, value)
                        : ga__json_member(raw->text, ga__slice_of(wanted->name), value);
}

static bool find_field(const ga__raw_row *raw, ga__slice name, ga__slice *value)
{
    if (raw->form == GA__ROW_CSV) {
        for (size_t i = 0; i < raw->count; i++) {
            if (!ga__slice_equal(raw->names[i], name))
                continue;
            *value = raw->fields[i];
            return true;
        }
        return false;
    }
    *value = raw->text; /* the line itself is the only column of what has none */
    return raw->form == GA__ROW_URL &&
           (ga__slice_equal(name, ga__slice_of("line")) || ga__slice_equal(name, ga__slice_of("url")));
}

ga__slice ga__row_text_of(ga__row_builder *self, ga__slice json)
{
    ga__buffer text = GA__BUFFER_INIT;

    if (ga__json_is(json, GA__JSON_STRING))
        ga__json_append_unquoted(&text, json);
    else if (!ga__json_is(json, GA__JSON_NULL))
        ga__json_append_compact(&text, json);
    return ga__row_settle(self, &text);
}

/* For templates. */
static bool column(void *arg, ga__slice name, ga__slice *value)
{
    ga__row_builder *self = arg;

    if (self->raw->form != GA__ROW_JSON)
        return find_field(self->raw, name, value);
    ga__slice json;

    if (ga__slice_equal(name, ga__slice_of("id")) && self->row->id.size > 0)
        json = self->row->id;
    else if (!ga__json_member(self->raw->text, name, &json))
        return false;
    *value = ga__row_text_of(self, json);
    return !self->failed;
}

static bool fill_as(ga__row_builder *self, const ga__template *template, bool redacted, ga__slice *filled)
{
    ga__buffer text = GA__BUFFER_INIT;
    char *problem = NULL;
    bool good = ga__template_fill(template, column, self, redacted, &text, &problem);

    if (good) {
        *filled = ga__row_settle(self, &text);
        return !self->failed;
    }
    if (problem)
        ga__row_refuse(self, "%s", problem);
    else
        ga__row_no_memory(self);
    free(problem);
    ga__buffer_free(&text);
    return false;
}

static bool fill(ga__row_builder *self, const ga__template *template, ga__slice *filled)
{
    return fill_as(self, template, self->plan->redacted, filled);
}

/* The same, and as it may be shown and kept: with its secrets by their names. */
static bool fill_both(ga__row_builder *self, const ga__template *template, ga__slice *filled,
                      ga__slice *shown)
{
    if (!fill(self, template, filled))
        return false;
    *shown = *filled;
    return !ga__template_is_secret(template) || fill_as(self, template, true, shown);
}

/* --- the parts of the request --------------------------------------------------------------------- */

static bool find_id(ga__row_builder *self)
{
    const ga__plan_path *wanted = &self->plan->id;
    ga__buffer text = GA__BUFFER_INIT;
    ga__slice value;

    if (!wanted->name)
        return true;
    if (self->raw->form == GA__ROW_JSON)
        return find_value(self, wanted, &value)
                   ? ga__row_take_id(self, value)
                   : ga__row_refuse(self, "it has no %s, which --id names", wanted->name);
    if (!find_field(self->raw, ga__slice_of(wanted->name), &value))
        return ga__row_refuse(self, "it has no column \"%s\", which --id names", wanted->name);
    ga__json_append_quoted(&text, value);
    self->row->id = ga__row_settle(self, &text);
    return !self->failed;
}

static bool find_kept(ga__row_builder *self)
{
    const ga__plan *plan = self->plan;
    ga__row *row = self->row;

    row->keep_count = plan->keep_count;
    row->keep =
        plan->keep_count > 0 ? ga__arena_take(&row->arena, plan->keep_count * sizeof *row->keep) : NULL;
    if (plan->keep_count > 0 && !row->keep)
        return ga__row_no_memory(self);
    for (size_t i = 0; i < plan->keep_count; i++) {
        ga__buffer text = GA__BUFFER_INIT;
        ga__slice value;

        row->keep[i] = (ga__record_value){.name = plan->keep[i].name};
        if (self->raw->form == GA__ROW_JSON && find_value(self, &plan->keep[i], &value))
            ga__json_append_compact(&text, value);
        else if (self->raw->form != GA__ROW_JSON &&
                 find_field(self->raw, ga__slice_of(plan->keep[i].name), &value))
            ga__json_append_quoted(&text, value);
        row->keep[i].json = ga__row_settle(self, &text);
    }
    return !self->failed;
}

/* Whether the row itself has a header of this name. */
static bool has_header(const ga__row *row, const char *name)
{
    for (size_t i = 0; i < row->own_headers; i++)
        if (ga__ascii_is(ga__slice_of(name), row->headers[i].name))
            return true;
    return false;
}

/* What the row's line of input has must be a text. */
static bool is_text(ga__row_builder *self, const char *what, const char *name, ga__slice value)
{
    return ga__utf8_valid(value.data, value.size) ||
           ga__row_refuse(self, "its %s %s would have bytes that are no UTF-8", what, name);
}

static bool add_headers(ga__row_builder *self, bool shown, ga_pair *headers, size_t *count)
{
    const ga__plan *plan = self->plan;

    for (size_t i = 0; i < plan->header_count; i++) {
        const ga__plan_field *field = &plan->headers[i];
        ga__slice value = {NULL, 0};

        if (field->fixed || field->shown != shown || has_header(self->row, field->name))
            continue;
        if (field->value && !fill(self, field->value, &value))
            return false;
        if (shown && !is_text(self, "header", field->name, value))
            return false;
        headers[(*count)++] = (ga_pair){field->name, value.data};
    }
    return true;
}

/* Adds the job's headers that are of each row, but for those that the row has itself; those that its line of
 * input shows stand before the others. */
static bool fill_headers(ga__row_builder *self)
{
    const ga__plan *plan = self->plan;
    ga__row *row = self->row;
    ga_pair *headers = (ga_pair *)(uintptr_t)row->headers; /* which have room for the job's */
    size_t count = row->own_headers, varying = 0;

    for (size_t i = 0; i < plan->header_count; i++)
        varying += !plan->headers[i].fixed;
    if (varying == 0)
        return true;
    if (!headers)
        headers = ga__arena_take(&row->arena, (varying + 1) * sizeof *headers);
    if (!headers)
        return ga__row_no_memory(self);
    if (!add_headers(self, true, headers, &count))
        return false;
    row->shown_headers = count - row->own_headers;
    if (!add_headers(self, false, headers, &count))
        return false;
    headers[count] = (ga_pair){NULL, NULL};
    row->headers = headers;
    return true;
}

/* The type that follows from a body's form is none where a header says one. */
static void settle_type(ga__row_builder *self)
{
    const ga__plan *plan = self->plan;
    bool named = has_header(self->row, "Content-Type");

    for (size_t i = 0; i < plan->header_count; i++)
        named |= ga__ascii_is(ga__slice_of(plan->headers[i].name), "content-type");
    if (named && self->row->type_by == GA__TYPE_BY_BODY)
        self->row->type_by = GA__TYPE_BY_HEADER;
}

static bool fill_parts(ga__row_builder *self, bool redacted, const ga_part **filled)
{
    const ga__plan *plan = self->plan;
    ga_part *parts = ga__arena_take(&self->row->arena, (plan->part_count + 1) * sizeof *parts);

    if (!parts)
        return ga__row_no_memory(self);
    for (size_t i = 0; i < plan->part_count; i++) {
        const ga__plan_field *field = &plan->parts[i];
        ga__slice value;

        if (!fill_as(self, field->value, redacted, &value) ||
            (!field->file && !is_text(self, "form's value", field->name, value)))
            return false;
        parts[i] = (ga_part){.name = field->name};
        if (field->file)
            parts[i].file = value.data;
        else
            parts[i].value = value.data;
    }
    parts[plan->part_count] = (ga_part){.name = NULL};
    *filled = parts;
    return true;
}

static bool fill_form(ga__row_builder *self)
{
    const ga__plan *plan = self->plan;
    bool secret = false;

    for (size_t i = 0; i < plan->part_count; i++)
        secret |= ga__template_is_secret(plan->parts[i].value);
    return fill_parts(self, plan->redacted, &self->row->parts) &&
           (!secret || fill_parts(self, true, &self->row->shown_parts));
}

static bool fill_body(ga__row_builder *self)
{
    const ga__plan *plan = self->plan;
    ga__row *row = self->row;

    if (row->body.data || row->body_file || row->parts)
        return true;
    if (plan->part_count > 0)
        return fill_form(self);
    if (plan->json) {
        ga__row_use_type(self, GA__TYPE_JSON);
        return fill_both(self, plan->json, &row->body, &row->shown_body) &&
               (ga__json_check(row->body, NULL) ||
                ga__row_refuse(self, "the body that --json makes of it is not JSON: %.100s", row->body.data));
    }
    if (plan->data) {
        ga__row_use_type(self, GA__TYPE_FORM);
        return fill_both(self, plan->data, &row->body, &row->shown_body);
    }
    return true;
}

/* An object without a URL of its own is the JSON body for the template's. */
static bool take_object(ga__row_builder *self)
{
    const ga__plan *plan = self->plan;
    ga__slice id;

    if (!plan->id.name && ga__json_member(self->raw->text, ga__slice_of("id"), &id) &&
        !ga__row_take_id(self, id))
        return false;
    if (plan->data || plan->json || plan->part_count > 0 ||
        (plan->options->method &&
         (strcmp(plan->options->method, "GET") == 0 || strcmp(plan->options->method, "HEAD") == 0)))
        return true;
    return ga__row_take_body(self, self->raw->text);
}

/* A text that is no JSON: a line, or a field. */
static bool take_line(ga__row_builder *self, const char *name, ga__slice value, const char **text)
{
    if (value.size > 0 && memchr(value.data, '\0', value.size))
        return ga__row_refuse(self, "\"%s\" has a NUL character", name);
    *text = copy(self, value);
    return !self->failed;
}

static bool take_csv_request(ga__row_builder *self)
{
    ga__slice value;

    if (!find_field(self->raw, ga__slice_of("url"), &value))
        return ga__row_refuse(self, "it has no column \"url\"");
    if (!take_line(self, "url", value, &self->row->url))
        return false;
    return !find_field(self->raw, ga__slice_of("method"), &value) || value.size == 0 ||
           take_line(self, "method", value, &self->row->method);
}

/* The row as it stands, before templates. */
static bool take_row(ga__row_builder *self)
{
    const ga__raw_row *raw = self->raw;
    ga__slice url;

    switch (raw->form) {
    case GA__ROW_BAD:
        return ga__row_refuse(self, "%s", raw->problem);
    case GA__ROW_URL:
        if (!self->plan->url)
            return take_line(self, "url", raw->text, &self->row->url);
        return !self->failed;
    case GA__ROW_CSV:
        return self->plan->url || take_csv_request(self);
    case GA__ROW_JSON:
        break;
    }
    if (ga__json_is(raw->text, GA__JSON_STRING))
        return ga__row_take_string(self, "url", raw->text, &self->row->url);
    self->is_request = !self->plan->url || ga__json_member(raw->text, ga__slice_of("url"), &url);
    return self->is_request ? ga__row_take_request(self) : take_object(self);
}

static bool choose_method(ga__row_builder *self)
{
    ga__row *row = self->row;
    bool has_body = row->body.data || row->body_file || row->parts;

    if (!row->method)
        row->method = self->plan->options->method;
    if (!row->method)
        row->method = has_body ? "POST" : "GET";
    return ga__is_token(row->method, strlen(row->method)) ||
           ga__row_refuse(self, "its method is none: %s", row->method);
}

/* A URL in bytes that are no text is sent with these encoded; so it is text in records, too. */
static const char *as_text(ga__row_builder *self, const char *url)
{
    ga__buffer text = GA__BUFFER_INIT;

    if (!url || ga__utf8_valid(url, strlen(url)))
        return url;
    for (; *url; url++)
        ga__buffer_printf(&text, (unsigned char)*url < 0x80 ? "%c" : "%%%02X", (unsigned char)*url);
    return ga__row_settle(self, &text).data;
}

/* --- what it costs, and what it is known by ------------------------------------------------------- */

/* What a row costs where it does not say: a quarter of its bytes, and what it allows to be answered. */
static double guess_cost(const ga__row *row)
{
    static const char *const names[] = {"max_tokens", "max_completion_tokens", "max_output_tokens"};
    double cost = (double)row->body.size / 4, more;
    ga__slice value;

    if (!row->content_type || strcmp(row->content_type, GA__TYPE_JSON) != 0)
        return cost;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ga__json_member(row->body, ga__slice_of(names[i]), &value) &&
            ga__parse_double(value.data, value.size, &more) && more > 0)
            return cost + more;
    return cost;
}

enum { SALT_CONTENT = 0, SALT_ID = 1 };

static bool find_key(ga__row_builder *self)
{
    ga__row *row = self->row;
    ga__buffer headers = GA__BUFFER_INIT;
    ga__key content;

    for (size_t i = 0; i < row->own_headers; i++)
        ga__buffer_printf(&headers, "%s:%s\n", row->headers[i].name,
                          row->headers[i].value ? row->headers[i].value : "");
    const ga__slice whole = self->raw->text;
    const char *type = row->body.data || row->body_file ? row->content_type : NULL;
    const ga__slice parts[] = {ga__slice_of(row->method ? row->method : ""),
                               ga__slice_of(ga__row_shown_url(row)),
                               ga__row_shown_body(row),
                               {headers.data, headers.size},
                               (row->problem && !self->settled) || row->parts ? whole : (ga__slice){NULL, 0},
                               ga__slice_of(row->body_file ? row->body_file : ""),
                               ga__slice_of(type ? type : "")};
    const size_t count = sizeof parts / sizeof *parts;

    if (headers.failed || !ga__key_of(&content, SALT_CONTENT, parts, count))
        return ga__buffer_free(&headers), ga__row_no_memory(self);
    ga__buffer_free(&headers);
    row->key = content;
    if (row->id.size == 0)
        return true;
    memcpy(&row->content, content.bytes, sizeof row->content);
    row->content = (row->content >> GA__ROW_CONTENT_SHIFT) | 1;
    return ga__key_of(&row->key, SALT_ID, &row->id, 1) || ga__row_no_memory(self);
}

static bool build(ga__row_builder *self)
{
    const ga__plan *plan = self->plan;
    ga__row *row = self->row;
    ga__slice url, shown, file;

    if (!take_row(self) || !find_id(self) || !find_kept(self))
        return false;
    if (!row->url) {
        if (!fill_both(self, plan->url, &url, &shown))
            return false;
        if (memchr(url.data, '\0', url.size)) /* of a raw column */
            return ga__row_refuse(self, "its URL has a NUL character");
        row->url = url.data;
        if (ga__template_is_secret(plan->url))
            row->shown_url = shown.data;
    }
    if (!*row->url)
        return ga__row_refuse(self, "its URL is empty");
    if (!fill_body(self) || !fill_headers(self))
        return false;
    settle_type(self);
    row->url = as_text(self, row->url);
    row->shown_url = as_text(self, row->shown_url);
    if (self->failed || !choose_method(self))
        return false;
    if (plan->output) {
        if (!fill(self, plan->output, &file))
            return false;
        row->body_out = file.data;
    }
    if (plan->options->tokens.count > 0 && !self->has_cost)
        row->cost = guess_cost(row);
    self->settled = true;
    if (row->body_file && access(row->body_file, R_OK) < 0) /* which may be another in the next run */
        return ga__row_refuse(self, "its body_file, %s, cannot be read: %s", row->body_file, strerror(errno));
    return true;
}

bool ga__plan_build(const ga__plan *plan, const ga__raw_row *raw, ga__row *row)
{
    ga__row_builder self = {.plan = plan, .raw = raw, .row = row};

    row->n = raw->n;
    row->line = raw->line;
    row->expect = &plan->expect;
    row->file = raw->file;
    build(&self);
    if (!self.failed)
        find_key(&self);
    return !self.failed;
}

bool ga__plan_is_idempotent(const ga__plan *plan, const ga__row *row)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};

    if (plan->options->idempotent || plan->options->idempotency_keys)
        return true;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(row->method, methods[i]) == 0)
            return true;
    return false;
}
