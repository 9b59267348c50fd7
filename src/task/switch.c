/* SPDX-License-Identifier: MIT */
/*
 * Switching: who runs next, and on which stack. Tasks hand the processor to each other directly; the loop's
 * own context, on ga_run's stack, comes in when none is ready, or when so many switches were made that the
 * poller should be asked again.
 *
 * Invariant: `current` is the task whose code runs, NULL in the loop's own context. A task holds a stack from
 * its first run to its end; a task that ends gives its stack, still warm, to the next that has none.
 */
#include "task/loop.h"

#include <errno.h>

#if GA__ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if GA__TSAN
#include <sanitizer/tsan_interface.h>
#endif

enum { TURNS = 128 }; /* switches between two looks at the poller */

/* What the sanitizers must know on both sides of a switch. ThreadSanitizer counts calls and returns: these
 * two may not be calls of their own. */
__attribute__((always_inline)) static inline void before_switch(ga__loop *loop, ga_task *to, bool dying,
                                                                void **fake_stack)
{
#if GA__ASAN
    const char *low = to ? to->stack->low : loop->scheduler_low;
    size_t size = to ? (size_t)(to->stack->high - to->stack->low) : loop->scheduler_size;

    __sanitizer_start_switch_fiber(dying ? NULL : fake_stack, low, size);
#else
    (void)dying;
    (void)fake_stack;
#endif
#if GA__TSAN
    __tsan_switch_to_fiber(to ? to->stack->tsan_fiber : loop->scheduler_fiber, 0);
#endif
    (void)loop;
    (void)to;
}

__attribute__((always_inline)) static inline void after_switch(ga__loop *loop, void *fake_stack,
                                                               bool from_scheduler)
{
#if GA__ASAN
    const void *low;
    size_t size;

    __sanitizer_finish_switch_fiber(fake_stack, &low, &size);
    if (from_scheduler && !loop->scheduler_low) {
        loop->scheduler_low = low;
        loop->scheduler_size = size;
    }
#endif
    (void)loop;
    (void)fake_stack;
    (void)from_scheduler;
}

/* The task that ended on this stack last left its outermost frames poisoned. */
static inline void forget_frames(const ga__stack *stack)
{
#if GA__ASAN
    __asan_unpoison_memory_region(stack->low, (size_t)(stack->high - stack->low));
#endif
    (void)stack;
}

/* Tells the watchdog that other code runs from here on. */
static inline void note_slice(ga__loop *loop, const char *running)
{
    atomic_store_explicit(&loop->slices, atomic_load_explicit(&loop->slices, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    atomic_store_explicit(&loop->running, running, memory_order_relaxed);
}

/* A seeded schedule: any of the first few may be next. */
static ga_task *pick(ga__loop *loop)
{
    ga__link *link = ga__list_first(&loop->ready);

    loop->random = loop->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    for (uint64_t skip = loop->random >> 61; skip && link->next != &loop->ready; skip--)
        link = link->next;
    return GA__OF(link, ga_task, queue);
}

/* Has the processor fetch what the next task in line touches first, its stack's innermost frames, while this
 * one runs. Where a thousand tasks wait for the network, none of that is in the nearer caches any more, and a
 * tenth of a request's time is spent on it. Tasks that merely let others run have used theirs a moment ago.
 * Always inline, since gcc takes a function that only prefetches for one without an effect. */
__attribute__((always_inline)) static inline void prefetch_next(const ga__loop *loop)
{
    enum { MOST = 2048, LINE = 64 };
    const ga_task *task = GA__OF(loop->ready.next, ga_task, queue);

    if (ga__list_empty(&loop->ready) || !task->was_external || !task->stack)
        return;
    const char *at = task->context.sp, *top = (const char *)task->stack;
    const char *end = top - at < MOST ? top : at + MOST;

    for (; at < end; at += LINE)
        __builtin_prefetch(at);
}

static void enter_new_task(void *loop_pointer)
{
    ga__loop *loop = loop_pointer;

    after_switch(loop, NULL, true);
    ga__task_main(loop);
}

/* Takes the next task from the line, with a stack; NULL: the loop's own context is next. */
static inline ga_task *next_task(ga__loop *loop, ga__stack *own_stack)
{
    for (;;) {
        if (ga__list_empty(&loop->ready) || --loop->turns <= 0)
            return NULL;
        ga_task *task = GA_UNLIKELY(loop->random) ? pick(loop) : GA__OF(loop->ready.next, ga_task, queue);

        ga__unlink(&task->queue);
        if (GA_LIKELY(task->stack != NULL) || own_stack) {
            task->budget = GA__BUDGET;
            task->was_external = false;
            prefetch_next(loop);
            return task;
        }
        task->stack = ga__stack_take(&loop->stacks);
        if (GA_LIKELY(task->stack != NULL)) {
            forget_frames(task->stack);
            ga__context_make(&task->context, task->stack->low, task->stack->high, enter_new_task, loop);
            task->budget = GA__BUDGET;
            return task;
        }
        ga__task_end(task, ga__fail_for(task, GA_ENOMEM, "task %s cannot start: %s", task->name,
                                        loop->stacks.failure));
    }
}

static inline void set_current(ga__loop *loop, ga_task *task)
{
    loop->current = task;
    if (task)
        task->state = GA__TASK_RUNNING;
    note_slice(loop, task ? task->name : NULL);
}

void ga__suspend(ga__loop *loop)
{
    ga_task *task = loop->current;
    void *fake_stack = NULL;

    task->saved_errno = errno; /* a new stack may change it already */
    ga_task *next = next_task(loop, NULL);

    if (next == task) {
        set_current(loop, task);
        errno = task->saved_errno;
        return;
    }
    set_current(loop, next);
    before_switch(loop, next, false, &fake_stack);
    ga__context_swap(&task->context, next ? &next->context : &loop->scheduler);
    after_switch(loop, fake_stack, false);
    errno = task->saved_errno;
}

void ga__task_main(void *loop_pointer)
{
    ga__loop *loop = loop_pointer;

    for (;;) {
        ga_task *task = loop->current;
        ga__stack *stack = task->stack;
        int code = task->thunk(task->payload);

        task->stack = NULL;
        ga__task_end(task, code);
        ga_task *next = next_task(loop, stack);

        set_current(loop, next);
        if (next && !next->stack) {
            next->stack = stack;
            continue;
        }
        ga__stack_give(&loop->stacks, stack);
        before_switch(loop, next, true, NULL);
        ga__context_swap(&loop->nowhere, next ? &next->context : &loop->scheduler);
    }
}

void ga__run_ready(ga__loop *loop)
{
    ga_task *next;
    void *fake_stack = NULL;

    loop->turns = TURNS;
    next = next_task(loop, NULL);
    if (!next)
        return;
    set_current(loop, next);
    before_switch(loop, next, false, &fake_stack);
    ga__context_swap(&loop->scheduler, &next->context);
    after_switch(loop, fake_stack, false);
    loop->current = NULL;
}
