/* SPDX-License-Identifier: MIT */
/*
 * br by libbrotlidec (RFC 7932): windows of up to 16 MiB, of which as much is made as the content needs. A
 * state cannot be used again.
 */
#include "protocol/decoder_library.h"

#include <brotli/decode.h>
#include <gather/error.h>
#include <stdlib.h>

/* Through malloc as it is here, for the tests that let it fail. */
static void *allocate(void *opaque, size_t size)
{
    (void)opaque;
    return malloc(size);
}

static void release(void *opaque, void *block)
{
    (void)opaque;
    free(block);
}

static int open_state(ga__decoder_stage *stage, ga__decoder_spares *spares)
{
    (void)spares;
    stage->state = BrotliDecoderCreateInstance(allocate, release, NULL);
    return stage->state ? 0 : GA_ENOMEM;
}

static void close_state(ga__decoder_stage *stage, ga__decoder_spares *spares)
{
    (void)spares;
    BrotliDecoderDestroyInstance(stage->state);
    stage->state = NULL;
}

static bool is_memory(BrotliDecoderErrorCode code)
{
    return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
           code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
}

static int run(ga__decoder_stage *stage, ga__decoder_io *io, bool last, const char **problem)
{
    const uint8_t *in = (const uint8_t *)io->in;
    uint8_t *out = (uint8_t *)io->out;

    (void)last;
    BrotliDecoderResult result =
        BrotliDecoderDecompressStream(stage->state, &io->in_size, &in, &io->out_size, &out, NULL);

    io->in = (const char *)in;
    io->out = (char *)out;
    stage->begun = result != BROTLI_DECODER_RESULT_SUCCESS;
    stage->ended = result == BROTLI_DECODER_RESULT_SUCCESS;
    /* Where it wants input it may still hold what a server has flushed, and there was no room for. */
    stage->pending = BrotliDecoderHasMoreOutput(stage->state) != BROTLI_FALSE;
    if (result != BROTLI_DECODER_RESULT_ERROR)
        return 0;
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(stage->state);

    *problem = BrotliDecoderErrorString(code);
    return is_memory(code) ? GA_ENOMEM : GA_EDECODE;
}

const ga__decoder_library ga__decoder_brotli = {open_state, run, close_state};
