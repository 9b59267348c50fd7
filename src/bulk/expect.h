/* SPDX-License-Identifier: MIT */
/* Which statuses a row takes for success: "200-399,405"; without any, 200 to 299. */
#ifndef GA__EXPECT_H
#define GA__EXPECT_H

#include "base/slice.h"
#include <stdbool.h>

typedef struct ga__expect {
    uint64_t codes[16]; /* a bit each, to 1023 */
    bool given;
} ga__expect;

/* Numbers and ranges from 100 to 999, "2xx" for 200-299, with commas between. False for anything else. */
bool ga__expect_parse(ga__expect *expect, ga__slice text);
bool ga__expect_has(const ga__expect *expect, int status);

#endif
