/* SPDX-License-Identifier: MIT */
/*
 * Dates of cookies. The text is cut into tokens at its delimiters; the first token that looks like a time is
 * the time, the first that looks like a day the day, and so on. What is out of range, or no day of the
 * calendar, is no date. Called for each Expires attribute.
 */
#include "protocol/cookie_date.h"

#include "base/ascii.h"

typedef struct date {
    bool has_time, has_day, has_month, has_year;
    int hour, minute, second, day, month, year;
} date;

static bool is_delimiter(char c)
{
    return c == '\t' || (c >= ' ' && c <= '/') || (c >= ';' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
}

/* Takes `least` to `most` digits off the token; what stands behind them is no digit. */
static bool take_number(ga__slice *token, size_t least, size_t most, int *number)
{
    size_t count = 0;
    int value = 0;

    while (count < token->size && ga__ascii_is_digit(token->data[count])) {
        if (count == most)
            return false;
        value = value * 10 + (token->data[count++] - '0');
    }
    if (count < least)
        return false;
    ga__slice_take(token, count);
    *number = value;
    return true;
}

static bool take_colon(ga__slice *token)
{
    if (token->size == 0 || token->data[0] != ':')
        return false;
    ga__slice_take(token, 1);
    return true;
}

static bool is_time(ga__slice token, date *found)
{
    return take_number(&token, 1, 2, &found->hour) && take_colon(&token) &&
           take_number(&token, 1, 2, &found->minute) && take_colon(&token) &&
           take_number(&token, 1, 2, &found->second);
}

/* A token is a month by its first three letters. */
static bool is_month(ga__slice token, int *month)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    for (int i = 0; i < 12 && token.size >= 3; i++) {
        if (ga__ascii_equal((ga__slice){token.data, 3}, (ga__slice){names + i * 3, 3})) {
            *month = i + 1;
            return true;
        }
    }
    return false;
}

static bool is_number(ga__slice token, size_t least, size_t most, int *number)
{
    return take_number(&token, least, most, number);
}

static void read_token(date *found, ga__slice token)
{
    if (!found->has_time && is_time(token, found))
        found->has_time = true;
    else if (!found->has_day && is_number(token, 1, 2, &found->day))
        found->has_day = true;
    else if (!found->has_month && is_month(token, &found->month))
        found->has_month = true;
    else if (!found->has_year && is_number(token, 2, 4, &found->year))
        found->has_year = true;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from the beginning of year 1 to that of this year. */
static int64_t days_before(int year)
{
    int64_t whole = year - 1;

    return whole * 365 + whole / 4 - whole / 100 + whole / 400;
}

static int64_t seconds_of(const date *found)
{
    int64_t days = days_before(found->year) - days_before(1970) + found->day - 1;

    for (int month = 1; month < found->month; month++)
        days += days_of_month(found->year, month);
    return ((days * 24 + found->hour) * 60 + found->minute) * 60 + found->second;
}

bool ga__cookie_date(ga__slice text, int64_t *seconds)
{
    date found = {0};

    while (text.size > 0) {
        size_t end = 0;

        while (end < text.size && !is_delimiter(text.data[end]))
            end++;
        read_token(&found, ga__slice_take(&text, end));
        if (text.size > 0)
            ga__slice_take(&text, 1);
    }
    if (!found.has_time || !found.has_day || !found.has_month || !found.has_year)
        return false;
    if (found.year >= 70 && found.year <= 99)
        found.year += 1900;
    else if (found.year <= 69)
        found.year += 2000;
    if (found.year < 1601 || found.hour > 23 || found.minute > 59 || found.second > 59)
        return false;
    if (found.day < 1 || found.day > days_of_month(found.year, found.month))
        return false;
    *seconds = seconds_of(&found);
    return true;
}
