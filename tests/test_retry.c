/* SPDX-License-Identifier: MIT */
/* Retries: what is tried again and what is not, after how long, with which header, and when it ends. Times
 * are those of the virtual clock. */
#include "peer.h"

#include "client/retry.h"
#include "task/loop.h"
#include <math.h>
#include <string.h>

#define ASKS(status, more) PEER_SAY("HTTP/1.1 " status " x\r\nContent-Length: 0\r\n" more "\r\n")

static const peer_step fine[] = {PEER_TAKE(NULL), PEER_OK("2", "ok"), PEER_AGAIN};

/* --- the rules ------------------------------------------------------------------------------------ */

static void evidence_decides_what_is_tried_again(void **state)
{
    static const struct {
        ga__retry_case ended;
        bool allowed;
    } cases[] = {
        {{.code = GA_EDNS, .unsent = true}, true},
        {{.code = GA_EREFUSED, .unsent = true}, true},
        {{.code = GA_EUNREACHABLE, .unsent = true}, true},
        {{.code = GA_ECONNECT, .unsent = true}, true},
        {{.code = GA_ETLS, .unsent = true}, true},
        {{.code = GA_ETIMEDOUT, .unsent = true}, true},
        {{.code = GA_ETIMEDOUT, .unsent = true, .idempotent = true, .local = true}, false},
        {{.code = GA_ECERT, .unsent = true, .idempotent = true}, false},
        {{.code = GA_ECANCELED, .unsent = true, .idempotent = true}, false},
        {{.code = GA_EURL, .unsent = true, .idempotent = true}, false},
        {{.code = GA_EPROTOCOL, .idempotent = true}, false},
        {{.code = GA_EHEADTOOBIG, .idempotent = true}, false},
        {{.code = GA_EDISCONNECTED}, false},
        {{.code = GA_EDISCONNECTED, .idempotent = true}, true},
        {{.code = GA_ERESET}, false},
        {{.code = GA_ERESET, .idempotent = true}, true},
        {{.code = GA_ETLS}, false},
        {{.code = GA_ETIMEDOUT}, false},
        {{.code = GA_ETIMEDOUT, .idempotent = true}, true},
        {{.status = 429}, true},
        {{.status = 503}, true},
        {{.status = 408}, false},
        {{.status = 408, .idempotent = true}, true},
        {{.status = 500}, false},
        {{.status = 500, .idempotent = true}, true},
        {{.status = 502, .idempotent = true}, true},
        {{.status = 504, .idempotent = true}, true},
        {{.status = 522, .idempotent = true}, true},
        {{.status = 524, .idempotent = true}, true},
        {{.status = 501, .idempotent = true}, false},
        {{.status = 505, .idempotent = true}, false},
        {{.status = 413, .idempotent = true}, false},
        {{.status = 413, .asked = true}, true},
        {{.status = 200, .idempotent = true, .asked = true}, false},
        {{.status = 301, .idempotent = true, .asked = true}, false},
        {{.status = 400, .idempotent = true, .asked = true}, false},
        {{.status = 401, .idempotent = true, .asked = true}, false},
        {{.status = 404, .idempotent = true, .asked = true}, false},
        {{.status = 425, .idempotent = true}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (ga__retry_allowed(&cases[i].ended) != cases[i].allowed)
            fail_msg("case %zu: code %d, status %d", i, cases[i].ended.code, cases[i].ended.status);
}

static void waits_double_up_to_the_cap(void **state)
{
    ga__backoff backoff = {0.5, 60};

    (void)state;
    assert_true(fabs(ga__backoff_ceiling(&backoff, 0) - 0.5) < 1e-9);
    assert_true(fabs(ga__backoff_ceiling(&backoff, 3) - 4) < 1e-9);
    assert_true(fabs(ga__backoff_ceiling(&backoff, 7) - 60) < 1e-9);
    assert_true(fabs(ga__backoff_ceiling(&backoff, 4000000000u) - 60) < 1e-9);
}

static void the_budget_is_a_share_of_the_calls(void **state)
{
    ga__retry_budget budget;
    int spent = 0;

    (void)state;
    ga__retry_budget_init(&budget, 0);
    for (int call = 0; call < 1000; call++) {
        ga__retry_budget_earn(&budget);
        spent += ga__retry_budget_spend(&budget);
    }
    assert_in_range(spent, 205, 211); /* 20 %, and what it begins with */
    ga__retry_budget_init(&budget, -1);
    for (int call = 0; call < 1000; call++)
        assert_true(ga__retry_budget_spend(&budget));
}

/* --- calls ---------------------------------------------------------------------------------------- */

TIMED_CASE(nothing_is_tried_again_unless_asked_for)
{
    static const peer_step busy[] = {PEER_TAKE(NULL), ASKS("503", ""), PEER_AGAIN};
    static const peer_step *const scripts[] = {busy, NULL};
    ga_auto(ga_session) session = ga_session_new();
    double began = ga_now();
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

    assert_int_equal(ga_status(response), 503);
    assert_int_equal(ga_attempts(response), 1);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_int_equal(peer.requests, 2);
    assert_true(ga_now() - began < 0.1);
    peer_stop(&peer);
}

TIMED_CASE(a_refusal_is_tried_again_with_its_body_and_after_what_it_asks)
{
    static const peer_step busy[] = {PEER_TAKE("POST /x"),
                                     ASKS("429", "Retry-After: 7\r\n"),
                                     PEER_TAKE("POST /x"),
                                     ASKS("503", "Retry-After: 3\r\n"),
                                     PEER_TAKE("POST /x"),
                                     PEER_OK("2", "ok"),
                                     PEER_AGAIN};
    static const peer_step *const scripts[] = {busy, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 4);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    double began = ga_now();
    ga_auto(ga_response) response = ga_post(session, peer_url(&peer, "/x"), .text = "body");

    assert_int_equal(ga_status(response), 200);
    assert_int_equal(ga_attempts(response), 3);
    assert_int_equal(peer.requests, 3);
    assert_int_equal(peer.connections, 1);
    assert_non_null(strstr(peer.last.data, "\r\n\r\nbody"));
    assert_true(ga_now() - began >= 10 && ga_now() - began < 12.1); /* never less, 20 % more at most */
    peer_stop(&peer);
}

TIMED_CASE(one_request_alone_may_ask_for_retries)
{
    static const peer_step busy[] = {PEER_TAKE(NULL), ASKS("429", "Retry-After: 7\r\n"), PEER_AGAIN};
    static const peer_step *const scripts[] = {busy, NULL};
    ga_auto(ga_session) session = ga_session_new(); /* so that no host cools down */
    peer_server peer;

    peer_start(&peer, peers, scripts);
    double began = ga_now();
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"), .retries = 4);

    assert_int_equal(ga_attempts(response), 5);
    assert_true(ga_now() - began >= 4 * 7 && ga_now() - began < 4 * 7 * 1.2);
    peer_stop(&peer);
}

TIMED_CASE(the_last_answer_is_the_callers)
{
    static const peer_step busy[] = {PEER_TAKE(NULL), ASKS("503", "Retry-After: 1\r\n"), PEER_AGAIN};
    static const peer_step *const scripts[] = {busy, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 2);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

    assert_int_equal(ga_status(response), 503);
    assert_int_equal(ga_attempts(response), 3);
    ga_auto(ga_response) once = ga_get(session, peer_url(&peer, "/"), .retries = -1);

    assert_int_equal(ga_attempts(once), 1);
    assert_int_equal(peer.requests, 4);
    peer_stop(&peer);
}

TIMED_CASE(what_cannot_be_done_in_time_is_not_waited_for)
{
    static const peer_step busy[] = {PEER_TAKE(NULL), ASKS("503", "Retry-After: 100\r\n"), PEER_AGAIN};
    static const peer_step *const scripts[] = {busy, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 2, .total_timeout = 60);
    ga_auto(ga_session) impatient = ga_session_new(.retries = 2, .retry_max_time = 20);
    ga_auto(ga_session) strict = ga_session_new(.retries = 2, .max_wait = 30);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    double began = ga_now();
    ga_auto(ga_response) first = ga_get(session, peer_url(&peer, "/"));
    ga_auto(ga_response) second = ga_get(impatient, peer_url(&peer, "/"));

    assert_int_equal(ga_status(first), 503); /* the answer as it is */
    assert_int_equal(ga_status(second), 503);
    assert_null(ga_get(strict, peer_url(&peer, "/")));
    assert_int_equal(ga_error()->code, GA_ERATELIMITED);
    assert_int_equal(ga_error()->status, 503);
    assert_true(fabs(ga_error()->retry_after - 100) < 0.1);
    assert_non_null(strstr(ga_error_message(), "come back at 20"));
    assert_int_equal(peer.requests, 3);
    /* and who comes later does not even ask */
    assert_null(ga_get(session, peer_url(&peer, "/")));
    assert_int_equal(ga_error()->code, GA_ERATELIMITED);
    assert_int_equal(ga_error()->sent, GA_SENT_NO);
    assert_int_equal(peer.requests, 3);
    assert_true(ga_now() - began < 1);
    peer_stop(&peer);
}

/* What decides whether the whole call may be made once more, whatever its method. */
TIMED_CASE(a_failure_says_whether_any_server_may_have_acted)
{
    static const peer_step too_long[] = {PEER_TAKE(NULL), ASKS("429", "Retry-After: 100\r\n"), PEER_CLOSE};
    static const peer_step busy[] = {PEER_TAKE(NULL), ASKS("503", ""), PEER_TAKE(NULL), PEER_CLOSE};
    static const peer_step errs[] = {PEER_TAKE(NULL), ASKS("500", ""), PEER_TAKE(NULL),
                                     ASKS("503", "Retry-After: 100\r\n"), PEER_CLOSE};
    static const peer_step made[] = {PEER_TAKE("POST"), ASKS("303", "Location: /made\r\n"), PEER_TAKE("GET"),
                                     ASKS("429", "Retry-After: 100\r\n"), PEER_CLOSE};
    static const peer_step moved[] = {PEER_TAKE("POST"), ASKS("303", "Location: http://127.0.0.1:9/\r\n"),
                                      PEER_CLOSE};
    static const struct {
        const peer_step *script;
        int idempotent, code;
        ga_sent sent;
    } cases[] = {
        {too_long, 0, GA_ERATELIMITED, GA_SENT_REFUSED}, {busy, 0, GA_EDISCONNECTED, GA_SENT_MAYBE},
        {errs, 1, GA_ERATELIMITED, GA_SENT_ANSWERED},    {made, 0, GA_ERATELIMITED, GA_SENT_ANSWERED},
        {moved, 0, GA_EREFUSED, GA_SENT_ANSWERED},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const peer_step *const scripts[] = {cases[i].script, NULL};
        ga_auto(ga_session) session = ga_session_new(.retries = 2, .max_wait = 30);
        peer_server peer;
        ga_group group;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, scripts);
        assert_null(ga_post(session, peer_url(&peer, "/"), .text = "x", .idempotent = cases[i].idempotent));
        assert_int_equal(ga_error()->code, cases[i].code);
        assert_int_equal(ga_error()->sent, cases[i].sent);
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

TIMED_CASE(a_connection_that_broke_is_tried_again_for_what_is_idempotent)
{
    static const peer_step breaks[] = {PEER_TAKE(NULL), PEER_CLOSE};
    static const peer_step *const scripts[] = {breaks, breaks, fine, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 3);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

    assert_int_equal(ga_status(response), 200);
    assert_int_equal(ga_attempts(response), 3);
    peer_stop(&peer);
}

TIMED_CASE(a_post_that_may_have_arrived_is_not_sent_twice)
{
    static const peer_step breaks[] = {PEER_TAKE(NULL), PEER_CLOSE};
    static const peer_step errs[] = {PEER_TAKE(NULL), ASKS("500", ""), PEER_CLOSE};
    static const peer_step *const scripts[] = {breaks, errs, breaks, errs, fine, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 3);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    assert_null(ga_post(session, peer_url(&peer, "/"), .text = "x"));
    assert_int_equal(ga_error()->code, GA_EDISCONNECTED);
    assert_int_equal(ga_error()->attempt, 1);
    ga_auto(ga_response) err = ga_post(session, peer_url(&peer, "/"), .text = "x");

    assert_int_equal(ga_status(err), 500);
    assert_int_equal(peer.requests, 2);
    ga_auto(ga_response) marked = ga_post(session, peer_url(&peer, "/"), .text = "x", .idempotent = 1);

    assert_int_equal(ga_status(marked), 200);
    assert_int_equal(ga_attempts(marked), 3);
    peer_stop(&peer);
}

TIMED_CASE(what_was_not_sent_is_always_tried_again)
{
    ga_auto(ga_session) session = ga_session_new(.retries = 3, .retry_base = 8);
    double began = ga_now();

    assert_null(ga_post(session, "http://127.0.0.1:9/", .text = "x"));
    assert_int_equal(ga_error()->code, GA_EREFUSED);
    assert_int_equal(ga_error()->attempt, 4);
    assert_int_equal(ga_error()->sent, GA_SENT_NO);
    assert_true(ga_now() - began > 0.1 && ga_now() - began < 8 + 16 + 32);
}

static ssize_t give_body(void *arg, void *buffer, size_t size)
{
    int *given = arg;

    assert_true(size >= 4);
    memcpy(buffer, "body", 4);
    return (*given)++ == 0 ? 4 : 0;
}

static int give_again(void *arg)
{
    *(int *)arg = 0;
    return 0;
}

TIMED_CASE(a_body_that_cannot_be_sent_again_is_not)
{
    static const peer_step busy[] = {PEER_TAKE(NULL), ASKS("503", "Retry-After: 1\r\n"),
                                     PEER_TAKE(NULL), ASKS("503", "Retry-After: 1\r\n"),
                                     PEER_TAKE(NULL), PEER_OK("0", ""),
                                     PEER_AGAIN};
    static const peer_step *const scripts[] = {busy, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 3);
    int given = 0;
    ga_body_source once = {.read = give_body, .arg = &given, .size = 4};
    ga_body_source again = {.read = give_body, .rewind = give_again, .arg = &given, .size = 4};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) first = ga_post(session, peer_url(&peer, "/"), .body_source = &once);

    assert_int_equal(ga_status(first), 503); /* as it is, and not an empty body instead */
    assert_int_equal(ga_attempts(first), 1);
    given = 0;
    ga_auto(ga_response) second = ga_post(session, peer_url(&peer, "/"), .body_source = &again);

    assert_int_equal(ga_status(second), 200);
    assert_int_equal(ga_attempts(second), 2);
    assert_non_null(strstr(peer.last.data, "\r\n\r\nbody"));
    peer_stop(&peer);
}

/* --- Idempotency-Key ------------------------------------------------------------------------------ */

typedef struct keys {
    char seen[8][64];
    size_t count;
} keys;

static bool note_key(peer_visit *visit)
{
    keys *found = visit->peer->data;
    const char *at = strstr(visit->request.data, "\r\nIdempotency-Key: ");
    char *key = found->seen[found->count++];

    key[0] = '\0';
    if (at) {
        at += strlen("\r\nIdempotency-Key: ");
        snprintf(key, sizeof found->seen[0], "%.*s", (int)strcspn(at, "\r"), at);
    }
    return true;
}

TIMED_CASE(a_key_is_the_same_for_all_attempts_and_another_for_each_call)
{
    static const peer_step breaks[] = {PEER_TAKE(NULL), PEER_CALL(note_key), PEER_CLOSE};
    static const peer_step answers[] = {PEER_TAKE(NULL), PEER_CALL(note_key), PEER_OK("0", ""), PEER_AGAIN};
    static const peer_step *const scripts[] = {breaks, answers, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 1, .idempotency_keys = 1);
    peer_server peer;
    keys found = {.count = 0};

    peer_start(&peer, peers, scripts);
    peer.data = &found;
    ga_auto(ga_response) first = ga_post(session, peer_url(&peer, "/"), .text = "x");

    assert_int_equal(ga_attempts(first), 2);
    ga_response_free(ga_post(session, peer_url(&peer, "/"), .text = "x"));
    ga_response_free(ga_post(session, peer_url(&peer, "/"), .text = "x", .idempotency_key = "mine"));
    ga_response_free(
        ga_post(session, peer_url(&peer, "/"), .text = "x", .headers = GA_PAIRS({"idempotency-key", "own"})));
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_int_equal(found.count, 6);
    assert_int_equal(strlen(found.seen[0]), 36);
    assert_int_equal(found.seen[0][14], '4');
    assert_string_equal(found.seen[0], found.seen[1]);
    assert_string_not_equal(found.seen[1], found.seen[2]);
    assert_string_equal(found.seen[3], "mine");
    assert_string_equal(found.seen[4], "");
    assert_non_null(strstr(peer.last.data, "GET"));
    assert_string_equal(found.seen[5], "");
    assert_null(ga_post(session, peer_url(&peer, "/"), .idempotency_key = "a\r\nb: c"));
    assert_int_equal(ga_error()->code, GA_EHEADER);
    peer_stop(&peer);
}

/* --- .before_retry -------------------------------------------------------------------------------- */

typedef struct witness {
    ga_retry told[4];
    int count, no_at; /* it says no to this one */
} witness;

static int note_retry(void *arg, const ga_retry *retry)
{
    witness *self = arg;

    assert_in_range(self->count, 0, 3);
    self->told[self->count++] = *retry;
    return self->count == self->no_at ? ga_fail(GA_ECANCELED, "the shop closes") : 0;
}

TIMED_CASE(who_asks_is_told_before_each_wait)
{
    static const peer_step busy[] = {PEER_TAKE(NULL), ASKS("503", "Retry-After: 5\r\n"),
                                     PEER_TAKE(NULL), ASKS("500", ""),
                                     PEER_TAKE(NULL), PEER_CLOSE};
    static const peer_step *const scripts[] = {busy, fine, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 3);
    witness self = {.count = 0};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_put(session, peer_url(&peer, "/"), .text = "x",
                                           .before_retry = note_retry, .before_retry_arg = &self);

    assert_int_equal(ga_status(response), 200);
    assert_int_equal(ga_attempts(response), 4);
    assert_int_equal(self.count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(self.told[i].attempt, i + 1);
    assert_int_equal(self.told[0].status, 503);
    assert_int_equal(self.told[0].sent, GA_SENT_REFUSED);
    assert_true(self.told[0].wait >= 5 && self.told[0].wait <= 6);
    assert_int_equal(self.told[1].status, 500);
    assert_int_equal(self.told[1].sent, GA_SENT_ANSWERED);
    assert_int_equal(self.told[2].status, 0); /* the kept connection broke: on a fresh one, at once */
    assert_true(self.told[2].wait == 0);
    assert_int_equal(self.told[2].sent, GA_SENT_ANSWERED);
    peer_stop(&peer);
}

TIMED_CASE(who_says_no_before_a_wait_ends_the_call)
{
    static const peer_step busy[] = {PEER_TAKE(NULL), ASKS("503", "Retry-After: 5\r\n"), PEER_AGAIN};
    static const peer_step breaks[] = {PEER_TAKE(NULL), PEER_OK("0", ""), PEER_TAKE(NULL), PEER_CLOSE};
    static const peer_step *const scripts[] = {breaks, busy, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 3, .limit = 1);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    double began = ga_now();

    for (int broken = 1; broken >= 0; broken--) {
        witness self = {.no_at = 1};

        assert_null(
            ga_get(session, peer_url(&peer, "/"), .before_retry = note_retry, .before_retry_arg = &self));
        assert_int_equal(self.count, 1);
        assert_int_equal(self.told[0].status, broken ? 0 : 503);
        assert_int_equal(ga_error()->code, GA_ECANCELED);
        assert_int_equal(ga_error()->attempt, 1);
        assert_non_null(strstr(ga_error_message(), "GET http://127.0.0.1"));
        assert_non_null(strstr(ga_error_message(), "the shop closes"));
    }
    assert_true(ga_now() - began < 1);
    assert_int_equal(peer.requests, 3);
    peer_stop(&peer);
}

/* --- the end of patience -------------------------------------------------------------------------- */

TIMED_CASE(a_server_that_is_down_is_not_stormed)
{
    static const peer_step breaks[] = {PEER_TAKE(NULL), ASKS("500", ""), PEER_AGAIN};
    static const peer_step *const scripts[] = {breaks, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 5, .retry_base = 0.01);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    for (int i = 0; i < 200; i++)
        ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_in_range(peer.requests, 240, 252); /* 20 % more than the calls, and 10 */
    peer_stop(&peer);
}

TIMED_CASE(a_wait_before_a_retry_ends_when_it_is_cancelled)
{
    static const peer_step busy[] = {PEER_TAKE(NULL), ASKS("503", "Retry-After: 100\r\n"), PEER_AGAIN};
    static const peer_step *const scripts[] = {busy, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 1);
    peer_server peer;
    ga_scope scope;

    peer_start(&peer, peers, scripts);
    ga_scope_open(&scope, 5);
    assert_null(ga_get(session, peer_url(&peer, "/")));
    assert_int_equal(ga_error()->code, GA_ECANCELED);
    assert_int_equal(ga_error()->phase, GA_PHASE_PACE);
    assert_int_equal(ga_error()->sent, GA_SENT_REFUSED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    peer_stop(&peer);
}

TIMED_CASE(a_retry_of_a_redirected_request_goes_where_it_was_redirected)
{
    static const peer_step script[] = {
        PEER_TAKE("GET /a"), PEER_SAY("HTTP/1.1 302 x\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"),
        PEER_TAKE("GET /b"), ASKS("503", "Retry-After: 1\r\n"),
        PEER_TAKE("GET /b"), PEER_OK("0", ""),
        PEER_AGAIN};
    static const peer_step *const scripts[] = {script, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 1);
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/a"));

    assert_int_equal(ga_status(response), 200);
    assert_int_equal(ga_attempts(response), 2);
    assert_int_equal(ga_redirects(response), 1);
    peer_stop(&peer);
}

/* What a try_ function said, of a channel for one. */
static ssize_t has_nothing(void *arg, void *buffer, size_t size)
{
    int *asked = arg;

    (void)buffer;
    (void)size;
    return ++*asked < 5 ? GA_EAGAIN : GA_EUSAGE;
}

static int goes_back(void *arg)
{
    (void)arg;
    return 0;
}

/* Its code is that of calls which their host holds back, too: it is not taken for that. */
TIMED_CASE(a_body_that_has_nothing_at_present_ends_the_call)
{
    static const peer_step *const scripts[] = {fine, NULL};
    ga_auto(ga_session) session = ga_session_new(.retries = 1);
    int asked = 0;
    ga_body_source source = {.read = has_nothing, .rewind = goes_back, .arg = &asked};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    assert_null(ga_post(session, peer_url(&peer, "/"), .body_source = &source));
    assert_int_equal(ga_error()->code, GA_EAGAIN);
    assert_int_equal(asked, 1);
    assert_pool_at_rest(session, 0);
    peer_stop(&peer);
}

TIMED_CASE(options_that_make_no_sense_are_refused)
{
    (void)peers;
    assert_null(ga_session_new(.retry_base = -1));
    assert_null(ga_session_new(.retry_cap = (double)NAN));
    assert_null(ga_session_new(.retry_max_time = -1));
    assert_null(ga_session_new(.max_wait = -1));
    assert_null(ga_session_new(.retry_budget = (double)NAN));
    assert_null(ga_session_new(.rate_per_host = (double)INFINITY));
    assert_null(ga_session_new(.burst_per_host = -1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    ga_auto(ga_session) session = ga_session_new();

    assert_null(ga_get(session, "http://127.0.0.1:9/", .retries = 1, .max_wait = -1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_decides_what_is_tried_again),
        cmocka_unit_test(waits_double_up_to_the_cap),
        cmocka_unit_test(the_budget_is_a_share_of_the_calls),
        cmocka_unit_test(nothing_is_tried_again_unless_asked_for),
        cmocka_unit_test(a_refusal_is_tried_again_with_its_body_and_after_what_it_asks),
        cmocka_unit_test(one_request_alone_may_ask_for_retries),
        cmocka_unit_test(the_last_answer_is_the_callers),
        cmocka_unit_test(what_cannot_be_done_in_time_is_not_waited_for),
        cmocka_unit_test(a_failure_says_whether_any_server_may_have_acted),
        cmocka_unit_test(a_connection_that_broke_is_tried_again_for_what_is_idempotent),
        cmocka_unit_test(a_post_that_may_have_arrived_is_not_sent_twice),
        cmocka_unit_test(what_was_not_sent_is_always_tried_again),
        cmocka_unit_test(a_body_that_cannot_be_sent_again_is_not),
        cmocka_unit_test(a_key_is_the_same_for_all_attempts_and_another_for_each_call),
        cmocka_unit_test(who_asks_is_told_before_each_wait),
        cmocka_unit_test(who_says_no_before_a_wait_ends_the_call),
        cmocka_unit_test(a_server_that_is_down_is_not_stormed),
        cmocka_unit_test(a_wait_before_a_retry_ends_when_it_is_cancelled),
        cmocka_unit_test(a_retry_of_a_redirected_request_goes_where_it_was_redirected),
        cmocka_unit_test(a_body_that_has_nothing_at_present_ends_the_call),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
