/* SPDX-License-Identifier: MIT */
/* A whole TLS conversation with each allocation of this library's failing in turn: it ends with a code, and
 * nothing is lost. OpenSSL's own allocations do not fail here. */
#include "certificates.h"
#include "failmalloc.h"
#include "loopback.h"

#include "io/tls.h"

typedef struct flow {
    loopback link;
    ga__tls_config *client, *server;
} flow;

static int serve(void *argument)
{
    flow *self = argument;
    char buffer[64];
    int code = ga__tls_accept(&self->link.server, self->server, in_seconds(30));

    if (code == 0)
        code = (int)ga__stream_recv(&self->link.server, buffer, sizeof buffer, in_seconds(30));
    if (code > 0)
        code = send_text(&self->link.server, "an answer");
    ga__stream_close(&self->link.server);
    return code;
}

static int ask(flow *self)
{
    static char head[] = "a head, ", body[] = "a body";
    struct iovec parts[] = {{.iov_base = head, .iov_len = 8}, {.iov_base = body, .iov_len = 6}};
    char buffer[64];
    int code = ga__tls_connect(&self->link.client, self->client, "localhost", 443, in_seconds(30));

    if (code == 0)
        code = ga__stream_send(&self->link.client, parts, 2, GA__NEVER, GA__NEVER);
    if (code == 0)
        code = (int)ga__stream_recv(&self->link.client, buffer, sizeof buffer, in_seconds(30));
    ga__stream_close(&self->link.client);
    return code;
}

/* The client's code: 9 bytes when all went well. */
static int converse(void)
{
    flow self = {
        .client = ga__tls_config_new(&(ga__tls_options){.ca_pem = authority.certificate, .alpn = "http/1.1"}),
        .server = ga__tls_config_server(localhost.certificate, localhost.key, "http/1.1"),
    };
    ga__address address;
    ga_group group;
    int code = GA_ENOMEM;

    ga__stream_init(&self.link.client);
    ga__stream_init(&self.link.server);
    self.link.listener.fd.fd = -1;
    if (!self.client || !self.server || !ga__address_ip(&address, "127.0.0.1", 0))
        goto out;
    code = ga__listener_open(&self.link.listener, &address, 0);
    if (code == 0)
        code = ga__connect(&self.link.client, &self.link.listener.address, 1, NULL, in_seconds(30), NULL);
    if (code == 0)
        code = ga__listener_accept(&self.link.listener, &self.link.server, in_seconds(30));
    if (code)
        goto out;
    ga_group_open(&group, GA_COLLECT);
    if (ga_spawn(&group, serve, &self))
        code = ask(&self);
    else
        code = GA_ENOMEM;
    ga_gather(&group);
    ga_group_close(&group);

out:
    loopback_close(&self.link);
    ga__tls_config_unref(self.client);
    ga__tls_config_unref(self.server);
    return code;
}

/* The server's failures are the client's to tell. */
static void pass_over(const char *task, const char *where, const ga_error_detail *error)
{
    (void)task;
    (void)where;
    (void)error;
}

static int each_in_turn(void *argument)
{
    int n, code = 0;

    (void)argument;
    for (n = 1; failmalloc_again(n); n++) {
        code = converse();
        bool failed = failmalloc_stop();

        /* Where the server's memory failed, the client sees it go. */
        if (code != 9 &&
            !(failed && (code == GA_ENOMEM || code == GA_ETLS || code == GA_ERESET || code == 0)))
            fail_msg("allocation %d: %s, %s", n, ga_code_name(code), ga_error_message());
    }
    assert_int_equal(code, 9);
    assert_true(n > 5);
    return 0;
}

static void a_conversation_survives_each_allocation(void **state)
{
    (void)state;
    ga_on_unread_error(pass_over);
    run(each_in_turn);
    ga_on_unread_error(NULL);
}

static void a_certificate_is_made_whole_or_not_at_all(void **state)
{
    int n, code = 0;

    (void)state;
    for (n = 1; failmalloc_again(n); n++) {
        ga__certificate made;

        code =
            ga__certificate_make(&made, &(ga__certificate_options){.common_name = "x", .issuer = &authority});
        failmalloc_stop();
        assert_true(code == 0 ? made.certificate && made.key : !made.certificate && !made.key);
        ga__certificate_free(&made);
    }
    assert_int_equal(code, 0);
    assert_true(n > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conversation_survives_each_allocation),
        cmocka_unit_test(a_certificate_is_made_whole_or_not_at_all),
    };

    return cmocka_run_group_tests(tests, make_certificates, free_certificates);
}
