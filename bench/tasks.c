/* SPDX-License-Identifier: MIT */
/*
 * tasks [--million]
 *
 * What tasks cost, in nanoseconds each: a switch, start and join, a channel message, a timer armed and
 * disarmed. With
 * --million: a million tasks asleep at once, and the memory that takes. Prints one line of JSON.
 */
#include "usage.h"

#include "task/loop.h"
#include <gather.h>
#include <string.h>

enum {
    ROUNDS = 5,
    SWITCHES = 2000000,
    STARTS = 1000000,
    AT_ONCE = 1000,
    MESSAGES = 1000000,
    TIMERS = 5000000,
    MILLION = 1000000
};

static int yield_often(void *arg)
{
    for (int i = 0; i < SWITCHES / 2; i++)
        if (ga_yield() < 0)
            return GA_ECANCELED;
    (void)arg;
    return 0;
}

static void switches(void)
{
    ga_group group;

    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, yield_often, NULL);
    ga_spawn(&group, yield_often, NULL);
    ga_gather(&group);
    ga_group_close(&group);
}

static int nothing(int argument)
{
    return argument;
}
GA_TASK(int, nothing, int);

static void starts(void)
{
    for (int i = 0; i < STARTS; i += AT_ONCE) {
        ga_group group;

        ga_group_open(&group, GA_FAIL_FAST);
        for (int j = 0; j < AT_ONCE; j++)
            nothing_start(&group, j);
        ga_gather(&group);
        ga_group_close(&group);
    }
}

static int send_numbers(void *channel)
{
    for (int i = 0; i < MESSAGES; i++)
        if (ga_channel_send(channel, &i) < 0)
            return ga_error()->code;
    ga_channel_close(channel);
    return 0;
}

static void messages(void)
{
    ga_channel *channel = ga_channel_new(sizeof(int), 0);
    ga_group group;
    int number;

    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, send_numbers, channel);
    while (ga_channel_receive(channel, &number) == 0)
        ;
    ga_gather(&group);
    ga_group_close(&group);
    ga_channel_free(channel);
}

static void never(ga_timer_ *timer)
{
    (void)timer;
    abort();
}

static void timers(void)
{
    ga_timer_ timer = {.fire = never};

    for (int i = 0; i < TIMERS; i++) {
        ga__timer_arm(&timer, ga__now() + 300000000000);
        ga__timer_disarm(&timer);
    }
}

/* The quickest of some rounds: the others were disturbed. */
static double best(void (*work)(void), long count)
{
    double quickest = 1e9;

    for (int i = 0; i < ROUNDS; i++) {
        double start = bench_now();

        work();
        double took = bench_now() - start;

        quickest = took < quickest ? took : quickest;
    }
    return quickest / (double)count * 1e9;
}

static int sleep_together(void *arg)
{
    double *until = arg;

    return ga_sleep(*until - ga_now());
}

static int million(void *arg)
{
    ga_group group;
    double start = bench_now(), until = ga_now() + 30;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    for (int i = 0; i < MILLION; i++)
        if (!ga_spawn(&group, sleep_together, &until))
            return ga_error()->code;
    ga_yield();
    double started = bench_now() - start;
    struct rusage used;

    getrusage(RUSAGE_SELF, &used); /* while all are asleep */
    ga_group_cancel(&group);       /* they need not sleep it out */
    double wake = bench_now();
    ga_gather(&group);
    ga_group_close(&group);
    printf("{\"tasks\": %d, \"us_each\": %.2f, \"max_rss_kb\": %ld}\n", MILLION,
           (started + bench_now() - wake) / MILLION * 1e6, used.ru_maxrss);
    return 0;
}

static int costs(void *arg)
{
    (void)arg;
    printf("{\"switch_ns\": %.1f, \"start_join_ns\": %.1f, \"channel_ns\": %.1f, \"timer_ns\": %.1f}\n",
           best(switches, SWITCHES), best(starts, STARTS), best(messages, MESSAGES), best(timers, TIMERS));
    return 0;
}

int main(int argc, char **argv)
{
    const ga_run_options quiet = {.block_warning = -1};

    if (argc > 1 && strcmp(argv[1], "--million") == 0)
        return ga_run_with(&quiet, million, NULL) < 0;
    return ga_run_with(&quiet, costs, NULL) < 0;
}
