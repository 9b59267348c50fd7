/* SPDX-License-Identifier: MIT */
/*
 * The cookie jar: a hash table of domains, each with its cookies, and a list of all cookies from the oldest
 * on. A domain is there exactly as long as it has cookies. A cookie is one allocation. What servers can make
 * it hold is bounded: by domain, and altogether. The rules for taking one are in client/cookie_rules.c, those
 * for giving some in client/cookie_write.c.
 */
#include "client/cookie_store.h"

#include "task/loop.h"
#include <stdlib.h>

enum {
    MOST_OF_DOMAIN = 180, /* as browsers have it */
    MOST = 3000
};

/* --- domains ---------------------------------------------------------------------------------------- */

static uint64_t hash_of(ga__slice name)
{
    return ga__hash_fold(ga__hash(GA__HASH_BASIS, name));
}

ga__cookie_domain *ga__cookie_domain_find(const ga_cookie_jar *jar, ga__slice name)
{
    for (ga__hash_link *link = ga__hash_chain(&jar->domains, hash_of(name)); link; link = link->next) {
        ga__cookie_domain *domain = GA__OF(link, ga__cookie_domain, link);

        if (ga__slice_equal((ga__slice){domain->name, domain->size}, name))
            return domain;
    }
    return NULL;
}

static ga__cookie_domain *domain_get(ga_cookie_jar *jar, ga__slice name)
{
    ga__cookie_domain *domain = ga__cookie_domain_find(jar, name);

    if (domain)
        return domain;
    if (!ga__hash_table_reserve(&jar->domains) || !(domain = malloc(sizeof *domain + name.size + 1)))
        return NULL;
    *domain = (ga__cookie_domain){.size = name.size};
    memcpy(domain->name, name.data, name.size);
    domain->name[name.size] = '\0';
    ga__list_init(&domain->cookies);
    ga__hash_table_add(&jar->domains, &domain->link, hash_of(name));
    return domain;
}

/* Frees the domain when it has no cookies. */
static void domain_put(ga_cookie_jar *jar, ga__cookie_domain *domain)
{
    if (domain->count > 0)
        return;
    ga__hash_table_remove(&jar->domains, &domain->link);
    free(domain);
}

/* --- cookies ---------------------------------------------------------------------------------------- */

static const char *copy_text(char **at, ga__slice text)
{
    char *copy = *at;

    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *at += text.size + 1;
    return copy;
}

static ga__stored_cookie *cookie_new(const ga__cookie *from)
{
    size_t size = from->name.size + from->value.size + from->path.size + 3;
    ga__stored_cookie *cookie = malloc(sizeof *cookie + size);

    if (!cookie)
        return NULL;
    char *at = cookie->text;

    *cookie = (ga__stored_cookie){.is = *from};
    cookie->is.name.data = copy_text(&at, from->name);
    cookie->is.value.data = copy_text(&at, from->value);
    cookie->is.path.data = copy_text(&at, from->path);
    return cookie;
}

static void unlink_cookie(ga_cookie_jar *jar, ga__stored_cookie *cookie)
{
    ga__unlink(&cookie->in_all);
    ga__unlink(&cookie->in_domain);
    cookie->domain->count--;
    jar->count--;
    jar->secure_count -= cookie->is.secure;
}

void ga__stored_cookie_remove(ga_cookie_jar *jar, ga__stored_cookie *cookie)
{
    unlink_cookie(jar, cookie);
    domain_put(jar, cookie->domain);
    free(cookie);
}

static ga__stored_cookie *find(const ga__cookie_domain *domain, const ga__cookie *like)
{
    for (ga__link *link = domain->cookies.next; link != &domain->cookies; link = link->next) {
        ga__stored_cookie *cookie = GA__OF(link, ga__stored_cookie, in_domain);

        if (cookie->is.host_only == like->host_only && ga__slice_equal(cookie->is.name, like->name) &&
            ga__slice_equal(cookie->is.path, like->path))
            return cookie;
    }
    return NULL;
}

/* Which of a domain's cookies goes when there are too many: one that has expired, the oldest that is not
 * Secure, the oldest. */
static ga__stored_cookie *least_wanted(const ga__cookie_domain *domain, int64_t now)
{
    ga__stored_cookie *wanted_least = NULL;

    for (ga__link *link = domain->cookies.next; link != &domain->cookies; link = link->next) {
        ga__stored_cookie *cookie = GA__OF(link, ga__stored_cookie, in_domain);

        if (cookie->is.expires <= now)
            return cookie;
        if (!wanted_least || (wanted_least->is.secure && !cookie->is.secure))
            wanted_least = cookie;
    }
    return wanted_least;
}

static void make_room(ga_cookie_jar *jar, const ga__cookie_domain *domain, int64_t now)
{
    if (domain->count >= MOST_OF_DOMAIN)
        ga__stored_cookie_remove(jar, least_wanted(domain, now));
    else if (jar->count >= MOST)
        ga__stored_cookie_remove(jar, GA__OF(jar->all.next, ga__stored_cookie, in_all));
}

/* Links a new cookie, in the place of `before` where it replaces that one, which it frees. */
static void link_cookie(ga_cookie_jar *jar, ga__stored_cookie *cookie, ga__stored_cookie *before)
{
    cookie->made = before ? before->made : jar->made++;
    if (before) {
        ga__link_between(&cookie->in_all, before->in_all.prev, &before->in_all);
        ga__link_between(&cookie->in_domain, before->in_domain.prev, &before->in_domain);
    } else {
        ga__list_push_back(&jar->all, &cookie->in_all);
        ga__list_push_back(&cookie->domain->cookies, &cookie->in_domain);
    }
    cookie->domain->count++;
    jar->count++;
    jar->secure_count += cookie->is.secure;
    if (before)
        ga__stored_cookie_remove(jar, before);
}

int ga__cookie_jar_put(ga_cookie_jar *jar, const ga__cookie *given, int64_t now)
{
    ga__cookie_domain *domain = ga__cookie_domain_find(jar, given->domain);
    ga__stored_cookie *before = domain ? find(domain, given) : NULL;

    if (given->expires <= now) {
        if (before)
            ga__stored_cookie_remove(jar, before);
        return 0;
    }
    ga__stored_cookie *cookie = cookie_new(given);

    if (!cookie)
        return GA_ENOMEM;
    if (domain && !before)
        make_room(jar, domain, now);
    else if (!domain && jar->count >= MOST)
        ga__stored_cookie_remove(jar, GA__OF(jar->all.next, ga__stored_cookie, in_all));
    domain = domain_get(jar, given->domain); /* making room may have freed it */
    if (!domain) {
        free(cookie);
        return GA_ENOMEM;
    }
    cookie->domain = domain;
    cookie->is.domain = (ga__slice){domain->name, domain->size};
    link_cookie(jar, cookie, before);
    return 0;
}

ga__cookie ga__cookie_of(const ga__link *link)
{
    return GA__OF(link, ga__stored_cookie, in_all)->is;
}

/* --- the jar ---------------------------------------------------------------------------------------- */

ga_cookie_jar *ga_cookie_jar_new(void)
{
    ga_cookie_jar *jar = calloc(1, sizeof *jar);

    if (!jar) {
        ga__fail(GA_ENOMEM, "no memory for a cookie jar");
        return NULL;
    }
    jar->references = 1;
    ga__list_init(&jar->all);
    return jar;
}

void ga_cookie_jar_free(ga_cookie_jar *jar)
{
    if (!jar || --jar->references > 0)
        return;
    ga_cookie_jar_clear(jar);
    ga__hash_table_free(&jar->domains);
    free(jar);
}

int ga__cookie_jar_join(ga_cookie_jar *jar)
{
    if (jar->sessions > 0 && jar->loop != ga__loop_here)
        return ga__fail(GA_EUSAGE, "the cookie jar is used by a session of another loop");
    jar->loop = ga__loop_here;
    jar->sessions++;
    jar->references++;
    return 0;
}

void ga__cookie_jar_leave(ga_cookie_jar *jar)
{
    jar->sessions--;
    ga_cookie_jar_free(jar);
}

void ga_cookie_jar_clear(ga_cookie_jar *jar)
{
    ga__link *link;

    while (jar && (link = ga__list_first(&jar->all)))
        ga__stored_cookie_remove(jar, GA__OF(link, ga__stored_cookie, in_all));
}

size_t ga_cookie_jar_count(const ga_cookie_jar *jar)
{
    return jar ? jar->count : 0;
}

int ga_cookie_jar_at(const ga_cookie_jar *jar, size_t index, ga_cookie *cookie)
{
    if (!jar || index >= jar->count)
        return 0;
    const ga__link *link = jar->all.next;

    while (index-- > 0)
        link = link->next;
    ga__cookie found = ga__cookie_of(link);

    *cookie = (ga_cookie){
        .name = found.name.data,
        .value = found.value.data,
        .domain = found.domain.data,
        .path = found.path.data,
        .expires = found.expires == GA__COOKIE_KEPT ? 0 : found.expires,
        .host_only = found.host_only,
        .secure = found.secure,
        .http_only = found.http_only,
        .same_site = found.same_site,
    };
    return 1;
}
