/* SPDX-License-Identifier: MIT */
/*
 * The hosts of a pace: found by scheme, name and port, and forgotten when nothing is known of them that would
 * not be known of a new one. Called by client/pace_line.c; everything here is locked.
 */
#include "client/pace.h"

#include "task/loop.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_REMEMBERED = 1024, /* hosts beyond that are forgotten once they are at rest */
    LOOKED_AT = 8           /* of them at a time */
};

static const double recovers_by = 0.05; /* of the full speed */
static const double recovers_each = 20; /* seconds */

static uint64_t hash_of(const ga__url *url)
{
    uint64_t hash = GA__HASH_BASIS ^ url->port ^ (uint64_t)url->secure << 16;

    return ga__hash_fold(ga__hash(hash, (ga__slice){ga__url_host(url), ga__url_host_size(url)}));
}

static bool is_host_of(const ga__pace_host *host, const ga__url *url, uint64_t hash)
{
    return host->link.hash == hash && host->port == url->port && host->secure == url->secure &&
           host->name_size == ga__url_host_size(url) &&
           memcmp(host->name, ga__url_host(url), host->name_size) == 0;
}

static void forget(ga__pace_host *host)
{
    ga__hash_table_remove(&host->pace->table, &host->link);
    ga__unlink(&host->used);
    free(host);
}

/* Whether what is known of the host is as good as what is known of a new one: how its pushbacks came in a row
 * and how many it took at once are soon found out again. */
static bool is_at_rest(ga__pace_host *host, uint64_t now)
{
    ga__pace_recover(host, now);
    return host->inside + host->under_way + host->in_line + host->pins == 0 && host->cool_until <= now &&
           (!host->counted || host->window_until <= now) && host->requests.full_at_ <= now &&
           host->tokens.full_at_ <= now && host->speed >= 1;
}

static void forget_some(ga_pace *pace)
{
    ga__link *link = ga__list_first(&pace->hosts);
    uint64_t now = ga__now();

    for (int i = 0; i < LOOKED_AT && pace->table.count > MOST_REMEMBERED && link != &pace->hosts; i++) {
        ga__pace_host *host = GA__OF(link, ga__pace_host, used);

        link = link->next;
        if (is_at_rest(host, now)) {
            forget(host);
        } else { /* else it would be looked at each time, and those behind it never */
            ga__unlink(&host->used);
            ga__list_push_back(&pace->hosts, &host->used);
        }
    }
}

void ga__pace_forget_all(ga_pace *pace)
{
    for (ga__link *link; (link = ga__list_first(&pace->hosts));)
        forget(GA__OF(link, ga__pace_host, used));
    ga__hash_table_free(&pace->table);
}

static ga__pace_host *host_new(ga_pace *pace, const ga__url *url)
{
    size_t size = ga__url_host_size(url);
    ga__pace_host *host = malloc(sizeof *host + size + 1);

    if (!host)
        return NULL;
    *host = (ga__pace_host){
        .pace = pace,
        .why = "",
        .speed = 1,
        .port = url->port,
        .secure = url->secure,
        .name_size = size,
        .window_limit = -1,
        .window_until = GA__NEVER,
    };
    memcpy(host->name, ga__url_host(url), size);
    host->name[size] = '\0';
    ga__list_init(&host->line);
    ga__adaptive_init(&host->adaptive, pace->most);
    ga__bucket_init(&host->requests, pace->rate_per_host, pace->burst_per_host);
    ga__bucket_init(&host->tokens, pace->tokens, pace->burst_tokens);
    ga__bucket_begin(&host->requests, 1, ga__now());
    return host;
}

static ga__pace_host *add_host(ga_pace *pace, const ga__url *url, uint64_t hash)
{
    ga__pace_host *host = ga__hash_table_reserve(&pace->table) ? host_new(pace, url) : NULL;

    if (!host)
        return NULL;
    ga__hash_table_add(&pace->table, &host->link, hash);
    ga__list_push_back(&pace->hosts, &host->used);
    forget_some(pace);
    return host;
}

ga__pace_host *ga__pace_find(ga_pace *pace, const ga__url *url)
{
    uint64_t hash = hash_of(url);

    for (ga__hash_link *link = ga__hash_chain(&pace->table, hash); link; link = link->next) {
        ga__pace_host *host = GA__OF(link, ga__pace_host, link);

        if (is_host_of(host, url, hash)) {
            ga__unlink(&host->used);
            ga__list_push_back(&pace->hosts, &host->used);
            return host;
        }
    }
    return add_host(pace, url, hash);
}

double ga__pace_rate_of(const ga__pace_host *host)
{
    const ga_pace *pace = host->pace;

    if (pace->rate_per_host > 0)
        return pace->rate_per_host * host->speed;
    /* Where only all together have a rate, the host needs none of its own at full speed. */
    return host->speed < 1 ? pace->rate * host->speed : 0;
}

void ga__pace_set_speed(ga__pace_host *host, double speed, uint64_t now)
{
    host->speed = speed;
    ga__bucket_set_rate(&host->requests, ga__pace_rate_of(host), now);
    if (host->pace->tokens > 0)
        ga__bucket_set_rate(&host->tokens, host->pace->tokens * speed, now);
}

uint64_t ga__pace_recover(ga__pace_host *host, uint64_t now)
{
    if (host->speed >= 1)
        return GA__NEVER;
    double steps = now > host->rated_at ? floor((double)(now - host->rated_at) * 1e-9 / recovers_each) : 0;

    if (steps >= 1) {
        host->rated_at += (uint64_t)(steps * recovers_each * 1e9);
        ga__pace_set_speed(host, fmin(1, host->speed + steps * recovers_by), now);
    }
    return host->speed < 1 ? ga__deadline(host->rated_at, recovers_each) : GA__NEVER;
}
