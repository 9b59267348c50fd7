/* SPDX-License-Identifier: MIT */
/* Plain streams over real sockets: data, ends, resets, deadlines, cancellation, and how many calls they cost.
 */
#include "loopback.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- data ----------------------------------------------------------------------------------------- */

CASE(a_byte_goes_each_way)
{
    loopback link;

    loopback_open(&link);
    exchange_bytes(&link.client, &link.server);
    loopback_close(&link);
}

CASE(ten_megabytes_go_both_ways_at_once)
{
    loopback link;

    loopback_open(&link);
    exchange_large(&link.client, &link.server);
    loopback_close(&link);
}

static int send_parts(void *argument)
{
    struct iovec parts[40];
    static char bytes[40][5000];

    for (int i = 0; i < 40; i++) {
        memset(bytes[i], 'A' + i, sizeof bytes[i]);
        parts[i] = (struct iovec){.iov_base = bytes[i], .iov_len = i % 3 == 2 ? 0 : sizeof bytes[i]};
    }
    return ga__stream_send(argument, parts, 40, GA__NEVER, GA__NEVER);
}

CASE(parts_arrive_in_their_order)
{
    loopback link;
    ga_group group;
    char buffer[5000];
    int small = 4096;

    loopback_open(&link);
    assert_int_equal(setsockopt(link.client.fd.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, send_parts, &link.client);
    for (int i = 0; i < 40; i++) {
        for (size_t left = i % 3 == 2 ? 0 : sizeof buffer; left > 0;) {
            ssize_t count = ga__stream_recv(&link.server, buffer, left, in_seconds(30));

            assert_true(count > 0);
            for (ssize_t at = 0; at < count; at++)
                assert_int_equal(buffer[at], 'A' + i);
            left -= (size_t)count;
        }
    }
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    loopback_close(&link);
}

CASE(unix_sockets_carry_data_and_leave_no_path)
{
    ga__address address;
    loopback link;
    char *directory = check_mkdtemp();
    char path[108];

    snprintf(path, sizeof path, "%s/socket", directory);
    assert_true(ga__address_unix(&address, path));
    loopback_open_at(&link, &address);
    assert_int_equal(send_text(&link.client, "over a path"), 0);
    expect_text(&link.server, "over a path");
    loopback_close(&link);
    assert_int_equal(access(path, F_OK), -1);
    assert_true(ga__address_unix(&address, "@gather-test"));
    loopback_open_at(&link, &address);
    assert_int_equal(send_text(&link.client, "over a name"), 0);
    expect_text(&link.server, "over a name");
    loopback_close(&link);
    check_rmdir(directory);
    free(directory);
}

/* --- what it costs -------------------------------------------------------------------------------- */

CASE(a_message_costs_one_send_and_one_recv)
{
    loopback link;
    char buffer[4096];

    loopback_open(&link);
    count_calls();
    for (int i = 0; i < 100; i++) {
        assert_int_equal(send_text(&link.client, "a request"), 0);
        assert_int_equal(ga__stream_recv(&link.server, buffer, sizeof buffer, GA__NEVER), 9);
        assert_int_equal(send_text(&link.server, "an answer"), 0);
        assert_int_equal(ga__stream_recv(&link.client, buffer, sizeof buffer, GA__NEVER), 9);
    }
    assert_int_equal(calls.sends, 200);
    assert_int_equal(calls.recvs, 200);
    loopback_close(&link);
}

CASE(a_short_read_ends_the_drain)
{
    loopback link;
    char buffer[64];

    loopback_open(&link);
    assert_int_equal(ga__stream_recv_now(&link.client, buffer, sizeof buffer), GA_EAGAIN);
    assert_int_equal(send_text(&link.server, "abcdef"), 0);
    assert_int_equal(ga__stream_wait_readable(&link.client, in_seconds(30)), 0);
    assert_int_equal(ga__stream_recv_now(&link.client, buffer, 4), 4);
    count_calls();
    assert_int_equal(ga__stream_wait_readable(&link.client, GA__NEVER), 0); /* more may be there: no wait */
    assert_int_equal(ga__stream_recv_now(&link.client, buffer, 4), 2);
    assert_int_equal(ga__stream_recv_now(&link.client, buffer, 4), GA_EAGAIN);
    assert_int_equal(calls.recvs, 1);
    loopback_close(&link);
}

/* --- ends and breaks ------------------------------------------------------------------------------ */

CASE(the_end_is_noticed_behind_data)
{
    loopback link;
    char buffer[64];

    loopback_open(&link);
    assert_int_equal(send_text(&link.server, "bye"), 0);
    ga__stream_close(&link.server);
    assert_int_equal(ga__stream_recv(&link.client, buffer, sizeof buffer, in_seconds(30)), 3);
    assert_int_equal(ga__stream_recv(&link.client, buffer, sizeof buffer, in_seconds(30)), 0);
    assert_int_equal(ga__stream_recv(&link.client, buffer, sizeof buffer, in_seconds(30)), 0);
    assert_true(link.client.eof);
    assert_false(link.client.truncated);
    loopback_close(&link);
}

CASE(the_end_is_noticed_after_data)
{
    loopback link;
    char buffer[64];

    loopback_open(&link);
    assert_int_equal(send_text(&link.server, "bye"), 0);
    assert_int_equal(ga__stream_recv(&link.client, buffer, sizeof buffer, in_seconds(30)), 3);
    ga__stream_close(&link.server);
    assert_int_equal(ga__stream_recv(&link.client, buffer, sizeof buffer, in_seconds(30)), 0);
    loopback_close(&link);
}

static void reset_by(ga__stream *stream)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    assert_int_equal(setsockopt(stream->fd.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    ga__stream_abort(stream);
}

CASE(a_reset_has_its_own_code)
{
    loopback link;
    char buffer[64];

    loopback_open(&link);
    reset_by(&link.server);
    assert_int_equal(ga__stream_recv(&link.client, buffer, sizeof buffer, in_seconds(30)), GA_ERESET);
    assert_int_equal(ga_error()->code, GA_ERESET);
    assert_int_equal(ga_error()->os_error, ECONNRESET);
    assert_non_null(strstr(ga_error_message(), link.client.peer));
    assert_int_equal(ga__stream_recv_now(&link.client, buffer, sizeof buffer), GA_ERESET); /* and so on */
    assert_int_equal(send_text(&link.client, "x"), GA_ERESET);
    assert_false(ga__stream_idle_ok(&link.client, 0));
    loopback_close(&link);
}

CASE(what_came_before_a_reset_can_be_received)
{
    loopback link;
    char buffer[64];

    loopback_open(&link);
    assert_int_equal(send_text(&link.server, "no more, please"), 0);
    assert_int_equal(send_text(&link.client, "unread"), 0);
    ga__stream_close(&link.server); /* with bytes unread: a reset */
    assert_int_equal(send_text(&link.client, "more"), GA_ERESET);
    /* at once, though the poller has not told yet */
    assert_int_equal(ga__stream_recv_now(&link.client, buffer, sizeof buffer), 15);
    assert_int_equal(ga__stream_recv(&link.client, buffer, sizeof buffer, in_seconds(30)), GA_ERESET);
    loopback_close(&link);
}

/* The peer has closed its own side, and takes more than its socket holds only later. */
CASE(sending_to_a_half_closed_peer_waits_its_turn)
{
    loopback link;
    ga_group group;
    char buffer[64];

    loopback_open(&link);
    ga__stream_shutdown(&link.server);
    assert_int_equal(send_text(&link.server, "x"), GA_ERESET);
    assert_int_equal(ga__stream_recv(&link.client, buffer, sizeof buffer, in_seconds(30)), 0);
    count_calls();
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, send_large, &link.client);
    ga_sleep(0.05);
    assert_true(calls.sends < 100);
    ga_spawn(&group, receive_large, &link.server);
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    loopback_close(&link);
}

static int closed(void *argument)
{
    ga__stream stream;
    char byte;

    (void)argument;
    ga__stream_init(&stream);
    assert_false(ga__stream_is_open(&stream));
    assert_int_equal(ga__stream_recv(&stream, &byte, 1, GA__NEVER), GA_ECLOSED);
    assert_int_equal(send_text(&stream, "x"), GA_ECLOSED);
    assert_false(ga__stream_idle_ok(&stream, 0));
    ga__stream_close(&stream);
    return 0;
}

static void a_closed_stream_says_so(void **state)
{
    ga__stream stream;

    (void)state;
    run(closed);
    ga__stream_init(&stream);
    assert_int_equal(ga__stream_wait_readable(&stream, GA__NEVER), GA_ENOTASK);
}

/* --- time and cancellation ------------------------------------------------------------------------ */

CASE(receiving_has_a_deadline_and_can_go_on)
{
    loopback link;
    char buffer[64];

    loopback_open(&link);
    assert_int_equal(ga__stream_recv(&link.client, buffer, sizeof buffer, in_seconds(0.02)), GA_ETIMEDOUT);
    assert_non_null(strstr(ga_error_message(), link.client.peer));
    assert_int_equal(send_text(&link.server, "late"), 0);
    assert_int_equal(ga__stream_recv(&link.client, buffer, sizeof buffer, in_seconds(30)), 4);
    loopback_close(&link);
}

CASE(sending_fails_without_progress_or_at_the_deadline)
{
    static char bytes[LARGE];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};
    loopback link;

    loopback_open(&link);
    assert_int_equal(ga__stream_send(&link.client, &part, 1, GA__NEVER, 20000000), GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, "write");
    assert_true(link.client.bytes_sent > 0 && link.client.bytes_sent < LARGE);
    assert_false(ga__stream_idle_ok(&link.client, 0)); /* half a message stands on it */
    loopback_close(&link);
    loopback_open(&link);
    assert_int_equal(ga__stream_send(&link.client, &part, 1, in_seconds(0.02), GA__NEVER), GA_ETIMEDOUT);
    assert_null(ga_error()->timeout);
    loopback_close(&link);
}

static int send_patiently(void *argument)
{
    static char bytes[8000000];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};

    return ga__stream_send(argument, &part, 1, GA__NEVER, 400000000);
}

CASE(progress_renews_the_time_to_send)
{
    static char buffer[400000];
    double began = check_now();
    loopback link;
    ga_group group;
    int small = 65536;

    loopback_open(&link);
    assert_int_equal(setsockopt(link.client.fd.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    assert_int_equal(setsockopt(link.server.fd.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    ga_group_open(&group, GA_FAIL_FAST);
    ga_task *sender = ga_spawn(&group, send_patiently, &link.client);

    for (size_t done = 0; done < 8000000;) {
        if (done < 600000)
            ga_sleep(0.1);
        ssize_t count = ga__stream_recv(&link.server, buffer, sizeof buffer, in_seconds(30));

        assert_true(count > 0);
        done += (size_t)count;
    }
    assert_int_equal(ga_task_join(sender), 0);
    ga_group_close(&group);
    assert_true(check_now() - began > 0.4); /* it took longer than a stretch without progress may */
    loopback_close(&link);
}

static int receive_for_ever(void *argument)
{
    char byte;

    return (int)ga__stream_recv(argument, &byte, 1, GA__NEVER);
}

static int send_for_ever(void *argument)
{
    static char bytes[LARGE];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};

    return ga__stream_send(argument, &part, 1, GA__NEVER, GA__NEVER);
}

static int accept_for_ever(void *argument)
{
    ga__stream stream;

    ga__stream_init(&stream);
    return ga__listener_accept(argument, &stream, GA__NEVER);
}

CASE(each_wait_can_be_cancelled)
{
    loopback link;
    ga_group group;

    loopback_open(&link);
    ga_group_open(&group, GA_COLLECT);
    ga_task *tasks[] = {ga_spawn(&group, receive_for_ever, &link.client),
                        ga_spawn(&group, send_for_ever, &link.client),
                        ga_spawn(&group, accept_for_ever, &link.listener)};

    ga_sleep(0.02);
    for (int i = 0; i < 3; i++) {
        assert_false(ga_task_done(tasks[i]));
        ga_task_cancel(tasks[i]);
        assert_int_equal(ga_task_join(tasks[i]), GA_ECANCELED);
        assert_non_null(strstr(ga_task_error(tasks[i])->message, "127.0.0.1:"));
    }
    ga_group_close(&group);
    loopback_close(&link);
}

/* --- idle connections ----------------------------------------------------------------------------- */

CASE(an_idle_connection_with_data_is_not_ok)
{
    loopback link;
    char buffer[64];

    loopback_open(&link);
    assert_true(ga__stream_idle_ok(&link.client, 0));
    assert_int_equal(send_text(&link.server, "answer"), 0);
    expect_text(&link.client, "answer");
    assert_int_equal(ga__stream_recv_now(&link.client, buffer, sizeof buffer), GA_EAGAIN);
    count_calls();
    assert_true(ga__stream_idle_ok(&link.client, GA__NEVER));
    assert_int_equal(calls.recvs, 0);
    assert_true(ga__stream_idle_ok(&link.client, 0));
    assert_int_equal(calls.recvs, 1);
    ga_sleep(0.005);
    assert_int_equal(send_text(&link.server, "unasked"), 0);
    assert_false(ga__stream_idle_ok(&link.client, 0)); /* the poller has not seen it yet */
    assert_int_equal(calls.recvs, 2);
    ga_sleep(0.005);
    assert_false(ga__stream_idle_ok(&link.client, GA__NEVER)); /* now it has */
    expect_text(&link.client, "unasked");                      /* nothing was taken */
    loopback_close(&link);
}

CASE(an_idle_connection_is_asked_when_the_poller_has_not_looked)
{
    const uint64_t second = 1000000000, long_since = second / 20;
    loopback link;

    loopback_open(&link);
    count_calls();
    ga_sleep(0.08);
    assert_true(ga__stream_idle_ok(&link.client, long_since)); /* the poller has just told of nothing */
    assert_int_equal(calls.recvs, 0);
    usleep(80000);
    assert_true(ga__stream_idle_ok(&link.client, 3600 * second));
    assert_int_equal(calls.recvs, 0);
    assert_true(ga__stream_idle_ok(&link.client, long_since));
    assert_int_equal(calls.recvs, 1);
    assert_true(ga__stream_idle_ok(&link.client, long_since)); /* it was asked just now */
    assert_int_equal(calls.recvs, 1);
    ga_sleep(0.001);
    usleep(80000);
    ga__stream_close(&link.server);
    assert_false(ga__stream_idle_ok(&link.client, long_since));
    loopback_close(&link);
}

CASE(an_idle_connection_that_ended_is_not_ok)
{
    loopback link;

    loopback_open(&link);
    ga__stream_close(&link.server);
    assert_false(ga__stream_idle_ok(&link.client, 0));
    loopback_close(&link);
    loopback_open(&link);
    reset_by(&link.server);
    assert_false(ga__stream_idle_ok(&link.client, 0));
    loopback_close(&link);
}

/* --- addresses ------------------------------------------------------------------------------------ */

static void check_address(const char *text, const char *shown)
{
    ga__address address, again;
    char buffer[GA__ADDRESS_TEXT];

    assert_true(ga__address_ip(&address, text, 80));
    assert_string_equal(ga__address_text(&address, buffer, sizeof buffer), shown);
    assert_int_equal(ga__address_port(&address), 80);
    ga__address_from(&again, &address.as.any, address.size);
    assert_true(ga__address_equal(&address, &again));
    ga__address_set_port(&again, 81);
    assert_false(ga__address_equal(&address, &again));
}

static void addresses_are_read_and_written(void **state)
{
    static const char *const names[] = {
        "",     "127.1", "0x7f.0.0.1", "127.0.0.1 ",          "256.0.0.1", "[::1",
        "::1]", "[]",    "::1%",       "::1%nosuchinterface", "localhost", "127.0.0.1:80"};
    ga__address address;
    char text[200];

    (void)state;
    check_address("127.0.0.1", "127.0.0.1:80");
    check_address("::1", "[::1]:80");
    check_address("[2001:DB8::0:1]", "[2001:db8::1]:80");
    check_address("fe80::1%7", "[fe80::1%7]:80");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_false(ga__address_ip(&address, names[i], 80));
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_false(ga__address_ip(&address, text, 80));
    assert_false(ga__address_unix(&address, text));
    assert_false(ga__address_unix(&address, ""));
    text[107] = '\0';
    assert_true(ga__address_unix(&address, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_byte_goes_each_way),
        cmocka_unit_test(ten_megabytes_go_both_ways_at_once),
        cmocka_unit_test(parts_arrive_in_their_order),
        cmocka_unit_test(unix_sockets_carry_data_and_leave_no_path),
        cmocka_unit_test(a_message_costs_one_send_and_one_recv),
        cmocka_unit_test(a_short_read_ends_the_drain),
        cmocka_unit_test(the_end_is_noticed_behind_data),
        cmocka_unit_test(the_end_is_noticed_after_data),
        cmocka_unit_test(a_reset_has_its_own_code),
        cmocka_unit_test(what_came_before_a_reset_can_be_received),
        cmocka_unit_test(sending_to_a_half_closed_peer_waits_its_turn),
        cmocka_unit_test(a_closed_stream_says_so),
        cmocka_unit_test(receiving_has_a_deadline_and_can_go_on),
        cmocka_unit_test(sending_fails_without_progress_or_at_the_deadline),
        cmocka_unit_test(progress_renews_the_time_to_send),
        cmocka_unit_test(each_wait_can_be_cancelled),
        cmocka_unit_test(an_idle_connection_with_data_is_not_ok),
        cmocka_unit_test(an_idle_connection_is_asked_when_the_poller_has_not_looked),
        cmocka_unit_test(an_idle_connection_that_ended_is_not_ok),
        cmocka_unit_test(addresses_are_read_and_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
