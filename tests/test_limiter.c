/* SPDX-License-Identifier: MIT */
/* The rate limiter, on the simulated loop's clock: when each unit starts, and that no stretch of time sees
 * too many. */
#include "check.h"

#include "sim/sim.h"
#include "task/loop.h"
#include <gather/sync.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static void simulate(int (*fn)(void *arg), void *arg)
{
    assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, 0, fn, arg), 0);
}

/* Within the turns and timer ticks of the loop. */
#define assert_seconds(actual, expected)                              \
    do {                                                              \
        double actual_ = (actual), expected_ = (expected);            \
                                                                      \
        if (!(fabs(actual_ - expected_) < 0.0005))                    \
            fail_msg("%.6f s instead of %.6f s", actual_, expected_); \
    } while (0)

/* What `count` waits of one unit each take. */
static double time_of(ga_limiter *limiter, int count)
{
    double begin = ga_now();

    while (count--)
        assert_int_equal(ga_limiter_wait(limiter, 1), 0);
    return ga_now() - begin;
}

static int spaced(void *arg)
{
    ga_limiter limiter;

    (void)arg;
    ga_limiter_init(&limiter, 50, 0);
    assert_seconds(time_of(&limiter, 1), 0);
    for (int i = 0; i < 10; i++)
        assert_seconds(time_of(&limiter, 1), 0.02);
    assert_seconds(time_of(&limiter, 1000), 20); /* no drift */
    ga_sleep(10);
    assert_seconds(time_of(&limiter, 1), 0); /* no catching up after a time without any */
    assert_seconds(time_of(&limiter, 2), 0.04);
    return 0;
}

static void units_start_at_even_distances(void **state)
{
    (void)state;
    simulate(spaced, NULL);
}

static int in_bursts(void *arg)
{
    ga_limiter limiter;

    (void)arg;
    ga_limiter_init(&limiter, 10, 5);
    assert_seconds(time_of(&limiter, 3), 0.2); /* it begins with one unit only */
    ga_sleep(0.3);
    assert_seconds(time_of(&limiter, 3), 0);
    assert_seconds(time_of(&limiter, 1), 0.1);
    ga_sleep(100);
    assert_seconds(time_of(&limiter, 5), 0);
    assert_seconds(time_of(&limiter, 5), 0.5);
    return 0;
}

static void a_burst_fills_up_while_nothing_starts(void **state)
{
    (void)state;
    simulate(in_bursts, NULL);
}

static int by_cost(void *arg)
{
    ga_limiter limiter;
    double begin;

    (void)arg;
    ga_limiter_init(&limiter, 10, 5);
    assert_int_equal(ga_limiter_try(&limiter, 0), 0);
    ga_sleep(100);
    begin = ga_now();
    assert_int_equal(ga_limiter_wait(&limiter, 4), 0);
    assert_seconds(ga_now() - begin, 0);
    assert_int_equal(ga_limiter_try(&limiter, 4), GA_EAGAIN); /* one is left */
    assert_int_equal(ga_limiter_try(&limiter, 1), 0);
    assert_int_equal(ga_limiter_wait(&limiter, 2.5), 0);
    assert_seconds(ga_now() - begin, 0.25);
    assert_int_equal(ga_limiter_wait(&limiter, 20), 0); /* needs a whole burst; the next waits for the rest */
    assert_seconds(ga_now() - begin, 0.75);
    assert_int_equal(ga_limiter_wait(&limiter, 1), 0);
    assert_seconds(ga_now() - begin, 2.35);

    assert_int_equal(ga_limiter_wait(&limiter, -1), GA_EUSAGE);
    assert_int_equal(ga_limiter_wait(&limiter, NAN), GA_EUSAGE);
    assert_int_equal(ga_limiter_wait(&limiter, INFINITY), GA_EUSAGE);
    assert_int_equal(ga_limiter_try(&limiter, -1), GA_EUSAGE);
    return 0;
}

static void a_start_takes_its_cost(void **state)
{
    (void)state;
    simulate(by_cost, NULL);
}

struct line {
    ga_limiter limiter;
    char order[16];
    size_t size;
    double started[16];
};

static int queue_up(struct line *line, char letter, double cost)
{
    int code = ga_limiter_wait(&line->limiter, cost);

    if (code < 0)
        return code;
    line->started[line->size] = ga_now();
    line->order[line->size++] = letter;
    return 0;
}
GA_TASK(int, queue_up, struct line *, char, double);

static int cancel_in_line(void *arg)
{
    struct line *line = arg;
    ga_group group;
    queue_up_task *tasks[6];
    double begin = ga_now();

    ga_limiter_init(&line->limiter, 10, 4);
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 6; i++)
        tasks[i] = queue_up_start(&group, line, (char)('a' + i), i == 1 ? 4 : 1);
    ga_sleep(0.05); /* a has started; b needs four units, so it is in line until 0.4 */
    assert_int_equal(ga_limiter_try(&line->limiter, 0), GA_EAGAIN); /* nobody overtakes */
    ga_task_cancel(tasks[1]->task);
    ga_task_cancel(tasks[4]->task);
    ga_gather(&group);
    assert_int_equal(tasks[1]->result, GA_ECANCELED);
    assert_int_equal(tasks[4]->result, GA_ECANCELED);
    assert_non_null(strstr(ga_task_error(tasks[4]->task)->message, "rate"));
    ga_group_close(&group);
    assert_string_equal(line->order, "acdf");
    for (int i = 0; i < 4; i++)
        assert_seconds(line->started[i] - begin, 0.1 * i); /* as if the two had never been */
    return 0;
}

static void who_is_cancelled_in_line_costs_nothing(void **state)
{
    struct line line = {0};

    (void)state;
    simulate(cancel_in_line, &line);
}

static int time_out_in_line(void *arg)
{
    ga_limiter limiter;
    ga_scope scope;

    (void)arg;
    ga_limiter_init(&limiter, 1, 1);
    assert_int_equal(ga_limiter_wait(&limiter, 1), 0);
    ga_scope_open(&scope, 0.5);
    assert_int_equal(ga_limiter_wait(&limiter, 1), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    assert_seconds(time_of(&limiter, 1), 0.5); /* its turn was not taken */
    return 0;
}

static void a_timeout_in_line_keeps_the_turn_for_the_next(void **state)
{
    (void)state;
    simulate(time_out_in_line, NULL);
}

static int pausing(void *arg)
{
    struct line *line = arg;
    ga_group group;
    double begin = ga_now();

    ga_limiter_init(&line->limiter, 10, 5);
    ga_sleep(10);
    ga_group_open(&group, GA_COLLECT);
    assert_int_equal(ga_limiter_try(&line->limiter, 1), 0);
    assert_int_equal(ga_limiter_pause(&line->limiter, 3), 0);
    assert_int_equal(ga_limiter_pause(&line->limiter, 1), 0); /* the longer one stays */
    assert_int_equal(ga_limiter_try(&line->limiter, 0), GA_EAGAIN);
    for (int i = 0; i < 4; i++)
        queue_up_start(&group, line, (char)('a' + i), 1);
    ga_sleep(3.05); /* a has started; who is in line pauses too */
    assert_int_equal(ga_limiter_pause(&line->limiter, 1), 0);
    ga_gather(&group);
    ga_group_close(&group);
    assert_string_equal(line->order, "abcd");
    assert_seconds(line->started[0] - begin, 13);
    assert_seconds(line->started[1] - begin, 14.05);
    assert_seconds(line->started[2] - begin, 14.15); /* no burst after a pause */
    assert_seconds(line->started[3] - begin, 14.25);
    return 0;
}

static void after_a_pause_there_is_no_burst(void **state)
{
    struct line line = {0};

    (void)state;
    simulate(pausing, &line);
}

static int change_rate(void *arg)
{
    struct line *line = arg;
    ga_group group;
    double begin = ga_now();

    ga_limiter_init(&line->limiter, 1, 1);
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 4; i++)
        queue_up_start(&group, line, (char)('a' + i), 1);
    ga_sleep(0.5);
    assert_int_equal(ga_limiter_set_rate(&line->limiter, 10), 0); /* half a unit is there: 0.05 s more */
    ga_sleep(0.1);                                                /* at 0.6 b has started at 0.55 */
    assert_int_equal(ga_limiter_set_rate(&line->limiter, 0.5), 0);
    ga_sleep(0.2); /* half a unit was missing at 0.6: c is to start at 1.6 */
    assert_int_equal(line->size, 2);
    ga_sleep(0.9);
    assert_int_equal(line->size, 3);
    assert_int_equal(ga_limiter_set_rate(&line->limiter, 0), 0); /* no limit: d starts at once, at 1.7 */
    ga_gather(&group);
    ga_group_close(&group);
    assert_seconds(line->started[0] - begin, 0);
    assert_seconds(line->started[1] - begin, 0.55);
    assert_seconds(line->started[2] - begin, 1.6);
    assert_seconds(line->started[3] - begin, 1.7);
    assert_seconds(time_of(&line->limiter, 1000), 0);

    /* From no limit to one: one unit, not a burst. A pause is not stretched by a lower rate. */
    ga_limiter limiter;

    ga_limiter_init(&limiter, 0, 10);
    assert_seconds(time_of(&limiter, 20), 0);
    ga_limiter_set_rate(&limiter, 10);
    assert_seconds(time_of(&limiter, 3), 0.2);
    ga_limiter_pause(&limiter, 2);
    ga_limiter_set_rate(&limiter, 1);
    assert_seconds(time_of(&limiter, 1), 2);
    assert_seconds(time_of(&limiter, 1), 1);
    return 0;
}

static void a_new_rate_counts_from_now(void **state)
{
    struct line line = {0};

    (void)state;
    simulate(change_rate, &line);
}

static int far_away(void *arg)
{
    ga_limiter limiter;
    ga_scope scope;

    (void)arg;
    ga_limiter_init(&limiter, 1e-300, 1e300);
    assert_int_equal(ga_limiter_pause(&limiter, 1e300), 0);
    ga_limiter_set_rate(&limiter, 1e300);
    ga_limiter_set_rate(&limiter, 1e-300);
    ga_scope_open(&scope, 1000);
    assert_int_equal(ga_limiter_wait(&limiter, 1e300), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    return 0;
}

static void extreme_rates_and_costs_wait_for_ever(void **state)
{
    (void)state;
    simulate(far_away, NULL);
}

/* A burst that takes for ever to save up is not there from the beginning. */
static int take_at_once(void *arg)
{
    static const double cases[][2] = {{10, 1e6}, {10, INFINITY}, {0.1, 2147483647}, {1, 1e10}, {1e-300, 1}};

    (void)arg;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga_limiter limiter;
        int taken = 0;

        ga_limiter_init(&limiter, cases[i][0], cases[i][1]);
        while (taken < 10 && ga_limiter_try(&limiter, 1) == 0)
            taken++;
        assert_int_equal(taken, 1);
    }
    return 0;
}

static void no_burst_lets_everything_through(void **state)
{
    (void)state;
    simulate(take_at_once, NULL);
}

static void outside_a_loop_there_is_no_time(void **state)
{
    ga_limiter limiter;

    (void)state;
    ga_limiter_init(&limiter, 1, 1);
    assert_int_equal(ga_limiter_wait(&limiter, 1), GA_ENOTASK);
    assert_int_equal(ga_limiter_try(&limiter, 1), GA_ENOTASK);
    assert_int_equal(ga_limiter_pause(&limiter, 1), GA_ENOTASK);
    assert_int_equal(ga_limiter_set_rate(&limiter, 2), GA_ENOTASK);
}

/* Tasks that come, wait, and are cancelled at random, with costs at random: all starts are noted. */
enum { STARTS = 20000 };

struct traffic {
    ga_limiter limiter;
    double rate, burst;
    uint64_t random;
    int count;
    double times[STARTS];
    double costs[STARTS];
};

static uint64_t draw(struct traffic *traffic, uint64_t below)
{
    traffic->random = traffic->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (traffic->random >> 33) % below;
}

static int drive(void *arg)
{
    struct traffic *traffic = arg;

    while (traffic->count < STARTS) {
        double cost = (double)draw(traffic, 1 + (uint64_t)traffic->burst);
        ga_scope scope;

        ga_scope_open(&scope,
                      draw(traffic, 3) ? GA_FOREVER : (double)draw(traffic, 100) / traffic->rate / 50);
        if (ga_limiter_wait(&traffic->limiter, cost) == 0 && traffic->count < STARTS) {
            traffic->times[traffic->count] = ga_now();
            traffic->costs[traffic->count++] = cost;
        }
        ga_scope_close(&scope);
        if (draw(traffic, 50) == 0)
            ga_sleep((double)draw(traffic, 100) / traffic->rate);
    }
    return 0;
}

static int jam(void *arg)
{
    struct traffic *traffic = arg;
    ga_group group;

    ga_limiter_init(&traffic->limiter, traffic->rate, traffic->burst);
    ga_group_open(&group, GA_FAIL_FAST);
    for (int i = 0; i < 5; i++)
        ga_spawn(&group, drive, traffic);
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    return 0;
}

/* Between any two starts lies the time that what started from the first on, the last included, costs beyond a
 * burst. */
static void check_windows(const struct traffic *traffic)
{
    for (int first = 0; first < STARTS; first++) {
        double units = 0;

        for (int last = first; last < STARTS && last < first + 200; last++) {
            double seconds = traffic->times[last] - traffic->times[first] + 0.001;

            units += traffic->costs[last];
            if (units > traffic->rate * seconds + traffic->burst)
                fail_msg("%g units within %g s", units, seconds);
        }
    }
}

static void no_stretch_of_time_sees_too_many(void **state)
{
    static const double bursts[] = {1, 3, 10};

    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct traffic *traffic = test_calloc(1, sizeof *traffic);

        traffic->random = seed;
        traffic->rate = 20;
        traffic->burst = bursts[seed - 1];
        assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, seed, jam, traffic), 0);
        check_windows(traffic);
        test_free(traffic);
    }
}

/* On the real clock, where timers are late: the rate is reached all the same, at least when the machine is
 * not too busy. */
static int keep_up(void *arg)
{
    double seconds = 1;

    (void)arg;
    for (int tries = 0; tries < 20 && seconds > 0.11; tries++) {
        ga_limiter limiter;

        ga_limiter_init(&limiter, 2000, 1);
        seconds = time_of(&limiter, 200);
        assert_true(seconds > 0.098);
    }
    if (!check_slowed() && seconds > 0.11)
        fail_msg("200 units at 2000/s took %g s", seconds);
    return 0;
}

static void the_rate_is_reached_on_the_real_clock(void **state)
{
    (void)state;
    assert_int_equal(ga_run(keep_up, NULL), 0);
}

struct stall {
    ga_limiter limiter;
    int started;
};

static int start_often(void *arg)
{
    struct stall *stall = arg;

    while (ga_limiter_wait(&stall->limiter, 1) == 0)
        stall->started++;
    return 0;
}

static int hold_the_loop(void *arg)
{
    struct stall stall = {0};
    ga_group group;
    double end;
    int before;

    (void)arg;
    ga_limiter_init(&stall.limiter, 1000, 1);
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 200; i++)
        ga_spawn(&group, start_often, &stall);
    ga_sleep(0.005);
    before = stall.started;
    usleep(80000); /* nothing can start meanwhile */
    end = ga_now();
    while (stall.started == before)
        ga_sleep(0.001);
    int at_once = stall.started - before;

    if (at_once > 1000 * (ga_now() - end) + 12)
        fail_msg("%d units started at once", at_once);
    ga_group_close(&group);
    return 0;
}

static void a_stall_is_not_caught_up_with(void **state)
{
    (void)state;
    assert_int_equal(ga_run(hold_the_loop, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_start_at_even_distances),
        cmocka_unit_test(a_burst_fills_up_while_nothing_starts),
        cmocka_unit_test(a_start_takes_its_cost),
        cmocka_unit_test(who_is_cancelled_in_line_costs_nothing),
        cmocka_unit_test(a_timeout_in_line_keeps_the_turn_for_the_next),
        cmocka_unit_test(after_a_pause_there_is_no_burst),
        cmocka_unit_test(a_new_rate_counts_from_now),
        cmocka_unit_test(extreme_rates_and_costs_wait_for_ever),
        cmocka_unit_test(no_burst_lets_everything_through),
        cmocka_unit_test(outside_a_loop_there_is_no_time),
        cmocka_unit_test(no_stretch_of_time_sees_too_many),
        cmocka_unit_test(the_rate_is_reached_on_the_real_clock),
        cmocka_unit_test(a_stall_is_not_caught_up_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
