/* SPDX-License-Identifier: MIT */
/*
 * zstd by libzstd (RFC 8878): any number of frames, with windows of at most 8 MiB, as RFC 9659 has it for
 * HTTP.
 */
#include "protocol/decoder_library.h"

#include <gather/error.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
    WINDOW_LOG_MAX = 23,
    SPARE_MOST = 512 << 10 /* a state that grew beyond this is not kept */
};

void ga__decoder_zstd_free(void *state)
{
    ZSTD_freeDCtx(state);
}

static int open_state(ga__decoder_stage *stage, ga__decoder_spares *spares)
{
    stage->state = spares && spares->zstd ? spares->zstd : ZSTD_createDCtx();
    if (spares)
        spares->zstd = NULL;
    if (!stage->state)
        return GA_ENOMEM;
    ZSTD_DCtx_reset(stage->state, ZSTD_reset_session_only);
    return ZSTD_isError(ZSTD_DCtx_setParameter(stage->state, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)) ? GA_ENOMEM
                                                                                                   : 0;
}

static void close_state(ga__decoder_stage *stage, ga__decoder_spares *spares)
{
    if (spares && !spares->zstd && ZSTD_sizeof_DCtx(stage->state) <= SPARE_MOST)
        spares->zstd = stage->state;
    else
        ZSTD_freeDCtx(stage->state);
    stage->state = NULL;
}

/* Whether a frame of RFC 8878, of data or skippable, may begin so. The library also knows its formats from
 * before the RFC, which differ in the first byte; nobody may reach those decoders from the network. */
static bool begins_frame(char first)
{
    return first == 0x28 || (first & 0xf0) == 0x50;
}

static int run(ga__decoder_stage *stage, ga__decoder_io *io, bool last, const char **problem)
{
    ZSTD_inBuffer in = {io->in, io->in_size, 0};
    ZSTD_outBuffer out = {io->out, io->out_size, 0};
    size_t left;

    (void)last;
    bool broken;

    do { /* each call ends with a frame at the latest */
        broken = !stage->begun && !begins_frame(io->in[in.pos]);
        left = broken ? 0 : ZSTD_decompressStream(stage->state, &out, &in);
        stage->begun = left != 0;
    } while (!broken && left == 0 && in.pos < in.size && out.pos < out.size);
    io->in += in.pos;
    io->in_size -= in.pos;
    io->out += out.pos;
    io->out_size -= out.pos;
    stage->pending = left != 0 && io->out_size == 0;
    if (broken)
        *problem = "a frame does not begin as RFC 8878 has it";
    else if (ZSTD_isError(left))
        *problem = ZSTD_getErrorName(left);
    else
        return 0;
    return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? GA_ENOMEM : GA_EDECODE;
}

const ga__decoder_library ga__decoder_zstd = {open_state, run, close_state};
