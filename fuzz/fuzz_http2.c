/* SPDX-License-Identifier: MIT */
/*
 * What a server sends over HTTP/2, in pieces, to a client with requests under way: nothing crashes, limits
 * hold, and a stream's states agree with each other. The first byte says how the rest is cut, and whether the
 * frames are given as they are or begin behind a proper SETTINGS frame.
 */
#include "fuzz.h"

#include "protocol/http2.h"
#include <gather/error.h>
#include <stdbool.h>
#include <string.h>

enum { STREAMS = 4, MAX_HEAD = 2048, MAX_FIELDS = 20, WINDOW = 65535 };

static const ga__http2_limits limits = {.max_head = MAX_HEAD,
                                        .max_field = MAX_HEAD,
                                        .max_fields = MAX_FIELDS,
                                        .max_interim = 32,
                                        .window = WINDOW};

static void produce(ga__http2 *http2)
{
    static char bytes[64 << 10];

    while (ga__http2_produce(http2, bytes, sizeof bytes) > 0)
        ;
}

static void check(const ga__http2_stream *stream)
{
    REQUIRE(!stream->ended || stream->head_done);
    REQUIRE(!stream->head_done || (stream->status >= 100 && stream->status <= 999));
    REQUIRE(stream->head.size <= MAX_HEAD && stream->fields <= MAX_FIELDS + 1);
    REQUIRE(ga__http2_unread(stream) <= WINDOW);
    REQUIRE(!stream->refused || stream->failed == GA_ERESET);
    REQUIRE(stream->failed == 0 || stream->failed == GA_ERESET || stream->problem);
}

static void look(ga__http2_stream *stream, bool read)
{
    char bytes[1000];
    ga__headers_table table;

    check(stream);
    ga__headers_table_init(&table);
    if (stream->head_done) {
        REQUIRE(ga__http2_fields(stream, &table) == 0);
        REQUIRE(table.headers.count <= MAX_FIELDS);
    }
    ga__headers_table_free(&table);
    if (read)
        ga__http2_read(stream, bytes, sizeof bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char settings[] = "\0\0\0\4\0\0\0\0\0";
    static const char head[] = "POST /a HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n";
    ga__http2_stream streams[STREAMS];
    ga__http2 *http2 = size > 0 ? ga__http2_new(&limits) : NULL;

    if (!http2)
        return 0;
    uint8_t plan = *data++;
    size_t step = (plan & 15) == 0 ? size : (plan & 15);

    size--;
    for (int i = 0; i < STREAMS; i++) {
        REQUIRE(ga__http2_submit(http2, &streams[i], (ga__slice){head, sizeof head - 1}, true, i == 1) == 0);
        if (i == 1)
            ga__http2_write(&streams[i], head, sizeof head, (plan & 32) != 0);
    }
    if (plan & 64)
        produce(http2);
    if (plan & 16)
        ga__http2_receive(http2, settings, sizeof settings - 1);
    for (size_t at = 0; at < size; at += step) {
        size_t piece = step < size - at ? step : size - at;

        ga__http2_receive(http2, (const char *)data + at, piece);
        for (ga__http2_stream *stream; (stream = ga__http2_next_changed(http2));)
            look(stream, plan & 128);
        produce(http2);
    }
    for (int i = 0; i < STREAMS; i++) {
        check(&streams[i]);
        ga__http2_leave(&streams[i], i == 2);
    }
    produce(http2);
    ga__http2_free(http2);
    return 0;
}
