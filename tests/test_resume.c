/* SPDX-License-Identifier: MIT */
/* Bodies that break off and go on: against a server that has one thing, knows ranges, and breaks off where a
 * test wants it. */
#include "peer.h"

#include "base/number.h"
#include "protocol/encoder.h"
#include "sim/sim.h"
#include "task/loop.h"
#include <gather/trace.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 3000, WHOLE = 1 << 30 };

#define ETAG "ETag: \"one\"\r\n"

/* What the server has, and how it serves it. */
typedef struct thing {
    const char *body;
    size_t size;
    const char *fields;      /* of every answer */
    const char *rest_fields; /* of the rest instead; NULL: the same */
    const char *rest_head;   /* the whole head of the rest; NULL: a proper one */
    bool chunked, rest_chunked;
    bool hangs;      /* where it would break off, it says nothing more */
    size_t cuts[12]; /* after how many bytes of content the n-th answer breaks off; 0: before its head;
                        WHOLE: not */
    int answers;
    char ranges[12][64]; /* of each request, "" where it had none */
    char condition[64];  /* If-Range of the last */
} thing;

/* A field of a request, "" where it is not there. */
static void copy_field(const char *request, const char *name, char *value, size_t room)
{
    const char *found = strstr(request, name);

    snprintf(value, room, "%.*s", found ? (int)strcspn(found + strlen(name), "\r") : 0,
             found ? found + strlen(name) : "");
}

/* Answers with what is asked for. */
static bool serve(peer_visit *visit)
{
    thing *it = visit->peer->data;
    size_t n = (size_t)it->answers++, from = 0;
    char *range = it->ranges[n < 11 ? n : 11];

    copy_field(visit->request.data, "\r\nRange: ", range, sizeof it->ranges[0]);
    copy_field(visit->request.data, "\r\nIf-Range: ", it->condition, sizeof it->condition);
    if (*range)
        from = (size_t)strtoull(range + strlen("bytes="), NULL, 10);
    bool part = *range != '\0', chunked = part ? it->rest_chunked : it->chunked;
    size_t cut = n < 12 ? it->cuts[n] : WHOLE, left = it->size - from, size = cut < left ? cut : left;
    ga__buffer out = GA__BUFFER_INIT;
    char line[200];

    if (part && it->rest_head)
        ga__buffer_add(&out, it->rest_head);
    else {
        ga__buffer_add(&out, part ? "HTTP/1.1 206 Part\r\n" : "HTTP/1.1 200 OK\r\n");
        ga__buffer_add(&out, part && it->rest_fields ? it->rest_fields : it->fields);
        if (part) {
            snprintf(line, sizeof line, "Content-Range: bytes %zu-%zu/%zu\r\n", from, it->size - 1, it->size);
            ga__buffer_add(&out, line);
        }
        snprintf(line, sizeof line,
                 chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Content-Length: %zu\r\n\r\n", left);
        ga__buffer_add(&out, line);
    }
    if (chunked && size > 0) {
        snprintf(line, sizeof line, "%zx\r\n", left);
        ga__buffer_add(&out, line);
    }
    ga__buffer_append(&out, it->body + from, size);
    if (chunked && cut >= left)
        ga__buffer_add(&out, "\r\n0\r\n\r\n");
    bool sent = cut == 0 || peer_say(visit, out.data, out.size);

    ga__buffer_free(&out);
    if (cut < left && it->hangs)
        return ga_sleep(1000) == 0;
    return sent && cut >= left;
}

static const peer_step serving[] = {PEER_TAKE("GET "), PEER_CALL(serve), PEER_AGAIN};
static const peer_step *const scripts[] = {serving, NULL};

static char text[SIZE + 1];

/* Lines that compress badly. */
static thing make_thing(void)
{
    uint64_t number = 1;
    size_t at = 0;

    for (; at < SIZE - 24; number = number * 6364136223846793005 + 1442695040888963407)
        at += (size_t)snprintf(text + at, sizeof text - at, "line %016llx\n", (unsigned long long)number);
    memset(text + at, '.', SIZE - at);
    text[SIZE] = '\0';
    thing made = {.body = text, .size = SIZE, .fields = ETAG};

    for (size_t i = 0; i < 12; i++)
        made.cuts[i] = WHOLE;
    return made;
}

static void begin(peer_server *peer, ga_group *peers, thing *it)
{
    peer_start(peer, peers, scripts);
    peer->data = it;
}

/* The body is whole, after so many requests. */
static void expect_whole(ga_response *response, const thing *it, int requests)
{
    ga_autofree char *got = ga_text(response);

    if (!got)
        fail_msg("%s", ga_error_message());
    assert_string_equal(got, text);
    assert_int_equal(it->answers, requests);
    assert_int_equal(ga_attempts(response), requests);
}

/* The read fails as the break does, and says why it was not resumed; and again. */
static void expect_broken(ga_response *response, int code, const char *why)
{
    for (int i = 0; i < 2; i++) {
        size_t size;

        assert_null(ga_body(response, &size));
        assert_int_equal(ga_error()->code, code);
        if (!strstr(ga_error_message(), "; not resumed: ") || !strstr(ga_error_message(), why))
            fail_msg("\"%s\" is not in \"%s\"", why, ga_error_message());
    }
}

/* --- going on ------------------------------------------------------------------------------------- */

CASE(a_body_that_breaks_off_goes_on_where_it_was)
{
    thing it = make_thing();
    ga_auto(ga_session) session = ga_session_new(.resume = 3, .retry_base = 0.01);
    peer_server peer;

    it.cuts[0] = 1000, it.cuts[1] = 1;
    begin(&peer, peers, &it);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/x?y#z"));

    expect_whole(response, &it, 3);
    assert_string_equal(it.ranges[0], "");
    assert_string_equal(it.ranges[1], "bytes=1000-");
    assert_string_equal(it.ranges[2], "bytes=1001-");
    assert_string_equal(it.condition, "\"one\"");
    assert_int_equal(ga_status(response), 200);
    assert_string_equal(ga_header(response, "Content-Length"), "3000");
    assert_null(ga_header(response, "Content-Range"));
    assert_pool_at_rest(session, 1);
    peer_stop(&peer);
}

CASE(without_the_option_it_stays_broken)
{
    thing it = make_thing();
    ga_auto(ga_session) session = ga_session_new(.resume = 3);
    ga_auto(ga_session) plain = ga_session_new(.retries = 3);
    peer_server peer;
    size_t size;

    it.cuts[0] = it.cuts[1] = 1000;
    begin(&peer, peers, &it);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"), .resume = -1);

    assert_null(ga_body(response, &size));
    assert_int_equal(ga_error()->code, GA_ETRUNCATED);
    ga_auto(ga_response) other = ga_get(plain, peer_url(&peer, "/"));

    assert_null(ga_body(other, &size));
    assert_int_equal(ga_error()->code, GA_ETRUNCATED);
    assert_int_equal(it.answers, 2);
    peer_stop(&peer);
}

CASE(pieces_and_lines_go_on_too)
{
    thing it = make_thing();
    ga_auto(ga_session) session = ga_session_new(.retry_base = 0.01);
    peer_server peer;
    const char *line;
    char piece[7], *at = text;
    size_t size;
    ssize_t count;

    it.cuts[0] = 1003, it.cuts[1] = 2, it.cuts[2] = 500;
    begin(&peer, peers, &it);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"), .resume = 3);

    while ((count = ga_read(response, piece, sizeof piece)) > 0) {
        assert_memory_equal(piece, at, (size_t)count);
        at += count;
    }
    assert_int_equal(count, 0);
    assert_ptr_equal(at, text + SIZE);
    it.answers = 0;
    ga_auto(ga_response) lines = ga_get(session, peer_url(&peer, "/"), .resume = 3);

    for (at = text; ga_read_line(lines, &line, &size) > 0; at += size + 1)
        assert_memory_equal(line, at, size);
    assert_true(at >= text + SIZE);
    assert_int_equal(it.answers, 4);
    peer_stop(&peer);
}

CASE(chunks_go_on_as_chunks_or_with_a_length)
{
    ga_auto(ga_session) session = ga_session_new(.resume = 2, .retry_base = 0.01);

    for (int i = 0; i < 4; i++) {
        thing it = make_thing();
        peer_server peer;
        ga_group group;

        it.chunked = i & 1, it.rest_chunked = i & 2;
        it.cuts[0] = 1000, it.cuts[1] = 700;
        ga_group_open(&group, GA_COLLECT);
        begin(&peer, &group, &it);
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

        expect_whole(response, &it, 3);
        assert_string_equal(it.ranges[2], "bytes=1700-");
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

/* Wherever it breaks off, however it is read. */
TIMED_CASE(a_body_may_break_off_at_every_byte)
{
    ga_auto(ga_session) session = ga_session_new(.resume = 2);

    for (size_t at = 1; at < SIZE; at += at < 40 || at > SIZE - 40 ? 1 : 37) {
        thing it = make_thing();
        peer_server peer;
        ga_group group;

        it.cuts[0] = at, it.cuts[1] = (SIZE - at) / 2 + 1;
        it.chunked = at & 1;
        ga_group_open(&group, GA_COLLECT);
        begin(&peer, &group, &it);
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

        expect_whole(response, &it, SIZE - at > (SIZE - at) / 2 + 1 ? 3 : 2);
        peer_stop(&peer);
        ga_group_close(&group);
    }
}

CASE(what_is_coded_goes_on_within_its_code)
{
    static const ga__coding codings[] = {GA__CODING_GZIP, GA__CODING_BROTLI, GA__CODING_ZSTD};
    static const char *const fields[] = {ETAG "Content-Encoding: gzip\r\n", ETAG "Content-Encoding: br\r\n",
                                         ETAG "Content-Encoding: zstd\r\n"};
    ga_auto(ga_session) session = ga_session_new(.resume = 2, .retry_base = 0.001);

    for (size_t i = 0; i < 3; i++)
        for (size_t at = 1; at < 400; at += 57) {
            thing it = make_thing();
            ga__buffer coded = GA__BUFFER_INIT;
            peer_server peer;
            ga_group group;

            ga__encode(&coded, codings[i], text, SIZE);
            assert_true(coded.size > 400);
            it.body = coded.data, it.size = coded.size, it.fields = fields[i];
            it.cuts[0] = at, it.cuts[1] = 3;
            ga_group_open(&group, GA_COLLECT);
            begin(&peer, &group, &it);
            ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

            expect_whole(response, &it, 3);
            assert_contains(peer.last.data, "\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n");
            peer_stop(&peer);
            ga_group_close(&group);
            ga__buffer_free(&coded);
        }
}

CASE(a_date_will_do_where_it_is_strong)
{
#define DATE "Date: Sun, 22 Nov 2026 11:04:42 GMT\r\nLast-Modified: Sun, 22 Nov 2026 "
    thing it = make_thing(), young = make_thing();
    ga_auto(ga_session) session = ga_session_new(.resume = 2, .retry_base = 0.001);
    peer_server peer;
    size_t size;

    it.cuts[0] = 10, young.cuts[0] = 10;
    it.fields = DATE "10:04:42 GMT\r\n", young.fields = DATE "11:04:41 GMT\r\n";
    begin(&peer, peers, &it);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

    expect_whole(response, &it, 2);
    assert_string_equal(it.condition, "Sun, 22 Nov 2026 10:04:42 GMT");
    peer.data = &young;
    ga_auto(ga_response) other = ga_get(session, peer_url(&peer, "/"));

    assert_null(ga_body(other, &size));
    assert_int_equal(ga_error()->code, GA_ETRUNCATED);
    assert_int_equal(young.answers, 1);
    peer_stop(&peer);
#undef DATE
}

FILE_CASE(a_body_that_is_saved_goes_on_too)
{
    thing it = make_thing();
    ga_auto(ga_session) session = ga_session_new(.resume = 3, .retry_base = 0.01);
    ga_autofree char *directory = check_mkdtemp();
    ga_autofree char *path = ga_format("%s/saved", directory);
    peer_server peer;

    it.cuts[0] = 1000, it.cuts[1] = 1;
    begin(&peer, peers, &it);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

    assert_int_equal(ga_save(response, path), SIZE);
    ga_autofree char *saved = check_read_file(path);

    assert_string_equal(saved, text);
    assert_int_equal(it.answers, 3);
    peer_stop(&peer);
    check_rmdir(directory);
}

/* --- what goes along, and where ------------------------------------------------------------------- */

CASE(the_request_for_the_rest_is_the_same_but_for_the_range)
{
    thing it = make_thing();
    ga_auto(ga_session) session =
        ga_session_new(.resume = 2, .retry_base = 0.001, .headers = GA_PAIRS({"X-Session", "s"}));
    ga_autofree char *name = strdup("X-Own"), *value = strdup("own"), *token = strdup("token");
    ga__buffer first = GA__BUFFER_INIT;
    peer_server peer;

    it.cuts[0] = 10;
    begin(&peer, peers, &it);
    ga_auto(ga_response) response =
        ga_get(session, peer_url(&peer, "/x"), .params = GA_PAIRS({"q", "a b"}),
               .headers = GA_PAIRS({name, value}), .cookies = GA_PAIRS({"c", "1"}), .bearer = token);

    memset(name, '?', 5), memset(value, '?', 3), memset(token, '?', 5); /* they are the caller's again */
    ga__buffer_append(&first, peer.last.data, peer.last.size);
    expect_whole(response, &it, 2);
    const char *range = strstr(peer.last.data, "Range: bytes=10-\r\nIf-Range: \"one\"\r\n");
    size_t size = strlen("Range: bytes=10-\r\nIf-Range: \"one\"\r\n");

    assert_non_null(range);
    ga__buffer rest = GA__BUFFER_INIT;

    ga__buffer_append(&rest, peer.last.data, (size_t)(range - peer.last.data));
    ga__buffer_add(&rest, range + size);
    assert_string_equal(rest.data, first.data);
    assert_contains(first.data, "GET /x?q=a+b HTTP/1.1\r\n");
    assert_contains(first.data, "X-Own: own\r\n");
    assert_contains(first.data, "Authorization: Bearer token\r\n");
    assert_contains(first.data, "Cookie: c=1\r\n");
    ga__buffer_free(&first);
    ga__buffer_free(&rest);
    peer_stop(&peer);
}

/* The redirect took the credentials away; so they do not go with the rest either. */
static bool redirect(peer_visit *visit)
{
    peer_server *to = visit->peer->data;
    char answer[200];
    int size = snprintf(answer, sizeof answer, "HTTP/1.1 302 x\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
                        peer_url(to, "/there"));

    return peer_say(visit, answer, (size_t)size);
}

CASE(after_a_redirect_the_rest_is_asked_for_where_the_body_came_from_without_credentials)
{
    static const peer_step redirecting[] = {PEER_TAKE("GET /here"), PEER_CALL(redirect), PEER_AGAIN};
    static const peer_step *const redirects[] = {redirecting, NULL};
    thing it = make_thing();
    ga_auto(ga_session) session =
        ga_session_new(.resume = 2, .retry_base = 0.001, .bearer = "session", .referer = 1);
    peer_server peer, first;

    it.cuts[0] = 10;
    begin(&peer, peers, &it);
    peer_start(&first, peers, redirects);
    first.data = &peer;
    ga_auto(ga_response) response =
        ga_get(session, peer_url(&first, "/here"), .user = "me", .password = "secret",
               .headers = GA_PAIRS({"Cookie", "c=1"}, {"X-Kept", "k"}), .cookies = GA_PAIRS({"d", "2"}));

    expect_whole(response, &it, 2);
    assert_int_equal(first.requests, 1);
    assert_contains(peer.last.data, "GET /there HTTP/1.1\r\n");
    assert_contains(peer.last.data, "Range: bytes=10-\r\n");
    assert_contains(peer.last.data, "X-Kept: k\r\n");
    assert_contains(peer.last.data, "Referer: http");
    assert_null(strstr(peer.last.data, "Authorization"));
    assert_null(strstr(peer.last.data, "Cookie"));
    assert_int_equal(ga_redirects(response), 1);
    peer_stop(&peer);
    peer_stop(&first);
}

CASE(a_challenge_to_the_request_for_the_rest_is_answered)
{
#define CHALLENGE(nonce)                                                              \
    PEER_SAY("HTTP/1.1 401 x\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"" nonce \
             "\", algorithm=SHA-256, qop=\"auth\"\r\nContent-Length: 0\r\n\r\n")
    static const peer_step breaking[] = {PEER_TAKE("GET "), CHALLENGE("one"), PEER_TAKE("GET "),
                                         PEER_SAY("HTTP/1.1 200 OK\r\n" ETAG "Content-Length: 6\r\n\r\nabc"),
                                         PEER_CLOSE};
    static const peer_step going_on[] = {
        PEER_TAKE("GET "), CHALLENGE("two"), PEER_TAKE("GET "),
        PEER_SAY("HTTP/1.1 206 x\r\n" ETAG "Content-Range: bytes 3-5/6\r\nContent-Length: 3\r\n\r\ndef"),
        PEER_CLOSE};
#undef CHALLENGE
    static const peer_step *const steps[] = {breaking, going_on, NULL};
    ga_auto(ga_session) session = ga_session_new(.resume = 1, .retry_base = 0.001);
    peer_server peer;

    peer_start(&peer, peers, steps);
    ga_auto(ga_response) response =
        ga_get(session, peer_url(&peer, "/"), .user = "me", .password = "secret", .digest = 1);
    ga_autofree char *got = ga_text(response);

    if (!got)
        fail_msg("%s", ga_error_message());
    assert_string_equal(got, "abcdef");
    assert_int_equal(peer.requests, 4);
    assert_int_equal(ga_attempts(response), 2);
    assert_contains(peer.last.data, "nonce=\"two\"");
    assert_contains(peer.last.data, "Range: bytes=3-\r\n");
    peer_stop(&peer);
}

/* --- what is not resumed -------------------------------------------------------------------------- */

CASE(what_cannot_be_told_apart_or_is_no_plain_get_is_not_resumed)
{
    static const char *const fields[] = {"",
                                         "ETag: W/\"one\"\r\n",
                                         "ETag: one\r\n",
                                         ETAG "Accept-Ranges: none\r\n",
                                         ETAG ETAG,
                                         ("ETag: W/\"one\"\r\nDate: Sun, 22 Nov 2026 11:04:42 GMT\r\n"
                                          "Last-Modified: Sun, 22 Nov 2026 10:04:42 GMT\r\n"),
                                         "Last-Modified: Sun, 22 Nov 2026 10:04:42 GMT\r\n"};
    ga_auto(ga_session) session = ga_session_new(.resume = 2);
    thing it = make_thing();
    peer_server peer;
    size_t size;

    begin(&peer, peers, &it);
    for (size_t i = 0; i < sizeof fields / sizeof *fields + 2; i++) {
        bool ranged = i >= sizeof fields / sizeof *fields;

        it.fields = ranged ? ETAG : fields[i];
        it.answers = 0;
        it.cuts[0] = 10;
        ga_auto(ga_response) response =
            ga_get(session, peer_url(&peer, "/"),
                   .headers = !ranged ? NULL
                                      : (i & 1 ? GA_PAIRS({"range", "bytes=0-"})
                                               : GA_PAIRS({"If-Range", "\"one\""})));

        assert_null(ga_body(response, &size));
        assert_int_equal(ga_error()->code, GA_ETRUNCATED);
        assert_null(strstr(ga_error_message(), "resumed"));
        assert_int_equal(it.answers, 1);
    }
    peer_stop(&peer);
}

CASE(two_versions_are_never_mixed)
{
#define PART "HTTP/1.1 206 x\r\n"
#define LEFT "Content-Length: 2000\r\n\r\n"
#define RANGE "Content-Range: bytes 1000-2999/3000\r\n"
    static const struct {
        const char *head, *why;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nETag: \"two\"\r\nContent-Length: 2000\r\n\r\n", "the whole anew"},
        {"HTTP/1.1 416 x\r\nContent-Range: bytes */3000\r\n" LEFT, "the server answered 416"},
        {"HTTP/1.1 404 x\r\n" LEFT, "the server answered 404"},
        {"HTTP/1.1 302 x\r\nLocation: /\r\n" LEFT, "the server answered 302"},
        {PART "ETag: \"two\"\r\n" RANGE LEFT, "another ETag"},
        {PART "ETag: W/\"one\"\r\n" RANGE LEFT, "another ETag"},
        {PART RANGE LEFT, "another ETag"},
        {PART ETAG "Last-Modified: Sun, 22 Nov 2026 10:04:42 GMT\r\n" RANGE LEFT, "Last-Modified"},
        {PART ETAG "Content-Encoding: gzip\r\n" RANGE LEFT, "another Content-Encoding"},
        {PART ETAG LEFT, "without one Content-Range"},
        {PART ETAG RANGE RANGE LEFT, "without one Content-Range"},
        {PART ETAG "Content-Range: bytes 1000-2999/*\r\n" LEFT, "does not say"},
        {PART ETAG "Content-Range: bytes x\r\n" LEFT, "does not say"},
        {PART ETAG "Content-Range: bytes 999-2999/3000\r\nContent-Length: 2001\r\n\r\n", "bytes 999 to 2999"},
        {PART ETAG "Content-Range: bytes 1001-2999/3000\r\nContent-Length: 1999\r\n\r\n", "bytes 1001"},
        {PART ETAG "Content-Range: bytes 1000-2998/3000\r\nContent-Length: 1999\r\n\r\n", "to 2998 of 3000"},
        {PART ETAG "Content-Range: bytes 1000-3000/3001\r\nContent-Length: 2001\r\n\r\n", "3001 bytes, not"},
        {PART ETAG RANGE "Content-Length: 2001\r\n\r\n", "a part of 2001 bytes"},
        {PART ETAG RANGE "Content-Length: 1999\r\n\r\n", "a part of 1999 bytes"},
        {PART ETAG "Content-Type: multipart/byteranges; boundary=x\r\n" LEFT, "without one Content-Range"},
        {"HTTP/0.9\r\n\r\n", "not valid HTTP/1.1"},
    };
    ga_auto(ga_session) session = ga_session_new(.resume = 5, .retry_base = 0.001, .raise_for_status = 1);
    thing it = make_thing();
    peer_server peer;

    begin(&peer, peers, &it);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        it.rest_head = cases[i].head;
        it.cuts[0] = 1000;
        it.answers = 0;
        ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

        expect_broken(response, GA_ETRUNCATED, cases[i].why);
        assert_int_equal(it.answers, 2);
        assert_int_equal(ga_error()->attempt, 2);
    }
    peer_stop(&peer);
#undef PART
#undef LEFT
#undef RANGE
}

CASE(a_rest_that_is_longer_or_shorter_than_it_says_is_no_body)
{
    static const char head[] = "HTTP/1.1 206 x\r\n" ETAG "Content-Range: bytes 1000-2999/3000\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    ga_auto(ga_session) session = ga_session_new(.resume = 1, .retry_base = 0.001);
    thing it = make_thing();
    peer_server peer;
    size_t size;

    it.rest_head = head, it.rest_chunked = true;
    it.cuts[0] = 1000;
    it.size = SIZE - 1; /* the first answer says so; then it has grown */
    it.chunked = true;
    begin(&peer, peers, &it);
    ga_auto(ga_response) shorter = ga_get(session, peer_url(&peer, "/"));

    expect_broken(shorter, GA_ETRUNCATED, "as .resume allows");
    assert_contains(ga_error_message(), "2999 of its 3000 bytes");
    char longer[SIZE + 1];

    memset(longer, 'x', sizeof longer);
    it.body = longer, it.size = sizeof longer, it.answers = 0;
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

    for (int i = 0; i < 2; i++) {
        assert_null(ga_body(response, &size));
        assert_int_equal(ga_error()->code, GA_EPROTOCOL);
        assert_contains(ga_error_message(), "longer than its Content-Range");
    }
    peer_stop(&peer);
}

/* --- time ----------------------------------------------------------------------------------------- */

TIMED_CASE(a_server_that_falls_silent_is_asked_anew)
{
    thing it = make_thing();
    ga_auto(ga_session) session = ga_session_new(.resume = 2, .read_timeout = 5);
    peer_server peer;
    double began = ga_now();

    it.cuts[0] = 1000, it.cuts[1] = 5;
    it.hangs = true;
    begin(&peer, peers, &it);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

    expect_whole(response, &it, 3);
    assert_true(ga_now() - began >= 10 && ga_now() - began < 12);
    peer_stop(&peer);
}

TIMED_CASE(the_waits_are_those_of_retries_and_the_total_timeout_holds)
{
    thing it = make_thing();
    ga_auto(ga_session) session = ga_session_new(.resume = 10, .retry_base = 8, .total_timeout = 300);
    peer_server peer;

    it.cuts[0] = 1000;
    for (size_t i = 1; i < 6; i++)
        it.cuts[i] = 0; /* it says nothing at all */
    begin(&peer, peers, &it);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    double began = ga_now();

    expect_whole(response, &it, 7);
    assert_true(ga_now() - began > 8 && ga_now() - began < 8 * 63);
    it = make_thing();
    for (size_t i = 1; i < 12; i++)
        it.cuts[i] = 0;
    it.cuts[0] = 1000;
    ga_auto(ga_response) late = ga_get(session, peer_url(&peer, "/"), .timeout = 20);

    began = ga_now();
    expect_broken(late, GA_ETRUNCATED, "the total timeout leaves no time");
    assert_true(ga_now() - began < 20);
    peer_stop(&peer);
}

TIMED_CASE(a_server_that_asks_to_wait_is_waited_for)
{
    static const peer_step breaking[] = {
        PEER_TAKE("GET "), PEER_SAY("HTTP/1.1 200 OK\r\n" ETAG "Content-Length: 6\r\n\r\nabc"), PEER_CLOSE};
    static const peer_step busy[] = {
        PEER_TAKE("GET "), PEER_SAY("HTTP/1.1 503 x\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n"),
        PEER_CLOSE};
    static const peer_step going_on[] = {
        PEER_TAKE("GET "),
        PEER_SAY("HTTP/1.1 206 x\r\n" ETAG "Content-Range: bytes 3-5/6\r\nContent-Length: 3\r\n\r\ndef"),
        PEER_CLOSE};
    static const peer_step *const steps[] = {breaking, busy, going_on, breaking, busy, NULL};
    ga_auto(ga_session) session = ga_session_new(.resume = 2);
    peer_server peer;

    peer_start(&peer, peers, steps);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));
    double began = ga_now();
    ga_autofree char *got = ga_text(response);

    if (!got)
        fail_msg("%s", ga_error_message());
    assert_string_equal(got, "abcdef");
    assert_true(ga_now() - began >= 30 && ga_now() - began < 38);
    ga_auto(ga_session) hasty = ga_session_new(.resume = 2, .max_wait = 10);
    ga_auto(ga_response) other = ga_get(hasty, peer_url(&peer, "/"));

    expect_broken(other, GA_ETRUNCATED, "longer than max_wait");
    peer_stop(&peer);
}

/* Who is cancelled meanwhile may read on later. */
TIMED_CASE(a_read_that_was_cancelled_goes_on_with_the_next)
{
    thing it = make_thing();
    ga_auto(ga_session) session = ga_session_new(.resume = 2, .retry_base = 100);
    peer_server peer;
    ga_scope scope;
    size_t size;

    it.cuts[0] = 1000;
    begin(&peer, peers, &it);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

    ga_scope_open(&scope, 1e-3);
    assert_null(ga_body(response, &size));
    assert_int_equal(ga_error()->code, GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    expect_whole(response, &it, 2);
    peer_stop(&peer);
}

/* Also where the request for the rest is under way already: one that was cancelled is none of those that
 * .resume allows. */
TIMED_CASE(a_request_for_the_rest_that_was_cancelled_does_not_count)
{
    static const peer_step silent[] = {PEER_TAKE("GET "), PEER_HOLD};
    static const peer_step *const some_silent[] = {serving, silent, serving, NULL};
    thing it = make_thing();
    ga_auto(ga_session) session = ga_session_new(.resume = 1, .retry_base = 1e-3);
    peer_server peer;
    ga_scope scope;
    size_t size;

    it.cuts[0] = 1000;
    peer_start(&peer, peers, some_silent);
    peer.data = &it;
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

    ga_scope_open(&scope, 0.5);
    assert_null(ga_body(response, &size));
    assert_int_equal(ga_error()->code, GA_ECANCELED);
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    assert_int_equal(peer.connections, 2);
    ga_autofree char *got = ga_text(response);

    if (!got)
        fail_msg("%s", ga_error_message());
    assert_string_equal(got, text);
    assert_int_equal(it.answers, 2);
    peer_stop(&peer);
}

/* What is left of the session then is the response's. */
TIMED_CASE(after_its_session_a_body_is_not_resumed)
{
    thing it = make_thing();
    ga_session *session = ga_session_new(.resume = 2, .retry_base = 100);
    peer_server peer;
    ga_scope scope;
    size_t size;

    it.cuts[0] = 1000;
    begin(&peer, peers, &it);
    ga_auto(ga_response) response = ga_get(session, peer_url(&peer, "/"));

    ga_scope_open(&scope, 1e-3);
    assert_null(ga_body(response, &size));
    assert_int_equal(ga_scope_close(&scope), GA_ETIMEDOUT);
    ga_session_free(session);
    expect_broken(response, GA_ETRUNCATED, "closed");
    peer_stop(&peer);
}

/* --- what is told --------------------------------------------------------------------------------- */

typedef struct told {
    int kinds[GA_TRACE_FAILURE + 1];
    int attempt;
    uint64_t received;
} told;

static void note(void *arg, const ga_trace_event *event)
{
    told *self = arg;

    self->kinds[event->kind]++;
    if (event->kind == GA_TRACE_RETRY)
        self->attempt = event->attempt;
    if (event->kind == GA_TRACE_END)
        self->received = event->bytes_received;
}

CASE(a_resumption_is_told_as_a_retry_of_the_one_call)
{
    thing it = make_thing();
    told seen = {0};
    ga_auto(ga_session) session =
        ga_session_new(.resume = 3, .retry_base = 0.001, .trace = note, .trace_arg = &seen, .metrics = 1);
    peer_server peer;
    ga_metrics metrics;

    it.cuts[0] = 1000, it.cuts[1] = 5;
    begin(&peer, peers, &it);
    ga_response *response = ga_get(session, peer_url(&peer, "/"));

    expect_whole(response, &it, 3);
    ga_response_free(response);
    assert_int_equal(seen.kinds[GA_TRACE_RETRY], 2);
    assert_int_equal(seen.attempt, 3);
    assert_int_equal(seen.kinds[GA_TRACE_ANSWER], 1);
    assert_int_equal(seen.kinds[GA_TRACE_END], 1);
    assert_int_equal(seen.kinds[GA_TRACE_FAILURE], 0);
    assert_true(seen.received > SIZE);
    ga_session_metrics(session, &metrics);
    assert_int_equal(metrics.calls, 1);
    assert_int_equal(metrics.retries, 2);
    peer_stop(&peer);
}

/* --- among faults --------------------------------------------------------------------------------- */

static size_t wholes, resumptions;

/* A network that resets and cuts connections at any byte: what is read is always the thing's own bytes, and
 * the whole of it where reading does not fail. */
static int read_among_faults(void *arg)
{
    thing it = make_thing();
    ga_group peers;
    peer_server peer;
    int code = 0;

    (void)arg;
    it.chunked = ga__sim_random(ga__loop_here->poller) & 1;
    ga_group_open(&peers, GA_COLLECT);
    begin(&peer, &peers, &it);
    ga_session *session = ga_session_new(.resume = 30, .retries = 20, .read_timeout = 20, .retry_budget = -1);
    ga_response *response = ga_get(session, peer_url(&peer, "/"));
    char piece[64];
    size_t at = 0;
    ssize_t count = response ? 1 : 0;

    while (count > 0 && code == 0) {
        count = ga_read(response, piece, sizeof piece);
        if (count > 0 && memcmp(piece, text + at, (size_t)count) != 0)
            code = ga_fail(GA_EUSAGE, "other bytes at %zu", at);
        at += count > 0 ? (size_t)count : 0;
    }
    if (code == 0 && response && count == 0 && at != SIZE)
        code = ga_fail(GA_EUSAGE, "%zu bytes are taken for the whole", at);
    if (code == 0 && count < 0 && count != GA_ETRUNCATED && count != GA_ERESET && count != GA_ETIMEDOUT)
        code = ga_fail(GA_EUSAGE, "%s", ga_error_message());
    wholes += response && count == 0;
    resumptions += it.condition[0] != '\0';
    ga_response_free(response);
    ga_session_free(session);
    peer_stop(&peer);
    ga_group_close(&peers);
    return code;
}

static void resets_at_any_byte_leave_a_whole_body_or_a_failure(void **state)
{
    static const ga__sim_options options = {.reset = 0.4,
                                            .cut = 0.2,
                                            .stall = 0.1,
                                            .fault_span = SIZE + 400,
                                            .short_read = 0.3,
                                            .short_write = 0.1,
                                            .latency_max = 0.01};

    size_t count = CHECK_SANITIZED ? 1000 : 5000;

    (void)state;
    assert_int_equal(ga__sim_run_seeds(1, count, &options, read_among_faults, NULL), 0);
    printf("# of %zu runs %zu were whole, %zu had resumptions\n", count, wholes, resumptions);
    if (!getenv("GATHER_SEED") && !getenv("GATHER_SEEDS"))
        assert_true(wholes > count * 9 / 10 && resumptions > count / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_that_breaks_off_goes_on_where_it_was),
        cmocka_unit_test(without_the_option_it_stays_broken),
        cmocka_unit_test(pieces_and_lines_go_on_too),
        cmocka_unit_test(chunks_go_on_as_chunks_or_with_a_length),
        cmocka_unit_test(a_body_may_break_off_at_every_byte),
        cmocka_unit_test(what_is_coded_goes_on_within_its_code),
        cmocka_unit_test(a_body_that_is_saved_goes_on_too),
        cmocka_unit_test(a_date_will_do_where_it_is_strong),
        cmocka_unit_test(the_request_for_the_rest_is_the_same_but_for_the_range),
        cmocka_unit_test(after_a_redirect_the_rest_is_asked_for_where_the_body_came_from_without_credentials),
        cmocka_unit_test(a_challenge_to_the_request_for_the_rest_is_answered),
        cmocka_unit_test(what_cannot_be_told_apart_or_is_no_plain_get_is_not_resumed),
        cmocka_unit_test(two_versions_are_never_mixed),
        cmocka_unit_test(a_rest_that_is_longer_or_shorter_than_it_says_is_no_body),
        cmocka_unit_test(a_server_that_falls_silent_is_asked_anew),
        cmocka_unit_test(the_waits_are_those_of_retries_and_the_total_timeout_holds),
        cmocka_unit_test(a_server_that_asks_to_wait_is_waited_for),
        cmocka_unit_test(a_read_that_was_cancelled_goes_on_with_the_next),
        cmocka_unit_test(a_request_for_the_rest_that_was_cancelled_does_not_count),
        cmocka_unit_test(after_its_session_a_body_is_not_resumed),
        cmocka_unit_test(a_resumption_is_told_as_a_retry_of_the_one_call),
        cmocka_unit_test(resets_at_any_byte_leave_a_whole_body_or_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
