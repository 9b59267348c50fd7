/* SPDX-License-Identifier: MIT */
/*
 * Answering Digest challenges (RFC 7616, 3.4). Everything that is hashed is texts with colons between them.
 * Called by the client when a server has asked, and for further requests to it.
 */
#include "protocol/digest.h"

#include <gather/error.h>
#include <openssl/evp.h>
#include <stdio.h>

enum { HEX_SIZE = 2 * 32 + 1 };

/* The hash of the texts with colons between them, in hexadecimal. */
static bool hash(ga__digest_hash which, char hex[static HEX_SIZE], const ga__slice *texts, size_t count)
{
    const EVP_MD *algorithm = which == GA__DIGEST_MD5 ? EVP_md5() : EVP_sha256();
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && EVP_DigestInit_ex(context, algorithm, NULL) == 1;

    for (size_t i = 0; i < count && good; i++)
        good = (i == 0 || EVP_DigestUpdate(context, ":", 1) == 1) &&
               EVP_DigestUpdate(context, texts[i].data, texts[i].size) == 1;
    good = good && EVP_DigestFinal_ex(context, bytes, &size) == 1 && 2 * size < HEX_SIZE;
    EVP_MD_CTX_free(context);
    for (unsigned i = 0; i < size && good; i++)
        snprintf(hex + (size_t)2 * i, 3, "%02x", bytes[i]);
    return good;
}

#define HASH(which, hex, ...)                              \
    hash((which), (hex), (const ga__slice[]){__VA_ARGS__}, \
         sizeof((const ga__slice[]){__VA_ARGS__}) / sizeof(ga__slice))

static const char *qop_name(ga__digest_qop qop)
{
    return qop == GA__DIGEST_QOP_AUTH_INT ? "auth-int" : "auth";
}

/* The "response" parameter. `count`: as it is sent. */
static bool respond(const ga__digest *digest, const ga__digest_request *request, const char *count,
                    char response[static HEX_SIZE])
{
    char secret[HEX_SIZE], action[HEX_SIZE], body[HEX_SIZE];
    ga__slice nonce = ga__slice_of(digest->nonce), cnonce = ga__slice_of(request->cnonce);
    ga__slice method = ga__slice_of(request->method);

    if (!HASH(digest->hash, secret, request->user, ga__slice_of(digest->realm), request->password))
        return false;
    if (digest->session && !HASH(digest->hash, secret, ga__slice_of(secret), nonce, cnonce))
        return false;
    if (digest->qop == GA__DIGEST_QOP_AUTH_INT) {
        if (!HASH(digest->hash, body, request->body) ||
            !HASH(digest->hash, action, method, request->target, ga__slice_of(body)))
            return false;
    } else if (!HASH(digest->hash, action, method, request->target)) {
        return false;
    }
    if (digest->qop == GA__DIGEST_QOP_NONE)
        return HASH(digest->hash, response, ga__slice_of(secret), nonce, ga__slice_of(action));
    return HASH(digest->hash, response, ga__slice_of(secret), nonce, ga__slice_of(count), cnonce,
                ga__slice_of(qop_name(digest->qop)), ga__slice_of(action));
}

static void add_quoted(ga__buffer *out, const char *name, ga__slice text)
{
    ga__buffer_add(out, name);
    ga__buffer_add(out, "=\"");
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            ga__buffer_add_char(out, '\\');
        ga__buffer_add_char(out, text.data[i]);
    }
    ga__buffer_add_char(out, '"');
}

static const char *algorithm_name(const ga__digest *digest)
{
    if (digest->hash == GA__DIGEST_MD5)
        return digest->session ? "MD5-sess" : "MD5";
    return digest->session ? "SHA-256-sess" : "SHA-256";
}

int ga__digest_answer(ga__buffer *out, const ga__digest *digest, const ga__digest_request *request)
{
    char count[9], user[HEX_SIZE], response[HEX_SIZE];
    ga__slice realm = ga__slice_of(digest->realm);

    snprintf(count, sizeof count, "%08x", request->count);
    if (!respond(digest, request, count, response) ||
        (digest->user_hash && !HASH(digest->hash, user, request->user, realm)))
        return GA_ENOMEM;
    add_quoted(out, "Digest username", digest->user_hash ? ga__slice_of(user) : request->user);
    add_quoted(out, ", realm", realm);
    add_quoted(out, ", nonce", ga__slice_of(digest->nonce));
    add_quoted(out, ", uri", request->target);
    if (digest->names_hash)
        ga__buffer_printf(out, ", algorithm=%s", algorithm_name(digest));
    add_quoted(out, ", response", ga__slice_of(response));
    if (digest->qop != GA__DIGEST_QOP_NONE) {
        ga__buffer_printf(out, ", qop=%s, nc=%s", qop_name(digest->qop), count);
        add_quoted(out, ", cnonce", ga__slice_of(request->cnonce));
    }
    if (digest->opaque)
        add_quoted(out, ", opaque", ga__slice_of(digest->opaque));
    if (digest->user_hash)
        ga__buffer_add(out, ", userhash=true");
    return out->failed ? GA_ENOMEM : 0;
}
