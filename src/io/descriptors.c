/* SPDX-License-Identifier: MIT */
/*
 * The budget of descriptors: the process' limit less what was open at the start and a reserve. The count is
 * the process'; who waits waits in a list of its own thread, since tasks are woken by their own loop only,
 * and looks again ten times a second for what other threads and the application gave back.
 */
#include "io/descriptors.h"

#include "task/loop.h"

#include <dirent.h>
#include <sys/resource.h>

enum { MOST = 1 << 20, RESERVE = 64 };

static const uint64_t LOOK_AGAIN = 100000000; /* ns */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static size_t limit;
static _Atomic size_t used;
static _Thread_local ga__list waiters;

static size_t open_now(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    if (!directory)
        return 0;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* A limit far above what is useful is not asked for: programs that close all descriptors up to it would
 * crawl. */
static size_t raise_limit(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return 1024;
    rlim_t wanted = files.rlim_max < MOST ? files.rlim_max : MOST;

    if (files.rlim_cur < wanted) {
        struct rlimit raised = {.rlim_cur = wanted, .rlim_max = files.rlim_max};

        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            files = raised;
    }
    return files.rlim_cur < MOST ? (size_t)files.rlim_cur : MOST;
}

static void find_limit(void)
{
    size_t all = raise_limit();
    size_t others = open_now() + (all / 8 < RESERVE ? all / 8 : RESERVE);

    limit = all > others ? all - others : 1;
}

size_t ga__descriptors_limit(void)
{
    pthread_once(&once, find_limit);
    return limit;
}

size_t ga__descriptors_used(void)
{
    return atomic_load_explicit(&used, memory_order_relaxed);
}

bool ga__descriptors_take(void)
{
    if (atomic_fetch_add_explicit(&used, 1, memory_order_relaxed) < ga__descriptors_limit())
        return true;
    ga__descriptors_untake();
    return false;
}

void ga__descriptors_untake(void)
{
    atomic_fetch_sub_explicit(&used, 1, memory_order_relaxed);
}

void ga__descriptors_give(void)
{
    ga__descriptors_untake();
    if (waiters.next && ga__loop_here)
        ga__wake_first(&waiters, 0);
}

int ga__descriptors_wait(uint64_t deadline)
{
    int code = ga__checkpoint();

    if (code)
        return code;
    if (!waiters.next)
        ga__list_init(&waiters);
    uint64_t now = ga__now_exact();
    uint64_t until = now + LOOK_AGAIN < deadline ? now + LOOK_AGAIN : deadline;

    code = ga__park(&waiters, until, GA__EXTERNAL, "a free descriptor");
    if (code == GA_ETIMEDOUT && until < deadline)
        return 0;
    if (code == GA_ETIMEDOUT)
        return ga__fail(code, "no descriptor became free in time: the library uses %zu of %zu (ulimit -n)",
                        ga__descriptors_used(), ga__descriptors_limit());
    if (code)
        return ga__fail(code, "cancelled while waiting for a free descriptor");
    return 0;
}
