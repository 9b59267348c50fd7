/* SPDX-License-Identifier: MIT */
/*
 * Reading Set-Cookie as servers write it, and not as they should (RFC 6265bis, 5.6): attributes that are
 * unknown or make no sense are passed over, the last of several counts; a control character makes the whole
 * field void. Called by the cookie jar.
 */
#include "protocol/cookie.h"

#include "base/ascii.h"
#include "base/number.h"
#include "protocol/cookie_date.h"
#include "protocol/token.h"

/* Cuts at the first "=". False where there is none: all is in *left then. */
static bool cut(ga__slice part, ga__slice *left, ga__slice *right)
{
    const char *equals = part.size ? memchr(part.data, '=', part.size) : NULL;

    *left = ga__trim_blanks((ga__slice){part.data, equals ? (size_t)(equals - part.data) : part.size});
    *right = (ga__slice){"", 0};
    if (equals)
        *right = ga__trim_blanks((ga__slice){equals + 1, part.size - (size_t)(equals + 1 - part.data)});
    return equals != NULL;
}

static bool starts_with(ga__slice text, const char *prefix)
{
    ga__slice wanted = ga__slice_of(prefix);

    return text.size >= wanted.size && ga__ascii_equal((ga__slice){text.data, wanted.size}, wanted);
}

/* --- attributes (RFC 6265bis, 5.6.1 to 5.6.7) ------------------------------------------------------- */

static void read_max_age(ga__set_cookie *cookie, ga__slice value)
{
    bool negative = value.size > 0 && value.data[0] == '-';
    uint64_t seconds = INT32_MAX; /* more than any cookie lives: what does not fit a number counts so, too */

    if (negative)
        ga__slice_take(&value, 1);
    for (size_t i = 0; i < value.size; i++)
        if (!ga__ascii_is_digit(value.data[i]))
            return;
    if (value.size == 0)
        return;
    ga__parse_decimal(value.data, value.size, &seconds);
    cookie->has_max_age = true;
    cookie->max_age = negative ? 0 : seconds > INT32_MAX ? INT32_MAX : (int64_t)seconds;
}

/* A domain with a final dot can match no host as cookies mean it: it is as if there were none. */
static void read_domain(ga__set_cookie *cookie, ga__slice value)
{
    if (value.size > 0 && value.data[0] == '.')
        ga__slice_take(&value, 1);
    if (value.size > 0 && value.data[value.size - 1] == '.')
        value.size = 0;
    cookie->domain = value;
}

static void read_same_site(ga__set_cookie *cookie, ga__slice value)
{
    cookie->same_site = GA_SAME_SITE_UNSET;
    if (ga__ascii_is(value, "strict"))
        cookie->same_site = GA_SAME_SITE_STRICT;
    else if (ga__ascii_is(value, "lax"))
        cookie->same_site = GA_SAME_SITE_LAX;
    else if (ga__ascii_is(value, "none"))
        cookie->same_site = GA_SAME_SITE_NONE;
}

static void read_attribute(ga__set_cookie *cookie, ga__slice name, ga__slice value)
{
    if (value.size > GA__COOKIE_ATTRIBUTE_MAX)
        return;
    if (ga__ascii_is(name, "expires"))
        cookie->has_expires |= ga__cookie_date(value, &cookie->expires);
    else if (ga__ascii_is(name, "max-age"))
        read_max_age(cookie, value);
    else if (ga__ascii_is(name, "domain"))
        read_domain(cookie, value);
    else if (ga__ascii_is(name, "path"))
        cookie->path = value.size > 0 && value.data[0] == '/' ? value : (ga__slice){"", 0};
    else if (ga__ascii_is(name, "secure"))
        cookie->secure = true;
    else if (ga__ascii_is(name, "httponly"))
        cookie->http_only = true;
    else if (ga__ascii_is(name, "samesite"))
        read_same_site(cookie, value);
}

/* --- the field -------------------------------------------------------------------------------------- */

/* HTAB, which is a blank, is the one control character that may stand there. */
static bool has_control(ga__slice text)
{
    return ga__span_value(text.data, text.size) < text.size;
}

const char *ga__set_cookie_parse(ga__set_cookie *cookie, const char *text, size_t size)
{
    ga__slice rest = {text, size}, name, value;

    *cookie = (ga__set_cookie){.domain = {"", 0}, .path = {"", 0}};
    if (size > GA__COOKIE_LINE_MAX)
        return "it is longer than 5000 bytes";
    if (has_control(rest))
        return "it has a control character";
    if (cut(ga__slice_take_to(&rest, ';'), &name, &value)) {
        cookie->name = name;
        cookie->value = value;
    } else { /* a value without a name */
        cookie->name = value;
        cookie->value = name;
    }
    if (cookie->name.size + cookie->value.size == 0)
        return "it has neither a name nor a value";
    if (cookie->name.size + cookie->value.size > GA__COOKIE_PAIR_MAX)
        return "its name and value are longer than 4096 bytes";
    while (rest.size > 0) {
        cut(ga__slice_take_to(&rest, ';'), &name, &value);
        read_attribute(cookie, name, value);
    }
    return NULL;
}

const char *ga__cookie_prefix_refuses(const ga__set_cookie *cookie, bool host_only, bool root)
{
    /* A server would take a value without a name for the name that it begins with. */
    if (cookie->name.size == 0 &&
        (starts_with(cookie->value, "__Secure-") || starts_with(cookie->value, "__Host-")))
        return "it has no name, and its value begins as a prefixed name does";
    if (starts_with(cookie->name, "__Secure-") && !cookie->secure)
        return "its name begins with __Secure-, and it is not Secure";
    if (!starts_with(cookie->name, "__Host-"))
        return NULL;
    if (!cookie->secure)
        return "its name begins with __Host-, and it is not Secure";
    if (!host_only)
        return "its name begins with __Host-, and it has a Domain";
    return root ? NULL : "its name begins with __Host-, and its Path is not \"/\"";
}
