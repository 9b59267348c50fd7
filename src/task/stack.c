/* SPDX-License-Identifier: MIT */
/*
 * Stacks in slabs. A slab is one mapping of many stacks, reserved without memory (MAP_NORESERVE) and without
 * huge pages. Each stack's lowest page is its guard: made with MADV_GUARD_INSTALL where the kernel has it
 * (Linux 6.13), which needs no mapping of its own; else with mprotect, which takes two of the process'
 * mappings per stack (vm.max_map_count).
 *
 * A parked task should hold one page, so its frames begin right below the top. All tops at the same place in
 * their page would fight for the same cache sets: they are coloured, moved down by a few cache lines in turn.
 */
#include "task/stack.h"

#include "task/context.h"
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0
#define VALGRIND_STACK_DEREGISTER(id) (void)(id)
#endif

#if GA__TSAN
#include <sanitizer/tsan_interface.h>
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum {
    DEFAULT_SIZE = (GA__ASAN || GA__TSAN ? 256 : 64) * 1024,
    SMALLEST_SIZE = 16 * 1024,
    FIRST_SLAB = 64,
    LARGEST_SLAB = 1024,
    FREE_RESERVE = 256, /* free stacks that keep their memory */
    COLOURS = 16,
    COLOUR_STEP = 64,
};

struct ga__slab {
    struct ga__slab *next;       /* of all */
    struct ga__slab *next_fresh; /* of those with fresh stacks */
    char *base;
    unsigned count;
    unsigned untouched;      /* the first that was never taken */
    unsigned returned_count; /* taken once, guarded, their memory given back */
    unsigned short returned[];
};

static size_t page_size(void)
{
    static size_t size;

    if (!size)
        size = (size_t)sysconf(_SC_PAGESIZE);
    return size;
}

void ga__stacks_init(ga__stacks *stacks, size_t size)
{
    size_t page = page_size();

    if (!size)
        size = DEFAULT_SIZE;
    if (size < SMALLEST_SIZE)
        size = SMALLEST_SIZE;
    *stacks = (ga__stacks){.size = (size + page - 1) / page * page + page};
}

static bool add_slab(ga__stacks *stacks)
{
    unsigned count = stacks->slabs ? stacks->slabs->count * 4 : FIRST_SLAB;

    if (count > LARGEST_SLAB)
        count = LARGEST_SLAB;
    struct ga__slab *slab = calloc(1, sizeof *slab + count * sizeof slab->returned[0]);

    if (!slab) {
        stacks->failure = "no memory";
        return false;
    }
    slab->base = mmap(NULL, stacks->size * count, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (slab->base == MAP_FAILED) {
        stacks->failure =
            "the system gives no more address space for stacks; vm.max_map_count, vm.overcommit_memory and "
            "ulimit -v bound it";
        free(slab);
        return false;
    }
    madvise(slab->base, stacks->size * count, MADV_NOHUGEPAGE);
    slab->count = count;
    slab->next = stacks->slabs;
    stacks->slabs = slab;
    slab->next_fresh = stacks->fresh;
    stacks->fresh = slab;
    return true;
}

static bool guard(ga__stacks *stacks, char *low)
{
    static _Thread_local bool no_guard_install;

    if (!no_guard_install) {
        if (madvise(low, page_size(), MADV_GUARD_INSTALL) == 0)
            return true;
        no_guard_install = errno == EINVAL;
    }
    if (mprotect(low, page_size(), PROT_NONE) == 0)
        return true;
    stacks->failure =
        "the system gives no more memory mappings for the guards of stacks: raise vm.max_map_count (two per "
        "task), or run Linux 6.13 or newer, which needs none";
    return false;
}

static ga__stack *header(const ga__stacks *stacks, const struct ga__slab *slab, unsigned index)
{
    char *end = slab->base + (size_t)(index + 1) * stacks->size;
    size_t colour = index % COLOURS * COLOUR_STEP;

    return (ga__stack *)(void *)(end - colour) - 1;
}

/* Sets up a stack that holds no memory yet. */
static ga__stack *furnish(ga__stacks *stacks, struct ga__slab *slab, unsigned index)
{
    ga__stack *stack = header(stacks, slab, index);
    char *low = slab->base + (size_t)index * stacks->size + page_size();

    *stack = (ga__stack){.slab = slab, .index = index, .low = low};
    stack->high = (char *)((uintptr_t)stack & ~(uintptr_t)15);
    stack->valgrind_id = VALGRIND_STACK_REGISTER(stack->low, stack->high);
#if GA__TSAN
    stack->tsan_fiber = __tsan_create_fiber(0);
#endif
    return stack;
}

static void unfurnish(ga__stack *stack)
{
    VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
#if GA__TSAN
    __tsan_destroy_fiber(stack->tsan_fiber);
#endif
}

ga__stack *ga__stack_take(ga__stacks *stacks)
{
    ga__stack *stack = stacks->free;

    if (GA_LIKELY(stack != NULL)) {
        stacks->free = stack->next;
        stacks->free_count--;
        stacks->in_use++;
        return stack;
    }
    if (!stacks->fresh && !add_slab(stacks))
        return NULL;
    struct ga__slab *slab = stacks->fresh;

    if (slab->returned_count) {
        stack = furnish(stacks, slab, slab->returned[--slab->returned_count]);
    } else {
        if (!guard(stacks, slab->base + (size_t)slab->untouched * stacks->size))
            return NULL;
        stack = furnish(stacks, slab, slab->untouched++);
    }
    if (!slab->returned_count && slab->untouched == slab->count)
        stacks->fresh = slab->next_fresh;
    stacks->in_use++;
    return stack;
}

void ga__stack_give(ga__stacks *stacks, ga__stack *stack)
{
    stack->next = stacks->free;
    stacks->free = stack;
    stacks->free_count++;
    stacks->in_use--;
}

void ga__stacks_trim(ga__stacks *stacks)
{
    while (stacks->free_count > FREE_RESERVE) {
        ga__stack *stack = stacks->free;
        struct ga__slab *slab = stack->slab;
        char *end = slab->base + (size_t)(stack->index + 1) * stacks->size;

        stacks->free = stack->next;
        stacks->free_count--;
        if (!slab->returned_count && slab->untouched == slab->count) {
            slab->next_fresh = stacks->fresh;
            stacks->fresh = slab;
        }
        slab->returned[slab->returned_count++] = (unsigned short)stack->index;
        unfurnish(stack);
        madvise(stack->low, (size_t)(end - stack->low), MADV_DONTNEED);
    }
}

void ga__stacks_free(ga__stacks *stacks)
{
    for (ga__stack *stack = stacks->free; stack; stack = stack->next)
        unfurnish(stack);
    while (stacks->slabs) {
        struct ga__slab *slab = stacks->slabs;

        stacks->slabs = slab->next;
        munmap(slab->base, stacks->size * slab->count);
        free(slab);
    }
    *stacks = (ga__stacks){0};
}
