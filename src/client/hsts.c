/* SPDX-License-Identifier: MIT */
/*
 * The hosts that want TLS: an array in the order of their names. It is bounded, since every host that is
 * called can ask to be in it. Called by requests of sessions with .hsts.
 */
#include "client/hsts.h"

#include "protocol/cookie.h"
#include "protocol/hsts_policy.h"
#include "task/loop.h"
#include <stdlib.h>

enum { MOST = 1000 };

typedef struct entry {
    char *host;
    size_t size;
    int64_t expires;
    bool below; /* it speaks for the hosts below it, too */
} entry;

struct ga__hsts {
    size_t count;
    entry entries[MOST];
};

ga__hsts *ga__hsts_new(void)
{
    return calloc(1, sizeof(ga__hsts));
}

void ga__hsts_free(ga__hsts *hsts)
{
    for (size_t i = 0; hsts && i < hsts->count; i++)
        free(hsts->entries[i].host);
    free(hsts);
}

static int compare(const entry *known, ga__slice host)
{
    size_t common = known->size < host.size ? known->size : host.size;
    int order = memcmp(known->host, host.data, common);

    return order != 0 ? order : known->size < host.size ? -1 : known->size > host.size;
}

/* Where the host is, or belongs. */
static size_t find(const ga__hsts *hsts, ga__slice host, bool *there)
{
    size_t low = 0, high = hsts->count;

    *there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(&hsts->entries[middle], host);

        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void take_out(ga__hsts *hsts, size_t at)
{
    free(hsts->entries[at].host);
    hsts->count--;
    memmove(hsts->entries + at, hsts->entries + at + 1, (hsts->count - at) * sizeof(entry));
}

/* Where it is full: takes out what expires first. */
static void make_room(ga__hsts *hsts)
{
    size_t first = 0;

    if (hsts->count < MOST)
        return;
    for (size_t i = 1; i < hsts->count; i++)
        if (hsts->entries[i].expires < hsts->entries[first].expires)
            first = i;
    take_out(hsts, first);
}

/* The url's host, without a final dot. */
static ga__slice host_of(const ga__url *url)
{
    ga__slice host = {ga__url_host(url), ga__url_host_size(url)};

    if (host.size > 0 && host.data[host.size - 1] == '.')
        host.size--;
    return host;
}

int ga__hsts_note(ga__hsts *hsts, const ga__url *url, ga__slice field, int64_t now)
{
    ga__slice host = host_of(url);
    ga__hsts_policy policy;
    bool there;

    if (ga__url_host_is_ip(url) || host.size == 0 || !ga__hsts_policy_parse(&policy, field))
        return 0;
    size_t at = find(hsts, host, &there);

    if (policy.max_age == 0) {
        if (there)
            take_out(hsts, at);
        return 0;
    }
    if (!there) {
        char *name = malloc(host.size);

        if (!name)
            return GA_ENOMEM;
        memcpy(name, host.data, host.size);
        make_room(hsts);
        at = find(hsts, host, &there);
        memmove(hsts->entries + at + 1, hsts->entries + at, (hsts->count - at) * sizeof(entry));
        hsts->entries[at] = (entry){.host = name, .size = host.size};
        hsts->count++;
    }
    hsts->entries[at].expires = now + policy.max_age;
    hsts->entries[at].below = policy.below;
    return 0;
}

bool ga__hsts_applies(const ga__hsts *hsts, const ga__url *url, int64_t now)
{
    ga__slice host = host_of(url);

    if (ga__url_host_is_ip(url))
        return false;
    for (bool itself = true; host.size > 0; itself = false) {
        bool there;
        const entry *known = &hsts->entries[find(hsts, host, &there)];

        if (there && known->expires > now && (itself || known->below))
            return true;
        ga__slice_take_to(&host, '.');
    }
    return false;
}

int ga__hsts_upgrade(const ga__hsts *hsts, ga__url *url, int64_t now)
{
    ga__buffer text = GA__BUFFER_INIT;
    const char *reason = NULL;
    ga__url secure;

    if (url->secure || !ga__hsts_applies(hsts, url, now))
        return 0;
    ga__buffer_add(&text, "https");
    ga__buffer_add(&text, ga__url_href(url) + strlen("http"));
    int code = text.failed ? GA_ENOMEM : ga__url_parse(&secure, text.data, text.size, NULL, &reason);

    ga__buffer_free(&text);
    if (code < 0)
        return ga__fail(code, "the URL as https: %s", reason ? reason : "no memory");
    ga__url_free(url);
    *url = secure;
    return 0;
}
