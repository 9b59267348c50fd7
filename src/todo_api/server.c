/* SPDX-License-Identifier: MIT */
/*
 * Accepting, and ending in order: a signal cancels the group that all connections are in, and what waits to
 * accept; everything is then closed on the way out. Called by main.
 */
#include "todo_api/server.h"

#include "io/certificate.h"
#include "io/listener.h"
#include "todo_api/authority.h"
#include "todo_api/connection.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

typedef struct server {
    service service;
    ga__listener listener;
    sigset_t ending;
    ga__fd signals;
    ga_group connections;
} server;

static void on_signal(ga__fd *fd, unsigned events)
{
    server *self = GA__OF(fd, server, signals);
    struct signalfd_siginfo info;

    (void)events;
    while (read(fd->fd, &info, sizeof info) > 0)
        ;
    ga_group_cancel(&self->connections);
}

/* From here on SIGINT and SIGTERM wait, and do not end the process before it has cleaned up. */
static void hold_signals(server *self)
{
    sigemptyset(&self->ending);
    sigaddset(&self->ending, SIGINT);
    sigaddset(&self->ending, SIGTERM);
    sigprocmask(SIG_BLOCK, &self->ending, NULL);
}

/* From here on they cancel the connections' group. */
static int watch_signals(server *self, ga__poller *poller)
{
    int fd = signalfd(-1, &self->ending, SFD_NONBLOCK | SFD_CLOEXEC);

    if (fd < 0)
        return ga_fail(GA_ESYSTEM, "cannot receive signals: %s", strerror(errno));
    self->signals.on_event = on_signal;
    int code = poller->ops->watch(poller, &self->signals, fd, GA__READABLE);

    if (code < 0) {
        close(fd);
        return ga_fail(GA_ESYSTEM, "cannot watch signals: %s", strerror(-code));
    }
    return 0;
}

static void forget_signals(server *self, ga__poller *poller)
{
    int fd = self->signals.fd;

    poller->ops->forget(poller, &self->signals);
    close(fd);
}

/* Accepts until it is cancelled. */
static int accept_all(server *self)
{
    int code = 0;

    while (code == 0) {
        connection *client = connection_new(&self->service);

        if (!client)
            return ga_fail(GA_ENOMEM, "no memory for a connection");
        code = ga__listener_accept(&self->listener, &client->stream, GA__NEVER);
        if (code < 0 || !ga_spawn(&self->connections, connection_serve, client))
            connection_free(client);
    }
    return code == GA_ECANCELED ? 0 : code;
}

static void announce(const server *self, const authority *ca)
{
    char text[GA__ADDRESS_TEXT];

    if (ca->path)
        printf("CA file: %s\n", ca->path);
    printf("listening on %s://%s\n", self->service.tls ? "https" : "http",
           ga__address_text(&self->listener.address, text, sizeof text));
    fflush(stdout);
}

/* Serves with everything in place: listener, certificate, todos. */
static int serve(server *self, const authority *ca)
{
    ga__poller *poller = ga__loop_here->poller;

    ga_group_open(&self->connections, GA_DISCARD);
    int code = watch_signals(self, poller);

    if (code == 0) {
        announce(self, ca);
        code = accept_all(self);
        forget_signals(self, poller);
    }
    ga_group_close(&self->connections);
    return code;
}

int server_run(void *argument)
{
    const server_options *options = argument;
    authority ca = {0};
    todo_list todos = {0};
    server self = {0};

    ga__fd_init(&self.listener.fd);
    ga__fd_init(&self.signals);
    self.service.todos = &todos;
    hold_signals(&self);
    int code = todo_list_make(&todos);

    if (code < 0) {
        ga_fail(code, "no memory for the todos");
        goto out;
    }
    code = ga__listener_open(&self.listener, &options->address, 0);
    if (code == 0 && options->tls)
        code = authority_make(&ca, &self.service.tls);
    if (code == 0)
        code = serve(&self, &ca);
out:
    ga__listener_close(&self.listener);
    ga__tls_config_unref(self.service.tls);
    authority_free(&ca);
    todo_list_free(&todos);
    return code;
}
