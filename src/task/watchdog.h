/* SPDX-License-Identifier: MIT */
/*
 * Names a task that holds its loop too long, with its backtrace, and prints the task tree on a signal where
 * the program asked for it.
 */
#ifndef GA__WATCHDOG_H
#define GA__WATCHDOG_H

#include <gather/task.h>

struct ga__loop;

/* Watches the calling thread's loop as the options say (NULL: the defaults).
 * @return 0, GA_ENOMEM, GA_ESYSTEM, GA_EUSAGE; recorded */
int ga__watchdog_start(struct ga__loop *loop, const ga_run_options *options);
void ga__watchdog_stop(struct ga__loop *loop);
/* Prints the task tree if a signal asked for it since the last call. The loop calls it once a turn. */
void ga__watchdog_turn(struct ga__loop *loop);

#endif
