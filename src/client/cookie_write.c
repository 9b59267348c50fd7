/* SPDX-License-Identifier: MIT */
/*
 * The value of a Cookie field: which of the jar's cookies go with a request, and in which order (RFC 6265bis,
 * 5.8.3). Called while a request's head is written, where there are cookies at all.
 */
#include "client/cookie_store.h"

#include <gather/error.h>
#include <stdlib.h>

enum {
    MOST_SENT = 150,
    LONGEST_VALUE = 8190 - 8 /* the field is "Cookie: " and the value */
};

/* Notes those of a domain's cookies that go with the request, and takes out those that have expired. */
static void collect(ga_cookie_jar *jar, ga__cookie_domain *domain, const ga__url *url, int64_t now,
                    ga__buffer *found)
{
    bool itself = domain->size == ga__url_host_size(url);
    ga__slice path = ga__url_path(url);
    size_t left = domain->count; /* with its last cookie the domain goes */

    for (ga__link *link = domain->cookies.next, *next; left > 0; link = next, left--) {
        ga__stored_cookie *cookie = GA__OF(link, ga__stored_cookie, in_domain);

        next = link->next;
        if (cookie->is.expires <= now)
            ga__stored_cookie_remove(jar, cookie);
        else if ((itself || !cookie->is.host_only) && (url->secure || !cookie->is.secure) &&
                 ga__cookie_path_matches(path, cookie->is.path))
            ga__buffer_append(found, &cookie, sizeof(ga__stored_cookie *));
    }
}

/* The host's own domain, and each above it. */
static void collect_all(ga_cookie_jar *jar, const ga__url *url, int64_t now, ga__buffer *found)
{
    ga__slice name = {ga__url_host(url), ga__url_host_size(url)};

    while (name.size > 0) {
        ga__cookie_domain *domain = ga__cookie_domain_find(jar, name);

        if (domain)
            collect(jar, domain, url, now, found);
        const char *dot = ga__url_host_is_ip(url) ? NULL : memchr(name.data, '.', name.size);

        ga__slice_take(&name, dot ? (size_t)(dot + 1 - name.data) : name.size);
    }
}

static int compare(const void *left, const void *right)
{
    const ga__stored_cookie *a = *(ga__stored_cookie *const *)left, *b = *(ga__stored_cookie *const *)right;

    if (a->is.path.size != b->is.path.size)
        return a->is.path.size > b->is.path.size ? -1 : 1;
    return a->made < b->made ? -1 : 1;
}

static bool is_given(const ga_pair *given, ga__slice name)
{
    for (; given && given->name; given++)
        if (given->value && ga__slice_equal(ga__slice_of(given->name), name))
            return true;
    return false;
}

static void add(ga__buffer *out, size_t start, ga__slice name, ga__slice value)
{
    if (out->size > start)
        ga__buffer_add(out, "; ");
    ga__buffer_append(out, name.data, name.size);
    if (name.size > 0)
        ga__buffer_add_char(out, '=');
    ga__buffer_append(out, value.data, value.size);
}

int ga__cookie_jar_write(ga_cookie_jar *jar, const ga__url *url, const ga_pair *given, int64_t now,
                         ga__buffer *out)
{
    ga__buffer found = GA__BUFFER_INIT;
    size_t start = out->size, sent = 0;

    for (const ga_pair *pair = given; pair && pair->name; pair++)
        if (pair->value)
            add(out, start, ga__slice_of(pair->name), ga__slice_of(pair->value));
    if (jar)
        collect_all(jar, url, now, &found);
    ga__stored_cookie **cookies = (ga__stored_cookie **)(void *)found.data;
    size_t count = found.size / sizeof *cookies;

    if (count > 1)
        qsort(cookies, count, sizeof *cookies, compare);
    for (size_t i = 0; i < count && sent < MOST_SENT; i++) {
        const ga__cookie *cookie = &cookies[i]->is;

        if (is_given(given, cookie->name))
            continue;
        if (out->size - start + cookie->name.size + cookie->value.size + 3 > LONGEST_VALUE)
            break;
        add(out, start, cookie->name, cookie->value);
        sent++;
    }
    int code = found.failed || out->failed ? GA_ENOMEM : 0;

    ga__buffer_free(&found);
    return code;
}
