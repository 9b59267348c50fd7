/* SPDX-License-Identifier: MIT */
/*
 * The poller: where a loop's time and events come from, and through which all socket calls go. Two
 * backends stand behind this table: epoll (task/epoll.c), and the simulated loop (sim/), whose clock is
 * virtual and whose connections are in memory.
 *
 * Calls return 0 or a count, or a negative errno; none blocks but `wait`. A descriptor is registered once,
 * edge-triggered: whoever sees EAGAIN clears the readiness bit and parks until the next event.
 */
#ifndef GA__POLLER_H
#define GA__POLLER_H

#include "base/list.h"
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

enum {
    GA__READABLE = 1,
    GA__WRITABLE = 2,
    GA__HANGUP = 4 /* the peer closed or the connection broke; comes with both others */
};

/* A descriptor that a poller watches. Embedded by its owner; its address is fixed while it is open. */
typedef struct ga__fd {
    int fd;                    /* -1: closed. Under the simulated poller a number of its own. */
    unsigned char ready;       /* GA__READABLE, GA__WRITABLE: believed until EAGAIN */
    ga__list readers, writers; /* tasks that wait */
    /* Called in the loop's context (it may not suspend) on each event, before tasks are woken; or NULL. It
     * may close any descriptor. */
    void (*on_event)(struct ga__fd *fd, unsigned events);
} ga__fd;

typedef struct ga__poller ga__poller;

typedef struct ga__poller_ops {
    const char *name;
    /* Nanoseconds, monotonic. */
    uint64_t (*now)(ga__poller *poller);
    /* Dispatches events through ga__fd_event. Waits until there is one, the deadline (0: not at all,
     * UINT64_MAX: for ever) or a wake. 0 says that it has told all that had happened; 1, that there may be
     * more.
     */
    int (*wait)(ga__poller *poller, uint64_t deadline);
    /* Ends a wait, or the next one; from any thread, and from a signal handler. */
    void (*wake)(ga__poller *poller);

    int (*open)(ga__poller *poller, ga__fd *fd, int family, int type);
    /* Watches a descriptor of the system's that somebody else owns, level-triggered through on_event; to end,
     * call forget. -ENOTSUP on the simulated poller. */
    int (*watch)(ga__poller *poller, ga__fd *fd, int system_fd, unsigned events);
    void (*forget)(ga__poller *poller, ga__fd *fd);
    void (*close)(ga__poller *poller, ga__fd *fd);
    /* Moves what `from` watches to `to`, which is closed; `from` is closed then. Nobody may wait on it. */
    int (*move)(ga__poller *poller, ga__fd *from, ga__fd *to);

    int (*set_option)(ga__poller *poller, ga__fd *fd, int level, int name, int value);
    int (*bind)(ga__poller *poller, ga__fd *fd, const struct sockaddr *address, socklen_t size);
    int (*listen)(ga__poller *poller, ga__fd *fd, int backlog);
    int (*accept)(ga__poller *poller, ga__fd *listener, ga__fd *accepted);
    /* 0, or -EINPROGRESS: then wait for GA__WRITABLE and ask connect_result. */
    int (*connect)(ga__poller *poller, ga__fd *fd, const struct sockaddr *address, socklen_t size);
    int (*connect_result)(ga__poller *poller, ga__fd *fd);
    int (*local_address)(ga__poller *poller, ga__fd *fd, struct sockaddr_storage *address);
    int (*shutdown)(ga__poller *poller, ga__fd *fd);
    /* `flags`: 0 or MSG_PEEK. */
    ssize_t (*recv)(ga__poller *poller, ga__fd *fd, void *buffer, size_t size, int flags);
    ssize_t (*send)(ga__poller *poller, ga__fd *fd, const struct iovec *parts, int count);

    void (*destroy)(ga__poller *poller);
} ga__poller_ops;

/* A backend's own state begins with this. */
struct ga__poller {
    const ga__poller_ops *ops;
    bool forked; /* this is a child of the process that made it: what the system holds is the parent's */
};

/* A poller on epoll; NULL with errno set. */
ga__poller *ga__epoll_new(void);

/* For backends: notes the events on the descriptor and wakes who waits. */
void ga__fd_event(ga__fd *fd, unsigned events);

/* Makes a descriptor struct ready for open, accept or watch. */
void ga__fd_init(ga__fd *fd);

#endif
