/* SPDX-License-Identifier: MIT */
/* What tests/gdb.sh looks at: two tasks that wait, and one that aborts. */
#include <gather/task.h>
#include <stdlib.h>

GA_NOINLINE static int wait_deep_down(double seconds)
{
    return ga_sleep(seconds) + (int)seconds;
}

static int child(void *arg)
{
    return wait_deep_down(*(double *)arg);
}

static int abort_beside_two(void *arg)
{
    ga_group group;
    double seconds = 1000;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, child, &seconds);
    ga_spawn(&group, child, &seconds);
    ga_yield();
    abort();
}

int main(void)
{
    return ga_run(abort_beside_two, NULL);
}
