/* SPDX-License-Identifier: MIT */
/*
 * Certificates made in memory, by OpenSSL. todo-api shows one for its TLS, and the tests make good and bad
 * ones.
 */
#include "io/certificate.h"

#include "task/loop.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

static char *bio_text(BIO *bio)
{
    char *bytes = NULL;
    long size = BIO_get_mem_data(bio, &bytes);

    char *text = size > 0 ? malloc((size_t)size + 1) : NULL;

    if (text) {
        memcpy(text, bytes, (size_t)size);
        text[size] = '\0';
    }
    return text;
}

static char *certificate_text(X509 *x509)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = bio && PEM_write_bio_X509(bio, x509) ? bio_text(bio) : NULL;

    BIO_free(bio);
    return text;
}

static char *key_text(const EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) ? bio_text(bio) : NULL;

    BIO_free(bio);
    return text;
}

static X509 *parse_certificate(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *x509 = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return x509;
}

static EVP_PKEY *parse_key(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return key;
}

static bool set_serial(X509 *x509)
{
    unsigned char bytes[8];
    uint64_t serial = 0;

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    memcpy(&serial, bytes, sizeof bytes);
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial >> 1) == 1;
}

static bool set_subject(X509 *x509, const char *common_name)
{
    return X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                                      (const unsigned char *)common_name, -1, -1, 0) == 1;
}

static bool add_extension(X509 *x509, X509V3_CTX *context, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid, value);
    bool ok = extension && X509_add_ext(x509, extension, -1) == 1;

    X509_EXTENSION_free(extension);
    return ok;
}

static bool add_extensions(X509 *x509, X509 *issuer, const ga__certificate_options *options)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    if (!add_extension(x509, &context, NID_basic_constraints,
                       options->authority ? "critical,CA:TRUE" : "critical,CA:FALSE") ||
        !add_extension(x509, &context, NID_key_usage,
                       options->authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") ||
        !add_extension(x509, &context, NID_subject_key_identifier, "hash"))
        return false;
    if (issuer != x509 && !add_extension(x509, &context, NID_authority_key_identifier, "keyid"))
        return false;
    return !options->names || add_extension(x509, &context, NID_subject_alt_name, options->names);
}

/* Fills in the certificate and signs it; `issuer` is the certificate itself where it signs itself. */
static bool fill(X509 *x509, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
                 const ga__certificate_options *options)
{
    long until = options->valid_until ? options->valid_until : 24L * 60 * 60;

    return X509_set_version(x509, X509_VERSION_3) == 1 && set_serial(x509) &&
           X509_gmtime_adj(X509_getm_notBefore(x509), options->valid_from) &&
           X509_gmtime_adj(X509_getm_notAfter(x509), until) && X509_set_pubkey(x509, key) == 1 &&
           set_subject(x509, options->common_name) &&
           X509_set_issuer_name(x509, X509_get_subject_name(issuer)) == 1 &&
           add_extensions(x509, issuer, options) && X509_sign(x509, issuer_key, EVP_sha256()) > 0;
}

int ga__certificate_make(ga__certificate *certificate, const ga__certificate_options *options)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    X509 *issuer = options->issuer ? parse_certificate(options->issuer->certificate) : x509;
    EVP_PKEY *issuer_key = options->issuer ? parse_key(options->issuer->key) : key;
    int code = 0;

    *certificate = (ga__certificate){0};
    if (!key || !x509 || !issuer || !issuer_key || !fill(x509, key, issuer, issuer_key, options)) {
        const char *reason = ERR_reason_error_string(ERR_peek_error());

        code = ga__fail(GA_ETLS, "the certificate for %s cannot be made: %s", options->common_name,
                        reason ? reason : "OpenSSL gives no reason");
        goto out;
    }
    certificate->certificate = certificate_text(x509);
    certificate->key = key_text(key);
    if (!certificate->certificate || !certificate->key) {
        ga__certificate_free(certificate);
        code = ga__fail(GA_ENOMEM, "no memory for a certificate");
    }

out:
    ERR_clear_error();
    if (options->issuer) {
        X509_free(issuer);
        EVP_PKEY_free(issuer_key);
    }
    X509_free(x509);
    EVP_PKEY_free(key);
    return code;
}

void ga__certificate_free(ga__certificate *certificate)
{
    free(certificate->certificate);
    free(certificate->key);
    *certificate = (ga__certificate){0};
}
