/* SPDX-License-Identifier: MIT */
/* Content codings through the client: bodies that are decoded on the way, and those of requests that are
 * compressed.
 */
#include "peer.h"

#include "client/response.h"
#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "task/loop.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* --- a peer that answers with content in a coding --------------------------------------------------- */

typedef enum framing { LENGTH, CHUNKED, CLOSE, FRAMINGS } framing;

typedef struct answer {
    const char *status; /* "200 OK" where left out */
    const char *lines;  /* "Content-Encoding: gzip\r\n" */
    ga__buffer body;    /* coded already */
    size_t claimed;     /* of Content-Length, where it is not the body's */
    framing framing;
    size_t piece; /* sent at once; 0: all with the head */
    double pause; /* between two pieces */
} answer;

static bool say_head(peer_visit *visit, const answer *what, ga__buffer *out)
{
    ga__buffer_printf(out, "HTTP/1.1 %s\r\n%s", what->status ? what->status : "200 OK",
                      what->lines ? what->lines : "");
    if (what->framing == LENGTH)
        ga__buffer_printf(out, "Content-Length: %zu\r\n", what->claimed ? what->claimed : what->body.size);
    if (what->framing == CHUNKED)
        ga__buffer_add(out, "Transfer-Encoding: chunked\r\n");
    ga__buffer_add(out, "\r\n");
    bool fine = what->piece == 0 || peer_say(visit, out->data, out->size);

    if (what->piece > 0)
        ga__buffer_clear(out);
    return fine;
}

static bool say_answer(peer_visit *visit)
{
    const answer *what = visit->peer->data;
    ga__buffer out = GA__BUFFER_INIT;
    bool fine = say_head(visit, what, &out);

    for (size_t at = 0, size; fine && at < what->body.size; at += size) {
        size = what->piece && what->piece < what->body.size - at ? what->piece : what->body.size - at;
        if (at > 0)
            ga_sleep(what->pause);
        if (what->framing == CHUNKED)
            ga__buffer_printf(&out, "%zx\r\n", size);
        ga__buffer_append(&out, what->body.data + at, size);
        if (what->framing == CHUNKED)
            ga__buffer_add(&out, "\r\n");
        if (what->piece > 0) {
            fine = peer_say(visit, out.data, out.size);
            ga__buffer_clear(&out);
        }
    }
    if (what->framing == CHUNKED)
        ga__buffer_add(&out, "0\r\n\r\n");
    fine = fine && peer_say(visit, out.data, out.size) && what->framing != CLOSE && !what->claimed;
    ga__buffer_free(&out);
    return fine;
}

static const peer_step answers_script[] = {PEER_TAKE(NULL), PEER_CALL(say_answer), PEER_AGAIN};
static const peer_step *const answers[] = {answers_script, NULL};

static void start(peer_server *peer, ga_group *group, answer *what)
{
    peer_start(peer, group, answers);
    peer->data = what;
}

static const struct {
    const char *lines;
    ga__coding coding;
} all[] = {
    {"Content-Encoding: gzip\r\n", GA__CODING_GZIP},
    {"Content-Encoding: deflate\r\n", GA__CODING_DEFLATE},
    {"Content-Encoding: br\r\n", GA__CODING_BROTLI},
    {"Content-Encoding: zstd\r\n", GA__CODING_ZSTD},
};
enum { ALL = sizeof all / sizeof *all };

/* An answer with the text in one of the codings. */
static answer coded(size_t i, const void *text, size_t size)
{
    answer what = {.lines = all[i].lines};

    ga__encode(&what.body, all[i].coding, text, size);
    assert_false(what.body.failed);
    return what;
}

#define HELLO "{\"hello\": [\"world\", \"world\", \"world\", \"world\"]}"

/* Bytes that hardly compress. */
static char *make_noise(size_t size)
{
    char *noise = malloc(size);
    uint64_t seed = 1;

    assert_non_null(noise);
    for (size_t i = 0; i < size; i++)
        noise[i] = (char)((seed = seed * 6364136223846793005u + 1442695040888963407u) >> 56);
    return noise;
}

/* --- what is right -------------------------------------------------------------------------------- */

CASE(every_coding_in_every_framing_gives_the_same_body)
{
    for (size_t i = 0; i < ALL * FRAMINGS * 2; i++) {
        answer what = coded(i % ALL, HELLO, sizeof HELLO - 1);
        ga_auto(ga_session) session = ga_session_new();
        char pieces[sizeof HELLO + 10] = "";
        size_t size, read = 0;
        ssize_t count;
        ga_group group;
        peer_server peer;

        what.framing = (framing)(i / ALL % FRAMINGS);
        what.piece = i / ALL / FRAMINGS ? 7 : 0;
        ga_group_open(&group, GA_COLLECT);
        start(&peer, &group, &what);
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
        assert_string_equal(ga_body(response, &size), HELLO);
        assert_int_equal(size, sizeof HELLO - 1);
        assert_contains(all[i % ALL].lines, ga_header(response, "Content-Encoding"));
        ga_autofree char *text = ga_text(response);
        assert_string_equal(text, HELLO);
        json_t *json = ga_json(response);
        assert_int_equal(json_array_size(json_object_get(json, "hello")), 4);
        json_decref(json);

        ga_auto(ga_response) again = ga_get(session, peer_url(&peer, "/"));
        while ((count = ga_read(again, pieces + read, 3)) > 0)
            read += (size_t)count;
        assert_int_equal(count, 0);
        assert_int_equal(ga_read(again, pieces, 3), 0);
        assert_string_equal(pieces, HELLO);
        assert_non_null(ga_body(again, &size));
        assert_int_equal(size, 0);
        assert_int_equal(stats_of(session).in_use, 0);
        assert_int_equal(stats_of(session).idle, what.framing == CLOSE ? 0 : 1);
        peer_stop(&peer);
        ga_group_close(&group);
        ga__buffer_free(&what.body);
    }
}

CASE(large_content_comes_whole_and_in_pieces)
{
    enum { SIZE = 3 << 20 };
    ga_autofree char *noise = make_noise(SIZE);
    ga_autofree char *copy = malloc(SIZE + 1);

    memset(noise + SIZE / 2, 'x', SIZE / 4);
    for (size_t i = 0; i < ALL; i++) {
        answer what = coded(i, noise, SIZE);
        ga_auto(ga_session) session = ga_session_new();
        size_t size, read = 0;
        ssize_t count;
        ga_group group;
        peer_server peer;

        what.framing = i % 2 ? CHUNKED : LENGTH;
        ga_group_open(&group, GA_COLLECT);
        start(&peer, &group, &what);
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
        const char *body = ga_body(response, &size);
        assert_int_equal(size, SIZE);
        assert_memory_equal(body, noise, SIZE);
        ga_auto(ga_response) again = ga_get(session, peer_url(&peer, "/"));
        while ((count = ga_read(again, copy + read, read < SIZE / 2 ? 5000 : SIZE + 1 - read)) > 0) {
            read += (size_t)count;
            assert_true(again->capacity <= GA__LENT_SIZE); /* what came with the head, at most */
        }
        assert_int_equal(count, 0);
        assert_int_equal(read, SIZE);
        assert_memory_equal(copy, noise, SIZE);
        assert_int_equal(peer.connections, 1);
        peer_stop(&peer);
        ga_group_close(&group);
        ga__buffer_free(&what.body);
    }
}

CASE(content_that_nobody_reads_stays_at_the_server)
{
    enum { SIZE = 32 << 20 };
    ga_autofree char *noise = make_noise(SIZE);
    answer what = coded(3, noise, SIZE);
    ga_auto(ga_session) session = ga_session_new();
    char piece[1000];
    size_t read = 0;
    peer_server peer;

    what.piece = 1 << 20;
    start(&peer, peers, &what);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    while (read < 200000) {
        ssize_t count = ga_read(response, piece, sizeof piece);

        assert_true(count > 0);
        assert_memory_equal(piece, noise + read, (size_t)count);
        read += (size_t)count;
        assert_true(response->capacity <= GA__LENT_SIZE);
    }
    assert_true(response->progress.bytes_received < 1 << 20);
    peer_stop(&peer);
    ga__buffer_free(&what.body);
}

CASE(codings_are_undone_in_the_order_of_all_fields)
{
    answer what = {.lines = "Content-Encoding: gzip, identity\r\nX: y\r\ncontent-encoding: X-GZIP ,br\r\n"};
    ga__buffer once = GA__BUFFER_INIT, twice = GA__BUFFER_INIT;
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    ga__encode(&once, GA__CODING_GZIP, HELLO, sizeof HELLO - 1);
    ga__encode(&twice, GA__CODING_GZIP, once.data, once.size);
    ga__encode(&what.body, GA__CODING_BROTLI, twice.data, twice.size);
    start(&peer, peers, &what);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    assert_string_equal(ga_body(response, NULL), HELLO);
    peer_stop(&peer);
    ga__buffer_free(&once);
    ga__buffer_free(&twice);
    ga__buffer_free(&what.body);
}

CASE(where_there_is_no_body_there_is_nothing_to_decode)
{
    static const char *const statuses[] = {"204 No Content", "304 Not Modified", "200 OK", "200 OK",
                                           "200 OK"};
    ga_auto(ga_session) session = ga_session_new();
    size_t size;

    for (size_t i = 0; i < 5; i++) { /* without framing; HEAD; an empty body in two framings */
        answer what = {.status = statuses[i],
                       .lines = i == 2 ? "Content-Encoding: gzip\r\nContent-Length: 100\r\n"
                                       : "Content-Encoding: gzip\r\n",
                       .framing = i < 3    ? FRAMINGS
                                  : i == 3 ? LENGTH
                                           : CHUNKED};
        ga_group group;
        peer_server peer;

        ga_group_open(&group, GA_COLLECT);
        start(&peer, &group, &what);
        ga_auto(ga_response) response = ga_request(session, i == 2 ? "HEAD" : "GET", peer_url(&peer, "/"));
        assert_string_equal(ga_header(response, "Content-Encoding"), "gzip");
        assert_string_equal(ga_body(response, &size), "");
        assert_int_equal(size, 0);
        assert_int_equal(ga_read(response, &size, sizeof size), 0);
        assert_int_equal(stats_of(session).idle, 1);
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

/* --- what is not decoded -------------------------------------------------------------------------- */

CASE(codings_are_offered_unless_the_caller_says_otherwise)
{
    static const char offer[] = "\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n";
    answer what = {.framing = LENGTH};
    ga_auto(ga_session) session = ga_session_new();
    ga_auto(ga_session) raw = ga_session_new(.no_decompress = 1);
    ga_auto(ga_session) own = ga_session_new(.headers = GA_PAIRS({"accept-encoding", "br"}));
    peer_server peer;

    start(&peer, peers, &what);
    ga_response_free(ga_get(session, peer_url(&peer, "/")));
    assert_contains(peer.last.data, offer);
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .headers = GA_PAIRS({"X", "y"})));
    assert_contains(peer.last.data, offer);
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .no_decompress = 1));
    assert_null(strstr(peer.last.data, "Accept-Encoding"));
    assert_contains(peer.last.data, "\r\nAccept: */*\r\n");
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .headers = GA_PAIRS({"range", "bytes=0-9"})));
    assert_null(strstr(peer.last.data, "Accept-Encoding"));
    ga_response_free(ga_get(session, peer_url(&peer, "/"), .headers = GA_PAIRS({"ACCEPT-ENCODING", "gzip"})));
    assert_contains(peer.last.data, "\r\nACCEPT-ENCODING: gzip\r\n");
    assert_null(strstr(peer.last.data, offer));
    ga_response_free(ga_get(raw, peer_url(&peer, "/")));
    assert_null(strstr(peer.last.data, "Accept-Encoding"));
    ga_response_free(ga_get(own, peer_url(&peer, "/"), .no_decompress = 1));
    assert_contains(peer.last.data, "\r\naccept-encoding: br\r\n");
    assert_null(strstr(peer.last.data, offer));
    peer_stop(&peer);
}

CASE(bodies_come_as_they_are_where_they_are_not_to_be_decoded)
{
    ga_auto(ga_session) session = ga_session_new();
    ga_auto(ga_session) raw = ga_session_new(.no_decompress = 1);
    size_t size;

    for (size_t i = 0; i < 5; i++) {
        answer what = coded(0, HELLO, sizeof HELLO - 1);
        ga_group group;
        peer_server peer;

        if (i == 2)
            what.lines = "Content-Encoding: gzip, aes128gcm\r\n";
        if (i == 3)
            what.lines = "Content-Encoding: compress\r\n";
        if (i == 4)
            what.status = "206 Partial Content";
        ga_group_open(&group, GA_COLLECT);
        start(&peer, &group, &what);
        ga_auto(ga_response) response =
            ga_get(i == 0 ? raw : session, peer_url(&peer, "/"), .no_decompress = i == 1);
        const char *body = ga_body(response, &size);
        assert_int_equal(size, what.body.size);
        assert_memory_equal(body, what.body.data, size);
        peer_stop(&peer);
        ga_group_close(&group);
        ga__buffer_free(&what.body);
    }
}

/* --- what is wrong -------------------------------------------------------------------------------- */

/* What reads of the body say, and how much they gave before. */
static void assert_fails(answer *what, int code, const char *message, size_t before, size_t idle)
{
    ga_auto(ga_session) session = ga_session_new();
    char piece[64];
    ssize_t count;
    size_t read = 0;
    ga_group group;
    peer_server peer;

    ga_group_open(&group, GA_COLLECT);
    start(&peer, &group, what);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/x"));
    assert_int_equal(ga_status(response), 200);
    for (int n = 0; n < 2; n++) {
        ga_error_clear();
        assert_null(ga_text(response));
        assert_int_equal(ga_error()->code, code);
        assert_contains(ga_error_message(), message);
        assert_contains(ga_error_message(), peer_url(&peer, "/x"));
        assert_int_equal(ga_error()->phase, code == GA_EDECODE ? GA_PHASE_DECODE : GA_PHASE_READ);
        assert_int_equal(ga_error()->status, 200);
    }
    assert_int_equal(stats_of(session).in_use, 0);
    assert_int_equal(stats_of(session).idle, idle);
    ga_auto(ga_response) again = ga_get(session, peer_url(&peer, "/x"));
    while ((count = ga_read(again, piece, sizeof piece)) > 0)
        read += (size_t)count;
    assert_int_equal(count, code);
    assert_int_equal(read, before);
    assert_int_equal(ga_read(again, piece, sizeof piece), code);
    peer_stop(&peer);
    ga_group_close(&group);
}

CASE(broken_content_fails_with_what_is_wrong)
{
    const size_t whole = sizeof HELLO - 1;

    for (size_t i = 0; i < ALL; i++) {
        answer what = coded(i, HELLO, whole);

        ga__buffer_add(&what.body, "garbage");
        assert_fails(&what, GA_EDECODE, "cannot be decoded", whole, 1);
        ga__buffer_free(&what.body);
        ga__buffer_add(&what.body, "<html>");
        assert_fails(&what, GA_EDECODE, ga__coding_name(all[i].coding), 0, 1);
        ga__buffer_free(&what.body);
    }
    answer what = coded(0, HELLO, whole);

    what.body.data[what.body.size - 5] ^= 1;
    assert_fails(&what, GA_EDECODE, "gzip: incorrect data check", whole, 1);
    ga__buffer_add(&what.body, "and what follows");
    what.framing = CHUNKED;
    what.piece = 5;
    what.pause = 0.001;
    assert_fails(&what, GA_EDECODE, "gzip: incorrect data check", whole, 0);
    ga__buffer_free(&what.body);
    what = coded(0, HELLO, whole);
    what.lines = "Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip\r\n";
    assert_fails(&what, GA_EDECODE, "more than five codings", 0, 1);
    ga__buffer_free(&what.body);
}

CASE(what_ends_early_says_whether_the_coding_did_or_the_connection)
{
    answer what = coded(0, HELLO, sizeof HELLO - 1);

    what.body.size -= 8;
    assert_fails(&what, GA_EDECODE, "it ends too early", sizeof HELLO - 1, 1);
    what.claimed = what.body.size + 8;
    assert_fails(&what, GA_ETRUNCATED, "ended early", sizeof HELLO - 1, 0);
    what.claimed = 0;
    what.framing = CLOSE;
    assert_fails(&what, GA_EDECODE, "it ends too early", sizeof HELLO - 1, 0);
    ga__buffer_free(&what.body);
}

/* --- limits --------------------------------------------------------------------------------------- */

CASE(bombs_are_stopped_and_may_be_allowed)
{
    enum { SIZE = 10 << 20 };
    ga_autofree char *zeros = calloc(1, SIZE);
    ga_auto(ga_session) session = ga_session_new();
    ga_auto(ga_session) bold = ga_session_new(.max_ratio = -1);
    answer what = {.lines = "Content-Encoding: gzip, gzip\r\n"};
    ga__buffer once = GA__BUFFER_INIT;
    size_t size;
    peer_server peer;

    ga__encode(&once, GA__CODING_GZIP, zeros, SIZE);
    ga__encode(&what.body, GA__CODING_GZIP, once.data, once.size);
    start(&peer, peers, &what);
    ga_auto(ga_response) stopped = ga_get(session, peer_url(&peer, "/"));
    assert_null(ga_body(stopped, &size));
    assert_int_equal(ga_error()->code, GA_EDECODE);
    assert_contains(ga_error_message(), "max_ratio");
    ga_auto(ga_response) allowed = ga_get(session, peer_url(&peer, "/"), .max_ratio = 10 << 20);
    assert_non_null(ga_body(allowed, &size));
    assert_int_equal(size, SIZE);
    ga_auto(ga_response) unlimited = ga_get(bold, peer_url(&peer, "/"));
    assert_non_null(ga_body(unlimited, &size));
    assert_int_equal(size, SIZE);
    ga_auto(ga_response) limited = ga_get(bold, peer_url(&peer, "/"), .max_ratio = 1);
    assert_null(ga_body(limited, &size));
    assert_int_equal(ga_error()->code, GA_EDECODE);
    peer_stop(&peer);
    ga__buffer_free(&once);
    ga__buffer_free(&what.body);
}

CASE(max_body_counts_what_was_decoded)
{
    enum { SIZE = 100000 };
    ga_autofree char *noise = make_noise(SIZE);
    ga_autofree char *copy = malloc(SIZE);

    for (size_t i = 0; i < ALL; i++) {
        answer what = coded(i, noise, SIZE);
        ga_auto(ga_session) session = ga_session_new(.max_body = SIZE);
        size_t size, read = 0;
        ssize_t count;
        ga_group group;
        peer_server peer;

        ga_group_open(&group, GA_COLLECT);
        start(&peer, &group, &what);
        ga_auto(ga_response) fits = ga_get(session, peer_url(&peer, "/"));
        assert_non_null(ga_body(fits, &size));
        assert_int_equal(size, SIZE);
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"), .max_body = SIZE - 1);
        for (int n = 0; n < 2; n++) {
            assert_null(ga_body(response, &size));
            assert_int_equal(ga_error()->code, GA_ETOOLARGE);
            assert_contains(ga_error_message(), "99999");
        }
        while ((count = ga_read(response, copy + read, SIZE / 7)) > 0) /* as the message advises */
            read += (size_t)count;
        assert_int_equal(count, 0);
        assert_int_equal(read, SIZE);
        assert_memory_equal(copy, noise, SIZE);
        peer_stop(&peer);
        ga_group_close(&group);
        ga__buffer_free(&what.body);
    }
}

/* --- time and memory ------------------------------------------------------------------------------ */

TIMED_CASE(a_wait_that_timed_out_can_be_waited_again)
{
    answer what = coded(0, HELLO, sizeof HELLO - 1);
    ga_auto(ga_session) session = ga_session_new(.read_timeout = 1);
    char piece[sizeof HELLO] = "";
    size_t read = 0;
    ssize_t count;
    peer_server peer;

    what.piece = what.body.size / 2;
    what.pause = 1.5;
    start(&peer, peers, &what);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    assert_null(ga_body(response, NULL));
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, "read");
    assert_string_equal(ga_body(response, NULL) ? ga_body(response, NULL) : "", HELLO);
    ga_auto(ga_response) other = ga_get(session, peer_url(&peer, "/"));
    assert_null(ga_body(other, NULL));
    while ((count = ga_read(other, piece + read, 4)) > 0) /* begins with what ga_body decoded */
        read += (size_t)count;
    assert_int_equal(count, 0);
    assert_string_equal(piece, HELLO);
    peer_stop(&peer);
    ga__buffer_free(&what.body);
}

static int count_turns(void *arg)
{
    size_t *turns = arg;

    while (ga_yield() == 0)
        ++*turns;
    return 0;
}

CASE(decoding_much_lets_others_run)
{
    enum { SIZE = 20 << 20 };
    ga_autofree char *zeros = calloc(1, SIZE);
    answer what = coded(0, zeros, SIZE);
    ga_auto(ga_session) session = ga_session_new(.max_ratio = -1);
    size_t size, turns = 0;
    ga_group group;
    peer_server peer;

    start(&peer, peers, &what);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    ga_group_open(&group, GA_COLLECT);
    ga_spawn(&group, count_turns, &turns);
    assert_non_null(ga_body(response, &size));
    assert_int_equal(size, SIZE);
    assert_true(turns >= 4);
    ga_group_cancel(&group);
    ga_gather(&group);
    ga_group_close(&group);
    peer_stop(&peer);
    ga__buffer_free(&what.body);
}

CASE(there_is_a_state_only_while_a_body_is_decoded)
{
    answer what = coded(0, HELLO, sizeof HELLO - 1);
    ga_auto(ga_session) session = ga_session_new();
    const void *spare = NULL;
    char byte;
    peer_server peer;

    start(&peer, peers, &what);
    for (int i = 0; i < 3; i++) {
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
        const ga__decoder_spares *spares = ga__loop_here->decoders;

        assert_null(response->content);
        assert_int_equal(ga_read(response, &byte, 1), 1);
        assert_non_null(response->content);
        if (i > 0)
            assert_null(spares->inflate);
        assert_non_null(ga_body(response, NULL));
        assert_null(response->content);
        spares = ga__loop_here->decoders;
        if (i > 0)
            assert_ptr_equal(spares->inflate, spare);
        spare = spares->inflate;
        assert_non_null(spare);
    }
    ga_auto(ga_response) left = ga_get(session, peer_url(&peer, "/"));
    assert_int_equal(ga_read(left, &byte, 1), 1); /* and no further */
    peer_stop(&peer);
    ga__buffer_free(&what.body);
}

static ga_response *left;

static int leave_a_response(void *arg)
{
    static char text[100000];
    answer what = coded(0, text, sizeof text);
    ga_auto(ga_session) session = ga_session_new();
    char byte;
    ga_group group;
    peer_server peer;

    (void)arg;
    ga_group_open(&group, GA_COLLECT);
    start(&peer, &group, &what);
    left = ga_get(session, peer_url(&peer, "/"));
    assert_int_equal(ga_read(left, &byte, 1), 1);
    assert_non_null(left->content);
    peer_stop(&peer);
    ga_group_close(&group);
    ga__buffer_free(&what.body);
    return 0;
}

static void a_response_may_outlive_its_loop_while_it_is_decoded(void **state)
{
    (void)state;
    assert_int_equal(ga_run(leave_a_response, NULL), 0);
    ga_response_free(left);
}

/* --- requests ------------------------------------------------------------------------------------- */

/* What the peer was sent last, decoded. */
static void assert_sent(const peer_server *peer, ga__coding coding, const char *text, size_t size)
{
    const char *body = strstr(peer->last.data, "\r\n\r\n") + 4;
    size_t body_size = peer->last.size - (size_t)(body - peer->last.data);
    ga__codings codings = {.count = 1, .coding = {(uint8_t)coding}};
    ga__buffer line = GA__BUFFER_INIT;
    char *out = malloc(size + 1);
    ga__decoder_io io = {body, body_size, out, size + 1};
    ga__decoder decoder;

    ga__buffer_printf(&line, "\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n",
                      ga__coding_name(coding), body_size);
    assert_contains(peer->last.data, line.data);
    assert_int_equal(ga__decoder_begin(&decoder, &codings, 0, NULL), 0);
    assert_int_equal(ga__decoder_run(&decoder, &io, true), 0);
    assert_int_equal(ga__decoder_finish(&decoder), 0);
    ga__decoder_end(&decoder);
    assert_int_equal(io.out_size, 1);
    assert_memory_equal(out, text, size);
    ga__buffer_free(&line);
    free(out);
}

CASE(bodies_of_requests_are_compressed_on_demand)
{
    static const char *const names[] = {"gzip", "deflate", "BR", "zstd"};
    answer what = {.framing = LENGTH};
    ga_auto(ga_session) session = ga_session_new();
    ga_auto(ga_session) always = ga_session_new(.compress = "zstd");
    peer_server peer;

    start(&peer, peers, &what);
    for (size_t i = 0; i < ALL; i++) {
        ga_response_free(ga_post(session, peer_url(&peer, "/"), .json_text = HELLO, .compress = names[i]));
        assert_sent(&peer, all[i].coding, HELLO, sizeof HELLO - 1);
        assert_contains(peer.last.data, "\r\nContent-Type: application/json\r\n");
    }
    json_t *json = json_pack("{s:i}", "a", 1);
    ga_response_free(ga_put(always, peer_url(&peer, "/"), .json = json));
    json_decref(json);
    assert_sent(&peer, GA__CODING_ZSTD, "{\"a\":1}", 7);
    ga_response_free(ga_post(always, peer_url(&peer, "/"), .text = "x", .compress = "identity"));
    assert_contains(peer.last.data, "\r\nContent-Length: 1\r\n\r\nx");
    ga_response_free(ga_post(always, peer_url(&peer, "/"), .text = "x",
                             .headers = GA_PAIRS({"content-encoding", "rot13"})));
    assert_contains(peer.last.data, "\r\ncontent-encoding: rot13\r\n");
    assert_contains(peer.last.data, "\r\nContent-Length: 1\r\n\r\nx");
    ga_response_free(ga_post(always, peer_url(&peer, "/"), .text = ""));
    ga_response_free(ga_get(always, peer_url(&peer, "/")));
    assert_null(strstr(peer.last.data, "Content-Encoding"));
    assert_null(ga_post(session, peer_url(&peer, "/"), .text = "x", .compress = "lzma"));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_contains(ga_error_message(), ".compress");
    assert_null(ga_session_new(.compress = "lzma"));
    assert_int_equal(ga_error()->code, GA_EUSAGE);
    assert_int_equal(stats_of(session).in_use + stats_of(always).in_use, 0);
    peer_stop(&peer);
}

static int post_large(void *arg)
{
    enum { SIZE = 1 << 20 };
    ga_autofree char *noise = make_noise(SIZE);
    answer what = {.framing = LENGTH};
    ga_auto(ga_session) session = ga_session_new();
    ga_group group;
    peer_server peer;

    (void)arg;
    memset(noise, 'x', SIZE / 2);
    ga_group_open(&group, GA_COLLECT);
    start(&peer, &group, &what);
    ga_response_free(
        ga_post(session, peer_url(&peer, "/"), .body = noise, .body_size = SIZE, .compress = "gzip"));
    assert_sent(&peer, GA__CODING_GZIP, noise, SIZE);
    assert_true(peer.last.size < SIZE * 3 / 4);
    peer_stop(&peer);
    ga_group_close(&group);
    return 0;
}

/* In a thread, which the virtual clock does not wait for: on the real loop alone. */
static void large_bodies_of_requests_are_compressed_too(void **state)
{
    (void)state;
    assert_int_equal(ga_run(post_large, NULL), 0);
}

CASE(a_redirect_takes_the_compressed_body_along_or_leaves_it)
{
    static const peer_step redirects[] = {
        PEER_TAKE("POST /307"),
        PEER_SAY("HTTP/1.1 307 There\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n"),
        PEER_TAKE("POST /a"),
        PEER_OK("0", ""),
        PEER_WAIT,
        PEER_TAKE("POST /303"),
        PEER_SAY("HTTP/1.1 303 There\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"),
        PEER_TAKE("GET /b"),
        PEER_OK("0", ""),
        PEER_HOLD};
    static const peer_step *const scripts[] = {redirects, NULL};
    ga_auto(ga_session) session = ga_session_new(.compress = "br");
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_response_free(ga_post(session, peer_url(&peer, "/307"), .text = HELLO));
    assert_sent(&peer, GA__CODING_BROTLI, HELLO, sizeof HELLO - 1);
    ga_event_set(&peer.go);
    ga_response_free(ga_post(session, peer_url(&peer, "/303"), .text = HELLO));
    assert_int_equal(peer.requests, 4);
    assert_null(strstr(peer.last.data, "Content-Encoding"));
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_coding_in_every_framing_gives_the_same_body),
        cmocka_unit_test(large_content_comes_whole_and_in_pieces),
        cmocka_unit_test(content_that_nobody_reads_stays_at_the_server),
        cmocka_unit_test(codings_are_undone_in_the_order_of_all_fields),
        cmocka_unit_test(where_there_is_no_body_there_is_nothing_to_decode),
        cmocka_unit_test(codings_are_offered_unless_the_caller_says_otherwise),
        cmocka_unit_test(bodies_come_as_they_are_where_they_are_not_to_be_decoded),
        cmocka_unit_test(broken_content_fails_with_what_is_wrong),
        cmocka_unit_test(what_ends_early_says_whether_the_coding_did_or_the_connection),
        cmocka_unit_test(bombs_are_stopped_and_may_be_allowed),
        cmocka_unit_test(max_body_counts_what_was_decoded),
        cmocka_unit_test(a_wait_that_timed_out_can_be_waited_again),
        cmocka_unit_test(decoding_much_lets_others_run),
        cmocka_unit_test(there_is_a_state_only_while_a_body_is_decoded),
        cmocka_unit_test(a_response_may_outlive_its_loop_while_it_is_decoded),
        cmocka_unit_test(bodies_of_requests_are_compressed_on_demand),
        cmocka_unit_test(large_bodies_of_requests_are_compressed_too),
        cmocka_unit_test(a_redirect_takes_the_compressed_body_along_or_leaves_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
