/* SPDX-License-Identifier: MIT */
/* Rows as requests: what each member and option makes of them, what they are known by, and what is refused.
 */
#include "check.h"

#include "bulk/plan.h"
#include <stdlib.h>
#include <string.h>

/* A row and the plan that it was made by. */
typedef struct made {
    ga__job_options options;
    ga__plan *plan;
    ga__row row;
} made;

static void make(made *self, const ga__job_options *options, const ga__raw_row *raw)
{
    char *problem = NULL;

    *self = (made){.options = *options};
    self->plan = ga__plan_new(&self->options, &problem);
    if (!self->plan)
        fail_msg("%s", problem);
    assert_true(ga__plan_build(self->plan, raw, &self->row));
}

static void make_json(made *self, const ga__job_options *options, const char *text)
{
    make(self, options, &(ga__raw_row){.n = 1, .line = 1, .form = GA__ROW_JSON, .text = ga__slice_of(text)});
}

static void drop(made *self)
{
    ga__row_free(&self->row);
    ga__plan_free(self->plan);
}

static void check_slice(ga__slice slice, const char *text)
{
    assert_int_equal(slice.size, strlen(text));
    assert_memory_equal(slice.data, text, slice.size);
}

static void check_refused(const ga__job_options *options, const char *text, const char *part)
{
    made self;

    make_json(&self, options, text);
    if (!self.row.problem)
        fail_msg("%s was taken", text);
    assert_contains(self.row.problem, part);
    drop(&self);
}

/* The same text makes the same key, whatever stands around it. */
static bool same_key(const char *a, const char *b)
{
    made first, second;

    make_json(&first, &ga__job_defaults, a);
    make_json(&second, &ga__job_defaults, b);
    bool same = memcmp(&first.row.key, &second.row.key, sizeof first.row.key) == 0;

    drop(&first);
    drop(&second);
    return same;
}

static void each_member_is_taken(void **state)
{
    made self;

    (void)state;
    make_json(&self, &ga__job_defaults,
              "{\"id\":\"a\",\"method\":\"PUT\",\"url\":\"/x\",\"headers\":{\"X-A\":\"1\",\"X-B\":null},"
              "\"body\":{\"k\": [1, 2]},\"meta\":{\"m\": 1},\"expect\":[200,409],\"cost\":12.5}");
    assert_null(self.row.problem);
    check_slice(self.row.id, "\"a\"");
    assert_string_equal(self.row.method, "PUT");
    assert_string_equal(self.row.url, "/x");
    assert_string_equal(self.row.headers[0].value, "1");
    assert_null(self.row.headers[1].value);
    assert_null(self.row.headers[2].name);
    check_slice(self.row.body, "{\"k\": [1, 2]}");
    assert_string_equal(self.row.content_type, "application/json");
    check_slice(self.row.meta, "{\"m\":1}");
    assert_true(ga__expect_has(self.row.expect, 409));
    assert_false(ga__expect_has(self.row.expect, 201));
    assert_true(self.row.cost == 12.5);
    drop(&self);
}

static void a_body_has_the_type_that_the_row_says_before_it_or_behind_it(void **state)
{
    static const char *const rows[] = {"{\"url\":\"/\",\"content_type\":\"text/x\",\"body\":\"a\"}",
                                       "{\"url\":\"/\",\"body\":\"a\",\"content_type\":\"text/x\"}",
                                       "{\"url\":\"/\",\"content_type\":\"text/x\",\"body_base64\":\"YQ==\"}",
                                       "{\"url\":\"/\",\"content_type\":\"text/x\",\"body\":{}}"};
    made self;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make_json(&self, &ga__job_defaults, rows[i]);
        assert_null(self.row.problem);
        assert_string_equal(self.row.content_type, "text/x");
        assert_string_equal(self.row.method ? self.row.method : "", "POST");
        drop(&self);
    }
    make_json(&self, &ga__job_defaults, "{\"url\":\"/\",\"body\":\"a\"}");
    assert_string_equal(self.row.content_type, "text/plain; charset=utf-8");
    drop(&self);
    make_json(&self, &ga__job_defaults, "{\"url\":\"/\",\"body_base64\":\"AAE=\"}");
    assert_string_equal(self.row.content_type, "application/octet-stream");
    assert_int_equal(self.row.body.size, 2);
    drop(&self);
}

static void a_line_of_an_openai_batch_is_a_request(void **state)
{
    made self;

    (void)state;
    make_json(&self, &ga__job_defaults,
              "{\"custom_id\":\"r-1\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\","
              "\"body\":{\"model\":\"m\",\"max_tokens\":100}}");
    assert_null(self.row.problem);
    check_slice(self.row.id, "\"r-1\"");
    assert_string_equal(self.row.method, "POST");
    drop(&self);
}

static void a_cost_is_guessed_only_where_the_row_says_none(void **state)
{
    ga__job_options options = ga__job_defaults;
    made self;

    (void)state;
    options.tokens = (ga__rate){1000, 60};
    make_json(&self, &options, "{\"url\":\"/\",\"body\":{\"max_tokens\":100}}");
    assert_true(self.row.cost == 18.0 / 4 + 100);
    drop(&self);
    make_json(&self, &options, "{\"url\":\"/\",\"body\":{\"max_tokens\":100},\"cost\":0}");
    assert_true(self.row.cost == 0);
    drop(&self);
}

static void what_is_no_request_is_refused_and_told(void **state)
{
    const ga__job_options *plain = &ga__job_defaults;

    (void)state;
    check_refused(plain, "{}", "it has no \"url\"");
    check_refused(plain, "{\"url\":\"\"}", "its URL is empty");
    check_refused(plain, "{\"url\":5}", "\"url\" is to be a string");
    check_refused(plain, "{\"url\":\"/a\\u0000b\"}", "NUL");
    check_refused(plain, "\"/a\\u0000b\"", "NUL");
    check_refused(plain, "{\"url\":\"/\",\"colour\":1}", "no member \"colour\" is known");
    check_refused(plain, "{\"url\":\"/\",\"headers\":[]}", "\"headers\" is to be an object");
    check_refused(plain, "{\"url\":\"/\",\"headers\":{\"a\\u0000b\":\"1\"}}", "NUL");
    check_refused(plain, "{\"url\":\"/\",\"headers\":{\"a\":1}}", "to be a string");
    check_refused(plain, "{\"url\":\"/\",\"body_base64\":\"*\"}", "not base64");
    check_refused(plain, "{\"url\":\"/\",\"body\":\"a\",\"body_base64\":\"YQ==\"}", "more than one body");
    check_refused(plain, "{\"url\":\"/\",\"body\":\"a\",\"body\":\"b\"}", "more than one body");
    check_refused(plain, "{\"url\":\"/\",\"body\":\"a\",\"body_file\":\"/dev/null\"}", "more than one body");
    check_refused(plain, "{\"url\":\"/\",\"body\":\"a\",\"form\":[{\"name\":\"a\",\"value\":\"b\"}]}",
                  "more than one body");
    check_refused(plain, "{\"url\":\"/\",\"form\":{\"a\":\"b\"}}", "\"form\"");
    check_refused(plain, "{\"url\":\"/\",\"form\":[]}", "\"form\"");
    check_refused(plain, "{\"url\":\"/\",\"form\":[{\"name\":\"a\"}]}", "\"form\"");
    check_refused(plain, "{\"url\":\"/\",\"form\":[{\"value\":\"a\"}]}", "\"form\"");
    check_refused(plain, "{\"url\":\"/\",\"form\":[{\"name\":\"a\",\"value\":\"b\",\"file\":\"c\"}]}",
                  "\"form\"");
    check_refused(plain, "{\"url\":\"/\",\"form\":[{\"name\":\"a\",\"value\":\"b\",\"x\":\"c\"}]}",
                  "\"form\"");
    check_refused(plain, "{\"url\":\"/\",\"form\":[{\"name\":\"a\",\"value\":7}]}", "\"form\"");
    check_refused(plain, "{\"url\":\"/\",\"body_file\":\"/nowhere/x\"}", "/nowhere/x, cannot be read");
    check_refused(plain, "{\"url\":\"/\",\"expect\":[99]}", "\"expect\"");
    check_refused(plain, "{\"url\":\"/\",\"cost\":-1}", "\"cost\"");
    check_refused(plain, "{\"url\":\"/\",\"id\":[1]}", "an id is to be");
}

static void a_nul_in_a_line_does_not_cut_its_url(void **state)
{
    const ga__slice names[] = {ga__slice_of("url")}, fields[] = {{"/a\0b", 4}};
    made self;

    (void)state;
    make(&self, &ga__job_defaults, &(ga__raw_row){.form = GA__ROW_URL, .text = fields[0]});
    assert_contains(self.row.problem ? self.row.problem : "", "NUL");
    drop(&self);
    make(&self, &ga__job_defaults,
         &(ga__raw_row){.form = GA__ROW_CSV, .names = names, .fields = fields, .count = 1});
    assert_contains(self.row.problem ? self.row.problem : "", "NUL");
    drop(&self);
}

static void a_template_takes_columns_of_each_form(void **state)
{
    const ga__slice names[] = {ga__slice_of("city"), ga__slice_of("n")},
                    fields[] = {ga__slice_of("a b/&"), ga__slice_of("7")};
    const char *const headers[] = {"X-City: {n}", "X-Fixed: 1", NULL}, *const keep[] = {"n", NULL};
    ga__job_options options = ga__job_defaults;
    made self;

    (void)state;
    options.url_template = "http://h/{city}?n={n}";
    options.headers = headers;
    options.keep = keep;
    options.id = "n";
    make(&self, &options, &(ga__raw_row){.form = GA__ROW_CSV, .names = names, .fields = fields, .count = 2});
    assert_null(self.row.problem);
    assert_string_equal(self.row.url, "http://h/a%20b%2F%26?n=7");
    assert_string_equal(self.row.method, "GET");
    assert_string_equal(self.row.headers[0].value, "7");
    assert_null(self.row.headers[1].name);
    check_slice(self.row.id, "\"7\"");
    check_slice(self.row.keep[0].json, "\"7\"");
    drop(&self);

    make_json(&self, &options, "{\"city\":\"x\",\"n\":7}");
    assert_null(self.row.problem);
    assert_string_equal(self.row.url, "http://h/x?n=7");
    assert_string_equal(self.row.method, "POST");
    check_slice(self.row.body, "{\"city\":\"x\",\"n\":7}");
    check_slice(self.row.id, "7");
    drop(&self);
    check_refused(&options, "{\"n\":7}", "no column \"city\"");
}

static void what_is_no_text_is_none_in_records_either(void **state)
{
    made self;

    (void)state;
    make(&self, &ga__job_defaults,
         &(ga__raw_row){.form = GA__ROW_URL, .text = ga__slice_of("http://h/\xff\xc3\xa4?a=%FF")});
    assert_null(self.row.problem);
    assert_string_equal(self.row.url, "http://h/%FF%C3%A4?a=%FF");
    drop(&self);
    check_refused(&ga__job_defaults, "{\"url\":\"/\",\"method\":\"G ET\"}", "its method");
    check_refused(&ga__job_defaults, "{\"url\":\"/\",\"method\":\"\"}", "its method");
}

/* What a header says goes before what the body's form does, and what the row says before both. */
static void the_bodys_type_is_said_by_the_row_a_header_or_its_form(void **state)
{
    static const struct {
        const char *row, *header;
        ga__type_by by;
    } cases[] = {
        {"{\"url\":\"/\",\"body\":{}}", NULL, GA__TYPE_BY_BODY},
        {"{\"url\":\"/\",\"body\":{}}", "content-type:", GA__TYPE_BY_HEADER},
        {"{\"url\":\"/\",\"body\":{}}", "Content-Type: a/b", GA__TYPE_BY_HEADER},
        {"{\"url\":\"/\",\"body\":{}}", "Content-Type: {url}", GA__TYPE_BY_HEADER},
        {"{\"url\":\"/\",\"body\":{},\"headers\":{\"content-type\":null}}", NULL, GA__TYPE_BY_HEADER},
        {"{\"url\":\"/\",\"body\":{},\"content_type\":\"a/b\"}", "Content-Type: c/d", GA__TYPE_BY_ROW},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const headers[] = {cases[i].header, NULL};
        ga__job_options options = ga__job_defaults;
        made self;

        options.headers = headers;
        make_json(&self, &options, cases[i].row);
        assert_null(self.row.problem);
        assert_int_equal(self.row.type_by, cases[i].by);
        drop(&self);
    }
}

static void keys_say_what_is_asked_for_and_nothing_else(void **state)
{
    (void)state;
    assert_true(same_key("{\"url\":\"/a\"}", "{\"url\":\"/a\",\"meta\":1}"));
    assert_true(same_key("{\"url\":\"/a\",\"id\":1}", "{\"id\":1,\"url\":\"/b\"}"));
    assert_false(same_key("{\"url\":\"/a\"}", "{\"url\":\"/b\"}"));
    assert_false(same_key("{\"url\":\"/a\"}", "{\"url\":\"/a\",\"method\":\"HEAD\"}"));
    assert_false(same_key("{\"url\":\"/a\",\"body\":\"1\"}", "{\"url\":\"/a\",\"body\":\"2\"}"));
    assert_false(
        same_key("{\"url\":\"/a\",\"headers\":{\"x\":\"1\"}}", "{\"url\":\"/a\",\"headers\":{\"x\":\"2\"}}"));
    assert_false(same_key("{\"url\":\"/a\",\"body_file\":\"/dev/null\"}",
                          "{\"url\":\"/a\",\"body_file\":\"/dev/zero\"}"));
    assert_false(same_key("{\"url\":\"/a\",\"body\":\"1\"}",
                          "{\"url\":\"/a\",\"body\":\"1\",\"content_type\":\"a/b\"}"));
    assert_true(same_key("{\"url\":\"/a\"}", "{\"url\":\"/a\",\"content_type\":\"a/b\"}")); /* of nothing */
    assert_false(same_key("{\"url\":\"/a\",\"id\":1}", "{\"url\":\"/a\",\"id\":\"1\"}"));
}

/* Also where the job's name columns, and where the row's takes one away. */
static void the_rows_headers_go_before_the_jobs(void **state)
{
    const char *const headers[] = {"X-A: {id}", "X-B: {id}", "X-C: {id}", NULL};
    ga__job_options options = ga__job_defaults;
    made self;

    (void)state;
    options.headers = headers;
    make_json(&self, &options, "{\"id\":1,\"url\":\"/\",\"headers\":{\"x-a\":\"mine\",\"X-B\":null}}");
    assert_null(self.row.problem);
    assert_string_equal(self.row.headers[0].value, "mine");
    assert_null(self.row.headers[1].value);
    assert_string_equal(self.row.headers[2].name, "X-C");
    assert_string_equal(self.row.headers[2].value, "1");
    assert_null(self.row.headers[3].name);
    drop(&self);
}

/* What `gather failed` gives back asks for the same, and leads to the same key. */
static void a_row_as_input_asks_for_the_same(void **state)
{
    static const char *const rows[] = {
        "{\"id\":\"a\",\"method\":\"PUT\",\"url\":\"/x\",\"headers\":{\"X-A\":\"1\",\"X-B\":null},"
        "\"body\":{\"k\":1},\"expect\":[200,409],\"cost\":3,\"meta\":{\"m\":1}}",
        "{\"method\":\"POST\",\"url\":\"/x\",\"content_type\":\"application/x-www-form-urlencoded\","
        "\"body\":\"a=b\"}",
        "{\"method\":\"POST\",\"url\":\"/x\",\"content_type\":\"a/b\",\"body_base64\":\"AP8=\"}",
        "{\"method\":\"POST\",\"url\":\"/x\",\"body_file\":\"/dev/null\"}",
        "{\"method\":\"POST\",\"url\":\"/x\",\"body\":{ \"k\": [1, 2.50] }}",
        "{\"method\":\"POST\",\"url\":\"/x\",\"content_type\":\"a/b\",\"body\":\"{\\\"k\\\":1}\"}",
        "{\"method\":\"POST\",\"url\":\"/x\",\"body\":\"text\"}",
        "{\"method\":\"POST\",\"url\":\"/x\",\"headers\":{\"Content-Type\":\"a/b\"},\"body\":\"text\"}",
        "{\"method\":\"POST\",\"url\":\"/x\",\"content_type\":\"a/b\",\"body_file\":\"/dev/null\"}",
        "{\"method\":\"POST\",\"url\":\"/x\",\"form\":[{\"name\":\"a\",\"value\":\"1\\n\"},"
        "{\"name\":\"f\",\"file\":\"/dev/null\"},{\"name\":\"a\",\"value\":\"@x\"}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ga__buffer line = GA__BUFFER_INIT;
        made self;

        make_json(&self, &ga__job_defaults, rows[i]);
        assert_null(self.row.problem);
        ga__row_append_input(&line, &self.row);
        assert_string_equal(line.data, rows[i]);
        drop(&self);
        ga__buffer_free(&line);
    }
}

static void a_body_that_is_no_line_of_json_is_kept_byte_for_byte(void **state)
{
    static const char *const bodies[] = {" {}", "{}\n", "{\n}", "[{line}] "};

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        ga__job_options options = ga__job_defaults;
        ga__buffer line = GA__BUFFER_INIT;
        made first, second;

        options.json = bodies[i];
        make(&first, &options, &(ga__raw_row){.form = GA__ROW_URL, .text = ga__slice_of("1")});
        assert_null(first.row.problem);
        ga__row_append_input(&line, &first.row);
        assert_null(strchr(line.data, '\n'));
        make_json(&second, &ga__job_defaults, line.data);
        assert_null(second.row.problem);
        check_slice(second.row.body, first.row.body.data);
        assert_string_equal(second.row.content_type, "application/json");
        drop(&first);
        drop(&second);
        ga__buffer_free(&line);
    }
}

/* What the job makes of a row's columns is in its line: whoever reads that has no columns. */
static void a_row_as_input_needs_no_column(void **state)
{
    const char *const headers[] = {"X-Of: {c}", "X-Job: j", "X-Key: ${env:GATHER_TEST_SECRET}{c}", NULL};
    const char *const form[] = {"c=<{c}>", "k=${env:GATHER_TEST_SECRET}", "f=@/dev/{file}", NULL};
    const ga__slice names[] = {GA__SLICE("c"), GA__SLICE("file")},
                    fields[] = {GA__SLICE("1"), GA__SLICE("null")};
    ga__job_options options = ga__job_defaults;
    ga__buffer line = GA__BUFFER_INIT;
    made self;

    (void)state;
    assert_int_equal(setenv("GATHER_TEST_SECRET", "hush", 1), 0);
    options.url_template = "http://h/{c}";
    options.headers = headers;
    options.form = form;
    options.keep = (const char *const[]){"file", "none", NULL};
    make(&self, &options,
         &(ga__raw_row){
             .form = GA__ROW_CSV, .text = GA__SLICE("1,null"), .names = names, .fields = fields, .count = 2});
    assert_null(self.row.problem);
    assert_string_equal(self.row.parts[1].value, "hush");
    ga__row_append_input(&line, &self.row);
    assert_string_equal(line.data, "{\"method\":\"POST\",\"url\":\"http://h/1\",\"headers\":{\"X-Of\":\"1\"},"
                                   "\"form\":[{\"name\":\"c\",\"value\":\"<1>\"},"
                                   "{\"name\":\"k\",\"value\":\"${env:GATHER_TEST_SECRET}\"},"
                                   "{\"name\":\"f\",\"file\":\"/dev/null\"}],"
                                   "\"meta\":{\"file\":\"null\",\"none\":null}}");
    drop(&self);
    options.headers = (const char *const[]){"X-Of: {c}", "X-Job: j", NULL};
    make_json(&self, &options, line.data);
    assert_null(self.row.problem);
    assert_string_equal(self.row.headers[0].value, "1");
    assert_null(self.row.headers[1].name);
    assert_string_equal(self.row.parts[2].file, "/dev/null");
    assert_null(self.row.parts[3].name);
    drop(&self);
    ga__buffer_free(&line);
}

/* A line of JSON could not have them, and the server would be asked for something else. */
static void headers_and_forms_of_bytes_that_are_no_text_are_refused(void **state)
{
    const char *const headers[] = {"X-Of: {c}", NULL}, *const form[] = {"c={c}", NULL};
    const ga__slice names[] = {GA__SLICE("c")}, fields[] = {GA__SLICE("caf\xe9")};
    const ga__raw_row raw = {
        .form = GA__ROW_CSV, .text = fields[0], .names = names, .fields = fields, .count = 1};

    (void)state;
    for (int as_form = 0; as_form <= 1; as_form++) {
        ga__job_options options = ga__job_defaults;
        made self;

        options.url_template = "http://h/";
        *(as_form ? &options.form : &options.headers) = as_form ? form : headers;
        make(&self, &options, &raw);
        assert_contains(self.row.problem ? self.row.problem : "", as_form ? "form's value c" : "header X-Of");
        drop(&self);
    }
}

/* What the job's own headers hold stands neither in the key nor in the line of a failure. */
static void the_jobs_secrets_are_not_in_failed_rows(void **state)
{
    const char *const headers[] = {"Authorization: Bearer ${env:GATHER_TEST_SECRET}",
                                   "X-Of: ${env:GATHER_TEST_SECRET}{line}", NULL};
    ga__job_options options = ga__job_defaults;
    ga__buffer line = GA__BUFFER_INIT;
    made self;

    (void)state;
    assert_int_equal(setenv("GATHER_TEST_SECRET", "hush", 1), 0);
    options.headers = headers;
    make(&self, &options, &(ga__raw_row){.form = GA__ROW_URL, .text = ga__slice_of("/x")});
    assert_null(self.row.problem);
    assert_string_equal(self.row.headers[0].value, "hush/x");
    ga__row_append_input(&line, &self.row);
    assert_lacks(line.data, "hush");
    drop(&self);
    ga__buffer_free(&line);
}

/* A secret of the job's URL or body is called with, and kept by its name; another value of it is the same
 * row. */
static void secrets_of_templates_are_kept_by_name(void **state)
{
    ga__job_options options = ga__job_defaults;
    ga__buffer line = GA__BUFFER_INIT;
    made self;
    ga__key key;

    (void)state;
    assert_int_equal(setenv("GATHER_TEST_SECRET", "hush", 1), 0);
    options.url_template = "http://h/{line}?key=${env:GATHER_TEST_SECRET}";
    options.json = "{\"key\":\"${env:GATHER_TEST_SECRET}\"}";
    make(&self, &options, &(ga__raw_row){.form = GA__ROW_URL, .text = ga__slice_of("7")});
    assert_null(self.row.problem);
    assert_string_equal(self.row.url, "http://h/7?key=hush");
    assert_string_equal(self.row.body.data, "{\"key\":\"hush\"}");
    assert_string_equal(ga__row_shown_url(&self.row), "http://h/7?key=${env:GATHER_TEST_SECRET}");
    ga__row_append_input(&line, &self.row);
    assert_lacks(line.data, "hush");
    key = self.row.key;
    drop(&self);
    assert_int_equal(setenv("GATHER_TEST_SECRET", "rotated", 1), 0);
    make(&self, &options, &(ga__raw_row){.form = GA__ROW_URL, .text = ga__slice_of("7")});
    assert_memory_equal(&key, &self.row.key, sizeof key);
    drop(&self);
    ga__buffer_free(&line);
}

static void check_option(const ga__job_options *options, const char *part)
{
    char *problem = NULL;
    ga__plan *plan = ga__plan_new(options, &problem);

    assert_null(plan);
    assert_non_null(problem);
    assert_contains(problem, part);
    free(problem);
}

static void options_that_make_no_sense_are_told_by_their_names(void **state)
{
    const char *const header[] = {"nothing", NULL}, *const part[] = {"=x", NULL},
                      *const host[] = {"host:", NULL}, *const form[] = {"a=b", NULL},
                      *const login[] = {"authorization:", NULL}, *const type[] = {"content-type: a/b", NULL},
                      *const extract[] = {"price", NULL}, *const keep[] = {"", NULL};

    (void)state;
#define WRONG(text, ...) check_option(&(ga__job_options){__VA_ARGS__}, text)
    WRONG("-H", .headers = header);
    WRONG("-H", .headers = host);
    WRONG("-F", .form = part);
    WRONG("beside -F", .form = form, .headers = type);
    WRONG("-H authorization is given beside -u", .user = "a:b", .headers = login);
    WRONG("--extract", .extract = extract);
    WRONG("--keep", .keep = keep);
    WRONG("--expect", .expect = "20");
    WRONG("--items", .items = ".a");
    WRONG("--url", .url_template = "http://h/{");
    WRONG("--next", .next = "cursor=x");
    WRONG("-u", .user = "name");
    WRONG("-o", .output = "d/{{x}}");
    WRONG("-o", .output = "d/{id}.part");
    WRONG("--next", .output = "d/{id}.json", .next = "link");
#undef WRONG
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_member_is_taken),
        cmocka_unit_test(a_body_has_the_type_that_the_row_says_before_it_or_behind_it),
        cmocka_unit_test(a_line_of_an_openai_batch_is_a_request),
        cmocka_unit_test(a_cost_is_guessed_only_where_the_row_says_none),
        cmocka_unit_test(what_is_no_request_is_refused_and_told),
        cmocka_unit_test(a_nul_in_a_line_does_not_cut_its_url),
        cmocka_unit_test(a_template_takes_columns_of_each_form),
        cmocka_unit_test(the_bodys_type_is_said_by_the_row_a_header_or_its_form),
        cmocka_unit_test(what_is_no_text_is_none_in_records_either),
        cmocka_unit_test(keys_say_what_is_asked_for_and_nothing_else),
        cmocka_unit_test(the_rows_headers_go_before_the_jobs),
        cmocka_unit_test(a_row_as_input_asks_for_the_same),
        cmocka_unit_test(a_body_that_is_no_line_of_json_is_kept_byte_for_byte),
        cmocka_unit_test(a_row_as_input_needs_no_column),
        cmocka_unit_test(headers_and_forms_of_bytes_that_are_no_text_are_refused),
        cmocka_unit_test(the_jobs_secrets_are_not_in_failed_rows),
        cmocka_unit_test(secrets_of_templates_are_kept_by_name),
        cmocka_unit_test(options_that_make_no_sense_are_told_by_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
