/* SPDX-License-Identifier: MIT */
/* CSV: records whole, cut anywhere, and broken; and that what is written is read again. */
#include "check.h"

#include "bulk/csv.h"
#include <stdlib.h>
#include <string.h>

/* The records of a text, given in pieces of that size, as "[a|b][c]"; "!" is a broken one. */
static char *read_all(const char *text, size_t size, char separator, size_t piece)
{
    ga__buffer out = GA__BUFFER_INIT;
    ga__csv csv;
    size_t at = 0, there = 0;

    ga__csv_init(&csv, separator);
    while (at < size) {
        size_t consumed;
        bool last = there == size;
        char *copy = malloc(there - at); /* so that reading past its end is seen */

        assert_non_null(copy);
        memcpy(copy, text + at, there - at);
        ga__csv_result result = ga__csv_read(&csv, copy, there - at, last, &consumed);

        if (result == GA__CSV_MORE) {
            assert_false(last);
            there = there + piece < size ? there + piece : size;
        } else if (result == GA__CSV_BROKEN) {
            ga__buffer_add_char(&out, '!');
        } else {
            for (size_t i = 0; i < csv.count; i++) {
                ga__buffer_add_char(&out, i == 0 ? '[' : '|');
                ga__buffer_append(&out, csv.fields[i].data, csv.fields[i].size);
            }
            ga__buffer_add_char(&out, ']');
        }
        free(copy);
        if (result != GA__CSV_MORE) {
            assert_true(consumed > 0 && consumed <= there - at);
            at += consumed;
        }
    }
    ga__csv_free(&csv);
    return ga__buffer_take(&out);
}

static void records_are_read_whole_and_cut_anywhere(void **state)
{
    static const struct {
        const char *text, *records;
        char separator;
    } cases[] = {
        {"a,b\n1,2\n", "[a|b][1|2]", ','},
        {"a,b\r\n1,2", "[a|b][1|2]", ','},
        {"a\tb\n1,1\t2\n", "[a|b][1,1|2]", '\t'},
        {"\xef\xbb\xbf"
         "a,b\n",
         "[a|b]", ','},
        {"\"a,1\",\"b\"\"c\"\n", "[a,1|b\"c]", ','},
        {"\"a\nb\r\nc\",d\r\n", "[a\nb\r\nc|d]", ','},
        {"\"\",\"\"\n,\n", "[|][|]", ','},
        {"\n\nx\n", "[][][x]", ','},
        {"5\" pipe,b\n", "[5\" pipe|b]", ','},
        {"a,\"b\"\r\n\"c\"\n", "[a|b][c]", ','},
        {"a,\"b\"x\nc,d\n", "![c|d]", ','},
        {"a,\"b\n1,2\n3,4\n", "![1|2][3|4]", ','},
        {"\"", "!", ','},
        {"a,b\r", "[a|b]", ','},
        {"a\rb,c\n", "[a\rb|c]", ','},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen(cases[i].text);

        for (size_t piece = 1; piece <= size; piece++) {
            char *records = read_all(cases[i].text, size, cases[i].separator, piece);

            assert_string_equal(records, cases[i].records);
            free(records);
        }
    }
}

static void lines_are_counted(void **state)
{
    static const char text[] = "a,\"b\n\nc\"\nd\n";
    size_t consumed;
    ga__csv csv;

    (void)state;
    ga__csv_init(&csv, ',');
    assert_int_equal(ga__csv_read(&csv, text, sizeof text - 1, true, &consumed), GA__CSV_RECORD);
    assert_int_equal(csv.lines, 3);
    assert_int_equal(ga__csv_read(&csv, text + consumed, sizeof text - 1 - consumed, true, &consumed),
                     GA__CSV_RECORD);
    assert_int_equal(csv.lines, 1);
    ga__csv_free(&csv);
}

static void nothing_behind_the_bytes_is_read(void **state)
{
    size_t consumed;
    ga__csv csv;

    (void)state;
    ga__csv_init(&csv, ',');
    assert_int_equal(ga__csv_read(&csv, "\"a\"\"b\"", 3, true, &consumed), GA__CSV_RECORD);
    assert_int_equal(csv.count, 1);
    assert_int_equal(csv.fields[0].size, 1);
    ga__csv_free(&csv);
}

static void what_is_written_is_read_again(void **state)
{
    static const char *const fields[] = {"a", "", "b,c", "d\"e", "f\ng", "h\r\ni", " j ", "\tk"};
    enum { COUNT = sizeof fields / sizeof *fields };
    ga__buffer out = GA__BUFFER_INIT;
    size_t consumed;
    ga__csv csv;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        if (i > 0)
            ga__buffer_add_char(&out, ',');
        ga__csv_append(&out, ga__slice_of(fields[i]), ',');
    }
    ga__buffer_add_char(&out, '\n');
    assert_non_null(strstr(out.data, "a,,\"b,c\",\"d\"\"e\""));
    ga__csv_init(&csv, ',');
    assert_int_equal(ga__csv_read(&csv, out.data, out.size, false, &consumed), GA__CSV_RECORD);
    assert_int_equal(consumed, out.size);
    assert_int_equal(csv.count, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(ga__slice_equal(csv.fields[i], ga__slice_of(fields[i])));
    ga__csv_free(&csv);
    ga__buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read_whole_and_cut_anywhere),
        cmocka_unit_test(lines_are_counted),
        cmocka_unit_test(nothing_behind_the_bytes_is_read),
        cmocka_unit_test(what_is_written_is_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
