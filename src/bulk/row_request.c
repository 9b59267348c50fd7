/* SPDX-License-Identifier: MIT */
/*
 * The members of a request record, a row that says itself what is to be called. Those that are not known, or
 * not of their kind, make the row an `input` failure. Called by plan_row.c.
 */
#include "bulk/row_builder.h"

#include "base/base64.h"
#include "base/number.h"
#include "bulk/json.h"
#include <string.h>

bool ga__row_take_string(ga__row_builder *self, const char *name, ga__slice value, const char **string)
{
    if (!ga__json_is(value, GA__JSON_STRING))
        return ga__row_refuse(self, "\"%s\" is to be a string", name);
    ga__slice text = ga__row_text_of(self, value);

    *string = text.data;
    if (!self->failed && memchr(text.data, '\0', text.size))
        return ga__row_refuse(self, "\"%s\" has a NUL character", name);
    return !self->failed;
}

static bool take_headers(ga__row_builder *self, ga__slice value)
{
    ga__json_walk walk;
    ga__slice name, each;
    size_t count = 0;

    if (!ga__json_is(value, GA__JSON_OBJECT))
        return ga__row_refuse(self, "\"headers\" is to be an object of strings");
    ga__json_walk_begin(&walk, value);
    while (ga__json_next_member(&walk, &name, &each))
        count++;
    ga_pair *headers =
        ga__arena_take(&self->row->arena, (count + self->plan->header_count + 1) * sizeof *headers);

    if (!headers)
        return ga__row_no_memory(self);
    self->row->headers = headers;
    ga__json_walk_begin(&walk, value);
    for (; ga__json_next_member(&walk, &name, &each); headers++) {
        *headers = (ga_pair){NULL, NULL};
        if (!ga__row_take_string(self, "headers", name, &headers->name))
            return false;
        if (!ga__json_is(each, GA__JSON_NULL) && !ga__row_take_string(self, "headers", each, &headers->value))
            return false;
    }
    *headers = (ga_pair){NULL, NULL};
    self->row->own_headers = count;
    return !self->failed;
}

void ga__row_use_type(ga__row_builder *self, const char *type)
{
    if (!self->row->content_type)
        self->row->content_type = type;
}

bool ga__row_take_body(ga__row_builder *self, ga__slice value)
{
    ga__buffer text = GA__BUFFER_INIT;

    if (ga__json_is(value, GA__JSON_NULL))
        return true;
    if (ga__json_is(value, GA__JSON_STRING)) {
        ga__json_append_unquoted(&text, value);
        ga__row_use_type(self, GA__TYPE_TEXT);
    } else {
        ga__buffer_append(&text, value.data, value.size);
        ga__row_use_type(self, GA__TYPE_JSON);
    }
    self->bodies++;
    self->row->body = ga__row_settle(self, &text);
    return !self->failed;
}

static bool take_base64(ga__row_builder *self, ga__slice value)
{
    ga__slice text = ga__row_text_of(self, value);
    ga__buffer bytes = GA__BUFFER_INIT;

    if (!ga__json_is(value, GA__JSON_STRING) || !ga__base64_decode(&bytes, text)) {
        bool failed = bytes.failed;

        ga__buffer_free(&bytes);
        return failed ? ga__row_no_memory(self) : ga__row_refuse(self, "\"body_base64\" is not base64");
    }
    self->bodies++;
    self->row->body = ga__row_settle(self, &bytes);
    ga__row_use_type(self, GA__TYPE_BYTES);
    return !self->failed;
}

static bool take_part(ga__row_builder *self, ga__slice value, ga_part *part)
{
    static const char *const names[] = {"name", "value", "file"};
    const char **places[] = {&part->name, &part->value, &part->file};
    ga__json_walk walk;
    ga__slice name, each;

    *part = (ga_part){.name = NULL};
    if (!ga__json_is(value, GA__JSON_OBJECT))
        return ga__row_refuse(self, "a part of \"form\" is to be an object");
    ga__json_walk_begin(&walk, value);
    while (ga__json_next_member(&walk, &name, &each)) {
        size_t i = 0;

        while (i < 3 && !ga__json_string_is(name, ga__slice_of(names[i])))
            i++;
        if (i == 3)
            return ga__row_refuse(self, "a part of \"form\" has name, value and file, and no %.*s",
                                  (int)name.size, name.data);
        if (!ga__row_take_string(self, "form", each, places[i]))
            return false;
    }
    return (part->name && !part->value != !part->file) ||
           ga__row_refuse(self, "a part of \"form\" is to have a name, and a value or a file");
}

/* An array of parts, in their order: {"name":, "value":} or {"name":, "file":}. */
static bool take_form(ga__row_builder *self, ga__slice value)
{
    ga__json_walk walk;
    ga__slice each;
    size_t count = 0;

    ga__json_walk_begin(&walk, value);
    while (ga__json_is(value, GA__JSON_ARRAY) && ga__json_next_element(&walk, &each))
        count++;
    if (count == 0)
        return ga__row_refuse(self, "\"form\" is to be an array of parts");
    ga_part *parts = ga__arena_take(&self->row->arena, (count + 1) * sizeof *parts);

    if (!parts)
        return ga__row_no_memory(self);
    parts[count] = (ga_part){.name = NULL};
    ga__json_walk_begin(&walk, value);
    for (size_t i = 0; ga__json_next_element(&walk, &each); i++)
        if (!take_part(self, each, &parts[i]))
            return false;
    self->row->parts = parts; /* whole: a row that is refused has none */
    self->bodies++;
    return true;
}

static bool keep_json(ga__row_builder *self, ga__slice value, ga__slice *kept)
{
    ga__buffer text = GA__BUFFER_INIT;

    ga__json_append_compact(&text, value);
    *kept = ga__row_settle(self, &text);
    return !self->failed;
}

/* A status, an array of them, or a text as --expect has it. */
static bool take_expect(ga__row_builder *self, ga__slice value)
{
    ga__expect *expect = ga__arena_take(&self->row->arena, sizeof *expect);
    ga__buffer text = GA__BUFFER_INIT;
    ga__json_walk walk;
    ga__slice each;

    if (!expect)
        return ga__row_no_memory(self);
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
    bool failed = text.failed;
    bool good = !failed && ga__expect_parse(expect, (ga__slice){text.data ? text.data : "", text.size});

    ga__buffer_free(&text);
    if (failed)
        return ga__row_no_memory(self);
    self->row->expect = expect;
    if (good)
        return keep_json(self, value, &self->row->own_expect);
    return ga__row_refuse(self, "\"expect\" is to be a status, or an array of statuses");
}

static bool take_cost(ga__row_builder *self, ga__slice value)
{
    if (!ga__parse_double(value.data, value.size, &self->row->cost) || self->row->cost < 0)
        return ga__row_refuse(self, "\"cost\" is to be a number of tokens");
    self->has_cost = true;
    return keep_json(self, value, &self->row->own_cost);
}

bool ga__row_take_id(ga__row_builder *self, ga__slice value)
{
    ga__json_kind kind = ga__json_kind_of(value);
    ga__buffer text = GA__BUFFER_INIT;

    if (kind == GA__JSON_NULL)
        return true;
    if (kind != GA__JSON_STRING && kind != GA__JSON_NUMBER)
        return ga__row_refuse(self, "an id is to be a string or a number");
    ga__buffer_append(&text, value.data, value.size);
    self->row->id = ga__row_settle(self, &text);
    return !self->failed;
}

static bool take_meta(ga__row_builder *self, ga__slice value)
{
    return keep_json(self, value, &self->row->meta);
}

static bool take_member(ga__row_builder *self, ga__slice name, ga__slice value)
{
    static const char *const strings[] = {"method", "url", "body_file", "content_type"};
    const char **places[] = {&self->row->method, &self->row->url, &self->row->body_file,
                             &self->row->content_type};

    if (ga__json_string_is(name, GA__SLICE("content_type")))
        self->row->type_by = GA__TYPE_BY_ROW;
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        if (ga__json_string_is(name, ga__slice_of(strings[i])))
            return ga__row_take_string(self, strings[i], value, places[i]);
    if (ga__json_string_is(name, ga__slice_of("headers")))
        return take_headers(self, value);
    if (ga__json_string_is(name, ga__slice_of("body")))
        return ga__row_take_body(self, value);
    if (ga__json_string_is(name, ga__slice_of("body_base64")))
        return take_base64(self, value);
    if (ga__json_string_is(name, ga__slice_of("form")))
        return take_form(self, value);
    if (ga__json_string_is(name, ga__slice_of("expect")))
        return take_expect(self, value);
    if (ga__json_string_is(name, ga__slice_of("cost")))
        return take_cost(self, value);
    if (ga__json_string_is(name, ga__slice_of("meta")))
        return take_meta(self, value);
    if (ga__json_string_is(name, ga__slice_of("id")) || ga__json_string_is(name, ga__slice_of("custom_id")))
        return self->plan->id.name || ga__row_take_id(self, value);
    return ga__row_refuse(self,
                          "no member %.*s is known; those of a request are id, method, url, headers, body, "
                          "body_base64, body_file, form, "
                          "content_type, expect, cost, meta",
                          (int)name.size, name.data);
}

bool ga__row_take_request(ga__row_builder *self)
{
    ga__slice name, value;
    ga__json_walk walk;

    ga__json_walk_begin(&walk, self->raw->text);
    while (ga__json_next_member(&walk, &name, &value))
        if (!take_member(self, name, value))
            return false;
    if (self->bodies + (self->row->body_file != NULL) > 1)
        return ga__row_refuse(self, "it has more than one body");
    return self->row->url || ga__row_refuse(self, "it has no \"url\"");
}
