/* SPDX-License-Identifier: MIT */
/*
 * Proxies: what the options and the environment name, and which of them a URL is reached through.
 *
 * A proxy's credentials go to it alone. They are part of `key`, which tells connections through different
 * proxies, or with different credentials, apart; `name` is what may be shown.
 */
#ifndef GA__PROXY_H
#define GA__PROXY_H

#include "base/buffer.h"
#include "protocol/url.h"
#include <gather/session.h>

typedef enum ga__proxy_kind {
    GA__PROXY_HTTP,
    GA__PROXY_HTTPS,  /* HTTP over TLS to the proxy */
    GA__PROXY_SOCKS5, /* names are resolved here */
    GA__PROXY_SOCKS5H /* names are resolved by the proxy */
} ga__proxy_kind;

typedef struct ga__proxy {
    ga__proxy_kind kind;
    ga__url url;                   /* its host and port; the scheme is http or https */
    ga__buffer username, password; /* decoded, for SOCKS */
    ga__buffer fields;             /* lines for its eyes: Proxy-Authorization, and the headers given for it */
    bool authorized;               /* Proxy-Authorization is among them */
    char *name;                    /* "http://proxy.example:3128" */
    char *key;
} ga__proxy;

/* Makes a proxy of its URL, to which "http://" is added where it has no scheme. `headers` are sent to it
 * (NULL: none); `option` is the name of what the URL stands in, for messages.
 * @return the proxy, to be freed; NULL with GA_EURL, GA_EHEADER, GA_EUSAGE, GA_ENOMEM */
ga__proxy *ga__proxy_new(const char *option, const char *url, const ga_pair *headers);
/* NULL is fine. */
void ga__proxy_free(ga__proxy *proxy);

/* Whether plain HTTP is sent to it with an absolute URL, without a tunnel. */
static inline bool ga__proxy_forwards(const ga__proxy *proxy, const ga__url *url)
{
    return !url->secure && (proxy->kind == GA__PROXY_HTTP || proxy->kind == GA__PROXY_HTTPS);
}

/* The proxies of a session. */
typedef struct ga__proxies {
    ga__proxy *http, *https; /* for URLs of these schemes, or NULL */
    char *no_proxy;          /* or NULL */
} ga__proxies;

/* Reads the options, and the environment where trust_env says so: *proxies is NULL where none is named.
 * @return 0 or as ga__proxy_new */
int ga__proxies_new(ga__proxies **proxies, const ga_session_options *options);
/* NULL is fine. */
void ga__proxies_free(ga__proxies *proxies);

/* The proxy for the URL; NULL: it is reached directly. */
const ga__proxy *ga__proxies_choose(const ga__proxies *proxies, const ga__url *url);

#endif
