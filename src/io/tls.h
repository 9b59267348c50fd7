/* SPDX-License-Identifier: MIT */
/*
 * TLS on a stream (OpenSSL). After a handshake the stream's own functions encrypt and decrypt; everything
 * goes through the poller's calls, so TLS works on any poller.
 */
#ifndef GA__TLS_H
#define GA__TLS_H

#include "base/slice.h"
#include "io/stream.h"
#include "io/tls_config.h"

/* Makes the connected stream a TLS one, as the client; one that is TLS with a proxy already gets another
 * within it. The server's certificate must verify for `host`, a name (lower case, A-labels) or IP address
 * without brackets; a name is sent as SNI. Sessions are kept under host and port for resumption. Suspends. On
 * failure the stream is to be closed.
 * @return 0; GA_ECERT (tls_error has X509_V_ERR_..., the message says what is wrong with the certificate and
 * what to do), GA_EPIN (none of the configuration's keys), GA_ETLS (tls_error has OpenSSL's code), GA_ERESET,
 * GA_ETIMEDOUT, GA_ECANCELED, GA_ENOMEM */
int ga__tls_connect(ga__stream *stream, ga__tls_config *config, const char *host, uint16_t port,
                    uint64_t deadline);
/* The same, offering one protocol ("http/1.1") instead of the configuration's; NULL: the configuration's. */
int ga__tls_connect_for(ga__stream *stream, ga__tls_config *config, const char *host, uint16_t port,
                        const char *protocol, uint64_t deadline);

/* The same as the server. */
int ga__tls_accept(ga__stream *stream, ga__tls_config *config, uint64_t deadline);

/* The protocol agreed on by ALPN, not NUL-terminated; size 0: none. */
ga__slice ga__tls_protocol(const ga__stream *stream);
/* "TLSv1.3"; NULL for a plain stream. */
const char *ga__tls_version(const ga__stream *stream);
/* Whether the handshake resumed an earlier session. */
bool ga__tls_resumed(const ga__stream *stream);

/* What an error of OpenSSL's says of the peer, for a person: completes "... failed: ". */
const char *ga__tls_reason(unsigned long error);

/* --- for stream.c: what its functions do under TLS ------------------------------------------------ */

/* As ga__stream_recv_now. 0 at the end; -EAGAIN; -EPIPE when the stream is now `broken`. */
ssize_t ga__tls_recv(ga__stream *stream, void *buffer, size_t size);
/* Sends bytes, at most a record's worth. @return how many, above 0; -EAGAIN: call again with the same bytes
 * when the descriptor is writable (or readable, where *wants is GA__READABLE); -EPIPE when the stream is now
 * `broken` */
ssize_t ga__tls_send(ga__stream *stream, const void *bytes, size_t size, unsigned *wants);
/* Whether there is something to receive without asking the descriptor. */
bool ga__tls_pending(const ga__stream *stream);
/* Whether nothing but session tickets and the like has arrived. */
bool ga__tls_idle_ok(ga__stream *stream);
/* Says close_notify if that is possible at once. */
void ga__tls_shutdown(ga__stream *stream);
void ga__tls_free(ga__stream *stream);

#endif
