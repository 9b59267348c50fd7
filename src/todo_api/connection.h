/* SPDX-License-Identifier: MIT */
/*
 * One client's connection: requests are read, answered by the routes, and written back, until either side
 * has had enough.
 */
#ifndef TODO_API_CONNECTION_H
#define TODO_API_CONNECTION_H

#include "io/stream.h"
#include "io/tls_config.h"
#include "protocol/http1_request.h"
#include "todo_api/todo_list.h"

#include <time.h>

/* What connections have in common; borrowed. */
typedef struct service {
    const todo_list *todos;
    ga__tls_config *tls; /* NULL: plain */
    uint64_t requests;   /* answered so far, as /requests tells */
    time_t date_second;  /* of `date` */
    char date[32];       /* the Date field's value */
} service;

typedef struct connection {
    service *service;
    ga__stream stream;
    ga__buffer in;   /* received, not consumed */
    ga__buffer head; /* the present request's head, to which `fields` refers */
    ga__buffer body; /* its body */
    ga__buffer out;  /* what is sent next */
    ga__headers_table fields;
} connection;

/* A connection whose stream is closed, to be accepted into; NULL when there is no memory. */
connection *connection_new(service *service);

/* Closes the stream. */
void connection_free(connection *connection);

/* Serves the connection to its end, and frees it: for ga_spawn. Suspends. @return 0: what goes wrong with one
 * client is not the server's failure */
int connection_serve(void *connection);

#endif
