/* SPDX-License-Identifier: MIT */
/*
 * Random programs of tasks on the simulated loop: trees of groups of each kind, scopes with deadlines and
 * shields, locks, channels and events, and cancellations wherever they hit. Whatever happens, each task ends
 * once and with its own code; what was cancelled did not happen; what completed did; nothing is left behind;
 * and the same seed does the same again.
 */
#include "check.h"

#include "sim/sim.h"
#include "task/loop.h"
#include <gather/sync.h>
#include <gather/task.h>
#include <string.h>

enum {
    MOST_TASKS = 64,
    MOST_SCOPES = 256,
    MOST_ELEMENTS = 1024,
    PERMITS = 2,
    DEPTH = 3,      /* of scopes and groups inside each other in one task */
    FAILURE = -1000 /* and below, each being its own */
};

struct being {     /* a task of the program */
    ga_task *task; /* NULL where it may be gone, and after its group was closed */
    ga_group *group;
    int group_number;
    int code;
    int ended; /* as which of all; 0: not yet */
};

static struct world {
    struct being beings[MOST_TASKS];
    int born, ended, groups;
    ga_scope *scopes[MOST_SCOPES]; /* open ones */
    int scope_count;
    ga_semaphore semaphore;
    int permits_held;
    ga_mutex mutex;
    const struct being *owner;
    ga_event event;
    ga_channel *channels[2];
    enum { NOT_SENT, SENDING, SENT, REFUSED } elements[MOST_ELEMENTS];
    bool received[MOST_ELEMENTS];
    int next_element, sent_count, received_count;
    uint64_t fingerprint;
    const char *broken; /* the first invariant that did not hold */
    int broken_line;
} world;

/* Asserting would leave the loop by a jump, and the seed untold. */
#define HOLDS(condition)                     \
    do {                                     \
        if (!(condition) && !world.broken) { \
            world.broken = #condition;       \
            world.broken_line = __LINE__;    \
        }                                    \
    } while (0)

static int draw(int below)
{
    return (int)(ga__sim_random(ga__loop_here->poller) % (uint64_t)below);
}

static bool chance(int percent)
{
    return draw(100) < percent;
}

static double some_time(void)
{
    static const double times[] = {0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2};

    return times[draw(6)] * draw(8);
}

static void note(const struct being *self, const char *what, int code)
{
    uint64_t hash = world.fingerprint;

    hash = (hash ^ (uint64_t)(self - world.beings)) * UINT64_C(0x100000001b3);
    for (; *what; what++)
        hash = (hash ^ (uint64_t)*what) * UINT64_C(0x100000001b3);
    hash = (hash ^ (uint64_t)(code + 1000)) * UINT64_C(0x100000001b3);
    world.fingerprint = (hash ^ (uint64_t)(ga_now() * 1e9)) * UINT64_C(0x100000001b3);
}

/* What holds of every call that suspends. */
static void check_call(struct being *self, const char *what, bool cancelled_before, int code)
{
    HOLDS(code == 0 || code == GA_ECANCELED);
    HOLDS(!cancelled_before || code == GA_ECANCELED);
    HOLDS(code == 0 || ga_scope_cancelled(NULL));
    HOLDS(code == 0 || ga_error()->code == GA_ECANCELED);
    note(self, what, code);
}

#define CALL(self, call)                                     \
    __extension__({                                          \
        bool cancelled_before_ = ga_scope_cancelled(NULL);   \
        int code_ = (call);                                  \
        check_call((self), #call, cancelled_before_, code_); \
        code_;                                               \
    })

/* --- single steps --------------------------------------------------------------------------------- */

static void do_sleep(struct being *self)
{
    double seconds = some_time(), start = ga_now();

    if (CALL(self, ga_sleep(seconds)) == 0)
        HOLDS(ga_now() - start >= seconds - 1e-9);
}

static void do_yield(struct being *self)
{
    CALL(self, ga_yield());
}

/* Uses the budget up but for a few calls, so that one of those to come lets others run. */
static void do_spin(struct being *self)
{
    int left = 1 + draw(3);

    while (ga__current()->budget > left && ga__checkpoint() == 0)
        ;
    note(self, "spin", 0);
}

static void do_semaphore(struct being *self)
{
    if (CALL(self, ga_semaphore_acquire(&world.semaphore)) < 0)
        return;
    HOLDS(++world.permits_held <= PERMITS);
    if (chance(50))
        do_sleep(self);
    world.permits_held--;
    ga_semaphore_release(&world.semaphore);
}

static void do_mutex(struct being *self)
{
    if (CALL(self, ga_mutex_lock(&world.mutex)) < 0)
        return;
    HOLDS(world.owner == NULL);
    world.owner = self;
    if (chance(50))
        do_sleep(self);
    HOLDS(world.owner == self);
    world.owner = NULL;
    HOLDS(ga_mutex_unlock(&world.mutex) == 0);
}

static void do_send(struct being *self)
{
    int element = world.next_element;

    if (element == MOST_ELEMENTS)
        return;
    world.next_element++;
    world.elements[element] = SENDING;
    int code = CALL(self, ga_channel_send(world.channels[draw(2)], &element));

    world.elements[element] = code == 0 ? SENT : REFUSED;
    HOLDS(code == 0 || !world.received[element]); /* cancelled: it did not happen */
    world.sent_count += code == 0;
}

static void do_receive(struct being *self)
{
    int element = -1;

    if (CALL(self, ga_channel_receive(world.channels[draw(2)], &element)) < 0) {
        HOLDS(element == -1);
        return;
    }
    HOLDS(element >= 0 && element < world.next_element);
    HOLDS(world.elements[element] == SENDING || world.elements[element] == SENT);
    HOLDS(!world.received[element]);
    world.received[element] = true;
    world.received_count++;
}

static void do_event(struct being *self)
{
    if (chance(50))
        ga_event_set(&world.event);
    else if (chance(50))
        ga_event_clear(&world.event);
    else
        CALL(self, ga_event_wait(&world.event));
}

static void do_join(struct being *self)
{
    struct being *other = &world.beings[draw(world.born)];

    if (!other->task || other == self)
        return;
    bool cancelled = ga_scope_cancelled(NULL);
    int code = ga_task_join(other->task);

    note(self, "join", code);
    if (code == GA_ECANCELED && ga_scope_cancelled(NULL))
        return;
    HOLDS(!cancelled && other->ended && code == other->code);
    HOLDS(code >= 0 || ga_error()->code == code);
}

static void do_cancel(struct being *self)
{
    struct being *other = &world.beings[draw(world.born)];

    note(self, "cancel", 0);
    if (chance(40) && world.scope_count)
        ga_scope_cancel(world.scopes[draw(world.scope_count)]);
    else if (other->task)
        ga_task_cancel(other->task);
}

/* --- what other steps lie inside of --------------------------------------------------------------- */

static void live_on(struct being *self, int depth);

static void add_scope(ga_scope *scope)
{
    if (world.scope_count < MOST_SCOPES)
        world.scopes[world.scope_count++] = scope;
}

static void drop_scope(const ga_scope *scope)
{
    for (int i = 0; i < world.scope_count; i++)
        if (world.scopes[i] == scope)
            world.scopes[i--] = world.scopes[--world.scope_count];
}

/* A scope is cancelled by itself or by what is around it now. */
static void check_scope(const ga_scope *scope)
{
    bool from_outside = !(scope->flags_ & GA__SCOPE_SHIELDED) && ga_scope_cancelled(scope->parent_);

    HOLDS(!ga_scope_cancelled(scope) || (scope->flags_ & GA__SCOPE_OWN) || from_outside);
}

static int close_scope(struct being *self, ga_scope *scope)
{
    drop_scope(scope);
    check_scope(scope);
    int code = ga_scope_close(scope);

    note(self, "]", code);
    HOLDS(code == 0 || code == GA_ETIMEDOUT || code == GA_ECANCELED);
    HOLDS((code == GA_ECANCELED) == (ga_scope_cancelled(NULL) != 0)); /* by what is around it */
    HOLDS(code == 0 || ga_error()->code == code);
    return code;
}

static void do_scope(struct being *self, int depth)
{
    ga_scope scope;
    double seconds = 20 * some_time(), start = ga_now();

    if (chance(20))
        ga_scope_open_shielded(&scope, seconds);
    else
        ga_scope_open(&scope, chance(50) ? GA_FOREVER : seconds);
    add_scope(&scope);
    live_on(self, depth + 1);
    if (close_scope(self, &scope) == GA_ETIMEDOUT)
        HOLDS(ga_now() - start >= seconds);
}

/* Steps that may wait for what never comes have a deadline around them. */
static void do_with_deadline(struct being *self, void (*step)(struct being *self))
{
    ga_scope scope;

    ga_scope_open(&scope, some_time() + 1e-3);
    add_scope(&scope);
    step(self);
    close_scope(self, &scope);
}

static int live(void *arg);

static void bear(struct being *parent, ga_group *group, int group_number)
{
    if (world.born == MOST_TASKS)
        return;
    struct being *child = &world.beings[world.born++];

    *child = (struct being){.group = group, .group_number = group_number};
    ga_task *task = ga_spawn(group, live, child);

    HOLDS(task != NULL);
    if (!(group->flags_ & GA_DISCARD))
        child->task = task;
    note(parent, "bear", world.born);
}

/* The group's tasks have ended: how many of them failed, and which was the first. */
static int count_failures(int group_number, const struct being **first)
{
    int failures = 0;

    *first = NULL;
    for (struct being *being = world.beings; being < world.beings + world.born; being++) {
        if (being->group_number != group_number)
            continue;
        HOLDS(being->ended);
        HOLDS(!being->task || ga_task_done(being->task));
        if (being->code > FAILURE)
            continue;
        failures++;
        if (!*first || being->ended < (*first)->ended)
            *first = being;
    }
    return failures;
}

static void forget_group(int group_number)
{
    for (struct being *being = world.beings; being < world.beings + world.born; being++)
        if (being->group_number == group_number)
            being->task = NULL;
}

static void gather(struct being *self, ga_group *group, int group_number)
{
    bool cancelled_before = ga_scope_cancelled(NULL);
    int code = ga_gather(group);
    const struct being *first;
    int failures = count_failures(group_number, &first);

    note(self, "gather", code);
    HOLDS(ga_group_running(group) == 0);
    HOLDS(ga_scope_cancelled(&group->scope_) == ga_scope_cancelled(group->scope_.parent_));
    check_scope(ga__current()->scope);
    if (code == GA_ECANCELED)
        return;
    if (group->flags_ & GA_COLLECT)
        HOLDS(code == failures);
    else if (group->flags_ & GA_DISCARD)
        HOLDS(code == 0);
    else
        HOLDS(code == (first ? first->code : 0));
    HOLDS(!cancelled_before || code <= FAILURE || !ga_scope_cancelled(NULL));
}

static void do_group(struct being *self, int depth)
{
    static const int kinds[] = {GA_FAIL_FAST, GA_FAIL_FAST, GA_COLLECT, GA_DISCARD};
    ga_group group;
    int number = ++world.groups;

    ga_group_open(&group, kinds[draw(4)]);
    add_scope(&group.scope_);
    for (int children = draw(4); children >= 0; children--)
        bear(self, &group, number);
    if (chance(50))
        live_on(self, depth + 1);
    if (chance(5))
        ga_group_cancel(&group);
    if (chance(20)) {
        ga_scope scope;

        ga_scope_open(&scope, 20 * some_time());
        gather(self, &group, number);
        note(self, "]", ga_scope_close(&scope));
    } else if (chance(70)) {
        gather(self, &group, number);
    }
    /* It is closed with its scope still open to cancellation, and its tasks to more children. */
    for (int i = 0; i < world.born; i++)
        if (world.beings[i].group_number == number && chance(50))
            world.beings[i].task = NULL;
    ga_group_close(&group);
    for (int i = 0; i < world.born; i++)
        HOLDS(world.beings[i].group_number != number || world.beings[i].ended);
    forget_group(number);
    drop_scope(&group.scope_);
}

static void live_on(struct being *self, int depth)
{
    static void (*const brief[])(struct being *) = {do_sleep,     do_yield, do_semaphore, do_mutex,
                                                    do_semaphore, do_mutex, do_spin};
    static void (*const endless[])(struct being *) = {do_send, do_receive, do_event, do_join};

    for (int steps = draw(6); steps > 0; steps--) {
        int which = draw(100);

        if (ga_scope_cancelled(NULL) && chance(60))
            return; /* as a well-behaved function does */

        if (which < 40)
            brief[draw(7)](self);
        else if (which < 70)
            do_with_deadline(self, endless[draw(4)]);
        else if (which < 71)
            do_cancel(self);
        else if (which < 78 && self->group)
            bear(self, self->group, self->group_number);
        else if (depth < DEPTH && which < 91)
            do_scope(self, depth);
        else if (depth < DEPTH)
            do_group(self, depth);
    }
}

static int live(void *arg)
{
    struct being *self = arg;

    HOLDS(!self->ended);
    live_on(self, 0);
    if (chance(3))
        self->code = ga_fail(FAILURE - (int)(self - world.beings), "being %d has had enough",
                             (int)(self - world.beings));
    else if (ga_scope_cancelled(NULL) && chance(80))
        self->code = GA_ECANCELED;
    else
        self->code = draw(5);
    HOLDS(!self->ended);
    self->ended = ++world.ended;
    note(self, "end", self->code);
    return self->code;
}

/* --- the program ---------------------------------------------------------------------------------- */

static void check_nothing_is_left(void)
{
    ga__loop *loop = ga__loop_here;
    size_t left = ga_channel_count(world.channels[0]) + ga_channel_count(world.channels[1]);

    HOLDS(world.ended == world.born - 1); /* the first still runs */
    HOLDS(loop->task_count == 1);
    HOLDS(loop->timers.count == 0);
    HOLDS(loop->external == 0);
    HOLDS(loop->stacks.in_use == 1);
    HOLDS(ga__list_empty(&loop->ready));
    HOLDS(ga__list_empty(&loop->root->root.children_));
    HOLDS(loop->root->scope == &loop->root->root);
    HOLDS(world.scope_count == 0);
    HOLDS(world.permits_held == 0);
    HOLDS(ga_semaphore_permits(&world.semaphore) == PERMITS);
    HOLDS(ga_mutex_try_lock(&world.mutex) == 0);
    HOLDS(world.received_count + (int)left == world.sent_count);
}

static int program(void *arg)
{
    struct being *first = &world.beings[0];

    memset(&world, 0, sizeof world);
    world.born = 1;
    ga_semaphore_init(&world.semaphore, PERMITS);
    ga_mutex_init(&world.mutex);
    ga_event_init(&world.event);
    for (int i = 0; i < 2; i++)
        world.channels[i] = ga_channel_new(sizeof(int), (size_t)draw(3));
    do_group(first, 0);
    live_on(first, 0);
    do_group(first, 0);
    check_nothing_is_left();
    for (int i = 0; i < 2; i++)
        ga_channel_free(world.channels[i]);
    if (arg)
        *(uint64_t *)arg = world.fingerprint;
    return world.broken ? ga_fail(GA_EUSAGE, "line %d: %s", world.broken_line, world.broken) : 0;
}

static void expect_unread(const char *task, const char *where, const ga_error_detail *error)
{
    (void)task;
    (void)where;
    HOLDS(error->code <= FAILURE);
}

static void whatever_happens_the_invariants_hold(void **state)
{
    ga__sim_options options = {0};

    (void)state;
    ga_on_unread_error(expect_unread);
    assert_int_equal(ga__sim_run_seeds(1, check_slowed() ? 300 : 10000, &options, program, NULL), 0);
}

static void the_same_seed_does_the_same(void **state)
{
    ga__sim_options options = {0};
    uint64_t first = 0, second = 0, other = 0;
    int different = 0;

    (void)state;
    for (uint64_t seed = 100000; seed < 100050; seed++) {
        options.seed = seed;
        assert_int_equal(ga__run_on(ga__sim_new(&options), NULL, seed, program, &first), 0);
        assert_int_equal(ga__run_on(ga__sim_new(&options), NULL, seed, program, &second), 0);
        assert_true(first == second);
        different += first != other;
        other = first;
    }
    assert_true(different > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_the_invariants_hold),
        cmocka_unit_test(the_same_seed_does_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
