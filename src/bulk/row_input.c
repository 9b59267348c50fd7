/* SPDX-License-Identifier: MIT */
/*
 * A row as a line of input, a request record of its own: what `gather failed` gives back. What the job adds
 * to each row, its headers among it, is not in it, and secrets are there by their names.
 */
#include "bulk/row.h"

#include "base/base64.h"
#include "base/utf8.h"
#include "bulk/json.h"
#include <string.h>

static void name_member(ga__buffer *out, const char *name)
{
    bool first = out->size > 0 && out->data[out->size - 1] == '{';

    ga__buffer_printf(out, "%s\"%s\":", first ? "" : ",", name);
}

static void add_member(ga__buffer *out, const char *name, const char *text)
{
    name_member(out, name);
    ga__json_append_quoted(out, ga__slice_of(text));
}

static void add_json(ga__buffer *out, const char *name, ga__slice json)
{
    name_member(out, name);
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
    if (row->body_file && row->content_type)
        add_member(out, "content_type", row->content_type);
    if (row->body_file)
        add_member(out, "body_file", row->body_file);
    if (row->meta.size > 0)
        add_json(out, "meta", row->meta);
    ga__buffer_add_char(out, '}');
}
