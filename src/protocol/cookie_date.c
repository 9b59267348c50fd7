/* SPDX-License-Identifier: MIT */
/*
 * Dates of cookies. The text is cut into tokens at its delimiters; the first token that looks like a time is
 * the time, the first that looks like a day the day, and so on. What is out of range, or no day of the
 * calendar, is no date. Called for each Expires attribute.
 */
#include "protocol/cookie_date.h"

#include "base/ascii.h"
#include "base/calendar.h"

typedef struct parts {
    bool has_time, has_day, has_month, has_year;
    ga__date date;
} parts;

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

static bool is_time(ga__slice token, parts *found)
{
    return take_number(&token, 1, 2, &found->date.hour) && take_colon(&token) &&
           take_number(&token, 1, 2, &found->date.minute) && take_colon(&token) &&
           take_number(&token, 1, 2, &found->date.second);
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

static void read_token(parts *found, ga__slice token)
{
    if (!found->has_time && is_time(token, found))
        found->has_time = true;
    else if (!found->has_day && is_number(token, 1, 2, &found->date.day))
        found->has_day = true;
    else if (!found->has_month && is_month(token, &found->date.month))
        found->has_month = true;
    else if (!found->has_year && is_number(token, 2, 4, &found->date.year))
        found->has_year = true;
}

bool ga__cookie_date(ga__slice text, int64_t *seconds)
{
    parts found = {.has_time = false};
    ga__date *date = &found.date;

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
    if (date->year >= 70 && date->year <= 99)
        date->year += 1900;
    else if (date->year <= 69)
        date->year += 2000;
    if (date->year < 1601 || !ga__date_exists(date, 60))
        return false;
    *seconds = ga__date_seconds(date);
    return true;
}
