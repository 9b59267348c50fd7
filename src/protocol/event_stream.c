/* SPDX-License-Identifier: MIT */
/*
 * The parser of event streams. It collects a line, and acts on it when its end has come. Used by
 * client/response_lines.c.
 */
#include "protocol/event_stream.h"

#include "base/number.h"
#include "protocol/token.h"
#include <gather/error.h>
#include <string.h>

void ga__event_stream_init(ga__event_stream *stream, size_t limit)
{
    *stream = (ga__event_stream){.retry = -1, .limit = limit};
}

void ga__event_stream_free(ga__event_stream *stream)
{
    ga__buffer_free(&stream->line);
    ga__buffer_free(&stream->data);
    ga__buffer_free(&stream->type);
    ga__buffer_free(&stream->id);
    ga__buffer_free(&stream->next_id);
    ga__buffer_free(&stream->tellable);
}

void ga__event_stream_restart(ga__event_stream *stream)
{
    ga__buffer_clear(&stream->line);
    ga__buffer_clear(&stream->data);
    ga__buffer_clear(&stream->type);
    stream->after_cr = stream->started = stream->dispatched = stream->id_given = false;
}

static void set(ga__buffer *buffer, ga__slice value)
{
    ga__buffer_clear(buffer);
    ga__buffer_append(buffer, value.data, value.size);
}

/* The type is told as a string, which cannot hold a NUL: a replacement character stands for it, so that the
 * type is not taken for another one, which it would be if it were cut there. */
static void set_type(ga__buffer *type, ga__slice value)
{
    ga__buffer_clear(type);
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] == '\0')
            ga__buffer_append(type, "\xEF\xBF\xBD", 3);
        else
            ga__buffer_add_char(type, value.data[i]);
    }
}

static void take_field(ga__event_stream *stream, ga__slice name, ga__slice value)
{
    uint64_t milliseconds;

    if (ga__slice_equal(name, GA__SLICE("data"))) {
        ga__buffer_append(&stream->data, value.data, value.size);
        ga__buffer_add_char(&stream->data, '\n');
    } else if (ga__slice_equal(name, GA__SLICE("event"))) {
        set_type(&stream->type, value);
    } else if (ga__slice_equal(name, GA__SLICE("id"))) {
        if (value.size == 0 || !memchr(value.data, '\0', value.size)) {
            set(&stream->next_id, value);
            stream->id_given = true;
        }
    } else if (ga__slice_equal(name, GA__SLICE("retry"))) {
        if (ga__parse_decimal(value.data, value.size, &milliseconds) && milliseconds <= 86400000)
            stream->retry = (double)milliseconds * 1e-3;
    }
}

/* An empty line. @return whether it completes an event */
static bool complete_event(ga__event_stream *stream)
{
    if (stream->id_given) {
        ga__buffer before = stream->id;

        stream->id = stream->next_id;
        stream->next_id = before;
        stream->id_given = false;
        if (ga__span_value(stream->id.data, stream->id.size) == stream->id.size)
            set(&stream->tellable, (ga__slice){stream->id.data, stream->id.size});
    }
    if (stream->data.size > 0) {
        stream->data.data[--stream->data.size] = '\0'; /* the last LF */
        stream->dispatched = true;
        return true;
    }
    ga__buffer_clear(&stream->type);
    return false;
}

/* @return whether the line completes an event */
static bool take_line(ga__event_stream *stream)
{
    ga__slice line = {stream->line.data ? stream->line.data : "", stream->line.size};

    if (line.size == 0)
        return complete_event(stream);
    const char *colon = memchr(line.data, ':', line.size);

    if (colon == line.data)
        return false; /* a comment */
    ga__slice name = {line.data, colon ? (size_t)(colon - line.data) : line.size};
    ga__slice value = {line.data + name.size, 0};

    if (colon) {
        size_t skip = name.size + 1;

        skip += skip < line.size && line.data[skip] == ' ';
        value = (ga__slice){line.data + skip, line.size - skip};
    }
    take_field(stream, name, value);
    return false;
}

/* Begins a new event after one that was told. */
static void forget_event(ga__event_stream *stream)
{
    if (!stream->dispatched)
        return;
    ga__buffer_clear(&stream->data);
    ga__buffer_clear(&stream->type);
    stream->dispatched = false;
}

static int check(const ga__event_stream *stream)
{
    if (stream->line.failed || stream->data.failed || stream->type.failed || stream->next_id.failed ||
        stream->tellable.failed)
        return GA_ENOMEM;
    return stream->line.size > stream->limit || stream->data.size > stream->limit ? GA_ETOOLARGE : 0;
}

/* The first line may begin with a byte order mark. */
static void skip_mark(ga__event_stream *stream)
{
    if (!stream->started && stream->line.size >= 3 && memcmp(stream->line.data, "\xEF\xBB\xBF", 3) == 0)
        ga__buffer_consume(&stream->line, 3);
    stream->started = true;
}

int ga__event_stream_feed(ga__event_stream *stream, const char *bytes, size_t size, size_t *consumed)
{
    size_t at = 0;
    int code = 0;

    forget_event(stream);
    while (at < size && code == 0) {
        if (stream->after_cr && bytes[at] == '\n') {
            stream->after_cr = false;
            at++;
            continue;
        }
        stream->after_cr = false;
        size_t length = 0;

        while (at + length < size && bytes[at + length] != '\n' && bytes[at + length] != '\r')
            length++;
        ga__buffer_append(&stream->line, bytes + at, length);
        at += length;
        code = check(stream);
        if (code < 0 || at == size)
            break;
        stream->after_cr = bytes[at++] == '\r';
        skip_mark(stream);
        bool complete = take_line(stream);

        ga__buffer_clear(&stream->line);
        code = check(stream);
        if (code == 0 && complete)
            code = 1;
    }
    *consumed = at;
    return code;
}
