/* SPDX-License-Identifier: MIT */
/*
 * A call's Authorization: which credentials go with the present hop, and the answer to a Digest challenge.
 * The first of these that there is counts: a header set by hand, the request's own options, the URL's
 * userinfo, the session's, .netrc. What was given for one origin never goes to another: after a redirect
 * that left the origin only the URL's userinfo and, over https, machines that .netrc names are left. Called
 * by client/request_head.c and client/request.c, where there is anything of it.
 */
#include "client/response.h"

#include "base/ascii.h"
#include "client/auth.h"
#include "protocol/basic_auth.h"
#include "protocol/netrc.h"
#include "protocol/percent.h"
#include <string.h>

static int no_memory(const ga__call *call)
{
    return ga__progress_fail(&call->progress, GA_ENOMEM, "no memory for the request");
}

int ga__call_check_auth(const ga__call *call)
{
    const ga_request_options *options = call->options;
    const char *problem;
    int code = ga__auth_judge(options->user, options->password, options->bearer, &problem);

    if (code == 0 && options->digest && !options->user && !ga__url_has_userinfo(&call->url) &&
        !(call->session->auth && call->session->auth->digest)) {
        code = GA_EUSAGE;
        problem = ".digest is given without .user";
    }
    return code < 0 ? ga__progress_fail(&call->progress, code, "%s", problem) : 0;
}

/* --- whose credentials ------------------------------------------------------------------------------ */

typedef enum source { NOBODY, REQUEST, USERINFO, SESSION } source;

/* Whose credentials go along, .netrc's and the session's headers aside. */
static source source_of(const ga__call *call)
{
    const ga_request_options *options = call->options;

    if (!call->drop_credentials && ga__names_header(options->headers, "Authorization"))
        return NOBODY;
    if (!call->drop_credentials && (options->user || options->bearer))
        return REQUEST;
    if (ga__url_has_userinfo(&call->url))
        return USERINFO;
    if (!call->drop_credentials && call->session->auth && call->session->auth->digest)
        return SESSION;
    return NOBODY;
}

/* Whether a challenge of Digest would be answered with them. */
static bool is_digest(const ga__call *call, source from)
{
    if (from == REQUEST)
        return call->options->digest && call->options->user;
    if (from == USERINFO)
        return call->options->digest || (call->session->auth && call->session->auth->digest);
    return from == SESSION;
}

bool ga__call_replaces_auth(const ga__call *call)
{
    source from = source_of(call);

    return from == REQUEST || from == USERINFO;
}

/* --- what goes out ---------------------------------------------------------------------------------- */

/* Whether the body can be part of an answer, where it must: one that is read as it is sent cannot. */
static bool covers_body(const ga__call *call, const ga__digest *challenge)
{
    return challenge->qop != GA__DIGEST_QOP_AUTH_INT || !call->source;
}

static int add_digest(const ga__call *call, ga__digest_state *state, ga__buffer *value)
{
    if (!state || !ga__digest_state_is_for(state, &call->url) || !covers_body(call, &state->challenge))
        return 0; /* the server is to ask first */
    ga__digest_request request = {
        .user = ga__slice_of(state->user),
        .password = ga__slice_of(state->password),
        .method = call->method,
        .target = ga__url_target(&call->url),
        .body = {call->has_body && call->body ? call->body : "",
                 call->has_body && call->body ? (size_t)call->body_size : 0},
        .cnonce = state->cnonce,
        .count = ++state->count,
    };

    return ga__digest_answer(value, &state->challenge, &request) < 0 ? no_memory(call) : 0;
}

static int add_userinfo(const ga__call *call, ga__buffer *value)
{
    const char *problem;
    int code =
        ga__basic_auth_encoded(value, ga__url_username(&call->url), ga__url_password(&call->url), &problem);

    return code < 0 ? ga__progress_fail(&call->progress, code, "Authorization, from the URL: %s", problem)
                    : 0;
}

static int add_request(const ga__call *call, ga__buffer *value)
{
    const ga_request_options *options = call->options;
    const char *problem;

    if (options->bearer) {
        ga__buffer_add(value, "Bearer ");
        ga__buffer_add(value, options->bearer);
        return 0;
    }
    return ga__basic_auth(value, ga__slice_of(options->user),
                          ga__slice_of(options->password ? options->password : ""), &problem);
}

/* From .netrc, where nothing else says who the user is. */
static int add_netrc(const ga__call *call, ga__buffer *value)
{
    const ga_session *session = call->session;
    ga__slice text, host = {ga__url_host(&call->url), ga__url_host_size(&call->url)};
    const char *problem;
    ga__netrc found;
    unsigned line;

    if (!session->auth || session->auth->netrc.size == 0 || (call->drop_credentials && !call->url.secure) ||
        (!call->drop_credentials && (session->present >> GA__FIELD_AUTHORIZATION & 1 ||
                                     ga__names_header(call->options->headers, "Authorization"))))
        return 0;
    text = (ga__slice){session->auth->netrc.data, session->auth->netrc.size};
    int code = ga__netrc_find(&found, text, host, &line);

    if (code <= 0)
        return code < 0 ? no_memory(call) : 0;
    code = 0;
    if (found.login.size > 0 && !(found.is_default && call->drop_credentials)) {
        code = ga__basic_auth(value, (ga__slice){found.login.data, found.login.size},
                              (ga__slice){found.password.data, found.password.size}, &problem);
        if (code < 0)
            ga__progress_fail(&call->progress, code, "Authorization, from .netrc: %s", problem);
    }
    ga__netrc_free(&found);
    return code;
}

static int add_credentials(const ga__call *call, ga__buffer *value)
{
    source from = source_of(call);

    if (is_digest(call, from))
        return add_digest(call, from == SESSION ? call->session->auth->digest : call->digest, value);
    if (from == REQUEST)
        return add_request(call, value);
    if (from == USERINFO)
        return add_userinfo(call, value);
    return add_netrc(call, value);
}

int ga__call_write_auth(const ga__call *call, ga__http1_writer *writer)
{
    ga__buffer value = GA__BUFFER_INIT;

    if (writer->present >> GA__FIELD_AUTHORIZATION & 1)
        return 0; /* set by hand */
    int code = add_credentials(call, &value);

    if (code == 0 && value.failed)
        code = no_memory(call);
    else if (code == 0 && value.size > 0)
        ga__http1_write_field_sized(writer, "Authorization", strlen("Authorization"), value.data, value.size);
    ga__buffer_free(&value);
    return code;
}

/* --- challenges ------------------------------------------------------------------------------------- */

/* The state that answers are made from: the session's, or the call's, made anew. NULL without memory. */
static ga__digest_state *state_for(ga__call *call, source from)
{
    ga__buffer user = GA__BUFFER_INIT, password = GA__BUFFER_INIT;

    if (from == SESSION)
        return call->session->auth->digest;
    ga__digest_state_free(call->digest);
    call->digest = NULL;
    if (from == USERINFO) {
        ga__slice name = ga__url_username(&call->url), word = ga__url_password(&call->url);

        ga__percent_decode(&user, name.data, name.size);
        ga__percent_decode(&password, word.data, word.size);
    } else {
        ga__buffer_add(&user, call->options->user);
        ga__buffer_add(&password, call->options->password ? call->options->password : "");
    }
    if (!user.failed && !password.failed)
        call->digest = ga__digest_state_new((ga__slice){user.data, user.size},
                                            (ga__slice){password.data, password.size});
    ga__buffer_free(&user);
    ga__buffer_free(&password);
    return call->digest;
}

/* The best challenge of Digest among those of the answer. */
static int find_challenge(const ga__headers *headers, ga__digest *challenge)
{
    const ga__field *field = NULL;
    int code = 0;

    *challenge = (ga__digest){0};
    while (code == 0 && (field = ga__headers_next(headers, GA__FIELD_WWW_AUTHENTICATE, field)))
        code = ga__digest_read(challenge, (ga__slice){ga__field_value(headers, field), field->value_size});
    return code;
}

/* What userinfo holds that Digest cannot carry is refused as Basic refuses it. */
static int check_userinfo(const ga__call *call)
{
    ga__buffer unused = GA__BUFFER_INIT;
    int code = add_userinfo(call, &unused);

    ga__buffer_free(&unused);
    return code;
}

int ga__call_answer_challenge(ga__call *call)
{
    source from = source_of(call);
    ga__digest challenge;

    if (!is_digest(call, from))
        return 0;
    int code = find_challenge(&call->response->headers, &challenge);
    /* Whoever asks again has refused the answer, unless it was only late; and nobody asks for ever. */
    bool answer = challenge.nonce && covers_body(call, &challenge) &&
                  (call->challenges == 0 || (call->challenges == 1 && challenge.stale));

    if (code == 0 && answer) {
        if (from == USERINFO)
            code = check_userinfo(call);
        ga__digest_state *state = code == 0 ? state_for(call, from) : NULL;

        if (code == 0 && (!state || ga__digest_state_challenge(state, &challenge, &call->url) < 0))
            code = no_memory(call);
    } else if (code < 0) {
        no_memory(call);
    }
    ga__digest_free(&challenge);
    if (code < 0 || !answer)
        return code;
    call->challenges++;
    ga_response_free(call->response);
    call->response = NULL;
    code = ga__call_write_head(call);
    return code < 0 ? code : 1;
}

void ga__call_end_auth(ga__call *call)
{
    ga__digest_state_free(call->digest);
    call->digest = NULL;
    call->challenges = 0;
}
