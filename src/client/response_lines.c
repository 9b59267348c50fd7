/* SPDX-License-Identifier: MIT */
/*
 * Lines and events of a body that is read as it comes. What was received and not yet asked for waits in a
 * reader that the response gets when it is first read this way.
 */
#include "client/response.h"

#include "protocol/event_stream.h"
#include <gather/events.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 8 << 10 };

struct ga__line_reader {
    ga__event_stream events;
    ga__buffer line;
    bool over;       /* the line was given, or is given up: another begins */
    size_t at, size; /* of the piece, what is left */
    char piece[PIECE];
};

void ga__line_reader_free(ga__line_reader *reader)
{
    if (!reader)
        return;
    ga__event_stream_free(&reader->events);
    ga__buffer_free(&reader->line);
    free(reader);
}

static int no_memory(const ga_response *response)
{
    return ga__progress_fail(&response->progress, GA_ENOMEM, "no memory for the body's lines");
}

static int too_long(const ga_response *response, const char *what)
{
    return ga__progress_fail(&response->progress, GA_ETOOLARGE,
                             "%s of the body is longer than the %zu bytes that max_line allows; read it with "
                             "ga_read, or allow more",
                             what, response->max_line);
}

/* The response's reader, made at the first call. NULL where there is no response, or no memory; recorded. */
static ga__line_reader *reader_of(ga_response *response)
{
    if (!response)
        return NULL;
    if (!response->reader) {
        response->reader = malloc(sizeof *response->reader);
        if (!response->reader) {
            no_memory(response);
            return NULL;
        }
        response->reader->line = GA__BUFFER_INIT;
        response->reader->at = response->reader->size = 0;
        response->reader->over = false;
        ga__event_stream_init(&response->reader->events, response->max_line);
    }
    return response->reader;
}

/* Makes sure that some bytes are there. @return their number; 0 at the body's end; a failure, recorded */
static ssize_t fill(ga_response *response, ga__line_reader *reader)
{
    if (reader->at < reader->size)
        return (ssize_t)(reader->size - reader->at);
    ssize_t count = ga_read(response, reader->piece, sizeof reader->piece);

    reader->at = 0;
    reader->size = count > 0 ? (size_t)count : 0;
    return count;
}

/* How long the line is that was collected, without the CR of its end. */
static size_t length_of(const ga__buffer *line)
{
    return line->size - (line->size > 0 && line->data[line->size - 1] == '\r');
}

/* Gives the line that was collected. */
static int give(ga__line_reader *reader, const char **line, size_t *size)
{
    reader->line.size = length_of(&reader->line);
    reader->line.data[reader->line.size] = '\0';
    reader->over = true;
    *line = reader->line.data;
    if (size)
        *size = reader->line.size;
    return 1;
}

int ga_read_line(ga_response *response, const char **line, size_t *size)
{
    ga__line_reader *reader = reader_of(response);

    if (!reader)
        return ga_error()->code < 0 ? ga_error()->code
                                    : ga__fail(GA_EUSAGE, "ga_read_line: there is no response");
    if (reader->over) /* else a read failed within it, and may go on */
        ga__buffer_clear(&reader->line);
    reader->over = false;
    for (;;) {
        ssize_t left = fill(response, reader);

        if (left < 0)
            return (int)left;
        if (left == 0)
            return reader->line.size > 0 ? give(reader, line, size) : 0;
        const char *from = reader->piece + reader->at;
        const char *end = memchr(from, '\n', (size_t)left);
        size_t length = end ? (size_t)(end - from) : (size_t)left;

        ga__buffer_append(&reader->line, from, length);
        reader->at += length + (end != NULL);
        reader->over = reader->line.failed || length_of(&reader->line) > response->max_line;
        if (reader->line.failed)
            return no_memory(response);
        if (reader->over)
            return too_long(response, "a line");
        if (end)
            return give(reader, line, size);
    }
}

/* What the stream holds, as the caller sees it. */
static void tell(const ga__event_stream *events, ga_event_message *message)
{
    *message = (ga_event_message){
        .type = events->type.size > 0 ? events->type.data : "message",
        .data = events->data.data,
        .data_size = events->data.size,
        .id = events->id.data ? events->id.data : "",
        .retry = events->retry,
    };
}

int ga_read_event(ga_response *response, ga_event_message *message)
{
    ga__line_reader *reader = reader_of(response);

    if (!reader)
        return ga_error()->code < 0 ? ga_error()->code
                                    : ga__fail(GA_EUSAGE, "ga_read_event: there is no response");
    for (;;) {
        size_t consumed;
        ssize_t left = fill(response, reader);

        if (left <= 0)
            return (int)left;
        int code =
            ga__event_stream_feed(&reader->events, reader->piece + reader->at, (size_t)left, &consumed);

        reader->at += consumed;
        if (code == GA_ENOMEM)
            return no_memory(response);
        if (code == GA_ETOOLARGE)
            return too_long(response, "an event");
        if (code > 0) {
            tell(&reader->events, message);
            return 1;
        }
    }
}

const char *ga__response_retry_hint(const ga_response *response, double *retry)
{
    const ga__line_reader *reader = response ? response->reader : NULL;

    *retry = reader ? reader->events.retry : -1;
    return reader ? reader->events.tellable.data : NULL;
}
