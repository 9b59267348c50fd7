/* SPDX-License-Identifier: MIT */
/* The cookie jar: who may set what, what goes with which request and in which order, and jars in files. */
#include "check.h"

#include "client/cookie_jar.h"

#include <errno.h>
#include <gather.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NOW = 1700000000 };

/* @return NULL where the cookie is taken, or why not */
static const char *take_at(ga_cookie_jar *jar, const char *from, const char *field, int64_t now)
{
    const char *reason = NULL;
    ga__url url = check_url(from);
    int code = ga__cookie_jar_take(jar, &url, ga__slice_of(field), now, &reason);

    ga__url_free(&url);
    assert_int_equal(code, reason ? GA_EUSAGE : 0);
    return reason;
}

static const char *take(ga_cookie_jar *jar, const char *from, const char *field)
{
    return take_at(jar, from, field, NOW);
}

static void expect_sent_at(ga_cookie_jar *jar, const char *to, const char *wanted, int64_t now)
{
    ga__buffer out = GA__BUFFER_INIT;
    ga__url url = check_url(to);

    assert_int_equal(ga__cookie_jar_write(jar, &url, NULL, now, &out), 0);
    if (strcmp(out.data ? out.data : "", wanted) != 0)
        fail_msg("to %s go \"%s\" instead of \"%s\"", to, out.data ? out.data : "", wanted);
    ga__buffer_free(&out);
    ga__url_free(&url);
}

static void expect_sent(ga_cookie_jar *jar, const char *to, const char *wanted)
{
    expect_sent_at(jar, to, wanted, NOW);
}

/* Each row: a jar with one cookie, and one request. "" is sent where the cookie is refused, or does not fit.
 */
static void one_cookie_and_one_request(void **state)
{
    static const struct {
        const char *from, *field, *to, *sent;
    } rows[] = {
        /* host-only, and domains */
        {"http://example.com/", "a=b", "http://example.com/", "a=b"},
        {"http://example.com/", "a=b", "http://EXAMPLE.com:8080/x?y", "a=b"},
        {"http://example.com/", "a=b", "http://www.example.com/", ""},
        {"http://.example.com/", "a=b", "http://.example.com/", ""},
        {"http://./", "a=b", "http://./", ""},
        {"http://example.com/", "a=b; Domain=example.com", "http://www.example.com/", "a=b"},
        {"http://www.example.com/", "a=b; Domain=.Example.com", "http://example.com/", "a=b"},
        {"http://www.example.com/", "a=b; Domain=example.com", "http://nexample.com/", ""},
        {"http://example.com/", "a=b; Domain=www.example.com", "http://www.example.com/", ""},
        {"http://example.com/", "a=b; Domain=other.com", "http://other.com/", ""},
        {"http://example.com/", "a=b; Domain=other.com", "http://example.com/", ""},
        {"http://www.example.com/", "a=b; Domain=example.com.", "http://www.example.com/", "a=b"},
        {"http://www.example.com/", "a=b; Domain=example.com.", "http://x.www.example.com/", ""},
        {"http://example.com./", "a=b; Domain=example.com", "http://example.com./", ""},
        {"http://example.com/", "a=b; Domain=ex\xc3\xa4mple.com", "http://example.com/", ""},
        {"http://m\xc3\xbcller.de/", "a=b; Domain=xn--mller-kva.de", "http://www.m\xc3\xbcller.de/", "a=b"},
        /* public suffixes */
        {"http://example.com/", "a=b; Domain=com", "http://example.com/", ""},
        {"http://example.co.uk/", "a=b; Domain=co.uk", "http://other.co.uk/", ""},
        {"http://me.github.io/", "a=b; Domain=github.io", "http://me.github.io/", ""},
        {"http://github.io/", "a=b; Domain=github.io", "http://github.io/", "a=b"},
        {"http://github.io/", "a=b; Domain=github.io", "http://me.github.io/", ""},
        {"http://localhost/", "a=b; Domain=localhost", "http://localhost/", "a=b"},
        {"http://localhost/", "a=b; Domain=localhost", "http://x.localhost/", ""},
        /* addresses are hosts only */
        {"http://127.0.0.1/", "a=b", "http://127.0.0.1:99/", "a=b"},
        {"http://127.0.0.1/", "a=b; Domain=127.0.0.1", "http://127.0.0.1/", "a=b"},
        {"http://127.0.0.1/", "a=b; Domain=0.0.1", "http://127.0.0.1/", ""},
        {"http://127.0.0.1/", "a=b; Domain=.0.1", "http://1.0.0.1/", ""},
        {"http://[::1]/", "a=b", "http://[0::1]/", "a=b"},
        /* paths */
        {"http://h.com/a/b", "a=b", "http://h.com/a/c/d", "a=b"},
        {"http://h.com/a/b", "a=b", "http://h.com/a", "a=b"},
        {"http://h.com/a/b", "a=b", "http://h.com/", ""},
        {"http://h.com/a/b", "a=b; Path=/", "http://h.com/z", "a=b"},
        {"http://h.com/a/b", "a=b; Path=z", "http://h.com/a/q", "a=b"},
        {"http://h.com/", "a=b; Path=/x", "http://h.com/x/y?z", "a=b"},
        {"http://h.com/", "a=b; Path=/x", "http://h.com/xy", ""},
        {"http://h.com/", "a=b; Path=/x\ty", "http://h.com/x", ""},
        /* Secure */
        {"https://h.com/", "a=b; Secure", "https://h.com/", "a=b"},
        {"https://h.com/", "a=b; Secure", "http://h.com/", ""},
        {"http://h.com/", "a=b; Secure", "https://h.com/", ""},
        {"https://h.com/", "a=b", "http://h.com/", "a=b"},
        /* prefixes */
        {"https://h.com/", "__Secure-a=b; Secure", "https://h.com/", "__Secure-a=b"},
        {"https://h.com/", "__Secure-a=b", "https://h.com/", ""},
        {"https://h.com/", "__SECURE-a=b", "https://h.com/", ""},
        {"https://h.com/x", "__Host-a=b; Secure; Path=/", "https://h.com/", "__Host-a=b"},
        {"https://h.com/", "__Host-a=b; Path=/", "https://h.com/", ""},
        {"https://h.com/", "__Host-a=b; Secure", "https://h.com/", ""},
        {"https://h.com/", "__Host-a=b; Secure; Path=/x", "https://h.com/x", ""},
        {"https://h.com/", "__host-a=b; Secure; Path=/; Domain=h.com", "https://h.com/", ""},
        {"https://h.com/", "__Host-a", "https://h.com/", ""},
        {"https://h.com/", "=__Secure-a=b; Secure", "https://h.com/", ""},
        /* as it was written */
        {"http://h.com/", "a=\"b c\"; HttpOnly; SameSite=Strict", "http://h.com/", "a=\"b c\""},
        {"http://h.com/", "value", "http://h.com/", "value"},
        {"http://h.com/", "a=", "http://h.com/", "a="},
        {"http://h.com/", "a=b\x01", "http://h.com/", ""},
        {"http://h.com/", "a\tb=c", "http://h.com/", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga_cookie_jar *jar = ga_cookie_jar_new();

        take(jar, rows[i].from, rows[i].field);
        expect_sent(jar, rows[i].to, rows[i].sent);
        ga_cookie_jar_free(jar);
    }
}

static void expiry(void **state)
{
    enum { DAY = 24 * 60 * 60 };
    static const struct {
        const char *field;
        int64_t lives; /* seconds; 0: not taken; -1: for ever */
    } rows[] = {
        {"a=b", -1},
        {"a=b; Max-Age=10", 10},
        {"a=b; Max-Age=0", 0},
        {"a=b; Max-Age=-1", 0},
        {"a=b; Max-Age=99999999999999999999", 400 * DAY},
        {"a=b; Max-Age=34560001", 400 * DAY},
        {"a=b; Expires=Tue, 14 Nov 2023 22:13:30 GMT", 10},
        {"a=b; Expires=Tue, 14 Nov 2023 22:13:20 GMT", 0},
        {"a=b; Expires=Fri, 31 Dec 9999 23:59:59 GMT", 400 * DAY},
        {"a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=5", 5},
        {"a=b; Max-Age=0; Expires=Fri, 31 Dec 9999 23:59:59 GMT", 0},
        {"a=b; Expires=nonsense", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga_cookie_jar *jar = ga_cookie_jar_new();
        int64_t lives = rows[i].lives < 0 ? INT32_MAX : rows[i].lives;

        assert_null(take(jar, "http://h.com/", rows[i].field));
        assert_int_equal(ga_cookie_jar_count(jar), lives > 0);
        expect_sent_at(jar, "http://h.com/", lives > 0 ? "a=b" : "", NOW + lives - 1);
        assert_int_equal(ga_cookie_jar_count(jar), lives > 0);
        if (rows[i].lives >= 0) {
            expect_sent_at(jar, "http://h.com/", "", NOW + lives);
            assert_int_equal(ga_cookie_jar_count(jar), 0);
        }
        ga_cookie_jar_free(jar);
    }
}

static void a_cookie_is_replaced_and_deleted_in_its_place(void **state)
{
    ga_cookie_jar *jar = ga_cookie_jar_new();

    (void)state;
    take(jar, "http://h.com/", "a=1");
    take(jar, "http://h.com/", "b=2");
    take(jar, "http://h.com/", "a=3; Max-Age=100");
    expect_sent(jar, "http://h.com/", "a=3; b=2");
    take(jar, "http://h.com/", "a=4; Path=/x"); /* another path: another cookie */
    take(jar, "http://h.com/", "a=5; Domain=h.com");
    expect_sent(jar, "http://h.com/x", "a=4; a=3; b=2; a=5");
    take(jar, "http://h.com/", "a=; Max-Age=0");
    expect_sent(jar, "http://h.com/x", "a=4; b=2; a=5");
    ga_cookie_jar_clear(jar);
    assert_int_equal(ga_cookie_jar_count(jar), 0);
    expect_sent(jar, "http://h.com/x", "");
    ga_cookie_jar_free(jar);
}

static void longer_paths_go_first_then_older_cookies(void **state)
{
    ga_cookie_jar *jar = ga_cookie_jar_new();

    (void)state;
    take(jar, "http://w.h.com/", "one=1; Domain=h.com");
    take(jar, "http://w.h.com/", "two=2; Path=/a/b");
    take(jar, "http://w.h.com/", "three=3; Path=/a");
    take(jar, "http://w.h.com/", "four=4");
    take(jar, "http://w.h.com/", "five=5; Path=/a/b; Domain=h.com");
    expect_sent(jar, "http://w.h.com/a/b", "two=2; five=5; three=3; one=1; four=4");
    expect_sent(jar, "http://h.com/a/b", "five=5; one=1");
    ga_cookie_jar_free(jar);
}

static void secure_cookies_are_left_alone(void **state)
{
    ga_cookie_jar *jar = ga_cookie_jar_new();

    (void)state;
    assert_null(take(jar, "https://w.h.com/", "a=1; Secure; Domain=h.com; Path=/x"));
    assert_non_null(take(jar, "http://w.h.com/", "a=2; Path=/x"));
    assert_non_null(take(jar, "http://w.h.com/", "a=2; Path=/x/y; Domain=h.com"));
    assert_non_null(take(jar, "http://h.com/", "a=; Path=/x; Max-Age=0"));
    assert_null(take(jar, "http://w.h.com/", "a=3; Path=/"));
    assert_null(take(jar, "http://w.h.com/", "b=4; Path=/x"));
    assert_null(take(jar, "http://other.com/", "a=5; Path=/x"));
    expect_sent(jar, "https://w.h.com/x", "a=1; b=4; a=3");
    assert_null(take(jar, "https://w.h.com/", "a=6; Domain=h.com; Path=/x")); /* over https it may */
    expect_sent(jar, "http://w.h.com/x", "a=6; b=4; a=3");
    ga_cookie_jar_free(jar);
}

static void an_expired_secure_cookie_hides_nothing(void **state)
{
    ga_cookie_jar *jar = ga_cookie_jar_new();

    (void)state;
    assert_null(take(jar, "https://h.com/", "a=1; Secure; Max-Age=10"));
    assert_non_null(take_at(jar, "http://h.com/", "a=2", NOW + 9));
    assert_null(take_at(jar, "http://h.com/", "a=2", NOW + 10));
    expect_sent_at(jar, "http://h.com/", "a=2", NOW + 10);
    ga_cookie_jar_free(jar);
}

static void a_server_cannot_fill_the_jar(void **state)
{
    ga_cookie_jar *jar = ga_cookie_jar_new();
    char from[64], field[64];
    ga_cookie cookie;

    (void)state;
    take(jar, "https://h.com/", "first=1; Secure");
    for (int i = 0; i < 1000; i++) {
        snprintf(field, sizeof field, "c%d=1", i);
        assert_null(take(jar, "https://h.com/", field));
    }
    assert_int_equal(ga_cookie_jar_count(jar), 180);
    assert_true(ga_cookie_jar_at(jar, 0, &cookie));
    assert_string_equal(cookie.name, "first");
    assert_true(ga_cookie_jar_at(jar, 179, &cookie));
    assert_string_equal(cookie.name, "c999");
    for (int i = 0; i < 5000; i++) {
        snprintf(from, sizeof from, "http://h%d.com/", i);
        assert_null(take(jar, from, "a=1"));
    }
    assert_int_equal(ga_cookie_jar_count(jar), 3000);
    expect_sent(jar, "http://h0.com/", "");
    expect_sent(jar, "http://h4999.com/", "a=1");
    assert_false(ga_cookie_jar_at(jar, 3000, &cookie));
    ga_cookie_jar_free(jar);
}

static void what_is_sent_is_limited(void **state)
{
    ga_cookie_jar *jar = ga_cookie_jar_new();
    ga__url url = check_url("http://h.com/");
    ga__buffer out = GA__BUFFER_INIT;
    char field[4000];
    size_t cookies = 1;

    (void)state;
    for (int i = 0; i < 160; i++) {
        snprintf(field, sizeof field, "c%d=1", i);
        take(jar, "http://h.com/", field);
    }
    assert_int_equal(ga__cookie_jar_write(jar, &url, NULL, NOW, &out), 0);
    for (size_t i = 0; i < out.size; i++)
        cookies += out.data[i] == ';';
    assert_int_equal(cookies, 150);
    ga__buffer_clear(&out);
    ga_cookie_jar_clear(jar);
    for (int i = 0; i < 4; i++) {
        memset(field, 'x', sizeof field - 1);
        field[sizeof field - 1] = '\0';
        field[0] = (char)('a' + i);
        field[1] = '=';
        take(jar, "http://h.com/", field);
    }
    assert_int_equal(ga__cookie_jar_write(jar, &url, GA_PAIRS({"own", "1"}, {"none", NULL}), NOW, &out), 0);
    assert_int_equal(out.size, strlen("own=1; ") + 2 * 3999 + 2);
    ga__buffer_free(&out);
    ga__url_free(&url);
    ga_cookie_jar_free(jar);
}

static void given_cookies_stand_for_those_of_the_jar(void **state)
{
    ga_cookie_jar *jar = ga_cookie_jar_new();
    ga__url url = check_url("http://h.com/");
    ga__buffer out = GA__BUFFER_INIT;

    (void)state;
    take(jar, "http://h.com/", "a=1");
    take(jar, "http://h.com/", "b=2");
    assert_int_equal(ga__cookie_jar_write(jar, &url, GA_PAIRS({"a", "own"}, {"b", NULL}), NOW, &out), 0);
    assert_string_equal(out.data, "a=own; b=2");
    ga__buffer_free(&out);
    ga__url_free(&url);
    ga_cookie_jar_free(jar);
}

static void users_set_cookies_and_are_told_why_not(void **state)
{
    ga_cookie_jar *jar = ga_cookie_jar_new();
    ga_cookie cookie;

    (void)state;
    assert_int_equal(
        ga_cookie_jar_set(jar, "https://user:pw@h.com/a/b", "n=v; Secure; HttpOnly; SameSite=Lax; Max-Age=9"),
        0);
    assert_true(ga_cookie_jar_at(jar, 0, &cookie));
    assert_string_equal(cookie.name, "n");
    assert_string_equal(cookie.value, "v");
    assert_string_equal(cookie.domain, "h.com");
    assert_string_equal(cookie.path, "/a");
    assert_true(cookie.secure && cookie.http_only && cookie.host_only);
    assert_int_equal(cookie.same_site, GA_SAME_SITE_LAX);
    assert_true(cookie.expires > NOW);
    assert_int_equal(ga_cookie_jar_set(jar, "https://user:pw@h.com/", "n=secret; Domain=x.com"), GA_EUSAGE);
    assert_string_equal(ga_error_message(),
                        "the cookie for https://h.com/ is refused: its Domain is not the host, nor above it");
    assert_int_equal(ga_cookie_jar_set(jar, "ftp://h.com/", "n=v"), GA_ESCHEME);
    assert_int_equal(ga_cookie_jar_set(jar, "http://", "n=v"), GA_EURL);
    assert_int_equal(ga_cookie_jar_set(NULL, "http://h.com", "n=v"), GA_EUSAGE);
    assert_int_equal(ga_cookie_jar_count(jar), 1);
    assert_int_equal(ga_cookie_jar_count(NULL), 0);
    ga_cookie_jar_free(jar);
    ga_cookie_jar_free(NULL);
    ga_cookie_jar_clear(NULL);
}

/* --- files ------------------------------------------------------------------------------------------ */

static void a_jar_is_saved_and_loaded(void **state)
{
    ga_autofree char *directory = check_mkdtemp();
    ga_autofree char *path = ga_format("%s/cookies.txt", directory);
    ga_cookie_jar *jar = ga_cookie_jar_new(), *again = ga_cookie_jar_new();
    struct stat status;

    (void)state;
    check_write_file(path, "what was there before");
    assert_int_equal(ga_cookie_jar_set(jar, "https://w.h.com/a/", "one=1; Secure; HttpOnly; Max-Age=1000"),
                     0);
    assert_int_equal(ga_cookie_jar_set(jar, "https://w.h.com/", "two=\"a\tb\"; Domain=h.com"), 0);
    assert_int_equal(ga_cookie_jar_set(jar, "http://[::1]/", "bare"), 0);
    assert_int_equal(take_at(jar, "http://h.com/", "gone=1; Max-Age=1", NOW - 100) != NULL, 0);
    assert_int_equal(ga_cookie_jar_save(jar, path), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(ga_cookie_jar_load(again, path), 0);
    assert_int_equal(ga_cookie_jar_count(again), 3);
    expect_sent(again, "https://w.h.com/a/", "one=1; two=\"a\tb\"");
    expect_sent(again, "http://h.com/", "two=\"a\tb\"");
    expect_sent(again, "http://[::1]/", "bare");
    for (size_t i = 0; i < 3; i++) {
        ga_cookie a = {0}, b = {0};

        assert_true(ga_cookie_jar_at(jar, i, &a) && ga_cookie_jar_at(again, i, &b));
        assert_string_equal(a.name, b.name);
        assert_true(a.expires == b.expires && a.http_only == b.http_only && a.host_only == b.host_only);
    }
    ga_cookie_jar_free(jar);
    ga_cookie_jar_free(again);
    check_rmdir(directory);
}

static void files_of_curl_are_read(void **state)
{
    ga_autofree char *directory = check_mkdtemp();
    ga_autofree char *path = ga_format("%s/cookies.txt", directory);
    ga_cookie_jar *jar = ga_cookie_jar_new();
    ga_cookie cookie;

    (void)state;
    check_write_file(path, "# Netscape HTTP Cookie File\r\n"
                           "# https://curl.se/docs/http-cookies.html\n"
                           "\n"
                           ".Example.com\tTRUE\t/\tFALSE\t0\tsession\tx\n"
                           "#HttpOnly_www.example.com\tFALSE\t/a\tTRUE\t99999999999\thttp\ty\r\n"
                           "example.com\tFALSE\t/\tFALSE\t1000000000\told\tz\n"
                           "127.0.0.1\tTRUE\t/\tFALSE\t0\tempty\n");
    assert_int_equal(ga_cookie_jar_load(jar, path), 0);
    assert_int_equal(ga_cookie_jar_count(jar), 3);
    expect_sent(jar, "https://www.example.com/a", "http=y; session=x");
    expect_sent(jar, "http://127.0.0.1/", "empty=");
    assert_true(ga_cookie_jar_at(jar, 1, &cookie));
    assert_true(cookie.http_only && cookie.secure && cookie.host_only);
    assert_true(ga_cookie_jar_at(jar, 2, &cookie));
    assert_true(cookie.host_only);
    ga_cookie_jar_free(jar);
    check_rmdir(directory);
}

static void lines_that_are_none_are_named(void **state)
{
    static const char *const lines[] = {
        "h.com",
        "h.com\tTRUE\t/\tFALSE",
        "h.com\tYES\t/\tFALSE\t0\ta\tb",
        "h.com\tTRUE\tx\tFALSE\t0\ta\tb",
        "h.com\tTRUE\t/\tno\t0\ta\tb",
        "h.com\tTRUE\t/\tFALSE\t-1\ta\tb",
        "h.com\tTRUE\t/\tFALSE\t1.5\ta\tb",
        "h.com\tTRUE\t/\tFALSE\t0\t\t",
        "h.com\tTRUE\t/\tFALSE\t0\ta\tb;c",
        "h.com\tTRUE\t/\tFALSE\t0\ta\tb\x01",
        "\tTRUE\t/\tFALSE\t0\ta\tb",
        "h/x\tTRUE\t/\tFALSE\t0\ta\tb",
        ".co.uk\tTRUE\t/\tFALSE\t0\ta\tb",
        "h.com\tFALSE\t/\tFALSE\t0\t__Host-a\tb",
        "h.com TRUE / FALSE 0 a b",
    };
    ga_autofree char *directory = check_mkdtemp();
    ga_autofree char *path = ga_format("%s/cookies.txt", directory);
    ga_autofree char *missing = ga_format("%s/none/cookies.txt", directory);
    ga_cookie_jar *jar = ga_cookie_jar_new();

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        ga_autofree char *text = ga_format("# a comment\nh.com\tTRUE\t/\tFALSE\t0\tgood\tb\n%s\n", lines[i]);

        check_write_file(path, text);
        if (ga_cookie_jar_load(jar, path) != GA_EUSAGE)
            fail_msg("%s is taken", lines[i]);
        assert_non_null(strstr(ga_error_message(), "cookies.txt:3 "));
        assert_int_equal(ga_cookie_jar_count(jar), 0);
    }
    assert_int_equal(ga_cookie_jar_load(jar, missing), GA_ESYSTEM);
    assert_int_equal(ga_error()->os_error, ENOENT);
    assert_int_equal(ga_cookie_jar_save(jar, missing), GA_ESYSTEM);
    ga_cookie_jar_free(jar);
    check_rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_cookie_and_one_request),
        cmocka_unit_test(expiry),
        cmocka_unit_test(a_cookie_is_replaced_and_deleted_in_its_place),
        cmocka_unit_test(longer_paths_go_first_then_older_cookies),
        cmocka_unit_test(secure_cookies_are_left_alone),
        cmocka_unit_test(an_expired_secure_cookie_hides_nothing),
        cmocka_unit_test(a_server_cannot_fill_the_jar),
        cmocka_unit_test(what_is_sent_is_limited),
        cmocka_unit_test(given_cookies_stand_for_those_of_the_jar),
        cmocka_unit_test(users_set_cookies_and_are_told_why_not),
        cmocka_unit_test(a_jar_is_saved_and_loaded),
        cmocka_unit_test(files_of_curl_are_read),
        cmocka_unit_test(lines_that_are_none_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
