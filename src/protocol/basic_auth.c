/* SPDX-License-Identifier: MIT */
/*
 * Basic credentials. What the scheme cannot carry is refused: a colon in the user name would move the border
 * to the password, and control characters are excluded (RFC 7617, 2). Called by requests for servers, and by
 * proxies.
 */
#include "protocol/basic_auth.h"

#include "base/ascii.h"
#include "base/base64.h"
#include "protocol/percent.h"
#include <gather/error.h>

int ga__basic_auth(ga__buffer *out, ga__slice username, ga__slice password, const char **problem)
{
    ga__buffer plain = GA__BUFFER_INIT;

    if (username.size > 0 && memchr(username.data, ':', username.size)) {
        *problem = "the user name has a colon, which Basic cannot carry";
        return GA_EHEADER;
    }
    if (ga__ascii_has_control(username) || ga__ascii_has_control(password)) {
        *problem = "the user name or password has a control character";
        return GA_EHEADER;
    }
    ga__buffer_append(&plain, username.data, username.size);
    ga__buffer_add_char(&plain, ':');
    ga__buffer_append(&plain, password.data, password.size);
    out->failed |= plain.failed;
    ga__buffer_add(out, "Basic ");
    ga__base64_encode(out, plain.data, plain.size);
    ga__buffer_free(&plain);
    return 0;
}

int ga__basic_auth_encoded(ga__buffer *out, ga__slice username, ga__slice password, const char **problem)
{
    ga__buffer name = GA__BUFFER_INIT, word = GA__BUFFER_INIT;

    ga__percent_decode(&name, username.data, username.size);
    ga__percent_decode(&word, password.data, password.size);
    out->failed |= name.failed || word.failed;
    int code =
        ga__basic_auth(out, (ga__slice){name.data, name.size}, (ga__slice){word.data, word.size}, problem);

    ga__buffer_free(&name);
    ga__buffer_free(&word);
    return code;
}
