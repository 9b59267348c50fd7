/* SPDX-License-Identifier: MIT */
/*
 * An HTTP Archive (HAR 1.2) of a session's calls: an entry for each request that went out, redirects and
 * retries among them, in the order in which they ended. A call without an archive pays one test.
 */
#ifndef GA__HAR_H
#define GA__HAR_H

#include "client/call.h"

/* --- har_file.c: the file, which is JSON at any time ---------------------------------------------- */

typedef struct ga__har ga__har;

/* Creates the file, or empties it. @return 0; GA_ESYSTEM, GA_EFDS, GA_ENOMEM; recorded */
int ga__har_new(ga__har **har, const char *path);

/* Adds an entry; NULL: there was no memory for it. What cannot be written is told once on stderr. Does not
 * suspend. */
void ga__har_add(ga__har *har, const char *entry);

/* NULL is fine. */
void ga__har_free(ga__har *har);

/* --- har.c: the entries --------------------------------------------------------------------------- */

typedef struct ga__har_entry ga__har_entry;

/* The request, whose head is written, is about to go out: makes call->har, NULL without memory. */
void ga__har_begin(ga__call *call);

/* It failed with `code`, or call->response is there, which gets the entry until it is freed. */
void ga__har_exchanged(ga__call *call, int code);

/* The content of the response's body was so long before its codings. */
void ga__har_decoded(ga__har_entry *entry, uint64_t size);

/* The response has come to its end. */
void ga__har_end(const ga_response *response);

#endif
