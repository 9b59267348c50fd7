/* SPDX-License-Identifier: MIT */
/*
 * Connecting: one address directly, several as a race (Happy Eyeballs, RFC 8305).
 */
#ifndef GA__CONNECT_H
#define GA__CONNECT_H

#include "io/stream.h"

typedef struct ga__connect_options {
    const ga__address *local; /* where to connect from, or NULL; its port is 0 for the most part. Addresses of
                                 the other family are left out then */
    bool nagle;               /* leave TCP_NODELAY off */
    int keepalive; /* seconds of silence until the system asks whether the peer is alive, and between such
                      questions; 0: never */
    const char *interface; /* the network interface to connect through, or NULL: any */
} ga__connect_options;

/* One address that was tried. */
typedef struct ga__connect_attempt {
    const ga__address *address; /* in the caller's array */
    int os_error;        /* errno; 0 for the one that succeeded; EINPROGRESS when it had no answer yet */
    uint32_t started_ms; /* after the call */
    uint32_t took_ms;
} ga__connect_attempt;

enum { GA__CONNECT_REPORT = 16 };

/* What was tried, in the order of starting. */
typedef struct ga__connect_report {
    size_t count; /* may be above GA__CONNECT_REPORT: later ones are not listed */
    ga__connect_attempt attempts[GA__CONNECT_REPORT];
} ga__connect_report;

/* Connects the closed stream to the first address that answers. Families take turns, beginning with the first
 * address's; while one attempt is pending the next starts after 250 ms, or at once when it failed; all others
 * are closed when one succeeds. Suspends. On failure the stream is closed.
 * @param options NULL: none
 * @param report  what was tried, or NULL
 * @return 0; GA_EREFUSED (none accepts, at least one said so), GA_EUNREACHABLE, GA_EFDS (no descriptors: wait
 * for one, see descriptors.h), GA_ECONNECT with os_error (an interface that is not there for one),
 * GA_ETIMEDOUT, GA_ECANCELED, GA_EUSAGE (no address), GA_ENOMEM. The message lists each address with its
 * error. */
int ga__connect(ga__stream *stream, const ga__address *addresses, size_t count,
                const ga__connect_options *options, uint64_t deadline, ga__connect_report *report);

#endif
