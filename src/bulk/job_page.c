/* SPDX-License-Identifier: MIT */
/*
 * Where a paged row goes on: a Link, a URL in the body, or a cursor that becomes a parameter of the row's own
 * URL. The next page is on the same host as this one: the row's credentials go nowhere else.
 */
#include "bulk/job_parts.h"

#include "base/ascii.h"
#include "bulk/json.h"
#include <stdlib.h>
#include <string.h>

/* Up to the path of a URL: scheme, host and port. */
static size_t origin_size(const char *url)
{
    const char *host = strstr(url, "://");

    return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0;
}

static bool is_same_origin(const char *a, const char *b)
{
    size_t size = origin_size(a);

    return size > 0 && size == origin_size(b) && ga__ascii_equal((ga__slice){a, size}, (ga__slice){b, size});
}

/* What a reference means on a page's URL (RFC 3986, 5.2, for what APIs send). */
static char *resolve(const char *page, const char *reference)
{
    size_t origin = origin_size(page), path = origin + strcspn(page + origin, "?#"), directory = path;

    if (strstr(reference, "://"))
        return strdup(reference);
    if (strncmp(reference, "//", 2) == 0)
        return ga_format("%.*s:%s", (int)strcspn(page, ":"), page, reference);
    if (reference[0] == '/')
        return ga_format("%.*s%s", (int)origin, page, reference);
    if (reference[0] == '?')
        return ga_format("%.*s%s", (int)path, page, reference);
    while (directory > origin && page[directory - 1] != '/')
        directory--;
    return ga_format("%.*s%s%s", (int)directory, page, directory == origin ? "/" : "", reference);
}

/* The URL with the parameter set to the value, instead of any it has. */
static char *set_parameter(const char *url, const char *name, ga__slice value)
{
    static const char digits[] = "0123456789ABCDEF";
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
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.data[i];

        if (ga__ascii_is_alpha((char)c) || ga__ascii_is_digit((char)c) || strchr("-._~", c))
            ga__buffer_add_char(&out, (char)c);
        else
            ga__buffer_append(&out, (char[]){'%', digits[c >> 4], digits[c & 15]}, 3);
    }
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

static char *next_of_body(const ga__plan *plan, const char *page, const char *row_url, ga__slice body)
{
    ga__buffer cursor = GA__BUFFER_INIT;
    char *url = NULL;

    if (find_cursor(plan, body, &cursor))
        url = plan->next_parameter
                  ? set_parameter(row_url, plan->next_parameter, (ga__slice){cursor.data, cursor.size})
                  : resolve(page, cursor.data);
    ga__buffer_free(&cursor);
    return url;
}

int ga__page_next(const ga__plan *plan, ga_response *response, ga__slice body, const char *row_url,
                  char **url)
{
    const char *page = ga_url(response);
    int code = 1;

    *url = plan->next_is_link ? ga_link(response, "next") : next_of_body(plan, page, row_url, body);
    if (!*url)
        return 0;
    if (strcmp(*url, page) == 0)
        code = ga_fail(GA_EREDIRECT, "the next page of %s is the page itself", page);
    else if (!is_same_origin(page, *url) && !(plan->next_parameter && origin_size(*url) == 0))
        code = ga_fail(GA_EREDIRECT,
                       "the next page, %s, is not on the host of this one; what the row's requests carry "
                       "goes nowhere else",
                       *url);
    if (code < 0) {
        free(*url);
        *url = NULL;
    }
    return code;
}
