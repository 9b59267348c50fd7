/* SPDX-License-Identifier: MIT */
/*
 * Scopes: a tree over all tasks of a loop. A task's root scope hangs under its group's scope, which hangs
 * under the scope in which the group was opened. Cancelling marks the subtree, shielded branches excepted,
 * and wakes the tasks that wait in it; from then on the check whether a task may go on is one load of its
 * innermost scope's flags.
 */
#include "task/loop.h"

#include <stdio.h>

static bool inherits(const ga_scope *parent, unsigned flags)
{
    return parent && (parent->flags_ & GA__SCOPE_CANCELLED) && !(flags & GA__SCOPE_SHIELDED);
}

void ga__scope_init(ga_scope *scope, ga_scope *parent, ga_task *task, const char *where, unsigned flags)
{
    scope->parent_ = parent;
    scope->sibling_ = (ga__link){NULL, NULL};
    scope->task_ = task;
    scope->timer_.link = (ga__link){NULL, NULL};
    scope->where_ = where;
    scope->seconds_ = GA_FOREVER;
    scope->flags_ =
        (unsigned char)(flags | GA__SCOPE_OPEN | (inherits(parent, flags) ? GA__SCOPE_CANCELLED : 0));
    ga__list_init(&scope->children_);
    if (parent)
        ga__list_push_back(&parent->children_, &scope->sibling_);
}

void ga__scope_detach(ga_scope *scope)
{
    ga__unlink(&scope->sibling_);
    ga__timer_disarm(&scope->timer_);
    scope->flags_ &= (unsigned char)~GA__SCOPE_OPEN;
}

static void wake_waiting(ga_scope *scope)
{
    ga_task *task = scope->task_;

    if (task && task->scope == scope && task->state == GA__TASK_PARKED && !task->uncancellable) {
        ga__scope_refuse(scope);
        ga__wake(task, GA_ECANCELED);
    }
}

ga_scope *ga__scope_next(ga_scope *scope, const ga_scope *top, bool descend)
{
    if (descend && !ga__list_empty(&scope->children_))
        return GA__OF(scope->children_.next, ga_scope, sibling_);
    while (scope != top) {
        if (scope->sibling_.next != &scope->parent_->children_)
            return GA__OF(scope->sibling_.next, ga_scope, sibling_);
        scope = scope->parent_;
    }
    return NULL;
}

void ga__scope_cancel(ga_scope *top, unsigned how)
{
    bool descend;

    top->flags_ |= (unsigned char)how;
    if (top->flags_ & GA__SCOPE_CANCELLED)
        return;
    for (ga_scope *scope = top; scope; scope = ga__scope_next(scope, top, descend)) {
        descend = scope == top || !(scope->flags_ & (GA__SCOPE_SHIELDED | GA__SCOPE_CANCELLED));
        if (!descend)
            continue;
        scope->flags_ |= GA__SCOPE_CANCELLED;
        wake_waiting(scope);
    }
}

void ga__scope_cancel_all(ga_scope *top)
{
    for (ga_scope *scope = top; scope; scope = ga__scope_next(scope, top, true)) {
        scope->flags_ |= GA__SCOPE_CANCELLED | GA__SCOPE_OWN;
        wake_waiting(scope);
    }
}

void ga__scope_refuse(ga_scope *innermost)
{
    for (ga_scope *scope = innermost; scope && (scope->flags_ & GA__SCOPE_CANCELLED); scope = scope->parent_)
        scope->flags_ |= GA__SCOPE_REFUSED;
}

static void expire(ga_timer_ *timer)
{
    ga_scope *scope = GA__OF(timer, ga_scope, timer_);

    if (!(scope->flags_ & GA__SCOPE_OWN)) /* else it was cancelled before its time */
        ga__scope_cancel(scope, GA__SCOPE_OWN | GA__SCOPE_EXPIRED);
}

void ga_scope_open_at(ga_scope *scope, double seconds, int shielded, const char *where)
{
    ga_task *task = ga__current();

    if (!task) {
        ga__misuse(GA_ENOTASK,
                   "ga_scope_open at %s: no task runs here; call it from the function given to ga_run",
                   where);
        *scope = (ga_scope){.where_ = where};
        return;
    }
    ga__scope_init(scope, task->scope, task, where, shielded ? GA__SCOPE_SHIELDED : 0);
    scope->seconds_ = seconds;
    task->scope = scope;
    task->open_at = where;
    if (!(seconds >= GA_FOREVER)) { /* what is not a number has passed, as in ga_sleep */
        scope->timer_.fire = expire;
        ga__timer_arm(&scope->timer_, ga__deadline(ga__now_exact(), seconds));
    }
}

/* Where it is not: something inside it was left open, in a frame that may be gone, or it is another task's.
 */
void ga__scope_check_innermost(const ga_scope *scope)
{
    const ga_task *task = ga__current();

    if (GA_LIKELY(task && task->scope == scope))
        return;
    fprintf(stderr, "gather: the scope or group opened at %s is closed ", scope->where_);
    if (!task)
        fprintf(stderr, "where no task runs");
    else if (scope->task_ != task)
        fprintf(stderr, "by task %s, which did not open it", task->name);
    else
        fprintf(stderr, "in task %s while the one opened at %s is still open", task->name, task->open_at);
    fprintf(stderr, "; close what a function opens in that function, innermost first\n");
    abort();
}

void ga__scope_leave(ga_scope *scope)
{
    ga_task *task = ga__current();

    ga__scope_check_innermost(scope);
    task->scope = scope->parent_;
    task->open_at = scope->parent_->where_;
    ga__scope_detach(scope);
}

static int timed_out(const ga_scope *scope)
{
    const ga_error_detail *error = ga_error();

    if (error->code != GA_ECANCELED) {
        ga__fail(GA_ETIMEDOUT, "timed out after %g s, in the scope opened at %s", scope->seconds_,
                 scope->where_);
        ga__error_edit()->timeout = "scope";
        return GA_ETIMEDOUT;
    }
    return ga__error_rewrite(GA_ETIMEDOUT, "scope", "timed out after %g s, in the scope opened at %s: %s",
                             scope->seconds_, scope->where_, error->message);
}

int ga_scope_close(ga_scope *scope)
{
    unsigned flags = scope->flags_;

    if (!(flags & GA__SCOPE_OPEN))
        return ga_error()->code < 0 ? ga_error()->code
                                    : ga__misuse(GA_EUSAGE, "ga_scope_close: the scope is not open");
    ga__scope_leave(scope);
    if (inherits(scope->parent_, 0)) {
        ga__scope_refuse(scope->parent_);
        if ((flags & GA__SCOPE_REFUSED) && ga_error()->code == GA_ECANCELED)
            return GA_ECANCELED; /* what was cancelled has said more */
        return ga__fail(GA_ECANCELED, "cancelled");
    }
    if ((flags & GA__SCOPE_EXPIRED) && (flags & GA__SCOPE_REFUSED))
        return timed_out(scope);
    return 0;
}

void ga_scope_cancel(ga_scope *scope)
{
    if (scope && (scope->flags_ & GA__SCOPE_OPEN))
        ga__scope_cancel(scope, GA__SCOPE_OWN);
}

int ga_scope_cancelled(const ga_scope *scope)
{
    if (!scope) {
        ga_task *task = ga__current();

        scope = task ? task->scope : NULL;
    }
    return scope && (scope->flags_ & GA__SCOPE_CANCELLED);
}
