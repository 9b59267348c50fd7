/* SPDX-License-Identifier: MIT */
/* A request as a client may send it, head and body: however it is cut, it is read as the same. */
#include "fuzz.h"
#include "http1_cuts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_plan plan;

    if (!fuzz_plan_read(&plan, data, size))
        return 0;
    const ga__http1_limits *limits = fuzz_limits(&plan);
    feed_result whole = feed_request(plan.message, plan.size, limits, FEED_WHOLE);
    feed_result bytes = feed_request(plan.message, plan.size, limits, FEED_BYTES);
    feed_result pieces = feed_request(plan.message, plan.size, limits, (feed_cuts){plan.cuts, CUTS});

    fuzz_same(&whole, &bytes);
    fuzz_same(&whole, &pieces);
    feed_free(&whole);
    return 0;
}
