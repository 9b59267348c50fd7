/* SPDX-License-Identifier: MIT */
/*
 * Percent-encoding: which bytes each part of a URL may show, and pairs as a query or a form.
 */
#ifndef GA__PERCENT_H
#define GA__PERCENT_H

#include "base/buffer.h"
#include "base/slice.h"

/* What is encoded, by the part of the URL (WHATWG URL, 1.3). All of them encode controls, the blank and
 * everything beyond ASCII, and leave "%" as it is, so encoding twice is encoding once; only the last three,
 * which take plain text, encode "%" too. */
typedef enum ga__percent_set {
    GA__PERCENT_FRAGMENT = 1,
    GA__PERCENT_QUERY = 2, /* "special-query": of http and https */
    GA__PERCENT_PATH = 4,
    GA__PERCENT_USERINFO = 8,
    GA__PERCENT_PARAMETER = 16, /* a name or value put into a query: ! $ ( ) * , - . / : ? @ _ ~ and
                                   alphanumerics stay, a blank is "+" */
    /* a name or value of a form's body: - . _ ~ and alphanumerics stay, a blank is "+" */
    GA__PERCENT_FORM = 32,
    /* the same with the blank as %20: right in any part of a URL, and in a form */
    GA__PERCENT_UNRESERVED = 64
} ga__percent_set;

/* The size of the bytes once encoded. */
size_t ga__percent_encoded_size(const char *bytes, size_t size, ga__percent_set set);

/* Writes the encoded bytes to `out`, which has room for ga__percent_encoded_size of them. @return the end of
 * what was written */
char *ga__percent_encode(char *out, const char *bytes, size_t size, ga__percent_set set);

/* Appends the text encoded. */
void ga__percent_append(ga__buffer *out, ga__slice text, ga__percent_set set);

/* Appends the bytes with each %XX made one byte; a "%" without two hexadecimal digits stays. */
void ga__percent_decode(ga__buffer *out, const char *bytes, size_t size);

/* Appends "name=value&name=value". The array ends with a NULL name; a pair whose value is NULL is left out;
 * order and repeated names are kept. */
void ga__percent_encode_pairs(ga__buffer *out, const ga_pair *pairs, ga__percent_set set);

#endif
