/* SPDX-License-Identifier: MIT */
/*
 * Prints all tasks of a loop as a tree. It walks the scopes, for every task hangs in that tree by its root
 * scope, allocates nothing, and writes with write(2), so that it also serves a program in trouble.
 */
#include "task/loop.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print(int fd, const char *format, ...) GA_PRINTF(2, 3);

static void print(int fd, const char *format, ...)
{
    char line[512];
    va_list arguments;

    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (size < 0)
        return;
    size_t length = (size_t)size < sizeof line ? (size_t)size : sizeof line - 1;

    for (const char *rest = line; length;) {
        ssize_t written = write(fd, rest, length);

        if (written <= 0)
            return;
        rest += written;
        length -= (size_t)written;
    }
}

static void print_state(int fd, const ga__loop *loop, const ga_task *task, uint64_t now)
{
    switch (task->state) {
    case GA__TASK_NEW:
    case GA__TASK_READY:
        print(fd, task->stack ? "ready to go on" : "not started yet");
        break;
    case GA__TASK_RUNNING:
        print(fd, task == loop->current ? "running" : "about to run");
        break;
    case GA__TASK_PARKED:
        print(fd, "waits for %s, %.3f s", task->waiting_for, (double)(now - task->since) * 1e-9);
        break;
    default:
        print(fd, "ended");
    }
}

static int depth_of(const ga_scope *scope)
{
    int depth = 0;

    for (scope = scope->parent_; scope; scope = scope->parent_)
        depth += (scope->flags_ & (GA__SCOPE_ROOT | GA__SCOPE_GROUP)) != 0;
    return depth / 2;
}

static void print_deadline(int fd, const ga_scope *scope, uint64_t now)
{
    if (!ga__timer_armed(&scope->timer_))
        return;
    double left = ((double)(scope->timer_.expires << GA__TICK_SHIFT) - (double)now) * 1e-9;

    print(fd, ", deadline in %.3f s (%s)", left, scope->where_);
}

static void print_task(int fd, const ga__loop *loop, const ga_task *task, uint64_t now)
{
    const char *group = task->root.parent_ ? task->root.parent_->where_ : NULL;

    print(fd, "%*s%s [%p]: ", 2 * depth_of(&task->root), "", task->name, (const void *)task);
    print_state(fd, loop, task, now);
    for (const ga_scope *scope = task->scope; scope != &task->root; scope = scope->parent_)
        print_deadline(fd, scope, now);
    if (task->scope->flags_ & GA__SCOPE_CANCELLED)
        print(fd, ", cancelled");
    print(fd, group ? ", in the group opened at %s\n" : "\n", group);
}

void ga_dump(int fd)
{
    ga__loop *loop = ga__loop_here;

    if (!loop || !loop->root) {
        print(fd, "gather: no loop runs on this thread\n");
        return;
    }
    const ga_scope *top = &loop->root->root;
    const ga_scope *scope = top;
    uint64_t now = loop->poller->ops->now(loop->poller);

    print(fd, "gather: %zu tasks\n", loop->task_count);
    while (scope) {
        if (scope->flags_ & GA__SCOPE_ROOT)
            print_task(fd, loop, scope->task_, now);
        if (!ga__list_empty(&scope->children_)) {
            scope = GA__OF(scope->children_.next, ga_scope, sibling_);
            continue;
        }
        while (scope != top && scope->sibling_.next == &scope->parent_->children_)
            scope = scope->parent_;
        scope = scope == top ? NULL : GA__OF(scope->sibling_.next, ga_scope, sibling_);
    }
}
