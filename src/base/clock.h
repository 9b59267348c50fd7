/* SPDX-License-Identifier: MIT */
/*
 * The system's clock. What waits, or is to be simulated, asks its loop for the time instead.
 */
#ifndef GA__CLOCK_H
#define GA__CLOCK_H

#include <stdint.h>
#include <time.h>

/* The time of day, in ms since 1970. */
static inline int64_t ga__wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
