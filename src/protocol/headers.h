/* SPDX-License-Identifier: MIT */
/*
 * The header fields of one message: a table of offsets into the bytes that were received. Parsing ends every
 * name and value with a NUL in place, so that both are C strings without being copied; they hold no other
 * NUL, since that is refused. A response keeps its fields in one block: ga__headers_pack.
 */
#ifndef GA__HEADERS_H
#define GA__HEADERS_H

#include <gather/base.h>
#include <stdbool.h>

/* The names that this library acts upon. They are recognised while a head is parsed, so that asking for one
 * compares no strings. */
typedef enum ga__field_id {
    GA__FIELD_OTHER = 0,
    GA__FIELD_ACCEPT,
    GA__FIELD_ACCEPT_ENCODING,
    GA__FIELD_AGE,
    GA__FIELD_AUTHORIZATION,
    GA__FIELD_CACHE_CONTROL,
    GA__FIELD_CONNECTION,
    GA__FIELD_CONTENT_ENCODING,
    GA__FIELD_CONTENT_LENGTH,
    GA__FIELD_CONTENT_RANGE,
    GA__FIELD_CONTENT_TYPE,
    GA__FIELD_COOKIE,
    GA__FIELD_DATE,
    GA__FIELD_ETAG,
    GA__FIELD_EXPECT,
    GA__FIELD_HOST,
    GA__FIELD_KEEP_ALIVE,
    GA__FIELD_LAST_MODIFIED,
    GA__FIELD_LINK,
    GA__FIELD_LOCATION,
    GA__FIELD_PROXY_AUTHENTICATE,
    GA__FIELD_PROXY_AUTHORIZATION,
    GA__FIELD_RETRY_AFTER,
    GA__FIELD_SERVER,
    GA__FIELD_SET_COOKIE,
    GA__FIELD_TE,
    GA__FIELD_TRAILER,
    GA__FIELD_TRANSFER_ENCODING,
    GA__FIELD_UPGRADE,
    GA__FIELD_USER_AGENT,
    GA__FIELD_VARY,
    GA__FIELD_WWW_AUTHENTICATE,
    GA__FIELD_COUNT
} ga__field_id;

/* One field line. Offsets count from ga__headers.bytes; a NUL stands after the name and after the value. */
typedef struct ga__field {
    uint32_t name;
    uint32_t value;
    uint32_t value_size;
    uint16_t name_size;
    uint16_t id; /* ga__field_id */
} ga__field;

/* Fields in the order in which they were received. Borrows everything it points to. */
typedef struct ga__headers {
    char *bytes; /* the message head, its start line included */
    const ga__field *fields;
    uint32_t size;    /* of bytes */
    uint32_t count;   /* of fields */
    uint64_t present; /* bit n: a field with the ga__field_id n is there */
} ga__headers;

static inline const char *ga__field_name(const ga__headers *headers, const ga__field *field)
{
    return headers->bytes + field->name;
}

static inline const char *ga__field_value(const ga__headers *headers, const ga__field *field)
{
    return headers->bytes + field->value;
}

static inline bool ga__headers_has(const ga__headers *headers, ga__field_id id)
{
    return headers->present >> id & 1;
}

/* The next field of that id after `after`, which is NULL to begin. NULL where there is none. */
const ga__field *ga__headers_next(const ga__headers *headers, ga__field_id id, const ga__field *after);

/* The next field of that name, compared without regard to case, after `after`, which is NULL to begin. */
const ga__field *ga__headers_find(const ga__headers *headers, const char *name, const ga__field *after);

/* The value of the first field of that id or name; NULL where there is none. */
const char *ga__headers_known(const ga__headers *headers, ga__field_id id);
const char *ga__headers_get(const ga__headers *headers, const char *name);

/* The id of a name, which is a token; GA__FIELD_OTHER where it is not among them. */
ga__field_id ga__field_identify(const char *name, size_t size);

/* Copies bytes and fields into a block of the caller's, so that one allocation can hold a response with its
 * head: the block has at least ga__headers_pack_size bytes and malloc's alignment; *copy then points into it.
 * Nothing of `headers` is referred to afterwards. */
size_t ga__headers_pack_size(const ga__headers *headers);
void ga__headers_pack(const ga__headers *headers, void *block, ga__headers *copy);

/* Fields while they are parsed: room for a usual head without an allocation, more where more come.
 * Points into itself: not to be copied or moved. */
typedef struct ga__headers_table {
    ga__headers headers;
    ga__field *fields; /* room, or an allocation */
    uint32_t capacity;
    ga__field room[32];
} ga__headers_table;

void ga__headers_table_init(ga__headers_table *table);
void ga__headers_table_free(ga__headers_table *table);

/* A further field, for the caller to fill in, its offsets from table->headers.bytes, and to be told of in
 * table->headers.present. NULL where there is no memory; the table is then as it was. */
ga__field *ga__headers_table_add(ga__headers_table *table);
/* Forgets the fields and takes other bytes; keeps the room. */
void ga__headers_table_reset(ga__headers_table *table, char *bytes, uint32_t size);
/* Drops the fields whose ga__field_id has its bit in `ids`. */
void ga__headers_table_drop(ga__headers_table *table, uint64_t ids);

#endif
