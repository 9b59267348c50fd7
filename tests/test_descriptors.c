/* SPDX-License-Identifier: MIT */
/* The budget of descriptors, in a process that has few: running out is waited for and fails nothing. */
#include "loopback.h"

#include "io/descriptors.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { SOFT = 40, HARD = 64 };

static void the_soft_limit_is_raised_and_some_are_left(void **state)
{
    struct rlimit files;
    size_t limit = ga__descriptors_limit();

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    assert_int_equal(files.rlim_cur, HARD);
    assert_true(limit > 10 && limit <= HARD - 3 - HARD / 8);
    assert_int_equal(ga__descriptors_used(), 0);
}

CASE(beyond_the_budget_there_is_a_code_of_its_own)
{
    size_t limit = ga__descriptors_limit();
    ga__stream *streams = calloc(limit, sizeof *streams), one;
    ga__listener listener;

    assert_non_null(streams);
    listen_here(&listener);
    for (size_t i = 0; i < limit; i++) {
        ga__stream_init(&streams[i]);
        assert_int_equal(ga__connect(&streams[i], &listener.address, 1, NULL, GA__NEVER, NULL), 0);
    }
    assert_int_equal(ga__descriptors_used(), limit);
    ga__stream_init(&one);
    assert_int_equal(ga__connect(&one, &listener.address, 1, NULL, GA__NEVER, NULL), GA_EFDS);
    assert_non_null(strstr(ga_error_message(), "ulimit"));
    int fd = dup(0); /* the application still has some */

    assert_true(fd >= 0);
    close(fd);
    ga__stream_close(&streams[0]);
    assert_int_equal(ga__connect(&one, &listener.address, 1, NULL, GA__NEVER, NULL), 0);
    ga__stream_close(&one);
    for (size_t i = 1; i < limit; i++)
        ga__stream_close(&streams[i]);
    assert_int_equal(ga__descriptors_used(), 0);
    ga__listener_close(&listener);
    free(streams);
}

static char order[8];

static int wait_in_line(void *argument)
{
    int code = ga__descriptors_wait(GA__NEVER);

    strcat(order, argument);
    return code;
}

CASE(the_line_is_served_in_order)
{
    double began = check_now();
    ga_group group;

    ga_group_open(&group, GA_FAIL_FAST);
    for (int i = 0; i < 3; i++)
        ga_spawn(&group, wait_in_line, (void *)(uintptr_t)(i == 0 ? "a" : i == 1 ? "b" : "c"));
    ga_yield();
    for (int i = 0; i < 2; i++) {
        assert_true(ga__descriptors_take());
        ga__descriptors_give();
    }
    ga_yield();
    assert_string_equal(order, "ab"); /* one for each that was given back */
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    assert_string_equal(order, "abc"); /* the third looked again after a while */
    assert_true(check_now() - began > 0.09);
    assert_int_equal(ga__descriptors_wait(in_seconds(0.01)), GA_ETIMEDOUT);
}

static int accept_one(void *argument)
{
    ga__stream stream;

    ga__stream_init(&stream);
    int code = ga__listener_accept(argument, &stream, in_seconds(30));

    ga__stream_close(&stream);
    return code;
}

/* All descriptors of the process are taken, by the application: the system says EMFILE, not the budget. */
CASE(accepting_waits_for_descriptors)
{
    ga__listener listener;
    ga__stream client;
    ga_group group;
    int fds[HARD], count = 0;

    listen_here(&listener);
    ga__stream_init(&client);
    assert_int_equal(ga__connect(&client, &listener.address, 1, NULL, GA__NEVER, NULL), 0);
    while ((fds[count] = dup(0)) >= 0)
        count++;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_task *task = ga_spawn(&group, accept_one, &listener);
    clock_t used = clock();

    ga_sleep(0.15);
    assert_false(ga_task_done(task));
    assert_true(clock() - used < CLOCKS_PER_SEC / 20); /* it waits and does not spin */
    while (count > 0)
        close(fds[--count]);
    assert_int_equal(ga_task_join(task), 0);
    ga_group_close(&group);
    ga__stream_close(&client);
    ga__listener_close(&listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_soft_limit_is_raised_and_some_are_left),
        cmocka_unit_test(beyond_the_budget_there_is_a_code_of_its_own),
        cmocka_unit_test(the_line_is_served_in_order),
        cmocka_unit_test(accepting_waits_for_descriptors),
    };
    struct rlimit few = {.rlim_cur = SOFT, .rlim_max = HARD};

    if (setrlimit(RLIMIT_NOFILE, &few) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
