/* SPDX-License-Identifier: MIT */
/*
 * Dates as HTTP writes them, and those of RFC 3339, read strictly: the whole text is the date, or there is
 * none.
 */
#ifndef GA__HTTP_DATE_H
#define GA__HTTP_DATE_H

#include "base/slice.h"

/* One of the three forms of RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37
 * GMT", "Sun Nov  6 08:49:37 1994". The weekday must be one, and need not be right. A year of two digits is
 * the one that is less than 50 years ahead of `now`, in seconds since 1970.
 * @return whether it is a date; *seconds since 1970 then, else as it was */
bool ga__http_date(ga__slice text, double now, double *seconds);

/* RFC 3339: "2026-11-22T11:04:42Z", with a fraction or an offset where there is one. @return as above */
bool ga__rfc3339_date(ga__slice text, double *seconds);

#endif
