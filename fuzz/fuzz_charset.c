/* SPDX-License-Identifier: MIT */
/*
 * A Content-Type, a line feed, and a body: whatever they are, the text is valid UTF-8, and what is said to be
 * UTF-8 already comes out as it went in.
 */
#include "base/utf8.h"
#include "fuzz.h"
#include "protocol/charset.h"
#include "protocol/media_type.h"

static void check_media_type(ga__slice content_type)
{
    ga__media_type media;
    char value[16];
    bool parsed = ga__media_type_parse(&media, content_type.data, content_type.size);

    REQUIRE(parsed == (media.type.size > 0) && parsed == (media.subtype.size > 0));
    ga__media_type_parameter(&media, "charset", value, sizeof value);
    REQUIRE(memchr(value, '\0', sizeof value));
    REQUIRE(parsed || !ga__media_type_is_json(&media));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *line_feed = size ? memchr(text, '\n', size) : NULL;
    ga__slice content_type = {text, line_feed ? (size_t)(line_feed - text) : 0};
    const char *body = line_feed ? line_feed + 1 : text;
    size_t body_size = size - (size_t)(body - text);
    ga__buffer out = GA__BUFFER_INIT;

    check_media_type(content_type);
    ga__charset_decode(&out, content_type, GA__CHARSET_UTF8, body, body_size);
    REQUIRE(!out.failed);
    REQUIRE(out.size == 0 || ga__utf8_valid(out.data, out.size));
    if (ga__charset_is_utf8(content_type, GA__CHARSET_UTF8, body, body_size))
        REQUIRE(out.size == body_size && (body_size == 0 || memcmp(out.data, body, body_size) == 0));
    ga__buffer_free(&out);
    return 0;
}
