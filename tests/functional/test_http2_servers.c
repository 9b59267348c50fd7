/* SPDX-License-Identifier: MIT */
/* The client over HTTP/2 against nginx and nghttpd: over TLS by ALPN, over plain TCP by prior knowledge. */
#include "peers.h"

#include "io/certificate.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIG = 10000000 };

static char *directory, *place; /* a file in it */
static char *other_ca;          /* which has signed nothing */

static int set_up(void **state)
{
    ga__certificate ca;

    (void)state;
    directory = check_mkdtemp();
    place = ga_format("%s/place", directory);
    other_ca = ga_format("%s/ca.pem", directory);
    if (ga__certificate_make(&ca, &(ga__certificate_options){.common_name = "other", .authority = true}) < 0)
        return -1;
    check_write_file(other_ca, ca.certificate);
    ga__certificate_free(&ca);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    check_rmdir(directory);
    free(directory);
    free(place);
    free(other_ca);
    return 0;
}

static ga_session *open_session(const peers *servers)
{
    return ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file,
                          .http = servers->tls ? 0 : 2);
}

static uint64_t opened(const ga_session *session)
{
    ga_pool_stats stats;

    ga_session_pool(session, &stats);
    EXPECT(stats.in_use == 0 && stats.waiting == 0);
    return stats.opened;
}

static bool expect_small(ga_session *session)
{
    ga_auto(ga_response) response = ga_get(session, "/small");
    ga_autofree char *text = ga_text(response);

    return EXPECT_TEXT(text, "small\n") && EXPECT_TEXT(ga_http_version(response), "2") &&
           EXPECT(ga_status(response) == 200) && EXPECT_TEXT(ga_header(response, "Content-Length"), "6");
}

static int calls_in_a_row_share_a_connection(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);

    for (int i = 0; i < 20; i++)
        expect_small(session);
    EXPECT(opened(session) == 1);
    return 0;
}

static int call_often(void *arg)
{
    for (int i = 0; i < 3; i++)
        if (!expect_small(arg))
            break;
    return 0;
}

static int a_thousand_calls_at_once_share_a_few_connections(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 1000; i++)
        ga_spawn(&group, call_often, session);
    EXPECT(ga_gather(&group) == 0);
    ga_group_close(&group);
    EXPECT(opened(session) <= 10);
    return 0;
}

static int a_big_body_is_whole(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) whole = ga_get(session, "/big");
    ga_auto(ga_response) pieces = ga_get(session, "/big");
    const char *body;
    char piece[4000];
    size_t size = 0, done = 0;
    ssize_t count;

    EXPECT((body = ga_body(whole, &size)) != NULL);
    EXPECT(size == BIG);
    while (body && (count = ga_read(pieces, piece, sizeof piece)) > 0) {
        if (!EXPECT(done + (size_t)count <= BIG && memcmp(piece, body + done, (size_t)count) == 0))
            break;
        done += (size_t)count;
    }
    EXPECT(done == BIG);
    return 0;
}

static int what_is_left_unread_leaves_the_connection(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    char piece[100];

    for (int i = 0; i < 5; i++) {
        ga_auto(ga_response) response = ga_get(session, "/big");

        EXPECT(ga_read(response, piece, sizeof piece) > 0);
    }
    expect_small(session);
    EXPECT(opened(session) == 1);
    return 0;
}

static int a_cancelled_download_leaves_the_connection(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_scope scope;

    expect_small(session);
    for (int i = 0; i < 5; i++) {
        ga_scope_open(&scope, 0.002 * i);
        ga_auto(ga_response) response = ga_get(session, "/big");
        free(ga_text(response));
        ga_scope_close(&scope);
    }
    expect_small(session);
    EXPECT(opened(session) == 1);
    return 0;
}

static int a_large_upload_comes_back(void *arg)
{
    enum { SIZE = 3000000 };
    ga_auto(ga_session) session = open_session(arg);
    char *body = malloc(SIZE);
    size_t size = 0;

    for (size_t i = 0; i < SIZE; i++)
        body[i] = (char)(i * 7 + i / 1000);
    ga_auto(ga_response) response = ga_post(session, "/echo", .body = body, .body_size = SIZE);
    const char *back = ga_body(response, &size);

    EXPECT(back && size == SIZE && memcmp(back, body, SIZE) == 0);
    free(body);
    return 0;
}

static int head_and_bodiless_answers_keep_the_connection(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    size_t size = 1;
    ga_auto(ga_response) head = ga_head(session, "/big");

    EXPECT_TEXT(ga_header(head, "content-length"), "10000000");
    EXPECT(ga_body(head, &size) && size == 0);
    ga_auto(ga_response) missing = ga_get(session, "/missing");

    EXPECT(ga_status(missing) == 404);
    EXPECT(ga_body(missing, NULL) != NULL);
    EXPECT(opened(session) == 1);
    return 0;
}

static int the_version_is_the_sessions_to_choose(void *arg)
{
    (void)arg;
    const char *url = peers_told("NGINX_HTTP2_TLS"), *old = peers_told("NGINX_TLS");
    const char *ca = peers_told("CA_FILE");

    for (int http = 0; http <= 11; http += 11) {
        ga_auto(ga_session) session = ga_session_new(.base_url = url, .ca_file = ca, .http = http);
        ga_auto(ga_response) response = ga_get(session, "/small");

        EXPECT_TEXT(ga_http_version(response), http == 0 ? "2" : "1.1");
    }
    ga_auto(ga_session) automatic = ga_session_new(.base_url = old, .ca_file = ca);
    ga_auto(ga_response) response = ga_get(automatic, "/small");

    EXPECT_TEXT(ga_http_version(response), "1.1");
    ga_auto(ga_session) only = ga_session_new(.base_url = old, .ca_file = ca, .http = 2);

    EXPECT(ga_get(only, "/small") == NULL);
    EXPECT(ga_error()->code == GA_EPROTOCOL || ga_error()->code == GA_ETLS);
    ga_auto(ga_session) plain = ga_session_new(.base_url = peers_told("NGINX"), .http = 2);

    EXPECT(ga_get(plain, "/small") == NULL);
    EXPECT_FAILURE(GA_EPROTOCOL, "the server breaks the rules of HTTP/2");
    return 0;
}

/* Calls of one session over both versions, and with a check and without: none has another's connection. */
static int the_version_and_the_check_are_a_requests_to_choose(void *arg)
{
    static const struct {
        int http, insecure;
        const char *version; /* NULL: it fails */
    } rows[] = {{0, 1, "2"}, {0, 0, NULL}, {11, 1, "1.1"}, {11, 0, NULL},
                {2, 1, "2"}, {0, 1, "2"},  {0, -1, NULL}};
    ga_auto(ga_session) wary = ga_session_new(.base_url = peers_told("NGINX_HTTP2_TLS"), .ca_file = other_ca);

    (void)arg;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga_auto(ga_response) response =
            ga_get(wary, "/small", .http = rows[i].http, .insecure = rows[i].insecure);

        if (rows[i].version)
            EXPECT_TEXT(ga_http_version(response), rows[i].version);
        else if (EXPECT(response == NULL))
            EXPECT(ga_error()->code == GA_ECERT);
    }
    ga_auto(ga_response) response = ga_get(wary, "/small", .ca_file = peers_told("CA_FILE"));

    EXPECT_TEXT(ga_http_version(response), "2");
    EXPECT_TEXT(ga_body(response, NULL), "small\n"); /* its end may come after its head, and is to be there */
    EXPECT(opened(wary) == 4);                       /* two rows share one */
    return 0;
}

static int a_big_body_is_saved(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) whole = ga_get(session, "/big");
    ga_auto(ga_response) saved = ga_get(session, "/big");
    ga_autofree char *content = malloc(BIG + 1);
    size_t size = 0;
    const char *body = ga_body(whole, &size);

    EXPECT(ga_save(saved, place) == BIG);
    FILE *file = fopen(place, "re");

    if (EXPECT(file && content && body)) {
        EXPECT(fread(content, 1, BIG + 1, file) == BIG);
        EXPECT(size == BIG && memcmp(content, body, BIG) == 0);
        fclose(file);
    }
    return 0;
}

static int call_old(void *arg)
{
    ga_auto(ga_response) response = ga_get(arg, "/small");
    ga_autofree char *text = ga_text(response);

    EXPECT_TEXT(text, "small\n");
    EXPECT_TEXT(ga_http_version(response), "1.1");
    return 0;
}

static int where_http2_is_not_spoken_each_call_has_a_connection(void *arg)
{
    (void)arg;
    ga_auto(ga_session) session =
        ga_session_new(.base_url = peers_told("NGINX_TLS"), .ca_file = peers_told("CA_FILE"));
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 50; i++)
        ga_spawn(&group, call_old, session);
    EXPECT(ga_gather(&group) == 0);
    ga_group_close(&group);
    EXPECT(opened(session) > 1);
    return 0;
}

#define EACH(function)                                                                         \
    PEERS_ONE(function, "NGINX_HTTP2", "CA_FILE", false, #function " with nginx"),             \
        PEERS_ONE(function, "NGINX_HTTP2", "CA_FILE", true, #function " with nginx over TLS"), \
        PEERS_ONE(function, "NGHTTPD", "CA_FILE", false, #function " with nghttpd"),           \
        PEERS_ONE(function, "NGHTTPD", "CA_FILE", true, #function " with nghttpd over TLS")
#define ONCE(function) PEERS_ONE(function, NULL, NULL, false, #function)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(calls_in_a_row_share_a_connection),
        EACH(a_thousand_calls_at_once_share_a_few_connections),
        EACH(a_big_body_is_whole),
        EACH(what_is_left_unread_leaves_the_connection),
        EACH(a_cancelled_download_leaves_the_connection),
        EACH(head_and_bodiless_answers_keep_the_connection),
        PEERS_BOTH(a_large_upload_comes_back, "NGHTTPD", "CA_FILE"),
        EACH(a_big_body_is_saved),
        ONCE(the_version_is_the_sessions_to_choose),
        ONCE(the_version_and_the_check_are_a_requests_to_choose),
        ONCE(where_http2_is_not_spoken_each_call_has_a_connection),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
