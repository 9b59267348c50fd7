/* SPDX-License-Identifier: MIT */
/* The pool: limits, the line, reuse, idle connections, and what cancelling does to all of them. */
#include "peer.h"

#include "io/dns.h"
#include "task/loop.h"
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const peer_step slow[] = {PEER_TAKE(NULL), PEER_PAUSE(1), PEER_OK("0", ""), PEER_AGAIN};
static const peer_step *const always_slow[] = {slow, NULL};

/* A call whose end is noted in `ends`, in order. */
static char ends[64];
static size_t ended;

static int call(ga_session *session, const char *url, char name)
{
    ga_auto(ga_response) response = ga_get(session, url);

    ends[ended++] = response ? name : '!';
    ends[ended] = '\0';
    return ga_status(response) == 200 ? 0 : -1;
}
GA_TASK(int, call, ga_session *, const char *, char);

static void forget_ends(void)
{
    ended = 0;
    ends[0] = '\0';
}

/* Two peers' URLs at once. */
static const char *url_of(peer_server *peer)
{
    return peer_url(peer, "/");
}

/* --- reuse ---------------------------------------------------------------------------------------- */

CASE(the_connection_used_last_is_reused_first)
{
    static const peer_step first[] = {PEER_TAKE(NULL), PEER_OK("1", "1"), PEER_AGAIN};
    static const peer_step second[] = {PEER_TAKE(NULL), PEER_OK("1", "2"), PEER_AGAIN};
    static const peer_step *const scripts[] = {first, second, NULL};
    ga_auto(ga_session) session = ga_session_new();
    ga_group calls;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_group_open(&calls, GA_COLLECT);
    call_start(&calls, session, url_of(&peer), 'a');
    call_start(&calls, session, url_of(&peer), 'b');
    assert_int_equal(ga_gather(&calls), 0);
    ga_group_close(&calls);
    assert_pool(session, 2, 0, 0);
    ga_autofree char *last = NULL;

    for (int i = 0; i < 5; i++) {
        ga_auto(ga_response) response = ga_get(session, url_of(&peer));
        ga_autofree char *text = ga_text(response);

        assert_non_null(text);
        if (last)
            assert_string_equal(text, last);
        free(last);
        last = strdup(text);
    }
    assert_int_equal(stats_of(session).opened, 2);
    assert_int_equal(stats_of(session).reused, 5);
    peer_stop(&peer);
}

CASE(what_may_not_be_reused_is_closed)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
        "HTTP/1.1 204 No Content\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: timeout=1\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const peer_step once[] = {
            PEER_TAKE(NULL), {.kind = PEER_SAY_, .text = answers[i], .size = strlen(answers[i])}, PEER_HOLD};
        const peer_step *const scripts[] = {once, NULL};
        ga_auto(ga_session) session = ga_session_new();
        ga_group group;
        peer_server peer;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, scripts);
        for (size_t n = 1; n <= 2; n++) {
            ga_auto(ga_response) response = ga_get(session, url_of(&peer));

            assert_non_null(response);
            assert_pool(session, 0, 0, 0);
            assert_int_equal(peer.connections, n);
        }
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

CASE(http_1_0_with_keep_alive_and_bodies_read_to_their_end_are_kept)
{
    static const peer_step old[] = {
        PEER_TAKE(NULL),
        PEER_SAY("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx"),
        PEER_TAKE("HEAD"),
        PEER_SAY("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        PEER_TAKE(NULL),
        PEER_SAY("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
        PEER_TAKE(NULL),
        PEER_SAY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
        PEER_AGAIN};
    static const peer_step *const scripts[] = {old, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, scripts);
    for (int i = 0; i < 8; i++) {
        ga_response_free(ga_request(session, i % 4 == 1 ? "HEAD" : "GET", url_of(&peer)));
        assert_pool(session, 1, 0, 0);
    }
    assert_int_equal(peer.connections, 1);
    peer_stop(&peer);
}

CASE(a_request_that_ends_the_connection_does_not_keep_it)
{
    ga_auto(ga_session) session = ga_session_new();
    ga_auto(ga_session) without = ga_session_new(.keepalive = -1);
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    ga_response_free(ga_get(session, url_of(&peer), .headers = GA_PAIRS({"Connection", "close"})));
    assert_pool(session, 0, 0, 0);
    ga_response_free(ga_get(without, url_of(&peer)));
    assert_pool(without, 0, 0, 0);
    peer_await(&peer.open, 0);
    peer_stop(&peer);
}

/* --- idle connections ----------------------------------------------------------------------------- */

TIMED_CASE(idle_connections_end_after_their_time)
{
    static const peer_step hinted[] = {
        PEER_TAKE(NULL),
        PEER_SAY("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: timeout=5, max=9\r\n\r\n"), PEER_AGAIN};
    static const peer_step *const scripts[] = {hinted, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server plain, with_hint;

    peer_start(&plain, peers, peer_always_empty);
    peer_start(&with_hint, peers, scripts);
    ga_response_free(ga_get(session, url_of(&plain)));
    ga_response_free(ga_get(session, url_of(&with_hint)));
    assert_pool(session, 2, 0, 0);
    assert_int_equal(ga_sleep(3.9), 0);
    assert_pool(session, 2, 0, 0);
    assert_int_equal(ga_sleep(0.2), 0); /* the server's 5 s, less a margin */
    assert_pool(session, 1, 0, 0);
    assert_int_equal(ga_sleep(5), 0);
    ga_response_free(ga_get(session, url_of(&plain))); /* its time begins anew */
    assert_int_equal(ga_sleep(14.9), 0);
    assert_pool(session, 1, 0, 0);
    assert_int_equal(ga_sleep(0.2), 0);
    assert_pool(session, 0, 0, 0);
    peer_await(&plain.open, 0);
    peer_stop(&plain);
    peer_stop(&with_hint);
}

CASE(an_idle_connection_that_the_server_ends_is_closed_at_once)
{
    static const peer_step closes[] = {PEER_TAKE(NULL), PEER_OK("0", ""), PEER_WAIT, PEER_CLOSE};
    static const peer_step says_more[] = {PEER_TAKE(NULL), PEER_OK("0", ""), PEER_WAIT,
                                          PEER_OK("6", "poison"), PEER_HOLD};
    static const peer_step *const scripts[] = {closes, says_more, peer_empty, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, scripts);
    for (int i = 0; i < 2; i++) {
        ga_event_clear(&peer.go);
        ga_response_free(ga_get(session, url_of(&peer)));
        assert_pool(session, 1, 0, 0);
        ga_event_set(&peer.go);
        for (int turn = 0; turn < 1000 && stats_of(session).idle > 0; turn++)
            assert_int_equal(ga_sleep(0.001), 0);
        assert_pool(session, 0, 0, 0);
    }
    ga_auto(ga_response) response = ga_post(session, url_of(&peer), .text = "not to be sent twice");
    assert_int_equal(ga_status(response), 200);
    assert_int_equal(peer.connections, 3);
    peer_stop(&peer);
}

/* A server outside the loop, so that it can end a connection while the loop does not look. */
typedef struct outsider {
    int listener;
    atomic_int step; /* 1: close the first connection; 2: it is closed */
} outsider;

static void answer_once(int listener, outsider *self)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    char request[1024];
    int fd = accept(listener, NULL, NULL);

    if (read(fd, request, sizeof request) > 0 && send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) > 0)
        while (self && atomic_load(&self->step) != 1)
            usleep(100);
    close(fd);
}

static void *serve_outside(void *arg)
{
    outsider *self = arg;

    answer_once(self->listener, self);
    atomic_store(&self->step, 2);
    answer_once(self->listener, NULL);
    return NULL;
}

static int reuse_behind_the_pollers_back(void *arg)
{
    outsider self = {.listener = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    ga_auto(ga_session) session = ga_session_new();
    char url[64];
    pthread_t thread;

    (void)arg;
    assert_int_equal(bind(self.listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(self.listener, 8), 0);
    assert_int_equal(getsockname(self.listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve_outside, &self), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)ntohs(address.sin_port));
    ga_response_free(ga_get(session, url));
    assert_pool(session, 1, 0, 0);
    usleep(3000);
    atomic_store(&self.step, 1);
    while (atomic_load(&self.step) != 2)
        usleep(100);
    ga_auto(ga_response) response = ga_post(session, url, .text = "not to be sent twice");
    assert_int_equal(ga_status(response), 200);
    assert_int_equal(stats_of(session).reused, 0);
    pthread_join(thread, NULL);
    close(self.listener);
    return 0;
}

static void a_connection_is_looked_at_before_it_is_reused(void **state)
{
    (void)state;
    assert_int_equal(ga_run(reuse_behind_the_pollers_back, NULL), 0);
}

/* --- how long connections live -------------------------------------------------------------------- */

TIMED_CASE(connections_end_at_their_age)
{
    ga_auto(ga_session) session = ga_session_new(.max_connection_age = 10, .keepalive = 60);
    peer_server peer, late;

    peer_start(&peer, peers, peer_always_empty);
    peer_start(&late, peers, always_slow);
    ga_response_free(ga_get(session, url_of(&peer)));
    assert_int_equal(ga_sleep(9), 0);
    ga_response_free(ga_get(session, url_of(&peer)));
    assert_int_equal(peer.connections, 1);
    assert_int_equal(ga_sleep(0.9), 0);
    assert_pool(session, 1, 0, 0);
    assert_int_equal(ga_sleep(0.2), 0); /* it idled for less than 60 s */
    assert_pool(session, 0, 0, 0);
    peer_await(&peer.open, 0);

    ga_response_free(ga_get(session, url_of(&late))); /* a second each */
    assert_int_equal(ga_sleep(8.5), 0);
    ga_auto(ga_response) response = ga_get(session, url_of(&late)); /* is not cut short */
    assert_int_equal(ga_status(response), 200);
    assert_int_equal(late.connections, 1);
    assert_pool(session, 0, 0, 0);
    peer_stop(&peer);
    peer_stop(&late);
}

TIMED_CASE(connections_serve_so_many_requests)
{
    ga_auto(ga_session) session = ga_session_new(.max_connection_requests = 3, .limit = 1);
    ga_group calls;
    peer_server peer;

    peer_start(&peer, peers, always_slow);
    for (int i = 0; i < 7; i++) {
        ga_response_free(ga_get(session, url_of(&peer)));
        assert_pool(session, i % 3 == 2 ? 0 : 1, 0, 0);
    }
    assert_int_equal(peer.connections, 3);
    ga_group_open(&calls, GA_COLLECT);
    forget_ends();
    for (const char *name = "abcdefg"; *name; name++)
        assert_non_null(call_start(&calls, session, url_of(&peer), *name));
    assert_int_equal(ga_gather(&calls), 0);
    ga_group_close(&calls);
    assert_string_equal(ends, "abcdefg"); /* those in line keep their places */
    assert_int_equal(peer.connections, 5);
    assert_pool(session, 1, 0, 0);
    peer_stop(&peer);
}

CASE(limits_of_connections_are_numbers)
{
    assert_null(ga_session_new(.max_connection_age = -1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_session_new(.max_connection_age = NAN));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_null(ga_session_new(.max_connection_requests = -1));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_non_null(strstr(ga_error_message(), "max_connection_requests is -1"));
    ga_auto(ga_session) without = ga_session_new(.max_connection_age = GA_FOREVER);
    assert_non_null(without);
}

/* --- full pools ----------------------------------------------------------------------------------- */

CASE(a_full_pool_makes_room_by_closing_what_idled_longest)
{
    ga_auto(ga_session) session = ga_session_new(.limit = 2);
    peer_server a, b, c;

    peer_start(&a, peers, peer_always_empty);
    peer_start(&b, peers, peer_always_empty);
    peer_start(&c, peers, peer_always_empty);
    ga_response_free(ga_get(session, url_of(&a)));
    ga_response_free(ga_get(session, url_of(&b)));
    assert_pool(session, 2, 0, 0);
    ga_response_free(ga_get(session, url_of(&c)));
    assert_pool(session, 2, 0, 0);
    peer_await(&a.open, 0);
    assert_int_equal(b.open, 1);
    ga_response_free(ga_get(session, url_of(&b)));
    assert_int_equal(b.connections, 1);
    peer_stop(&a);
    peer_stop(&b);
    peer_stop(&c);
}

/* --- limits and the line -------------------------------------------------------------------------- */

static void start_calls(ga_group *calls, ga_session *session, peer_server *peer, const char *names)
{
    for (; *names; names++)
        assert_non_null(call_start(calls, session, url_of(peer), *names));
}

TIMED_CASE(the_limit_holds_and_the_line_is_served_in_order)
{
    ga_auto(ga_session) session = ga_session_new(.limit = 2);
    ga_group calls;
    peer_server peer;

    peer_start(&peer, peers, always_slow);
    ga_group_open(&calls, GA_COLLECT);
    forget_ends();
    start_calls(&calls, session, &peer, "abcdefgh");
    assert_int_equal(ga_sleep(0.5), 0);
    assert_pool(session, 0, 2, 6);
    assert_int_equal(ga_gather(&calls), 0);
    ga_group_close(&calls);
    assert_string_equal(ends, "abcdefgh");
    assert_int_equal(peer.connections, 2);
    assert_pool(session, 2, 0, 0);
    peer_stop(&peer);
}

TIMED_CASE(a_host_at_its_limit_does_not_hold_up_another)
{
    ga_auto(ga_session) session = ga_session_new(.limit_per_host = 1);
    ga_group calls;
    peer_server a, b;

    peer_start(&a, peers, always_slow);
    peer_start(&b, peers, peer_always_empty);
    ga_group_open(&calls, GA_COLLECT);
    forget_ends();
    start_calls(&calls, session, &a, "abc");
    start_calls(&calls, session, &b, "xyz");
    assert_int_equal(ga_sleep(0.5), 0);
    assert_pool(session, 1, 1, 2);
    assert_int_equal(ga_gather(&calls), 0);
    ga_group_close(&calls);
    assert_string_equal(ends, "xyzabc");
    assert_int_equal(a.connections, 1);
    assert_int_equal(b.connections, 1);
    peer_stop(&a);
    peer_stop(&b);
}

TIMED_CASE(an_origin_without_a_connection_is_not_passed)
{
    ga_auto(ga_session) session = ga_session_new(.limit = 1);
    ga_group calls;
    peer_server a, b;

    peer_start(&a, peers, always_slow);
    peer_start(&b, peers, always_slow);
    ga_group_open(&calls, GA_COLLECT);
    forget_ends();
    start_calls(&calls, session, &a, "ab");
    assert_int_equal(ga_sleep(0.1), 0);
    start_calls(&calls, session, &b, "x");
    assert_int_equal(ga_sleep(0.1), 0);
    start_calls(&calls, session, &a, "cd");
    assert_int_equal(ga_gather(&calls), 0);
    ga_group_close(&calls);
    /* a, then turns: the origin that was in line first, the other, and so on */
    assert_string_equal(ends, "abxcd");
    assert_pool(session, 1, 0, 0);
    peer_stop(&a);
    peer_stop(&b);
}

TIMED_CASE(kept_connections_serve_their_origin_but_not_for_ever)
{
    ga_auto(ga_session) session = ga_session_new(.limit = 2);
    ga_group calls;
    peer_server a, b;
    static const peer_step hog[] = {PEER_TAKE(NULL), PEER_PAUSE(100), PEER_OK("0", ""), PEER_AGAIN};
    static const peer_step *const hogs[] = {hog, NULL};

    peer_start(&a, peers, always_slow);
    peer_start(&b, peers, hogs);
    ga_group_open(&calls, GA_COLLECT);
    forget_ends();
    start_calls(&calls, session, &a, "a");
    start_calls(&calls, session, &b, "xy");
    start_calls(&calls, session, &a, "bcdefghijklm");
    assert_int_equal(ga_sleep(50), 0);
    /* b has a connection, so a's went on serving a, eight times; then it was y's turn, for 100 s. */
    assert_string_equal(ends, "abcdefghi");
    assert_int_equal(b.connections, 2);
    assert_int_equal(ga_gather(&calls), 0);
    ga_group_close(&calls);
    assert_int_equal(ended, 15);
    assert_pool(session, 2, 0, 0);
    peer_stop(&a);
    peer_stop(&b);
}

TIMED_CASE(a_waiter_that_leaves_lets_the_others_keep_their_places)
{
    ga_auto(ga_session) session = ga_session_new(.limit = 1);
    ga_group calls;
    peer_server peer;

    peer_start(&peer, peers, always_slow);
    ga_group_open(&calls, GA_COLLECT);
    forget_ends();
    start_calls(&calls, session, &peer, "ab");
    call_task *leaver = call_start(&calls, session, url_of(&peer), 'c');

    start_calls(&calls, session, &peer, "de");
    assert_int_equal(ga_sleep(0.5), 0);
    assert_pool(session, 0, 1, 4);
    ga_task_cancel(leaver->task);
    assert_int_equal(ga_yield(), 0);
    assert_int_equal(ga_task_join(leaver->task), -1);
    assert_int_equal(ga_error()->code, GA_ECANCELED);
    assert_int_equal(ga_error()->phase, GA_PHASE_POOL);
    assert_pool(session, 0, 1, 3);
    assert_int_equal(ga_gather(&calls), 0); /* to be cancelled is no failure */
    ga_group_close(&calls);
    assert_string_equal(ends, "!abde");
    peer_stop(&peer);
}

TIMED_CASE(a_cancelled_holder_gives_its_place_to_the_next)
{
    static const peer_step never[] = {PEER_TAKE(NULL), PEER_HOLD};
    static const peer_step *const scripts[] = {never, peer_empty, NULL};
    ga_auto(ga_session) session = ga_session_new(.limit = 1);
    ga_group calls;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_group_open(&calls, GA_COLLECT);
    forget_ends();
    call_task *holder = call_start(&calls, session, url_of(&peer), 'a');

    start_calls(&calls, session, &peer, "bc");
    assert_int_equal(ga_sleep(0.5), 0);
    assert_pool(session, 0, 1, 2);
    ga_task_cancel(holder->task);
    assert_int_equal(ga_gather(&calls), 0); /* to be cancelled is no failure */
    ga_group_close(&calls);
    assert_string_equal(ends, "!bc");
    assert_pool(session, 1, 0, 0);
    peer_stop(&peer);
}

/* The place is given to a waiter, and in the same turn the waiter is cancelled: the place goes on to the
 * next. */
TIMED_CASE(a_waiter_that_is_served_and_cancelled_at_once_loses_nothing)
{
    ga_auto(ga_session) session = ga_session_new(.limit = 1);
    ga_group calls;
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    ga_auto(ga_response) holder = ga_get(session, url_of(&peer), .params = GA_PAIRS({"hold", "1"}));
    assert_pool(session, 1, 0, 0);
    ga_response_free(holder);
    holder = NULL;

    static const peer_step half[] = {PEER_TAKE(NULL), PEER_OK("5", "he"), PEER_WAIT, PEER_SAY("llo"),
                                     PEER_AGAIN};
    static const peer_step *const halves[] = {half, NULL};
    peer_server other;

    peer_start(&other, peers, halves);
    holder = ga_get(session, url_of(&other));
    assert_pool(session, 0, 1, 0);
    ga_group_open(&calls, GA_COLLECT);
    forget_ends();
    call_task *first = call_start(&calls, session, url_of(&peer), 'a');

    start_calls(&calls, session, &peer, "b");
    assert_int_equal(ga_sleep(0.1), 0);
    assert_pool(session, 0, 1, 2);
    ga_response_free(holder); /* serves the first in line ... */
    holder = NULL;
    assert_pool(session, 0, 1, 1);
    ga_task_cancel(first->task);            /* ... which does not want it any more */
    assert_int_equal(ga_gather(&calls), 0); /* to be cancelled is no failure */
    ga_group_close(&calls);
    assert_string_equal(ends, "!b");
    assert_pool(session, 1, 0, 0);
    peer_stop(&peer);
    peer_stop(&other);
}

/* The same the other way round: who was cancelled, and has not run since, is not served. Neither among those
 * who wait for the same origin, nor where it was another's turn. */
TIMED_CASE(a_waiter_that_was_cancelled_is_passed)
{
    static const peer_step half[] = {PEER_TAKE(NULL), PEER_OK("5", "he"), PEER_WAIT, PEER_SAY("llo"),
                                     PEER_AGAIN};
    static const peer_step *const halves[] = {half, NULL};
    ga_auto(ga_session) session = ga_session_new(.limit = 1);
    peer_server peer, other;

    peer_start(&peer, peers, halves);
    peer_start(&other, peers, peer_always_empty);
    for (int round = 0; round < 2; round++) {
        ga_group calls;

        ga_event_clear(&peer.go);
        ga_response *holder = ga_get(session, url_of(&peer));

        ga_group_open(&calls, GA_COLLECT);
        forget_ends();
        call_task *first = call_start(&calls, session, url_of(round == 0 ? &peer : &other), 'a');

        start_calls(&calls, session, &peer, "b");
        assert_int_equal(ga_sleep(0.1), 0);
        assert_pool(session, 0, 1, 2);
        ga_event_set(&peer.go);
        assert_int_equal(ga_sleep(0.1), 0); /* the whole body is there */
        ga_task_cancel(first->task);
        ga_response_free(holder);
        assert_pool(session, 0, 1, 0);
        assert_int_equal(ga_gather(&calls), 0);
        ga_group_close(&calls);
        assert_string_equal(ends, "!b");
        assert_pool(session, 1, 0, 0);
        assert_int_equal(stats_of(session).opened, 1);
    }
    peer_stop(&peer);
    peer_stop(&other);
}

/* A connection comes back when the session is closed already, and those in line have not run since. */
TIMED_CASE(a_session_that_is_freed_serves_nobody)
{
    static const peer_step half[] = {PEER_TAKE(NULL), PEER_OK("5", "he"), PEER_WAIT, PEER_SAY("llo"),
                                     PEER_HOLD};
    static const peer_step *const halves[] = {half, NULL};
    ga_session *session = ga_session_new(.limit = 1);
    ga_group calls;
    peer_server peer, other;

    peer_start(&peer, peers, halves);
    peer_start(&other, peers, peer_always_empty);
    ga_response *holder = ga_get(session, url_of(&peer));

    ga_group_open(&calls, GA_COLLECT);
    forget_ends();
    start_calls(&calls, session, &peer, "ab");
    start_calls(&calls, session, &other, "c");
    assert_int_equal(ga_sleep(0.1), 0);
    ga_event_set(&peer.go);
    assert_int_equal(ga_sleep(0.1), 0);
    ga_session_free(session); /* which says what is wrong with that */
    ga_response_free(holder);
    assert_int_not_equal(ga_gather(&calls), 0);
    ga_group_close(&calls);
    assert_string_equal(ends, "!!!");
    assert_int_equal(peer.requests, 1);
    assert_int_equal(other.connections, 0);
    peer_await(&peer.open, 0);
    peer_stop(&peer);
    peer_stop(&other);
}

TIMED_CASE(a_waiter_whose_time_is_over_says_so)
{
    static const peer_step never[] = {PEER_TAKE(NULL), PEER_HOLD};
    static const peer_step *const scripts[] = {never, NULL};
    ga_auto(ga_session) session = ga_session_new(.limit = 1, .pool_timeout = 2);
    ga_group calls;
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_group_open(&calls, GA_COLLECT);
    start_calls(&calls, session, &peer, "a");
    assert_int_equal(ga_sleep(0.5), 0);
    double began = ga_now();

    assert_null(ga_get(session, url_of(&peer)));
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, "pool");
    assert_int_equal(ga_error()->phase, GA_PHASE_POOL);
    assert_int_equal(ga_error()->sent, GA_SENT_NO);
    assert_true(ga_now() - began > 1.99 && ga_now() - began < 2.1);
    assert_pool(session, 0, 1, 0);
    ga_group_cancel(&calls);
    ga_gather(&calls);
    ga_group_close(&calls);
    peer_stop(&peer);
}

/* --- the process' descriptors --------------------------------------------------------------------- */

/* A server in a process of its own, with descriptors of its own: one connection after the other. */
static noreturn void serve_apart(int listening)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    char request[1024];

    for (;;) {
        int fd = accept(listening, NULL, NULL);

        if (read(fd, request, sizeof request) > 0) {
            usleep(5000);
            if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
                _exit(1);
        }
        close(fd);
    }
}

static int call_with_few_descriptors(void *url)
{
    struct rlimit before, few;
    ga_group calls;
    ga_auto(ga_session) session = ga_session_new();

    ga_response_free(ga_get(session, url)); /* what the loop opens once is open now */
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = (rlim_t)check_open_descriptors() + 8;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    ga_group_open(&calls, GA_COLLECT);
    forget_ends();
    for (int i = 0; i < 50; i++)
        assert_non_null(call_start(&calls, session, url, 'a'));
    assert_int_equal(ga_gather(&calls), 0);
    ga_group_close(&calls);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(ended, 50);
    assert_null(strchr(ends, '!'));
    assert_pool(session, 0, 0, 0);
    return 0;
}

static void without_descriptors_calls_wait(void **state)
{
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char url[64];

    (void)state;
    assert_int_equal(bind(listening, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listening, 128), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &size), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)ntohs(address.sin_port));
    pid_t server = fork();

    assert_true(server >= 0);
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve_apart(listening);
    }
    close(listening);
    assert_int_equal(ga_run(call_with_few_descriptors, url), 0);
    kill(server, SIGKILL);
    assert_int_equal(waitpid(server, NULL, 0), server);
}

/* The hosts file cannot be read for a while, which does not mean that the name is not in it. */
static int look_up_without_descriptors(void *hosts)
{
    ga__dns_options options = {.servers = "127.0.0.1:1", .hosts = hosts, .no_search = true};
    struct rlimit before, none;
    ga_group peers, calls;
    peer_server peer;
    ga_session *session = ga_session_new();

    assert_int_equal(ga__dns_configure(ga__loop_here, &options), 0);
    ga_group_open(&peers, GA_COLLECT);
    peer_start(&peer, &peers, peer_always_empty);
    ga_autofree char *url =
        ga_format("http://here.test:%u/", (unsigned)ga__address_port(&peer.listener.address));
    int lowest = dup(STDERR_FILENO);

    close(lowest);
    getrlimit(RLIMIT_NOFILE, &before);
    none = (struct rlimit){.rlim_cur = (rlim_t)lowest, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    ga_group_open(&calls, GA_COLLECT);
    forget_ends();
    call_start(&calls, session, url, 'a');
    assert_null(ga_get(session, url, .timeout = 0.05));
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    assert_non_null(strstr(ga_error_message(), "descriptor"));
    assert_int_equal(ga_sleep(0.15), 0);
    assert_int_equal(ended, 0);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(ga_gather(&calls), 0);
    ga_group_close(&calls);
    assert_string_equal(ends, "a");
    ga_session_free(session);
    peer_stop(&peer);
    ga_group_close(&peers);
    return 0;
}

static void without_descriptors_names_are_looked_up_later(void **state)
{
    ga_autofree char *directory = check_mkdtemp();
    ga_autofree char *hosts = ga_format("%s/hosts", directory);

    (void)state;
    check_write_file(hosts, "127.0.0.1 here.test\n");
    assert_int_equal(ga_run(look_up_without_descriptors, hosts), 0);
    check_rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_connection_used_last_is_reused_first),
        cmocka_unit_test(what_may_not_be_reused_is_closed),
        cmocka_unit_test(http_1_0_with_keep_alive_and_bodies_read_to_their_end_are_kept),
        cmocka_unit_test(a_request_that_ends_the_connection_does_not_keep_it),
        cmocka_unit_test(idle_connections_end_after_their_time),
        cmocka_unit_test(an_idle_connection_that_the_server_ends_is_closed_at_once),
        cmocka_unit_test(a_connection_is_looked_at_before_it_is_reused),
        cmocka_unit_test(connections_end_at_their_age),
        cmocka_unit_test(connections_serve_so_many_requests),
        cmocka_unit_test(limits_of_connections_are_numbers),
        cmocka_unit_test(a_full_pool_makes_room_by_closing_what_idled_longest),
        cmocka_unit_test(the_limit_holds_and_the_line_is_served_in_order),
        cmocka_unit_test(a_host_at_its_limit_does_not_hold_up_another),
        cmocka_unit_test(an_origin_without_a_connection_is_not_passed),
        cmocka_unit_test(kept_connections_serve_their_origin_but_not_for_ever),
        cmocka_unit_test(a_waiter_that_leaves_lets_the_others_keep_their_places),
        cmocka_unit_test(a_cancelled_holder_gives_its_place_to_the_next),
        cmocka_unit_test(a_waiter_that_is_served_and_cancelled_at_once_loses_nothing),
        cmocka_unit_test(a_waiter_that_was_cancelled_is_passed),
        cmocka_unit_test(a_session_that_is_freed_serves_nobody),
        cmocka_unit_test(a_waiter_whose_time_is_over_says_so),
        cmocka_unit_test(without_descriptors_calls_wait),
        cmocka_unit_test(without_descriptors_names_are_looked_up_later),

    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
