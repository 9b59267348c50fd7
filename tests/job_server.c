/* SPDX-License-Identifier: MIT */
/*
 * The scripted server: a loop on a thread of its own, which serves all jobs of a test program; and what its
 * tests ask of a job and its records.
 */
#include "job_server.h"

#include "peer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

atomic_int job_requests;
char job_base[128];

static atomic_int ready, ended, refused_once;
static pthread_t thread;

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

    job_requests++;
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
        snprintf(other, sizeof other, "Location: http://localhost%s/page/1\r\n", strrchr(job_base, ':'));
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
    snprintf(job_base, sizeof job_base, "%s", peer_url(&peer, ""));
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

int job_set_up(void **state)
{
    (void)state;
    check_make_directory(state);
    pthread_create(&thread, NULL, server_thread, NULL);
    while (!ready)
        usleep(1000);
    return 0;
}

int job_tear_down(void **state)
{
    (void)state;
    ended = 1;
    pthread_join(thread, NULL);
    check_remove_directory(state);
    return 0;
}

/* --- jobs ----------------------------------------------------------------------------------------- */

char *write_rows(const char *form, int count)
{
    ga__buffer rows = GA__BUFFER_INIT;
    char *path = check_path("rows.jsonl");

    for (int i = 1; i <= count; i++)
        ga__buffer_printf(&rows, form, i);
    check_write_file(path, rows.data);
    ga__buffer_free(&rows);
    return path;
}

ga__job_options job_to(char *output)
{
    ga__job_options options = ga__job_defaults;

    options.output = output;
    options.fresh = true;
    return options;
}

char *job_run_watched(ga__job_options options, const char *rows, int expected,
                      void (*watch)(void *arg, ga__job *job))
{
    const char *const inputs[] = {rows, NULL};
    char *problem = NULL, *reason = NULL;
    int code = 0;

    options.inputs = inputs;
    options.base_url = job_base;
    job_requests = refused_once = 0;
    ga__job *job = ga__job_new(&options, &code, &problem);

    if (!job)
        fail_msg("%d: %s", code, problem);
    code = ga__job_run(job, 0.1, watch, NULL, &reason);
    ga__job_free(job);
    if (code != expected)
        fail_msg("exit status %d: %s", code, reason ? reason : "");
    return reason;
}

char *job_run(ga__job_options options, const char *rows, int expected)
{
    return job_run_watched(options, rows, expected, NULL);
}

int count_of(const char *text, const char *part)
{
    int count = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

void check_records(const char *output, int count)
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
