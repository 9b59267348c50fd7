/* SPDX-License-Identifier: MIT */
/* Proxies through the client: what is said to them, byte by byte, which of them is used, whom connections and
 * credentials belong to, and what comes of those that misbehave. */
#include "peer.h"

#include "certificates.h"
#include "io/tls.h"
#include "task/loop.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *ca_file;

static int set_up(void **state)
{
    make_certificates(state);
    check_make_directory(state);
    ca_file = check_new_file("ca.pem", authority.certificate);
    return 0;
}

static int tear_down(void **state)
{
    check_remove_directory(state);
    free(ca_file);
    return free_certificates(state);
}

/* The proxy's URL, with userinfo: "http://me:secret@127.0.0.1:PORT"; the caller's to free. */
static char *through(const peer_server *peer, const char *scheme, const char *userinfo)
{
    return ga_format("%s://%s127.0.0.1:%u", scheme, userinfo, ga__address_port(&peer->listener.address));
}

/* The call fails so, says so, and says no secret. */
static void assert_failure(ga_response *response, int code, const char *text)
{
    const ga_error_detail *error = ga_error();

    assert_null(response);
    if (error->code != code || !strstr(error->message, text) || strstr(error->message, "secret") ||
        (error->url && strstr(error->url, "secret")))
        fail_msg("expected %s with \"%s\", got %s: %s", ga_code_name(code), text, ga_code_name(error->code),
                 error->message);
}

static const peer_step hello[] = {PEER_TAKE(NULL), PEER_OK("5", "hello"), PEER_AGAIN};
static const peer_step *const hellos[] = {hello, NULL};

/* --- plain HTTP ----------------------------------------------------------------------------------- */

CASE(plain_http_is_asked_for_by_its_absolute_url)
{
    peer_server proxy;

    peer_start(&proxy, peers, hellos);
    ga_autofree char *url = through(&proxy, "http", "me:sec%72et@");
    ga_auto(ga_session) session =
        ga_session_new(.proxy = url, .proxy_headers = GA_PAIRS({"X-Trace", "7"}), .user_agent = "test",
                       .headers = GA_PAIRS({"Proxy-Authorization", "not for servers"},
                                           {"Accept-Encoding", "identity"}));

    assert_non_null(session);
    assert_get(session, "http://u:p@shop.test:8080/a?b=c#d");
    assert_string_equal(proxy.last.data, "GET http://shop.test:8080/a?b=c HTTP/1.1\r\n"
                                         "Host: shop.test:8080\r\n"
                                         "X-Trace: 7\r\n"
                                         "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n"
                                         "User-Agent: test\r\n"
                                         "Accept: */*\r\n"
                                         "Accept-Encoding: identity\r\n"
                                         "Authorization: Basic dTpw\r\n\r\n");
    /* one connection serves all servers */
    assert_get(session, "http://other.test/");
    assert_non_null(strstr(proxy.last.data, "GET http://other.test/ HTTP/1.1\r\nHost: other.test\r\n"));
    assert_get(session, "http://[2001:db8::1]:81/");
    assert_non_null(
        strstr(proxy.last.data, "GET http://[2001:db8::1]:81/ HTTP/1.1\r\nHost: [2001:db8::1]:81"));
    assert_int_equal(proxy.connections, 1);
    assert_int_equal(stats_of(session).idle, 1);
    peer_stop(&proxy);
}

CASE(an_answer_of_407_to_plain_http_is_the_callers)
{
    static const peer_step refuses[] = {PEER_TAKE(NULL),
                                        PEER_SAY("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"), PEER_AGAIN};
    static const peer_step *const scripts[] = {refuses, NULL};
    peer_server proxy;

    peer_start(&proxy, peers, scripts);
    ga_autofree char *url = through(&proxy, "http", "");
    ga_auto(ga_session) session = ga_session_new(.proxy = url);
    ga_auto(ga_response) response = ga_get(session, "http://shop.test/");

    assert_int_equal(ga_status(response), 407);
    assert_null(strstr(proxy.last.data, "Proxy-Authorization"));
    peer_stop(&proxy);
}

/* --- the tunnel ----------------------------------------------------------------------------------- */

/* From here on the peer is the server: it speaks TLS, in whatever it spoke before. */
static bool secure(peer_visit *visit)
{
    ga__tls_config *config = ga__tls_config_server(localhost.certificate, localhost.key, "http/1.1");
    bool ok = config && ga__tls_accept(&visit->stream, config, GA__NEVER) == 0;

    ga__tls_config_unref(config);
    return ok;
}

/* Serves until the client closes. */
static bool serve_hellos(peer_visit *visit)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    char bytes[4096];
    ssize_t count;

    while ((count = ga__stream_recv(&visit->stream, bytes, sizeof bytes - 1, GA__NEVER)) > 0) {
        bytes[count] = '\0';
        assert_non_null(strstr(bytes, "\r\n\r\n"));
        assert_null(strstr(bytes, "Proxy"));
        assert_null(strstr(bytes, "http://"));
        peer_say(visit, answer, sizeof answer - 1);
    }
    return false;
}

#define AGREED PEER_SAY("HTTP/1.1 200 Connection established\r\n\r\n")
static const peer_step tunnel[] = {PEER_TAKE("CONNECT "), AGREED, PEER_CALL(secure), PEER_CALL(serve_hellos)};
static const peer_step *const tunnels[] = {tunnel, NULL};

CASE(https_goes_through_a_tunnel)
{
    peer_server proxy;

    peer_start(&proxy, peers, tunnels);
    ga_autofree char *url = through(&proxy, "http", "me:secret@");
    ga_auto(ga_session) session =
        ga_session_new(.proxy = url, .proxy_headers = GA_PAIRS({"X-Trace", "7"}), .ca_file = ca_file,
                       .headers = GA_PAIRS({"Proxy-Authorization", "not for servers"}));

    assert_get(session, "https://localhost/a");
    assert_string_equal(proxy.last.data, "CONNECT localhost:443 HTTP/1.1\r\n"
                                         "Host: localhost:443\r\n"
                                         "X-Trace: 7\r\n"
                                         "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n");
    assert_get(session, "https://localhost/b");
    assert_int_equal(proxy.connections, 1);
    /* a tunnel leads to one server */
    assert_get(session, "https://127.0.0.1:8443/");
    assert_non_null(strstr(proxy.last.data, "CONNECT 127.0.0.1:8443 HTTP/1.1\r\nHost: 127.0.0.1:8443\r\n"));
    assert_int_equal(proxy.connections, 2);
    assert_get(session, "https://[::1]/");
    assert_non_null(strstr(proxy.last.data, "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n"));
    assert_int_equal(stats_of(session).opened, 3);
    peer_stop(&proxy);
}

CASE(the_tunnel_stands_after_any_answer_of_2xx)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    };

    for (size_t i = 0; i < 2 * sizeof answers / sizeof *answers; i++) {
        const char *answer = answers[i / 2];
        peer_step say = {.kind = i % 2 ? PEER_DRIP_ : PEER_SAY_, .text = answer, .size = strlen(answer)};
        const peer_step steps[] = {PEER_TAKE("CONNECT "), say, PEER_CALL(secure), PEER_CALL(serve_hellos)};
        const peer_step *const scripts[] = {steps, NULL};
        ga_group group;
        peer_server proxy;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&proxy, &group, scripts);
        ga_autofree char *url = through(&proxy, "http", "");
        ga_auto(ga_session) session = ga_session_new(.proxy = url, .ca_file = ca_file);

        assert_get(session, "https://localhost/");
        peer_stop(&proxy);
        ga_group_close(&group);
    }
}

typedef struct refusal {
    const char *answer; /* to CONNECT; then the proxy closes */
    const char *text;   /* in the message */
    int status;
} refusal;

static const refusal refusals[] = {
    {"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
     "wants credentials: 407", 407},
    {"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", "", 0},
    {"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nbody", "refused the tunnel: 403 Forbidden", 403},
    {"HTTP/1.1 502 \r\n\r\n", "refused the tunnel: 502", 502},
    {"HTTP/1.1 302 Found\r\nLocation: https://evil.test/\r\n\r\n", "refused the tunnel: 302 Found", 302},
    {"HTTP/1.1 503 na\xc3\xafve\r\n\r\n", "503 na??ve", 503},
    {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "not valid HTTP/1.1", 0},
    {"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "bytes of its own", 0},
    {"HTTP/1.1 200 OK\r\n\r\n\x16\x03\x03", "bytes of its own", 0},
    {"HTTP/1.1 200 OK\r\nA: b\r\n", "within its answer", 0},
    {"HTTP/1.1 100 Continue\r\n\r\n", "closed the connection", 0},
    {"", "without an answer", 0},
    {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not valid HTTP/1.1", 0},
    {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "not valid HTTP/1.1", 0},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "", 0},
    {"HTTP/2 200\r\n\r\n", "not valid HTTP/1.1", 0},
    {"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "not valid HTTP/1.1", 0},
    {"HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n", "not valid HTTP/1.1", 0},
};

CASE(a_proxy_that_does_not_agree_is_not_used)
{
    const size_t count = sizeof refusals / sizeof *refusals;

    for (size_t i = 0; i < 2 * count; i++) { /* whole, and then byte by byte */
        const refusal *one = &refusals[i % count];

        if (i >= count && strcmp(one->text, "bytes of its own") == 0)
            continue; /* late ones are the handshake's to judge */
        const peer_step steps[] = {
            PEER_TAKE("CONNECT "),
            {.kind = i < count ? PEER_SAY_ : PEER_DRIP_, .text = one->answer, .size = strlen(one->answer)},
            PEER_CLOSE};
        const peer_step *const scripts[] = {steps, NULL};
        ga_group group;
        peer_server proxy;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&proxy, &group, scripts);
        ga_autofree char *url = through(&proxy, "http", "");
        ga_auto(ga_session) session = ga_session_new(.proxy = url, .ca_file = ca_file);
        ga_response *response = ga_get(session, "https://localhost/");

        if (*one->text) {
            assert_failure(response, GA_EPROXY, one->text);
            assert_failure(response, GA_EPROXY, "(through the proxy http://127.0.0.1:");
            assert_int_equal(ga_error()->status, one->status);
            assert_int_equal(ga_error()->phase, GA_PHASE_CONNECT);
            assert_int_equal(ga_error()->sent, GA_SENT_NO);
        }
        assert_null(response);
        assert_int_equal(stats_of(session).idle + stats_of(session).in_use, 0);
        assert_int_equal(proxy.connections, 1);
        peer_stop(&proxy);
        ga_group_close(&group);
    }
}

CASE(credentials_that_the_proxy_refuses_are_told_apart)
{
    static const peer_step refuses[] = {PEER_TAKE("CONNECT "), PEER_SAY("HTTP/1.1 407 No\r\n\r\n"),
                                        PEER_CLOSE};
    static const peer_step *const scripts[] = {refuses, NULL};
    peer_server proxy;

    peer_start(&proxy, peers, scripts);
    ga_autofree char *url = through(&proxy, "http", "me:secret@");
    ga_auto(ga_session) session = ga_session_new(.proxy = url, .ca_file = ca_file);

    assert_failure(ga_get(session, "https://localhost/"), GA_EPROXY,
                   "did not accept the credentials: 407 No");
    assert_int_equal(ga_error()->status, 407);
    peer_stop(&proxy);
}

static bool say_endless_head(peer_visit *visit)
{
    bool ok = peer_say(visit, "HTTP/1.1 200 OK\r\n", 17);

    while (ok)
        ok = peer_say(visit, "X-Y: zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\r\n", 68);
    return false;
}

static bool say_endless_interims(peer_visit *visit)
{
    bool ok = true;

    while (ok)
        ok = peer_say(visit, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    return false;
}

CASE(a_proxy_that_never_ends_its_answer_is_left)
{
    static const peer_step head[] = {PEER_TAKE("CONNECT "), PEER_CALL(say_endless_head), PEER_CLOSE};
    static const peer_step interims[] = {PEER_TAKE("CONNECT "), PEER_CALL(say_endless_interims), PEER_CLOSE};
    static const peer_step *const scripts[] = {head, interims, NULL};
    peer_server proxy;

    peer_start(&proxy, peers, scripts);
    ga_autofree char *url = through(&proxy, "http", "");
    ga_auto(ga_session) session = ga_session_new(.proxy = url, .ca_file = ca_file);

    assert_failure(ga_get(session, "https://localhost/"), GA_EPROXY, "not valid HTTP/1.1");
    assert_failure(ga_get(session, "https://localhost/"), GA_EPROXY, "not valid HTTP/1.1");
    peer_stop(&proxy);
}

/* --- a proxy over TLS ----------------------------------------------------------------------------- */

static void start_tls(peer_server *peer, ga_group *peers, const peer_step *const *scripts)
{
    peer_start(peer, peers, scripts);
    peer->tls = ga__tls_config_server(localhost.certificate, localhost.key, "h2,http/1.1");
    assert_non_null(peer->tls);
}

CASE(a_proxy_is_reached_over_tls)
{
    peer_server proxy;

    start_tls(&proxy, peers, hellos);
    ga_autofree char *url = through(&proxy, "https", "me:secret@");
    ga_auto(ga_session) session = ga_session_new(.proxy = url, .ca_file = ca_file);
    ga_auto(ga_session) strict = ga_session_new(.proxy = url);

    assert_get(session, "http://shop.test/");
    assert_non_null(strstr(proxy.last.data, "GET http://shop.test/ HTTP/1.1\r\nHost: shop.test\r\n"));
    assert_get(session, "http://other.test/");
    assert_int_equal(proxy.connections, 1);
    /* nobody is told a password before the certificate is verified */
    size_t requests = proxy.requests;

    assert_failure(ga_get(strict, "http://shop.test/"), GA_ECERT, "(through the proxy https://127.0.0.1:");
    assert_failure(ga_get(strict, "http://shop.test/", .insecure = 1), GA_ECERT,
                   "(through the proxy https://127.0.0.1:");
    assert_int_equal(proxy.requests, requests);
    peer_stop(&proxy);
}

enum { LARGE_BODY = 3000000 };

static bool serve_large(peer_visit *visit)
{
    static char bytes[16384];
    char head[128];
    int size = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", LARGE_BODY);
    size_t received = 0;

    /* a request with a body of the same size */
    while (received < LARGE_BODY) {
        ssize_t count = ga__stream_recv(&visit->stream, bytes, sizeof bytes, GA__NEVER);

        if (count <= 0)
            return false;
        received += (size_t)count;
    }
    peer_say(visit, head, (size_t)size);
    memset(bytes, 'x', sizeof bytes);
    for (size_t left = LARGE_BODY; left > 0;) {
        size_t piece = left < sizeof bytes ? left : sizeof bytes;

        if (!peer_say(visit, bytes, piece))
            return false;
        left -= piece;
    }
    return true;
}

CASE(tls_runs_in_tls)
{
    static const peer_step large[] = {PEER_TAKE("CONNECT "), AGREED, PEER_CALL(secure),
                                      PEER_CALL(serve_large), PEER_CALL(serve_hellos)};
    static const peer_step *const scripts[] = {tunnel, large, NULL};
    peer_server proxy;

    start_tls(&proxy, peers, scripts);
    ga_autofree char *url = through(&proxy, "https", "me:secret@");
    ga_auto(ga_session) session = ga_session_new(.proxy = url, .ca_file = ca_file);

    for (int i = 0; i < 3; i++)
        assert_get(session, "https://localhost/");
    assert_int_equal(proxy.connections, 1);
    assert_int_equal(stats_of(session).idle, 1);

    ga_autofree char *body = malloc(LARGE_BODY);

    assert_non_null(body);
    memset(body, 'y', LARGE_BODY);
    ga_auto(ga_response) response =
        ga_post(session, "https://127.0.0.1/", .body = body, .body_size = LARGE_BODY);
    size_t size;
    const char *got = ga_body(response, &size);

    if (!got)
        fail_msg("%s", ga_error_message());
    assert_int_equal(size, LARGE_BODY);
    assert_int_equal(got ? strspn(got, "x") : 0, LARGE_BODY);
    ga_response_free(response);
    response = NULL;
    assert_get(session, "https://127.0.0.1/");
    assert_int_equal(proxy.connections, 2);
    peer_stop(&proxy);
}

CASE(bytes_before_the_inner_tls_are_refused)
{
    static const peer_step steps[] = {PEER_TAKE("CONNECT "), PEER_SAY("HTTP/1.1 200 OK\r\n\r\nevil"),
                                      PEER_HOLD};
    static const peer_step *const scripts[] = {steps, NULL};
    peer_server proxy;

    start_tls(&proxy, peers, scripts);
    ga_autofree char *url = through(&proxy, "https", "");
    ga_auto(ga_session) session = ga_session_new(.proxy = url, .ca_file = ca_file);

    assert_failure(ga_get(session, "https://localhost/"), GA_EPROXY, "bytes of its own");
    peer_stop(&proxy);
}

/* --- SOCKS ---------------------------------------------------------------------------------------- */

static bool expect(peer_visit *visit, const char *bytes, size_t size)
{
    char got[300];
    size_t done = 0;

    while (done < size) {
        ssize_t count = ga__stream_recv(&visit->stream, got + done, size - done, GA__NEVER);

        if (count <= 0)
            return false;
        done += (size_t)count;
    }
    assert_memory_equal(got, bytes, size);
    return true;
}

#define EXPECT_BYTES(visit, literal) expect(visit, literal, sizeof(literal) - 1)
#define SAY_BYTES(visit, literal) peer_say(visit, literal, sizeof(literal) - 1)
#define GRANTED "\5\0\0\1\0\0\0\0\0\0"

static bool grant_name(peer_visit *visit)
{
    return EXPECT_BYTES(visit, "\5\1\0") && SAY_BYTES(visit, "\5\0") &&
           EXPECT_BYTES(visit, "\5\1\0\3\11shop.test\0\120") && SAY_BYTES(visit, GRANTED);
}

static bool grant_with_password(peer_visit *visit)
{
    return EXPECT_BYTES(visit, "\5\2\0\2") && SAY_BYTES(visit, "\5\2") &&
           EXPECT_BYTES(visit, "\1\2m:\6secret") && SAY_BYTES(visit, "\1\0") &&
           EXPECT_BYTES(visit, "\5\1\0\3\11localhost\1\273") && SAY_BYTES(visit, GRANTED);
}

static bool grant_address(peer_visit *visit)
{
    return EXPECT_BYTES(visit, "\5\1\0") && SAY_BYTES(visit, "\5\0") &&
           EXPECT_BYTES(visit, "\5\1\0\1\300\0\2\7\0\120") && SAY_BYTES(visit, GRANTED);
}

static bool grant_and_say_more(peer_visit *visit)
{
    return EXPECT_BYTES(visit, "\5\1\0") && SAY_BYTES(visit, "\5\0") &&
           EXPECT_BYTES(visit, "\5\1\0\3\11shop.test\0\120") && SAY_BYTES(visit, GRANTED "HTTP/1.1 200 OK");
}

static bool refuse_host(peer_visit *visit)
{
    SAY_BYTES(visit, "\5\0\5\4\0\1\0\0\0\0\0\0");
    return false;
}

CASE(socks_proxies_are_told_a_name_or_an_address)
{
    static const peer_step name[] = {PEER_CALL(grant_name), PEER_CALL(serve_hellos)};
    static const peer_step *const names[] = {name, NULL};
    static const peer_step password[] = {PEER_CALL(grant_with_password), PEER_CALL(secure),
                                         PEER_CALL(serve_hellos)};
    static const peer_step *const passwords[] = {password, NULL};
    static const peer_step address[] = {PEER_CALL(grant_address), PEER_CALL(serve_hellos)};
    static const peer_step *const addresses[] = {address, NULL};
    peer_server by_name, by_address, with_password;

    peer_start(&by_name, peers, names);
    peer_start(&by_address, peers, addresses);
    peer_start(&with_password, peers, passwords);
    ga_autofree char *remote = through(&by_name, "socks5h", ""), *local = through(&by_address, "socks5", ""),
                     *secret = through(&with_password, "SOCKS5H", "m%3A:secret@");
    ga_auto(ga_session) session =
        ga_session_new(.resolve = GA_PAIRS({"shop.test", "192.0.2.7"}), .ca_file = ca_file, );

    for (int i = 0; i < 2; i++) {
        ga_auto(ga_response) response = ga_get(session, "http://shop.test/", .proxy = remote);

        assert_int_equal(ga_status(response), 200);
    }
    assert_int_equal(by_name.connections, 1);
    ga_auto(ga_response) resolved = ga_get(session, "http://shop.test/", .proxy = local);

    if (!resolved)
        fail_msg("%s", ga_error_message());
    assert_int_equal(by_address.connections, 1);
    ga_auto(ga_response) inner = ga_get(session, "https://localhost/", .proxy = secret);

    if (!inner)
        fail_msg("%s", ga_error_message());
    peer_stop(&by_name);
    peer_stop(&by_address);
    peer_stop(&with_password);
}

CASE(socks_proxies_that_refuse_are_told)
{
    static const peer_step more[] = {PEER_CALL(grant_and_say_more), PEER_HOLD};
    static const peer_step refuses[] = {PEER_CALL(refuse_host), PEER_CLOSE};
    static const peer_step closes[] = {PEER_GLIMPSE, PEER_CLOSE};
    static const peer_step wants[] = {PEER_SAY("\5\377"), PEER_HOLD};
    static const peer_step *const scripts[] = {more, refuses, closes, wants, NULL};
    peer_server proxy;

    peer_start(&proxy, peers, scripts);
    ga_autofree char *url = through(&proxy, "socks5h", "");
    ga_auto(ga_session) session = ga_session_new(.proxy = url);

    assert_failure(ga_get(session, "http://shop.test/"), GA_EPROXY, "bytes of its own");
    assert_failure(ga_get(session, "http://shop.test/"), GA_EPROXY, "the host is unreachable");
    assert_failure(ga_get(session, "http://shop.test/"), GA_EPROXY, "the connection");
    assert_failure(ga_get(session, "http://shop.test/"), GA_EPROXY, "wants credentials");
    assert_failure(NULL, GA_EPROXY, "(through the proxy socks5h://127.0.0.1:");
    assert_int_equal(stats_of(session).idle + stats_of(session).in_use, 0);
    peer_stop(&proxy);
}

/* --- whose connections ---------------------------------------------------------------------------- */

CASE(connections_through_one_proxy_are_not_used_for_another)
{
    peer_server first, second;

    peer_start(&first, peers, hellos);
    peer_start(&second, peers, hellos);
    ga_autofree char *one = through(&first, "http", ""), *other = through(&second, "http", ""),
                     *alice = through(&first, "http", "alice:secret@"),
                     *bob = through(&first, "http", "bob:secret@");
    ga_auto(ga_session) session = ga_session_new();
    const char *const proxies[] = {one, other, alice, bob, one, alice, bob, other};

    for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++) {
        ga_auto(ga_response) response = ga_get(session, "http://shop.test/", .proxy = proxies[i]);

        assert_int_equal(ga_status(response), 200);
    }
    assert_int_equal(first.connections, 3);
    assert_int_equal(second.connections, 1);
    ga_auto(ga_response) traced =
        ga_get(session, "http://shop.test/", .proxy = one, .proxy_headers = GA_PAIRS({"X", "y"}));

    assert_int_equal(ga_status(traced), 200);
    assert_int_equal(first.connections, 4);
    /* nor where the proxy itself is asked for something */
    ga_auto(ga_response) direct = ga_get(session, peer_url(&first, "/"));

    assert_int_equal(ga_status(direct), 200);
    assert_int_equal(first.connections, 5);
    assert_non_null(strstr(first.last.data, "GET / HTTP/1.1\r\n"));
    peer_stop(&first);
    peer_stop(&second);
}

CASE(a_stale_connection_to_a_proxy_is_opened_anew)
{
    static const peer_step once[] = {
        PEER_TAKE("CONNECT "), AGREED,    PEER_CALL(secure), PEER_TAKE("GET "), PEER_OK("5", "hello"),
        PEER_TAKE("GET "),     PEER_CLOSE};
    static const peer_step *const scripts[] = {once, tunnel, NULL};
    peer_server proxy;

    peer_start(&proxy, peers, scripts);
    ga_autofree char *url = through(&proxy, "http", "");
    ga_auto(ga_session) session = ga_session_new(.proxy = url, .ca_file = ca_file);

    assert_get(session, "https://localhost/");
    assert_get(session, "https://localhost/");
    assert_int_equal(proxy.connections, 2);
    peer_stop(&proxy);
}

/* --- which proxy ---------------------------------------------------------------------------------- */

CASE(hosts_of_no_proxy_and_schemes_without_one_are_reached_directly)
{
    peer_server server, proxy;

    peer_start(&server, peers, hellos);
    peer_start(&proxy, peers, hellos);
    ga_autofree char *url = through(&proxy, "http", "me:secret@");
    ga_auto(ga_session) excepted = ga_session_new(.proxy = url, .no_proxy = "shop.test, 127.0.0.0/8");
    ga_auto(ga_session) other_scheme = ga_session_new(.proxies = GA_PAIRS({"https", url}));
    ga_auto(ga_session) own = ga_session_new(.proxy = url, .proxies = GA_PAIRS({"http", ""}));
    ga_auto(ga_session) all =
        ga_session_new(.proxy = "http://127.0.0.1:1", .proxies = GA_PAIRS({"all", url}));

    assert_get(excepted, peer_url(&server, "/"));
    assert_get(other_scheme, peer_url(&server, "/"));
    assert_get(own, peer_url(&server, "/"));
    assert_int_equal(server.requests, 3);
    assert_int_equal(proxy.requests, 0);
    assert_null(strstr(server.last.data, "Proxy-Authorization"));
    assert_get(all, peer_url(&server, "/"));
    assert_int_equal(proxy.requests, 1);
    /* a request's own goes before */
    ga_auto(ga_response) through_it = ga_get(excepted, peer_url(&server, "/"), .proxy = url);
    ga_auto(ga_response) without = ga_get(all, peer_url(&server, "/"), .proxy = "");

    assert_int_equal(ga_status(through_it), 200);
    assert_int_equal(ga_status(without), 200);
    assert_int_equal(proxy.requests, 2);
    assert_int_equal(server.requests, 4);
    peer_stop(&server);
    peer_stop(&proxy);
}

/* Calls a server with these variables set; the values' "%s" is the proxy. @return whether the proxy served */
static bool goes_through(peer_server *server, peer_server *proxy, const ga_pair *variables)
{
    ga_autofree char *url = through(proxy, "http", "");
    size_t before = proxy->requests;

    for (const ga_pair *one = variables; one->name; one++)
        setenv(one->name, strcmp(one->value, "PROXY") == 0 ? url + strlen("http://") : one->value, 1);
    ga_session *session = ga_session_new(.trust_env = 1);

    for (const ga_pair *one = variables; one->name; one++)
        unsetenv(one->name);
    assert_get(session, peer_url(server, "/"));
    ga_session_free(session);
    return proxy->requests > before;
}

CASE(the_environment_is_trusted_where_it_is_said)
{
    peer_server server, proxy;

    peer_start(&server, peers, hellos);
    peer_start(&proxy, peers, hellos);
    assert_true(goes_through(&server, &proxy, GA_PAIRS({"http_proxy", "PROXY"})));
    assert_true(goes_through(&server, &proxy, GA_PAIRS({"all_proxy", "PROXY"})));
    assert_true(goes_through(&server, &proxy, GA_PAIRS({"ALL_PROXY", "PROXY"})));
    assert_false(
        goes_through(&server, &proxy, GA_PAIRS({"HTTP_PROXY", "PROXY"}))); /* a CGI client's header */
    assert_false(goes_through(&server, &proxy, GA_PAIRS({"https_proxy", "PROXY"}, {"HTTPS_PROXY", "PROXY"})));
    assert_true(
        goes_through(&server, &proxy, GA_PAIRS({"http_proxy", "PROXY"}, {"ALL_PROXY", "127.0.0.1:1"})));
    assert_true(goes_through(&server, &proxy, GA_PAIRS({"http_proxy", ""}, {"all_proxy", "PROXY"})));
    assert_false(goes_through(&server, &proxy, GA_PAIRS({"http_proxy", "PROXY"}, {"no_proxy", "127.0.0.1"})));
    assert_false(goes_through(&server, &proxy, GA_PAIRS({"http_proxy", "PROXY"}, {"NO_PROXY", "127.0.0.1"})));
    assert_true(goes_through(
        &server, &proxy, GA_PAIRS({"http_proxy", "PROXY"}, {"NO_PROXY", "127.0.0.1"}, {"no_proxy", "x"})));
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    ga_auto(ga_session) session = ga_session_new();

    assert_get(session, peer_url(&server, "/"));
    unsetenv("http_proxy");
    peer_stop(&server);
    peer_stop(&proxy);
}

static bool redirect_to_server(peer_visit *visit)
{
    ga_autofree char *answer = ga_format("HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
                                         peer_url(visit->peer->data, "/direct"));

    return peer_say(visit, answer, strlen(answer));
}

CASE(each_hop_of_a_redirect_has_its_own_proxy)
{
    static const peer_step redirects[] = {PEER_TAKE("GET http://shop.test/"), PEER_CALL(redirect_to_server),
                                          PEER_AGAIN};
    static const peer_step *const scripts[] = {redirects, NULL};
    peer_server server, proxy;

    peer_start(&server, peers, hellos);
    peer_start(&proxy, peers, scripts);
    proxy.data = &server;
    ga_autofree char *url = through(&proxy, "http", "me:secret@");
    ga_auto(ga_session) session = ga_session_new(.proxy = url, .no_proxy = "127.0.0.1", .user_agent = "test",
                                                 .headers = GA_PAIRS({"Accept-Encoding", "identity"}));

    assert_get(session, "http://shop.test/");
    assert_int_equal(proxy.requests, 1);
    assert_int_equal(server.requests, 1);
    ga_autofree char *host = ga_format("GET /direct HTTP/1.1\r\nHost: %s\r\nUser-Agent: test\r\nAccept: "
                                       "*/*\r\nAccept-Encoding: identity\r\n\r\n",
                                       peer_url(&server, "") + strlen("http://"));

    assert_string_equal(server.last.data, host); /* and no word to the server about the proxy */
    peer_stop(&server);
    peer_stop(&proxy);
}

/* --- failing -------------------------------------------------------------------------------------- */

CASE(a_proxy_that_cannot_be_reached_is_named)
{
    ga_auto(ga_session) session = ga_session_new(.proxy = "http://me:secret@127.0.0.1:1");

    assert_failure(ga_get(session, "http://shop.test/"), GA_EPROXY, "is the proxy running?");
    assert_failure(NULL, GA_EPROXY, "(through the proxy http://127.0.0.1:1)");
    assert_int_equal(ga_error()->phase, GA_PHASE_CONNECT);
    assert_int_not_equal(ga_error()->os_error, 0);
    assert_failure(ga_get(session, "https://shop.test/", .proxy = "socks5://me:secret@127.0.0.1:1"),
                   GA_EPROXY, "(through the proxy socks5://127.0.0.1:1)");
}

TIMED_CASE(the_connect_timeout_covers_what_the_proxy_takes)
{
    static const peer_step silent[] = {PEER_TAKE("CONNECT "), PEER_HOLD};
    static const peer_step slow[] = {PEER_TAKE("CONNECT "), PEER_DRIP("HTTP/1.1 200 OK\r\n\r\n", 1),
                                     PEER_HOLD};
    static const peer_step mute[] = {PEER_HOLD};
    static const peer_step *const scripts[] = {silent, slow, mute, NULL};
    static const char *const schemes[] = {"http", "http", "socks5h", "https"};
    peer_server proxy;

    peer_start(&proxy, peers, scripts);
    ga_auto(ga_session) session = ga_session_new(.connect_timeout = 5, .ca_file = ca_file);

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        ga_autofree char *url = through(&proxy, schemes[i], "");
        double began = (double)ga__now_exact() * 1e-9;

        assert_failure(ga_get(session, "https://localhost/", .proxy = url), GA_ETIMEDOUT,
                       "(through the proxy ");
        assert_string_equal(ga_error()->timeout, "connect");
        assert_true((double)ga__now_exact() * 1e-9 - began < 5.5);
    }
    assert_int_equal(stats_of(session).in_use, 0);
    peer_stop(&proxy);
}

static int get_and_wait(ga_session *session, const char *proxy)
{
    ga_auto(ga_response) response = ga_get(session, "https://localhost/", .proxy = proxy);

    return response ? 0 : ga_error()->code;
}
GA_TASK(int, get_and_wait, ga_session *, const char *);

CASE(a_call_is_cancelled_while_the_proxy_thinks)
{
    static const peer_step silent[] = {PEER_TAKE("CONNECT "), PEER_HOLD};
    static const peer_step *const scripts[] = {silent, NULL};
    peer_server proxy;
    ga_group calls;

    peer_start(&proxy, peers, scripts);
    ga_autofree char *url = through(&proxy, "http", "");
    ga_auto(ga_session) session = ga_session_new(.ca_file = ca_file);

    ga_group_open(&calls, GA_COLLECT);
    get_and_wait_start(&calls, session, url);
    peer_await(&proxy.requests, 1);
    ga_group_cancel(&calls);
    ga_gather(&calls);
    ga_group_close(&calls);
    assert_int_equal(stats_of(session).in_use + stats_of(session).idle, 0);
    peer_stop(&proxy);
}

static void assert_refused(ga_session *session, int code, const char *text)
{
    assert_failure((ga_response *)(void *)session, code, text);
}

CASE(what_no_proxy_can_be_is_refused)
{
    char longest[400] = "socks5://";

    memset(longest + 9, 'u', 300);
    strcpy(longest + 309, "@h:1");
    assert_refused(ga_session_new(.proxy = "ftp://me:secret@h"), GA_EURL, "proxy \"");
    assert_refused(ga_session_new(.proxy = "http://"), GA_EURL, "proxy \"");
    assert_refused(ga_session_new(.proxy = "http://me:secret@h:99999"), GA_EURL, "proxy \"");
    assert_refused(ga_session_new(.proxy = "http://h\r\nX-Evil: 1"), GA_EURL, "proxy \"");
    assert_refused(ga_session_new(.proxy = "http://a%0d%0aX-Evil:secret@h"), GA_EHEADER, "control character");
    assert_refused(ga_session_new(.proxy = "http://a%3Ab:secret@h"), GA_EHEADER, "colon");
    assert_refused(ga_session_new(.proxy = longest), GA_EURL, "255");
}

CASE(options_that_contradict_are_refused)
{
    assert_refused(ga_session_new(.proxies = GA_PAIRS({"ftp", "http://h"})), GA_EUSAGE, "ftp");
    assert_refused(ga_session_new(.proxy = "h", .proxy_headers = GA_PAIRS({"X", "a\r\nb"})), GA_EHEADER, "X");
    assert_refused(ga_session_new(.proxy = "h", .proxy_headers = GA_PAIRS({"Host", "evil"})), GA_EHEADER,
                   "Host");
    assert_refused(ga_session_new(.proxy = "h", .unix_socket = "/x"), GA_EUSAGE, "unix_socket");
    setenv("https_proxy", "gopher://me:secret@h", 1);
    assert_refused(ga_session_new(.trust_env = 1), GA_EURL, "https_proxy");
    unsetenv("https_proxy");
    ga_auto(ga_session) session = ga_session_new();
    ga_auto(ga_session) local = ga_session_new(.unix_socket = "/x");

    assert_failure(ga_get(session, "http://shop.test/", .proxy = "ftp://me:secret@h"), GA_EURL, "proxy \"");
    assert_failure(ga_get(local, "http://shop.test/", .proxy = "http://h"), GA_EUSAGE, "unix_socket");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_http_is_asked_for_by_its_absolute_url),
        cmocka_unit_test(an_answer_of_407_to_plain_http_is_the_callers),
        cmocka_unit_test(https_goes_through_a_tunnel),
        cmocka_unit_test(the_tunnel_stands_after_any_answer_of_2xx),
        cmocka_unit_test(a_proxy_that_does_not_agree_is_not_used),
        cmocka_unit_test(credentials_that_the_proxy_refuses_are_told_apart),
        cmocka_unit_test(a_proxy_that_never_ends_its_answer_is_left),
        cmocka_unit_test(a_proxy_is_reached_over_tls),
        cmocka_unit_test(tls_runs_in_tls),
        cmocka_unit_test(bytes_before_the_inner_tls_are_refused),
        cmocka_unit_test(socks_proxies_are_told_a_name_or_an_address),
        cmocka_unit_test(socks_proxies_that_refuse_are_told),
        cmocka_unit_test(connections_through_one_proxy_are_not_used_for_another),
        cmocka_unit_test(a_stale_connection_to_a_proxy_is_opened_anew),
        cmocka_unit_test(hosts_of_no_proxy_and_schemes_without_one_are_reached_directly),
        cmocka_unit_test(the_environment_is_trusted_where_it_is_said),
        cmocka_unit_test(each_hop_of_a_redirect_has_its_own_proxy),
        cmocka_unit_test(a_proxy_that_cannot_be_reached_is_named),
        cmocka_unit_test(the_connect_timeout_covers_what_the_proxy_takes),
        cmocka_unit_test(a_call_is_cancelled_while_the_proxy_thinks),
        cmocka_unit_test(what_no_proxy_can_be_is_refused),
        cmocka_unit_test(options_that_contradict_are_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
