/* SPDX-License-Identifier: MIT */
/*
 * Who a session is to servers, beyond what its headers say: Digest credentials, and the user's .netrc. Basic
 * credentials and a bearer token of a session are one of its headers.
 */
#ifndef GA__AUTH_H
#define GA__AUTH_H

#include "protocol/digest.h"
#include "protocol/url.h"
#include <gather/session.h>

/* The last challenge that was answered with some credentials: further requests to the origin need not be
 * asked again. */
typedef struct ga__digest_state {
    char *user, *password;
    ga__digest challenge; /* none before the first */
    ga__url origin;       /* who asked */
    char cnonce[33];
    uint32_t count; /* of answers to it */
} ga__digest_state;

typedef struct ga__auth {
    ga__digest_state *digest; /* NULL: none */
    ga__buffer netrc;         /* the file; empty: none */
} ga__auth;

/* What the options ask for; *auth is NULL where that is nothing.
 * @return 0, GA_EUSAGE, GA_EHEADER, GA_ESYSTEM, GA_ENOMEM; recorded */
int ga__auth_new(ga__auth **auth, const ga_session_options *options);
void ga__auth_free(ga__auth *auth);

/* Appends what the Authorization header of a session with these options says, "Basic ..." or "Bearer ...";
 * nothing where they give none, or Digest's. @return 0, GA_EUSAGE, GA_EHEADER, GA_ENOMEM; recorded */
int ga__auth_header(ga__buffer *value, const ga_session_options *options);

/* NULL without memory. */
ga__digest_state *ga__digest_state_new(ga__slice user, ga__slice password);
void ga__digest_state_free(ga__digest_state *state);

/* Takes a challenge over, of the url's origin. @return 0, GA_ENOMEM */
int ga__digest_state_challenge(ga__digest_state *state, ga__digest *challenge, const ga__url *url);

/* Whether the state's challenge is for requests of the url. */
static inline bool ga__digest_state_is_for(const ga__digest_state *state, const ga__url *url)
{
    return state->challenge.nonce && ga__url_same_origin(&state->origin, url);
}

/* Judges what a user gives. @return 0, GA_EUSAGE, GA_EHEADER; with *problem, a static text */
int ga__auth_judge(const char *user, const char *password, const char *bearer, const char **problem);

#endif
