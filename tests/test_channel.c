/* SPDX-License-Identifier: MIT */
/* Channels: order, bounds, the rendezvous, closing, and that an element is received exactly once or not sent.
 */
#include "check.h"

#include "sim/sim.h"
#include "task/loop.h"
#include <gather/sync.h>
#include <string.h>

static void simulate(int (*fn)(void *arg), void *arg)
{
    assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, 0, fn, arg), 0);
}

static int send_range(ga_channel *channel, int first, int last)
{
    for (int i = first; i <= last; i++) {
        int code = ga_channel_send(channel, &i);

        if (code < 0)
            return code;
    }
    return 0;
}
GA_TASK(int, send_range, ga_channel *, int, int);

/* How many elements came, each one more than the one before, until the channel was closed. */
static int receive_rising(ga_channel *channel)
{
    int count = 0, last = 0, element, code;

    while ((code = ga_channel_receive(channel, &element)) == 0) {
        assert_int_equal(element, last + 1);
        last = element;
        count++;
    }
    return code == GA_ECLOSED ? count : code;
}
GA_TASK(int, receive_rising, ga_channel *);

static int pass_all_in_order(void *arg)
{
    size_t capacity = *(size_t *)arg;
    ga_auto(ga_channel) channel = ga_channel_new(sizeof(int), capacity);
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    receive_rising_task *receiver = receive_rising_start(&group, channel);
    send_range_task *sender = send_range_start(&group, channel, 1, 1000);

    assert_int_equal(ga_task_join(sender->task), 0);
    assert_true(ga_channel_count(channel) <= capacity);
    ga_channel_close(channel);
    ga_gather(&group);
    assert_int_equal(receiver->result, 1000);
    ga_group_close(&group);
    return 0;
}

static void elements_come_in_order_at_any_capacity(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity <= 9; capacity++)
        simulate(pass_all_in_order, &capacity);
}

static int fill(void *arg)
{
    ga_auto(ga_channel) channel = ga_channel_new(sizeof(int), 3);
    ga_group group;
    int element;

    (void)arg;
    assert_int_equal(ga_channel_try_receive(channel, &element), GA_EAGAIN);
    ga_group_open(&group, GA_COLLECT);
    send_range_task *sender = send_range_start(&group, channel, 1, 5);
    send_range_task *second = send_range_start(&group, channel, 6, 6);

    ga_sleep(0.1);
    assert_int_equal(ga_channel_count(channel), 3);
    assert_false(ga_task_done(sender->task));
    element = 7;
    assert_int_equal(ga_channel_try_send(channel, &element), GA_EAGAIN);
    /* 4 and 6 wait, in that order; 5 comes after both. */
    for (int expected = 1; expected <= 4; expected++) {
        assert_int_equal(ga_channel_receive(channel, &element), 0);
        assert_int_equal(element, expected);
        ga_yield();
    }
    assert_int_equal(ga_channel_try_receive(channel, &element), 0);
    assert_int_equal(element, 6);
    assert_int_equal(ga_channel_try_receive(channel, &element), 0);
    assert_int_equal(element, 5);
    assert_int_equal(ga_gather(&group), 0);
    assert_int_equal(second->result, 0);
    ga_group_close(&group);
    return 0;
}

static void a_full_channel_makes_senders_wait_in_line(void **state)
{
    (void)state;
    simulate(fill, NULL);
}

static int receive_one(ga_channel *channel)
{
    int element, code = ga_channel_receive(channel, &element);

    return code < 0 ? code : element;
}
GA_TASK(int, receive_one, ga_channel *);

static int rendezvous(void *arg)
{
    ga_auto(ga_channel) channel = ga_channel_new(sizeof(int), 0);
    ga_group group;
    receive_one_task *receivers[3];
    int element = 1;

    (void)arg;
    assert_int_equal(ga_channel_try_send(channel, &element), GA_EAGAIN);
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 3; i++)
        receivers[i] = receive_one_start(&group, channel);
    ga_sleep(0.1);
    ga_task_cancel(receivers[1]->task);
    for (element = 10; element <= 11; element++)
        assert_int_equal(ga_channel_try_send(channel, &element), 0);
    assert_int_equal(ga_channel_try_send(channel, &element), GA_EAGAIN);
    ga_gather(&group);
    assert_int_equal(receivers[0]->result, 10);
    assert_int_equal(receivers[1]->result, GA_ECANCELED);
    assert_int_equal(receivers[2]->result, 11);
    ga_group_close(&group);
    return 0;
}

static void a_rendezvous_hands_over_in_the_order_of_the_receivers(void **state)
{
    (void)state;
    simulate(rendezvous, NULL);
}

static int cancel_waits(void *arg)
{
    ga_auto(ga_channel) channel = ga_channel_new(sizeof(int), 0);
    ga_group group;
    int element;

    (void)arg;
    ga_group_open(&group, GA_COLLECT);
    send_range_task *cancelled = send_range_start(&group, channel, 1, 1);
    send_range_task *kept = send_range_start(&group, channel, 2, 2);

    ga_sleep(0.1);
    ga_task_cancel(cancelled->task);
    assert_int_equal(ga_channel_try_receive(channel, &element), 0);
    assert_int_equal(element, 2); /* what was cancelled was not sent */
    ga_gather(&group);
    assert_int_equal(cancelled->result, GA_ECANCELED);
    assert_non_null(strstr(ga_task_error(cancelled->task)->message, "sending"));
    assert_int_equal(kept->result, 0);

    /* The hand-over came first: the receiver has the element, though it is cancelled before it runs. */
    receive_one_task *receiver = receive_one_start(&group, channel);

    ga_sleep(0.1);
    element = 3;
    assert_int_equal(ga_channel_try_send(channel, &element), 0);
    ga_task_cancel(receiver->task);
    ga_gather(&group);
    assert_int_equal(receiver->result, 3);
    ga_group_close(&group);

    ga_scope scope;

    ga_scope_open(&scope, 0.1);
    assert_int_equal(ga_channel_receive(channel, &element), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    assert_int_equal(ga_channel_try_send(channel, &element), GA_EAGAIN); /* no receiver is left in line */
    return 0;
}

static void a_cancelled_send_or_receive_did_not_happen(void **state)
{
    (void)state;
    simulate(cancel_waits, NULL);
}

static int close_it(void *arg)
{
    ga_channel *channel = ga_channel_new(sizeof(int), 2);
    ga_group group;
    int element;

    (void)arg;
    ga_group_open(&group, GA_COLLECT);
    send_range_task *sender = send_range_start(&group, channel, 1, 3);

    ga_sleep(0.1);
    ga_channel_close(channel);
    ga_channel_close(channel);
    assert_int_equal(ga_task_join(sender->task), GA_ECLOSED); /* the third one was not sent */
    assert_int_equal(ga_channel_send(channel, &element), GA_ECLOSED);
    assert_int_equal(ga_channel_try_send(channel, &element), GA_ECLOSED);
    assert_int_equal(ga_channel_receive(channel, &element), 0);
    assert_int_equal(element, 1);
    assert_int_equal(ga_channel_try_receive(channel, &element), 0);
    assert_int_equal(element, 2);
    assert_int_equal(ga_channel_receive(channel, &element), GA_ECLOSED);
    assert_int_equal(ga_channel_try_receive(channel, &element), GA_ECLOSED);
    assert_int_equal(ga_error()->code, GA_ECLOSED);
    ga_channel_free(channel);

    /* Freeing closes: who waits is let go before the memory is. */
    channel = ga_channel_new(sizeof(int), 0);
    receive_one_task *receiver = receive_one_start(&group, channel);

    ga_sleep(0.1);
    ga_channel_free(channel);
    assert_int_equal(ga_task_join(receiver->task), GA_ECLOSED);
    ga_group_close(&group);
    return 0;
}

static void a_closed_channel_gives_what_was_sent_and_then_ends(void **state)
{
    (void)state;
    simulate(close_it, NULL);
}

struct record {
    char name[37];
    int number;
};

static int send_records(void *arg)
{
    ga_auto(ga_channel) channel = ga_channel_new(sizeof(struct record), 2);
    struct record record = {.number = 1};

    (void)arg;
    for (int round = 0; round < 10; round++) {
        strcpy(record.name, "the first");
        assert_int_equal(ga_channel_send(channel, &record), 0);
        strcpy(record.name, "the second");
        record.number++;
        assert_int_equal(ga_channel_send(channel, &record), 0);
        memset(&record, 0xff, sizeof record);
        assert_int_equal(ga_channel_receive(channel, &record), 0);
        assert_string_equal(record.name, "the first");
        assert_int_equal(ga_channel_receive(channel, &record), 0);
        assert_string_equal(record.name, "the second");
    }
    assert_int_equal(record.number, 11);
    return 0;
}

static void elements_of_any_size_are_copied(void **state)
{
    (void)state;
    simulate(send_records, NULL);
}

static int mistakes(void *arg)
{
    ga_auto(ga_channel) channel = ga_channel_new(sizeof(int), 2);
    double number = 1;
    int element = 1;

    (void)arg;
    assert_int_equal(ga_channel_send(channel, &number), GA_EUSAGE);
    assert_int_equal(ga_channel_try_send(channel, &number), GA_EUSAGE);
    assert_int_equal(ga_channel_receive(channel, &number), GA_EUSAGE);
    assert_int_equal(ga_channel_try_receive(channel, &number), GA_EUSAGE);
    assert_int_equal(ga_channel_count(channel), 0);

    assert_null(ga_channel_new(0, 1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    ga_auto(ga_channel) none = ga_channel_new(SIZE_MAX / 2, 3);

    assert_null(none);
    assert_int_equal(ga_error()->code, GA_ENOMEM);
    assert_int_equal(ga_channel_send(none, &element), GA_ENOMEM); /* the error before stays */
    assert_int_equal(ga_channel_receive(none, &element), GA_ENOMEM);
    ga_channel_close(none);
    assert_int_equal(ga_channel_count(none), 0);
    return 0;
}

static void wrong_sizes_and_missing_channels_are_errors(void **state)
{
    (void)state;
    simulate(mistakes, NULL);
}

/* Senders and receivers that are cancelled at any moment: each number that was sent arrives, once; each that
 * was not, does not. */
enum { SENDERS = 4, RECEIVERS = 3 };

struct market {
    ga_channel *channel;
    uint64_t random;
    int sent[SENDERS]; /* numbers from 1 whose send succeeded */
    int arrived[SENDERS];
    uint64_t sums[SENDERS]; /* of the numbers that arrived */
    size_t total;
};

static uint64_t draw(struct market *market, uint64_t below)
{
    market->random = market->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (market->random >> 33) % below;
}

struct parcel {
    int from, number;
};

static int keep_sending(struct market *market, int me)
{
    struct parcel parcel = {.from = me, .number = market->sent[me] + 1};
    int code;

    while ((code = ga_channel_send(market->channel, &parcel)) == 0) {
        market->sent[me]++;
        parcel.number++;
    }
    return code;
}
GA_TASK(int, keep_sending, struct market *, int);

static void arrive(struct market *market, const struct parcel *parcel)
{
    market->arrived[parcel->from]++;
    market->sums[parcel->from] += (uint64_t)parcel->number;
    market->total++;
}

static int keep_receiving(struct market *market)
{
    struct parcel parcel;
    int code;

    while ((code = ga_channel_receive(market->channel, &parcel)) == 0) {
        arrive(market, &parcel);
        if (draw(market, 4) == 0 && (code = ga_yield()) < 0)
            break;
    }
    return code;
}
GA_TASK(int, keep_receiving, struct market *);

static int trade(struct market *market)
{
    ga_task *tasks[SENDERS + RECEIVERS];
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < SENDERS; i++)
        tasks[i] = keep_sending_start(&group, market, i)->task;
    for (int i = SENDERS; i < SENDERS + RECEIVERS; i++)
        tasks[i] = keep_receiving_start(&group, market)->task;
    for (int left = SENDERS + RECEIVERS; left; left--) {
        for (uint64_t yields = draw(market, 20); yields; yields--)
            ga_yield();
        ga_task_cancel(tasks[draw(market, SENDERS + RECEIVERS)]);
    }
    ga_group_close(&group);
    return 0;
}

static int trade_all(void *arg)
{
    struct market *market = arg;
    size_t total = check_slowed() ? 20000 : 1000000;
    struct parcel parcel;

    while (market->total < total)
        trade(market);
    while (ga_channel_try_receive(market->channel, &parcel) == 0)
        arrive(market, &parcel);
    for (int i = 0; i < SENDERS; i++) {
        uint64_t sent = (uint64_t)market->sent[i];

        assert_int_equal(market->arrived[i], sent);
        assert_int_equal(market->sums[i], sent * (sent + 1) / 2);
    }
    return 0;
}

static void nothing_is_lost_or_doubled_among_cancellations(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct market market = {.random = seed};
        size_t capacity = seed - 1;

        market.channel = ga_channel_new(sizeof(struct parcel), capacity);
        assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, seed, trade_all, &market), 0);
        ga_channel_free(market.channel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_come_in_order_at_any_capacity),
        cmocka_unit_test(a_full_channel_makes_senders_wait_in_line),
        cmocka_unit_test(a_rendezvous_hands_over_in_the_order_of_the_receivers),
        cmocka_unit_test(a_cancelled_send_or_receive_did_not_happen),
        cmocka_unit_test(a_closed_channel_gives_what_was_sent_and_then_ends),
        cmocka_unit_test(elements_of_any_size_are_copied),
        cmocka_unit_test(wrong_sizes_and_missing_channels_are_errors),
        cmocka_unit_test(nothing_is_lost_or_doubled_among_cancellations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
