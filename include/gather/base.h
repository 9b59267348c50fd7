/* SPDX-License-Identifier: MIT */
/*
 * What every header of gather needs: visibility, compiler attributes, name and value pairs, and
 * freeing on leaving a block.
 */
#ifndef GATHER_BASE_H
#define GATHER_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __cplusplus
#define GA_BEGIN_DECLS extern "C" {
#define GA_END_DECLS }
#else
#define GA_BEGIN_DECLS
#define GA_END_DECLS
#endif

#if !defined(__GNUC__)
#error "gather needs gcc or clang"
#endif

#define GA_API __attribute__((visibility("default")))
#define GA_MUST_USE __attribute__((warn_unused_result))
#define GA_PRINTF(string, first) __attribute__((__format__(__printf__, string, first)))
#define GA_UNUSED __attribute__((unused))
#define GA_NOINLINE __attribute__((noinline))
#define GA_LIKELY(x) __builtin_expect(!!(x), 1)
#define GA_UNLIKELY(x) __builtin_expect(!!(x), 0)

#define GA_STRING_(x) #x
#define GA_STRING(x) GA_STRING_(x)
/** The place in the source where the macro stands, as "file.c:12". */
#define GA_HERE __FILE__ ":" GA_STRING(__LINE__)

/** A duration that never ends, in seconds. */
#define GA_FOREVER 1e18

GA_BEGIN_DECLS

/** A name with its value: a header, a query parameter, a form field. */
typedef struct ga_pair {
    const char *name;
    const char *value;
} ga_pair;

/* A place in an intrusive list; private, embedded in public structs. */
struct ga_link_ {
    struct ga_link_ *prev, *next;
};

/** An array of pairs for an option that takes one: `.params = GA_PAIRS({"page", "2"}, {"per_page", "50"})`.
 *  It lives as long as the enclosing block. */
#define GA_PAIRS(...) ((const ga_pair[]){__VA_ARGS__, {NULL, NULL}})

/** A new string as printf would print it.
 *  @return the string, the caller's to free; NULL with GA_ENOMEM when there is no memory. */
GA_API char *ga_format(const char *format, ...) GA_PRINTF(1, 2);

/** The version of the library that runs, "0.1.0". */
GA_API const char *ga_version(void);

static inline void ga_autofree_(void *pointer)
{
    void *block;

    __builtin_memcpy(&block, pointer, sizeof block);
    free(block);
}

GA_END_DECLS

/** `ga_autofree char *text = ga_text(response);` is freed on leaving its block, on every path. */
#define ga_autofree __attribute__((cleanup(ga_autofree_)))

/** `ga_auto(ga_response) response = ga_get(session, url);` is freed on leaving its block, on every path. */
#define ga_auto(type) __attribute__((cleanup(type##_auto_))) type *

/* Gives the type what ga_auto(type) needs: a function that frees, called with the variable's address. */
#define GA_AUTO_DEFINE_(type, free_function)                   \
    static inline GA_UNUSED void type##_auto_(type **variable) \
    {                                                          \
        free_function(*variable);                              \
    }

#endif
