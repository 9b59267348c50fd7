/* SPDX-License-Identifier: MIT */
/*
 * Groups: tasks that are joined together. A group is a scope that covers both its tasks and the rest of the
 * function that opened it, so that a failure also ends what that function waits for. ga_gather is where that
 * failure is told: after it the function may go on.
 */
#include "task/loop.h"

/* Above the public flags in ga_group.flags_: a cancellation from outside ended a task. */
enum { LOST_A_TASK = 128 };

void ga__group_init(ga_group *group, int flags, const char *where)
{
    ga_task *task = ga__current();

    *group = (ga_group){.flags_ = (unsigned char)flags};
    ga__list_init(&group->tasks_);
    ga__list_init(&group->waiters_);
    ga__scope_init(&group->scope_, task ? task->scope : NULL, task, where, GA__SCOPE_GROUP);
}

void ga_group_open_at(ga_group *group, int flags, const char *where)
{
    ga_task *task = ga__current();

    if (!task) {
        *group = (ga_group){.scope_ = {.where_ = where}};
        ga__misuse(GA_ENOTASK,
                   "ga_group_open at %s: no task runs here; call it from the function given to ga_run",
                   where);
        return;
    }
    ga__group_init(group, flags, where);
    task->scope = &group->scope_;
    task->open_at = where;
}

static bool is_open(const ga_group *group)
{
    return group->scope_.flags_ & GA__SCOPE_OPEN;
}

static void tell_unread(const ga_group *group, ga_task *task)
{
    if (task->error_read)
        return;
    task->error_read = true;
    ga__report_unread(task->name, group->scope_.where_, ga__error_of(task));
}

/* Whether neither the task nor its group was told to end, but what is around them. */
static bool ended_from_outside(const ga_group *group, const ga_task *task)
{
    return task->code == GA_ECANCELED && !(task->root.flags_ & GA__SCOPE_OWN) &&
           (group->scope_.flags_ & (GA__SCOPE_CANCELLED | GA__SCOPE_OWN)) == GA__SCOPE_CANCELLED;
}

void ga__group_task_ended(ga_group *group, ga_task *task)
{
    group->running_--;
    if (GA_UNLIKELY(task->code == GA_ECANCELED) && ended_from_outside(group, task))
        group->flags_ |= LOST_A_TASK;
    if (!task->error_read) {
        group->failures_++;
        if (!group->failed_)
            group->failed_ = task;
        if (!(group->flags_ & (GA_COLLECT | GA_DISCARD)))
            ga__scope_cancel(&group->scope_, GA__SCOPE_OWN);
    }
    if (group->flags_ & GA_DISCARD) {
        tell_unread(group, task);
        group->failed_ = NULL;
        ga__unlink(&task->in_group);
        ga__task_free(task);
    }
    if (group->running_ == 0)
        ga__wake_all(&group->waiters_, 0);
}

/* Waits for the end of all tasks, whatever is cancelled. */
static void join(ga_group *group, const char *why)
{
    while (group->running_)
        ga__park(&group->waiters_, GA__NEVER, GA__UNCANCELLABLE, why);
}

/* Takes back, up to `top`, what the scopes of the calling task have from the scopes around them, where these
 * are not cancelled any more. A group inside is left alone: its tasks were told to end. */
static bool settle(ga_scope *scope, const ga_scope *top)
{
    if (scope == top || (scope->flags_ & GA__SCOPE_GROUP))
        return scope->flags_ & GA__SCOPE_CANCELLED;
    if (!settle(scope->parent_, top) && !(scope->flags_ & GA__SCOPE_OWN))
        scope->flags_ &= (unsigned char)~(GA__SCOPE_CANCELLED | GA__SCOPE_REFUSED);
    return scope->flags_ & GA__SCOPE_CANCELLED;
}

/* The failure has been told and no task is left: the function that opened the group may go on. */
static void recover(ga_group *group)
{
    ga_scope *scope = &group->scope_;

    if (!(scope->flags_ & GA__SCOPE_CANCELLED) || (scope->parent_->flags_ & GA__SCOPE_CANCELLED))
        return;
    scope->flags_ &= (unsigned char)~(GA__SCOPE_CANCELLED | GA__SCOPE_OWN | GA__SCOPE_REFUSED);
    settle(ga__current()->scope, scope);
}

static int first_failure(ga_group *group)
{
    ga_task *failed = group->failed_;

    failed->error_read = true;
    group->failed_ = NULL;
    ga__error_copy(ga__current(), failed);
    return failed->code;
}

/* What there is to say against gathering; 0: nothing. */
static int refuse_gather(const ga_group *group)
{
    const ga_task *task = ga__current();

    if (!task || !is_open(group))
        return ga__misuse(task ? GA_EUSAGE : GA_ENOTASK, "ga_gather: the group opened at %s is not open",
                          group->scope_.where_ ? group->scope_.where_ : "(nowhere)");
    if (group->scope_.task_ != task)
        return ga__misuse(
            GA_EUSAGE,
            "ga_gather: task %s did not open the group opened at %s: only who opens a group waits "
            "for it; others may wait for an event",
            task->name, group->scope_.where_);
    if (task->loop->forked)
        return ga__fail(GA_EFORKED, "ga_gather: the process forked: its parent's tasks do not run here");
    return 0;
}

/* Waits for the end of all tasks; after a cancellation, too, for they are cancelled then.
 * @return 0, or GA_ECANCELED where the wait was cancelled */
static int wait_for_tasks(ga_group *group)
{
    int code = ga__current()->scope->flags_ & GA__SCOPE_CANCELLED ? GA_ECANCELED : 0;

    while (group->running_ && code == 0)
        code = ga__park(&group->waiters_, GA__NEVER, 0, "its group's tasks");
    if (code < 0) {
        ga__scope_cancel(&group->scope_, GA__SCOPE_OWN);
        join(group, "its group's cancelled tasks");
    }
    return code;
}

int ga_gather(ga_group *group)
{
    int code = refuse_gather(group);

    if (code < 0)
        return code;
    bool cancelled = wait_for_tasks(group) < 0;
    ga_scope *innermost = ga__current()->scope;

    recover(group);
    if (!(group->flags_ & GA_COLLECT) && group->failed_)
        return first_failure(group);
    if ((cancelled && (innermost->flags_ & GA__SCOPE_CANCELLED)) || (group->flags_ & LOST_A_TASK)) {
        group->flags_ &= (unsigned char)~LOST_A_TASK;
        ga__scope_refuse(innermost);
        return ga__fail(GA_ECANCELED, "cancelled while gathering the group opened at %s",
                        group->scope_.where_);
    }
    return group->flags_ & GA_COLLECT ? (int)group->failures_ : 0;
}

void ga_group_close(ga_group *group)
{
    ga__link *link;

    if (!is_open(group) || !ga__current())
        return;
    ga__scope_check_innermost(&group->scope_);
    if (ga__loop_here->forked) {
        ga__scope_leave(&group->scope_); /* the tasks are the parent's, and never end here */
        return;
    }
    if (group->running_) {
        ga__scope_cancel(&group->scope_, GA__SCOPE_OWN);
        join(group, "its closing group's tasks");
    }
    while ((link = ga__list_pop_front(&group->tasks_))) {
        ga_task *task = GA__OF(link, ga_task, in_group);

        tell_unread(group, task);
        ga__task_free(task);
    }
    ga__scope_leave(&group->scope_);
}

void ga_group_cancel(ga_group *group)
{
    if (is_open(group))
        ga__scope_cancel(&group->scope_, GA__SCOPE_OWN);
}

size_t ga_group_running(const ga_group *group)
{
    return group->running_;
}
