/* SPDX-License-Identifier: MIT */
/*
 * What a simulated run did: a line for each event where a trace is asked for, and always a fingerprint over
 * all of them, by which two runs are known to be the same. Since a seed replays exactly, nothing needs to be
 * kept: a failed seed is run again with the trace on.
 */
#include "sim/network.h"

#include <inttypes.h>
#include <string.h>

static uint64_t mix(uint64_t hash, uint64_t value)
{
    uint64_t state = hash ^ value;

    return ga__splitmix(&state);
}

void ga__sim_note(ga__sim *sim, const char *what, int to, int from, uint64_t value)
{
    uint64_t hash = sim->counters.fingerprint;

    for (const char *c = what; *c; c++)
        hash = hash * 31 + (unsigned char)*c;
    hash = mix(hash, sim->now);
    hash = mix(hash, (uint64_t)(uint32_t)to << 32 | (uint32_t)from);
    sim->counters.fingerprint = mix(hash, value);

    if (sim->options.trace)
        fprintf(sim->options.trace, "%" PRIu64 ".%09" PRIu64 " %-10s %d from %d: %" PRIu64 "\n",
                sim->now / 1000000000, sim->now % 1000000000, what, to ? to - GA__SIM_FIRST : -1,
                from ? from - GA__SIM_FIRST : -1, value);
}
