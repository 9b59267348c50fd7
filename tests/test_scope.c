/* SPDX-License-Identifier: MIT */
/* Scopes: deadlines, cancellation, shields, and which of two ends wins; on the virtual clock. */
#include "check.h"

#include "sim/sim.h"
#include "task/loop.h"
#include <gather/task.h>
#include <string.h>

static double started;

static int run(int (*fn)(void *arg))
{
    return ga__run_on(ga__sim_new(NULL), NULL, 0, fn, NULL);
}

/* Seconds since the case began. */
static double passed(void)
{
    return ga_now() - started;
}

#define CASE(name)                             \
    static int name##_body(void *arg);         \
    static void name(void **state)             \
    {                                          \
        (void)state;                           \
        assert_int_equal(run(name##_body), 0); \
    }                                          \
    static int name##_body(void *arg)

CASE(a_deadline_ends_what_waits)
{
    ga_scope scope;

    (void)arg;
    started = ga_now();
    ga_scope_open(&scope, 0.5);
    assert_int_equal(ga_sleep(2), GA_ECANCELED);
    assert_int_equal(ga_sleep(2), GA_ECANCELED); /* and what waits next, until the scope is closed */
    assert_int_equal(ga_yield(), GA_ECANCELED);
    assert_true(ga_scope_cancelled(NULL));
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, "scope");
    assert_non_null(strstr(ga_error_message(), "test_scope.c:"));
    assert_non_null(strstr(ga_error_message(), "0.5 s"));
    assert_true(passed() < 0.6);
    assert_int_equal(ga_sleep(1), 0);
    return 0;
}

/* Lets the loop look at its clock, without a call that could be cancelled. */
static void take_a_turn(void)
{
    ga__park(NULL, ga__now_exact() + 10000, GA__UNCANCELLABLE, "the clock");
}

CASE(success_in_time_stays_success)
{
    ga_scope scope;

    (void)arg;
    started = ga_now();
    ga_scope_open(&scope, 1);
    assert_int_equal(ga_sleep(0.5), 0);
    assert_int_equal(ga_scope_close(&scope), 0);

    /* The deadline passes while the task is ready to go on: nothing that waits is ended by it. */
    ga_scope_open(&scope, 1e-9);
    assert_int_equal(ga_yield(), 0);
    while (!ga_scope_cancelled(&scope))
        take_a_turn();
    assert_int_equal(ga_scope_close(&scope), 0);
    return 0;
}

CASE(its_own_cancel_is_no_error_after_the_scope)
{
    ga_scope scope;

    (void)arg;
    started = ga_now();
    ga_scope_open(&scope, GA_FOREVER);
    ga_scope_cancel(&scope);
    assert_int_equal(ga_sleep(1), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), 0);
    assert_int_equal(ga_sleep(1), 0);
    return 0;
}

CASE(the_outer_deadline_reaches_inner_scopes)
{
    ga_scope outer, inner;

    (void)arg;
    started = ga_now();
    ga_scope_open(&outer, 1);
    ga_scope_open(&inner, 100);
    assert_int_equal(ga_sleep(50), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&inner), GA_ECANCELED); /* not its own deadline */
    ga_scope_open(&inner, 100);                             /* opened in a cancelled scope */
    assert_int_equal(ga_sleep(50), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&inner), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&outer), GA_ETIMEDOUT);
    return 0;
}

CASE(the_inner_deadline_leaves_the_outer_alone)
{
    ga_scope outer, inner;

    (void)arg;
    started = ga_now();
    ga_scope_open(&outer, 100);
    ga_scope_open(&inner, 1);
    assert_int_equal(ga_sleep(50), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&inner), GA_ETIMEDOUT);
    assert_int_equal(ga_sleep(50), 0);
    assert_int_equal(ga_scope_close(&outer), 0);
    return 0;
}

CASE(a_shield_holds_until_its_own_deadline)
{
    ga_scope outer, shield;

    (void)arg;
    started = ga_now();
    ga_scope_open(&outer, 1);
    assert_int_equal(ga_sleep(50), GA_ECANCELED);
    ga_scope_open_shielded(&shield, 5);
    assert_int_equal(ga_sleep(3), 0); /* clean-up may wait */
    assert_int_equal(ga_sleep(3), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&shield), GA_ECANCELED); /* the outer one is cancelled, too */
    assert_int_equal(ga_scope_close(&outer), GA_ETIMEDOUT);
    return 0;
}

CASE(a_shield_opened_before_the_cancel_holds)
{
    ga_scope outer, shield;

    (void)arg;
    started = ga_now();
    ga_scope_open(&outer, 1);
    ga_scope_open_shielded(&shield, GA_FOREVER);
    assert_int_equal(ga_sleep(3), 0);
    assert_int_equal(ga_scope_close(&shield), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&outer), GA_ETIMEDOUT);
    return 0;
}

static int cancel_after(void *arg)
{
    ga_sleep(2);
    ga_scope_cancel(arg);
    return 0;
}

CASE(another_task_may_cancel_a_scope)
{
    ga_group group;
    ga_scope scope;

    (void)arg;
    started = ga_now();
    ga_group_open(&group, GA_FAIL_FAST);
    ga_scope_open(&scope, 100);
    ga_spawn(&group, cancel_after, &scope);
    assert_int_equal(ga_sleep(50), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), 0);
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    assert_true(passed() < 3);
    return 0;
}

CASE(a_deadline_of_zero_or_less_has_passed)
{
    ga_scope scope;

    (void)arg;
    started = ga_now();
    ga_scope_open(&scope, -1);
    assert_int_equal(ga_sleep(1), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    assert_true(passed() < 0.1);
    return 0;
}

static void outside_a_task_calls_fail_clearly(void **state)
{
    ga_scope scope;
    ga_group group;

    (void)state;
    assert_int_equal(ga_sleep(1), GA_ENOTASK);
    assert_non_null(strstr(ga_error_message(), "ga_run"));
    assert_int_equal(ga_yield(), GA_ENOTASK);
    ga_scope_open(&scope, 1);
    assert_int_equal(ga_scope_close(&scope), GA_ENOTASK);
    ga_group_open(&group, GA_COLLECT);
    assert_null(ga_spawn(&group, cancel_after, NULL));
    assert_int_equal(ga_gather(&group), GA_ENOTASK);
    ga_group_close(&group);
    assert_null(ga_task_name(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_ends_what_waits),
        cmocka_unit_test(success_in_time_stays_success),
        cmocka_unit_test(its_own_cancel_is_no_error_after_the_scope),
        cmocka_unit_test(the_outer_deadline_reaches_inner_scopes),
        cmocka_unit_test(the_inner_deadline_leaves_the_outer_alone),
        cmocka_unit_test(a_shield_holds_until_its_own_deadline),
        cmocka_unit_test(a_shield_opened_before_the_cancel_holds),
        cmocka_unit_test(another_task_may_cancel_a_scope),
        cmocka_unit_test(a_deadline_of_zero_or_less_has_passed),
        cmocka_unit_test(outside_a_task_calls_fail_clearly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
