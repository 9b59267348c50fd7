/* SPDX-License-Identifier: MIT */
/*
 * A listening socket, TCP or unix. For the embedded API and for tests.
 */
#ifndef GA__LISTENER_H
#define GA__LISTENER_H

#include "io/stream.h"

typedef struct ga__listener {
    ga__fd fd;
    ga__address address; /* the bound one, with the port that the system chose */
} ga__listener;

/* Listens. A unix socket's path must not exist; closing removes it. Does not suspend.
 * @param address with port 0 the system chooses a port: see listener->address
 * @param backlog connections that may wait to be accepted; 0: as many as the system allows
 * @return 0; GA_ESYSTEM with os_error (EADDRINUSE, EACCES), GA_EFDS, GA_ENOTASK outside a loop */
int ga__listener_open(ga__listener *listener, const ga__address *address, int backlog);

/* Accepts the next connection into the closed stream. Where there are no descriptors it waits until there
 * are. Suspends.
 * @return 0; GA_ETIMEDOUT, GA_ECANCELED, GA_ESYSTEM, GA_ECLOSED */
int ga__listener_accept(ga__listener *listener, ga__stream *stream, uint64_t deadline);

/* Nobody may wait in accept. Harmless on a closed one. */
void ga__listener_close(ga__listener *listener);

#endif
