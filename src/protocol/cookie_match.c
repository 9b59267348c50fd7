/* SPDX-License-Identifier: MIT */
/*
 * Which cookie belongs to which request: the domains, paths and public suffixes of RFC 6265bis, 5.1. Called
 * by the cookie jar, when it takes a cookie and when it gives some.
 */
#include "protocol/cookie.h"

#include <libpsl.h>

bool ga__cookie_domain_matches(ga__slice host, bool host_is_ip, ga__slice domain)
{
    if (ga__slice_equal(host, domain))
        return true;
    if (host_is_ip || domain.size == 0 || host.size <= domain.size)
        return false;
    size_t above = host.size - domain.size;

    return host.data[above - 1] == '.' && memcmp(host.data + above, domain.data, domain.size) == 0;
}

bool ga__cookie_path_matches(ga__slice path, ga__slice cookie_path)
{
    size_t size = cookie_path.size;

    if (size == 0 || path.size < size || memcmp(path.data, cookie_path.data, size) != 0)
        return false;
    return path.size == size || cookie_path.data[size - 1] == '/' || path.data[size] == '/';
}

ga__slice ga__cookie_default_path(ga__slice path)
{
    size_t end = path.size;

    while (end > 0 && path.data[end - 1] != '/')
        end--;
    return end <= 1 ? GA__SLICE("/") : (ga__slice){path.data, end - 1};
}

bool ga__is_public_suffix(const char *domain)
{
    const psl_ctx_t *list = psl_builtin();

    return !list || psl_is_public_suffix(list, domain);
}
