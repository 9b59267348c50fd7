/* SPDX-License-Identifier: MIT */
/*
 * What to do with a 3xx answer: a pure decision. RFC 9110, 15.4, with the choices of the Fetch standard where
 * it leaves any.
 */
#ifndef GA__REDIRECT_H
#define GA__REDIRECT_H

#include "protocol/url.h"

typedef enum ga__redirect_action {
    GA__REDIRECT_RETURN, /* it is no redirect: the response is the caller's */
    GA__REDIRECT_FOLLOW,
    GA__REDIRECT_FAIL
} ga__redirect_action;

/* The answer that came, and the request that it answers. */
typedef struct ga__redirect_case {
    int status;
    const char *method;
    const ga__slice *locations; /* the values of the Location fields, in order */
    size_t location_count;
    const ga__url *url;       /* the request's */
    bool has_body;            /* the request has a body */
    bool replayable;          /* and it can be sent again from its beginning */
    bool credentials_dropped; /* an earlier hop of this call left the origin */
    unsigned followed;        /* redirects followed so far in this call */
    unsigned limit;           /* how many may be followed */
} ga__redirect_case;

typedef struct ga__redirect {
    ga__redirect_action action;
    /* where it failed */
    int code;           /* GA_EREDIRECT, GA_ENOTREPLAYABLE, GA_ENOMEM */
    const char *reason; /* static, without a full stop: what is wrong and what to do */
    /* where it follows */
    const char *method;    /* the case's own, or "GET" */
    bool drop_body;        /* the next request has no body */
    bool drop_credentials; /* the next request goes to another origin, or an earlier one did */
    bool drop_host;        /* a Host header set by hand is not for the next request */
    ga__url url;           /* the next request's, with the fragment inherited; to be freed */
} ga__redirect;

/* Decides; sets every field of *redirect. To be followed are 301, 302, 303, 307 and 308 with a Location that
 * is not empty: POST becomes GET on 301 and 302, anything but HEAD becomes GET on 303, and then the body is
 * dropped; otherwise method and body are kept. Exactly `limit` redirects are followed. */
void ga__redirect_decide(ga__redirect *redirect, const ga__redirect_case *answer);

/* Whether a header of the request (set by hand or by the session) goes into the next request as well: not
 * those that describe a dropped body, nor credentials on leaving the origin, nor Host on an absolute
 * Location. */
bool ga__redirect_keeps_header(const ga__redirect *redirect, const char *name, size_t size);

/* Appends what a request for `to` says in Referer of having been sent there by `from`: the whole URL to its
 * own origin, the origin to others, and nothing from https to http; never userinfo nor a fragment (RFC
 * 9110, 10.1.3; Referrer Policy, 3.7, strict-origin-when-cross-origin). */
void ga__redirect_referer(ga__buffer *out, const ga__url *from, const ga__url *to);

/* Frees the url. */
void ga__redirect_free(ga__redirect *redirect);

#endif
