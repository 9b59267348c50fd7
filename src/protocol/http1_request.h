/* SPDX-License-Identifier: MIT */
/*
 * Receiving one HTTP/1.1 request (RFC 9112), sans I/O, for servers: the embedded API and scripted peers.
 * Called as http1_response.h says, head, then body; but strict, since what stands between a client and a
 * server may read a doubtful request otherwise.
 */
#ifndef GA__HTTP1_REQUEST_H
#define GA__HTTP1_REQUEST_H

#include "protocol/http1_message.h"

typedef struct ga__http1_request {
    const ga__http1_limits *limits;
    const char *problem; /* after a failure: what exactly is wrong, a static string */
    ga__head_scan scan;
    uint16_t status; /* after a failure: the status to answer with: 400, 414, 431 or 505 */
    uint8_t minor;   /* of the version: 0 or 1 */
    bool head_done;
    bool keep_alive;       /* whether the connection may serve another request after this */
    bool expects_continue; /* Expect: 100-continue */
    uint32_t method;       /* offset in the head, NUL-terminated */
    uint32_t target; /* offset in the head, NUL-terminated: origin, absolute, authority or asterisk form, not
                        taken apart; never empty, visible ASCII only */
    uint32_t target_size;
    ga__body body;
} ga__http1_request;

void ga__http1_request_init(ga__http1_request *request, const ga__http1_limits *limits);
void ga__http1_request_free(ga__http1_request *request);

/* As ga__http1_response_head; one empty line before the request line is skipped (RFC 9112 section 2.2). */
int ga__http1_request_head(ga__http1_request *request, ga__headers_table *table, char *data, size_t size,
                           size_t *consumed);

/* As ga__http1_response_body; what is not consumed after DONE is the next request. */
int ga__http1_request_body(ga__http1_request *request, const char *data, size_t size, size_t *consumed,
                           const char **out, size_t *out_size);

/* The connection ended in order. @return GA__HTTP1_DONE after a complete request, GA_EDISCONNECTED,
 * GA_ETRUNCATED. */
int ga__http1_request_eof(ga__http1_request *request);

#endif
