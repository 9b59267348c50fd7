/* SPDX-License-Identifier: MIT */
/*
 * A plot of a report's page, as SVG: two axes, lines and bars between them, and what the pointer tells. Its
 * colours are the page's, by class.
 */
#ifndef GA__PLOT_H
#define GA__PLOT_H

#include "base/buffer.h"

typedef void ga__plot_label(ga__buffer *out, double value);

typedef struct ga__plot_axis {
    double from, to; /* from < to; of a logarithmic one 0 < from */
    bool logarithmic;
    bool time;  /* in seconds: ticks are those of a clock */
    bool whole; /* of counts: there are none between two ticks a one apart */
    ga__plot_label *label;
} ga__plot_axis;

typedef struct ga__plot {
    ga__buffer *out;
    ga__plot_axis x, y;
} ga__plot;

/* Begins the SVG and draws the axes; `name` says what it shows, for who cannot see it. */
void ga__plot_begin(const ga__plot *plot, const char *name);
void ga__plot_end(const ga__plot *plot);

/* A line of a class, point by point; where a value is negative it is broken. */
void ga__plot_line_begin(const ga__plot *plot, const char *class);
void ga__plot_line_point(const ga__plot *plot, bool *pen, double x, double y);
void ga__plot_line_end(const ga__plot *plot);

/* A bar from x to x2 and from y to y2. */
void ga__plot_bar(const ga__plot *plot, const char *class, double x, double x2, double y, double y2);
/* A line across, at a value of y, and one up, at a value of x, with its name. */
void ga__plot_across(const ga__plot *plot, const char *class, double y, const char *name);
void ga__plot_mark(const ga__plot *plot, const char *class, double x, const char *name, int row);

/* What the pointer tells from x to x2: between the two calls the text is appended. */
void ga__plot_tip_begin(const ga__plot *plot, double x, double x2);
void ga__plot_tip_end(const ga__plot *plot);

/* The smallest of 1, 2 and 5 times a power of ten that is not below the number. */
double ga__plot_round_up(double number);
double ga__plot_round_down(double number);

#endif
