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
    GA__TIMEOUT_ATTEMPT,
    GA__TIMEOUT_COUNT
} ga__timeout;

/* When one wait ends, and by which timeout. */
typedef struct ga__wait {
    uint64_t at;
    ga__timeout by;
} ga__wait;

/* Of a session, or of a call. Seconds are floats, since calls that wait should need one page of stack each:
 * seven digits are more than a timeout needs. */
typedef struct ga__timeouts {
    float seconds[GA__TIMEOUT_COUNT]; /* INFINITY: none */

    /* in a call only */
    float attempt_left; /* what the attempt may take yet from when it gets a connection; INFINITY */
    uint64_t total_at;  /* when the total ends; GA__NEVER */
    ga__wait end;       /* the total's, or, where that comes first, the present attempt's */

    bool total_after_pool; /* the total has not begun, and does when the call gets a connection */
    bool after_pool;       /* the total or the attempt begins then */
} ga__timeouts;

/* The session's, with the defaults filled in. @return 0, or GA_EUSAGE for a negative one or no number */
int ga__timeouts_of_session(ga__timeouts *timeouts, const ga_session_options *options);

/* A call's: the session's but for those that the request has itself. The total begins now, unless it is to
 * begin later.
 * @return as above */
int ga__timeouts_of_call(ga__timeouts *timeouts, const ga__timeouts *session,
                         const ga_request_options *options);

/* The call has left all lines: what waited for that begins. To be called where timeouts->after_pool. */
void ga__timeouts_leave_lines(ga__timeouts *timeouts);

/* The call goes back into line within its attempt, which has left what it had. */
void ga__timeouts_pause_attempt(ga__timeouts *timeouts);

/* The attempt is over; the next has its whole time. */
void ga__timeouts_end_attempt(ga__timeouts *timeouts);

/* A wait that begins now. */
ga__wait ga__timeouts_wait(const ga__timeouts *timeouts, ga__timeout which);

/* Seconds from now until then; GA_FOREVER for GA__NEVER. */
double ga__seconds_until(uint64_t time);

/* "connect", as in ga_error()->timeout. */
const char *ga__timeout_name(ga__timeout which);

#endif
