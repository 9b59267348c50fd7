/* SPDX-License-Identifier: MIT */
/*
 * How the HTTP/1.1 targets read their input: the message, then five bytes that say how to feed it. The
 * message is fed whole, byte by byte, and in pieces of those sizes; all that is said must be the same.
 */
#ifndef HTTP1_CUTS_H
#define HTTP1_CUTS_H

#include "../tests/http1_feed.h"

enum { CONTROL_BYTES = 5, CUTS = CONTROL_BYTES - 1 };

typedef struct fuzz_plan {
    const char *message;
    size_t size;
    size_t cuts[CUTS];
    unsigned options; /* 0 to 255 */
} fuzz_plan;

static inline bool fuzz_plan_read(fuzz_plan *plan, const uint8_t *data, size_t size)
{
    if (size < CONTROL_BYTES)
        return false;
    const uint8_t *control = data + size - CONTROL_BYTES;

    plan->message = (const char *)data;
    plan->size = size - CONTROL_BYTES;
    for (int i = 0; i < CUTS; i++)
        plan->cuts[i] = control[i] + 1U;
    plan->options = control[CUTS];
    return true;
}

/* Limits that a fuzzer reaches, where the options ask for them; else the default ones. */
static inline const ga__http1_limits *fuzz_limits(const fuzz_plan *plan)
{
    static const ga__http1_limits small = {
        .head = {.max_size = 120, .max_line = 50, .max_fields = 5},
        .chunked = {.max_line = 20,
                    .max_extensions = 20,
                    .trailers = {.max_size = 40, .max_line = 20, .max_fields = 3}},
        .max_interim = 2,
        .transfer_over_length = true,
    };
    static const ga__http1_limits strict = {
        .head = {.max_size = 1000, .max_line = 500, .max_fields = 50, .strict = true},
        .chunked = {.max_line = 100,
                    .max_extensions = 100,
                    .trailers = {.max_size = 1000, .max_line = 500, .max_fields = 50, .strict = true}},
        .max_interim = 20,
    };

    switch (plan->options >> 6) {
    case 1:
        return &small;
    case 2:
        return &strict;
    default:
        return NULL;
    }
}

/* Ends the process where the two feedings did not say the same. */
static inline void fuzz_same(const feed_result *whole, feed_result *other)
{
    if (whole->transcript.size != other->transcript.size ||
        memcmp(whole->transcript.data, other->transcript.data, whole->transcript.size) != 0) {
        fprintf(stderr, "whole:\n%s\nin pieces:\n%s\n", whole->transcript.data, other->transcript.data);
        abort();
    }
    feed_free(other);
}

#endif
