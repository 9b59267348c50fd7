/* SPDX-License-Identifier: MIT */
/* What can go wrong with a call, each with its own code and a message that says what and where; the calls
 * beside it go on, and nothing is left behind. */
#include "peers.h"

#include <string.h>

/* A call that must fail, and how. Its message has the URL's host, or what is wrong with the URL. */
typedef struct failing_call {
    const char *url; /* "{dead}": a port that nobody listens on; "/...": a path of the misbehaving server */
    int code;
    const char *message; /* a part of it */
    const char *timeout; /* with GA_ETIMEDOUT */
    ga_phase phase;
    ga_sent sent;
} failing_call;

static const failing_call calls[] = {
    {"", GA_EURL, "", NULL, GA_PHASE_PREPARE, GA_SENT_NO},
    {"todos/1", GA_EURL, "todos/1", NULL, GA_PHASE_PREPARE, GA_SENT_NO},
    {"http://", GA_EURL, "http://", NULL, GA_PHASE_PREPARE, GA_SENT_NO},
    {"http://[::1", GA_EURL, "[::1", NULL, GA_PHASE_PREPARE, GA_SENT_NO},
    {"http://host:99999/", GA_EURL, "99999", NULL, GA_PHASE_PREPARE, GA_SENT_NO},
    {"http://me:secret@ho st/", GA_EURL, "", NULL, GA_PHASE_PREPARE, GA_SENT_NO},
    {"http://127.0.0.1/a\r\nb", GA_EURL, "", NULL, GA_PHASE_PREPARE, GA_SENT_NO},
    {"ftp://127.0.0.1/file", GA_ESCHEME, "ftp", NULL, GA_PHASE_PREPARE, GA_SENT_NO},
    {"file:///etc/passwd", GA_ESCHEME, "file", NULL, GA_PHASE_PREPARE, GA_SENT_NO},
    {"http://a..b/", GA_EDNS, "a..b", NULL, GA_PHASE_DNS, GA_SENT_NO},
    {"{dead}", GA_EREFUSED, "127.0.0.1", NULL, GA_PHASE_CONNECT, GA_SENT_NO},
    {"/garbage", GA_EPROTOCOL, "/garbage", NULL, GA_PHASE_FIRST_BYTE, GA_SENT_ANSWERED},
    {"/binary", GA_EPROTOCOL, "/binary", NULL, GA_PHASE_FIRST_BYTE, GA_SENT_ANSWERED},
    {"/closes", GA_EDISCONNECTED, "/closes", NULL, GA_PHASE_FIRST_BYTE, GA_SENT_MAYBE},
    {"/resets", GA_ERESET, "/resets", NULL, GA_PHASE_FIRST_BYTE, GA_SENT_MAYBE},
    {"/stops-in-head", GA_EDISCONNECTED, "/stops-in-head", NULL, GA_PHASE_FIRST_BYTE, GA_SENT_ANSWERED},
    {"/stops-in-body", GA_ETRUNCATED, "/stops-in-body", NULL, GA_PHASE_READ, GA_SENT_ANSWERED},
    {"/stops-in-chunk", GA_ETRUNCATED, "/stops-in-chunk", NULL, GA_PHASE_READ, GA_SENT_ANSWERED},
    {"/bad-chunk", GA_EPROTOCOL, "/bad-chunk", NULL, GA_PHASE_READ, GA_SENT_ANSWERED},
    {"/stalls", GA_ETIMEDOUT, "/stalls", "first_byte", GA_PHASE_FIRST_BYTE, GA_SENT_MAYBE},
    {"/stalls-in-body", GA_ETIMEDOUT, "/stalls-in-body", "read", GA_PHASE_READ, GA_SENT_ANSWERED},
    {"/drips", GA_ETIMEDOUT, "/drips", "total", GA_PHASE_READ, GA_SENT_ANSWERED},
    {"/long-head", GA_EHEADTOOBIG, "/long-head", NULL, GA_PHASE_FIRST_BYTE, GA_SENT_ANSWERED},
    {"/two-lengths", GA_EPROTOCOL, "/two-lengths", NULL, GA_PHASE_FIRST_BYTE, GA_SENT_ANSWERED},
    {"/loops", GA_EREDIRECT, "/loops", NULL, GA_PHASE_NONE, GA_SENT_ANSWERED},
    {"/to-ftp", GA_EREDIRECT, "ftp", NULL, GA_PHASE_NONE, GA_SENT_ANSWERED},
};

enum { CALL_COUNT = sizeof calls / sizeof *calls };

static char *whole_url(const failing_call *call)
{
    if (strcmp(call->url, "{dead}") == 0)
        return ga_format("http://127.0.0.1:%s/", peers_told("DEAD_PORT"));
    return ga_format("%s%s", *call->url == '/' ? peers_told("MISBEHAVING") : "", call->url);
}

static char *fetch(ga_session *session, const char *url)
{
    ga_auto(ga_response) response = ga_get(session, url);

    return ga_text(response);
}
GA_TASK(char *, fetch, ga_session *, const char *);

static ga_session *open_session(void)
{
    return ga_session_new(.total_timeout = 5, .first_byte_timeout = 2, .read_timeout = 2);
}

static void expect_call_to_fail(const failing_call *call, const ga_error_detail *error)
{
    bool as_it_should = error->code == call->code && strstr(error->message, call->message) &&
                        !strstr(error->message, "secret") && error->sent == call->sent &&
                        (!call->phase || error->phase == call->phase) &&
                        (!call->timeout || (error->timeout && strcmp(error->timeout, call->timeout) == 0));

    if (!EXPECT(as_it_should))
        print_error("    <%s> %s %s timeout %s sent %d: %s\n", call->url, ga_code_name(error->code),
                    ga_phase_name(error->phase), error->timeout ? error->timeout : "-", (int)error->sent,
                    error->message);
}

static int each_failure_has_its_own_code_and_message(void *arg)
{
    ga_auto(ga_session) session = open_session();
    ga_pool_stats stats;

    (void)arg;
    for (size_t i = 0; i < CALL_COUNT; i++) {
        ga_autofree char *url = whole_url(&calls[i]);
        ga_autofree char *text = fetch(session, url);

        EXPECT(text == NULL);
        expect_call_to_fail(&calls[i], ga_error());
        ga_session_pool(session, &stats);
        EXPECT(stats.in_use == 0 && stats.waiting == 0 && stats.idle == 0);
    }
    return 0;
}

static int the_calls_beside_failing_ones_go_on(void *arg)
{
    enum { GOOD = 20 };
    ga_auto(ga_session) session = open_session();
    ga_autofree char *good_url = ga_format("%s/todos/1", peers_told("TODO"));
    fetch_task *bad[CALL_COUNT], *good[GOOD];
    char *urls[CALL_COUNT];
    ga_pool_stats stats;
    ga_group group;

    (void)arg;
    ga_group_open(&group, GA_COLLECT);
    for (size_t i = 0; i < CALL_COUNT; i++)
        bad[i] = fetch_start(&group, session, urls[i] = whole_url(&calls[i]));
    for (size_t i = 0; i < GOOD; i++)
        good[i] = fetch_start(&group, session, good_url);
    EXPECT(ga_gather(&group) == CALL_COUNT);
    for (size_t i = 0; i < CALL_COUNT; i++) {
        EXPECT(bad[i]->result == NULL);
        expect_call_to_fail(&calls[i], ga_task_error(bad[i]->task));
        free(urls[i]);
    }
    for (size_t i = 0; i < GOOD; i++) {
        EXPECT(good[i]->result && strstr(good[i]->result, "delectus"));
        free(good[i]->result);
    }
    ga_group_close(&group);
    ga_session_pool(session, &stats);
    EXPECT(stats.in_use == 0 && stats.waiting == 0);
    return 0;
}

/* Whether a name server says that there is no such name, or none answers. */
static int a_name_that_nobody_knows(void *arg)
{
    ga_auto(ga_session) session = ga_session_new(.total_timeout = 60);
    ga_autofree char *text = fetch(session, "http://does-not-exist.invalid/");

    (void)arg;
    EXPECT(text == NULL);
    EXPECT_FAILURE(GA_EDNS, "does-not-exist.invalid");
    EXPECT(ga_error()->dns_error != 0 && ga_error()->phase == GA_PHASE_DNS && ga_error()->sent == GA_SENT_NO);
    return 0;
}

static int a_body_that_ends_with_the_connection_is_whole(void *arg)
{
    ga_auto(ga_session) session = open_session();
    ga_autofree char *url = ga_format("%s/until-close", peers_told("MISBEHAVING"));
    ga_autofree char *text = fetch(session, url);

    (void)arg;
    EXPECT_TEXT(text, "until the end");
    return 0;
}

static int what_would_break_the_request_is_not_sent(void *arg)
{
    ga_auto(ga_session) session = open_session();
    ga_autofree char *url = ga_format("%s/todos/1", peers_told("TODO"));
    ga_pool_stats stats;

    (void)arg;
    static const ga_pair bad[] = {{"X", "a\r\nInjected: 1"},
                                  {"X", "a\nb"},
                                  {"X", "\x01"},
                                  {"X Y", "a"},
                                  {"X:", "a"},
                                  {"", "a"},
                                  {"X\r\n", "a"}};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ga_auto(ga_response) response =
            ga_get(session, url, .headers = GA_PAIRS({bad[i].name, bad[i].value}));

        EXPECT(response == NULL);
        EXPECT_FAILURE(GA_EHEADER, "");
        EXPECT(ga_error()->sent == GA_SENT_NO);
    }
    ga_auto(ga_response) response = ga_request(session, "GET /\r\n", url);
    EXPECT(response == NULL);
    EXPECT_FAILURE(GA_EHEADER, "method");
    ga_session_pool(session, &stats);
    EXPECT(stats.opened == 0);
    return 0;
}

/* Outside a task a call says so. */
static void outside_a_task(void **state)
{
    (void)state;
    ga_session *session = ga_session_new();

    assert_null(session);
    assert_int_equal(ga_error()->code, GA_ENOTASK);
    assert_null(ga_get(session, "http://127.0.0.1/"));
    assert_int_equal(ga_error()->code, GA_ENOTASK);
}

#define ONCE(function) PEERS_ONE(function, NULL, NULL, false, #function)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONCE(each_failure_has_its_own_code_and_message),
        ONCE(the_calls_beside_failing_ones_go_on),
        ONCE(a_name_that_nobody_knows),
        ONCE(a_body_that_ends_with_the_connection_is_whole),
        ONCE(what_would_break_the_request_is_not_sent),
        cmocka_unit_test(outside_a_task),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
