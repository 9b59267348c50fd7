/* SPDX-License-Identifier: MIT */
/*
 * Content codings of whole bodies in memory. Each library says at most how large the result becomes, so that
 * one call makes it. Called by client/compression.c.
 */
#include "protocol/encoder.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

enum { BROTLI_QUALITY = 5, BROTLI_WINDOW = 22, ZLIB = 15, GZIP = 15 + 16, ZLIB_MEMORY = 8 };

/* @return the size of what was written to `out`, 0 for a failure */
static size_t deflate_all(ga__buffer *out, int window, const void *content, size_t size)
{
    z_stream stream = {0};
    size_t made = 0;

    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, ZLIB_MEMORY, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return 0;
    size_t most = deflateBound(&stream, size);
    char *room = size <= UINT32_MAX && most <= UINT32_MAX ? ga__buffer_reserve(out, most) : NULL;

    if (room) {
        stream.next_in = (Bytef *)(uintptr_t)content;
        stream.avail_in = (uInt)size;
        stream.next_out = (Bytef *)room;
        stream.avail_out = (uInt)most;
        if (deflate(&stream, Z_FINISH) == Z_STREAM_END)
            made = stream.total_out;
    }
    deflateEnd(&stream);
    return made;
}

static size_t brotli_all(ga__buffer *out, const void *content, size_t size)
{
    size_t made = BrotliEncoderMaxCompressedSize(size);
    char *room = made > 0 ? ga__buffer_reserve(out, made) : NULL;

    if (!room || !BrotliEncoderCompress(BROTLI_QUALITY, BROTLI_WINDOW, BROTLI_MODE_GENERIC, size, content,
                                        &made, (uint8_t *)room))
        return 0;
    return made;
}

static size_t zstd_all(ga__buffer *out, const void *content, size_t size)
{
    size_t most = ZSTD_compressBound(size);
    char *room = ga__buffer_reserve(out, most);
    size_t made = room ? ZSTD_compress(room, most, content, size, ZSTD_CLEVEL_DEFAULT) : 0;

    return ZSTD_isError(made) ? 0 : made;
}

void ga__encode(ga__buffer *out, ga__coding coding, const void *content, size_t size)
{
    size_t made = 0;

    switch (coding) {
    case GA__CODING_GZIP:
        made = deflate_all(out, GZIP, content, size);
        break;
    case GA__CODING_DEFLATE:
        made = deflate_all(out, ZLIB, content, size);
        break;
    case GA__CODING_BROTLI:
        made = brotli_all(out, content, size);
        break;
    case GA__CODING_ZSTD:
        made = zstd_all(out, content, size);
        break;
    case GA__CODING_COUNT:
        break;
    }
    if (made == 0) { /* no coding makes nothing of anything */
        out->failed = true;
        return;
    }
    out->size += made;
    out->data[out->size] = '\0';
}
