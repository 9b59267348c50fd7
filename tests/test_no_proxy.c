/* SPDX-License-Identifier: MIT */
/* NO_PROXY: one table of lists, hosts and whether the host goes direct. */
#include "check.h"

#include "protocol/no_proxy.h"
#include <stdlib.h>
#include <string.h>

typedef struct row {
    const char *list;
    const char *host;
    uint16_t port;
    bool direct;
} row;

#define DIRECT true
#define PROXIED false

static const row rows[] = {
    /* nothing, everything */
    {NULL, "shop.test", 80, PROXIED},
    {"", "shop.test", 80, PROXIED},
    {",", "shop.test", 80, PROXIED},
    {" , ,\t", "shop.test", 80, PROXIED},
    {"*", "shop.test", 80, DIRECT},
    {"*", "192.0.2.7", 443, DIRECT},
    {"*", "2001:db8::7", 443, DIRECT},
    {" * ", "shop.test", 80, DIRECT},
    {"other.test,*", "shop.test", 80, DIRECT},
    {"*:8080", "shop.test", 8080, DIRECT},
    {"*:8080", "shop.test", 80, PROXIED},
    {"**", "shop.test", 80, PROXIED},
    {"*", "", 80, PROXIED},
    {"shop.test", "", 80, PROXIED},

    /* a name: the apex and what is under it */
    {"shop.test", "shop.test", 80, DIRECT},
    {"shop.test", "www.shop.test", 80, DIRECT},
    {"shop.test", "a.b.c.shop.test", 80, DIRECT},
    {"shop.test", "workshop.test", 80, PROXIED},
    {"shop.test", "shop.test.evil.example", 80, PROXIED},
    {"shop.test", "shop.tes", 80, PROXIED},
    {"shop.test", "hop.test", 80, PROXIED},
    {"shop.test", "shop.testing", 80, PROXIED},
    {"shop.test", "test", 80, PROXIED},
    {"shop.test", ".shop.test", 80, PROXIED},
    {"shop.test", "shop-test", 80, PROXIED},
    {"test", "shop.test", 80, DIRECT},
    {"localhost", "localhost", 80, DIRECT},
    {"localhost", "mylocalhost", 80, PROXIED},
    {"localhost", "127.0.0.1", 80, PROXIED},
    {"xn--bcher-kva.test", "xn--bcher-kva.test", 80, DIRECT},

    /* a dot before it: the same */
    {".shop.test", "shop.test", 80, DIRECT},
    {".shop.test", "www.shop.test", 80, DIRECT},
    {".shop.test", "workshop.test", 80, PROXIED},
    {".test", "shop.test", 80, DIRECT},
    {"..shop.test", "shop.test", 80, PROXIED},
    {"..shop.test", "www.shop.test", 80, PROXIED},
    {".", "shop.test", 80, PROXIED},
    {"..", "shop.test", 80, PROXIED},

    /* a star before it: what is under it */
    {"*.shop.test", "www.shop.test", 80, DIRECT},
    {"*.shop.test", "a.b.shop.test", 80, DIRECT},
    {"*.shop.test", "shop.test", 80, PROXIED},
    {"*.shop.test", "workshop.test", 80, PROXIED},
    {"*shop.test", "workshop.test", 80, PROXIED},
    {"*shop.test", "shop.test", 80, PROXIED},
    {"www.*.test", "www.shop.test", 80, PROXIED},
    {"shop.*", "shop.test", 80, PROXIED},
    {"*.", "shop.test", 80, PROXIED},

    /* case */
    {"SHOP.Test", "shop.test", 80, DIRECT},
    {"shop.test", "Shop.TEST", 80, DIRECT},
    {".SHOP.TEST", "www.shop.test", 80, DIRECT},
    {"*.SHOP.TEST", "www.shop.test", 80, DIRECT},

    /* dots at the end */
    {"shop.test.", "shop.test", 80, DIRECT},
    {"shop.test", "shop.test.", 80, DIRECT},
    {"shop.test.", "shop.test.", 80, DIRECT},
    {".shop.test.", "www.shop.test.", 80, DIRECT},
    {"*.shop.test.", "www.shop.test", 80, DIRECT},
    {"shop.test..", "shop.test", 80, PROXIED},
    {"shop.test.:80", "shop.test", 80, DIRECT},

    /* several, and what stands between them */
    {"a.test,b.test,c.test", "b.test", 80, DIRECT},
    {"a.test,b.test,c.test", "c.test", 80, DIRECT},
    {"a.test,b.test,c.test", "d.test", 80, PROXIED},
    {"a.test, b.test ,\tc.test\t", "b.test", 80, DIRECT},
    {"a.test, b.test ,\tc.test\t", "c.test", 80, DIRECT},
    {",,a.test,,", "a.test", 80, DIRECT},
    {"a.test b.test", "a.test", 80, PROXIED},
    {"a.test b.test", "b.test", 80, PROXIED},
    {"a.test;b.test", "a.test", 80, PROXIED},
    {"a.test\n", "a.test", 80, PROXIED},
    {"http://shop.test", "shop.test", 80, PROXIED},
    {"shop.test/", "shop.test", 80, PROXIED},

    /* ports */
    {"shop.test:8080", "shop.test", 8080, DIRECT},
    {"shop.test:8080", "shop.test", 80, PROXIED},
    {"shop.test:8080", "www.shop.test", 8080, DIRECT},
    {".shop.test:443", "www.shop.test", 443, DIRECT},
    {"*.shop.test:443", "www.shop.test", 80, PROXIED},
    {"shop.test:", "shop.test", 80, PROXIED},
    {"shop.test:http", "shop.test", 80, PROXIED},
    {"shop.test:65616", "shop.test", 80, PROXIED},
    {"shop.test:+80", "shop.test", 80, PROXIED},
    {"shop.test:80:80", "shop.test", 80, PROXIED},
    {":80", "shop.test", 80, PROXIED},

    /* IPv4 */
    {"192.0.2.7", "192.0.2.7", 80, DIRECT},
    {"192.0.2.7", "192.0.2.70", 80, PROXIED},
    {"192.0.2.70", "192.0.2.7", 80, PROXIED},
    {"192.0.2.7", "1.192.0.2.7", 80, PROXIED},
    {"0.2.7", "192.0.2.7", 80, PROXIED},
    {".2.7", "192.0.2.7", 80, PROXIED},
    {"*.7", "192.0.2.7", 80, PROXIED},
    {"7", "192.0.2.7", 80, PROXIED},
    {"192.0.2.7:80", "192.0.2.7", 80, DIRECT},
    {"192.0.2.7:81", "192.0.2.7", 80, PROXIED},
    {"192.0.2.7", "192.0.2.7.", 80, DIRECT},
    {"192.0.2.7.", "192.0.2.7", 80, DIRECT},
    {"192.0.2.007", "192.0.2.7", 80, PROXIED},
    {"127.0.0.1", "localhost", 80, PROXIED},
    {"a.test,192.0.2.7", "192.0.2.7", 80, DIRECT},

    /* networks of IPv4 */
    {"192.0.2.0/24", "192.0.2.0", 80, DIRECT},
    {"192.0.2.0/24", "192.0.2.255", 80, DIRECT},
    {"192.0.2.0/24", "192.0.3.0", 80, PROXIED},
    {"192.0.2.99/24", "192.0.2.1", 80, DIRECT},
    {"192.0.2.128/25", "192.0.2.129", 80, DIRECT},
    {"192.0.2.128/25", "192.0.2.127", 80, PROXIED},
    {"10.0.0.0/8", "10.255.1.2", 80, DIRECT},
    {"10.0.0.0/8", "11.0.0.1", 80, PROXIED},
    {"172.16.0.0/12", "172.31.255.255", 80, DIRECT},
    {"172.16.0.0/12", "172.32.0.0", 80, PROXIED},
    {"192.0.2.7/32", "192.0.2.7", 80, DIRECT},
    {"192.0.2.7/32", "192.0.2.6", 80, PROXIED},
    {"192.0.2.7/31", "192.0.2.6", 80, DIRECT},
    {"0.0.0.0/0", "203.0.113.9", 80, DIRECT},
    {"0.0.0.0/0", "2001:db8::1", 80, PROXIED},
    {"0.0.0.0/0", "shop.test", 80, PROXIED},
    {"192.0.2.0/33", "192.0.2.0", 80, PROXIED},
    {"192.0.2.0/-1", "192.0.2.0", 80, PROXIED},
    {"192.0.2.0/", "192.0.2.0", 80, PROXIED},
    {"192.0.2.0/24x", "192.0.2.0", 80, PROXIED},
    {"192.0.2.0/24:80", "192.0.2.0", 80, PROXIED},
    {"192.0.2.0/255.255.255.0", "192.0.2.1", 80, PROXIED},
    {"192.0.2/24", "192.0.2.1", 80, PROXIED},
    {"/24", "192.0.2.1", 80, PROXIED},
    {"/0", "192.0.2.1", 80, PROXIED},
    {"/0", "shop.test", 80, PROXIED},
    {"shop.test/24", "shop.test", 80, PROXIED},
    {"192.0.2.0/18446744073709551640", "192.0.2.1", 80, PROXIED},

    /* IPv6 */
    {"::1", "::1", 80, DIRECT},
    {"::1", "[::1]", 80, DIRECT},
    {"[::1]", "::1", 80, DIRECT},
    {"[::1]", "[::1]", 80, DIRECT},
    {"0:0:0:0:0:0:0:1", "::1", 80, DIRECT},
    {"2001:DB8::A", "2001:db8::a", 80, DIRECT},
    {"::1", "::2", 80, PROXIED},
    {"::1", "::10", 80, PROXIED},
    {"[::1]:8080", "::1", 8080, DIRECT},
    {"[::1]:8080", "::1", 80, PROXIED},
    {"[::1]8080", "::1", 8080, PROXIED},
    {"[::1]:", "::1", 80, PROXIED},
    {"[::1", "::1", 80, PROXIED},
    {"::1]", "::1", 80, PROXIED},
    {"[127.0.0.1]", "127.0.0.1", 80, PROXIED},
    {"[]", "::1", 80, PROXIED},
    {"[", "::1", 80, PROXIED},
    {"::1", "[::1", 80, PROXIED},
    {"::1", "[::1]x", 80, PROXIED},
    {"::ffff:192.0.2.7", "192.0.2.7", 80, PROXIED},

    /* networks of IPv6 */
    {"fd00::/8", "fdff::1", 80, DIRECT},
    {"fd00::/8", "fe00::1", 80, PROXIED},
    {"2001:db8::/32", "2001:db8:ffff::1", 80, DIRECT},
    {"2001:db8::/32", "2001:db9::1", 80, PROXIED},
    {"2001:db8::/33", "2001:db8:8000::1", 80, PROXIED},
    {"2001:db8::/33", "2001:db8:7fff::1", 80, DIRECT},
    {"::/0", "2001:db8::1", 80, DIRECT},
    {"::/0", "192.0.2.1", 80, PROXIED},
    {"::1/128", "::1", 80, DIRECT},
    {"::1/129", "::1", 80, PROXIED},
    {"[fd00::]/8", "fd00::1", 80, PROXIED},
    {"10.0.0.0/8,fd00::/8", "fd00::1", 80, DIRECT},
};

static void each_row_is_as_expected(void **state)
{
    size_t wrong = 0;

    (void)state;
    assert_true(sizeof rows / sizeof *rows >= 95);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const row *one = &rows[i];

        if (ga__no_proxy_covers(one->list, one->host, one->port) == one->direct)
            continue;
        print_error("\"%s\" and %s:%u: expected %s\n", one->list ? one->list : "(null)", one->host, one->port,
                    one->direct ? "direct" : "proxied");
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* What covers a host also does so between others, with blanks around it. */
static void an_entry_holds_at_any_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const row *one = &rows[i];
        char list[256];

        if (!one->list || strchr(one->list, ',') || !*one->host)
            continue;
        snprintf(list, sizeof list, "first.invalid, %s ,last.invalid", one->list);
        if (ga__no_proxy_covers(list, one->host, one->port) != one->direct)
            fail_msg("\"%s\" and %s:%u", list, one->host, one->port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_as_expected),
        cmocka_unit_test(an_entry_holds_at_any_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
