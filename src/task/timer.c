/* SPDX-License-Identifier: MIT */
/*
 * The timing wheel. A timer lies on the level of the highest 6-bit digit in which its tick differs from the
 * wheel's, in the slot of that digit. So all that lies on a level is due after everything below it, its
 * occupied slots lie ahead of the wheel's own digit, and the next event is the lowest bit of the lowest level
 * that has one. When the wheel reaches a slot above level 0, its timers move down.
 *
 * Removal leaves the slot's bit as it is; an empty slot's bit is cleared when the search comes by.
 */
#include "task/timer.h"

enum { MOST_LOOKED_AT = 16 };

void ga__timers_init(ga__timers *timers, uint64_t now)
{
    *timers = (ga__timers){.tick = now >> GA__TICK_SHIFT};
    for (int level = 0; level < GA__WHEEL_LEVELS; level++)
        for (int slot = 0; slot < GA__WHEEL_SLOTS; slot++)
            ga__list_init(&timers->slots[level][slot]);
}

static void place(ga__timers *timers, ga_timer_ *timer)
{
    int level = (63 - __builtin_clzll(timer->expires ^ timers->tick)) / GA__WHEEL_BITS;
    int slot = (int)(timer->expires >> (level * GA__WHEEL_BITS)) & (GA__WHEEL_SLOTS - 1);

    timers->occupied[level] |= UINT64_C(1) << slot;
    ga__list_push_back(&timers->slots[level][slot], &timer->link);
}

void ga__timers_add(ga__timers *timers, ga_timer_ *timer, uint64_t deadline)
{
    uint64_t tick = (deadline >> GA__TICK_SHIFT) + 1; /* rounded up, so that none fires early */

    timer->expires = tick > timers->tick ? tick : timers->tick + 1;
    timers->count++;
    place(timers, timer);
}

void ga__timers_remove(ga__timers *timers, ga_timer_ *timer)
{
    if (!ga__timer_armed(timer))
        return;
    ga__unlink(&timer->link);
    timers->count--;
}

/* The tick at which the next occupied slot begins, and the slot; UINT64_MAX when all are empty. */
static uint64_t next_slot(ga__timers *timers, int *level, int *slot)
{
    for (*level = 0; *level < GA__WHEEL_LEVELS; ++*level)
        while (timers->occupied[*level]) {
            *slot = __builtin_ctzll(timers->occupied[*level]);
            if (ga__list_empty(&timers->slots[*level][*slot])) {
                timers->occupied[*level] &= timers->occupied[*level] - 1;
                continue;
            }
            int shift = *level * GA__WHEEL_BITS;
            uint64_t above = timers->tick >> shift >> GA__WHEEL_BITS;

            return (above << GA__WHEEL_BITS | (uint64_t)*slot) << shift;
        }
    return UINT64_MAX;
}

/* The earliest tick of a slot's timers; of a slot with many, the tick `begin` at which it begins: they move
 * down then, which costs each of them as much as looking at it here each time. */
static uint64_t earliest(const ga__list *slot, uint64_t begin)
{
    uint64_t tick = UINT64_MAX;
    int seen = 0;

    for (const ga__link *link = slot->next; link != slot; link = link->next) {
        const ga_timer_ *timer = GA__OF(link, const ga_timer_, link);

        if (++seen > MOST_LOOKED_AT)
            return begin;
        if (timer->expires < tick)
            tick = timer->expires;
    }
    return tick;
}

uint64_t ga__timers_next(ga__timers *timers)
{
    int level, slot;
    uint64_t tick = timers->count ? next_slot(timers, &level, &slot) : UINT64_MAX;

    if (tick != UINT64_MAX && level > 0)
        tick = earliest(&timers->slots[level][slot], tick);
    return tick > UINT64_MAX >> GA__TICK_SHIFT ? UINT64_MAX : tick << GA__TICK_SHIFT;
}

/* Fires what is due in the list, and moves the rest down. A fired timer may arm and disarm any other. */
static void run_slot(ga__timers *timers, ga__list *slot)
{
    ga__list due;
    ga__link *link;

    ga__list_init(&due);
    while ((link = ga__list_pop_front(slot)))
        ga__list_push_back(&due, link);
    while ((link = ga__list_pop_front(&due))) {
        ga_timer_ *timer = GA__OF(link, ga_timer_, link);

        if (timer->expires > timers->tick) {
            place(timers, timer);
            continue;
        }
        timers->count--;
        timer->fire(timer);
    }
}

void ga__timers_run(ga__timers *timers, uint64_t now)
{
    uint64_t target = now >> GA__TICK_SHIFT;
    int level, slot;

    while (timers->count) {
        uint64_t tick = next_slot(timers, &level, &slot);

        if (tick > target)
            break;
        timers->tick = tick;
        timers->occupied[level] &= ~(UINT64_C(1) << slot);
        run_slot(timers, &timers->slots[level][slot]);
    }
    if (target > timers->tick)
        timers->tick = target;
}
