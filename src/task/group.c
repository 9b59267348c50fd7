/* SPDX-License-Identifier: MIT */
/*
 * Groups: tasks that are joined together. A group is a scope that covers both its tasks and the rest of the
 * function that opened it, so that a failure also ends what that function waits for. ga_gather is where that
 * failure is told: after it the function may go on.
 */
#include "task/loop.h"

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

void ga__group_task_ended(ga_group *group, ga_task *task)
{
    group->running_--;
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

/* The failure has been told and no task is left: the function that opened the group may go on. */
static void recover(ga_group *group)
{
    ga_scope *scope = &group->scope_;
    bool outer = scope->parent_ && (scope->parent_->flags_ & GA__SCOPE_CANCELLED);

    if (!outer)
        scope->flags_ &= (unsigned char)~(GA__SCOPE_CANCELLED | GA__SCOPE_OWN | GA__SCOPE_REFUSED);
}

static int first_failure(ga_group *group)
{
    ga_task *failed = group->failed_;

    failed->error_read = true;
    group->failed_ = NULL;
    ga__error_copy(ga__current(), failed);
    return failed->code;
}

int ga_gather(ga_group *group)
{
    ga_task *task = ga__current();

    if (!task || !is_open(group))
        return ga__misuse(task ? GA_EUSAGE : GA_ENOTASK, "ga_gather: the group opened at %s is not open",
                          group->scope_.where_ ? group->scope_.where_ : "(nowhere)");
    int code = 0;

    while (group->running_ && code == 0)
        code = ga__park(&group->waiters_, GA__NEVER, 0, "its group's tasks");
    if (code < 0)
        ga__scope_cancel(&group->scope_, GA__SCOPE_OWN);
    join(group, "its group's cancelled tasks");
    recover(group);
    if (!(group->flags_ & GA_COLLECT) && group->failed_)
        return first_failure(group);
    if (task->scope->flags_ & GA__SCOPE_CANCELLED) {
        ga__scope_refuse(task->scope);
        return ga__fail(GA_ECANCELED, "cancelled while gathering the group opened at %s",
                        group->scope_.where_);
    }
    return (int)group->failures_;
}

void ga_group_close(ga_group *group)
{
    ga__link *link;

    if (!is_open(group) || !ga__current())
        return;
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
