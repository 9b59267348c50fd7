/* SPDX-License-Identifier: MIT */
/*
 * What answers say of the pace of their host, and the end of requests. Called by client/attempts.c and
 * client/response.c.
 *
 * What a server grants is counted so that it is never overdrawn: an answer says how many requests were left
 * when it was made, and any request inside may or may not have been among those counted; it is taken as not.
 * An answer counts as newer than another where its request was sent after the other had come.
 */
#include "client/pace.h"

#include "task/loop.h"
#include <math.h>

static const double on_pushback = 0.7; /* the speed is multiplied with */

bool ga__pace_is_cooling(const ga__pace_stay *stay)
{
    if (!stay->host)
        return false;
    ga_pace *pace = stay->host->pace;

    pthread_mutex_lock(&pace->mutex);
    bool cooling = stay->host->cool_until > ga__now();

    pthread_mutex_unlock(&pace->mutex);
    return cooling;
}

double ga__pace_asked(const ga__advice *advice)
{
    /* Where requests are left, it was something else that was refused. */
    double reset = advice->remaining < 1 ? advice->reset : -1;

    return advice->retry_after > reset ? advice->retry_after : reset;
}

/* The host pushed back. Requests that were sent before the last pushback came tell nothing new but how long
 * to wait. */
static void cool_down(ga__pace_host *host, const ga__pace_stay *stay, const ga__advice *advice, uint64_t now)
{
    ga_pace *pace = host->pace;
    double wait = ga__pace_asked(advice);

    if (stay->entered > host->cooled_at) {
        double backoff = ga__backoff_ceiling(&pace->backoff, host->strikes++);

        if (!(wait > 0)) /* the server names no time */
            wait = backoff;
        host->cooled_at = ++host->sequence;
        ga__pace_recover(host, now); /* up to now there was none */
        host->rated_at = now;
        if (pace->adapt)
            ga__pace_set_speed(host, host->speed * on_pushback, now);
        if (pace->adaptive)
            ga__adaptive_pushed_back(&host->adaptive);
    }
    uint64_t until = ga__deadline(now, fmax(wait, 0));

    if (until > host->cool_until)
        host->cool_until = until;
}

/* Notes what the answer says to be left. */
static void count_granted(ga__pace_host *host, const ga__pace_stay *stay, const ga__advice *advice,
                          uint64_t now)
{
    bool newer = !host->counted || stay->entered > host->counted_at;

    if (advice->remaining < 0) {
        host->counted &= !newer || host->window_until < GA__NEVER;
        return;
    }
    if (advice->limit >= 0)
        host->window_limit = advice->limit;
    if (newer || advice->remaining < host->granted)
        host->granted = advice->remaining;
    if (newer || host->window_until == GA__NEVER)
        host->window_until = advice->reset >= 0 ? ga__deadline(now, advice->reset) : GA__NEVER;
    host->counted = true;
    host->counted_at = ++host->sequence;
}

static void learn(ga__pace_host *host, const ga__pace_stay *stay, int status, const ga__advice *advice,
                  double latency)
{
    ga_pace *pace = host->pace;
    bool pushback = status == 429 || status == 503;
    uint64_t now = ga__now();

    if (pace->obey)
        count_granted(host, stay, advice, now);
    if (pushback && pace->cools)
        cool_down(host, stay, advice, now);
    if (!pushback && stay->entered > host->cooled_at)
        host->strikes = 0;
    if (!pushback && pace->adaptive && latency >= 0)
        ga__adaptive_answered(&host->adaptive, latency, host->inside, (double)now * 1e-9);
    if (pace->adapt)
        ga__pace_recover(host, now);
}

/* --- the end of a stay ---------------------------------------------------------------------------- */

static void leave_host(ga__pace_stay *stay)
{
    if (stay->inside)
        stay->host->inside--;
    stay->inside = false;
}

static void end_way(ga__pace_stay *stay)
{
    if (stay->under_way) {
        stay->host->under_way--;
        stay->host->pace->under_way--;
    }
    stay->under_way = false;
}

void ga__pace_leave(ga__pace_stay *stay, bool unsent)
{
    ga__pace_host *host = stay->host;

    if (!host)
        return;
    ga_pace *pace = host->pace;

    pthread_mutex_lock(&pace->mutex);
    if (stay->inside && !unsent)
        host->granted -= 1; /* the server may have counted it */
    leave_host(stay);
    end_way(stay);
    if (unsent && stay->cost > 0)
        ga__bucket_charge(&host->tokens, -stay->cost, ga__now());
    stay->host = NULL;
    ga__pace_serve(host);
    pthread_mutex_unlock(&pace->mutex);
}

void ga__pace_answered(ga__pace_stay *stay, int status, const ga__advice *advice, double latency)
{
    ga__pace_host *host = stay->host;

    if (!host)
        return;
    ga_pace *pace = host->pace;

    pthread_mutex_lock(&pace->mutex);
    learn(host, stay, status, advice, latency);
    leave_host(stay);
    host->pins++;
    pace->references++;
    ga__pace_serve(host);
    pthread_mutex_unlock(&pace->mutex);
}

void ga__pace_done(ga__pace_stay *stay)
{
    ga__pace_host *host = stay->host;

    if (!host || !stay->under_way || host->pace->until_freed)
        return;
    ga_pace *pace = host->pace;

    pthread_mutex_lock(&pace->mutex);
    end_way(stay);
    ga__pace_serve(host);
    if (pace->tokens > 0) { /* the cost may yet be put right */
        pthread_mutex_unlock(&pace->mutex);
        return;
    }
    stay->host = NULL;
    host->pins--;
    ga__pace_unlock_and_drop(pace);
}

void ga__pace_broke_off(ga__pace_stay *stay)
{
    if (!stay->host || !stay->under_way)
        return;
    pthread_mutex_lock(&stay->host->pace->mutex);
    end_way(stay);
    ga__pace_serve(stay->host);
    pthread_mutex_unlock(&stay->host->pace->mutex);
}

void ga__pace_end(ga__pace_stay *stay)
{
    ga__pace_host *host = stay->host;

    if (!host)
        return;
    pthread_mutex_lock(&host->pace->mutex);
    if (stay->under_way) {
        end_way(stay);
        ga__pace_serve(host);
    }
    stay->host = NULL;
    host->pins--;
    ga__pace_unlock_and_drop(host->pace);
}

void ga__pace_set_cost(ga__pace_stay *stay, double cost)
{
    ga__pace_host *host = stay->host;

    if (!host || host->pace->tokens <= 0)
        return;
    pthread_mutex_lock(&host->pace->mutex);
    uint64_t now = ga__now_exact();

    ga__bucket_begin(&host->tokens, cost, now); /* no request had a cost before it was sent */
    ga__bucket_charge(&host->tokens, cost - stay->cost, now);
    stay->cost = cost;
    ga__pace_serve(host);
    pthread_mutex_unlock(&host->pace->mutex);
}
