/* SPDX-License-Identifier: MIT */
/*
 * Pins of public keys. A pin is compared as its text: base64 of 32 bytes has one spelling, whose last digit
 * has no spare bits set; any other is refused when the session is made. Called by tls.c and tls_config.c.
 */
#include "io/tls_pin.h"

#include "base/ascii.h"
#include "base/base64.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

enum { DIGEST = 32, DIGITS = 43 }; /* and "=" */

static const char prefix[] = "sha256//";

static bool is_digit(char c)
{
    return ga__ascii_is_alpha(c) || ga__ascii_is_digit(c) || c == '+' || c == '/';
}

static bool is_pin(ga__slice pin)
{
    if (pin.size != sizeof prefix - 1 + DIGITS + 1 || memcmp(pin.data, prefix, sizeof prefix - 1) != 0)
        return false;
    ga__slice_take(&pin, sizeof prefix - 1);
    for (size_t i = 0; i < DIGITS; i++)
        if (!is_digit(pin.data[i]))
            return false;
    return pin.data[DIGITS] == '=' && memchr("AEIMQUYcgkosw048", pin.data[DIGITS - 1], 16);
}

static ga__slice next(const char **pins)
{
    ga__slice pin = {*pins, strcspn(*pins, ";")};

    *pins += pin.size + ((*pins)[pin.size] == ';');
    return pin;
}

bool ga__tls_pins_valid(const char *pins)
{
    if (!*pins)
        return false;
    while (*pins)
        if (!is_pin(next(&pins)))
            return false;
    return true;
}

bool ga__tls_pins_have(const char *pins, const char *pin)
{
    while (*pins)
        if (ga__slice_equal(next(&pins), ga__slice_of(pin)))
            return true;
    return false;
}

void ga__tls_pin_of(const X509 *certificate, ga__buffer *pin)
{
    unsigned char digest[DIGEST], *key = NULL;
    int size = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key) : 0;

    if (size > 0 && EVP_Digest(key, (size_t)size, digest, NULL, EVP_sha256(), NULL) == 1) {
        ga__buffer_add(pin, prefix);
        ga__base64_encode(pin, digest, sizeof digest);
    }
    OPENSSL_free(key);
}
