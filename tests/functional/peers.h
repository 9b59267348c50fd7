/* SPDX-License-Identifier: MIT */
/*
 * What the tests against real servers share. A case is a task, which is run over HTTP and again over HTTPS;
 * run.py starts the servers and says by the environment where they are.
 *
 * A task may not be left by a jump, as cmocka's assertions do, so cases say EXPECT: what does not hold is
 * printed and counted, and fails the case once the loop has ended.
 */
#ifndef PEERS_H
#define PEERS_H

#include "../check.h"

#include <gather.h>
#include <jansson.h>

/* What a case's task is given. */
typedef struct peers {
    const char *base;    /* of the server under test, over HTTP or HTTPS */
    const char *ca_file; /* that the server's certificate is verified with */
    bool tls;
} peers;

/* A case: its task, and the variables of the environment that have the server's URLs and its CA. */
typedef struct peers_case {
    int (*task)(void *peers);
    const char *variable; /* "NGINX"; "NGINX_TLS" is the other; NULL: the task looks itself, and runs once */
    const char *ca_variable;
    bool tls;
} peers_case;

/* Runs the case that *state is; no descriptor may be left. */
void peers_run(void **state);

/* The variable's value; the test fails where it is not set. */
const char *peers_told(const char *variable);

/* Prints what does not hold, with the last error, and counts it. */
void peers_complain(const char *condition, const char *file, int line);

static inline bool peers_expect(bool holds, const char *condition, const char *file, int line)
{
    if (!holds)
        peers_complain(condition, file, line);
    return holds;
}
/* @return whether it holds */
#define EXPECT(condition) peers_expect((condition), #condition, __FILE__, __LINE__)

/* Two texts are the same; prints both where not. */
bool peers_expect_text(const char *got, const char *wanted, const char *file, int line);
#define EXPECT_TEXT(got, wanted) peers_expect_text((got), (wanted), __FILE__, __LINE__)

/* The call failed with this code, and its message has this text and no credentials. */
bool peers_expect_failure(int code, const char *text, const char *file, int line);
#define EXPECT_FAILURE(code, text) peers_expect_failure((code), (text), __FILE__, __LINE__)

/* The string at a path in a JSON value, "headers.Host"; "(none)" where there is none. Lives as long as the
 * value. */
const char *peers_json(const json_t *value, const char *path);

#define PEERS_ONE(function, url, ca, over_tls, title) \
    {                                                 \
        title, peers_run, NULL, NULL, &(peers_case)   \
        {                                             \
            function, url, ca, over_tls               \
        }                                             \
    }
/* The case over HTTP and over HTTPS, in an array of CMUnitTest. */
#define PEERS_BOTH(function, url, ca)                            \
    PEERS_ONE(function, url, ca, false, #function " over HTTP"), \
        PEERS_ONE(function, url, ca, true, #function " over HTTPS")

#endif
