/* SPDX-License-Identifier: MIT */
/* Many calls: all 200 todos, 100 at a time, each in its turn as it has answered. usage: many [BASE_URL] */
#include <gather.h>
#include <stdio.h>

enum { COUNT = 200 };

/* The numbers 1 to COUNT, one by one. */
static int next_number(void *last, void *number)
{
    *(int *)number = ++*(int *)last;
    return *(int *)last <= COUNT;
}

/* Fetch the todo of that number; the result is how long it took. */
static int fetch_todo(void *session, const void *number, void *seconds)
{
    double start = ga_now();
    ga_autofree char *path = ga_format("/todos/%d", *(const int *)number);
    ga_auto(ga_response) response = ga_get(session, path);
    ga_autofree char *text = ga_text(response);

    *(double *)seconds = ga_now() - start;
    return text ? ga_raise_for_status(response) : ga_error()->code;
}

static int async_main(void *arg)
{
    ga_auto(ga_session) session = ga_session_new(.base_url = arg);
    double start = ga_now(), sum = 0;
    int last = 0, answered = 0;
    ga_map map;
    ga_map_item *item;

    ga_map_open(&map, fetch_todo, .context = session, .next = next_number, .source = &last, .limit = 100,
                .input_size = sizeof(int), .result_size = sizeof(double));
    while ((item = ga_map_next(&map))) {
        if (item->code == 0)
            answered++;
        else
            printf("todo %d: %s\n", *(int *)item->input, item->error->message);
        sum += *(double *)item->result;
    }
    printf("%d of %d calls answered in %.3f s; their times add up to %.3f s\n", answered, COUNT,
           ga_now() - start, sum);
    return ga_map_close(&map);
}

int main(int argc, char **argv)
{
    return ga_run(async_main, argc > 1 ? argv[1] : "https://jsonplaceholder.typicode.com") < 0;
}
