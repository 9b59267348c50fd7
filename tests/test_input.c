/* SPDX-License-Identifier: MIT */
/* The rows of a job's inputs: of each form, in order, with their places; what is no row; what makes no sense.
 */
#include "check.h"

#include "base/buffer.h"
#include "bulk/input.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A row as "LINE:FORM:TEXT;". */
static void append_row(ga__buffer *out, const ga__raw_row *row)
{
    ga__buffer_printf(out, "%llu:%c:", (unsigned long long)row->line, "ujc!"[row->form]);
    if (row->form == GA__ROW_BAD)
        ga__buffer_add(out, row->problem);
    else if (row->form != GA__ROW_CSV)
        ga__buffer_append(out, row->text.data, row->text.size);
    for (size_t i = 0; row->form == GA__ROW_CSV && i < row->count; i++)
        ga__buffer_printf(out, "%s%.*s=%.*s", i > 0 ? "," : "", (int)row->names[i].size, row->names[i].data,
                          (int)row->fields[i].size, row->fields[i].data);
    ga__buffer_add_char(out, ';');
}

static char *read_rows(ga__input *input)
{
    ga__buffer out = GA__BUFFER_INIT;
    ga__raw_row row;
    char *problem;
    uint64_t n = 0;
    int code;

    while ((code = ga__input_next(input, &row, &problem)) > 0) {
        assert_int_equal(row.n, ++n);
        append_row(&out, &row);
    }
    if (code < 0)
        fail_msg("%s", problem);
    return ga__buffer_take(&out);
}

static ga__input *open_names(const char *const *names, size_t count, bool has_template)
{
    char *problem;
    ga__input *input = ga__input_open(
        &(ga__input_options){.names = names, .count = count, .has_base = true, .has_template = has_template},
        &problem);

    if (!input)
        fail_msg("%s", problem);
    return input;
}

static void check_rows(const char *name, const char *text, const char *rows)
{
    char *path = check_new_file(name, text);
    ga__input *input = open_names((const char *const[]){path}, 1, false);
    char *read = read_rows(input);

    assert_string_equal(read, rows);
    assert_true(*text == '\0' || ga__input_progress(input) == 1);
    assert_int_equal(ga__input_count(input), 0);
    assert_false(ga__input_may_block(input));
    free(read);
    ga__input_free(input);
    free(path);
}

static void files_have_the_form_of_their_names(void **state)
{
    (void)state;
    check_rows("a.txt", "http://a/\r\n\n# no\n  http://b/ \nhttp://c/",
               "1:u:http://a/;4:u:http://b/;5:u:http://c/;");
    check_rows("a.jsonl", "\xef\xbb\xbf{\"url\":\"x\"}\n\n\"http://y/\"\r\n",
               "1:j:{\"url\":\"x\"};3:j:\"http://y/\";");
    check_rows("a.csv",
               "\xef\xbb\xbf"
               "a,b\r\n1,\"x\ny\"\n\n3,4",
               "2:c:a=1,b=x\ny;5:c:a=3,b=4;");
    check_rows("a.tsv", "a\tb\n1,5\t2\n", "2:c:a=1,5,b=2;");
    check_rows("empty.jsonl", "", "");
}

static void bad_rows_have_a_place_and_a_reason(void **state)
{
    (void)state;
    check_rows("b.jsonl", "{\"a\":1\n{}\n[1]\n7\n{\"x\":\xff}\n",
               "1:!:not JSON, at character 7: it ends early;2:j:{};3:!:an object, or a string that is a URL, "
               "is expected;"
               "4:!:an object, or a string that is a URL, is expected;5:!:not JSON, at character 6: a value "
               "is expected;");
    check_rows("b.csv", "a,b\n1\n1,2,3\n\"x\"y,2\n1,2\n\"open\n5,6\n",
               "2:!:it has 1 fields, and the head has 2;3:!:it has 3 fields, and the head has 2;"
               "4:!:a quoted field does not end, or goes on behind its quote;5:c:a=1,b=2;"
               "6:!:a quoted field does not end, or goes on behind its quote;7:c:a=5,b=6;");
}

static void inputs_follow_each_other(void **state)
{
    char *lines = check_new_file("c.txt", "http://x/\n"), *table = check_new_file("c.csv", "k\n1\n");
    const char *const names[] = {"http://h/[1-2]", lines, "/base/{a,b}", table};
    ga__input *input = open_names(names, 4, false);
    char *rows = read_rows(input);
    size_t columns;

    (void)state;
    assert_string_equal(rows, "0:u:http://h/1;0:u:http://h/2;1:u:http://x/;0:u:/base/a;0:u:/base/b;2:c:k=1;");
    assert_true(ga__slice_equal(ga__input_columns(input, &columns)[0], ga__slice_of("k")));
    assert_int_equal(columns, 1);
    ga__input_free(input);
    input = open_names((const char *const[]){"http://h/[1-20]", "http://i/[1-3][1-2]"}, 2, false);
    assert_int_equal(ga__input_count(input), 26);
    ga__input_free(input);
    free(rows);
    free(lines);
    free(table);
}

static void check_refused(const char *name, const char *said)
{
    char *problem = NULL;

    assert_null(ga__input_open(&(ga__input_options){.names = &name, .count = 1}, &problem));
    assert_non_null(problem);
    if (!strstr(problem, said))
        fail_msg("%s: %s", name, problem);
    free(problem);
}

static void what_makes_no_sense_is_said_before_the_first_row(void **state)
{
    static const struct {
        const char *name, *text, *said;
    } cases[] = {
        {"d.jsonl", " \n[{\"url\":1}]", "one JSON array; a row a line is expected: `jq"},
        {"d.json", "\xEF\xBB\xBF[{\"url\":1}]", "one JSON array; a row a line is expected: `jq"},
        {"d.csv", "\n", "has no head"},
        {"d.csv.gz", "\x1f\x8b\x08", "is compressed: `zcat"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = check_new_file(cases[i].name, cases[i].text);

        check_refused(path, cases[i].said);
        free(path);
    }
    check_refused("not.there", "No such file or directory; an input is a file, a URL as https://not.there");
    check_refused("http://h/[1-", "] is missing");
    check_refused(check_directory, "is a directory");
    check_refused("/not/there", "No such file"); /* without a base URL it is a file */
}

static void a_line_longer_than_a_row_may_be_is_skipped(void **state)
{
    char *path = check_path("long.jsonl");
    FILE *file = fopen(path, "w");
    char zeros[4096];
    char *rows;

    (void)state;
    assert_non_null(file);
    memset(zeros, '0', sizeof zeros);
    fputs("{}\n\"", file);
    for (int i = 0; i < (65 << 20) / (int)sizeof zeros; i++)
        fwrite(zeros, sizeof zeros, 1, file);
    fputs("\"\n{\"a\":1}\n", file);
    fclose(file);
    ga__input *input = open_names((const char *const[]){path}, 1, false);

    rows = read_rows(input);
    assert_string_equal(rows, "1:j:{};2:!:the line is longer than 64 MiB;3:j:{\"a\":1};");
    free(rows);
    ga__input_free(input);
    unlink(path);
    free(path);
}

/* Runs with a pipe as standard input. @return its writing end */
static int with_stdin(int *saved)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    *saved = dup(STDIN_FILENO);
    assert_true(dup2(ends[0], STDIN_FILENO) >= 0);
    close(ends[0]);
    return ends[1];
}

static void restore_stdin(int saved)
{
    dup2(saved, STDIN_FILENO);
    close(saved);
}

static void standard_input_is_what_it_begins_with(void **state)
{
    static const struct {
        const char *text, *rows;
        bool has_template;
    } cases[] = {
        {"{\"url\":\"a\"}\n", "1:j:{\"url\":\"a\"};", false},
        {"\n\"http://x/\"\n", "2:j:\"http://x/\";", true},
        {"http://x/\n", "1:u:http://x/;", false},
        {"a,b\n1,2\n", "2:c:a=1,b=2;", true},
        {"a\tb\n1\t2\n", "2:c:a=1,b=2;", true},
        {"[a],b\n1,2\n", "2:c:[a]=1,b=2;", true},
        {"", "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int saved, writing = with_stdin(&saved);

        assert_true(write(writing, cases[i].text, strlen(cases[i].text)) >= 0);
        close(writing);
        ga__input *input = open_names((const char *const[]){"-"}, 1, cases[i].has_template);

        assert_true(ga__input_may_block(input));
        assert_true(ga__input_progress(input) < 0);
        char *rows = read_rows(input);

        assert_string_equal(rows, cases[i].rows);
        free(rows);
        ga__input_free(input);
        restore_stdin(saved);
    }
}

static void an_array_on_standard_input_is_refused(void **state)
{
    static const char *const texts[] = {"[{\"url\":\"/a\"}]", "\xEF\xBB\xBF [\n\"/a\"\n]\n", "[]"};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof texts / sizeof *texts; i++) {
        int saved, writing = with_stdin(&saved);
        const char *text = texts[i / 2], *name = "-";
        char *problem = NULL;

        assert_true(write(writing, text, strlen(text)) >= 0);
        close(writing);
        assert_null(ga__input_open(
            &(ga__input_options){.names = &name, .count = 1, .has_template = i % 2 == 1}, &problem));
        assert_non_null(problem);
        assert_contains(problem, "standard input holds one JSON array; a row a line is expected: "
                                 "`jq -c '.[]' | gather -` reads it");
        free(problem);
        restore_stdin(saved);
    }
}

static void *stop_soon(void *input)
{
    usleep(20000);
    ga__input_stop(input);
    return NULL;
}

static void who_waits_for_a_pipe_can_be_stopped(void **state)
{
    int saved, writing = with_stdin(&saved);
    pthread_t thread;
    ga__raw_row row;
    char *problem;

    (void)state;
    assert_true(write(writing, "http://x/\nhttp:", 15) == 15);
    ga__input *input = open_names((const char *const[]){"-"}, 1, false);

    assert_int_equal(ga__input_next(input, &row, &problem), 1);
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, input), 0);
    assert_int_equal(ga__input_next(input, &row, &problem), 0);
    pthread_join(thread, NULL);
    ga__input_free(input);
    restore_stdin(saved);
    close(writing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_have_the_form_of_their_names),
        cmocka_unit_test(bad_rows_have_a_place_and_a_reason),
        cmocka_unit_test(inputs_follow_each_other),
        cmocka_unit_test(what_makes_no_sense_is_said_before_the_first_row),
        cmocka_unit_test(a_line_longer_than_a_row_may_be_is_skipped),
        cmocka_unit_test(standard_input_is_what_it_begins_with),
        cmocka_unit_test(an_array_on_standard_input_is_refused),
        cmocka_unit_test(who_waits_for_a_pipe_can_be_stopped),
    };

    return cmocka_run_group_tests(tests, check_make_directory, check_remove_directory);
}
