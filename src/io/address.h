/* SPDX-License-Identifier: MIT */
/*
 * A place to connect to or to listen on: an IPv4 or IPv6 address with its port, or the path of a unix socket.
 */
#ifndef GA__ADDRESS_H
#define GA__ADDRESS_H

#include <gather/base.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef struct ga__address {
    socklen_t size; /* of the part of `as` that is used; 0: no address */
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } as;
} ga__address;

/* Room for any IP address with its port, "[2001:db8::1%eth0]:65535", and the NUL. */
enum { GA__ADDRESS_TEXT = 72 };

/* The address that the text is: "127.0.0.1", "::1", "[::1]", "fe80::1%eth0". IPv4 has four decimal numbers
 * and nothing else. False (and *address empty) where the text is not an IP address, a name for one. */
bool ga__address_ip(ga__address *address, const char *text, uint16_t port);

/* The address of a unix socket; a path that starts with "@" is in Linux' abstract namespace. False (and
 * *address empty) where the path is empty or too long (107 bytes). */
bool ga__address_unix(ga__address *address, const char *path);

/* AF_INET, AF_INET6, AF_UNIX. */
static inline int ga__address_family(const ga__address *address)
{
    return address->as.any.sa_family;
}

/* The port; 0 for a unix socket. */
uint16_t ga__address_port(const ga__address *address);
void ga__address_set_port(ga__address *address, uint16_t port);

/* From what the system gives; longer than any address that is known here: cut. */
void ga__address_from(ga__address *address, const struct sockaddr *any, socklen_t size);

/* Whether both are the same address and port. */
bool ga__address_equal(const ga__address *a, const ga__address *b);

/* Writes "127.0.0.1:80", "[::1]:80" or the unix path, cut where it does not fit. @return text */
const char *ga__address_text(const ga__address *address, char *text, size_t size);

#endif
