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

/* The next scope in the subtree of `top`, depth first; its children are left out where `descend` is false. */
static ga_scope *next_scope(ga_scope *scope, const ga_scope *top, bool descend)
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
    for (ga_scope *scope = top; scope; scope = next_scope(scope, top, descend)) {
        descend = scope == top || !(scope->flags_ & (GA__SCOPE_SHIELDED | GA__SCOPE_CANCELLED));
        if (!descend)
            continue;
        scope->flags_ |= GA__SCOPE_CANCELLED;
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
    ga__scope_cancel(GA__OF(timer, ga_scope, timer_), GA__SCOPE_OWN | GA__SCOPE_EXPIRED);
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
    if (seconds < GA_FOREVER) {
        scope->timer_.fire = expire;
        ga__timer_arm(&scope->timer_, ga__deadline(ga__now_exact(), seconds));
    }
}

/* A scope that does not lie innermost: something inside it was left open, in a frame that may be gone. */
static void check_innermost(const ga_task *task, const ga_scope *scope)
{
    if (task && task->scope == scope)
        return;
    fprintf(stderr,
            "gather: the scope or group opened at %s is being closed while %s; close what is opened in a "
            "function in that "
            "function, innermost first\n",
            scope->where_, task ? task->open_at : "no task runs");
    if (task)
        fprintf(stderr, "gather: still open is what was opened at %s, in task %s\n", task->open_at,
                task->name);
    abort();
}

void ga__scope_leave(ga_scope *scope)
{
    ga_task *task = ga__current();

    check_innermost(task, scope);
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
