/* SPDX-License-Identifier: MIT */
/*
 * Taking a body piece by piece. What holds: a body whose size was told beforehand gives exactly so many bytes
 * or fails, whatever happens to its files meanwhile; and one that was begun is never taken for a fresh one.
 * Called by client/request_body.c, and by those who send: client/request_send.c.
 */
#include "client/body.h"

#include "task/loop.h"
#include <errno.h>
#include <fcntl.h>
#include <gather/thread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static size_t segment_count(const ga__body_source *source)
{
    return source->segments_.size / sizeof(ga__body_segment);
}

static ga__body_segment *segment_at(const ga__body_source *source, size_t index)
{
    return (ga__body_segment *)(void *)source->segments_.data + index;
}

static int no_memory(void)
{
    return ga__fail(GA_ENOMEM, "no memory for the body");
}

/* --- building ------------------------------------------------------------------------------------- */

int ga__body_source_add(ga__body_source *source, ga__body_segment segment)
{
    if (segment.size < 0)
        source->size = -1;
    else if (source->size >= 0 && __builtin_add_overflow(source->size, segment.size, &source->size))
        return ga__fail(GA_EUSAGE, "the body is larger than 2^63 bytes");
    ga__buffer_append(&source->segments_, &segment, sizeof segment);
    return source->segments_.failed ? no_memory() : 0;
}

static int file_failed(const char *path, int os_error)
{
    int code = os_error == EMFILE || os_error == ENFILE ? GA_EFDS : GA_ESYSTEM;

    ga__fail(code, "the body's file \"%s\": %s", path, strerror(os_error));
    ga__error_edit()->os_error = os_error;
    return code;
}

int ga__body_source_add_file(ga__body_source *source, const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return file_failed(path, errno);
    if (!S_ISREG(status.st_mode))
        return ga__fail(GA_EUSAGE,
                        "the body's file \"%s\" is no regular file, so its size is not known: read it in a "
                        ".body_source",
                        path);
    return ga__body_source_add(
        source, (ga__body_segment){.kind = GA__SEGMENT_FILE, .size = status.st_size, .from.path = path});
}

int ga__body_source_add_callback(ga__body_source *source, const ga_body_source *callback)
{
    if (!callback->read)
        return ga__fail(GA_EUSAGE, ".body_source has no read function");
    source->calls = true;
    source->replayable &= callback->rewind != NULL;
    return ga__body_source_add(source, (ga__body_segment){.kind = GA__SEGMENT_CALLBACK,
                                                          .size = callback->size > 0 ? callback->size : -1,
                                                          .from.source = callback});
}

ga__body_source *ga__body_source_new(const ga_request_options *options)
{
    ga__body_source *source = calloc(1, sizeof *source);
    int code;

    if (!source) {
        no_memory();
        return NULL;
    }
    source->replayable = true;
    source->fd = -1;
    if (options->multipart)
        code = ga__body_source_add_parts(source, options->multipart, options->content_type);
    else if (options->body_file)
        code = ga__body_source_add_file(source, options->body_file);
    else
        code = ga__body_source_add_callback(source, options->body_source);
    if (code == 0)
        return source;
    ga__body_source_free(source);
    return NULL;
}

static void close_file(ga__body_source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
}

void ga__body_source_free(ga__body_source *source)
{
    if (!source)
        return;
    close_file(source);
    ga__buffer_free(&source->type);
    ga__buffer_free(&source->text);
    ga__buffer_free(&source->segments_);
    free(source);
}

/* --- files ---------------------------------------------------------------------------------------- */

/* The Content-Length has been said when the file is read: a file that is no longer so long ends the call. */
static int check_size(const ga__body_source *source, const ga__body_segment *segment)
{
    struct stat status;

    if (fstat(source->fd, &status) < 0)
        return file_failed(segment->from.path, errno);
    if (status.st_size == segment->size)
        return 0;
    return ga__fail(GA_ESYSTEM, "the body's file \"%s\" has %lld bytes now, %lld when the call began",
                    segment->from.path, (long long)status.st_size, (long long)segment->size);
}

static int open_file(ga__body_source *source, const ga__body_segment *segment)
{
    /* Not to hang where a FIFO has taken the file's place; its size is not the file's. */
    source->fd = open(segment->from.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (source->fd < 0)
        return file_failed(segment->from.path, errno);
    return check_size(source, segment);
}

/* A read on a thread. */
typedef struct file_read {
    int fd;
    struct iovec part;
    off_t at;
    ssize_t count;
    int os_error;
} file_read;

static int read_on_thread(void *arg)
{
    file_read *self = arg;

    do
        self->count = preadv(self->fd, &self->part, 1, self->at);
    while (self->count < 0 && errno == EINTR);
    self->os_error = errno;
    return 0;
}

/* What the system has in memory is taken at once; for the rest a thread waits. */
static ssize_t read_file(ga__body_source *source, const ga__body_segment *segment, void *buffer, size_t size)
{
    file_read read = {.part = {buffer, size}, .at = source->taken};
    int code = source->fd < 0 ? open_file(source, segment) : 0;

    if (code < 0 || size == 0)
        return code;
    read.fd = source->fd;
    read.count = preadv2(read.fd, &read.part, 1, read.at, RWF_NOWAIT);
    if (read.count < 0)
        code = ga_to_thread(read_on_thread, &read);
    if (code < 0)
        return code;
    if (read.count < 0)
        return file_failed(segment->from.path, read.os_error);
    /* Looked at before the last byte is handed out: what is sent by then is not a whole body. */
    if (read.count == 0 || source->taken + read.count == segment->size)
        code = check_size(source, segment);
    if (code == 0 && read.count == 0)
        code = ga__fail(GA_ESYSTEM, "the body's file \"%s\" ended after %lld of its %lld bytes",
                        segment->from.path, (long long)source->taken, (long long)segment->size);
    return code < 0 ? code : read.count;
}

/* --- callbacks ------------------------------------------------------------------------------------ */

/* A callback may return a code without a word about it. */
static int callback_failed(int code, const char *which)
{
    if (ga_error()->code != code)
        ga__fail(code, "the %s function of .body_source failed with %s", which, ga_code_name(code));
    return code;
}

static ssize_t read_callback(const ga__body_source *source, const ga__body_segment *segment, void *buffer,
                             size_t size)
{
    const ga_body_source *callback = segment->from.source;

    if (size == 0)
        return 0;
    ssize_t count = callback->read(callback->arg, buffer, size);

    if (count < 0)
        return callback_failed((int)count, "read");
    if ((size_t)count > size)
        return ga__fail(GA_EUSAGE,
                        "the read function of .body_source says it gave %zd bytes, with room for %zu", count,
                        size);
    if (count == 0 && segment->size > 0)
        return ga__fail(GA_EUSAGE, ".body_source ended after %lld bytes, and its size is %lld",
                        (long long)source->taken, (long long)segment->size);
    return count;
}

/* --- taking --------------------------------------------------------------------------------------- */

/* @return as ga__body_source_read; 0 at the segment's end */
static ssize_t read_segment(ga__body_source *source, void *buffer, size_t size)
{
    const ga__body_segment *segment = segment_at(source, source->present);

    if (segment->size >= 0 && (uint64_t)(segment->size - source->taken) < size)
        size = (size_t)(segment->size - source->taken);
    switch (segment->kind) {
    case GA__SEGMENT_FILE:
        return read_file(source, segment, buffer, size);
    case GA__SEGMENT_CALLBACK:
        return read_callback(source, segment, buffer, size);
    case GA__SEGMENT_TEXT:
        memcpy(buffer, source->text.data + segment->from.at + source->taken, size);
        break;
    case GA__SEGMENT_BYTES:
        if (size > 0)
            memcpy(buffer, segment->from.bytes + source->taken, size);
        break;
    }
    return (ssize_t)size;
}

/* Whether more may be taken into the same piece: what is there is not to wait for a callback. */
static bool goes_on(const ga__body_source *source)
{
    return source->present < segment_count(source) &&
           segment_at(source, source->present)->kind != GA__SEGMENT_CALLBACK;
}

ssize_t ga__body_source_read(ga__body_source *source, void *buffer, size_t size)
{
    size_t got = 0;

    source->begun = true;
    while (got < size && source->present < segment_count(source)) {
        if (got > 0 && !goes_on(source))
            break;
        ssize_t count = read_segment(source, (char *)buffer + got, size - got);

        if (count < 0) {
            source->failed = count != GA_ECANCELED; /* who cancelled it has another reason */
            return count;
        }
        source->taken += count;
        got += (size_t)count;
        if (count > 0)
            continue;
        close_file(source);
        source->present++;
        source->taken = 0;
    }
    return (ssize_t)got;
}

int ga__body_source_rewind(ga__body_source *source)
{
    if (!source->begun)
        return 0;
    if (!source->replayable)
        return ga__fail(GA_ENOTREPLAYABLE, "the request would have to be sent again, but .body_source was "
                                           "read already and has no rewind function");
    for (size_t i = 0; i < segment_count(source) && i <= source->present; i++) {
        const ga__body_segment *segment = segment_at(source, i);

        if (segment->kind != GA__SEGMENT_CALLBACK)
            continue;
        int code = segment->from.source->rewind(segment->from.source->arg);

        if (code < 0)
            return callback_failed(code, "rewind");
    }
    close_file(source);
    source->present = 0;
    source->taken = 0;
    source->begun = source->failed = false;
    return 0;
}
