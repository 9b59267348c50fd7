/* SPDX-License-Identifier: MIT */
/*
 * What connections have in common for TLS: whom to trust, own certificates, versions, protocols offered, and
 * the sessions that can be resumed. Counted references; one loop's.
 */
#ifndef GA__TLS_CONFIG_H
#define GA__TLS_CONFIG_H

#include <gather/base.h>
#include <stdbool.h>

typedef struct ga__tls_config ga__tls_config;

/* As the session's options of the same names; all may be left out. */
typedef struct ga__tls_options {
    bool insecure;       /* certificates are not verified */
    const char *ca_file; /* PEM; with ca_path instead of SSL_CERT_FILE, SSL_CERT_DIR and the system's */
    const char *ca_path;
    const char *ca_pem;    /* trusted CAs as text, instead of the above */
    const char *cert_file; /* own certificate with its chain, PEM */
    const char *key_file;  /* cert_file when left out */
    int version_min;       /* 12 or 13; 12 */
    const char *pin;  /* "sha256//BASE64;sha256//BASE64": the peer's key must be one of these; NULL: any */
    const char *alpn; /* protocols to offer, the preferred first: "h2,http/1.1"; NULL: none */
} ga__tls_options;

/* For connecting. Does not suspend, but reads files.
 * @return the configuration, to be unreferenced; NULL with GA_ETLS (the message names the file and what is
 * wrong with it), GA_EFDS, GA_EUSAGE, GA_ENOMEM */
ga__tls_config *ga__tls_config_new(const ga__tls_options *options);

/* For accepting. `certificate` is PEM text, the chain after the own one. `alpn`: protocols to accept, the
 * preferred first, or NULL. @return as ga__tls_config_new */
ga__tls_config *ga__tls_config_server(const char *certificate, const char *key, const char *alpn);

ga__tls_config *ga__tls_config_ref(ga__tls_config *config);
/* NULL is fine. */
void ga__tls_config_unref(ga__tls_config *config);

/* --- for tls.c ------------------------------------------------------------------------------------ */

struct ssl_ctx_st *ga__tls_config_context(const ga__tls_config *config);
/* As the option; NULL: none. */
const char *ga__tls_config_pins(const ga__tls_config *config);

/* A session to resume with the peer ("example.org:443"), or NULL; the caller's to SSL_SESSION_free. TLS 1.3
 * ones are handed out once. */
struct ssl_session_st *ga__tls_config_take_session(ga__tls_config *config, const char *peer);
/* Keeps a session, whose reference it takes over. The oldest ones go when there are too many. */
void ga__tls_config_keep_session(ga__tls_config *config, const char *peer, struct ssl_session_st *session);

#endif
