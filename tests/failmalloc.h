/* SPDX-License-Identifier: MIT */
/*
 * Makes allocations fail, one after the other: a flow is run with the first allocation failing, then with the
 * second, until it runs without a failure.
 *
 *     for (int n = 1; failmalloc_again(n); n++) {
 *         int code = the_flow();
 *
 *         if (failmalloc_stop())
 *             assert_int_equal(code, GA_ENOMEM);
 *     }
 *
 * A test that uses it stands in failmalloc_tests in meson.build, which links it with --wrap for malloc,
 * calloc and realloc: calls from the test and from the library go through here, those from other shared
 * libraries do not.
 */
#ifndef FAILMALLOC_H
#define FAILMALLOC_H

#include <stdbool.h>

/* Arms the n-th allocation from now, counted from 1, to fail. False when the round before ran to its end
 * without a failure: there is no n-th. */
bool failmalloc_again(int n);

/* Disarms. @return whether an allocation was made to fail since failmalloc_again */
bool failmalloc_stop(void);

#endif
