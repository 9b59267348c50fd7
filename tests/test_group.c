/* SPDX-License-Identifier: MIT */
/* Groups and tasks: order, results, failures, joining, cancellation; on the virtual clock. */
#include "check.h"

#include "sim/sim.h"
#include "task/loop.h"
#include <gather/task.h>
#include <stdlib.h>
#include <string.h>

static char trail[256];
static int unread;
static char unread_task[64], unread_message[256];

static void note(const char *what)
{
    strncat(trail, what, sizeof trail - strlen(trail) - 1);
}

static void count_unread(const char *task, const char *where, const ga_error_detail *error)
{
    assert_true(where == NULL || strstr(where, "test_group.c:") != NULL);
    snprintf(unread_task, sizeof unread_task, "%s", task);
    snprintf(unread_message, sizeof unread_message, "%s", error->message);
    unread++;
}

/* Runs fn as the first task of a loop with a virtual clock. */
static int run(int (*fn)(void *arg))
{
    trail[0] = '\0';
    unread = 0;
    ga_on_unread_error(count_unread);
    return ga__run_on(ga__sim_new(NULL), NULL, 0, fn, NULL);
}

/* --- the tasks ------------------------------------------------------------------------------------ */

static int step(void *arg)
{
    note(arg);
    if (ga_sleep(1) < 0)
        return GA_ECANCELED;
    note(arg);
    return 0;
}

static int fail_after_a_second(void *arg)
{
    (void)arg;
    if (ga_sleep(1) < 0)
        return GA_ECANCELED;
    return ga_fail(GA_EUSAGE, "it went wrong");
}

static int sleep_long(void *arg)
{
    int code = ga_sleep(1000);

    note(code == GA_ECANCELED ? "c" : "!");
    if (arg)
        note(arg);
    return code;
}

static char *name_of(int number, const char *prefix)
{
    if (ga_sleep(10 - number) < 0)
        return NULL;
    return number == 5 ? (ga_fail(GA_EDNS, "no five"), NULL) : ga_format("%s%d", prefix, number);
}
GA_TASK(char *, name_of, int, const char *);

struct sum {
    long total;
    double mean;
};

static struct sum six(int a, short b, long c, double d, const int *e, char f)
{
    return (struct sum){.total = a + b + c + *e + f, .mean = d};
}
GA_TASK(struct sum, six, int, short, long, double, const int *, char);

static int none(void)
{
    return 3;
}
GA_TASK(int, none);

/* --- the tests ------------------------------------------------------------------------------------ */

static int tasks_run_in_turn(void *arg)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, step, "a");
    ga_spawn(&group, step, "b");
    assert_string_equal(trail, ""); /* they start when their starter waits */
    assert_int_equal(ga_group_running(&group), 2);
    assert_int_equal(ga_gather(&group), 0);
    assert_int_equal(ga_group_running(&group), 0);
    ga_group_close(&group);
    assert_string_equal(trail, "abab");
    return 7;
}

static void concurrent_tasks_take_turns(void **state)
{
    (void)state;
    assert_int_equal(run(tasks_run_in_turn), 7);
}

static int typed(void *arg)
{
    ga_group group;
    name_of_task *names[8];
    int four = 4;
    double start = ga_now();

    (void)arg;
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 8; i++)
        names[i] = name_of_start(&group, i, "n");
    six_task *sums = six_start(&group, 1, 2, 3, 0.5, &four, 5);
    none_task *nothing = none_start(&group);

    assert_int_equal(ga_gather(&group), 1);
    assert_true(ga_now() - start < 10.1); /* the longest of them, not the sum */
    for (int i = 0; i < 8; i++) {
        char expected[8];

        snprintf(expected, sizeof expected, "n%d", i);
        if (i == 5)
            assert_null(names[i]->result);
        else
            assert_string_equal(names[i]->result, expected);
        free(names[i]->result);
    }
    assert_int_equal(ga_task_error(names[5]->task)->code, GA_EDNS);
    assert_string_equal(ga_task_error(names[5]->task)->message, "no five");
    assert_int_equal(ga_task_error(names[4]->task)->code, GA_OK);
    assert_string_equal(ga_task_name(names[4]->task), "name_of");
    assert_int_equal(sums->result.total, 15);
    assert_true(sums->result.mean == 0.5);
    assert_int_equal(nothing->result, 3);
    ga_group_close(&group);
    return 0;
}

static void typed_tasks_have_results_and_errors(void **state)
{
    (void)state;
    assert_int_equal(run(typed), 0);
    assert_int_equal(unread, 0);
}

static int fail_fast(void *arg)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, sleep_long, "1");
    ga_spawn(&group, fail_after_a_second, NULL);
    ga_spawn(&group, sleep_long, "2");
    assert_int_equal(ga_gather(&group), GA_EUSAGE);
    assert_string_equal(ga_error_message(), "it went wrong");
    assert_string_equal(trail, "c1c2");
    assert_int_equal(ga_sleep(1), 0); /* the failure is told; the function goes on */
    ga_group_close(&group);
    return 0;
}

static void the_first_failure_cancels_the_others(void **state)
{
    (void)state;
    assert_int_equal(run(fail_fast), 0);
    assert_int_equal(unread, 0);
}

static int fail_fast_in_the_body(void *arg)
{
    ga_group group;
    double start = ga_now();

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, fail_after_a_second, NULL);
    assert_int_equal(ga_sleep(100), GA_ECANCELED);
    assert_true(ga_now() - start < 2);
    assert_int_equal(ga_gather(&group), GA_EUSAGE);
    ga_group_close(&group);
    return 0;
}

static void a_failure_ends_what_the_opener_waits_for(void **state)
{
    (void)state;
    assert_int_equal(run(fail_fast_in_the_body), 0);
}

static int leave_unread(void *arg)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_COLLECT);
    ga_spawn(&group, fail_after_a_second, NULL);
    assert_int_equal(ga_gather(&group), 1);
    ga_group_close(&group);
    return 0;
}

static void an_error_that_nobody_reads_is_reported(void **state)
{
    (void)state;
    assert_int_equal(run(leave_unread), 0);
    assert_int_equal(unread, 1);
    assert_string_equal(unread_task, "fail_after_a_second");
    assert_string_equal(unread_message, "it went wrong");
}

static int two_failures(void *arg)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, fail_after_a_second, NULL);
    ga_spawn(&group, fail_after_a_second, NULL);
    assert_int_equal(ga_gather(&group), GA_EUSAGE);
    ga_group_close(&group);
    return 0;
}

static void second_failures_are_reported(void **state)
{
    (void)state;
    assert_int_equal(run(two_failures), 0);
    assert_int_equal(unread, 1);
}

static int close_cancels(void *arg)
{
    ga_group group;
    double start = ga_now();

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, sleep_long, NULL);
    ga_spawn(&group, sleep_long, NULL);
    ga_sleep(1);
    ga_group_close(&group);
    assert_string_equal(trail, "cc");
    assert_true(ga_now() - start < 2);
    ga_group_close(&group); /* harmless */
    return 0;
}

static void closing_cancels_and_joins(void **state)
{
    (void)state;
    assert_int_equal(run(close_cancels), 0);
    assert_int_equal(unread, 0);
}

static int nested(void *arg)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, sleep_long, "i");
    int code = ga_gather(&group);
    ga_group_close(&group);
    return code;
}

static int cancel_a_tree(void *arg)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_task *outer = ga_spawn(&group, nested, NULL);
    ga_spawn(&group, step, "s");

    ga_sleep(0.5);
    ga_task_cancel(outer);
    assert_false(ga_task_done(outer));
    assert_int_equal(ga_task_join(outer), GA_ECANCELED);
    assert_true(ga_task_done(outer));
    assert_string_equal(trail, "sci");
    assert_int_equal(ga_gather(&group), 0);
    assert_string_equal(trail, "scis");
    ga_group_close(&group);
    return 0;
}

static void cancelling_a_task_cancels_what_it_started(void **state)
{
    (void)state;
    assert_int_equal(run(cancel_a_tree), 0);
    assert_int_equal(unread, 0);
}

static int timeout_around_gather(void *arg)
{
    ga_group group;
    double start = ga_now();
    ga_scope scope;

    (void)arg;
    ga_group_open(&group, GA_COLLECT);
    ga_spawn(&group, sleep_long, NULL);
    ga_scope_open(&scope, 2);
    assert_int_equal(ga_gather(&group), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    assert_int_equal(ga_group_running(&group), 0);
    ga_group_close(&group);
    assert_true(ga_now() - start < 3);
    return 0;
}

static void a_deadline_around_gather_cancels_the_tasks(void **state)
{
    (void)state;
    assert_int_equal(run(timeout_around_gather), 0);
}

static int start_in_cancelled(void *arg)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_group_cancel(&group);
    ga_spawn(&group, sleep_long, "x"); /* runs, and is told at its first wait */
    assert_int_equal(ga_gather(&group), 0);
    assert_string_equal(trail, "cx");
    ga_group_close(&group);
    return 0;
}

static void a_task_started_in_a_cancelled_group_still_runs(void **state)
{
    (void)state;
    assert_int_equal(run(start_in_cancelled), 0);
}

static int discard(void *arg)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_DISCARD);
    for (int i = 0; i < 1000; i++) {
        ga_spawn(&group, i % 100 ? step : fail_after_a_second, "");
        if (i % 10 == 0)
            ga_sleep(2);
    }
    ga_gather(&group);
    assert_true(ga__list_empty(&group.tasks_));
    ga_group_close(&group);
    return 0;
}

static void discarded_tasks_go_when_they_end(void **state)
{
    (void)state;
    assert_int_equal(run(discard), 0);
    assert_int_equal(unread, 10);
}

static int join_failures(void *arg)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_COLLECT);
    ga_task *failing = ga_spawn(&group, fail_after_a_second, NULL);

    assert_int_equal(ga_task_join(failing), GA_EUSAGE);
    assert_string_equal(ga_error_message(), "it went wrong");
    assert_int_equal(ga_task_join(failing), GA_EUSAGE);
    ga_group_close(&group);
    return 0;
}

static void joining_reads_the_error(void **state)
{
    (void)state;
    assert_int_equal(run(join_failures), 0);
    assert_int_equal(unread, 0);
}

static int fail_at_once(void *arg)
{
    (void)arg;
    return ga_fail(GA_EDNS, "nothing works");
}

static void the_first_tasks_failure_is_ga_runs(void **state)
{
    (void)state;
    assert_int_equal(run(fail_at_once), GA_EDNS);
    assert_int_equal(unread, 1);
    assert_string_equal(ga_error_message(), "nothing works");
}

static int spin(void *arg)
{
    long *count = arg;

    for (int i = 0; i < 100000; i++) {
        if (ga__checkpoint() < 0)
            return GA_ECANCELED;
        ++*count;
    }
    return 0;
}

static int starve(void *arg)
{
    ga_group group;
    long count = 0;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, spin, &count);
    ga_yield();
    assert_true(count > 0 && count < 1000);
    ga_gather(&group);
    assert_int_equal(count, 100000);
    ga_group_close(&group);
    return 0;
}

static void a_task_that_never_waits_lets_others_run(void **state)
{
    (void)state;
    assert_int_equal(run(starve), 0);
}

static int many(void *arg)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    for (int i = 0; i < (check_slowed() ? 2000 : 50000); i++)
        assert_non_null(ga_spawn(&group, step, ""));
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    assert_true(ga__loop_here->stacks.in_use == 1);
    return 0;
}

static void many_tasks_sleep_at_once(void **state)
{
    (void)state;
    assert_int_equal(run(many), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(concurrent_tasks_take_turns),
        cmocka_unit_test(typed_tasks_have_results_and_errors),
        cmocka_unit_test(the_first_failure_cancels_the_others),
        cmocka_unit_test(a_failure_ends_what_the_opener_waits_for),
        cmocka_unit_test(an_error_that_nobody_reads_is_reported),
        cmocka_unit_test(second_failures_are_reported),
        cmocka_unit_test(closing_cancels_and_joins),
        cmocka_unit_test(cancelling_a_task_cancels_what_it_started),
        cmocka_unit_test(a_deadline_around_gather_cancels_the_tasks),
        cmocka_unit_test(a_task_started_in_a_cancelled_group_still_runs),
        cmocka_unit_test(discarded_tasks_go_when_they_end),
        cmocka_unit_test(joining_reads_the_error),
        cmocka_unit_test(the_first_tasks_failure_is_ga_runs),
        cmocka_unit_test(a_task_that_never_waits_lets_others_run),
        cmocka_unit_test(many_tasks_sleep_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
