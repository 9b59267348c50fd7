/* SPDX-License-Identifier: MIT */
/* The tutorial's third program: one call fails, the others still answer. usage: errors [URL...] */
#include <gather.h>
#include <stdio.h>
#include <stdlib.h>

/* Fetch data from the given URL; a failure of any kind becomes text. */
static char *fetch_data(ga_session *session, const char *url)
{
    ga_auto(ga_response) response = ga_get(session, url);

    if (ga_raise_for_status(response) < 0) /* no answer, or a 4xx or 5xx one */
        return ga_format("Error: %s", ga_error_message());
    return ga_text(response);
}
GA_TASK(char *, fetch_data, ga_session *, const char *);

static int async_main(void *arg)
{
    char **urls = arg;
    int count = 0;
    while (urls[count])
        count++;
    ga_auto(ga_session) session = ga_session_new(.total_timeout = 30, .limit = 100);
    ga_autofree fetch_data_task **tasks = calloc((size_t)count, sizeof *tasks);
    ga_group group;

    if (!tasks)
        return ga_fail(GA_ENOMEM, "no memory for %d tasks", count);
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < count; i++)
        tasks[i] = fetch_data_start(&group, session, urls[i]);
    ga_gather(&group);
    for (int i = 0; i < count; i++) {
        printf("URL: %s, Result: %s\n", urls[i], tasks[i]->result);
        free(tasks[i]->result);
    }
    ga_group_close(&group);
    return 0;
}

int main(int argc, char **argv)
{
    static char *tutorial[] = {
        "https://jsonplaceholder.typicode.com/todos/1",
        "https://jsonplaceholder.typicode.com/todos/2",
        "https://jsonplaceholder.typicode.com/non-existent-url",
        NULL,
    };

    return ga_run(async_main, argc > 1 ? argv + 1 : tutorial) < 0;
}
