/* SPDX-License-Identifier: MIT */
/* Channels, maps, handles and threads with each allocation failing in turn: GA_ENOMEM or done all the same,
 * and nothing lost. */
#include "check.h"
#include "failmalloc.h"

#include <gather/map.h>
#include <gather/sync.h>
#include <gather/task.h>
#include <gather/thread.h>

enum { INPUTS = 12 };

struct flow {
    int made; /* results that nobody has taken or discarded */
};

static int double_it(void *context, const void *input, void *result)
{
    struct flow *flow = context;
    int code = ga_yield();

    if (code < 0)
        return code;
    *(int *)result = 2 * *(const int *)input;
    flow->made++;
    return 0;
}

static void take(void *context, ga_map_item *item)
{
    struct flow *flow = context;

    if (item->code < 0)
        return;
    assert_int_equal(*(int *)item->result, 2 * *(int *)item->input);
    flow->made--;
}

static int next_number(void *source, void *input)
{
    *(int *)input = ++*(int *)source;
    return *(int *)source <= INPUTS;
}

/* How many results came, or the map's failure. */
static int map_numbers(int as_completed)
{
    struct flow flow = {0};
    int last = 0, taken = 0;
    ga_map map;
    ga_map_item *item;

    ga_map_open(&map, double_it, .context = &flow, .limit = 3, .next = next_number, .source = &last,
                .input_size = sizeof(int), .result_size = sizeof(int), .as_completed = as_completed,
                .discard = take);
    while ((item = ga_map_next(&map))) {
        taken++;
        take(&flow, item);
    }
    int code = ga_map_close(&map);

    assert_int_equal(flow.made, 0);
    return code < 0 ? code : taken;
}

static int maps(void *arg)
{
    (void)arg;
    for (int as_completed = 0; as_completed < 2; as_completed++) {
        int n;

        for (n = 1; failmalloc_again(n); n++) {
            int code = map_numbers(as_completed);

            failmalloc_stop();
            if (code != INPUTS) /* it may go on with fewer workers than it wanted */
                assert_int_equal(code, GA_ENOMEM);
        }
        assert_true(n > 3);
    }
    return 0;
}

static void a_map_goes_on_or_says_that_there_is_no_memory(void **state)
{
    (void)state;
    assert_int_equal(ga_run(maps, NULL), 0);
}

static void channels(void **state)
{
    int n;

    (void)state;
    for (n = 1; failmalloc_again(n); n++) {
        ga_channel *channel = ga_channel_new(sizeof(int), 4);

        if (failmalloc_stop()) {
            assert_null(channel);
            assert_int_equal(ga_error()->code, GA_ENOMEM);
        }
        ga_channel_free(channel);
    }
    assert_true(n > 1);
}

static void set_event(void *event)
{
    ga_event_set(event);
}

/* Waits for a call that it asks for itself. */
static int call_oneself(void)
{
    ga_handle *handle = ga_handle_new();
    ga_event event;

    ga_event_init(&event);
    int code = ga_handle_call(handle, set_event, &event);

    if (code == 0)
        code = ga_event_wait(&event);
    ga_handle_free(handle);
    return code;
}

static int handles(void *arg)
{
    (void)arg;
    for (int n = 1; failmalloc_again(n); n++) {
        int code = call_oneself();

        assert_int_equal(code, failmalloc_stop() ? GA_ENOMEM : 0);
    }
    return 0;
}

static int nothing(void *arg)
{
    return ++*(int *)arg;
}

static int threads(void *arg)
{
    int calls = 0;

    (void)arg;
    for (int n = 1; failmalloc_again(n); n++) {
        int before = calls;
        int code = ga_to_thread(nothing, &calls);

        if (failmalloc_stop()) {
            assert_int_equal(code, GA_ENOMEM);
            assert_int_equal(calls, before); /* it did not run */
        } else {
            assert_int_equal(code, calls);
        }
    }
    assert_true(calls > 0);
    return 0;
}

static void handles_and_threads(void **state)
{
    (void)state;
    /* A loop each: its handle is made on first use. */
    assert_int_equal(ga_run(handles, NULL), 0);
    assert_int_equal(ga_run(threads, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_goes_on_or_says_that_there_is_no_memory),
        cmocka_unit_test(channels),
        cmocka_unit_test(handles_and_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
