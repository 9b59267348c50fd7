/* SPDX-License-Identifier: MIT */
/* Content-Type as servers write it. */
#include "check.h"
#include "protocol/media_type.h"

static ga__media_type parsed(const char *value)
{
    ga__media_type media;

    if (!ga__media_type_parse(&media, value, strlen(value)))
        fail_msg("%s was refused", value);
    return media;
}

static void type_and_subtype_are_tokens(void **state)
{
    static const struct {
        const char *value;
        const char *type;
        const char *subtype;
    } rows[] = {
        {"text/html", "text", "html"},
        {"TEXT/HTML; charset=utf-8", "TEXT", "HTML"},
        {"  application/json  ", "application", "json"},
        {"application/vnd.api+json;v=1", "application", "vnd.api+json"},
        {"image/svg+xml ; a=b", "image", "svg+xml"},
        {"*/*", "*", "*"},
        {"text/plain;", "text", "plain"},
    };
    static const char *const bad[] = {"",           "text",       "text/",    "/html",    "text /html",
                                      "text/ html", "te xt/html", "a/b/c",    "text/h\"", "a/b c",
                                      "text,html",  ";charset=x", "a/b, c/d", "\xe4/b"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__media_type media = parsed(rows[i].value);

        assert_true(ga__slice_equal(media.type, ga__slice_of(rows[i].type)));
        assert_true(ga__slice_equal(media.subtype, ga__slice_of(rows[i].subtype)));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ga__media_type media;
        char value[8];

        if (ga__media_type_parse(&media, bad[i], strlen(bad[i])))
            fail_msg("%s was accepted", bad[i]);
        assert_int_equal(media.type.size + media.subtype.size + media.parameters.size, 0);
        assert_false(ga__media_type_parameter(&media, "charset", value, sizeof value));
        assert_false(ga__media_type_is_json(&media));
    }
}

static void parameters_are_found_and_unquoted(void **state)
{
    static const struct {
        const char *value;
        const char *charset; /* NULL: none */
    } rows[] = {
        {"a/b;charset=utf-8", "utf-8"},
        {"a/b; charset=utf-8", "utf-8"},
        {"a/b ;\tCHARSET=UTF-8 ", "UTF-8"},
        {"a/b; charset=\"utf-8\"", "utf-8"},
        {"a/b; charset=\"u\\tf\\\"8\\\\\"", "utf\"8\\"},
        {"a/b; charset=\"utf-8", "utf-8"},
        {"a/b; charset=\"utf-8\\", "utf-8\\"},
        {"a/b; charset=\"\"", ""},
        {"a/b; charset=", ""},
        {"a/b; charset=utf-8; charset=latin1", "utf-8"},
        {"a/b; x=\";charset=no\"; charset=yes", "yes"},
        {"a/b; x=\"\\\";charset=no\"; charset=yes", "yes"},
        {"a/b; x; ; =; charset=yes", "yes"},
        {"a/b;;;charset=yes", "yes"},
        {"a/b; xcharset=no; charsetx=no", NULL},
        {"a/b; charset", NULL},
        {"a/b; charset =no", NULL},
        {"a/b", NULL},
        {"a/b; x=\"charset=no", NULL},
        {"a/b; charset=it's;x", "it's"},
    };
    char value[64];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__media_type media = parsed(rows[i].value);

        if (ga__media_type_parameter(&media, "charset", value, sizeof value) != (rows[i].charset != NULL))
            fail_msg("%s", rows[i].value);
        assert_string_equal(value, rows[i].charset ? rows[i].charset : "");
    }
}

static void a_value_that_does_not_fit_is_none(void **state)
{
    ga__media_type media = parsed("a/b; q=\"12345678\"");
    char value[9];

    (void)state;
    assert_true(ga__media_type_parameter(&media, "q", value, 9));
    assert_string_equal(value, "12345678");
    assert_false(ga__media_type_parameter(&media, "q", value, 8));
    assert_string_equal(value, "");
    assert_false(ga__media_type_parameter(&media, "q", value, 1));
}

static void json_is_told_from_other_types(void **state)
{
    static const char *const json[] = {"application/json", "Application/JSON; charset=utf-8",
                                       "application/problem+json", "application/vnd.github.v3+json"};
    static const char *const others[] = {"text/json",           "text/html",         "application/jsonp",
                                         "application/+json",   "application/xjson", "application/json-seq",
                                         "application/x+jsonx", "image/x+json"};

    (void)state;
    for (size_t i = 0; i < sizeof json / sizeof *json; i++) {
        ga__media_type media = parsed(json[i]);

        assert_true(ga__media_type_is_json(&media));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ga__media_type media = parsed(others[i]);

        if (ga__media_type_is_json(&media))
            fail_msg("%s", others[i]);
    }
}

static void types_are_compared_without_case(void **state)
{
    ga__media_type media = parsed("Text/Event-Stream");

    (void)state;
    assert_true(ga__media_type_is(&media, "text", "event-stream"));
    assert_false(ga__media_type_is(&media, "text", "event"));
    assert_false(ga__media_type_is(&media, "texts", "event-stream"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(type_and_subtype_are_tokens),
        cmocka_unit_test(parameters_are_found_and_unquoted),
        cmocka_unit_test(a_value_that_does_not_fit_is_none),
        cmocka_unit_test(json_is_told_from_other_types),
        cmocka_unit_test(types_are_compared_without_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
