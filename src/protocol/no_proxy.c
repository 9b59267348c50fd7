/* SPDX-License-Identifier: MIT */
/*
 * Matching a host against NO_PROXY. Names are compared label by label from their end, addresses as numbers:
 * a name never matches an address by its text, nor an address a name. Called for each hop of a request whose
 * session has proxies.
 */
#include "protocol/no_proxy.h"

#include "base/ascii.h"
#include "base/number.h"
#include <arpa/inet.h>

/* An IPv4 or IPv6 address, in network order. */
typedef struct ip {
    unsigned char bytes[16];
    unsigned size; /* 4, 16; 0: none */
} ip;

/* The host that is asked for. */
typedef struct target {
    ga__slice name; /* without a dot at its end */
    ip address;     /* where it is one */
    uint16_t port;
} target;

static ga__slice without_dot(ga__slice name)
{
    if (name.size > 1 && name.data[name.size - 1] == '.')
        name.size--;
    return name;
}

/* "192.0.2.1", "2001:db8::1"; of size 0 where the text is neither. */
static ip parse_ip(ga__slice text)
{
    char copy[INET6_ADDRSTRLEN];
    ip address = {.size = 0};

    if (text.size == 0 || text.size >= sizeof copy)
        return address;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (strlen(copy) != text.size)
        return address;
    if (inet_pton(AF_INET, copy, address.bytes) == 1)
        address.size = 4;
    else if (inet_pton(AF_INET6, copy, address.bytes) == 1)
        address.size = 16;
    return address;
}

/* Takes "[...]" off an address; *rest is what stands behind it. False where the brackets hold no IPv6
 * address. */
static bool unwrap(ga__slice text, ip *address, ga__slice *rest)
{
    const char *end = memchr(text.data, ']', text.size);

    if (!end)
        return false;
    size_t inside = (size_t)(end - text.data) - 1;

    *address = parse_ip((ga__slice){text.data + 1, inside});
    *rest = (ga__slice){end + 1, text.size - inside - 2};
    return address->size == 16;
}

static bool same_bits(const ip *a, const ip *b, uint64_t bits)
{
    unsigned whole = (unsigned)bits / 8, left = (unsigned)bits % 8;

    if (memcmp(a->bytes, b->bytes, whole) != 0)
        return false;
    return left == 0 || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - left) == 0;
}

static bool same_address(const ip *a, const ip *b)
{
    return a->size > 0 && a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static bool in_network(ga__slice entry, size_t slash, const target *host)
{
    ip network = parse_ip((ga__slice){entry.data, slash});
    uint64_t bits;

    if (!ga__parse_decimal(entry.data + slash + 1, entry.size - slash - 1, &bits) || bits > network.size * 8)
        return false;
    return network.size > 0 && network.size == host->address.size &&
           same_bits(&network, &host->address, bits);
}

/* "example.com", ".example.com", "*.example.com". */
static bool covers_name(ga__slice entry, ga__slice host)
{
    bool below_only = entry.size >= 2 && entry.data[0] == '*' && entry.data[1] == '.';

    if (below_only)
        ga__slice_take(&entry, 1);
    if (entry.size > 0 && entry.data[0] == '.')
        ga__slice_take(&entry, 1);
    entry = without_dot(entry);
    if (entry.size == 0 || entry.data[0] == '.' || entry.size > host.size)
        return false;
    size_t before = host.size - entry.size;

    if (!ga__ascii_equal(entry, (ga__slice){host.data + before, entry.size}))
        return false;
    return before == 0 ? !below_only : before > 1 && host.data[before - 1] == '.';
}

/* Takes ":port" off the entry. False where there is one and it is another than the host's, or no number. */
static bool port_fits(ga__slice port, const target *host)
{
    uint64_t number;

    if (port.size == 0)
        return true;
    return port.data[0] == ':' && ga__parse_decimal(port.data + 1, port.size - 1, &number) &&
           number == host->port;
}

static bool entry_covers(ga__slice entry, const target *host)
{
    const char *slash = memchr(entry.data, '/', entry.size);
    ga__slice port = {entry.data + entry.size, 0};
    ip address;

    if (entry.size == 1 && *entry.data == '*')
        return true;
    if (slash)
        return in_network(entry, (size_t)(slash - entry.data), host);
    if (*entry.data == '[')
        return unwrap(entry, &address, &port) && port_fits(port, host) &&
               same_address(&address, &host->address);
    address = parse_ip(entry);
    if (address.size > 0)
        return same_address(&address, &host->address);
    const char *colon = memchr(entry.data, ':', entry.size);

    if (colon) {
        port = (ga__slice){colon, entry.size - (size_t)(colon - entry.data)};
        entry.size -= port.size;
    }
    if (!port_fits(port, host))
        return false;
    address = parse_ip(without_dot(entry));
    if (address.size > 0)
        return same_address(&address, &host->address);
    if (entry.size == 1 && *entry.data == '*')
        return true;
    return host->address.size == 0 && covers_name(entry, host->name);
}

bool ga__no_proxy_covers(const char *list, const char *host, uint16_t port)
{
    target wanted = {.name = without_dot(ga__slice_of(host)), .port = port};
    ga__slice rest;

    if (!list || wanted.name.size == 0)
        return false;
    if (*host != '[')
        wanted.address = parse_ip(wanted.name);
    else if (!unwrap(wanted.name, &wanted.address, &rest) || rest.size > 0)
        return false;
    for (const char *at = list; *at; at += *at == ',') {
        ga__slice entry = {at, strcspn(at, ",")};

        at += entry.size;
        entry = ga__slice_trim(entry, " \t");
        if (entry.size > 0 && entry_covers(entry, &wanted))
            return true;
    }
    return false;
}
