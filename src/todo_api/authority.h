/* SPDX-License-Identifier: MIT */
/*
 * A certificate authority for one run of the server, so that clients can verify it: its certificate lies in a
 * file while the server runs.
 */
#ifndef TODO_API_AUTHORITY_H
#define TODO_API_AUTHORITY_H

#include "io/tls_config.h"

typedef struct authority {
    char *directory;
    char *path; /* of the CA's certificate, PEM */
} authority;

/* Makes a CA with its file, and what a server on this machine needs to accept with a certificate that it
 * signed. On failure nothing is left; the failure is recorded.
 * @return 0, GA_ETLS, GA_ESYSTEM, GA_ENOMEM */
int authority_make(authority *authority, ga__tls_config **config);

/* Removes the file. Harmless on {0}. */
void authority_free(authority *authority);

#endif
