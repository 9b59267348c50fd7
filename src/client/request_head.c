/* SPDX-License-Identifier: MIT */
/*
 * A request's head, in one pass into a buffer that the session keeps for that. All that comes from the caller
 * goes through protocol/http1_writer, which lets nothing pass that could end a line. Called by
 * client/request.c before a connection is asked for, so that what is refused costs none, and again for each
 * further exchange.
 */
#include "client/call.h"

#include "base/ascii.h"
#include "client/attempts.h"
#include "client/resume.h"
#include "protocol/http1_writer.h"
#include "protocol/redirect.h"
#include "protocol/token.h"
#include <string.h>

/* Methods whose meaning expects a body: they say so even when it is empty (RFC 9110, 8.6). */
static bool expects_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

/* --- headers -------------------------------------------------------------------------------------- */

/* Whether the header goes to this hop, after the redirects so far. What is for a proxy's eyes stands in the
 * proxy's own options. */
static bool goes_along(const ga__call *call, const char *name)
{
    if (GA_UNLIKELY(call->proxy) && ga__ascii_is(ga__slice_of(name), "proxy-authorization"))
        return false;
    if (!call->drop_body_headers && !call->drop_credentials && !call->drop_host)
        return true;
    ga__redirect hop = {.drop_body = call->drop_body_headers,
                        .drop_credentials = call->drop_credentials,
                        .drop_host = call->drop_host};

    return ga__redirect_keeps_header(&hop, name, strlen(name));
}

/* Whether one of the headers that the call itself makes must be left out, since the caller gave it. */
static bool given_by_hand(const ga__call *call, const char *name)
{
    return ga__names_header(call->options->headers, name) && goes_along(call, name);
}

/* The session's headers: as they are kept where the call changes none of them, else one by one. */
static void write_session_headers(const ga__call *call, ga__http1_writer *writer)
{
    const ga_session *session = call->session;
    bool authorized = ga__call_may_authorize(call) && ga__call_replaces_auth(call);
    uint64_t made = (uint64_t)authorized << GA__FIELD_AUTHORIZATION | (uint64_t)(call->content_type != NULL)
                                                                          << GA__FIELD_CONTENT_TYPE;
    bool offers_none = session->offers_codings &&
                       (call->options->no_decompress || ga__names_header(call->options->headers, "Range"));

    if (!call->options->headers && !(session->present & made) && call->redirects == 0 && !call->proxy &&
        !offers_none && !call->options->user_agent) {
        ga__http1_write_lines(writer, session->lines.data, session->lines.size, session->present);
        return;
    }
    for (const ga_pair *header = session->headers; header->name; header++) {
        bool replaced = ga__names_header(call->options->headers, header->name) ||
                        (authorized && ga__ascii_is(ga__slice_of(header->name), "authorization")) ||
                        (call->content_type && ga__ascii_is(ga__slice_of(header->name), "content-type")) ||
                        (offers_none && ga__ascii_is(ga__slice_of(header->name), "accept-encoding")) ||
                        (call->options->user_agent && ga__ascii_is(ga__slice_of(header->name), "user-agent"));

        if (!replaced && goes_along(call, header->name))
            ga__http1_write_field(writer, header->name, header->value);
    }
}

/* The caller's own headers. One without a value only takes the session's away. */
static void write_own_headers(const ga__call *call, ga__http1_writer *writer)
{
    for (const ga_pair *header = call->options->headers; header && header->name; header++)
        if (header->value && goes_along(call, header->name) &&
            !(call->options->content_type && ga__ascii_is(ga__slice_of(header->name), "content-type")))
            ga__http1_write_field(writer, header->name, header->value);
}

/* Besides those that take the place of the session's, as .user_agent does. */
static GA_NOINLINE void write_user_agent(const ga__call *call, ga__http1_writer *writer)
{
    if (*call->options->user_agent && !ga__names_header(call->options->headers, "User-Agent"))
        ga__http1_write_field(writer, "User-Agent", call->options->user_agent);
}

/* --- the head ------------------------------------------------------------------------------------- */

static int refused(const ga__call *call, const ga__http1_writer *writer)
{
    char name[GA__HTTP1_CULPRIT_SIZE];

    if (*ga__http1_writer_culprit(writer, name))
        return ga__progress_fail(&call->progress, writer->code, "header %s: %s", name, writer->problem);
    return ga__progress_fail(&call->progress, writer->code, "%s", writer->problem);
}

/* Whether the caller's own headers end the connection with this request, and whether they allow a repetition.
 */
static void note_own_headers(ga__call *call)
{
    call->close = false;
    for (const ga_pair *header = call->options->headers; header && header->name; header++) {
        if (!header->value)
            continue;
        ga__field_id id = ga__field_identify(header->name, strlen(header->name));

        if (id == GA__FIELD_CONNECTION && ga__list_has(header->value, strlen(header->value), "close"))
            call->close = true;
        else if (id == GA__FIELD_OTHER && ga__ascii_is(ga__slice_of(header->name), "idempotency-key"))
            call->idempotent = true;
    }
}

/* "http://host/path?query": what a proxy that forwards is asked for (RFC 9112, 3.2.2). */
static GA_NOINLINE int begin_forwarded(ga__call *call, ga__http1_writer *writer, ga__slice host)
{
    int code = 0;
    ga__slice authority = ga__url_authority(&call->url), target = ga__url_target(&call->url);
    ga__buffer absolute = GA__BUFFER_INIT;

    ga__buffer_add(&absolute, "http://");
    ga__buffer_append(&absolute, authority.data, authority.size);
    ga__buffer_append(&absolute, target.data, target.size);
    if (absolute.failed)
        code = ga__progress_fail(&call->progress, GA_ENOMEM, "no memory for the request");
    ga__http1_write_request(writer, &call->head, call->method, (ga__slice){absolute.data, absolute.size},
                            host);
    if (call->proxy->fields.size > 0)
        ga__http1_write_lines(writer, call->proxy->fields.data, call->proxy->fields.size, 0);
    ga__buffer_free(&absolute);
    return code;
}

static ga__body_kind body_kind(const ga__call *call)
{
    if (GA_UNLIKELY(call->source && call->source->size < 0))
        return GA__BODY_CHUNKED;
    return call->has_body || expects_body(call->method) ? GA__BODY_LENGTH : GA__BODY_NONE;
}

int ga__call_write_head(ga__call *call)
{
    ga__http1_writer writer;
    ga__slice host;
    int code = call->source ? ga__call_rewind_body(call) : 0;

    if (code < 0)
        return code;
    if (call->head.data == NULL) {
        call->head = call->session->scratch;
        call->session->scratch = GA__BUFFER_INIT;
    }
    ga__buffer_clear(&call->head);
    host = given_by_hand(call, "Host") ? (ga__slice){NULL, 0} : ga__url_authority(&call->url);
    if (GA_UNLIKELY(call->proxy) && ga__proxy_forwards(call->proxy, &call->url))
        code = begin_forwarded(call, &writer, host);
    else
        ga__http1_write_request(&writer, &call->head, call->method, ga__url_target(&call->url), host);
    if (GA_UNLIKELY(call->options->user_agent))
        write_user_agent(call, &writer);
    write_session_headers(call, &writer);
    if (call->options->headers) {
        note_own_headers(call);
        write_own_headers(call, &writer);
    }
    if (GA_UNLIKELY(call->referer) && !ga__names_header(call->options->headers, "Referer") &&
        !ga__names_header(call->session->headers, "Referer"))
        ga__http1_write_field(&writer, "Referer", call->referer);
    if (GA_UNLIKELY(ga__attempts_key(call)))
        ga__http1_write_field(&writer, "Idempotency-Key", ga__attempts_key(call));
    if (GA_UNLIKELY(call->resume != NULL))
        ga__resume_write(call->resume, &writer);
    if (code == 0 && ga__call_may_authorize(call))
        code = ga__call_write_auth(call, &writer);
    if (code == 0 && (call->options->cookies || ga_cookie_jar_count(call->session->jar) > 0))
        code = ga__call_write_cookies(call, &writer);
    if (code < 0)
        return code;
    if (call->content_type && goes_along(call, "Content-Type") &&
        (call->options->content_type || !ga__names_header(call->options->headers, "Content-Type")))
        ga__http1_write_field(&writer, "Content-Type", call->content_type);
    if (call->content_encoding && call->has_body && goes_along(call, "Content-Encoding"))
        ga__http1_write_field(&writer, "Content-Encoding", call->content_encoding);
    if (GA_UNLIKELY(call->expect) && !given_by_hand(call, "Expect"))
        ga__http1_write_field(&writer, "Expect", "100-continue");
    code = ga__http1_write_end(&writer, body_kind(call), call->body_size);
    return code < 0 ? refused(call, &writer) : 0;
}

void ga__call_release_head(ga__call *call)
{
    enum { MOST_KEPT = 64 << 10 };

    if (!call->session->scratch.data && call->head.capacity <= MOST_KEPT && !call->head.failed) {
        call->session->scratch = call->head;
        call->head = GA__BUFFER_INIT;
    }
    ga__buffer_free(&call->head);
}
