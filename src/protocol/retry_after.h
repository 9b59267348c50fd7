/* SPDX-License-Identifier: MIT */
/*
 * When a server wants to be asked again, and how much it still grants: read from the fields of an answer.
 *
 * Retry-After (RFC 9110, 10.2.3) and retry-after-ms; RateLimit and RateLimit-Policy
 * (draft-ietf-httpapi-ratelimit- headers, of today and before); and the many of the kind X-RateLimit-Limit,
 * -Remaining and -Reset, of which a server may send several sets, as x-ratelimit-remaining-tokens. What is no
 * such value is ignored: a field of a stranger can make a client wait, but no longer than
 * GA__RETRY_AFTER_MOST.
 */
#ifndef GA__RETRY_AFTER_H
#define GA__RETRY_AFTER_H

#include "base/slice.h"
#include "protocol/headers.h"

/* Seconds: 30 days. A client never waits less than it was asked to; how long it waits at all its timeouts and
 * max_wait say. */
#define GA__RETRY_AFTER_MOST 2592000.0

/* What an answer says. Negative: it does not say. Times are in seconds from the answer. */
typedef struct ga__advice {
    double retry_after; /* to wait before the next request */
    double limit;       /* requests in a window. This and what follows: of the window that has least left */
    double remaining;   /* of them still granted */
    double reset;       /* until the window ends */
} ga__advice;

/* Reads the fields. `now` is the time in seconds since 1970 for answers without a Date: with one, dates count
 * from that, since the two are of one clock. */
void ga__advice_read(ga__advice *advice, const ga__headers *headers, double now);

/* The values of single fields: seconds from `now`, 0 for what is past, at most GA__RETRY_AFTER_MOST; negative
 * for what is none. */

/* Retry-After: 1*DIGIT, or an HTTP date. */
double ga__retry_after(ga__slice value, double now);
/* retry-after-ms: milliseconds, digits with or without a fraction. */
double ga__retry_after_ms(ga__slice value);
/* ...RateLimit-Reset: seconds, or seconds or milliseconds since 1970, with or without a fraction; a date of
 * HTTP or RFC 3339; a duration as "6m0s", "12ms", "1h2m3.5s". */
double ga__ratelimit_reset(ga__slice value, double now);

#endif
