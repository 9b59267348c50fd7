/* SPDX-License-Identifier: MIT */
/* Records as they are written, what failures are called, which statuses are expected, and what is counted. */
#include "check.h"

#include "bulk/expect.h"
#include "bulk/json.h"
#include "bulk/stats.h"
#include <math.h>
#include <string.h>

static const ga__record_value extracts[] = {
    {"lat", {"52.5200", 7}}, {"name", {"\"a, \\\"b\\\"\"", 10}}, {"none", {NULL, 0}}};
static const ga__record_value kept[] = {{"street", {"\"x\"", 3}}};

static ga__record good_record(void)
{
    return (ga__record){
        .id = {"\"a-17\"", 6},
        .n = 17,
        .ok = true,
        .status = 200,
        .method = {"GET", 3},
        .url = {"https://h/", 10},
        .attempts = 2,
        .at = 1795345482123,
        .wait_ms = 812.1,
        .ttfb_ms = 180.3,
        .total_ms = 201,
        .body_form = GA__BODY_JSON,
        .body = {"{ \"x\" :\n1.10 }", 14},
        .meta = {"{\"row\":17}", 10},
        .stage = "",
        .message = "",
    };
}

static void check_json(const ga__record *record, const char *expected)
{
    ga__buffer out = GA__BUFFER_INIT;

    ga__record_append_json(&out, record);
    assert_string_equal(out.data, expected);
    assert_true(ga__json_check((ga__slice){out.data, out.size - 1}, NULL));
    assert_true(memchr(out.data, '\n', out.size) == out.data + out.size - 1);
    ga__buffer_free(&out);
}

static void a_record_is_a_line_of_json(void **state)
{
    ga__record record = good_record();

    (void)state;
    check_json(&record,
               "{\"id\":\"a-17\",\"n\":17,\"ok\":true,\"status\":200,\"url\":\"https://h/\",\"attempts\":2,"
               "\"at\":\"2026-11-22T11:04:42.123Z\",\"ms\":{\"wait\":812.1,\"ttfb\":180.3,\"total\":201},"
               "\"body\":{\"x\":1.10},\"meta\":{\"row\":17},\"error\":null}\n");
}

static void a_failure_says_what_and_where(void **state)
{
    ga__record record = {
        .n = 3,
        .wait_ms = -1,
        .ttfb_ms = -1,
        .total_ms = -1,
        .kind = GA__KIND_INPUT,
        .stage = "input",
        .message = "no \"url\"",
        .file = "rows.jsonl",
        .line = 9,
    };

    (void)state;
    check_json(
        &record,
        "{\"n\":3,\"ok\":false,\"attempts\":0,\"ms\":{},\"error\":{\"kind\":\"input\",\"stage\":\"input\","
        "\"message\":\"no \\\"url\\\"\",\"retryable\":false,\"file\":\"rows.jsonl\",\"line\":9}}\n");
}

static void bodies_are_written_as_what_they_are(void **state)
{
    static const ga_pair headers[] = {{"A", "1"}, {"A", "\"2\""}, {NULL, NULL}};
    ga__record record = {.n = 1,
                         .ok = true,
                         .wait_ms = -1,
                         .ttfb_ms = -1,
                         .total_ms = 1,
                         .body_form = GA__BODY_TEXT,
                         .body = {"a\n\"", 3},
                         .headers = headers};

    (void)state;
    check_json(&record, "{\"n\":1,\"ok\":true,\"attempts\":0,\"ms\":{\"total\":1},\"headers\":[[\"A\",\"1\"],"
                        "[\"A\",\"\\\"2\\\"\"]],"
                        "\"text\":\"a\\n\\\"\",\"error\":null}\n");
    record.headers = NULL;
    record.body_form = GA__BODY_BINARY;
    record.body = (ga__slice){"\0\xff", 2};
    check_json(&record, "{\"n\":1,\"ok\":true,\"attempts\":0,\"ms\":{\"total\":1},\"body_base64\":\"AP8=\","
                        "\"error\":null}\n");
    record.body_form = GA__BODY_FILE;
    record.body = ga__slice_of("out/1.json");
    record.page = 2;
    check_json(&record, "{\"n\":1,\"page\":2,\"ok\":true,\"attempts\":0,\"ms\":{\"total\":1},\"file\":\"out/"
                        "1.json\",\"error\":null}\n");
}

static void what_was_extracted_is_a_member(void **state)
{
    ga__record record = {.n = 1,
                         .ok = true,
                         .wait_ms = -1,
                         .ttfb_ms = -1,
                         .total_ms = -1,
                         .extract = extracts,
                         .extract_count = 3,
                         .keep = kept,
                         .keep_count = 1};

    (void)state;
    check_json(&record, "{\"n\":1,\"ok\":true,\"attempts\":0,\"ms\":{},\"extract\":{\"lat\":52.5200,\"name\":"
                        "\"a, \\\"b\\\"\",\"none\":null},"
                        "\"keep\":{\"street\":\"x\"},\"error\":null}\n");
}

static void a_record_is_a_line_of_csv(void **state)
{
    ga__record record = good_record();
    ga__buffer out = GA__BUFFER_INIT;

    (void)state;
    record.extract = extracts;
    record.extract_count = 3;
    record.keep = kept;
    record.keep_count = 1;
    ga__record_append_csv_head(&out, &record, true, ',');
    ga__record_append_csv(&out, &record, true, ',');
    assert_string_equal(out.data, "id,n,page,ok,status,url,attempts,at,wait_ms,ttfb_ms,total_ms,error,"
                                  "message,street,lat,name,none,body\n"
                                  "a-17,17,,true,200,https://h/"
                                  ",2,2026-11-22T11:04:42.123Z,812.1,180.3,201,,,x,52.5200,\"a, \"\"b\"\"\",,"
                                  "\"{\"\"x\"\":1.10}\"\n");
    ga__buffer_free(&out);
}

static void failures_have_kinds(void **state)
{
    static const struct {
        int code;
        const char *name;
    } cases[] = {
        {GA_EDNS, "dns"},
        {GA_EREFUSED, "connect"},
        {GA_ECERT, "tls"},
        {GA_ETIMEDOUT, "timeout"},
        {GA_ERESET, "reset"},
        {GA_ETRUNCATED, "reset"},
        {GA_EPROTOCOL, "protocol"},
        {GA_ETOOLARGE, "too_large"},
        {GA_EDECODE, "decode"},
        {GA_ERATELIMITED, "rate_limited"},
        {GA_EREDIRECT, "redirect"},
        {GA_EURL, "input"},
        {GA_ECANCELED, "cancelled"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga_error_detail error = {.code = cases[i].code};

        assert_string_equal(ga__kind_name(ga__kind_of_error(&error)), cases[i].name);
    }
    assert_true(ga__kind_is_retryable(GA__KIND_HTTP, 503) && !ga__kind_is_retryable(GA__KIND_HTTP, 404));
    assert_true(ga__kind_is_retryable(GA__KIND_RESET, 0) && !ga__kind_is_retryable(GA__KIND_INPUT, 0));
    for (int kind = 0; kind < GA__KINDS; kind++)
        assert_true(ga__kind_name((ga__kind)kind)[0] != '\0');
}

static void statuses_are_expected(void **state)
{
    static const struct {
        const char *text, *in, *out; /* NULL: it is refused */
    } cases[] = {
        {"200", "200", "199 201 404 0"},
        {"200-399,405", "200 399 405", "199 400 404 406"},
        {"2xx, 304", "200 299 304", "300 199"},
        {"100-999", "100 999", "0"},
        {"", NULL, NULL},
        {"200,", NULL, NULL},
        {"99", NULL, NULL},
        {"1000", NULL, NULL},
        {"300-200", NULL, NULL},
        {"200-", NULL, NULL},
        {"x", NULL, NULL},
        {"0xx", NULL, NULL},
        {"200 300", NULL, NULL},
    };
    ga__expect none = {.given = false};

    (void)state;
    assert_true(ga__expect_has(&none, 204) && !ga__expect_has(&none, 301) && !ga__expect_has(&none, 0));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga__expect expect;

        assert_int_equal(ga__expect_parse(&expect, ga__slice_of(cases[i].text)), cases[i].in != NULL);
        for (const char *at = cases[i].in; at && *at; at += strcspn(at, " "), at += *at == ' ')
            assert_true(ga__expect_has(&expect, atoi(at)));
        for (const char *at = cases[i].out; at && *at; at += strcspn(at, " "), at += *at == ' ')
            assert_false(ga__expect_has(&expect, atoi(at)));
    }
}

static void shares_of_durations_are_known_to_within_three_percent(void **state)
{
    static ga__durations one, other;

    (void)state;
    assert_true(ga__durations_at(&one, 0.5) == 0);
    for (int i = 1; i <= 1000; i++)
        ga__durations_add(i % 2 ? &one : &other, i);
    ga__durations_add(&one, -1); /* none */
    ga__durations_join(&one, &other);
    assert_int_equal(one.count, 1000);
    assert_true(fabs(ga__durations_at(&one, 0.5) / 500 - 1) < 0.03);
    assert_true(fabs(ga__durations_at(&one, 0.99) / 990 - 1) < 0.03);
    assert_true(ga__durations_at(&one, 1) <= 1000 && one.most == 1000 && one.least == 1);
    ga__durations_add(&one, 1e12); /* beyond the last bucket */
    assert_true(ga__durations_at(&one, 1) > 8e7);
}

static void records_are_counted(void **state)
{
    static ga__stats stats, sum;
    ga__record record = good_record();

    (void)state;
    ga__stats_add(&stats, &record);
    record.page = 2;
    ga__stats_add(&stats, &record);
    record = (ga__record){.n = 2, .wait_ms = -1, .total_ms = -1, .kind = GA__KIND_DNS, .at = 5};
    ga__stats_add(&stats, &record);
    ga__stats_join(&sum, &stats);
    ga__stats_join(&sum, &stats);
    assert_int_equal(sum.rows, 4);
    assert_int_equal(sum.ok, 2);
    assert_int_equal(sum.pages, 2);
    assert_int_equal(sum.retries, 4);
    assert_int_equal(sum.statuses[200], 4);
    assert_int_equal(sum.kinds[GA__KIND_DNS], 2);
    assert_int_equal(sum.first_at, 5);
    assert_int_equal(sum.last_at, 1795345482123);
    assert_int_equal(sum.service.count, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_a_line_of_json),
        cmocka_unit_test(a_failure_says_what_and_where),
        cmocka_unit_test(bodies_are_written_as_what_they_are),
        cmocka_unit_test(what_was_extracted_is_a_member),
        cmocka_unit_test(a_record_is_a_line_of_csv),
        cmocka_unit_test(failures_have_kinds),
        cmocka_unit_test(statuses_are_expected),
        cmocka_unit_test(shares_of_durations_are_known_to_within_three_percent),
        cmocka_unit_test(records_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
