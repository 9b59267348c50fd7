/* SPDX-License-Identifier: MIT */
/* Adaptive concurrency against a model of a host: it serves so many requests at once in so many seconds each,
 * and what comes more waits there. */
#include "check.h"

#include "client/adaptive.h"

/* Lets the limit be made full use of for `rounds` rounds. @return the limit after that */
static size_t run(ga__adaptive *adaptive, size_t serves, double seconds, int rounds, double *now)
{
    for (int i = 0; i < rounds; i++) {
        size_t busy = ga__adaptive_limit(adaptive);
        double latency = busy > serves ? seconds * (double)busy / (double)serves : seconds;

        *now += latency;
        for (size_t answer = 0; answer < busy; answer++)
            ga__adaptive_answered(adaptive, latency, busy, *now);
        assert_in_range(ga__adaptive_limit(adaptive), 1, 1000);
    }
    return ga__adaptive_limit(adaptive);
}

static void the_limit_settles_above_what_the_host_serves_at_once(void **state)
{
    ga__adaptive adaptive;
    double now = 0;

    (void)state;
    ga__adaptive_init(&adaptive, 1000);
    assert_in_range(run(&adaptive, 20, 0.1, 1, &now), 5, 6); /* it begins low */
    assert_in_range(run(&adaptive, 20, 0.1, 100, &now), 20, 60);
    assert_in_range(run(&adaptive, 5, 0.1, 40, &now), 3, 20); /* the host has become slower */
    ga__adaptive_init(&adaptive, 1000);
    assert_in_range(run(&adaptive, 500, 0.1, 300, &now), 500, 1000);
}

static void the_limit_stays_between_one_and_the_most(void **state)
{
    ga__adaptive adaptive;
    double now = 0;

    (void)state;
    ga__adaptive_init(&adaptive, 7);
    assert_int_equal(run(&adaptive, 1000, 0.1, 50, &now), 7);
    for (int i = 0; i < 50; i++)
        ga__adaptive_pushed_back(&adaptive);
    assert_int_equal(ga__adaptive_limit(&adaptive), 1);
    assert_int_equal(run(&adaptive, 1000, 0.1, 50, &now), 7);
    ga__adaptive_init(&adaptive, 0);
    assert_int_equal(ga__adaptive_limit(&adaptive), 1);
}

static void a_pushback_takes_thirty_percent(void **state)
{
    ga__adaptive adaptive;
    double now = 0;

    (void)state;
    ga__adaptive_init(&adaptive, 100);
    assert_int_equal(run(&adaptive, 1000, 0.1, 100, &now), 100);
    ga__adaptive_pushed_back(&adaptive);
    assert_int_equal(ga__adaptive_limit(&adaptive), 70);
}

static void what_is_not_made_use_of_does_not_grow(void **state)
{
    ga__adaptive adaptive;

    (void)state;
    ga__adaptive_init(&adaptive, 100);
    for (int i = 0; i < 1000; i++)
        ga__adaptive_answered(&adaptive, 0.1, 1, i);
    assert_int_equal(ga__adaptive_limit(&adaptive), 4);
}

static void a_host_that_has_become_slower_for_good_is_learnt(void **state)
{
    ga__adaptive adaptive;
    double now = 0;

    (void)state;
    ga__adaptive_init(&adaptive, 100);
    run(&adaptive, 1000, 0.01, 50, &now);
    run(&adaptive, 1000, 1, 10, &now); /* 100 times as slow, and not because of us */
    assert_in_range(ga__adaptive_limit(&adaptive), 1, 20);
    assert_int_equal(run(&adaptive, 1000, 1, 200, &now), 100);
}

static void what_was_best_before_a_rest_says_nothing(void **state)
{
    ga__adaptive adaptive;
    double now = 0;

    (void)state;
    ga__adaptive_init(&adaptive, 100);
    assert_int_equal(run(&adaptive, 1000, 0.01, 200, &now), 100);
    now += 3600;
    assert_int_equal(run(&adaptive, 150, 0.1, 200, &now), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_settles_above_what_the_host_serves_at_once),
        cmocka_unit_test(the_limit_stays_between_one_and_the_most),
        cmocka_unit_test(a_pushback_takes_thirty_percent),
        cmocka_unit_test(what_is_not_made_use_of_does_not_grow),
        cmocka_unit_test(a_host_that_has_become_slower_for_good_is_learnt),
        cmocka_unit_test(what_was_best_before_a_rest_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
