/* SPDX-License-Identifier: MIT */
/*
 * A relation, a line feed, and a Link field: the target that is found is a part of the field between angle
 * brackets, and what ends a link cannot change which one was found before it.
 */
#include "base/buffer.h"
#include "fuzz.h"
#include "protocol/link.h"
#include <string.h>

static void check(ga__slice field, const char *relation)
{
    ga__slice target = {0}, again = {0};

    if (!ga__link_header_find(field, relation, &target))
        return;
    const char *end = target.data + target.size;

    REQUIRE(target.data > field.data && end < field.data + field.size);
    REQUIRE(target.data[-1] == '<' && *end == '>' && !memchr(target.data, '>', target.size));

    /* a further link behind it is a later one */
    ga__buffer longer = GA__BUFFER_INIT;

    ga__buffer_append(&longer, field.data, field.size);
    ga__buffer_printf(&longer, ", <later>; rel=\"%s\"", relation);
    REQUIRE(!longer.failed);
    if (ga__link_header_find((ga__slice){longer.data, longer.size}, relation, &again))
        REQUIRE(again.data - longer.data == target.data - field.data && again.size == target.size);
    ga__buffer_free(&longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = size ? memchr(text, '\n', size) : NULL;
    size_t skipped = end ? (size_t)(end + 1 - text) : 0;
    char relation[32] = "next";

    if (end && skipped <= sizeof relation) {
        memcpy(relation, text, skipped - 1);
        relation[skipped - 1] = '\0';
    }
    check((ga__slice){size > skipped ? text + skipped : "", size - skipped}, relation);
    return 0;
}
