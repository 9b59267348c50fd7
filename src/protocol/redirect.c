/* SPDX-License-Identifier: MIT */
/*
 * Redirects: from a 3xx answer to the next request, or to the reason why there is none. The invariant: a body
 * is never sent empty because it was consumed, and credentials never follow to another origin, nor come back
 * on a later hop. Called by the client after each response head.
 */
#include "protocol/redirect.h"
#include "base/ascii.h"
#include "protocol/url_parts.h"

static void fail(ga__redirect *redirect, int code, const char *reason)
{
    redirect->action = GA__REDIRECT_FAIL;
    redirect->code = code;
    redirect->reason = reason;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The one Location; an empty slice where there is none. False where there are several that differ. */
static bool one_location(const ga__redirect_case *answer, ga__slice *location)
{
    *location = (ga__slice){"", 0};
    for (size_t i = 0; i < answer->location_count; i++) {
        if (i > 0 && !ga__slice_equal(answer->locations[0], answer->locations[i]))
            return false;
        *location = answer->locations[i];
    }
    return true;
}

/* How a Location leads to a host: by a scheme of its own, by slashes. */
struct lead {
    bool scheme;
    size_t slashes;
};

static struct lead read_lead(ga__slice location)
{
    struct lead lead = {false, 0};
    const char *at = location.data;
    const char *end = at + location.size;

    while (at < end && *at == ' ')
        at++;
    size_t scheme = ga__url_scheme_size((ga__slice){at, (size_t)(end - at)});

    lead.scheme = scheme > 0;
    at += lead.scheme ? scheme + 1 : 0;
    for (; at < end && ga__url_is_slash(*at); at++)
        lead.slashes++;
    return lead;
}

/* What becomes of the method and the body (RFC 9110, 15.4.2 to 15.4.9; Fetch, "HTTP-redirect fetch"). */
static void choose_method(ga__redirect *redirect, const ga__redirect_case *answer)
{
    bool post = strcmp(answer->method, "POST") == 0;
    bool head = strcmp(answer->method, "HEAD") == 0;

    redirect->method = answer->method;
    redirect->drop_body = answer->status == 303 || (post && (answer->status == 301 || answer->status == 302));
    if (redirect->drop_body && !head)
        redirect->method = "GET";
}

static void choose_url(ga__redirect *redirect, const ga__redirect_case *answer, ga__slice location)
{
    struct lead lead = read_lead(location);
    const char *reason;
    int code;

    /* Browsers and other clients disagree where that leads. */
    if (lead.slashes > 2) {
        fail(redirect, GA_EREDIRECT, "the Location has more than two slashes before its host");
        return;
    }
    code = ga__url_parse(&redirect->url, location.data, location.size, answer->url, &reason);
    if (code == 0)
        code = ga__url_inherit_fragment(&redirect->url, answer->url, &reason);
    if (code == GA_ESCHEME)
        fail(redirect, GA_EREDIRECT, "the Location's scheme is neither http nor https");
    else if (code)
        fail(redirect, code == GA_ENOMEM ? GA_ENOMEM : GA_EREDIRECT, reason);
    if (code)
        return;

    redirect->drop_host = lead.scheme || lead.slashes == 2;
    redirect->drop_credentials =
        answer->credentials_dropped || !ga__url_same_origin(answer->url, &redirect->url);
}

void ga__redirect_decide(ga__redirect *redirect, const ga__redirect_case *answer)
{
    ga__slice location;

    *redirect = (ga__redirect){.action = GA__REDIRECT_RETURN};
    if (!is_redirect(answer->status))
        return;
    if (!one_location(answer, &location)) {
        fail(redirect, GA_EREDIRECT, "the answer has several Location headers that differ");
        return;
    }
    if (location.size == 0)
        return;
    if (answer->followed >= answer->limit) {
        fail(redirect, GA_EREDIRECT, "too many redirects; raise max_redirects if they are no loop");
        return;
    }

    redirect->action = GA__REDIRECT_FOLLOW;
    choose_method(redirect, answer);
    if (answer->has_body && !answer->replayable && !redirect->drop_body) {
        fail(redirect, GA_ENOTREPLAYABLE,
             "the redirect wants the body once more, and it cannot be read again; give it as bytes or as a "
             "file");
        return;
    }
    choose_url(redirect, answer, location);
    if (redirect->action == GA__REDIRECT_FAIL)
        ga__redirect_free(redirect);
}

static bool is_one_of(ga__slice name, const char *const *names)
{
    for (; *names; names++)
        if (ga__ascii_is(name, *names))
            return true;
    return false;
}

bool ga__redirect_keeps_header(const ga__redirect *redirect, const char *name, size_t size)
{
    static const char *const of_body[] = {"Content-Length",   "Content-Type",     "Content-Encoding",
                                          "Content-Language", "Content-Location", "Transfer-Encoding",
                                          "Expect",           "Trailer",          NULL};
    static const char *const credentials[] = {"Authorization", "Cookie", "Proxy-Authorization", NULL};
    ga__slice header = {name, size};

    if (redirect->drop_body && is_one_of(header, of_body))
        return false;
    if (redirect->drop_credentials && is_one_of(header, credentials))
        return false;
    return !(redirect->drop_host && ga__ascii_is(header, "Host"));
}

void ga__redirect_referer(ga__buffer *out, const ga__url *from, const ga__url *to)
{
    ga__slice authority = ga__url_authority(from), target = ga__url_target(from);

    if (from->secure && !to->secure)
        return;
    if (!ga__url_same_origin(from, to))
        target = GA__SLICE("/");
    ga__buffer_add(out, ga__url_scheme(from));
    ga__buffer_add(out, "://");
    ga__buffer_append(out, authority.data, authority.size);
    ga__buffer_append(out, target.data, target.size);
}

void ga__redirect_free(ga__redirect *redirect)
{
    ga__url_free(&redirect->url);
}
