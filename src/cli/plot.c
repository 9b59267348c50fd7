/* SPDX-License-Identifier: MIT */
/*
 * Plots in SVG. A plot is as many units wide as it has pixels on a screen of common size, and grows with its
 * place on the page. Coordinates have one digit behind the point: with 120 slices of time a plot is a few
 * kilobytes, whatever the job's size.
 */
#include "cli/plot.h"

#include "bulk/json.h"
#include <math.h>

enum { WIDE = 680, HIGH = 240, LEFT = 64, RIGHT = 12, TOP = 14, BOTTOM = 26, TICKS = 7, TICKS_MOST = 20 };

static void add_coordinate(ga__buffer *out, const char *name, double value)
{
    ga__buffer_printf(out, " %s=\"", name);
    ga__json_append_decimal(out, round(value * 10) / 10);
    ga__buffer_add_char(out, '"');
}

/* `what` it is, and its class among those, which may be "". */
static void add_line(const ga__plot *plot, const char *what, const char *class, double x1, double x2,
                     double y1, double y2)
{
    ga__buffer_printf(plot->out, "<line class=\"%s%s%s\"", what, *class ? " " : "", class);
    add_coordinate(plot->out, "x1", x1);
    add_coordinate(plot->out, "x2", x2);
    add_coordinate(plot->out, "y1", y1);
    add_coordinate(plot->out, "y2", y2);
    ga__buffer_add(plot->out, "/>");
}

static double place(const ga__plot_axis *axis, double value)
{
    double share = axis->logarithmic ? log(fmax(value, axis->from) / axis->from) / log(axis->to / axis->from)
                                     : (value - axis->from) / (axis->to - axis->from);

    return fmin(fmax(share, 0), 1);
}

static double x_of(const ga__plot *plot, double value)
{
    return LEFT + place(&plot->x, value) * (WIDE - LEFT - RIGHT);
}

static double y_of(const ga__plot *plot, double value)
{
    return HIGH - BOTTOM - place(&plot->y, value) * (HIGH - TOP - BOTTOM);
}

/* --- axes ----------------------------------------------------------------------------------------- */

/* The next of 1, 2, 5, 10, ... */
static double next_round(double number)
{
    double decade = pow(10, floor(log10(number) + 1e-9)), part = number / decade;

    return decade * (part < 1.5 ? 2 : part < 3.5 ? 5 : 10);
}

double ga__plot_round_down(double number)
{
    double decade = pow(10, floor(log10(number) + 1e-9)), part = number / decade;

    return decade * (part >= 5 - 1e-9 ? 5 : part >= 2 - 1e-9 ? 2 : 1);
}

double ga__plot_round_up(double number)
{
    double below = ga__plot_round_down(number);

    return below >= number * (1 - 1e-9) ? below : next_round(below);
}

static double step_of(const ga__plot_axis *axis)
{
    static const double clock[] = {15,   30,   60,    120,   300,   600,   900,    1800,
                                   3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800};
    double least = (axis->to - axis->from) / TICKS;

    if (axis->time && least > 10)
        for (size_t i = 0; i < sizeof clock / sizeof *clock; i++)
            if (clock[i] >= least)
                return clock[i];
    return axis->whole ? fmax(ga__plot_round_up(least), 1) : ga__plot_round_up(least);
}

static void add_y_tick(const ga__plot *plot, double value)
{
    double y = y_of(plot, value);

    add_line(plot, "grid", "", LEFT, WIDE - RIGHT, y, y);
    ga__buffer_add(plot->out, "<text class=\"y\"");
    add_coordinate(plot->out, "x", LEFT - 8);
    add_coordinate(plot->out, "y", y + 4);
    ga__buffer_add_char(plot->out, '>');
    plot->y.label(plot->out, value);
    ga__buffer_add(plot->out, "</text>");
}

static void add_x_tick(const ga__plot *plot, double value)
{
    double x = x_of(plot, value);

    add_line(plot, "tick", "", x, x, HIGH - BOTTOM, HIGH - BOTTOM + 4);
    ga__buffer_add(plot->out, "<text class=\"x\"");
    add_coordinate(plot->out, "x", fmin(x, WIDE - 28));
    add_coordinate(plot->out, "y", HIGH - BOTTOM + 18);
    ga__buffer_add_char(plot->out, '>');
    plot->x.label(plot->out, value);
    ga__buffer_add(plot->out, "</text>");
}

static void add_logarithmic_ticks(const ga__plot *plot, const ga__plot_axis *axis,
                                  void (*add)(const ga__plot *plot, double value))
{
    bool decades_only = log10(axis->to / axis->from) > 3;
    double at = ga__plot_round_up(axis->from);

    while (at <= axis->to * 1.001) {
        if (!decades_only || fabs(log10(at) - round(log10(at))) < 1e-6)
            add(plot, at);
        at = next_round(at);
    }
}

static void add_ticks(const ga__plot *plot, const ga__plot_axis *axis,
                      void (*add)(const ga__plot *plot, double value))
{
    if (axis->logarithmic) {
        add_logarithmic_ticks(plot, axis, add);
        return;
    }
    double step = step_of(axis), first = ceil(axis->from / step);
    int last = (int)floor(axis->to / step - first + 0.001);

    for (int i = 0; i <= last && i < TICKS_MOST; i++)
        add(plot, (first + i) * step);
}

void ga__plot_begin(const ga__plot *plot, const char *name)
{
    ga__buffer_printf(plot->out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">", WIDE, HIGH,
                      name);
    add_ticks(plot, &plot->y, add_y_tick);
    add_ticks(plot, &plot->x, add_x_tick);
    add_line(plot, "axis", "", LEFT, WIDE - RIGHT, HIGH - BOTTOM, HIGH - BOTTOM);
    ga__buffer_add_char(plot->out, '\n');
}

void ga__plot_end(const ga__plot *plot)
{
    ga__buffer_add(plot->out, "</svg>\n");
}

/* --- marks ---------------------------------------------------------------------------------------- */

void ga__plot_line_begin(const ga__plot *plot, const char *class)
{
    ga__buffer_printf(plot->out, "<path class=\"line %s\" d=\"", class);
}

/* A point between two breaks is a line of no length, which round ends make a dot. */
void ga__plot_line_point(const ga__plot *plot, bool *pen, double x, double y)
{
    if (y < 0) {
        *pen = false;
        return;
    }
    ga__buffer_add_char(plot->out, *pen ? 'L' : 'M');
    ga__json_append_decimal(plot->out, round(x_of(plot, x) * 10) / 10);
    ga__buffer_add_char(plot->out, ' ');
    ga__json_append_decimal(plot->out, round(y_of(plot, y) * 10) / 10);
    if (!*pen)
        ga__buffer_add(plot->out, "h0");
    *pen = true;
}

void ga__plot_line_end(const ga__plot *plot)
{
    ga__buffer_add(plot->out, "\"/>\n");
}

void ga__plot_bar(const ga__plot *plot, const char *class, double x, double x2, double y, double y2)
{
    double left = x_of(plot, x), bottom = y_of(plot, y);

    ga__buffer_printf(plot->out, "<rect class=\"%s\"", class);
    add_coordinate(plot->out, "x", left);
    add_coordinate(plot->out, "y", y_of(plot, y2));
    add_coordinate(plot->out, "width", fmax(x_of(plot, x2) - left - 0.6, 0.8));
    add_coordinate(plot->out, "height", fmax(bottom - y_of(plot, y2), 0));
    ga__buffer_add(plot->out, "/>");
}

void ga__plot_across(const ga__plot *plot, const char *class, double y, const char *name)
{
    double at = y_of(plot, y);

    add_line(plot, "across", class, LEFT, WIDE - RIGHT, at, at);
    ga__buffer_add(plot->out, "<text class=\"name\"");
    add_coordinate(plot->out, "x", WIDE - RIGHT - 4);
    add_coordinate(plot->out, "y", at - 5);
    ga__buffer_printf(plot->out, " text-anchor=\"end\">%s</text>\n", name);
}

void ga__plot_mark(const ga__plot *plot, const char *class, double x, const char *name, int row)
{
    double at = x_of(plot, x);
    bool right = at < WIDE - 80;

    add_line(plot, "across", class, at, at, TOP - 10, HIGH - BOTTOM);
    ga__buffer_add(plot->out, "<text class=\"name\"");
    add_coordinate(plot->out, "x", right ? at + 4 : at - 4);
    add_coordinate(plot->out, "y", TOP + 14 * row);
    ga__buffer_printf(plot->out, "%s>%s</text>\n", right ? "" : " text-anchor=\"end\"", name);
}

void ga__plot_tip_begin(const ga__plot *plot, double x, double x2)
{
    ga__buffer_add(plot->out, "<rect class=\"tip\"");
    add_coordinate(plot->out, "x", x_of(plot, x));
    add_coordinate(plot->out, "y", TOP);
    add_coordinate(plot->out, "width", x_of(plot, x2) - x_of(plot, x));
    add_coordinate(plot->out, "height", HIGH - TOP - BOTTOM);
    ga__buffer_add(plot->out, "><title>");
}

void ga__plot_tip_end(const ga__plot *plot)
{
    ga__buffer_add(plot->out, "</title></rect>\n");
}
