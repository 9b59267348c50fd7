/* SPDX-License-Identifier: MIT */
/* The tutorial's second program: three API calls at once, results in order. usage: concurrent [URL...] */
#include <gather.h>
#include <stdio.h>
#include <stdlib.h>

/* Fetch data from the given URL. */
static char *fetch_data(ga_session *session, const char *url)
{
    ga_auto(ga_response) response = ga_get(session, url);

    return ga_text(response);
}
GA_TASK(char *, fetch_data, ga_session *, const char *);

static int async_main(void *arg)
{
    char **urls = arg;
    int count = 0;
    while (urls[count])
        count++;
    ga_auto(ga_session) session = ga_session_new();
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
        "https://jsonplaceholder.typicode.com/todos/3",
        NULL,
    };

    return ga_run(async_main, argc > 1 ? argv + 1 : tutorial) < 0;
}
