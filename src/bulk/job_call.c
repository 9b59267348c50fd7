/* SPDX-License-Identifier: MIT */
/*
 * One row: its call, or its calls page by page, and its records. Every way out leaves exactly one record of
 * the row's end, but where the job is stopped: then the row stays as it was, for the next run.
 */
#include "bulk/job_parts.h"

#include "base/clock.h"
#include "base/number.h"
#include "bulk/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the request ---------------------------------------------------------------------------------- */

/* Notes that the row is about to be sent, and waits until the note is written. */
static int note_begin(ga__row_call *call)
{
    ga__job *job = call->lane->job;
    char *problem = NULL;

    pthread_mutex_lock(&job->lock);
    int code = ga__journal_begin(job->journal, &call->row.key, &problem);

    pthread_mutex_unlock(&job->lock);
    if (code != 0)
        return ga__job_cannot_write(job, problem);
    call->begun = true;
    return ga__lane_write_note(call);
}

static void take_place(ga__row_call *call)
{
    if (!call->has_place)
        call->lane->job->places_taken++;
    call->has_place = true;
}

static void leave_place(ga__row_call *call)
{
    if (call->has_place)
        call->lane->job->places_taken--;
    call->has_place = false;
}

/* For ga_request_options.before_send: the row goes out now. */
static int before_send(void *arg, int attempt)
{
    ga__row_call *call = arg;
    ga__job *job = call->lane->job;

    (void)attempt;
    if (job->stopping && !call->under_way)
        return ga_fail(GA_ECANCELED, "the job is being stopped");
    if (!call->idempotent && !call->begun && job->kept && note_begin(call) < 0)
        return ga_error()->code;
    call->under_way = true;
    take_place(call);
    call->sent_at = ga__job_now();
    if (call->first_sent_ms == 0)
        call->first_sent_ms = ga__wall_ms();
    return 0;
}

/* Takes the note back: no server has acted on the row. */
static int note_undone(ga__row_call *call)
{
    ga__job *job = call->lane->job;
    char *problem = NULL;

    pthread_mutex_lock(&job->lock);
    int code = ga__journal_unbegin(job->journal, &call->row.key, &problem);

    pthread_mutex_unlock(&job->lock);
    call->begun = false;
    ga_event_set(&call->lane->to_write);
    return code == 0 ? 0 : ga__job_cannot_write(job, problem);
}

/* For ga_request_options.before_retry: until the row goes out again nothing of it is under way, and it may be
 * left for the next run. But for one which that would not call: it may have been acted upon, as what a POST
 * was redirected from. */
static int before_retry(void *arg, const ga_retry *retry)
{
    ga__row_call *call = arg;

    if (!call->idempotent && !ga__is_undone(retry->sent))
        return 0;
    call->under_way = false;
    if (call->lane->job->stopping)
        return ga_fail(GA_ECANCELED, "the job is being stopped");
    return call->begun ? note_undone(call) : 0;
}

static bool is_safe(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "OPTIONS") == 0;
}

void ga__row_request(const ga__job *job, const ga__row *row, bool idempotent, const char *url,
                     char key[GA__IDEMPOTENCY_KEY_SIZE], ga_request_options *options)
{
    *options = (ga_request_options){.size_ = sizeof *options,
                                    .url = url,
                                    .headers = row->headers,
                                    .idempotent = idempotent,
                                    .cost = row->cost};
    if (row->parts) {
        options->multipart = row->parts;
    } else if (row->body_file) {
        options->body_file = row->body_file;
    } else if (row->body.data) {
        options->body = row->body.data;
        options->body_size = row->body.size;
    }
    if (!row->parts && row->type_by != GA__TYPE_BY_HEADER)
        options->content_type = row->content_type;
    if (!job->options.idempotency_keys || is_safe(row->method))
        return;
    for (size_t i = 0; i < GA__KEY_SIZE; i++)
        snprintf(key + 2 * i, 3, "%02x", row->key.bytes[i]);
    snprintf(key + 2 * GA__KEY_SIZE, GA__IDEMPOTENCY_KEY_SIZE - 2 * GA__KEY_SIZE, "-%llx",
             (unsigned long long)job->salt);
    options->idempotency_key = key;
}

static ga_response *request(ga__row_call *call, const char *url)
{
    char key[GA__IDEMPOTENCY_KEY_SIZE];
    ga_request_options options;

    ga__row_request(call->lane->job, &call->row, call->idempotent, url, key, &options);
    options.before_send = before_send;
    options.before_send_arg = call;
    options.before_retry = before_retry;
    options.before_retry_arg = call;
    return ga_request_with(call->lane->session, call->row.method, &options);
}

/* --- writing records ------------------------------------------------------------------------------ */

static int write_records(ga__row_call *call, const ga__record *records, size_t count, const char *next)
{
    ga__buffer line = GA__BUFFER_INIT, hidden = GA__BUFFER_INIT; /* the next page's URL */
    ga__entry entry = {.key = call->row.key, .content = call->row.content, .record = records, .count = count};
    int code = ga__lane_await_turn(call);

    if (code != 0)
        return code;
    if (next)
        ga__template_hide(call->lane->job->plan->url, next, &hidden);
    if (!records->ok)
        ga__row_append_input(&line, &call->row);
    entry.next = (ga__slice){hidden.data, hidden.size};
    entry.row = (ga__slice){line.data, line.size};
    code = line.failed || hidden.failed ? ga__job_cannot_write(call->lane->job, NULL)
                                        : ga__lane_write(call, &entry);
    ga__buffer_free(&hidden);
    ga__buffer_free(&line);
    return code;
}

typedef struct item_list {
    ga__record *records;
    size_t count, room;
    bool failed;
} item_list;

static bool add_item(void *arg, ga__slice value)
{
    item_list *self = arg;

    if (self->count == self->room) {
        size_t room = self->room ? self->room * 2 : 16;
        ga__record *records = reallocarray(self->records, room, sizeof *records);

        if (!records)
            return !(self->failed = true);
        self->records = records;
        self->room = room;
    }
    self->records[self->count++].body = value;
    return true;
}

/* A record for each item of the page, written together; for a page without any, one without a body. */
static int write_items(ga__row_call *call, ga__record *page, const char *next)
{
    const ga__job *job = call->lane->job;
    item_list items = {.records = NULL};

    if (page->body_form == GA__BODY_JSON)
        ga__path_each(job->plan->items, page->body, add_item, &items);
    for (size_t i = 0; i < items.count && !items.failed; i++) {
        ga__slice body = items.records[i].body;

        items.records[i] = *page;
        items.records[i].body = body;
        ga__record_extract(&items.records[i], call);
        if (job->options.no_body)
            items.records[i].body_form = GA__BODY_NONE;
    }
    page->body_form = GA__BODY_NONE;
    ga__record_extract(page, call);
    int code = items.failed      ? ga__job_cannot_write(call->lane->job, NULL)
               : items.count > 0 ? write_records(call, items.records, items.count, next)
                                 : write_records(call, page, 1, next);

    free(items.records);
    return code;
}

static int write_page(ga__row_call *call, ga__record *record, const char *next)
{
    const ga__job *job = call->lane->job;

    if (job->plan->items && record->ok)
        return write_items(call, record, next);
    if (!record->extract)
        ga__record_extract(record, call);
    if (job->options.no_body && record->body_form != GA__BODY_FILE)
        record->body_form = GA__BODY_NONE;
    return write_records(call, record, 1, next);
}

/* --- an answer ------------------------------------------------------------------------------------ */

/* Whether somebody looks into bodies. */
static bool looks_into_bodies(const ga__job *job)
{
    const ga__plan *plan = job->plan;

    return plan->extract_count > 0 || plan->items || plan->next || job->options.tokens.count > 0;
}

/* Reads the body to its end, so that the connection is kept, and counts it. */
static int skip_body(const ga__lane *lane, ga_response *response, ga__record *record)
{
    ssize_t count;

    while ((count = ga_read(response, lane->scrap, GA__SCRAP_SIZE)) > 0)
        record->bytes += (uint64_t)count;
    return (int)count;
}

/* The body of a success goes to a file; one that was read has its text in the record until then. */
static int save_body(ga__row_call *call, ga_response *response, ga__record *record)
{
    int64_t size = ga__body_file_save(response, call->row.body_out, &call->unwritable);

    if (size < 0)
        return (int)size;
    record->bytes = (uint64_t)size;
    record->body_form = GA__BODY_FILE;
    record->body = ga__slice_of(call->row.body_out);
    return 0;
}

static int read_body(ga__row_call *call, ga_response *response, ga__record *record, char **text)
{
    const ga__job *job = call->lane->job;
    size_t size;

    if (call->row.body_out && record->ok && !looks_into_bodies(job))
        return save_body(call, response, record);
    if (job->options.no_body && !looks_into_bodies(job))
        return skip_body(call->lane, response, record);
    const void *body = ga_body(response, &size);

    if (!body)
        return ga_error()->code;
    record->bytes = size;
    ga__record_tell_body(record, response, (ga__slice){body, size}, text);
    return 0;
}

/* The body that was read, with its mark and in its charset. */
static ga__slice as_it_came(ga_response *response)
{
    size_t size = 0;
    const void *body = ga_body(response, &size);

    return (ga__slice){body, body ? size : 0};
}

/* A body that was looked into goes to its file after all. */
static int move_body_to_file(ga__row_call *call, ga_response *response, ga__record *record)
{
    if (!call->row.body_out || !record->ok || record->body_form == GA__BODY_FILE)
        return 0;
    int code = ga__body_file_write(call->row.body_out, as_it_came(response), &call->unwritable);

    if (code == 0) {
        record->body_form = GA__BODY_FILE;
        record->body = ga__slice_of(call->row.body_out);
    }
    return code;
}

/* The tokens that an answer says it has cost. */
static void settle_cost(ga_response *response, const ga__record *record)
{
    ga__slice usage, total;
    double tokens;

    if (record->body_form == GA__BODY_JSON && ga__json_member(record->body, ga__slice_of("usage"), &usage) &&
        ga__json_member(usage, ga__slice_of("total_tokens"), &total) &&
        ga__parse_double(total.data, total.size, &tokens) && tokens >= 0)
        ga_response_set_cost(response, tokens);
}

/* Whether the row goes round in a circle: the page is held against an earlier one, which is the first,
 * second, fourth, eighth ... of them, so that a circle of any length is found before it has been walked three
 * times. */
static int refuse_circle(ga__row_call *call, const char *next)
{
    const ga__slice part = ga__slice_of(next);
    ga__key key;

    if (!ga__key_of(&key, 0, &part, 1))
        return ga_fail(GA_ENOMEM, "no memory for the URL of the next page");
    if (call->pages > 0 && memcmp(&key, &call->milestone, sizeof key) == 0)
        return ga_fail(GA_EREDIRECT, "the next page, %s, was there before: the pages go round in a circle",
                       next);
    call->pages++;
    if ((call->pages & (call->pages - 1)) == 0)
        call->milestone = key;
    return 1;
}

/* Where a page that succeeded is followed by another. @return as ga__page_next */
static int find_next(ga__row_call *call, ga_response *response, const ga__record *record, const char *url,
                     char **next)
{
    const ga__job *job = call->lane->job;
    ga__slice body = record->body_form == GA__BODY_JSON ? record->body : (ga__slice){NULL, 0};

    if (!record->ok || record->page == 0 ||
        (job->options.max_pages > 0 && record->page >= job->options.max_pages))
        return 0;
    int code = ga__page_next(job->plan, response, body, url, next);

    if (code > 0 && (code = refuse_circle(call, *next)) < 0) {
        free(*next);
        *next = NULL;
    }
    return code;
}

/* Whether the call failed because the job is being stopped. */
static bool is_stopped(const ga__row_call *call)
{
    return call->lane->job->stopping && (ga_error()->code == GA_ECANCELED || ga_error()->code == GA_ECLOSED);
}

/* A record with what is known of the answer before its body. */
static ga__record begin_answer(ga__row_call *call, const ga_response *response, uint32_t page)
{
    ga__record record = ga__record_begin(call);

    record.page = page;
    record.status = ga_status(response);
    if (!call->row.shown_url)
        record.url = ga__slice_of(ga_url(response));
    record.attempts = ga_attempts(response);
    record.ok = ga__expect_has(call->row.expect, record.status);
    if (!record.ok)
        ga__record_tell_status(&record, call, response);
    return record;
}

/* Reads the body, and what it says. @return as find_next */
static int take_body(ga__row_call *call, ga_response *response, const char *url, ga__record *record,
                     char **text, char **next)
{
    ga__job *job = call->lane->job;
    int more = 0, code = read_body(call, response, record, text);

    if (code == 0 && job->options.tokens.count > 0)
        settle_cost(response, record);
    if (code == 0)
        code = more = find_next(call, response, record, url, next);
    if (code >= 0 && !job->plan->items)
        ga__record_extract(record, call);
    if (code >= 0)
        code = move_body_to_file(call, response, record);
    if (code >= 0 && job->options.raw && !job->plan->items && record->ok)
        record->body = as_it_came(response);
    if (code < 0 && call->unwritable)
        code = ga__job_cannot_write(job, strdup(ga_error_message()));
    return code < 0 ? code : more;
}

/* Reads the answer and writes its record. @return 1 with *next, where another page is to be called; 0;
 * negative */
static int take_answer(ga__row_call *call, ga_response *response, const char *url, uint32_t page, char **next)
{
    const ga__job *job = call->lane->job;
    char *text = NULL;

    call->answered_at = ga__job_now();
    ga__record record = begin_answer(call, response, page);
    int more = take_body(call, response, url, &record, &text, next), code = more;

    if (more >= 0 || (!is_stopped(call) && !job->unwritable)) {
        if (more < 0)
            ga__record_tell_failure(&record, call);
        ga__record_tell_times(&record, call, response);
        if (job->options.with_headers)
            ga__record_tell_headers(&record, call, response);
        code = write_page(call, &record, more > 0 ? *next : NULL);
    }
    free(text);
    return code < 0 ? code : more > 0;
}

/* --- the ends of a row ---------------------------------------------------------------------------- */

/* The row stays for the next run. */
static int leave_row(ga__row_call *call)
{
    return call->begun && ga__is_undone(ga_error()->sent) ? note_undone(call) : 0;
}

/* There was no answer. */
static int take_failure(ga__row_call *call, uint32_t page)
{
    ga__job *job = call->lane->job;
    ga__record record = ga__record_begin(call);

    if (ga_error()->code == GA_ERATELIMITED) { /* for longer than the job waits */
        ga__job_end(job, 3,
                    ga_format("%s; --max-wait is %g s", ga__record_hide(call, ga_error_message()),
                              job->options.max_wait));
        return leave_row(call);
    }
    if (is_stopped(call) || job->code == 4)
        return leave_row(call);
    record.page = page;
    ga__record_tell_failure(&record, call);
    ga__record_tell_times(&record, call, NULL);
    return write_page(call, &record, NULL);
}

/* The row is not called. */
static int write_refusal(ga__row_call *call)
{
    ga__record record = ga__record_begin(call);
    bool input = call->refusal == GA__KIND_INPUT;

    record.kind = call->refusal;
    record.stage = "journal";
    record.message =
        input ? call->row.problem
              : "the run before was ended after it was sent, so it may have been acted upon; it is not "
                "sent again";
    if (input)
        ga__record_tell_place(&record, &call->row);
    else if (call->row.body_out)
        ga__body_file_forget(call->row.body_out);
    record.extract = call->lane->job->plan->like.extract;
    record.extract_count = call->lane->job->plan->extract_count;
    return write_records(call, &record, 1, NULL);
}

/* --- the row -------------------------------------------------------------------------------------- */

/* The URL with its secrets in it again. */
static void reveal(const ga__template *template, char **url)
{
    ga__buffer revealed = GA__BUFFER_INIT;

    ga__template_reveal(template, *url, &revealed);
    char *text = ga__buffer_take(&revealed);

    if (text) { /* else the server is told the secret's name, and refuses */
        free(*url);
        *url = text;
    }
    ga__buffer_free(&revealed);
}

/* Where a paged row begins: where its last page said, in a run before. */
static uint32_t first_page(const ga__row_call *call, char **url)
{
    ga__job *job = call->lane->job;
    uint32_t page = 0;

    if (!job->plan->next && !job->plan->next_is_link)
        return 0;
    if (job->kept) {
        pthread_mutex_lock(&job->lock);
        ga__journal_page(job->journal, &call->row.key, url, &page);
        pthread_mutex_unlock(&job->lock);
    }
    if (*url)
        reveal(job->plan->url, url);
    return page + 1;
}

static void call_pages(ga__row_call *call)
{
    char *url = NULL;
    uint32_t page = first_page(call, &url);
    int code;

    do {
        const char *present = url ? url : call->row.url;
        char *next = NULL;

        call->under_way = false;
        call->sent_at = 0;
        call->first_sent_ms = 0;
        call->called_at = ga__job_now();
        ga_response *response = request(call, present);

        code = response ? take_answer(call, response, present, page, &next) : take_failure(call, page);
        ga_response_free(response);
        leave_place(call);
        free(url);
        url = next;
        page++;
    } while (code > 0);
    free(url);
}

int ga__row_call_main(void *arg)
{
    ga__row_call *call = arg;

    if (call->refusal != GA__KIND_OK)
        write_refusal(call);
    else
        call_pages(call);
    ga__lane_end_row(call);
    return 0;
}
