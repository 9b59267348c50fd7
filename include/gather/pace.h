/* SPDX-License-Identifier: MIT */
/*
 * A pace that sessions share: how fast requests go to each host and to all together, and how many are under
 * way at once. What one session learns of a host, a cool-down after 429 for one, holds for all of them, also
 * for sessions of other loops on other threads.
 *
 *     ga_pace *pace = ga_pace_new(.rate_per_host = 10, .limit_requests = 20);
 *     ga_session *session = ga_session_new(.pace = pace); // in each loop
 *
 * A session that is not given one has a pace of its own, by the options with the same names.
 */
#ifndef GATHER_PACE_H
#define GATHER_PACE_H

#include <gather/base.h>

GA_BEGIN_DECLS

typedef struct ga_pace ga_pace;

/** What is left out has the default that is named. A host is a scheme, a name and a port. */
typedef struct ga_pace_options {
    size_t size_; /* set by ga_pace_new */

    double rate;          /**< requests started per second, to all hosts together; 0: no limit */
    int burst;            /**< requests that may start at once within the rate, 1 */
    double rate_per_host; /**< requests started per second to one host; 0: no limit */
    int burst_per_host;   /**< requests that may start at once within that, 1 */

    double tokens_per_host; /**< units of .cost per second to one host; 0: no limit */
    double burst_tokens;    /**< units that may start at once within that, 1. A request that costs more starts
                                 when so many are there, and those after it wait the longer */
    double max_cost;        /**< the most that one request may cost; one that costs more fails at once with
                                 GA_ETOOCOSTLY. burst_tokens or what a minute brings, whichever is more */

    int limit_requests; /**< requests under way at once, to all hosts together; 0: no limit. One is under way
                             from the end of its waiting until its answer's body has ended or is given up;
                             streams of HTTP/2 count like connections */
    int limit_requests_per_host; /**< the same for one host */

    int adapt; /**< after 429 and 503 the rates of that host are lowered, and rise again while there
                    are none; on where a rate is given; negative: off */
    int obey_rate_limits; /**< RateLimit fields are acted upon before a 429 comes; negative: off */
    int adaptive_limit;   /**< nonzero: how many requests go to a host at once is found out by trying, from 1
                               to limit_requests_per_host (or limit_requests, or 100) */
    double max_wait;      /**< the longest wait, in seconds, that a server may ask for; beyond it calls fail
                               with GA_ERATELIMITED. None but the total timeout */
    double retry_base;    /**< the first cool-down, in seconds, where the server names no time, 0.5; each in a
                               row is twice as long */
    double retry_cap;     /**< but no longer than this, 60 */
    int until_freed; /**< nonzero: a request is under way until its response is freed, so that what is done
                        with its answer counts */
} ga_pace_options;

/** A pace with the options given by name: `ga_pace_new(.rate_per_host = 10)`. Needs no loop. Does not
 * suspend.
 *  @return the pace, the caller's to free; NULL with GA_EUSAGE, GA_ENOMEM */
#define ga_pace_new(...) \
    ga_pace_new_with(&(const ga_pace_options){.size_ = sizeof(ga_pace_options), __VA_ARGS__})
GA_API ga_pace *ga_pace_new_with(const ga_pace_options *options);

/** Frees the pace; sessions that use it keep it until they end. NULL is fine. From any thread. Does not
 *  suspend. */
GA_API void ga_pace_free(ga_pace *pace);
GA_AUTO_DEFINE_(ga_pace, ga_pace_free)

/** What is going on at this moment. */
typedef struct ga_pace_state {
    size_t waiting;   /**< calls in line */
    size_t retrying;  /**< calls that wait before another attempt */
    size_t under_way; /**< requests */

    /* Of the host with most calls in line; where there are none, of one that cools down: */
    char host[264]; /**< "example.com", "127.0.0.1:8080"; "": there is no such host */
    size_t in_line;
    const char *why;  /**< what its first waits for: "rate", "tokens", "cool-down" (what the server asks for),
                           "limit" (of requests under way); "": nobody waits. A static string */
    double cool_down; /**< seconds until the server may be asked again; 0: now */
    double rate;      /**< requests per second, as adapting has left them; 0: no limit */
} ga_pace_state;

/** For a progress display. From any thread; takes no longer than a look at each host. For NULL all is zero.
 */
GA_API void ga_pace_status(ga_pace *pace, ga_pace_state *state);

GA_END_DECLS

#endif
