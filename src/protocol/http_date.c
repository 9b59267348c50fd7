/* SPDX-License-Identifier: MIT */
/*
 * Dates. A form is a pattern that the text is matched with, piece by piece; what it says must be a day of the
 * calendar. Called by those who read header fields that hold a date.
 */
#include "protocol/http_date.h"

#include "base/ascii.h"
#include "base/calendar.h"
#include "base/number.h"

enum { WITH_LEAP_SECOND = 61 };

/* Takes exactly `count` digits. */
static bool take_digits(ga__slice *text, size_t count, int *number)
{
    uint64_t value;

    if (text->size < count || !ga__parse_decimal(text->data, count, &value))
        return false;
    ga__slice_take(text, count);
    *number = (int)value;
    return true;
}

/* Takes one of the names; *index says which. Upper and lower case count, as RFC 9110 says. */
static bool take_name(ga__slice *text, const char *const *names, int count, int *index)
{
    for (*index = 0; *index < count; ++*index) {
        size_t size = strlen(names[*index]);

        if (text->size >= size && memcmp(text->data, names[*index], size) == 0) {
            ga__slice_take(text, size);
            return true;
        }
    }
    return false;
}

/* One piece of a pattern: what stands behind its '%'. */
static bool take_piece(ga__slice *text, char piece, ga__date *found)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const long_days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                            "Friday", "Saturday", "Sunday"};
    int any;

    switch (piece) {
    case 'a':
        return take_name(text, days, 7, &any);
    case 'A':
        return take_name(text, long_days, 7, &any);
    case 'b':
        any = take_name(text, months, 12, &found->month);
        found->month++;
        return any;
    case 'e': /* a day of two places, the first of them may be blank */
        if (text->size > 0 && text->data[0] == ' ') {
            ga__slice_take(text, 1);
            return take_digits(text, 1, &found->day);
        }
        return take_digits(text, 2, &found->day);
    case 'd':
        return take_digits(text, 2, &found->day);
    case 'm':
        return take_digits(text, 2, &found->month);
    case 'y':
        return take_digits(text, 2, &found->year);
    case 'Y':
        return take_digits(text, 4, &found->year);
    case 'H':
        return take_digits(text, 2, &found->hour);
    case 'M':
        return take_digits(text, 2, &found->minute);
    default:
        return take_digits(text, 2, &found->second);
    }
}

/* Takes what the pattern says off the text. */
static bool take_pattern(ga__slice *text, const char *pattern, ga__date *found)
{
    for (; *pattern; pattern++) {
        if (*pattern == '%') {
            if (!take_piece(text, *++pattern, found))
                return false;
        } else if (text->size == 0 || ga__slice_take(text, 1).data[0] != *pattern) {
            return false;
        }
    }
    return true;
}

/* RFC 9110, 5.6.7: a date that seems more than 50 years ahead is the one in the past with the same digits. */
static void complete_year(ga__date *found, double now)
{
    const double year_seconds = 365.2425 * 86400;
    int this_year = now > 0 && now < 2000 * year_seconds ? 1970 + (int)(now / year_seconds) : 1970;

    found->year += this_year / 100 * 100;
    if (found->year > this_year + 50)
        found->year -= 100;
    else if (found->year <= this_year - 50)
        found->year += 100;
}

bool ga__http_date(ga__slice text, double now, double *seconds)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y"};

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        ga__slice rest = text;
        ga__date found = {0};

        if (!take_pattern(&rest, forms[i], &found) || rest.size > 0)
            continue;
        if (i == 1)
            complete_year(&found, now);
        if (!ga__date_exists(&found, WITH_LEAP_SECOND))
            return false;
        *seconds = (double)ga__date_seconds(&found);
        return true;
    }
    return false;
}

/* Takes ".123", if it is there. */
static bool take_fraction(ga__slice *text, double *fraction)
{
    size_t size = 1;

    *fraction = 0;
    if (text->size == 0 || text->data[0] != '.')
        return true;
    while (size < text->size && ga__ascii_is_digit(text->data[size]))
        size++;
    return size > 1 && ga__parse_double(text->data, size, fraction) &&
           ga__slice_take(text, size).size == size;
}

/* Takes "Z" or "+01:00". */
static bool take_offset(ga__slice *text, double *seconds)
{
    char sign = text->size > 0 ? ga__slice_take(text, 1).data[0] : '\0';
    ga__date offset = {0};

    *seconds = 0;
    if (sign == 'Z' || sign == 'z')
        return true;
    if ((sign != '+' && sign != '-') || !take_pattern(text, "%H:%M", &offset) || offset.hour > 23 ||
        offset.minute > 59)
        return false;
    *seconds = (sign == '-' ? -60 : 60) * (offset.hour * 60 + offset.minute);
    return true;
}

bool ga__rfc3339_date(ga__slice text, double *seconds)
{
    double fraction, offset;
    ga__date found = {0};

    if (!take_pattern(&text, "%Y-%m-%d", &found) || text.size == 0 ||
        ga__ascii_upper(ga__slice_take(&text, 1).data[0]) != 'T' ||
        !take_pattern(&text, "%H:%M:%S", &found) || !take_fraction(&text, &fraction) ||
        !take_offset(&text, &offset) || text.size > 0 || !ga__date_exists(&found, WITH_LEAP_SECOND))
        return false;
    *seconds = (double)ga__date_seconds(&found) + fraction - offset;
    return true;
}
