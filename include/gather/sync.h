/* SPDX-License-Identifier: MIT */
/*
 * What tasks of one loop use between them: a semaphore, a mutex, an event, a channel, a rate limiter.
 *
 * All are fair: who waits first is served first, and nobody who comes later overtakes. What is given up goes
 * straight to the first in line. A wait that fails did not happen: it took no permit, no lock, no element. A
 * timeout is a scope with a deadline around the call.
 *
 * They belong to the loop whose tasks use them. Another thread reaches them through ga_handle_call
 * (gather/thread.h). A struct declared here is embedded by its user, its members are private, and it must
 * stay where it is while tasks wait for it.
 */
#ifndef GATHER_SYNC_H
#define GATHER_SYNC_H

#include <gather/base.h>
#include <gather/task.h>

GA_BEGIN_DECLS

/* --- semaphore ------------------------------------------------------------------------------------ */

/** A number of permits: at most so many tasks at once. */
typedef struct ga_semaphore {
    struct ga_link_ waiters_;
    size_t permits_;
} ga_semaphore;

GA_API void ga_semaphore_init(ga_semaphore *semaphore, size_t permits);

/** Takes a permit, waiting in line for one. Suspends.
 *  @return 0, GA_ECANCELED, GA_ENOTASK */
GA_API GA_MUST_USE int ga_semaphore_acquire(ga_semaphore *semaphore);

/** Takes a permit if one is free. Does not suspend.
 *  @return 0, or GA_EAGAIN (which is not recorded as an error) */
GA_API GA_MUST_USE int ga_semaphore_try_acquire(ga_semaphore *semaphore);

/** Gives a permit back, or adds one; the first in line has it at once. Does not suspend. */
GA_API void ga_semaphore_release(ga_semaphore *semaphore);

/** How many permits are free. */
GA_API size_t ga_semaphore_permits(const ga_semaphore *semaphore);

/* --- mutex ---------------------------------------------------------------------------------------- */

/** One task at a time, across calls that suspend. Code that does not suspend needs none. */
typedef struct ga_mutex {
    struct ga_link_ waiters_;
    struct ga_task *owner_;
} ga_mutex;

GA_API void ga_mutex_init(ga_mutex *mutex);

/** Locks the mutex, waiting in line for it. Suspends.
 *  @return 0; GA_EDEADLK when the calling task holds it already; GA_ECANCELED, GA_ENOTASK */
GA_API GA_MUST_USE int ga_mutex_lock(ga_mutex *mutex);

/** Locks the mutex if it is free. Does not suspend.
 *  @return 0; GA_EAGAIN (not recorded) when another task holds it; GA_EDEADLK, GA_ENOTASK */
GA_API GA_MUST_USE int ga_mutex_try_lock(ga_mutex *mutex);

/** Unlocks the mutex; the first in line has it at once. Does not suspend.
 *  @return 0; GA_EUSAGE, reported on stderr, when the calling task does not hold it: nothing changes then */
GA_API int ga_mutex_unlock(ga_mutex *mutex);

/* --- event ---------------------------------------------------------------------------------------- */

/** Something that has happened, or not yet. */
typedef struct ga_event {
    struct ga_link_ waiters_;
    int set_;
} ga_event;

GA_API void ga_event_init(ga_event *event);

/** Lets all who wait go on, and all who come, until it is cleared. Does not suspend. */
GA_API void ga_event_set(ga_event *event);

/** From now on tasks wait again. Who was let go on before stays so. */
GA_API void ga_event_clear(ga_event *event);

/** Whether it is set. */
GA_API int ga_event_is_set(const ga_event *event);

/** Waits until the event is set. Suspends.
 *  @return 0, GA_ECANCELED, GA_ENOTASK */
GA_API GA_MUST_USE int ga_event_wait(ga_event *event);

/* --- channel -------------------------------------------------------------------------------------- */

/** A queue of elements of one size, with a bound: senders wait while it is full, receivers while it is empty.
 *  Elements are copied. */
typedef struct ga_channel ga_channel;

/** A channel for `capacity` elements of `element_size` bytes each. Capacity 0 is a rendezvous: a sender waits
 *  until a receiver has its element.
 *  @return the channel, the caller's to free; NULL with GA_EUSAGE (a size of 0), GA_ENOMEM */
GA_API ga_channel *ga_channel_new(size_t element_size, size_t capacity);

/** Closes the channel and frees it with what it still holds. NULL is fine. Does not suspend. */
GA_API void ga_channel_free(ga_channel *channel);
GA_AUTO_DEFINE_(ga_channel, ga_channel_free)

/** ga_channel_send(channel, &element): sends a copy, waiting in line for room. Suspends. What `element`
 *  points to has the channel's element size, which is checked.
 *  @return 0; GA_ECLOSED when the channel is closed, also meanwhile: the element was not sent;
 *          GA_EUSAGE (reported) for another size; GA_ECANCELED, GA_ENOTASK; for NULL the error before */
#define ga_channel_send(channel, element) ga_channel_send_sized((channel), (element), sizeof *(element))
GA_API GA_MUST_USE int ga_channel_send_sized(ga_channel *channel, const void *element, size_t size);

/** Sends a copy if there is room, or a receiver that waits. Does not suspend.
 *  @return 0; GA_EAGAIN (not recorded); GA_ECLOSED, GA_EUSAGE; for NULL the error before */
#define ga_channel_try_send(channel, element) \
    ga_channel_try_send_sized((channel), (element), sizeof *(element))
GA_API GA_MUST_USE int ga_channel_try_send_sized(ga_channel *channel, const void *element, size_t size);

/** ga_channel_receive(channel, &element): receives the oldest element, waiting in line for one. Suspends.
 *  @return 0; GA_ECLOSED when the channel is closed and empty; GA_EUSAGE (reported) for another size;
 *          GA_ECANCELED, GA_ENOTASK; for NULL the error before */
#define ga_channel_receive(channel, element) ga_channel_receive_sized((channel), (element), sizeof *(element))
GA_API GA_MUST_USE int ga_channel_receive_sized(ga_channel *channel, void *element, size_t size);

/** Receives an element if there is one. Does not suspend.
 *  @return 0; GA_EAGAIN (not recorded); GA_ECLOSED, GA_EUSAGE; for NULL the error before */
#define ga_channel_try_receive(channel, element) \
    ga_channel_try_receive_sized((channel), (element), sizeof *(element))
GA_API GA_MUST_USE int ga_channel_try_receive_sized(ga_channel *channel, void *element, size_t size);

/** Ends the sending: senders fail with GA_ECLOSED, those that wait included; receivers still get what was
 *  sent before, then GA_ECLOSED. Closing again is harmless. Does not suspend. */
GA_API void ga_channel_close(ga_channel *channel);

/** How many elements the channel holds. */
GA_API size_t ga_channel_count(const ga_channel *channel);

/* --- limiter -------------------------------------------------------------------------------------- */

/* A bucket of units that fills at a rate; private, embedded in the limiter. */
struct ga_bucket_ {
    double interval_, burst_;
    uint64_t full_at_, resume_at_;
    int begun_;
};

/** A rate that is not exceeded (GCRA): in any stretch of time no more units start than rate x time + burst,
 *  to within a millisecond. */
typedef struct ga_limiter {
    struct ga_link_ waiters_;
    ga_timer_ timer_;
    struct ga_bucket_ bucket_;
} ga_limiter;

/** `rate` is in units per second; 0 or less: no limit. `burst` is how many units may start at once after a
 *  time without any; at least 1. The first use finds one unit, not a whole burst. */
GA_API void ga_limiter_init(ga_limiter *limiter, double rate, double burst);

/** Waits in line until `cost` units may start, 1 for a request. A cost above the burst starts when a whole
 *  burst is there, and those after it wait the longer. Suspends.
 *  @return 0; GA_EUSAGE for a cost below 0 or no number; GA_ECANCELED, GA_ENOTASK */
GA_API GA_MUST_USE int ga_limiter_wait(ga_limiter *limiter, double cost);

/** Takes `cost` units if they may start now and nobody is in line. Does not suspend.
 *  @return 0; GA_EAGAIN (not recorded); GA_EUSAGE, GA_ENOTASK outside a loop */
GA_API GA_MUST_USE int ga_limiter_try(ga_limiter *limiter, double cost);

/** Lets nothing start for so many seconds, those in line included, and afterwards one unit, not a whole
 *  burst. A pause that is longer already stays. Does not suspend. @return 0; GA_ENOTASK outside a loop */
GA_API int ga_limiter_pause(ga_limiter *limiter, double seconds);

/** Changes the rate, also for those in line. Does not suspend. @return 0; GA_ENOTASK outside a loop */
GA_API int ga_limiter_set_rate(ga_limiter *limiter, double rate);

GA_END_DECLS

#endif
