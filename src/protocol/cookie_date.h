/* SPDX-License-Identifier: MIT */
/*
 * The date of a cookie's Expires attribute, read as leniently as RFC 6265bis, 5.1.1 has it: any order of its
 * parts, any delimiters. The three forms of an HTTP date (RFC 9110, 5.6.7) are among what it reads.
 */
#ifndef GA__COOKIE_DATE_H
#define GA__COOKIE_DATE_H

#include "base/slice.h"

/* @return whether it is a date; *seconds since 1970 then, negative for one before, else as it was */
bool ga__cookie_date(ga__slice text, int64_t *seconds);

#endif
