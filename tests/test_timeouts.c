/* SPDX-License-Identifier: MIT */
/* What ends a call before its answer: the timeouts of each phase, names, and a cancelled scope. */
#include "peer.h"

#include "io/dns.h"
#include "sim/sim.h"
#include "task/loop.h"
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- timeouts ------------------------------------------------------------------------------------- */

static void assert_timed_out(const char *which, ga_phase phase, double began, double seconds)
{
    const ga_error_detail *error = ga_error();

    assert_int_equal(error->code, GA_ETIMEDOUT);
    assert_non_null(error->timeout);
    assert_string_equal(error->timeout, which);
    assert_int_equal(error->phase, phase);
    assert_contains(error->message, which);
    if (ga_now() - began < seconds - 0.001 || ga_now() - began > seconds + 0.1)
        fail_msg("the %s timeout came after %g s", which, ga_now() - began);
}

TIMED_CASE(each_timeout_names_itself)
{
    static const peer_step silent[] = {PEER_TAKE(NULL), PEER_HOLD};
    static const peer_step stalls[] = {PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 OK\r\n"), PEER_HOLD};
    static const peer_step drips[] = {
        PEER_TAKE(NULL), PEER_DRIP("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 0.3), PEER_HOLD};
    static const peer_step body_stalls[] = {PEER_TAKE(NULL), PEER_OK("5", "he"), PEER_HOLD};
    static const peer_step deaf[] = {PEER_WAIT, PEER_CLOSE};
    static const peer_step *const scripts[] = {silent,      stalls,      drips, silent,
                                               body_stalls, body_stalls, deaf,  NULL};
    ga_auto(ga_session) session =
        ga_session_new(.first_byte_timeout = 1, .read_timeout = 2, .total_timeout = 5, .write_timeout = 0.5);
    ga_autofree char *large = calloc(1, 1 << 20);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    double began = ga_now();

    assert_null(ga_get(session, peer_url(&peer, "/")));
    assert_timed_out("first_byte", GA_PHASE_FIRST_BYTE, began, 1);
    assert_int_equal(ga_error()->sent, GA_SENT_MAYBE);
    began = ga_now();
    assert_null(ga_get(session, peer_url(&peer, "/")));
    assert_timed_out("read", GA_PHASE_FIRST_BYTE, began, 2);
    assert_int_equal(ga_error()->sent, GA_SENT_ANSWERED);
    began = ga_now(); /* each piece comes in time, but all of them do not */
    assert_null(ga_get(session, peer_url(&peer, "/")));
    assert_timed_out("total", GA_PHASE_FIRST_BYTE, began, 5);
    began = ga_now();
    assert_null(ga_get(session, peer_url(&peer, "/"), .timeout = 0.25));
    assert_timed_out("total", GA_PHASE_FIRST_BYTE, began, 0.25);

    began = ga_now();
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    assert_int_equal(ga_status(response), 200);
    assert_null(ga_text(response));
    assert_timed_out("read", GA_PHASE_READ, began, 2);
    ga_auto(ga_response) other = ga_get(session, peer_url(&peer, "/"), .timeout = 1);
    assert_int_equal(ga_sleep(0.6), 0);
    began = ga_now() - 0.6;
    assert_null(ga_body(other, NULL));
    assert_timed_out("total", GA_PHASE_READ, began, 1); /* it began with the call */

    began = ga_now();
    assert_null(ga_post(session, peer_url(&peer, "/"), .body = large, .body_size = 1 << 20));
    assert_timed_out("write", GA_PHASE_WRITE, began, 0.5);
    ga_response_free(response);
    ga_response_free(other);
    response = other = NULL;
    assert_pool_at_rest(session, 0);
    peer_stop(&peer);
}

static bool says_continue_and_no_more(peer_visit *visit)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char head[4096];

    return ga__stream_recv(&visit->stream, head, sizeof head, GA__NEVER) > 0 &&
           peer_say(visit, text, sizeof text - 1);
}

/* 100 (Continue) comes before the request's end, and is not the answer's first byte. */
TIMED_CASE(the_first_byte_is_waited_for_after_the_request_also_where_the_server_said_continue)
{
    static const peer_step silent[] = {PEER_CALL(says_continue_and_no_more), PEER_HOLD};
    static const peer_step *const scripts[] = {silent, NULL};
    ga_auto(ga_session) session =
        ga_session_new(.first_byte_timeout = 1, .read_timeout = 2, .total_timeout = 5);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    double began = ga_now();

    assert_null(ga_post(session, peer_url(&peer, "/"), .text = "body", .expect_continue = 1));
    assert_timed_out("first_byte", GA_PHASE_FIRST_BYTE, began, 1);
    assert_pool_at_rest(session, 0);
    peer_stop(&peer);
}

TIMED_CASE(waiting_in_line_and_connecting_have_their_timeouts)
{
    static const peer_step silent[] = {PEER_TAKE(NULL), PEER_HOLD};
    static const peer_step *const scripts[] = {silent, NULL};
    ga_auto(ga_session) session = ga_session_new(.limit = 1, .pool_timeout = 0.5, .connect_timeout = 2);
    ga__address address;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga__address_ip(&address, "10.1.2.3", 80);
    ga__sim_set_route(ga__loop_here->poller, &address.as.any, address.size, GA__SIM_SILENT, 0);
    double began = ga_now();

    assert_null(ga_get(session, "http://10.1.2.3/"));
    assert_timed_out("connect", GA_PHASE_CONNECT, began, 2);
    assert_contains(ga_error_message(), "10.1.2.3:80");
    assert_int_equal(ga_error()->sent, GA_SENT_NO);
    assert_pool_at_rest(session, 0);
    assert_null(ga_get(session, "http://10.1.2.3/", .timeout = 0.1));
    assert_string_equal(ga_error()->timeout, "total");
    peer_stop(&peer);
}

/* A name server that never answers, and callers that ask it. */
static int ask_a_silent_name_server(void *arg)
{
    ga__dns_options options = {.servers = arg, .hosts = "/dev/null", .no_search = true};
    ga_auto(ga_session) session = ga_session_new(.dns_timeout = 0.1);
    ga_scope scope;

    assert_int_equal(ga__dns_configure(ga__loop_here, &options), 0);
    double began = ga_now();

    assert_null(ga_get(session, "http://slow.example/"));
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, "dns");
    assert_int_equal(ga_error()->phase, GA_PHASE_DNS);
    assert_contains(ga_error_message(), "slow.example");
    assert_true(ga_now() - began >= 0.1 && ga_now() - began < 5);
    ga_scope_open(&scope, 0.05);
    assert_null(ga_get(session, "http://slow.example/"));
    assert_int_equal(ga_error()->code, GA_ECANCELED);
    assert_int_equal(ga_error()->phase, GA_PHASE_DNS);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    assert_pool_at_rest(session, 0);
    return 0;
}

static void a_name_that_is_not_resolved_in_time_says_so(void **state)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char server[64];

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(server, sizeof server, "127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    assert_int_equal(ga_run(ask_a_silent_name_server, server), 0);
    close(fd);
}

TIMED_CASE(a_name_that_does_not_exist_says_so)
{
    ga_auto(ga_session) session = ga_session_new();

    assert_null(ga_get(session, "http://no.such.name.example/"));
    assert_int_equal(ga_error()->code, GA_EDNS);
    assert_int_equal(ga_error()->phase, GA_PHASE_DNS);
    assert_int_not_equal(ga_error()->dns_error, 0);
    assert_string_equal(ga_error()->url, "http://no.such.name.example/");
    assert_pool_at_rest(session, 0);
}

/* --- cancellation --------------------------------------------------------------------------------- */

/* What a cancelled call gets up to, and where it is when it is cancelled. */
TIMED_CASE(cancelled_in_any_phase_a_call_leaves_nothing)
{
    static const peer_step silent[] = {PEER_TAKE(NULL), PEER_HOLD};
    static const peer_step half[] = {PEER_TAKE(NULL), PEER_SAY("HTTP/1.1 200 O"), PEER_HOLD};
    static const peer_step body[] = {PEER_TAKE(NULL), PEER_OK("10", "half."), PEER_HOLD};
    static const peer_step deaf[] = {PEER_WAIT, PEER_CLOSE};
    static const struct {
        const peer_step *script;
        const char *url; /* instead of the peer's */
        ga_phase phase;
        size_t body;
    } cases[] = {
        {silent, "http://10.1.2.3/", GA_PHASE_CONNECT, 0},
        {silent, NULL, GA_PHASE_FIRST_BYTE, 0},
        {half, NULL, GA_PHASE_FIRST_BYTE, 0},
        {deaf, NULL, GA_PHASE_WRITE, 1 << 20},
        {body, NULL, GA_PHASE_READ, 0},
    };
    ga_auto(ga_session) session = ga_session_new(.limit = 1);
    ga_autofree char *large = calloc(1, 1 << 20);
    ga__address address;

    ga__address_ip(&address, "10.1.2.3", 80);
    ga__sim_set_route(ga__loop_here->poller, &address.as.any, address.size, GA__SIM_SILENT, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const peer_step *const scripts[] = {cases[i].script, peer_empty, NULL};
        ga_group group;
        ga_scope scope;
        peer_server peer;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, scripts);
        ga_scope_open(&scope, 0.5);
        ga_response *response = ga_post(session, cases[i].url ? cases[i].url : peer_url(&peer, "/"),
                                        .body = large, .body_size = cases[i].body);
        char *text = ga_text(response);

        assert_null(text);
        assert_int_equal(ga_error()->code, GA_ECANCELED);
        assert_int_equal(ga_error()->phase, cases[i].phase);
        assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
        assert_string_equal(ga_error()->timeout, "scope");
        ga_response_free(response);
        assert_pool_at_rest(session, 0);
        if (!cases[i].url) {
            response = ga_get(session, peer_url(&peer, "/")); /* the only place is free */
            assert_int_equal(ga_status(response), 200);
            ga_response_free(response);
            assert_pool_at_rest(session, 1);
        }
        peer_stop(&peer);
        ga_group_close(&group);
        assert_int_equal(ga_sleep(20), 0);
        assert_pool_at_rest(session, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_timeout_names_itself),
        cmocka_unit_test(the_first_byte_is_waited_for_after_the_request_also_where_the_server_said_continue),
        cmocka_unit_test(waiting_in_line_and_connecting_have_their_timeouts),
        cmocka_unit_test(a_name_that_is_not_resolved_in_time_says_so),
        cmocka_unit_test(a_name_that_does_not_exist_says_so),
        cmocka_unit_test(cancelled_in_any_phase_a_call_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
