/* SPDX-License-Identifier: MIT */
/*
 * The sets of RateLimit fields in an answer, and which of them counts. See protocol/retry_after.h.
 */
#ifndef GA__RATE_LIMIT_H
#define GA__RATE_LIMIT_H

#include "protocol/headers.h"

/* One window of a rate limit. Negative: not said. */
typedef struct ga__rate_window {
    double limit, remaining;
    double reset; /* seconds until it ends */
} ga__rate_window;

/* The window that has least left; of those that have equally much, the one that ends last. All is negative
 * where no field says anything. `now` as for ga__ratelimit_reset. */
ga__rate_window ga__rate_limit_find(const ga__headers *headers, double now);

#endif
