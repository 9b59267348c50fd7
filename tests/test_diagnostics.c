/* SPDX-License-Identifier: MIT */
/* What the runtime says when a program goes wrong. Each case runs in a process of its own, whose stderr is
 * read. */
#include "check.h"

#include "task/loop.h"
#include <errno.h>
#include <gather/sync.h>
#include <gather/task.h>
#include <gather/thread.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char said[16384];

/* Runs fn in a child. What it writes to stderr is in `said` after. @return its wait status */
static int capture(int (*fn)(void))
{
    int ends[2], status;
    size_t size = 0;
    ssize_t count;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0, 0};

        for (int number = 1; number < 32; number++)
            if (number != SIGKILL && number != SIGSTOP)
                signal(number, SIG_DFL); /* cmocka's handlers would hide what happens */
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        alarm(60);
        _exit(fn());
    }
    close(ends[1]);
    while (size < sizeof said - 1 && (count = read(ends[0], said + size, sizeof said - 1 - size)) > 0)
        size += (size_t)count;
    said[size] = '\0';
    for (char more[4096]; read(ends[0], more, sizeof more) > 0;)
        ; /* without a reader, the child would end of that */
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void assert_said(const char *text)
{
    if (!strstr(said, text))
        fail_msg("expected \"%s\" in:\n%s", text, said);
}

static void assert_exit(int status, int code)
{
    if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
        fail_msg("expected exit %d, got wait status %x; said:\n%s", code, (unsigned)status, said);
}

/* --- deadlock ------------------------------------------------------------------------------------- */

static ga_event never;

static int wait_for_ever(void *arg)
{
    (void)arg;
    return ga_event_wait(&never);
}

static int deadlocked(void *arg)
{
    ga_group group;

    (void)arg;
    ga_event_init(&never);
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, wait_for_ever, NULL);
    int code = ga_gather(&group);
    ga_group_close(&group);
    return code;
}

static int run_deadlock(void)
{
    return ga_run(deadlocked, NULL) == GA_EDEADLK ? 0 : 1;
}

static void a_deadlock_is_told_with_the_task_tree(void **state)
{
    (void)state;
    assert_exit(capture(run_deadlock), 0);
    assert_said("deadlock");
    assert_said("main");
    assert_said("its group's tasks");
    assert_said("  wait_for_ever");
    assert_said("an event");
    assert_said("test_diagnostics.c:");
}

static int wait_behind_a_shield(void *arg)
{
    ga_scope scope;

    (void)arg;
    ga_event_init(&never);
    ga_scope_open_shielded(&scope, GA_FOREVER);
    int code = ga_event_wait(&never);

    ga_scope_close(&scope);
    return code;
}

static int run_shielded_deadlock(void)
{
    return ga_run(wait_behind_a_shield, NULL) == GA_EDEADLK ? 0 : 1;
}

static void a_shield_does_not_hold_in_a_deadlock(void **state)
{
    (void)state;
    assert_exit(capture(run_shielded_deadlock), 0);
    assert_said("main");
    assert_said("shielded (");
}

static int wait_again_and_again(void *arg)
{
    while (wait_behind_a_shield(arg) < 0)
        ;
    return 0;
}

static int run_endless_deadlock(void)
{
    return ga_run(wait_again_and_again, NULL);
}

static void a_deadlock_that_nothing_ends_stops_the_program(void **state)
{
    (void)state;
    int status = capture(run_endless_deadlock);

    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* --- a poller that fails -------------------------------------------------------------------------- */

static int close_all_descriptors(void *arg)
{
    (void)arg;
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    return ga_sleep(1000);
}

static int run_with_all_closed(void)
{
    return ga_run(close_all_descriptors, NULL) == GA_ESYSTEM && ga_error()->os_error == EBADF ? 0 : 1;
}

static void a_program_that_closes_the_loops_descriptors_is_told(void **state)
{
    (void)state;
    assert_exit(capture(run_with_all_closed), 0);
    assert_said("was the loop's epoll descriptor closed?");
}

/* --- leaks ---------------------------------------------------------------------------------------- */

static int leak_scope(void *arg)
{
    ga_scope scope;

    (void)arg;
    ga_scope_open(&scope, 5);
    return 0;
}

static int run_leaked_scope(void)
{
    return ga_run(leak_scope, NULL);
}

static void a_scope_left_open_is_named(void **state)
{
    (void)state;
    int status = capture(run_leaked_scope);

    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_said("task main returned while the scope or group that was opened at ");
    assert_said("test_diagnostics.c:");
}

static int helper_that_leaks(ga_group *group)
{
    ga_group_open(group, GA_COLLECT);
    return 0;
}

static int close_outer_first(void *arg)
{
    static ga_group outer, inner;

    (void)arg;
    ga_group_open(&outer, GA_COLLECT);
    helper_that_leaks(&inner);
    ga_group_close(&outer);
    return 0;
}

static int run_wrong_order(void)
{
    return ga_run(close_outer_first, NULL);
}

static void closing_out_of_order_is_named(void **state)
{
    (void)state;
    int status = capture(run_wrong_order);

    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_said("is still open; close what");
}

/* --- a task that holds the loop -------------------------------------------------------------------- */

GA_NOINLINE static int hold_the_loop(void *arg)
{
    double end = check_now() + 0.6;

    (void)arg;
    while (check_now() < end)
        ;
    return 0;
}

static int hold(void *arg)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_COLLECT);
    ga_spawn(&group, hold_the_loop, NULL);
    ga_gather(&group);
    ga_group_close(&group);
    return 0;
}

static int run_hold(void)
{
    return ga_run(hold, NULL);
}

static int run_hold_quietly(void)
{
    return ga_run_with(&(ga_run_options){.block_warning = -1}, hold, NULL);
}

static void a_task_that_holds_the_loop_is_named_with_its_backtrace(void **state)
{
    (void)state;
    assert_exit(capture(run_hold), 0);
    assert_said("task hold_the_loop has held its loop for over 100 ms");
    assert_said("ga_to_thread");
    assert_said("test_diagnostics");
    assert_exit(capture(run_hold_quietly), 0);
    assert_string_equal(said, "");
}

/* Goes on for a while although it is told to end, and counts in *arg how often the other task ran. */
static int ignore_the_cancel(void *arg)
{
    for (int i = 0; i < 20000; i++)
        ga_sleep(0.001);
    return *(int *)arg > 10 ? 0 : GA_EUSAGE;
}

static int count_turns(void *arg)
{
    for (int i = 0; i < 50; i++) {
        ++*(int *)arg;
        ga_yield();
    }
    return 0;
}

static int cancel_in_vain(void *arg)
{
    ga_group group;
    int turns = 0;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, count_turns, &turns);
    ga_task_cancel(ga_spawn(&group, ignore_the_cancel, &turns));
    int code = ga_gather(&group);

    ga_group_close(&group);
    return code;
}

static int run_in_vain(void)
{
    return ga_run(cancel_in_vain, NULL);
}

static void a_task_that_ignores_its_cancel_is_named_and_lets_others_run(void **state)
{
    (void)state;
    assert_exit(capture(run_in_vain), 0);
    assert_said("task ignore_the_cancel was cancelled and goes on");
}

static int sleep_half_a_second(void *arg)
{
    (void)arg;
    return ga_sleep(0.5);
}

static int run_idle(void)
{
    return ga_run(sleep_half_a_second, NULL);
}

static void an_idle_loop_is_not_reported(void **state)
{
    (void)state;
    assert_exit(capture(run_idle), 0);
    assert_string_equal(said, "");
}

/* --- the dump on a signal -------------------------------------------------------------------------- */

static int send_quit(void *arg)
{
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, sleep_half_a_second, NULL);
    ga_sleep(0.1);
    raise(SIGQUIT);
    ga_gather(&group);
    ga_group_close(&group);
    return 0;
}

static int run_dump(void)
{
    struct sigaction action;

    signal(SIGQUIT, SIG_IGN);
    int code = ga_run_with(&(ga_run_options){.dump_signal = SIGQUIT}, send_quit, NULL);

    sigaction(SIGQUIT, NULL, &action); /* what was there before is there again */
    return code == 0 && action.sa_handler == SIG_IGN ? 0 : 1;
}

static int run_impossible_dump(void)
{
    return ga_run_with(&(ga_run_options){.dump_signal = SIGKILL}, send_quit, NULL) == GA_EUSAGE &&
                   ga_run_with(&(ga_run_options){.dump_signal = 4711}, send_quit, NULL) == GA_EUSAGE
               ? 0
               : 1;
}

static void a_signal_prints_the_task_tree(void **state)
{
    (void)state;
    assert_exit(capture(run_dump), 0);
    assert_said("gather: 2 tasks\n");
    assert_said("  sleep_half_a_second");
    assert_said("waits for a sleep to end");
    assert_exit(capture(run_impossible_dump), 0);
}

/* --- fork ----------------------------------------------------------------------------------------- */

static int one(void *arg)
{
    (void)arg;
    return ga_sleep(0.01) == 0 ? 1 : GA_EUSAGE;
}

static int fork_in_task(void *arg)
{
    int status;
    pid_t child = fork();

    (void)arg;
    if (child == 0) {
        if (ga_sleep(0.01) != GA_EFORKED || ga_yield() != GA_EFORKED)
            _exit(1);
        if (ga_run(one, NULL) != 1) /* a loop of its own works */
            _exit(2);
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        return 1;
    return ga_sleep(0.01) == 0 ? 0 : 2;
}

static int run_fork(void)
{
    return ga_run_with(&(ga_run_options){.block_warning = -1}, fork_in_task, NULL);
}

static void a_forked_child_is_refused_the_parents_loop(void **state)
{
    (void)state;
    assert_exit(capture(run_fork), 0);
}

static pid_t parent;

/* Forks in a task that has others beside it. In the child it goes on as if nothing had happened. */
static int fork_beside_others(void *arg)
{
    ga_group group;
    int status;
    pid_t child = 0;

    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, sleep_half_a_second, NULL);
    if (ga_sleep(0.001) == 0) {
        child = fork();
        if (child == 0 && (ga_gather(&group) != GA_EFORKED || ga_spawn(&group, one, NULL)))
            _exit(1);
    }
    ga_group_close(&group); /* does not wait for tasks that never end here */
    if (child == 0)
        return 0;
    *(int *)arg = waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 99;
    return ga_sleep(0.05);
}

static int fork_deep(void *arg)
{
    ga_group group;

    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, fork_beside_others, arg);
    int code = ga_gather(&group);

    ga_group_close(&group);
    return code;
}

static int run_fork_from(int (*fn)(void *arg), int code_in_child)
{
    int status_of_child = 98;

    parent = getpid();
    int code = ga_run_with(&(ga_run_options){.block_warning = -1}, fn, &status_of_child);

    if (getpid() != parent)
        _exit(code == code_in_child ? 0 : 2);
    return code < 0 ? 97 : status_of_child;
}

static int run_fork_in_first(void)
{
    return run_fork_from(fork_beside_others, 0);
}

static int run_fork_in_second(void)
{
    return run_fork_from(fork_deep, GA_EFORKED);
}

static void a_forked_child_comes_back_from_ga_run(void **state)
{
    (void)state;
    /* ThreadSanitizer loses sight of who waits for whom in a forked child; valgrind finds that the records of
     * the parent's tasks are lost there, which they are. */
    if (GA__TSAN || (check_slowed() && !CHECK_SANITIZED))
        skip();
    assert_exit(capture(run_fork_in_first), 0);
    assert_exit(capture(run_fork_in_second), 0);
}

/* --- misuse --------------------------------------------------------------------------------------- */

static int run_inside(void *arg)
{
    (void)arg;
    return ga_run(one, NULL) == GA_EUSAGE ? 0 : 1;
}

static int run_nested(void)
{
    return ga_run(run_inside, NULL);
}

static void a_loop_inside_a_loop_is_refused(void **state)
{
    (void)state;
    assert_exit(capture(run_nested), 0);
    assert_said("this thread runs a loop already");
}

static int recurse(volatile char *below)
{
    volatile char here[1024];

    here[0] = below ? below[0] : 1;
    if (here[0] == 2)
        return 0;
    return recurse(here) + here[0];
}

static int overflow(void *arg)
{
    (void)arg;
    return recurse(NULL);
}

static int run_overflow(void)
{
    return ga_run(overflow, NULL);
}

static void an_overflowing_stack_meets_its_guard(void **state)
{
    (void)state;
    int status = capture(run_overflow);

    assert_true(CHECK_SANITIZED ? status != 0 : WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static int use_errno(void *arg)
{
    for (int i = 0; i < 100; i++) {
        errno = *(int *)arg;
        ga_yield();
        if (errno != *(int *)arg)
            return GA_EUSAGE;
    }
    return 0;
}

static int two_errnos(void *arg)
{
    ga_group group;
    int numbers[] = {EPERM, ENOENT};

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, use_errno, &numbers[0]);
    ga_spawn(&group, use_errno, &numbers[1]);
    int code = ga_gather(&group);
    ga_group_close(&group);
    return code;
}

static void errno_is_a_tasks_own(void **state)
{
    (void)state;
    assert_int_equal(ga_run(two_errnos, NULL), 0);
}

static void *loop_on_a_thread(void *arg)
{
    for (int i = 0; i < 20; i++)
        if (ga_run(two_errnos, NULL) < 0)
            *(int *)arg = 1;
    return NULL;
}

static void threads_run_loops_of_their_own(void **state)
{
    pthread_t threads[4];
    int failed[4] = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, loop_on_a_thread, &failed[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(failed[i], 0);
    }
}

static void no_descriptor_is_left(void **state)
{
    int before = check_open_descriptors();

    (void)state;
    assert_int_equal(ga_run(one, NULL), 1);
    assert_int_equal(check_open_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadlock_is_told_with_the_task_tree),
        cmocka_unit_test(a_shield_does_not_hold_in_a_deadlock),
        cmocka_unit_test(a_deadlock_that_nothing_ends_stops_the_program),
        cmocka_unit_test(a_program_that_closes_the_loops_descriptors_is_told),
        cmocka_unit_test(a_scope_left_open_is_named),
        cmocka_unit_test(closing_out_of_order_is_named),
        cmocka_unit_test(a_task_that_holds_the_loop_is_named_with_its_backtrace),
        cmocka_unit_test(a_task_that_ignores_its_cancel_is_named_and_lets_others_run),
        cmocka_unit_test(an_idle_loop_is_not_reported),
        cmocka_unit_test(a_signal_prints_the_task_tree),
        cmocka_unit_test(a_forked_child_is_refused_the_parents_loop),
        cmocka_unit_test(a_forked_child_comes_back_from_ga_run),
        cmocka_unit_test(a_loop_inside_a_loop_is_refused),
        cmocka_unit_test(an_overflowing_stack_meets_its_guard),
        cmocka_unit_test(errno_is_a_tasks_own),
        cmocka_unit_test(threads_run_loops_of_their_own),
        cmocka_unit_test(no_descriptor_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
