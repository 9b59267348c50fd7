/* SPDX-License-Identifier: MIT */
/*
 * A server that counts what reaches it, and refuses what is too much; and callers who keep it busy. For the
 * tests of pace.
 */
#ifndef PACE_SERVER_H
#define PACE_SERVER_H

#include "peer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4000 };

static GA_UNUSED int inside_all, most_inside_all; /* over all servers */

/* A server with a fixed window: `limit` requests each `window` seconds, and 429 for more. */
typedef struct pace_server {
    int limit;
    double window;
    bool tells; /* sends RateLimit fields with each answer */
    bool asks;  /* sends Retry-After with a 429 */
    double latency;
    double began; /* of the present window */
    int used;     /* in it */
    double arrivals[MOST];
    int arrived, refused;
    int refuse_next; /* so many are refused, whatever the window says */
    int inside, most_inside;
} pace_server;

static GA_UNUSED bool pace_answer(peer_visit *visit)
{
    pace_server *self = visit->peer->data;
    double now = ga_now();
    char text[512];

    assert_in_range(self->arrived, 0, MOST - 1);
    self->arrivals[self->arrived++] = now;
    if (now >= self->began + self->window) {
        self->began = now - fmod(now - self->began, self->window);
        self->used = 0;
    }
    bool refused = self->used >= self->limit || self->refuse_next > 0;
    double left = self->began + self->window - now;

    self->refuse_next -= self->refuse_next > 0;
    self->used += !refused;
    self->refused += refused;
    int size = snprintf(text, sizeof text, "HTTP/1.1 %s x\r\nContent-Length: 0\r\n", refused ? "429" : "200");

    if (self->tells)
        size += snprintf(text + size, sizeof text - (size_t)size,
                         "RateLimit-Limit: %d\r\nRateLimit-Remaining: %d\r\nRateLimit-Reset: %.0f\r\n",
                         self->limit, self->limit - self->used, ceil(left));
    if (self->asks && refused)
        size += snprintf(text + size, sizeof text - (size_t)size, "Retry-After: %.0f\r\n", ceil(left));
    size += snprintf(text + size, sizeof text - (size_t)size, "\r\n");
    self->inside++;
    if (self->inside > self->most_inside)
        self->most_inside = self->inside;
    if (++inside_all > most_inside_all)
        most_inside_all = inside_all;
    ga_sleep(self->latency);
    self->inside--;
    inside_all--;
    return peer_say(visit, text, (size_t)size);
}

static GA_UNUSED const peer_step pace_serves[] = {PEER_TAKE(NULL), PEER_CALL(pace_answer), PEER_AGAIN};
static GA_UNUSED const peer_step *const pace_always_serves[] = {pace_serves, NULL};

static GA_UNUSED void pace_start(peer_server *peer, ga_group *group, pace_server *self)
{
    peer_start(peer, group, pace_always_serves);
    peer->data = self;
    self->began = ga_now();
}

/* The most arrivals within any so many seconds. */
static GA_UNUSED int most_within(const pace_server *self, double seconds)
{
    int most = 0;

    for (int first = 0, last = 0; last < self->arrived; last++) {
        while (self->arrivals[last] - self->arrivals[first] >= seconds)
            first++;
        if (last - first + 1 > most)
            most = last - first + 1;
    }
    return most;
}

typedef struct caller {
    ga_session *session;
    char url[128];
    int calls, good, limited;
} caller;

static GA_UNUSED int call_repeatedly(void *arg)
{
    caller *self = arg;

    while (self->calls-- > 0) {
        ga_auto(ga_response) response = ga_get(self->session, self->url);

        self->good += ga_status(response) == 200;
        self->limited += !response && ga_error()->code == GA_ERATELIMITED;
    }
    return 0;
}

/* So many tasks make so many calls each. @return how many were answered with 200 */
static GA_UNUSED int call_at_once(ga_session *session, peer_server *peer, int tasks, int calls)
{
    caller *callers = calloc((size_t)tasks, sizeof *callers);
    ga_group group;
    int good = 0;

    assert_non_null(callers);
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < tasks; i++) {
        callers[i] = (caller){.session = session, .calls = calls};
        snprintf(callers[i].url, sizeof callers[i].url, "%s", peer_url(peer, "/"));
        ga_spawn(&group, call_repeatedly, &callers[i]);
    }
    ga_gather(&group);
    ga_group_close(&group);
    for (int i = 0; i < tasks; i++)
        good += callers[i].good;
    free(callers);
    return good;
}

typedef struct place {
    ga_session *session;
    char url[128];
    int *order;
    int answered;
} place;

static GA_UNUSED int call_once(void *arg)
{
    place *self = arg;

    ga_response_free(ga_get(self->session, self->url));
    self->answered = ++*self->order;
    return 0;
}

#endif
