/* SPDX-License-Identifier: MIT */
/*
 * The histogram of a report. The durations were counted in steps of 2 %, which are summed up here in those of
 * a series of preferred numbers: 12, 6 or 3 in each decade, by how many decades there are.
 */
#include "cli/histogram.h"

#include "cli/figures.h"
#include <math.h>

enum { STEPS_MOST = 40, LABEL = 9, GAP = 2, SHARE = 7, BAR_LEAST = 4, BAR_MOST = 100 };

/* The bound of that number, in ms; those of a decade have `per` numbers. */
static double bound_of(int number, int per)
{
    static const double twelve[] = {1, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3, 3.9, 4.7, 5.6, 6.8, 8.2};
    static const double three[] = {1, 2, 5};
    int decade = (int)floor((double)number / per), place = number - decade * per;

    return pow(10, decade) * (per == 3 ? three[place] : twelve[place * (12 / per)]);
}

typedef struct histogram {
    int first, per; /* the number of the first bound */
    size_t count;
    uint64_t counts[STEPS_MOST], most;
} histogram;

static void lay_out(histogram *steps, const ga__durations *durations)
{
    double least = fmax(durations->least, ga__durations_bucket(1)), most = fmax(durations->most, least);
    double decades = log10(most / least);

    steps->per = decades <= 1.3 ? 12 : decades <= 3 ? 6 : 3;
    steps->first = (int)floor(log10(least)) * steps->per;
    while (bound_of(steps->first + 1, steps->per) <= least)
        steps->first++;
    for (steps->count = 1; steps->count < STEPS_MOST; steps->count++)
        if (bound_of(steps->first + (int)steps->count, steps->per) > most)
            break;
}

static void fill(histogram *steps, const ga__durations *durations)
{
    size_t step = 0;

    for (size_t i = 0; i < GA__STATS_BUCKETS; i++) {
        double middle = (ga__durations_bucket(i) + ga__durations_bucket(i + 1)) / 2;

        while (step + 1 < steps->count && bound_of(steps->first + (int)step + 1, steps->per) <= middle)
            step++;
        steps->counts[step] += durations->buckets[i];
    }
    for (step = 0; step < steps->count; step++)
        if (steps->counts[step] > steps->most)
            steps->most = steps->counts[step];
}

/* Appends the text right-aligned in so many columns, and empties it. */
static void append_right(ga__buffer *out, ga__buffer *text, size_t columns)
{
    for (size_t i = text->size; i < columns; i++)
        ga__buffer_add_char(out, ' ');
    ga__buffer_append(out, text->data, text->size);
    ga__buffer_clear(text);
}

static void append_step(ga__buffer *out, const histogram *steps, size_t step, uint64_t total, size_t bar,
                        const ga__terminal *terminal)
{
    ga__buffer text = GA__BUFFER_INIT, widest = GA__BUFFER_INIT;
    uint64_t count = steps->counts[step];

    ga__append_ms(&text, bound_of(steps->first + (int)step, steps->per));
    append_right(out, &text, LABEL);
    ga__buffer_add(out, "  ");
    if (bar > 0) {
        double share = (double)count / (double)steps->most;
        size_t from = out->size, columns;

        /* what there is of is seen, be it ever so little */
        ga__append_bar(out, bar, count > 0 ? fmax(share, 0.125 / (double)bar) : 0, terminal->utf8, false);
        columns = out->failed ? 0 : ga__text_columns(out->data + from, out->size - from);
        for (; columns < bar + GAP; columns++)
            ga__buffer_add_char(out, ' ');
    }
    ga__append_count(&widest, steps->most);
    ga__append_count(&text, count);
    append_right(out, &text, widest.size);
    ga__append_share(&text, (double)count / (double)total);
    append_right(out, &text, GAP + SHARE);
    ga__buffer_add_char(out, '\n');
    ga__buffer_free(&widest);
    ga__buffer_free(&text);
}

void ga__histogram_append(ga__buffer *out, const ga__durations *durations, const ga__terminal *terminal)
{
    histogram steps = {0};
    ga__buffer widest = GA__BUFFER_INIT;

    if (durations->count == 0)
        return;
    lay_out(&steps, durations);
    fill(&steps, durations);
    ga__append_count(&widest, steps.most);
    size_t taken = LABEL + GAP + GAP + widest.size + GAP + SHARE, columns = (size_t)terminal->columns;
    size_t bar = columns > taken + BAR_LEAST ? columns - taken : 0;

    for (size_t i = 0; i < steps.count; i++)
        append_step(out, &steps, i, durations->count, bar < BAR_MOST ? bar : BAR_MOST, terminal);
    ga__buffer_free(&widest);
}
