/* SPDX-License-Identifier: MIT */
/*
 * A stream of events that outlives its connections. What a connection told last, its id and how long to wait,
 * is kept here from one to the next.
 */
#include "client/response.h"
#include "client/retry.h"

#include "base/ascii.h"
#include "protocol/media_type.h"
#include <gather/events.h>
#include <stdlib.h>
#include <string.h>

/* The shortest is for servers that ask for 0: nobody is served by a client that calls again and again. */
static const double FIRST_WAIT = 3, SHORTEST_WAIT = 0.1, LONGEST_WAIT = 60;

struct ga_event_source {
    ga_session *session;
    ga_request_options options;
    char *url;
    ga_pair *headers;
    size_t header_count; /* without Last-Event-ID's place and the end's */
    ga_response *response;
    char *last_id; /* NULL: none was given */
    double retry;  /* as the server asked last */
    double wait;   /* before the next attempt; 0: none is due */
    bool ended;
};

/* Takes the caller's headers. An id among them is the one to begin at, until the server gives one. @return
 * false without memory */
static bool take_headers(ga_event_source *source, const ga_pair *headers)
{
    size_t count = 0;

    while (headers && headers[count].name)
        count++;
    source->headers = calloc(count + 4, sizeof *source->headers);
    if (!source->headers)
        return false;
    source->headers[source->header_count++] = (ga_pair){"Accept", "text/event-stream"};
    source->headers[source->header_count++] = (ga_pair){"Cache-Control", "no-store"};
    for (size_t i = 0; i < count; i++) {
        if (!headers[i].value || !ga__ascii_is(ga__slice_of(headers[i].name), "last-event-id")) {
            source->headers[source->header_count++] = headers[i];
            continue;
        }
        free(source->last_id);
        source->last_id = strdup(headers[i].value);
        if (!source->last_id)
            return false;
    }
    return true;
}

ga_event_source *ga_event_source_new_with(ga_session *session, const ga_request_options *options)
{
    size_t size = options ? options->size_ : 0;

    if (!session)
        return NULL;
    if (!options || !options->url) {
        ga__fail(GA_EUSAGE, "ga_event_source_new: there is no URL");
        return NULL;
    }
    ga_event_source *source = calloc(1, sizeof *source);

    if (!source)
        goto no_memory;
    memcpy(&source->options, options, size < sizeof *options ? size : sizeof *options);
    source->url = strdup(options->url);
    if (!source->url || !take_headers(source, source->options.headers))
        goto no_memory;
    source->session = session;
    source->options.size_ = sizeof source->options;
    source->options.url = source->url;
    source->options.headers = source->headers;
    if (source->options.timeout == 0)
        source->options.timeout = GA_FOREVER;
    if (source->options.attempt_timeout == 0)
        source->options.attempt_timeout = GA_FOREVER;
    source->retry = FIRST_WAIT;
    return source;

no_memory:
    ga_event_source_free(source);
    ga__fail(GA_ENOMEM, "no memory for a source of events");
    return NULL;
}

void ga_event_source_free(ga_event_source *source)
{
    if (!source)
        return;
    ga_response_free(source->response);
    free(source->last_id);
    free(source->headers);
    free(source->url);
    free(source);
}

/* Whether a new attempt may mend it. Nothing is lost by one: it is waited for, and the request is a GET. */
static bool is_passing(int code)
{
    return ga__retry_is_passing(code) || code == GA_ETRUNCATED || code == GA_EFDS;
}

/* The connection is over: keeps what it told. @return 0, GA_ENOMEM */
static int leave(ga_event_source *source)
{
    double retry;
    const char *id = ga__response_retry_hint(source->response, &retry);

    if (id && (!source->last_id || strcmp(id, source->last_id) != 0)) {
        char *copy = strdup(id);

        if (!copy)
            return ga__fail(GA_ENOMEM, "no memory for the last event's id");
        free(source->last_id);
        source->last_id = copy;
    }
    if (retry >= 0)
        source->retry = retry > SHORTEST_WAIT ? retry : SHORTEST_WAIT;
    ga_response_free(source->response);
    source->response = NULL;
    return 0;
}

/* The same, and notes when to try again. */
static int lose(ga_event_source *source)
{
    if (leave(source) < 0)
        return GA_ENOMEM;
    source->wait = source->wait > 0 ? source->wait * 2 : source->retry;
    if (source->wait > LONGEST_WAIT && source->wait > source->retry)
        source->wait = source->retry > LONGEST_WAIT ? source->retry : LONGEST_WAIT;
    return 0;
}

/* Whether the answer is a stream of events. @return 1; 0 when there is no more (204); a failure, recorded */
static int judge(ga_event_source *source)
{
    const char *type = ga_header(source->response, "Content-Type");
    ga__media_type parsed;

    if (ga_status(source->response) == 204) {
        source->ended = true;
        return 0;
    }
    int code = ga_raise_for_status(source->response);

    if (code < 0)
        return code;
    if (ga_status(source->response) != 200)
        return ga__progress_fail(&source->response->progress, GA_ESTATUS, "the answer is %d, not 200",
                                 ga_status(source->response));
    if (!type || !ga__media_type_parse(&parsed, type, strlen(type)) ||
        !ga__media_type_is(&parsed, "text", "event-stream"))
        return ga__progress_fail(&source->response->progress, GA_ECONTENTTYPE,
                                 "it is no stream of events: its Content-Type is %s, not text/event-stream",
                                 type ? type : "missing");
    return 1;
}

/* @return as judge; what a new attempt may mend is a negative code for which is_passing holds */
static int open_stream(ga_event_source *source)
{
    source->headers[source->header_count] = source->last_id && source->last_id[0]
                                                ? (ga_pair){"Last-Event-ID", source->last_id}
                                                : (ga_pair){NULL, NULL};
    source->response = ga_request_with(source->session, "GET", &source->options);
    return source->response ? judge(source) : ga_error()->code;
}

int ga_event_source_next(ga_event_source *source, ga_event_message *message)
{
    if (!source)
        return ga_error()->code < 0 ? ga_error()->code
                                    : ga__fail(GA_EUSAGE, "ga_event_source_next: there is no source");
    while (!source->ended) {
        int code = 1;

        if (!source->response && source->wait > 0)
            code = ga_sleep(source->wait);
        if (code < 0)
            return code;
        code = source->response ? 1 : open_stream(source);
        if (code > 0)
            code = ga_read_event(source->response, message);
        if (code > 0) {
            source->wait = 0;
            return 1;
        }
        if (code == GA_ECANCELED)
            return code; /* what came of the stream stays, and the next call goes on */
        if (code < 0 && !is_passing(code))
            return leave(source) < 0 ? GA_ENOMEM : code;
        if (!source->ended && lose(source) < 0)
            return GA_ENOMEM;
    }
    return 0;
}
