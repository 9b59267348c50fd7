/* SPDX-License-Identifier: MIT */
/*
 * The process' budget of descriptors, so that running out of them is a line to wait in and not a failure. The
 * soft limit is raised to the hard one on first use; a reserve is left for the application's own files.
 * Streams take and give on their own; the pool asks and waits. Any thread.
 */
#ifndef GA__DESCRIPTORS_H
#define GA__DESCRIPTORS_H

#include <gather/base.h>
#include <stdbool.h>

/* How many sockets the library may hold at once. */
size_t ga__descriptors_limit(void);
/* How many it holds. */
size_t ga__descriptors_used(void);

/* Takes a place. False where there is none. */
bool ga__descriptors_take(void);
/* Undoes a take whose place was not used: nothing became free, so nobody is woken. */
void ga__descriptors_untake(void);
/* Gives it back, and wakes the first of this thread's tasks that wait. */
void ga__descriptors_give(void);

/* Waits until it is worth trying to open a socket again: one was given back, or a tenth of a second passed,
 * since others in the process close descriptors unseen. Suspends; in order of arrival.
 * @return 0, GA_ETIMEDOUT, GA_ECANCELED */
int ga__descriptors_wait(uint64_t deadline);

#endif
