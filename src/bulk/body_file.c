/* SPDX-License-Identifier: MIT */
/*
 * Bodies as files: -o 'DIR/{id}.json'. A file is there whole or not at all: it is written under another name
 * and renamed.
 */
#include "bulk/job_parts.h"

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

int64_t ga__body_file_save(ga_response *response, const char *path)
{
    int error = ga__body_file_make_directories(path);

    if (error != 0)
        return ga_fail(GA_ESYSTEM, "cannot make the directory of %s: %s", path, strerror(error));
    return ga_save(response, path);
}

/* --- of a body in memory -------------------------------------------------------------------------- */

typedef struct writing {
    const char *path;
    ga__slice body;
} writing;

static bool write_all(int fd, ga__slice body)
{
    while (body.size > 0) {
        ssize_t count = write(fd, body.data, body.size);

        if (count < 0 && errno != EINTR)
            return false;
        if (count > 0)
            ga__slice_take(&body, (size_t)count);
    }
    return true;
}

/* On a thread. */
static int write_file(void *arg)
{
    const writing *self = arg;
    char *other = ga_format("%s.part", self->path);
    int fd = other ? open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
    bool good = fd >= 0 && write_all(fd, self->body);

    if (fd >= 0 && close(fd) < 0)
        good = false;
    good = good && rename(other, self->path) == 0;
    int code = good ? 0 : ga_fail(GA_ESYSTEM, "cannot write %s: %s", self->path, strerror(errno));

    if (!good && fd >= 0)
        unlink(other);
    free(other);
    return code;
}

int ga__body_file_write(const char *path, ga__slice body)
{
    writing self = {path, body};
    int error = ga__body_file_make_directories(path);

    if (error != 0)
        return ga_fail(GA_ESYSTEM, "cannot make the directory of %s: %s", path, strerror(error));
    return ga_to_thread(write_file, &self);
}
