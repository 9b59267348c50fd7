/* SPDX-License-Identifier: MIT */
/*
 * The pool: places, idle connections, and the line. Requests acquire and release; the loop closes idle
 * connections when their time is over or the server says something nobody asked for.
 *
 * What holds whenever no function of this file runs: an origin is in `turns` exactly when somebody waits for
 * it and limit_per_host allows it one more connection; and where `turns` is not empty, all places are taken
 * and no connection is idle.
 */
#include "client/pool.h"

#include "client/connection.h"
#include "client/http2_connection.h"
#include "client/origin.h"
#include "task/loop.h"
#include <limits.h>
#include <stdlib.h>

/* How often in a row others may be served on an origin's turn, to keep a connection. */
enum { MOST_PASSES = 8 };

/* How many origins are remembered that have no connections. */
enum { MOST_REMEMBERED = 1000 };

/* What a server's hint is shortened by, in seconds: the request must reach it before its time is over. */
enum { HINT_MARGIN = 1 };

/* A request in line, on the stack of its task. */
typedef struct waiter {
    ga__link link; /* in origin->waiting, until it is served */
    ga_task *task;
    ga__connection *connection; /* what it was served with; NULL: a place, to be filled with a new one */
} waiter;

static void on_expiry(ga_timer_ *timer);
static void serve_line(ga__pool *pool);

void ga__pool_init(ga__pool *pool, size_t limit, size_t limit_per_host, double keepalive)
{
    *pool = (ga__pool){.limit = limit,
                       .limit_per_host = limit_per_host,
                       .keepalive = keepalive,
                       .max_age = GA_FOREVER,
                       .max_requests = SIZE_MAX};
    ga__list_init(&pool->idle);
    ga__list_init(&pool->turns);
    pool->expiry.fire = on_expiry;
}

/* The first in line; NULL where there is none. Those before it whose wait has ended otherwise, but who have
 * not run since, are out of the line from here on. */
static waiter *first_in_line(ga__origin *origin)
{
    for (ga__link *link; (link = ga__list_first(&origin->waiting));) {
        waiter *first = GA__OF(link, waiter, link);

        if (first->task->state != GA__TASK_READY)
            return first;
        ga__unlink(link);
        origin->pool->waiting_count--;
    }
    return NULL;
}

/* --- counting places ------------------------------------------------------------------------------ */

/* Whether the origin may have one more connection. */
static bool may_open(const ga__origin *origin)
{
    return origin->connections < origin->pool->limit_per_host && (origin->separate || origin->opening == 0);
}

/* Puts the origin into `turns`, or takes it out, as its waiters and connections are now. */
static void update_turn(ga__origin *origin)
{
    ga__pool *pool = origin->pool;
    bool due = may_open(origin) && !pool->closed && first_in_line(origin);

    if (due && !ga__linked(&origin->turn)) {
        origin->passed = 0;
        ga__list_push_back(&pool->turns, &origin->turn);
    } else if (!due) {
        ga__unlink(&origin->turn);
    }
}

static void take_place(ga__origin *origin)
{
    origin->pool->connections++;
    origin->connections++;
    origin->opening++;
    update_turn(origin);
}

/* The origin may be gone afterwards. */
static void free_place(ga__origin *origin)
{
    origin->pool->connections--;
    origin->connections--;
    update_turn(origin);
    ga__origin_put(origin);
}

/* --- idle connections ----------------------------------------------------------------------------- */

static ga__connection *idle_of_origin(const ga__origin *origin)
{
    ga__link *link = ga__list_first(&origin->idle);

    return link ? GA__OF(link, ga__connection, in_origin) : NULL;
}

static ga__connection *idle_longest(const ga__pool *pool)
{
    ga__link *link = ga__list_first(&pool->idle);

    return link ? GA__OF(link, ga__connection, in_pool) : NULL;
}

static void take_idle(ga__connection *connection)
{
    ga__unlink(&connection->in_origin);
    ga__unlink(&connection->in_pool);
    connection->origin->pool->idle_count--;
    ga__connection_watch(connection, NULL);
}

/* Closes an idle connection; its place is free then. */
static void close_idle(ga__connection *connection)
{
    ga__origin *origin = connection->origin;

    take_idle(connection);
    ga__connection_free(connection);
    free_place(origin);
}

/* The server closed it, or sent what nobody asked for. */
static void on_idle_event(ga__connection *connection)
{
    ga__pool *pool = connection->origin->pool;

    if (ga__connection_is_good(connection, false))
        return;
    close_idle(connection);
    serve_line(pool);
}

static void arm_expiry(ga__pool *pool, uint64_t at)
{
    if (at == GA__NEVER)
        return;
    pool->expires_at = at;
    ga__timer_arm(&pool->expiry, at);
}

static void on_expiry(ga_timer_ *timer)
{
    ga__pool *pool = GA__OF(timer, ga__pool, expiry);
    uint64_t now = ga__now(), next = GA__NEVER;

    for (ga__link *link = pool->idle.next, *after; link != &pool->idle; link = after) {
        ga__connection *connection = GA__OF(link, ga__connection, in_pool);

        after = link->next;
        if (connection->idle_until <= now)
            close_idle(connection);
        else if (connection->idle_until < next)
            next = connection->idle_until;
    }
    arm_expiry(pool, next);
}

/* Keeps an open connection for the next request to its origin. The timer stays where it is while it fires
 * early enough: it is not moved by each request. */
static void put_idle(ga__connection *connection, double seconds)
{
    ga__origin *origin = connection->origin;
    ga__pool *pool = origin->pool;

    connection->idle_until = ga__deadline(ga__now(), seconds);
    if (connection->idle_until > connection->use_until)
        connection->idle_until = connection->use_until;
    if (!connection->http2)
        ga__list_push_front(&origin->idle, &connection->in_origin);
    ga__list_push_back(&pool->idle, &connection->in_pool);
    pool->idle_count++;
    ga__connection_watch(connection, on_idle_event);
    if (!ga__timer_armed(&pool->expiry) || pool->expires_at > connection->idle_until)
        arm_expiry(pool, connection->idle_until);
}

/* How long the connection may idle, in seconds: the pool's time or the server's, whichever is shorter. */
static double idle_time(const ga__pool *pool, int hint)
{
    double allowed = hint < 0 ? GA_FOREVER : (double)hint - HINT_MARGIN;

    return allowed < pool->keepalive ? allowed : pool->keepalive;
}

/* Whether it is to carry no further request. */
static bool is_spent(const ga__connection *connection)
{
    return (connection->http2 && connection->origin->http1) ||
           connection->requests >= connection->origin->pool->max_requests ||
           connection->use_until <= ga__now();
}

/* How many requests a shared connection carries at once; 0: it takes no new ones. */
static size_t room_of(const ga__connection *connection)
{
    return is_spent(connection) ? 0 : ga__http2_connection_room(connection->http2);
}

/* --- the line ------------------------------------------------------------------------------------- */

/* Serves the origin's first waiter with the connection, or with a place that was taken for it (NULL). */
static void serve(ga__origin *origin, ga__connection *connection)
{
    waiter *first = first_in_line(origin);

    ga__unlink(&first->link);
    first->connection = connection;
    origin->pool->waiting_count--;
    ga__unlink(&origin->turn);
    update_turn(origin); /* at the end, if others wait */
    ga__wake(first->task, 0);
}

/* Whose turn it is; NULL where nobody waits that could be given a place. */
static ga__origin *first_turn(const ga__pool *pool)
{
    for (ga__link *link; (link = ga__list_first(&pool->turns));) {
        ga__origin *first = GA__OF(link, ga__origin, turn);

        if (first_in_line(first))
            return first;
        ga__unlink(link);
        ga__origin_put(first);
    }
    return NULL;
}

/* Whether a connection to `origin` that is free now serves its own: see the top of pool.h. */
static bool goes_first(ga__origin *origin)
{
    ga__origin *first = first_turn(origin->pool);

    if (!first || first == origin)
        return true;
    if (first->connections == 0 || first->passed >= MOST_PASSES)
        return false;
    first->passed++;
    return true;
}

static bool serves_own(ga__origin *origin)
{
    return first_in_line(origin) && goes_first(origin);
}

/* Takes a part in a shared connection. */
static void join(ga__connection *connection)
{
    ga__pool *pool = connection->origin->pool;

    if (ga__linked(&connection->in_pool)) { /* it idles no more */
        ga__unlink(&connection->in_pool);
        pool->idle_count--;
    }
    connection->lent++;
    connection->requests++;
    if (connection->lent >= room_of(connection))
        ga__unlink(&connection->in_origin);
}

/* The shared connection that takes one more request, as far as is known; NULL where there is none. */
static ga__connection *find_shared(const ga__origin *origin)
{
    ga__link *link = ga__list_first(&origin->shared);

    return link ? GA__OF(link, ga__connection, in_origin) : NULL;
}

/* Serves those in line for the origin from its shared connections. */
static void serve_shared(ga__origin *origin)
{
    for (ga__connection *connection; (connection = find_shared(origin)) && serves_own(origin);) {
        if (is_spent(connection)) { /* it ends with its requests or, where it idles, by its timer */
            ga__unlink(&connection->in_origin);
            continue;
        }
        join(connection);
        serve(origin, connection);
    }
}

/* Gives out free places in turn, closing what idles elsewhere where it takes a place that is waited for. */
static void serve_line(ga__pool *pool)
{
    for (ga__origin *origin; (origin = first_turn(pool));) {
        if (pool->connections >= pool->limit && pool->idle_count == 0)
            return;
        if (pool->connections >= pool->limit)
            close_idle(idle_longest(pool));
        else {
            take_place(origin);
            serve(origin, NULL);
        }
    }
}

/* Stands in line. @return 0 with a place (*connection NULL) or a connection; or as ga__pool_acquire */
static int wait_in_line(ga__origin *origin, uint64_t deadline, ga__connection **connection)
{
    waiter self = {.task = ga__current()};

    ga__list_push_back(&origin->waiting, &self.link);
    origin->pool->waiting_count++;
    update_turn(origin);
    int code = ga__park(NULL, deadline, 0, "a connection of the pool");

    if (ga__linked(&self.link)) { /* neither served nor taken out: it leaves the line */
        ga__unlink(&self.link);
        origin->pool->waiting_count--;
        update_turn(origin);
        ga__origin_put(origin);
    }
    *connection = self.connection;
    return code;
}

/* --- acquire and release -------------------------------------------------------------------------- */

/* The connection that the origin used last, if it is still good; those that are not are closed. */
static ga__connection *reuse_idle(ga__origin *origin, bool once)
{
    for (ga__connection *connection; (connection = idle_of_origin(origin));) {
        bool good = ga__connection_is_good(connection, once) && connection->idle_until > ga__now();

        take_idle(connection);
        if (good) {
            connection->requests++;
            return connection;
        }
        ga__connection_free(connection);
        origin->connections--; /* not free_place: the origin must stay, and nobody is in line */
        origin->pool->connections--;
    }
    return NULL;
}

/* A part in a connection that takes one more. One that idled is looked at before, since the server may have
 * closed it; what turns out to be done for is taken off the list. */
static GA_NOINLINE ga__connection *reuse_shared(ga__origin *origin)
{
    for (ga__connection *connection; (connection = find_shared(origin));) {
        bool idle = connection->lent == 0;

        if (idle)
            ga__http2_connection_look(connection->http2);
        if (room_of(connection) > 0) {
            if (!goes_first(origin))
                return NULL;
            join(connection);
            return connection;
        }
        ga__unlink(&connection->in_origin);
        if (!idle)
            continue; /* it ends with the last of its requests */
        take_idle(connection);
        ga__connection_free(connection);
        origin->connections--; /* not free_place: the origin must stay */
        origin->pool->connections--;
        update_turn(origin);
    }
    return NULL;
}

/* Fills a place with a connection that is to be opened. Without memory the place is given back. */
static int fill_place(ga__origin *origin, ga__connection **connection)
{
    ga__pool *pool = origin->pool;

    *connection = ga__connection_new(origin);
    if (*connection) {
        (*connection)->opening = true;
        return 0;
    }
    origin->opening--;
    free_place(origin);
    serve_line(pool);
    return ga__fail(GA_ENOMEM, "no memory for a connection");
}

int ga__pool_acquire(ga__pool *pool, const ga__url *url, const ga__way *way, bool once, uint64_t deadline,
                     ga__connection **connection)
{
    *connection = NULL;
    if (pool->closed)
        return ga__fail(GA_ECLOSED, "the session is closed");
    ga__origin *origin = ga__origin_get(pool, url, way);

    if (!origin)
        return ga__fail(GA_ENOMEM, "no memory for an origin");
    *connection = ga__list_empty(&origin->shared) ? reuse_idle(origin, once) : reuse_shared(origin);
    if (*connection) {
        pool->reused++;
        return 0;
    }
    if (may_open(origin) && pool->connections >= pool->limit && pool->idle_count > 0)
        close_idle(idle_longest(pool)); /* another origin's: this one has none */
    if (may_open(origin) && pool->connections < pool->limit) {
        take_place(origin);
        return fill_place(origin, connection);
    }
    int code = wait_in_line(origin, deadline, connection);

    if (code == GA_ECLOSED)
        return ga__fail(code, "the session was freed while the request was in line for a connection");
    if (code < 0)
        return code;
    if (*connection) {
        pool->reused++;
        return 0;
    }
    return fill_place(origin, connection);
}

/* --- shared connections --------------------------------------------------------------------------- */

/* The caller's attempt to open a connection has ended. What an origin speaks whose first connection fails is
 * not waited for any longer. */
static void end_opening(ga__connection *connection)
{
    ga__origin *origin = connection->origin;

    if (!connection->opening)
        return;
    connection->opening = false;
    origin->opening--;
    if (connection->http2)
        origin->separate = origin->http1;
    else if (ga__list_empty(&origin->shared))
        origin->separate = true;
}

void ga__pool_opened(ga__connection *connection)
{
    ga__origin *origin = connection->origin;

    end_opening(connection);
    connection->requests = 1;
    connection->use_until = ga__deadline(ga__now(), origin->pool->max_age);
    if (connection->http2) {
        connection->lent = 1;
        ga__pool_shared_changed(connection);
        return;
    }
    update_turn(origin);
    if (ga__linked(&origin->turn))
        serve_line(origin->pool);
}

void ga__pool_shared_changed(ga__connection *connection)
{
    ga__origin *origin = connection->origin;
    ga__pool *pool = origin->pool;
    size_t room = room_of(connection);
    double keep = idle_time(pool, -1);

    if (room <= connection->lent)
        ga__unlink(&connection->in_origin);
    else if (!ga__linked(&connection->in_origin))
        ga__list_push_back(&origin->shared, &connection->in_origin);
    serve_shared(origin);
    if (connection->lent > 0) {
        update_turn(origin);
    } else if (room == 0 || pool->closed || keep <= 0) {
        if (ga__linked(&connection->in_pool))
            take_idle(connection);
        ga__unlink(&connection->in_origin);
        ga__connection_free(connection);
        free_place(origin);
    } else if (!ga__linked(&connection->in_pool)) {
        put_idle(connection, keep);
    }
    serve_line(pool);
}

void ga__pool_require_http1(ga__connection *connection)
{
    ga__origin *origin = connection->origin;

    if (origin->http1)
        return;
    origin->http1 = origin->separate = true;
    origin->lasting = origin->pool->remembered < MOST_REMEMBERED;
    origin->pool->remembered += origin->lasting;
    for (ga__connection *shared; (shared = find_shared(origin));) {
        ga__unlink(&shared->in_origin);
        if (shared->lent == 0)
            close_idle(shared);
    }
    update_turn(origin);
    serve_line(origin->pool);
}

const char *ga__pool_protocol(const ga__connection *connection)
{
    return GA_UNLIKELY(connection->origin->http1) ? "http/1.1" : NULL;
}

/* A request gives back its part in a shared connection. */
static GA_NOINLINE void release_shared(ga__connection *connection)
{
    connection->lent--;
    ga__pool_shared_changed(connection);
}

void ga__pool_release(ga__connection *connection, bool reusable, int hint)
{
    ga__origin *origin = connection->origin;
    ga__pool *pool = origin->pool;
    double keep = idle_time(pool, hint);

    end_opening(connection);
    if (connection->http2) {
        release_shared(connection);
        return;
    }
    if (!reusable || pool->closed || keep <= 0 || is_spent(connection) ||
        !ga__connection_is_good(connection, false)) {
        ga__connection_free(connection);
        free_place(origin);
    } else if (serves_own(origin)) {
        connection->requests++;
        serve(origin, connection);
    } else {
        put_idle(connection, keep);
    }
    serve_line(pool);
}

bool ga__pool_close_idle(ga__pool *pool)
{
    ga__connection *connection = idle_longest(pool);

    if (!connection)
        return false;
    close_idle(connection);
    return true;
}

/* --- the end -------------------------------------------------------------------------------------- */

static void turn_away(ga__origin *origin)
{
    ga__unlink(&origin->turn);
    for (ga__link *link = origin->waiting.next; link != &origin->waiting; link = link->next)
        ga__wake(GA__OF(link, waiter, link)->task, GA_ECLOSED);
}

void ga__pool_close(ga__pool *pool)
{
    pool->closed = true;
    ga__timer_disarm(&pool->expiry);
    while (pool->idle_count > 0) {
        close_idle(idle_longest(pool));
        ga__note_progress();
    }
    for (size_t i = 0; i < pool->origins.chain_count; i++)
        for (ga__hash_link *link = pool->origins.chains[i]; link; link = link->next)
            turn_away(GA__OF(link, ga__origin, link));
}

void ga__pool_free(ga__pool *pool)
{
    ga__origins_free(pool);
}

void ga__pool_stats(const ga__pool *pool, ga_pool_stats *stats)
{
    *stats = (ga_pool_stats){
        .idle = pool->idle_count,
        .in_use = pool->connections - pool->idle_count,
        .waiting = pool->waiting_count,
        .opened = pool->opened,
        .reused = pool->reused,
    };
}
