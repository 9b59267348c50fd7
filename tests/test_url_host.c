/* SPDX-License-Identifier: MIT */
/* Hosts as they stand in URLs: addresses in all their forms, names in ASCII and beyond, and what is no host.
 */
#include "url_rows.h"

#include <stdio.h>

static void ipv4_in_all_its_forms(void **state)
{
    static const struct row rows[] = {
        {"http://127.0.0.1/", "http://127.0.0.1/"},
        {"http://127.1/", "http://127.0.0.1/"},
        {"http://127.0.1/", "http://127.0.0.1/"},
        {"http://0x7f.1/", "http://127.0.0.1/"},
        {"http://0X7F.0.0.0x1/", "http://127.0.0.1/"},
        {"http://0177.0.0.01/", "http://127.0.0.1/"},
        {"http://2130706433/", "http://127.0.0.1/"},
        {"http://0x7f000001/", "http://127.0.0.1/"},
        {"http://017700000001/", "http://127.0.0.1/"},
        {"http://127.0.0.1./", "http://127.0.0.1/"},
        {"http://1.65535/", "http://1.0.255.255/"},
        {"http://1.2.65535/", "http://1.2.255.255/"},
        {"http://1.16777215/", "http://1.255.255.255/"},
        {"http://4294967295/", "http://255.255.255.255/"},
        {"http://255.255.255.255/", "http://255.255.255.255/"},
        {"http://0/", "http://0.0.0.0/"},
        {"http://0x/", "http://0.0.0.0/"},
        {"http://0x.0x.0/", "http://0.0.0.0/"},
        {"http://%31%32%37.1/", "http://127.0.0.1/"},
        {"http://１２７。０．０．１/", "http://127.0.0.1/"},
        {"http://1.2.3.4.example/", "http://1.2.3.4.example/"},
        {"http://1e3/", "http://1e3/"},
        {"http://0xg/", "http://0xg/"},
        {"http://a.0b/", "http://a.0b/"},
    };
    static const char *const bad[] = {"http://256.0.0.1/",
                                      "http://1.2.3.256/",
                                      "http://1.2.3.4.5/",
                                      "http://1.2.3.4.5./",
                                      "http://1.2.65536/",
                                      "http://1.16777216/",
                                      "http://4294967296/",
                                      "http://09.1/",
                                      "http://1.2.3.08/",
                                      "http://foo.09/",
                                      "http://foo.1/",
                                      "http://1..2/",
                                      "http://.1/",
                                      "http://foo.0x4/",
                                      "http://0xfffffffffffffffff/",
                                      "http://999999999999999999999999/",
                                      "http://1.-2.3/",
                                      "http://0x100000000/",
                                      "http://foo.0x./",
                                      "http://-1.2/"};
    const char *reason;

    (void)state;
    CHECK_ROWS(rows, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(refused(bad[i], strlen(bad[i]), NULL, &reason), GA_EURL);
}

static void ipv6_is_written_as_rfc_5952_says(void **state)
{
    static const struct row rows[] = {
        {"http://[::]/", "http://[::]/"},
        {"http://[::1]/", "http://[::1]/"},
        {"http://[1::]/", "http://[1::]/"},
        {"http://[0:0:0:0:0:0:0:1]/", "http://[::1]/"},
        {"http://[2001:DB8:0:0:0:0:2:1]/", "http://[2001:db8::2:1]/"},
        {"http://[2001:db8:0:1:1:1:1:1]/", "http://[2001:db8:0:1:1:1:1:1]/"}, /* one zero stays */
        {"http://[2001:db8::1:1:1:1:1]/", "http://[2001:db8:0:1:1:1:1:1]/"},
        {"http://[2001:0:0:1:0:0:0:1]/", "http://[2001:0:0:1::1]/"},       /* the longest run */
        {"http://[2001:db8:0:0:1:0:0:1]/", "http://[2001:db8::1:0:0:1]/"}, /* the first of equals */
        {"http://[1:0:0:2:3:4:0:0]/", "http://[1::2:3:4:0:0]/"},
        {"http://[1:2:3:4:5:6:0:0]/", "http://[1:2:3:4:5:6::]/"},
        {"http://[0:0:3:4:5:6:7:8]/", "http://[::3:4:5:6:7:8]/"},
        {"http://[1:2:3:4:5:6:7::]/", "http://[1:2:3:4:5:6:7:0]/"},
        {"http://[00ab:000c::0001]/", "http://[ab:c::1]/"},
        {"http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"},
        {"http://[64:ff9b::192.0.2.33]/", "http://[64:ff9b::c000:221]/"},
        {"http://[::1.2.3.4]/", "http://[::102:304]/"},
        {"http://[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1/",
         "http://[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1/"},
    };
    static const char *const bad[] = {
        "http://[]/",
        "http://[:]/",
        "http://[:::]/",
        "http://[::1/",
        "http://::1]/",
        "http://[::1]x/",
        "http://[1::2::3]/",
        "http://[1:2:3:4:5:6:7]/",
        "http://[1:2:3:4:5:6:7:8:9]/",
        "http://[::12345]/",
        "http://[::g]/",
        "http://[::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[1.2.3.4]/",
        "http://[::1.2.3]/",
        "http://[::1.2.3.256]/",
        "http://[::1.2.3.4.5]/",
        "http://[::01.2.3.4]/",
        "http://[1:2:3:4:5:6:7:1.2.3.4]/",
        "http://[::1 ]/",
        "http://[ ::1]/",
        "http://[::1]]/",
        "http://[[::1]]/",
        "http://[::1]:80:80/",
        "http://x[::1]/",
        "http://[v1.a]/",
        "http://[::1",
        "http://[",
        "http://[/",
        "http://[0000000000000000000000000000000000000000000000001::]/",
    };
    const char *reason;

    (void)state;
    CHECK_ROWS(rows, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(refused(bad[i], strlen(bad[i]), NULL, &reason), GA_EURL);
}

static void international_names_become_ascii(void **state)
{
    static const struct row rows[] = {
        {"http://bücher.example/", "http://xn--bcher-kva.example/"},
        {"http://BÜCHER.example/", "http://xn--bcher-kva.example/"},
        {"http://b\x75\xcc\x88"
         "cher.example/",
         "http://xn--bcher-kva.example/"}, /* u and a combining diaeresis */
        {"http://b%C3%BCcher.example/", "http://xn--bcher-kva.example/"},
        {"http://XN--BCHER-KVA.example/", "http://xn--bcher-kva.example/"},
        {"http://faß.example/", "http://xn--fa-hia.example/"}, /* nontransitional: not fass */
        {"http://日本語。ＪＰ/", "http://xn--wgv71a119e.jp/"},
        {"http://ＧＯ.example/", "http://go.example/"},
        {"http://ex\xc2\xad"
         "ample.com/",
         "http://example.com/"}, /* a soft hyphen */
        {"http://ex%41mple.com/", "http://example.com/"},
        {"http://xn--ls8h.la/", "http://xn--ls8h.la/"}, /* a symbol, registered before IDNA 2008 */
        {"http://XN--LS8H.La/", "http://xn--ls8h.la/"},
        {"http://мир.рф:8080/мир", "http://xn--h1ahn.xn--p1ai:8080/%D0%BC%D0%B8%D1%80"},
        {"http://a..ü/", "http://a..xn--tda/"},
    };
    static const char *const bad[] = {
        "http://xn--/",
        "http://xn--a/",
        "http://a.xn--a/",
        "http://ü.xn--a/",
        "http://\xff\xfe.com/",
        "http://%ff.com/",
        "http://a\xed\xa0\x80.com/",
        "http://\xc2\xad/",
        "http://\xe2\x80\x8b/",
        "http://\xd9\xa1\xd9\xa2/",
        ("http://a\xe2\x80\x8c"
         "b.com/"),
        "http://％４１.com/",
    };
    const char *reason;

    (void)state;
    CHECK_ROWS(rows, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(refused(bad[i], strlen(bad[i]), NULL, &reason), GA_EURL);
}

static void the_host_has_no_forbidden_character(void **state)
{
    static const char forbidden[] = " <>^|%";
    static const char *const encoded[] = {"%00", "%0a", "%20", "%23", "%25", "%2f", "%3a", "%3c", "%3e",
                                          "%3f", "%40", "%5b", "%5c", "%5d", "%5e", "%7c", "%7f"};
    const char *reason;
    char input[32];

    (void)state;
    for (const char *c = forbidden; *c; c++) {
        int size = snprintf(input, sizeof input, "http://a%cb/", *c);

        assert_int_equal(refused(input, (size_t)size, NULL, &reason), GA_EURL);
    }
    for (size_t i = 0; i < sizeof encoded / sizeof *encoded; i++) {
        int size = snprintf(input, sizeof input, "http://a%sb/", encoded[i]);

        assert_int_equal(refused(input, (size_t)size, NULL, &reason), GA_EURL);
    }
}

static void a_host_has_255_bytes_at_most(void **state)
{
    char *text = long_url(7 + 256, "http://");
    const char *reason;
    ga__url url;

    (void)state;
    assert_int_equal(refused(text, 7 + 256, NULL, &reason), GA_EURL);
    assert_non_null(strstr(reason, "255"));
    text[7 + 255] = '\0';
    url = parsed(text, NULL);
    assert_int_equal(ga__url_host_size(&url), 255);
    ga__url_free(&url);
    free(text);

    text = long_url(70000, "http://\xc3\xa4");
    assert_int_equal(refused(text, 70000, NULL, &reason), GA_EURL);
    assert_non_null(strstr(reason, "255"));
    free(text);
    text = long_url(7 + 2 + 200, "http://\xc3\xa4");
    assert_int_equal(refused(text, 7 + 2 + 200, NULL, &reason), GA_EURL);
    assert_non_null(strstr(reason, "63"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_in_all_its_forms),
        cmocka_unit_test(ipv6_is_written_as_rfc_5952_says),
        cmocka_unit_test(international_names_become_ascii),
        cmocka_unit_test(the_host_has_no_forbidden_character),
        cmocka_unit_test(a_host_has_255_bytes_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
