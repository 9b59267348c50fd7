/* SPDX-License-Identifier: MIT */
/*
 * Keys of rows, and the set of them, which is most of what a job of a million rows holds in memory: 256
 * tables with open addressing, each of which grows by a quarter when it is full to four fifths. So there is
 * no moment at which the whole set is there twice.
 */
#include "bulk/keys.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TABLES = 256, SMALLEST = 8 };

/* --- keys ----------------------------------------------------------------------------------------- */

static EVP_MD *sha256;

static void fetch_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

void ga__keys_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, fetch_sha256);
}

/* SHA-256 of the salt and of each part behind its size. */
static bool digest(unsigned char *out, uint32_t salt, const ga__slice *parts, size_t count)
{
    ga__keys_prepare();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && sha256 && EVP_DigestInit_ex(context, sha256, NULL) &&
                EVP_DigestUpdate(context, &salt, sizeof salt);

    for (size_t i = 0; good && i < count; i++) {
        uint64_t size = parts[i].size;

        good = EVP_DigestUpdate(context, &size, sizeof size) &&
               EVP_DigestUpdate(context, parts[i].data, parts[i].size);
    }
    good = good && EVP_DigestFinal_ex(context, out, NULL);
    EVP_MD_CTX_free(context);
    return good;
}

bool ga__key_of(ga__key *key, uint32_t salt, const ga__slice *parts, size_t count)
{
    unsigned char out[EVP_MAX_MD_SIZE];

    if (!digest(out, salt, parts, count))
        return false;
    memcpy(key->bytes, out, sizeof key->bytes);
    return true;
}

/* --- the set -------------------------------------------------------------------------------------- */

/* All zero: nothing is there. (A key that is all zero is kept as another.) */
typedef struct entry {
    uint32_t key[3];
    uint32_t value;
} entry;

_Static_assert(sizeof(entry) == 16 && sizeof(ga__key) == sizeof((entry *)0)->key, "sixteen bytes a row");

typedef struct table {
    entry *entries;
    uint32_t capacity, count;
} table;

struct ga__keys {
    size_t count;
    table tables[TABLES];
};

ga__keys *ga__keys_new(void)
{
    return calloc(1, sizeof(ga__keys));
}

void ga__keys_free(ga__keys *keys)
{
    for (size_t i = 0; keys && i < TABLES; i++)
        free(keys->tables[i].entries);
    free(keys);
}

static bool is_free(const entry *each)
{
    return !(each->key[0] | each->key[1] | each->key[2]);
}

/* Where the key is, or would be. There is always a free place. */
static entry *place_of(const table *in, const entry *wanted)
{
    uint64_t at = (uint64_t)wanted->key[1] * in->capacity >> 32;

    while (!is_free(&in->entries[at]) && memcmp(in->entries[at].key, wanted->key, sizeof wanted->key) != 0)
        at = at + 1 < in->capacity ? at + 1 : 0;
    return &in->entries[at];
}

static bool grow(table *full)
{
    table grown = {.count = full->count};

    grown.capacity = full->capacity < SMALLEST ? SMALLEST : full->capacity + full->capacity / 4;
    if (grown.capacity <= full->capacity)
        return false;
    grown.entries = calloc(grown.capacity, sizeof *grown.entries);
    if (!grown.entries)
        return false;
    for (uint32_t i = 0; i < full->capacity; i++)
        if (!is_free(&full->entries[i]))
            *place_of(&grown, &full->entries[i]) = full->entries[i];
    free(full->entries);
    *full = grown;
    return true;
}

static entry entry_of(const ga__key *key)
{
    entry made = {.value = 0};

    memcpy(made.key, key->bytes, sizeof made.key);
    made.key[2] |= is_free(&made);
    return made;
}

uint32_t *ga__keys_find(const ga__keys *keys, const ga__key *key)
{
    const table *in = &keys->tables[key->bytes[0]];
    entry wanted = entry_of(key), *place = in->capacity > 0 ? place_of(in, &wanted) : NULL;

    return place && !is_free(place) ? &place->value : NULL;
}

uint32_t *ga__keys_at(ga__keys *keys, const ga__key *key)
{
    table *in = &keys->tables[key->bytes[0]];
    entry wanted = entry_of(key);

    if (in->count >= in->capacity - in->capacity / 5 && !grow(in))
        return NULL;
    entry *place = place_of(in, &wanted);

    if (is_free(place)) {
        *place = wanted;
        in->count++;
        keys->count++;
    }
    return &place->value;
}

size_t ga__keys_count(const ga__keys *keys)
{
    return keys->count;
}
