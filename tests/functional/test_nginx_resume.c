/* SPDX-License-Identifier: MIT */
/* Bodies from nginx that break off and go on: between it and the client there is a peer that passes bytes on,
 * and ends each connection after some. */
#include "peers.h"

#include "io/connect.h"
#include "io/listener.h"
#include "task/loop.h"
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { BIG = 10000000, CUTS = 4 };

/* Passes on what goes between clients and a port of 127.0.0.1. */
typedef struct cutter {
    ga__listener listener;
    ga__address server;
    size_t cuts[CUTS]; /* bytes of the server's after which the n-th connection ends; the rest are whole */
    size_t connections;
    ga_group group;
} cutter;

typedef struct passage {
    ga__stream client, server;
    size_t left; /* bytes of the server's */
} passage;

/* Passes bytes on until an end or a failure, and no more than *left. */
static void pass(ga__stream *from, ga__stream *to, size_t *left)
{
    char *bytes = malloc(65536);

    while (bytes && *left > 0) {
        ssize_t count = ga__stream_recv(from, bytes, *left < 65536 ? *left : 65536, GA__NEVER);
        struct iovec part = {bytes, count > 0 ? (size_t)count : 0};

        if (count <= 0 || ga__stream_send(to, &part, 1, GA__NEVER, GA__NEVER) < 0)
            break;
        *left -= (size_t)count;
    }
    free(bytes);
}

static int pass_requests(void *arg)
{
    passage *self = arg;
    size_t all = SIZE_MAX;

    pass(&self->client, &self->server, &all);
    return 0;
}

static int pass_answers(void *arg)
{
    passage *self = arg;
    ga_group requests;

    ga_group_open(&requests, GA_COLLECT);
    ga_spawn(&requests, pass_requests, self);
    pass(&self->server, &self->client, &self->left);
    ga_group_close(&requests);
    ga__stream_close(&self->client);
    ga__stream_close(&self->server);
    free(self);
    return 0;
}

static int accept_all(void *arg)
{
    cutter *self = arg;

    for (;;) {
        passage *made = calloc(1, sizeof *made);

        ga__stream_init(&made->client);
        ga__stream_init(&made->server);
        if (ga__listener_accept(&self->listener, &made->client, GA__NEVER) < 0 ||
            ga__connect(&made->server, &self->server, 1, NULL, GA__NEVER, NULL) < 0) {
            ga__stream_close(&made->client);
            free(made);
            return 0;
        }
        made->left = self->connections < CUTS ? self->cuts[self->connections] : SIZE_MAX;
        self->connections++;
        ga_spawn(&self->group, pass_answers, made);
    }
}

static void start_cutter(cutter *self, const char *base)
{
    const char *port = strrchr(base, ':') + 1;
    ga__address any;

    *self = (cutter){.cuts = {100000, 1000000, 20000, 3000000}};
    EXPECT(ga__address_ip(&any, "127.0.0.1", 0));
    EXPECT(ga__address_ip(&self->server, "127.0.0.1", (uint16_t)atoi(port)));
    EXPECT(ga__listener_open(&self->listener, &any, 0) == 0);
    ga_group_open(&self->group, GA_COLLECT);
    ga_spawn(&self->group, accept_all, self);
}

static void stop_cutter(cutter *self)
{
    ga_group_close(&self->group);
    ga__listener_close(&self->listener);
}

/* Reads the whole in pieces. */
static void expect_big(ga_session *session, const cutter *between, const char *path, const char *version,
                       const char *ca_file)
{
    ga_auto(ga_response) response = ga_get(session, path, .ca_file = ca_file); /* the session has none */
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    unsigned char sum[32];
    char piece[10000], text[65];
    size_t size = 0;
    ssize_t count;

    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    while ((count = ga_read(response, piece, sizeof piece)) > 0) {
        EVP_DigestUpdate(digest, piece, (size_t)count);
        size += (size_t)count;
    }
    EXPECT(count == 0 && size == BIG);
    EVP_DigestFinal_ex(digest, sum, NULL);
    EVP_MD_CTX_free(digest);
    for (size_t i = 0; i < sizeof sum; i++)
        snprintf(text + 2 * i, 3, "%02x", sum[i]);
    EXPECT_TEXT(text, peers_told("BIG_SHA256"));
    EXPECT(ga_attempts(response) == CUTS + 1);
    EXPECT_TEXT(ga_http_version(response), version);
    EXPECT(between->connections == CUTS + 1);
}

static void read_through(const peers *servers, const char *path, int http, const char *version)
{
    cutter between;

    start_cutter(&between, servers->base);
    ga_autofree char *detour =
        ga_format("::127.0.0.1:%u", (unsigned)ga__address_port(&between.listener.address));
    const char *const detours[] = {detour, NULL};
    ga_session *session = ga_session_new(.base_url = servers->base, .connect_to = detours, .http = http,
                                         .resume = 2 * CUTS, .retry_base = 0.01);

    expect_big(session, &between, path, version, servers->ca_file);
    ga_session_free(session);
    stop_cutter(&between);
}

static int a_big_body_goes_on(void *arg)
{
    read_through(arg, "/big", 11, "1.1");
    return 0;
}

static int a_big_coded_body_goes_on_within_its_code(void *arg)
{
    read_through(arg, "/coded/big.gz", 11, "1.1");
    return 0;
}

static int a_big_body_goes_on_over_http2(void *arg)
{
    const peers *servers = arg;

    read_through(servers, "/big", servers->tls ? 0 : 2, "2");
    read_through(servers, "/coded/big.gz", servers->tls ? 0 : 2, "2");
    return 0;
}

/* nginx codes this one while it is sent, and calls its ETag weak. */
static int what_is_coded_anew_each_time_stays_broken(void *arg)
{
    const peers *servers = arg;
    cutter between;
    size_t size;

    start_cutter(&between, servers->base);
    ga_autofree char *detour =
        ga_format("::127.0.0.1:%u", (unsigned)ga__address_port(&between.listener.address));
    const char *const detours[] = {detour, NULL};
    ga_session *session = ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file,
                                         .connect_to = detours, .http = 11, .resume = 5);
    ga_response *response = ga_get(session, "/gzipped/big");

    EXPECT(ga_body(response, &size) == NULL);
    EXPECT_FAILURE(GA_ETRUNCATED, "the body ended early");
    EXPECT(between.connections == 1);
    ga_response_free(response);
    ga_session_free(session);
    stop_cutter(&between);
    return 0;
}

#define BOTH(function) PEERS_BOTH(function, "NGINX", "CA_FILE")

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_big_body_goes_on),
        BOTH(a_big_coded_body_goes_on_within_its_code),
        BOTH(what_is_coded_anew_each_time_stays_broken),
        PEERS_BOTH(a_big_body_goes_on_over_http2, "NGINX_HTTP2", "CA_FILE"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
