/* SPDX-License-Identifier: MIT */
/* TLS over loopback with certificates made here: data, verification and its verdicts, ends, resumption, and
 * cost. */
#include "certificates.h"
#include "loopback.h"

#include "io/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- two ends ------------------------------------------------------------------------------------- */

typedef struct tls_pair {
    loopback link;
    ga__tls_config *client, *server;
} tls_pair;

static ga__tls_config *trusting(void)
{
    ga__tls_config *config =
        ga__tls_config_new(&(ga__tls_options){.ca_pem = authority.certificate, .alpn = "h2,http/1.1"});

    assert_non_null(config);
    return config;
}

static ga__tls_config *serving(const ga__certificate *certificate)
{
    ga__tls_config *config = ga__tls_config_server(certificate->certificate, certificate->key, "http/1.1");

    if (!config)
        fail_msg("%s", ga_error_message());
    return config;
}

static int serve_handshake(void *argument)
{
    tls_pair *pair = argument;

    return ga__tls_accept(&pair->link.server, pair->server, in_seconds(30));
}

/* Connects and shakes hands. @return the client's code; *server_code, where wanted, the server's */
static int shake(tls_pair *pair, const char *host, int *server_code)
{
    ga_group group;

    loopback_open(&pair->link);
    ga_group_open(&group, GA_COLLECT);
    ga_task *server = ga_spawn(&group, serve_handshake, pair);
    int code = ga__tls_connect(&pair->link.client, pair->client, host,
                               ga__address_port(&pair->link.listener.address), in_seconds(30));

    if (code < 0)
        ga__stream_close(&pair->link.client);
    ga_error_detail detail = *ga_error();
    char *message = strdup(detail.message);
    int other = ga_task_join(server);

    if (server_code)
        *server_code = other;
    if (code < 0) { /* joining replaced the task's error */
        ga__fail(code, "%s", message);
        ga__error_edit()->tls_error = detail.tls_error;
    }
    free(message);
    ga_group_close(&group);
    return code;
}

static void pair_open(tls_pair *pair)
{
    int server_code;

    *pair = (tls_pair){.client = trusting(), .server = serving(&localhost)};
    if (shake(pair, "localhost", &server_code) != 0)
        fail_msg("%s", ga_error_message());
    assert_int_equal(server_code, 0);
}

static void pair_close(tls_pair *pair)
{
    loopback_close(&pair->link);
    ga__tls_config_unref(pair->client);
    ga__tls_config_unref(pair->server);
}

/* --- data ----------------------------------------------------------------------------------------- */

CASE(a_byte_goes_each_way)
{
    tls_pair pair;

    pair_open(&pair);
    exchange_bytes(&pair.link.client, &pair.link.server);
    assert_string_equal(ga__tls_version(&pair.link.client), "TLSv1.3");
    assert_false(ga__tls_resumed(&pair.link.client));
    ga__slice protocol = ga__tls_protocol(&pair.link.client);

    assert_true(ga__slice_equal(protocol, GA__SLICE("http/1.1")));
    assert_string_equal(SSL_get_servername(pair.link.server.tls, TLSEXT_NAMETYPE_host_name), "localhost");
    pair_close(&pair);
}

CASE(ten_megabytes_go_both_ways_at_once)
{
    tls_pair pair;

    pair_open(&pair);
    exchange_large(&pair.link.client, &pair.link.server);
    pair_close(&pair);
}

/* --- what it costs -------------------------------------------------------------------------------- */

CASE(a_message_costs_one_send_and_one_recv)
{
    static char head[] = "a head, ", body[] = "a body";
    struct iovec parts[] = {{.iov_base = head, .iov_len = 8}, {.iov_base = body, .iov_len = 6}};
    char buffer[4096];
    tls_pair pair;

    pair_open(&pair);
    for (int i = 0; i < 101; i++) {
        if (i == 1)
            count_calls(); /* the first answer brings session tickets, too */
        assert_int_equal(ga__stream_send(&pair.link.client, parts, 2, GA__NEVER, GA__NEVER), 0);
        assert_int_equal(ga__stream_recv(&pair.link.server, buffer, sizeof buffer, GA__NEVER), 14);
        assert_int_equal(ga__stream_send(&pair.link.server, parts, 2, GA__NEVER, GA__NEVER), 0);
        assert_int_equal(ga__stream_recv(&pair.link.client, buffer, sizeof buffer, GA__NEVER), 14);
    }
    assert_int_equal(calls.sends, 200);
    assert_int_equal(calls.recvs, 200);
    pair_close(&pair);
}

CASE(records_that_are_there_come_in_one_call)
{
    char buffer[4096];
    tls_pair pair;

    pair_open(&pair);
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_text(&pair.link.client, "record "), 0);
    assert_int_equal(ga__stream_wait_readable(&pair.link.server, in_seconds(30)), 0);
    count_calls();
    assert_int_equal(ga__stream_recv_now(&pair.link.server, buffer, sizeof buffer), 21);
    assert_int_equal(calls.recvs, 1);
    /* what the TLS layer holds already is not waited for */
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_text(&pair.link.client, "record "), 0);
    assert_int_equal(ga__stream_recv(&pair.link.server, buffer, 10, in_seconds(30)), 10);
    count_calls();
    assert_int_equal(ga__stream_wait_readable(&pair.link.server, 0), 0);
    assert_int_equal(ga__stream_recv_now(&pair.link.server, buffer, sizeof buffer), 11);
    assert_int_equal(ga__stream_recv_now(&pair.link.server, buffer, sizeof buffer), GA_EAGAIN);
    assert_int_equal(ga__stream_wait_readable(&pair.link.server, in_seconds(0.01)), GA_ETIMEDOUT);
    assert_int_equal(calls.recvs, 0);
    pair_close(&pair);
}

/* A record of which a part has come: what is buffered is no reason to try again and again. */
CASE(half_a_record_is_waited_for_and_a_forged_one_refused)
{
    char buffer[64];
    unsigned char half[100] = {23, 3, 3, 1, 0}; /* application data, of 256 bytes */
    struct iovec part = {.iov_base = half, .iov_len = sizeof half};
    tls_pair pair;

    pair_open(&pair);
    assert_int_equal(send_text(&pair.link.client, "x"), 0);
    expect_text(&pair.link.server, "x");
    assert_int_equal(ga__stream_raw_send(&pair.link.client, &part, 1), sizeof half);
    count_calls();
    assert_int_equal(ga__stream_recv(&pair.link.server, buffer, sizeof buffer, in_seconds(0.03)),
                     GA_ETIMEDOUT);
    assert_true(calls.recvs <= 2);
    assert_int_equal(ga__stream_raw_send(&pair.link.client, &part, 1), sizeof half);
    assert_int_equal(ga__stream_raw_send(&pair.link.client, &part, 1), sizeof half);
    assert_int_equal(ga__stream_recv(&pair.link.server, buffer, sizeof buffer, in_seconds(30)), GA_ETLS);
    assert_true(ga_error()->tls_error != 0); /* it was no record of this connection's */
    assert_int_equal(ga__stream_recv(&pair.link.server, buffer, sizeof buffer, in_seconds(30)), GA_ETLS);
    pair_close(&pair);
}

/* --- who the server is ---------------------------------------------------------------------------- */

/* Shakes hands with a server of this certificate and checks the verdict. */
static void expect_verdict(const ga__certificate *certificate, const char *host, long verify_error,
                           const char *sentence)
{
    tls_pair pair = {.client = trusting(), .server = serving(certificate)};
    int code = shake(&pair, host, NULL);

    if (verify_error == 0) {
        if (code)
            fail_msg("%s", ga_error_message());
    } else {
        assert_int_equal(code, GA_ECERT);
        assert_int_equal(ga_error()->tls_error, verify_error);
        if (!strstr(ga_error_message(), sentence))
            fail_msg("\"%s\" is not in \"%s\"", sentence, ga_error_message());
    }
    pair_close(&pair);
}

CASE(the_certificate_must_be_for_the_host)
{
    ga__certificate other = make_certificate(
        &(ga__certificate_options){.common_name = "other",
                                   .names = "DNS:other.example,DNS:*.wild.example,IP:192.0.2.7",
                                   .issuer = &authority});

    expect_verdict(&localhost, "localhost", 0, NULL);
    expect_verdict(&localhost, "localhost.", 0, NULL);
    expect_verdict(&localhost, "127.0.0.1", 0, NULL);
    expect_verdict(&localhost, "::1", 0, NULL);
    expect_verdict(&other, "a.wild.example", 0, NULL);
    expect_verdict(&other, "a.b.wild.example", X509_V_ERR_HOSTNAME_MISMATCH, "not for a.b.wild.example");
    expect_verdict(&other, "localhost", X509_V_ERR_HOSTNAME_MISMATCH,
                   "it is for other.example, *.wild.example, 192.0.2.7, not for localhost");
    expect_verdict(&other, "127.0.0.1", X509_V_ERR_IP_ADDRESS_MISMATCH, "not for 127.0.0.1");
    ga__certificate_free(&other);
}

/* OpenSSL takes a name that begins with a dot for all that end so, and an empty one for any. */
CASE(a_server_has_one_whole_name)
{
    static const char *const hosts[] = {".example.test", "", "."};
    ga__certificate inside = make_certificate(&(ga__certificate_options){
        .common_name = "inside", .names = "DNS:a.example.test", .issuer = &authority});

    expect_verdict(&inside, "a.example.test", 0, NULL);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        tls_pair pair = {.client = trusting(), .server = serving(&inside)};

        assert_int_equal(shake(&pair, hosts[i], NULL), GA_ETLS);
        assert_contains(ga_error_message(), "cannot be the name of a TLS server");
        pair_close(&pair);
    }
    ga__certificate_free(&inside);
}

CASE(the_certificate_must_be_valid_now)
{
    ga__certificate expired = make_certificate(&(ga__certificate_options){.common_name = "localhost",
                                                                          .names = GA__LOCAL_NAMES,
                                                                          .issuer = &authority,
                                                                          .valid_from = -7200,
                                                                          .valid_until = -3600});
    ga__certificate early = make_certificate(&(ga__certificate_options){.common_name = "localhost",
                                                                        .names = GA__LOCAL_NAMES,
                                                                        .issuer = &authority,
                                                                        .valid_from = 3600,
                                                                        .valid_until = 7200});

    expect_verdict(&expired, "localhost", X509_V_ERR_CERT_HAS_EXPIRED, "it expired on 20");
    expect_verdict(&early, "localhost", X509_V_ERR_CERT_NOT_YET_VALID, "it is not valid before 20");
    ga__certificate_free(&expired);
    ga__certificate_free(&early);
}

CASE(the_issuer_must_be_trusted)
{
    ga__certificate own =
        make_certificate(&(ga__certificate_options){.common_name = "localhost", .names = GA__LOCAL_NAMES});
    ga__certificate stranger =
        make_certificate(&(ga__certificate_options){.common_name = "A strange\nCA", .authority = true});
    ga__certificate theirs = make_certificate(&(ga__certificate_options){
        .common_name = "localhost", .names = GA__LOCAL_NAMES, .issuer = &stranger});
    ga__certificate whole = {.key = theirs.key};

    assert_true(asprintf(&whole.certificate, "%s%s", theirs.certificate, stranger.certificate) > 0);
    expect_verdict(&own, "localhost", X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "self-signed");
    expect_verdict(&theirs, "localhost", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "pass .ca_file");
    assert_non_null(strstr(ga_error_message(), "A strange"));
    assert_null(strchr(ga_error_message(), '\n'));
    expect_verdict(&whole, "localhost", X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "is not trusted here");
    free(whole.certificate);
    ga__certificate_free(&own);
    ga__certificate_free(&stranger);
    ga__certificate_free(&theirs);
}

CASE(insecure_accepts_anything)
{
    ga__certificate own = make_certificate(
        &(ga__certificate_options){.common_name = "x", .valid_from = -20, .valid_until = -10});
    tls_pair pair = {.client = ga__tls_config_new(&(ga__tls_options){.insecure = true}),
                     .server = serving(&own)};

    assert_non_null(pair.client);
    assert_int_equal(shake(&pair, "localhost", NULL), 0);
    assert_int_equal(send_text(&pair.link.client, "hello"), 0);
    expect_text(&pair.link.server, "hello");
    pair_close(&pair);
    ga__certificate_free(&own);
}

CASE(insecure_does_not_blame_the_certificate)
{
    tls_pair pair = {.client = ga__tls_config_new(&(ga__tls_options){.insecure = true}),
                     .server = serving(&localhost)};
    SSL_CTX *context = ga__tls_config_context(pair.server);

    assert_non_null(pair.client);
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION); /* 1.3 would tell the client later */
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    assert_int_equal(shake(&pair, "localhost", NULL), GA_ETLS);
    assert_contains(ga_error_message(), "handshake failure");
    pair_close(&pair);
}

CASE(an_address_is_not_sent_as_server_name)
{
    tls_pair pair = {.client = trusting(), .server = serving(&localhost)};

    assert_int_equal(shake(&pair, "127.0.0.1", NULL), 0);
    assert_null(SSL_get_servername(pair.link.server.tls, TLSEXT_NAMETYPE_host_name));
    pair_close(&pair);
}

/* --- files and settings --------------------------------------------------------------------------- */

static void expect_bad_options(const ga__tls_options *options, int code, const char *what)
{
    assert_null(ga__tls_config_new(options));
    assert_int_equal(ga_error()->code, code);
    if (!strstr(ga_error_message(), what))
        fail_msg("\"%s\" is not in \"%s\"", what, ga_error_message());
}

static void files_that_cannot_be_used_are_named(void **state)
{
    char *directory = check_mkdtemp();
    char *empty = ga_format("%s/empty.pem", directory);
    char *good = ga_format("%s/good.pem", directory);
    char *key = ga_format("%s/key.pem", directory);

    (void)state;
    check_write_file(empty, "nothing here\n");
    check_write_file(good, localhost.certificate);
    check_write_file(key, authority.key);
    expect_bad_options(&(ga__tls_options){.ca_file = "/nonexistent/ca.pem"}, GA_ETLS, "/nonexistent/ca.pem");
    expect_bad_options(&(ga__tls_options){.ca_path = "/nonexistent"}, GA_ETLS, "/nonexistent");
    expect_bad_options(&(ga__tls_options){.ca_file = empty}, GA_ETLS, empty);
    expect_bad_options(&(ga__tls_options){.ca_pem = "nothing"}, GA_ETLS, "CA certificates");
    expect_bad_options(&(ga__tls_options){.cert_file = "/nonexistent/c.pem"}, GA_ETLS, "/nonexistent/c.pem");
    expect_bad_options(&(ga__tls_options){.cert_file = good}, GA_ETLS, "key_file"); /* no key in it */
    expect_bad_options(&(ga__tls_options){.cert_file = good, .key_file = key}, GA_ETLS, "mismatch");
    expect_bad_options(&(ga__tls_options){.key_file = key}, GA_EUSAGE, "cert_file");
    expect_bad_options(&(ga__tls_options){.version_min = 11}, GA_EUSAGE, "11");
    expect_bad_options(&(ga__tls_options){.alpn = "h2,,x"}, GA_EUSAGE, "ALPN");
    assert_int_equal(setenv("SSL_CERT_FILE", "/nonexistent/bundle.pem", 1), 0);
    expect_bad_options(&(ga__tls_options){0}, GA_ETLS, "SSL_CERT_FILE");
    unsetenv("SSL_CERT_FILE");
    assert_null(ga__tls_config_server(localhost.certificate, authority.key, NULL));
    assert_null(ga__tls_config_server("nothing", localhost.key, NULL));
    check_rmdir(directory);
    free(directory);
    free(empty);
    free(good);
    free(key);
}

static void what_the_program_left_in_openssls_queue_is_no_reason(void **state)
{
    char *directory = check_mkdtemp();
    char *empty = ga_format("%s/empty.pem", directory);

    (void)state;
    check_write_file(empty, "nothing here\n");
    ERR_raise(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER);
    expect_bad_options(&(ga__tls_options){.ca_file = empty}, GA_ETLS, empty);
    assert_lacks(ga_error_message(), "no shared cipher");
    check_rmdir(directory);
    free(directory);
    free(empty);
}

/* Writes the key as `openssl genpkey -aes256` does. */
static void write_encrypted(const char *path, const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    FILE *file = fopen(path, "we");

    assert_true(file && key);
    assert_int_equal(PEM_write_PKCS8PrivateKey(file, key, EVP_aes_256_cbc(), "secret", 6, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
    EVP_PKEY_free(key);
    BIO_free(bio);
}

/* In a session of its own, so that there is no terminal on which OpenSSL would ask. */
static void nobody_is_asked_for_the_passphrase_of_a_key(void **state)
{
    char *directory = check_mkdtemp();
    char *certificate = ga_format("%s/certificate.pem", directory), *key = ga_format("%s/key.pem", directory);
    int status;

    (void)state;
    check_write_file(certificate, localhost.certificate);
    write_encrypted(key, localhost.key);
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        close(STDIN_FILENO);
        setsid();
        bool good = !ga__tls_config_new(&(ga__tls_options){.cert_file = certificate, .key_file = key}) &&
                    strstr(ga_error_message(), key) && strstr(ga_error_message(), "encrypted");
        _exit(!good);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    check_rmdir(directory);
    free(directory);
    free(certificate);
    free(key);
}

static int ca_sources(void *argument)
{
    char *file = ga_format("%s/ca.pem", (const char *)argument);

    check_write_file(file, authority.certificate);
    for (int from_environment = 0; from_environment < 2; from_environment++) {
        if (from_environment)
            setenv("SSL_CERT_FILE", file, 1);
        tls_pair pair = {
            .client = ga__tls_config_new(&(ga__tls_options){.ca_file = from_environment ? NULL : file}),
            .server = serving(&localhost)};

        assert_non_null(pair.client);
        if (shake(&pair, "localhost", NULL) != 0)
            fail_msg("%s", ga_error_message());
        pair_close(&pair);
    }
    unsetenv("SSL_CERT_FILE");
    free(file);
    return 0;
}

static void trust_comes_from_a_file_or_the_environment(void **state)
{
    char *directory = check_mkdtemp();

    (void)state;
    assert_int_equal(ga_run(ca_sources, directory), 0);
    check_rmdir(directory);
    free(directory);
}

CASE(the_least_version_is_kept)
{
    tls_pair pair = {
        .client = ga__tls_config_new(&(ga__tls_options){.ca_pem = authority.certificate, .version_min = 13}),
        .server = serving(&localhost)};

    SSL_CTX_set_max_proto_version(ga__tls_config_context(pair.server), TLS1_2_VERSION);
    assert_int_equal(shake(&pair, "localhost", NULL), GA_ETLS);
    assert_non_null(strstr(ga_error_message(), "no TLS version in common"));
    loopback_close(&pair.link);
    ga__tls_config_unref(pair.client);
    pair.client = trusting();
    assert_int_equal(shake(&pair, "localhost", NULL), 0);
    assert_string_equal(ga__tls_version(&pair.link.client), "TLSv1.2");
    pair_close(&pair);
}

/* The server wants a certificate; under TLS 1.3 the client learns only when it reads that its own was
 * missing. */
static int client_certificates(void *argument)
{
    char *directory = argument;
    char *file = ga_format("%s/client.pem", directory);
    char *both = ga_format("%s%s", localhost.certificate, localhost.key);
    char byte;

    check_write_file(file, both);
    for (int with = 0; with < 2; with++) {
        tls_pair pair = {
            .client = ga__tls_config_new(
                &(ga__tls_options){.ca_pem = authority.certificate, .cert_file = with ? file : NULL}),
            .server = serving(&localhost),
        };
        SSL_CTX *context = ga__tls_config_context(pair.server);
        BIO *bio = BIO_new_mem_buf(authority.certificate, -1);
        X509 *ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        int server_code;

        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca);
        X509_free(ca);
        BIO_free(bio);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        assert_int_equal(shake(&pair, "localhost", &server_code), 0);
        assert_int_equal(server_code, with ? 0 : GA_ETLS);
        if (with) {
            assert_int_equal(send_text(&pair.link.client, "hello"), 0);
            expect_text(&pair.link.server, "hello");
        } else {
            assert_int_equal(ga__stream_recv(&pair.link.client, &byte, 1, in_seconds(30)), GA_ETLS);
            assert_non_null(strstr(ga_error_message(), "client certificate"));
        }
        pair_close(&pair);
    }
    free(both);
    free(file);
    return 0;
}

static void a_client_certificate_is_shown_where_it_is_wanted(void **state)
{
    char *directory = check_mkdtemp();

    (void)state;
    assert_int_equal(ga_run(client_certificates, directory), 0);
    check_rmdir(directory);
    free(directory);
}

/* --- peers that do not speak TLS ------------------------------------------------------------------ */

static int answer_http(void *argument)
{
    char buffer[2000];

    if (ga__stream_recv(argument, buffer, sizeof buffer, GA__NEVER) <= 0)
        return GA_EPROTOCOL;
    return send_text(argument, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
}

static int hang_up(void *argument)
{
    char buffer[2000];

    if (ga__stream_recv(argument, buffer, sizeof buffer, GA__NEVER) <= 0)
        return GA_EPROTOCOL;
    ga__stream_close(argument);
    return 0;
}

static int say_nothing(void *argument)
{
    (void)argument;
    return 0;
}

/* The client's code with a server that does this, within so many seconds. */
static int shake_with(int (*server)(void *argument), double seconds)
{
    ga__tls_config *config = trusting();
    loopback link;
    ga_group group;

    loopback_open(&link);
    ga_group_open(&group, GA_COLLECT);
    ga_spawn(&group, server, &link.server);
    int code = ga__tls_connect(&link.client, config, "localhost", 443, in_seconds(seconds));

    ga_gather(&group);
    ga_group_close(&group);
    loopback_close(&link);
    ga__tls_config_unref(config);
    return code;
}

CASE(peers_without_tls_are_recognised)
{
    assert_int_equal(shake_with(answer_http, 30), GA_ETLS);
    assert_non_null(strstr(ga_error_message(), "localhost:443 failed: it does not speak TLS"));
    assert_int_equal(shake_with(hang_up, 30), GA_ETLS);
    assert_non_null(strstr(ga_error_message(), "closed the connection during the TLS handshake"));
    assert_int_equal(shake_with(say_nothing, 0.03), GA_ETIMEDOUT);
}

static int connect_for_ever(void *argument)
{
    ga__tls_config *config = trusting();
    int code = ga__tls_connect(argument, config, "localhost", 443, GA__NEVER);

    ga__stream_close(argument);
    ga__tls_config_unref(config);
    return code;
}

CASE(a_handshake_can_be_cancelled)
{
    loopback link;
    ga_group group;

    loopback_open(&link);
    ga_group_open(&group, GA_COLLECT);
    ga_task *task = ga_spawn(&group, connect_for_ever, &link.client);

    ga_sleep(0.01);
    ga_task_cancel(task);
    assert_int_equal(ga_task_join(task), GA_ECANCELED);
    ga_group_close(&group);
    loopback_close(&link);
}

/* --- ends ----------------------------------------------------------------------------------------- */

CASE(an_end_without_close_notify_is_told)
{
    char buffer[64];
    tls_pair pair;

    for (int clean = 0; clean < 2; clean++) {
        pair_open(&pair);
        assert_int_equal(send_text(&pair.link.server, "bye"), 0);
        if (clean)
            ga__stream_close(&pair.link.server);
        else
            ga__stream_abort(&pair.link.server);
        expect_text(&pair.link.client, "bye");
        assert_int_equal(ga__stream_recv(&pair.link.client, buffer, sizeof buffer, in_seconds(30)), 0);
        assert_int_equal(pair.link.client.truncated, !clean);
        assert_int_equal(ga__stream_recv(&pair.link.client, buffer, sizeof buffer, in_seconds(30)), 0);
        assert_false(ga__stream_idle_ok(&pair.link.client, 0));
        pair_close(&pair);
    }
}

CASE(a_child_that_closes_leaves_the_parents_connection)
{
    tls_pair pair;
    int status;

    pair_open(&pair);
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        ga__stream_close(&pair.link.client);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(send_text(&pair.link.client, "still here"), 0);
    expect_text(&pair.link.server, "still here");
    assert_int_equal(send_text(&pair.link.server, "so am I"), 0);
    expect_text(&pair.link.client, "so am I");
    pair_close(&pair);
}

CASE(sending_fails_without_progress)
{
    static char bytes[LARGE];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};
    tls_pair pair;

    pair_open(&pair);
    assert_int_equal(ga__stream_send(&pair.link.client, &part, 1, GA__NEVER, 20000000), GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, "write");
    assert_true(pair.link.client.bytes_sent > 0 && pair.link.client.bytes_sent < LARGE);
    pair_close(&pair);
}

/* --- idle connections ----------------------------------------------------------------------------- */

CASE(idle_connections_take_tickets_and_refuse_data)
{
    tls_pair pair;

    pair_open(&pair);
    ga_sleep(0.005);
    assert_true(pair.link.client.fd.ready & GA__READABLE); /* session tickets are there */
    assert_true(ga__stream_idle_ok(&pair.link.client, 0));
    assert_int_equal(send_text(&pair.link.server, "unasked"), 0);
    ga_sleep(0.005);
    assert_false(ga__stream_idle_ok(&pair.link.client, GA__NEVER));
    pair_close(&pair);
    pair_open(&pair);
    ga__stream_close(&pair.link.server);
    ga_sleep(0.005);
    assert_false(ga__stream_idle_ok(&pair.link.client, GA__NEVER));
    pair_close(&pair);
}

/* --- sessions ------------------------------------------------------------------------------------- */

/* Another connection with the same configurations, used for one exchange; whether it resumed a session. */
static bool resumes(tls_pair *pair, const char *host, bool clean)
{
    ga__listener listener = pair->link.listener; /* the port is part of a session's key */

    ga__stream_init(&pair->link.client);
    ga__stream_init(&pair->link.server);
    assert_int_equal(ga__connect(&pair->link.client, &listener.address, 1, NULL, in_seconds(30), NULL), 0);
    assert_int_equal(ga__listener_accept(&pair->link.listener, &pair->link.server, in_seconds(30)), 0);
    ga_group group;

    ga_group_open(&group, GA_FAIL_FAST);
    ga_spawn(&group, serve_handshake, pair);
    if (ga__tls_connect(&pair->link.client, pair->client, host, ga__address_port(&listener.address),
                        in_seconds(30)) != 0)
        fail_msg("%s", ga_error_message());
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    assert_int_equal(send_text(&pair->link.server, "hello"), 0);
    expect_text(&pair->link.client, "hello");
    bool resumed = ga__tls_resumed(&pair->link.client);

    assert_int_equal(ga__tls_resumed(&pair->link.server), resumed);
    if (clean)
        ga__stream_close(&pair->link.client);
    else
        ga__stream_abort(&pair->link.client);
    ga__stream_close(&pair->link.server);
    return resumed;
}

CASE(sessions_are_resumed)
{
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        tls_pair pair = {.client = trusting(), .server = serving(&localhost)};

        SSL_CTX_set_max_proto_version(ga__tls_config_context(pair.server), version);
        listen_here(&pair.link.listener);
        assert_false(resumes(&pair, "localhost", true));
        assert_true(resumes(&pair, "localhost", false)); /* an abrupt end does not spoil it */
        assert_true(resumes(&pair, "localhost", true));
        assert_false(resumes(&pair, "127.0.0.1", true)); /* another host's session is not its */
        pair_close(&pair);
    }
}

static SSL_SESSION *some_session(int version)
{
    SSL_SESSION *session = SSL_SESSION_new();
    unsigned char id[4] = {1, 2, 3, 4};

    assert_non_null(session);
    SSL_SESSION_set_protocol_version(session, version);
    SSL_SESSION_set1_id(session, id, sizeof id);
    return session;
}

static int sessions_of(ga__tls_config *config, const char *peer)
{
    int count = 0;

    for (SSL_SESSION *session; (session = ga__tls_config_take_session(config, peer)) != NULL; count++)
        SSL_SESSION_free(session);
    return count;
}

static void the_store_of_sessions_is_bounded(void **state)
{
    ga__tls_config *config = trusting();
    char peer[32];
    int kept = 0;

    (void)state;
    for (int i = 0; i < 1000; i++)
        ga__tls_config_keep_session(config, "one:443", some_session(TLS1_3_VERSION));
    kept = sessions_of(config, "one:443"); /* TLS 1.3: each is handed out once */
    assert_true(kept > 2 && kept <= 32);
    assert_null(ga__tls_config_take_session(config, "one:443"));
    for (int i = 0; i < 1000; i++) {
        snprintf(peer, sizeof peer, "%d:443", i);
        ga__tls_config_keep_session(config, peer, some_session(TLS1_3_VERSION));
    }
    kept = 0;
    for (int i = 0; i < 1000; i++) {
        snprintf(peer, sizeof peer, "%d:443", i);
        kept += sessions_of(config, peer);
    }
    assert_true(kept > 100 && kept <= 512);
    ga__tls_config_keep_session(config, "old:443", some_session(TLS1_2_VERSION));
    for (int i = 0; i < 3; i++) { /* TLS 1.2: again and again */
        SSL_SESSION *session = ga__tls_config_take_session(config, "old:443");

        assert_non_null(session);
        SSL_SESSION_free(session);
    }
    ga__tls_config_unref(config);
}

static void without_descriptors_no_certificate_is_judged(void **state)
{
    struct rlimit before, none;
    int lowest = dup(STDERR_FILENO);

    (void)state;
    close(lowest);
    getrlimit(RLIMIT_NOFILE, &before);
    none = (struct rlimit){.rlim_cur = (rlim_t)lowest, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    ga__tls_config *config = ga__tls_config_new(&(ga__tls_options){0});

    setrlimit(RLIMIT_NOFILE, &before);
    assert_null(config);
    assert_int_equal(ga_error()->code, GA_EFDS);
    config = ga__tls_config_new(&(ga__tls_options){0});
    assert_non_null(config);
    ga__tls_config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_byte_goes_each_way),
        cmocka_unit_test(ten_megabytes_go_both_ways_at_once),
        cmocka_unit_test(a_message_costs_one_send_and_one_recv),
        cmocka_unit_test(records_that_are_there_come_in_one_call),
        cmocka_unit_test(half_a_record_is_waited_for_and_a_forged_one_refused),
        cmocka_unit_test(the_certificate_must_be_for_the_host),
        cmocka_unit_test(a_server_has_one_whole_name),
        cmocka_unit_test(the_certificate_must_be_valid_now),
        cmocka_unit_test(the_issuer_must_be_trusted),
        cmocka_unit_test(insecure_accepts_anything),
        cmocka_unit_test(insecure_does_not_blame_the_certificate),
        cmocka_unit_test(an_address_is_not_sent_as_server_name),
        cmocka_unit_test(files_that_cannot_be_used_are_named),
        cmocka_unit_test(what_the_program_left_in_openssls_queue_is_no_reason),
        cmocka_unit_test(nobody_is_asked_for_the_passphrase_of_a_key),
        cmocka_unit_test(trust_comes_from_a_file_or_the_environment),
        cmocka_unit_test(without_descriptors_no_certificate_is_judged),
        cmocka_unit_test(the_least_version_is_kept),
        cmocka_unit_test(a_client_certificate_is_shown_where_it_is_wanted),
        cmocka_unit_test(peers_without_tls_are_recognised),
        cmocka_unit_test(a_handshake_can_be_cancelled),
        cmocka_unit_test(an_end_without_close_notify_is_told),
        cmocka_unit_test(a_child_that_closes_leaves_the_parents_connection),
        cmocka_unit_test(sending_fails_without_progress),
        cmocka_unit_test(idle_connections_take_tickets_and_refuse_data),
        cmocka_unit_test(sessions_are_resumed),
        cmocka_unit_test(the_store_of_sessions_is_bounded),
    };

    return cmocka_run_group_tests(tests, make_certificates, free_certificates);
}
