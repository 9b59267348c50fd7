/* SPDX-License-Identifier: MIT */
/*
 * A library to be preloaded, in whose world the time of day jumps by a day, forwards and backwards, every 100
 * times that it is asked for. What measures durations is as it was.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <time.h>

static atomic_ulong asked;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static __typeof__(&clock_gettime) next;

    if (!next)
        next = __extension__(__typeof__(&clock_gettime)) dlsym(RTLD_NEXT, "clock_gettime");
    int code = next(clock, now);

    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        now->tv_sec += 86400 * ((long)(atomic_fetch_add(&asked, 1) / 100 % 3) - 1);
    return code;
}
