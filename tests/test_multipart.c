/* SPDX-License-Identifier: MIT */
/* The text of multipart/form-data: exact bytes, and nothing that a name or filename could add to it. */
#include "check.h"

#include "protocol/multipart.h"
#include <gather/error.h>
#include <string.h>

static void parts_are_framed_as_browsers_do(void **state)
{
    static const ga_pair headers[] = {{"X-One", "1"}, {NULL, NULL}};
    static const ga__multipart_part plain = {.name = "title"};
    static const ga__multipart_part file = {"file", "a b.pdf", "application/pdf", headers};
    ga__buffer out = GA__BUFFER_INIT;
    const char *problem;

    (void)state;
    assert_int_equal(ga__multipart_begin(&out, "B", &plain, true, &problem), 0);
    ga__buffer_add(&out, "text");
    assert_int_equal(ga__multipart_begin(&out, "B", &file, false, &problem), 0);
    ga__buffer_add(&out, "bytes");
    ga__multipart_end(&out, "B", false);
    assert_string_equal(out.data, "--B\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\ntext\r\n"
                                  "--B\r\nContent-Disposition: form-data; name=\"file\"; "
                                  "filename=\"a b.pdf\"\r\nContent-Type: application/pdf\r\nX-One: "
                                  "1\r\n\r\nbytes\r\n--B--\r\n");
    ga__buffer_free(&out);
}

static void a_body_without_parts_is_its_end(void **state)
{
    ga__buffer out = GA__BUFFER_INIT;

    (void)state;
    ga__multipart_end(&out, "B", true);
    assert_string_equal(out.data, "--B--\r\n");
    ga__buffer_free(&out);
}

static void quotes_and_line_ends_are_escaped(void **state)
{
    static const ga__multipart_part part = {.name = "a\"; x=\"\r\nEvil: 1", .filename = "\n\"\r%41\\\té"};
    ga__buffer out = GA__BUFFER_INIT;
    const char *problem;

    (void)state;
    assert_int_equal(ga__multipart_begin(&out, "B", &part, true, &problem), 0);
    assert_string_equal(out.data, "--B\r\nContent-Disposition: form-data; name=\"a%22; x=%22%0D%0AEvil: 1\"; "
                                  "filename=\"%0A%22%0D%41\\\té\"\r\n\r\n");
    ga__buffer_free(&out);
}

static void what_could_break_a_head_is_refused(void **state)
{
    static const ga_pair line_end[] = {{"X", "a\r\nEvil: 1"}, {NULL, NULL}};
    static const ga_pair no_token[] = {{"X Y", "a"}, {NULL, NULL}};
    static const ga_pair no_value[] = {{"X", NULL}, {NULL, NULL}};
    static const ga_pair disposition[] = {{"content-disposition", "form-data"}, {NULL, NULL}};
    static const ga_pair type[] = {{"content-type", "a/b"}, {NULL, NULL}};
    static const struct {
        ga__multipart_part part;
        const char *problem;
    } cases[] = {
        {{.name = "a\x01"}, "name"},
        {{.name = "a\x7f"}, "name"},
        {{.name = "a", .filename = "\x1f"}, "filename"},
        {{.name = "a", .content_type = "a/b\nX: y"}, "line feed"},
        {{.name = "a", .headers = line_end}, "carriage return"},
        {{.name = "a", .headers = no_token}, "not allowed"},
        {{.name = "a", .headers = no_value}, "no value"},
        {{.name = "a", .headers = disposition}, "Content-Disposition"},
        {{.name = "a", .content_type = "a/b", .headers = type}, "twice"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga__buffer out = GA__BUFFER_INIT;
        const char *problem;

        assert_int_equal(ga__multipart_begin(&out, "B", &cases[i].part, true, &problem), GA_EHEADER);
        assert_non_null(strstr(problem, cases[i].problem));
        assert_int_equal(out.size, 0);
        ga__buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_framed_as_browsers_do),
        cmocka_unit_test(a_body_without_parts_is_its_end),
        cmocka_unit_test(quotes_and_line_ends_are_escaped),
        cmocka_unit_test(what_could_break_a_head_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
