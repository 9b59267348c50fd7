/* SPDX-License-Identifier: MIT */
/*
 * Bodies that arrive piece by piece and are acted on as they come: lines (JSON Lines, logs), and server-sent
 * events, as LLM APIs stream their answers.
 *
 *     ga_auto(ga_response) response = ga_post(session, "/v1/chat/completions", .json_text = question);
 *     ga_event_message message;
 *
 *     while (ga_read_event(response, &message) > 0)
 *         puts(message.data);
 */
#ifndef GATHER_EVENTS_H
#define GATHER_EVENTS_H

#include <gather/base.h>
#include <gather/session.h>

GA_BEGIN_DECLS

/** The body's next line, without its end (LF or CRLF). A last line without an end counts. Suspends.
 *  @param line NUL-terminated, the response's; valid until the next read of it
 *  @param size its bytes, or NULL
 *  @return 1; 0 at the body's end; negative as ga_read fails, and GA_ETOOLARGE for a line over the
 *  session's max_line, 1 MiB. Do not mix with ga_text and the like on one response */
GA_API GA_MUST_USE int ga_read_line(ga_response *response, const char **line, size_t *size);

/** A server-sent event. The strings are the response's or the source's; valid until its next event. */
typedef struct ga_event_message {
    const char *type; /**< "message" where the server gave none; a NUL in it is told as U+FFFD */
    const char *data; /**< its lines, with an LF between them; NUL-terminated */
    size_t data_size;
    const char *id; /**< the last id that the server gave; "" when there was none */
    double retry; /**< seconds that the server asked to wait before reconnecting; negative: it did not say */
} ga_event_message;

/** The next server-sent event of the response's body (HTML Standard, 9.2.6). Suspends.
 *  @return 1; 0 at the body's end; negative as ga_read fails, and GA_ETOOLARGE for an event over the
 * session's max_line, 1 MiB */
GA_API GA_MUST_USE int ga_read_event(ga_response *response, ga_event_message *message);

/** A stream of events that is opened again whenever it breaks: the browser's EventSource. */
typedef struct ga_event_source ga_event_source;

/** A source of the events at the URL; the connection is made by the first ga_event_source_next. The URL is
 * copied; what else the options point to is borrowed until the source is freed. The total and
 * the attempt timeout are off unless given. A Last-Event-ID among the headers is the id to begin at. Does not
 * suspend.
 *  @return the caller's to free, before the session; NULL with GA_ENOMEM, GA_EUSAGE */
GA_API ga_event_source *ga_event_source_new_with(ga_session *session, const ga_request_options *options);
/** ga_event_source_new(session, url, options...) */
#define ga_event_source_new(session, ...) ga_event_source_new_with((session), GA_REQUEST_(__VA_ARGS__))

/** The next event. Where the stream ends or the connection breaks, it waits as long as the server asked (3 s
 * unless it did, and 0.1 s at least; doubled up to 60 s while nothing comes) and connects again, telling the
 * last id that a header can carry. Suspends.
 *  @return 1; 0 when the server says by 204 that there is no more; negative: GA_ESTATUS (an answer other than
 * 200), GA_ECONTENTTYPE (not text/event-stream), GA_ETOOLARGE, GA_ECANCELED, GA_ENOMEM, and what no new
 * attempt can mend: GA_EURL, GA_ESCHEME, GA_EHEADER, GA_ECERT, GA_EUSAGE. After GA_ECANCELED (the deadline of
 * a scope, too) the next call goes on where this one was. */
GA_API GA_MUST_USE int ga_event_source_next(ga_event_source *source, ga_event_message *message);

/** NULL is fine. */
GA_API void ga_event_source_free(ga_event_source *source);
GA_AUTO_DEFINE_(ga_event_source, ga_event_source_free)

GA_END_DECLS

#endif
