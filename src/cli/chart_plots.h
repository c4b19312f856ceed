/* Figures of an evaluation, as SVG: points, counts, ROC curves. All functions are Local. */
#ifndef LS_CLI_CHART_PLOTS_H
#define LS_CLI_CHART_PLOTS_H

#include <stdint.h>
#include <stdio.h>

/* A point of a figure. */
typedef struct ls_point {
    double x, y;
} ls_point;

/* Draws predicted against true values, and the line where they are equal. Points that are not
 * finite are left out.
 * title  without characters of markup, as below */
void ls_chart_points(FILE *out, const char *title, const ls_point *points, int64_t count);

/* Draws counts as bars.
 * from, step  the first bar covers from .. from + step; finite, step above 0
 * counts      [bars] not negative */
void ls_chart_bars(FILE *out, const char *title, double from, double step, const int64_t *counts,
                   int bars);

/* Draws a ROC curve.
 * points  of 0 to 1, in the order of the curve */
void ls_chart_roc(FILE *out, const char *title, const ls_point *points, int64_t count);

#endif
