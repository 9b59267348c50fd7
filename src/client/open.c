/* SPDX-License-Identifier: MIT */
/*
 * Opening a connection in the place that the pool gave: the name, the TCP or unix connection, the TLS
 * handshake, each with its own timeout. Where the process has no descriptors left, for a name's look-up
 * either, the call waits in line for one, after having closed a connection of its own session that idles.
 * Where there is a proxy, all of that but TLS is done with it, and client/tunnel.c goes on from there. Called
 * by client/request.c.
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
int ga__call_step_failed(const ga__call *call, int code, ga__wait wait)
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
    ga__progress_enter(&call->progress, GA_PHASE_POOL);
    int code = ga__descriptors_wait(wait.at);

    return code < 0 ? ga__call_step_failed(call, code, wait) : 0;
}

/* *wait: until when connecting may take. */
static int connect_to(ga__call *call, const ga__address *addresses, size_t count, ga__wait *wait)
{
    const ga__reach *reach = call->session->reach;

    for (;;) {
        *wait = ga__timeouts_wait(&call->timeouts, GA__TIMEOUT_CONNECT);
        ga__progress_enter(&call->progress, GA_PHASE_CONNECT);
        int code = ga__connect(&call->connection->stream, addresses, count,
                               reach ? ga__reach_connect_options(reach) : NULL, wait->at, NULL);

        if (code == 0)
            return 0;
        if (code == GA_EREFUSED)
            ga__error_rewrite(code, NULL, "%s; is the %s running?", ga_error_message(),
                              call->proxy ? "proxy" : "server");
        if (code != GA_EFDS)
            return ga__call_step_failed(call, code, *wait);
        code = wait_for_descriptor(call);
        if (code < 0)
            return code;
    }
}

int ga__call_resolve(ga__call *call, const ga__endpoint *endpoint, ga__resolved **resolved)
{
    const ga__reach *reach = call->session->reach;

    *resolved = NULL;
    for (;;) {
        ga__wait wait = ga__timeouts_wait(&call->timeouts, GA__TIMEOUT_DNS);
        int code = 0;

        ga__progress_enter(&call->progress, GA_PHASE_DNS);
        if (GA_UNLIKELY(reach))
            code = ga__reach_resolve(reach, *endpoint, resolved);
        if (code == 0 && !*resolved)
            code = ga__dns_resolve(endpoint->host, endpoint->port, wait.at, resolved);
        if (code == 0)
            return 0;
        if (code != GA_EFDS)
            return ga__call_step_failed(call, code, wait);
        code = wait_for_descriptor(call);
        if (code < 0)
            return code;
    }
}

/* Resolves the host, where it is a name. */
static int connect_to_host(ga__call *call, const ga__endpoint *endpoint, ga__wait *wait)
{
    ga__address literal;
    ga__resolved *resolved;

    if (!call->session->reach && ga__address_ip(&literal, endpoint->host, endpoint->port))
        return connect_to(call, &literal, 1, wait);
    int code = ga__call_resolve(call, endpoint, &resolved);

    if (code < 0)
        return code;
    code = connect_to(call, resolved->addresses, resolved->count, wait);
    ga__resolved_free(resolved);
    return code;
}

static int shake_hands(ga__call *call)
{
    ga__tls_config *config = ga__tls_profile_config(call->tls);
    const char *name = call->tls->server_name;
    ga__wait wait = ga__timeouts_wait(&call->timeouts, GA__TIMEOUT_TLS);

    ga__progress_enter(&call->progress, GA_PHASE_TLS);
    if (!config)
        return ga__progress_failed(&call->progress, ga_error()->code);
    int code = ga__tls_connect_for(&call->connection->stream, config, name ? name : ga__url_host(&call->url),
                                   call->url.port, ga__pool_protocol(call->connection), wait.at);

    return code < 0 ? ga__call_step_failed(call, code, wait) : 0;
}

/* The proxy, and what it is asked for. */
static GA_NOINLINE int reach_through(ga__call *call, const ga__endpoint *target)
{
    const ga__url *url = &call->proxy->url;
    ga__wait wait;
    int code = connect_to_host(call, &(ga__endpoint){ga__url_host(url), url->port}, &wait);

    if (code == GA_EDNS || code == GA_EREFUSED || code == GA_EUNREACHABLE || code == GA_ECONNECT)
        ga__error_rewrite(code = GA_EPROXY, NULL, "%s", ga_error_message());
    return code < 0 ? code : ga__call_tunnel(call, target, wait);
}

static int reach(ga__call *call)
{
    const ga_session *session = call->session;
    ga__endpoint target = {ga__url_host(&call->url), call->url.port};
    ga__wait wait;

    if (session->unix_socket.size > 0)
        return connect_to(call, &session->unix_socket, 1, &wait);
    if (GA_UNLIKELY(session->reach))
        target = ga__reach_redirect(session->reach, target);
    return call->proxy ? reach_through(call, &target) : connect_to_host(call, &target, &wait);
}

/* Speaks what the TLS handshake has agreed on, or the session wants. */
static int choose_protocol(ga__call *call)
{
    ga__connection *connection = call->connection;
    int http = call->tls->http, code = 0;
    bool forwarded = call->proxy && ga__proxy_forwards(call->proxy, &call->url);
    bool http2 = call->url.secure ? ga__slice_equal(ga__tls_protocol(&connection->stream), GA__SLICE("h2"))
                                  : http == GA__HTTP_2 && !forwarded;

    if (http == GA__HTTP_2 && !http2)
        return ga__progress_fail(&call->progress, GA_EPROTOCOL,
                                 forwarded ? "a proxy (%s) that forwards is not spoken to in HTTP/2"
                                           : "the server (%s) does not agree to speak HTTP/2 (ALPN)",
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
    int code = reach(call);

    if (code == 0 && call->url.secure)
        code = shake_hands(call);
    if (code == 0)
        code = choose_protocol(call);
    if (code < 0 && call->proxy)
        ga__error_rewrite(code, ga_error()->timeout, "%s (through the proxy %s)", ga_error_message(),
                          call->proxy->name);
    return code;
}
