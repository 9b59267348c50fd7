/* SPDX-License-Identifier: MIT */
/*
 * Waiting: the checkpoint at the start of each call that suspends, parking and waking, and the plain waits
 * built from them: for a moment, a time, a descriptor.
 *
 * Invariant: a parked task is in at most one queue, and has its timer armed where the wait has a deadline;
 * waking ends both at once, so only one of waker, canceller and deadline ever ends a wait.
 */
#include "task/loop.h"

#include <stdio.h>

enum { MANY_REFUSALS = 10000 };

void ga__make_ready(ga__loop *loop, ga_task *task)
{
    task->state = GA__TASK_READY;
    ga__list_push_back(&loop->ready, &task->queue);
}

void ga__wake(ga_task *task, int code)
{
    ga__loop *loop = task->loop;

    ga__unlink(&task->queue);
    ga__timers_remove(&loop->timers, &task->timer);
    task->wake_code = code;
    loop->external -= task->external;
    task->was_external = task->external;
    task->external = false;
    ga__make_ready(loop, task);
}

ga_task *ga__wake_first(ga__list *queue, int code)
{
    ga__link *link = ga__list_first(queue);

    if (!link)
        return NULL;
    ga_task *task = GA__OF(link, ga_task, queue);

    ga__wake(task, code);
    return task;
}

void ga__wake_all(ga__list *queue, int code)
{
    while (ga__wake_first(queue, code))
        ;
}

static void deadline_passed(ga_timer_ *timer)
{
    ga__wake(GA__OF(timer, ga_task, timer), GA_ETIMEDOUT);
}

int ga__park(ga__list *queue, uint64_t deadline, unsigned flags, const char *why)
{
    ga__loop *loop = ga__loop_here;
    ga_task *task = loop->current;

    if (GA_UNLIKELY(task->scope->flags_ & GA__SCOPE_CANCELLED) && !(flags & GA__UNCANCELLABLE)) {
        ga__scope_refuse(task->scope);
        return GA_ECANCELED;
    }
    task->state = GA__TASK_PARKED;
    task->waiting_for = why;
    task->since = loop->now;
    task->refusals = 0;
    task->external = flags & GA__EXTERNAL;
    task->uncancellable = (flags & GA__UNCANCELLABLE) != 0;
    loop->external += task->external;
    if (queue)
        ga__list_push_back(queue, &task->queue);
    if (deadline != GA__NEVER) {
        task->timer.fire = deadline_passed;
        ga__timers_add(&loop->timers, &task->timer, deadline);
    }
    ga__suspend(loop);
    return task->wake_code;
}

static void let_others_run(ga__loop *loop, ga_task *task)
{
    task->budget = GA__BUDGET;
    ga__make_ready(loop, task);
    ga__suspend(loop);
}

/* A task that ignores its cancellation must not hold up the others, and should be told of. */
static void refuse(ga__loop *loop, ga_task *task)
{
    ga__scope_refuse(task->scope);
    if (++task->refusals == MANY_REFUSALS)
        fprintf(stderr,
                "gather: task %s was cancelled and goes on all the same: its last %d calls failed with "
                "GA_ECANCELED; let it return when a call fails so\n",
                task->name, task->refusals);
    if (--task->budget <= 0)
        let_others_run(loop, task);
}

int ga__checkpoint_slow(void)
{
    ga__loop *loop = ga__loop_here;
    ga_task *task = ga__current();

    if (!task)
        return ga__fail(GA_ENOTASK, "a call that may have to wait was made outside a task: call it from the "
                                    "function given to ga_run, or from one that it started");
    if (loop->forked) {
        task->budget = 0; /* the next call comes here, too */
        return ga__fail(GA_EFORKED,
                        "the process forked: a child cannot use its parent's loop; call ga_run in the child "
                        "for a loop of its own");
    }
    if (task->scope->flags_ & GA__SCOPE_CANCELLED) {
        refuse(loop, task);
        return ga__fail(GA_ECANCELED, "cancelled");
    }
    if (task->budget <= 0)
        let_others_run(loop, task);
    return 0;
}

int ga_yield(void)
{
    int code = ga__checkpoint();

    if (code < 0)
        return code;
    ga__loop *loop = ga__loop_here;

    ga__make_ready(loop, loop->current);
    ga__suspend(loop);
    return 0;
}

int ga_sleep(double seconds)
{
    int code = ga__checkpoint();

    if (code < 0)
        return code;
    if (!(seconds > 0))
        return ga_yield();
    code = ga__park(NULL, ga__deadline(ga__now_exact(), seconds), 0, "a sleep to end");
    return code == GA_ETIMEDOUT ? 0 : ga__fail(code, "cancelled in a sleep of %g s", seconds);
}

/* --- time ----------------------------------------------------------------------------------------- */

uint64_t ga__now_exact(void)
{
    ga__loop *loop = ga__loop_here;

    return loop->now = loop->poller->ops->now(loop->poller);
}

double ga_now(void)
{
    return ga__loop_here ? (double)ga__now_exact() * 1e-9 : 0;
}

uint64_t ga__deadline(uint64_t now, double seconds)
{
    if (!(seconds > 0))
        return now;
    return seconds < 1e9 ? now + (uint64_t)(seconds * 1e9) : GA__NEVER;
}

void ga__timer_arm(ga_timer_ *timer, uint64_t deadline)
{
    ga__loop *loop = ga__loop_here;

    ga__timers_remove(&loop->timers, timer);
    if (deadline != GA__NEVER)
        ga__timers_add(&loop->timers, timer, deadline);
}

void ga__timer_disarm(ga_timer_ *timer)
{
    ga__loop *loop = ga__loop_here;

    if (loop)
        ga__timers_remove(&loop->timers, timer);
}

/* --- descriptors ---------------------------------------------------------------------------------- */

void ga__fd_init(ga__fd *fd)
{
    *fd = (ga__fd){.fd = -1};
    ga__list_init(&fd->readers);
    ga__list_init(&fd->writers);
}

void ga__fd_event(ga__fd *fd, unsigned events)
{
    fd->ready |= (unsigned char)events;
    /* Tasks first: on_event may close and free the descriptor. */
    if (events & (GA__READABLE | GA__HANGUP))
        ga__wake_all(&fd->readers, 0);
    if (events & (GA__WRITABLE | GA__HANGUP))
        ga__wake_all(&fd->writers, 0);
    if (fd->on_event)
        fd->on_event(fd, events);
}

int ga__fd_wait(ga__fd *fd, unsigned direction, uint64_t deadline, const char *why)
{
    if (fd->ready & direction)
        return 0;
    return ga__park(direction == GA__READABLE ? &fd->readers : &fd->writers, deadline, GA__EXTERNAL, why);
}
