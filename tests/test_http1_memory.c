/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 with each allocation failing in turn: GA_ENOMEM, nothing lost, and it works the next time. */
#include "check.h"
#include "failmalloc.h"

#include "protocol/http1_request.h"
#include "protocol/http1_response.h"
#include "protocol/http1_writer.h"

#include <gather/error.h>
#include <string.h>

enum { MANY = 100 }; /* more fields than a table has room for without an allocation */

/* Reads a response with many fields, and trailers. */
static int read_response(const char *input, size_t size, size_t step)
{
    ga__http1_response response;
    ga__headers_table table;
    char copy[4096];
    size_t consumed = 0, at, out_size;
    const char *out;
    int code;

    assert_true(size <= sizeof copy);
    memcpy(copy, input, size);
    ga__headers_table_init(&table);
    ga__http1_response_init(&response, NULL, 0);
    code = ga__http1_response_head(&response, &table, copy, size, &consumed);
    if (code == GA__HTTP1_DONE) {
        assert_int_equal(table.headers.count, MANY + 1);
        assert_string_equal(ga__headers_get(&table.headers, "X-99"), "99");
        code = GA__HTTP1_MORE;
    }
    for (at = consumed; code == GA__HTTP1_MORE && at < size; at += consumed) {
        size_t piece = step < size - at ? step : size - at;

        code = ga__http1_response_body(&response, copy + at, piece, &consumed, &out, &out_size);
    }
    if (code == GA__HTTP1_DONE) {
        const ga__headers *trailers = ga__http1_response_trailers(&response);

        assert_int_equal(trailers->count, 50);
        assert_string_equal(ga__headers_get(trailers, "t-49"), "v");
    } else {
        assert_non_null(response.problem);
    }
    ga__http1_response_free(&response);
    ga__headers_table_free(&table);
    return code;
}

static void a_response_with_many_fields_and_trailers(void **state)
{
    static const size_t steps[] = {1, 100, SIZE_MAX};
    ga__buffer input = GA__BUFFER_INIT;

    (void)state;
    ga__buffer_add(&input, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n");
    for (int i = 0; i < MANY; i++)
        ga__buffer_printf(&input, "X-%d: %d\r\n", i, i);
    ga__buffer_add(&input, "\r\n2\r\nhi\r\n0\r\n");
    for (int i = 0; i < 50; i++)
        ga__buffer_printf(&input, "T-%d: v\r\n", i);
    ga__buffer_add(&input, "\r\n");
    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
        int n;

        for (n = 1; failmalloc_again(n); n++) {
            int code = read_response(input.data, input.size, steps[s]);

            assert_int_equal(code, failmalloc_stop() ? GA_ENOMEM : GA__HTTP1_DONE);
        }
        assert_true(n > 5);
    }
    ga__buffer_free(&input);
}

static void a_request_with_many_fields(void **state)
{
    ga__buffer input = GA__BUFFER_INIT;
    int n;

    (void)state;
    ga__buffer_add(&input, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < MANY; i++)
        ga__buffer_printf(&input, "X-%d: %d\r\n", i, i);
    ga__buffer_add(&input, "\r\n");
    for (n = 1; failmalloc_again(n); n++) {
        char copy[4096];
        ga__http1_request request;
        ga__headers_table table;
        size_t consumed;

        assert_true(input.size <= sizeof copy);
        memcpy(copy, input.data, input.size);
        ga__headers_table_init(&table);
        ga__http1_request_init(&request, NULL);
        int code = ga__http1_request_head(&request, &table, copy, input.size, &consumed);

        assert_int_equal(code, failmalloc_stop() ? GA_ENOMEM : GA__HTTP1_DONE);
        ga__http1_request_free(&request);
        ga__headers_table_free(&table);
    }
    assert_int_equal(n, 3 + 1); /* from 32 fields to 64, to 128, and the round without a failure */
    ga__buffer_free(&input);
}

static void a_usual_response_needs_no_allocation(void **state)
{
    char input[] =
        "HTTP/1.1 200 OK\r\nServer: nginx\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    ga__http1_response response;
    ga__headers_table table;
    size_t consumed, at, out_size;
    const char *out;

    (void)state;
    assert_true(failmalloc_again(1));
    ga__headers_table_init(&table);
    ga__http1_response_init(&response, NULL, 0);
    assert_int_equal(ga__http1_response_head(&response, &table, input, sizeof input - 1, &at),
                     GA__HTTP1_DONE);
    while (!response.body.done) {
        assert_true(ga__http1_response_body(&response, input + at, sizeof input - 1 - at, &consumed, &out,
                                            &out_size) >= 0);
        at += consumed;
    }
    assert_int_equal(at, sizeof input - 1);
    assert_false(failmalloc_stop());
    ga__http1_response_free(&response);
    ga__headers_table_free(&table);
}

static void a_request_that_is_written(void **state)
{
    (void)state;
    for (int n = 1; failmalloc_again(n); n++) {
        ga__buffer buffer = GA__BUFFER_INIT;
        ga__http1_writer writer;

        ga__http1_write_request(&writer, &buffer, "GET",
                                GA__SLICE("/a-long-path-so-that-the-buffer-has-to-grow-often-enough"),
                                GA__SLICE("host.example"));
        for (int i = 0; i < 20; i++)
            ga__http1_write_field(&writer, "X-Name", "a value that is somewhat longer than the others");
        int code = ga__http1_write_end(&writer, GA__BODY_LENGTH, 5);

        if (failmalloc_stop()) {
            assert_int_equal(code, GA_ENOMEM);
            assert_int_equal(buffer.size, 0);
        } else {
            assert_int_equal(code, GA_OK);
            assert_memory_equal(buffer.data + buffer.size - 4, "\r\n\r\n", 5);
        }
        ga__buffer_free(&buffer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_with_many_fields_and_trailers),
        cmocka_unit_test(a_request_with_many_fields),
        cmocka_unit_test(a_usual_response_needs_no_allocation),
        cmocka_unit_test(a_request_that_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
