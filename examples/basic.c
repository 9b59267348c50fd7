/* SPDX-License-Identifier: MIT */
/* The tutorial's first program: await one API call. usage: basic [URL] */
#include <gather.h>
#include <stdio.h>

/* Fetch data from the given URL. */
static char *fetch_data(ga_session *session, const char *url)
{
    ga_auto(ga_response) response = ga_get(session, url);

    return ga_text(response);
}

static int async_main(void *arg)
{
    const char *url = arg;
    ga_auto(ga_session) session = ga_session_new();
    ga_autofree char *data = fetch_data(session, url);

    puts(data ? data : ga_error_message());
    return 0;
}

int main(int argc, char **argv)
{
    return ga_run(async_main, argc > 1 ? argv[1] : "https://jsonplaceholder.typicode.com/todos/1") < 0;
}
