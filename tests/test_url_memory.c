/* SPDX-License-Identifier: MIT */
/* URLs, redirects and text with each allocation failing in turn: GA_ENOMEM, what was there stays, nothing is
 * lost. */
#include "check.h"
#include "failmalloc.h"

#include "protocol/charset.h"
#include "protocol/redirect.h"
#include "protocol/url.h"

enum { LONG = 2 * GA__URL_NEAR };

/* "https://user@host/aaaa?b#c", too long for the struct. */
static void make_long(char text[LONG + 1])
{
    static const char prefix[] = "https://user@host/";

    memset(text, 'a', LONG);
    memcpy(text, prefix, sizeof prefix - 1);
    memcpy(text + LONG - 4, "?b#c", 5);
}

static void parsing_and_copying(void **state)
{
    char text[LONG + 1];
    int rounds = 0;

    (void)state;
    make_long(text);
    for (int n = 1; failmalloc_again(n); n++) {
        const char *reason = NULL;
        ga__url url;
        ga__url copy = {0};
        int code = ga__url_parse(&url, text, LONG, NULL, &reason);

        if (code == 0)
            code = ga__url_copy(&copy, &url);
        if (failmalloc_stop()) {
            assert_int_equal(code, GA_ENOMEM);
            assert_string_equal(ga__url_href(&copy), "");
            rounds++;
        } else {
            assert_int_equal(code, 0);
            assert_string_equal(ga__url_href(&copy), text);
        }
        ga__url_free(&copy);
        ga__url_free(&url);
    }
    assert_int_equal(rounds, 2); /* one allocation a URL */
}

static void a_short_url_allocates_nothing(void **state)
{
    static const char text[] = "http://127.0.0.1:8080/todos/17";
    const char *reason;
    ga__url url;
    ga__url copy;

    (void)state;
    assert_true(failmalloc_again(1));
    assert_int_equal(ga__url_parse(&url, text, strlen(text), NULL, &reason), 0);
    assert_int_equal(ga__url_copy(&copy, &url), 0);
    ga__url_free(&url);
    assert_false(failmalloc_stop());
    assert_string_equal(ga__url_href(&copy), text);
    ga__url_free(&copy);
}

static void adding_params_leaves_the_url_as_it_was(void **state)
{
    static const ga_pair params[] = {{"name", "value"}, {"another", "one"}, {NULL, NULL}};
    char text[LONG + 1];
    const char *reason;
    ga__url url;

    (void)state;
    make_long(text);
    assert_int_equal(ga__url_parse(&url, text, LONG, NULL, &reason), 0);
    for (int n = 1; failmalloc_again(n); n++) {
        int code = ga__url_add_params(&url, params, &reason);

        if (failmalloc_stop()) {
            assert_int_equal(code, GA_ENOMEM);
            assert_string_equal(ga__url_href(&url), text);
        } else {
            assert_int_equal(code, 0);
            assert_non_null(strstr(ga__url_href(&url), "?b&name=value&another=one#c"));
        }
    }
    ga__url_free(&url);
}

static void a_redirect_fails_with_no_memory(void **state)
{
    char location[LONG + 1];
    const char *reason;
    ga__url url;

    (void)state;
    make_long(location);
    location[LONG - 2] = '\0'; /* no fragment of its own */
    assert_int_equal(ga__url_parse(&url, "http://h/#top", 13, NULL, &reason), 0);
    for (int n = 1; failmalloc_again(n); n++) {
        ga__slice locations[] = {ga__slice_of(location)};
        ga__redirect_case answer = {.status = 302,
                                    .method = "GET",
                                    .locations = locations,
                                    .location_count = 1,
                                    .url = &url,
                                    .limit = 1};
        ga__redirect redirect;

        ga__redirect_decide(&redirect, &answer);
        if (failmalloc_stop()) {
            assert_int_equal(redirect.action, GA__REDIRECT_FAIL);
            assert_int_equal(redirect.code, GA_ENOMEM);
            assert_null(redirect.url.far);
        } else {
            assert_int_equal(redirect.action, GA__REDIRECT_FOLLOW);
        }
        ga__redirect_free(&redirect);
    }
    ga__url_free(&url);
}

static void text_says_that_it_failed(void **state)
{
    static const char *const types[] = {"text/plain", "text/plain; charset=latin1",
                                        "text/plain; charset=koi8-r"};
    char body[1000];

    (void)state;
    memset(body, 0xc4, sizeof body);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        for (int n = 1; failmalloc_again(n); n++) {
            ga__buffer out = GA__BUFFER_INIT;

            ga__charset_decode(&out, ga__slice_of(types[i]), GA__CHARSET_UTF8, body, sizeof body);
            assert_int_equal(failmalloc_stop(), out.failed);
            ga__buffer_free(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing_and_copying),
        cmocka_unit_test(a_short_url_allocates_nothing),
        cmocka_unit_test(adding_params_leaves_the_url_as_it_was),
        cmocka_unit_test(a_redirect_fails_with_no_memory),
        cmocka_unit_test(text_says_that_it_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
