/* SPDX-License-Identifier: MIT */
/* The client through real proxies: squid, with and without credentials, and SOCKS 5 (microsocks), to nginx
 * and aiohttp.
 */
#include "peers.h"

#include <stdlib.h>
#include <string.h>

/* "http://me:secret@127.0.0.1:PORT"; the caller's to free. */
static char *proxy_at(const char *scheme, const char *userinfo, const char *variable)
{
    return ga_format("%s://%s127.0.0.1:%s", scheme, userinfo, peers_told(variable));
}

/* Gets the small file, thrice at once, and a large one. */
static void get_files(ga_session *session, const char *base)
{
    ga_autofree char *small = ga_format("%s/small", base), *big = ga_format("%s/big", base);

    for (int i = 0; i < 3; i++) {
        ga_auto(ga_response) response = ga_get(session, small);
        ga_autofree char *text = ga_text(response);

        EXPECT_TEXT(text, "small\n");
    }
    ga_auto(ga_response) response = ga_get(session, big);
    size_t size = 0;

    EXPECT(ga_body(response, &size));
    EXPECT(size == 10 * 1000 * 1000);
}

static int squid_serves_who_has_credentials(void *argument)
{
    const peers *servers = argument;
    ga_autofree char *proxy = proxy_at("http", "me:secret@", "SQUID_PORT");
    ga_auto(ga_session) session = ga_session_new(.proxy = proxy, .ca_file = servers->ca_file);
    ga_autofree char *small = ga_format("%s/small", servers->base);
    ga_pool_stats stats;

    get_files(session, servers->base);
    ga_auto(ga_response) response = ga_get(session, small);

    EXPECT(ga_status(response) == 200);
    /* squid says that it was there, where it sees what passes */
    EXPECT((ga_header(response, "Via") != NULL) == !servers->tls);
    ga_response_free(response);
    response = NULL;
    ga_session_pool(session, &stats);
    EXPECT(stats.opened == 1);
    return 0;
}

static int squid_refuses_who_has_none(void *argument)
{
    const peers *servers = argument;
    ga_autofree char *nobody = proxy_at("http", "", "SQUID_PORT"),
                     *wrong = proxy_at("http", "me:secret2@", "SQUID_PORT"),
                     *small = ga_format("%s/small", servers->base);
    ga_auto(ga_session) session = ga_session_new(.ca_file = servers->ca_file);
    const char *const proxies[] = {nobody, wrong};

    for (size_t i = 0; i < 2; i++) {
        ga_auto(ga_response) response = ga_get(session, small, .proxy = proxies[i]);

        if (servers->tls) {
            EXPECT(!response);
            EXPECT_FAILURE(GA_EPROXY, "407");
            EXPECT(ga_error()->status == 407);
        } else {
            EXPECT(ga_status(response) == 407);
        }
    }
    return 0;
}

static int squid_says_when_a_server_is_not_there(void *argument)
{
    const peers *servers = argument;
    ga_autofree char *proxy = proxy_at("http", "", "SQUID_OPEN_PORT"),
                     *url = ga_format("%s://127.0.0.1:%s/", servers->tls ? "https" : "http",
                                      peers_told("DEAD_PORT"));
    ga_auto(ga_session) session = ga_session_new(.proxy = proxy, .ca_file = servers->ca_file);
    ga_auto(ga_response) response = ga_get(session, url);

    if (servers->tls)
        EXPECT_FAILURE(GA_EPROXY, "refused the tunnel: 503");
    else
        EXPECT(ga_status(response) == 503);
    return 0;
}

static int socks_proxies_serve(void *argument)
{
    const peers *servers = argument;
    ga_autofree char *local = proxy_at("socks5", "", "SOCKS_OPEN_PORT"),
                     *remote = proxy_at("socks5h", "me:secret@", "SOCKS_PORT"),
                     *wrong = proxy_at("socks5h", "me:secret2@", "SOCKS_PORT"),
                     *dead = ga_format("http://127.0.0.1:%s/", peers_told("DEAD_PORT"));
    ga_auto(ga_session) first = ga_session_new(.proxy = local, .ca_file = servers->ca_file);
    ga_auto(ga_session) second = ga_session_new(.proxy = remote, .ca_file = servers->ca_file);
    ga_autofree char *by_name =
        ga_format("%s://localhost:%s", servers->tls ? "https" : "http", strrchr(servers->base, ':') + 1);

    get_files(first, servers->base);
    get_files(second, servers->base);
    get_files(second, by_name);
    EXPECT(!ga_get(second, servers->base, .proxy = wrong));
    EXPECT_FAILURE(GA_EPROXY, "refused the user name and password");
    EXPECT(!ga_get(first, dead));
    EXPECT_FAILURE(GA_EPROXY, "the proxy refused: ");
    return 0;
}

/* What proxies pass on: HTTP/2 in a tunnel, and bodies whose permission is waited for. */
static int tunnels_carry_http2(void *argument)
{
    (void)argument;
    ga_autofree char *squid = proxy_at("http", "me:secret@", "SQUID_PORT"),
                     *socks = proxy_at("socks5h", "me:secret@", "SOCKS_PORT"),
                     *url = ga_format("%s/small", peers_told("NGINX_HTTP2_TLS"));
    const char *const proxies[] = {squid, socks};
    ga_pool_stats stats;

    for (size_t i = 0; i < 2; i++) {
        ga_auto(ga_session) session = ga_session_new(.proxy = proxies[i], .ca_file = peers_told("CA_FILE"));

        for (int call = 0; call < 20; call++) {
            ga_auto(ga_response) response = ga_get(session, url);
            ga_autofree char *text = ga_text(response);

            EXPECT_TEXT(text, "small\n");
            EXPECT_TEXT(ga_http_version(response), "2");
        }
        ga_session_pool(session, &stats);
        EXPECT(stats.opened == 1);
    }
    return 0;
}

static int proxies_pass_bodies_on(void *argument)
{
    enum { SIZE = 1000000 };
    const peers *servers = argument;
    ga_autofree char *squid = proxy_at("http", "me:secret@", "SQUID_PORT"),
                     *socks = proxy_at("socks5", "me:secret@", "SOCKS_PORT"),
                     *url = ga_format("%s/echo", servers->base);
    const char *const proxies[] = {squid, socks};
    ga_autofree unsigned char *body = malloc(SIZE);
    size_t size;

    for (size_t i = 0; i < SIZE; i++)
        body[i] = check_byte_at(i);
    for (size_t i = 0; i < 4; i++) {
        ga_auto(ga_session) session = ga_session_new(.proxy = proxies[i % 2], .ca_file = servers->ca_file);
        ga_auto(ga_response) response =
            ga_post(session, url, .body = body, .body_size = SIZE, .expect_continue = i / 2 == 1);
        const void *back = ga_body(response, &size);

        EXPECT(ga_status(response) == 200);
        EXPECT(back && size == SIZE && memcmp(back, body, SIZE) == 0);
    }
    return 0;
}

static int no_proxy_is_heeded(void *argument)
{
    const peers *servers = argument;
    ga_autofree char *dead = ga_format("http://127.0.0.1:%s", peers_told("DEAD_PORT"));
    static const char *const lists[] = {"127.0.0.1", "localhost,127.0.0.0/8", "*"};

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        ga_auto(ga_session) session =
            ga_session_new(.proxy = dead, .no_proxy = lists[i], .ca_file = servers->ca_file);

        get_files(session, servers->base);
    }
    ga_auto(ga_session) session =
        ga_session_new(.proxy = dead, .no_proxy = "127.0.0.2", .ca_file = servers->ca_file);

    EXPECT(!ga_get(session, servers->base));
    EXPECT_FAILURE(GA_EPROXY, "is the proxy running?");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEERS_BOTH(squid_serves_who_has_credentials, "NGINX", "CA_FILE"),
        PEERS_BOTH(squid_refuses_who_has_none, "NGINX", "CA_FILE"),
        PEERS_BOTH(squid_says_when_a_server_is_not_there, "NGINX", "CA_FILE"),
        PEERS_BOTH(socks_proxies_serve, "NGINX", "CA_FILE"),
        PEERS_ONE(tunnels_carry_http2, NULL, NULL, false, "tunnels_carry_http2"),
        PEERS_BOTH(proxies_pass_bodies_on, "AIOHTTP", "CA_FILE"),
        PEERS_BOTH(no_proxy_is_heeded, "NGINX", "CA_FILE"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
