/* SPDX-License-Identifier: MIT */
/*
 * The watchdog: a thread that looks now and then whether the loop still changes tasks. Where it does not, the
 * loop's own thread is sent SIGURG, whose handler prints the backtrace of what runs there; the handler is
 * installed for that moment only, and not where the program has one of its own. A blocking sleep() is cut
 * short by that, which is what it deserved.
 *
 * The dump on a signal only sets a flag and wakes the loop, which then prints between two tasks.
 */
#include "task/watchdog.h"

#include "task/loop.h"
#include <errno.h>
#include <execinfo.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { ALTERNATE_STACK = 64 * 1024, FRAMES = 48, LOOPS = 64, MOST_PATIENCE = 2000 /* ms */ };

struct ga__watch {
    ga__loop *loop;
    pthread_t loop_thread;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t limit; /* ns */
    bool thread_runs;
    bool stop;
    char *alternate_stack;
    stack_t old_stack;
    int dump_signal;
    bool dumping;
    _Atomic bool dump_wanted;
};

/* --- a task that holds the loop -------------------------------------------------------------------- */

static _Atomic bool printed; /* by the handler that was asked last */

static void print_backtrace(int signal_number)
{
    void *frames[FRAMES];
    int saved = errno;

    (void)signal_number;
    /* The first two frames are this handler and the signal's trampoline. */
    int count = backtrace(frames, FRAMES);

    if (count > 2)
        backtrace_symbols_fd(frames + 2, count - 2, STDERR_FILENO);
    atomic_store(&printed, true);
    errno = saved;
}

static void report_held(struct ga__watch *watch, const char *task)
{
    struct sigaction action = {.sa_handler = print_backtrace, .sa_flags = SA_ONSTACK | SA_RESTART}, old;

    fprintf(stderr,
            "gather: task %s has held its loop for over %g ms, and no other task could run; move blocking or "
            "long work to "
            "ga_to_thread, or call ga_yield in it. It is here:\n",
            task, (double)watch->limit * 1e-6);
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGURG, NULL, &old) < 0 || (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN))
        return;
    sigaction(SIGURG, &action, NULL);
    atomic_store(&printed, false);
    pthread_kill(watch->loop_thread, SIGURG);
    /* The old handler comes back when this one is through, which a busy machine may delay. */
    for (int i = 0; i < MOST_PATIENCE && !atomic_load(&printed); i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    sigaction(SIGURG, &old, NULL);
}

static void wait_until(struct ga__watch *watch, struct timespec *time, uint64_t ns)
{
    uint64_t total = (uint64_t)time->tv_nsec + ns;

    time->tv_sec += (time_t)(total / 1000000000);
    time->tv_nsec = (long)(total % 1000000000);
    while (!watch->stop && pthread_cond_timedwait(&watch->changed, &watch->mutex, time) != ETIMEDOUT)
        ;
}

static void *watch_loop(void *arg)
{
    struct ga__watch *watch = arg;
    ga__loop *loop = watch->loop;
    uint64_t seen = 0, reported = 0;
    struct timespec time;

    pthread_mutex_lock(&watch->mutex);
    while (!watch->stop) {
        clock_gettime(CLOCK_MONOTONIC, &time);
        wait_until(watch, &time, watch->limit);
        uint64_t slices = atomic_load_explicit(&loop->slices, memory_order_relaxed);
        const char *task = atomic_load_explicit(&loop->running, memory_order_relaxed);

        if (slices == seen && task && slices != reported && !watch->stop) {
            report_held(watch, task);
            reported = slices;
        }
        seen = slices;
    }
    pthread_mutex_unlock(&watch->mutex);
    return NULL;
}

/* The handler runs on a stack of its own: a task's may be nearly full. */
static int lend_alternate_stack(struct ga__watch *watch)
{
    stack_t mine = {.ss_size = ALTERNATE_STACK};

    if (sigaltstack(NULL, &watch->old_stack) == 0 && !(watch->old_stack.ss_flags & SS_DISABLE))
        return 0;
    watch->alternate_stack = malloc(ALTERNATE_STACK);
    if (!watch->alternate_stack)
        return ga__fail(GA_ENOMEM, "ga_run: no memory for a signal stack");
    mine.ss_sp = watch->alternate_stack;
    sigaltstack(&mine, NULL);
    return 0;
}

static int start_thread(struct ga__watch *watch)
{
    void *frame;
    pthread_condattr_t attributes;
    sigset_t all, old;

    backtrace(&frame, 1); /* it loads a library at its first call, which a handler must not */
    pthread_mutex_init(&watch->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (lend_alternate_stack(watch) < 0)
        return GA_ENOMEM;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old); /* signals are for the program's own threads */
    int error = pthread_create(&watch->thread, NULL, watch_loop, watch);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    watch->thread_runs = error == 0;
    return 0; /* without a watchdog the loop runs as well */
}

static void stop_thread(struct ga__watch *watch)
{
    if (!watch->limit)
        return;
    if (watch->thread_runs && !watch->loop->forked) {
        pthread_mutex_lock(&watch->mutex);
        watch->stop = true;
        pthread_cond_signal(&watch->changed);
        pthread_mutex_unlock(&watch->mutex);
        pthread_join(watch->thread, NULL);
    }
    if (watch->alternate_stack)
        sigaltstack(&watch->old_stack, NULL);
    free(watch->alternate_stack);
    if (watch->loop->forked)
        return;
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->mutex);
}

/* --- the dump on a signal -------------------------------------------------------------------------- */

/* Those that want one: a handler can read this without a lock. */
static _Atomic(struct ga__watch *) dumping[LOOPS];
static atomic_int handlers; /* that are reading it at the moment */

/* What the program had for each signal, before the first loop with that dump_signal. */
static struct sigaction replaced[NSIG];
static pthread_mutex_t replacing = PTHREAD_MUTEX_INITIALIZER;

static void want_dump(int signal_number)
{
    int saved = errno;

    atomic_fetch_add(&handlers, 1);
    for (int i = 0; i < LOOPS; i++) {
        struct ga__watch *watch = atomic_load(&dumping[i]);

        if (!watch || watch->dump_signal != signal_number)
            continue;
        atomic_store(&watch->dump_wanted, true);
        watch->loop->poller->ops->wake(watch->loop->poller);
    }
    atomic_fetch_sub(&handlers, 1);
    errno = saved;
}

static bool is_dumped_by_others(const struct ga__watch *watch)
{
    for (int i = 0; i < LOOPS; i++) {
        struct ga__watch *other = atomic_load(&dumping[i]);

        if (other && other != watch && other->dump_signal == watch->dump_signal)
            return true;
    }
    return false;
}

/* A place in `dumping`; NULL when all are taken. Locked. */
static _Atomic(struct ga__watch *) *free_place(void)
{
    for (int i = 0; i < LOOPS; i++)
        if (!atomic_load(&dumping[i]))
            return &dumping[i];
    return NULL;
}

/* Locked. */
static int install(struct ga__watch *watch)
{
    struct sigaction action = {.sa_handler = want_dump, .sa_flags = SA_RESTART | SA_ONSTACK}, old;
    _Atomic(struct ga__watch *) *place = free_place();

    if (!place)
        return ga__fail(GA_EUSAGE, "ga_run_with: more than %d loops have a dump_signal", LOOPS);
    sigemptyset(&action.sa_mask);
    if (watch->dump_signal < 0 || watch->dump_signal >= NSIG ||
        sigaction(watch->dump_signal, &action, &old) < 0)
        return ga__fail(GA_EUSAGE, "ga_run_with: dump_signal %d is no signal that can be handled",
                        watch->dump_signal);
    if (!is_dumped_by_others(watch))
        replaced[watch->dump_signal] = old;
    atomic_store(place, watch);
    watch->dumping = true;
    return 0;
}

static int start_dumping(struct ga__watch *watch)
{
    pthread_mutex_lock(&replacing);
    int code = install(watch);

    pthread_mutex_unlock(&replacing);
    return code;
}

static void stop_dumping(struct ga__watch *watch)
{
    if (!watch->dumping)
        return;
    for (int i = 0; i < LOOPS; i++)
        if (atomic_load(&dumping[i]) == watch)
            atomic_store(&dumping[i], NULL);
    if (watch->loop->forked) /* the lock and the count may be those of threads that are not here */
        return;
    pthread_mutex_lock(&replacing);
    if (!is_dumped_by_others(watch))
        sigaction(watch->dump_signal, &replaced[watch->dump_signal], NULL);
    pthread_mutex_unlock(&replacing);
    while (atomic_load(&handlers)) /* on other threads: one here would be done */
        sched_yield();
}

void ga__watchdog_turn(ga__loop *loop)
{
    if (loop->watch && atomic_load_explicit(&loop->watch->dump_wanted, memory_order_relaxed) &&
        atomic_exchange(&loop->watch->dump_wanted, false))
        ga_dump(STDERR_FILENO);
}

/* --- both ------------------------------------------------------------------------------------------ */

int ga__watchdog_start(ga__loop *loop, const ga_run_options *options)
{
    double warning = options && options->block_warning != 0 ? options->block_warning : 0.1;
    int code = 0;
    struct ga__watch *watch = calloc(1, sizeof *watch);

    if (!watch)
        return ga__fail(GA_ENOMEM, "ga_run: no memory");
    watch->loop = loop;
    watch->loop_thread = pthread_self();
    watch->dump_signal = options ? options->dump_signal : 0;
    watch->limit = warning > 0 ? ga__deadline(0, warning) : 0;
    loop->watch = watch;
    if (watch->limit)
        code = start_thread(watch);
    if (code == 0 && watch->dump_signal)
        code = start_dumping(watch);
    return code;
}

void ga__watchdog_stop(ga__loop *loop)
{
    struct ga__watch *watch = loop->watch;

    if (!watch)
        return;
    loop->watch = NULL;
    stop_dumping(watch);
    stop_thread(watch);
    free(watch);
}
