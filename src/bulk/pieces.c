/* SPDX-License-Identifier: MIT */
/*
 * Reading a file in pieces, and lines from them. A read from what may wait (a pipe) waits for the order to
 * stop as well. Called by bulk/input.c.
 */
#include "bulk/pieces.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_PIECE = 64 << 10, EXCERPT = 200 };

void ga__pieces_begin(ga__pieces *pieces, int fd, int stop_fd)
{
    pieces->fd = fd;
    pieces->stop_fd = stop_fd;
    pieces->begin = pieces->end = 0;
    pieces->ended = false;
    pieces->taken = 0; /* each for itself: whoever shows the progress reads this one meanwhile */
    pieces->line = 1;
}

void ga__pieces_end(ga__pieces *pieces)
{
    if (pieces->fd > STDIN_FILENO)
        close(pieces->fd);
    pieces->fd = -1;
    free(pieces->data);
    pieces->data = NULL;
    pieces->begin = pieces->end = pieces->capacity = 0;
}

/* Room behind what is there: by moving it to the front, or by twice the memory. */
static bool make_room(ga__pieces *pieces)
{
    size_t size = pieces->end - pieces->begin;

    if (size <= pieces->capacity / 2 && pieces->capacity > 0) {
        memmove(pieces->data, pieces->data + pieces->begin, size);
    } else {
        size_t capacity = pieces->capacity > 0 ? pieces->capacity * 2 : FIRST_PIECE;
        char *data = malloc(capacity);

        if (!data)
            return false;
        if (size > 0)
            memcpy(data, pieces->data + pieces->begin, size);
        free(pieces->data);
        pieces->data = data;
        pieces->capacity = capacity;
    }
    pieces->begin = 0;
    pieces->end = size;
    return true;
}

/* @return 1 when a read does not wait, -2 when it was stopped, -1 with errno */
static int wait_for_bytes(const ga__pieces *pieces)
{
    struct pollfd waits[] = {{.fd = pieces->fd, .events = POLLIN}, {.fd = pieces->stop_fd, .events = POLLIN}};

    while (poll(waits, 2, -1) < 0)
        if (errno != EINTR)
            return -1;
    return waits[1].revents ? -2 : 1;
}

int ga__pieces_read(ga__pieces *pieces)
{
    ssize_t count;

    if (pieces->ended)
        return 0;
    if (pieces->end == pieces->capacity && !make_room(pieces))
        return -1;
    do {
        int ready = wait_for_bytes(pieces);

        if (ready < 0)
            return ready;
        count = read(pieces->fd, pieces->data + pieces->end, pieces->capacity - pieces->end);
    } while (count < 0 && (errno == EINTR || errno == EAGAIN));
    if (count < 0)
        return -1;
    pieces->ended = count == 0;
    pieces->end += (size_t)count;
    return count > 0;
}

void ga__pieces_take(ga__pieces *pieces, size_t size, uint64_t lines)
{
    pieces->begin += size;
    pieces->taken += size;
    pieces->line += lines;
}

/* Takes all up to the end of the line, which is too long to be kept. */
static int skip_line(ga__pieces *pieces)
{
    for (;;) {
        ga__slice there = ga__pieces_there(pieces);
        const char *end = there.size > 0 ? memchr(there.data, '\n', there.size) : NULL;
        int code;

        if (end) {
            ga__pieces_take(pieces, (size_t)(end + 1 - there.data), 1);
            return 2;
        }
        ga__pieces_take(pieces, there.size, 0);
        pieces->begin = pieces->end = EXCERPT;
        code = ga__pieces_read(pieces);
        if (code <= 0)
            return code == 0 ? 2 : code;
    }
}

/* A line that is longer than it may be, to `end` where that is there: its beginning is moved to where nothing
 * else is put. */
static int take_excerpt(ga__pieces *pieces, const char *end, ga__slice *line)
{
    memmove(pieces->data, pieces->data + pieces->begin, EXCERPT);
    *line = (ga__slice){pieces->data, EXCERPT};
    if (end) {
        ga__pieces_take(pieces, (size_t)(end + 1 - pieces->data) - pieces->begin, 1);
        return 2;
    }
    ga__pieces_take(pieces, pieces->end - pieces->begin, 0);
    pieces->begin = pieces->end = EXCERPT;
    return skip_line(pieces);
}

int ga__pieces_line(ga__pieces *pieces, size_t most, ga__slice *line)
{
    size_t looked_at = 0;

    for (;;) {
        ga__slice there = ga__pieces_there(pieces);
        const char *end =
            there.size > looked_at ? memchr(there.data + looked_at, '\n', there.size - looked_at) : NULL;
        size_t size = end ? (size_t)(end - there.data) : there.size;

        if (size > most)
            return take_excerpt(pieces, end, line);
        if (end || (pieces->ended && size > 0)) {
            *line = (ga__slice){there.data, size};
            ga__pieces_take(pieces, size + (end != NULL), 1);
            return 1;
        }
        looked_at = size;
        int code = ga__pieces_read(pieces);

        if (code < 0 || (code == 0 && size == 0))
            return code;
    }
}
