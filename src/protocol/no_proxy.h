/* SPDX-License-Identifier: MIT */
/*
 * NO_PROXY: which hosts are reached directly. The list is text, its entries apart by commas, blanks around
 * them dropped:
 *
 *     *                          every host
 *     example.com, .example.com  the name and all names under it, never "nexample.com"
 *     *.example.com              the names under it
 *     192.0.2.1, ::1, [::1]      one address, in any of its spellings
 *     192.0.2.0/24, fd00::/8     the addresses of a network
 *     example.com:8080, [::1]:80 any of the above but networks, at this port only
 *
 * Case and a dot at a name's end do not matter. An entry that is none of these matches nothing.
 */
#ifndef GA__NO_PROXY_H
#define GA__NO_PROXY_H

#include <gather/base.h>
#include <stdbool.h>

/* Whether an entry of the list (NULL: an empty one) covers the host: a name in ASCII, or an IP address, in
 * brackets or not. */
bool ga__no_proxy_covers(const char *list, const char *host, uint16_t port);

#endif
