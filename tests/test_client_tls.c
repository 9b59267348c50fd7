/* SPDX-License-Identifier: MIT */
/* The client over TLS: reuse, what a certificate must be, ends without close_notify, and the handshake's
 * timeout. */
#include "peer.h"

#include "io/certificate.h"
#include "task/loop.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ga__certificate ca, own, stranger;
static char *ca_file;

static int make_certificates(void **state)
{
    (void)state;
    check_make_directory(state);
    if (ga__certificate_make(&ca, &(ga__certificate_options){.common_name = "test CA", .authority = true}) <
            0 ||
        ga__certificate_make(
            &own,
            &(ga__certificate_options){.common_name = "test", .names = GA__LOCAL_NAMES, .issuer = &ca}) < 0 ||
        ga__certificate_make(
            &stranger,
            &(ga__certificate_options){.common_name = "x", .names = "DNS:other.example", .issuer = &ca}) < 0)
        return -1;
    ca_file = check_new_file("ca.pem", ca.certificate);
    return 0;
}

static int free_certificates(void **state)
{
    (void)state;
    ga__certificate_free(&ca);
    ga__certificate_free(&own);
    ga__certificate_free(&stranger);
    check_remove_directory(state);
    free(ca_file);
    return 0;
}

static const peer_step hello[] = {PEER_TAKE(NULL), PEER_OK("5", "hello"), PEER_AGAIN};
static const peer_step *const hellos[] = {hello, NULL};

static void start(peer_server *peer, ga_group *peers, const peer_step *const *scripts,
                  const ga__certificate *certificate)
{
    peer_start(peer, peers, scripts);
    peer->tls = ga__tls_config_server(certificate->certificate, certificate->key, "http/1.1");
    assert_non_null(peer->tls);
}

CASE(a_connection_serves_again_and_again)
{
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file);
    peer_server peer;

    start(&peer, peers, hellos, &own);
    for (int i = 0; i < 20; i++)
        assert_get(session, peer_url(&peer, "/"));
    assert_int_equal(peer.connections, 1);
    assert_int_equal(stats_of(session).idle, 1); /* its session tickets are nothing that nobody asked for */
    assert_int_equal(ga_sleep(0.02), 0);
    assert_int_equal(stats_of(session).idle, 1);
    assert_get(session, peer_url(&peer, "/"));
    assert_int_equal(peer.connections, 1);
    peer_stop(&peer);
}

CASE(redirects_leave_tls_where_they_may)
{
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file, .referer = 1);
    ga_auto(ga_session) strict = ga_session_new(.ca_file = ca_file, .no_downgrade = 1);
    peer_server peer, plain;

    peer_start(&plain, peers, hellos);
    ga_autofree char *target = strdup(peer_url(&plain, "/there"));
    ga_autofree char *answer =
        ga_format("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n", target);
    const peer_step away[] = {
        PEER_TAKE(NULL), {.kind = PEER_SAY_, .text = answer, .size = strlen(answer)}, PEER_AGAIN};
    const peer_step *const scripts[] = {away, NULL};

    start(&peer, peers, scripts, &own);
    assert_get(session, peer_url(&peer, "/"));
    assert_int_equal(plain.requests, 1);
    assert_null(strstr(plain.last.data, "Referer")); /* not from https to http */
    assert_null(ga_get(strict, peer_url(&peer, "/")));
    assert_int_equal(ga_error()->code, GA_EREDIRECT);
    assert_int_equal(ga_error()->status, 302);
    assert_non_null(strstr(ga_error_message(), target));
    assert_non_null(strstr(ga_error_message(), "it leads from https to http, which no_downgrade forbids"));
    assert_null(ga_get(session, peer_url(&peer, "/"), .no_downgrade = 1));
    assert_int_equal(ga_error()->code, GA_EREDIRECT);
    assert_int_equal(plain.requests, 1);
    ga_auto(ga_response) allowed = ga_get(strict, peer_url(&peer, "/"), .no_downgrade = -1);
    assert_int_equal(ga_status(allowed), 200);
    assert_int_equal(stats_of(strict).in_use, 0);
    assert_get(strict, target); /* http is no downgrade where it began so */
    peer_stop(&plain);
    peer_stop(&peer);
}

CASE(a_certificate_that_does_not_verify_is_refused)
{
    ga_auto(ga_session) trusting = ga_session_new(.ca_file = ca_file);
    ga_auto(ga_session) wary = ga_session_new(); /* trusts the system's authorities */
    ga_auto(ga_session) careless = ga_session_new(.insecure = 1);
    peer_server peer, other;

    start(&peer, peers, hellos, &own);
    start(&other, peers, hellos, &stranger);
    assert_null(ga_get(wary, peer_url(&peer, "/")));
    assert_int_equal(ga_error()->code, GA_ECERT);
    assert_int_equal(ga_error()->phase, GA_PHASE_TLS);
    assert_int_equal(ga_error()->sent, GA_SENT_NO);
    assert_int_not_equal(ga_error()->tls_error, 0);
    assert_null(ga_get(trusting, peer_url(&other, "/")));
    assert_int_equal(ga_error()->code, GA_ECERT);
    assert_int_equal(stats_of(wary).in_use + stats_of(trusting).in_use, 0);
    assert_get(careless, peer_url(&other, "/"));
    assert_int_equal(other.requests, 1);
    peer_stop(&peer);
    peer_stop(&other);
}

CASE(a_body_that_ends_without_close_notify_was_cut)
{
    static const peer_step cut[] = {PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\n\r\nhello"), PEER_ABORT};
    static const peer_step ends[] = {PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\n\r\nhello"), PEER_CLOSE};
    static const peer_step whole[] = {PEER_TAKE(NULL), PEER_OK("5", "hello"), PEER_ABORT};
    static const peer_step *const scripts[] = {cut, ends, whole, NULL};
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file);
    peer_server peer;

    start(&peer, peers, scripts, &own);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    assert_int_equal(ga_status(response), 200);
    assert_null(ga_text(response));
    assert_int_equal(ga_error()->code, GA_ETRUNCATED);
    assert_get(session, peer_url(&peer, "/"));
    assert_get(session, peer_url(&peer, "/")); /* with a length it does not matter */
    assert_int_equal(peer.connections, 3);
    peer_stop(&peer);
}

CASE(plain_http_is_not_taken_for_tls)
{
    static const peer_step plain[] = {PEER_SAY("HTTP/1.1 400 Bad Request\r\n\r\n"), PEER_HOLD};
    static const peer_step *const scripts[] = {plain, NULL};
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file);
    char url[64];
    peer_server peer;

    peer_start(&peer, peers, scripts);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", (unsigned)ga__address_port(&peer.listener.address));
    assert_null(ga_get(session, url));
    assert_int_equal(ga_error()->code, GA_ETLS);
    assert_int_equal(ga_error()->phase, GA_PHASE_TLS);
    assert_int_equal(stats_of(session).in_use, 0);
    peer_stop(&peer);
}

TIMED_CASE(a_handshake_that_stalls_has_its_timeout)
{
    static const peer_step silent[] = {PEER_HOLD};
    static const peer_step *const scripts[] = {silent, NULL};
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file, .tls_timeout = 2);
    char url[64];
    peer_server peer;

    peer_start(&peer, peers, scripts);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", (unsigned)ga__address_port(&peer.listener.address));
    double began = ga_now();

    assert_null(ga_get(session, url));
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, "tls");
    assert_int_equal(ga_error()->phase, GA_PHASE_TLS);
    assert_true(ga_now() - began > 1.99 && ga_now() - began < 2.1);
    assert_int_equal(stats_of(session).in_use, 0);
    peer_stop(&peer);
}

CASE(a_large_body_goes_out_and_comes_back)
{
    static const peer_step script[] = {PEER_TAKE("POST"),
                                       PEER_SAY("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"),
                                       PEER_FILL(1000000), PEER_AGAIN};
    static const peer_step *const scripts[] = {script, NULL};
    enum { SIZE = 1000000 };
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file);
    ga_autofree char *body = malloc(SIZE);
    peer_server peer;
    size_t size;

    for (size_t i = 0; i < SIZE; i++)
        body[i] = (char)('a' + i % 23);
    start(&peer, peers, scripts, &own);
    for (int i = 0; i < 2; i++) {
        ga_auto(ga_response) response =
            ga_post(session, peer_url(&peer, "/"), .body = body, .body_size = SIZE);
        const char *answer = ga_body(response, &size);

        assert_non_null(answer);
        assert_int_equal(size, SIZE);
        assert_int_equal(strspn(answer, "x"), SIZE);
        assert_memory_equal(peer.last.data + peer.last.size - SIZE, body, SIZE);
    }
    assert_int_equal(peer.connections, 1);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_serves_again_and_again),
        cmocka_unit_test(redirects_leave_tls_where_they_may),
        cmocka_unit_test(a_certificate_that_does_not_verify_is_refused),
        cmocka_unit_test(a_body_that_ends_without_close_notify_was_cut),
        cmocka_unit_test(plain_http_is_not_taken_for_tls),
        cmocka_unit_test(a_handshake_that_stalls_has_its_timeout),
        cmocka_unit_test(a_large_body_goes_out_and_comes_back),
    };

    return cmocka_run_group_tests(tests, make_certificates, free_certificates);
}
