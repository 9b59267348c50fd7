/* SPDX-License-Identifier: MIT */
/*
 * Tasks, groups and scopes: async/await for C.
 *
 * An async function is an ordinary C function. Calling it awaits it: the task suspends where the function
 * would wait, and other tasks run. Starting it in a group runs it beside the caller. A group cannot be
 * left while its tasks run, so pointers to the caller's locals may be passed to them.
 *
 * "Suspends" in a description below means: other tasks may run meanwhile, and the call fails with
 * GA_ECANCELED, having done nothing, where the innermost scope is cancelled.
 */
#ifndef GATHER_TASK_H
#define GATHER_TASK_H

#include <gather/base.h>
#include <gather/error.h>

GA_BEGIN_DECLS

/** One run of an async function. Owned by its group; valid until the group is closed. */
typedef struct ga_task ga_task;

/* Private: a timer on the loop's wheel. */
typedef struct ga_timer_ ga_timer_;
struct ga_timer_ {
    struct ga_link_ link;
    uint64_t expires;
    void (*fire)(struct ga_timer_ *timer);
};

/** A stretch of code that can be cancelled, or that has a deadline. It lives on the caller's stack. Its
 *  members are private. */
typedef struct ga_scope {
    struct ga_scope *parent_;
    struct ga_link_ sibling_;
    struct ga_link_ children_;
    struct ga_task *task_;
    struct ga_timer_ timer_;
    const char *where_;
    double seconds_;
    unsigned char flags_;
} ga_scope;

/** Tasks that run beside each other and are joined together. It lives on the caller's stack. Its members
 *  are private. */
typedef struct ga_group {
    ga_scope scope_;
    struct ga_link_ tasks_;
    struct ga_link_ waiters_;
    struct ga_task *failed_;
    size_t running_;
    size_t failures_;
    unsigned char flags_;
} ga_group;

/** How a loop runs; what is left 0 has its default. */
typedef struct ga_run_options {
    size_t stack_size;    /**< address space of a task's stack in bytes; 64 KiB (256 KiB under ASan) */
    double block_warning; /**< name a task that holds the loop longer, in seconds; 0.1; negative: never */
    int dump_signal;      /**< print the task tree on this signal, SIGQUIT for one; 0: none */
} ga_run_options;

/** Runs an event loop on this thread, with fn(arg) as its first task, until that returns. Several threads
 *  may each run a loop. Where fn fails, its error is reported like one that nobody read, and stays
 *  readable through ga_error().
 *  @return what fn returned; GA_EDEADLK (the task tree is printed) when every task waits for another,
 *          GA_ENOMEM, GA_EFDS, GA_EUSAGE when this thread runs a loop already. */
GA_API int ga_run(int (*fn)(void *arg), void *arg);
GA_API int ga_run_with(const ga_run_options *options, int (*fn)(void *arg), void *arg);

/* --- groups --------------------------------------------------------------------------------------- */

enum {
    GA_FAIL_FAST = 0, /**< the first failure cancels the group's other tasks, as asyncio.TaskGroup does */
    GA_COLLECT = 1,   /**< all tasks run to their end, as with gather(return_exceptions=True) */
    GA_DISCARD = 2    /**< a task's record goes when the task ends: for a server's endless tasks.
                           Pointers that starting returned are not to be used then. */
};

/** Opens a group in the calling task. Close it in the same function: returning with it open is a bug
 *  that is reported with this place in the source. Does not suspend. */
#define ga_group_open(group, flags) ga_group_open_at((group), (flags), GA_HERE)
GA_API void ga_group_open_at(ga_group *group, int flags, const char *where);

/** Waits until all the group's tasks have ended, those too that they start in it meanwhile:
 *  asyncio.gather. For the task that opened the group. Suspends.
 *  @return 0 when all succeeded; with GA_COLLECT the number that failed since the group was opened; else
 *          the first failure's code, with its detail in ga_error(), after the others were cancelled and
 *          have ended; GA_ECANCELED when an outer scope was cancelled (the tasks have ended then, too);
 *          GA_EUSAGE, GA_ENOTASK. To be ended by ga_group_cancel or ga_task_cancel is no failure.
 *          After it the function may go on, and start tasks again. */
GA_API int ga_gather(ga_group *group);

/** Cancels what still runs, waits for its end, and frees the tasks. Errors of tasks that nobody read are
 *  reported. May suspend, and is itself not cancelled. Harmless on a group that is closed. */
GA_API void ga_group_close(ga_group *group);

/** Cancels the group's tasks; returns at once. */
GA_API void ga_group_cancel(ga_group *group);

/** How many of the group's tasks have not ended. */
GA_API size_t ga_group_running(const ga_group *group);

/** Starts fn(arg) in the group. It runs when the caller next suspends. A negative result is a failure.
 *  @return the task; NULL with GA_ENOMEM, or GA_ENOTASK outside a task. */
#define ga_spawn(group, fn, arg) ga_spawn_named((group), (fn), (arg), #fn)
GA_API ga_task *ga_spawn_named(ga_group *group, int (*fn)(void *arg), void *arg, const char *name);

/** Waits for one task. Suspends. Reads the task's error, which becomes the caller's. The task's group may
 *  be closed meanwhile.
 *  @return its code: 0 or more, or negative when it failed; GA_ECANCELED also when the caller's scope is
 *          cancelled first (ga_task_done() tells); GA_EDEADLK for the calling task itself; GA_EUSAGE with
 *          GA_DISCARD. */
GA_API int ga_task_join(ga_task *task);

/** Whether the task has ended. */
GA_API int ga_task_done(const ga_task *task);

/** The task's failure, as ga_error() was when it ended; GA_OK in `.code` where it did not fail. Counts as
 *  reading it. Valid until the group is closed. */
GA_API const ga_error_detail *ga_task_error(ga_task *task);

/** Cancels one task; returns at once. */
GA_API void ga_task_cancel(ga_task *task);

/** The name under which the task was started. NULL outside a task when `task` is NULL: the calling one. */
GA_API const char *ga_task_name(const ga_task *task);

/* --- scopes --------------------------------------------------------------------------------------- */

/** Opens a scope whose deadline is `seconds` from now (GA_FOREVER: none): asyncio.timeout. From then on
 *  suspending calls fail with GA_ECANCELED until the scope is closed. Close it in the same function.
 *  Does not suspend. */
#define ga_scope_open(scope, seconds) ga_scope_open_at((scope), (seconds), 0, GA_HERE)

/** A scope that cancellation from outside does not reach, for clean-up that must talk to the network. Its
 *  own deadline bounds it. */
#define ga_scope_open_shielded(scope, seconds) ga_scope_open_at((scope), (seconds), 1, GA_HERE)
GA_API void ga_scope_open_at(ga_scope *scope, double seconds, int shielded, const char *where);

/** Closes the scope. Does not suspend.
 *  @return 0; GA_ETIMEDOUT when its deadline ended an operation; GA_ECANCELED when an outer scope is
 *          cancelled. An operation that completed in time stays completed: then it is 0. */
GA_API int ga_scope_close(ga_scope *scope);

/** Cancels the scope: what waits inside it fails with GA_ECANCELED. Returns at once. */
GA_API void ga_scope_cancel(ga_scope *scope);

/** Whether the scope is cancelled, by itself or from outside; NULL: the calling task's innermost one. */
GA_API int ga_scope_cancelled(const ga_scope *scope);

/* --- waiting -------------------------------------------------------------------------------------- */

/** Suspends for so many seconds. Other tasks run.
 *  @return 0, GA_ECANCELED, GA_ENOTASK */
GA_API int ga_sleep(double seconds);

/** Lets the other tasks that are ready run first. @return 0, GA_ECANCELED, GA_ENOTASK */
GA_API int ga_yield(void);

/** The loop's clock in seconds, monotonic, from an arbitrary start; virtual on a simulated loop. */
GA_API double ga_now(void);

/** Prints all tasks of this thread's loop as a tree to the file descriptor: name, what each waits for and
 *  since when, its scopes' deadlines, where its group was opened. */
GA_API void ga_dump(int fd);

/* --- GA_TASK -------------------------------------------------------------------------------------- */

/* Private: what GA_TASK's expansion calls. */
GA_API void *ga_task_new_(ga_group *group, size_t size, int (*thunk)(void *typed), const char *name);
GA_API int ga_task_code_(const void *result, int kind);

GA_END_DECLS

#ifndef __cplusplus

/**
 * `GA_TASK(char *, fetch_data, ga_session *, const char *);` on the line after the function
 * `char *fetch_data(ga_session *session, const char *url)` gives:
 *
 *     fetch_data_task *fetch_data_start(ga_group *group, ga_session *, const char *);
 *
 * which starts the function in the group. `->result` is what it returned, once the group was gathered;
 * `->task` is the ga_task. Up to 6 arguments. An int below 0, or a NULL pointer with an error recorded, is
 * a failure of the task.
 */
#define GA_TASK(result_type, ...)                                                                \
    GA_TASK_PICK_(__VA_ARGS__, GA_TASK6_, GA_TASK5_, GA_TASK4_, GA_TASK3_, GA_TASK2_, GA_TASK1_, \
                  GA_TASK0_, )                                                                   \
    (result_type, __VA_ARGS__)

#define GA_TASK_PICK_(n, t1, t2, t3, t4, t5, t6, pick, ...) pick

#define GA_TASK0_(R, name) GA_TASK_(R, name, , (ga_group * group), , ())
#define GA_TASK1_(R, name, T1) GA_TASK_(R, name, T1 a1_;, (ga_group * group, T1 a1), t->a1_ = a1;, (t->a1_))
#define GA_TASK2_(R, name, T1, T2)                                                                 \
    GA_TASK_(R, name, T1 a1_; T2 a2_;, (ga_group * group, T1 a1, T2 a2), t->a1_ = a1; t->a2_ = a2; \
             , (t->a1_, t->a2_))
#define GA_TASK3_(R, name, T1, T2, T3)                                                               \
    GA_TASK_(R, name, T1 a1_; T2 a2_; T3 a3_;, (ga_group * group, T1 a1, T2 a2, T3 a3), t->a1_ = a1; \
             t->a2_ = a2; t->a3_ = a3;, (t->a1_, t->a2_, t->a3_))
#define GA_TASK4_(R, name, T1, T2, T3, T4)                                                            \
    GA_TASK_(R, name, T1 a1_; T2 a2_; T3 a3_; T4 a4_;                                                 \
             , (ga_group * group, T1 a1, T2 a2, T3 a3, T4 a4), t->a1_ = a1; t->a2_ = a2; t->a3_ = a3; \
             t->a4_ = a4;, (t->a1_, t->a2_, t->a3_, t->a4_))
#define GA_TASK5_(R, name, T1, T2, T3, T4, T5)                                                               \
    GA_TASK_(R, name, T1 a1_; T2 a2_; T3 a3_; T4 a4_; T5 a5_;                                                \
             , (ga_group * group, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5), t->a1_ = a1; t->a2_ = a2; t->a3_ = a3; \
             t->a4_ = a4; t->a5_ = a5;, (t->a1_, t->a2_, t->a3_, t->a4_, t->a5_))
#define GA_TASK6_(R, name, T1, T2, T3, T4, T5, T6)                                                     \
    GA_TASK_(R, name, T1 a1_; T2 a2_; T3 a3_; T4 a4_; T5 a5_; T6 a6_;                                  \
             , (ga_group * group, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6), t->a1_ = a1; t->a2_ = a2; \
             t->a3_ = a3; t->a4_ = a4; t->a5_ = a5; t->a6_ = a6;                                       \
             , (t->a1_, t->a2_, t->a3_, t->a4_, t->a5_, t->a6_))

#define GA_TASK_(R, name, fields, parameters, assignments, arguments)                         \
    typedef struct name##_task {                                                              \
        ga_task *task;                                                                        \
        R result;                                                                             \
        fields                                                                                \
    } name##_task;                                                                            \
    static int name##_thunk_(void *typed)                                                     \
    {                                                                                         \
        name##_task *t = (name##_task *)typed;                                                \
        t->result = name arguments;                                                           \
        return ga_task_code_(&t->result, GA_RESULT_KIND_(t->result));                         \
    }                                                                                         \
    static inline GA_UNUSED name##_task *name##_start parameters                              \
    {                                                                                         \
        name##_task *t = (name##_task *)ga_task_new_(group, sizeof *t, name##_thunk_, #name); \
        if (t) {                                                                              \
            assignments                                                                       \
        }                                                                                     \
        return t;                                                                             \
    }                                                                                         \
    struct name##_task

/* 1: an int, negative on failure; 2: a pointer, NULL on failure; 0: a type that cannot fail. */
#define GA_RESULT_KIND_(result) \
    _Generic((result), int : 1, default : __builtin_classify_type(result) == 5 ? 2 : 0)

#endif

#endif
