/* SPDX-License-Identifier: MIT */
/*
 * Percent-encoding: which bytes each part of a URL may show, and pairs as a query or a form.
 */
#ifndef GA__PERCENT_H
#define GA__PERCENT_H

#include "base/buffer.h"

/* What is encoded, by the part of the URL (WHATWG URL, 1.3). All of them encode controls, the blank and
 * everything beyond ASCII, and leave "%" as it is, so encoding twice is encoding once; only the last two,
 * which take plain text, encode "%" too. */
typedef enum ga__percent_set {
    GA__PERCENT_FRAGMENT = 1,
    GA__PERCENT_QUERY = 2, /* "special-query": of http and https */
    GA__PERCENT_PATH = 4,
    GA__PERCENT_USERINFO = 8,
    GA__PERCENT_PARAMETER = 16, /* a name or value put into a query: ! $ ( ) * , - . / : ? @ _ ~ and
                                   alphanumerics stay, a blank is "+" */
    GA__PERCENT_FORM =
        32 /* a name or value of a form's body: - . _ ~ and alphanumerics stay, a blank is "+" */
} ga__percent_set;

/* The size of the bytes once encoded. */
size_t ga__percent_encoded_size(const char *bytes, size_t size, ga__percent_set set);

/* Writes the encoded bytes to `out`, which has room for ga__percent_encoded_size of them. @return the end of
 * what was written */
char *ga__percent_encode(char *out, const char *bytes, size_t size, ga__percent_set set);

/* Appends the bytes with each %XX made one byte; a "%" without two hexadecimal digits stays. */
void ga__percent_decode(ga__buffer *out, const char *bytes, size_t size);

/* Appends "name=value&name=value". The array ends with a NULL name; a pair whose value is NULL is left out;
 * order and repeated names are kept. */
void ga__percent_encode_pairs(ga__buffer *out, const ga_pair *pairs, ga__percent_set set);

#endif
