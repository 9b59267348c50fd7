/* SPDX-License-Identifier: MIT */
/*
 * SOCKS 5. Each message of the proxy's has a size that its first bytes tell, so what is there is either a
 * whole message, which is judged and consumed, or too little. Called by client/tunnel.c.
 */
#include "protocol/socks5.h"

#include <arpa/inet.h>
#include <gather/error.h>

enum {
    VERSION = 5,
    PASSWORD_VERSION = 1,
    NO_AUTHENTICATION = 0,
    USERNAME_PASSWORD = 2,
    NONE_ACCEPTABLE = 0xff,
    CONNECT = 1,
    ADDRESS_IPV4 = 1,
    ADDRESS_NAME = 3,
    ADDRESS_IPV6 = 4
};

static int fail(ga__socks5 *socks, const char *problem)
{
    socks->problem = problem;
    return GA_EPROXY;
}

static void add_byte(ga__buffer *out, unsigned byte)
{
    ga__buffer_add_char(out, (char)(unsigned char)byte);
}

static void add_text(ga__buffer *out, ga__slice text)
{
    add_byte(out, (unsigned)text.size);
    ga__buffer_append(out, text.data, text.size);
}

int ga__socks5_begin(ga__socks5 *socks, ga__slice host, uint16_t port, ga__slice username, ga__slice password,
                     ga__buffer *out)
{
    *socks = (ga__socks5){.host = host, .username = username, .password = password, .port = port};
    if (host.size > GA__SOCKS5_TEXT_MAX) {
        socks->problem = "the host's name is longer than 255 bytes, which SOCKS cannot carry";
        return GA_EUSAGE;
    }
    if (username.size > GA__SOCKS5_TEXT_MAX || password.size > GA__SOCKS5_TEXT_MAX) {
        socks->problem = "the user name or password is longer than 255 bytes, which SOCKS cannot carry";
        return GA_EUSAGE;
    }
    add_byte(out, VERSION);
    add_byte(out, username.size > 0 ? 2 : 1);
    add_byte(out, NO_AUTHENTICATION);
    if (username.size > 0)
        add_byte(out, USERNAME_PASSWORD);
    return 0;
}

static void ask(ga__socks5 *socks, ga__buffer *out)
{
    char host[GA__SOCKS5_TEXT_MAX + 1];
    unsigned char address[sizeof(struct in6_addr)];

    memcpy(host, socks->host.data, socks->host.size);
    host[socks->host.size] = '\0';
    add_byte(out, VERSION);
    add_byte(out, CONNECT);
    add_byte(out, 0);
    if (inet_pton(AF_INET, host, address) == 1) {
        add_byte(out, ADDRESS_IPV4);
        ga__buffer_append(out, address, sizeof(struct in_addr));
    } else if (inet_pton(AF_INET6, host, address) == 1) {
        add_byte(out, ADDRESS_IPV6);
        ga__buffer_append(out, address, sizeof(struct in6_addr));
    } else {
        add_byte(out, ADDRESS_NAME);
        add_text(out, socks->host);
    }
    add_byte(out, socks->port >> 8);
    add_byte(out, socks->port & 0xff);
    socks->state = GA__SOCKS5_REPLY_;
}

/* The proxy chose how the client says who it is. */
static int choose_method(ga__socks5 *socks, const unsigned char *data, ga__buffer *out)
{
    switch (data[1]) {
    case NO_AUTHENTICATION:
        ask(socks, out);
        return GA__SOCKS5_MORE;
    case USERNAME_PASSWORD:
        if (socks->username.size == 0)
            return fail(socks, "it chose a method that was not offered");
        add_byte(out, PASSWORD_VERSION);
        add_text(out, socks->username);
        add_text(out, socks->password);
        socks->state = GA__SOCKS5_PASSWORD_;
        return GA__SOCKS5_MORE;
    case NONE_ACCEPTABLE:
        return fail(socks, socks->username.size > 0
                               ? "it accepts neither a user name and password nor going without"
                               : "it wants credentials: give them as socks5h://user:password@host:port");
    default:
        return fail(socks, "it chose a method that was not offered");
    }
}

/* RFC 1928, 6. */
static const char *reason_of(unsigned reply)
{
    static const char *const reasons[] = {
        "",
        "general failure",
        "its rules do not allow the connection",
        "the network is unreachable",
        "the host is unreachable",
        "the connection was refused",
        "the time to live expired",
        "it does not know the command",
        "it does not know this type of address",
    };

    return reply < sizeof reasons / sizeof *reasons ? reasons[reply] : "it gave a reason that is not known";
}

/* The size of the whole reply that begins so; 0 where its type of address is not known. */
static size_t reply_size(const unsigned char *data)
{
    switch (data[3]) {
    case ADDRESS_IPV4:
        return 4 + 4 + 2;
    case ADDRESS_IPV6:
        return 4 + 16 + 2;
    case ADDRESS_NAME:
        return 4 + 1 + (size_t)data[4] + 2;
    default:
        return 0;
    }
}

static int judge_reply(ga__socks5 *socks, const unsigned char *data, size_t size, size_t *consumed)
{
    if (size >= 1 && data[0] != VERSION)
        return fail(socks, "its reply is not one of SOCKS 5");
    /* What refuses may be cut short: the reason is enough. */
    if (size >= 2 && data[1] != 0)
        return fail(socks, reason_of(data[1]));
    if (size < 5)
        return GA__SOCKS5_MORE;
    size_t whole = reply_size(data);

    if (whole == 0)
        return fail(socks, "its reply has a type of address that does not exist");
    if (size < whole)
        return GA__SOCKS5_MORE;
    *consumed = whole;
    socks->state = GA__SOCKS5_DONE_;
    return GA__SOCKS5_DONE;
}

/* Judges the next message. @return as ga__socks5_receive; *consumed is 0 where it is not whole */
static int step(ga__socks5 *socks, const unsigned char *data, size_t size, size_t *consumed, ga__buffer *out)
{
    if (socks->state == GA__SOCKS5_REPLY_)
        return judge_reply(socks, data, size, consumed);
    unsigned version = socks->state == GA__SOCKS5_METHOD_ ? VERSION : PASSWORD_VERSION;

    if (size >= 1 && data[0] != version)
        return fail(socks, "it does not speak SOCKS 5 (is it an HTTP proxy?)");
    if (size < 2)
        return GA__SOCKS5_MORE;
    *consumed = 2;
    if (socks->state == GA__SOCKS5_METHOD_)
        return choose_method(socks, data, out);
    if (data[1] != 0)
        return fail(socks, "it refused the user name and password");
    ask(socks, out);
    return GA__SOCKS5_MORE;
}

int ga__socks5_receive(ga__socks5 *socks, const void *data, size_t size, size_t *consumed, ga__buffer *out)
{
    const unsigned char *bytes = data;
    int code;

    *consumed = 0;
    if (socks->state == GA__SOCKS5_DONE_)
        return GA__SOCKS5_DONE;
    for (;;) {
        size_t taken = 0;

        code = step(socks, bytes + *consumed, size - *consumed, &taken, out);
        *consumed += taken;
        if (code != GA__SOCKS5_MORE || taken == 0)
            return code;
    }
}
