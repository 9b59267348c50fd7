/* SPDX-License-Identifier: MIT */
/*
 * The context switch where there is no assembler for the processor: POSIX ucontext. It is slower, since glibc
 * also saves the signal mask by a system call at each switch.
 */
#include "task/context.h"

#include <ucontext.h>

/* AddressSanitizer must not keep `here` apart from the stack: of a task that has ended it frees that place.
 */
__attribute__((no_sanitize("address"))) void ga__context_swap(ga__context *from, ga__context *to)
{
    ucontext_t here;

    from->sp = &here;
    swapcontext(&here, to->sp);
}

/* makecontext passes ints: the pointers go in halves. */
static void start(unsigned entry_high, unsigned entry_low, unsigned argument_high, unsigned argument_low)
{
    uintptr_t entry = (uintptr_t)(((uint64_t)entry_high << 32) | entry_low);
    uintptr_t argument = (uintptr_t)(((uint64_t)argument_high << 32) | argument_low);

    ((void (*)(void *))entry)((void *)argument);
    __builtin_trap();
}

void ga__context_make(ga__context *context, char *low, char *high, void (*entry)(void *argument),
                      void *argument)
{
    ucontext_t *new_context =
        (ucontext_t *)(void *)((uintptr_t)(high - sizeof *new_context) & ~(uintptr_t)63);
    uint64_t code = (uintptr_t)entry, data = (uintptr_t)argument;

    getcontext(new_context);
    new_context->uc_link = NULL;
    new_context->uc_stack.ss_sp = low;
    new_context->uc_stack.ss_size = (size_t)((char *)new_context - low);
    makecontext(new_context, (void (*)(void))start, 4, (unsigned)(code >> 32), (unsigned)code,
                (unsigned)(data >> 32), (unsigned)data);
    context->sp = new_context;
}
