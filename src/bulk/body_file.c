/* SPDX-License-Identifier: MIT */
/*
 * Bodies as files: -o 'DIR/{id}.json'. A file is there whole or not at all: it is written as PATH.part and
 * renamed. That name is always the same, so what a killed run has left is written over by the next; and no
 * other row's, since no file ends so that is whole.
 */
#include "bulk/job_parts.h"

#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int ga__body_file_make_directories(const char *path)
{
    char *copy = strdup(path);

    if (!copy)
        return ENOMEM;
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0777) < 0 && errno != EEXIST) {
            int error = errno;

            free(copy);
            return error;
        }
        *slash = '/';
    }
    free(copy);
    return 0;
}

enum { PIECE = 128 << 10 };

/* A file on its way. */
typedef struct writing {
    const char *path;
    char *part; /* its name until it is whole */
    int fd;     /* -1: not open */
    ga__slice piece;
    bool last;        /* nothing follows the piece */
    bool *unwritable; /* becomes true where no other row's file could be written either */
} writing;

/* Whether it is the name alone that cannot be. */
static bool is_of_name(int error)
{
    return error == EISDIR || error == ENOTDIR || error == ENAMETOOLONG || error == ELOOP ||
           error == EINVAL || error == EILSEQ;
}

static int cannot_write(const writing *self, int error)
{
    if (is_of_name(error))
        return ga_fail(GA_EUSAGE,
                       "%s cannot be written: %s; move what is there away, or have -o make another name",
                       self->path, strerror(error));
    *self->unwritable = true;
    return ga_fail(GA_ESYSTEM, "cannot write %s: %s", self->path, strerror(error));
}

static bool finish_file(writing *self)
{
    int fd = self->fd;

    self->fd = -1;
    return close(fd) == 0 && rename(self->part, self->path) == 0;
}

/* On a thread: disks may block. */
static int write_piece(void *arg)
{
    writing *self = arg;

    if (self->fd < 0)
        self->fd = open(self->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (self->fd >= 0 && ga__write_all(self->fd, self->piece) && (!self->last || finish_file(self)))
        return 0;
    return cannot_write(self, errno);
}

static int begin_file(writing *self, const char *path, bool *unwritable)
{
    int error = ga__body_file_make_directories(path);

    *self = (writing){
        .path = path, .part = ga_format("%s%s", path, GA__PART), .fd = -1, .unwritable = unwritable};
    if (error != 0)
        return cannot_write(self, error);
    return self->part ? 0 : ga_fail(GA_ENOMEM, "no memory to write %s", path);
}

/* @return code */
static int end_file(writing *self, int code)
{
    if (self->fd >= 0)
        close(self->fd);
    if (code < 0 && self->part)
        unlink(self->part);
    free(self->part);
    return code;
}

/* Fills the piece. @return its size, less than PIECE at the body's end; negative, recorded */
static ssize_t fill_piece(ga_response *response, char *piece)
{
    size_t size = 0;
    ssize_t count = 1;

    while (count > 0 && size < PIECE) {
        count = ga_read(response, piece + size, PIECE - size);
        size += count > 0 ? (size_t)count : 0;
    }
    return count < 0 ? count : (ssize_t)size;
}

static int64_t save_pieces(writing *self, ga_response *response, char *piece)
{
    int64_t total = 0;

    while (!self->last) {
        ssize_t size = fill_piece(response, piece);

        if (size < 0)
            return size;
        self->piece = (ga__slice){piece, (size_t)size};
        self->last = size < PIECE;
        int code = ga_to_thread(write_piece, self);

        if (code < 0)
            return code;
        total += size;
    }
    return total;
}

int64_t ga__body_file_save(ga_response *response, const char *path, bool *unwritable)
{
    char *piece = malloc(PIECE);
    writing self;
    int code = begin_file(&self, path, unwritable);
    int64_t size = 0;

    if (code == 0 && !piece)
        code = ga_fail(GA_ENOMEM, "no memory to write %s", path);
    if (code == 0) {
        size = save_pieces(&self, response, piece);
        code = size < 0 ? (int)size : 0;
    }
    free(piece);
    return end_file(&self, code) < 0 ? code : size;
}

int ga__body_file_write(const char *path, ga__slice body, bool *unwritable)
{
    writing self;
    int code = begin_file(&self, path, unwritable);

    self.piece = body;
    self.last = true;
    return end_file(&self, code == 0 ? ga_to_thread(write_piece, &self) : code);
}

void ga__body_file_forget(const char *path)
{
    char *part = ga_format("%s%s", path, GA__PART);

    if (part)
        unlink(part);
    free(part);
}
