/* SPDX-License-Identifier: MIT */
/* URLs by the dozen: which they are, how many, and what is none. */
#include "check.h"

#include "bulk/glob.h"
#include <stdlib.h>
#include <string.h>

static char *all_of(const char *text, bool plain, uint64_t *count)
{
    ga__buffer urls = GA__BUFFER_INIT, url = GA__BUFFER_INIT;
    char *problem;
    ga__glob *glob = ga__glob_parse(text, plain, &problem);

    if (!glob)
        fail_msg("%s: %s", text, problem);
    *count = ga__glob_count(glob);
    while (ga__glob_next(glob, &url)) {
        ga__buffer_append(&urls, url.data, url.size);
        ga__buffer_add_char(&urls, ' ');
    }
    assert_false(ga__glob_next(glob, &url));
    ga__glob_free(glob);
    ga__buffer_free(&url);
    return ga__buffer_take(&urls);
}

static void globs_are_counted_out(void **state)
{
    static const struct {
        const char *glob, *urls;
        uint64_t count;
    } cases[] = {
        {"http://h/", "http://h/ ", 1},
        {"http://h/[1-3]", "http://h/1 http://h/2 http://h/3 ", 3},
        {"h/[08-10]x", "h/08x h/09x h/10x ", 3},
        {"h/[000-10:5]", "h/000 h/005 h/010 ", 3},
        {"h/[a-e:2]", "h/a h/c h/e ", 3},
        {"h/[X-Z]", "h/X h/Y h/Z ", 3},
        {"h/{one,two}", "h/one h/two ", 2},
        {"h/{one}", "h/one ", 1},
        {"h/{,x}", "h/ h/x ", 2},
        {"{a,b}/[1-2]", "a/1 a/2 b/1 b/2 ", 4},
        {"h/[5-5]", "h/5 ", 1},
        {"http://[::1]:80/[1-2]", "http://[::1]:80/1 http://[::1]:80/2 ", 2},
        {"http://[fe80::1%25]/", "http://[fe80::1%25]/ ", 1},
        {"h/[18446744073709551614-18446744073709551615]", "h/18446744073709551614 h/18446744073709551615 ",
         2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t count;
        char *urls = all_of(cases[i].glob, false, &count);

        assert_string_equal(urls, cases[i].urls);
        assert_int_equal(count, cases[i].count);
        free(urls);
    }
}

static void brackets_may_be_the_urls_own(void **state)
{
    uint64_t count;
    char *urls = all_of("http://h/[1-3]{a,b}", true, &count);

    (void)state;
    assert_string_equal(urls, "http://h/[1-3]{a,b} ");
    assert_int_equal(count, 1);
    free(urls);
}

static void a_glob_of_more_than_there_are_numbers_is_counted_lazily(void **state)
{
    char *problem;
    ga__glob *glob = ga__glob_parse("h/[0-18446744073709551615][0-9]", false, &problem);
    ga__buffer url = GA__BUFFER_INIT;

    (void)state;
    assert_non_null(glob);
    assert_true(ga__glob_count(glob) == UINT64_MAX);
    for (int i = 0; i < 11; i++)
        assert_true(ga__glob_next(glob, &url));
    assert_string_equal(url.data, "h/10");
    ga__buffer_free(&url);
    ga__glob_free(glob);
}

static void what_is_none_is_told_with_its_place(void **state)
{
    static const char *const bad[] = {"h/[1-",    "h/[3-1]", "h/[a-5]",  "h/[1-5:0]",
                                      "h/[a-Z]",  "h/[1]",   "h/[1-2:]", "h/{a",
                                      "h/{a{b}}", "h/[]",    "h/[-]",    "h/[1-99999999999999999999]"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *problem = NULL;

        if (ga__glob_parse(bad[i], false, &problem))
            fail_msg("%s is taken", bad[i]);
        assert_non_null(strstr(problem, "-g takes brackets"));
        free(problem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globs_are_counted_out),
        cmocka_unit_test(brackets_may_be_the_urls_own),
        cmocka_unit_test(a_glob_of_more_than_there_are_numbers_is_counted_lazily),
        cmocka_unit_test(what_is_none_is_told_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
