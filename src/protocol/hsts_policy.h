/* SPDX-License-Identifier: MIT */
/*
 * The value of Strict-Transport-Security (RFC 6797, 6.1).
 */
#ifndef GA__HSTS_POLICY_H
#define GA__HSTS_POLICY_H

#include "base/slice.h"

typedef struct ga__hsts_policy {
    int64_t max_age; /* seconds; 0: it is no more; ten years at most */
    bool below;      /* includeSubDomains */
} ga__hsts_policy;

/* False for a field that is broken: without max-age, with something twice, or not of the grammar. */
bool ga__hsts_policy_parse(ga__hsts_policy *policy, ga__slice field);

#endif
