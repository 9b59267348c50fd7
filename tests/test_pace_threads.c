/* SPDX-License-Identifier: MIT */
/* One pace for the loops of two threads: no window sees more starts than the rate allows to both together,
 * what an answer says holds for both, and so do the limits. Attempts without requests, so that what is
 * measured is the pace. */
#include "check.h"

#include "client/pace.h"
#include "task/loop.h"
#include <gather.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TASKS = 20, MOST = 4000 };

/* What the threads share. */
typedef struct common {
    ga_pace *pace;
    pthread_mutex_t mutex;
    double began, starts[MOST];
    int count;
    int under_way, most_under_way;
    int each;         /* attempts of each task */
    double lasts;     /* seconds, an attempt */
    int refuse_at;    /* the so-manieth start is answered with 429 */
    double refused;   /* when */
    uint64_t give_up; /* every so-manieth attempt is given up after a moment; 0: none */
    int failures;
    unsigned seen[2]; /* starts by thread */
} common;

typedef struct member {
    common *crowd;
    ga__pace_door *door;
    ga__url url;
    int thread;
    int left;
    uint64_t random;
} member;

static double seconds(void)
{
    return (double)ga__now_exact() * 1e-9;
}

/* The same clock, outside of a loop. */
static double wall_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* @return whether it is the one that is refused */
static bool note_start(member *self)
{
    common *crowd = self->crowd;

    pthread_mutex_lock(&crowd->mutex);
    assert_in_range(crowd->count, 0, MOST - 1);
    crowd->starts[crowd->count++] = seconds();
    crowd->seen[self->thread]++;
    if (++crowd->under_way > crowd->most_under_way)
        crowd->most_under_way = crowd->under_way;
    bool refused = crowd->count == crowd->refuse_at;

    pthread_mutex_unlock(&crowd->mutex);
    return refused;
}

static void note_end(common *crowd)
{
    pthread_mutex_lock(&crowd->mutex);
    crowd->under_way--;
    pthread_mutex_unlock(&crowd->mutex);
}

static void attempt(member *self)
{
    common *crowd = self->crowd;
    ga__pace_stay stay = {0};
    ga__advice silent = {-1, -1, -1, -1}, asks = {0.5, -1, -1, -1};
    uint64_t until, deadline = GA__NEVER;

    self->random = self->random * 6364136223846793005u + 1442695040888963407u;
    if (crowd->give_up > 0 && (self->random >> 33) % crowd->give_up == 0)
        deadline = ga__now_exact() + (self->random >> 40) % 20000000;
    ga__pace_wish wish = {.url = &self->url, .deadline = deadline, .latest = GA__NEVER};
    int code = ga__pace_enter(self->door, &wish, &stay, &until);

    if (code < 0) {
        pthread_mutex_lock(&crowd->mutex);
        crowd->failures += code != GA_ETIMEDOUT;
        pthread_mutex_unlock(&crowd->mutex);
        return;
    }
    bool refused = note_start(self);

    if (crowd->lasts > 0)
        ga_sleep(crowd->lasts);
    note_end(crowd);
    ga__pace_answered(&stay, refused ? 429 : 200, refused ? &asks : &silent, -1);
    if (refused)
        crowd->refused = seconds(); /* written once, and read after the end */
    ga__pace_done(&stay);
    ga__pace_end(&stay);
}

static int attempt_repeatedly(void *arg)
{
    member *self = arg;

    while (self->left-- > 0)
        attempt(self);
    return 0;
}

static int run_members(void *arg)
{
    member *first = arg;
    ga__pace_door *door = ga__pace_door_new(first->crowd->pace);
    ga_group group;

    assert_non_null(door);
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < TASKS; i++) {
        first[i].door = door;
        ga_spawn(&group, attempt_repeatedly, &first[i]);
    }
    ga_gather(&group);
    ga_group_close(&group);
    ga__pace_door_free(door);
    return 0;
}

static void *run_thread(void *arg)
{
    return (void *)(intptr_t)ga_run(run_members, arg);
}

static void run_crowd(common *crowd)
{
    static const char url[] = "http://example.com/";
    member *members = calloc(2 * TASKS, sizeof *members);
    const char *reason;
    pthread_t threads[2];
    void *code;

    assert_non_null(members);
    assert_non_null(crowd->pace);
    pthread_mutex_init(&crowd->mutex, NULL);
    for (int i = 0; i < 2 * TASKS; i++) {
        members[i] = (member){
            .crowd = crowd, .thread = i / TASKS, .left = crowd->each, .random = (uint64_t)i * 977 + 1};
        assert_int_equal(ga__url_parse(&members[i].url, url, strlen(url), NULL, &reason), 0);
    }
    crowd->began = wall_seconds();
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_thread, &members[(size_t)i * TASKS]), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], &code), 0);
        assert_int_equal((intptr_t)code, 0);
    }
    ga_pace_state state;

    ga_pace_status(crowd->pace, &state);
    assert_int_equal(state.waiting + state.under_way + state.retrying, 0);
    assert_int_equal(crowd->failures, 0);
    assert_int_equal(crowd->pace->references, 1);
    for (int i = 0; i < 2 * TASKS; i++)
        ga__url_free(&members[i].url);
    pthread_mutex_destroy(&crowd->mutex);
    ga_pace_free(crowd->pace);
    free(members);
}

/* The most starts within any so many seconds. */
static int most_within(const common *crowd, double length)
{
    int most = 0;

    for (int first = 0, last = 0; last < crowd->count; last++) {
        while (crowd->starts[last] - crowd->starts[first] >= length)
            first++;
        if (last - first + 1 > most)
            most = last - first + 1;
    }
    return most;
}

static void a_rate_is_one_for_all_loops(void **state)
{
    for (int per_host = 0; per_host < 2; per_host++) {
        common *self = calloc(1, sizeof *self);

        (void)state;
        assert_non_null(self);
        self->pace = per_host ? ga_pace_new(.rate_per_host = 400, .burst_per_host = 5)
                              : ga_pace_new(.rate = 400, .burst = 5);
        self->each = 15;
        run_crowd(self);
        assert_int_equal(self->count, 600);
        /* A start is noted when its task runs, which may be late, but never early. */
        for (int i = 0; i < 600; i++)
            assert_true(self->starts[i] - self->began > (i - 5) / 400.0 - 0.001);
        assert_in_range(most_within(self, 0.5), 0, 205 + 100);
        assert_in_range(self->seen[0], 300, 300);
        free(self);
    }
}

static void a_limit_is_one_for_all_loops(void **state)
{
    for (int per_host = 0; per_host < 2; per_host++) {
        common *self = calloc(1, sizeof *self);

        (void)state;
        assert_non_null(self);
        self->pace = per_host ? ga_pace_new(.limit_requests_per_host = 3) : ga_pace_new(.limit_requests = 3);
        self->each = 20;
        self->lasts = 0.0005;
        run_crowd(self);
        assert_int_equal(self->count, 800);
        assert_in_range(self->most_under_way, 2, 3);
        free(self);
    }
}

static void a_cool_down_holds_in_all_loops(void **state)
{
    common *self = calloc(1, sizeof *self);
    int meanwhile = 0;

    (void)state;
    assert_non_null(self);
    self->pace = ga_pace_new(.limit_requests = 4, .adapt = -1);
    self->each = 5;
    self->lasts = 0.001;
    self->refuse_at = 40;
    run_crowd(self);
    assert_int_equal(self->count, 200);
    assert_true(self->refused > 0);
    for (int i = 0; i < self->count; i++)
        meanwhile += self->starts[i] > self->refused && self->starts[i] < self->refused + 0.45;
    assert_in_range(meanwhile, 0, 3); /* who was let in before may note it later */
    assert_true(self->starts[199] > self->refused + 0.45);
    free(self);
}

static void who_gives_up_in_one_loop_lets_the_others_go_on(void **state)
{
    common *self = calloc(1, sizeof *self);

    (void)state;
    assert_non_null(self);
    self->pace = ga_pace_new(.limit_requests = 2, .rate = 3000);
    self->each = 40;
    self->lasts = 0.0002;
    self->give_up = 3;
    run_crowd(self);
    assert_in_range(self->count, 100, 1599);
    assert_in_range(self->most_under_way, 1, 2);
    free(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_one_for_all_loops),
        cmocka_unit_test(a_limit_is_one_for_all_loops),
        cmocka_unit_test(a_cool_down_holds_in_all_loops),
        cmocka_unit_test(who_gives_up_in_one_loop_lets_the_others_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
