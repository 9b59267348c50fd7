/* SPDX-License-Identifier: MIT */
/*
 * Progress. The region's lines hold parts that move to a further line where the width ends, so one layout
 * serves every width; the least important lines come last and are left out where there are no rows for them.
 */
#include "cli/progress.h"

#include "base/utf8.h"
#include "bulk/json.h"
#include "cli/figures.h"
#include "cli/tally.h"
#include <math.h>

/* --- the region ----------------------------------------------------------------------------------- */

enum { KINDS_SHOWN = 6, BAR_LEAST = 8, BAR_MOST = 60, ROOMY = 8 };

static void append_done(ga__buffer *out, const ga__job_status *status)
{
    double share = ga__status_share(status);

    ga__append_count(out, ga__status_done(status));
    if (status->total > 0) {
        ga__buffer_add(out, " of ");
        ga__append_count(out, status->total);
    } else {
        ga__buffer_add(out, " done");
    }
    if (share >= 0) {
        ga__buffer_add(out, status->total > 0 ? "  " : "  about ");
        ga__append_share(out, share);
    }
}

static void append_left(ga__buffer *out, const ga__job_status *status, const ga__pulse *pulse)
{
    double left = ga__pulse_left(pulse, status);

    ga__buffer_add(out, "ETA ");
    if (left >= 0)
        ga__append_duration(out, left < 10 ? ceil(left) : left);
    else
        ga__buffer_add(out, "-");
}

/* "61,240 of 100,000  61.2 %  █████░░░  ETA 12m 40s", without the bar where there is no room for one. */
static void add_share(ga__lines *lines, const ga__job_status *status, const ga__pulse *pulse, bool utf8)
{
    ga__buffer left = GA__BUFFER_INIT;
    double share = ga__status_share(status);

    append_done(&lines->part, status);
    append_left(&left, status, pulse);
    size_t taken = ga__text_columns(lines->part.data, lines->part.size) + left.size + 4;
    size_t room = lines->width > taken ? lines->width - taken : 0;

    ga__lines_put(lines, GA__PLAIN);
    if (share >= 0 && room >= BAR_LEAST) {
        ga__append_bar(&lines->part, room < BAR_MOST ? room : BAR_MOST, share, utf8, true);
        ga__lines_put(lines, GA__GOOD);
    }
    if (!left.failed)
        ga__lines_part(lines, GA__PLAIN, left.data);
    ga__lines_break(lines);
    ga__buffer_free(&left);
}

static void append_rate(ga__buffer *out, const ga__job_status *status, const ga__pulse *pulse)
{
    ga__append_number(out, ga__pulse_rate(pulse));
    if (status->rate > 0) {
        ga__buffer_add(out, " of ");
        if (status->rate == floor(status->rate) && status->rate < 1e15)
            ga__append_count(out, (uint64_t)status->rate);
        else
            ga__append_number(out, status->rate);
    }
    ga__buffer_add(out, "/s");
}

static void add_traffic(ga__lines *lines, const ga__job_status *status, const ga__pulse *pulse)
{
    uint64_t retries = status->stats.retries;

    append_rate(&lines->part, status, pulse);
    ga__lines_put(lines, GA__PLAIN);
    ga__put_count(lines, GA__PLAIN, status->in_flight, " in flight");
    ga__put_some(lines, GA__PLAIN, status->waiting, " waiting");
    ga__put_some(lines, GA__PLAIN, retries, retries == 1 ? " retry" : " retries");
    ga__append_bytes(&lines->part, status->stats.bytes);
    ga__lines_put(lines, GA__PLAIN);
    ga__append_duration(&lines->part, round(status->seconds));
    ga__lines_put(lines, GA__FAINT);
    ga__lines_break(lines);
}

static void add_latency(ga__lines *lines, const ga__durations *service)
{
    for (size_t i = 0; service->count > 0 && i < GA__PERCENTILES; i++) {
        ga__buffer_printf(&lines->part, "%s ", ga__percentiles[i].name);
        ga__append_ms(&lines->part, ga__durations_at(service, ga__percentiles[i].share));
        ga__lines_put(lines, GA__PLAIN);
    }
    ga__lines_break(lines);
}

static void add_outcomes(ga__lines *lines, const ga__stats *stats)
{
    ga__tally tallies[KINDS_SHOWN];
    size_t found = ga__tally_failures(tallies, KINDS_SHOWN, stats);

    ga__put_count(lines, GA__GOOD, ga__stats_good(stats), " ok");
    ga__put_some(lines, GA__BAD, ga__stats_failed(stats), " failed");
    for (size_t i = 0; i < found; i++)
        ga__lines_part(lines, GA__BAD, ga__tally_kind(&lines->part, &tallies[i]));
    ga__buffer_clear(&lines->part);
    ga__put_some(lines, GA__PLAIN, stats->skipped, " done before");
    ga__lines_break(lines);
}

static void add_pause(ga__lines *lines, const ga__job_status *status)
{
    if (status->stopping) {
        ga__lines_text(lines, GA__CAUTION,
                       "stopping: no new rows are begun, those in flight have 30 s; ^C ends them now");
        ga__lines_break(lines);
    }
    ga__utf8_append_clean(&lines->part, ga__slice_of(status->pause));
    if (!lines->part.failed && lines->part.size > 0)
        ga__lines_text(lines, GA__CAUTION, lines->part.data);
    ga__buffer_clear(&lines->part);
    ga__lines_break(lines);
}

/* Appends the first lines of a region, each clearing the rest of its row, then all below it, and goes back to
 * the beginning. Where there is room the first row is blank: what others write comes to stand there. */
static void append_rows(ga__buffer *out, const ga__buffer *region, size_t most)
{
    ga__slice rest = {region->data, region->size};
    size_t rows = 0;

    ga__buffer_add(out, "\r");
    if (most >= ROOMY) {
        ga__buffer_add(out, "\x1b[K\r\n");
        rows++;
    }
    for (size_t before = rows; rest.size > 0 && rows < most; rows++) {
        ga__slice line = ga__slice_take_to(&rest, '\n');

        if (rows > before)
            ga__buffer_add(out, "\r\n");
        ga__buffer_append(out, line.data, line.size);
        ga__buffer_add(out, "\x1b[K");
    }
    ga__buffer_add(out, "\x1b[J\r");
    if (rows > 1)
        ga__buffer_printf(out, "\x1b[%zuA", rows - 1);
}

void ga__progress_region(ga__buffer *out, const ga__job_status *status, const ga__pulse *pulse,
                         const ga__terminal *terminal)
{
    ga__buffer region = GA__BUFFER_INIT;
    /* The last column stays empty: what fills it leaves the cursor in a place that terminals disagree on. */
    ga__lines lines = {.out = &region,
                       .width = terminal->columns > 1 ? (size_t)terminal->columns - 1 : 1,
                       .colours = terminal->colours,
                       .end = "\n"};

    add_share(&lines, status, pulse, terminal->utf8);
    add_traffic(&lines, status, pulse);
    add_pause(&lines, status);
    add_outcomes(&lines, &status->stats);
    add_latency(&lines, &status->stats.service);
    if (!region.failed)
        append_rows(out, &region, terminal->rows > 2 ? (size_t)terminal->rows - 1 : 1);
    ga__buffer_free(&lines.part);
    ga__buffer_free(&region);
}

/* --- a line --------------------------------------------------------------------------------------- */

static void append_clock(ga__buffer *out, double seconds)
{
    unsigned long long whole = seconds >= 0 && seconds < 1e12 ? (unsigned long long)seconds : 0;

    ga__buffer_printf(out, "[%02llu:%02llu:%02llu] ", whole / 3600, whole / 60 % 60, whole % 60);
}

static void append_failures(ga__buffer *out, const ga__stats *stats)
{
    ga__tally tallies[GA__KINDS];
    ga__buffer text = GA__BUFFER_INIT;
    size_t found = ga__tally_failures(tallies, GA__KINDS, stats);

    ga__buffer_add(out, ", ");
    ga__append_count(out, ga__stats_failed(stats));
    ga__buffer_add(out, " failed");
    for (size_t i = 0; i < found; i++) {
        ga__buffer_add(out, i == 0 ? " (" : ", ");
        ga__buffer_add(out, ga__tally_kind(&text, &tallies[i]));
    }
    if (found > 0)
        ga__buffer_add_char(out, ')');
    ga__buffer_free(&text);
}

void ga__progress_line(ga__buffer *out, const ga__job_status *status, const ga__pulse *pulse)
{
    append_clock(out, status->seconds);
    append_done(out, status);
    ga__buffer_add(out, ", ");
    append_rate(out, status, pulse);
    ga__buffer_add(out, ", ");
    ga__append_count(out, status->in_flight);
    ga__buffer_add(out, " in flight");
    append_failures(out, &status->stats);
    if (status->stats.retries > 0) {
        ga__buffer_add(out, ", ");
        ga__append_count(out, status->stats.retries);
        ga__buffer_add(out, status->stats.retries == 1 ? " retry" : " retries");
    }
    if (status->stats.service.count > 0) {
        ga__buffer_add(out, ", p50 ");
        ga__append_ms(out, ga__durations_at(&status->stats.service, 0.5));
        ga__buffer_add(out, ", p99 ");
        ga__append_ms(out, ga__durations_at(&status->stats.service, 0.99));
    }
    ga__buffer_add(out, ", ");
    append_left(out, status, pulse);
    if (status->stopping)
        ga__buffer_add(out, "; stopping");
    if (status->pause[0]) {
        ga__buffer_add(out, "; ");
        ga__utf8_append_clean(out, ga__slice_of(status->pause));
    }
}

/* --- JSON ----------------------------------------------------------------------------------------- */

static void add_number(ga__buffer *out, const char *name, double number)
{
    ga__buffer_printf(out, ",\"%s\":", name);
    if (number >= 0 && !isinf(number))
        ga__json_append_decimal(out, number);
    else
        ga__buffer_add(out, "null");
}

static void add_count(ga__buffer *out, const char *name, uint64_t count)
{
    ga__buffer_printf(out, ",\"%s\":%llu", name, (unsigned long long)count);
}

static void add_percentiles(ga__buffer *out, const char *name, const ga__durations *durations)
{
    ga__buffer_printf(out, ",\"%s\":{\"count\":%llu", name, (unsigned long long)durations->count);
    for (size_t i = 0; durations->count > 0 && i < GA__PERCENTILES; i++)
        add_number(out, ga__percentiles[i].name, ga__durations_at(durations, ga__percentiles[i].share));
    if (durations->count > 0)
        add_number(out, "most", durations->most);
    ga__buffer_add_char(out, '}');
}

/* The counts that are not 0, from the index `from` on. */
static void add_counts(ga__buffer *out, const char *name, const uint64_t *counts, size_t from, size_t size,
                       bool kinds)
{
    const char *comma = "";

    ga__buffer_printf(out, ",\"%s\":{", name);
    for (size_t i = from; i < size; i++) {
        if (counts[i] == 0)
            continue;
        if (kinds)
            ga__buffer_printf(out, "%s\"%s\":", comma, ga__kind_name((ga__kind)i));
        else
            ga__buffer_printf(out, "%s\"%zu\":", comma, i);
        ga__buffer_printf(out, "%llu", (unsigned long long)counts[i]);
        comma = ",";
    }
    ga__buffer_add_char(out, '}');
}

void ga__progress_json(ga__buffer *out, const ga__job_status *status, const ga__pulse *pulse)
{
    const ga__stats *stats = &status->stats;

    ga__buffer_add(out, "\"seconds\":");
    ga__json_append_decimal(out, status->seconds);
    add_count(out, "done", ga__status_done(status));
    if (status->total > 0)
        add_count(out, "total", status->total);
    else
        ga__buffer_add(out, ",\"total\":null");
    add_number(out, "share", ga__status_share(status));
    add_count(out, "ok", ga__stats_good(stats));
    add_count(out, "failed", ga__stats_failed(stats));
    add_count(out, "skipped", stats->skipped);
    add_counts(out, "kinds", stats->kinds, 1, GA__KINDS, true);
    add_counts(out, "statuses", stats->statuses, 1, GA__STATS_STATUSES, false);
    add_count(out, "in_flight", status->in_flight);
    add_count(out, "waiting", status->waiting);
    add_count(out, "retries", stats->retries);
    add_count(out, "pages", stats->pages);
    add_count(out, "bytes", stats->bytes);
    add_number(out, "rate", ga__pulse_rate(pulse));
    add_number(out, "limit", status->rate > 0 ? status->rate : -1);
    add_percentiles(out, "service_ms", &stats->service);
    add_percentiles(out, "wait_ms", &stats->wait);
    add_number(out, "eta_seconds", ga__pulse_left(pulse, status));
    ga__buffer_add(out, ",\"pause\":");
    if (status->pause[0])
        ga__json_append_quoted(out, ga__slice_of(status->pause));
    else
        ga__buffer_add(out, "null");
    ga__buffer_printf(out, ",\"stopping\":%s", status->stopping ? "true" : "false");
}
