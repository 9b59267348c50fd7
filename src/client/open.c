/* SPDX-License-Identifier: MIT */
/*
 * Opening a connection in the place that the pool gave: the name, the TCP or unix connection, the TLS
 * handshake, each with its own timeout. Where the process has no descriptors left, the call waits in line for
 * one, after having closed a connection of its own session that idles. Called by client/request.c.
 */
#include "client/call.h"
#include "client/http2_connection.h"

#include "io/connect.h"
#include "io/descriptors.h"
#include "io/dns.h"
#include "io/tls.h"
#include <stdio.h>

/* A step of the opening failed: names the timeout, and keeps what the room below says, which addresses were
 * tried for one. */
static int step_failed(const ga__call *call, int code, ga__wait wait)
{
    char detail[256];

    if (code != GA_ETIMEDOUT)
        return ga__progress_failed(&call->progress, code);
    snprintf(detail, sizeof detail, "%s", ga_error_message());
    ga__progress_wait_failed(&call->progress, code, wait.by, call->timeouts.seconds[wait.by]);
    return ga__error_rewrite(code, ga_error()->timeout, "%s: %s", ga_error_message(), detail);
}

/* A descriptor is needed and there is none. @return 0 when it is worth trying again */
static int wait_for_descriptor(ga__call *call)
{
    ga__wait wait = ga__timeouts_wait(&call->timeouts, GA__TIMEOUT_POOL);

    if (ga__pool_close_idle(&call->session->pool))
        return 0;
    call->progress.phase = GA_PHASE_POOL;
    int code = ga__descriptors_wait(wait.at);

    return code < 0 ? step_failed(call, code, wait) : 0;
}

static int connect_to(ga__call *call, const ga__address *addresses, size_t count)
{
    for (;;) {
        ga__wait wait = ga__timeouts_wait(&call->timeouts, GA__TIMEOUT_CONNECT);

        call->progress.phase = GA_PHASE_CONNECT;
        int code = ga__connect(&call->connection->stream, addresses, count, NULL, wait.at, NULL);

        if (code == 0)
            return 0;
        if (code == GA_EREFUSED)
            ga__error_rewrite(code, NULL, "%s; is the server running?", ga_error_message());
        if (code != GA_EFDS)
            return step_failed(call, code, wait);
        code = wait_for_descriptor(call);
        if (code < 0)
            return code;
    }
}

/* Resolves the host, where it is a name. */
static int connect_to_host(ga__call *call)
{
    ga__address literal;
    ga__resolved *resolved;
    ga__wait wait = ga__timeouts_wait(&call->timeouts, GA__TIMEOUT_DNS);

    if (ga__address_ip(&literal, ga__url_host(&call->url), call->url.port))
        return connect_to(call, &literal, 1);
    call->progress.phase = GA_PHASE_DNS;
    int code = ga__dns_resolve(ga__url_host(&call->url), call->url.port, wait.at, &resolved);

    if (code < 0)
        return step_failed(call, code, wait);
    code = connect_to(call, resolved->addresses, resolved->count);
    ga__resolved_free(resolved);
    return code;
}

static int shake_hands(ga__call *call)
{
    ga__tls_config *config = ga__session_tls(call->session);
    ga__wait wait = ga__timeouts_wait(&call->timeouts, GA__TIMEOUT_TLS);

    call->progress.phase = GA_PHASE_TLS;
    if (!config)
        return ga__progress_failed(&call->progress, ga_error()->code);
    int code =
        ga__tls_connect(&call->connection->stream, config, ga__url_host(&call->url), call->url.port, wait.at);

    return code < 0 ? step_failed(call, code, wait) : 0;
}

/* Speaks what the TLS handshake has agreed on, or the session wants. */
static int choose_protocol(ga__call *call)
{
    ga__connection *connection = call->connection;
    int http = call->session->pool.http, code = 0;
    bool http2 = call->url.secure ? ga__slice_equal(ga__tls_protocol(&connection->stream), GA__SLICE("h2"))
                                  : http == GA__HTTP_2;

    if (http == GA__HTTP_2 && !http2)
        return ga__progress_fail(&call->progress, GA_EPROTOCOL,
                                 "the server (%s) does not agree to speak HTTP/2 (ALPN)",
                                 connection->stream.peer);
    if (http2)
        code = ga__http2_connection_start(connection, call->session);
    if (code < 0)
        return ga__progress_failed(&call->progress, code);
    call->session->pool.opened++;
    ga__pool_opened(connection);
    return 0;
}

int ga__call_open(ga__call *call)
{
    const ga_session *session = call->session;

    int code =
        session->unix_socket.size > 0 ? connect_to(call, &session->unix_socket, 1) : connect_to_host(call);

    if (code == 0 && call->url.secure)
        code = shake_hands(call);
    if (code == 0)
        code = choose_protocol(call);
    return code;
}
