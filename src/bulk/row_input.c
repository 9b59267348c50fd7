/* SPDX-License-Identifier: MIT */
/*
 * A row as a line of input, a request record of its own: what `gather failed` gives back. What the job makes
 * of its columns is in it, and those that it keeps; what it adds to each row alike is not, nor are its
 * headers that hold secrets. Other secrets are there by their names.
 */
#include "bulk/row.h"

#include "base/base64.h"
#include "base/utf8.h"
#include "bulk/json.h"
#include <string.h>

static void add_member(ga__buffer *out, const char *name, const char *text)
{
    ga__json_append_name(out, name);
    ga__json_append_quoted(out, ga__slice_of(text));
}

static void add_json(ga__buffer *out, const char *name, ga__slice json)
{
    ga__json_append_name(out, name);
    ga__json_append_compact(out, json);
}

static void add_headers(ga__buffer *out, const ga__row *row)
{
    ga__buffer_add(out, ",\"headers\":{");
    for (size_t i = 0; i < row->own_headers + row->shown_headers; i++) {
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

/* Whether the body can stand in the line as it is, byte for byte, and is read back as JSON. */
static bool is_json_value(ga__slice body)
{
    return ga__json_check(body, NULL) && body.data[0] > ' ' && body.data[body.size - 1] > ' ' &&
           !memchr(body.data, '\n', body.size) && !memchr(body.data, '\r', body.size) &&
           !ga__json_is(body, GA__JSON_STRING) && !ga__json_is(body, GA__JSON_NULL);
}

/* The type, where it does not follow from the form in which the body is written. */
static void add_type(ga__buffer *out, const ga__row *row, const char *implied)
{
    if (row->content_type && (row->type_by == GA__TYPE_BY_ROW ||
                              (row->type_by == GA__TYPE_BY_BODY && strcmp(row->content_type, implied) != 0)))
        add_member(out, "content_type", row->content_type);
}

static void add_body(ga__buffer *out, const ga__row *row)
{
    ga__slice body = ga__row_shown_body(row);
    bool json = row->content_type && strcmp(row->content_type, GA__TYPE_JSON) == 0;

    if (json && is_json_value(body)) {
        add_type(out, row, GA__TYPE_JSON);
        ga__json_append_name(out, "body");
        ga__buffer_append(out, body.data, body.size);
    } else if (ga__utf8_valid(body.data, body.size)) {
        add_type(out, row, GA__TYPE_TEXT);
        ga__json_append_name(out, "body");
        ga__json_append_quoted(out, body);
    } else {
        add_type(out, row, GA__TYPE_BYTES);
        ga__json_append_name(out, "body_base64");
        ga__buffer_add_char(out, '"');
        ga__base64_encode(out, body.data, body.size);
        ga__buffer_add_char(out, '"');
    }
}

static void add_form(ga__buffer *out, const ga_part *parts)
{
    ga__buffer_add(out, ",\"form\":[");
    for (const ga_part *each = parts; each->name; each++) {
        ga__buffer_add(out, each == parts ? "{" : ",{");
        add_member(out, "name", each->name);
        if (each->file)
            add_member(out, "file", each->file);
        else
            add_member(out, "value", each->value);
        ga__buffer_add_char(out, '}');
    }
    ga__buffer_add_char(out, ']');
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
    if (row->own_headers + row->shown_headers > 0)
        add_headers(out, row);
    if (row->body.data)
        add_body(out, row);
    if (row->parts)
        add_form(out, row->shown_parts ? row->shown_parts : row->parts);
    if (row->own_expect.size > 0)
        add_json(out, "expect", row->own_expect);
    if (row->own_cost.size > 0)
        add_json(out, "cost", row->own_cost);
    if (row->body_file) {
        add_type(out, row, "");
        add_member(out, "body_file", row->body_file);
    }
    if (row->meta.size > 0)
        add_json(out, "meta", row->meta);
    else
        ga__record_append_values(out, "meta", row->keep, row->keep_count);
    ga__buffer_add_char(out, '}');
}
