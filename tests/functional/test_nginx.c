/* SPDX-License-Identifier: MIT */
/* The client against nginx: connections that are kept, large bodies, many calls at once, certificates,
 * limits. */
#include "peers.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { BIG = 10000000 };

static ga_session *open_session(const peers *servers)
{
    return ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file);
}

static void expect_text(ga_response *response, const char *wanted)
{
    ga_autofree char *text = ga_text(response);

    EXPECT_TEXT(text, wanted);
    ga_response_free(response);
}

static int calls_in_a_row_share_a_connection(void *arg)
{
    enum { CALLS = 20 };
    ga_auto(ga_session) session = open_session(arg);
    unsigned long first = 0, connection = 0, requests = 0;
    ga_pool_stats stats;

    for (unsigned long i = 1; i <= CALLS; i++) {
        ga_auto(ga_response) response = ga_get(session, "/connection");
        ga_autofree char *text = ga_text(response);

        if (!EXPECT(text && sscanf(text, "%lu %lu", &connection, &requests) == 2))
            break;
        first = first ? first : connection;
        EXPECT(connection == first && requests == i);
    }
    ga_session_pool(session, &stats);
    EXPECT(stats.opened == 1 && stats.reused == CALLS - 1);
    EXPECT(stats.idle == 1 && stats.in_use == 0 && stats.waiting == 0);
    return 0;
}

static int no_connection_is_kept_where_none_shall_be(void *arg)
{
    const peers *servers = arg;
    ga_auto(ga_session) session =
        ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file, .keepalive = -1);
    ga_pool_stats stats;

    for (int i = 0; i < 3; i++) {
        ga_auto(ga_response) response = ga_get(session, "/connection");
        ga_autofree char *text = ga_text(response);

        EXPECT(text && strstr(text, " 1"));
    }
    ga_session_pool(session, &stats);
    EXPECT(stats.opened == 3 && stats.reused == 0 && stats.idle == 0);
    return 0;
}

static int a_connection_that_the_server_closes_is_not_used_again(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_pool_stats stats;

    for (int i = 0; i < 3; i++)
        expect_text(ga_get(session, "/closes"), "closed\n");
    ga_session_pool(session, &stats);
    EXPECT(stats.opened == 3 && stats.idle == 0);
    return 0;
}

/* The server gives an idle connection up after a second. */
static int a_connection_that_idled_too_long_is_replaced(void *arg)
{
    (void)arg;
    ga_autofree char *url = ga_format("http://127.0.0.1:%s/small", peers_told("NGINX_SHORT"));
    ga_auto(ga_session) session = ga_session_new();
    ga_pool_stats stats;

    expect_text(ga_get(session, url), "small\n");
    ga_session_pool(session, &stats);
    EXPECT(stats.idle == 1);
    EXPECT(ga_sleep(1.5) == 0);
    ga_session_pool(session, &stats);
    EXPECT(stats.idle == 0);
    ga_auto(ga_response) refused = ga_post(session, url, .text = "must not be sent twice");

    EXPECT(ga_status(refused) == 405);
    ga_session_pool(session, &stats);
    EXPECT(stats.opened == 2);
    return 0;
}

static void expect_sum(EVP_MD_CTX *digest)
{
    unsigned char sum[32];
    char text[65];

    EVP_DigestFinal_ex(digest, sum, NULL);
    for (size_t i = 0; i < sizeof sum; i++)
        snprintf(text + 2 * i, 3, "%02x", sum[i]);
    EXPECT_TEXT(text, peers_told("BIG_SHA256"));
}

static int a_big_body_is_whole_in_memory(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) response = ga_get(session, "/big");
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    size_t size = 0;
    const void *body = ga_body(response, &size);

    EXPECT(body && size == BIG);
    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    EVP_DigestUpdate(digest, body, size);
    expect_sum(digest);
    EVP_MD_CTX_free(digest);
    return 0;
}

/* A random body, which gzip makes longer; then the sum of the content shows that it was undone. */
static int a_big_gzipped_body_is_whole(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) response = ga_get(session, "/gzipped/big");
    ga_auto(ga_response) raw = ga_get(session, "/gzipped/small", .no_decompress = 1);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    size_t size = 0;
    const void *body = ga_body(response, &size);

    EXPECT_TEXT(ga_header(response, "Content-Encoding"), "gzip");
    EXPECT(ga_header(response, "Content-Length") == NULL);
    EXPECT(body && size == BIG);
    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    EVP_DigestUpdate(digest, body, size);
    expect_sum(digest);
    EVP_MD_CTX_free(digest);
    EXPECT(ga_header(raw, "Content-Encoding") == NULL);
    EXPECT_TEXT(ga_body(raw, NULL), "small\n");
    expect_text(ga_get(session, "/gzipped/small"), "small\n");
    expect_text(ga_get(session, "/gzipped/empty"), "");
    return 0;
}

static int a_big_body_is_whole_in_pieces(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) response = ga_get(session, "/big");
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    char piece[4093];
    ssize_t count;
    size_t size = 0;

    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    while ((count = ga_read(response, piece, sizeof piece)) > 0) {
        EVP_DigestUpdate(digest, piece, (size_t)count);
        size += (size_t)count;
    }
    EXPECT(count == 0 && size == BIG);
    expect_sum(digest);
    EVP_MD_CTX_free(digest);
    return 0;
}

static int a_body_above_the_limit_is_refused(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) response = ga_get(session, "/big", .max_body = 1000000);
    ga_autofree char *text = ga_text(response);
    ga_pool_stats stats;

    EXPECT(text == NULL);
    EXPECT_FAILURE(GA_ETOOLARGE, "1000000");
    expect_text(ga_get(session, "/small", .max_body = 6), "small\n");
    ga_session_pool(session, &stats);
    EXPECT(stats.in_use <= 1);
    return 0;
}

static int a_response_left_unread_costs_its_connection(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_pool_stats stats;

    ga_response_free(ga_get(session, "/big"));
    ga_session_pool(session, &stats);
    EXPECT(stats.in_use == 0 && stats.idle == 0);
    expect_text(ga_get(session, "/small"), "small\n");
    ga_session_pool(session, &stats);
    EXPECT(stats.opened == 2 && stats.idle == 1);
    return 0;
}

static int a_cancelled_download_frees_its_place(void *arg)
{
    const peers *servers = arg;
    ga_auto(ga_session) session =
        ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file, .limit = 1);
    ga_response *response = ga_get(session, "/big");
    ga_pool_stats stats;
    ga_scope scope;
    size_t size;

    ga_scope_open(&scope, GA_FOREVER);
    ga_scope_cancel(&scope);
    EXPECT(ga_body(response, &size) == NULL);
    EXPECT_FAILURE(GA_ECANCELED, "");
    EXPECT(ga_scope_close(&scope) == 0);
    ga_response_free(response);
    expect_text(ga_get(session, "/small", .timeout = 10), "small\n");
    ga_session_pool(session, &stats);
    EXPECT(stats.in_use == 0 && stats.waiting == 0);
    return 0;
}

static int text_is_utf_8_whatever_the_charset(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);

    expect_text(ga_get(session, "/latin1"), "caf\u00e9");
    return 0;
}

static int parts_and_conditions(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) part = ga_get(session, "/small", .headers = GA_PAIRS({"Range", "bytes=1-3"}));
    ga_autofree char *text = ga_text(part);

    EXPECT(ga_status(part) == 206);
    EXPECT_TEXT(text, "mal");
    EXPECT_TEXT(ga_header(part, "Content-Range"), "bytes 1-3/6");
    ga_response *same =
        ga_get(session, "/small", .headers = GA_PAIRS({"If-None-Match", ga_header(part, "ETag")}));
    EXPECT(ga_status(same) == 304);
    expect_text(same, "");
    ga_response *head = ga_head(session, "/big");
    EXPECT_TEXT(ga_header(head, "Content-Length"), "10000000");
    expect_text(head, "");
    expect_text(ga_get(session, "/empty"), "");
    expect_text(ga_get(session, "/204"), "");
    ga_auto(ga_response) none = ga_get(session, "/none");
    EXPECT(ga_status(none) == 404);
    ga_response *redirected = ga_get(session, "/redirect");
    EXPECT(ga_redirects(redirected) == 1);
    expect_text(redirected, "small\n");
    return 0;
}

/* --- many calls at once --------------------------------------------------------------------------- */

typedef struct crowd {
    ga_session *session;
    size_t most_in_use;
} crowd;

static int fetch_small(crowd *all)
{
    ga_auto(ga_response) response = ga_get(all->session, "/small");
    ga_autofree char *text = ga_text(response);
    ga_pool_stats stats;

    ga_session_pool(all->session, &stats);
    if (stats.in_use > all->most_in_use)
        all->most_in_use = stats.in_use;
    return text && strcmp(text, "small\n") == 0 ? 0 : GA_EUSAGE;
}
GA_TASK(int, fetch_small, crowd *);

static void call_a_thousand_at_once(const peers *servers, int limit, int limit_per_host)
{
    enum { CALLS = 1000 };
    ga_auto(ga_session) session = ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file,
                                                 .limit = limit, .limit_per_host = limit_per_host);
    crowd all = {.session = session};
    ga_pool_stats stats;
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < CALLS; i++)
        EXPECT(fetch_small_start(&group, &all) != NULL);
    EXPECT(ga_gather(&group) == 0);
    ga_group_close(&group);
    ga_session_pool(session, &stats);
    EXPECT(stats.in_use == 0 && stats.waiting == 0);
    EXPECT(stats.opened + stats.reused == CALLS);
    if (limit_per_host)
        limit = limit_per_host;
    EXPECT(stats.opened <= (uint64_t)limit && all.most_in_use <= (size_t)limit);
}

static int a_thousand_calls_share_a_few_connections(void *arg)
{
    call_a_thousand_at_once(arg, 20, 0);
    call_a_thousand_at_once(arg, 100, 5);
    return 0;
}

static int a_thousand_calls_have_a_connection_each(void *arg)
{
    call_a_thousand_at_once(arg, 1000, 0);
    return 0;
}

/* --- certificates --------------------------------------------------------------------------------- */

static char *url_of(const char *variable, const char *host)
{
    return ga_format("https://%s:%s/small", host, peers_told(variable));
}

static void expect_certificate_refused(ga_session *session, const char *url, const char *why)
{
    ga_auto(ga_response) response = ga_get(session, url);

    EXPECT(response == NULL);
    EXPECT_FAILURE(GA_ECERT, why);
    EXPECT(strstr(ga_error_message(), "127.0.0.1") != NULL);
    EXPECT(ga_error()->tls_error != 0 && ga_error()->phase == GA_PHASE_TLS && ga_error()->sent == GA_SENT_NO);
}

static int certificates_are_verified(void *arg)
{
    const char *ca = peers_told("CA_FILE");
    ga_autofree char *good = url_of("NGINX_GOOD", "127.0.0.1"), *named = url_of("NGINX_GOOD", "localhost");
    ga_autofree char *other = url_of("NGINX_OTHER", "127.0.0.1");
    ga_autofree char *expired = url_of("NGINX_EXPIRED", "127.0.0.1");
    ga_auto(ga_session) trusting = ga_session_new(.ca_file = ca);
    ga_auto(ga_session) stranger = ga_session_new();
    ga_auto(ga_session) careless = ga_session_new(.insecure = 1);
    ga_pool_stats stats;

    (void)arg;
    expect_text(ga_get(trusting, good), "small\n");
    expect_text(ga_get(trusting, named), "small\n");
    expect_certificate_refused(stranger, good, "");
    expect_certificate_refused(trusting, other, "");
    expect_certificate_refused(trusting, expired, "expired");
    expect_text(ga_get(careless, good), "small\n");
    expect_text(ga_get(careless, other), "small\n");
    expect_text(ga_get(careless, expired), "small\n");
    ga_session_pool(stranger, &stats);
    EXPECT(stats.idle == 0 && stats.in_use == 0);
    return 0;
}

static int a_ca_from_the_environment_is_trusted(void *arg)
{
    (void)arg;
    ga_autofree char *url = url_of("NGINX_GOOD", "127.0.0.1");

    setenv("SSL_CERT_FILE", peers_told("CA_FILE"), 1);
    ga_auto(ga_session) session = ga_session_new();

    expect_text(ga_get(session, url), "small\n");
    unsetenv("SSL_CERT_FILE");
    return 0;
}

static int schemes_on_the_wrong_port(void *arg)
{
    (void)arg;
    ga_autofree char *tls_to_plain = url_of("NGINX_PLAIN", "127.0.0.1");
    ga_autofree char *plain_to_tls = ga_format("http://127.0.0.1:%s/small", peers_told("NGINX_GOOD"));
    ga_auto(ga_session) session = ga_session_new(.insecure = 1);
    ga_auto(ga_response) none = ga_get(session, tls_to_plain);

    EXPECT(none == NULL);
    EXPECT_FAILURE(GA_ETLS, "127.0.0.1");
    ga_auto(ga_response) told = ga_get(session, plain_to_tls);

    EXPECT(ga_status(told) == 400);
    return 0;
}

static int a_ca_file_that_is_none_is_said_at_once(void *arg)
{
    (void)arg;
    ga_auto(ga_session) missing = ga_session_new(.ca_file = "/nonexistent/ca.pem");

    EXPECT(missing == NULL);
    EXPECT_FAILURE(GA_ETLS, "/nonexistent/ca.pem");
    ga_auto(ga_session) empty = ga_session_new(.ca_file = "/dev/null");

    EXPECT(empty == NULL);
    EXPECT_FAILURE(GA_ETLS, "/dev/null");
    return 0;
}

/* The server says which version was spoken, whether the session was resumed, and who the client is. */
static int clients_have_certificates_and_resume_sessions(void *arg)
{
    ga_autofree char *url = ga_format("https://127.0.0.1:%s/tls", peers_told("NGINX_MUTUAL"));
    const char *ca = peers_told("CA_FILE");
    const char *certificate = peers_told("CLIENT_CERTIFICATE"), *key = peers_told("CLIENT_KEY");

    (void)arg;
    ga_auto(ga_session) nobody = ga_session_new(.ca_file = ca);
    ga_auto(ga_response) refused = ga_get(nobody, url);

    EXPECT(!refused || ga_status(refused) == 400);
    ga_auto(ga_session) session =
        ga_session_new(.ca_file = ca, .cert_file = certificate, .key_file = key, .keepalive = -1);

    for (int i = 0; i < 3; i++)
        expect_text(ga_get(session, url), i == 0 ? "TLSv1.3 . CN=good" : "TLSv1.3 r CN=good");
    ga_autofree char *old = url_of("NGINX_OTHER", "127.0.0.1");
    ga_auto(ga_session) modern = ga_session_new(.ca_file = ca, .tls_version_min = 13);

    EXPECT(!ga_get(modern, old)); /* that one speaks TLS 1.2 only */
    EXPECT_FAILURE(GA_ETLS, "127.0.0.1");
    ga_auto(ga_session) stranger = ga_session_new(.cert_file = certificate, .key_file = key);

    expect_certificate_refused(stranger, url, ""); /* a certificate of one's own is no trust in others */
    return 0;
}

/* --- a server that limits the rate: 100 requests per second, and 5 more at once ---------------------- */

typedef struct limited_calls {
    ga_session *session;
    const char *path;
    int answered, attempts;
} limited_calls;

static int call_limited(void *arg)
{
    limited_calls *all = arg;
    ga_auto(ga_response) response = ga_get(all->session, all->path);

    all->answered += ga_status(response) == 200;
    all->attempts += ga_attempts(response);
    return 0;
}

static limited_calls call_limited_at_once(ga_session *session, const char *path, int count)
{
    limited_calls all = {.session = session, .path = path};
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < count; i++)
        ga_spawn(&group, call_limited, &all);
    EXPECT(ga_gather(&group) == 0);
    ga_group_close(&group);
    return all;
}

static int what_a_limit_refuses_is_tried_again_until_it_is_answered(void *arg)
{
    enum { COUNT = 60 };
    static const char *const paths[] = {"/limited", "/limited_soon"};
    const peers *servers = arg;

    for (size_t i = 0; i < 2; i++) {
        ga_auto(ga_session) plain = open_session(servers);
        ga_auto(ga_session) patient = ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file,
                                                     .retries = 20, .retry_budget = -1, .retry_base = 0.1);
        limited_calls refused = call_limited_at_once(plain, paths[i], COUNT);

        EXPECT(refused.answered > 0 && refused.answered < COUNT);
        limited_calls calls = call_limited_at_once(patient, paths[i], COUNT);

        EXPECT(calls.answered == COUNT);
        EXPECT(calls.attempts > COUNT);
    }
    return 0;
}

static int a_rate_below_the_limit_is_not_refused(void *arg)
{
    enum { COUNT = 40 };
    const peers *servers = arg;
    ga_auto(ga_session) session = ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file,
                                                 .rate_per_host = 50, .adapt = -1);

    ga_sleep(0.1); /* what the limit still holds against earlier calls */
    double start = ga_now();
    limited_calls calls = call_limited_at_once(session, "/limited", COUNT);

    EXPECT(calls.answered == COUNT && calls.attempts == COUNT);
    EXPECT(ga_now() - start > (COUNT - 2) / 50.0);
    return 0;
}

#define BOTH(function) PEERS_BOTH(function, "NGINX", "CA_FILE")
#define ONCE(function) PEERS_ONE(function, NULL, NULL, false, #function)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(calls_in_a_row_share_a_connection),
        BOTH(no_connection_is_kept_where_none_shall_be),
        BOTH(a_connection_that_the_server_closes_is_not_used_again),
        ONCE(a_connection_that_idled_too_long_is_replaced),
        BOTH(a_big_body_is_whole_in_memory),
        BOTH(a_big_gzipped_body_is_whole),
        BOTH(a_big_body_is_whole_in_pieces),
        BOTH(a_body_above_the_limit_is_refused),
        BOTH(a_response_left_unread_costs_its_connection),
        BOTH(a_cancelled_download_frees_its_place),
        BOTH(text_is_utf_8_whatever_the_charset),
        BOTH(parts_and_conditions),
        BOTH(a_thousand_calls_share_a_few_connections),
        BOTH(a_thousand_calls_have_a_connection_each),
        ONCE(certificates_are_verified),
        ONCE(a_ca_from_the_environment_is_trusted),
        ONCE(schemes_on_the_wrong_port),
        ONCE(a_ca_file_that_is_none_is_said_at_once),
        ONCE(clients_have_certificates_and_resume_sessions),
        BOTH(what_a_limit_refuses_is_tried_again_until_it_is_answered),
        BOTH(a_rate_below_the_limit_is_not_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
