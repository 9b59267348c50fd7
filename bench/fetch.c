/* SPDX-License-Identifier: MIT */
/*
 * fetch --url URL -n REQUESTS -c CONCURRENCY [--cacert FILE] [--http2 [--connections N]]
 *
 * Makes so many GETs, so many at once, over kept connections, and prints what that cost as one line of JSON.
 */
#include "usage.h"

#include <gather.h>
#include <stdio.h>
#include <string.h>

static bench_options options;
static long started, ok, failed;

/* One of the callers that share the work. */
static int call_repeatedly(void *arg)
{
    ga_session *session = arg;

    while (started < options.requests) {
        size_t size;

        started++;
        ga_auto(ga_response) response = ga_get(session, options.url);

        if (ga_raise_for_status(response) == 0 && ga_body(response, &size)) {
            ok++;
            continue;
        }
        if (failed++ == 0)
            fprintf(stderr, "fetch: the first failure: %s\n", ga_error_message());
    }
    return 0;
}

static int fetch(void *arg)
{
    ga_auto(ga_session) session =
        ga_session_new(.limit = options.connections ? options.connections : options.concurrency,
                       .ca_file = options.ca_file, .http = options.http ? options.http : 11);
    ga_group group;

    (void)arg;
    if (!session)
        return ga_error()->code;
    ga_group_open(&group, GA_FAIL_FAST);
    for (int i = 0; i < options.concurrency; i++)
        ga_spawn(&group, call_repeatedly, session);
    int code = ga_gather(&group);

    ga_group_close(&group);
    return code;
}

int main(int argc, char **argv)
{
    bench_parse(&options, argc, argv);
    double start = bench_now();

    if (ga_run(fetch, NULL) < 0)
        return 1;
    bench_print("gather", ok, failed, bench_now() - start);
    return failed > 0;
}
