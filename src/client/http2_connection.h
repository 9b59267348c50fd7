/* SPDX-License-Identifier: MIT */
/*
 * A connection that speaks HTTP/2 and is shared by many requests: what arrives is read in the loop's context,
 * whoever it is for, and wakes the tasks that wait for it; what the tasks of one turn of the loop have to say
 * goes out together when the turn ends.
 */
#ifndef GA__HTTP2_CONNECTION_H
#define GA__HTTP2_CONNECTION_H

#include "client/connection.h"
#include "client/session.h"
#include "protocol/http2.h"

typedef struct ga__http2_connection {
    ga__http2 *http2;
    ga__connection *connection;
    ga__deferred flush; /* while something is to be sent */
    ga__buffer unsent;  /* what the system did not take */
    ga_timer_ ping;     /* armed while streams are under way */
    double ping_every;  /* seconds; GA_FOREVER: never */
    uint64_t heard_at;  /* when the server last sent something */
    uint64_t asked_at;  /* when it was asked for a sign of life that it has not given; 0 */
    uint64_t second;    /* when the second began that ga__http2_calm counts */
    int lost;           /* why the connection is done for: a code, or 0 */
    int os_error;
    char problem[160]; /* the same in words */
} ga__http2_connection;

/* One request's part in it. */
typedef struct ga__http2_exchange {
    ga__http2_stream stream;
    ga__http2_connection *on;
    ga__list waiting; /* its task, while that waits for a change of the stream */
    char *piece;      /* of the request's body, where that has a source; or NULL */
    bool withheld;    /* the answer came before the body, which is not sent then */
} ga__http2_exchange;

/* Speaks HTTP/2 on the connection, which was just opened. Does not suspend. @return 0, GA_ENOMEM; recorded */
int ga__http2_connection_start(ga__connection *connection, const ga_session *session);

/* Says goodbye where the connection still stands, and frees what it has beside its stream. All exchanges must
 * be over. */
void ga__http2_connection_free(ga__http2_connection *self);

/* How many streams it may carry at once; 0: it takes no new ones. */
size_t ga__http2_connection_room(const ga__http2_connection *self);

/* Looks what the server has sent meanwhile: for a connection that idled. It may be lost afterwards. */
void ga__http2_connection_look(ga__http2_connection *self);

/* What was submitted, written or read is to be told to the server at the end of the turn. */
void ga__http2_connection_send(ga__http2_connection *self);

#endif
