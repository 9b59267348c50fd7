/* SPDX-License-Identifier: MIT */
/*
 * An absolute http or https URL, parsed and resolved as the WHATWG URL standard says, kept as its
 * serialisation with the offsets of its parts, so that every part is a slice and none is copied.
 *
 * Stricter than the standard where a request would be ambiguous: control characters (tab and line breaks,
 * which browsers drop, among them) and port 0 are refused. Bytes that are not UTF-8 are percent-encoded as
 * they are, except in the host, where they are refused.
 */
#ifndef GA__URL_H
#define GA__URL_H

#include "base/buffer.h"
#include "base/slice.h"
#include "protocol/url_host.h"

enum {
    GA__URL_MAX = 1 << 20, /* the longest input, in bytes */
    GA__URL_NEAR = 204     /* what fits here needs no allocation */
};

/* May be moved by assignment (slices of it do not move along); {0} is an empty one, which may be freed, and
 * nothing else. */
typedef struct ga__url {
    char *far; /* the text where it does not fit in `near`, else NULL */
    /* Offsets into the text: "scheme://username:password@host:port/path?query#fragment" NUL, the host NUL,
     * and where there is userinfo the printable form NUL. */
    uint32_t size;              /* of the serialisation */
    uint32_t username_end;      /* it begins after "://" */
    uint32_t password_end;      /* equal to username_end where there is none, else it begins one after that */
    uint32_t host_at, host_end; /* brackets included */
    uint32_t path_at;
    uint32_t query_at;     /* of the "?"; fragment_at where there is none */
    uint32_t fragment_at;  /* of the "#"; size where there is none */
    uint32_t name_at;      /* of the host without brackets */
    uint32_t printable_at; /* 0 where there is no userinfo */
    uint16_t port;         /* never 0 */
    bool secure;           /* https */
    uint8_t host_kind;     /* ga__host_kind */
    char near[GA__URL_NEAR];
} ga__url;

/* Parses the input, against `base` (NULL: it must be absolute) where it is relative; blanks around it are
 * dropped. `base` is another url. *url needs no initialisation; on success it is to be freed, on failure it
 * is empty. *reason is set on failure: a static text, without a full stop, that says what is wrong with the
 * URL and what to do.
 * @return 0; GA_EURL; GA_ESCHEME when the scheme is neither http nor https; GA_ENOMEM */
GA_MUST_USE int ga__url_parse(ga__url *url, const char *input, size_t size, const ga__url *base,
                              const char **reason);

/* The same without looking at the authority once more, where the input begins with that of `known`, which was
 * parsed before, and is written as it is serialised: most calls are to the origin of the one before. `known`
 * may be an empty url.
 * @return false: *url was not touched, and the input is to be parsed with ga__url_parse. True: *url is what
 * that would have made of it */
bool ga__url_parse_like(ga__url *url, const char *input, size_t size, const ga__url *known);

/* @return 0, GA_ENOMEM (*to is empty then) */
GA_MUST_USE int ga__url_copy(ga__url *to, const ga__url *from);

/* Frees what it holds and empties it. */
void ga__url_free(ga__url *url);

/* Adds the pairs after the URL's own query, in order, encoded with GA__PERCENT_PARAMETER (a blank is "+", as
 * aiohttp has it). The array ends with a NULL name; NULL is no pairs; a pair with the value NULL is left out.
 * @return 0; GA_ENOMEM or GA_EURL (longer than the largest URL), which leave *url as it was */
GA_MUST_USE int ga__url_add_params(ga__url *url, const ga_pair *params, const char **reason);

/* Gives the url the fragment of `from`, where it has none of its own: what a redirect does (RFC
 * 9110, 10.2.2).
 * @return 0; GA_ENOMEM or GA_EURL (longer than the largest URL), which leave *url as it was */
GA_MUST_USE int ga__url_inherit_fragment(ga__url *url, const ga__url *from, const char **reason);

/* Same scheme, host and port. */
bool ga__url_same_origin(const ga__url *a, const ga__url *b);

/* Appends an input that could not be parsed, for a message: what may be userinfo as "...", control characters
 * as "?", and no more than its beginning where it is long. Of a parsed URL ga__url_printable is the one to
 * show. */
void ga__url_describe(ga__buffer *out, const char *input, size_t size);

/* The whole serialisation, userinfo included: never to be shown to anyone. Ends with a NUL. */
static inline const char *ga__url_href(const ga__url *url)
{
    return url->far ? url->far : url->near;
}

/* The serialisation without userinfo: for messages, logs and records. Ends with a NUL. */
static inline const char *ga__url_printable(const ga__url *url)
{
    return ga__url_href(url) + url->printable_at;
}

/* The host to resolve and connect to, in lower case, IPv6 without brackets; a final dot stays. Ends with a
 * NUL. */
static inline const char *ga__url_host(const ga__url *url)
{
    return ga__url_href(url) + url->name_at;
}

static inline size_t ga__url_host_size(const ga__url *url)
{
    return url->host_end - url->host_at - (url->host_kind == GA__HOST_IPV6 ? 2 : 0);
}

/* "http" or "https". */
static inline const char *ga__url_scheme(const ga__url *url)
{
    return url->secure ? "https" : "http";
}

static inline ga__slice ga__url_slice_(const ga__url *url, size_t begin, size_t end)
{
    return (ga__slice){ga__url_href(url) + begin, end - begin};
}

/* Percent-encoded; ga__percent_decode makes of it what auth needs. Empty where there is none, as the
 * password. */
static inline ga__slice ga__url_username(const ga__url *url)
{
    return ga__url_slice_(url, url->secure ? 8 : 7, url->username_end);
}

static inline ga__slice ga__url_password(const ga__url *url)
{
    size_t begin = url->username_end + (url->password_end > url->username_end);

    return ga__url_slice_(url, begin, url->password_end);
}

static inline bool ga__url_has_userinfo(const ga__url *url)
{
    return url->printable_at != 0;
}

/* "host", or "host:port" where the port is not the scheme's own: the value of the Host header. */
static inline ga__slice ga__url_authority(const ga__url *url)
{
    return ga__url_slice_(url, url->host_at, url->path_at);
}

/* "/path?query": the request target, in origin form. */
static inline ga__slice ga__url_target(const ga__url *url)
{
    return ga__url_slice_(url, url->path_at, url->fragment_at);
}

/* Begins with "/". */
static inline ga__slice ga__url_path(const ga__url *url)
{
    return ga__url_slice_(url, url->path_at, url->query_at);
}

/* Without the "?"; empty where there is none. */
static inline ga__slice ga__url_query(const ga__url *url)
{
    return ga__url_slice_(url, url->query_at + (url->query_at < url->fragment_at), url->fragment_at);
}

/* Without the "#"; empty where there is none. */
static inline ga__slice ga__url_fragment(const ga__url *url)
{
    return ga__url_slice_(url, url->fragment_at + (url->fragment_at < url->size), url->size);
}

#endif
