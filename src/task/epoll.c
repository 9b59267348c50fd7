/* SPDX-License-Identifier: MIT */
/*
 * The poller on Linux epoll. Each socket is registered once, edge-triggered for both directions, so waiting
 * costs no system call of its own. A wake from another thread or a signal handler comes through an eventfd.
 */
#include "task/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 256 };

/* For both directions at once, edge-triggered. */
static const uint32_t SOCKET_EVENTS = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

typedef struct epoll_poller {
    ga__poller poller;
    int epoll;
    int wake_fd;
    int next, count; /* the part of the batch that is still to be dispatched */
    struct epoll_event batch[BATCH];
} epoll_poller;

static int check(int result)
{
    return result < 0 ? -errno : result;
}

static uint64_t now(ga__poller *poller)
{
    struct timespec time;

    (void)poller;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void dispatch(epoll_poller *self)
{
    while (self->next < self->count) {
        struct epoll_event *event = &self->batch[self->next++];
        ga__fd *fd = event->data.ptr;
        unsigned events = 0;

        if (!fd)
            continue; /* closed by one dispatched before it */
        if (fd == (void *)self) {
            uint64_t count;

            (void)!read(self->wake_fd, &count, sizeof count);
            continue;
        }
        if (event->events & EPOLLIN)
            events |= GA__READABLE;
        if (event->events & EPOLLOUT)
            events |= GA__WRITABLE;
        if (event->events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP))
            events |= GA__READABLE | GA__WRITABLE | GA__HANGUP;
        ga__fd_event(fd, events);
    }
}

/* epoll_pwait2 where a fraction of a millisecond matters and the kernel has it (Linux 5.11); else epoll_wait,
 * rounded up. */
static int wait_events(epoll_poller *self, uint64_t deadline)
{
    static _Atomic bool no_pwait2;

    if (deadline == 0 || deadline == UINT64_MAX)
        return epoll_wait(self->epoll, self->batch, BATCH, deadline ? -1 : 0);
    uint64_t time = now(&self->poller);
    uint64_t left = deadline > time ? deadline - time : 0;

    if (!no_pwait2) {
        struct timespec timeout = {.tv_sec = (time_t)(left / 1000000000),
                                   .tv_nsec = (long)(left % 1000000000)};
        int count = epoll_pwait2(self->epoll, self->batch, BATCH, &timeout, NULL);

        /* A container that does not know the call may say EPERM. */
        if (count >= 0 || (errno != ENOSYS && errno != EPERM))
            return count;
        no_pwait2 = true;
    }
    uint64_t milliseconds = (left + 999999) / 1000000;

    return epoll_wait(self->epoll, self->batch, BATCH, milliseconds < INT_MAX ? (int)milliseconds : INT_MAX);
}

static int poller_wait(ga__poller *poller, uint64_t deadline)
{
    epoll_poller *self = (epoll_poller *)poller;

    self->next = 0;
    self->count = wait_events(self, deadline);
    if (self->count < 0) {
        int code = -errno;

        self->count = 0;
        return code == -EINTR ? 1 : code;
    }
    bool full = self->count == BATCH;

    dispatch(self);
    return full;
}

static void wake(ga__poller *poller)
{
    epoll_poller *self = (epoll_poller *)poller;
    uint64_t one = 1;
    int saved = errno;

    /* It fails only where the counter is full: then a wake is under way. */
    if (write(self->wake_fd, &one, sizeof one) < 0)
        errno = saved;
}

static int add(epoll_poller *self, ga__fd *fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = fd};

    return check(epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd->fd, &event));
}

/* Drops what the present batch still holds for the descriptor: its owner may free it. */
static void forget_batch(epoll_poller *self, const ga__fd *fd)
{
    for (int i = self->next; i < self->count; i++)
        if (self->batch[i].data.ptr == fd)
            self->batch[i].data.ptr = NULL;
}

static void forget(ga__poller *poller, ga__fd *fd)
{
    epoll_poller *self = (epoll_poller *)poller;

    if (fd->fd < 0)
        return;
    /* Closing alone does not take it out of the epoll while a child that was just forked has it, too. */
    if (!poller->forked)
        epoll_ctl(self->epoll, EPOLL_CTL_DEL, fd->fd, NULL);
    forget_batch(self, fd);
    fd->fd = -1;
    fd->ready = 0;
}

static void poller_close(ga__poller *poller, ga__fd *fd)
{
    int system_fd = fd->fd;

    if (system_fd < 0)
        return;
    forget(poller, fd);
    close(system_fd);
}

static int poller_move(ga__poller *poller, ga__fd *from, ga__fd *to)
{
    epoll_poller *self = (epoll_poller *)poller;
    struct epoll_event event = {.events = SOCKET_EVENTS, .data.ptr = to};

    /* Modifying reports once more what is the case, so nothing that the batch held is lost. */
    if (epoll_ctl(self->epoll, EPOLL_CTL_MOD, from->fd, &event) < 0)
        return -errno;
    forget_batch(self, from);
    to->fd = from->fd;
    to->ready = from->ready;
    from->fd = -1;
    from->ready = 0;
    return 0;
}

static int take_socket(epoll_poller *self, ga__fd *fd, int system_fd)
{
    if (system_fd < 0)
        return -errno;
    fd->fd = system_fd;
    fd->ready = 0;
    int code = add(self, fd, SOCKET_EVENTS);

    if (code < 0)
        poller_close(&self->poller, fd);
    return code;
}

static int poller_open(ga__poller *poller, ga__fd *fd, int family, int type)
{
    return take_socket((epoll_poller *)poller, fd, socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

static int watch(ga__poller *poller, ga__fd *fd, int system_fd, unsigned events)
{
    fd->fd = system_fd;
    fd->ready = 0;
    return add((epoll_poller *)poller, fd,
               (events & GA__READABLE ? EPOLLIN : 0u) | (events & GA__WRITABLE ? EPOLLOUT : 0u));
}

static int set_option(ga__poller *poller, ga__fd *fd, int level, int name, int value)
{
    (void)poller;
    return check(setsockopt(fd->fd, level, name, &value, sizeof value));
}

static int poller_bind(ga__poller *poller, ga__fd *fd, const struct sockaddr *address, socklen_t size)
{
    (void)poller;
    return check(bind(fd->fd, address, size));
}

static int poller_listen(ga__poller *poller, ga__fd *fd, int backlog)
{
    (void)poller;
    return check(listen(fd->fd, backlog));
}

static int poller_accept(ga__poller *poller, ga__fd *listener, ga__fd *accepted)
{
    return take_socket((epoll_poller *)poller, accepted,
                       accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

static int poller_connect(ga__poller *poller, ga__fd *fd, const struct sockaddr *address, socklen_t size)
{
    (void)poller;
    fd->ready = 0; /* a fresh socket reports a hang-up, which is none */
    return check(connect(fd->fd, address, size));
}

static int connect_result(ga__poller *poller, ga__fd *fd)
{
    int error = 0;
    socklen_t size = sizeof error;

    (void)poller;
    if (getsockopt(fd->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

static int local_address(ga__poller *poller, ga__fd *fd, struct sockaddr_storage *address)
{
    socklen_t size = sizeof *address;

    (void)poller;
    return check(getsockname(fd->fd, (struct sockaddr *)address, &size));
}

static int poller_shutdown(ga__poller *poller, ga__fd *fd)
{
    (void)poller;
    return check(shutdown(fd->fd, SHUT_WR));
}

static ssize_t poller_recv(ga__poller *poller, ga__fd *fd, void *buffer, size_t size, int flags)
{
    ssize_t count;

    (void)poller;
    do
        count = recv(fd->fd, buffer, size, flags);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

static ssize_t poller_send(ga__poller *poller, ga__fd *fd, const struct iovec *parts, int count)
{
    ssize_t sent;

    (void)poller;
    do {
        if (count == 1) {
            sent = send(fd->fd, parts->iov_base, parts->iov_len, MSG_NOSIGNAL);
        } else {
            struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts,
                                     .msg_iovlen = (size_t)count};

            sent = sendmsg(fd->fd, &message, MSG_NOSIGNAL);
        }
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

static void destroy(ga__poller *poller)
{
    epoll_poller *self = (epoll_poller *)poller;

    if (self->wake_fd >= 0)
        close(self->wake_fd);
    if (self->epoll >= 0)
        close(self->epoll);
    free(self);
}

static const ga__poller_ops epoll_ops = {
    .name = "epoll",
    .now = now,
    .wait = poller_wait,
    .wake = wake,
    .open = poller_open,
    .watch = watch,
    .forget = forget,
    .close = poller_close,
    .move = poller_move,
    .set_option = set_option,
    .bind = poller_bind,
    .listen = poller_listen,
    .accept = poller_accept,
    .connect = poller_connect,
    .connect_result = connect_result,
    .local_address = local_address,
    .shutdown = poller_shutdown,
    .recv = poller_recv,
    .send = poller_send,
    .destroy = destroy,
};

ga__poller *ga__epoll_new(void)
{
    epoll_poller *self = calloc(1, sizeof *self);

    if (!self) {
        errno = ENOMEM;
        return NULL;
    }
    self->poller.ops = &epoll_ops;
    self->wake_fd = -1;
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (self->epoll < 0)
        goto fail;
    self->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (self->wake_fd < 0)
        goto fail;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = self};

    if (epoll_ctl(self->epoll, EPOLL_CTL_ADD, self->wake_fd, &event) < 0)
        goto fail;
    return &self->poller;

fail:;
    int error = errno;

    destroy(&self->poller);
    errno = error;
    return NULL;
}
