/* SPDX-License-Identifier: MIT */
/*
 * How other threads reach a loop: a locked queue of calls that the loop's thread makes in the loop's own
 * context. One handle a loop, made on first use, and counted, since it may outlive the loop.
 */
#ifndef GA__HANDLE_H
#define GA__HANDLE_H

#include "base/list.h"
#include "task/loop.h"
#include <gather/thread.h>

/* A call that the loop's thread is to make. It belongs to who posts it, and lasts until `fn` runs. */
typedef struct ga__call {
    ga__link link;
    void (*fn)(void *arg);
    void *arg;
    bool allocated; /* private: freed before fn runs */
} ga__call;

/* The handle of this thread's loop, counted once more; it does not keep the loop from being called
 * deadlocked. NULL with GA_ENOMEM recorded. Give it up with ga__handle_drop. */
ga_handle *ga__handle_take(void);
/* From any thread. */
void ga__handle_drop(ga_handle *handle);

/* Has the loop make the call. From any thread. @return 0, GA_ECLOSED or GA_EFORKED; nothing is recorded */
int ga__handle_post(ga_handle *handle, ga__call *call);

/* Takes back a call that the loop has not come to; harmless otherwise. In the loop's thread, or after the
 * loop has ended. */
void ga__handle_take_back(ga_handle *handle, ga__call *call);

/* Makes the calls that other threads asked for. In the loop's context, after each wait. */
void ga__loop_drain(ga__loop *loop);

/* The loop ends: calls that it did not come to are dropped, later ones refused. */
void ga__handle_close(ga__loop *loop);

#endif
