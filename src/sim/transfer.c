/* SPDX-License-Identifier: MIT */
/*
 * Bytes on simulated connections: receiving, sending, ending, and the faults of each. What is sent lies in
 * the receiver's buffer at once and is counted as delivered when its event arrives; news in one direction
 * keeps its order. A direction's fate (reset, cut, stall) is drawn when the connection is made, with the byte
 * it strikes.
 */
#include "sim/network.h"

#include <errno.h>
#include <string.h>

bool ga__sim_hold_back(ga__sim *sim, ga__sim_socket *socket, unsigned direction)
{
    if (!ga__random_chance(&sim->network, sim->options.again))
        return false;
    sim->counters.faults++;
    ga__sim_note(sim, "again", socket->number, 0, direction);
    ga__sim_push(sim, ga__sim_travel(sim), GA__SIM_READY, socket->number, 0, direction);
    return true;
}

/* The error that the socket has not reported yet, once. */
static int take_error(ga__sim_socket *socket)
{
    int error = socket->error;

    socket->error = 0;
    return error;
}

/* The time at which news from this socket arrives: after all that it sent before. */
static uint64_t arrival(ga__sim *sim, ga__sim_socket *sender)
{
    uint64_t at = ga__sim_travel(sim);

    if (at < sender->last_arrival)
        at = sender->last_arrival;
    sender->last_arrival = at;
    return at;
}

/* How many of `size`, at random fewer. */
static size_t shorten(ga__sim *sim, double probability, size_t size)
{
    if (size < 2 || !ga__random_chance(&sim->network, probability))
        return size;
    sim->counters.faults++;
    return 1 + ga__random_below(&sim->network, size - 1);
}

/* --- receiving ------------------------------------------------------------------------------------ */

/* Tells a sender that found no room that there is some now. */
static void give_room(ga__sim *sim, ga__sim_socket *receiver)
{
    ga__sim_socket *sender = ga__sim_find(sim, receiver->peer);

    if (!sender || !sender->starved)
        return;
    sender->starved = false;
    ga__sim_push(sim, ga__sim_travel(sim), GA__SIM_READY, sender->number, receiver->number, GA__WRITABLE);
}

ssize_t ga__sim_recv(ga__poller *poller, ga__fd *fd, void *buffer, size_t size, int flags)
{
    ga__sim *sim = ga__sim_of(poller);
    ga__sim_socket *socket = ga__sim_behind(sim, fd);

    if (!socket)
        return -EBADF;
    if (socket->delivered == 0 || size == 0) {
        if (socket->error)
            return -take_error(socket);
        if (socket->ended || socket->state == GA__SIM_BROKEN || (size == 0 && socket->delivered > 0))
            return 0;
        return socket->state == GA__SIM_OPEN || socket->state == GA__SIM_LISTENING ? -ENOTCONN : -EAGAIN;
    }
    if (ga__sim_hold_back(sim, socket, GA__READABLE))
        return -EAGAIN;
    size_t wanted = size < socket->delivered ? size : socket->delivered;
    size_t count = shorten(sim, sim->options.short_read, wanted);

    memcpy(buffer, socket->incoming.data, count);
    if (flags & MSG_PEEK)
        return (ssize_t)count;
    ga__buffer_consume(&socket->incoming, count);
    socket->delivered -= count;
    sim->counters.in_flight -= count;
    sim->counters.bytes_received += count;
    ga__sim_note(sim, "recv", socket->number, socket->peer, count);
    /* A reader may take fewer bytes than it asked for as the end of what is there. */
    if (count < wanted)
        ga__sim_push(sim, ga__sim_travel(sim), GA__SIM_READY, socket->number, 0, GA__READABLE);
    give_room(sim, socket);
    return (ssize_t)count;
}

void ga__sim_on_arrive(ga__sim *sim, const ga__sim_event *event)
{
    ga__sim_socket *socket = ga__sim_find(sim, event->to);

    if (!socket) { /* closed: a reset goes back */
        ga__sim_push(sim, ga__sim_travel(sim), GA__SIM_RESET, event->from, event->to, 1);
        return;
    }
    size_t under_way = socket->incoming.size - socket->delivered;

    socket->delivered += event->value < under_way ? event->value : under_way;
    ga__sim_tell(socket, GA__READABLE);
}

void ga__sim_on_end(ga__sim *sim, const ga__sim_event *event)
{
    ga__sim_socket *socket = ga__sim_find(sim, event->to);

    if (!socket || socket->state == GA__SIM_BROKEN)
        return;
    socket->ended = true;
    ga__sim_tell(socket, GA__READABLE | GA__WRITABLE | GA__HANGUP);
}

void ga__sim_on_reset(ga__sim *sim, const ga__sim_event *event)
{
    ga__sim_socket *socket = ga__sim_find(sim, event->to);

    if (!socket || socket->state == GA__SIM_BROKEN)
        return;
    size_t kept = event->value ? 0 : socket->delivered;

    sim->counters.in_flight -= socket->incoming.size - kept;
    socket->incoming.size = kept;
    socket->delivered = kept;
    socket->state = GA__SIM_BROKEN;
    socket->error = ECONNRESET;
    ga__sim_tell(socket, GA__READABLE | GA__WRITABLE | GA__HANGUP);
}

/* --- sending -------------------------------------------------------------------------------------- */

void ga__sim_draw_fate(ga__sim *sim, ga__sim_socket *socket)
{
    const ga__sim_options *options = &sim->options;
    double sum = options->reset + options->cut + options->stall;

    if (sum <= 0)
        return;
    double draw = ga__random_unit(&sim->network);
    uint64_t at = ga__random_below(&sim->network, options->fault_span ? options->fault_span : 4096);

    if (draw >= sum)
        return;
    socket->fate_at = at;
    socket->fate = draw < options->reset                  ? GA__SIM_FATE_RESET
                   : draw < options->reset + options->cut ? GA__SIM_FATE_CUT
                                                          : GA__SIM_FATE_STALL;
}

/* Breaks the connection for both ends. Systems differ in whether they still hand out what had arrived. */
static void reset_both(ga__sim *sim, ga__sim_socket *socket)
{
    size_t lost = ga__random_chance(&sim->network, 0.5);

    ga__sim_push(sim, arrival(sim, socket), GA__SIM_RESET, socket->peer, socket->number, lost);
    ga__sim_push(sim, socket->last_arrival, GA__SIM_RESET, socket->number, socket->peer, lost);
}

/* How many of the next `size` bytes still get through. */
static size_t meet_fate(const ga__sim_socket *socket, size_t size)
{
    if (socket->fate >= GA__SIM_FATE_SPENT)
        return 0;
    if (socket->fate == GA__SIM_FATE_NONE || socket->fate_at - socket->sent >= size)
        return size;
    return (size_t)(socket->fate_at - socket->sent);
}

static void strike(ga__sim *sim, ga__sim_socket *socket)
{
    sim->counters.faults++;
    ga__sim_note(sim, "strike", socket->peer, socket->number, socket->fate);
    switch (socket->fate) {
    case GA__SIM_FATE_RESET:
        reset_both(sim, socket);
        socket->fate = GA__SIM_FATE_SPENT;
        break;
    case GA__SIM_FATE_CUT:
        ga__sim_push(sim, arrival(sim, socket), GA__SIM_END, socket->peer, socket->number, 0);
        socket->fate = GA__SIM_FATE_SPENT;
        break;
    default:
        socket->fate = GA__SIM_FATE_STALLED;
        break;
    }
}

/* The parts' first `size` bytes, behind what the receiver has. */
static void put(ga__sim_socket *receiver, const struct iovec *parts, size_t size)
{
    ga__sim_make_room(&receiver->incoming, size);
    for (; size > 0; parts++) {
        size_t piece = parts->iov_len < size ? parts->iov_len : size;

        ga__buffer_append(&receiver->incoming, parts->iov_base, piece);
        size -= piece;
    }
}

/* Takes `size` bytes: what the fate lets through is under way from now on. */
static void carry(ga__sim *sim, ga__sim_socket *socket, const struct iovec *parts, size_t size)
{
    ga__sim_socket *receiver = ga__sim_find(sim, socket->peer);
    size_t through = meet_fate(socket, size);

    ga__sim_note(sim, "send", socket->number, socket->peer, size);
    if (through > 0) {
        if (receiver && receiver->state != GA__SIM_BROKEN) {
            put(receiver, parts, through);
            sim->counters.in_flight += through;
        }
        ga__sim_push(sim, arrival(sim, socket), GA__SIM_ARRIVE, socket->peer, socket->number, through);
    }
    if (through < size && socket->fate < GA__SIM_FATE_SPENT)
        strike(sim, socket);
    socket->sent += size;
    sim->counters.bytes_sent += size;
}

/* How many bytes the direction takes at the moment. */
static size_t room(const ga__sim *sim, const ga__sim_socket *socket, const ga__sim_socket *receiver)
{
    size_t limit = sim->options.buffer_size ? sim->options.buffer_size : 65536;
    size_t used = receiver ? receiver->incoming.size : 0;

    if (socket->fate == GA__SIM_FATE_SPENT)
        return limit;
    if (socket->fate == GA__SIM_FATE_STALLED)
        used += (size_t)(socket->sent - socket->fate_at);
    return used < limit ? limit - used : 0;
}

ssize_t ga__sim_send(ga__poller *poller, ga__fd *fd, const struct iovec *parts, int count)
{
    ga__sim *sim = ga__sim_of(poller);
    ga__sim_socket *socket = ga__sim_behind(sim, fd);
    size_t total = 0;

    if (!socket)
        return -EBADF;
    if (socket->error)
        return -take_error(socket);
    if (socket->finished || socket->state == GA__SIM_BROKEN)
        return -EPIPE;
    if (socket->state != GA__SIM_JOINED)
        return socket->state == GA__SIM_CONNECTING ? -EAGAIN : -ENOTCONN;
    for (int i = 0; i < count; i++)
        total += parts[i].iov_len;
    if (total == 0)
        return 0;
    if (ga__sim_hold_back(sim, socket, GA__WRITABLE))
        return -EAGAIN;

    size_t space = room(sim, socket, ga__sim_find(sim, socket->peer));

    if (space == 0) {
        socket->starved = true;
        return -EAGAIN;
    }
    size_t taken = shorten(sim, sim->options.short_write, total < space ? total : space);

    carry(sim, socket, parts, taken);
    /* A writer may take a part of its bytes as the sign that there is no more room. */
    if (taken < total && taken < space)
        ga__sim_push(sim, ga__sim_travel(sim), GA__SIM_READY, socket->number, 0, GA__WRITABLE);
    else if (taken < total)
        socket->starved = true;
    return (ssize_t)taken;
}

void ga__sim_finish(ga__sim *sim, ga__sim_socket *socket, bool abort)
{
    if (!socket->peer || socket->state == GA__SIM_BROKEN || (socket->finished && !abort))
        return;
    socket->finished = true;
    if (meet_fate(socket, 1) == 0) {
        if (socket->fate < GA__SIM_FATE_SPENT)
            strike(sim, socket);
        return;
    }
    if (abort)
        ga__sim_push(sim, arrival(sim, socket), GA__SIM_RESET, socket->peer, socket->number,
                     ga__random_chance(&sim->network, 0.5));
    else
        ga__sim_push(sim, arrival(sim, socket), GA__SIM_END, socket->peer, socket->number, 0);
}

int ga__sim_shutdown(ga__poller *poller, ga__fd *fd)
{
    ga__sim *sim = ga__sim_of(poller);
    ga__sim_socket *socket = ga__sim_behind(sim, fd);

    if (!socket)
        return -EBADF;
    if (socket->state != GA__SIM_JOINED)
        return -ENOTCONN;
    ga__sim_note(sim, "shutdown", socket->number, socket->peer, socket->sent);
    ga__sim_finish(sim, socket, false);
    return 0;
}
