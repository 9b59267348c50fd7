/* SPDX-License-Identifier: MIT */
/*
 * What a URL is made of, as it was written: the step between the input and the serialisation.
 */
#ifndef GA__URL_PARTS_H
#define GA__URL_PARTS_H

#include "protocol/url.h"

/* Slices of the input and of the base, not yet encoded. What is taken from a base is encoded already, which
 * does no harm, since encoding again changes nothing. Not to be copied: `host` may point to parsed_host. */
typedef struct ga__url_parts {
    bool secure;
    bool has_query;
    bool has_fragment;
    uint16_t port; /* 0: the scheme's own */
    ga__host_kind host_kind;
    ga__slice username;
    ga__slice password;
    ga__slice host;      /* without brackets */
    ga__slice base_path; /* what `path` continues: ends at its last "/", except where `path` is empty */
    ga__slice path;      /* with "\\" and dot segments as written */
    ga__slice query;
    ga__slice fragment;
    ga__host parsed_host;
} ga__url_parts;

/* Splits the input; the parts live as long as the input and the base. `base` may be NULL.
 * @return as ga__url_parse */
int ga__url_split(ga__url_parts *parts, const char *input, size_t size, const ga__url *base,
                  const char **reason);

/* The size of the scheme that a text begins with; 0 where it begins with none. */
size_t ga__url_scheme_size(ga__slice text);

static inline uint16_t ga__url_default_port(bool secure)
{
    return secure ? 443 : 80;
}

/* In http and https a backslash is a slash, up to the query. */
static inline bool ga__url_is_slash(char c)
{
    return c == '/' || c == '\\';
}

#endif
