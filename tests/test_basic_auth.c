/* SPDX-License-Identifier: MIT */
/* Base64 and the Basic scheme on it. */
#include "check.h"

#include "base/base64.h"
#include "protocol/basic_auth.h"
#include <gather/error.h>

/* RFC 4648, 10. */
static void base64_is_as_in_the_rfc(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe\xfd", "//79"},
        {"\xfb\xef", "++8="},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        ga__buffer out = GA__BUFFER_INIT;

        ga__base64_encode(&out, pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(out.data ? out.data : "", pairs[i][1]);
        ga__buffer_free(&out);
    }
}

static void credentials_are_encoded(void **state)
{
    ga__buffer out = GA__BUFFER_INIT;
    const char *problem = NULL;

    (void)state;
    assert_int_equal(ga__basic_auth(&out, GA__SLICE("Aladdin"), GA__SLICE("open sesame"), &problem), 0);
    assert_string_equal(out.data, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="); /* RFC 7617, 2 */
    ga__buffer_clear(&out);
    assert_int_equal(
        ga__basic_auth_encoded(&out, GA__SLICE("Al%61ddin"), GA__SLICE("open%20sesame"), &problem), 0);
    assert_string_equal(out.data, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    ga__buffer_free(&out);
}

static void what_basic_cannot_carry_is_refused(void **state)
{
    static const char *const refused[][2] = {
        {"a%3Ab", ""}, {"a%0d%0aX-Evil:1", ""}, {"a", "%00"}, {"%7f", "x"}, {"a", "b%0A"}};

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        ga__buffer out = GA__BUFFER_INIT;
        const char *problem = NULL;

        assert_int_equal(
            ga__basic_auth_encoded(&out, ga__slice_of(refused[i][0]), ga__slice_of(refused[i][1]), &problem),
            GA_EHEADER);
        assert_non_null(problem);
        assert_int_equal(out.size, 0);
        ga__buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_is_as_in_the_rfc),
        cmocka_unit_test(credentials_are_encoded),
        cmocka_unit_test(what_basic_cannot_carry_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
