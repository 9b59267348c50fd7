/* SPDX-License-Identifier: MIT */
/*
 * The names of content codings, and the list in Content-Encoding. Called for responses (client/response.c)
 * and for the bodies that requests compress.
 */
#include "protocol/coding.h"

#include "base/ascii.h"
#include "protocol/token.h"

static const char *const names[GA__CODING_COUNT] = {
    [GA__CODING_GZIP] = "gzip",
    [GA__CODING_DEFLATE] = "deflate",
    [GA__CODING_BROTLI] = "br",
    [GA__CODING_ZSTD] = "zstd",
};

const char *ga__coding_name(ga__coding coding)
{
    return names[coding];
}

bool ga__coding_find(ga__slice name, ga__coding *coding)
{
    if (ga__ascii_is(name, "x-gzip")) /* RFC 9110, 8.4.1.3 */
        name = GA__SLICE("gzip");
    for (unsigned i = 0; i < GA__CODING_COUNT; i++) {
        if (ga__ascii_is(name, names[i])) {
            *coding = (ga__coding)i;
            return true;
        }
    }
    return false;
}

/* Adds the codings of one field. False where one is not known. */
static bool read_field(ga__codings *codings, const char *value, size_t value_size)
{
    ga__slice name;
    ga__coding coding;

    for (size_t at = 0; ga__list_next(value, value_size, &at, &name.data, &name.size);) {
        if (name.size == 0 || ga__ascii_is(name, "identity"))
            continue;
        if (!ga__coding_find(name, &coding))
            return false;
        if (codings->count == GA__CODINGS_MOST)
            codings->too_many = true;
        else
            codings->coding[codings->count++] = (uint8_t)coding;
    }
    return true;
}

void ga__codings_read(ga__codings *codings, const ga__headers *headers)
{
    const ga__field *field = NULL;

    *codings = (ga__codings){0};
    while ((field = ga__headers_next(headers, GA__FIELD_CONTENT_ENCODING, field)))
        if (!read_field(codings, ga__field_value(headers, field), field->value_size)) {
            *codings = (ga__codings){0};
            return;
        }
}
