/* SPDX-License-Identifier: MIT */
/* Whole jobs against a scripted server, which runs on a loop and a thread of its own: records and their
 * order, shares, pages, what ends a job early, and the files beside the output. */
#include "peer.h"

#include "bulk/job_parts.h"
#include "bulk/journal_database.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int ready, ended, requests, refused_once;
static char base[128];

/* --- the server ----------------------------------------------------------------------------------- */

static bool say(peer_visit *visit, const char *status, const char *fields, const char *body)
{
    ga__buffer out = GA__BUFFER_INIT;

    ga__buffer_printf(&out,
                      "HTTP/1.1 %s\r\n%sContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                      status, fields, strlen(body), body);
    bool good = peer_say(visit, out.data, out.size);

    ga__buffer_free(&out);
    return good;
}

static bool say_page(peer_visit *visit, const char *next)
{
    char fields[400];

    snprintf(fields, sizeof fields, "Link: <%s>; rel=\"next\"\r\n", next);
    return say(visit, "200 OK", next[0] ? fields : "", "[{\"a\":1},{\"a\":2}]");
}

/* A byte of ISO 8859-1, with a type that says so or does not. */
static bool say_latin(peer_visit *visit, const char *type)
{
    ga__buffer out = GA__BUFFER_INIT;

    ga__buffer_printf(&out, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: 3\r\n\r\na\xe9z", type);
    bool good = peer_say(visit, out.data, out.size);

    ga__buffer_free(&out);
    return good;
}

/* What the server answers depends on the path. */
static bool answer(peer_visit *visit)
{
    char path[200] = "", body[300], other[250];

    requests++;
    assert_int_equal(sscanf(visit->request.data, "%*s %199s", path), 1);
    if (strncmp(path, "/late/", 6) == 0)
        ga_sleep(atoi(path + 6) % 3 == 0 ? 0.03 : 0.001);
    if (strncmp(path, "/hang", 5) == 0)
        ga_sleep(5);
    if (strncmp(path, "/missing", 8) == 0)
        return say(visit, "404 Not Found", "", "{}");
    if (strncmp(path, "/refused", 8) == 0)
        return say(visit, "401 Unauthorized", "", "{}");
    if (strcmp(path, "/busy") == 0 && refused_once++ == 0)
        return say(visit, "429 Too Many Requests", "retry-after-ms: 10\r\n", "{}");
    if (strcmp(path, "/closed") == 0)
        return say(visit, "429 Too Many Requests", "Retry-After: 20\r\n", "{}");
    if (strcmp(path, "/made") == 0)
        return say(visit, "303 See Other", "Location: /closed\r\n", "");
    if (strncmp(path, "/page/", 6) == 0) {
        snprintf(other, sizeof other, "/page/%d?to=http://x/", atoi(path + 6) + 1);
        return say_page(visit, atoi(path + 6) < 3 ? other : "");
    }
    if (strcmp(path, "/then-missing") == 0)
        return say_page(visit, "/missing");
    if (strcmp(path, "/circle/1") == 0)
        return say_page(visit, "/circle/2");
    if (strcmp(path, "/circle/2") == 0)
        return say_page(visit, "/circle/3");
    if (strcmp(path, "/circle/3") == 0)
        return say_page(visit, "/circle/2");
    if (strcmp(path, "/foreign") == 0)
        return say_page(visit, "http://127.0.0.2:9/");
    if (strcmp(path, "/moved") == 0) {
        snprintf(other, sizeof other, "Location: http://localhost%s/page/1\r\n", strrchr(base, ':'));
        return say(visit, "302 Found", other, "");
    }
    if (strncmp(path, "/cursor", 7) == 0)
        return say(visit, "200 OK", "", strstr(path, "at=b%20c") ? "{\"next\":null}" : "{\"next\":\"b c\"}");
    if (strncmp(path, "/stuck", 6) == 0)
        return say(visit, "200 OK", "", "{\"next\":\"x\"}");
    if (strcmp(path, "/latin/text") == 0)
        return say_latin(visit, "TEXT/plain; Charset=latin1");
    if (strcmp(path, "/latin/charset") == 0)
        return say_latin(visit, "application/x; CHARSET=\"iso-8859-1\"");
    if (strcmp(path, "/latin/bytes") == 0)
        return say_latin(visit, "application/x; note=\"charset=none\"");
    snprintf(body, sizeof body, "{\"path\":\"%.200s\"}", path);
    return say(visit, "200 OK", "", body);
}

static const peer_step serve[] = {PEER_TAKE(NULL), PEER_CALL(answer), PEER_AGAIN};
static const peer_step *const always[] = {serve, NULL};

static int server_main(void *arg)
{
    ga_group peers;
    peer_server peer;

    (void)arg;
    ga_group_open(&peers, GA_COLLECT);
    peer_start(&peer, &peers, always);
    snprintf(base, sizeof base, "%s", peer_url(&peer, ""));
    ready = 1;
    while (!ended && ga_sleep(0.005) == 0)
        ;
    peer_stop(&peer);
    ga_group_close(&peers);
    return 0;
}

static void *server_thread(void *arg)
{
    ga_run(server_main, arg);
    return NULL;
}

static pthread_t thread;

static int set_up(void **state)
{
    (void)state;
    check_make_directory(state);
    pthread_create(&thread, NULL, server_thread, NULL);
    while (!ready)
        usleep(1000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ended = 1;
    pthread_join(thread, NULL);
    check_remove_directory(state);
    return 0;
}

/* --- jobs ----------------------------------------------------------------------------------------- */

/* Writes rows, "/ok/1" and so on, and gives the name of their file, the caller's to free. */
static char *write_rows(const char *form, int count)
{
    ga__buffer rows = GA__BUFFER_INIT;
    char *path = check_path("rows.jsonl");

    for (int i = 1; i <= count; i++)
        ga__buffer_printf(&rows, form, i);
    check_write_file(path, rows.data);
    ga__buffer_free(&rows);
    return path;
}

static int stop_after, commits;
static bool stop_at_once;

static int count_commit(void *arg)
{
    (void)arg;
    commits++;
    return 0;
}

static void watch(void *arg, ga__job *job)
{
    (void)arg;
    if (job->kept)
        sqlite3_commit_hook(job->journal->db, count_commit, NULL);
    if (stop_after > 0 && requests >= stop_after) {
        ga__job_stop(job);
        if (stop_at_once)
            ga__job_stop(job);
        stop_after = 0; /* a second time would end what is under way */
    }
}

/* Runs a job on the rows of a file. @return its reason, the caller's to free */
static char *run(ga__job_options options, const char *rows, int expected)
{
    const char *const inputs[] = {rows, NULL};
    char *problem = NULL, *reason = NULL;
    int code = 0;

    options.inputs = inputs;
    options.base_url = base;
    requests = refused_once = commits = 0;
    ga__job *job = ga__job_new(&options, &code, &problem);

    if (!job)
        fail_msg("%d: %s", code, problem);
    code = ga__job_run(job, 0.1, watch, NULL, &reason);
    ga__job_free(job);
    if (code != expected)
        fail_msg("exit status %d: %s", code, reason ? reason : "");
    return reason;
}

static int count_of(const char *text, const char *part)
{
    int count = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

static ga__job_options to(char *output)
{
    ga__job_options options = ga__job_defaults;

    options.output = output;
    options.fresh = true;
    return options;
}

/* Each of so many rows has one record that contains the form. */
static void check_records(const char *output, int count)
{
    char *text = check_read_file(output);

    assert_int_equal(count_of(text, "\n"), count);
    for (int i = 1; i <= count; i++) {
        char n[32];

        snprintf(n, sizeof n, "\"n\":%d,", i);
        assert_int_equal(count_of(text, n), 1);
    }
    free(text);
}

static void every_row_has_one_record_on_one_thread_and_on_two(void **state)
{
    char *rows = write_rows("\"/ok/%d\"\n", 300), *output = check_path("all.jsonl");
    ga__job_options options = to(output);

    (void)state;
    for (options.threads = 1; options.threads <= 2; options.threads++) {
        free(run(options, rows, 0));
        assert_int_equal(requests, 300);
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
    free(run(to(output), rows, 1));
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
    free(run(to(output), rows, 0));
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
    ga__job_options options = to(output);

    (void)state;
    options.ordered = true;
    free(run(options, rows, 0));
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

/* Rows in line are stopped before those under way end: their turns must not be waited for. */
static void a_stopped_job_keeps_its_answers_and_goes_on(void **state)
{
    char *rows = write_rows("\"/late/%d\"\n", 200), *output = check_path("stopped.jsonl");
    ga__job_options options = to(output);

    (void)state;
    options.concurrency = 3;
    options.rate = (ga__rate){200, 1};
    for (int ordered = 0; ordered <= 1; ordered++) {
        options.ordered = ordered;
        options.fresh = true;
        options.resume = false;
        stop_after = 20;
        double began = check_now();
        char *reason = run(options, rows, 3);

        assert_true(check_now() - began < 20);
        assert_contains(reason ? reason : "", "it was stopped");
        int before = requests;
        char *text = check_read_file(output);

        assert_int_equal(count_of(text, "\n"), before);
        free(text);
        free(reason);
        options.fresh = false;
        options.resume = true;
        options.rate.count = 0;
        free(run(options, rows, 0));
        assert_int_equal(requests, 200 - before);
        check_records(output, 200);
        options.rate.count = 200;
    }
    free(rows);
    free(output);
}

/* A slow job would spend more on writing each record by itself than on all else. */
static void records_that_nobody_waits_for_are_written_together(void **state)
{
    char *rows = write_rows("\"/ok/%d\"\n", 100), *output = check_path("together.jsonl");
    ga__job_options options = to(output);

    (void)state;
    options.rate = (ga__rate){100, 1};
    free(run(options, rows, 0));
    check_records(output, 100);
    assert_in_range(commits, 3, 50);
    free(rows);
    free(output);
}

/* Else each of them would take a tenth of a second. */
static void records_that_somebody_waits_for_are_written_at_once(void **state)
{
    char *rows = write_rows("\"/ok/%d\"\n", 150), *output = check_path("at_once.jsonl");
    double began = check_now();

    (void)state;
    for (int ordered = 0; ordered <= 1; ordered++) {
        ga__job_options options = to(output);

        options.concurrency = ordered ? 20 : 1;
        options.ordered = ordered;
        free(run(options, rows, 0));
        check_records(output, 150);
    }
    ga__job_options options = to(output);

    options.per_host = 1;
    free(run(options, rows, 0));
    assert_true(check_now() - began < 15);
    free(rows);
    free(output);
}

/* One row, whose job is stopped when so many requests have come, and then gone on with. @return its record */
static char *stop_and_resume(const char *row, int after, bool at_once, int expected)
{
    char *rows = check_path("one.jsonl"), *output = check_path("one-out.jsonl");
    ga__job_options options = to(output);

    check_write_file(rows, row);
    options.follow = true;
    stop_after = after;
    stop_at_once = at_once;
    double began = check_now();

    free(run(options, rows, 3));
    assert_true(check_now() - began < 4);
    stop_at_once = false;
    options.fresh = false;
    options.resume = true;
    options.retries = 0;
    free(run(options, rows, expected));
    char *text = check_read_file(output);

    assert_int_equal(count_of(text, "\n"), 1);
    free(rows);
    free(output);
    return text;
}

static void what_only_waits_is_let_go_and_called_again(void **state)
{
    static const char *const rows[] = {"{\"url\":\"/closed\"}", "{\"url\":\"/closed\",\"method\":\"POST\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = stop_and_resume(rows[i], 1, false, 1);

        assert_int_equal(requests, 1);
        assert_contains(text, "\"status\":429");
        free(text);
    }
}

static void what_may_have_been_acted_upon_is_not_called_again(void **state)
{
    static const struct {
        const char *row;
        int requests;
    } cases[] = {
        {"{\"url\":\"/hang\",\"method\":\"POST\"}", 1},
        {"{\"url\":\"/made\",\"method\":\"POST\"}", 2}, /* what it made is being asked for */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = stop_and_resume(cases[i].row, cases[i].requests, true, 1);

        assert_int_equal(requests, 0);
        assert_contains(text, "\"kind\":\"unknown_outcome\"");
        free(text);
    }
}

static void shares_are_disjoint_and_complete(void **state)
{
    char *rows = write_rows("\"/ok/%d\"\n", 200), *output = check_path("share.jsonl");
    bool seen[201] = {false};
    int sum = 0;

    (void)state;
    for (uint32_t i = 1; i <= 3; i++) {
        ga__job_options options = to(output);

        options.shard = i;
        options.shards = 3;
        free(run(options, rows, 0));
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

static void a_limit_and_too_many_failures_end_the_job(void **state)
{
    char *rows = write_rows("\"/missing/%d\"\n", 400), *output = check_path("limit.jsonl"), *reason;
    ga__job_options options = to(output);

    (void)state;
    options.limit = 5;
    free(run(options, rows, 1));
    check_records(output, 5);
    options = to(output);
    options.concurrency = 1;
    reason = run(options, rows, 3);
    assert_contains(reason ? reason : "", "of the last 100 rows failed");
    free(reason);
    options.max_errors_share = false;
    options.max_errors = 7;
    reason = run(options, rows, 3);
    assert_contains(reason ? reason : "", "--max-errors allows 7");
    assert_true(requests < 20);
    free(reason);
    free(rows);
    rows = write_rows("\"/refused/%d\"\n", 400);
    reason = run(to(output), rows, 3);
    assert_contains(reason ? reason : "", "Is the API key right?");
    free(reason);
    free(rows);
    rows = write_rows("\"/ok/%d\"\n", 400);
    options = to(output);
    options.rate = (ga__rate){20, 1};
    options.max_duration = 0.3;
    reason = run(options, rows, 3);
    assert_contains(reason ? reason : "", "--max-duration");
    free(reason);
    free(rows);
    free(output);
}

/* --- pages ---------------------------------------------------------------------------------------- */

static char *run_page(const char *next, const char *items, const char *row, int expected, bool follow)
{
    char *output = check_path("pages.jsonl"), *rows = check_path("rows.txt");
    ga__job_options options = to(output);

    check_write_file(rows, row);
    options.next = next;
    options.items = items;
    options.follow = follow;
    free(run(options, rows, expected));
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
    assert_int_equal(requests, 2);
    assert_contains(text, "/cursor?x=1&at=b%20c");
    free(text);
}

static void circles_and_other_hosts_are_refused(void **state)
{
    char *text = run_page("link", NULL, "/circle/1", 1, false);

    (void)state;
    assert_true(requests < 10);
    assert_contains(text, "go round in a circle");
    free(text);
    text = run_page("at=.next", NULL, "/stuck", 1, false);
    assert_int_equal(requests, 2);
    assert_contains(text, "is the page itself");
    free(text);
    text = run_page("link", NULL, "/foreign", 1, false);
    assert_contains(text, "is not on the host of the row");
    free(text);
    text = run_page("link", NULL, "/moved", 1, true); /* its page is on the other host, and so is the next */
    assert_int_equal(requests, 2);
    assert_contains(text, "is not on the host of the row");
    free(text);
}

/* --- files beside the output, and none ------------------------------------------------------------ */

static void bodies_failures_numbers_and_events_go_to_files(void **state)
{
    char *rows = check_path("rows.jsonl"), *output = check_path("d/{id}.json"),
         *failed = check_path("failed.jsonl"), *log = check_path("log"), *metrics = check_path("metrics"),
         *body = check_path("d/a.json");
    ga__job_options options = to(output);

    (void)state;
    check_write_file(rows, "{\"id\":\"a\",\"url\":\"/ok/1\"}\n{\"id\":\"b\",\"url\":\"/missing\"}\n");
    options.failed_out = failed;
    options.log = log;
    options.metrics = metrics;
    free(run(options, rows, 1));
    char *text = check_read_file(body);

    assert_string_equal(text, "{\"path\":\"/ok/1\"}");
    free(text);
    text = check_read_file(failed);
    assert_string_equal(text, "{\"id\":\"b\",\"method\":\"GET\",\"url\":\"/missing\"}\n");
    free(text);
    text = check_read_file(log);
    assert_int_equal(count_of(text, "\"event\":\"record\""), 2);
    free(text);
    text = check_read_file(metrics);
    assert_contains(text, "gather_job_rows_total 2");
    free(text);
    free(rows);
    free(output);
    free(failed);
    free(log);
    free(metrics);
    free(body);
}

/* A directory is where the body of one row would go: that is no fault of the others. */
static void a_row_whose_file_cannot_have_its_name_fails_alone(void **state)
{
    char *rows = check_path("rows.jsonl"), *output = check_path("n/{c}/{id}"),
         *index = check_path("n/index.jsonl"), *taken = check_path("n/c/taken"), *file = check_path("n/file");

    (void)state;
    check_write_file(rows, "{\"id\":\"taken\",\"c\":\"c\"}\n{\"id\":\"in-file\",\"c\":\"file\"}\n"
                           "{\"id\":\"good\",\"c\":\"c\"}\n");
    for (int looks = 0; looks < 2; looks++) {
        ga__job_options options = to(output);

        options.url_template = "/ok/1";
        options.extract = looks ? (const char *const[]){".path", NULL} : NULL;
        options.fresh = true;
        assert_int_equal(ga__body_file_make_directories(taken), 0);
        assert_true(mkdir(taken, 0777) == 0 || errno == EEXIST);
        check_write_file(file, "");
        free(run(options, rows, 1));
        char *text = check_read_file(index);

        assert_int_equal(count_of(text, "\"ok\":true"), 1);
        assert_int_equal(count_of(text, "\"kind\":\"input\",\"stage\":\"input\""), 2);
        assert_contains(text, "n/c/taken cannot be written: Is a directory");
        assert_contains(text, "n/file/in-file cannot be written: Not a directory");
        free(text);
    }
    free(rows);
    free(output);
    free(index);
    free(taken);
    free(file);
}

/* A file that is not whole yet has the name of no other row's. */
static void the_file_of_one_row_is_not_written_as_that_of_another(void **state)
{
    char *rows = check_path("rows.jsonl"), *output = check_path("p/{id}"),
         *index = check_path("p/index.jsonl"), *body = check_path("p/x"), *part = check_path("p/x.part");

    (void)state;
    check_write_file(rows, "{\"id\":\"x.part\",\"url\":\"/ok/1\"}\n{\"id\":\"x\",\"url\":\"/ok/2\"}\n");
    free(run(to(output), rows, 1));
    char *text = check_read_file(body);

    assert_string_equal(text, "{\"path\":\"/ok/2\"}");
    free(text);
    text = check_read_file(index);
    assert_int_equal(count_of(text, "\"ok\":true"), 1);
    assert_contains(text, "the name of its body's file ends in .part");
    free(text);
    assert_int_equal(access(part, F_OK), -1);
    free(rows);
    free(output);
    free(index);
    free(body);
    free(part);
}

/* Runs a job whose output is this process's standard output, which goes to a file meanwhile. */
static char *run_to_stdout(ga__job_options options, const char *rows, int expected)
{
    char *path = check_path("stdout");
    FILE *file = fopen(path, "w");
    int kept = dup(STDOUT_FILENO);

    fflush(stdout);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    free(run(options, rows, expected));
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    close(kept);
    fclose(file);
    char *text = check_read_file(path);

    free(path);
    return text;
}

static void raw_bodies_and_failures_of_later_pages_on_standard_output(void **state)
{
    ga__job_options options = ga__job_defaults;
    char *rows = write_rows("\"/late/%d\"\n", 4);

    (void)state;
    options.raw = true;
    char *text = run_to_stdout(options, rows, 0);

    assert_string_equal(text, "{\"path\":\"/late/1\"}{\"path\":\"/late/2\"}{\"path\":\"/late/3\"}"
                              "{\"path\":\"/late/4\"}");
    free(text);
    check_write_file(rows, "\"/then-missing\"\n");
    options = ga__job_defaults;
    options.next = "link";
    free(run_to_stdout(options, rows, 1));
    free(rows);
}

static void a_dry_run_sends_nothing_and_shows_no_secret(void **state)
{
    const char *const headers[] = {"Authorization: Bearer hush", NULL};
    char *rows = write_rows("\"/ok/%d\"\n", 5), *shown = check_path("shown"), *problem = NULL;
    const char *const inputs[] = {rows, NULL};
    ga__job_options options = ga__job_defaults;
    FILE *out = fopen(shown, "w");
    int code = 0;

    (void)state;
    options.inputs = inputs;
    options.headers = headers;
    options.base_url = base;
    requests = 0;
    ga__job *job = ga__job_new_dry(&options, &code, &problem);

    assert_non_null(job);
    assert_int_equal(ga__job_dry_run(job, out, 2, &problem), 0);
    ga__job_free(job);
    fclose(out);
    char *text = check_read_file(shown);

    assert_int_equal(requests, 0);
    assert_contains(text, "GET /ok/2");
    assert_lacks(text, "/ok/3");
    assert_contains(text, "# 5 rows");
    assert_lacks(text, "hush");
    free(text);
    free(rows);
    free(shown);
}

/* What a row says is shown, never obeyed. */
static void a_dry_run_sends_nothing_to_the_terminal(void **state)
{
    char *rows = check_path("rows.csv"), *shown = check_path("shown"), *problem = NULL;
    const char *const inputs[] = {rows, NULL};
    ga__job_options options = ga__job_defaults;
    FILE *out = fopen(shown, "w");
    int code = 0;

    (void)state;
    check_write_file(rows, "url,a\n/x,\x1b[2J\n/y,\xC2\x9b[2J\n/z,ok\n");
    options.inputs = inputs;
    options.headers = (const char *const[]){"X-A: {a}", NULL};
    options.id = "a";
    options.base_url = base;
    ga__job *job = ga__job_new_dry(&options, &code, &problem);

    assert_non_null(job);
    assert_int_equal(ga__job_dry_run(job, out, 3, &problem), 0);
    ga__job_free(job);
    fclose(out);
    char *text = check_read_file(shown);

    assert_contains(text, "# row 2, ");
    assert_contains(text, "has a control character");
    assert_lacks(text, "\x1b");
    assert_lacks(text, "\xC2\x9b");
    free(text);
    free(rows);
    free(shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_one_record_on_one_thread_and_on_two),
        cmocka_unit_test(records_of_each_kind_say_what_became_of_the_row),
        cmocka_unit_test(a_body_is_text_where_its_type_says_of_which_charset),
        cmocka_unit_test(ordered_records_stand_in_the_order_of_the_rows),
        cmocka_unit_test(a_stopped_job_keeps_its_answers_and_goes_on),
        cmocka_unit_test(records_that_nobody_waits_for_are_written_together),
        cmocka_unit_test(records_that_somebody_waits_for_are_written_at_once),
        cmocka_unit_test(what_only_waits_is_let_go_and_called_again),
        cmocka_unit_test(what_may_have_been_acted_upon_is_not_called_again),
        cmocka_unit_test(shares_are_disjoint_and_complete),
        cmocka_unit_test(a_limit_and_too_many_failures_end_the_job),
        cmocka_unit_test(pages_are_followed_to_their_end),
        cmocka_unit_test(circles_and_other_hosts_are_refused),
        cmocka_unit_test(bodies_failures_numbers_and_events_go_to_files),
        cmocka_unit_test(a_row_whose_file_cannot_have_its_name_fails_alone),
        cmocka_unit_test(the_file_of_one_row_is_not_written_as_that_of_another),
        cmocka_unit_test(raw_bodies_and_failures_of_later_pages_on_standard_output),
        cmocka_unit_test(a_dry_run_sends_nothing_and_shows_no_secret),
        cmocka_unit_test(a_dry_run_sends_nothing_to_the_terminal),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
