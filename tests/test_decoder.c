/* SPDX-License-Identifier: MIT */
/* Content codings: each coding whole, byte by byte and cut at every position; broken, truncated and followed
 * by garbage; and what is meant to expand beyond all measure. */
#include "check.h"

#include "base/buffer.h"
#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include <brotli/encode.h>
#include <gather/error.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define TEXT "content that is said twice, content that is said twice, and once more: content"

static ga__codings codings_of(const char *list)
{
    char head[128] = "Content-Encoding";
    ga__field field = {.value = 17, .name_size = 16, .id = GA__FIELD_CONTENT_ENCODING};
    ga__headers headers = {
        .bytes = head, .fields = &field, .count = 1, .present = UINT64_C(1) << GA__FIELD_CONTENT_ENCODING};
    ga__codings codings;

    snprintf(head + 17, sizeof head - 17, "%s", list);
    field.value_size = (uint32_t)strlen(list);
    ga__codings_read(&codings, &headers);
    return codings;
}

/* Decodes `in`, handed over in pieces cut at `cut` and of at most `piece` bytes, into an output of `room`
 * bytes at a time. @return as ga__decoder_run or ga__decoder_finish; *problem: a copy of what the decoder
 * said */
typedef struct feed {
    size_t cut, piece, room;
    uint64_t max_ratio;
    ga__decoder_spares *spares;
    const char *problem;
    bool not_last; /* never says that no input follows */
} feed;

static int decode_piece(ga__decoder *decoder, feed *how, ga__decoder_io *in, bool last, ga__buffer *out)
{
    size_t made;

    do {
        size_t room = how->room ? how->room : in->in_size * 4 + 64;
        char *end = ga__buffer_reserve(out, room);
        ga__decoder_io io = {in->in, in->in_size, end, room};
        int code = ga__decoder_run(decoder, &io, last && !how->not_last);

        made = room - io.out_size;
        out->size += made;
        in->in = io.in;
        in->in_size = io.in_size;
        if (code < 0)
            return code;
    } while (made > 0);
    assert_int_equal(in->in_size, 0);
    return 0;
}

static int decode(const ga__codings *codings, const void *in, size_t size, feed *how, ga__buffer *out)
{
    ga__decoder decoder;
    int code = ga__decoder_begin(&decoder, codings, how->max_ratio, how->spares);

    for (size_t at = 0, next; code == 0 && at < size; at = next) {
        next = at + (how->piece ? how->piece : size);
        if (at < how->cut && next > how->cut)
            next = how->cut;
        next = next < size ? next : size;
        /* Memory of its exact size, so that AddressSanitizer sees what reads beyond. */
        char *copy = test_malloc(next - at);
        ga__decoder_io io = {copy, next - at, NULL, 0};

        memcpy(copy, (const char *)in + at, next - at);
        code = decode_piece(&decoder, how, &io, next == size, out);
        test_free(copy);
    }
    if (code == 0)
        code = ga__decoder_finish(&decoder);
    how->problem = decoder.problem;
    ga__decoder_end(&decoder);
    return code;
}

/* `content` in the codings of the list, applied in its order. */
static void encode(ga__buffer *out, const char *list, const void *content, size_t size)
{
    ga__codings codings = codings_of(list);
    ga__buffer from = GA__BUFFER_INIT;

    ga__buffer_append(&from, content, size);
    for (unsigned i = 0; i < codings.count; i++) {
        ga__buffer to = GA__BUFFER_INIT;

        ga__encode(&to, (ga__coding)codings.coding[i], from.data, from.size);
        assert_false(to.failed);
        ga__buffer_free(&from);
        from = to;
    }
    ga__buffer_append(out, from.data, from.size);
    ga__buffer_free(&from);
}

static void raw_deflate(ga__buffer *out, const void *content, size_t size)
{
    z_stream stream = {0};
    size_t most = size + 1024;

    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)content;
    stream.avail_in = (uInt)size;
    stream.next_out = (Bytef *)ga__buffer_reserve(out, most);
    stream.avail_out = (uInt)most;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out->size += stream.total_out;
    deflateEnd(&stream);
}

/* What a server has sent when it flushes, of a stream that goes on. */
static void flushed_brotli(ga__buffer *out, const char *content)
{
    BrotliEncoderState *encoder = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    const uint8_t *in = (const uint8_t *)content;
    size_t in_size = strlen(content), room = in_size + 1024, left = room;
    uint8_t *end = (uint8_t *)ga__buffer_reserve(out, room);

    assert_true(
        BrotliEncoderCompressStream(encoder, BROTLI_OPERATION_FLUSH, &in_size, &in, &left, &end, NULL));
    assert_int_equal(in_size, 0);
    assert_false(BrotliEncoderHasMoreOutput(encoder));
    out->size += room - left;
    BrotliEncoderDestroyInstance(encoder);
}

/* Fed in every way, `in` decodes to `content`. */
static void assert_decodes(const char *list, const ga__buffer *in, const void *content, size_t size)
{
    ga__codings codings = codings_of(list);
    ga__decoder_spares spares = {0};

    for (size_t cut = 0; cut <= in->size + 4; cut++) {
        size_t extra = cut > in->size ? cut - in->size : 0; /* the last ones: other ways than one cut */
        feed how = {.cut = cut,
                    .piece = extra == 1 || extra == 3 ? 1 : 0,
                    .room = extra == 2 || extra == 3 ? 1 : 0,
                    .spares = &spares,
                    .not_last = extra == 4};
        ga__buffer out = GA__BUFFER_INIT;
        int code = decode(&codings, in->data, in->size, &how, &out);

        if (code != 0 || out.size != size || (size > 0 && memcmp(out.data, content, size) != 0))
            fail_msg("%s, cut at %zu of %zu: %d, %zu bytes: %s", list, cut, in->size, code, out.size,
                     how.problem ? how.problem : "");
        ga__buffer_free(&out);
    }
    ga__decoder_spares_free(&spares);
}

/* Fed whole and byte by byte, `in` fails, and `content` (where given) is what came before. */
static const char *assert_broken(const char *list, const void *in, size_t size)
{
    ga__codings codings = codings_of(list);
    const char *problem = NULL;

    for (size_t piece = 0; piece <= 1; piece++) {
        feed how = {.piece = piece};
        ga__buffer out = GA__BUFFER_INIT;

        assert_int_equal(decode(&codings, in, size, &how, &out), GA_EDECODE);
        assert_non_null(how.problem);
        problem = how.problem;
        ga__buffer_free(&out);
    }
    return problem;
}

static const char *const all[] = {"gzip", "deflate", "br", "zstd"};
enum { ALL = sizeof all / sizeof *all };

/* --- names ---------------------------------------------------------------------------------------- */

static void the_list_of_codings_is_read_in_its_order(void **state)
{
    ga__codings codings;

    (void)state;
    codings = codings_of("GZip, br,,x-gzip ,identity, Deflate,zstd");
    assert_int_equal(codings.count, 5);
    assert_false(codings.too_many);
    assert_int_equal(codings.coding[0], GA__CODING_GZIP);
    assert_int_equal(codings.coding[1], GA__CODING_BROTLI);
    assert_int_equal(codings.coding[2], GA__CODING_GZIP);
    assert_int_equal(codings.coding[3], GA__CODING_DEFLATE);
    assert_int_equal(codings.coding[4], GA__CODING_ZSTD);
    assert_int_equal(codings_of("identity").count, 0);
    assert_int_equal(codings_of("").count, 0);
    assert_int_equal(codings_of("gzip, aes128gcm").count, 0);
    assert_int_equal(codings_of("compress").count, 0);
    assert_int_equal(codings_of("gzipp").count, 0);
    assert_true(codings_of("br,br,br,br,br,br").too_many);
    assert_false(codings_of("br,br,br,br,br,br,rot13").too_many);
}

/* --- what is right -------------------------------------------------------------------------------- */

static void each_coding_decodes_however_it_is_cut(void **state)
{
    char noise[700];
    unsigned seed = 1;

    (void)state;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)((seed = seed * 1103515245u + 12345u) >> 16);
    for (size_t i = 0; i < ALL; i++) {
        ga__buffer in = GA__BUFFER_INIT;

        encode(&in, all[i], TEXT, sizeof TEXT - 1);
        assert_decodes(all[i], &in, TEXT, sizeof TEXT - 1);
        ga__buffer_clear(&in);
        encode(&in, all[i], noise, sizeof noise);
        assert_decodes(all[i], &in, noise, sizeof noise);
        ga__buffer_free(&in);
    }
}

static void empty_content_decodes_and_so_does_no_input_at_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALL; i++) {
        ga__buffer in = GA__BUFFER_INIT, none = GA__BUFFER_INIT;

        encode(&in, all[i], "", 0);
        assert_true(in.size > 0);
        assert_decodes(all[i], &in, "", 0);
        assert_decodes(all[i], &none, "", 0);
        ga__buffer_free(&in);
    }
}

static void stacked_codings_are_undone_from_the_last_to_the_first(void **state)
{
    static const char *const lists[] = {"gzip, gzip", "deflate, br", "zstd, gzip, br",
                                        "gzip, br, zstd, deflate, gzip"};

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        ga__buffer in = GA__BUFFER_INIT;

        encode(&in, lists[i], TEXT, sizeof TEXT - 1);
        assert_decodes(lists[i], &in, TEXT, sizeof TEXT - 1);
        ga__buffer_free(&in);
    }
}

static void deflate_may_be_raw(void **state)
{
    static const char stored[] = "\x01\x05\x00\xfa\xffhello"; /* RFC 1951, 3.2.4 */
    ga__buffer in = GA__BUFFER_INIT;

    (void)state;
    raw_deflate(&in, TEXT, sizeof TEXT - 1);
    assert_decodes("deflate", &in, TEXT, sizeof TEXT - 1);
    ga__buffer_clear(&in);
    ga__buffer_append(&in, stored, sizeof stored - 1);
    assert_decodes("deflate", &in, "hello", 5);
    ga__buffer_free(&in);
}

static void gzip_members_and_zstd_frames_may_follow_each_other(void **state)
{
    static const char skippable[] = "\x53\x2a\x4d\x18\x03\x00\x00\x00xyz";
    ga__buffer in = GA__BUFFER_INIT;

    (void)state;
    encode(&in, "gzip", "one, ", 5);
    encode(&in, "gzip", "", 0);
    encode(&in, "gzip", "two", 3);
    assert_decodes("gzip", &in, "one, two", 8);
    ga__buffer_clear(&in);
    encode(&in, "zstd", "one, ", 5);
    ga__buffer_append(&in, skippable, sizeof skippable - 1);
    encode(&in, "zstd", "", 0);
    encode(&in, "zstd", "two", 3);
    assert_decodes("zstd", &in, "one, two", 8);
    ga__buffer_free(&in);
}

/* A reader of events must not wait for the next one to see the whole of this one. */
static void what_was_flushed_comes_without_further_input(void **state)
{
    static const char event[] = "data: an event of 28 bytes\n\n";
    ga__codings codings = codings_of("br");
    ga__buffer in = GA__BUFFER_INIT;

    (void)state;
    flushed_brotli(&in, event);
    for (size_t room = 1; room <= sizeof event; room++) {
        feed how = {.room = room};
        ga__buffer out = GA__BUFFER_INIT;
        ga__decoder_io io = {in.data, in.size, NULL, 0};
        ga__decoder decoder;

        assert_int_equal(ga__decoder_begin(&decoder, &codings, 0, NULL), 0);
        assert_int_equal(decode_piece(&decoder, &how, &io, false, &out), 0);
        if (out.size != sizeof event - 1 || memcmp(out.data, event, out.size) != 0)
            fail_msg("%zu bytes at a time: %zu came", room, out.size);
        assert_int_equal(ga__decoder_finish(&decoder), GA_EDECODE); /* the stream goes on */
        ga__decoder_end(&decoder);
        ga__buffer_free(&out);
    }
    ga__buffer_free(&in);
}

/* RFC 1952, 2.3: the optional parts of a member's head, with the head's own checksum. */
static void gzip_heads_may_have_names_and_comments(void **state)
{
    unsigned char head[] = {0x1f, 0x8b, 8,   0x1e, 0,   0,   0,   0,   0, 3,   4, 0,
                            'e',  'x',  't', 'r',  'n', 'a', 'm', 'e', 0, 'c', 0};
    ga__buffer member = GA__BUFFER_INIT, in = GA__BUFFER_INIT;
    uLong check = crc32(0, head, sizeof head);
    unsigned char sum[] = {(unsigned char)check, (unsigned char)(check >> 8)};

    (void)state;
    encode(&member, "gzip", TEXT, sizeof TEXT - 1);
    ga__buffer_append(&in, head, sizeof head);
    ga__buffer_append(&in, sum, sizeof sum);
    ga__buffer_append(&in, member.data + 10, member.size - 10);
    assert_decodes("gzip", &in, TEXT, sizeof TEXT - 1);
    in.data[sizeof head] ^= 1;
    assert_string_equal(assert_broken("gzip", in.data, in.size), "header crc mismatch");
    ga__buffer_free(&in);
    ga__buffer_free(&member);
}

/* --- what is wrong -------------------------------------------------------------------------------- */

static void truncated_at_any_place_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALL; i++) {
        ga__buffer in = GA__BUFFER_INIT;

        encode(&in, all[i], TEXT, sizeof TEXT - 1);
        for (size_t size = 1; size < in.size; size++)
            assert_broken(all[i], in.data, size);
        ga__buffer_free(&in);
    }
}

static void what_follows_the_end_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALL; i++) {
        ga__buffer in = GA__BUFFER_INIT;

        encode(&in, all[i], TEXT, sizeof TEXT - 1);
        ga__buffer_add(&in, "<!-- cached -->");
        assert_broken(all[i], in.data, in.size);
        ga__buffer_free(&in);
    }
    ga__buffer twice = GA__BUFFER_INIT; /* these two have no members */

    encode(&twice, "br", "x", 1);
    encode(&twice, "br", "x", 1);
    assert_string_equal(assert_broken("br", twice.data, twice.size), "something follows its end");
    ga__buffer_free(&twice);
    encode(&twice, "deflate", "x", 1);
    encode(&twice, "deflate", "x", 1);
    assert_string_equal(assert_broken("deflate", twice.data, twice.size), "something follows its end");
    ga__buffer_free(&twice);
}

static void what_is_not_in_the_coding_is_an_error(void **state)
{
    static const char html[] = "<html>no coding at all";
    static const char legacy[] = "\x25\xb5\x2f\xfd\x04\x00\x00\x00"; /* zstd 0.5 */

    (void)state;
    for (size_t i = 0; i < ALL; i++)
        assert_broken(all[i], html, sizeof html - 1);
    assert_string_equal(assert_broken("zstd", legacy, sizeof legacy - 1),
                        "a frame does not begin as RFC 8878 has it");
}

static void checksums_and_lengths_are_verified(void **state)
{
    ga__buffer in = GA__BUFFER_INIT;

    (void)state;
    encode(&in, "gzip", TEXT, sizeof TEXT - 1);
    in.data[in.size - 8] ^= 1;
    assert_string_equal(assert_broken("gzip", in.data, in.size), "incorrect data check");
    in.data[in.size - 8] ^= 1;
    in.data[in.size - 4] ^= 1;
    assert_string_equal(assert_broken("gzip", in.data, in.size), "incorrect length check");
    ga__buffer_clear(&in);
    encode(&in, "deflate", TEXT, sizeof TEXT - 1);
    in.data[in.size - 1] ^= 1;
    assert_string_equal(assert_broken("deflate", in.data, in.size), "incorrect data check");
    ga__buffer_free(&in);
}

static void what_was_made_before_the_fault_counts(void **state)
{
    ga__codings codings = codings_of("gzip");
    ga__buffer in = GA__BUFFER_INIT, out = GA__BUFFER_INIT;
    feed how = {0};

    (void)state;
    encode(&in, "gzip", TEXT, sizeof TEXT - 1);
    ga__buffer_add(&in, "garbage");
    assert_int_equal(decode(&codings, in.data, in.size, &how, &out), GA_EDECODE);
    assert_int_equal(out.size, sizeof TEXT - 1);
    ga__buffer_free(&in);
    ga__buffer_free(&out);
}

static void more_than_five_codings_are_refused(void **state)
{
    assert_string_equal(assert_broken("gzip,gzip,gzip,gzip,gzip,gzip", "", 0),
                        "more than five codings are stacked");
    (void)state;
}

/* --- what is too much ----------------------------------------------------------------------------- */

enum { ZEROS = 10 << 20 };

/* Decodes with a limit on the ratio; what comes out is counted and thrown away. */
static int explode(const char *list, const ga__buffer *in, uint64_t max_ratio, uint64_t *made,
                   const char **problem)
{
    ga__codings codings = codings_of(list);
    static char out[64 << 10];
    ga__decoder decoder;
    ga__decoder_io io = {in->data, in->size, out, sizeof out};
    int code = ga__decoder_begin(&decoder, &codings, max_ratio, NULL);

    *made = 0;
    for (bool more = true; code == 0 && more;) {
        io.out = out;
        io.out_size = sizeof out;
        code = ga__decoder_run(&decoder, &io, true);
        more = io.out_size < sizeof out;
        *made += sizeof out - io.out_size;
    }
    if (code == 0)
        code = ga__decoder_finish(&decoder);
    *problem = decoder.problem;
    ga__decoder_end(&decoder);
    return code;
}

static void what_expands_beyond_the_ratio_is_stopped_early(void **state)
{
    static const char *const lists[] = {"gzip", "deflate", "br", "zstd", "gzip, gzip", "br, zstd, gzip"};
    char *zeros = test_calloc(1, ZEROS);

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        ga__buffer in = GA__BUFFER_INIT;
        const char *problem;
        uint64_t made;

        encode(&in, lists[i], zeros, ZEROS);
        assert_int_equal(explode(lists[i], &in, 500, &made, &problem), GA_EDECODE);
        assert_non_null(strstr(problem, "max_ratio"));
        assert_in_range(made, GA__DECODER_ANY_RATIO, 8 << 20);
        assert_int_equal(explode(lists[i], &in, 0, &made, &problem), 0);
        assert_int_equal(made, ZEROS);
        assert_int_equal(explode(lists[i], &in, 10 << 20, &made, &problem), 0);
        ga__buffer_free(&in);
    }
    test_free(zeros);
}

/* A stage in the middle may be the one that goes off: here it makes gzip members without content. */
static void a_bomb_without_content_is_stopped_too(void **state)
{
    enum { MEMBERS = 200000 };
    ga__buffer member = GA__BUFFER_INIT, flood = GA__BUFFER_INIT, in = GA__BUFFER_INIT;
    const char *problem;
    uint64_t made;

    (void)state;
    encode(&member, "gzip", "", 0);
    for (int i = 0; i < MEMBERS; i++)
        ga__buffer_append(&flood, member.data, member.size);
    encode(&in, "br", flood.data, flood.size);
    assert_int_equal(explode("gzip, br", &in, 500, &made, &problem), GA_EDECODE);
    assert_non_null(strstr(problem, "max_ratio"));
    assert_int_equal(made, 0);
    ga__buffer_free(&in);
    ga__buffer_free(&flood);
    ga__buffer_free(&member);
}

static double time_of_flood(const char *coding, size_t members)
{
    ga__buffer member = GA__BUFFER_INIT, in = GA__BUFFER_INIT;
    const char *problem;
    uint64_t made;

    encode(&member, coding, "", 0);
    for (size_t i = 0; i < members; i++)
        ga__buffer_append(&in, member.data, member.size);
    double begin = check_now();

    assert_int_equal(explode(coding, &in, 500, &made, &problem), 0);
    assert_int_equal(made, 0);
    ga__buffer_free(&in);
    ga__buffer_free(&member);
    return check_now() - begin;
}

/* A quadratic one takes 400 times as long, a linear one 20 times. */
static void a_flood_of_empty_members_takes_time_in_proportion(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALL; i += 3) { /* gzip and zstd */
        double few = time_of_flood(all[i], 5000), many = time_of_flood(all[i], 100000);

        assert_true(many < 100 * few + 0.2);
    }
}

static void honest_content_is_below_the_ratio(void **state)
{
    ga__buffer json = GA__BUFFER_INIT;

    (void)state;
    for (int i = 0; i < 40000; i++)
        ga__buffer_printf(
            &json, "{\"id\":%d,\"name\":null,\"tags\":[],\"active\":true,\"score\":0,\"owner\":null},\n", i);
    for (size_t i = 0; i < ALL; i++) {
        ga__buffer in = GA__BUFFER_INIT;
        const char *problem;
        uint64_t made;

        encode(&in, all[i], json.data, json.size);
        assert_int_equal(explode(all[i], &in, 500, &made, &problem), 0);
        assert_int_equal(made, json.size);
        ga__buffer_free(&in);
    }
    ga__buffer_free(&json);
}

/* RFC 9659: 8 MiB is what a client must have, and the most that it need have. */
static void a_zstd_window_above_8_mib_is_refused(void **state)
{
    enum { SIZE = 9 << 20 };
    char *noise = test_malloc(SIZE), *out = test_malloc(ZSTD_compressBound(SIZE));
    uint64_t seed = 1;

    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        noise[i] = (char)((seed = seed * 6364136223846793005u + 1442695040888963407u) >> 56);
    for (int log = 23; log <= 24; log++) {
        ZSTD_CCtx *context = ZSTD_createCCtx();
        ZSTD_inBuffer from = {noise, SIZE, 0};
        ZSTD_outBuffer to = {out, ZSTD_compressBound(SIZE), 0};
        ga__buffer in = GA__BUFFER_INIT;
        const char *problem;
        uint64_t made;

        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, log);
        ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
        from.size = 1 << 20; /* in two steps, so that the size is not known when the head is written */
        assert_false(ZSTD_isError(ZSTD_compressStream2(context, &to, &from, ZSTD_e_continue)));
        from.size = SIZE;
        assert_int_equal(ZSTD_compressStream2(context, &to, &from, ZSTD_e_end), 0);
        ZSTD_freeCCtx(context);
        ga__buffer_append(&in, out, to.pos);
        assert_int_equal(explode("zstd", &in, 500, &made, &problem), log == 23 ? 0 : GA_EDECODE);
        assert_int_equal(made, log == 23 ? SIZE : 0);
        ga__buffer_free(&in);
    }
    test_free(noise);
    test_free(out);
}

static void the_first_guess_believes_only_what_is_likely(void **state)
{
    ga__codings gzip = codings_of("gzip"), br = codings_of("br");
    char in[1000] = {0};

    (void)state;
    memcpy(in + 996, "\x10\x27\x00\x00", 4);
    assert_int_equal(ga__decoder_guess(&gzip, in, sizeof in), 10001);
    memcpy(in + 996, "\xff\xff\xff\xff", 4);
    assert_int_equal(ga__decoder_guess(&gzip, in, sizeof in), 4000);
    assert_int_equal(ga__decoder_guess(&br, in, sizeof in), 4000);
    assert_int_equal(ga__decoder_guess(&gzip, in, 3), 1024);
    assert_int_equal(ga__decoder_guess(&br, in, SIZE_MAX), 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_of_codings_is_read_in_its_order),
        cmocka_unit_test(each_coding_decodes_however_it_is_cut),
        cmocka_unit_test(empty_content_decodes_and_so_does_no_input_at_all),
        cmocka_unit_test(stacked_codings_are_undone_from_the_last_to_the_first),
        cmocka_unit_test(deflate_may_be_raw),
        cmocka_unit_test(gzip_members_and_zstd_frames_may_follow_each_other),
        cmocka_unit_test(what_was_flushed_comes_without_further_input),
        cmocka_unit_test(gzip_heads_may_have_names_and_comments),
        cmocka_unit_test(truncated_at_any_place_is_an_error),
        cmocka_unit_test(what_follows_the_end_is_an_error),
        cmocka_unit_test(what_is_not_in_the_coding_is_an_error),
        cmocka_unit_test(checksums_and_lengths_are_verified),
        cmocka_unit_test(what_was_made_before_the_fault_counts),
        cmocka_unit_test(more_than_five_codings_are_refused),
        cmocka_unit_test(what_expands_beyond_the_ratio_is_stopped_early),
        cmocka_unit_test(a_bomb_without_content_is_stopped_too),
        cmocka_unit_test(a_flood_of_empty_members_takes_time_in_proportion),
        cmocka_unit_test(honest_content_is_below_the_ratio),
        cmocka_unit_test(a_zstd_window_above_8_mib_is_refused),
        cmocka_unit_test(the_first_guess_believes_only_what_is_likely),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
