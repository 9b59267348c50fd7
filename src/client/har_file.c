/* SPDX-License-Identifier: MIT */
/*
 * The file of an HTTP Archive. Entries are appended as calls end, and memory does not grow; each is written
 * in one go with the archive's end behind it, over the end before, so that the file is whole JSON after every
 * write, also where the program then crashes. It goes to the system's memory, so it is not left to a thread.
 */
#include "client/har.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct ga__har {
    int fd;
    off_t end;   /* of the last entry */
    bool empty;  /* there is none yet */
    bool told;   /* that entries are missing */
    bool failed; /* to be written: no more are tried */
    char path[];
};

static const char beginning[] =
    "{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"gather\",\"version\":\"" GA__VERSION
    "\"},\"entries\":[";
static const char ending[] = "\n]}}\n";

/* Writes the bytes and the ending behind the last entry. @return 0 or errno */
static int append(ga__har *har, const ga__buffer *bytes)
{
    size_t written = 0;

    while (written < bytes->size) {
        ssize_t count =
            pwrite(har->fd, bytes->data + written, bytes->size - written, har->end + (off_t)written);

        if (count > 0)
            written += (size_t)count;
        else if (count == 0 || errno != EINTR)
            return count == 0 ? EIO : errno;
    }
    har->end += (off_t)(bytes->size - strlen(ending));
    return 0;
}

static int begin(ga__har *har)
{
    ga__buffer bytes = GA__BUFFER_INIT;

    ga__buffer_add(&bytes, beginning);
    ga__buffer_add(&bytes, ending);
    int os_error = bytes.failed ? ENOMEM : append(har, &bytes);

    ga__buffer_free(&bytes);
    return os_error;
}

static int open_failed(const char *path, int os_error)
{
    int code = os_error == EMFILE || os_error == ENFILE ? GA_EFDS
               : os_error == ENOMEM                     ? GA_ENOMEM
                                                        : GA_ESYSTEM;

    ga__fail(code, "the HTTP archive \"%s\" (.har): %s", path, strerror(os_error));
    ga__error_edit()->os_error = os_error;
    return code;
}

int ga__har_new(ga__har **har, const char *path)
{
    size_t size = strlen(path) + 1;
    ga__har *made = malloc(sizeof *made + size);

    if (!made)
        return ga__fail(GA_ENOMEM, "no memory for a session");
    *made = (ga__har){.empty = true};
    memcpy(made->path, path, size);
    made->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int os_error = made->fd < 0 ? errno : begin(made);

    if (os_error != 0) {
        ga__har_free(made);
        return open_failed(path, os_error);
    }
    *har = made;
    return 0;
}

/* Says once that entries are missing. */
static void tell(ga__har *har, int os_error)
{
    if (!har->told)
        fprintf(stderr, "gather: the HTTP archive \"%s\" lacks entries: %s\n", har->path, strerror(os_error));
    har->told = true;
}

/* The file is JSON all the same. */
static void give_up(ga__har *har)
{
    har->failed = true;
    if (ftruncate(har->fd, har->end) < 0 ||
        pwrite(har->fd, ending, strlen(ending), har->end) != (ssize_t)strlen(ending))
        fprintf(stderr, "gather: the HTTP archive \"%s\" lacks its end, \"]}}\"\n", har->path);
}

void ga__har_add(ga__har *har, const char *entry)
{
    ga__buffer bytes = GA__BUFFER_INIT;

    if (har->failed)
        return;
    if (!har->empty)
        ga__buffer_add_char(&bytes, ',');
    ga__buffer_add_char(&bytes, '\n');
    ga__buffer_add(&bytes, entry ? entry : "");
    ga__buffer_add(&bytes, ending);
    int os_error = !entry || bytes.failed ? ENOMEM : append(har, &bytes);

    ga__buffer_free(&bytes);
    if (os_error == 0) {
        har->empty = false;
        return;
    }
    tell(har, os_error);
    if (entry)
        give_up(har);
}

void ga__har_free(ga__har *har)
{
    if (!har)
        return;
    if (har->fd >= 0)
        close(har->fd);
    free(har);
}
