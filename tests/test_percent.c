/* SPDX-License-Identifier: MIT */
/* Percent-encoding on its own: what decoding passes over, and the set of forms. */
#include "url_rows.h"

#include "protocol/percent.h"

static void percent_decoding_takes_whole_pairs_only(void **state)
{
    static const struct row rows[] = {
        {"", ""},       {"abc", "abc"}, {"%41%62", "Ab"}, {"%c3%A4", "ä"},      {"%", "%"}, {"%4", "%4"},
        {"%4g", "%4g"}, {"%%41", "%A"}, {"a%", "a%"},     {"%25%34%31", "%41"}, {"+", "+"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__buffer out = GA__BUFFER_INIT;

        ga__percent_decode(&out, rows[i].input, strlen(rows[i].input));
        assert_int_equal(out.size, strlen(rows[i].href));
        assert_string_equal(out.data, rows[i].href);
        ga__buffer_free(&out);
    }
}

static void a_form_keeps_only_unreserved_characters(void **state)
{
    static const ga_pair form[] = {{"a b", "1/2?3:4@5!$'()*,"}, {"-._~", "é&=+%"}, {NULL, NULL}};
    ga__buffer out = GA__BUFFER_INIT;

    (void)state;
    ga__percent_encode_pairs(&out, form, GA__PERCENT_FORM);
    assert_string_equal(out.data, "a+b=1%2F2%3F3%3A4%405%21%24%27%28%29%2A%2C&-._~=%C3%A9%26%3D%2B%25");
    ga__buffer_free(&out);
}

/* What is encoded so stays itself in each part of a URL, and in a form. */
static void unreserved_characters_alone_are_right_everywhere(void **state)
{
    ga__buffer out = GA__BUFFER_INIT;

    (void)state;
    for (int c = 0; c < 256; c++)
        ga__percent_append(&out, (ga__slice){&(char){(char)c}, 1}, GA__PERCENT_UNRESERVED);
    assert_int_equal(out.size, 256 * 3 - 66 * 2);
    for (size_t i = 0; i < out.size; i++)
        assert_true(
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%", out.data[i]));
    ga__buffer_clear(&out);
    ga__percent_append(&out, ga__slice_of("a b+\xc3\xa4%"), GA__PERCENT_UNRESERVED);
    assert_string_equal(out.data, "a%20b%2B%C3%A4%25");
    ga__buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_decoding_takes_whole_pairs_only),
        cmocka_unit_test(a_form_keeps_only_unreserved_characters),
        cmocka_unit_test(unreserved_characters_alone_are_right_everywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
