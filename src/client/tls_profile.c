/* SPDX-License-Identifier: MIT */
/*
 * Profiles of TLS: what a session and its requests say of it, joined option by option, and what is made of
 * that. A profile is found again by its key. More than a few that nobody uses are not kept: each may hold a
 * store of CAs. Called by sessions, requests and whoever opens their connections.
 */
#include "client/tls_profile.h"

#include "base/ascii.h"
#include "base/buffer.h"
#include "task/loop.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_KEPT = 8 };

/* --- the options ---------------------------------------------------------------------------------- */

static const char *alpn_of(int http)
{
    if (http == GA__HTTP_1)
        return "http/1.1";
    return http == GA__HTTP_2 ? "h2" : "h2,http/1.1";
}

/* Judges what can be judged without files. `wanted` borrows its strings. */
static int check(const ga__tls_profile *wanted)
{
    const ga__tls_options *options = &wanted->options;

    if (wanted->http != GA__HTTP_AUTO && wanted->http != GA__HTTP_1 && wanted->http != GA__HTTP_2)
        return ga__fail(GA_EUSAGE, "http is %d: 0 (as the server prefers), 11 or 2 is expected",
                        wanted->http);
    if (options->key_file && !options->cert_file)
        return ga__fail(GA_EUSAGE, "key_file is given without cert_file");
    if (options->version_min != 0 && options->version_min != 12 && options->version_min != 13)
        return ga__fail(GA_EUSAGE, "tls_version_min is %d: 12 or 13 is expected", options->version_min);
    if (wanted->server_name && ga__ascii_has_control(ga__slice_of(wanted->server_name)))
        return ga__fail(GA_EUSAGE, "server_name has a control character");
    return 0;
}

/* "" in a request takes the session's away. */
static const char *none_if_empty(const char *string)
{
    return string && *string ? string : NULL;
}

/* What the request says, and for the rest the session. Files that belong together come from one of both. */
static ga__tls_profile join(const ga__tls_profile *own, const ga_request_options *options, bool elsewhere)
{
    ga__tls_profile wanted = {.http = own->http, .options = own->options, .server_name = own->server_name};

    if (options->http)
        wanted.http = options->http > 0 ? options->http : GA__HTTP_AUTO;
    if (options->insecure)
        wanted.options.insecure = options->insecure > 0;
    if (options->tls_version_min)
        wanted.options.version_min = options->tls_version_min;
    if (options->ca_file || options->ca_path) {
        wanted.options.ca_file = none_if_empty(options->ca_file);
        wanted.options.ca_path = none_if_empty(options->ca_path);
    }
    if (options->cert_file || options->key_file) {
        wanted.options.cert_file = elsewhere ? NULL : none_if_empty(options->cert_file);
        wanted.options.key_file = elsewhere ? NULL : none_if_empty(options->key_file);
    }
    if (options->tls_pin)
        wanted.options.pin = none_if_empty(options->tls_pin);
    if (options->server_name)
        wanted.server_name =
            elsewhere || !*options->server_name ? NULL : (char *)(uintptr_t)options->server_name;
    wanted.options.alpn = alpn_of(wanted.http);
    return wanted;
}

/* Each string with its size before it, so that none can pass for two. */
static char *make_key(const ga__tls_profile *profile)
{
    const ga__tls_options *options = &profile->options;
    const char *const strings[] = {options->ca_file,  options->ca_path, options->cert_file,
                                   options->key_file, options->pin,     profile->server_name};
    ga__buffer key = GA__BUFFER_INIT;

    ga__buffer_printf(&key, "%d %d %d", profile->http, options->insecure,
                      options->version_min ? options->version_min : 12);
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        if (strings[i])
            ga__buffer_printf(&key, " %zu:%s", strlen(strings[i]), strings[i]);
        else
            ga__buffer_add(&key, " -");
    }
    return ga__buffer_take(&key);
}

/* --- making and freeing --------------------------------------------------------------------------- */

static const char *copy(const char *string, bool *failed)
{
    char *result = string ? strdup(string) : NULL;

    *failed |= string && !result;
    return result;
}

static int no_memory(void)
{
    return ga__fail(GA_ENOMEM, "no memory for TLS");
}

static void clear(ga__tls_profile *profile)
{
    ga__tls_config_unref(profile->config);
    free((char *)(uintptr_t)profile->options.ca_file);
    free((char *)(uintptr_t)profile->options.ca_path);
    free((char *)(uintptr_t)profile->options.cert_file);
    free((char *)(uintptr_t)profile->options.key_file);
    free((char *)(uintptr_t)profile->options.pin);
    free(profile->server_name);
    free(profile->key);
    *profile = (ga__tls_profile){0};
}

/* Makes *profile of what is wanted, whose key it takes over. On failure it is to be cleared all the same. */
static int set(ga__tls_profile *profile, const ga__tls_profile *wanted, char *key)
{
    const ga__tls_options *options = &wanted->options;
    bool failed = !key;

    *profile = (ga__tls_profile){.http = wanted->http, .options = *options, .key = key};
    profile->options.ca_file = copy(options->ca_file, &failed);
    profile->options.ca_path = copy(options->ca_path, &failed);
    profile->options.cert_file = copy(options->cert_file, &failed);
    profile->options.key_file = copy(options->key_file, &failed);
    profile->options.pin = copy(options->pin, &failed);
    profile->server_name = (char *)(uintptr_t)copy(wanted->server_name, &failed);
    if (failed)
        return no_memory();
    int code = check(profile);

    if (code < 0 || (!options->ca_file && !options->ca_path && !options->cert_file && !options->pin))
        return code;
    return ga__tls_profile_config(profile) ? 0 : ga_error()->code;
}

int ga__tls_profiles_init(ga__tls_profiles *profiles, const ga_session_options *options)
{
    ga__tls_profile wanted = {
        .http = options->http,
        .options =
            {
                .insecure = options->insecure != 0,
                .ca_file = options->ca_file,
                .ca_path = options->ca_path,
                .cert_file = options->cert_file,
                .key_file = options->key_file,
                .version_min = options->tls_version_min,
                .alpn = alpn_of(options->http),
                .pin = options->tls_pin,
            },
        .server_name = (char *)(uintptr_t)options->server_name,
    };

    ga__list_init(&profiles->others);
    return set(&profiles->own, &wanted, make_key(&wanted));
}

static void drop(ga__tls_profiles *profiles, ga__tls_profile *profile)
{
    ga__unlink(&profile->link);
    profiles->count--;
    clear(profile);
    free(profile);
}

void ga__tls_profiles_free(ga__tls_profiles *profiles)
{
    clear(&profiles->own);
    ga__tls_config_unref(profiles->proxy_config);
    while (profiles->count > 0)
        drop(profiles, GA__OF(profiles->others.next, ga__tls_profile, link));
}

/* --- a request's ---------------------------------------------------------------------------------- */

static ga__tls_profile *find(ga__tls_profiles *profiles, const char *key)
{
    for (ga__link *link = profiles->others.next; link != &profiles->others; link = link->next) {
        ga__tls_profile *profile = GA__OF(link, ga__tls_profile, link);

        if (strcmp(profile->key, key) == 0)
            return profile;
    }
    return NULL;
}

/* Drops those that were used longest ago, as far as there are too many and nobody uses them. */
static void tidy(ga__tls_profiles *profiles)
{
    for (ga__link *link = profiles->others.prev, *before; link != &profiles->others; link = before) {
        ga__tls_profile *profile = GA__OF(link, ga__tls_profile, link);

        before = link->prev;
        if (profiles->count <= MOST_KEPT)
            return;
        if (profile->references == 0)
            drop(profiles, profile);
    }
}

static ga__tls_profile *add(ga__tls_profiles *profiles, const ga__tls_profile *wanted, char *key)
{
    ga__tls_profile *profile = calloc(1, sizeof *profile);

    if (!profile) {
        free(key);
        no_memory();
        return NULL;
    }
    if (set(profile, wanted, key) < 0) {
        clear(profile);
        free(profile);
        return NULL;
    }
    ga__list_push_front(&profiles->others, &profile->link);
    profiles->count++;
    return profile;
}

ga__tls_profile *ga__tls_profile_get(ga__tls_profiles *profiles, const ga_request_options *options,
                                     bool elsewhere)
{
    ga__tls_profile wanted = join(&profiles->own, options, elsewhere);
    char *key = make_key(&wanted);

    if (!key) {
        no_memory();
        return NULL;
    }
    ga__tls_profile *profile = strcmp(key, profiles->own.key) == 0 ? &profiles->own : find(profiles, key);

    if (profile)
        free(key);
    else
        profile = add(profiles, &wanted, key);
    if (!profile || profile == &profiles->own)
        return profile;
    profile->references++;
    ga__unlink(&profile->link);
    ga__list_push_front(&profiles->others, &profile->link);
    tidy(profiles);
    return profile;
}

void ga__tls_profile_put(ga__tls_profiles *profiles, ga__tls_profile *profile)
{
    if (profile == &profiles->own)
        return;
    profile->references--;
    tidy(profiles);
}

/* --- what is made of it --------------------------------------------------------------------------- */

ga__tls_config *ga__tls_profile_config(ga__tls_profile *profile)
{
    if (!profile->config)
        profile->config = ga__tls_config_new(&profile->options);
    return profile->config;
}

ga__tls_config *ga__tls_profiles_proxy_config(ga__tls_profiles *profiles)
{
    ga__tls_options options = profiles->own.options;

    options.cert_file = options.key_file = options.pin = NULL;
    options.alpn = "http/1.1";
    if (!profiles->proxy_config)
        profiles->proxy_config = ga__tls_config_new(&options);
    return profiles->proxy_config;
}
