/* SPDX-License-Identifier: MIT */
/*
 * The client's side of SOCKS 5 (RFC 1928), with user name and password (RFC 1929), sans I/O: it asks the
 * proxy for a connection to a host and port. The order of calls:
 *
 *     ga__socks5_begin(&socks, ...)     out has the first bytes to send
 *     ga__socks5_receive(&socks, ...)   until it says GA__SOCKS5_DONE; send what is in out after each
 */
#ifndef GA__SOCKS5_H
#define GA__SOCKS5_H

#include "base/buffer.h"
#include "base/slice.h"

enum {
    GA__SOCKS5_MORE = 0, /* more bytes are to come */
    GA__SOCKS5_DONE = 1, /* the connection to the target stands */
    GA__SOCKS5_TEXT_MAX = 255
};

typedef enum ga__socks5_state {
    GA__SOCKS5_METHOD_,
    GA__SOCKS5_PASSWORD_,
    GA__SOCKS5_REPLY_,
    GA__SOCKS5_DONE_
} ga__socks5_state;

typedef struct ga__socks5 {
    ga__socks5_state state;
    ga__slice host; /* these three are the caller's */
    ga__slice username, password;
    uint16_t port;
    const char *problem; /* after a failure: what the proxy said, or what is wrong, a static string */
} ga__socks5;

/* Begins. The host is an IP address without brackets, or a name, which the proxy resolves. A user name of
 * size 0: none is offered. Slices are borrowed until the end.
 * @return 0; GA_EUSAGE with `problem`: a text is longer than 255 bytes */
int ga__socks5_begin(ga__socks5 *socks, ga__slice host, uint16_t port, ga__slice username, ga__slice password,
                     ga__buffer *out);

/* Takes what came from the proxy, all of it since what was consumed last; appends to `out` what is to be
 * sent. After GA__SOCKS5_DONE what is not consumed is the target's.
 * @return GA__SOCKS5_MORE, GA__SOCKS5_DONE; GA_EPROXY with `problem` */
int ga__socks5_receive(ga__socks5 *socks, const void *data, size_t size, size_t *consumed, ga__buffer *out);

#endif
