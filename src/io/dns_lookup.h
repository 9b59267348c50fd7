/* SPDX-License-Identifier: MIT */
/*
 * Looking names up at the name servers, through the cache: one question for all tasks that want the same
 * name, and a bound on how many names are asked for at once.
 */
#ifndef GA__DNS_LOOKUP_H
#define GA__DNS_LOOKUP_H

#include "io/dns_cache.h"
#include "io/dns_channel.h"
#include <sys/stat.h>

typedef struct ga__dns_lookups {
    ga__loop *loop;
    const ga__dns_options *options; /* borrowed */
    ga__dns_cache cache;
    ga__dns_channel channel;
    struct stat resolv_conf; /* as the channel read it */
    ga__list line;           /* entries that are still to be asked for, each held; by their `used` */
    ga_timer_ start;         /* armed while the line has not been looked at */
    size_t late;             /* questions whose answer nobody waits for any more */
    bool in_line_called;
    int closed_because; /* ARES_..., where the channel is closed */
} ga__dns_lookups;

void ga__dns_lookups_init(ga__dns_lookups *lookups, ga__loop *loop, const ga__dns_options *options);
/* Forgets all; whoever waits is told ARES_EDESTRUCTION. */
void ga__dns_lookups_close(ga__dns_lookups *lookups);

/* The name's entry, with its answer or pending, held for the caller, who releases it. Does not suspend.
 * @return NULL with GA_ENOMEM */
ga__dns_entry *ga__dns_look_up(ga__dns_lookups *lookups, const char *name);

/* Waits until the entry, which the caller holds, has its answer. Suspends.
 * @return 0, GA_ETIMEDOUT, GA_ECANCELED */
int ga__dns_entry_wait(ga__dns_entry *entry, uint64_t deadline);

/* Why the entry has no addresses, ARES_...: of two reasons one that may pass before one that stays, and "no
 * address" before "no name". */
int ga__dns_entry_status(const ga__dns_entry *entry);

#endif
