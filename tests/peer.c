/* SPDX-License-Identifier: MIT */
/*
 * Scripted peers. Each connection is a task that goes through its script; it ends quietly when the client is
 * gone, since that is often the point of the test.
 */
#include "peer.h"

#include "base/number.h"
#include "io/tls.h"
#include "sim/sim.h"
#include "task/loop.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const peer_step peer_empty[] = {PEER_TAKE(NULL), PEER_OK("0", ""), PEER_AGAIN};
const peer_step *const peer_always_empty[] = {peer_empty, NULL};

/* Reads more. False at the end. */
static bool receive(peer_visit *visit)
{
    char bytes[4096];
    ssize_t count = ga__stream_recv(&visit->stream, bytes, sizeof bytes, GA__NEVER);

    if (count <= 0)
        return false;
    ga__buffer_append(&visit->in, bytes, (size_t)count);
    return true;
}

/* The Content-Length of the head at the buffer's start, 0 where there is none. */
static size_t body_size(const ga__buffer *in)
{
    static const char name[] = "\r\nContent-Length: ";
    const char *at = strstr(in->data, name);
    uint64_t size = 0;

    if (at) {
        at += sizeof name - 1;
        assert_true(ga__parse_decimal(at, strcspn(at, "\r"), &size));
    }
    return (size_t)size;
}

/* The size of a message in chunks, whose head ends at `head`; 0 while its last chunk is not there. For
 * contents that have no line "0" of their own. */
static size_t chunked_size(const ga__buffer *in, size_t head)
{
    static const char last[] = "\r\n0\r\n\r\n";
    const char *at = memmem(in->data + head - 2, in->size - head + 2, last, sizeof last - 1);

    return at ? (size_t)(at - in->data) + sizeof last - 1 : 0;
}

static bool take(peer_visit *visit, const char *prefix)
{
    ga__buffer *in = &visit->in;
    const char *end;

    while (!in->data || !(end = strstr(in->data, "\r\n\r\n")))
        if (!receive(visit))
            return false;
    size_t head = (size_t)(end - in->data) + 4, whole = head + body_size(in);
    const char *chunked = strstr(in->data, "\r\nTransfer-Encoding: chunked\r\n");

    if (chunked && chunked < end)
        while (!(whole = chunked_size(in, head)))
            if (!receive(visit))
                return false;
    while (in->size < whole)
        if (!receive(visit))
            return false;
    if (prefix && strncmp(in->data, prefix, strlen(prefix)) != 0)
        fail_msg("the peer expected \"%s\" and got \"%s\"", prefix, in->data);
    ga__buffer_clear(&visit->request);
    ga__buffer_append(&visit->request, in->data, whole);
    ga__buffer_clear(&visit->peer->last);
    ga__buffer_append(&visit->peer->last, in->data, whole);
    ga__buffer_consume(in, whole);
    visit->peer->requests++;
    return true;
}

bool peer_say(peer_visit *visit, const void *bytes, size_t size)
{
    struct iovec part = {(void *)(uintptr_t)bytes, size};

    return ga__stream_send(&visit->stream, &part, 1, GA__NEVER, GA__NEVER) == 0;
}

static bool drip(peer_visit *visit, const peer_step *step)
{
    for (size_t i = 0; i < step->size; i++)
        if (!peer_say(visit, step->text + i, 1) || ga_sleep(step->seconds) < 0)
            return false;
    return true;
}

static bool fill(peer_visit *visit, size_t size)
{
    static char block[16384];

    memset(block, 'x', sizeof block);
    while (size > 0) {
        size_t piece = size < sizeof block ? size : sizeof block;

        if (!peer_say(visit, block, piece))
            return false;
        size -= piece;
    }
    return true;
}

static bool hold(peer_visit *visit)
{
    while (receive(visit))
        ga__buffer_clear(&visit->in);
    return false;
}

static bool glimpse(peer_visit *visit)
{
    char byte;

    return ga__stream_recv(&visit->stream, &byte, 1, GA__NEVER) > 0;
}

static bool follow(peer_visit *visit, const peer_step *step)
{
    switch (step->kind) {
    case PEER_TAKE_:
        return take(visit, step->text);
    case PEER_GLIMPSE_:
        return glimpse(visit);
    case PEER_SAY_:
        return peer_say(visit, step->text, step->size);
    case PEER_DRIP_:
        return drip(visit, step);
    case PEER_FILL_:
        return fill(visit, step->size);
    case PEER_PAUSE_:
        return ga_sleep(step->seconds) == 0;
    case PEER_WAIT_:
        return ga_event_wait(&visit->peer->go) == 0;
    case PEER_HALF_:
        ga__stream_shutdown(&visit->stream);
        return true;
    case PEER_CALL_:
        return step->call(visit);
    case PEER_HOLD_:
        return hold(visit);
    case PEER_ABORT_:
        ga__stream_abort(&visit->stream);
        return false;
    case PEER_AGAIN_:
    case PEER_END_:
        break;
    }
    return false;
}

static int serve(void *arg)
{
    peer_visit *visit = arg;
    const peer_step *step = visit->script;
    ga__tls_config *tls = visit->peer->tls;
    bool ready = !tls || ga__tls_accept(&visit->stream, tls, GA__NEVER) == 0;

    while (ready && step->kind != PEER_END_ && follow(visit, step)) {
        step++;
        if (step->kind == PEER_AGAIN_)
            step = visit->script;
    }
    ga__stream_close(&visit->stream);
    visit->peer->open--;
    ga__buffer_free(&visit->in);
    ga__buffer_free(&visit->request);
    free(visit);
    return 0;
}

static int accept_all(void *arg)
{
    peer_server *peer = arg;

    for (;;) {
        peer_visit *visit = calloc(1, sizeof *visit);

        assert_non_null(visit);
        visit->peer = peer;
        ga__stream_init(&visit->stream);
        if (ga__listener_accept(&peer->listener, &visit->stream, GA__NEVER) < 0) {
            free(visit);
            return 0;
        }
        visit->script = *peer->scripts;
        if (peer->scripts[1])
            peer->scripts++;
        peer->connections++;
        peer->open++;
        assert_non_null(ga_spawn(peer->group, serve, visit));
    }
}

void peer_start_at(peer_server *peer, ga_group *group, const peer_step *const *scripts,
                   const ga__address *address)
{
    *peer = (peer_server){.group = group, .scripts = scripts};
    ga_event_init(&peer->go);
    assert_int_equal(ga__listener_open(&peer->listener, address, 0), 0);
    assert_non_null(ga_spawn(group, accept_all, peer));
}

void peer_start(peer_server *peer, ga_group *group, const peer_step *const *scripts)
{
    ga__address address;

    assert_true(ga__address_ip(&address, "127.0.0.1", 0));
    peer_start_at(peer, group, scripts, &address);
}

void peer_stop(peer_server *peer)
{
    ga_group_close(peer->group);
    ga__listener_close(&peer->listener);
    ga__buffer_free(&peer->last);
    ga__tls_config_unref(peer->tls);
}

const char *peer_url(peer_server *peer, const char *path)
{
    snprintf(peer->url, sizeof peer->url, "%s://127.0.0.1:%u%s", peer->tls ? "https" : "http",
             (unsigned)ga__address_port(&peer->listener.address), path);
    return peer->url;
}

void assert_get(ga_session *session, const char *url)
{
    ga_auto(ga_response) response = ga_get(session, url);
    ga_autofree char *text = ga_text(response);

    if (!text)
        fail_msg("%s", ga_error_message());
    assert_string_equal(text, "hello");
}

void assert_failed(const void *result, int code, const char *text)
{
    assert_null(result);
    if (ga_error()->code != code || !strstr(ga_error_message(), text))
        fail_msg("expected %s with \"%s\", got %s: %s", ga_code_name(code), text,
                 ga_code_name(ga_error()->code), ga_error_message());
}

ga_pool_stats stats_of(const ga_session *session)
{
    ga_pool_stats stats;

    ga_session_pool(session, &stats);
    return stats;
}

void assert_pool(const ga_session *session, size_t idle, size_t in_use, size_t waiting)
{
    ga_pool_stats stats = stats_of(session);

    if (stats.idle != idle || stats.in_use != in_use || stats.waiting != waiting)
        fail_msg("idle %zu, in use %zu, waiting %zu; expected %zu, %zu, %zu", stats.idle, stats.in_use,
                 stats.waiting, idle, in_use, waiting);
}

void assert_pool_at_rest(const ga_session *session, size_t idle)
{
    assert_pool(session, idle, 0, 0);
}

void peer_await(const size_t *counter, size_t value)
{
    for (int i = 0; *counter != value; i++) {
        if (i == 5000)
            fail_msg("it stays at %zu, %zu was expected", *counter, value);
        assert_int_equal(ga_sleep(0.001), 0);
    }
}

void peer_run_simulated(int (*body)(void *arg))
{
    ga__sim_counters counters;
    ga__sim_options options = {.counters = &counters};

    assert_int_equal(ga__run_on(ga__sim_new(&options), NULL, 0, body, NULL), 0);
    assert_int_equal(counters.open, 0);
}

void peer_run_really(int (*body)(void *arg))
{
    int before = check_open_descriptors();

    assert_int_equal(ga_run(body, NULL), 0);
    assert_int_equal(check_open_descriptors(), before);
}

void peer_run(int (*body)(void *arg))
{
    peer_run_simulated(body);
    peer_run_really(body);
}
