/* SPDX-License-Identifier: MIT */
/* The client against aiohttp as a server (aiohttp_server.py): what happens over time, and who says what when.
 */
#include "peers.h"

#include <stdlib.h>
#include <string.h>

static ga_session *open_session(const peers *servers)
{
    return ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file);
}

static uint64_t opened(const ga_session *session)
{
    ga_pool_stats stats;

    ga_session_pool(session, &stats);
    return stats.opened;
}

static void expect_body(ga_response *response, const void *wanted, size_t wanted_size)
{
    size_t size = 0;
    const void *body = ga_body(response, &size);

    EXPECT(ga_status(response) == 200);
    EXPECT(body && size == wanted_size && memcmp(body, wanted, size) == 0);
}

/* --- answers --------------------------------------------------------------------------------------- */

static int a_source_of_events_goes_on_where_it_was(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_event_source) source = ga_event_source_new(session, "/events");
    ga_event_message message;
    int count = 0, code;

    while ((code = ga_event_source_next(source, &message)) > 0) {
        ga_autofree char *id = ga_format("%d", ++count);
        ga_autofree char *data = ga_format("%d\nof 12 \u00fc", count);

        EXPECT_TEXT(message.id, id);
        EXPECT_TEXT(message.type, "count");
        EXPECT_TEXT(message.data, data);
    }
    EXPECT(code == 0); /* by 204 */
    EXPECT(count == 12);
    EXPECT(ga_event_source_next(source, &message) == 0);
    return 0;
}

static int events_are_read_from_one_answer(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) whole = ga_get(session, "/events");
    ga_auto(ga_response) torn = ga_get(session, "/events", .headers = GA_PAIRS({"Last-Event-ID", "3"}));
    ga_event_message message;

    for (int i = 0; i < 3; i++) {
        EXPECT(ga_read_event(whole, &message) == 1);
        EXPECT(i == 0 ? message.retry > 0.009 && message.retry < 0.011 : message.retry < 0.011);
        EXPECT(ga_read_event(torn, &message) == 1);
    }
    EXPECT_TEXT(message.id, "6");
    EXPECT(ga_read_event(whole, &message) == 0);
    EXPECT(ga_read_event(torn, &message) < 0); /* and never the event that was torn */
    return 0;
}

static int chunks_of_all_sizes_and_trailers_keep_the_connection(void *arg)
{
    enum { SIZE = 10000 };
    ga_auto(ga_session) session = open_session(arg);
    unsigned char wanted[SIZE];

    for (size_t i = 0; i < SIZE; i++)
        wanted[i] = (unsigned char)(i * 31);
    for (int i = 0; i < 5; i++) {
        ga_auto(ga_response) response = ga_get(session, "/chunks");

        EXPECT_TEXT(ga_header(response, "Transfer-Encoding"), "chunked");
        expect_body(response, wanted, SIZE);
        EXPECT(ga_header(response, "X-Sum") == NULL); /* trailers do not become headers, */
        EXPECT(ga_header(response, "Content-Length") == NULL);
    }
    EXPECT(ga_cookie_jar_count(ga_session_cookies(session)) == 0); /* nor set cookies */
    EXPECT(opened(session) == 1);
    return 0;
}

/* The server sends a line once the one before has been read: who waited for more would wait for ever. */
static int what_is_flushed_is_there_at_once(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) response = ga_get(session, "/flushes", .read_timeout = 10);
    const char *line;

    for (int i = 0; i < 3; i++) {
        ga_autofree char *wanted = ga_format("line %d", i);

        if (!EXPECT(ga_read_line(response, &line, NULL) == 1))
            return 0;
        EXPECT_TEXT(line, wanted);
        ga_auto(ga_response) told = ga_post(session, "/flushes/read");
        EXPECT(ga_status(told) == 200);
    }
    EXPECT(ga_read_line(response, &line, NULL) == 0);
    return 0;
}

/* --- who one is ------------------------------------------------------------------------------------ */

static int digests_count_and_follow_new_nonces(void *arg)
{
    const peers *servers = arg;
    static const char *const paths[] = {"/digest/MD5/auth", "/digest/MD5/auth-int", "/digest/SHA-256/auth",
                                        "/digest/SHA-256/auth-int?a=b%20c"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        ga_auto(ga_session) session = ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file,
                                                     .user = "me", .password = "p:w \u00fc", .digest = 1);
        const char *nonces = NULL;
        int first = 0, last = 0;

        /* a nonce is good for three; then the server says that it is stale */
        for (int call = 0; call < 9; call++) {
            ga_auto(ga_response) response = ga_post(session, paths[i], .text = "body");

            expect_body(response, "body", 4);
            nonces = ga_header(response, "X-Nonces");
            last = nonces ? atoi(nonces) : 0;
            first = call == 0 ? last : first;
        }
        EXPECT(last - first == 2);
        ga_auto(ga_response) refused = ga_get(session, paths[i], .user = "me", .password = "no", .digest = 1);
        EXPECT(ga_status(refused) == 403 || ga_status(refused) == 401);
    }
    return 0;
}

static int cookies_go_where_they_belong(void *arg)
{
    const peers *servers = arg;
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) set = ga_get(session, "/cookies/set");
    EXPECT(ga_status(set) == 200);
    ga_auto(ga_response) response = ga_get(session, "/cookies/told");
    json_t *told = ga_json(response);

    EXPECT_TEXT(peers_json(told, "plain"), "1");
    EXPECT_TEXT(peers_json(told, "quoted"), "a b, \"c\"; \u00fc");
    EXPECT_TEXT(peers_json(told, "over-tls"), servers->tls ? "1" : "(none)");
    EXPECT(json_object_size(told) == (servers->tls ? 3 : 2));
    json_decref(told);
    ga_auto(ga_response) deleted = ga_get(session, "/cookies/delete");
    EXPECT(ga_status(deleted) == 200);
    ga_auto(ga_response) again = ga_get(session, "/cookies/told", .cookies = GA_PAIRS({"quoted", "mine"}));
    told = ga_json(again);
    EXPECT_TEXT(peers_json(told, "plain"), "(none)");
    EXPECT_TEXT(peers_json(told, "quoted"), "mine");
    json_decref(told);
    return 0;
}

/* --- bodies ---------------------------------------------------------------------------------------- */

/* A body of the pattern, and how much of it was asked for. */
typedef struct pattern {
    size_t given;
    size_t size;
} pattern;

static ssize_t give_pattern(void *arg, void *buffer, size_t size)
{
    pattern *from = arg;
    unsigned char *bytes = buffer;
    size_t left = from->size - from->given;

    size = size < left ? size : left;
    size = size < 5000 ? size : 5000;
    for (size_t i = 0; i < size; i++)
        bytes[i] = check_byte_at(from->given + i);
    from->given += size;
    return (ssize_t)size;
}

/* The first `size` bytes of the pattern; the caller's to free. */
static unsigned char *pattern_of(size_t size)
{
    pattern whole = {0, size};
    unsigned char *bytes = malloc(size);

    while (whole.given < size)
        give_pattern(&whole, bytes + whole.given, size - whole.given);
    return bytes;
}

static int a_body_waits_for_its_permission(void *arg)
{
    enum { SIZE = 300000 };
    static const char *const urls[] = {"/echo", "/echo?slow"};
    ga_auto(ga_session) session = open_session(arg);
    unsigned char *wanted = pattern_of(SIZE);

    for (size_t i = 0; i < 4; i++) {
        pattern body = {0, SIZE};
        ga_body_source source = {give_pattern, NULL, &body, i < 2 ? SIZE : -1};
        ga_auto(ga_response) response =
            ga_post(session, urls[i % 2], .body_source = &source, .expect_continue = 1);

        EXPECT_TEXT(ga_header(response, "X-Sent-Expect"), "100-continue");
        EXPECT_TEXT(ga_header(response, "X-Sent-Content-Length"), i < 2 ? "300000" : "none");
        EXPECT_TEXT(ga_header(response, "X-Sent-Transfer-Encoding"), i < 2 ? "none" : "chunked");
        expect_body(response, wanted, SIZE);
    }
    EXPECT(opened(session) == 1);
    pattern body = {0, SIZE};
    ga_body_source source = {give_pattern, NULL, &body, SIZE};
    ga_auto(ga_response) refused =
        ga_post(session, "/echo?refuse", .body_source = &source, .expect_continue = 1);
    ga_autofree char *text = ga_text(refused);

    EXPECT(ga_status(refused) == 403);
    EXPECT_TEXT(text, "not from you");
    EXPECT(body.given == 0);                                                 /* nobody asked for the body, */
    ga_auto(ga_response) after = ga_post(session, "/echo", .text = "after"); /* and the session goes on */
    expect_body(after, "after", 5);
    free(wanted);
    return 0;
}

static int compressed_bodies_arrive_as_they_were(void *arg)
{
    enum { SIZE = 200000 };
    static const char *const codings[] = {"gzip", "deflate"};
    ga_auto(ga_session) session = open_session(arg);
    unsigned char *body = pattern_of(SIZE);

    memset(body + SIZE / 4, 'x', SIZE - SIZE / 4); /* what can be made smaller */
    for (size_t i = 0; i < 2; i++) {
        ga_auto(ga_response) response =
            ga_post(session, "/echo", .body = body, .body_size = SIZE, .compress = codings[i]);
        const char *length = ga_header(response, "X-Sent-Content-Length");

        EXPECT_TEXT(ga_header(response, "X-Sent-Content-Encoding"), codings[i]);
        EXPECT(length && atoi(length) > 0 && atoi(length) < SIZE / 2);
        expect_body(response, body, SIZE);
    }
    free(body);
    return 0;
}

static int parts_are_streamed_and_arrive_byte_for_byte(void *arg)
{
    enum { SIZE = 3000000 };
    ga_auto(ga_session) session = open_session(arg);
    ga_autofree char *directory = check_mkdtemp();
    ga_autofree char *path = ga_format("%s/na\u00efve \"name\".bin", directory);
    unsigned char *wanted = pattern_of(SIZE);
    FILE *file = fopen(path, "wb");

    EXPECT(file && fwrite(wanted, 1, SIZE, file) == SIZE && fclose(file) == 0);
    for (int i = 0; i < 2; i++) {
        pattern body = {0, 100000};
        ga_body_source source = {give_pattern, NULL, &body, i == 0 ? 100000 : -1};
        ga_auto(ga_response) response =
            ga_post(session, "/parts",
                    .multipart = GA_PARTS({.name = "title", .value = "\u00fcber\r\n"},
                                          {.name = "upload", .file = path, .content_type = "image/x"},
                                          {.name = "made", .source = &source, .filename = "made.bin"},
                                          {.name = "note",
                                           .data = "a\0b",
                                           .size = 3,
                                           .content_type = "text/x",
                                           .headers = GA_PAIRS({"X-Note", "yes"})}));
        const char *length = ga_header(response, "X-Length");

        EXPECT_TEXT(ga_header(response, "X-Parts"),
                    "title|None|None|None|7;upload|na\u00efve %22name%22.bin|image/x|None|3000000;"
                    "made|made.bin|application/octet-stream|None|100000;note|None|text/x|yes|3");
        EXPECT(length && (i == 0 ? atoi(length) > SIZE + 100000 : strcmp(length, "none") == 0));
        expect_body(response, wanted, SIZE);
    }
    free(wanted);
    check_rmdir(directory);
    return 0;
}

/* --- kept connections that end --------------------------------------------------------------------- */

/* How a crowd's calls ended. */
typedef struct tally {
    ga_session *session;
    const char *method;
    int answered, broken, other;
} tally;

/* Calls at times at which the server may just be closing the connection. */
static int call_at_bad_times(void *arg)
{
    tally *all = arg;

    for (int i = 0; i < 40; i++) {
        ga_auto(ga_response) response = ga_request(all->session, all->method, "/closes?after=0.002");
        int code = response ? 0 : ga_error()->code;

        if (ga_status(response) == 200 && ga_body(response, NULL))
            all->answered++;
        else if (code == GA_EDISCONNECTED || code == GA_ERESET)
            all->broken++;
        else
            all->other++;
        ga_sleep(0.0015 + 0.0001 * (i % 10));
    }
    return 0;
}

static tally crowd(ga_session *session, const char *method)
{
    tally all = {.session = session, .method = method};
    ga_group group;

    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 8; i++)
        ga_spawn(&group, call_at_bad_times, &all);
    EXPECT(ga_gather(&group) == 0);
    ga_group_close(&group);
    return all;
}

static int served(ga_session *session)
{
    ga_auto(ga_response) response = ga_get(session, "/closes?after=0");
    ga_autofree char *text = ga_text(response);

    return text ? atoi(text) : -1;
}

static int connections_that_end_break_no_call_that_may_be_repeated(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    tally gets = crowd(session, "GET");

    EXPECT(gets.answered == 320 && gets.broken == 0 && gets.other == 0);
    int before = served(session);
    tally posts = crowd(session, "POST");
    int count = served(session) - before - 1;

    /* no POST was served twice, and those that were not answered say why */
    EXPECT(posts.answered + posts.broken == 320 && posts.other == 0);
    EXPECT(count >= posts.answered && count <= 320);
    return 0;
}

#define BOTH(function) PEERS_BOTH(function, "AIOHTTP", "CA_FILE")

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_source_of_events_goes_on_where_it_was),
        BOTH(events_are_read_from_one_answer),
        BOTH(chunks_of_all_sizes_and_trailers_keep_the_connection),
        BOTH(what_is_flushed_is_there_at_once),
        BOTH(digests_count_and_follow_new_nonces),
        BOTH(cookies_go_where_they_belong),
        BOTH(a_body_waits_for_its_permission),
        BOTH(compressed_bodies_arrive_as_they_were),
        BOTH(parts_are_streamed_and_arrive_byte_for_byte),
        BOTH(connections_that_end_break_no_call_that_may_be_repeated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
