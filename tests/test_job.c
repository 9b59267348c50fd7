/* SPDX-License-Identifier: MIT */
/* Whole jobs against a scripted server: records and their order, shares, and pages. */
#include "job_server.h"

#include <stdlib.h>
#include <string.h>

static void every_row_has_one_record_on_one_thread_and_on_two(void **state)
{
    char *rows = write_rows("\"/ok/%d\"\n", 300), *output = check_path("all.jsonl");
    ga__job_options options = job_to(output);

    (void)state;
    for (options.threads = 1; options.threads <= 2; options.threads++) {
        free(job_run(options, rows, 0));
        assert_int_equal(job_requests, 300);
        check_records(output, 300);
    }
    free(rows);
    free(output);
}

static void records_of_each_kind_say_what_became_of_the_row(void **state)
{
    char *rows = check_path("rows.jsonl"), *output = check_path("kinds.jsonl");

    (void)state;
    check_write_file(rows, "\"/ok/1\"\n\"/missing\"\n\"/busy\"\nnonsense\n{\"url\":\"/x\",\"expect\":404}\n"
                           "{\"url\":\"/y\",\"id\":1}\n{\"url\":\"/z\",\"id\":1}\n{\"url\":\"ftp://h/\"}\n");
    free(job_run(job_to(output), rows, 1));
    char *text = check_read_file(output);

    check_records(output, 8);
    assert_contains(text, "\"body\":{\"path\":\"/ok/1\"}");
    assert_contains(text, "\"status\":404");
    assert_contains(text, "\"kind\":\"http\"");
    assert_contains(text, "\"attempts\":2");
    assert_contains(text, "\"kind\":\"expect\"");
    assert_contains(text, "a row before has the same id");
    assert_int_equal(count_of(text, "\"kind\":\"input\""), 3);
    assert_contains(text, "\"line\":4");
    free(text);
    free(rows);
    free(output);
}

static void a_body_is_text_where_its_type_says_of_which_charset(void **state)
{
    char *rows = check_path("rows.jsonl"), *output = check_path("latin.jsonl");

    (void)state;
    check_write_file(rows, "\"/latin/text\"\n\"/latin/charset\"\n\"/latin/bytes\"\n");
    free(job_run(job_to(output), rows, 0));
    char *text = check_read_file(output);

    assert_int_equal(count_of(text, "\"text\":\"a\xc3\xa9z\""), 2);
    assert_contains(text, "\"body_base64\":\"Yel6\"");
    free(text);
    free(rows);
    free(output);
}

static void ordered_records_stand_in_the_order_of_the_rows(void **state)
{
    char *rows = write_rows("\"/late/%d\"\n", 60), *output = check_path("ordered.jsonl");
    ga__job_options options = job_to(output);

    (void)state;
    options.ordered = true;
    free(job_run(options, rows, 0));
    char *text = check_read_file(output), *at = text;

    for (int i = 1; i <= 60; i++) {
        assert_int_equal(strncmp(at, "{\"n\":", 5), 0);
        assert_int_equal(atoi(at + 5), i);
        at = strchr(at, '\n') + 1;
    }
    free(text);
    free(rows);
    free(output);
}

static void shares_are_disjoint_and_complete(void **state)
{
    char *rows = write_rows("\"/ok/%d\"\n", 200), *output = check_path("share.jsonl");
    bool seen[201] = {false};
    int sum = 0;

    (void)state;
    for (uint32_t i = 1; i <= 3; i++) {
        ga__job_options options = job_to(output);

        options.shard = i;
        options.shards = 3;
        free(job_run(options, rows, 0));
        char *text = check_read_file(output);

        for (char *at = text; (at = strstr(at, "\"n\":")); at++, sum++) {
            assert_false(seen[atoi(at + 4)]);
            seen[atoi(at + 4)] = true;
        }
        free(text);
    }
    assert_int_equal(sum, 200);
    free(rows);
    free(output);
}

/* --- pages ---------------------------------------------------------------------------------------- */

static char *run_page(const char *next, const char *items, const char *row, int expected, bool follow)
{
    char *output = check_path("pages.jsonl"), *rows = check_path("rows.txt");
    ga__job_options options = job_to(output);

    check_write_file(rows, row);
    options.next = next;
    options.items = items;
    options.follow = follow;
    free(job_run(options, rows, expected));
    char *text = check_read_file(output);

    free(rows);
    free(output);
    return text;
}

static void pages_are_followed_to_their_end(void **state)
{
    char *text = run_page("link", NULL, "/page/1", 0, false);

    (void)state;
    assert_int_equal(count_of(text, "\n"), 3);
    assert_contains(text, "\"page\":3");
    free(text);
    text = run_page("link", ".[]", "/page/1", 0, false);
    assert_int_equal(count_of(text, "\"body\":{\"a\":"), 6);
    free(text);
    text = run_page("at=.next", NULL, "/cursor?x=1", 0, false);
    assert_int_equal(job_requests, 2);
    assert_contains(text, "/cursor?x=1&at=b%20c");
    free(text);
}

static void circles_and_other_hosts_are_refused(void **state)
{
    char *text = run_page("link", NULL, "/circle/1", 1, false);

    (void)state;
    assert_true(job_requests < 10);
    assert_contains(text, "go round in a circle");
    free(text);
    text = run_page("at=.next", NULL, "/stuck", 1, false);
    assert_int_equal(job_requests, 2);
    assert_contains(text, "is the page itself");
    free(text);
    text = run_page("link", NULL, "/foreign", 1, false);
    assert_contains(text, "is not on the host of the row");
    free(text);
    text = run_page("link", NULL, "/moved", 1, true); /* its page is on the other host, and so is the next */
    assert_int_equal(job_requests, 2);
    assert_contains(text, "is not on the host of the row");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_one_record_on_one_thread_and_on_two),
        cmocka_unit_test(records_of_each_kind_say_what_became_of_the_row),
        cmocka_unit_test(a_body_is_text_where_its_type_says_of_which_charset),
        cmocka_unit_test(ordered_records_stand_in_the_order_of_the_rows),
        cmocka_unit_test(shares_are_disjoint_and_complete),
        cmocka_unit_test(pages_are_followed_to_their_end),
        cmocka_unit_test(circles_and_other_hosts_are_refused),
    };

    return cmocka_run_group_tests(tests, job_set_up, job_tear_down);
}
