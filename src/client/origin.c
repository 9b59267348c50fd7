/* SPDX-License-Identifier: MIT */
/*
 * The origins of a pool: a hash table with chains. An origin lives exactly as long as it has connections or
 * waiters, so the table never holds more than requests in flight and connections kept. Called by the pool.
 */
#include "client/origin.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 16 };

/* FNV-1a. What collides only shares a chain. */
static uint64_t hash_of(const ga__url *url, const char *via)
{
    const char *host = ga__url_host(url);
    size_t size = ga__url_host_size(url);
    uint64_t hash = 0xcbf29ce484222325U ^ url->port ^ (uint64_t)url->secure << 16;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)host[i]) * 0x100000001b3U;
    for (; via && *via; via++)
        hash = (hash ^ (unsigned char)*via) * 0x100000001b3U;
    return hash ^ hash >> 32;
}

static bool is_same_way(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_origin_of(const ga__origin *origin, const ga__url *url, const char *via, uint64_t hash)
{
    return origin->hash == hash && origin->port == url->port && origin->secure == url->secure &&
           origin->host_size == ga__url_host_size(url) &&
           memcmp(origin->host, ga__url_host(url), origin->host_size) == 0 && is_same_way(origin->via, via);
}

/* Twice the buckets, so that chains stay short. Without memory the chains grow instead. */
static void grow(ga__pool *pool)
{
    size_t count = pool->bucket_count ? pool->bucket_count * 2 : FIRST_BUCKETS;
    ga__origin **buckets = calloc(count, sizeof *buckets);

    if (!buckets)
        return;
    for (size_t i = 0; i < pool->bucket_count; i++) {
        for (ga__origin *origin = pool->buckets[i], *next; origin; origin = next) {
            next = origin->next;
            origin->next = buckets[origin->hash & (count - 1)];
            buckets[origin->hash & (count - 1)] = origin;
        }
    }
    free(pool->buckets);
    pool->buckets = buckets;
    pool->bucket_count = count;
}

static ga__origin *origin_new(ga__pool *pool, const ga__url *url, const char *via, uint64_t hash)
{
    size_t host_size = ga__url_host_size(url);
    size_t via_size = via ? strlen(via) + 1 : 0;
    ga__origin *origin = malloc(sizeof *origin + host_size + 1 + via_size);

    if (!origin)
        return NULL;
    *origin = (ga__origin){
        .hash = hash, .pool = pool, .port = url->port, .secure = url->secure, .host_size = host_size};
    ga__list_init(&origin->idle);
    ga__list_init(&origin->waiting);
    ga__list_init(&origin->shared);
    origin->separate = pool->http == GA__HTTP_1 || (pool->http == GA__HTTP_AUTO && !url->secure);
    memcpy(origin->host, ga__url_host(url), host_size);
    origin->host[host_size] = '\0';
    if (via)
        origin->via = memcpy(origin->host + host_size + 1, via, via_size);
    return origin;
}

ga__origin *ga__origin_get(ga__pool *pool, const ga__url *url, const char *via)
{
    uint64_t hash = hash_of(url, via);

    if (pool->bucket_count > 0)
        for (ga__origin *origin = pool->buckets[hash & (pool->bucket_count - 1)]; origin;
             origin = origin->next)
            if (is_origin_of(origin, url, via, hash))
                return origin;

    if (pool->origin_count >= pool->bucket_count)
        grow(pool);
    ga__origin *origin = pool->bucket_count > 0 ? origin_new(pool, url, via, hash) : NULL;

    if (origin) {
        ga__origin **bucket = &pool->buckets[hash & (pool->bucket_count - 1)];

        origin->next = *bucket;
        *bucket = origin;
        pool->origin_count++;
    }
    return origin;
}

void ga__origin_put(ga__origin *origin)
{
    ga__pool *pool = origin->pool;

    if (origin->connections > 0 || !ga__list_empty(&origin->waiting))
        return;
    ga__origin **place = &pool->buckets[origin->hash & (pool->bucket_count - 1)];

    while (*place != origin)
        place = &(*place)->next;
    *place = origin->next;
    pool->origin_count--;
    free(origin);
}
