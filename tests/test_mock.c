/* SPDX-License-Identifier: MIT */
/* Calls that a function answers: it sees what would be sent, and the client does with its answer what it does
 * with a server's; on the virtual clock. */
#include "peer.h"

#include "protocol/encoder.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what is shown -------------------------------------------------------------------------------- */

static int look(void *arg, ga_call *call)
{
    size_t size;

    *(int *)arg += 1;
    assert_string_equal(call->method, "POST");
    assert_string_equal(call->url, "http://api.example/v1/todos?page=2");
    assert_null(call->proxy);
    assert_int_equal(call->attempt, 1);
    assert_int_equal(call->redirects, 0);
    assert_int_equal(call->body_size, 7);
    assert_string_equal(call->headers[0].name, "Host");
    assert_string_equal(call->headers[0].value, "api.example");
    assert_string_equal(ga_call_header(call, "AUTHORIZATION"), "Basic bWU6cGFzcw==");
    assert_string_equal(ga_call_header(call, "content-type"), "application/json");
    assert_string_equal(ga_call_header(call, "Content-Length"), "7");
    assert_string_equal(ga_call_header(call, "X-Own"), "1");
    assert_non_null(ga_call_header(call, "Accept-Encoding"));
    assert_null(ga_call_header(call, "X-None"));
    assert_string_equal(ga_call_body(call, &size), "{\"a\":1}");
    assert_int_equal(size, 7);
    return ga_answer(call, .status = 201, .reason = "Made", .headers = GA_PAIRS({"X-Answer", "yes"}),
                     .json_text = "{\"id\": 5}");
}

CASE(the_request_is_seen_as_it_would_go_out_and_answered)
{
    int calls = 0;
    ga_auto(ga_session) session =
        ga_session_new(.base_url = "http://api.example/v1/", .answer = look, .answer_arg = &calls);
    ga_auto(ga_response) response =
        ga_post(session, "todos", .params = GA_PAIRS({"page", "2"}), .json_text = "{\"a\":1}", .user = "me",
                .password = "pass", .headers = GA_PAIRS({"X-Own", "1"}));
    json_t *json = ga_json(response);

    assert_int_equal(calls, 1);
    assert_int_equal(ga_status(response), 201);
    assert_string_equal(ga_reason(response), "Made");
    assert_string_equal(ga_header(response, "x-answer"), "yes");
    assert_string_equal(ga_header(response, "Content-Length"), "9");
    assert_string_equal(ga_header(response, "Content-Type"), "application/json");
    assert_string_equal(ga_url(response), "http://api.example/v1/todos?page=2");
    assert_int_equal(json_integer_value(json_object_get(json, "id")), 5);
    json_decref(json);
    ga_pool_stats pool;

    ga_session_pool(session, &pool);
    assert_int_equal(pool.opened + pool.in_use + pool.idle, 0);
}

/* --- the client behind it ------------------------------------------------------------------------- */

static int site(void *arg, ga_call *call)
{
    const char *path = strstr(call->url, "example") + strlen("example");

    (void)arg;
    if (strcmp(path, "/login") == 0)
        return ga_answer(call, .status = 303,
                         .headers = GA_PAIRS({"Location", "/home"}, {"Set-Cookie", "sid=1; Path=/"}));
    if (strcmp(path, "/home") == 0) {
        assert_string_equal(call->method, "GET");
        assert_int_equal(call->redirects, 1);
        return ga_answer(call, .text = ga_call_header(call, "Cookie"));
    }
    if (strcmp(path, "/digest") == 0 && !ga_call_header(call, "Authorization"))
        return ga_answer(call, .status = 401,
                         .headers =
                             GA_PAIRS({"WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\""}));
    if (strcmp(path, "/digest") == 0)
        return ga_answer(call, .text = ga_call_header(call, "Authorization"));
    return ga_answer(call, .status = 404);
}

CASE(redirects_cookies_and_challenges_are_acted_upon)
{
    ga_auto(ga_session) session = ga_session_new(.base_url = "https://example", .answer = site);
    ga_response *response = ga_post(session, "/login", .form = GA_PAIRS({"user", "me"}));
    char *text = ga_text(response);

    assert_string_equal(text, "sid=1");
    assert_int_equal(ga_redirects(response), 1);
    assert_int_equal(ga_cookie_jar_count(ga_session_cookies(session)), 1);
    free(text);
    ga_response_free(response);

    response = ga_get(session, "/digest", .user = "me", .password = "p", .digest = 1);
    text = ga_text(response);
    assert_contains(text, "Digest username=\"me\"");
    assert_contains(text, "uri=\"/digest\"");
    free(text);
    ga_response_free(response);
}

static int flaky(void *arg, ga_call *call)
{
    int *calls = arg;

    *calls += 1;
    assert_int_equal(call->attempt, *calls);
    if (*calls == 1)
        return GA_EREFUSED;
    if (*calls == 2)
        return GA_ERESET;
    if (*calls == 3)
        return ga_answer(call, .status = 503, .headers = GA_PAIRS({"Retry-After", "20"}));
    return ga_answer(call, .text = "at last");
}

TIMED_CASE(failures_and_refusals_are_tried_again)
{
    int calls = 0;
    double before = ga_now();
    ga_auto(ga_session) session = ga_session_new(.retries = 3, .answer = flaky, .answer_arg = &calls);
    ga_auto(ga_response) response = ga_get(session, "http://example/");
    ga_autofree char *text = ga_text(response);

    assert_string_equal(text, "at last");
    assert_int_equal(ga_attempts(response), 4);
    assert_true(ga_now() - before >= 20);
}

static int fails(void *arg, ga_call *call)
{
    int code = *(int *)arg;

    (void)call;
    return code == GA_EDNS ? ga_fail(code, "no such name") : code;
}

CASE(a_failure_is_told_as_the_networks_is)
{
    static const struct {
        int code;
        ga_phase phase;
        ga_sent sent;
        const char *message;
    } cases[] = {
        {GA_EDNS, GA_PHASE_DNS, GA_SENT_NO, "GET http://example/: no such name"},
        {GA_EREFUSED, GA_PHASE_CONNECT, GA_SENT_NO,
         "GET http://example/: the session's .answer function failed with GA_EREFUSED"},
        {GA_ECERT, GA_PHASE_TLS, GA_SENT_NO, "GA_ECERT"},
        {GA_EDISCONNECTED, GA_PHASE_FIRST_BYTE, GA_SENT_MAYBE, "GA_EDISCONNECTED"},
        {GA_ETIMEDOUT, GA_PHASE_FIRST_BYTE, GA_SENT_MAYBE, "GA_ETIMEDOUT"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int code = cases[i].code;
        ga_auto(ga_session) session = ga_session_new(.answer = fails, .answer_arg = &code);

        for (int again = 0; again < 2; again++) {
            assert_null(ga_get(session, "http://example/"));
            assert_int_equal(ga_error()->code, cases[i].code);
            assert_int_equal(ga_error()->phase, cases[i].phase);
            assert_int_equal(ga_error()->sent, cases[i].sent);
            assert_int_equal(ga_error()->bytes_sent > 0, cases[i].sent != GA_SENT_NO);
            assert_contains(ga_error_message(), cases[i].message);
            ga_error_clear();
        }
        assert_true(code != GA_ETIMEDOUT || ga_error()->timeout == NULL);
    }
}

static int slow(void *arg, ga_call *call)
{
    (void)arg, (void)call;
    return ga_sleep(100);
}

TIMED_CASE(a_function_that_sleeps_is_under_the_calls_timeouts)
{
    ga_auto(ga_session) session = ga_session_new(.answer = slow, .first_byte_timeout = 3);
    double before = ga_now();
    ga_scope scope;

    assert_null(ga_get(session, "http://example/"));
    assert_int_equal(ga_error()->code, GA_ETIMEDOUT);
    assert_string_equal(ga_error()->timeout, "first_byte");
    assert_true(ga_now() - before >= 3 && ga_now() - before < 4);
    assert_null(ga_get(session, "http://example/", .timeout = 2));
    assert_string_equal(ga_error()->timeout, "total");
    ga_scope_open(&scope, 1);
    assert_null(ga_get(session, "http://example/"));
    assert_int_equal(ga_error()->code, GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    before = ga_now();
    ga_auto(ga_response) response = ga_get(session, "http://example/", .first_byte_timeout = GA_FOREVER);

    assert_int_equal(ga_status(response), 200);
    assert_true(ga_now() - before >= 100);
}

/* --- the body ------------------------------------------------------------------------------------- */

static ga__buffer coded;

static int bodies(void *arg, ga_call *call)
{
    (void)arg;
    if (strstr(call->url, "/gzip"))
        return ga_answer(call, .headers = GA_PAIRS({"Content-Encoding", "gzip"}), .body = coded.data,
                         .body_size = coded.size);
    if (strstr(call->url, "/events"))
        return ga_answer(call, .headers = GA_PAIRS({"Content-Type", "text/event-stream"}),
                         .text = "id: 7\ndata: one\n\ndata: two\n\n");
    if (strstr(call->url, "/cut"))
        return ga_answer(call, .text = "half of", .truncated = 1);
    return ga_answer(call, .body = coded.data, .body_size = coded.size);
}

CASE(bodies_are_decoded_streamed_bounded_and_cut)
{
    static char content[50000];
    ga_auto(ga_session) session = ga_session_new(.base_url = "http://example", .answer = bodies);
    ga_event_message event;
    size_t size;
    char piece[16];

    memset(content, 'x', sizeof content);
    ga__encode(&coded, GA__CODING_GZIP, content, sizeof content);
    ga_response *response = ga_get(session, "/gzip");
    const char *body = ga_body(response, &size);

    assert_int_equal(size, sizeof content);
    assert_memory_equal(body, content, size);
    ga_response_free(response);

    response = ga_get(session, "/gzip", .max_body = 40000);
    assert_null(ga_body(response, NULL));
    assert_int_equal(ga_error()->code, GA_ETOOLARGE);
    ga_response_free(response);

    response = ga_get(session, "/events");
    assert_int_equal(ga_read_event(response, &event), 1);
    assert_string_equal(event.data, "one");
    assert_int_equal(ga_read_event(response, &event), 1);
    assert_string_equal(event.data, "two");
    assert_int_equal(ga_read_event(response, &event), 0);
    ga_response_free(response);

    response = ga_get(session, "/cut");
    assert_int_equal(ga_read(response, piece, sizeof piece), 7);
    assert_memory_equal(piece, "half of", 7);
    assert_int_equal(ga_read(response, piece, sizeof piece), GA_ETRUNCATED);
    ga_response_free(response);

    response = ga_get(session, "/plain");
    assert_int_equal(ga_read(response, piece, 4), 4);
    ga_response_free(response); /* the rest unread */

    response = ga_head(session, "/plain");
    assert_int_equal(atoi(ga_header(response, "Content-Length")), (int)coded.size);
    assert_string_equal(ga_body(response, &size), "");
    ga_response_free(response);
    ga__buffer_free(&coded);
}

/* --- wrong answers -------------------------------------------------------------------------------- */

static int wrong(void *arg, ga_call *call)
{
    switch (*(int *)arg) {
    case 0:
        return ga_answer(call, .status = 100);
    case 1:
        return ga_answer(call, .status = 1000);
    case 2:
        return ga_answer(call, .status = 204, .text = "x");
    case 3:
        return ga_answer(call, .text = "x", .json_text = "x");
    case 4:
        return 2;
    case 5:
        return ga_answer(call, .headers = GA_PAIRS({"X-Bad", "a\r\nX-Other: b"}));
    case 6:
        return ga_answer(call, .headers = GA_PAIRS({"Content-Length", "5"}), .text = "x");
    case 7:
        return ga_answer(call, .headers = GA_PAIRS({"Transfer-Encoding", "chunked"}), .text = "x");
    default:
        ga_answer(call, .status = 500);
        return ga_answer(call, .status = 202); /* the last counts */
    }
}

CASE(an_answer_that_could_not_come_is_refused)
{
    static const int codes[] = {GA_EUSAGE, GA_EUSAGE,  GA_EUSAGE,  GA_EUSAGE,
                                GA_EUSAGE, GA_EHEADER, GA_EHEADER, GA_EHEADER};
    int which = 0;
    ga_auto(ga_session) session = ga_session_new(.answer = wrong, .answer_arg = &which);

    for (; which < (int)(sizeof codes / sizeof *codes); which++) {
        assert_null(ga_get(session, "http://example/"));
        assert_int_equal(ga_error()->code, codes[which]);
        assert_contains(ga_error_message(), "GET http://example/: ");
    }
    ga_auto(ga_response) response = ga_get(session, "http://example/");

    assert_int_equal(ga_status(response), 202);
}

/* --- passing -------------------------------------------------------------------------------------- */

static int pass(void *arg, ga_call *call)
{
    (void)arg;
    assert_non_null(ga_call_body(call, NULL));
    return GA_ANSWER_PASS;
}

static ssize_t give(void *arg, void *buffer, size_t size)
{
    int *left = arg;

    assert_true(size >= 2);
    if (*left == 0)
        return 0;
    *left -= 1;
    memcpy(buffer, "ab", 2);
    return 2;
}

static int again(void *arg)
{
    *(int *)arg = 2;
    return 0;
}

CASE(a_request_may_pass_to_the_network_with_its_body)
{
    static const peer_step script[] = {PEER_TAKE(NULL), PEER_OK("2", "ok"), PEER_AGAIN};
    static const peer_step *const scripts[] = {script, NULL};
    peer_server peer;
    int left = 2;
    ga_body_source source = {.read = give, .rewind = again, .arg = &left, .size = 4};

    peer_start(&peer, peers, scripts);
    ga_auto(ga_session) session = ga_session_new(.answer = pass);
    ga_response *response = ga_post(session, peer_url(&peer, "/"), .body_source = &source);
    char *text = ga_text(response);

    assert_string_equal(text, "ok");
    free(text);
    ga_response_free(response);
    again(&left);
    source.rewind = NULL;
    assert_null(ga_post(session, peer_url(&peer, "/"), .body_source = &source));
    assert_int_equal(ga_error()->code, GA_ENOTREPLAYABLE);
    peer_stop(&peer);
}

/* --- beside other options ------------------------------------------------------------------------- */

static int half(void *arg, ga_call *call)
{
    const char *range = ga_call_header(call, "Range");

    (void)arg;
    if (!range)
        return ga_answer(call, .headers = GA_PAIRS({"ETag", "\"v1\""}), .text = "half of", .truncated = 1);
    assert_string_equal(range, "bytes=7-");
    assert_string_equal(ga_call_header(call, "If-Range"), "\"v1\"");
    return ga_answer(call, .status = 206,
                     .headers = GA_PAIRS({"ETag", "\"v1\""}, {"Content-Type", "text/plain; charset=utf-8"},
                                         {"Content-Range", "bytes 7-10/11"}),
                     .text = " it.");
}

static int count_attempts(void *arg, int attempt)
{
    *(int *)arg += attempt;
    return 0;
}

TIMED_CASE(a_body_that_is_cut_is_gone_on_with)
{
    int attempts = 0;
    ga_auto(ga_session) session = ga_session_new(.answer = half, .resume = 1, .metrics = 1);
    ga_auto(ga_response) response =
        ga_get(session, "http://example/", .before_send = count_attempts, .before_send_arg = &attempts);
    ga_autofree char *text = ga_text(response);
    ga_metrics metrics;

    (void)peers;
    if (!text)
        fail_msg("%s", ga_error_message());
    assert_string_equal(text, "half of it.");
    assert_int_equal(attempts, 1);
    ga_session_metrics(session, &metrics);
    assert_int_equal(metrics.failed, 0);
    assert_true(metrics.bytes_sent > 0);
}

static int take_a_second(void *arg, ga_call *call)
{
    int code = ga_sleep(1);

    (void)arg;
    return code < 0 ? code : ga_answer(call, .text = ga_call_header(call, "X-Number"));
}

static int call_once(ga_session *session, int number)
{
    ga_autofree char *name = ga_format("%d", number);
    ga_auto(ga_response) response =
        ga_get(session, "http://example/", .headers = GA_PAIRS({"X-Number", name}));
    ga_autofree char *text = ga_text(response);

    return text && strcmp(text, name) == 0 ? 0 : GA_EUSAGE;
}
GA_TASK(int, call_once, ga_session *, int);

TIMED_CASE(many_calls_are_answered_at_once)
{
    ga_auto(ga_session) session = ga_session_new(.answer = take_a_second);
    double before = ga_now();
    ga_group group;

    (void)peers;
    ga_group_open(&group, 0);
    for (int i = 0; i < 200; i++)
        assert_non_null(call_once_start(&group, session, i));
    assert_int_equal(ga_gather(&group), 0);
    ga_group_close(&group);
    assert_true(ga_now() - before < 1.5);
}

/* --- dry runs ------------------------------------------------------------------------------------- */

static char *shown;

static int show(void *arg, ga_call *call)
{
    free(shown);
    shown = ga_call_text(call, *(unsigned *)arg);
    return shown ? ga_answer(call, .status = 200) : ga_error()->code;
}

static void dry_run(ga_session *session, const ga_request_options *options)
{
    ga_auto(ga_response) response = ga_request_with(session, "POST", options);

    assert_int_equal(ga_status(response), 200);
}

CASE(a_request_is_shown_as_text_without_its_secrets)
{
    unsigned flags = 0;
    ga_auto(ga_session) session =
        ga_session_new(.answer = show, .answer_arg = &flags, .no_decompress = 1, .user_agent = "me");
    const ga_request_options *options = GA_REQUEST_(
        "http://u:hidden1@example/a?b&api_key=hidden5&c=d", .text = "gr\xc3\xbc\xc3\x9f dich\n",
        .cookies = GA_PAIRS({"sid", "hidden2"}),
        .headers = GA_PAIRS({"x-api-key", "hidden3"}, {"X-Auth-Token", "hidden4"}, {"X-Plain", "shown"}));

    dry_run(session, options);
    assert_string_equal(
        shown, "POST /a?b&api_key=[redacted]&c=d HTTP/1.1\nHost: example\nUser-Agent: me\nAccept: */*\n"
               "x-api-key: [redacted]\nX-Auth-Token: [redacted]\nX-Plain: shown\n"
               "Authorization: [redacted]\nCookie: [redacted]\n"
               "Content-Type: text/plain; charset=utf-8\nContent-Length: 12\n\n"
               "gr\xc3\xbc\xc3\x9f dich\n");
    flags = GA_CALL_SECRETS | GA_CALL_NO_BODY;
    dry_run(session, options);
    assert_contains(shown, "Authorization: Basic dTpoaWRkZW4x\nCookie: sid=hidden2\n");
    assert_contains(shown, "x-api-key: hidden3\n");
    assert_contains(shown, "POST /a?b&api_key=hidden5&c=d HTTP/1.1\n");
    assert_contains(shown, "Content-Length: 12\n\n");
    assert_null(strstr(shown, "dich"));
    free(shown);
    shown = NULL;
}

CASE(the_url_in_a_referer_is_shown_without_its_secrets)
{
    unsigned flags = 0;
    ga_auto(ga_session) session = ga_session_new(.answer = show, .answer_arg = &flags);
    const ga_request_options *options = GA_REQUEST_(
        "http://example/", .headers = GA_PAIRS({"referer", "http://other/?a&token=hidden&c=d#part"}));

    dry_run(session, options);
    assert_contains(shown, "\nreferer: http://other/?a&token=[redacted]&c=d\n");
    flags = GA_CALL_SECRETS;
    dry_run(session, options);
    assert_contains(shown, "\nreferer: http://other/?a&token=hidden&c=d#part\n");
    free(shown);
    shown = NULL;
}

CASE(a_body_that_is_not_text_or_not_there_is_described)
{
    static char large[70000];
    unsigned flags = 0;
    int left = 2;
    ga_body_source source = {.read = give, .arg = &left};
    ga_auto(ga_session) session = ga_session_new(.answer = show, .answer_arg = &flags);

    dry_run(session, GA_REQUEST_("http://example/", .body = "a\x1b[2J", .body_size = 5));
    assert_contains(shown, "\n\n[5 bytes, not text]\n");
    dry_run(session, GA_REQUEST_("http://example/",
                                 .text = "a\xc2\x9b"
                                         "2J",
                                 .headers = GA_PAIRS({"X-Odd", "a\xc2\x9b"
                                                               "2J"})));
    assert_contains(shown, "X-Odd: a?2J\n");
    assert_contains(shown, "\n\n[5 bytes, not text]\n");
    dry_run(session, GA_REQUEST_("http://example/", .body = large, .body_size = sizeof large));
    assert_contains(shown, "\n\n[70000 bytes]\n");
    dry_run(session, GA_REQUEST_("http://example/", .body_source = &source));
    assert_contains(shown, "\n\n[a body, which can be read only once]\n");
    assert_int_equal(left, 2);
    source.rewind = again;
    dry_run(session, GA_REQUEST_("http://example/", .body_source = &source));
    assert_contains(shown, "Transfer-Encoding: chunked\n\nabab");
    dry_run(session, GA_REQUEST_("http://example/", .multipart = GA_PARTS({.name = "n", .value = "v"})));
    assert_contains(shown, "Content-Disposition: form-data; name=\"n\"\r\n\r\nv\r\n");
    free(shown);
    shown = NULL;
}

static int rewind_large(void *arg)
{
    *(int *)arg = 40000;
    return 0;
}

static int show_and_refuse(void *arg, ga_call *call)
{
    ga_autofree char *text = ga_call_text(call, 0);

    (void)arg;
    assert_contains(text, "\n\n[a body of more than 64 KiB]\n");
    return GA_ETOOLARGE;
}

CASE(a_function_may_refuse_a_body_that_was_too_large_to_show)
{
    int left = 40000;
    const ga_body_source source = {.read = give, .rewind = rewind_large, .arg = &left, .size = -1};
    ga_auto(ga_session) session = ga_session_new(.answer = show_and_refuse);

    assert_failed(ga_post(session, "http://example/", .body_source = &source), GA_ETOOLARGE,
                  "POST http://example/: the session's .answer function failed with GA_ETOOLARGE");
}

static int where(void *arg, ga_call *call)
{
    assert_string_equal(call->proxy, "http://proxy:3128");
    assert_string_equal(call->url, "http://example/x");
    return show(arg, call);
}

CASE(a_proxy_is_told_and_its_credentials_are_not)
{
    unsigned flags = 0;
    ga_auto(ga_session) session =
        ga_session_new(.answer = where, .answer_arg = &flags, .proxy = "http://u:hidden@proxy:3128");

    dry_run(session, GA_REQUEST_("http://example/x"));
    assert_contains(shown, "POST http://example/x HTTP/1.1\n");
    assert_contains(shown, "Proxy-Authorization: [redacted]\n");
    free(shown);
    shown = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_seen_as_it_would_go_out_and_answered),
        cmocka_unit_test(redirects_cookies_and_challenges_are_acted_upon),
        cmocka_unit_test(failures_and_refusals_are_tried_again),
        cmocka_unit_test(a_failure_is_told_as_the_networks_is),
        cmocka_unit_test(a_function_that_sleeps_is_under_the_calls_timeouts),
        cmocka_unit_test(bodies_are_decoded_streamed_bounded_and_cut),
        cmocka_unit_test(an_answer_that_could_not_come_is_refused),
        cmocka_unit_test(a_request_may_pass_to_the_network_with_its_body),
        cmocka_unit_test(a_body_that_is_cut_is_gone_on_with),
        cmocka_unit_test(many_calls_are_answered_at_once),
        cmocka_unit_test(a_request_is_shown_as_text_without_its_secrets),
        cmocka_unit_test(the_url_in_a_referer_is_shown_without_its_secrets),
        cmocka_unit_test(a_body_that_is_not_text_or_not_there_is_described),
        cmocka_unit_test(a_function_may_refuse_a_body_that_was_too_large_to_show),
        cmocka_unit_test(a_proxy_is_told_and_its_credentials_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
