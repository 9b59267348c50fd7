/* SPDX-License-Identifier: MIT */
/*
 * The verdict on a certificate. OpenSSL decides and gives a number; the sentence made here names what a
 * person needs: the dates, the names that the certificate has, who issued it, and what to do. All of that is
 * text from the peer, which may be hostile: it is cut, and control characters are escaped.
 */
#include "io/tls_verify.h"

#include "base/buffer.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

enum { MOST_NAMES = 6, MOST_NAME = 120 };

static void add_escaped(ga__buffer *text, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size && i < MOST_NAME; i++) {
        if (bytes[i] >= 0x20 && bytes[i] < 0x7f)
            ga__buffer_add_char(text, (char)bytes[i]);
        else
            ga__buffer_printf(text, "\\x%02x", bytes[i]);
    }
    if (size > MOST_NAME)
        ga__buffer_add(text, "...");
}

static void add_entity(ga__buffer *text, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;

    if (!bio) {
        text->failed = true;
        return;
    }
    /* with control characters and bytes above ASCII escaped */
    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)XN_FLAG_DN_REV);
    long size = BIO_get_mem_data(bio, &bytes);

    ga__buffer_add_char(text, '"');
    add_escaped(text, (const unsigned char *)bytes, size > 0 ? (size_t)size : 0);
    ga__buffer_add_char(text, '"');
    BIO_free(bio);
}

static void add_date(ga__buffer *text, const ASN1_TIME *when)
{
    struct tm date;
    char day[32];

    if (!ASN1_TIME_to_tm(when, &date) || strftime(day, sizeof day, "%Y-%m-%d %H:%M:%S UTC", &date) == 0)
        ga__buffer_add(text, "a date that cannot be read");
    else
        ga__buffer_add(text, day);
}

static void add_address(ga__buffer *text, const ASN1_OCTET_STRING *bytes)
{
    char address[INET6_ADDRSTRLEN];
    int size = ASN1_STRING_length(bytes);

    if ((size == 4 || size == 16) &&
        inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), address, sizeof address))
        ga__buffer_add(text, address);
    else
        ga__buffer_add(text, "a broken address");
}

static void add_subject_name(ga__buffer *text, const GENERAL_NAME *name)
{
    if (name->type == GEN_IPADD)
        add_address(text, name->d.iPAddress);
    else
        add_escaped(text, ASN1_STRING_get0_data(name->d.dNSName),
                    (size_t)ASN1_STRING_length(name->d.dNSName));
}

/* The names that a certificate is for: "a.example, b.example and 3 more". */
static void add_subject_names(ga__buffer *text, const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int count = names ? sk_GENERAL_NAME_num(names) : 0;
    int told = 0, more = 0;

    for (int i = 0; i < count; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type != GEN_DNS && name->type != GEN_IPADD)
            continue;
        if (told == MOST_NAMES) {
            more++;
            continue;
        }
        if (told++ > 0)
            ga__buffer_add(text, ", ");
        add_subject_name(text, name);
    }
    if (told == 0)
        ga__buffer_add(text, "no host at all");
    if (more)
        ga__buffer_printf(text, " and %d more", more);
    GENERAL_NAMES_free(names);
}

static void add_unknown_issuer(ga__buffer *text, const X509 *certificate)
{
    ga__buffer_add(text, "it was issued by ");
    add_entity(text, X509_get_issuer_name(certificate));
    ga__buffer_add(text,
                   ", which is not trusted here (a CA of one's own, or the server leaves out an intermediate "
                   "certificate); to trust it, pass .ca_file = a PEM file with the CA's certificate");
}

static void add_sentence(ga__buffer *text, int error, const X509 *certificate, const char *host)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        ga__buffer_add(text, "it expired on ");
        add_date(text, X509_get0_notAfter(certificate));
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        ga__buffer_add(text, "it is not valid before ");
        add_date(text, X509_get0_notBefore(certificate));
        ga__buffer_add(text, " (is this machine's clock right?)");
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        ga__buffer_add(text,
                       "it is self-signed, so nobody vouches for it; to trust it, pass .ca_file = a PEM "
                       "file with this very certificate");
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        ga__buffer_add(text, "its chain ends at ");
        add_entity(text, X509_get_subject_name(certificate));
        ga__buffer_add(text, ", which is not trusted here; to trust it, pass .ca_file = a PEM file with that "
                             "CA's certificate");
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        add_unknown_issuer(text, certificate);
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        ga__buffer_add(text, "it is for ");
        add_subject_names(text, certificate);
        ga__buffer_printf(text, ", not for %s", host);
        break;
    default:
        ga__buffer_add(text, X509_verify_cert_error_string(error));
    }
}

int ga__tls_verify(int ok, X509_STORE_CTX *store)
{
    const SSL *tls = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    ga__tls_peer *peer = tls ? SSL_get_app_data(tls) : NULL;
    const X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    ga__buffer text = GA__BUFFER_INIT;

    if (ok || !peer)
        return ok;
    peer->verify_error = X509_STORE_CTX_get_error(store);
    if (X509_STORE_CTX_get_error_depth(store) > 0 && certificate) {
        ga__buffer_add(&text, "about ");
        add_entity(&text, X509_get_subject_name(certificate));
        ga__buffer_add(&text, ", a CA in its chain: ");
    }
    if (certificate)
        add_sentence(&text, peer->verify_error, certificate, peer->host);
    else
        ga__buffer_add(&text, X509_verify_cert_error_string(peer->verify_error));
    free(peer->verdict);
    peer->verdict = ga__buffer_take(&text);
    return 0;
}
