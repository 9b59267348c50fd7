/* SPDX-License-Identifier: MIT */
/*
 * A byte that chooses a job, and a row of its input: JSON, a record of CSV, or a URL. The request that the
 * row becomes has no header that neither the row nor the job named, and goes where the job's template says;
 * and the row as `gather failed` would write it is read as the same request.
 */
#include "base/utf8.h"
#include "bulk/csv.h"
#include "bulk/job_parts.h"
#include "bulk/json.h"
#include "fuzz.h"
#include "protocol/token.h"
#include "sim/sim.h"
#include <gather/mock.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef const char *const texts[];

/* What the rows may stand on; all URLs of templates are of one host, and have one path segment and a query.
 */
static const ga__job_options jobs[] = {
    {.url_template = NULL},
    {.headers = (texts){"X-Id: {id}", "Content-Type:", NULL}, .method = "PUT"},
    {.url_template = "http://h/{a}?q={b}", .id = "a", .keep = (texts){"a", "b", NULL}},
    {.url_template = "http://h/{a}?q={b}",
     .headers = (texts){"X-A: {a}", "X-B: b{b}", NULL},
     .method = "GET"},
    {.url_template = "http://h/{a}?", .json = "{\"a\":\"{a}\",\n\"b\":[{+b}]}"},
    {.url_template = "http://h/?{a}", .data = "a={a}&b={b}", .headers = (texts){"Content-Type: {b}", NULL}},
    {.url_template = "http://h/?", .form = (texts){"a={a}", "b={b}", NULL}},
    {.url_template = "http://h/{a}?", .id = ".a", .output = "out/{a}.json", .tokens = {1000, 60}},
};

enum { JOBS = sizeof jobs / sizeof *jobs, COLUMNS = 4 };

static const ga__slice names[COLUMNS] = {
    {"a", 1},
    {"b", 1},
    {"url", 3},
    {"method", 6},
};

/* A row, and what it was made by. */
typedef struct made {
    ga__plan *plan;
    ga__row row;
    bool templated; /* its URL is made by the job's template */
    bool asked;     /* the request got as far as to be sent */
} made;

static bool has_url(const ga__raw_row *raw)
{
    ga__slice url;

    return raw->form == GA__ROW_JSON &&
           (ga__json_is(raw->text, GA__JSON_STRING) || ga__json_member(raw->text, GA__SLICE("url"), &url));
}

static void make(made *self, const ga__job_options *options, const ga__raw_row *raw)
{
    char *problem = NULL;

    *self = (made){.templated = options->url_template && !has_url(raw)};
    self->plan = ga__plan_new(options, &problem);
    REQUIRE(self->plan && ga__plan_build(self->plan, raw, &self->row));
    REQUIRE(self->row.problem ? *self->row.problem : self->row.url && *self->row.url && self->row.method);
}

static void drop(made *self)
{
    ga__row_free(&self->row);
    ga__plan_free(self->plan);
}

/* --- what is sent --------------------------------------------------------------------------------- */

static bool is_named(const made *self, const char *name)
{
    static const char *const own[] = {"Host",         "User-Agent",     "Accept",       "Accept-Encoding",
                                      "Content-Type", "Content-Length", "Authorization"};

    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(name, own[i]) == 0)
            return true;
    for (const ga_pair *header = self->row.headers; header && header->name; header++)
        if (strcmp(name, header->name) == 0)
            return true;
    return false;
}

/* The head as it would go out. */
static void check_head(const made *self, ga_call *call)
{
    char *text = ga_call_text(call, GA_CALL_SECRETS | GA_CALL_NO_BODY), *line = text;

    REQUIRE(text);
    for (size_t i = 0; *line; i++) {
        char *end = strchr(line, '\n');
        size_t size = end ? (size_t)(end - line) : strlen(line), name = strcspn(line, ":\n");

        REQUIRE(ga__span_value(line, size) == size);
        REQUIRE(i > 0 || (size > 9 && memcmp(line + size - 9, " HTTP/1.1", 9) == 0));
        if (i > 0 && size > 0) {
            REQUIRE(line[name] == ':');
            line[name] = '\0';
            REQUIRE(is_named(self, line));
        }
        line += end ? size + 1 : size;
    }
    free(text);
}

/* In the network's place. */
static int check_call(void *arg, ga_call *call)
{
    made *self = arg;
    const ga__row *row = &self->row;
    size_t size;

    self->asked = true;
    if (self->templated) {
        const char *path = call->url + strlen("http://h/");

        REQUIRE(strncmp(call->url, "http://h/", strlen("http://h/")) == 0);
        REQUIRE(!strchr(path, '/') && !strchr(path, '#') && strchr(path, '?') == strrchr(path, '?'));
    }
    check_head(self, call);
    const void *body = ga_call_body(call, &size);

    REQUIRE(body && (row->parts || size == row->body.size));
    REQUIRE(row->parts || size == 0 || memcmp(body, row->body.data, size) == 0);
    return 0;
}

static int call_main(void *arg)
{
    static const ga__job job = {.salt = 0};
    made *self = arg;
    char key[GA__IDEMPOTENCY_KEY_SIZE];
    ga_request_options options;
    ga_auto(ga_session) session =
        ga_session_new(.base_url = "http://base/x/y", .answer = check_call, .answer_arg = self);

    ga__row_request(&job, &self->row, false, self->row.url, key, &options);
    ga_auto(ga_response) response = ga_request_with(session, self->row.method, &options);
    int code = response ? 0 : ga_error()->code;

    REQUIRE(code == 0 ? self->asked
                      : code == GA_EURL || code == GA_ESCHEME || code == GA_EHEADER || code == GA_EUSAGE);
    return 0;
}

/* --- the row as input ----------------------------------------------------------------------------- */

static bool is_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same(ga__slice a, ga__slice b)
{
    return !a.data == !b.data && ga__slice_equal(a, b);
}

static void require_same_form(const ga_part *a, const ga_part *b)
{
    REQUIRE(!a == !b);
    for (; a && a->name; a++, b++)
        REQUIRE(is_equal(a->name, b->name) && is_equal(a->value, b->value) && is_equal(a->file, b->file));
    REQUIRE(!b || !b->name);
}

/* What the job keeps of the row's columns is there as its meta. */
static void require_meta(const ga__row *a, const ga__row *b)
{
    ga__buffer kept = GA__BUFFER_INIT;

    if (a->meta.data) {
        REQUIRE(is_same(a->meta, b->meta));
        return;
    }
    ga__record_append_values(&kept, "meta", a->keep, a->keep_count);
    REQUIRE(a->keep_count > 0 ? strcmp(kept.data + strlen("\"meta\":"), b->meta.data) == 0 : !b->meta.data);
    ga__buffer_free(&kept);
}

static void require_same(const made *first, const made *second)
{
    const ga__row *a = &first->row, *b = &second->row;

    REQUIRE(!b->problem);
    REQUIRE(is_equal(a->method, b->method) && is_equal(a->url, b->url));
    REQUIRE(a->own_headers + a->shown_headers == b->own_headers);
    require_meta(a, b);
    for (size_t i = 0; i < b->own_headers; i++)
        REQUIRE(is_equal(a->headers[i].name, b->headers[i].name) &&
                is_equal(a->headers[i].value, b->headers[i].value));
    REQUIRE(is_same(a->id, b->id) && is_equal(a->body_file, b->body_file));
    REQUIRE(is_same(a->own_expect, b->own_expect) && is_same(a->own_cost, b->own_cost));
    for (int status = 100; status < 600; status++)
        REQUIRE(ga__expect_has(a->expect, status) == ga__expect_has(b->expect, status));
    require_same_form(a->shown_parts ? a->shown_parts : a->parts, b->parts);
    if (a->parts)
        return;
    REQUIRE(is_same(a->body, b->body));
    if (a->shown_headers == 0)
        REQUIRE(memcmp(&a->key, &b->key, sizeof a->key) == 0 && a->content == b->content);
    if ((a->body.data || a->body_file) && a->type_by != GA__TYPE_BY_HEADER)
        REQUIRE(is_equal(a->content_type, b->content_type));
}

static void check_as_input(const made *self)
{
    static const ga__job_options plain = {.url_template = NULL};
    ga__buffer line = GA__BUFFER_INIT, again = GA__BUFFER_INIT;

    ga__row_append_input(&line, &self->row);
    REQUIRE(!line.failed && (line.size > 0 || self->row.problem));
    ga__slice text = {line.data, line.size};

    REQUIRE(line.size == 0 || (!memchr(line.data, '\n', line.size) && ga__json_check(text, NULL)));
    if (!self->row.problem) {
        made second;

        make(&second, &plain, &(ga__raw_row){.n = 1, .form = GA__ROW_JSON, .text = text});
        require_same(self, &second);
        ga__row_append_input(&again, &second.row);
        REQUIRE(ga__slice_equal(text, (ga__slice){again.data, again.size}));
        drop(&second);
    }
    ga__buffer_free(&line);
    ga__buffer_free(&again);
}

/* --- the row -------------------------------------------------------------------------------------- */

static void check_row(const ga__job_options *options, const ga__raw_row *raw)
{
    static const ga_run_options quiet = {.block_warning = -1};
    made self;

    make(&self, options, raw);
    if (!self.row.problem && !self.row.body_file) /* whose file would be read */
        REQUIRE(ga__run_on(ga__sim_new(NULL), &quiet, 0, call_main, &self) == 0);
    check_as_input(&self);
    drop(&self);
}

static void check_record(const ga__job_options *options, ga__slice text)
{
    ga__slice fields[COLUMNS] = {{"", 0}, {"", 0}, {"", 0}, {"", 0}};
    size_t consumed;
    ga__csv csv;

    ga__csv_init(&csv, ',');
    if (ga__csv_read(&csv, text.data, text.size, true, &consumed) == GA__CSV_RECORD) {
        for (size_t i = 0; i < csv.count && i < COLUMNS; i++)
            fields[i] = csv.fields[i];
        check_row(options, &(ga__raw_row){.n = 1,
                                          .form = GA__ROW_CSV,
                                          .text = text,
                                          .names = names,
                                          .fields = fields,
                                          .count = COLUMNS});
    }
    ga__csv_free(&csv);
}

/* What stands in a line is without blanks around it. */
static bool is_trimmed(ga__slice text)
{
    return !memchr(text.data, '\n', text.size) && !strchr(" \t\r", text.data[0]) &&
           !strchr(" \t\r", text.data[text.size - 1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ga__slice text = {(const char *)data + 1, size - 1};

    if (size < 2)
        return 0;
    const ga__job_options *options = &jobs[data[0] % JOBS];
    bool is_line = is_trimmed(text);

    switch (data[0] / JOBS % 3) {
    case 0:
        if (is_line && ga__json_check(text, NULL) &&
            (ga__json_is(text, GA__JSON_OBJECT) || ga__json_is(text, GA__JSON_STRING)))
            check_row(options, &(ga__raw_row){.n = 1, .form = GA__ROW_JSON, .text = text});
        break;
    case 1:
        check_record(options, text);
        break;
    default:
        if (is_line)
            check_row(options, &(ga__raw_row){.n = 1, .form = GA__ROW_URL, .text = text});
    }
    return 0;
}
