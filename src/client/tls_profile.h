/* SPDX-License-Identifier: MIT */
/*
 * What connections are opened with: the version of HTTP, and all that TLS needs to know. A session has a
 * profile of its own; requests that say otherwise get others, which the session keeps for requests like them.
 *
 * Connections, shared ones too, and TLS sessions belong to the profile that they were made under: what one
 * has not verified is never taken for verified by another.
 */
#ifndef GA__TLS_PROFILE_H
#define GA__TLS_PROFILE_H

#include "base/list.h"
#include "io/tls_config.h"
#include <gather/session.h>

/* ga_session_options.http */
enum { GA__HTTP_AUTO = 0, GA__HTTP_1 = 11, GA__HTTP_2 = 2 };

typedef struct ga__tls_profile {
    ga__link link;     /* in the session's list, unless it is the session's own */
    size_t references; /* calls that use it; not counted of the session's own */
    int http;
    ga__tls_options options; /* strings are the profile's */
    char *server_name;       /* NULL: the URL's host */
    char *key;               /* all of the above as text: equal where, and only where, they are */
    ga__tls_config *config;  /* NULL until it is needed, or where files are named */
} ga__tls_profile;

/* Those of a session. */
typedef struct ga__tls_profiles {
    ga__tls_profile own;
    ga__list others;              /* the one used last first */
    size_t count;                 /* of others */
    ga__tls_config *proxy_config; /* for proxies; NULL until one is reached over TLS */
} ga__tls_profiles;

/* Judges and keeps the session's options. Files that are named are read now, so that a mistake shows at once;
 * the system's CAs are read when an https URL asks for them.
 * @return 0, GA_EUSAGE, GA_ETLS, GA_ENOMEM */
int ga__tls_profiles_init(ga__tls_profiles *profiles, const ga_session_options *options);
/* Also one that is all zero. */
void ga__tls_profiles_free(ga__tls_profiles *profiles);

/* Whether the request says anything of the kind. */
static inline bool ga__tls_profile_wanted(const ga_request_options *options)
{
    return (options->http | options->insecure | options->tls_version_min) != 0 || options->ca_file ||
           options->ca_path || options->cert_file || options->key_file || options->tls_pin ||
           options->server_name;
}

/* The request's, to be put back; the session's own where that is the same. `elsewhere`: the request was
 * redirected to another origin, where it is nobody in particular: its certificate is not shown there, nor the
 * name asked for that it gives. @return NULL with what ga__tls_profiles_init fails with */
ga__tls_profile *ga__tls_profile_get(ga__tls_profiles *profiles, const ga_request_options *options,
                                     bool elsewhere);
void ga__tls_profile_put(ga__tls_profiles *profiles, ga__tls_profile *profile);

/* What connections to servers have in common, made on first use. NULL with GA_ETLS, GA_EFDS, GA_ENOMEM. */
ga__tls_config *ga__tls_profile_config(ga__tls_profile *profile);
/* The same for connections to proxies, whatever requests say: as the session has it for servers, without its
 * certificate and pins. A proxy may be told a password. */
ga__tls_config *ga__tls_profiles_proxy_config(ga__tls_profiles *profiles);

#endif
