/* SPDX-License-Identifier: MIT */
/*
 * Stacks for tasks. They come from slabs of address space that cost nothing until touched, have a guard below
 * each, and are reused last in, first out, so that a short task runs on a warm one.
 */
#ifndef GA__STACK_H
#define GA__STACK_H

#include "base/list.h"
#include <gather/base.h>

typedef struct ga__stack {
    struct ga__stack *next; /* in the free list */
    char *low;              /* the lowest usable byte, above the guard */
    char *high;             /* just past the highest usable byte, coloured */
    void *sanitizer;        /* TSan's fiber or ASan's fake stack */
    unsigned valgrind;
} ga__stack;

typedef struct ga__stacks {
    size_t size; /* address space of one, guard included */
    ga__stack *free;
    struct ga__slab *slabs;
    size_t in_use, free_count;
    const char *failure; /* why the last take returned NULL */
} ga__stacks;

void ga__stacks_init(ga__stacks *stacks, size_t size);
/* A stack, or NULL: no memory, or no more mappings (the reason is in `failure`). */
ga__stack *ga__stack_take(ga__stacks *stacks);
void ga__stack_give(ga__stacks *stacks, ga__stack *stack);
void ga__stacks_free(ga__stacks *stacks);

#endif
