/* SPDX-License-Identifier: MIT */
/* The timing wheel, against a plain sorted list. */
#include "check.h"

#include "task/timer.h"
#include <stdlib.h>

enum { TIMERS = 400 };

static struct {
    ga_timer_ timer;
    uint64_t deadline;
    bool armed;
} slots[TIMERS];
static ga__timers wheel;
static uint64_t now, last_fired_tick;
static int fired;

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *state >> 16;
}

static void note(ga_timer_ *timer)
{
    size_t i = (size_t)((char *)timer - (char *)slots) / sizeof slots[0];

    assert_true(slots[i].armed);
    assert_true(slots[i].deadline <= now);
    assert_true(timer->expires >= last_fired_tick);
    last_fired_tick = timer->expires;
    slots[i].armed = false;
    fired++;
}

static void nothing_due_is_left(void)
{
    for (size_t i = 0; i < TIMERS; i++)
        if (slots[i].armed)
            assert_true(slots[i].deadline + (2u << GA__TICK_SHIFT) > now);
}

static void every_timer_fires_once_in_time_and_in_order(void **state)
{
    uint64_t random = 12345;

    (void)state;
    for (int round = 0; round < 50; round++) {
        now = next_random(&random) % 1000000000000;
        last_fired_tick = 0;
        ga__timers_init(&wheel, now);
        for (int step = 0; step < 2000; step++) {
            size_t i = (size_t)(next_random(&random) % TIMERS);
            unsigned reach = (unsigned)(next_random(&random) % 44);

            slots[i].timer.fire = note;
            if (slots[i].armed) {
                ga__timers_remove(&wheel, &slots[i].timer);
                slots[i].armed = false;
            } else {
                slots[i].deadline = now + (next_random(&random) & ((UINT64_C(1) << reach) - 1));
                slots[i].armed = true;
                ga__timers_add(&wheel, &slots[i].timer, slots[i].deadline);
            }
            if (step % 3 == 0) {
                now += next_random(&random) & ((UINT64_C(1) << (next_random(&random) % 38)) - 1);
                ga__timers_run(&wheel, now);
                nothing_due_is_left();
            }
        }
        for (size_t i = 0; i < TIMERS; i++) {
            ga__timers_remove(&wheel, &slots[i].timer);
            slots[i].armed = false;
        }
        assert_int_equal(wheel.count, 0);
        assert_true(ga__timers_next(&wheel) == UINT64_MAX);
    }
    assert_true(fired > 1000);
}

/* Following the wheel's own advice of when to look again, the first of some timers fires within one tick of
 * its deadline, after so many looks. */
static void check_way_to_the_deadline(unsigned reach, size_t timers, int most_looks)
{
    int looks = 0;

    now = 987654321;
    last_fired_tick = 0;
    ga__timers_init(&wheel, now);
    for (size_t i = 0; i < timers; i++) {
        slots[i].deadline = now + (UINT64_C(1) << reach) + 77 + i;
        slots[i].armed = true;
        slots[i].timer.fire = note;
        ga__timers_add(&wheel, &slots[i].timer, slots[i].deadline);
    }
    while (slots[0].armed) {
        uint64_t next = ga__timers_next(&wheel);

        assert_true(next >= now || next + (1u << GA__TICK_SHIFT) > now);
        assert_true(next <= slots[0].deadline + (1u << GA__TICK_SHIFT));
        if (next > now)
            now = next;
        ga__timers_run(&wheel, now);
        assert_true(++looks <= most_looks);
    }
    assert_true(now <= slots[0].deadline + (1u << GA__TICK_SHIFT));
    for (size_t i = 0; i < timers; i++) {
        ga__timers_remove(&wheel, &slots[i].timer);
        slots[i].armed = false;
    }
}

/* Each look wakes the processor: a few timers take one, and many no more than the wheel has levels. */
static void next_leads_to_the_deadline(void **state)
{
    (void)state;
    for (unsigned reach = 0; reach < 50; reach++) {
        check_way_to_the_deadline(reach, 1, 1);
        check_way_to_the_deadline(reach, 5, 1);
        check_way_to_the_deadline(reach, TIMERS, GA__WHEEL_LEVELS);
    }
}

static void disarm_next(ga_timer_ *timer)
{
    note(timer);
    ga__timers_remove(&wheel, &slots[1].timer);
    slots[1].armed = false;
    slots[2].deadline = now;
    slots[2].armed = true;
    slots[2].timer.fire = note;
    ga__timers_add(&wheel, &slots[2].timer, now);
}

static void a_fired_timer_may_disarm_and_arm_others(void **state)
{
    (void)state;
    now = 1 << 20;
    last_fired_tick = 0;
    fired = 0;
    ga__timers_init(&wheel, now);
    for (int i = 0; i < 2; i++) {
        slots[i].deadline = now + 5000;
        slots[i].armed = true;
        slots[i].timer.fire = i ? note : disarm_next;
        ga__timers_add(&wheel, &slots[i].timer, slots[i].deadline);
    }
    now += 10000;
    ga__timers_run(&wheel, now);
    now += 10000;
    ga__timers_run(&wheel, now);
    assert_int_equal(fired, 2);
    assert_int_equal(wheel.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_timer_fires_once_in_time_and_in_order),
        cmocka_unit_test(next_leads_to_the_deadline),
        cmocka_unit_test(a_fired_timer_may_disarm_and_arm_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
