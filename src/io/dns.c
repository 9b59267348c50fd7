/* SPDX-License-Identifier: MIT */
/*
 * The resolver of a loop: where a name's addresses are looked for, in order, and how it is said that there
 * are none. What one task finds out, all tasks of the loop know: see dns_lookup.c.
 *
 * Called by the client when it opens a connection.
 */
#include "io/dns.h"

#include "base/ascii.h"
#include "io/dns_lookup.h"
#include "io/hosts.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST_NAME = 254 };

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
    ga__hosts hosts;
    ga__dns_lookups lookups;
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
    ga__dns_lookups_close(&self->lookups);
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
    ga__dns_lookups_init(&self->lookups, self->loop, &self->options);
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

/* A result for so many addresses; NULL with GA_ENOMEM. */
static ga__resolved *new_result(size_t count)
{
    ga__resolved *result = malloc(sizeof *result + count * sizeof *result->addresses);

    if (!result) {
        ga__fail(GA_ENOMEM, "no memory for the addresses of a host");
        return NULL;
    }
    result->count = count;
    return result;
}

static int give(const ga__address *addresses, size_t count, uint16_t port, ga__resolved **resolved)
{
    ga__resolved *result = *resolved = new_result(count);

    if (!result)
        return GA_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        result->addresses[i] = addresses[i];
        ga__address_set_port(&result->addresses[i], port);
    }
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
        return ga__fail(GA_EFDS,
                        "cannot resolve %s: no file descriptor is left for that (raise the limit: ulimit -n)",
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
    ga__resolved *result = *resolved = new_result(2);

    if (!result)
        return GA_ENOMEM;
    ga__address_ip(&result->addresses[0], "127.0.0.1", port);
    ga__address_ip(&result->addresses[1], "::1", port);
    return 0;
}

static int give_hosts(const ga__hosts_line *hosts, size_t count, uint16_t port, ga__resolved **resolved)
{
    ga__resolved *result = *resolved = new_result(count);

    if (!result)
        return GA_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        result->addresses[i] = hosts[i].address;
        ga__address_set_port(&result->addresses[i], port);
    }
    return 0;
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

/* What is known without asking. Where it is not known, *entry is what to wait for. Not inlined, so that a
 * task that waits holds none of this on its stack. */
static GA_NOINLINE int resolve_now(const char *host, uint16_t port, ga__resolved **resolved,
                                   ga__dns_entry **entry)
{
    char name[LONGEST_NAME + 1];
    ga__address literal;
    const ga__hosts_line *hosts;

    if (ga__address_ip(&literal, host, port))
        return give(&literal, 1, port, resolved);
    if (!copy_name(name, host))
        return failed(host, ARES_EBADNAME, 0);
    resolver *self = resolver_of(ga__loop_here);

    if (!self)
        return failed(host, ARES_ENOMEM, 0);
    /* A dot at the end says that no search domain is to be tried; only name servers are told. */
    char *last = name + strlen(name) - 1;
    bool dotted = *last == '.';

    if (dotted)
        *last = '\0';
    const override *given = find_override(self, name);

    if (given)
        return given->count ? give(given->addresses, given->count, port, resolved)
                            : failed(host, ARES_ENOTFOUND, 0);
    if (is_localhost(ga__slice_of(name)))
        return give_localhost(port, resolved);
    if (self->simulated)
        return failed(host, ARES_ENOTFOUND, 0);
    ssize_t count = ga__hosts_find(&self->hosts, name, ga__now(), &hosts);

    if (count < 0)
        return failed(host, count == GA_EFDS ? ARES_EFILE : ARES_ENOMEM, 0);
    if (count > 0)
        return give_hosts(hosts, (size_t)count, port, resolved);
    if (dotted)
        *last = '.';
    *entry = ga__dns_look_up(&self->lookups, name);
    return *entry ? 0 : GA_ENOMEM;
}

static int conclude(const ga__dns_entry *entry, uint16_t port, ga__resolved **resolved)
{
    if (entry->count > 0)
        return give(entry->addresses, entry->count, port, resolved);
    return failed(entry->name, ga__dns_entry_status(entry), (double)(ga__now_exact() - entry->asked) * 1e-9);
}

int ga__dns_resolve(const char *host, uint16_t port, uint64_t deadline, ga__resolved **resolved)
{
    ga__dns_entry *entry = NULL;
    int code = ga__checkpoint();

    *resolved = NULL;
    if (code == 0)
        code = resolve_now(host, port, resolved, &entry);
    if (!entry)
        return code;
    code = ga__dns_entry_wait(entry, deadline);
    if (code == 0)
        code = conclude(entry, port, resolved);
    ga__dns_entry_release(entry);
    return code;
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
