/* SPDX-License-Identifier: MIT */
/*
 * A hierarchical timing wheel: arming and disarming cost O(1), since nearly every timeout is cancelled.
 * A tick is 1024 ns; ten levels of 64 slots cover all that 64 bits of nanoseconds can be. A level's bitmap
 * has a bit for each slot that may hold timers, so the next event is found without walking slots.
 */
#ifndef GA__TIMER_H
#define GA__TIMER_H

#include "base/list.h"
#include <gather/task.h>
#include <stdbool.h>

enum {
    GA__WHEEL_BITS = 6,
    GA__WHEEL_SLOTS = 1 << GA__WHEEL_BITS,
    GA__WHEEL_LEVELS = 10,
    GA__TICK_SHIFT = 10
};

typedef struct ga__timers {
    uint64_t tick; /* all that expires before or at this tick has fired */
    size_t count;
    uint64_t occupied[GA__WHEEL_LEVELS];
    ga__list slots[GA__WHEEL_LEVELS][GA__WHEEL_SLOTS];
} ga__timers;

void ga__timers_init(ga__timers *timers, uint64_t now);
/* Arms a timer that is not armed. `deadline` in ns. */
void ga__timers_add(ga__timers *timers, ga_timer_ *timer, uint64_t deadline);
static inline bool ga__timer_armed(const ga_timer_ *timer)
{
    return ga__linked(&timer->link);
}
void ga__timers_remove(ga__timers *timers, ga_timer_ *timer);
/* Fires, in order of their deadlines, all timers whose deadline is at or before `now`. */
void ga__timers_run(ga__timers *timers, uint64_t now);
/* When to look again, in ns: not after the earliest deadline; UINT64_MAX when no timer is armed. */
uint64_t ga__timers_next(ga__timers *timers);

#endif
