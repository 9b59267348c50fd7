/* SPDX-License-Identifier: MIT */
/*
 * The loop: one per thread. On ga_run's stack it fires timers, takes what other threads handed over, waits
 * for events, and lets the tasks run that are ready (switch.c) until none is.
 *
 * Invariant: every task that has not ended is current, in the ready queue, or parked. In a forked child
 * nothing is switched to any more: tasks that began in the parent do not run on, and ga_run returns.
 */
#include "task/loop.h"

#include "task/handle.h"
#include "task/watchdog.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#if GA__TSAN
#include <sanitizer/tsan_interface.h>
#endif

enum { MOST_FAILURES = 16 };

_Thread_local ga__loop *ga__loop_here;

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

/* --- where there is no way on --------------------------------------------------------------------- */

static void say(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

/* Ends what the tasks wait for, shielded or not, so that they and the program can end. */
static void give_up(ga__loop *loop, int failure)
{
    loop->failure = failure;
    ga_dump(STDERR_FILENO);
    ga__scope_cancel_all(&loop->root->root);
    if (!ga__list_empty(&loop->ready) && ++loop->failures < MOST_FAILURES)
        return;
    say("gather: cancelling them does not end them: the program is stopped\n");
    abort();
}

static void break_deadlock(ga__loop *loop)
{
    say("gather: deadlock: every task waits, and nothing can wake one\n");
    give_up(loop, GA_EDEADLK);
}

static void lose_poller(ga__loop *loop, int error)
{
    loop->os_error = error;
    say("gather: the system tells of no more events; was the loop's epoll descriptor closed?\n");
    give_up(loop, GA_ESYSTEM);
}

/* --- a turn --------------------------------------------------------------------------------------- */

static void read_clock(ga__loop *loop)
{
    loop->now = loop->poller->ops->now(loop->poller);
    ga__timers_run(&loop->timers, loop->now);
}

/* When to look again at the latest; ready tasks do not wait. */
static uint64_t next_look(ga__loop *loop)
{
    if (!ga__list_empty(&loop->ready) || !ga__list_empty(&loop->deferred) || ga__stacks_trim(&loop->stacks))
        return 0;
    return ga__timers_next(&loop->timers);
}

/* What is deferred again meanwhile is left for the next turn. */
static GA_NOINLINE void run_deferred(ga__loop *loop)
{
    ga__list_push_back(&loop->deferred, &loop->deferred_end);
    for (ga__link *link; (link = ga__list_pop_front(&loop->deferred)) != &loop->deferred_end;) {
        ga__deferred *deferred = GA__OF(link, ga__deferred, link);

        deferred->run(deferred);
    }
}

static void turn(ga__loop *loop)
{
    int code = -EDEADLK;

    ga__run_ready(loop);
    if (loop->root->state == GA__TASK_DONE || loop->forked)
        return;
    if (!ga__list_empty(&loop->deferred))
        run_deferred(loop);
    ga__watchdog_turn(loop);
    read_clock(loop);
    ga__loop_drain(loop);
    if (!ga__list_empty(&loop->ready) || !ga__list_empty(&loop->deferred) || loop->external ||
        loop->timers.count)
        code = loop->poller->ops->wait(loop->poller, next_look(loop));
    if (code == -EDEADLK)
        break_deadlock(loop);
    else if (GA_UNLIKELY(code < 0))
        lose_poller(loop, -code);
    read_clock(loop);
    if (code == 0)
        loop->told_at = loop->now;
    ga__loop_drain(loop);
}

/* --- running -------------------------------------------------------------------------------------- */

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
    static _Atomic uint64_t last_id;

    loop->id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    loop->poller = poller;
    loop->random = seed;
    loop->now = poller->ops->now(poller);
    ga__list_init(&loop->ready);
    ga__list_init(&loop->deferred);
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
    if (loop->decoders)
        loop->decoders_free(loop);
    ga__loop_here = NULL;
    ga__tasks_free_spare(loop);
    ga__stacks_free(&loop->stacks);
    free(loop->lent);
    loop->poller->ops->destroy(loop->poller);
    free(loop);
}

static int fail_as_loop(const ga__loop *loop)
{
    if (loop->failure == GA_EDEADLK)
        return ga__fail(GA_EDEADLK, "deadlock: every task waited, and nothing could wake one");
    ga__fail(loop->failure, "ga_run: cannot wait for events: %s", strerrordesc_np(loop->os_error));
    ga__error_edit()->os_error = loop->os_error;
    return loop->failure;
}

static int end_of_run(ga__loop *loop)
{
    ga_task *root = loop->root;
    int code = root->code;

    ga__error_copy(NULL, root);
    if (root->state != GA__TASK_DONE)
        code = ga__fail(GA_EFORKED, "ga_run: a task forked, and its child returned from the task's function; "
                                    "the parent's other tasks do not run in the child, which should end by "
                                    "exec or _exit");
    else if (loop->failure)
        code = fail_as_loop(loop);
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
        while (loop->root->state != GA__TASK_DONE && !loop->forked)
            turn(loop);
        code = end_of_run(loop);
    } else if (code == 0) {
        code = ga__fail(GA_ENOMEM, "ga_run: no memory for the first task");
    }
    tear_down(loop);
    ga__loop_here = outer;
    return code;
}

/* Only the forking thread's loop is there in the child, and its epoll is still the parent's. */
static void forked_in_child(void)
{
    ga__loop *loop = ga__loop_here;

    if (!loop)
        return;
    loop->forked = true;
    loop->poller->forked = true;
    loop->turns = 0; /* who leaves the processor leaves it to ga_run */
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

    if (poller)
        return ga__run_on(poller, options, 0, fn, arg);
    int error = errno, code = GA_ESYSTEM;

    if (error == EMFILE || error == ENFILE)
        code = GA_EFDS;
    else if (error == ENOMEM)
        code = GA_ENOMEM;
    ga__fail(code, "ga_run: cannot make an epoll: %s", strerrordesc_np(error));
    ga__error_edit()->os_error = error;
    return code;
}

int ga_run(int (*fn)(void *arg), void *arg)
{
    return ga_run_with(NULL, fn, arg);
}
