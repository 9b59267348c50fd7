/* SPDX-License-Identifier: MIT */
/*
 * The growing buffer. It doubles, so n appends cost O(n); the byte after the content is always NUL, so that
 * the content can be read as a string.
 */
#include "base/buffer.h"

#include <stdio.h>
#include <string.h>

enum { SMALLEST = 64 };

char *ga__buffer_grow(ga__buffer *buffer, size_t more)
{
    size_t needed;

    if (buffer->failed)
        return NULL;
    if (__builtin_add_overflow(buffer->size, more, &needed) || needed > SIZE_MAX / 2 - 1) {
        buffer->failed = true;
        return NULL;
    }
    needed++;
    if (needed > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : SMALLEST;

        while (capacity < needed)
            capacity *= 2;
        char *data = realloc(buffer->data, capacity);

        if (!data) {
            buffer->failed = true;
            return NULL;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->size;
}

void ga__buffer_append(ga__buffer *buffer, const void *bytes, size_t size)
{
    char *end = ga__buffer_reserve(buffer, size);

    if (!end)
        return;
    if (size)
        memcpy(end, bytes, size);
    end[size] = '\0';
    buffer->size += size;
}

void ga__buffer_vprintf(ga__buffer *buffer, const char *format, va_list arguments)
{
    va_list again;

    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (size < 0) {
        buffer->failed = true;
        return;
    }
    char *end = ga__buffer_reserve(buffer, (size_t)size);

    if (!end)
        return;
    vsnprintf(end, (size_t)size + 1, format, arguments);
    buffer->size += (size_t)size;
}

void ga__buffer_printf(ga__buffer *buffer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    ga__buffer_vprintf(buffer, format, arguments);
    va_end(arguments);
}

char *ga__vformat(const char *format, va_list arguments)
{
    ga__buffer text = GA__BUFFER_INIT;

    ga__buffer_vprintf(&text, format, arguments);
    return ga__buffer_take(&text);
}

void ga__buffer_consume(ga__buffer *buffer, size_t size)
{
    buffer->size -= size;
    if (buffer->data) {
        memmove(buffer->data, buffer->data + size, buffer->size);
        buffer->data[buffer->size] = '\0';
    }
}

void ga__buffer_clear(ga__buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
    if (buffer->data)
        buffer->data[0] = '\0';
}

void ga__buffer_free(ga__buffer *buffer)
{
    free(buffer->data);
    *buffer = GA__BUFFER_INIT;
}

char *ga__buffer_take(ga__buffer *buffer)
{
    if (!buffer->data)
        ga__buffer_append(buffer, "", 0);
    char *data = buffer->failed ? NULL : buffer->data;

    if (!data)
        free(buffer->data);
    *buffer = GA__BUFFER_INIT;
    return data;
}
