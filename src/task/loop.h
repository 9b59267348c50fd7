/* SPDX-License-Identifier: MIT */
/*
 * The loop, the task record, and the one way to wait. Everything that suspends is built from
 *
 *     code = ga__checkpoint();            at the start of each suspending call
 *     code = ga__park(&queue, ...);       this task into a queue, until
 *     ga__wake(task, code);               somebody takes it out
 *
 * A task waits in at most one queue, through its own link, so a canceller or a deadline can take it out of
 * whichever queue it is in: a wait either completes or is cancelled, never both. Whoever wakes a task has
 * then already given it what it waited for; a later cancellation does not take that back.
 */
#ifndef GA__LOOP_H
#define GA__LOOP_H

#include "base/buffer.h"
#include "base/list.h"
#include "task/context.h"
#include "task/poller.h"
#include "task/stack.h"
#include "task/timer.h"
#include <gather/error.h>
#include <gather/task.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct ga__loop ga__loop;
typedef struct ga__error ga__error;

#define GA__NEVER UINT64_MAX /* a deadline that never comes */

enum { /* ga_task.state */
       GA__TASK_NEW,
       GA__TASK_READY,
       GA__TASK_RUNNING,
       GA__TASK_PARKED,
       GA__TASK_DONE
};

enum {                          /* ga_scope.flags_ */
       GA__SCOPE_CANCELLED = 1, /* in effect, by itself or from outside */
       GA__SCOPE_OWN = 2,       /* by its own cancel or deadline */
       GA__SCOPE_EXPIRED = 4,   /* by its own deadline */
       GA__SCOPE_REFUSED = 8,   /* an operation failed because of it */
       GA__SCOPE_SHIELDED = 16,
       GA__SCOPE_GROUP = 32, /* it is a group's */
       GA__SCOPE_ROOT = 64,  /* it is a task's outermost */
       GA__SCOPE_OPEN = 128
};

struct ga_task {
    ga__link queue;  /* in the ready queue, or in what it waits for */
    ga_scope *scope; /* the innermost that is open */
    int budget;      /* checkpoints left before it lets others run */
    int wake_code;   /* what ga__park returns */
    void *exchange;  /* what a waker reads or fills while the task is parked: an element's place, a cost */
    unsigned char state;
    bool error_read;
    bool external;      /* it waits for something outside the loop: a descriptor, a thread */
    bool was_external;  /* the wait before was such a one, and may have been long */
    bool uncancellable; /* the present wait is */
    int code;           /* of its end */
    int saved_errno;
    int refusals;   /* checkpoints in a row that found it cancelled */
    int lost_error; /* the code of a failure for whose record there was no memory */
    ga__context context;
    ga__stack *stack; /* NULL before its first run and after its end */
    ga__loop *loop;
    ga_group *group;
    ga__link in_group;
    ga_timer_ timer; /* of the present wait */
    uint64_t since;  /* when the present wait began */
    const char *waiting_for;
    const char *name;
    void *started_at; /* the code that started it */
    int (*thunk)(void *payload);
    ga__error *error;
    const char *open_at; /* where the innermost scope was opened; the scope itself may be in a dead frame */
    ga__list joiners;
    size_t payload_size;
    ga_task *next_spare; /* while it is one */
    ga_scope root;       /* the outermost; its parent is the group's */
    _Alignas(16) char payload[];
};

enum { GA__TASK_CLASSES = 32, GA__TASK_CLASS_STEP = 16 };

/* Something to be done when the tasks of this turn have run; embedded by its owner. */
typedef struct ga__deferred {
    ga__link link;
    void (*run)(struct ga__deferred *deferred);
} ga__deferred;

struct ga__loop {
    uint64_t id; /* a later loop may lie at the same address */
    ga_task *current;
    ga__list ready;
    ga__list deferred;     /* see ga__loop_defer */
    ga__link deferred_end; /* in it: of what is done in this turn */
    int turns;             /* switches left before the poller is asked */
    uint64_t now;          /* ns, read once a turn */
    uint64_t told_at;      /* when the poller had told of all events last; 0: never yet */
    ga__poller *poller;
    ga__context scheduler; /* ga_run's own stack */
    ga__context nowhere;   /* what a switch saves of a task that has ended */
    ga__timers timers;
    ga__stacks stacks;
    size_t external; /* tasks that something outside the loop can wake, and holds on the loop */
    bool forked;  /* this is a child of the process that made the loop: nothing may be switched to any more */
    int failure;  /* why all tasks were cancelled: GA_EDEADLK, or GA_ESYSTEM with os_error; 0 */
    int failures; /* how often */
    int os_error;
    char *lent;                             /* see ga__loop_lend */
    ga_task *spare_tasks[GA__TASK_CLASSES]; /* records for reuse, by size */
    size_t spare_count;
    size_t task_count;
    ga_task *root;
    uint64_t random;          /* nonzero: pick the next ready task by this state, for seeded schedules */
    struct ga_handle *handle; /* how other threads reach the loop, made on first use */
    struct ga__watch *watch;  /* the watchdog's view, or NULL */
    void *dns;                /* io/dns.c's, made on first use */
    void (*dns_free)(ga__loop *loop);
    void *decoders; /* client/content.c's spare states, made on first use */
    void (*decoders_free)(ga__loop *loop);
    _Atomic uint64_t slices;       /* how often the running code changed, for the watchdog */
    _Atomic(const char *) running; /* the name of the task that runs, for the watchdog */
    const void *scheduler_low;     /* ga_run's stack, for AddressSanitizer */
    size_t scheduler_size;
    void *scheduler_fiber; /* for ThreadSanitizer */
};

/* This thread's loop, NULL where none runs. */
extern _Thread_local ga__loop *ga__loop_here __attribute__((tls_model("initial-exec")));

static inline ga_task *ga__current(void)
{
    return ga__loop_here ? ga__loop_here->current : NULL;
}

/* The id of this thread's loop, which no other has or had; 0 where none runs. */
static inline uint64_t ga__loop_id(void)
{
    return ga__loop_here ? ga__loop_here->id : 0;
}

/* The time of this turn, in ns; ga__now_exact reads the clock. Only inside a loop. */
static inline uint64_t ga__now(void)
{
    return ga__loop_here->now;
}
uint64_t ga__now_exact(void);

/* The deadline that lies so many seconds after `now`; GA__NEVER for GA_FOREVER. */
uint64_t ga__deadline(uint64_t now, double seconds);

/* 0 where the calling task may go on; GA_ECANCELED, GA_ENOTASK (outside a task) or GA_EFORKED, recorded. Lets
 * others run first when the task has long not waited. */
int ga__checkpoint_slow(void);
static inline int ga__checkpoint(void)
{
    ga_task *task = ga__current();

    if (GA_LIKELY(task && !(task->scope->flags_ & GA__SCOPE_CANCELLED) && --task->budget > 0))
        return 0;
    return ga__checkpoint_slow();
}

enum {                       /* ga__park flags */
       GA__EXTERNAL = 1,     /* what wakes it comes from outside the loop: the deadlock detector then waits */
       GA__UNCANCELLABLE = 2 /* only ga__wake ends the wait */
};

/* Suspends the calling task at the end of the queue (NULL: in none) until it is woken.
 * `why` says what for, in dumps: a static string such as "a semaphore".
 * @return the waker's code; GA_ETIMEDOUT at the deadline (nothing recorded); GA_ECANCELED (nothing recorded:
 *         the caller says what was cancelled through ga__fail). The task is in no queue then. */
int ga__park(ga__list *queue, uint64_t deadline, unsigned flags, const char *why);

/* Takes the task out of its queue and makes it ready; ga__park returns `code`. */
void ga__wake(ga_task *task, int code);
/* Wakes the queue's first task. @return it, or NULL where nobody waits. */
ga_task *ga__wake_first(ga__list *queue, int code);
void ga__wake_all(ga__list *queue, int code);

/* Suspends until the descriptor is readable (GA__READABLE) or writable, having cleared that bit on EAGAIN.
 * @return 0, GA_ETIMEDOUT, GA_ECANCELED (nothing recorded) */
int ga__fd_wait(ga__fd *fd, unsigned direction, uint64_t deadline, const char *why);

/* A timer of the loop's; `fire` runs in the loop's context and may not suspend. Arming an armed one moves it.
 * O(1). */
void ga__timer_arm(ga_timer_ *timer, uint64_t deadline);
void ga__timer_disarm(ga_timer_ *timer);

/* Calls deferred->run in the loop's context, where it may not suspend, when the tasks that are ready have
 * run: so that what many of them have to send goes out together. Deferring it again meanwhile changes
 * nothing; to take it back, unlink it. */
static inline void ga__loop_defer(ga__deferred *deferred)
{
    if (!ga__linked(&deferred->link))
        ga__list_push_back(&ga__loop_here->deferred, &deferred->link);
}

/* A buffer that the caller may use until it next suspends: for reading from a socket, so that no connection
 * that waits holds one. Its size is GA__LENT_SIZE. NULL when there is no memory. */
enum { GA__LENT_SIZE = 256 * 1024 };
char *ga__loop_lend(void);

/* --- inside the core ------------------------------------------------------------------------------ */

enum { GA__BUDGET = 128 }; /* suspending calls that need not wait, before a task lets others run */

/* Gives the loop to the next ready task, until the caller is made ready and its turn comes. */
void ga__suspend(ga__loop *loop);
/* In the loop's own context: lets tasks run until none is ready, or the poller should be asked again. */
void ga__run_ready(ga__loop *loop);
/* Puts a task that may run at the end of the line. */
void ga__make_ready(ga__loop *loop, ga_task *task);
/* The body of a stack: runs the loop's current task, then further new ones. */
void ga__task_main(void *loop);
/* A record for a task with a payload of that size, not yet in a group. */
ga_task *ga__task_new(ga__loop *loop, size_t payload_size);
void ga__task_free(ga_task *task);
/* Frees the records that are kept for reuse. */
void ga__tasks_free_spare(ga__loop *loop);
/* Puts a new task into the group and in line. */
void ga__task_start(ga_task *task, ga_group *group, int (*thunk)(void *payload), const char *name);
/* Notes the end of a task. It may be gone then: see GA_DISCARD. */
void ga__task_end(ga_task *task, int code);
/* What a group does when one of its tasks has ended. */
void ga__group_task_ended(ga_group *group, ga_task *task);
void ga__group_init(ga_group *group, int flags, const char *where);
void ga__scope_init(ga_scope *scope, ga_scope *parent, ga_task *task, const char *where, unsigned flags);
void ga__scope_detach(ga_scope *scope);
void ga__scope_cancel(ga_scope *scope, unsigned how);
/* Ends the innermost scope of the calling task. */
void ga__scope_leave(ga_scope *scope);
/* Notes on the scopes that an operation of the task failed because of them. */
void ga__scope_refuse(ga_scope *innermost);
/* Cancels the whole subtree, shielded branches too: for a loop that cannot go on. */
void ga__scope_cancel_all(ga_scope *top);
/* The next scope in the subtree of `top`, depth first; NULL after the last. The scope's children are left out
 * where `descend` is false. */
ga_scope *ga__scope_next(ga_scope *scope, const ga_scope *top, bool descend);
/* Stops the program where the scope is not the calling task's innermost. */
void ga__scope_check_innermost(const ga_scope *scope);

/* --- for what stands outside the loop -------------------------------------------------------------- */

/* Tells the watchdog that the library is at work piece by piece, as where it closes 10,000 connections: no
 * blocking call of the user's. */
static inline void ga__note_progress(void)
{
    ga__loop *loop = ga__loop_here;

    if (loop)
        atomic_fetch_add_explicit(&loop->slices, 1, memory_order_relaxed);
}

/* Counts something outside the loop that can still wake a task; while the count is above 0, there is no
 * deadlock. */
void ga__loop_hold(ga__loop *loop);
void ga__loop_release(ga__loop *loop);

/* Runs a loop on the poller, which it owns from then on: ga_run for any backend. `seed` above 0 shuffles the
 * order of ready tasks, repeatably. */
int ga__run_on(ga__poller *poller, const ga_run_options *options, uint64_t seed, int (*fn)(void *arg),
               void *arg);

/* --- errors --------------------------------------------------------------------------------------- */

/* Records a failure of the calling task (or thread) and returns its code. The message's %s may point into the
 * error that is being replaced. */
int ga__fail(int code, const char *format, ...) GA_PRINTF(2, 3);

/* The same for another task. */
int ga__fail_for(ga_task *task, int code, const char *format, ...) GA_PRINTF(3, 4);

/* Gives the recorded error another code, timeout and message; the rest of its detail stays. */
int ga__error_rewrite(int code, const char *timeout, const char *format, ...) GA_PRINTF(3, 4);

/* The calling task's recorded error, to add detail to after ga__fail; never NULL. `url` is copied by
 * ga__error_url. */
ga_error_detail *ga__error_edit(void);
void ga__error_url(const char *url);

/* Moves the errors of a task that ended: `to` takes a copy of `from`. */
void ga__error_copy(ga_task *to, const ga_task *from);
void ga__error_free(ga__error *error);
const ga_error_detail *ga__error_of(const ga_task *task);

/* Takes the calling task's (or thread's) error out of it, to keep or to hand on; NULL where there was none,
 * or no memory for it. The caller's to free, or to put. */
ga__error *ga__error_take(void);
/* Makes it the calling task's (or thread's) error; NULL changes nothing. */
void ga__error_put(ga__error *error);
/* The same around what is done in passing, whose failure is nobody's, as where a connection says goodbye: the
 * error is afterwards what it was before. */
typedef struct ga__error_aside {
    ga__error *error;
    int lost;
} ga__error_aside;
ga__error_aside ga__error_set_aside(void);
void ga__error_restore(ga__error_aside aside);
/* What it says; for NULL that there was no memory for it. */
const ga_error_detail *ga__error_detail(const ga__error *error);

/* Tells the handler of unread errors. */
void ga__report_unread(const char *task, const char *where, const ga_error_detail *error);

/* Says on stderr that an API was used wrongly, and records GA_EUSAGE or the code given. */
int ga__misuse(int code, const char *format, ...) GA_PRINTF(2, 3);

#endif
