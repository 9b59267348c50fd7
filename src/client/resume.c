/* SPDX-License-Identifier: MIT */
/*
 * Bodies that break off and go on. The response that the caller has stays as it is, with its head; where its
 * body comes from changes to another response, the rest, which only this file knows. Its bytes are still
 * coded, and so is the place where they begin: decoding is above, and notices nothing. Called by
 * client/response_body.c for responses that have a ga__resume.
 *
 * Never are parts of two versions put together: what the rest says of itself must fit in every respect, else
 * the body stays broken, with the error by which it broke.
 */
#include "client/resume.h"

#include "base/number.h"
#include "client/response.h"
#include "protocol/content_range.h"
#include "protocol/token.h"
#include "protocol/validator.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- the beginning -------------------------------------------------------------------------------- */

/* Whether the caller asks for parts himself: what comes then is his business. */
static bool has_range(const ga_pair *headers)
{
    return ga__names_header(headers, "Range") || ga__names_header(headers, "If-Range");
}

static bool refuses_ranges(const ga__headers *headers)
{
    for (const ga__field *field = NULL; (field = ga__headers_find(headers, "Accept-Ranges", field));)
        if (ga__list_has(ga__field_value(headers, field), field->value_size, "none"))
            return true;
    return false;
}

/* Whether there is something to go on with, of which the versions can be told apart. */
static bool can_resume(const ga__call *call)
{
    const ga_response *response = call->response;

    return response->http.status == 200 && strcmp(call->method, "GET") == 0 && !call->has_body &&
           !response->done && !has_range(call->options->headers) && !has_range(call->session->headers) &&
           !refuses_ranges(&response->headers) && ga__strong_validator(&response->headers).size > 0;
}

static int no_memory(const ga_response *response)
{
    return ga__progress_fail(&response->progress, GA_ENOMEM, "no memory for the response");
}

int ga__resume_begin(ga__call *call)
{
    ga_response *response = call->response;
    int count = call->options->resume ? call->options->resume : call->session->resume;

    if (count < 0 || !can_resume(call))
        return 0;
    ga__resume *resume = calloc(1, sizeof *resume);

    if (!resume)
        return no_memory(response);
    resume->options = ga__resume_copy(call);
    if (!resume->options) {
        free(resume);
        return no_memory(response);
    }
    resume->session = call->session;
    ga__session_ref(call->session);
    resume->validator = ga__strong_validator(&response->headers);
    resume->timeouts = response->timeouts;
    resume->referer = call->referer;
    call->referer = NULL;
    resume->redirects = call->redirects;
    resume->drop_body_headers = call->drop_body_headers;
    resume->drop_credentials = call->drop_credentials;
    resume->drop_host = call->drop_host;
    resume->left = count;
    resume->complete = response->http.body.kind == GA__BODY_LENGTH ? response->http.length : 0;
    response->resume = resume;
    return 0;
}

/* Nothing more will be asked for. */
static void let_session_go(ga__resume *resume)
{
    if (resume->session)
        ga__session_unref(resume->session);
    resume->session = NULL;
}

void ga__resume_free(ga_response *response)
{
    ga__resume *resume = response->resume;

    ga_response_free(resume->rest);
    let_session_go(resume);
    free(resume->options);
    free(resume->referer);
    free(resume->message);
    free(resume);
    response->resume = NULL;
}

void ga__resume_write(const ga__resume *resume, ga__http1_writer *writer)
{
    char range[sizeof "bytes=-" + GA__DECIMAL_MAX];

    snprintf(range, sizeof range, "bytes=%llu-", (unsigned long long)resume->at);
    ga__http1_write_field(writer, "Range", range);
    ga__http1_write_field_sized(writer, "If-Range", strlen("If-Range"), resume->validator.data,
                                resume->validator.size);
}

/* --- judging the rest ----------------------------------------------------------------------------- */

static GA_PRINTF(2, 3) bool unfit(ga__resume *resume, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(resume->reason, sizeof resume->reason, format, arguments);
    va_end(arguments);
    return false;
}

static ga__slice value_of(const ga__headers *headers, const ga__field *field)
{
    return (ga__slice){ga__field_value(headers, field), field->value_size};
}

/* Whether both have the same fields of that id, in the same order. An answer to If-Range need not repeat all
 * of them (RFC 9110, 15.3.7); one that does not is not trusted. */
static bool same_fields(const ga__headers *a, const ga__headers *b, ga__field_id id)
{
    const ga__field *of_a = NULL, *of_b = NULL;

    do {
        of_a = ga__headers_next(a, id, of_a);
        of_b = ga__headers_next(b, id, of_b);
        if (!of_a != !of_b || (of_a && !ga__slice_equal(value_of(a, of_a), value_of(b, of_b))))
            return false;
    } while (of_a);
    return true;
}

/* Whether the bytes are those from resume->at to the end. */
static bool fits_range(ga__resume *resume, const ga_response *rest)
{
    const ga__headers *headers = &rest->headers;
    const ga__field *field = ga__headers_next(headers, GA__FIELD_CONTENT_RANGE, NULL);
    unsigned long long at = (unsigned long long)resume->at;
    ga__content_range range;

    if (!field || ga__headers_next(headers, GA__FIELD_CONTENT_RANGE, field))
        return unfit(resume, "the server sent a part without one Content-Range");
    if (!ga__content_range_parse(&range, value_of(headers, field)) || range.complete == 0)
        return unfit(resume,
                     "the server sent a part whose Content-Range does not say which it is of how many bytes");
    if (range.first != resume->at || range.last != range.complete - 1)
        return unfit(resume, "the server sent bytes %llu to %llu of %llu, and not those from %llu to the end",
                     (unsigned long long)range.first, (unsigned long long)range.last,
                     (unsigned long long)range.complete, at);
    if (resume->complete > 0 && range.complete != resume->complete)
        return unfit(resume, "what is there now has %llu bytes, not %llu", (unsigned long long)range.complete,
                     (unsigned long long)resume->complete);
    if (rest->http.has_length && rest->http.length != range.complete - resume->at)
        return unfit(resume, "the server sent a part of %llu bytes whose Content-Range says %llu",
                     (unsigned long long)rest->http.length, (unsigned long long)range.complete - at);
    resume->complete = range.complete;
    return true;
}

/* Whether the answer is the rest, and of the same version. */
static bool fits(const ga_response *response, const ga_response *rest)
{
    ga__resume *resume = response->resume;
    int status = rest->http.status;

    if (status == 200)
        return unfit(resume, "the server sends the whole anew: what is there has changed, or it knows no "
                             "ranges");
    if (status != 206)
        return unfit(resume, "the server answered %d", status);
    if (!same_fields(&response->headers, &rest->headers, GA__FIELD_ETAG) ||
        !same_fields(&response->headers, &rest->headers, GA__FIELD_LAST_MODIFIED))
        return unfit(resume, "the rest has another ETag or Last-Modified, or none");
    if (!same_fields(&response->headers, &rest->headers, GA__FIELD_CONTENT_ENCODING))
        return unfit(resume, "the rest has another Content-Encoding");
    return fits_range(resume, rest);
}

/* --- one resumption ------------------------------------------------------------------------------- */

/* The body comes from `rest` now. */
static void adopt(ga_response *response, ga_response *rest)
{
    ga__resume *resume = response->resume;

    rest->http.body.received += resume->at; /* so that its messages count the whole */
    rest->http.length = resume->complete;
    response->ended_at = 0;
    response->failed = 0;
    resume->rest = rest;
    resume->broken = 0;
}

/* Whether another resumption may do better, after a failure or an answer. */
static bool is_passing(int code, const ga_response *rest)
{
    ga__retry_case ended = {
        .code = code,
        .status = rest ? rest->http.status : 0,
        .idempotent = true,
        .local = code < 0 && (ga_error()->phase <= GA_PHASE_POOL || ga_error()->phase == GA_PHASE_PACE),
    };

    return ga__retry_allowed(&ended);
}

/* What the answer asks to wait, in seconds; negative: nothing. */
static double asked_wait(const ga_response *rest)
{
    struct timespec now;
    ga__advice advice;

    clock_gettime(CLOCK_REALTIME, &now);
    ga__advice_read(&advice, &rest->headers, (double)now.tv_sec);
    return ga__pace_asked(&advice);
}

/* Asks for the rest. @return 1: it is there; 0: not, resume->reason says why, *passing whether that may pass,
 * and *asked how long the server asks to wait; a failure of the caller's own, recorded */
static int ask(ga_response *response, bool *passing, double *asked)
{
    ga__resume *resume = response->resume;

    resume->left--;
    resume->at = response->http.body.received;
    ga_response *rest = ga__request_rest(response);
    int code = rest ? 0 : ga_error()->code;

    *asked = -1;
    *passing = is_passing(code, rest);
    if (code == GA_ECANCELED || code == GA_ENOMEM)
        resume->left++; /* the next read tries again */
    if (code == GA_ECANCELED || code == GA_ENOMEM ||
        (code == GA_ETIMEDOUT && ga__now() >= response->timeouts.total_at))
        return code;
    if (!rest)
        return unfit(resume, "%s", ga_error_message());
    if (fits(response, rest)) {
        adopt(response, rest);
        return 1;
    }
    *asked = asked_wait(rest);
    ga_response_free(rest);
    return 0;
}

/* --- a body that broke off ------------------------------------------------------------------------ */

/* Whether such a failure of a read breaks a body off; after a timeout of one wait the body could be waited
 * for again, but its connection is given up. */
static bool breaks_off(const ga_response *from, int code)
{
    const char *timeout = ga_error()->timeout;

    switch (code) {
    case GA_ETRUNCATED:
    case GA_ERESET:
    case GA_EDISCONNECTED:
        return true;
    case GA_ETIMEDOUT:
        return from->failed || (timeout && (strcmp(timeout, ga__timeout_name(GA__TIMEOUT_READ)) == 0 ||
                                            strcmp(timeout, ga__timeout_name(GA__TIMEOUT_ATTEMPT)) == 0));
    default:
        return false;
    }
}

/* Keeps what the body broke off by, and gives up where it came from. */
static void note_break(ga_response *response, int code)
{
    ga__resume *resume = response->resume;
    ga_response *from = resume->rest ? resume->rest : response;
    const ga_error_detail *error = ga_error();

    free(resume->message);
    resume->message = error->message ? strdup(error->message) : NULL;
    resume->os_error = error->os_error;
    resume->timeout = error->timeout;
    resume->broken = code;
    from->failed = code;
    ga__response_settle(from);
    ga__pace_broke_off(&from->stay);
    response->failed = code;
    ga_response_free(resume->rest);
    resume->rest = NULL;
}

/* Says by what the body broke off, and why it was not resumed. */
static int tell_break(const ga_response *response)
{
    const ga__resume *resume = response->resume;

    ga__fail(resume->broken, "%s; not resumed: %s", resume->message ? resume->message : "the body broke off",
             resume->reason);
    ga__progress_fill(&response->progress);
    ga__error_edit()->os_error = resume->os_error;
    ga__error_edit()->timeout = resume->timeout;
    return resume->broken;
}

static int give_up(ga_response *response)
{
    response->resume->given_up = true;
    let_session_go(response->resume);
    return tell_break(response);
}

static double seconds_since(uint64_t time)
{
    return (double)(ga__now() - time) * 1e-9;
}

/* Waits before a resumption. @return 1; 0 where it would be too long, resume->reason says so; a failure,
 * recorded */
static int wait_for_turn(ga_response *response, double asked)
{
    ga__resume *resume = response->resume;
    const ga_session *session = resume->session;
    ga__retry_policy policy;
    double wait =
        fmax(asked, ga__pace_draw(session->pace) * ga__backoff_ceiling(&session->backoff, resume->fruitless));

    if (ga__retry_policy_of_call(&policy, &session->retry, resume->options) < 0)
        return GA_EUSAGE; /* not after the call, which judged them */
    if (asked > policy.max_wait)
        return unfit(resume, "the server asks to wait for %.0f s, longer than max_wait", asked);
    if (ga__deadline(ga__now(), wait) >= response->timeouts.total_at)
        return unfit(resume, "the total timeout leaves no time for it");
    if (seconds_since(response->progress.began) + wait > policy.max_time)
        return unfit(resume, "retry_max_time leaves no time for it");
    ga__progress_enter(&response->progress, GA_PHASE_PACE);
    ga__pace_retrying(session->pace, 1);
    int code = ga__park(NULL, ga__deadline(ga__now(), wait), 0, "before a resumption");

    ga__pace_retrying(session->pace, -1);
    return code == GA_ETIMEDOUT ? 1
                                : ga__progress_wait_failed(&response->progress, code, GA__TIMEOUT_TOTAL,
                                                           response->timeouts.seconds[GA__TIMEOUT_TOTAL]);
}

/* Asks for the rest until it comes. @return 0; a failure, recorded: where the caller was cancelled or had no
 * memory, the next read tries again */
static int mend(ga_response *response)
{
    ga__resume *resume = response->resume;
    bool passing = true;
    double asked = -1;

    unfit(resume, "that has been done as often as .resume allows");
    while (passing && resume->left > 0) {
        int code = wait_for_turn(response, asked);

        if (code == 0)
            break;
        if (code > 0)
            code = ask(response, &passing, &asked);
        if (code != 0)
            return code > 0 ? 0 : code;
        resume->fruitless++;
    }
    return give_up(response);
}

/* --- reading -------------------------------------------------------------------------------------- */

/* What came with the rest's head. */
static ssize_t take(const ga_response *response, ga_response *rest, char *out, size_t size)
{
    size_t here = rest->size - rest->taken;

    if (!out && !(out = ga__loop_lend()))
        return ga__progress_fail(&response->progress, GA_ENOMEM, "no memory for the body");
    here = here < size ? here : size;
    memcpy(out, rest->body + rest->taken, here);
    rest->taken += here;
    return (ssize_t)here;
}

/* The whole has come. */
static void finish(ga_response *response)
{
    ga__resume *resume = response->resume;

    response->done = true;
    if (resume->rest) {
        if (!resume->rest->done)
            resume->rest->failed = GA_ECLOSED; /* its framing is not at its end: not to be drained */
        ga__response_settle(resume->rest);
        ga__progress_enter(&response->progress, GA_PHASE_READ);
        response->ended_at = response->progress.entered;
    }
    let_session_go(resume);
}

/* Counts what came of the rest. @return `count`; 0 at the end; a failure, recorded */
static ssize_t count_rest(ga_response *response, ssize_t count)
{
    const ga__resume *resume = response->resume;
    ga__body *body = &response->http.body;
    uint64_t left = resume->complete - body->received;

    if (count == 0)
        return ga__progress_fail(&response->progress, GA_ETRUNCATED,
                                 "the body ended early: %llu of its %llu bytes came",
                                 (unsigned long long)body->received, (unsigned long long)resume->complete);
    if ((uint64_t)count > left) {
        response->failed = GA_EPROTOCOL;
        response->http.problem = "the rest of the body is longer than its Content-Range says";
        return ga__response_failed(response);
    }
    body->received += (uint64_t)count;
    if (body->kind == GA__BODY_LENGTH)
        body->remaining -= (uint64_t)count;
    if ((uint64_t)count == left)
        finish(response);
    return count;
}

/* Reads once, from where the body comes from. */
static ssize_t receive(ga_response *response, char *out, size_t size)
{
    ga__resume *resume = response->resume;
    ga_response *rest = resume->rest;
    ssize_t count;

    if (!rest) {
        count = ga__response_receive_own(response, out, size);
        if (response->done)
            finish(response);
        return count;
    }
    if (response->failed)
        return ga__response_failed(response);
    uint64_t before = rest->progress.bytes_received;

    if (rest->taken < rest->size)
        count = take(response, rest, out, size);
    else
        count = ga__response_receive_own(rest, out, size);
    response->progress.bytes_received += rest->progress.bytes_received - before;
    if (count > 0)
        resume->fruitless = 0;
    return count < 0 ? count : count_rest(response, count);
}

ssize_t ga__resume_receive(ga_response *response, char *out, size_t size)
{
    const ga__resume *resume = response->resume;

    if (resume->given_up)
        return tell_break(response);
    if (response->done)
        return 0;
    for (;;) {
        if (!resume->broken) {
            ssize_t count = receive(response, out, size);

            if (count >= 0 || !breaks_off(resume->rest ? resume->rest : response, (int)count))
                return count;
            note_break(response, (int)count);
        }
        int code = mend(response);

        if (code < 0)
            return code;
    }
}
