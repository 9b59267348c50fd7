/* SPDX-License-Identifier: MIT */
/*
 * Questions to name servers: c-ares on a loop. Its sockets are watched by the loop's poller, its time-outs by
 * one timer of the loop's.
 */
#ifndef GA__DNS_CHANNEL_H
#define GA__DNS_CHANNEL_H

#include "io/dns.h"
#include <ares.h>

typedef struct ga__dns_channel {
    ga__loop *loop;
    ares_channel ares; /* NULL: closed */
    ga__list sockets;
    ga_timer_ timer;
    size_t asked; /* questions without an answer */
    /* What c-ares does not tell: */
    int refused;         /* the last SERVFAIL, REFUSED or NOTIMP that a server answered, as ARES_..., or 0, */
    uint64_t refused_at; /* ... and when */
    int os_error;        /* why the last socket could not be opened, errno, or 0 */
} ga__dns_channel;

/* @return 0, or ARES_... */
int ga__dns_channel_open(ga__dns_channel *channel, ga__loop *loop, const ga__dns_options *options);

/* All questions end with ARES_EDESTRUCTION. Harmless on a closed one. */
void ga__dns_channel_close(ga__dns_channel *channel);

/* Asks for the name's addresses of one family. `answer` is called once, in the loop's context, or from within
 * this call: it owns `info` (ares_freeaddrinfo), which is NULL unless the status is ARES_SUCCESS. */
void ga__dns_channel_ask(ga__dns_channel *channel, const char *name, int family,
                         ares_addrinfo_callback answer, void *arg);

/* To be called by each answer. @return its status, refined: c-ares gives ARES_ECONNREFUSED also where servers
 * did answer, but with a failure (then ARES_ESERVFAIL and the like), and where no socket could be opened
 * (then ARES_EFILE). */
int ga__dns_channel_answered(ga__dns_channel *channel, int status, uint64_t asked);

#endif
