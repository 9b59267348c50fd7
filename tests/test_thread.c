/* SPDX-License-Identifier: MIT */
/* Functions on threads and hand-over between threads and loops. Made to run under ThreadSanitizer, too. */
#include "check.h"

#include "task/context.h"
#include <gather/sync.h>
#include <gather/task.h>
#include <gather/thread.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(int (*fn)(void *arg), void *arg)
{
    assert_int_equal(ga_run(fn, arg), 0);
}

/* --- functions on threads ------------------------------------------------------------------------- */

static int nap(void *arg)
{
    usleep(50000);
    return ++*(int *)arg;
}

static int tick(void *arg)
{
    int *ticks = arg;

    while (ga_sleep(0.005) == 0)
        ++*ticks;
    return 0;
}

static int await_thread(void *arg)
{
    ga_group group;
    int number = 41, ticks = 0;

    (void)arg;
    assert_int_equal(ga_to_thread(nap, &number), 42); /* nothing else is there, and it is no deadlock */
    ga_group_open(&group, GA_COLLECT);
    ga_spawn(&group, tick, &ticks);
    assert_int_equal(ga_to_thread(nap, &number), 43);
    ga_group_close(&group);
    assert_int_equal(number, 43);
    assert_true(ticks >= 1); /* the loop went on */
    return 0;
}

static void a_function_on_a_thread_does_not_hold_the_loop(void **state)
{
    (void)state;
    run(await_thread, NULL);
    assert_int_equal(ga_to_thread(nap, NULL), GA_ENOTASK);
}

static int fail_with_text(void *arg)
{
    return ga_fail(GA_ETLS, "the key in %s is encrypted", (const char *)arg);
}

static int fail_silently(void *arg)
{
    (void)arg;
    return GA_EJSON;
}

static int suspend_there(void *arg)
{
    (void)arg;
    return ga_sleep(1);
}

static int succeed(void *arg)
{
    (void)arg;
    return 7;
}

static int await_failures(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ga_to_thread(fail_with_text, (char[]){"a.pem"}), GA_ETLS);
        assert_int_equal(ga_error()->code, GA_ETLS);
        assert_string_equal(ga_error_message(), "the key in a.pem is encrypted");
        assert_int_equal(ga_to_thread(succeed, NULL), 7);
        assert_int_equal(ga_error()->code, GA_ETLS); /* success does not clear it */
        assert_int_equal(ga_to_thread(fail_silently, NULL), GA_EJSON);
        assert_int_equal(ga_error()->code, GA_EJSON);
        assert_int_equal(ga_to_thread(suspend_there, NULL), GA_ENOTASK);
        assert_int_equal(ga_error()->code, GA_ENOTASK);
    }
    return 0;
}

static void its_error_becomes_the_task_s(void **state)
{
    (void)state;
    run(await_failures, NULL);
}

struct job {
    atomic_int *running, *most;
    atomic_int *order; /* the next number to be given */
    int number;
};

static int count_running(void *arg)
{
    struct job *job = arg;
    int running = atomic_fetch_add(job->running, 1) + 1;
    int most = atomic_load(job->most);

    while (running > most && !atomic_compare_exchange_weak(job->most, &most, running))
        ;
    job->number = atomic_fetch_add(job->order, 1);
    usleep(3000);
    atomic_fetch_sub(job->running, 1);
    return 0;
}

static int on_thread(struct job *job)
{
    return ga_to_thread(count_running, job);
}
GA_TASK(int, on_thread, struct job *);

enum { JOBS = 40 };

static int many_jobs(void *arg)
{
    int limit = *(int *)arg;
    atomic_int running = 0, most = 0, order = 0;
    struct job jobs[JOBS];
    ga_group group;

    ga_thread_limit(limit);
    ga_group_open(&group, GA_FAIL_FAST);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){&running, &most, &order, -1};
        on_thread_start(&group, &jobs[i]);
    }
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    assert_true(atomic_load(&most) <= limit);
    assert_int_equal(atomic_load(&order), JOBS);
    for (int i = 0; limit == 1 && i < JOBS; i++)
        assert_int_equal(jobs[i].number, i); /* first come, first served */
    return 0;
}

static void the_pool_is_bounded_and_its_line_is_fair(void **state)
{
    (void)state;
    for (int limit = 1; limit <= 8; limit *= 2)
        run(many_jobs, &limit);
    ga_thread_limit(1);
    for (int tries = 0; tries < 500 && check_threads() > 3; tries++)
        usleep(10000);
    assert_true(check_threads() <= 3); /* this one, one of the pool, one of a sanitizer */
    run(await_thread, NULL);
    ga_thread_limit(32);
}

static int cancel_it(void *arg)
{
    ga_scope scope;
    int number = 0;
    double begin = ga_now();

    (void)arg;
    ga_scope_open(&scope, GA_FOREVER);
    ga_scope_cancel(&scope);
    assert_int_equal(ga_to_thread(nap, &number), GA_ECANCELED);
    assert_int_equal(number, 0); /* it did not run */
    ga_scope_close(&scope);

    ga_scope_open(&scope, 0.01);
    assert_int_equal(ga_to_thread(nap, &number), 1); /* it ran to its end */
    assert_true(ga_now() - begin > 0.045);
    assert_int_equal(ga_sleep(0), GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    return 0;
}

static void a_function_on_a_thread_is_not_interrupted(void **state)
{
    (void)state;
    run(cancel_it, NULL);
}

/* --- handles -------------------------------------------------------------------------------------- */

struct meeting {
    ga_handle *handle;
    ga_event event;
    ga_semaphore semaphore;
    ga_channel *channel;
    int next[4]; /* the number that each caller is to send next */
    int caller;
};

static void set_event(void *arg)
{
    ga_event_set(&((struct meeting *)arg)->event);
}

static void *call_back(void *arg)
{
    struct meeting *meeting = arg;

    usleep(20000);
    assert_int_equal(ga_handle_call(meeting->handle, set_event, meeting), 0);
    return NULL;
}

static int wait_for_thread(void *arg)
{
    struct meeting meeting = {.handle = ga_handle_new()};
    pthread_t thread;

    (void)arg;
    ga_event_init(&meeting.event);
    pthread_create(&thread, NULL, call_back, &meeting);
    assert_int_equal(ga_event_wait(&meeting.event), 0); /* not a deadlock while there is a handle */
    pthread_join(thread, NULL);
    ga_handle_free(meeting.handle);
    return 0;
}

static void another_thread_wakes_a_task(void **state)
{
    (void)state;
    run(wait_for_thread, NULL);
}

static void *give_up(void *arg)
{
    usleep(20000);
    ga_handle_free(arg);
    return NULL;
}

static int wait_in_vain(void *arg)
{
    ga_event event;

    ga_event_init(&event);
    pthread_create(arg, NULL, give_up, ga_handle_new());
    return ga_event_wait(&event);
}

static void without_a_handle_waiting_is_a_deadlock(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(ga_run(wait_in_vain, &thread), GA_EDEADLK);
    pthread_join(thread, NULL);
}

struct message {
    struct meeting *meeting;
    int from, number;
};

static void deliver(void *arg)
{
    struct message *message = arg;
    struct meeting *meeting = message->meeting;

    assert_int_equal(message->number, meeting->next[message->from]++); /* each caller's calls come in order */
    free(message);
    ga_semaphore_release(&meeting->semaphore);
}

enum { CALLERS = 4, CALLS = 2000 };

static void *call_often(void *arg)
{
    struct message *first = arg;

    for (int i = 0; i < CALLS; i++) {
        struct message *message = malloc(sizeof *message);

        *message = (struct message){first->meeting, first->from, i};
        assert_int_equal(ga_handle_call(first->meeting->handle, deliver, message), 0);
    }
    return NULL;
}

static int receive_calls(void *arg)
{
    struct meeting meeting = {.handle = ga_handle_new()};
    struct message firsts[CALLERS];
    pthread_t threads[CALLERS];

    (void)arg;
    ga_semaphore_init(&meeting.semaphore, 0);
    for (int i = 0; i < CALLERS; i++) {
        firsts[i] = (struct message){.meeting = &meeting, .from = i};
        pthread_create(&threads[i], NULL, call_often, &firsts[i]);
    }
    for (int i = 0; i < CALLERS * CALLS; i++)
        assert_int_equal(ga_semaphore_acquire(&meeting.semaphore), 0);
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(meeting.next[i], CALLS);
    }
    ga_handle_free(meeting.handle);
    return 0;
}

static void each_call_is_made_once_and_in_order(void **state)
{
    (void)state;
    run(receive_calls, NULL);
}

struct opening {
    ga_handle *handle;
    ga_group group;
    ga_event event;
    int started, slept;
};

static int sleep_a_little(void *arg)
{
    struct opening *opening = arg;
    int code = ga_sleep(0.001);

    opening->slept += code == 0;
    return code;
}

static void start_task(void *arg)
{
    struct opening *opening = arg;

    assert_int_equal(ga_sleep(0.001), GA_ENOTASK); /* no task runs here */
    assert_non_null(ga_spawn(&opening->group, sleep_a_little, opening));
    if (++opening->started == 3)
        ga_event_set(&opening->event);
}

static void *ask_for_tasks(void *arg)
{
    struct opening *opening = arg;

    for (int i = 0; i < 3; i++)
        assert_int_equal(ga_handle_call(opening->handle, start_task, opening), 0);
    return NULL;
}

static int let_start(void *arg)
{
    struct opening opening = {.handle = ga_handle_new()};
    pthread_t thread;

    (void)arg;
    ga_event_init(&opening.event);
    ga_group_open(&opening.group, GA_FAIL_FAST);
    pthread_create(&thread, NULL, ask_for_tasks, &opening);
    assert_int_equal(ga_event_wait(&opening.event), 0);
    assert_int_equal(ga_gather(&opening.group), 0);
    assert_int_equal(opening.slept, 3);
    ga_group_close(&opening.group);
    pthread_join(thread, NULL);
    ga_handle_free(opening.handle);
    return 0;
}

static void a_call_may_start_tasks(void **state)
{
    (void)state;
    run(let_start, NULL);
}

static void never(void *arg)
{
    fail_msg("a call that came too late was made: %s", (const char *)arg);
}

static int leave_handle(void *arg)
{
    *(ga_handle **)arg = ga_handle_new();
    assert_non_null(*(ga_handle **)arg);
    /* The loop ends before it looks again. */
    assert_int_equal(ga_handle_call(*(ga_handle **)arg, never, (char[]){"in the last turn"}), 0);
    return 0;
}

static void a_handle_may_outlive_its_loop(void **state)
{
    ga_handle *handle = NULL;

    (void)state;
    run(leave_handle, &handle);
    assert_int_equal(ga_handle_call(handle, never, (char[]){"after the end"}), GA_ECLOSED);
    assert_int_equal(ga_error()->code, GA_ECLOSED);
    ga_handle_free(handle);
    ga_handle_free(NULL);
    assert_null(ga_handle_new());
    assert_int_equal(ga_error()->code, GA_ENOTASK);
    assert_int_equal(ga_handle_call(NULL, never, NULL), GA_ENOTASK);
}

/* --- several loops -------------------------------------------------------------------------------- */

enum { LOOPS = 4, ROUNDS = 500 };

/* A ring of loops, each on a thread of its own; a token goes round, and counts the stations. */
struct station {
    struct station *next;
    ga_handle *handle;
    ga_channel *channel;
    pthread_t thread;
    pthread_barrier_t *ready;
    int received;
    bool starts;
};

struct token {
    int count;
};

struct trip {
    struct station *to;
    struct token *token;
};

static void arrive(void *arg)
{
    struct trip *trip = arg;

    assert_int_equal(ga_channel_try_send(trip->to->channel, &trip->token), 0);
    free(trip);
}

static void send_on(struct station *to, struct token *token)
{
    struct trip *trip = malloc(sizeof *trip);

    *trip = (struct trip){to, token};
    assert_int_equal(ga_handle_call(to->handle, arrive, trip), 0);
}

static int add_one(void *arg)
{
    return ++((struct token *)arg)->count;
}

static int work_at_station(void *arg)
{
    struct station *station = arg;
    struct token *token;

    station->handle = ga_handle_new();
    station->channel = ga_channel_new(sizeof token, 4);
    pthread_barrier_wait(station->ready);
    if (station->starts)
        send_on(station, calloc(1, sizeof *token));
    while (station->received < ROUNDS) {
        assert_int_equal(ga_channel_receive(station->channel, &token), 0);
        station->received++;
        assert_true(ga_to_thread(add_one, token) > 0);
        if (token->count < LOOPS * ROUNDS)
            send_on(station->next, token);
        else
            free(token);
    }
    ga_channel_free(station->channel);
    return 0;
}

static void *run_station(void *arg)
{
    run(work_at_station, arg);
    return NULL;
}

static void loops_on_threads_hand_over_to_each_other(void **state)
{
    struct station stations[LOOPS] = {{.starts = true}};
    pthread_barrier_t ready;

    (void)state;
    pthread_barrier_init(&ready, NULL, LOOPS);
    for (int i = 0; i < LOOPS; i++) {
        stations[i].next = &stations[(i + 1) % LOOPS];
        stations[i].ready = &ready;
        pthread_create(&stations[i].thread, NULL, run_station, &stations[i]);
    }
    for (int i = 0; i < LOOPS; i++)
        pthread_join(stations[i].thread, NULL);
    for (int i = 0; i < LOOPS; i++) {
        assert_int_equal(stations[i].received, ROUNDS);
        ga_handle_free(stations[i].handle);
    }
    pthread_barrier_destroy(&ready);
}

/* --- fork ----------------------------------------------------------------------------------------- */

static int child_s_loop(void *arg)
{
    int number = 1;

    (void)arg;
    return ga_to_thread(nap, &number) == 2 ? 0 : -1;
}

/* In the child: the status to exit with, 0 when all is as it should be. */
static int check_in_child(ga_handle *handle)
{
    int number = 0;

    if (ga_to_thread(nap, &number) != GA_EFORKED || number)
        return 1;
    if (ga_handle_call(handle, never, (char[]){"from the child"}) != GA_EFORKED)
        return 2;
    ga_handle_free(handle);
    return ga_run(child_s_loop, NULL) == 0 ? 0 : 3;
}

static int fork_in_task(void *arg)
{
    ga_handle *handle = ga_handle_new();
    int number = 0, status = -1;

    (void)arg;
    assert_int_equal(ga_to_thread(nap, &number), 1); /* a thread of the pool is idle now */
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(check_in_child(handle));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(ga_to_thread(nap, &number), 2);
    ga_handle_free(handle);
    return 0;
}

static void a_forked_child_begins_with_an_empty_pool(void **state)
{
    (void)state;
    if (check_slowed() && !GA__ASAN)
        skip(); /* TSan lets such a child start no threads; valgrind calls the parent's, which it lacks, leaks
                 */
    run(fork_in_task, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_on_a_thread_does_not_hold_the_loop),
        cmocka_unit_test(its_error_becomes_the_task_s),
        cmocka_unit_test(the_pool_is_bounded_and_its_line_is_fair),
        cmocka_unit_test(a_function_on_a_thread_is_not_interrupted),
        cmocka_unit_test(another_thread_wakes_a_task),
        cmocka_unit_test(without_a_handle_waiting_is_a_deadlock),
        cmocka_unit_test(each_call_is_made_once_and_in_order),
        cmocka_unit_test(a_call_may_start_tasks),
        cmocka_unit_test(a_handle_may_outlive_its_loop),
        cmocka_unit_test(loops_on_threads_hand_over_to_each_other),
        cmocka_unit_test(a_forked_child_begins_with_an_empty_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
