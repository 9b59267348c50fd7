/* SPDX-License-Identifier: MIT */
/*
 * A row of the input as a request. What a row says is hostile: it fills columns, encoded for where they
 * stand, or is a request record with members that are known; everything else makes it an `input` failure,
 * told in row->problem.
 */
#include "bulk/plan.h"

#include "base/base64.h"
#include "base/number.h"
#include "base/utf8.h"
#include "bulk/json.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* What is being made, and from what. */
typedef struct builder {
    const ga__plan *plan;
    const ga__raw_row *raw;
    ga__row *row;
    bool is_request; /* the row is a request record: its members are known ones */
    int bodies;      /* how many it has said */
    bool has_cost;   /* it has said one, which may be none */
    bool failed;     /* no memory */
} builder;

static bool fail(builder *self, const char *format, ...) GA_PRINTF(2, 3);
static bool fail(builder *self, const char *format, ...)
{
    ga__buffer text = GA__BUFFER_INIT;
    va_list arguments;

    va_start(arguments, format);
    ga__buffer_vprintf(&text, format, arguments);
    va_end(arguments);
    self->row->problem =
        ga__arena_copy(&self->row->arena, (ga__slice){text.data ? text.data : "", text.size});
    self->failed |= !self->row->problem;
    ga__buffer_free(&text);
    return false;
}

static bool no_memory(builder *self)
{
    self->failed = true;
    return false;
}

static char *copy(builder *self, ga__slice text)
{
    char *copied = ga__arena_copy(&self->row->arena, text);

    self->failed |= !copied;
    return copied;
}

/* Moves the buffer's bytes into the row. */
static ga__slice settle(builder *self, ga__buffer *text)
{
    char *copied = text->failed ? NULL : copy(self, (ga__slice){text->data ? text->data : "", text->size});
    ga__slice settled = {copied, copied ? text->size : 0};

    self->failed |= !copied;
    ga__buffer_free(text);
    return settled;
}

/* --- columns -------------------------------------------------------------------------------------- */

/* The JSON value of a column, member, or path. */
static bool find_value(builder *self, const ga__plan_path *wanted, ga__slice *value)
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

/* A JSON value as a text: a string is what it says. */
static ga__slice text_of(builder *self, ga__slice json)
{
    ga__buffer text = GA__BUFFER_INIT;

    if (ga__json_is(json, GA__JSON_STRING))
        ga__json_append_unquoted(&text, json);
    else if (!ga__json_is(json, GA__JSON_NULL))
        ga__json_append_compact(&text, json);
    return settle(self, &text);
}

/* For templates. */
static bool column(void *arg, ga__slice name, ga__slice *value)
{
    builder *self = arg;

    if (self->raw->form != GA__ROW_JSON)
        return find_field(self->raw, name, value);
    ga__slice json;

    if (ga__slice_equal(name, ga__slice_of("id")) && self->row->id.size > 0)
        json = self->row->id;
    else if (!ga__json_member(self->raw->text, name, &json))
        return false;
    *value = text_of(self, json);
    return !self->failed;
}

static bool fill_as(builder *self, const ga__template *template, bool redacted, ga__slice *filled)
{
    ga__buffer text = GA__BUFFER_INIT;
    char *problem = NULL;
    bool good = ga__template_fill(template, column, self, redacted, &text, &problem);

    if (!good) {
        fail(self, "%s", problem ? problem : "no memory");
        free(problem);
        ga__buffer_free(&text);
        return false;
    }
    *filled = settle(self, &text);
    return !self->failed;
}

static bool fill(builder *self, const ga__template *template, ga__slice *filled)
{
    return fill_as(self, template, self->plan->redacted, filled);
}

/* The same, and as it may be shown and kept: with its secrets by their names. */
static bool fill_both(builder *self, const ga__template *template, ga__slice *filled, ga__slice *shown)
{
    if (!fill(self, template, filled))
        return false;
    *shown = *filled;
    return !ga__template_is_secret(template) || fill_as(self, template, true, shown);
}

/* --- members of a request record ------------------------------------------------------------------ */

static bool take_string(builder *self, const char *name, ga__slice value, const char **string)
{
    if (!ga__json_is(value, GA__JSON_STRING))
        return fail(self, "\"%s\" is to be a string", name);
    ga__slice text = text_of(self, value);

    *string = text.data;
    if (!self->failed && memchr(text.data, '\0', text.size))
        return fail(self, "\"%s\" has a NUL character", name);
    return !self->failed;
}

static bool take_headers(builder *self, ga__slice value)
{
    ga__json_walk walk;
    ga__slice name, each;
    size_t count = 0;

    if (!ga__json_is(value, GA__JSON_OBJECT))
        return fail(self, "\"headers\" is to be an object of strings");
    ga__json_walk_begin(&walk, value);
    while (ga__json_next_member(&walk, &name, &each))
        count++;
    ga_pair *headers =
        ga__arena_take(&self->row->arena, (count + self->plan->header_count + 1) * sizeof *headers);

    if (!headers)
        return no_memory(self);
    self->row->headers = headers;
    ga__json_walk_begin(&walk, value);
    for (; ga__json_next_member(&walk, &name, &each); headers++) {
        *headers = (ga_pair){NULL, NULL};
        if (!take_string(self, "headers", name, &headers->name))
            return false;
        if (!ga__json_is(each, GA__JSON_NULL) && !take_string(self, "headers", each, &headers->value))
            return false;
    }
    *headers = (ga_pair){NULL, NULL};
    self->row->own_headers = count;
    return !self->failed;
}

/* The content type of a body, where the row does not say another: before it or behind it. */
static void use_type(builder *self, const char *type)
{
    if (!self->row->content_type)
        self->row->content_type = type;
}

static bool take_body(builder *self, ga__slice value)
{
    ga__buffer text = GA__BUFFER_INIT;

    if (ga__json_is(value, GA__JSON_NULL))
        return true;
    if (ga__json_is(value, GA__JSON_STRING)) {
        ga__json_append_unquoted(&text, value);
        use_type(self, "text/plain; charset=utf-8");
    } else {
        ga__buffer_append(&text, value.data, value.size);
        use_type(self, "application/json");
    }
    self->bodies++;
    self->row->body = settle(self, &text);
    return !self->failed;
}

static bool take_base64(builder *self, ga__slice value)
{
    ga__slice text = text_of(self, value);
    ga__buffer bytes = GA__BUFFER_INIT;

    if (!ga__json_is(value, GA__JSON_STRING) || !ga__base64_decode(&bytes, text)) {
        ga__buffer_free(&bytes);
        return fail(self, "\"body_base64\" is not base64");
    }
    self->bodies++;
    self->row->body = settle(self, &bytes);
    use_type(self, "application/octet-stream");
    return !self->failed;
}

static bool keep_json(builder *self, ga__slice value, ga__slice *kept)
{
    ga__buffer text = GA__BUFFER_INIT;

    ga__json_append_compact(&text, value);
    *kept = settle(self, &text);
    return !self->failed;
}

/* A status, an array of them, or a text as --expect has it. */
static bool take_expect(builder *self, ga__slice value)
{
    ga__expect *expect = ga__arena_take(&self->row->arena, sizeof *expect);
    ga__buffer text = GA__BUFFER_INIT;
    ga__json_walk walk;
    ga__slice each;

    if (!expect)
        return no_memory(self);
    if (ga__json_is(value, GA__JSON_ARRAY)) {
        ga__json_walk_begin(&walk, value);
        while (ga__json_next_element(&walk, &each)) {
            if (text.size > 0)
                ga__buffer_add_char(&text, ',');
            ga__buffer_append(&text, each.data, each.size);
        }
    } else if (ga__json_is(value, GA__JSON_STRING)) {
        ga__json_append_unquoted(&text, value);
    } else {
        ga__buffer_append(&text, value.data, value.size);
    }
    bool good = !text.failed && ga__expect_parse(expect, (ga__slice){text.data ? text.data : "", text.size});

    ga__buffer_free(&text);
    self->row->expect = expect;
    if (good)
        return keep_json(self, value, &self->row->own_expect);
    return fail(self, "\"expect\" is to be a status, or an array of statuses");
}

static bool take_cost(builder *self, ga__slice value)
{
    if (!ga__parse_double(value.data, value.size, &self->row->cost) || self->row->cost < 0)
        return fail(self, "\"cost\" is to be a number of tokens");
    self->has_cost = true;
    return keep_json(self, value, &self->row->own_cost);
}

static bool take_id(builder *self, ga__slice value)
{
    ga__json_kind kind = ga__json_kind_of(value);
    ga__buffer text = GA__BUFFER_INIT;

    if (kind == GA__JSON_NULL)
        return true;
    if (kind != GA__JSON_STRING && kind != GA__JSON_NUMBER)
        return fail(self, "an id is to be a string or a number");
    ga__buffer_append(&text, value.data, value.size);
    self->row->id = settle(self, &text);
    return !self->failed;
}

static bool take_meta(builder *self, ga__slice value)
{
    return keep_json(self, value, &self->row->meta);
}

static bool take_member(builder *self, ga__slice name, ga__slice value)
{
    static const char *const strings[] = {"method", "url", "body_file", "content_type"};
    const char **places[] = {&self->row->method, &self->row->url, &self->row->body_file,
                             &self->row->content_type};

    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        if (ga__json_string_is(name, ga__slice_of(strings[i])))
            return take_string(self, strings[i], value, places[i]);
    if (ga__json_string_is(name, ga__slice_of("headers")))
        return take_headers(self, value);
    if (ga__json_string_is(name, ga__slice_of("body")))
        return take_body(self, value);
    if (ga__json_string_is(name, ga__slice_of("body_base64")))
        return take_base64(self, value);
    if (ga__json_string_is(name, ga__slice_of("expect")))
        return take_expect(self, value);
    if (ga__json_string_is(name, ga__slice_of("cost")))
        return take_cost(self, value);
    if (ga__json_string_is(name, ga__slice_of("meta")))
        return take_meta(self, value);
    if (ga__json_string_is(name, ga__slice_of("id")) || ga__json_string_is(name, ga__slice_of("custom_id")))
        return self->plan->id.name || take_id(self, value);
    return fail(self,
                "no member %.*s is known; those of a request are id, method, url, headers, body, "
                "body_base64, body_file, "
                "content_type, expect, cost, meta",
                (int)name.size, name.data);
}

static bool take_request(builder *self)
{
    ga__slice name, value;
    ga__json_walk walk;

    ga__json_walk_begin(&walk, self->raw->text);
    while (ga__json_next_member(&walk, &name, &value))
        if (!take_member(self, name, value))
            return false;
    if (self->bodies + (self->row->body_file != NULL) > 1)
        return fail(self, "it has more than one body");
    return self->row->url || fail(self, "it has no \"url\"");
}

/* --- the parts of the request --------------------------------------------------------------------- */

static bool find_id(builder *self)
{
    const ga__plan_path *wanted = &self->plan->id;
    ga__buffer text = GA__BUFFER_INIT;
    ga__slice value;

    if (!wanted->name)
        return true;
    if (self->raw->form == GA__ROW_JSON)
        return find_value(self, wanted, &value) ? take_id(self, value)
                                                : fail(self, "it has no %s, which --id names", wanted->name);
    if (!find_field(self->raw, ga__slice_of(wanted->name), &value))
        return fail(self, "it has no column \"%s\", which --id names", wanted->name);
    ga__json_append_quoted(&text, value);
    self->row->id = settle(self, &text);
    return !self->failed;
}

static bool find_kept(builder *self)
{
    const ga__plan *plan = self->plan;
    ga__row *row = self->row;

    row->keep_count = plan->keep_count;
    row->keep =
        plan->keep_count > 0 ? ga__arena_take(&row->arena, plan->keep_count * sizeof *row->keep) : NULL;
    if (plan->keep_count > 0 && !row->keep)
        return no_memory(self);
    for (size_t i = 0; i < plan->keep_count; i++) {
        ga__buffer text = GA__BUFFER_INIT;
        ga__slice value;

        row->keep[i] = (ga__record_value){.name = plan->keep[i].name};
        if (self->raw->form == GA__ROW_JSON && find_value(self, &plan->keep[i], &value))
            ga__json_append_compact(&text, value);
        else if (self->raw->form != GA__ROW_JSON &&
                 find_field(self->raw, ga__slice_of(plan->keep[i].name), &value))
            ga__json_append_quoted(&text, value);
        row->keep[i].json = settle(self, &text);
    }
    return !self->failed;
}

/* Adds the job's headers that name columns, but for those that the row has itself. */
static bool fill_headers(builder *self)
{
    const ga__plan *plan = self->plan;
    ga_pair *headers = (ga_pair *)(uintptr_t)self->row->headers;
    size_t count = 0, varying = 0;

    for (size_t i = 0; i < plan->header_count; i++)
        varying += !plan->headers[i].fixed;
    if (varying == 0)
        return true;
    while (headers && headers[count].name)
        count++;
    if (!headers)
        headers = ga__arena_take(&self->row->arena, (varying + 1) * sizeof *headers);
    if (!headers)
        return no_memory(self);
    for (size_t i = 0; i < plan->header_count; i++) {
        ga__slice value;

        if (plan->headers[i].fixed)
            continue;
        if (!fill(self, plan->headers[i].value, &value))
            return false;
        headers[count++] = (ga_pair){plan->headers[i].name, value.data};
    }
    headers[count] = (ga_pair){NULL, NULL};
    self->row->headers = headers;
    return true;
}

static bool fill_parts(builder *self)
{
    const ga__plan *plan = self->plan;
    ga_part *parts = ga__arena_take(&self->row->arena, (plan->part_count + 1) * sizeof *parts);

    if (!parts)
        return no_memory(self);
    for (size_t i = 0; i < plan->part_count; i++) {
        ga__slice value;

        if (!fill(self, plan->parts[i].value, &value))
            return false;
        parts[i] = (ga_part){.name = plan->parts[i].name};
        if (plan->parts[i].file)
            parts[i].file = value.data;
        else
            parts[i].value = value.data;
    }
    parts[plan->part_count] = (ga_part){.name = NULL};
    self->row->parts = parts;
    return true;
}

static bool fill_body(builder *self)
{
    const ga__plan *plan = self->plan;
    ga__row *row = self->row;

    if (row->body.data || row->body_file)
        return true;
    if (plan->part_count > 0)
        return fill_parts(self);
    if (plan->json) {
        row->content_type = "application/json";
        return fill_both(self, plan->json, &row->body, &row->shown_body) &&
               (ga__json_check(row->body, NULL) ||
                fail(self, "the body that --json makes of it is not JSON: %.100s", row->body.data));
    }
    if (plan->data) {
        row->content_type =
            plan->options->data_type ? plan->options->data_type : "application/x-www-form-urlencoded";
        return fill_both(self, plan->data, &row->body, &row->shown_body);
    }
    return true;
}

/* An object without a URL of its own is the JSON body for the template's. */
static bool take_object(builder *self)
{
    const ga__plan *plan = self->plan;
    ga__slice id;

    if (!plan->id.name && ga__json_member(self->raw->text, ga__slice_of("id"), &id) && !take_id(self, id))
        return false;
    if (plan->data || plan->json || plan->part_count > 0 ||
        (plan->options->method &&
         (strcmp(plan->options->method, "GET") == 0 || strcmp(plan->options->method, "HEAD") == 0)))
        return true;
    return take_body(self, self->raw->text);
}

/* A text that is no JSON: a line, or a field. */
static bool take_line(builder *self, const char *name, ga__slice value, const char **text)
{
    if (value.size > 0 && memchr(value.data, '\0', value.size))
        return fail(self, "\"%s\" has a NUL character", name);
    *text = copy(self, value);
    return !self->failed;
}

static bool take_csv_request(builder *self)
{
    ga__slice value;

    if (!find_field(self->raw, ga__slice_of("url"), &value))
        return fail(self, "it has no column \"url\"");
    if (!take_line(self, "url", value, &self->row->url))
        return false;
    return !find_field(self->raw, ga__slice_of("method"), &value) || value.size == 0 ||
           take_line(self, "method", value, &self->row->method);
}

/* The row as it stands, before templates. */
static bool take_row(builder *self)
{
    const ga__raw_row *raw = self->raw;
    ga__slice url;

    switch (raw->form) {
    case GA__ROW_BAD:
        return fail(self, "%s", raw->problem);
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
        return take_string(self, "url", raw->text, &self->row->url);
    self->is_request = !self->plan->url || ga__json_member(raw->text, ga__slice_of("url"), &url);
    return self->is_request ? take_request(self) : take_object(self);
}

static const char *choose_method(const builder *self)
{
    const ga__row *row = self->row;
    bool has_body = row->body.data || row->body_file || row->parts;

    if (row->method)
        return row->method;
    if (self->plan->options->method)
        return self->plan->options->method;
    return has_body ? "POST" : "GET";
}

/* --- what it costs, and what it is known by ------------------------------------------------------- */

/* What a row costs where it does not say: a quarter of its bytes, and what it allows to be answered. */
static double guess_cost(const ga__row *row)
{
    static const char *const names[] = {"max_tokens", "max_completion_tokens", "max_output_tokens"};
    double cost = (double)row->body.size / 4, more;
    ga__slice value;

    if (!row->content_type || strcmp(row->content_type, "application/json") != 0)
        return cost;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ga__json_member(row->body, ga__slice_of(names[i]), &value) &&
            ga__parse_double(value.data, value.size, &more) && more > 0)
            return cost + more;
    return cost;
}

enum { SALT_CONTENT = 0, SALT_ID = 1 };

static bool find_key(builder *self)
{
    ga__row *row = self->row;
    ga__buffer headers = GA__BUFFER_INIT;
    ga__key content;

    for (size_t i = 0; i < row->own_headers; i++)
        ga__buffer_printf(&headers, "%s:%s\n", row->headers[i].name,
                          row->headers[i].value ? row->headers[i].value : "");
    const ga__slice whole = self->raw->text;
    const ga__slice parts[] = {ga__slice_of(row->method ? row->method : ""),
                               ga__slice_of(ga__row_shown_url(row)),
                               ga__row_shown_body(row),
                               {headers.data, headers.size},
                               row->problem || row->parts ? whole : (ga__slice){NULL, 0},
                               ga__slice_of(row->body_file ? row->body_file : "")};

    const size_t count = sizeof parts / sizeof *parts - !row->body_file;

    if (headers.failed || !ga__key_of(&content, SALT_CONTENT, parts, count))
        return ga__buffer_free(&headers), no_memory(self);
    ga__buffer_free(&headers);
    row->key = content;
    if (row->id.size == 0)
        return true;
    memcpy(&row->content, content.bytes, sizeof row->content);
    row->content = (row->content >> GA__ROW_CONTENT_SHIFT) | 1;
    return ga__key_of(&row->key, SALT_ID, &row->id, 1) || no_memory(self);
}

static bool build(builder *self)
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
            return fail(self, "its URL has a NUL character");
        row->url = url.data;
        if (ga__template_is_secret(plan->url))
            row->shown_url = shown.data;
    }
    if (!*row->url)
        return fail(self, "its URL is empty");
    if (row->body_file && access(row->body_file, R_OK) < 0)
        return fail(self, "its body_file, %s, cannot be read: %s", row->body_file, strerror(errno));
    if (!fill_body(self) || !fill_headers(self))
        return false;
    row->method = choose_method(self);
    if (plan->output) {
        if (!fill(self, plan->output, &file))
            return false;
        row->body_out = file.data;
    }
    if (plan->options->tokens.count > 0 && !self->has_cost)
        row->cost = guess_cost(row);
    return true;
}

bool ga__plan_build(const ga__plan *plan, const ga__raw_row *raw, ga__row *row)
{
    builder self = {.plan = plan, .raw = raw, .row = row};

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

/* --- as a line of input --------------------------------------------------------------------------- */

static void add_member(ga__buffer *out, const char *name, const char *text)
{
    ga__buffer_printf(out, "%s\"%s\":", out->data[out->size - 1] == '{' ? "" : ",", name);
    ga__json_append_quoted(out, ga__slice_of(text));
}

static void add_json(ga__buffer *out, const char *name, ga__slice json)
{
    ga__buffer_printf(out, "%s\"%s\":", out->data[out->size - 1] == '{' ? "" : ",", name);
    ga__json_append_compact(out, json);
}

/* Those of the row; the job's may hold secrets. */
static void add_headers(ga__buffer *out, const ga__row *row)
{
    ga__buffer_add(out, ",\"headers\":{");
    for (size_t i = 0; i < row->own_headers; i++) {
        ga__buffer_add(out, i > 0 ? "," : "");
        ga__json_append_quoted(out, ga__slice_of(row->headers[i].name));
        ga__buffer_add_char(out, ':');
        if (row->headers[i].value)
            ga__json_append_quoted(out, ga__slice_of(row->headers[i].value));
        else
            ga__buffer_add(out, "null");
    }
    ga__buffer_add_char(out, '}');
}

static void add_body(ga__buffer *out, const ga__row *row)
{
    ga__slice body = ga__row_shown_body(row);
    bool json = row->content_type && strcmp(row->content_type, "application/json") == 0;

    if (json && ga__json_check(body, NULL) && !ga__json_is(body, GA__JSON_STRING)) {
        add_json(out, "body", body);
        return;
    }
    add_member(out, "content_type", row->content_type ? row->content_type : "");
    if (ga__utf8_valid(body.data, body.size)) {
        ga__buffer_add(out, ",\"body\":");
        ga__json_append_quoted(out, body);
        return;
    }
    ga__buffer_add(out, ",\"body_base64\":\"");
    ga__base64_encode(out, body.data, body.size);
    ga__buffer_add_char(out, '"');
}

void ga__row_append_input(ga__buffer *out, const ga__row *row)
{
    if (!row->url) /* nothing that could be asked for again */
        return;
    ga__buffer_add_char(out, '{');
    if (row->id.size > 0)
        add_json(out, "id", row->id);
    if (row->method)
        add_member(out, "method", row->method);
    add_member(out, "url", ga__row_shown_url(row));
    if (row->own_headers > 0)
        add_headers(out, row);
    if (row->body.data)
        add_body(out, row);
    if (row->own_expect.size > 0)
        add_json(out, "expect", row->own_expect);
    if (row->own_cost.size > 0)
        add_json(out, "cost", row->own_cost);
    if (row->body_file)
        add_member(out, "body_file", row->body_file);
    if (row->meta.size > 0)
        add_json(out, "meta", row->meta);
    ga__buffer_add_char(out, '}');
}
