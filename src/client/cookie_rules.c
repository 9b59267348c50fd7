/* SPDX-License-Identifier: MIT */
/*
 * What a server may put into the jar (RFC 6265bis, 5.7): nothing for others' domains or for everybody below a
 * public suffix, nothing Secure without TLS, and nothing in front of a Secure cookie. Called for each
 * Set-Cookie field of an answer, and for ga_cookie_jar_set.
 */
#include "client/cookie_store.h"

#include "base/ascii.h"
#include "base/utf8.h"
#include "task/loop.h"
#include <time.h>

enum { LONGEST = GA__COOKIE_DAYS_MAX * 24 * 60 * 60 };

/* Judges the Domain attribute. `lowered` has room for a host. @return NULL, or why the cookie is refused */
static const char *choose_domain(ga__cookie *cookie, const ga__url *url, ga__slice given,
                                 char lowered[static GA__HOST_MAX + 1])
{
    ga__slice host = {ga__url_host(url), ga__url_host_size(url)};

    cookie->domain = host;
    cookie->host_only = true;
    if (host.size > 0 && host.data[0] == '.') /* a file would give it to the host without the dot */
        return "the URL's host begins with a dot";
    if (given.size == 0)
        return NULL;
    if (given.size > GA__HOST_MAX || !ga__ascii_only(given.data, given.size))
        return "its Domain is no host's name";
    for (size_t i = 0; i < given.size; i++)
        lowered[i] = ga__ascii_lower(given.data[i]);
    lowered[given.size] = '\0';
    given.data = lowered;
    if (!ga__cookie_domain_matches(host, ga__url_host_is_ip(url), given))
        return "its Domain is not the host, nor above it";
    if (ga__slice_equal(host, given) && (ga__url_host_is_ip(url) || ga__is_public_suffix(lowered)))
        return NULL;
    if (ga__is_public_suffix(lowered))
        return "its Domain is a public suffix";
    cookie->domain = given;
    cookie->host_only = false;
    return NULL;
}

static const char *choose_path(ga__cookie *cookie, const ga__url *url, ga__slice given)
{
    cookie->path = given.size > 0 ? given : ga__cookie_default_path(ga__url_path(url));
    if (cookie->path.size > GA__COOKIE_ATTRIBUTE_MAX)
        return "its path is longer than 1024 bytes";
    return ga__ascii_has_control(cookie->path) || ga__ascii_has_control(cookie->name)
               ? "its name or path has a tab"
               : NULL;
}

/* Max-Age counts before Expires; neither counts beyond 400 days. */
static int64_t choose_expiry(const ga__set_cookie *set, int64_t now)
{
    int64_t left;

    if (set->has_max_age)
        left = set->max_age;
    else if (set->has_expires)
        left = set->expires - now;
    else
        return GA__COOKIE_KEPT;
    if (left <= 0)
        return now;
    return now + (left < LONGEST ? left : LONGEST);
}

/* Whether the jar has a Secure cookie that this one, which came without TLS, would stand in front of. */
static bool hides_secure(const ga_cookie_jar *jar, const ga__cookie *cookie, int64_t now)
{
    if (jar->secure_count == 0)
        return false;
    for (const ga__link *link = jar->all.next; link != &jar->all; link = link->next) {
        ga__cookie other = ga__cookie_of(link);

        if (other.secure && other.expires > now && ga__slice_equal(other.name, cookie->name) &&
            (ga__cookie_domain_matches(other.domain, false, cookie->domain) ||
             ga__cookie_domain_matches(cookie->domain, false, other.domain)) &&
            ga__cookie_path_matches(cookie->path, other.path))
            return true;
    }
    return false;
}

int ga__cookie_jar_take(ga_cookie_jar *jar, const ga__url *url, ga__slice field, int64_t now,
                        const char **reason)
{
    char lowered[GA__HOST_MAX + 1];
    ga__set_cookie set;

    *reason = ga__set_cookie_parse(&set, field.data, field.size);
    if (*reason)
        return GA_EUSAGE;
    ga__cookie cookie = {
        .name = set.name,
        .value = set.value,
        .expires = choose_expiry(&set, now),
        .secure = set.secure,
        .http_only = set.http_only,
        .same_site = set.same_site,
    };

    *reason = choose_domain(&cookie, url, set.domain, lowered);
    if (!*reason)
        *reason = choose_path(&cookie, url, set.path);
    if (!*reason && set.secure && !url->secure)
        *reason = "it is Secure, and the URL is not https";
    if (!*reason)
        *reason =
            ga__cookie_prefix_refuses(&set, cookie.host_only, ga__slice_equal(set.path, GA__SLICE("/")));
    if (!*reason && !set.secure && !url->secure && hides_secure(jar, &cookie, now))
        *reason = "it would hide a Secure cookie of its name";
    return *reason ? GA_EUSAGE : ga__cookie_jar_put(jar, &cookie, now);
}

int ga_cookie_jar_set(ga_cookie_jar *jar, const char *url, const char *set_cookie)
{
    const char *reason = NULL;
    ga__url parsed;

    if (!jar || !url || !set_cookie)
        return ga__fail(GA_EUSAGE, "ga_cookie_jar_set: there is no jar, URL or cookie");
    int code = ga__url_parse(&parsed, url, strlen(url), NULL, &reason);

    if (code < 0)
        return ga__fail(code, "ga_cookie_jar_set: the URL %s", reason);
    code = ga__cookie_jar_take(jar, &parsed, ga__slice_of(set_cookie), time(NULL), &reason);
    if (code == GA_ENOMEM)
        ga__fail(code, "no memory for a cookie");
    else if (code < 0)
        ga__fail(code, "the cookie for %s is refused: %s", ga__url_printable(&parsed), reason);
    ga__url_free(&parsed);
    return code;
}
