/* SPDX-License-Identifier: MIT */
/* Strict-Transport-Security: what fields say, for which hosts, and that http becomes https before anything is
 * asked of the network. */
#include "peer.h"

#include "client/hsts.h"
#include "io/certificate.h"
#include "io/tls_config.h"
#include "protocol/hsts_policy.h"
#include <stdlib.h>
#include <string.h>

enum { NOW = 1700000000, DECADE = 10 * 365 * 24 * 60 * 60 };

/* --- fields and hosts ------------------------------------------------------------------------------- */

static void fields_are_read(void **state)
{
    static const struct {
        const char *field;
        int64_t max_age; /* -1: it is broken */
        bool below;
    } rows[] = {
        {"max-age=31536000", 31536000, false},
        {"max-age=\"31536000\"", 31536000, false},
        {"MAX-AGE = 10 ; INCLUDESUBDOMAINS", 10, true},
        {"includeSubDomains; max-age=10; preload", 10, true},
        {";; max-age=10 ; ;", 10, false},
        {"max-age=10; other=\"a;b\"; x", 10, false},
        {"max-age=10; other=\"a\\\"; b\"; includeSubDomains", 10, true},
        {"max-age=10; other=\"a\\\"", -1, false},
        {"max-age=10; other=\"a\\", -1, false},
        {"max-age=0; includeSubDomains", 0, true},
        {"max-age=99999999999999999999", DECADE, false},
        {"", -1, false},
        {"includeSubDomains", -1, false},
        {"max-age", -1, false},
        {"max-age=", -1, false},
        {"max-age=-1", -1, false},
        {"max-age=1.5", -1, false},
        {"max-age=\"10", -1, false},
        {"max-age=\"\"", -1, false},
        {"max-age=10; max-age=10", -1, false},
        {"max-age=10; includeSubDomains; includeSubDomains", -1, false},
        {"max-age=10, includeSubDomains", -1, false},
        {"max-age=10 includeSubDomains", -1, false},
        {"=10; max-age=10", -1, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__hsts_policy policy;
        bool good = ga__hsts_policy_parse(&policy, ga__slice_of(rows[i].field));

        if (good != (rows[i].max_age >= 0) || (good && policy.max_age != rows[i].max_age))
            fail_msg("%s: %lld", rows[i].field, good ? (long long)policy.max_age : -1);
        if (good)
            assert_int_equal(policy.below, rows[i].below);
    }
}

static void note(ga__hsts *hsts, const char *from, const char *field)
{
    ga__url url = check_url(from);

    assert_int_equal(ga__hsts_note(hsts, &url, ga__slice_of(field), NOW), 0);
    ga__url_free(&url);
}

static void expect_upgrade(ga__hsts *hsts, const char *from, const char *to, int64_t now)
{
    ga__url url = check_url(from);

    assert_int_equal(ga__hsts_upgrade(hsts, &url, now), 0);
    assert_string_equal(ga__url_href(&url), to);
    ga__url_free(&url);
}

static void urls_are_upgraded_where_the_host_wants_it(void **state)
{
    static const struct {
        const char *field, *from, *to;
    } rows[] = {
        {"max-age=10", "http://h.com/", "https://h.com/"},
        {"max-age=10", "http://u:p@h.com./a?b#c", "https://u:p@h.com./a?b#c"},
        {"max-age=10", "http://h.com:8080/", "https://h.com:8080/"},
        {"max-age=10", "https://h.com/", "https://h.com/"},
        {"max-age=10", "http://www.h.com/", "http://www.h.com/"},
        {"max-age=10", "http://com/", "http://com/"},
        {"max-age=10", "http://nh.com/", "http://nh.com/"},
        {"max-age=10; includeSubDomains", "http://a.www.h.com/", "https://a.www.h.com/"},
        {"max-age=10; includeSubDomains", "http://nh.com/", "http://nh.com/"},
        {"max-age=0", "http://h.com/", "http://h.com/"},
        {"nonsense", "http://h.com/", "http://h.com/"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__hsts *hsts = ga__hsts_new();

        note(hsts, "https://h.com/", rows[i].field);
        expect_upgrade(hsts, rows[i].from, rows[i].to, NOW + 9);
        expect_upgrade(hsts, rows[i].from, rows[i].from, NOW + 10);
        ga__hsts_free(hsts);
    }
}

static void a_policy_is_renewed_and_taken_back(void **state)
{
    ga__hsts *hsts = ga__hsts_new();

    (void)state;
    note(hsts, "https://h.com/", "max-age=10; includeSubDomains");
    note(hsts, "https://h.com/", "max-age=100");
    expect_upgrade(hsts, "http://h.com/", "https://h.com/", NOW + 99);
    expect_upgrade(hsts, "http://w.h.com/", "http://w.h.com/", NOW + 1);
    note(hsts, "https://h.com/", "max-age=broken");
    expect_upgrade(hsts, "http://h.com/", "https://h.com/", NOW + 99);
    note(hsts, "https://h.com/", "max-age=0");
    expect_upgrade(hsts, "http://h.com/", "http://h.com/", NOW);
    note(hsts, "https://127.0.0.1/", "max-age=10");
    expect_upgrade(hsts, "http://127.0.0.1/", "http://127.0.0.1/", NOW);
    note(hsts, "https://[::1]/", "max-age=10");
    expect_upgrade(hsts, "http://[::1]/", "http://[::1]/", NOW);
    ga__hsts_free(hsts);
    ga__hsts_free(NULL);
}

static void hosts_are_found_among_many_and_bounded(void **state)
{
    ga__hsts *hsts = ga__hsts_new();
    char from[64], to[64], field[32];

    (void)state;
    for (int i = 0; i < 1200; i++) {
        snprintf(from, sizeof from, "https://h%d.com/", i * 7919 % 1200);
        snprintf(field, sizeof field, "max-age=%d", 1000 + i);
        note(hsts, from, field);
    }
    for (int i = 0; i < 1200; i++) {
        snprintf(from, sizeof from, "http://h%d.com/", i * 7919 % 1200);
        snprintf(to, sizeof to, "http%s://h%d.com/", i < 200 ? "" : "s", i * 7919 % 1200);
        expect_upgrade(hsts, from, to, NOW);
    }
    ga__hsts_free(hsts);
}

/* --- the client ------------------------------------------------------------------------------------- */

static ga__certificate own;
static char *ca_file;

static int make_certificate(void **state)
{
    (void)state;
    if (ga__certificate_make(&own,
                             &(ga__certificate_options){.common_name = "test", .names = GA__LOCAL_NAMES}) < 0)
        return -1;
    check_make_directory(state);
    ca_file = check_new_file("ca.pem", own.certificate);
    return 0;
}

static int free_certificate(void **state)
{
    (void)state;
    ga__certificate_free(&own);
    check_remove_directory(state);
    free(ca_file);
    return 0;
}

static const peer_step strict[] = {
    PEER_TAKE(NULL),
    PEER_SAY("HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=60\r\nContent-Length: 0\r\n\r\n"),
    PEER_AGAIN};
static const peer_step *const stricts[] = {strict, NULL};

static void start(peer_server *peer, ga_group *peers, bool secure)
{
    peer_start(peer, peers, stricts);
    if (secure)
        peer->tls = ga__tls_config_server(own.certificate, own.key, "http/1.1");
}

static char *url_at(const peer_server *peer, const char *scheme, const char *host)
{
    return ga_format("%s://%s:%u/", scheme, host, (unsigned)ga__address_port(&peer->listener.address));
}

CASE(http_becomes_https_for_hosts_that_said_so)
{
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file, .hsts = 1);
    ga_auto(ga_session) other = ga_session_new(.ca_file = ca_file);
    peer_server peer;

    start(&peer, peers, true);
    ga_autofree char *https = url_at(&peer, "https", "localhost");
    ga_autofree char *http = url_at(&peer, "http", "localhost");
    ga_auto(ga_response) first = ga_get(session, https);
    assert_int_equal(ga_status(first), 200);
    ga_auto(ga_response) second = ga_get(session, http);
    assert_int_equal(ga_status(second), 200);
    assert_string_equal(ga_url(second), https);
    assert_int_equal(peer.connections, 1);
    ga_response_free(ga_get(other, https));
    assert_null(ga_get(other, http)); /* without the option the URL's word holds */
    peer_stop(&peer);
}

CASE(only_verified_answers_over_https_count)
{
    ga_auto(ga_session) session = ga_session_new(.hsts = 1, .insecure = 1);
    peer_server plain, secure;

    start(&plain, peers, false);
    start(&secure, peers, true);
    ga_autofree char *http = url_at(&plain, "http", "localhost");
    ga_autofree char *https = url_at(&secure, "https", "localhost");
    for (int i = 0; i < 2; i++) {
        ga_auto(ga_response) response = ga_get(session, http);
        assert_int_equal(ga_status(response), 200);
    }
    ga_auto(ga_response) unverified = ga_get(session, https);
    assert_int_equal(ga_status(unverified), 200);
    ga_auto(ga_response) response = ga_get(session, http);
    assert_int_equal(ga_status(response), 200);
    assert_string_equal(ga_url(response), http);
    peer_stop(&plain);
    peer_stop(&secure);
}

CASE(redirects_are_upgraded_too)
{
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file, .hsts = 1);
    peer_server peer, redirecting;
    char head[256];
    peer_step steps[] = {PEER_TAKE(NULL), {.kind = PEER_SAY_, .text = head}, PEER_AGAIN};
    const peer_step *const scripts[] = {steps, NULL};

    start(&peer, peers, true);
    ga_autofree char *https = url_at(&peer, "https", "localhost");
    ga_autofree char *http = url_at(&peer, "http", "localhost");

    steps[1].size = (size_t)snprintf(head, sizeof head,
                                     "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", http);
    peer_start(&redirecting, peers, scripts);
    ga_response_free(ga_get(session, https));
    ga_auto(ga_response) response = ga_get(session, peer_url(&redirecting, "/"));
    assert_int_equal(ga_status(response), 200);
    assert_string_equal(ga_url(response), https);
    peer_stop(&peer);
    peer_stop(&redirecting);
}

/* From https to http, which HSTS makes https: that is no downgrade. */
CASE(what_is_upgraded_is_no_downgrade)
{
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file, .hsts = 1, .no_downgrade = 1);
    peer_server peer, redirecting;

    start(&peer, peers, true);
    ga_autofree char *https = url_at(&peer, "https", "localhost");
    ga_autofree char *http = url_at(&peer, "http", "localhost");
    ga_autofree char *head =
        ga_format("HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", http);
    const peer_step steps[] = {
        PEER_TAKE(NULL), {.kind = PEER_SAY_, .text = head, .size = strlen(head)}, PEER_AGAIN};
    const peer_step *const scripts[] = {steps, NULL};

    peer_start(&redirecting, peers, scripts);
    redirecting.tls = ga__tls_config_server(own.certificate, own.key, "http/1.1");
    ga_autofree char *away = url_at(&redirecting, "https", "localhost");

    assert_null(ga_get(session, away));
    assert_int_equal(ga_error()->code, GA_EREDIRECT);
    ga_response_free(ga_get(session, https)); /* the host says so here */
    ga_auto(ga_response) response = ga_get(session, away);
    assert_int_equal(ga_status(response), 200);
    assert_string_equal(ga_url(response), https);
    peer_stop(&peer);
    peer_stop(&redirecting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read),
        cmocka_unit_test(urls_are_upgraded_where_the_host_wants_it),
        cmocka_unit_test(a_policy_is_renewed_and_taken_back),
        cmocka_unit_test(hosts_are_found_among_many_and_bounded),
        cmocka_unit_test(http_becomes_https_for_hosts_that_said_so),
        cmocka_unit_test(only_verified_answers_over_https_count),
        cmocka_unit_test(redirects_are_upgraded_too),
        cmocka_unit_test(what_is_upgraded_is_no_downgrade),
    };

    return cmocka_run_group_tests(tests, make_certificate, free_certificate);
}
