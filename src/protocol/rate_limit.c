/* SPDX-License-Identifier: MIT */
/*
 * Rate limits in fields. Three spellings mean the same:
 *
 *     RateLimit: "default";r=50;t=30                with  RateLimit-Policy: "default";q=100;w=60
 *     RateLimit: limit=100, remaining=50, reset=30        (the draft, before its version 08)
 *     X-RateLimit-Limit: 100, X-RateLimit-Remaining: 50, X-RateLimit-Reset: 30
 *
 * The last has a word before or behind it where a server counts several things,
 * "x-ratelimit-remaining-tokens" or
 * "...-ratelimit-tokens-remaining": what has the same word is one window. Called by protocol/retry_after.c.
 */
#include "protocol/rate_limit.h"

#include "base/ascii.h"
#include "base/number.h"
#include "protocol/retry_after.h"
#include "protocol/token.h"

enum { MOST_WINDOWS = 8 }; /* what more are said are ignored */

typedef struct named_window {
    ga__slice name;
    ga__rate_window window;
} named_window;

typedef struct windows {
    named_window list[MOST_WINDOWS];
    size_t count;
    ga__rate_window beyond; /* takes what is ignored */
    double now;
} windows;

static ga__rate_window *window_named(windows *all, ga__slice name)
{
    for (size_t i = 0; i < all->count; i++)
        if (ga__ascii_equal(all->list[i].name, name))
            return &all->list[i].window;
    if (all->count == MOST_WINDOWS)
        return &all->beyond;
    named_window *added = &all->list[all->count++];

    *added = (named_window){name, {-1, -1, -1}};
    return &added->window;
}

/* A count of requests, the digits at the beginning: "100, 100;w=60" has been seen. */
static double count_of(ga__slice value)
{
    ga__slice text = ga__trim_blanks(value);
    size_t digits = 0;
    uint64_t count;

    while (digits < text.size && ga__ascii_is_digit(text.data[digits]))
        digits++;
    return ga__parse_decimal(text.data, digits, &count) ? (double)count : -1;
}

/* What is said once more does not take back what is tighter. */
static void note(double *place, double value, bool keep_larger)
{
    if (value >= 0 && (*place < 0 || (keep_larger ? value > *place : value < *place)))
        *place = value;
}

static void set_member(windows *all, ga__rate_window *window, ga__slice key, ga__slice value)
{
    if (ga__ascii_is(key, "limit") || ga__ascii_is(key, "q"))
        note(&window->limit, count_of(value), false);
    else if (ga__ascii_is(key, "remaining") || ga__ascii_is(key, "r"))
        note(&window->remaining, count_of(value), false);
    else if (ga__ascii_is(key, "reset") || ga__ascii_is(key, "t"))
        note(&window->reset, ga__ratelimit_reset(value, all->now), true);
}

/* --- structured fields ---------------------------------------------------------------------------- */

/* Takes what stands before the next `separator` outside of quotes; the separator goes with it. */
static ga__slice take_until(ga__slice *text, char separator)
{
    size_t at = 0;
    bool quoted = false;

    for (; at < text->size && (quoted || text->data[at] != separator); at++) {
        if (text->data[at] == '"')
            quoted = !quoted;
        else if (quoted && text->data[at] == '\\' && at + 1 < text->size)
            at++;
    }
    ga__slice taken = ga__slice_take(text, at);

    if (text->size > 0)
        ga__slice_take(text, 1);
    return ga__trim_blanks(taken);
}

/* One element of a list: `"name";r=50;t=30`, or the older `remaining=50`. */
static void read_element(windows *all, ga__slice element)
{
    ga__slice first = take_until(&element, ';');
    ga__slice value = first, key = take_until(&value, '=');
    ga__rate_window *window;

    if (key.size > 0 && key.size < first.size && key.data[0] != '"') {
        set_member(all, window_named(all, GA__SLICE("")), key, ga__trim_blanks(value));
        return;
    }
    window = window_named(all, first);
    while (element.size > 0) {
        value = take_until(&element, ';');
        key = take_until(&value, '=');
        set_member(all, window, key, ga__trim_blanks(value));
    }
}

static void read_list(windows *all, ga__slice value)
{
    const char *element;
    size_t at = 0, size;

    while (ga__list_next(value.data, value.size, &at, &element, &size))
        if (size > 0)
            read_element(all, (ga__slice){element, size});
}

/* --- fields by name ------------------------------------------------------------------------------- */

/* Where `word` stands in the name, whatever its case; the name's size where it does not. */
static size_t find(ga__slice name, ga__slice word)
{
    for (size_t at = 0; at + word.size <= name.size; at++)
        if (ga__ascii_equal((ga__slice){name.data + at, word.size}, word))
            return at;
    return name.size;
}

/* What stands behind "ratelimit" or "rate-limit" in the name. False where neither is in it. */
static bool behind_ratelimit(ga__slice name, ga__slice *rest)
{
    static const ga__slice words[] = {{"ratelimit", 9}, {"rate-limit", 10}};

    for (size_t i = 0; i < 2; i++) {
        size_t at = find(name, words[i]);

        if (at < name.size) {
            *rest = name;
            ga__slice_take(rest, at + words[i].size);
            return true;
        }
    }
    return false;
}

/* Splits "remaining-tokens" or "tokens-remaining" into the word and the rest. */
static bool split(ga__slice name, ga__slice *word, ga__slice *rest)
{
    static const char *const words[] = {"limit", "remaining", "reset"};

    for (size_t i = 0; i < 3; i++) {
        size_t size = strlen(words[i]);

        *word = ga__slice_of(words[i]);
        if (ga__ascii_is(name, words[i])) {
            *rest = GA__SLICE("");
            return true;
        }
        if (name.size <= size + 1)
            continue;
        *rest = (ga__slice){name.data + size + 1, name.size - size - 1};
        if (rest->data[-1] == '-' && ga__ascii_equal((ga__slice){name.data, size}, *word))
            return true;
        rest->data = name.data;
        if (rest->data[rest->size] == '-' &&
            ga__ascii_equal((ga__slice){name.data + rest->size + 1, size}, *word))
            return true;
    }
    return false;
}

static void read_field(windows *all, ga__slice name, ga__slice value)
{
    ga__slice rest, word;

    if (name.size < 9 || !behind_ratelimit(name, &rest))
        return;
    if (rest.size == 0 || ga__ascii_is(rest, "-policy")) {
        read_list(all, value);
        return;
    }
    if (rest.data[0] != '-')
        return;
    ga__slice_take(&rest, 1);
    if (!split(rest, &word, &rest))
        return;
    if (ga__ascii_is(rest, "after")) /* X-RateLimit-Reset-After: seconds */
        rest = GA__SLICE("");
    set_member(all, window_named(all, rest), word, value);
}

/* --- which counts --------------------------------------------------------------------------------- */

/* Whether a leaves less than b. */
static bool is_tighter(const ga__rate_window *a, const ga__rate_window *b)
{
    bool a_counts = a->remaining >= 0, b_counts = b->remaining >= 0;

    if (a_counts != b_counts)
        return a_counts;
    if (a_counts && (a->remaining < b->remaining || a->remaining > b->remaining))
        return a->remaining < b->remaining;
    return a->reset > b->reset;
}

ga__rate_window ga__rate_limit_find(const ga__headers *headers, double now)
{
    windows all = {.count = 0, .now = now};
    ga__rate_window tightest = {-1, -1, -1};

    for (uint32_t i = 0; i < headers->count; i++) {
        const ga__field *field = &headers->fields[i];

        if (field->id == GA__FIELD_OTHER)
            read_field(&all, (ga__slice){ga__field_name(headers, field), field->name_size},
                       (ga__slice){ga__field_value(headers, field), field->value_size});
    }
    for (size_t i = 0; i < all.count; i++)
        if (is_tighter(&all.list[i].window, &tightest))
            tightest = all.list[i].window;
    return tightest;
}
