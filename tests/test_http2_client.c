/* SPDX-License-Identifier: MIT */
/*
 * The client over HTTP/2 by prior knowledge, against peers in the same program: how calls share connections,
 * and what becomes of them when the server refuses, ends, stalls or breaks off.
 */
#include "http2_peer.h"

#include "client/session.h"
#include "protocol/encoder.h"
#include <math.h>

static const peer_step http2[] = {PEER_CALL(http2_serve), PEER_CLOSE};
static const peer_step *const always[] = {http2, NULL};

static ga_session *new_session(void)
{
    ga_session *session = ga_session_new(.http = 2);

    assert_non_null(session);
    return session;
}

static void expect_ok(ga_session *session, const char *url)
{
    ga_auto(ga_response) response = ga_get(session, url);
    ga_autofree char *text = ga_text(response);

    if (!text)
        fail_msg("%s", ga_error_message());
    assert_string_equal(text, "xxxx");
    assert_string_equal(ga_http_version(response), "2");
}

CASE(calls_one_after_another_share_the_connection)
{
    peer_server peer;
    http2_habits habits = {0};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = new_session();

    for (int i = 0; i < 5; i++)
        expect_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    assert_int_equal(habits.resets, 0);
    assert_pool_at_rest(session, 1);
    ga_session_free(session);
    peer_await(&peer.open, 0);
    assert_int_equal(habits.goodbyes, 1);
    peer_stop(&peer);
}

/* A call of many. */
typedef struct caller {
    ga_session *session;
    char url[64];
    int done;
} caller;

static int call_ok(void *arg)
{
    caller *self = arg;

    expect_ok(self->session, self->url);
    self->done++;
    return 0;
}

static void call_at_once(caller *self, int count)
{
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < count; i++)
        assert_non_null(ga_spawn(&group, call_ok, self));
    ga_gather(&group);
    ga_group_close(&group);
    assert_int_equal(self->done, count);
}

CASE(calls_at_once_are_streams_of_one_connection)
{
    peer_server peer;
    http2_habits habits = {0};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    caller self = {.session = new_session()};

    snprintf(self.url, sizeof self.url, "%s", peer_url(&peer, "/ok"));
    call_at_once(&self, 60);
    assert_int_equal(stats_of(self.session).opened, 1);
    assert_true(habits.most_at_once > 20);
    assert_pool_at_rest(self.session, 1);
    ga_session_free(self.session);
    peer_stop(&peer);
}

CASE(a_thousand_calls_take_as_many_connections_as_the_streams_need)
{
    peer_server peer;
    http2_habits habits = {.most_streams = 100};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    caller self = {.session = new_session()};

    snprintf(self.url, sizeof self.url, "%s", peer_url(&peer, "/ok"));
    call_at_once(&self, 1000);
    assert_true(stats_of(self.session).opened <= 10);
    assert_true(habits.most_at_once <= 100);
    assert_pool_at_rest(self.session, stats_of(self.session).opened);
    ga_session_free(self.session);
    peer_stop(&peer);
}

CASE(who_finds_no_stream_waits_in_line)
{
    peer_server peer;
    http2_habits habits = {.most_streams = 4};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    caller self = {.session = ga_session_new(.http = 2, .limit_per_host = 2)};

    snprintf(self.url, sizeof self.url, "%s", peer_url(&peer, "/ok"));
    expect_ok(self.session, self.url); /* the limit is known from here on */
    call_at_once(&self, 50);
    assert_int_equal(stats_of(self.session).opened, 2);
    assert_true(habits.most_at_once <= 4);
    assert_pool_at_rest(self.session, 2);
    ga_session_free(self.session);
    peer_stop(&peer);
}

CASE(a_connection_takes_so_many_requests)
{
    peer_server peer;
    http2_habits habits = {0};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    caller self = {.session = ga_session_new(.http = 2, .max_connection_requests = 4)};

    snprintf(self.url, sizeof self.url, "%s", peer_url(&peer, "/ok"));
    for (int i = 0; i < 5; i++)
        expect_ok(self.session, self.url);
    assert_int_equal(stats_of(self.session).opened, 2);
    call_at_once(&self, 15); /* 3, and three times 4 */
    assert_int_equal(stats_of(self.session).opened, 5);
    assert_int_equal(habits.requests, 20); /* none was sent in vain */
    assert_true(habits.most_at_once <= 4);
    assert_pool_at_rest(self.session, 0);
    peer_await(&peer.open, 0);
    assert_int_equal(habits.goodbyes, 5);
    assert_int_equal(habits.resets, 0);
    ga_session_free(self.session);
    peer_stop(&peer);
}

TIMED_CASE(a_connection_over_its_age_finishes_what_it_has)
{
    peer_server peer;
    http2_habits habits = {0};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = ga_session_new(.http = 2, .max_connection_age = 10, .keepalive = 60);
    ga_response *large = ga_get(session, peer_url(&peer, "/large"));

    assert_int_equal(ga_sleep(9), 0);
    expect_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    assert_int_equal(ga_sleep(2), 0);
    expect_ok(session, peer_url(&peer, "/ok")); /* on another connection, */
    assert_int_equal(stats_of(session).opened, 2);
    assert_pool(session, 1, 1, 0);
    size_t size;

    assert_non_null(ga_body(large, &size)); /* ... while this one goes on to its end */
    assert_int_equal(size, 3000000);
    ga_response_free(large);
    assert_pool_at_rest(session, 1);
    peer_await(&peer.open, 1);
    assert_int_equal(habits.goodbyes, 1);
    assert_int_equal(ga_sleep(10), 0);
    assert_pool_at_rest(session, 0); /* that idled */
    peer_await(&peer.open, 0);
    assert_int_equal(habits.goodbyes, 2);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(answers_without_a_body_have_none)
{
    static const struct {
        const char *method, *path;
        int status;
    } cases[] = {{"HEAD", "/unchanged", 304},
                 {"HEAD", "/sized", 200},
                 {"GET", "/none", 204},
                 {"GET", "/unchanged", 304}};
    peer_server peer;

    peer_start(&peer, peers, always);
    ga_session *session = new_session();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = 1;
        ga_auto(ga_response) response = ga_request(session, cases[i].method, peer_url(&peer, cases[i].path));

        assert_int_equal(ga_status(response), cases[i].status);
        assert_non_null(ga_body(response, &size));
        assert_int_equal(size, 0);
    }
    assert_pool_at_rest(session, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(large_bodies_go_both_ways)
{
    static char body[1000000];
    peer_server peer;

    memset(body, 'b', sizeof body);
    peer_start(&peer, peers, always);
    ga_session *session = new_session();
    size_t size;
    ga_response *response = ga_get(session, peer_url(&peer, "/large"));

    assert_non_null(ga_body(response, &size));
    assert_int_equal(size, 3000000);
    ga_response_free(response);
    response = ga_post(session, peer_url(&peer, "/size"), .body = body, .body_size = sizeof body);
    assert_non_null(ga_body(response, &size));
    assert_int_equal(size, sizeof body);
    ga_response_free(response);
    assert_int_equal(stats_of(session).opened, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

/* A body that a function gives. */
typedef struct giver {
    size_t left;
    size_t piece;
    size_t fail_below; /* fails when so little is left */
    double pause;
    int rewinds;
} giver;

static ssize_t give(void *arg, void *buffer, size_t size)
{
    giver *self = arg;

    if (self->pause > 0 && ga_sleep(self->pause) < 0)
        return ga_error()->code;
    if (self->left < self->fail_below)
        return ga_fail(GA_EJSON, "the tape is torn");
    size = self->piece && self->piece < size ? self->piece : size;
    size = self->left < size ? self->left : size;
    memset(buffer, 'y', size);
    self->left -= size;
    return (ssize_t)size;
}

static int give_again(void *arg)
{
    giver *self = arg;

    self->left = 100;
    self->rewinds++;
    return 0;
}

CASE(a_function_gives_a_body_as_fast_as_the_server_takes_it)
{
    enum { SIZE = 1000000 };
    peer_server peer;
    http2_habits habits = {0};
    giver tape = {.left = SIZE, .piece = 30000, .pause = 0.001};
    ga_body_source unknown = {.read = give, .arg = &tape}, known = {.read = give, .arg = &tape, .size = SIZE};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = new_session();

    for (int i = 0; i < 4; i++) {
        size_t size;
        tape.left = i < 2 ? SIZE : 0;
        ga_auto(ga_response) response =
            ga_post(session, peer_url(&peer, "/size"),
                    .body_source = i == 0             ? &known
                                   : i == 1 || i == 3 ? &unknown
                                                      : NULL,
                    .multipart = i == 2 ? GA_PARTS({.name = "a", .value = "b"}) : NULL);

        if (!ga_body(response, &size))
            fail_msg("%s", ga_error_message());
        assert_true(i == 2 ? size > 100 && size < 200 : size == (i < 2 ? SIZE : 0));
    }
    assert_int_equal(stats_of(session).opened, 1);
    assert_int_equal(habits.resets, 0);
    assert_pool_at_rest(session, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(a_function_that_fails_resets_its_stream_alone)
{
    peer_server peer;
    http2_habits habits = {0};
    giver tape = {.left = 1000, .piece = 100, .fail_below = 500, .pause = 0.001};
    ga_body_source source = {.read = give, .rewind = give_again, .arg = &tape};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = new_session();

    assert_failed(ga_post(session, peer_url(&peer, "/size"), .body_source = &source), GA_EJSON,
                  "the tape is torn");
    assert_int_equal(ga_error()->phase, GA_PHASE_WRITE);
    expect_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    assert_int_equal(habits.resets, 1);
    assert_int_equal(tape.rewinds, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(a_body_that_is_refused_goes_again_from_its_beginning_or_not_at_all)
{
    peer_server peer;
    http2_habits habits = {0};
    giver tape = {.left = 100};
    ga_body_source once = {.read = give, .arg = &tape};
    ga_body_source again = {.read = give, .rewind = give_again, .arg = &tape};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = new_session();

    assert_failed(ga_post(session, peer_url(&peer, "/refuse"), .body_source = &once), GA_ENOTREPLAYABLE,
                  "no rewind function");
    assert_int_equal(habits.requests, 1);
    tape.left = 100;
    assert_failed(ga_post(session, peer_url(&peer, "/refuse"), .body_source = &again), GA_ERESET, "refuses");
    assert_int_equal(tape.rewinds, 3);
    assert_int_equal(habits.body, 500);
    assert_pool_at_rest(session, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

TIMED_CASE(an_answer_before_the_body_ends_the_function)
{
    peer_server peer;
    http2_habits habits = {0};
    giver tape = {.left = 1000, .piece = 100, .pause = 10};
    ga_body_source source = {.read = give, .arg = &tape};
    double start = ga_now();

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = new_session();
    ga_response *response = ga_post(session, peer_url(&peer, "/early"), .body_source = &source);
    ga_autofree char *text = ga_text(response);

    assert_int_equal(ga_status(response), 413);
    assert_string_equal(text, "xxx");
    assert_true(ga_now() - start < 1);
    assert_int_equal(tape.left, 1000);
    ga_response_free(response);
    expect_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    assert_pool_at_rest(session, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

TIMED_CASE(a_function_that_gives_nothing_is_bounded_by_the_total_timeout)
{
    peer_server peer;
    giver tape = {.left = 100, .pause = 1000};
    ga_body_source source = {.read = give, .arg = &tape};

    peer_start(&peer, peers, always);
    ga_session *session = new_session();

    assert_failed(ga_post(session, peer_url(&peer, "/size"), .body_source = &source, .timeout = 2),
                  GA_ETIMEDOUT, "the total timeout");
    expect_ok(session, peer_url(&peer, "/ok"));
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(a_goodbye_that_nobody_hears_is_no_failure)
{
    static const peer_step answers[] = {PEER_TAKE("PRI * HTTP/2.0"),
                                        PEER_SAY("\0\0\0\4\0\0\0\0\0"
                                                 "\0\0\1\1\4\0\0\0\1\x88"
                                                 "\0\0\4\0\1\0\0\0\1xxxx"),
                                        PEER_WAIT, PEER_ABORT};
    static const peer_step *const scripts[] = {answers, NULL};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_session *session = new_session();

    expect_ok(session, peer_url(&peer, "/"));
    assert_pool_at_rest(session, 1);
    assert_int_equal(ga_sleep(0.01), 0); /* what the client says of the frames arrives; nobody reads it */
    ga_event_set(&peer.go);
    assert_int_equal(ga_yield(), 0); /* the peer is gone, and the loop has not heard of it */
    ga_fail(GA_EUSAGE, "what the caller is about to read");
    ga_session_free(session);
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    peer_stop(&peer);
}

CASE(a_body_is_read_in_pieces_and_what_is_left_resets_the_stream)
{
    peer_server peer;
    http2_habits habits = {0};
    char piece[1000];
    size_t whole = 0;

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = new_session();
    ga_response *response = ga_get(session, peer_url(&peer, "/large"));

    for (ssize_t count; whole < 2000000 && (count = ga_read(response, piece, sizeof piece)) > 0;)
        whole += (size_t)count;
    assert_true(whole >= 2000000);
    ga_response_free(response);
    expect_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    assert_int_equal(habits.resets, 1);
    assert_int_equal(habits.reset, NGHTTP2_CANCEL);
    assert_pool_at_rest(session, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(content_codings_are_undone_whole_and_in_pieces)
{
    enum { SIZE = 3 << 20 };
    char *noise = malloc(SIZE), *copy = malloc(SIZE);
    http2_habits habits = {0};
    uint64_t seed = 1;
    size_t size, whole = 0;
    peer_server peer;

    for (size_t i = 0; i < SIZE; i++)
        noise[i] = (char)((seed = seed * 6364136223846793005u + 1442695040888963407u) >> 60);
    ga__encode(&habits.gzipped, GA__CODING_GZIP, noise, SIZE);
    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = new_session();
    ga_response *response = ga_get(session, peer_url(&peer, "/gzipped"));
    const char *body = ga_body(response, &size);

    assert_int_equal(size, SIZE);
    assert_memory_equal(body, noise, SIZE);
    ga_response_free(response);
    response = ga_get(session, peer_url(&peer, "/gzipped"));
    for (ssize_t count; whole < SIZE && (count = ga_read(response, copy + whole,
                                                         SIZE - whole < 3000 ? SIZE - whole : 3000)) > 0;)
        whole += (size_t)count;
    assert_int_equal(whole, SIZE);
    assert_memory_equal(copy, noise, SIZE);
    ga_response_free(response);
    ga_session_free(session);
    peer_stop(&peer);
    ga__buffer_free(&habits.gzipped);
    free(noise);
    free(copy);
}

CASE(what_nobody_reads_holds_up_no_other_call)
{
    peer_server peer;
    http2_habits habits = {0};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = ga_session_new(.http = 2, .http2_window = 16 << 10);
    ga_response *unread[30];

    for (int i = 0; i < 30; i++)
        assert_non_null(unread[i] = ga_get(session, peer_url(&peer, "/large")));
    expect_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    for (int i = 0; i < 30; i++)
        ga_response_free(unread[i]);
    assert_pool_at_rest(session, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

/* --- what the server refuses or ends -------------------------------------------------------------- */

CASE(a_refused_stream_is_tried_three_times_more)
{
    peer_server peer;
    http2_habits habits = {0};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = new_session();

    assert_failed(ga_post(session, peer_url(&peer, "/refuse"), .text = "x"), GA_ERESET, "REFUSED_STREAM");
    assert_int_equal(habits.requests, 4);
    assert_int_equal(ga_error()->attempt, 4);
    expect_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    assert_pool_at_rest(session, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(what_a_goaway_leaves_out_goes_to_another_connection)
{
    peer_server peer;
    http2_habits habits = {0};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = new_session();

    expect_ok(session, peer_url(&peer, "/ok"));
    assert_failed(ga_post(session, peer_url(&peer, "/goaway"), .text = "x"), GA_ERESET, "REFUSED_STREAM");
    assert_int_equal(stats_of(session).opened, 4); /* each ended by the request that it was opened for */
    assert_int_equal(habits.requests, 5);
    assert_pool_at_rest(session, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(who_is_to_be_calm_is_not_asked_again)
{
    peer_server peer;
    http2_habits habits = {0};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = new_session();

    expect_ok(session, peer_url(&peer, "/ok"));
    assert_null(ga_get(session, peer_url(&peer, "/calm")));
    assert_int_equal(ga_error()->code, GA_ERESET);
    assert_int_equal(habits.requests, 2);
    assert_pool_at_rest(session, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(a_connection_that_said_goaway_ends_with_its_last_call)
{
    peer_server peer;

    peer_start(&peer, peers, always);
    ga_session *session = new_session();

    expect_ok(session, peer_url(&peer, "/last"));
    assert_pool_at_rest(session, 0);
    expect_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 2);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(a_broken_stream_leaves_the_connection)
{
    peer_server peer;

    peer_start(&peer, peers, always);
    ga_session *session = new_session();

    assert_failed(ga_get(session, peer_url(&peer, "/break")), GA_ERESET, "INTERNAL_ERROR");
    expect_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(a_connection_that_closes_without_an_answer_is_told)
{
    peer_server peer;
    http2_habits habits = {0};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = new_session();

    assert_failed(ga_get(session, peer_url(&peer, "/close")), GA_EDISCONNECTED, "closed the connection");
    assert_int_equal(habits.requests, 1); /* it was fresh: no second attempt */
    assert_pool_at_rest(session, 0);
    expect_ok(session, peer_url(&peer, "/ok"));
    assert_failed(ga_get(session, peer_url(&peer, "/close")), GA_EDISCONNECTED, "closed the connection");
    assert_int_equal(habits.requests, 4); /* it was kept: once more, on a fresh one */
    expect_ok(session, peer_url(&peer, "/ok"));
    assert_failed(ga_post(session, peer_url(&peer, "/close"), .text = "x"), GA_EDISCONNECTED, "closed");
    assert_int_equal(habits.requests, 6); /* a POST may have been acted on */
    assert_pool_at_rest(session, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

/* However many of them are read in one turn. */
CASE(an_answer_that_ends_within_its_body_is_an_answer)
{
    peer_server peer;
    size_t size;

    peer_start(&peer, peers, always);
    ga_session *session = new_session();

    for (int i = 0; i < 4; i++) {
        char piece[10];

        if (i % 2)
            expect_ok(session, peer_url(&peer, "/ok")); /* on a connection that was kept, too */
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/torn"));

        if (!response)
            fail_msg("%s", ga_error_message());
        assert_int_equal(ga_status(response), 200);
        assert_int_equal(ga_attempts(response), 1);
        if (i < 2) {
            assert_int_equal(ga_read(response, piece, sizeof piece), 3);
            assert_int_equal(ga_read(response, piece, sizeof piece), GA_ETRUNCATED);
        } else {
            assert_null(ga_body(response, &size));
            assert_int_equal(ga_error()->code, GA_ETRUNCATED);
        }
    }
    assert_pool_at_rest(session, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(an_idle_connection_that_the_server_closed_is_not_used)
{
    static const peer_step *const scripts[] = {http2, http2, NULL};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_session *session = new_session();
    ga_group group;

    expect_ok(session, peer_url(&peer, "/ok"));
    ga_group_open(&group, GA_COLLECT);
    ga_response *stuck = ga_get(session, peer_url(&peer, "/stuck"));

    assert_non_null(stuck);
    assert_null(ga_get(session, peer_url(&peer, "/close")));
    char *text = ga_text(stuck);

    assert_null(text);
    assert_int_equal(ga_error()->code, GA_ETRUNCATED);
    ga_response_free(stuck);
    ga_group_close(&group);
    assert_pool_at_rest(session, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

/* --- time ----------------------------------------------------------------------------------------- */

TIMED_CASE(a_call_that_gives_up_resets_its_stream_alone)
{
    peer_server peer;
    http2_habits habits = {0};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = new_session();
    ga_response *stuck = ga_get(session, peer_url(&peer, "/stuck"), .read_timeout = 3);
    double start = ga_now();

    assert_failed(ga_get(session, peer_url(&peer, "/stall"), .first_byte_timeout = 2), GA_ETIMEDOUT,
                  "first_byte");
    assert_true(ga_now() - start > 1.9 && ga_now() - start < 2.1);
    assert_failed(ga_get(session, peer_url(&peer, "/stall"), .timeout = 1), GA_ETIMEDOUT, "total");
    assert_int_equal(ga_error()->sent, GA_SENT_MAYBE);
    char *text = ga_text(stuck);

    assert_null(text);
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, "read");
    ga_response_free(stuck);
    expect_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(habits.resets, 3);
    assert_int_equal(habits.reset, NGHTTP2_CANCEL);
    assert_int_equal(stats_of(session).opened, 1);
    assert_pool_at_rest(session, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

TIMED_CASE(an_upload_that_nobody_takes_times_out)
{
    static char body[1000000];
    peer_server peer;
    http2_habits habits = {.no_window = true};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = ga_session_new(.http = 2, .write_timeout = 5);

    assert_failed(ga_post(session, peer_url(&peer, "/size"), .body = body, .body_size = sizeof body),
                  GA_ETIMEDOUT, "write");
    assert_int_equal(habits.body, 65535);
    expect_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

TIMED_CASE(a_dead_connection_is_found_by_ping)
{
    peer_server peer;
    http2_habits habits = {0};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    ga_session *session = ga_session_new(.http = 2, .http2_ping = 10);

    expect_ok(session, peer_url(&peer, "/ok"));
    double start = ga_now();

    assert_failed(ga_get(session, peer_url(&peer, "/stall"), .timeout = 100), GA_ETIMEDOUT, "total");
    assert_true(ga_now() - start > 99); /* PINGs were answered all the time */
    habits.deaf = true;
    start = ga_now();
    assert_failed(ga_post(session, peer_url(&peer, "/stall"), .text = "x"), GA_EDISCONNECTED, "PING");
    assert_true(ga_now() - start < 26);
    assert_pool_at_rest(session, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

TIMED_CASE(idle_connections_end_after_their_time)
{
    peer_server peer;

    peer_start(&peer, peers, always);
    ga_session *session = ga_session_new(.http = 2, .keepalive = 5);

    expect_ok(session, peer_url(&peer, "/ok"));
    ga_sleep(4);
    assert_pool_at_rest(session, 1);
    ga_sleep(2);
    assert_pool_at_rest(session, 0);
    peer_await(&peer.open, 0);
    ga_session_free(session);
    peer_stop(&peer);
}

/* --- cancellation --------------------------------------------------------------------------------- */

static int read_stuck(void *arg)
{
    caller *self = arg;
    ga_auto(ga_response) response = ga_get(self->session, self->url);
    ga_autofree char *text = ga_text(response);

    self->done += !text && ga_error()->code == GA_ECANCELED;
    return text ? 0 : ga_error()->code;
}

/* Cancels calls after so many turns of the loop: while they connect, are in line, wait for the head, or for
 * the body. */
CASE(cancelled_at_any_moment_calls_leave_nothing_behind)
{
    static const char *const paths[] = {"/stall", "/stuck", "/ok", "/large"};
    peer_server peer;
    http2_habits habits = {.most_streams = 3};

    peer_start(&peer, peers, always);
    peer.data = &habits;
    for (int turns = 0; turns < 30; turns++) {
        ga_session *session =
            ga_session_new(.http = 2, .limit_per_host = 1, .max_connection_requests = turns % 3 * 2);
        caller self = {.session = session};
        ga_group group;

        snprintf(self.url, sizeof self.url, "%s", peer_url(&peer, paths[turns % 4]));
        ga_group_open(&group, GA_COLLECT);
        for (int i = 0; i < 8; i++)
            ga_spawn(&group, read_stuck, &self);
        for (int i = 0; i < turns; i++)
            ga_sleep(turns < 15 ? 0 : 0.0003);
        ga_group_cancel(&group);
        ga_group_close(&group);
        ga_pool_stats stats;

        ga_session_pool(session, &stats);
        assert_int_equal(stats.in_use, 0);
        assert_int_equal(stats.waiting, 0);
        if (stats.idle > 0)
            expect_ok(session, peer_url(&peer, "/ok"));
        ga_session_free(session);
    }
    peer_await(&peer.open, 0);
    peer_stop(&peer);
}

/* --- exact bytes ---------------------------------------------------------------------------------- */

#define SETTINGS_FRAME "\0\0\0\4\0\0\0\0\0"

static bool take_something(peer_visit *visit)
{
    char bytes[4096];

    return ga__stream_recv(&visit->stream, bytes, sizeof bytes, GA__NEVER) > 0;
}

CASE(what_the_server_breaks_is_named)
{
    static const peer_step plain[] = {PEER_CALL(take_something), PEER_SAY("HTTP/1.1 400 Bad Request\r\n\r\n"),
                                      PEER_HOLD, PEER_CLOSE};
    static const peer_step noise[] = {PEER_CALL(take_something), PEER_SAY("SSH-2.0-OpenSSH_9.2\r\nxxxxxxx"),
                                      PEER_HOLD, PEER_CLOSE};
    static const peer_step push[] = {PEER_CALL(take_something), PEER_SAY("\0\0\4\4\0\0\0\0\0xxxx"), PEER_HOLD,
                                     PEER_CLOSE};
    static const peer_step closing[] = {PEER_CALL(take_something), PEER_CLOSE};
    static const peer_step nameless[] = {PEER_CALL(take_something),
                                         PEER_SAY(SETTINGS_FRAME "\0\0\7\1\5\0\0\0\1\0\3x-a\1"
                                                                 "1"),
                                         PEER_HOLD, PEER_CLOSE};
    static const struct {
        const peer_step *script;
        int code;
        const char *text;
    } cases[] = {
        {plain, GA_EPROTOCOL, "the server speaks HTTP/1.1"},
        {noise, GA_EPROTOCOL, "the server breaks the rules of HTTP/2"},
        {push, GA_EPROTOCOL, "the server breaks the rules of HTTP/2"},
        {closing, GA_EDISCONNECTED, "closed the connection"},
        {nameless, GA_EPROTOCOL, "the answer is not valid HTTP/2"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const peer_step *const scripts[] = {cases[i].script, NULL};
        ga_group group;
        peer_server peer;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, scripts);
        ga_session *session = new_session();

        assert_failed(ga_get(session, peer_url(&peer, "/")), cases[i].code, cases[i].text);
        assert_int_equal(peer.connections, 1);
        ga_session_free(session);
        peer_stop(&peer);
    }
}

static bool flood(peer_visit *visit)
{
    static const char ping[] = "\0\0\10\6\0\0\0\0\0"
                               "12345678";

    while (peer_say(visit, ping, sizeof ping - 1))
        ;
    return false;
}

CASE(a_flood_of_pings_ends_the_connection)
{
    static const peer_step steps[] = {PEER_CALL(take_something), PEER_SAY(SETTINGS_FRAME), PEER_CALL(flood),
                                      PEER_CLOSE};
    static const peer_step *const scripts[] = {steps, NULL};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_session *session = new_session();

    assert_null(ga_get(session, peer_url(&peer, "/"), .timeout = 20));
    assert_int_equal(ga_error()->code, GA_EPROTOCOL);
    assert_pool_at_rest(session, 0);
    ga_session_free(session);
    peer_await(&peer.open, 0);
    peer_stop(&peer);
}

/* --- options -------------------------------------------------------------------------------------- */

CASE(options_are_judged)
{
    assert_null(ga_session_new(.http = 3));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_session_new(.http2_window = 100));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_session_new(.http2_ping = (double)NAN));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
}

CASE(without_prior_knowledge_plain_http_is_http1)
{
    static const peer_step steps[] = {PEER_TAKE("GET / HTTP/1.1\r\n"), PEER_OK("2", "ok"), PEER_AGAIN};
    static const peer_step *const scripts[] = {steps, NULL};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    for (int http = 0; http <= 11; http += 11) {
        ga_session *session = ga_session_new(.http = http);
        ga_response *response = ga_get(session, peer_url(&peer, "/"));

        assert_string_equal(ga_http_version(response), "1.1");
        ga_response_free(response);
        ga_session_free(session);
    }
    peer_stop(&peer);
}

static void expect_bytes(ga_response *response, size_t size)
{
    ga_autofree char *text = ga_text(response);

    if (!text)
        fail_msg("%s", ga_error_message());
    assert_int_equal(text ? strlen(text) : 0, size);
    ga_response_free(response);
}

CASE(cookies_and_credentials_go_over_it_too)
{
    ga_auto(ga_session) session = ga_session_new(.http = 2, .user = "u", .password = "p");
    peer_server peer;

    peer_start(&peer, peers, always);
    expect_bytes(ga_get(session, peer_url(&peer, "/cookies")), strlen("Basic dTpw"));
    assert_int_equal(ga_cookie_jar_count(ga_session_cookies(session)), 1);
    expect_bytes(ga_get(session, peer_url(&peer, "/cookies")), strlen("Basic dTpw") + strlen("name=value"));
    expect_bytes(ga_get(session, peer_url(&peer, "/cookies"), .bearer = "t"),
                 strlen("Bearer t") + strlen("name=value"));
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_one_after_another_share_the_connection),
        cmocka_unit_test(calls_at_once_are_streams_of_one_connection),
        cmocka_unit_test(a_thousand_calls_take_as_many_connections_as_the_streams_need),
        cmocka_unit_test(who_finds_no_stream_waits_in_line),
        cmocka_unit_test(a_connection_takes_so_many_requests),
        cmocka_unit_test(a_connection_over_its_age_finishes_what_it_has),
        cmocka_unit_test(answers_without_a_body_have_none),
        cmocka_unit_test(large_bodies_go_both_ways),
        cmocka_unit_test(a_function_gives_a_body_as_fast_as_the_server_takes_it),
        cmocka_unit_test(a_function_that_fails_resets_its_stream_alone),
        cmocka_unit_test(a_body_that_is_refused_goes_again_from_its_beginning_or_not_at_all),
        cmocka_unit_test(an_answer_before_the_body_ends_the_function),
        cmocka_unit_test(a_function_that_gives_nothing_is_bounded_by_the_total_timeout),
        cmocka_unit_test(a_goodbye_that_nobody_hears_is_no_failure),
        cmocka_unit_test(a_body_is_read_in_pieces_and_what_is_left_resets_the_stream),
        cmocka_unit_test(content_codings_are_undone_whole_and_in_pieces),
        cmocka_unit_test(what_nobody_reads_holds_up_no_other_call),
        cmocka_unit_test(a_refused_stream_is_tried_three_times_more),
        cmocka_unit_test(what_a_goaway_leaves_out_goes_to_another_connection),
        cmocka_unit_test(who_is_to_be_calm_is_not_asked_again),
        cmocka_unit_test(a_connection_that_said_goaway_ends_with_its_last_call),
        cmocka_unit_test(a_broken_stream_leaves_the_connection),
        cmocka_unit_test(a_connection_that_closes_without_an_answer_is_told),
        cmocka_unit_test(an_answer_that_ends_within_its_body_is_an_answer),
        cmocka_unit_test(an_idle_connection_that_the_server_closed_is_not_used),
        cmocka_unit_test(a_call_that_gives_up_resets_its_stream_alone),
        cmocka_unit_test(an_upload_that_nobody_takes_times_out),
        cmocka_unit_test(a_dead_connection_is_found_by_ping),
        cmocka_unit_test(idle_connections_end_after_their_time),
        cmocka_unit_test(cancelled_at_any_moment_calls_leave_nothing_behind),
        cmocka_unit_test(what_the_server_breaks_is_named),
        cmocka_unit_test(a_flood_of_pings_ends_the_connection),
        cmocka_unit_test(options_are_judged),
        cmocka_unit_test(without_prior_knowledge_plain_http_is_http1),
        cmocka_unit_test(cookies_and_credentials_go_over_it_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
