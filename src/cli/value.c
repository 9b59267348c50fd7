/* SPDX-License-Identifier: MIT */
/* Reading numbers with units. The whole text is the value, or it is none: no blanks, no signs. */
#include "cli/value.h"

#include "base/ascii.h"
#include "base/number.h"

/* Takes the digits, and a part behind a point, off the text. */
static bool take_number(ga__slice *text, double *number)
{
    size_t size = 0;

    while (size < text->size && (ga__ascii_is_digit(text->data[size]) || text->data[size] == '.'))
        size++;
    ga__slice digits = ga__slice_take(text, size);

    return ga__parse_double(digits.data, digits.size, number);
}

static bool is(ga__slice text, const char *word)
{
    return ga__ascii_is(text, word);
}

/* --- durations ------------------------------------------------------------------------------------ */

static double seconds_of_unit(ga__slice unit)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (ga__slice_equal(unit, ga__slice_of(units[i].name)))
            return units[i].seconds;
    return 0;
}

static ga__slice take_letters(ga__slice *text)
{
    size_t size = 0;

    while (size < text->size && ga__ascii_is_alpha(text->data[size]))
        size++;
    return ga__slice_take(text, size);
}

bool ga__value_duration(ga__slice text, double *seconds)
{
    double sum = 0, number;

    if (!take_number(&text, &number))
        return false;
    if (text.size == 0)
        return *seconds = number, true;
    do {
        ga__slice unit = take_letters(&text);
        double each = seconds_of_unit(unit);

        if (each <= 0)
            return false;
        sum += number * each;
        if (text.size == 0)
            return *seconds = sum, true;
    } while (take_number(&text, &number));
    return false;
}

/* --- sizes ---------------------------------------------------------------------------------------- */

static double bytes_of_unit(ga__slice unit)
{
    static const char letters[] = "KMGT";
    double bytes = 1;

    if (unit.size == 0 || is(unit, "b"))
        return 1;
    for (const char *letter = letters; *letter; letter++) {
        bytes *= 1024;
        if (ga__ascii_upper(unit.data[0]) == *letter &&
            (unit.size == 1 || is((ga__slice){unit.data + 1, unit.size - 1}, "b") ||
             is((ga__slice){unit.data + 1, unit.size - 1}, "ib")))
            return bytes;
    }
    return 0;
}

bool ga__value_size(ga__slice text, int64_t *bytes)
{
    double number, unit;

    if (!take_number(&text, &number) || (unit = bytes_of_unit(text)) <= 0 || number * unit > 9e15)
        return false;
    *bytes = (int64_t)(number * unit);
    return true;
}

/* --- rates, shares, parts ------------------------------------------------------------------------- */

/* "s", "m", or "15s", "1.5m". */
static bool read_period(ga__slice text, double *seconds)
{
    double unit = seconds_of_unit(text);

    if (unit <= 0)
        return ga__value_duration(text, seconds) && *seconds > 0;
    *seconds = unit;
    return true;
}

bool ga__value_rate(ga__slice text, bool bare, ga__rate *rate)
{
    ga__rate read = {0, 1};

    if (is(text, "none"))
        return *rate = (ga__rate){0}, true;
    if (!take_number(&text, &read.count) || read.count <= 0)
        return false;
    if (text.size > 0 ? *text.data != '/' : !bare)
        return false;
    if (text.size > 0) {
        ga__slice_take(&text, 1);
        if (!read_period(text, &read.seconds))
            return false;
    }
    *rate = read;
    return true;
}

bool ga__value_share(ga__slice text, double *number, bool *share)
{
    bool percent = text.size > 0 && text.data[text.size - 1] == '%';
    uint64_t whole;
    double read;

    if (is(text, "none"))
        return *number = 0, *share = false, true;
    if (!percent) {
        if (!ga__parse_decimal(text.data, text.size, &whole) || whole == 0 || whole >= (uint64_t)1 << 53)
            return false;
        return *number = (double)whole, *share = false, true;
    }
    text.size--;
    if (!take_number(&text, &read) || text.size > 0 || read <= 0 || read > 100)
        return false;
    *number = read / 100;
    *share = true;
    return true;
}

bool ga__value_shard(ga__slice text, uint32_t *part, uint32_t *parts)
{
    ga__slice first = ga__slice_take_to(&text, '/');
    uint64_t at, all;

    if (!ga__parse_decimal(first.data, first.size, &at) || !ga__parse_decimal(text.data, text.size, &all))
        return false;
    if (at < 1 || at > all || all > UINT32_MAX)
        return false;
    *part = (uint32_t)at;
    *parts = (uint32_t)all;
    return true;
}

bool ga__value_switch(ga__slice text, bool *on)
{
    if (is(text, "true") || is(text, "yes") || is(text, "on") || is(text, "1"))
        return *on = true;
    *on = false;
    return is(text, "false") || is(text, "no") || is(text, "off") || is(text, "0");
}

int ga__value_choice(ga__slice text, const char *choices)
{
    ga__slice rest = ga__slice_of(choices);

    for (int i = 0; rest.size > 0; i++)
        if (ga__slice_equal(ga__slice_take_to(&rest, '|'), text))
            return i;
    return -1;
}
