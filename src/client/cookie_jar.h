/* SPDX-License-Identifier: MIT */
/*
 * The cookie jar as the client and the reader of cookie files see it. The time is always passed in, in
 * seconds since 1970.
 */
#ifndef GA__COOKIE_JAR_H
#define GA__COOKIE_JAR_H

#include "base/buffer.h"
#include "base/hash_table.h"
#include "protocol/cookie.h"
#include <gather/cookie.h>

#define GA__COOKIE_KEPT INT64_MAX /* the expiry of a cookie that said none */

/* A cookie as it is put into a jar, and seen in it. */
typedef struct ga__cookie {
    ga__slice name, value;
    ga__slice domain; /* lower case, without a leading dot */
    ga__slice path;
    int64_t expires;
    bool host_only, secure, http_only;
    ga_same_site same_site;
} ga__cookie;

typedef struct ga__cookie_domain ga__cookie_domain;

struct ga_cookie_jar {
    size_t references;     /* the user's, and sessions' */
    size_t sessions;       /* that use it */
    struct ga__loop *loop; /* theirs */
    size_t count;
    size_t secure_count;
    uint64_t made; /* cookies so far, for their order */
    ga__list all;  /* oldest first */
    ga__hash_table domains;
};

/* A session uses the jar from now on. @return 0; GA_EUSAGE where those that do are of another loop */
int ga__cookie_jar_join(ga_cookie_jar *jar);
void ga__cookie_jar_leave(ga_cookie_jar *jar);

/* Takes what one Set-Cookie field of the url's answer says (RFC 6265bis, 5.7).
 * @return 0; GA_EUSAGE where it is to be ignored, with *reason, a static text; GA_ENOMEM */
int ga__cookie_jar_take(ga_cookie_jar *jar, const ga__url *url, ga__slice field, int64_t now,
                        const char **reason);

/* Puts a cookie in, in the place of one with its name, domain and path; where it has expired, only takes that
 * one out. Slices are copied. @return 0, GA_ENOMEM */
int ga__cookie_jar_put(ga_cookie_jar *jar, const ga__cookie *cookie, int64_t now);

/* Appends the value of a Cookie field for a request of the url, "a=1; b=2" (RFC 6265bis, 5.8.3): longer paths
 * first, then older ones. `given`, an array that ends with a NULL name, or NULL, goes before, and
 * replaces those of the jar with the same names. Cookies that have expired are taken out.
 * @return 0, GA_ENOMEM */
int ga__cookie_jar_write(ga_cookie_jar *jar, const ga__url *url, const ga_pair *given, int64_t now,
                         ga__buffer *out);

/* The cookie behind this link of jar->all. */
ga__cookie ga__cookie_of(const ga__link *link);

#endif
