/* SPDX-License-Identifier: MIT */
/*
 * How other threads reach a loop. Calls wait in a locked queue; the first into an empty queue wakes the
 * poller, which happens under the lock, so that the loop cannot end meanwhile. The loop takes the whole queue
 * after each wait.
 *
 * Invariant: `loop` is NULL once the loop has ended; `pending` is set while there may be something to take.
 * The loop, each job on a thread, and each ga_handle_new hold one reference; those of ga_handle_new also
 * count as a hold on the loop, which only the loop's thread may change: so a handle's end, too, is left to
 * the loop.
 */
#include "task/handle.h"

struct ga_handle {
    pthread_mutex_t mutex;
    ga__loop *loop;
    ga__list calls;
    size_t references;
    size_t given_up; /* holds that the loop has yet to release */
    unsigned generation;
    atomic_bool pending;
};

/* Counts the forks between the first process and this one: after a fork a lock may be held by a thread that
 * is not there. */
static _Atomic unsigned generation;

static void forked_in_child(void)
{
    atomic_fetch_add(&generation, 1);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, forked_in_child);
}

static bool is_forked(const ga_handle *handle)
{
    return handle->generation != atomic_load_explicit(&generation, memory_order_relaxed);
}

static ga_handle *handle_made(ga__loop *loop)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (loop->handle)
        return loop->handle;
    ga_handle *handle = calloc(1, sizeof *handle);

    if (!handle)
        return NULL;
    pthread_once(&once, watch_forks);
    pthread_mutex_init(&handle->mutex, NULL);
    ga__list_init(&handle->calls);
    handle->loop = loop;
    handle->references = 1;
    handle->generation = atomic_load(&generation);
    loop->handle = handle;
    return handle;
}

/* Unlocks, and gives up one reference. */
static void unlock_and_drop(ga_handle *handle)
{
    bool last = --handle->references == 0;

    pthread_mutex_unlock(&handle->mutex);
    if (!last)
        return;
    pthread_mutex_destroy(&handle->mutex);
    free(handle);
}

/* Has the loop look at the handle. Locked; the loop has not ended. */
static void notify(ga_handle *handle)
{
    ga__poller *poller = handle->loop->poller;

    if (!atomic_exchange(&handle->pending, true))
        poller->ops->wake(poller);
}

ga_handle *ga__handle_take(void)
{
    ga_handle *handle = handle_made(ga__loop_here);

    if (!handle) {
        ga__fail(GA_ENOMEM, "no memory for a handle of the loop");
        return NULL;
    }
    pthread_mutex_lock(&handle->mutex);
    handle->references++;
    pthread_mutex_unlock(&handle->mutex);
    return handle;
}

void ga__handle_drop(ga_handle *handle)
{
    if (is_forked(handle))
        return;
    pthread_mutex_lock(&handle->mutex);
    unlock_and_drop(handle);
}

int ga__handle_post(ga_handle *handle, ga__call *call)
{
    int code = GA_ECLOSED;

    if (is_forked(handle))
        return GA_EFORKED;
    pthread_mutex_lock(&handle->mutex);
    if (handle->loop) {
        ga__list_push_back(&handle->calls, &call->link);
        notify(handle);
        code = 0;
    }
    pthread_mutex_unlock(&handle->mutex);
    return code;
}

void ga__handle_take_back(ga_handle *handle, ga__call *call)
{
    if (is_forked(handle))
        return;
    pthread_mutex_lock(&handle->mutex);
    ga__unlink(&call->link);
    pthread_mutex_unlock(&handle->mutex);
}

/* Takes all calls out of the handle. Locked. */
static void take_calls(ga_handle *handle, ga__list *calls)
{
    ga__link *link;

    ga__list_init(calls);
    while ((link = ga__list_pop_front(&handle->calls)))
        ga__list_push_back(calls, link);
    atomic_store(&handle->pending, false);
}

void ga__loop_drain(ga__loop *loop)
{
    ga_handle *handle = loop->handle;
    ga__list calls;
    ga__link *link;

    if (!handle || !atomic_load_explicit(&handle->pending, memory_order_acquire) || is_forked(handle))
        return;
    pthread_mutex_lock(&handle->mutex);
    take_calls(handle, &calls);
    for (; handle->given_up; handle->given_up--)
        ga__loop_release(loop);
    pthread_mutex_unlock(&handle->mutex);

    while ((link = ga__list_pop_front(&calls))) {
        ga__call call = *GA__OF(link, ga__call, link);

        if (call.allocated)
            free(GA__OF(link, ga__call, link));
        call.fn(call.arg);
    }
}

void ga__handle_close(ga__loop *loop)
{
    ga_handle *handle = loop->handle;
    ga__list calls;
    ga__link *link;

    loop->handle = NULL;
    if (!handle || is_forked(handle))
        return;
    pthread_mutex_lock(&handle->mutex);
    handle->loop = NULL;
    take_calls(handle, &calls);
    unlock_and_drop(handle);

    while ((link = ga__list_pop_front(&calls))) {
        ga__call *call = GA__OF(link, ga__call, link);

        if (call->allocated)
            free(call);
    }
}

/* --- the public face ------------------------------------------------------------------------------ */

ga_handle *ga_handle_new(void)
{
    ga__loop *loop = ga__loop_here;

    if (!loop || loop->forked) {
        ga__fail(loop ? GA_EFORKED : GA_ENOTASK,
                 "ga_handle_new: no loop runs on this thread: call it from a task");
        return NULL;
    }
    ga_handle *handle = ga__handle_take();

    if (handle)
        ga__loop_hold(loop);
    return handle;
}

void ga_handle_free(ga_handle *handle)
{
    if (!handle || is_forked(handle))
        return;
    pthread_mutex_lock(&handle->mutex);
    if (handle->loop) {
        handle->given_up++;
        notify(handle);
    }
    unlock_and_drop(handle);
}

int ga_handle_call(ga_handle *handle, void (*fn)(void *arg), void *arg)
{
    if (!handle)
        return ga_error()->code < 0 ? ga_error()->code
                                    : ga__fail(GA_EUSAGE, "ga_handle_call: there is no handle");
    ga__call *call = malloc(sizeof *call);

    if (!call)
        return ga__fail(GA_ENOMEM, "no memory for a call to a loop");
    *call = (ga__call){.fn = fn, .arg = arg, .allocated = true};
    int code = ga__handle_post(handle, call);

    if (code == 0)
        return 0;
    free(call);
    if (code == GA_EFORKED)
        return ga__fail(code,
                        "ga_handle_call: the process forked: its parent's loop cannot be reached from here");
    return ga__fail(code, "ga_handle_call: the loop has ended");
}
