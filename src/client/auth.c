/* SPDX-License-Identifier: MIT */
/*
 * A session's credentials, from its options and from the user's .netrc, judged when the session is made. What
 * a message says of them is never what they are. Called by sessions, and by client/request_auth.c for single
 * requests.
 */
#include "client/auth.h"

#include "base/ascii.h"
#include "protocol/basic_auth.h"
#include "protocol/netrc.h"
#include "task/loop.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST_NETRC = 1 << 20 };

int ga__auth_judge(const char *user, const char *password, const char *bearer, const char **problem)
{
    *problem = NULL;
    if (bearer && (user || password))
        *problem = "both .bearer and .user are given";
    else if (password && !user)
        *problem = ".password is given without .user";
    if (*problem)
        return GA_EUSAGE;
    if (user && strchr(user, ':'))
        *problem = ".user has a colon, which neither Basic nor Digest can carry";
    else if (user && (ga__ascii_has_control(ga__slice_of(user)) ||
                      (password && ga__ascii_has_control(ga__slice_of(password)))))
        *problem = ".user or .password has a control character";
    else if (bearer && !*bearer)
        *problem = ".bearer is empty";
    for (const char *at = bearer; at && *at; at++)
        if (*at <= ' ' || *at >= 0x7f)
            *problem = ".bearer has a character that is not allowed";
    return *problem ? GA_EHEADER : 0;
}

int ga__auth_header(ga__buffer *value, const ga_session_options *options)
{
    const char *problem;
    int code = ga__auth_judge(options->user, options->password, options->bearer, &problem);

    if (code == 0 && options->digest && !options->user) {
        code = GA_EUSAGE;
        problem = ".digest is given without .user";
    }
    if (code < 0)
        return ga__fail(code, "the session's credentials: %s", problem);
    if (options->bearer) {
        ga__buffer_add(value, "Bearer ");
        ga__buffer_add(value, options->bearer);
    } else if (options->user && !options->digest) {
        ga__basic_auth(value, ga__slice_of(options->user),
                       ga__slice_of(options->password ? options->password : ""), &problem);
    }
    return value->failed ? ga__fail(GA_ENOMEM, "no memory for a session") : 0;
}

/* --- Digest ----------------------------------------------------------------------------------------- */

ga__digest_state *ga__digest_state_new(ga__slice user, ga__slice password)
{
    ga__digest_state *state = calloc(1, sizeof *state);

    if (!state)
        return NULL;
    state->user = strndup(user.size ? user.data : "", user.size);
    state->password = strndup(password.size ? password.data : "", password.size);
    if (state->user && state->password)
        return state;
    ga__digest_state_free(state);
    return NULL;
}

void ga__digest_state_free(ga__digest_state *state)
{
    if (!state)
        return;
    free(state->user);
    free(state->password);
    ga__digest_free(&state->challenge);
    ga__url_free(&state->origin);
    free(state);
}

int ga__digest_state_challenge(ga__digest_state *state, ga__digest *challenge, const ga__url *url)
{
    unsigned char random[(sizeof state->cnonce - 1) / 2];

    ga__digest_free(&state->challenge);
    ga__url_free(&state->origin);
    if (ga__url_copy(&state->origin, url) < 0 || RAND_bytes(random, sizeof random) != 1)
        return GA_ENOMEM;
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(state->cnonce + 2 * i, 3, "%02x", random[i]);
    state->challenge = *challenge;
    *challenge = (ga__digest){0};
    state->count = 0;
    return 0;
}

/* --- .netrc ----------------------------------------------------------------------------------------- */

/* Reads the file, where it is there: one that cannot be opened is as none. */
static int read_netrc(ga__buffer *text, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO does not hold the loop up */
    ssize_t count = 1;

    if (fd < 0)
        return 0;
    while (count > 0 && text->size <= LARGEST_NETRC) {
        char *room = ga__buffer_reserve(text, 4096);

        count = room ? read(fd, room, 4096) : -1;
        text->size += count > 0 ? (size_t)count : 0;
    }
    close(fd);
    if (text->failed)
        return ga__fail(GA_ENOMEM, "no memory for a session");
    return count == 0 ? 0 : ga__fail(GA_ESYSTEM, "%s cannot be read, or is larger than 1 MiB", path);
}

/* NETRC says where it is, else it is in the home directory. */
static int load_netrc(ga__buffer *text)
{
    const char *named = getenv("NETRC"), *home = getenv("HOME");
    ga__buffer path = GA__BUFFER_INIT;
    ga__netrc found;
    unsigned line = 0;

    if (named && *named)
        ga__buffer_add(&path, named);
    else if (home && *home)
        ga__buffer_printf(&path, "%s/.netrc", home);
    else
        return 0;
    int code = path.failed ? ga__fail(GA_ENOMEM, "no memory for a session") : read_netrc(text, path.data);

    if (code == 0 && text->size > 0)
        code = ga__netrc_find(&found, (ga__slice){text->data, text->size}, (ga__slice){"", 0}, &line);
    if (code == GA_EUSAGE)
        ga__fail(code, "%s:%u: a word that is not understood, or that ends too soon", path.data, line);
    else if (code == GA_ENOMEM)
        ga__fail(code, "no memory for a session");
    ga__buffer_free(&path);
    return code;
}

/* --- the session's ---------------------------------------------------------------------------------- */

int ga__auth_new(ga__auth **auth, const ga_session_options *options)
{
    int code = 0;

    if (!options->digest && !options->trust_env)
        return 0;
    *auth = calloc(1, sizeof **auth);
    if (!*auth)
        return ga__fail(GA_ENOMEM, "no memory for a session");
    if (options->digest) {
        (*auth)->digest = ga__digest_state_new(ga__slice_of(options->user),
                                               ga__slice_of(options->password ? options->password : ""));
        if (!(*auth)->digest)
            code = ga__fail(GA_ENOMEM, "no memory for a session");
    }
    if (code == 0 && options->trust_env)
        code = load_netrc(&(*auth)->netrc);
    return code;
}

void ga__auth_free(ga__auth *auth)
{
    if (!auth)
        return;
    ga__digest_state_free(auth->digest);
    ga__buffer_free(&auth->netrc);
    free(auth);
}
