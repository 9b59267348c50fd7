/* SPDX-License-Identifier: MIT */
/*
 * The URL parser against tables of inputs and their serialisations, in the manner of the web platform's
 * urltestdata. Each accepted URL is parsed again and must come out the same.
 */
#include "url_rows.h"

#include "protocol/percent.h"
#include <stdio.h>

static void absolute_urls_become_canonical(void **state)
{
    static const struct row rows[] = {
        {"http://example.com", "http://example.com/"},
        {"http://example.com/", "http://example.com/"},
        {"https://jsonplaceholder.typicode.com/todos/1", "https://jsonplaceholder.typicode.com/todos/1"},
        {"http://127.0.0.1:8080/todos/17", "http://127.0.0.1:8080/todos/17"},
        {"HTTP://EXAMPLE.COM/Path", "http://example.com/Path"},
        {"hTTpS://eXample.com:443/", "https://example.com/"},
        {"  http://example.com/  ", "http://example.com/"},
        {"http:example.com", "http://example.com/"},
        {"http:/example.com/a", "http://example.com/a"},
        {"http:///example.com/a", "http://example.com/a"},
        {"http:\\\\example.com\\a\\b?c\\d#e\\f", "http://example.com/a/b?c\\d#e\\f"},
        {"http://example.com\\@evil.example/", "http://example.com/@evil.example/"},
        {"http://example.com?q", "http://example.com/?q"},
        {"http://example.com#f", "http://example.com/#f"},
        {"http://example.com?", "http://example.com/?"},
        {"http://example.com#", "http://example.com/#"},
        {"http://example.com/?#", "http://example.com/?#"},
        {"http://example.com/?a?b#c#d?e", "http://example.com/?a?b#c#d?e"},
        {"http://example.com//a//b", "http://example.com//a//b"},
        {"http://example.com/a;b=c,d", "http://example.com/a;b=c,d"},
        {"http://example.com/:@!$&'()*+,;=~", "http://example.com/:@!$&'()*+,;=~"},
        {"http://a_b.example/", "http://a_b.example/"},
        {"http://r3---sn-x.example/", "http://r3---sn-x.example/"},
        {"http://example.com./", "http://example.com./"},
        {"http://localhost/", "http://localhost/"},
        {"http://!\"$&'()*+,-.;=_`{}~/", "http://!\"$&'()*+,-.;=_`{}~/"},
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void the_origin_of_the_url_before_is_taken_over(void **state)
{
    static const struct {
        const char *known, *input;
        bool taken;
    } rows[] = {
        {"http://h/", "http://h/todos/1?a=%20b#", false},
        {"http://h/", "http://h/todos/1.json?a=%20b/../", true},
        {"http://h:81/old?q#f", "http://h:81/", true},
        {"https://[::1]:81/", "https://[::1]:81/a//b;c", true},
        {"http://H/", "http://h/", true},
        {"http://h/", "http://H/", false},
        {"http://h/", "http://h", false},
        {"http://h/", "http://h?a", false},
        {"http://h/", "http://h:80/", false},
        {"http://h/", "http://h@evil/", false},
        {"http://u@h/", "http://h/", false},
        {"http://h/", "https://h/", false},
        {"http://h/", "http://ha/", false},
        {"http://h/", "http://h/a/../b", false},
        {"http://h/", "http://h/a/.", false},
        {"http://h/", "http://h/%2e%2e/b", false},
        {"http://h/", "http://h/a\\b", false},
        {"http://h/", "http://h/a b", false},
        {"http://h/", "http://h/a?b c", false},
        {"http://h/", "http://h/a?b'c", false},
        {"http://h/", "http://h/a ", false},
        {"http://h/", "http://h/\xc3\xa9", false},
        {"http://h/", "http://h/a\nb", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__url known = parsed(rows[i].known, NULL), whole, like;
        const char *input = rows[i].input, *reason;
        bool refused = ga__url_parse(&whole, input, strlen(input), NULL, &reason) < 0;
        bool taken = ga__url_parse_like(&like, input, strlen(input), &known);

        if (taken != rows[i].taken || (taken && refused))
            fail_msg("%s after %s: %d", input, rows[i].known, taken);
        if (taken) {
            assert_string_equal(ga__url_href(&like), ga__url_href(&whole));
            assert_string_equal(ga__url_host(&like), ga__url_host(&whole));
            assert_memory_equal(&like.size, &whole.size, offsetof(ga__url, near) - offsetof(ga__url, size));
        }
        ga__url_free(&known);
        ga__url_free(&whole);
    }
}

static void ports(void **state)
{
    static const struct row rows[] = {
        {"http://h:80/", "http://h/"},       {"https://h:443/", "https://h/"},
        {"http://h:443/", "http://h:443/"},  {"https://h:80/", "https://h:80/"},
        {"http://h:/", "http://h/"},         {"http://h:?a", "http://h/?a"},
        {"http://h:8080", "http://h:8080/"}, {"http://h:65535/", "http://h:65535/"},
        {"http://h:1/", "http://h:1/"},      {"http://h:00000000000000080/", "http://h/"},
        {"http://h:0081/", "http://h:81/"},  {"http://[::1]:8080/", "http://[::1]:8080/"},
        {"http://[::1]:/", "http://[::1]/"}, {"http://1.2.3.4:80", "http://1.2.3.4/"},
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void dot_segments_are_resolved(void **state)
{
    static const struct row rows[] = {
        {"http://h/.", "http://h/"},
        {"http://h/..", "http://h/"},
        {"http://h/./", "http://h/"},
        {"http://h/../", "http://h/"},
        {"http://h/../../..", "http://h/"},
        {"http://h/a/.", "http://h/a/"},
        {"http://h/a/..", "http://h/"},
        {"http://h/a/b/..", "http://h/a/"},
        {"http://h/a/b/../c", "http://h/a/c"},
        {"http://h/a/./b", "http://h/a/b"},
        {"http://h/a/../../../b", "http://h/b"},
        {"http://h/a//../b", "http://h/a/b"},
        {"http://h/a//../../b", "http://h/b"},
        {"http://h//..", "http://h/"},
        {"http://h///../", "http://h//"},
        {"http://h/%2e", "http://h/"},
        {"http://h/%2E/a", "http://h/a"},
        {"http://h/a/%2e%2e/b", "http://h/b"},
        {"http://h/a/.%2E/b", "http://h/b"},
        {"http://h/a/%2e./b", "http://h/b"},
        {"http://h/a\\..\\b", "http://h/b"},
        {"http://h/...", "http://h/..."},
        {"http://h/.a", "http://h/.a"},
        {"http://h/a.", "http://h/a."},
        {"http://h/..a/", "http://h/..a/"},
        {"http://h/%2ea", "http://h/%2ea"},
        {"http://h/%2", "http://h/%2"},
        {"http://h/%2e%2e%2e", "http://h/%2e%2e%2e"},
        {"http://h/%252e", "http://h/%252e"},
        {"http://h/a?b/../c", "http://h/a?b/../c"},
        {"http://h/a#b/../c", "http://h/a#b/../c"},
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void each_part_has_its_own_encoding(void **state)
{
    static const struct row rows[] = {
        {"http://h/a b", "http://h/a%20b"},
        {"http://h/ä", "http://h/%C3%A4"},
        {"http://h/\xe4\xff", "http://h/%E4%FF"}, /* not UTF-8: as it is */
        {"http://h/日本?日#本", "http://h/%E6%97%A5%E6%9C%AC?%E6%97%A5#%E6%9C%AC"},
        {"http://h/\"<>`{}^|", "http://h/%22%3C%3E%60%7B%7D%5E|"},
        {"http://h/?\"<>`{}^|' ", "http://h/?%22%3C%3E`{}^|%27"},
        {"http://h/?' #", "http://h/?%27%20#"},
        {"http://h/#\"<>`{}^|' x", "http://h/#%22%3C%3E%60{}^|'%20x"},
        {"http://h/%", "http://h/%"},
        {"http://h/%zz%4", "http://h/%zz%4"},
        {"http://h/%41%c3%A4", "http://h/%41%c3%A4"},
        {"http://h/%2F%5C", "http://h/%2F%5C"},
        {"http://h/?%00%0a", "http://h/?%00%0a"},
        {"http://h/[]", "http://h/[]"},
        {"http://h/\xc2\x80", "http://h/%C2%80"},
    };

    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void userinfo_is_kept_apart(void **state)
{
    static const struct {
        const char *input;
        const char *href;
        const char *username;
        const char *password;
    } rows[] = {
        {"http://user:pass@h/", "http://user:pass@h/", "user", "pass"},
        {"http://user@h/", "http://user@h/", "user", ""},
        {"http://user:@h/", "http://user@h/", "user", ""},
        {"http://:pass@h/", "http://:pass@h/", "", "pass"},
        {"http://@h/", "http://h/", "", ""},
        {"http://:@h/", "http://h/", "", ""},
        {"http://a:b:c@h/", "http://a:b%3Ac@h/", "a", "b:c"},
        {"http://a@b@h/", "http://a%40b@h/", "a@b", ""},
        {"http://a:b@c:d@h:8/", "http://a:b%40c%3Ad@h:8/", "a", "b@c:d"},
        {"http://me%40work:p%2Fw@h/", "http://me%40work:p%2Fw@h/", "me@work", "p/w"},
        {"http://ü:ö@h/", "http://%C3%BC:%C3%B6@h/", "ü", "ö"},
        {"http://a;b=c|[]^'@h/", "http://a%3Bb%3Dc%7C%5B%5D%5E'@h/", "a;b=c|[]^'", ""},
        {"https://u:p@[::1]:8443/a?b#c", "https://u:p@[::1]:8443/a?b#c", "u", "p"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__url url = parsed(rows[i].input, NULL);
        ga__buffer username = GA__BUFFER_INIT;
        ga__buffer password = GA__BUFFER_INIT;

        ga__percent_decode(&username, ga__url_username(&url).data, ga__url_username(&url).size);
        ga__percent_decode(&password, ga__url_password(&url).data, ga__url_password(&url).size);
        assert_string_equal(ga__url_href(&url), rows[i].href);
        assert_string_equal(username.data, rows[i].username);
        assert_string_equal(password.data, rows[i].password);
        assert_int_equal(ga__url_has_userinfo(&url), *rows[i].username || *rows[i].password);
        assert_null(strchr(ga__url_printable(&url), '@'));
        ga__buffer_free(&username);
        ga__buffer_free(&password);
        ga__url_free(&url);
    }
}

static void the_printable_form_has_all_but_userinfo(void **state)
{
    static const struct row rows[] = {
        {"https://user:secret@example.com:8443/a/@b?c=@#d", "https://example.com:8443/a/@b?c=@#d"},
        {"http://secret@[::1]/", "http://[::1]/"},
        {"http://example.com/a", "http://example.com/a"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__url url = parsed(rows[i].input, NULL);

        assert_string_equal(ga__url_printable(&url), rows[i].href);
        assert_null(strstr(ga__url_printable(&url), "secret"));
        ga__url_free(&url);
    }
}

static bool slice_is(ga__slice slice, const char *text)
{
    return ga__slice_equal(slice, ga__slice_of(text));
}

static void the_parts_are_slices_of_the_whole(void **state)
{
    ga__url url = parsed("https://u:p@Example.com:8443/a/b?c=d&e#f", NULL);

    (void)state;
    assert_string_equal(ga__url_scheme(&url), "https");
    assert_true(url.secure);
    assert_int_equal(url.port, 8443);
    assert_string_equal(ga__url_host(&url), "example.com");
    assert_int_equal(url.host_kind, GA__HOST_NAME);
    assert_true(slice_is(ga__url_authority(&url), "example.com:8443"));
    assert_true(slice_is(ga__url_target(&url), "/a/b?c=d&e"));
    assert_true(slice_is(ga__url_path(&url), "/a/b"));
    assert_true(slice_is(ga__url_query(&url), "c=d&e"));
    assert_true(slice_is(ga__url_fragment(&url), "f"));
    ga__url_free(&url);

    url = parsed("http://[::1]", NULL);
    assert_string_equal(ga__url_scheme(&url), "http");
    assert_int_equal(url.port, 80);
    assert_string_equal(ga__url_host(&url), "::1");
    assert_int_equal(url.host_kind, GA__HOST_IPV6);
    assert_true(slice_is(ga__url_authority(&url), "[::1]"));
    assert_true(slice_is(ga__url_target(&url), "/"));
    assert_true(slice_is(ga__url_username(&url), ""));
    assert_true(slice_is(ga__url_password(&url), ""));
    assert_true(slice_is(ga__url_query(&url), ""));
    assert_true(slice_is(ga__url_fragment(&url), ""));
    ga__url_free(&url);

    url = parsed("http://h/?#", NULL);
    assert_true(slice_is(ga__url_target(&url), "/?"));
    assert_true(slice_is(ga__url_query(&url), ""));
    ga__url_free(&url);
}

static void what_cannot_be_parsed_is_refused_with_a_reason(void **state)
{
    static const struct {
        const char *input;
        int code;
        const char *word; /* in the reason */
    } rows[] = {
        {"", GA_EURL, "empty"},
        {"    ", GA_EURL, "empty"},
        {"example.com", GA_EURL, "scheme"},
        {"/todos/1", GA_EURL, "scheme"},
        {"//example.com/", GA_EURL, "scheme"},
        {"?a", GA_EURL, "scheme"},
        {":80", GA_EURL, "scheme"},
        {"://h", GA_EURL, "scheme"},
        {"1http://h", GA_EURL, "scheme"},
        {"ht tp://h", GA_EURL, "scheme"},
        {"http", GA_EURL, "scheme"},
        {"ftp://h/", GA_ESCHEME, "http://"},
        {"file:///etc/passwd", GA_ESCHEME, "http://"},
        {"javascript:alert(1)", GA_ESCHEME, "http://"},
        {"data:text/plain,x", GA_ESCHEME, "http://"},
        {"mailto:a@b", GA_ESCHEME, "http://"},
        {"ws://h/", GA_ESCHEME, "http://"},
        {"httpx://h/", GA_ESCHEME, "http://"},
        {"httpss://h/", GA_ESCHEME, "http://"},
        {"localhost:8080/a", GA_ESCHEME, "http://"},
        {"http:", GA_EURL, "host is missing"},
        {"http://", GA_EURL, "host is missing"},
        {"http:///", GA_EURL, "host is missing"},
        {"http:////", GA_EURL, "host is missing"},
        {"http://?a", GA_EURL, "host is missing"},
        {"http://#a", GA_EURL, "host is missing"},
        {"http://:80/", GA_EURL, "host is missing"},
        {"http://user@/", GA_EURL, "host is missing"},
        {"http://user:pass@:80/", GA_EURL, "host is missing"},
        {"http://@", GA_EURL, "host is missing"},
        {"http://h:0/", GA_EURL, "65535"},
        {"http://h:00/", GA_EURL, "65535"},
        {"http://h:65536/", GA_EURL, "65535"},
        {"http://h:99999/", GA_EURL, "65535"},
        {"http://h:99999999999999999999999/", GA_EURL, "port"},
        {"http://h:x/", GA_EURL, "port"},
        {"http://h:-1/", GA_EURL, "port"},
        {"http://h:+80/", GA_EURL, "port"},
        {"http://h:80 /", GA_EURL, "port"},
        {"http://h: 80/", GA_EURL, "port"},
        {"http://h:80:81/", GA_EURL, "port"},
        {"http://h:%38/", GA_EURL, "port"},
        {"http://user:pa/ss@h/", GA_EURL, "%2F"},
        {"http://h\t/", GA_EURL, "control"},
        {"http://h/\n", GA_EURL, "control"},
        {"\nhttp://h/", GA_EURL, "control"},
        {"ht\ntp://h/", GA_EURL, "control"},
        {"http://h/a\r\nX: y", GA_EURL, "control"},
        {"http://h/?a\rb", GA_EURL, "control"},
        {"http://h/#a\nb", GA_EURL, "control"},
        {"http://h/\x7f", GA_EURL, "control"},
        {"http://h/\x01", GA_EURL, "control"},
        {"http://h/\x1b[31m", GA_EURL, "control"},
    };
    const char *reason;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int code = refused(rows[i].input, strlen(rows[i].input), NULL, &reason);

        if (code != rows[i].code || !strstr(reason, rows[i].word))
            fail_msg("%s: code %d, %s", rows[i].input, code, reason);
    }
    assert_int_equal(refused("http://h/\0x", 11, NULL, &reason), GA_EURL);
    assert_non_null(strstr(reason, "control"));
    assert_int_equal(refused(NULL, 0, NULL, &reason), GA_EURL);
}

static void references_resolve_against_the_base(void **state)
{
    /* RFC 3986, 5.4, where it and the standard agree, and more. */
    static const struct row rows[] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g/"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {"g?y#s", "http://a/b/c/g?y#s"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"", "http://a/b/c/d;p?q"},
        {"  ", "http://a/b/c/d;p?q"},
        {"?", "http://a/b/c/d;p?"},
        {"#", "http://a/b/c/d;p?q#"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"http:g", "http://a/b/c/g"},
        {"http:/g", "http://a/g"},
        {"http:", "http://a/b/c/d;p?q"},
        {"http:?y", "http://a/b/c/d;p?y"},
        {"http://g", "http://g/"},
        {"HTTP:g", "http://a/b/c/g"},
        {"https:g", "https://g/"}, /* another scheme: an authority, whatever the slashes */
        {"https://g", "https://g/"},
        {"\\g", "http://a/g"},
        {"\\\\g\\h", "http://g/h"},
        {"/\\g/h", "http://g/h"},
        {"///g/h", "http://g/h"},
        {"a:b", NULL},
        {"./a:b", "http://a/b/c/a:b"},
        {"/a:b", "http://a/a:b"},
        {"?a:b", "http://a/b/c/d;p?a:b"},
        {"1:2", "http://a/b/c/1:2"},
        {"ä?ö#ü", "http://a/b/c/%C3%A4?%C3%B6#%C3%BC"},
        {"//u:p@g:81/x", "http://u:p@g:81/x"},
        {"//g:80", "http://g/"},
    };
    ga__url base = parsed("http://a/b/c/d;p?q#frag", NULL);
    const char *reason;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].href)
            check_rows(&rows[i], 1, &base);
        else
            assert_int_equal(refused(rows[i].input, strlen(rows[i].input), &base, &reason), GA_ESCHEME);
    }
    assert_int_equal(refused("//", 2, &base, &reason), GA_EURL);
    assert_int_equal(refused("//:80/", 6, &base, &reason), GA_EURL);
    assert_int_equal(refused("http://", 7, &base, &reason), GA_EURL);
    assert_int_equal(refused("g\nh", 3, &base, &reason), GA_EURL);
    ga__url_free(&base);
}

static void references_take_port_and_userinfo_from_the_base(void **state)
{
    static const struct row rows[] = {
        {"/x", "https://u:p%40@[::1]:8443/x"},
        {"x", "https://u:p%40@[::1]:8443/x"},
        {"?x", "https://u:p%40@[::1]:8443/?x"},
        {"#x", "https://u:p%40@[::1]:8443/#x"},
        {"..", "https://u:p%40@[::1]:8443/"},
        {"//h/x", "https://h/x"},
        {"https://[::1]:8443/x", "https://[::1]:8443/x"},
        {"http:x", "http://x/"},
    };
    ga__url base = parsed("https://u:p%40@[::1]:8443", NULL);

    (void)state;
    CHECK_ROWS(rows, &base);
    ga__url_free(&base);
}

static void origins_are_compared_by_scheme_host_and_port(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool same;
    } rows[] = {
        {"http://h/", "http://h:80/x?y", true},     {"http://H/", "http://u:p@h/", true},
        {"https://h/", "https://h:443/", true},     {"http://h/", "https://h/", false},
        {"http://h:443/", "https://h:443/", false}, {"http://h/", "http://h:81/", false},
        {"http://h/", "http://h./", false},         {"http://h/", "http://hh/", false},
        {"http://a.h/", "http://h/", false},        {"http://127.1/", "http://127.0.0.1/", true},
        {"http://[::1]/", "http://[0::1]/", true},  {"http://ü/", "http://xn--tda/", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__url a = parsed(rows[i].a, NULL);
        ga__url b = parsed(rows[i].b, NULL);

        assert_int_equal(ga__url_same_origin(&a, &b), rows[i].same);
        assert_int_equal(ga__url_same_origin(&b, &a), rows[i].same);
        ga__url_free(&a);
        ga__url_free(&b);
    }
}

/* Around the size of the room within the struct, with and without userinfo. */
static void any_length_is_kept_whole(void **state)
{
    static const char *const prefixes[] = {"http://h/", "https://u:p@h/", "https://[2001:db8::1]:8443/?"};

    (void)state;
    for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++) {
        bool near = false;
        bool far = false;

        for (size_t size = strlen(prefixes[p]); size < (size_t)2 * GA__URL_NEAR; size++) {
            char *text = long_url(size, prefixes[p]);
            ga__url url = parsed(text, NULL);
            ga__url copy;

            near |= !url.far;
            far |= url.far != NULL;
            assert_string_equal(ga__url_href(&url), text);
            assert_int_equal(ga__url_copy(&copy, &url), 0);
            ga__url_free(&url);
            assert_string_equal(ga__url_href(&copy), text);
            assert_null(strchr(ga__url_printable(&copy), '@'));
            assert_int_equal(strlen(ga__url_host(&copy)), ga__url_host_size(&copy));
            ga__url_free(&copy);
            free(text);
        }
        assert_true(near && far);
    }
}

static void the_longest_is_a_mebibyte(void **state)
{
    char *text = long_url(GA__URL_MAX + 1, "http://h/");
    ga__url url;
    const char *reason;

    (void)state;
    assert_int_equal(refused(text, GA__URL_MAX + 1, NULL, &reason), GA_EURL);
    assert_non_null(strstr(reason, "1 MiB"));
    text[GA__URL_MAX] = '\0';
    url = parsed(text, NULL);
    assert_int_equal(url.size, GA__URL_MAX);

    const ga_pair one[] = {{"a", "b"}, {NULL, NULL}};
    assert_int_equal(ga__url_add_params(&url, one, &reason), GA_EURL);
    assert_string_equal(ga__url_href(&url), text);
    ga__url_free(&url);

    text[GA__URL_MAX - 1] = '"'; /* three bytes when it is encoded */
    assert_int_equal(refused(text, GA__URL_MAX, NULL, &reason), GA_EURL);
    free(text);
}

static void params_go_after_the_query(void **state)
{
    static const ga_pair none[] = {{NULL, NULL}};
    static const ga_pair two[] = {{"page", "2"}, {"per_page", "50"}, {NULL, NULL}};
    static const ga_pair repeated[] = {{"b", "2"}, {"a", "1"}, {"b", "1"}, {NULL, NULL}};
    static const ga_pair left_out[] = {{"a", NULL}, {"b", ""}, {"", "c"}, {"d", NULL}, {NULL, NULL}};
    static const ga_pair all_left_out[] = {{"a", NULL}, {NULL, NULL}};
    static const ga_pair special[] = {
        {"q", "a b+c&d=e#f%g;h"}, {"ä", "日"},           {"u", "http://x/?y:z@!$'()*,-._~"},
        {"n", "\r\n\x7f"},        {"[]", "\"<>\\^`{|}"}, {NULL, NULL}};
    static const struct {
        const char *url;
        const ga_pair *params;
        const char *href;
    } rows[] = {
        {"http://h/", NULL, "http://h/"},
        {"http://h/", none, "http://h/"},
        {"http://h/?", none, "http://h/?"},
        {"http://h", two, "http://h/?page=2&per_page=50"},
        {"http://h/?", two, "http://h/?page=2&per_page=50"},
        {"http://h/?a=1", two, "http://h/?a=1&page=2&per_page=50"},
        {"http://h/?a=1&", two, "http://h/?a=1&page=2&per_page=50"},
        {"http://h/?page=1#top", two, "http://h/?page=1&page=2&per_page=50#top"},
        {"http://h/#?", two, "http://h/?page=2&per_page=50#?"},
        {"http://u:p@h/a#b", repeated, "http://u:p@h/a?b=2&a=1&b=1#b"},
        {"http://h/", left_out, "http://h/?b=&=c"},
        {"http://h/a", all_left_out, "http://h/a"},
        {"http://[::1]:8080/", special,
         "http://[::1]:8080/?q=a+b%2Bc%26d%3De%23f%25g%3Bh&%C3%A4=%E6%97%A5&u=http://x/"
         "?y:z@!$%27()*,-._~&n=%0D%0A%7F"
         "&%5B%5D=%22%3C%3E%5C%5E%60%7B%7C%7D"},
    };
    const char *reason;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__url url = parsed(rows[i].url, NULL);
        ga__url again;

        assert_int_equal(ga__url_add_params(&url, rows[i].params, &reason), 0);
        assert_string_equal(ga__url_href(&url), rows[i].href);
        again = parsed(rows[i].href, NULL);
        assert_string_equal(ga__url_href(&again), rows[i].href);
        assert_string_equal(ga__url_printable(&url), ga__url_printable(&again));
        assert_string_equal(ga__url_host(&url), ga__url_host(&again));
        assert_int_equal(url.query_at, again.query_at);
        assert_int_equal(url.fragment_at, again.fragment_at);
        ga__url_free(&url);
        ga__url_free(&again);
    }
}

static void many_params_move_the_url_out_of_its_struct(void **state)
{
    ga_pair many[101] = {{NULL, NULL}};
    ga__url url = parsed("https://user@h/?a#b", NULL);
    const char *reason;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        many[i] = (ga_pair){"name", "value"};
    assert_null(url.far);
    assert_int_equal(ga__url_add_params(&url, many, &reason), 0);
    assert_non_null(url.far);
    assert_int_equal(ga__url_query(&url).size, 1 + 100 * strlen("&name=value"));
    assert_true(slice_is(ga__url_fragment(&url), "b"));
    assert_string_equal(ga__url_host(&url), "h");
    ga__url_free(&url);
}

static void a_fragment_is_inherited_once(void **state)
{
    ga__url from = parsed("http://a/#top", NULL);
    ga__url bare = parsed("http://u@b/x?y", NULL);
    ga__url own = parsed("http://b/#own", NULL);
    ga__url empty = parsed("http://b/#", NULL);
    const char *reason;

    (void)state;
    assert_int_equal(ga__url_inherit_fragment(&bare, &from, &reason), 0);
    assert_string_equal(ga__url_href(&bare), "http://u@b/x?y#top");
    assert_string_equal(ga__url_printable(&bare), "http://b/x?y#top");
    assert_true(slice_is(ga__url_target(&bare), "/x?y"));
    assert_true(slice_is(ga__url_fragment(&bare), "top"));
    assert_int_equal(ga__url_inherit_fragment(&own, &from, &reason), 0);
    assert_string_equal(ga__url_href(&own), "http://b/#own");
    assert_int_equal(ga__url_inherit_fragment(&empty, &from, &reason), 0);
    assert_string_equal(ga__url_href(&empty), "http://b/#");
    ga__url_free(&from);
    ga__url_free(&bare);
    ga__url_free(&own);
    ga__url_free(&empty);
}

static void a_bad_url_is_described_without_its_secrets(void **state)
{
    static const struct row rows[] = {
        {"http://h:x/", "http://h:x/"},
        {"http://user:secret@h:x/", "http://...@h:x/"},
        {"http://user:sec/ret@h/", "http://...@h/"},
        {"user:secret@h", "...@h"},
        {"http://h/\r\nX", "http://h/??X"},
        {"\x1b[31m", "?[31m"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__buffer text = GA__BUFFER_INIT;

        ga__url_describe(&text, rows[i].input, strlen(rows[i].input));
        assert_string_equal(text.data ? text.data : "", rows[i].href);
        ga__buffer_free(&text);
    }

    char *text = long_url(5000, "http://");
    ga__buffer shown = GA__BUFFER_INIT;

    ga__url_describe(&shown, text, 5000);
    assert_true(shown.size < 300);
    ga__buffer_free(&shown);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absolute_urls_become_canonical),
        cmocka_unit_test(the_origin_of_the_url_before_is_taken_over),
        cmocka_unit_test(ports),
        cmocka_unit_test(dot_segments_are_resolved),
        cmocka_unit_test(each_part_has_its_own_encoding),
        cmocka_unit_test(userinfo_is_kept_apart),
        cmocka_unit_test(the_printable_form_has_all_but_userinfo),
        cmocka_unit_test(the_parts_are_slices_of_the_whole),
        cmocka_unit_test(what_cannot_be_parsed_is_refused_with_a_reason),
        cmocka_unit_test(references_resolve_against_the_base),
        cmocka_unit_test(references_take_port_and_userinfo_from_the_base),
        cmocka_unit_test(origins_are_compared_by_scheme_host_and_port),
        cmocka_unit_test(any_length_is_kept_whole),
        cmocka_unit_test(the_longest_is_a_mebibyte),
        cmocka_unit_test(params_go_after_the_query),
        cmocka_unit_test(many_params_move_the_url_out_of_its_struct),
        cmocka_unit_test(a_fragment_is_inherited_once),
        cmocka_unit_test(a_bad_url_is_described_without_its_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
