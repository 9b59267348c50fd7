/* SPDX-License-Identifier: MIT */
/*
 * Where a paged row goes on: a Link, a URL in the body, or a cursor that becomes a parameter of the row's own
 * URL. The next page is on the host that was called: the row's credentials go nowhere else.
 */
#include "bulk/job_parts.h"

#include "bulk/json.h"
#include "protocol/percent.h"
#include "protocol/url.h"
#include <stdlib.h>
#include <string.h>

/* The URL with the parameter set to the value, instead of any it has. */
static char *set_parameter(const char *url, const char *name, ga__slice value)
{
    size_t path = strcspn(url, "?#"), name_size = strlen(name);
    const char *at = url[path] == '?' ? url + path + 1 : url + path;
    ga__buffer out = GA__BUFFER_INIT;
    char next = '?';

    ga__buffer_append(&out, url, path);
    while (*at && *at != '#') {
        size_t size = strcspn(at, "&#");

        if (!(strncmp(at, name, name_size) == 0 && at[name_size] == '=')) {
            ga__buffer_add_char(&out, next);
            ga__buffer_append(&out, at, size);
            next = '&';
        }
        at += size + (at[size] == '&');
    }
    ga__buffer_printf(&out, "%c%s=", next, name);
    ga__percent_append(&out, value, GA__PERCENT_UNRESERVED);
    return ga__buffer_take(&out);
}

/* What the body says: a text, or nothing at its end (null, false, an empty string). */
static bool find_cursor(const ga__plan *plan, ga__slice body, ga__buffer *cursor)
{
    ga__slice value;

    if (!ga__json_check(body, NULL) || !ga__path_first(plan->next, body, &value))
        return false;
    if (ga__json_is(value, GA__JSON_STRING))
        ga__json_append_unquoted(cursor, value);
    else if (ga__json_is(value, GA__JSON_NUMBER))
        ga__buffer_append(cursor, value.data, value.size);
    return cursor->size > 0 && !memchr(cursor->data, '\0', cursor->size);
}

/* The reference to the next page, the caller's to free: on the page's URL, or with a parameter on that which
 * was called. NULL where there is none. */
static char *find_reference(const ga__plan *plan, ga_response *response, ga__slice body, const char *called)
{
    ga__buffer cursor = GA__BUFFER_INIT;
    char *reference = NULL;

    if (plan->next_is_link)
        return ga_link(response, "next");
    if (find_cursor(plan, body, &cursor))
        reference = plan->next_parameter
                        ? set_parameter(called, plan->next_parameter, (ga__slice){cursor.data, cursor.size})
                        : strdup(cursor.data);
    ga__buffer_free(&cursor);
    return reference;
}

/* The URLs that a next page is judged by. */
typedef struct pages {
    ga__url base, called, page, next;
} pages;

static int parse(ga__url *url, const char *text, const ga__url *base)
{
    const char *reason = NULL;
    int code = ga__url_parse(url, text, strlen(text), base && base->size > 0 ? base : NULL, &reason);

    return code == 0 ? 0
                     : ga_fail(code, "the next page, %s, is no URL: %s", text, reason ? reason : "no memory");
}

static bool is_same(const ga__url *a, const ga__url *b)
{
    return strcmp(ga__url_printable(a), ga__url_printable(b)) == 0;
}

/* What was called may have been redirected to another host: what the row's requests carry does not go there.
 */
static int judge(const pages *seen)
{
    if (is_same(&seen->next, &seen->page) || is_same(&seen->next, &seen->called))
        return ga_fail(GA_EREDIRECT, "the next page of %s is the page itself",
                       ga__url_printable(&seen->page));
    if (!ga__url_same_origin(&seen->next, &seen->called))
        return ga_fail(GA_EREDIRECT,
                       "the next page, %s, is not on the host of the row, %s; what the row's requests carry "
                       "goes nowhere else",
                       ga__url_printable(&seen->next), ga__url_printable(&seen->called));
    return 1;
}

static int resolve(pages *seen, const ga__plan *plan, ga_response *response, const char *called,
                   const char *reference)
{
    const char *base = plan->options->base_url;
    int code = base ? parse(&seen->base, base, NULL) : 0;

    if (code == 0)
        code = parse(&seen->called, called, &seen->base);
    if (code == 0)
        code = parse(&seen->page, ga_url(response), NULL);
    if (code == 0)
        code = parse(&seen->next, reference, plan->next_parameter ? &seen->base : &seen->page);
    return code == 0 ? judge(seen) : code;
}

int ga__page_next(const ga__plan *plan, ga_response *response, ga__slice body, const char *called, char **url)
{
    char *reference = find_reference(plan, response, body, called);
    pages seen = {.base = {0}};

    *url = NULL;
    if (!reference)
        return 0;
    int code = resolve(&seen, plan, response, called, reference);

    if (code > 0 && !(*url = strdup(ga__url_href(&seen.next))))
        code = ga_fail(GA_ENOMEM, "no memory for the URL of the next page");
    free(reference);
    ga__url_free(&seen.base);
    ga__url_free(&seen.called);
    ga__url_free(&seen.page);
    ga__url_free(&seen.next);
    return code;
}
