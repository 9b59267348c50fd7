/* SPDX-License-Identifier: MIT */
/*
 * Decoding a body's content. What is received goes through the loop's buffer into the decoder, and from there
 * to its destination; only what the decoder cannot take, since the destination is full, is kept with the
 * response until the next read. So a fast server is held back by a slow reader, as without codings. Called
 * by client/response_body.c for responses that have codings.
 *
 * A response with codings keeps in body, from taken to size, what was received and is still coded.
 */
#include "client/content.h"

#include "client/har.h"
#include "task/loop.h"
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_ROOM = 16 << 10, /* for content of which more is to be received */
    PIECE = 16 << 10,      /* received at once for a reader that asks for little */
    YIELD_AFTER = 1 << 20  /* decoded by one task before it lets others run: some milliseconds */
};

struct ga__content {
    ga__decoder decoder;
    ga__buffer whole; /* decoded for ga_body, which did not come to the end yet */
    size_t taken;     /* of whole, by ga_read */
    uint64_t made;
};

void ga__content_codings(ga__codings *codings, const ga__headers *headers, int status, bool raw)
{
    *codings = (ga__codings){0};
    if (!raw && status != 206) /* a part of coded content cannot be decoded by itself */
        ga__codings_read(codings, headers);
}

/* --- the state ------------------------------------------------------------------------------------ */

static void free_spares(ga__loop *loop)
{
    ga__decoder_spares_free(loop->decoders);
    free(loop->decoders);
    loop->decoders = NULL;
}

/* The loop's spare states; NULL where there is no memory: then none are kept. */
static ga__decoder_spares *spares_here(void)
{
    ga__loop *loop = ga__loop_here;

    if (!loop->decoders) {
        loop->decoders = calloc(1, sizeof(ga__decoder_spares));
        loop->decoders_free = free_spares;
    }
    return loop->decoders;
}

int ga__content_failed(const ga_response *response)
{
    const ga__content *content = response->content;

    ga__progress_fail(&response->progress, GA_EDECODE, "the body cannot be decoded, after %llu bytes: %s: %s",
                      (unsigned long long)content->made, ga__coding_name(content->decoder.culprit),
                      content->decoder.problem);
    ga__error_edit()->phase = GA_PHASE_DECODE;
    return GA_EDECODE;
}

/* Nothing more can be had of the body; every read from now on says so. */
static int broken(ga_response *response, int code)
{
    response->failed = code;
    ga__response_settle(response);
    return ga__response_failed(response);
}

static int begin(ga_response *response)
{
    if (GA_LIKELY(response->content != NULL))
        return 0;
    response->content = calloc(1, sizeof *response->content);
    if (!response->content) {
        ga__progress_fail(&response->progress, GA_ENOMEM, "no memory for the body");
        return GA_ENOMEM;
    }
    int code = ga__decoder_begin(&response->content->decoder, &response->codings, response->max_ratio,
                                 spares_here());

    if (code == GA_EDECODE)
        return broken(response, code);
    if (code < 0) { /* it may be tried again */
        ga__content_end(response);
        ga__progress_fail(&response->progress, GA_ENOMEM, "no memory for the body");
        return GA_ENOMEM;
    }
    return 0;
}

void ga__content_end(ga_response *response)
{
    ga__content *content = response->content;

    if (!content)
        return;
    if (response->har)
        ga__har_decoded(response->har, content->made);
    /* The response may have outlived the loop in which the decoder was begun. */
    content->decoder.spares = ga__loop_here ? ga__loop_here->decoders : NULL;
    ga__decoder_end(&content->decoder);
    ga__buffer_free(&content->whole);
    free(content);
    response->content = NULL;
}

/* --- pieces --------------------------------------------------------------------------------------- */

/* Decodes from `io`. @return whether something was made, or the decoder broke: response->failed */
static bool decode(ga_response *response, ga__decoder_io *io)
{
    ga__content *content = response->content;
    size_t room = io->out_size;
    int code = ga__decoder_run(&content->decoder, io, response->done);

    content->made += room - io->out_size;
    if (code < 0) {
        response->failed = code;
        ga__response_settle(response);
    }
    return code < 0 || io->out_size < room;
}

/* Keeps what the decoder did not take, for the next read. */
static int keep(ga_response *response, const char *data, size_t size)
{
    response->taken = response->size = 0;
    if (size > response->capacity && ga__response_grow(response, size) < 0)
        return broken(response, GA_ENOMEM);
    memcpy(response->body, data, size);
    response->size = size;
    return 0;
}

/* The next piece of content. @return its size; 0 at the end; a failure, recorded */
static ssize_t next_piece(ga_response *response, char *out, size_t size)
{
    size_t most = size < PIECE ? PIECE : size < GA__LENT_SIZE ? size : GA__LENT_SIZE;
    ga__decoder_io io = {response->body + response->taken, response->size - response->taken, out, size};
    bool made = decode(response, &io);

    response->taken = response->size - io.in_size;
    while (!made) {
        ssize_t count = ga__response_receive(response, NULL, most);

        if (count < 0)
            return count;
        if (count == 0)
            break;
        io.in = ga__loop_lend();
        io.in_size = (size_t)count;
        made = decode(response, &io);
        if (io.in_size > 0 && keep(response, io.in, io.in_size) < 0)
            return GA_ENOMEM;
    }
    if (io.out_size < size)
        return (ssize_t)(size - io.out_size);
    if (response->failed)
        return ga__response_failed(response);
    int code = ga__decoder_finish(&response->content->decoder);

    return code < 0 ? broken(response, code) : 0;
}

/* The content has come to its end: the response is one without codings, with this as what is left of it. */
static void become_plain(ga_response *response, ga__buffer *whole, size_t taken)
{
    if (response->owned)
        free(response->body);
    response->owned = whole->data != NULL;
    response->body = whole->data ? whole->data : (char *)&response->nothing;
    response->size = response->capacity = whole->size;
    response->taken = taken;
    *whole = GA__BUFFER_INIT;
    response->codings.count = 0;
    ga__content_end(response);
}

ssize_t ga__content_read(ga_response *response, void *buffer, size_t size)
{
    int code = response->failed == GA_EDECODE ? ga__response_failed(response) : begin(response);

    if (code < 0)
        return code;
    ga__content *content = response->content;
    size_t here = content->whole.size - content->taken;

    if (here > 0) {
        here = here < size ? here : size;
        memcpy(buffer, content->whole.data + content->taken, here);
        content->taken += here;
        return (ssize_t)here;
    }
    ga__buffer_clear(&content->whole);
    content->taken = 0;
    ssize_t count = next_piece(response, buffer, size);

    if (count == 0) {
        ga__buffer none = GA__BUFFER_INIT;

        become_plain(response, &none, 0);
    }
    return count;
}

/* --- the whole ------------------------------------------------------------------------------------ */

static int too_large(const ga_response *response)
{
    return ga__progress_fail(
        &response->progress, GA_ETOOLARGE,
        "the body decodes to more than the %lld bytes that max_body allows; read it with ga_read, or "
        "allow more",
        (long long)response->max_body);
}

/* How much to ask for next: at first what the content seems to need, then what there is room for. */
static size_t wanted(const ga_response *response)
{
    const ga__content *content = response->content;
    const ga__buffer *whole = &content->whole;
    size_t room = whole->capacity > whole->size ? whole->capacity - whole->size - 1 : 0;
    uint64_t allowed = (uint64_t)response->max_body - content->made + 1;

    if (whole->capacity == 0 && !response->done)
        room = FIRST_ROOM;
    else if (whole->capacity == 0)
        room = ga__decoder_guess(&response->codings, response->body + response->taken,
                                 response->size - response->taken);
    else if (room == 0)
        room = whole->size;
    if (room > YIELD_AFTER)
        room = YIELD_AFTER;
    return room < allowed ? room : (size_t)allowed;
}

/* Appends the next piece. @return as next_piece */
static ssize_t append_piece(ga_response *response)
{
    ga__buffer *whole = &response->content->whole;
    size_t size = wanted(response);
    char *end = ga__buffer_reserve(whole, size);

    if (!end) {
        whole->failed = false; /* it may be tried again */
        return ga__progress_fail(&response->progress, GA_ENOMEM, "no memory for the body");
    }
    ssize_t count = next_piece(response, end, size);

    if (count > 0)
        whole->size += (size_t)count;
    whole->data[whole->size] = '\0';
    return count;
}

int ga__content_read_all(ga_response *response)
{
    int code = response->failed == GA_EDECODE ? ga__response_failed(response) : begin(response);
    size_t since = 0;
    ssize_t count = 1;

    while (code == 0 && count > 0) {
        if (response->content->made > (uint64_t)response->max_body)
            return too_large(response);
        count = append_piece(response);
        if (count < 0)
            return (int)count;
        since += (size_t)count;
        if (since < YIELD_AFTER)
            continue;
        since = 0;
        code = ga_yield();
        if (code < 0)
            ga__progress_wait_failed(&response->progress, code, GA__TIMEOUT_TOTAL, 0);
    }
    if (code == 0)
        become_plain(response, &response->content->whole, response->content->taken);
    return code;
}
