/* SPDX-License-Identifier: MIT */
/*
 * protocol/http2 without sockets: against a server session of nghttp2's that a test moves by hand, and
 * against exact bytes, most of them such as no honest server sends.
 */
#include "check.h"
#include "http2_rows.h"

#include "protocol/http2.h"
#include <gather/error.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

static const ga__http2_limits limits = {
    .max_head = 4096, .max_field = 4000, .max_fields = 16, .max_interim = 32, .window = 65535};

/* --- a client and a server ------------------------------------------------------------------------ */

typedef struct pair {
    ga__http2 *client;
    nghttp2_session *server;
    ga__buffer head;   /* what the server was asked: "name: value" lines */
    ga__buffer body;   /* ... and sent */
    int32_t asked[64]; /* streams with a complete head */
    int asked_count;
    uint32_t reset; /* the error of the last stream that was reset */
    int resets, closed;
    size_t left; /* of the answer's body, for send_body */
} pair;

static int on_server_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                            size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                            void *user)
{
    pair *self = user;

    (void)session, (void)frame, (void)flags;
    ga__buffer_printf(&self->head, "%.*s: %.*s\n", (int)name_size, (const char *)name, (int)value_size,
                      (const char *)value);
    return 0;
}

static int on_server_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    pair *self = user;

    (void)session;
    if (frame->hd.type == NGHTTP2_HEADERS)
        self->asked[self->asked_count++] = frame->hd.stream_id;
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        self->reset = frame->rst_stream.error_code;
        self->resets++;
    }
    return 0;
}

static int on_server_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                          size_t size, void *user)
{
    (void)session, (void)flags, (void)id;
    ga__buffer_append(&((pair *)user)->body, data, size);
    return 0;
}

static int on_server_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    (void)session, (void)id, (void)error;
    ((pair *)user)->closed++;
    return 0;
}

static ssize_t send_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t size, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    size_t *left = source->ptr;

    (void)session, (void)id, (void)user;
    size = size < *left ? size : *left;
    memset(out, 'x', size);
    *left -= size;
    if (*left == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)size;
}

static void pair_open(pair *self)
{
    nghttp2_session_callbacks *callbacks;

    *self = (pair){.client = ga__http2_new(&limits)};
    assert_non_null(self->client);
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_server_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_server_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_server_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_server_close);
    assert_int_equal(nghttp2_session_server_new(&self->server, callbacks, self), 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(self->server, 0, NULL, 0);
}

static void pair_close(pair *self)
{
    ga__http2_free(self->client);
    nghttp2_session_del(self->server);
    ga__buffer_free(&self->head);
    ga__buffer_free(&self->body);
}

/* Carries bytes to and fro until both have said all. */
static void talk(pair *self)
{
    static char bytes[1 << 16];
    bool quiet;

    do {
        size_t size = ga__http2_produce(self->client, bytes, sizeof bytes);
        const uint8_t *answer;

        quiet = size == 0;
        if (size > 0)
            nghttp2_session_mem_recv(self->server, (const uint8_t *)bytes, size);
        for (ssize_t count; (count = nghttp2_session_mem_send(self->server, &answer)) > 0; quiet = false)
            ga__http2_receive(self->client, (const char *)answer, (size_t)count);
    } while (!quiet);
}

static const char get[] = "GET /todos?x=1 HTTP/1.1\r\nHost: example.org\r\nUser-Agent: a B\r\n\r\n";

static void ask(pair *self, ga__http2_stream *stream)
{
    assert_int_equal(ga__http2_submit(self->client, stream, ga__slice_of(get), true, false), 0);
}

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
                        0};
}

/* Answers with so many bytes of body; `left` is to live until they are sent. */
static void answer(pair *self, int32_t id, size_t *left)
{
    nghttp2_nv fields[] = {field(":status", "200"), field("x-one", "1")};
    nghttp2_data_provider provider = {.source.ptr = left, .read_callback = send_body};

    assert_int_equal(nghttp2_submit_response(self->server, id, fields, 2, &provider), 0);
}

static size_t read_all(ga__http2_stream *stream)
{
    char bytes[4096];
    size_t whole = 0;

    for (size_t count; (count = ga__http2_read(stream, bytes, sizeof bytes)) > 0;)
        whole += count;
    return whole;
}

static void a_request_is_told_in_http2s_way(void **state)
{
    pair self;
    ga__http2_stream stream;
    static const char head[] =
        "POST /a HTTP/1.1\r\nHost: example.org:8443\r\nX-Mixed-Case: Kept As Is\r\n"
        "Connection: close\r\nTE: gzip\r\nTransfer-Encoding: chunked\r\nKeep-Alive: 1\r\n"
        "Upgrade: x\r\nProxy-Connection: x\r\nExpect: 100-continue\r\nEmpty:\r\n\r\n";

    (void)state;
    pair_open(&self);
    assert_int_equal(ga__http2_submit(self.client, &stream, ga__slice_of(head), true, false), 0);
    assert_false(ga__http2_request_sent(&stream));
    talk(&self);
    assert_true(ga__http2_request_sent(&stream));
    assert_string_equal(self.head.data,
                        ":method: POST\n:scheme: https\n:authority: example.org:8443\n:path: /a\n"
                        "x-mixed-case: Kept As Is\nexpect: 100-continue\nempty: \n");
    ga__http2_leave(&stream, false);
    pair_close(&self);
}

static void an_answer_has_its_head_and_body(void **state)
{
    pair self;
    ga__http2_stream stream;
    ga__headers_table table;
    size_t left = 5;

    (void)state;
    pair_open(&self);
    ask(&self, &stream);
    talk(&self);
    answer(&self, 1, &left);
    talk(&self);
    assert_ptr_equal(ga__http2_next_changed(self.client), &stream);
    assert_null(ga__http2_next_changed(self.client));
    assert_true(stream.head_done && stream.ended && stream.closed && !stream.failed);
    assert_int_equal(stream.status, 200);
    ga__headers_table_init(&table);
    assert_int_equal(ga__http2_fields(&stream, &table), 0);
    assert_int_equal(table.headers.count, 1);
    assert_string_equal(ga__headers_get(&table.headers, "X-One"), "1");
    ga__headers_table_free(&table);
    assert_int_equal(read_all(&stream), 5);
    ga__http2_leave(&stream, true);
    talk(&self);
    assert_int_equal(self.resets, 0);
    pair_close(&self);
}

static void interim_heads_are_passed_over_and_trailers_dropped(void **state)
{
    pair self;
    ga__http2_stream stream;
    ga__headers_table table;
    nghttp2_nv early[] = {field(":status", "103"), field("link", "</a>")};
    nghttp2_nv final[] = {field(":status", "200"), field("x-final", "yes")};
    nghttp2_nv trailer[] = {field("x-trailer", "no")};

    (void)state;
    pair_open(&self);
    ask(&self, &stream);
    talk(&self);
    nghttp2_submit_headers(self.server, 0, 1, NULL, early, 2, NULL);
    talk(&self);
    assert_false(stream.head_done);
    nghttp2_submit_headers(self.server, 0, 1, NULL, final, 2, NULL);
    nghttp2_submit_headers(self.server, NGHTTP2_FLAG_END_STREAM, 1, NULL, trailer, 1, NULL);
    talk(&self);
    assert_true(stream.head_done && stream.ended);
    assert_int_equal(stream.status, 200);
    ga__headers_table_init(&table);
    ga__http2_fields(&stream, &table);
    assert_int_equal(table.headers.count, 1);
    assert_string_equal(ga__headers_get(&table.headers, "x-final"), "yes");
    ga__headers_table_free(&table);
    ga__http2_leave(&stream, true);
    pair_close(&self);
}

static void a_body_goes_out_in_parts_as_the_window_allows(void **state)
{
    pair self;
    ga__http2_stream stream;
    static char first[100000], second[50000];
    nghttp2_settings_entry window = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000};

    (void)state;
    memset(first, '1', sizeof first);
    memset(second, '2', sizeof second);
    pair_open(&self);
    nghttp2_submit_settings(self.server, 0, &window, 1);
    talk(&self);
    assert_int_equal(ga__http2_submit(self.client, &stream, ga__slice_of(get), false, true), 0);
    talk(&self);
    assert_int_equal(self.body.size, 0);
    ga__http2_write(&stream, first, sizeof first, false);
    talk(&self);
    assert_int_equal(stream.out_size, 0);
    assert_false(ga__http2_request_sent(&stream));
    ga__http2_write(&stream, second, sizeof second, true);
    talk(&self);
    assert_true(ga__http2_request_sent(&stream));
    assert_int_equal(self.body.size, sizeof first + sizeof second);
    assert_int_equal(self.body.data[sizeof first - 1], '1');
    assert_int_equal(self.body.data[sizeof first], '2');
    ga__http2_leave(&stream, false);
    pair_close(&self);
}

static void what_is_not_read_stays_at_the_server_and_holds_up_no_other(void **state)
{
    pair self;
    static ga__http2_stream streams[20];
    size_t left[20], kept;

    (void)state;
    pair_open(&self);
    for (int i = 0; i < 20; i++)
        ask(&self, &streams[i]);
    talk(&self);
    for (int i = 0; i < 20; i++) {
        left[i] = 1000000;
        answer(&self, self.asked[i], &left[i]);
    }
    talk(&self);
    for (int i = 0; i < 20; i++) /* together more than any window of the connection's would allow, unread */
        assert_int_equal(ga__http2_unread(&streams[i]), limits.window);
    kept = left[0];
    for (size_t whole = 0; whole < 1000000;) { /* one is read to its end, the others stay */
        size_t count = read_all(&streams[1]);

        assert_true(count > 0);
        whole += count;
        talk(&self);
    }
    assert_int_equal(left[0], kept);
    assert_true(streams[1].ended);
    for (int i = 0; i < 20; i++)
        ga__http2_leave(&streams[i], i == 1);
    talk(&self);
    assert_int_equal(self.resets, 19);
    assert_int_equal(self.reset, NGHTTP2_CANCEL);
    assert_true(ga__http2_accepts(self.client));
    pair_close(&self);
}

static void leaving_before_the_request_went_out_sends_nothing(void **state)
{
    pair self;
    ga__http2_stream stream, other;

    (void)state;
    pair_open(&self);
    talk(&self);
    ask(&self, &stream);
    ga__http2_leave(&stream, false);
    ask(&self, &other);
    talk(&self);
    assert_int_equal(self.asked_count, 1);
    assert_int_equal(self.asked[0], 3);
    ga__http2_leave(&other, false);
    talk(&self);
    pair_close(&self);
}

static void goaway_refuses_what_the_server_did_not_take(void **state)
{
    pair self;
    ga__http2_stream streams[3], late;
    size_t left = 3;
    nghttp2_settings_entry two = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2};

    (void)state;
    pair_open(&self);
    nghttp2_submit_settings(self.server, 0, &two, 1);
    talk(&self);
    assert_int_equal(ga__http2_most_streams(self.client), 2);
    for (int i = 0; i < 3; i++)
        ask(&self, &streams[i]);
    talk(&self);
    assert_false(streams[2].sent); /* beyond the server's limit, it waits */
    nghttp2_submit_goaway(self.server, 0, 1, NGHTTP2_NO_ERROR, NULL, 0);
    talk(&self);
    assert_false(ga__http2_accepts(self.client));
    assert_false(streams[0].closed);
    assert_true(streams[1].refused && streams[1].closed);
    assert_true(streams[2].refused && streams[2].closed);
    answer(&self, 1, &left);
    talk(&self);
    assert_true(streams[0].ended && !streams[0].failed);
    assert_int_equal(ga__http2_submit(self.client, &late, ga__slice_of(get), true, false), GA_EPROTOCOL);
    for (int i = 0; i < 3; i++)
        ga__http2_leave(&streams[i], false);
    pair_close(&self);
}

static void resets_are_told_apart(void **state)
{
    pair self;
    ga__http2_stream refused, broken, late;
    size_t left = 1000000;

    (void)state;
    pair_open(&self);
    ask(&self, &refused);
    ask(&self, &broken);
    ask(&self, &late);
    talk(&self);
    nghttp2_submit_rst_stream(self.server, 0, 1, NGHTTP2_REFUSED_STREAM);
    nghttp2_submit_rst_stream(self.server, 0, 3, NGHTTP2_INTERNAL_ERROR);
    answer(&self, 5, &left);
    talk(&self);
    nghttp2_submit_rst_stream(self.server, 0, 5, NGHTTP2_REFUSED_STREAM);
    talk(&self);
    assert_true(refused.refused);
    assert_int_equal(broken.failed, GA_ERESET);
    assert_false(broken.refused);
    assert_int_equal(broken.error, NGHTTP2_INTERNAL_ERROR);
    assert_int_equal(late.failed, GA_ERESET);
    assert_false(late.refused); /* it has answered: a lie */
    assert_int_equal(read_all(&late), limits.window);
    assert_true(ga__http2_accepts(self.client));
    ga__http2_leave(&refused, false);
    ga__http2_leave(&broken, false);
    ga__http2_leave(&late, false);
    pair_close(&self);
}

static void heads_have_limits(void **state)
{
    static char value[5000];
    pair self;
    ga__http2_stream large, many, fine;
    size_t left = 1;
    nghttp2_nv fields[20] = {field(":status", "200")};

    (void)state;
    memset(value, 'v', sizeof value - 1);
    pair_open(&self);
    ask(&self, &large);
    ask(&self, &many);
    ask(&self, &fine);
    talk(&self);
    fields[1] = field("x-large", value);
    nghttp2_submit_response(self.server, 1, fields, 2, NULL);
    for (int i = 1; i < 20; i++)
        fields[i] = field("x-many", "v");
    nghttp2_submit_response(self.server, 3, fields, 20, NULL);
    answer(&self, 5, &left);
    talk(&self);
    assert_int_equal(large.failed, GA_EHEADTOOBIG);
    assert_int_equal(many.failed, GA_EHEADTOOBIG);
    assert_true(fine.ended && !fine.failed);
    ga__http2_leave(&large, false);
    ga__http2_leave(&many, false);
    ga__http2_leave(&fine, true);
    pair_close(&self);
}

static void a_lost_connection_closes_what_is_under_way(void **state)
{
    pair self;
    ga__http2_stream done, open;
    size_t left = 1;

    (void)state;
    pair_open(&self);
    ask(&self, &done);
    talk(&self);
    answer(&self, 1, &left);
    talk(&self);
    ask(&self, &open);
    talk(&self);
    ga__http2_lose(self.client);
    assert_true(done.ended && !done.failed);
    assert_true(open.closed && !open.head_done && !open.failed);
    assert_int_equal(read_all(&done), 1);
    ga__http2_leave(&done, true);
    ga__http2_leave(&open, false);
    pair_close(&self);
}

static void streams_whose_end_is_awaited_are_few(void **state)
{
    pair self;
    ga__http2_stream stream;

    (void)state;
    pair_open(&self);
    for (int i = 0; i < 20; i++) {
        ask(&self, &stream);
        talk(&self);
        ga__http2_leave(&stream, true);
        talk(&self);
    }
    assert_int_equal(self.resets, 4);
    pair_close(&self);
}

/* --- exact bytes ---------------------------------------------------------------------------------- */

/* A connection with one request under way, that is fed frames. */
typedef struct raw {
    ga__http2 *http2;
    ga__http2_stream stream;
} raw;

static void sent(ga__http2 *http2)
{
    static char bytes[1 << 16];

    while (ga__http2_produce(http2, bytes, sizeof bytes) > 0)
        ;
}

static void raw_open_with(raw *self, const ga__http2_limits *allowed)
{
    self->http2 = ga__http2_new(allowed);
    assert_non_null(self->http2);
    assert_int_equal(ga__http2_submit(self->http2, &self->stream, ga__slice_of(get), false, false), 0);
    sent(self->http2);
}

static void raw_open(raw *self)
{
    raw_open_with(self, &limits);
}

static void raw_close(raw *self)
{
    ga__http2_leave(&self->stream, false);
    sent(self->http2);
    ga__http2_free(self->http2);
}

/* Feeds one frame, and sends what is to be said to it. @return as ga__http2_failed */
static int feed(raw *self, unsigned type, unsigned flags, uint32_t id, const void *payload, size_t size)
{
    static char bytes[70000];
    const char *problem;
    char head[9] = {(char)(size >> 16), (char)(size >> 8), (char)size,      (char)type, (char)flags,
                    (char)(id >> 24),   (char)(id >> 16),  (char)(id >> 8), (char)id};

    memcpy(bytes, head, 9);
    if (size > 0)
        memcpy(bytes + 9, payload, size);
    ga__http2_receive(self->http2, bytes, size + 9);
    sent(self->http2);
    return ga__http2_failed(self->http2, &problem);
}

static int feed_settings(raw *self)
{
    return feed(self, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
}

static void a_server_of_http1_is_recognised(void **state)
{
    raw self;
    const char *problem;
    static const char bytes[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

    (void)state;
    raw_open(&self);
    assert_int_equal(ga__http2_receive(self.http2, bytes, sizeof bytes - 1), GA_EPROTOCOL);
    assert_int_equal(ga__http2_failed(self.http2, &problem), GA_EPROTOCOL);
    assert_string_equal(problem, "the server speaks HTTP/1.1");
    raw_close(&self);
}

/* Feeds a row's bytes in pieces. */
static void feed_row(raw *self, const http2_row *row, size_t piece)
{
    ga__buffer bytes = GA__BUFFER_INIT;

    http2_add_row(&bytes, row, 1, false);
    for (size_t at = 0; at < bytes.size; at += piece) {
        ga__http2_receive(self->http2, bytes.data + at, bytes.size - at < piece ? bytes.size - at : piece);
        sent(self->http2);
    }
    ga__buffer_free(&bytes);
}

static void bad_answers_end_their_stream_or_the_connection(void **state)
{
    static const size_t pieces[] = {SIZE_MAX, 1, 10};

    (void)state;
    for (size_t i = 0; i < HTTP2_ROWS * 3; i++) {
        const http2_row *row = &http2_rows[i / 3];
        const char *problem;
        raw self;

        raw_open(&self);
        feed_row(&self, row, pieces[i % 3]);
        int code = ga__http2_failed(self.http2, &problem);

        if (row->alone ? code != 0 || self.stream.failed != row->code || !self.stream.problem
                       : code != row->code)
            fail_msg("%s: code %d, the stream's %d", row->what, code, self.stream.failed);
        assert_int_equal(ga__http2_accepts(self.http2), row->alone);
        raw_close(&self);
    }
}

static void a_frame_over_the_limit_ends_the_connection(void **state)
{
    static char large[20000];
    raw self;

    (void)state;
    raw_open(&self);
    feed_settings(&self);
    assert_int_equal(feed(&self, NGHTTP2_DATA, 0, 1, large, sizeof large), GA_EPROTOCOL); /* over 16384 */
    raw_close(&self);
}

static void floods_end_the_connection(void **state)
{
    (void)state;
    for (size_t i = 0; i < HTTP2_FLOODS; i++) {
        const http2_frame *frame = &http2_floods[i].frame;
        raw self;
        const char *problem;
        int code = 0, frames = 0;

        raw_open(&self);
        feed_settings(&self);
        feed(&self, NGHTTP2_HEADERS, 4, 1, "\210", 1);
        for (; frames < 5000 && code == 0; frames++)
            code = feed(&self, frame->type, frame->flags, frame->id, frame->payload, frame->size);
        if (code != GA_EPROTOCOL)
            fail_msg("a flood of %s goes on", http2_floods[i].what);
        assert_true(frames > 900);
        ga__http2_failed(self.http2, &problem);
        assert_non_null(strstr(problem, "ENHANCE_YOUR_CALM"));
        raw_close(&self);
    }
}

static void a_slow_stream_of_pings_is_no_flood(void **state)
{
    raw self;

    (void)state;
    raw_open(&self);
    feed_settings(&self);
    for (int second = 0; second < 20; second++) {
        for (int i = 0; i < 500; i++)
            assert_int_equal(feed(&self, NGHTTP2_PING, 0, 0, "12345678", 8), 0);
        ga__http2_calm(self.http2);
    }
    raw_close(&self);
}

static void pings_are_not_answered_without_end(void **state)
{
    raw self;
    static char pings[17 * 3000];

    (void)state;
    raw_open(&self);
    feed_settings(&self);
    for (size_t at = 0; at < sizeof pings; at += 17)
        memcpy(pings + at,
               "\0\0\10\6\0\0\0\0\0"
               "12345678",
               17);
    assert_int_equal(ga__http2_receive(self.http2, pings, sizeof pings),
                     GA_EPROTOCOL); /* nothing sent between */
    raw_close(&self);
}

static void continuations_are_bounded(void **state)
{
    raw self;
    int code, frames = 0;

    (void)state;
    raw_open(&self);
    feed_settings(&self);
    code = feed(&self, NGHTTP2_HEADERS, 0, 1, "\210", 1);
    for (; frames < 1000 && code == 0; frames++)
        code = feed(&self, NGHTTP2_CONTINUATION, 0, 1, NULL, 0);
    assert_int_equal(code, GA_EPROTOCOL);
    assert_true(frames < 20);
    raw_close(&self);
}

/* A field's table has 16 bits for the size of a name: cut, a long one would be taken for a short one. */
static void a_name_is_no_longer_than_its_size_can_tell(void **state)
{
    enum { NAME = 65536 + 8, FRAME = 16384 };
    static const ga__http2_limits wide = {
        .max_head = 190000, .max_field = 190000, .max_fields = 16, .max_interim = 32, .window = 65535};
    /* ":status: 200", and a literal whose name in Huffman's code has 127 + 6 + 63 * 128 + 2 * 128 * 128
     * bytes: of NAME letters "a", which are 5 bits each */
    static const char before[] = "\210\0\377\206\277\2", letters[] = "\30\306\61\214\143", after[] = "\1x";
    ga__buffer block = GA__BUFFER_INIT;
    raw self;

    (void)state;
    ga__buffer_append(&block, before, sizeof before - 1);
    for (int i = 0; i < NAME; i += 8)
        ga__buffer_append(&block, letters, 5);
    ga__buffer_append(&block, after, sizeof after - 1);
    raw_open_with(&self, &wide);
    feed_settings(&self);
    for (size_t at = 0; at < block.size; at += FRAME) {
        size_t left = block.size - at;
        unsigned last = left <= FRAME ? NGHTTP2_FLAG_END_HEADERS : 0;

        assert_int_equal(feed(&self, at == 0 ? NGHTTP2_HEADERS : NGHTTP2_CONTINUATION, last, 1,
                              block.data + at, left < FRAME ? left : FRAME),
                         0);
    }
    assert_int_equal(self.stream.failed, GA_EHEADTOOBIG);
    assert_true(ga__http2_accepts(self.http2));
    raw_close(&self);
    ga__buffer_free(&block);
}

static void interim_heads_are_bounded(void **state)
{
    raw self;
    int heads = 0;

    (void)state;
    raw_open(&self);
    feed_settings(&self);
    for (; heads < 100 && !self.stream.failed; heads++)
        feed(&self, NGHTTP2_HEADERS, 4, 1, FIELD("\7", ":status", "\3", "103"), 13);
    assert_int_equal(heads, 33);
    assert_int_equal(self.stream.failed, GA_EHEADTOOBIG);
    assert_true(ga__http2_accepts(self.http2));
    raw_close(&self);
}

static void more_than_the_window_allows_ends_the_connection(void **state)
{
    static char block[16384];
    raw self;
    int code = 0, frames = 0;

    (void)state;
    raw_open(&self);
    feed_settings(&self);
    feed(&self, NGHTTP2_HEADERS, 4, 1, "\210", 1);
    for (; frames < 100 && code == 0 && !self.stream.failed; frames++)
        code = feed(&self, NGHTTP2_DATA, 0, 1, block, sizeof block);
    assert_true(frames <= 5);
    raw_close(&self);
}

/* Byte by byte as well as whole: the answer is the same. */
static void bytes_may_come_one_by_one(void **state)
{
    static const char bytes[] = "\0\0\0\4\0\0\0\0\0" /* SETTINGS */
                                "\0\0\6\1\4\0\0\0\1\210\17\15\2"
                                "10" /* HEADERS: 200, Content-Length: 10 */
                                "\0\0\5\0\0\0\0\0\1"
                                "01234"
                                "\0\0\5\0\1\0\0\0\1"
                                "56789";
    raw self;
    char body[16];

    (void)state;
    raw_open(&self);
    for (size_t i = 0; i < sizeof bytes - 1; i++) {
        assert_false(self.stream.ended);
        assert_int_equal(ga__http2_receive(self.http2, bytes + i, 1), 0);
    }
    assert_true(self.stream.ended);
    assert_int_equal(ga__http2_read(&self.stream, body, sizeof body), 10);
    assert_memory_equal(body, "0123456789", 10);
    raw_close(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_told_in_http2s_way),
        cmocka_unit_test(an_answer_has_its_head_and_body),
        cmocka_unit_test(interim_heads_are_passed_over_and_trailers_dropped),
        cmocka_unit_test(a_body_goes_out_in_parts_as_the_window_allows),
        cmocka_unit_test(what_is_not_read_stays_at_the_server_and_holds_up_no_other),
        cmocka_unit_test(leaving_before_the_request_went_out_sends_nothing),
        cmocka_unit_test(goaway_refuses_what_the_server_did_not_take),
        cmocka_unit_test(resets_are_told_apart),
        cmocka_unit_test(heads_have_limits),
        cmocka_unit_test(a_lost_connection_closes_what_is_under_way),
        cmocka_unit_test(streams_whose_end_is_awaited_are_few),
        cmocka_unit_test(a_server_of_http1_is_recognised),
        cmocka_unit_test(bad_answers_end_their_stream_or_the_connection),
        cmocka_unit_test(a_frame_over_the_limit_ends_the_connection),
        cmocka_unit_test(floods_end_the_connection),
        cmocka_unit_test(a_slow_stream_of_pings_is_no_flood),
        cmocka_unit_test(pings_are_not_answered_without_end),
        cmocka_unit_test(continuations_are_bounded),
        cmocka_unit_test(a_name_is_no_longer_than_its_size_can_tell),
        cmocka_unit_test(interim_heads_are_bounded),
        cmocka_unit_test(more_than_the_window_allows_ends_the_connection),
        cmocka_unit_test(bytes_may_come_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
