/* SPDX-License-Identifier: MIT */
/*
 * The simulated poller: a virtual clock, connections in memory between the tasks of one loop, and faults from
 * a seed. A loop on it replays exactly: the same seed, options and program give the same events at the same
 * virtual times.
 *
 *     ga__sim_options options = {.seed = 7, .latency_max = 0.01, .reset = 0.1};
 *     code = ga__run_on(ga__sim_new(&options), NULL, options.seed, scenario, arg);
 *
 * Peers are tasks of the same loop that listen, accept, receive and send. Addresses (IPv4, IPv6, unix) are
 * keys in a table; port 0 is assigned. The clock moves when nothing is ready, straight to the next event or
 * deadline, and by GA__SIM_TURN_NS at each turn of the loop. Threads are not simulated.
 *
 * Linux is the model: a close with unread bytes resets, bytes to a closed peer bring a reset back, a reset is
 * reported once (then recv gives 0 and send EPIPE). Events are edges: they come when something changes,
 * and again after a fault held something back.
 */
#ifndef GA__SIM_H
#define GA__SIM_H

#include "task/poller.h"
#include <stdbool.h>
#include <stdio.h>

enum { GA__SIM_TURN_NS = 1000 };

/* What happened in a run; all but `open` and `in_flight` only grow. */
typedef struct ga__sim_counters {
    size_t open;      /* descriptors that are open */
    size_t in_flight; /* bytes that were sent to an open descriptor and not received from it */
    size_t connections;
    size_t refused; /* connects that failed */
    size_t faults;  /* injected, of all kinds */
    uint64_t bytes_sent, bytes_received;
    uint64_t now;         /* virtual ns */
    uint64_t fingerprint; /* of all that happened, in order: equal runs have equal ones */
} ga__sim_counters;

/* What is left 0 does not happen, or has the default that is named. Probabilities are from 0 to 1. */
typedef struct ga__sim_options {
    uint64_t seed;

    double short_read;  /* of a recv: gives fewer bytes than there are */
    double short_write; /* of a send: takes fewer bytes than there is room for */
    double again;       /* of a recv, send or accept that could succeed: EAGAIN, and an event soon after */

    double refuse;  /* of a connect: ECONNREFUSED */
    double silence; /* of a connect: no answer ever comes */

    /* Of each direction of a connection; at a byte below fault_span, where the end of the stream counts as
     * one more byte. At most one of them happens. */
    double reset; /* both ends get ECONNRESET */
    double cut;   /* the receiver sees the end of the stream (a half close); what is sent after is lost */
    double stall; /* nothing arrives any more, not even the end */
    size_t fault_span; /* 4096 */

    double latency_min, latency_max; /* seconds that each piece of news travels; order is kept */
    double delay;                    /* of a piece of news: it takes up to delay_max more */
    double delay_max;                /* seconds; 1 */

    size_t buffer_size;      /* bytes that one direction holds before send gives EAGAIN; 65536 */
    size_t descriptor_limit; /* open descriptors after which open and accept give EMFILE; none */

    FILE *trace;                /* a line for each event, or NULL */
    ga__sim_counters *counters; /* filled in when the poller is destroyed, or NULL */
} ga__sim_options;

/* A simulated poller, the caller's until ga__run_on gets it. NULL options: no faults, seed 0. Aborts where
 * there is no memory, as everything here does. */
ga__poller *ga__sim_new(const ga__sim_options *options);

/* Options with faults of all kinds, which and how often drawn from the seed; a run may be without any. */
ga__sim_options ga__sim_chaos(uint64_t seed);

/* The counters as they are now. */
const ga__sim_counters *ga__sim_count(ga__poller *poller);

/* 64 random bits for the scenario's own choices: when to cancel, what to send. Repeatable like the rest. */
uint64_t ga__sim_random(ga__poller *poller);

typedef enum ga__sim_route {
    GA__SIM_NORMAL = 0,
    GA__SIM_UNREACHABLE, /* connect gives ENETUNREACH at once */
    GA__SIM_REFUSING,    /* ECONNREFUSED after the latency, whoever listens */
    GA__SIM_SILENT       /* no answer ever comes */
} ga__sim_route;

/* How connects to this address go from now on: `seconds` are added to their latency. For tests of what tries
 * one address after another. */
void ga__sim_set_route(ga__poller *poller, const struct sockaddr *address, socklen_t size,
                       ga__sim_route route, double seconds);

/* Runs fn(arg) as a loop's first task once for each of `count` seeds from `first` on, with the options (NULL:
 * ga__sim_chaos of the seed; their seed is replaced). A run fails where fn fails, or where it leaves a
 * descriptor open: the first that does ends the series, and how to replay it is printed to stderr. So it is
 * where a run crashes under a sanitizer, or has not ended after a minute of real time, which aborts.
 *
 * In the environment GATHER_SEED=n runs that seed alone, with a trace on stderr; GATHER_SEEDS=n runs n seeds
 * instead of `count`.
 * @return 0, or the failed run's code (GA_EUSAGE for descriptors left open) */
int ga__sim_run_seeds(uint64_t first, uint64_t count, const ga__sim_options *options, int (*fn)(void *arg),
                      void *arg);

#endif
