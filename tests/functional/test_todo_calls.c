/* SPDX-License-Identifier: MIT */
/* The client against todo-api: a whole API in use, in order and a thousand calls at once. */
#include "peers.h"

#include <stdio.h>
#include <string.h>

static ga_session *open_session(const peers *servers)
{
    return ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file);
}

static void expect_json(ga_response *response, int status, const char *wanted)
{
    json_t *told = ga_json(response);
    json_t *expected = json_loads(wanted, 0, NULL);

    EXPECT(ga_status(response) == status);
    EXPECT(told && json_equal(told, expected));
    json_decref(told);
    json_decref(expected);
    ga_response_free(response);
}

static int todos_are_read_and_changed(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);

    expect_json(ga_get(session, "/todos/1"), 200,
                "{\"userId\": 1, \"id\": 1, \"title\": \"delectus aut autem\", \"completed\": false}");
    expect_json(ga_post(session, "/todos", .json_text = "{\"title\": \"write C\"}"), 201,
                "{\"title\": \"write C\", \"id\": 201}");
    expect_json(ga_put(session, "/todos/2", .json_text = "{\"title\": \"x\"}"), 200,
                "{\"title\": \"x\", \"id\": 2}");
    expect_json(ga_patch(session, "/todos/1", .json_text = "{\"completed\": true}"), 200,
                "{\"userId\": 1, \"id\": 1, \"title\": \"delectus aut autem\", \"completed\": true}");
    expect_json(ga_delete(session, "/todos/1"), 200, "{}");
    expect_json(ga_get(session, "/todos/201"), 404, "{}");
    ga_auto(ga_response) mine = ga_get(session, "/todos", .params = GA_PAIRS({"userId", "3"}));
    json_t *todos = ga_json(mine);

    EXPECT(json_array_size(todos) == 20);
    json_decref(todos);
    return 0;
}

static int json_that_is_none_is_said(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) response = ga_get(session, "/stream?lines=2");
    json_t *value = ga_json(response);

    EXPECT(value == NULL);
    EXPECT_FAILURE(GA_EJSON, "");
    EXPECT_TEXT(ga_header(response, "Transfer-Encoding"), "chunked");
    return 0;
}

static int a_long_stream_is_read_as_it_comes(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) response = ga_get(session, "/stream?lines=200000");
    ga_auto(ga_response) other = NULL;
    char piece[4096];
    size_t lines = 0;
    ssize_t count;

    while ((count = ga_read(response, piece, sizeof piece)) > 0) {
        for (ssize_t i = 0; i < count; i++)
            lines += piece[i] == '\n';
        if (!other) /* another call, while this one waits for its reader */
            EXPECT(ga_status(other = ga_get(session, "/todos/1")) == 200);
    }
    EXPECT(count == 0 && lines == 200000);
    return 0;
}

static int fetch_todo(void *session, const void *number, void *result)
{
    char path[32];

    snprintf(path, sizeof path, "/todos/%d", *(const int *)number % 200 + 1);
    ga_auto(ga_response) response = ga_get(session, path);
    json_t *todo = ga_json(response);

    *(int *)result = (int)json_integer_value(json_object_get(todo, "id"));
    json_decref(todo);
    return ga_raise_for_status(response);
}

static int next_number(void *last, void *number)
{
    *(int *)number = (*(int *)last)++;
    return *(int *)number < 1000;
}

static int a_thousand_calls_are_answered_in_order(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    int last = 0;
    size_t answered = 0;
    ga_map map;
    ga_map_item *item;

    ga_map_open(&map, fetch_todo, .context = session, .next = next_number, .source = &last, .limit = 1000,
                .input_size = sizeof(int), .result_size = sizeof(int));
    while ((item = ga_map_next(&map))) {
        EXPECT(item->code == 0 && item->index == answered);
        EXPECT(*(int *)item->result == (int)item->index % 200 + 1);
        answered++;
    }
    EXPECT(ga_map_close(&map) == 0);
    EXPECT(answered == 1000);
    return 0;
}

static int slow(ga_session *session)
{
    ga_auto(ga_response) response = ga_get(session, "/slow?delay=0.5");

    return ga_raise_for_status(response);
}
GA_TASK(int, slow, ga_session *);

static int slow_calls_wait_beside_each_other(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    double start = ga_now();
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 100; i++)
        EXPECT(slow_start(&group, session) != NULL);
    EXPECT(ga_gather(&group) == 0);
    ga_group_close(&group);
    EXPECT(ga_now() - start >= 0.5);
    EXPECT(ga_now() - start < 20); /* one after another they would take 50 s */
    return 0;
}

static int a_rate_is_kept(void *arg)
{
    const peers *servers = arg;
    ga_auto(ga_session) session =
        ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file, .rate = 20);
    double start = ga_now();

    for (int i = 0; i < 6; i++) {
        ga_auto(ga_response) response = ga_get(session, "/todos/1");
        EXPECT(ga_status(response) == 200);
    }
    EXPECT(ga_now() - start >= 0.24); /* the first at once, then one each 50 ms */
    return 0;
}

static int a_cancelled_group_frees_all(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_pool_stats stats;
    ga_scope scope;
    ga_group group;

    ga_scope_open(&scope, 0.2);
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 300; i++) /* 100 under way, the others in line */
        EXPECT(slow_start(&group, session) != NULL);
    EXPECT(ga_gather(&group) == GA_ECANCELED);
    ga_group_close(&group);
    EXPECT(ga_scope_close(&scope) == GA_ETIMEDOUT);
    ga_session_pool(session, &stats);
    EXPECT(stats.in_use == 0 && stats.waiting == 0);
    expect_json(ga_get(session, "/todos/201"), 404, "{}");
    return 0;
}

#define BOTH(function) PEERS_BOTH(function, "TODO", "TODO_CA")

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(todos_are_read_and_changed),        BOTH(json_that_is_none_is_said),
        BOTH(a_long_stream_is_read_as_it_comes), BOTH(a_thousand_calls_are_answered_in_order),
        BOTH(slow_calls_wait_beside_each_other), BOTH(a_rate_is_kept),
        BOTH(a_cancelled_group_frees_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
