/* SPDX-License-Identifier: MIT */
/*
 * What a row is known by over several runs: a hash of its id, or else of what it asks for with the number of
 * its occurrence, and the set of all of a job's. Sixteen bytes a row, of which 96 bits are its key: among ten
 * million rows the chance that two share one is 10^-15.
 */
#ifndef GA__KEYS_H
#define GA__KEYS_H

#include "base/slice.h"
#include <stdbool.h>

enum { GA__KEY_SIZE = 12 };

typedef struct ga__key {
    unsigned char bytes[GA__KEY_SIZE];
} ga__key;

/* To be called before threads make keys: at exit OpenSSL takes down what it set up at its first use, and
 * threads that were there before it would keep theirs. */
void ga__keys_prepare(void);

/* Makes the key of what these parts say together; where one ends and the next begins counts. `salt` tells
 * kinds apart, and the occurrences of the same content. False where OpenSSL cannot. */
bool ga__key_of(ga__key *key, uint32_t salt, const ga__slice *parts, size_t count);

/* A set of keys with a small value each. It grows piece by piece and is never there twice. */
typedef struct ga__keys ga__keys;

ga__keys *ga__keys_new(void);
void ga__keys_free(ga__keys *keys);
/* Makes room for so many more, where there is memory: they need not be moved then while the set grows. */
void ga__keys_reserve(ga__keys *keys, size_t count);
/* Has the memory come near in which the key is, or would be. */
void ga__keys_fetch(const ga__keys *keys, const ga__key *key);
/* Where the key's value stands, 0 at first: made where it is not there yet. NULL without memory. Valid until
 * the next call. */
uint32_t *ga__keys_at(ga__keys *keys, const ga__key *key);
/* The same where it is there, else NULL. */
uint32_t *ga__keys_find(const ga__keys *keys, const ga__key *key);
size_t ga__keys_count(const ga__keys *keys);

#endif
