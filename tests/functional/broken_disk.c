/* SPDX-License-Identifier: MIT */
/*
 * A library to be preloaded, which makes a disk fail as BROKEN_DISK says: "KIND:NUMBER:SEED". It looks at
 * what is written to regular files, nothing else; so sockets, pipes and SQLite's shared memory are as they
 * are.
 *
 *     short  NUMBER per cent of the writes write a part only
 *     full   each write fails with ENOSPC with NUMBER per mille, some after a part; then the disk stays full
 *     flaky  the same, but the next write may succeed
 *     sync   NUMBER per cent of fdatasync and fsync fail with EIO
 *     kill   the write with that NUMBER writes a part, and the process is gone as after kill -9
 *     count  nothing fails; the number of writes is told in the file BROKEN_DISK_COUNT as the process ends
 */
#undef _FILE_OFFSET_BITS /* else pwrite is pwrite64's other name, and both are wanted */

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NOTHING, SHORT, FULL, FLAKY, SYNC, KILL, COUNT };
static int kind;
static unsigned long number;
static atomic_ulong state, writes;
static atomic_bool is_full;

static __attribute__((constructor)) void begin(void)
{
    static const char *const kinds[] = {"", "short", "full", "flaky", "sync", "kill", "count"};
    const char *text = getenv("BROKEN_DISK");
    char name[8] = "";
    unsigned long seed = 0;

    if (!text || sscanf(text, "%7[a-z]:%lu:%lu", name, &number, &seed) != 3)
        return;
    for (int i = SHORT; i <= COUNT; i++)
        if (strcmp(name, kinds[i]) == 0)
            kind = i;
    atomic_store(&state, seed * 2654435761U + 1);
}

static __attribute__((destructor)) void end(void)
{
    const char *path = getenv("BROKEN_DISK_COUNT");
    FILE *file = kind == COUNT && path ? fopen(path, "w") : NULL;

    if (!file)
        return;
    fprintf(file, "%lu\n", atomic_load(&writes));
    fclose(file);
}

static unsigned long draw(unsigned long below)
{
    unsigned long drawn = atomic_fetch_add(&state, 0x9e3779b97f4a7c15U);

    drawn = (drawn ^ (drawn >> 30)) * 0xbf58476d1ce4e5b9U;
    drawn = (drawn ^ (drawn >> 27)) * 0x94d049bb133111ebU;
    return (drawn >> 16) % below;
}

static int is_file(int fd)
{
    struct stat about;

    return fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

/* How much of a write is to be done; -1: it fails. `*after` becomes what happens then. */
static ssize_t allowed(int fd, size_t size, int *after)
{
    *after = 0;
    if (kind == NOTHING || size == 0 || !is_file(fd))
        return (ssize_t)size;
    if (kind == SHORT && size > 1 && draw(100) < number)
        return (ssize_t)(1 + draw(size - 1));
    if (kind == FULL && atomic_load(&is_full))
        return -1;
    if ((kind == FULL || kind == FLAKY) && draw(1000) < number) {
        atomic_store(&is_full, kind == FULL);
        return size > 1 && draw(2) ? (ssize_t)(1 + draw(size - 1)) : -1;
    }
    if (atomic_fetch_add(&writes, 1) + 1 == number && kind == KILL) {
        *after = SIGKILL;
        return (ssize_t)draw(size + 1);
    }
    return (ssize_t)size;
}

static ssize_t ended(ssize_t done, int after)
{
    if (after)
        kill(getpid(), after);
    return done;
}

static ssize_t refuse(void)
{
    errno = ENOSPC;
    return -1;
}

/* The C library's own function of that name. */
#define NEXT(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t size)
{
    int after;
    ssize_t part = allowed(fd, size, &after);

    return part < 0 ? refuse() : ended(NEXT(write)(fd, bytes, (size_t)part), after);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    int after;
    ssize_t part = allowed(fd, size, &after);

    return part < 0 ? refuse() : ended(NEXT(pwrite)(fd, bytes, (size_t)part, at), after);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at)
{
    int after;
    ssize_t part = allowed(fd, size, &after);

    return part < 0 ? refuse() : ended(NEXT(pwrite64)(fd, bytes, (size_t)part, at), after);
}

/* Of several pieces the first is written, which is allowed. */
ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    if (kind == NOTHING || !is_file(fd) || count < 1)
        return NEXT(writev)(fd, pieces, count);
    return write(fd, pieces[0].iov_base, pieces[0].iov_len);
}

static int sync_fails(int fd)
{
    if (kind == SYNC && is_file(fd) && draw(100) < number)
        errno = EIO;
    else if (kind == FULL && atomic_load(&is_full) && is_file(fd))
        errno = ENOSPC;
    else
        return 0;
    return -1;
}

int fdatasync(int fd)
{
    return sync_fails(fd) ? -1 : NEXT(fdatasync)(fd);
}

int fsync(int fd)
{
    return sync_fails(fd) ? -1 : NEXT(fsync)(fd);
}
