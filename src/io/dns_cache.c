/* SPDX-License-Identifier: MIT */
/*
 * The resolver's memory: a hash table of names, bounded, with a list by last use. An entry that is pending is
 * not in that list, so it is never dropped before its waiters have been told. Called by dns.c alone.
 */
#include "io/dns_cache.h"

#include "base/hash_table.h"
#include <string.h>

void ga__dns_cache_init(ga__dns_cache *cache, size_t limit)
{
    *cache = (ga__dns_cache){.limit = limit};
    ga__list_init(&cache->used);
}

/* Crafted collisions gain nothing: the table is small and bounded. */
static ga__dns_entry **bucket_of(ga__dns_cache *cache, const char *name)
{
    uint64_t hash = ga__hash_fold(ga__hash(GA__HASH_BASIS, ga__slice_of(name)));

    return &cache->buckets[hash % GA__DNS_BUCKETS];
}

static void free_unused(ga__dns_entry *entry)
{
    if (entry->listed || entry->holders > 0)
        return;
    free(entry->addresses);
    free(entry);
}

void ga__dns_entry_release(ga__dns_entry *entry)
{
    entry->holders--;
    free_unused(entry);
}

static void drop(ga__dns_cache *cache, ga__dns_entry *entry)
{
    ga__dns_entry **place = bucket_of(cache, entry->name);

    while (*place != entry)
        place = &(*place)->next;
    *place = entry->next;
    if (ga__linked(&entry->used)) {
        ga__unlink(&entry->used);
        cache->count--;
    }
    entry->listed = false;
    free_unused(entry);
}

ga__dns_entry *ga__dns_cache_find(ga__dns_cache *cache, const char *name, uint64_t now)
{
    ga__dns_entry *entry = *bucket_of(cache, name);

    while (entry && strcmp(entry->name, name) != 0)
        entry = entry->next;
    if (!entry || entry->pending)
        return entry;
    if (entry->expires <= now) {
        drop(cache, entry);
        return NULL;
    }
    ga__unlink(&entry->used);
    ga__list_push_front(&cache->used, &entry->used);
    return entry;
}

ga__dns_entry *ga__dns_cache_add(ga__dns_cache *cache, const char *name, uint64_t now)
{
    size_t size = strlen(name) + 1;
    ga__dns_entry *entry = calloc(1, sizeof *entry + size);
    ga__dns_entry **bucket = bucket_of(cache, name);

    if (!entry)
        return NULL;
    memcpy(entry->name, name, size);
    ga__list_init(&entry->waiters);
    entry->pending = true;
    entry->asked = now;
    entry->expires = GA__NEVER;
    entry->holders = 1;
    entry->listed = true;
    entry->next = *bucket;
    *bucket = entry;
    return entry;
}

void ga__dns_cache_settle(ga__dns_cache *cache, ga__dns_entry *entry, uint64_t expires)
{
    entry->pending = false;
    entry->expires = expires;
    if (!entry->listed || ga__linked(&entry->used))
        return;
    ga__list_push_front(&cache->used, &entry->used);
    cache->count++;
    if (cache->count > cache->limit)
        drop(cache, GA__OF(cache->used.prev, ga__dns_entry, used));
}

void ga__dns_cache_clear(ga__dns_cache *cache)
{
    for (size_t i = 0; i < GA__DNS_BUCKETS; i++)
        while (cache->buckets[i])
            drop(cache, cache->buckets[i]);
}
