/* SPDX-License-Identifier: MIT */
/*
 * Cookies without a jar: what one Set-Cookie field says (RFC 6265bis, 5.6), and which cookie belongs to which
 * request (5.1). Nothing here allocates, keeps anything or knows the time.
 */
#ifndef GA__COOKIE_H
#define GA__COOKIE_H

#include "base/slice.h"
#include "protocol/url.h"
#include <gather/cookie.h>

enum {
    GA__COOKIE_LINE_MAX = 5000,      /* a Set-Cookie field that is longer is ignored */
    GA__COOKIE_PAIR_MAX = 4096,      /* the same where name and value together are longer */
    GA__COOKIE_ATTRIBUTE_MAX = 1024, /* an attribute whose value is longer is ignored */
    GA__COOKIE_DAYS_MAX = 400        /* a cookie lives no longer */
};

/* One Set-Cookie field. Slices point into it, and are verbatim: quotes stay. */
typedef struct ga__set_cookie {
    ga__slice name;   /* may be empty, where the value is not */
    ga__slice value;  /* may be empty, where the name is not */
    ga__slice domain; /* without a leading dot, in any case; empty: none */
    ga__slice path;   /* begins with "/"; empty: none, or none of use */
    bool has_max_age, has_expires;
    int64_t max_age; /* seconds; 0 or less: delete it */
    int64_t expires; /* seconds since 1970 */
    bool secure, http_only;
    ga_same_site same_site;
} ga__set_cookie;

/* Parses a field's value. @return NULL, or why it is to be ignored, a static text */
const char *ga__set_cookie_parse(ga__set_cookie *cookie, const char *text, size_t size);

/* What the name's prefix, "__Secure-" or "__Host-" in any case, asks of a cookie (RFC 6265bis, 4.1.3).
 * `host_only` and `root`: it has no domain; its path was said, and is "/". @return NULL, or what it lacks */
const char *ga__cookie_prefix_refuses(const ga__set_cookie *cookie, bool host_only, bool root);

/* Whether the host is the domain, or a name below it; both in lower case (RFC 6265bis, 5.1.3). */
bool ga__cookie_domain_matches(ga__slice host, bool host_is_ip, ga__slice domain);

/* Whether the request's path is the cookie's, or lies below it (RFC 6265bis, 5.1.4). */
bool ga__cookie_path_matches(ga__slice path, ga__slice cookie_path);

/* The path of a cookie that says none: the URL's up to its last "/" (RFC 6265bis, 5.1.4). */
ga__slice ga__cookie_default_path(ga__slice path);

/* Whether anybody may get a name right below this one, "co.uk" for one, so that it must not have cookies. In
 * lower case, ended by a NUL. Without the list of public suffixes everything is one. */
bool ga__is_public_suffix(const char *domain);

static inline bool ga__url_host_is_ip(const ga__url *url)
{
    return url->host_kind != GA__HOST_NAME;
}

#endif
