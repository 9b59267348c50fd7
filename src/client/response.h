/* SPDX-License-Identifier: MIT */
/*
 * A response: its head, and the body as far as it has come. One allocation holds the struct, the head, the
 * URL and the body where that is small or here already. The connection goes back to the pool as soon as the
 * body's end has come, whether the caller has read it or not.
 */
#ifndef GA__RESPONSE_H
#define GA__RESPONSE_H

#include "client/call.h"
#include "client/observe.h"
#include "protocol/decoder.h"

typedef struct ga__content ga__content;
typedef struct ga__resume ga__resume;

/* Lines and events of a body; see response_lines.c. */
typedef struct ga__line_reader ga__line_reader;

struct ga_response {
    ga_session *session;              /* until the body's end, while there is a connection for one */
    ga__connection *connection;       /* NULL: it is not needed any more */
    struct ga__http2_exchange *http2; /* the part in a shared connection; NULL over HTTP/1.1, or not needed */
    bool over_http2;
    ga__http1_response http;
    ga__headers headers;
    ga__progress progress; /* its strings are the response's */
    ga_session *observed;  /* whose observer is told of the end; NULL where there is none */
    ga__timeouts timeouts;
    ga__pace_stay stay; /* the request's, while it counts as under way, or its cost may be put right */
    int64_t max_body;
    int redirects;
    bool unusable;        /* the connection cannot serve another request, whatever the response says */
    bool checks_type;     /* ga_json wants to be told that the body is JSON */
    bool capped;          /* max_body is the request's own, and not meant for memory alone */
    bool done;            /* the body's end has come */
    uint64_t ended_at;    /* when the body's end came, the loop's time; 0: not yet */
    size_t surplus;       /* bytes that came behind the body's end */
    int failed;           /* why there is no more of the body: a code, or 0 */
    ga__codings codings;  /* that the body still has; none where it is not to be decoded */
    uint64_t max_ratio;   /* of decoding; 0: no limit */
    size_t max_line;      /* of lines and events that are read one by one */
    ga__content *content; /* while the body is being decoded; see client/content.h */
    char nothing;         /* a NUL: the body where there is none */
    /* content that has come; see client/content.c where there are codings */
    char *body;
    size_t size;             /* bytes in body; a NUL follows them where body is not NULL */
    size_t taken;            /* of them by ga_read */
    size_t capacity;         /* of body, without the NUL's byte */
    bool owned;              /* body is an allocation of its own */
    ga__buffer *history;     /* see client/redirect_history.h; NULL: no redirect was followed */
    ga__line_reader *reader; /* NULL until lines or events are read */
    ga__resume *resume;      /* see client/resume.h; NULL: a body that breaks off stays so */
    /* written when the response is freed; NULL: no archive is kept */
    struct ga__har_entry *har;
};

/* The response whose head is in call->http and the session's table, with `rest` received behind it. It takes
 * the call's connection over, but does not give it back yet: ga__response_settle does. NULL without memory.
 */
ga_response *ga__response_new(ga__call *call, const char *rest, size_t rest_size);

/* Gives the connection back where the body has come to its end, or failed. */
void ga__response_settle(ga_response *response);

/* Decodes what was received, from `in` to `out`, which may be the same memory; notes the body's end, or what
 * is wrong with it. @return the bytes of content in `out` */
size_t ga__response_decode(ga_response *response, const char *in, size_t size, char *out);

/* Waits for the next piece of the body, codings and all, at most `size` bytes, and stores it in `out`, or,
 * where that is NULL, in the loop's buffer. @return its size; 0 at the end; a failure, recorded */
ssize_t ga__response_receive(ga_response *response, char *out, size_t size);
/* The same from the response's own connection alone. */
ssize_t ga__response_receive_own(ga_response *response, char *out, size_t size);

/* Says why there is no more of the body: response->failed. */
int ga__response_failed(const ga_response *response);

/* Gives the body room for `capacity` bytes and a NUL. @return 0, or GA_ENOMEM, recorded */
int ga__response_grow(ga_response *response, size_t capacity);

/* Takes what is there of the body already, without waiting: what little remains may save the connection. */
void ga__response_drain(ga_response *response);

void ga__line_reader_free(ga__line_reader *reader);
/* The id, of those that a header can carry, and the retry time that the response's events gave last; NULL and
 * negative where they gave none. */
const char *ga__response_retry_hint(const ga_response *response, double *retry);

#endif
