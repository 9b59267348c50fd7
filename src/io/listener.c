/* SPDX-License-Identifier: MIT */
/*
 * Listening sockets. Accepting never fails for want of descriptors: it waits until there are some, and does
 * not spin meanwhile. The embedded API and tests call this.
 */
#include "io/listener.h"

#include "io/descriptors.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static ga__poller *poller(void)
{
    return ga__loop_here->poller;
}

static int cannot_listen(const ga__address *address, int error)
{
    char text[sizeof address->as.un.sun_path + 1];
    const char *hint = error == EADDRINUSE ? " (does something listen there already?)" : "";
    int code = error == EMFILE || error == ENFILE ? GA_EFDS : GA_ESYSTEM;

    ga__fail(code, "cannot listen on %s: %s%s", ga__address_text(address, text, sizeof text), strerror(error),
             hint);
    ga__error_edit()->os_error = error;
    return code;
}

/* A unix socket that was bound leaves its path behind. */
static void remove_path(const ga__address *address)
{
    if (ga__address_family(address) == AF_UNIX && address->as.un.sun_path[0])
        unlink(address->as.un.sun_path);
}

int ga__listener_open(ga__listener *listener, const ga__address *address, int backlog)
{
    const ga__poller_ops *ops;
    struct sockaddr_storage bound;
    int code = ga__checkpoint();

    if (code)
        return code;
    ops = poller()->ops;
    ga__fd_init(&listener->fd);
    listener->address = *address;
    code = ops->open(poller(), &listener->fd, ga__address_family(address), SOCK_STREAM);
    if (code < 0)
        return cannot_listen(address, -code);
    if (ga__address_family(address) != AF_UNIX)
        ops->set_option(poller(), &listener->fd, SOL_SOCKET, SO_REUSEADDR, 1);
    code = ops->bind(poller(), &listener->fd, &address->as.any, address->size);
    if (code < 0)
        goto fail;
    code = ops->listen(poller(), &listener->fd, backlog > 0 ? backlog : SOMAXCONN);
    if (code < 0)
        goto unbind;
    if (ga__address_family(address) == AF_UNIX)
        return 0;
    code = ops->local_address(poller(), &listener->fd, &bound);
    if (code < 0)
        goto fail;
    ga__address_from(&listener->address, (const struct sockaddr *)&bound, address->size);
    return 0;

unbind:
    remove_path(address);
fail:
    ops->close(poller(), &listener->fd);
    return cannot_listen(address, -code);
}

/* What accept says of one connection that broke while it waited, not of the listener. */
static bool is_passing(int error)
{
    switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ETIMEDOUT:
        return true;
    default:
        return false;
    }
}

/* One try. @return 0, or a negative errno; -EMFILE stands for anything that time may free */
static int try_accept(ga__listener *listener, ga__stream *stream)
{
    if (!ga__descriptors_take())
        return -EMFILE;
    int code = poller()->ops->accept(poller(), &listener->fd, &stream->fd);

    if (code >= 0) {
        stream->counted = true;
        return 0;
    }
    ga__descriptors_untake();
    if (code == -ENFILE || code == -ENOBUFS || code == -ENOMEM || code == -ENOSPC)
        return -EMFILE;
    return code;
}

static int wait_for_connection(ga__listener *listener, uint64_t deadline)
{
    char text[GA__ADDRESS_TEXT];
    int code = ga__fd_wait(&listener->fd, GA__READABLE, deadline, "a connection");

    if (code == GA_ETIMEDOUT)
        return ga__fail(code, "nobody connected to %s in time",
                        ga__address_text(&listener->address, text, sizeof text));
    if (code)
        return ga__fail(code, "cancelled while waiting for a connection to %s",
                        ga__address_text(&listener->address, text, sizeof text));
    return 0;
}

int ga__listener_accept(ga__listener *listener, ga__stream *stream, uint64_t deadline)
{
    for (;;) {
        int code = ga__checkpoint();

        if (!code && listener->fd.fd < 0)
            code = ga__fail(GA_ECLOSED, "accepting on a listener that is closed");
        if (!code)
            code = wait_for_connection(listener, deadline);
        if (code)
            return code;
        code = try_accept(listener, stream);
        if (code == 0)
            break;
        if (code == -EAGAIN) {
            listener->fd.ready &= (unsigned char)~GA__READABLE;
        } else if (code == -EMFILE) {
            code = ga__descriptors_wait(deadline);
            if (code)
                return code;
        } else if (!is_passing(-code)) {
            ga__fail(GA_ESYSTEM, "accepting a connection failed: %s", strerror(-code));
            ga__error_edit()->os_error = -code;
            return GA_ESYSTEM;
        }
    }
    stream->fd.ready |= GA__WRITABLE;
    ga__address_text(&listener->address, stream->peer, sizeof stream->peer);
    if (ga__address_family(&listener->address) != AF_UNIX)
        poller()->ops->set_option(poller(), &stream->fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return 0;
}

void ga__listener_close(ga__listener *listener)
{
    if (listener->fd.fd < 0)
        return;
    poller()->ops->close(poller(), &listener->fd);
    remove_path(&listener->address);
}
