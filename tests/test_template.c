/* SPDX-License-Identifier: MIT */
/* Templates: columns are encoded for where they stand, and what is wrong is said before it is filled. */
#include "check.h"

#include "bulk/template.h"
#include <stdlib.h>
#include <string.h>

static bool column(void *arg, ga__slice name, ga__slice *value)
{
    static const struct {
        const char *name, *value;
    } columns[] = {{"city", "S\xc3\xa3o \"P\"/1&2"},
                   {"n", "7"},
                   {"two words", "x"},
                   {"evil", "a\r\nB: c"},
                   {"brace", "{n}${env:GATHER_TEST_SECRET}"},
                   {"hidden", "../etc"},
                   {"empty", ""}};

    (void)arg;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        if (!ga__slice_equal(name, ga__slice_of(columns[i].name)))
            continue;
        *value = ga__slice_of(columns[i].value);
        return true;
    }
    return false;
}

static const struct {
    ga__template_use use;
    const char *template, *filled;
} filled[] = {
    {GA__TEMPLATE_URL, "http://h/{city}?n={n}", "http://h/S%C3%A3o%20%22P%22%2F1%262?n=7"},
    {GA__TEMPLATE_URL, "http://h/{+n}/{two words}", "http://h/7/x"},
    {GA__TEMPLATE_URL, "http://h/{{n}}/{n}", "http://h/{n}/7"},
    {GA__TEMPLATE_URL, "http://h/{brace}", "http://h/%7Bn%7D%24%7Benv%3AGATHER_TEST_SECRET%7D"},
    {GA__TEMPLATE_URL, "http://h/{+brace}", "http://h/{n}${env:GATHER_TEST_SECRET}"},
    {GA__TEMPLATE_URL, "http://h/?k=${env:GATHER_TEST_SECRET}", "http://h/?k=s3cret"},
    {GA__TEMPLATE_URL, "http://h/$x", "http://h/$x"},
    {GA__TEMPLATE_JSON, "{\"q\":\"{city}\",\"n\":{+n}}", "{\"q\":\"S\xc3\xa3o \\\"P\\\"/1&2\",\"n\":7}"},
    {GA__TEMPLATE_JSON, "{\"a\":{\"b\":{\"c\":\"{n}\"}}}", "{\"a\":{\"b\":{\"c\":\"7\"}}}"},
    {GA__TEMPLATE_JSON, "[{},{ }, {\"x\":[]}]", "[{},{ }, {\"x\":[]}]"},
    {GA__TEMPLATE_JSON, "{\"e\":\"{evil}\"}", "{\"e\":\"a\\r\\nB: c\"}"},
    {GA__TEMPLATE_JSON, "{\"e\":\"{{n}}\"}", "{\"e\":\"{n}\"}"},
    {GA__TEMPLATE_HEADER, "Bearer ${env:GATHER_TEST_SECRET}", "Bearer s3cret"},
    {GA__TEMPLATE_HEADER, "{city}", "S\xc3\xa3o \"P\"/1&2"},
    {GA__TEMPLATE_FORM, "a={city}&b={n}", "a=S%C3%A3o%20%22P%22%2F1%262&b=7"},
    {GA__TEMPLATE_FILE, "out/{n}.json", "out/7.json"},
    {GA__TEMPLATE_FILE, "out/{hidden}", "out/_._etc"},
    {GA__TEMPLATE_FILE, "out/{empty}{n}", "out/_7"},
    {GA__TEMPLATE_FILE, "out/x{evil}", "out/xa__B: c"},
};

static void columns_are_encoded_for_where_they_stand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof filled / sizeof *filled; i++) {
        char *problem;
        ga__template *template = ga__template_parse(filled[i].template, filled[i].use, &problem);
        ga__buffer out = GA__BUFFER_INIT;

        if (!template)
            fail_msg("%s: %s", filled[i].template, problem);
        assert_true(ga__template_fill(template, column, NULL, false, &out, &problem));
        assert_string_equal(out.data, filled[i].filled);
        ga__buffer_free(&out);
        ga__template_free(template);
    }
}

static void what_is_wrong_is_said(void **state)
{
    static const struct {
        ga__template_use use;
        const char *template, *said;
    } cases[] = {
        {GA__TEMPLATE_URL, "http://h/{", "a column in braces"},
        {GA__TEMPLATE_URL, "http://h/{}", "a column in braces"},
        {GA__TEMPLATE_URL, "http://h/a}b", "a column in braces"},
        {GA__TEMPLATE_URL, "http://h/{\"n\"}", "a column in braces"},
        {GA__TEMPLATE_URL, "${env:}", "${env:NAME} is expected"},
        {GA__TEMPLATE_HEADER, "${env:GATHER_TEST_NOT_THERE}", "the environment has no GATHER_TEST_NOT_THERE"},
        {GA__TEMPLATE_HEADER, "${env:GATHER_TEST_SECRET", "${env:NAME} is expected"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *problem = NULL;

        assert_null(ga__template_parse(cases[i].template, cases[i].use, &problem));
        assert_non_null(problem);
        if (!strstr(problem, cases[i].said))
            fail_msg("%s: %s", cases[i].template, problem);
        free(problem);
    }
}

/* What is said when it is filled. */
static void check_refused(ga__template_use use, const char *text, const char *said)
{
    char *problem;
    ga__template *template = ga__template_parse(text, use, &problem);
    ga__buffer out = GA__BUFFER_INIT;

    assert_non_null(template);
    assert_false(ga__template_fill(template, column, NULL, false, &out, &problem));
    assert_non_null(strstr(problem, said));
    free(problem);
    ga__buffer_free(&out);
    ga__template_free(template);
}

static void rows_cannot_break_a_header(void **state)
{
    (void)state;
    check_refused(GA__TEMPLATE_HEADER, "X: {evil}", "control character (0x0d)");
    check_refused(GA__TEMPLATE_HEADER, "X: {+evil}", "control character (0x0d)");
    check_refused(GA__TEMPLATE_URL, "http://h/{nothing}", "no column \"nothing\"");
}

static void secrets_are_shown_by_name(void **state)
{
    char *problem;
    ga__template *template =
        ga__template_parse("{n} ${env:GATHER_TEST_SECRET}", GA__TEMPLATE_HEADER, &problem);
    ga__buffer out = GA__BUFFER_INIT;

    (void)state;
    assert_non_null(template);
    assert_true(ga__template_is_secret(template));
    assert_true(ga__template_fill(template, column, NULL, true, &out, &problem));
    assert_string_equal(out.data, "7 ${env:GATHER_TEST_SECRET}");
    ga__buffer_free(&out);
    ga__template_free(template);
}

static void columns_are_known_before_rows_are(void **state)
{
    char *problem;
    ga__template *template = ga__template_parse("{a}-{{b}}-{+c d}", GA__TEMPLATE_URL, &problem);
    ga__slice name;

    (void)state;
    assert_non_null(template);
    assert_true(ga__template_column_at(template, 0, &name) && ga__slice_equal(name, ga__slice_of("a")));
    assert_true(ga__template_column_at(template, 1, &name) && ga__slice_equal(name, ga__slice_of("c d")));
    assert_false(ga__template_column_at(template, 2, &name));
    ga__template_free(template);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_encoded_for_where_they_stand),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(rows_cannot_break_a_header),
        cmocka_unit_test(secrets_are_shown_by_name),
        cmocka_unit_test(columns_are_known_before_rows_are),
    };

    setenv("GATHER_TEST_SECRET", "s3cret", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
