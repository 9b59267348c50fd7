/* SPDX-License-Identifier: MIT */
/*
 * gzip and deflate by zlib. Members of gzip may follow each other; deflate has one. zlib's window of 32 KiB
 * is only made where a content does not come out in one piece.
 */
#include "protocol/decoder_library.h"

#include <gather/error.h>
#include <stdlib.h>
#include <zlib.h>

enum { ZLIB = 15, GZIP = 15 + 16, RAW = -15 }; /* zlib's windowBits */

/* Through malloc as it is here, for the tests that let it fail. */
static void *allocate(void *opaque, unsigned count, unsigned size)
{
    (void)opaque;
    return calloc(count, size);
}

static void release(void *opaque, void *block)
{
    (void)opaque;
    free(block);
}

void ga__decoder_zlib_free(void *state)
{
    if (state)
        inflateEnd(state);
    free(state);
}

static int open_state(ga__decoder_stage *stage, ga__decoder_spares *spares)
{
    z_stream *stream = spares ? spares->inflate : NULL;

    if (stream) {
        spares->inflate = NULL;
        stage->state = stream;
        return inflateReset2(stream, stage->coding == GA__CODING_GZIP ? GZIP : ZLIB) == Z_OK ? 0 : GA_ENOMEM;
    }
    stream = calloc(1, sizeof *stream);
    if (!stream)
        return GA_ENOMEM;
    stream->zalloc = allocate;
    stream->zfree = release;
    if (inflateInit2(stream, stage->coding == GA__CODING_GZIP ? GZIP : ZLIB) != Z_OK) {
        free(stream);
        return GA_ENOMEM;
    }
    stage->state = stream;
    return 0;
}

static void close_state(ga__decoder_stage *stage, ga__decoder_spares *spares)
{
    if (spares && !spares->inflate)
        spares->inflate = stage->state;
    else
        ga__decoder_zlib_free(stage->state);
    stage->state = NULL;
}

/* Before the first byte of a member. zlib's format begins with a byte whose low half is 8; a raw block that
 * began so would be a stored one with padding that is not zero, which nobody writes. */
static void begin_member(const ga__decoder_stage *stage, const char *in)
{
    if (stage->coding == GA__CODING_GZIP)
        inflateReset(stage->state);
    else
        inflateReset2(stage->state, (*in & 0x0f) == 8 ? ZLIB : RAW);
}

/* One call of inflate. @return what it said */
static int inflate_once(z_stream *stream, ga__decoder_io *io, bool last)
{
    uInt in_size = (uInt)(io->in_size < UINT32_MAX ? io->in_size : UINT32_MAX);
    uInt out_size = (uInt)(io->out_size < UINT32_MAX ? io->out_size : UINT32_MAX);

    stream->next_in = (Bytef *)(uintptr_t)io->in;
    stream->avail_in = in_size;
    stream->next_out = (Bytef *)io->out;
    stream->avail_out = out_size;
    int code = inflate(stream, last && in_size == io->in_size ? Z_FINISH : Z_NO_FLUSH);

    io->in += in_size - stream->avail_in;
    io->in_size -= in_size - stream->avail_in;
    io->out += out_size - stream->avail_out;
    io->out_size -= out_size - stream->avail_out;
    return code;
}

static int run(ga__decoder_stage *stage, ga__decoder_io *io, bool last, const char **problem)
{
    z_stream *stream = stage->state;
    int code;

    do {
        if (!stage->begun)
            begin_member(stage, io->in);
        code = inflate_once(stream, io, last);
        stage->begun = code != Z_STREAM_END;
        stage->ended = code == Z_STREAM_END && stage->coding == GA__CODING_DEFLATE;
    } while (code == Z_STREAM_END && !stage->ended && io->in_size > 0 && io->out_size > 0);
    stage->pending = stage->begun && io->out_size == 0;
    if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR) /* the last: more is needed of either */
        return 0;
    *problem = code == Z_MEM_ERROR     ? "no memory"
               : code == Z_NEED_DICT   ? "it needs a dictionary"
               : stream->msg != Z_NULL ? stream->msg
                                       : "it is broken";
    return code == Z_MEM_ERROR ? GA_ENOMEM : GA_EDECODE;
}

const ga__decoder_library ga__decoder_zlib = {open_state, run, close_state};
