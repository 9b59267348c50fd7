/* SPDX-License-Identifier: MIT */
/*
 * The resolver of a loop: where a name's addresses are looked for, in order, and how many tasks share one
 * question. IPv4 and IPv6 are asked for at once, as two questions of one entry in the cache. The waiters are
 * told when both are answered; when IPv4 is, IPv6 gets a moment more (RFC 8305, 3), since some servers
 * never answer it. A late answer still goes into the cache.
 *
 * Invariant: an entry that is pending has a question open or its timer armed, so its waiters are always told.
 */
#include "io/dns.h"

#include "base/ascii.h"
#include "io/dns_cache.h"
#include "io/dns_channel.h"
#include "io/hosts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST_NAME = 254, CACHE_SIZE = 1000, V4 = 0, V6 = 1 };

static const uint64_t SECOND = 1000000000;
static const uint64_t MOMENT = 50000000; /* RFC 8305's resolution delay */
static const uint64_t LEAST_TTL = 1, MOST_TTL = 60, MISSING_TTL = 5, FAILED_TTL = 1;

typedef struct override {
    ga__link link;
    size_t count;
    ga__address *addresses;
    char name[];
} override;

typedef struct resolver {
    ga__loop *loop;
    ga__dns_options options;
    bool simulated; /* the poller cannot watch: nothing of the system is asked */
    ga__list overrides;
    ga__dns_cache cache;
    ga__hosts hosts;
    ga__dns_channel channel;
    struct stat resolv_conf; /* as the channel read it */
} resolver;

/* --- making and freeing --------------------------------------------------------------------------- */

static void free_options(ga__dns_options *options)
{
    free((char *)(uintptr_t)options->servers);
    free((char *)(uintptr_t)options->hosts);
    *options = (ga__dns_options){0};
}

static void free_override(override *entry)
{
    ga__unlink(&entry->link);
    free(entry->addresses);
    free(entry);
}

static void forget_all(resolver *self)
{
    ga__dns_channel_close(&self->channel);
    ga__dns_cache_clear(&self->cache);
    ga__hosts_free(&self->hosts);
    free_options(&self->options);
}

static void free_resolver(ga__loop *loop)
{
    resolver *self = loop->dns;

    forget_all(self);
    while (!ga__list_empty(&self->overrides))
        free_override(GA__OF(self->overrides.next, override, link));
    free(self);
    loop->dns = NULL;
    loop->dns_free = NULL;
}

/* Whether the system has a way to the address: routing is asked, nothing is sent. */
static bool is_reachable(const ga__address *address)
{
    ga__address copy = *address;
    int fd = socket(ga__address_family(address), SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    ga__address_set_port(&copy, 53);
    bool reachable = connect(fd, &copy.as.any, copy.size) == 0;

    close(fd);
    return reachable;
}

static void set_options(resolver *self, const ga__dns_options *options)
{
    self->options = *options;
    if (!self->options.reachable)
        self->options.reachable = is_reachable;
    ga__dns_cache_init(&self->cache, options->cache_size ? options->cache_size : CACHE_SIZE);
    ga__hosts_init(&self->hosts, options->hosts ? options->hosts : "/etc/hosts");
}

/* The loop's resolver; NULL when there is no memory. */
static resolver *resolver_of(ga__loop *loop)
{
    resolver *self = loop->dns;
    ga__fd probe;

    if (self)
        return self;
    self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    ga__fd_init(&probe);
    self->loop = loop;
    self->simulated = loop->poller->ops->watch(loop->poller, &probe, -1, 0) == -ENOTSUP;
    ga__list_init(&self->overrides);
    set_options(self, &(const ga__dns_options){0});
    loop->dns = self;
    loop->dns_free = free_resolver;
    return self;
}

int ga__dns_configure(ga__loop *loop, const ga__dns_options *options)
{
    resolver *self = resolver_of(loop);
    ga__dns_options copy = *options;

    if (!self)
        return ga__fail(GA_ENOMEM, "no memory for a resolver");
    copy.servers = options->servers ? strdup(options->servers) : NULL;
    copy.hosts = options->hosts ? strdup(options->hosts) : NULL;
    if ((options->servers && !copy.servers) || (options->hosts && !copy.hosts)) {
        free_options(&copy);
        return ga__fail(GA_ENOMEM, "no memory for the resolver's options");
    }
    forget_all(self);
    set_options(self, &copy);
    return 0;
}

/* --- results and failures -------------------------------------------------------------------------- */

void ga__resolved_free(ga__resolved *resolved)
{
    free(resolved);
}

static int give(const ga__address *addresses, size_t count, uint16_t port, ga__resolved **resolved)
{
    ga__resolved *result = malloc(sizeof *result + count * sizeof *addresses);

    if (!result)
        return ga__fail(GA_ENOMEM, "no memory for the addresses of a host");
    result->count = count;
    for (size_t i = 0; i < count; i++) {
        result->addresses[i] = addresses[i];
        ga__address_set_port(&result->addresses[i], port);
    }
    *resolved = result;
    return 0;
}

/* What a failure means and what a person can do about it; NULL: ares_strerror has the words. */
static const char *advice(int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
        return "the name does not exist (NXDOMAIN): check the spelling";
    case ARES_ENODATA:
        return "the name exists but has no address (no A or AAAA record): check the spelling, or ask its "
               "owner";
    case ARES_ESERVFAIL:
        return "the name server failed to find out (SERVFAIL): the domain's own servers may be down or "
               "misconfigured; try again later";
    case ARES_EREFUSED:
        return "the name server refuses to answer (REFUSED): check the servers in /etc/resolv.conf";
    case ARES_ECONNREFUSED:
        return "no name server can be reached: check the network and /etc/resolv.conf";
    case ARES_EBADRESP:
    case ARES_EFORMERR:
    case ARES_ENOTIMP:
        return "the name server's answer makes no sense: check the servers in /etc/resolv.conf";
    case ARES_EBADNAME:
        return "that is no valid host name: check the spelling";
    default:
        return NULL;
    }
}

static int failed(const char *host, int status, double seconds)
{
    const char *words = advice(status);
    int code = GA_EDNS;

    if (status == ARES_EFILE)
        return ga__fail(GA_EFDS, "cannot resolve %s: no file descriptor is left to ask a name server with",
                        host);
    if (status == ARES_ENOMEM)
        return ga__fail(GA_ENOMEM, "no memory to look up %s", host);
    if (status == ARES_ETIMEOUT)
        code = ga__fail(
            code,
            "cannot resolve %s: the name servers did not answer within %.1f s: check the network and "
            "/etc/resolv.conf",
            host, seconds);
    else
        code = ga__fail(code, "cannot resolve %s: %s", host, words ? words : ares_strerror(status));
    ga__error_edit()->dns_error = status;
    return code;
}

/* --- answers -------------------------------------------------------------------------------------- */

/* What to tell of two failures: one that may pass before one that stays; "no address" before "no name". */
static int worse(const int status[2])
{
    for (int i = V4; i <= V6; i++)
        if (status[i] != ARES_ENOTFOUND && status[i] != ARES_ENODATA && status[i] != ARES_SUCCESS)
            return status[i];
    return status[V4] == ARES_ENODATA || status[V6] == ARES_ENODATA ? ARES_ENODATA : ARES_ENOTFOUND;
}

static uint64_t lifetime(const ga__dns_entry *entry, uint64_t ttl)
{
    if (entry->count > 0)
        return ttl < LEAST_TTL ? LEAST_TTL : ttl > MOST_TTL ? MOST_TTL : ttl;
    int status = worse(entry->status);

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

/* Adds the addresses of one family: IPv6 goes before IPv4 where there is a way to it. */
static int add_addresses(const resolver *self, ga__dns_entry *entry, int which,
                         const struct ares_addrinfo *info)
{
    size_t more = 0;

    for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next)
        more++;
    if (more == 0)
        return ARES_ENODATA;
    ga__address *all = calloc(entry->count + more, sizeof *all);

    if (!all)
        return ARES_ENOMEM;
    ga__address *fresh = all;

    for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next)
        ga__address_from(fresh++, node->ai_addr, node->ai_addrlen);
    if (entry->count > 0) {
        const ga__address *v6 = which == V6 ? all : entry->addresses;
        bool fresh_first = self->options.reachable(v6) == (which == V6);

        if (!fresh_first)
            memmove(all + entry->count, all, more * sizeof *all);
        memcpy(fresh_first ? all + more : all, entry->addresses, entry->count * sizeof *all);
    }
    free(entry->addresses);
    entry->addresses = all;
    entry->count += more;
    entry->counts[which] = more;
    return ARES_SUCCESS;
}

static void settle(resolver *self, ga__dns_entry *entry)
{
    ga__timer_disarm(&entry->timer);
    ga__dns_cache_settle(&self->cache, entry, entry->expires);
    ga__wake_all(&entry->waiters, 0);
}

static void on_moment_over(ga_timer_ *timer)
{
    ga__dns_entry *entry = GA__OF(timer, ga__dns_entry, timer);

    settle(entry->resolver, entry);
}

static void on_answer(ga__dns_entry *entry, int which, int status, struct ares_addrinfo *info)
{
    resolver *self = entry->resolver;
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

/* Opens the channel, anew where the system's name servers changed and no question is open. */
static int ready_channel(resolver *self)
{
    struct stat now = {0};

    if (!self->options.servers)
        (void)stat("/etc/resolv.conf", &now);
    bool changed = now.st_ino != self->resolv_conf.st_ino ||
                   now.st_mtim.tv_sec != self->resolv_conf.st_mtim.tv_sec ||
                   now.st_mtim.tv_nsec != self->resolv_conf.st_mtim.tv_nsec;

    if (self->channel.ares && (!changed || self->channel.asked > 0))
        return ARES_SUCCESS;
    ga__dns_channel_close(&self->channel);
    self->resolv_conf = now;
    return ga__dns_channel_open(&self->channel, self->loop, &self->options);
}

static void ask(resolver *self, ga__dns_entry *entry)
{
    int code = ready_channel(self);

    entry->resolver = self;
    entry->timer.fire = on_moment_over;
    if (code != ARES_SUCCESS) {
        entry->status[V4] = entry->status[V6] = code;
        ga__dns_cache_settle(&self->cache, entry, self->loop->now + FAILED_TTL * SECOND);
        return;
    }
    entry->asking = 2;
    ga__dns_entry_hold(entry);
    ga__dns_entry_hold(entry);
    ga__dns_channel_ask(&self->channel, entry->name, AF_INET6, on_ipv6, entry);
    ga__dns_channel_ask(&self->channel, entry->name, AF_INET, on_ipv4, entry);
}

/* From the cache, or from the name servers. */
static int look_up(resolver *self, const char *name, uint16_t port, uint64_t deadline,
                   ga__resolved **resolved)
{
    uint64_t now = ga__now_exact();
    ga__dns_entry *entry = ga__dns_cache_find(&self->cache, name, now);
    int code = 0;

    if (entry) {
        ga__dns_entry_hold(entry);
    } else {
        entry = ga__dns_cache_add(&self->cache, name, now);
        if (!entry)
            return failed(name, ARES_ENOMEM, 0);
        ask(self, entry);
    }
    if (entry->pending)
        code = ga__park(&entry->waiters, deadline, GA__EXTERNAL, "a name to resolve");
    if (code == GA_ETIMEDOUT)
        ga__fail(code, "the name %s was not resolved in time", name);
    else if (code < 0)
        ga__fail(code, "cancelled while resolving %s", name);
    else if (entry->count > 0)
        code = give(entry->addresses, entry->count, port, resolved);
    else
        code = failed(name, worse(entry->status), (double)(ga__now_exact() - entry->asked) * 1e-9);
    ga__dns_entry_release(entry);
    return code;
}

/* --- resolving ------------------------------------------------------------------------------------ */

/* RFC 6761, 6.3: these never leave the machine. IPv4 first, as most local servers listen there alone. */
static bool is_localhost(ga__slice name)
{
    static const char suffix[] = ".localhost";
    const size_t size = sizeof suffix - 1;

    return ga__slice_equal(name, GA__SLICE("localhost")) ||
           (name.size > size && memcmp(name.data + name.size - size, suffix, size) == 0);
}

static int give_localhost(uint16_t port, ga__resolved **resolved)
{
    ga__address addresses[2];

    ga__address_ip(&addresses[0], "127.0.0.1", 0);
    ga__address_ip(&addresses[1], "::1", 0);
    return give(addresses, 2, port, resolved);
}

static int give_hosts(const ga__host *hosts, size_t count, uint16_t port, ga__resolved **resolved)
{
    ga__address addresses[16];

    if (count > 16)
        count = 16;
    for (size_t i = 0; i < count; i++)
        addresses[i] = hosts[i].address;
    return give(addresses, count, port, resolved);
}

static const override *find_override(const resolver *self, const char *name)
{
    for (const ga__link *link = self->overrides.next; link != &self->overrides; link = link->next)
        if (strcmp(GA__OF(link, override, link)->name, name) == 0)
            return GA__OF(link, override, link);
    return NULL;
}

/* Lower case; false where it cannot be a name. */
static bool copy_name(char copy[static LONGEST_NAME + 1], const char *host)
{
    size_t size = strlen(host);

    if (size == 0 || size > LONGEST_NAME || host[0] == '.')
        return false;
    for (size_t i = 0; i <= size; i++) {
        copy[i] = ga__ascii_lower(host[i]);
        if (copy[i] && (ga__ascii_is_control(copy[i]) || copy[i] == ' '))
            return false;
    }
    return true;
}

int ga__dns_resolve(const char *host, uint16_t port, uint64_t deadline, ga__resolved **resolved)
{
    char full[LONGEST_NAME + 1], name[LONGEST_NAME + 1];
    ga__address literal;
    const ga__host *hosts;
    int code = ga__checkpoint();

    *resolved = NULL;
    if (code < 0)
        return code;
    if (ga__address_ip(&literal, host, port))
        return give(&literal, 1, port, resolved);
    if (!copy_name(full, host))
        return failed(host, ARES_EBADNAME, 0);
    resolver *self = resolver_of(ga__loop_here);

    if (!self)
        return failed(host, ARES_ENOMEM, 0);
    /* A dot at the end says that no search domain is to be tried; only name servers are told. */
    size_t size = strlen(full) - (full[strlen(full) - 1] == '.');

    memcpy(name, full, size);
    name[size] = '\0';
    const override *given = find_override(self, name);

    if (given)
        return given->count ? give(given->addresses, given->count, port, resolved)
                            : failed(host, ARES_ENOTFOUND, 0);
    if (is_localhost(ga__slice_of(name)))
        return give_localhost(port, resolved);
    if (self->simulated)
        return failed(host, ARES_ENOTFOUND, 0);
    size_t count = ga__hosts_find(&self->hosts, name, ga__now(), &hosts);

    if (count > 0)
        return give_hosts(hosts, count, port, resolved);
    return look_up(self, full, port, deadline, resolved);
}

int ga__dns_override(ga__loop *loop, const char *host, const ga__address *addresses, size_t count)
{
    resolver *self = resolver_of(loop);
    size_t size = strlen(host);
    override *entry = self ? calloc(1, sizeof *entry + size + 1) : NULL;

    if (!entry)
        return ga__fail(GA_ENOMEM, "no memory for the addresses of %s", host);
    if (size > 0 && host[size - 1] == '.')
        size--;
    for (size_t i = 0; i < size; i++)
        entry->name[i] = ga__ascii_lower(host[i]);
    entry->addresses = calloc(count ? count : 1, sizeof *addresses);
    if (!entry->addresses) {
        free(entry);
        return ga__fail(GA_ENOMEM, "no memory for the addresses of %s", host);
    }
    if (count > 0)
        memcpy(entry->addresses, addresses, count * sizeof *addresses);
    entry->count = count;
    const override *old = find_override(self, entry->name);

    if (old)
        free_override((override *)(uintptr_t)old);
    ga__list_push_back(&self->overrides, &entry->link);
    return 0;
}
