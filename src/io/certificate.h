/* SPDX-License-Identifier: MIT */
/*
 * Certificates made in memory (EC P-256): an authority, and what it signs. For the embedded API and for
 * tests; not for production.
 */
#ifndef GA__CERTIFICATE_H
#define GA__CERTIFICATE_H

#include <gather/base.h>
#include <stdbool.h>

/* PEM texts; ga__certificate_free. */
typedef struct ga__certificate {
    char *certificate;
    char *key;
} ga__certificate;

typedef struct ga__certificate_options {
    const char *common_name;
    const char *names; /* subjectAltName as OpenSSL writes it: "DNS:localhost,IP:127.0.0.1,IP:::1" */
    bool authority;    /* it may sign others */
    const ga__certificate *issuer; /* NULL: self-signed */
    long valid_from;               /* seconds from now, negative for the past */
    long valid_until;              /* seconds from now; 0: a day */
} ga__certificate_options;

/* The names under which a server on this machine is reached. */
#define GA__LOCAL_NAMES "DNS:localhost,IP:127.0.0.1,IP:::1"

/* @return 0, GA_ETLS (OpenSSL refused: the message says what), GA_ENOMEM */
int ga__certificate_make(ga__certificate *certificate, const ga__certificate_options *options);
void ga__certificate_free(ga__certificate *certificate);

#endif
