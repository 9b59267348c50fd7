/* SPDX-License-Identifier: MIT */
/*
 * Addresses and their text. An address is always zeroed before it is filled, so that two that are the same
 * compare equal byte by byte. DNS makes them, connect and listener use them.
 */
#include "io/address.h"

#include "base/number.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static bool none(ga__address *address)
{
    memset(address, 0, sizeof *address);
    return false;
}

/* "fe80::1%eth0": the part after % is an interface's name or number. */
static bool parse_zone(const char *zone, uint32_t *scope)
{
    uint64_t number;

    *scope = if_nametoindex(zone);
    if (*scope)
        return true;
    if (!ga__parse_decimal(zone, strlen(zone), &number) || number > UINT32_MAX)
        return false;
    *scope = (uint32_t)number;
    return true;
}

static bool parse_ipv6(ga__address *address, const char *text, uint16_t port)
{
    char copy[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE];
    size_t size = strlen(text);

    if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
        text++;
        size -= 2;
    }
    if (size >= sizeof copy)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    char *zone = strchr(copy, '%');

    if (zone)
        *zone++ = '\0';
    if (inet_pton(AF_INET6, copy, &address->as.in6.sin6_addr) != 1)
        return false;
    if (zone && !parse_zone(zone, &address->as.in6.sin6_scope_id))
        return false;
    address->as.in6.sin6_family = AF_INET6;
    address->as.in6.sin6_port = htons(port);
    address->size = sizeof address->as.in6;
    return true;
}

bool ga__address_ip(ga__address *address, const char *text, uint16_t port)
{
    none(address);
    if (inet_pton(AF_INET, text, &address->as.in.sin_addr) == 1) {
        address->as.in.sin_family = AF_INET;
        address->as.in.sin_port = htons(port);
        address->size = sizeof address->as.in;
        return true;
    }
    return parse_ipv6(address, text, port) || none(address);
}

bool ga__address_unix(ga__address *address, const char *path)
{
    size_t size = strlen(path);

    none(address);
    if (size == 0 || size >= sizeof address->as.un.sun_path)
        return false;
    address->as.un.sun_family = AF_UNIX;
    memcpy(address->as.un.sun_path, path, size);
    address->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + 1);
    if (*path == '@') { /* its name is all its bytes, so no NUL at the end */
        address->as.un.sun_path[0] = '\0';
        address->size--;
    }
    return true;
}

uint16_t ga__address_port(const ga__address *address)
{
    switch (ga__address_family(address)) {
    case AF_INET:
        return ntohs(address->as.in.sin_port);
    case AF_INET6:
        return ntohs(address->as.in6.sin6_port);
    default:
        return 0;
    }
}

void ga__address_set_port(ga__address *address, uint16_t port)
{
    if (ga__address_family(address) == AF_INET)
        address->as.in.sin_port = htons(port);
    else if (ga__address_family(address) == AF_INET6)
        address->as.in6.sin6_port = htons(port);
}

void ga__address_from(ga__address *address, const struct sockaddr *any, socklen_t size)
{
    none(address);
    if (size > sizeof address->as)
        size = sizeof address->as;
    memcpy(&address->as, any, size);
    address->size = size;
}

bool ga__address_equal(const ga__address *a, const ga__address *b)
{
    return a->size == b->size && memcmp(&a->as, &b->as, a->size) == 0;
}

static void unix_text(const ga__address *address, char *text, size_t size)
{
    size_t most = address->size - offsetof(struct sockaddr_un, sun_path);
    const char *path = address->as.un.sun_path;

    if (most > 1 && path[0] == '\0')
        snprintf(text, size, "@%.*s", (int)most - 1, path + 1);
    else
        snprintf(text, size, "%.*s", (int)most, path);
}

/* As printf would, without its deep frames: each connection that is opened comes by here. */
static void ipv4_text(const ga__address *address, char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)&address->as.in.sin_addr;
    char whole[4 * sizeof "255" + sizeof "65535"], *at = whole;

    for (int i = 0; i < 4; i++) {
        at = ga__put_decimal(at, bytes[i]);
        *at++ = i < 3 ? '.' : ':';
    }
    at = ga__put_decimal(at, ga__address_port(address));
    *at++ = '\0';
    size_t length = (size_t)(at - whole) < size ? (size_t)(at - whole) : size;

    memcpy(text, whole, length);
    text[length - 1] = '\0';
}

const char *ga__address_text(const ga__address *address, char *text, size_t size)
{
    char ip[INET6_ADDRSTRLEN] = "?";

    switch (ga__address_family(address)) {
    case AF_INET:
        ipv4_text(address, text, size);
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &address->as.in6.sin6_addr, ip, sizeof ip);
        if (address->as.in6.sin6_scope_id)
            snprintf(text, size, "[%s%%%u]:%u", ip, address->as.in6.sin6_scope_id, ga__address_port(address));
        else
            snprintf(text, size, "[%s]:%u", ip, ga__address_port(address));
        break;
    case AF_UNIX:
        unix_text(address, text, size);
        break;
    default:
        snprintf(text, size, "no address");
    }
    return text;
}
