/* SPDX-License-Identifier: MIT */
/*
 * Lays out a new stack so that the first ga__context_swap to it arrives in ga__context_start with the entry
 * function and its argument in registers. The layout mirrors what the assembler saves.
 */
#include "task/context.h"

void ga__context_start(void);

#if defined(__x86_64__)

void ga__context_make(ga__context *context, char *low, char *high, void (*entry)(void *argument),
                      void *argument)
{
    struct frame {
        uint32_t mxcsr;
        uint32_t x87;
        uintptr_t r15, r14, r13, r12, rbx, rbp, rip;
    } *frame = (struct frame *)(void *)high - 1;
    uint32_t mxcsr;
    uint16_t x87;

    (void)low;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    *frame = (struct frame){
        .mxcsr = mxcsr,
        .x87 = x87,
        .r13 = (uintptr_t)argument,
        .r12 = (uintptr_t)entry,
        .rip = (uintptr_t)ga__context_start,
    };
    context->sp = frame;
}

#elif defined(__aarch64__)

void ga__context_make(ga__context *context, char *low, char *high, void (*entry)(void *argument),
                      void *argument)
{
    struct frame {
        uintptr_t x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30;
        uint64_t d8, d9, d10, d11, d12, d13, d14, d15;
        uint64_t fpcr;
        uint64_t unused;
    } *frame = (struct frame *)(void *)high - 1;
    uint64_t fpcr;

    (void)low;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    *frame = (struct frame){
        .x19 = (uintptr_t)entry,
        .x20 = (uintptr_t)argument,
        .x30 = (uintptr_t)ga__context_start,
        .fpcr = fpcr,
    };
    context->sp = frame;
}

#else
#error "no assembler context switch for this processor: configure with -Dcontext=ucontext"
#endif
