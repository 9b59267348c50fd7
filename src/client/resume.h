/* SPDX-License-Identifier: MIT */
/*
 * Going on with a body that broke off: the rest is asked for with Range (RFC 9110, 14.2), on the condition
 * that it is one of the very same version (If-Range, 13.1.5). A response whose call asks for none of this has
 * no ga__resume.
 */
#ifndef GA__RESUME_H
#define GA__RESUME_H

#include "client/call.h"
#include "protocol/http1_writer.h"

typedef struct ga__resume {
    ga_session *session;         /* referred to until the body's end; NULL afterwards */
    ga_request_options *options; /* the call's, with copies of what they point to */
    ga__timeouts timeouts;       /* the call's: the total goes on */
    ga__slice validator;         /* in the response's headers */
    char *referer;               /* the call's, or NULL */
    unsigned redirects;          /* before the response, and what they took from its headers */
    bool drop_body_headers, drop_credentials, drop_host;
    int left;           /* resumptions that may be tried yet */
    unsigned fruitless; /* of those tried since a byte came */
    uint64_t at;        /* where the rest begins that was asked for last */
    uint64_t complete;  /* bytes of the whole; 0: not known */
    ga_response *rest;  /* where the body now comes from; NULL: from the response itself */
    int broken;         /* by which code the body broke off, and is not mended; 0 */
    int os_error;       /* with it */
    const char *timeout;
    char *message;    /* with it; NULL: there was no memory for it */
    bool given_up;    /* it stays broken */
    char reason[300]; /* why the last resumption came to nothing */
} ga__resume;

/* Whether a call asks for resumptions. */
static inline bool ga__resume_asked(const ga__call *call)
{
    return GA_UNLIKELY((call->options->resume | call->session->resume) != 0);
}

/* Gives call->response a ga__resume where its body can be resumed. @return 0, GA_ENOMEM; recorded */
int ga__resume_begin(ga__call *call);
void ga__resume_free(ga_response *response);

/* As ga__response_receive, for a response that has a ga__resume. */
ssize_t ga__resume_receive(ga_response *response, char *out, size_t size);

/* Adds Range and If-Range to the head of a request for the rest. */
void ga__resume_write(const ga__resume *resume, ga__http1_writer *writer);

/* --- request.c --- */
/* Makes the request for the rest of a response's body; it follows no redirect. The response's progress goes
 * along, and so do its timeouts. Suspends. @return the answer, the caller's to free; NULL for a failure,
 * recorded */
ga_response *ga__request_rest(ga_response *broken);

/* --- resume_copy.c --- */
/* The options of a request for the rest: what of them makes the head and its way, copied, to the call's
 * present URL. One block, to be freed; NULL without memory. */
ga_request_options *ga__resume_copy(const ga__call *call);

#endif
