/* SPDX-License-Identifier: MIT */
/*
 * The last failure of a task, or of a thread outside tasks. Most tasks never fail, so the record is made at
 * the first failure; where there is no memory even for that, one that says so stands in.
 */
#include "task/loop.h"

#include "base/ascii.h"
#include <stdio.h>
#include <string.h>

struct ga__error {
    ga_error_detail detail;
    char *message;
    char *url;
};

static const ga_error_detail no_error = {.message = ""};

/* The thread's own error, as a task has its own. */
static _Thread_local ga__error *thread_error;
static _Thread_local int thread_lost_error;
static pthread_key_t thread_key;
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;

static _Atomic(ga_unread_error_handler *) unread_handler;

static const struct {
    int code;
    const char *name;
} code_names[] = {
    {GA_OK, "GA_OK"},
    {GA_ECANCELED, "GA_ECANCELED"},
    {GA_ETIMEDOUT, "GA_ETIMEDOUT"},
    {GA_EDEADLK, "GA_EDEADLK"},
    {GA_ENOTASK, "GA_ENOTASK"},
    {GA_EUSAGE, "GA_EUSAGE"},
    {GA_ECLOSED, "GA_ECLOSED"},
    {GA_ENOMEM, "GA_ENOMEM"},
    {GA_EFDS, "GA_EFDS"},
    {GA_ESYSTEM, "GA_ESYSTEM"},
    {GA_EFORKED, "GA_EFORKED"},
    {GA_EAGAIN, "GA_EAGAIN"},
    {GA_EURL, "GA_EURL"},
    {GA_ESCHEME, "GA_ESCHEME"},
    {GA_EHEADER, "GA_EHEADER"},
    {GA_ENOTREPLAYABLE, "GA_ENOTREPLAYABLE"},
    {GA_EDNS, "GA_EDNS"},
    {GA_EREFUSED, "GA_EREFUSED"},
    {GA_EUNREACHABLE, "GA_EUNREACHABLE"},
    {GA_ECONNECT, "GA_ECONNECT"},
    {GA_ETLS, "GA_ETLS"},
    {GA_ECERT, "GA_ECERT"},
    {GA_EPROXY, "GA_EPROXY"},
    {GA_EPIN, "GA_EPIN"},
    {GA_EDISCONNECTED, "GA_EDISCONNECTED"},
    {GA_ERESET, "GA_ERESET"},
    {GA_EPROTOCOL, "GA_EPROTOCOL"},
    {GA_EHEADTOOBIG, "GA_EHEADTOOBIG"},
    {GA_ETRUNCATED, "GA_ETRUNCATED"},
    {GA_ETOOLARGE, "GA_ETOOLARGE"},
    {GA_EREDIRECT, "GA_EREDIRECT"},
    {GA_ESTATUS, "GA_ESTATUS"},
    {GA_EDECODE, "GA_EDECODE"},
    {GA_ECONTENTTYPE, "GA_ECONTENTTYPE"},
    {GA_EJSON, "GA_EJSON"},
    {GA_ERATELIMITED, "GA_ERATELIMITED"},
    {GA_ETOOCOSTLY, "GA_ETOOCOSTLY"},
};

const char *ga_code_name(int code)
{
    for (size_t i = 0; i < sizeof code_names / sizeof *code_names; i++)
        if (code_names[i].code == code)
            return code_names[i].name;
    return "an unknown code";
}

const char *ga_phase_name(ga_phase phase)
{
    static const char *const names[] = {"none",  "prepare",    "pool", "dns",    "connect", "tls",
                                        "write", "first_byte", "read", "decode", "pace"};

    return (size_t)phase < sizeof names / sizeof *names ? names[phase] : "an unknown phase";
}

void ga__error_free(ga__error *error)
{
    if (!error)
        return;
    free(error->message);
    free(error->url);
    free(error);
}

static void free_thread_error(void *error)
{
    ga__error_free(error);
    thread_error = NULL;
}

/* The main thread's is not freed by its key: exit does not run thread-specific destructors. */
static void free_at_exit(void)
{
    free_thread_error(thread_error);
}

static void make_thread_key(void)
{
    pthread_key_create(&thread_key, free_thread_error);
    atexit(free_at_exit);
}

/* Where a task or the thread keeps its error: the record, or where there was no memory for one, the code. */
typedef struct place {
    ga__error **error;
    int *lost;
} place;

static place slot_of(ga_task *task)
{
    return task ? (place){&task->error, &task->lost_error} : (place){&thread_error, &thread_lost_error};
}

static place own_slot(void)
{
    return slot_of(ga__current());
}

/* The slot's record, empty where it is new; NULL without memory. */
static ga__error *error_made(place slot)
{
    if (*slot.error)
        return *slot.error;
    *slot.error = calloc(1, sizeof **slot.error);
    if (!*slot.error)
        return NULL;
    *slot.lost = 0;
    if (slot.error == &thread_error) {
        pthread_once(&thread_once, make_thread_key);
        pthread_setspecific(thread_key, *slot.error);
    }
    return *slot.error;
}

/* The detail of a failure whose record is missing; overwritten by the next call. */
static ga_error_detail *lost_detail(int code)
{
    static _Thread_local ga_error_detail detail;

    detail = (ga_error_detail){.code = code, .message = "no memory, not even for the error's text"};
    return &detail;
}

static const ga_error_detail *detail_in(place slot)
{
    if (*slot.error)
        return &(*slot.error)->detail;
    return *slot.lost ? lost_detail(*slot.lost) : &no_error;
}

/* The text; NULL without memory. What servers and callers said may be part of it, and shall not steer a
 * terminal or forge lines of a log: control characters become "?". */
static char *words_of(const char *format, va_list arguments)
{
    char *words;

    if (vasprintf(&words, format, arguments) < 0)
        return NULL;
    for (char *at = words; *at; at++)
        if (ga__ascii_is_control(*at))
            *at = '?';
    return words;
}

static int fail(place slot, int code, const char *format, va_list arguments)
{
    ga__error *error = error_made(slot);

    if (!error)
        return *slot.lost = code;
    char *message = words_of(format, arguments);

    free(error->message);
    free(error->url);
    *error = (ga__error){
        .detail = {.code = code, .message = message ? message : "no memory for the error's text"},
        .message = message,
    };
    return code;
}

int ga__fail(int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fail(own_slot(), code, format, arguments);
    va_end(arguments);
    return code;
}

int ga_fail(int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fail(own_slot(), code, format, arguments);
    va_end(arguments);
    return code;
}

int ga__fail_for(ga_task *task, int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fail(slot_of(task), code, format, arguments);
    va_end(arguments);
    return code;
}

int ga__error_rewrite(int code, const char *timeout, const char *format, ...)
{
    place slot = own_slot();
    ga__error *error = *slot.error;
    va_list arguments;

    if (!error)
        return *slot.lost = code;
    error->detail.code = code;
    error->detail.timeout = timeout;
    va_start(arguments, format);
    char *message = words_of(format, arguments);

    va_end(arguments);
    if (message) {
        free(error->message);
        error->message = message;
        error->detail.message = message;
    }
    return code;
}

int ga__misuse(int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fail(own_slot(), code, format, arguments);
    va_end(arguments);
    fprintf(stderr, "gather: %s\n", ga_error()->message);
    return code;
}

ga_error_detail *ga__error_edit(void)
{
    place slot = own_slot();

    return *slot.error ? &(*slot.error)->detail : lost_detail(*slot.lost);
}

void ga__error_url(const char *url)
{
    ga__error *error = *own_slot().error;

    if (!error)
        return;
    char *copy = url ? strdup(url) : NULL;

    free(error->url);
    error->url = copy;
    error->detail.url = copy;
}

void ga__error_copy(ga_task *to, const ga_task *from)
{
    place slot = slot_of(to);

    if (!from->error && !from->lost_error)
        return;
    ga__error *error = error_made(slot);

    if (!error) {
        *slot.lost = ga__error_of(from)->code;
        return;
    }
    const ga__error *source = from->error;
    char *message = source && source->message ? strdup(source->message) : NULL;
    char *url = source && source->url ? strdup(source->url) : NULL;

    free(error->message);
    free(error->url);
    *error = (ga__error){.detail = *ga__error_of(from), .message = message, .url = url};
    error->detail.message = message ? message : "no memory for the error's text";
    error->detail.url = url;
}

ga__error *ga__error_take(void)
{
    place slot = own_slot();
    ga__error *error = *slot.error;

    *slot.error = NULL;
    *slot.lost = 0;
    if (error && slot.error == &thread_error)
        pthread_setspecific(thread_key, NULL);
    return error;
}

void ga__error_put(ga__error *error)
{
    place slot = own_slot();

    if (!error)
        return;
    if (slot.error == &thread_error) {
        pthread_once(&thread_once, make_thread_key);
        pthread_setspecific(thread_key, error);
    }
    ga__error_free(*slot.error);
    *slot.error = error;
    *slot.lost = 0;
}

ga__error_aside ga__error_set_aside(void)
{
    int lost = *own_slot().lost;

    return (ga__error_aside){ga__error_take(), lost};
}

void ga__error_restore(ga__error_aside aside)
{
    ga__error_free(ga__error_take());
    ga__error_put(aside.error);
    *own_slot().lost = aside.lost;
}

const ga_error_detail *ga__error_detail(const ga__error *error)
{
    static const ga_error_detail lost = {.code = GA_ENOMEM, .message = "no memory for the error's detail"};

    return error ? &error->detail : &lost;
}

const ga_error_detail *ga__error_of(const ga_task *task)
{
    return detail_in((place){(ga__error **)(uintptr_t)&task->error, (int *)(uintptr_t)&task->lost_error});
}

const ga_error_detail *ga_error(void)
{
    return detail_in(own_slot());
}

const char *ga_error_message(void)
{
    return ga_error()->message;
}

void ga_error_clear(void)
{
    place slot = own_slot();

    *slot.lost = 0;
    if (!*slot.error)
        return;
    free((*slot.error)->message);
    free((*slot.error)->url);
    **slot.error = (ga__error){.detail = {.message = ""}};
}

static void print_unread(const char *task, const char *where, const ga_error_detail *error)
{
    fprintf(stderr, "gather: task %s%s%s failed and nobody read its error: %s (%s)\n", task,
            where ? ", started in the group at " : "", where ? where : "", error->message,
            ga_code_name(error->code));
}

void ga_on_unread_error(ga_unread_error_handler *handler)
{
    atomic_store(&unread_handler, handler);
}

/* The handler runs outside tasks, whichever task runs now: it may not suspend, nor change that task's error.
 */
void ga__report_unread(const char *task, const char *where, const ga_error_detail *error)
{
    ga_unread_error_handler *handler = atomic_load(&unread_handler);
    ga__loop *loop = ga__loop_here;
    ga_task *current = ga__current();

    if (loop)
        loop->current = NULL;
    (handler ? handler : print_unread)(task, where, error);
    if (loop)
        loop->current = current;
}
