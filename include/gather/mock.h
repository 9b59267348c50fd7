/* SPDX-License-Identifier: MIT */
/*
 * Calls that a function of the caller's answers instead of the network: for tests of code that makes calls,
 * and for dry runs.
 *
 * The session's option .answer names the function. It sees each request as it would go out, and answers it,
 * fails it, or lets it pass. All of the client but its connections works on such an answer as on any:
 * redirects, cookies, credentials, retries and pace, timeouts, content codings, limits, ga_text, ga_json,
 * ga_read and ga_read_event, trace and metrics.
 */
#ifndef GATHER_MOCK_H
#define GATHER_MOCK_H

#include <gather/base.h>
#include <gather/session.h>

GA_BEGIN_DECLS

/** A request that is about to go out, as the session's .answer function sees it: each redirect, retry and
 *  answer to a challenge is one of its own. It is the library's, and lasts until the function returns. */
typedef struct ga_call {
    const char *method;
    const char *url;        /**< absolute, without userinfo */
    const char *proxy;      /**< the proxy that it would go through, without its credentials; NULL: none */
    const ga_pair *headers; /**< all header fields as HTTP/1.1 sends them, in their order, with Host, cookies,
                                 credentials and the body's; ends with a NULL name. They are not redacted */
    int64_t body_size;      /**< 0 where there is none; -1: not known before its end, sent in chunks */
    int attempt;            /**< 1, or more for a retry */
    int redirects;          /**< followed before */
} ga_call;

/** The value of the request's first header field of that name, whatever its case; NULL where there is none.
 */
GA_API const char *ga_call_header(const ga_call *call, const char *name);

/** The request's body, codings and all; a NUL follows it. It is the call's. A body that is read while it is
 * sent
 *  (.multipart, .body_file, .body_source) is read now, up to the session's max_body, and suspends where its
 * source does. One that cannot be read twice can then not pass to the network.
 *  @return NULL with GA_ETOOLARGE, GA_ENOMEM, GA_ESYSTEM or what .body_source failed with; "" where there is
 * none
 */
GA_API const void *ga_call_body(ga_call *call, size_t *size);

/** What ga_call_text shows besides. */
enum {
    GA_CALL_SECRETS = 1, /**< values that are secret, as they are */
    GA_CALL_NO_BODY = 2  /**< the head alone */
};

/** The request as text for a person: the head of HTTP/1.1, with LF as line end, and the body. What is secret
 * is shown as "[redacted]": the values of Authorization, Proxy-Authorization and Cookie, and those of header
 *  fields and of the URL's parameters whose name has "token", "secret", "password", "api-key", "apikey",
 *  "access-key" or "x-auth" in it, with "-" or "_". The body is as it is; one of more than 64 KiB, or that is
 *  no text, or can be read only once, is described in brackets. Suspends as ga_call_body.
 *  `show`: 0, or GA_CALL_SECRETS and GA_CALL_NO_BODY.
 *  @return a string, the caller's to free; NULL as ga_call_body */
GA_API GA_MUST_USE char *ga_call_text(ga_call *call, unsigned show);

/** An answer; what is left out is 200 without a body. All is copied. */
typedef struct ga_answer_options {
    size_t size_; /* set by ga_answer */

    int status;             /**< 200 to 999 */
    const char *reason;     /**< the reason phrase; none */
    const ga_pair *headers; /**< Content-Length is added where the answer may have a body */

    const void *body; /**< the body's bytes, with body_size */
    size_t body_size;
    const char *text;          /**< a body of Content-Type text/plain; charset=utf-8 */
    const char *json_text;     /**< a body of Content-Type application/json, as it is */
    const struct json_t *json; /**< the same from a jansson value; none of it is taken over */

    int truncated; /**< nonzero: the connection breaks behind these bytes: reading on fails with GA_ETRUNCATED
                    */
} ga_answer_options;

/** Answers the call: `return ga_answer(call, .status = 201, .json_text = "{\"id\": 1}");`. Of more than one
 * the last counts. Does not suspend.
 *  @return 0; GA_EUSAGE (status, or more than one body), GA_EHEADER, GA_ENOMEM */
#define ga_answer(call, ...) \
    ga_answer_with((call), &(const ga_answer_options){.size_ = sizeof(ga_answer_options), __VA_ARGS__})
GA_API int ga_answer_with(ga_call *call, const ga_answer_options *options);

/** Returned by an .answer function: the request goes to the network. */
enum { GA_ANSWER_PASS = 1 };

GA_END_DECLS

#endif
