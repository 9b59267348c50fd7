/* SPDX-License-Identifier: MIT */
/*
 * The host of a URL: a name in ASCII, or an IP address in its one canonical form.
 */
#ifndef GA__URL_HOST_H
#define GA__URL_HOST_H

#include <gather/error.h>

typedef enum ga__host_kind {
    GA__HOST_NAME, /* lower case; internationalised names as xn--...; a final dot stays */
    GA__HOST_IPV4, /* four decimal numbers, also when written as 127.1 or 0x7f000001 */
    GA__HOST_IPV6  /* without brackets; RFC 5952's form, the last 32 bits in hexadecimal as WHATWG URL has it
                    */
} ga__host_kind;

enum { GA__HOST_MAX = 255 };

typedef struct ga__host {
    ga__host_kind kind;
    size_t size;
    char text[GA__HOST_MAX + 1]; /* with a NUL at the end */
} ga__host;

/* Parses the host as it stands in a URL (an IPv6 address in brackets): WHATWG URL, 3.5, for a special scheme;
 * names by UTS #46, nontransitional. Names over 255 bytes and IPv6 zone identifiers are refused. *reason is
 * static.
 * @return 0, GA_EURL, GA_ENOMEM */
int ga__host_parse(ga__host *host, const char *text, size_t size, const char **reason);

#endif
