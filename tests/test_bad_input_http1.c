/* SPDX-License-Identifier: MIT */
/*
 * Bad answers over HTTP/1.1, through the whole client: what a call says of each, whole, byte by byte and cut
 * at every position, on a fresh connection and on a kept one; and that a connection serves again only where
 * nothing is in doubt.
 */
#include "http1_feed.h"
#include "http1_rows.h"
#include "peer.h"

#define WHOLE SIZE_MAX
#define BYTE_BY_BYTE 0

/* What the peer says to whoever asks for /row, and how. */
typedef struct talk {
    const struct http1_row *row;
    size_t cut;  /* a pause comes there; or WHOLE, BYTE_BY_BYTE */
    bool ends;   /* the connection, behind it */
    size_t told; /* how often it has been said, or the client has gone */
} talk;

static bool say_cut(peer_visit *visit, const char *bytes, size_t size, size_t cut)
{
    for (size_t at = 0; at < size;) {
        size_t piece = cut == BYTE_BY_BYTE ? 1 : at < cut && cut < size ? cut - at : size - at;

        if (!peer_say(visit, bytes + at, piece) || ga_sleep(1e-5) < 0)
            return false;
        at += piece;
    }
    return true;
}

static bool tell(peer_visit *visit)
{
    static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext";
    talk *self = visit->peer->data;

    if (strstr(visit->request.data, " /next "))
        return peer_say(visit, good, sizeof good - 1);
    bool said = say_cut(visit, self->row->input, self->row->size, self->cut);

    self->told++;
    return said && !self->ends;
}

static const peer_step telling[] = {PEER_TAKE(NULL), PEER_CALL(tell), PEER_AGAIN};
static const peer_step *const always_telling[] = {telling, NULL};

static ga_pool_stats stats_of(const ga_session *session)
{
    ga_pool_stats stats;

    ga_session_pool(session, &stats);
    return stats;
}

static void expect_next(ga_session *session, peer_server *peer, const char *name)
{
    ga_auto(ga_response) response = ga_get(session, peer_url(peer, "/next"));
    ga_autofree char *text = ga_text(response);

    if (!text || strcmp(text, "next") != 0)
        fail_msg("behind \"%s\": %s", name, text ? text : ga_error_message());
}

/* A part of what the client says where the row fails. */
static const char *said_of(const struct http1_row *row)
{
    if (row->code == GA_EDISCONNECTED)
        return row->size == 0 ? "closed the connection without an answer" : "within the head of its answer";
    if (row->code == GA_ETRUNCATED)
        return "the body ended early: the server closed the connection after";
    return row->problem ? row->problem : "";
}

static void judge_failure(const struct http1_row *row, const talk *how, const ga_response *response,
                          const ga__buffer *body, int code)
{
    const ga_error_detail *error = ga_error();

    if (code != row->code || error->code != code || !strstr(error->message, said_of(row)))
        fail_msg("%s (cut at %zu): %s instead of %s with \"%s\": %s", row->name, how->cut, ga_code_name(code),
                 ga_code_name(row->code), said_of(row), error->message);
    if (row->body &&
        (body->size != strlen(row->body) || memcmp(body->data ? body->data : "", row->body, body->size) != 0))
        fail_msg("%s (cut at %zu): %zu bytes of the body were given", row->name, how->cut, body->size);
    assert_int_equal(error->phase, response ? GA_PHASE_READ : GA_PHASE_FIRST_BYTE);
    assert_int_equal(error->sent, row->size > 0 ? GA_SENT_ANSWERED : GA_SENT_MAYBE);
    assert_true(response || error->bytes_received <= row->size);
    assert_non_null(error->url);
}

static void judge_answer(const struct http1_row *row, const talk *how, const ga_response *response,
                         const ga__buffer *body, int code)
{
    if (code < 0)
        fail_msg("%s (cut at %zu): %s", row->name, how->cut, ga_error_message());
    if (ga_status(response) != row->status)
        fail_msg("%s (cut at %zu): status %d, not %d", row->name, how->cut, ga_status(response), row->status);
    if (row->body &&
        (body->size != strlen(row->body) || memcmp(body->data ? body->data : "", row->body, body->size) != 0))
        fail_msg("%s (cut at %zu): body \"%s\"", row->name, how->cut, body->data);
}

/* Asks for the row and reads its body. */
static void call_row(ga_session *session, peer_server *peer, const talk *how)
{
    const struct http1_row *row = how->row;
    const char *method = row->asked & GA__HTTP1_TO_HEAD ? "HEAD" : "GET";
    ga_auto(ga_response) response = ga_request(session, method, peer_url(peer, "/row"));
    ga__buffer body = GA__BUFFER_INIT;
    char piece[7];
    ssize_t count;

    while ((count = ga_read(response, piece, sizeof piece)) > 0)
        ga__buffer_append(&body, piece, (size_t)count);
    if (row->code < 0)
        judge_failure(row, how, response, &body, (int)count);
    else
        judge_answer(row, how, response, &body, (int)count);
    ga__buffer_free(&body);
}

/* One way of saying it; with `reused`, on a connection that has served before. */
static void check_talk(peer_server *peer, talk *how, const ga_session_options *options, bool reused)
{
    const struct http1_row *row = how->row;
    ga_session *session = ga_session_new_with(options);
    bool kept = row->code == GA__HTTP1_DONE && row->keep_alive && row->surplus == 0;
    bool repeated =
        reused && row->size == 0; /* a kept connection that closes without a word may have been stale */

    assert_non_null(session);
    if (reused)
        expect_next(session, peer, "nothing");
    how->told = 0;
    call_row(session, peer, how);
    peer_await(&how->told, repeated ? 2 : 1);
    assert_int_equal(ga_sleep(0.001), 0);
    if (stats_of(session).in_use + stats_of(session).waiting > 0 || stats_of(session).idle != kept)
        fail_msg("%s (cut at %zu): %zu connections idle and %zu in use afterwards", row->name, how->cut,
                 stats_of(session).idle, stats_of(session).in_use);
    peer_await(&peer->open, kept);
    expect_next(session, peer, row->name);
    assert_int_equal(stats_of(session).opened, 1 + repeated + !kept);
    ga_session_free(session);
    peer_await(&peer->open, 0);
}

static void check_row(peer_server *peer, const struct http1_row *row, const ga_session_options *options,
                      const ga__http1_limits *limits)
{
    feed_result fed = feed_response(row->input, row->size, row->asked, limits, FEED_WHOLE);
    talk how = {.row = row, .ends = fed.by_end};

    feed_free(&fed);
    if (row->asked & ~(unsigned)GA__HTTP1_TO_HEAD)
        return; /* tunnels are test_proxy's */
    peer->data = &how;
    how.cut = WHOLE;
    check_talk(peer, &how, options, false);
    check_talk(peer, &how, options, true);
    for (how.cut = BYTE_BY_BYTE; how.cut < row->size; how.cut++)
        check_talk(peer, &how, options, false);
}

static const ga_session_options usual = {.size_ = sizeof usual, .max_body = -1};

static void check_rows(ga_group *peers, const struct http1_row *rows, size_t count,
                       const ga_session_options *options, const ga__http1_limits *limits)
{
    peer_server peer;

    peer_start(&peer, peers, always_telling);
    for (size_t i = 0; i < count; i++)
        check_row(&peer, &rows[i], options, limits);
    peer_stop(&peer);
}

#define ROWS_CASE(name, rows)                                                   \
    TIMED_CASE(name)                                                            \
    {                                                                           \
        check_rows(peers, (rows), sizeof(rows) / sizeof *(rows), &usual, NULL); \
    }

ROWS_CASE(status_lines, status_line_rows)
ROWS_CASE(header_lines, header_line_rows)
ROWS_CASE(the_end_of_the_connection, connection_end_rows)
ROWS_CASE(content_length, content_length_rows)
ROWS_CASE(transfer_encoding, transfer_encoding_rows)
ROWS_CASE(chunks, chunk_rows)
ROWS_CASE(trailers, trailer_rows)
ROWS_CASE(keep_alive, keep_alive_rows)
ROWS_CASE(interim_answers, interim_rows)
ROWS_CASE(answers_without_a_body, bodyless_rows)

TIMED_CASE(lone_symbols_anywhere)
{
    peer_server peer;

    peer_start(&peer, peers, always_telling);
    for (size_t place = 0; place < LONE_PLACES; place++) {
        for (size_t symbol = 0; symbol < LONE_SYMBOLS; symbol++) {
            ga__buffer input = lone_input(place, symbol);
            feed_result fed = feed_response(input.data, input.size, 0, NULL, FEED_WHOLE);
            struct http1_row row = {.name = lone_places[place].before,
                                    .input = input.data,
                                    .size = input.size,
                                    .code = fed.code,
                                    .body = fed.code < 0 ? NULL : fed.body.data,
                                    .status = fed.status,
                                    .keep_alive = fed.keep_alive,
                                    .surplus = fed.surplus};

            assert_int_equal(fed.code > 0, lone_places[place].outcome[symbol] == 'o');
            check_row(&peer, &row, &usual, NULL);
            feed_free(&fed);
            ga__buffer_free(&input);
        }
    }
    peer_stop(&peer);
}

/* --- limits, which are options -------------------------------------------------------------------- */

TIMED_CASE(heads_beyond_the_limits)
{
    static const ga_session_options options = {
        .size_ = sizeof options, .max_head = 100, .max_field = 40, .max_fields = 4, .max_interim = 3};
    ga__http1_limits limits = ga__http1_defaults;

    limits.head = (ga__headers_limits){.max_size = 100, .max_line = 40, .max_fields = 4};
    limits.max_interim = 3;
    check_rows(peers, head_limit_rows, sizeof head_limit_rows / sizeof *head_limit_rows, &options, &limits);
}

TIMED_CASE(trailers_and_extensions_beyond_the_limits)
{
    static const struct http1_row rows[] = {
        KEEPS("trailers of 20", CHUNKED "0\r\na: b\r\nc: 3456789\r\n\r\n", 200, ""),
        FAILS("trailers of 21", CHUNKED "0\r\na: b\r\nc: 34567890\r\n\r\n", GA_EHEADTOOBIG, ""),
        KEEPS("20 bytes of extensions", CHUNKED "1;2345\r\na\r\n1;2345\r\nb\r\n0;234567890123\r\n\r\n", 200,
              "ab"),
        IS_BAD("21 bytes of extensions", CHUNKED "1;2345\r\na\r\n1;2345\r\nb\r\n0;2345678901234\r\n\r\n",
               "extensions"),
    };
    static const ga_session_options options = {.size_ = sizeof options, .max_trailers = 20};
    ga__http1_limits limits = ga__http1_defaults;

    limits.chunked.trailers.max_size = limits.chunked.max_extensions = 20;
    check_rows(peers, rows, sizeof rows / sizeof *rows, &options, &limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_lines),
        cmocka_unit_test(header_lines),
        cmocka_unit_test(the_end_of_the_connection),
        cmocka_unit_test(content_length),
        cmocka_unit_test(transfer_encoding),
        cmocka_unit_test(chunks),
        cmocka_unit_test(trailers),
        cmocka_unit_test(keep_alive),
        cmocka_unit_test(interim_answers),
        cmocka_unit_test(answers_without_a_body),
        cmocka_unit_test(lone_symbols_anywhere),
        cmocka_unit_test(heads_beyond_the_limits),
        cmocka_unit_test(trailers_and_extensions_beyond_the_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
