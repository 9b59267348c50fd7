/* SPDX-License-Identifier: MIT */
/*
 * Coded bytes, and behind them the codings to undo and the sizes of the pieces to do it in. Fed whole, in
 * pieces and into little room, the bytes decode to the same or fail in the same way; no allocation is larger
 * than the libraries' windows, whatever the bytes say, and the limit on the ratio holds.
 */
#include "base/buffer.h"
#include "protocol/decoder.h"
#include <gather/error.h>

#define REQUIRE(condition)    \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

enum {
    CONTROL_BYTES = 4,
    MOST = 1 << 20, /* decoded, for the comparison: beyond that a run is left */
    RATIO = 20
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct outcome {
    ga__buffer out;
    int code;
    bool left; /* there was more than MOST */
} outcome;

static void release(outcome *result)
{
    ga__buffer_free(&result->out);
}

/* Decodes one piece of input to its end. @return whether to go on */
static bool decode_piece(ga__decoder *decoder, ga__decoder_io *in, size_t room, bool last, outcome *result)
{
    size_t made;

    do {
        char *end = ga__buffer_reserve(&result->out, room);
        ga__decoder_io io = {in->in, in->in_size, end, room};

        REQUIRE(end);
        result->code = ga__decoder_run(decoder, &io, last);
        made = room - io.out_size;
        result->out.size += made;
        in->in = io.in;
        in->in_size = io.in_size;
        result->left = result->out.size > MOST;
    } while (result->code == 0 && made > 0 && !result->left);
    REQUIRE(result->code != 0 || result->left || in->in_size == 0);
    return result->code == 0 && !result->left;
}

static void decode(const ga__codings *codings, const uint8_t *data, size_t size, size_t piece, size_t room,
                   ga__decoder_spares *spares, outcome *result)
{
    ga__decoder decoder;

    *result = (outcome){.out = GA__BUFFER_INIT};
    result->code = ga__decoder_begin(&decoder, codings, 0, spares);
    for (size_t at = 0, taken; result->code == 0 && at < size; at += taken) {
        taken = piece < size - at ? piece : size - at;
        ga__decoder_io in = {(const char *)data + at, taken, NULL, 0};

        if (!decode_piece(&decoder, &in, room, at + taken == size, result))
            break;
    }
    if (result->code == 0 && !result->left)
        result->code = ga__decoder_finish(&decoder);
    REQUIRE(result->code == 0 || result->code == GA_EDECODE);
    REQUIRE(result->code == 0 || decoder.problem);
    ga__decoder_end(&decoder);
}

/* What is decoded with a limit on its ratio stays below it, whatever the size of the pieces. */
static void check_ratio(const ga__codings *codings, const uint8_t *data, size_t size)
{
    static char out[64 << 10];
    ga__decoder decoder;
    ga__decoder_io io = {(const char *)data, size, out, sizeof out};
    uint64_t made = 0;
    int code = ga__decoder_begin(&decoder, codings, RATIO, NULL);

    for (bool more = true; code == 0 && more;) {
        io.out = out;
        io.out_size = sizeof out;
        code = ga__decoder_run(&decoder, &io, true);
        more = io.out_size < sizeof out;
        made += sizeof out - io.out_size;
        REQUIRE(made <= GA__DECODER_ANY_RATIO + sizeof out || made <= RATIO * size + sizeof out);
    }
    ga__decoder_end(&decoder);
}

static void read_codings(ga__codings *codings, unsigned control)
{
    *codings = (ga__codings){.count = 1, .coding = {(uint8_t)(control & 3)}};
    for (control >>= 2; control & 1 && codings->count < GA__CODINGS_MOST; control >>= 3)
        codings->coding[codings->count++] = (uint8_t)(control >> 1 & 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < CONTROL_BYTES)
        return 0;
    const uint8_t *control = data + size - CONTROL_BYTES;
    ga__decoder_spares spares = {0};
    ga__codings codings;
    outcome whole, pieces;

    size -= CONTROL_BYTES;
    read_codings(&codings, control[0] | (unsigned)control[1] << 8);
    decode(&codings, data, size, SIZE_MAX, MOST, &spares, &whole);
    decode(&codings, data, size, control[2] + 1U, control[3] * 16U + 1U, &spares, &pieces);
    if (whole.left || pieces.left) {
        REQUIRE(whole.left == pieces.left || whole.code != 0 || pieces.code != 0);
    } else {
        REQUIRE(whole.code == pieces.code);
        /* How far the stages got before a fault depends on the pieces; what they made does not. */
        size_t same = whole.out.size < pieces.out.size ? whole.out.size : pieces.out.size;

        REQUIRE(whole.code != 0 || whole.out.size == pieces.out.size);
        REQUIRE(same == 0 || memcmp(whole.out.data, pieces.out.data, same) == 0);
    }
    release(&whole);
    release(&pieces);
    ga__decoder_spares_free(&spares);
    check_ratio(&codings, data, size);
    return 0;
}
