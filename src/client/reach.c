/* SPDX-License-Identifier: MIT */
/*
 * The session's own ways to hosts: .resolve, .connect_to, .local_address, .interface and the options of
 * sockets. They are judged when the session is made, so that a mistake shows at once. Called by sessions and
 * by client/open.c.
 */
#include "client/reach.h"

#include "base/ascii.h"
#include "base/number.h"
#include <limits.h>
#include <math.h>
#include <net/if.h>
#include <stdlib.h>

enum { MOST_ADDRESSES = 64 };

/* A name with addresses of its own. */
typedef struct override {
    char *host;
    uint16_t port; /* 0: any */
    size_t count;
    ga__address addresses[];
} override;

/* A host that stands for another: "HOST1:PORT1:HOST2:PORT2". */
typedef struct detour {
    char *from;                  /* NULL: any */
    char *to;                    /* NULL: as it is */
    uint16_t from_port, to_port; /* 0: the same */
} detour;

struct ga__reach {
    ga__connect_options connect;
    ga__address local;
    char interface[IF_NAMESIZE];
    override **overrides;
    size_t override_count;
    detour *detours;
    size_t detour_count;
};

static int no_memory(void)
{
    return ga__fail(GA_ENOMEM, "no memory for a session");
}

static bool read_port(ga__slice text, uint16_t *port)
{
    uint64_t number;

    if (!ga__parse_decimal(text.data, text.size, &number) || number == 0 || number > UINT16_MAX)
        return false;
    *port = (uint16_t)number;
    return true;
}

/* Takes a host, up to a colon or of an address in brackets without them; then the colon, if there is one.
 * False where brackets do not close, or something else than a colon follows. */
static bool take_host(ga__slice *text, ga__slice *host, bool *colon)
{
    const char *end;

    if (text->size > 0 && *text->data == '[') {
        end = memchr(text->data, ']', text->size);
        if (!end)
            return false;
        *host = (ga__slice){text->data + 1, (size_t)(end - text->data) - 1};
        ga__slice_take(text, host->size + 2);
    } else {
        end = memchr(text->data, ':', text->size);
        *host = ga__slice_take(text, end ? (size_t)(end - text->data) : text->size);
    }
    if (ga__ascii_has_control(*host) || (text->size > 0 && *text->data != ':'))
        return false;
    *colon = text->size > 0;
    ga__slice_take(text, *colon);
    return true;
}

static char *lower_copy(ga__slice text)
{
    char *copy = strndup(text.data, text.size);

    for (char *at = copy; at && *at; at++)
        *at = ga__ascii_lower(*at);
    return copy;
}

/* --- resolve -------------------------------------------------------------------------------------- */

/* Reads "192.0.2.1, 2001:db8::1". @return how many; 0 where one is no address */
static size_t read_addresses(const char *text, ga__address *addresses)
{
    size_t count = 0;

    for (;;) {
        char one[GA__ADDRESS_TEXT];

        text += strspn(text, " ");
        size_t size = strcspn(text, ", ");

        if (size == 0 || size >= sizeof one || count == MOST_ADDRESSES)
            return 0;
        memcpy(one, text, size);
        one[size] = '\0';
        if (!ga__address_ip(&addresses[count++], one, 0))
            return 0;
        text += size;
        text += strspn(text, " ");
        if (!*text)
            return count;
        if (*text++ != ',')
            return 0;
    }
}

static int add_override(ga__reach *reach, const ga_pair *pair)
{
    ga__slice rest = ga__slice_of(pair->name), host;
    bool colon;
    override *made = calloc(1, sizeof *made + MOST_ADDRESSES * sizeof *made->addresses);

    if (!made)
        return no_memory();
    reach->overrides[reach->override_count++] = made;
    made->count = read_addresses(pair->value ? pair->value : "", made->addresses);
    if (made->count == 0)
        return ga__fail(GA_EUSAGE,
                        "resolve, \"%.100s\": its addresses, \"%.100s\", are no list of IP addresses",
                        pair->name, pair->value ? pair->value : "");
    if (!take_host(&rest, &host, &colon) || host.size == 0 || (colon && !read_port(rest, &made->port)))
        return ga__fail(GA_EUSAGE, "resolve, \"%.100s\": \"host\" or \"host:port\" is expected", pair->name);
    made->host = lower_copy(host);
    return made->host ? 0 : no_memory();
}

static int set_overrides(ga__reach *reach, const ga_pair *pairs)
{
    size_t count = 0;
    int code = 0;

    while (pairs && pairs[count].name)
        count++;
    if (count == 0)
        return 0;
    reach->overrides = calloc(count, sizeof *reach->overrides);
    if (!reach->overrides)
        return no_memory();
    for (size_t i = 0; i < count && code == 0; i++)
        code = add_override(reach, &pairs[i]);
    return code;
}

int ga__reach_resolve(const ga__reach *reach, ga__endpoint endpoint, ga__resolved **resolved)
{
    *resolved = NULL;
    for (size_t i = 0; i < reach->override_count; i++) {
        const override *one = reach->overrides[i];

        if (strcmp(one->host, endpoint.host) != 0 || (one->port && one->port != endpoint.port))
            continue;
        *resolved = malloc(sizeof **resolved + one->count * sizeof *one->addresses);
        if (!*resolved)
            return ga__fail(GA_ENOMEM, "no memory for addresses");
        (*resolved)->count = one->count;
        memcpy((*resolved)->addresses, one->addresses, one->count * sizeof *one->addresses);
        for (size_t n = 0; n < one->count; n++)
            ga__address_set_port(&(*resolved)->addresses[n], endpoint.port);
        return 0;
    }
    return 0;
}

/* --- connect_to ----------------------------------------------------------------------------------- */

/* Takes "HOST:PORT", either of them empty. */
static bool take_endpoint(ga__slice *text, bool last, char **host, uint16_t *port, bool *failed)
{
    ga__slice name, number;
    bool before;

    if (!take_host(text, &name, &before) || !before)
        return false;
    const char *behind = memchr(text->data, ':', text->size);

    if (!last != (behind != NULL))
        return false;
    number = ga__slice_take(text, behind ? (size_t)(behind - text->data) : text->size);
    ga__slice_take(text, text->size > 0);
    *host = name.size > 0 ? lower_copy(name) : NULL;
    *failed |= name.size > 0 && !*host;
    return number.size == 0 || read_port(number, port);
}

static int add_detour(ga__reach *reach, const char *given)
{
    detour *made = &reach->detours[reach->detour_count++];
    ga__slice rest = ga__slice_of(given);
    bool failed = false;

    if (!take_endpoint(&rest, false, &made->from, &made->from_port, &failed) ||
        !take_endpoint(&rest, true, &made->to, &made->to_port, &failed))
        return ga__fail(GA_EUSAGE, "connect_to, \"%.100s\": \"HOST1:PORT1:HOST2:PORT2\" is expected", given);
    return failed ? no_memory() : 0;
}

static int set_detours(ga__reach *reach, const char *const *given)
{
    size_t count = 0;
    int code = 0;

    while (given && given[count])
        count++;
    if (count == 0)
        return 0;
    reach->detours = calloc(count, sizeof *reach->detours);
    if (!reach->detours)
        return no_memory();
    for (size_t i = 0; i < count && code == 0; i++)
        code = add_detour(reach, given[i]);
    return code;
}

ga__endpoint ga__reach_redirect(const ga__reach *reach, ga__endpoint endpoint)
{
    for (size_t i = 0; i < reach->detour_count; i++) {
        const detour *one = &reach->detours[i];

        if ((one->from && strcmp(one->from, endpoint.host) != 0) ||
            (one->from_port && one->from_port != endpoint.port))
            continue;
        return (ga__endpoint){one->to ? one->to : endpoint.host, one->to_port ? one->to_port : endpoint.port};
    }
    return endpoint;
}

/* --- sockets -------------------------------------------------------------------------------------- */

/* It may not be there yet. */
static bool is_interface(const char *name)
{
    size_t size = strlen(name);

    return size > 0 && size < IF_NAMESIZE && strcspn(name, "/: \t\r\n") == size;
}

static int set_sockets(ga__reach *reach, const ga_session_options *options)
{
    double keepalive = options->tcp_keepalive;

    if (options->local_address && !ga__address_ip(&reach->local, options->local_address, 0))
        return ga__fail(GA_EUSAGE, "local_address: \"%.100s\" is no IP address", options->local_address);
    if (!(keepalive >= 0) || keepalive > INT_MAX / 2)
        return ga__fail(GA_EUSAGE, "tcp_keepalive is %g: seconds are expected, 0 for none", keepalive);
    if (options->interface && !is_interface(options->interface))
        return ga__fail(GA_EUSAGE,
                        "interface: \"%.100s\" is no name of a network interface, which is \"eth0\" for one",
                        options->interface);
    if (options->interface)
        memcpy(reach->interface, options->interface, strlen(options->interface));
    reach->connect = (ga__connect_options){
        .interface = options->interface ? reach->interface : NULL,
        .local = options->local_address ? &reach->local : NULL,
        .nagle = options->tcp_nodelay < 0,
        .keepalive = (int)ceil(keepalive),
    };
    return 0;
}

const ga__connect_options *ga__reach_connect_options(const ga__reach *reach)
{
    return &reach->connect;
}

int ga__reach_new(ga__reach **reach, const ga_session_options *options)
{
    *reach = NULL;
    if (!options->resolve && !options->connect_to && !options->local_address && options->tcp_nodelay == 0 &&
        options->tcp_keepalive == 0 && !options->interface)
        return 0;
    ga__reach *made = calloc(1, sizeof *made);

    if (!made)
        return no_memory();
    int code = set_sockets(made, options);

    if (code == 0)
        code = set_overrides(made, options->resolve);
    if (code == 0)
        code = set_detours(made, options->connect_to);
    if (code == 0)
        *reach = made;
    else
        ga__reach_free(made);
    return code;
}

void ga__reach_free(ga__reach *reach)
{
    if (!reach)
        return;
    for (size_t i = 0; i < reach->override_count; i++) {
        free(reach->overrides[i]->host);
        free(reach->overrides[i]);
    }
    for (size_t i = 0; i < reach->detour_count; i++) {
        free(reach->detours[i].from);
        free(reach->detours[i].to);
    }
    free(reach->overrides);
    free(reach->detours);
    free(reach);
}
