/* SPDX-License-Identifier: MIT */
/*
 * Records, as they are written. The order of the members is that of the command's documentation; what a row
 * has not is left out, but for `error`, which is null where there is none.
 */
#include "bulk/record.h"

#include "base/base64.h"
#include "base/number.h"
#include "bulk/csv.h"
#include "bulk/json.h"
#include <string.h>
#include <time.h>

/* --- kinds ---------------------------------------------------------------------------------------- */

static const char *const kind_names[GA__KINDS] = {
    "ok",       "dns",       "connect",         "tls",          "timeout",   "reset",
    "protocol", "too_large", "decode",          "rate_limited", "http",      "expect",
    "redirect", "too_big",   "unknown_outcome", "input",        "cancelled",
};

const char *ga__kind_name(ga__kind kind)
{
    return kind < GA__KINDS ? kind_names[kind] : "";
}

ga__kind ga__kind_of_error(const ga_error_detail *error)
{
    switch (error->code) {
    case GA_EDNS:
        return GA__KIND_DNS;
    case GA_EREFUSED:
    case GA_EUNREACHABLE:
    case GA_ECONNECT:
    case GA_EPROXY:
    case GA_EFDS:
        return GA__KIND_CONNECT;
    case GA_ETLS:
    case GA_ECERT:
    case GA_EPIN:
        return GA__KIND_TLS;
    case GA_ETIMEDOUT:
        return GA__KIND_TIMEOUT;
    case GA_EDISCONNECTED:
    case GA_ERESET:
    case GA_ETRUNCATED:
        return GA__KIND_RESET;
    case GA_EPROTOCOL:
    case GA_EHEADTOOBIG:
        return GA__KIND_PROTOCOL;
    case GA_ETOOLARGE:
        return GA__KIND_TOO_LARGE;
    case GA_EDECODE:
        return GA__KIND_DECODE;
    case GA_ERATELIMITED:
        return GA__KIND_RATE_LIMITED;
    case GA_EREDIRECT:
        return GA__KIND_REDIRECT;
    case GA_ETOOCOSTLY:
        return GA__KIND_TOO_BIG;
    case GA_ECANCELED:
    case GA_ECLOSED:
    case GA_ENOMEM:
    case GA_ESYSTEM:
        return GA__KIND_CANCELLED;
    default: /* GA_EURL, GA_ESCHEME, GA_EHEADER, GA_EUSAGE, ...: what the row asks for cannot be sent */
        return GA__KIND_INPUT;
    }
}

bool ga__kind_is_retryable(ga__kind kind, int status)
{
    switch (kind) {
    case GA__KIND_HTTP:
        return status == 408 || status == 429 || status >= 500;
    case GA__KIND_DNS:
    case GA__KIND_CONNECT:
    case GA__KIND_TIMEOUT:
    case GA__KIND_RESET:
    case GA__KIND_RATE_LIMITED:
    case GA__KIND_CANCELLED:
        return true;
    default:
        return false;
    }
}

/* --- parts that both forms share ------------------------------------------------------------------ */

static void append_decimal(ga__buffer *out, uint64_t number)
{
    char digits[GA__DECIMAL_MAX];

    ga__buffer_append(out, digits, (size_t)(ga__put_decimal(digits, number) - digits));
}

/* The second is made once and kept while it lasts. */
void ga__record_append_time(ga__buffer *out, int64_t ms)
{
    static _Thread_local time_t made;
    static _Thread_local char text[sizeof "2026-11-22T11:04:42" + 8];
    time_t second = (time_t)(ms / 1000);
    struct tm parts;

    if (second != made && gmtime_r(&second, &parts) &&
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts))
        made = second;
    ga__buffer_add(out, text);
    ga__buffer_append(
        out,
        (char[]){'.', (char)('0' + ms / 100 % 10), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z'},
        5);
}

/* --- JSON ----------------------------------------------------------------------------------------- */

static void add_number(ga__buffer *out, const char *name, uint64_t number)
{
    ga__json_append_name(out, name);
    append_decimal(out, number);
}

static void add_string(ga__buffer *out, const char *name, ga__slice text)
{
    ga__json_append_name(out, name);
    ga__json_append_quoted(out, text);
}

static void add_json(ga__buffer *out, const char *name, ga__slice value)
{
    ga__json_append_name(out, name);
    if (value.size > 0)
        ga__json_append_compact(out, value);
    else
        ga__buffer_add(out, "null");
}

static void add_bool(ga__buffer *out, const char *name, bool value)
{
    ga__json_append_name(out, name);
    ga__buffer_add(out, value ? "true" : "false");
}

static void add_time(ga__buffer *out, const char *name, double ms)
{
    if (ms < 0)
        return;
    ga__json_append_name(out, name);
    ga__json_append_decimal(out, ms);
}

static void add_times(ga__buffer *out, const ga__record *record)
{
    if (record->at > 0) {
        ga__json_append_name(out, "at");
        ga__buffer_add_char(out, '"');
        ga__record_append_time(out, record->at);
        ga__buffer_add_char(out, '"');
    }
    ga__json_append_name(out, "ms");
    ga__buffer_add_char(out, '{');
    add_time(out, "wait", record->wait_ms);
    add_time(out, "ttfb", record->ttfb_ms);
    add_time(out, "total", record->total_ms);
    ga__buffer_add_char(out, '}');
}

static void add_headers(ga__buffer *out, const ga_pair *headers)
{
    if (!headers)
        return;
    ga__json_append_name(out, "headers");
    ga__buffer_add_char(out, '[');
    for (; headers->name; headers++) {
        if (out->data && out->data[out->size - 1] != '[')
            ga__buffer_add_char(out, ',');
        ga__buffer_add_char(out, '[');
        ga__json_append_quoted(out, ga__slice_of(headers->name));
        ga__buffer_add_char(out, ',');
        ga__json_append_quoted(out, ga__slice_of(headers->value));
        ga__buffer_add_char(out, ']');
    }
    ga__buffer_add_char(out, ']');
}

static void add_body(ga__buffer *out, const ga__record *record)
{
    switch (record->body_form) {
    case GA__BODY_NONE:
        break;
    case GA__BODY_JSON:
        add_json(out, "body", record->body);
        break;
    case GA__BODY_TEXT:
        add_string(out, "text", record->body);
        break;
    case GA__BODY_BINARY:
        ga__json_append_name(out, "body_base64");
        ga__buffer_add_char(out, '"');
        ga__base64_encode(out, record->body.data, record->body.size);
        ga__buffer_add_char(out, '"');
        break;
    case GA__BODY_FILE:
        add_string(out, "file", record->body);
        break;
    }
}

void ga__record_append_values(ga__buffer *out, const char *name, const ga__record_value *values, size_t count)
{
    if (count == 0)
        return;
    ga__json_append_name(out, name);
    ga__buffer_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            ga__buffer_add_char(out, ',');
        ga__json_append_quoted(out, ga__slice_of(values[i].name));
        ga__buffer_add_char(out, ':');
        if (values[i].json.size > 0)
            ga__json_append_compact(out, values[i].json);
        else
            ga__buffer_add(out, "null");
    }
    ga__buffer_add_char(out, '}');
}

static void add_error(ga__buffer *out, const ga__record *record)
{
    ga__json_append_name(out, "error");
    if (record->ok) {
        ga__buffer_add(out, "null");
        return;
    }
    ga__buffer_add_char(out, '{');
    add_string(out, "kind", ga__slice_of(ga__kind_name(record->kind)));
    add_string(out, "stage", ga__slice_of(record->stage));
    add_string(out, "message", ga__slice_of(record->message));
    add_bool(out, "retryable", record->retryable);
    if (record->file) {
        add_string(out, "file", ga__slice_of(record->file));
        add_number(out, "line", record->line);
    }
    ga__buffer_add_char(out, '}');
}

void ga__record_append_json(ga__buffer *out, const ga__record *record)
{
    ga__buffer_add_char(out, '{');
    if (record->id.size > 0)
        add_json(out, "id", record->id);
    add_number(out, "n", record->n);
    if (record->page > 0)
        add_number(out, "page", record->page);
    add_bool(out, "ok", record->ok);
    if (record->status > 0)
        add_number(out, "status", (uint64_t)record->status);
    if (record->url.size > 0)
        add_string(out, "url", record->url);
    add_number(out, "attempts", (uint64_t)record->attempts);
    add_times(out, record);
    add_headers(out, record->headers);
    add_body(out, record);
    ga__record_append_values(out, "extract", record->extract, record->extract_count);
    ga__record_append_values(out, "keep", record->keep, record->keep_count);
    if (record->meta.size > 0)
        add_json(out, "meta", record->meta);
    add_error(out, record);
    ga__buffer_append(out, "}\n", 2);
}

/* --- CSV ------------------------------------------------------------------------------------------ */

static const char *const csv_columns[] = {"id",       "n",        "page",   "ok",      "status",
                                          "url",      "attempts", "at",     "wait_ms", "ttfb_ms",
                                          "total_ms", "error",    "message"};

static void append_values_head(ga__buffer *out, const ga__record_value *values, size_t count, char separator)
{
    for (size_t i = 0; i < count; i++) {
        ga__buffer_add_char(out, separator);
        ga__csv_append(out, ga__slice_of(values[i].name), separator);
    }
}

void ga__record_append_csv_head(ga__buffer *out, const ga__record *like, bool with_body, char separator)
{
    for (size_t i = 0; i < sizeof csv_columns / sizeof *csv_columns; i++) {
        if (i > 0)
            ga__buffer_add_char(out, separator);
        ga__buffer_add(out, csv_columns[i]);
    }
    append_values_head(out, like->keep, like->keep_count, separator);
    append_values_head(out, like->extract, like->extract_count, separator);
    if (with_body) {
        ga__buffer_add_char(out, separator);
        ga__buffer_add(out, "body");
    }
    ga__buffer_add_char(out, '\n');
}

/* A JSON value as a field: a string as what it says, null as nothing, else as JSON. */
static void append_json_field(ga__buffer *out, ga__slice value, char separator)
{
    ga__buffer text = GA__BUFFER_INIT;

    if (ga__json_is(value, GA__JSON_STRING))
        ga__json_append_unquoted(&text, value);
    else if (value.size > 0 && !ga__json_is(value, GA__JSON_NULL))
        ga__json_append_compact(&text, value);
    out->failed |= text.failed;
    ga__csv_append(out, (ga__slice){text.data, text.size}, separator);
    ga__buffer_free(&text);
}

static void append_json_fields(ga__buffer *out, const ga__record_value *values, size_t count, char separator)
{
    for (size_t i = 0; i < count; i++) {
        ga__buffer_add_char(out, separator);
        append_json_field(out, values[i].json, separator);
    }
}

static void append_number_field(ga__buffer *out, uint64_t number, char separator)
{
    ga__buffer_add_char(out, separator);
    if (number > 0)
        append_decimal(out, number);
}

static void append_time_field(ga__buffer *out, double ms, char separator)
{
    ga__buffer_add_char(out, separator);
    if (ms >= 0)
        ga__json_append_decimal(out, ms);
}

static void append_body_field(ga__buffer *out, const ga__record *record, char separator)
{
    ga__buffer_add_char(out, separator);
    if (record->body_form == GA__BODY_BINARY)
        ga__base64_encode(out, record->body.data, record->body.size);
    else if (record->body_form == GA__BODY_JSON)
        append_json_field(out, record->body, separator);
    else if (record->body_form != GA__BODY_NONE)
        ga__csv_append(out, record->body, separator);
}

void ga__record_append_csv(ga__buffer *out, const ga__record *record, bool with_body, char separator)
{
    append_json_field(out, record->id, separator);
    append_number_field(out, record->n, separator);
    append_number_field(out, record->page, separator);
    ga__buffer_add_char(out, separator);
    ga__buffer_add(out, record->ok ? "true" : "false");
    append_number_field(out, record->status > 0 ? (uint64_t)record->status : 0, separator);
    ga__buffer_add_char(out, separator);
    ga__csv_append(out, record->url, separator);
    append_number_field(out, (uint64_t)record->attempts, separator);
    ga__buffer_add_char(out, separator);
    if (record->at > 0)
        ga__record_append_time(out, record->at);
    append_time_field(out, record->wait_ms, separator);
    append_time_field(out, record->ttfb_ms, separator);
    append_time_field(out, record->total_ms, separator);
    ga__buffer_add_char(out, separator);
    if (!record->ok)
        ga__buffer_add(out, ga__kind_name(record->kind));
    ga__buffer_add_char(out, separator);
    if (!record->ok)
        ga__csv_append(out, ga__slice_of(record->message), separator);
    append_json_fields(out, record->keep, record->keep_count, separator);
    append_json_fields(out, record->extract, record->extract_count, separator);
    if (with_body)
        append_body_field(out, record, separator);
    ga__buffer_add_char(out, '\n');
}
