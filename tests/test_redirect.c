/* SPDX-License-Identifier: MIT */
/* The redirect matrix: status by method by body, Locations good and bad, origins, limits, headers. */
#include "check.h"
#include "protocol/redirect.h"

/* Decides on a GET of `from` that was answered with 302 and that Location. */
static ga__redirect decide(const char *from, const char *location)
{
    ga__url url = check_url(from);
    ga__slice locations[] = {ga__slice_of(location)};
    ga__redirect_case answer = {.status = 302,
                                .method = "GET",
                                .locations = locations,
                                .location_count = 1,
                                .url = &url,
                                .limit = 10};
    ga__redirect redirect;

    ga__redirect_decide(&redirect, &answer);
    ga__url_free(&url);
    return redirect;
}

static void method_and_body_follow_the_matrix(void **state)
{
    static const struct {
        const char *method;
        int status;
        bool drop_body;
        const char *next;
    } rows[] = {
        {"GET", 301, false, "GET"},       {"GET", 302, false, "GET"},         {"GET", 303, true, "GET"},
        {"GET", 307, false, "GET"},       {"GET", 308, false, "GET"},         {"HEAD", 301, false, "HEAD"},
        {"HEAD", 302, false, "HEAD"},     {"HEAD", 303, true, "HEAD"},        {"HEAD", 307, false, "HEAD"},
        {"HEAD", 308, false, "HEAD"},     {"POST", 301, true, "GET"},         {"POST", 302, true, "GET"},
        {"POST", 303, true, "GET"},       {"POST", 307, false, "POST"},       {"POST", 308, false, "POST"},
        {"PUT", 301, false, "PUT"},       {"PUT", 302, false, "PUT"},         {"PUT", 303, true, "GET"},
        {"PUT", 307, false, "PUT"},       {"PUT", 308, false, "PUT"},         {"PATCH", 301, false, "PATCH"},
        {"PATCH", 302, false, "PATCH"},   {"PATCH", 303, true, "GET"},        {"PATCH", 307, false, "PATCH"},
        {"DELETE", 301, false, "DELETE"}, {"DELETE", 302, false, "DELETE"},   {"DELETE", 303, true, "GET"},
        {"DELETE", 308, false, "DELETE"}, {"OPTIONS", 302, false, "OPTIONS"}, {"OPTIONS", 303, true, "GET"},
        {"QUERY", 302, false, "QUERY"},   {"post", 302, false, "post"}, /* methods have a case */
    };
    ga__url url = check_url("http://h/a");
    ga__slice locations[] = {GA__SLICE("/b")};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int body = 0; body < 3; body++) { /* none, one that can be sent again, one that cannot */
            ga__redirect_case answer = {.status = rows[i].status,
                                        .method = rows[i].method,
                                        .locations = locations,
                                        .location_count = 1,
                                        .url = &url,
                                        .has_body = body > 0,
                                        .replayable = body == 1,
                                        .limit = 10};
            ga__redirect redirect;

            ga__redirect_decide(&redirect, &answer);
            if (body == 2 && !rows[i].drop_body) {
                assert_int_equal(redirect.action, GA__REDIRECT_FAIL);
                assert_int_equal(redirect.code, GA_ENOTREPLAYABLE);
                assert_non_null(redirect.reason);
                continue;
            }
            assert_int_equal(redirect.action, GA__REDIRECT_FOLLOW);
            assert_string_equal(redirect.method, rows[i].next);
            assert_int_equal(redirect.drop_body, rows[i].drop_body);
            assert_string_equal(ga__url_href(&redirect.url), "http://h/b");
            ga__redirect_free(&redirect);
        }
    }
    ga__url_free(&url);
}

static void other_statuses_are_the_callers(void **state)
{
    static const int statuses[] = {100, 200, 201, 204, 206, 300, 304, 305, 306, 309, 399, 400, 404, 500, 999};
    ga__url url = check_url("http://h/a");
    ga__slice locations[] = {GA__SLICE("/b")};

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        ga__redirect_case answer = {.status = statuses[i],
                                    .method = "GET",
                                    .locations = locations,
                                    .location_count = 1,
                                    .url = &url,
                                    .limit = 10};
        ga__redirect redirect;

        ga__redirect_decide(&redirect, &answer);
        assert_int_equal(redirect.action, GA__REDIRECT_RETURN);
        assert_int_equal(redirect.code, 0);
    }
    ga__url_free(&url);
}

static void without_a_location_it_is_the_callers(void **state)
{
    ga__url url = check_url("http://h/a");
    ga__redirect_case answer = {.status = 302, .method = "POST", .url = &url, .has_body = true};
    ga__redirect redirect;

    (void)state;
    ga__redirect_decide(&redirect, &answer);
    assert_int_equal(redirect.action, GA__REDIRECT_RETURN);
    redirect = decide("http://h/a", "");
    assert_int_equal(redirect.action, GA__REDIRECT_RETURN);
    ga__url_free(&url);
}

static void several_locations_must_agree(void **state)
{
    static const struct {
        const char *first;
        const char *second;
        ga__redirect_action action;
    } rows[] = {
        {"/b", "/b", GA__REDIRECT_FOLLOW}, {"/b", "/c", GA__REDIRECT_FAIL}, {"", "", GA__REDIRECT_RETURN},
        {"", "/b", GA__REDIRECT_FAIL},     {"/b", "", GA__REDIRECT_FAIL},   {"/b", "/B", GA__REDIRECT_FAIL},
    };
    ga__url url = check_url("http://h/a");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__slice locations[] = {ga__slice_of(rows[i].first), ga__slice_of(rows[i].first),
                                 ga__slice_of(rows[i].second)};
        ga__redirect_case answer = {.status = 302,
                                    .method = "GET",
                                    .locations = locations,
                                    .location_count = 3,
                                    .url = &url,
                                    .limit = 10};
        ga__redirect redirect;

        ga__redirect_decide(&redirect, &answer);
        assert_int_equal(redirect.action, rows[i].action);
        assert_int_equal(redirect.code, redirect.action == GA__REDIRECT_FAIL ? GA_EREDIRECT : 0);
        ga__redirect_free(&redirect);
    }
    ga__url_free(&url);
}

static void locations_resolve_and_inherit_the_fragment(void **state)
{
    static const struct {
        const char *from;
        const char *location;
        const char *next;
    } rows[] = {
        {"http://h/a/b?c", "d", "http://h/a/d"},
        {"http://h/a/b?c", "/d", "http://h/d"},
        {"http://h/a/b?c", "?d", "http://h/a/b?d"},
        {"http://h/a/b?c", "../d", "http://h/d"},
        {"http://h/a/b?c", "//g/d", "http://g/d"},
        {"http://h/a", "https://h/a", "https://h/a"},
        {"http://h/a", "HTTPS://H:443/a", "https://h/a"},
        {"http://h:8080/a", "/b", "http://h:8080/b"},
        {"http://h/a", " /b ", "http://h/b"},
        {"http://h/a", "/b c", "http://h/b%20c"},
        {"http://h/a", "/ü?ö", "http://h/%C3%BC?%C3%B6"},
        {"http://h/a", "/\xfc", "http://h/%FC"},
        {"http://h/a", "b///c", "http://h/b///c"},
        {"http://h/a", "/b///c", "http://h/b///c"},
        {"http://h/a", "https:b", "https://b/"},
        {"http://h/a#top", "/b", "http://h/b#top"},
        {"http://h/a#top", "/b#own", "http://h/b#own"},
        {"http://h/a#top", "/b#", "http://h/b#"},
        {"http://h/a#top", "http://g/", "http://g/#top"},
        {"http://u:p@h/a", "/b", "http://u:p@h/b"},
        {"http://u:p@h/a", "http://h/b", "http://h/b"},
        {"http://h/a", "http://v:q@g/", "http://v:q@g/"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__redirect redirect = decide(rows[i].from, rows[i].location);

        if (redirect.action != GA__REDIRECT_FOLLOW)
            fail_msg("%s: %s", rows[i].location, redirect.reason ? redirect.reason : "not followed");
        assert_string_equal(ga__url_href(&redirect.url), rows[i].next);
        ga__redirect_free(&redirect);
    }
}

static void locations_that_lead_nowhere_fail(void **state)
{
    static const char *const rows[] = {
        "http://",
        "http:///",
        "http:////",
        "http:////g/",
        "https:///g",
        "///g",
        "\\\\\\g",
        "/\\/g",
        "http:\\\\\\g",
        "http://:80/",
        "http://h:0/",
        "http://h:99999/",
        "http://h:x/",
        "http://[::1/",
        "http://1.2.3.4.5/",
        "http://a b/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "ftp://h/",
        "mailto:a@b",
        "about:blank",
        "/b\r\nSet-Cookie: a",
        "/b\n",
        "/b\tc",
        "\x01/b",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__redirect redirect = decide("http://h/a", rows[i]);

        if (redirect.action != GA__REDIRECT_FAIL)
            fail_msg("%s: went to %s", rows[i], ga__url_href(&redirect.url));
        assert_int_equal(redirect.code, GA_EREDIRECT);
        assert_non_null(redirect.reason);
        assert_null(redirect.url.far);
    }
}

static void a_nul_in_a_location_fails(void **state)
{
    ga__url url = check_url("http://h/a");
    ga__slice locations[] = {{"/b\0c", 4}};
    ga__redirect_case answer = {.status = 302,
                                .method = "GET",
                                .locations = locations,
                                .location_count = 1,
                                .url = &url,
                                .limit = 10};
    ga__redirect redirect;

    (void)state;
    ga__redirect_decide(&redirect, &answer);
    assert_int_equal(redirect.action, GA__REDIRECT_FAIL);
    ga__url_free(&url);
}

static void exactly_the_limit_is_followed(void **state)
{
    ga__url url = check_url("http://h/a");
    ga__slice locations[] = {GA__SLICE("/a")};
    ga__redirect_case answer = {
        .status = 302, .method = "GET", .locations = locations, .location_count = 1, .url = &url, .limit = 3};
    ga__redirect redirect;

    (void)state;
    for (;; answer.followed++) {
        ga__redirect_decide(&redirect, &answer);
        if (redirect.action != GA__REDIRECT_FOLLOW)
            break;
        ga__redirect_free(&redirect);
    }
    assert_int_equal(redirect.action, GA__REDIRECT_FAIL);
    assert_int_equal(redirect.code, GA_EREDIRECT);
    assert_int_equal(answer.followed, 3);
    ga__url_free(&url);
}

static void credentials_stay_within_the_origin(void **state)
{
    static const struct {
        const char *from;
        const char *location;
        bool drop;
    } rows[] = {
        {"http://h/a", "/b", false},
        {"http://h/a", "http://h:80/b", false},
        {"http://h/a", "http://H/b", false},
        {"http://h/a", "https://h/b", true},
        {"https://h/a", "http://h/b", true},
        {"http://h/a", "http://h:81/b", true},
        {"http://h/a", "//g/", true},
        {"http://h.example/a", "http://www.h.example/", true},
        {"http://www.h.example/a", "http://h.example/", true},
        {"http://h/a", "http://h./", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__redirect redirect = decide(rows[i].from, rows[i].location);

        assert_int_equal(redirect.action, GA__REDIRECT_FOLLOW);
        if (redirect.drop_credentials != rows[i].drop)
            fail_msg("%s to %s", rows[i].from, rows[i].location);
        assert_int_equal(ga__redirect_keeps_header(&redirect, "AUTHORIZATION", 13), !rows[i].drop);
        assert_int_equal(ga__redirect_keeps_header(&redirect, "cookie", 6), !rows[i].drop);
        assert_int_equal(ga__redirect_keeps_header(&redirect, "Proxy-Authorization", 19), !rows[i].drop);
        ga__redirect_free(&redirect);
    }
}

/* h, then g, then back to h: what was dropped does not come back. */
static void dropped_credentials_stay_dropped(void **state)
{
    ga__url url = check_url("http://g/");
    ga__slice locations[] = {GA__SLICE("/same-origin")};
    ga__redirect_case answer = {.status = 302,
                                .method = "GET",
                                .locations = locations,
                                .location_count = 1,
                                .url = &url,
                                .credentials_dropped = true,
                                .limit = 10};
    ga__redirect redirect;

    (void)state;
    ga__redirect_decide(&redirect, &answer);
    assert_true(redirect.drop_credentials);
    ga__redirect_free(&redirect);
    ga__url_free(&url);
}

static void a_host_set_by_hand_goes_with_relative_locations_only(void **state)
{
    static const struct {
        const char *location;
        bool drop;
    } rows[] = {
        {"/b", false},        {"b", false},          {"?b", false},      {"../b", false},   {"//h/b", true},
        {"http://h/b", true}, {" http://h/b", true}, {"\\\\h\\b", true}, {"/b://c", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__redirect redirect = decide("http://h/a", rows[i].location);

        if (redirect.drop_host != rows[i].drop)
            fail_msg("%s", rows[i].location);
        assert_int_equal(ga__redirect_keeps_header(&redirect, "host", 4), !rows[i].drop);
        ga__redirect_free(&redirect);
    }
}

static void headers_of_a_dropped_body_go_with_it(void **state)
{
    static const char *const of_body[] = {
        "content-length",    "Content-Type", "CONTENT-ENCODING", "Content-Language", "Content-Location",
        "Transfer-Encoding", "Expect"};
    static const char *const others[] = {"Accept",        "User-Agent",      "Content", "Content-Typ",
                                         "Content-Types", "X-Authorization", ""};
    ga__redirect dropped = {.drop_body = true, .drop_credentials = true, .drop_host = true};
    ga__redirect kept = {.drop_body = false};

    (void)state;
    for (size_t i = 0; i < sizeof of_body / sizeof *of_body; i++) {
        assert_false(ga__redirect_keeps_header(&dropped, of_body[i], strlen(of_body[i])));
        assert_true(ga__redirect_keeps_header(&kept, of_body[i], strlen(of_body[i])));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_true(ga__redirect_keeps_header(&dropped, others[i], strlen(others[i])));
    assert_true(ga__redirect_keeps_header(&kept, "Authorization", 13));
    assert_true(ga__redirect_keeps_header(&kept, "Host", 4));
}

static void the_referer_tells_no_more_than_the_origin_to_others(void **state)
{
    static const struct {
        const char *from, *to, *referer;
    } rows[] = {
        {"http://h/a?b=c", "http://h/d", "http://h/a?b=c"},
        {"https://h/a", "https://h:443/d", "https://h/a"},
        {"http://user:secret@h/a#part", "http://h/d", "http://h/a"},
        {"http://user:secret@h/a#part", "http://other/d", "http://h/"},
        {"http://h:8080/a?b", "http://h/d", "http://h:8080/"},
        {"http://h/a?b", "https://h/d", "http://h/"},
        {"http://h", "http://h/d", "http://h/"},
        {"http://[::1]:1/a", "http://[::1]:2/", "http://[::1]:1/"},
        {"http://b\xc3\xbc"
         "cher.de/\xc3\xbc",
         "http://other/", "http://xn--bcher-kva.de/"},
        {"https://h/a", "http://h/a", ""},
        {"https://user:secret@h/a", "http://other/", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__url from = check_url(rows[i].from), to = check_url(rows[i].to);
        ga__buffer referer = GA__BUFFER_INIT;

        ga__redirect_referer(&referer, &from, &to);
        assert_string_equal(referer.size > 0 ? referer.data : "", rows[i].referer);
        ga__buffer_free(&referer);
        ga__url_free(&from);
        ga__url_free(&to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(method_and_body_follow_the_matrix),
        cmocka_unit_test(other_statuses_are_the_callers),
        cmocka_unit_test(without_a_location_it_is_the_callers),
        cmocka_unit_test(several_locations_must_agree),
        cmocka_unit_test(locations_resolve_and_inherit_the_fragment),
        cmocka_unit_test(locations_that_lead_nowhere_fail),
        cmocka_unit_test(a_nul_in_a_location_fails),
        cmocka_unit_test(exactly_the_limit_is_followed),
        cmocka_unit_test(credentials_stay_within_the_origin),
        cmocka_unit_test(dropped_credentials_stay_dropped),
        cmocka_unit_test(a_host_set_by_hand_goes_with_relative_locations_only),
        cmocka_unit_test(the_referer_tells_no_more_than_the_origin_to_others),
        cmocka_unit_test(headers_of_a_dropped_body_go_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
