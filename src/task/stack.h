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
    bool mapped_guards;     /* the kernel makes guards only of mappings; tests set it */
    bool guards_work;       /* those without a mapping were seen to */
    const char *failure;    /* why the last take returned NULL */
} ga__stacks;

/* `size` in bytes is rounded up to whole pages, and kept between 16 KiB and 1 GiB; 0: the default. */
void ga__stacks_init(ga__stacks *stacks, size_t size);
/* A stack, or NULL: no memory, or no more mappings (the reason is in `failure`). */
ga__stack *ga__stack_take(ga__stacks *stacks);
void ga__stack_give(ga__stacks *stacks, ga__stack *stack);
/* Returns the memory of free stacks beyond a reserve to the system, of so many that it takes about a
 * millisecond. Not to be called on one of them. @return whether there is more to return */
bool ga__stacks_trim(ga__stacks *stacks);
/* No stack may be in use any more. */
void ga__stacks_free(ga__stacks *stacks);

/* How much of a stack is used, for dumps and tests: found by looking at its memory, so it is the most that
 * any task needed there since the stack was last without memory. What was only set to zero does not count.
 * Under AddressSanitizer frames may lie elsewhere; under valgrind whole pages are counted. */
size_t ga__stack_used(const ga__stack *stack);
/* The memory that it holds, in bytes: whole pages. */
size_t ga__stack_resident(const ga__stack *stack);
/* The most that ga__stack_used gives for any stack, in use or free. */
size_t ga__stacks_deepest(const ga__stacks *stacks);

#endif
