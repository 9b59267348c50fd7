/* SPDX-License-Identifier: MIT */
/*
 * A chunked body with extensions and trailers: however it is cut, it is decoded to the same; and what is
 * decoded, chunked anew, gives the same content again.
 */
#include "fuzz.h"
#include "http1_cuts.h"

static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

static void chunk_again(const fuzz_plan *plan, const ga__buffer *content)
{
    ga__buffer input = GA__BUFFER_INIT;

    ga__buffer_add(&input, head);
    for (size_t at = 0, i = 0; at < content->size; i++) {
        size_t piece = plan->cuts[i % CUTS] < content->size - at ? plan->cuts[i % CUTS] : content->size - at;
        char prefix[GA__CHUNK_PREFIX_MAX];

        ga__buffer_append(&input, prefix, ga__chunked_prefix(prefix, piece));
        ga__buffer_append(&input, content->data + at, piece);
        ga__buffer_add(&input, "\r\n");
        at += piece;
    }
    ga__buffer_add(&input, "0\r\n\r\n");
    if (input.failed)
        abort();
    feed_result again = feed_response(input.data, input.size, 0, NULL, (feed_cuts){plan->cuts, CUTS});

    if (again.code != GA__HTTP1_DONE || again.surplus || again.body.size != content->size ||
        (content->size && memcmp(again.body.data, content->data, content->size) != 0))
        abort();
    feed_free(&again);
    ga__buffer_free(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ga__buffer input = GA__BUFFER_INIT;
    fuzz_plan plan;

    if (!fuzz_plan_read(&plan, data, size))
        return 0;
    const ga__http1_limits *limits = fuzz_limits(&plan);

    ga__buffer_add(&input, head);
    ga__buffer_append(&input, plan.message, plan.size);
    if (input.failed)
        abort();
    feed_result whole = feed_response(input.data, input.size, 0, limits, FEED_WHOLE);
    feed_result bytes = feed_response(input.data, input.size, 0, limits, FEED_BYTES);
    feed_result pieces = feed_response(input.data, input.size, 0, limits, (feed_cuts){plan.cuts, CUTS});

    fuzz_same(&whole, &bytes);
    fuzz_same(&whole, &pieces);
    chunk_again(&plan, &whole.body);
    feed_free(&whole);
    ga__buffer_free(&input);
    return 0;
}
