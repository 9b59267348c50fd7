/* SPDX-License-Identifier: MIT */
/*
 * What is said about a call that failed. Every failure of a request or of its body's reading goes through
 * here, so that none lacks its URL, phase or whether it was sent. Called by requests and responses.
 */
#include "client/failure.h"

#include "task/loop.h"
#include <stdio.h>

/* What the call did in this phase, after "while". */
static const char *doing(ga_phase phase)
{
    switch (phase) {
    case GA_PHASE_POOL:
        return "in line for a connection";
    case GA_PHASE_DNS:
        return "resolving the name";
    case GA_PHASE_CONNECT:
        return "connecting";
    case GA_PHASE_TLS:
        return "in the TLS handshake";
    case GA_PHASE_WRITE:
        return "sending the request";
    case GA_PHASE_FIRST_BYTE:
        return "waiting for the answer";
    case GA_PHASE_READ:
        return "reading the body";
    case GA_PHASE_PACE:
        return "waiting for its turn at the host";
    case GA_PHASE_NONE:
    case GA_PHASE_PREPARE:
    case GA_PHASE_DECODE:
        break;
    }
    return "preparing the request";
}

void ga__progress_fill(const ga__progress *progress)
{
    ga_error_detail *error = ga__error_edit();

    error->phase = progress->phase;
    error->sent = progress->sent;
    error->attempt = progress->attempt;
    error->reused = progress->reused;
    error->status = progress->status;
    error->bytes_sent = progress->bytes_sent;
    error->bytes_received = progress->bytes_received;
    if (progress->url)
        ga__error_url(progress->url);
}

ga_sent ga__sent_of_both(ga_sent one, ga_sent other)
{
    static const unsigned char weights[] = {
        [GA_SENT_NO] = 0, [GA_SENT_REFUSED] = 1, [GA_SENT_MAYBE] = 2, [GA_SENT_ANSWERED] = 3};

    return weights[other] > weights[one] ? other : one;
}

int ga__progress_fail(const ga__progress *progress, int code, const char *format, ...)
{
    char what[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (progress->url)
        ga__fail(code, "%s %s: %s", progress->method, progress->url, what);
    else
        ga__fail(code, "%s", what);
    ga__progress_fill(progress);
    return code;
}

int ga__progress_failed(const ga__progress *progress, int code)
{
    const ga_error_detail *error = ga_error();

    if (progress->url)
        ga__error_rewrite(code, error->timeout, "%s %s: %s", progress->method, progress->url, error->message);
    ga__progress_fill(progress);
    return code;
}

int ga__progress_wait_failed(const ga__progress *progress, int code, ga__timeout by, double seconds)
{
    if (code != GA_ETIMEDOUT)
        return ga__progress_fail(progress, code, "cancelled while %s", doing(progress->phase));
    ga__progress_fail(progress, code, "timed out after %g s while %s (the %s timeout)", seconds,
                      doing(progress->phase), ga__timeout_name(by));
    ga__error_edit()->timeout = ga__timeout_name(by);
    return code;
}
