/* SPDX-License-Identifier: MIT */
/*
 * The resolver's memory: one entry for each name that was asked for, or is being asked for. Entries with an
 * answer go when they expire, and the least recently used one when there are too many.
 */
#ifndef GA__DNS_CACHE_H
#define GA__DNS_CACHE_H

#include "io/address.h"
#include "task/loop.h"

enum { GA__DNS_BUCKETS = 256 };

/* A name with its answer. It lives while it is listed in the cache, and longer while somebody holds it. */
typedef struct ga__dns_entry {
    struct ga__dns_entry *next; /* in its bucket */
    ga__link used;              /* the most recently used first; while pending not in that list, but in its
                                   owner's line, if any */
    unsigned holders;
    bool listed;

    ga__list waiters; /* tasks, while pending */
    bool pending;     /* waiters still wait */
    unsigned asking;  /* questions without an answer yet: may outlast `pending` */
    ga_timer_ timer;  /* io/dns.c's: how long to wait for the second family */
    void *resolver;   /* io/dns.c's */

    uint64_t asked;   /* when */
    uint64_t expires; /* GA__NEVER while pending */
    int status[2];    /* ARES_..., of IPv4 and IPv6 */
    size_t count;
    size_t counts[2]; /* how many are IPv4, IPv6 */
    ga__address *addresses;
    char name[];
} ga__dns_entry;

typedef struct ga__dns_cache {
    ga__dns_entry *buckets[GA__DNS_BUCKETS];
    ga__list used;
    size_t count; /* in `used` */
    size_t limit;
} ga__dns_cache;

void ga__dns_cache_init(ga__dns_cache *cache, size_t limit);

/* The name's entry, pending or with an answer that has not expired; NULL. */
ga__dns_entry *ga__dns_cache_find(ga__dns_cache *cache, const char *name, uint64_t now);

/* A new entry, pending, for a name that has none; held once for the caller. NULL when there is no memory. */
ga__dns_entry *ga__dns_cache_add(ga__dns_cache *cache, const char *name, uint64_t now);

/* The entry has its answer, good until `expires`. */
void ga__dns_cache_settle(ga__dns_cache *cache, ga__dns_entry *entry, uint64_t expires);

/* Unlists all; entries that are held live on. */
void ga__dns_cache_clear(ga__dns_cache *cache);

static inline void ga__dns_entry_hold(ga__dns_entry *entry)
{
    entry->holders++;
}
void ga__dns_entry_release(ga__dns_entry *entry);

#endif
