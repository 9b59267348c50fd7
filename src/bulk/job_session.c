/* SPDX-License-Identifier: MIT */
/* A job's options as those of the library's sessions and pace. */
#include "bulk/job_parts.h"

#include <gather/trace.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PAIRS = 256 };

double ga__rate_per_second(const ga__rate *rate)
{
    return rate->count > 0 ? rate->count / rate->seconds : 0;
}

ga_pace *ga__job_new_pace(const ga__job_options *options)
{
    double tokens = ga__rate_per_second(&options->tokens);

    return ga_pace_new(.rate = ga__rate_per_second(&options->rate), .burst = options->burst,
                       .rate_per_host = ga__rate_per_second(&options->rate_per_host),
                       .burst_per_host = options->burst, .tokens_per_host = tokens,
                       .max_cost = tokens > 0 ? options->tokens.count : 0,
                       .limit_requests = options->concurrency, .limit_requests_per_host = options->per_host,
                       .until_freed = 1, .adapt = options->no_adapt ? -1 : 0,
                       .obey_rate_limits = options->no_adapt ? -1 : 1, .max_wait = options->max_wait);
}

/* The environment's proxies, as ga_session_options.trust_env has them, without its credentials. */
static size_t add_proxies(ga_pair *pairs)
{
    static const char *const names[][3] = {{"http", "http_proxy", NULL},
                                           {"https", "https_proxy", "HTTPS_PROXY"},
                                           {"all", "all_proxy", "ALL_PROXY"}};
    size_t count = 0;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i][1]);

        if (!value && names[i][2])
            value = getenv(names[i][2]);
        if (value && *value)
            pairs[count++] = (ga_pair){names[i][0], value};
    }
    pairs[count] = (ga_pair){NULL, NULL};
    return count;
}

static const char *no_proxy_of(const ga__job_options *options)
{
    const char *value = getenv("no_proxy");

    if (options->no_proxy)
        return options->no_proxy;
    return value ? value : getenv("NO_PROXY");
}

/* The headers that are the same for all rows; one without a value takes a default away. What they hold is the
 * caller's to free, but for the names. */
static bool add_headers(const ga__plan *plan, ga_pair *pairs)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->header_count && count < MOST_PAIRS - 1; i++) {
        const ga__plan_field *field = &plan->headers[i];
        ga__buffer value = GA__BUFFER_INIT;
        char *problem = NULL;

        if (!field->fixed)
            continue;
        if (field->value && !ga__template_fill(field->value, NULL, NULL, plan->redacted, &value, &problem)) {
            free(problem);
            ga__buffer_free(&value);
            return false;
        }
        pairs[count++] = (ga_pair){field->name, field->value ? ga__buffer_take(&value) : NULL};
        if (field->value && !pairs[count - 1].value)
            return false;
    }
    pairs[count] = (ga_pair){NULL, NULL};
    return true;
}

static void free_values(ga_pair *pairs)
{
    for (; pairs->name; pairs++)
        free((char *)(uintptr_t)pairs->value);
}

/* curl's "HOST:PORT:ADDRESS" as {"HOST:PORT", "ADDRESS"}. What they hold is the caller's to free. @return 0,
 * or a negative code, recorded */
static int add_resolve(const char *const *texts, ga_pair *pairs)
{
    for (ga_pair *pair = pairs; texts && *texts; texts++, pair++) {
        const char *colon = strchr(*texts, ':'), *second = colon ? strchr(colon + 1, ':') : NULL;

        if (!second)
            return ga_fail(GA_EUSAGE, "--resolve \"%.100s\": HOST:PORT:ADDRESS is expected", *texts);
        if (pair - pairs == MOST_PAIRS - 1)
            return ga_fail(GA_EUSAGE, "more than %d times --resolve", MOST_PAIRS - 1);
        *pair = (ga_pair){strndup(*texts, (size_t)(second - *texts)), strdup(second + 1)};
        if (!pair->name || !pair->value)
            return ga_fail(GA_ENOMEM, "no memory for --resolve");
    }
    return 0;
}

static void free_resolve(ga_pair *pairs)
{
    for (; pairs->name || pairs->value; pairs++) {
        free((char *)(uintptr_t)pairs->name);
        free((char *)(uintptr_t)pairs->value);
    }
}

/* Either none or what the option says; the library's 0 is its default. */
static double timeout_of(double seconds)
{
    return seconds > 0 ? seconds : GA_FOREVER;
}

/* What a session's options point to until it is made. */
typedef struct session_pairs {
    ga_pair headers[MOST_PAIRS], proxies[MOST_PAIRS], resolve[MOST_PAIRS];
} session_pairs;

ga_session *ga__job_new_session(const ga__job *job, int (*answer)(void *arg, struct ga_call *call), void *arg)
{
    const ga__job_options *options = &job->options;
    session_pairs *pairs = calloc(1, sizeof *pairs);
    ga_session *session = NULL;

    if (!pairs || !add_headers(job->plan, pairs->headers)) {
        ga_fail(GA_ENOMEM, "no memory for a session");
        goto out;
    }
    if (add_resolve(options->resolve, pairs->resolve) < 0)
        goto out;
    size_t proxy_count = add_proxies(pairs->proxies);

    session =
        ga_session_new(.base_url = options->base_url, .headers = pairs->headers,
                       .user_agent = options->user_agent, .pace = job->pace, .limit = options->concurrency,
                       .total_timeout = GA_FOREVER, .attempt_timeout = timeout_of(options->max_time),
                       .connect_timeout = timeout_of(options->connect_timeout),
                       .tls_timeout = timeout_of(options->connect_timeout),
                       .max_redirects = options->follow ? options->max_redirects : -1,
                       .max_body = options->max_body, .insecure = options->insecure,
                       .ca_file = options->ca_file, .ca_path = options->ca_path,
                       .cert_file = options->cert_file, .key_file = options->key_file,
                       .unix_socket = options->unix_socket, .no_cookies = 1, .user = job->plan->user,
                       .password = job->plan->password, .http = options->http, .proxy = options->proxy,
                       .proxies = proxy_count > 0 ? pairs->proxies : NULL, .no_proxy = no_proxy_of(options),
                       .resolve = pairs->resolve[0].name ? pairs->resolve : NULL,
                       .connect_to = options->connect_to, .local_address = options->local_address,
                       .no_decompress = options->no_compressed, .retries = options->retries,
                       .retry_max_time = options->retry_max_time, .retry_budget = -1, .answer = answer,
                       .answer_arg = arg, .trace = job->log ? ga__job_log_event : NULL,
                       .trace_arg = (void *)(uintptr_t)job);
out:
    if (pairs) {
        free_values(pairs->headers);
        free_resolve(pairs->resolve);
    }
    free(pairs);
    return session;
}
