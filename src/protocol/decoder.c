/* SPDX-License-Identifier: MIT */
/*
 * A stack of decoders. Each stage takes from the one before it and hands on through a buffer of fixed size,
 * so that the memory is bounded however far the input expands; and each stage's output is measured against
 * the input of the whole, so that a bomb is found in whichever stage it goes off. Called by
 * client/content.c.
 */
#include "protocol/decoder.h"

#include "protocol/decoder_library.h"
#include <gather/error.h>
#include <stdlib.h>

enum {
    BETWEEN = 16 << 10,    /* of a buffer between two stages */
    GUESS_LEAST = 1 << 10, /* what ga__decoder_guess says at least, */
    GUESS_MOST = 1 << 20,  /* at most, */
    GUESS_RATIO = 4,       /* where nothing else is known, */
    GUESS_BELIEVED = 64    /* and beyond which ratio a length in the input is not believed */
};

static const ga__decoder_library *const libraries[GA__CODING_COUNT] = {
    [GA__CODING_GZIP] = &ga__decoder_zlib,
    [GA__CODING_DEFLATE] = &ga__decoder_zlib,
    [GA__CODING_BROTLI] = &ga__decoder_brotli,
    [GA__CODING_ZSTD] = &ga__decoder_zstd,
};

static int fail(ga__decoder *decoder, int code, ga__coding culprit, const char *problem)
{
    decoder->culprit = culprit;
    decoder->problem = problem;
    return code;
}

int ga__decoder_begin(ga__decoder *decoder, const ga__codings *codings, uint64_t max_ratio,
                      ga__decoder_spares *spares)
{
    *decoder = (ga__decoder){.max_ratio = max_ratio, .spares = spares};
    if (codings->too_many)
        return fail(decoder, GA_EDECODE, (ga__coding)codings->coding[0],
                    "more than five codings are stacked");
    while (decoder->count < codings->count) {
        ga__decoder_stage *stage = &decoder->stages[decoder->count];

        stage->coding = (ga__coding)codings->coding[codings->count - 1 - decoder->count];
        stage->library = libraries[stage->coding];
        decoder->count++;
        if (stage->library->open(stage, spares) < 0)
            return fail(decoder, GA_ENOMEM, stage->coding, "no memory");
        if (decoder->count < codings->count && !(stage->room = malloc(BETWEEN)))
            return fail(decoder, GA_ENOMEM, stage->coding, "no memory");
    }
    return 0;
}

/* Lets a stage do what it can. @return 1 when it moved anything, 0, or a failure */
static int step(ga__decoder *decoder, ga__decoder_stage *stage, ga__decoder_io *io, bool last)
{
    size_t in_before = io->in_size, out_before = io->out_size;

    if (io->in_size == 0 && !stage->pending)
        return 0;
    if (stage->ended)
        return fail(decoder, GA_EDECODE, stage->coding, "something follows its end");
    if (io->out_size == 0)
        return 0;
    const char *problem = NULL;
    int code = stage->library->run(stage, io, last, &problem);

    stage->made += out_before - io->out_size;
    if (code < 0)
        return fail(decoder, code, stage->coding, problem);
    return io->in_size < in_before || io->out_size < out_before;
}

/* Whether there is more of this than the input may expand to. */
static bool is_bomb(const ga__decoder *decoder, const ga__decoder_stage *stage)
{
    return decoder->max_ratio > 0 && stage->made > GA__DECODER_ANY_RATIO &&
           stage->made / decoder->max_ratio >= decoder->taken;
}

/* Runs the stage at this place once. @return as step */
static int run_stage(ga__decoder *decoder, unsigned place, ga__decoder_io *io, bool last)
{
    ga__decoder_stage *stage = &decoder->stages[place], *before = place > 0 ? stage - 1 : NULL;
    bool is_last = place + 1 == decoder->count;
    ga__decoder_io own = *io;

    if (before) {
        own.in = before->room + before->from;
        own.in_size = before->to - before->from;
    }
    if (!is_last) {
        if (stage->from == stage->to)
            stage->from = stage->to = 0;
        own.out = stage->room + stage->to;
        own.out_size = BETWEEN - stage->to;
    }
    size_t in_before = own.in_size, out_before = own.out_size;
    int code = step(decoder, stage, &own, last && decoder->count == 1);

    if (before) {
        before->from += in_before - own.in_size;
    } else {
        decoder->taken += in_before - own.in_size;
        io->in = own.in;
        io->in_size = own.in_size;
    }
    if (is_last) {
        io->out = own.out;
        io->out_size = own.out_size;
    } else {
        stage->to += out_before - own.out_size;
    }
    if (code >= 0 && GA_UNLIKELY(is_bomb(decoder, stage)))
        return fail(decoder, GA_EDECODE, stage->coding,
                    "it expands beyond max_ratio times what was received");
    return code;
}

int ga__decoder_run(ga__decoder *decoder, ga__decoder_io *io, bool last)
{
    int moved;

    do {
        moved = 0;
        for (unsigned place = 0; place < decoder->count; place++) {
            int code = run_stage(decoder, place, io, last);

            if (code < 0)
                return code;
            moved |= code;
        }
    } while (moved);
    return 0;
}

int ga__decoder_finish(ga__decoder *decoder)
{
    for (unsigned place = 0; place < decoder->count; place++)
        if (decoder->stages[place].begun || decoder->stages[place].pending)
            return fail(decoder, GA_EDECODE, decoder->stages[place].coding, "it ends too early");
    return 0;
}

void ga__decoder_end(ga__decoder *decoder)
{
    for (unsigned place = 0; place < decoder->count; place++) {
        ga__decoder_stage *stage = &decoder->stages[place];

        if (stage->state)
            stage->library->close(stage, decoder->spares);
        free(stage->room);
    }
    decoder->count = 0;
}

/* The length at the end of a gzip member (RFC 1952 section 2.3.1), modulo 2^32. */
static uint64_t gzip_length(const char *in, size_t size)
{
    const unsigned char *end = (const unsigned char *)in + size;

    return (uint64_t)end[-4] | (uint64_t)end[-3] << 8 | (uint64_t)end[-2] << 16 | (uint64_t)end[-1] << 24;
}

size_t ga__decoder_guess(const ga__codings *codings, const char *in, size_t size)
{
    size_t guess = size > GUESS_MOST / GUESS_RATIO ? GUESS_MOST : size * GUESS_RATIO;

    if (codings->count == 1 && codings->coding[0] == GA__CODING_GZIP && size >= 18) {
        uint64_t length = gzip_length(in, size);

        if (length <= GUESS_MOST && length / GUESS_BELIEVED <= size)
            return (size_t)length + 1; /* to see that nothing follows */
    }
    return guess < GUESS_LEAST ? GUESS_LEAST : guess;
}

void ga__decoder_spares_free(ga__decoder_spares *spares)
{
    ga__decoder_zlib_free(spares->inflate);
    ga__decoder_zstd_free(spares->zstd);
    *spares = (ga__decoder_spares){0};
}
