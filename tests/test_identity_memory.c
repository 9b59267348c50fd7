/* SPDX-License-Identifier: MIT */
/* Cookies, credentials and what servers say of them with each allocation failing in turn: GA_ENOMEM, nothing
 * lost, and it works the next time. */
#include "check.h"
#include "failmalloc.h"

#include "client/auth.h"
#include "client/cookie_jar.h"
#include "client/hsts.h"
#include "protocol/digest.h"
#include "protocol/netrc.h"

#include <gather.h>
#include <string.h>

enum { NOW = 1700000000 };

static int use_jar(const ga__url *url, const char *file)
{
    ga__buffer out = GA__BUFFER_INIT;
    ga_cookie_jar *jar = ga_cookie_jar_new(), *again = NULL;
    const char *reason;
    int code = jar ? 0 : GA_ENOMEM;

    for (int i = 0; i < 40 && code == 0; i++) {
        char field[64];

        snprintf(field, sizeof field, "c%d=1; Path=/%.*s", i, i % 3, "ab");
        code = ga__cookie_jar_take(jar, url, ga__slice_of(field), NOW, &reason);
    }
    if (code == 0)
        code = ga__cookie_jar_write(jar, url, GA_PAIRS({"own", "1"}), NOW, &out);
    if (code == 0)
        code = ga_cookie_jar_save(jar, file);
    if (code == 0 && !(again = ga_cookie_jar_new()))
        code = GA_ENOMEM;
    if (code == 0)
        code = ga_cookie_jar_load(again, file);
    if (code == 0)
        assert_int_equal(ga_cookie_jar_count(again), 40);
    ga__buffer_free(&out);
    ga_cookie_jar_free(jar);
    ga_cookie_jar_free(again);
    return code;
}

static void jars(void **state)
{
    ga_autofree char *directory = check_mkdtemp();
    ga_autofree char *file = ga_format("%s/cookies.txt", directory);
    ga__url url = check_url("http://www.example.com/ab");

    (void)state;
    for (int n = 1; failmalloc_again(n); n++) {
        int code = use_jar(&url, file);

        if (failmalloc_stop() && code != GA_ENOMEM && code != 0)
            fail_msg("allocation %d: %d", n, code);
    }
    assert_int_equal(use_jar(&url, file), 0);
    ga__url_free(&url);
    check_rmdir(directory);
}

static int answer_challenge(const ga__url *url)
{
    static const char field[] =
        "Digest realm=\"r\", nonce=\"n\", opaque=\"o\", qop=auth, Digest realm=\"s\", "
        "nonce=\"m\", opaque=\"p\", qop=auth, algorithm=SHA-256";
    ga__buffer out = GA__BUFFER_INIT;
    ga__digest challenge = {0};
    ga__digest_state *state = ga__digest_state_new(GA__SLICE("user"), GA__SLICE("password"));
    int code = state ? ga__digest_read(&challenge, ga__slice_of(field)) : GA_ENOMEM;

    if (code == 0)
        code = ga__digest_state_challenge(state, &challenge, url);
    if (code == 0) {
        ga__digest_request request = {.user = ga__slice_of(state->user),
                                      .password = ga__slice_of(state->password),
                                      .method = "GET",
                                      .target = GA__SLICE("/"),
                                      .body = GA__SLICE(""),
                                      .cnonce = state->cnonce,
                                      .count = 1};

        assert_string_equal(state->challenge.nonce, "m");
        assert_true(ga__digest_state_is_for(state, url));
        code = ga__digest_answer(&out, &state->challenge, &request);
    }
    ga__buffer_free(&out);
    ga__digest_free(&challenge);
    ga__digest_state_free(state);
    return code;
}

static void challenges(void **state)
{
    ga__url url = check_url("http://www.example.com/");

    (void)state;
    for (int n = 1; failmalloc_again(n); n++) {
        int code = answer_challenge(&url);

        assert_int_equal(code, failmalloc_stop() ? GA_ENOMEM : 0);
    }
    ga__url_free(&url);
}

static void machines(void **state)
{
    (void)state;
    for (int n = 1; failmalloc_again(n); n++) {
        unsigned line;
        ga__netrc found;
        int code =
            ga__netrc_find(&found, GA__SLICE("machine b.com login x\nmachine a.com login u password p"),
                           GA__SLICE("a.com"), &line);
        bool failed = failmalloc_stop();

        if (code > 0) {
            assert_string_equal(found.login.data, "u");
            assert_string_equal(found.password.data, "p");
            ga__netrc_free(&found);
        }
        assert_int_equal(code, failed ? GA_ENOMEM : 1);
    }
}

static void hosts_that_want_tls(void **state)
{
    ga__url url = check_url("https://www.example.com/");

    (void)state;
    for (int n = 1; failmalloc_again(n); n++) {
        ga__hsts *hsts = ga__hsts_new();
        int code = hsts ? ga__hsts_note(hsts, &url, GA__SLICE("max-age=10"), NOW) : GA_ENOMEM;

        if (code == 0) {
            ga__url plain = check_url("http://www.example.com/");

            code = ga__hsts_upgrade(hsts, &plain, NOW);
            assert_int_equal(plain.secure, code == 0);
            ga__url_free(&plain);
        }
        assert_int_equal(code, failmalloc_stop() ? GA_ENOMEM : 0);
        ga__hsts_free(hsts);
    }
    ga__url_free(&url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jars),
        cmocka_unit_test(challenges),
        cmocka_unit_test(machines),
        cmocka_unit_test(hosts_that_want_tls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
