/* SPDX-License-Identifier: MIT */
/*
 * The entries of an HTTP Archive. One begins when a request is about to go out, with its head; it goes over
 * to the response, and is written when that is freed; or when the request fails. Bodies are not kept: only
 * their sizes are told. Cookies and what else is secret in headers and URLs are left out or redacted. Called
 * by client/request.c and client/response.c.
 */
#include "client/har.h"

#include "base/utf8.h"
#include "client/head_copy.h"
#include "client/redact.h"
#include "client/response.h"
#include "protocol/percent.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct ga__har_entry {
    ga_session *session;
    json_t *json;                      /* the entry, as far as it is known */
    json_t *request;                   /* of it */
    size_t head_size;                  /* the request's */
    int64_t decoded;                   /* bytes of content; -1: not known */
    uint64_t spent[GA_PHASE_PACE + 1]; /* before it began, in each phase, ns */
};

/* --- JSON ----------------------------------------------------------------------------------------- */

/* Bytes of any kind as a string. NULL without memory, as what follows. */
static json_t *text_sized(const char *bytes, size_t size)
{
    ga__buffer repaired = GA__BUFFER_INIT;

    if (ga__utf8_valid(bytes, size))
        return json_stringn(bytes, size);
    ga__utf8_append_repaired(&repaired, bytes, size);
    json_t *json = repaired.failed ? NULL : json_stringn(repaired.data, repaired.size);

    ga__buffer_free(&repaired);
    return json;
}

static json_t *text(const char *string)
{
    return text_sized(string, strlen(string));
}

/* What the buffer holds, which is freed. */
static json_t *text_taken(ga__buffer *shown)
{
    json_t *json = shown->failed ? NULL : text_sized(shown->data ? shown->data : "", shown->size);

    ga__buffer_free(shown);
    return json;
}

/* The value of a header field. */
static json_t *field_value(const char *name, const char *value)
{
    ga__buffer shown = GA__BUFFER_INIT;

    ga__redact_field(&shown, name, value);
    return text_taken(&shown);
}

/* {"name": ..., "value": ...}, added to the array. Takes name and value over, which may be NULL. */
static bool add_pair(json_t *array, json_t *name, json_t *value)
{
    json_t *pair = json_object();
    int failed = json_object_set_new(pair, "name", name);

    failed |= json_object_set_new(pair, "value", value);
    failed |= json_array_append_new(array, pair);
    return !failed;
}

/* Each field of a request. NULL without memory. */
static json_t *request_headers(const ga__head_copy *head)
{
    json_t *array = json_array();

    for (const ga_pair *field = head->fields; array && field->name; field++)
        if (!add_pair(array, text(field->name), field_value(field->name, field->value))) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *response_headers(const ga_response *response)
{
    json_t *array = json_array();
    ga_pair field;

    for (size_t i = 0; array && ga_header_at(response, i, &field); i++)
        if (!add_pair(array, text(field.name), field_value(field.name, field.value))) {
            json_decref(array);
            return NULL;
        }
    return array;
}

/* A name or value of a query, decoded. */
static json_t *decoded(ga__slice part)
{
    ga__buffer blanks = GA__BUFFER_INIT, plain = GA__BUFFER_INIT;

    ga__buffer_append(&blanks, part.data, part.size);
    for (size_t i = 0; i < blanks.size; i++)
        if (blanks.data[i] == '+')
            blanks.data[i] = ' ';
    ga__percent_decode(&plain, blanks.data ? blanks.data : "", blanks.size);
    bool failed = blanks.failed || plain.failed;
    json_t *json = failed ? NULL : text_sized(plain.data ? plain.data : "", plain.size);

    ga__buffer_free(&blanks);
    ga__buffer_free(&plain);
    return json;
}

/* The parameters of a URL. */
static json_t *query_string(const ga__buffer *url)
{
    const char *mark = memchr(url->data, '?', url->size);
    ga__slice query = {mark ? mark + 1 : "", mark ? (size_t)(url->data + url->size - mark - 1) : 0};
    json_t *array = json_array();

    while (array && query.size > 0) {
        const char *end = memchr(query.data, '&', query.size);
        ga__slice value = ga__slice_take(&query, end ? (size_t)(end - query.data) : query.size);
        const char *equals = memchr(value.data, '=', value.size);
        ga__slice name = ga__slice_take(&value, equals ? (size_t)(equals - value.data) : value.size);

        if (equals)
            ga__slice_take(&value, 1);
        if (end)
            ga__slice_take(&query, 1);
        if (name.size + value.size > 0 && !add_pair(array, decoded(name), decoded(value))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* --- the request ---------------------------------------------------------------------------------- */

/* "2026-11-22T21:45:06.123Z", RFC 3339. */
static json_t *present_time(void)
{
    struct timespec now;
    struct tm date;
    char shown[64];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &date);
    snprintf(shown, sizeof shown, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", date.tm_year + 1900, date.tm_mon + 1,
             date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec, (int)(now.tv_nsec / 1000000));
    return json_string(shown);
}

/* @return nonzero without memory */
static int set_url(json_t *request, const ga__url *url)
{
    const char *whole = ga__url_printable(url);
    ga__buffer shown = GA__BUFFER_INIT;
    int failed = 1;

    ga__redact_url(&shown, ga__slice_of(whole));
    if (!shown.failed) {
        failed = json_object_set_new(request, "url", text_sized(shown.data, shown.size));
        failed |= json_object_set_new(request, "queryString", query_string(&shown));
    }
    ga__buffer_free(&shown);
    return failed;
}

static json_t *request_of(const ga__call *call)
{
    bool unknown = call->source && call->source->size < 0;
    json_t *request = json_object();
    ga__head_copy head;

    if (!request || ga__head_copy_make(&head, &call->head) < 0) {
        json_decref(request);
        return NULL;
    }
    int failed = set_url(request, &call->url);

    failed |= json_object_set_new(request, "method", text(call->method));
    failed |= json_object_set_new(request, "cookies", json_array());
    failed |= json_object_set_new(request, "headers", request_headers(&head));
    failed |=
        json_object_set_new(request, "bodySize", json_integer(unknown ? -1 : (json_int_t)call->body_size));
    ga__head_copy_free(&head);
    if (!failed)
        return request;
    json_decref(request);
    return NULL;
}

/* What was spent in each phase until then. */
static void take_times(uint64_t spent[], const ga__progress *progress, uint64_t now)
{
    memcpy(spent, progress->spent, sizeof progress->spent);
    spent[progress->phase] += now - progress->entered;
}

static void free_entry(ga__har_entry *entry)
{
    json_decref(entry->json);
    ga__session_unref(entry->session);
    free(entry);
}

void ga__har_begin(ga__call *call)
{
    ga__har_entry *entry = calloc(1, sizeof *entry);
    int failed = !entry || !(entry->json = json_object());

    if (!failed) {
        failed |= json_object_set_new(entry->json, "startedDateTime", present_time());
        failed |= json_object_set_new(entry->json, "_attempt", json_integer(call->progress.attempt));
        failed |= json_object_set_new(entry->json, "request", entry->request = request_of(call));
    }
    if (failed) {
        ga__har_add(call->session->har, NULL);
        if (entry)
            json_decref(entry->json);
        free(entry);
        return;
    }
    entry->decoded = -1;
    entry->session = call->session;
    ga__session_ref(entry->session);
    entry->head_size = call->head.size;
    take_times(entry->spent, &call->progress, ga__now());
    call->har = entry;
}

/* --- the response --------------------------------------------------------------------------------- */

static json_t *content_of(const ga_response *response, const ga__har_entry *entry)
{
    const char *type = ga_header(response, "Content-Type");
    uint64_t size = entry->decoded >= 0 ? (uint64_t)entry->decoded : response->http.body.received;
    json_t *content = json_object();
    int failed = json_object_set_new(content, "size", json_integer((json_int_t)size));

    failed |= json_object_set_new(content, "mimeType", text(type ? type : ""));
    if (!failed)
        return content;
    json_decref(content);
    return NULL;
}

/* "HTTP/1.1", "HTTP/2". */
static json_t *version_of(const ga_response *response)
{
    char shown[16];

    snprintf(shown, sizeof shown, "HTTP/%s", response ? ga_http_version(response) : "1.1");
    return json_string(shown);
}

/* The sizes of heads are those of HTTP/1.1; over HTTP/2 they are packed. */
static json_t *response_of(const ga_response *response, const ga__har_entry *entry)
{
    const char *location = ga_header(response, "Location");
    bool redirects = ga_status(response) / 100 == 3 && location;
    json_t *json = json_object();
    int failed = json_object_set_new(json, "status", json_integer(ga_status(response)));

    failed |= json_object_set_new(json, "statusText", text(ga_reason(response)));
    failed |= json_object_set_new(json, "httpVersion", version_of(response));
    failed |= json_object_set_new(json, "cookies", json_array());
    failed |= json_object_set_new(json, "headers", response_headers(response));
    failed |= json_object_set_new(json, "content", content_of(response, entry));
    failed |= json_object_set_new(json, "redirectURL", field_value("Location", redirects ? location : ""));
    failed |= json_object_set_new(
        json, "headersSize", json_integer(response->over_http2 ? -1 : (json_int_t)response->headers.size));
    failed |= json_object_set_new(json, "bodySize", json_integer((json_int_t)response->http.body.received));
    if (!failed)
        return json;
    json_decref(json);
    return NULL;
}

/* What stands for the response where there was none: as browsers write it. */
static json_t *failure(void)
{
    ga__buffer shown = GA__BUFFER_INIT;

    ga__redact_url(&shown, ga__slice_of(ga_error_message())); /* it names the URL */
    json_t *message = text_taken(&shown);

    return message ? json_pack("{s:i, s:s, s:s, s:[], s:[], s:{s:i, s:s}, s:s, s:i, s:i, s:o}", "status", 0,
                               "statusText", "", "httpVersion", "", "cookies", "headers", "content", "size",
                               0, "mimeType", "", "redirectURL", "", "headersSize", -1, "bodySize", -1,
                               "_error", message)
                   : NULL;
}

/* --- the end -------------------------------------------------------------------------------------- */

/* Milliseconds, to the microsecond. */
static double milliseconds(uint64_t ns)
{
    return round((double)ns * 1e-3) * 1e-3;
}

/* The phases that an exchange may lack are -1 then. */
static json_t *optional(uint64_t ns)
{
    return ns > 0 ? json_real(milliseconds(ns)) : json_integer(-1);
}

/* The archive's "connect" has the TLS handshake in it. */
static int set_times(json_t *json, const ga__har_entry *entry, const ga__progress *progress, uint64_t now)
{
    uint64_t spent[GA_PHASE_PACE + 1], all = 0;
    json_t *timings = json_object();

    take_times(spent, progress, now);
    for (size_t i = 0; i <= GA_PHASE_PACE; i++)
        all += spent[i] -= entry->spent[i];
    uint64_t connect = spent[GA_PHASE_CONNECT] + spent[GA_PHASE_TLS];
    uint64_t named = connect + spent[GA_PHASE_DNS] + spent[GA_PHASE_WRITE] + spent[GA_PHASE_FIRST_BYTE] +
                     spent[GA_PHASE_READ];
    int failed = json_object_set_new(timings, "blocked", json_real(milliseconds(all - named)));

    failed |= json_object_set_new(timings, "dns", optional(spent[GA_PHASE_DNS]));
    failed |= json_object_set_new(timings, "connect", optional(connect));
    failed |= json_object_set_new(timings, "ssl", optional(spent[GA_PHASE_TLS]));
    failed |= json_object_set_new(timings, "send", json_real(milliseconds(spent[GA_PHASE_WRITE])));
    failed |= json_object_set_new(timings, "wait", json_real(milliseconds(spent[GA_PHASE_FIRST_BYTE])));
    failed |= json_object_set_new(timings, "receive", json_real(milliseconds(spent[GA_PHASE_READ])));
    failed |= json_object_set_new(json, "time", json_real(milliseconds(all)));
    failed |= json_object_set_new(json, "timings", timings);
    return failed;
}

/* Writes the entry, which ended `now`, and frees it. `response` is NULL where there is none. */
static void end(ga__har_entry *entry, const ga__progress *progress, uint64_t now, const ga_response *response)
{
    bool packed = response && response->over_http2;
    json_t *json = entry->json;
    int failed = json_object_set_new(json, "response", response ? response_of(response, entry) : failure());

    failed |= json_object_set_new(entry->request, "httpVersion", version_of(response));
    failed |= json_object_set_new(entry->request, "headersSize",
                                  json_integer(packed ? -1 : (json_int_t)entry->head_size));
    failed |= json_object_set_new(json, "cache", json_object());
    failed |= set_times(json, entry, progress, now);
    char *written = failed ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));

    ga__har_add(entry->session->har, written);
    free(written);
    free_entry(entry);
}

void ga__har_exchanged(ga__call *call, int code)
{
    ga__har_entry *entry = call->har;

    call->har = NULL;
    if (code == 0)
        call->response->har = entry;
    else if (call->held) /* at its host, and comes again */
        free_entry(entry);
    else
        end(entry, &call->progress, ga__now(), NULL);
}

void ga__har_decoded(ga__har_entry *entry, uint64_t size)
{
    entry->decoded = (int64_t)size;
}

void ga__har_end(const ga_response *response)
{
    const ga__progress *progress = &response->progress;

    /* The response may have outlived its loop, whose clock is gone. */
    end(response->har, progress, response->ended_at ? response->ended_at : progress->entered, response);
}
