/* SPDX-License-Identifier: MIT */
/*
 * The whole client on the simulated loop, with a server that says what the input says (fuzz_peer.h). Up to
 * its first line feed the input is the plan, six bits a byte ('@' is 0, 'A' 1, what is missing 0):
 *
 *     network and session   see setting
 *     who asks              see guise
 *     the way to the server see way and extra
 *     calls                 1 to 4
 *     for each call         how it is read (see manner), what it asks for (see asking), and its patience:
 *                           n * n * 10 ms until it is cancelled, 0: none
 *
 * Whatever the server does: each call ends, within the total timeout, with a response or a failure that the
 * server or the caller can have brought about; a connection on which the protocol was broken serves no other
 * call; and in the end no task, timer, descriptor, byte or place in the pool is left.
 */
#include "fuzz_peer.h"

#include "sim/sim.h"
#include <gather.h>
#include <jansson.h>
#include <math.h>

enum { CALLS = 4, MAX_BODY = 2000, EVENTS = 5, LINES = 20 };

static const double TOTAL = 20, SLACK = 0.05;

enum setting {
    OVER_HTTP2 = 1, /* by prior knowledge */
    AT_ONCE = 2,    /* the calls are made at the same time */
    ROOMY = 4,      /* up to 8 connections, and not one */
    FAULTY = 8,     /* the network has faults, the plan their seed */
    RAISES = 16,    /* raise_for_status */
    SMALL_BODIES = 32
};

enum guise {
    RETRIES = 1,
    AS_USER = 2, /* answers Digest challenges */
    NO_COOKIES = 4,
    OBEYS = 8, /* rate limits, with a rate and a limit that adapts */
    UPGRADES = 16,
    AS_SENT = 32 /* redirects and codings are left as they are */
};

enum way { DIRECT, FORWARDED, SOCKS5, SOCKS5H, HTTPS, TUNNELLED, NARROW, PINGED, WAYS };

/* Of the byte that says the way, above it. */
enum extra {
    RESUMES = 8, /* bodies that break off are gone on with */
    REFERS = 16, /* and neither leaves https nor takes JSON for what does not say so */
    FEW_LINES = 32
};

enum manner { TEXT, JSON, BODY, PIECES, A_PIECE, LINEWISE, EVENTWISE, UNREAD, HEAD_ONLY, SOURCE, MANNERS };

enum asking {
    OF_OTHER = 1, /* another host, which is the same peer's */
    POSTS = 2,
    POSTS_FORM_OF = 4, /* a function gives the body */
    EXPECTS = 8,
    COMPRESSES = 16,
    PAUSES = 32 /* before it is made, and between reads */
};

typedef struct plan {
    unsigned setting, guise, way, extra, calls;
    struct {
        unsigned manner, asking, patience;
    } call[CALLS];
} plan;

typedef struct world {
    plan plan;
    fuzz_peer peer;
    const uint8_t *script;
    size_t script_size;
    ga_session *session;
    char proxy[64], everybody[64];
    int ended;
} world;

typedef struct caller {
    world *world;
    unsigned number;
    double slept, given;
    size_t body_left;
} caller;

static bool has(const world *world, enum setting setting)
{
    return (world->plan.setting & setting) != 0;
}

/* --- what a call may end with ------------------------------------------------------------------------ */

/* Whether the server, the network or the plan can be why. */
static bool is_possible(const caller *self, const ga_error_detail *error)
{
    const plan *plan = &self->world->plan;

    switch (error->code) {
    case GA_ECANCELED:
        return plan->call[self->number].patience > 0;
    case GA_ETIMEDOUT:
        return error->timeout != NULL;
    case GA_ETLS:
    case GA_EREFUSED:
    case GA_ECONNECT:
    case GA_EDISCONNECTED:
    case GA_ERESET:
    case GA_EPROTOCOL:
    case GA_EHEADTOOBIG:
    case GA_ETRUNCATED:
    case GA_ETOOLARGE:
    case GA_EREDIRECT:
    case GA_EDECODE:
    case GA_ENOTREPLAYABLE:
        return true;
    case GA_ESTATUS:
    case GA_ECONTENTTYPE:
        return has(self->world, RAISES) || (plan->extra & REFERS) ||
               plan->call[self->number].manner == SOURCE;
    case GA_EPROXY:
        return plan->way == FORWARDED || plan->way == SOCKS5 || plan->way == SOCKS5H ||
               plan->way == TUNNELLED;
    case GA_EJSON:
        return plan->call[self->number].manner == JSON;
    case GA_ERATELIMITED:
        return error->retry_after > 0 && (plan->guise & (OBEYS | RETRIES));
    default:
        return false;
    }
}

/* Whether the connection cannot be whole after this. */
static bool is_fatal(int code)
{
    return code == GA_EDISCONNECTED || code == GA_ERESET || code == GA_EPROTOCOL || code == GA_EHEADTOOBIG ||
           code == GA_ETRUNCATED;
}

static void judge_failure(const caller *self)
{
    const ga_error_detail *error = ga_error();
    bool complete = strlen(error->message) > 0 && error->attempt >= 0 &&
                    (error->code == GA_ECANCELED || (error->url && strncmp(error->url, "http", 4) == 0));

    if (!complete || !is_possible(self, error))
        fprintf(stderr, "%s, %s: %s\n", ga_code_name(error->code), error->url ? error->url : "no URL",
                error->message);
    REQUIRE(complete && is_possible(self, error));
}

/* There is one connection at most, and whoever called has just let it go. A failure to go on with a body is
 * that of the connection before. */
static void judge_connection(const caller *self, int code)
{
    ga_pool_stats stats;

    if ((self->world->plan.setting & (OVER_HTTP2 | AT_ONCE | ROOMY)) || (self->world->plan.extra & RESUMES) ||
        !is_fatal(code))
        return;
    ga_session_pool(self->world->session, &stats);
    REQUIRE(stats.idle == 0 && stats.in_use == 0);
}

/* --- reading ------------------------------------------------------------------------------------------ */

static void pause_for(caller *self, double seconds)
{
    double start = ga_now();

    if (self->world->plan.call[self->number].asking & PAUSES)
        ga_sleep(seconds);
    self->slept += ga_now() - start;
}

/* Reads all that can be asked of a head; returns how much that is. */
static size_t look(const ga_response *response)
{
    size_t sum = strlen(ga_url(response)) + strlen(ga_reason(response)) + strlen(ga_http_version(response));
    ga_timings timings;
    const char *url;
    ga_pair header;
    int status;

    REQUIRE(ga_status(response) >= 200 && ga_status(response) <= 999);
    for (size_t i = 0; ga_header_at(response, i, &header); i++)
        sum += strlen(header.name) + strlen(header.value);
    for (size_t i = 0; ga_redirect_at(response, i, &url, &status); i++)
        sum += strlen(url) + (size_t)status;
    ga_response_timings(response, &timings);
    REQUIRE(timings.total >= 0 && timings.total < INFINITY);
    char *next = ga_link(response, "next");

    sum += next ? strlen(next) : 0;
    free(next);
    return sum;
}

static int read_whole(caller *self, ga_response *response, enum manner manner)
{
    int64_t most = has(self->world, SMALL_BODIES) ? MAX_BODY : INT64_MAX;
    size_t size = 0;

    if (manner == JSON) {
        json_t *json = ga_json(response);

        json_decref(json);
        return json ? 0 : ga_error()->code;
    }
    if (manner == BODY) {
        const char *body = ga_body(response, &size);

        REQUIRE(!body || ((int64_t)size <= most && body[size] == '\0'));
        return body ? 0 : ga_error()->code;
    }
    char *text = ga_text(response);
    int code = text ? 0 : ga_error()->code;

    REQUIRE(!text || (int64_t)strlen(text) / 3 <= most);
    free(text);
    return code;
}

static int read_in_pieces(caller *self, ga_response *response, bool to_the_end)
{
    char piece[97];
    ssize_t count;

    do {
        pause_for(self, 0.1);
        count = ga_read(response, piece, sizeof piece);
        REQUIRE(count <= (ssize_t)sizeof piece);
    } while (count > 0 && to_the_end);
    return count < 0 ? (int)count : 0;
}

static int read_lines(caller *self, ga_response *response)
{
    const char *line;
    size_t size;
    int code = 1;

    for (int i = 0; i < LINES && code > 0; i++) {
        pause_for(self, 0.1);
        code = ga_read_line(response, &line, &size);
        REQUIRE(code <= 0 || (line[size] == '\0' && !memchr(line, '\n', size)));
    }
    return code < 0 ? code : 0;
}

static void look_at_event(const ga_event_message *message)
{
    REQUIRE(message->data[message->data_size] == '\0');
    REQUIRE(strlen(message->type) > 0 && strlen(message->id) < (1 << 20));
    REQUIRE(message->retry < INFINITY);
}

static int read_events(caller *self, ga_response *response)
{
    ga_event_message message;
    int code = 1;

    for (int i = 0; i < EVENTS && code > 0; i++) {
        pause_for(self, 0.1);
        code = ga_read_event(response, &message);
        if (code > 0)
            look_at_event(&message);
    }
    return code < 0 ? code : 0;
}

static int read_response(caller *self, ga_response *response, enum manner manner)
{
    switch (manner) {
    case TEXT:
    case JSON:
    case BODY:
        return read_whole(self, response, manner);
    case PIECES:
    case A_PIECE:
        return read_in_pieces(self, response, manner == PIECES);
    case LINEWISE:
        return read_lines(self, response);
    case EVENTWISE:
        return read_events(self, response);
    default:
        return 0;
    }
}

/* --- calling ------------------------------------------------------------------------------------------ */

static ssize_t give_body(void *arg, void *buffer, size_t size)
{
    caller *self = arg;

    pause_for(self, 0.02); /* whatever comes of it */
    size_t most = size < 100 ? size : 100, count = self->body_left < most ? self->body_left : most;

    memset(buffer, 'b', count);
    self->body_left -= count;
    return (ssize_t)count;
}

static int give_again(void *arg)
{
    caller *self = arg;

    self->body_left = 300;
    return 0;
}

static const char *url_of(const caller *self)
{
    unsigned asking = self->world->plan.call[self->number].asking;

    if (self->world->plan.way == HTTPS || self->world->plan.way == TUNNELLED)
        return asking & OF_OTHER ? "https://b.example/" : "https://a.example/x";
    return asking & OF_OTHER ? "http://b.example/?q=1" : "http://a.example/x/y";
}

/* Nobody's error is another one afterwards. */
static void free_response(ga_response *response)
{
    char *before = strdup(ga_error_message());
    int code = ga_error()->code;

    REQUIRE(before);
    ga_response_free(response);
    REQUIRE(ga_error()->code == code && strcmp(ga_error_message(), before) == 0);
    free(before);
}

/* @return 0 or the failure's code */
static int call(caller *self)
{
    unsigned asking = self->world->plan.call[self->number].asking;
    enum manner manner = self->world->plan.call[self->number].manner;
    ga_body_source source = {.read = give_body, .rewind = give_again, .arg = self, .size = -1};
    bool posts = asking & POSTS, given = posts && (asking & POSTS_FORM_OF);
    double start = ga_now();

    self->body_left = 300;
    pause_for(self, 1);
    ga_response *response =
        ga_request(self->world->session,
                   manner == HEAD_ONLY ? "HEAD"
                   : posts             ? "POST"
                                       : "GET",
                   url_of(self), .text = posts && !given ? "some text, some text" : NULL,
                   .body_source = given ? &source : NULL, .expect_continue = (asking & EXPECTS) != 0,
                   .compress = !given && (asking & COMPRESSES) ? "gzip" : NULL, .cost = 100);
    int code = response ? 0 : ga_error()->code;

    if (response) {
        REQUIRE(look(response) > 0);
        code = read_response(self, response, manner);
        look(response);
    }
    if (code < 0)
        judge_failure(self);
    free_response(response);
    judge_connection(self, code);
    REQUIRE(ga_now() - start - self->slept <= TOTAL + SLACK);
    return code;
}

/* A stream of events that is opened again and again. */
static int follow_events(caller *self)
{
    ga_event_source *source = ga_event_source_new(self->world->session, url_of(self));
    ga_event_message message;
    ga_scope scope;
    int code = 1;

    REQUIRE(source);
    ga_scope_open(&scope, 100);
    for (int i = 0; i < EVENTS && code > 0; i++) {
        pause_for(self, 1);
        code = ga_event_source_next(source, &message);
        if (code > 0)
            look_at_event(&message);
    }
    if (code < 0 && !ga_scope_cancelled(&scope))
        judge_failure(self);
    ga_event_source_free(source);
    ga_scope_close(&scope);
    return code;
}

static int make_call(void *arg)
{
    caller *self = arg;
    unsigned patience = self->world->plan.call[self->number].patience;
    ga_scope scope;

    ga_scope_open(&scope, patience ? 0.01 * patience * patience : GA_FOREVER);
    if (self->world->plan.call[self->number].manner == SOURCE)
        follow_events(self);
    else
        call(self);
    ga_scope_close(&scope);
    self->world->ended++;
    return 0;
}

static void make_calls(world *world)
{
    caller callers[CALLS];
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    for (unsigned i = 0; i < world->plan.calls; i++) {
        callers[i] = (caller){.world = world, .number = i};
        REQUIRE(ga_spawn(&group, make_call, &callers[i]));
        if (!has(world, AT_ONCE))
            ga_gather(&group);
    }
    ga_gather(&group);
    ga_group_close(&group);
}

/* --- a run --------------------------------------------------------------------------------------------- */

static ga_session *new_session(world *world)
{
    static const char *const proxies[WAYS] = {[FORWARDED] = "http://user:pw@127.0.0.1:%u",
                                              [SOCKS5] = "socks5://127.0.0.1:%u",
                                              [SOCKS5H] = "socks5h://user:pw@127.0.0.1:%u",
                                              [TUNNELLED] = "http://127.0.0.1:%u"};
    unsigned port = ga__address_port(&world->peer.listener.address), guise = world->plan.guise;
    const char *proxy = proxies[world->plan.way];

    snprintf(world->proxy, sizeof world->proxy, proxy ? proxy : "%u", port);
    snprintf(world->everybody, sizeof world->everybody, "::127.0.0.1:%u", port);
    return ga_session_new(.base_url = "http://a.example/", .limit = has(world, ROOMY) ? 8 : 1, .keepalive = 5,
                          .total_timeout = TOTAL, .http = has(world, OVER_HTTP2) ? 2 : 0,
                          .connect_to = (const char *const[]){world->everybody, NULL},
                          .proxy = proxy ? world->proxy : NULL, .insecure = 1,
                          .raise_for_status = has(world, RAISES),
                          .max_body = has(world, SMALL_BODIES) ? MAX_BODY : 0,
                          .no_cookies = (guise & NO_COOKIES) != 0, .retries = guise & RETRIES ? 2 : 0,
                          .retry_cap = 3, .idempotency_keys = (guise & RETRIES) != 0,
                          .user = guise & AS_USER ? "user" : NULL,
                          .password = guise & AS_USER ? "password" : NULL, .digest = (guise & AS_USER) != 0,
                          .hsts = (guise & UPGRADES) != 0, .rate = guise & OBEYS ? 100 : 0,
                          .limit_requests = guise & OBEYS ? 2 : 0,
                          .tokens_per_host = guise & OBEYS ? 1000 : 0, .adaptive_limit = (guise & OBEYS) != 0,
                          .obey_rate_limits = (guise & OBEYS) != 0, .max_redirects = guise & AS_SENT ? -1 : 4,
                          .no_decompress = (guise & AS_SENT) != 0, .metrics = (guise & AS_SENT) != 0,
                          .max_head = 4096, .http2_ping = world->plan.way == PINGED ? 2 : 0,
                          .http2_window = world->plan.way == NARROW ? 65535 : 0,
                          .resume = world->plan.extra & RESUMES ? 2 : 0,
                          .referer = (world->plan.extra & REFERS) != 0,
                          .no_downgrade = (world->plan.extra & REFERS) != 0,
                          .check_content_type = (world->plan.extra & REFERS) != 0,
                          .max_fields = world->plan.extra & FEW_LINES ? 3 : 0,
                          .max_interim = world->plan.extra & FEW_LINES ? 1 : 0);
}

static void judge_end(world *world)
{
    char *metrics = world->plan.guise & AS_SENT ? ga_session_prometheus(world->session) : NULL;
    ga_pool_stats stats;
    ga_pace_state pace;

    ga_session_pool(world->session, &stats);
    REQUIRE(world->ended == (int)world->plan.calls);
    REQUIRE(stats.in_use == 0 && stats.waiting == 0);
    ga_pace_status(ga_session_pace(world->session), &pace);
    REQUIRE(pace.waiting == 0 && pace.retrying == 0 && pace.under_way == 0);
    REQUIRE(stats.idle <= (has(world, ROOMY) ? 8 : 1));
    REQUIRE(!metrics || strlen(metrics) > 0);
    free(metrics);
}

static int scenario(void *arg)
{
    world *world = arg;
    ga_group peers;

    ga_group_open(&peers, GA_COLLECT | GA_DISCARD);
    fuzz_peer_start(&world->peer, &peers, world->script, world->script_size, has(world, OVER_HTTP2));
    world->session = new_session(world);
    REQUIRE(world->session);
    make_calls(world);
    judge_end(world);
    ga_session_free(world->session);
    ga_group_close(&peers);
    ga__listener_close(&world->peer.listener);
    REQUIRE(ga__loop_here->task_count == 1 && ga__loop_here->timers.count == 0);
    REQUIRE(ga__list_empty(&ga__loop_here->deferred));
    return 0;
}

static unsigned next(const uint8_t **at, const uint8_t *end)
{
    return *at < end ? *(*at)++ & 63U : 0;
}

/* Reads the plan. @return the seed of the network's faults */
static uint64_t read_plan(plan *plan, const uint8_t *at, const uint8_t *end)
{
    uint64_t seed = 1;

    for (const uint8_t *byte = at; byte < end; byte++)
        seed = seed * 31 + *byte;
    plan->setting = next(&at, end);
    plan->guise = next(&at, end);
    plan->extra = next(&at, end);
    plan->way = plan->extra % WAYS;
    plan->calls = 1 + next(&at, end) % CALLS;
    for (unsigned i = 0; i < CALLS; i++) {
        plan->call[i].manner = next(&at, end) % MANNERS;
        plan->call[i].asking = next(&at, end);
        plan->call[i].patience = next(&at, end);
    }
    return seed;
}

static void ignore(const char *task, const char *where, const ga_error_detail *error)
{
    (void)task, (void)where, (void)error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ga_run_options quiet = {.block_warning = -1};
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    ga__sim_counters counters = {0};
    world world = {0};

    if (!end)
        return 0;
    uint64_t seed = read_plan(&world.plan, data, end);
    ga__sim_options network = has(&world, FAULTY) ? ga__sim_chaos(seed) : (ga__sim_options){.seed = seed};

    network.counters = &counters;
    world.script = end + 1;
    world.script_size = size - (size_t)(end + 1 - data);
    ga_on_unread_error(ignore);
    REQUIRE(ga__run_on(ga__sim_new(&network), &quiet, has(&world, FAULTY) ? seed : 0, scenario, &world) == 0);
    REQUIRE(counters.open == 0 && counters.in_flight == 0);
    return 0;
}
