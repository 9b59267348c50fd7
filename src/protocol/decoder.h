/* SPDX-License-Identifier: MIT */
/*
 * Undoing content codings, sans I/O: coded bytes in, content out, at the pace of whoever takes it. One
 * decoder undoes a stack of up to five codings; what it holds does not depend on how much the input expands
 * to.
 *
 *     code = ga__decoder_begin(&decoder, &codings, max_ratio, spares);
 *     do code = ga__decoder_run(&decoder, &io, last)     until it made nothing and the input is used up
 *     code = ga__decoder_finish(&decoder)                at the input's end
 *     ga__decoder_end(&decoder);
 *
 * gzip may have several members and zstd several frames (RFC 1952 section 2.2, RFC 8878 section 3); deflate
 * is the zlib format of RFC 9110, or raw as some servers send it, which the first byte tells. Checksums and
 * lengths are verified. What follows the end is an error, and so is an end within; no input at all is empty
 * content.
 */
#ifndef GA__DECODER_H
#define GA__DECODER_H

#include "protocol/coding.h"

struct ga__decoder_library;

/* One step of the stack. */
typedef struct ga__decoder_stage {
    const struct ga__decoder_library *library;
    void *state; /* the library's */
    ga__coding coding;
    bool begun;   /* within a member: the input may not end here */
    bool ended;   /* complete: nothing may follow */
    bool pending; /* there may be output without further input */
    uint64_t made;
    /* what it made that the next stage has not taken; the last stage has none */
    char *room;
    size_t from, to;
} ga__decoder_stage;

/* States that wait to be used again, since making one costs more than decoding a small body: one of inflate,
 * one of zstd. {0} is empty. */
typedef struct ga__decoder_spares {
    void *inflate, *zstd;
} ga__decoder_spares;

typedef struct ga__decoder {
    unsigned count;
    uint64_t max_ratio;
    uint64_t taken; /* bytes of input so far */
    ga__decoder_spares *spares;
    const char *problem;                        /* after a failure: what is wrong, a static string */
    ga__coding culprit;                         /* ... and with which coding */
    ga__decoder_stage stages[GA__CODINGS_MOST]; /* the coding applied last comes first */
} ga__decoder;

/* Where input comes from and output goes to; moved on by what was taken and made. */
typedef struct ga__decoder_io {
    const char *in;
    size_t in_size;
    char *out;
    size_t out_size;
} ga__decoder_io;

/* Content up to this size may have any ratio to what it was decoded from. */
enum { GA__DECODER_ANY_RATIO = 1 << 20 };

/* Gets ready. `max_ratio`: how many bytes a byte of input may expand to, on the average of all so far, beyond
 * GA__DECODER_ANY_RATIO; 0: any number. `spares` NULL: none are kept; else it outlives the decoder.
 * @return 0, GA_EDECODE (too many codings), GA_ENOMEM; ga__decoder_end is due in each case */
int ga__decoder_begin(ga__decoder *decoder, const ga__codings *codings, uint64_t max_ratio,
                      ga__decoder_spares *spares);

/* Decodes until the input is used up or the output full. `last`: no input follows; it saves memory, and is
 * allowed to be false. Nothing may be asked of the decoder after a failure but its end; what was made before
 * counts.
 * @return 0, GA_EDECODE, GA_ENOMEM */
int ga__decoder_run(ga__decoder *decoder, ga__decoder_io *io, bool last);

/* The input has ended, and ga__decoder_run made nothing more of it. @return 0, or GA_EDECODE: too early */
int ga__decoder_finish(ga__decoder *decoder);

/* Frees what the decoder holds; it may be begun anew. */
void ga__decoder_end(ga__decoder *decoder);

/* How large the whole content may be that is coded as in these bytes, at a guess which is never much above
 * what the bytes can expand to honestly: for a first allocation. */
size_t ga__decoder_guess(const ga__codings *codings, const char *in, size_t size);

void ga__decoder_spares_free(ga__decoder_spares *spares);

#endif
