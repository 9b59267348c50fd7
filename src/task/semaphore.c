/* SPDX-License-Identifier: MIT */
/*
 * The semaphore. Invariant: while a permit is free, nobody waits. So who comes never overtakes who waits, and
 * a release hands its permit to the first in line, which then has it whatever is cancelled later.
 */
#include "task/loop.h"
#include <gather/sync.h>

void ga_semaphore_init(ga_semaphore *semaphore, size_t permits)
{
    ga__list_init(&semaphore->waiters_);
    semaphore->permits_ = permits;
}

int ga_semaphore_acquire(ga_semaphore *semaphore)
{
    int code = ga__checkpoint();

    if (code < 0)
        return code;
    if (GA_LIKELY(semaphore->permits_ > 0)) {
        semaphore->permits_--;
        return 0;
    }
    code = ga__park(&semaphore->waiters_, GA__NEVER, 0, "a semaphore's permit");
    return code < 0 ? ga__fail(code, "cancelled while waiting for a semaphore's permit") : 0;
}

int ga_semaphore_try_acquire(ga_semaphore *semaphore)
{
    if (!semaphore->permits_)
        return GA_EAGAIN;
    semaphore->permits_--;
    return 0;
}

void ga_semaphore_release(ga_semaphore *semaphore)
{
    if (!ga__wake_first(&semaphore->waiters_, 0))
        semaphore->permits_++;
}

size_t ga_semaphore_permits(const ga_semaphore *semaphore)
{
    return semaphore->permits_;
}
