/* SPDX-License-Identifier: MIT */
/*
 * Splitting a URL, or a reference and its base: WHATWG URL, 4.4, as one pass from left to right instead of a
 * state machine, since http and https need few of its states. What is refused is refused here, but for what
 * grows too long when it is encoded. Called by the URL parser.
 */
#include "protocol/url_parts.h"
#include "base/ascii.h"
#include "base/number.h"

static int refuse(const char **reason, const char *text)
{
    *reason = text;
    return GA_EURL;
}

size_t ga__url_scheme_size(ga__slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];

        if (c == ':')
            return i;
        if (!ga__ascii_is_alpha(c) &&
            (i == 0 || !(ga__ascii_is_digit(c) || c == '+' || c == '-' || c == '.')))
            return 0;
    }
    return 0;
}

/* Cuts the text at the first such character, which belongs to neither side. False where there is none. */
static bool cut(ga__slice *text, char at, ga__slice *after)
{
    const char *found = text->size ? memchr(text->data, at, text->size) : NULL;

    if (!found)
        return false;
    *after = (ga__slice){found + 1, text->size - (size_t)(found + 1 - text->data)};
    text->size = (size_t)(found - text->data);
    return true;
}

/* "user:password" */
static void split_userinfo(ga__url_parts *parts, ga__slice userinfo)
{
    parts->username = userinfo;
    cut(&parts->username, ':', &parts->password);
}

static int split_port(ga__url_parts *parts, ga__slice digits, const char **reason)
{
    uint64_t port;

    if (digits.size == 0)
        return 0;
    if (!ga__parse_decimal(digits.data, digits.size, &port))
        return refuse(reason, "the port is not a number; it stands after the host's colon, as in "
                              "http://example.com:8080/ (in a password, / is written %2F, ? %3F and # %23)");
    if (port == 0 || port > UINT16_MAX)
        return refuse(reason, "the port is not between 1 and 65535");
    parts->port = port == ga__url_default_port(parts->secure) ? 0 : (uint16_t)port;
    return 0;
}

/* Takes "user:password@host:port" off the text. */
static int split_authority(ga__url_parts *parts, ga__slice *text, const char **reason)
{
    size_t end = 0;

    while (end < text->size && !ga__url_is_slash(text->data[end]) && text->data[end] != '?' &&
           text->data[end] != '#')
        end++;

    ga__slice authority = ga__slice_take(text, end);
    const char *at_sign = end ? memrchr(authority.data, '@', end) : NULL;

    if (at_sign) {
        split_userinfo(parts, ga__slice_take(&authority, (size_t)(at_sign - authority.data)));
        ga__slice_take(&authority, 1);
    }

    size_t host_size = 0;
    bool in_brackets = false;

    while (host_size < authority.size && (in_brackets || authority.data[host_size] != ':')) {
        char c = authority.data[host_size++];

        in_brackets = c == '[' || (in_brackets && c != ']');
    }
    int code = ga__host_parse(&parts->parsed_host, authority.data, host_size, reason);

    if (code)
        return code;
    parts->host = (ga__slice){parts->parsed_host.text, parts->parsed_host.size};
    parts->host_kind = parts->parsed_host.kind;
    ga__slice_take(&authority, host_size);
    if (authority.size)
        ga__slice_take(&authority, 1);
    return split_port(parts, authority, reason);
}

/* Takes the authority, and what a reference without path or query has besides, from the base. */
static void split_base(ga__url_parts *parts, ga__slice rest, const ga__url *base)
{
    char first = rest.size ? *rest.data : '#';

    parts->username = ga__url_username(base);
    parts->password = ga__url_password(base);
    parts->host = (ga__slice){ga__url_host(base), ga__url_host_size(base)};
    parts->host_kind = (ga__host_kind)base->host_kind;
    parts->port = base->port == ga__url_default_port(base->secure) ? 0 : base->port;
    if (ga__url_is_slash(first))
        return;

    parts->base_path = ga__url_path(base);
    if (first == '#') {
        parts->has_query = base->query_at < base->fragment_at;
        parts->query = ga__url_query(base);
    } else if (first != '?') {
        while (parts->base_path.data[parts->base_path.size - 1] != '/')
            parts->base_path.size--;
    }
}

/* Reads "scheme:" where it is there, and decides whether an authority follows whatever the slashes. */
static int split_scheme(ga__url_parts *parts, ga__slice *rest, const ga__url *base, bool *absolute,
                        const char **reason)
{
    size_t size = ga__url_scheme_size(*rest);

    *absolute = false;
    if (size) {
        ga__slice name = ga__slice_take(rest, size);

        parts->secure = ga__ascii_equal(name, GA__SLICE("https"));
        if (!parts->secure && !ga__ascii_equal(name, GA__SLICE("http"))) {
            *reason = "the URL's scheme is neither http nor https; begin it with http:// or https://";
            return GA_ESCHEME;
        }
        ga__slice_take(rest, 1);
        /* "http:a" is relative to a base of the same scheme. */
        *absolute = !base || base->secure != parts->secure;
    } else if (base) {
        parts->secure = base->secure;
    } else {
        return refuse(reason, rest->size ? "the URL has no scheme; begin it with http:// or https://"
                                         : "the URL is empty; give one as in http://example.com/");
    }
    return 0;
}

int ga__url_split(ga__url_parts *parts, const char *input, size_t size, const ga__url *base,
                  const char **reason)
{
    ga__slice rest = ga__slice_trim((ga__slice){input, size}, " ");
    bool absolute;
    int code;

    memset(parts, 0, offsetof(ga__url_parts, parsed_host));
    if (rest.size > GA__URL_MAX)
        return refuse(reason, "the URL is longer than 1 MiB");
    if (ga__ascii_has_control(rest))
        return refuse(reason, "the URL has a control character in it, such as a line break or a tab; remove "
                              "it, or write it as %0A or %09");
    code = split_scheme(parts, &rest, base, &absolute, reason);
    if (code)
        return code;

    if (absolute || (rest.size >= 2 && ga__url_is_slash(rest.data[0]) && ga__url_is_slash(rest.data[1]))) {
        while (rest.size && ga__url_is_slash(*rest.data))
            ga__slice_take(&rest, 1);
        code = split_authority(parts, &rest, reason);
    } else {
        split_base(parts, rest, base);
    }
    parts->has_fragment = cut(&rest, '#', &parts->fragment);
    parts->has_query |= cut(&rest, '?', &parts->query);
    parts->path = rest;
    return code;
}
