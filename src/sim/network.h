/* SPDX-License-Identifier: MIT */
/*
 * The simulated network's structs, shared by the files of this room. Sockets have numbers that are never used
 * again, and events name them by number: an event for a socket that is gone finds nobody, as a packet does.
 */
#ifndef GA__SIM_NETWORK_H
#define GA__SIM_NETWORK_H

#include "base/buffer.h"
#include "sim/random.h"
#include "sim/sim.h"
#include <stdatomic.h>
#include <stdbool.h>

/* The first socket's number: no descriptor of the system's is that high, so that one that is passed to
 * the system by mistake gives EBADF. */
enum { GA__SIM_FIRST = 1 << 24 };

typedef enum ga__sim_kind {
    GA__SIM_READY,     /* value: GA__READABLE, GA__WRITABLE: look again; 0: the first event, whatever holds */
    GA__SIM_ARRIVE,    /* value: bytes */
    GA__SIM_END,       /* of the stream */
    GA__SIM_RESET,     /* value: 1 where bytes that wait are lost */
    GA__SIM_ASK,       /* a connect reaches the address that its socket wants */
    GA__SIM_CONNECTED, /* the answer */
    GA__SIM_REFUSED    /* the other answer; value: errno */
} ga__sim_kind;

typedef struct ga__sim_event {
    uint64_t at;    /* virtual ns */
    uint64_t order; /* events of one time come in the order in which they were made */
    size_t value;
    ga__sim_kind kind;
    int to, from; /* sockets */
} ga__sim_event;

/* A binary heap, earliest first. */
typedef struct ga__sim_events {
    ga__sim_event *heap;
    size_t count, capacity;
    uint64_t orders; /* events made so far */
} ga__sim_events;

typedef struct ga__sim_address {
    struct sockaddr_storage storage;
    socklen_t size; /* 0: none */
} ga__sim_address;

typedef enum ga__sim_state {
    GA__SIM_OPEN,
    GA__SIM_LISTENING,
    GA__SIM_CONNECTING,
    GA__SIM_JOINED,
    GA__SIM_BROKEN /* reset, or refused */
} ga__sim_state;

typedef enum ga__sim_fate {
    GA__SIM_FATE_NONE,
    GA__SIM_FATE_RESET,
    GA__SIM_FATE_CUT,
    GA__SIM_FATE_STALL,
    GA__SIM_FATE_SPENT, /* reset or cut: what is sent is lost */
    GA__SIM_FATE_STALLED
} ga__sim_fate;

typedef struct ga__sim_socket {
    int number;
    ga__fd *fd; /* its owner's; NULL until it is accepted */
    ga__sim_state state;
    int family;
    int error; /* errno not yet reported, or 0 */
    ga__sim_address local;
    ga__sim_address wanted; /* the address it connects to */

    int peer; /* 0: none yet */

    /* what comes in */
    ga__buffer incoming;
    size_t delivered; /* bytes of `incoming` that have arrived */
    bool ended;       /* the end of the stream has arrived behind them */

    /* what goes out */
    uint64_t sent;
    uint64_t last_arrival; /* news does not overtake news */
    bool finished;         /* shut down */
    bool starved;          /* send found no room: tell when there is some */
    ga__sim_fate fate;
    uint64_t fate_at;

    /* of a listener: its place among them, and who waits to be accepted */
    ga__link listening;
    ga__list backlog;
    size_t backlog_count, backlog_limit;
    ga__link in_backlog;
} ga__sim_socket;

typedef struct ga__sim_way {
    ga__sim_address address;
    ga__sim_route route;
    uint64_t delay;
} ga__sim_way;

typedef struct ga__sim {
    ga__poller poller;
    ga__sim_options options;
    ga__sim_counters counters;
    ga__random network;  /* for faults and latencies */
    ga__random scenario; /* for ga__sim_random */
    uint64_t now;
    atomic_bool woken;
    ga__sim_events events;
    ga__sim_socket **sockets; /* by number - GA__SIM_FIRST; NULL: gone */
    size_t socket_count, socket_capacity;
    ga__list listeners;
    ga__sim_way *ways;
    size_t way_count;
    uint16_t next_port;
} ga__sim;

/* The poller's own struct. */
static inline ga__sim *ga__sim_of(ga__poller *poller)
{
    return (ga__sim *)(void *)poller;
}

/* Memory or an abort. Where a test lets an allocation fail it does not mean the network's, so a second try is
 * made. */
void *ga__sim_resize(void *block, size_t count, size_t size);
void ga__sim_make_room(ga__buffer *buffer, size_t more);

/* --- events.c --- */
void ga__sim_push(ga__sim *sim, uint64_t at, ga__sim_kind kind, int to, int from, size_t value);
/* Takes the earliest event that is due now and was made before event number `before`; false where there is
 * none. */
bool ga__sim_pop(ga__sim *sim, uint64_t before, ga__sim_event *event);
/* UINT64_MAX: no event is under way. */
uint64_t ga__sim_next_time(const ga__sim *sim);
void ga__sim_events_free(ga__sim *sim);
/* When news that leaves now arrives. */
uint64_t ga__sim_travel(ga__sim *sim);

/* --- trace.c --- */
void ga__sim_note(ga__sim *sim, const char *what, int to, int from, uint64_t value);

/* --- socket.c: sockets, addresses, connecting --- */
ga__sim_socket *ga__sim_find(ga__sim *sim, int number);
/* The socket behind a descriptor; NULL where it is closed. */
ga__sim_socket *ga__sim_behind(ga__sim *sim, const ga__fd *fd);
ga__sim_socket *ga__sim_socket_new(ga__sim *sim, int family);
void ga__sim_socket_free(ga__sim *sim, ga__sim_socket *socket);
/* Whether descriptor_limit allows another one. */
bool ga__sim_descriptor_left(const ga__sim *sim);
/* From now on the descriptor is the socket's. */
void ga__sim_own(ga__sim *sim, ga__sim_socket *socket, ga__fd *fd);
/* Notes what became ready, where the socket has an owner. */
void ga__sim_tell(ga__sim_socket *socket, unsigned events);
/* The same for all that is ready at the moment. */
void ga__sim_tell_all(ga__sim_socket *socket);
int ga__sim_open(ga__poller *poller, ga__fd *fd, int family, int type);
void ga__sim_close(ga__poller *poller, ga__fd *fd);
int ga__sim_move(ga__poller *poller, ga__fd *from, ga__fd *to);
int ga__sim_bind(ga__poller *poller, ga__fd *fd, const struct sockaddr *address, socklen_t size);
int ga__sim_listen(ga__poller *poller, ga__fd *fd, int backlog);
/* False where it is no address of the family. */
bool ga__sim_address_set(ga__sim_address *address, int family, const struct sockaddr *value, socklen_t size);
/* `any`: where `a` is 0.0.0.0 or ::, it equals all of its family. */
bool ga__sim_address_equal(const ga__sim_address *a, const ga__sim_address *b, bool any);
/* Gives an internet address a free port in place of 0. */
void ga__sim_assign_port(ga__sim *sim, ga__sim_address *address);
void ga__sim_clear_port(ga__sim_address *address);
/* Who listens there, or NULL. */
ga__sim_socket *ga__sim_listener_at(ga__sim *sim, const ga__sim_address *address);
int ga__sim_local_address(ga__poller *poller, ga__fd *fd, struct sockaddr_storage *address);

/* --- connect.c --- */
int ga__sim_accept(ga__poller *poller, ga__fd *listener, ga__fd *accepted);
int ga__sim_connect(ga__poller *poller, ga__fd *fd, const struct sockaddr *address, socklen_t size);
int ga__sim_connect_result(ga__poller *poller, ga__fd *fd);
void ga__sim_on_ask(ga__sim *sim, const ga__sim_event *event);
void ga__sim_on_answer(ga__sim *sim, const ga__sim_event *event);

/* --- transfer.c --- */
/* The fault of a spurious EAGAIN: true where the call is to give one now. An event follows. */
bool ga__sim_hold_back(ga__sim *sim, ga__sim_socket *socket, unsigned direction);
ssize_t ga__sim_recv(ga__poller *poller, ga__fd *fd, void *buffer, size_t size, int flags);
ssize_t ga__sim_send(ga__poller *poller, ga__fd *fd, const struct iovec *parts, int count);
int ga__sim_shutdown(ga__poller *poller, ga__fd *fd);
/* The end of what the socket sends: FIN, or a reset where `abort`. */
void ga__sim_finish(ga__sim *sim, ga__sim_socket *socket, bool abort);
void ga__sim_draw_fate(ga__sim *sim, ga__sim_socket *socket);
void ga__sim_on_arrive(ga__sim *sim, const ga__sim_event *event);
void ga__sim_on_end(ga__sim *sim, const ga__sim_event *event);
void ga__sim_on_reset(ga__sim *sim, const ga__sim_event *event);

#endif
