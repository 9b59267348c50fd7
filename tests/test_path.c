/* SPDX-License-Identifier: MIT */
/* Paths: what they lead to, and which are none. */
#include "check.h"

#include "base/buffer.h"
#include "bulk/path.h"
#include <stdlib.h>
#include <string.h>

static const char body[] =
    "{\"a\": {\"b\": [10, 20, {\"c d\": \"x\"}]}, \"items\": [{\"id\": 1}, {\"no\": 0}, {\"id\": 3}],"
    " \"e\\\"\": 5, \"id-2\": 6, \"n\": null}";

static bool append(void *arg, ga__slice value)
{
    ga__buffer_append(arg, value.data, value.size);
    ga__buffer_add_char(arg, ';');
    return true;
}

static void paths_lead_to_values(void **state)
{
    static const struct {
        const char *path, *values;
    } cases[] = {
        {".a.b[0]", "10;"},
        {".a.b[-1]", "{\"c d\": \"x\"};"},
        {".a.b[-3]", "10;"},
        {".a.b[-4]", ""},
        {".a.b[3]", ""},
        {".a.b[2][\"c d\"]", "\"x\";"},
        {".a.b[2].\"c d\"", "\"x\";"},
        {".[\"a\"][\"b\"][1]", "20;"},
        {".items[].id", "1;3;"},
        {".items[]", "{\"id\": 1};{\"no\": 0};{\"id\": 3};"},
        {".items[].no", "0;"},
        {".a[][]", "10;20;{\"c d\": \"x\"};"},
        {".a.b[][]", "\"x\";"},
        {".[\"e\\\"\"]", "5;"},
        {".id-2", "6;"},
        {".n", "null;"},
        {".n.x", ""},
        {".missing", ""},
        {".a.b.c", ""},
        {".a[0]", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga__buffer values = GA__BUFFER_INIT;
        char *problem;
        ga__path *path = ga__path_parse(cases[i].path, &problem);
        ga__slice first;

        if (!path)
            fail_msg("%s: %s", cases[i].path, problem);
        ga__path_each(path, ga__slice_of(body), append, &values);
        assert_string_equal(values.data ? values.data : "", cases[i].values);
        assert_int_equal(ga__path_first(path, ga__slice_of(body), &first), cases[i].values[0] != '\0');
        assert_int_equal(ga__path_is_many(path), strstr(cases[i].path, "[]") != NULL);
        ga__buffer_free(&values);
        ga__path_free(path);
    }
}

static void the_whole_is_a_dot(void **state)
{
    char *problem;
    ga__path *path = ga__path_parse(".", &problem);
    ga__slice value;

    (void)state;
    assert_non_null(path);
    assert_true(ga__path_first(path, ga__slice_of("[1]"), &value));
    assert_true(ga__slice_equal(value, ga__slice_of("[1]")));
    ga__path_free(path);
}

static void what_is_no_path_is_told_with_its_place(void **state)
{
    static const struct {
        const char *path, *said;
    } cases[] = {
        {"", "begins with"},
        {"a", "begins with"},
        {"[0]", "begins with"},
        {"..a", "a name is expected"},
        {".a.", "a name is"},
        {".a[", "a number, a name"},
        {".a[0", "] is expected"},
        {".a[x]", "a number, a name"},
        {".a[\"x]", "in double"},
        {".a b", "\".\" or \"[\" is"},
        {".a[1.5]", "] is expected"},
        {".a|b", "\".\" or \"[\" is"},
        {".a[99999999999]", "a number"},
        {".a[\"\\q\"]", "in double quotes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *problem = NULL;

        assert_null(ga__path_parse(cases[i].path, &problem));
        assert_non_null(problem);
        if (!strstr(problem, cases[i].said))
            fail_msg("%s: %s", cases[i].path, problem);
        free(problem);
    }
}

static void steps_are_bounded(void **state)
{
    char many[33 * 2 + 1];
    char *problem = NULL;

    (void)state;
    for (size_t i = 0; i < 33; i++)
        memcpy(many + 2 * i, ".a", 3);
    assert_null(ga__path_parse(many, &problem));
    assert_non_null(strstr(problem, "32 steps"));
    free(problem);
    ga__path *path = ga__path_parse(many + 2, &problem);

    assert_non_null(path);
    ga__path_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_lead_to_values),
        cmocka_unit_test(the_whole_is_a_dot),
        cmocka_unit_test(what_is_no_path_is_told_with_its_place),
        cmocka_unit_test(steps_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
