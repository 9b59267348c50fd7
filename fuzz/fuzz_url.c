/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a URL, or as a reference, a line feed, and its base. What is accepted must be visible ASCII,
 * be the same when it is parsed again, hang together in its parts, and say nothing of its userinfo; what is
 * refused must come with a reason.
 */
#include "fuzz.h"
#include "protocol/redirect.h"
#include "protocol/url.h"

static bool parse(ga__url *url, const char *input, size_t size, const ga__url *base)
{
    const char *reason = NULL;
    int code = ga__url_parse(url, input, size, base, &reason);

    REQUIRE(code == 0 || code == GA_EURL || code == GA_ESCHEME);
    REQUIRE(code == 0 || (reason && url->size == 0 && !url->far));
    return code == 0;
}

static void check_parts(const ga__url *url)
{
    const char *href = ga__url_href(url);
    const char *printable = ga__url_printable(url);
    size_t hidden = ga__url_has_userinfo(url) ? url->host_at - strlen(ga__url_scheme(url)) - 3 : 0;

    REQUIRE(strlen(href) == url->size && url->size <= GA__URL_MAX);
    for (const char *at = href; *at; at++)
        REQUIRE(*at > ' ' && *at < 0x7f);
    REQUIRE(strlen(ga__url_host(url)) == ga__url_host_size(url));
    REQUIRE(ga__url_host_size(url) > 0 && ga__url_host_size(url) <= GA__HOST_MAX);
    REQUIRE(!strpbrk(ga__url_host(url), "/?#@[]\\%"));
    REQUIRE(ga__url_path(url).data[0] == '/');
    REQUIRE(url->port > 0);
    REQUIRE(ga__url_target(url).size == url->fragment_at - url->path_at);
    REQUIRE(!memchr(ga__url_target(url).data, '#', ga__url_target(url).size));
    REQUIRE(strlen(printable) == url->size - hidden);
    REQUIRE(strcmp(printable + strlen(ga__url_scheme(url)) + 3, href + url->host_at) == 0);
}

/* The short cut makes the same of it, or nothing. */
static void check_like(const ga__url *url, const char *input, size_t size)
{
    ga__url like;

    if (!ga__url_parse_like(&like, input, size, url))
        return;
    REQUIRE(strcmp(ga__url_href(&like), ga__url_href(url)) == 0);
    REQUIRE(strcmp(ga__url_host(&like), ga__url_host(url)) == 0);
    REQUIRE(memcmp(&like.size, &url->size, offsetof(ga__url, near) - offsetof(ga__url, size)) == 0);
}

static void check_again(const ga__url *url, const ga__url *base)
{
    ga__url again;

    REQUIRE(parse(&again, ga__url_href(url), url->size, base));
    REQUIRE(strcmp(ga__url_href(&again), ga__url_href(url)) == 0);
    REQUIRE(memcmp(&again.size, &url->size, offsetof(ga__url, near) - offsetof(ga__url, size)) == 0);
    REQUIRE(ga__url_same_origin(&again, url));
    ga__url_free(&again);
}

static void check_params(const ga__url *url)
{
    static const ga_pair params[] = {{"a b", "'\"&=#\r\n"}, {"\xff", ""}, {NULL, NULL}};
    const char *reason;
    ga__url longer;

    REQUIRE(ga__url_copy(&longer, url) == 0);
    check_again(&longer, NULL);
    if (ga__url_add_params(&longer, params, &reason) == 0) {
        check_parts(&longer);
        check_again(&longer, url);
    }
    ga__url_free(&longer);
}

static void check_redirect(const ga__url *base, const char *location, size_t size)
{
    ga__slice locations[] = {{location, size}};
    ga__redirect_case answer = {
        .status = 302, .method = "GET", .locations = locations, .location_count = 1, .url = base, .limit = 1};
    ga__redirect redirect;

    ga__redirect_decide(&redirect, &answer);
    REQUIRE(redirect.action != GA__REDIRECT_FAIL || redirect.reason);
    if (redirect.action == GA__REDIRECT_FOLLOW) {
        check_parts(&redirect.url);
        REQUIRE(redirect.drop_credentials == !ga__url_same_origin(base, &redirect.url));
    }
    ga__redirect_free(&redirect);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *line_feed = size ? memchr(text, '\n', size) : NULL;
    size_t first = line_feed ? (size_t)(line_feed - text) : size;
    ga__buffer shown = GA__BUFFER_INIT;
    ga__url base = {0};
    ga__url url;
    bool has_base = line_feed && parse(&base, line_feed + 1, size - first - 1, NULL);

    if (parse(&url, text, first, has_base ? &base : NULL)) {
        check_parts(&url);
        check_again(&url, has_base ? &base : NULL);
        check_like(&url, text, first);
        check_params(&url);
        ga__url_free(&url);
    }
    if (has_base)
        check_redirect(&base, text, first);
    ga__url_describe(&shown, text, size);
    ga__buffer_free(&shown);
    ga__url_free(&base);
    return 0;
}
