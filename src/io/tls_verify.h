/* SPDX-License-Identifier: MIT */
/*
 * Why a certificate does not verify, in words for a person.
 */
#ifndef GA__TLS_VERIFY_H
#define GA__TLS_VERIFY_H

struct x509_store_ctx_st;

/* What a TLS connection knows of its other side; it hangs at the SSL object as its application data. */
typedef struct ga__tls_peer {
    struct ga__tls_config *config;
    int verify_error;      /* X509_V_ERR_..., or 0 */
    char *verdict;         /* what is wrong with the certificate: "it expired on 2020-01-01"; or NULL */
    const char *host_port; /* "example.org:443", "[::1]:443" */
    char host[];           /* without brackets and a dot at the end; host_port's text comes behind */
} ga__tls_peer;

/* OpenSSL's callback for each certificate of a chain: leaves error and verdict in the connection's
 * ga__tls_peer. */
int ga__tls_verify(int ok, struct x509_store_ctx_st *store);

#endif
