/* SPDX-License-Identifier: MIT */
/*
 * Proxies of a session and of single requests. An option goes before the environment, a scheme's own before
 * "all". The environment's HTTP_PROXY in capitals is not read: a CGI program would take it from its client's
 * "Proxy:" header. Called by sessions and requests.
 */
#include "client/proxy.h"

#include "base/ascii.h"
#include "protocol/basic_auth.h"
#include "protocol/http1_writer.h"
#include "protocol/no_proxy.h"
#include "protocol/percent.h"
#include "protocol/socks5.h"
#include "task/loop.h"
#include <stdlib.h>

enum { SOCKS_PORT = 1080 };

/* --- the URL -------------------------------------------------------------------------------------- */

static int refused(const char *option, const char *given, int code, const char *reason)
{
    ga__buffer shown = GA__BUFFER_INIT;

    ga__url_describe(&shown, given, strlen(given));
    ga__fail(code, "%s \"%s\": %s", option, shown.data && !shown.failed ? shown.data : "?", reason);
    ga__buffer_free(&shown);
    return code;
}

static int no_memory(void)
{
    return ga__fail(GA_ENOMEM, "no memory for a proxy");
}

/* Takes the scheme off. False where it is one that is not known. */
static bool take_scheme(ga__slice *url, ga__proxy_kind *kind)
{
    static const struct {
        const char *name;
        ga__proxy_kind kind;
    } schemes[] = {
        {"http", GA__PROXY_HTTP},
        {"https", GA__PROXY_HTTPS},
        {"socks5", GA__PROXY_SOCKS5},
        {"socks5h", GA__PROXY_SOCKS5H},
    };
    const char *end = strstr(url->data, "://");

    *kind = GA__PROXY_HTTP;
    if (!end)
        return true;
    ga__slice scheme = ga__slice_take(url, (size_t)(end - url->data));

    ga__slice_take(url, 3);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (ga__ascii_is(scheme, schemes[i].name)) {
            *kind = schemes[i].kind;
            return true;
        }
    }
    return false;
}

static int parse_as(ga__url *url, const char *scheme, ga__slice rest, const char **reason)
{
    ga__buffer text = GA__BUFFER_INIT;

    ga__buffer_add(&text, scheme);
    ga__buffer_append(&text, rest.data, rest.size);
    *reason = "no memory";
    int code = text.failed ? GA_ENOMEM : ga__url_parse(url, text.data, text.size, NULL, reason);

    ga__buffer_free(&text);
    return code;
}

/* A URL of HTTP does not keep whether its port was given; one that is the default of both schemes was not. */
static int set_socks_port(ga__proxy *proxy, ga__slice rest, const char **reason)
{
    ga__url other;
    int code;

    if (proxy->url.port != 80)
        return 0;
    code = parse_as(&other, "https://", rest, reason);
    if (code == 0 && other.port == 443)
        proxy->url.port = SOCKS_PORT;
    if (code == 0)
        ga__url_free(&other);
    return code;
}

static int parse(ga__proxy *proxy, const char *option, const char *given)
{
    ga__slice rest = ga__slice_of(given + strspn(given, " \t"));
    const char *reason = NULL;

    if (!take_scheme(&rest, &proxy->kind))
        return refused(option, given, GA_EURL, "a proxy is http, https, socks5 or socks5h");
    int code = parse_as(&proxy->url, proxy->kind == GA__PROXY_HTTPS ? "https://" : "http://", rest, &reason);

    if (code == 0 && proxy->kind >= GA__PROXY_SOCKS5)
        code = set_socks_port(proxy, rest, &reason);
    return code < 0 ? refused(option, given, code, reason) : 0;
}

/* --- what it is sent, and how it is known --------------------------------------------------------- */

static int add_field(ga__http1_writer *writer, ga__proxy *proxy, const char *name, const char *value)
{
    static const char *const ours[] = {"Host", "Content-Length", "Transfer-Encoding", "Connection"};

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (ga__ascii_is(ga__slice_of(name), ours[i]))
            return ga__fail(GA_EHEADER, "proxy_headers, %s: it belongs to the request itself", ours[i]);
    proxy->authorized |= ga__ascii_is(ga__slice_of(name), "proxy-authorization");
    ga__http1_write_field(writer, name, value);
    return 0;
}

static int authorize(ga__http1_writer *writer, ga__proxy *proxy)
{
    ga__buffer value = GA__BUFFER_INIT;
    const char *problem;
    int code = ga__basic_auth_encoded(&value, ga__url_username(&proxy->url), ga__url_password(&proxy->url),
                                      &problem);

    if (code < 0)
        ga__fail(code, "the proxy %s: %s", proxy->name, problem);
    else if (value.failed)
        code = no_memory();
    else
        code = add_field(writer, proxy, "Proxy-Authorization", value.data);
    ga__buffer_free(&value);
    return code;
}

/* Writes the fields once, as they stand in every head that goes to the proxy. */
static int set_fields(ga__proxy *proxy, const ga_pair *headers)
{
    ga__http1_writer writer;
    char name[GA__HTTP1_CULPRIT_SIZE];
    int code = 0;

    ga__http1_write_fields(&writer, &proxy->fields);
    for (const ga_pair *header = headers; header && header->name && code == 0; header++)
        if (header->value)
            code = add_field(&writer, proxy, header->name, header->value);
    if (code == 0 && !proxy->authorized && ga__url_has_userinfo(&proxy->url))
        code = authorize(&writer, proxy);
    if (code == 0 && writer.code)
        code = ga__fail(writer.code, "proxy_headers, %s: %s", ga__http1_writer_culprit(&writer, name),
                        writer.problem);
    return code == 0 && proxy->fields.failed ? no_memory() : code;
}

static int set_credentials(ga__proxy *proxy)
{
    ga__slice username = ga__url_username(&proxy->url), password = ga__url_password(&proxy->url);

    ga__percent_decode(&proxy->username, username.data, username.size);
    ga__percent_decode(&proxy->password, password.data, password.size);
    if (proxy->username.failed || proxy->password.failed)
        return no_memory();
    if (proxy->username.size > GA__SOCKS5_TEXT_MAX || proxy->password.size > GA__SOCKS5_TEXT_MAX)
        return ga__fail(GA_EURL, "the proxy %s: its user name or password is longer than 255 bytes",
                        proxy->name);
    return 0;
}

static int set_name(ga__proxy *proxy)
{
    static const char *const schemes[] = {"http", "https", "socks5", "socks5h"};
    const char *host = ga__url_host(&proxy->url);
    ga__buffer name = GA__BUFFER_INIT;

    ga__buffer_printf(&name, strchr(host, ':') ? "%s://[%s]:%u" : "%s://%s:%u", schemes[proxy->kind], host,
                      proxy->url.port);
    proxy->name = ga__buffer_take(&name);
    return proxy->name ? 0 : no_memory();
}

static int set_key(ga__proxy *proxy)
{
    ga__slice username = ga__url_username(&proxy->url), password = ga__url_password(&proxy->url);
    ga__buffer key = GA__BUFFER_INIT;

    ga__buffer_printf(&key, "%s %.*s:%.*s ", proxy->name, (int)username.size, username.data,
                      (int)password.size, password.data);
    if (proxy->fields.size > 0)
        ga__buffer_append(&key, proxy->fields.data, proxy->fields.size);
    proxy->key = ga__buffer_take(&key);
    return proxy->key ? 0 : no_memory();
}

ga__proxy *ga__proxy_new(const char *option, const char *url, const ga_pair *headers)
{
    ga__proxy *proxy = calloc(1, sizeof *proxy);

    if (!proxy) {
        no_memory();
        return NULL;
    }
    int code = parse(proxy, option, url);

    if (code == 0)
        code = set_name(proxy);
    if (code == 0)
        code = proxy->kind >= GA__PROXY_SOCKS5 ? set_credentials(proxy) : set_fields(proxy, headers);
    if (code == 0)
        code = set_key(proxy);
    if (code == 0)
        return proxy;
    ga__proxy_free(proxy);
    return NULL;
}

void ga__proxy_free(ga__proxy *proxy)
{
    if (!proxy)
        return;
    ga__url_free(&proxy->url);
    ga__buffer_free(&proxy->username);
    ga__buffer_free(&proxy->password);
    ga__buffer_free(&proxy->fields);
    free(proxy->name);
    free(proxy->key);
    free(proxy);
}

/* --- which of them -------------------------------------------------------------------------------- */

/* The first of the variables that is set and not empty; *option is its name then. */
static const char *from_environment(const char *const variables[3], const char **option)
{
    for (size_t i = 0; i < 3 && variables[i]; i++) {
        const char *value = getenv(variables[i]);

        if (value && *value) {
            *option = variables[i];
            return value;
        }
    }
    return NULL;
}

static const char *from_pairs(const ga_pair *pairs, const char *scheme)
{
    const char *found = NULL;

    for (; pairs && pairs->name && !found; pairs++)
        if (ga__ascii_is(ga__slice_of(pairs->name), scheme))
            found = pairs->value;
    return found;
}

/* The URL of the proxy for a scheme; "": none, whatever the environment says. NULL: none is named. */
static const char *named_for(const char *scheme, const ga_session_options *options, const char **option)
{
    static const char *const http[3] = {"http_proxy"}, *const https[3] = {"https_proxy", "HTTPS_PROXY"},
                             *const all[3] = {"all_proxy", "ALL_PROXY"};
    const char *url = from_pairs(options->proxies, scheme);

    *option = "proxies";
    if (!url)
        url = from_pairs(options->proxies, "all");
    if (!url && options->proxy) {
        *option = "proxy";
        url = options->proxy;
    }
    if (url || !options->trust_env || options->unix_socket)
        return url;
    url = from_environment(strcmp(scheme, "http") == 0 ? http : https, option);
    return url ? url : from_environment(all, option);
}

static int set_one(ga__proxy **proxy, const char *scheme, const ga_session_options *options)
{
    const char *option, *url = named_for(scheme, options, &option);

    if (!url || !*url)
        return 0;
    if (options->unix_socket)
        return ga__fail(GA_EUSAGE, "%s: a session with a unix_socket has no proxy", option);
    *proxy = ga__proxy_new(option, url, options->proxy_headers);
    return *proxy ? 0 : ga_error()->code;
}

static int check_schemes(const ga_pair *pairs)
{
    for (; pairs && pairs->name; pairs++) {
        ga__slice name = ga__slice_of(pairs->name);

        if (!ga__ascii_is(name, "http") && !ga__ascii_is(name, "https") && !ga__ascii_is(name, "all"))
            return ga__fail(GA_EUSAGE, "proxies: \"%.40s\" is none of \"http\", \"https\" and \"all\"",
                            pairs->name);
    }
    return 0;
}

static int set_exceptions(ga__proxies *proxies, const ga_session_options *options)
{
    static const char *const variables[3] = {"no_proxy", "NO_PROXY"};
    const char *option, *list = options->no_proxy;

    if (!list && options->trust_env)
        list = from_environment(variables, &option);
    if (!list)
        return 0;
    proxies->no_proxy = strdup(list);
    return proxies->no_proxy ? 0 : no_memory();
}

int ga__proxies_new(ga__proxies **proxies, const ga_session_options *options)
{
    *proxies = NULL;
    if (!options->proxy && !options->proxies && !options->trust_env)
        return 0;
    ga__proxies *made = calloc(1, sizeof *made);

    if (!made)
        return no_memory();
    int code = check_schemes(options->proxies);

    if (code == 0)
        code = set_one(&made->http, "http", options);
    if (code == 0)
        code = set_one(&made->https, "https", options);
    if (code == 0 && (made->http || made->https))
        code = set_exceptions(made, options);
    if (code == 0 && (made->http || made->https))
        *proxies = made;
    else
        ga__proxies_free(made);
    return code;
}

void ga__proxies_free(ga__proxies *proxies)
{
    if (!proxies)
        return;
    ga__proxy_free(proxies->http);
    ga__proxy_free(proxies->https);
    free(proxies->no_proxy);
    free(proxies);
}

const ga__proxy *ga__proxies_choose(const ga__proxies *proxies, const ga__url *url)
{
    const ga__proxy *proxy = url->secure ? proxies->https : proxies->http;

    return proxy && !ga__no_proxy_covers(proxies->no_proxy, ga__url_host(url), url->port) ? proxy : NULL;
}
