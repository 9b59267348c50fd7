/* SPDX-License-Identifier: MIT */
/*
 * The life of one request: judged and written before anything is asked of the network; then, for each
 * redirect that is followed, a place in the pool, an exchange on its connection, and once more on a fresh one
 * where a kept connection turned out to be broken. However a call ends, its place is given back by the time
 * ga_request_with returns or, where a body is still to be read, by the response's end.
 */
#include "client/call.h"

#include "base/ascii.h"
#include "client/attempts.h"
#include "client/har.h"
#include "client/hsts.h"
#include "client/redirect_history.h"
#include "client/response.h"
#include "client/resume.h"
#include "protocol/redirect.h"
#include "protocol/token.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- preparing ------------------------------------------------------------------------------------ */

/* A URL that was not parsed, for a message; to be freed, NULL where there is no memory. */
static char *describe(ga__slice url)
{
    ga__buffer shown = GA__BUFFER_INIT;

    ga__url_describe(&shown, url.data, url.size);
    return ga__buffer_take(&shown);
}

static GA_NOINLINE int refuse_url(ga__call *call, int code, const char *reason)
{
    ga_autofree char *shown = describe(ga__slice_of(call->options->url));

    return ga__progress_fail(&call->progress, code, "\"%s\": %s", shown ? shown : "?", reason);
}

/* A host that wants TLS gets it, whatever the URL says. */
static GA_NOINLINE int upgrade(const ga__call *call, ga__url *url)
{
    int code = ga__hsts_upgrade(call->session->hsts, url, time(NULL));

    return code < 0 ? ga__progress_failed(&call->progress, code) : 0;
}

/* Notes that the host wants TLS from now on, where the answer that says so can be believed. */
static GA_NOINLINE int note_policy(const ga__call *call)
{
    const ga__headers *headers = &call->response->headers;
    const ga__field *field = ga__headers_find(headers, "Strict-Transport-Security", NULL);

    if (!field || !call->url.secure || call->tls->options.insecure)
        return 0;
    ga__slice text = {ga__field_value(headers, field), field->value_size};
    int code = ga__hsts_note(call->session->hsts, &call->url, text, time(NULL));

    return code < 0 ? ga__progress_fail(&call->response->progress, code, "no memory for the response") : 0;
}

/* Parses what is given as the URL, and keeps it for the next call. @return 0 or a failure, recorded */
static GA_NOINLINE int parse_new(ga__call *call, const char *given)
{
    ga_session *session = call->session;
    const char *reason = NULL;
    int code =
        ga__url_parse(&call->url, given, strlen(given), session->has_base ? &session->base : NULL, &reason);

    if (code < 0)
        return refuse_url(call, code, reason);
    if (!call->url.far)
        session->known = call->url;
    return 0;
}

static int parse_url(ga__call *call)
{
    const ga_session *session = call->session;
    const char *given = call->options->url, *reason = NULL;
    int code = 0;

    if (!given)
        return ga__fail(GA_EURL, "%s: there is no URL", call->method);
    if (!ga__url_parse_like(&call->url, given, strlen(given), &session->known))
        code = parse_new(call, given);
    if (code < 0)
        return code;
    if (call->options->params)
        code = ga__url_add_params(&call->url, call->options->params, &reason);
    call->progress.url = ga__url_printable(&call->url);
    if (code < 0)
        return ga__progress_fail(&call->progress, code, "params: %s", reason);
    if (!session->hsts)
        return 0;
    code = upgrade(call, &call->url);
    call->progress.url = ga__url_printable(&call->url);
    return code;
}

/* Sets the present hop's proxy: the request's own, or what the session has for the URL. */
static GA_NOINLINE int choose_proxy(ga__call *call)
{
    const ga_request_options *options = call->options;

    call->proxy = call->own_proxy;
    if (!options->proxy && call->session->proxies)
        call->proxy = ga__proxies_choose(call->session->proxies, &call->url);
    if (!options->proxy || !*options->proxy || call->proxy)
        return 0;
    if (call->session->unix_socket.size > 0)
        return ga__progress_fail(&call->progress, GA_EUSAGE, "a session with a unix_socket has no proxy");
    call->proxy = call->own_proxy = ga__proxy_new("proxy", options->proxy, options->proxy_headers);
    return call->proxy ? 0 : ga__progress_failed(&call->progress, ga_error()->code);
}

/* Sets what the present hop's connection is to be opened with, where the request has a say in it. */
static GA_NOINLINE int choose_tls(ga__call *call)
{
    ga__tls_profiles *profiles = &call->session->tls;
    ga__tls_profile *chosen = ga__tls_profile_get(profiles, call->options, call->drop_credentials);

    if (!chosen)
        return ga__progress_failed(&call->progress, ga_error()->code);
    ga__tls_profile_put(profiles, call->tls);
    call->tls = chosen;
    return 0;
}

static bool has_proxies(const ga__call *call)
{
    return GA_UNLIKELY(call->session->proxies || call->options->proxy);
}

/* RFC 9110, 9.2.2, and QUERY. */
static bool is_idempotent(const char *method)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

static void set_limits(ga__call *call)
{
    const ga_request_options *options = call->options;
    int redirects = options->max_redirects ? options->max_redirects : call->session->max_redirects;

    call->follow = redirects >= 0;
    call->max_redirects = redirects > 0 ? (unsigned)redirects : 0;
    call->max_body = options->max_body ? options->max_body : call->session->max_body;
    if (call->max_body < 0)
        call->max_body = INT64_MAX;
}

/* Judges all that the caller gave. Nothing was asked of the network when it fails. */
static int prepare(ga__call *call)
{
    ga__progress_enter(&call->progress, GA_PHASE_PREPARE);
    if (strcmp(call->method, "CONNECT") == 0)
        return ga__progress_fail(&call->progress, GA_EUSAGE, "CONNECT is for proxies, and is not a request");
    if (!ga__is_token(call->method, strlen(call->method))) {
        call->progress.method = "request"; /* the method itself is not fit to be shown */
        return ga__progress_fail(&call->progress, GA_EHEADER,
                                 "the method is empty, or has a character that is not allowed");
    }
    set_limits(call);
    int code = ga__timeouts_of_call(&call->timeouts, &call->session->timeouts, call->options);

    if (code == 0)
        code = parse_url(call);
    if (code == 0 && GA_UNLIKELY(ga__tls_profile_wanted(call->options)))
        code = choose_tls(call);
    if (code == 0 && has_proxies(call))
        code = choose_proxy(call);
    if (code == 0)
        code = ga__call_set_body(call);
    if (code == 0 && (ga__call_may_authorize(call) || call->options->password || call->options->digest))
        code = ga__call_check_auth(call);
    if (code == 0 && GA_UNLIKELY(ga__attempts_needed(call)))
        code = ga__attempts_begin(call);
    if (code == 0)
        code = ga__call_write_head(call);
    return code;
}

/* --- one hop -------------------------------------------------------------------------------------- */

static int acquire(ga__call *call)
{
    ga__wait wait = ga__timeouts_wait(&call->timeouts, GA__TIMEOUT_POOL);
    /* Where the caller is asked before, the connection is judged after that. */
    bool once = ga__call_goes_once(call) && !call->options->before_send;
    const ga__url *place = &call->url;
    ga__way way = {.http = call->tls->http};

    if (GA_UNLIKELY(call->tls != &call->session->tls.own))
        way.tls = call->tls->key;
    ga__progress_enter(&call->progress, GA_PHASE_POOL);
    if (GA_UNLIKELY(call->proxy)) {
        way.proxy = call->proxy->key;
        if (ga__proxy_forwards(call->proxy, &call->url))
            place = &call->proxy->url; /* whatever the server, the connection is one to the proxy */
    }
    int code = ga__pool_acquire(&call->session->pool, place, &way, once, wait.at, &call->connection);

    if (code == GA_ETIMEDOUT || code == GA_ECANCELED)
        return ga__progress_wait_failed(&call->progress, code, wait.by, call->timeouts.seconds[wait.by]);
    if (code < 0)
        return ga__progress_failed(&call->progress, code);
    if (GA_UNLIKELY(call->timeouts.after_pool))
        ga__timeouts_leave_lines(&call->timeouts);
    return 0;
}

static void give_up_connection(ga__call *call)
{
    bool unused = call->withdrawn && call->connection && ga__connection_is_open(call->connection);

    if (unused)
        call->connection->served = true; /* it is a kept one from here on, and may turn out stale */
    if (call->connection)
        ga__pool_release(call->connection, unused, -1);
    call->connection = NULL;
}

/* Whether the request goes out once more, on a fresh connection: a connection that was kept may have been
 * closed by the server before the request reached it. Not where an answer began, nor where the request may
 * have been acted upon and is not idempotent; and never after a fresh connection. */
static bool is_stale(const ga__call *call, int code)
{
    const ga__progress *progress = &call->progress;

    if (code != GA_EDISCONNECTED && code != GA_ERESET && code != GA_ETLS)
        return false;
    if ((call->source && call->source->failed) || call->withdrawn)
        return false;
    return call->connection && !call->connection->http2 && call->connection->served &&
           progress->bytes_received == 0 && (progress->bytes_sent == 0 || call->idempotent);
}

/* The call's host began to cool down while it was in line for a connection, which goes to the next.
 * @return GA_EAGAIN, not recorded */
static GA_NOINLINE int hold_back(ga__call *call)
{
    call->progress.attempt--;
    call->held = true;
    ga__pool_release(call->connection, ga__connection_is_open(call->connection), -1);
    call->connection = NULL;
    return GA_EAGAIN;
}

/* The request, which failed so, goes out once more: its head is written. @return 0 or a failure, recorded */
static GA_NOINLINE int begin_attempt(ga__call *call, int failure)
{
    ga__progress *progress = &call->progress;

    if (GA_UNLIKELY(call->har != NULL))
        ga__har_exchanged(call, failure);
    int code = ga__call_ask_before_retry(call, 0, 0);

    if (code < 0)
        return code;
    progress->attempt++;
    progress->reused = call->refused = false;
    ga__observe_sent(progress);
    call->sent_before = progress->sent;
    ga__timeouts_end_attempt(&call->timeouts);
    if (GA_UNLIKELY(progress->observer != NULL))
        ga__observe(progress, GA_TRACE_RETRY);
    code = ga__call_write_head(call);
    if (code == 0 && GA_UNLIKELY(call->session->har != NULL))
        ga__har_begin(call);
    return code;
}

/* Asks the session's .answer function. @return as ga__call_mock */
static GA_NOINLINE int answer(ga__call *call)
{
    if (call->timeouts.after_pool)
        ga__timeouts_leave_lines(&call->timeouts);
    int code = call->options->before_send ? ga__call_ask_caller(call) : 0;

    if (code == 0 && call->attempts)
        ga__attempts_sent(call);
    return code < 0 ? code : ga__call_mock(call);
}

static int exchange_once(ga__call *call)
{
    int code = GA_UNLIKELY(call->session->answer != NULL) ? answer(call) : 1;

    if (GA_UNLIKELY(code <= 0))
        return code;
    code = acquire(call);

    if (code == 0 && GA_UNLIKELY(call->attempts) && ga__attempts_held(call))
        return hold_back(call);
    if (code == 0 && !call->connection->http2 && !ga__connection_is_open(call->connection))
        code = ga__call_open(call);
    if (code == 0 && GA_UNLIKELY(call->attempts))
        ga__attempts_sent(call);
    if (code == 0)
        code = ga__call_exchange(call);
    if (is_stale(call, code)) {
        ga__connection_reset(call->connection);
        code = begin_attempt(call, code);
        ga__timeouts_leave_lines(&call->timeouts); /* its place in the pool it has */
        if (code == 0)
            code = ga__call_open(call);
        if (code == 0)
            code = ga__call_exchange(call);
    }
    if (code < 0)
        give_up_connection(call);
    return code;
}

static int exchange(ga__call *call)
{
    ga__progress *progress = &call->progress;

    progress->attempt++;
    progress->reused = false;
    progress->sent = call->sent_before;
    ga__observe_sent(progress);
    progress->bytes_received = 0;
    call->refusals = 0;
    call->refused = false;
    if (GA_UNLIKELY(progress->observer && progress->attempt > 1))
        ga__observe(progress, GA_TRACE_RETRY);
    if (GA_UNLIKELY(call->session->har != NULL))
        ga__har_begin(call);
    int code = exchange_once(call);

    while (GA_UNLIKELY(call->again)) {
        call->again = false;
        code = begin_attempt(call, code);
        if (code == 0)
            code = exchange_once(call);
    }
    if (GA_UNLIKELY(call->har != NULL))
        ga__har_exchanged(call, code);
    return code;
}

/* --- redirects ------------------------------------------------------------------------------------ */

/* The answer's Location fields: the first, and one that differs from it where there is such a one. */
static size_t find_locations(const ga_response *response, ga__slice locations[2])
{
    const ga__headers *headers = &response->headers;
    size_t count = 0;

    for (const ga__field *field = NULL; (field = ga__headers_next(headers, GA__FIELD_LOCATION, field));) {
        ga__slice location = {ga__field_value(headers, field), field->value_size};

        if (count == 0 || (count == 1 && !ga__slice_equal(locations[0], location)))
            locations[count++] = location;
    }
    return count;
}

/* Whether something is wanted: the request says so (positive), or not (negative), or leaves it to the
 * session.
 */
static bool is_wanted(int of_request, bool of_session)
{
    return of_request > 0 || (of_request == 0 && of_session);
}

/* Sees to it that a redirect does not lead from https to http, where it must not. */
static int keep_secure(const ga__call *call, ga__redirect *redirect)
{
    int code = call->session->hsts ? upgrade(call, &redirect->url) : 0;

    if (code < 0 || !call->url.secure || redirect->url.secure ||
        !is_wanted(call->options->no_downgrade, call->session->no_downgrade))
        return code;
    redirect->action = GA__REDIRECT_FAIL;
    redirect->code = GA_EREDIRECT;
    redirect->reason = "it leads from https to http, which no_downgrade forbids";
    return 0;
}

/* Notes what the next request says of where it comes from. */
static int note_referer(ga__call *call, const ga__url *next)
{
    ga__buffer referer = GA__BUFFER_INIT;

    free(call->referer);
    call->referer = NULL;
    if (!is_wanted(call->options->referer, call->session->referer))
        return 0;
    ga__redirect_referer(&referer, &call->url, next);
    if (referer.size == 0 && !referer.failed)
        return 0;
    call->referer = ga__buffer_take(&referer);
    return call->referer ? 0 : GA_ENOMEM;
}

/* Makes the call's next hop of the redirect. */
static int go_on(ga__call *call, ga__redirect *redirect)
{
    if (ga__redirect_history_add(&call->history, call->response->http.status, ga__url_printable(&call->url)) <
        0)
        return ga__progress_fail(&call->progress, GA_ENOMEM, "no memory for a redirect");
    if (note_referer(call, &redirect->url) < 0)
        return ga__progress_fail(&call->progress, GA_ENOMEM, "no memory for a Referer");
    ga__url_free(&call->url);
    call->url = redirect->url;
    redirect->url = (ga__url){0};
    call->progress.url = ga__url_printable(&call->url);
    call->method = redirect->method;
    call->progress.method = redirect->method;
    call->idempotent = call->options->idempotent || ga__attempts_key(call) || is_idempotent(call->method);
    call->drop_body_headers |= redirect->drop_body;
    call->drop_credentials |= redirect->drop_credentials;
    call->drop_host |= redirect->drop_host;
    if (redirect->drop_body)
        ga__call_drop_body(call);
    call->redirects++;
    call->progress.phase = GA_PHASE_PREPARE;
    call->progress.entered = ga__now();
    if (call->progress.observer)
        ga__observe(&call->progress, GA_TRACE_REDIRECT);
    call->challenges = 0;
    if (call->drop_credentials || ga__url_has_userinfo(&call->url))
        ga__call_end_auth(call);
    ga_response_free(call->response);
    call->response = NULL;
    int code = ga__tls_profile_wanted(call->options) ? choose_tls(call) : 0;

    if (code == 0 && has_proxies(call))
        code = choose_proxy(call);
    if (code == 0)
        code = ga__call_write_head(call);
    if (code == GA_EHEADER) /* what the caller gave was judged on the first hop */
        ga__error_rewrite(code = GA_EREDIRECT, NULL, "%s; a redirect led there", ga_error_message());
    return code;
}

static int refuse_redirect(const ga_response *response, ga__slice location, const ga__redirect *redirect)
{
    ga_autofree char *shown = describe(location);

    return ga__progress_fail(&response->progress, redirect->code, "redirect (%d) to \"%s\": %s",
                             response->http.status, shown ? shown : "?", redirect->reason);
}

/* What is rare is kept out of ga_request_with's frame: every call that waits holds that. */
static GA_NOINLINE int follow_redirect(ga__call *call)
{
    ga_response *response = call->response;
    ga__slice locations[2];
    ga__redirect redirect;
    ga__redirect_case answer = {
        .status = response->http.status,
        .method = call->method,
        .locations = locations,
        .location_count = find_locations(response, locations),
        .url = &call->url,
        .has_body = call->has_body,
        .replayable = ga__call_replayable(call),
        .credentials_dropped = call->drop_credentials,
        .followed = call->redirects,
        .limit = call->max_redirects,
    };

    ga__redirect_decide(&redirect, &answer);
    int code = redirect.action == GA__REDIRECT_FOLLOW ? keep_secure(call, &redirect) : 0;

    if (redirect.action == GA__REDIRECT_FAIL)
        code = refuse_redirect(response, locations[0], &redirect);
    else if (code == 0 && redirect.action == GA__REDIRECT_FOLLOW)
        code = go_on(call, &redirect);
    bool followed = redirect.action == GA__REDIRECT_FOLLOW;

    ga__redirect_free(&redirect);
    return code < 0 ? code : followed;
}

/* The server does not know of Expect (RFC 9110, 15.5.18): once more without. */
static GA_NOINLINE int expect_nothing(ga__call *call)
{
    call->expect = false;
    ga_response_free(call->response);
    call->response = NULL;
    int code = ga__call_write_head(call);

    return code < 0 ? code : 1;
}

/* Looks whether the answer asks for another request: a redirect to be followed, a challenge that can be
 * answered. @return 1 when it does, and the call is ready for the next exchange; 0 when the answer is the
 * caller's; a failure, recorded */
static int follow(ga__call *call)
{
    int status = call->response->http.status, code = 0;

    if (status == 401 && ga__call_may_authorize(call))
        code = ga__call_answer_challenge(call);
    else if (GA_UNLIKELY(status == 417 && call->expect) && ga__call_replayable(call))
        code = expect_nothing(call);
    else if (call->follow && status >= 300 && status <= 399)
        code = follow_redirect(call);
    if (code > 0) { /* the next request is no further attempt at the same */
        call->progress.attempt--;
        call->sent_before = GA_SENT_ANSWERED;
        ga__timeouts_pause_attempt(&call->timeouts);
    }
    return code;
}

/* --- the call ------------------------------------------------------------------------------------- */

/* Prepares the call, and makes exchanges until there is an answer for the caller. */
static int run(ga__call *call)
{
    int code = prepare(call);

    if (code < 0)
        return code;
    if (GA_UNLIKELY(call->resume != NULL)) {
        call->timeouts = call->resume->timeouts;
        ga__timeouts_end_attempt(&call->timeouts);
    }
    do {
        code = GA_UNLIKELY(call->attempts) ? ga__attempts_enter(call) : 0;
        if (code == 0)
            code = exchange(call);
        if (code == 0 && ga__headers_has(&call->response->headers, GA__FIELD_SET_COOKIE))
            code = ga__call_keep_cookies(call);
        if (code == 0 && call->session->hsts)
            code = note_policy(call);
        if (GA_UNLIKELY(call->attempts) && (code = ga__attempts_judge(call, code)) > 0)
            call->challenges = 0; /* the nonce may have aged while the retry waited */
        if (code == 0)
            code = follow(call);
    } while (code > 0);
    return code;
}

static void begin(ga__call *call, ga_session *session, const char *method, const ga_request_options *options)
{
    memset(call, 0, offsetof(ga__call, http)); /* what follows is set before it is looked at */
    call->session = session;
    call->options = options;
    call->method = call->progress.method = method;
    call->progress.observer = session->observer;
    call->progress.began = call->progress.entered = ga__now();
    call->idempotent = options->idempotent || is_idempotent(method);
    call->tls = &session->tls.own;
    ga__session_ref(session);
}

static void end(ga__call *call)
{
    ga__call_release_head(call);
    if (GA_UNLIKELY(call->history) && call->response)
        call->response->history = call->history;
    else
        ga__redirect_history_free(call->history);
    if (call->progress.url)
        ga__url_free(&call->url);
    free(call->referer);
    if (GA_UNLIKELY(call->own_proxy))
        ga__proxy_free(call->own_proxy);
    free(call->owned_body);
    ga__call_end_auth(call);
    ga__body_source_free(call->source);
    if (GA_UNLIKELY(call->attempts))
        ga__attempts_end(call);
    ga__tls_profile_put(&call->session->tls, call->tls);
    ga__session_unref(call->session);
}

static GA_NOINLINE void tell_outcome(ga__call *call, int code)
{
    if (code == 0) {
        ga__observe(&call->response->progress, GA_TRACE_ANSWER);
        return;
    }
    if (call->response)
        call->progress.bytes_received = 0; /* which its end will tell */
    ga__observe(&call->progress, GA_TRACE_FAILURE);
}

/* The scope was cancelled before the call. */
static GA_NOINLINE void refuse_start(const char *method, const char *url)
{
    ga_autofree char *shown = describe(ga__slice_of(url));

    ga__error_rewrite(GA_ECANCELED, NULL, "%s \"%s\": cancelled before it began",
                      ga__is_token(method, strlen(method)) ? method : "request", shown ? shown : "?");
}

/* The call asks for the rest of a body that broke off. */
static GA_NOINLINE void begin_rest(ga__call *call, const ga_response *broken)
{
    const ga__resume *resume = broken->resume;

    call->resume = resume;
    call->referer = resume->referer;
    call->redirects = resume->redirects;
    call->drop_body_headers = resume->drop_body_headers;
    call->drop_credentials = resume->drop_credentials;
    call->drop_host = resume->drop_host;
    call->progress = broken->progress;
    call->progress.url = NULL; /* until it is the call's own */
    call->progress.status = 0;
    call->progress.bytes_sent = call->progress.bytes_received = 0;
}

/* What the request for the rest did counts as the response's. Nobody is told of the answer or its end: the
 * response's own are told. */
static GA_NOINLINE void end_rest(ga__call *call, ga__progress *progress)
{
    ga_response *rest = call->response;
    ga__progress made = rest ? rest->progress : call->progress;
    uint64_t sent = made.bytes_sent;

    ga__observe_sent(&made);
    made.bytes_sent = sent;
    made.method = progress->method;
    made.url = progress->url;
    made.status = progress->status;
    made.bytes_received += progress->bytes_received;
    *progress = made;
    call->progress.observer = NULL;
    call->referer = NULL; /* it stays */
    if (!rest)
        return;
    rest->progress.observer = NULL;
    if (rest->observed)
        ga__session_unref(rest->observed);
    rest->observed = NULL;
}

/* Makes a call, or, where `broken` is not NULL, the one for the rest of its body. @return the response; NULL
 * where it failed, recorded */
static ga_response *make(ga_session *session, const char *method, const ga_request_options *options,
                         ga_response *broken)
{
    ga__call call;

    begin(&call, session, method, options);
    if (GA_UNLIKELY(broken != NULL))
        begin_rest(&call, broken);
    int code = run(&call);

    if (GA_UNLIKELY(broken != NULL))
        end_rest(&call, &broken->progress);
    else if (code == 0 && GA_UNLIKELY(is_wanted(options->raise_for_status, session->raise_for_status)))
        code = ga_raise_for_status(call.response);
    if (code == 0 && ga__resume_asked(&call))
        code = ga__resume_begin(&call);

    if (GA_UNLIKELY(call.progress.observer != NULL))
        tell_outcome(&call, code);
    if (code < 0) {
        ga_response_free(call.response);
        call.response = NULL;
    }
    ga_response *response = call.response;

    end(&call);
    return response;
}

/* The same with another version's struct: what it lacks is left out. A call that waits does not hold this
 * frame for nothing. */
static GA_NOINLINE ga_response *make_with_others(ga_session *session, const char *method,
                                                 const ga_request_options *options)
{
    ga_request_options given = {0};

    memcpy(&given, options, options->size_ < sizeof given ? options->size_ : sizeof given);
    return make(session, method, &given, NULL);
}

ga_response *ga_request_with(ga_session *session, const char *method, const ga_request_options *options)
{
    if (!session)
        return NULL;
    int code = ga__checkpoint();

    if (GA_UNLIKELY(code < 0)) {
        if (code == GA_ECANCELED && method && options && options->url)
            refuse_start(method, options->url);
        return NULL;
    }
    if (session->loop != ga__loop_id()) {
        ga__misuse(GA_EUSAGE, "a session is used in another loop than the one that it was made in");
        return NULL;
    }
    if (!method || !options) {
        ga__fail(GA_EUSAGE, "ga_request: there is no method");
        return NULL;
    }
    if (GA_UNLIKELY(options->size_ != sizeof *options))
        return make_with_others(session, method, options);
    return make(session, method, options, NULL);
}

ga_response *ga__request_rest(ga_response *broken)
{
    return make(broken->resume->session, "GET", broken->resume->options, broken);
}
