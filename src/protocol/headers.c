/* SPDX-License-Identifier: MIT */
/*
 * The field table: adding, looking up, moving into a response's block. Fields are few, so looking one up
 * walks over the table; the `present` bits answer for what is not there at all. Used by the HTTP/1.1 parser
 * and by the client.
 */
#include "protocol/headers.h"

#include "base/ascii.h"
#include "protocol/token.h"
#include <string.h>

_Static_assert(GA__FIELD_COUNT <= 64, "ga__headers.present has a bit for each id");

struct known {
    const char *name; /* lower case */
    ga__field_id id;
};

/* By length, so that a name is compared with few others. */
static const struct known known_fields[] = {
    {"te", GA__FIELD_TE},
    {"age", GA__FIELD_AGE},
    {"date", GA__FIELD_DATE},
    {"etag", GA__FIELD_ETAG},
    {"host", GA__FIELD_HOST},
    {"link", GA__FIELD_LINK},
    {"vary", GA__FIELD_VARY},
    {"accept", GA__FIELD_ACCEPT},
    {"cookie", GA__FIELD_COOKIE},
    {"expect", GA__FIELD_EXPECT},
    {"server", GA__FIELD_SERVER},
    {"trailer", GA__FIELD_TRAILER},
    {"upgrade", GA__FIELD_UPGRADE},
    {"location", GA__FIELD_LOCATION},
    {"connection", GA__FIELD_CONNECTION},
    {"keep-alive", GA__FIELD_KEEP_ALIVE},
    {"set-cookie", GA__FIELD_SET_COOKIE},
    {"user-agent", GA__FIELD_USER_AGENT},
    {"retry-after", GA__FIELD_RETRY_AFTER},
    {"content-type", GA__FIELD_CONTENT_TYPE},
    {"authorization", GA__FIELD_AUTHORIZATION},
    {"cache-control", GA__FIELD_CACHE_CONTROL},
    {"content-range", GA__FIELD_CONTENT_RANGE},
    {"last-modified", GA__FIELD_LAST_MODIFIED},
    {"content-length", GA__FIELD_CONTENT_LENGTH},
    {"accept-encoding", GA__FIELD_ACCEPT_ENCODING},
    {"content-encoding", GA__FIELD_CONTENT_ENCODING},
    {"www-authenticate", GA__FIELD_WWW_AUTHENTICATE},
    {"transfer-encoding", GA__FIELD_TRANSFER_ENCODING},
    {"proxy-authenticate", GA__FIELD_PROXY_AUTHENTICATE},
    {"proxy-authorization", GA__FIELD_PROXY_AUTHORIZATION},
};

/* known_fields of n characters begin at [n] and end before [n + 1]. */
static const uint8_t known_by_length[] = {0,  0,  0,  1,  2,  7,  7,  11, 13, 14, 14,
                                          18, 19, 20, 24, 25, 26, 28, 29, 30, 31};
enum { LONGEST_KNOWN = 19 };

/* Whether the bytes are the same when the bit 0x20 is set in those of the first. */
static bool is_known8(const char *name, const char *known)
{
    uint64_t a, b;

    memcpy(&a, name, 8);
    memcpy(&b, known, 8);
    return (a | UINT64_C(0x2020202020202020)) == b;
}

static bool is_known4(const char *name, const char *known)
{
    uint32_t a, b;

    memcpy(&a, name, 4);
    memcpy(&b, known, 4);
    return (a | UINT32_C(0x20202020)) == b;
}

/* Whether a token is the lower-case `known` of the same size, but for case. Among token characters only a
 * letter's lower case differs from it in just the bit 0x20, so several bytes at a time can be compared with
 * that bit set; the last of them overlap those before. */
static bool is_known(const char *name, const char *known, size_t size)
{
    if (size >= 8) {
        for (size_t at = 0; size - at > 8; at += 8)
            if (!is_known8(name + at, known + at))
                return false;
        return is_known8(name + size - 8, known + size - 8);
    }
    if (size >= 4)
        return is_known4(name, known) && is_known4(name + size - 4, known + size - 4);
    for (size_t at = 0; at < size; at++)
        if ((name[at] | 0x20) != known[at])
            return false;
    return true;
}

ga__field_id ga__field_identify(const char *name, size_t size)
{
    if (!size || size > LONGEST_KNOWN)
        return GA__FIELD_OTHER;
    for (unsigned i = known_by_length[size]; i < known_by_length[size + 1]; i++) {
        const struct known *known = &known_fields[i];

        if ((name[0] | 0x20) == known->name[0] && is_known(name, known->name, size))
            return known->id;
    }
    return GA__FIELD_OTHER;
}

const ga__field *ga__headers_next(const ga__headers *headers, ga__field_id id, const ga__field *after)
{
    if (!ga__headers_has(headers, id))
        return NULL;
    const ga__field *end = headers->fields + headers->count;

    for (const ga__field *field = after ? after + 1 : headers->fields; field < end; field++)
        if (field->id == id)
            return field;
    return NULL;
}

const ga__field *ga__headers_find(const ga__headers *headers, const char *name, const ga__field *after)
{
    ga__slice wanted = ga__slice_of(name);
    ga__field_id id =
        ga__is_token(name, wanted.size) ? ga__field_identify(name, wanted.size) : GA__FIELD_OTHER;

    if (id != GA__FIELD_OTHER)
        return ga__headers_next(headers, id, after);
    const ga__field *end = headers->fields + headers->count;

    for (const ga__field *field = after ? after + 1 : headers->fields; field < end; field++)
        if (ga__ascii_equal((ga__slice){ga__field_name(headers, field), field->name_size}, wanted))
            return field;
    return NULL;
}

const char *ga__headers_known(const ga__headers *headers, ga__field_id id)
{
    const ga__field *field = ga__headers_next(headers, id, NULL);

    return field ? ga__field_value(headers, field) : NULL;
}

const char *ga__headers_get(const ga__headers *headers, const char *name)
{
    const ga__field *field = ga__headers_find(headers, name, NULL);

    return field ? ga__field_value(headers, field) : NULL;
}

size_t ga__headers_pack_size(const ga__headers *headers)
{
    return headers->count * sizeof(ga__field) + headers->size;
}

void ga__headers_pack(const ga__headers *headers, void *block, ga__headers *copy)
{
    size_t table_size = headers->count * sizeof(ga__field);
    char *bytes = (char *)block + table_size;

    if (table_size)
        memcpy(block, headers->fields, table_size);
    if (headers->size)
        memcpy(bytes, headers->bytes, headers->size);
    *copy = *headers;
    copy->fields = block;
    copy->bytes = bytes;
}

void ga__headers_table_init(ga__headers_table *table)
{
    table->fields = table->room;
    table->capacity = sizeof table->room / sizeof table->room[0];
    ga__headers_table_reset(table, NULL, 0);
}

void ga__headers_table_free(ga__headers_table *table)
{
    if (table->fields != table->room)
        free(table->fields);
    ga__headers_table_init(table);
}

void ga__headers_table_reset(ga__headers_table *table, char *bytes, uint32_t size)
{
    table->headers = (ga__headers){.bytes = bytes, .size = size, .fields = table->fields};
}

static bool grow(ga__headers_table *table)
{
    uint32_t capacity = table->capacity * 2;
    bool inside = table->fields == table->room;
    ga__field *fields = realloc(inside ? NULL : table->fields, capacity * sizeof *fields);

    if (!fields)
        return false;
    if (inside)
        memcpy(fields, table->room, sizeof table->room);
    table->fields = fields;
    table->headers.fields = fields;
    table->capacity = capacity;
    return true;
}

ga__field *ga__headers_table_add(ga__headers_table *table)
{
    if (table->headers.count == table->capacity && !grow(table))
        return NULL;
    return &table->fields[table->headers.count++];
}

void ga__headers_table_drop(ga__headers_table *table, uint64_t ids)
{
    uint32_t kept = 0;

    if (!(table->headers.present & ids))
        return;
    for (uint32_t i = 0; i < table->headers.count; i++)
        if (!(ids >> table->fields[i].id & 1))
            table->fields[kept++] = table->fields[i];
    table->headers.count = kept;
    table->headers.present &= ~ids;
}
