/* SPDX-License-Identifier: MIT */
/*
 * The redirects that a call followed, for ga_redirect_at. None for nearly all calls.
 */
#ifndef GA__REDIRECT_HISTORY_H
#define GA__REDIRECT_HISTORY_H

#include "base/buffer.h"

/* Notes a redirect that is followed: its status, of three digits, and the URL that gave it. *history is NULL
 * at first. @return 0, GA_ENOMEM (nothing recorded, *history as it was) */
int ga__redirect_history_add(ga__buffer **history, int status, const char *url);

/* NULL is fine. */
void ga__redirect_history_free(ga__buffer *history);

#endif
