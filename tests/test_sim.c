/* SPDX-License-Identifier: MIT */
/*
 * The simulated loop: its clock, its connections, its faults, and that a seed replays exactly. The scenarios
 * are ordinary tasks that speak through the poller's table, as streams do.
 */
#include "check.h"

#include "sim/random.h"
#include "sim/sim.h"
#include "task/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static ga__poller *poller(void)
{
    return ga__loop_here->poller;
}

static const ga__poller_ops *ops(void)
{
    return ga__loop_here->poller->ops;
}

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* --- a small stream: what io/stream does, without its care ----------------------------------------- */

static int wait_for(ga__fd *fd, unsigned direction, double seconds)
{
    fd->ready &= (unsigned char)~direction;
    int code = ga__checkpoint();

    return code < 0
               ? code
               : ga__fd_wait(fd, direction, ga__deadline(ga__now_exact(), seconds), "a simulated socket");
}

static int listen_at(ga__fd *fd, uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int code;

    ga__fd_init(fd);
    code = ops()->open(poller(), fd, AF_INET, SOCK_STREAM);
    if (code == 0)
        code = ops()->bind(poller(), fd, (struct sockaddr *)&address, sizeof address);
    return code ? code : ops()->listen(poller(), fd, 10);
}

/* -errno of the connect, or GA_ETIMEDOUT, GA_ECANCELED (never as small as an errno that matters here). */
static int connect_to(ga__fd *fd, uint16_t port, double seconds)
{
    struct sockaddr_in address = loopback(port);
    int code;

    ga__fd_init(fd);
    code = ops()->open(poller(), fd, AF_INET, SOCK_STREAM);
    if (code < 0)
        return code;
    code = ops()->connect(poller(), fd, (struct sockaddr *)&address, sizeof address);
    if (code == -EINPROGRESS) {
        if (wait_for(fd, GA__WRITABLE, seconds) < 0)
            return -ETIMEDOUT;
        code = ops()->connect_result(poller(), fd);
    }
    return code;
}

static int accept_from(ga__fd *listener, ga__fd *accepted, double seconds)
{
    int code;

    ga__fd_init(accepted);
    while ((code = ops()->accept(poller(), listener, accepted)) == -EAGAIN)
        if (wait_for(listener, GA__READABLE, seconds) < 0)
            return -ETIMEDOUT;
    return code;
}

static ssize_t receive(ga__fd *fd, void *buffer, size_t size, double seconds)
{
    ssize_t count;

    while ((count = ops()->recv(poller(), fd, buffer, size, 0)) == -EAGAIN)
        if (wait_for(fd, GA__READABLE, seconds) < 0)
            return -ETIMEDOUT;
    return count;
}

static int send_all(ga__fd *fd, const char *bytes, size_t size, double seconds)
{
    while (size > 0) {
        struct iovec parts[2] = {{(char *)(uintptr_t)bytes, size / 3},
                                 {(char *)(uintptr_t)bytes + size / 3, size - size / 3}};
        ssize_t count = ops()->send(poller(), fd, parts, 2);

        if (count == -EAGAIN) {
            if (wait_for(fd, GA__WRITABLE, seconds) < 0)
                return -ETIMEDOUT;
            continue;
        }
        if (count < 0)
            return (int)count;
        bytes += count;
        size -= (size_t)count;
    }
    return 0;
}

static void close_fd(ga__fd *fd)
{
    ops()->close(poller(), fd);
}

/* Inside a task a failed cmocka assertion would leave its stack by longjmp, so a scenario says where it
 * failed. */
#define REQUIRE(condition)                                                   \
    do {                                                                     \
        if (!(condition))                                                    \
            return ga__fail(GA_EUSAGE, "line %d: %s", __LINE__, #condition); \
    } while (0)

static ga__sim_counters counters;

/* Runs the scenario without faults but for those given; no descriptor may stay open. */
static void run(ga__sim_options options, int (*fn)(void *arg), void *arg)
{
    options.counters = &counters;
    assert_int_equal(ga__run_on(ga__sim_new(&options), NULL, options.seed, fn, arg), 0);
    assert_int_equal(counters.open, 0);
    assert_int_equal(counters.in_flight, 0);
}

/* --- the clock ------------------------------------------------------------------------------------ */

static int sleep_a_year(void *arg)
{
    double start = ga_now();

    (void)arg;
    REQUIRE(ga_sleep(365 * 86400.0) == 0);
    double slept = ga_now() - start - 365 * 86400.0;

    REQUIRE(slept >= 0 && slept < 1e-4);
    return 0;
}

static void the_clock_jumps_over_a_sleep(void **state)
{
    double start = check_now();

    (void)state;
    run((ga__sim_options){.seed = 1}, sleep_a_year, NULL);
    assert_true(check_now() - start < 10);
}

static int spin_until_timeout(void *arg)
{
    ga_scope scope;
    long turns = 0;

    (void)arg;
    ga_scope_open(&scope, 0.01);
    while (ga_yield() == 0)
        turns++;
    REQUIRE(ga_scope_close(&scope) == GA_ETIMEDOUT);
    REQUIRE(turns > 10);
    return 0;
}

static void a_busy_task_does_not_stop_the_clock(void **state)
{
    (void)state;
    run((ga__sim_options){0}, spin_until_timeout, NULL);
}

/* --- connections ---------------------------------------------------------------------------------- */

enum { BYTES = 20000 };

static unsigned char pattern(size_t place)
{
    return (unsigned char)(place * 31 + (place >> 8));
}

/* Sends back what it gets, until the end. */
static int echo(void *listener)
{
    ga__fd fd;
    char buffer[700];
    ssize_t count = 0;
    int code = accept_from(listener, &fd, 100);

    if (code < 0)
        return 0;
    while ((count = receive(&fd, buffer, sizeof buffer, 100)) > 0)
        if (send_all(&fd, buffer, (size_t)count, 100) < 0)
            break;
    close_fd(&fd);
    return 0;
}

static int send_pattern(void *fd)
{
    static char bytes[BYTES];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)pattern(i);
    if (send_all(fd, bytes, sizeof bytes / 2, 100) == 0 &&
        send_all(fd, bytes + sizeof bytes / 2, sizeof bytes / 2, 100) == 0)
        ops()->shutdown(poller(), fd);
    return 0; /* a fault is no failure of the task's */
}

/* What the client got back before the end or an error. */
typedef struct outcome {
    int connected;
    size_t received;
    bool wrong;
    ssize_t last; /* 0, or -errno */
} outcome;

static void talk(outcome *result)
{
    ga__fd fd;
    ga_group group;
    unsigned char buffer[900];

    result->connected = connect_to(&fd, 80, 50);
    if (result->connected < 0) {
        close_fd(&fd);
        return;
    }
    ga_group_open(&group, GA_COLLECT);
    ga_spawn(&group, send_pattern, &fd);
    while ((result->last = receive(&fd, buffer, sizeof buffer, 50)) > 0)
        for (ssize_t i = 0; i < result->last; i++)
            result->wrong |= buffer[i] != pattern(result->received++);
    ga_group_cancel(&group);
    (void)ga_gather(&group);
    ga_group_close(&group);
    close_fd(&fd);
}

static int echo_scenario(void *arg)
{
    outcome *result = arg;
    ga__fd listener;
    ga_group group;

    memset(result, 0, sizeof *result);
    REQUIRE(listen_at(&listener, 80) == 0);
    ga_group_open(&group, GA_COLLECT);
    ga_spawn(&group, echo, &listener);
    talk(result);
    ga_group_close(&group);
    close_fd(&listener);
    return 0;
}

static void bytes_arrive_whole_and_in_order(void **state)
{
    outcome result;

    (void)state;
    run((ga__sim_options){0}, echo_scenario, &result);
    assert_int_equal(result.received, BYTES);
    assert_false(result.wrong);
    assert_int_equal(result.last, 0);
    assert_int_equal(counters.connections, 1);
    assert_int_equal(counters.bytes_sent, 2 * BYTES);
    assert_int_equal(counters.bytes_received, 2 * BYTES);
    assert_int_equal(counters.faults, 0);
}

static void short_calls_small_buffers_and_delays_lose_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        outcome result;

        run((ga__sim_options){.seed = seed,
                              .short_read = 0.8,
                              .short_write = 0.8,
                              .again = 0.4,
                              .latency_min = 1e-5,
                              .latency_max = 1e-4,
                              .buffer_size = 1 + seed * 7},
            echo_scenario, &result);
        assert_int_equal(result.received, BYTES);
        assert_false(result.wrong);
        assert_int_equal(result.last, 0);
        assert_true(counters.faults > 0);
    }
}

static int latency_scenario(void *arg)
{
    ga__fd listener, client, server;
    char byte;

    (void)arg;
    REQUIRE(listen_at(&listener, 80) == 0);
    double start = ga_now();

    REQUIRE(connect_to(&client, 80, 10) == 0);
    REQUIRE(ga_now() - start > 0.1999 && ga_now() - start < 0.2001); /* there and back */
    REQUIRE(accept_from(&listener, &server, 10) == 0);
    start = ga_now();
    REQUIRE(send_all(&client, "x", 1, 10) == 0);
    REQUIRE(receive(&server, &byte, 1, 10) == 1);
    REQUIRE(ga_now() - start > 0.0999 && ga_now() - start < 0.1001);
    close_fd(&client);
    close_fd(&server);
    close_fd(&listener);
    return 0;
}

static void news_travels_as_long_as_the_latency(void **state)
{
    (void)state;
    run((ga__sim_options){.latency_min = 0.1, .latency_max = 0.1}, latency_scenario, NULL);
}

static int pair(ga__fd *client, ga__fd *server)
{
    ga__fd listener;
    int code = listen_at(&listener, 80);

    if (code == 0)
        code = connect_to(client, 80, 10);
    if (code == 0)
        code = accept_from(&listener, server, 10);
    close_fd(&listener);
    return code;
}

static int half_close_scenario(void *arg)
{
    ga__fd client, server;
    char byte;

    (void)arg;
    REQUIRE(pair(&client, &server) == 0);
    REQUIRE(send_all(&client, "a", 1, 1) == 0);
    REQUIRE(ops()->shutdown(poller(), &client) == 0);
    REQUIRE(ops()->send(poller(), &client, &(struct iovec){"b", 1}, 1) == -EPIPE);
    REQUIRE(receive(&server, &byte, 1, 1) == 1 && byte == 'a');
    REQUIRE(receive(&server, &byte, 1, 1) == 0);
    REQUIRE(send_all(&server, "c", 1, 1) == 0);
    REQUIRE(receive(&client, &byte, 1, 1) == 1 && byte == 'c');
    close_fd(&server);
    REQUIRE(receive(&client, &byte, 1, 1) == 0);
    close_fd(&client);
    return 0;
}

static void one_direction_may_end_before_the_other(void **state)
{
    (void)state;
    run((ga__sim_options){0}, half_close_scenario, NULL);
}

static int unread_close_scenario(void *arg)
{
    ga__fd client, server;
    char byte;

    (void)arg;
    REQUIRE(pair(&client, &server) == 0);
    REQUIRE(send_all(&client, "unread", 6, 1) == 0);
    REQUIRE(ga_sleep(1) == 0);
    close_fd(&server);
    REQUIRE(receive(&client, &byte, 1, 1) == -ECONNRESET);
    REQUIRE(receive(&client, &byte, 1, 1) == 0); /* it is reported once */
    REQUIRE(ops()->send(poller(), &client, &(struct iovec){"b", 1}, 1) == -EPIPE);
    close_fd(&client);
    return 0;
}

static void a_close_with_unread_bytes_resets(void **state)
{
    (void)state;
    run((ga__sim_options){0}, unread_close_scenario, NULL);
}

static int late_send_scenario(void *arg)
{
    ga__fd client, server;

    (void)arg;
    REQUIRE(pair(&client, &server) == 0);
    close_fd(&server);
    REQUIRE(ga_sleep(1) == 0);
    REQUIRE(send_all(&client, "late", 4, 1) == 0); /* as with TCP, the first goes */
    REQUIRE(ga_sleep(1) == 0);
    REQUIRE(ops()->send(poller(), &client, &(struct iovec){"b", 1}, 1) == -ECONNRESET);
    close_fd(&client);
    return 0;
}

static void bytes_to_a_closed_peer_bring_a_reset(void **state)
{
    (void)state;
    run((ga__sim_options){.latency_max = 0.01}, late_send_scenario, NULL);
}

static int peek_scenario(void *arg)
{
    ga__fd client, server;
    char byte = 0;

    (void)arg;
    REQUIRE(pair(&client, &server) == 0);
    REQUIRE(ops()->recv(poller(), &server, &byte, 1, MSG_PEEK) == -EAGAIN);
    REQUIRE(send_all(&client, "p", 1, 1) == 0);
    REQUIRE(ga_sleep(1) == 0);
    REQUIRE(ops()->recv(poller(), &server, &byte, 1, MSG_PEEK) == 1 && byte == 'p');
    REQUIRE(receive(&server, &byte, 1, 1) == 1);
    close_fd(&client);
    close_fd(&server);
    return 0;
}

static void peeking_leaves_the_byte(void **state)
{
    (void)state;
    run((ga__sim_options){0}, peek_scenario, NULL);
}

static int back_pressure_scenario(void *arg)
{
    ga__fd client, server;
    char bytes[100] = {0};

    (void)arg;
    REQUIRE(pair(&client, &server) == 0);
    REQUIRE(ops()->send(poller(), &client, &(struct iovec){bytes, 100}, 1) == 64);
    REQUIRE(ops()->send(poller(), &client, &(struct iovec){bytes, 100}, 1) == -EAGAIN);
    REQUIRE(wait_for(&client, GA__WRITABLE, 5) == GA_ETIMEDOUT);
    REQUIRE(receive(&server, bytes, 10, 1) == 10);
    REQUIRE(wait_for(&client, GA__WRITABLE, 5) == 0);
    REQUIRE(ops()->send(poller(), &client, &(struct iovec){bytes, 100}, 1) == 10);
    close_fd(&client);
    close_fd(&server);
    return 0;
}

static void a_full_direction_refuses_more_until_it_is_read(void **state)
{
    (void)state;
    run((ga__sim_options){.buffer_size = 64}, back_pressure_scenario, NULL);
}

/* --- addresses ------------------------------------------------------------------------------------ */

static int address_scenario(void *arg)
{
    ga__fd first, second, client;
    struct sockaddr_in any = {.sin_family = AF_INET};
    struct sockaddr_storage local;

    (void)arg;
    ga__fd_init(&first);
    REQUIRE(ops()->open(poller(), &first, AF_INET, SOCK_STREAM) == 0);
    REQUIRE(ops()->listen(poller(), &first, 1) == -EINVAL);
    REQUIRE(ops()->bind(poller(), &first, (struct sockaddr *)&any, sizeof any) == 0);
    REQUIRE(ops()->listen(poller(), &first, 1) == 0);
    REQUIRE(ops()->local_address(poller(), &first, &local) == 0);
    uint16_t port = ntohs(((struct sockaddr_in *)(void *)&local)->sin_port);

    REQUIRE(port != 0);
    REQUIRE(connect_to(&client, port, 1) == 0); /* 0.0.0.0 listens on every address */
    REQUIRE(listen_at(&second, port) == 0);     /* the one address goes before it */
    close_fd(&second);
    REQUIRE(listen_at(&second, port) == 0);
    close_fd(&second);
    close_fd(&client);

    REQUIRE(connect_to(&client, (uint16_t)(port + 1), 1) == -ECONNREFUSED);
    close_fd(&client);
    close_fd(&first);
    REQUIRE(ops()->open(poller(), &first, AF_INET, SOCK_DGRAM) == -EPROTONOSUPPORT);
    REQUIRE(ops()->recv(poller(), &first, &local, 1, 0) == -EBADF);
    return 0;
}

static void ports_are_assigned_and_refused(void **state)
{
    (void)state;
    run((ga__sim_options){0}, address_scenario, NULL);
    assert_int_equal(counters.refused, 1);
}

static int unix_scenario(void *arg)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/api.sock"};
    ga__fd listener, client, server;
    char byte = 0;

    (void)arg;
    ga__fd_init(&listener);
    ga__fd_init(&client);
    REQUIRE(ops()->open(poller(), &client, AF_UNIX, SOCK_STREAM) == 0);
    REQUIRE(ops()->connect(poller(), &client, (struct sockaddr *)&address, sizeof address) == -ENOENT);
    REQUIRE(ops()->open(poller(), &listener, AF_UNIX, SOCK_STREAM) == 0);
    REQUIRE(ops()->bind(poller(), &listener, (struct sockaddr *)&address, sizeof address) == 0);
    REQUIRE(ops()->listen(poller(), &listener, 5) == 0);
    REQUIRE(ops()->connect(poller(), &client, (struct sockaddr *)&address, sizeof address) == 0);
    REQUIRE(accept_from(&listener, &server, 1) == 0);
    REQUIRE(send_all(&client, "u", 1, 1) == 0);
    REQUIRE(receive(&server, &byte, 1, 1) == 1 && byte == 'u');
    close_fd(&server);
    close_fd(&client);
    close_fd(&listener);
    return 0;
}

static void unix_sockets_connect_at_once(void **state)
{
    (void)state;
    run((ga__sim_options){0}, unix_scenario, NULL);
}

static int route_scenario(void *arg)
{
    ga__fd listener, client;
    struct sockaddr_in address = loopback(80);

    (void)arg;
    REQUIRE(listen_at(&listener, 80) == 0);
    ga__sim_set_route(poller(), (struct sockaddr *)&address, sizeof address, GA__SIM_UNREACHABLE, 0);
    REQUIRE(connect_to(&client, 80, 1) == -ENETUNREACH);
    close_fd(&client);
    ga__sim_set_route(poller(), (struct sockaddr *)&address, sizeof address, GA__SIM_REFUSING, 0.3);
    double start = ga_now();

    REQUIRE(connect_to(&client, 80, 1) == -ECONNREFUSED);
    REQUIRE(ga_now() - start > 0.2999);
    close_fd(&client);
    ga__sim_set_route(poller(), (struct sockaddr *)&address, sizeof address, GA__SIM_SILENT, 0);
    REQUIRE(connect_to(&client, 80, 60) == -ETIMEDOUT);
    close_fd(&client);
    ga__sim_set_route(poller(), (struct sockaddr *)&address, sizeof address, GA__SIM_NORMAL, 0);
    REQUIRE(connect_to(&client, 80, 1) == 0);
    close_fd(&client);
    close_fd(&listener);
    return 0;
}

static void routes_decide_how_a_connect_goes(void **state)
{
    (void)state;
    run((ga__sim_options){0}, route_scenario, NULL);
}

static int descriptor_scenario(void *arg)
{
    ga__fd listener, client, other;

    (void)arg;
    REQUIRE(listen_at(&listener, 80) == 0);
    REQUIRE(connect_to(&client, 80, 1) == 0);
    ga__fd_init(&other);
    REQUIRE(ops()->open(poller(), &other, AF_INET, SOCK_STREAM) == -EMFILE);
    REQUIRE(ops()->accept(poller(), &listener, &other) == -EMFILE);
    close_fd(&client);
    REQUIRE(accept_from(&listener, &other, 1) == 0); /* it kept its place */
    close_fd(&other);
    close_fd(&listener);
    return 0;
}

static void descriptors_run_out(void **state)
{
    (void)state;
    run((ga__sim_options){.descriptor_limit = 2}, descriptor_scenario, NULL);
}

static int backlog_scenario(void *arg)
{
    ga__fd listener, clients[3], server;
    struct sockaddr_in address = loopback(80);

    (void)arg;
    REQUIRE(listen_at(&listener, 81) == 0);
    close_fd(&listener);
    REQUIRE(ops()->open(poller(), &listener, AF_INET, SOCK_STREAM) == 0);
    REQUIRE(ops()->bind(poller(), &listener, (struct sockaddr *)&address, sizeof address) == 0);
    REQUIRE(ops()->listen(poller(), &listener, 2) == 0);
    REQUIRE(connect_to(&clients[0], 80, 1) == 0);
    REQUIRE(connect_to(&clients[1], 80, 1) == 0);
    REQUIRE(connect_to(&clients[2], 80, 1.5) == -ETIMEDOUT); /* the line is full */
    REQUIRE(accept_from(&listener, &server, 1) == 0);
    close_fd(&server);
    REQUIRE(wait_for(&clients[2], GA__WRITABLE, 1.5) == 0); /* it asked again */
    REQUIRE(ops()->connect_result(poller(), &clients[2]) == 0);
    close_fd(&listener); /* who was not accepted is turned away */
    char byte;

    REQUIRE(receive(&clients[2], &byte, 1, 1) == -ECONNRESET);
    for (int i = 0; i < 3; i++)
        close_fd(&clients[i]);
    return 0;
}

static void a_full_backlog_makes_clients_ask_again(void **state)
{
    (void)state;
    run((ga__sim_options){0}, backlog_scenario, NULL);
}

/* --- faults --------------------------------------------------------------------------------------- */

static int fault_scenario(void *arg)
{
    size_t *received = arg;
    ga__fd client, server;
    char bytes[200] = {0};
    ssize_t count;

    REQUIRE(pair(&client, &server) == 0);
    REQUIRE(send_all(&client, bytes, sizeof bytes, 1) == 0);
    *received = 0;
    while ((count = receive(&server, bytes, sizeof bytes, 1)) > 0)
        *received += (size_t)count;
    close_fd(&client);
    close_fd(&server);
    return (int)-count;
}

static int fault_result(ga__sim_options options, size_t *received)
{
    options.counters = &counters;
    int code = ga__run_on(ga__sim_new(&options), NULL, options.seed, fault_scenario, received);

    assert_int_equal(counters.open, 0);
    assert_int_equal(counters.in_flight, 0);
    return code;
}

static void each_fault_strikes_at_its_byte(void **state)
{
    bool partial = false;

    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        size_t received;

        assert_int_equal(
            fault_result((ga__sim_options){.seed = seed, .reset = 1, .fault_span = 200}, &received),
            ECONNRESET);
        assert_true(received < 200);
        assert_int_equal(
            fault_result((ga__sim_options){.seed = seed, .cut = 1, .fault_span = 200}, &received), 0);
        assert_true(received < 200);
        partial |= received > 0;
        assert_int_equal(
            fault_result((ga__sim_options){.seed = seed, .stall = 1, .fault_span = 200}, &received),
            ETIMEDOUT);
        assert_true(received < 200);
    }
    assert_true(partial);
}

static int refuse_scenario(void *arg)
{
    ga__fd listener, client;
    int code;

    (void)arg;
    REQUIRE(listen_at(&listener, 80) == 0);
    code = connect_to(&client, 80, 60);
    close_fd(&client);
    close_fd(&listener);
    return -code;
}

static void connects_are_refused_or_not_answered(void **state)
{
    ga__sim_options refusing = {.refuse = 1};
    ga__sim_options silent = {.silence = 1};

    (void)state;
    assert_int_equal(ga__run_on(ga__sim_new(&refusing), NULL, 0, refuse_scenario, NULL), ECONNREFUSED);
    assert_int_equal(ga__run_on(ga__sim_new(&silent), NULL, 0, refuse_scenario, NULL), ETIMEDOUT);
}

static int wait_for_nobody(void *arg)
{
    ga__fd listener, client;
    int code;

    (void)arg;
    REQUIRE(listen_at(&listener, 80) == 0);
    code = accept_from(&listener, &client, GA_FOREVER);
    close_fd(&listener);
    return code;
}

static void waiting_for_what_cannot_come_is_a_deadlock(void **state)
{
    (void)state;
    assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, 0, wait_for_nobody, NULL), GA_EDEADLK);
}

/* --- seeds ---------------------------------------------------------------------------------------- */

/* Whatever the faults, the bytes that came are right, and a clean end means either all of them or a cut. */
static int chaos_scenario(void *arg)
{
    outcome *result = arg;
    int code = echo_scenario(result);

    REQUIRE(!result->wrong);
    REQUIRE(result->received <= BYTES);
    REQUIRE(result->connected == 0 || result->connected == -ECONNREFUSED || result->connected == -ETIMEDOUT);
    REQUIRE(result->last == 0 || result->last == -ECONNRESET || result->last == -ETIMEDOUT);
    return code;
}

static void no_seed_breaks_the_echo(void **state)
{
    outcome result;

    (void)state;
    assert_int_equal(ga__sim_run_seeds(0, CHECK_SANITIZED ? 500 : 3000, NULL, chaos_scenario, &result), 0);
}

static void a_seed_replays_exactly(void **state)
{
    uint64_t before = 0;
    int different = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        ga__sim_options options = ga__sim_chaos(seed);
        ga__sim_counters first;
        outcome result;

        options.counters = &first;
        (void)ga__run_on(ga__sim_new(&options), NULL, seed, echo_scenario, &result);
        options.counters = &counters;
        (void)ga__run_on(ga__sim_new(&options), NULL, seed, echo_scenario, &result);
        assert_memory_equal(&first, &counters, sizeof first);
        different += counters.fingerprint != before;
        before = counters.fingerprint;
    }
    assert_int_equal(different, 50);
}

static int leave_a_descriptor(void *arg)
{
    static ga__fd fd;

    (void)arg;
    ga__fd_init(&fd);
    return ops()->open(poller(), &fd, AF_INET, SOCK_STREAM);
}

static int fail_at_seed_3(void *arg)
{
    int *runs = arg;

    return ++*runs == 4 ? ga__fail(GA_ERESET, "the fourth run fails on purpose") : 0;
}

static void a_failed_seed_ends_the_series(void **state)
{
    int runs = 0;

    (void)state;
    if (getenv("GATHER_SEED") || getenv("GATHER_SEEDS"))
        skip();
    assert_int_equal(ga__sim_run_seeds(0, 10, NULL, fail_at_seed_3, &runs), GA_ERESET);
    assert_int_equal(runs, 4);
    assert_int_equal(ga__sim_run_seeds(0, 10, NULL, leave_a_descriptor, NULL), GA_EUSAGE);
}

static void random_numbers_are_even(void **state)
{
    ga__random random = ga__random_of(1, 2);
    int buckets[10] = {0};

    (void)state;
    for (int i = 0; i < 100000; i++)
        buckets[ga__random_below(&random, 10)]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(buckets[i], 9500, 10500);
    assert_int_equal(ga__random_below(&random, 0), 0);
    for (int i = 0; i < 1000; i++) {
        double unit = ga__random_unit(&random);

        assert_true(unit >= 0 && unit < 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_numbers_are_even),
        cmocka_unit_test(the_clock_jumps_over_a_sleep),
        cmocka_unit_test(a_busy_task_does_not_stop_the_clock),
        cmocka_unit_test(bytes_arrive_whole_and_in_order),
        cmocka_unit_test(short_calls_small_buffers_and_delays_lose_nothing),
        cmocka_unit_test(news_travels_as_long_as_the_latency),
        cmocka_unit_test(one_direction_may_end_before_the_other),
        cmocka_unit_test(a_close_with_unread_bytes_resets),
        cmocka_unit_test(bytes_to_a_closed_peer_bring_a_reset),
        cmocka_unit_test(peeking_leaves_the_byte),
        cmocka_unit_test(a_full_direction_refuses_more_until_it_is_read),
        cmocka_unit_test(ports_are_assigned_and_refused),
        cmocka_unit_test(unix_sockets_connect_at_once),
        cmocka_unit_test(routes_decide_how_a_connect_goes),
        cmocka_unit_test(descriptors_run_out),
        cmocka_unit_test(a_full_backlog_makes_clients_ask_again),
        cmocka_unit_test(each_fault_strikes_at_its_byte),
        cmocka_unit_test(connects_are_refused_or_not_answered),
        cmocka_unit_test(waiting_for_what_cannot_come_is_a_deadlock),
        cmocka_unit_test(no_seed_breaks_the_echo),
        cmocka_unit_test(a_seed_replays_exactly),
        cmocka_unit_test(a_failed_seed_ends_the_series),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
