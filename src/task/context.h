/* SPDX-License-Identifier: MIT */
/*
 * The context switch. A context is a saved stack pointer; what a switch saves lies on the stack itself. What
 * the sanitizers and valgrind need to know of stacks is told here and nowhere else.
 */
#ifndef GA__CONTEXT_H
#define GA__CONTEXT_H

#include <gather/base.h>

#if defined(__SANITIZE_ADDRESS__)
#define GA__ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GA__ASAN 1
#endif
#endif
#ifndef GA__ASAN
#define GA__ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define GA__TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GA__TSAN 1
#endif
#endif
#ifndef GA__TSAN
#define GA__TSAN 0
#endif

typedef struct ga__context {
    void *sp; /* NULL before the first switch to it */
} ga__context;

/* Saves the present context in `from` and goes on in `to`. */
void ga__context_swap(ga__context *from, ga__context *to);

/* Prepares `context` so that the first swap to it calls entry(argument) on the stack that ends at `high`.
 * entry may not return. */
void ga__context_make(ga__context *context, char *low, char *high, void (*entry)(void *argument),
                      void *argument);

#endif
