/* SPDX-License-Identifier: MIT */
/*
 * The one hash table that grows: intrusive, with chains. It knows hashes and links; what is behind a link,
 * and whether it is what is looked for, knows who asks:
 *
 *     for (ga__hash_link *link = ga__hash_chain(&table, hash); link; link = link->next)
 *         if (link->hash == hash && is_it(GA__OF(link, thing, link)))
 *
 * Hashes are FNV-1a: fast for short names, and no secret. What collides only shares a chain, so who keeps
 * what strangers name has to bound it.
 */
#ifndef GA__HASH_TABLE_H
#define GA__HASH_TABLE_H

#include "base/list.h"
#include "base/slice.h"

#define GA__HASH_BASIS 0xcbf29ce484222325U

/* The hash of the text, behind what `hash` is of: GA__HASH_BASIS, a hash, or either with a number in it. */
static inline uint64_t ga__hash(uint64_t hash, ga__slice text)
{
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 0x100000001b3U;
    return hash;
}

/* With the upper bits in the lower ones, by which a table goes. */
static inline uint64_t ga__hash_fold(uint64_t hash)
{
    return hash ^ hash >> 32;
}

typedef struct ga__hash_link {
    struct ga__hash_link *next; /* in its chain */
    uint64_t hash;
} ga__hash_link;

/* All zero: an empty one. */
typedef struct ga__hash_table {
    ga__hash_link **chains;
    size_t chain_count; /* a power of two, or 0 */
    size_t count;       /* of links */
} ga__hash_table;

/* The chain in which links of this hash are, among others; NULL: there are none. */
static inline ga__hash_link *ga__hash_chain(const ga__hash_table *table, uint64_t hash)
{
    return table->chain_count > 0 ? table->chains[hash & (table->chain_count - 1)] : NULL;
}

/* Room for one more. Where there is no memory chains become longer. @return false: not even for the first */
bool ga__hash_table_reserve(ga__hash_table *table);

/* Adds a link, for which there is room. */
void ga__hash_table_add(ga__hash_table *table, ga__hash_link *link, uint64_t hash);

/* Takes out a link that is in it. */
void ga__hash_table_remove(ga__hash_table *table, ga__hash_link *link);

/* Frees the chains. What is behind the links is the owner's; the table is empty afterwards. */
void ga__hash_table_free(ga__hash_table *table);

#endif
