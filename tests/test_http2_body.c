/* SPDX-License-Identifier: MIT */
/* Bodies over HTTP/2, both ways: whole, in pieces, given by a function, coded, and left unread. */
#include "http2_peer.h"

#include "protocol/encoder.h"

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
    ga_session *session = http2_begin(&peer, peers, NULL);

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
    ga_session *session = http2_begin(&peer, peers, NULL);
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
    ga_session *session = http2_begin(&peer, peers, &habits);

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
    ga_session *session = http2_begin(&peer, peers, &habits);

    assert_failed(ga_post(session, peer_url(&peer, "/size"), .body_source = &source), GA_EJSON,
                  "the tape is torn");
    assert_int_equal(ga_error()->phase, GA_PHASE_WRITE);
    http2_assert_ok(session, peer_url(&peer, "/ok"));
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
    ga_session *session = http2_begin(&peer, peers, &habits);

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
    ga_session *session = http2_begin(&peer, peers, &habits);
    ga_response *response = ga_post(session, peer_url(&peer, "/early"), .body_source = &source);
    ga_autofree char *text = ga_text(response);

    assert_int_equal(ga_status(response), 413);
    assert_string_equal(text, "xxx");
    assert_true(ga_now() - start < 1);
    assert_int_equal(tape.left, 1000);
    assert_null(
        strstr(ga_error_message(), "/early")); /* that the function was ended is no failure of the call */
    ga_response_free(response);
    http2_assert_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    assert_pool_at_rest(session, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

/* The server says why it takes no more of the body, at length: more than may come unread. */
TIMED_CASE(an_answer_before_the_body_is_larger_than_the_window)
{
    static char body[3000000];

    for (int i = 0; i < 3; i++) {
        ga_group group;
        peer_server peer;
        http2_habits habits = {.no_window = true};
        giver tape = {.left = sizeof body, .piece = 1000, .pause = i == 2 ? 0.001 : 0};
        ga_body_source source = {.read = give, .arg = &tape};
        ga_group_open(&group, GA_COLLECT);
        ga_session *session = http2_begin(&peer, &group, &habits);
        size_t size;
        ga_response *response =
            i ? ga_post(session, peer_url(&peer, "/early-large"), .body_source = &source)
              : ga_post(session, peer_url(&peer, "/early-large"), .body = body, .body_size = sizeof body);

        if (!response)
            fail_msg("%s", ga_error_message());
        assert_int_equal(ga_status(response), 413);
        assert_non_null(ga_body(response, &size));
        assert_int_equal(size, 3000000);
        ga_response_free(response);
        assert_pool_at_rest(session, 1);
        ga_session_free(session);
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

TIMED_CASE(a_function_that_gives_nothing_is_bounded_by_the_total_timeout)
{
    peer_server peer;
    giver tape = {.left = 100, .pause = 1000};
    ga_body_source source = {.read = give, .arg = &tape};
    ga_session *session = http2_begin(&peer, peers, NULL);

    assert_failed(ga_post(session, peer_url(&peer, "/size"), .body_source = &source, .timeout = 2),
                  GA_ETIMEDOUT, "the total timeout");
    assert_int_equal(ga_error()->sent, GA_SENT_MAYBE); /* its head went out long ago */
    assert_true(ga_error()->bytes_sent > 0);
    http2_assert_ok(session, peer_url(&peer, "/ok"));
    ga_session_free(session);
    peer_stop(&peer);
}

TIMED_CASE(an_upload_that_nobody_takes_times_out)
{
    static char body[1000000];
    peer_server peer;
    http2_habits habits = {.no_window = true};

    http2_start(&peer, peers, &habits);
    ga_session *session = ga_session_new(.http = 2, .write_timeout = 5);

    assert_failed(ga_post(session, peer_url(&peer, "/size"), .body = body, .body_size = sizeof body),
                  GA_ETIMEDOUT, "write");
    assert_int_equal(habits.body, 65535);
    http2_assert_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

CASE(a_body_is_read_in_pieces_and_what_is_left_resets_the_stream)
{
    peer_server peer;
    http2_habits habits = {0};
    char piece[1000];
    size_t whole = 0;
    ga_session *session = http2_begin(&peer, peers, &habits);
    ga_response *response = ga_get(session, peer_url(&peer, "/large"));

    for (ssize_t count; whole < 2000000 && (count = ga_read(response, piece, sizeof piece)) > 0;)
        whole += (size_t)count;
    assert_true(whole >= 2000000);
    ga_response_free(response);
    http2_assert_ok(session, peer_url(&peer, "/ok"));
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
    ga_session *session = http2_begin(&peer, peers, &habits);
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

    http2_start(&peer, peers, &habits);
    ga_session *session = ga_session_new(.http = 2, .http2_window = 16 << 10);
    ga_response *unread[30];

    for (int i = 0; i < 30; i++)
        assert_non_null(unread[i] = ga_get(session, peer_url(&peer, "/large")));
    http2_assert_ok(session, peer_url(&peer, "/ok"));
    assert_int_equal(stats_of(session).opened, 1);
    for (int i = 0; i < 30; i++)
        ga_response_free(unread[i]);
    assert_pool_at_rest(session, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_without_a_body_have_none),
        cmocka_unit_test(large_bodies_go_both_ways),
        cmocka_unit_test(a_function_gives_a_body_as_fast_as_the_server_takes_it),
        cmocka_unit_test(a_function_that_fails_resets_its_stream_alone),
        cmocka_unit_test(a_body_that_is_refused_goes_again_from_its_beginning_or_not_at_all),
        cmocka_unit_test(an_answer_before_the_body_ends_the_function),
        cmocka_unit_test(an_answer_before_the_body_is_larger_than_the_window),
        cmocka_unit_test(a_function_that_gives_nothing_is_bounded_by_the_total_timeout),
        cmocka_unit_test(a_body_is_read_in_pieces_and_what_is_left_resets_the_stream),
        cmocka_unit_test(content_codings_are_undone_whole_and_in_pieces),
        cmocka_unit_test(what_nobody_reads_holds_up_no_other_call),
        cmocka_unit_test(an_upload_that_nobody_takes_times_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
