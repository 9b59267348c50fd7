/* SPDX-License-Identifier: MIT */
/* The map: which results come when, how many inputs are under way, and that every input that was pulled ends
 * in exactly one place, however the map ends. On the simulated loop. */
#include "check.h"

#include "sim/sim.h"
#include "task/loop.h"
#include <gather/map.h>
#include <gather/sync.h>
#include <stdio.h>
#include <string.h>

static void simulate(int (*fn)(void *arg), void *arg)
{
    assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, 0, fn, arg), 0);
}

/* What the function and the sources below count. */
struct work {
    int running, most;
    int pulled, last;
    int results, discarded; /* results made, and given to discard */
    size_t most_tasks;
    int fails_at; /* the input that fails, or 0 */
};

/* Sleeps as many milliseconds as the input says; the result is a copy of the number on the heap. */
static int sleep_for(void *context, const void *input, void *result)
{
    struct work *work = context;
    int number = *(const int *)input;
    int *copy;

    work->running++;
    if (work->running > work->most)
        work->most = work->running;
    if (ga__loop_here->task_count > work->most_tasks)
        work->most_tasks = ga__loop_here->task_count;
    int code = ga_sleep(number / 1000.0);

    work->running--;
    if (code < 0)
        return code;
    if (number == work->fails_at)
        return ga_fail(GA_EDNS, "number %d fails", number);
    copy = test_malloc(sizeof *copy);
    *copy = number;
    memcpy(result, &copy, sizeof copy);
    work->results++;
    return number;
}

static int *result_of(const ga_map_item *item)
{
    int *result;

    memcpy(&result, item->result, sizeof result);
    return result;
}

static void take(struct work *work, ga_map_item *item)
{
    if (item->code < 0)
        return;
    assert_int_equal(*result_of(item), *(int *)item->input);
    assert_int_equal(item->code, *(int *)item->input);
    assert_null(item->error);
    test_free(result_of(item));
    work->results--;
}

static void discard(void *context, ga_map_item *item)
{
    struct work *work = context;

    work->discarded++;
    take(work, item);
    if (item->code < 0)
        assert_null(result_of(item));
}

/* The numbers from 1 to `last`. */
static int count_up(void *source, void *input)
{
    struct work *work = source;

    *(int *)input = work->pulled + 1;
    if (work->pulled == work->last)
        return 0;
    work->pulled++;
    return 1;
}

static const int durations[] = {50, 10, 40, 20, 30};
enum { DURATIONS = sizeof durations / sizeof *durations };

#define WORK_OPTIONS \
    .context = &work, .input_size = sizeof(int), .result_size = sizeof(int *), .discard = discard

static int in_input_order(void *arg)
{
    struct work work = {0};
    double begin = ga_now();
    ga_map map;
    ga_map_item *item;
    size_t next = 0;

    (void)arg;
    ga_map_open(&map, sleep_for, .inputs = durations, .count = DURATIONS, WORK_OPTIONS);
    while ((item = ga_map_next(&map))) {
        assert_int_equal(item->index, next);
        assert_int_equal(*(int *)item->input, durations[next++]);
        take(&work, item);
    }
    assert_int_equal(next, DURATIONS);
    assert_null(ga_map_next(&map));
    assert_int_equal(ga_map_close(&map), 0);
    assert_int_equal(ga_map_close(&map), 0);
    assert_null(ga_map_next(&map));
    assert_true(ga_now() - begin < 0.051);
    assert_int_equal(work.most, DURATIONS);
    assert_int_equal(work.results, 0);
    assert_int_equal(work.discarded, 0);
    return 0;
}

static void results_come_in_the_order_of_the_inputs(void **state)
{
    (void)state;
    simulate(in_input_order, NULL);
}

static int in_completion_order(void *arg)
{
    static const size_t order[] = {1, 3, 4, 2, 0};
    struct work work = {0};
    ga_map map;
    ga_map_item *item;
    size_t next = 0;

    (void)arg;
    ga_map_open(&map, sleep_for, .inputs = durations, .count = DURATIONS, .as_completed = 1, WORK_OPTIONS);
    while ((item = ga_map_next(&map))) {
        assert_int_equal(item->index, order[next++]);
        take(&work, item);
    }
    assert_int_equal(next, DURATIONS);
    assert_int_equal(ga_map_close(&map), 0);
    return 0;
}

static void or_as_they_are_ready(void **state)
{
    (void)state;
    simulate(in_completion_order, NULL);
}

/* Twice as many slots as workers: a slow input at the head does not hold the others up at once. */
static int within_the_limit(void *arg)
{
    struct work work = {.last = 100};
    double begin = ga_now();
    ga_map map;
    ga_map_item *item;
    int taken = 0;

    ga_map_open(&map, sleep_for, .limit = 4, .next = count_up, .source = &work,
                .as_completed = *(const int *)arg, WORK_OPTIONS);
    assert_int_equal(work.pulled, 0);
    while ((item = ga_map_next(&map))) {
        taken++;
        take(&work, item);
        assert_true(work.pulled <= taken + 8);
    }
    assert_int_equal(taken, 100);
    assert_int_equal(ga_map_close(&map), 0);
    assert_int_equal(work.most, 4);
    assert_int_equal(work.most_tasks, 5);
    /* 5050 ms of work by four. */
    assert_true(ga_now() - begin > 1.2 && ga_now() - begin < 1.4);
    return 0;
}

static void never_more_than_the_limit_at_once(void **state)
{
    (void)state;
    simulate(within_the_limit, &(int){0});
    simulate(within_the_limit, &(int){1});
}

static int slow_consumer(void *arg)
{
    struct work work = {.last = 1000};
    ga_map map;
    ga_map_item *item;

    (void)arg;
    ga_map_open(&map, sleep_for, .limit = 3, .next = count_up, .source = &work, WORK_OPTIONS);
    item = ga_map_next(&map);
    take(&work, item);
    ga_sleep(10); /* what was not taken holds the source back */
    assert_int_equal(work.pulled, 6);
    assert_int_equal(work.running, 0);
    item = ga_map_next(&map);
    take(&work, item);
    ga_sleep(10);
    assert_int_equal(work.pulled, 7);
    assert_int_equal(ga_map_close(&map), 0);
    assert_int_equal(work.discarded, 5);
    assert_int_equal(work.results, 0);
    return 0;
}

static void what_is_not_taken_holds_the_source_back(void **state)
{
    (void)state;
    simulate(slow_consumer, NULL);
}

static int square(void *context, const void *input, void *result)
{
    struct work *work = context;
    int number = *(const int *)input;

    if (ga__loop_here->task_count > work->most_tasks)
        work->most_tasks = ga__loop_here->task_count;
    *(long *)result = (long)number * number;
    return 0;
}

static int a_million(void *arg)
{
    struct work work = {.last = check_slowed() ? 30000 : 1000000};
    ga_map map;
    ga_map_item *item;
    long expected = 0;

    (void)arg;
    ga_map_open(&map, square, .context = &work, .next = count_up, .source = &work, .input_size = sizeof(int),
                .result_size = sizeof(long));
    while ((item = ga_map_next(&map))) {
        expected++;
        assert_true(*(long *)item->result == expected * expected);
    }
    assert_int_equal(expected, work.last);
    assert_true(work.most_tasks <= 3); /* a function that never waits needs no more than two workers */
    return ga_map_close(&map);
}

static void a_million_inputs_are_no_million_tasks(void **state)
{
    (void)state;
    simulate(a_million, NULL);
}

static int collect(void *arg)
{
    struct work work = {.last = 20, .fails_at = 7};
    ga_map map;
    ga_map_item *item;
    int taken = 0, failed = 0;

    (void)arg;
    ga_map_open(&map, sleep_for, .limit = 5, .next = count_up, .source = &work, WORK_OPTIONS);
    while ((item = ga_map_next(&map))) {
        taken++;
        take(&work, item);
        if (item->code >= 0)
            continue;
        failed++;
        assert_int_equal(item->index, 6);
        assert_int_equal(item->code, GA_EDNS);
        assert_int_equal(item->error->code, GA_EDNS);
        assert_string_equal(item->error->message, "number 7 fails");
        assert_null(result_of(item));
    }
    assert_int_equal(taken, 20);
    assert_int_equal(failed, 1);
    assert_int_equal(ga_map_close(&map), 0);
    return 0;
}

static void a_failure_is_told_in_its_item(void **state)
{
    (void)state;
    simulate(collect, NULL);
}

static int silent_failure(void *context, const void *input, void *result)
{
    (void)context;
    (void)result;
    if (*(const int *)input == 1)
        return ga_fail(GA_EJSON, "an error of its own");
    return *(const int *)input == 2 ? GA_EJSON : GA_EDNS;
}

static int without_a_record(void *arg)
{
    ga_map map;
    ga_map_item *item;

    (void)arg;
    ga_map_open(&map, silent_failure, .limit = 1, .inputs = (int[]){1, 2, 3}, .count = 3,
                .input_size = sizeof(int));
    item = ga_map_next(&map);
    assert_string_equal(item->error->message, "an error of its own");
    item = ga_map_next(&map);
    assert_int_equal(item->error->code, GA_EJSON);
    assert_non_null(
        strstr(item->error->message, "silent_failure")); /* not what failed before in the same task */
    item = ga_map_next(&map);
    assert_int_equal(item->error->code, GA_EDNS);
    assert_null(ga_map_next(&map));
    return ga_map_close(&map);
}

static void a_failure_without_a_record_gets_one(void **state)
{
    (void)state;
    simulate(without_a_record, NULL);
}

static int fail_fast(void *arg)
{
    struct work work = {.last = 100, .fails_at = 30};
    double begin = ga_now();
    ga_map map;
    ga_map_item *item;

    ga_map_open(&map, sleep_for, .limit = 50, .next = count_up, .source = &work, .fail_fast = 1,
                .as_completed = *(const int *)arg, WORK_OPTIONS);
    while ((item = ga_map_next(&map)))
        take(&work, item);
    assert_null(ga_map_next(&map));
    assert_int_equal(ga_map_close(&map), GA_EDNS);
    assert_string_equal(ga_error_message(), "number 30 fails");
    assert_int_equal(ga_error()->code, GA_EDNS);
    assert_int_equal(work.running, 0);
    assert_int_equal(work.results, 0);
    assert_true(work.pulled < 100);
    assert_true(ga_now() - begin < 0.031);
    assert_int_equal(ga_sleep(0.001), 0); /* the caller itself is not cancelled */
    return 0;
}

static void with_fail_fast_the_first_failure_ends_the_map(void **state)
{
    (void)state;
    simulate(fail_fast, &(int){0});
    simulate(fail_fast, &(int){1});
}

static int busy_elsewhere(void *arg)
{
    struct work work = {.last = 100, .fails_at = 30};
    double begin = ga_now();
    ga_map map;

    (void)arg;
    ga_map_open(&map, sleep_for, .next = count_up, .source = &work, .fail_fast = 1, WORK_OPTIONS);
    take(&work, ga_map_next(&map));
    assert_int_equal(ga_sleep(10), GA_ECANCELED); /* the function that opened the map hears of it at once */
    assert_true(ga_now() - begin < 0.031);
    assert_null(ga_map_next(&map));
    assert_int_equal(ga_map_close(&map), GA_EDNS);
    return 0;
}

static void a_failure_with_fail_fast_also_ends_what_the_opener_waits_for(void **state)
{
    (void)state;
    simulate(busy_elsewhere, NULL);
}

static int next_in_channel(void *source, void *input)
{
    int code = ga_channel_receive((ga_channel *)source, (int *)input);

    if (code == GA_ECLOSED)
        return 0;
    return code < 0 ? code : 1;
}

static int feed(ga_channel *channel)
{
    for (int number = 1; number <= 20; number++) {
        ga_sleep(0.002);
        if (ga_channel_send(channel, &number) < 0)
            return GA_ECANCELED;
    }
    ga_channel_close(channel);
    return 0;
}
GA_TASK(int, feed, ga_channel *);

static int from_channel(void *arg)
{
    struct work work = {0};
    ga_auto(ga_channel) channel = ga_channel_new(sizeof(int), 0);
    ga_group group;
    ga_map map;
    ga_map_item *item;
    int taken = 0;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    feed_start(&group, channel);
    ga_map_open(&map, sleep_for, .next = next_in_channel, .source = channel, WORK_OPTIONS);
    while ((item = ga_map_next(&map))) {
        assert_int_equal(*(int *)item->input, ++taken);
        take(&work, item);
    }
    assert_int_equal(ga_map_close(&map), 0);
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    assert_int_equal(taken, 20);
    assert_true(work.most_tasks <=
                13); /* no more than were needed: 10 asleep, one that waits for the next, two here */

    /* Closing while the source waits. */
    ga_auto(ga_channel) silent = ga_channel_new(sizeof(int), 0);
    ga_scope scope;

    ga_map_open(&map, sleep_for, .next = next_in_channel, .source = silent, WORK_OPTIONS);
    ga_scope_open(&scope, 0.1);
    assert_null(ga_map_next(&map));
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    assert_int_equal(ga_map_close(&map), GA_ECANCELED); /* the last thing that it said */
    ga_map_open(&map, sleep_for, .next = next_in_channel, .source = silent, WORK_OPTIONS);
    ga_sleep(0.1);
    assert_int_equal(ga_map_close(&map), 0);
    return 0;
}

static void the_source_may_wait(void **state)
{
    (void)state;
    simulate(from_channel, NULL);
}

static int broken_source(void *source, void *input)
{
    struct work *work = source;

    if (work->pulled == 5)
        return ga_fail(GA_ESYSTEM, "the file ends in the middle of a line");
    return count_up(work, input);
}

static int source_fails(void *arg)
{
    struct work work = {.last = 100};
    ga_map map;
    ga_map_item *item;
    int taken = 0;

    (void)arg;
    ga_map_open(&map, sleep_for, .limit = 3, .next = broken_source, .source = &work, WORK_OPTIONS);
    while ((item = ga_map_next(&map))) {
        taken++;
        take(&work, item);
    }
    assert_int_equal(taken, 5); /* what came before has its result */
    assert_int_equal(ga_map_close(&map), GA_ESYSTEM);
    assert_string_equal(ga_error_message(), "the file ends in the middle of a line");
    return 0;
}

static void a_source_that_fails_ends_the_map_with_its_error(void **state)
{
    (void)state;
    simulate(source_fails, NULL);
}

static int leave_early(void *arg)
{
    struct work work = {.last = 1000};
    double begin = ga_now();
    ga_map map;

    ga_map_open(&map, sleep_for, .limit = 10, .next = count_up, .source = &work,
                .as_completed = *(const int *)arg, WORK_OPTIONS);
    for (int i = 1; i <= 3; i++)
        take(&work, ga_map_next(&map));
    assert_int_equal(ga_map_close(&map), 0);
    assert_int_equal(work.running, 0);
    assert_int_equal(work.results, 0);
    assert_int_equal(work.discarded + 3, work.pulled);
    assert_true(ga_now() - begin < 0.004);

    ga_map_open(&map, sleep_for, .next = count_up, .source = &work, WORK_OPTIONS);
    assert_int_equal(ga_map_close(&map), 0);
    return 0;
}

static void closing_early_joins_and_discards(void **state)
{
    (void)state;
    simulate(leave_early, &(int){0});
    simulate(leave_early, &(int){1});
}

static int cancelled_from_outside(void *arg)
{
    struct work work = {.last = 1000};
    ga_scope scope, cleanup;
    ga_map map;
    ga_map_item *item;
    int taken = 0;

    (void)arg;
    ga_scope_open(&scope, 0.0205);
    ga_map_open(&map, sleep_for, .limit = 30, .next = count_up, .source = &work, WORK_OPTIONS);
    while ((item = ga_map_next(&map))) {
        taken++;
        take(&work, item);
    }
    assert_int_equal(ga_error()->code, GA_ECANCELED);
    assert_int_equal(taken, 20);
    ga_scope_open_shielded(&cleanup, 1);
    assert_int_equal(ga_sleep(0.1), 0);
    assert_int_equal(ga_scope_close(&cleanup), GA_ECANCELED);
    assert_int_equal(ga_map_close(&map), GA_ECANCELED);
    assert_int_equal(work.pulled, 50); /* nothing was pulled after the cancellation */
    assert_int_equal(work.running, 0);
    assert_int_equal(work.results, 0);
    assert_int_equal(work.discarded + taken, work.pulled);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    return 0;
}

static void cancelling_from_outside_ends_the_map(void **state)
{
    (void)state;
    simulate(cancelled_from_outside, NULL);
}

static int time_out_one_wait(void *arg)
{
    struct work work = {.last = 3};
    ga_scope scope;
    ga_map map;
    ga_map_item *item;
    int numbers[] = {100, 200};
    int taken = 0;

    (void)arg;
    ga_map_open(&map, sleep_for, .inputs = numbers, .count = 2, WORK_OPTIONS);
    ga_scope_open(&scope, 0.05);
    assert_null(ga_map_next(&map));
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    while ((item = ga_map_next(&map))) { /* nothing was lost */
        assert_int_equal(*(int *)item->input, numbers[taken++]);
        take(&work, item);
    }
    assert_int_equal(taken, 2);
    assert_int_equal(ga_map_close(&map), 0);
    return 0;
}

static void a_timeout_of_one_wait_leaves_the_map_going(void **state)
{
    (void)state;
    simulate(time_out_one_wait, NULL);
}

static int edge_cases(void *arg)
{
    struct work work = {0};
    ga_map map;

    (void)arg;
    ga_map_open(&map, sleep_for, .count = 0);
    assert_null(ga_map_next(&map));
    assert_int_equal(ga_map_close(&map), 0);
    ga_map_open(&map, sleep_for, .next = count_up, .source = &work, WORK_OPTIONS);
    assert_null(ga_map_next(&map));
    assert_int_equal(ga_map_close(&map), 0);

    assert_int_equal(ga_map_open(&map, sleep_for, .count = 3), GA_EUSAGE);
    assert_null(ga_map_next(&map));
    assert_int_equal(ga_map_close(&map), GA_EUSAGE);
    assert_int_equal(ga_map_open(&map, sleep_for, .inputs = durations, .count = 3), GA_EUSAGE);
    assert_int_equal(ga_map_close(&map), GA_EUSAGE);

    ga_map_open(&map, sleep_for, .inputs = durations, .count = 1, .input_size = sizeof(int),
                .result_size = SIZE_MAX);
    assert_null(ga_map_next(&map));
    assert_int_equal(ga_map_close(&map), GA_ENOMEM);
    assert_int_equal(ga_error()->code, GA_ENOMEM);
    return 0;
}

static void edges_and_mistakes(void **state)
{
    ga_map map;

    (void)state;
    simulate(edge_cases, NULL);
    assert_int_equal(ga_map_open(&map, sleep_for, .inputs = durations, .count = 1), GA_ENOTASK);
    assert_null(ga_map_next(&map));
    assert_int_equal(ga_map_close(&map), GA_ENOTASK);
}

/* A plain function, awaited as it is and mapped. */
static char *greet(const char *greeting, const char *name)
{
    if (ga_sleep(0.01) < 0)
        return NULL;
    if (!*name) {
        ga_fail(GA_EUSAGE, "nobody is there to greet");
        return NULL;
    }
    return ga_format("%s, %s", greeting, name);
}
GA_MAP(char *, greet, const char *, const char *);

static int half(const int *least, double number)
{
    return number / 2 < *least ? GA_EUSAGE : (int)(number / 2);
}
GA_MAP(int, half, const int *, double);

static int typed(void *arg)
{
    static const char *const names[] = {"Ada", "", "Grace"};
    static const char *const expected[] = {"Hello, Ada", NULL, "Hello, Grace"};
    static const double numbers[] = {9, 4, 1};
    const int least = 1;
    ga_map map;
    ga_map_item *item;

    (void)arg;
    assert_int_equal(greet_map(&map, "Hello", (ga_map_options){.inputs = names, .count = 3}), 0);
    while ((item = ga_map_next(&map))) {
        assert_ptr_equal(greet_input(item), names[item->index]);
        if (expected[item->index])
            assert_string_equal(greet_result(item), expected[item->index]);
        else
            assert_string_equal(item->error->message, "nobody is there to greet");
        free(greet_result(item));
    }
    assert_int_equal(ga_map_close(&map), 0);

    half_map(&map, &least, (ga_map_options){.inputs = numbers, .count = 3, .fail_fast = 1, .limit = 1});
    assert_int_equal(half_result(ga_map_next(&map)), 4);
    assert_int_equal(half_result(ga_map_next(&map)), 2);
    assert_null(ga_map_next(&map));
    assert_int_equal(ga_map_close(&map), GA_EUSAGE);
    assert_non_null(strstr(ga_error_message(), "half"));
    return 0;
}

static void a_plain_function_can_be_mapped(void **state)
{
    (void)state;
    simulate(typed, NULL);
}

/* Maps with random options that end at random: by themselves, early, by a failure, cancelled from outside. */
struct chaos {
    struct work work;
    uint64_t random;
};

static uint64_t draw(struct chaos *chaos, uint64_t below)
{
    chaos->random = chaos->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (chaos->random >> 33) % below;
}

static int one_map(void *arg)
{
    struct chaos *chaos = arg;
    struct work work = {.last = (int)draw(chaos, 60), .fails_at = (int)draw(chaos, 80)};
    uint64_t leave_after = draw(chaos, 100);
    bool sleepy = draw(chaos, 2);
    ga_scope scope;
    ga_map map;
    ga_map_item *item;
    int taken = 0;

    ga_scope_open(&scope, draw(chaos, 2) ? GA_FOREVER : (double)draw(chaos, 100) / 1000);
    ga_map_open(&map, sleep_for, .limit = 1 + (int)draw(chaos, 8), .next = count_up, .source = &work,
                .as_completed = (int)draw(chaos, 2), .fail_fast = (int)draw(chaos, 2), WORK_OPTIONS);
    while (leave_after-- && (item = ga_map_next(&map))) {
        taken++;
        take(&work, item);
        if (sleepy && draw(chaos, 4) == 0)
            ga_sleep(0.01);
    }
    ga_map_close(&map);
    assert_int_equal(work.running, 0);
    assert_int_equal(work.results, 0);
    assert_int_equal(work.discarded + taken, work.pulled);
    ga_scope_close(&scope);
    return 0;
}

static int many_maps(void *arg)
{
    ga_task *tasks[5];
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 5; i++)
        tasks[i] = ga_spawn(&group, one_map, arg);
    if (draw(arg, 2)) {
        ga_sleep((double)draw(arg, 100) / 1000);
        ga_task_cancel(tasks[draw(arg, 5)]);
    }
    ga_gather(&group);
    ga_group_close(&group);
    return 0;
}

static void every_input_ends_once_however_the_map_ends(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (check_slowed() ? 300 : 3000); seed++) {
        struct chaos chaos = {.random = seed};

        assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, seed, many_maps, &chaos), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_come_in_the_order_of_the_inputs),
        cmocka_unit_test(or_as_they_are_ready),
        cmocka_unit_test(never_more_than_the_limit_at_once),
        cmocka_unit_test(what_is_not_taken_holds_the_source_back),
        cmocka_unit_test(a_million_inputs_are_no_million_tasks),
        cmocka_unit_test(a_failure_is_told_in_its_item),
        cmocka_unit_test(a_failure_without_a_record_gets_one),
        cmocka_unit_test(with_fail_fast_the_first_failure_ends_the_map),
        cmocka_unit_test(a_failure_with_fail_fast_also_ends_what_the_opener_waits_for),
        cmocka_unit_test(the_source_may_wait),
        cmocka_unit_test(a_source_that_fails_ends_the_map_with_its_error),
        cmocka_unit_test(closing_early_joins_and_discards),
        cmocka_unit_test(cancelling_from_outside_ends_the_map),
        cmocka_unit_test(a_timeout_of_one_wait_leaves_the_map_going),
        cmocka_unit_test(edges_and_mistakes),
        cmocka_unit_test(a_plain_function_can_be_mapped),
        cmocka_unit_test(every_input_ends_once_however_the_map_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
