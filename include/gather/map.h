/* SPDX-License-Identifier: MIT */
/*
 * One function over many inputs, so many at a time. Inputs are pulled when there is room for them: a million
 * of them never means a million tasks.
 *
 *     static char *fetch_data(ga_session *session, const char *url)
 *     {
 *         ga_auto(ga_response) response = ga_get(session, url);
 *
 *         return ga_text(response);
 *     }
 *     GA_MAP(char *, fetch_data, ga_session *, const char *);
 *
 *     ga_map map;
 *     ga_map_item *item;
 *
 *     fetch_data_map(&map, session, (ga_map_options){.limit = 100, .inputs = urls, .count = COUNT});
 *     while ((item = ga_map_next(&map))) {
 *         puts(item->code < 0 ? item->error->message : fetch_data_result(item));
 *         free(fetch_data_result(item));
 *     }
 *     return ga_map_close(&map);
 */
#ifndef GATHER_MAP_H
#define GATHER_MAP_H

#include <gather/base.h>
#include <gather/error.h>
#include <gather/task.h>

GA_BEGIN_DECLS

/** An input with what became of it. */
typedef struct ga_map_item {
    size_t index;                 /**< its place among the inputs, from 0 */
    void *input;                  /**< the input, as the source gave it */
    void *result;                 /**< what the function wrote there; all zero where it wrote nothing */
    int code;                     /**< what the function returned; negative when it failed */
    const ga_error_detail *error; /**< with a negative code its detail; else NULL */
} ga_map_item;

/** What runs for each input, beside other inputs. `result` is all zero at first.
 *  @return 0 or more; negative when it failed, with the detail recorded (ga_fail, or by what it called) */
typedef int ga_map_function(void *context, const void *input, void *result);

/** Gives the next input. May suspend; is not called again before it has returned, nor after the end.
 *  @return 1 with the input written; 0 at the end; negative, with the detail recorded, when it failed, which
 *          ends the inputs */
typedef int ga_map_source(void *source, void *input);

/** What is left 0 has its default. */
typedef struct ga_map_options {
    void *context; /**< the function's first argument */
    int limit;     /**< at most so many inputs at once, 100; as many results may wait to be taken besides */

    const void *inputs;  /**< the inputs as an array, with count; or next */
    size_t count;        /**< how many there are */
    ga_map_source *next; /**< gives the inputs one by one */
    void *source;        /**< its first argument */

    size_t input_size;  /**< bytes of an input; 0 with next: it writes none */
    size_t result_size; /**< bytes of a result; 0: none */

    int as_completed; /**< nonzero: results come as they are ready; else in the order of the inputs */
    int fail_fast;    /**< nonzero: the first failure ends the map, and cancels what runs */

    /** Is given what ran but was not taken before the close, to free what it holds; or NULL. It may not
     *  suspend. */
    void (*discard)(void *context, ga_map_item *item);
} ga_map_options;

/** A map that runs. It lives on the caller's stack. Its members are private. */
typedef struct ga_map {
    ga_group group_;
    ga_map_options options_;
    ga_map_function *function_;
    const char *name_;
    struct ga_map_slot_ *taken_;
    struct ga_link_ free_;
    struct ga_link_ out_;
    struct ga_link_ idle_;
    struct ga_link_ consumer_;
    struct ga__error *error_;
    size_t pulled_;
    size_t held_;
    int workers_;
    int code_;
    int interrupted_;
    unsigned char flags_;
} ga_map;

/** Opens a map in the calling task, with options by name. Close it in the same function, as a group. The
 *  function runs for the first input when the caller next suspends. Does not suspend.
 *  @return 0; GA_EUSAGE (neither inputs nor next), GA_ENOTASK; ga_map_close says them again, so this need not
 *          be looked at */
#define ga_map_open(map, function, ...) \
    ga_map_open_at((map), (function), &(const ga_map_options){__VA_ARGS__}, #function, GA_HERE)
GA_API int ga_map_open_at(ga_map *map, ga_map_function *function, const ga_map_options *options,
                          const char *name, const char *where);

/** Waits for the next result. Suspends. For one task at a time.
 *  @return the item, valid until the next call or the close; what its result holds is the caller's. NULL at
 *          the end, or on failure: ga_map_close tells which. After GA_ECANCELED nothing was taken, and a
 *          later call goes on. */
GA_API ga_map_item *ga_map_next(ga_map *map);

/** Closes the map: cancels what still runs, waits for its end, gives results that were not taken to
 *  `discard`. May suspend, and is itself not cancelled. Harmless on a map that is closed.
 *  @return 0, also when single inputs failed or results were left; the first failure's code with fail_fast;
 *          the source's; what the last ga_map_next or ga_map_open failed with. Its detail is in ga_error() */
GA_API int ga_map_close(ga_map *map);

GA_END_DECLS

#ifndef __cplusplus

/**
 * `GA_MAP(char *, fetch_data, ga_session *, const char *);` on the line after the function
 * `char *fetch_data(ga_session *session, const char *url)` gives the typed
 *
 *     int fetch_data_map(ga_map *map, ga_session *session, ga_map_options options);
 *     const char *fetch_data_input(const ga_map_item *item);
 *     char *fetch_data_result(const ga_map_item *item);
 *
 * The first is ga_map_open with the context and the sizes filled in: inputs are `const char *`, as an array
 * or from `.next`. As in GA_TASK an int below 0, or a NULL pointer with an error recorded, is a failure. The
 * function's first argument, the context, is a pointer.
 */
#define GA_MAP(result_type, name, context_type, input_type)                                           \
    static int name##_mapped_(void *context, const void *input, void *result)                         \
    {                                                                                                 \
        result_type value = name((context_type)context, *(input_type const *)input);                  \
                                                                                                      \
        *(result_type *)result = value;                                                               \
        return ga_task_code_(&value, GA_RESULT_KIND_(value));                                         \
    }                                                                                                 \
    static inline GA_UNUSED int name##_map(ga_map *map, context_type context, ga_map_options options) \
    {                                                                                                 \
        options.context = (void *)(uintptr_t)context;                                                 \
        options.input_size = sizeof(input_type);                                                      \
        options.result_size = sizeof(result_type);                                                    \
        return ga_map_open_at(map, name##_mapped_, &options, #name, "GA_MAP of " #name ", " GA_HERE); \
    }                                                                                                 \
    static inline GA_UNUSED input_type name##_input(const ga_map_item *item)                          \
    {                                                                                                 \
        return *(input_type const *)item->input;                                                      \
    }                                                                                                 \
    static inline GA_UNUSED result_type name##_result(const ga_map_item *item)                        \
    {                                                                                                 \
        return *(result_type *)item->result;                                                          \
    }                                                                                                 \
    struct ga_map

#endif

#endif
