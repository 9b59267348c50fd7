/* SPDX-License-Identifier: MIT */
/*
 * Which header fields are secret: by their names, those of the standards and what the names of others' have
 * in common. Rather one too many: what is hidden in vain can be asked for.
 */
#include "client/redact.h"

#include "base/ascii.h"

static bool contains(ga__slice name, ga__slice part)
{
    for (; name.size >= part.size; ga__slice_take(&name, 1))
        if (ga__ascii_equal((ga__slice){name.data, part.size}, part))
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
