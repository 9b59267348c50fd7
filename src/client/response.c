/* SPDX-License-Identifier: MIT */
/*
 * Responses: making one of a head that was received, what can be asked of it, and its end. The body's reading
 * is in client/response_body.c.
 */
#include "client/response.h"

#include "client/content.h"
#include "client/har.h"
#include "client/http2_exchange.h"
#include "client/redirect_history.h"
#include "client/repr.h"
#include "client/resume.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A body up to this size gets its room with the response, whether it has come or not. */
enum { INLINE_BODY = 16 << 10 };

/* How much room the body gets with the response. */
static size_t room_for_body(const ga__call *call, const ga__codings *codings, size_t rest_size)
{
    const ga__http1_response *http = &call->http;

    if (http->body.kind == GA__BODY_NONE)
        return 0;
    if (http->body.kind != GA__BODY_LENGTH || codings->count > 0)
        return rest_size;
    if (http->length <= INLINE_BODY || http->length < rest_size)
        return (size_t)http->length;
    return rest_size;
}

/* The codings that are to be undone: none for nearly all. */
static ga__codings find_codings(const ga__call *call)
{
    const ga__headers *headers = &call->session->table.headers;
    ga__codings codings = {0};

    if (GA_UNLIKELY(ga__headers_has(headers, GA__FIELD_CONTENT_ENCODING)) &&
        call->http.body.kind != GA__BODY_NONE)
        ga__content_codings(&codings, headers, call->http.status,
                            call->options->no_decompress || call->session->no_decompress);
    return codings;
}

/* How far the content may expand, from the options' number. */
static uint64_t max_ratio(const ga__call *call)
{
    int ratio = call->options->max_ratio ? call->options->max_ratio : call->session->max_ratio;

    return ratio < 0 ? 0 : (uint64_t)ratio;
}

static bool checks_type(const ga__call *call)
{
    int option = call->options->check_content_type;

    return option ? option > 0 : call->session->check_content_type;
}

ga_response *ga__response_new(ga__call *call, const char *rest, size_t rest_size)
{
    const ga__headers *headers = &call->session->table.headers;
    const char *url = ga__url_printable(&call->url);
    size_t method_size = strlen(call->method) + 1, url_size = strlen(url) + 1;
    size_t packed = ga__headers_pack_size(headers);
    ga__codings codings = find_codings(call);
    size_t room = room_for_body(call, &codings, rest_size);
    ga_response *response = malloc(sizeof *response + packed + method_size + url_size + room + 1);

    if (!response)
        return NULL;
    char *at = (char *)(response + 1);

    memset(response, 0, sizeof *response);
    ga__headers_pack(headers, at, &response->headers);
    at += packed;
    memcpy(at, call->method, method_size);
    memcpy(at + method_size, url, url_size);
    response->http = call->http;
    ga__progress_enter(&call->progress, GA_PHASE_READ);
    response->progress = call->progress;
    response->progress.method = at;
    response->progress.url = at + method_size;
    if (GA_UNLIKELY(response->progress.observer != NULL)) {
        response->observed = call->session;
        ga__session_ref(call->session);
    }
    response->progress.status = call->http.status;
    response->timeouts = call->timeouts;
    response->max_body = call->max_body;
    response->capped = call->options->max_body > 0;
    response->checks_type = checks_type(call);
    response->codings = codings;
    response->max_ratio = max_ratio(call);
    response->max_line = call->session->max_line;
    response->redirects = (int)call->redirects;
    response->unusable = call->close || call->sending;
    response->body = at + method_size + url_size;
    response->capacity = room;
    response->session = call->session;
    response->connection = call->connection;
    response->http2 = call->http2;
    response->over_http2 = call->http2 != NULL;
    ga__session_ref(call->session);
    call->connection = NULL;
    call->http2 = NULL;
    response->size = ga__response_decode(response, rest, rest_size, response->body);
    response->body[response->size] = '\0';
    return response;
}

/* The body's end has come, or it is given up. */
static void note_end(ga_response *response)
{
    if (response->ended_at || !ga__loop_here)
        return;
    ga__progress_enter(&response->progress, GA_PHASE_READ);
    response->ended_at = response->progress.entered;
}

static GA_NOINLINE void tell_end(ga_response *response)
{
    if (ga__loop_here)
        ga__observe(&response->progress, GA_TRACE_END);
    ga__session_unref(response->observed);
}

static void give_back(ga_response *response)
{
    ga__connection *connection = response->connection;
    bool reusable = response->done && !response->unusable &&
                    ga__http1_response_reusable(&response->http, response->surplus);
    int hint = ga__headers_has(&response->headers, GA__FIELD_KEEP_ALIVE)
                   ? ga__http1_keep_alive_timeout(&response->headers)
                   : -1;

    if (response->http2)
        ga__http2_release(response);
    connection->served = true;
    response->connection = NULL;
    ga__pool_release(connection, reusable, hint);
}

void ga__response_settle(ga_response *response)
{
    if (!response->session || (!response->done && !response->failed))
        return;
    note_end(response);
    if (response->connection) /* a mock's answer has none */
        give_back(response);
    if (GA_UNLIKELY(response->stay.host != NULL))
        ga__pace_done(&response->stay);
    ga__session_unref(response->session);
    response->session = NULL;
}

void ga_response_free(ga_response *response)
{
    if (!response)
        return;
    if (response->connection && response->session->loop != ga__loop_id()) {
        ga__misuse(GA_EUSAGE,
                   "ga_response_free: the response belongs to another loop, or its loop has ended");
        return;
    }
    if (response->connection && !response->failed)
        ga__response_drain(response);
    if (!response->done && !response->failed)
        response->failed = GA_ECLOSED;
    ga__response_settle(response);
    ga__content_end(response);
    ga__http1_response_free(&response->http);
    if (response->owned)
        free(response->body);
    ga__line_reader_free(response->reader);
    if (GA_UNLIKELY(response->history))
        ga__redirect_history_free(response->history);
    if (GA_UNLIKELY(response->resume != NULL))
        ga__resume_free(response);
    note_end(response);
    if (GA_UNLIKELY(response->har != NULL))
        ga__har_end(response);
    if (GA_UNLIKELY(response->stay.host != NULL))
        ga__pace_end(&response->stay);
    if (response->observed)
        tell_end(response);
    free(response);
}

int ga_response_set_cost(ga_response *response, double cost)
{
    if (!response)
        return ga_error()->code < 0 ? ga_error()->code
                                    : ga__fail(GA_EUSAGE, "ga_response_set_cost: there is no response");
    if (!(cost >= 0) || isinf(cost))
        return ga__fail(GA_EUSAGE, "ga_response_set_cost: a cost of %g is not possible", cost);
    if (!ga__loop_here)
        return ga__fail(GA_ENOTASK, "ga_response_set_cost: no loop runs on this thread, so there is no time");
    ga__pace_set_cost(&response->stay, cost);
    return 0;
}

int ga_status(const ga_response *response)
{
    return response ? response->http.status : 0;
}

const char *ga_reason(const ga_response *response)
{
    return response ? response->headers.bytes + response->http.phrase : "";
}

const char *ga_url(const ga_response *response)
{
    return response ? response->progress.url : "";
}

int ga_redirects(const ga_response *response)
{
    return response ? response->redirects : 0;
}

int ga_attempts(const ga_response *response)
{
    return response ? response->progress.attempt : 0;
}

const char *ga_http_version(const ga_response *response)
{
    if (!response)
        return "";
    if (response->over_http2)
        return "2";
    return response->http.minor == 0 ? "1.0" : "1.1";
}

const char *ga_header(const ga_response *response, const char *name)
{
    return response && name ? ga__headers_get(&response->headers, name) : NULL;
}

int ga_header_at(const ga_response *response, size_t index, ga_pair *header)
{
    if (!response || index >= response->headers.count)
        return 0;
    const ga__field *field = &response->headers.fields[index];

    header->name = ga__field_name(&response->headers, field);
    header->value = ga__field_value(&response->headers, field);
    return 1;
}

int ga_raise_for_status(const ga_response *response)
{
    if (!response) {
        int code = ga_error()->code;

        return code < 0 ? code : ga__fail(GA_EUSAGE, "ga_raise_for_status: there is no response");
    }
    if (response->http.status < 400)
        return 0;
    ga__buffer reason = GA__BUFFER_INIT;

    ga__repr(&reason, ga_reason(response));
    /* To the byte what aiohttp's ClientResponseError says. */
    ga__fail(GA_ESTATUS, "%d, message=%s, url=URL('%s')", response->http.status,
             reason.data ? reason.data : "''", response->progress.url);
    ga__buffer_free(&reason);
    ga__progress_fill(&response->progress);
    return GA_ESTATUS;
}
