/* SPDX-License-Identifier: MIT */
/*
 * Threads beside a loop: blocking functions called from tasks, and a way for other threads to reach a loop.
 */
#ifndef GATHER_THREAD_H
#define GATHER_THREAD_H

#include <gather/base.h>
#include <gather/error.h>

GA_BEGIN_DECLS

/** Runs fn(arg) on a thread of the process's pool, so that a function that blocks does not hold the loop:
 *  asyncio.to_thread. Suspends until fn has returned: a thread cannot be interrupted, so a cancellation
 *  meanwhile is seen by the next call that suspends, and pointers to the caller's locals may be passed. fn
 *  may not call what suspends. Where it fails, with a negative result, its error becomes the task's.
 *  @return what fn returned; without having run it: GA_ECANCELED, GA_ENOTASK, GA_ENOMEM, GA_ESYSTEM when no
 *          thread could be started */
GA_API int ga_to_thread(int (*fn)(void *arg), void *arg);

/** How many threads the process's pool may have, 32 at first, at most 1024; what is below 1 counts as 1. They
 *  start when needed and end after some seconds without work. From any thread. */
GA_API void ga_thread_limit(int threads);

/** How other threads reach a loop. Any number of threads may use one handle. While a handle is there, a loop
 *  whose tasks all wait is not called deadlocked: another thread may still wake them. */
typedef struct ga_handle ga_handle;

/** A handle of this thread's loop. It may outlive the loop. Does not suspend.
 *  @return the handle, to free with ga_handle_free; NULL with GA_ENOTASK outside a loop, GA_ENOMEM */
GA_API ga_handle *ga_handle_new(void);

/** Gives the handle up, from any thread, also after the loop has ended; nobody may use it then. NULL is fine.
 */
GA_API void ga_handle_free(ga_handle *handle);
GA_AUTO_DEFINE_(ga_handle, ga_handle_free)

/** Has the loop's thread run fn(arg), soon, in the order of the calls. fn may do all that does not suspend:
 *  set an event, release a semaphore, try to send, start a task in an open group. Calls that the loop did
 *  not come to before it ended are dropped. From any thread.
 *  @return 0; GA_ECLOSED when the loop has ended; GA_EFORKED in a child of the loop's process; GA_ENOMEM; for
 *          NULL the error before */
GA_API int ga_handle_call(ga_handle *handle, void (*fn)(void *arg), void *arg);

GA_END_DECLS

#endif
