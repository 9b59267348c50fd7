/* SPDX-License-Identifier: MIT */
/*
 * Reaching a server through a proxy, once the connection to the proxy stands: TLS with the proxy where it
 * wants that, then a tunnel (CONNECT, RFC 9110, 9.3.6, or SOCKS 5). All of it lies within the connect
 * timeout. A proxy that says anything but yes, or says more than that, is not used. Called by client/open.c.
 */
#include "client/call.h"

#include "client/proxy.h"
#include "io/dns.h"
#include "io/tls.h"
#include "protocol/http1_writer.h"
#include "protocol/socks5.h"

enum { PIECE = 4096 };

/* One handshake with a proxy. */
typedef struct handshake {
    ga__call *call;
    const ga__proxy *proxy;
    ga__wait wait; /* until when */
    ga__buffer out;
    ga__buffer in; /* what came and is not judged yet */
} handshake;

static ga__stream *stream_of(const handshake *self)
{
    return &self->call->connection->stream;
}

/* --- talking -------------------------------------------------------------------------------------- */

/* The stream failed: that is the proxy's doing, unless time or this side ended it. */
static int broken(const handshake *self, int code)
{
    if (code == GA_ERESET || code == GA_ETLS || code == GA_ESYSTEM)
        ga__error_rewrite(code = GA_EPROXY, NULL, "the proxy broke the connection: %s", ga_error_message());
    return ga__call_step_failed(self->call, code, self->wait);
}

static int no_memory(const handshake *self)
{
    return ga__progress_fail(&self->call->progress, GA_ENOMEM, "no memory for a proxy");
}

/* Sends what is in `out`. */
static int say(handshake *self)
{
    struct iovec part = {self->out.data, self->out.size};

    if (self->out.failed)
        return no_memory(self);
    int code = part.iov_len > 0 ? ga__stream_send(stream_of(self), &part, 1, self->wait.at, GA__NEVER) : 0;

    ga__buffer_clear(&self->out);
    return code < 0 ? broken(self, code) : 0;
}

/* Receives a piece behind what is in `in`. */
static int hear(handshake *self)
{
    char *at = ga__buffer_reserve(&self->in, PIECE);

    if (!at)
        return no_memory(self);
    ssize_t count = ga__stream_recv(stream_of(self), at, PIECE, self->wait.at);

    if (count < 0)
        return broken(self, (int)count);
    if (count == 0)
        return ga__progress_fail(&self->call->progress, GA_EPROXY,
                                 self->in.size > 0 ? "the proxy closed the connection within its answer"
                                                   : "the proxy closed the connection without an answer");
    self->in.size += (size_t)count;
    return 0;
}

/* Whether the proxy said more than its answer: nobody else can have spoken yet. */
static int check_rest(const handshake *self)
{
    bool more = self->in.size > 0 || (stream_of(self)->tls && ga__tls_pending(stream_of(self)));

    return more ? ga__progress_fail(&self->call->progress, GA_EPROXY,
                                    "the proxy sent bytes of its own into the tunnel")
                : 0;
}

/* --- CONNECT -------------------------------------------------------------------------------------- */

static int write_connect(handshake *self, const ga__endpoint *target)
{
    ga__buffer authority = GA__BUFFER_INIT;
    ga__http1_writer writer;

    ga__buffer_printf(&authority, strchr(target->host, ':') ? "[%s]:%u" : "%s:%u", target->host,
                      target->port);
    ga__slice name = {authority.data, authority.size};

    ga__http1_write_request(&writer, &self->out, "CONNECT", name, name);
    if (self->proxy->fields.size > 0)
        ga__http1_write_lines(&writer, self->proxy->fields.data, self->proxy->fields.size, 0);
    int code = ga__http1_write_end(&writer, GA__BODY_NONE, 0);

    if (authority.failed || code == GA_ENOMEM)
        code = no_memory(self);
    else if (code < 0)
        ga__progress_fail(&self->call->progress, code, "CONNECT: %s", writer.problem);
    ga__buffer_free(&authority);
    return code;
}

/* The proxy's reason phrase, as far as it may be shown. */
static void show(char *text, size_t size, const char *phrase)
{
    size_t at = 0;

    for (; phrase[at] && at + 1 < size; at++)
        text[at] = phrase[at] >= ' ' && phrase[at] < 0x7f ? phrase[at] : '?';
    text[at] = '\0';
}

static int refused(const handshake *self, int status, const char *phrase)
{
    char shown[80];

    show(shown, sizeof shown, phrase);
    self->call->progress.status = status;
    if (status != 407)
        return ga__progress_fail(&self->call->progress, GA_EPROXY, "the proxy refused the tunnel: %d %s",
                                 status, shown);
    return ga__progress_fail(&self->call->progress, GA_EPROXY,
                             self->proxy->authorized
                                 ? "the proxy did not accept the credentials: 407 %s"
                                 : "the proxy wants credentials: 407 %s; give them in its URL, "
                                   "http://user:password@host:port",
                             shown);
}

/* Judges the heads that are there. @return 1 when the proxy agreed; 0 when more is to come; a failure */
static int judge(handshake *self, ga__http1_response *answer)
{
    int code;

    do {
        size_t consumed;

        code = ga__http1_response_head(answer, &self->call->session->table, self->in.data, self->in.size,
                                       &consumed);
        if (code == GA__HTTP1_DONE && answer->status / 100 != 2)
            return refused(self, answer->status, self->in.data + answer->phrase);
        ga__buffer_consume(&self->in, consumed);
    } while (code == GA__HTTP1_INTERIM && self->in.size > 0);
    if (code == GA_ENOMEM)
        return no_memory(self);
    if (code < 0)
        return ga__progress_fail(&self->call->progress, GA_EPROXY,
                                 "the proxy's answer is not valid HTTP/1.1: %s",
                                 answer->problem ? answer->problem : "unknown");
    return code == GA__HTTP1_DONE;
}

static GA_NOINLINE int connect_through(handshake *self, const ga__endpoint *target)
{
    ga__http1_response answer;
    int code = write_connect(self, target);

    if (code == 0)
        code = say(self);
    ga__http1_response_init(&answer, &self->call->session->limits, GA__HTTP1_TO_CONNECT);
    while (code == 0) {
        code = hear(self);
        if (code == 0)
            code = judge(self, &answer);
    }
    ga__http1_response_free(&answer);
    return code < 0 ? code : check_rest(self);
}

/* --- SOCKS ---------------------------------------------------------------------------------------- */

static int negotiate(handshake *self, const ga__endpoint *target)
{
    const ga__proxy *proxy = self->proxy;
    ga__socks5 socks;
    size_t consumed;
    int code = ga__socks5_begin(&socks, ga__slice_of(target->host), target->port,
                                (ga__slice){proxy->username.data, proxy->username.size},
                                (ga__slice){proxy->password.data, proxy->password.size}, &self->out);

    if (code < 0)
        return ga__progress_fail(&self->call->progress, code, "%s", socks.problem);
    for (;;) {
        code = say(self);
        if (code == 0)
            code = hear(self);
        if (code < 0)
            return code;
        code = ga__socks5_receive(&socks, self->in.data, self->in.size, &consumed, &self->out);
        ga__buffer_consume(&self->in, consumed);
        if (code < 0)
            return ga__progress_fail(&self->call->progress, code, "the proxy refused: %s", socks.problem);
        if (code == GA__SOCKS5_DONE)
            return check_rest(self);
    }
}

/* With socks5 the name is resolved here, and the proxy gets the first address. */
static GA_NOINLINE int resolve_and_negotiate(handshake *self, const ga__endpoint *target)
{
    char text[GA__ADDRESS_TEXT];
    ga__resolved *resolved;
    int code = ga__call_resolve(self->call, target, &resolved);

    if (code < 0)
        return code;
    ga__progress_enter(&self->call->progress, GA_PHASE_CONNECT);
    ga__address_text(&resolved->addresses[0], text, sizeof text);
    ga__resolved_free(resolved);
    /* "192.0.2.1:80", "[::1]:80", without the port and the brackets */
    char *host = text[0] == '[' ? text + 1 : text, *end = strrchr(text, ':');

    end[text[0] == '[' ? -1 : 0] = '\0';
    return negotiate(self, &(ga__endpoint){host, target->port});
}

/* --- the handshake -------------------------------------------------------------------------------- */

static int shake_hands(const handshake *self)
{
    ga__tls_config *config = ga__tls_profiles_proxy_config(&self->call->session->tls);
    const ga__url *url = &self->proxy->url;

    if (!config)
        return ga__progress_failed(&self->call->progress, ga_error()->code);
    int code = ga__tls_connect(stream_of(self), config, ga__url_host(url), url->port, self->wait.at);

    return code < 0 ? ga__call_step_failed(self->call, code, self->wait) : 0;
}

int ga__call_tunnel(ga__call *call, const ga__endpoint *target, ga__wait wait)
{
    handshake self = {.call = call, .proxy = call->proxy, .wait = wait};
    ga__proxy_kind kind = self.proxy->kind;
    int code = 0;

    ga__progress_enter(&call->progress, GA_PHASE_CONNECT);
    if (kind == GA__PROXY_HTTPS)
        code = shake_hands(&self);
    if (code == 0 && kind == GA__PROXY_SOCKS5)
        code = resolve_and_negotiate(&self, target);
    else if (code == 0 && kind == GA__PROXY_SOCKS5H)
        code = negotiate(&self, target);
    else if (code == 0 && !ga__proxy_forwards(self.proxy, &call->url))
        code = connect_through(&self, target);
    ga__buffer_free(&self.in);
    ga__buffer_free(&self.out);
    return code;
}
