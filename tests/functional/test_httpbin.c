/* SPDX-License-Identifier: MIT */
/* The client against httpbin: what is sent is what arrives, and what is answered is what is read. */
#include "peers.h"

#include <string.h>

static ga_session *open_session(const peers *servers)
{
    return ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file);
}

static int get_tells_of_the_response(void *arg)
{
    const peers *servers = arg;
    ga_auto(ga_session) session = open_session(servers);
    ga_auto(ga_response) response = ga_get(session, "/get");
    json_t *told = ga_json(response);
    ga_autofree char *url = ga_format("%s/get", servers->base);

    EXPECT(ga_status(response) == 200);
    EXPECT_TEXT(ga_reason(response), "OK");
    EXPECT_TEXT(ga_http_version(response), "1.1");
    EXPECT_TEXT(ga_header(response, "content-TYPE"), "application/json");
    EXPECT(ga_header(response, "X-None") == NULL);
    EXPECT_TEXT(ga_url(response), url);
    EXPECT(ga_redirects(response) == 0);
    EXPECT_TEXT(peers_json(told, "url"), url);
    EXPECT_TEXT(peers_json(told, "headers.Host"), strstr(servers->base, "://") + 3);
    EXPECT(strncmp(peers_json(told, "headers.User-Agent"), "gather/", 7) == 0);
    EXPECT(ga_raise_for_status(response) == 0);
    json_decref(told);
    return 0;
}

static int params_join_the_query(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) response =
        ga_get(session, "/get?a=1#fragment",
               .params = GA_PAIRS({"b", "x y&z=+/?"}, {"\u00e9", "%41"}, {"none", ""}));
    json_t *told = ga_json(response);

    EXPECT_TEXT(peers_json(told, "args.a"), "1");
    EXPECT_TEXT(peers_json(told, "args.b"), "x y&z=+/?");
    EXPECT_TEXT(peers_json(told, "args.\u00e9"), "%41");
    EXPECT_TEXT(peers_json(told, "args.none"), "");
    json_decref(told);
    return 0;
}

static int headers_of_a_call_replace_those_of_the_session(void *arg)
{
    const peers *servers = arg;
    ga_auto(ga_session) session =
        ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file, .user_agent = "me/1",
                       .headers = GA_PAIRS({"X-Both", "session"}, {"X-Session", "yes"}));
    ga_auto(ga_response) response =
        ga_get(session, "/headers", .headers = GA_PAIRS({"x-both", "call"}, {"X-Call", " a b "}));
    json_t *told = ga_json(response);

    EXPECT_TEXT(peers_json(told, "headers.X-Both"), "call");
    EXPECT_TEXT(peers_json(told, "headers.X-Session"), "yes");
    EXPECT_TEXT(peers_json(told, "headers.X-Call"), "a b");
    EXPECT_TEXT(peers_json(told, "headers.User-Agent"), "me/1");
    json_decref(told);
    return 0;
}

/* What httpbin says that it got. */
static void expect_sent(ga_response *response, const char *data, const char *type)
{
    json_t *told = ga_json(response);

    EXPECT(ga_status(response) == 200);
    EXPECT_TEXT(peers_json(told, "data"), data);
    EXPECT_TEXT(peers_json(told, "headers.Content-Type"), type);
    json_decref(told);
    ga_response_free(response);
}

static int bodies_arrive_as_they_were_sent(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    json_t *value = json_pack("{s:i}", "a", 1);

    expect_sent(ga_post(session, "/post", .text = "plain \u00e9"), "plain \u00e9",
                "text/plain; charset=utf-8");
    expect_sent(ga_post(session, "/post", .json_text = "{\"a\": 1}"), "{\"a\": 1}", "application/json");
    expect_sent(ga_put(session, "/put", .body = "x\ny", .body_size = 3, .content_type = "text/x"), "x\ny",
                "text/x");
    expect_sent(ga_patch(session, "/patch", .text = ""), "", "text/plain; charset=utf-8");
    expect_sent(ga_delete(session, "/delete"), "", "(none)");
    ga_auto(ga_response) response = ga_post(session, "/post", .json = value);
    json_t *told = ga_json(response);

    EXPECT(json_equal(json_object_get(told, "json"), value));
    json_decref(told);
    json_decref(value);
    return 0;
}

static int a_large_body_arrives_whole(void *arg)
{
    enum { SIZE = 3000000 };
    ga_auto(ga_session) session = open_session(arg);
    ga_autofree char *text = malloc(SIZE + 1);

    for (size_t i = 0; i < SIZE; i++)
        text[i] = (char)('a' + i % 23);
    text[SIZE] = '\0';
    expect_sent(ga_post(session, "/post", .text = text), text, "text/plain; charset=utf-8");
    return 0;
}

static int forms_and_parts_arrive_as_fields_and_files(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_autofree char *directory = check_mkdtemp();
    ga_autofree char *path = ga_format("%s/report.txt", directory);

    check_write_file(path, "line 1\r\n--gather-\nline 2");
    ga_auto(ga_response) form =
        ga_post(session, "/post", .form = GA_PAIRS({"a", "x y&z=+%"}, {"\u00e9", "\r\n"}));
    json_t *told = ga_json(form);

    EXPECT_TEXT(peers_json(told, "form.a"), "x y&z=+%");
    EXPECT_TEXT(peers_json(told, "form.\u00e9"), "\r\n");
    json_decref(told);
    ga_auto(ga_response) parts =
        ga_put(session, "/anything",
               .multipart = GA_PARTS({.name = "title", .value = "\u00fcber\n\n--"},
                                     {.name = "upload", .file = path, .content_type = "text/plain"},
                                     {.name = "raw", .data = "abc", .size = 3, .filename = "a\"\r\nX: b"},
                                     {.name = "odd\"name\r\n", .value = "here"}));
    told = ga_json(parts);
    EXPECT(ga_status(parts) == 200);
    EXPECT_TEXT(peers_json(told, "form.title"), "\u00fcber\n\n--");
    EXPECT_TEXT(peers_json(told, "files.upload"), "line 1\r\n--gather-\nline 2");
    EXPECT_TEXT(peers_json(told, "files.raw"), "abc");
    EXPECT_TEXT(peers_json(told, "form.odd%22name%0D%0A"), "here");
    EXPECT(json_object_size(json_object_get(told, "form")) == 2);
    EXPECT(json_object_size(json_object_get(told, "files")) == 2);
    json_decref(told);
    check_rmdir(directory);
    return 0;
}

static ssize_t give_letters(void *arg, void *buffer, size_t size)
{
    size_t *left = arg;

    size = *left < size ? *left : size;
    memset(buffer, 'g', size);
    *left -= size;
    return ga_sleep(0) < 0 ? ga_error()->code : (ssize_t)size;
}

static int files_and_functions_give_bodies(void *arg)
{
    enum { SIZE = 300000 };
    ga_auto(ga_session) session = open_session(arg);
    ga_autofree char *directory = check_mkdtemp();
    ga_autofree char *path = ga_format("%s/letters", directory);
    ga_autofree char *text = malloc(SIZE + 1);
    size_t left = SIZE;

    memset(text, 'g', SIZE);
    text[SIZE] = '\0';
    check_write_file(path, text);
    expect_sent(ga_put(session, "/put", .body_file = path), text, "application/octet-stream");
    expect_sent(ga_post(session, "/post", .body_source = &(ga_body_source){give_letters, NULL, &left, SIZE},
                        .content_type = "text/x", .expect_continue = 1),
                text, "text/x");
    check_rmdir(directory);
    return 0;
}

static int statuses_are_told_and_raised(void *arg)
{
    const peers *servers = arg;
    ga_auto(ga_session) session = open_session(servers);

    for (int status = 200; status < 600; status += 51) {
        ga_autofree char *path = ga_format("/status/%d", status);
        ga_auto(ga_response) response = ga_get(session, path, .max_redirects = -1);

        EXPECT(ga_status(response) == status);
        EXPECT(ga_raise_for_status(response) == (status < 400 ? 0 : GA_ESTATUS));
        if (status >= 400)
            EXPECT(ga_error()->status == status && strstr(ga_error_message(), path));
    }
    ga_auto(ga_session) raising =
        ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file, .raise_for_status = 1);
    ga_auto(ga_response) raised = ga_get(raising, "/status/404");

    EXPECT(raised == NULL);
    EXPECT_FAILURE(GA_ESTATUS, "404");
    EXPECT(ga_error()->sent == GA_SENT_ANSWERED);
    return 0;
}

static int bytes_are_read_whole_or_in_pieces(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) whole = ga_get(session, "/bytes/5000?seed=7");
    ga_auto(ga_response) pieces = ga_get(session, "/stream-bytes/5000?seed=7&chunk_size=33");
    size_t size = 0, got = 0;
    const char *body = ga_body(whole, &size);
    char piece[100];
    ssize_t count;

    if (!EXPECT(body && size == 5000))
        return 0;
    while ((count = ga_read(pieces, piece, sizeof piece)) > 0 && got + (size_t)count <= size) {
        EXPECT(memcmp(piece, body + got, (size_t)count) == 0);
        got += (size_t)count;
    }
    EXPECT(count == 0 && got == 5000);
    EXPECT(ga_read(pieces, piece, sizeof piece) == 0);
    return 0;
}

static int lines_come_in_chunks(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) response = ga_get(session, "/stream/20");
    ga_autofree char *text = ga_text(response);
    int lines = 0;

    EXPECT_TEXT(ga_header(response, "Transfer-Encoding"), "chunked");
    for (const char *line = text; line && *line; line = strchr(line, '\n') + 1)
        lines++;
    EXPECT(lines == 20);
    return 0;
}

static int a_drip_is_waited_for(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    double start = ga_now();
    ga_auto(ga_response) response =
        ga_get(session, "/drip?numbytes=5&duration=0.5&delay=0", .read_timeout = 5);
    ga_autofree char *text = ga_text(response);

    EXPECT_TEXT(text, "*****");
    EXPECT(ga_now() - start > 0.3);
    return 0;
}

static int each_timeout_says_which_it_is(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_pool_stats stats;

    ga_auto(ga_response) total = ga_get(session, "/delay/5", .timeout = 0.3);
    EXPECT(total == NULL);
    EXPECT_FAILURE(GA_ETIMEDOUT, "/delay/5");
    EXPECT_TEXT(ga_error()->timeout, "total");
    EXPECT(ga_error()->phase == GA_PHASE_FIRST_BYTE && ga_error()->sent == GA_SENT_MAYBE);

    ga_auto(ga_response) first = ga_get(session, "/delay/5", .first_byte_timeout = 0.3);
    EXPECT(first == NULL);
    EXPECT_FAILURE(GA_ETIMEDOUT, "/delay/5");
    EXPECT_TEXT(ga_error()->timeout, "first_byte");

    ga_auto(ga_response) dripping =
        ga_get(session, "/drip?numbytes=2&duration=8&delay=0", .read_timeout = 0.3);
    ga_autofree char *text = ga_text(dripping);
    EXPECT(ga_status(dripping) == 200 && text == NULL);
    EXPECT_FAILURE(GA_ETIMEDOUT, "/drip");
    EXPECT_TEXT(ga_error()->timeout, "read");
    EXPECT(ga_error()->phase == GA_PHASE_READ && ga_error()->sent == GA_SENT_ANSWERED);

    ga_scope scope;
    ga_scope_open(&scope, 0.3);
    ga_response *scoped = ga_get(session, "/delay/5");
    EXPECT(scoped == NULL);
    EXPECT(ga_scope_close(&scope) == GA_ETIMEDOUT);
    EXPECT_TEXT(ga_error()->timeout, "scope");

    ga_session_pool(session, &stats);
    EXPECT(stats.in_use <= 1 && stats.waiting == 0); /* the response above is still held */
    return 0;
}

static int credentials_of_the_url_are_used_and_never_shown(void *arg)
{
    const peers *servers = arg;
    ga_auto(ga_session) session = open_session(servers);
    const char *host = strstr(servers->base, "://") + 3;
    const char *scheme = servers->tls ? "https" : "http";
    ga_autofree char *good = ga_format("%s://me:secret%%21@%s/basic-auth/me/secret!", scheme, host);
    ga_autofree char *bad = ga_format("%s://me:secret@%s/basic-auth/me/other", scheme, host);
    ga_auto(ga_response) response = ga_get(session, good);
    ga_auto(ga_response) refused = ga_get(session, bad);

    EXPECT(ga_status(response) == 200);
    EXPECT(!strstr(ga_url(response), "me:"));
    EXPECT(ga_status(refused) == 401);
    EXPECT(ga_raise_for_status(refused) == GA_ESTATUS);
    EXPECT_FAILURE(GA_ESTATUS, "401");
    return 0;
}

static int redirects_are_followed(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    static const char *const paths[] = {"/redirect/3", "/relative-redirect/3", "/absolute-redirect/3"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        ga_auto(ga_response) response = ga_get(session, paths[i]);

        EXPECT(ga_status(response) == 200);
        EXPECT(ga_redirects(response) == 3);
        EXPECT(strstr(ga_url(response), "/get") != NULL);
    }
    ga_auto(ga_response) most = ga_get(session, "/redirect/10");
    EXPECT(ga_status(most) == 200 && ga_redirects(most) == 10);
    ga_auto(ga_response) exact = ga_get(session, "/redirect/2", .max_redirects = 2);
    EXPECT(ga_status(exact) == 200);
    ga_auto(ga_response) refused = ga_get(session, "/redirect/11");
    EXPECT(refused == NULL);
    EXPECT_FAILURE(GA_EREDIRECT, "too many redirects");
    ga_auto(ga_response) itself = ga_get(session, "/redirect/2", .max_redirects = -1);
    EXPECT(ga_status(itself) == 302 && ga_header(itself, "Location"));
    return 0;
}

static int redirects_keep_or_change_the_method(void *arg)
{
    static const struct {
        int status;
        const char *method, *becomes, *data;
    } cases[] = {
        {301, "POST", "GET", ""},      {302, "POST", "GET", ""},      {303, "POST", "GET", ""},
        {307, "POST", "POST", "body"}, {308, "POST", "POST", "body"}, {302, "PUT", "PUT", "body"},
        {303, "PUT", "GET", ""},
    };
    ga_auto(ga_session) session = open_session(arg);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga_autofree char *path = ga_format("/redirect-to?url=/anything&status_code=%d", cases[i].status);
        ga_auto(ga_response) response = ga_request(session, cases[i].method, path, .text = "body");
        json_t *told = ga_json(response);

        EXPECT(ga_redirects(response) == 1);
        EXPECT_TEXT(peers_json(told, "method"), cases[i].becomes);
        EXPECT_TEXT(peers_json(told, "data"), cases[i].data);
        EXPECT_TEXT(peers_json(told, "headers.Content-Type"),
                    *cases[i].data ? "text/plain; charset=utf-8" : "(none)");
        json_decref(told);
    }
    return 0;
}

static int a_redirect_to_another_origin_takes_no_credentials(void *arg)
{
    const peers *servers = arg;
    ga_auto(ga_session) session = open_session(servers);
    const char *port = strrchr(servers->base, ':') + 1;
    ga_autofree char *path =
        ga_format("/redirect-to?url=%s://localhost:%s/headers", servers->tls ? "https" : "http", port);
    ga_auto(ga_response) response =
        ga_get(session, path, .headers = GA_PAIRS({"Authorization", "Bearer secret"}, {"X-Kept", "1"}));
    json_t *told = ga_json(response);

    EXPECT(ga_redirects(response) == 1);
    EXPECT_TEXT(peers_json(told, "headers.Authorization"), "(none)");
    EXPECT_TEXT(peers_json(told, "headers.X-Kept"), "1");
    json_decref(told);
    return 0;
}

static int head_and_304_have_no_body(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) head = ga_head(session, "/get");
    ga_auto(ga_response) unchanged =
        ga_get(session, "/etag/tag", .headers = GA_PAIRS({"If-None-Match", "tag"}));
    ga_autofree char *head_text = ga_text(head);
    ga_autofree char *unchanged_text = ga_text(unchanged);

    EXPECT(ga_status(head) == 200 && atoi(ga_header(head, "Content-Length")) > 0);
    EXPECT_TEXT(head_text, "");
    EXPECT(ga_status(unchanged) == 304);
    EXPECT_TEXT(unchanged_text, "");
    return 0;
}

static int repeated_headers_are_told_in_order(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) response = ga_get(session, "/response-headers?X-One=1&X-One=2");
    ga_pair header;
    int found = 0;

    EXPECT_TEXT(ga_header(response, "x-one"), "1");
    for (size_t i = 0; ga_header_at(response, i, &header); i++)
        if (strcmp(header.name, "X-One") == 0)
            EXPECT(atoi(header.value) == ++found);
    EXPECT(found == 2);
    return 0;
}

static void expect_cookies(ga_response *response, const char *one, const char *two)
{
    json_t *told = ga_json(response);

    EXPECT(ga_status(response) == 200);
    EXPECT_TEXT(peers_json(told, "cookies.one"), one);
    EXPECT_TEXT(peers_json(told, "cookies.two"), two);
    json_decref(told);
    ga_response_free(response);
}

static int cookies_are_kept_and_sent(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);

    expect_cookies(ga_get(session, "/cookies"), "(none)", "(none)");
    expect_cookies(ga_get(session, "/cookies/set?one=1&two=zwei"), "1", "zwei"); /* set by a redirect */
    expect_cookies(ga_get(session, "/cookies", .cookies = GA_PAIRS({"one", "own"})), "own", "zwei");
    expect_cookies(ga_get(session, "/cookies/delete?one="), "(none)", "zwei");
    EXPECT(ga_cookie_jar_count(ga_session_cookies(session)) == 1);
    return 0;
}

static int expect_status(ga_response *response, int status)
{
    EXPECT(ga_status(response) == status);
    ga_response_free(response);
    return 0;
}

static int credentials_are_taken(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);

    expect_status(ga_get(session, "/basic-auth/me/p%20w", .user = "me", .password = "p w"), 200);
    expect_status(ga_get(session, "/basic-auth/me/pw", .user = "me", .password = "other"), 401);
    expect_status(ga_get(session, "/bearer", .bearer = "token"), 200);
    expect_status(ga_get(session, "/bearer"), 401);
    return 0;
}

static int digests_are_answered(void *arg)
{
    const peers *servers = arg;
    ga_auto(ga_session) session = ga_session_new(.base_url = servers->base, .ca_file = servers->ca_file,
                                                 .user = "me", .password = "pw", .digest = 1);

    for (int i = 0; i < 3; i++) {
        expect_status(ga_get(session, "/digest-auth/auth/me/pw/MD5"), 200);
        expect_status(ga_get(session, "/digest-auth/auth-int/me/pw/MD5"), 200);
        expect_status(ga_get(session, "/digest-auth/auth/me/pw/SHA-256"), 200);
    }
    expect_status(
        ga_get(session, "/digest-auth/auth/me/pw/SHA-256", .user = "me", .password = "wrong", .digest = 1),
        401);
    return 0;
}

static void expect_decoded(ga_session *session, const char *path, const char *coding, const char *flag)
{
    ga_auto(ga_response) response = ga_get(session, path);
    json_t *told = ga_json(response);

    EXPECT_TEXT(ga_header(response, "Content-Encoding"), coding);
    EXPECT(json_is_true(json_object_get(told, flag)));
    EXPECT_TEXT(peers_json(told, "headers.Accept-Encoding"), "gzip, deflate, br, zstd");
    json_decref(told);
}

static int content_codings_are_undone(void *arg)
{
    ga_auto(ga_session) session = open_session(arg);
    ga_auto(ga_response) raw = ga_get(session, "/gzip", .no_decompress = 1);
    const unsigned char *body = ga_body(raw, NULL);

    expect_decoded(session, "/gzip", "gzip", "gzipped");
    expect_decoded(session, "/deflate", "deflate", "deflated");
    expect_decoded(session, "/brotli", "br", "brotli");
    EXPECT(body && body[0] == 0x1f && body[1] == 0x8b);
    return 0;
}

#define BOTH(function) PEERS_BOTH(function, "HTTPBIN", "CA_FILE")

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(get_tells_of_the_response),
        BOTH(params_join_the_query),
        BOTH(headers_of_a_call_replace_those_of_the_session),
        BOTH(bodies_arrive_as_they_were_sent),
        BOTH(a_large_body_arrives_whole),
        BOTH(forms_and_parts_arrive_as_fields_and_files),
        BOTH(files_and_functions_give_bodies),
        BOTH(statuses_are_told_and_raised),
        BOTH(bytes_are_read_whole_or_in_pieces),
        BOTH(lines_come_in_chunks),
        BOTH(a_drip_is_waited_for),
        BOTH(each_timeout_says_which_it_is),
        BOTH(credentials_of_the_url_are_used_and_never_shown),
        BOTH(redirects_are_followed),
        BOTH(redirects_keep_or_change_the_method),
        BOTH(a_redirect_to_another_origin_takes_no_credentials),
        BOTH(head_and_304_have_no_body),
        BOTH(repeated_headers_are_told_in_order),
        BOTH(cookies_are_kept_and_sent),
        BOTH(credentials_are_taken),
        BOTH(digests_are_answered),
        BOTH(content_codings_are_undone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
