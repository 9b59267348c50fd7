/* SPDX-License-Identifier: MIT */
/*
 * Streams on the simulated network, plain and TLS, with faults from a seed. Where the network only delays and
 * cuts calls short, everything must arrive; where it breaks connections, what arrives is right, each call
 * ends, and nothing is left open.
 */
#include "certificates.h"
#include "check.h"

#include "io/connect.h"
#include "io/descriptors.h"
#include "io/listener.h"
#include "io/tls.h"
#include "sim/sim.h"

#include <string.h>

enum { MOST = 40000 };

/* One run: a client that sends `size` bytes and gets them back. */
typedef struct run {
    bool tls;
    bool lossless; /* all must arrive */
    ga__tls_config *client, *server;
    ga__listener listener;
    size_t size;
    uint64_t deadline;
    bool client_done, server_done;
    const char *wrong; /* what should never happen, or NULL */
} run;

static size_t random_below(size_t most)
{
    return ga__sim_random(ga__loop_here->poller) % most;
}

/* Receives all that comes back; wrong bytes are noted. @return how many, or negative */
static ssize_t receive(run *self, ga__stream *stream, size_t size)
{
    static char buffer[5000];
    size_t done = 0;

    while (done < size) {
        ssize_t count = ga__stream_recv(stream, buffer, 1 + random_below(sizeof buffer), self->deadline);

        if (count < 0)
            return count;
        if (count == 0)
            return (ssize_t)done;
        if (done + (size_t)count > size)
            self->wrong = "more came than was sent";
        for (ssize_t i = 0; i < count; i++)
            if ((unsigned char)buffer[i] != check_byte_at(done + (size_t)i))
                self->wrong = "a byte is wrong";
        done += (size_t)count;
    }
    return (ssize_t)done;
}

typedef struct sending {
    run *run;
    ga__stream *stream;
} sending;

static int send_everything(void *argument)
{
    static unsigned char bytes[MOST];
    sending *self = argument;

    for (size_t i = 0; i < MOST; i++)
        bytes[i] = check_byte_at(i);
    for (size_t done = 0; done < self->run->size;) {
        struct iovec parts[3];
        size_t before = done;

        for (int i = 0; i < 3; i++) {
            size_t left = self->run->size - done;
            size_t size = left > 0 ? random_below(left + 1) : 0;

            parts[i] = (struct iovec){.iov_base = bytes + done, .iov_len = size};
            done += size;
        }
        uint64_t sent = self->stream->bytes_sent;
        int code = ga__stream_send(self->stream, parts, 3, self->run->deadline, GA__NEVER);

        if (code < 0)
            return code;
        if (self->stream->bytes_sent - sent != done - before)
            self->run->wrong = "sending succeeded with bytes left";
    }
    return 0;
}

static int converse(run *self, ga__stream *stream)
{
    sending whole = {.run = self, .stream = stream};
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    ga_task *sender = ga_spawn(&group, send_everything, &whole);
    ssize_t count = receive(self, stream, self->size);
    int code = ga_task_join(sender);

    ga_group_close(&group);
    if (count < 0)
        return (int)count;
    return code ? code : (size_t)count == self->size ? 0 : GA_ETRUNCATED;
}

static int client(void *argument)
{
    run *self = argument;
    ga__stream stream;

    ga__stream_init(&stream);
    int code = ga__connect(&stream, &self->listener.address, 1, NULL, self->deadline, NULL);

    if (code == 0 && self->tls)
        code = ga__tls_connect(&stream, self->client, "localhost", 443, self->deadline);
    if (code == 0)
        code = converse(self, &stream);
    self->client_done = code == 0;
    ga__stream_close(&stream);
    return code;
}

static int server(void *argument)
{
    run *self = argument;
    ga__stream stream;

    ga__stream_init(&stream);
    int code = ga__listener_accept(&self->listener, &stream, self->deadline);

    if (code == 0 && self->tls)
        code = ga__tls_accept(&stream, self->server, self->deadline);
    if (code == 0)
        code = converse(self, &stream);
    if (code == 0) { /* the client may be last to read */
        char byte;

        ga__stream_recv(&stream, &byte, 1, self->deadline);
    }
    self->server_done = code == 0;
    ga__stream_close(&stream);
    return code;
}

/* Whether a call may end so: what a peer, a deadline or a cancellation brings about. */
static bool is_expected(int code)
{
    switch (code) {
    case GA_OK:
    case GA_ETIMEDOUT:
    case GA_ECANCELED:
    case GA_ERESET:
    case GA_EREFUSED:
    case GA_ECONNECT: /* reset before it was known to be connected */
    case GA_ETRUNCATED:
    case GA_ETLS: /* an end in the middle of a handshake */
        return true;
    default:
        return false;
    }
}

static int verdict(const run *self, const int codes[2])
{
    if (self->wrong)
        return ga_fail(GA_EUSAGE, "%s", self->wrong);
    for (int i = 0; i < 2; i++)
        if (!is_expected(codes[i]))
            return ga_fail(GA_EUSAGE, "a task ended with %s", ga_code_name(codes[i]));
    if (self->lossless && !(self->client_done && self->server_done))
        return ga_fail(GA_EUSAGE, "of %zu bytes not all arrived: %s and %s", self->size,
                       ga_code_name(codes[0]), ga_code_name(codes[1]));
    if (ga__descriptors_used() != 0)
        return ga_fail(GA_EUSAGE, "%zu descriptors are not given back", ga__descriptors_used());
    return 0;
}

static int scenario(void *argument)
{
    run self = *(const run *)argument;
    ga__address address;
    ga_group group;
    int codes[2];

    assert_true(ga__address_ip(&address, "127.0.0.1", 0));
    int code = ga__listener_open(&self.listener, &address, 0);

    if (code)
        return code;
    self.size = 1 + random_below(random_below(4) ? 200 : MOST - 1);
    self.deadline = ga__deadline(ga__now_exact(), self.lossless ? 1e6 : 60);
    ga_group_open(&group, GA_COLLECT);
    ga_task *tasks[] = {ga_spawn(&group, client, &self), ga_spawn(&group, server, &self)};

    if (!self.lossless && random_below(2)) {
        ga_sleep((double)random_below(1000) * 1e-4);
        ga_task_cancel(tasks[random_below(2)]);
    }
    for (int i = 0; i < 2; i++)
        codes[i] = ga_task_join(tasks[i]);
    ga_group_close(&group);
    ga__listener_close(&self.listener);
    return verdict(&self, codes);
}

/* --- the series ----------------------------------------------------------------------------------- */

static const ga__sim_options lossless[] = {
    {.short_read = 0.5, .short_write = 0.5, .again = 0.3},
    {.short_read = 0.9, .short_write = 0.9, .again = 0.5, .latency_max = 0.01, .buffer_size = 500},
    {.delay = 0.2, .delay_max = 2, .latency_max = 0.05, .buffer_size = 4096},
    {.again = 0.9, .buffer_size = 16, .latency_max = 0.001},
};

static void run_lossless(run *self, uint64_t seeds)
{
    self->lossless = true;
    for (size_t i = 0; i < sizeof lossless / sizeof *lossless; i++)
        assert_int_equal(ga__sim_run_seeds(1 + 1000 * i, seeds, &lossless[i], scenario, self), 0);
}

static void all_arrives_over_a_network_that_only_delays(void **state)
{
    run self = {.tls = false};

    (void)state;
    run_lossless(&self, CHECK_SANITIZED ? 50 : 300);
}

static void a_network_that_breaks_leaves_nothing_open(void **state)
{
    run self = {.tls = false};

    (void)state;
    assert_int_equal(ga__sim_run_seeds(1, CHECK_SANITIZED ? 500 : 5000, NULL, scenario, &self), 0);
}

static run over_tls(void)
{
    run self = {.tls = true,
                .client = ga__tls_config_new(&(ga__tls_options){.ca_pem = authority.certificate}),
                .server = ga__tls_config_server(localhost.certificate, localhost.key, NULL)};

    assert_true(self.client && self.server);
    return self;
}

static void all_arrives_over_tls(void **state)
{
    run self = over_tls();

    (void)state;
    run_lossless(&self, CHECK_SANITIZED ? 10 : 50);
    ga__tls_config_unref(self.client);
    ga__tls_config_unref(self.server);
}

static void tls_over_a_network_that_breaks_leaves_nothing_open(void **state)
{
    run self = over_tls();

    (void)state;
    assert_int_equal(ga__sim_run_seeds(1, CHECK_SANITIZED ? 100 : 1000, NULL, scenario, &self), 0);
    ga__tls_config_unref(self.client);
    ga__tls_config_unref(self.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_arrives_over_a_network_that_only_delays),
        cmocka_unit_test(a_network_that_breaks_leaves_nothing_open),
        cmocka_unit_test(all_arrives_over_tls),
        cmocka_unit_test(tls_over_a_network_that_breaks_leaves_nothing_open),
    };

    return cmocka_run_group_tests(tests, make_certificates, free_certificates);
}
