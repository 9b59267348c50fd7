/* SPDX-License-Identifier: MIT */
/* How much of their stacks calls need: a parked one holds a single page, and the deepest leave most of the
 * 64 KiB to the program. */
#include "peers.h"

#include "task/loop.h"

#include <unistd.h>

enum { CALLS = 40, FIRST_FEW = 4, DEEPEST = 32 * 1024 };

static ga_session *open_session(const peers *servers)
{
    return ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file);
}

static int get_slow(void *session)
{
    ga_auto(ga_response) response = ga_get(session, "/slow?delay=0.5");

    return ga_status(response) == 200 ? 0 : ga_error()->code;
}

/* The first calls load what is loaded at first use, such as libraries and locales; they may need more. */
static int count_one_page_stacks(ga_task *const tasks[CALLS])
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int count = 0;

    for (int i = 0; i < CALLS; i++)
        count += tasks[i]->stack && ga__stack_resident(tasks[i]->stack) == page;
    return count;
}

static int a_parked_call_holds_one_page(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_task *tasks[CALLS];
    ga_group group;

    if (check_slowed())
        return 0;
    ga_group_open(&group, GA_FAIL_FAST);
    for (int i = 0; i < CALLS; i++)
        tasks[i] = ga_spawn(&group, get_slow, session);
    ga_sleep(0.2);
    EXPECT(count_one_page_stacks(tasks) >= CALLS - FIRST_FEW);
    EXPECT(ga_gather(&group) == 0);
    ga_group_close(&group);
    return 0;
}

static int get_json(void *session)
{
    ga_auto(ga_response) response = ga_get(session, "/todos", .params = GA_PAIRS({"userId", "3"}));
    json_t *todos = ga_json(response);

    EXPECT(json_array_size(todos) == 20);
    json_decref(todos);
    return 0;
}

static int fail_at_an_international_name(void *session)
{
    ga_scope scope;

    ga_scope_open(&scope, 1); /* there need not be a name server */
    ga_auto(ga_response) response = ga_get(session, "https://b\xc3\xbc"
                                                    "cher.invalid/");

    EXPECT(response == NULL);
    (void)ga_scope_close(&scope);
    return 0;
}

static int the_deepest_calls_leave_half_of_the_stack(void *arg)
{
    int (*const calls[])(void *) = {get_json, get_slow, fail_at_an_international_name};
    ga_auto(ga_session) session = open_session(arg);
    ga_group group;

    if (check_slowed())
        return 0;
    ga_group_open(&group, GA_FAIL_FAST);
    for (int i = 0; i < 3; i++)
        ga_spawn(&group, calls[i], session);
    EXPECT(ga_gather(&group) == 0);
    ga_group_close(&group);
    size_t deepest = ga__stacks_deepest(&ga__loop_here->stacks);

    printf("# the deepest call used %zu bytes\n", deepest);
    EXPECT(deepest > 1000 && deepest < DEEPEST);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEERS_ONE(a_parked_call_holds_one_page, "TODO", "TODO_CA", false, "a parked call holds one page"),
        PEERS_BOTH(the_deepest_calls_leave_half_of_the_stack, "TODO", "TODO_CA"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
