/* SPDX-License-Identifier: MIT */
/*
 * The resolver, against a name server of this test's own: a thread that answers each question from a script,
 * over UDP and TCP of 127.0.0.1, byte by byte as the script says, and counts what it was asked.
 */
#include "check.h"

#include "io/dns.h"
#include "io/dns_cache.h"
#include "io/hosts.h"
#include "sim/random.h"
#include "sim/sim.h"
#include "task/loop.h"

#include <ares.h>
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the name server ------------------------------------------------------------------------------ */

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

static void put8(message *m, unsigned value)
{
    m->bytes[m->size++] = (unsigned char)value;
}

static void put16(message *m, unsigned value)
{
    put8(m, value >> 8 & 0xff);
    put8(m, value & 0xff);
}

static void put32(message *m, uint32_t value)
{
    put16(m, value >> 16);
    put16(m, value & 0xffff);
}

static void put_name(message *m, const char *name)
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
static size_t read_question(const unsigned char *bytes, size_t size, char name[256], int *type)
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
static void put_address(message *m, int type, const char *owner, const char *address, uint32_t ttl)
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

static void put_cname(message *m, const char *from, const char *to)
{
    put_name(m, from);
    put16(m, CNAME);
    put16(m, 1);
    put32(m, 20);
    put16(m, (unsigned)strlen(to) + 2);
    put_name(m, to);
}

static message head(const unsigned char *question, size_t size, int rcode, unsigned answers, bool truncated)
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

static const script *find_script(const char *name, int type)
{
    static const script silent = {.action = SILENCE};

    if (strncmp(name, "silent-", 7) == 0)
        return &silent;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        if (strcmp(scripts[i].name, name) == 0 && (scripts[i].type == 0 || scripts[i].type == type))
            return &scripts[i];
    return NULL;
}

/* An AAAA question of a script with one IPv4 address has no answer record. */
static bool has_address(const script *s, int type)
{
    return s->address && (strchr(s->address, ':') != NULL) == (type == AAAA);
}

static message answer_to(const unsigned char *question, size_t size, const script *s, int type, bool tcp)
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
static void serve_udp(void)
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

static bool read_exactly(int fd, unsigned char *bytes, size_t size)
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
static void serve_tcp(void)
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

static void *serve(void *arg)
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

static int start_server(void **state)
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

static int stop_server(void **state)
{
    (void)state;
    server.stop = true;
    pthread_join(server.thread, NULL);
    close(server.udp);
    close(server.tcp);
    return 0;
}

/* --- resolving ------------------------------------------------------------------------------------ */

static bool way_to_all(const ga__address *address)
{
    (void)address;
    return true;
}

static bool no_ipv6(const ga__address *address)
{
    return ga__address_family(address) != AF_INET6;
}

/* What one call gave. */
typedef struct outcome {
    int code, dns_error;
    char text[400]; /* the addresses, or the message */
} outcome;

static int resolve_within(const char *host, double seconds, outcome *result)
{
    ga__resolved *resolved;

    *result = (outcome){0};
    result->code = ga__dns_resolve(host, 80, ga__deadline(ga__now_exact(), seconds), &resolved);
    if (result->code < 0) {
        assert_null(resolved);
        result->dns_error = ga_error()->dns_error;
        snprintf(result->text, sizeof result->text, "%s", ga_error_message());
        return result->code;
    }
    for (size_t i = 0; i < resolved->count; i++) {
        char text[GA__ADDRESS_TEXT];
        size_t size = strlen(result->text);

        snprintf(result->text + size, sizeof result->text - size, "%s%s", i > 0 ? " " : "",
                 ga__address_text(&resolved->addresses[i], text, sizeof text));
    }
    ga__resolved_free(resolved);
    return 0;
}

static int configure(ga__dns_options options)
{
    char servers[40];

    snprintf(servers, sizeof servers, "127.0.0.1:%d", server.port);
    if (!options.servers)
        options.servers = servers;
    if (!options.hosts)
        options.hosts = "/nonexistent";
    if (!options.reachable)
        options.reachable = way_to_all;
    options.no_search = true;
    return ga__dns_configure(ga__loop_here, &options);
}

typedef struct job {
    ga__dns_options options;
    const char *host;
    int times;
    outcome result; /* of the last time */
} job;

static int run_job(void *arg)
{
    job *self = arg;
    int code = configure(self->options);

    for (int i = 0; code == 0 && i < self->times; i++)
        resolve_within(self->host, 30, &self->result);
    return code;
}

/* Resolves the host in a loop of its own, so often; no descriptor may be left. */
static outcome resolve(const char *host, int times, ga__dns_options options)
{
    job work = {.options = options, .host = host, .times = times};
    int before = check_open_descriptors();

    server.asked = server.asked_tcp = 0;
    assert_int_equal(ga_run(run_job, &work), 0);
    for (int i = 0; i < 100 && check_open_descriptors() != before; i++)
        usleep(10000); /* the server, too, has to notice the end of its connections */
    assert_int_equal(check_open_descriptors(), before);
    return work.result;
}

static void resolves_to(const char *host, const char *addresses, int questions)
{
    outcome result = resolve(host, 1, (ga__dns_options){0});

    assert_int_equal(result.code, 0);
    assert_string_equal(result.text, addresses);
    assert_int_equal(server.asked, questions);
}

static void fails_with(const char *host, int dns_error, const char *words, ga__dns_options options)
{
    outcome result = resolve(host, 1, options);

    assert_int_equal(result.code, GA_EDNS);
    assert_int_equal(result.dns_error, dns_error);
    if (!strstr(result.text, words) || !strstr(result.text, host))
        fail_msg("the message lacks \"%s\" or the host: %s", words, result.text);
}

/* --- what needs no server ------------------------------------------------------------------------- */

static void literals_and_localhost_ask_nobody(void **state)
{
    (void)state;
    resolves_to("192.0.2.77", "192.0.2.77:80", 0);
    resolves_to("::1", "[::1]:80", 0);
    resolves_to("[2001:db8::2]", "[2001:db8::2]:80", 0);
    resolves_to("localhost", "127.0.0.1:80 [::1]:80", 0);
    resolves_to("LocalHost.", "127.0.0.1:80 [::1]:80", 0);
    resolves_to("api.localhost", "127.0.0.1:80 [::1]:80", 0);
}

static void bad_names_are_refused(void **state)
{
    static const char *const names[] = {".", ".test", "a..b.test", "a b.test", "a\nb.test"};
    char longest[400];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        fails_with(names[i], ARES_EBADNAME, "no valid host name", (ga__dns_options){0});
    fails_with("", ARES_EBADNAME, "no valid host name", (ga__dns_options){0});
    memset(longest, 'x', sizeof longest);
    longest[64] = '\0'; /* a label has at most 63 */
    fails_with(longest, ARES_EBADNAME, "no valid host name", (ga__dns_options){0});
    longest[64] = 'x';
    longest[399] = '\0';
    assert_int_equal(resolve(longest, 1, (ga__dns_options){0}).dns_error, ARES_EBADNAME);
    assert_int_equal(server.asked, 0);
}

static void the_hosts_file_goes_before_the_server(void **state)
{
    static const char text[] = "# both.test 192.0.2.200\n"
                               "192.0.2.50\tboth.test www.both.test # comment\r\n"
                               "not-an-address four.test\n"
                               "\n"
                               "::50 BOTH.test.\n"
                               "192.0.2.51";
    char *directory = check_mkdtemp();
    char path[300];
    outcome result;

    (void)state;
    snprintf(path, sizeof path, "%s/hosts", directory);
    check_write_file(path, text);
    result = resolve("Both.Test", 1, (ga__dns_options){.hosts = path});
    assert_string_equal(result.text, "192.0.2.50:80 [::50]:80");
    result = resolve("www.both.test", 1, (ga__dns_options){.hosts = path});
    assert_string_equal(result.text, "192.0.2.50:80");
    assert_int_equal(server.asked, 0);
    result = resolve("four.test", 1, (ga__dns_options){.hosts = path});
    assert_string_equal(result.text, "192.0.2.4:80");
    check_rmdir(directory);
    free(directory);
}

static void a_changed_hosts_file_is_read_again(void **state)
{
    char *directory = check_mkdtemp();
    char path[300];
    ga__hosts hosts;
    const ga__host *first;

    (void)state;
    snprintf(path, sizeof path, "%s/hosts", directory);
    ga__hosts_init(&hosts, path);
    assert_int_equal(ga__hosts_find(&hosts, "a", 0, &first), 0); /* there is none yet */
    check_write_file(path, "10.0.0.1 a ab\n10.0.0.2 a\n");
    assert_int_equal(ga__hosts_find(&hosts, "a", 999999999, &first), 0); /* not looked at yet */
    assert_int_equal(ga__hosts_find(&hosts, "a", 1000000000, &first), 2);
    assert_int_equal(ntohl(first[0].address.as.in.sin_addr.s_addr), 0x0a000001);
    assert_int_equal(ntohl(first[1].address.as.in.sin_addr.s_addr), 0x0a000002);
    assert_int_equal(ga__hosts_find(&hosts, "ab", 1000000000, &first), 1);
    assert_int_equal(ga__hosts_find(&hosts, "abc", 1000000000, &first), 0);
    assert_int_equal(ga__hosts_find(&hosts, "", 1000000000, &first), 0);
    check_write_file(path, "10.0.0.3 b\n");
    assert_int_equal(ga__hosts_find(&hosts, "a", 2000000000, &first), 0);
    assert_int_equal(ga__hosts_find(&hosts, "b", 2000000000, &first), 1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ga__hosts_find(&hosts, "b", 3000000000, &first), 0);
    ga__hosts_free(&hosts);
    check_rmdir(directory);
    free(directory);
}

/* --- answers -------------------------------------------------------------------------------------- */

static void both_families_are_asked_for(void **state)
{
    outcome result;

    (void)state;
    resolves_to("both.test", "[2001:db8::1]:80 192.0.2.1:80", 2);
    result = resolve("both.test", 1, (ga__dns_options){.reachable = no_ipv6});
    assert_string_equal(result.text, "192.0.2.1:80 [2001:db8::1]:80");
    resolves_to("four.test", "192.0.2.4:80", 2);
    resolves_to("half.test", "192.0.2.5:80", 4); /* one family that fails, three times, does no harm */
    resolves_to("FOUR.test.", "192.0.2.4:80", 2);
}

static void aliases_are_followed(void **state)
{
    (void)state;
    resolves_to("chain.test", "192.0.2.11:80", 2);
}

static void a_truncated_answer_is_fetched_over_tcp(void **state)
{
    (void)state;
    resolves_to("large.test", "192.0.2.8:80", 2);
    assert_int_equal(server.asked_tcp, 2);
}

static void answers_to_other_questions_are_not_believed(void **state)
{
    (void)state;
    resolves_to("spoofed.test", "192.0.2.7:80", 2);
}

static void each_failure_has_its_code_and_says_what_to_do(void **state)
{
    const ga__dns_options quick = {.timeout_ms = 50, .tries = 2};
    char nobody[40];

    (void)state;
    fails_with("missing.test", ARES_ENOTFOUND, "does not exist", quick);
    fails_with("none.test", ARES_ENODATA, "has no address", quick);
    fails_with("servfail.test", ARES_ESERVFAIL, "SERVFAIL", quick);
    fails_with("refused.test", ARES_EREFUSED, "REFUSED", quick);
    fails_with("broken.test", ARES_EBADRESP, "makes no sense", quick);
    fails_with("silent.test", ARES_ETIMEOUT, "did not answer within 0.", quick);
    snprintf(nobody, sizeof nobody, "127.0.0.1:%d", check_free_port());
    fails_with("both.test", ARES_ECONNREFUSED, "no name server can be reached",
               (ga__dns_options){.servers = nobody, .timeout_ms = 50, .tries = 2});
}

static void random_answers_end_in_one_way_or_another(void **state)
{
    (void)state;
    for (int i = 0; i < (CHECK_SANITIZED ? 100 : 300); i++) {
        outcome result = resolve("random.test", 1, (ga__dns_options){.timeout_ms = 20, .tries = 1});

        assert_true(result.code == 0 || result.code == GA_EDNS);
        assert_true(result.text[0] != '\0');
    }
}

static void a_server_that_ignores_ipv6_costs_a_moment(void **state)
{
    double start = check_now();

    (void)state;
    resolves_to("no-aaaa.test", "192.0.2.6:80", 2);
    assert_true(check_now() - start < 1.5); /* the question times out after 14 s */
}

/* --- the cache ------------------------------------------------------------------------------------ */

static void answers_are_kept(void **state)
{
    (void)state;
    assert_string_equal(resolve("both.test", 50, (ga__dns_options){0}).text, "[2001:db8::1]:80 192.0.2.1:80");
    assert_int_equal(server.asked, 2);
    assert_int_equal(resolve("missing.test", 50, (ga__dns_options){0}).dns_error, ARES_ENOTFOUND);
    assert_int_equal(server.asked, 2);
    assert_string_equal(resolve("zero.test", 50, (ga__dns_options){0}).text, "192.0.2.10:80");
    assert_in_range(server.asked, 2, 4); /* a TTL of 0 is taken as one of 1 s */
}

static void entries_expire_and_the_least_used_go(void **state)
{
    ga__dns_cache cache;
    ga__dns_entry *a, *b, *c;

    (void)state;
    ga__dns_cache_init(&cache, 2);
    a = ga__dns_cache_add(&cache, "a", 100);
    assert_ptr_equal(ga__dns_cache_find(&cache, "a", GA__NEVER - 1), a); /* pending ones stay */
    b = ga__dns_cache_add(&cache, "b", 100);
    c = ga__dns_cache_add(&cache, "c", 100);
    ga__dns_cache_settle(&cache, a, 200);
    ga__dns_cache_settle(&cache, b, 300);
    assert_ptr_equal(ga__dns_cache_find(&cache, "a", 199), a); /* so b is the least used */
    ga__dns_cache_settle(&cache, c, 300);
    assert_null(ga__dns_cache_find(&cache, "b", 150));
    assert_string_equal(b->name, "b"); /* it is held */
    assert_null(ga__dns_cache_find(&cache, "a", 200));
    assert_ptr_equal(ga__dns_cache_find(&cache, "c", 299), c);
    assert_int_equal(cache.count, 1);
    ga__dns_entry_release(a);
    ga__dns_entry_release(b);
    ga__dns_entry_release(c);
    ga__dns_cache_clear(&cache);
}

/* --- tasks that share a question ------------------------------------------------------------------- */

enum { SHARERS = 100 };

static int resolve_four(void *arg)
{
    return resolve_within("four.test", 30, arg);
}

static int share(void *arg)
{
    outcome *results = arg;
    ga_group group;
    int code = configure((ga__dns_options){0});

    if (code < 0)
        return code;
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < SHARERS; i++)
        ga_spawn(&group, resolve_four, &results[i]);
    code = ga_gather(&group);
    ga_group_close(&group);
    return code;
}

static void a_name_is_asked_for_once_by_many(void **state)
{
    static outcome results[SHARERS];

    (void)state;
    server.asked = 0;
    assert_int_equal(ga_run(share, results), 0);
    assert_int_equal(server.asked, 2);
    for (int i = 0; i < SHARERS; i++)
        assert_string_equal(results[i].text, "192.0.2.4:80");
}

static int cancel_the_first(void *arg)
{
    outcome *results = arg;
    ga_group group;
    ga_task *first;
    int code = configure((ga__dns_options){0});

    if (code < 0)
        return code;
    ga_group_open(&group, GA_COLLECT);
    first = ga_spawn(&group, resolve_four, &results[0]);
    ga_spawn(&group, resolve_four, &results[1]);
    (void)ga_yield();
    ga_task_cancel(first);
    (void)ga_gather(&group);
    (void)ga_task_error(first);
    ga_group_close(&group);
    return 0;
}

static void a_cancelled_waiter_leaves_the_others_their_answer(void **state)
{
    outcome results[2];

    (void)state;
    server.asked = 0;
    server.delay_ms = 50;
    assert_int_equal(ga_run(cancel_the_first, results), 0);
    server.delay_ms = 0;
    assert_int_equal(results[0].code, GA_ECANCELED);
    assert_string_equal(results[1].text, "192.0.2.4:80");
    assert_int_equal(server.asked, 2);
}

static int give_up_and_ask_again(void *arg)
{
    outcome *results = arg;
    int code = configure((ga__dns_options){0});

    if (code < 0)
        return code;
    resolve_within("four.test", 0.02, &results[0]);
    resolve_within("four.test", 30, &results[1]);
    return 0;
}

static void a_deadline_ends_the_wait_and_not_the_question(void **state)
{
    outcome results[2];

    (void)state;
    server.asked = 0;
    server.delay_ms = 100;
    assert_int_equal(ga_run(give_up_and_ask_again, results), 0);
    server.delay_ms = 0;
    assert_int_equal(results[0].code, GA_ETIMEDOUT);
    assert_string_equal(results[1].text, "192.0.2.4:80");
    assert_int_equal(server.asked, 2);
}

enum { NAMES = 100 };

static int resolve_silent(void *arg)
{
    const int *number = arg;
    char name[40];
    outcome result;

    snprintf(name, sizeof name, "silent-%d.test", *number);
    return resolve_within(name, 0.3, &result) == GA_ETIMEDOUT ? 0 : ga__fail(GA_EUSAGE, "%s", result.text);
}

static int resolve_many_silent(void *arg)
{
    int *numbers = arg;
    ga_group group;
    int code = configure((ga__dns_options){0});

    if (code < 0)
        return code;
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < NAMES; i++) {
        numbers[i] = i;
        ga_spawn(&group, resolve_silent, &numbers[i]);
    }
    code = ga_gather(&group);
    ga_group_close(&group);
    return code;
}

static void questions_at_once_are_bounded(void **state)
{
    int numbers[NAMES];

    (void)state;
    server.asked = 0;
    assert_int_equal(ga_run(resolve_many_silent, numbers), 0);
    assert_int_equal(server.asked, 128); /* 64 names, and none of those in line behind them */
}

static int missing(int number)
{
    char name[40];
    outcome result;

    snprintf(name, sizeof name, "missing-%d.test", number);
    resolve_within(name, 30, &result);
    return result.dns_error == ARES_ENOTFOUND ? 0 : ga__fail(GA_EUSAGE, "%s", result.text);
}
GA_TASK(int, missing, int);

static int resolve_many_missing(void *arg)
{
    (void)arg;
    int code = configure((ga__dns_options){0});
    ga_group group;

    if (code < 0)
        return code;
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 3 * NAMES; i++)
        missing_start(&group, i);
    code = ga_gather(&group);
    ga_group_close(&group);
    return code;
}

static void those_in_line_get_their_turn(void **state)
{
    (void)state;
    server.asked = 0;
    assert_int_equal(ga_run(resolve_many_missing, NULL), 0);
    assert_int_equal(server.asked, 6 * NAMES);
}

static int leave_the_question_open(void *arg)
{
    int code = configure((ga__dns_options){0});

    return code < 0 ? code : (resolve_within("silent.test", 0.02, arg), 0);
}

static void a_loop_may_end_with_a_question_open(void **state)
{
    int before = check_open_descriptors();
    outcome result;

    (void)state;
    assert_int_equal(ga_run(leave_the_question_open, &result), 0);
    assert_int_equal(result.code, GA_ETIMEDOUT);
    assert_int_equal(check_open_descriptors(), before);
}

static int run_out_of_descriptors(void *arg)
{
    outcome *results = arg;
    struct rlimit before, none;
    int code = configure((ga__dns_options){0});
    int lowest = dup(STDERR_FILENO);

    if (code < 0 || lowest < 0)
        return GA_ESYSTEM;
    close(lowest);
    getrlimit(RLIMIT_NOFILE, &before);
    none = (struct rlimit){.rlim_cur = (rlim_t)lowest, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    resolve_within("four.test", 10, &results[0]);
    setrlimit(RLIMIT_NOFILE, &before);
    resolve_within("four.test", 10, &results[1]);
    return 0;
}

static void no_descriptors_is_no_failure_of_the_name(void **state)
{
    outcome results[2];

    (void)state;
    assert_int_equal(ga_run(run_out_of_descriptors, results), 0);
    assert_int_equal(results[0].code, GA_EFDS);
    assert_string_equal(results[1].text, "192.0.2.4:80");
}

static void outside_a_loop_is_an_error(void **state)
{
    ga__resolved *resolved;

    (void)state;
    assert_int_equal(ga__dns_resolve("four.test", 80, GA__NEVER, &resolved), GA_ENOTASK);
    assert_null(resolved);
}

/* --- overrides ------------------------------------------------------------------------------------ */

static int override_names(void *arg)
{
    outcome *results = arg;
    ga__address addresses[2];

    ga__address_ip(&addresses[0], "10.1.2.3", 7);
    ga__address_ip(&addresses[1], "::3", 0);
    int code = ga__dns_override(ga__loop_here, "API.example", addresses, 2);

    if (code == 0)
        code = ga__dns_override(ga__loop_here, "gone.example", NULL, 0);
    resolve_within("api.EXAMPLE", 1, &results[0]);
    resolve_within("gone.example", 1, &results[1]);
    resolve_within("other.example", 1, &results[2]);
    if (code == 0)
        code = ga__dns_override(ga__loop_here, "api.example.", &addresses[1], 1);
    resolve_within("api.example", 1, &results[3]);
    resolve_within("localhost", 1, &results[4]);
    return code;
}

static void a_simulated_loop_knows_the_overrides_alone(void **state)
{
    outcome results[5];

    (void)state;
    assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, 1, override_names, results), 0);
    assert_string_equal(results[0].text, "10.1.2.3:80 [::3]:80");
    assert_int_equal(results[1].dns_error, ARES_ENOTFOUND);
    assert_int_equal(results[2].dns_error, ARES_ENOTFOUND);
    assert_string_equal(results[3].text, "[::3]:80");
    assert_string_equal(results[4].text, "127.0.0.1:80 [::1]:80");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_and_localhost_ask_nobody),
        cmocka_unit_test(bad_names_are_refused),
        cmocka_unit_test(the_hosts_file_goes_before_the_server),
        cmocka_unit_test(a_changed_hosts_file_is_read_again),
        cmocka_unit_test(both_families_are_asked_for),
        cmocka_unit_test(aliases_are_followed),
        cmocka_unit_test(a_truncated_answer_is_fetched_over_tcp),
        cmocka_unit_test(answers_to_other_questions_are_not_believed),
        cmocka_unit_test(each_failure_has_its_code_and_says_what_to_do),
        cmocka_unit_test(random_answers_end_in_one_way_or_another),
        cmocka_unit_test(a_server_that_ignores_ipv6_costs_a_moment),
        cmocka_unit_test(answers_are_kept),
        cmocka_unit_test(entries_expire_and_the_least_used_go),
        cmocka_unit_test(a_name_is_asked_for_once_by_many),
        cmocka_unit_test(a_cancelled_waiter_leaves_the_others_their_answer),
        cmocka_unit_test(a_deadline_ends_the_wait_and_not_the_question),
        cmocka_unit_test(questions_at_once_are_bounded),
        cmocka_unit_test(those_in_line_get_their_turn),
        cmocka_unit_test(a_loop_may_end_with_a_question_open),
        cmocka_unit_test(no_descriptors_is_no_failure_of_the_name),
        cmocka_unit_test(outside_a_loop_is_an_error),
        cmocka_unit_test(a_simulated_loop_knows_the_overrides_alone),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
