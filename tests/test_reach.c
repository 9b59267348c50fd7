/* SPDX-License-Identifier: MIT */
/* A session's own ways to hosts: .resolve, .connect_to, .local_address, TCP options, pinned keys,
 * .server_name. */
#include "peer.h"

#include "certificates.h"
#include "client/connection.h"
#include "client/session.h"
#include "io/tls_pin.h"
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static char *ca_file;
static ga__certificate other; /* for other.example alone */

static int set_up(void **state)
{
    make_certificates(state);
    other = make_certificate(&(ga__certificate_options){
        .common_name = "other", .names = "DNS:other.example", .issuer = &authority});
    check_make_directory(state);
    ca_file = check_new_file("ca.pem", authority.certificate);
    return 0;
}

static int tear_down(void **state)
{
    ga__certificate_free(&other);
    check_remove_directory(state);
    free(ca_file);
    return free_certificates(state);
}

static const peer_step hello[] = {PEER_TAKE(NULL), PEER_OK("5", "hello"), PEER_AGAIN};
static const peer_step *const hellos[] = {hello, NULL};

static unsigned port_of(const peer_server *peer)
{
    return ga__address_port(&peer->listener.address);
}

/* --- names ---------------------------------------------------------------------------------------- */

CASE(names_have_the_addresses_that_the_session_gives_them)
{
    peer_server peer;

    peer_start(&peer, peers, hellos);
    ga_autofree char *url = ga_format("http://shop.test:%u/", port_of(&peer)),
                     *at_port = ga_format("Shop.TEST:%u", port_of(&peer));
    /* the first that fits counts, a port that does not fit does not */
    ga_auto(ga_session) session =
        ga_session_new(.resolve = GA_PAIRS({"shop.test:1", "192.0.2.1"}, {at_port, "127.0.0.1"},
                                           {"shop.test", "192.0.2.1"}));
    ga_auto(ga_session) several =
        ga_session_new(.resolve = GA_PAIRS({"shop.test", "127.0.0.99, 127.0.0.1"}), .no_cookies = 1);

    assert_get(session, url);
    ga_autofree char *host = ga_format("\r\nHost: shop.test:%u\r\n", port_of(&peer));

    assert_non_null(strstr(peer.last.data, host));
    assert_get(several, url);
    assert_int_equal(peer.connections, 2);
    peer_stop(&peer);
}

CASE(connections_for_one_host_go_to_another)
{
    peer_server peer;

    peer_start(&peer, peers, hellos);
    ga_autofree char *exact = ga_format("shop.test:80:127.0.0.1:%u", port_of(&peer)),
                     *port_only = ga_format(":81::%u", port_of(&peer)),
                     *bracketed = ga_format("[2001:db8::1]::127.0.0.1:%u", port_of(&peer));
    const char *const detours[] = {"else.test:80:192.0.2.1:1", exact, bracketed, port_only, NULL};
    ga_auto(ga_session) session = ga_session_new(.connect_to = detours);

    assert_get(session, "http://SHOP.test/");
    assert_non_null(strstr(peer.last.data, "\r\nHost: shop.test\r\n"));
    assert_get(session, "http://[2001:db8::1]:8080/");
    assert_non_null(strstr(peer.last.data, "\r\nHost: [2001:db8::1]:8080\r\n"));
    assert_get(session, "http://127.0.0.1:81/");
    assert_non_null(strstr(peer.last.data, "\r\nHost: 127.0.0.1:81\r\n"));
    assert_int_equal(peer.connections, 3); /* each is an origin of its own */
    peer_stop(&peer);
}

/* --- sockets -------------------------------------------------------------------------------------- */

static bool is_real(void)
{
    return strcmp(ga__loop_here->poller->ops->name, "epoll") == 0;
}

static bool came_from_there(peer_visit *visit)
{
    struct sockaddr_in from = {0};
    socklen_t size = sizeof from;

    if (!is_real()) /* in the simulation nobody can ask where from */
        return true;
    assert_int_equal(getpeername(visit->stream.fd.fd, (struct sockaddr *)&from, &size), 0);
    assert_int_equal(ntohl(from.sin_addr.s_addr), 0x7f000003);
    return true;
}

CASE(connections_come_from_the_local_address)
{
    static const peer_step steps[] = {PEER_CALL(came_from_there), PEER_TAKE(NULL), PEER_OK("5", "hello"),
                                      PEER_HOLD};
    static const peer_step *const scripts[] = {steps, NULL};
    ga_auto(ga_session) session = ga_session_new(.local_address = "127.0.0.3");
    peer_server peer;

    peer_start(&peer, peers, scripts);
    assert_get(session, peer_url(&peer, "/"));
    peer_stop(&peer);
}

static int option_of(const ga_session *session, int level, int name)
{
    ga__link *link = ga__list_first(&session->pool.idle);
    int value = -1;
    socklen_t size = sizeof value;

    assert_non_null(link);
    assert_int_equal(
        getsockopt(GA__OF(link, ga__connection, in_pool)->stream.fd.fd, level, name, &value, &size), 0);
    return value;
}

CASE(sockets_have_the_options_of_the_session)
{
    ga_auto(ga_session) plain = ga_session_new();
    ga_auto(ga_session) set = ga_session_new(.tcp_nodelay = -1, .tcp_keepalive = 6.5);
    peer_server peer;

    peer_start(&peer, peers, hellos);
    assert_get(plain, peer_url(&peer, "/"));
    assert_get(set, peer_url(&peer, "/"));
    if (is_real()) { /* there are no sockets in the simulation */
        assert_int_not_equal(option_of(plain, IPPROTO_TCP, TCP_NODELAY), 0);
        assert_int_equal(option_of(plain, SOL_SOCKET, SO_KEEPALIVE), 0);
        assert_int_equal(option_of(set, IPPROTO_TCP, TCP_NODELAY), 0);
        assert_int_not_equal(option_of(set, SOL_SOCKET, SO_KEEPALIVE), 0);
        assert_int_equal(option_of(set, IPPROTO_TCP, TCP_KEEPIDLE), 7);
        assert_int_equal(option_of(set, IPPROTO_TCP, TCP_KEEPINTVL), 7);
    }
    peer_stop(&peer);
}

CASE(connections_go_through_the_interface)
{
    ga_auto(ga_session) session = ga_session_new(.interface = "lo", .local_address = "127.0.0.1");
    ga_auto(ga_session) missing = ga_session_new(.interface = "no-such-one");
    peer_server peer;

    peer_start(&peer, peers, hellos);
    assert_get(session, peer_url(&peer, "/"));
    if (is_real())
        assert_int_equal(option_of(session, SOL_SOCKET, SO_BINDTOIFINDEX), (int)if_nametoindex("lo"));
    assert_failed(ga_get(missing, peer_url(&peer, "/")), GA_ECONNECT,
                  "cannot connect through interface no-such-one: No such device");
    assert_int_equal(ga_error()->os_error, ENODEV);
    assert_int_equal(ga_error()->phase, GA_PHASE_CONNECT);
    assert_int_equal(peer.connections, 1);
    peer_stop(&peer);
}

/* --- TLS ------------------------------------------------------------------------------------------ */

static void start(peer_server *peer, ga_group *peers, const ga__certificate *certificate)
{
    peer_start(peer, peers, hellos);
    peer->tls = ga__tls_config_server(certificate->certificate, certificate->key, "http/1.1");
    assert_non_null(peer->tls);
}

/* The certificate's pin, the caller's to free. */
static char *pin_of(const ga__certificate *certificate)
{
    BIO *bio = BIO_new_mem_buf(certificate->certificate, -1);
    X509 *parsed = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    ga__buffer pin = GA__BUFFER_INIT;

    assert_non_null(parsed);
    ga__tls_pin_of(parsed, &pin);
    X509_free(parsed);
    BIO_free(bio);
    return ga__buffer_take(&pin);
}

/* `openssl x509 -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64` */
CASE(a_pin_is_what_others_make_of_the_same_certificate)
{
    static const char certificate[] = "-----BEGIN CERTIFICATE-----\n"
                                      "MIIBcTCCARegAwIBAgIUU8ltMN455UP2Fa852ZwuPCrznUgwCgYIKoZIzj0EAwIw\n"
                                      "DjEMMAoGA1UEAwwDcGluMB4XDTI2MTEyMjIwMjI1MVoXDTM2MTExOTIwMjI1MVow\n"
                                      "DjEMMAoGA1UEAwwDcGluMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYRRiPWxn\n"
                                      "+CM6jKMz69bYCygDTffTFtBflCVLyOXWHZrOF2TFpCwL0TT4KcZp9LBwLaFIsdBf\n"
                                      "rRiv133czOHlnKNTMFEwHQYDVR0OBBYEFLdj+JHgJ5H3gAdiek98BV603NqxMB8G\n"
                                      "A1UdIwQYMBaAFLdj+JHgJ5H3gAdiek98BV603NqxMA8GA1UdEwEB/wQFMAMBAf8w\n"
                                      "CgYIKoZIzj0EAwIDSAAwRQIgbNogfJB3U0mhXbrm8XMlDXI77W/5j0Zm15NOaM5U\n"
                                      "AdYCIQCBl1G+fQ3HsRil4bS0Kt6lEoAo4sLzs2pGijfW4HwC5A==\n"
                                      "-----END CERTIFICATE-----\n";
    ga__certificate known = {.certificate = (char *)(uintptr_t)certificate};
    ga_autofree char *pin = pin_of(&known);

    assert_string_equal(pin, "sha256//7lm4Ve2hzb8BkfXf+cAvgk1RFCg7x+ECoSmsgcHOfpg=");
}

CASE(servers_must_have_a_pinned_key)
{
    peer_server peer;

    start(&peer, peers, &localhost);
    ga_autofree char *right = pin_of(&localhost), *wrong = pin_of(&other),
                     *both = ga_format("%s;%s", wrong, right);
    ga_auto(ga_session) pinned = ga_session_new(.ca_file = ca_file, .tls_pin = right);
    ga_auto(ga_session) either = ga_session_new(.ca_file = ca_file, .tls_pin = both);
    ga_auto(ga_session) mistaken = ga_session_new(.ca_file = ca_file, .tls_pin = wrong);
    ga_auto(ga_session) unverified = ga_session_new(.insecure = 1, .tls_pin = wrong);
    ga_auto(ga_session) untrusted = ga_session_new(.tls_pin = right);

    assert_get(pinned, peer_url(&peer, "/"));
    assert_get(either, peer_url(&peer, "/"));
    size_t requests = peer.requests;

    assert_failed(ga_get(mistaken, peer_url(&peer, "/")), GA_EPIN, right);
    assert_failed(ga_get(mistaken, peer_url(&peer, "/")), GA_EPIN, right); /* nor by a session resumed */
    assert_int_equal(ga_error()->phase, GA_PHASE_TLS);
    assert_int_equal(ga_error()->sent, GA_SENT_NO);
    assert_failed(ga_get(unverified, peer_url(&peer, "/")), GA_EPIN, right);
    assert_failed(ga_get(untrusted, peer_url(&peer, "/")), GA_ECERT, "does not verify");
    assert_int_equal(peer.requests, requests);
    peer_stop(&peer);
}

CASE(servers_are_asked_for_the_name_that_is_given)
{
    peer_server peer;

    start(&peer, peers, &other);
    ga_auto(ga_session) named = ga_session_new(.ca_file = ca_file, .server_name = "other.example");
    ga_auto(ga_session) plain = ga_session_new(.ca_file = ca_file);
    ga_auto(ga_session) misnamed = ga_session_new(.ca_file = ca_file, .server_name = "third.example");

    assert_get(named, peer_url(&peer, "/"));
    assert_failed(ga_get(plain, peer_url(&peer, "/")), GA_ECERT, "other.example");
    assert_failed(ga_get(misnamed, peer_url(&peer, "/")), GA_ECERT, "third.example");
    peer_stop(&peer);
}

/* --- what cannot be ------------------------------------------------------------------------------- */

CASE(ways_that_cannot_be_are_refused)
{
    static const char *const detours[] = {"",        "a:1:b",    "a:1:b:2:3",    "a:x:b:2",    "a:0:b:2",
                                          "a:1:b:0", "[a:1:b:2", "[::1]a:1:b:2", "a:1:b:65536"};
    static const char *const pins[] = {
        "",
        "sha256//",
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!=",
        "sha1//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ("sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,sha256//"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ";",
    };

    assert_failed(ga_session_new(.resolve = GA_PAIRS({"h", ""})), GA_EUSAGE, "resolve");
    assert_failed(ga_session_new(.resolve = GA_PAIRS({"h", "name.test"})), GA_EUSAGE, "resolve");
    assert_failed(ga_session_new(.resolve = GA_PAIRS({"h", "127.0.0.1,"})), GA_EUSAGE, "resolve");
    assert_failed(ga_session_new(.resolve = GA_PAIRS({"h", "127.0.0.1 127.0.0.2"})), GA_EUSAGE, "resolve");
    assert_failed(ga_session_new(.resolve = GA_PAIRS({"h:0", "127.0.0.1"})), GA_EUSAGE, "host:port");
    assert_failed(ga_session_new(.resolve = GA_PAIRS({":1", "127.0.0.1"})), GA_EUSAGE, "host:port");
    for (size_t i = 0; i < sizeof detours / sizeof *detours; i++) {
        const char *const one[] = {detours[i], NULL};

        assert_failed(ga_session_new(.connect_to = one), GA_EUSAGE, "HOST1:PORT1:HOST2:PORT2");
    }
    assert_failed(ga_session_new(.local_address = "eth0"), GA_EUSAGE, "local_address");
    assert_failed(ga_session_new(.tcp_keepalive = -1), GA_EUSAGE, "tcp_keepalive");
    assert_failed(ga_session_new(.interface = ""), GA_EUSAGE, "no name of a network interface");
    assert_failed(ga_session_new(.interface = "sixteen-letters!"), GA_EUSAGE,
                  "no name of a network interface");
    assert_failed(ga_session_new(.interface = "a b"), GA_EUSAGE, "no name of a network interface");
    for (size_t i = 0; i < sizeof pins / sizeof *pins; i++)
        assert_failed(ga_session_new(.ca_file = ca_file, .tls_pin = pins[i]), GA_EUSAGE, "tls_pin");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_the_addresses_that_the_session_gives_them),
        cmocka_unit_test(connections_for_one_host_go_to_another),
        cmocka_unit_test(connections_come_from_the_local_address),
        cmocka_unit_test(sockets_have_the_options_of_the_session),
        cmocka_unit_test(connections_go_through_the_interface),
        cmocka_unit_test(a_pin_is_what_others_make_of_the_same_certificate),
        cmocka_unit_test(servers_must_have_a_pinned_key),
        cmocka_unit_test(servers_are_asked_for_the_name_that_is_given),
        cmocka_unit_test(ways_that_cannot_be_are_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
