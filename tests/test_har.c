/* SPDX-License-Identifier: MIT */
/* The HTTP Archive of a session's calls; tests/har.py knows what the format wants. */
#include "http2_peer.h"

#include "protocol/encoder.h"
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char *path;

static int make_place(void **state)
{
    check_make_directory(state);
    path = check_path("calls.har");
    return 0;
}

static int remove_place(void **state)
{
    free(path);
    return check_remove_directory(state);
}

/* The file as har.py judges it. */
static void assert_valid(int entries)
{
    ga_autofree char *command =
        ga_format("/usr/bin/python3 '%s/tests/har.py' '%s' %d", getenv("GATHER_SOURCE"), path, entries);

    assert_int_equal(system(command), 0);
}

/* The entry at this place, borrowed from *archive. */
static json_t *entry_at(json_t **archive, size_t index)
{
    json_error_t error;

    *archive = json_load_file(path, 0, &error);
    if (!*archive)
        fail_msg("line %d: %s", error.line, error.text);
    return json_array_get(json_object_get(json_object_get(*archive, "log"), "entries"), index);
}

static const char *text_at(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static long long number_at(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static double time_of(const json_t *entry, const char *phase)
{
    return json_number_value(json_object_get(json_object_get(entry, "timings"), phase));
}

/* The value of the header or parameter in an array of pairs, or NULL. */
static const char *pair_at(const json_t *object, const char *array, const char *name)
{
    json_t *pair;
    size_t i;

    json_array_foreach(json_object_get(object, array), i,
                       pair) if (strcmp(text_at(pair, "name"), name) == 0) return text_at(pair, "value");
    return NULL;
}

/* --- calls on the virtual clock ------------------------------------------------------------------- */

static void make_calls(ga_group *peers)
{
    static const peer_step script[] = {
        PEER_TAKE("GET /a"),
        PEER_SAY(
            "HTTP/1.1 302 Found\r\nLocation: /b\r\nSet-Cookie: sid=hidden1\r\nContent-Length: 0\r\n\r\n"),
        PEER_TAKE("GET /b"),
        PEER_PAUSE(2),
        PEER_SAY("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Odd: \xff\r\nContent-Length: 4\r\n\r\nab"),
        PEER_PAUSE(3),
        PEER_SAY("cd"),
        PEER_TAKE("POST /c"),
        PEER_CLOSE};
    static const peer_step *const scripts[] = {script, NULL};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_session *session = ga_session_new(.har = path, .headers = GA_PAIRS({"X-Api-Key", "hidden2"}));
    ga_response *response = ga_get(session, peer_url(&peer, "/a?x=1+2%2B&Access_Token=hidden4&y#part"),
                                   .user = "me", .password = "hidden3");
    ga_autofree char *text = ga_text(response);

    assert_string_equal(text, "abcd");
    ga_sleep(10); /* which is not the call's */
    ga_response_free(response);
    assert_null(
        ga_post(session, peer_url(&peer, "/c"), .text = "hello", .headers = GA_PAIRS({"Accept", "x"})));
    ga_session_free(session);
    peer_stop(&peer);
}

TIMED_CASE(three_calls)
{
    make_calls(peers);
}

static void each_request_is_an_entry_with_its_times_and_without_secrets(void **state)
{
    json_t *archive;
    struct stat status;

    three_calls(state);
    assert_valid(3);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    ga_autofree char *whole = check_read_file(path);

    assert_null(strstr(whole, "hidden"));
    assert_null(strstr(whole, "aGlkZGVu")); /* in base64 */

    json_t *entry = entry_at(&archive, 0);
    const json_t *request = json_object_get(entry, "request"), *response = json_object_get(entry, "response");

    assert_string_equal(text_at(request, "method"), "GET");
    assert_string_equal(text_at(request, "httpVersion"), "HTTP/1.1");
    assert_non_null(strstr(text_at(request, "url"), "/a?x=1+2%2B&Access_Token=[redacted]&y"));
    assert_string_equal(pair_at(request, "queryString", "x"), "1 2+");
    assert_string_equal(pair_at(request, "queryString", "y"), "");
    assert_string_equal(pair_at(request, "queryString", "Access_Token"), "[redacted]");
    assert_string_equal(pair_at(request, "headers", "Authorization"), "[redacted]");
    assert_string_equal(pair_at(request, "headers", "X-Api-Key"), "[redacted]");
    assert_string_equal(pair_at(response, "headers", "Set-Cookie"), "[redacted]");
    assert_int_equal(number_at(response, "status"), 302);
    assert_string_equal(text_at(response, "redirectURL"), "/b");
    assert_int_equal(number_at(response, "headersSize"), 80);
    json_decref(archive);

    entry = entry_at(&archive, 1);
    response = json_object_get(entry, "response");
    assert_non_null(strstr(text_at(json_object_get(entry, "request"), "url"), "/b"));
    assert_string_equal(pair_at(json_object_get(entry, "request"), "headers", "Cookie"), "[redacted]");
    assert_string_equal(pair_at(response, "headers", "X-Odd"), "\xEF\xBF\xBD");
    assert_string_equal(text_at(response, "statusText"), "OK");
    assert_string_equal(text_at(response, "redirectURL"), "");
    assert_int_equal(number_at(response, "bodySize"), 4);
    assert_int_equal(number_at(json_object_get(response, "content"), "size"), 4);
    assert_string_equal(text_at(json_object_get(response, "content"), "mimeType"), "text/plain");
    assert_true(time_of(entry, "wait") >= 2000 && time_of(entry, "wait") < 2500);
    assert_true(time_of(entry, "receive") >= 3000 && time_of(entry, "receive") < 3500);
    assert_int_equal((int)time_of(entry, "ssl"), -1);
    json_decref(archive);

    entry = entry_at(&archive, 2);
    response = json_object_get(entry, "response");
    assert_int_equal(number_at(json_object_get(entry, "request"), "bodySize"), 5);
    assert_int_equal(number_at(response, "status"), 0);
    assert_non_null(strstr(text_at(response, "_error"), "POST "));
    json_decref(archive);
}

CASE(calls_with_secrets_in_urls)
{
    static const peer_step script[] = {
        PEER_TAKE("GET /login?api_key=hidden1 "),
        PEER_SAY("HTTP/1.1 302 Found\r\nLocation: /done?access_token=hidden2#part\r\n"
                 "Content-Location: /login?a&api_key=hidden1#part\r\nContent-Length: 0\r\n\r\n"),
        PEER_TAKE("GET /done?access_token=hidden2 "), PEER_OK("2", "ok"), PEER_AGAIN};
    static const peer_step *const scripts[] = {script, NULL};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_session *session = ga_session_new(.har = path, .referer = 1);
    ga_response *response = ga_get(session, peer_url(&peer, "/login?api_key=hidden1"));

    assert_int_equal(ga_status(response), 200);
    assert_contains(peer.last.data, "/login?api_key=hidden1\r\n"); /* the Referer */
    ga_response_free(response);
    ga_autofree char *nobody =
        ga_format("http://127.0.0.1:%d/?b=2&api_key=hidden3&c#access_token=hidden5", check_free_port());

    assert_null(
        ga_get(session, nobody, .headers = GA_PAIRS({"Referer", "http://example/?Token=hidden4#part"})));
    assert_contains(ga_error_message(), "hidden3");
    ga_session_free(session);
    peer_stop(&peer);
}

static void urls_in_headers_and_errors_are_without_secrets_and_fragments(void **state)
{
    json_t *archive;

    calls_with_secrets_in_urls(state);
    assert_valid(3);
    json_t *entry = entry_at(&archive, 0);
    const json_t *response = json_object_get(entry, "response");

    assert_string_equal(pair_at(response, "headers", "Location"), "/done?access_token=[redacted]");
    assert_string_equal(pair_at(response, "headers", "Content-Location"), "/login?a&api_key=[redacted]");
    assert_string_equal(text_at(response, "redirectURL"), "/done?access_token=[redacted]");
    json_decref(archive);

    entry = entry_at(&archive, 1);
    assert_contains(pair_at(json_object_get(entry, "request"), "headers", "Referer"),
                    "/login?api_key=[redacted]");
    json_decref(archive);

    entry = entry_at(&archive, 2);
    assert_string_equal(pair_at(json_object_get(entry, "request"), "headers", "Referer"),
                        "http://example/?Token=[redacted]");
    assert_contains(text_at(json_object_get(entry, "response"), "_error"), "/?b=2&api_key=[redacted]&c");
    json_decref(archive);

    ga_autofree char *whole = check_read_file(path);

    assert_lacks(whole, "hidden");
    assert_lacks(whole, "#");
}

/* --- answers of a function ------------------------------------------------------------------------ */

static int answer_gzipped(void *arg, ga_call *call)
{
    const ga__buffer *coded = arg;

    return ga_answer(call, .headers = GA_PAIRS({"Content-Encoding", "gzip"}), .body = coded->data,
                     .body_size = coded->size);
}

static int answer_at_second(void *arg, ga_call *call)
{
    if (call->attempt == 1)
        return ga_answer(call, .status = 503, .headers = GA_PAIRS({"Retry-After", "0"}));
    return answer_gzipped(arg, call);
}

CASE(a_retried_call)
{
    static char content[5000];
    ga__buffer coded = GA__BUFFER_INIT;

    (void)peers;
    ga__encode(&coded, GA__CODING_GZIP, content, sizeof content);
    ga_session *session =
        ga_session_new(.har = path, .retries = 1, .answer = answer_at_second, .answer_arg = &coded);
    ga_response *response = ga_get(session, "https://example/");

    assert_non_null(ga_body(response, NULL));
    ga_response_free(response);
    ga_session_free(session);
    ga__buffer_free(&coded);
}

static void retries_are_entries_and_sizes_before_and_after_decoding_are_told(void **state)
{
    json_t *archive;

    a_retried_call(state);
    assert_valid(2);
    json_t *entry = entry_at(&archive, 1);
    const json_t *response = json_object_get(entry, "response");

    assert_int_equal(number_at(entry, "_attempt"), 2);
    assert_int_equal(number_at(json_object_get(response, "content"), "size"), 5000);
    assert_in_range(number_at(response, "bodySize"), 10, 1000);
    json_decref(archive);
}

CASE(a_call_with_an_empty_body_that_was_coded)
{
    ga__buffer coded = GA__BUFFER_INIT;

    (void)peers;
    ga__encode(&coded, GA__CODING_GZIP, "", 0);
    ga_session *session = ga_session_new(.har = path, .answer = answer_gzipped, .answer_arg = &coded);
    ga_response *response = ga_get(session, "https://example/");

    assert_string_equal(ga_body(response, NULL), "");
    ga_response_free(response);
    ga_session_free(session);
    ga__buffer_free(&coded);
}

static void an_empty_body_that_was_coded_has_content_of_size_0(void **state)
{
    json_t *archive;

    a_call_with_an_empty_body_that_was_coded(state);
    assert_valid(1);
    json_t *entry = entry_at(&archive, 0);
    const json_t *response = json_object_get(entry, "response");

    assert_int_equal(number_at(response, "bodySize"), 20);
    assert_int_equal(number_at(json_object_get(response, "content"), "size"), 0);
    json_decref(archive);
}

/* --- requests that go out again ------------------------------------------------------------------- */

/* The entry is of this attempt, which failed with this text in its message; NULL: was answered with 200. */
static void assert_entry(size_t index, int attempt, const char *failure)
{
    json_t *archive, *entry = entry_at(&archive, index);
    const json_t *response = json_object_get(entry, "response");
    const char *error = text_at(response, "_error");

    assert_int_equal(number_at(entry, "_attempt"), attempt);
    assert_int_equal(number_at(response, "status"), failure ? 0 : 200);
    if (failure)
        assert_contains(error ? error : "", failure);
    else
        assert_null(error);
    json_decref(archive);
}

CASE(a_call_on_a_stale_connection)
{
    static const peer_step first[] = {PEER_TAKE("GET /1"), PEER_OK("3", "one"), PEER_TAKE("GET /2"),
                                      PEER_CLOSE};
    static const peer_step second[] = {PEER_TAKE("GET /2"), PEER_OK("3", "two"), PEER_HOLD};
    static const peer_step *const scripts[] = {first, second, NULL};
    peer_server peer;

    peer_start(&peer, peers, scripts);
    ga_session *session = ga_session_new(.har = path);
    ga_response *response = ga_get(session, peer_url(&peer, "/1"));

    assert_string_equal(ga_body(response, NULL), "one");
    ga_response_free(response);
    response = ga_get(session, peer_url(&peer, "/2"));
    assert_string_equal(ga_body(response, NULL), "two");
    assert_int_equal(ga_attempts(response), 2);
    assert_int_equal(peer.requests, 3);
    ga_response_free(response);
    ga_session_free(session);
    peer_stop(&peer);
}

static void a_request_sent_again_after_a_stale_connection_is_two_entries(void **state)
{
    a_call_on_a_stale_connection(state);
    assert_valid(3);
    assert_entry(0, 1, NULL);
    assert_entry(1, 1, "/2: ");
    assert_entry(2, 2, NULL);
}

CASE(a_call_that_is_refused_twice)
{
    http2_habits habits = {.refusing = 2};
    peer_server peer;

    http2_start(&peer, peers, &habits);
    ga_session *session = ga_session_new(.har = path, .http = 2);

    http2_assert_ok(session, peer_url(&peer, "/refuse-some"));
    assert_int_equal(habits.requests, 3);
    ga_session_free(session);
    peer_stop(&peer);
}

static void a_request_refused_over_http2_is_an_entry_each_time(void **state)
{
    a_call_that_is_refused_twice(state);
    assert_valid(3);
    assert_entry(0, 1, "REFUSED_STREAM");
    assert_entry(1, 2, "REFUSED_STREAM");
    assert_entry(2, 3, NULL);
}

/* --- HTTP/2 --------------------------------------------------------------------------------------- */

CASE(a_call_over_http2)
{
    http2_habits habits = {0};
    peer_server peer;

    http2_start(&peer, peers, &habits);
    ga_session *session = ga_session_new(.har = path, .http = 2);

    ga_response_free(ga_get(session, peer_url(&peer, "/ok")));
    ga_session_free(session);
    peer_stop(&peer);
}

static void over_http2_heads_have_no_size(void **state)
{
    json_t *archive;

    a_call_over_http2(state);
    assert_valid(1);
    json_t *entry = entry_at(&archive, 0);
    const json_t *request = json_object_get(entry, "request"), *response = json_object_get(entry, "response");

    assert_string_equal(text_at(request, "httpVersion"), "HTTP/2");
    assert_string_equal(text_at(response, "httpVersion"), "HTTP/2");
    assert_int_equal(number_at(request, "headersSize"), -1);
    assert_int_equal(number_at(response, "headersSize"), -1);
    assert_int_equal(number_at(response, "status"), 200);
    json_decref(archive);
}

/* --- the file ------------------------------------------------------------------------------------- */

static int plain(void *arg, ga_call *call)
{
    (void)arg;
    return ga_answer(call, .text = "plain");
}

CASE(the_file_is_json_after_each_call)
{
    (void)peers;
    ga_session *session = ga_session_new(.har = path, .answer = plain);

    for (int i = 0; i < 4; i++) {
        json_error_t error;
        json_t *archive = json_load_file(path, 0, &error);

        assert_int_equal(json_array_size(json_object_get(json_object_get(archive, "log"), "entries")), i);
        json_decref(archive);
        ga_response_free(ga_get(session, "http://example/"));
    }
    ga_session_free(session);
    assert_null(ga_session_new(.har = "/nonexistent/calls.har"));
    assert_int_equal(ga_error()->code, GA_ESYSTEM);
    assert_int_equal(ga_error()->os_error, 2);
    assert_non_null(strstr(ga_error_message(), "/nonexistent/calls.har"));
}

CASE(calls_with_a_disk_that_is_full)
{
    struct rlimit before, small;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);

    (void)peers;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){3000, before.rlim_max};
    ga_session *session = ga_session_new(.har = path, .answer = plain);

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 20; i++) {
        ga_response *response = ga_get(session, "http://example/");

        assert_int_equal(ga_status(response), 200); /* the calls do not mind */
        ga_response_free(response);
    }
    ga_session_free(session);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
}

static void what_could_not_be_written_leaves_valid_json(void **state)
{
    json_t *archive;

    calls_with_a_disk_that_is_full(state);
    entry_at(&archive, 0);
    size_t count = json_array_size(json_object_get(json_object_get(archive, "log"), "entries"));

    json_decref(archive);
    assert_in_range(count, 1, 19);
    assert_valid((int)count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_is_an_entry_with_its_times_and_without_secrets),
        cmocka_unit_test(urls_in_headers_and_errors_are_without_secrets_and_fragments),
        cmocka_unit_test(retries_are_entries_and_sizes_before_and_after_decoding_are_told),
        cmocka_unit_test(an_empty_body_that_was_coded_has_content_of_size_0),
        cmocka_unit_test(a_request_sent_again_after_a_stale_connection_is_two_entries),
        cmocka_unit_test(a_request_refused_over_http2_is_an_entry_each_time),
        cmocka_unit_test(over_http2_heads_have_no_size),
        cmocka_unit_test(the_file_is_json_after_each_call),
        cmocka_unit_test(what_could_not_be_written_leaves_valid_json),
    };

    return cmocka_run_group_tests(tests, make_place, remove_place);
}
