/* SPDX-License-Identifier: MIT */
/*
 * Task records: how they are made, started, ended and freed. A record holds the task's arguments and its
 * result, and outlives its run until the group is closed; a stack is held only from the first run to the end.
 * Records are reused by size, last in, first out.
 */
#include "task/loop.h"

#include <stdio.h>
#include <string.h>

enum { MOST_SPARE = 8192 };

/* Which list of spare records fits the size; GA__TASK_CLASSES: none. */
static size_t class_of(size_t payload_size)
{
    size_t class = (payload_size + GA__TASK_CLASS_STEP - 1) / GA__TASK_CLASS_STEP;

    /* A spare record hides a use after free from AddressSanitizer. */
    return GA__ASAN || class > GA__TASK_CLASSES - 1 ? GA__TASK_CLASSES : class;
}

ga_task *ga__task_new(ga__loop *loop, size_t payload_size)
{
    size_t class = class_of(payload_size);
    ga_task *task = class < GA__TASK_CLASSES ? loop->spare_tasks[class] : NULL;

    if (task) {
        loop->spare_tasks[class] = task->next_spare;
        loop->spare_count--;
    } else {
        size_t size = class < GA__TASK_CLASSES ? class * GA__TASK_CLASS_STEP : payload_size;

        task = malloc(sizeof *task + size);
        if (!task)
            return NULL;
    }
    memset(task, 0, sizeof *task);
    task->loop = loop;
    task->payload_size = payload_size;
    ga__list_init(&task->joiners);
    return task;
}

void ga__task_free(ga_task *task)
{
    size_t class = class_of(task->payload_size);
    ga__loop *loop = task->loop;

    ga__error_free(task->error);
    if (class < GA__TASK_CLASSES && loop->spare_count < MOST_SPARE) {
        task->next_spare = loop->spare_tasks[class];
        loop->spare_tasks[class] = task;
        loop->spare_count++;
    } else {
        free(task);
    }
}

void ga__tasks_free_spare(ga__loop *loop)
{
    for (int class = 0; class < GA__TASK_CLASSES; class ++) {
        ga_task *task;

        while ((task = loop->spare_tasks[class])) {
            loop->spare_tasks[class] = task->next_spare;
            free(task);
        }
    }
}

void ga__task_start(ga_task *task, ga_group *group, int (*thunk)(void *payload), const char *name)
{
    task->thunk = thunk;
    task->name = name;
    task->group = group;
    group->running_++;
    ga__list_push_back(&group->tasks_, &task->in_group);
    ga__scope_init(&task->root, &group->scope_, task, NULL, GA__SCOPE_ROOT);
    task->scope = &task->root;
    task->loop->task_count++;
    ga__make_ready(task->loop, task);
}

/* A scope or group that is left open lies in a frame that is gone: there is no safe way on. */
static void stop_at_leak(const ga_task *task)
{
    fprintf(
        stderr,
        "gather: task %s returned while the scope or group that was opened at %s was still open; close it on "
        "every path of the function that opened it\n",
        task->name, task->open_at);
    abort();
}

/* Whether the task ended as it did because it was told to. */
static bool ended_by_cancel(const ga_task *task)
{
    return task->code == GA_ECANCELED && (task->root.flags_ & GA__SCOPE_CANCELLED);
}

/* Sees to it that a failure has a recorded error. */
static void ensure_error(ga_task *task)
{
    if (task->code >= 0 || ga__error_of(task)->code == task->code)
        return;
    ga__fail_for(task, task->code, "%s returned %d", task->name, task->code);
}

/* Gives those who join the task what they wait for at once: before they run, its group may be closed and the
 * record gone. @return whether there were any */
static bool tell_joiners(ga_task *task)
{
    ga__link *link;
    bool any = false;

    while ((link = ga__list_first(&task->joiners))) {
        ga_task *joiner = GA__OF(link, ga_task, queue);

        *(int *)joiner->exchange = task->code;
        if (task->code < 0)
            ga__error_copy(joiner, task);
        ga__wake(joiner, 0);
        any = true;
    }
    return any;
}

void ga__task_end(ga_task *task, int code)
{
    if (GA_UNLIKELY(task->scope != &task->root))
        stop_at_leak(task);
    task->state = GA__TASK_DONE;
    task->code = code;
    ga__scope_detach(&task->root);
    task->loop->task_count--;
    ensure_error(task);
    task->error_read = code >= 0 || ended_by_cancel(task);
    bool joined = tell_joiners(task);

    ga__group_task_ended(task->group, task);
    if (joined) /* it is still there: see ga_task_join */
        task->error_read = true;
}

/* --- the public face ------------------------------------------------------------------------------ */

static ga_task *new_in_group(ga_group *group, size_t payload_size)
{
    ga__loop *loop = ga__loop_here; /* its own context may start tasks, too: see ga_handle_call */

    if (!loop) {
        ga__misuse(
            GA_ENOTASK,
            "a task was started outside a loop: call ga_run first, and start tasks from the function that it "
            "runs");
        return NULL;
    }
    if (loop->forked) {
        ga__fail(GA_EFORKED, "the process forked: a child cannot start tasks on its parent's loop");
        return NULL;
    }
    if (!group || !(group->scope_.flags_ & GA__SCOPE_OPEN)) {
        ga__misuse(GA_EUSAGE, "a task was started in a group that is not open");
        return NULL;
    }
    if (group->scope_.task_->loop != loop) {
        ga__misuse(GA_EUSAGE,
                   "a task was started in the group opened at %s, which is of another thread's loop: use "
                   "ga_handle_call",
                   group->scope_.where_);
        return NULL;
    }
    ga_task *task = ga__task_new(loop, payload_size);

    if (!task)
        ga__fail(GA_ENOMEM, "no memory for a task");
    return task;
}

void *ga_task_new_(ga_group *group, size_t size, int (*thunk)(void *typed), const char *name)
{
    ga_task *task = new_in_group(group, size);

    if (!task)
        return NULL;
    task->started_at = __builtin_return_address(0);
    memset(task->payload, 0, size);
    memcpy(task->payload, &task, sizeof task); /* the first member, `ga_task *task` */
    ga__task_start(task, group, thunk, name);
    return task->payload;
}

typedef struct plain_task {
    int (*fn)(void *arg);
    void *arg;
} plain_task;

static int run_plain(void *payload)
{
    plain_task *plain = payload;

    return plain->fn(plain->arg);
}

ga_task *ga_spawn_named(ga_group *group, int (*fn)(void *arg), void *arg, const char *name)
{
    ga_task *task = new_in_group(group, sizeof(plain_task));

    if (!task)
        return NULL;
    task->started_at = __builtin_return_address(0);
    *(plain_task *)(void *)task->payload = (plain_task){fn, arg};
    ga__task_start(task, group, run_plain, name);
    return task;
}

int ga_task_code_(const void *result, int kind)
{
    if (kind == 1) {
        int code;

        memcpy(&code, result, sizeof code);
        return code < 0 ? code : 0;
    }
    if (kind == 2) {
        void *pointer;

        memcpy(&pointer, result, sizeof pointer);
        return pointer ? 0 : ga_error()->code;
    }
    return 0;
}

/* What there is to say against waiting for the task; 0: nothing. */
static int refuse_join(const ga_task *task)
{
    if (!task)
        return ga_error()->code < 0 ? ga_error()->code
                                    : ga__fail(GA_EUSAGE, "ga_task_join: there is no task");
    if (task == ga__current())
        return ga__fail(GA_EDEADLK, "ga_task_join: task %s waits for itself", task->name);
    if (task->group->flags_ & GA_DISCARD)
        return ga__misuse(GA_EUSAGE,
                          "ga_task_join: task %s is of a GA_DISCARD group: its record goes when it ends",
                          task->name);
    return 0;
}

/* As ga__checkpoint, but without letting others run where the call may go on: they might close the group of
 * the task that is to be joined. */
static int check_only(void)
{
    const ga_task *self = ga__current();

    if (!self || self->loop->forked || (self->scope->flags_ & GA__SCOPE_CANCELLED))
        return ga__checkpoint();
    return 0;
}

int ga_task_join(ga_task *task)
{
    int code = check_only();

    if (code < 0 || (code = refuse_join(task)) < 0)
        return code;
    if (task->state == GA__TASK_DONE) {
        task->error_read = true;
        if (task->code < 0)
            ga__error_copy(ga__current(), task);
        return task->code;
    }
    const char *name = task->name;
    int result = 0;

    ga__current()->exchange = &result;
    code = ga__park(&task->joiners, GA__NEVER, 0, "a task to end");
    return code < 0 ? ga__fail(code, "cancelled while waiting for task %s", name) : result;
}

int ga_task_done(const ga_task *task)
{
    return task && task->state == GA__TASK_DONE;
}

const ga_error_detail *ga_task_error(ga_task *task)
{
    static const ga_error_detail none = {.message = ""};

    if (!task)
        return ga_error();
    if (task->state != GA__TASK_DONE || task->code >= 0)
        return &none;
    task->error_read = true;
    return ga__error_of(task);
}

void ga_task_cancel(ga_task *task)
{
    if (task && task->state != GA__TASK_DONE)
        ga__scope_cancel(&task->root, GA__SCOPE_OWN);
}

const char *ga_task_name(const ga_task *task)
{
    if (!task)
        task = ga__current();
    return task ? task->name : NULL;
}
