/* SPDX-License-Identifier: MIT */
/* Server-sent events: cut anywhere, the same events come, and never more than the limit is held. */
#include "fuzz.h"

#include "protocol/event_stream.h"
#include <gather/error.h>

enum { LIMIT = 512 };

/* A digest of all events, fed in pieces of that size. */
static uint64_t digest(const char *data, size_t size, size_t piece)
{
    ga__event_stream stream;
    uint64_t sum = 0;

    ga__event_stream_init(&stream, LIMIT);
    for (size_t at = 0; at < size;) {
        size_t length = piece < size - at ? piece : size - at, consumed;
        int code = ga__event_stream_feed(&stream, data + at, length, &consumed);

        if (code < 0) {
            sum = (uint64_t)-code;
            break;
        }
        at += consumed;
        REQUIRE(consumed <= length && (code > 0 || consumed == length));
        REQUIRE(stream.line.size <= LIMIT && stream.data.size <= LIMIT);
        for (size_t i = 0; code > 0 && i < stream.data.size; i++)
            sum = sum * 31 + (unsigned char)stream.data.data[i];
        for (size_t i = 0; code > 0 && i < stream.type.size; i++)
            sum = sum * 37 + (unsigned char)stream.type.data[i];
        sum = code > 0 ? sum * 41 + 1 : sum;
    }
    ga__event_stream_free(&stream);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *data = (const char *)bytes;

    if (size > 0) {
        uint64_t by_bytes = digest(data, size, 1);
        uint64_t by_pieces = digest(data, size, 1 + (size_t)bytes[0] % 16);

        REQUIRE(size >= LIMIT || by_bytes == by_pieces);
    }
    return 0;
}
