/* SPDX-License-Identifier: MIT */
/*
 * The origins of a pool: found by scheme, host, port and way.
 */
#ifndef GA__ORIGIN_H
#define GA__ORIGIN_H

#include "client/pool.h"

/* The url's origin as it is reached in this way, made when it is not there yet. NULL when there is no
 * memory. */
ga__origin *ga__origin_get(ga__pool *pool, const ga__url *url, const ga__way *way);

/* Frees the origin when it has no connections, nobody waits for one, and nothing is to be remembered of it.
 */
void ga__origin_put(ga__origin *origin);

/* Frees the table, and the origins that are left in it, which have no connections. */
void ga__origins_free(ga__pool *pool);

#endif
