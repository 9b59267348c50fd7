/* SPDX-License-Identifier: MIT */
/*
 * A connected stream of bytes, plain or TLS. It is embedded by its owner at an address that is fixed while it
 * is open. One task may receive while another sends; no more than one of each.
 *
 * The descriptor is watched edge-triggered, so the stream keeps what the events told: `fd.ready` is believed
 * until a call shows otherwise, a read or write that moved less than was asked clears its bit, and no system
 * call is made while the bit is clear. After GA__HANGUP the bits stay, so that the end is noticed.
 *
 * All deadlines are in ns on the loop's clock; GA__NEVER: none. Failures are recorded (ga_error()), with the
 * peer and what was tried; URL and phase are the caller's to add.
 */
#ifndef GA__STREAM_H
#define GA__STREAM_H

#include "io/address.h"
#include "task/loop.h"
#include <sys/uio.h>

typedef struct ga__stream {
    ga__fd fd;
    struct ssl_st *tls;     /* NULL: plain */
    struct ssl_st *carrier; /* the TLS that `tls` runs in, with a proxy; NULL: none */
    /* Payload that the system took (under TLS: in whole records); 0: the peer has certainly seen nothing. */
    uint64_t bytes_sent;
    uint64_t bytes_received;     /* payload */
    uint64_t read_at;            /* the loop's time when the descriptor was last read */
    unsigned long tls_error;     /* why the TLS layer broke, OpenSSL's code, or 0 */
    int os_error;                /* why the connection broke, errno, or 0 */
    bool counted;                /* it holds a place in the budget of descriptors */
    bool eof;                    /* the peer sends no more */
    bool truncated;              /* ... and did not say so: TLS without close_notify */
    bool cannot_receive;         /* it broke while receiving, */
    bool cannot_send;            /* ... while sending: what the peer sent before may still be received */
    bool starved;                /* the TLS layer needs more from the descriptor than it has buffered */
    char peer[GA__ADDRESS_TEXT]; /* for messages: "127.0.0.1:80" */
} ga__stream;

/* Makes a stream that is closed; ga__connect and ga__listener_accept open it. */
void ga__stream_init(ga__stream *stream);

static inline bool ga__stream_is_open(const ga__stream *stream)
{
    return stream->fd.fd >= 0;
}

/* Receives what is there, at most `size` bytes (above 0), and does not suspend, nor ask the system when it is
 * known that nothing is there. Under TLS it takes as many records as fit.
 * @return the number of bytes; 0 at the end (`truncated` tells an unclean one); GA_EAGAIN (not recorded) when
 * nothing is there; GA_ERESET, GA_ETLS, GA_ESYSTEM, GA_ECLOSED */
ssize_t ga__stream_recv_now(ga__stream *stream, void *buffer, size_t size);

/* Waits until ga__stream_recv_now is worth a try: then is the time to borrow the loop's buffer. Suspends.
 * @return 0, GA_ETIMEDOUT, GA_ECANCELED */
int ga__stream_wait_readable(ga__stream *stream, uint64_t deadline);

/* Receives at least a byte, at most `size`. Suspends, so `buffer` must not be the loop's.
 * @return as ga__stream_recv_now, never GA_EAGAIN; GA_ETIMEDOUT, GA_ECANCELED: nothing was taken */
ssize_t ga__stream_recv(ga__stream *stream, void *buffer, size_t size, uint64_t deadline);

/* Sends all the parts, in one call of the system's where they fit; under TLS small parts share a record. None
 * may lie in the loop's buffer. Suspends. It fails with GA_ETIMEDOUT at the deadline, and also when `idle` ns
 * pass without progress (GA__NEVER: may take any time); ga_error()->timeout is then "write", and NULL at the
 * deadline. After a failure the stream is good for nothing but to be received from and closed; `bytes_sent`
 * tells how far it got.
 * @return 0; GA_ERESET, GA_ETLS, GA_ESYSTEM, GA_ETIMEDOUT, GA_ECANCELED, GA_ECLOSED, GA_ENOMEM */
int ga__stream_send(ga__stream *stream, const struct iovec *parts, int count, uint64_t deadline,
                    uint64_t idle);

/* Sends what the system takes at once, and does not suspend. The bytes may lie in the loop's buffer. What was
 * not sent is to come again, as it was, before anything else: when the descriptor is writable, or, under TLS,
 * readable.
 * @return the number of bytes; GA_EAGAIN (not recorded) for none; GA_ERESET, GA_ETLS, GA_ESYSTEM, GA_ECLOSED
 */
ssize_t ga__stream_send_now(ga__stream *stream, const void *bytes, size_t size);

/* Whether a connection that idled may carry a request: it is open, and nothing arrived on it that was not
 * asked for (TLS session tickets are taken in). Does not suspend.
 *
 * It is judged by its events, so that a busy connection goes from one request to the next without a system
 * call. What they told may be `age` ns old by the clock: where the loop has not looked for so long, the
 * system is asked with one non-blocking read. 0: it is in any case; GA__NEVER: only where there was an event.
 */
bool ga__stream_idle_ok(ga__stream *stream, uint64_t age);

/* Says that nothing more will be sent: close_notify under TLS, then FIN. Receiving goes on. Does not suspend;
 * what the peer does not take at once is not waited for. */
void ga__stream_shutdown(ga__stream *stream);

/* Closes at once; under TLS with one attempt to say close_notify. Does not suspend. Nobody may wait on the
 * stream. */
void ga__stream_close(ga__stream *stream);

/* Closes at once without a word to the peer. */
void ga__stream_abort(ga__stream *stream);

/* --- for connect, listener and tls ---------------------------------------------------------------- */

/* Opens a socket for a closed stream, within the budget of descriptors. Does not suspend.
 * @return 0, or a negative errno; -EMFILE also where the budget is used up. Nothing recorded. */
int ga__stream_open(ga__stream *stream, int family);

/* Moves an open socket, on which nobody waits, to a closed stream; `from` is closed then. */
int ga__stream_move(ga__stream *from, ga__stream *to);

/* Read from and write to the descriptor as its bits tell. A count, 0 at the end, or a negative errno; -EAGAIN
 * without asking the system where the bit is clear. */
ssize_t ga__stream_raw_recv(ga__stream *stream, void *buffer, size_t size, int flags);
ssize_t ga__stream_raw_send(ga__stream *stream, const struct iovec *parts, int count);

/* Waits until a direction's bit is set. `why` is for dumps, `doing` for messages ("sending to").
 * @return 0; GA_ETIMEDOUT, GA_ECANCELED, recorded */
int ga__stream_wait(ga__stream *stream, unsigned direction, uint64_t deadline, const char *why,
                    const char *doing);

/* Records why the stream is broken. @return GA_ERESET, GA_ETLS, GA_ESYSTEM */
int ga__stream_fail(const ga__stream *stream, const char *doing);

#endif
