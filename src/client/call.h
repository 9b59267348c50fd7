/* SPDX-License-Identifier: MIT */
/*
 * One call of ga_get and the like, from its options to the response: on the caller's stack, shared by the
 * files that make its steps. A call makes one exchange for each redirect that it follows, plus one for each
 * connection that broke before the server can have acted.
 */
#ifndef GA__CALL_H
#define GA__CALL_H

#include "base/buffer.h"
#include "client/body.h"
#include "client/connection.h"
#include "client/failure.h"
#include "client/proxy.h"
#include "client/reach.h"
#include "client/session.h"
#include "protocol/http1_response.h"
#include "protocol/http1_writer.h"
#include "protocol/url.h"

typedef struct ga__call {
    ga_session *session;
    const ga_request_options *options;
    const char *method; /* of the present hop */
    ga__progress progress;
    ga__timeouts timeouts;
    int64_t max_body;

    /* the body: in memory, or taken from its source */
    const char *body;
    ga__body_source *source; /* NULL: it is in memory */
    uint64_t body_size;      /* 0 where the source does not know it */
    bool has_body;
    bool expect;                  /* it waits until the server says that it wants it */
    const char *content_type;     /* NULL: none, or the caller's own header has it */
    const char *content_encoding; /* that was applied to it, or NULL */
    char *owned_body;             /* what was made for it, or NULL */

    struct ga__attempts *attempts;   /* NULL: there is one, at once */
    const struct ga__resume *resume; /* the call asks for the rest of a body; NULL for nearly all */
    struct ga__har_entry *har;       /* of the present exchange; NULL: none */

    /* redirects */
    ga__buffer *history; /* see client/redirect_history.h */
    char *referer;       /* the URL that sent here, as Referer tells it, or NULL */
    unsigned redirects;
    unsigned max_redirects; /* 0: none is followed */
    bool follow;
    bool drop_body_headers, drop_credentials, drop_host; /* of the headers, on this hop */

    /* credentials */
    unsigned challenges;             /* answered on this hop */
    struct ga__digest_state *digest; /* the call's own, or NULL */

    ga__tls_profile *tls; /* the session's own for the most part */

    /* proxies */
    const ga__proxy *proxy; /* of the present hop; NULL: none */
    ga__proxy *own_proxy;   /* the request's, or NULL */

    /* the present exchange */
    ga__connection *connection;
    ga__buffer head;     /* the request's, while it is needed */
    bool close;          /* the request says that the connection ends with it */
    bool idempotent;     /* it may be sent again although it may have arrived */
    bool sending;        /* the request is not sent yet; an answer that comes now ends the connection */
    bool wanted;         /* 100 (Continue) has come over HTTP/1.1 */
    bool withdrawn;      /* the caller's before_send or before_retry has ended the call */
    bool held;           /* its host held it back in line for a connection; the code is GA_EAGAIN */
    bool again;          /* it failed, and is to go out once more, on whatever connection */
    bool refused;        /* the server has certainly not acted on what was sent last */
    unsigned refusals;   /* how often it would not */
    ga_sent sent_before; /* what is known of the exchanges before; GA_SENT_NO at first */
    ga__buffer partial;  /* of the response's head */
    ga_response *response;
    struct ga__http2_exchange *http2; /* its part in a shared connection; NULL over HTTP/1.1 */
    ga__http1_response http;
    ga__url url; /* of the present hop; progress.url is set when it is parsed */
} ga__call;

/* --- request_body.c --- */
/* Judges the body that the options give, and notes it. @return 0, GA_EUSAGE, GA_EHEADER, GA_ESYSTEM,
 * GA_ENOMEM; recorded */
int ga__call_set_body(ga__call *call);
/* The present hop has no body, and so no later one. */
void ga__call_drop_body(ga__call *call);
/* Has the body at its beginning. Suspends where a callback of the caller's does. @return 0;
 * GA_ENOTREPLAYABLE, or what the callback failed with; recorded */
int ga__call_rewind_body(ga__call *call);
/* Whether that has a chance. */
static inline bool ga__call_replayable(const ga__call *call)
{
    return ga__body_source_can_rewind(call->source);
}

/* Whether the present hop's request cannot be sent again where it may have arrived. */
static inline bool ga__call_goes_once(const ga__call *call)
{
    return !call->idempotent || (call->source && !call->source->replayable);
}

/* --- request_head.c --- */
/* Writes the present hop's head into call->head, and has the body at its beginning. @return 0, GA_EHEADER,
 * GA_ENOMEM, and as ga__call_rewind_body; recorded */
int ga__call_write_head(ga__call *call);
/* The head's memory goes back to the session. */
void ga__call_release_head(ga__call *call);

/* --- request_cookies.c --- */
/* Adds the Cookie field of the present hop. @return 0, GA_EHEADER, GA_ENOMEM; recorded */
int ga__call_write_cookies(const ga__call *call, ga__http1_writer *writer);
/* Puts the cookies that call->response sets into the jar. @return 0, GA_ENOMEM; recorded */
int ga__call_keep_cookies(const ga__call *call);

/* --- request_auth.c --- */
/* Whether anything but headers may say who the caller is. */
static inline bool ga__call_may_authorize(const ga__call *call)
{
    return ga__url_has_userinfo(&call->url) || call->session->auth || call->options->user ||
           call->options->bearer;
}
/* Judges the credentials of the options. @return 0, GA_EHEADER; recorded */
int ga__call_check_auth(const ga__call *call);
/* Whether credentials of the call take the place of the session's headers'. */
bool ga__call_replaces_auth(const ga__call *call);
/* Adds the Authorization field of the present hop. @return 0, GA_EHEADER, GA_ENOMEM; recorded */
int ga__call_write_auth(const ga__call *call, ga__http1_writer *writer);
/* Looks whether call->response, a 401, asks for what the call can answer. @return 1 when it does, and the
 * call is ready for the next exchange; 0 when the response is the caller's; a failure, recorded */
int ga__call_answer_challenge(ga__call *call);
/* Forgets the call's own challenge. */
void ga__call_end_auth(ga__call *call);

/* --- open.c --- */
/* Opens the call's connection: resolves, connects, shakes hands. Suspends. @return 0 or a failure, recorded
 */
int ga__call_open(ga__call *call);
/* For the steps of opening: what the options or the name servers say that the endpoint's addresses are; and
 * a failure of a room below, recorded, of which the call's own record is made. */
int ga__call_resolve(ga__call *call, const ga__endpoint *endpoint, ga__resolved **resolved);
int ga__call_step_failed(const ga__call *call, int code, ga__wait wait);

/* --- tunnel.c --- */
/* Makes of the connection to call->proxy one to the target, or one that forwards. Suspends, until `wait`
 * ends.
 * @return 0 or a failure, recorded */
int ga__call_tunnel(ga__call *call, const ga__endpoint *target, ga__wait wait);

/* Seconds for which a body waits to be wanted. Servers that do not know of Expect never say so. */
#define GA__EXPECT_PATIENCE 1.0

/* --- request_send.c --- */
/* Sends head and body on the call's connection. Suspends. @return 0 when all is sent; 1 when the answer came
 * before, and call->response is set; a failure, recorded */
int ga__call_send(ga__call *call);

/* --- mock.c --- */
/* Has the session's .answer function answer the request. Suspends where it does. @return 0, and
 * call->response is set; 1: the request is for the network; a failure, recorded */
int ga__call_mock(ga__call *call);

/* --- exchange.c --- */
/* Calls before_send, no longer than the total timeout. @return 0 or a failure, recorded */
int ga__call_ask_caller(ga__call *call);
/* Calls before_retry, where there is one: the attempt has come to nothing. @return 0 or what it failed with,
 * recorded */
int ga__call_ask_before_retry(ga__call *call, int status, double wait);
/* Begins the receiving of a response over HTTP/1.1. */
void ga__call_expect_head(ga__call *call);
/* Parses what has come of the head, interim ones included; `data` is rewritten. @return 1 when it is
 * complete, and call->response made; 0 when more is to come; a failure, recorded */
int ga__call_take_head(ga__call *call, char *data, size_t size);
/* The receiving has come to an end; `code` is how. */
void ga__call_end_head(ga__call *call, int code);
/* Receives what is there of the response's head, and parses it. Does not suspend. @return 1 when it is
 * complete, and call->response is set; 0 when more is to come; a failure, recorded */
int ga__call_receive_now(ga__call *call);
/* Sends the request on the call's open connection, and receives the response's head: then call->response is
 * set and holds the connection, or has given it back. Suspends. @return 0 or a failure, recorded */
int ga__call_exchange(ga__call *call);

#endif
