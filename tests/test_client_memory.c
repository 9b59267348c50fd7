/* SPDX-License-Identifier: MIT */
/* Calls with each allocation failing in turn: GA_ENOMEM or done all the same, and nothing lost. */
#include "check.h"
#include "failmalloc.h"

#include "protocol/encoder.h"
#include <gather.h>
#include <jansson.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LARGE = 100000, CODINGS = 3 };

/* Answers in gzip, deflate and br, made before the server starts. */
static char coded[CODINGS][4096];
static size_t coded_sizes[CODINGS];

static void make_coded(void)
{
    static char content[LARGE];

    for (size_t i = 0; i < CODINGS; i++) {
        ga__buffer body = GA__BUFFER_INIT;

        ga__encode(&body, (ga__coding)i, content, sizeof content);
        int head = snprintf(coded[i], sizeof coded[i],
                            "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n",
                            ga__coding_name((ga__coding)i), body.size);

        memcpy(coded[i] + head, body.data, body.size);
        coded_sizes[i] = (size_t)head + body.size;
        ga__buffer_free(&body);
    }
}

/* A server in a thread of its own, which allocates nothing. */
static int listener;
static char url[64];
static char file[4096];

static void send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = send(fd, bytes, size, MSG_NOSIGNAL);

        if (count <= 0)
            return;
        bytes += count;
        size -= (size_t)count;
    }
}

static void send_large(int fd)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
    static char body[LARGE];

    memset(body, 0x78, sizeof body);
    send_all(fd, head, sizeof head - 1);
    send_all(fd, body, sizeof body);
}

/* Reads the rest of an upload, of which so many bytes came with the head. */
static void receive_large(int fd, size_t came)
{
    static char body[LARGE];

    while (came < LARGE) {
        ssize_t count = read(fd, body, sizeof body);

        if (count <= 0)
            return;
        came += (size_t)count;
    }
}

static void answer(int fd, const char *request)
{
    static const char redirect[] = "HTTP/1.1 307 There\r\nLocation: /json\r\nContent-Length: 0\r\n\r\n";
    static const char json[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"a\":[]}";
    static const char chunked[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=latin1\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n3\r\nh\xe9!\r\n0\r\nTrailer: 1\r\n\r\n";

    static const char broken[] = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 6\r\n\r\nabc";
    static const char rest[] = "HTTP/1.1 206 OK\r\nETag: \"1\"\r\nContent-Range: bytes 3-5/6\r\n"
                               "Content-Length: 3\r\n\r\ndef";
    static const char refusal[] = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n";

    if (strstr(request, "CONNECT "))
        send_all(fd, refusal, sizeof refusal - 1);
    else if (strstr(request, " /redirect "))
        send_all(fd, redirect, sizeof redirect - 1);
    else if (strstr(request, " /large "))
        send_large(fd);
    else if (strstr(request, "Range: bytes=3-"))
        send_all(fd, rest, sizeof rest - 1);
    else if (strstr(request, " /broken")) {
        send_all(fd, broken, sizeof broken - 1);
        shutdown(fd, SHUT_WR);
    } else if (strstr(request, " /coded/"))
        send_all(fd, coded[strstr(request, " /coded/")[8] - '0'],
                 coded_sizes[strstr(request, " /coded/")[8] - '0']);
    else if (strstr(request, " /chunked "))
        send_all(fd, chunked, sizeof chunked - 1);
    else
        send_all(fd, json, sizeof json - 1);
}

static void *serve(void *arg)
{
    (void)arg;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) {
        char request[4096];
        size_t size = 0;
        ssize_t count;

        while ((count = read(fd, request + size, sizeof request - 1 - size)) > 0) {
            size += (size_t)count;
            request[size] = '\0';
            const char *end = strstr(request, "\r\n\r\n");

            if (!end)
                continue;
            if (strstr(request, " /upload "))
                receive_large(fd, size - (size_t)(end + 4 - request));
            answer(fd, request);
            size = 0;
        }
    }
    return NULL;
}

static int start_server(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    static pthread_t thread;

    make_coded();
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 64) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        return -1;
    check_make_directory(state);
    snprintf(file, sizeof file, "%s/file", check_directory);
    check_write_file(file, "from a file");
    snprintf(url, sizeof url, "http://user:word@127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    *state = &thread;
    return pthread_create(&thread, NULL, serve, NULL);
}

static int stop_server(void **state)
{
    check_remove_directory(state);
    shutdown(listener, SHUT_RDWR);
    pthread_join(*(pthread_t *)*state, NULL);
    return close(listener);
}

/* --- the flow ------------------------------------------------------------------------------------- */

static int read_json(ga_session *session)
{
    json_t *body = json_pack("{s:s}", "title", "write C");

    if (!body)
        return GA_ENOMEM; /* it is the test's own */
    ga_auto(ga_response) response = ga_post(session, "/redirect", .json = body);
    json_t *json = ga_json(response);
    int code = json ? 0 : ga_error()->code;

    json_decref(body);
    json_decref(json);
    return code;
}

static int read_text(ga_session *session)
{
    ga_auto(ga_response) response =
        ga_get(session, "/chunked", .params = GA_PAIRS({NULL, NULL}), .headers = GA_PAIRS({"X-One", "1"}));
    ga_autofree char *text = ga_text(response);

    if (!text)
        return ga_error()->code;
    assert_string_equal(text, "h\xc3\xa9!");
    return 0;
}

static int read_large(ga_session *session)
{
    size_t size;
    ga_auto(ga_response) response = ga_get(session, "/large");

    if (!ga_body(response, &size))
        return ga_error()->code;
    assert_int_equal(size, LARGE);
    return 0;
}

static int send_large_body(ga_session *session)
{
    static char body[LARGE];
    ga_auto(ga_response) response = ga_post(session, "/upload", .body = body, .body_size = sizeof body);

    return response ? 0 : ga_error()->code;
}

static int read_pieces(ga_session *session)
{
    static char piece[1000];
    ssize_t count = 0;
    size_t size = 0;
    ga_auto(ga_response) response = ga_get(session, "/large");

    if (!response)
        return ga_error()->code;
    while ((count = ga_read(response, piece, sizeof piece)) > 0)
        size += (size_t)count;
    if (count == 0)
        assert_int_equal(size, LARGE);
    return (int)count;
}

static int resume(ga_session *session)
{
    ga_auto(ga_response) response =
        ga_get(session, "/broken", .params = GA_PAIRS({"a", "b"}), .headers = GA_PAIRS({"X-One", "1"}),
               .cookies = GA_PAIRS({"c", "d"}), .resume = 1);
    ga_autofree char *text = ga_text(response);

    if (!text)
        return ga_error()->code;
    assert_string_equal(text, "abcdef");
    return 0;
}

static int save(ga_session *session)
{
    ga_auto(ga_response) response = ga_get(session, "/large");
    ga_autofree char *place = ga_format("%s/saved", check_directory);

    if (!place)
        return GA_ENOMEM;
    int64_t size = ga_save(response, place);

    if (size < 0) {
        assert_int_equal(access(place, F_OK), -1);
        return (int)size;
    }
    assert_int_equal(size, LARGE);
    assert_int_equal(unlink(place), 0);
    return 0;
}

static int read_coded(ga_session *session)
{
    for (int i = 0; i < CODINGS; i++) {
        char path[] = "/coded/0", byte;
        size_t size;

        path[7] = (char)('0' + i);
        ga_auto(ga_response) response = ga_get(session, path);
        ssize_t count = ga_read(response, &byte, 1);

        if (count < 0)
            return (int)count;
        if (!ga_body(response, &size))
            return ga_error()->code;
        assert_int_equal(size, LARGE - 1);
    }
    return 0;
}

static int send_compressed(ga_session *session)
{
    ga_auto(ga_response) response = ga_post(session, "/json", .text = "text", .compress = "gzip");

    return response ? 0 : ga_error()->code;
}

static int send_form(ga_session *session)
{
    ga_auto(ga_response) response = ga_post(session, "/json", .form = GA_PAIRS({"name", "a value & more"}));

    return response ? 0 : ga_error()->code;
}

static int send_parts(ga_session *session)
{
    static char body[LARGE];
    ga_auto(ga_response) response =
        ga_post(session, "/upload",
                .multipart = GA_PARTS({.name = "data", .data = body, .size = LARGE},
                                      {.name = "text", .value = "a", .headers = GA_PAIRS({"X-A", "b"})}));

    return response ? 0 : ga_error()->code;
}

static int send_file(ga_session *session)
{
    ga_auto(ga_response) response = ga_post(session, "/redirect", .body_file = file);

    return response ? 0 : ga_error()->code;
}

static ssize_t give(void *arg, void *buffer, size_t size)
{
    (void)arg;
    memset(buffer, 'y', size);
    return (ssize_t)size;
}

static int send_given(ga_session *session)
{
    ga_body_source source = {.read = give, .size = LARGE};
    ga_auto(ga_response) response = ga_post(session, "/upload", .body_source = &source);

    return response ? 0 : ga_error()->code;
}

static int call_with_attempts(ga_session *session)
{
    ga_auto(ga_response) response =
        ga_post(session, "/json", .text = "text", .retries = 1, .idempotency_key = "");

    return response ? 0 : ga_error()->code;
}

/* The server as a proxy, which forwards and makes no tunnel. */
static int go_through_proxy(void)
{
    static const char *const detours[] = {"none.test:1:none.test:2", NULL};
    ga_auto(ga_session) session =
        ga_session_new(.proxies = GA_PAIRS({"all", url}), .no_proxy = "none.test", .connect_to = detours,
                       .resolve = GA_PAIRS({"none.test:1", "127.0.0.1"}),
                       .proxy_headers = GA_PAIRS({"X-Proxy", "1"}), .interface = "lo", .keepalive = -1);
    ga_auto(ga_response) response =
        session ? ga_get(session, "http://shop.test/json", .server_name = "other.test", .insecure = 1) : NULL;

    if (!response)
        return ga_error()->code;
    ga_auto(ga_response) tunnelled = ga_get(session, "https://shop.test/", .proxy = url);

    assert_null(tunnelled);
    return ga_error()->code == GA_EPROXY ? 0 : ga_error()->code;
}

static int show_and_answer(void *arg, ga_call *call)
{
    ga_autofree char *text = ga_call_text(call, 0);

    (void)arg;
    if (!text || !ga_call_body(call, NULL))
        return ga_error()->code;
    return ga_answer(call, .status = 200, .text = "text");
}

/* No server at all; with an archive, whose missing entries are no failure. */
static int mock_calls(void)
{
    static char archive[sizeof file + 4];

    snprintf(archive, sizeof archive, "%s.har", file);
    ga_auto(ga_session) session = ga_session_new(.answer = show_and_answer, .har = archive);
    ga_auto(ga_response) response = session ? ga_post(session, "http://shop.test/", .body_file = file) : NULL;
    ga_autofree char *text = ga_text(response);

    if (!text)
        return ga_error()->code;
    assert_string_equal(text, "text");
    return 0;
}

/* A pace that two sessions share; the calls go one after another. */
static int call_with_pace(void)
{
    ga_auto(ga_pace) pace = ga_pace_new(.rate_per_host = 1e6, .tokens_per_host = 1e6, .limit_requests = 1);
    ga_auto(ga_session) first = pace ? ga_session_new(.pace = pace, .base_url = url) : NULL;
    ga_auto(ga_session) second =
        first ? ga_session_new(.pace = pace, .base_url = url, .keepalive = -1) : NULL;

    if (!second)
        return ga_error()->code;
    for (int i = 0; i < 2; i++) {
        ga_auto(ga_response) response = ga_get(i ? first : second, "/json", .cost = 5);

        if (!response)
            return ga_error()->code;
        ga_response_set_cost(response, 3);
    }
    ga_pace_state state;

    ga_pace_status(pace, &state);
    assert_int_equal(state.waiting + state.under_way, 0);
    return 0;
}

static int failure; /* of the calls, or 0 */

static int make_calls(void *arg)
{
    ga_auto(ga_session) session = ga_session_new(.base_url = url, .headers = GA_PAIRS({"X-Session", "s"}),
                                                 .retry_base = 1e-9, .referer = 1);

    (void)arg;
    failure = session ? 0 : ga_error()->code;
    if (!session)
        return 0;
    int code = go_through_proxy(); /* first: the server serves one connection at a time */

    if (code == 0)
        code = call_with_pace();
    if (code == 0)
        code = mock_calls();
    if (code == 0)
        code = read_json(session);
    if (code == 0)
        code = read_text(session);
    if (code == 0)
        code = read_large(session);
    if (code == 0)
        code = read_pieces(session);
    if (code == 0)
        code = resume(session);
    if (code == 0)
        code = save(session);
    if (code == 0)
        code = send_large_body(session);
    if (code == 0)
        code = send_form(session);
    if (code == 0)
        code = send_parts(session);
    if (code == 0)
        code = send_given(session);
    if (code == 0)
        code = send_file(session);
    if (code == 0)
        code = read_coded(session);
    if (code == 0)
        code = send_compressed(session);
    if (code == 0)
        code = call_with_attempts(session);
    ga_pool_stats stats;

    ga_session_pool(session, &stats);
    assert_int_equal(stats.in_use, 0);
    failure = code;
    return 0; /* a failure of the first task would be reported as unread */
}

static void calls_without_memory_fail_or_succeed(void **state)
{
    int before;

    (void)state;
    ga_run(make_calls, NULL); /* what is made once for the process is made here */
    before = check_open_descriptors();
    for (int n = 1; failmalloc_again(n); n++) {
        failure = 0;
        int code = ga_run(make_calls, NULL);
        bool failed = failmalloc_stop();

        assert_true(code == 0 || (failed && code == GA_ENOMEM)); /* the loop itself may have none */
        if (failure != 0 && !(failed && failure == GA_ENOMEM))
            fail_msg("allocation %d: %s: %s", n, ga_code_name(failure), ga_error_message());
        assert_true(check_open_descriptors() - before <= 1); /* the server may still have the last one */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_without_memory_fail_or_succeed),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
