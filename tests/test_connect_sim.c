/* SPDX-License-Identifier: MIT */
/* Happy Eyeballs on the virtual clock: when each address is tried, which one wins, and what failure is told.
 */
#include "check.h"

#include "io/connect.h"
#include "io/descriptors.h"
#include "io/listener.h"
#include "sim/sim.h"

#include <errno.h>
#include <string.h>

enum { ADDRESSES = 4 };

/* How each of the addresses answers, and what is expected of connecting to all of them. */
typedef struct script {
    struct {
        ga__sim_route route;
        double seconds; /* until the answer */
    } ways[ADDRESSES];
    size_t count;
    double deadline; /* 0: none */
    int code;
    double took;   /* seconds */
    int winner;    /* of the addresses */
    size_t trials; /* addresses tried */
} script;

static const char *const ips[ADDRESSES] = {"2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"};

static bool about(double seconds, double wanted)
{
    return seconds > wanted - 0.001 && seconds < wanted + 0.001;
}

static int play(void *argument)
{
    const script *self = argument;
    ga__poller *poller = ga__loop_here->poller;
    ga__address addresses[ADDRESSES];
    ga__listener listeners[ADDRESSES];
    ga__connect_report report;
    ga__stream stream;

    for (size_t i = 0; i < self->count; i++) {
        assert_true(ga__address_ip(&addresses[i], ips[i], 80));
        assert_int_equal(ga__listener_open(&listeners[i], &addresses[i], 0), 0);
        ga__sim_set_route(poller, &addresses[i].as.any, addresses[i].size, self->ways[i].route,
                          self->ways[i].seconds);
    }
    ga__stream_init(&stream);
    uint64_t began = ga__now_exact();
    uint64_t deadline = self->deadline > 0 ? ga__deadline(began, self->deadline) : GA__NEVER;
    int code = ga__connect(&stream, addresses, self->count, NULL, deadline, &report);
    double took = (double)(ga__now_exact() - began) * 1e-9;

    if (code != self->code)
        fail_msg("%s, not %s: %s", ga_code_name(code), ga_code_name(self->code), ga_error_message());
    if (!about(took, self->took))
        fail_msg("it took %g s, not %g", took, self->took);
    assert_int_equal(report.count, self->trials);
    if (code == 0) {
        char text[GA__ADDRESS_TEXT];

        assert_string_equal(stream.peer, ga__address_text(&addresses[self->winner], text, sizeof text));
        for (size_t i = 0; i < report.count; i++)
            if (report.attempts[i].address == &addresses[self->winner])
                assert_int_equal(report.attempts[i].os_error, 0);
            else
                assert_int_not_equal(report.attempts[i].os_error, 0);
    }
    /* the others are closed: only the stream and the listeners are open */
    assert_int_equal(ga__descriptors_used(), code == 0);
    assert_int_equal(ga__sim_count(poller)->open, self->count + (code == 0));
    ga__stream_close(&stream);
    for (size_t i = 0; i < self->count; i++)
        ga__listener_close(&listeners[i]);
    return 0;
}

static void expect(script *wanted)
{
    assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, 0, play, wanted), 0);
}

/* --- who wins ------------------------------------------------------------------------------------- */

static void the_first_that_answers_in_its_head_start_is_alone(void **state)
{
    (void)state;
    expect(&(script){.ways = {{GA__SIM_NORMAL, 0.2}, {GA__SIM_NORMAL, 0}},
                     .count = 2,
                     .took = 0.2,
                     .winner = 0,
                     .trials = 1});
}

static void a_silent_address_costs_a_quarter_of_a_second(void **state)
{
    (void)state;
    expect(&(script){.ways = {{GA__SIM_SILENT, 0}, {GA__SIM_NORMAL, 0.1}},
                     .count = 2,
                     .took = 0.35,
                     .winner = 1,
                     .trials = 2});
    expect(&(script){
        .ways = {{GA__SIM_SILENT, 0}, {GA__SIM_SILENT, 0}, {GA__SIM_SILENT, 0}, {GA__SIM_NORMAL, 0}},
        .count = 4,
        .took = 0.75,
        .winner = 3,
        .trials = 4});
}

static void the_first_may_still_win(void **state)
{
    (void)state;
    expect(&(script){.ways = {{GA__SIM_NORMAL, 0.4}, {GA__SIM_NORMAL, 0.2}},
                     .count = 2,
                     .took = 0.4,
                     .winner = 0,
                     .trials = 2});
    expect(&(script){.ways = {{GA__SIM_NORMAL, 10}, {GA__SIM_NORMAL, 0.6}, {GA__SIM_NORMAL, 0.2}},
                     .count = 3,
                     .took = 0.7,
                     .winner = 2,
                     .trials = 3});
}

static void a_failure_starts_the_next_at_once(void **state)
{
    (void)state;
    expect(&(script){.ways = {{GA__SIM_UNREACHABLE, 0}, {GA__SIM_REFUSING, 0.1}, {GA__SIM_NORMAL, 0.1}},
                     .count = 3,
                     .took = 0.2,
                     .winner = 2,
                     .trials = 3});
    /* also within the race: the second is refused at 0.35, the third starts then */
    expect(&(script){.ways = {{GA__SIM_SILENT, 0}, {GA__SIM_REFUSING, 0.1}, {GA__SIM_NORMAL, 0.1}},
                     .count = 3,
                     .took = 0.45,
                     .winner = 2,
                     .trials = 3});
    expect(&(script){.ways = {{GA__SIM_SILENT, 0}, {GA__SIM_UNREACHABLE, 0}, {GA__SIM_NORMAL, 0.1}},
                     .count = 3,
                     .took = 0.35,
                     .winner = 2,
                     .trials = 3});
}

/* --- what is told --------------------------------------------------------------------------------- */

static void the_most_telling_failure_is_told(void **state)
{
    (void)state;
    expect(&(script){.ways = {{GA__SIM_UNREACHABLE, 0}, {GA__SIM_UNREACHABLE, 0}},
                     .count = 2,
                     .code = GA_EUNREACHABLE,
                     .trials = 2});
    expect(&(script){.ways = {{GA__SIM_UNREACHABLE, 0}, {GA__SIM_REFUSING, 0}},
                     .count = 2,
                     .code = GA_EREFUSED,
                     .trials = 2});
    expect(&(script){.ways = {{GA__SIM_REFUSING, 0.3}, {GA__SIM_UNREACHABLE, 0}},
                     .count = 2,
                     .code = GA_EREFUSED,
                     .took = 0.3,
                     .trials = 2});
}

static void the_deadline_ends_a_race(void **state)
{
    (void)state;
    expect(&(script){.ways = {{GA__SIM_SILENT, 0}},
                     .count = 1,
                     .deadline = 3,
                     .code = GA_ETIMEDOUT,
                     .took = 3,
                     .trials = 1});
    expect(&(script){.ways = {{GA__SIM_SILENT, 0}, {GA__SIM_NORMAL, 1}},
                     .count = 2,
                     .deadline = 0.1,
                     .code = GA_ETIMEDOUT,
                     .took = 0.1,
                     .trials = 1});
    expect(&(script){.ways = {{GA__SIM_SILENT, 0}, {GA__SIM_SILENT, 0}, {GA__SIM_NORMAL, 1}},
                     .count = 3,
                     .deadline = 1.2,
                     .code = GA_ETIMEDOUT,
                     .took = 1.2,
                     .trials = 3});
}

/* --- any faults ----------------------------------------------------------------------------------- */

static int connect_to_all(void *argument)
{
    ga__address addresses[ADDRESSES];
    ga__stream stream;

    (void)argument;
    for (int i = 0; i < ADDRESSES; i++)
        assert_true(ga__address_ip(&addresses[i], ips[i], 80));
    ga__stream_init(&stream);
    int code = ga__connect(&stream, addresses, ADDRESSES, NULL, ga__deadline(ga__now_exact(), 5), NULL);
    bool open = ga__stream_is_open(&stream);

    ga__stream_close(&stream);
    if (open != (code == 0))
        return ga_fail(GA_EUSAGE, "the stream is %s after %s", open ? "open" : "closed", ga_code_name(code));
    return 0;
}

static int at_random(void *argument)
{
    ga__poller *poller = ga__loop_here->poller;
    ga__listener listeners[ADDRESSES];
    ga_group group;

    (void)argument;
    for (int i = 0; i < ADDRESSES; i++) {
        ga__address address;

        assert_true(ga__address_ip(&address, ips[i], 80));
        int code = ga__listener_open(&listeners[i], &address, 0);

        if (code)
            return code;
        ga__sim_set_route(poller, &address.as.any, address.size, (ga__sim_route)(ga__sim_random(poller) % 4),
                          (double)(ga__sim_random(poller) % 1000) * 1e-3);
    }
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 3; i++)
        ga_spawn(&group, connect_to_all, NULL);
    if (ga__sim_random(poller) % 2) {
        ga_sleep((double)(ga__sim_random(poller) % 2000) * 1e-3);
        ga_group_cancel(&group);
    }
    int failed = ga_gather(&group);

    ga_group_close(&group);
    for (int i = 0; i < ADDRESSES; i++)
        ga__listener_close(&listeners[i]);
    if (failed)
        return ga_fail(GA_EUSAGE, "%d calls did not end as they should", failed);
    if (ga__descriptors_used() != 0)
        return ga_fail(GA_EUSAGE, "%zu descriptors are not given back", ga__descriptors_used());
    return 0;
}

static void no_fault_leaves_a_socket(void **state)
{
    (void)state;
    assert_int_equal(ga__sim_run_seeds(1, 3000, NULL, at_random, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_answers_in_its_head_start_is_alone),
        cmocka_unit_test(a_silent_address_costs_a_quarter_of_a_second),
        cmocka_unit_test(the_first_may_still_win),
        cmocka_unit_test(a_failure_starts_the_next_at_once),
        cmocka_unit_test(the_most_telling_failure_is_told),
        cmocka_unit_test(the_deadline_ends_a_race),
        cmocka_unit_test(no_fault_leaves_a_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
