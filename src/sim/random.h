/* SPDX-License-Identifier: MIT */
/*
 * The simulation's random numbers: xoshiro256** (Blackman and Vigna), its state filled by splitmix64, so that
 * any seed will do. Nothing in a simulation may come from anywhere else, or a seed would not replay.
 */
#ifndef GA__SIM_RANDOM_H
#define GA__SIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ga__random {
    uint64_t state[4];
} ga__random;

static inline uint64_t ga__splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

/* The generator of this seed; `stream` tells apart generators of one seed. */
static inline ga__random ga__random_of(uint64_t seed, uint64_t stream)
{
    ga__random random;
    uint64_t state = seed;

    state = ga__splitmix(&state) ^ stream;
    for (int i = 0; i < 4; i++)
        random.state[i] = ga__splitmix(&state);
    return random;
}

static inline uint64_t ga__random_rotate(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

/* 64 random bits. */
static inline uint64_t ga__random_next(ga__random *random)
{
    uint64_t *s = random->state;
    uint64_t result = ga__random_rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = ga__random_rotate(s[3], 45);
    return result;
}

/* A number in [0, 1). */
static inline double ga__random_unit(ga__random *random)
{
    return (double)(ga__random_next(random) >> 11) * 0x1p-53;
}

/* A number in [0, bound); 0 where bound is 0. The bias of the remainder is below what a test can see. */
static inline uint64_t ga__random_below(ga__random *random, uint64_t bound)
{
    return bound ? ga__random_next(random) % bound : 0;
}

/* True with this probability. Draws nothing where the answer is certain, so that an option left 0 does not
 * change what a seed means to the others. */
static inline bool ga__random_chance(ga__random *random, double probability)
{
    return probability >= 1 || (probability > 0 && ga__random_unit(random) < probability);
}

#endif
