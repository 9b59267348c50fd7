/* SPDX-License-Identifier: MIT */
/*
 * Globs: a URL is cut into texts and sets between them; counting goes through the sets like an odometer. Sets
 * of numbers and letters are a beginning, an end and a step; only lists hold their words.
 */
#include "bulk/glob.h"

#include "base/ascii.h"
#include "base/number.h"
#include "base/problem.h"
#include "base/slice.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_SETS = 32 };

typedef struct set {
    size_t before; /* bytes of the text that stand before it; they begin at from */
    size_t from;
    bool list, letters;
    uint64_t first, last, step; /* of numbers or letters */
    int width;                  /* of numbers, with zeros before them */
    size_t words, words_size;   /* of a list, in the text: between its braces */
    uint64_t count;             /* how many it holds */
    uint64_t now;               /* which one is next, from 0 */
} set;

struct ga__glob {
    char *text;
    size_t rest; /* where the text behind the last set begins */
    size_t count;
    bool ended;
    set sets[MOST_SETS];
};

static bool wrong(const char *text, size_t at, const char *what, char **problem)
{
    return ga__say(false, problem, "the URL \"%s\", at \"%s\": %s; -g takes brackets and braces as they are",
                   text, text + at, what);
}

/* --- parsing -------------------------------------------------------------------------------------- */

static bool parse_numbers(set *made, ga__slice first, ga__slice last)
{
    if (!ga__parse_decimal(first.data, first.size, &made->first) ||
        !ga__parse_decimal(last.data, last.size, &made->last))
        return false;
    made->width = first.data[0] == '0' && first.size <= GA__DECIMAL_MAX ? (int)first.size : 1;
    return true;
}

static bool parse_letters(set *made, ga__slice first, ga__slice last)
{
    if (first.size != 1 || last.size != 1 || !ga__ascii_is_alpha(*first.data) ||
        !ga__ascii_is_alpha(*last.data) || (*first.data ^ *last.data) & 0x20)
        return false;
    made->letters = true;
    made->first = (unsigned char)*first.data;
    made->last = (unsigned char)*last.data;
    return true;
}

/* What stands between brackets. */
static bool parse_range(set *made, ga__slice inside)
{
    const char *dash = memchr(inside.data, '-', inside.size), *end = inside.data + inside.size;
    const char *colon = dash ? memchr(dash, ':', (size_t)(end - dash)) : NULL;

    if (!dash)
        return false;
    ga__slice first = {inside.data, (size_t)(dash - inside.data)};
    ga__slice last = {dash + 1, (size_t)((colon ? colon : end) - dash - 1)};

    made->step = 1;
    if (colon && (!ga__parse_decimal(colon + 1, (size_t)(end - colon - 1), &made->step) || made->step == 0))
        return false;
    if (!parse_numbers(made, first, last) && !parse_letters(made, first, last))
        return false;
    if (made->first > made->last)
        return false;
    made->count = (made->last - made->first) / made->step;
    made->count += made->count < UINT64_MAX;
    return true;
}

/* Whether what the bracket begins is an IPv6 address. */
static bool is_address(const char *bracket, size_t size)
{
    return memchr(bracket, ':', size) && strspn(bracket + 1, "0123456789abcdefABCDEF:.%") == size - 1;
}

static uint64_t count_words(const char *words, size_t size)
{
    uint64_t count = 1;

    for (size_t i = 0; i < size; i++)
        count += words[i] == ',';
    return count;
}

/* Parses the set that opens at `at`. @return behind it; 0 where there is none: it is an address; SIZE_MAX on
 * failure */
static size_t parse_set(set *made, const char *text, size_t at, char **problem)
{
    bool list = text[at] == '{';
    const char *close = strchr(text + at, list ? '}' : ']');

    if (!close) {
        wrong(text, at, list ? "} is missing" : "] is missing", problem);
        return SIZE_MAX;
    }
    size_t end = (size_t)(close - text);

    if (!list && is_address(text + at, end - at))
        return 0;
    made->list = list;
    if (list) {
        made->words = at + 1;
        made->words_size = end - at - 1;
        made->count = count_words(text + made->words, made->words_size);
        if (memchr(text + at + 1, '{', made->words_size)) {
            wrong(text, at, "braces within braces", problem);
            return SIZE_MAX;
        }
    } else if (!parse_range(made, (ga__slice){text + at + 1, end - at - 1})) {
        wrong(text, at,
              "[FIRST-LAST] or [FIRST-LAST:STEP] is expected, numbers or letters, FIRST not above LAST",
              problem);
        return SIZE_MAX;
    }
    return end + 1;
}

static bool parse(ga__glob *glob, const char *text, char **problem)
{
    size_t from = 0, at = 0;

    while (text[at += strcspn(text + at, "[{")]) {
        if (glob->count == MOST_SETS)
            return wrong(text, at, "more than 32 sets", problem);
        set *made = &glob->sets[glob->count];
        size_t behind = parse_set(made, text, at, problem);

        if (behind == SIZE_MAX)
            return false;
        if (behind == 0) {
            at++;
            continue;
        }
        made->from = from;
        made->before = at - from;
        glob->count++;
        at = from = behind;
    }
    glob->rest = from;
    return true;
}

ga__glob *ga__glob_parse(const char *text, bool plain, char **problem)
{
    ga__glob *glob = calloc(1, sizeof *glob);

    *problem = NULL;
    if (!glob)
        return NULL;
    glob->text = strdup(text);
    if (glob->text && (plain || parse(glob, glob->text, problem)))
        return glob;
    ga__glob_free(glob);
    return NULL;
}

void ga__glob_free(ga__glob *glob)
{
    if (glob)
        free(glob->text);
    free(glob);
}

/* --- counting ------------------------------------------------------------------------------------- */

uint64_t ga__glob_count(const ga__glob *glob)
{
    uint64_t count = 1;

    for (size_t i = 0; i < glob->count; i++)
        if (__builtin_mul_overflow(count, glob->sets[i].count, &count))
            return UINT64_MAX;
    return count;
}

static void append_word(ga__buffer *url, const char *words, const char *end, uint64_t index)
{
    const char *comma;

    for (; index > 0; index--)
        words = (const char *)memchr(words, ',', (size_t)(end - words)) + 1;
    comma = words < end ? memchr(words, ',', (size_t)(end - words)) : NULL;
    ga__buffer_append(url, words, (size_t)((comma ? comma : end) - words));
}

static void append_value(ga__buffer *url, const ga__glob *glob, const set *from)
{
    const char *words = glob->text + from->words;
    uint64_t value = from->first + from->now * from->step;

    if (from->list)
        append_word(url, words, words + from->words_size, from->now);
    else if (from->letters)
        ga__buffer_add_char(url, (char)value);
    else
        ga__buffer_printf(url, "%0*llu", from->width, (unsigned long long)value);
}

/* The last set counts fastest; whoever comes to its end begins anew, and moves the one before it. */
static void advance(ga__glob *glob)
{
    for (size_t i = glob->count; i > 0; i--) {
        if (++glob->sets[i - 1].now < glob->sets[i - 1].count)
            return;
        glob->sets[i - 1].now = 0;
    }
    glob->ended = true;
}

bool ga__glob_next(ga__glob *glob, ga__buffer *url)
{
    if (glob->ended)
        return false;
    ga__buffer_clear(url);
    for (size_t i = 0; i < glob->count; i++) {
        ga__buffer_append(url, glob->text + glob->sets[i].from, glob->sets[i].before);
        append_value(url, glob, &glob->sets[i]);
    }
    ga__buffer_add(url, glob->text + glob->rest);
    advance(glob);
    return true;
}
