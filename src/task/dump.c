/* SPDX-License-Identifier: MIT */
/*
 * Prints all tasks of a loop as a tree. It walks the scopes, for every task hangs in that tree by its root
 * scope, allocates nothing, and writes with write(2), so that it also serves a program in trouble.
 */
#include "task/loop.h"

#include <errno.h>
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

        if (written < 0 && errno == EINTR)
            continue;
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

static void print_scope(int fd, const ga_scope *scope, uint64_t now)
{
    if (ga__timer_armed(&scope->timer_)) {
        double left = ((double)(scope->timer_.expires << GA__TICK_SHIFT) - (double)now) * 1e-9;

        print(fd, ", deadline in %.3f s (%s)", left, scope->where_);
    }
    if (scope->flags_ & GA__SCOPE_SHIELDED)
        print(fd, ", shielded (%s)", scope->where_);
}

static void print_stack(int fd, const ga__stack *stack)
{
    if (stack)
        print(fd, ", stack %.1f of %.0f KiB", (double)ga__stack_used(stack) / 1024,
              (double)(stack->high - stack->low) / 1024);
}

static void print_task(int fd, const ga__loop *loop, const ga_task *task, uint64_t now)
{
    const char *group = task->root.parent_->where_;

    print(fd, "%*s%s [%p]: ", 2 * depth_of(&task->root), "", task->name, (const void *)task);
    print_state(fd, loop, task, now);
    for (const ga_scope *scope = task->scope; scope != &task->root; scope = scope->parent_)
        print_scope(fd, scope, now);
    if (task->scope->flags_ & GA__SCOPE_CANCELLED)
        print(fd, ", cancelled");
    print_stack(fd, task->stack);
    print(fd, ", in the group opened at %s\n", group);
}

void ga_dump(int fd)
{
    ga__loop *loop = ga__loop_here;

    if (!loop || !loop->root) {
        print(fd, "gather: no loop runs on this thread\n");
        return;
    }
    ga_scope *top = &loop->root->root;
    uint64_t now = loop->poller->ops->now(loop->poller);

    print(fd, "gather: %zu tasks\n", loop->task_count);
    for (ga_scope *scope = top; scope; scope = ga__scope_next(scope, top, true))
        if (scope->flags_ & GA__SCOPE_ROOT)
            print_task(fd, loop, scope->task_, now);
}
