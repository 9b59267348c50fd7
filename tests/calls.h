/* SPDX-License-Identifier: MIT */
/*
 * What a loop's streams ask of the system: a poller that counts its calls. In a task:
 *
 *     count_calls();
 *     ...
 *     assert_int_equal(calls.recvs, 1);
 */
#ifndef CALLS_H
#define CALLS_H

#include "task/loop.h"

/** The calls of the system's that the loop's streams have made since count_calls(). */
static struct {
    ga__poller_ops ops;
    const ga__poller_ops *real;
    int sends, recvs;
} calls;

static inline ssize_t counted_recv(ga__poller *poller, ga__fd *fd, void *buffer, size_t size, int flags)
{
    calls.recvs++;
    return calls.real->recv(poller, fd, buffer, size, flags);
}

static inline ssize_t counted_send(ga__poller *poller, ga__fd *fd, const struct iovec *parts, int count)
{
    calls.sends++;
    return calls.real->send(poller, fd, parts, count);
}

static inline void count_calls(void)
{
    ga__poller *poller = ga__loop_here->poller;

    if (poller->ops != &calls.ops) {
        calls.real = poller->ops;
        calls.ops = *poller->ops;
        calls.ops.recv = counted_recv;
        calls.ops.send = counted_send;
        poller->ops = &calls.ops;
    }
    calls.sends = calls.recvs = 0;
}

#endif
