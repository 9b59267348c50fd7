/* SPDX-License-Identifier: MIT */
/* Loops, tasks, scopes and errors with each allocation failing in turn: GA_ENOMEM where the call could not be
 * done, the right code everywhere else, and nothing lost. */
#include "check.h"
#include "failmalloc.h"

#include "sim/sim.h"
#include "task/loop.h"
#include <gather/task.h>
#include <signal.h>
#include <string.h>

static void ignore_unread(const char *task, const char *where, const ga_error_detail *error)
{
    (void)task;
    (void)where;
    (void)error;
}

static int give_seven(void *arg)
{
    (void)arg;
    return 7;
}

/* Runs a loop with each allocation failing in turn. @return how often one failed */
static int run_each(const ga_run_options *options, int (*fn)(void *arg), int expected)
{
    int rounds = 0;

    for (int n = 1; failmalloc_again(n); n++) {
        int code = ga_run_with(options, fn, NULL);
        bool failed = failmalloc_stop();

        if (failed && code == GA_ENOMEM)
            assert_int_equal(ga_error()->code, GA_ENOMEM);
        else
            assert_int_equal(code, expected); /* it did without */
        rounds += failed;
    }
    return rounds;
}

static void a_loop_that_cannot_be_made(void **state)
{
    int before = check_open_descriptors();

    (void)state;
    assert_in_range(run_each(NULL, give_seven, 7), 5, 20);
    assert_in_range(run_each(&(ga_run_options){.dump_signal = SIGUSR1, .block_warning = 10}, give_seven, 7),
                    5, 20);
    assert_int_equal(check_open_descriptors(), before);
}

static int fail_plainly(void *arg)
{
    (void)arg;
    return ga_fail(GA_EDNS, "there is no %s", "name");
}

static void the_first_tasks_failure(void **state)
{
    (void)state;
    ga_error_clear();
    for (int n = 1; failmalloc_again(n); n++) {
        int code = ga__run_on(ga__sim_new(NULL), NULL, 0, fail_plainly, NULL);

        failmalloc_stop();
        assert_true(code == GA_EDNS || code == GA_ENOMEM);
        assert_int_equal(ga_error()->code, code);
        assert_non_null(ga_error_message());
    }
    assert_string_equal(ga_error_message(), "there is no name");
}

/* --- in a task ------------------------------------------------------------------------------------ */

static int sleep_then_fail(void *arg)
{
    (void)arg;
    if (ga_sleep(1) < 0)
        return GA_ECANCELED;
    ga_fail(GA_EDNS, "there is no name");
    ga__error_url("http://host/");
    return GA_EDNS;
}

static int sleep_long(void *arg)
{
    (void)arg;
    return ga_sleep(100);
}

/* Sleeps in a scope. Not to be failed: a sleep needs no memory. */
static int time_out(void *arg)
{
    ga_scope scope;

    (void)arg;
    ga_scope_open(&scope, 0.5);
    assert_int_equal(ga_sleep(100), GA_ECANCELED);
    assert_int_equal(ga_error()->code, GA_ECANCELED);
    int code = ga_scope_close(&scope);

    assert_int_equal(code, GA_ETIMEDOUT);
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    return 0;
}

static char *name_of(int number)
{
    return ga_sleep(number) < 0 ? NULL : strdup("name");
}
GA_TASK(char *, name_of, int);

/* Each kind of task beside the others. @return GA_ENOMEM where one could not be started */
static int flow(void)
{
    ga_group group;
    int code = 0;

    ga_group_open(&group, GA_COLLECT);
    ga_task *failing = ga_spawn(&group, sleep_then_fail, NULL);
    ga_task *slow = ga_spawn(&group, sleep_long, NULL);
    ga_task *timed = ga_spawn(&group, time_out, NULL);
    name_of_task *name = name_of_start(&group, 1);

    if (!failing || !slow || !timed || !name) {
        assert_int_equal(ga_error()->code, GA_ENOMEM);
        code = GA_ENOMEM;
    }
    ga_sleep(2);
    if (failing) {
        int joined = ga_task_join(failing);

        assert_true(joined == GA_EDNS || joined == GA_ENOMEM); /* or there was no stack to start on */
        assert_int_equal(ga_error()->code, joined);
        assert_int_equal(ga_task_error(failing)->code, joined);
        code = joined == GA_ENOMEM ? joined : code;
    }
    if (timed)
        assert_true(ga_task_join(timed) == 0 || ga_error()->code == GA_ENOMEM);
    ga_task_cancel(slow);
    int failures = ga_gather(&group);

    assert_in_range(failures, 0, 3);
    if (name)
        free(name->result);
    ga_group_close(&group);
    return code;
}

static int run_flow(void *arg)
{
    (void)arg;
    int code = flow();

    assert_int_equal(ga__loop_here->task_count, 1);
    assert_int_equal(ga__loop_here->timers.count, 0);
    assert_int_equal(ga__loop_here->stacks.in_use, 1);
    return code;
}

static void tasks_scopes_and_their_errors(void **state)
{
    int n;

    (void)state;
    for (n = 1; failmalloc_again(n); n++) {
        int code = ga__run_on(ga__sim_new(NULL), NULL, 0, run_flow, NULL);

        if (!failmalloc_stop())
            assert_int_equal(code, 0);
        else
            assert_true(code == 0 || code == GA_ENOMEM);
    }
    assert_true(n > 10);
}

static int fail_fast(void *arg)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    bool started = ga_spawn(&group, sleep_then_fail, NULL) && ga_spawn(&group, sleep_long, NULL);

    if (!started)
        ga_group_cancel(&group);
    int code = ga_gather(&group);

    if (started)
        assert_int_equal(ga_error()->code, code);
    ga_group_close(&group);
    return started ? code : GA_ENOMEM;
}

static void a_failure_that_cancels_the_others(void **state)
{
    (void)state;
    for (int n = 1; failmalloc_again(n); n++) {
        int code = ga__run_on(ga__sim_new(NULL), NULL, 0, fail_fast, NULL);

        failmalloc_stop();
        assert_true(code == GA_EDNS || code == GA_ENOMEM);
    }
}

static int failures_apart(void *arg)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_COLLECT);
    ga_task *task = ga_spawn(&group, fail_plainly, NULL);

    assert_true(failmalloc_again(1)); /* the task's record of its failure */
    ga_yield();
    assert_true(failmalloc_stop());
    assert_int_equal(ga_error()->code, GA_OK); /* it is the other task's */
    assert_int_equal(ga_task_error(task)->code, GA_EDNS);
    assert_non_null(strstr(ga_task_error(task)->message, "no memory"));
    assert_int_equal(ga_task_join(task), GA_EDNS);
    assert_int_equal(ga_error()->code, GA_EDNS);
    ga_error_clear();
    assert_int_equal(ga_error()->code, GA_OK);
    ga_group_close(&group);
    return 0;
}

static void a_failure_without_a_record_is_still_its_tasks_own(void **state)
{
    (void)state;
    assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, 0, failures_apart, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_that_cannot_be_made),
        cmocka_unit_test(the_first_tasks_failure),
        cmocka_unit_test(tasks_scopes_and_their_errors),
        cmocka_unit_test(a_failure_that_cancels_the_others),
        cmocka_unit_test(a_failure_without_a_record_is_still_its_tasks_own),
    };

    ga_on_unread_error(ignore_unread);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
