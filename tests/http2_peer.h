/* SPDX-License-Identifier: MIT */
/*
 * A peer that speaks HTTP/2 by prior knowledge, on nghttp2: it does what the path of each request says.
 *
 *     ga_session *session = http2_begin(&peer, peers, &habits);
 *
 *     http2_assert_ok(session, peer_url(&peer, "/ok"));
 *     ga_session_free(session);
 *     peer_stop(&peer);
 *
 * In scripts it is the step of http2_script.
 */
#ifndef HTTP2_PEER_H
#define HTTP2_PEER_H

#include "peer.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

/* peer->data: what the peers of a test do, and what they saw; NULL: nothing in particular. */
typedef struct http2_habits {
    uint32_t most_streams; /* 0: as nghttp2 */
    bool no_window;        /* the windows are never opened again */
    bool deaf;             /* it reads, and says nothing at all */
    int resets;            /* streams that the client reset */
    uint32_t reset;        /* the last one's error */
    int requests;
    size_t most_at_once; /* streams on one connection */
    int goodbyes;        /* GOAWAYs of the client's */
    uint64_t body;       /* bytes received */
    ga__buffer gzipped;  /* the answer to /gzipped */
    const char *busy;    /* the status of the next `busy_count` answers to /busy, with Retry-After */
    int busy_count;
    const char *retry_after;
    int refusing;        /* the next requests for /refuse-some, which are refused */
    int leaving;         /* those for /leave-some, which a GOAWAY leaves out */
    size_t expectations; /* requests with Expect: 100-continue */
} http2_habits;

/* What calls of many share. */
typedef struct http2_caller {
    ga_session *session;
    char url[64];
    int done; /* how many ended as they should */
} http2_caller;

typedef struct http2_visit {
    nghttp2_session *session;
    http2_habits *habits;
    size_t streams;
    bool closing; /* when all is said */
} http2_visit;

typedef struct http2_stream {
    char path[32];
    const char *content; /* what is left of the answer's body, where it is not all 'x' */
    size_t left;         /* of the answer's body */
    bool unfinished;     /* nothing follows the body, not even its end */
    uint64_t body;
    size_t cookies;     /* bytes of Cookie fields, which HTTP/2 may cut at "; " */
    size_t credentials; /* bytes of Authorization */
    bool expects;       /* it has Expect */
} http2_stream;

static ssize_t http2_send_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t size,
                               uint32_t *flags, nghttp2_data_source *source, void *user)
{
    http2_stream *stream = source->ptr;

    (void)session, (void)id, (void)user;
    if (stream->left == 0 && stream->unfinished)
        return NGHTTP2_ERR_DEFERRED;
    size = size < stream->left ? size : stream->left;
    if (stream->content) {
        memcpy(out, stream->content, size);
        stream->content += size;
    } else {
        memset(out, 'x', size);
    }
    stream->left -= size;
    if (stream->left == 0 && !stream->unfinished)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)size;
}

/* Answers; `length` NULL: without Content-Length. */
static void http2_answer(http2_visit *visit, int32_t id, http2_stream *stream, const char *status,
                         const char *length, size_t size)
{
    nghttp2_nv fields[3] = {
        {(uint8_t *)(uintptr_t) ":status", (uint8_t *)(uintptr_t)status, 7, 3, 0},
        {(uint8_t *)(uintptr_t) "content-length", (uint8_t *)(uintptr_t)length, 14,
         length ? strlen(length) : 0, 0},
        {(uint8_t *)(uintptr_t) "content-encoding", (uint8_t *)(uintptr_t) "gzip", 16, 4, 0},
    };
    nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = http2_send_body};
    bool empty = size == 0 && !stream->unfinished;

    stream->left = size;
    nghttp2_submit_response(visit->session, id, fields,
                            stream->content ? 3
                            : length        ? 2
                                            : 1,
                            empty ? NULL : &provider);
}

/* Refuses for now. */
static void http2_be_busy(http2_visit *visit, int32_t id)
{
    const char *after = visit->habits->retry_after;
    nghttp2_nv fields[2] = {
        {(uint8_t *)(uintptr_t) ":status", (uint8_t *)(uintptr_t)visit->habits->busy, 7, 3, 0},
        {(uint8_t *)(uintptr_t) "retry-after", (uint8_t *)(uintptr_t)after, 11, strlen(after), 0},
    };

    nghttp2_submit_response(visit->session, id, fields, 2, NULL);
}

/* Leaves this request out and ends the connection. */
static void http2_go_away(http2_visit *visit, int32_t id, uint32_t error)
{
    nghttp2_submit_goaway(visit->session, 0, id - 2 > 0 ? id - 2 : 0, error, NULL, 0);
    visit->closing = true;
}

static void http2_do(http2_visit *visit, int32_t id, http2_stream *stream)
{
    const char *path = stream->path;
    char number[24];

    visit->habits->requests++;
    if (strcmp(path, "/busy") == 0 && visit->habits->busy_count-- > 0) {
        http2_be_busy(visit, id);
    } else if (strcmp(path, "/refuse-some") == 0 && visit->habits->refusing-- > 0) {
        nghttp2_submit_rst_stream(visit->session, 0, id, NGHTTP2_REFUSED_STREAM);
    } else if (strcmp(path, "/leave-some") == 0 && visit->habits->leaving-- > 0) {
        http2_go_away(visit, id, NGHTTP2_NO_ERROR);
    } else if (strcmp(path, "/http1") == 0) {
        nghttp2_submit_rst_stream(visit->session, 0, id, NGHTTP2_HTTP_1_1_REQUIRED);
    } else if (strcmp(path, "/http1-at-all") == 0) {
        http2_go_away(visit, id, NGHTTP2_HTTP_1_1_REQUIRED);
    } else if (strcmp(path, "/ok") == 0 || strcmp(path, "/busy") == 0 || strstr(path, "-some")) {
        http2_answer(visit, id, stream, "200", "4", 4);
    } else if (strcmp(path, "/none") == 0) {
        http2_answer(visit, id, stream, "204", NULL, 0);
    } else if (strcmp(path, "/unchanged") == 0) {
        http2_answer(visit, id, stream, "304", "12", 0);
    } else if (strcmp(path, "/sized") == 0) { /* to HEAD */
        http2_answer(visit, id, stream, "200", "12", 0);
    } else if (strcmp(path, "/large") == 0) {
        http2_answer(visit, id, stream, "200", NULL, 3000000);
    } else if (strcmp(path, "/gzipped") == 0) {
        stream->content = visit->habits->gzipped.data;
        snprintf(number, sizeof number, "%zu", visit->habits->gzipped.size);
        http2_answer(visit, id, stream, "200", number, visit->habits->gzipped.size);
    } else if (strcmp(path, "/stuck") == 0) {
        stream->unfinished = true;
        http2_answer(visit, id, stream, "200", "10", 3);
    } else if (strcmp(path, "/torn") == 0) { /* head, part of the body and end come at once */
        stream->unfinished = visit->closing = true;
        http2_answer(visit, id, stream, "200", "10", 3);
    } else if (strcmp(path, "/size") == 0 || strcmp(path, "/wanted") == 0) {
        snprintf(number, sizeof number, "%zu", (size_t)stream->body);
        http2_answer(visit, id, stream, "200", number, (size_t)stream->body);
    } else if (strcmp(path, "/refuse") == 0) {
        nghttp2_submit_rst_stream(visit->session, 0, id, NGHTTP2_REFUSED_STREAM);
    } else if (strcmp(path, "/break") == 0) {
        nghttp2_submit_rst_stream(visit->session, 0, id, NGHTTP2_INTERNAL_ERROR);
    } else if (strcmp(path, "/goaway") == 0) {
        http2_go_away(visit, id, NGHTTP2_NO_ERROR);
    } else if (strcmp(path, "/calm") == 0) {
        http2_go_away(visit, id, NGHTTP2_ENHANCE_YOUR_CALM);
    } else if (strcmp(path, "/last") == 0) { /* it is the last one */
        nghttp2_submit_goaway(visit->session, 0, id, NGHTTP2_NO_ERROR, NULL, 0);
        http2_answer(visit, id, stream, "200", "4", 4);
    } else if (strcmp(path, "/close") == 0) {
        visit->closing = true;
    } else if (strcmp(path, "/cookies") == 0) { /* a cookie, and as many bytes as came of such fields */
        nghttp2_nv fields[2] = {
            {(uint8_t *)(uintptr_t) ":status", (uint8_t *)(uintptr_t) "200", 7, 3, 0},
            {(uint8_t *)(uintptr_t) "set-cookie", (uint8_t *)(uintptr_t) "name=value", 10, 10, 0},
        };
        nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = http2_send_body};

        stream->left = stream->cookies + stream->credentials;
        nghttp2_submit_response(visit->session, id, fields, 2, &provider);
    } /* else, "/stall", nothing */
}

static int http2_on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    http2_visit *visit = user;

    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, calloc(1, sizeof(http2_stream)));
    visit->streams++;
    if (visit->streams > visit->habits->most_at_once)
        visit->habits->most_at_once = visit->streams;
    return 0;
}

static int http2_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                           size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                           void *user)
{
    http2_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    (void)flags, (void)user;
    if (name_size == 5 && memcmp(name, ":path", 5) == 0)
        snprintf(stream->path, sizeof stream->path, "%.*s", (int)value_size, (const char *)value);
    else if (name_size == 6 && memcmp(name, "cookie", 6) == 0)
        stream->cookies += value_size;
    else if (name_size == 13 && memcmp(name, "authorization", 13) == 0)
        stream->credentials += value_size;
    else if (name_size == 6 && memcmp(name, "expect", 6) == 0)
        stream->expects = value_size == 12 && memcmp(value, "100-continue", 12) == 0;
    return 0;
}

static int http2_on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                         size_t size, void *user)
{
    http2_stream *stream = nghttp2_session_get_stream_user_data(session, id);

    (void)flags, (void)data;
    ((http2_visit *)user)->habits->body += size;
    if (stream)
        stream->body += size;
    return 0;
}

static int http2_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    const nghttp2_nv go_on = {(uint8_t *)(uintptr_t) ":status", (uint8_t *)(uintptr_t) "100", 7, 3, 0};
    http2_visit *visit = user;

    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        visit->habits->resets++;
        visit->habits->reset = frame->rst_stream.error_code;
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
        visit->habits->goodbyes++;
    } else if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
               frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        http2_do(visit, frame->hd.stream_id,
                 nghttp2_session_get_stream_user_data(session, frame->hd.stream_id));
    } else if (frame->hd.type == NGHTTP2_HEADERS) { /* a body follows */
        http2_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

        visit->habits->expectations += stream->expects;
        if (strcmp(stream->path, "/wanted") == 0)
            nghttp2_submit_headers(visit->session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NULL, &go_on, 1,
                                   NULL);
        if (strcmp(stream->path, "/early") == 0)
            http2_answer(visit, frame->hd.stream_id, stream, "413", "3", 3);
        if (strcmp(stream->path, "/early-large") == 0)
            http2_answer(visit, frame->hd.stream_id, stream, "413", NULL, 3000000);
    }
    return 0;
}

static int http2_on_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    (void)error;
    ((http2_visit *)user)->streams--;
    free(nghttp2_session_get_stream_user_data(session, id));
    nghttp2_session_set_stream_user_data(session, id, NULL);
    return 0;
}

static void http2_open(http2_visit *visit)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    nghttp2_settings_entry most = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, visit->habits->most_streams};

    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, http2_on_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, http2_on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, http2_on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, http2_on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, http2_on_close);
    nghttp2_option_new(&options);
    nghttp2_option_set_no_auto_window_update(options, visit->habits->no_window);
    nghttp2_session_server_new2(&visit->session, callbacks, visit, options);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(visit->session, 0, &most, most.value ? 1 : 0);
}

/* Frees what streams are still there. */
static void http2_end(http2_visit *visit)
{
    for (int32_t id = 1; visit->streams > 0 && id < 100000; id += 2) {
        http2_stream *stream = nghttp2_session_get_stream_user_data(visit->session, id);

        visit->streams -= stream != NULL;
        free(stream);
    }
    nghttp2_session_del(visit->session);
}

/* Serves until the client closes, or a request says that the peer does. */
static bool http2_serve(peer_visit *connection)
{
    static http2_habits none;
    http2_visit visit = {.habits = connection->peer->data ? connection->peer->data : &none};
    ga__buffer out = GA__BUFFER_INIT;
    char bytes[4096];
    ssize_t count;

    http2_open(&visit);
    do {
        const uint8_t *piece;

        while (!visit.habits->deaf && (count = nghttp2_session_mem_send(visit.session, &piece)) > 0)
            ga__buffer_append(&out, piece, (size_t)count);
        if (out.size > 0 && !peer_say(connection, out.data, out.size))
            break;
        ga__buffer_clear(&out);
        if (visit.closing)
            break;
        count = ga__stream_recv(&connection->stream, bytes, sizeof bytes, GA__NEVER);
        if (count > 0)
            count = nghttp2_session_mem_recv(visit.session, (const uint8_t *)bytes, (size_t)count);
    } while (count > 0);
    ga__buffer_free(&out);
    http2_end(&visit);
    return false;
}

static const peer_step http2_script[] = {PEER_CALL(http2_serve), PEER_CLOSE};
static const peer_step *const http2_scripts[] = {http2_script, NULL};

/* Starts such a peer; `habits` NULL: none in particular. */
static inline void http2_start(peer_server *peer, ga_group *group, http2_habits *habits)
{
    peer_start(peer, group, http2_scripts);
    peer->data = habits;
}

/* The same, and makes a session that knows it; the caller's to free. */
static inline ga_session *http2_begin(peer_server *peer, ga_group *group, http2_habits *habits)
{
    ga_session *session = ga_session_new(.http = 2);

    http2_start(peer, group, habits);
    assert_non_null(session);
    return session;
}

/* A GET of what answers with four bytes. */
static inline void http2_assert_ok(ga_session *session, const char *url)
{
    ga_auto(ga_response) response = ga_get(session, url);
    ga_autofree char *text = ga_text(response);

    if (!text)
        fail_msg("%s", ga_error_message());
    assert_string_equal(text, "xxxx");
    assert_string_equal(ga_http_version(response), "2");
}

#endif
