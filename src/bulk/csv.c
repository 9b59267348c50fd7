/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing CSV. A record is read twice: once to find its end, so that one which is cut off costs
 * nothing but the look; then into fields. Files without an escape character, comments or padding: what is
 * between two separators is the field.
 */
#include "bulk/csv.h"

#include "base/utf8.h"
#include <stdlib.h>
#include <string.h>

void ga__csv_init(ga__csv *csv, char separator)
{
    *csv = (ga__csv){.separator = separator, .text = GA__BUFFER_INIT};
}

void ga__csv_free(ga__csv *csv)
{
    ga__buffer_free(&csv->text);
    free(csv->fields);
}

/* --- where a record ends -------------------------------------------------------------------------- */

typedef struct extent {
    size_t size; /* of the record, its line end too */
    size_t fields;
    uint64_t lines;
    bool whole, broken;
} extent;

/* Behind the quoted field that begins here, or NULL where it does not end. */
static const char *skip_quoted(const char *at, const char *end, uint64_t *lines)
{
    for (at++; at < end; at++) {
        *lines += *at == '\n';
        if (*at != '"')
            continue;
        if (at + 1 == end || at[1] != '"')
            return at + 1;
        at++;
    }
    return NULL;
}

static const char *skip_plain(const char *at, const char *end, char separator)
{
    while (at < end && *at != separator && *at != '\n')
        at++;
    return at;
}

/* Behind the field that begins here: at a separator, a line's end, or the end. NULL where it does not end. */
static const char *skip_field(const ga__csv *csv, const char *at, const char *end, extent *found)
{
    if (at == end || *at != '"')
        return skip_plain(at, end, csv->separator);
    at = skip_quoted(at, end, &found->lines);
    if (!at)
        return NULL;
    if (at < end && *at == '\r' && (at + 1 == end || at[1] == '\n'))
        at++;
    found->broken = at < end && *at != csv->separator && *at != '\n';
    return at;
}

/* A broken record is its first line: where a quote does not end, the next line may be whole again. */
static void give_up(extent *found, const char *bytes, size_t size, bool last)
{
    const char *line_end = bytes ? memchr(bytes, '\n', size) : NULL;

    found->size = line_end ? (size_t)(line_end + 1 - bytes) : size;
    found->whole = line_end || last;
    found->broken = true;
    found->lines = 1;
}

static extent find_end(const ga__csv *csv, const char *bytes, size_t size, bool last)
{
    const char *at = bytes, *end = bytes + size;
    extent found = {.fields = 1, .lines = 1};

    while ((at = skip_field(csv, at, end, &found)) && !found.broken && at < end && *at != '\n') {
        found.fields++;
        at++;
    }
    if (found.broken || (!at && last)) {
        give_up(&found, bytes, size, last);
    } else if (at) {
        found.whole = at < end || last;
        found.size = (size_t)(at - bytes) + (at < end);
    }
    return found;
}

/* --- into fields ---------------------------------------------------------------------------------- */

static bool make_room(ga__csv *csv, const extent *record)
{
    if (csv->room < record->fields) {
        ga__slice *fields = reallocarray(csv->fields, record->fields, sizeof *fields);

        if (!fields)
            return false;
        csv->fields = fields;
        csv->room = record->fields;
    }
    ga__buffer_clear(&csv->text);
    return ga__buffer_reserve(&csv->text, record->size) != NULL;
}

/* Appends what the quoted field says, in a buffer that has room. @return behind it */
static const char *take_quoted(ga__csv *csv, const char *at, const char *end)
{
    for (at++;; at++) {
        if (*at == '"' && (++at == end || *at != '"'))
            return at;
        csv->text.data[csv->text.size++] = *at;
    }
}

static void take_fields(ga__csv *csv, const char *bytes, const char *end)
{
    if (end > bytes && end[-1] == '\n')
        end--;
    if (end > bytes && end[-1] == '\r')
        end--;
    csv->count = 0;
    for (const char *at = bytes;; at++) {
        char *from = csv->text.data + csv->text.size;

        if (at < end && *at == '"') {
            at = take_quoted(csv, at, end);
        } else {
            const char *until = skip_plain(at, end, csv->separator);

            memcpy(from, at, (size_t)(until - at));
            csv->text.size += (size_t)(until - at);
            at = until;
        }
        csv->fields[csv->count++] = (ga__slice){from, (size_t)(csv->text.data + csv->text.size - from)};
        if (at >= end)
            return;
    }
}

ga__csv_result ga__csv_read(ga__csv *csv, const char *bytes, size_t size, bool last, size_t *consumed)
{
    enum { MARK = 3 }; /* of byte order: it is looked for when there are as many bytes */
    size_t skipped = 0;

    if (!csv->begun) {
        if (size < MARK && !last)
            return GA__CSV_MORE;
        skipped = size - ga__utf8_behind_mark((ga__slice){bytes, size}).size;
    }
    extent record = find_end(csv, bytes + skipped, size - skipped, last);

    if (!record.whole)
        return GA__CSV_MORE;
    csv->begun = true;
    csv->lines = record.lines;
    *consumed = skipped + record.size;
    if (record.broken)
        return GA__CSV_BROKEN;
    if (!make_room(csv, &record))
        return GA__CSV_NOMEM;
    take_fields(csv, bytes + skipped, bytes + skipped + record.size);
    return GA__CSV_RECORD;
}

/* --- writing -------------------------------------------------------------------------------------- */

void ga__csv_append(ga__buffer *out, ga__slice field, char separator)
{
    bool quoted = false;

    for (size_t i = 0; i < field.size && !quoted; i++)
        quoted = field.data[i] == separator || field.data[i] == '"' || field.data[i] == '\n' ||
                 field.data[i] == '\r';
    if (!quoted) {
        if (field.size > 0)
            ga__buffer_append(out, field.data, field.size);
        return;
    }
    ga__buffer_add_char(out, '"');
    for (size_t i = 0; i < field.size; i++) {
        if (field.data[i] == '"')
            ga__buffer_add_char(out, '"');
        ga__buffer_add_char(out, field.data[i]);
    }
    ga__buffer_add_char(out, '"');
}
