/* SPDX-License-Identifier: MIT */
/*
 * The report as a page: one file of HTML with its plots in it, without scripts. Its policy (CSP) allows
 * nothing to be loaded. Ids and messages came from servers and inputs and are escaped, each within its own
 * direction of writing.
 */
#include "base/ascii.h"
#include "base/utf8.h"
#include "bulk/json.h"
#include "cli/figures.h"
#include "cli/plot.h"
#include "cli/report_parts.h"
#include "cli/tally.h"
#include <math.h>

static const char head[] = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                           "style-src 'unsafe-inline'\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                           "<meta name=\"color-scheme\" content=\"light dark\">\n";

static const char style[] =
    "<style>\n"
    ":root{--page:#f6f6f4;--card:#fff;--ink:#1a1a19;--soft:#63625e;--grid:#e4e3df;--axis:#a9a8a2;"
    "--ok:#2a78d6;--failed:#c93636;--retry:#d98a00;--p50:#86b6ef;--p90:#2a78d6;--p99:#0f3d78;--wait:#1a9a6b}"
    "\n"
    "@media(prefers-color-scheme:dark){:root{--page:#121211;--card:#1d1d1b;--ink:#f1f0ec;--soft:#a9a8a2;"
    "--grid:#33322f;--axis:#6b6a65;--ok:#4a94ea;--failed:#ee6a6a;--retry:#e6a530;--p50:#2b64ab;--p90:#5b9fef;"
    "--p99:#bcd9fb;--wait:#35ba87}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--ink);font:15px/1.45 system-ui,sans-serif}\n"
    "main{max-width:1440px;margin:0 auto;padding:24px 20px 48px}\n"
    "h1{font-size:22px;margin:0;overflow-wrap:anywhere}\n"
    "h2{font-size:15px;margin:0 0 2px}\n"
    "p{margin:4px 0 0;color:var(--soft)}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(104px,1fr));gap:12px;margin:20px 0}\n"
    ".tile,section{background:var(--card);border-radius:10px;padding:12px 16px}\n"
    ".tile{padding:12px}"
    ".tile b{display:block;font-size:18px;font-weight:600;white-space:nowrap}\n"
    ".tile span,.legend{color:var(--soft);font-size:13px}\n"
    ".bad b{color:var(--failed)}\n"
    ".plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,520px),1fr));gap:12px}\n"
    "section{padding:14px 16px;min-width:0}.plots section:last-child:nth-child(odd){grid-column:1/-1}\n"
    ".legend i{display:inline-block;width:10px;height:10px;border-radius:3px;margin:0 5px 0 0}\n"
    ".legend span{margin-right:14px;white-space:nowrap}\n"
    "svg{display:block;width:100%;height:auto;margin-top:8px;font-size:12px}\n"
    "svg text{fill:var(--soft)}text.y{text-anchor:end}text.x{text-anchor:middle}\n"
    ".grid{stroke:var(--grid)}.axis,.tick{stroke:var(--axis)}\n"
    ".line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}\n"
    ".across{stroke-dasharray:5 4;stroke-width:1.5;stroke:var(--axis)}\n"
    "text.name{fill:var(--ink);stroke:var(--card);stroke-width:4px;paint-order:stroke}.tip{fill:transparent}."
    "tip:hover{fill:var(--ink);fill-opacity:.07}\n"
    "rect.ok{fill:var(--ok)}rect.failed{fill:var(--failed)}rect.retry{fill:var(--retry)}"
    "rect.wait{fill:var(--wait)}\n"
    ".line.p50{stroke:var(--p50)}.line.p90{stroke:var(--p90)}.line.p99{stroke:var(--p99)}"
    ".line.ok{stroke:var(--ok)}\n"
    "i.p50{background:var(--p50)}i.p90{background:var(--p90)}i.p99{background:var(--p99)}"
    "i.ok{background:var(--ok)}i.failed{background:var(--failed)}i.retry{background:var(--retry)}\n"
    ".bars{display:grid;grid-template-columns:max-content 1fr max-content;gap:5px 12px;align-items:center;"
    "margin-top:10px}\n"
    ".bars i{display:block;height:14px;border-radius:3px;min-width:2px}\n"
    ".bars b{font-weight:400;text-align:right;font-variant-numeric:tabular-nums}\n"
    ".wide{margin-top:12px;overflow-x:auto}\n"
    "table{border-collapse:collapse;width:100%;font-size:13px;margin-top:8px}\n"
    "th,td{text-align:left;padding:5px 14px 5px 0;border-top:1px solid var(--grid);vertical-align:top}\n"
    "th{color:var(--soft);font-weight:500;border-top:0}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}td.t{white-space:nowrap}\n"
    "td.m{overflow-wrap:anywhere;min-width:240px}td.i{overflow-wrap:anywhere;min-width:80px}\n"
    "</style>\n";

/* --- text ----------------------------------------------------------------------------------------- */

/* Text of others, as text: whatever it has, no markup, no control characters, nothing but UTF-8. */
static void add_escaped(ga__buffer *out, const char *text)
{
    ga__buffer repaired = GA__BUFFER_INIT;

    ga__utf8_append_repaired(&repaired, text, strlen(text));
    for (size_t i = 0; !repaired.failed && i < repaired.size; i++) {
        char c = repaired.data[i];

        if (c == '&')
            ga__buffer_add(out, "&amp;");
        else if (c == '<')
            ga__buffer_add(out, "&lt;");
        else if (c == '>')
            ga__buffer_add(out, "&gt;");
        else if (c == '"')
            ga__buffer_add(out, "&quot;");
        else if (c == '\'')
            ga__buffer_add(out, "&#39;");
        else if (ga__ascii_is_control(c))
            ga__buffer_add(out, GA__UTF8_REPLACEMENT);
        else
            ga__buffer_add_char(out, c);
    }
    out->failed |= repaired.failed;
    ga__buffer_free(&repaired);
}

/* A time on an axis: 5m, not 5m 00s. */
static void label_seconds(ga__buffer *out, double seconds)
{
    static const char *const nothing[] = {" 00s", " 00m", " 00h"};

    if (seconds == 0) {
        ga__buffer_add_char(out, '0');
        return;
    }
    ga__append_duration(out, seconds);
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        if (out->size > 4 && memcmp(out->data + out->size - 4, nothing[i], 4) == 0)
            out->data[out->size -= 4] = 0;
}

/* A number on an axis, which is a round one. */
static void label_number(ga__buffer *out, double number)
{
    double shown = number >= 1e6 ? number / 1e6 : number;

    if (fabs(shown - round(shown)) < 1e-9)
        ga__append_count(out, (uint64_t)round(shown));
    else
        ga__json_append_decimal(out, shown);
    if (number >= 1e6)
        ga__buffer_add_char(out, 'M');
}

static void label_ms(ga__buffer *out, double ms)
{
    if (ms >= 60000) {
        ga__append_ms(out, ms);
        return;
    }
    label_number(out, ms < 999 ? ms : ms / 1000);
    ga__buffer_add(out, ms < 999 ? " ms" : " s");
}

static void add_title(ga__buffer *out, const ga__report *report)
{
    ga__buffer_add(out, "<title>");
    add_escaped(out, report->output);
    ga__buffer_add(out, " \xE2\x80\x93 gather</title>\n");
}

static void add_top(ga__buffer *out, const ga__report *report)
{
    ga__buffer_add(out, "<main>\n<h1><bdi>");
    add_escaped(out, report->output);
    ga__buffer_printf(out, "</bdi></h1>\n<p>%s; began ", ga__report_state(report));
    ga__append_time(out, report->summary.began_at, GA__DATE_AND_TIME);
    ga__buffer_add(out, ", last ");
    ga__append_time(out, report->ended_at, GA__DATE_AND_TIME);
    ga__buffer_add(out, " UTC</p>\n");
}

/* --- tiles ---------------------------------------------------------------------------------------- */

/* `value` is emptied. */
static void add_tile(ga__buffer *out, const char *name, ga__buffer *value, bool bad)
{
    ga__buffer_printf(out, "<div class=\"tile%s\"><b>%s</b><span>%s</span></div>\n", bad ? " bad" : "",
                      value->failed || value->size == 0 ? "" : value->data, name);
    out->failed |= value->failed;
    ga__buffer_clear(value);
}

static void add_tiles(ga__buffer *out, const ga__report *report)
{
    const ga__stats *stats = &report->stats;
    ga__buffer value = GA__BUFFER_INIT;
    double seconds = ga__report_seconds(report);

    ga__buffer_add(out, "<div class=\"tiles\">\n");
    ga__append_count(&value, stats->rows);
    add_tile(out, "rows", &value, false);
    ga__append_count(&value, ga__stats_good(stats));
    add_tile(out, "ok", &value, false);
    ga__append_count(&value, ga__stats_failed(stats));
    add_tile(out, "failed", &value, ga__stats_failed(stats) > 0);
    ga__append_count(&value, stats->retries);
    add_tile(out, "retries", &value, false);
    ga__append_duration(&value, seconds);
    add_tile(out, "wall time", &value, false);
    ga__append_number(&value, seconds > 0 ? (double)stats->rows / seconds : 0);
    add_tile(out, "rows/s", &value, false);
    ga__append_ms(&value, ga__durations_at(&stats->service, 0.5));
    add_tile(out, "service p50", &value, false);
    ga__append_ms(&value, ga__durations_at(&stats->service, 0.99));
    add_tile(out, "service p99", &value, false);
    ga__append_ms(&value, ga__durations_at(&stats->wait, 0.99));
    add_tile(out, "queue p99", &value, false);
    ga__append_bytes(&value, stats->bytes);
    add_tile(out, "received", &value, false);
    ga__buffer_add(out, "</div>\n");
    ga__buffer_free(&value);
}

/* --- over time ------------------------------------------------------------------------------------ */

static double slice_begin(const ga__report *report, size_t index)
{
    return (double)index * report->timeline.width / 1000;
}

static ga__plot_axis time_axis(const ga__report *report)
{
    return (ga__plot_axis){
        .to = slice_begin(report, report->timeline.count), .time = true, .label = label_seconds};
}

static void begin_section(ga__buffer *out, const char *name, const char *about)
{
    ga__buffer_printf(out, "<section><h2>%s</h2>%s", name, about);
}

static void tip_begin(const ga__plot *plot, const ga__report *report, size_t index)
{
    ga__plot_tip_begin(plot, slice_begin(report, index), slice_begin(report, index + 1));
    ga__buffer_add(plot->out, "from ");
    label_seconds(plot->out, slice_begin(report, index));
    ga__buffer_add_char(plot->out, '\n');
}

enum { SLICES_LEAST = 3 };

static void add_latency_tips(const ga__plot *plot, const ga__report *report)
{
    for (size_t i = 0; i < report->timeline.count; i++) {
        const ga__durations *service = &report->timeline.slices[i].service;

        if (service->count == 0)
            continue;
        tip_begin(plot, report, i);
        for (size_t j = 0; j < GA__PERCENTILES; j++) {
            ga__buffer_printf(plot->out, "%s ", ga__percentiles[j].name);
            ga__append_ms(plot->out, ga__durations_at(service, ga__percentiles[j].share));
            ga__buffer_add_char(plot->out, '\n');
        }
        ga__plot_tip_end(plot);
    }
}

/* The least and most that is shown of percentiles over time. */
static void bound_latency(ga__plot_axis *axis, const ga__report *report)
{
    double least = INFINITY, most = 0;

    for (size_t i = 0; i < report->timeline.count; i++) {
        const ga__durations *service = &report->timeline.slices[i].service;

        if (service->count == 0)
            continue;
        least = fmin(least, ga__durations_at(service, 0.5));
        most = fmax(most, ga__durations_at(service, 0.99));
    }
    axis->from = ga__plot_round_down(fmax(least, 0.01));
    axis->to = ga__plot_round_up(fmax(most, axis->from * 2));
}

static void add_latency(ga__buffer *out, const ga__report *report)
{
    ga__plot plot = {.out = out, .x = time_axis(report), .y = {.logarithmic = true, .label = label_ms}};

    bound_latency(&plot.y, report);
    begin_section(
        out, "Service time over time",
        "<p class=\"legend\"><span><i class=\"p50\"></i>p50</span><span><i class=\"p90\"></i>p90</span>"
        "<span><i class=\"p99\"></i>p99</span></p>");
    ga__plot_begin(&plot, "Percentiles of the service time over time");
    for (size_t j = GA__PERCENTILES; j-- > 0;) {
        bool pen = false;

        ga__plot_line_begin(&plot, ga__percentiles[j].name);
        for (size_t i = 0; i < report->timeline.count; i++) {
            const ga__durations *service = &report->timeline.slices[i].service;
            double ms = ga__durations_at(service, ga__percentiles[j].share);

            ga__plot_line_point(&plot, &pen, slice_begin(report, i) + report->timeline.width / 2000,
                                service->count > 0 ? ms : -1);
        }
        ga__plot_line_end(&plot);
    }
    add_latency_tips(&plot, report);
    ga__plot_end(&plot);
    ga__buffer_add(out, "</section>\n");
}

/* Rows begun per second of a slice. The last is over before its time: where too little of it has passed, it
 * says nothing. */
static double rate_in(const ga__report *report, size_t index)
{
    const ga__timeline *timeline = &report->timeline;
    double width = timeline->width;

    if (index > 0 && index + 1 == timeline->count) {
        double end = (double)(report->stats.last_at - timeline->began);

        width = fmin(end - (double)index * width, width);
        if (width < timeline->width / 2)
            return -1;
    }
    return (double)timeline->slices[index].rows * 1000 / width;
}

static void add_rate(ga__buffer *out, const ga__report *report)
{
    double most = report->summary.rate;
    ga__plot plot = {.out = out, .x = time_axis(report), .y = {.label = label_number}};
    bool pen = false;

    for (size_t i = 0; i < report->timeline.count; i++)
        most = fmax(most, rate_in(report, i));
    plot.y.to = most > 0 ? most * 1.12 : 1;
    begin_section(out, "Rows begun per second",
                  report->summary.rate > 0 ? "<p class=\"legend\">against the limit of the job</p>"
                                           : "<p class=\"legend\">the job has no limit</p>");
    ga__plot_begin(&plot, "Rows begun per second, over time");
    ga__plot_line_begin(&plot, "ok");
    for (size_t i = 0; i < report->timeline.count; i++)
        ga__plot_line_point(&plot, &pen, slice_begin(report, i) + report->timeline.width / 2000,
                            rate_in(report, i));
    ga__plot_line_end(&plot);
    if (report->summary.rate > 0)
        ga__plot_across(&plot, "limit", report->summary.rate, "limit");
    for (size_t i = 0; i < report->timeline.count; i++) {
        if (rate_in(report, i) < 0)
            continue;
        tip_begin(&plot, report, i);
        ga__append_number(out, rate_in(report, i));
        ga__buffer_add(out, " rows/s");
        ga__plot_tip_end(&plot);
    }
    ga__plot_end(&plot);
    ga__buffer_add(out, "</section>\n");
}

static void add_trouble(ga__buffer *out, const ga__report *report)
{
    const ga__timeline_slice *slices = report->timeline.slices;
    ga__plot plot = {.out = out, .x = time_axis(report), .y = {.whole = true, .label = label_number}};

    for (size_t i = 0; i < report->timeline.count; i++)
        plot.y.to = fmax(plot.y.to, (double)(slices[i].retries + slices[i].failed));
    plot.y.to = fmax(plot.y.to * 1.08, 1);
    begin_section(out, "Retries and failures over time",
                  "<p class=\"legend\"><span><i class=\"failed\"></i>failed rows</span>"
                  "<span><i class=\"retry\"></i>retries</span></p>");
    ga__plot_begin(&plot, "Retries and failed rows, over time");
    for (size_t i = 0; i < report->timeline.count; i++) {
        double from = slice_begin(report, i), to = slice_begin(report, i + 1);
        double failed = (double)slices[i].failed, both = failed + (double)slices[i].retries;

        if (slices[i].failed > 0)
            ga__plot_bar(&plot, "failed", from, to, 0, failed);
        if (slices[i].retries > 0)
            ga__plot_bar(&plot, "retry", from, to, failed, both);
        if (both == 0)
            continue;
        tip_begin(&plot, report, i);
        ga__append_count(out, slices[i].failed);
        ga__buffer_add(out, " failed\n");
        ga__append_count(out, slices[i].retries);
        ga__buffer_add(out, " retries");
        ga__plot_tip_end(&plot);
    }
    ga__plot_end(&plot);
    ga__buffer_add(out, "</section>\n");
}

/* --- distributions -------------------------------------------------------------------------------- */

enum { BUCKETS_A_BAR = 4 };

static uint64_t bar_count(const ga__durations *durations, size_t from)
{
    uint64_t count = 0;

    for (size_t i = from; i < from + BUCKETS_A_BAR; i++)
        count += durations->buckets[i];
    return count;
}

static void bound_distribution(ga__plot *plot, const ga__durations *durations)
{
    plot->x.from = ga__plot_round_down(fmax(durations->least, 0.01));
    plot->x.to = ga__plot_round_up(fmax(durations->most, plot->x.from * 2));
    for (size_t i = 0; i < GA__STATS_BUCKETS; i += BUCKETS_A_BAR)
        plot->y.to = fmax(plot->y.to, (double)bar_count(durations, i));
    plot->y.to *= 1.08;
}

static void add_percentile_marks(const ga__plot *plot, const ga__durations *durations)
{
    ga__buffer name = GA__BUFFER_INIT;

    for (size_t i = GA__PERCENTILES; i-- > 0;) { /* so that a name lies over the lines right of it */
        double ms = ga__durations_at(durations, ga__percentiles[i].share);

        ga__buffer_clear(&name);
        ga__buffer_printf(&name, "%s ", ga__percentiles[i].name);
        ga__append_ms(&name, ms);
        if (!name.failed)
            ga__plot_mark(plot, ga__percentiles[i].name, ms, name.data, (int)i);
    }
    ga__buffer_free(&name);
}

static void add_distribution(ga__buffer *out, const ga__durations *durations, const char *name,
                             const char *about, const char *class)
{
    ga__plot plot = {.out = out,
                     .x = {.logarithmic = true, .label = label_ms},
                     .y = {.whole = true, .label = label_number}};

    if (durations->count == 0)
        return;
    bound_distribution(&plot, durations);
    begin_section(out, name, about);
    ga__plot_begin(&plot, name);
    for (size_t i = 0; i < GA__STATS_BUCKETS; i += BUCKETS_A_BAR) {
        uint64_t count = bar_count(durations, i);
        double from = ga__durations_bucket(i), to = ga__durations_bucket(i + BUCKETS_A_BAR);

        if (count == 0)
            continue;
        ga__plot_bar(&plot, class, from, to, 0, (double)count);
        ga__plot_tip_begin(&plot, from, to);
        ga__append_ms(out, from);
        ga__buffer_add(out, " to ");
        ga__append_ms(out, to);
        ga__buffer_add_char(out, '\n');
        ga__append_count(out, count);
        ga__plot_tip_end(&plot);
    }
    add_percentile_marks(&plot, durations);
    ga__plot_end(&plot);
    ga__buffer_add(out, "</section>\n");
}

/* --- outcomes ------------------------------------------------------------------------------------- */

static void add_bars(ga__buffer *out, const ga__tally *tallies, size_t count, uint64_t total, bool kinds)
{
    ga__buffer_add(out, "<div class=\"bars\">\n");
    for (size_t i = 0; i < count; i++) {
        size_t index = tallies[i].index;
        bool good = kinds ? index == GA__KIND_OK : index >= 200 && index < 400;

        ga__buffer_add(out, "<span>");
        if (kinds)
            ga__buffer_add(out, ga__kind_name((ga__kind)index));
        else
            ga__append_status(out, index);
        ga__buffer_printf(out, "</span><i class=\"%s\" style=\"width:%u.%u%%\"></i><b>",
                          good ? "ok" : "failed",
                          (unsigned)((double)tallies[i].count * 100 / (double)tallies[0].count),
                          (unsigned)((double)tallies[i].count * 1000 / (double)tallies[0].count) % 10);
        ga__append_count(out, tallies[i].count);
        ga__buffer_add(out, " \xC2\xB7 ");
        ga__append_share(out, (double)tallies[i].count / (double)total);
        ga__buffer_add(out, "</b>\n");
    }
    ga__buffer_add(out, "</div></section>\n");
}

/* Beside what is ok, failures are too few to be seen: they have a scale of their own. */
static void add_kinds(ga__buffer *out, const ga__stats *stats)
{
    ga__tally tallies[GA__KINDS];
    size_t count = ga__tally_failures(tallies, GA__KINDS, stats);
    uint64_t failed = ga__stats_failed(stats);

    if (failed == 0)
        return;
    begin_section(out, "Failures by kind", "<p class=\"legend\">");
    ga__append_count(out, failed);
    ga__buffer_add(out, " rows, ");
    ga__append_share(out, (double)failed / (double)(stats->rows + stats->pages));
    ga__buffer_add(out, " of all</p>");
    add_bars(out, tallies, count, failed, true);
}

static void add_statuses(ga__buffer *out, const ga__stats *stats)
{
    enum { MOST = 20 };
    ga__tally tallies[MOST];
    size_t count = ga__tally_most(tallies, MOST, stats->statuses, GA__STATS_STATUSES);

    if (count == 0)
        return;
    begin_section(out, "Statuses", "<p class=\"legend\">records, by the status of the last answer</p>");
    add_bars(out, tallies, count, stats->rows + stats->pages, false);
}

/* --- failures ------------------------------------------------------------------------------------- */

static void add_failure(ga__buffer *out, const ga__report_failure *failure)
{
    ga__buffer_printf(out, "<tr><td class=\"n\">%llu", (unsigned long long)failure->n);
    if (failure->page > 0)
        ga__buffer_printf(out, ", page %u", failure->page);
    ga__buffer_add(out, "<td class=\"i\"><bdi>");
    add_escaped(out, failure->id ? failure->id : "");
    ga__buffer_printf(out, "</bdi><td class=\"t\">%s<td class=\"n\">", ga__kind_name(failure->kind));
    if (failure->status > 0)
        ga__buffer_printf(out, "%d", failure->status);
    ga__buffer_printf(out, "<td class=\"n\">%d<td class=\"t\">", failure->attempts);
    ga__append_time(out, failure->at, "%m-%d %H:%M:%S");
    ga__buffer_add(out, "<td class=\"m\"><bdi>");
    add_escaped(out, failure->message ? failure->message : "");
    ga__buffer_add(out, "</bdi>\n");
}

static void add_failures(ga__buffer *out, const ga__report *report)
{
    uint64_t failed = ga__stats_failed(&report->stats);

    if (report->failure_count == 0)
        return;
    ga__buffer_add(out, "<section class=\"wide\"><h2>Failures</h2><p>");
    if (failed > report->failure_count) {
        ga__buffer_printf(out, "the first %zu of ", report->failure_count);
        ga__append_count(out, failed);
        ga__buffer_add(out, "; ");
    }
    ga__buffer_add(out, "all of them as input: <code>gather failed ");
    add_escaped(out, report->output);
    ga__buffer_add(out,
                   "</code></p>\n<table><thead><tr><th class=\"n\">row<th>id<th>kind<th class=\"n\">status"
                   "<th class=\"n\">attempts<th>at (UTC)<th>message<tbody>\n");
    for (size_t i = 0; i < report->failure_count; i++)
        add_failure(out, &report->failures[i]);
    ga__buffer_add(out, "</table></section>\n");
}

void ga__report_page(ga__buffer *out, const ga__report *report)
{
    ga__buffer_add(out, head);
    add_title(out, report);
    ga__buffer_add(out, style);
    add_top(out, report);
    add_tiles(out, report);
    ga__buffer_add(out, "<div class=\"plots\">\n");
    if (report->timeline.count >= SLICES_LEAST) {
        if (report->stats.service.count > 0)
            add_latency(out, report);
        add_rate(out, report);
        if (report->stats.retries + ga__stats_failed(&report->stats) > 0)
            add_trouble(out, report);
    }
    add_distribution(out, &report->stats.service, "Service time",
                     "<p class=\"legend\">records, by the time from sending to the end</p>", "ok");
    add_distribution(out, &report->stats.wait, "Queue wait",
                     "<p class=\"legend\">records, by the time in line for the pace</p>", "wait");
    add_kinds(out, &report->stats);
    add_statuses(out, &report->stats);
    ga__buffer_add(out, "</div>\n");
    add_failures(out, report);
    ga__buffer_add(out, "</main>\n</html>\n");
}
