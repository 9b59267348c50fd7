/* SPDX-License-Identifier: MIT */
/*
 * Strict-Transport-Security (RFC 6797): which hosts have said that they are to be reached over TLS only. Kept
 * in memory, by session. The time is passed in, in seconds since 1970.
 */
#ifndef GA__HSTS_H
#define GA__HSTS_H

#include "protocol/url.h"

typedef struct ga__hsts ga__hsts;

/* NULL without memory. */
ga__hsts *ga__hsts_new(void);
void ga__hsts_free(ga__hsts *hsts);

/* Takes what the field of an answer says that came over verified TLS from the url's host. A field that is
 * broken changes nothing, and addresses have no policy. @return 0, GA_ENOMEM */
int ga__hsts_note(ga__hsts *hsts, const ga__url *url, ga__slice field, int64_t now);

/* Whether the url's host, or one above it that spoke for those below, wants TLS. */
bool ga__hsts_applies(const ga__hsts *hsts, const ga__url *url, int64_t now);

/* Makes an http url an https one where its host wants that; a port that is not 80 stays.
 * @return 0; GA_ENOMEM or GA_EURL, which leave the url as it was; recorded */
int ga__hsts_upgrade(const ga__hsts *hsts, ga__url *url, int64_t now);

#endif
