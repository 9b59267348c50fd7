/* SPDX-License-Identifier: MIT */
/*
 * The cookie jar, after RFC 6265bis: which cookies a server may set, and which go with which request.
 *
 * A session has a jar of its own unless `.no_cookies = 1`; `.cookies = jar` gives it one that outlives it,
 * that several sessions share, or that is loaded from a file and saved into one. A jar is for one thread at a
 * time. None of its functions suspends; ga_cookie_jar_load and ga_cookie_jar_save read and write a file,
 * which holds the loop up for that moment.
 */
#ifndef GATHER_COOKIE_H
#define GATHER_COOKIE_H

#include <gather/base.h>

GA_BEGIN_DECLS

typedef struct ga_cookie_jar ga_cookie_jar;

/** A new empty jar. @return the jar, the caller's to free; NULL with GA_ENOMEM */
GA_API ga_cookie_jar *ga_cookie_jar_new(void);

/** Lets go of the jar; sessions that use it keep it until they end. NULL is fine. */
GA_API void ga_cookie_jar_free(ga_cookie_jar *jar);
GA_AUTO_DEFINE_(ga_cookie_jar, ga_cookie_jar_free)

/** What a cookie said of requests from other sites; kept, and not acted upon: that is for browsers. */
typedef enum ga_same_site {
    GA_SAME_SITE_UNSET = 0,
    GA_SAME_SITE_NONE,
    GA_SAME_SITE_LAX,
    GA_SAME_SITE_STRICT
} ga_same_site;

/** One cookie; its strings live until the jar changes. */
typedef struct ga_cookie {
    const char *name;  /**< "" for a value without a name */
    const char *value; /**< verbatim, quotes included */
    const char *domain;
    const char *path;
    int64_t expires; /**< seconds since 1970; 0: with the session */
    int host_only;   /**< nonzero: sent to the domain itself only, and to none below it */
    int secure;      /**< nonzero: sent over https only */
    int http_only;
    ga_same_site same_site;
} ga_cookie;

/** How many cookies the jar holds; 0 for NULL. One that has expired counts until the jar meets it. */
GA_API size_t ga_cookie_jar_count(const ga_cookie_jar *jar);

/** The cookie at this place, from 0, the oldest first; false past the last. */
GA_API int ga_cookie_jar_at(const ga_cookie_jar *jar, size_t index, ga_cookie *cookie);

/** Takes a cookie as if the URL had answered with it: "name=value; Path=/; Secure".
 *  @return 0; GA_EURL, GA_ESCHEME; GA_EUSAGE where the rules refuse the cookie, and the error says which;
 *          GA_ENOMEM */
GA_API int ga_cookie_jar_set(ga_cookie_jar *jar, const char *url, const char *set_cookie);

/** Takes all cookies out. NULL is fine. */
GA_API void ga_cookie_jar_clear(ga_cookie_jar *jar);

/** Adds the cookies of a file in the Netscape format, as curl and browsers' tools write it ("cookies.txt";
 *  domain, TRUE for names below it, path, TRUE for https only, seconds since 1970 or 0, name, value, with
 *  tabs between; #HttpOnly_ before the domain). Those that have expired are left out.
 *  @return 0; GA_ESYSTEM where the file cannot be read; GA_EUSAGE with the number of the line that is not
 *          understood; GA_ENOMEM. The jar is as it was after a failure, GA_ENOMEM excepted. */
GA_API int ga_cookie_jar_load(ga_cookie_jar *jar, const char *path);

/** Writes the jar's cookies, those without an expiry included, into a file that ga_cookie_jar_load and curl
 *  read. Only its owner may read it (mode 0600), and it takes the place of the file before only when it is
 *  whole. @return 0, GA_ESYSTEM, GA_ENOMEM */
GA_API int ga_cookie_jar_save(const ga_cookie_jar *jar, const char *path);

GA_END_DECLS

#endif
