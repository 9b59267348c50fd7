/* SPDX-License-Identifier: MIT */
/*
 * Pinned keys: "sha256//BASE64", the SHA-256 of a certificate's SubjectPublicKeyInfo, as in RFC 7469 and as
 * curl writes them; several with ";" between them.
 */
#ifndef GA__TLS_PIN_H
#define GA__TLS_PIN_H

#include "base/buffer.h"

struct x509_st;

/* Whether each of the list is a pin, and there is one. */
bool ga__tls_pins_valid(const char *pins);

/* Whether the pin is in the list. */
bool ga__tls_pins_have(const char *pins, const char *pin);

/* Appends the pin of the certificate's key; nothing where there is no certificate. */
void ga__tls_pin_of(const struct x509_st *certificate, ga__buffer *pin);

#endif
