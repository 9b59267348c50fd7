/* SPDX-License-Identifier: MIT */
/*
 * A name server: a thread that answers each question from a script, over UDP and TCP of 127.0.0.1, byte by
 * byte as the script says, and counts what it was asked. start_server and stop_server are a group's set-up
 * and tear-down.
 */
#ifndef NAME_SERVER_H
#define NAME_SERVER_H

#include "check.h"

#include "sim/random.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { A = 1, CNAME = 5, AAAA = 28, NXDOMAIN = 3, SERVFAIL = 2, REFUSED = 5 };

typedef enum action {
    ANSWER,
    SILENCE,
    WRONG_ID,      /* an answer with another identifier and address first */
    TRUNCATE,      /* over UDP an empty answer with TC; the answer over TCP */
    BROKEN,        /* the record's length goes beyond the message */
    CHAIN,         /* CNAME to b, CNAME to c, the address of c */
    CHAIN_OF_NONE, /* CNAME to a name without an address */
    RANDOM         /* the answer with a few bytes changed */
} action;

typedef struct script {
    const char *name;
    int type; /* 0: both */
    action action;
    int rcode;
    uint32_t ttl;
    const char *address; /* NULL: none */
} script;

static const script scripts[] = {
    {"both.test", A, ANSWER, 0, 300, "192.0.2.1"},
    {"both.test", AAAA, ANSWER, 0, 300, "2001:db8::1"},
    {"four.test", A, ANSWER, 0, 300, "192.0.2.4"},
    {"four.test", AAAA, ANSWER, 0, 0, NULL},
    {"none.test", 0, ANSWER, 0, 0, NULL},
    {"servfail.test", 0, ANSWER, SERVFAIL, 0, NULL},
    {"refused.test", 0, ANSWER, REFUSED, 0, NULL},
    {"half.test", A, ANSWER, 0, 300, "192.0.2.5"},
    {"half.test", AAAA, ANSWER, SERVFAIL, 0, NULL},
    {"silent.test", 0, SILENCE, 0, 0, NULL},
    {"no-aaaa.test", A, ANSWER, 0, 300, "192.0.2.6"},
    {"no-aaaa.test", AAAA, SILENCE, 0, 0, NULL},
    {"spoofed.test", 0, WRONG_ID, 0, 300, "192.0.2.7"},
    {"large.test", 0, TRUNCATE, 0, 300, "192.0.2.8"},
    {"broken.test", 0, BROKEN, 0, 300, "192.0.2.9"},
    {"zero.test", 0, ANSWER, 0, 0, "192.0.2.10"},
    {"chain.test", A, CHAIN, 0, 300, "192.0.2.11"},
    {"chain.test", AAAA, CHAIN_OF_NONE, 0, 300, NULL},
    {"random.test", 0, RANDOM, 0, 300, "192.0.2.12"},
};

static struct {
    pthread_t thread;
    int udp, tcp, port;
    atomic_bool stop;
    atomic_int asked, asked_tcp; /* questions for names of the script */
    atomic_int delay_ms;
    ga__random random;
} server;

typedef struct message {
    unsigned char bytes[1024];
    size_t size;
} message;

static inline void put8(message *m, unsigned value)
{
    m->bytes[m->size++] = (unsigned char)value;
}

static inline void put16(message *m, unsigned value)
{
    put8(m, value >> 8 & 0xff);
    put8(m, value & 0xff);
}

static inline void put32(message *m, uint32_t value)
{
    put16(m, value >> 16);
    put16(m, value & 0xffff);
}

static inline void put_name(message *m, const char *name)
{
    while (*name) {
        size_t size = strcspn(name, ".");

        put8(m, (unsigned)size);
        memcpy(m->bytes + m->size, name, size);
        m->size += size;
        name += size + (name[size] == '.');
    }
    put8(m, 0);
}

/* The question's name as text, and its type; the question's size, 0 where it is none. */
static inline size_t read_question(const unsigned char *bytes, size_t size, char name[256], int *type)
{
    size_t at = 12, written = 0;

    while (at < size && bytes[at] != 0) {
        size_t label = bytes[at];

        if (label > 63 || at + 1 + label >= size || written + label + 2 > 256)
            return 0;
        if (written > 0)
            name[written++] = '.';
        memcpy(name + written, bytes + at + 1, label);
        written += label;
        at += 1 + label;
    }
    if (at + 5 > size)
        return 0;
    name[written] = '\0';
    *type = bytes[at + 1] << 8 | bytes[at + 2];
    return at + 5;
}

/* A record of the type with the address, of the name at this offset (or given as text). */
static inline void put_address(message *m, int type, const char *owner, const char *address, uint32_t ttl)
{
    unsigned char binary[16];
    bool v6 = strchr(address, ':') != NULL;

    assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, address, binary), 1);
    if (owner)
        put_name(m, owner);
    else
        put16(m, 0xc00c);
    put16(m, (unsigned)type);
    put16(m, 1);
    put32(m, ttl);
    put16(m, v6 ? 16 : 4);
    memcpy(m->bytes + m->size, binary, v6 ? 16 : 4);
    m->size += v6 ? 16 : 4;
}

static inline void put_cname(message *m, const char *from, const char *to)
{
    put_name(m, from);
    put16(m, CNAME);
    put16(m, 1);
    put32(m, 20);
    put16(m, (unsigned)strlen(to) + 2);
    put_name(m, to);
}

static inline message head(const unsigned char *question, size_t size, int rcode, unsigned answers,
                           bool truncated)
{
    message m = {.size = 2};

    memcpy(m.bytes, question, 2);
    put16(&m, 0x8180U | (truncated ? 0x0200U : 0) | (unsigned)rcode);
    put16(&m, 1);
    put16(&m, answers);
    put32(&m, 0);
    memcpy(m.bytes + 12, question + 12, size - 12);
    m.size = size;
    return m;
}

static inline const script *find_script(const char *name, int type)
{
    static const script silent = {.action = SILENCE};

    if (strncmp(name, "no-aaaa-", 8) == 0)
        name = "no-aaaa.test";
    if (strncmp(name, "silent-", 7) == 0)
        return &silent;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        if (strcmp(scripts[i].name, name) == 0 && (scripts[i].type == 0 || scripts[i].type == type))
            return &scripts[i];
    return NULL;
}

/* An AAAA question of a script with one IPv4 address has no answer record. */
static inline bool has_address(const script *s, int type)
{
    return s->address && (strchr(s->address, ':') != NULL) == (type == AAAA);
}

static inline message answer_to(const unsigned char *question, size_t size, const script *s, int type,
                                bool tcp)
{
    message m;

    if (!s)
        return head(question, size, NXDOMAIN, 0, false);
    if (s->action == TRUNCATE && !tcp)
        return head(question, size, 0, 0, true);
    if (s->action == CHAIN || s->action == CHAIN_OF_NONE) {
        m = head(question, size, 0, s->action == CHAIN ? 3 : 2, false);
        put_cname(&m, s->name, "b.test");
        put_cname(&m, "b.test", "c.test");
        if (s->action == CHAIN)
            put_address(&m, type, "c.test", s->address, s->ttl);
        return m;
    }
    m = head(question, size, s->rcode, has_address(s, type), false);
    if (has_address(s, type))
        put_address(&m, type, NULL, s->address, s->ttl);
    if (s->action == BROKEN) {
        m = head(question, size, 0, 1, false);
        put16(&m, 0xc00c);
        put16(&m, (unsigned)type);
        put16(&m, 1);
        put32(&m, 1);
        put16(&m, 500);
    }
    for (int i = 0; s->action == RANDOM && i < 4; i++)
        m.bytes[2 + ga__random_below(&server.random, m.size - 2)] =
            (unsigned char)ga__random_next(&server.random);
    return m;
}

/* Sends what the script says to a question over UDP. */
static inline void serve_udp(void)
{
    unsigned char bytes[1024];
    char name[256];
    int type;
    struct sockaddr_storage from;
    socklen_t from_size = sizeof from;
    ssize_t count = recvfrom(server.udp, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_size);
    size_t size = count > 0 ? read_question(bytes, (size_t)count, name, &type) : 0;

    if (size == 0)
        return;
    const script *s = find_script(name, type);

    server.asked++;
    if (s && s->action == SILENCE)
        return;
    usleep((useconds_t)server.delay_ms * 1000);
    message m = answer_to(bytes, size, s, type, false);

    if (s && s->action == WRONG_ID) {
        message spoofed = m;

        spoofed.bytes[0] ^= 0x55;
        spoofed.bytes[spoofed.size - 1] = 99;
        sendto(server.udp, spoofed.bytes, spoofed.size, 0, (struct sockaddr *)&from, from_size);
        sendto(server.udp, "garbage", 7, 0, (struct sockaddr *)&from, from_size);
    }
    sendto(server.udp, m.bytes, m.size, 0, (struct sockaddr *)&from, from_size);
}

static inline bool read_exactly(int fd, unsigned char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = recv(fd, bytes, size, 0);

        if (count <= 0)
            return false;
        bytes += count;
        size -= (size_t)count;
    }
    return true;
}

/* One connection's questions, until it ends. */
static inline void serve_tcp(void)
{
    unsigned char bytes[1024];
    char name[256];
    int type;
    int fd = accept(server.tcp, NULL, NULL);

    while (fd >= 0 && read_exactly(fd, bytes, 2)) {
        size_t length = (size_t)(bytes[0] << 8 | bytes[1]);

        if (length > sizeof bytes || !read_exactly(fd, bytes, length))
            break;
        size_t size = read_question(bytes, length, name, &type);

        if (size == 0)
            break;
        server.asked_tcp++;
        message m = answer_to(bytes, size, find_script(name, type), type, true);
        unsigned char prefix[2] = {(unsigned char)(m.size >> 8), (unsigned char)m.size};

        send(fd, prefix, 2, MSG_NOSIGNAL);
        send(fd, m.bytes, m.size, MSG_NOSIGNAL);
    }
    if (fd >= 0)
        close(fd);
}

static inline void *serve(void *arg)
{
    (void)arg;
    while (!server.stop) {
        struct pollfd fds[2] = {{.fd = server.udp, .events = POLLIN}, {.fd = server.tcp, .events = POLLIN}};

        if (poll(fds, 2, 20) <= 0)
            continue;
        if (fds[0].revents)
            serve_udp();
        if (fds[1].revents)
            serve_tcp();
    }
    return NULL;
}

static inline int start_server(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 5};

    (void)state;
    server.port = check_free_port();
    address.sin_port = htons((uint16_t)server.port);
    server.random = ga__random_of(1, 1);
    server.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    server.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(server.tcp, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    setsockopt(server.tcp, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(bind(server.udp, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(bind(server.tcp, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server.tcp, 5), 0);
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static inline int stop_server(void **state)
{
    (void)state;
    server.stop = true;
    pthread_join(server.thread, NULL);
    close(server.udp);
    close(server.tcp);
    return 0;
}

#endif
