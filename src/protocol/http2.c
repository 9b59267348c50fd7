/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2 on nghttp2, which does frames, HPACK, flow control and most of the judging of what the server sends;
 * here its callbacks become states of streams, and what it leaves unbounded gets a bound: the size of a head,
 * interim heads, and frames that carry nothing. Called by client/http2_connection.c and
 * client/http2_exchange.c.
 *
 * Invariant: a stream whose owner has not left it is in `streams` until it is closed or left; nghttp2 knows
 * it by its user data, which is NULL once it is left.
 */
#include "protocol/http2.h"

#include "base/ascii.h"
#include "base/number.h"
#include <gather/error.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTION_WINDOW = 16 << 20,
    MOST_USELESS = 1000,    /* frames in a second that carry nothing, ... */
    PER_USEFUL = 8,         /* ... and for each frame that does */
    MOST_SETTINGS = 32,     /* entries in one frame */
    MOST_ACKS = 1000,       /* of PING and SETTINGS that wait to be sent */
    MOST_LINGERING = 16,    /* streams without an owner whose end is awaited */
    LARGEST_HEAD = 1 << 30, /* of a request: what is too long is for the server to say */
    FIRST_UNKNOWN = 10,     /* the first type of frames that RFC 9113 does not define */
    COMPACT_AT = 64 << 10
};

struct ga__http2 {
    nghttp2_session *session;
    ga__http2_limits limits;
    ga__list streams, changed;
    ga__buffer scratch; /* a request's head, while it is submitted */
    nghttp2_nv *fields;
    size_t field_room;
    uint64_t frames, useful; /* in this second */
    unsigned lingering;
    bool begun;    /* the server has sent something */
    bool told_off; /* the connection is being ended for what the server did */
    bool goaway;   /* it said GOAWAY */
    uint32_t goaway_error;
    int failed;
    char problem[96];
};

static void note_change(ga__http2_stream *stream)
{
    if (!ga__linked(&stream->in_changed))
        ga__list_push_back(&stream->http2->changed, &stream->in_changed);
}

/* --- how streams end ------------------------------------------------------------------------------ */

static void fail_stream(ga__http2_stream *stream, int code, const char *problem)
{
    if (!stream->failed) {
        stream->failed = code;
        stream->problem = problem;
    }
    note_change(stream);
}

static void close_stream(ga__http2_stream *stream, uint32_t error)
{
    if (stream->closed)
        return;
    stream->closed = true;
    ga__unlink(&stream->in_http2);
    note_change(stream);
    if (stream->head_done && stream->ended)
        return;
    stream->error = error;
    stream->refused = error == NGHTTP2_REFUSED_STREAM && !stream->head_done;
    if (stream->reset || stream->refused)
        fail_stream(stream, GA_ERESET, NULL);
    else
        fail_stream(stream, GA_EPROTOCOL, "it breaks the rules for messages (RFC 9113, 8.1)");
}

static ga__http2_stream *owner_of(nghttp2_session *session, int32_t id)
{
    return id > 0 ? nghttp2_session_get_stream_user_data(session, id) : NULL;
}

static void fail_connection(ga__http2 *http2, int code, const char *problem, size_t size)
{
    if (http2->failed)
        return;
    http2->failed = code;
    size = size < sizeof http2->problem ? size : sizeof http2->problem - 1;
    memcpy(http2->problem, problem, size);
    http2->problem[size] = '\0';
}

static void fail_connection_because(ga__http2 *http2, int code, const char *problem)
{
    fail_connection(http2, code, problem, strlen(problem));
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    ga__http2 *http2 = user;
    ga__http2_stream *stream = owner_of(session, id);

    if (stream)
        close_stream(stream, error);
    else if (http2->lingering > 0)
        http2->lingering--;
    return 0;
}

/* --- receiving ------------------------------------------------------------------------------------ */

/* The end of a head. */
static void end_head(ga__http2_stream *stream, const nghttp2_frame *frame)
{
    bool last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

    stream->bytes_received += frame->hd.length + 9;
    stream->http2->useful++;
    if (!stream->head_done && stream->interim && !last) {
        if (++stream->interims > stream->http2->limits.max_interim) {
            fail_stream(stream, GA_EHEADTOOBIG, "there are more interim responses than allowed");
            nghttp2_submit_rst_stream(stream->http2->session, NGHTTP2_FLAG_NONE, stream->id,
                                      NGHTTP2_ENHANCE_YOUR_CALM);
        }
        if (stream->status == 100 && !stream->wanted) {
            stream->wanted = true;
            note_change(stream);
        }
        return;
    }
    stream->head_done = true;
    stream->ended |= last;
    note_change(stream);
}

/* Requests that were not sent before the GOAWAY never will be. */
static void on_goaway(ga__http2 *http2, const nghttp2_goaway *frame)
{
    http2->goaway = true;
    http2->goaway_error = frame->error_code;
    for (ga__link *link = http2->streams.next, *next; link != &http2->streams; link = next) {
        ga__http2_stream *stream = GA__OF(link, ga__http2_stream, in_http2);

        next = link->next;
        if (stream->sent)
            continue;
        nghttp2_session_set_stream_user_data(http2->session, stream->id, NULL);
        nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_CANCEL);
        http2->lingering++;
        close_stream(stream, NGHTTP2_REFUSED_STREAM);
    }
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    ga__http2_stream *stream = owner_of(session, frame->hd.stream_id);

    if (frame->hd.type == NGHTTP2_GOAWAY)
        on_goaway(user, &frame->goaway);
    if (!stream)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        end_head(stream, frame);
    } else if (frame->hd.type == NGHTTP2_DATA && frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        stream->ended = true;
        stream->http2->useful++;
        note_change(stream);
    } else if (frame->hd.type == NGHTTP2_RST_STREAM) {
        stream->reset = true;
        stream->http2->useful++; /* it answers the request */
    }
    return 0;
}

/* Every frame begins here, but DATA of streams that are closed, which may be under way still. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user)
{
    ga__http2 *http2 = user;

    (void)hd;
    http2->begun = true;
    if (++http2->frames <= MOST_USELESS + PER_USEFUL * http2->useful || http2->told_off)
        return 0;
    http2->told_off = true;
    fail_connection_because(http2, GA_EPROTOCOL, "ENHANCE_YOUR_CALM: a flood of frames that carry nothing");
    nghttp2_session_terminate_session(session, NGHTTP2_ENHANCE_YOUR_CALM);
    return 0;
}

/* A frame of a type that is not known goes by, after on_begin_frame has counted it. */
static int skip_frame(nghttp2_session *session, void **payload, const nghttp2_frame_hd *hd, void *user)
{
    (void)session;
    (void)payload;
    (void)hd;
    (void)user;
    return NGHTTP2_ERR_CANCEL;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int why, void *user)
{
    ga__http2_stream *stream = owner_of(session, frame->hd.stream_id);

    (void)user;
    if (stream && !stream->failed) {
        stream->failed = GA_EPROTOCOL;
        stream->problem = nghttp2_strerror(why);
    }
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    ga__http2_stream *stream = owner_of(session, frame->hd.stream_id);

    (void)user;
    if (!stream || stream->head_done) {
        if (stream)
            stream->head_size = 0; /* trailers */
        return 0;
    }
    ga__buffer_clear(&stream->head);
    ga__buffer_append(&stream->head, "", 1);
    stream->fields = stream->head_size = 0;
    return 0;
}

/* Ends the stream, whose head goes on without being looked at. */
static int refuse_head(ga__http2_stream *stream, int code, const char *problem)
{
    fail_stream(stream, code, problem);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *user)
{
    ga__http2 *http2 = user;
    ga__http2_stream *stream = owner_of(session, frame->hd.stream_id);
    uint64_t status;

    (void)flags;
    if (!stream)
        return 0;
    if (name_size + value_size + 32 > http2->limits.max_head - stream->head_size)
        return refuse_head(stream, GA_EHEADTOOBIG, "its head is too long");
    if (name_size > UINT16_MAX || name_size + value_size > http2->limits.max_field)
        return refuse_head(stream, GA_EHEADTOOBIG, "a field of its head is too long");
    stream->head_size += (uint32_t)(name_size + value_size + 32);
    if (stream->head_done)
        return 0; /* trailers are not kept */
    if (name[0] == ':') {
        if (!ga__parse_decimal((const char *)value, value_size, &status) || status < 100 || status > 999)
            return refuse_head(stream, GA_EPROTOCOL, "the status code is not a number from 100 to 999");
        stream->status = (uint16_t)status;
        stream->interim = status < 200;
        return 0;
    }
    if (++stream->fields > http2->limits.max_fields)
        return refuse_head(stream, GA_EHEADTOOBIG, "its head has too many fields");
    ga__buffer_append(&stream->head, name, name_size);
    ga__buffer_append(&stream->head, "", 1);
    ga__buffer_append(&stream->head, value, value_size);
    ga__buffer_append(&stream->head, "", 1);
    return stream->head.failed ? refuse_head(stream, GA_ENOMEM, "no memory for the head") : 0;
}

/* The connection's window is opened at once, so that a body which nobody reads holds up no other; the
 * stream's own window bounds what is kept here. */
static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t size,
                   void *user)
{
    ga__http2 *http2 = user;
    ga__http2_stream *stream = owner_of(session, id);

    (void)flags;
    nghttp2_session_consume_connection(session, size);
    if (!stream || stream->failed)
        return 0;
    http2->useful++;
    stream->bytes_received += size;
    if (stream->taken == stream->body.size) {
        ga__buffer_clear(&stream->body);
        stream->taken = 0;
    } else if (stream->taken >= COMPACT_AT) {
        ga__buffer_consume(&stream->body, stream->taken);
        stream->taken = 0;
    }
    ga__buffer_append(&stream->body, data, size);
    if (stream->body.failed) {
        fail_stream(stream, GA_ENOMEM, "no memory for the body");
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    }
    note_change(stream);
    return 0;
}

int ga__http2_receive(ga__http2 *http2, const char *data, size_t size)
{
    static const char http1[] = "HTTP/";

    if (!http2->begun && size >= sizeof http1 - 1 && memcmp(data, http1, sizeof http1 - 1) == 0)
        fail_connection_because(http2, GA_EPROTOCOL, "the server speaks HTTP/1.1");
    ssize_t taken = nghttp2_session_mem_recv(http2->session, (const uint8_t *)data, size);

    if (taken == NGHTTP2_ERR_NOMEM)
        fail_connection_because(http2, GA_ENOMEM, "no memory for the connection");
    else if (taken < 0)
        fail_connection_because(http2, GA_EPROTOCOL, nghttp2_strerror((int)taken));
    return http2->failed;
}

/* --- sending -------------------------------------------------------------------------------------- */

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    ga__http2 *http2 = user;
    ga__http2_stream *stream;

    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        stream = owner_of(session, frame->hd.stream_id);
        if (stream) {
            stream->sent = true;
            stream->bytes_sent += frame->hd.length + 9;
        }
        break;
    case NGHTTP2_DATA:
        http2->useful++; /* WINDOW_UPDATE will answer it */
        break;
    case NGHTTP2_GOAWAY:
        if (frame->goaway.error_code == NGHTTP2_NO_ERROR)
            break;
        if (frame->goaway.opaque_data_len > 0)
            fail_connection(http2, GA_EPROTOCOL, (const char *)frame->goaway.opaque_data,
                            frame->goaway.opaque_data_len);
        fail_connection_because(http2, GA_EPROTOCOL, ga__http2_error_name(frame->goaway.error_code));
        break;
    default:
        break;
    }
    return 0;
}

/* A request that nghttp2 did not send, since the connection is ending. */
static int on_frame_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int why, void *user)
{
    ga__http2 *http2 = user;

    (void)session;
    (void)why;
    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    for (ga__link *link = http2->streams.next; link != &http2->streams; link = link->next) {
        ga__http2_stream *stream = GA__OF(link, ga__http2_stream, in_http2);

        if (stream->id == frame->hd.stream_id) {
            close_stream(stream, NGHTTP2_REFUSED_STREAM);
            break;
        }
    }
    return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t size, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    ga__http2_stream *stream = owner_of(session, id);

    (void)source;
    (void)user;
    if (!stream)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (stream->out_size == 0 && !stream->out_last) {
        stream->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    size = size < stream->out_size ? size : stream->out_size;
    if (size > 0)
        memcpy(out, stream->out, size);
    stream->out += size;
    stream->out_size -= size;
    stream->bytes_sent += size;
    if (stream->out_size == 0 && stream->out_last)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    note_change(stream);
    return (ssize_t)size;
}

size_t ga__http2_produce(ga__http2 *http2, char *out, size_t size)
{
    size_t made = 0;

    while (size - made >= GA__HTTP2_LEAST_ROOM) {
        const uint8_t *piece;
        ssize_t count = nghttp2_session_mem_send(http2->session, &piece);

        if (count == NGHTTP2_ERR_NOMEM)
            fail_connection_because(http2, GA_ENOMEM, "no memory for the connection");
        else if (count < 0)
            fail_connection_because(http2, GA_EPROTOCOL, nghttp2_strerror((int)count));
        if (count <= 0)
            break;
        memcpy(out + made, piece, (size_t)count);
        made += (size_t)count;
    }
    return made;
}

bool ga__http2_wants_to_send(const ga__http2 *http2)
{
    return nghttp2_session_want_write(http2->session) != 0;
}

/* --- requests ------------------------------------------------------------------------------------- */

/* What HTTP/2 says otherwise, or not at all (RFC 9113, 8.2.2). */
static bool is_left_out(ga__slice name)
{
    static const char *const names[] = {
        "host", "connection", "keep-alive", "te", "proxy-connection", "transfer-encoding", "upgrade"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (name.size == strlen(names[i]) && memcmp(name.data, names[i], name.size) == 0)
            return true;
    return false;
}

static bool add_field(ga__http2 *http2, size_t *count, ga__slice name, ga__slice value)
{
    if (*count == http2->field_room) {
        size_t room = http2->field_room ? http2->field_room * 2 : 32;
        nghttp2_nv *fields = realloc(http2->fields, room * sizeof *fields);

        if (!fields)
            return false;
        http2->fields = fields;
        http2->field_room = room;
    }
    http2->fields[(*count)++] = (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name.data,
        .namelen = name.size,
        .value = (uint8_t *)(uintptr_t)value.data,
        .valuelen = value.size,
    };
    return true;
}

/* Takes what stands before the delimiter, and the delimiter. */
static ga__slice cut(ga__slice *rest, const char *delimiter)
{
    size_t size = strlen(delimiter);
    const char *at = memmem(rest->data, rest->size, delimiter, size);
    ga__slice part = ga__slice_take(rest, at ? (size_t)(at - rest->data) : rest->size);

    ga__slice_take(rest, rest->size < size ? rest->size : size);
    return part;
}

/* Makes fields of the head's lines, whose names become lower case where they stand, in http2->scratch.
 * @return their number; 0 without memory */
static size_t make_fields(ga__http2 *http2, bool secure)
{
    enum { METHOD, SCHEME, AUTHORITY, PATH };
    ga__slice rest = {http2->scratch.data, http2->scratch.size};
    ga__slice method = cut(&rest, " "), target = cut(&rest, " ");
    size_t count = 0;

    cut(&rest, "\r\n");
    bool made =
        add_field(http2, &count, GA__SLICE(":method"), method) &&
        add_field(http2, &count, GA__SLICE(":scheme"), secure ? GA__SLICE("https") : GA__SLICE("http")) &&
        add_field(http2, &count, GA__SLICE(":authority"), GA__SLICE("")) &&
        add_field(http2, &count, GA__SLICE(":path"), target);

    while (made && rest.size > 2) {
        ga__slice value = cut(&rest, "\r\n"), name = cut(&value, ":");

        while (value.size > 0 && value.data[0] == ' ')
            ga__slice_take(&value, 1);
        for (size_t i = 0; i < name.size; i++) {
            char *letter = http2->scratch.data + (name.data - http2->scratch.data) + i;

            *letter = ga__ascii_lower(*letter);
        }
        if (ga__slice_equal(name, GA__SLICE("host"))) {
            http2->fields[AUTHORITY].value = (uint8_t *)(uintptr_t)value.data;
            http2->fields[AUTHORITY].valuelen = value.size;
        } else if (!is_left_out(name)) {
            made = add_field(http2, &count, name, value);
        }
    }
    return made ? count : 0;
}

int ga__http2_submit(ga__http2 *http2, ga__http2_stream *stream, ga__slice head, bool secure, bool has_body)
{
    nghttp2_data_provider provider = {.read_callback = read_body};

    *stream = (ga__http2_stream){.out_last = !has_body};
    if (http2->failed || http2->goaway || !nghttp2_session_check_request_allowed(http2->session))
        return GA_EPROTOCOL;
    ga__buffer_clear(&http2->scratch);
    ga__buffer_append(&http2->scratch, head.data, head.size);
    size_t count = http2->scratch.failed ? 0 : make_fields(http2, secure);

    if (count == 0)
        return GA_ENOMEM;
    int32_t id = nghttp2_submit_request(http2->session, NULL, http2->fields, count,
                                        has_body ? &provider : NULL, stream);

    if (id < 0)
        return id == NGHTTP2_ERR_NOMEM ? GA_ENOMEM : GA_EPROTOCOL;
    stream->http2 = http2;
    stream->id = id;
    ga__list_push_back(&http2->streams, &stream->in_http2);
    return 0;
}

void ga__http2_write(ga__http2_stream *stream, const char *bytes, size_t size, bool last)
{
    stream->out = bytes;
    stream->out_size = size;
    stream->out_last = last;
    if (stream->deferred && !stream->closed)
        nghttp2_session_resume_data(stream->http2->session, stream->id);
    stream->deferred = false;
}

void ga__http2_withhold(ga__http2_stream *stream)
{
    stream->out = NULL;
    stream->out_size = 0;
    stream->out_last = false;
}

/* --- responses ------------------------------------------------------------------------------------ */

bool ga__http2_is_full(const ga__http2_stream *stream)
{
    return stream->head_done && !stream->ended && !stream->closed &&
           ga__http2_unread(stream) >= stream->http2->limits.window;
}

int ga__http2_fields(const ga__http2_stream *stream, ga__headers_table *table)
{
    char *bytes = stream->head.data;
    uint32_t at = 1, size = (uint32_t)stream->head.size;

    ga__headers_table_reset(table, bytes, size);
    while (at < size) {
        ga__field *field = ga__headers_table_add(table);

        if (!field)
            return GA_ENOMEM;
        uint32_t name_size = (uint32_t)strlen(bytes + at), value = at + name_size + 1;
        ga__field_id id = ga__field_identify(bytes + at, name_size);

        *field = (ga__field){.name = at,
                             .name_size = (uint16_t)name_size,
                             .value = value,
                             .value_size = (uint32_t)strlen(bytes + value),
                             .id = (uint16_t)id};
        table->headers.present |= UINT64_C(1) << id;
        at = value + field->value_size + 1;
    }
    return 0;
}

void ga__http2_taken(ga__http2_stream *stream, size_t size)
{
    stream->taken += size;
    if (size > 0 && !stream->ended && !stream->closed)
        nghttp2_session_consume_stream(stream->http2->session, stream->id, size);
}

size_t ga__http2_read(ga__http2_stream *stream, char *out, size_t size)
{
    size_t here = ga__http2_unread(stream);

    size = size < here ? size : here;
    if (size == 0)
        return 0;
    memcpy(out, stream->body.data + stream->taken, size);
    ga__http2_taken(stream, size);
    return size;
}

void ga__http2_leave(ga__http2_stream *stream, bool complete)
{
    ga__http2 *http2 = stream->http2;

    ga__buffer_free(&stream->head);
    ga__buffer_free(&stream->body);
    ga__unlink(&stream->in_changed);
    ga__unlink(&stream->in_http2);
    stream->http2 = NULL;
    if (!http2 || stream->closed)
        return;
    nghttp2_session_set_stream_user_data(http2->session, stream->id, NULL);
    http2->lingering++;
    if (!complete || !ga__http2_request_sent(stream) || http2->lingering > MOST_LINGERING)
        nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_CANCEL);
}

/* --- the connection ------------------------------------------------------------------------------- */

static int set_callbacks(nghttp2_session_callbacks **callbacks)
{
    if (nghttp2_session_callbacks_new(callbacks) != 0)
        return GA_ENOMEM;
    nghttp2_session_callbacks_set_on_begin_frame_callback(*callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_unpack_extension_callback(*callbacks, skip_frame);
    nghttp2_session_callbacks_set_on_frame_recv_callback(*callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(*callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(*callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(*callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(*callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(*callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(*callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(*callbacks, on_frame_not_sent);
    return 0;
}

static int set_options(nghttp2_option **options)
{
    if (nghttp2_option_new(options) != 0)
        return GA_ENOMEM;
    nghttp2_option_set_no_auto_window_update(*options, 1);
    nghttp2_option_set_no_closed_streams(*options, 1);
    nghttp2_option_set_max_reserved_remote_streams(*options, 0);
    nghttp2_option_set_max_settings(*options, MOST_SETTINGS);
    nghttp2_option_set_max_outbound_ack(*options, MOST_ACKS);
    nghttp2_option_set_max_send_header_block_length(*options, LARGEST_HEAD);
    /* Otherwise nghttp2 passes over them without a word, however many they are. */
    for (unsigned type = FIRST_UNKNOWN; type <= UINT8_MAX; type++)
        nghttp2_option_set_user_recv_extension_type(*options, (uint8_t)type);
    return 0;
}

static int open_session(ga__http2 *http2)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *options = NULL;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, http2->limits.window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, http2->limits.max_head},
    };
    int code = set_callbacks(&callbacks);

    if (code == 0)
        code = set_options(&options);
    if (code == 0 && nghttp2_session_client_new2(&http2->session, callbacks, http2, options) != 0)
        code = GA_ENOMEM;
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    if (code == 0 &&
        (nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings,
                                 sizeof settings / sizeof *settings) != 0 ||
         nghttp2_session_set_local_window_size(http2->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW) != 0))
        code = GA_ENOMEM;
    return code;
}

ga__http2 *ga__http2_new(const ga__http2_limits *limits)
{
    ga__http2 *http2 = calloc(1, sizeof *http2);

    if (!http2)
        return NULL;
    http2->limits = *limits;
    ga__list_init(&http2->streams);
    ga__list_init(&http2->changed);
    if (open_session(http2) < 0) {
        ga__http2_free(http2);
        return NULL;
    }
    return http2;
}

void ga__http2_free(ga__http2 *http2)
{
    nghttp2_session_del(http2->session);
    ga__buffer_free(&http2->scratch);
    free(http2->fields);
    free(http2);
}

int ga__http2_failed(const ga__http2 *http2, const char **problem)
{
    *problem = http2->problem;
    return http2->failed;
}

ga__http2_stream *ga__http2_next_changed(ga__http2 *http2)
{
    ga__link *link = ga__list_pop_front(&http2->changed);

    return link ? GA__OF(link, ga__http2_stream, in_changed) : NULL;
}

bool ga__http2_accepts(const ga__http2 *http2)
{
    return !http2->failed && !http2->goaway && nghttp2_session_check_request_allowed(http2->session);
}

uint32_t ga__http2_most_streams(const ga__http2 *http2)
{
    return nghttp2_session_get_remote_settings(http2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

uint32_t ga__http2_goaway_error(const ga__http2 *http2)
{
    return http2->goaway_error;
}

void ga__http2_lose(ga__http2 *http2)
{
    for (ga__link *link; (link = ga__list_pop_front(&http2->streams));) {
        ga__http2_stream *stream = GA__OF(link, ga__http2_stream, in_http2);

        nghttp2_session_set_stream_user_data(http2->session, stream->id, NULL);
        stream->closed = true;
        note_change(stream);
    }
}

void ga__http2_ping(ga__http2 *http2)
{
    nghttp2_submit_ping(http2->session, NGHTTP2_FLAG_NONE, NULL);
}

void ga__http2_say_goodbye(ga__http2 *http2)
{
    nghttp2_session_terminate_session(http2->session, NGHTTP2_NO_ERROR);
}

void ga__http2_calm(ga__http2 *http2)
{
    http2->frames = http2->useful = 0;
}

const char *ga__http2_error_name(uint32_t error)
{
    return nghttp2_http2_strerror(error);
}
