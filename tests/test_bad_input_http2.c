/* SPDX-License-Identifier: MIT */
/*
 * Bad answers over HTTP/2, through the whole client: what a call says of each, whole, byte by byte and cut at
 * every position, on a fresh connection and on one that has served before; and whether the connection lives
 * on. A stream that fails alone leaves it, all else ends it.
 */
#include "http2_rows.h"
#include "peer.h"

#include "protocol/encoder.h"

enum { WHOLE = SIZE_MAX, BYTE_BY_BYTE = 0 };

/* What the peer says to the request that it is to answer badly; to others it says "next". */
typedef struct talk {
    const http2_row *row;
    bool (*call)(peer_visit *visit, uint32_t id); /* instead of the row, after SETTINGS */
    size_t cut;                                   /* a pause comes there; or WHOLE, BYTE_BY_BYTE */
    bool now;                                     /* the next request is the one */
    bool told;                                    /* it has been said, or the client has gone */
    int requests;
    uint32_t reset;  /* the error of the client's last RST_STREAM; none: UINT32_MAX */
    uint32_t goaway; /* the same of GOAWAY */
} talk;

/* --- a peer that sends exact frames --------------------------------------------------------------- */

static uint32_t number_at(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;

    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Makes sure that so many bytes are there. */
static bool receive(peer_visit *visit, size_t size)
{
    char bytes[4096];

    while (visit->in.size < size) {
        ssize_t count = ga__stream_recv(&visit->stream, bytes, sizeof bytes, GA__NEVER);

        if (count <= 0)
            return false;
        ga__buffer_append(&visit->in, bytes, (size_t)count);
    }
    return true;
}

static bool say_cut(peer_visit *visit, const ga__buffer *bytes, size_t cut)
{
    for (size_t at = 0; at < bytes->size;) {
        size_t piece = cut == BYTE_BY_BYTE ? 1 : at < cut && cut < bytes->size ? cut - at : bytes->size - at;

        if (!peer_say(visit, bytes->data + at, piece) || ga_sleep(1e-5) < 0)
            return false;
        at += piece;
    }
    return true;
}

static bool say_frame(peer_visit *visit, const http2_frame *frame, uint32_t id)
{
    ga__buffer bytes = GA__BUFFER_INIT;

    http2_add_frame(&bytes, frame, id);
    bool said = peer_say(visit, bytes.data, bytes.size);

    ga__buffer_free(&bytes);
    return said;
}

/* Answers the request on the stream. */
static bool answer(peer_visit *visit, uint32_t id, bool begun)
{
    static const http2_frame head = HEAD(OK LENGTH("4")), body = LAST_PART("next");
    talk *self = visit->peer->data;
    ga__buffer bytes = GA__BUFFER_INIT;
    bool now = self->now, said;

    self->now = false;
    self->requests++;
    if (now && self->row) {
        http2_add_row(&bytes, self->row, id, begun);
    } else {
        if (!begun)
            http2_add_settings(&bytes);
        if (!now) {
            http2_add_frame(&bytes, &head, id);
            http2_add_frame(&bytes, &body, id);
        }
    }
    said = say_cut(visit, &bytes, now ? self->cut : WHOLE) && (!now || self->row || self->call(visit, id));
    self->told |= now;
    ga__buffer_free(&bytes);
    return said;
}

static void note(talk *self, unsigned type, const char *payload)
{
    if (type == NGHTTP2_RST_STREAM)
        self->reset = number_at(payload);
    else if (type == NGHTTP2_GOAWAY)
        self->goaway = number_at(payload + 4);
}

/* Reads frames, answers requests, until the client closes. */
static bool serve(peer_visit *visit)
{
    enum { PREFACE = 24, HEADER = 9 };
    bool begun = false, going = receive(visit, PREFACE);

    if (going)
        ga__buffer_consume(&visit->in, PREFACE);
    while (receive(visit, HEADER)) {
        size_t size = number_at(visit->in.data) >> 8;
        unsigned type = (unsigned char)visit->in.data[3];
        uint32_t id = number_at(visit->in.data + 5);

        if (!receive(visit, HEADER + size))
            break;
        note(visit->peer->data, type, visit->in.data + HEADER);
        ga__buffer_consume(&visit->in, HEADER + size);
        if (type != NGHTTP2_HEADERS || !going)
            continue;
        going = answer(visit, id, begun); /* what the client says in the end is read in any case */
        begun = true;
    }
    return false;
}

static const peer_step serving[] = {PEER_CALL(serve), PEER_CLOSE};
static const peer_step *const always_serving[] = {serving, NULL};

/* --- judging -------------------------------------------------------------------------------------- */

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

/* What the call that is answered badly comes to. @return its code */
static int call_bad(ga_session *session, peer_server *peer, const char *method)
{
    ga_auto(ga_response) response = ga_request(session, method, peer_url(peer, "/bad"), .timeout = 60);
    char piece[1000];
    ssize_t count;

    while ((count = ga_read(response, piece, sizeof piece)) > 0)
        ;
    if (count < 0)
        assert_int_equal(ga_error()->phase, response ? GA_PHASE_READ : GA_PHASE_FIRST_BYTE);
    return (int)count;
}

/* Makes the call, and another one afterwards, which must succeed: with `alone` on the same connection. */
static void check_call(peer_server *peer, ga_session *session, const char *what, int code, bool alone,
                       bool reused, const char *problem)
{
    talk *self = peer->data;

    if (reused)
        expect_next(session, peer, "nothing");
    self->now = true;
    self->told = false;
    self->requests = 0;
    self->reset = self->goaway = UINT32_MAX;
    int result = call_bad(session, peer, "GET");

    if (result == 0 && self->row && self->row->late)
        code = 0;
    if (result != code || (code < 0 && !strstr(ga_error_message(), problem)))
        fail_msg("%s (cut at %zu): %s instead of %s with \"%s\": %s", what, self->cut, ga_code_name(result),
                 ga_code_name(code), problem, ga_error_message());
    for (int i = 0; i < 1000 && !self->told; i++)
        ga_sleep(0.001);
    ga_sleep(0.001);
    if (stats_of(session).in_use + stats_of(session).waiting > 0 || stats_of(session).idle != alone)
        fail_msg("%s (cut at %zu): %zu connections idle and %zu in use afterwards", what, self->cut,
                 stats_of(session).idle, stats_of(session).in_use);
    peer_await(&peer->open, alone);
    assert_int_equal(self->requests, 1);
    expect_next(session, peer, what);
    assert_int_equal(stats_of(session).opened, 1 + !alone);
}

static void check_row(peer_server *peer, talk *how, bool reused)
{
    const http2_row *row = how->row;
    const char *problem = *row->problem ? row->problem
                          : row->alone  ? "is not valid HTTP/2: "
                                        : "HTTP/2: "; /* the connection, or the stream's frame */
    ga_session *session = ga_session_new(.http = 2);

    assert_non_null(session);
    check_call(peer, session, row->what, row->code, row->alone, reused, problem);
    if (row->alone && how->reset == UINT32_MAX)
        fail_msg("%s (cut at %zu): the stream is not reset", row->what, how->cut);
    /* Who still sends where the client has closed is reset, and may not have read what it said. */
    if (!row->alone && !row->first && how->cut == WHOLE && how->goaway == UINT32_MAX)
        fail_msg("%s (cut at %zu): the connection ends without GOAWAY", row->what, how->cut);
    ga_session_free(session);
    peer_await(&peer->open, 0);
}

TIMED_CASE(bad_answers_end_their_stream_or_the_connection)
{
    peer_server peer;

    peer_start(&peer, peers, always_serving);
    for (size_t i = 0; i < HTTP2_ROWS; i++) {
        ga__buffer bytes = GA__BUFFER_INIT;
        talk how = {.row = &http2_rows[i], .cut = WHOLE};

        peer.data = &how;
        http2_add_row(&bytes, how.row, 1, false);
        check_row(&peer, &how, false);
        if (!how.row->first)
            check_row(&peer, &how, true);
        for (how.cut = BYTE_BY_BYTE; how.cut < bytes.size; how.cut++)
            check_row(&peer, &how, false);
        ga__buffer_free(&bytes);
    }
    peer_stop(&peer);
}

/* --- floods --------------------------------------------------------------------------------------- */

static const http2_flood *flooding;

static bool flood(peer_visit *visit, uint32_t id)
{
    static const http2_frame head = HEAD(OK);
    ga__buffer block = GA__BUFFER_INIT;
    bool said = say_frame(visit, &head, id);

    for (int i = 0; i < 100; i++)
        http2_add_frame(&block, &flooding->frame, id);
    for (int i = 0; i < 1000 && said; i++)
        said = peer_say(visit, block.data, block.size) && ga_sleep(0) == 0;
    ga__buffer_free(&block);
    return said;
}

TIMED_CASE(floods_end_the_connection)
{
    peer_server peer;

    peer_start(&peer, peers, always_serving);
    for (size_t i = 0; i < HTTP2_FLOODS; i++) {
        talk how = {.call = flood, .cut = WHOLE};
        ga_session *session = ga_session_new(.http = 2);

        peer.data = &how;
        flooding = &http2_floods[i];
        double began = ga_now();

        check_call(&peer, session, flooding->what, GA_EPROTOCOL, false, i % 2, "");
        assert_true(ga_now() - began < 2);
        ga_session_free(session);
        peer_await(&peer.open, 0);
    }
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_answers_end_their_stream_or_the_connection),
        cmocka_unit_test(floods_end_the_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
