/* SPDX-License-Identifier: MIT */
/*
 * Requests that the session's .answer function answers. It is shown the head that was written for the
 * network, and what it answers becomes the bytes of a response, which are read as if they had been received:
 * nothing of the client behind that knows the difference, but that there is no connection. Called by
 * client/request.c in the place of a connection and an exchange on it.
 */
#include "client/mock.h"

#include "base/ascii.h"
#include "client/response.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { PIECE = 16 << 10 }; /* of a body that is taken from its source */

/* --- what is shown -------------------------------------------------------------------------------- */

static int no_memory(const ga__call *call)
{
    return ga__progress_fail(&call->progress, GA_ENOMEM, "no memory for the .answer function");
}

static ga__mock *new_mock(ga__call *call)
{
    ga__mock *mock = calloc(1, sizeof *mock);

    if (!mock)
        return NULL;
    mock->call = call;
    mock->shown = (ga_call){
        .method = call->method,
        .url = ga__url_printable(&call->url),
        .proxy = call->proxy ? call->proxy->name : NULL,
        .body_size = call->source && call->source->size < 0 ? -1 : (int64_t)call->body_size,
        .attempt = call->progress.attempt,
        .redirects = (int)call->redirects,
    };
    if (ga__head_copy_make(&mock->head, &call->head) < 0) {
        free(mock);
        return NULL;
    }
    mock->shown.headers = mock->head.fields;
    return mock;
}

static void free_mock(ga__mock *mock)
{
    if (!mock)
        return;
    ga__head_copy_free(&mock->head);
    ga__buffer_free(&mock->body);
    ga__buffer_free(&mock->answer);
    free(mock);
}

const char *ga_call_header(const ga_call *call, const char *name)
{
    const ga_pair *field = call && name ? call->headers : NULL;

    for (; field && field->name; field++)
        if (ga__ascii_is(ga__slice_of(field->name), name))
            return field->value;
    return NULL;
}

/* --- the request's body --------------------------------------------------------------------------- */

static int take_source(ga__mock *mock, uint64_t most)
{
    ga__call *call = mock->call;
    int code = ga__call_rewind_body(call); /* an earlier attempt may have failed half-way */
    ssize_t size = 1;

    while (code == 0 && size > 0) {
        char *place = ga__buffer_reserve(&mock->body, PIECE);

        if (!place)
            return no_memory(call);
        size = ga__body_source_read(call->source, place, PIECE);
        if (size < 0)
            return ga__progress_failed(&call->progress, (int)size);
        mock->body.size += (size_t)size;
        mock->body.data[mock->body.size] = '\0';
        if (mock->body.size > most)
            code = GA_ETOOLARGE;
    }
    return code;
}

int ga__mock_take_body(ga__mock *mock, uint64_t most)
{
    const ga__call *call = mock->call;
    int code = 0;

    if (mock->taken || call->body_size > most)
        return (mock->taken ? mock->body.size : call->body_size) > most ? GA_ETOOLARGE : 0;
    if (call->source)
        code = take_source(mock, most);
    else if (call->body_size > 0)
        ga__buffer_append(&mock->body, call->body, (size_t)call->body_size);
    if (mock->body.failed)
        code = no_memory(call);
    mock->taken = code == 0;
    mock->failed = code == GA_ETOOLARGE ? 0 : code; /* that one is not recorded */
    if (code < 0)
        ga__buffer_free(&mock->body);
    return code;
}

const void *ga_call_body(ga_call *call, size_t *size)
{
    ga__mock *mock = ga__mock_of(call);

    if (size)
        *size = 0;
    if (!call) {
        ga__fail(GA_EUSAGE, "ga_call_body: there is no call");
        return NULL;
    }
    int code = ga__mock_take_body(mock, (uint64_t)mock->call->max_body);

    if (code == GA_ETOOLARGE)
        mock->failed =
            ga__progress_fail(&mock->call->progress, code,
                              "the request's body has more than the %" PRId64 " bytes that max_body allows",
                              mock->call->max_body);
    if (code < 0)
        return NULL;
    if (size)
        *size = mock->body.size;
    return mock->body.data ? mock->body.data : "";
}
/* --- the answer ----------------------------------------------------------------------------------- */

typedef struct content {
    const char *bytes;
    size_t size;
    const char *type;
    char *owned;
} content;

static int find_content(content *found, const ga_answer_options *options)
{
    int kinds = (options->body != NULL) + (options->text != NULL) + (options->json_text != NULL) +
                (options->json != NULL);

    *found = (content){.bytes = options->body, .size = options->body ? options->body_size : 0};
    if (kinds > 1)
        return ga__fail(GA_EUSAGE, "ga_answer: more than one of .body, .text, .json_text and .json is given");
    if (options->text || options->json_text) {
        found->bytes = options->text ? options->text : options->json_text;
        found->type = options->text ? "text/plain; charset=utf-8" : "application/json";
    } else if (options->json) {
        found->bytes = found->owned = json_dumps(options->json, JSON_ENCODE_ANY | JSON_COMPACT);
        found->type = "application/json";
        if (!found->owned)
            return ga__fail(GA_EUSAGE,
                            "ga_answer: the JSON value cannot be written: it holds itself, or text "
                            "that is not UTF-8");
    }
    if (found->type)
        found->size = strlen(found->bytes);
    return 0;
}

/* How the answer is framed. What is to end early is sent in chunks, of which the last is missing. */
static ga__body_kind framing(const ga__call *call, const ga_answer_options *options)
{
    if (strcmp(call->method, "HEAD") == 0 || options->status == 204 || options->status == 304)
        return GA__BODY_NONE;
    return options->truncated ? GA__BODY_CHUNKED : GA__BODY_LENGTH;
}

static int refused(const ga__http1_writer *writer)
{
    char name[GA__HTTP1_CULPRIT_SIZE];

    if (*ga__http1_writer_culprit(writer, name))
        return ga__fail(writer->code, "ga_answer: header %s: %s", name, writer->problem);
    return ga__fail(writer->code, "ga_answer: %s", writer->problem);
}

static int write_answer(ga__mock *mock, const ga_answer_options *options, const content *body)
{
    ga__buffer *answer = &mock->answer;
    ga__body_kind kind = framing(mock->call, options);
    ga__http1_writer writer;
    char length[24];

    ga__buffer_clear(answer);
    ga__http1_write_response(&writer, answer, options->status, options->reason ? options->reason : "");
    for (const ga_pair *header = options->headers; header && header->name; header++)
        ga__http1_write_field(&writer, header->name, header->value ? header->value : "");
    if (body->type && !ga__names_header(options->headers, "Content-Type"))
        ga__http1_write_field(&writer, "Content-Type", body->type);
    if (kind == GA__BODY_NONE && body->size > 0 && !ga__names_header(options->headers, "Content-Length")) {
        snprintf(length, sizeof length, "%zu", body->size);
        ga__http1_write_field(&writer, "Content-Length", length);
    }
    if (ga__http1_write_end(&writer, kind, body->size) < 0)
        return refused(&writer);
    if (kind == GA__BODY_CHUNKED && body->size > 0)
        ga__buffer_printf(answer, "%zx\r\n", body->size);
    if (kind != GA__BODY_NONE)
        ga__buffer_append(answer, body->bytes, body->size);
    return answer->failed ? ga__fail(GA_ENOMEM, "ga_answer: no memory for the answer") : 0;
}

int ga_answer_with(ga_call *call, const ga_answer_options *options)
{
    ga_answer_options given = {0};
    content body;

    if (!call || !options)
        return ga__fail(GA_EUSAGE, "ga_answer: there is no call");
    memcpy(&given, options, options->size_ < sizeof given ? options->size_ : sizeof given);
    if (given.status == 0)
        given.status = 200;
    int code = find_content(&body, &given);

    if (code == 0 && (given.status < 200 || given.status > 999))
        code =
            ga__fail(GA_EUSAGE, "ga_answer: the status is %d: one from 200 to 999 is expected", given.status);
    if (code == 0 && body.size > 0 && (given.status == 204 || given.status == 304))
        code = ga__fail(GA_EUSAGE, "ga_answer: an answer of status %d has no body", given.status);
    if (code == 0)
        code = write_answer(ga__mock_of(call), &given, &body);
    free(body.owned);
    return code;
}

/* --- the call goes on ----------------------------------------------------------------------------- */

/* The request has gone out, as far as the call can see. */
static void note_sent(ga__call *call, const ga__mock *mock)
{
    ga__progress *progress = &call->progress;

    progress->bytes_sent = mock->head.bytes.size + (call->body_size > 0 ? call->body_size : mock->body.size);
    ga__progress_note_sent(progress);
}

/* Reads the answer as if it had been received. */
static int receive(ga__call *call, ga__mock *mock)
{
    note_sent(call, mock);
    call->progress.sent = GA_SENT_ANSWERED;
    call->progress.bytes_received = mock->answer.size;
    ga__call_release_head(call);
    ga__call_expect_head(call);
    int code = ga__call_take_head(call, mock->answer.data, mock->answer.size);

    if (code == 1 && !call->response->done && !call->response->failed)
        call->response->failed = GA_ETRUNCATED;
    ga__call_end_head(call, code);
    return code < 0 ? code : 0;
}

/* The phase in which the network fails so. */
static ga_phase phase_of(int code)
{
    switch (code) {
    case GA_EDNS:
        return GA_PHASE_DNS;
    case GA_EREFUSED:
    case GA_EUNREACHABLE:
    case GA_ECONNECT:
    case GA_EFDS:
    case GA_EPROXY:
        return GA_PHASE_CONNECT;
    case GA_ETLS:
    case GA_ECERT:
    case GA_EPIN:
        return GA_PHASE_TLS;
    default:
        return GA_PHASE_FIRST_BYTE;
    }
}

/* The function says that the call failed. */
static int fail(ga__call *call, const ga__mock *mock, int code)
{
    call->progress.phase = phase_of(code);
    if (call->progress.phase == GA_PHASE_FIRST_BYTE)
        note_sent(call, mock);
    if (mock->failed == code)
        return code;
    if (ga_error()->code == code && !ga_error()->url) /* its own words, and not those of another call */
        return ga__progress_failed(&call->progress, code);
    ga__progress_fail(&call->progress, code, "the session's .answer function failed with %s",
                      ga_code_name(code));
    if (code == GA_ETIMEDOUT)
        ga__error_edit()->timeout = ga__timeout_name(GA__TIMEOUT_FIRST_BYTE);
    return code;
}

/* Calls the function, as long as the call's timeouts allow. */
static int ask(ga__call *call, ga__mock *mock)
{
    ga__wait wait = ga__timeouts_wait(&call->timeouts, GA__TIMEOUT_FIRST_BYTE);
    ga_scope scope;

    ga__progress_enter(&call->progress, GA_PHASE_FIRST_BYTE);
    ga_scope_open(&scope, ga__seconds_until(wait.at));
    int code = call->session->answer(call->session->answer_arg, &mock->shown);
    int closed = ga_scope_close(&scope);

    if (closed < 0)
        return ga__progress_wait_failed(&call->progress, closed, wait.by, call->timeouts.seconds[wait.by]);
    if (code > GA_ANSWER_PASS)
        return ga__progress_fail(
            &call->progress, GA_EUSAGE,
            "the session's .answer function returned %d: 0, GA_ANSWER_PASS or a negative code "
            "is expected",
            code);
    if (code == 0 && mock->answer.size == 0)
        code = ga_answer(&mock->shown, .status = 200);
    return code < 0 ? fail(call, mock, code) : code;
}

int ga__call_mock(ga__call *call)
{
    ga__mock *mock = new_mock(call);
    int code = mock ? ask(call, mock) : no_memory(call);

    if (code == 0)
        code = receive(call, mock);
    if (code == GA_ANSWER_PASS && call->source && ga__call_rewind_body(call) < 0)
        code = ga_error()->code;
    free_mock(mock);
    return code;
}
