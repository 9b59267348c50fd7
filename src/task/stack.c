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
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0
#define VALGRIND_STACK_DEREGISTER(id) (void)(id)
#define RUNNING_ON_VALGRIND 0
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
    LARGEST_SIZE = 1 << 30,
    FIRST_SLAB = 64, /* stacks */
    LARGEST_SLAB = 1024,
    SMALLEST_SLAB = 64,     /* that is tried where there is no room for a larger one */
    SLAB_BYTES = 512 << 20, /* with large stacks, fewer of them */
    FREE_RESERVE = 256,     /* free stacks that keep their memory */
    TRIMMED_AT_ONCE = 1024,
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
    static _Atomic size_t known;
    size_t size = atomic_load_explicit(&known, memory_order_relaxed);

    if (!size) {
        size = (size_t)sysconf(_SC_PAGESIZE);
        atomic_store_explicit(&known, size, memory_order_relaxed);
    }
    return size;
}

void ga__stacks_init(ga__stacks *stacks, size_t size)
{
    size_t page = page_size();

    if (!size)
        size = DEFAULT_SIZE;
    if (size < SMALLEST_SIZE)
        size = SMALLEST_SIZE;
    if (size > LARGEST_SIZE)
        size = LARGEST_SIZE;
    *stacks = (ga__stacks){.size = (size + page - 1) / page * page + page};
}

static char *reserve(size_t size)
{
    char *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

    if (base == MAP_FAILED)
        return NULL;
    madvise(base, size, MADV_NOHUGEPAGE);
    return base;
}

/* How many stacks the next slab should have: each slab is larger than the one before. */
static unsigned next_count(const ga__stacks *stacks)
{
    unsigned count = stacks->slabs ? stacks->slabs->count * 4 : FIRST_SLAB;

    if (count > LARGEST_SLAB)
        count = LARGEST_SLAB;
    while (count > 1 && stacks->size * count > SLAB_BYTES)
        count /= 2;
    return count;
}

/* Reserves room for *count stacks; where there is too little, for as many as half of what is there has room
 * for: the rest of the program needs some, too. */
static char *reserve_some(const ga__stacks *stacks, unsigned *count)
{
    unsigned wanted = *count;
    char *base;

    while (!(base = reserve(stacks->size * *count)) && *count > SMALLEST_SLAB)
        *count /= 2;
    if (base && *count < wanted) {
        *count /= 2;
        munmap(base + stacks->size * *count, stacks->size * *count);
    }
    return base;
}

static bool add_slab(ga__stacks *stacks)
{
    unsigned count = next_count(stacks);
    struct ga__slab *slab = calloc(1, sizeof *slab + count * sizeof slab->returned[0]);

    if (!slab) {
        stacks->failure = "no memory";
        return false;
    }
    slab->base = reserve_some(stacks, &count);
    if (!slab->base) {
        stacks->failure =
            "the system gives no more address space for stacks; vm.max_map_count, vm.overcommit_memory and "
            "ulimit -v bound it";
        free(slab);
        return false;
    }
    slab->count = count;
    slab->next = stacks->slabs;
    stacks->slabs = slab;
    slab->next_fresh = stacks->fresh;
    stacks->fresh = slab;
    return true;
}

/* An emulator may take the advice without following it: so the first guard is tried, by a system call that
 * would read it. (valgrind minds that.) */
static bool is_guarded(ga__stacks *stacks, const char *low)
{
    if (!stacks->guards_work)
        stacks->guards_work = RUNNING_ON_VALGRIND || (access(low, F_OK) < 0 && errno == EFAULT);
    return stacks->guards_work;
}

static bool guard(ga__stacks *stacks, char *low)
{
    if (!stacks->mapped_guards) {
        int code = madvise(low, page_size(), MADV_GUARD_INSTALL);

        if (code == 0 && is_guarded(stacks, low))
            return true;
        stacks->mapped_guards = code == 0 || errno == EINVAL;
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

/* ThreadSanitizer counts calls and returns, and the code that ran on the stack last never returned. */
static inline void renew_fiber(ga__stack *stack)
{
#if GA__TSAN
    __tsan_destroy_fiber(stack->tsan_fiber);
    stack->tsan_fiber = __tsan_create_fiber(0);
#endif
    (void)stack;
}

ga__stack *ga__stack_take(ga__stacks *stacks)
{
    ga__stack *stack = stacks->free;

    if (GA_LIKELY(stack != NULL)) {
        renew_fiber(stack);
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

static char *end_of(const ga__stacks *stacks, const ga__stack *stack)
{
    return stack->slab->base + (size_t)(stack->index + 1) * stacks->size;
}

/* Gives a free stack's memory back, its own record with it. */
static void strip(ga__stacks *stacks, ga__stack *stack)
{
    struct ga__slab *slab = stack->slab;
    char *low = stack->low, *end = end_of(stacks, stack);

    if (!slab->returned_count && slab->untouched == slab->count) {
        slab->next_fresh = stacks->fresh;
        stacks->fresh = slab;
    }
    slab->returned[slab->returned_count++] = (unsigned short)stack->index;
    unfurnish(stack);
    madvise(low, (size_t)(end - low), MADV_DONTNEED);
}

bool ga__stacks_trim(ga__stacks *stacks)
{
    for (int i = 0; stacks->free_count > FREE_RESERVE; i++) {
        ga__stack *stack = stacks->free;

        if (i == TRIMMED_AT_ONCE)
            return true;
        stacks->free = stack->next;
        stacks->free_count--;
        strip(stacks, stack);
    }
    return false;
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

/* --- how much is used ----------------------------------------------------------------------------- */

/* The lowest byte at or above `from` that is not zero; `to` where there is none. Both are aligned. */
__attribute__((no_sanitize("address"))) static const char *first_set(const char *from, const char *to)
{
    while (from < to && *(const uint64_t *)(const void *)from == 0)
        from += sizeof(uint64_t);
    return from;
}

/* Which of the stack's pages from `low` on hold memory: at most as many as `present` has room for. */
static size_t look(const char *low, const char *high, unsigned char present[64])
{
    size_t page = page_size(), size = ((size_t)(high - low) + page - 1) / page * page;

    if (size > 64 * page)
        size = 64 * page;
    if (mincore((void *)(uintptr_t)low, size, present) < 0)
        memset(present, 0, 64);
    return size / page;
}

size_t ga__stack_used(const ga__stack *stack)
{
    unsigned char present[64];
    size_t page = page_size(), count;

    for (const char *low = stack->low; low < stack->high; low += count * page) {
        count = look(low, stack->high, present);
        for (size_t i = 0; i < count; i++) {
            const char *from = low + i * page;
            const char *to = from + page < stack->high ? from + page : stack->high;

            if (!(present[i] & 1))
                continue;
            if (!RUNNING_ON_VALGRIND)
                from = first_set(from, to);
            if (from < to)
                return (size_t)(stack->high - from);
        }
    }
    return 0;
}

size_t ga__stack_resident(const ga__stack *stack)
{
    unsigned char present[64];
    size_t page = page_size(), count, pages = 0;

    for (const char *low = stack->low; low < stack->high; low += count * page) {
        count = look(low, stack->high, present);
        for (size_t i = 0; i < count; i++)
            pages += present[i] & 1;
    }
    return pages * page;
}

static bool is_returned(const struct ga__slab *slab, unsigned index)
{
    for (unsigned i = 0; i < slab->returned_count; i++)
        if (slab->returned[i] == index)
            return true;
    return false;
}

size_t ga__stacks_deepest(const ga__stacks *stacks)
{
    size_t deepest = 0;

    for (const struct ga__slab *slab = stacks->slabs; slab; slab = slab->next)
        for (unsigned i = 0; i < slab->untouched; i++) {
            size_t used = is_returned(slab, i) ? 0 : ga__stack_used(header(stacks, slab, i));

            if (used > deepest)
                deepest = used;
        }
    return deepest;
}
