/* SPDX-License-Identifier: MIT */
/*
 * A connection's making, watching and end. Made and watched by the pool; opened by the request that got it
 * from there (client/open.c).
 */
#include "client/connection.h"

#include "client/http2_connection.h"
#include <stdlib.h>

/* What is known of a connection is that many ns good for a request that goes out once. Asking costs 0.3 us, a
 * twentieth of a request over a kept connection. */
static const uint64_t GOOD_FOR = 100000;

ga__connection *ga__connection_new(ga__origin *origin)
{
    ga__connection *connection = calloc(1, sizeof *connection);

    if (!connection)
        return NULL;
    ga__stream_init(&connection->stream);
    connection->origin = origin;
    return connection;
}

void ga__connection_free(ga__connection *connection)
{
    if (connection->http2)
        ga__http2_connection_free(connection->http2);
    ga__stream_close(&connection->stream);
    free(connection);
}

void ga__connection_reset(ga__connection *connection)
{
    ga__stream_abort(&connection->stream);
    ga__stream_init(&connection->stream);
    connection->served = false;
}

bool ga__connection_is_good(ga__connection *connection, bool once)
{
    return ga__stream_idle_ok(&connection->stream, once ? GOOD_FOR : GA__NEVER);
}

static void on_event(ga__fd *fd, unsigned events)
{
    ga__connection *connection = GA__OF(fd, ga__connection, stream.fd);

    (void)events;
    connection->on_idle_event(connection);
}

void ga__connection_watch(ga__connection *connection, void (*on_idle_event)(ga__connection *connection))
{
    if (connection->http2)
        return;
    connection->on_idle_event = on_idle_event;
    connection->stream.fd.on_event = on_idle_event ? on_event : NULL;
}
