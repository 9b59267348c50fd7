/* SPDX-License-Identifier: MIT */
/*
 * Who may start, and the lines of those who may not yet. Called by client/attempts.c, by no call of a session
 * that asks for none of this, and by client/pace_answer.c when something has changed.
 *
 * Two gates stand in a row: the host's (what the server asks for, its rates, how many are under way to it),
 * and the one of all hosts. The first in a host's line that has only the second before him has the host stand
 * in pace->turns; both are passed at one moment, so the rates hold for what really starts.
 *
 * Invariant, while the pace is unlocked: the first in each line is parked no longer than until its gate
 * opens by itself, and the first host's in pace->turns no longer than until the gate of all does; what else
 * opens a gate (an answer, a body's end) serves the line. A waiter's record lies on its task's stack, and is
 * its own only as long as the pace is locked: who lets him in writes it there, and wakes the task, of another
 * loop by way of its door. So being let in wins over a deadline and a cancellation.
 */
#include "client/pace.h"

#include "task/handle.h"
#include <math.h>
#include <stdlib.h>

static const double jitter = 0.2;          /* of a hold, on top of it */
static const double longest_jitter = 6e10; /* ns */

struct ga__pace_door {
    ga_pace *pace;
    uint64_t loop;
    ga_handle *handle; /* NULL: all who wait are of one loop */
    ga__list awake;    /* waiters that other loops woke */
    ga__call knock;
    bool knocked; /* `knock` is under way */
};

/* A task in line. */
typedef struct waiter {
    ga__link in_line; /* in host->line, while `code` is WAITING */
    ga__link awake;   /* in door->awake */
    ga__pace_door *door;
    ga__pace_host *host;
    ga_task *task;
    ga__pace_stay *stay;
    double cost;
    uint64_t latest;
    uint64_t until; /* when to come back, where it was sent away */
    uint64_t alarm; /* it is parked no longer than that */
    int code;       /* WAITING; 0: it was let in; why it was not */
} waiter;

enum { WAITING = 1 };

/* --- doors ---------------------------------------------------------------------------------------- */

static void wake_here(const waiter *self)
{
    if (self->task->state == GA__TASK_PARKED) /* else its deadline or a cancellation has woken it already */
        ga__wake(self->task, 0);
}

/* In the door's loop. */
static void open_door(void *arg)
{
    ga__pace_door *door = arg;
    ga_pace *pace = door->pace;

    pthread_mutex_lock(&pace->mutex);
    door->knocked = false;
    for (ga__link *link; (link = ga__list_pop_front(&door->awake));)
        wake_here(GA__OF(link, waiter, awake));
    pthread_mutex_unlock(&pace->mutex);
}

ga__pace_door *ga__pace_door_new(ga_pace *pace)
{
    ga__pace_door *door = calloc(1, sizeof *door);

    if (!door) {
        ga__fail(GA_ENOMEM, "no memory for a session");
        return NULL;
    }
    *door = (ga__pace_door){.pace = pace, .loop = ga__loop_id(), .knock = {.fn = open_door, .arg = door}};
    ga__list_init(&door->awake);
    if (pace->shared && !(door->handle = ga__handle_take())) {
        free(door);
        return NULL;
    }
    pthread_mutex_lock(&pace->mutex);
    pace->references++;
    pthread_mutex_unlock(&pace->mutex);
    return door;
}

void ga__pace_door_free(ga__pace_door *door)
{
    if (!door)
        return;
    pthread_mutex_lock(&door->pace->mutex);
    if (door->handle)
        ga__handle_take_back(door->handle, &door->knock);
    ga__pace_unlock_and_drop(door->pace);
    if (door->handle)
        ga__handle_drop(door->handle);
    free(door);
}

/* Has the waiter look again. */
static void wake(waiter *self)
{
    ga__pace_door *door = self->door;

    if (door->loop == ga__loop_id()) {
        wake_here(self);
        return;
    }
    if (!ga__linked(&self->awake))
        ga__list_push_back(&door->awake, &self->awake);
    if (!door->knocked)
        door->knocked = ga__handle_post(door->handle, &door->knock) == 0;
}

static void set_alarm(waiter *self, uint64_t at)
{
    if (at >= self->alarm)
        return;
    self->alarm = at;
    wake(self);
}

/* --- lines ---------------------------------------------------------------------------------------- */

static waiter *first_of(const ga__pace_host *host)
{
    ga__link *link = ga__list_first(&host->line);

    return link ? GA__OF(link, waiter, in_line) : NULL;
}

static void join_line(waiter *self)
{
    ga__list_push_back(&self->host->line, &self->in_line);
    self->host->in_line++;
    self->host->pace->waiting++;
}

static void leave_line(waiter *self, int code)
{
    ga__pace_host *host = self->host;

    ga__unlink(&self->in_line);
    host->in_line--;
    host->pace->waiting--;
    if (host->spread_left > host->in_line)
        host->spread_left = host->in_line;
    self->code = code;
}

/* Those for whom it is too long leave the line. */
static void refuse_those_before(ga__pace_host *host, uint64_t until)
{
    if (until <= host->told)
        return;
    host->told = until;
    for (ga__link *link = host->line.next, *next; link != &host->line; link = next) {
        waiter *each = GA__OF(link, waiter, in_line);

        next = link->next;
        if (each->latest >= until)
            continue;
        each->until = until;
        leave_line(each, GA_ERATELIMITED);
        wake(each);
    }
}

/* --- what the server asks for --------------------------------------------------------------------- */

/* The window has ended: the next grants what this one did, or one request, to ask how many. */
static void begin_window(ga__pace_host *host)
{
    host->granted = host->window_limit > 0 ? host->window_limit : (double)host->inside + 1;
    host->window_until = GA__NEVER;
    host->counted_at = ++host->sequence;
}

/* Until when the server wants nothing more; 0: it does not say so; GA__NEVER: until an answer comes. */
static uint64_t asked_until(ga__pace_host *host, uint64_t now)
{
    if (host->cool_until > now)
        return host->cool_until;
    if (host->counted && host->window_until <= now)
        begin_window(host);
    if (!host->counted || host->granted >= (double)host->inside + 1)
        return 0;
    if (host->inside > 0 || host->window_until < GA__NEVER)
        return host->window_until;
    host->counted = false; /* nobody is left who could learn how many */
    return 0;
}

/* Draws when the next of those that were held may go. Going in order, at the times of as many independent
 * draws: the least of n of them is followed by the least of n - 1 above it. */
static void draw_next(ga__pace_host *host)
{
    if (host->spread_left > 0)
        host->spread_at = 1 - (1 - host->spread_at) *
                                  pow(ga__pace_draw_locked(host->pace), 1.0 / (double)host->spread_left);
}

/* A hold has come to its end. Those in line come one after another, and no burst makes up for the time. */
static void end_hold(ga__pace_host *host)
{
    uint64_t end = host->held_until;

    host->spread_left = host->in_line;
    host->spread_at = 0;
    host->spread_from = end;
    host->spread_time = fmin((double)(end - host->held_since) * jitter, longest_jitter);
    draw_next(host);
    ga__bucket_pause(&host->requests, end);
    ga__bucket_pause(&host->tokens, end);
}

/* Until when the line is held; 0: it is not; GA__NEVER: until an answer comes. */
static uint64_t check_hold(ga__pace_host *host, uint64_t now)
{
    uint64_t until = asked_until(host, now);

    if (until > 0 && until < GA__NEVER) {
        if (host->held_since == 0 || host->held_until <= now)
            host->held_since = now;
        host->held_until = until;
        host->spread_left = 0;
    } else if (host->held_since > 0) {
        if (host->held_until <= now)
            end_hold(host);
        host->held_since = 0;
    }
    return until;
}

/* --- the gates ------------------------------------------------------------------------------------ */

static uint64_t opens_at(ga__pace_host *host, double cost, uint64_t now)
{
    const ga_pace *pace = host->pace;
    uint64_t at = now;

    host->why = "limit";
    if (pace->adaptive && host->inside >= ga__adaptive_limit(&host->adaptive))
        return GA__NEVER;
    if (host->under_way >= pace->limit_per_host)
        return GA__NEVER;
    if (host->spread_left > 0) {
        host->why = "cool-down";
        at = host->spread_from + (uint64_t)(host->spread_at * host->spread_time);
    }
    if (host->requests.interval_ > 0 && ga__bucket_start(&host->requests, 1) > at) {
        host->why = "rate";
        at = ga__bucket_start(&host->requests, 1);
    }
    if (cost > 0 && host->tokens.interval_ > 0 && ga__bucket_start(&host->tokens, cost) > at) {
        host->why = "tokens";
        at = ga__bucket_start(&host->tokens, cost);
    }
    return at;
}

static uint64_t opens_to_all_at(const ga_pace *pace, uint64_t now)
{
    if (pace->under_way >= pace->limit)
        return GA__NEVER;
    return pace->requests.interval_ > 0 ? ga__bucket_start(&pace->requests, 1) : now;
}

/* Passes both gates. */
static void enter(ga__pace_host *host, ga__pace_stay *stay, double cost, uint64_t now, bool waited)
{
    ga_pace *pace = host->pace;

    host->inside++;
    host->under_way++;
    pace->under_way++;
    *stay = (ga__pace_stay){.host = host, .entered = ++host->sequence, .inside = true, .under_way = true};
    if (pace->requests.interval_ > 0)
        ga__bucket_pay(&pace->requests, 1, now, waited);
    if (host->requests.interval_ > 0)
        ga__bucket_pay(&host->requests, 1, now, waited);
    if (cost > 0 && host->tokens.interval_ > 0) {
        ga__bucket_pay(&host->tokens, cost, now, waited);
        stay->cost = cost;
    }
}

static void let_in_first(ga__pace_host *host, uint64_t now)
{
    waiter *first = first_of(host);

    if (host->spread_left > 0)
        host->spread_left--; /* before leave_line, which bounds it by those who are left */
    leave_line(first, 0);
    enter(host, first->stay, first->cost, now, true);
    draw_next(host);
    wake(first);
}

/* Judges the host's gate anew. */
static void update(ga__pace_host *host, uint64_t now)
{
    uint64_t at = check_hold(host, now), look_again = ga__pace_recover(host, now);

    if (at > 0 && at < GA__NEVER)
        refuse_those_before(host, at);
    waiter *first = first_of(host);

    if (!first) {
        ga__unlink(&host->turn);
        return;
    }
    if (at == 0)
        at = opens_at(host, first->cost, now);
    else
        host->why = at < GA__NEVER ? "cool-down" : "limit";
    if (at > now) {
        ga__unlink(&host->turn);
        set_alarm(first, at < GA__NEVER && look_again < at ? look_again : at);
    } else if (!ga__linked(&host->turn)) {
        ga__list_push_back(&host->pace->turns, &host->turn);
    }
}

void ga__pace_serve(ga__pace_host *host)
{
    ga_pace *pace = host->pace;
    uint64_t now = ga__pace_now();

    if (!ga__loop_here && !pace->shared)
        return; /* who waits is of a loop that ends, if there is anybody */
    update(host, now);
    for (ga__link *link; (link = ga__list_first(&pace->turns));) {
        ga__pace_host *next = GA__OF(link, ga__pace_host, turn);
        uint64_t at = opens_to_all_at(pace, now);

        if (at > now) {
            set_alarm(first_of(next), at);
            return;
        }
        let_in_first(next, now);
        ga__unlink(&next->turn); /* the others' turn comes first */
        update(next, now);
    }
}

/* --- entering ------------------------------------------------------------------------------------- */

/* @return WAITING where the host is not open, or others come first */
static int enter_now(ga__pace_host *host, const ga__pace_wish *wish, ga__pace_stay *stay, uint64_t *until)
{
    ga_pace *pace = host->pace;
    uint64_t now = ga__now_exact(), held = check_hold(host, now);

    ga__pace_recover(host, now);
    ga__bucket_begin(&pace->requests, 1, now);
    if (wish->cost > 0)
        ga__bucket_begin(&host->tokens, wish->cost, now);
    if (held > wish->latest && held < GA__NEVER) {
        *until = held;
        return GA_ERATELIMITED;
    }
    if (held > 0 || !ga__list_empty(&host->line) || !ga__list_empty(&pace->turns) ||
        opens_at(host, wish->cost, now) > now || opens_to_all_at(pace, now) > now)
        return WAITING;
    enter(host, stay, wish->cost, now, false);
    return 0;
}

/* Whether the wait ended otherwise than by a wake or an alarm. */
static bool gave_up(int parked, uint64_t deadline)
{
    return parked < 0 && (parked != GA_ETIMEDOUT || deadline <= ga__now());
}

/* Stands in line, and serves it whenever it is its part to do so. Locked, but while it is parked. */
static int wait_in_line(ga__pace_door *door, ga__pace_host *host, const ga__pace_wish *wish,
                        ga__pace_stay *stay, uint64_t *until)
{
    ga_pace *pace = host->pace;
    waiter self = {
        .door = door,
        .host = host,
        .task = ga__current(),
        .stay = stay,
        .cost = wish->cost,
        .latest = wish->latest,
        .alarm = GA__NEVER,
        .code = WAITING,
    };
    int parked = 0;

    join_line(&self);
    while (self.code == WAITING) { /* who was sent away by another may have no host any more */
        if (gave_up(parked, wish->deadline))
            leave_line(&self, parked);
        ga__pace_serve(host);
        if (self.code != WAITING)
            break;
        uint64_t end = self.alarm < wish->deadline ? self.alarm : wish->deadline;

        pthread_mutex_unlock(&pace->mutex);
        parked = ga__park(NULL, end, pace->shared ? GA__EXTERNAL : 0, "its turn at a host");
        pthread_mutex_lock(&pace->mutex);
        self.alarm = GA__NEVER;
    }
    ga__unlink(&self.awake);
    *until = self.until;
    return self.code;
}

int ga__pace_enter(ga__pace_door *door, const ga__pace_wish *wish, ga__pace_stay *stay, uint64_t *until)
{
    ga_pace *pace = door->pace;
    int code;

    if (pace->tokens > 0 && wish->cost > pace->max_cost)
        return GA_ETOOCOSTLY;
    pthread_mutex_lock(&pace->mutex);
    ga__pace_host *host = ga__pace_find(pace, wish->url);

    code = host ? enter_now(host, wish, stay, until) : GA_ENOMEM;
    if (code == WAITING)
        code = wait_in_line(door, host, wish, stay, until);
    pthread_mutex_unlock(&pace->mutex);
    return code;
}
