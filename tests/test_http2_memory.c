/* SPDX-License-Identifier: MIT */
/* Calls over HTTP/2 with each allocation failing in turn: GA_ENOMEM or done all the same, and nothing lost.
 */
#include "check.h"
#include "failmalloc.h"

#include <gather.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 15000, PIECES = 4, PREFACE = 24, FRAME_HEAD = 9, HEADERS = 1, END_STREAM = 1 };

/* A server in a thread of its own, which allocates nothing. */
static int listener;
static char url[64];

static bool read_all(int fd, unsigned char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = read(fd, bytes + done, size - done);

        if (count <= 0)
            return false;
        done += (size_t)count;
    }
    return true;
}

static void say(int fd, unsigned type, unsigned flags, unsigned id, size_t size)
{
    static unsigned char frame[FRAME_HEAD + PIECE];
    const unsigned char head[FRAME_HEAD] = {
        0, (unsigned char)(size >> 8), (unsigned char)size, (unsigned char)type, (unsigned char)flags, 0, 0,
        0, (unsigned char)id};

    memcpy(frame, head, sizeof head);
    frame[FRAME_HEAD] = 0x88; /* ":status: 200" where it is a head */
    (void)!send(fd, frame, FRAME_HEAD + size, MSG_NOSIGNAL);
}

/* Answers each request with a body of PIECES frames. */
static void converse(int fd)
{
    static unsigned char bytes[1 << 17];
    unsigned char head[FRAME_HEAD];

    if (!read_all(fd, bytes, PREFACE))
        return;
    say(fd, 4, 0, 0, 0);
    while (read_all(fd, head, sizeof head)) {
        size_t size = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];

        if (size > sizeof bytes || !read_all(fd, bytes, size))
            return;
        if (head[3] > HEADERS || !(head[4] & END_STREAM))
            continue;
        say(fd, HEADERS, 4, head[8], 1);
        for (int i = 0; i < PIECES; i++)
            say(fd, 0, i == PIECES - 1, head[8], PIECE);
    }
}

static void *serve(void *arg)
{
    (void)arg;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd))
        converse(fd);
    return NULL;
}

static int start_server(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    static pthread_t thread;

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 64) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        return -1;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)ntohs(address.sin_port));
    *state = &thread;
    return pthread_create(&thread, NULL, serve, NULL);
}

static int stop_server(void **state)
{
    shutdown(listener, SHUT_RDWR);
    pthread_join(*(pthread_t *)*state, NULL);
    close(listener);
    return 0;
}

/* Says how a call ended: 0 with its whole body, or the failure. */
static int outcome(ga_response *response)
{
    size_t size;
    const void *body = ga_body(response, &size);
    int code = body ? 0 : ga_error()->code;

    if (body)
        assert_int_equal(size, PIECE * PIECES);
    ga_response_free(response);
    return code;
}

static int call(void *arg)
{
    static const char upload[30000];
    ga_auto(ga_session) session = ga_session_new(.http = 2);
    ga_pool_stats stats;

    (void)arg;
    if (!session)
        return ga_error()->code;
    int code = outcome(ga_get(session, url));

    if (code == 0)
        code = outcome(ga_post(session, url, .body = upload, .body_size = sizeof upload));
    ga_session_pool(session, &stats);
    assert_int_equal(stats.in_use, 0);
    assert_int_equal(stats.waiting, 0);
    return code;
}

static void calls_end_without_memory(void **state)
{
    int before = check_open_descriptors(), failures = 0;

    (void)state;
    assert_int_equal(ga_run(call, NULL), 0); /* what is made once is made now */
    for (int n = 1; failmalloc_again(n); n++) {
        int code = ga_run(call, NULL);

        if (failmalloc_stop() && code != 0) {
            assert_int_equal(code, GA_ENOMEM);
            failures++;
        }
    }
    assert_true(failures > 10);
    for (int i = 0; i < 5000 && check_open_descriptors() != before; i++)
        usleep(1000); /* the server's end closes when it notices */
    assert_int_equal(check_open_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(calls_end_without_memory)};

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
