/* SPDX-License-Identifier: MIT */
/*
 * The values of Retry-After and of ...RateLimit-Reset, and how an answer's fields come together. The sets of
 * RateLimit fields are in protocol/rate_limit.c. Called by client/attempts.c and client/resume.c.
 */
#include "protocol/retry_after.h"

#include "base/ascii.h"
#include "base/number.h"
#include "protocol/http_date.h"
#include "protocol/rate_limit.h"
#include "protocol/token.h"

/* Between 0 and the longest wait. */
static double within(double seconds)
{
    return seconds < 0 ? 0 : seconds < GA__RETRY_AFTER_MOST ? seconds : GA__RETRY_AFTER_MOST;
}

/* Digits, and a fraction where there is one: no sign, no exponent. */
static bool is_plain_number(ga__slice text, double *number)
{
    size_t points = 0;

    for (size_t i = 0; i < text.size; i++) {
        points += text.data[i] == '.';
        if (!ga__ascii_is_digit(text.data[i]) && text.data[i] != '.')
            return false;
    }
    return points <= 1 && ga__parse_double(text.data, text.size, number);
}

double ga__retry_after(ga__slice value, double now)
{
    ga__slice text = ga__trim_blanks(value);
    size_t digits = 0;
    double date;

    while (digits < text.size && ga__ascii_is_digit(text.data[digits]))
        digits++;
    if (digits > 0 && digits == text.size) {
        uint64_t seconds;

        return ga__parse_decimal(text.data, digits, &seconds) ? within((double)seconds)
                                                              : GA__RETRY_AFTER_MOST;
    }
    return ga__http_date(text, now, &date) ? within(date - now) : -1;
}

double ga__retry_after_ms(ga__slice value)
{
    double milliseconds;

    return is_plain_number(ga__trim_blanks(value), &milliseconds) ? within(milliseconds / 1000) : -1;
}

/* A number of ...-Reset. Nobody waits for 30 years: what is as large is a time since 1970. */
static double number_to_wait(double number, double now)
{
    enum { SMALLEST_TIME = 1000000000 };

    if (number < SMALLEST_TIME)
        return within(number);
    if (number < SMALLEST_TIME * 100.0)
        return within(number - now);
    return number < SMALLEST_TIME * 100000.0 ? within(number / 1000 - now) : -1;
}

/* The unit at the text's beginning, in seconds; its letters are taken off. */
static double take_unit(ga__slice *text)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"ms", 1e-3}, {"us", 1e-6}, {"\xc2\xb5s", 1e-6}, {"ns", 1e-9}, {"h", 3600},
                 {"m", 60},    {"s", 1}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t size = strlen(units[i].name);

        if (text->size >= size && memcmp(text->data, units[i].name, size) == 0) {
            ga__slice_take(text, size);
            return units[i].seconds;
        }
    }
    return -1;
}

/* "1h2m3.5s". */
static double duration(ga__slice text)
{
    double sum = 0;

    if (text.size == 0)
        return -1;
    while (text.size > 0) {
        size_t size = 0;
        double number;

        while (size < text.size && (ga__ascii_is_digit(text.data[size]) || text.data[size] == '.'))
            size++;
        if (!is_plain_number(ga__slice_take(&text, size), &number))
            return -1;
        double unit = take_unit(&text);

        if (unit < 0)
            return -1;
        sum += number * unit;
    }
    return within(sum);
}

double ga__ratelimit_reset(ga__slice value, double now)
{
    ga__slice text = ga__trim_blanks(value);
    double number;

    if (is_plain_number(text, &number))
        return number_to_wait(number, now);
    if (ga__http_date(text, now, &number) || ga__rfc3339_date(text, &number))
        return within(number - now);
    return duration(text);
}

/* --- an answer's fields --------------------------------------------------------------------------- */

/* What the server's clock shows; `now` where it does not say. */
static double time_of(const ga__headers *headers, double now)
{
    const ga__field *field = ga__headers_next(headers, GA__FIELD_DATE, NULL);
    double date;

    if (field && ga__http_date((ga__slice){ga__field_value(headers, field), field->value_size}, now, &date))
        return date;
    return now;
}

static double longer(double a, double b)
{
    return a > b ? a : b;
}

/* The longest wait that a Retry-After asks for. */
static double find_retry_after(const ga__headers *headers, double now)
{
    double wait = -1;

    for (const ga__field *field = NULL; (field = ga__headers_next(headers, GA__FIELD_RETRY_AFTER, field));)
        wait = longer(wait,
                      ga__retry_after((ga__slice){ga__field_value(headers, field), field->value_size}, now));
    for (const ga__field *field = NULL; (field = ga__headers_find(headers, "retry-after-ms", field));)
        wait =
            longer(wait, ga__retry_after_ms((ga__slice){ga__field_value(headers, field), field->value_size}));
    return wait;
}

static ga__advice read_at(const ga__headers *headers, double now)
{
    ga__rate_window window = ga__rate_limit_find(headers, now);

    return (ga__advice){
        .retry_after = find_retry_after(headers, now),
        .limit = window.limit,
        .remaining = window.remaining,
        .reset = window.reset,
    };
}

/* Most answers advise nothing, and their date need not be known then. */
void ga__advice_read(ga__advice *advice, const ga__headers *headers, double now)
{
    *advice = read_at(headers, now);
    if (advice->retry_after >= 0 || advice->reset >= 0)
        *advice = read_at(headers, time_of(headers, now));
}
