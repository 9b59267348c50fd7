/* SPDX-License-Identifier: MIT */
/* What a single request says instead of its session: timeouts, statuses, cookies, its name. */
#include "peer.h"

#include "client/session.h"
#include "sim/sim.h"
#include <math.h>
#include <string.h>

static void assert_timed_out(const ga_response *response, const char *timeout, double began, double seconds)
{
    double took = ga_now() - began;

    assert_null(response);
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, timeout);
    if (took < seconds - 0.01 || took > seconds + 0.05)
        fail_msg("%s: it took %g s, %g were expected", ga_error_message(), took, seconds);
}

/* --- timeouts --------------------------------------------------------------------------------------- */

TIMED_CASE(a_request_has_timeouts_of_its_own_for_each_phase)
{
    static const peer_step silent[] = {PEER_TAKE(NULL), PEER_HOLD};
    static const peer_step *const silents[] = {silent, NULL};
    static const peer_step deaf[] = {PEER_WAIT, PEER_CLOSE};
    static const peer_step *const deafs[] = {deaf, NULL};
    ga_auto(ga_session) session = ga_session_new(.limit = 1, .connect_timeout = 5, .write_timeout = 5,
                                                 .pool_timeout = 5, .tls_timeout = 5, .insecure = 1);
    ga_autofree char *large = calloc(1, 1 << 20);
    ga__address address;
    peer_server peer, other;

    peer_start(&peer, peers, silents);
    peer_start(&other, peers, deafs);
    ga__address_ip(&address, "10.1.2.3", 80);
    ga__sim_set_route(ga__loop_here->poller, &address.as.any, address.size, GA__SIM_SILENT, 0);
    double began = ga_now();

    assert_timed_out(ga_get(session, "http://10.1.2.3/", .connect_timeout = 2), "connect", began, 2);
    began = ga_now();
    assert_timed_out(ga_get(session, "http://10.1.2.3/"), "connect", began, 5);
    began = ga_now();
    assert_timed_out(ga_get(session, "http://10.1.2.3/", .connect_timeout = GA_FOREVER, .timeout = 7),
                     "total", began, 7);
    began = ga_now();
    assert_timed_out(
        ga_post(session, peer_url(&other, "/"), .body = large, .body_size = 1 << 20, .write_timeout = 1),
        "write", began, 1);
    ga_autofree char *secure =
        ga_format("https://127.0.0.1:%u/", (unsigned)ga__address_port(&peer.listener.address));
    began = ga_now();
    assert_timed_out(ga_get(session, secure, .tls_timeout = 0.5), "tls", began, 0.5);
    assert_null(ga_get(session, secure, .dns_timeout = -1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_contains(ga_error_message(), "dns timeout");
    assert_null(ga_get(session, secure, .pool_timeout = NAN));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    peer_stop(&peer);
    peer_stop(&other);
}

/* Holds the session's only connection for a time. */
typedef struct holder {
    ga_session *session;
    const char *url;
    double seconds;
} holder;

static int hold(void *arg)
{
    const holder *self = arg;
    ga_auto(ga_response) response = ga_get(self->session, self->url);

    assert_int_equal(ga_status(response), 200);
    return ga_sleep(self->seconds);
}

TIMED_CASE(the_total_may_begin_behind_the_line)
{
    static const peer_step half[] = {PEER_TAKE(NULL), PEER_OK("5", "he"), PEER_HOLD};
    static const peer_step silent[] = {PEER_TAKE(NULL), PEER_HOLD};
    static const peer_step *const scripts[] = {half, silent, half, silent, NULL};
    ga_auto(ga_session) session = ga_session_new(.limit = 1, .total_timeout = 2);
    ga_auto(ga_session) patient = ga_session_new(.limit = 1, .total_timeout = 2, .total_after_pool = 1);
    peer_server peer;
    ga_group group;

    peer_start(&peer, peers, scripts);
    ga_autofree char *url = ga_format("%s", peer_url(&peer, "/"));
    holder first = {session, url, 1.5}, second = {patient, url, 1.5};

    ga_group_open(&group, GA_COLLECT);
    ga_spawn(&group, hold, &first);
    ga_sleep(0.01);
    double began = ga_now();

    assert_timed_out(ga_get(session, url, .pool_timeout = 0.5), "pool", began, 0.5);
    began = ga_now();
    assert_timed_out(ga_get(session, url, .total_after_pool = 1, .timeout = 0.3, .pool_timeout = 0.6), "pool",
                     began, 0.6);
    began = ga_now(); /* another 0.4 s in line */
    assert_timed_out(ga_get(session, url, .total_after_pool = 1), "total", began, 0.4 + 2);

    ga_spawn(&group, hold, &second);
    ga_sleep(0.01);
    began = ga_now();
    assert_timed_out(ga_get(patient, url, .total_after_pool = -1, .timeout = 0.5), "total", began, 0.5);
    assert_int_equal(ga_error()->phase, GA_PHASE_POOL);
    began = ga_now();
    assert_timed_out(ga_get(patient, url), "total", began, 1 + 2);
    ga_group_close(&group);
    peer_stop(&peer);
}

TIMED_CASE(the_total_may_begin_behind_the_rate)
{
    static const peer_step silent[] = {PEER_TAKE(NULL), PEER_HOLD};
    static const peer_step *const scripts[] = {peer_empty, silent, NULL};
    ga_auto(ga_session) session = ga_session_new(.rate = 0.1, .keepalive = -1, .total_timeout = 2);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    double began = ga_now();

    assert_timed_out(ga_get(session, peer_url(&peer, "/")), "total", began, 2);
    began = ga_now();
    assert_timed_out(ga_get(session, peer_url(&peer, "/"), .total_after_pool = 1), "total", began, 8 + 2);
    peer_stop(&peer);
}

TIMED_CASE(each_attempt_has_its_time)
{
    static const peer_step silent[] = {PEER_TAKE(NULL), PEER_HOLD};
    static const peer_step slow[] = {PEER_TAKE(NULL), PEER_DRIP("HTTP/1.1 200 OK\r\n", 0.1), PEER_HOLD};
    static const peer_step half[] = {PEER_TAKE(NULL), PEER_OK("5", "he"), PEER_HOLD};
    static const peer_step *const scripts[] = {silent, slow, peer_empty, silent, half, silent, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 2, .retry_base = 0.001, .attempt_timeout = 0.5,
                                                 .keepalive = -1, .first_byte_timeout = 2);
    ga__address address;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga__address_ip(&address, "10.1.2.3", 80);
    ga__sim_set_route(ga__loop_here->poller, &address.as.any, address.size, GA__SIM_SILENT, 0);
    double began = ga_now();
    ga_auto(ga_response) third = ga_get(session, peer_url(&peer, "/"));

    assert_int_equal(ga_status(third), 200);
    assert_int_equal(ga_attempts(third), 3);
    assert_true(ga_now() - began >= 1 && ga_now() - began < 1.05);
    began = ga_now(); /* it may have arrived */
    assert_timed_out(ga_post(session, peer_url(&peer, "/"), .text = "x"), "attempt", began, 0.5);
    assert_int_equal(ga_error()->attempt, 1);
    began = ga_now(); /* it has not */
    assert_timed_out(ga_post(session, "http://10.1.2.3/", .text = "x"), "attempt", began, 1.5);
    assert_int_equal(ga_error()->attempt, 3);
    assert_contains(ga_error_message(), "timed out after 0.5 s while connecting (the attempt timeout)");

    began = ga_now();
    ga_auto(ga_response) broken = ga_get(session, peer_url(&peer, "/"), .attempt_timeout = 0.7);
    assert_int_equal(ga_status(broken), 200);
    assert_null(ga_text(broken));
    assert_timed_out(NULL, "attempt", began, 0.7);
    began = ga_now();
    assert_timed_out(ga_get(session, peer_url(&peer, "/"), .timeout = 0.3), "total", began, 0.3);
    began = ga_now();
    assert_timed_out(ga_get(session, peer_url(&peer, "/"), .attempt_timeout = GA_FOREVER, .retries = -1),
                     "first_byte", began, 2);
    assert_null(ga_get(session, peer_url(&peer, "/"), .attempt_timeout = -1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    peer_stop(&peer);
}

TIMED_CASE(an_attempt_is_charged_for_redirects_and_no_lines)
{
    static const peer_step half[] = {PEER_TAKE(NULL), PEER_OK("5", "he"), PEER_HOLD};
    static const peer_step hops[] = {
        PEER_TAKE("GET /from"),
        PEER_PAUSE(0.6),
        PEER_SAY("HTTP/1.1 302 Found\r\nLocation: /to\r\nContent-Length: 0\r\n\r\n"),
        PEER_TAKE("GET /to"),
        PEER_PAUSE(0.6),
        PEER_OK("0", ""),
        PEER_AGAIN};
    static const peer_step *const scripts[] = {half, hops, NULL};
    ga_auto(ga_session) session = ga_session_new(.limit = 1);
    ga_auto(ga_session) paced = ga_session_new(.rate = 0.5);
    peer_server peer;
    ga_group group;

    peer_start(&peer, peers, scripts);
    ga_autofree char *held = ga_format("%s", peer_url(&peer, "/"));
    ga_autofree char *url = ga_format("%s", peer_url(&peer, "/from"));
    holder first = {session, held, 1.5};

    ga_group_open(&group, GA_COLLECT);
    ga_spawn(&group, hold, &first);
    ga_sleep(0.01);
    ga_auto(ga_response) in_line = ga_get(session, url, .attempt_timeout = 1.3);

    assert_int_equal(ga_status(in_line), 200); /* 1.5 s in line, and twice 0.6 s */
    double began = ga_now();

    assert_timed_out(ga_get(session, url, .attempt_timeout = 1), "attempt", began, 1);
    began = ga_now();
    ga_auto(ga_response) later = ga_get(paced, url, .attempt_timeout = 1.3);
    assert_int_equal(ga_status(later), 200);
    assert_true(ga_now() - began > 2.5); /* 1.4 s between the two were the rate's */
    began = ga_now();
    assert_timed_out(ga_get(paced, url, .attempt_timeout = 1), "attempt", began, 1.4 + 2 + 0.4);
    ga_group_close(&group);
    peer_stop(&peer);
}

/* The first body breaks off by its attempt's end; the rest has an attempt of its own. */
TIMED_CASE(a_body_is_gone_on_with_after_an_attempts_end)
{
    static const peer_step begun[] = {
        PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 5\r\n\r\nhe"),
        PEER_HOLD};
    static const peer_step rest[] = {PEER_TAKE(NULL), PEER_PAUSE(0.9),
                                     PEER_SAY("HTTP/1.1 206 Partial Content\r\nETag: \"1\"\r\n"
                                              "Content-Range: bytes 2-4/5\r\nContent-Length: 3\r\n\r\nllo"),
                                     PEER_HOLD};
    static const peer_step *const scripts[] = {begun, rest, NULL};
    ga_auto(ga_session) session = ga_session_new(.resume = 1, .retry_base = 0.001, .attempt_timeout = 1);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    double began = ga_now();
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    ga_autofree char *text = ga_text(response);

    assert_string_equal(text, "hello");
    assert_int_equal(ga_attempts(response), 2);
    assert_true(ga_now() - began > 1.85 && ga_now() - began < 1.95);
    peer_stop(&peer);
}

/* --- yes and no ----------------------------------------------------------------------------------- */

CASE(a_status_fails_the_calls_that_want_it)
{
    static const peer_step missing[] = {
        PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), PEER_AGAIN};
    static const peer_step *const always[] = {missing, NULL};
    ga_auto(ga_session) lax = ga_session_new();
    ga_auto(ga_session) strict = ga_session_new(.raise_for_status = 1);
    peer_server peer;

    peer_start(&peer, peers, always);
    ga_auto(ga_response) one = ga_get(lax, peer_url(&peer, "/"));
    ga_auto(ga_response) two = ga_get(strict, peer_url(&peer, "/"), .raise_for_status = -1);
    assert_int_equal(ga_status(one), 404);
    assert_int_equal(ga_status(two), 404);
    ga_error_clear();
    assert_null(ga_get(lax, peer_url(&peer, "/"), .raise_for_status = 1));
    assert_int_equal(ga_error()->code, GA_ESTATUS);
    ga_error_clear();
    assert_null(ga_get(strict, peer_url(&peer, "/")));
    assert_int_equal(ga_error()->code, GA_ESTATUS);
    assert_int_equal(peer.connections, 2);
    peer_stop(&peer);
}

CASE(a_request_does_without_the_cookies)
{
    static const peer_step sets[] = {
        PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n"),
        PEER_AGAIN};
    static const peer_step *const scripts[] = {sets, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .no_cookies = 1));
    assert_int_equal(ga_cookie_jar_count(ga_session_cookies(session)), 0);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_int_equal(ga_cookie_jar_count(ga_session_cookies(session)), 1);
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .no_cookies = 1));
    assert_lacks(peer.last.data, "Cookie");
    ga_response_free(
        ga_get(session, peer_url(&peer, "/"), .no_cookies = 1, .cookies = GA_PAIRS({"own", "2"})));
    assert_contains(peer.last.data, "\r\nCookie: own=2\r\n");
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_contains(peer.last.data, "\r\nCookie: a=1\r\n");
    peer_stop(&peer);
}

CASE(a_request_has_a_name_of_its_own)
{
    ga_auto(ga_session) session = ga_session_new(.user_agent = "session");
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .user_agent = "request"));
    assert_contains(peer.last.data, "\r\nUser-Agent: request\r\nAccept: */*\r\n");
    assert_lacks(peer.last.data, "session");
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .user_agent = ""));
    assert_lacks(peer.last.data, "User-Agent");
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .user_agent = "request",
                            .headers = GA_PAIRS({"user-agent", "header"})));
    assert_contains(peer.last.data, "\r\nuser-agent: header\r\n");
    assert_lacks(peer.last.data, "request");
    size_t requests = peer.requests;

    assert_null(ga_get(session, peer_url(&peer, "/"), .user_agent = "a\r\nX-Evil: 1"));
    assert_int_equal(ga_error()->code, GA_EHEADER);
    assert_contains(ga_error_message(), "User-Agent");
    assert_int_equal(peer.requests, requests);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_timeouts_of_its_own_for_each_phase),
        cmocka_unit_test(the_total_may_begin_behind_the_line),
        cmocka_unit_test(the_total_may_begin_behind_the_rate),
        cmocka_unit_test(a_status_fails_the_calls_that_want_it),
        cmocka_unit_test(each_attempt_has_its_time),
        cmocka_unit_test(an_attempt_is_charged_for_redirects_and_no_lines),
        cmocka_unit_test(a_body_is_gone_on_with_after_an_attempts_end),
        cmocka_unit_test(a_request_does_without_the_cookies),
        cmocka_unit_test(a_request_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
