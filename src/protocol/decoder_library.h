/* SPDX-License-Identifier: MIT */
/*
 * What a library that decodes has to offer: between decoder.c, which knows the stack and its limits, and the
 * small files that know a library each.
 */
#ifndef GA__DECODER_LIBRARY_H
#define GA__DECODER_LIBRARY_H

#include "protocol/decoder.h"

typedef struct ga__decoder_library {
    /* Makes stage->state for stage->coding, or takes the spare one. @return 0, GA_ENOMEM */
    int (*open)(ga__decoder_stage *stage, ga__decoder_spares *spares);
    /* Decodes what it can, and sets stage->begun, ended and pending. Called with input, or pending output;
     * with room for output; never when ended. `last`: no input follows.
     * @return 0; GA_EDECODE or GA_ENOMEM with *problem, a static string */
    int (*run)(ga__decoder_stage *stage, ga__decoder_io *io, bool last, const char **problem);
    /* Frees stage->state, or keeps it as the spare one. */
    void (*close)(ga__decoder_stage *stage, ga__decoder_spares *spares);
} ga__decoder_library;

extern const ga__decoder_library ga__decoder_zlib, ga__decoder_brotli, ga__decoder_zstd;

/* Frees a spare state; NULL is fine. */
void ga__decoder_zlib_free(void *state);
void ga__decoder_zstd_free(void *state);

#endif
