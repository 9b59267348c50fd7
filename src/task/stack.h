/* SPDX-License-Identifier: MIT */
/*
 * Stacks for tasks. They come from slabs of address space that cost nothing until touched, have a guard below
 * each, and are reused last in, first out, so that a short task runs on a warm one.
 */
#ifndef GA__STACK_H
#define GA__STACK_H

#include "base/list.h"
#include <gather/base.h>

/* Lies at the top of the stack that it describes, so that an untouched stack costs nothing. */
typedef struct ga__stack {
    struct ga__stack *next; /* in the free list */
    struct ga__slab *slab;
    char *low;        /* the lowest usable byte, above the guard */
    char *high;       /* just past the highest usable byte */
    void *tsan_fiber; /* under ThreadSanitizer */
    unsigned valgrind_id;
    unsigned index; /* in the slab */
} ga__stack;

typedef struct ga__stacks {
    size_t size; /* address space of one, guard included */
    ga__stack *free;
    size_t free_count, in_use;
    struct ga__slab *slabs; /* all */
    struct ga__slab *fresh; /* those with stacks that hold no memory */
    const char *failure;    /* why the last take returned NULL */
} ga__stacks;

/* `size` in bytes is rounded up to whole pages; 0: the default. */
void ga__stacks_init(ga__stacks *stacks, size_t size);
/* A stack, or NULL: no memory, or no more mappings (the reason is in `failure`). */
ga__stack *ga__stack_take(ga__stacks *stacks);
void ga__stack_give(ga__stacks *stacks, ga__stack *stack);
/* Returns the memory of free stacks beyond a reserve to the system. Not to be called on one of them. */
void ga__stacks_trim(ga__stacks *stacks);
/* All stacks must be free. */
void ga__stacks_free(ga__stacks *stacks);

#endif
