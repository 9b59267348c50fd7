/* SPDX-License-Identifier: MIT */
/*
 * The event. Invariant: while it is set, nobody waits. Who was let go on has seen the event, also when it is
 * cleared before that task runs.
 */
#include "task/loop.h"
#include <gather/sync.h>

void ga_event_init(ga_event *event)
{
    ga__list_init(&event->waiters_);
    event->set_ = 0;
}

void ga_event_set(ga_event *event)
{
    event->set_ = 1;
    ga__wake_all(&event->waiters_, 0);
}

void ga_event_clear(ga_event *event)
{
    event->set_ = 0;
}

int ga_event_is_set(const ga_event *event)
{
    return event->set_;
}

int ga_event_wait(ga_event *event)
{
    int code = ga__checkpoint();

    if (code < 0)
        return code;
    if (event->set_)
        return 0;
    code = ga__park(&event->waiters_, GA__NEVER, 0, "an event");
    return code < 0 ? ga__fail(code, "cancelled while waiting for an event") : 0;
}
