/* SPDX-License-Identifier: MIT */
/*
 * Compressing the bodies of requests: the option .compress.
 */
#ifndef GA__COMPRESSION_H
#define GA__COMPRESSION_H

#include "client/call.h"

/* Finds the coding that an option names: *coding is a static string, NULL for none ("identity", or `name`
 * NULL).
 * @return 0, GA_EUSAGE */
int ga__compression_find(const char *name, const char **coding);

/* Compresses the call's body as its options or the session's say, once for all its hops. A large body is
 * given to a thread meanwhile: suspends. @return 0, GA_EUSAGE, GA_ENOMEM, GA_ECANCELED; recorded */
int ga__compression_apply(ga__call *call);

#endif
