/* SPDX-License-Identifier: MIT */
/*
 * The pace of requests: rates of all and of each host, a cool-down that all requests to a host share, what
 * its RateLimit fields still grant, and how many are under way at once.
 *
 * A request enters before an attempt, leaves the host with the answer's head, and is under way until the
 * answer's body has come. Who may not start now stands in the host's line, and is let in in order: a retry
 * stands at its end like any other. Where only what all hosts share holds them up, hosts take turns.
 *
 * A pace may be one for sessions of several loops: all that is here locks it.
 */
#ifndef GA__PACE_H
#define GA__PACE_H

#include "base/hash_table.h"
#include "client/adaptive.h"
#include "client/retry.h"
#include "protocol/retry_after.h"
#include "protocol/url.h"
#include "task/bucket.h"
#include <gather/pace.h>
#include <gather/task.h>
#include <pthread.h>

/* A session's way to a pace: by it other loops wake the session's tasks. */
typedef struct ga__pace_door ga__pace_door;

/* One scheme, host and port. Stays while requests are in it or in line, and afterwards while it is
 * remembered. */
typedef struct ga__pace_host {
    ga__hash_link link; /* in pace->table */
    ga_pace *pace;
    ga__link used;   /* in pace->hosts: the one used last at the end */
    ga__link turn;   /* in pace->turns, while its first in line waits only for what all hosts share */
    ga__list line;   /* waiters, see pace_line.c */
    const char *why; /* its first waits */
    size_t in_line;
    size_t inside;    /* requests that have entered, and no answer has come */
    size_t under_way; /* requests that have entered, and the answer's body has not come */
    size_t pins;      /* responses that know it */

    double speed;      /* of the rates below, 1 is full */
    uint64_t rated_at; /* when that was changed */
    ga__bucket requests, tokens;

    uint64_t cool_until;
    uint64_t told;       /* until when those in line know that they wait */
    uint64_t held_since; /* what the server asks for holds the line since; 0: nothing does */
    uint64_t held_until;
    uint64_t cooled_at; /* in `sequence` */
    unsigned strikes;   /* pushbacks in a row */

    /* Those whom a hold held do not come back all at once. */
    size_t spread_left; /* so many of the line */
    double spread_at;   /* of the first of them, from 0 to 1 of the time over which they are spread */
    uint64_t spread_from;
    double spread_time; /* ns */

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

struct ga_pace {
    pthread_mutex_t mutex;
    size_t references; /* its maker's, doors', pins' */
    bool shared;       /* sessions of several loops may use it */

    /* as configured, and never changed */
    double rate, rate_per_host, burst_per_host, tokens, burst_tokens, max_cost;
    size_t limit, limit_per_host; /* requests under way; SIZE_MAX: any number */
    bool until_freed;             /* what a request is */
    bool asks;                    /* for any of this, or of what follows */
    bool adapt, obey, adaptive;
    bool cools;  /* hosts that push back cool down */
    size_t most; /* requests at once to one host, for `adaptive` */
    double max_wait;
    ga__backoff backoff;

    /* the state */
    ga__bucket requests; /* of all hosts */
    size_t waiting, retrying, under_way;
    ga__list turns; /* hosts */
    uint64_t random;
    ga__list hosts;
    ga__hash_table table; /* of them */
};

/* What a session adds to the options of its own pace. */
typedef struct ga__pace_habits {
    bool shared;
    bool cools; /* in any case */
    size_t most;
} ga__pace_habits;

/* --- pace.c --- */
/* NULL with GA_EUSAGE, GA_ENOMEM; recorded. */
ga_pace *ga__pace_make(const ga_pace_options *options, const ga__pace_habits *habits);
/* Locked; unlocks, gives up one reference. */
void ga__pace_unlock_and_drop(ga_pace *pace);
/* From 0 to 1, drawn anew each time. */
double ga__pace_draw(ga_pace *pace);
double ga__pace_draw_locked(ga_pace *pace);
/* The loop's time, or, where none runs, the one that loops go by. */
uint64_t ga__pace_now(void);
/* One more or less that waits before another attempt. */
void ga__pace_retrying(ga_pace *pace, int change);

/* --- one attempt's stay in a host --- */
typedef struct ga__pace_stay {
    ga__pace_host *host; /* NULL: none */
    uint64_t entered;    /* in the host's sequence */
    double cost;
    bool inside, under_way;
} ga__pace_stay;

/* What a call asks for. */
typedef struct ga__pace_wish {
    const ga__url *url;
    double cost;
    uint64_t deadline;
    uint64_t latest; /* until when it waits for what the server asks */
} ga__pace_wish;

/* --- pace_line.c --- */
/* A door for a session of this loop. It holds the pace. NULL without memory, recorded. */
ga__pace_door *ga__pace_door_new(ga_pace *pace);
/* In its loop. No task waits behind it any more. NULL is fine. */
void ga__pace_door_free(ga__pace_door *door);

/* Enters the url's host, when its turn has come. Suspends.
 * @return 0; GA_ERATELIMITED where the server asks for longer than `latest`, *until is when to come back
 * then; GA_ETOOCOSTLY; GA_ETIMEDOUT, GA_ECANCELED, GA_ENOMEM. Nothing is recorded. */
int ga__pace_enter(ga__pace_door *door, const ga__pace_wish *wish, ga__pace_stay *stay, uint64_t *until);

/* Lets in who may enter by now, after something has changed at the host. Locked. */
void ga__pace_serve(ga__pace_host *host);

/* --- pace_host.c --- */
/* The url's host, made when it is not there yet. NULL without memory. Locked. */
ga__pace_host *ga__pace_find(ga_pace *pace, const ga__url *url);
/* Forgets all of them. Nobody is in one any more. */
void ga__pace_forget_all(ga_pace *pace);
/* Gives the host's buckets the rates that they have at this speed. Locked. */
void ga__pace_set_speed(ga__pace_host *host, double speed, uint64_t now);
/* The speed, where it was lowered, rises with the time in which it was not lowered again. Locked.
 * @return when it rises next; GA__NEVER: it is full */
uint64_t ga__pace_recover(ga__pace_host *host, uint64_t now);
/* The present rate of requests; 0: none. Locked. */
double ga__pace_rate_of(const ga__pace_host *host);

/* --- pace_answer.c --- */
/* Whether the host has begun to cool down since: the request should not be sent, but leave and enter anew. */
bool ga__pace_is_cooling(const ga__pace_stay *stay);

/* Leaves the host without an answer. `unsent`: and nothing was sent. Does nothing where the stay is over. */
void ga__pace_leave(ga__pace_stay *stay, bool unsent);

/* Leaves the host with an answer's head. `latency` is negative where it says nothing about the host. */
void ga__pace_answered(ga__pace_stay *stay, int status, const ga__advice *advice, double latency);

/* The request is not under way any more. In its loop. */
void ga__pace_done(ga__pace_stay *stay);

/* The answer's body broke off: what is asked for its rest is a request of its own, so this one is not under
 * way any more, `until_freed` or not. In its loop. */
void ga__pace_broke_off(ga__pace_stay *stay);

/* The response is freed, and so its request is done, if it was not before. This may be outside of a loop. */
void ga__pace_end(ga__pace_stay *stay);

/* Puts the bucket right: the request has cost so much. In a loop. */
void ga__pace_set_cost(ga__pace_stay *stay, double cost);

/* What the server asks to wait in all, in seconds; negative: it does not say. */
double ga__pace_asked(const ga__advice *advice);

#endif
