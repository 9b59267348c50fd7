/* SPDX-License-Identifier: MIT */
/*
 * Digest authentication (RFC 7616; RFC 2069 where a server knows no more): a server's challenge, and the
 * answer to it. MD5 and SHA-256, their -sess forms, qop auth and auth-int, userhash.
 */
#ifndef GA__DIGEST_H
#define GA__DIGEST_H

#include "base/buffer.h"
#include "base/slice.h"

typedef enum ga__digest_hash { GA__DIGEST_MD5, GA__DIGEST_SHA256 } ga__digest_hash;

typedef enum ga__digest_qop {
    GA__DIGEST_QOP_NONE, /* as RFC 2069 has it */
    GA__DIGEST_QOP_AUTH,
    GA__DIGEST_QOP_AUTH_INT /* the body is covered; only where the server takes nothing else */
} ga__digest_qop;

/* A challenge. {0} is none, and may be freed. */
typedef struct ga__digest {
    char *nonce; /* NULL: there is no challenge */
    char *realm;
    char *opaque; /* NULL: none */
    ga__digest_hash hash;
    ga__digest_qop qop;
    bool names_hash; /* it says its algorithm, and so does the answer */
    bool session;    /* -sess */
    bool user_hash;
    bool stale; /* the nonce of the request before was too old, and nothing else wrong */
} ga__digest;

enum { GA__DIGEST_TEXT_MAX = 4096 }; /* a challenge with a longer value in it is passed over */

/* Looks for Digest challenges in the value of a WWW-Authenticate field, among those of other schemes; the
 * best one that can be answered, by hash, becomes *digest where it is better than that. What is not
 * understood is passed over. @return 0, GA_ENOMEM */
int ga__digest_read(ga__digest *digest, ga__slice field);

void ga__digest_free(ga__digest *digest);

/* The request that carries the answer. */
typedef struct ga__digest_request {
    ga__slice user, password;
    const char *method;
    ga__slice target;   /* as in the request line */
    ga__slice body;     /* for auth-int */
    const char *cnonce; /* the same for all answers to one challenge */
    uint32_t count;     /* of this answer to the challenge, from 1 */
} ga__digest_request;

/* Appends the value of the Authorization field, "Digest username=...".
 * @return 0, GA_ENOMEM (no memory, or no such hash in this OpenSSL) */
int ga__digest_answer(ga__buffer *out, const ga__digest *digest, const ga__digest_request *request);

#endif
