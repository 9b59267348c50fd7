/* SPDX-License-Identifier: MIT */
/*
 * Threads for functions that block: one bounded pool for the process, with one line of jobs, first come first
 * served. A thread starts when a job comes and none is idle, and ends after some seconds without work. A job
 * lies in the frame of the task that waits for it; when it is done, the task's loop is told through its
 * handle.
 *
 * Invariant: `idle` counts the threads that wait for work, `queued` the jobs in line. A slot whose thread has
 * ended is joined before it is used again, and idle threads are joined at exit, so that nothing is left
 * behind. A forked child begins with an empty pool: threads do not cross a fork.
 */
#include "task/handle.h"
#include "task/loop.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum { DEFAULT_LIMIT = 32, SLOTS = 1024, IDLE_SECONDS = 10 };

typedef struct job {
    ga__link link;
    int (*fn)(void *arg);
    void *arg;
    int code;
    ga__error *error; /* fn's, on its way to the task */
    ga_task *task;
    ga_handle *handle; /* of the task's loop */
    ga__call done;
} job;

enum { FREE, IDLE, BUSY, ENDED }; /* slot.state */

typedef struct slot {
    pthread_t thread;
    atomic_int state; /* BUSY is in a function; written locked, but for its end */
} slot;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t work;
    ga__list jobs;
    int queued, idle, threads, ended, limit;
    bool exiting;
    slot slots[SLOTS];
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER, .limit = DEFAULT_LIMIT};

/* --- a thread of the pool ------------------------------------------------------------------------- */

static void wake_task(void *arg)
{
    job *done = arg;

    ga__wake(done->task, 0);
}

static void run(slot *own, job *work)
{
    ga_handle *handle = work->handle;

    ga_error_clear();
    work->code = work->fn(work->arg);
    if (work->code < 0) {
        if (ga_error()->code != work->code)
            ga__fail(work->code, "the function given to ga_to_thread returned %d", work->code);
        work->error = ga__error_take();
    }
    work->done = (ga__call){.fn = wake_task, .arg = work};
    atomic_store(&own->state, IDLE);      /* the program may exit as soon as it knows */
    ga__handle_post(handle, &work->done); /* from here on the job is the task's again */
    ga__handle_drop(handle);
}

/* Waits for a job; locked. NULL when none came in time, or the thread is to end. */
static job *next_job(slot *own)
{
    struct timespec deadline;
    int code = 0;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += IDLE_SECONDS;
    pool.idle++;
    while (ga__list_empty(&pool.jobs) && !pool.exiting && pool.threads <= pool.limit && code != ETIMEDOUT)
        code = pthread_cond_timedwait(&pool.work, &pool.mutex, &deadline);
    pool.idle--;
    if (pool.exiting || pool.threads > pool.limit)
        return NULL;
    ga__link *link = ga__list_pop_front(&pool.jobs);

    if (!link)
        return NULL;
    pool.queued--;
    own->state = BUSY;
    return GA__OF(link, job, link);
}

static void *work(void *arg)
{
    slot *own = arg;
    job *next;

    pthread_mutex_lock(&pool.mutex);
    while ((next = next_job(own))) {
        pthread_mutex_unlock(&pool.mutex);
        run(own, next);
        pthread_mutex_lock(&pool.mutex);
    }
    own->state = ENDED;
    pool.ended++;
    pool.threads--;
    if (pool.queued)
        pthread_cond_signal(&pool.work); /* in case this thread had been told of it */
    pthread_mutex_unlock(&pool.mutex);
    return NULL;
}

/* --- the pool ------------------------------------------------------------------------------------- */

static void join_ended(void)
{
    for (int i = 0; pool.ended && i < SLOTS; i++) {
        if (pool.slots[i].state != ENDED)
            continue;
        pthread_join(pool.slots[i].thread, NULL);
        pool.slots[i].state = FREE;
        pool.ended--;
    }
}

static slot *free_slot(void)
{
    for (int i = 0; i < SLOTS; i++)
        if (pool.slots[i].state == FREE)
            return &pool.slots[i];
    return NULL;
}

/* Starts a thread with all signals blocked: they are the program's. @return 0 or an errno */
static int start_thread(void)
{
    slot *own = free_slot();
    sigset_t all, before;

    if (!own)
        return EAGAIN;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&own->thread, NULL, work, own);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0) {
        own->state = IDLE;
        pool.threads++;
    }
    return code;
}

/* Puts the job in line, with a thread to take it. @return 0 or an errno, with the job in no line */
static int submit(job *new_job)
{
    int code = 0;

    pthread_mutex_lock(&pool.mutex);
    if (pool.exiting) {
        pthread_mutex_unlock(&pool.mutex);
        return ECANCELED;
    }
    join_ended();
    if (pool.queued >= pool.idle && pool.threads < pool.limit)
        code = start_thread();
    if (pool.threads > 0) {
        ga__list_push_back(&pool.jobs, &new_job->link);
        pool.queued++;
        pthread_cond_signal(&pool.work);
        code = 0;
    }
    pthread_mutex_unlock(&pool.mutex);
    return code;
}

/* Ends the idle threads. Busy ones end with the process. */
static void end_at_exit(void)
{
    pthread_mutex_lock(&pool.mutex);
    pool.exiting = true;
    pthread_cond_broadcast(&pool.work);
    for (int i = 0; i < SLOTS; i++) {
        slot *own = &pool.slots[i];

        if (own->state != IDLE && own->state != ENDED)
            continue;
        pthread_mutex_unlock(&pool.mutex);
        pthread_join(own->thread, NULL);
        pthread_mutex_lock(&pool.mutex);
        own->state = FREE;
    }
    pthread_mutex_unlock(&pool.mutex);
}

static void make_condition(void)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool.work, &attributes);
    pthread_condattr_destroy(&attributes);
    ga__list_init(&pool.jobs);
}

static void before_fork(void)
{
    pthread_mutex_lock(&pool.mutex);
}

static void forked_in_parent(void)
{
    pthread_mutex_unlock(&pool.mutex);
}

static void forked_in_child(void)
{
    pthread_mutex_unlock(&pool.mutex);
    make_condition();
    pool.queued = pool.idle = pool.threads = pool.ended = 0;
    memset(pool.slots, 0, sizeof pool.slots);
}

static void set_up(void)
{
    make_condition();
    pthread_atfork(before_fork, forked_in_parent, forked_in_child);
    atexit(end_at_exit);
}

/* --- the public face ------------------------------------------------------------------------------ */

void ga_thread_limit(int threads)
{
    pthread_mutex_lock(&pool.mutex);
    pool.limit = threads < 1 ? 1 : threads < SLOTS ? threads : SLOTS;
    if (pool.idle)
        pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.mutex);
}

int ga_to_thread(int (*fn)(void *arg), void *arg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int code = ga__checkpoint();

    if (code < 0)
        return code;
    job work = {.fn = fn, .arg = arg, .task = ga__current(), .handle = ga__handle_take()};

    if (!work.handle)
        return GA_ENOMEM;
    pthread_once(&once, set_up);
    code = submit(&work);
    if (code) {
        ga__handle_drop(work.handle);
        ga__fail(GA_ESYSTEM, "ga_to_thread: cannot start a thread: %s", strerrordesc_np(code));
        ga__error_edit()->os_error = code;
        return GA_ESYSTEM;
    }
    ga__park(NULL, GA__NEVER, GA__EXTERNAL | GA__UNCANCELLABLE, "a function on a thread");
    ga__error_put(work.error);
    return work.code;
}
