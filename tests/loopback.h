/* SPDX-License-Identifier: MIT */
/*
 * Two ends of a connection over loopback, both in this process and on one loop. A test's body runs as a task,
 * and must leave no descriptor open:
 *
 *     CASE(a_byte_goes_each_way)
 *     {
 *         loopback link;
 *
 *         loopback_open(&link);
 *         ...
 *         loopback_close(&link);
 *     }
 */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include "calls.h"
#include "check.h"

#include "io/connect.h"
#include "io/listener.h"
#include "task/loop.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct loopback {
    ga__listener listener;
    ga__stream client, server;
} loopback;

/** So many seconds from now, as a deadline. */
static inline uint64_t in_seconds(double seconds)
{
    return ga__deadline(ga__now_exact(), seconds);
}

/** Listens on a free port of 127.0.0.1. */
static inline void listen_here(ga__listener *listener)
{
    ga__address address;

    assert_true(ga__address_ip(&address, "127.0.0.1", 0));
    assert_int_equal(ga__listener_open(listener, &address, 0), 0);
}

static inline void loopback_open_at(loopback *self, const ga__address *address)
{
    assert_int_equal(ga__listener_open(&self->listener, address, 0), 0);
    ga__stream_init(&self->client);
    ga__stream_init(&self->server);
    assert_int_equal(ga__connect(&self->client, &self->listener.address, 1, NULL, in_seconds(30), NULL), 0);
    assert_int_equal(ga__listener_accept(&self->listener, &self->server, in_seconds(30)), 0);
}

static inline void loopback_open(loopback *self)
{
    ga__address address;

    assert_true(ga__address_ip(&address, "127.0.0.1", 0));
    loopback_open_at(self, &address);
}

static inline void loopback_close(loopback *self)
{
    ga__stream_close(&self->client);
    ga__stream_close(&self->server);
    ga__listener_close(&self->listener);
}

/** Sends one string, without a limit of time. */
static inline int send_text(ga__stream *stream, const char *text)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};

    return ga__stream_send(stream, &part, 1, GA__NEVER, GA__NEVER);
}

/** Receives exactly this string. */
static inline void expect_text(ga__stream *stream, const char *text)
{
    char buffer[256];
    size_t size = strlen(text), done = 0;

    while (done < size) {
        ssize_t count = ga__stream_recv(stream, buffer + done, size - done, in_seconds(30));

        assert_true(count > 0);
        done += (size_t)count;
    }
    assert_memory_equal(buffer, text, size);
}

/** A byte each way. */
static inline void exchange_bytes(ga__stream *client, ga__stream *server)
{
    assert_int_equal(send_text(client, "x"), 0);
    expect_text(server, "x");
    assert_int_equal(send_text(server, "y"), 0);
    expect_text(client, "y");
    assert_int_equal(client->bytes_sent, 1);
    assert_int_equal(client->bytes_received, 1);
}

enum { LARGE = 10 * 1000 * 1000 };

/** Sends LARGE bytes on the stream, in three parts, two of them small. */
static inline int send_large(void *stream)
{
    unsigned char *bytes = malloc(LARGE);

    assert_non_null(bytes);
    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = check_byte_at(i);
    struct iovec parts[] = {{.iov_base = bytes, .iov_len = 100},
                            {.iov_base = bytes + 100, .iov_len = LARGE - 200},
                            {.iov_base = bytes + LARGE - 100, .iov_len = 100}};
    int code = ga__stream_send(stream, parts, 3, GA__NEVER, GA__NEVER);

    free(bytes);
    return code;
}

/** Receives them, in pieces of several sizes. */
static inline int receive_large(void *stream)
{
    static unsigned char buffer[300000];
    size_t done = 0;

    while (done < LARGE) {
        ssize_t count = ga__stream_recv(stream, buffer, done % 7 ? sizeof buffer : 777, GA__NEVER);

        assert_true(count > 0);
        for (size_t i = 0; i < (size_t)count; i++)
            if (buffer[i] != check_byte_at(done + i))
                fail_msg("byte %zu is wrong", done + i);
        done += (size_t)count;
    }
    return done == LARGE ? 0 : GA_EPROTOCOL;
}

/** LARGE bytes both ways at once. */
static inline void exchange_large(ga__stream *client, ga__stream *server)
{
    ga_group group;

    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, send_large, client);
    ga_spawn(&group, send_large, server);
    ga_spawn(&group, receive_large, client);
    ga_spawn(&group, receive_large, server);
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    assert_int_equal(client->bytes_sent, LARGE);
    assert_int_equal(client->bytes_received, LARGE);
    assert_int_equal(server->bytes_received, LARGE);
}

/** Runs the body as a loop's first task; the test fails where it does not return 0, or leaves a descriptor
 * open. */
static inline void run(int (*body)(void *argument))
{
    int before = check_open_descriptors();

    if (ga_run(body, NULL) != 0)
        fail_msg("%s", ga_error_message());
    assert_int_equal(check_open_descriptors(), before);
}

/** A test: what follows in braces is run(). */
#define CASE(name)                    \
    static void name##_body(void);    \
    static int name##_main(void *arg) \
    {                                 \
        (void)arg;                    \
        name##_body();                \
        return 0;                     \
    }                                 \
    static void name(void **state)    \
    {                                 \
        (void)state;                  \
        run(name##_main);             \
    }                                 \
    static void name##_body(void)

#endif
