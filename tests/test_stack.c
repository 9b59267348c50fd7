/* SPDX-License-Identifier: MIT */
/* Stacks: their sizes, guards, places and reuse; what becomes of a task for which there is none; and how much
 * of one is used. */
#include "check.h"

#include "task/loop.h"
#include "task/stack.h"
#include <errno.h>
#include <gather/task.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 700, TRIMMED_TO = 256 };

static size_t page;

static int set_up(void **state)
{
    (void)state;
    page = (size_t)sysconf(_SC_PAGESIZE);
    return 0;
}

/* Whether a byte can be read, found without reading it here. */
static bool is_readable(const char *byte)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    ssize_t count = write(ends[1], byte, 1);
    int error = errno;

    close(ends[0]);
    close(ends[1]);
    assert_true(count == 1 || error == EFAULT);
    return count == 1;
}

static void sizes_are_whole_pages_within_bounds(void **state)
{
    static const struct {
        size_t asked, given;
    } sizes[] = {
        {1, 16 << 10}, {100000, 102400}, {1 << 20, 1 << 20}, {(size_t)5 << 30, 1 << 30}, {SIZE_MAX, 1 << 30}};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ga__stacks stacks;

        ga__stacks_init(&stacks, sizes[i].asked);
        assert_int_equal(stacks.size % page, 0);
        assert_in_range(stacks.size, sizes[i].given + page, sizes[i].given + 2 * page);
        ga__stack *stack = ga__stack_take(&stacks);

        assert_non_null(stack);
        assert_true((size_t)(stack->high - stack->low) > sizes[i].given - 2048);
        stack->low[0] = stack->high[-1] = 1;
        assert_false(is_readable(stack->low - 1));
        ga__stack_give(&stacks, stack);
        ga__stacks_free(&stacks);
    }
}

static void take_many(ga__stacks *stacks, ga__stack *taken[MANY])
{
    for (int i = 0; i < MANY; i++) {
        taken[i] = ga__stack_take(stacks);
        assert_non_null(taken[i]);
        assert_false(is_readable(taken[i]->low - 1));
        memset(taken[i]->low, 1, page); /* so deep that all of it was used */
        taken[i]->high[-1] = 1;
    }
    assert_int_equal(stacks->in_use, MANY);
}

static void give_all(ga__stacks *stacks, ga__stack *taken[MANY])
{
    for (int i = 0; i < MANY; i++)
        ga__stack_give(stacks, taken[i]);
    assert_int_equal(stacks->in_use, 0);
    assert_int_equal(stacks->free_count, MANY);
}

static void check_apart(ga__stack *taken[MANY])
{
    for (int i = 0; i < MANY; i++) {
        assert_int_equal((uintptr_t)taken[i]->high % 16, 0);
        for (int k = 0; k < i; k++)
            assert_true(taken[i]->high <= taken[k]->low - page || taken[i]->low - page >= taken[k]->high);
    }
}

static void all_have_guards(bool mapped)
{
    ga__stack *taken[MANY];
    ga__stacks stacks;

    ga__stacks_init(&stacks, 0);
    stacks.mapped_guards = mapped;
    take_many(&stacks, taken);
    check_apart(taken);
    give_all(&stacks, taken);
    while (ga__stacks_trim(&stacks))
        ;
    assert_int_equal(stacks.free_count, TRIMMED_TO);
    take_many(&stacks, taken); /* those whose memory was given back have their guards still */
    check_apart(taken);
    give_all(&stacks, taken);
    ga__stacks_free(&stacks);
}

static void each_has_a_guard_below(void **state)
{
    (void)state;
    all_have_guards(false);
}

static void a_kernel_that_guards_only_mappings_does_too(void **state)
{
    (void)state;
    all_have_guards(true);
}

static void the_last_one_given_is_taken_first(void **state)
{
    ga__stacks stacks;

    (void)state;
    ga__stacks_init(&stacks, 0);
    ga__stack *first = ga__stack_take(&stacks), *second = ga__stack_take(&stacks);

    ga__stack_give(&stacks, first);
    ga__stack_give(&stacks, second);
    assert_ptr_equal(ga__stack_take(&stacks), second);
    assert_ptr_equal(ga__stack_take(&stacks), first);
    ga__stack_give(&stacks, second);
    ga__stack_give(&stacks, first);
    ga__stacks_free(&stacks);
}

static void tops_lie_in_different_cache_sets(void **state)
{
    ga__stacks stacks;
    ga__stack *taken[16];
    unsigned seen = 0;

    (void)state;
    ga__stacks_init(&stacks, 0);
    for (int i = 0; i < 16; i++) {
        taken[i] = ga__stack_take(&stacks);
        seen |= 1u << ((uintptr_t)taken[i]->high / 64 % 16);
    }
    assert_int_equal(seen, 0xffff);
    for (int i = 0; i < 16; i++)
        ga__stack_give(&stacks, taken[i]);
    ga__stacks_free(&stacks);
}

static void trimming_gives_memory_back_in_portions(void **state)
{
    enum { CROWD = 3000 };
    static ga__stack *taken[CROWD];
    ga__stacks stacks;
    int rounds = 1;

    (void)state;
    ga__stacks_init(&stacks, 16 << 10);
    for (int i = 0; i < CROWD; i++)
        assert_non_null(taken[i] = ga__stack_take(&stacks));
    for (int i = 0; i < CROWD; i++)
        ga__stack_give(&stacks, taken[i]);
    while (ga__stacks_trim(&stacks))
        rounds++;
    assert_int_equal(rounds, 3);
    assert_int_equal(stacks.free_count, TRIMMED_TO);
    assert_int_equal(ga__stack_resident(taken[0]), page); /* at the end of the line: it stays */
    assert_false(ga__stacks_trim(&stacks));
    ga__stacks_free(&stacks);
}

static void what_was_used_can_be_told(void **state)
{
    ga__stacks stacks;

    (void)state;
    if (check_slowed())
        skip();
    ga__stacks_init(&stacks, 0);
    ga__stack *stack = ga__stack_take(&stacks);

    assert_int_equal(ga__stack_used(stack), 0);
    assert_int_equal(ga__stack_resident(stack), page);
    stack->high[-5001] = 1;
    assert_in_range(ga__stack_used(stack), 5001, 5008);
    assert_int_equal(ga__stack_resident(stack), 2 * page); /* the page between was not touched */
    stack->low[0] = 1;
    assert_int_equal(ga__stack_used(stack), stack->high - stack->low);
    assert_int_equal(ga__stacks_deepest(&stacks), stack->high - stack->low);
    ga__stack_give(&stacks, stack);
    assert_int_equal(ga__stacks_deepest(&stacks), stack->high - stack->low);
    ga__stacks_free(&stacks);
}

/* --- in a loop ------------------------------------------------------------------------------------ */

static int sleep_a_moment(void *arg)
{
    (void)arg;
    return ga_sleep(0.01);
}

static int check_sleepers(void *arg)
{
    ga_task *tasks[32];
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_FAIL_FAST);
    for (int i = 0; i < 32; i++)
        tasks[i] = ga_spawn(&group, sleep_a_moment, NULL);
    assert_null(tasks[0]->stack); /* not before it runs */
    ga_yield();
    for (int i = 0; i < 32; i++) {
        assert_int_equal(ga__stack_resident(tasks[i]->stack), page);
        assert_in_range(ga__stack_used(tasks[i]->stack), 64, 1024);
    }
    ga_gather(&group);
    assert_null(tasks[0]->stack);
    ga_group_close(&group);
    return 0;
}

static void a_task_that_sleeps_holds_one_page(void **state)
{
    (void)state;
#ifdef GA__UCONTEXT
    skip(); /* it keeps a context of a kilobyte on the stack, and saves more */
#endif
    if (check_slowed())
        skip();
    assert_int_equal(ga_run(check_sleepers, NULL), 0);
}

GA_NOINLINE static size_t descend(size_t depth)
{
    volatile char frame[1000];

    frame[0] = frame[999] = 1;
    return depth <= sizeof frame ? (size_t)frame[0] : descend(depth - sizeof frame) + (size_t)frame[999];
}

static int use_much(void *arg)
{
    size_t *depth = arg;

    descend(*depth);
    *depth = ga__stacks_deepest(&ga__loop_here->stacks);
    return 0;
}

static void the_size_is_an_option(void **state)
{
    size_t depth = 900000;

    (void)state;
    if (check_slowed())
        skip();
    assert_int_equal(ga_run_with(&(ga_run_options){.stack_size = 1 << 20}, use_much, &depth), 0);
    assert_in_range(depth, 900000, 1 << 20);
}

/* --- where there are no more ---------------------------------------------------------------------- */

static int in_child(int (*fn)(void))
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        _exit(fn());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int crowd(void *arg)
{
    int count = *(int *)arg, failed = 0;
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    ga_task **tasks = calloc((size_t)count, sizeof *tasks);

    for (int i = 0; i < count; i++)
        tasks[i] = ga_spawn(&group, sleep_a_moment, NULL);
    int code = ga_gather(&group);

    for (int i = 0; i < count; i++) {
        const ga_error_detail *error = ga_task_error(tasks[i]);

        if (error->code == GA_OK)
            continue;
        failed++;
        if (error->code != GA_ENOMEM || !strstr(error->message, "vm.max_map_count") ||
            !strstr(error->message, "sleep_a_moment"))
            code = -1;
    }
    free(tasks);
    ga_group_close(&group);
    return code == failed && failed > 0 && failed < count ? 0 : 1;
}

/* Address space for some more stacks, not for all of them. */
static int run_without_space(void)
{
    struct rlimit limit = {0, 0};
    int count = 4000;
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (!file || fscanf(file, "%ld", &pages) != 1)
        return 2;
    fclose(file);
    limit.rlim_cur = limit.rlim_max = (rlim_t)pages * page + ((rlim_t)60 << 20);
    setrlimit(RLIMIT_AS, &limit);
    return ga_run_with(&(ga_run_options){.block_warning = -1}, crowd, &count);
}

static void tasks_for_which_there_is_no_stack_fail(void **state)
{
    (void)state;
    if (check_slowed())
        skip();
    assert_int_equal(in_child(run_without_space), 0);
}

static int run_without_mappings(void)
{
    ga__stacks stacks;
    size_t count = 0;

    ga__stacks_init(&stacks, 16 << 10);
    stacks.mapped_guards = true;
    while (ga__stack_take(&stacks))
        if (++count > 200000)
            return 3;
    if (!strstr(stacks.failure, "vm.max_map_count"))
        return 1;
    ga__stacks_free(&stacks);
    return count > 1000 ? 0 : 2;
}

static long most_mappings(void)
{
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
    long most = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%ld", &most) != 1)
        most = 0;
    fclose(file);
    return most;
}

static void the_limit_of_mappings_is_named(void **state)
{
    (void)state;
    if (check_slowed() || most_mappings() < 4000 || most_mappings() > 200000)
        skip();
    assert_int_equal(in_child(run_without_mappings), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_whole_pages_within_bounds),
        cmocka_unit_test(each_has_a_guard_below),
        cmocka_unit_test(a_kernel_that_guards_only_mappings_does_too),
        cmocka_unit_test(the_last_one_given_is_taken_first),
        cmocka_unit_test(tops_lie_in_different_cache_sets),
        cmocka_unit_test(trimming_gives_memory_back_in_portions),
        cmocka_unit_test(what_was_used_can_be_told),
        cmocka_unit_test(a_task_that_sleeps_holds_one_page),
        cmocka_unit_test(the_size_is_an_option),
        cmocka_unit_test(tasks_for_which_there_is_no_stack_fail),
        cmocka_unit_test(the_limit_of_mappings_is_named),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
