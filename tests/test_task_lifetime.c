/* SPDX-License-Identifier: MIT */
/* Tasks, groups and scopes whose ends meet: who may go on, what counts, and what is refused; on the virtual
 * clock. Run under AddressSanitizer, these also show that nobody looks at a record that is gone. */
#include "check.h"

#include "sim/sim.h"
#include "task/loop.h"
#include <errno.h>
#include <gather/sync.h>
#include <gather/task.h>
#include <gather/thread.h>
#include <math.h>
#include <string.h>

static int unread;

static void count_unread(const char *task, const char *where, const ga_error_detail *error)
{
    (void)task;
    (void)where;
    (void)error;
    unread++;
    /* A handler is no task, whichever task's end it is told of. */
    assert_int_equal(ga_sleep(1), GA_ENOTASK);
    assert_null(ga_task_name(NULL));
}

#define CASE(name)                                                                      \
    static int name##_body(void *arg);                                                  \
    static void name(void **state)                                                      \
    {                                                                                   \
        (void)state;                                                                    \
        unread = 0;                                                                     \
        ga_on_unread_error(count_unread);                                               \
        ga_error_clear();                                                               \
        assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, 0, name##_body, NULL), 0); \
    }                                                                                   \
    static int name##_body(void *arg)

/* --- joining -------------------------------------------------------------------------------------- */

struct meeting {
    ga_task *task;
    ga_event event;
    ga_group *group;
    ga_scope *scope;
    int code;
};

static int set_event_and_fail(void *arg)
{
    struct meeting *meeting = arg;

    ga_sleep(1);
    ga_event_set(&meeting->event);
    return ga_fail(GA_EDNS, "it failed late");
}

static int join_it(void *arg)
{
    struct meeting *meeting = arg;

    meeting->code = ga_task_join(meeting->task);
    assert_string_equal(ga_error_message(), "it failed late");
    return 0;
}

CASE(a_joiner_has_its_answer_though_the_group_was_closed_meanwhile)
{
    struct meeting meeting = {0};
    ga_group outer, inner;

    (void)arg;
    ga_event_init(&meeting.event);
    ga_group_open(&outer, GA_FAIL_FAST);
    ga_group_open(&inner, GA_COLLECT);
    meeting.task = ga_spawn(&inner, set_event_and_fail, &meeting);
    ga_spawn(&outer, join_it, &meeting);
    assert_int_equal(ga_event_wait(&meeting.event), 0); /* goes on before the joiner does */
    ga_group_close(&inner);
    assert_int_equal(ga_gather(&outer), 0);
    ga_group_close(&outer);
    assert_int_equal(meeting.code, GA_EDNS);
    assert_int_equal(unread, 0); /* the joiner read it */
    return 0;
}

static int join_at_the_end_of_a_turn(void *arg)
{
    struct meeting *meeting = arg;

    while (ga__current()->budget > 1)
        ga__checkpoint();
    meeting->code = ga_task_join(meeting->task);
    return 0;
}

CASE(joining_begins_before_others_run)
{
    struct meeting meeting = {0};
    ga_group outer, inner;

    (void)arg;
    ga_event_init(&meeting.event);
    ga_group_open(&outer, GA_FAIL_FAST);
    ga_group_open(&inner, GA_COLLECT);
    meeting.task = ga_spawn(&inner, set_event_and_fail, &meeting);
    ga_spawn(&outer, join_at_the_end_of_a_turn, &meeting);
    ga_yield();
    ga_group_close(&inner); /* cancels the sleep in it, which the task ignores */
    assert_int_equal(ga_gather(&outer), 0);
    ga_group_close(&outer);
    assert_int_equal(meeting.code, GA_EDNS);
    return 0;
}

static int sleep_a_second(void *arg)
{
    (void)arg;
    return ga_sleep(1);
}

CASE(what_is_discarded_cannot_be_joined)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_DISCARD);
    assert_int_equal(ga_task_join(ga_spawn(&group, sleep_a_second, NULL)), GA_EUSAGE);
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    return 0;
}

/* --- gathering ------------------------------------------------------------------------------------ */

static int gather_anothers(void *arg)
{
    return ga_gather(arg) == GA_EUSAGE ? 0 : 1;
}

CASE(only_the_opener_gathers)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_task *task = ga_spawn(&group, gather_anothers, &group);

    assert_int_equal(ga_gather(&group), 0);
    assert_int_equal(ga_task_join(task), 0);
    ga_group_close(&group);
    return 0;
}

/* Starts two of its kind in its own group, some levels deep. */
static int breed(void *arg)
{
    struct meeting *meeting = arg;

    if (ga_sleep(1) < 0)
        return GA_ECANCELED;
    if (++meeting->code < 15) {
        ga_spawn(meeting->group, breed, meeting);
        ga_spawn(meeting->group, breed, meeting);
    }
    return 0;
}

CASE(tasks_may_start_more_while_their_group_is_gathered)
{
    ga_group group;
    struct meeting meeting = {.group = &group};

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, breed, &meeting);
    assert_int_equal(ga_gather(&group), 0);
    assert_int_equal(ga_group_running(&group), 0);
    assert_true(meeting.code >= 15);
    ga_group_close(&group);
    return 0;
}

static int breed_when_cancelled(void *arg)
{
    struct meeting *meeting = arg;

    assert_int_equal(ga_sleep(100), GA_ECANCELED);
    if (++meeting->code < 10)
        assert_non_null(ga_spawn(meeting->group, breed_when_cancelled, meeting));
    return GA_ECANCELED;
}

CASE(tasks_may_start_more_while_their_group_closes)
{
    ga_group group;
    struct meeting meeting = {.group = &group};

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, breed_when_cancelled, &meeting);
    ga_sleep(1);
    ga_group_close(&group);
    assert_int_equal(meeting.code, 10);
    return 0;
}

static int fail_at_once(void *arg)
{
    (void)arg;
    return ga_fail(GA_EDNS, "it failed");
}

CASE(a_group_that_was_told_of_its_failure_starts_anew)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, fail_at_once, NULL);
    assert_int_equal(ga_gather(&group), GA_EDNS);
    ga_spawn(&group, sleep_a_second, NULL);
    assert_int_equal(ga_gather(&group), 0);
    ga_spawn(&group, fail_at_once, NULL);
    assert_int_equal(ga_gather(&group), GA_EDNS);
    ga_group_close(&group);
    assert_int_equal(unread, 0);
    return 0;
}

CASE(the_scope_in_which_a_failure_is_told_goes_on)
{
    ga_group group;
    ga_scope scope, inner;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_scope_open(&scope, 10);
    ga_scope_open(&inner, GA_FOREVER);
    ga_spawn(&group, fail_at_once, NULL);
    assert_int_equal(ga_gather(&group), GA_EDNS);
    assert_int_equal(ga_sleep(1), 0);
    assert_int_equal(ga_scope_close(&inner), 0);
    assert_int_equal(ga_sleep(100), GA_ECANCELED); /* the deadline still counts */
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    ga_group_close(&group);
    return 0;
}

static int set_event(void *arg)
{
    struct meeting *meeting = arg;

    ga_sleep(1);
    ga_event_set(&meeting->event);
    return 0;
}

static int cancel_scope(void *arg)
{
    struct meeting *meeting = arg;

    assert_int_equal(ga_event_wait(&meeting->event), 0);
    assert_int_equal(ga_group_running(meeting->group), 0);
    ga_scope_cancel(meeting->scope);
    return 0;
}

CASE(gathering_that_was_done_before_the_cancel_stays_done)
{
    ga_group outer, group;
    ga_scope scope;
    struct meeting meeting = {.group = &group, .scope = &scope};

    (void)arg;
    ga_event_init(&meeting.event);
    ga_group_open(&outer, GA_FAIL_FAST);
    ga_spawn(&outer, cancel_scope, &meeting);
    ga_scope_open(&scope, GA_FOREVER);
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, set_event, &meeting);
    assert_int_equal(ga_gather(&group), 0);
    assert_true(ga_scope_cancelled(&scope));
    ga_group_close(&group);
    assert_int_equal(ga_scope_close(&scope), 0);
    assert_int_equal(ga_gather(&outer), 0);
    ga_group_close(&outer);
    return 0;
}

CASE(tasks_that_an_outer_scope_ended_are_not_taken_for_done)
{
    ga_scope scope, shield;
    ga_group group;

    (void)arg;
    ga_scope_open(&scope, 1);
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, set_event, &(struct meeting){0});
    ga_spawn(&group, sleep_a_second, NULL);
    ga_task *task = ga_spawn(&group, sleep_a_second, NULL);

    ga_task_cancel(task);
    ga_scope_cancel(&scope);
    ga_scope_open_shielded(&shield, 10);
    assert_int_equal(ga_gather(&group), GA_ECANCELED); /* the opener itself was not cancelled */
    assert_int_equal(ga_scope_close(&shield), GA_ECANCELED);
    ga_group_close(&group);
    assert_int_equal(ga_scope_close(&scope), 0);
    assert_int_equal(unread, 0);
    return 0;
}

/* --- errors --------------------------------------------------------------------------------------- */

static int return_a_number(void *arg)
{
    (void)arg;
    return -12345;
}

CASE(an_error_at_the_end_of_a_discarded_task_is_told_outside_tasks)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_DISCARD);
    ga_spawn(&group, return_a_number, NULL);
    assert_int_equal(ga_gather(&group), 0);
    assert_int_equal(unread, 1);
    ga_group_close(&group);
    assert_int_equal(ga_error()->code, GA_OK); /* nobody else's */
    return 0;
}

CASE(a_number_that_is_no_code_is_told_as_it_is)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_COLLECT);
    ga_task *task = ga_spawn(&group, return_a_number, NULL);

    assert_int_equal(ga_task_join(task), -12345);
    assert_non_null(strstr(ga_error_message(), "return_a_number returned -12345"));
    ga_group_close(&group);
    return 0;
}

/* --- scopes --------------------------------------------------------------------------------------- */

CASE(a_deadline_after_the_cancel_changes_nothing)
{
    ga_scope scope;

    (void)arg;
    ga_scope_open(&scope, 1);
    ga_scope_cancel(&scope);
    assert_int_equal(ga_sleep(5), GA_ECANCELED);
    ga__park(NULL, ga__now_exact() + UINT64_C(2000000000), GA__UNCANCELLABLE, "the deadline to pass");
    assert_int_equal(ga_scope_close(&scope), 0);
    return 0;
}

CASE(seconds_that_are_no_number_have_passed)
{
    ga_scope scope;

    (void)arg;
    ga_scope_open(&scope, (double)NAN);
    assert_int_equal(ga_sleep(5), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    assert_int_equal(ga_sleep((double)NAN), 0);
    return 0;
}

CASE(what_was_cancelled_is_still_said_after_the_scope)
{
    ga_scope outer, inner;

    (void)arg;
    ga_scope_open(&outer, 1);
    ga_scope_open(&inner, GA_FOREVER);
    assert_int_equal(ga_sleep(5), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&inner), GA_ECANCELED);
    assert_non_null(strstr(ga_error_message(), "in a sleep of 5 s"));
    assert_int_equal(ga_scope_close(&outer), GA_ETIMEDOUT);
    assert_non_null(strstr(ga_error_message(), "in a sleep of 5 s"));
    return 0;
}

static int wait_in_a_turn_that_is_over(void *arg)
{
    while (ga__current()->budget > 1)
        ga__checkpoint();
    return ga_event_wait(arg); /* lets others run before it waits */
}

CASE(a_cancel_before_the_wait_began_ends_it)
{
    ga_event never;
    ga_group group;

    (void)arg;
    ga_event_init(&never);
    ga_group_open(&group, GA_FAIL_FAST);
    ga_task *task = ga_spawn(&group, wait_in_a_turn_that_is_over, &never);

    ga_yield();
    assert_int_equal(task->state, GA__TASK_READY);
    ga_task_cancel(task);
    assert_int_equal(ga_task_join(task), GA_ECANCELED);
    ga_group_close(&group);
    return 0;
}

/* --- what a task keeps ---------------------------------------------------------------------------- */

static int change_errno(void *arg)
{
    (void)arg;
    errno = EDOM;
    ga_sleep(1);
    return errno == EDOM ? 0 : 1;
}

CASE(errno_is_kept_while_new_stacks_are_made)
{
    ga_group group;

    (void)arg;
    ga__loop_here->stacks.mapped_guards = false; /* has to find out anew what the kernel can */
    ga_group_open(&group, GA_FAIL_FAST);
    for (int i = 0; i < 300; i++)
        ga_spawn(&group, change_errno, NULL);
    errno = ERANGE;
    ga_yield();
    assert_int_equal(errno, ERANGE);
    assert_int_equal(ga_gather(&group), 0);
    assert_int_equal(errno, ERANGE);
    ga_group_close(&group);
    return 0;
}

/* --- a loop on a thread of a loop ----------------------------------------------------------------- */

static int fail_inside(void *arg)
{
    ga_sleep(0.001);
    return ga_fail(GA_EDNS, "%s", (const char *)arg);
}

static int run_on_a_thread(void *arg)
{
    return ga_run(fail_inside, arg);
}

static int run_beside(void *arg)
{
    int code = ga_to_thread(run_on_a_thread, arg);

    assert_string_equal(ga_error_message(), arg);
    return code;
}

static int run_many_beside(void *arg)
{
    static char names[4][8] = {"one", "two", "three", "four"};
    ga_task *tasks[4];
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 4; i++)
        tasks[i] = ga_spawn(&group, run_beside, names[i]);
    assert_int_equal(ga_gather(&group), 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(ga_task_error(tasks[i])->message, names[i]);
    ga_group_close(&group);
    assert_int_equal(ga__loop_here->external, 0);
    return 0;
}

static void count_quietly(const char *task, const char *where, const ga_error_detail *error)
{
    (void)task;
    (void)where;
    (void)error;
}

static void a_function_on_a_thread_may_run_a_loop(void **state)
{
    (void)state;
    ga_on_unread_error(count_quietly);
    assert_int_equal(ga_run(run_many_beside, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_joiner_has_its_answer_though_the_group_was_closed_meanwhile),
        cmocka_unit_test(joining_begins_before_others_run),
        cmocka_unit_test(what_is_discarded_cannot_be_joined),
        cmocka_unit_test(only_the_opener_gathers),
        cmocka_unit_test(tasks_may_start_more_while_their_group_is_gathered),
        cmocka_unit_test(tasks_may_start_more_while_their_group_closes),
        cmocka_unit_test(a_group_that_was_told_of_its_failure_starts_anew),
        cmocka_unit_test(the_scope_in_which_a_failure_is_told_goes_on),
        cmocka_unit_test(gathering_that_was_done_before_the_cancel_stays_done),
        cmocka_unit_test(tasks_that_an_outer_scope_ended_are_not_taken_for_done),
        cmocka_unit_test(an_error_at_the_end_of_a_discarded_task_is_told_outside_tasks),
        cmocka_unit_test(a_number_that_is_no_code_is_told_as_it_is),
        cmocka_unit_test(a_deadline_after_the_cancel_changes_nothing),
        cmocka_unit_test(seconds_that_are_no_number_have_passed),
        cmocka_unit_test(what_was_cancelled_is_still_said_after_the_scope),
        cmocka_unit_test(a_cancel_before_the_wait_began_ends_it),
        cmocka_unit_test(errno_is_kept_while_new_stacks_are_made),
        cmocka_unit_test(a_function_on_a_thread_may_run_a_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
