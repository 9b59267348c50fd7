/* SPDX-License-Identifier: MIT */
/* .netrc: whose words are found for which machine, and which files are not understood. */
#include "check.h"

#include "protocol/netrc.h"

#include <gather/error.h>
#include <string.h>

static void entries_are_found(void **state)
{
    static const struct {
        const char *text, *host;
        const char *login, *password; /* NULL: nothing is found */
    } rows[] = {
        {"machine a.com login u password p", "a.com", "u", "p"},
        {"machine A.com login u password p", "a.COM", "u", "p"},
        {"machine a.com\n\tlogin u\r\n\tpassword p\n", "a.com", "u", "p"},
        {"machine a.com password p login u", "a.com", "u", "p"},
        {"machine a.com user u password p account x", "a.com", "u", "p"},
        {"machine a.com login u", "a.com", "u", ""},
        {"machine a.com", "a.com", "", ""},
        {"machine a.com login u password p", "b.com", NULL, NULL},
        {"machine a.com login u password p", "www.a.com", NULL, NULL},
        {"machine b.com login x password y\nmachine a.com login u password p", "a.com", "u", "p"},
        {"machine a.com login u password p machine a.com login x password y", "a.com", "u", "p"},
        {"machine a.com login u password p default login d password e", "b.com", "d", "e"},
        {"machine a.com login u password p default login d password e", "a.com", "u", "p"},
        {"default login d password e machine a.com login u password p", "a.com", "d", "e"},
        {"machine a.com login \"u v\" password \"p\\\"q\\\\ \\t\"", "a.com", "u v", "p\"q\\ \t"},
        {"machine a.com login machine password default", "a.com", "machine", "default"},
        {"machine a.com login u#v password #p", "a.com", "u#v", "#p"},
        {"# machine a.com login x\nmachine a.com # comment login y\nlogin u password p", "a.com", "u", "p"},
        {"macdef init\ncd /pub\nmachine a.com login x\n\nmachine a.com login u password p", "a.com", "u",
         "p"},
        {"machine b.com login x macdef m\nmachine a.com login x\n\r\nmachine a.com login u", "a.com", "u",
         ""},
        {"macdef last\nline", "a.com", NULL, NULL},
        {"", "a.com", NULL, NULL},
        {" \n\t\r\n", "a.com", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned line;
        ga__netrc found;
        int code = ga__netrc_find(&found, ga__slice_of(rows[i].text), ga__slice_of(rows[i].host), &line);

        if (code != (rows[i].login != NULL))
            fail_msg("row %zu: %d", i, code);
        if (code) {
            assert_string_equal(found.login.data ? found.login.data : "", rows[i].login);
            assert_string_equal(found.password.data ? found.password.data : "", rows[i].password);
            assert_int_equal(found.is_default, strcmp(rows[i].login, "d") == 0);
            ga__netrc_free(&found);
        }
    }
}

static void what_is_not_understood_is_named_by_its_line(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } rows[] = {
        {"machine", 1},
        {"\nmachine a.com\nlogin", 3},
        {"machine a.com login u password", 1},
        {"machine a.com login u pasword p", 1},
        {"login u password p\nmachine a.com\n\nwrong", 4},
        {"word", 1},
        {"machine a.com\nlogin \"u", 2},
        {"machine a.com login \"u\nv\"", 2},
        {"machine a.com login \"u\\", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned line = 0;
        ga__netrc found;

        if (ga__netrc_find(&found, ga__slice_of(rows[i].text), GA__SLICE("a.com"), &line) != GA_EUSAGE)
            fail_msg("row %zu is understood", i);
        assert_int_equal(line, rows[i].line);
        assert_null(found.login.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found),
        cmocka_unit_test(what_is_not_understood_is_named_by_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
