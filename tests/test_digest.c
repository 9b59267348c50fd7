/* SPDX-License-Identifier: MIT */
/* Digest: the vectors of RFC 7616, 2617 and 2069, and challenges as servers and attackers write them. */
#include "check.h"

#include "protocol/digest.h"

#include <stdlib.h>
#include <string.h>

#define REALM "http-auth@example.org"
#define NONCE "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define OPAQUE "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"

static char *answer(const char *field, const char *password, const char *cnonce, const char *body)
{
    ga__buffer out = GA__BUFFER_INIT;
    ga__digest digest = {0};
    ga__digest_request request = {
        .user = GA__SLICE("Mufasa"),
        .password = ga__slice_of(password),
        .method = "GET",
        .target = GA__SLICE("/dir/index.html"),
        .body = ga__slice_of(body),
        .cnonce = cnonce,
        .count = 1,
    };

    assert_int_equal(ga__digest_read(&digest, ga__slice_of(field)), 0);
    assert_non_null(digest.nonce);
    assert_int_equal(ga__digest_answer(&out, &digest, &request), 0);
    ga__digest_free(&digest);
    return ga__buffer_take(&out);
}

/* RFC 7616, 3.9.1, to the byte. */
static void the_example_of_the_rfc(void **state)
{
    static const struct {
        const char *algorithm, *response;
    } rows[] = {
        {"MD5", "8ca523f5e9506fed4657c9700eebdbec"},
        {"SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga_autofree char *field =
            ga_format("Digest realm=\"" REALM "\", qop=\"auth, auth-int\", algorithm=%s, nonce=\"" NONCE
                      "\", opaque=\"" OPAQUE "\"",
                      rows[i].algorithm);
        ga_autofree char *wanted =
            ga_format("Digest username=\"Mufasa\", realm=\"" REALM "\", nonce=\"" NONCE
                      "\", uri=\"/dir/index.html\", algorithm=%s, response=\"%s\", qop=auth, nc=00000001, "
                      "cnonce=\"" CNONCE "\", opaque=\"" OPAQUE "\"",
                      rows[i].algorithm, rows[i].response);
        ga_autofree char *got = answer(field, "Circle of Life", CNONCE, "body");

        assert_string_equal(got, wanted);
    }
}

/* RFC 2617's and 2069's examples, and what Python's hashlib makes of the other forms. */
static void every_form_is_answered(void **state)
{
    static const struct {
        const char *rest, *response;
    } rows[] = {
        {"algorithm=MD5-sess, qop=auth", "e783283f46242139c486a698fec7211d"},
        {"algorithm=md5, qop=auth-int", "9aaa3cbaec2406853a7cb784c6813d11"},
        {"algorithm=MD5-sess, qop=\"auth-int\"", "a0dd1fdc2cda57809f734f0b1f089e7b"},
        {"algorithm=SHA-256-sess, qop=\"auth\"",
         "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7"},
        {"algorithm=SHA-256, qop=\"auth-int\"",
         "2fa9fd5a55eaefc542900085331c15a0d8dcebeb505811bdd82a5b1f49ae156e"},
        {"algorithm=\"SHA-256-sess\", qop=\"auth-int\"",
         "351cf1de6df8006b29344896ed8e41148d9922c94d1aedab40833924f92d49c2"},
        {"qop=auth", "8ca523f5e9506fed4657c9700eebdbec"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga_autofree char *field =
            ga_format("Digest realm=\"" REALM "\", nonce=\"" NONCE "\", %s", rows[i].rest);
        ga_autofree char *wanted = ga_format(", response=\"%s\", ", rows[i].response);
        ga_autofree char *got = answer(field, "Circle of Life", CNONCE, "body");

        if (!strstr(got, wanted))
            fail_msg("%s: %s", rows[i].rest, got);
        assert_int_equal(strstr(got, "algorithm") != NULL, strstr(rows[i].rest, "algorithm") != NULL);
    }
    ga_autofree char *rfc2617 = answer(
        "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", qop=\"auth\"",
        "Circle Of Life", "0a4f113b", "");
    assert_non_null(strstr(rfc2617, "6629fae49393a05397450978507c4ef1"));
    ga_autofree char *rfc2069 =
        answer("Digest nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", realm=\"testrealm@host.com\"",
               "CircleOfLife", "x", "");
    assert_string_equal(rfc2069, "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
                                 "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", "
                                 "response=\"1949323746fe6a43ef61f9606e7febea\"");
}

static void userhash_hides_the_name(void **state)
{
    ga_autofree char *got =
        answer("Digest realm=\"" REALM "\", nonce=\"" NONCE "\", qop=auth, algorithm=SHA-256, userhash=true",
               "Circle of Life", CNONCE, "");

    (void)state;
    assert_null(strstr(got, "Mufasa"));
    assert_non_null(
        strstr(got, "username=\"a947aad205e80e429958a387394944c6b496301e79f89d35a4cc23b6ee12b5b6\""));
    assert_non_null(strstr(got, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"));
    assert_non_null(strstr(got, ", userhash=true"));
}

/* What is chosen of a field; NULL: nothing. */
static void challenges_are_found_among_others(void **state)
{
    static const struct {
        const char *field, *nonce;
        const char *realm;
        ga__digest_hash hash;
        bool stale;
    } rows[] = {
        {"Digest realm=\"r\", nonce=\"n\"", "n", "r", GA__DIGEST_MD5, false},
        {"digest REALM=r,NONCE=n,Stale=TRUE", "n", "r", GA__DIGEST_MD5, true},
        {"Digest realm=\"\", nonce=\"n\"", "n", "", GA__DIGEST_MD5, false},
        {"Digest realm=\"a \\\"b\\\\\", nonce=\"n, x=y\"", "n, x=y", "a \"b\\", GA__DIGEST_MD5, false},
        {"Digest realm = \"r\" ,, nonce\t=\t\"n\" , ", "n", "r", GA__DIGEST_MD5, false},
        {"Basic realm=\"b\", Digest realm=\"r\", nonce=\"n\"", "n", "r", GA__DIGEST_MD5, false},
        {"Digest realm=\"r\", nonce=\"n\", Basic realm=\"b\"", "n", "r", GA__DIGEST_MD5, false},
        {"Negotiate, Digest realm=\"r\", nonce=\"n\"", "n", "r", GA__DIGEST_MD5, false},
        {"Negotiate abc/+def==, Digest realm=\"r\", nonce=\"n\"", "n", "r", GA__DIGEST_MD5, false},
        {"NTLM abc=, Digest realm=\"r\", nonce=\"n\"", "n", "r", GA__DIGEST_MD5, false},
        {"Digest realm=\"r\", nonce=\"1\", Digest realm=\"r\", nonce=\"2\", algorithm=SHA-256", "2", "r",
         GA__DIGEST_SHA256, false},
        {"Digest realm=\"r\", nonce=\"1\", algorithm=SHA-256, Digest realm=\"r\", nonce=\"2\"", "1", "r",
         GA__DIGEST_SHA256, false},
        {"Digest realm=\"r\", nonce=\"1\", algorithm=SHA-512, Digest realm=\"r\", nonce=\"2\"", "2", "r",
         GA__DIGEST_MD5, false},
        {"Digest realm=\"r\", nonce=\"n\", domain=\"/a /b\", charset=UTF-8, new=1, qop=\"auth\"", "n", "r",
         GA__DIGEST_MD5, false},
        /* what cannot be answered, or is none */
        {"", NULL, NULL, 0, false},
        {",,, ,", NULL, NULL, 0, false},
        {"Digest", NULL, NULL, 0, false},
        {"Basic realm=\"r\", nonce=\"n\"", NULL, NULL, 0, false},
        {"realm=\"r\", nonce=\"n\"", NULL, NULL, 0, false},
        {"Digest nonce=\"n\"", NULL, NULL, 0, false},
        {"Digest realm=\"r\"", NULL, NULL, 0, false},
        {"Digest realm=\"r\", nonce=\"\"", NULL, NULL, 0, false},
        {"Digest realm=\"r\", nonce=\"n\", nonce=\"m\"", NULL, NULL, 0, false},
        {"Digest realm=\"r\", realm=\"r\", nonce=\"n\"", NULL, NULL, 0, false},
        {"Digest realm=\"r\", nonce=\"n", NULL, NULL, 0, false},
        {"Digest realm=\"r\", nonce=\"n\\", NULL, NULL, 0, false},
        {"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256", NULL, NULL, 0, false},
        {"Digest realm=\"r\", nonce=\"n\", algorithm=\"\"", NULL, NULL, 0, false},
        {"Digest realm=\"r\", nonce=\"n\", qop=\"other\"", NULL, NULL, 0, false},
        {"Digest realm=\"r\", nonce=\"n\", qop=\"\"", NULL, NULL, 0, false},
        {"Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess", NULL, NULL, 0, false},
        {"Digest realm=\"r\", nonce=n/m", NULL, NULL, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__digest digest = {0};

        assert_int_equal(ga__digest_read(&digest, ga__slice_of(rows[i].field)), 0);
        if (!digest.nonce != !rows[i].nonce)
            fail_msg("%s: %s", rows[i].field, digest.nonce ? digest.nonce : "none");
        if (digest.nonce) {
            assert_string_equal(digest.nonce, rows[i].nonce);
            assert_string_equal(digest.realm, rows[i].realm);
            assert_int_equal(digest.hash, rows[i].hash);
            assert_int_equal(digest.stale, rows[i].stale);
        }
        ga__digest_free(&digest);
    }
}

static void quotes_are_escaped_again(void **state)
{
    ga_autofree char *got =
        answer("Digest realm=\"a \\\"b\\\\\", nonce=\"n\\\"\", opaque=\"\"", "p", "c", "");

    (void)state;
    assert_non_null(strstr(got, "realm=\"a \\\"b\\\\\", nonce=\"n\\\"\", "));
    assert_non_null(strstr(got, ", opaque=\"\""));
}

static void challenges_that_are_too_long_are_passed_over(void **state)
{
    ga__digest digest = {0};
    ga__buffer field = GA__BUFFER_INIT;

    (void)state;
    for (size_t size = 4096; size <= 4097; size++) {
        ga__buffer_clear(&field);
        ga__buffer_add(&field, "Digest realm=\"r\", nonce=\"");
        for (size_t i = 0; i < size; i++)
            ga__buffer_add_char(&field, 'n');
        ga__buffer_add(&field, "\"");
        assert_int_equal(ga__digest_read(&digest, (ga__slice){field.data, field.size}), 0);
        assert_int_equal(digest.nonce != NULL, size == 4096);
        ga__digest_free(&digest);
    }
    ga__buffer_free(&field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc),
        cmocka_unit_test(every_form_is_answered),
        cmocka_unit_test(userhash_hides_the_name),
        cmocka_unit_test(challenges_are_found_among_others),
        cmocka_unit_test(quotes_are_escaped_again),
        cmocka_unit_test(challenges_that_are_too_long_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
