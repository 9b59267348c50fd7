/* SPDX-License-Identifier: MIT */
/* What each fuzz target defines, and how it says what must hold. */
#ifndef FUZZ_H
#define FUZZ_H

#include <gather/base.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is a finding where this does not hold. */
#define REQUIRE(condition)                                                  \
    do {                                                                    \
        if (GA_UNLIKELY(!(condition))) {                                    \
            fprintf(stderr, "%s does not hold: %s\n", GA_HERE, #condition); \
            __builtin_trap();                                               \
        }                                                                   \
    } while (0)

#endif
