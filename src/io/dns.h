/* SPDX-License-Identifier: MIT */
/*
 * Names to addresses, without threads: IP literals, localhost, a table of overrides, /etc/hosts, then the
 * name servers (c-ares) through a cache. Each loop has its own resolver, made on first use.
 *
 * On a poller that cannot watch the system's descriptors (the simulated one) only literals, localhost and
 * overrides resolve; any other name does not exist.
 */
#ifndef GA__DNS_H
#define GA__DNS_H

#include "io/address.h"
#include "task/loop.h"

/* What a name stands for, in the order in which to try. ga__resolved_free. */
typedef struct ga__resolved {
    size_t count; /* at least 1 */
    ga__address addresses[];
} ga__resolved;

/* Resolves the host (a name in ASCII, or an IP literal, in brackets or not); each address gets the port.
 * While a name is being asked for, all who want it wait for the one answer; when one of them is cancelled,
 * the others do not notice. IPv6 addresses come first where this machine can reach the first of them.
 * Suspends, unless the answer is known.
 *
 * An answer is kept for its TTL, at least 1 s, at most 60 s; that a name does not exist, for 5 s; that the
 * name servers failed, for 1 s.
 * @return 0; GA_EDNS with dns_error (ARES_ENOTFOUND, ARES_ENODATA, ARES_ETIMEOUT, ARES_ESERVFAIL, ...) and a
 * message that names the host and what to do; GA_ETIMEDOUT (the deadline), GA_ECANCELED, GA_ENOMEM,
 * GA_ENOTASK */
int ga__dns_resolve(const char *host, uint16_t port, uint64_t deadline, ga__resolved **resolved);

/* Does nothing for NULL. */
void ga__resolved_free(ga__resolved *resolved);

/* From now on the host (whatever its case) has these addresses in the loop, whose ports do not matter; no
 * addresses: it does not exist. Goes before everything but literals. Replaces an earlier override of the
 * host.
 * @return 0, GA_ENOMEM */
int ga__dns_override(ga__loop *loop, const char *host, const ga__address *addresses, size_t count);

/* What is left 0 has its default. */
typedef struct ga__dns_options {
    const char *servers; /* "127.0.0.1:53,[::1]:53"; those of /etc/resolv.conf */
    const char *hosts;   /* path of the hosts file; /etc/hosts */
    int timeout_ms;      /* until a server is asked again, doubled with each round; 2000 */
    int tries;           /* rounds over all servers; 3 */
    size_t cache_size;   /* names kept; 1000 */
    bool no_search;      /* the search domains of /etc/resolv.conf are left alone */
    bool (*reachable)(
        const ga__address *address); /* whether there is a way to the address; asks the system */
} ga__dns_options;

/* Sets the loop's options; nobody may be resolving. What the cache held is forgotten; overrides stay. Strings
 * are copied.
 * @return 0, GA_ENOMEM */
int ga__dns_configure(ga__loop *loop, const ga__dns_options *options);

#endif
