/* SPDX-License-Identifier: MIT */
/*
 * What is under way in the simulated network: a binary heap of events, ordered by time and then by the order
 * in which they were made, so that equal runs take them in equal order. The poller takes them out; sockets
 * put them in.
 */
#include "sim/network.h"

#include <stdlib.h>

static void give_up(void)
{
    fprintf(stderr, "gather: no memory for the simulation\n");
    abort();
}

void *ga__sim_resize(void *block, size_t count, size_t size)
{
    void *resized = realloc(block, count * size);

    if (!resized)
        resized = realloc(block, count * size);
    if (!resized)
        give_up();
    return resized;
}

void ga__sim_make_room(ga__buffer *buffer, size_t more)
{
    if (ga__buffer_reserve(buffer, more))
        return;
    buffer->failed = false;
    if (!ga__buffer_reserve(buffer, more))
        give_up();
}

static bool earlier(const ga__sim_event *a, const ga__sim_event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(ga__sim_event *a, ga__sim_event *b)
{
    ga__sim_event other = *a;

    *a = *b;
    *b = other;
}

void ga__sim_push(ga__sim *sim, uint64_t at, ga__sim_kind kind, int to, int from, size_t value)
{
    ga__sim_events *events = &sim->events;

    if (events->count == events->capacity) {
        events->capacity = events->capacity ? events->capacity * 2 : 64;
        events->heap = ga__sim_resize(events->heap, events->capacity, sizeof *events->heap);
    }
    size_t place = events->count++;

    events->heap[place] = (ga__sim_event){
        .at = at, .order = events->orders++, .value = value, .kind = kind, .to = to, .from = from};
    while (place > 0 && earlier(&events->heap[place], &events->heap[(place - 1) / 2])) {
        swap(&events->heap[place], &events->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
}

/* Lets the top sink to its place. */
static void sink(ga__sim_events *events)
{
    size_t place = 0;

    for (;;) {
        size_t child = 2 * place + 1;

        if (child >= events->count)
            return;
        if (child + 1 < events->count && earlier(&events->heap[child + 1], &events->heap[child]))
            child++;
        if (!earlier(&events->heap[child], &events->heap[place]))
            return;
        swap(&events->heap[child], &events->heap[place]);
        place = child;
    }
}

bool ga__sim_pop(ga__sim *sim, uint64_t before, ga__sim_event *event)
{
    ga__sim_events *events = &sim->events;

    /* An event of this time that is made while others are taken comes after all of them, so one look
     * suffices. */
    if (events->count == 0 || events->heap[0].at > sim->now || events->heap[0].order >= before)
        return false;
    *event = events->heap[0];
    events->heap[0] = events->heap[--events->count];
    sink(events);
    return true;
}

uint64_t ga__sim_next_time(const ga__sim *sim)
{
    return sim->events.count > 0 ? sim->events.heap[0].at : UINT64_MAX;
}

void ga__sim_events_free(ga__sim *sim)
{
    free(sim->events.heap);
    sim->events = (ga__sim_events){0};
}

static uint64_t nanoseconds(double seconds)
{
    return seconds > 0 ? (uint64_t)(seconds * 1e9) : 0;
}

uint64_t ga__sim_travel(ga__sim *sim)
{
    const ga__sim_options *options = &sim->options;
    uint64_t least = nanoseconds(options->latency_min);
    uint64_t most = nanoseconds(options->latency_max);
    uint64_t time = least;

    if (most > least)
        time += ga__random_below(&sim->network, most - least + 1);
    if (ga__random_chance(&sim->network, options->delay)) {
        time +=
            ga__random_below(&sim->network, nanoseconds(options->delay_max > 0 ? options->delay_max : 1) + 1);
        sim->counters.faults++;
    }
    return sim->now + time;
}
