/* SPDX-License-Identifier: MIT */
/*
 * Sessions: options with their defaults, and the end. A session lives until its user freed it and no call and
 * no response holds a connection of it; after the user's ga_session_free no new call begins.
 */
#include "client/session.h"

#include "base/ascii.h"
#include "client/auth.h"
#include "client/compression.h"
#include "client/cookie_jar.h"
#include "client/har.h"
#include "client/hsts.h"
#include "client/observe.h"
#include "protocol/coding.h"
#include "protocol/http1_writer.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_LIMIT = 100,
    DEFAULT_KEEPALIVE = 15,
    DEFAULT_REDIRECTS = 10,
    DEFAULT_MAX_BODY = 64 << 20,
    DEFAULT_MAX_HEAD = 64 << 10,
    MOST_MAX_TRAILERS = 1 << 30,
    DEFAULT_MAX_LINE = 1 << 20,
    MOST_MAX_HEAD =
        GA__LENT_SIZE - (64 << 10), /* a head must fit into the loop's buffer, with something behind it */
    DEFAULT_HTTP2_WINDOW = 1 << 20,
    LEAST_HTTP2_WINDOW = 16 << 10,
    MOST_HTTP2_WINDOW = 1 << 30,
    DEFAULT_RATIO = 500,
    OWN_HEADERS = 4 /* User-Agent, Accept, Accept-Encoding and Authorization */
};

static const double DEFAULT_HTTP2_PING = 30;

/* --- headers -------------------------------------------------------------------------------------- */

bool ga__names_header(const ga_pair *headers, const char *name)
{
    for (; headers && headers->name; headers++)
        if (ga__ascii_is(ga__slice_of(headers->name), name))
            return true;
    return false;
}

/* Adds a copy of a header to the session's. */
static int add_header(ga_session *session, size_t *count, const char *name, const char *value)
{
    ga_pair *pair = &session->headers[(*count)++];

    *pair = (ga_pair){strdup(name), strdup(value)};
    return pair->name && pair->value ? 0 : ga__fail(GA_ENOMEM, "no memory for a session");
}

static int add_authorization(ga_session *session, size_t *count, const ga_session_options *options)
{
    ga__buffer value = GA__BUFFER_INIT;
    int code = ga__auth_header(&value, options);

    if (code == 0 && (value.size > 0 || options->digest) &&
        ga__names_header(options->headers, "Authorization"))
        code = ga__fail(GA_EUSAGE, "a header of the session, Authorization: .user or .bearer says that");
    else if (code == 0 && value.size > 0)
        code = add_header(session, count, "Authorization", value.data);
    ga__buffer_free(&value);
    return code;
}

static int copy_headers(ga_session *session, const ga_session_options *options)
{
    const char *agent = options->user_agent ? options->user_agent : "gather/" GA__VERSION;
    size_t count = 0, given = 0;
    int code = 0;

    while (options->headers && options->headers[given].name)
        given++;
    session->headers = calloc(given + OWN_HEADERS + 1, sizeof *session->headers);
    if (!session->headers)
        return ga__fail(GA_ENOMEM, "no memory for a session");
    if (!ga__names_header(options->headers, "User-Agent"))
        code = add_header(session, &count, "User-Agent", agent);
    if (code == 0 && !ga__names_header(options->headers, "Accept"))
        code = add_header(session, &count, "Accept", "*/*");
    session->offers_codings =
        !options->no_decompress && !ga__names_header(options->headers, "Accept-Encoding");
    if (code == 0 && session->offers_codings)
        code = add_header(session, &count, "Accept-Encoding", GA__CODINGS_ACCEPTED);
    for (size_t i = 0; i < given && code == 0; i++)
        if (options->headers[i].value)
            code = add_header(session, &count, options->headers[i].name, options->headers[i].value);
    return code < 0 ? code : add_authorization(session, &count, options);
}

/* Writes the headers once, as they stand in the head of every request that changes none of them. */
static int write_lines(ga_session *session)
{
    ga__http1_writer writer;
    char name[GA__HTTP1_CULPRIT_SIZE];

    ga__http1_write_fields(&writer, &session->lines);
    for (const ga_pair *header = session->headers; header->name; header++)
        ga__http1_write_field(&writer, header->name, header->value);
    session->present = writer.present;
    if (writer.code)
        return ga__fail(writer.code, "a header of the session, %s: %s",
                        ga__http1_writer_culprit(&writer, name), writer.problem);
    return session->lines.failed ? ga__fail(GA_ENOMEM, "no memory for a session") : 0;
}

/* Headers that are of one request and not of a session. */
static int check_headers(const ga_session *session)
{
    static const char *const refused[] = {"Host", "Content-Length", "Transfer-Encoding", "Connection",
                                          "Upgrade"};

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (ga__names_header(session->headers, refused[i]))
            return ga__fail(GA_EHEADER, "a header of the session, %s: it belongs to single requests",
                            refused[i]);
    return 0;
}

/* --- options -------------------------------------------------------------------------------------- */

static int parse_base(ga_session *session, const char *base_url)
{
    const char *reason = NULL;

    if (!base_url)
        return 0;
    int code = ga__url_parse(&session->base, base_url, strlen(base_url), NULL, &reason);

    if (code < 0)
        return ga__fail(code == GA_ESCHEME ? GA_EURL : code, "the base URL %s", reason);
    session->has_base = true;
    return 0;
}

static int set_cookies(ga_session *session, const ga_session_options *options)
{
    if (options->cookies && options->no_cookies)
        return ga__fail(GA_EUSAGE, ".cookies and .no_cookies are given both");
    if (options->no_cookies)
        return 0;
    ga_cookie_jar *jar = options->cookies ? options->cookies : ga_cookie_jar_new();
    int code = jar ? ga__cookie_jar_join(jar) : GA_ENOMEM;

    if (code == 0)
        session->jar = jar;
    if (!options->cookies)
        ga_cookie_jar_free(jar); /* the session alone holds its own */
    return code;
}

static size_t limit_of(int option, int when_left_out)
{
    int limit = option == 0 ? when_left_out : option;

    return limit < 0 ? SIZE_MAX : (size_t)limit;
}

/* The options of a session's own pace. */
static ga_pace_options pace_options(const ga_session_options *options)
{
    bool rated = options->rate > 0 || options->rate_per_host > 0 || options->tokens_per_host > 0;
    bool obeys =
        options->obey_rate_limits > 0 || (options->obey_rate_limits == 0 && (rated || options->retries > 0));

    return (ga_pace_options){
        .rate = options->rate,
        .burst = options->burst,
        .rate_per_host = options->rate_per_host,
        .burst_per_host = options->burst_per_host,
        .tokens_per_host = options->tokens_per_host,
        .burst_tokens = options->burst_tokens,
        .max_cost = options->max_cost,
        .limit_requests = options->limit_requests,
        .limit_requests_per_host = options->limit_requests_per_host,
        .adapt = options->adapt,
        .obey_rate_limits = obeys ? 1 : -1,
        .adaptive_limit = options->adaptive_limit,
        .max_wait = options->max_wait,
        .retry_base = options->retry_base,
        .retry_cap = options->retry_cap,
    };
}

static bool has_pace_of_its_own(const ga_session_options *options)
{
    return options->rate != 0 || options->burst != 0 || options->rate_per_host != 0 ||
           options->burst_per_host != 0 || options->tokens_per_host != 0 || options->burst_tokens != 0 ||
           options->max_cost != 0 || options->limit_requests != 0 || options->limit_requests_per_host != 0 ||
           options->adapt != 0 || options->obey_rate_limits != 0 || options->adaptive_limit != 0 ||
           options->max_wait != 0;
}

static int set_pace(ga_session *session, const ga_session_options *options)
{
    int most = options->limit_per_host > 0 ? options->limit_per_host
               : options->limit > 0        ? options->limit
                                           : DEFAULT_LIMIT;
    ga__pace_habits habits = {.cools = options->retries > 0, .most = (size_t)most};
    ga_pace_options own = pace_options(options);

    if (options->pace && has_pace_of_its_own(options))
        return ga__fail(GA_EUSAGE, "a session with a .pace has no rates, limits of requests and max_wait of "
                                   "its own: they belong to the pace");
    if (options->pace && !options->pace->shared)
        return ga__fail(GA_EUSAGE, "the .pace is another session's own: ga_pace_new makes one to share");
    session->pace = options->pace ? options->pace : ga__pace_make(&own, &habits);
    if (!session->pace)
        return ga_error()->code;
    session->resilient = session->pace->asks || options->retries > 0 || options->idempotency_keys;
    session->door = ga__pace_door_new(session->pace);
    if (!options->pace)
        ga_pace_free(session->pace); /* the session alone holds its own */
    return session->door ? 0 : ga_error()->code;
}

static int set_retries(ga_session *session, const ga_session_options *options)
{
    if (isnan(options->retry_budget))
        return ga__fail(GA_EUSAGE, "retry_budget is no number");
    ga__retry_budget_init(&session->budget, options->retry_budget);
    session->keyed = options->idempotency_keys != 0;
    int code = ga__backoff_of_session(&session->backoff, options);

    if (code == 0)
        code = ga__retry_policy_of_session(&session->retry, options);
    session->retry.max_wait = session->pace->max_wait;
    return code;
}

static int set_pool(ga_session *session, const ga_session_options *options)
{
    double keepalive = options->keepalive == 0 ? DEFAULT_KEEPALIVE : options->keepalive;

    double age = options->max_connection_age;
    int requests = options->max_connection_requests;

    if (isnan(keepalive))
        return ga__fail(GA_EUSAGE, "keepalive is no number");
    if (!(age >= 0))
        return ga__fail(GA_EUSAGE, "max_connection_age is %g: seconds are expected, 0 for no limit", age);
    if (requests < 0)
        return ga__fail(GA_EUSAGE,
                        "max_connection_requests is %d: a number of requests is expected, 0 for no limit",
                        requests);
    ga__pool_init(&session->pool, limit_of(options->limit, DEFAULT_LIMIT),
                  limit_of(options->limit_per_host, -1), keepalive);
    if (age > 0)
        session->pool.max_age = age;
    if (requests > 0)
        session->pool.max_requests = (size_t)requests;
    return 0;
}

static int set_http2(ga_session *session, const ga_session_options *options)
{
    double ping = options->http2_ping == 0 ? DEFAULT_HTTP2_PING : options->http2_ping;
    size_t window = options->http2_window ? options->http2_window : DEFAULT_HTTP2_WINDOW;

    if (isnan(ping))
        return ga__fail(GA_EUSAGE, "http2_ping is no number");
    if (window < LEAST_HTTP2_WINDOW || window > MOST_HTTP2_WINDOW)
        return ga__fail(GA_EUSAGE, "http2_window is %zu: 16 KiB to 1 GiB are expected", window);
    session->http2_ping = ping < 0 ? GA_FOREVER : ping;
    session->http2_window = (uint32_t)window;
    return 0;
}

/* What an option says of a limit; 0: the default, negative: none. */
static uint32_t count_of(int option, uint32_t when_left_out)
{
    if (option < 0)
        return UINT32_MAX;
    return option == 0 ? when_left_out : (uint32_t)option;
}

static uint32_t size_of(size_t option, uint32_t when_left_out, uint32_t most)
{
    if (option == 0)
        option = when_left_out;
    return option < most ? (uint32_t)option : most;
}

/* How large the head and the trailers of a response may be. */
static void set_head_limits(ga__http1_limits *limits, const ga_session_options *options)
{
    ga__headers_limits *head = &limits->head, *trailers = &limits->chunked.trailers;

    *limits = ga__http1_defaults;
    head->max_size = size_of(options->max_head, DEFAULT_MAX_HEAD, MOST_MAX_HEAD);
    head->max_line = size_of(options->max_field, head->max_line, head->max_size);
    head->max_fields = count_of(options->max_fields, head->max_fields);
    limits->max_interim = count_of(options->max_interim, limits->max_interim);
    trailers->max_size = size_of(options->max_trailers, trailers->max_size, MOST_MAX_TRAILERS);
    trailers->max_line = size_of(options->max_field, trailers->max_line, trailers->max_size);
    limits->chunked.max_extensions =
        size_of(options->max_trailers, limits->chunked.max_extensions, MOST_MAX_TRAILERS);
}

static void set_sizes(ga_session *session, const ga_session_options *options)
{
    int64_t body = options->max_body ? options->max_body : DEFAULT_MAX_BODY;

    set_head_limits(&session->limits, options);
    session->max_line = options->max_line ? options->max_line : DEFAULT_MAX_LINE;
    session->max_body = body < 0 ? INT64_MAX : body;
    session->resume = options->resume > 0 ? options->resume : 0;
    session->max_redirects = options->max_redirects ? options->max_redirects : DEFAULT_REDIRECTS;
    session->referer = options->referer > 0;
    session->no_downgrade = options->no_downgrade > 0;
    session->raise_for_status = options->raise_for_status != 0;
    session->check_content_type = options->check_content_type != 0;
    session->no_decompress = options->no_decompress != 0;
    session->max_ratio = options->max_ratio ? options->max_ratio : DEFAULT_RATIO;
}

static int watch(ga_session *session, const ga_session_options *options)
{
    bool failed;

    session->answer = options->answer;
    session->answer_arg = options->answer_arg;
    session->observer = ga__observer_new(options, &failed);
    return failed ? GA_ENOMEM : 0;
}

static int set_up(ga_session *session, const ga_session_options *options)
{
    int code = set_pool(session, options);

    set_sizes(session, options);
    if (code == 0)
        code = set_http2(session, options);
    if (code == 0)
        code = watch(session, options);
    if (code == 0)
        code = set_pace(session, options);
    if (code == 0)
        code = set_retries(session, options);
    if (code == 0)
        code = ga__timeouts_of_session(&session->timeouts, options);
    if (code == 0)
        code = parse_base(session, options->base_url);
    if (code == 0)
        code = ga__compression_find(options->compress, &session->compress);
    if (code == 0)
        code = copy_headers(session, options);
    if (code == 0)
        code = check_headers(session);
    if (code == 0)
        code = write_lines(session);
    if (code == 0 && options->unix_socket && !ga__address_unix(&session->unix_socket, options->unix_socket))
        code = ga__fail(GA_EUSAGE, "unix_socket: the path is empty or longer than 107 bytes");
    if (code == 0)
        code = set_cookies(session, options);
    if (code == 0)
        code = ga__auth_new(&session->auth, options);
    if (code == 0 && options->hsts && !(session->hsts = ga__hsts_new()))
        code = ga__fail(GA_ENOMEM, "no memory for a session");
    if (code == 0)
        code = ga__tls_profiles_init(&session->tls, options);
    if (code == 0)
        code = ga__proxies_new(&session->proxies, options);
    if (code == 0)
        code = ga__reach_new(&session->reach, options);
    if (code == 0 && options->har) /* the last: it may replace a file */
        code = ga__har_new(&session->har, options->har);
    return code;
}

ga_session *ga_session_new_with(const ga_session_options *options)
{
    if (!ga__current()) {
        ga__fail(GA_ENOTASK, "a session is made inside ga_run: its connections belong to the loop");
        return NULL;
    }
    /* An older program's struct is shorter: what it lacks is left out. */
    ga_session_options given = {0};

    memcpy(&given, options, options->size_ < sizeof given ? options->size_ : sizeof given);
    ga_session *session = calloc(1, sizeof *session);

    if (!session) {
        ga__fail(GA_ENOMEM, "no memory for a session");
        return NULL;
    }
    session->loop = ga__loop_id();
    session->references = 1;
    ga__headers_table_init(&session->table);
    if (set_up(session, &given) < 0) {
        ga__session_unref(session);
        return NULL;
    }
    return session;
}

/* --- the end -------------------------------------------------------------------------------------- */

static void free_pair(ga_pair *pair)
{
    free((char *)(uintptr_t)pair->name);
    free((char *)(uintptr_t)pair->value);
}

void ga__session_unref(ga_session *session)
{
    if (--session->references > 0)
        return;
    ga__pool_free(&session->pool);
    ga__pace_door_free(session->door);
    ga__url_free(&session->base);
    for (ga_pair *header = session->headers; header && (header->name || header->value); header++)
        free_pair(header);
    free(session->headers);
    ga__buffer_free(&session->lines);
    ga__buffer_free(&session->scratch);
    ga__headers_table_free(&session->table);
    ga__tls_profiles_free(&session->tls);
    ga__auth_free(session->auth);
    ga__hsts_free(session->hsts);
    if (session->jar)
        ga__cookie_jar_leave(session->jar);
    ga__proxies_free(session->proxies);
    ga__reach_free(session->reach);
    free(session->observer);
    ga__har_free(session->har);
    free(session);
}

void ga_session_free(ga_session *session)
{
    if (!session)
        return;
    if (session->loop != ga__loop_id()) {
        ga__misuse(GA_EUSAGE, "ga_session_free: the session belongs to another loop, or its loop has ended");
        return;
    }
    ga_pool_stats stats;

    ga_session_pool(session, &stats);
    if (stats.in_use + stats.waiting > 0)
        ga__misuse(GA_EUSAGE,
                   "ga_session_free: %zu connections are in use and %zu requests are in line; free the "
                   "responses and "
                   "end the tasks before",
                   stats.in_use, stats.waiting);
    ga__pool_close(&session->pool);
    ga__session_unref(session);
}

ga_cookie_jar *ga_session_cookies(const ga_session *session)
{
    return session ? session->jar : NULL;
}

ga_pace *ga_session_pace(const ga_session *session)
{
    return session ? session->pace : NULL;
}

void ga_session_pool(const ga_session *session, ga_pool_stats *stats)
{
    *stats = (ga_pool_stats){0};
    if (session)
        ga__pool_stats(&session->pool, stats);
}
