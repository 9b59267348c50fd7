/* SPDX-License-Identifier: MIT */
/*
 * A server on the simulated loop that says what the input says, for fuzz_client.c. A script is the bytes to
 * send as they are, with orders between them: 0xFF and a byte whose low three bits are the order, the others
 * its number n. 0xFF 0xFF is the byte itself. The first connection follows the first script, the next one
 * the next, and further ones the last; where a script ends, the peer reads and is silent.
 */
#ifndef FUZZ_PEER_H
#define FUZZ_PEER_H

#include "fuzz.h"

#include "base/buffer.h"
#include "io/listener.h"
#include <gather/task.h>
#include <stdlib.h>
#include <string.h>

enum { FUZZ_ORDER = 0xFF };

typedef enum fuzz_order {
    FUZZ_TAKE,  /* waits for a request's head; over HTTP/2 for anything */
    FUZZ_PAUSE, /* 10 ms * (n + 1)^2, up to 10 s */
    FUZZ_DRIP,  /* from here on n bytes at a time; 0: all at once, and what is there now goes out */
    FUZZ_FRAME, /* an HTTP/2 frame of type n; its flags, stream and payload follow, up to the next order */
    FUZZ_FILL,  /* 128 * (n + 1) bytes, 'x' each */
    FUZZ_END,   /* n even: says that nothing more comes; odd: closes, with a reset where bytes are unread */
    FUZZ_NEXT,  /* the next connection's script begins */
    FUZZ_AGAIN  /* from the script's start, at most n + 1 times */
} fuzz_order;

enum {
    FUZZ_SCRIPTS = 8,
    FUZZ_CONNECTIONS = 64,     /* then nobody listens any more */
    FUZZ_SAID_MOST = 96 << 10, /* bytes of one connection */
    FUZZ_DROPS = 200,          /* pieces; what is left then goes out at once */
    FUZZ_FRAME_HEAD = 9
};

typedef struct fuzz_script {
    const uint8_t *at, *end;
} fuzz_script;

typedef struct fuzz_peer {
    ga__listener listener;
    ga_group *group;
    bool http2;
    fuzz_script scripts[FUZZ_SCRIPTS];
    size_t script_count, connections;
} fuzz_peer;

typedef struct fuzz_visit {
    ga__stream stream;
    bool http2;
    fuzz_script script;
    ga__buffer in, out;
    size_t said;
    size_t frame; /* where it begins in out, plus 1; 0: none is open */
    unsigned drip, repeated;
} fuzz_visit;

/* --- what a visit does ---------------------------------------------------------------------------- */

/* Takes in what comes. False at the end. */
static inline bool fuzz_hear(fuzz_visit *visit)
{
    char bytes[1024];
    ssize_t count = ga__stream_recv(&visit->stream, bytes, sizeof bytes, GA__NEVER);

    if (count > 0)
        ga__buffer_append(&visit->in, bytes, (size_t)count);
    return count > 0;
}

static inline bool fuzz_take(fuzz_visit *visit)
{
    const char *end;

    if (visit->http2) {
        ga__buffer_clear(&visit->in);
        return fuzz_hear(visit);
    }
    while (!(end = visit->in.size ? memmem(visit->in.data, visit->in.size, "\r\n\r\n", 4) : NULL))
        if (!fuzz_hear(visit))
            return false;
    ga__buffer_consume(&visit->in, (size_t)(end + 4 - visit->in.data));
    return true;
}

static inline void fuzz_end_frame(fuzz_visit *visit)
{
    if (!visit->frame)
        return;
    char *frame = visit->out.data + visit->frame - 1;
    size_t size = visit->out.size - (visit->frame - 1);

    size = size > FUZZ_FRAME_HEAD ? size - FUZZ_FRAME_HEAD : 0;
    frame[0] = (char)(size >> 16);
    frame[1] = (char)(size >> 8);
    frame[2] = (char)size;
    visit->frame = 0;
}

static inline bool fuzz_flush(fuzz_visit *visit)
{
    unsigned drops = visit->drip ? FUZZ_DROPS : 0;
    bool said = true;

    fuzz_end_frame(visit);
    for (size_t at = 0; said && at < visit->out.size;) {
        size_t left = visit->out.size - at;
        struct iovec part = {visit->out.data + at, drops > 0 && visit->drip < left ? visit->drip : left};

        at += part.iov_len;
        visit->said += part.iov_len;
        said = ga__stream_send(&visit->stream, &part, 1, GA__NEVER, GA__NEVER) == 0;
        if (said && drops > 0) {
            said = ga_sleep(1e-4) == 0;
            drops--;
        }
    }
    ga__buffer_clear(&visit->out);
    return said && visit->said < FUZZ_SAID_MOST;
}

static inline void fuzz_add(fuzz_visit *visit, uint8_t byte)
{
    ga__buffer_append(&visit->out, &byte, 1);
}

static inline void fuzz_fill(fuzz_visit *visit, size_t size)
{
    char *at = ga__buffer_reserve(&visit->out, size);

    memset(at, 'x', size);
    visit->out.size += size;
}

static inline void fuzz_begin_frame(fuzz_visit *visit, unsigned type)
{
    fuzz_end_frame(visit);
    visit->frame = visit->out.size + 1;
    ga__buffer_append(&visit->out, "\0\0\0", 3);
    fuzz_add(visit, (uint8_t)type);
}

/* False where the visit is over. */
static inline bool fuzz_obey(fuzz_visit *visit, const fuzz_script *whole, fuzz_order order, unsigned n)
{
    switch (order) {
    case FUZZ_FRAME:
        fuzz_begin_frame(visit, n);
        return true;
    case FUZZ_FILL:
        fuzz_fill(visit, 128 * ((size_t)n + 1));
        return visit->out.size < FUZZ_SAID_MOST;
    default:
        break;
    }
    if (!fuzz_flush(visit))
        return false;
    switch (order) {
    case FUZZ_TAKE:
        return fuzz_take(visit);
    case FUZZ_PAUSE:
        return ga_sleep(0.01 * (n + 1) * (n + 1)) == 0;
    case FUZZ_DRIP:
        visit->drip = n;
        return true;
    case FUZZ_END:
        if (n % 2 == 0)
            ga__stream_shutdown(&visit->stream);
        return n % 2 == 0;
    case FUZZ_AGAIN:
        if (visit->repeated++ <= n)
            visit->script = *whole;
        return true;
    default:
        return true;
    }
}

static inline void fuzz_follow(fuzz_visit *visit)
{
    const fuzz_script whole = visit->script;
    fuzz_script *script = &visit->script;
    bool goes_on = true;

    while (goes_on && script->at < script->end) {
        uint8_t byte = *script->at++;

        if (byte == FUZZ_ORDER && script->at < script->end && *script->at != FUZZ_ORDER) {
            byte = *script->at++;
            goes_on = fuzz_obey(visit, &whole, byte & 7, byte >> 3);
        } else {
            script->at += byte == FUZZ_ORDER && script->at < script->end;
            fuzz_add(visit, byte);
        }
    }
    goes_on = goes_on && fuzz_flush(visit);
    while (goes_on && fuzz_hear(visit))
        ga__buffer_clear(&visit->in);
}

/* --- the server ------------------------------------------------------------------------------------ */

static inline int fuzz_serve(void *arg)
{
    fuzz_visit *visit = arg;

    fuzz_follow(visit);
    ga__stream_close(&visit->stream);
    ga__buffer_free(&visit->in);
    ga__buffer_free(&visit->out);
    free(visit);
    return 0;
}

static inline int fuzz_accept(void *arg)
{
    fuzz_peer *peer = arg;

    while (peer->connections < FUZZ_CONNECTIONS) {
        fuzz_visit *visit = calloc(1, sizeof *visit);
        size_t number = peer->connections++;

        REQUIRE(visit);
        ga__stream_init(&visit->stream);
        visit->http2 = peer->http2;
        visit->script = peer->scripts[number < peer->script_count ? number : peer->script_count - 1];
        if (ga__listener_accept(&peer->listener, &visit->stream, GA__NEVER) < 0) {
            free(visit);
            return 0;
        }
        REQUIRE(ga_spawn(peer->group, fuzz_serve, visit));
    }
    ga__listener_close(&peer->listener);
    return 0;
}

/* Listens on a free port, and serves in the group's tasks. The input stays the caller's. */
static inline void fuzz_peer_start(fuzz_peer *peer, ga_group *group, const uint8_t *data, size_t size,
                                   bool http2)
{
    fuzz_script *script = peer->scripts;
    ga__address address;

    *peer = (fuzz_peer){.group = group, .http2 = http2, .script_count = 1, .scripts = {{data, data + size}}};
    for (size_t i = 0; i + 1 < size && peer->script_count < FUZZ_SCRIPTS; i += 1 + (data[i] == FUZZ_ORDER)) {
        if (data[i] != FUZZ_ORDER || data[i + 1] == FUZZ_ORDER || (data[i + 1] & 7) != FUZZ_NEXT)
            continue;
        script->end = data + i;
        *++script = (fuzz_script){data + i + 2, data + size};
        peer->script_count++;
    }
    REQUIRE(ga__address_ip(&address, "127.0.0.1", 0));
    REQUIRE(ga__listener_open(&peer->listener, &address, 0) == 0);
    REQUIRE(ga_spawn(group, fuzz_accept, peer));
}

#endif
