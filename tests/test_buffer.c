/* SPDX-License-Identifier: MIT */
/* The growing buffer: what it holds after appends, what it does at its limits, who owns what it gives. */
#include "check.h"

#include "base/buffer.h"

#include <string.h>

static void is_a_string_at_every_size(void **state)
{
    ga__buffer buffer = GA__BUFFER_INIT;

    (void)state;
    for (size_t size = 1; size <= 1000; size++) {
        ga__buffer_add_char(&buffer, (char)('a' + size % 26));
        assert_int_equal(buffer.size, size);
        assert_int_equal(strlen(buffer.data), size);
    }
    for (size_t i = 0; i < buffer.size; i++)
        assert_int_equal(buffer.data[i], 'a' + (i + 1) % 26);
    ga__buffer_free(&buffer);
}

static void keeps_nul_bytes(void **state)
{
    ga__buffer buffer = GA__BUFFER_INIT;

    (void)state;
    ga__buffer_append(&buffer, "a\0b", 3);
    ga__buffer_append(&buffer, "", 0);
    assert_int_equal(buffer.size, 3);
    assert_memory_equal(buffer.data, "a\0b", 4);
    ga__buffer_free(&buffer);
}

static void prints_across_its_growth(void **state)
{
    ga__buffer buffer = GA__BUFFER_INIT;

    (void)state;
    ga__buffer_add(&buffer, "x");
    ga__buffer_printf(&buffer, "%0200d|%s", 7, "end");
    assert_int_equal(buffer.size, 1 + 200 + 4);
    assert_string_equal(buffer.data + 200, "7|end");
    ga__buffer_free(&buffer);
}

static void consumes_from_the_front(void **state)
{
    ga__buffer buffer = GA__BUFFER_INIT;

    (void)state;
    ga__buffer_consume(&buffer, 0);
    ga__buffer_add(&buffer, "headbody");
    ga__buffer_consume(&buffer, 4);
    assert_string_equal(buffer.data, "body");
    ga__buffer_add(&buffer, "!");
    assert_string_equal(buffer.data, "body!");
    ga__buffer_consume(&buffer, 5);
    assert_string_equal(buffer.data, "");
    ga__buffer_free(&buffer);
}

static void a_size_that_overflows_fails_and_keeps_the_content(void **state)
{
    ga__buffer buffer = GA__BUFFER_INIT;

    (void)state;
    ga__buffer_add(&buffer, "kept");
    assert_null(ga__buffer_reserve(&buffer, SIZE_MAX));
    assert_true(buffer.failed);
    assert_string_equal(buffer.data, "kept");
    ga__buffer_add(&buffer, "later");
    assert_string_equal(buffer.data, "kept");
    assert_null(ga__buffer_take(&buffer));
    assert_null(buffer.data);
    assert_false(buffer.failed);
}

static void clearing_forgets_a_failure(void **state)
{
    ga__buffer buffer = GA__BUFFER_INIT;

    (void)state;
    assert_null(ga__buffer_reserve(&buffer, SIZE_MAX / 2));
    ga__buffer_clear(&buffer);
    ga__buffer_add(&buffer, "again");
    assert_string_equal(buffer.data, "again");
    ga__buffer_free(&buffer);
}

static void gives_its_bytes_away_once(void **state)
{
    ga__buffer buffer = GA__BUFFER_INIT;

    (void)state;
    ga__buffer_add(&buffer, "mine");
    char *text = ga__buffer_take(&buffer);

    assert_string_equal(text, "mine");
    assert_null(buffer.data);
    assert_int_equal(buffer.size, 0);
    free(text);

    text = ga__buffer_take(&buffer);
    assert_string_equal(text, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_a_string_at_every_size),
        cmocka_unit_test(keeps_nul_bytes),
        cmocka_unit_test(prints_across_its_growth),
        cmocka_unit_test(consumes_from_the_front),
        cmocka_unit_test(a_size_that_overflows_fails_and_keeps_the_content),
        cmocka_unit_test(clearing_forgets_a_failure),
        cmocka_unit_test(gives_its_bytes_away_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
