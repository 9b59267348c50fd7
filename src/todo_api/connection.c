/* SPDX-License-Identifier: MIT */
/*
 * The life of a connection: a task that reads like the protocol. A connection that waits for its next request
 * holds small buffers only. Every wait has a deadline, so that a client that stalls or drips goes, and
 * everything that is received has a limit. What breaks the protocol is answered once, and the connection then
 * closed.
 *
 * Steps return 0 to go on, negative to close the connection; nobody reads why.
 */
#include "todo_api/connection.h"

#include "io/tls.h"
#include "protocol/http1_writer.h"
#include "todo_api/routes.h"

#include <stdio.h>
#include <time.h>

#define SECONDS(n) ((uint64_t)(n)*1000000000)

static const uint64_t IDLE = SECONDS(75);      /* until the first byte of a request */
static const uint64_t RECEIVING = SECONDS(30); /* a whole head; a whole body */
static const uint64_t SENDING = SECONDS(30);   /* without progress */
static const uint64_t LINGERING = SECONDS(1);  /* for a client to hear why it is cut off */

enum {
    LARGEST_BODY = 1 << 20,
    LARGEST_PIPELINE = 64 << 10, /* received while a slow answer is due */
    LARGEST_PIECE = 32 << 10,    /* received at once: what is behind a request is moved once it is answered */
    KEPT_BUFFER = 4 << 10,       /* a buffer that is larger goes after its request */
    STREAM_PIECE = 16 << 10,     /* sent at once of a long stream */
};

static const ga__http1_limits limits = {
    .head = {.max_size = 32 << 10, .max_line = 16 << 10, .max_fields = 128, .strict = true},
    .chunked = {.max_line = 1 << 10,
                .max_extensions = 4 << 10,
                .trailers = {.max_size = 8 << 10, .max_line = 4 << 10, .max_fields = 32, .strict = true}},
};

connection *connection_new(service *shared)
{
    connection *self = calloc(1, sizeof *self);

    if (!self)
        return NULL;
    self->service = shared;
    ga__stream_init(&self->stream);
    ga__headers_table_init(&self->fields);
    return self;
}

void connection_free(connection *self)
{
    ga__stream_close(&self->stream);
    ga__headers_table_free(&self->fields);
    ga__buffer_free(&self->in);
    ga__buffer_free(&self->head);
    ga__buffer_free(&self->body);
    ga__buffer_free(&self->out);
    free(self);
}

static void keep_small(ga__buffer *buffer)
{
    if (buffer->capacity > KEPT_BUFFER)
        ga__buffer_free(buffer);
    else
        ga__buffer_clear(buffer);
}

/* Waits for more bytes behind `in`. @return 1, 0 at the end, GA_E... */
static int receive(connection *self, uint64_t deadline)
{
    ssize_t count = GA_EAGAIN;

    while (count == GA_EAGAIN) {
        int code = ga__stream_wait_readable(&self->stream, deadline);
        char *lent = code < 0 ? NULL : ga__loop_lend();

        if (!lent)
            return code < 0 ? code : GA_ENOMEM;
        count = ga__stream_recv_now(&self->stream, lent, LARGEST_PIECE);
        if (count > 0)
            ga__buffer_append(&self->in, lent, (size_t)count);
    }
    if (count <= 0)
        return (int)count;
    return self->in.failed ? GA_ENOMEM : 1;
}

/* The same where the end is a failure. */
static int receive_more(connection *self, uint64_t deadline)
{
    int code = receive(self, deadline);

    return code == 0 ? GA_EDISCONNECTED : code < 0 ? code : 0;
}

static int send_bytes(connection *self, ga__slice head, ga__slice body)
{
    struct iovec parts[] = {{(void *)(uintptr_t)head.data, head.size},
                            {(void *)(uintptr_t)body.data, body.size}};

    return ga__stream_send(&self->stream, parts, body.size ? 2 : 1, GA__NEVER, SENDING);
}

static int send_out(connection *self)
{
    int code = send_bytes(self, (ga__slice){self->out.data, self->out.size}, (ga__slice){0});

    ga__buffer_clear(&self->out);
    return code;
}

/* --- answering ------------------------------------------------------------------------------------ */

/* Now, as IMF-fixdate; written anew once a second. */
static const char *date(service *shared)
{
    time_t now = time(NULL);
    struct tm parts;

    if (now != shared->date_second && gmtime_r(&now, &parts)) {
        strftime(shared->date, sizeof shared->date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        shared->date_second = now;
    }
    return shared->date;
}

static ga__body_kind framing_of(const ga__http1_request *request, const api_reply *answer)
{
    if (answer->status == 204 || answer->status == 304)
        return GA__BODY_NONE;
    if (!answer->lines)
        return GA__BODY_LENGTH;
    return request->minor ? GA__BODY_CHUNKED : GA__BODY_CLOSE;
}

/* Appends the answer's head to `out`. */
static int write_head(connection *self, const ga__http1_request *request, const api_reply *answer)
{
    ga__body_kind kind = framing_of(request, answer);
    ga__http1_writer writer;
    char total[16];

    ga__http1_write_response(&writer, &self->out, answer->status, routes_phrase(answer->status));
    ga__http1_write_field(&writer, "Date", date(self->service));
    ga__http1_write_field(&writer, "Server", "todo-api");
    if (kind != GA__BODY_NONE)
        ga__http1_write_field(&writer, "Content-Type", answer->content_type);
    if (answer->location)
        ga__http1_write_field(&writer, "Location", answer->location);
    if (answer->total >= 0) {
        snprintf(total, sizeof total, "%d", answer->total);
        ga__http1_write_field(&writer, "X-Total-Count", total);
    }
    if (!request->keep_alive)
        ga__http1_write_field(&writer, "Connection", "close");
    else if (!request->minor)
        ga__http1_write_field(&writer, "Connection", "keep-alive");
    return ga__http1_write_end(&writer, kind, answer->body.size);
}

/* A chunk for a line; without chunks, the line. */
static void add_line(ga__buffer *out, ga__buffer *line, uint64_t number, bool chunked)
{
    char *prefix;

    ga__buffer_clear(line);
    routes_stream_line(line, number);
    if (chunked && (prefix = ga__buffer_reserve(out, GA__CHUNK_PREFIX_MAX)))
        out->size += ga__chunked_prefix(prefix, line->size);
    ga__buffer_append(out, line->data, line->size);
    if (chunked)
        ga__buffer_add(out, "\r\n");
}

/* Sends what is in `out` and then the lines. */
static int send_lines(connection *self, uint64_t lines, bool chunked)
{
    ga__buffer line = GA__BUFFER_INIT;
    int code = 0;

    for (uint64_t number = 1; number <= lines && code == 0; number++) {
        add_line(&self->out, &line, number, chunked);
        if (self->out.size > STREAM_PIECE)
            code = send_out(self);
    }
    ga__buffer_free(&line);
    if (chunked)
        ga__buffer_add(&self->out, "0\r\n\r\n");
    if (self->out.failed)
        return GA_ENOMEM;
    return code < 0 || !self->out.size ? code : send_out(self);
}

static int send_reply(connection *self, const ga__http1_request *request, const api_reply *answer,
                      bool head_only)
{
    int code = write_head(self, request, answer);

    if (code < 0)
        return code;
    if (head_only || framing_of(request, answer) == GA__BODY_NONE)
        return send_out(self);
    if (answer->lines)
        return send_lines(self, answer->lines, request->minor);
    code = send_bytes(self, (ga__slice){self->out.data, self->out.size}, answer->body);
    ga__buffer_clear(&self->out);
    return code;
}

/* Lets the time pass that a slow answer takes; ends early where the client goes. */
static int delay(connection *self, double seconds)
{
    uint64_t deadline = ga__deadline(ga__now(), seconds);

    while (self->in.size < LARGEST_PIPELINE) {
        int code = receive(self, deadline);

        if (code <= 0)
            return code == GA_ETIMEDOUT ? 0 : code == 0 ? GA_EDISCONNECTED : code;
    }
    uint64_t now = ga__now();

    return deadline > now ? ga_sleep((double)(deadline - now) * 1e-9) : 0;
}

/* The target in origin form: that in absolute form without its scheme and host (RFC 9112 section 3.2.2). */
static const char *origin_form(const char *target)
{
    const char *host = strstr(target, "://");

    if (target[0] == '/' || !host)
        return target;
    const char *path = strchr(host + 3, '/');

    return path ? path : "/";
}

static int answer_request(connection *self, ga__http1_request *request)
{
    const char *method = self->head.data + request->method;
    bool head_only = strcmp(method, "HEAD") == 0;
    api_request asked = {
        .method = head_only ? "GET" : method,
        .target = origin_form(self->head.data + request->target),
        .headers = &self->fields.headers,
        .body = {self->body.data, self->body.size},
        .scheme = self->service->tls ? "https" : "http",
        .requests = &self->service->requests,
    };
    api_reply answer;
    int code = 0;

    routes_answer(self->service->todos, &asked, &answer);
    if (framing_of(request, &answer) == GA__BODY_CLOSE)
        request->keep_alive = false;
    if (answer.delay > 0)
        code = delay(self, answer.delay);
    if (code == 0)
        code = send_reply(self, request, &answer, head_only);
    reply_free(&answer);
    return code;
}

/* Answers what broke the protocol, and waits a little, since closing with bytes unread would take the answer
 * away from the client. @return negative */
static int refuse(connection *self, ga__http1_request *request, int status, const char *why)
{
    api_reply answer;

    ga__buffer_clear(&self->out);
    request->keep_alive = false;
    reply_error(&answer, status, why);
    if (send_reply(self, request, &answer, false) == 0) {
        uint64_t deadline = ga__now() + LINGERING;

        ga__stream_shutdown(&self->stream);
        do
            ga__buffer_clear(&self->in);
        while (receive(self, deadline) > 0);
    }
    reply_free(&answer);
    return GA_EPROTOCOL;
}

/* --- reading a request ---------------------------------------------------------------------------- */

/* Moves the head out of `in`, so that what it says stays where it is while more is received. */
static int take_head(connection *self, size_t size)
{
    ga__buffer rest = self->head;

    self->head = self->in;
    self->in = rest;
    ga__buffer_clear(&self->in);
    ga__buffer_append(&self->in, self->head.data + size, self->head.size - size);
    return self->in.failed ? GA_ENOMEM : 0;
}

static int read_head(connection *self, ga__http1_request *request)
{
    size_t consumed;
    int code = self->in.size ? 0 : receive_more(self, ga__now() + IDLE);
    uint64_t deadline = ga__now() + RECEIVING;

    while (code == 0) {
        int step = ga__http1_request_head(request, &self->fields, self->in.data, self->in.size, &consumed);

        if (step == GA__HTTP1_DONE)
            return take_head(self, consumed);
        if (step < 0)
            return request->status ? refuse(self, request, request->status, request->problem) : step;
        code = receive_more(self, deadline);
    }
    if (code == GA_ETIMEDOUT && self->in.size)
        return refuse(self, request, 408, "the request head did not come in time");
    return code;
}

/* Tells a client that waits for it to send its body (RFC 9110 section 10.1.1). */
static int invite(connection *self, const ga__http1_request *request)
{
    if (!request->expects_continue || self->in.size || request->body.done)
        return 0;
    return send_bytes(self, GA__SLICE("HTTP/1.1 100 Continue\r\n\r\n"), (ga__slice){0});
}

static const char too_large[] = "the body is larger than 1 MiB";

/* Decodes what is there of the body. @return 1 when it is complete, 0 when more must come, negative */
static int decode_body(connection *self, ga__http1_request *request)
{
    size_t used = 0, consumed, size;
    const char *piece;
    int step;

    do {
        step = ga__http1_request_body(request, self->in.data + used, self->in.size - used, &consumed, &piece,
                                      &size);
        if (step < 0)
            return request->status ? refuse(self, request, request->status, request->problem) : step;
        if (self->body.size + size > LARGEST_BODY)
            return refuse(self, request, 413, too_large);
        ga__buffer_append(&self->body, piece, size);
        used += consumed;
    } while (step == GA__HTTP1_MORE && used < self->in.size);
    ga__buffer_consume(&self->in, used);
    return self->body.failed ? GA_ENOMEM : step == GA__HTTP1_DONE;
}

static int read_body(connection *self, ga__http1_request *request)
{
    uint64_t deadline = ga__now() + RECEIVING;

    ga__buffer_clear(&self->body);
    if (request->body.kind == GA__BODY_NONE)
        return 0;
    if (request->body.remaining > LARGEST_BODY)
        return refuse(self, request, 413, too_large);
    int code = invite(self, request);

    while (code == 0) {
        int complete = self->in.size || request->body.done ? decode_body(self, request) : 0;

        if (complete)
            return complete < 0 ? complete : 0;
        code = receive_more(self, deadline);
    }
    return code;
}

/* One request with its answer. @return 1 where another may follow, 0 where the connection is done, negative
 * where it failed */
static int exchange(connection *self)
{
    ga__http1_request request;

    ga__http1_request_init(&request, &limits);
    int code = read_head(self, &request);

    if (code == 0)
        code = read_body(self, &request);
    if (code == 0)
        code = answer_request(self, &request);
    if (code == 0)
        code = request.keep_alive;
    ga__http1_request_free(&request);
    keep_small(&self->head);
    keep_small(&self->body);
    keep_small(&self->out);
    if (!self->in.size)
        keep_small(&self->in);
    return code;
}

int connection_serve(void *argument)
{
    connection *self = argument;
    int code = 1;

    if (self->service->tls && ga__tls_accept(&self->stream, self->service->tls, ga__now() + RECEIVING) < 0)
        code = -1;
    while (code > 0)
        code = exchange(self);
    connection_free(self);
    return 0;
}
