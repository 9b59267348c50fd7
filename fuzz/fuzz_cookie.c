/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a URL, a line feed, and Set-Cookie fields, one a line. What a jar takes must go to the URL
 * that set it or to none, in a field that a request may carry; dates must stay within the calendar.
 */
#include "client/cookie_jar.h"
#include "fuzz.h"
#include "protocol/cookie_date.h"
#include "protocol/token.h"

enum { NOW = 1700000000 };

/* Whether the jar's cookies are as the rules have them. */
static void check_jar(const ga_cookie_jar *jar, const ga__url *url)
{
    ga__slice host = {ga__url_host(url), ga__url_host_size(url)};
    size_t count = 0;

    for (const ga__link *link = jar->all.next; link != &jar->all; link = link->next, count++) {
        ga__cookie cookie = ga__cookie_of(link);

        REQUIRE(cookie.name.size + cookie.value.size > 0);
        REQUIRE(cookie.name.size + cookie.value.size <= GA__COOKIE_PAIR_MAX);
        REQUIRE(ga__cookie_domain_matches(host, ga__url_host_is_ip(url), cookie.domain));
        REQUIRE(cookie.host_only || !ga__is_public_suffix(cookie.domain.data));
        REQUIRE(cookie.path.size > 0 && cookie.path.data[0] == '/');
        REQUIRE(url->secure || !cookie.secure);
        REQUIRE(cookie.expires > NOW);
        REQUIRE(cookie.expires == GA__COOKIE_KEPT || cookie.expires <= NOW + (int64_t)400 * 24 * 60 * 60);
    }
    REQUIRE(count == jar->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *reason;
    const char *end = size ? memchr(text, '\n', size) : NULL;
    ga__buffer out = GA__BUFFER_INIT;
    int64_t date = 0;
    ga__url url;

    if (ga__cookie_date((ga__slice){text, size}, &date))
        REQUIRE(date >= -11644473600 && date < INT64_C(253402300800));
    if (!end || ga__url_parse(&url, text, (size_t)(end - text), NULL, &reason) < 0)
        return 0;
    ga_cookie_jar *jar = ga_cookie_jar_new();
    ga__slice rest = {end + 1, size - (size_t)(end + 1 - text)};

    while (rest.size > 0) {
        end = memchr(rest.data, '\n', rest.size);
        ga__slice field = ga__slice_take(&rest, end ? (size_t)(end - rest.data) : rest.size);

        if (end)
            ga__slice_take(&rest, 1);
        ga__cookie_jar_take(jar, &url, field, NOW, &reason);
    }
    check_jar(jar, &url);
    REQUIRE(ga__cookie_jar_write(jar, &url, NULL, NOW, &out) == 0);
    REQUIRE(out.size <= 8190 && ga__span_value(out.data, out.size) == out.size);
    ga__buffer_free(&out);
    ga_cookie_jar_free(jar);
    ga__url_free(&url);
    return 0;
}
