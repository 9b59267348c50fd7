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

const char *ga__redacted(const char *name, const char *value)
{
    return ga__is_secret(ga__slice_of(name)) ? "[redacted]" : value;
}

void ga__redact_query(ga__buffer *out, ga__slice url)
{
    const char *mark = memchr(url.data, '?', url.size);
    ga__slice before = ga__slice_take(&url, mark ? (size_t)(mark + 1 - url.data) : url.size);

    ga__buffer_append(out, before.data, before.size);
    while (url.size > 0 && *url.data != '#' && *url.data != ' ') {
        size_t size = 0, name = 0;

        while (size < url.size && !strchr("&# ", url.data[size]))
            size++;
        ga__slice parameter = ga__slice_take(&url, size);

        while (name < size && parameter.data[name] != '=')
            name++;
        bool secret = name < size && ga__is_secret((ga__slice){parameter.data, name});

        ga__buffer_append(out, parameter.data, secret ? name + 1 : size);
        if (secret)
            ga__buffer_add(out, "[redacted]");
        if (url.size > 0 && *url.data == '&')
            ga__buffer_append(out, ga__slice_take(&url, 1).data, 1);
    }
    ga__buffer_append(out, url.data, url.size);
}
