/* SPDX-License-Identifier: MIT */
/* One Set-Cookie field: what is read of it, and which hosts and paths a cookie is for. */
#include "check.h"

#include "protocol/cookie.h"

#include <string.h>

static void check_slice(const char *field, ga__slice got, const char *wanted)
{
    if (!ga__slice_equal(got, ga__slice_of(wanted)))
        fail_msg("%s: \"%.*s\" instead of \"%s\"", field, (int)got.size, got.data, wanted);
}

static void names_and_values_are_verbatim(void **state)
{
    static const struct {
        const char *field, *name, *value;
    } rows[] = {
        {"a=b", "a", "b"},
        {"a=b; Path=/", "a", "b"},
        {" \ta \t= \tb\t ;", "a", "b"},
        {"a=", "a", ""},
        {"a=b=c", "a", "b=c"},
        {"a==", "a", "="},
        {"=b", "", "b"},
        {"b", "", "b"},
        {" b c ; Secure", "", "b c"},
        {"a=\"b; c\"", "a", "\"b"},
        {"a=\"quoted, value\"", "a", "\"quoted, value\""},
        {"a=b\tc", "a", "b\tc"},
        {"a=\xc3\xa9", "a", "\xc3\xa9"},
        {"a b=c", "a b", "c"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__set_cookie cookie;

        assert_null(ga__set_cookie_parse(&cookie, rows[i].field, strlen(rows[i].field)));
        check_slice(rows[i].field, cookie.name, rows[i].name);
        check_slice(rows[i].field, cookie.value, rows[i].value);
    }
}

static void what_is_no_cookie_is_refused(void **state)
{
    static const struct {
        const char *field;
        size_t size;
    } rows[] = {
        {"", 0},
        {";", 1},
        {"=", 1},
        {"= ; Path=/", 10},
        {" ", 1},
        {"a=b\0c", 5},
        {"a=b\nX: y", 8},
        {"a=b\r", 4},
        {"a=b\x7f", 4},
        {"\1=b", 3},
        {"a=b; Path=/\x1f", 12},
    };
    static char line[6000] = "a=";
    ga__set_cookie cookie;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!ga__set_cookie_parse(&cookie, rows[i].field, rows[i].size))
            fail_msg("row %zu is taken", i);
    memset(line + 2, 'x', sizeof line - 2);
    assert_null(ga__set_cookie_parse(&cookie, line, 4097));
    assert_non_null(ga__set_cookie_parse(&cookie, line, 4098));
    memcpy(line + 10, "; Path=/", 8);
    assert_null(ga__set_cookie_parse(&cookie, line, 5000));
    assert_non_null(ga__set_cookie_parse(&cookie, line, 5001));
}

static void attributes_are_read_leniently(void **state)
{
    static const struct {
        const char *field, *domain, *path;
        int64_t max_age; /* -1: none */
        int64_t expires; /* -1: none */
        bool secure, http_only;
        ga_same_site same_site;
    } rows[] = {
        {"a=b", "", "", -1, -1, false, false, GA_SAME_SITE_UNSET},
        {"a=b; DOMAIN=.Example.COM; path=/x; secure; HTTPONLY; samesite=LAX", "Example.COM", "/x", -1, -1,
         true, true, GA_SAME_SITE_LAX},
        {"a=b;Secure=no;HttpOnly=false", "", "", -1, -1, true, true, GA_SAME_SITE_UNSET},
        {"a=b; Path=/a; Path=/b; Domain=a.com; Domain=b.com", "b.com", "/b", -1, -1, false, false, 0},
        {"a=b; Path=/a; Path=b", "", "", -1, -1, false, false, 0},
        {"a=b; Path=\"/a\"", "", "", -1, -1, false, false, 0},
        {"a=b; Domain=a.com; Domain=", "", "", -1, -1, false, false, 0},
        {"a=b; Domain=a.com.", "", "", -1, -1, false, false, 0},
        {"a=b; Domain=..a.com", ".a.com", "", -1, -1, false, false, 0},
        {"a=b; Max-Age=10", "", "", 10, -1, false, false, 0},
        {"a=b; Max-Age=0", "", "", 0, -1, false, false, 0},
        {"a=b; Max-Age=-99999999999999999999999", "", "", 0, -1, false, false, 0},
        {"a=b; Max-Age=99999999999999999999999", "", "", INT32_MAX, -1, false, false, 0},
        {"a=b; Max-Age=+10", "", "", -1, -1, false, false, 0},
        {"a=b; Max-Age=1e3", "", "", -1, -1, false, false, 0},
        {"a=b; Max-Age=", "", "", -1, -1, false, false, 0},
        {"a=b; Max-Age=-", "", "", -1, -1, false, false, 0},
        {"a=b; Max-Age=5; Max-Age=x", "", "", 5, -1, false, false, 0},
        {"a=b; Expires=Sun, 06 Nov 1994 08:49:37 GMT", "", "", -1, 784111777, false, false, 0},
        {"a=b; Expires=soon", "", "", -1, -1, false, false, 0},
        {"a=b; SameSite=Strict", "", "", -1, -1, false, false, GA_SAME_SITE_STRICT},
        {"a=b; SameSite=None", "", "", -1, -1, false, false, GA_SAME_SITE_NONE},
        {"a=b; SameSite=Strict; SameSite=else", "", "", -1, -1, false, false, GA_SAME_SITE_UNSET},
        {"a=b;;; ; =; =x; Version=1; $Path=/; Secure ;", "", "", -1, -1, true, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__set_cookie cookie;

        assert_null(ga__set_cookie_parse(&cookie, rows[i].field, strlen(rows[i].field)));
        check_slice(rows[i].field, cookie.domain, rows[i].domain);
        check_slice(rows[i].field, cookie.path, rows[i].path);
        assert_int_equal(cookie.has_max_age ? cookie.max_age : -1, rows[i].max_age);
        assert_int_equal(cookie.has_expires ? cookie.expires : -1, rows[i].expires);
        assert_int_equal(cookie.secure, rows[i].secure);
        assert_int_equal(cookie.http_only, rows[i].http_only);
        assert_int_equal(cookie.same_site, rows[i].same_site);
    }
}

static void attributes_that_are_too_long_do_not_count(void **state)
{
    char field[2048] = "a=b; Path=/";
    ga__set_cookie cookie;

    (void)state;
    memset(field + 11, 'p', sizeof field - 12);
    assert_null(ga__set_cookie_parse(&cookie, field, 10 + 1024));
    assert_int_equal(cookie.path.size, 1024);
    assert_null(ga__set_cookie_parse(&cookie, field, 10 + 1025));
    assert_int_equal(cookie.path.size, 0);
}

static void domains_match_at_dots(void **state)
{
    static const struct {
        const char *host, *domain;
        bool ip, matches;
    } rows[] = {
        {"example.com", "example.com", false, true},
        {"a.example.com", "example.com", false, true},
        {"a.b.example.com", "example.com", false, true},
        {"nexample.com", "example.com", false, false},
        {"example.com", "a.example.com", false, false},
        {"example.com", "com", false, true},
        {"example.com", "", false, false},
        {"example.com.", "example.com", false, false},
        {"10.1.2.3", "10.1.2.3", true, true},
        {"10.1.2.3", "2.3", true, false},
        {"::1", "::1", true, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ga__cookie_domain_matches(ga__slice_of(rows[i].host), rows[i].ip, ga__slice_of(rows[i].domain)) !=
            rows[i].matches)
            fail_msg("%s and %s", rows[i].host, rows[i].domain);
}

static void paths_match_at_slashes(void **state)
{
    static const struct {
        const char *path, *cookie;
        bool matches;
    } rows[] = {
        {"/", "/", true},     {"/a", "/", true},    {"/a", "/a", true},   {"/a/", "/a", true},
        {"/a/b", "/a", true}, {"/ab", "/a", false}, {"/a", "/a/", false}, {"/a/b", "/a/", true},
        {"/A", "/a", false},  {"/", "/a", false},   {"/a", "", false},    {"/a%2Fb", "/a", false},
    };
    static const struct {
        const char *path, *is;
    } defaults[] = {{"/", "/"},         {"/a", "/"}, {"/a/", "/a"}, {"/a/b", "/a"},
                    {"/a/b/c", "/a/b"}, {"//", "/"}, {"", "/"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ga__cookie_path_matches(ga__slice_of(rows[i].path), ga__slice_of(rows[i].cookie)) !=
            rows[i].matches)
            fail_msg("%s and %s", rows[i].path, rows[i].cookie);
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        check_slice(defaults[i].path, ga__cookie_default_path(ga__slice_of(defaults[i].path)),
                    defaults[i].is);
}

static void public_suffixes_are_known(void **state)
{
    static const char *const suffixes[] = {"com",    "co.uk",     "github.io", "ck",
                                           "any.ck", "localhost", "xn--p1ai"};
    static const char *const names[] = {"example.com", "example.co.uk", "user.github.io", "www.ck",
                                        "b.any.ck"};

    (void)state;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (!ga__is_public_suffix(suffixes[i]))
            fail_msg("%s is none", suffixes[i]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ga__is_public_suffix(names[i]))
            fail_msg("%s is one", names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_values_are_verbatim),
        cmocka_unit_test(what_is_no_cookie_is_refused),
        cmocka_unit_test(attributes_are_read_leniently),
        cmocka_unit_test(attributes_that_are_too_long_do_not_count),
        cmocka_unit_test(domains_match_at_dots),
        cmocka_unit_test(paths_match_at_slashes),
        cmocka_unit_test(public_suffixes_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
