/* SPDX-License-Identifier: MIT */
/*
 * A response's body into a file. It is written under another name beside its place and moved there when it is
 * whole, so the place holds what it held before, or all of the body, and never a part. Disks may block:
 * threads wait for them, a piece at a time.
 */
#include "client/response.h"

#include <errno.h>
#include <fcntl.h>
#include <gather/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 256 << 10, MOST_NAMES = 100 };

/* What is on its way to a file. The functions on a thread return errno, or 0. */
typedef struct saving {
    char *path;    /* the place, behind symbolic links */
    char *beside;  /* the name until it is whole */
    int fd;        /* -1: not open */
    bool replaces; /* a file, of this mode */
    mode_t mode;
    size_t size; /* of the piece */
    bool last;   /* nothing follows it */
    int os_error;
    const char *step; /* what failed */
    char piece[PIECE];
} saving;

/* --- on a thread ---------------------------------------------------------------------------------- */

/* Looks at the place: a link is followed, and what is no file is left alone. */
static int look(saving *self)
{
    struct stat status;

    self->step = "looking at it";
    if (lstat(self->path, &status) < 0)
        return errno == ENOENT ? 0 : errno;
    if (S_ISLNK(status.st_mode)) {
        char *behind = realpath(self->path, NULL);

        if (!behind)
            return errno;
        free(self->path);
        self->path = behind;
        if (stat(self->path, &status) < 0)
            return errno;
    }
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    self->replaces = true;
    self->mode = status.st_mode & 0777;
    return S_ISREG(status.st_mode) ? 0 : EINVAL;
}

/* The name beside the place is short, since the place's own may be as long as names can be. */
static bool name_beside(saving *self)
{
    const char *slash = strrchr(self->path, '/');
    unsigned long long number;

    free(self->beside);
    self->beside = NULL;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return false;
    if (asprintf(&self->beside, "%.*s.gather-%016llx", slash ? (int)(slash + 1 - self->path) : 0, self->path,
                 number) >= 0)
        return true;
    self->beside = NULL;
    errno = ENOMEM;
    return false;
}

static int open_beside(saving *self)
{
    self->step = "creating a file beside it";
    for (int i = 0; i < MOST_NAMES; i++) {
        if (!name_beside(self))
            return errno;
        self->fd = open(self->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, self->replaces ? 0600 : 0666);
        if (self->fd >= 0 && self->replaces && fchmod(self->fd, self->mode) < 0)
            return errno;
        if (self->fd >= 0 || errno != EEXIST)
            return self->fd >= 0 ? 0 : errno;
    }
    return EEXIST;
}

static int write_piece(saving *self)
{
    self->step = "writing";
    for (size_t at = 0; at < self->size;) {
        ssize_t count = write(self->fd, self->piece + at, self->size - at);

        if (count < 0 && errno != EINTR)
            return errno;
        at += count > 0 ? (size_t)count : 0;
    }
    self->size = 0;
    return 0;
}

static int close_file(saving *self)
{
    int fd = self->fd;

    self->fd = -1;
    return fd >= 0 && close(fd) < 0 ? errno : 0;
}

static int move_into_place(saving *self)
{
    self->step = "writing"; /* some file systems say at the end that the disk is full */
    int error = close_file(self);

    if (error)
        return error;
    self->step = "renaming a file to it";
    if (rename(self->beside, self->path) < 0)
        return errno;
    free(self->beside);
    self->beside = NULL;
    return 0;
}

static int put_piece(void *arg)
{
    saving *self = arg;
    int error = 0;

    if (self->fd < 0)
        error = look(self);
    if (!error && self->fd < 0)
        error = open_beside(self);
    if (!error)
        error = write_piece(self);
    if (!error && self->last)
        error = move_into_place(self);
    self->os_error = error;
    return 0;
}

/* --- in the task ---------------------------------------------------------------------------------- */

static saving *saving_new(const char *path)
{
    saving *self = malloc(sizeof *self);

    if (!self)
        return NULL;
    memset(self, 0, offsetof(saving, piece));
    self->fd = -1;
    self->path = strdup(path);
    if (self->path)
        return self;
    free(self);
    return NULL;
}

/* Where the file did not come to its place, nothing of it stays. */
static void saving_free(saving *self)
{
    close_file(self);
    if (self->beside)
        unlink(self->beside);
    free(self->beside);
    free(self->path);
    free(self);
}

static int system_failed(const ga_response *response, const saving *self, const char *path)
{
    int error = self->os_error;

    if (error == ENOMEM)
        return ga__progress_fail(&response->progress, GA_ENOMEM, "no memory to save the body");
    ga__progress_fail(&response->progress, GA_ESYSTEM, "the body cannot be saved as \"%s\": %s: %s", path,
                      self->step, error == EINVAL ? "it is no regular file" : strerror(error));
    ga__error_edit()->os_error = error;
    return GA_ESYSTEM;
}

/* The limit is for bodies in memory; a request's own also holds here. */
static int check_size(const ga_response *response, int64_t size)
{
    if (!response->capped || size <= response->max_body)
        return 0;
    return ga__progress_fail(
        &response->progress, GA_ETOOLARGE,
        "the body is larger than the %lld bytes that max_body allows; leave that out to save "
        "bodies of any size",
        (long long)response->max_body);
}

/* Fills the piece from the body. */
static int fill(saving *self, ga_response *response)
{
    while (self->size < PIECE) {
        ssize_t count = ga_read(response, self->piece + self->size, PIECE - self->size);

        if (count < 0)
            return (int)count;
        self->last = count == 0;
        if (self->last)
            return 0;
        self->size += (size_t)count;
    }
    return 0;
}

static int64_t save(saving *self, ga_response *response, const char *path)
{
    const ga__http1_response *http = &response->http;
    int64_t total = 0;
    int code = 0;

    if (http->body.kind == GA__BODY_LENGTH && response->codings.count == 0 && http->length <= INT64_MAX)
        code = check_size(response, (int64_t)http->length);
    while (code == 0 && !self->last) {
        code = fill(self, response);
        total += (int64_t)self->size;
        if (code == 0)
            code = check_size(response, total);
        if (code == 0 && (code = ga_to_thread(put_piece, self)) < 0)
            ga__progress_failed(&response->progress, code);
        if (code == 0 && self->os_error)
            code = system_failed(response, self, path);
    }
    return code < 0 ? code : total;
}

int64_t ga_save(ga_response *response, const char *path)
{
    if (!response)
        return ga_error()->code < 0 ? ga_error()->code : GA_EUSAGE;
    if (!path || !*path)
        return ga__progress_fail(&response->progress, GA_EUSAGE, "ga_save: there is no path");
    saving *self = saving_new(path);

    if (!self)
        return ga__progress_fail(&response->progress, GA_ENOMEM, "no memory to save the body");
    int64_t total = save(self, response, path);

    saving_free(self);
    return total;
}
