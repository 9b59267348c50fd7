/* SPDX-License-Identifier: MIT */
/*
 * Numbers as a person reads them, for the screen and the reports. What no number of the kind should be,
 * infinite or not a number, is written as a dash.
 */
#include "cli/figures.h"

#include "base/number.h"
#include <math.h>
#include <time.h>

const ga__percentile ga__percentiles[GA__PERCENTILES] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}};

void ga__append_count(ga__buffer *out, uint64_t count)
{
    char digits[GA__DECIMAL_MAX];
    size_t size = (size_t)(ga__put_decimal(digits, count) - digits);

    for (size_t i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            ga__buffer_add_char(out, ',');
        ga__buffer_add_char(out, digits[i]);
    }
}

void ga__put_count(ga__lines *lines, ga__style style, uint64_t count, const char *what)
{
    ga__append_count(&lines->part, count);
    ga__buffer_add(&lines->part, what);
    ga__lines_put(lines, style);
}

void ga__put_some(ga__lines *lines, ga__style style, uint64_t count, const char *what)
{
    if (count > 0)
        ga__put_count(lines, style, count, what);
}

/* With so many digits behind the point, as it stands, whatever the locale. */
static void append_fixed(ga__buffer *out, double number, int digits)
{
    double scale = digits == 2 ? 100 : digits == 1 ? 10 : 1;
    uint64_t scaled = (uint64_t)fmin(round(number * scale), 1e18);

    ga__append_count(out, scaled / (uint64_t)scale);
    if (digits > 0)
        ga__buffer_printf(out, ".%0*llu", digits, (unsigned long long)(scaled % (uint64_t)scale));
}

void ga__append_number(ga__buffer *out, double number)
{
    if (!(number >= 0) || isinf(number))
        ga__buffer_add(out, "-");
    else
        append_fixed(out, number, number < 9.995 ? 2 : number < 99.95 ? 1 : 0);
}

void ga__append_duration(ga__buffer *out, double seconds)
{
    if (!(seconds >= 0) || seconds > 1e12) {
        ga__buffer_add(out, "-");
        return;
    }
    if (seconds < 0.0995 && seconds > 0) {
        ga__append_ms(out, seconds * 1000);
        return;
    }
    if (seconds < 9.995 && seconds != floor(seconds)) {
        append_fixed(out, seconds, 2);
        ga__buffer_add(out, " s");
        return;
    }
    unsigned long long whole = (unsigned long long)round(seconds);

    if (whole < 60)
        ga__buffer_printf(out, "%llu s", whole);
    else if (whole < 3600)
        ga__buffer_printf(out, "%llum %02llus", whole / 60, whole % 60);
    else if (whole < 86400)
        ga__buffer_printf(out, "%lluh %02llum", whole / 3600, whole / 60 % 60);
    else
        ga__buffer_printf(out, "%llud %02lluh", whole / 86400, whole / 3600 % 24);
}

void ga__append_ms(ga__buffer *out, double ms)
{
    if (!(ms >= 0) || isinf(ms)) {
        ga__buffer_add(out, "-");
    } else if (ms < 999.5) {
        ga__append_number(out, ms);
        ga__buffer_add(out, " ms");
    } else if (ms < 59950) {
        ga__append_number(out, ms / 1000);
        ga__buffer_add(out, " s");
    } else {
        ga__append_duration(out, ms / 1000);
    }
}

void ga__append_bytes(ga__buffer *out, uint64_t bytes)
{
    static const char units[] = "kMGTPE";
    double number = (double)bytes;
    size_t unit = 0;

    if (bytes < 1000) {
        ga__buffer_printf(out, "%u B", (unsigned)bytes);
        return;
    }
    for (number /= 1000; number >= 999.5 && units[unit + 1]; number /= 1000)
        unit++;
    ga__append_number(out, number);
    ga__buffer_printf(out, " %cB", units[unit]);
}

void ga__append_share(ga__buffer *out, double share)
{
    double percent = share * 100;

    if (!(percent > 0)) {
        ga__buffer_add(out, "0 %");
    } else if (percent >= 100) {
        ga__buffer_add(out, "100 %");
    } else {
        append_fixed(out, fmin(fmax(percent, 0.1), 99.9), 1);
        ga__buffer_add(out, " %");
    }
}

void ga__append_time(ga__buffer *out, int64_t ms, const char *format)
{
    time_t second = (time_t)(ms / 1000);
    struct tm parts;
    char text[40];

    if (ms > 0 && gmtime_r(&second, &parts) && strftime(text, sizeof text, format, &parts))
        ga__buffer_add(out, text);
}
