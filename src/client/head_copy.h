/* SPDX-License-Identifier: MIT */
/*
 * A copy of a request's head as it was written, with its fields as pairs: for what shows requests to people.
 */
#ifndef GA__HEAD_COPY_H
#define GA__HEAD_COPY_H

#include "base/buffer.h"

typedef struct ga__head_copy {
    ga__buffer bytes; /* the request line is its string; NULs stand behind names and values, too */
    ga_pair *fields;  /* in their order; ends with a NULL name */
} ga__head_copy;

/* Copies a head that ga__call_write_head has written. @return 0, GA_ENOMEM (not recorded) */
int ga__head_copy_make(ga__head_copy *copy, const ga__buffer *head);

/* Of one that is all zero, too. */
void ga__head_copy_free(ga__head_copy *copy);

#endif
