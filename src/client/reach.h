/* SPDX-License-Identifier: MIT */
/*
 * How a session reaches hosts, where its options say otherwise than "ask the name servers and connect": names
 * with addresses of their own, hosts that stand for others, and options of the sockets.
 */
#ifndef GA__REACH_H
#define GA__REACH_H

#include "io/connect.h"
#include "io/dns.h"
#include <gather/session.h>

/* Where a connection goes: a name, or an address without brackets. Borrowed. */
typedef struct ga__endpoint {
    const char *host;
    uint16_t port;
} ga__endpoint;

typedef struct ga__reach ga__reach;

/* Reads the options. *reach is NULL where they ask for nothing of that kind.
 * @return 0, GA_EUSAGE (what cannot be read), GA_ENOMEM */
int ga__reach_new(ga__reach **reach, const ga_session_options *options);
/* NULL is fine. */
void ga__reach_free(ga__reach *reach);

const ga__connect_options *ga__reach_connect_options(const ga__reach *reach);

/* What `connect_to` makes of the endpoint; its host lives as long as both. */
ga__endpoint ga__reach_redirect(const ga__reach *reach, ga__endpoint endpoint);

/* The addresses that `resolve` has for the endpoint: *resolved is NULL where it has none.
 * @return 0, GA_ENOMEM (recorded) */
int ga__reach_resolve(const ga__reach *reach, ga__endpoint endpoint, ga__resolved **resolved);

#endif
