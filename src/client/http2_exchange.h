/* SPDX-License-Identifier: MIT */
/*
 * One exchange over HTTP/2: what exchange.c and response_body.c do over a connection of their own, done over
 * a part in a shared one.
 */
#ifndef GA__HTTP2_EXCHANGE_H
#define GA__HTTP2_EXCHANGE_H

#include "client/http2_connection.h"
#include "client/response.h"

/* As ga__call_exchange. Where the request may go out again, call->again is set. */
int ga__http2_call_exchange(ga__call *call);

/* As ga__stream_recv_now, for the response's body; GA_ETRUNCATED where the connection was lost. */
ssize_t ga__http2_recv_now(ga_response *response, char *out, size_t size);

/* As ga__stream_wait_readable. */
int ga__http2_wait_readable(ga_response *response, uint64_t deadline);

/* The response needs its part no more; the server is told where the body was not at its end. */
void ga__http2_release(ga_response *response);

/* --- between the files of HTTP/2 ------------------------------------------------------------------ */

/* Notes in the call how far its stream has got. */
void ga__http2_note_progress(ga__call *call, const ga__http2_stream *stream);

/* --- http2_upload.c --- */
/* Sends the call's body, which has a source or is to wait until it is wanted, on a stream that was submitted.
 * Suspends. @return 0 when the last piece was given to the stream, or the body is withheld, or the stream has
 * come to its end, which is then to be told; a failure, recorded */
int ga__http2_send_body(ga__call *call, ga__http2_exchange *exchange);

#endif
