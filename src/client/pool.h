/* SPDX-License-Identifier: MIT */
/*
 * The connections of a session: how many there are, which are idle, and who is in line for one.
 *
 * A request holds a place, which is the right to one connection to its origin, from ga__pool_acquire to
 * ga__pool_release. Whoever gives a place up hands it to the next in line in the same step, so a place that
 * is free while somebody waits for it does not exist.
 *
 * The line: those who wait for one origin are served in the order in which they came. Between origins turns
 * are taken. A connection that becomes free serves its own origin before another whose turn it is, since a
 * connection kept is worth a handshake, but only where the other holds connections of its own, and not often
 * in a row.
 *
 * Connections that speak HTTP/2 are shared: each takes as many requests as its server allows, and only when
 * all are full is another opened, one at a time. While it is not known what an origin speaks, the first
 * connection to it is waited for.
 *
 * A connection that has reached its age or its number of requests takes no new ones, and ends with those that
 * it has.
 */
#ifndef GA__POOL_H
#define GA__POOL_H

#include "base/hash_table.h"
#include "base/list.h"
#include "protocol/url.h"
#include <gather/session.h>
#include <gather/task.h>

typedef struct ga__connection ga__connection;

/* How an origin is reached. Connections that were opened in one way never serve a request of another. */
typedef struct ga__way {
    const char *proxy; /* the key of the proxy; NULL: directly */
    const char *tls;   /* the key of what a request says of TLS; NULL: what the session says */
    int http;          /* as ga_session_options.http */
} ga__way;

/* Where requests go: scheme, host, port and way. Exists while it has connections or somebody waits for one,
 * and to the pool's end where there is something to remember of it. */
typedef struct ga__origin {
    ga__hash_link link; /* in pool->origins */
    struct ga__pool *pool;
    size_t connections; /* lent, being opened, and idle */
    ga__list idle;      /* connections, the one used last first */
    ga__list shared;    /* connections that speak HTTP/2 and take a further request */
    ga__list waiting;   /* requests in line, the first to come first */
    ga__link turn;      /* in pool->turns: somebody waits, and limit_per_host allows one more connection */
    unsigned passed;    /* how often in a row others were served on its turn */
    size_t opening;     /* connections being opened, or about to be */
    bool separate;      /* each request has a connection of its own: it does not speak HTTP/2 */
    bool http1;         /* the server wants HTTP/1.1, although it has agreed to HTTP/2, */
    bool lasting;       /* ... which is remembered when there are no connections */
    uint16_t port;
    bool secure;
    ga__way way; /* its strings are behind the host */
    size_t host_size;
    char host[]; /* ends with a NUL */
} ga__origin;

typedef struct ga__pool {
    size_t limit;          /* SIZE_MAX: none */
    size_t limit_per_host; /* SIZE_MAX: none */
    double keepalive;      /* seconds; 0: no connection is kept */
    double max_age;        /* seconds after which a connection takes no new requests; GA_FOREVER */
    size_t max_requests;   /* after which it takes none, either; SIZE_MAX: no limit */
    size_t connections;    /* of all origins */
    size_t idle_count;
    size_t waiting_count;
    uint64_t opened, reused;
    ga__list idle;       /* connections, the one idle longest first */
    ga__list turns;      /* origins, the one whose turn it is first */
    ga_timer_ expiry;    /* armed while a connection is idle */
    uint64_t expires_at; /* when it fires */
    ga__hash_table origins;
    ga__origin *latest; /* the one that was asked for last; NULL: none, or it is gone */
    size_t remembered;  /* origins that last */
    bool closed;
} ga__pool;

/* Without bounds on a connection's age and requests, which may be set afterwards. */
void ga__pool_init(ga__pool *pool, size_t limit, size_t limit_per_host, double keepalive);

/* A place for the url's origin as it is reached in this way. *connection is open when it served before (and
 * looks alive), and otherwise new: to be opened by the caller. `once`: the request cannot be repeated, see
 * ga__connection_is_good. Suspends where there is none free; the calling task then waits until `deadline`.
 * @return 0; GA_ETIMEDOUT, GA_ECANCELED (nothing recorded); GA_ECLOSED (the session was freed), GA_ENOMEM */
int ga__pool_acquire(ga__pool *pool, const ga__url *url, const ga__way *way, bool once, uint64_t deadline,
                     ga__connection **connection);

/* Gives the place up, or the part in a shared connection, about which the latter knows all. An open
 * connection is kept where `reusable`, and closed otherwise. `hint` is how long the server says that it keeps
 * it, in seconds; negative where it does not say. Does not suspend. */
void ga__pool_release(ga__connection *connection, bool reusable, int hint);

/* The caller has opened the connection. Where it speaks HTTP/2, connection->http2 is set, and others may
 * share it from now on. */
void ga__pool_opened(ga__connection *connection);

/* The connection's origin is spoken to in HTTP/1.1 from now on: no new request goes over those that speak
 * HTTP/2. The caller holds a part in this one, and keeps it. */
void ga__pool_require_http1(ga__connection *connection);

/* The protocol to offer to the connection's origin instead of the session's; NULL: the session's. */
const char *ga__pool_protocol(const ga__connection *connection);

/* How many requests the shared connection takes may have changed. It is freed where nobody holds it and it
 * takes none. */
void ga__pool_shared_changed(ga__connection *connection);

/* Closes the connection that has idled longest, for its descriptor. False where none idles. */
bool ga__pool_close_idle(ga__pool *pool);

/* Closes what is idle; those in line fail with GA_ECLOSED, and what is lent is closed when it comes back. */
void ga__pool_close(ga__pool *pool);

/* Frees a pool that is closed and has no connections. */
void ga__pool_free(ga__pool *pool);

void ga__pool_stats(const ga__pool *pool, ga_pool_stats *stats);

#endif
