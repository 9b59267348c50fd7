/* SPDX-License-Identifier: MIT */
/*
 * The summary of a job. Time in line for the pace and time of service stand apart: the first says what the
 * limits cost, the second what the servers do.
 */
#include "cli/summary.h"

#include "cli/figures.h"
#include "cli/tally.h"

enum { LABEL = 11, FEW = 8, PERCENTILES = 3 };

static const double percentiles[PERCENTILES] = {0.5, 0.9, 0.99};

/* --- the summary ---------------------------------------------------------------------------------- */

/* What all parts of it share. */
typedef struct summary_writer {
    const ga__summary *summary;
    ga__lines lines;
    ga__buffer text; /* of the part that is being made */
} summary_writer;

static void put(summary_writer *writer, ga__style style)
{
    if (!writer->text.failed && writer->text.size > 0)
        ga__lines_part(&writer->lines, style, writer->text.data);
    ga__buffer_clear(&writer->text);
}

static void begin(summary_writer *writer, const char *label)
{
    ga__lines_break(&writer->lines);
    ga__buffer_printf(&writer->text, "  %-*s", LABEL - 2, label);
    put(writer, GA__FAINT);
    writer->lines.parted = false; /* the label has its distance */
}

static void add_outcome(summary_writer *writer)
{
    const ga__stats *stats = writer->summary->stats;
    uint64_t failed = ga__stats_failed(stats);

    ga__append_count(&writer->text, stats->rows);
    if (writer->summary->total > stats->rows) {
        ga__buffer_add(&writer->text, " of ");
        ga__append_count(&writer->text, writer->summary->total);
    }
    ga__buffer_add(&writer->text, stats->rows == 1 && writer->summary->total <= 1 ? " row:" : " rows:");
    put(writer, GA__PLAIN);
    ga__append_count(&writer->text, ga__stats_good(stats));
    ga__buffer_add(&writer->text, " ok");
    put(writer, GA__GOOD);
    ga__append_count(&writer->text, failed);
    ga__buffer_add(&writer->text, " failed");
    put(writer, failed > 0 ? GA__BAD : GA__PLAIN);
    if (stats->skipped > 0) {
        ga__append_count(&writer->text, stats->skipped);
        ga__buffer_add(&writer->text, " done before");
        put(writer, GA__PLAIN);
    }
}

static void add_kinds(summary_writer *writer)
{
    ga__tally tallies[GA__KINDS];
    size_t found = ga__tally_failures(tallies, GA__KINDS, writer->summary->stats);

    if (found == 0)
        return;
    begin(writer, "failed");
    for (size_t i = 0; i < found; i++)
        ga__lines_part(&writer->lines, GA__BAD, ga__tally_kind(&writer->text, &tallies[i]));
    ga__buffer_clear(&writer->text);
}

static void add_statuses(summary_writer *writer)
{
    enum { MOST = 64 };
    ga__tally tallies[MOST];
    size_t found = ga__tally_most(tallies, writer->summary->all ? MOST : FEW,
                                  writer->summary->stats->statuses, GA__STATS_STATUSES);
    uint64_t others = 0;

    if (found == 0)
        return;
    for (size_t i = 0; i < GA__STATS_STATUSES; i++)
        others += writer->summary->stats->statuses[i];
    begin(writer, "status");
    for (size_t i = 0; i < found; i++) {
        others -= tallies[i].count;
        ga__lines_part(&writer->lines, GA__PLAIN, ga__tally_status(&writer->text, &tallies[i]));
    }
    ga__buffer_clear(&writer->text);
    if (others > 0) {
        ga__buffer_add(&writer->text, "others: ");
        ga__append_count(&writer->text, others);
        put(writer, GA__PLAIN);
    }
}

/* As wide as most are, so that two lines of them stand in columns. */
static void add_time(summary_writer *writer, const char *name, double ms)
{
    enum { WIDE = 8 };
    size_t size;

    ga__buffer_add(&writer->text, name);
    ga__buffer_add_char(&writer->text, ' ');
    size = writer->text.size;
    ga__append_ms(&writer->text, ms);
    while (!writer->text.failed && writer->text.size - size < WIDE)
        ga__buffer_add_char(&writer->text, ' ');
    put(writer, GA__PLAIN);
}

static void add_durations(summary_writer *writer, const char *label, const ga__durations *durations)
{
    if (durations->count == 0)
        return;
    begin(writer, label);
    for (size_t i = 0; i < PERCENTILES; i++)
        add_time(writer, (const char *[]){"p50", "p90", "p99"}[i],
                 ga__durations_at(durations, percentiles[i]));
    ga__buffer_add(&writer->text, "most ");
    ga__append_ms(&writer->text, durations->most);
    put(writer, GA__PLAIN);
}

static void add_traffic(summary_writer *writer)
{
    const ga__stats *stats = writer->summary->stats;

    begin(writer, "traffic");
    ga__append_count(&writer->text, stats->retries);
    ga__buffer_add(&writer->text, stats->retries == 1 ? " retry" : " retries");
    put(writer, GA__PLAIN);
    if (stats->pages > 0) {
        ga__append_count(&writer->text, stats->pages);
        ga__buffer_add(&writer->text, " further pages");
        put(writer, GA__PLAIN);
    }
    ga__append_bytes(&writer->text, stats->bytes);
    ga__buffer_add(&writer->text, " received");
    put(writer, GA__PLAIN);
}

static void add_wall_time(summary_writer *writer)
{
    const ga__stats *stats = writer->summary->stats;

    begin(writer, "time");
    ga__append_duration(&writer->text, writer->summary->seconds);
    put(writer, GA__PLAIN);
    if (writer->summary->seconds <= 0)
        return;
    ga__append_number(&writer->text,
                      (double)(stats->rows + stats->pages + stats->retries) / writer->summary->seconds);
    ga__buffer_add(&writer->text, " requests/s");
    put(writer, GA__PLAIN);
}

void ga__summary_append(ga__buffer *out, const ga__summary *summary, const ga__terminal *terminal)
{
    summary_writer writer = {
        .summary = summary,
        .lines = {.out = out,
                  .width = (size_t)terminal->columns,
                  .indent = terminal->columns > 2 * LABEL ? LABEL : 0,
                  .colours = terminal->colours,
                  .end = "\n"},
        .text = GA__BUFFER_INIT,
    };

    add_outcome(&writer);
    add_kinds(&writer);
    add_statuses(&writer);
    add_durations(&writer, "service", &summary->stats->service);
    add_durations(&writer, "queue", &summary->stats->wait);
    add_traffic(&writer);
    add_wall_time(&writer);
    if (summary->output) {
        begin(&writer, "output");
        ga__append_clean(&writer.text, summary->output);
        put(&writer, GA__PLAIN);
    }
    ga__lines_break(&writer.lines);
    ga__buffer_free(&writer.text);
}
