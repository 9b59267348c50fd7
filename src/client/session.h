/* SPDX-License-Identifier: MIT */
/*
 * A session: the defaults of its requests, and the pool of its connections.
 */
#ifndef GA__SESSION_H
#define GA__SESSION_H

#include "base/buffer.h"
#include "client/pace.h"
#include "client/pool.h"
#include "client/proxy.h"
#include "client/reach.h"
#include "client/retry.h"
#include "client/timeouts.h"
#include "client/tls_profile.h"
#include "io/address.h"
#include "protocol/http1_response.h"
#include "protocol/url.h"
#include "task/loop.h"
#include <gather/session.h>

struct ga_session {
    uint64_t loop;     /* the id of the loop that it belongs to */
    size_t references; /* the user's, calls', and responses' that hold a connection */
    ga__pool pool;
    ga__url base; /* empty where has_base is false */
    bool has_base;
    ga__url known; /* a call's of late, as it was given; see ga__url_parse_like */
    bool raise_for_status;
    bool check_content_type;
    bool no_decompress;
    bool offers_codings; /* the Accept-Encoding among the headers is this library's own */
    bool resilient;      /* its calls have attempts, see client/attempts.h: something below is asked for */
    bool keyed;          /* calls that are not idempotent get a key */
    ga_pace *pace;       /* its own, or one that it shares */
    ga__pace_door *door; /* NULL: its calls do not ask */
    ga__retry_policy retry;
    ga__backoff backoff;
    ga__retry_budget budget;
    ga__timeouts timeouts;
    struct ga__har *har; /* NULL: no archive is kept */
    /* instead of the network, see client/mock.c; or NULL */
    int (*answer)(void *arg, struct ga_call *call);
    void *answer_arg;
    struct ga__observer *observer; /* NULL where nobody watches */
    int max_redirects;             /* -1: none are followed */
    bool referer;                  /* redirects that are followed tell where they come from, */
    bool no_downgrade;             /* ... and do not lead from https to http */
    int resume;                    /* resumptions of a body that breaks off; 0: none */
    int64_t max_body;              /* INT64_MAX: no limit */
    int max_ratio;                 /* of decoding; negative: no limit */
    size_t max_line;               /* of lines and events that are read one by one */
    const char *compress;          /* the coding of requests' bodies, a static string, or NULL */
    ga__http1_limits limits;
    ga_pair
        *headers; /* the defaults of every request, User-Agent and Accept among them; ends with a NULL name */
    ga__buffer lines;        /* the same as lines of a request's head */
    uint64_t present;        /* bit n: a header with the ga__field_id n is among them */
    ga__buffer scratch;      /* for a request's head; empty while one is being sent */
    ga__headers_table table; /* for a response's head, until it is packed */
    ga__address unix_socket; /* of size 0: none */
    ga__tls_profiles tls;
    struct ga__hsts *hsts; /* NULL: no host is called over https but where the URL says so */
    struct ga__auth *auth; /* NULL: its headers say all of its credentials */
    ga_cookie_jar *jar;    /* NULL: no cookies are kept */
    double http2_ping;     /* seconds of silence; GA_FOREVER */
    uint32_t http2_window;
    ga__proxies *proxies; /* NULL: none */
    ga__reach *reach;     /* NULL: hosts are looked up and connected to as they are */
};

/* Whether one of the headers, an array that ends with a NULL name, has this name; NULL is none. */
bool ga__names_header(const ga_pair *headers, const char *name);

static inline void ga__session_ref(ga_session *session)
{
    session->references++;
}

void ga__session_unref(ga_session *session);

#endif
