/* SPDX-License-Identifier: MIT */
/*
 * The pace of requests to each host: a rate of its own, a cool-down that all requests to it share, what its
 * RateLimit fields still grant, and how many it takes at once.
 *
 * A request enters the host before an attempt and leaves it with the answer. Who may not start now stands in
 * the host's line, and is let in in order: a retry stands at its end like any other.
 */
#ifndef GA__PACE_H
#define GA__PACE_H

#include "base/hash_table.h"
#include "client/adaptive.h"
#include "client/retry.h"
#include "protocol/retry_after.h"
#include "protocol/url.h"
#include <gather/sync.h>
#include <gather/task.h>

/* One scheme, host and port. Stays while requests are in it or in line, and afterwards while it is
 * remembered. */
typedef struct ga__pace_host {
    ga__hash_link link; /* in pace->table */
    struct ga__pace *pace;
    ga__link used;      /* in pace->hosts: the one used last at the end */
    ga__list line;      /* tasks */
    ga_timer_ timer;    /* while somebody is in line until a time */
    ga_limiter limiter; /* of its rate */
    double rate;        /* requests per second, as they are now; 0: no rate of its own */
    uint64_t rated_at;  /* when that was changed */
    uint64_t cool_until;
    uint64_t told;      /* until when those in line know that they wait */
    uint64_t cooled_at; /* in `sequence` */
    unsigned strikes;   /* pushbacks in a row */
    size_t in_line, inside;
    uint64_t sequence;   /* counts entries and answers */
    bool counted;        /* `granted` is known */
    double granted;      /* what the server grants to all that are inside and come yet, until window_until */
    double window_limit; /* what a whole window grants; negative: not known */
    uint64_t window_until; /* GA__NEVER: not known */
    uint64_t counted_at;   /* in `sequence` */
    ga__adaptive adaptive;
    uint16_t port;
    bool secure;
    size_t name_size;
    char name[];
} ga__pace_host;

typedef struct ga__pace {
    double rate;      /* of each host, as configured; 0: none */
    double burst;     /* within that */
    double base_rate; /* the rate that adapting works on: the host's or the session's; 0: none */
    bool adapt, obey, adaptive;
    bool cools;  /* hosts that push back cool down */
    size_t most; /* requests at once to one host */
    ga__backoff backoff;
    uint64_t random;
    ga__list hosts;
    ga__hash_table table; /* of them */
} ga__pace;

/* @return 0, or GA_EUSAGE, recorded. To be freed in both cases. */
int ga__pace_init(ga__pace *pace, const ga_session_options *options);
/* Nobody is in a host any more. */
void ga__pace_free(ga__pace *pace);

/* From 0 to 1, drawn anew each time. */
double ga__pace_draw(ga__pace *pace);

/* One attempt's stay in a host. */
typedef struct ga__pace_stay {
    ga__pace_host *host; /* NULL: none */
    uint64_t entered;    /* in the host's sequence */
} ga__pace_stay;

/* The url's host, made when it is not there yet. It is good until the task next suspends, or as long as
 * somebody is in it. NULL without memory. */
ga__pace_host *ga__pace_find(ga__pace *pace, const ga__url *url);

/* Enters the host, when its turn has come. Suspends; waits until `deadline`, and for what the server asks no
 * longer than until `latest`.
 * @return 0; GA_ERATELIMITED where the server asks for longer, *until is when to come back then;
 * GA_ETIMEDOUT, GA_ECANCELED. Nothing is recorded. */
int ga__pace_enter(ga__pace_host *host, ga__pace_stay *stay, uint64_t deadline, uint64_t latest,
                   uint64_t *until);

/* Whether the host has begun to cool down since: the request should not be sent, but leave and enter anew. */
bool ga__pace_is_cooling(const ga__pace_stay *stay);

/* Leaves the host without an answer. Does nothing where the stay is over. */
void ga__pace_leave(ga__pace_stay *stay);

/* Leaves the host with an answer. `latency` is negative where it says nothing about the host. */
void ga__pace_answered(ga__pace_stay *stay, int status, const ga__advice *advice, double latency);

/* What the server asks to wait in all, in seconds; negative: it does not say. */
double ga__pace_asked(const ga__advice *advice);

#endif
