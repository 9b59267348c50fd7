/* SPDX-License-Identifier: MIT */
/*
 * The Gregorian calendar, from the year 1 on, as dates in protocols have it: no time zones, and nothing of
 * the locale.
 */
#ifndef GA__CALENDAR_H
#define GA__CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/* A day and its time, as they were written: nothing is said to be in range. */
typedef struct ga__date {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
} ga__date;

/* Whether the calendar has that day, and the day that time; `seconds` is how many a minute may have: 60, or
 * 61 where leap seconds count. */
bool ga__date_exists(const ga__date *date, int seconds);

/* Seconds from 1970 to a date that exists, negative for one before. A leap second is the one after it. */
int64_t ga__date_seconds(const ga__date *date);

#endif
