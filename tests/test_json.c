/* SPDX-License-Identifier: MIT */
/* JSON as text: what is JSON, where it stops being so, and that nothing of it is lost on the way. */
#include "check.h"

#include "bulk/json.h"
#include <stdlib.h>
#include <string.h>

static ga__slice text(const char *string)
{
    return ga__slice_of(string);
}

static void json_is_told_from_what_is_none(void **state)
{
    static const struct {
        const char *text;
        int at; /* where it goes wrong; -1: it does not */
    } cases[] = {
        {"{}", -1},
        {" [ ] ", -1},
        {"null", -1},
        {"true", -1},
        {"false", -1},
        {"0", -1},
        {"-0.5e+10", -1},
        {"123456789012345678901234567890", -1},
        {"\"\"", -1},
        {"\"\\u00e9\\n\\\\\"", -1},
        {"{\"a\":[1,2,{\"b\":null}],\"c\":\"d\"}", -1},
        {"[[],[],{}]", -1},
        {"\xc3\xa9", 0},
        {"\"\xc3\xa9\"", -1},
        {"\"\xc3\"", 1},
        {"", 0},
        {"  ", 2},
        {"{", 1},
        {"[1", 2},
        {"[1,", 3},
        {"[1,]", 3},
        {"[,1]", 1},
        {"{\"a\"}", 4},
        {"{\"a\":}", 5},
        {"{\"a\":1,}", 7},
        {"{a:1}", 1},
        {"{\"a\":1]", 6},
        {"[1}", 2},
        {"]", 0},
        {"1 2", 2},
        {"01", 1},
        {"1.", 2},
        {"-", 1},
        {"+1", 0},
        {"1e", 2},
        {".5", 0},
        {"nul", 0},
        {"NaN", 0},
        {"'a'", 0},
        {"\"a", 2},
        {"\"\\x\"", 2},
        {"\"\\u12g4\"", 5},
        {"\"a\nb\"", 2},
        {"{}{}", 2},
        {"// x\n1", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga__json_problem problem = {0};
        bool valid = ga__json_check(text(cases[i].text), &problem);

        if (valid != (cases[i].at < 0) || (!valid && (problem.at != (size_t)cases[i].at || !problem.what)))
            fail_msg("%s: %d at %zu: %s", cases[i].text, valid, problem.at, problem.what);
    }
}

static void depth_is_bounded_and_costs_no_stack(void **state)
{
    char nested[1100];

    (void)state;
    memset(nested, '[', 512);
    memset(nested + 512, ']', 512);
    assert_true(ga__json_check((ga__slice){nested, 1024}, NULL));
    memset(nested, '[', 513);
    memset(nested + 513, ']', 513);
    assert_false(ga__json_check((ga__slice){nested, 1026}, NULL));
}

static void a_text_cut_anywhere_is_none(void **state)
{
    static const char whole[] = "{\"a\":[1,\"\\u00e9\",true],\"b\":{\"c\":null}}";

    (void)state;
    for (size_t size = 0; size < sizeof whole - 1; size++) {
        char *copy = malloc(size + 1); /* so that reading past its end is seen */

        assert_non_null(copy);
        memcpy(copy, whole, size);
        assert_false(ga__json_check((ga__slice){copy, size}, NULL));
        free(copy);
    }
}

static void members_and_elements_are_walked(void **state)
{
    ga__slice object = text(" { \"a\" : [1, {\"x\":\"]\"} ,\"\\\"\"] , \"b\\u0063\":-1.50 ,\"a\":null } ");
    ga__slice name, value;
    ga__json_walk walk;

    (void)state;
    ga__json_walk_begin(&walk, object);
    assert_true(ga__json_next_member(&walk, &name, &value));
    assert_true(ga__json_string_is(name, text("a")));
    assert_true(ga__slice_equal(value, text("[1, {\"x\":\"]\"} ,\"\\\"\"]")));

    ga__json_walk inner;
    static const char *const elements[] = {"1", "{\"x\":\"]\"}", "\"\\\"\""};

    ga__json_walk_begin(&inner, value);
    for (size_t i = 0; i < 3; i++) {
        ga__slice element;

        assert_true(ga__json_next_element(&inner, &element));
        assert_true(ga__slice_equal(element, text(elements[i])));
    }
    assert_false(ga__json_next_element(&inner, &value));
    assert_true(ga__json_next_member(&walk, &name, &value));
    assert_true(ga__json_string_is(name, text("bc")));
    assert_false(ga__json_string_is(name, text("bd")));
    assert_false(ga__json_string_is(name, text("b")));
    assert_false(ga__json_string_is(name, text("bcd")));
    assert_true(ga__json_string_is(text("\"\\ud83d\\ude00\\n\""), text("\xf0\x9f\x98\x80\n")));
    assert_true(ga__slice_equal(value, text("-1.50")));
    assert_true(ga__json_next_member(&walk, &name, &value));
    assert_false(ga__json_next_member(&walk, &name, &value));
    assert_false(ga__json_next_member(&walk, &name, &value));

    assert_true(ga__json_member(object, text("a"), &value)); /* the last */
    assert_int_equal(ga__json_kind_of(value), GA__JSON_NULL);
    assert_false(ga__json_member(object, text("x"), &value));
    assert_false(ga__json_member(text("[1]"), text("a"), &value));
    ga__json_walk_begin(&walk, text("{}"));
    assert_false(ga__json_next_member(&walk, &name, &value));
    ga__json_walk_begin(&walk, text("\"{\""));
    assert_false(ga__json_next_element(&walk, &value));
}

/* Whether `append` makes `expected` of `given`. */
static void check_append(void (*append)(ga__buffer *, ga__slice), const char *given, size_t size,
                         const char *expected)
{
    ga__buffer out = GA__BUFFER_INIT;

    append(&out, (ga__slice){given, size});
    assert_string_equal(out.data ? out.data : "", expected);
    ga__buffer_free(&out);
}

static void check_unquoted(const char *given, const char *expected)
{
    check_append(ga__json_append_unquoted, given, strlen(given), expected);
}

static void strings_are_read_and_written(void **state)
{
    (void)state;
    check_unquoted("\"a\\n\\t\\\"\\\\\\/\\u00e9\"", "a\n\t\"\\/\xc3\xa9");
    check_unquoted("\"\\ud83d\\ude00!\"", "\xf0\x9f\x98\x80!");
    check_unquoted("\"\\ud83dx\\ude00\"", "\xef\xbf\xbdx\xef\xbf\xbd");
    check_unquoted("\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
                                         "A");
    check_unquoted("\"\"", "");
    check_append(ga__json_append_quoted, "a\"\\\n\x01\x7f\xc3\xa9", 8, "\"a\\\"\\\\\\n\\u0001\x7f\xc3\xa9\"");
    check_append(ga__json_append_quoted,
                 "\xff"
                 "a",
                 2,
                 "\"\xef\xbf\xbd"
                 "a\"");
    check_append(ga__json_append_quoted, "\0", 1, "\"\\u0000\"");
    check_append(ga__json_append_escaped, "", 0, "");
}

static void a_value_is_copied_onto_one_line(void **state)
{
    static const char given[] = "\n{ \"a b\" : [ 1.10 ,\r\n\t12345678901234567890 ] , \"\\\" \" : \" \" }\n";

    (void)state;
    check_append(ga__json_append_compact, given, sizeof given - 1,
                 "{\"a b\":[1.10,12345678901234567890],\"\\\" \":\" \"}");
    check_append(ga__json_append_compact, " \"x\" ", 5, "\"x\"");
}

static void decimals_are_short(void **state)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {{0, "0"},       {1, "1"},       {812.1, "812.1"},
                 {0.05, "0.05"}, {1.0004, "1"},  {1.0006, "1.001"},
                 {-2.5, "-2.5"}, {-0.0001, "0"}, {1e15, "1000000000000000"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga__buffer out = GA__BUFFER_INIT;

        ga__json_append_decimal(&out, cases[i].number);
        assert_string_equal(out.data, cases[i].text);
        ga__buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_told_from_what_is_none),
        cmocka_unit_test(depth_is_bounded_and_costs_no_stack),
        cmocka_unit_test(a_text_cut_anywhere_is_none),
        cmocka_unit_test(members_and_elements_are_walked),
        cmocka_unit_test(strings_are_read_and_written),
        cmocka_unit_test(a_value_is_copied_onto_one_line),
        cmocka_unit_test(decimals_are_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
