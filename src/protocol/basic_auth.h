/* SPDX-License-Identifier: MIT */
/*
 * The Basic scheme (RFC 7617): the value of Authorization and Proxy-Authorization.
 */
#ifndef GA__BASIC_AUTH_H
#define GA__BASIC_AUTH_H

#include "base/buffer.h"
#include "base/slice.h"

/* Appends "Basic " and the credentials in base64. Where memory fails, out->failed says so.
 * @return 0; GA_EHEADER with *problem, a static string, where Basic cannot carry them: a colon in the user
 * name, or a control character; nothing is appended then */
int ga__basic_auth(ga__buffer *out, ga__slice username, ga__slice password, const char **problem);

/* The same from the userinfo of a URL, percent-encoded. */
int ga__basic_auth_encoded(ga__buffer *out, ga__slice username, ga__slice password, const char **problem);

#endif
