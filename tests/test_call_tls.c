/* SPDX-License-Identifier: MIT */
/*
 * What a single request says of TLS and of HTTP's version instead of its session; above all that nothing
 * which was opened without a check, or under another one, serves a call that wants it.
 */
#include "http2_peer.h"

#include "certificates.h"
#include "client/session.h"
#include "io/tls.h"
#include "io/tls_pin.h"
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

static char *ca_file, *own_file, *other_file;
static ga__certificate other; /* for other.example alone */

static int set_up(void **state)
{
    make_certificates(state);
    other = make_certificate(&(ga__certificate_options){
        .common_name = "other", .names = "DNS:other.example", .issuer = &authority});
    check_make_directory(state);
    ca_file = check_new_file("ca.pem", authority.certificate);
    ga_autofree char *both = ga_format("%s%s", localhost.certificate, localhost.key);
    own_file = check_new_file("own.pem", both);
    ga_autofree char *others = ga_format("%s%s", other.certificate, other.key);
    other_file = check_new_file("other.pem", others);
    return 0;
}

static int tear_down(void **state)
{
    ga__certificate_free(&other);
    check_remove_directory(state);
    free(ca_file);
    free(own_file);
    free(other_file);
    return free_certificates(state);
}

/* --- peers ---------------------------------------------------------------------------------------- */

/* What a peer has seen of its connections. */
typedef struct sight {
    int resumed;        /* TLS sessions */
    int certificates;   /* of clients */
    int without;        /* clients that showed none */
    const char *answer; /* "200 OK", or a redirect */
} sight;

static bool look_and_answer(peer_visit *visit)
{
    static const char hello[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    sight *seen = visit->peer->data;
    X509 *certificate = SSL_get1_peer_certificate(visit->stream.tls);

    seen->resumed += ga__tls_resumed(&visit->stream);
    seen->certificates += certificate != NULL;
    seen->without += certificate == NULL;
    X509_free(certificate);
    return peer_say(visit, seen->answer ? seen->answer : hello, strlen(seen->answer ? seen->answer : hello));
}

static const peer_step hello[] = {PEER_TAKE(NULL), PEER_CALL(look_and_answer), PEER_AGAIN};
static const peer_step *const hellos[] = {hello, NULL};

static void start(peer_server *peer, ga_group *peers, const peer_step *const *scripts,
                  const ga__certificate *certificate, const char *alpn, void *data)
{
    peer_start(peer, peers, scripts);
    peer->tls = ga__tls_config_server(certificate->certificate, certificate->key, alpn);
    assert_non_null(peer->tls);
    peer->data = data;
}

/* The peer asks clients for certificates, and takes what the authority has signed. */
static void ask_for_certificates(const peer_server *peer)
{
    SSL_CTX *context = ga__tls_config_context(peer->tls);
    BIO *bio = BIO_new_mem_buf(authority.certificate, -1);
    X509 *ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca);
    X509_free(ca);
    BIO_free(bio);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"test", 4);
}

#define assert_get(...)                                              \
    do {                                                             \
        ga_auto(ga_response) got_ = ga_get(__VA_ARGS__);             \
                                                                     \
        if (!got_ || !ga_body(got_, NULL) || ga_status(got_) != 200) \
            fail_msg("line %d: %s", __LINE__, ga_error_message());   \
    } while (0)

/* --- what must not be shared ---------------------------------------------------------------------- */

CASE(a_connection_that_was_not_verified_serves_no_call_that_verifies)
{
    sight seen = {0};
    ga_auto(ga_session) wary = ga_session_new(); /* trusts the system's authorities */
    ga_auto(ga_session) careless = ga_session_new(.insecure = 1);
    peer_server peer;

    start(&peer, peers, hellos, &localhost, NULL, &seen);
    assert_get(wary, peer_url(&peer, "/"), .insecure = 1);
    assert_failed(ga_get(wary, peer_url(&peer, "/")), GA_ECERT, "");
    assert_failed(ga_post(wary, peer_url(&peer, "/"), .text = "secret"), GA_ECERT, "");
    assert_failed(ga_get(wary, peer_url(&peer, "/"), .insecure = -1), GA_ECERT, "");
    assert_int_equal(peer.requests, 1);
    size_t connections = peer.connections;

    assert_get(wary, peer_url(&peer, "/"), .insecure = 1); /* but those like the first */
    assert_int_equal(peer.connections, connections);

    assert_get(careless, peer_url(&peer, "/"));
    connections = peer.connections;
    assert_failed(ga_get(careless, peer_url(&peer, "/"), .insecure = -1), GA_ECERT, "");
    assert_failed(ga_get(careless, peer_url(&peer, "/"), .insecure = -1, .ca_file = other_file), GA_ECERT,
                  "");
    assert_get(careless, peer_url(&peer, "/"), .insecure = -1, .ca_file = ca_file);
    assert_int_equal(peer.connections, connections + 3);
    assert_get(careless, peer_url(&peer, "/"), .insecure = 1); /* what the session says */
    assert_get(careless, peer_url(&peer, "/"), .tls_version_min = 12);
    assert_int_equal(peer.connections, connections + 3);
    peer_stop(&peer);
}

CASE(each_check_of_a_request_is_made_though_a_connection_is_there)
{
    static const char wrong[] = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    sight seen = {0};
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file);
    peer_server peer;

    start(&peer, peers, hellos, &localhost, NULL, &seen);
    assert_get(session, peer_url(&peer, "/"));
    assert_failed(ga_get(session, peer_url(&peer, "/"), .tls_pin = wrong), GA_EPIN, "");
    assert_failed(ga_get(session, peer_url(&peer, "/"), .server_name = "other.example"), GA_ECERT,
                  "other.example");
    assert_failed(ga_get(session, peer_url(&peer, "/"), .ca_file = other_file), GA_ECERT, "");
    assert_failed(ga_get(session, peer_url(&peer, "/"), .ca_path = check_directory), GA_ECERT, "");
    assert_int_equal(peer.requests, 1);
    assert_get(session, peer_url(&peer, "/"), .tls_version_min = 13);
    SSL_CTX_set_max_proto_version(ga__tls_config_context(peer.tls), TLS1_2_VERSION);
    assert_get(session, peer_url(&peer, "/"), .cert_file = own_file); /* a connection of its own */
    assert_failed(ga_get(session, peer_url(&peer, "/"), .tls_version_min = 13, .cert_file = own_file),
                  GA_ETLS, "version");
    peer_stop(&peer);
}

CASE(a_name_that_a_request_verifies_serves_that_name_alone)
{
    sight seen = {0};
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file);
    ga_auto(ga_session) named = ga_session_new(.ca_file = ca_file, .server_name = "other.example");
    peer_server peer;

    start(&peer, peers, hellos, &other, NULL, &seen);
    assert_get(session, peer_url(&peer, "/"), .server_name = "other.example");
    assert_failed(ga_get(session, peer_url(&peer, "/")), GA_ECERT, "other.example");
    assert_get(named, peer_url(&peer, "/"));
    assert_failed(ga_get(named, peer_url(&peer, "/"), .server_name = ""), GA_ECERT, "other.example");
    assert_int_equal(peer.requests, 2);
    peer_stop(&peer);
}

/* OpenSSL does not look at a certificate again when a session is resumed. */
CASE(tls_sessions_are_not_resumed_under_other_checks)
{
    sight seen = {0};
    ga_auto(ga_session) session = ga_session_new(.keepalive = -1); /* each call has a connection */
    peer_server peer;

    start(&peer, peers, hellos, &localhost, NULL, &seen);
    for (int version = 0; version < 2; version++) {
        seen.resumed = 0;
        assert_get(session, peer_url(&peer, "/"), .insecure = 1);
        assert_get(session, peer_url(&peer, "/"), .insecure = 1);
        assert_int_equal(seen.resumed, 1);
        assert_failed(ga_get(session, peer_url(&peer, "/")), GA_ECERT, "");
        assert_failed(ga_get(session, peer_url(&peer, "/"), .ca_file = other_file), GA_ECERT, "");
        assert_get(session, peer_url(&peer, "/"), .ca_file = ca_file);
        assert_int_equal(seen.resumed, 1);
        assert_get(session, peer_url(&peer, "/"), .ca_file = ca_file);
        assert_int_equal(seen.resumed, 2);
        ga__tls_config_unref(peer.tls); /* and under TLS 1.2 */
        peer.tls = ga__tls_config_server(localhost.certificate, localhost.key, NULL);
        SSL_CTX_set_max_proto_version(ga__tls_config_context(peer.tls), TLS1_2_VERSION);
    }
    peer_stop(&peer);
}

/* A call that keeps a stream of its connection, as another is made. */
typedef struct caller {
    ga_session *session;
    const char *url;
    int insecure;
} caller;

static int call_stall(void *arg)
{
    const caller *self = arg;

    return ga_get(self->session, self->url, .insecure = self->insecure) ? GA_EUSAGE : ga_error()->code;
}

static void await_requests(const http2_habits *habits, int count)
{
    for (int i = 0; habits->requests < count && i < 5000; i++)
        assert_int_equal(ga_sleep(0.001), 0);
    assert_int_equal(habits->requests, count);
}

CASE(a_shared_connection_is_not_shared_across_checks)
{
    http2_habits habits = {0};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;
    ga_group group;

    start(&peer, peers, http2_scripts, &localhost, "h2", &habits);
    ga_autofree char *stall = ga_format("%s", peer_url(&peer, "/stall"));
    caller self = {session, stall, 1};

    ga_group_open(&group, GA_COLLECT);
    ga_spawn(&group, call_stall, &self);
    await_requests(&habits, 1);
    assert_failed(ga_get(session, peer_url(&peer, "/ok")), GA_ECERT, "");
    assert_failed(ga_get(session, peer_url(&peer, "/ok")), GA_ECERT, "");
    assert_int_equal(habits.requests, 1);
    size_t connections = peer.connections;

    assert_get(session, peer_url(&peer, "/ok"), .insecure = 1);
    assert_get(session, peer_url(&peer, "/ok"), .ca_file = ca_file);
    assert_get(session, peer_url(&peer, "/ok"), .ca_file = ca_file);
    assert_int_equal(peer.connections, connections + 1);
    ga_group_cancel(&group);
    ga_group_close(&group);
    assert_failed(ga_get(session, peer_url(&peer, "/ok")), GA_ECERT, ""); /* also while they idle */
    ga_session_free(session);
    session = NULL;
    peer_await(&peer.open, 0);
    peer_stop(&peer);
}

/* While it is not known what a server speaks, calls wait for the first connection; not for one of others. */
CASE(the_line_is_not_shared_across_checks)
{
    http2_habits habits = {0};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;
    ga_group group;

    start(&peer, peers, http2_scripts, &localhost, "h2,http/1.1", &habits);
    ga_autofree char *url = ga_format("%s", peer_url(&peer, "/stall"));
    caller careless = {session, url, 1}, wary = {session, url, 0};

    ga_group_open(&group, GA_COLLECT);
    ga_task *first = ga_spawn(&group, call_stall, &careless);
    ga_task *second = ga_spawn(&group, call_stall, &wary);
    ga_spawn(&group, call_stall, &careless);
    assert_int_equal(ga_task_join(second), GA_ECERT);
    await_requests(&habits, 2);
    assert_int_equal(habits.requests, 2);
    (void)first;
    ga_group_cancel(&group);
    ga_group_close(&group);
    ga_session_free(session);
    session = NULL;
    peer_await(&peer.open, 0);
    peer_stop(&peer);
}

/* --- who the client is ---------------------------------------------------------------------------- */

CASE(a_certificate_of_a_request_goes_with_that_request)
{
    sight seen = {0};
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file);
    ga_auto(ga_session) known = ga_session_new(.ca_file = ca_file, .cert_file = own_file);
    peer_server peer;

    start(&peer, peers, hellos, &localhost, NULL, &seen);
    ask_for_certificates(&peer);
    assert_get(session, peer_url(&peer, "/"), .cert_file = own_file);
    assert_get(session, peer_url(&peer, "/"), .cert_file = own_file, .key_file = own_file);
    assert_int_equal(seen.certificates, 2);
    assert_get(session, peer_url(&peer, "/"));
    assert_int_equal(seen.without, 1);
    assert_get(known, peer_url(&peer, "/"));
    assert_int_equal(seen.certificates, 3);
    assert_get(known, peer_url(&peer, "/"), .cert_file = "");
    assert_int_equal(seen.without, 2);
    peer_stop(&peer);
}

CASE(a_certificate_of_a_request_is_not_shown_to_another_origin)
{
    sight seen = {0}, elsewhere = {0};
    ga_auto(ga_session) known = ga_session_new(.ca_file = ca_file, .cert_file = other_file);
    peer_server peer, target;

    start(&target, peers, hellos, &localhost, NULL, &elsewhere);
    ask_for_certificates(&target);
    start(&peer, peers, hellos, &localhost, NULL, &seen);
    ask_for_certificates(&peer);
    ga_autofree char *redirect =
        ga_format("HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", peer_url(&target, "/"));
    seen.answer = redirect;
    assert_get(known, peer_url(&peer, "/"), .cert_file = own_file);
    assert_int_equal(seen.certificates, 1);
    assert_int_equal(elsewhere.certificates, 0);
    assert_int_equal(elsewhere.without, 1);
    seen.answer = "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n";
    assert_failed(ga_get(known, peer_url(&peer, "/"), .cert_file = own_file, .max_redirects = 3),
                  GA_EREDIRECT, "");
    assert_int_equal(seen.without, 0); /* to the same it is */
    peer_stop(&peer);
    peer_stop(&target);
}

CASE(a_name_of_a_request_is_not_asked_for_at_another_origin)
{
    sight seen = {0}, elsewhere = {0};
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file);
    peer_server peer, target;

    start(&target, peers, hellos, &localhost, NULL, &elsewhere);
    start(&peer, peers, hellos, &other, NULL, &seen);
    ga_autofree char *redirect =
        ga_format("HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", peer_url(&target, "/"));
    seen.answer = redirect;
    assert_get(session, peer_url(&peer, "/"), .server_name = "other.example");
    assert_int_equal(elsewhere.without, 1);
    peer_stop(&peer);
    peer_stop(&target);
}

TIMED_CASE(the_rest_of_a_body_is_asked_for_under_the_same_options)
{
    static const peer_step breaks[] = {
        PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 10\r\n\r\nhello"),
        PEER_ABORT};
    static const peer_step rest[] = {
        PEER_TAKE(NULL),
        PEER_SAY("HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\n"
                 "Content-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\nworld"),
        PEER_AGAIN};
    static const peer_step *const scripts[] = {breaks, rest, NULL};
    ga_auto(ga_session) session = ga_session_new(.insecure = 1, .resume = 2);
    peer_server peer, hijacked;

    start(&peer, peers, scripts, &other, NULL, NULL);
    start(&hijacked, peers, scripts, &other, NULL, NULL);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"), .insecure = -1, .ca_file = ca_file,
                                           .server_name = "other.example");
    ga_autofree char *text = ga_text(response);
    assert_string_equal(text, "helloworld");
    assert_int_equal(peer.connections, 2);
    ga_auto(ga_response) cheated = ga_get(session, peer_url(&hijacked, "/"), .insecure = -1,
                                          .ca_file = ca_file, .server_name = "other.example");
    assert_non_null(cheated);
    ga__tls_config_unref(hijacked.tls); /* somebody else comes in between */
    hijacked.tls = ga__tls_config_server(localhost.certificate, localhost.key, NULL);
    assert_null(ga_text(cheated));
    assert_non_null(strstr(ga_error_message(), "other.example"));
    assert_int_equal(hijacked.requests, 1);
    peer_stop(&peer);
    peer_stop(&hijacked);
}

/* --- HTTP's version ------------------------------------------------------------------------------- */

CASE(a_request_chooses_the_version_of_http)
{
    static const peer_step plain[] = {PEER_TAKE(NULL), PEER_OK("5", "hello"), PEER_AGAIN};
    static const peer_step *const plains[] = {plain, NULL};
    http2_habits habits = {0};
    ga_auto(ga_session) automatic = ga_session_new();
    ga_auto(ga_session) second = ga_session_new(.http = 2);
    peer_server one, two;

    peer_start(&one, peers, plains);
    peer_start(&two, peers, http2_scripts);
    two.data = &habits;
    ga_auto(ga_response) a = ga_get(automatic, peer_url(&two, "/ok"), .http = 2);
    ga_auto(ga_response) b = ga_get(second, peer_url(&one, "/"), .http = 11);
    ga_auto(ga_response) c = ga_get(second, peer_url(&one, "/"), .http = -1);
    ga_auto(ga_response) d = ga_get(second, peer_url(&two, "/ok"), .http = 2);
    assert_string_equal(ga_http_version(a), "2");
    assert_string_equal(ga_http_version(b), "1.1");
    assert_string_equal(ga_http_version(c), "1.1");
    assert_string_equal(ga_http_version(d), "2");
    ga_response_free(a);
    ga_response_free(d);
    a = d = NULL;
    ga_session_free(automatic);
    ga_session_free(second);
    automatic = second = NULL;
    peer_await(&two.open, 0);
    peer_stop(&one);
    peer_stop(&two);
}

CASE(over_tls_a_version_is_agreed_on_for_each_request)
{
    sight seen = {0};
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file);
    peer_server peer;

    start(&peer, peers, hellos, &localhost, "http/1.1", &seen);
    assert_get(session, peer_url(&peer, "/"));
    assert_failed(ga_get(session, peer_url(&peer, "/"), .http = 2), GA_EPROTOCOL, "ALPN");
    assert_get(session, peer_url(&peer, "/"), .http = 11);
    assert_int_equal(peer.requests, 2);
    peer_stop(&peer);
}

/* --- mistakes and bounds -------------------------------------------------------------------------- */

CASE(what_cannot_be_is_refused_before_anything_is_sent)
{
    sight seen = {0};
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file);
    peer_server peer;

    start(&peer, peers, hellos, &localhost, NULL, &seen);
    const char *url = peer_url(&peer, "/");

    assert_failed(ga_get(session, url, .http = 3), GA_EUSAGE, "http is 3");
    assert_failed(ga_get(session, url, .tls_version_min = 11), GA_EUSAGE, "tls_version_min is 11");
    assert_failed(ga_get(session, url, .key_file = own_file), GA_EUSAGE, "cert_file");
    assert_failed(ga_get(session, url, .ca_file = "/nonexistent/ca.pem"), GA_ETLS, "/nonexistent/ca.pem");
    assert_int_equal(ga_error()->phase, GA_PHASE_PREPARE);
    assert_int_equal(ga_error()->sent, GA_SENT_NO);
    assert_failed(ga_get(session, url, .cert_file = ca_file), GA_ETLS, "key_file");
    assert_failed(ga_get(session, url, .tls_pin = "sha256//"), GA_EUSAGE, "tls_pin");
    assert_int_equal(peer.connections, 0);
    assert_int_equal(session->tls.count, 0);
    peer_stop(&peer);
}

CASE(few_configurations_are_kept)
{
    sight seen = {0};
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file);
    peer_server peer;

    start(&peer, peers, hellos, &localhost, NULL, &seen);
    for (int i = 0; i < 50; i++) {
        ga_autofree char *name = ga_format("host%d.example", i);

        assert_failed(ga_get(session, peer_url(&peer, "/"), .server_name = name), GA_ECERT, name);
        assert_true(session->tls.count <= 8);
    }
    for (int i = 0; i < 20; i++)
        assert_get(session, peer_url(&peer, "/"), .server_name = i % 2 ? "localhost" : "127.0.0.1");
    assert_int_equal(peer.connections, 50 + 2);
    assert_true(session->tls.count <= 8);
    peer_stop(&peer);
}

CASE(what_an_unverified_answer_says_of_hsts_is_not_believed)
{
    sight seen = {
        .answer = "HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1000\r\nContent-Length: 0\r\n\r\n"};
    peer_server peer;

    start(&peer, peers, hellos, &localhost, NULL, &seen);
    ga_autofree char *secure =
        ga_format("https://localhost:%u/", (unsigned)ga__address_port(&peer.listener.address));
    ga_autofree char *plain = ga_format("http%s", secure + 5);
    ga_auto(ga_session) session =
        ga_session_new(.ca_file = ca_file, .hsts = 1, .resolve = GA_PAIRS({"localhost", "127.0.0.1"}),
                       .total_timeout = 5);

    assert_get(session, secure, .insecure = 1);
    assert_null(ga_get(session, plain)); /* to a port that speaks TLS */
    assert_string_equal(ga_error()->url, plain);
    assert_get(session, secure);
    assert_get(session, plain);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_that_was_not_verified_serves_no_call_that_verifies),
        cmocka_unit_test(each_check_of_a_request_is_made_though_a_connection_is_there),
        cmocka_unit_test(a_name_that_a_request_verifies_serves_that_name_alone),
        cmocka_unit_test(tls_sessions_are_not_resumed_under_other_checks),
        cmocka_unit_test(a_shared_connection_is_not_shared_across_checks),
        cmocka_unit_test(the_line_is_not_shared_across_checks),
        cmocka_unit_test(a_certificate_of_a_request_goes_with_that_request),
        cmocka_unit_test(a_certificate_of_a_request_is_not_shown_to_another_origin),
        cmocka_unit_test(a_name_of_a_request_is_not_asked_for_at_another_origin),
        cmocka_unit_test(the_rest_of_a_body_is_asked_for_under_the_same_options),
        cmocka_unit_test(a_request_chooses_the_version_of_http),
        cmocka_unit_test(over_tls_a_version_is_agreed_on_for_each_request),
        cmocka_unit_test(what_cannot_be_is_refused_before_anything_is_sent),
        cmocka_unit_test(few_configurations_are_kept),
        cmocka_unit_test(what_an_unverified_answer_says_of_hsts_is_not_believed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
