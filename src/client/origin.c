/* SPDX-License-Identifier: MIT */
/*
 * The origins of a pool: a hash table with chains. An origin lives as long as it has connections or waiters,
 * so the table never holds more than requests in flight and connections kept, and a bounded number of those
 * of which there is something to remember. Called by the pool.
 */
#include "client/origin.h"

#include "client/tls_profile.h"
#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const ga__url *url, const ga__way *way)
{
    uint64_t hash = GA__HASH_BASIS ^ url->port ^ (uint64_t)url->secure << 16;

    hash = ga__hash(hash, (ga__slice){ga__url_host(url), ga__url_host_size(url)});
    if (GA_UNLIKELY(way->proxy))
        hash = ga__hash(hash, ga__slice_of(way->proxy));
    if (GA_UNLIKELY(way->tls))
        hash = ga__hash(hash, ga__slice_of(way->tls));
    return ga__hash_fold(hash);
}

static bool is_same_key(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_origin_of(const ga__origin *origin, const ga__url *url, const ga__way *way)
{
    return origin->port == url->port && origin->secure == url->secure &&
           origin->host_size == ga__url_host_size(url) &&
           memcmp(origin->host, ga__url_host(url), origin->host_size) == 0 &&
           is_same_key(origin->way.proxy, way->proxy) && is_same_key(origin->way.tls, way->tls);
}

static ga__origin *origin_new(ga__pool *pool, const ga__url *url, const ga__way *way)
{
    size_t host_size = ga__url_host_size(url);
    size_t proxy_size = way->proxy ? strlen(way->proxy) + 1 : 0;
    size_t tls_size = way->tls ? strlen(way->tls) + 1 : 0;
    ga__origin *origin = malloc(sizeof *origin + host_size + 1 + proxy_size + tls_size);

    if (!origin)
        return NULL;
    *origin = (ga__origin){.pool = pool, .port = url->port, .secure = url->secure, .host_size = host_size};
    ga__list_init(&origin->idle);
    ga__list_init(&origin->waiting);
    ga__list_init(&origin->shared);
    origin->way.http = way->http;
    origin->separate = way->http == GA__HTTP_1 || (way->http == GA__HTTP_AUTO && !url->secure);
    memcpy(origin->host, ga__url_host(url), host_size);
    origin->host[host_size] = '\0';
    char *behind = origin->host + host_size + 1;

    if (way->proxy)
        origin->way.proxy = memcpy(behind, way->proxy, proxy_size);
    if (way->tls)
        origin->way.tls = memcpy(behind + proxy_size, way->tls, tls_size);
    return origin;
}

static ga__origin *find_or_make(ga__pool *pool, const ga__url *url, const ga__way *way)
{
    uint64_t hash = hash_of(url, way);

    for (ga__hash_link *link = ga__hash_chain(&pool->origins, hash); link; link = link->next) {
        ga__origin *origin = GA__OF(link, ga__origin, link);

        if (link->hash == hash && is_origin_of(origin, url, way))
            return origin;
    }
    ga__origin *origin = ga__hash_table_reserve(&pool->origins) ? origin_new(pool, url, way) : NULL;

    if (origin)
        ga__hash_table_add(&pool->origins, &origin->link, hash);
    return origin;
}

ga__origin *ga__origin_get(ga__pool *pool, const ga__url *url, const ga__way *way)
{
    /* Most calls are to the origin of the one before. */
    if (!pool->latest || !is_origin_of(pool->latest, url, way))
        pool->latest = find_or_make(pool, url, way);
    return pool->latest;
}

void ga__origin_put(ga__origin *origin)
{
    if (origin->connections > 0 || !ga__list_empty(&origin->waiting) || origin->lasting)
        return;
    ga__hash_table_remove(&origin->pool->origins, &origin->link);
    if (origin->pool->latest == origin)
        origin->pool->latest = NULL;
    free(origin);
}

void ga__origins_free(ga__pool *pool)
{
    for (size_t i = 0; i < pool->origins.chain_count; i++) {
        for (ga__hash_link *link; (link = pool->origins.chains[i]);) {
            pool->origins.chains[i] = link->next;
            free(GA__OF(link, ga__origin, link));
        }
    }
    ga__hash_table_free(&pool->origins);
    pool->latest = NULL;
}
