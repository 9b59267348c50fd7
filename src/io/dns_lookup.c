/* SPDX-License-Identifier: MIT */
/*
 * One question for many. IPv4 and IPv6 are asked for at once, as two questions of one entry in the cache. Its
 * waiters are told when both are answered; when IPv4 is, IPv6 gets a moment more (RFC 8305, 3), since some
 * servers never answer it. A late answer still goes into the cache. No more than MOST_NAMES are asked for at
 * once, the others stand in line: small forwarders (dnsmasq's bound is 150 questions) refuse more.
 *
 * Invariant: an entry that is pending has a question open, or stands in line behind some that have, so its
 * waiters are always told. Called by dns.c alone.
 */
#include "io/dns_lookup.h"

#include <string.h>

enum { V4 = 0, V6 = 1, CACHE_SIZE = 1000 };

static const size_t MOST_NAMES = 64;
static const size_t MOST_LATE = 1024; /* questions that hold up nobody in line, though they are open */

static const uint64_t SECOND = 1000000000;
static const uint64_t MOMENT = 50000000; /* RFC 8305's resolution delay */
static const uint64_t LEAST_TTL = 1, MOST_TTL = 60, MISSING_TTL = 5, FAILED_TTL = 1;

static void ask_those_in_line(ga__dns_lookups *self);

/* --- answers -------------------------------------------------------------------------------------- */

int ga__dns_entry_status(const ga__dns_entry *entry)
{
    const int *status = entry->status;

    for (int i = V4; i <= V6; i++)
        if (status[i] != ARES_ENOTFOUND && status[i] != ARES_ENODATA && status[i] != ARES_SUCCESS)
            return status[i];
    return status[V4] == ARES_ENODATA || status[V6] == ARES_ENODATA ? ARES_ENODATA : ARES_ENOTFOUND;
}

static uint64_t lifetime(const ga__dns_entry *entry, uint64_t ttl)
{
    if (entry->count > 0)
        return ttl < LEAST_TTL ? LEAST_TTL : ttl > MOST_TTL ? MOST_TTL : ttl;
    int status = ga__dns_entry_status(entry);

    if (status == ARES_EFILE || status == ARES_ENOMEM)
        return 0;
    return status == ARES_ENOTFOUND || status == ARES_ENODATA ? MISSING_TTL : FAILED_TTL;
}

/* The lowest TTL on the way to the addresses, in seconds. */
static uint64_t ttl_of(const struct ares_addrinfo *info)
{
    uint64_t ttl = MOST_TTL;

    for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next)
        if (node->ai_ttl >= 0 && (uint64_t)node->ai_ttl < ttl)
            ttl = (uint64_t)node->ai_ttl;
    for (const struct ares_addrinfo_cname *cname = info->cnames; cname; cname = cname->next)
        if (cname->ttl >= 0 && (uint64_t)cname->ttl < ttl)
            ttl = (uint64_t)cname->ttl;
    return ttl;
}

/* The addresses of one family in the answer: copied to `to`, or only counted. Others were not asked for. */
static size_t collect(const struct ares_addrinfo *info, int which, ga__address *to)
{
    size_t count = 0;

    for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next) {
        if (node->ai_family != (which == V6 ? AF_INET6 : AF_INET))
            continue;
        if (to)
            ga__address_from(&to[count], node->ai_addr, node->ai_addrlen);
        count++;
    }
    return count;
}

/* Adds the answer's addresses to the entry's: IPv6 goes before IPv4 where there is a way to it. */
static int add_addresses(const ga__dns_lookups *self, ga__dns_entry *entry, int which,
                         const struct ares_addrinfo *info)
{
    size_t old = entry->count, more = collect(info, which, NULL);

    if (more == 0)
        return ARES_ENODATA;
    ga__address *all = calloc(old + more, sizeof *all);

    if (!all)
        return ARES_ENOMEM;
    collect(info, which, all);
    if (old > 0) {
        bool v6_first = self->options->reachable(which == V6 ? all : entry->addresses);
        bool fresh_first = v6_first == (which == V6);

        if (!fresh_first)
            memmove(all + old, all, more * sizeof *all);
        memcpy(fresh_first ? all + more : all, entry->addresses, old * sizeof *all);
    }
    free(entry->addresses);
    entry->addresses = all;
    entry->count += more;
    entry->counts[which] = more;
    return ARES_SUCCESS;
}

static void settle(ga__dns_lookups *self, ga__dns_entry *entry)
{
    ga__timer_disarm(&entry->timer);
    self->late += entry->asking;
    ga__dns_cache_settle(&self->cache, entry, entry->expires);
    ga__wake_all(&entry->waiters, 0);
}

static void on_moment_over(ga_timer_ *timer)
{
    ga__dns_entry *entry = GA__OF(timer, ga__dns_entry, timer);

    settle(entry->resolver, entry);
    ask_those_in_line(entry->resolver);
}

static void on_answer(ga__dns_entry *entry, int which, int status, struct ares_addrinfo *info)
{
    ga__dns_lookups *self = entry->resolver;
    uint64_t now = self->loop->now;
    uint64_t ttl = MOST_TTL;

    status = ga__dns_channel_answered(&self->channel, status, entry->asked);
    if (info) {
        if (status == ARES_SUCCESS)
            status = add_addresses(self, entry, which, info);
        ttl = ttl_of(info);
        ares_freeaddrinfo(info);
    }
    entry->status[which] = status;
    entry->asking--;
    self->late -= !entry->pending;
    uint64_t expires = now + lifetime(entry, ttl) * SECOND;

    /* With two answers the sooner end counts; a failure beside addresses has none of its own. */
    if (status == ARES_SUCCESS || entry->count == 0)
        entry->expires =
            entry->count > entry->counts[which] && entry->expires < expires ? entry->expires : expires;
    if (entry->pending && entry->asking == 0)
        settle(self, entry);
    else if (entry->pending && which == V4 && entry->count > 0)
        ga__timer_arm(&entry->timer, now + MOMENT);
    ga__dns_entry_release(entry);
    ask_those_in_line(self);
}

static void on_ipv4(void *entry, int status, int timeouts, struct ares_addrinfo *info)
{
    (void)timeouts;
    on_answer(entry, V4, status, info);
}

static void on_ipv6(void *entry, int status, int timeouts, struct ares_addrinfo *info)
{
    (void)timeouts;
    on_answer(entry, V6, status, info);
}

/* --- asking --------------------------------------------------------------------------------------- */

static void ask(ga__dns_lookups *self, ga__dns_entry *entry)
{
    entry->asked = self->loop->now;
    if (!self->channel.ares) {
        entry->status[V4] = entry->status[V6] = self->closed_because;
        entry->expires = self->loop->now;
        settle(self, entry);
        return;
    }
    entry->asking = 2;
    ga__dns_entry_hold(entry);
    ga__dns_entry_hold(entry);
    ga__dns_channel_ask(&self->channel, entry->name, AF_INET6, on_ipv6, entry);
    ga__dns_channel_ask(&self->channel, entry->name, AF_INET, on_ipv4, entry);
}

static bool has_room(const ga__dns_lookups *self)
{
    size_t late = self->late < MOST_LATE ? self->late : MOST_LATE;

    return self->channel.asked - late < 2 * MOST_NAMES;
}

/* Asks for the next names in line, up to the bound. An answer that comes at once calls this again. */
static void ask_those_in_line(ga__dns_lookups *self)
{
    if (self->in_line_called)
        return;
    self->in_line_called = true;
    while (has_room(self) && !ga__list_empty(&self->line)) {
        ga__dns_entry *entry = GA__OF(ga__list_pop_front(&self->line), ga__dns_entry, used);

        ask(self, entry);
        ga__dns_entry_release(entry);
    }
    self->in_line_called = false;
}

/* Opens the channel, anew where the system's name servers changed and no question is open. Not to be called
 * from an answer: c-ares is at work then. */
static void ready_channel(ga__dns_lookups *self)
{
    struct stat now = {0};

    if (!self->options->servers)
        (void)stat("/etc/resolv.conf", &now);
    bool changed = now.st_ino != self->resolv_conf.st_ino ||
                   now.st_mtim.tv_sec != self->resolv_conf.st_mtim.tv_sec ||
                   now.st_mtim.tv_nsec != self->resolv_conf.st_mtim.tv_nsec;

    if (self->channel.ares && (!changed || self->channel.asked > 0))
        return;
    ga__dns_channel_close(&self->channel);
    self->resolv_conf = now;
    self->closed_because = ga__dns_channel_open(&self->channel, self->loop, self->options);
}

/* Some stand in line. Here, and not where they came to it, since c-ares and what it calls are made for larger
 * stacks than a task's. */
static void on_start(ga_timer_ *timer)
{
    ga__dns_lookups *self = GA__OF(timer, ga__dns_lookups, start);

    ready_channel(self);
    ask_those_in_line(self);
}

ga__dns_entry *ga__dns_look_up(ga__dns_lookups *self, const char *name)
{
    uint64_t now = ga__now_exact();
    ga__dns_entry *entry = ga__dns_cache_find(&self->cache, name, now);

    if (entry) {
        ga__dns_entry_hold(entry);
        return entry;
    }
    entry = ga__dns_cache_add(&self->cache, name, now);
    if (!entry) {
        ga__fail(GA_ENOMEM, "no memory to look up %s", name);
        return NULL;
    }
    entry->resolver = self;
    entry->timer.fire = on_moment_over;
    ga__dns_entry_hold(entry);
    ga__list_push_back(&self->line, &entry->used);
    ga__timer_arm(&self->start, now);
    return entry;
}

int ga__dns_entry_wait(ga__dns_entry *entry, uint64_t deadline)
{
    if (!entry->pending)
        return 0;
    int code = ga__park(&entry->waiters, deadline, GA__EXTERNAL, "a name to resolve");

    if (code == 0)
        return 0;
    return ga__fail(code,
                    code == GA_ETIMEDOUT ? "%s was not resolved in time" : "cancelled while resolving %s",
                    entry->name);
}

/* --- the whole ------------------------------------------------------------------------------------ */

void ga__dns_lookups_init(ga__dns_lookups *self, ga__loop *loop, const ga__dns_options *options)
{
    *self = (ga__dns_lookups){.loop = loop, .options = options, .start.fire = on_start};
    ga__dns_cache_init(&self->cache, options->cache_size ? options->cache_size : CACHE_SIZE);
    ga__list_init(&self->line);
}

void ga__dns_lookups_close(ga__dns_lookups *self)
{
    ga__timer_disarm(&self->start);
    self->closed_because = ARES_EDESTRUCTION;
    ga__dns_channel_close(&self->channel);
    ask_those_in_line(self); /* nobody is asked any more: all end */
    ga__dns_cache_clear(&self->cache);
}
