/* SPDX-License-Identifier: MIT */
/* Counting and failing allocations. The linker sends the calls here; see failmalloc.h. */
#include "failmalloc.h"

#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

static int remaining; /* allocations until the one that fails; 0: none does */
static bool failed;

static bool fails(void)
{
    if (!remaining || --remaining)
        return false;
    failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

bool failmalloc_again(int n)
{
    if (n > 1 && !failed)
        return false;
    remaining = n;
    failed = false;
    return true;
}

bool failmalloc_stop(void)
{
    remaining = 0;
    return failed;
}
