/* SPDX-License-Identifier: MIT */
/*
 * A call's cookies: those of the session's jar and of its own options go into the head of each hop, those
 * that an answer sets go into the jar, be it a redirect or an error. Called by client/request_head.c and
 * client/request.c, where there is anything of it.
 */
#include "client/response.h"

#include "base/ascii.h"
#include "client/cookie_jar.h"
#include "protocol/token.h"
#include <time.h>

enum { MOST_OF_ANSWER = 50 }; /* Set-Cookie fields; further ones are ignored */

/* What the caller gives goes out as it is, so it must be a whole cookie, and no more than one. */
static int check_given(const ga__call *call, const ga_pair *given)
{
    for (; given && given->name; given++) {
        ga__slice value = ga__slice_of(given->value ? given->value : "");

        if (!ga__is_token(given->name, strlen(given->name)))
            return ga__progress_fail(&call->progress, GA_EHEADER,
                                     ".cookies: a name is empty, or has a character that is not allowed");
        if (ga__ascii_has_control(value) || memchr(value.data, ';', value.size))
            return ga__progress_fail(&call->progress, GA_EHEADER,
                                     ".cookies: the value of %s has a character that is not allowed",
                                     given->name);
    }
    return 0;
}

static ga_cookie_jar *jar_of(const ga__call *call)
{
    return call->options->no_cookies ? NULL : call->session->jar;
}

int ga__call_write_cookies(const ga__call *call, ga__http1_writer *writer)
{
    const ga_pair *given = call->drop_credentials ? NULL : call->options->cookies;
    ga__buffer value = GA__BUFFER_INIT;
    int code = check_given(call, call->options->cookies);

    if (code < 0)
        return code;
    if (writer->present >> GA__FIELD_COOKIE & 1)
        return 0; /* a field that the caller made stands alone */
    code = ga__cookie_jar_write(jar_of(call), &call->url, given, time(NULL), &value);
    if (code < 0)
        ga__progress_fail(&call->progress, code, "no memory for the request");
    else if (value.size > 0)
        ga__http1_write_field_sized(writer, "Cookie", strlen("Cookie"), value.data, value.size);
    ga__buffer_free(&value);
    return code;
}

int ga__call_keep_cookies(const ga__call *call)
{
    const ga__headers *headers = &call->response->headers;
    const ga__field *field = NULL;
    int64_t now = time(NULL);

    ga_cookie_jar *jar = jar_of(call);

    if (!jar)
        return 0;
    for (int i = 0; i < MOST_OF_ANSWER; i++) {
        field = ga__headers_next(headers, GA__FIELD_SET_COOKIE, field);
        if (!field)
            break;
        ga__slice text = {ga__field_value(headers, field), field->value_size};
        const char *reason;

        if (ga__cookie_jar_take(jar, &call->url, text, now, &reason) == GA_ENOMEM)
            return ga__progress_fail(&call->response->progress, GA_ENOMEM, "no memory for a cookie");
    }
    return 0;
}
