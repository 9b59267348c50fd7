/* SPDX-License-Identifier: MIT */
/*
 * How a jar keeps its cookies, for the files that make it.
 */
#ifndef GA__COOKIE_STORE_H
#define GA__COOKIE_STORE_H

#include "client/cookie_jar.h"

struct ga__cookie_domain {
    ga__hash_link link; /* in the jar's table */
    ga__list cookies;   /* oldest first */
    size_t count;
    size_t size;
    char name[];
};

typedef struct ga__stored_cookie {
    ga__link in_all, in_domain;
    ga__cookie_domain *domain;
    ga__cookie is; /* its slices end with a NUL */
    uint64_t made; /* its place in the order of making */
    char text[];
} ga__stored_cookie;

/* NULL where the jar has no cookies of exactly that domain. */
ga__cookie_domain *ga__cookie_domain_find(const ga_cookie_jar *jar, ga__slice name);

/* Takes it out and frees it, and the domain with its last cookie. */
void ga__stored_cookie_remove(ga_cookie_jar *jar, ga__stored_cookie *cookie);

#endif
