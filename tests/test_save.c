/* SPDX-License-Identifier: MIT */
/* Bodies into files: whole or not at all, whatever fails on the way. */
#include "peer.h"

#include "protocol/encoder.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGE = 1000000 };

static char *place;

static int set_up(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    check_make_directory(state);
    place = check_path("place");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    check_remove_directory(state);
    free(place);
    return 0;
}

static const peer_step hello[] = {PEER_TAKE(NULL), PEER_OK("5", "hello"), PEER_AGAIN};
static const peer_step *const hellos[] = {hello, NULL};
static const peer_step large[] = {PEER_TAKE(NULL),
                                  PEER_SAY("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"),
                                  PEER_FILL(1000000), PEER_AGAIN};
static const peer_step *const larges[] = {large, NULL};

static void assert_file(const char *text)
{
    ga_autofree char *found = check_read_file(place);

    assert_string_equal(found, text);
}

/* The file is so many 'x'. */
static void assert_xs(size_t size)
{
    ga_autofree char *found = calloc(1, size + 2);
    FILE *file = fopen(place, "re");

    assert_non_null(file);
    assert_int_equal(fread(found, 1, size + 1, file), size);
    assert_int_equal(strspn(found, "x"), size);
    fclose(file);
}

/* Nothing but the place, if that, is in the directory. */
static void assert_tidy(bool there)
{
    ga_autofree char *command = NULL;

    assert_int_equal(access(place, F_OK), there ? 0 : -1);
    assert_true(asprintf(&command, "test $(ls -A '%s' | wc -l) = %d", check_directory, there) > 0);
    assert_int_equal(system(command), 0);
}

static void assert_failure(int64_t code, int wanted, const char *text)
{
    if (code != wanted || ga_error()->code != wanted || !strstr(ga_error_message(), text))
        fail_msg("%lld, %s: %s", (long long)code, ga_code_name(ga_error()->code), ga_error_message());
}

static int64_t get_into_place(ga_session *session, const char *url)
{
    ga_auto(ga_response) response = ga_get(session, url);

    return ga_save(response, place);
}

FILE_CASE(a_body_is_saved_whole)
{
    ga_auto(ga_session) session = ga_session_new(.max_body = 3); /* for bodies in memory */
    struct stat status;
    peer_server peer, other;

    unlink(place);
    peer_start(&peer, peers, hellos);
    peer_start(&other, peers, larges);
    mode_t mask = umask(022);
    assert_int_equal(get_into_place(session, peer_url(&peer, "/")), 5);
    umask(mask);
    assert_file("hello");
    assert_int_equal(stat(place, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0644);
    assert_int_equal(chmod(place, 0640), 0);
    assert_int_equal(get_into_place(session, peer_url(&other, "/")), LARGE);
    assert_int_equal(stat(place, &status), 0);
    assert_int_equal(status.st_size, LARGE);
    assert_int_equal(status.st_mode & 0777, 0640); /* of the file that was replaced */
    assert_xs(LARGE);
    assert_int_equal(get_into_place(session, peer_url(&other, "/")), LARGE);
    assert_int_equal(other.connections, 1); /* each was read to its end */
    assert_tidy(true);
    peer_stop(&peer);
    peer_stop(&other);
}

FILE_CASE(what_was_read_before_is_not_saved_again)
{
    ga_auto(ga_session) session = ga_session_new();
    char bytes[2];
    peer_server peer;

    peer_start(&peer, peers, hellos);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    assert_int_equal(ga_read(response, bytes, sizeof bytes), 2);
    assert_int_equal(ga_save(response, place), 3);
    assert_file("llo");
    assert_int_equal(ga_save(response, place), 0); /* there is no more */
    assert_file("");
    peer_stop(&peer);
}

/* Says a body in gzip. */
static bool say_coded(peer_visit *visit)
{
    ga__buffer body = GA__BUFFER_INIT, head = GA__BUFFER_INIT;
    char *content = calloc(1, LARGE);

    ga__encode(&body, GA__CODING_GZIP, content, LARGE);
    ga__buffer_printf(&head, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                      body.size);
    bool said = peer_say(visit, head.data, head.size) && peer_say(visit, body.data, body.size);

    ga__buffer_free(&body);
    ga__buffer_free(&head);
    free(content);
    return said;
}

FILE_CASE(codings_are_undone_and_the_requests_limit_holds)
{
    static const peer_step coded[] = {PEER_TAKE(NULL), PEER_CALL(say_coded), PEER_AGAIN};
    static const peer_step *const codeds[] = {coded, NULL};
    ga_auto(ga_session) session = ga_session_new(.max_ratio = -1);
    peer_server peer, plain;

    check_write_file(place, "before");
    peer_start(&peer, peers, codeds);
    peer_start(&plain, peers, hellos);
    ga_auto(ga_response) first = ga_get(session, peer_url(&peer, "/"), .max_body = LARGE - 1);
    assert_failure(ga_save(first, place), GA_ETOOLARGE, "max_body");
    ga_auto(ga_response) second = ga_get(session, peer_url(&plain, "/"), .max_body = 4);
    assert_failure(ga_save(second, place), GA_ETOOLARGE, "max_body");
    assert_file("before");
    assert_tidy(true);
    ga_auto(ga_response) third = ga_get(session, peer_url(&peer, "/"), .max_body = LARGE);
    assert_int_equal(ga_save(third, place), LARGE);
    peer_stop(&peer);
    peer_stop(&plain);
}

FILE_CASE(a_body_that_breaks_leaves_what_was_there)
{
    static const peer_step cut[] = {PEER_TAKE(NULL),
                                    PEER_SAY("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"),
                                    PEER_FILL(999999), PEER_CLOSE};
    static const peer_step *const cuts[] = {cut, NULL};
    ga_auto(ga_session) session = ga_session_new();
    peer_server peer;

    check_write_file(place, "before");
    peer_start(&peer, peers, cuts);
    assert_failure(get_into_place(session, peer_url(&peer, "/")), GA_ETRUNCATED, "ended early");
    assert_file("before");
    assert_tidy(true);
    unlink(place);
    assert_failure(get_into_place(session, peer_url(&peer, "/")), GA_ETRUNCATED, "ended early");
    assert_tidy(false);
    peer_stop(&peer);
}

FILE_CASE(a_call_that_ends_meanwhile_leaves_nothing)
{
    static const peer_step stalls[] = {PEER_TAKE(NULL),
                                       PEER_SAY("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"),
                                       PEER_FILL(900000), PEER_HOLD};
    static const peer_step *const stalling[] = {stalls, NULL};
    ga_auto(ga_session) session = ga_session_new();
    ga_scope scope;
    peer_server peer;

    unlink(place);
    peer_start(&peer, peers, stalling);
    ga_auto(ga_response) first = ga_get(session, peer_url(&peer, "/"), .timeout = 0.2);
    assert_failure(ga_save(first, place), GA_ETIMEDOUT, "total");
    ga_auto(ga_response) second = ga_get(session, peer_url(&peer, "/"));
    ga_scope_open(&scope, 0.2);
    assert_failure(ga_save(second, place), GA_ECANCELED, "");
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    assert_tidy(false);
    ga_response_free(first);
    ga_response_free(second);
    first = second = NULL;
    peer_stop(&peer);
}

FILE_CASE(a_full_disk_says_so)
{
    ga_auto(ga_session) session = ga_session_new();
    struct rlimit before, tight = {300000, RLIM_INFINITY};
    peer_server peer;

    check_write_file(place, "before");
    peer_start(&peer, peers, larges);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    int64_t code = get_into_place(session, peer_url(&peer, "/"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_failure(code, GA_ESYSTEM, "writing");
    assert_int_equal(ga_error()->os_error, EFBIG);
    assert_non_null(strstr(ga_error_message(), place));
    assert_file("before");
    assert_tidy(true);
    assert_int_equal(get_into_place(session, peer_url(&peer, "/")), LARGE);
    peer_stop(&peer);
}

FILE_CASE(links_are_followed_and_what_is_no_file_is_left_alone)
{
    ga_auto(ga_session) session = ga_session_new();
    ga_autofree char *link = check_path("link");
    ga_autofree char *nowhere = check_path("none/file");
    ga_autofree char *fifo = check_path("fifo");
    struct stat status;
    peer_server peer;

    check_write_file(place, "before");
    peer_start(&peer, peers, hellos);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    assert_failure(ga_save(response, nowhere), GA_ESYSTEM, nowhere);
    assert_int_equal(ga_error()->os_error, ENOENT);
    assert_int_equal(symlink("place", link), 0);
    ga_auto(ga_response) other = ga_get(session, peer_url(&peer, "/"));
    assert_int_equal(ga_save(other, link), 5);
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_file("hello");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    ga_auto(ga_response) third = ga_get(session, peer_url(&peer, "/"));
    assert_failure(ga_save(third, fifo), GA_ESYSTEM, "no regular file");
    ga_auto(ga_response) fourth = ga_get(session, peer_url(&peer, "/"));
    assert_failure(ga_save(fourth, check_directory), GA_ESYSTEM, "irectory");
    assert_failure(ga_save(fourth, ""), GA_EUSAGE, "path");
    assert_failure(ga_save(fourth, NULL), GA_EUSAGE, "path");
    assert_failure(ga_save(NULL, place), GA_EUSAGE, "path"); /* the failure before stays */
    unlink(link);
    unlink(fifo);
    assert_tidy(true);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_saved_whole),
        cmocka_unit_test(what_was_read_before_is_not_saved_again),
        cmocka_unit_test(codings_are_undone_and_the_requests_limit_holds),
        cmocka_unit_test(a_body_that_breaks_leaves_what_was_there),
        cmocka_unit_test(a_call_that_ends_meanwhile_leaves_nothing),
        cmocka_unit_test(a_full_disk_says_so),
        cmocka_unit_test(links_are_followed_and_what_is_no_file_is_left_alone),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
