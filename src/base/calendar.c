/* SPDX-License-Identifier: MIT */
/*
 * The arithmetic of dates. Called by those who read dates of header fields and of cookies.
 */
#include "base/calendar.h"

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

bool ga__date_exists(const ga__date *date, int seconds)
{
    return date->year >= 1 && date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= days_of_month(date->year, date->month) && date->hour >= 0 && date->hour <= 23 &&
           date->minute >= 0 && date->minute <= 59 && date->second >= 0 && date->second < seconds;
}

/* Days from the beginning of year 1 to that of this year. */
static int64_t days_before(int year)
{
    int64_t whole = year - 1;

    return whole * 365 + whole / 4 - whole / 100 + whole / 400;
}

int64_t ga__date_seconds(const ga__date *date)
{
    int64_t days = days_before(date->year) - days_before(1970) + date->day - 1;

    for (int month = 1; month < date->month; month++)
        days += days_of_month(date->year, month);
    return ((days * 24 + date->hour) * 60 + date->minute) * 60 + date->second;
}
