/* SPDX-License-Identifier: MIT */
/*
 * The loop: one per thread. Tasks hand the processor to each other directly; when none is ready, or so many
 * switches were made that the poller should be asked again, the loop's own context on ga_run's stack runs: it
 * fires timers, takes what other threads handed over, and waits for events.
 *
 * Invariant: `current` is the task whose code runs, NULL in the loop's own context. Every task that has not
 * ended is current, in the ready queue, or parked.
 */
#include "task/loop.h"

#include "task/handle.h"
#include "task/watchdog.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#if GA__ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if GA__TSAN
#include <sanitizer/tsan_interface.h>
#endif

enum {
    TURNS = 128, /* switches between two looks at the poller */
    BUDGET = 128 /* suspending calls that need not wait, before the task lets others run */
};

_Thread_local ga__loop *ga__loop_here;

/* --- switching ------------------------------------------------------------------------------------ */

/* What the sanitizers must know on both sides of a switch. */
static inline void before_switch(ga__loop *loop, ga_task *to, bool dying, void **fake_stack)
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

static inline void after_switch(ga__loop *loop, void *fake_stack, bool from_scheduler)
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
            task->budget = BUDGET;
            return task;
        }
        task->stack = ga__stack_take(&loop->stacks);
        if (GA_LIKELY(task->stack != NULL)) {
            forget_frames(task->stack);
            ga__context_make(&task->context, task->stack->low, task->stack->high, enter_new_task, loop);
            task->budget = BUDGET;
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
    ga_task *next = next_task(loop, NULL);
    void *fake_stack = NULL;

    if (next == task) {
        set_current(loop, task);
        return;
    }
    task->saved_errno = errno;
    set_current(loop, next);
    before_switch(loop, next, false, &fake_stack);
    ga__context_swap(&task->context, next ? &next->context : &loop->scheduler);
    after_switch(loop, fake_stack, false);
    errno = task->saved_errno;
}

void ga__task_main(void *loop_pointer)
{
    ga__loop *loop = loop_pointer;
    ga__context nowhere;

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
        ga__context_swap(&nowhere, next ? &next->context : &loop->scheduler);
    }
}

/* --- waiting -------------------------------------------------------------------------------------- */

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

int ga__checkpoint_slow(void)
{
    ga__loop *loop = ga__loop_here;
    ga_task *task = ga__current();

    if (!task)
        return ga__fail(GA_ENOTASK, "a call that may have to wait was made outside a task: call it from the "
                                    "function given to ga_run, "
                                    "or from one that it started");
    if (loop->forked)
        return ga__fail(GA_EFORKED,
                        "the process forked: a child cannot use its parent's loop; call ga_run in the child "
                        "for a loop of its own");
    if (task->scope->flags_ & GA__SCOPE_CANCELLED) {
        ga__scope_refuse(task->scope);
        return ga__fail(GA_ECANCELED, "cancelled");
    }
    if (task->budget <= 0) {
        task->budget = BUDGET;
        ga__make_ready(loop, task);
        ga__suspend(loop);
    }
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

char *ga__loop_lend(void)
{
    ga__loop *loop = ga__loop_here;

    if (!loop->lent)
        loop->lent = malloc(GA__LENT_SIZE);
    return loop->lent;
}

void ga__loop_hold(ga__loop *loop)
{
    loop->external++;
}

void ga__loop_release(ga__loop *loop)
{
    loop->external--;
}

/* --- running -------------------------------------------------------------------------------------- */

static void run_ready(ga__loop *loop)
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

static void read_clock(ga__loop *loop)
{
    loop->now = loop->poller->ops->now(loop->poller);
    ga__timers_run(&loop->timers, loop->now);
}

/* Every task waits for another: says so, and ends the first task's wait so that the program can end. */
static void break_deadlock(ga__loop *loop)
{
    static const char text[] = "gather: deadlock: every task waits, and nothing can wake one\n";

    if (write(STDERR_FILENO, text, sizeof text - 1) > 0)
        ga_dump(STDERR_FILENO);
    loop->deadlocked = true;
    ga__scope_cancel(&loop->root->root, GA__SCOPE_OWN);
    if (ga__list_empty(&loop->ready))
        abort(); /* they wait with cancellation shut out, and for each other: there is no way on */
}

static void turn(ga__loop *loop)
{
    int code;

    run_ready(loop);
    if (loop->root->state == GA__TASK_DONE)
        return;
    ga__watchdog_turn(loop);
    read_clock(loop);
    ga__loop_drain(loop);
    if (!ga__list_empty(&loop->ready)) {
        code = loop->poller->ops->wait(loop->poller, 0);
    } else if (loop->external || loop->timers.count) {
        ga__stacks_trim(&loop->stacks);
        code = loop->poller->ops->wait(loop->poller, ga__timers_next(&loop->timers));
    } else {
        code = -EDEADLK;
    }
    if (code == -EDEADLK)
        break_deadlock(loop);
    read_clock(loop);
    ga__loop_drain(loop);
}

/* The first task is a group's like any other, so that what ga_run makes is joined the same way. */
typedef struct first_task {
    int (*fn)(void *arg);
    void *arg;
} first_task;

static int run_first(void *payload)
{
    first_task *first = payload;

    return first->fn(first->arg);
}

static int set_up(ga__loop *loop, ga__poller *poller, const ga_run_options *options, uint64_t seed)
{
    loop->poller = poller;
    loop->random = seed;
    loop->now = poller->ops->now(poller);
    ga__list_init(&loop->ready);
    ga__timers_init(&loop->timers, loop->now);
    ga__stacks_init(&loop->stacks, options ? options->stack_size : 0);
#if GA__TSAN
    loop->scheduler_fiber = __tsan_get_current_fiber();
#endif
    return ga__watchdog_start(loop, options);
}

static void tear_down(ga__loop *loop)
{
    ga__watchdog_stop(loop);
    ga__handle_close(loop);
    if (loop->dns_free)
        loop->dns_free(loop);
    ga__loop_here = NULL;
    for (int i = 0; i < GA__TASK_CLASSES; i++)
        while (loop->spare_tasks[i]) {
            ga_task *task = loop->spare_tasks[i];

            loop->spare_tasks[i] = task->next_spare;
            free(task);
        }
    ga__stacks_free(&loop->stacks);
    free(loop->lent);
    loop->poller->ops->destroy(loop->poller);
    free(loop);
}

static int end_of_run(ga__loop *loop)
{
    ga_task *root = loop->root;
    int code = root->code;

    ga__error_copy(NULL, root);
    if (loop->deadlocked)
        code = ga__fail(GA_EDEADLK, "deadlock: every task waited, and nothing could wake one");
    else if (code < 0)
        ga__report_unread(root->name, NULL, ga__error_of(root));
    ga__task_free(root);
    return code;
}

int ga__run_on(ga__poller *poller, const ga_run_options *options, uint64_t seed, int (*fn)(void *arg),
               void *arg)
{
    ga__loop *outer = ga__loop_here; /* only in a forked child */
    ga__loop *loop = calloc(1, sizeof *loop);
    ga_group group;

    if (!loop) {
        poller->ops->destroy(poller);
        return ga__fail(GA_ENOMEM, "ga_run: no memory for a loop");
    }
    ga__loop_here = NULL;
    int code = set_up(loop, poller, options, seed);

    ga__loop_here = loop;
    ga__group_init(&group, GA_COLLECT, "ga_run");
    loop->root = code < 0 ? NULL : ga__task_new(loop, sizeof(first_task));
    if (loop->root) {
        *(first_task *)(void *)loop->root->payload = (first_task){fn, arg};
        ga__task_start(loop->root, &group, run_first, "main");
        while (loop->root->state != GA__TASK_DONE)
            turn(loop);
        code = end_of_run(loop);
    } else if (code == 0) {
        code = ga__fail(GA_ENOMEM, "ga_run: no memory for the first task");
    }
    tear_down(loop);
    ga__loop_here = outer;
    return code;
}

static void forked_in_child(void)
{
    ga__loop *loop = ga__loop_here;

    if (!loop)
        return;
    loop->forked = true;
    if (loop->current)
        loop->current->budget = 0; /* its next suspending call looks */
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, forked_in_child);
}

int ga_run_with(const ga_run_options *options, int (*fn)(void *arg), void *arg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, watch_forks);
    if (ga__loop_here && !ga__loop_here->forked)
        return ga__misuse(
            GA_EUSAGE, "ga_run was called inside ga_run: this thread runs a loop already; call the function "
                       "itself to await it, or ga_spawn to start it beside");
    ga__poller *poller = ga__epoll_new();

    if (!poller)
        return ga__fail(errno == EMFILE || errno == ENFILE ? GA_EFDS : GA_ESYSTEM,
                        "ga_run: cannot make an epoll: %s", strerrordesc_np(errno));
    return ga__run_on(poller, options, 0, fn, arg);
}

int ga_run(int (*fn)(void *arg), void *arg)
{
    return ga_run_with(NULL, fn, arg);
}
