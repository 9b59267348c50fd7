/* SPDX-License-Identifier: MIT */
/*
 * Content-Type's value. Lenient about what follows the subtype, as servers write anything there: a parameter
 * that cannot be read is passed over. Called for charsets, and to tell JSON from other answers.
 */
#include "protocol/media_type.h"
#include "base/ascii.h"
#include "protocol/token.h"

/* A reading position in a value. */
struct cursor {
    const char *at;
    const char *end;
};

static void skip_blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end && ga__is_blank(*cursor->at))
        cursor->at++;
}

/* Takes token characters (RFC 9110, 5.6.2), perhaps none. */
static ga__slice take_token(struct cursor *cursor)
{
    ga__slice token = {cursor->at, ga__span_token(cursor->at, (size_t)(cursor->end - cursor->at))};

    cursor->at += token.size;
    return token;
}

static bool take_char(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c)
        return false;
    cursor->at++;
    return true;
}

bool ga__media_type_parse(ga__media_type *media, const char *value, size_t size)
{
    struct cursor cursor = {value, value + size};

    skip_blanks(&cursor);
    media->type = take_token(&cursor);
    if (media->type.size && take_char(&cursor, '/')) {
        media->subtype = take_token(&cursor);
        skip_blanks(&cursor);
        media->parameters = (ga__slice){cursor.at, (size_t)(cursor.end - cursor.at)};
        if (media->subtype.size && (media->parameters.size == 0 || *cursor.at == ';'))
            return true;
    }
    *media = (ga__media_type){{"", 0}, {"", 0}, {"", 0}};
    return false;
}

/* Takes a value, a token or a quoted string (RFC 9110, 5.6.4), to `value`, of which `capacity` bytes are
 * kept.
 * @return its whole size; a quoted string that does not end goes to the end of the header */
static size_t take_value(struct cursor *cursor, char *value, size_t capacity)
{
    bool quoted = take_char(cursor, '"');
    size_t size = 0;

    while (cursor->at < cursor->end) {
        char c = *cursor->at;

        if (quoted ? c == '"' : c == ';' || ga__is_blank(c))
            break;
        if (quoted && c == '\\' && cursor->end - cursor->at > 1)
            c = *++cursor->at;
        cursor->at++;
        if (size < capacity)
            value[size] = c;
        size++;
    }
    if (quoted)
        take_char(cursor, '"');
    return size;
}

/* Goes on to the next ";", but not to one within quotes. */
static void skip_parameter(struct cursor *cursor)
{
    while (cursor->at < cursor->end && *cursor->at != ';') {
        if (*cursor->at == '"')
            take_value(cursor, NULL, 0);
        else
            cursor->at++;
    }
}

bool ga__media_type_parameter(const ga__media_type *media, const char *name, char *value, size_t capacity)
{
    struct cursor cursor = {media->parameters.data, media->parameters.data + media->parameters.size};

    value[0] = '\0';
    while (take_char(&cursor, ';')) {
        skip_blanks(&cursor);
        if (ga__ascii_is(take_token(&cursor), name) && take_char(&cursor, '=')) {
            size_t size = take_value(&cursor, value, capacity);
            bool fits = size < capacity;

            value[fits ? size : 0] = '\0';
            return fits;
        }
        skip_parameter(&cursor);
    }
    return false;
}

bool ga__media_type_is(const ga__media_type *media, const char *type, const char *subtype)
{
    return ga__ascii_is(media->type, type) && ga__ascii_is(media->subtype, subtype);
}

bool ga__media_type_is_json(const ga__media_type *media)
{
    ga__slice subtype = media->subtype;
    bool suffixed =
        subtype.size > 5 && ga__ascii_is((ga__slice){subtype.data + subtype.size - 5, 5}, "+json");

    return ga__ascii_is(media->type, "application") && (suffixed || ga__ascii_is(subtype, "json"));
}
