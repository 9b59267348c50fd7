/* SPDX-License-Identifier: MIT */
/*
 * Bad answers over HTTP/2, through the whole client: what a call says of each, whole, byte by byte and cut at
 * every position, on a fresh connection and on one that has served before; and whether the connection lives
 * on. A stream that fails alone leaves it, all else ends it.
 */
#include "http2_rows.h"
#include "peer.h"

#include "protocol/encoder.h"

#define WHOLE SIZE_MAX
#define BYTE_BY_BYTE 0

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
        assert_int_equal(ga_error()->phase, !response             ? GA_PHASE_FIRST_BYTE
                                            : count == GA_EDECODE ? GA_PHASE_DECODE
                                                                  : GA_PHASE_READ);
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

/* --- more than is allowed ------------------------------------------------------------------------- */

/* What is said to one call by a function, with these options. */
typedef struct excess {
    const char *what;
    bool (*call)(peer_visit *visit, uint32_t id);
    int code;
    bool alone;
    const char *problem;
    ga_session_options options;
} excess;

/* A head without its end, of so many fields. */
static void add_head(ga__buffer *out, uint32_t id, unsigned flags, const char *start, size_t start_size,
                     size_t fields)
{
    http2_frame head = {.type = NGHTTP2_HEADERS, .flags = flags, .id = 1};
    ga__buffer block = GA__BUFFER_INIT;

    ga__buffer_append(&block, start, start_size);
    for (size_t i = 0; i < fields; i++)
        ga__buffer_append(&block, FIELD("\3", "x-a", "\4", "1234"), 10);
    head.payload = block.data;
    head.size = block.size;
    http2_add_frame(out, &head, id);
    ga__buffer_free(&block);
}

static bool say_head(peer_visit *visit, uint32_t id, unsigned flags, const char *start, size_t start_size,
                     size_t fields)
{
    ga__buffer out = GA__BUFFER_INIT;

    add_head(&out, id, flags, start, start_size, fields);
    bool said = peer_say(visit, out.data, out.size);

    ga__buffer_free(&out);
    return said;
}

static bool many_fields(peer_visit *visit, uint32_t id)
{
    return say_head(visit, id, 5, OK, 1, 300);
}

static bool five_fields(peer_visit *visit, uint32_t id)
{
    return say_head(visit, id, 5, OK, 1, 5);
}

static bool a_field_of_20(peer_visit *visit, uint32_t id)
{
    static const http2_frame head = LAST_HEAD(OK FIELD("\3", "x-a", "\21", "12345678901234567"));

    return say_frame(visit, &head, id);
}

static bool many_trailers(peer_visit *visit, uint32_t id)
{
    static const http2_frame head = HEAD(OK);

    return say_frame(visit, &head, id) && say_head(visit, id, 5, "", 0, 1600);
}

/* One entry of the dynamic table, again and again: 16 KB that expand to 60 MB. */
static bool hpack_bomb(peer_visit *visit, uint32_t id)
{
    enum { VALUE = 3900, AGAIN = 12000 };
    http2_frame head = {.type = NGHTTP2_HEADERS, .flags = 5, .id = 1};
    ga__buffer block = GA__BUFFER_INIT, out = GA__BUFFER_INIT;

    ga__buffer_add(&block, OK "\100\3x-a\177\275\035"); /* 127 + 61 + 29 * 128 = 3900 */
    for (int i = 0; i < VALUE; i++)
        ga__buffer_add_char(&block, 'v');
    for (int i = 0; i < AGAIN; i++)
        ga__buffer_add_char(&block, '\276');
    head.payload = block.data;
    head.size = block.size;
    http2_add_frame(&out, &head, id);
    bool said = peer_say(visit, out.data, out.size);

    ga__buffer_free(&block);
    ga__buffer_free(&out);
    return said;
}

static bool empty_continuations(peer_visit *visit, uint32_t id)
{
    static const http2_frame head = FRAME(NGHTTP2_HEADERS, 0, 1, OK),
                             more = FRAME(NGHTTP2_CONTINUATION, 0, 1, "");
    bool said = say_frame(visit, &head, id);

    for (int i = 0; i < 10000 && said; i++)
        said = say_frame(visit, &more, id) && ga_sleep(0) == 0;
    return said;
}

static bool full_continuations(peer_visit *visit, uint32_t id)
{
    ga__buffer out = GA__BUFFER_INIT;
    bool said = say_head(visit, id, 0, OK, 1, 100);

    add_head(&out, id, 0, "", 0, 1600);
    out.data[3] = NGHTTP2_CONTINUATION;
    for (int i = 0; i < 1000 && said; i++)
        said = peer_say(visit, out.data, out.size) && ga_sleep(0) == 0;
    ga__buffer_free(&out);
    return said;
}

static bool interims(peer_visit *visit, uint32_t id, int count)
{
    static const http2_frame hint = HEAD(FIELD("\7", ":status", "\3", "103"));
    static const http2_frame head = LAST_HEAD(OK);
    bool said = true;

    for (int i = 0; i < count && said; i++)
        said = say_frame(visit, &hint, id);
    return said && say_frame(visit, &head, id);
}

static bool interims_33(peer_visit *visit, uint32_t id)
{
    return interims(visit, id, 33);
}

static bool interims_32(peer_visit *visit, uint32_t id)
{
    return interims(visit, id, 32);
}

static bool interims_3(peer_visit *visit, uint32_t id)
{
    return interims(visit, id, 3);
}

/* More than any window allows. */
static bool body_without_end(peer_visit *visit, uint32_t id)
{
    static const http2_frame head = HEAD(OK);
    static char zeros[16384];
    const http2_frame part = {.type = NGHTTP2_DATA, .id = 1, .payload = zeros, .size = sizeof zeros};
    bool said = say_frame(visit, &head, id);

    for (int i = 0; i < 2000 && said; i++)
        said = say_frame(visit, &part, id);
    return said;
}

static bool frame_over_the_limit(peer_visit *visit, uint32_t id)
{
    static const http2_frame head = HEAD(OK);
    static char zeros[20000];
    const http2_frame part = {.type = NGHTTP2_DATA, .id = 1, .payload = zeros, .size = sizeof zeros};

    return say_frame(visit, &head, id) && say_frame(visit, &part, id);
}

/* Ten megabytes of zeros in gzip: 10 KB. */
static bool gzip_bomb(peer_visit *visit, uint32_t id)
{
    enum { SIZE = 10 << 20 };
    static const http2_frame head = HEAD(OK "\17\13\4gzip");
    ga_autofree char *zeros = calloc(1, SIZE);
    ga__buffer coded = GA__BUFFER_INIT;

    ga__encode(&coded, GA__CODING_GZIP, zeros, SIZE);
    const http2_frame body = {
        .type = NGHTTP2_DATA, .flags = 1, .id = 1, .payload = coded.data, .size = coded.size};
    bool said = say_frame(visit, &head, id) && say_frame(visit, &body, id);

    ga__buffer_free(&coded);
    return said;
}

static bool reset_with_no_error(peer_visit *visit, uint32_t id)
{
    static const http2_frame reset = FRAME(NGHTTP2_RST_STREAM, 0, 1, "\0\0\0\0");

    return say_frame(visit, &reset, id);
}

static bool reset_with_an_error_that_nobody_knows(peer_visit *visit, uint32_t id)
{
    static const http2_frame reset = FRAME(NGHTTP2_RST_STREAM, 0, 1, "\377\377\377\377");

    return say_frame(visit, &reset, id);
}

static bool a_reset_after_the_answer(peer_visit *visit, uint32_t id)
{
    static const http2_frame head = LAST_HEAD(OK), reset = FRAME(NGHTTP2_RST_STREAM, 0, 1, "\0\0\0\2");

    return say_frame(visit, &head, id) && say_frame(visit, &reset, id) && say_frame(visit, &reset, id);
}

static bool an_answer_after_the_answer(peer_visit *visit, uint32_t id)
{
    static const http2_frame head = LAST_HEAD(OK);

    return say_frame(visit, &head, id) && say_frame(visit, &head, id);
}

static bool windows_up_and_down(peer_visit *visit, uint32_t id)
{
    static const http2_frame large = FRAME(NGHTTP2_SETTINGS, 0, 0, "\0\4\177\377\377\377"),
                             none = FRAME(NGHTTP2_SETTINGS, 0, 0, "\0\4\0\0\0\0"), head = LAST_HEAD(OK);
    bool said = true;

    for (int i = 0; i < 100 && said; i++)
        said = say_frame(visit, &large, id) && say_frame(visit, &none, id);
    return said && say_frame(visit, &head, id);
}

static bool a_window_over_the_top(peer_visit *visit, uint32_t id)
{
    static const http2_frame update = FRAME(NGHTTP2_WINDOW_UPDATE, 0, 1, "\177\377\377\377");

    return say_frame(visit, &update, id);
}

static bool more_codings(peer_visit *visit, uint32_t id)
{
    static const http2_frame head = HEAD(OK "\17\13\42gzip, gzip, gzip, gzip, gzip, gzip"),
                             body = LAST_PART("x");

    return say_frame(visit, &head, id) && say_frame(visit, &body, id);
}

#define WITH(...)                                                   \
    {                                                               \
        .size_ = sizeof(ga_session_options), .http = 2, __VA_ARGS__ \
    }
static const excess excesses[] = {
    {"300 fields", many_fields, GA_EHEADTOOBIG, true, "too many fields", WITH(.limit = 5)},
    {"300 fields that are allowed", many_fields, 0, true, "", WITH(.max_fields = 300)},
    {"300 fields that no number forbids", many_fields, 0, true, "", WITH(.max_fields = -1)},
    {"5 fields where 4 are allowed", five_fields, GA_EHEADTOOBIG, true, "too many fields",
     WITH(.max_fields = 4)},
    {"a field of 20 bytes where 19 are allowed", a_field_of_20, GA_EHEADTOOBIG, true,
     "a field of its head is too long", WITH(.max_field = 19)},
    {"a field of 20 bytes", a_field_of_20, 0, true, "", WITH(.max_field = 20)},
    {"a head of 237 bytes where 236 are allowed", five_fields, GA_EHEADTOOBIG, true, "its head is too long",
     WITH(.max_head = 236)},
    {"a head of 237 bytes", five_fields, 0, true, "", WITH(.max_head = 237)},
    {"trailers of 62 KB", many_trailers, 0, true, "", WITH(.max_fields = 4)},
    {"trailers of 62 KB where 30 are allowed", many_trailers, GA_EHEADTOOBIG, true, "",
     WITH(.max_head = 30000)},
    {"one large field again and again", hpack_bomb, GA_EHEADTOOBIG, true, "its head is too long",
     WITH(.limit = 5)},
    {"empty CONTINUATIONs", empty_continuations, GA_EPROTOCOL, false, "HTTP/2: ", WITH(.limit = 5)},
    {"full CONTINUATIONs", full_continuations, GA_EHEADTOOBIG, false, "", WITH(.limit = 5)},
    {"32 interim answers", interims_32, 0, true, "", WITH(.limit = 5)},
    {"33 interim answers", interims_33, GA_EHEADTOOBIG, true, "interim", WITH(.limit = 5)},
    {"33 interim answers that are allowed", interims_33, 0, true, "", WITH(.max_interim = 33)},
    {"3 interim answers where 2 are allowed", interims_3, GA_EHEADTOOBIG, true, "interim",
     WITH(.max_interim = 2)},
    {"a frame over the limit", frame_over_the_limit, GA_EPROTOCOL, false, "too large frame size",
     WITH(.limit = 5)},
    {"a gzip bomb", gzip_bomb, GA_EDECODE, true, "max_ratio", WITH(.limit = 5)},
    {"a gzip bomb that is allowed", gzip_bomb, 0, true, "", WITH(.max_ratio = -1)},
    {"six codings", more_codings, GA_EDECODE, true, "more than five codings", WITH(.limit = 5)},
    {"a reset without an error", reset_with_no_error, GA_ERESET, true, "NO_ERROR", WITH(.limit = 5)},
    {"a reset that nobody knows", reset_with_an_error_that_nobody_knows, GA_ERESET, true, "",
     WITH(.limit = 5)},
    {"resets after the answer", a_reset_after_the_answer, 0, true, "", WITH(.limit = 5)},
    {"an answer after the answer", an_answer_after_the_answer, 0, true, "", WITH(.limit = 5)},
    {"windows that go up and down", windows_up_and_down, 0, true, "", WITH(.limit = 5)},
    {"the stream's window over the top", a_window_over_the_top, GA_EPROTOCOL, true, "", WITH(.limit = 5)},
};

TIMED_CASE(what_is_more_than_allowed_is_refused)
{
    peer_server peer;

    peer_start(&peer, peers, always_serving);
    for (size_t i = 0; i < sizeof excesses / sizeof *excesses; i++) {
        const excess *one = &excesses[i];

        for (int reused = 0; reused < 2; reused++) {
            talk how = {.call = one->call, .cut = WHOLE};
            ga_session *session = ga_session_new_with(&one->options);

            assert_non_null(session);
            peer.data = &how;
            check_call(&peer, session, one->what, one->code, one->alone, reused, one->problem);
            ga_session_free(session);
            peer_await(&peer.open, 0);
        }
    }
    peer_stop(&peer);
}

/* --- bodies without an end ------------------------------------------------------------------------ */

static void await_told(const talk *self)
{
    for (int i = 0; i < 1000 && !self->told; i++)
        ga_sleep(0.001);
    assert_true(self->told);
}

TIMED_CASE(a_body_without_end_is_left_at_max_body)
{
    talk how = {.call = body_without_end, .cut = WHOLE, .now = true};
    ga_session *session = ga_session_new(.http = 2, .max_body = 100000);
    peer_server peer;

    peer_start(&peer, peers, always_serving);
    peer.data = &how;
    ga_response *response = ga_get(session, peer_url(&peer, "/bad"));

    assert_null(ga_body(response, NULL));
    assert_int_equal(ga_error()->code, GA_ETOOLARGE);
    ga_response_free(response);
    await_told(&how); /* what the server goes on to send is no fault of the connection's */
    assert_int_equal(how.reset, NGHTTP2_CANCEL);
    expect_next(session, &peer, "a body without end");
    assert_int_equal(stats_of(session).opened, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

TIMED_CASE(who_ignores_the_windows_is_reset)
{
    talk how = {.call = body_without_end, .cut = WHOLE, .now = true};
    ga_session *session = ga_session_new(.http = 2);
    static char piece[64 << 10];
    size_t size = 0;
    ssize_t count;
    peer_server peer;

    peer_start(&peer, peers, always_serving);
    peer.data = &how;
    ga_response *response = ga_get(session, peer_url(&peer, "/bad"));

    await_told(&how); /* 32 MB are sent, and nobody reads */
    while ((count = ga_read(response, piece, sizeof piece)) > 0)
        size += (size_t)count;
    assert_true(size <= 2 << 20); /* the window, and what was read with the head */
    assert_int_equal(count, GA_EPROTOCOL);
    assert_int_equal(how.reset, NGHTTP2_FLOW_CONTROL_ERROR);
    ga_response_free(response);
    expect_next(session, &peer, "a server that ignores the windows");
    assert_int_equal(stats_of(session).opened, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

/* --- refusals without an end ---------------------------------------------------------------------- */

/* It is said to all requests from now on. */
static bool cancels(peer_visit *visit, uint32_t id)
{
    static const http2_frame reset = FRAME(NGHTTP2_RST_STREAM, 0, 1, "\0\0\0\10");

    ((talk *)visit->peer->data)->now = true;
    return say_frame(visit, &reset, id);
}

static bool refuses(peer_visit *visit, uint32_t id)
{
    static const http2_frame reset = FRAME(NGHTTP2_RST_STREAM, 0, 1, "\0\0\0\7");

    ((talk *)visit->peer->data)->now = true;
    return say_frame(visit, &reset, id);
}

static bool goes_away(peer_visit *visit, uint32_t id)
{
    static const http2_frame goaway = FRAME(NGHTTP2_GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0");

    ((talk *)visit->peer->data)->now = true;
    return say_frame(visit, &goaway, id);
}

/* No stream may be opened, and the one that was is refused. */
static bool allows_none(peer_visit *visit, uint32_t id)
{
    static const http2_frame none = FRAME(NGHTTP2_SETTINGS, 0, 0, "\0\3\0\0\0\0");

    return say_frame(visit, &none, id) && refuses(visit, id);
}

static bool closes(peer_visit *visit, uint32_t id)
{
    (void)id;
    ((talk *)visit->peer->data)->now = true;
    ga__stream_shutdown(&visit->stream);
    return false;
}

/* A server that resets each request has answered each: that is no flood. */
TIMED_CASE(a_thousand_resets_in_a_second_leave_the_connection)
{
    talk how = {.call = cancels, .cut = WHOLE, .now = true};
    ga_session *session = ga_session_new(.http = 2);
    peer_server peer;

    peer_start(&peer, peers, always_serving);
    peer.data = &how;
    for (int i = 0; i < 2000; i++) {
        assert_null(ga_get(session, peer_url(&peer, "/bad")));
        if (ga_error()->code != GA_ERESET)
            fail_msg("call %d: %s", i, ga_error_message());
    }
    how.now = false;
    how.call = NULL;
    expect_next(session, &peer, "resets");
    assert_int_equal(stats_of(session).opened, 1);
    ga_session_free(session);
    peer_stop(&peer);
}

TIMED_CASE(who_always_refuses_is_asked_a_few_times)
{
    static const struct {
        bool (*call)(peer_visit *visit, uint32_t id);
        int code, requests, connections;
    } cases[] = {{refuses, GA_ERESET, 4, 1},
                 {goes_away, GA_ERESET, 4, 4},
                 {allows_none, GA_ERESET, 4, 4},
                 {closes, GA_EDISCONNECTED, 1, 1}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        talk how = {.call = cases[i].call, .cut = WHOLE, .now = true};
        ga_session *session = ga_session_new(.http = 2);
        peer_server peer;
        ga_group group;

        ga_group_open(&group, GA_COLLECT);
        peer_start(&peer, &group, always_serving);
        peer.data = &how;
        ga_response *response = ga_post(session, peer_url(&peer, "/bad"), .timeout = 60);

        assert_null(response);
        if (ga_error()->code != cases[i].code || how.requests != cases[i].requests ||
            (int)stats_of(session).opened != cases[i].connections)
            fail_msg("case %zu: %d requests on %d connections: %s", i, how.requests,
                     (int)stats_of(session).opened, ga_error_message());
        ga_session_free(session);
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

/* --- answers that have no body -------------------------------------------------------------------- */

static bool length_and_end(peer_visit *visit, uint32_t id)
{
    static const http2_frame head = LAST_HEAD(OK LENGTH("5"));

    return say_frame(visit, &head, id);
}

static bool length_and_body(peer_visit *visit, uint32_t id)
{
    static const http2_frame head = HEAD(OK LENGTH("5")), body = LAST_PART("hello");

    return say_frame(visit, &head, id) && say_frame(visit, &body, id);
}

TIMED_CASE(an_answer_to_head_has_no_body)
{
    bool (*const calls[])(peer_visit * visit, uint32_t id) = {length_and_end, length_and_body};
    talk how;
    ga_session *session = ga_session_new(.http = 2);
    peer_server peer;

    peer_start(&peer, peers, always_serving);
    peer.data = &how;
    for (size_t i = 0; i < 2; i++) {
        how = (talk){.call = calls[i], .cut = WHOLE, .now = true};
        ga_response *response = ga_head(session, peer_url(&peer, "/bad"));
        ga_autofree char *text = ga_text(response);

        if (response)
            assert_string_equal(text, ""); /* never the bytes that must not be there */
        else
            assert_int_equal(i, 1);
        ga_response_free(response);
        await_told(&how);
        expect_next(session, &peer, "HEAD");
        assert_int_equal(stats_of(session).opened, 1);
        assert_int_equal(how.reset, i == 1 ? NGHTTP2_PROTOCOL_ERROR : 0);
    }
    ga_session_free(session);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_answers_end_their_stream_or_the_connection),
        cmocka_unit_test(floods_end_the_connection),
        cmocka_unit_test(what_is_more_than_allowed_is_refused),
        cmocka_unit_test(a_body_without_end_is_left_at_max_body),
        cmocka_unit_test(who_ignores_the_windows_is_reset),
        cmocka_unit_test(a_thousand_resets_in_a_second_leave_the_connection),
        cmocka_unit_test(who_always_refuses_is_asked_a_few_times),
        cmocka_unit_test(an_answer_to_head_has_no_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
