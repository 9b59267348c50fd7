/* SPDX-License-Identifier: MIT */
/*
 * Which header fields and parameters are secret: by their names, those of the standards and what the names of
 * others have in common. Rather one too many: what is hidden in vain can be asked for.
 */
#include "client/redact.h"

#include "base/ascii.h"

/* "-" and "_" are the same. */
static bool begins(const char *at, ga__slice part)
{
    for (size_t i = 0; i < part.size; i++)
        if (ga__ascii_lower(at[i] == '_' ? '-' : at[i]) != part.data[i])
            return false;
    return true;
}

static bool contains(ga__slice name, ga__slice part)
{
    for (size_t at = 0; at + part.size <= name.size; at++)
        if (begins(name.data + at, part))
            return true;
    return false;
}

bool ga__is_secret(ga__slice name)
{
    static const char *const whole[] = {"authorization", "proxy-authorization", "cookie", "set-cookie"};
    static const char *const parts[] = {"token",  "secret",     "password", "api-key",
                                        "apikey", "access-key", "x-auth"};

    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (ga__ascii_is(name, whole[i]))
            return true;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (contains(name, ga__slice_of(parts[i])))
            return true;
    return false;
}

/* Takes what stands before the first of these characters, or all. */
static ga__slice take_before(ga__slice *text, const char *ends)
{
    size_t size = 0;

    while (size < text->size && !strchr(ends, text->data[size]))
        size++;
    return ga__slice_take(text, size);
}

static void append_parameter(ga__buffer *out, ga__slice parameter)
{
    ga__slice value = parameter, name = take_before(&value, "=");
    bool secret = value.size > 0 && ga__is_secret(name);

    ga__buffer_append(out, parameter.data, secret ? name.size + 1 : parameter.size);
    if (secret)
        ga__buffer_add(out, "[redacted]");
}

void ga__redact_url(ga__buffer *out, ga__slice url)
{
    ga__slice part = take_before(&url, "?#");

    ga__buffer_append(out, part.data, part.size);
    while (url.size > 0 && strchr("?&", *url.data)) {
        part = ga__slice_take(&url, 1);
        ga__buffer_append(out, part.data, part.size);
        append_parameter(out, take_before(&url, "&# "));
    }
    if (url.size > 0 && *url.data == '#')
        take_before(&url, " ");
    ga__buffer_append(out, url.data, url.size);
}

void ga__redact_field(ga__buffer *out, const char *name, const char *value)
{
    static const char *const urls[] = {"location", "content-location", "referer"};

    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        if (ga__ascii_is(ga__slice_of(name), urls[i])) {
            ga__redact_url(out, ga__slice_of(value));
            return;
        }
    ga__buffer_add(out, ga__is_secret(ga__slice_of(name)) ? "[redacted]" : value);
}
