/* SPDX-License-Identifier: MIT */
/*
 * The hash table: as many chains as links or more, so that chains stay short. Used by the pool for its
 * origins, by the pace for hosts, and by cookie jars for domains.
 */
#include "base/hash_table.h"

#include <stdlib.h>

enum { FIRST_CHAINS = 16 };

bool ga__hash_table_reserve(ga__hash_table *table)
{
    size_t count = table->chain_count ? table->chain_count * 2 : FIRST_CHAINS;
    ga__hash_link **chains =
        table->count < table->chain_count ? NULL : calloc(count, sizeof(ga__hash_link *));

    if (!chains)
        return table->chain_count > 0;
    for (size_t i = 0; i < table->chain_count; i++) {
        for (ga__hash_link *link = table->chains[i], *next; link; link = next) {
            ga__hash_link **chain = &chains[link->hash & (count - 1)];

            next = link->next;
            link->next = *chain;
            *chain = link;
        }
    }
    free(table->chains);
    table->chains = chains;
    table->chain_count = count;
    return true;
}

void ga__hash_table_add(ga__hash_table *table, ga__hash_link *link, uint64_t hash)
{
    ga__hash_link **chain = &table->chains[hash & (table->chain_count - 1)];

    *link = (ga__hash_link){*chain, hash};
    *chain = link;
    table->count++;
}

void ga__hash_table_remove(ga__hash_table *table, ga__hash_link *link)
{
    ga__hash_link **place = &table->chains[link->hash & (table->chain_count - 1)];

    while (*place != link)
        place = &(*place)->next;
    *place = link->next;
    table->count--;
}

void ga__hash_table_free(ga__hash_table *table)
{
    free(table->chains);
    *table = (ga__hash_table){.chains = NULL};
}
