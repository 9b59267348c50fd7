/* SPDX-License-Identifier: MIT */
/* Semaphore, mutex and event: who is served when, and that a cancelled wait took nothing. On the simulated
 * loop, so that times are exact. */
#include "check.h"

#include "sim/sim.h"
#include "task/loop.h"
#include <gather/sync.h>
#include <string.h>

static void simulate(int (*fn)(void *arg), void *arg)
{
    assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, 0, fn, arg), 0);
}

/* What tasks note in the order in which they come to it. */
struct notes {
    char text[64];
    size_t size;
};

static void note(struct notes *notes, char letter)
{
    assert_true(notes->size + 1 < sizeof notes->text);
    notes->text[notes->size++] = letter;
}

/* --- semaphore ------------------------------------------------------------------------------------ */

struct room {
    ga_semaphore semaphore;
    struct notes notes;
    int inside, most;
};

static int visit(struct room *room, char letter)
{
    int code = ga_semaphore_acquire(&room->semaphore);

    if (code < 0)
        return code;
    note(&room->notes, letter);
    room->inside++;
    if (room->inside > room->most)
        room->most = room->inside;
    ga_sleep(0.1);
    room->inside--;
    ga_semaphore_release(&room->semaphore);
    return 0;
}
GA_TASK(int, visit, struct room *, char);

static int many_visit(void *arg)
{
    struct room *room = arg;
    ga_group group;
    double begin = ga_now();

    ga_semaphore_init(&room->semaphore, 3);
    ga_group_open(&group, GA_FAIL_FAST);
    for (int i = 0; i < 9; i++)
        visit_start(&group, room, (char)('a' + i));
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    assert_true(ga_now() - begin > 0.29 && ga_now() - begin < 0.31);
    assert_int_equal(ga_semaphore_permits(&room->semaphore), 3);
    return 0;
}

static void a_semaphore_lets_so_many_in_and_in_order(void **state)
{
    struct room room = {0};

    (void)state;
    simulate(many_visit, &room);
    assert_int_equal(room.most, 3);
    assert_string_equal(room.notes.text, "abcdefghi");
}

/* Releases and takes again at once: who waits must come first. */
static int greedy(struct room *room)
{
    for (int i = 0; i < 3; i++) {
        if (ga_semaphore_acquire(&room->semaphore) < 0)
            return GA_ECANCELED;
        note(&room->notes, 'g');
        ga_sleep(0.01);
        ga_semaphore_release(&room->semaphore);
    }
    return 0;
}
GA_TASK(int, greedy, struct room *);

static int greed(void *arg)
{
    struct room *room = arg;
    ga_group group;

    ga_semaphore_init(&room->semaphore, 1);
    ga_group_open(&group, GA_FAIL_FAST);
    greedy_start(&group, room);
    visit_start(&group, room, 'v');
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    return 0;
}

static void nobody_overtakes_who_waits(void **state)
{
    struct room room = {0};

    (void)state;
    simulate(greed, &room);
    assert_string_equal(room.notes.text, "gvgg");
}

static int cancel_in_line(void *arg)
{
    struct room *room = arg;
    ga_group group;
    visit_task *tasks[3];

    ga_semaphore_init(&room->semaphore, 1);
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 3; i++)
        tasks[i] = visit_start(&group, room, (char)('a' + i));
    ga_sleep(0.05); /* a is inside, b and c wait */
    assert_int_equal(ga_semaphore_try_acquire(&room->semaphore), GA_EAGAIN);
    ga_task_cancel(tasks[1]->task);
    ga_gather(&group);
    assert_int_equal(tasks[1]->result, GA_ECANCELED);
    assert_non_null(strstr(ga_task_error(tasks[1]->task)->message, "semaphore"));
    assert_int_equal(tasks[2]->result, 0);
    ga_group_close(&group);
    assert_int_equal(ga_semaphore_permits(&room->semaphore), 1);
    assert_int_equal(ga_semaphore_try_acquire(&room->semaphore), 0);
    assert_int_equal(ga_semaphore_permits(&room->semaphore), 0);
    return 0;
}

static void a_cancelled_waiter_takes_no_permit(void **state)
{
    struct room room = {0};

    (void)state;
    simulate(cancel_in_line, &room);
    assert_string_equal(room.notes.text, "ac");
}

/* The permit was handed over before the cancellation: then the wait has completed. */
static int cancel_after_release(void *arg)
{
    struct room *room = arg;
    ga_group group;

    ga_semaphore_init(&room->semaphore, 0);
    ga_group_open(&group, GA_COLLECT);
    visit_task *task = visit_start(&group, room, 'a');

    ga_sleep(0.01);
    ga_semaphore_release(&room->semaphore);
    ga_task_cancel(task->task);
    ga_gather(&group);
    assert_int_equal(task->result, 0);
    ga_group_close(&group);
    assert_int_equal(ga_semaphore_permits(&room->semaphore), 1);
    return 0;
}

static void a_permit_that_was_handed_over_stays_so(void **state)
{
    struct room room = {0};

    (void)state;
    simulate(cancel_after_release, &room);
    assert_string_equal(room.notes.text, "a");
}

static int time_out(void *arg)
{
    ga_semaphore semaphore;
    ga_scope scope;

    (void)arg;
    ga_semaphore_init(&semaphore, 0);
    ga_scope_open(&scope, 0.2);
    assert_int_equal(ga_semaphore_acquire(&semaphore), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    assert_non_null(strstr(ga_error_message(), "semaphore"));
    ga_semaphore_release(&semaphore);
    assert_int_equal(ga_semaphore_permits(&semaphore), 1);

    /* A cancelled scope refuses also what could be had at once. */
    ga_scope_open(&scope, GA_FOREVER);
    ga_scope_cancel(&scope);
    assert_int_equal(ga_semaphore_acquire(&semaphore), GA_ECANCELED);
    assert_int_equal(ga_semaphore_permits(&semaphore), 1);
    assert_int_equal(ga_scope_close(&scope), 0);
    return 0;
}

static void a_wait_with_a_deadline_times_out(void **state)
{
    (void)state;
    simulate(time_out, NULL);
}

static void waiting_outside_a_task_is_an_error(void **state)
{
    ga_semaphore semaphore;
    ga_mutex mutex;
    ga_event event;

    (void)state;
    ga_semaphore_init(&semaphore, 1);
    ga_mutex_init(&mutex);
    ga_event_init(&event);
    ga_event_set(&event);
    assert_int_equal(ga_semaphore_acquire(&semaphore), GA_ENOTASK);
    assert_int_equal(ga_mutex_lock(&mutex), GA_ENOTASK);
    assert_int_equal(ga_mutex_try_lock(&mutex), GA_ENOTASK);
    assert_int_equal(ga_event_wait(&event), GA_ENOTASK);
    assert_int_equal(ga_semaphore_permits(&semaphore), 1);
}

/* Tasks take and give back permits while others cancel them at any moment: in the end all permits are there.
 */
struct crowd {
    ga_semaphore semaphore;
    ga_mutex mutex;
    uint64_t random;
    int inside, most, holders;
    size_t turns;
};

static uint64_t draw(struct crowd *crowd, uint64_t below)
{
    crowd->random = crowd->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (crowd->random >> 33) % below;
}

static int jostle(void *arg)
{
    struct crowd *crowd = arg;

    while (ga_semaphore_acquire(&crowd->semaphore) == 0) {
        crowd->inside++;
        if (crowd->inside > crowd->most)
            crowd->most = crowd->inside;
        for (uint64_t yields = draw(crowd, 3); yields; yields--)
            if (ga_yield() < 0)
                break;
        if (ga_mutex_lock(&crowd->mutex) == 0) {
            assert_int_equal(crowd->holders++, 0);
            if (draw(crowd, 2) && ga_yield() < 0)
                crowd->turns++;
            crowd->holders--;
            ga_mutex_unlock(&crowd->mutex);
        }
        crowd->turns++;
        crowd->inside--;
        ga_semaphore_release(&crowd->semaphore);
    }
    return 0;
}

static int crowd_scenario(void *arg)
{
    enum { TASKS = 8 };
    struct crowd *crowd = arg;
    size_t turns = check_slowed() ? 50000 : 1000000;

    while (crowd->turns < turns) {
        ga_task *tasks[TASKS];
        ga_group group;

        ga_group_open(&group, GA_COLLECT);
        for (int i = 0; i < TASKS; i++)
            tasks[i] = ga_spawn(&group, jostle, crowd);
        for (int left = TASKS; left; left--) {
            for (uint64_t yields = draw(crowd, 40); yields; yields--)
                ga_yield();
            ga_task_cancel(tasks[draw(crowd, TASKS)]);
        }
        ga_group_close(&group);
        assert_int_equal(crowd->inside, 0);
        assert_int_equal(ga_semaphore_permits(&crowd->semaphore), 3);
        assert_int_equal(ga_mutex_try_lock(&crowd->mutex), 0);
        assert_int_equal(ga_mutex_unlock(&crowd->mutex), 0);
    }
    return 0;
}

static void no_permit_is_lost_among_cancellations(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct crowd crowd = {.random = seed};

        ga_semaphore_init(&crowd.semaphore, 3);
        ga_mutex_init(&crowd.mutex);
        assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, seed, crowd_scenario, &crowd), 0);
        assert_int_equal(crowd.most, 3);
    }
}

/* --- mutex ---------------------------------------------------------------------------------------- */

struct shared {
    ga_mutex mutex;
    struct notes notes;
};

static int write_twice(struct shared *shared, char letter)
{
    int code = ga_mutex_lock(&shared->mutex);

    if (code < 0)
        return code;
    note(&shared->notes, letter);
    ga_sleep(0.1);
    note(&shared->notes, letter);
    return ga_mutex_unlock(&shared->mutex);
}
GA_TASK(int, write_twice, struct shared *, char);

static int lock_in_turn(void *arg)
{
    struct shared *shared = arg;
    ga_group group;
    write_twice_task *tasks[4];

    ga_mutex_init(&shared->mutex);
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 4; i++)
        tasks[i] = write_twice_start(&group, shared, (char)('a' + i));
    ga_sleep(0.15); /* b holds it */
    assert_int_equal(ga_mutex_try_lock(&shared->mutex), GA_EAGAIN);
    ga_task_cancel(tasks[2]->task);
    assert_int_equal(ga_gather(&group), 0); /* who is cancelled has not failed */
    assert_int_equal(tasks[2]->result, GA_ECANCELED);
    ga_group_close(&group);
    return 0;
}

static void a_mutex_is_one_task_s_at_a_time(void **state)
{
    struct shared shared = {0};

    (void)state;
    simulate(lock_in_turn, &shared);
    assert_string_equal(shared.notes.text, "aabbdd");
}

static int misuse(void *arg)
{
    struct shared shared = {0};
    ga_group group;

    (void)arg;
    ga_mutex_init(&shared.mutex);
    assert_int_equal(ga_mutex_unlock(&shared.mutex), GA_EUSAGE);
    assert_int_equal(ga_mutex_lock(&shared.mutex), 0);
    assert_int_equal(ga_mutex_lock(&shared.mutex), GA_EDEADLK);
    assert_int_equal(ga_error()->code, GA_EDEADLK);
    assert_int_equal(ga_mutex_try_lock(&shared.mutex), GA_EDEADLK);
    assert_int_equal(ga_mutex_unlock(&shared.mutex), 0);
    assert_int_equal(ga_mutex_unlock(&shared.mutex), GA_EUSAGE);

    ga_group_open(&group, GA_FAIL_FAST);
    write_twice_start(&group, &shared, 'a');
    ga_sleep(0.01);
    assert_int_equal(ga_mutex_unlock(&shared.mutex), GA_EUSAGE); /* it is the other task's */
    assert_int_equal(ga_mutex_try_lock(&shared.mutex), GA_EAGAIN);
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    return 0;
}

static void only_the_owner_unlocks_and_nobody_locks_twice(void **state)
{
    (void)state;
    simulate(misuse, NULL);
}

/* --- event ---------------------------------------------------------------------------------------- */

struct flag {
    ga_event event;
    int passed;
};

static int pass(void *arg)
{
    struct flag *flag = arg;
    int code = ga_event_wait(&flag->event);

    flag->passed += code == 0;
    return code;
}

static int set_and_clear(void *arg)
{
    struct flag *flag = arg;
    ga_group group;

    ga_event_init(&flag->event);
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 5; i++)
        ga_spawn(&group, pass, flag);
    ga_sleep(0.1);
    assert_int_equal(flag->passed, 0);
    ga_event_set(&flag->event);
    assert_true(ga_event_is_set(&flag->event));
    ga_event_clear(&flag->event); /* those who waited have seen it all the same */
    ga_gather(&group);
    assert_int_equal(flag->passed, 5);

    ga_task *late = ga_spawn(&group, pass, flag);
    ga_sleep(0.1);
    assert_int_equal(flag->passed, 5);
    ga_task_cancel(late);
    ga_gather(&group);
    assert_int_equal(ga_task_join(late), GA_ECANCELED);

    ga_event_set(&flag->event);
    assert_int_equal(ga_event_wait(&flag->event), 0);
    assert_int_equal(ga_event_wait(&flag->event), 0);
    ga_group_close(&group);
    return 0;
}

static void an_event_lets_all_pass_until_it_is_cleared(void **state)
{
    struct flag flag = {0};

    (void)state;
    simulate(set_and_clear, &flag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_semaphore_lets_so_many_in_and_in_order),
        cmocka_unit_test(nobody_overtakes_who_waits),
        cmocka_unit_test(a_cancelled_waiter_takes_no_permit),
        cmocka_unit_test(a_permit_that_was_handed_over_stays_so),
        cmocka_unit_test(a_wait_with_a_deadline_times_out),
        cmocka_unit_test(waiting_outside_a_task_is_an_error),
        cmocka_unit_test(no_permit_is_lost_among_cancellations),
        cmocka_unit_test(a_mutex_is_one_task_s_at_a_time),
        cmocka_unit_test(only_the_owner_unlocks_and_nobody_locks_twice),
        cmocka_unit_test(an_event_lets_all_pass_until_it_is_cleared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
