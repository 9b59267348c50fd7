/* SPDX-License-Identifier: MIT */
/*
 * The summary of a job. Time in line for the pace and time of service stand apart: the first says what the
 * limits cost, the second what the servers do.
 */
#include "cli/summary.h"

#include "base/utf8.h"
#include "cli/figures.h"
#include "cli/tally.h"

enum { LABEL = 11, STATUSES_MOST = 64, STATUSES_FEW = 8 };

static void begin(ga__lines *lines, const char *label)
{
    ga__lines_break(lines);
    ga__buffer_printf(&lines->part, "  %-*s", LABEL - 2, label);
    ga__lines_put(lines, GA__FAINT);
    lines->parted = false; /* the label has its distance */
}

static void add_outcome(ga__lines *lines, const ga__summary *summary)
{
    const ga__stats *stats = summary->stats;
    uint64_t failed = ga__stats_failed(stats), total = summary->total;

    ga__append_count(&lines->part, stats->rows);
    if (total > stats->rows) {
        ga__buffer_add(&lines->part, " of ");
        ga__append_count(&lines->part, total);
    }
    ga__buffer_add(&lines->part, stats->rows == 1 && total <= 1 ? " row:" : " rows:");
    ga__lines_put(lines, GA__PLAIN);
    ga__put_count(lines, GA__GOOD, ga__stats_good(stats), " ok");
    ga__put_count(lines, failed > 0 ? GA__BAD : GA__PLAIN, failed, " failed");
    ga__put_some(lines, GA__PLAIN, stats->skipped, " done before");
}

static void add_kinds(ga__lines *lines, const ga__stats *stats)
{
    ga__tally tallies[GA__KINDS];
    size_t found = ga__tally_failures(tallies, GA__KINDS, stats);

    if (found == 0)
        return;
    begin(lines, "failed");
    for (size_t i = 0; i < found; i++)
        ga__lines_part(lines, GA__BAD, ga__tally_kind(&lines->part, &tallies[i]));
    ga__buffer_clear(&lines->part);
}

static void add_statuses(ga__lines *lines, const ga__stats *stats, size_t most)
{
    ga__tally tallies[STATUSES_MOST];
    size_t found = ga__tally_most(tallies, most, stats->statuses, GA__STATS_STATUSES);
    uint64_t others = 0;

    if (found == 0)
        return;
    for (size_t i = 0; i < GA__STATS_STATUSES; i++)
        others += stats->statuses[i];
    begin(lines, "status");
    for (size_t i = 0; i < found; i++) {
        others -= tallies[i].count;
        ga__lines_part(lines, GA__PLAIN, ga__tally_status(&lines->part, &tallies[i]));
    }
    ga__buffer_clear(&lines->part);
    if (others > 0) {
        ga__buffer_add(&lines->part, "others: ");
        ga__put_count(lines, GA__PLAIN, others, "");
    }
}

/* As wide as most are, so that two lines of them stand in columns. */
static void add_time(ga__lines *lines, const char *name, double ms)
{
    enum { WIDE = 8 };
    ga__buffer *part = &lines->part;

    ga__buffer_printf(part, "%s ", name);
    size_t size = part->size;

    ga__append_ms(part, ms);
    while (!part->failed && part->size - size < WIDE)
        ga__buffer_add_char(part, ' ');
    ga__lines_put(lines, GA__PLAIN);
}

static void add_durations(ga__lines *lines, const char *label, const ga__durations *durations)
{
    if (durations->count == 0)
        return;
    begin(lines, label);
    for (size_t i = 0; i < GA__PERCENTILES; i++)
        add_time(lines, ga__percentiles[i].name, ga__durations_at(durations, ga__percentiles[i].share));
    ga__buffer_add(&lines->part, "most ");
    ga__append_ms(&lines->part, durations->most);
    ga__lines_put(lines, GA__PLAIN);
}

static void add_traffic(ga__lines *lines, const ga__stats *stats)
{
    begin(lines, "traffic");
    ga__put_count(lines, GA__PLAIN, stats->retries, stats->retries == 1 ? " retry" : " retries");
    ga__put_some(lines, GA__PLAIN, stats->pages, " further pages");
    ga__append_bytes(&lines->part, stats->bytes);
    ga__buffer_add(&lines->part, " received");
    ga__lines_put(lines, GA__PLAIN);
}

static void add_wall_time(ga__lines *lines, const ga__stats *stats, double seconds)
{
    begin(lines, "time");
    ga__append_duration(&lines->part, seconds);
    ga__lines_put(lines, GA__PLAIN);
    if (seconds <= 0)
        return;
    ga__append_number(&lines->part, (double)(stats->rows + stats->pages + stats->retries) / seconds);
    ga__buffer_add(&lines->part, " requests/s");
    ga__lines_put(lines, GA__PLAIN);
}

void ga__summary_append(ga__buffer *out, const ga__summary *summary, const ga__terminal *terminal)
{
    const ga__stats *stats = summary->stats;
    ga__lines lines = {.out = out,
                       .width = (size_t)terminal->columns,
                       .indent = terminal->columns > 2 * LABEL ? LABEL : 0,
                       .colours = terminal->colours,
                       .end = "\n"};

    add_outcome(&lines, summary);
    add_kinds(&lines, stats);
    add_statuses(&lines, stats, summary->all ? STATUSES_MOST : STATUSES_FEW);
    add_durations(&lines, "service", &stats->service);
    add_durations(&lines, "queue", &stats->wait);
    add_traffic(&lines, stats);
    add_wall_time(&lines, stats, summary->seconds);
    if (summary->output) {
        begin(&lines, "output");
        ga__utf8_append_clean(&lines.part, ga__slice_of(summary->output));
        ga__lines_put(&lines, GA__PLAIN);
    }
    ga__lines_break(&lines);
    ga__buffer_free(&lines.part);
}
