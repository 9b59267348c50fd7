/* SPDX-License-Identifier: MIT */
/*
 * The one growing buffer, also the one string builder. A failed allocation is remembered in `failed`, so
 * that a run of appends needs one check at its end; what was there before stays.
 */
#ifndef GA__BUFFER_H
#define GA__BUFFER_H

#include <gather/base.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

typedef struct ga__buffer {
    char *data; /* NULL, or size bytes and a NUL after them */
    size_t size;
    size_t capacity; /* bytes allocated, NUL's included */
    bool failed;
} ga__buffer;

#define GA__BUFFER_INIT ((ga__buffer){0})

/* Makes room where there is too little; for ga__buffer_reserve. */
char *ga__buffer_grow(ga__buffer *buffer, size_t more);
/* Room for `more` further bytes (and the NUL): where to write them, or NULL. The caller then adds to `size`
 * what it wrote. */
static inline char *ga__buffer_reserve(ga__buffer *buffer, size_t more)
{
    if (GA_LIKELY(more < buffer->capacity - buffer->size && !buffer->failed))
        return buffer->data + buffer->size;
    return ga__buffer_grow(buffer, more);
}

void ga__buffer_append(ga__buffer *buffer, const void *bytes, size_t size);
static inline void ga__buffer_add(ga__buffer *buffer, const char *string)
{
    ga__buffer_append(buffer, string, strlen(string));
}

static inline void ga__buffer_add_char(ga__buffer *buffer, char c)
{
    char *end = ga__buffer_reserve(buffer, 1);

    if (!end)
        return;
    end[0] = c;
    end[1] = '\0';
    buffer->size++;
}

void ga__buffer_printf(ga__buffer *buffer, const char *format, ...) GA_PRINTF(2, 3);
void ga__buffer_vprintf(ga__buffer *buffer, const char *format, va_list arguments);
/* Drops the first `size` bytes. */
void ga__buffer_consume(ga__buffer *buffer, size_t size);
void ga__buffer_clear(ga__buffer *buffer);
void ga__buffer_free(ga__buffer *buffer);
/* A text on its own, the caller's to free; NULL without memory. */
char *ga__vformat(const char *format, va_list arguments);
/* Hands the NUL-terminated bytes over to the caller; NULL where an append failed. "" when nothing was added.
 * The buffer is empty afterwards. */
char *ga__buffer_take(ga__buffer *buffer);

#endif
