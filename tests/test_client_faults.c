/* SPDX-License-Identifier: MIT */
/*
 * The client among faults: servers that do all a server should not, a network that breaks anywhere, and
 * callers that lose patience, drawn from a seed. What must hold in every run: each call ends exactly once; an
 * answer is the one that belongs to its request, whole; a failure has a code that something in the run
 * explains; a request that is not idempotent arrives at most once, and not at all where the client says that
 * it was not sent; and in the end nothing is left.
 */
#include "peer.h"

#include "base/number.h"
#include "sim/sim.h"
#include "task/loop.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVERS = 3, CALLERS = 8, CALLS = 4, REQUESTS = CALLERS * CALLS };

/* What a server does with a request. */
typedef enum manner {
    WITH_LENGTH,
    IN_CHUNKS,
    UNTIL_CLOSE,
    WITH_INTERIM,
    AND_CLOSES, /* and does not say so */
    AND_SAYS_CLOSE,
    LATE,
    REDIRECTED,     /* to the same, with length */
    ERRS,           /* 503 */
    PROPER_MANNERS, /* the ones below are no proper answers */
    CUT_SHORT = PROPER_MANNERS,
    CUT_CHUNKS,
    BAD_CHUNKS,
    GARBAGE,
    NOTHING,   /* closes at once */
    SILENCE,   /* never answers */
    WITH_MORE, /* than asked for: another answer behind it */
    MANNERS
} manner;

/* One request, as the caller meant it and as it went. */
typedef struct request_record {
    manner manner;
    bool post;
    bool idempotent; /* a POST that may be repeated */
    size_t body;     /* bytes sent along */
    enum { IN_MEMORY, GIVEN, GIVEN_IN_CHUNKS } kind;
    bool expects;  /* 100 (Continue), which no server says */
    bool rewinds;  /* what is given can be given again */
    size_t answer; /* bytes to be answered */
    int arrived;   /* how often a server has read it whole */
    int ended;
    bool announced; /* before_send is asked, and takes its time */
    bool withheld;  /* it has said no */
} request_record;

typedef struct test_world {
    ga_session *session;
    peer_server servers[SERVERS];
    request_record records[REQUESTS];
    ga_task *callers[CALLERS];
    bool impatient;     /* calls are cancelled at random */
    bool silent;        /* a server never answers: others may be in line for that connection */
    bool poisoned;      /* a server says more than it was asked for */
    bool paced;         /* hosts that push back are left alone */
    double total, read; /* timeouts, 0: none but the default */
    char problem[512];  /* the first, or "" */
} test_world;

static uint64_t draw(uint64_t below)
{
    return below ? ga__sim_random(ga__loop_here->poller) % below : 0;
}

static bool chance(unsigned percent)
{
    return draw(100) < percent;
}

static GA_PRINTF(2, 3) void complain(test_world *world, const char *format, ...)
{
    va_list arguments;

    if (world->problem[0])
        return;
    va_start(arguments, format);
    vsnprintf(world->problem, sizeof world->problem, format, arguments);
    va_end(arguments);
}

/* The bytes of request `id`: no two requests have the same. */
static char pattern(size_t id, size_t at)
{
    return (char)('a' + (id * 7 + at * (id % 5 + 1)) % 26);
}

static void add_pattern(ga__buffer *out, size_t id, size_t size)
{
    for (size_t at = 0; at < size; at++)
        ga__buffer_add_char(out, pattern(id, at));
}

static bool is_pattern(const char *bytes, size_t id, size_t size)
{
    for (size_t at = 0; at < size; at++)
        if (bytes[at] != pattern(id, at))
            return false;
    return true;
}

/* A request's body that a function gives, at its own pace. */
typedef struct giver {
    const request_record *record;
    size_t id;
    size_t at;
} giver;

static ssize_t give(void *arg, void *buffer, size_t size)
{
    giver *self = arg;
    size_t left = self->record->body - self->at;

    if (chance(20) && ga_sleep((double)draw(1000) * 1e-3) < 0)
        return ga_error()->code;
    size = left < size ? left : size;
    if (size > 0)
        size = 1 + (size_t)draw(size);
    for (size_t i = 0; i < size; i++)
        ((char *)buffer)[i] = pattern(self->id, self->at + i);
    self->at += size;
    return (ssize_t)size;
}

static int give_again(void *arg)
{
    ((giver *)arg)->at = 0;
    return 0;
}

/* Asked right before the first byte. */
static int announce(void *arg, int attempt)
{
    request_record *record = arg;

    (void)attempt;
    if (chance(50) && ga_sleep((double)draw(3000) * 1e-3) < 0)
        return ga_error()->code;
    record->withheld = chance(5);
    return record->withheld ? ga_fail(GA_EJSON, "it is not to be sent") : 0;
}

/* --- the servers ---------------------------------------------------------------------------------- */

static void add_chunks(ga__buffer *out, size_t id, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t chunk = 1 + (size_t)draw(size - at);

        ga__buffer_printf(out, "%zx\r\n", chunk);
        for (size_t i = 0; i < chunk; i++)
            ga__buffer_add_char(out, pattern(id, at + i));
        ga__buffer_add(out, "\r\n");
        at += chunk;
    }
}

static void add_with_length(ga__buffer *out, size_t id, size_t length, size_t size, const char *more)
{
    ga__buffer_printf(out, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n", more, length);
    add_pattern(out, id, size);
}

/* Writes the answer. @return whether the connection goes on */
static bool compose(ga__buffer *out, size_t id, const request_record *record, bool redirected)
{
    static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    size_t size = record->answer;

    switch (redirected ? WITH_LENGTH : record->manner) {
    case LATE:
        ga_sleep((double)draw(1000) * 1e-3);
        add_with_length(out, id, size, size, "");
        return true;
    case IN_CHUNKS:
        ga__buffer_add(out, chunked);
        add_chunks(out, id, size);
        ga__buffer_add(out, "0\r\n\r\n");
        return true;
    case UNTIL_CLOSE:
        ga__buffer_add(out, "HTTP/1.1 200 OK\r\n\r\n");
        add_pattern(out, id, size);
        return false;
    case WITH_INTERIM:
        ga__buffer_add(out, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n");
        add_with_length(out, id, size, size, "");
        return true;
    case AND_CLOSES:
        add_with_length(out, id, size, size, "");
        return false;
    case AND_SAYS_CLOSE:
        add_with_length(out, id, size, size, "Connection: close\r\n");
        return false;
    case REDIRECTED:
        ga__buffer_printf(
            out, "HTTP/1.1 307 Elsewhere\r\nLocation: /%zu?again\r\nContent-Length: 2\r\n\r\nno", id);
        return true;
    case ERRS:
        ga__buffer_printf(out, "HTTP/1.1 503 Busy\r\nContent-Length: %zu\r\n\r\n", size);
        add_pattern(out, id, size);
        return true;
    case CUT_SHORT:
        add_with_length(out, id, size + 1, size, "");
        return false;
    case CUT_CHUNKS:
        ga__buffer_add(out, chunked);
        add_chunks(out, id, size);
        return false;
    case BAD_CHUNKS:
        ga__buffer_add(out, chunked);
        add_chunks(out, id, size);
        ga__buffer_add(out, "-1\r\n");
        return true;
    case GARBAGE:
        ga__buffer_add(out, "220 mail.example ESMTP\r\n\r\n");
        return true;
    case NOTHING:
        return false;
    case WITH_MORE:
        add_with_length(out, id, size, size, "");
        ga__buffer_add(out, "what nobody asked for\r\n\r\n");
        return true;
    case WITH_LENGTH:
    default:
        add_with_length(out, id, size, size, "");
        return true;
    }
}

/* Whether the request, whole, has the body that was meant. */
static bool has_its_body(const char *request, size_t id, const request_record *record)
{
    const char *at = strstr(request, "\r\n\r\n") + 4;
    size_t got = 0;
    uint64_t chunk;

    if (!strstr(request, "\r\nTransfer-Encoding: chunked\r\n"))
        return is_pattern(at, id, record->body);
    while (ga__parse_hex(at, strcspn(at, "\r"), &chunk) && chunk > 0 && got + chunk <= record->body) {
        at += strcspn(at, "\r") + 2;
        for (size_t i = 0; i < chunk; i++)
            if (at[i] != pattern(id, got + i))
                return false;
        got += (size_t)chunk;
        at += chunk + 2;
    }
    return got == record->body && strcmp(at, "0\r\n\r\n") == 0;
}

static bool answer(peer_visit *visit)
{
    test_world *world = visit->peer->data;
    const char *path = strchr(visit->request.data, '/') + 1;
    uint64_t id;
    ga__buffer out = GA__BUFFER_INIT;

    if (!ga__parse_decimal(path, strcspn(path, " ?"), &id) || id >= REQUESTS) {
        complain(world, "a server got the request \"%s\"", visit->request.data);
        return false;
    }
    request_record *record = &world->records[id];
    bool redirected = strncmp(path + strcspn(path, " ?"), "?again", 6) == 0;

    record->arrived += redirected || record->manner != REDIRECTED;
    if (record->arrived > 1 && record->post && !record->idempotent && record->manner != ERRS)
        complain(world, "request %d, which is not idempotent, arrived twice", (int)id);
    if (!has_its_body(visit->request.data, id, record))
        complain(world, "request %d arrived with a body of another", (int)id);
    if (record->manner == SILENCE)
        return ga_sleep(1000) == 0;
    bool kept = compose(&out, id, record, redirected);
    bool said = peer_say(visit, out.data ? out.data : "", out.size);

    ga__buffer_free(&out);
    return said && kept;
}

/* --- the callers ---------------------------------------------------------------------------------- */

/* Whether something in the run explains the failure. */
static bool is_explained(const test_world *world, const request_record *record, const ga_error_detail *error,
                         bool scoped)
{
    bool faults = ga__sim_count(ga__loop_here->poller)->faults > 0;
    bool once = record->post && !record->idempotent; /* a kept connection that broke is then a failure */

    switch (error->code) {
    case GA_ECANCELED:
        return world->impatient || scoped;
    case GA_ETIMEDOUT:
        return faults || world->silent || record->manner == LATE || world->total > 0 || world->read > 0;
    case GA_ERATELIMITED:
        return world->paced;
    case GA_EPROTOCOL:
        return record->manner == GARBAGE || record->manner == BAD_CHUNKS || world->poisoned;
    case GA_ETRUNCATED:
        return faults || record->manner == CUT_SHORT || record->manner == CUT_CHUNKS;
    case GA_EDISCONNECTED:
    case GA_ERESET:
        return faults || record->manner == NOTHING || once;
    case GA_ENOTREPLAYABLE:
        return record->kind != IN_MEMORY && !record->rewinds;
    case GA_EREFUSED:
    case GA_ECONNECT:
        return faults;
    case GA_EJSON:
        return record->withheld;
    default:
        return false;
    }
}

static void judge_failure(test_world *world, size_t id, bool scoped)
{
    const ga_error_detail *error = ga_error();
    const request_record *record = &world->records[id];

    if (!is_explained(world, record, error, scoped))
        complain(world, "request %zu (manner %d): nothing explains %s: %s", id, record->manner,
                 ga_code_name(error->code), error->message);
    if (error->sent == GA_SENT_NO && record->arrived > 0)
        complain(world, "request %zu arrived, but it is said that it was not sent", id);
    if (error->code == GA_ETIMEDOUT && !error->timeout)
        complain(world, "request %zu: no timeout is named", id);
    if (!error->url && error->code != GA_ECANCELED)
        complain(world, "request %zu: no URL is named", id);
}

static void judge_body(test_world *world, size_t id, const char *body, size_t size, bool whole)
{
    const request_record *record = &world->records[id];

    /* Where only the connection's end tells the body's, a network that cuts it looks the same. */
    bool may_be_cut = record->manner == UNTIL_CLOSE && ga__sim_count(ga__loop_here->poller)->faults > 0;

    if (size > record->answer || (whole && size < record->answer && !may_be_cut))
        complain(world, "request %zu: %zu bytes came, %zu were sent", id, size, record->answer);
    else if (!is_pattern(body, id, size))
        complain(world, "request %zu got another's answer", id);
}

/* Reads in pieces, maybe not to the end. False on a failure. */
static bool read_pieces(test_world *world, size_t id, ga_response *response)
{
    ga__buffer body = GA__BUFFER_INIT;
    char piece[300];
    ssize_t count;
    bool stop = false;

    do {
        count = ga_read(response, piece, 1 + draw(sizeof piece - 1));
        if (count > 0)
            ga__buffer_append(&body, piece, (size_t)count);
        stop = chance(3);
    } while (count > 0 && !stop);
    judge_body(world, id, body.data ? body.data : "", body.size, count == 0);
    ga__buffer_free(&body);
    return count >= 0;
}

static bool read_response(test_world *world, size_t id, ga_response *response)
{
    size_t size;

    if (chance(20))
        return true; /* it is freed unread */
    if (chance(50))
        return read_pieces(world, id, response);
    const char *body = ga_body(response, &size);

    if (body)
        judge_body(world, id, body, size, true);
    return body != NULL;
}

static void make_call(test_world *world, size_t id)
{
    request_record *record = &world->records[id];
    ga__buffer body = GA__BUFFER_INIT;
    giver tape = {.record = record, .id = id};
    ga_body_source source = {.read = give,
                             .rewind = record->rewinds ? give_again : NULL,
                             .arg = &tape,
                             .size = record->kind == GIVEN ? (int64_t)record->body : -1};
    bool given = record->kind != IN_MEMORY;
    bool scoped = world->impatient && chance(40);
    char url[128];
    ga_scope scope;

    snprintf(url, sizeof url, "http://127.0.0.1:%u/%zu",
             (unsigned)ga__address_port(&world->servers[draw(SERVERS)].listener.address), id);
    if (!given)
        add_pattern(&body, id, record->body);
    ga_error_clear();
    ga_scope_open(&scope, scoped ? (double)draw(1000000) * 1e-6 * (chance(50) ? 1 : 1e-3) : GA_FOREVER);
    ga_response *response = ga_request(
        world->session, record->post ? "POST" : "GET", url, .body = body.data, .body_size = body.size,
        .body_source = given ? &source : NULL, .idempotent = record->idempotent,
        .expect_continue = record->expects, .cost = (double)draw(100),
        .before_send = record->announced ? announce : NULL, .before_send_arg = record);
    bool good = response && read_response(world, id, response);
    int expected = record->manner == ERRS ? 503 : 200;

    if (response && ga_status(response) != expected)
        complain(world, "request %zu: status %d", id, ga_status(response));
    if (!good)
        judge_failure(world, id, scoped);
    ga_response_free(response);
    ga_scope_close(&scope);
    ga__buffer_free(&body);
    record->ended++;
}

typedef struct caller {
    test_world *world;
    size_t number;
} caller;

static int make_calls(void *arg)
{
    const caller *self = arg;

    for (size_t i = 0; i < CALLS; i++) {
        make_call(self->world, self->number * CALLS + i);
        if (chance(20))
            ga_sleep((double)draw(20000) * 1e-3);
    }
    return 0;
}

/* Cancels callers now and then. */
static int lose_patience(void *arg)
{
    test_world *world = arg;

    while (world->impatient && chance(70) && ga_sleep((double)draw(3000) * 1e-3) == 0)
        ga_task_cancel(world->callers[draw(CALLERS)]);
    return 0;
}

/* --- one run -------------------------------------------------------------------------------------- */

static void draw_records(test_world *world)
{
    unsigned bad = (unsigned)draw(40);

    for (size_t id = 0; id < REQUESTS; id++) {
        request_record *record = &world->records[id];

        record->manner =
            (manner)(chance(bad) ? PROPER_MANNERS + draw(MANNERS - PROPER_MANNERS) : draw(PROPER_MANNERS));
        world->poisoned |= record->manner == WITH_MORE;
        world->silent |= record->manner == SILENCE;
        record->post = chance(40);
        record->idempotent = record->post && chance(30);
        record->body = record->post ? draw(chance(5) ? 20000 : 300) : 0;
        record->answer = draw(chance(5) ? 20000 : 500);
        record->expects = chance(10);
        record->announced = chance(10);
        if (record->post && chance(40)) {
            record->kind = chance(50) ? GIVEN : GIVEN_IN_CHUNKS;
            record->rewinds = chance(70);
        }
    }
}

static ga_session *draw_session(test_world *world)
{
    world->impatient = chance(60);
    world->total = chance(30) ? 1 + (double)draw(20) : 0;
    world->read = chance(30) ? 0.5 + (double)draw(5) : 0;
    int rate = chance(10) ? 50 : 0, retries = chance(30) ? 1 + (int)draw(4) : 0;

    bool per_host = chance(10), adaptive = chance(10);

    bool tokens = chance(10), one_way = chance(10), few_each = chance(10);

    world->paced = rate > 0 || retries > 0 || per_host || adaptive || tokens;
    return ga_session_new(.limit = 1 + (int)draw(CALLERS), .limit_per_host = (int)draw(4),
                          .max_connection_age = chance(10) ? 0.5 + (double)draw(3) : 0,
                          .max_connection_requests = chance(10) ? 1 + (int)draw(3) : 0,
                          .keepalive = (double)draw(3) * 5 - 1, .total_timeout = world->total,
                          .read_timeout = world->read, .rate = rate, .retries = retries, .retry_cap = 5,
                          .rate_per_host = per_host ? 20 : 0, .adaptive_limit = adaptive,
                          .tokens_per_host = tokens ? 200 : 0,
                          .limit_requests = one_way ? 1 + (int)draw(3) : 0,
                          .limit_requests_per_host = few_each ? 1 + (int)draw(3) : 0,
                          .connect_timeout = chance(50) ? 3 : 0, .first_byte_timeout = world->read);
}

static void run_callers(test_world *world)
{
    caller callers[CALLERS];
    ga_group calls;

    ga_group_open(&calls, GA_COLLECT);
    for (size_t i = 0; i < CALLERS; i++) {
        callers[i] = (caller){world, i};
        world->callers[i] = ga_spawn(&calls, make_calls, &callers[i]);
    }
    ga_spawn(&calls, lose_patience, world);
    ga_gather(&calls);
    ga_group_close(&calls);
}

static void judge_end(test_world *world)
{
    ga_pool_stats stats;
    ga_pace_state pace;

    for (size_t id = 0; id < REQUESTS; id++)
        if (world->records[id].ended != 1)
            complain(world, "request %zu ended %d times", id, world->records[id].ended);
    ga_session_pool(world->session, &stats);
    if (stats.in_use + stats.waiting > 0)
        complain(world, "%zu connections are still in use, %zu requests wait", stats.in_use, stats.waiting);
    if (stats.idle > CALLERS)
        complain(world, "%zu connections idle, more than the limit", stats.idle);
    ga_pace_status(ga_session_pace(world->session), &pace);
    if (pace.waiting + pace.retrying + pace.under_way > 0)
        complain(world, "%zu calls wait, %zu before a retry, and %zu are under way", pace.waiting,
                 pace.retrying, pace.under_way);
    ga_session_free(world->session);
    if (ga__loop_here->task_count == 0)
        complain(world, "the loop has lost count of its tasks");
}

static int scenario(void *arg)
{
    static const peer_step serves[] = {PEER_TAKE(NULL), PEER_CALL(answer), PEER_AGAIN};
    static const peer_step *const scripts[] = {serves, NULL};
    test_world *world = calloc(1, sizeof *world);
    ga_group peers;
    int code = 0;

    (void)arg;
    assert_non_null(world);
    ga_group_open(&peers, GA_COLLECT);
    draw_records(world);
    for (size_t i = 0; i < SERVERS; i++) {
        peer_start(&world->servers[i], &peers, scripts);
        world->servers[i].data = world;
    }
    world->session = draw_session(world);
    run_callers(world);
    judge_end(world);
    for (size_t i = 0; i < SERVERS; i++)
        peer_stop(&world->servers[i]);
    ga_group_close(&peers);
    if (world->problem[0])
        code = ga_fail(GA_EUSAGE, "%s", world->problem);
    free(world);
    return code;
}

static void every_call_ends_once_with_the_right_code_and_nothing_is_left(void **state)
{
    int before = check_open_descriptors();

    (void)state;
    assert_int_equal(ga__sim_run_seeds(1, CHECK_SANITIZED ? 3000 : 10000, NULL, scenario, NULL), 0);
    assert_int_equal(check_open_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_ends_once_with_the_right_code_and_nothing_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
