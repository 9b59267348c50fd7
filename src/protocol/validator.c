/* SPDX-License-Identifier: MIT */
/*
 * Judging validators. A weak one means that two versions differ in nothing that matters to a reader, but
 * perhaps in bytes: parts of them must not be put together. Called by client/resume.c.
 */
#include "protocol/validator.h"

#include "protocol/http_date.h"
#include "protocol/token.h"

/* How many seconds older than the answer a Last-Modified is that is taken for strong: a second would do for
 * one clock, but behind caches the two are of different ones. */
static const double enough = 60;

/* The value of the one field of that id; size 0 where there is none, or more than one. */
static ga__slice only(const ga__headers *headers, ga__field_id id)
{
    const ga__field *field = ga__headers_next(headers, id, NULL);

    if (!field || ga__headers_next(headers, id, field))
        return (ga__slice){"", 0};
    return ga__trim_blanks((ga__slice){ga__field_value(headers, field), field->value_size});
}

/* DQUOTE *etagc DQUOTE, without "W/" before it (RFC 9110, 8.8.3). */
static bool is_strong_tag(ga__slice tag)
{
    if (tag.size < 2 || tag.data[0] != '"' || tag.data[tag.size - 1] != '"')
        return false;
    for (size_t i = 1; i < tag.size - 1; i++) {
        unsigned char c = (unsigned char)tag.data[i];

        if (c <= ' ' || c == '"' || c == 0x7f)
            return false;
    }
    return true;
}

ga__slice ga__strong_validator(const ga__headers *headers)
{
    static const ga__slice none = {"", 0};
    double made, modified;

    if (ga__headers_has(headers, GA__FIELD_ETAG)) {
        ga__slice tag = only(headers, GA__FIELD_ETAG);

        return is_strong_tag(tag) ? tag : none;
    }
    ga__slice date = only(headers, GA__FIELD_LAST_MODIFIED);

    if (!ga__http_date(only(headers, GA__FIELD_DATE), 0, &made) || !ga__http_date(date, made, &modified))
        return none;
    return made - modified >= enough ? date : none;
}
