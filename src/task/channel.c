/* SPDX-License-Identifier: MIT */
/*
 * The channel: a ring of elements between two lines of tasks. Where one side waits, the other copies straight
 * from or to its element (the task's `exchange` says where that is) and wakes it: then the hand-over is done,
 * whatever is cancelled later.
 *
 * Invariant: receivers wait only while the ring is empty and no sender waits; senders wait only while the
 * ring is full. A task does not touch the channel after it was woken, so the channel may be freed before it
 * runs.
 */
#include "task/loop.h"
#include <gather/sync.h>
#include <string.h>

struct ga_channel {
    size_t element_size;
    size_t capacity;
    size_t first; /* the oldest element's place in the ring */
    size_t count;
    bool closed;
    ga__list senders;
    ga__list receivers;
    _Alignas(max_align_t) char ring[];
};

ga_channel *ga_channel_new(size_t element_size, size_t capacity)
{
    size_t size;

    if (!element_size) {
        ga__misuse(GA_EUSAGE, "ga_channel_new: the size of an element is 0");
        return NULL;
    }
    ga_channel *channel = NULL;

    if (!__builtin_mul_overflow(element_size, capacity, &size) &&
        !__builtin_add_overflow(size, sizeof *channel, &size))
        channel = malloc(size);
    if (!channel) {
        ga__fail(GA_ENOMEM, "no memory for a channel of %zu elements of %zu bytes", capacity, element_size);
        return NULL;
    }
    *channel = (ga_channel){.element_size = element_size, .capacity = capacity};
    ga__list_init(&channel->senders);
    ga__list_init(&channel->receivers);
    return channel;
}

void ga_channel_close(ga_channel *channel)
{
    if (!channel)
        return;
    channel->closed = true;
    ga__wake_all(&channel->senders, GA_ECLOSED);
    ga__wake_all(&channel->receivers, GA_ECLOSED);
}

void ga_channel_free(ga_channel *channel)
{
    ga_channel_close(channel);
    free(channel);
}

size_t ga_channel_count(const ga_channel *channel)
{
    return channel ? channel->count : 0;
}

/* A copy of an element; the sizes of integers and pointers without a call. */
static inline void copy(void *to, const void *from, size_t size)
{
    if (size == 8)
        memcpy(to, from, 8);
    else if (size == 4)
        memcpy(to, from, 4);
    else
        memcpy(to, from, size);
}

static inline char *place(ga_channel *channel, size_t index)
{
    size_t at = channel->first + index;

    return channel->ring + (at < channel->capacity ? at : at - channel->capacity) * channel->element_size;
}

static void push(ga_channel *channel, const void *element)
{
    copy(place(channel, channel->count), element, channel->element_size);
    channel->count++;
}

static void pop(ga_channel *channel, void *element)
{
    copy(element, place(channel, 0), channel->element_size);
    channel->first = channel->first + 1 < channel->capacity ? channel->first + 1 : 0;
    channel->count--;
}

static int refuse_size(const ga_channel *channel, size_t size, const char *call)
{
    if (!channel)
        return ga_error()->code < 0 ? ga_error()->code : ga__fail(GA_EUSAGE, "%s: there is no channel", call);
    return ga__misuse(GA_EUSAGE, "%s: the channel's elements have %zu bytes, the one given has %zu", call,
                      channel->element_size, size);
}

static int refuse_closed(const char *call)
{
    return ga__fail(GA_ECLOSED, "%s: the channel is closed", call);
}

/* Hands the element to the first receiver in line, if there is one. */
static inline bool hand_to_receiver(ga_channel *channel, const void *element)
{
    ga__link *link = ga__list_first(&channel->receivers);

    if (!link)
        return false;
    ga_task *receiver = GA__OF(link, ga_task, queue);

    copy(receiver->exchange, element, channel->element_size);
    ga__wake(receiver, 0);
    return true;
}

/* Takes the element of the first sender in line, if there is one. */
static inline bool take_from_sender(ga_channel *channel, void *element)
{
    ga__link *link = ga__list_first(&channel->senders);

    if (!link)
        return false;
    ga_task *sender = GA__OF(link, ga_task, queue);

    copy(element, sender->exchange, channel->element_size);
    ga__wake(sender, 0);
    return true;
}

int ga_channel_try_send_sized(ga_channel *channel, const void *element, size_t size)
{
    if (GA_UNLIKELY(!channel || size != channel->element_size))
        return refuse_size(channel, size, "ga_channel_try_send");
    if (channel->closed)
        return refuse_closed("ga_channel_try_send");
    if (hand_to_receiver(channel, element))
        return 0;
    if (channel->count == channel->capacity)
        return GA_EAGAIN;
    push(channel, element);
    return 0;
}

int ga_channel_send_sized(ga_channel *channel, const void *element, size_t size)
{
    int code = ga__checkpoint();

    if (code < 0)
        return code;
    if (GA_UNLIKELY(!channel || size != channel->element_size))
        return refuse_size(channel, size, "ga_channel_send");
    if (channel->closed)
        return refuse_closed("ga_channel_send");
    if (hand_to_receiver(channel, element))
        return 0;
    if (channel->count < channel->capacity) {
        push(channel, element);
        return 0;
    }
    ga__current()->exchange = (void *)(uintptr_t)element; /* only read */
    code = ga__park(&channel->senders, GA__NEVER, 0, "a channel to have room");
    if (GA_LIKELY(code == 0))
        return 0;
    return code == GA_ECLOSED ? refuse_closed("ga_channel_send")
                              : ga__fail(code, "cancelled while sending to a channel");
}

/* 0, or GA_EAGAIN with nothing done. */
static inline int receive_now(ga_channel *channel, void *element)
{
    if (!channel->count)
        return take_from_sender(channel, element) ? 0 : GA_EAGAIN;
    pop(channel, element);
    if (take_from_sender(channel, place(channel, channel->count)))
        channel->count++;
    return 0;
}

int ga_channel_try_receive_sized(ga_channel *channel, void *element, size_t size)
{
    if (GA_UNLIKELY(!channel || size != channel->element_size))
        return refuse_size(channel, size, "ga_channel_try_receive");
    int code = receive_now(channel, element);

    return code < 0 && channel->closed ? refuse_closed("ga_channel_try_receive") : code;
}

int ga_channel_receive_sized(ga_channel *channel, void *element, size_t size)
{
    int code = ga__checkpoint();

    if (code < 0)
        return code;
    if (GA_UNLIKELY(!channel || size != channel->element_size))
        return refuse_size(channel, size, "ga_channel_receive");
    if (receive_now(channel, element) == 0)
        return 0;
    if (channel->closed)
        return refuse_closed("ga_channel_receive");
    ga__current()->exchange = element;
    code = ga__park(&channel->receivers, GA__NEVER, 0, "a channel's next element");
    if (GA_LIKELY(code == 0))
        return 0;
    return code == GA_ECLOSED ? refuse_closed("ga_channel_receive")
                              : ga__fail(code, "cancelled while receiving from a channel");
}
