/* SPDX-License-Identifier: MIT */
/*
 * Scripted peers: servers that say exact bytes, as tasks of the test's own loop, on any poller.
 *
 *     static const peer_step hello[] = {PEER_TAKE("GET /"), PEER_SAY("HTTP/1.1 200 OK\r\n..."), PEER_AGAIN};
 *     static const peer_step *const scripts[] = {hello, NULL};
 *
 *     CASE(a_test)
 *     {
 *         peer_server peer;
 *
 *         peer_start(&peer, peers, scripts);
 *         ... ga_get(session, peer_url(&peer, "/x")) ...
 *         peer_stop(&peer);
 *     }
 */
#ifndef PEER_H
#define PEER_H

#include "check.h"

#include "base/buffer.h"
#include "io/listener.h"
#include "io/tls_config.h"
#include <gather.h>

typedef enum peer_kind {
    PEER_ABORT_,   /* closes without a word, under TLS without close_notify */
    PEER_END_,     /* closes the connection */
    PEER_TAKE_,    /* reads a request, which must begin with the text */
    PEER_GLIMPSE_, /* reads one byte: a close then resets, since bytes are left */
    PEER_SAY_,     /* sends the text */
    PEER_DRIP_,    /* sends it byte by byte, so many seconds between */
    PEER_FILL_,    /* sends so many bytes, 'x' each */
    PEER_PAUSE_,   /* waits so many seconds */
    PEER_WAIT_,    /* until the test sets peer->go */
    PEER_HALF_,    /* says that nothing more comes, and stays */
    PEER_CALL_,    /* calls a function of the test's, which may say and close; false ends the connection */
    PEER_HOLD_,    /* reads and forgets until the client closes */
    PEER_AGAIN_    /* from the script's start, on the same connection; ends where the client closed it */
} peer_kind;

struct peer_visit;

typedef struct peer_step {
    peer_kind kind;
    const char *text;
    size_t size;
    double seconds;
    bool (*call)(struct peer_visit *visit);
} peer_step;

#define PEER_TAKE(prefix)                    \
    {                                        \
        .kind = PEER_TAKE_, .text = (prefix) \
    }
#define PEER_GLIMPSE          \
    {                         \
        .kind = PEER_GLIMPSE_ \
    }
#define PEER_SAY(literal)                                                 \
    {                                                                     \
        .kind = PEER_SAY_, .text = (literal), .size = sizeof(literal) - 1 \
    }
#define PEER_DRIP(literal, between)                                                              \
    {                                                                                            \
        .kind = PEER_DRIP_, .text = (literal), .size = sizeof(literal) - 1, .seconds = (between) \
    }
#define PEER_FILL(count)                    \
    {                                       \
        .kind = PEER_FILL_, .size = (count) \
    }
#define PEER_PAUSE(length)                       \
    {                                            \
        .kind = PEER_PAUSE_, .seconds = (length) \
    }
#define PEER_WAIT          \
    {                      \
        .kind = PEER_WAIT_ \
    }
#define PEER_HALF          \
    {                      \
        .kind = PEER_HALF_ \
    }
#define PEER_HOLD          \
    {                      \
        .kind = PEER_HOLD_ \
    }
#define PEER_AGAIN          \
    {                       \
        .kind = PEER_AGAIN_ \
    }
#define PEER_CALL(function)                    \
    {                                          \
        .kind = PEER_CALL_, .call = (function) \
    }
#define PEER_ABORT          \
    {                       \
        .kind = PEER_ABORT_ \
    }
#define PEER_CLOSE        \
    {                     \
        .kind = PEER_END_ \
    }

/* A whole answer with a length, and the connection kept. */
#define PEER_OK(length, body) PEER_SAY("HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n" body)

/* Answers each request with nothing, status 200, and keeps the connection; as a script, and for all
 * connections.
 */
extern const peer_step peer_empty[];
extern const peer_step *const peer_always_empty[];

typedef struct peer_server {
    ga__listener listener;
    const peer_step *const
        *scripts; /* for the first connection, the second, ...; the last serves all further ones */
    ga_group *group;
    ga_event go;
    size_t connections; /* accepted so far */
    size_t open;        /* not yet closed by either side */
    size_t requests;    /* read so far */
    ga__buffer last;    /* the request read last, whole */
    char url[128];
    void *data;          /* the test's own */
    ga__tls_config *tls; /* NULL: plain. Set by the test, freed by peer_stop */
} peer_server;

/* One connection to a peer. */
typedef struct peer_visit {
    peer_server *peer;
    ga__stream stream;
    const peer_step *script;
    ga__buffer in;
    ga__buffer request; /* the one read last on this connection, whole */
} peer_visit;

/* Sends bytes. False where the client is gone. */
bool peer_say(peer_visit *visit, const void *bytes, size_t size);

/* Listens on a free port of 127.0.0.1 and serves in the group's tasks. `scripts` ends with NULL. */
void peer_start(peer_server *peer, ga_group *group, const peer_step *const *scripts);

/* The same at this address, a unix socket's for one. */
void peer_start_at(peer_server *peer, ga_group *group, const peer_step *const *scripts,
                   const ga__address *address);

/* Listens no more, after having cancelled the group's tasks and waited for their end. Several peers of one
 * group: all are to be stopped. */
void peer_stop(peer_server *peer);

/* "http://127.0.0.1:PORT/path", or https; valid until the next call. */
const char *peer_url(peer_server *peer, const char *path);

/* The body that a GET brings is "hello". */
void assert_get(ga_session *session, const char *url);

/* What was called has failed, with this code and with the text in its message. */
void assert_failed(const void *result, int code, const char *text);

ga_pool_stats stats_of(const ga_session *session);

/* What the pool holds: connections idle and in use, requests in line; at rest: idle ones only. */
void assert_pool(const ga_session *session, size_t idle, size_t in_use, size_t waiting);
void assert_pool_at_rest(const ga_session *session, size_t idle);

/* Lets the loop run until the number is reached; fails the test after 5 seconds. */
void peer_await(const size_t *counter, size_t value);

/* Runs the body as a loop's first task, on the simulated poller and then on the real one; each must leave no
 * descriptor open. A body that is about time runs on the virtual clock alone; one that has files read and
 * written on threads, for which the simulated loop does not wait, on the real one. */
void peer_run(int (*body)(void *arg));
void peer_run_simulated(int (*body)(void *arg));
void peer_run_really(int (*body)(void *arg));

/* A test: what follows in braces is its body, with a group for its peers that is closed afterwards by
 * peer_stop. */
#define PEER_CASE_(name, run)                 \
    static void name##_body(ga_group *peers); \
    static int name##_main(void *arg)         \
    {                                         \
        ga_group peers;                       \
                                              \
        (void)arg;                            \
        ga_group_open(&peers, GA_COLLECT);    \
        name##_body(&peers);                  \
        ga_group_close(&peers);               \
        return 0;                             \
    }                                         \
    static void name(void **state)            \
    {                                         \
        (void)state;                          \
        run(name##_main);                     \
    }                                         \
    static void name##_body(ga_group *peers GA_UNUSED)
#define CASE(name) PEER_CASE_(name, peer_run)
#define TIMED_CASE(name) PEER_CASE_(name, peer_run_simulated)
#define FILE_CASE(name) PEER_CASE_(name, peer_run_really)

#endif
