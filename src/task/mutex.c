/* SPDX-License-Identifier: MIT */
/*
 * The mutex. Invariant: it has an owner while anybody waits. Unlocking makes the first in line the owner at
 * once, so nobody overtakes it, and a task that is cancelled after that owns the mutex all the same.
 */
#include "task/loop.h"
#include <gather/sync.h>

void ga_mutex_init(ga_mutex *mutex)
{
    ga__list_init(&mutex->waiters_);
    mutex->owner_ = NULL;
}

static int refuse_relock(const ga_task *task)
{
    return ga__fail(GA_EDEADLK, "task %s holds the mutex already: waiting for it would never end",
                    task->name);
}

int ga_mutex_lock(ga_mutex *mutex)
{
    int code = ga__checkpoint();

    if (code < 0)
        return code;
    ga_task *task = ga__current();

    if (GA_LIKELY(!mutex->owner_)) {
        mutex->owner_ = task;
        return 0;
    }
    if (mutex->owner_ == task)
        return refuse_relock(task);
    code = ga__park(&mutex->waiters_, GA__NEVER, 0, "a mutex");
    return code < 0 ? ga__fail(code, "cancelled while waiting for a mutex") : 0;
}

int ga_mutex_try_lock(ga_mutex *mutex)
{
    ga_task *task = ga__current();

    if (!task)
        return ga__fail(GA_ENOTASK, "ga_mutex_try_lock: only a task can hold a mutex, and none runs here");
    if (mutex->owner_ == task)
        return refuse_relock(task);
    if (mutex->owner_)
        return GA_EAGAIN;
    mutex->owner_ = task;
    return 0;
}

int ga_mutex_unlock(ga_mutex *mutex)
{
    ga_task *task = ga__current();

    if (GA_UNLIKELY(!task || mutex->owner_ != task))
        return ga__misuse(
            GA_EUSAGE,
            "ga_mutex_unlock: %s does not hold the mutex; who locks a mutex unlocks it, and only after "
            "ga_mutex_lock returned 0",
            task ? task->name : "code outside a task");
    mutex->owner_ = ga__wake_first(&mutex->waiters_, 0);
    return 0;
}
