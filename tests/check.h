/* SPDX-License-Identifier: MIT */
/*
 * What the tests share, on top of cmocka: include this instead of <cmocka.h>.
 *
 * A test program has one group of tests, so that its output is one list:
 *
 *     static void appends_keep_their_order(void **state) { ... }
 *
 *     int main(void)
 *     {
 *         const struct CMUnitTest tests[] = {cmocka_unit_test(appends_keep_their_order)};
 *
 *         return cmocka_run_group_tests(tests, NULL, NULL);
 *     }
 */
#ifndef CHECK_H
#define CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/url.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* In TAP, cmocka 1.1.5 calls a case that was skipped "not ok", which counts as a failure. */
#undef skip
/** Leaves out the case; it is counted as skipped. In the function of the case itself. */
#define skip()                 \
    do {                       \
        printf("# skipped\n"); \
        return;                \
    } while (0)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHECK_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHECK_SANITIZED 1
#endif
#endif
#ifndef CHECK_SANITIZED
/** Whether a sanitizer was compiled in. */
#define CHECK_SANITIZED 0
#endif

/** Whether a sanitizer or valgrind slows the program down and makes its memory larger: sizes and times are
 * then to be smaller, and figures are not to be checked. */
bool check_slowed(void);

/** The text has the part in it, or has not; there is a text in any case. */
#define assert_contains(text, part) check_part((text), (part), true, __FILE__, __LINE__)
#define assert_lacks(text, part) check_part((text), (part), false, __FILE__, __LINE__)
void check_part(const char *text, const char *part, bool wanted, const char *file, int line);

/** A URL, which must be one; ga__url_free() when done. */
ga__url check_url(const char *text);

/** The byte at this place of a pattern that does not repeat soon: what arrives elsewhere is noticed. */
static inline unsigned char check_byte_at(size_t place)
{
    return (unsigned char)((place * 2654435761u) >> 16);
}

/** How many descriptors the process has open: the same before and after, or something leaked. */
int check_open_descriptors(void);

/** How many threads the process has. */
int check_threads(void);

/** The real clock, in seconds. */
double check_now(void);

/** A port of 127.0.0.1 that nobody listens on at the moment. */
int check_free_port(void);

/** A new empty directory, under the build root. check_rmdir() removes it with what is in it; the caller's to
 * free. */
char *check_mkdtemp(void);
void check_rmdir(const char *path);

/** Writes a file; the test fails where it cannot. */
void check_write_file(const char *path, const char *text);
/** A directory that the tests of a group share: check_make_directory and check_remove_directory are a group's
 * set-up and tear-down, or are called by them. */
extern char *check_directory;
int check_make_directory(void **state);
int check_remove_directory(void **state);
/** The path of a name in it, and the same after having written the file; the caller's to free. */
char *check_path(const char *name);
char *check_new_file(const char *name, const char *text);

/** A whole file as a string, the caller's to free; the test fails where it cannot be read. */
char *check_read_file(const char *path);

/** A program that was started, a server for the most part. It dies with the test. */
typedef struct check_process {
    pid_t pid;
    int out; /**< the read end of its standard output */
} check_process;

/** Starts argv[0], looked for in PATH, with its standard output in a pipe and its standard error here. */
check_process check_start(const char *const *argv);
/** The next line of its standard output, without the newline, the caller's to free; the test fails when none
 * comes in 30 s. */
char *check_read_line(check_process *process);
/** Ends it, SIGTERM first, and waits. @return its exit status, or 128 + the signal. */
int check_stop(check_process *process);
/** Waits until somebody listens on the port of 127.0.0.1; the test fails when nobody does in 30 s. */
void check_wait_for_port(int port);

/** The path of a program of this build, "todo-api"; the caller's to free. */
char *check_built(const char *name);

#endif
