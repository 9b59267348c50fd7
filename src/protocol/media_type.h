/* SPDX-License-Identifier: MIT */
/*
 * The value of Content-Type, RFC 9110, 8.3.1: type "/" subtype *( ";" name "=" ( token / quoted-string ) ).
 */
#ifndef GA__MEDIA_TYPE_H
#define GA__MEDIA_TYPE_H

#include "base/slice.h"

/* Slices of the header's value, of either case. */
typedef struct ga__media_type {
    ga__slice type;
    ga__slice subtype;
    ga__slice parameters; /* from the first ";" on, or empty */
} ga__media_type;

/* False (and *media all empty) where it does not begin with type "/" subtype. Parameters are read when asked
 * for. */
bool ga__media_type_parse(ga__media_type *media, const char *value, size_t size);

/* The value of the first parameter of that name (of either case), unquoted, with a NUL at its end. Broken
 * parameters are skipped. False (and value is "") where there is none, or it does not fit. */
bool ga__media_type_parameter(const ga__media_type *media, const char *name, char *value, size_t capacity);

/* Whether it is type/subtype, whatever the case: ga__media_type_is(&media, "text", "html"). */
bool ga__media_type_is(const ga__media_type *media, const char *type, const char *subtype);

/* application/json, or application/...+json. */
bool ga__media_type_is_json(const ga__media_type *media);

#endif
