/* SPDX-License-Identifier: MIT */
/*
 * The timeouts of a call. Each phase has its own, and the total spans them all: what a wait may last is
 * whichever ends first, and that one is named when it does.
 */
#ifndef GA__TIMEOUTS_H
#define GA__TIMEOUTS_H

#include <gather/session.h>
#include <stdbool.h>

typedef enum ga__timeout {
    GA__TIMEOUT_TOTAL,
    GA__TIMEOUT_POOL,
    GA__TIMEOUT_DNS,
    GA__TIMEOUT_CONNECT,
    GA__TIMEOUT_TLS,
    GA__TIMEOUT_WRITE,
    GA__TIMEOUT_FIRST_BYTE,
    GA__TIMEOUT_READ,
    GA__TIMEOUT_COUNT
} ga__timeout;

/* Of a session, or of a call. */
typedef struct ga__timeouts {
    double seconds[GA__TIMEOUT_COUNT]; /* GA_FOREVER: none */
    uint64_t total_at;                 /* when the total ends; GA__NEVER. In a call only. */
    bool total_after_pool;             /* it has not begun, and does when the call gets a connection */
} ga__timeouts;

/* When one wait ends, and by which timeout. */
typedef struct ga__wait {
    uint64_t at;
    ga__timeout by;
} ga__wait;

/* The session's, with the defaults filled in. @return 0, or GA_EUSAGE for a negative one or no number */
int ga__timeouts_of_session(ga__timeouts *timeouts, const ga_session_options *options);

/* A call's: the session's but for those that the request has itself. The total begins now, unless it is to
 * begin later.
 * @return as above */
int ga__timeouts_of_call(ga__timeouts *timeouts, const ga__timeouts *session,
                         const ga_request_options *options);

/* The total begins now. */
void ga__timeouts_begin_total(ga__timeouts *timeouts);

/* A wait that begins now. */
ga__wait ga__timeouts_wait(const ga__timeouts *timeouts, ga__timeout which);

/* "connect", as in ga_error()->timeout. */
const char *ga__timeout_name(ga__timeout which);

#endif
