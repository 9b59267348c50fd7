/* SPDX-License-Identifier: MIT */
/* Bodies that are forms, parts, files and functions: what is sent, and what happens where sending does not go
 * through. */
#include "peer.h"

#include "sim/sim.h"
#include "task/loop.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the request read last has behind its head. */
static const char *sent_body(const peer_server *peer)
{
    const char *end = peer->last.data ? strstr(peer->last.data, "\r\n\r\n") : NULL;

    assert_non_null(end);
    return end + 4;
}

/* --- a function that gives a body ----------------------------------------------------------------- */

typedef struct test_giver {
    const char *text;
    size_t at;
    size_t piece;   /* bytes a call, 0: all that fit */
    double pause;   /* before each */
    size_t fail_at; /* fails there with `failure`, where that is not 0 */
    int failure;
    bool says_why;
    int rewinds;
    int rewind_code;
} test_giver;

static ssize_t give(void *arg, void *buffer, size_t size)
{
    test_giver *self = arg;
    size_t left = strlen(self->text) - self->at;

    if (self->pause > 0 && ga_sleep(self->pause) < 0)
        return ga_error()->code;
    if (self->failure && self->at >= self->fail_at)
        return self->says_why ? ga_fail(self->failure, "the tape is torn") : self->failure;
    if (self->piece && size > self->piece)
        size = self->piece;
    size = size < left ? size : left;
    memcpy(buffer, self->text + self->at, size);
    self->at += size;
    return (ssize_t)size;
}

static int give_again(void *arg)
{
    test_giver *self = arg;

    self->rewinds++;
    self->at = 0;
    return self->rewind_code;
}

#define GIVER(giver_) (&(ga_body_source){.read = give, .arg = (giver_)})
#define REPLAYABLE(giver_) (&(ga_body_source){.read = give, .rewind = give_again, .arg = (giver_)})

/* --- what is sent --------------------------------------------------------------------------------- */

CASE(a_form_is_urlencoded)
{
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    ga_auto(ga_response) response = ga_post(session, peer_url(&peer, "/"),
                                            .form = GA_PAIRS({"a", "x y&z=+/?"}, {"\u00e9", "\r\n"},
                                                             {"left-out", NULL}, {"a", ""}, {"~._-*", "!"}));
    assert_int_equal(ga_status(response), 200);
    assert_contains(peer.last.data,
                    "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ");
    assert_string_equal(sent_body(&peer), "a=x+y%26z%3D%2B%2F%3F&%C3%A9=%0D%0A&a=&~._-%2A=%21");
    ga_auto(ga_response) none = ga_post(session, peer_url(&peer, "/"), .form = GA_PAIRS({NULL, NULL}));
    assert_int_equal(ga_status(none), 200);
    assert_contains(peer.last.data, "\r\nContent-Length: 0\r\n");
    peer_stop(&peer);
}

/* A file of the test's, in a directory of its own. */
typedef struct sample {
    char *directory;
    char path[4096];
} sample;

static sample sample_make(const char *text)
{
    sample made = {.directory = check_mkdtemp()};

    snprintf(made.path, sizeof made.path, "%s/a \"b\".txt", made.directory);
    check_write_file(made.path, text);
    return made;
}

static void sample_remove(sample *made)
{
    check_rmdir(made->directory);
    free(made->directory);
}

FILE_CASE(parts_are_sent_in_their_order_with_their_length)
{
    ga_auto(ga_session) session = ga_session_new();
    sample file = sample_make("of the file");
    test_giver giver = {.text = "of a function", .piece = 5};
    ga_body_source known = {.read = give, .arg = &giver, .size = 13};
    char boundary[64], expected[2048];
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    ga_auto(ga_response) response =
        ga_post(session, peer_url(&peer, "/"),
                .multipart = GA_PARTS({.name = "title", .value = "h\u00e9"},
                                      {.name = "raw", .data = "a\0b", .size = 3, .content_type = "x/y"},
                                      {.name = "f\"1", .file = file.path, .headers = GA_PAIRS({"X-A", "b"})},
                                      {.name = "g", .source = &known, .filename = "g.bin"}));
    assert_int_equal(ga_status(response), 200);
    const char *type = strstr(peer.last.data, "\r\nContent-Type: multipart/form-data; boundary=gather-");
    assert_non_null(type);
    assert_int_equal(sscanf(strstr(type, "boundary="), "boundary=%63[^\r]", boundary), 1);
    assert_int_equal(strlen(boundary), strlen("gather-") + 32);
    int size =
        snprintf(expected, sizeof expected,
                 "--%s\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nh\u00e9\r\n"
                 "--%s\r\nContent-Disposition: form-data; name=\"raw\"\r\nContent-Type: x/y\r\n\r\na%cb\r\n"
                 "--%s\r\nContent-Disposition: form-data; name=\"f%%221\"; filename=\"a "
                 "%%22b%%22.txt\"\r\nContent-Type: application/octet-stream\r\nX-A: b\r\n\r\nof the "
                 "file\r\n--%s\r\nContent-Disposition: form-data; name=\"g\"; "
                 "filename=\"g.bin\"\r\nContent-Type: application/octet-stream\r\n\r\nof a "
                 "function\r\n--%s--\r\n",
                 boundary, boundary, 0, boundary, boundary, boundary);
    size_t head = (size_t)(sent_body(&peer) - peer.last.data);
    assert_int_equal(peer.last.size - head, size);
    assert_memory_equal(peer.last.data + head, expected, (size_t)size);
    peer_stop(&peer);
    sample_remove(&file);
}

CASE(each_multipart_body_has_a_boundary_of_its_own)
{
    ga_auto(ga_session) session = ga_session_new();
    ga_autofree char *first = NULL;
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    for (int i = 0; i < 2; i++) {
        ga_auto(ga_response) response =
            ga_post(session, peer_url(&peer, "/"), .multipart = GA_PARTS({.name = "a", .value = ""}),
                    .content_type = i ? "multipart/mixed" : NULL);
        assert_int_equal(ga_status(response), 200);
        if (i == 0)
            first = ga_format("%s", sent_body(&peer));
    }
    assert_contains(peer.last.data, "\r\nContent-Type: multipart/mixed; boundary=gather-");
    assert_string_not_equal(sent_body(&peer), first);
    peer_stop(&peer);
}

CASE(a_part_of_unknown_length_makes_chunks)
{
    ga_auto(ga_session) session = ga_session_new();
    test_giver giver = {.text = "stream"};
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    ga_auto(ga_response) response = ga_post(
        session, peer_url(&peer, "/"),
        .multipart = GA_PARTS({.name = "a", .source = GIVER(&giver)}, {.name = "b", .value = "more"}));
    assert_int_equal(ga_status(response), 200);
    assert_contains(peer.last.data, "\r\nTransfer-Encoding: chunked\r\n");
    assert_null(strstr(peer.last.data, "Content-Length"));
    assert_contains(peer.last.data, "\r\n6\r\nstream\r\n");
    assert_contains(peer.last.data, "more\r\n--gather-");
    assert_pool_at_rest(session, 1);
    peer_stop(&peer);
}

FILE_CASE(a_file_is_sent_with_its_length)
{
    enum { SIZE = 300000 };
    ga_auto(ga_session) session = ga_session_new();
    ga_autofree char *text = malloc(SIZE + 1);
    peer_server peer;

    for (size_t i = 0; i < SIZE; i++)
        text[i] = (char)('a' + i % 23);
    text[SIZE] = '\0';
    sample file = sample_make(text);
    peer_start(&peer, peers, peer_always_empty);
    ga_auto(ga_response) response = ga_put(session, peer_url(&peer, "/"), .body_file = file.path);
    assert_int_equal(ga_status(response), 200);
    assert_contains(peer.last.data,
                    "\r\nContent-Type: application/octet-stream\r\nContent-Length: 300000\r\n\r\n");
    assert_string_equal(sent_body(&peer), text);
    check_write_file(file.path, "");
    ga_auto(ga_response) none =
        ga_put(session, peer_url(&peer, "/"), .body_file = file.path, .content_type = "text/x");
    assert_int_equal(ga_status(none), 200);
    assert_contains(peer.last.data, "\r\nContent-Type: text/x\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(peer.connections, 1);
    assert_pool_at_rest(session, 1);
    peer_stop(&peer);
    sample_remove(&file);
}

CASE(a_function_gives_chunks_or_a_known_length)
{
    ga_auto(ga_session) session = ga_session_new();
    test_giver giver = {.text = "0123456789abcdefXYZ", .piece = 16, .pause = 0.01};
    ga_body_source known = {.read = give, .arg = &giver, .size = 17};
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    ga_auto(ga_response) chunked = ga_post(session, peer_url(&peer, "/"), .body_source = GIVER(&giver));
    assert_int_equal(ga_status(chunked), 200);
    assert_contains(peer.last.data,
                    "\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_string_equal(sent_body(&peer), "10\r\n0123456789abcdef\r\n3\r\nXYZ\r\n0\r\n\r\n");
    giver.at = 0;
    ga_auto(ga_response) sized = ga_post(session, peer_url(&peer, "/"), .body_source = &known);
    assert_int_equal(ga_status(sized), 200);
    assert_contains(peer.last.data, "\r\nContent-Length: 17\r\n\r\n");
    assert_string_equal(sent_body(&peer), "0123456789abcdefX");
    assert_int_equal(giver.at, 17);
    giver.text = "";
    giver.at = 0;
    ga_auto(ga_response) none = ga_post(session, peer_url(&peer, "/"), .body_source = GIVER(&giver),
                                        .headers = GA_PAIRS({"Transfer-Encoding", "chunked"}));
    assert_int_equal(ga_status(none), 200);
    assert_string_equal(sent_body(&peer), "0\r\n\r\n");
    assert_int_equal(peer.connections, 1);
    peer_stop(&peer);
}

/* --- what is refused before anything is sent ------------------------------------------------------ */

#define REFUSED(code, text, ...)                                                               \
    do {                                                                                       \
        ga_auto(ga_response) response_ = ga_post(session, "http://127.0.0.1:1/", __VA_ARGS__); \
        assert_failed(response_, code, text);                                                  \
        assert_int_equal(ga_error()->phase, GA_PHASE_PREPARE);                                 \
        assert_int_equal(ga_error()->sent, GA_SENT_NO);                                        \
        assert_contains(ga_error_message(), "POST http://127.0.0.1:1/: ");                     \
    } while (0)

CASE(what_cannot_be_sent_is_refused_before_a_connection)
{
    ga_auto(ga_session) session = ga_session_new();
    test_giver giver = {.text = "x"};

    REFUSED(GA_EUSAGE, "more than one of", .text = "a", .form = GA_PAIRS({"a", "b"}));
    REFUSED(GA_EUSAGE, "more than one of", .body_file = "/dev/null", .body_source = GIVER(&giver));
    REFUSED(GA_ESYSTEM, "/none/such", .body_file = "/none/such");
    assert_int_equal(ga_error()->os_error, 2);
    REFUSED(GA_EUSAGE, "no regular file", .body_file = "/dev/zero");
    REFUSED(GA_EUSAGE, "no regular file", .multipart = GA_PARTS({.name = "a", .file = "/tmp"}));
    REFUSED(GA_EUSAGE, "no read function", .body_source = &(ga_body_source){.arg = &giver});
    REFUSED(GA_EUSAGE, "needs one of", .multipart = GA_PARTS({.name = "a"}));
    REFUSED(GA_EUSAGE, "needs one of", .multipart = GA_PARTS({.name = "a", .value = "x", .file = "y"}));
    REFUSED(GA_EUSAGE, ".size", .multipart = GA_PARTS({.name = "a", .value = "x", .size = 1}));
    REFUSED(GA_EHEADER, "control character", .multipart = GA_PARTS({.name = "a\x02", .value = "x"}));
    REFUSED(GA_EHEADER, "line feed",
            .multipart = GA_PARTS({.name = "a", .value = "x", .content_type = "a/b\nEvil: 1"}));
    REFUSED(GA_EUSAGE, "boundary", .multipart = GA_PARTS({.name = "a", .value = "x"}),
            .headers = GA_PAIRS({"content-type", "multipart/form-data"}));
    REFUSED(GA_EUSAGE, "multipart/", .multipart = GA_PARTS({.name = "a", .value = "x"}),
            .content_type = "text/plain");
    REFUSED(GA_EUSAGE, ".compress", .body_source = GIVER(&giver), .compress = "gzip");
    REFUSED(GA_EHEADER, "Content-Length", .body_source = GIVER(&giver),
            .headers = GA_PAIRS({"Content-Length", "1"}));
    REFUSED(GA_EHEADER, "Transfer-Encoding", .form = GA_PAIRS({"a", "b"}),
            .headers = GA_PAIRS({"Transfer-Encoding", "chunked"}));
    assert_int_equal(giver.at, 0);
    assert_pool_at_rest(session, 0);
}

/* --- what goes wrong midway ----------------------------------------------------------------------- */

static const peer_step holds[] = {PEER_HOLD, PEER_CLOSE};
static const peer_step *const always_holds[] = {holds, NULL};

CASE(a_function_that_fails_ends_the_call_with_its_error)
{
    ga_auto(ga_session) session = ga_session_new();
    test_giver giver = {
        .text = "0123456789", .piece = 4, .fail_at = 8, .failure = GA_EJSON, .says_why = true};
    peer_server peer;

    peer_start(&peer, peers, always_holds);
    ga_auto(ga_response) told = ga_post(session, peer_url(&peer, "/"), .body_source = REPLAYABLE(&giver));
    assert_failed(told, GA_EJSON, "the tape is torn");
    assert_contains(ga_error_message(), "POST http://");
    assert_int_equal(ga_error()->phase, GA_PHASE_WRITE);
    assert_int_equal(ga_error()->sent, GA_SENT_MAYBE);
    giver.says_why = false;
    giver.failure = GA_ERESET; /* no connection's: not to be taken for one that broke */
    giver.at = 0;
    ga_error_clear();
    ga_auto(ga_response) untold = ga_post(session, peer_url(&peer, "/"), .body_source = REPLAYABLE(&giver));
    assert_failed(untold, GA_ERESET, "read function of .body_source failed");
    giver.fail_at = 0;
    giver.failure = GA_ETIMEDOUT;
    giver.at = 0;
    ga_auto(ga_response) late = ga_post(session, peer_url(&peer, "/"), .body_source = REPLAYABLE(&giver));
    assert_failed(late, GA_ETIMEDOUT, "read function of .body_source failed");
    assert_null(ga_error()->timeout);
    assert_int_equal(giver.rewinds, 0);
    assert_pool_at_rest(session, 0);
    peer_await(&peer.open, 0);
    assert_int_equal(peer.connections, 3);
    peer_stop(&peer);
}

CASE(a_function_that_fails_is_no_broken_connection)
{
    static const peer_step then_holds[] = {PEER_TAKE(NULL), PEER_OK("0", ""), PEER_HOLD, PEER_CLOSE};
    static const peer_step *const kept[] = {then_holds, peer_empty, NULL};
    ga_auto(ga_session) session = ga_session_new();
    test_giver giver = {.text = "0123", .failure = GA_ERESET, .says_why = true};
    peer_server peer;

    peer_start(&peer, peers, kept);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    ga_auto(ga_response) response = ga_put(session, peer_url(&peer, "/"), .body_source = REPLAYABLE(&giver));
    assert_failed(response, GA_ERESET, "the tape is torn");
    assert_int_equal(ga_error()->attempt, 1);
    assert_int_equal(giver.rewinds, 0);
    assert_int_equal(peer.connections, 1);
    assert_pool_at_rest(session, 0);
    peer_stop(&peer);
}

static ssize_t give_too_much(void *arg, void *buffer, size_t size)
{
    (void)arg;
    (void)buffer;
    return (ssize_t)size + 1;
}

CASE(a_function_that_gives_other_than_it_said_ends_the_call)
{
    ga_auto(ga_session) session = ga_session_new();
    test_giver giver = {.text = "short"};
    ga_body_source longer = {.read = give, .rewind = give_again, .arg = &giver, .size = 6};
    peer_server peer;

    peer_start(&peer, peers, always_holds);
    ga_auto(ga_response) first = ga_post(session, peer_url(&peer, "/"), .body_source = &longer);
    assert_failed(first, GA_EUSAGE, "ended after 5 bytes, and its size is 6");
    ga_auto(ga_response) second =
        ga_post(session, peer_url(&peer, "/"), .body_source = &(ga_body_source){.read = give_too_much});
    assert_failed(second, GA_EUSAGE, "room for");
    assert_pool_at_rest(session, 0);
    peer_await(&peer.open, 0);
    peer_stop(&peer);
}

/* A file that changes as soon as a connection is there. */
static const char *changing_path;
static off_t changing_size;

static bool change_file(peer_visit *visit)
{
    (void)visit;
    assert_int_equal(truncate(changing_path, changing_size), 0);
    return true;
}

static const peer_step changes[] = {PEER_GLIMPSE, PEER_CALL(change_file), PEER_HOLD, PEER_CLOSE};
static const peer_step *const always_changes[] = {changes, NULL};

FILE_CASE(a_file_that_changes_its_size_while_it_is_sent_ends_the_call)
{
    enum { SIZE = 20 << 20 };
    static const off_t sizes[] = {SIZE - 1, SIZE + 1, 0, 100000, 2 * SIZE};
    ga_auto(ga_session) session = ga_session_new();
    sample file = sample_make("");
    peer_server peer;

    peer_start(&peer, peers, always_changes);
    changing_path = file.path;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(truncate(file.path, SIZE), 0);
        changing_size = sizes[i];
        ga_auto(ga_response) response = ga_post(session, peer_url(&peer, "/"), .body_file = file.path);
        assert_failed(response, GA_ESYSTEM, "when the call began");
        assert_true(ga_error()->bytes_sent < SIZE);
        assert_pool_at_rest(session, 0);
    }
    peer_await(&peer.open, 0);
    peer_stop(&peer);
    sample_remove(&file);
}

FILE_CASE(a_file_that_goes_away_before_it_is_sent_ends_the_call)
{
    ga_auto(ga_session) session = ga_session_new();
    sample file = sample_make("text");
    test_giver giver = {.text = "0123456789", .pause = 0.01};
    peer_server peer;

    peer_start(&peer, peers, always_changes);
    changing_path = file.path;
    changing_size = 3;
    ga_auto(ga_response) response = ga_post(
        session, peer_url(&peer, "/"),
        .multipart = GA_PARTS({.name = "a", .source = GIVER(&giver)}, {.name = "b", .file = file.path}));
    assert_failed(response, GA_ESYSTEM, "has 3 bytes now, 4 when the call began");
    peer_await(&peer.open, 0);
    peer_stop(&peer);
    sample_remove(&file);
}

TIMED_CASE(the_total_timeout_bounds_a_function_too)
{
    ga_auto(ga_session) session = ga_session_new();
    test_giver giver = {.text = "0123456789", .pause = 1000};
    double start = ga_now();
    peer_server peer;

    peer_start(&peer, peers, always_holds);
    ga_auto(ga_response) response =
        ga_post(session, peer_url(&peer, "/"), .body_source = GIVER(&giver), .timeout = 5);
    assert_failed(response, GA_ETIMEDOUT, "the total timeout");
    assert_string_equal(ga_error()->timeout, "total");
    assert_int_equal(ga_error()->phase, GA_PHASE_WRITE);
    assert_true(ga_now() - start < 5.1);
    peer_await(&peer.open, 0);
    peer_stop(&peer);
}

static const char *target_url;
static ga_session *target_session;

static int post_slowly(void *arg)
{
    ga_auto(ga_response) response = ga_post(target_session, target_url, .body_source = GIVER(arg));

    assert_failed(response, GA_ECANCELED, "cancelled while sending the request");
    return 0;
}

CASE(a_cancelled_call_closes_its_connection)
{
    ga_auto(ga_session) session = ga_session_new();
    test_giver giver = {.text = "0123456789", .piece = 1, .pause = 0.01};
    peer_server peer;
    ga_group group;

    peer_start(&peer, peers, always_holds);
    target_session = session;
    target_url = peer_url(&peer, "/");
    ga_group_open(&group, GA_COLLECT);
    ga_task *task = ga_spawn(&group, post_slowly, &giver);
    assert_int_equal(ga_sleep(0.05), 0);
    ga_task_cancel(task);
    ga_group_close(&group);
    assert_true(giver.at > 0 && giver.at < 10);
    peer_await(&peer.open, 0);
    assert_pool_at_rest(session, 0);
    peer_stop(&peer);
}

CASE(an_early_answer_ends_the_function)
{
    static const peer_step refuses[] = {
        PEER_GLIMPSE, PEER_SAY("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig"), PEER_WAIT,
        PEER_CLOSE};
    static const peer_step *const scripts[] = {refuses, NULL};
    ga_auto(ga_session) session = ga_session_new();
    test_giver giver = {.text = "0123456789", .piece = 1, .pause = 0.01};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_post(session, peer_url(&peer, "/"), .body_source = GIVER(&giver));
    assert_int_equal(ga_status(response), 413);
    ga_autofree char *text = ga_text(response);
    assert_string_equal(text, "big");
    assert_true(giver.at < 10);
    assert_pool_at_rest(session, 0);
    ga_event_set(&peer.go);
    peer_stop(&peer);
}

/* --- sent again ----------------------------------------------------------------------------------- */

#define SENT_ON(status, location) \
    PEER_SAY("HTTP/1.1 " status " There\r\nLocation: " location "\r\nContent-Length: 0\r\n\r\n")

FILE_CASE(a_redirect_sends_the_body_again_or_fails)
{
    static const peer_step kept[] = {PEER_TAKE("POST /a "), SENT_ON("307", "/b"), PEER_TAKE("POST /b "),
                                     PEER_OK("0", ""), PEER_AGAIN};
    static const peer_step *const scripts[] = {kept, kept, kept, NULL};
    ga_auto(ga_session) session = ga_session_new();
    test_giver giver = {.text = "again", .piece = 2};
    sample file = sample_make("from the file");
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) once = ga_post(session, peer_url(&peer, "/a"), .body_source = GIVER(&giver));
    assert_failed(once, GA_ENOTREPLAYABLE, "307");
    assert_int_equal(peer.requests, 1);
    giver.at = 0;
    ga_auto(ga_session) other = ga_session_new();
    ga_auto(ga_response) twice = ga_post(other, peer_url(&peer, "/a"), .body_source = REPLAYABLE(&giver));
    assert_int_equal(ga_status(twice), 200);
    assert_int_equal(ga_redirects(twice), 1);
    assert_int_equal(giver.rewinds, 1);
    assert_string_equal(sent_body(&peer), "2\r\nag\r\n2\r\nai\r\n1\r\nn\r\n0\r\n\r\n");
    ga_auto(ga_response) of_file = ga_post(other, peer_url(&peer, "/a"), .body_file = file.path);
    assert_int_equal(ga_status(of_file), 200);
    assert_string_equal(sent_body(&peer), "from the file");
    giver.rewind_code = GA_ECLOSED;
    giver.at = 0;
    ga_auto(ga_response) stuck = ga_post(other, peer_url(&peer, "/a"), .body_source = REPLAYABLE(&giver));
    assert_failed(stuck, GA_ECLOSED, "rewind function of .body_source failed with GA_ECLOSED");
    peer_stop(&peer);
    sample_remove(&file);
}

CASE(a_redirect_that_drops_the_body_needs_it_no_more)
{
    static const peer_step drops[] = {PEER_TAKE("POST /a "), SENT_ON("303", "/b"), PEER_TAKE("GET /b "),
                                      PEER_OK("0", ""), PEER_AGAIN};
    static const peer_step *const scripts[] = {drops, NULL};
    ga_auto(ga_session) session = ga_session_new();
    test_giver giver = {.text = "once"};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response = ga_post(session, peer_url(&peer, "/a"), .body_source = GIVER(&giver));
    assert_int_equal(ga_status(response), 200);
    assert_null(strstr(peer.last.data, "Content-Type"));
    assert_null(strstr(peer.last.data, "chunked"));
    ga_auto(ga_response) parts =
        ga_post(session, peer_url(&peer, "/a"), .multipart = GA_PARTS({.name = "a", .value = "b"}),
                .expect_continue = 1, .timeout = 60);
    assert_int_equal(ga_status(parts), 200);
    assert_null(strstr(peer.last.data, "Content-Type"));
    assert_null(strstr(peer.last.data, "Expect"));
    peer_stop(&peer);
}

CASE(a_kept_connection_that_broke_sends_the_body_again_or_fails)
{
    static const peer_step breaks[] = {PEER_TAKE(NULL), PEER_OK("0", ""), PEER_TAKE(NULL), PEER_CLOSE};
    static const peer_step *const scripts[] = {breaks, breaks, peer_empty, NULL};
    ga_auto(ga_session) session = ga_session_new();
    test_giver giver = {.text = "again"};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    ga_auto(ga_response) once = ga_put(session, peer_url(&peer, "/"), .body_source = GIVER(&giver));
    assert_failed(once, GA_ENOTREPLAYABLE, "no rewind function");
    assert_int_equal(peer.requests, 2);
    assert_pool_at_rest(session, 0);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    giver.at = 0;
    ga_auto(ga_response) twice = ga_put(session, peer_url(&peer, "/"), .body_source = REPLAYABLE(&giver));
    assert_int_equal(ga_status(twice), 200);
    assert_int_equal(giver.rewinds, 1);
    assert_string_equal(sent_body(&peer), "5\r\nagain\r\n0\r\n\r\n");
    assert_int_equal(peer.requests, 5);
    assert_pool_at_rest(session, 1);
    peer_stop(&peer);
}

/* --- Expect: 100-continue ------------------------------------------------------------------------- */

/* Reads the head alone: nothing may have come behind it. */
static bool take_head(peer_visit *visit)
{
    char bytes[4096];
    ssize_t count = ga__stream_recv(&visit->stream, bytes, sizeof bytes, GA__NEVER);

    if (count <= 0)
        return false;
    ga__buffer_append(&visit->in, bytes, (size_t)count);
    assert_contains(visit->in.data, "\r\nExpect: 100-continue\r\n");
    assert_string_equal(visit->in.data + visit->in.size - 4, "\r\n\r\n");
    return true;
}

TIMED_CASE(a_body_waits_until_it_is_wanted)
{
    static const peer_step wants[] = {
        PEER_CALL(take_head), PEER_PAUSE(0.5),  PEER_SAY("HTTP/1.1 100 Continue\r\n\r\n"),
        PEER_TAKE(NULL),      PEER_OK("0", ""), PEER_AGAIN};
    static const peer_step *const scripts[] = {wants, NULL};
    ga_auto(ga_session) session = ga_session_new();
    test_giver giver = {.text = "given"};
    double start = ga_now();
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) text =
        ga_post(session, peer_url(&peer, "/"), .text = "wanted", .expect_continue = 1);
    assert_int_equal(ga_status(text), 200);
    assert_string_equal(sent_body(&peer), "wanted");
    ga_auto(ga_response) given =
        ga_post(session, peer_url(&peer, "/"), .body_source = GIVER(&giver), .expect_continue = 1);
    assert_int_equal(ga_status(given), 200);
    assert_string_equal(sent_body(&peer), "5\r\ngiven\r\n0\r\n\r\n");
    assert_true(ga_now() - start >= 1 && ga_now() - start < 1.1);
    assert_int_equal(peer.connections, 1);
    assert_pool_at_rest(session, 1);
    peer_stop(&peer);
}

TIMED_CASE(a_body_waits_for_a_second_at_most)
{
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    double start = ga_now();
    ga_auto(ga_response) response =
        ga_post(session, peer_url(&peer, "/"), .form = GA_PAIRS({"a", "b"}), .expect_continue = 1);
    assert_int_equal(ga_status(response), 200);
    assert_true(ga_now() - start >= 1 && ga_now() - start < 1.1);
    assert_int_equal(ga_error()->code, 0);
    ga_auto(ga_response) late =
        ga_post(session, peer_url(&peer, "/"), .text = "a", .expect_continue = 1, .timeout = 0.5);
    assert_failed(late, GA_ETIMEDOUT, "the total timeout");
    start = ga_now();
    ga_auto(ga_response) none = ga_post(session, peer_url(&peer, "/"), .text = "", .expect_continue = 1);
    assert_int_equal(ga_status(none), 200);
    assert_null(strstr(peer.last.data, "Expect"));
    assert_true(ga_now() - start < 0.1);
    peer_stop(&peer);
}

CASE(a_body_that_is_not_wanted_is_not_sent)
{
    static const peer_step refuses[] = {PEER_CALL(take_head),
                                        PEER_SAY("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno"), PEER_HOLD,
                                        PEER_CLOSE};
    static const peer_step *const scripts[] = {refuses, NULL};
    ga_auto(ga_session) session = ga_session_new();
    test_giver giver = {.text = "unread"};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response =
        ga_post(session, peer_url(&peer, "/"), .body_source = GIVER(&giver), .expect_continue = 1);
    assert_int_equal(ga_status(response), 401);
    ga_autofree char *text = ga_text(response);
    assert_string_equal(text, "no");
    assert_int_equal(giver.at, 0);
    assert_pool_at_rest(session, 0); /* the server may be waiting for the body on it */
    peer_await(&peer.open, 0);
    peer_stop(&peer);
}

CASE(a_server_that_knows_no_expectation_gets_the_request_without)
{
    static const peer_step fails[] = {PEER_CALL(take_head),
                                      PEER_SAY("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"), PEER_CLOSE};
    static const peer_step always[] = {PEER_TAKE(NULL),
                                       PEER_SAY("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"), PEER_AGAIN};
    static const peer_step *const scripts[] = {fails, peer_empty, fails, always, NULL};
    ga_auto(ga_session) session = ga_session_new(.keepalive = -1);
    test_giver giver = {.text = "once"};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_auto(ga_response) response =
        ga_post(session, peer_url(&peer, "/"), .body_source = GIVER(&giver), .expect_continue = 1);
    assert_int_equal(ga_status(response), 200);
    assert_null(strstr(peer.last.data, "Expect"));
    assert_string_equal(sent_body(&peer), "4\r\nonce\r\n0\r\n\r\n");
    ga_auto(ga_response) again = ga_post(session, peer_url(&peer, "/"), .text = "a", .expect_continue = 1);
    assert_int_equal(ga_status(again), 417);
    assert_int_equal(peer.connections, 4);
    peer_stop(&peer);
}

/* --- memory --------------------------------------------------------------------------------------- */

typedef struct test_flood {
    uint64_t left;
} test_flood;

static ssize_t give_flood(void *arg, void *buffer, size_t size)
{
    test_flood *self = arg;

    size = self->left < size ? (size_t)self->left : size;
    memset(buffer, 'x', size);
    self->left -= size;
    return (ssize_t)size;
}

static bool take_flood(peer_visit *visit)
{
    static char bytes[1 << 18];
    uint64_t *got = visit->peer->data;
    char *end = NULL;
    ssize_t count;

    for (bool body = false; (count = ga__stream_recv(&visit->stream, bytes, sizeof bytes, GA__NEVER)) > 0;) {
        if (!body) {
            end = memmem(bytes, (size_t)count, "\r\n\r\n", 4);
            assert_non_null(end);
            count -= end + 4 - bytes;
            body = true;
        }
        *got += (uint64_t)count;
        if (*got == UINT64_C(1) << 30)
            return true;
    }
    return false;
}

static long peak_memory(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss; /* KiB */
}

static int send_flood(void *arg)
{
    static const peer_step floods[] = {PEER_CALL(take_flood), PEER_OK("0", ""), PEER_CLOSE};
    static const peer_step *const scripts[] = {floods, NULL};
    ga_auto(ga_session) session = ga_session_new();
    test_flood flood = {UINT64_C(1) << 30};
    ga_body_source source = {.read = give_flood, .arg = &flood, .size = 1 << 30};
    uint64_t got = 0;
    ga_group peers;
    peer_server peer;
    long before = peak_memory();

    (void)arg;
    ga_group_open(&peers, GA_COLLECT);
    peer_start(&peer, &peers, scripts);
    peer.data = &got;
    ga_auto(ga_response) response = ga_put(session, peer_url(&peer, "/"), .body_source = &source);
    assert_int_equal(ga_status(response), 200);
    assert_true(got == UINT64_C(1) << 30);
    if (!CHECK_SANITIZED)
        assert_true(peak_memory() - before < 8 << 10);
    peer_stop(&peer);
    ga_group_close(&peers);
    return 0;
}

static void a_gigabyte_is_sent_in_constant_memory(void **state)
{
    (void)state;
    assert_int_equal(ga_run(send_flood, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_is_urlencoded),
        cmocka_unit_test(parts_are_sent_in_their_order_with_their_length),
        cmocka_unit_test(each_multipart_body_has_a_boundary_of_its_own),
        cmocka_unit_test(a_part_of_unknown_length_makes_chunks),
        cmocka_unit_test(a_file_is_sent_with_its_length),
        cmocka_unit_test(a_function_gives_chunks_or_a_known_length),
        cmocka_unit_test(what_cannot_be_sent_is_refused_before_a_connection),
        cmocka_unit_test(a_function_that_fails_ends_the_call_with_its_error),
        cmocka_unit_test(a_function_that_fails_is_no_broken_connection),
        cmocka_unit_test(a_function_that_gives_other_than_it_said_ends_the_call),
        cmocka_unit_test(a_file_that_changes_its_size_while_it_is_sent_ends_the_call),
        cmocka_unit_test(a_file_that_goes_away_before_it_is_sent_ends_the_call),
        cmocka_unit_test(the_total_timeout_bounds_a_function_too),
        cmocka_unit_test(a_cancelled_call_closes_its_connection),
        cmocka_unit_test(an_early_answer_ends_the_function),
        cmocka_unit_test(a_redirect_sends_the_body_again_or_fails),
        cmocka_unit_test(a_redirect_that_drops_the_body_needs_it_no_more),
        cmocka_unit_test(a_kept_connection_that_broke_sends_the_body_again_or_fails),
        cmocka_unit_test(a_body_waits_until_it_is_wanted),
        cmocka_unit_test(a_body_waits_for_a_second_at_most),
        cmocka_unit_test(a_body_that_is_not_wanted_is_not_sent),
        cmocka_unit_test(a_server_that_knows_no_expectation_gets_the_request_without),
        cmocka_unit_test(a_gigabyte_is_sent_in_constant_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
