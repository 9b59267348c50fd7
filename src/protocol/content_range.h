/* SPDX-License-Identifier: MIT */
/*
 * Content-Range (RFC 9110, 14.4): which bytes of the whole an answer has.
 */
#ifndef GA__CONTENT_RANGE_H
#define GA__CONTENT_RANGE_H

#include "base/slice.h"

typedef struct ga__content_range {
    uint64_t first, last; /* of the bytes that are there, both included */
    uint64_t complete; /* bytes of the whole; 0: not told, since a whole that has a part has at least one */
} ga__content_range;

/* "bytes 5-9/10", or an asterisk instead of the 10. Blanks around the value are ignored, and the unit's case.
 * @return whether it is one, of bytes that are there: first <= last < complete; *range then, else as it was.
 *         False for what a 416 says of a range that is not there, too */
bool ga__content_range_parse(ga__content_range *range, ga__slice text);

#endif
