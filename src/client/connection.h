/* SPDX-License-Identifier: MIT */
/*
 * One connection of the pool to an origin: a stream, and what the pool notes about it. It holds no buffer:
 * bytes belong to the request that is under way.
 */
#ifndef GA__CONNECTION_H
#define GA__CONNECTION_H

#include "client/pool.h"
#include "io/stream.h"

struct ga__connection {
    ga__stream stream;
    ga__origin *origin;
    ga__link in_pool, in_origin;                       /* while it idles */
    uint64_t idle_until;                               /* while it idles: when it is closed */
    uint64_t use_until;                                /* it takes no new requests from then on */
    size_t requests;                                   /* it was lent to since it was opened */
    bool served;                                       /* it has carried a request to its answer */
    void (*on_idle_event)(ga__connection *connection); /* while it is watched, or NULL */
    bool opening;                                      /* it was lent to be opened */
    struct ga__http2_connection *http2;                /* when it speaks HTTP/2; then it has no watch */
    size_t lent;                                       /* HTTP/2: to so many requests */
};

/* A connection that is not open yet. NULL when there is no memory. Does not count as a place. */
ga__connection *ga__connection_new(ga__origin *origin);

/* Closes and frees it. */
void ga__connection_free(ga__connection *connection);

/* Closes it, so that it can be opened anew in the same place. */
void ga__connection_reset(ga__connection *connection);

static inline bool ga__connection_is_open(const ga__connection *connection)
{
    return ga__stream_is_open(&connection->stream);
}

/* Whether a kept connection may carry a request. What the poller has told may be out of date where a task has
 * held the loop: for a request that goes out `once` it is not relied on for long, and any other may be sent
 * again. Does not suspend. */
bool ga__connection_is_good(ga__connection *connection, bool once);

/* Calls on_event, in the loop's context, whenever something happens on the connection; NULL: no more. */
void ga__connection_watch(ga__connection *connection, void (*on_event)(ga__connection *connection));

#endif
