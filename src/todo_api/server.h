/* SPDX-License-Identifier: MIT */
/*
 * The server: accepts connections and serves each in a task of its own.
 */
#ifndef TODO_API_SERVER_H
#define TODO_API_SERVER_H

#include "io/address.h"

#include <stdbool.h>

typedef struct server_options {
    ga__address address; /* port 0: the system chooses one */
    bool tls;            /* with a certificate of its own, whose CA is in a file of its own */
} server_options;

/* Serves until SIGINT or SIGTERM, having said on standard output where it listens, and with TLS in which file
 * the CA's certificate is; that file is then removed. A task's function, for ga_run.
 * @return 0, or negative with the failure recorded */
int server_run(void *options);

#endif
