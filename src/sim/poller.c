/* SPDX-License-Identifier: MIT */
/*
 * The simulated poller itself: the table of calls, the virtual clock, and the hand-out of events. A wait
 * first hands out what is due; when nothing is, the clock jumps to the next event or the deadline. Where
 * there is neither, nothing can ever happen again: -EDEADLK.
 */
#include "sim/network.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t sim_now(ga__poller *poller)
{
    return ga__sim_of(poller)->now;
}

static void hand_out(ga__sim *sim, const ga__sim_event *event)
{
    static const char *const names[] = {"ready", "arrive", "end", "reset", "ask", "connected", "refused"};
    ga__sim_socket *socket;

    ga__sim_note(sim, names[event->kind], event->to, event->from, event->value);
    switch (event->kind) {
    case GA__SIM_READY:
        socket = ga__sim_find(sim, event->to);
        if (socket && event->value)
            ga__sim_tell(socket, (unsigned)event->value);
        else if (socket)
            ga__sim_tell_all(socket);
        break;
    case GA__SIM_ARRIVE:
        ga__sim_on_arrive(sim, event);
        break;
    case GA__SIM_END:
        ga__sim_on_end(sim, event);
        break;
    case GA__SIM_RESET:
        ga__sim_on_reset(sim, event);
        break;
    case GA__SIM_ASK:
        ga__sim_on_ask(sim, event);
        break;
    case GA__SIM_CONNECTED:
    case GA__SIM_REFUSED:
        ga__sim_on_answer(sim, event);
        break;
    }
}

/* Hands out all that is due now, but not what that brings about at the same time: the tasks come first. */
static bool hand_out_due(ga__sim *sim)
{
    uint64_t before = sim->events.orders;
    ga__sim_event event;
    bool any = false;

    while (ga__sim_pop(sim, before, &event)) {
        hand_out(sim, &event);
        any = true;
    }
    return any;
}

static int sim_wait(ga__poller *poller, uint64_t deadline)
{
    ga__sim *sim = ga__sim_of(poller);

    /* Each turn takes a moment, so that tasks which keep the loop busy do not stop the clock. */
    sim->now += GA__SIM_TURN_NS;
    if (hand_out_due(sim) || atomic_exchange(&sim->woken, false) || deadline <= sim->now)
        return 0;

    uint64_t next = ga__sim_next_time(sim);

    if (next > deadline)
        next = deadline;
    if (next == UINT64_MAX)
        return -EDEADLK;
    sim->now = next;
    hand_out_due(sim);
    return 0;
}

static void sim_wake(ga__poller *poller)
{
    atomic_store(&ga__sim_of(poller)->woken, true);
}

static int sim_watch(ga__poller *poller, ga__fd *fd, int system_fd, unsigned events)
{
    (void)poller;
    (void)fd;
    (void)system_fd;
    (void)events;
    return -ENOTSUP;
}

static void sim_forget(ga__poller *poller, ga__fd *fd)
{
    (void)poller;
    (void)fd;
}

/* Options of TCP and of sockets have no meaning here. */
static int sim_set_option(ga__poller *poller, ga__fd *fd, int level, int name, int value)
{
    (void)level;
    (void)name;
    (void)value;
    return ga__sim_behind(ga__sim_of(poller), fd) ? 0 : -EBADF;
}

static void sim_destroy(ga__poller *poller)
{
    ga__sim *sim = ga__sim_of(poller);

    if (sim->options.counters)
        *sim->options.counters = *ga__sim_count(poller);
    for (size_t i = 0; i < sim->socket_count; i++)
        if (sim->sockets[i])
            ga__sim_socket_free(sim, sim->sockets[i]);
    free(sim->sockets);
    free(sim->ways);
    ga__sim_events_free(sim);
    free(sim);
}

static const ga__poller_ops operations = {
    .name = "simulation",
    .now = sim_now,
    .wait = sim_wait,
    .wake = sim_wake,
    .open = ga__sim_open,
    .watch = sim_watch,
    .forget = sim_forget,
    .close = ga__sim_close,
    .move = ga__sim_move,
    .set_option = sim_set_option,
    .bind = ga__sim_bind,
    .listen = ga__sim_listen,
    .accept = ga__sim_accept,
    .connect = ga__sim_connect,
    .connect_result = ga__sim_connect_result,
    .local_address = ga__sim_local_address,
    .shutdown = ga__sim_shutdown,
    .recv = ga__sim_recv,
    .send = ga__sim_send,
    .destroy = sim_destroy,
};

ga__poller *ga__sim_new(const ga__sim_options *options)
{
    ga__sim *sim = ga__sim_resize(NULL, 1, sizeof *sim);

    *sim = (ga__sim){.poller.ops = &operations, .now = UINT64_C(1000000000)};
    ga__list_init(&sim->listeners);
    if (options)
        sim->options = *options;
    sim->network = ga__random_of(sim->options.seed, 1);
    sim->scenario = ga__random_of(sim->options.seed, 2);
    return &sim->poller;
}

const ga__sim_counters *ga__sim_count(ga__poller *poller)
{
    ga__sim *sim = ga__sim_of(poller);

    sim->counters.now = sim->now;
    return &sim->counters;
}

uint64_t ga__sim_random(ga__poller *poller)
{
    return ga__random_next(&ga__sim_of(poller)->scenario);
}
