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
static pthread_key_t context_of_thread; /* making one costs more than hashing a row */
static bool prepared;

static void free_context(void *context)
{
    EVP_MD_CTX_free(context);
}

static void prepare(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    prepared = sha256 && pthread_key_create(&context_of_thread, free_context) == 0;
}

void ga__keys_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, prepare);
}

/* The thread's own, or NULL. */
static EVP_MD_CTX *take_context(void)
{
    ga__keys_prepare();
    EVP_MD_CTX *context = prepared ? pthread_getspecific(context_of_thread) : NULL;

    if (context || !prepared)
        return context;
    context = EVP_MD_CTX_new();
    if (context && pthread_setspecific(context_of_thread, context) == 0)
        return context;
    EVP_MD_CTX_free(context);
    return NULL;
}

/* What is hashed comes in small parts: those are collected, since each call of OpenSSL has its cost. */
typedef struct collector {
    EVP_MD_CTX *context;
    size_t size;
    unsigned char bytes[256];
} collector;

static bool pass_on(collector *self)
{
    size_t size = self->size;

    self->size = 0;
    return size == 0 || EVP_DigestUpdate(self->context, self->bytes, size);
}

static bool collect(collector *self, const void *bytes, size_t size)
{
    if (size > sizeof self->bytes - self->size && !pass_on(self))
        return false;
    if (size > sizeof self->bytes)
        return EVP_DigestUpdate(self->context, bytes, size);
    if (size > 0)
        memcpy(self->bytes + self->size, bytes, size);
    self->size += size;
    return true;
}

/* SHA-256 of the salt and of each part behind its size. */
static bool digest(unsigned char *out, uint32_t salt, const ga__slice *parts, size_t count)
{
    collector all;

    all.context = take_context();
    all.size = 0;
    bool good =
        all.context && EVP_DigestInit_ex(all.context, sha256, NULL) && collect(&all, &salt, sizeof salt);

    for (size_t i = 0; good && i < count; i++) {
        uint64_t size = parts[i].size;

        good = collect(&all, &size, sizeof size) && collect(&all, parts[i].data, parts[i].size);
    }
    return good && pass_on(&all) && EVP_DigestFinal_ex(all.context, out, NULL);
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

/* Where the search for a key begins. */
static uint64_t begin_of(const table *in, const entry *wanted)
{
    return (uint64_t)wanted->key[1] * in->capacity >> 32;
}

/* Where the key is, or would be. There is always a free place. */
static entry *place_of(const table *in, const entry *wanted)
{
    uint64_t at = begin_of(in, wanted);

    while (!is_free(&in->entries[at]) && memcmp(in->entries[at].key, wanted->key, sizeof wanted->key) != 0)
        at = at + 1 < in->capacity ? at + 1 : 0;
    return &in->entries[at];
}

static bool grow(table *full, uint64_t capacity)
{
    table grown = {.count = full->count, .capacity = (uint32_t)capacity};

    if (grown.capacity != capacity)
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

static bool grow_by_a_quarter(table *full)
{
    return grow(full, full->capacity < SMALLEST ? SMALLEST : full->capacity + (uint64_t)full->capacity / 4);
}

void ga__keys_reserve(ga__keys *keys, size_t count)
{
    size_t each = count / TABLES, more = each / 16 + 16; /* chance gives some tables more than others */

    for (size_t i = 0; i < TABLES && each > 0; i++) {
        uint64_t capacity = (keys->tables[i].count + each + more) * (uint64_t)5 / 4;

        if (capacity > keys->tables[i].capacity && !grow(&keys->tables[i], capacity))
            return;
    }
}

static entry entry_of(const ga__key *key)
{
    entry made = {.value = 0};

    memcpy(made.key, key->bytes, sizeof made.key);
    made.key[2] |= is_free(&made);
    return made;
}

void ga__keys_fetch(const ga__keys *keys, const ga__key *key)
{
    const table *in = &keys->tables[key->bytes[0]];
    const entry wanted = entry_of(key);

    if (in->capacity > 0)
        __builtin_prefetch(&in->entries[begin_of(in, &wanted)], 1);
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

    if (in->count >= in->capacity - in->capacity / 5 && !grow_by_a_quarter(in))
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
