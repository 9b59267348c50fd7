/* SPDX-License-Identifier: MIT */
/* The tutorial's best practices and pitfalls: a timeout around a call, a
 * blocking call kept off the loop, a POST with named options, a rate limit. usage: practices [BASE_URL] */
#include <gather.h>
#include <stdio.h>
#include <unistd.h>

/* An ordinary blocking function: it may not run on the loop's thread. */
static int slow_checksum(void *arg)
{
    sleep(1);
    *(int *)arg = 42;
    return 0;
}

static int async_main(void *arg)
{
    const char *base = arg;
    ga_auto(ga_session) session = ga_session_new(.base_url = base, .limit_per_host = 20, .rate = 50);

    /* asyncio.wait_for(fetch(...), 0.2): a scope with a deadline. */
    ga_scope scope;
    ga_scope_open(&scope, 0.2);
    ga_response *slow = ga_get(session, "/slow", .params = GA_PAIRS({"delay", "2"}));
    if (ga_scope_close(&scope) == GA_ETIMEDOUT)
        printf("timed out: %s\n", ga_error_message());
    ga_response_free(slow);

    /* Never block the loop: asyncio.to_thread(slow_checksum). */
    int checksum = 0;
    if (ga_to_thread(slow_checksum, &checksum) == 0)
        printf("checksum: %d\n", checksum);

    /* Options by name; what is left out has its default. */
    ga_auto(ga_response) created = ga_post(session, "/todos", .json_text = "{\"title\": \"write C\"}",
                                           .headers = GA_PAIRS({"X-Trace", "17"}), .timeout = 5);
    printf("created: %d %s\n", ga_status(created), ga_header(created, "Content-Type"));
    return 0;
}

int main(int argc, char **argv)
{
    return ga_run(async_main, argc > 1 ? argv[1] : "https://jsonplaceholder.typicode.com") < 0;
}
