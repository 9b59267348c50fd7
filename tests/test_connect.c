/* SPDX-License-Identifier: MIT */
/* Connecting: one address, several in turn, and the race of RFC 8305; what is reported, and that no socket is
 * left. */
#include "loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static ga__address at(const char *ip, int port)
{
    ga__address address;

    assert_true(ga__address_ip(&address, ip, (uint16_t)port));
    return address;
}

/* --- an address that never answers ---------------------------------------------------------------- */

enum { FILLERS = 2 };

/* A listening socket whose line is full: the system drops further attempts. */
typedef struct silence {
    int listener;
    int fillers[FILLERS];
    ga__address address;
} silence;

static void silence_open(silence *self)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    socklen_t size = sizeof any;

    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    self->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(self->listener, (struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(listen(self->listener, 0), 0);
    assert_int_equal(getsockname(self->listener, (struct sockaddr *)&any, &size), 0);
    for (int i = 0; i < FILLERS; i++) {
        self->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(self->fillers[i], (struct sockaddr *)&any, sizeof any);
    }
    ga__address_from(&self->address, (struct sockaddr *)&any, size);
    usleep(2000);
}

static void silence_close(silence *self)
{
    for (int i = 0; i < FILLERS; i++)
        close(self->fillers[i]);
    close(self->listener);
}

/* --- one address ---------------------------------------------------------------------------------- */

CASE(one_address_connects)
{
    ga__connect_report report;
    ga__listener listener;
    ga__stream client, server;

    listen_here(&listener);
    ga__stream_init(&client);
    ga__stream_init(&server);
    assert_int_equal(ga__connect(&client, &listener.address, 1, NULL, GA__NEVER, &report), 0);
    assert_int_equal(report.count, 1);
    assert_ptr_equal(report.attempts[0].address, &listener.address);
    assert_int_equal(report.attempts[0].os_error, 0);
    assert_non_null(strstr(client.peer, "127.0.0.1:"));
    assert_int_equal(ga__listener_accept(&listener, &server, in_seconds(30)), 0);
    assert_int_equal(send_text(&client, "hello"), 0);
    expect_text(&server, "hello");
    ga__stream_close(&client);
    ga__stream_close(&server);
    ga__listener_close(&listener);
}

CASE(a_refused_port_has_its_own_code)
{
    ga__address address = at("127.0.0.1", check_free_port());
    char text[GA__ADDRESS_TEXT];
    ga__connect_report report;
    ga__stream stream;

    ga__stream_init(&stream);
    assert_int_equal(ga__connect(&stream, &address, 1, NULL, GA__NEVER, &report), GA_EREFUSED);
    assert_int_equal(ga_error()->os_error, ECONNREFUSED);
    assert_non_null(strstr(ga_error_message(), ga__address_text(&address, text, sizeof text)));
    assert_int_equal(report.count, 1);
    assert_int_equal(report.attempts[0].os_error, ECONNREFUSED);
    assert_false(ga__stream_is_open(&stream));
}

CASE(what_cannot_be_reached_says_why)
{
    ga__stream stream;
    ga__address address;

    ga__stream_init(&stream);
    assert_int_equal(ga__connect(&stream, NULL, 0, NULL, GA__NEVER, NULL), GA_EUSAGE);
    assert_true(ga__address_unix(&address, "/nonexistent/socket"));
    assert_int_equal(ga__connect(&stream, &address, 1, NULL, GA__NEVER, NULL), GA_ECONNECT);
    assert_int_equal(ga_error()->os_error, ENOENT);
    assert_non_null(strstr(ga_error_message(), "/nonexistent/socket"));
    address = at("255.255.255.255", 80); /* a broadcast address is no place to connect to */
    assert_int_equal(ga__connect(&stream, &address, 1, NULL, GA__NEVER, NULL), GA_EUNREACHABLE);
}

CASE(the_local_address_can_be_chosen)
{
    ga__address local = at("127.0.0.2", 0), foreign = at("192.0.2.1", 0), both[2];
    ga__connect_options options = {.local = &local};
    ga__connect_report report;
    struct sockaddr_in peer = {0};
    socklen_t size = sizeof peer;
    loopback link;

    listen_here(&link.listener);
    ga__stream_init(&link.client);
    ga__stream_init(&link.server);
    both[0] = at("::1", 1); /* of the other family: left out */
    both[1] = link.listener.address;
    assert_int_equal(ga__connect(&link.client, both, 2, &options, GA__NEVER, &report), 0);
    assert_int_equal(report.count, 1);
    assert_int_equal(ga__listener_accept(&link.listener, &link.server, in_seconds(30)), 0);
    assert_int_equal(getpeername(link.server.fd.fd, (struct sockaddr *)&peer, &size), 0);
    assert_int_equal(ntohl(peer.sin_addr.s_addr), 0x7f000002);
    ga__stream_close(&link.client);
    options.local = &foreign;
    assert_int_equal(ga__connect(&link.client, &both[1], 1, &options, GA__NEVER, NULL), GA_ECONNECT);
    assert_int_equal(ga_error()->os_error, EADDRNOTAVAIL);
    loopback_close(&link);
}

CASE(an_address_that_does_not_answer_ends_at_the_deadline)
{
    ga__stream stream;
    silence dead;

    silence_open(&dead);
    ga__stream_init(&stream);
    assert_int_equal(ga__connect(&stream, &dead.address, 1, NULL, in_seconds(0.05), NULL), GA_ETIMEDOUT);
    assert_non_null(strstr(ga_error_message(), "127.0.0.1:"));
    assert_non_null(strstr(ga_error_message(), "no answer"));
    assert_false(ga__stream_is_open(&stream));
    silence_close(&dead);
}

/* --- several addresses ---------------------------------------------------------------------------- */

CASE(the_next_address_follows_a_refusal_at_once)
{
    ga__connect_report report;
    loopback link;

    listen_here(&link.listener);
    ga__stream_init(&link.client);
    ga__stream_init(&link.server);
    ga__address both[] = {at("127.0.0.1", check_free_port()), link.listener.address};

    assert_int_equal(ga__connect(&link.client, both, 2, NULL, GA__NEVER, &report), 0);
    assert_int_equal(report.count, 2);
    assert_int_equal(report.attempts[0].os_error, ECONNREFUSED);
    assert_int_equal(report.attempts[1].os_error, 0);
    assert_ptr_equal(report.attempts[1].address, &both[1]);
    assert_true(report.attempts[1].started_ms < 200); /* a refusal is not waited out */
    assert_int_equal(ga__listener_accept(&link.listener, &link.server, in_seconds(30)), 0);
    loopback_close(&link);
}

CASE(families_take_turns)
{
    int port = check_free_port();
    ga__address all[] = {at("127.0.0.1", port), at("127.0.0.2", port), at("127.0.0.3", port),
                         at("::1", port)};
    static const int order[] = {0, 3, 1, 2};
    ga__connect_report report;
    ga__stream stream;

    ga__stream_init(&stream);
    assert_int_equal(ga__connect(&stream, all, 4, NULL, GA__NEVER, &report), GA_EREFUSED);
    assert_int_equal(report.count, 4);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(report.attempts[i].address, &all[order[i]]);
    assert_non_null(strstr(ga_error_message(), "127.0.0.3:"));
    assert_non_null(strstr(ga_error_message(), "[::1]:"));
}

CASE(more_addresses_than_the_report_holds)
{
    static ga__address all[100];
    ga__connect_report report;
    ga__stream stream;

    for (int i = 0; i < 100; i++)
        all[i] = at("127.0.0.1", check_free_port());
    ga__stream_init(&stream);
    assert_int_equal(ga__connect(&stream, all, 100, NULL, GA__NEVER, &report), GA_EREFUSED);
    assert_true(report.count > GA__CONNECT_REPORT);
    assert_non_null(strstr(ga_error_message(), "more"));
}

CASE(a_silent_address_does_not_hold_up_the_others)
{
    ga__connect_report report;
    loopback link;
    silence dead;

    silence_open(&dead);
    listen_here(&link.listener);
    ga__stream_init(&link.client);
    ga__stream_init(&link.server);
    ga__address all[] = {dead.address, at("127.0.0.1", check_free_port()), dead.address,
                         link.listener.address};
    double began = check_now();

    assert_int_equal(ga__connect(&link.client, all, 4, NULL, in_seconds(30), &report), 0);
    /* the head starts of the first and the third; that there are no more is for connect_sim's clock */
    assert_true(check_now() - began > 0.49);
    assert_int_equal(report.count, 4);
    assert_int_equal(report.attempts[0].os_error, EINPROGRESS);
    assert_int_equal(report.attempts[1].os_error, ECONNREFUSED);
    assert_int_equal(report.attempts[2].os_error, EINPROGRESS);
    assert_int_equal(report.attempts[3].os_error, 0);
    assert_true(report.attempts[1].started_ms >= 250 && report.attempts[3].started_ms >= 500);
    assert_int_equal(ga__listener_accept(&link.listener, &link.server, in_seconds(30)), 0);
    assert_null(link.client.fd.on_event);
    for (int i = 0; i < 3; i++) { /* events find the socket where it is now */
        assert_int_equal(send_text(&link.client, "ping"), 0);
        expect_text(&link.server, "ping");
        assert_int_equal(send_text(&link.server, "pong"), 0);
        expect_text(&link.client, "pong");
    }
    loopback_close(&link);
    silence_close(&dead);
}

static int make_room(void *argument)
{
    const silence *dead = argument;

    for (;;) {
        int fd = accept(dead->listener, NULL, NULL);

        if (fd >= 0)
            close(fd);
        if (ga_sleep(0.02) < 0)
            return GA_ECANCELED;
    }
}

/* The system tries again a second after its first, and is heard then. */
CASE(a_late_answer_counts)
{
    ga__connect_report report;
    ga__stream stream;
    ga_group group;
    silence late;

    silence_open(&late);
    ga__stream_init(&stream);
    ga_group_open(&group, GA_COLLECT);
    ga__address all[] = {late.address, at("127.0.0.1", check_free_port())};
    ga_task *task = ga_spawn(&group, make_room, &late);

    assert_int_equal(ga__connect(&stream, all, 2, NULL, in_seconds(30), &report), 0);
    assert_int_equal(report.count, 2);
    assert_int_equal(report.attempts[0].os_error, 0);
    assert_true(report.attempts[0].took_ms > 250);
    assert_int_equal(report.attempts[1].os_error, ECONNREFUSED);
    ga_task_cancel(task);
    assert_int_equal(ga_task_join(task), GA_ECANCELED);
    ga_group_close(&group);
    ga__stream_close(&stream);
    silence_close(&late);
}

CASE(a_race_that_nobody_wins_ends_at_the_deadline)
{
    ga__stream stream;
    silence dead;

    silence_open(&dead);
    ga__stream_init(&stream);
    ga__address all[] = {dead.address, dead.address, at("127.0.0.1", check_free_port())};

    assert_int_equal(ga__connect(&stream, all, 3, NULL, in_seconds(0.6), NULL), GA_ETIMEDOUT);
    assert_non_null(strstr(ga_error_message(), "no answer"));
    assert_non_null(strstr(ga_error_message(), "refused"));
    silence_close(&dead);
}

/* --- cancellation --------------------------------------------------------------------------------- */

static int connect_to_silence(void *argument)
{
    ga__address all[3];
    ga__stream stream;

    for (int i = 0; i < 3; i++)
        all[i] = ((silence *)argument)->address;
    ga__stream_init(&stream);
    return ga__connect(&stream, all, 3, NULL, GA__NEVER, NULL);
}

static int cancelled_after(double seconds)
{
    ga_group group;
    silence dead;

    silence_open(&dead);
    int before = check_open_descriptors();

    ga_group_open(&group, GA_COLLECT);
    ga_task *task = ga_spawn(&group, connect_to_silence, &dead);

    ga_sleep(seconds);
    assert_true(seconds == 0 || check_open_descriptors() > before);
    ga_task_cancel(task);
    assert_int_equal(ga_task_join(task), GA_ECANCELED);
    assert_int_equal(check_open_descriptors(), before);
    ga_group_close(&group);
    silence_close(&dead);
    return 0;
}

CASE(cancellation_leaves_no_socket)
{
    cancelled_after(0);    /* before it begins */
    cancelled_after(0.05); /* in the head start */
    cancelled_after(0.3);  /* with two in the race */
    cancelled_after(0.7);  /* with three */
}

/* --- unix sockets --------------------------------------------------------------------------------- */

static int accept_later(void *argument)
{
    ga__stream streams[3];

    ga_sleep(0.05);
    for (int i = 0; i < 3; i++) {
        ga__stream_init(&streams[i]);
        assert_int_equal(ga__listener_accept(argument, &streams[i], in_seconds(30)), 0);
    }
    for (int i = 0; i < 3; i++)
        ga__stream_close(&streams[i]);
    return 0;
}

CASE(a_full_line_of_a_unix_socket_is_waited_for)
{
    ga__listener listener;
    ga__stream streams[3];
    ga__address address;
    ga_group group;

    assert_true(ga__address_unix(&address, "@gather-test-line"));
    assert_int_equal(ga__listener_open(&listener, &address, 1), 0);
    for (int i = 0; i < 3; i++)
        ga__stream_init(&streams[i]);
    for (int i = 0; i < 2; i++)
        assert_int_equal(ga__connect(&streams[i], &address, 1, NULL, GA__NEVER, NULL), 0);
    assert_int_equal(ga__connect(&streams[2], &address, 1, NULL, in_seconds(0.03), NULL), GA_ETIMEDOUT);
    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, accept_later, &listener);
    assert_int_equal(ga__connect(&streams[2], &address, 1, NULL, in_seconds(30), NULL), 0);
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    for (int i = 0; i < 3; i++)
        ga__stream_close(&streams[i]);
    ga__listener_close(&listener);
}

CASE(a_port_in_use_is_named)
{
    ga__listener first, second;

    listen_here(&first);
    assert_int_equal(ga__listener_open(&second, &first.address, 0), GA_ESYSTEM);
    assert_int_equal(ga_error()->os_error, EADDRINUSE);
    assert_non_null(strstr(ga_error_message(), "127.0.0.1:"));
    ga__listener_close(&first);
    ga__listener_close(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_address_connects),
        cmocka_unit_test(a_refused_port_has_its_own_code),
        cmocka_unit_test(what_cannot_be_reached_says_why),
        cmocka_unit_test(the_local_address_can_be_chosen),
        cmocka_unit_test(an_address_that_does_not_answer_ends_at_the_deadline),
        cmocka_unit_test(the_next_address_follows_a_refusal_at_once),
        cmocka_unit_test(families_take_turns),
        cmocka_unit_test(more_addresses_than_the_report_holds),
        cmocka_unit_test(a_silent_address_does_not_hold_up_the_others),
        cmocka_unit_test(a_late_answer_counts),
        cmocka_unit_test(a_race_that_nobody_wins_ends_at_the_deadline),
        cmocka_unit_test(cancellation_leaves_no_socket),
        cmocka_unit_test(a_full_line_of_a_unix_socket_is_waited_for),
        cmocka_unit_test(a_port_in_use_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
